"""Chapters 6 and 7 over seeds: what their tables and counts are made of.

    make sweeps

The experiments are the chapters' own cells, taken out of the notebooks by their ids and run with many seeds. A run that
is in ``_build/sweeps/ablation.jsonl`` already is not run again. At the end everything is condensed into
``ppo_helpers/sweep_data/ablation.json``, which the chapters read: about half an hour on an idle core.
"""

import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch

from sweeps.cells import ROOT, names_of

LOG = ROOT / "_build" / "sweeps" / "ablation.jsonl"
DATA = ROOT / "ppo_helpers" / "sweep_data" / "ablation.json"
SIDES = {"clip": 0.2, "no clip": None}
EPOCHS = slice(None, None, 2)  # of forty, every second one is kept


@cache
def chapter_6() -> dict:
    return names_of("06", "half-trained", "earns", "forty")


@cache
def chapter_7() -> dict:
    return names_of(
        "07", "tools", "lab", "grid-dials", "ablation", "ablation-run",
        "broken-loop", "broken-runs", "corridor",
    )  # fmt: skip


def forty(seed: int) -> dict:
    start = chapter_6()["half_trained"](seed)
    return {side: chapter_6()["climb"](*start, eps)[:, EPOCHS].tolist() for side, eps in SIDES.items()}


def replay(seed: int) -> dict:
    """The lab's two settings: the share of the optimum after each iteration."""
    return {side: shares(replace(chapter_7()["often"], clip_eps=eps), seed) for side, eps in SIDES.items()}


def shares(config, seed: int) -> list[float]:
    c = chapter_7()
    envs = c["GridWorldVectorEnv"](c["world"], num_envs=16, max_steps=50)
    return [c["share"](result.policy) for result in c["train_ppo"](envs, config, seed, progress=False)]


def ablation(seed: int) -> dict:
    return {name: chapter_7()["final_share"](change, seed) for name, change in chapter_7()["variants"].items()}


def grid(seed: int) -> dict:
    """Whether the likeliest moves are best ones in the end."""
    c = chapter_7()
    envs = c["GridWorldVectorEnv"](c["world"], num_envs=64, max_steps=50)
    *_, last = c["train_ppo"](envs, c["grid_dials"], seed, progress=False)
    best = c["best_values"][c["on"]]
    return {"optimal": bool(abs(c["likeliest"](last.policy) - best).max() < 1e-6), "share": c["share"](last.policy)}


def bonus(seed: int) -> dict:
    """The corridor without and with an entropy bonus: what is earned in the end, how often each prize was reached."""
    found = {}
    for ent_coef in (0.0, 0.3):
        rows, reached = chapter_7()["in_corridor"](ent_coef, seed)
        found[str(ent_coef)] = {"return": rows[-1].mean_return, "reached": reached[:10]}
    return found


def bugs(seed: int) -> dict:
    c = chapter_7()
    damages = {"healthy": {}, "stale log-probs": {"damage": c["stale"]()}, "wrong sign": {"damage": c["wrong_sign"]}}
    found = {}
    for name, damage in damages.items():
        rows = c["watched"](c["world"], c["bug_dials"], seed=seed, **damage)
        stats = [row.stats for row in rows]
        found[name] = {
            "return": rows[-1].mean_return,
            "ratio error": max(row.first_ratio_error for row in stats[1:11]),
            "value loss": stats[10].value_loss,
            "explained variance": stats[10].explained_variance,
            "policy loss": [row.policy_loss for row in stats],
        }
    return found


GROUPS: dict[str, tuple[Callable, int]] = {  # the experiment, and its number of seeds
    "forty": (forty, 100),
    "ablation": (ablation, 100),
    "replay": (replay, 100),
    "bonus": (bonus, 100),
    "grid": (grid, 30),
    "bugs": (bugs, 30),
}


def logged() -> list[dict]:
    return [json.loads(line) for line in LOG.read_text("utf-8").splitlines()] if LOG.exists() else []


def missing() -> list[tuple[str, int]]:
    done = {(row["group"], row["seed"]) for row in logged()}
    return [(name, seed) for name, (_, seeds) in GROUPS.items() for seed in range(seeds) if (name, seed) not in done]


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value  # 0.9497 must not pass for 0.95


def condense() -> None:
    groups: dict[str, dict] = {}
    for row in logged():
        groups.setdefault(row["group"], {})[row["seed"]] = row["found"]
    groups = {name: dict(sorted(groups[name].items())) for name in GROUPS if name in groups}
    provenance = {"torch": torch.__version__, "machine": platform.machine()}
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(json.dumps({"provenance": provenance, **groups}, separators=(",", ":")), "utf-8")


def main(seconds: float) -> None:
    """Run what is missing, for so long at most; what is there by then is condensed."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for name, seed in missing():
        if time.monotonic() - start > seconds:
            break
        found = rounded(GROUPS[name][0](seed))
        with LOG.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"group": name, "seed": seed, "found": found}) + "\n")
        print(name, seed, flush=True)
    condense()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else float("inf"))
