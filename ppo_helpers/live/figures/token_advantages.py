"""Chapter 10's figure: a text token by token, what each token earns, what the critic says, and the advantage."""

from collections.abc import Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.tokens import readable

LONGEST = 14  # tokens that find room below one another on a laptop's screen
DEAREST = 0.5  # the largest β of the dial


class TokenAdvantages(LiveFigure):
    """Move λ and β, and see reward, value and advantage of every token of a text.

    Where there is motion, λ rises from 0 once when a reader first sees the figure: the score that is paid at the last
    token travels back through the text.

    Args:
        prompts: B texts.
        pieces: B lists with the text of each of the T tokens, from ``token_text``.
        logprobs: (B, T) nats, of the policy.
        ref_logprobs: (B, T) nats, of the reference.
        values: (B, T) the critic's value of the text before each token, reward points.
        scores: (B,) reward points, paid at the last real token.
        mask: (B, T) bool, True for real tokens, at most 14 of them in a row; the others are not shown.
        beta: price of KL, reward points per nat, in [0, 0.5].
        lam: λ in [0, 1].
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a shape does not fit, a number that counts is not finite, a text is empty or too long, or
            ``beta`` or ``lam`` is out of range.
    """

    texts = traitlets.List(help="prompt, pieces, log-ratios, values and score of each text").tag(sync=True)
    text = traitlets.Int(0, help="the text that is shown").tag(sync=True, linked=True)
    token = traitlets.Int(0, help="the token that is explained").tag(sync=True, linked=True)
    beta = Number(0.1, low=0, high=DEAREST).tag(sync=True, linked=True)
    lam = Number(0.95, low=0, high=1).tag(sync=True, linked=True)
    critic = traitlets.Bool(True, help="False: as if every value were 0").tag(sync=True, linked=True)

    def __init__(
        self,
        prompts: Sequence[str],
        pieces: Sequence[Sequence[str]],
        logprobs: np.ndarray,
        ref_logprobs: np.ndarray,
        values: np.ndarray,
        scores: np.ndarray,
        mask: np.ndarray,
        *,
        beta: float = 0.1,
        lam: float = 0.95,
        alt: str,
        caption: str,
    ):
        tables = {"logprobs": logprobs, "ref_logprobs": ref_logprobs, "values": values}
        tables = {name: np.asarray(table, dtype=float) for name, table in tables.items()}
        scores, mask = np.asarray(scores, dtype=float), np.asarray(mask)
        _check_mask(mask, prompts, pieces)
        for name, numbers in (tables | {"scores": scores}).items():
            _check_numbers(name, numbers, mask[:, 0] if name == "scores" else mask)
        gained = tables["logprobs"] - tables["ref_logprobs"]
        texts = [
            {
                "prompt": prompts[b],
                "pieces": [readable(pieces[b][t]) for t in np.flatnonzero(mask[b])],
                "log_ratios": gained[b][mask[b]].round(4).tolist(),
                "values": tables["values"][b][mask[b]].round(4).tolist(),
                "score": round(float(scores[b]), 4),
            }
            for b in range(len(prompts))
        ]
        super().__init__(alt=alt, caption=caption, texts=texts, beta=float(beta), lam=float(lam))

    @traitlets.validate("text")
    def _check_text(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.texts):
            raise ValueError(f"text must be in 0 … {len(self.texts) - 1}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("token")
    def _check_token(self, proposal) -> int:
        last = len(self.texts[self.text]["pieces"]) - 1
        if not 0 <= proposal["value"] <= last:
            raise ValueError(f"token must be in 0 … {last}, got {proposal['value']}")
        return proposal["value"]

    def numbers(self) -> dict[str, np.ndarray]:
        """Rewards, values, TD errors and advantages of the text that is shown, (T,) each; γ is 1."""
        text = self.texts[self.text]
        rewards = -self.beta * np.array(text["log_ratios"])
        rewards[-1] += text["score"]
        values = np.array(text["values"]) * self.critic
        deltas = rewards + np.append(values[1:], 0.0) - values
        advantages = deltas.copy()
        for t in reversed(range(len(deltas) - 1)):
            advantages[t] += self.lam * advantages[t + 1]
        return {"rewards": rewards, "values": values, "deltas": deltas, "advantages": advantages}


def _check_mask(mask: np.ndarray, prompts: Sequence[str], pieces: Sequence[Sequence[str]]) -> None:
    if mask.ndim != 2 or mask.dtype != bool or not len(mask):
        raise ValueError(f"mask must be bool, (texts, tokens), got {mask.dtype} {mask.shape}")
    if len(prompts) != len(mask) or [len(row) for row in pieces] != [mask.shape[1]] * len(mask):
        raise ValueError(f"prompts and pieces must be those of {mask.shape[0]} texts of {mask.shape[1]} tokens")
    counts = mask.sum(axis=1)
    if not ((counts >= 1) & (counts <= LONGEST)).all():
        raise ValueError(f"mask must leave 1 to {LONGEST} tokens in every row, got {counts.tolist()}")


def _check_numbers(name: str, numbers: np.ndarray, mask: np.ndarray) -> None:
    if numbers.shape != mask.shape:
        raise ValueError(f"{name} must have shape {mask.shape}, got {numbers.shape}")
    counted = numbers if mask.ndim == 1 else numbers[mask]
    if not np.isfinite(counted).all():
        raise ValueError(f"{name} must be finite, got {counted.tolist()}")
