"""The models that the page wakes beside the bundled one: what the first seeds of chapters 9 and 11 make of it.

    make sweeps

Four bits a number for what was added to each matrix. The file says what that costs: how far the models are from those
that were trained, in nats per token of their own texts. About three minutes on an idle core.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from ppo_helpers.language.answers import write
from ppo_helpers.language.folding import fold
from ppo_helpers.language.models import load_gpt2
from ppo_helpers.language.sft import PROMPTS
from ppo_helpers.live import page_model
from sweeps import twenty_texts
from sweeps.cells import names_of
from sweeps.rlhf import TOKENS, Stage

PRICE = 0.1  # β of the policy that is not hacked


def by_rows(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """The weights of a folded model or trunk as the page has them: by GPT-2's names, matrices as (out, in)."""
    named = {n.removeprefix("transformer."): p.detach().numpy() for n, p in module.named_parameters()}
    first = np.unique(page_model.weights()["rows"], return_index=True)[1]  # a token of each row
    folded = next(m for m in module.modules() if hasattr(m, "by_row"))
    named[page_model.EMBEDDING] = named[page_model.EMBEDDING][folded.rows.numpy()[first]]
    return page_model.turn(named)


def loaded(weights: dict[str, np.ndarray]) -> torch.nn.Module:
    """The bundled model with other weights."""
    model, _ = load_gpt2("tiny")
    weights = page_model.turn(weights)
    weights[page_model.EMBEDDING] = weights[page_model.EMBEDDING][page_model.weights()["rows"]]
    for name, parameter in model.named_parameters():
        parameter.data.copy_(torch.tensor(weights[name.removeprefix("transformer.")]))
    return fold(model)


def nats_off(model: torch.nn.Module, near: dict[str, np.ndarray], tokenizer) -> float:
    """How far a model is from what four bits have kept of it: mean over the tokens of its own texts."""
    answers = write(model, tokenizer, PROMPTS * 6, TOKENS, generator=torch.Generator().manual_seed(0))
    off = (answers.responses.logprobs(loaded(near)) - answers.responses.logprobs(model))[answers.responses.mask]
    return round(off.abs().mean().item(), 4)


def save(found: dict[str, np.ndarray], cost: dict[str, float], path: Path) -> None:
    save_file(found, path, metadata={"nats per token": json.dumps(cost)})
    print(path.name, cost, f"{path.stat().st_size:,} bytes")


def named(name: str, change: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}/{part}": x for part, x in change.items()}


def counting(start: dict[str, np.ndarray]) -> None:
    """Chapter 9's policy after its twenty iterations."""
    chapter = names_of("09", "prompts", "iterations")
    policy, _ = twenty_texts.trained(chapter, seed=0)
    change = page_model.in_four_bits(start, by_rows(policy))
    cost = nats_off(policy, page_model.changed(start, change), chapter["tokenizer"])
    save(named("counting", change), {"counting": cost}, page_model.COUNTING)


def policies(start: dict[str, np.ndarray]) -> None:
    """Chapter 11's policies and its reward model."""
    stage, found, cost = Stage(0), {}, {}
    models = {"sft": stage.model, "rlhf": stage.last_of(PRICE).policy.model, "hacked": stage.last_of(0.0).policy.model}
    for name, model in models.items():
        change = page_model.in_four_bits(start, by_rows(model))
        near = page_model.changed(start, change)
        found |= named(name, change)
        cost[name] = nats_off(model, near, stage.tokenizer)
        if name == "sft":
            start = near  # the others began there
    reward = stage.reward_model
    found |= named("reward", page_model.in_four_bits(start, by_rows(reward.trunk)))
    head = torch.cat([reward.head.weight[0] / reward.std, ((reward.head.bias - reward.mean) / reward.std)])
    found["reward/head"] = head.detach().numpy().astype(np.float16)
    save(found, cost, page_model.POLICIES)


def main() -> None:
    start = {n: x.astype(np.float32) for n, x in page_model.weights().items() if n != "rows"}
    counting(start)
    policies(start)


if __name__ == "__main__":
    main()
