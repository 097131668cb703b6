"""Experience: B sequences of T steps in one batch, walks or texts, and the returns and advantages made from it."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What one update learns from. A row is what can be evaluated alone: a single step (N,), or a whole text (B, T)."""

    inputs: dict[str, Tensor]  # (N, ...) whatever ``evaluate`` needs to see again
    old_logprobs: Tensor  # (N,) or (B, T) log π_old(a|s), nats
    advantages: Tensor  # same shape, reward points, not whitened
    returns: Tensor  # same shape, the critic's targets
    old_values: Tensor  # same shape, V when the batch was collected
    mask: Tensor  # same shape, bool, True where an entry counts
    sampled_logprobs: Tensor | None = None  # same shape, log π as the sampler had it when it drew, if it was kept

    def __len__(self) -> int:
        return len(self.old_logprobs)

    def __getitem__(self, rows: Tensor) -> "Batch":
        """The batch of some rows."""
        return Batch(*(_rows(getattr(self, field.name), rows) for field in fields(self)))


@dataclass(frozen=True)
class Experience:
    """What a policy did and what came of it, B sequences of T steps, whichever world it was in.

    ``inputs`` is what the policy must see to be evaluated again: of a walk every step by itself, of a text all of it.
    """

    inputs: dict[str, Tensor]  # (B, T, ...) per step, or (B, ...) per row where ``whole``
    logprobs: Tensor  # (B, T) log π_old(a|s), nats
    values: Tensor  # (B, T) V(s) at the time, reward points
    rewards: Tensor  # (B, T) reward points
    dones: Tensor  # (B, T) True where this step ended its row: by arriving, by being cut off, or as the last token
    mask: Tensor  # (B, T) True for real steps, False for padding and for the idle step of an autoreset
    last_values: Tensor | None = None  # (B,) V of the state after the last step, for rows still going on; None: 0
    final_values: Tensor | None = None  # (B, T) V of the state in which a walk was cut off, 0 elsewhere; None: 0
    sampled_logprobs: Tensor | None = None  # (B, T) log π as the sampler had it when it drew
    whole: bool = False  # True where a row can only be evaluated as a whole, as a text

    def advantages(self, gamma: float, lam: float) -> tuple[Tensor, Tensor]:
        """Advantages and returns, (B, T) each, by :func:`gae`."""
        last_values = torch.zeros_like(self.rewards[:, 0]) if self.last_values is None else self.last_values
        return gae(self.rewards, self.values, self.dones, last_values, gamma, lam, self.mask, self.final_values)

    def batch(self, gamma: float, lam: float) -> Batch:
        """What an update learns from: returns first, then rows.

        Args:
            gamma: discount per step, in [0, 1].
            lam: λ of the advantages, in [0, 1].

        Returns:
            Rows (N,) of single steps, without those that do not count; or (B, T) of whole texts with their mask.

        Raises:
            ValueError: as :func:`gae`, or if a tensor does not have one entry per step (or row).
        """
        self._check()
        advantages, returns = self.advantages(gamma, lam)
        columns = (self.inputs, self.logprobs, advantages, returns, self.values, self.mask, self.sampled_logprobs)
        rows = slice(None) if self.whole else self.mask  # indexing with the mask flattens (B, T, ...) to (N, ...)
        return Batch(*(_rows(column, rows) for column in columns))

    def _check(self) -> None:
        wanted = self.rewards.shape[:1] if self.whole else self.rewards.shape
        for name, tensor in self.inputs.items():
            if tensor.shape[: len(wanted)] != wanted:
                shape = ", ".join(map(str, wanted))
                raise ValueError(f"inputs[{name!r}] must have shape ({shape}, ...), got {tuple(tensor.shape)}")
            if tensor.device != self.rewards.device:
                raise ValueError(f"inputs[{name!r}] must be on {self.rewards.device} like rewards, got {tensor.device}")
        for name in ("logprobs", "sampled_logprobs"):
            tensor = getattr(self, name)
            if tensor is not None and tensor.shape != self.rewards.shape:
                shape = tuple(self.rewards.shape)
                raise ValueError(f"{name} must have shape {shape} like rewards, got {tuple(tensor.shape)}")


def _rows(column, rows):
    """Some rows of a tensor, of every tensor in a dictionary, or of nothing."""
    if isinstance(column, dict):
        return {name: tensor[rows] for name, tensor in column.items()}
    return None if column is None else column[rows]


def discounted_returns(
    rewards: Tensor,
    dones: Tensor,
    gamma: float,
    bootstrap: Tensor | float = 0.0,
    mask: Tensor | None = None,
    final_values: Tensor | None = None,
) -> Tensor:
    """What each step earned from there on: R_t = r_t + γ R_{t+1}, starting anew after each end of a walk.

    Args:
        rewards: (B, T) reward points.
        dones: (B, T) bool, True where a step ended its walk.
        gamma: discount per step, in [0, 1].
        bootstrap: (B,) or number: value of the state after the last step, for walks still going on.
        mask: (B, T) bool, False for steps that do not count; None if all count.
        final_values: (B, T) value of the state in which a walk was cut off, 0 elsewhere; None if none was.

    Returns:
        (B, T) reward points, 0 where masked.

    Raises:
        ValueError: if a shape or dtype is wrong, a number is not finite, or ``gamma`` is out of range.

    Source:
        Sutton and Barto 2018, eq. 3.9.
    """
    _check_batch(rewards, dones=dones)
    if not isinstance(bootstrap, Tensor):
        bootstrap = torch.as_tensor(bootstrap, device=rewards.device)
    bootstrap = bootstrap.to(rewards.dtype)
    bootstrap = bootstrap.expand(rewards.shape[:1]) if bootstrap.ndim == 0 else bootstrap
    _check_vector("bootstrap", bootstrap, rewards)
    # with λ = 1 and V = 0 the sum of TD errors is the sum of rewards
    _, returns = gae(rewards, torch.zeros_like(rewards), dones, bootstrap, gamma, 1.0, mask, final_values)
    return returns


