"""The objectives of PPO as pure functions: tensors in, tensors out, no grid and no text.

All of them take any shape; a batch of walks and a batch of texts are both (B, T). ``mask`` says which entries count.
"""

import torch
from torch import Tensor


def probability_ratio(logprobs: Tensor, old_logprobs: Tensor) -> Tensor:
    """How much likelier the current policy makes what the old policy did.

    Args:
        logprobs: log π_θ(a|s), any shape, nats.
        old_logprobs: log π_old(a|s), same shape, without gradient.

    Returns:
        π_θ(a|s) / π_old(a|s), same shape.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Schulman et al. 2017, "Proximal Policy Optimization Algorithms", section 3.
    """
    _same_shape(logprobs=logprobs, old_logprobs=old_logprobs)
    return (logprobs - old_logprobs).exp()


def surrogate(ratio: Tensor, advantages: Tensor) -> Tensor:
    """The importance-weighted advantage of each sample, to be maximised; nothing bounds it.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), any shape.
        advantages: same shape, reward points.

    Returns:
        ratio · A, same shape.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Schulman et al. 2017, eq. 6.
    """
    _same_shape(ratio=ratio, advantages=advantages)
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
) -> Tensor:
    """Minus the mean clipped surrogate: what an optimiser that minimises is given.

    Args:
        logprobs: log π_θ(a|s), any shape, nats.
        old_logprobs: log π_old(a|s), same shape, without gradient.
        advantages: same shape, usually whitened.
        clip_eps: half-width ε of the band around 1, in (0, 1); None for the plain surrogate, which has no brake.
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes differ, ``old_logprobs`` carries a gradient, ``clip_eps`` is outside (0, 1) or the
            mask is empty.

    Source:
        Schulman et al. 2017, eq. 7.
    """
    if old_logprobs.requires_grad:
        raise ValueError("old_logprobs must be constants, got a tensor that requires gradients; detach it")
    if mask is not None:  # what stands in the padding, −inf for one, must not reach the gradient
        logprobs, old_logprobs = (_keep(x, mask) for x in (logprobs, old_logprobs))
        advantages = _keep(advantages, mask)
    ratio = probability_ratio(logprobs, old_logprobs)
    objective = surrogate(ratio, advantages) if clip_eps is None else clipped_surrogate(ratio, advantages, clip_eps)
    return -masked_mean(objective, mask)


def value_loss(
    values: Tensor,
    returns: Tensor,
    old_values: Tensor | None = None,
    clip_eps: float | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Mean squared error of the critic, without a factor ½.

    Args:
        values: V_θ(s), any shape, reward points.
        returns: targets, same shape, without gradient.
        old_values: V at the time of the walk, same shape; needed for clipping only.
        clip_eps: how far a value may move from its old one, in reward points; None for no clipping.
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        A scalar: the mean of (V − R)², or with clipping of max((V − R)², (V_old + clip(V − V_old, −ε, ε) − R)²).

    Raises:
        ValueError: if the shapes differ, only one of ``old_values`` and ``clip_eps`` is given, or ``clip_eps`` ≤ 0.

    Source:
        The plain form: Schulman et al. 2017, eq. 9. The clipped form is not in the paper; it comes from the authors'
        code (Huang et al. 2022, "The 37 Implementation Details of Proximal Policy Optimization", detail 9).
    """
    if (old_values is None) != (clip_eps is None):
        raise ValueError("old_values and clip_eps belong together: give both, or neither")
    _same_shape(values=values, returns=returns)
    if mask is not None:  # as in policy_loss
        values, returns = _keep(values, mask), _keep(returns, mask)
    errors = (values - returns) ** 2
    if clip_eps is not None:
        if clip_eps <= 0:
            raise ValueError(f"clip_eps must be positive, got {clip_eps}")
        _same_shape(values=values, old_values=old_values)
        old_values = old_values if mask is None else _keep(old_values, mask)
        near = old_values + (values - old_values).clamp(-clip_eps, clip_eps)
        errors = torch.maximum(errors, (near - returns) ** 2)
    return masked_mean(errors, mask)


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
        ValueError: if the shapes differ.

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
        ValueError: if the shapes differ.

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
        (r − 1) − log r with r = π_ref / π, same shape, nats.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Schulman 2020, "Approximating KL Divergence", k3.
    """
    log_ratio = _log_ratio(logprobs, ref_logprobs)
    return log_ratio.expm1() - log_ratio


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
    _check_clip_eps(clip_eps)
    outside = (ratio < 1 - clip_eps) | (ratio > 1 + clip_eps)
    return masked_mean(outside.to(ratio.dtype), mask)


def masked_mean(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over the entries that count.

    Args:
        x: any shape.
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        A scalar.

    Raises:
        ValueError: if the mask has another shape or dtype, or nothing counts.
    """
    if mask is None:
        return x.mean()
    total = _keep(x, mask).sum()
    if not mask.any():
        raise ValueError("mask must leave at least one entry, got none")
    return total / mask.sum()


def whiten(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Shift and scale to mean 0 and standard deviation 1 over the entries that count.

    Whiten advantages only, and only after the returns were made from them: returns keep their scale.

    Args:
        x: any shape.
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        (x − mean) / standard deviation, same shape, 0 where masked. If all entries are equal, all are 0.

    Raises:
        ValueError: if the mask has another shape or dtype, or nothing counts.

    Source:
        Huang et al. 2022, "The 37 Implementation Details of Proximal Policy Optimization", detail 7, which
        whitens each minibatch by itself; here the caller says over what.
    """
    centred = x - masked_mean(x, mask)
    spread = masked_mean(centred**2, mask).sqrt()
    # equal entries differ from their mean by rounding only: that must not be blown up to size 1
    scaled = centred / spread.clamp(min=1e-8)
    return scaled if mask is None else _keep(scaled, mask)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much of the variance of the returns the critic knew beforehand.

    Args:
        values: predictions, any shape, reward points.
        returns: what came, same shape.
        mask: same shape, bool, True where an entry counts; None if all count.

    Returns:
        1 − Var(returns − values) / Var(returns), a scalar: 1 is perfect, 0 no better than a constant, negative worse;
        NaN if the returns do not vary.

    Raises:
        ValueError: if the shapes differ, or nothing counts.
    """
    _same_shape(values=values, returns=returns)
    left, total = (masked_mean((x - masked_mean(x, mask)) ** 2, mask) for x in (returns - values, returns))
    return torch.where(total > 0, 1 - left / total, torch.nan)


def _log_ratio(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """log r = log π_ref − log π, the sign that all three estimators share."""
    _same_shape(logprobs=logprobs, ref_logprobs=ref_logprobs)
    return ref_logprobs - logprobs


def _keep(x: Tensor, mask: Tensor) -> Tensor:
    """0 where masked; unlike a product with the mask this also removes NaN and inf."""
    if mask.shape != x.shape or mask.dtype != torch.bool:
        raise ValueError(f"mask must be bool of shape {tuple(x.shape)}, got {mask.dtype} {tuple(mask.shape)}")
    return x.masked_fill(~mask, 0)


def _same_shape(**pair: Tensor) -> None:
    (first, x), (second, y) = pair.items()
    if x.shape != y.shape:  # (B, 1) beside (B, T) would broadcast, without a word
        raise ValueError(f"{second} must have shape {tuple(x.shape)} like {first}, got {tuple(y.shape)}")


def _check_clip_eps(clip_eps: float) -> None:
    if not 0 < clip_eps < 1:
        raise ValueError(f"clip_eps must be in (0, 1), got {clip_eps}")
