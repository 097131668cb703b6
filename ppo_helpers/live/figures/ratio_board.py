"""Chapter 9's figure: the ratios of all tokens of a batch of texts, epoch by epoch."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.tokens import readable


class RatioBoard(LiveFigure):
    """Play the epochs on one batch: the ratio of each token, those without gradient, and whole responses.

    Responses stand in the order of their advantage, the best first. It opens at the last epoch; where there is motion
    it plays all epochs once when a reader first sees it.

    Args:
        prompts: B texts.
        pieces: B lists with the text of each of the T tokens, from ``token_text``.
        ratios: (E + 1, B, T) π_θ / π_old of each token after 0 … E epochs, positive; kept to four digits.
        advantages: (B, T) or, the same for all tokens of a response, (B,).
        mask: (B, T) bool, True for tokens that count; the others are not shown.
        clip_eps: half width ε of the band.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a shape does not fit, a ratio is not positive, an advantage not finite, or a response empty.
    """

    responses = traitlets.List(help="row, prompt, pieces and advantages of each response").tag(sync=True)
    ratios = traitlets.List(help="[epoch][response][token]").tag(sync=True)
    clip_eps = Number(0.2, low=0, high=1, above=True).tag(sync=True, linked=True)
    epoch = traitlets.Int(0).tag(sync=True, linked=True)
    chosen = traitlets.List([0, 0], help="response and token").tag(sync=True, linked=True)
    clipped_only = traitlets.Bool(False).tag(sync=True, linked=True)
    show_all = traitlets.Bool(False, help="all responses, not only the best and the worst").tag(sync=True, linked=True)

    def __init__(
        self,
        prompts: Sequence[str],
        pieces: Sequence[Sequence[str]],
        ratios: np.ndarray,
        advantages: np.ndarray,
        mask: np.ndarray,
        *,
        clip_eps: float = 0.2,
        alt: str,
        caption: str,
    ):
        ratios, mask, advantages = (
            np.asarray(ratios, dtype=float),
            np.asarray(mask),
            np.asarray(advantages, dtype=float),
        )
        _check_arrays(ratios, advantages, mask)
        shape = mask.shape
        if len(prompts) != shape[0] or [len(row) for row in pieces] != [shape[1]] * shape[0]:
            raise ValueError(f"prompts and pieces must be those of {shape[0]} responses of {shape[1]} tokens")
        each = np.broadcast_to(advantages if advantages.ndim == 2 else advantages[:, None], shape)
        responses = [
            _response(row, prompts[row], pieces[row], each[row], mask[row])
            for row in np.argsort(-np.nanmean(np.where(mask, each, np.nan), axis=1), kind="stable").tolist()
        ]
        rows = [response["row"] for response in responses]
        kept = [[[float(f"{r:.4g}") for r in frame[row][mask[row]]] for row in rows] for frame in ratios]
        moved = int(np.abs(np.log(kept[-1][0])).argmax())
        shown = {"epoch": len(kept) - 1, "chosen": [0, moved], "clip_eps": float(clip_eps)}
        super().__init__(alt=alt, caption=caption, responses=responses, ratios=kept, **shown)

    @traitlets.validate("epoch")
    def _check_epoch(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.ratios):
            raise ValueError(f"epoch must be in 0 … {len(self.ratios) - 1}, got {proposal['value']}")
        return proposal["value"]

    def facts(self) -> dict[str, float]:
        """At the epoch shown: the shares of tokens outside the band and without gradient, and the largest ratios."""
        rows = [np.array(row) for row in self.ratios[self.epoch]]
        r, a = np.concatenate(rows), np.concatenate([row["advantages"] for row in self.responses])
        return {
            "outside": float((np.abs(r - 1) > self.clip_eps).mean()),
            "clipped": float(is_clipped(r, a, self.clip_eps).mean()),
            "token": float(r.max()),
            "response": max(float(np.exp(np.log(row).sum())) for row in rows),
        }


def is_clipped(ratio: np.ndarray, advantage: np.ndarray, clip_eps: float) -> np.ndarray:
    """Whether the clip has taken the gradient away: the token has moved as far as its advantage may push it."""
    return ((advantage > 0) & (ratio > 1 + clip_eps)) | ((advantage < 0) & (ratio < 1 - clip_eps))


def _response(row: int, prompt: str, pieces: Sequence[str], advantages: np.ndarray, mask: np.ndarray) -> dict:
    """A response without its padding."""
    words = [readable(piece) for piece, counts in zip(pieces, mask, strict=True) if counts]
    return {"row": row, "prompt": prompt, "pieces": words, "advantages": advantages[mask].round(4).tolist()}


def _check_arrays(ratios: np.ndarray, advantages: np.ndarray, mask: np.ndarray) -> None:
    if ratios.ndim != 3 or min(ratios.shape) < 1 or not (np.isfinite(ratios) & (ratios > 0)).all():
        raise ValueError(f"ratios must be positive, (epochs, responses, tokens), got shape {ratios.shape}")
    shape = ratios.shape[1:]
    if mask.shape != shape or mask.dtype != bool or not mask.any(axis=1).all():
        raise ValueError(f"mask must be bool of shape {shape}, True somewhere in each row, got {mask.shape}")
    if advantages.shape not in (shape, shape[:1]) or not np.isfinite(advantages).all():
        raise ValueError(f"advantages must be finite, {shape} or {shape[:1]}, got shape {advantages.shape}")
