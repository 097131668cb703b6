"""Tokens as live figures show them, and what is kept of the scores for the next one."""

from collections.abc import Callable

import numpy as np

PART = "⟨part of a character⟩"  # for readers, instead of the placeholder that decoding puts there
KEPT = 12  # candidates that are kept of every position
TEMPERATURES = np.arange(1, 21) / 10


def readable(piece: str) -> str:
    """A token's text, in which parts of a character are named. ``token_text`` shows their bytes."""
    return piece.replace("\N{REPLACEMENT CHARACTER}", PART)


def kept_row(scores: np.ndarray, real: int | None, decode: Callable[[int], str]) -> dict:
    """A position as the figures know it: with it they have the softmax of the whole vocabulary.

    Args:
        scores: (V,) finite scores of the next token.
        real: the token that really follows, None if nothing does.
        decode: the text of a token id.

    Returns:
        The likeliest tokens with their scores less the best one's, the same for the one that follows, and for each
        temperature the logarithm of what is left for all others.
    """
    scores = scores - scores.max()
    top = np.argsort(-scores, kind="stable")[:KEPT]
    known = top if real is None else np.append(top, real)
    others = np.delete(scores, known) / TEMPERATURES[:, None]  # (20, V − 12 or 13)
    return {
        "ids": top.tolist(),
        "pieces": [readable(decode(int(i))) for i in top],
        "logits": scores[top].round(5).tolist(),
        "real": real,
        "score": None if real is None else round(float(scores[real]), 5),
        "others": np.logaddexp.reduce(others, axis=1).round(5).tolist(),
    }
