"""Chapter 9's figure: the ratios of all tokens of a batch of texts, epoch by epoch."""

from collections.abc import Sequence
from html import escape

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.fallback import number, value_color
from ppo_helpers.live.tokens import readable, visible


class RatioBoard(LiveFigure):
    """Scrub through the epochs on one batch: the ratio of each token, those without gradient, and whole responses.

    Args:
        prompts: B texts.
        pieces: B lists with the text of each of the T tokens, from ``token_text``.
        ratios: (E + 1, B, T) π_θ / π_old of each token after 0 … E epochs, positive; kept to four digits.
        advantages: (B, T) or, the same for all tokens of a response, (B,).
        mask: (B, T) bool, True for tokens that count; the others are not shown.
        clip_eps: half width ε of the band.
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if a shape does not fit, a ratio is not positive, an advantage not finite, or a response empty.
    """

    _js = ("grid_view.js", "tokens.js", "ratio_board.js")
    responses = traitlets.List(help="prompt, pieces and advantages of each response").tag(sync=True)
    ratios = traitlets.List(help="[epoch][response][token]").tag(sync=True)
    clip_eps = Number(0.2, low=0, high=1, above=True).tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)

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
    ):
        ratios, mask = np.asarray(ratios, dtype=float), np.asarray(mask)
        if ratios.ndim != 3 or min(ratios.shape) < 1 or not (np.isfinite(ratios) & (ratios > 0)).all():
            raise ValueError(f"ratios must be positive, (epochs, responses, tokens), got shape {ratios.shape}")
        shape = ratios.shape[1:]
        if mask.shape != shape or mask.dtype != bool or not mask.any(axis=1).all():
            raise ValueError(f"mask must be bool of shape {shape}, True somewhere in each row, got {mask.shape}")
        advantages = np.asarray(advantages, dtype=float)
        if advantages.shape not in (shape, shape[:1]) or not np.isfinite(advantages).all():
            raise ValueError(f"advantages must be finite, {shape} or {shape[:1]}, got shape {advantages.shape}")
        if len(prompts) != shape[0] or [len(row) for row in pieces] != [shape[1]] * shape[0]:
            raise ValueError(f"prompts and pieces must be those of {shape[0]} responses of {shape[1]} tokens")
        each = np.broadcast_to(advantages if advantages.ndim == 2 else advantages[:, None], shape)
        responses = [
            {
                "prompt": prompt,
                "pieces": [readable(piece) for piece, real in zip(row, real_ones, strict=True) if real],
                "advantages": own[real_ones].round(4).tolist(),
            }
            for prompt, row, real_ones, own in zip(prompts, pieces, mask, each, strict=True)
        ]
        kept = [
            [[float(f"{r:.4g}") for r in row[real]] for row, real in zip(frame, mask, strict=True)] for frame in ratios
        ]
        super().__init__(alt=alt, responses=responses, ratios=kept, clip_eps=float(clip_eps), epoch=len(kept) - 1)

    def facts(self) -> dict[str, float]:
        """Shares and largest ratios of the epoch that is shown."""
        rows = [np.array(row) for row in self.ratios[self.epoch]]
        r, a = np.concatenate(rows), np.concatenate([row["advantages"] for row in self.responses])
        return {
            "tokens outside the band": float((np.abs(r - 1) > self.clip_eps).mean()),
            "without gradient": float(self._clipped(r, a).mean()),
            "largest ratio of a token": float(r.max()),
            "largest of a whole response": max(float(np.exp(np.log(row).sum())) for row in rows),
        }

    def _clipped(self, ratio: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        high, low = 1 + self.clip_eps, 1 - self.clip_eps
        return ((advantage > 0) & (ratio > high)) | ((advantage < 0) & (ratio < low))

    def fallback(self) -> str:
        facts = self.facts()
        shown = [f"{number(100 * v)} %" if i < 2 else number(v, 2) for i, v in enumerate(facts.values())]
        numbers = "".join(f"<div><dt>{t}</dt><dd>{v}</dd></div>" for t, v in zip(facts, shown, strict=True))
        rows = "".join(
            self._row(row, np.array(own)) for row, own in zip(self.responses, self.ratios[self.epoch], strict=True)
        )
        colors = ", ".join(value_color(v) for v in (-5, -2.5, 0, 2.5, 5))
        return (
            '<div class="live-reserve-control"></div><div class="live-reserve-buttons"></div>'
            f'<p class="live-ramp">ratio 0.67<span style="background: linear-gradient(to right, {colors})"></span>1.5'
            "<small>▲▼ sign of the advantage; dashed: clipped</small></p>"
            f'<div class="live-board-scroll" tabindex="0" role="region" aria-label="{escape(self.alt)}">{rows}</div>'
            f'<p class="live-said" style="--wide: 2; --narrow: 4"></p><dl class="live-numbers">{numbers}</dl>'
        )

    def _row(self, response: dict, ratios: np.ndarray) -> str:
        advantages = np.array(response["advantages"])
        chips = [
            f'<span class="live-token live-colored{" live-clipped" if still else ""}" style="background-color: '
            f'{ratio_color(r)}"><span>{escape(visible(piece))}</span>'
            f"<small>{'▲' if a > 0 else '▼' if a < 0 else ''}{number(r, 2)}</small></span>"
            for piece, r, a, still in zip(
                response["pieces"], ratios, advantages, self._clipped(ratios, advantages), strict=True
            )
        ]
        total = np.log(ratios).sum()
        words = f"per token {number(np.exp(total / len(ratios)), 2)}, whole {number(np.exp(total), 2)}"
        return (
            f'<div class="live-response"><span class="live-prompt">{escape(response["prompt"])}</span>'
            f'<div class="live-text">{"".join(chips)}</div><span class="live-of-response">{words}</span></div>'
        )


def ratio_color(ratio: float) -> str:
    """Terracotta below 1, sand at 1, teal above; full colour at a factor of 1.5."""
    return value_color(float(5 * np.log(ratio) / np.log(1.5)))
