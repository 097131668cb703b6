"""The package: planning, environments, import."""

import subprocess
import sys
import time
from statistics import median

import numpy as np

from benchmarks.table import Row, benchmark
from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.planning import value_iteration


def open_square(side: int) -> GridWorld:
    """Free cells with lots of money in one corner: the longest way is 2 (side − 1)."""
    return GridWorld(["." * side] * (side - 1) + ["." * (side - 1) + "M"])


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@benchmark
def value_iteration_million():
    world = open_square(1000)
    world.transitions()
    yield Row(
        "value iteration, 1,000 × 1,000 cells", seconds(lambda: value_iteration(world, keep_history=False)), 30, "s"
    )


@benchmark
def value_iteration_peer():
    """The same discounted problem, on a grid that quantecon solves in about a minute with its fastest method.

    That method is value iteration: on 400 × 400 cells its modified policy iteration took four times as long.
    """
    from quantecon.markov import DiscreteDP

    gamma, side = 0.99, 1000
    options = {"method": "value_iteration", "max_iter": 100_000, "epsilon": 1e-6}
    _discrete_program(DiscreteDP, open_square(20), gamma).solve(**options)  # compiles
    world, found = open_square(side), {}
    peer = _discrete_program(DiscreteDP, world, gamma)
    theirs = seconds(lambda: found.update(peer=peer.solve(**options).v))
    ours = seconds(lambda: found.update(own=value_iteration(world, gamma, 1e-9, keep_history=False).values))
    walking = ~world.transitions().terminal
    np.testing.assert_allclose(found["own"][walking], found["peer"][walking], atol=1e-4)
    yield Row(f"value iteration, {side:,} × {side:,}, γ = {gamma}", ours, theirs, "s", peer="quantecon")


def _discrete_program(kind, world: GridWorld, gamma: float):
    """The world as quantecon's sparse state-action pairs; a terminal is a loop without reward."""
    from scipy.sparse import csr_matrix

    moves = world.transitions()
    count = len(moves.terminal)
    allowed = moves.allowed.copy()
    allowed[moves.terminal, 0] = True
    state, action = np.nonzero(allowed)
    step = csr_matrix(
        (np.ones(len(state)), (np.arange(len(state)), moves.next_state[state, action])), (len(state), count)
    )
    return kind(moves.reward[state, action], step, gamma, state, action)


@benchmark
def import_package():
    code = "import ppo_helpers"
    times = [seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(5)]
    yield Row("import ppo_helpers, interpreter start included", median(times), 0.3, "s")


@benchmark
def vector_environment():
    envs = GridWorldVectorEnv(num_envs=256, max_steps=100)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, (4000, 256))
    taken = seconds(lambda: [envs.step(row) for row in actions])
    yield Row("vector environment, 256 walks", actions.size / taken, 1e6, "steps/s", more_is_better=True)
