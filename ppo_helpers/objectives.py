"""The objectives of PPO as pure functions: tensors in, tensors out, no grid and no text.

All of them take any shape; a batch of walks and a batch of texts are both (B, T). ``mask`` says which entries count.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

LARGEST = 20.0  # log-ratios above this are cut: e²⁰ is 485 million, and its square still fits into float32


def chosen_logprobs(logits: Tensor, actions: Tensor) -> Tensor:
    """log π of what was done: the softmax of all scores, read at one place.

    Args:
        logits: (..., A) scores of all actions: moves of a walker, or tokens of a vocabulary.
        actions: (...) whole numbers, the action that was taken.

    Returns:
        (...) nats: logit − log Σ e^logits. The softmax of the others is never made.

    Raises:
        ValueError: if ``actions`` does not have one number for each row of scores, or is on another device.
    """
    if actions.shape != logits.shape[:-1] or actions.is_floating_point() or actions.dtype == torch.bool:
        wanted, got = tuple(logits.shape[:-1]), tuple(actions.shape)
        raise ValueError(f"actions must be whole numbers of shape {wanted}, got {actions.dtype} {got}")
    _alike(logits=logits[..., 0], actions=actions)
    chosen = logits.gather(-1, actions.long().unsqueeze(-1)).squeeze(-1)
    return chosen - logits.logsumexp(dim=-1)


def probability_ratio(logprobs: Tensor, old_logprobs: Tensor) -> Tensor:
    """How much likelier the current policy makes what the old policy did.

    Args:
        logprobs: log π_θ(a|s), any shape, nats.
        old_logprobs: log π_old(a|s), same shape, without gradient.

    Returns:
        π_θ(a|s) / π_old(a|s), same shape, at most e²⁰: a larger one would overflow, and 0 · ∞ poison the gradient.

    Raises:
        ValueError: if shapes or devices differ, or ``old_logprobs`` carries a gradient.

    Source:
        Schulman et al. 2017, "Proximal Policy Optimization Algorithms", section 3.
    """
    _alike(logprobs=logprobs, old_logprobs=old_logprobs)
    _constant(old_logprobs=old_logprobs)
    return _bounded(logprobs - old_logprobs).exp()


def surrogate(ratio: Tensor, advantages: Tensor) -> Tensor:
    """The importance-weighted advantage of each sample, to be maximised; nothing bounds it.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), any shape.
        advantages: same shape, reward points.

    Returns:
        ratio · A, same shape.

    Raises:
        ValueError: if shapes or devices differ.

    Source:
        Schulman et al. 2017, eq. 6.
    """
    _alike(ratio=ratio, advantages=advantages)
    return ratio * advantages


def clipped_surrogate(ratio: Tensor, advantages: Tensor, clip_eps: float = 0.2) -> Tensor:
    """PPO's pessimistic objective of each sample, to be maximised.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), any shape.
        advantages: same shape, reward points.
        clip_eps: half-width ε of the band around 1, in (0, 1).

    Returns:
        min(ratio · A, clip(ratio, 1 − ε, 1 + ε) · A), same shape.

    Raises:
        ValueError: if the shapes differ or ``clip_eps`` is outside (0, 1).

    Source:
        Schulman et al. 2017, eq. 7.
    """
    _check_clip_eps(clip_eps)
    clipped = ratio.clamp(1 - clip_eps, 1 + clip_eps)
    return torch.minimum(surrogate(ratio, advantages), surrogate(clipped, advantages))


def policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    clip_eps: float | None = 0.2,
    mask: Tensor | None = None,
    count: Tensor | None = None,
) -> Tensor:
    """Minus the mean clipped surrogate: what an optimiser that minimises is given.

    Args:
        logprobs: log π_θ(a|s), any shape, nats.
        old_logprobs: log π_old(a|s), same shape, without gradient.
        advantages: same shape, without gradient, usually whitened.
        clip_eps: half-width ε of the band around 1, in (0, 1); None for the plain surrogate, which has no brake.
        mask: same shape, bool, True where an entry counts; None if all count.
        count: what the sum is divided by, as in :func:`masked_mean`.

    Returns:
        A scalar.

    Raises:
        ValueError: if shapes or devices differ, ``old_logprobs`` or ``advantages`` carries a gradient, ``clip_eps`` is
            outside (0, 1) or the mask is empty.

    Source:
        Schulman et al. 2017, eq. 7.
    """
    _constant(old_logprobs=old_logprobs, advantages=advantages)  # 1 − V would train the critic through the actor's loss
    _alike(logprobs=logprobs, old_logprobs=old_logprobs, advantages=advantages)
    if mask is not None:  # what stands in the padding, −inf for one, must not reach the gradient
        logprobs, old_logprobs = (_keep(x, mask) for x in (logprobs, old_logprobs))
        advantages = _keep(advantages, mask)
    ratio = probability_ratio(logprobs, old_logprobs)
    objective = surrogate(ratio, advantages) if clip_eps is None else clipped_surrogate(ratio, advantages, clip_eps)
    return -masked_mean(objective, mask, count)


def value_loss(
    values: Tensor,
    returns: Tensor,
    old_values: Tensor | None = None,
    clip_eps: float | None = None,
    mask: Tensor | None = None,
    count: Tensor | None = None,
) -> Tensor:
    """Mean squared error of the critic, without a factor ½.

    Args:
        values: V_θ(s), any shape, reward points.
        returns: targets, same shape, without gradient.
        old_values: V at the time of the walk, same shape, without gradient; needed for clipping only.
        clip_eps: how far a value may move from its old one, in reward points; None for no clipping.
        mask: same shape, bool, True where an entry counts; None if all count.
        count: what the sum is divided by, as in :func:`masked_mean`.

    Returns:
        A scalar: the mean of (V − R)², or with clipping of max((V − R)², (V_old + clip(V − V_old, −ε, ε) − R)²).

    Raises:
        ValueError: if shapes or devices differ, ``returns`` or ``old_values`` carries a gradient, only one of
            ``old_values`` and ``clip_eps`` is given, ``clip_eps`` ≤ 0 or the mask is empty.

    Source:
        The plain form: Schulman et al. 2017, eq. 9. The clipped form is not in the paper; it comes from the authors'
        code (Huang et al. 2022, "The 37 Implementation Details of Proximal Policy Optimization", detail 9).
    """
    if (old_values is None) != (clip_eps is None):
        raise ValueError("old_values and clip_eps belong together: give both, or neither")
    if clip_eps is not None and not clip_eps > 0:
        raise ValueError(f"clip_eps must be positive, got {clip_eps}")
    old_values = returns if old_values is None else old_values
    _constant(returns=returns, old_values=old_values)
    _alike(values=values, returns=returns, old_values=old_values)
    if mask is not None:  # as in policy_loss
        values, returns, old_values = (_keep(x, mask) for x in (values, returns, old_values))
    errors = (values - returns) ** 2
    if clip_eps is not None:
        near = old_values + (values - old_values).clamp(-clip_eps, clip_eps)
        errors = torch.maximum(errors, (near - returns) ** 2)
    return masked_mean(errors, mask, count)


def entropy(logits: Tensor) -> Tensor:
    """How undecided a policy is; −Σ p log p, where a blocked action (logit −inf) adds nothing.

    Args:
        logits: (..., A).

    Returns:
        (...) nats, between 0 and log A.

    Source:
        Williams and Peng 1991, "Function Optimization Using Connectionist Reinforcement Learning Algorithms".
    """
    logprobs = logits.log_softmax(dim=-1)
    finite = logprobs.clamp(min=torch.finfo(logprobs.dtype).min)  # 0 · −inf is NaN, 0 · (−3·10³⁸) is 0
    return -(logprobs.exp() * finite).sum(dim=-1)


def kl_k1(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """An estimate of KL(π‖π_ref) from samples of π: right on average, can be negative.

    Args:
        logprobs: log π of the samples, any shape, nats. The samples come from π.
        ref_logprobs: log π_ref of the same samples, same shape.

    Returns:
        log π − log π_ref, same shape, nats.

    Raises:
        ValueError: if shapes or devices differ.

    Source:
        Schulman 2020, "Approximating KL Divergence", k1.
    """
    return -_log_ratio(logprobs, ref_logprobs)


def kl_k2(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """An estimate of KL(π‖π_ref) from samples of π: never negative, a little off on average.

    Args:
        logprobs: log π of the samples, any shape, nats. The samples come from π.
        ref_logprobs: log π_ref of the same samples, same shape.

    Returns:
        ½ (log π_ref − log π)², same shape, nats.

    Raises:
        ValueError: if shapes or devices differ.

    Source:
        Schulman 2020, "Approximating KL Divergence", k2.
    """
    return _log_ratio(logprobs, ref_logprobs) ** 2 / 2


def kl_k3(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """An estimate of KL(π‖π_ref) from samples of π: right on average and never negative.

    Args:
        logprobs: log π of the samples, any shape, nats. The samples come from π.
        ref_logprobs: log π_ref of the same samples, same shape.

    Returns:
        (r − 1) − log r with r = π_ref / π, same shape, nats; r is at most e²⁰, as a ratio is (e^5.5 in float16, whose
        gradient could not hold more: far beyond it the estimate turns negative).

    Raises:
        ValueError: if shapes or devices differ.

    Source:
        Schulman 2020, "Approximating KL Divergence", k3.
    """
    log_ratio = _log_ratio(logprobs, ref_logprobs)
    return _bounded(log_ratio).expm1() - log_ratio


def clip_fraction(ratio: Tensor, clip_eps: float = 0.2, mask: Tensor | None = None) -> Tensor:
    """Share of the samples whose ratio has left the band, on either side and for either sign of the advantage.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), any shape.
        clip_eps: half-width ε of the band around 1, in (0, 1).
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        A scalar in [0, 1].

    Raises:
        ValueError: if ``clip_eps`` is outside (0, 1) or the mask is empty.
    """
    return masked_mean(outside_band(ratio, clip_eps).to(ratio.dtype), mask)


def outside_band(ratio: Tensor, clip_eps: float = 0.2) -> Tensor:
    """Which ratios have left the band.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), any shape.
        clip_eps: half-width ε of the band around 1, in (0, 1).

    Returns:
        Bool, same shape: True below 1 − ε and above 1 + ε.

    Raises:
        ValueError: if ``clip_eps`` is outside (0, 1).
    """
    _check_clip_eps(clip_eps)
    return (ratio < 1 - clip_eps) | (ratio > 1 + clip_eps)


def masked_mean(x: Tensor, mask: Tensor | None = None, count: Tensor | None = None) -> Tensor:
    """Mean over the entries that count.

    Args:
        x: any shape.
        mask: same shape, bool, True where an entry counts; None if all count.
        count: divide the sum by this instead of by the number of entries that count. Given the count of a whole
            minibatch, the "means" of its micro-batches add up to its mean.

    Returns:
        A scalar.

    Raises:
        ValueError: if the mask has another shape, dtype or device, or nothing counts.
    """
    x = x if mask is None else _keep(x, mask)
    total = x.sum(dtype=torch.promote_types(x.dtype, torch.float32))  # a sum of half precision soon overflows
    if count is not None:
        return total / count
    if x.numel() == 0 or (mask is not None and not mask.any()):
        raise ValueError("mask must leave at least one entry, got none")
    return total / (x.numel() if mask is None else mask.sum())


def whiten(x: Tensor, mask: Tensor | None = None, total: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Shift and scale to mean 0 and standard deviation 1 over the entries that count.

    Whiten advantages only, and only after the returns were made from them: returns keep their scale.

    Args:
        x: floating point, any shape.
        mask: same shape, bool, True where an entry counts; None if all count.
        total: adds a sum up over the processes of a distributed training; None where there is one process.

    Returns:
        (x − mean) / standard deviation, same shape and dtype, 0 where masked. If the entries that count differ by
        rounding only, all are 0.

    Raises:
        ValueError: if the mask has another shape, dtype or device, or nothing counts.

    Source:
        Huang et al. 2022, "The 37 Implementation Details of Proximal Policy Optimization", detail 7, which
        whitens each minibatch by itself; here the caller says over what.
    """
    centred, spread = _centred(x, mask, total)
    scaled = torch.where(spread > 0, centred / spread.clamp(min=1e-8), 0).to(x.dtype)
    return scaled if mask is None else _keep(scaled, mask)


