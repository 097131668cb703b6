"""Experience: B walks of T moves (or B answers of T tokens) in one batch, and the returns and advantages from it."""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from ppo_helpers.networks import PolicyNetwork, ValueNetwork


@dataclass(frozen=True)
class Experience:
    """What a policy did and what came of it, B sequences of T steps."""

    observations: Tensor  # (B, T, ...) what the policy saw
    actions: Tensor  # (B, T) what it did
    logprobs: Tensor  # (B, T) log π_old(a|s), nats
    values: Tensor  # (B, T) V(s) at the time, reward points
    rewards: Tensor  # (B, T) reward points
    dones: Tensor  # (B, T) True where this step ended its walk, by arriving or by being cut off
    mask: Tensor  # (B, T) True for real steps, False for padding and for the idle step of an autoreset
    last_values: Tensor  # (B,) V of the state after the last step, for walks still going on
    final_values: Tensor  # (B, T) V of the state in which a walk was cut off, 0 elsewhere
    action_masks: Tensor | None = None  # (B, T, A) open moves, where the world says

    def advantages(self, gamma: float, lam: float) -> tuple[Tensor, Tensor]:
        """Advantages and returns, (B, T) each, by :func:`gae`."""
        return gae(self.rewards, self.values, self.dones, self.last_values, gamma, lam, self.mask, self.final_values)


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
    bootstrap = torch.as_tensor(bootstrap, dtype=rewards.dtype, device=rewards.device)
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
            value stands where no walk ended, or the mask leaves a walk before its end.

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
        _check_finite(name, tensor)


def _check_vector(name: str, tensor: Tensor, rewards: Tensor) -> None:
    wanted = f"{rewards.dtype} of shape {tuple(rewards.shape[:1])}"
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name} must be a tensor, {wanted}, got {type(tensor).__name__}")
    if tensor.shape != rewards.shape[:1] or tensor.dtype != rewards.dtype:
        raise ValueError(f"{name} must be {wanted}, got {tensor.dtype} {tuple(tensor.shape)}")
    _check_finite(name, tensor)


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


def _check_finite(name: str, tensor: Tensor) -> None:
    wrong = ~torch.isfinite(tensor)
    if wrong.any():
        where = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(f"{name} must be finite, got {tensor[where].item()} at {where}")


class Collector:
    """Walks a policy through Gymnasium's vector environments, T steps of all B at a time.

    The walks go on from one call to the next. Both of Gymnasium's ways to start an ended walk anew are handled: the
    idle step of ``NEXT_STEP`` is masked out, and the last observation of a walk that was cut off is valued, from the
    next observation (``NEXT_STEP``) or from ``infos["final_obs"]`` (``SAME_STEP``).

    Args:
        envs: a vector environment; ``infos["action_mask"]`` (B, A) is respected where it is given.
        policy: gives logits for observations (and action masks).
        value: gives values for observations.
        seed: of the environments' starts and the policy's choices.

    Raises:
        ValueError: if the environment does not say how it starts ended walks anew, or has no discrete actions.
    """

    def __init__(self, envs: VectorEnv, policy: PolicyNetwork, value: ValueNetwork, seed: int = 0):
        self.autoreset = envs.metadata.get("autoreset_mode")
        if self.autoreset not in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            raise ValueError(f"envs must use NEXT_STEP or SAME_STEP autoreset, got {self.autoreset}")
        if not isinstance(envs.single_action_space, gym.spaces.Discrete):
            raise ValueError(f"envs must have discrete actions, got {envs.single_action_space}")
        self.envs, self.policy, self.value = envs, policy, value
        self.device = next(policy.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.observations, self.infos = envs.reset(seed=seed)
        self.ended = np.zeros(envs.num_envs, dtype=bool)

    @torch.no_grad()
    def collect(self, steps: int) -> Experience:
        """Walk on for T = ``steps`` steps.

        Args:
            steps: at least 1.

        Returns:
            The experience, shapes (B, T).

        Raises:
            ValueError: if ``steps`` is below 1.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        shape = (steps, self.envs.num_envs, int(self.envs.single_action_space.n))
        noise = -torch.empty(shape, device=self.device).exponential_(generator=self.generator).log()  # Gumbel
        record = [self._step(noise_now) for noise_now in noise]
        columns = {name: self._tensor(np.stack([row[name] for row in record], axis=1)) for name in record[0]}
        return self._experience(**columns)

    def repeat(self, actions: Tensor) -> None:
        """Take steps that were taken before, to bring freshly reset environments to where they stood.

        Args:
            actions: (B, T) as an :class:`Experience` holds them.
        """
        for now in actions.numpy(force=True).T:
            self._move(now)

    def _move(self, actions: np.ndarray):
        """Step the environments; returns rewards, terminated, truncated."""
        self.observations, rewards, terminated, truncated, self.infos = self.envs.step(actions)
        self.ended = (terminated | truncated) & (self.autoreset == AutoresetMode.NEXT_STEP)
        return rewards, terminated, truncated

    def _step(self, noise: Tensor) -> dict[str, np.ndarray]:
        """One step of all walks; the largest of logits plus Gumbel noise is a draw from their softmax."""
        asleep = self.ended  # these walks only start anew: their action is ignored and the step does not count
        masks = self._action_masks(asleep)
        logits = self.policy(self._tensor(self.observations), masks if masks is None else self._tensor(masks))
        actions = (logits + noise).argmax(dim=-1).numpy(force=True)  # (B,)
        before = self.observations
        rewards, terminated, truncated = self._move(actions)
        step = {
            "observations": before,
            "actions": actions,
            "rewards": rewards.astype(np.float32),
            "dones": terminated | truncated,
            "truncated": truncated & ~terminated,
            "mask": ~asleep,
            "next_observations": self._next_observations(),
        }
        return step if masks is None else step | {"action_masks": masks}

    def _action_masks(self, asleep: np.ndarray) -> np.ndarray | None:
        masks = self.infos.get("action_mask")
        return None if masks is None else np.where(asleep[:, None], 1, masks).astype(bool)

    def _next_observations(self) -> np.ndarray:
        """What each walk saw after its move, before any new start."""
        final = self.infos.get("final_obs")
        if final is None:
            return self.observations
        seen = self.observations.copy()
        ended = self.infos["_final_obs"]
        seen[ended] = np.stack(final[ended])
        return seen

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, device=self.device)

    def _experience(self, observations, actions, rewards, dones, truncated, mask, next_observations, action_masks=None):
        """Score all steps in one pass: V of every state, log π of every action."""
        logits = self.policy(observations, action_masks)  # (B, T, A)
        logprobs = logits.log_softmax(dim=-1).gather(-1, actions[..., None]).squeeze(-1)  # (B, T)
        final_values = torch.zeros_like(rewards)
        if truncated.any():
            final_values[truncated] = self.value(next_observations[truncated])
        return Experience(
            observations=observations,
            actions=actions,
            logprobs=logprobs,
            values=self.value(observations),
            rewards=rewards,
            dones=dones,
            mask=mask,
            last_values=self.value(next_observations[:, -1]),
            final_values=final_values,
            action_masks=action_masks,
        )
