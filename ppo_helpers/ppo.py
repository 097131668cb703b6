"""PPO itself: several clipped steps on one batch. Nothing here knows of grids or text.

``ppo_update`` needs a batch and a function that evaluates it again. Where both come from is the business of
``walking`` and of ``language``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf, nan
from numbers import Integral, Real

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ppo_helpers.experience import Batch
from ppo_helpers.objectives import (
    explained_variance,
    kl_k3,
    masked_mean,
    outside_band,
    policy_loss,
    probability_ratio,
    value_loss,
    whiten,
)


@dataclass(frozen=True)
class PPOConfig:
    """The numbers of PPO that every world needs.

    Raises:
        ValueError: if a number is out of its range.
    """

    iterations: int = 100
    """batches of experience, each followed by one update"""
    epochs: int = 4
    """times an update goes through its batch"""
    minibatch_size: int = 256
    """rows of the batch per optimiser step, at most: the batch is cut into parts of equal size"""
    gamma: float = 0.99
    """discount per step"""
    lam: float = 0.95
    """λ of the advantages"""
    clip_eps: float | None = 0.2
    """half-width ε of the band around ratio 1; None for no clipping"""
    learning_rate: float = 3e-4
    """of Adam"""
    vf_coef: float = 0.5
    """weight of the value loss, which has no factor ½: elsewhere the same dial means half as much"""
    ent_coef: float = 0.0
    """weight of the entropy bonus"""
    max_grad_norm: float | None = 0.5
    """longer gradients are shortened to this; None for never"""
    whiten_advantages: bool = True
    """shift and scale the advantages of a batch to mean 0 and standard deviation 1"""
    value_clip_eps: float | None = None
    """how far a value may move per update, in reward points; None for any distance"""
    target_kl: float | None = None
    """end the update when a minibatch's approximate KL, nats, is above this; None for never"""
    anneal_lr: bool = False
    """let the learning rate fall in a straight line to 0 over the iterations"""
    anneal_clip: bool = False
    """let ε fall in a straight line to 0 over the iterations"""

    def __post_init__(self):
        for name in ("iterations", "epochs", "minibatch_size"):
            self._whole(name)
        for name in ("gamma", "lam"):
            self._require(name, self._is_number(name) and 0 <= getattr(self, name) <= 1, "in [0, 1]")
        for name in ("learning_rate", "vf_coef", "ent_coef"):
            fine = self._is_number(name) and 0 <= getattr(self, name) < inf
            self._require(name, fine, "finite and not negative")
        for name in ("max_grad_norm", "value_clip_eps", "target_kl"):
            fine = getattr(self, name) is None or (self._is_number(name) and getattr(self, name) > 0)
            self._require(name, fine, "positive or None")
        fine = self.clip_eps is None or (self._is_number("clip_eps") and 0 < self.clip_eps < 1)
        self._require("clip_eps", fine, "in (0, 1) or None")
        for name in ("whiten_advantages", "anneal_lr", "anneal_clip"):
            self._require(name, isinstance(getattr(self, name), bool), "True or False")

    def at(self, done: int) -> "PPOConfig":
        """The numbers of the iteration that follows ``done`` others, learning rate and ε annealed where asked.

        Args:
            done: iterations before it, from 0.

        Returns:
            The configuration of that iteration.

        Raises:
            ValueError: if something is annealed and the iterations are over.
        """
        if not (self.anneal_lr or self.anneal_clip):
            return self
        left = 1 - done / self.iterations
        if left <= 0:
            raise ValueError(f"iterations must be above {done} to go on: what is annealed has reached 0 there")
        learning_rate = self.learning_rate * left if self.anneal_lr else self.learning_rate
        clip_eps = self.clip_eps * left if self.anneal_clip and self.clip_eps else self.clip_eps
        return replace(self, learning_rate=learning_rate, clip_eps=clip_eps)

    def _whole(self, name: str) -> None:
        value = getattr(self, name)
        fine = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
        self._require(name, fine, "a whole number of at least 1")

    def _is_number(self, name: str) -> bool:
        value = getattr(self, name)
        return isinstance(value, Real) and not isinstance(value, bool)

    def _require(self, name: str, fine: bool, wanted: str) -> None:
        if not fine:
            raise ValueError(f"{name} must be {wanted}, got {getattr(self, name)!r}")


