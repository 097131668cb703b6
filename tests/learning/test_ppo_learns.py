"""That it learns: on the grid, on CartPole, and a peer on our world. Minutes."""

from concurrent.futures import ProcessPoolExecutor

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy as evaluate

from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv
from ppo_helpers.planning import evaluate_policy, value_iteration
from ppo_helpers.walking import WalkConfig, greedy_returns, policy_table, train_ppo

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]
CARTPOLE = WalkConfig(
    iterations=391, steps=32, epochs=20, gamma=0.98, lam=0.8, learning_rate=1e-3, anneal_lr=True, anneal_clip=True
)


def reaches_the_optimum(seed):
    """Whether the likeliest moves after training earn the optimum from every cell."""
    torch.set_num_threads(1)
    world = GridWorld.default()
    config = WalkConfig(iterations=40, steps=16, gamma=1.0, learning_rate=3e-3, ent_coef=0.02, anneal_lr=True)
    *_, last = train_ppo(GridWorldVectorEnv(world, num_envs=64, max_steps=50), config, seed, progress=False)
    likeliest = policy_table(last.policy, world)
    table = np.where(likeliest == likeliest.max(axis=1, keepdims=True), 1.0, 0.0) * (likeliest > 0)
    return np.allclose(evaluate_policy(world, table), value_iteration(world).values)


def solves_cartpole(seed):
    """Trains until the last hundred walks earned 475 on average, which is CartPole-v1's own measure of solved."""
    torch.set_num_threads(1)
    envs = gym.make_vec("CartPole-v1", num_envs=8, vectorization_mode="vector_entry_point")
    for result in train_ppo(envs, CARTPOLE, seed, progress=False):
        if result.mean_return >= 475:
            test = gym.make_vec("CartPole-v1", num_envs=100, vectorization_mode="vector_entry_point")
            return greedy_returns(result.policy, test, seed=seed).mean().item()
    return result.mean_return


def test_20_of_20_seeds_reach_the_optimum_on_the_gridworld():
    with ProcessPoolExecutor(2) as pool:
        assert all(pool.map(reaches_the_optimum, range(20)))


def test_10_of_10_seeds_solve_cartpole():
    with ProcessPoolExecutor(2) as pool:
        scores = list(pool.map(solves_cartpole, range(10)))
    assert min(scores) >= 475, scores


def test_stable_baselines3_trains_on_our_world():
    check_env(GridWorldEnv(max_steps=50))
    envs = make_vec_env(lambda: GridWorldEnv(max_steps=50), n_envs=8, seed=0)
    numbers = {"n_steps": 128, "batch_size": 256, "n_epochs": 4, "learning_rate": 1e-3, "gamma": 1.0, "ent_coef": 0.02}
    model = PPO("MlpPolicy", envs, seed=0, device="cpu", **numbers)
    before = evaluate(model, envs, n_eval_episodes=200, deterministic=False)[0]
    model.learn(12_000)
    assert evaluate(model, envs, n_eval_episodes=200, deterministic=False)[0] > before + 5
