"""Chapter 9's last experiment over sampling seeds: what the reader gives to twenty texts, before and after training.

    make sweeps

The experiment is the chapter's own cells, taken out of the notebook by their ids. About four minutes on an idle core.
"""

import copy
import json

import torch

from sweeps.cells import ROOT, names_of

DATA = ROOT / "ppo_helpers" / "sweep_data" / "twenty_texts.json"
SEEDS = range(30)
ITERATIONS = 20


def trained(chapter: dict, seed: int) -> tuple[torch.nn.Module, float]:
    """The model after twenty iterations, and the KL of the last one."""
    policy, generator = copy.deepcopy(chapter["model"]), torch.Generator().manual_seed(1000 + seed)
    optimizer = torch.optim.Adam(policy.parameters(), lr=chapter["learning_rate"])
    for _ in range(ITERATIONS):
        *_, kl, _ = chapter["iterate"](policy, optimizer, chapter["prompts"], generator)
    return policy, kl


def run(chapter: dict, seed: int) -> dict:
    """Twenty texts with one seed, twenty iterations with another one, and the twenty texts again."""

    def texts(policy: torch.nn.Module) -> list[str]:
        dice = torch.Generator().manual_seed(seed)
        return chapter["sample"](policy, chapter["tokenizer"], chapter["prompts"], 12, generator=dice).texts

    policy, kl = trained(chapter, seed)
    before, after = texts(chapter["model"]), texts(policy)
    means = {name: sum(map(chapter["points"], x)) / len(x) for name, x in (("before", before), ("after", after))}
    return means | {"kl": kl, "changed": sum(a != b for a, b in zip(before, after, strict=True))}


def main() -> None:
    chapter = names_of("09", "prompts", "iterations")
    seeds = {str(seed): run(chapter, seed) for seed in SEEDS}
    DATA.write_text(json.dumps({"iterations": ITERATIONS, "seeds": seeds}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
