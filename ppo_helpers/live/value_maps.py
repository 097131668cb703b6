"""Chapter 3's figure: a value network's predictions while it trains, beside the truth."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure
from ppo_helpers.live.fallback import world_svg


class ValueMaps(LiveFigure):
    """Scrub through the training of a value network on a fraction of the cells.

    Args:
        world: the world.
        truth: (S,) true values.
        fractions: (F,) the fractions of cells visited, in (0, 1].
        visited: F sequences with the numbers of the visited states.
        steps: (K,) training steps at which predictions were kept.
        frames: (F, K, S) predicted values.
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if a shape does not fit or a number is not finite.
    """

    _js = ("gridworld.js", "grid_view.js", "value_maps.js")
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
        wanted = (len(fractions), len(steps), len(world.states))
        if frames.shape != wanted:
            raise ValueError(f"frames must have shape (fractions, steps, states) = {wanted}, got {frames.shape}")
        if truth.shape != wanted[2:] or len(visited) != len(fractions):
            raise ValueError(f"truth must have {wanted[2]} numbers and visited {wanted[0]} entries")
        if not (np.isfinite(truth).all() and np.isfinite(frames).all()):
            raise ValueError("truth and frames must be finite, got NaN or infinity")
        super().__init__(
            alt=alt,
            text=world.to_text(),
            rewards=world.rewards,
            truth=truth.round(2).tolist(),
            fractions=[float(f) for f in fractions],
            visited=[[int(s) for s in states] for states in visited],
            steps=[int(k) for k in steps],
            frames=frames.round(1).tolist(),
            scale=max(float(np.abs(truth).max()) / 5, 1e-9),
            frame=len(steps) - 1,
        )

    def fallback(self) -> str:
        world = GridWorld.from_text(self.text, rewards=self.rewards)
        predicted = np.array(self.frames[self.fraction][self.frame])
        maps = [
            f'<div class="live-map"><p class="live-caption">{name}</p>'
            f"{world_svg(world, f'{self.alt} {name} values.', values / self.scale, numbers=False)}</div>"
            for name, values in (("predicted", predicted), ("true", np.array(self.truth)))
        ]
        above = '<div class="live-reserve-control"></div>' * 3
        return f'{above}<div class="live-pair">{"".join(maps)}</div><div class="live-reserve-maps"></div>'
