"""Chapter 4's figure: one path, the critic's values to drag, λ and γ, and the advantage of every step."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number


class AdvantagePath(LiveFigure):
    """Drag the critic's values on a path, move λ and γ; see the TD errors and the advantage that they add up to.

    Args:
        rewards: (T,) reward of each step, in [−5, 5].
        values: (T,) the critic's value of the state at each step, in [−5, 5].
        last_value: value of the state after the last step; 0 if the path ended there.
        gamma: discount per step, in [0.5, 1].
        lam: λ in [0, 1].
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if an argument is out of range or the lengths differ.
    """

    rewards = traitlets.List().tag(sync=True)
    values = traitlets.List().tag(sync=True)
    last_value = traitlets.Float(0.0).tag(sync=True, linked=True)
    gamma = Number(1.0, low=0.5, high=1).tag(sync=True, linked=True)
    lam = Number(0.95, low=0, high=1).tag(sync=True, linked=True)
    step = traitlets.Int(0, help="where the walker stands; after the last step, at the end").tag(sync=True, linked=True)

    def __init__(
        self,
        rewards: Sequence[float],
        values: Sequence[float],
        *,
        last_value: float = 0.0,
        gamma: float = 1.0,
        lam: float = 0.95,
        alt: str,
        caption: str,
    ):
        rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
        if rewards.ndim != 1 or not 1 <= len(rewards) <= 12 or values.shape != rewards.shape:
            raise ValueError(
                f"rewards and values must be equally long, 1 to 12 steps, got {rewards.shape} and {values.shape}"
            )
        for name, numbers in (("rewards", rewards), ("values", values)):
            if not (np.abs(numbers) <= 5).all():  # NaN is refused as well
                raise ValueError(f"{name} must lie in [−5, 5], got {numbers.tolist()}")
        if not np.isfinite(last_value):
            raise ValueError(f"last_value must be finite, got {last_value}")
        path = {"rewards": rewards.tolist(), "values": values.tolist(), "last_value": float(last_value)}
        super().__init__(alt=alt, caption=caption, gamma=float(gamma), lam=float(lam), **path)

    @traitlets.validate("step")
    def _check_step(self, proposal) -> int:
        if not 0 <= proposal["value"] <= len(self.rewards):
            raise ValueError(f"step must be in 0 … {len(self.rewards)}, got {proposal['value']}")
        return proposal["value"]

    def advantages(self) -> tuple[np.ndarray, np.ndarray]:
        """TD errors δ_t and advantages Â_t of the path as it stands, (T,) each, in NumPy."""
        following = np.append(self.values[1:], self.last_value)
        deltas = np.array(self.rewards) + self.gamma * following - np.array(self.values)
        advantages = deltas.copy()
        for t in reversed(range(len(deltas) - 1)):
            advantages[t] += self.gamma * self.lam * advantages[t + 1]
        return deltas, advantages

    def weights(self) -> list[float | None]:
        """What each TD error counts in the advantage of the walker's step: (γλ)^k k steps ahead, None behind it."""
        steps_ahead = [t - self.step for t in range(len(self.rewards))]
        return [(self.gamma * self.lam) ** k if k >= 0 else None for k in steps_ahead]
