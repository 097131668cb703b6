"""Chapter 7's figure: one or two trainings to replay: policy and values on the grid, ratios, and curves."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Number

PARTS = {"name", "policy", "values", "ratios", "edges", "curves", "iterations"}


class TrainingReplay(LiveFigure):
    """Scrub through one training, or two side by side.

    Each run is a dict with

    - ``name``: a few words, as in "with clipping";
    - ``iterations``: (K,) numbers of the iterations at which frames were kept, increasing; 0 is before the training;
    - ``policy``: (K, S, 4) probabilities;
    - ``values``: (K, S) the critic's values;
    - ``edges``: (bins + 1,) edges of the histogram of ratios, evenly spaced on a straight or a log scale;
    - ``ratios``: (K, bins) counts of π_θ(a|s) / π_old(a|s) after the update;
    - ``curves``: name → (N,) numbers, the first being that of iteration 1.

    Two runs have the same iterations, edges and names of curves. The first curve is the one that should rise: a flag
    marks where a run collapses in it.

    Args:
        text: the world, as for :meth:`GridWorld.from_text`.
        rewards: reward points by symbol, as for :meth:`GridWorld.from_text`.
        runs: one or two runs.
        clip_eps: ε of the band marked in the histograms, in (0, 1).
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a part is missing, a shape does not fit, or a number is not finite.
    """

    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    runs = traitlets.List(help="policies are in percent: short numbers keep the page small").tag(sync=True)
    iterations = traitlets.List().tag(sync=True)
    edges = traitlets.List().tag(sync=True)
    clip_eps = Number(0.2, low=0.0, high=0.999, above=True).tag(sync=True)
    scale = traitlets.Float(1.0, help="values are divided by this before they are coloured").tag(sync=True)
    collapses = traitlets.List(help="for each run the iteration in which it collapses, or None").tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True, linked=True)
    curve = traitlets.Unicode(help="the name of the curve shown").tag(sync=True, linked=True)

    def __init__(
        self,
        text: str,
        rewards: Mapping[str, float] | None,
        runs: Sequence[Mapping],
        *,
        clip_eps: float = 0.2,
        alt: str,
        caption: str,
    ):
        world = GridWorld.from_text(text, rewards=rewards)
        if isinstance(runs, Mapping) or not 1 <= len(runs) <= 2:
            raise ValueError(f"runs must hold one or two runs, got {len(runs)}")
        clean = [_clean(run, f"runs[{i}]", len(world.states)) for i, run in enumerate(runs)]
        for name in ("iterations", "edges"):
            if clean[0][name] != clean[-1][name]:
                raise ValueError(f"{name} must be the same in both runs, got {clean[0][name]} and {clean[1][name]}")
        if list(clean[0]["curves"]) != list(clean[-1]["curves"]):
            names = [list(run["curves"]) for run in clean]
            raise ValueError(f"curves must have the same names in both runs, got {names[0]} and {names[1]}")
        shared = {name: clean[0][name] for name in ("iterations", "edges")}
        clean = [{name: part for name, part in run.items() if name not in shared} for run in clean]
        largest = max(abs(reward) for reward in world.terminals.values())
        super().__init__(
            alt=alt,
            caption=caption,
            text=world.to_text(),
            rewards=world.rewards,
            runs=clean,
            **shared,
            clip_eps=float(clip_eps),
            scale=max(largest / 5, 1e-9),
            collapses=collapses([next(iter(run["curves"].values())) for run in clean]),
            frame=len(shared["iterations"]) - 1,
            curve=next(iter(clean[0]["curves"])),
        )

    @traitlets.validate("frame")
    def _check_frame(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.iterations):
            raise ValueError(f"frame must be in 0 … {len(self.iterations) - 1}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("curve")
    def _check_curve(self, proposal) -> str:
        if proposal["value"] not in self.runs[0]["curves"]:
            raise ValueError(f"curve must be one of {list(self.runs[0]['curves'])}, got {proposal['value']!r}")
        return proposal["value"]


def collapses(curves: Sequence[Sequence[float]]) -> list[int | None]:
    """Where runs lose what they had learned.

    A run collapses in the first iteration in which it stands less than half as high as it has stood before. Heights
    are measured from the lowest point of all curves; what never stood a quarter as high as the highest point of all has
    nothing to lose.

    Args:
        curves: of each run the numbers of iterations 1, 2, …

    Returns:
        For each run the iteration of its collapse, or None.
    """
    lowest, highest = min(map(min, curves)), max(map(max, curves))
    found = []
    for curve in curves:
        heights = np.array(curve) - lowest
        best = np.maximum.accumulate(heights)
        fallen = (heights < best / 2) & (best >= (highest - lowest) / 4) & (best > 0)
        found.append(int(fallen.argmax()) + 1 if fallen.any() else None)
    return found


def _numbers(value, name: str, wanted: str, fits) -> np.ndarray:
    """An array that is finite and for whose shape ``fits`` is true, or a ``ValueError`` that says what was wanted."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):  # rows of unequal length, or no numbers
        raise ValueError(f"{name} must have shape {wanted}, got rows of unequal length or no numbers") from None
    if not fits(array.shape):
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array


