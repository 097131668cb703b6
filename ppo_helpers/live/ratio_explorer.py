"""Chapter 5's figure: four logits to push, and what that does to the ratio, the surrogate and its gradient."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.still import StillPlot

LIMIT = 6.0  # logits stay within ±6


class RatioExplorer(LiveFigure):
    """Push the logits of a policy over four moves away from π_old, by hand or by gradient steps on ratio · A.

    The gradient with respect to logit j is ratio · A · (1[a = j] − π_θ(j)): the policy gradient, times the ratio.

    Args:
        old_logits: logits of π_old for up, right, down and left, in [−6, 6].
        action: the move that was taken: 0 up, 1 right, 2 down, 3 left.
        advantage: A of that move, in [−3, 3].
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if an argument is out of range, at the start or later.
    """

    _js = ("plot.js", "surrogate.js", "grips.js", "ratio_explorer.js")
    old_logits = traitlets.List().tag(sync=True)
    logits = traitlets.List(help="the policy's logits now").tag(sync=True)
    action = traitlets.Int(0).tag(sync=True)
    advantage = Number(1.0, low=-3.0, high=3.0).tag(sync=True)
    steps = traitlets.Int(0, help="gradient steps since the reader last changed something by hand").tag(sync=True)

    def __init__(
        self,
        old_logits: Sequence[float] = (-1.0, 1.0, 0.5, 0.0),
        action: int = 0,
        advantage: float = 1.0,
        *,
        alt: str,
    ):
        old = _four("old_logits", old_logits)
        super().__init__(alt=alt, old_logits=old, logits=old, action=action, advantage=float(advantage))

    @traitlets.validate("old_logits", "logits")
    def _check_logits(self, proposal) -> list[float]:
        return _four(proposal["trait"].name, proposal["value"])

    @traitlets.validate("action")
    def _check_action(self, proposal) -> int:
        if not 0 <= proposal["value"] <= 3:
            raise ValueError(f"action must be 0 up, 1 right, 2 down or 3 left, got {proposal['value']}")
        return proposal["value"]

    def fallback(self) -> str:
        before, now = (np.exp(np.array(v)) / np.exp(v).sum() for v in (self.old_logits, self.logits))
        chances = StillPlot((-0.5, 3.5), (0, 1), 540, 190)
        chances.frame((), (0, 0.5, 1), "", "probability")
        logits = StillPlot((-0.5, 3.5), (-LIMIT, LIMIT), 540, 300)
        logits.frame((), (-6, -3, 0, 3, 6), "", "logit θ")
        for j in range(4):
            chances.bar(j, 52, now[j], "live-new live-taken" if j == self.action else "live-new")
            chances.bar(j, 64, before[j], "live-old")
            logits.dot(j, self.logits[j])
        pictures = f'{chances.svg(self.alt)}<div class="live-reserve-actions"></div>{logits.svg(f"{self.alt} Logits.")}'
        above = '<div class="live-reserve-control"></div><div class="live-reserve-ratio-legend"></div>'
        return f'{above}{pictures}<div class="live-reserve-ratio"></div>'


def _four(name: str, value: Sequence[float]) -> list[float]:
    logits = np.asarray(value, dtype=float)
    if logits.shape != (4,) or not (np.abs(logits) <= LIMIT).all():  # NaN is refused as well
        raise ValueError(f"{name} must be 4 numbers in [−6, 6], got {value}")
    return logits.tolist()
