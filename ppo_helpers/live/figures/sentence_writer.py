"""Chapter 8's first figure: write a sentence with a language model, token by token."""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import AskingFigure, Number
from ppo_helpers.live.tokens import KEPT, kept_row, readable

Scores = Callable[[list[int]], np.ndarray]


class SentenceWriter(AskingFigure):
    """Go on with a text: click a bar or roll the dice; the log-probability of what was written runs along.

    In a notebook the model behind ``scores`` answers. The page has no kernel: there a reader wakes the bundled model.

    Args:
        scores: gives for N ≥ 1 token ids the (V,) scores of the token after them, finite.
        encode: the token ids of a text.
        decode: the text of a token id, from ``token_text``.
        prompt: the text that is shown first.
        context: how many tokens the model can read.
        end: the id of the token that ends a text, None if there is none.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if the prompt has no token or fills the context, or the scores are not (V,) finite numbers.
    """

    prompt = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(help="id, piece, and logprob: None for those of the prompt").tag(sync=True)
    row = traitlets.Dict(help="what may come next").tag(sync=True)
    first = traitlets.Dict(help="prompt, tokens and row at the beginning, for Reset").tag(sync=True)
    context = traitlets.Int().tag(sync=True)
    end = traitlets.Int(allow_none=True).tag(sync=True)
    temperature = Number(1.0, low=0.1, high=2.0).tag(sync=True, linked=True)
    top_k = traitlets.Int(KEPT + 1, help="beyond the kept candidates: no cut").tag(sync=True, linked=True)

    def __init__(
        self,
        scores: Scores,
        encode: Callable[[str], Sequence[int]],
        decode: Callable[[int], str],
        *,
        prompt: str,
        context: int,
        end: int | None = None,
        alt: str,
        caption: str,
    ):
        self._scores, self._encode, self._decode = scores, encode, decode
        self._dice = np.random.default_rng()
        if context < 2:
            raise ValueError(f"context must be at least 2, got {context}")
        first = {"prompt": prompt, **self._begin(prompt, context)}
        super().__init__(alt=alt, caption=caption, first=first, **first, context=context, end=end)

    def reply(self, asked: dict) -> dict:
        """What comes after a text: anew, after these ids, or one token drawn."""
        if "text" in asked:
            return self._begin(asked["text"], self.context)
        if "draw" not in asked:
            return {"row": self._row(asked["ids"])}
        token = self._drawn(asked["ids"], **asked["draw"])
        return {"token": token, "row": self._row([*asked["ids"], token["id"]])}

    def _begin(self, text: str, context: int) -> dict:
        ids = [int(i) for i in self._encode(text)]
        if not 0 < len(ids) < context:
            raise ValueError(f"prompt must have 1 to {context - 1} tokens, got {len(ids)}")
        return {"tokens": [self._token(i, None) for i in ids], "row": self._row(ids)}

    def _token(self, token: int, logprob: float | None) -> dict:
        return {"id": token, "piece": readable(self._decode(token)), "logprob": logprob}

    def _row(self, ids: list[int]) -> dict:
        return kept_row(self._checked(ids), None, self._decode)

    def _drawn(self, ids: list[int], temperature: float, top_k: int) -> dict:
        """A token of the whole softmax at a temperature, or of the cut one, with its log-probability there."""
        scores = self._checked(ids) / temperature
        if top_k <= KEPT:
            scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
        logprobs = scores - np.logaddexp.reduce(scores)
        probs = np.exp(logprobs)
        token = int(self._dice.choice(len(probs), p=probs / probs.sum()))
        return self._token(token, float(logprobs[token]))

    def _checked(self, ids: list[int]) -> np.ndarray:
        scores = np.array(self._scores(ids), dtype=float)
        if scores.ndim != 1 or len(scores) <= KEPT or not np.isfinite(scores).all():
            raise ValueError(f"scores must give (V > {KEPT},) finite numbers, got an array of shape {scores.shape}")
        return scores
