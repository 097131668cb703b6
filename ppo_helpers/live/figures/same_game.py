"""The book's first figure: a walk on the grid and a sentence, step by step and side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.gridworld import Cell, GridWorld
from ppo_helpers.live.base import LiveFigure
from ppo_helpers.live.tokens import readable

LONGEST = 12  # steps that are watched with patience
TRIES = 1000  # draws of a walk that is short enough
PARTS = {"prompt", "pieces", "logprobs", "score"}


class SameGame(LiveFigure):
    """Play a walk and a sentence at once, and see the same words under both: state, action, π, log π, reward.

    Args:
        world: where the walker walks.
        policy: (S, 4) probabilities of the moves in each state; one walk is drawn for each text.
        start: the cell where every walk begins.
        texts: dicts with ``prompt``, ``pieces`` (the tokens of the response as text), ``logprobs`` (of each, nats) and
            ``score`` (points, paid at the last token); at most 12 tokens.
        seed: of the walks.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if ``policy`` has another shape, ``start`` is no cell where a walk goes on, a text lacks a part, is
            too long or has other than finite numbers, or no walk of at most 12 moves comes to an end.
    """

    text = traitlets.Unicode(help="the world").tag(sync=True)
    move_cost = traitlets.Float().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    policy = traitlets.List().tag(sync=True)
    walks = traitlets.List(help="cells, actions, probs and rewards of each").tag(sync=True)
    texts = traitlets.List(help="prompt, pieces, logprobs and rewards of each").tag(sync=True)
    pair = traitlets.Int(0, help="the walk and the text that are shown").tag(sync=True, linked=True)
    frame = traitlets.Int(0, help="steps that have been taken").tag(sync=True, linked=True)

    def __init__(
        self,
        world: GridWorld,
        policy: np.ndarray,
        start: Cell,
        texts: Sequence[Mapping],
        *,
        seed: int = 0,
        alt: str,
        caption: str,
    ):
        policy = np.asarray(policy, dtype=float)
        if policy.shape != (len(world.states), 4):
            raise ValueError(f"policy must have shape {(len(world.states), 4)}, got {policy.shape}")
        if start not in world.states or start in world.terminals:
            raise ValueError(f"start must be a cell where a walk goes on, got {start}")
        if not texts:
            raise ValueError("texts must not be empty")
        texts = [_text(text, f"texts[{i}]") for i, text in enumerate(texts)]
        dice = np.random.default_rng(seed)
        walks = [_walk(world, policy, start, dice) for _ in texts]
        super().__init__(
            alt=alt,
            caption=caption,
            text=world.to_text(),
            move_cost=world.move_cost,
            rewards=world.rewards,
            policy=policy.round(4).tolist(),
            walks=walks,
            texts=texts,
        )
        self.frame = self._last()

    def _last(self) -> int:
        return max(len(self.walks[self.pair]["actions"]), len(self.texts[self.pair]["pieces"]))

    @traitlets.validate("pair")
    def _check_pair(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.walks):
            raise ValueError(f"pair must be in 0 … {len(self.walks) - 1}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("frame")
    def _check_frame(self, proposal) -> int:
        if not 0 <= proposal["value"] <= LONGEST:
            raise ValueError(f"frame must be in 0 … {LONGEST}, got {proposal['value']}")
        return proposal["value"]


def _walk(world: GridWorld, policy: np.ndarray, start: Cell, dice: np.random.Generator) -> dict:
    """A walk that comes to an end soon enough."""
    for _ in range(TRIES):
        cells, actions, probs, rewards, ended = [start], [], [], [], False
        while not ended and len(actions) < LONGEST:
            chances = policy[world.states.index(cells[-1])]
            action = int(dice.choice(4, p=chances / chances.sum()))
            cell, reward, ended = world.step(cells[-1], action)
            cells.append(cell), actions.append(action), rewards.append(reward)
            probs.append(round(float(chances[action]), 6))
        if ended:
            cells = [list(map(int, cell)) for cell in cells]
            return {"cells": cells, "actions": actions, "probs": probs, "rewards": [float(r) for r in rewards]}
    raise ValueError(f"policy must end a walk from {start} within {LONGEST} moves; of {TRIES} walks none did")


def _text(text: Mapping, where: str) -> dict:
    if set(text) != PARTS:
        raise ValueError(f"{where} must have {sorted(PARTS)}, got {sorted(text)}")
    pieces, logprobs = list(text["pieces"]), np.asarray(text["logprobs"], dtype=float)
    if not 1 <= len(pieces) <= LONGEST or logprobs.shape != (len(pieces),):
        raise ValueError(f"{where} must have 1 to {LONGEST} tokens with one log-prob each, got {len(pieces)}")
    if not (np.isfinite(logprobs).all() and np.isfinite(text["score"])):
        raise ValueError(f"{where} must have finite numbers, got {logprobs.tolist()}, score {text['score']}")
    rewards = [0.0] * (len(pieces) - 1) + [round(float(text["score"]), 2)]
    pieces = [readable(piece) for piece in pieces]
    return {"prompt": text["prompt"], "pieces": pieces, "logprobs": logprobs.round(4).tolist(), "rewards": rewards}
