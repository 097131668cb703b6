"""Chapter 4's figure: one path, the critic's values to drag, λ and γ, and the advantage of every step."""

from collections.abc import Iterable, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import ICONS, LiveFigure, Number
from ppo_helpers.live.fallback import number
from ppo_helpers.live.still import StillPlot

LEGEND = (
    ("live-key-delta", "TD error δ"),
    ("live-key-advantage", "advantage Â"),
    ("live-key-value", "value V: drag it"),
)


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
    gamma = Number(1.0, low=0.5, high=1).tag(sync=True)
    lam = Number(0.95, low=0, high=1).tag(sync=True)
    step = traitlets.Int(0, help="where the walker stands; after the last step, at the end").tag(sync=True)

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
        if not np.isfinite(last_value):
            raise ValueError(f"last_value must be finite, got {last_value}")
        start = {"values": values.tolist(), "gamma": float(gamma), "lam": float(lam)}
        super().__init__(alt=alt, rewards=rewards.tolist(), last_value=float(last_value), **start, initial=start)

    @traitlets.validate("step")
    def _check_step(self, proposal):
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

    def explanation(self) -> str:
        """The TD error and the advantage of the walker's step as sums; at the end, how the path ended."""
        t, n = self.step, _words
        if t == len(self.rewards):
            points = sum(r * self.gamma**k for k, r in enumerate(self.rewards))
            end = (
                f"Cut off here: the critic’s value {n(self.last_value)} stands for what would have followed."
                if self.last_value
                else "The walk has ended: nothing follows."
            )
            return f"From the start, the rewards add up to {n(points)} with discount {n(self.gamma)}.\n{end}"
        deltas, advantages = self.advantages()
        following = [*self.values, self.last_value][t + 1]
        terms = [f"{n(w)}·{_factor(d)}" for w, d in zip(self.weights()[t + 1 :], deltas[t + 1 :], strict=True)]
        total = " + ".join([n(deltas[t]), *terms]) if terms else f"δ{_below(t)}"
        return (
            f"δ{_below(t)} = {n(self.rewards[t])} + {n(self.gamma)}·{_factor(following)} − {_factor(self.values[t])}"
            f" = {n(deltas[t])}\nÂ{_below(t)} = {total} = {n(advantages[t])}"
        )

    def fallback(self) -> str:
        drawing = f"{self._strip()}{self._plot()}"
        long = " live-long" if len(self.rewards) > 7 else ""
        keys = "".join(f'<span class="live-item"><span class="live-key {key}"></span>{w}</span>' for key, w in LEGEND)
        wide, narrow = (1 + -(-(8 + 11 * len(self.rewards)) // room) for room in (62, 36))
        return (
            f'<div class="live-reserve-buttons"></div><div class="live-drawing{long}">{drawing}</div>'
            f'<p class="live-legend">{keys}</p>{"<div class=live-reserve-control></div>" * 2}'
            f'<p class="live-said" style="--wide: {wide}; --narrow: {narrow}">{self.explanation()}</p>'
            f'<div class="live-scroll">{self._table()}</div>'
        )

    def _plot(self) -> str:
        steps = len(self.rewards)
        plot = StillPlot((-0.35, steps + 0.35), (-6, 6), 540, 280)
        plot.frame(range(steps), (-5, 0, 5), "step t", "reward points")
        gap = plot.px(1) - plot.px(0)
        width = min(26, 0.26 * gap)
        for t, pair in enumerate(zip(*self.advantages(), strict=True)):
            for i, value in enumerate(np.clip(pair, -6, 6)):
                middle = t + (min(40, 0.36 * gap) + i * 1.15 * width) / gap
                strength = (1 if t == self.step else 0.45) if i else _strength(self.weights()[t])
                plot.parts.append(f'<g opacity="{strength:.2f}">')
                plot.bar(middle, width, value, "live-advantage" if i else "live-delta")
                plot.parts.append("</g>")
            plot.dot(t, self.values[t])
        return plot.svg(self.alt)

    def _strip(self) -> str:
        """The states, the moves between them and the walker, as advantage_path.js draws them."""
        steps, y = len(self.rewards), 64
        plot = StillPlot((-0.35, steps + 0.35), (-6, 6), 540, 112)
        radius = min(18, (plot.px(1) - plot.px(0)) / 3.2)
        for words, at in (("r", 35), ("V", y + 5), ("(γλ)ᵏ", 106)):
            plot.text(0, at, words, "start")
        for t, (reward, weight) in enumerate(zip(self.rewards, self.weights(), strict=True)):
            shade = _strength(weight)
            start, end = plot.px(t) + radius + 4, plot.px(t + 1) - radius - 6
            plot.parts.append(
                f'<path d="M{start:.1f} {y}H{end:.1f}m-6 -5l6 5l-6 5" class="live-move" opacity="{shade:.2f}"/>'
            )
            plot.text((start + end) / 2, 35, f"{'+' if reward > 0 else ''}{number(reward)}")
            if weight is not None:
                plot.text((start + end) / 2, 106, f"×{_words(weight)}")
                plot.parts[-1] = plot.parts[-1].replace("live-label", "live-label live-weight")
        for t in range(steps + 1):
            words = number(self.values[t]) if t < steps else number(self.last_value) if self.last_value else "end"
            place = (
                f'x="{plot.px(t) - radius:.1f}" y="{y - radius:.1f}" width="{2 * radius:.1f}" height="{2 * radius:.1f}"'
            )
            shape = f'rx="{radius:.1f}" class="live-state"' if t < steps else 'rx="4" class="live-state live-end"'
            plot.parts.append(f"<rect {place} {shape}/>")
            plot.text(plot.px(t), y + 5, words)
        plot.parts.append(
            f'<circle cx="{plot.px(self.step):.1f}" cy="{y}" r="{radius:.1f}" class="live-knob live-here"/>'
        )
        walker = f"translate({plot.px(self.step) - 30:.1f} {y - radius - 47:.1f}) scale(0.6)"
        plot.parts.append(f'<g class="live-walker" transform="{walker}">{ICONS["walker"]}</g>')
        return f'<svg viewBox="0 0 540 112" class="live-strip" aria-hidden="true">{"".join(plot.parts)}</svg>'

    def _table(self) -> str:
        deltas, advantages = self.advantages()
        rows = {
            "step t": range(len(deltas)),
            "reward r": self.rewards,
            "value V": self.values,
            "TD error δ": deltas,
            "weight": self.weights(),
            "advantage Â": advantages,
            "return Â + V": advantages + self.values,
        }
        body = "".join(_row(name, numbers) for name, numbers in rows.items())
        return f'<table class="live-table" style="--steps: {len(deltas)}">{body}</table>'


def _strength(weight: float | None) -> float:
    """How strongly something with this weight is drawn; what lies behind the walker has none."""
    return 0.12 if weight is None else 0.2 + 0.8 * weight


def _row(name: str, numbers: Iterable[float | None]) -> str:
    cells = "".join(f"<td>{'' if v is None else _words(v)}</td>" for v in numbers)
    strong = ' class="live-strong"' if name == "advantage Â" else ""
    return f'<tr{strong}><th scope="row">{name}</th>{cells}</tr>'


def _words(value: float) -> str:
    return number(value, 2)


def _factor(value: float) -> str:
    return f"({_words(value)})" if _words(value).startswith("−") else _words(value)


def _below(t: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(t))
