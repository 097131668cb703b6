"""What chapter 5 says of forty epochs on one batch, over the hundred seeds of the committed sweep."""

import pytest

from ppo_helpers.measured import forty_epochs

STAGES, AT_RANDOM = forty_epochs()


def ends(stage):
    return [run["points"][-1] for run in STAGES[stage]]


def test_every_stage_has_a_hundred_runs_of_forty_epochs():
    assert list(STAGES) == [10, 20, 30, 60]
    assert all(len(runs) == 100 and {len(run["points"]) for run in runs} == {41} for runs in STAGES.values())


@pytest.mark.parametrize(("stage", "least", "most"), [(10, 0, 15), (20, 35, 65), (30, 85, 100), (60, 85, 100)])
def test_the_better_the_policy_the_more_runs_end_below_random_walking(stage, least, most):
    assert least <= sum(end < AT_RANDOM for end in ends(stage)) <= most


def test_all_half_trained_policies_become_better_at_first():
    assert all(max(run["points"]) > run["points"][0] + 0.05 for run in STAGES[20])


def test_the_mean_ratio_raises_the_alarm_in_nearly_every_ruin_and_in_others_too():
    runs = [run for stage in STAGES.values() for run in stage]
    ruined = [run["mean_ratio"] < 0.9 for run in runs if run["points"][-1] < AT_RANDOM]
    calm = [run["mean_ratio"] < 0.9 for run in runs if run["points"][-1] >= AT_RANDOM]
    assert sum(ruined) >= 0.95 * len(ruined) and 0 < sum(calm) < 0.5 * len(calm)
