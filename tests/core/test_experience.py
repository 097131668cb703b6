"""Returns and GAE against hand computation and float64 loops; experience as a batch of steps or of whole rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ppo_helpers.experience import Experience, discounted_returns, gae

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
        ({"values": torch.zeros(2, 3, requires_grad=True)}, "values must be constants, got a tensor that requires"),
        ({"last_values": torch.zeros(2, device="meta")}, "last_values must be on cpu like rewards, got meta"),
        ({"values": torch.zeros(2, 3, device="meta")}, "values must be on cpu like rewards, got meta"),
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


def test_a_bootstrap_may_be_a_number_or_a_tensor_of_any_number_type():
    rewards, ended = batch([1, 1], [1, 1]), torch.zeros(2, 2, dtype=torch.bool)
    for bootstrap in (4, 4.0, torch.tensor(4), torch.tensor([4, 4]), torch.tensor([4.0, 4.0], dtype=torch.double)):
        assert discounted_returns(rewards, ended, 0.5, bootstrap).tolist() == [[2.5, 3.0], [2.5, 3.0]]


def test_a_walk_that_goes_on_is_worth_nothing_more_unless_it_is_said_and_padding_earns_nothing():
    rewards, ended = batch([1, 2], [3, 7]), torch.tensor([[False, False], [True, False]])
    assert discounted_returns(rewards, ended, 0.5).tolist() == [[2, 2], [3, 7]]
    mask = torch.tensor([[True, True], [True, False]])
    assert discounted_returns(rewards, ended, 0.5, mask=mask).tolist() == [[2, 2], [3, 0]]


# --- a batch of experience ------------------------------------------------------------------------------------------


def experience(whole, **change):
    """Two rows of three steps; the second one ends early. Whole rows have two tokens of prompt before them."""
    mask = torch.tensor([[True, True, True], [True, False, False]])
    dones = torch.tensor([[False, False, True], [True, False, False]])
    inputs = {"sequences": torch.arange(10).view(2, 5)} if whole else {"observations": torch.arange(6.0).view(2, 3, 1)}
    rewards, values = batch([1, 2, 3], [4, 0, 0]), batch([0.5, 1, 1.5], [2, 0, 0])
    columns = {"logprobs": batch([-1, -2, -3], [-4, 0, 0]), "values": values, "rewards": rewards, "dones": dones}
    return Experience(**({"inputs": inputs, **columns, "mask": mask, "whole": whole} | change))


def test_steps_become_rows_of_their_own_without_those_that_do_not_count():
    sampled = batch([-1.5, -2.5, -3.5], [-4.5, 9, 9])
    rows = experience(whole=False, sampled_logprobs=sampled).batch(gamma=1.0, lam=1.0)
    assert len(rows) == 4 and rows.mask.tolist() == [True] * 4
    assert rows.inputs["observations"].tolist() == [[0.0], [1.0], [2.0], [3.0]]
    assert rows.old_logprobs.tolist() == [-1, -2, -3, -4] and rows.sampled_logprobs.tolist() == [-1.5, -2.5, -3.5, -4.5]
    assert rows.returns.tolist() == [6, 5, 3, 4] and rows.old_values.tolist() == [0.5, 1, 1.5, 2]
    assert rows.advantages.tolist() == [5.5, 4, 1.5, 2]


def test_whole_rows_stay_as_they_are():
    rows = experience(whole=True).batch(gamma=0.5, lam=1.0)
    assert len(rows) == 2 and rows.mask.shape == (2, 3) and rows.sampled_logprobs is None
    assert rows.inputs["sequences"].tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert rows.returns.tolist() == [[2.75, 3.5, 3.0], [4.0, 0.0, 0.0]]
    second = rows[torch.tensor([1])]
    assert len(second) == 1 and second.inputs["sequences"].tolist() == [[5, 6, 7, 8, 9]]
    assert second.returns.tolist() == [[4.0, 0.0, 0.0]] and second.sampled_logprobs is None


def test_what_follows_the_last_step_is_worth_nothing_unless_it_is_said():
    going_on = {"dones": torch.tensor([[False, False, False], [True, False, False]])}
    assert experience(True, **going_on).batch(1.0, 1.0).returns[0].tolist() == [6, 5, 3]
    worth = going_on | {"last_values": torch.tensor([10.0, 7.0])}
    assert experience(True, **worth).batch(1.0, 1.0).returns.tolist() == [[16, 15, 13], [4, 0, 0]]
    cut_off = {"final_values": batch([0, 0, 2], [0, 0, 0])}
    assert experience(True, **cut_off).batch(1.0, 1.0).returns[0].tolist() == [8, 7, 5]


@pytest.mark.parametrize(
    ("whole", "change", "message"),
    [
        (False, {"inputs": {"x": torch.zeros(2, 5)}}, r"inputs\['x'\] must have shape \(2, 3, ...\), got \(2, 5\)"),
        (True, {"inputs": {"x": torch.zeros(3, 5)}}, r"inputs\['x'\] must have shape \(2, ...\), got \(3, 5\)"),
        (
            True,
            {"inputs": {"x": torch.zeros(2, device="meta")}},
            r"inputs\['x'\] must be on cpu like rewards, got meta",
        ),
        (True, {"logprobs": torch.zeros(2, 1)}, r"logprobs must have shape \(2, 3\) like rewards, got \(2, 1\)"),
        (True, {"sampled_logprobs": torch.zeros(3)}, r"sampled_logprobs must have shape \(2, 3\) like rewards, got"),
        (True, {"values": torch.zeros(2, 4)}, r"values must have shape \(2, 3\) like rewards, got \(2, 4\)"),
    ],
)
def test_experience_that_does_not_fit_together_is_refused(whole, change, message):
    with pytest.raises(ValueError, match=message):
        experience(whole, **change).batch(1.0, 0.95)


def test_batches_of_a_single_step():
    one, yes = batch([2.0]), torch.tensor([[True]])
    seen = Experience(inputs={"x": one}, logprobs=-one, values=one / 4, rewards=one, dones=yes, mask=yes)
    advantages, returns = seen.advantages(0.9, 0.9)
    torch.testing.assert_close((advantages, returns), (batch([1.5]), batch([2.0])))


def test_ends_of_another_shape_are_named():
    with pytest.raises(ValueError, match="dones must have shape"):
        discounted_returns(batch([1.0, 2.0]), torch.tensor([[True, False, True]]), 0.9)