def _clean(run: Mapping, where: str, states: int) -> dict:
    """A run as it travels to the page: checked, rounded, and in plain lists."""
    if set(run) != PARTS:
        raise ValueError(f"{where} must have the keys {sorted(PARTS)}, got {sorted(run)}")
    iterations = _numbers(run["iterations"], f"{where}['iterations']", "(K,), K > 0", lambda s: len(s) == 1 and s[0])
    edges = _numbers(run["edges"], f"{where}['edges']", "(bins + 1,), at least 3", lambda s: len(s) == 1 and s[0] > 2)
    frames, bins = len(iterations), len(edges) - 1
    parts = {}
    for name, wanted in (("policy", (frames, states, 4)), ("values", (frames, states)), ("ratios", (frames, bins))):
        parts[name] = _numbers(run[name], f"{where}[{name!r}]", str(wanted), wanted.__eq__)
    if (np.diff(iterations) <= 0).any() or iterations[0] < 0 or (iterations % 1).any():
        raise ValueError(f"{where}['iterations'] must be increasing whole numbers from 0 on, got {iterations.tolist()}")
    if (np.diff(edges) <= 0).any() or edges[0] < 0:
        raise ValueError(f"{where}['edges'] must increase from 0 or more, got {edges.tolist()}")
    if (parts["policy"] < 0).any() or (parts["policy"] > 1 + 1e-6).any():
        raise ValueError(f"{where}['policy'] must hold probabilities in [0, 1], got {parts['policy'].max()}")
    if (parts["ratios"] < 0).any():
        raise ValueError(f"{where}['ratios'] must be counts of 0 or more, got {parts['ratios'].min()}")
    if not run["curves"]:
        raise ValueError(f"{where}['curves'] must hold at least one curve, got none")
    shape = (max(int(iterations[-1]), 1),)  # a curve covers all iterations of the frames
    curves = {
        str(name): _numbers(
            points, f"{where}['curves'][{name!r}]", f"(N,), N ≥ {shape[0]}", lambda s: len(s) == 1 and s >= shape
        )
        for name, points in run["curves"].items()
    }
    return {
        "name": str(run["name"]),
        "iterations": iterations.astype(int).tolist(),
        "edges": edges.tolist(),
        "policy": (100 * parts["policy"]).round().astype(int).tolist(),
        "values": parts["values"].round(1).tolist(),
        "ratios": [[int(v) if v == int(v) else round(v, 4) for v in row] for row in parts["ratios"].tolist()],
        "curves": {name: [float(f"{v:.4g}") for v in points] for name, points in curves.items()},
    }
