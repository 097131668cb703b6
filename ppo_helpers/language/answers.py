"""Texts and the prompts they answer: written by a model, given, cut into rows, joined into one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ppo_helpers.language.scoring import Responses, prompt_tokens, sample


@dataclass(frozen=True)
class Answers:
    """Texts with the prompts that they answer: what a rater, a reward model or a function of the reader's is given."""

    prompts: list[str]  # (B,)
    responses: Responses

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, rows: Tensor | slice | list[int]) -> "Answers":
        chosen = torch.arange(len(self), device=self.responses.mask.device)[rows].tolist()
        return Answers([self.prompts[i] for i in chosen], self.responses[chosen])

    @property
    def texts(self) -> list[str]:
        """(B,) the responses alone."""
        return self.responses.texts


def write_groups(
    models: PreTrainedModel | Sequence[PreTrainedModel],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    groups: int,
    size: int,
    max_new_tokens: int,
    seed: int = 0,
) -> Answers:
    """Answers to compare: ``groups`` times one of the prompts, in turn, with ``size`` answers each.

    Args:
        models: who writes; several take turns within every group.
        tokenizer: theirs.
        prompts: the prompts.
        groups: number of groups.
        size: answers in a group.
        max_new_tokens: of an answer, at most.
        seed: of the draws.

    Raises:
        ValueError: if there is no prompt, nothing is asked for, or there are more models than answers in a group.
    """
    models, prompts = list(models) if isinstance(models, Sequence) else [models], listed(prompts)
    if groups < 1 or size < 1:
        raise ValueError(f"groups and size must be at least 1, got {groups} and {size}")
    if not 1 <= len(models) <= size:
        raise ValueError(f"models must be between 1 and the {size} answers of a group, got {len(models)}")
    asked = [prompts[group % len(prompts)] for group in range(groups) for _ in range(size)]
    device = next(models[0].parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    if len(models) == 1:
        return write(models[0], tokenizer, asked, max_new_tokens, generator=generator)
    by = torch.arange(len(asked), device="cpu") % size % len(models)
    parts = [
        write(model, tokenizer, [asked[i] for i in (by == k).nonzero()[:, 0]], max_new_tokens, generator=generator)
        for k, model in enumerate(models)
    ]
    order = torch.cat([(by == k).nonzero()[:, 0] for k in range(len(models))]).argsort()
    return joined(parts)[order]


@torch.no_grad()
def write(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    max_new_tokens: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    at_once: int = 200,
) -> Answers:
    """Answers to many prompts, sampled some at a time.

    Args:
        model: who writes.
        tokenizer: the model's own.
        prompts: B texts.
        max_new_tokens: of an answer, at most.
        temperature: of the draws.
        generator: of the draws.
        at_once: prompts that are answered at a time.

    Raises:
        ValueError: if there is no prompt, or as :func:`~ppo_helpers.language.scoring.sample`.
    """
    prompts = listed(prompts)
    parts = [prompts[i : i + at_once] for i in range(0, len(prompts), at_once)]
    written = [
        Answers(part, sample(model, tokenizer, part, max_new_tokens, temperature, generator=generator))
        for part in parts
    ]
    return joined(written)


def listed(prompts: Sequence[str]) -> list[str]:
    """Prompts as a list; ``ValueError`` if there is none, or if a single text was given, which is a sequence too."""
    if isinstance(prompts, str) or not len(prompts):
        raise ValueError(f"prompts must be a list of at least one text, got {prompts!r}")
    return list(prompts)


def joined(parts: Sequence[Answers]) -> Answers:
    """Several batches of answers as one: prompts are padded on the left to the longest, responses on the right."""
    if len(parts) == 1:
        return parts[0]
    ahead = max(part.responses.prompt_length for part in parts)
    behind = max(part.responses.mask.shape[1] for part in parts)
    padded = [_padded(part.responses, ahead, behind) for part in parts]
    names = ("sequences", "mask", "attention_mask", "sampled_logprobs", "ended")
    columns = {name: torch.cat([getattr(part, name) for part in padded]) for name in names}
    texts = [text for part in parts for text in part.texts]
    return Answers([p for part in parts for p in part.prompts], replace(padded[0], texts=texts, **columns))


def _padded(responses: Responses, ahead: int, behind: int) -> Responses:
    left, right = ahead - responses.prompt_length, behind - responses.mask.shape[1]
    whole, after = (left, right), (0, right)
    pad = nn.functional.pad
    return replace(
        responses,
        sequences=pad(responses.sequences, whole, value=int(responses.sequences[0, 0])),  # any token: it is masked
        attention_mask=pad(responses.attention_mask, whole),
        mask=pad(responses.mask, after),
        sampled_logprobs=pad(responses.sampled_logprobs, after),
        prompt_length=ahead,
    )


def pack(
    tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]], device: torch.device | str = "cpu"
) -> Answers:
    """Given texts in the shape of written ones: prompts padded on the left, responses with their end on the right.

    Args:
        tokenizer: of the model that will read them.
        pairs: B prompts and responses.
        device: where the tensors shall live.

    Returns:
        The answers; nothing was drawn, so their ``sampled_logprobs`` are 0.

    Raises:
        ValueError: if there is no pair, a prompt has no token or is ended by the tokenizer, or the tokenizer has no
            end-of-text token.
    """
    if not pairs:
        raise ValueError("pairs must hold at least one prompt and response, got none")
    prompts, texts = map(list, zip(*pairs, strict=True))
    end = tokenizer.eos_token_id
    if end is None:
        raise ValueError("tokenizer must have an end-of-text token, got none")
    before = prompt_tokens(tokenizer, prompts)
    after = [tokenizer(text, add_special_tokens=False)["input_ids"] + [end] for text in texts]
    ahead, behind = max(map(len, before)), max(map(len, after))
    rows = [[end] * (ahead - len(a)) + a + b + [end] * (behind - len(b)) for a, b in zip(before, after, strict=True)]
    real = [
        [0] * (ahead - len(a)) + [1] * (len(a) + len(b)) + [0] * (behind - len(b))
        for a, b in zip(before, after, strict=True)
    ]
    sequences, attention_mask = torch.tensor(rows, device=device), torch.tensor(real, device=device)
    mask = attention_mask[:, ahead:].bool()
    ended = torch.ones(len(rows), dtype=torch.bool, device=device)
    responses = Responses(sequences, ahead, mask, texts, attention_mask, torch.zeros(mask.shape, device=device), ended)
    return Answers(prompts, responses)
