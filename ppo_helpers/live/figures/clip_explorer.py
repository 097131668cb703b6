"""Chapter 6's figure: the clipped objective for both signs of the advantage, on one ratio, over a real batch."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number

RATIO_END = 2.2
SHORTEST, LARGEST = 0.1, 3.0  # the size of A: an advantage of 0 has no sign
MOST_SAMPLES = 4096


class ClipExplorer(LiveFigure):
    """Drag the ratio along J(ρ) = min(ρ·A, clip(ρ, 1 − ε, 1 + ε)·A), for A > 0 and A < 0 side by side.

    An arrow shows dJ/dρ. It is 0 only where the minimum is the clipped term: beyond 1 + ε if A > 0, below 1 − ε
    if A < 0. At these edges themselves it is A, as PyTorch has it: ``torch.min`` shares the gradient
    between two equal terms and ``clamp`` passes its share on at its bounds.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), in [0, 2.2].
        advantage: size of A, in [0.1, 3].
        clip_eps: ε, in [0.05, 0.9].
        batch: ratios and advantages of a batch, (N,) each, N ≤ 4096, shown under the axes; those whose advantage is
            0 have no sign and are left out.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if an argument is out of range, at the start or later, or ``batch`` is not two equally long rows.
    """

    ratio = Number(1.5, low=0.0, high=RATIO_END).tag(sync=True, linked=True)
    advantage = Number(1.0, low=SHORTEST, high=LARGEST).tag(sync=True, linked=True)
    clip_eps = Number(0.2, low=0.05, high=0.9).tag(sync=True, linked=True)
    plain = traitlets.Bool(False, help="is the clip without its min drawn too?").tag(sync=True, linked=True)
    batch = traitlets.List(help="ratio and sign of the advantage of each sample").tag(sync=True)

    def __init__(
        self,
        ratio: float = 1.5,
        advantage: float = 1.0,
        clip_eps: float = 0.2,
        *,
        batch: tuple[Sequence[float], Sequence[float]] = ((), ()),
        alt: str,
        caption: str,
    ):
        sample = {"ratio": float(ratio), "advantage": float(advantage), "clip_eps": float(clip_eps)}
        super().__init__(alt=alt, caption=caption, batch=_samples(batch), **sample)

    def pushing(self) -> int:
        """How many samples of the batch have a gradient, for the band as it stands."""
        low, high = 1 - self.clip_eps, 1 + self.clip_eps
        return sum(ratio <= high if sign > 0 else ratio >= low for ratio, sign in self.batch)


def _samples(batch: tuple[Sequence[float], Sequence[float]]) -> list[list[float]]:
    """Ratio, to five decimals, and sign of each sample."""
    if len(batch) != 2:
        raise ValueError(f"batch must be ratios and advantages, got {len(batch)} rows")
    ratios, advantages = (np.asarray(row, dtype=float) for row in batch)
    if ratios.ndim != 1 or ratios.shape != advantages.shape or len(ratios) > MOST_SAMPLES:
        shapes = f"{ratios.shape} and {advantages.shape}"
        raise ValueError(f"batch must be two equally long rows of at most {MOST_SAMPLES} numbers, got {shapes}")
    wrong = ratios[~(np.isfinite(ratios) & (ratios >= 0))]
    if len(wrong):
        raise ValueError(f"batch must hold finite ratios of 0 or more, got {wrong[:3].tolist()}")
    if not np.isfinite(advantages).all():
        raise ValueError("batch must hold finite advantages, got NaN or infinity")
    signed = advantages != 0
    return [[round(r, 5), int(s)] for r, s in zip(ratios[signed].tolist(), np.sign(advantages[signed]), strict=True)]
