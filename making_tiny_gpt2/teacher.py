"""Draw raw reviews from the teacher, SmolLM2-135M-Instruct, with nothing but transformers' own `generate`.

`python -m making_tiny_gpt2.teacher FOLDER` wants the folder of a causal language model and its tokenizer. It never
looks at the network. The raw samples in `corpus/` were drawn with the same settings by faster code; they are the
reference, because another machine rounds differently and so draws other samples.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from making_tiny_gpt2.stems import draw_stem, introduction

SCHEDULE = (
    "negative",
    "negative",
    "mixed",
    "positive",
    "negative",
    "neutral",
)  # the teacher leans to the friendly side
TEMPERATURE = 0.95
MIN_P = 0.04  # a token is out if it has less than this share of the likeliest token's probability
FREQUENT = 16_000  # low ids are frequent tokens; a review with a rarer one would be filtered out later anyway
LONGEST = 40  # tokens
PLAIN = re.compile(r"\n| ?[A-Z]?[a-z]+| ?[AI]|['’]?(s|t|re|ve|m|ll|d)| ?[.,!?;:-]| - |'|\.\.\.")


class Only(LogitsProcessor):
    """Lets only these tokens through. It runs before temperature and min-p, which then never see the others."""

    def __init__(self, allowed: Tensor):
        self.allowed = allowed

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        kept = torch.full_like(scores, -torch.inf)
        kept[:, self.allowed] = scores[:, self.allowed]
        return kept


def allowed_tokens(tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """Ids of plain words, light punctuation and the line break: no digits, quotes, mark-up or odd capitals."""
    ids = range(min(FREQUENT, len(tokenizer)))
    return torch.tensor([token for token in ids if PLAIN.fullmatch(tokenizer.decode([token]))])


class Teacher:
    """A language model that writes reviews."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase):
        self.model, self.tokenizer = model.eval(), tokenizer
        self.allowed = allowed_tokens(tokenizer)
        self.newline = tokenizer.encode("\n", add_special_tokens=False)[-1]
        tokenizer.padding_side = "left"  # so that all reviews go on at the same place
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token

    def write(self, polarity: str, count: int, rng: random.Random) -> list[dict]:
        """So many reviews, less those that did not end. All are shown the same examples."""
        shown = introduction(polarity, rng)
        stems = [draw_stem(rng) for _ in range(count)]
        prompts = [f"{shown}- {stem}".rstrip(" ") for stem in stems]  # a space belongs to the word behind it
        tokens, logprobs = self._continue(prompts)
        rows = zip(stems, tokens, logprobs, strict=True)
        return [self._row(polarity, *row) for row in rows if self.newline in row[1][1:]]

    @torch.inference_mode()
    def _continue(self, prompts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
        """Tokens behind each prompt and their log-probs."""
        inputs = self.tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        output = self.model.generate(**inputs, **self._settings())
        tokens = output.sequences[:, inputs.input_ids.shape[1] :]  # (B, T)
        chosen = zip(output.logits, tokens.unbind(1), strict=True)
        logprobs = [self._logprob(logits, token) for logits, token in chosen]
        return tokens.tolist(), torch.stack(logprobs, dim=1).tolist()

    def _settings(self) -> dict:
        return {
            "do_sample": True,
            "temperature": TEMPERATURE,
            "min_p": MIN_P,
            "top_k": 0,  # off: transformers' default is 50
            "max_new_tokens": LONGEST,
            "eos_token_id": self.newline,  # a review is a line of the list
            "pad_token_id": self.tokenizer.pad_token_id,
            "logits_processor": LogitsProcessorList([Only(self.allowed)]),
            "return_dict_in_generate": True,
            "output_logits": True,
        }

    def _logprob(self, logits: Tensor, tokens: Tensor) -> Tensor:
        """(B,) log-probs among the allowed tokens at temperature 1; −inf for padding, which nobody reads."""
        kept = Only(self.allowed)(tokens, logits.float())
        return kept.log_softmax(dim=-1).gather(1, tokens[:, None]).squeeze(1)

    def _row(self, polarity: str, stem: str, tokens: list[int], logprobs: list[float]) -> dict:
        """A line of the raw files; `lp` is the mean over the tokens that the teacher chose, the line break left out."""
        length = tokens.index(self.newline)
        text = (stem + self.tokenizer.decode(tokens[:length])).strip()
        return {"pol": polarity, "stem": stem, "text": text, "lp": round(sum(logprobs[:length]) / length, 3)}


def draw(teacher: Teacher, rounds: int, count: int, seed: int) -> Iterator[dict]:
    """The reviews of so many rounds; each round has one polarity and one set of examples."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    for number in range(rounds):
        yield from teacher.write(SCHEDULE[number % len(SCHEDULE)], count, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw raw reviews from a teacher that is on this machine.")
    parser.add_argument("folder", type=Path, help="the teacher's weights and tokenizer")
    parser.add_argument("--out", type=Path, default=Path("smol_raw.jsonl.gz"))
    parser.add_argument("--rounds", type=int, default=6, help="sets of examples to go on with")
    parser.add_argument("--count", type=int, default=32, help="reviews a round")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    local = {"local_files_only": True, "trust_remote_code": False}
    model = AutoModelForCausalLM.from_pretrained(options.folder, dtype=torch.bfloat16, **local)
    teacher = Teacher(model, AutoTokenizer.from_pretrained(options.folder, **local))
    with gzip.open(options.out, "wt", encoding="utf-8") as file:
        for row in draw(teacher, options.rounds, options.count, options.seed):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
