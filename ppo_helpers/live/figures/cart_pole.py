"""Chapter 7's pole on a cart: PPO learns in the page to keep it up."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import traitlets

from ppo_helpers.live.base import LiveFigure, Seed
from ppo_helpers.live.place import whole

if TYPE_CHECKING:  # the figures are there without torch
    from ppo_helpers.walking import WalkConfig

BOUNDS = {"clip_eps": [0.01, 0.9], "learning_rate": [0, 0.1], "epochs": [1, 40]}  # of a link; also what can be dialled


class CartPole(LiveFigure):
    """Train PPO on CartPole-v1, see the pole fall and stand, and how long it stands by iteration.

    ``config``, ``seed`` and ``frame`` follow what the reader does.

    Args:
        config: the dials at first.
        walkers: number of carts B of a batch.
        seed: of the training at first.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.

    Raises:
        ValueError: if an argument is not one of these.
    """

    config = traitlets.Dict(help="numbers by their names in WalkConfig").tag(sync=True, linked=BOUNDS)
    seed = Seed().tag(sync=True, linked=True)
    frame = traitlets.Int(help="the iteration shown, if the training is that far").tag(sync=True, linked=True)
    walkers = traitlets.Int().tag(sync=True)
    first = traitlets.Dict(help="config and seed at the beginning, for Reset").tag(sync=True)

    def __init__(self, config: "WalkConfig", *, walkers: int = 8, seed: int = 0, alt: str, caption: str):
        whole("walkers", walkers, 1)
        first = {"config": asdict(config) | {"hidden": list(config.hidden)}, "seed": seed}
        super().__init__(alt=alt, caption=caption, walkers=walkers, first=first, **first)
