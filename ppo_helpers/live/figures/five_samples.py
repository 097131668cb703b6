"""The clipped loss of a few samples, to the digit: chapters 6 and 9."""

from collections.abc import Sequence
from math import ceil

import traitlets

from ppo_helpers.live.base import LiveFigure, Number

FEWEST, MOST = 2, 8
MOST_SHOWN = 10_000.0  # ratio, or size of an advantage
RATIO_END, LARGEST = 2.5, 3.0  # where the axes end, unless there is more to show


class FiveSamples(LiveFigure):
    """Drag ratios and advantages of a few samples: each one's minimum, their loss, and who pushes.

    The push is what a step down the loss does to the sample's own log-probability: ρA / N, and 0 where the clip has
    taken it away.

    Args:
        ratios: (N,) π_θ / π_old, in [0, 10000]; N from 2 to 8.
        advantages: (N,) in [−10000, 10000].
        clip_eps: ε, in [0.05, 0.9].
        names: what the samples are called; numbers if None.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if an argument is out of range or the rows are not equally long.
    """

    ratios = traitlets.List(traitlets.Float()).tag(sync=True, linked=[0, MOST_SHOWN])
    advantages = traitlets.List(traitlets.Float()).tag(sync=True, linked=[-MOST_SHOWN, MOST_SHOWN])
    clip_eps = Number(0.2, low=0.05, high=0.9).tag(sync=True, linked=True)
    ends = traitlets.List(help="where the axes end: ratio, and size of an advantage").tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    first = traitlets.Dict(help="ratios, advantages and ε at the beginning, for Reset").tag(sync=True)

    def __init__(
        self,
        ratios: Sequence[float],
        advantages: Sequence[float],
        clip_eps: float = 0.2,
        *,
        names: Sequence[str] | None = None,
        alt: str,
        caption: str,
    ):
        rows = {
            "ratios": _row("ratios", ratios, 0, MOST_SHOWN),
            "advantages": _row("advantages", advantages, -MOST_SHOWN, MOST_SHOWN),
        }
        names = [f"sample {i + 1}" for i in range(len(rows["ratios"]))] if names is None else list(names)
        lengths = [len(rows["ratios"]), len(rows["advantages"]), len(names)]
        if len(set(lengths)) != 1 or not FEWEST <= lengths[0] <= MOST:
            counts = ", ".join(map(str, lengths))
            raise ValueError(f"ratios, advantages and names must be equally many, {FEWEST} to {MOST}, got {counts}")
        state = rows | {"clip_eps": float(clip_eps)}
        ends = [max(RATIO_END, *map(ceil, rows["ratios"])), max(LARGEST, *(ceil(abs(A)) for A in rows["advantages"]))]
        super().__init__(alt=alt, caption=caption, names=names, ends=ends, first=state, **state)


def _row(name: str, numbers: Sequence[float], low: float, high: float) -> list[float]:
    row = [float(number) for number in numbers]
    wrong = [number for number in row if not low <= number <= high]  # NaN as well
    if wrong:
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {wrong[0]}")
    return row
