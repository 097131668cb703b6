"""Chapter 7's figure: PPO trains in the page, twice side by side, with the reader's own dials."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Seed
from ppo_helpers.live.place import place_of

if TYPE_CHECKING:  # the figures are there without torch
    from ppo_helpers.walking import WalkConfig

BOUNDS = {"clip_eps": [0.01, 0.9], "learning_rate": [0, 0.1], "epochs": [1, 40], "ent_coef": [0, 1]}  # of a link
DIALS = ("clip_eps", "learning_rate", "epochs", "ent_coef")  # what the reader can turn


class PPOLab(LiveFigure):
    """Train two settings with the same seed, then with twenty more seeds each: a dot shows where each of them ended.

    ``text``, ``sides``, ``seed``, ``curve`` and ``frame`` follow what the reader does.

    Args:
        world: the world; the book's own if None.
        left: the setting at the left.
        right: the setting at the right, of as many iterations.
        seed: of both trainings at first. The figure says that it was chosen.
        walkers: number of walks B of a batch.
        max_steps: moves after which a walk is cut off.
        observation: what the networks see, ``"xy"`` or ``"onehot"``.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.

    Raises:
        ValueError: if an argument is not one of these, or the world has no cell to start from.
    """

    text = traitlets.Unicode().tag(sync=True, linked=True)
    rewards = traitlets.Dict().tag(sync=True)
    move_cost = traitlets.Float().tag(sync=True)
    room = traitlets.Dict(help="walkers, max_steps and observation").tag(sync=True)
    sides = traitlets.List(help="both settings, numbers by their names in WalkConfig").tag(sync=True, linked=BOUNDS)
    seed = Seed().tag(sync=True, linked=True)
    first = traitlets.Dict(help="world, sides and seed at the beginning, for Reset").tag(sync=True)
    written = traitlets.List(help="the numbers that stand in the Python text").tag(sync=True)
    curve = traitlets.Unicode("points a walk", help="what is drawn by iteration").tag(sync=True, linked=True)
    frame = traitlets.Int(help="the iteration shown, if the training is that far").tag(sync=True, linked=True)

    def __init__(
        self,
        world: GridWorld | None,
        left: "WalkConfig",
        right: "WalkConfig",
        *,
        seed: int = 1,
        walkers: int = 16,
        max_steps: int = 50,
        observation: str = "xy",
        alt: str,
        caption: str,
    ):
        place = place_of(world, walkers, max_steps, observation)
        if left.iterations != right.iterations:
            raise ValueError(f"iterations must be the same, got {left.iterations} and {right.iterations}")
        settings = [asdict(side) | {"hidden": list(side.hidden)} for side in (left, right)]
        first = {"text": place["text"], "sides": settings, "seed": seed}
        super().__init__(
            alt=alt,
            caption=caption,
            first=first,
            **place | first,
            written=_written(left, right),
            frame=left.iterations,
        )


def _written(*sides: "WalkConfig") -> list[str]:
    """The dials, and what one of the settings has otherwise than by default."""
    unusual = (f.name for f in fields(sides[0]) if any(getattr(side, f.name) != f.default for side in sides))
    return [*dict.fromkeys([*(name for name in unusual if name not in DIALS), *DIALS])]
