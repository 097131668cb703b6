"""Chapter 8's figure: a sentence in tokens, and for the chosen one what the model expects next."""

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number, named_svg
from ppo_helpers.live.fallback import number
from ppo_helpers.live.tokens import SMALLEST, chance, probability, readable, visible

KEPT = 12  # candidates that are kept of every position
TEMPERATURES = np.arange(1, 21) / 10
ROW = 25  # height of a bar's line


class TokenExplorer(LiveFigure):
    """Click through sentences: next-token probabilities at a temperature, cut to the top k or not, and running sums.

    Of each position the likeliest tokens are kept, and for every temperature of the slider the logarithm of the sum
    over *all* tokens, so that what the page shows is the full softmax.

    Args:
        pieces: N sentences, each a list of its L ≥ 2 tokens as text, from ``token_text``.
        ids: N lists with the ids of these tokens.
        logits: N arrays (L, V), what the model returns for the sentence: row t scores the token after token t.
        decode: the text of a token id.
        token: position that is shown first.
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if the sentences' lengths differ from those of their ids or logits, an id is not in the vocabulary,
            or a score is not finite.
    """

    _js = ("plot.js", "tokens.js", "token_explorer.js")
    sentences = traitlets.List(help="pieces, and of each position the kept scores").tag(sync=True)
    vocabulary = traitlets.Int().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    start = traitlets.Int(0, help="what Reset goes back to").tag(sync=True)
    temperature = Number(1.0, low=0.1, high=2.0).tag(sync=True)
    top_k = traitlets.Int(KEPT + 1, help="beyond the kept candidates: no cut").tag(sync=True)

    def __init__(
        self,
        pieces: Sequence[Sequence[str]],
        ids: Sequence[Sequence[int]],
        logits: Sequence[np.ndarray],
        decode: Callable[[int], str],
        *,
        token: int = 0,
        alt: str,
    ):
        if not pieces or not len(pieces) == len(ids) == len(logits):
            got = f"{len(pieces)}, {len(ids)} and {len(logits)}"
            raise ValueError(f"pieces, ids and logits must be of the same sentences, at least one, got {got}")
        scores = [np.asarray(x, dtype=float) for x in logits]
        for i, (words, numbers, x) in enumerate(zip(pieces, ids, scores, strict=True)):
            _check_sentence(i, words, numbers, x)
        if not 0 <= token < len(pieces[0]):
            raise ValueError(
                f"token must be in 0 … {len(pieces[0]) - 1}, a position of the first sentence, got {token}"
            )
        sentences = [
            {"pieces": [readable(word) for word in words], "rows": _rows(numbers, x, decode)}
            for words, numbers, x in zip(pieces, ids, scores, strict=True)
        ]
        super().__init__(alt=alt, sentences=sentences, vocabulary=scores[0].shape[1], token=token, start=token)

    @traitlets.validate("top_k")
    def _check_top_k(self, proposal) -> int:
        if not 1 <= proposal["value"] <= KEPT + 1:
            raise ValueError(f"top_k must be in 1 … {KEPT}, or {KEPT + 1} for no cut, got {proposal['value']}")
        return proposal["value"]

    def candidates(self) -> np.ndarray:
        """(12,) probabilities of the kept candidates for the next token."""
        row = self.sentences[self.sentence]["rows"][self.token]
        logprobs = np.array(row["logits"]) / self.temperature - self._normaliser(row)
        kept = self.top_k > KEPT or np.arange(KEPT) < self.top_k
        return np.array([probability(x) for x in np.where(kept, logprobs, -np.inf)])

    def logprobs(self) -> list[float]:
        """(L − 1,) log-probs of the sentence's tokens from the second on; −inf for those that the cut leaves out."""
        return [self._next_logprob(row) for row in self.sentences[self.sentence]["rows"][:-1]]

    def _normaliser(self, row: dict) -> float:
        if self.top_k > KEPT:
            return row["totals"][round(10 * self.temperature) - 1]
        return float(np.logaddexp.reduce(np.array(row["logits"][: self.top_k]) / self.temperature))

    def _next_logprob(self, row: dict) -> float:
        kept = self.top_k > KEPT or row["real"] in row["ids"][: self.top_k]
        return row["score"] / self.temperature - self._normaliser(row) if kept else -np.inf

    def fallback(self) -> str:
        return (
            f'<div class="live-reserve-control"></div><div class="live-reserve-buttons"></div>{self._chips()}'
            f'<p class="live-said" style="--wide: 2; --narrow: 4">{escape(self._words())}</p>{self._bars()}'
            f'{"<div class=live-reserve-control></div>" * 2}<dl class="live-numbers">{self._facts()}</dl>'
        )

    def _chips(self) -> str:
        below = ["–", *(number(x, 2) for x in self.logprobs())]
        chip = '<span class="live-token"{}><span>{}</span><small>{}</small></span>'
        chips = [
            chip.format(' aria-current="true"' if t == self.token else "", escape(visible(piece)), value)
            for t, (piece, value) in enumerate(zip(self.sentences[self.sentence]["pieces"], below, strict=True))
        ]
        return f'<div class="live-text">{"".join(chips)}</div>'

    def _words(self) -> str:
        pieces, t = self.sentences[self.sentence]["pieces"], self.token
        row = self.sentences[self.sentence]["rows"][t]
        if row["real"] is None:
            return f"After “{pieces[t]}” nothing is written yet; the likeliest is “{row['pieces'][0]}”."
        logprob = self._next_logprob(row)
        return (
            f"After “{pieces[t]}” the model gives “{pieces[t + 1]}” probability {chance(probability(logprob))}, "
            f"a log-probability of {number(logprob, 3)}."
        )

    def _bars(self) -> str:
        row = self.sentences[self.sentence]["rows"][self.token]
        chances = self.candidates()
        lines = [(row["pieces"][i], p, row["ids"][i] == row["real"]) for i, p in enumerate(chances)]
        if row["real"] is not None and row["real"] not in row["ids"]:
            p = probability(self._next_logprob(row))
            lines.append((self.sentences[self.sentence]["pieces"][self.token + 1], p, True))
        drawn = [_bar(i, visible(w), p, chances.max(), real) for i, (w, p, real) in enumerate(lines)]
        drawn.append(_bar(KEPT + 1, "all others", self._rest([p for _, p, _ in lines]), np.inf, None))
        svg = named_svg("".join(drawn), 540, ROW * (KEPT + 2), self.alt)
        return svg.replace("<svg ", '<svg class="live-plot" ', 1)

    def _rest(self, shown: list[float]) -> float:
        """What all other tokens have together: nothing after a cut, else a little at least."""
        return 0.0 if self.top_k <= KEPT or len(shown) == self.vocabulary else max(1 - sum(shown), SMALLEST)

    def _facts(self) -> str:
        logprobs, t = self.logprobs(), self.token
        so_far = logprobs[: t + 1]
        shown = [
            ("log-prob of the next token", number(logprobs[t], 3) if t < len(logprobs) else "–"),
            ("sum from the start", number(sum(so_far), 3)),
            ("geometric mean", chance(probability(np.mean(so_far)))),
        ]
        return "".join(f"<div><dt>{term}</dt><dd>{escape(value)}</dd></div>" for term, value in shown)


