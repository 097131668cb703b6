"""The models that the page wakes beside the bundled one: what chapter 11's first seed makes of it.

    make sweeps

Four bits a number for what was added to each matrix. The file says what that costs: how far the models are from those
that were trained, in nats per token of their own texts. About three minutes on an idle core.
"""

import json

import numpy as np
import torch
from safetensors.numpy import save_file

from ppo_helpers.language.answers import write
from ppo_helpers.language.folding import fold
from ppo_helpers.language.models import load_gpt2
from ppo_helpers.language.sft import PROMPTS
from ppo_helpers.live import page_model
from sweeps.rlhf import TOKENS, Stage

DATA = page_model.POLICIES
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


def main() -> None:
    stage, found, cost = Stage(0), {}, {}
    models = {"sft": stage.model, "rlhf": stage.last_of(PRICE).policy.model, "hacked": stage.last_of(0.0).policy.model}
    start = {n: x.astype(np.float32) for n, x in page_model.weights().items() if n != "rows"}
    for name, model in models.items():
        change = page_model.in_four_bits(start, by_rows(model))
        near = page_model.changed(start, change)
        found |= {f"{name}/{part}": x for part, x in change.items()}
        answers = write(model, stage.tokenizer, PROMPTS * 6, TOKENS, generator=torch.Generator().manual_seed(0))
        off = (answers.responses.logprobs(loaded(near)) - answers.responses.logprobs(model))[answers.responses.mask]
        cost[name] = round(off.abs().mean().item(), 4)
        if name == "sft":
            start = near  # the others began there
    reward = stage.reward_model
    found |= {f"reward/{n}": x for n, x in page_model.in_four_bits(start, by_rows(reward.trunk)).items()}
    head = torch.cat([reward.head.weight[0] / reward.std, ((reward.head.bias - reward.mean) / reward.std)])
    found["reward/head"] = head.detach().numpy().astype(np.float16)
    save_file(found, DATA, metadata={"nats per token": json.dumps(cost)})
    print(cost, f"{DATA.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
