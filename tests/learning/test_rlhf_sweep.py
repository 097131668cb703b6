"""What chapter 11 promises of its method, over the seeds of the committed sweep: five-iteration means, or 400 texts."""

import pytest

from ppo_helpers.language.writing import Assessment
from ppo_helpers.measured import DATA, rlhf_sweep, smoothed, turn

RUNS = rlhf_sweep()
every_seed = pytest.mark.parametrize("seed", RUNS)


def turned(seed, name="beta 0.0"):
    curves = RUNS[seed][name]["curves"]
    return turn(curves["reward"], curves["judged"])


def end(seed, name):
    return RUNS[seed][name]["end"]


def second_round(seed):
    """Ends with old and fresh comparisons, and with as many further steps on the old reward model."""
    return [end(seed, f"second round at 0.15, {name}") for name in ("old and fresh", "old reward model")]


def test_there_are_seeds_enough():
    assert len(RUNS) >= 5
    assert (DATA / "rlhf.json").stat().st_size < 1_000_000
    assert set(Assessment._fields) <= set(end(0, "beta 0.1"))


@every_seed
def test_without_a_price_the_reward_stays_near_its_highest_while_gold_turns(seed):
    found, reward = turned(seed), smoothed(RUNS[seed]["beta 0.0"]["curves"]["reward"])
    assert reward[-1] >= reward.max() - 0.05
    assert found.last_reward >= found.reward + 0.2
    assert found.last_gold <= found.gold / 2 and found.last_gold <= 0.30


@every_seed
def test_with_a_price_the_gold_score_rises_and_the_policy_stays_near(seed):
    sft, policy = RUNS[seed]["stage"]["sft"], end(seed, "beta 0.1")
    assert smoothed(RUNS[seed]["beta 0.1"]["curves"]["judged"])[-1] >= 0.70
    assert policy["sentiment"] >= sft["sentiment"] + 0.5
    assert policy["kl"] <= 5 and policy["perplexity"] <= 1.4 * sft["perplexity"]
    assert policy["distinct"] >= 0.45 * sft["distinct"] and policy["unique"] >= 0.85


@every_seed
def test_the_second_round_is_above_as_many_further_steps(seed):
    both, old = second_round(seed)
    assert both["judged"] > old["judged"] and both["unique"] >= 0.80


def test_the_second_round_gains_on_average():
    rows = [second_round(seed) for seed in RUNS]
    assert sum(both["judged"] - old["judged"] for both, old in rows) / len(rows) >= 0.03


def test_the_reward_model_comes_near_its_noise_ceiling():
    found = [runs["stage"]["reward_model"] for runs in RUNS.values()]
    shares = [one["accuracy"] / one["ceiling"] for one in found]
    assert min(shares) >= 0.82 and sum(shares) / len(shares) >= 0.85