def whole_seed(seed: int) -> int:
    """A seed that every source of random numbers takes.

    Raises:
        ValueError: if it is no whole number of at least 0 and below 2⁶³.
    """
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, got {seed!r}")
    if seed >= 2**63:
        raise ValueError(f"seed must be below 2⁶³, which is all that a generator takes, got {seed!r}")
    return int(seed)


@dataclass(frozen=True)
class PPOStats:
    """How one update went. Means are over entries that count, and over all processes where there are several.

    All are measured before an optimiser step, so the last step is in none of them. Of an empty batch all are NaN.
    """

    policy_loss: float
    """mean over the whole update; only its gradient means something: it need not fall while the policy learns"""
    value_loss: float
    """mean over the whole update, squared reward points"""
    entropy: float
    """mean over the whole update, nats; if ``evaluate`` gives none, the mean of −log π_old over the batch"""
    grad_norm: float
    """mean length of the gradient before it was shortened"""
    approx_kl: float
    """KL(π_old‖π_θ) by k3, mean over the last epoch, nats"""
    clip_fraction: float
    """share of ratios outside the band (1 ± 0.2 if nothing is clipped), mean over the last epoch"""
    max_ratio: float
    """the largest ratio seen"""
    first_ratio_error: float
    """largest |ratio − 1| of the whole batch before the first step: 0 up to rounding, or the old log-probs are not
    those of this policy. The old log-probs come from the scorer, so a sampler that differs from it stays unseen"""
    sampler_error: float
    """largest |π_old / π_drawn − 1|, the scorer against what the sampler kept at the draw: what the number above
    cannot see; NaN if nothing was kept"""
    explained_variance: float
    """share of the returns' variance that the critic knew before the update"""
    optimizer_steps: int
    """how many there were; fewer than epochs × minibatches if ``target_kl`` ended the update"""


Evaluation = tuple[Tensor, Tensor, Tensor | None]  # log-probs, values, entropies, each in the shape of old_logprobs
Evaluate = Callable[[Batch], Evaluation]
NOTHING = PPOStats(*[nan] * 10, optimizer_steps=0)  # an update on an empty batch


def ppo_update(
    evaluate: Evaluate,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    config: PPOConfig,
    generator: torch.Generator | None = None,
    micro_batch: int | None = None,
) -> PPOStats:
    """Several epochs of clipped steps on one batch, all against the same π_old.

    Where ``torch.distributed`` is initialised, the processes train one policy: each brings its part of the batch and
    evaluates it with a model that averages gradients over them (``DistributedDataParallel``). Whitening, means,
    statistics and the early stop are then taken over all parts.

    Args:
        evaluate: gives ``logprobs, values, entropy`` of a minibatch under the current networks, each in the shape of
            its ``old_logprobs``, with gradients. The entropy may be None if ``ent_coef`` is 0. If a minibatch is less
            than the batch, it is first asked for all of it, without gradients, to see that every ratio is 1.
        batch: what π_old did. Its returns are made already, so whitening the advantages here cannot touch them. Rows in
            which nothing counts are left out; if none is left, nothing happens.
        optimizer: over all parameters that ``evaluate`` uses.
        config: epochs, minibatch size, coefficients.
        generator: for the order of the rows, on the batch's device.
        micro_batch: rows that are evaluated at a time, at most; their gradients add up to the minibatch's. None for
            whole minibatches.

    Returns:
        The statistics of the update.

    Raises:
        ValueError: if ``evaluate`` returns other shapes, or no entropy although a bonus is paid for it,
            ``micro_batch`` is below 1, or the generator is on another device.

    Source:
        Schulman et al. 2017, algorithm 1.
    """
    if generator is not None and generator.device.type != batch.mask.device.type:
        raise ValueError(f"generator must be on {batch.mask.device} like the batch, got {generator.device}")
    batch = batch[batch.mask if batch.mask.ndim == 1 else batch.mask.any(dim=1)]
    parts, pieces = _cuts(batch, config.minibatch_size, micro_batch)
    if parts == 0:
        return NOTHING
    explained = explained_variance(batch.old_values, batch.returns, batch.mask, _total)
    before = _before(evaluate, batch, parts * pieces) if parts > 1 else None  # the only minibatch tells it itself
    sampler = _highest(_sampler_error(batch))
    if config.whiten_advantages:
        batch = replace(batch, advantages=whiten(batch.advantages, batch.mask, _total))
    measured, grad_norms = [], []
    for epoch, rows in _shuffled(batch, config.epochs, parts, generator):
        sums = _accumulate(evaluate, batch[rows], optimizer, config, pieces)
        measured.append((epoch, sums))
        if config.target_kl is not None and not sums["approx_kl"] / sums["count"] <= config.target_kl:
            break  # NaN stops it too; the sums are those of all processes: they stop together
        grad_norms.append(_step(optimizer, config.max_grad_norm))
    first = measured[0][1]["ratio_error"] if before is None else before
    return _stats(measured, grad_norms, torch.stack([first, sampler, explained]))


