"""Chapter 11 over seeds: every run that its tables and its replay are made of.

    make sweeps

A part of a seed that is in ``_build/sweeps/rlhf.jsonl`` already, by the same recipe, is not run again. At the end
everything is condensed into ``ppo_helpers/sweep_data/rlhf.json``, which the chapter reads: about fifty minutes on an
idle core.
"""

import copy
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
import transformers

from ppo_helpers.language import load_gpt2
from ppo_helpers.language.answers import Answers, write, write_groups
from ppo_helpers.language.folding import fold
from ppo_helpers.language.rater import SentimentRater
from ppo_helpers.language.rewards import (
    AdaptiveKL,
    Comparisons,
    FixedKL,
    accuracy,
    compare,
    train_reward_model,
)
from ppo_helpers.language.sft import PROMPTS, demonstrations, train_sft
from ppo_helpers.language.writing import Iteration, WriteConfig, assess, train_rlhf

ROOT = Path(__file__).parents[1]
LOG = ROOT / "_build" / "sweeps" / "rlhf.jsonl"
DATA = ROOT / "ppo_helpers" / "sweep_data" / "rlhf.json"
SEEDS = range(5)
REMEDIED = range(3)  # seeds on which remedies are tried
BETAS, AGAIN = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4), (0.1, 0.15)  # of the first round, of the second
CONFIG = WriteConfig(learning_rate=2.5e-4)
GROUPS, HELD_OUT, SIZE, TOKENS = 600, 100, 4, 16
REPLAYED = (0.0, 0.05, 0.1, 0.4)  # with texts, of the first seed
RECIPE = repr((CONFIG, BETAS, AGAIN, GROUPS, HELD_OUT, SIZE, TOKENS))
CURVES = ("reward", "judged", "kl", "length")


class Stage:
    """What a seed's runs start from: the fine-tuned model, its comparisons and their reward model."""

    def __init__(self, seed: int):
        self.seed, self.rater = seed, SentimentRater()
        base, self.tokenizer = load_gpt2("tiny")
        self.model = fold(base)
        self.losses = [epoch.held_out_loss for epoch in self.quietly(train_sft, demonstrations())]
        self.comparisons = self.compared(self.model, seed)
        self.reward_model = train_reward_model(self.model, self.comparisons[:GROUPS], seed=seed, progress=False)
        self.last: dict[float, Iteration] = {}  # where the first round ended, by β

    def last_of(self, beta: float) -> Iteration:
        """The end of the first round at this β; the same seed gives the same run."""
        if beta not in self.last:
            self.run(FixedKL(beta))
        return self.last[beta]

    def quietly(self, train: Callable, *args) -> list:
        return list(train(self.model, self.tokenizer, *args, seed=self.seed, progress=False))

    def compared(self, models, seed: int) -> Comparisons:
        answers = write_groups(models, self.tokenizer, PROMPTS, GROUPS + HELD_OUT, SIZE, TOKENS, seed)
        return compare(answers, self.rater, SIZE, seed=seed)

    def assessed(self, policy, reward=None) -> dict:
        numbers, answers = assess(
            policy, self.model, self.tokenizer, PROMPTS, reward or self.reward_model.rate, self.rater
        )
        sentiment = [judgement.sentiment for judgement in self.rater.judgements(answers)]
        return numbers._asdict() | {
            "sentiment": sum(sentiment) / len(sentiment),
            "texts": answers.texts[: len(PROMPTS)],
        }

    def run(self, kl, start=None, reward=None, config=CONFIG, seed=None, each=None) -> tuple[dict, Iteration]:
        """One training, its curves and what its policy writes at the end."""
        start, rate = start or self.model, reward or self.reward_model.rate
        curves: dict[str, list[float]] = {name: [] for name in (*CURVES, "clip_fraction", "entropy", "kl_coef")}
        training = train_rlhf(
            start, self.tokenizer, PROMPTS, rate, config, self.seed if seed is None else seed,
            reference=self.model, kl=kl, judge=self.rater, progress=False,
        )  # fmt: skip
        for it in training:
            for name in curves:
                curves[name].append(getattr(it, name, None) if hasattr(it, name) else getattr(it.stats, name))
            if each is not None:
                each(it)
        if isinstance(kl, FixedKL) and (start, rate, config) == (self.model, self.reward_model.rate, CONFIG):
            self.last[kl.coef] = it
        return {"curves": curves, "end": self.assessed(it.policy.model, rate)}, it


def replay(stage: Stage, beta: float) -> dict:
    """The ten prompts' texts on the way, each token with what it earned."""
    frames = []

    def look(it: Iteration | None, policy) -> None:
        generator = torch.Generator().manual_seed(7)
        answers = write(policy, stage.tokenizer, PROMPTS, TOKENS, generator=generator)
        responses = answers.responses
        with torch.no_grad():
            kl = responses.logprobs(policy) - responses.logprobs(stage.model)
        rows = [row[keep].tolist() for row, keep in zip(responses.tokens, responses.mask, strict=True)]
        pieces = [[stage.tokenizer.decode([token]) for token in row] for row in rows]
        costs = [row[keep].tolist() for row, keep in zip(kl, responses.mask, strict=True)]
        frames.append(
            {
                "iteration": 0 if it is None else it.index,
                "pieces": pieces,
                "kl": costs,
                "score": stage.reward_model.rate(answers).tolist(),
                "gold": stage.rater(answers).tolist(),
            }
        )

    look(None, stage.model)
    run, _ = stage.run(FixedKL(beta), each=lambda it: look(it, it.policy.model) if it.index % 6 == 0 else None)
    return run | {"frames": frames}


