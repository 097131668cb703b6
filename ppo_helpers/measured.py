"""What ``make sweeps`` has measured: trainings of chapters 3 to 11 over seeds, and what is read off their curves."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).parent / "sweep_data"
WINDOW = 5  # iterations: the gold score of one batch of 32 texts is uncertain by 0.05


def _read(name: str) -> dict:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


@cache
def unseen_cells() -> dict[str, dict[float, list[float]]]:
    """Chapter 3's errors on cells that were never seen: a network each, ``errors[world][share of seen cells]``."""
    errors = _read("unseen_cells")["errors"]
    return {world: {float(share): runs for share, runs in of.items()} for world, of in errors.items()}


@cache
def rlhf_sweep() -> dict[int, dict[str, dict]]:
    """The runs of chapter 11: ``runs[seed][name]``. Not every remedy was tried on every seed."""
    seeds = _read("rlhf")["seeds"]
    return {int(seed): runs for seed, runs in sorted(seeds.items())}


@cache
def walking_sweep() -> dict[str, dict[int, dict]]:
    """The experiments of chapters 6 and 7: ``found[experiment][seed]``, as ``sweeps/ablation.py`` wrote them down."""
    found = _read("ablation")
    return {
        name: {int(seed): run for seed, run in runs.items()} for name, runs in found.items() if name != "provenance"
    }


@cache
def forty_epochs() -> tuple[dict[int, list[dict]], float]:
    """Chapter 5's forty epochs: the runs of each stage, as ``sweeps/forty_epochs.py`` wrote them down.

    Returns:
        ``runs[batches trained before]``, a run per seed with ``points`` after each epoch and the last ``mean_ratio``;
        and what random walking earns.
    """
    found = _read("forty_epochs")
    return {int(stage): runs for stage, runs in found["stages"].items()}, found["random"]


@cache
def twenty_texts() -> dict[int, dict[str, float]]:
    """Chapter 9's twenty iterations by sampling seed: mean points ``before`` and ``after``, texts ``changed``, KL."""
    return {int(seed): run for seed, run in _read("twenty_texts")["seeds"].items()}


@cache
def cartpole() -> dict[int, dict]:
    """Chapter 7's CartPole by seed: ``steps`` taken, means of the last ``exploring`` and of 100 ``greedy`` walks."""
    return {int(seed): run for seed, run in _read("cartpole")["seeds"].items()}


@cache
def page_models(name: str = "policies") -> dict[str, float]:
    """What four bits a number cost the models that the page wakes: nats per token, by model.

    Args:
        name: "policies" for those of chapter 11, "counting" for that of chapter 9.
    """
    from safetensors import safe_open

    with safe_open(DATA / f"{name}.safetensors", "np") as file:
        return json.loads(file.metadata()["nats per token"])


def smoothed(curve: Sequence[float]) -> np.ndarray:
    """Means of five iterations that follow one another.

    Args:
        curve: one number for each of N iterations, the first of iteration 1.

    Returns:
        (N − 4,) the first is the mean around iteration 3.

    Raises:
        ValueError: if there are fewer than five numbers.
    """
    if len(curve) < WINDOW:
        raise ValueError(f"curve must have at least {WINDOW} numbers, got {len(curve)}")
    return np.convolve(curve, np.full(WINDOW, 1 / WINDOW), mode="valid")


class Turn(NamedTuple):
    """Where the gold score of a run was best, and what became of it; all scores are means of five iterations."""

    iteration: int  # the middle one of the five
    gold: float  # there
    reward: float  # there
    last_gold: float
    last_reward: float

    @property
    def hacked(self) -> bool:
        """At the end the reward is higher than at the turn, and the gold score at most half as high."""
        return self.last_reward > self.reward and self.last_gold <= self.gold / 2


def turn(reward: Sequence[float], gold: Sequence[float]) -> Turn:
    """Find where a run's gold score was highest.

    Args:
        reward: mean score by the reward model, of iterations 1, 2, …
        gold: mean score by the judge, of the same iterations.

    Returns:
        The first of the best places.

    Raises:
        ValueError: if the curves have not the same length, or fewer than five numbers.
    """
    if len(reward) != len(gold):
        raise ValueError(f"reward and gold must have the same length, got {len(reward)} and {len(gold)}")
    paid, judged = smoothed(reward), smoothed(gold)
    best = int(judged.argmax())
    places = (judged[best], paid[best], judged[-1], paid[-1])
    return Turn(best + WINDOW // 2 + 1, *map(float, places))
