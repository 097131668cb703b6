"""What chapter 9 says of its twenty iterations, over the sampling seeds of the committed sweep."""

from ppo_helpers.measured import twenty_texts


def test_there_are_seeds_enough_and_every_one_ends_with_a_higher_mean_reward():
    runs = twenty_texts()
    assert sorted(runs) == list(range(30))
    assert all(run["after"] > run["before"] for run in runs.values())


def test_texts_visibly_change_while_the_policy_stays_near():
    runs = twenty_texts().values()
    assert min(run["changed"] for run in runs) >= 10  # of twenty
    assert max(run["kl"] for run in runs) < 0.5  # nats per token
