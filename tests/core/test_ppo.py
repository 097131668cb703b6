"""PPO: one update against an independent one, the loop's promises, and that it learns."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from safetensors.torch import load_file, save_file
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy as evaluate
from torch import nn

from ppo_helpers import ppo
from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork
from ppo_helpers.planning import evaluate_policy, value_iteration
from ppo_helpers.ppo import Batch, PPOConfig, Training, evaluator, greedy_returns, ppo_update, train_ppo

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = PPOConfig(iterations=6, steps=8, epochs=2, minibatch_size=64, gamma=1.0, learning_rate=3e-3, ent_coef=0.02)
CARTPOLE = PPOConfig(
    iterations=391, steps=32, epochs=20, gamma=0.98, lam=0.8, learning_rate=1e-3, anneal_lr=True, anneal_clip=True
)


def grid(num_envs=16, **options):
    return GridWorldVectorEnv(num_envs=num_envs, **({"max_steps": 50} | options))


def run(config=SMALL, seed=0, envs=None, **options):
    return list(train_ppo(envs or grid(), config, seed, progress=False, **options))


def weights(result):
    return torch.cat([p.detach().flatten() for net in (result.policy, result.value) for p in net.parameters()])


# --- the update -----------------------------------------------------------------------------------------------------


def by_hand(parameters, batch, config, order):
    """One pass over the minibatches in NumPy-like steps: own loss, own gradient clipping, plain gradient descent."""
    weight, bias = (p.detach().double().clone() for p in parameters)
    for rows in order.split(config.minibatch_size):
        weight.requires_grad_(), bias.requires_grad_()
        x, actions = batch.inputs["x"][rows].double(), batch.inputs["actions"][rows]
        out = x @ weight.T + bias  # (n, 4): three logits and a value
        logp = out[:, :3] - out[:, :3].logsumexp(-1, keepdim=True)
        ratio = (logp[torch.arange(len(rows)), actions] - batch.old_logprobs[rows]).exp()
        a = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
        a = a[rows]
        gain = torch.where(a > 0, a * ratio.clamp(max=1 + config.clip_eps), a * ratio.clamp(min=1 - config.clip_eps))
        loss = -gain.mean() + config.vf_coef * ((out[:, 3] - batch.returns[rows]) ** 2).mean()
        loss = loss + config.ent_coef * (logp.exp() * logp).sum(-1).mean()
        gradients = torch.autograd.grad(loss, [weight, bias])
        length = sum((g**2).sum() for g in gradients).sqrt()
        shrink = min(1.0, config.max_grad_norm / (length.item() + 1e-6))  # torch's own guard against zero
        with torch.no_grad():
            weight, bias = weight - 0.1 * shrink * gradients[0], bias - 0.1 * shrink * gradients[1]
    return weight, bias


def linear_case(config, seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(5, 4).double()
    inputs = {"x": torch.randn(12, 5).double(), "actions": torch.randint(3, (12,))}

    def evaluate(batch):
        out = model(batch.inputs["x"])
        logp = out[:, :3].log_softmax(-1)
        chosen = logp.gather(-1, batch.inputs["actions"][:, None]).squeeze(-1)
        return chosen, out[:, 3], -(logp.exp() * logp).sum(-1)

    blank = Batch(inputs, *(torch.zeros(12).double() for _ in range(4)), torch.ones(12, dtype=torch.bool))
    with torch.no_grad():
        logprobs, values, _ = evaluate(blank)
    old = replace(blank, old_logprobs=logprobs + 0.3 * torch.randn(12).double(), old_values=values)
    return model, evaluate, replace(old, advantages=torch.randn(12).double(), returns=torch.randn(12).double())


def test_one_epoch_equals_a_second_implementation():
    config = PPOConfig(epochs=1, minibatch_size=5, ent_coef=0.1, max_grad_norm=0.3)
    model, evaluate, batch = linear_case(config)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(7))
    expected = by_hand(list(model.parameters()), batch, config, order)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stats = ppo_update(evaluate, batch, optimizer, config, torch.Generator().manual_seed(7))
    for p, wanted in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.detach(), wanted, rtol=0, atol=1e-12)
    assert stats.optimizer_steps == 3 and stats.max_ratio > 1 and 0 < stats.clip_fraction <= 1


def test_statistics_before_the_first_step():
    """With a learning rate of 0 all of them can be computed from the batch."""
    config = PPOConfig(epochs=1, minibatch_size=99, whiten_advantages=False)
    model, evaluate, batch = linear_case(config)
    with torch.no_grad():
        logprobs, values, entropies = evaluate(batch)
    ratio = (logprobs - batch.old_logprobs).exp()
    stats = ppo_update(evaluate, batch, torch.optim.SGD(model.parameters(), lr=0.0), config)
    low, high = ratio * batch.advantages, ratio.clamp(0.8, 1.2) * batch.advantages
    assert stats.policy_loss == pytest.approx(-torch.minimum(low, high).mean().item())
    assert stats.value_loss == pytest.approx(((values - batch.returns) ** 2).mean().item())
    assert stats.entropy == pytest.approx(entropies.mean().item())
    assert stats.approx_kl == pytest.approx((ratio - 1 - ratio.log()).mean().item())
    assert stats.clip_fraction == pytest.approx(((ratio - 1).abs() > 0.2).double().mean().item())
    assert stats.max_ratio == pytest.approx(ratio.max().item())
    assert stats.first_ratio_error == pytest.approx((ratio - 1).abs().max().item())
    left, total = (batch.returns - batch.old_values).var(), batch.returns.var()
    assert stats.explained_variance == pytest.approx(1 - (left / total).item())


def test_padding_and_steps_that_do_not_count_change_nothing():
    """A batch of texts (B, T) with garbage in its padding gives the same step as without the padding."""
    torch.manual_seed(0)
    table = nn.Parameter(torch.randn(2, 3))
    mask = torch.tensor([[True, True, True], [True, False, False]])

    def evaluate(batch):
        rows = table[batch.inputs["row"]]
        return rows.sigmoid().log(), rows, rows**2

    garbage = torch.where(mask, torch.randn(2, 3), torch.tensor(torch.nan))
    filled = torch.where(mask, garbage, 0.0)
    steps = []
    for columns in (garbage, filled):
        with torch.no_grad():
            table.copy_(torch.arange(6).view(2, 3) / 6)
        batch = Batch({"row": torch.arange(2)}, *(columns - 1 for _ in range(4)), mask)
        ppo_update(evaluate, batch, torch.optim.SGD([table], lr=0.1), PPOConfig(epochs=2))
        steps.append(table.detach().clone())
    torch.testing.assert_close(steps[0], steps[1])
    assert torch.isfinite(steps[0]).all() and (steps[0] != torch.arange(6).view(2, 3) / 6)[mask].all()


def test_target_kl_ends_an_update():
    free = run(replace(SMALL, iterations=1, learning_rate=0.1, epochs=10))[0].stats
    held = run(replace(SMALL, iterations=1, learning_rate=0.1, epochs=10, target_kl=0.02))[0].stats
    assert free.optimizer_steps == 20 and 1 <= held.optimizer_steps < 20
    assert held.approx_kl > 0.02


def test_value_clipping_holds_the_values_back():
    moved = {}
    for clip in (None, 0.01):
        result = run(replace(SMALL, iterations=1, epochs=20, learning_rate=1e-2, value_clip_eps=clip))[0]
        seen = result.experience
        with torch.no_grad():
            moved[clip] = (result.value(seen.observations) - seen.values)[seen.mask].abs().mean()
    assert moved[0.01] < moved[None] / 2


def test_an_evaluation_of_another_shape_is_refused():
    model, evaluate, batch = linear_case(SMALL)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"evaluate must return values of shape \(12,\), got \(12, 1\)"):
        ppo_update(lambda b: (evaluate(b)[0], evaluate(b)[1][:, None], evaluate(b)[2]), batch, optimizer, SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"steps": 1.5}, "steps must be a whole number of at least 1, got 1.5"),
        ({"gamma": 1.1}, r"gamma must be in \[0, 1\], got 1.1"),
        ({"lam": -0.1}, r"lam must be in \[0, 1\], got -0.1"),
        ({"clip_eps": 1.3}, r"clip_eps must be in \(0, 1\) or None, got 1.3"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite and not negative, got nan"),
        ({"ent_coef": -1}, "ent_coef must be finite and not negative, got -1"),
        ({"max_grad_norm": 0}, "max_grad_norm must be positive or None, got 0"),
        ({"target_kl": -0.1}, "target_kl must be positive or None, got -0.1"),
        ({"minibatch_size": 0}, "minibatch_size must be a whole number"),
    ],
)
def test_bad_numbers_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        PPOConfig(**change)


# --- the loop -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_every_ratio_is_one_before_the_first_step_of_every_iteration(mode):
    for result in run(envs=grid(autoreset_mode=mode)):
        assert result.stats.first_ratio_error < 1e-6
    cartpole = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    for result in run(replace(CARTPOLE, iterations=5), envs=cartpole):
        assert result.stats.first_ratio_error < 1e-6


def test_returns_are_made_before_whitening():
    """Advantage plus old value is the return, in reward points, whatever happens to the advantages later."""
    training = Training(grid(), SMALL)
    batch = Batch.of_steps(training.collector.collect(8), 1.0, 0.95)
    torch.testing.assert_close(batch.returns, batch.advantages + batch.old_values)
    seen = []

    def evaluate(part):
        seen.append(part)
        return evaluator(training.policy, training.value)(part)

    ppo_update(evaluate, batch, training.optimizer, replace(SMALL, epochs=1, minibatch_size=10**6))
    torch.testing.assert_close(seen[0].returns.sort().values, batch.returns.sort().values)
    assert seen[0].advantages.mean().abs() < 1e-6 and seen[0].advantages.std(correction=0) == pytest.approx(1.0)


def test_steps_that_do_not_count_are_left_out_of_the_batch():
    training = Training(grid(max_steps=3), SMALL)
    experience = training.collector.collect(8)
    assert not experience.mask.all()
    assert len(Batch.of_steps(experience, 1.0, 0.95)) == experience.mask.sum()


def test_the_mean_return_is_that_of_the_walks_that_ended():
    config, earned, running = replace(SMALL, iterations=10), [], np.zeros(16)
    for result in train_ppo(grid(), config, progress=False):
        seen = result.experience
        for t, b in np.ndindex(8, 16):  # walks that end in the same step are counted in their order
            running[b] += seen.rewards[b, t].item() * seen.mask[b, t].item()
            if seen.dones[b, t]:
                earned.append(running[b])
                running[b] = 0
        assert result.mean_return == pytest.approx(np.mean(earned[-100:]))
    assert len(earned) > 100 and result.steps <= 10 * 16 * 8


def test_annealing_is_a_straight_line_to_zero():
    training = Training(grid(), replace(SMALL, iterations=4, anneal_lr=True, anneal_clip=True))
    seen = []
    for done in range(4):
        training.done = done
        eps = training._annealed().clip_eps
        seen.append((eps, training.optimizer.param_groups[0]["lr"]))
    np.testing.assert_allclose(seen, [(0.2 * k, 3e-3 * k) for k in (1, 0.75, 0.5, 0.25)])


def test_the_same_seed_gives_the_same_numbers_and_global_randomness_is_left_alone():
    before = torch.random.get_rng_state()
    first = weights(run()[-1]).clone()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, weights(run()[-1]))
    assert not torch.equal(first, weights(run(seed=1)[-1]))


def test_it_can_be_left_at_any_time_with_what_it_has():
    for result in train_ppo(grid(), replace(SMALL, iterations=10**6), progress=False):
        if result.index == 2:
            break
    assert result.steps <= 2 * 16 * 8 and torch.isfinite(weights(result)).all()


@pytest.mark.parametrize("world", ["next step", "same step", "cartpole"])
def test_a_resumed_run_equals_one_that_never_stopped_bit_for_bit(world, tmp_path):
    def envs():
        if world == "cartpole":
            return gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
        modes = {"next step": AutoresetMode.NEXT_STEP, "same step": AutoresetMode.SAME_STEP}
        return grid(autoreset_mode=modes[world])

    config = replace(SMALL, iterations=7, anneal_lr=True, anneal_clip=True)
    for result in train_ppo(envs(), config, seed=3, progress=False):
        if result.index == 4:
            result.save(tmp_path / "run.safetensors")
    resumed = run(config, seed=3, envs=envs(), checkpoint=tmp_path / "run.safetensors")
    assert [r.index for r in resumed] == [5, 6, 7]
    assert torch.equal(weights(resumed[-1]), weights(result))
    assert resumed[-1].stats == result.stats and resumed[-1].steps == result.steps
    assert resumed[-1].mean_return == result.mean_return or np.isnan(result.mean_return)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    run(replace(SMALL, iterations=2))[-1].save(path)
    assert run(replace(SMALL, iterations=3), checkpoint=path)[0].index == 3  # more iterations are no other training
    with pytest.raises(ValueError, match="checkpoint must be of a training with seed 1, got 0"):
        run(seed=1, checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint must be of a training with config"):
        run(replace(SMALL, gamma=0.9), checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint must be of a training with walks 8, got 16"):
        run(envs=grid(8), checkpoint=path)
    with pytest.raises(ValueError, match="the same actions led somewhere else"):
        run(envs=grid(max_steps=2), checkpoint=path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="checkpoint must be of a training with config"):
        run(checkpoint=path)


def test_a_save_that_is_interrupted_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    result = run(replace(SMALL, iterations=1))[-1]
    result.save(path)
    before = load_file(path)

    def fail(tensors, name, metadata):
        raise KeyboardInterrupt

    monkeypatch.setattr(ppo, "save_file", fail)
    with pytest.raises(KeyboardInterrupt):
        result.save(path)
    assert all(torch.equal(x, before[name]) for name, x in load_file(path).items())


def test_bad_environments_are_refused():
    continuous = gym.make_vec("Pendulum-v1", num_envs=2)
    with pytest.raises(ValueError, match="envs must have discrete actions"):
        train_ppo(continuous, SMALL)
    with pytest.raises(ValueError, match="envs must have observations of one dimension"):
        train_ppo(gym.make_vec("FrozenLake-v1", num_envs=2), SMALL)


def test_greedy_returns_count_one_walk_per_environment():
    world = GridWorld.from_text(". . . M")
    policy = PolicyNetwork(2)
    with torch.no_grad():
        policy.layers[-1].bias.copy_(torch.tensor([0.0, 9.0, 0.0, 0.0]))  # always right
    envs = GridWorldVectorEnv(world, num_envs=30, max_steps=10)
    starts = envs.reset(seed=5)[0][:, 0]
    steps = np.rint((1 - starts) * 1.5)
    assert greedy_returns(policy, envs, seed=5).tolist() == (5 - steps).tolist()
    with torch.no_grad():
        policy.layers[-1].bias.copy_(torch.tensor([0.0, 0.0, 0.0, 9.0]))  # always left: blocked at the border
    endless = GridWorldVectorEnv(GridWorld.from_text("M . . ."), num_envs=1)
    with pytest.raises(ValueError, match="envs must end every walk within max_steps = 20, 1 of them did not"):
        with torch.no_grad():
            policy.layers[-1].bias.copy_(torch.tensor([0.0, 9.0, 0.0, -9.0]))
        greedy_returns(policy, endless, max_steps=20)


# --- it learns ------------------------------------------------------------------------------------------------------


def reaches_the_optimum(seed):
    """Whether the likeliest moves after training earn the optimum from every cell."""
    torch.set_num_threads(1)
    world = GridWorld.default()
    config = PPOConfig(iterations=40, steps=16, gamma=1.0, learning_rate=3e-3, ent_coef=0.02, anneal_lr=True)
    result = run(config, seed, GridWorldVectorEnv(world, num_envs=64, max_steps=50))[-1]
    moves = world.transitions()
    on = torch.tensor(~moves.terminal)
    xy = torch.tensor(np.array([GridWorldEnv(world).reset(options={"start": s})[0] for s in world.starts]))
    with torch.no_grad():
        chosen = result.policy(xy, torch.tensor(moves.allowed)[on]).argmax(dim=-1)
    table = np.zeros(moves.allowed.shape)
    table[on.numpy()] = np.eye(4)[chosen]
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