def explained_variance(
    values: Tensor, returns: Tensor, mask: Tensor | None = None, total: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """How much of the variance of the returns the critic knew beforehand.

    Args:
        values: predictions, any shape, reward points.
        returns: what came, same shape.
        mask: same shape, bool, True where an entry counts; None if all count.
        total: as in :func:`whiten`.

    Returns:
        1 − Var(returns − values) / Var(returns), a scalar: 1 is perfect up to a constant, 0 no better than a constant,
        negative worse; NaN if the returns do not vary beyond rounding.

    Raises:
        ValueError: if shapes or devices differ, or nothing counts.
    """
    _alike(values=values, returns=returns)
    (_, left), (_, whole) = (_centred(x, mask, total) for x in (returns - values, returns))
    return torch.where(whole > 0, 1 - (left / whole) ** 2, torch.nan)


def _centred(x: Tensor, mask: Tensor | None, total: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor]:
    """x minus its mean, and its standard deviation: exactly 0 if the entries differ by rounding only."""
    total = total or (lambda part: part)
    mask = torch.ones_like(x, dtype=torch.bool) if mask is None else mask
    x = _keep(x, mask).to(torch.promote_types(x.dtype, torch.float32))
    count = total(mask.sum())
    if not count:
        raise ValueError("mask must leave at least one entry, got none")
    size = (total((x**2).sum()) / count).sqrt()
    centred = x
    for _ in range(2):  # the mean is rounded: of equal entries the first pass leaves an ulp, the second takes it away
        centred = _keep(centred - total(_keep(centred, mask).sum()) / count, mask)
    spread = (total((centred**2).sum()) / count).sqrt()
    return centred, torch.where(spread > 2 * torch.finfo(x.dtype).eps * size, spread, 0)


def _log_ratio(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """log r = log π_ref − log π, the sign that all three estimators share."""
    _alike(logprobs=logprobs, ref_logprobs=ref_logprobs)
    return ref_logprobs - logprobs


def _bounded(log_ratio: Tensor) -> Tensor:
    """Log-ratios that exp can take; the gradient is that of the log-ratio itself, so a huge ratio can still fall."""
    largest = min(LARGEST, math.log(torch.finfo(log_ratio.dtype).max) / 2)
    return torch.where(log_ratio > largest, log_ratio - (log_ratio.detach() - largest), log_ratio)


def _keep(x: Tensor, mask: Tensor) -> Tensor:
    """0 where masked; unlike a product with the mask this also removes NaN and inf."""
    if mask.shape != x.shape or mask.dtype != torch.bool:
        raise ValueError(f"mask must be bool of shape {tuple(x.shape)}, got {mask.dtype} {tuple(mask.shape)}")
    if mask.device != x.device:
        raise ValueError(f"mask must be on {x.device} like what it masks, got {mask.device}")
    return x.masked_fill(~mask, 0)


def _alike(**tensors: Tensor) -> None:
    (first, x), *others = tensors.items()
    for name, y in others:
        if x.shape != y.shape:  # (B, 1) beside (B, T) would broadcast, without a word
            raise ValueError(f"{name} must have shape {tuple(x.shape)} like {first}, got {tuple(y.shape)}")
        if x.device != y.device:
            raise ValueError(f"{name} must be on {x.device} like {first}, got {y.device}")


def _constant(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if tensor.requires_grad:
            raise ValueError(f"{name} must be constants, got a tensor that requires gradients; detach it")


def _check_clip_eps(clip_eps: float) -> None:
    if not 0 < clip_eps < 1:
        raise ValueError(f"clip_eps must be in (0, 1), got {clip_eps}")