def gae(
    rewards: Tensor,
    values: Tensor,
    dones: Tensor,
    last_values: Tensor,
    gamma: float,
    lam: float,
    mask: Tensor | None = None,
    final_values: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation: Â_t = δ_t + γλ Â_{t+1}, with δ_t = r_t + γ V(s_{t+1}) − V(s_t).

    The end of a walk cuts the sum. After a walk that arrived nothing follows; a walk that was cut off goes on from the
    value of the state it was cut off in, given in ``final_values``.

    Args:
        rewards: (B, T) reward points.
        values: (B, T) V(s_t), without gradient.
        dones: (B, T) bool, True where a step ended its walk (arrived or cut off).
        last_values: (B,) V of the state after the last step; ignored where the last step ended the walk.
        gamma: discount per step, in [0, 1].
        lam: λ in [0, 1]: 0 trusts the values (TD error), 1 trusts the rewards (return − value).
        mask: (B, T) bool, False for steps that do not count; None if all count.
        final_values: (B, T) V of the state in which a walk was cut off, 0 elsewhere; None if none was.

    Returns:
        advantages (B, T) and returns = advantages + values (B, T), before any whitening, 0 where masked.

    Raises:
        ValueError: if a shape or dtype is wrong, a number is not finite, ``gamma`` or ``lam`` is out of range, a final
            value stands where no walk ended, the mask leaves a walk before its end, or a tensor carries a gradient or
            is on another device.

    Source:
        Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage Estimation", eq. 16.
    """
    _check_batch(rewards, values=values, dones=dones)
    mask = torch.ones_like(dones) if mask is None else mask
    final_values = torch.zeros_like(rewards) if final_values is None else final_values
    _check_batch(rewards, mask=mask, final_values=final_values)
    _check_vector("last_values", last_values, rewards)
    _check_ends(dones, mask, final_values)
    for name, number in (("gamma", gamma), ("lam", lam)):
        if not 0 <= number <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {number}")
    goes_on = (~dones & mask).to(rewards.dtype)  # (B, T)
    next_values = torch.cat([values[:, 1:], last_values[:, None]], dim=1)  # (B, T) V(s_{t+1})
    deltas = (rewards + gamma * (goes_on * next_values + final_values) - values) * mask  # (B, T)
    advantages = _backwards(deltas, gamma * lam * goes_on)
    return advantages, (advantages + values) * mask


def _backwards(deltas: Tensor, decay: Tensor) -> Tensor:
    """a_t = δ_t + decay_t · a_{t+1}, from the last step to the first."""
    result = torch.empty_like(deltas.T)  # (T, B): one step of all walks lies together in memory
    carry = torch.zeros_like(deltas[:, 0])
    for t, (delta, weight) in reversed(list(enumerate(zip(deltas.T.contiguous(), decay.T.contiguous(), strict=True)))):
        carry = torch.addcmul(delta, weight, carry)
        result[t] = carry
    return result.T.contiguous()


def _check_batch(rewards: Tensor, **others: Tensor) -> None:
    for name, tensor in {"rewards": rewards, **others}.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} must be a tensor of shape (B, T), got {type(tensor).__name__}")
    if rewards.ndim != 2 or rewards.shape[1] == 0 or not rewards.is_floating_point():
        raise ValueError(
            f"rewards must be floating point of shape (B, T), T at least 1, got {rewards.dtype} {tuple(rewards.shape)}"
        )
    for name, tensor in others.items():
        if tensor.shape != rewards.shape:
            raise ValueError(f"{name} must have shape {tuple(rewards.shape)} like rewards, got {tuple(tensor.shape)}")
        wanted = torch.bool if name in ("dones", "mask") else rewards.dtype
        if tensor.dtype != wanted:
            raise ValueError(f"{name} must have dtype {wanted}, got {tensor.dtype}")
    for name, tensor in {"rewards": rewards, **others}.items():
        _check_numbers(name, tensor, rewards.device)


def _check_vector(name: str, tensor: Tensor, rewards: Tensor) -> None:
    wanted = f"{rewards.dtype} of shape {tuple(rewards.shape[:1])}"
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name} must be a tensor, {wanted}, got {type(tensor).__name__}")
    if tensor.shape != rewards.shape[:1] or tensor.dtype != rewards.dtype:
        raise ValueError(f"{name} must be {wanted}, got {tensor.dtype} {tuple(tensor.shape)}")
    _check_numbers(name, tensor, rewards.device)


def _check_ends(dones: Tensor, mask: Tensor, final_values: Tensor) -> None:
    """Values of where a walk was cut off belong to steps that end one; padding begins only after such a step."""
    for wrong, words in (
        (final_values.bool() & ~dones, "final_values must be 0 where dones is False, got a value"),
        (
            mask[:, :-1] & ~mask[:, 1:] & ~dones[:, :-1],
            "mask must not turn False after a step that is not done, it does",
        ),
    ):
        if wrong.any():
            raise ValueError(f"{words} at {tuple(wrong.nonzero()[0].tolist())}")


def _check_numbers(name: str, tensor: Tensor, device: torch.device) -> None:
    if tensor.device != device:
        raise ValueError(f"{name} must be on {device} like rewards, got {tensor.device}")
    if tensor.requires_grad:
        raise ValueError(f"{name} must be constants, got a tensor that requires gradients; detach it")
    wrong = ~torch.isfinite(tensor)
    if wrong.any():
        where = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(f"{name} must be finite, got {tensor[where].item()} at {where}")