def _rows(ids: Sequence[int], logits: np.ndarray, decode: Callable[[int], str]) -> list[dict]:
    """Of each position: the likeliest tokens, the normaliser at each temperature, and the token that really follows."""
    rows = []
    for scores, real in zip(logits, [*list(ids)[1:], None], strict=True):
        top = np.argsort(-scores, kind="stable")[:KEPT]
        totals = [float(np.logaddexp.reduce(scores / t)) for t in TEMPERATURES]
        row = {
            "ids": top.tolist(),
            "pieces": [readable(decode(int(i))) for i in top],
            "logits": scores[top].round(5).tolist(),
        }
        row |= {"totals": np.round(totals, 5).tolist(), "real": None if real is None else int(real)}
        rows.append(row | {"score": None if real is None else round(float(scores[real]), 5)})
    return rows


def _check_sentence(i: int, pieces: Sequence[str], ids: Sequence[int], logits: np.ndarray) -> None:
    if len(pieces) < 2 or len(ids) != len(pieces):
        raise ValueError(f"pieces[{i}] and ids[{i}] must be equally long, at least 2, got {len(pieces)} and {len(ids)}")
    if logits.ndim != 2 or len(logits) != len(pieces) or logits.shape[1] <= KEPT:
        raise ValueError(
            f"logits[{i}] must have shape (tokens, vocabulary) = ({len(pieces)}, > {KEPT}), got {logits.shape}"
        )
    if not np.isfinite(logits).all():
        raise ValueError(f"logits[{i}] must be finite, got NaN or infinity")
    if not all(0 <= token < logits.shape[1] for token in ids):
        raise ValueError(f"ids[{i}] must be in [0, {logits.shape[1] - 1}], got {list(ids)}")


def _bar(line: int, word: str, p: float, most: float, real: bool | None) -> str:
    y, width = ROW * line, 265 * p / most
    kind = "live-rest" if real is None else "live-chance live-real" if real else "live-chance"
    return (
        f'<text x="165" y="{y + 18}" text-anchor="end" class="live-label">{escape(word)}</text>'
        f'<rect x="175" y="{y + 3}" width="{max(width, 1):.1f}" height="19" rx="2" class="{kind}"/>'
        f'<text x="{182 + width:.1f}" y="{y + 18}" class="live-label">{escape(chance(p))}</text>'
    )
