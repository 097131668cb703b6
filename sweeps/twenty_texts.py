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


def run(chapter: dict, seed: int) -> dict:
    """Twenty texts with one seed, twenty iterations with another one, and the twenty texts again."""
    prompts, generator = chapter["prompts"], torch.Generator()
    policy = copy.deepcopy(chapter["model"])
    optimizer = torch.optim.Adam(policy.parameters(), lr=chapter["learning_rate"])

    def texts() -> list[str]:
        return chapter["sample"](policy, chapter["tokenizer"], prompts, 12, generator=generator.manual_seed(seed)).texts

    before = texts()
    generator.manual_seed(1000 + seed)
    for _ in range(ITERATIONS):
        *_, kl, _ = chapter["iterate"](policy, optimizer, prompts, generator)
    after = texts()
    means = {name: sum(map(chapter["points"], x)) / len(x) for name, x in (("before", before), ("after", after))}
    return means | {"kl": kl, "changed": sum(a != b for a, b in zip(before, after, strict=True))}


def main() -> None:
    chapter = names_of("09", "prompts", "iterations")
    seeds = {str(seed): run(chapter, seed) for seed in SEEDS}
    DATA.write_text(json.dumps({"iterations": ITERATIONS, "seeds": seeds}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
