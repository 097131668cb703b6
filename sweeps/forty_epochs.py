"""Chapter 5 over seeds: forty epochs of the plain surrogate on one batch, from policies at four stages of training.

    make sweeps

It writes ``ppo_helpers/sweep_data/forty_epochs.json``, which the chapter reads: about three minutes on an idle core.
"""

import copy
import json
from pathlib import Path

import numpy as np
import torch

from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.objectives import probability_ratio, surrogate, whiten
from ppo_helpers.planning import uniform_policy
from ppo_helpers.walking import Collector, policy_table

DATA = Path(__file__).parents[1] / "ppo_helpers" / "sweep_data" / "forty_epochs.json"
SEEDS, EPOCHS, LIMIT = range(100), 40, 50
STAGES = (10, 20, 30, 60)  # batches of ordinary training, one step each, before the forty epochs
WORLD = GridWorld.default()
MOVES = WORLD.transitions()
ON = ~MOVES.terminal


def within(table: np.ndarray, limit: int = LIMIT) -> float:
    """Points of a walk that is cut off after so many moves, mean over the start cells, exact."""
    values = np.zeros(len(table))
    for _ in range(limit):
        values = (table * (MOVES.reward + values[MOVES.next_state])).sum(axis=1)
    return values[ON].mean()


def mean_surrogate(policy, batch, advantages):
    """The mean of ratio · A over a batch, and its ratios."""
    logprobs = policy.logprobs(batch.observations, batch.actions, batch.action_masks)
    ratio = probability_ratio(logprobs, batch.logprobs)
    return surrogate(ratio, advantages)[batch.mask].mean(), ratio[batch.mask].detach()


def climbed(policy, batch) -> dict:
    """What forty epochs make of a copy of the policy."""
    policy, advantages = copy.deepcopy(policy), whiten(batch.advantages(1.0, 0.95)[0], batch.mask)
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    points = []
    for _ in range(EPOCHS + 1):
        level, ratio = mean_surrogate(policy, batch, advantages)
        points.append(round(within(policy_table(policy, WORLD, "onehot")), 3))
        optimizer.zero_grad()
        (-level).backward()
        optimizer.step()
    return {"points": points, "mean_ratio": round(ratio.mean().item(), 3)}


def run(seed: int) -> dict[int, dict]:
    """Train as chapter 4 does, one step per batch; at each stage climb the next batch's surrogate on a copy."""
    torch.manual_seed(seed)
    envs = GridWorldVectorEnv(WORLD, num_envs=64, observation="onehot", max_steps=LIMIT)
    size = envs.single_observation_space.shape[0]
    policy, value = PolicyNetwork(size), ValueNetwork(size)
    collector, found = Collector(envs, policy, value, seed=seed), {}
    optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], lr=5e-3)
    for done in range(max(STAGES) + 1):
        batch = collector.collect(steps=16)
        if done in STAGES:
            found[done] = climbed(policy, batch)
        advantages, returns = batch.advantages(gamma=1.0, lam=0.95)
        level, _ = mean_surrogate(policy, batch, whiten(advantages, batch.mask))
        critic_loss = (value(batch.observations) - returns)[batch.mask].square().mean()
        optimizer.zero_grad()
        (0.5 * critic_loss - level).backward()
        optimizer.step()
    return found


def main() -> None:
    torch.set_num_threads(1)
    runs = [run(seed) for seed in SEEDS]
    stages = {stage: [found[stage] for found in runs] for stage in STAGES}
    walking_at_random = round(within(uniform_policy(WORLD)), 3)
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(json.dumps({"random": walking_at_random, "stages": stages}) + "\n", "utf-8")


if __name__ == "__main__":
    main()
