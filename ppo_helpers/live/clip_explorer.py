"""Chapter 6's figure: the clipped objective of one sample, with the ratio, the band and the advantage to drag."""

import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.still import StillPlot

RATIO_END = 2.2
SHORTEST, LARGEST = 0.1, 3.0  # the size of A: an advantage of 0 has no sign to flip


class ClipExplorer(LiveFigure):
    """Drag the ratio along L(r) = min(r·A, clip(r, 1 − ε, 1 + ε)·A) and the edges of the band; flip the sign of A.

    An arrow shows dL/dr. It is 0 only where the minimum is the clipped term: beyond 1 + ε if A > 0, below 1 − ε
    if A < 0. At these edges themselves it is A, as PyTorch has it: ``torch.min`` shares the gradient
    between two equal terms and ``clamp`` passes its share on at its bounds.

    Args:
        ratio: π_θ(a|s) / π_old(a|s), in [0, 2.2].
        advantage: A, of a size in [0.1, 3].
        clip_eps: ε, in [0.05, 0.9].
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if an argument is out of range, at the start or later.
    """

    _js = ("plot.js", "surrogate.js", "grips.js", "clip_explorer.js")
    ratio = Number(1.0, low=0.0, high=RATIO_END).tag(sync=True)
    advantage = Number(1.0, low=-LARGEST, high=LARGEST).tag(sync=True)
    clip_eps = Number(0.2, low=0.05, high=0.9).tag(sync=True)
    initial = traitlets.Dict(help="what Reset goes back to").tag(sync=True)

    def __init__(self, ratio: float = 1.0, advantage: float = 1.0, clip_eps: float = 0.2, *, alt: str):
        state = {"ratio": float(ratio), "advantage": float(advantage), "clip_eps": float(clip_eps)}
        super().__init__(alt=alt, initial=state, **state)

    @traitlets.validate("advantage")
    def _check_advantage(self, proposal) -> float:
        if abs(proposal["value"]) < SHORTEST:
            raise ValueError(f"advantage must be at least {SHORTEST} away from 0, got {proposal['value']}")
        return proposal["value"]

    def objective(self, ratio: float) -> float:
        """L at a ratio, for the advantage and the band as they stand."""
        clipped = min(max(ratio, 1 - self.clip_eps), 1 + self.clip_eps)
        return min(ratio * self.advantage, clipped * self.advantage)

    def fallback(self) -> str:
        sign, most = (1 if self.advantage > 0 else -1), 2.4 * -(-abs(self.advantage) // 1)
        plot = StillPlot((0, RATIO_END), sorted((-sign * most / 6, sign * most)), 540, 300)
        edges = (1 - self.clip_eps, 1 + self.clip_eps)
        plot.frame((0, 0.5, 1, 1.5, 2), tuple(sign * k * most / 2.4 for k in (0, 1, 2)), "ratio r", "L(r)")
        plot.span(*((edges[1], RATIO_END) if sign > 0 else (0, edges[0])), "live-still-flat")
        plot.span(*edges, "live-band")
        plot.line([(0, 0), (RATIO_END, RATIO_END * self.advantage)], "live-dashed")
        plot.line([(r, self.objective(r)) for r in (0, *edges, RATIO_END)], "live-objective")
        plot.dot(self.ratio, self.objective(self.ratio))
        above = '<div class="live-reserve-control"></div>' * 2
        return f'{above}{plot.svg(self.alt)}<div class="live-reserve-clip"></div>'
