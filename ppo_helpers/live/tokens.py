"""What the still pictures of texts share; twins of tokens.js."""

import numpy as np

from ppo_helpers.live.fallback import number

PART = "⟨part of a character⟩"  # for readers, instead of the placeholder that decoding puts there
SMALLEST = 5e-324  # the least float above 0, JavaScript's Number.MIN_VALUE


def readable(piece: str) -> str:
    """A token's text, in which parts of a character are named. ``token_text`` shows their bytes."""
    return piece.replace("\N{REPLACEMENT CHARACTER}", PART)


def visible(piece: str) -> str:
    """A token for a small place: spaces and line ends made visible, parts of a character named in short."""
    return piece.replace(PART, "⟨part⟩").replace(" ", "·").replace("\n", "⏎")


def probability(logprob: float) -> float:
    """e to it, and 0 only if it is −∞: a softmax gives nobody 0, however little it leaves."""
    return 0.0 if np.isneginf(logprob) else max(float(np.exp(logprob)), SMALLEST)


def chance(p: float) -> str:
    """A probability with four decimals; one that is too small for them is not shown as 0."""
    return "< 0.0001" if 0 < p < 0.0001 else number(p, 4)
