"""What chapter 7's figure shows of a training, kept while it runs. Apart from the figures, which need no torch."""

from collections.abc import Callable

import numpy as np
import torch

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.networks import PolicyNetwork
from ppo_helpers.objectives import probability_ratio
from ppo_helpers.walking import Training, Walks, policy_table

CURVES = ("share of the optimum", "approximate KL", "clip fraction", "entropy")
EDGES = np.geomspace(0.25, 4, 25)
EDGES[[10, 14]] = 0.8, 1.2  # the band begins and ends between two bars


def recorded(
    name: str, training: Training, world: GridWorld, judge: Callable[[PolicyNetwork], float], iterations: int
) -> dict:
    """Train, and keep a frame before the first and after each iteration.

    Args:
        name: of the run, a few words.
        training: of (x, y) networks on the world; it goes on from where it is.
        world: the world.
        judge: what the first curve shows of a policy.
        iterations: how many, at least 1.

    Returns:
        A run for :class:`~ppo_helpers.live.TrainingReplay`.
    """
    frames, rows = [_frame(training, world, None)], []
    for _ in range(iterations):
        result = training.iterate()
        stats = result.stats
        rows.append((judge(training.policy), stats.approx_kl, stats.clip_fraction, stats.entropy))
        frames.append(_frame(training, world, result.experience))
    curves = dict(zip(CURVES, map(list, zip(*rows, strict=True)), strict=True))
    run = {"name": name, "edges": EDGES, "curves": curves, "iterations": range(iterations + 1)}
    return run | {key: [frame[key] for frame in frames] for key in frames[0]}


@torch.no_grad()
def _frame(training: Training, world: GridWorld, seen: Walks | None) -> dict:
    """Policy, values, and the ratios of the batch that was just used."""
    values = training.value(torch.as_tensor(world.observations())).numpy(force=True).copy()
    values[~world.transitions().allowed.any(axis=1)] = list(world.terminals.values())
    counts = np.zeros(len(EDGES) - 1, dtype=int)
    if seen is not None:
        now = training.policy.logprobs(seen.observations, seen.actions, seen.action_masks)
        ratio = probability_ratio(now, seen.logprobs)[seen.mask]
        counts = np.histogram(ratio.clamp(EDGES[0], EDGES[-1]).numpy(force=True), EDGES)[0]
    return {
        "policy": policy_table(training.policy, world).round(2),
        "values": np.where(abs(values) < 10, values.round(1), values.round()),
        "ratios": counts,
    }
