"""Chapter 3's figure: what a value network makes of the cells it is shown, beside the truth."""

import base64
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Number


class ValueMaps(LiveFigure):
    """Choose the cells that a value network is shown, and see what it makes of all others.

    The figure opens with trainings that were run in Python. Cells that the reader chooses are learned in the page, from
    the same start, by full-batch Adam on the mean squared error.

    Args:
        world: the world.
        truth: (S,) true values.
        fractions: (F,) the fractions of cells shown in the recorded trainings, in (0, 1].
        visited: F sequences with the numbers of the states shown.
        steps: (K,) training steps at which predictions were kept, increasing.
        frames: (F, K, S) predicted values, kept to three decimals.
        network: the network before its training, as ``ValueNetwork(2).state_dict().values()``: weight (out, in) and
            bias (out,) of each layer in turn, 2 inputs, 1 output.
        learning_rate: Adam's, in (0, 1].
        fraction: which of the recorded trainings is shown first.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a shape does not fit, a number is not finite or out of range, or the steps do not increase.
    """

    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    truth = traitlets.List().tag(sync=True)
    fractions = traitlets.List().tag(sync=True)
    visited = traitlets.List().tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    frames = traitlets.List().tag(sync=True)
    parameters = traitlets.Unicode(help="all of the network's, as base64 of little-endian float32").tag(sync=True)
    sizes = traitlets.List(help="the widths of the network's layers, inputs first").tag(sync=True)
    learning_rate = Number(3e-3, low=0.0, high=1.0, above=True).tag(sync=True)
    fraction = traitlets.Int(0).tag(sync=True, linked=True)
    own = traitlets.Unicode(help="the reader's choice, a hex digit for four states").tag(sync=True, linked=True)
    frame = traitlets.Int(0).tag(sync=True, linked=True)

    def __init__(
        self,
        world: GridWorld,
        truth: Sequence[float],
        fractions: Sequence[float],
        visited: Sequence[Sequence[int]],
        steps: Sequence[int],
        frames: np.ndarray,
        network: Iterable[np.ndarray],
        *,
        learning_rate: float = 3e-3,
        fraction: int = 0,
        alt: str,
        caption: str,
    ):
        states = len(world.states)
        fractions, visited = _checked_runs(fractions, visited, states)
        steps = _checked_steps(steps)
        layers = _checked_layers(network)
        super().__init__(
            alt=alt,
            caption=caption,
            text=world.to_text(),
            rewards=world.rewards,
            truth=_array("truth", truth, (states,)).round(3).tolist(),
            fractions=fractions,
            visited=visited,
            steps=steps,
            frames=_array("frames", frames, (len(fractions), len(steps), states)).round(3).tolist(),
            parameters=base64.b64encode(np.concatenate([part.ravel() for part in layers]).astype("<f4")).decode(),
            sizes=[2, *(len(bias) for bias in layers[1::2])],
            learning_rate=float(learning_rate),
            fraction=fraction,
            frame=len(steps) - 1,
        )

    @traitlets.validate("fraction")
    def _check_fraction(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.fractions):
            raise ValueError(f"fraction must be in 0 … {len(self.fractions) - 1}, got {proposal['value']}")
        return proposal["value"]

    def errors(self) -> np.ndarray:
        """Root mean square errors of the recorded runs, (F, 2, K): on cells shown, on the others; NaN without any."""
        missed = (np.array(self.frames) - np.array(self.truth)) ** 2  # (F, K, S)
        seen = np.array([np.isin(np.arange(missed.shape[-1]), states) for states in self.visited])  # (F, S)
        return np.array(
            [
                [m[:, which].mean(axis=1) ** 0.5 if which.any() else np.full(len(m), np.nan) for which in (s, ~s)]
                for m, s in zip(missed, seen, strict=True)
            ]
        )


def _array(name: str, numbers, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(numbers, dtype=float)
    if array.shape != shape:
        meaning = {1: "one for each state", 3: "(fractions, steps, states)"}[len(shape)]
        raise ValueError(f"{name} must have shape {shape}, {meaning}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array


def _checked_runs(fractions, visited, states: int) -> tuple[list[float], list[list[int]]]:
    fractions, visited = [float(f) for f in fractions], [[int(s) for s in seen] for seen in visited]
    if not fractions or not all(0 < f <= 1 for f in fractions):
        raise ValueError(f"fractions must be numbers in (0, 1], at least one, got {fractions}")
    if len(visited) != len(fractions):
        raise ValueError(f"visited must have {len(fractions)} entries, one for each fraction, got {len(visited)}")
    if not all(0 <= s < states for seen in visited for s in seen):
        raise ValueError(f"visited must hold numbers of states, 0 … {states - 1}, got {visited}")
    return fractions, visited


def _checked_steps(steps) -> list[int]:
    steps = [int(k) for k in steps]
    if not steps or steps[0] < 0 or any(later <= earlier for earlier, later in pairwise(steps)):
        raise ValueError(f"steps must increase from 0 or more, at least one, got {steps}")
    return steps


def _checked_layers(network) -> list[np.ndarray]:
    """Weights and biases in turn; each weight reads what the layer before puts out."""
    parts = [np.asarray(part, dtype=float) for part in network]
    widths = [2, *(len(bias) if bias.ndim else 0 for bias in parts[1::2])]
    wanted = [shape for inputs, outputs in pairwise(widths) for shape in ((outputs, inputs), (outputs,))]
    if not parts or [part.shape for part in parts] != wanted or widths[-1] != 1:
        shapes = [part.shape for part in parts]
        raise ValueError(f"network must hold a weight (out, in) and a bias (out,) per layer, from 2 to 1, got {shapes}")
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError("network must be finite, got NaN or infinity")
    return parts
