"""Chapter 7's test: trainings whose names are hidden; which bug made which?"""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure

PARTS = ("curves", "note", "tells", "yes", "no")


class SpotTheBug(LiveFigure):
    """Look at the curves of trainings without their names, and say for each what is wrong with it.

    Args:
        runs: by name ("wrong sign"), two to four. Each is a dict with

            - ``curves``: by title, one number per iteration; all runs have the same titles and lengths;
            - ``note``: what one has to know of its world, in a few words;
            - ``tells``: the title of the curve that gives it away;
            - ``yes``: what is said when it is found;
            - ``no``: what is said when another run is taken for it: where this bug would show.
        scales: by title, the lowest and the highest value that is drawn, the same for all runs; a title that is missing
            has a scale of its own in every run.
        order: the names, in the order in which the runs stand.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a part is missing, titles or lengths differ, a number is not finite, or a name is unknown.
    """

    bugs = traitlets.List(help="name, tells, yes and no of each").tag(sync=True)
    titles = traitlets.List(help="of the curves").tag(sync=True)
    scales = traitlets.List(help="for each title lowest and highest, or None").tag(sync=True)
    runs = traitlets.List(help="note, curves and the number of the bug of each run").tag(sync=True)
    picks = traitlets.List(help="for each run the number of the bug that the reader sees in it; −1 for none").tag(
        sync=True, linked=True
    )
    last = traitlets.Int(-1, help="the run that was judged last; −1 for none").tag(sync=True, linked=True)

    def __init__(
        self,
        runs: Mapping[str, Mapping],
        *,
        scales: Mapping[str, tuple[float, float]],
        order: Sequence[str],
        alt: str,
        caption: str,
    ):
        names = list(runs)
        if not 2 <= len(names) <= 4 or sorted(order) != sorted(names):
            raise ValueError(f"order must name each of two to four runs once, {names}, got {list(order)}")
        for name, run in runs.items():
            if set(run) != set(PARTS):
                raise ValueError(f"runs[{name!r}] must have {list(PARTS)}, got {list(run)}")
        titles = list(runs[names[0]]["curves"])
        curves = {name: _curves(name, run, titles) for name, run in runs.items()}
        if len({len(curve) for rows in curves.values() for curve in rows}) > 1:
            raise ValueError("runs must have curves of one length")
        _check_scales(scales, titles)
        super().__init__(
            alt=alt,
            caption=caption,
            bugs=[{"name": name} | {part: run[part] for part in PARTS[2:]} for name, run in runs.items()],
            titles=titles,
            scales=[list(map(float, scales[title])) if title in scales else None for title in titles],
            runs=[{"bug": names.index(name), "note": runs[name]["note"], "curves": curves[name]} for name in order],
            picks=[-1] * len(names),
        )

    @traitlets.validate("picks")
    def _check_picks(self, proposal) -> list[int]:
        if len(proposal["value"]) != len(self.runs) or not set(proposal["value"]) <= set(range(-1, len(self.bugs))):
            raise ValueError(f"picks must be {len(self.runs)} numbers in −1 … {len(self.bugs) - 1}")
        return proposal["value"]

    @traitlets.validate("last")
    def _check_last(self, proposal) -> int:
        if not -1 <= proposal["value"] < len(self.runs):
            raise ValueError(f"last must be in −1 … {len(self.runs) - 1}, got {proposal['value']}")
        return proposal["value"]


def _curves(name: str, run: Mapping, titles: list[str]) -> list[list[float]]:
    if list(run["curves"]) != titles or run["tells"] not in titles:
        raise ValueError(f"runs[{name!r}] must have the curves {titles}, one of which tells, got {list(run['curves'])}")
    curves = [np.asarray(curve, dtype=float) for curve in run["curves"].values()]
    if any(curve.ndim != 1 or len(curve) < 2 or not np.isfinite(curve).all() for curve in curves):
        raise ValueError(f"runs[{name!r}] must have curves of at least two finite numbers")
    return [[float(f"{x:.4g}") for x in curve] for curve in curves]


def _check_scales(scales: Mapping[str, tuple[float, float]], titles: list[str]) -> None:
    for title, (low, high) in scales.items():
        if title not in titles or not low < high:
            raise ValueError(f"scales must give lowest and highest of titles in {titles}, got {title!r}: {(low, high)}")
