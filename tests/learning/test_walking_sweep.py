"""The sweep that chapters 6 and 7 read: its experiments are their cells, and what it wrote down can be had again."""

import pytest

from ppo_helpers.measured import walking_sweep
from sweeps import ablation
from sweeps.cells import names_of


@pytest.mark.parametrize("name", ablation.GROUPS)
def test_every_experiment_was_made_on_all_its_seeds(name):
    assert list(walking_sweep()[name]) == list(range(ablation.GROUPS[name][1]))


@pytest.mark.slow  # it runs cells of the chapter, as the two below do
def test_every_variant_of_the_chapter_was_tried():
    assert all(list(run) == list(ablation.chapter_7()["variants"]) for run in walking_sweep()["ablation"].values())


@pytest.mark.slow
def test_a_seed_gives_what_was_written_down():
    found = ablation.chapter_7()["final_share"]({}, 3)
    assert walking_sweep()["ablation"][3]["PPO"] == pytest.approx(found, abs=0.05)  # other machines round differently


def test_on_the_grid_every_seed_has_reached_the_optimum():
    """The likeliest moves after training earn what planning says is possible, from every cell."""
    assert all(run["optimal"] for run in walking_sweep()["grid"].values())


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("seed", [0, 7, 19, 40])
def test_on_the_grid_it_reaches_the_optimum(seed):
    found = ablation.grid(seed)
    assert found["optimal"]
    assert found["share"] == pytest.approx(walking_sweep()["grid"].get(seed, found)["share"], abs=0.02)


def test_a_chapter_without_the_cell_is_named():
    with pytest.raises(ValueError, match="must have the cells"):
        names_of("07", "no such cell")