def _cuts(batch: Batch, minibatch_size: int, micro_batch: int | None) -> tuple[int, int]:
    """How many minibatches an epoch has, and how many pieces a minibatch: the same numbers in every process."""
    if micro_batch is not None and (not isinstance(micro_batch, Integral) or micro_batch < 1):
        raise ValueError(f"micro_batch must be a whole number of at least 1 or None, got {micro_batch!r}")
    rows = torch.tensor([len(batch), -len(batch)], device=batch.mask.device)
    most, fewest = (abs(n) for n in _highest(rows).tolist())
    parts = min(-(-most // minibatch_size), fewest)
    if parts == 0:
        return 0, 0
    largest, smallest = -(-most // parts), fewest // parts  # rows of a minibatch
    pieces = -(-largest // (micro_batch or largest))
    return parts, pieces if _processes() == 1 else min(pieces, smallest)


def _shuffled(batch: Batch, epochs: int, parts: int, generator: torch.Generator | None) -> Iterator[tuple[int, Tensor]]:
    """The rows of each minibatch, epoch after epoch, cut into parts of equal size: no step is made from a scrap."""
    for epoch in range(epochs):
        order = torch.randperm(len(batch), generator=generator, device=batch.mask.device)
        for rows in order.tensor_split(parts):
            yield epoch, rows


def _in_order(batch: Batch, pieces: int) -> Iterator[Batch]:
    if pieces == 1:
        yield batch
    else:
        rows = torch.arange(len(batch), device=batch.mask.device)
        yield from (batch[some] for some in rows.tensor_split(min(pieces, len(batch))))


def _accumulate(
    evaluate: Evaluate, batch: Batch, optimizer: torch.optim.Optimizer, config: PPOConfig, pieces: int
) -> dict[str, Tensor]:
    """The gradient of a minibatch's loss, piece by piece; returns sums over what counts, of all processes."""
    optimizer.zero_grad()
    count = _total(batch.mask.sum())
    share = count / _processes()  # gradients are averaged over the processes, sums are not
    rows = []
    for piece in _in_order(batch, pieces):
        loss, sums = _loss(evaluate, piece, config, share)
        loss.backward()
        rows.append(torch.stack([*sums.values()]))
    table = torch.stack(rows)  # (pieces, statistics), what is a maximum last
    added, largest = _total(table[:, :-2].sum(dim=0)), _highest(table[:, -2:].amax(dim=0))
    return dict(zip(sums, (*added, *largest), strict=True)) | {"count": count}


def _loss(evaluate: Evaluate, batch: Batch, config: PPOConfig, count: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """A piece's share in the loss of its minibatch of ``count`` entries, and what is worth knowing, as sums."""
    logprobs, values, entropies = _evaluated(evaluate, batch)
    mask = batch.mask if batch.mask.ndim > 1 else None  # of single steps, all that are left count
    pi_loss = policy_loss(logprobs, batch.old_logprobs, batch.advantages, config.clip_eps, mask, count)
    old_values = None if config.value_clip_eps is None else batch.old_values
    v_loss = value_loss(values, batch.returns, old_values, config.value_clip_eps, mask, count)
    loss = pi_loss + config.vf_coef * v_loss
    if config.ent_coef and entropies is None:
        raise ValueError(f"evaluate must return entropies for ent_coef = {config.ent_coef}, got None")
    undecided = masked_mean(-batch.old_logprobs if entropies is None else entropies, mask, count)
    if config.ent_coef:
        loss = loss - config.ent_coef * undecided
    shares = {"policy_loss": pi_loss, "value_loss": v_loss, "entropy": undecided}
    sums = {name: share.detach() * count for name, share in shares.items()}
    return loss, sums | _ratio_sums(logprobs.detach(), batch, config.clip_eps)


def _evaluated(evaluate: Evaluate, batch: Batch) -> Evaluation:
    logprobs, values, entropies = evaluate(batch)
    wanted = tuple(batch.old_logprobs.shape)
    for name, tensor in (("logprobs", logprobs), ("values", values), ("entropy", entropies)):
        got = tuple(tensor.shape) if isinstance(tensor, Tensor) else tensor
        if got != wanted and not (name == "entropy" and got is None):
            raise ValueError(f"evaluate must return {name} of shape {wanted}, got {got}")
    return logprobs, values, entropies


def _ratio_sums(logprobs: Tensor, batch: Batch, clip_eps: float | None) -> dict[str, Tensor]:
    """Sums over what counts, without a boolean index, for which a GPU would have to wait."""
    logprobs, old_logprobs = (x.masked_fill(~batch.mask, 0) for x in (logprobs, batch.old_logprobs))  # padding: ratio 1
    ratio = probability_ratio(logprobs, old_logprobs)
    return {
        "approx_kl": kl_k3(old_logprobs, logprobs).sum(),  # the samples come from π_old
        "clip_fraction": outside_band(ratio, clip_eps or 0.2).sum(),
        "max_ratio": ratio.masked_fill(~batch.mask, 0).max(),
        "ratio_error": (ratio - 1).abs().max(),
    }


def _step(optimizer: torch.optim.Optimizer, max_grad_norm: float | None) -> Tensor:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    grad_norm = nn.utils.clip_grad_norm_(parameters, inf if max_grad_norm is None else max_grad_norm)
    optimizer.step()
    return grad_norm


@torch.no_grad()
def _before(evaluate: Evaluate, batch: Batch, pieces: int) -> Tensor:
    """How far the ratios of the whole batch are from 1 before any step."""
    again = torch.cat([_evaluated(evaluate, piece)[0] for piece in _in_order(batch, pieces)])
    return _highest(_ratio_error(again, batch.old_logprobs, batch.mask))


def _sampler_error(batch: Batch) -> Tensor:
    """How far the scorer's probabilities are from those that the sampler kept, as ratios."""
    drawn = batch.sampled_logprobs
    if drawn is None:
        return torch.full_like(batch.returns.sum(), nan)
    return _ratio_error(batch.old_logprobs, drawn, batch.mask)


def _ratio_error(logprobs: Tensor, old_logprobs: Tensor, mask: Tensor) -> Tensor:
    return (probability_ratio(logprobs, old_logprobs) - 1).abs().masked_fill(~mask, 0).max()


def _stats(measured: list[tuple[int, dict[str, Tensor]]], grad_norms: list[Tensor], about_batch: Tensor) -> PPOStats:
    """Means over what counts, from what the steps wrote down; a GPU is waited for here and not at every step."""
    table = torch.stack([torch.stack([*sums.values()]) for _, sums in measured]).tolist()
    rows = [dict(zip(measured[0][1], row, strict=True)) for row in table]
    last = [row for row, (epoch, _) in zip(rows, measured, strict=True) if epoch == measured[-1][0]]
    first_error, sampler_error, explained = about_batch.tolist()
    return PPOStats(
        policy_loss=_mean("policy_loss", rows),
        value_loss=_mean("value_loss", rows),
        entropy=_mean("entropy", rows),
        grad_norm=torch.stack(grad_norms).mean().item() if grad_norms else nan,
        approx_kl=_mean("approx_kl", last),
        clip_fraction=_mean("clip_fraction", last),
        max_ratio=torch.stack([sums["max_ratio"] for _, sums in measured]).max().item(),  # Python's max loses a NaN
        first_ratio_error=first_error,
        sampler_error=sampler_error,
        explained_variance=explained,
        optimizer_steps=len(grad_norms),
    )


def _mean(name: str, rows: list[dict[str, float]]) -> float:
    return sum(row[name] for row in rows) / sum(row["count"] for row in rows)


# --- several processes ----------------------------------------------------------------------------------------------


def _processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _total(tensor: Tensor) -> Tensor:
    """The sum over all processes; the tensor itself where there is one."""
    return _reduced(tensor, "SUM")


def _highest(tensor: Tensor) -> Tensor:
    return _reduced(tensor, "MAX")


def _reduced(tensor: Tensor, how: str) -> Tensor:
    if _processes() == 1:
        return tensor
    tensor = tensor.clone()
    dist.all_reduce(tensor, getattr(dist.ReduceOp, how))
    return tensor
