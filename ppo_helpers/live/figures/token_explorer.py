"""Chapter 8's figure: a sentence in tokens, and for the chosen one what the model expects next."""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.tokens import KEPT, kept_row, readable

SMALLEST = 5e-324  # the least float above 0, JavaScript's Number.MIN_VALUE


class TokenExplorer(LiveFigure):
    """Click through sentences: next-token probabilities at a temperature, cut to the top k or not, and running sums.

    Of each position the likeliest tokens are kept, and for every temperature of the slider what all others have
    together, so that what the page shows is the full softmax.

    Args:
        pieces: N sentences, each a list of its L ≥ 2 tokens as text, from ``token_text``.
        ids: N lists with the ids of these tokens.
        logits: N arrays (L, V), what the model returns for the sentence: row t scores the token after token t.
        decode: the text of a token id.
        token: position of the first sentence that is shown first.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if the sentences' lengths differ from those of their ids or logits, an id is not in the vocabulary,
            or a score is not finite.
    """

    sentences = traitlets.List(help="pieces, and of each position the kept scores").tag(sync=True)
    vocabulary = traitlets.Int().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True, linked=True)
    token = traitlets.Int(0).tag(sync=True, linked=True)
    start = traitlets.Int(0, help="where the first reading ends, and what Reset goes back to").tag(sync=True)
    temperature = Number(1.0, low=0.1, high=2.0).tag(sync=True, linked=True)
    top_k = traitlets.Int(KEPT + 1, help="beyond the kept candidates: no cut").tag(sync=True, linked=True)

    def __init__(
        self,
        pieces: Sequence[Sequence[str]],
        ids: Sequence[Sequence[int]],
        logits: Sequence[np.ndarray],
        decode: Callable[[int], str],
        *,
        token: int = 0,
        alt: str,
        caption: str,
    ):
        if not pieces or not len(pieces) == len(ids) == len(logits):
            got = f"{len(pieces)}, {len(ids)} and {len(logits)}"
            raise ValueError(f"pieces, ids and logits must be of the same sentences, at least one, got {got}")
        scores = [np.asarray(x, dtype=float) for x in logits]
        for i, (words, numbers, x) in enumerate(zip(pieces, ids, scores, strict=True)):
            _check_sentence(i, words, numbers, x)
        if not 0 <= token < len(pieces[0]):
            place = f"0 … {len(pieces[0]) - 1}, a position of the first sentence"
            raise ValueError(f"token must be in {place}, got {token}")
        sentences = [
            {"pieces": [readable(word) for word in words], "rows": _rows(numbers, x, decode)}
            for words, numbers, x in zip(pieces, ids, scores, strict=True)
        ]
        shown = {"vocabulary": scores[0].shape[1], "token": token, "start": token}
        super().__init__(alt=alt, caption=caption, sentences=sentences, **shown)

    @traitlets.validate("temperature")
    def _check_temperature(self, proposal) -> float:
        if abs(10 * proposal["value"] - round(10 * proposal["value"])) > 1e-6:
            raise ValueError(f"temperature must be a whole number of tenths, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("top_k")
    def _check_top_k(self, proposal) -> int:
        if not 1 <= proposal["value"] <= KEPT + 1:
            raise ValueError(f"top_k must be in 1 … {KEPT}, or {KEPT + 1} for no cut, got {proposal['value']}")
        return proposal["value"]

    def candidates(self) -> np.ndarray:
        """(12,) probabilities of the kept candidates for the next token."""
        row = self.sentences[self.sentence]["rows"][self.token]
        logprobs = np.array(row["logits"]) / self.temperature - self._normaliser(row)
        return np.array([probability(x) for x in np.where(np.arange(KEPT) < self.top_k, logprobs, -np.inf)])

    def rest(self) -> float:
        """What all other tokens have together: those that are neither kept nor the one that follows."""
        row = self.sentences[self.sentence]["rows"][self.token]
        return probability(self._others(row) - self._normaliser(row)) if self.top_k > KEPT else 0.0

    def logprobs(self) -> list[float]:
        """(L − 1,) log-probs of the sentence's tokens from the second on; −inf for those that the cut leaves out."""
        return [self._next_logprob(row) for row in self.sentences[self.sentence]["rows"][:-1]]

    def _others(self, row: dict) -> float:
        return row["others"][round(10 * self.temperature) - 1]

    def _normaliser(self, row: dict) -> float:
        kept = [x / self.temperature for x in row["logits"][: self.top_k]]
        if self.top_k <= KEPT:
            return log_sum_exp(kept)
        beyond = [] if row["real"] in (None, *row["ids"]) else [row["score"] / self.temperature]
        return log_sum_exp([*kept, *beyond, self._others(row)])

    def _next_logprob(self, row: dict) -> float:
        kept = self.top_k > KEPT or row["real"] in row["ids"][: self.top_k]
        return row["score"] / self.temperature - self._normaliser(row) if kept else -np.inf


def log_sum_exp(scores: Sequence[float]) -> float:
    """log(e^a + e^b + …). The largest one stands outside the sum: what the others add to it is never rounded away."""
    most, *less = sorted(scores, reverse=True)
    added = max(float(np.exp(np.array(less) - most).sum()), SMALLEST) if less else 0.0
    return most + float(np.log1p(added))


def probability(logprob: float) -> float:
    """e to it: 0 only if it is −∞ and 1 only if it is 0, for a softmax rules nothing out and nothing else in."""
    if np.isneginf(logprob):
        return 0.0
    below = np.nextafter(1.0, 0.0) if logprob < 0 else 1.0
    return float(np.clip(np.exp(logprob), SMALLEST, below))


def _rows(ids: Sequence[int], logits: np.ndarray, decode: Callable[[int], str]) -> list[dict]:
    """What is kept of every position."""
    following = [*(int(i) for i in ids[1:]), None]
    return [kept_row(scores, real, decode) for scores, real in zip(logits, following, strict=True)]


def _check_sentence(i: int, pieces: Sequence[str], ids: Sequence[int], logits: np.ndarray) -> None:
    if len(pieces) < 2 or len(ids) != len(pieces):
        raise ValueError(f"pieces[{i}] and ids[{i}] must be equally long, at least 2, got {len(pieces)} and {len(ids)}")
    if logits.ndim != 2 or len(logits) != len(pieces) or logits.shape[1] <= KEPT + 1:
        wanted = f"(tokens, vocabulary) = ({len(pieces)}, > {KEPT + 1})"
        raise ValueError(f"logits[{i}] must have shape {wanted}, got {logits.shape}")
    if not np.isfinite(logits).all():
        raise ValueError(f"logits[{i}] must be finite, got NaN or infinity")
    if not all(0 <= token < logits.shape[1] for token in ids):
        raise ValueError(f"ids[{i}] must be in [0, {logits.shape[1] - 1}], got {list(ids)}")
