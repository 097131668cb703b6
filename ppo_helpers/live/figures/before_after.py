"""Chapter 11's second figure: the same prompt and the same dice, before and after training."""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import AskingFigure, Number
from ppo_helpers.live.tokens import readable

Answer = Callable[[str, int], Sequence[dict]]
PARTS = {"pieces", "kl", "score"}


class BeforeAfter(AskingFigure):
    """Three policies answer one prompt with the same dice: what each token costs, what the reward model says.

    In a notebook the policies behind ``answer`` write. The page has no kernel: there a reader wakes the bundled model
    and what chapter 11 has made of it.

    Args:
        answer: from a prompt and a seed three responses, each a dict with ``pieces`` (its tokens as text), ``kl``
            (log π − log π_ref of each, nats) and ``score`` (the reward model's).
        names: what the three policies are called. The page knows the fine-tuned one, the one at a price of KL, and the
            one without.
        prompts: to choose from; the first is shown.
        seed: of the dice at first.
        beta: the price of KL at first.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if there is no prompt, there are not three names, or an answer has another form.
    """

    names = traitlets.List().tag(sync=True)
    prompts = traitlets.List().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)
    texts = traitlets.List(help="pieces, kl and score by policy").tag(sync=True)
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
        alt: str,
        caption: str,
    ):
        if len(names) != 3 or not prompts:
            raise ValueError(f"names must be three and prompts one or more, got {len(names)} and {len(prompts)}")
        if not 0 <= beta <= 0.4:
            raise ValueError(f"beta must be in [0, 0.4], got {beta}")
        self._three = answer
        first = {"prompt": prompts[0], "seed": seed, "texts": self._texts(prompts[0], seed), "beta": beta}
        super().__init__(alt=alt, caption=caption, names=list(names), prompts=list(prompts), first=first, **first)

    def reply(self, asked: dict) -> dict:
        """Three responses to a prompt."""
        return {"texts": self._texts(asked["prompt"], asked["seed"])}

    def _texts(self, prompt: str, seed: int) -> list[dict]:
        texts = list(self._three(prompt, seed))
        if len(texts) != 3:
            raise ValueError(f"answer must give three responses, got {len(texts)}")
        return [_clean(text) for text in texts]


def _clean(text: dict) -> dict:
    if not text.keys() >= PARTS:
        raise ValueError(f"answer must give pieces, kl and score, got {sorted(text)}")
    pieces, kl = [readable(piece) for piece in text["pieces"]], [float(x) for x in text["kl"]]
    if not pieces or len(kl) != len(pieces) or not np.isfinite([*kl, text["score"]]).all():
        raise ValueError(f"answer must give a finite kl for each of its pieces, got {len(kl)} for {len(pieces)}")
    return {"pieces": pieces, "kl": kl, "score": float(text["score"])}