def first_round(stage: Stage) -> Iterator[tuple[str, dict]]:
    held_out = stage.comparisons[GROUPS:]
    found = accuracy(stage.reward_model.rate(held_out.answers), held_out)
    yield (
        "stage",
        {"held_out_losses": stage.losses, "reward_model": found._asdict(), "sft": stage.assessed(stage.model)},
    )
    for beta in BETAS:
        if stage.seed == SEEDS[0] and beta in REPLAYED:
            yield f"beta {beta}", replay(stage, beta)
        else:
            yield f"beta {beta}", stage.run(FixedKL(beta))[0]


def remedies(stage: Stage) -> Iterator[tuple[str, dict]]:
    if stage.seed not in REMEDIED:
        return
    yield "adaptive", stage.run(AdaptiveKL(0.1, target=3, horizon=320))[0]
    yield "early stop", stage.run(FixedKL(0), config=replace(CONFIG, max_kl=4.0))[0]
    hacked = stage.last_of(0.0)
    best = hacked.training
    yield "best by the judge", {"index": best.best["index"], "end": stage.assessed(best.best_model())}
    yield "hacked texts rated", rated_hacked(stage, hacked.policy.model)
    if stage.seed == SEEDS[0]:
        yield from ensembles(stage, hacked.policy.model)
        yield "best of n", best_of_n(stage)


def rated_hacked(stage: Stage, hacked) -> dict:
    seen = stage.compared([stage.model, hacked], 900 + stage.seed)
    mended = train_reward_model(stage.model, seen[:GROUPS], seed=40, progress=False)
    return stage.run(FixedKL(0), reward=mended.rate)[0]


def ensembles(stage: Stage, hacked) -> Iterator[tuple[str, dict]]:
    """Three reward models that saw different comparisons: their least score as the reward, and how far they agree."""
    others = [stage.compared(stage.model, 500 + 10 * stage.seed + k) for k in range(2)]
    members = [stage.reward_model] + [
        train_reward_model(stage.model, seen[:GROUPS], seed=k, progress=False) for k, seen in enumerate(others)
    ]

    def least(answers: Answers) -> torch.Tensor:
        return torch.stack([member.rate(answers) for member in members]).min(dim=0).values

    agreement = {}
    for name, model in (("sft", stage.model), ("hacked", hacked)):
        asked = [PROMPTS[i % len(PROMPTS)] for i in range(300)]
        answers = write(model, stage.tokenizer, asked, TOKENS, generator=torch.Generator().manual_seed(5))
        scores = torch.stack([member.rate(answers) for member in members])  # (3, 300)
        agreement[name] = {"means": scores.mean(dim=1).tolist(), "spread": scores.std(dim=0).mean().item()}
    yield "ensemble, least of three", stage.run(FixedKL(0), reward=least)[0] | {"agreement": agreement}


def best_of_n(stage: Stage, most: int = 64, groups: int = 100) -> dict:
    """No training at all: write n answers and keep the one that the reward model likes best."""
    asked = [PROMPTS[i % len(PROMPTS)] for i in range(groups) for _ in range(most)]
    answers = write(stage.model, stage.tokenizer, asked, TOKENS, generator=torch.Generator().manual_seed(3))
    scores, gold = (x.view(groups, most) for x in (stage.reward_model.rate(answers), stage.rater(answers)))
    found = {}
    for n in (1, 2, 4, 8, 16, 32, 64):
        best = scores.view(groups, most // n, n).argmax(dim=2, keepdim=True)
        kept = gold.view(groups, most // n, n).gather(2, best)
        found[n] = {"gold": kept.mean().item(), "kl": torch.tensor(float(n)).log().item() - (n - 1) / n}
    return {"by_n": found}


def second_round(stage: Stage) -> Iterator[tuple[str, dict]]:
    policy = copy.deepcopy(stage.last_of(0.1).policy.model).requires_grad_(False)
    fresh = stage.compared(policy, 77 + stage.seed)[:GROUPS]
    seen = {"fresh": fresh, "old and fresh": stage.comparisons[:GROUPS] + fresh}
    judges = {"old reward model": stage.reward_model} | {
        name: train_reward_model(stage.model, comparisons, seed=3, progress=False) for name, comparisons in seen.items()
    }
    for beta in AGAIN:
        for name, judge in judges.items():
            run, _ = stage.run(FixedKL(beta), policy, reward=judge.rate, seed=stage.seed + 20)
            yield f"second round at {beta}, {name}", run


PARTS = {"first": first_round, "second": second_round, "remedies": remedies}


def missing() -> list[tuple[int, str]]:
    done = {(row["seed"], row["part"]) for row in logged()}
    return [(seed, part) for part in PARTS for seed in SEEDS if (seed, part) not in done]


def logged() -> list[dict]:
    rows = [json.loads(line) for line in LOG.read_text("utf-8").splitlines()] if LOG.exists() else []
    return [row for row in rows if row.get("recipe") == RECIPE]


def rounded(value):
    if isinstance(value, dict):
        return {str(key): rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry) for entry in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main() -> None:
    torch.set_num_threads(1)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    todo = missing()
    for seed in dict.fromkeys(seed for seed, _ in todo):
        stage = Stage(seed)
        for part in [part for other, part in todo if other == seed]:
            runs = {name: run for name, run in PARTS[part](stage) if print(f"seed {seed}: {name}", flush=True) is None}
            with LOG.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"recipe": RECIPE, "seed": seed, "part": part, "runs": rounded(runs)}) + "\n")
    by_seed: dict[int, dict] = {}
    for row in logged():
        by_seed.setdefault(row["seed"], {}).update(row["runs"])
    provenance = {"torch": torch.__version__, "transformers": transformers.__version__, "machine": platform.machine()}
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(json.dumps({"provenance": provenance, "seeds": by_seed}, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    main()
