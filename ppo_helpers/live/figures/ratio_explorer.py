"""Chapter 5's figure: four probabilities to push, and what that does to the ratio, the surrogate and its gradient."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number

LIMIT = 6.0  # logits stay within ±6
RATE = 0.25  # of the gradient, in one step


class RatioExplorer(LiveFigure):
    """Push a policy over four moves away from π_old, by hand or by gradient steps on ratio · A.

    The gradient with respect to logit j is ratio · A · (1[a = j] − π_θ(j)): the policy gradient, times the ratio.
    The figure opens after ``steps`` steps and, where motion is welcome, shows how it came there.

    Args:
        old_logits: logits of π_old for up, right, down and left, in [−6, 6].
        action: the move that was taken: 0 up, 1 right, 2 down, 3 left.
        advantage: A of that move, in [−3, 3].
        steps: gradient steps that have been made already.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if an argument is out of range, at the start or later.
    """

    old_logits = traitlets.List().tag(sync=True)
    logits = traitlets.List(help="the policy's logits now").tag(sync=True, linked=True)
    action = traitlets.Int(0).tag(sync=True, linked=True)
    advantage = Number(1.0, low=-3.0, high=3.0).tag(sync=True, linked=True)
    steps = traitlets.Int(0, help="gradient steps since the reader last changed something by hand").tag(
        sync=True, linked=True
    )

    def __init__(
        self,
        old_logits: Sequence[float] = (-1.0, 1.0, 0.5, 0.0),
        action: int = 0,
        advantage: float = 1.0,
        steps: int = 10,
        *,
        alt: str,
        caption: str,
    ):
        old = _four("old_logits", old_logits)
        known = {"old_logits": old, "logits": old, "action": action, "advantage": float(advantage), "steps": steps}
        super().__init__(alt=alt, caption=caption, **known)
        for _ in range(steps):
            self.logits = self.next_logits()

    @traitlets.validate("old_logits", "logits")
    def _check_logits(self, proposal) -> list[float]:
        return _four(proposal["trait"].name, proposal["value"])

    @traitlets.validate("action")
    def _check_action(self, proposal) -> int:
        if not 0 <= proposal["value"] <= 3:
            raise ValueError(f"action must be 0 up, 1 right, 2 down or 3 left, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("steps")
    def _check_steps(self, proposal) -> int:
        if not proposal["value"] >= 0:
            raise ValueError(f"steps must be 0 or more, got {proposal['value']}")
        return proposal["value"]

    def ratio(self) -> float:
        """π_θ / π_old of the move that was taken."""
        return float(_softmax(self.logits)[self.action] / _softmax(self.old_logits)[self.action])

    def next_logits(self) -> list[float]:
        """The logits after one more step, a quarter of the gradient of ratio · A, each kept within ±6."""
        push = self.ratio() * self.advantage * (np.eye(4)[self.action] - _softmax(self.logits))
        return np.clip(np.array(self.logits) + RATE * push, -LIMIT, LIMIT).tolist()


def _softmax(logits: Sequence[float]) -> np.ndarray:
    powers = np.exp(np.array(logits) - max(logits))
    return powers / powers.sum()


def _four(name: str, value: Sequence[float]) -> list[float]:
    logits = np.asarray(value, dtype=float)
    if logits.shape != (4,) or not (np.abs(logits) <= LIMIT).all():  # NaN is refused as well
        raise ValueError(f"{name} must be 4 numbers in [−6, 6], got {value}")
    return logits.tolist()
