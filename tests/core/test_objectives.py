"""The objectives against hand computation, an independent NumPy float64 implementation, and exact expectations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ppo_helpers import objectives
from ppo_helpers.objectives import (
    chosen_logprobs,
    clip_fraction,
    clipped_surrogate,
    entropy,
    explained_variance,
    kl_k1,
    kl_k2,
    kl_k3,
    masked_mean,
    outside_band,
    policy_loss,
    probability_ratio,
    surrogate,
    value_loss,
    whiten,
)

RATIOS = torch.tensor([1.72, 0.84, 1.21, 1.43, 0.82], dtype=torch.double)
ADVANTAGES = torch.tensor([0.8, -0.5, 0.3, 0.6, -0.9], dtype=torch.double)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_the_five_examples_to_the_digit():
    expected = torch.tensor([0.96, -0.42, 0.36, 0.72, -0.738], dtype=torch.double)
    torch.testing.assert_close(clipped_surrogate(RATIOS, ADVANTAGES, 0.2), expected, rtol=0, atol=1e-12)
    logprobs = RATIOS.log().requires_grad_()
    loss = policy_loss(logprobs, torch.zeros_like(RATIOS), ADVANTAGES, 0.2)
    loss.backward()
    assert loss.item() == pytest.approx(-0.1764, abs=1e-12)
    assert logprobs.grad.tolist() == pytest.approx([0, 0.084, 0, 0, 0.1476], abs=1e-12)


@pytest.mark.parametrize(
    ("advantage", "ratio", "gradient"),
    [(1, 0.5, 1), (1, 1, 1), (1, 1.5, 0), (-1, 0.5, 0), (-1, 1, -1), (-1, 1.5, -1)],
)
def test_the_six_cases(advantage, ratio, gradient):
    r = torch.tensor(float(ratio), requires_grad=True)
    clipped_surrogate(r, torch.tensor(float(advantage)), 0.2).backward()
    assert r.grad.item() == gradient


def test_at_ratio_one_the_gradient_is_that_of_the_policy_gradient():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=generator, dtype=torch.double).requires_grad_()
    actions = torch.randint(4, (50, 1), generator=generator)
    advantages = torch.randn(50, generator=generator, dtype=torch.double)
    logprobs = logits.log_softmax(dim=-1).gather(-1, actions).squeeze(-1)
    gradients = [
        torch.autograd.grad(loss, logits, retain_graph=True)[0]
        for loss in (
            -(advantages * logprobs).mean(),
            -surrogate(probability_ratio(logprobs, logprobs.detach()), advantages).mean(),
            policy_loss(logprobs, logprobs.detach(), advantages, 0.2),
        )
    ]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(gradients[2], gradients[0], rtol=0, atol=1e-12)


def test_a_clipped_value_loss_by_hand():
    values, returns, old = (torch.tensor([x]) for x in (3.0, 5.0, 1.0))
    assert value_loss(values, returns).item() == 4.0
    assert value_loss(values, returns, old, clip_eps=0.5).item() == 12.25  # (1 + 0.5 − 5)² is the larger one
    assert value_loss(values, torch.tensor([1.0]), old, clip_eps=0.5).item() == 4.0  # here the plain error is


def test_entropy_by_hand_and_with_blocked_actions():
    assert entropy(torch.zeros(4)).item() == pytest.approx(np.log(4))
    blocked = torch.tensor([[0.3, -torch.inf, 0.3, -torch.inf], [-torch.inf, 2.0, -torch.inf, -torch.inf]])
    blocked.requires_grad_()
    assert entropy(blocked).tolist() == pytest.approx([np.log(2), 0.0])
    entropy(blocked).sum().backward()
    assert torch.isfinite(blocked.grad).all()


def test_whitening_by_hand_and_returns_untouched():
    x = torch.tensor([1.0, 2.0, 3.0, 99.0])
    mask = torch.tensor([True, True, True, False])
    torch.testing.assert_close(whiten(x, mask), torch.tensor([-(1.5**0.5), 0.0, 1.5**0.5, 0.0]))
    assert x.tolist() == [1.0, 2.0, 3.0, 99.0]
    assert whiten(torch.full((5,), 0.1)).abs().max() == 0


def test_explained_variance_by_hand():
    returns = torch.tensor([1.0, 2.0, 3.0])
    assert explained_variance(returns, returns).item() == 1.0
    assert explained_variance(torch.ones(3), returns).item() == 0.0
    assert explained_variance(-returns, returns).item() == -3.0
    assert explained_variance(returns, torch.ones(3)).isnan()


def test_clip_fraction_counts_both_sides():
    ratio = torch.tensor([0.5, 0.79, 0.81, 1.0, 1.19, 1.21, 3.0, 7.0])
    assert clip_fraction(ratio, 0.2).item() == 5 / 8
    assert clip_fraction(ratio, 0.2, ratio < 5).item() == pytest.approx(4 / 7)


def test_log_probs_of_what_was_chosen_by_hand():
    logits = torch.tensor([[[0.0, 1.0, 2.0], [3.0, 3.0, -torch.inf]]])
    found = chosen_logprobs(logits, torch.tensor([[2, 0]], dtype=torch.int32))
    assert found.tolist()[0] == pytest.approx([2 - np.log(1 + np.e + np.e**2), -np.log(2)])
    assert chosen_logprobs(logits, torch.tensor([[2, 2]]))[0, 1] == -torch.inf


def test_the_band_is_open_at_its_edges():
    ratio = torch.tensor([0.5, 0.75, 1.0, 1.25, 1.5])
    assert outside_band(ratio, 0.25).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("advantage", "gradient"), [(1.0, 0.0), (-1.0, 1.0)])
def test_a_ratio_that_would_overflow_poisons_nothing(dtype, advantage, gradient):
    """Beyond the band A > 0 gives no push at all, A < 0 a finite one back: the sign of the gradient is what counts."""
    logprobs = torch.tensor([-1.0, -1.0], dtype=dtype, requires_grad=True)
    old = torch.tensor([-101.0, -1.0], dtype=dtype)
    policy_loss(logprobs, old, torch.tensor([advantage, 1.0], dtype=dtype)).backward()
    assert torch.isfinite(logprobs.grad).all()
    assert logprobs.grad[0].sign() == gradient and logprobs.grad[1] == -0.5
    estimate = torch.tensor([-101.0], dtype=dtype, requires_grad=True)
    kl_k3(estimate, torch.tensor([-1.0], dtype=dtype)).sum().backward()
    assert torch.isfinite(estimate.grad).all() and estimate.grad < 0


def test_ratios_are_exact_up_to_the_bound_and_never_above_it():
    logprobs = torch.tensor([0.0, 3.0, 19.9, 20.1, 500.0, -500.0], dtype=torch.double)
    ratio = probability_ratio(logprobs, torch.zeros(6, dtype=torch.double))
    torch.testing.assert_close(ratio[:3], logprobs[:3].exp(), rtol=1e-15, atol=0)
    torch.testing.assert_close(ratio[3:5], torch.full((2,), 20.0, dtype=torch.double).exp(), rtol=1e-12, atol=0)
    assert ratio[5] == np.exp(-500)
    half = probability_ratio(torch.tensor([100.0], dtype=torch.float16), torch.zeros(1, dtype=torch.float16))
    assert half.item() == pytest.approx(65504**0.5, rel=0.03)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 3.3, -2.7, 1000.1, 1e-4, 0.0])
def test_equal_entries_are_equal_whatever_they_are(value, dtype):
    """The mean of equal entries is off by rounding; blown up to size 1, that would be a push out of nothing."""
    for n in (1, 2, 3, 7, 20, 256, 905, 1000, 1024, 5000):
        x = torch.full((n,), value, dtype=dtype)
        assert (whiten(x) == 0).all(), (n, value)
        mask = torch.arange(n) % 3 == 0
        assert (whiten(x.where(mask, 77.0), mask) == 0).all()
        critic = x.float() + 0.01 * torch.randn(n)
        assert explained_variance(critic, x.float()).isnan()


def test_what_differs_by_more_than_rounding_is_whitened_at_any_size():
    for dtype, offset in ((torch.float32, 1e4), (torch.float64, 1e9), (torch.float32, 0.0)):
        x = torch.tensor([offset, offset + 1, offset + 2, offset + 3], dtype=dtype)
        wanted = torch.tensor([-3.0, -1, 1, 3], dtype=dtype) / 5**0.5
        torch.testing.assert_close(whiten(x), wanted, rtol=1e-4, atol=0)
    assert whiten(torch.tensor([1.0, 3.0], dtype=torch.float16)).dtype == torch.float16
    small = torch.tensor([0.0, 1e-9])  # below the floor of 1e-8: not blown up to size 1
    assert whiten(small).tolist() == pytest.approx([-0.05, 0.05])


def test_parts_that_share_a_count_add_up_to_the_whole():
    generator = torch.Generator().manual_seed(0)
    logprobs, old, advantages, values, returns = torch.randn(5, 6, 4, generator=generator)
    mask = torch.rand(6, 4, generator=generator) < 0.6
    count = mask.sum()
    for loss in (
        lambda r: policy_loss(logprobs[r], old[r], advantages[r], 0.2, mask[r], None if r == slice(None) else count),
        lambda r: value_loss(values[r], returns[r], old[r], 0.3, mask[r], None if r == slice(None) else count),
        lambda r: masked_mean(values[r], mask[r], None if r == slice(None) else count),
    ):
        torch.testing.assert_close(loss(slice(0, 1)) + loss(slice(1, 6)), loss(slice(None)))
    nothing = torch.zeros(1, 4, dtype=torch.bool)
    assert masked_mean(values[:1], nothing, count) == 0  # a part in which nothing counts adds nothing


def test_moments_are_taken_over_all_processes():
    """Where another process holds the same entries once more, every sum is twice as large and nothing else changes."""
    x, values = torch.randn(2, 7, generator=torch.Generator().manual_seed(0), dtype=torch.double) * 3 + 5
    torch.testing.assert_close(whiten(x, total=lambda part: 2 * part), whiten(x))
    both = explained_variance(values, x, total=lambda part: 2 * part)
    torch.testing.assert_close(both, explained_variance(values, x))


def test_what_is_left_out_is_what_the_paper_takes():
    """ε = 0.2 everywhere, and a mask that lets all entries count."""
    ratio, advantages = torch.tensor([0.7, 0.85, 1.1, 1.25, 3.0]), torch.tensor([1.0, -1, 1, 1, -1])
    logprobs, old = ratio.log(), torch.zeros(5)
    assert torch.equal(clipped_surrogate(ratio, advantages), clipped_surrogate(ratio, advantages, 0.2))
    assert torch.equal(policy_loss(logprobs, old, advantages), policy_loss(logprobs, old, advantages, 0.2))
    assert outside_band(ratio).tolist() == [True, False, False, True, True] and clip_fraction(ratio) == pytest.approx(
        0.6
    )
    assert clip_fraction(ratio.double()).dtype == torch.double


# --- against NumPy --------------------------------------------------------------------------------------------------


def numpy_policy_loss(logprobs, old_logprobs, advantages, eps, mask):
    """In the form of a loss: the maximum of two losses, entry by entry."""
    losses = []
    for lp, old, a, counts in zip(*(x.ravel() for x in (logprobs, old_logprobs, advantages, mask)), strict=True):
        ratio = np.exp(lp - old)
        if counts:
            losses.append(max(-a * ratio, -a * min(max(ratio, 1 - eps), 1 + eps)))
    return np.mean(losses)


def numpy_value_loss(values, returns, old_values, eps, mask):
    near = np.clip(values, old_values - eps, old_values + eps)
    return np.maximum((values - returns) ** 2, (near - returns) ** 2)[mask].mean()


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), st.floats(0.01, 0.99), st.booleans())
def test_losses_equal_numpy_on_random_batches(seed, eps, masked):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 6)), int(rng.integers(1, 9)))
    logprobs, old, advantages, values, returns, old_values = rng.normal(size=(6, *shape))
    mask = rng.random(shape) < 0.6 if masked else np.ones(shape, dtype=bool)
    mask[0, 0] = True
    tensors = [torch.tensor(x) for x in (logprobs, old, advantages, values, returns, old_values)]
    given_mask = torch.tensor(mask) if masked else None
    loss = policy_loss(*tensors[:3], eps, given_mask)
    assert loss.item() == pytest.approx(numpy_policy_loss(logprobs, old, advantages, eps, mask), abs=1e-12)
    loss = policy_loss(*tensors[:3], None, given_mask)
    assert loss.item() == pytest.approx(-(np.exp(logprobs - old) * advantages)[mask].mean(), abs=1e-12)
    loss = value_loss(*tensors[3:], clip_eps=eps, mask=given_mask)
    assert loss.item() == pytest.approx(numpy_value_loss(values, returns, old_values, eps, mask), abs=1e-12)
    assert value_loss(*tensors[3:5], mask=given_mask).item() == pytest.approx(((values - returns) ** 2)[mask].mean())
    white = (advantages - advantages[mask].mean()) / max(advantages[mask].std(), 1e-8) * mask
    np.testing.assert_allclose(whiten(tensors[2], given_mask).numpy(), white, atol=1e-9)
    explained = 1 - (returns - values)[mask].var() / returns[mask].var() if mask.sum() > 1 else np.nan
    assert explained_variance(tensors[3], tensors[4], given_mask).item() == pytest.approx(explained, nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.01, 4), st.floats(-3, 3), st.floats(0.05, 0.9))
def test_the_clipped_surrogate_is_never_above_the_plain_one(ratio, advantage, eps):
    r, a = torch.tensor(ratio, dtype=torch.double), torch.tensor(advantage, dtype=torch.double)
    assert clipped_surrogate(r, a, eps) <= surrogate(r, a)


def test_what_stands_in_the_padding_reaches_neither_loss_nor_gradient():
    mask = torch.tensor([[True, True, False]])
    logprobs = torch.tensor([[-1.0, -2.0, -torch.inf]], requires_grad=True)
    old = torch.tensor([[-1.1, -1.9, -torch.inf]])
    advantages = torch.tensor([[1.0, 2.0, torch.nan]])
    policy_loss(logprobs, old, advantages, 0.2, mask).backward()
    short = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    policy_loss(short, old[:, :2], advantages[:, :2], 0.2).backward()
    torch.testing.assert_close(logprobs.grad[:, :2], short.grad)
    assert logprobs.grad[0, 2] == 0
    for clip in ({}, {"old_values": advantages, "clip_eps": 0.5}):
        values = torch.tensor([[1.0, 2.0, torch.inf]], requires_grad=True)
        value_loss(values, torch.tensor([[0.0, 4.0, torch.nan]]), mask=mask, **clip).backward()
        assert values.grad.tolist() == [[1.0, -2.0, 0.0]]


# --- estimators of KL -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_k1_and_k3_are_exact_on_average_and_k2_is_near(seed):
    """The expectation is a finite sum here: no samples, no tolerance for them."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, generator=generator, dtype=torch.double)
    ref_logits = logits + 0.1 * torch.randn(6, generator=generator, dtype=torch.double)
    logprobs, ref_logprobs = logits.log_softmax(-1), ref_logits.log_softmax(-1)
    exact = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=logits), torch.distributions.Categorical(logits=ref_logits)
    )
    means = {k: (logprobs.exp() * k(logprobs, ref_logprobs)).sum() for k in (kl_k1, kl_k2, kl_k3)}
    torch.testing.assert_close(means[kl_k1], exact, rtol=1e-10, atol=0)
    torch.testing.assert_close(means[kl_k3], exact, rtol=1e-10, atol=0)
    torch.testing.assert_close(means[kl_k2], exact, rtol=0.15, atol=0)
    assert (kl_k3(logprobs, ref_logprobs) >= 0).all() and (kl_k1(logprobs, ref_logprobs) < 0).any()


