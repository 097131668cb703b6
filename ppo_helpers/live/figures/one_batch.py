"""Chapters 5 and 6: one batch, many epochs, and what becomes of the policy."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Seed
from ppo_helpers.live.place import place_of, whole

if TYPE_CHECKING:  # the figures are there without torch
    from ppo_helpers.walking import WalkConfig


class OneBatch(LiveFigure):
    """Climb one batch for many epochs: what the objective says, what the policy really earns, and every move's ratio.

    A policy is trained in the page, with one epoch per batch; then it collects the batch in question. ``practice``,
    ``seed`` and ``frame`` follow what the reader does.

    Args:
        world: the world; the book's own if None.
        config: how the policy is trained before.
        clip_eps: ε of a second run, with the clip; None for the run without it alone.
        practice: number of batches that the policy has been trained with before.
        epochs: epochs on the one batch.
        learning_rate: of these epochs.
        seed: of the policy and its batch.
        walkers: number of walks B of a batch.
        max_steps: moves after which a walk is cut off.
        observation: what the networks see, ``"xy"`` or ``"onehot"``.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.

    Raises:
        ValueError: if an argument is not one of these, or the world has no cell to start from.
    """

    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    move_cost = traitlets.Float().tag(sync=True)
    room = traitlets.Dict(help="walkers, max_steps and observation").tag(sync=True)
    config = traitlets.Dict(help="numbers by their names in WalkConfig").tag(sync=True)
    climb = traitlets.Dict(help="clips, epochs and learning_rate of the climb").tag(sync=True)
    practice = traitlets.Int().tag(sync=True, linked=[0, 100])
    seed = Seed().tag(sync=True, linked=True)
    frame = traitlets.Int(help="the epoch shown").tag(sync=True, linked=True)
    first = traitlets.Dict(help="practice and seed at the beginning, for Reset").tag(sync=True)

    def __init__(
        self,
        world: GridWorld | None,
        config: "WalkConfig",
        *,
        clip_eps: float | None = None,
        practice: int = 20,
        epochs: int = 40,
        learning_rate: float = 1e-2,
        seed: int = 0,
        walkers: int = 64,
        max_steps: int = 50,
        observation: str = "onehot",
        alt: str,
        caption: str,
    ):
        place = place_of(world, walkers, max_steps, observation)
        whole("practice", practice, 0)
        whole("epochs", epochs, 1)
        if clip_eps is not None and not 0 < clip_eps < 1:
            raise ValueError(f"clip_eps must be in (0, 1) or None, got {clip_eps}")
        if not 0 < learning_rate < 1:
            raise ValueError(f"learning_rate must be in (0, 1), got {learning_rate}")
        first = {"practice": practice, "seed": seed}
        super().__init__(
            alt=alt,
            caption=caption,
            config=asdict(config) | {"hidden": list(config.hidden)},
            climb={"clips": [None] if clip_eps is None else [clip_eps, None], "epochs": epochs, "rate": learning_rate},
            first=first,
            **place | first,
            frame=epochs,
        )
