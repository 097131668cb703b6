"""Chapter 4's figure: one path, the critic's values to drag, λ and γ, and the advantage of every step."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, named_svg


class AdvantagePath(LiveFigure):
    """Walk a path, drag its values, set λ and γ; see the TD errors, their weights and the advantages.

    Args:
        rewards: (T,) reward of each step, in [−5, 5].
        values: (T,) the critic's value of the state at each step, in [−5, 5].
        last_value: value of the state after the last step; 0 if the path ended there.
        gamma: discount per step, in [0.5, 1].
        lam: λ in [0, 1].
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if an argument is out of range or the lengths differ.
    """

    _js = ("plot.js", "grips.js", "gae.js", "advantage_path.js")
    rewards = traitlets.List().tag(sync=True)
    values = traitlets.List().tag(sync=True)
    initial = traitlets.Dict(help="what Reset brings back").tag(sync=True)
    last_value = traitlets.Float(0.0).tag(sync=True)
    gamma = traitlets.Float(1.0).tag(sync=True)
    lam = traitlets.Float(0.95).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        rewards: Sequence[float],
        values: Sequence[float],
        *,
        last_value: float = 0.0,
        gamma: float = 1.0,
        lam: float = 0.95,
        alt: str,
    ):
        rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
        if rewards.ndim != 1 or not 1 <= len(rewards) <= 12 or values.shape != rewards.shape:
            raise ValueError(
                f"rewards and values must be equally long, 1 to 12 steps, got {rewards.shape} and {values.shape}"
            )
        for name, numbers in (("rewards", rewards), ("values", values)):
            if not (np.abs(numbers) <= 5).all():
                raise ValueError(f"{name} must lie in [−5, 5], got {numbers.tolist()}")
        if not 0.5 <= gamma <= 1:
            raise ValueError(f"gamma must be in [0.5, 1], got {gamma}")
        if not 0 <= lam <= 1:
            raise ValueError(f"lam must be in [0, 1], got {lam}")
        if not np.isfinite(last_value):
            raise ValueError(f"last_value must be finite, got {last_value}")
        start = {"values": values.tolist(), "gamma": float(gamma), "lam": float(lam)}
        super().__init__(alt=alt, rewards=rewards.tolist(), last_value=float(last_value), initial=start, **start)

    def advantages(self) -> tuple[np.ndarray, np.ndarray]:
        """TD errors δ_t and advantages Â_t of the path as it stands, (T,) each, in NumPy."""
        following = np.append(self.values[1:], self.last_value)
        deltas = np.array(self.rewards) + self.gamma * following - np.array(self.values)
        advantages = deltas.copy()
        for t in reversed(range(len(deltas) - 1)):
            advantages[t] += self.gamma * self.lam * advantages[t + 1]
        return deltas, advantages

    def fallback(self) -> str:
        width, height, middle, unit = 540, 300, 143, 19.5
        bars = [f'<path d="M46 {middle}H526" stroke="currentColor"/>']
        for t, pair in enumerate(zip(*self.advantages(), strict=True)):
            for i, value in enumerate(np.clip(pair, -6, 6)):
                x = 46 + 480 * (t + 0.6 + (0.2 if i else -0.2)) / (len(self.rewards) + 0.2) - 14
                top, cls = middle - unit * max(value, 0), "live-advantage" if i else "live-delta"
                bars.append(
                    f'<rect x="{x:.1f}" y="{top:.1f}" width="28" height="{unit * abs(value):.1f}" class="{cls}"/>'
                )
        above = '<div class="live-reserve-control"></div>' * 3 + '<div class="live-reserve-walk"></div>'
        return f'{above}{named_svg("".join(bars), width, height, self.alt)}<div class="live-reserve-path"></div>'