# --- bad input ------------------------------------------------------------------------------------------------------

X, Y, NONE = torch.zeros(2, 3), torch.zeros(2, 1), torch.zeros(2, 3, dtype=torch.bool)
GRAD, META = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, 3, device="meta")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: probability_ratio(X, Y), r"old_logprobs must have shape \(2, 3\) like logprobs, got \(2, 1\)"),
        (lambda: surrogate(X, Y), r"advantages must have shape \(2, 3\) like ratio, got \(2, 1\)"),
        (lambda: clipped_surrogate(X, X, 1.3), r"clip_eps must be in \(0, 1\), got 1.3"),
        (lambda: clipped_surrogate(X, X, 0.0), r"clip_eps must be in \(0, 1\), got 0.0"),
        (lambda: clipped_surrogate(X, Y, 0.2), r"advantages must have shape \(2, 3\)"),
        (lambda: clip_fraction(X, -0.1), r"clip_eps must be in \(0, 1\), got -0.1"),
        (lambda: policy_loss(X, X, Y), r"advantages must have shape"),
        (lambda: policy_loss(X, X, X, mask=NONE), "mask must leave at least one entry"),
        (lambda: policy_loss(X, X, X, mask=X), r"mask must be bool of shape \(2, 3\), got torch.float32"),
        (lambda: policy_loss(X, X.clone().requires_grad_(), X), "old_logprobs must be constants"),
        (lambda: value_loss(X, Y), r"returns must have shape \(2, 3\) like values"),
        (lambda: value_loss(X, X, X), "old_values and clip_eps belong together"),
        (lambda: value_loss(X, X, clip_eps=0.2), "old_values and clip_eps belong together"),
        (lambda: value_loss(X, X, Y, 0.2), r"old_values must have shape \(2, 3\) like values"),
        (lambda: value_loss(X, X, X, -1.0), "clip_eps must be positive, got -1.0"),
        (lambda: masked_mean(X, NONE[:, :1]), r"mask must be bool of shape \(2, 3\), got torch.bool \(2, 1\)"),
        (lambda: whiten(X, NONE), "mask must leave at least one entry"),
        (lambda: kl_k1(X, Y), "ref_logprobs must have shape"),
        (lambda: kl_k2(X, Y), "ref_logprobs must have shape"),
        (lambda: kl_k3(X, Y), "ref_logprobs must have shape"),
        (lambda: explained_variance(X, Y), "returns must have shape"),
        (lambda: explained_variance(X, X, NONE), "mask must leave at least one entry"),
        (lambda: probability_ratio(X, GRAD), "old_logprobs must be constants"),
        (lambda: policy_loss(X, X, GRAD), "advantages must be constants, got a tensor that requires gradients"),
        (lambda: value_loss(X, GRAD), "returns must be constants"),
        (lambda: value_loss(X, X, GRAD, 0.2), "old_values must be constants"),
        (lambda: policy_loss(X, META, X), "old_logprobs must be on cpu like logprobs, got meta"),
        (lambda: policy_loss(X, X, META), "advantages must be on cpu like logprobs, got meta"),
        (lambda: value_loss(X, META), "returns must be on cpu like values, got meta"),
        (lambda: masked_mean(X, NONE.to("meta")), "mask must be on cpu like what it masks, got meta"),
        (lambda: masked_mean(X[:0]), "mask must leave at least one entry"),
        (lambda: value_loss(X, X, X, float("nan")), "clip_eps must be positive, got nan"),
        (lambda: chosen_logprobs(X, META[:, 0].long()), "actions must be on cpu like logits, got meta"),
        (lambda: outside_band(X, 1.0), r"clip_eps must be in \(0, 1\), got 1.0"),
        (
            lambda: chosen_logprobs(X, torch.zeros(3).long()),
            r"actions must be whole numbers of shape \(2,\), got .*\(3,\)",
        ),
        (
            lambda: chosen_logprobs(X, torch.zeros(2)),
            r"actions must be whole numbers of shape \(2,\), got torch.float32",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_function_names_its_source_or_says_what_it_returns():
    for name, function in vars(objectives).items():
        if callable(function) and function.__module__ == objectives.__name__ and not name.startswith("_"):
            assert "Returns:" in function.__doc__, name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_means_of_half_precision_do_not_overflow(dtype):
    many = torch.full((300, 300), 2.0, dtype=dtype)
    assert masked_mean(100 * many).item() == pytest.approx(200)
    assert masked_mean(100 * many, many > 1).item() == pytest.approx(200)
    assert clip_fraction(many).item() == 1
    assert value_loss(6 * many, 0 * many).item() == pytest.approx(144)


def test_actions_are_numbers_and_no_truths():
    with pytest.raises(ValueError, match=r"actions must be whole numbers of shape \(2,\), got torch.bool"):
        chosen_logprobs(torch.zeros(2, 2), torch.tensor([True, False]))
