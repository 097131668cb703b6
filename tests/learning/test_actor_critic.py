"""The training loop of chapter 4, taken from the chapter itself: it has to learn on nearly every seed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.planning import evaluate_policy, uniform_policy, value_iteration
from ppo_helpers.walking import Collector

pytestmark = pytest.mark.slow
CHAPTER = Path(__file__).parents[2] / "chapters" / "04_returns_and_gain.ipynb"


@pytest.fixture(scope="module")
def train():
    """``train_actor_critic`` as the chapter defines it."""
    names = {
        "torch": torch,
        "np": np,
        "Collector": Collector,
        "GridWorldVectorEnv": GridWorldVectorEnv,
        "PolicyNetwork": PolicyNetwork,
        "ValueNetwork": ValueNetwork,
    }
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(CHAPTER.read_text("utf-8"))["cells"]}
    exec(cells["losses"], names)
    exec(cells["actor-critic"], names)
    exec(cells["table-of"].split("\n\n\nhistory =")[0], names)  # the functions, not the training run
    return names["train_actor_critic"]


def score(world, table):
    """How far the worst start cell is on the way from random walking (0) to the best possible (1)."""
    walking = ~world.transitions().terminal
    floor, best = evaluate_policy(world, uniform_policy(world)), value_iteration(world).values
    return ((evaluate_policy(world, table) - floor)[walking] / (best - floor)[walking]).min()


def test_9_of_10_seeds_reach_95_percent_of_the_optimum_from_every_start(train):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    world = GridWorld.default()
    scores = [score(world, train(world, iterations=200, seed=seed)[-1][0]) for seed in range(10)]
    torch.set_num_threads(threads)
    assert sum(result >= 0.95 for result in scores) >= 9, np.round(scores, 2)


def test_the_score_knows_a_bad_policy(train):
    world = GridWorld.default()
    assert score(world, train(world, iterations=1)[-1][0]) < 0.5
