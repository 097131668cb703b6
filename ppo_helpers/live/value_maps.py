"""Chapter 3's figure: a value network's predictions while it trains, beside the truth."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure
from ppo_helpers.live.fallback import GAP, number, value_color, world_svg
from ppo_helpers.live.still import StillPlot


class ValueMaps(LiveFigure):
    """Scrub through the training of a value network on a fraction of the cells.

    Args:
        world: the world.
        truth: (S,) true values.
        fractions: (F,) the fractions of cells visited, in (0, 1].
        visited: F sequences with the numbers of the visited states.
        steps: (K,) training steps at which predictions were kept, increasing.
        frames: (F, K, S) predicted values, kept to three decimals.
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if a shape does not fit, a number is not finite or out of range, or the steps do not increase.
    """

    _js = ("gridworld.js", "grid_view.js", "plot.js", "grips.js", "value_maps.js")
    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    truth = traitlets.List().tag(sync=True)
    fractions = traitlets.List().tag(sync=True)
    visited = traitlets.List().tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    frames = traitlets.List().tag(sync=True)
    scale = traitlets.Float(1.0, help="values are divided by this before they are coloured").tag(sync=True)
    fraction = traitlets.Int(0).tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        world: GridWorld,
        truth: Sequence[float],
        fractions: Sequence[float],
        visited: Sequence[Sequence[int]],
        steps: Sequence[int],
        frames: np.ndarray,
        *,
        alt: str,
    ):
        truth, frames = np.asarray(truth, dtype=float), np.asarray(frames, dtype=float)
        fractions, steps = [float(f) for f in fractions], [int(k) for k in steps]
        visited = [[int(s) for s in states] for states in visited]
        states = len(world.states)
        if not fractions or not all(0 < f <= 1 for f in fractions):
            raise ValueError(f"fractions must be numbers in (0, 1], at least one, got {fractions}")
        if not steps or any(later <= earlier for earlier, later in pairwise(steps)):
            raise ValueError(f"steps must increase, at least one, got {steps}")
        wanted = (len(fractions), len(steps), states)
        if frames.shape != wanted:
            raise ValueError(f"frames must have shape (fractions, steps, states) = {wanted}, got {frames.shape}")
        if truth.shape != (states,):
            raise ValueError(f"truth must have {states} numbers, one for each state, got shape {truth.shape}")
        if len(visited) != len(fractions):
            raise ValueError(f"visited must have {len(fractions)} entries, one for each fraction, got {len(visited)}")
        if not all(0 <= s < states for of_fraction in visited for s in of_fraction):
            raise ValueError(f"visited must hold numbers of states, 0 … {states - 1}, got {visited}")
        for name, numbers in (("truth", truth), ("frames", frames)):
            if not np.isfinite(numbers).all():
                raise ValueError(f"{name} must be finite, got NaN or infinity")
        super().__init__(
            alt=alt,
            text=world.to_text(),
            rewards=world.rewards,
            truth=truth.round(3).tolist(),
            fractions=fractions,
            visited=visited,
            steps=steps,
            frames=frames.round(3).tolist(),
            scale=max(float(np.abs(truth).max()) / 5, 1e-9),
            frame=len(steps) - 1,
        )

    def errors(self) -> np.ndarray:
        """Root mean square errors of all predictions, (F, 2, K): on visited cells, on unseen ones; NaN without any."""
        missed = (np.array(self.frames) - np.array(self.truth)) ** 2  # (F, K, S)
        seen = np.array([np.isin(np.arange(missed.shape[-1]), states) for states in self.visited])  # (F, S)
        return np.array(
            [
                [m[:, which].mean(axis=1) ** 0.5 if which.any() else np.full(len(m), np.nan) for which in (s, ~s)]
                for m, s in zip(missed, seen, strict=True)
            ]
        )

    def fallback(self) -> str:
        world = GridWorld.from_text(self.text, rewards=self.rewards)
        predicted, truth = np.array(self.frames[self.fraction][self.frame]), np.array(self.truth)
        first, second = (
            world_svg(world, f"{self.alt} {name} values.", values / self.scale, numbers=False)
            for name, values in (("Predicted", predicted), ("True", truth))
        )
        first = first.replace("</svg>", f"{self._dots(world)}</svg>")
        maps = "".join(
            f'<div class="live-map"><p class="live-caption">{caption}</p>{drawing}</div>'
            for caption, drawing in (("predicted; dots are the visited cells", first), ("true", second))
        )
        colors = ", ".join(value_color(v) for v in (-5, -2.5, 0, 2.5, 5))
        ramp = f"background: linear-gradient(to right, {colors})"
        low, high, (row, col) = number(-5 * self.scale), number(5 * self.scale), world.states[0]
        seen = ", visited" if 0 in self.visited[self.fraction] else ""
        return (
            f'{"<div class=live-reserve-control></div>" * 2}<div class="live-reserve-buttons"></div>'
            f'<div class="live-pair">{maps}</div>'
            f'<p class="live-ramp">value {low}<span style="{ramp}"></span>{high}</p>'
            f'<p class="live-said" style="--wide: 1; --narrow: 2">Row {row}, column {col}{seen}: '
            f"predicted {number(predicted[0])}, true {number(truth[0])}.</p>{self._numbers()}{self._curves()}"
        )

    def _dots(self, world: GridWorld) -> str:
        """Marks on the visited cells, in the units of world_svg."""
        cells = [world.states[s] for s in self.visited[self.fraction]]
        place = "cx='{}' cy='{}' r='13' class='live-dot'"
        return "".join(
            f"<circle {place.format(GAP + c * (100 + GAP) + 50, GAP + r * (100 + GAP) + 50)}/>" for r, c in cells
        )

    def _numbers(self) -> str:
        names, now = ("error on visited cells", "error on unseen cells"), self.errors()[self.fraction, :, self.frame]
        shown = ["–" if np.isnan(error) else number(error, 2) for error in now]
        key = '<span class="live-key live-key-error-{}"></span> '
        facts = [
            f"<div><dt>{key.format(i)}{n}</dt><dd>{e}</dd></div>"
            for i, (n, e) in enumerate(zip(names, shown, strict=True))
        ]
        return f'<dl class="live-numbers">{"".join(facts)}</dl>'

    def _curves(self) -> str:
        last, errors = len(self.steps) - 1, self.errors()
        most = max(1e-6, float(np.nanmax(errors)))
        unit = 10 ** np.floor(np.log10(most))
        top = next(m * unit for m in (1, 2, 3, 4, 6, 8, 10) if m * unit >= most)
        plot = StillPlot((0, max(last, 1)), (0, 1.1 * top), 540, 190)
        plot.frame((), (0, top / 2, top), "training step, as kept", "error (root mean square)")
        every = -(-len(self.steps) // 6)
        for k in range(last, -1, -every):
            plot.text(plot.px(k), 167, str(self.steps[k]))
        for i, curve in enumerate(errors[self.fraction]):
            if not np.isnan(curve).any():
                plot.line(list(enumerate(curve)), f"live-error-{i}")
        return plot.svg(f"{self.alt} Errors during training.")
