"""Chapters 9 and 11: the same prompt and the same dice, before and after training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import AskingFigure, Number
from ppo_helpers.live.tokens import readable

Answer = Callable[[str, int], Sequence[dict]]
PARTS = {"pieces", "kl", "score"}


class BeforeAfter(AskingFigure):
    """Policies answer one prompt with the same dice: what each token costs, what the text earns.

    In a notebook the policies behind ``answer`` write. The page has no kernel: there a reader wakes the bundled model
    and what a chapter has made of it. With ``counts`` these are the two policies of chapter 9, whose reader counts
    words; without, the three of chapter 11 and its reward model.

    Args:
        answer: from a prompt and a seed one response of each policy, a dict with ``pieces`` (its tokens as text),
            ``kl`` (log π − log π_ref of each, nats) and ``score`` (of the whole response); perhaps also ``rewards``,
            what each token adds to the score. Without them the last token earns all of it.
        names: what the policies are called.
        prompts: to choose from; the first is shown.
        seed: of the dice at first.
        beta: the price of KL at first; with ``counts`` there is none.
        counts: points of the words that the page's reader counts, and under ``""`` what every word adds.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if there is no prompt, the names are not as many as the page's policies, or an answer has another
            form.
    """

    names = traitlets.List().tag(sync=True)
    prompts = traitlets.List().tag(sync=True)
    counts = traitlets.Dict().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)
    texts = traitlets.List(help="pieces, kl, score and perhaps rewards by policy").tag(sync=True)
    first = traitlets.Dict(help="prompt, seed, texts and beta at the beginning, for Reset").tag(sync=True)
    beta = Number(0.1, low=0.0, high=0.4).tag(sync=True, linked=True)

    def __init__(
        self,
        answer: Answer,
        names: Sequence[str],
        prompts: Sequence[str],
        *,
        seed: int = 0,
        beta: float = 0.1,
        counts: Mapping[str, float] | None = None,
        alt: str,
        caption: str,
    ):
        wanted = 2 if counts else 3
        if len(names) != wanted or not prompts:
            raise ValueError(f"names must be {wanted} and prompts one or more, got {len(names)} and {len(prompts)}")
        if not 0 <= beta <= 0.4:
            raise ValueError(f"beta must be in [0, 0.4], got {beta}")
        self._policies, self._wanted = answer, wanted
        first = {"prompt": prompts[0], "seed": seed, "texts": self._texts(prompts[0], seed)}
        first["beta"] = 0.0 if counts else beta
        super().__init__(
            alt=alt, caption=caption, names=list(names), prompts=list(prompts), counts=dict(counts or {}), first=first,
            **first,
        )  # fmt: skip

    def reply(self, asked: dict) -> dict:
        """One response of each policy to a prompt."""
        return {"texts": self._texts(asked["prompt"], asked["seed"])}

    def _texts(self, prompt: str, seed: int) -> list[dict]:
        texts = list(self._policies(prompt, seed))
        if len(texts) != self._wanted:
            raise ValueError(f"answer must give {self._wanted} responses, got {len(texts)}")
        return [_clean(text) for text in texts]


def _clean(text: dict) -> dict:
    if not text.keys() >= PARTS:
        raise ValueError(f"answer must give pieces, kl and score, got {sorted(text)}")
    pieces, kl, score = [readable(piece) for piece in text["pieces"]], _numbers(text["kl"]), float(text["score"])
    if not pieces or len(kl) != len(pieces) or not np.isfinite([*kl, score]).all():
        raise ValueError(f"answer must give a finite kl for each of its pieces, got {len(kl)} for {len(pieces)}")
    found = {"pieces": pieces, "kl": kl, "score": score}
    if "rewards" not in text:
        return found
    rewards = _numbers(text["rewards"])
    if len(rewards) != len(pieces) or not np.isclose(sum(rewards), score, atol=1e-6):
        raise ValueError(f"answer must give a reward for each piece, {score:g} in all, got {rewards}")
    return found | {"rewards": rewards}


def _numbers(values: Sequence[float]) -> list[float]:
    return [float(x) for x in values]
