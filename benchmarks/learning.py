"""Learning by walking: collecting experience, advantages."""

import time

import torch

from benchmarks.table import Row, benchmark
from ppo_helpers.experience import gae
from ppo_helpers.gridworld import GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.walking import Collector


def single_threaded(function) -> float:
    """Seconds on one thread: sharing work this small among threads costs more than it saves."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    start = time.perf_counter()
    function()
    taken = time.perf_counter() - start
    torch.set_num_threads(threads)
    return taken


@benchmark
def experience():
    envs = GridWorldVectorEnv(num_envs=64, max_steps=50)
    collector = Collector(envs, PolicyNetwork(2), ValueNetwork(2))
    collector.collect(10)
    speed = 64 * 2000 / single_threaded(lambda: collector.collect(2000))
    yield Row("experience with a policy network, 64 walks", speed, 200_000, "steps/s", more_is_better=True)


@benchmark
def advantages():
    generator = torch.Generator().manual_seed(0)
    rewards, values = torch.rand(2, 256, 2048, generator=generator)
    dones = torch.rand(256, 2048, generator=generator) < 0.01
    milliseconds = 1000 * single_threaded(lambda: gae(rewards, values, dones, values[:, 0], 0.99, 0.95))
    yield Row("gae on (256, 2048)", milliseconds, 50, "ms")
