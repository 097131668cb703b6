"""PPO beside stable-baselines3's, in the same run: on the gridworld and on CartPole."""

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy as evaluate

from benchmarks.learning import single_threaded
from benchmarks.table import Row, benchmark
from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv
from ppo_helpers.planning import evaluate_policy, value_iteration
from ppo_helpers.walking import WalkConfig, greedy_returns, policy_table, train_ppo

GRID = WalkConfig(
    iterations=30, steps=16, epochs=2, minibatch_size=2048, gamma=1.0, learning_rate=5e-3, ent_coef=0.02, anneal_lr=True
)
CARTPOLE = WalkConfig(
    iterations=391, steps=32, epochs=20, gamma=0.98, lam=0.8, learning_rate=1e-3, anneal_lr=True, anneal_clip=True
)


def peer(env, envs: int, **numbers) -> PPO:
    """stable-baselines3's PPO with two hidden layers of 64, as ours."""
    network = {"net_arch": {"pi": [64, 64], "vf": [64, 64]}}
    return PPO("MlpPolicy", make_vec_env(env, n_envs=envs), policy_kwargs=network, seed=0, device="cpu", **numbers)


def likeliest_moves_earn(world: GridWorld, policy) -> np.ndarray:
    """(S,) exact values of always taking the likeliest move."""
    table = policy_table(policy, world)
    return evaluate_policy(world, np.eye(4)[table.argmax(axis=1)] * table.any(axis=1, keepdims=True))


@benchmark
def ppo_gridworld():
    world = GridWorld.default()
    best = value_iteration(world).values
    envs = GridWorldVectorEnv(world, num_envs=256, max_steps=50)

    def until_optimal():
        for result in train_ppo(envs, GRID, progress=False):
            if np.allclose(likeliest_moves_earn(world, result.policy), best):
                return
        raise RuntimeError("the optimum was not reached")

    single_threaded(lambda: list(train_ppo(envs, WalkConfig(iterations=2), progress=False)))  # warm up
    yield Row("PPO on the gridworld to the optimal return", single_threaded(until_optimal), 1, "s")
    steps = 256 * 16 * 30
    ours = steps / single_threaded(lambda: list(train_ppo(envs, GRID, progress=False)))
    model = peer(lambda: GridWorldEnv(world, max_steps=50), 8)
    theirs = 16_384 / single_threaded(lambda: model.learn(16_384))
    yield Row("PPO on the gridworld, steps", ours, 10 * theirs, "steps/s", True, "10 × stable-baselines3")
    model = peer(
        lambda: GridWorldEnv(world, max_steps=50), 256, n_steps=16, n_epochs=2, batch_size=2048, learning_rate=5e-3
    )
    theirs = 122_880 / single_threaded(lambda: model.learn(122_880))
    yield Row("the same, both with our batch and epochs", ours, 4 * theirs, "steps/s", True, "4 × stable-baselines3")


@benchmark
def ppo_cartpole():
    envs = gym.make_vec("CartPole-v1", num_envs=8, vectorization_mode="vector_entry_point")
    policies = []

    def ours():
        *_, last = train_ppo(envs, CARTPOLE, progress=False)
        policies.append(last.policy)

    model = peer(
        "CartPole-v1", 8, n_steps=32, batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8,
        learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left,
    )  # fmt: skip
    seconds = single_threaded(ours)
    theirs = single_threaded(lambda: model.learn(100_000))
    yield Row("CartPole-v1, 100,000 steps", seconds, 0.9 * theirs, "s", peer="0.9 × sb3 tuned")
    test = gym.make_vec("CartPole-v1", num_envs=100, vectorization_mode="vector_entry_point")
    reached = greedy_returns(policies[0], test, seed=1).mean().item()
    yield Row("  mean return of 100 walks after it", reached, 475, "points", more_is_better=True)
    theirs = evaluate(model, model.get_env(), n_eval_episodes=100)[0]
    yield Row("  stable-baselines3's", theirs, 475, "points", more_is_better=True)
