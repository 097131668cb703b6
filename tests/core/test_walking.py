"""Networks, returns, GAE and experience against hand computation and independent float64 references."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from ppo_helpers.experience import discounted_returns, gae
from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork, mask_logits
from ppo_helpers.walking import Collector

pytestmark = pytest.mark.usefixtures("one_thread")
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


# --- networks -------------------------------------------------------------------------------------------------------


def test_shapes():
    assert ValueNetwork(3)(torch.zeros(2, 5, 3)).shape == (2, 5)
    assert PolicyNetwork(3, num_actions=6)(torch.zeros(2, 5, 3)).shape == (2, 5, 6)


def test_blocked_moves_have_probability_exactly_zero_and_no_gradient_is_nan():
    torch.manual_seed(0)
    policy = PolicyNetwork(2)
    masks = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]])
    logprobs = policy(torch.randn(3, 2), masks).log_softmax(dim=-1)
    assert (logprobs.exp()[masks == 0] == 0).all() and logprobs[0, 0] == 0
    torch.testing.assert_close(logprobs.exp().sum(dim=-1), torch.ones(3))
    logprobs[masks == 1].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in policy.parameters())


def test_a_new_policy_is_nearly_uniform():
    torch.manual_seed(0)
    probabilities = PolicyNetwork(2)(torch.rand(100, 2) * 2 - 1).softmax(dim=-1)
    assert (probabilities - 0.25).abs().max() < 0.01


def test_networks_live_where_they_are_told():
    assert {p.device.type for p in PolicyNetwork(2, device="meta").parameters()} == {"meta"}
    assert ValueNetwork(2, device="meta")(torch.zeros(4, 2, device="meta")).shape == (4,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ValueNetwork(0), "observation_size must be at least 1, got 0"),
        (lambda: PolicyNetwork(2, num_actions=0), "num_actions must be at least 1, got 0"),
        (lambda: ValueNetwork(2)(torch.zeros(5, 3)), r"observations must have shape \(..., 2\), got \(5, 3\)"),
        (lambda: PolicyNetwork(2)(torch.zeros(5, 2), torch.ones(5, 3)), r"action_mask must have shape \(5, 4\)"),
        (lambda: mask_logits(torch.zeros(2, 2), torch.tensor([[1, 0], [0, 0]])), "at least one move open"),
    ],
)
def test_networks_name_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- returns and advantages -----------------------------------------------------------------------------------------


def slow_gae(rewards, values, dones, last_values, gamma, lam, mask, final_values):
    """Float64 loops, walk by walk: every advantage is summed on its own, as in eq. 16 of the paper."""
    advantages = np.zeros(rewards.shape)
    steps = rewards.shape[1]
    for b, start in np.ndindex(rewards.shape):
        weight = 1.0
        for t in range(start, steps):
            if not mask[b, t]:
                break
            after = values[b, t + 1] if t + 1 < steps else last_values[b]
            following = final_values[b, t] if dones[b, t] else after
            advantages[b, start] += weight * (rewards[b, t] + gamma * following - values[b, t])
            weight *= gamma * lam
            if dones[b, t]:
                break
    return advantages


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.99, 1.0]), st.sampled_from([0.0, 0.3, 0.95, 1.0]))
def test_gae_equals_slow_float64_loops(seed, gamma, lam):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 5)), int(rng.integers(1, 12)))
    rewards, values = rng.normal(size=(2, *shape))
    dones = rng.random(shape) < 0.25
    final = rng.normal(size=shape) * (dones & (rng.random(shape) < 0.5))  # half of the ends are cut-offs
    mask = np.ones(shape, dtype=bool)
    mask[:, 1:] = ~(dones[:, :-1] & (rng.random((shape[0], shape[1] - 1)) < 0.5))  # idle steps after some ends
    dones &= mask
    final *= dones
    last = rng.normal(size=shape[0])
    expected = slow_gae(rewards, values, dones, last, gamma, lam, mask, final)
    tensors = [torch.tensor(a) for a in (rewards, values, dones, last)]
    advantages, returns = gae(*tensors, gamma, lam, torch.tensor(mask), torch.tensor(final))
    np.testing.assert_allclose(advantages.numpy(), expected, atol=1e-10)
    np.testing.assert_allclose(returns.numpy(), (expected + values) * mask, atol=1e-10)


def batch(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def test_three_steps_by_hand():
    arguments = (batch([-1, -1, 4]), batch([2, 2, 3]), torch.tensor([[False, False, True]]), torch.tensor([9.0]))
    for lam, expected in ((0.0, [-1, 0, 1]), (0.5, [-0.75, 0.5, 1]), (1.0, [0, 1, 1])):
        advantages, returns = gae(*arguments, gamma=1.0, lam=lam)
        torch.testing.assert_close(advantages, batch(expected))
        torch.testing.assert_close(returns, advantages + arguments[1])


def test_lambda_one_is_return_minus_value_and_lambda_zero_is_the_td_error():
    generator = torch.Generator().manual_seed(0)
    rewards, values = torch.randn(2, 4, 20, generator=generator)
    dones, last = torch.rand(4, 20, generator=generator) < 0.2, torch.randn(4, generator=generator)
    returns = discounted_returns(rewards, dones, 0.9, bootstrap=last)
    torch.testing.assert_close(gae(rewards, values, dones, last, 0.9, 1.0)[0], returns - values)
    following = torch.cat([values[:, 1:], last[:, None]], dim=1)
    torch.testing.assert_close(
        gae(rewards, values, dones, last, 0.9, 0.0)[0], rewards + 0.9 * following * ~dones - values
    )


def test_padding_behind_the_end_of_a_text_changes_nothing():
    rewards, values = batch([0, 0, 1, 7, 7]), batch([0.5, 0.2, 0.3, 7, 7])
    dones = torch.tensor([[False, False, True, False, False]])
    mask = torch.tensor([[True, True, True, False, False]])
    padded, _ = gae(rewards, values, dones, torch.tensor([7.0]), 1.0, 0.9, mask)
    plain, _ = gae(rewards[:, :3], values[:, :3], dones[:, :3], torch.tensor([7.0]), 1.0, 0.9)
    torch.testing.assert_close(padded, torch.cat([plain, torch.zeros(1, 2)], dim=1))


GOOD = {"rewards": torch.zeros(2, 3), "values": torch.zeros(2, 3), "dones": torch.zeros(2, 3, dtype=torch.bool),
        "last_values": torch.zeros(2), "gamma": 0.9, "lam": 0.9}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rewards": torch.zeros(3)},
            r"rewards must be floating point of shape \(B, T\), T at least 1, got torch.float32 \(3,\)",
        ),
        ({"rewards": torch.zeros(2, 3, dtype=torch.long)}, "rewards must be floating point .* got torch.int64"),
        ({"values": torch.zeros(2, 4)}, r"values must have shape \(2, 3\) like rewards, got \(2, 4\)"),
        ({"values": torch.zeros(2, 3, dtype=torch.double)}, "values must have dtype torch.float32, got torch.float64"),
        ({"dones": torch.zeros(2, 3)}, "dones must have dtype torch.bool, got torch.float32"),
        ({"dones": torch.zeros(3, 2, dtype=torch.bool)}, r"dones must have shape \(2, 3\)"),
        ({"mask": torch.ones(2, 3)}, "mask must have dtype torch.bool"),
        ({"mask": torch.ones(2, 1, dtype=torch.bool)}, r"mask must have shape \(2, 3\)"),
        ({"last_values": torch.zeros(3)}, r"last_values must be torch.float32 of shape \(2,\)"),
        ({"rewards": torch.tensor([[0.0, 0, 0], [0, torch.nan, 0]])}, r"rewards must be finite, got nan at \(1, 1\)"),
        ({"values": torch.full((2, 3), torch.inf)}, r"values must be finite, got inf at \(0, 0\)"),
        ({"final_values": torch.zeros(2, 2)}, r"final_values must have shape \(2, 3\)"),
        ({"final_values": torch.ones(2, 3)}, r"final_values must be 0 where dones is False, got a value at \(0, 0\)"),
        (
            {"mask": torch.tensor([[True, True, True], [True, False, False]])},
            r"mask must not turn False .* at \(1, 0\)",
        ),
        ({"rewards": torch.zeros(2, 0)}, r"rewards must be .* T at least 1, got torch.float32 \(2, 0\)"),
        ({"rewards": [[0.0]]}, "rewards must be a tensor of shape .*, got list"),
        ({"values": np.zeros((2, 3))}, "values must be a tensor of shape .*, got ndarray"),
        ({"mask": [[True]]}, "mask must be a tensor of shape .*, got list"),
        ({"last_values": 0.0}, r"last_values must be a tensor, torch.float32 of shape \(2,\), got float"),
        ({"gamma": 1.1}, r"gamma must be in \[0, 1\], got 1.1"),
        ({"lam": -0.1}, r"lam must be in \[0, 1\], got -0.1"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        gae(**(GOOD | change))


def test_bad_input_of_returns_is_named():
    with pytest.raises(ValueError, match=r"dones must have shape \(1, 2\) like rewards"):
        discounted_returns(torch.zeros(1, 2), torch.zeros(1, 3, dtype=torch.bool), 1.0)
    with pytest.raises(ValueError, match="rewards must be finite"):
        discounted_returns(torch.tensor([[torch.nan]]), torch.zeros(1, 1, dtype=torch.bool), 1.0)

    for bootstrap in (torch.zeros(2), torch.zeros(1, 1)):
        with pytest.raises(ValueError, match=r"bootstrap must be torch.float32 of shape \(1,\)"):
            discounted_returns(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool), 1.0, bootstrap)
    with pytest.raises(ValueError, match="bootstrap must be finite"):
        discounted_returns(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool), 1.0, torch.nan)
    with pytest.raises(ValueError, match="rewards must be a tensor"):
        discounted_returns([[1.0]], torch.zeros(1, 1, dtype=torch.bool), 1.0)


def test_a_walk_that_was_cut_off_is_continued_by_its_final_value():
    rewards, ended = batch([-1, -1, -1]), torch.tensor([[False, False, True]])
    assert discounted_returns(rewards, ended, 1.0).tolist() == [[-3, -2, -1]]
    assert discounted_returns(rewards, ended, 1.0, final_values=batch([0, 0, 2])).tolist() == [[-1, 0, 1]]
    assert discounted_returns(rewards, ended, 0.5, final_values=batch([0, 0, 2])).tolist() == [[-1.5, -1, 0]]


# --- collecting -----------------------------------------------------------------------------------------------------

WORLD = GridWorld.from_text("S . . M\n. # . .\n. . D .")


def collector(envs, seed=0, actions=4):
    torch.manual_seed(seed)
    size = envs.single_observation_space.shape[0]
    return Collector(envs, PolicyNetwork(size, actions), ValueNetwork(size), seed=seed)


def grid_envs(mode, native):
    if native:
        return GridWorldVectorEnv(WORLD, 6, max_steps=7, autoreset_mode=mode)
    return SyncVectorEnv([lambda: GridWorldEnv(WORLD, max_steps=7)] * 6, autoreset_mode=mode)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_experience_replays_in_single_environments(mode, native):
    seen = collector(grid_envs(mode, native)).collect(60)
    for b in range(6):
        env = GridWorldEnv(WORLD, max_steps=7)
        observation, info = env.reset()
        for t in range(60):
            if not seen.mask[b, t]:
                assert mode == AutoresetMode.NEXT_STEP and seen.dones[b, t - 1]
                continue
            np.testing.assert_array_equal(seen.observations[b, t], observation)
            np.testing.assert_array_equal(seen.action_masks[b, t], info["action_mask"])
            observation, reward, terminated, truncated, info = env.step(int(seen.actions[b, t]))
            assert (seen.rewards[b, t], seen.dones[b, t]) == (reward, terminated or truncated)
            if terminated or truncated:
                observation, info = env.reset()
    idle = ~seen.mask
    if mode == AutoresetMode.SAME_STEP:
        assert not idle.any()
    else:
        torch.testing.assert_close(idle[:, 1:], seen.dones[:, :-1])


@pytest.mark.parametrize("mode", MODES)
def test_a_cut_off_walk_is_continued_by_the_value_of_its_last_state_and_an_arrived_one_is_not(mode):
    walks = collector(grid_envs(mode, native=True))
    seen = walks.collect(80)
    for b, t in seen.dones.nonzero().tolist():
        start = t
        while start > 0 and seen.mask[b, start - 1] and not seen.dones[b, start - 1]:
            start -= 1
        env = GridWorldEnv(WORLD, max_steps=7)
        env.reset()
        if start == 0:
            continue  # may have begun before this batch
        for k in range(start, t + 1):
            observation, _, terminated, truncated, _ = env.step(int(seen.actions[b, k]))
        expected = walks.value(torch.tensor(observation)).item() if truncated else 0.0
        assert terminated != truncated
        assert seen.final_values[b, t].item() == pytest.approx(expected, abs=1e-6)
    assert (seen.final_values[~seen.dones] == 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_log_probabilities_are_those_of_the_policy_and_blocked_moves_are_never_taken(mode):
    walks = collector(grid_envs(mode, native=True))
    seen = walks.collect(200)
    logprobs = walks.policy(seen.observations, seen.action_masks).log_softmax(dim=-1)
    torch.testing.assert_close(seen.logprobs, logprobs.gather(-1, seen.actions[..., None]).squeeze(-1))
    assert torch.isfinite(seen.logprobs).all()
    assert seen.action_masks.gather(-1, seen.actions[..., None]).all()
    torch.testing.assert_close(seen.values, walks.value(seen.observations))


def test_actions_are_drawn_with_their_probabilities():
    envs = GridWorldVectorEnv(GridWorld.from_text(". . .\n. S .\n. . .\nM . ."), 4000, max_steps=1)
    walks = collector(envs)
    with torch.no_grad():
        walks.policy.layers[-1].bias.copy_(torch.tensor([0.6, 0.25, 0.05, 0.1]).log())
    seen = walks.collect(1)
    wanted = walks.policy(seen.observations[0, 0]).softmax(dim=-1).double()
    counts = seen.actions.flatten().bincount(minlength=4).double()
    assert ((counts - 4000 * wanted) ** 2 / (4000 * wanted)).sum() < 16.3  # 0.999 quantile, three degrees of freedom


def test_walks_go_on_and_the_same_seed_gives_the_same_numbers():
    one, two = (collector(grid_envs(AutoresetMode.NEXT_STEP, native=True), seed=3) for _ in range(2))
    state = torch.random.get_rng_state()
    first, second = one.collect(5), one.collect(5)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.testing.assert_close(first.actions, two.collect(5).actions)
    continued = first.mask[:, -1] & ~first.dones[:, -1]
    assert continued.any() and (second.mask[:, 0] == ~first.dones[:, -1]).all()


@pytest.mark.parametrize("mode", MODES)
def test_cartpole_too(mode):
    envs = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    seen = collector(envs, actions=2).collect(64)
    assert seen.action_masks is None and seen.observations.shape == (4, 64, 4)
    assert seen.rewards[seen.mask].eq(1).all() and seen.dones.any()
    advantages, returns = seen.advantages(0.99, 0.95)
    assert torch.isfinite(advantages).all() and (returns[~seen.mask] == 0).all()


def test_bad_environments_and_steps_are_refused():
    envs = SyncVectorEnv([GridWorldEnv] * 2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match="NEXT_STEP or SAME_STEP autoreset"):
        collector(envs)
    with pytest.raises(ValueError, match="discrete actions"):
        collector(gym.make_vec("Pendulum-v1", num_envs=1, vectorization_mode="sync"))
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        collector(grid_envs(AutoresetMode.NEXT_STEP, native=True)).collect(0)
