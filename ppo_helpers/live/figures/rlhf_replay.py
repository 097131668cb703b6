"""Chapter 11's figure: trainings at several prices of KL to replay: curves, and the texts written on the way."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.live.base import LiveFigure
from ppo_helpers.live.tokens import readable
from ppo_helpers.measured import turn

CURVES = {"reward": "reward", "judged": "gold", "kl": "kl"}  # names in a run and on the page
PARTS = {"iteration", "pieces", "kl", "score", "gold"}


class RLHFReplay(LiveFigure):
    """Scrub through trainings that differ in β, two side by side: reward and gold score, KL, the same prompts' texts.

    A flag marks the turn of a run that is hacked by the measure of :func:`ppo_helpers.measured.turn`.

    Args:
        runs: by β, two or more. Each is a dict with

            - ``curves``: ``reward``, ``judged`` and ``kl``, one number for each of the iterations 1, 2, …;
            - ``frames``: dicts with ``iteration`` (increasing, 0 is before the training), and for each prompt
              ``pieces`` (its response's tokens as text), ``kl`` (log π − log π_ref of each, nats), ``score``, ``gold``.

            All runs have the same length and were kept at the same iterations.
        prompts: what was answered.
        shown: the numbers of the prompts to show.
        pair: the two β that are shown first; the first and the last if None.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it.

    Raises:
        ValueError: if a part is missing, lengths do not fit, or a number is not finite.
    """

    prompts = traitlets.List().tag(sync=True)
    betas = traitlets.List(help="increasing").tag(sync=True)
    iterations = traitlets.List(help="at which texts were kept").tag(sync=True)
    curves = traitlets.List(help="for each β reward, gold and kl, of iterations 1, 2, …").tag(sync=True)
    texts = traitlets.List(help="[β][frame][prompt]: pieces, kl, score, gold").tag(sync=True)
    turns = traitlets.List(help="for each β the iteration of the turn, or None").tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True, linked=True)
    pair = traitlets.List(help="numbers of the two β shown").tag(sync=True, linked=True)

    def __init__(
        self,
        runs: Mapping[float, Mapping],
        prompts: Sequence[str],
        *,
        shown: Sequence[int] = (0, 1, 2),
        pair: Sequence[float] | None = None,
        alt: str,
        caption: str,
    ):
        betas = sorted(runs)
        if len(betas) < 2 or not np.isfinite(betas).all() or betas[0] < 0:
            raise ValueError(f"runs must be at least two, by a β that is not negative, got {betas}")
        if not shown or not all(0 <= row < len(prompts) for row in shown):
            raise ValueError(f"shown must be numbers of the {len(prompts)} prompts, got {list(shown)}")
        pair = [betas[0], betas[-1]] if pair is None else list(pair)
        if len(pair) != 2 or not set(pair) <= set(betas):
            raise ValueError(f"pair must be two of {betas}, got {pair}")
        clean = [_clean(runs[beta], f"runs[{beta:g}]", len(prompts), list(shown)) for beta in betas]
        for name in ("iterations", "length"):
            if any(run[name] != clean[0][name] for run in clean):
                raise ValueError(f"{name} must be the same in all runs, got {[run[name] for run in clean]}")
        super().__init__(
            alt=alt,
            caption=caption,
            prompts=[prompts[row] for row in shown],
            betas=[float(beta) for beta in betas],
            iterations=clean[0]["iterations"],
            **{name: [run[name] for run in clean] for name in ("curves", "texts")},
            turns=[run["turn"] for run in clean],
            frame=len(clean[0]["iterations"]) - 1,
            pair=[betas.index(beta) for beta in pair],
        )

    @traitlets.validate("frame")
    def _check_frame(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.iterations):
            raise ValueError(f"frame must be in 0 … {len(self.iterations) - 1}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("pair")
    def _check_pair(self, proposal) -> list[int]:
        known = range(len(self.betas))
        if len(proposal["value"]) != 2 or not all(number in known for number in proposal["value"]):
            raise ValueError(f"pair must be two numbers in 0 … {len(known) - 1}, got {proposal['value']}")
        return proposal["value"]


def _clean(run: Mapping, where: str, prompts: int, shown: list[int]) -> dict:
    """A run as it travels to the page: checked, rounded, and the prompts that are shown alone."""
    if not {"curves", "frames"} <= set(run) or not set(CURVES) <= set(run["curves"]):
        raise ValueError(f"{where} must have frames and curves with {sorted(CURVES)}, got {sorted(run)}")
    curves = {ours: _finite(run["curves"][name], f"{where} {name}") for name, ours in CURVES.items()}
    lengths = {len(curve) for curve in curves.values()}
    if len(lengths) > 1:
        raise ValueError(f"{where} must have curves of one length, got {sorted(lengths)}")
    frames, length = run["frames"], lengths.pop()
    iterations = [int(frame["iteration"]) for frame in frames]
    if not iterations or iterations != sorted({*iterations}) or not 0 <= iterations[0] <= iterations[-1] <= length:
        raise ValueError(f"{where} must have frames of increasing iterations in 0 … {length}, got {iterations}")
    turned = turn(curves["reward"], curves["gold"])
    return {
        "curves": curves,
        "length": length,
        "iterations": iterations,
        "texts": [_texts(frame, f"{where} iteration {frame['iteration']}", prompts, shown) for frame in frames],
        "turn": turned.iteration if turned.hacked else None,
    }


def _texts(frame: Mapping, where: str, prompts: int, shown: list[int]) -> list[dict]:
    if set(frame) != PARTS or any(len(frame[name]) != prompts for name in PARTS - {"iteration"}):
        raise ValueError(f"{where} must have {sorted(PARTS)}, one each for {prompts} prompts")
    found = []
    for row in shown:
        pieces, kl = [readable(piece) for piece in frame["pieces"][row]], _finite(frame["kl"][row], where)
        if len(pieces) != len(kl) or not pieces:
            raise ValueError(
                f"{where} must have one kl for each of at least one token, got {len(kl)} and {len(pieces)}"
            )
        score, gold = _finite([frame["score"][row], frame["gold"][row]], where)
        found.append({"pieces": pieces, "kl": kl, "score": score, "gold": gold})
    return found


def _finite(numbers: Sequence[float], where: str) -> list[float]:
    array = np.asarray(numbers, dtype=float)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{where} must be a list of finite numbers, got {numbers}")
    return array.round(3).tolist()
