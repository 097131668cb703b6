"""Log-probabilities of tokens under a language model, and sampling that matches them."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel, PreTrainedTokenizerBase

BLOCK = 2**21  # scores that are worked on at a time: few enough to stay in a processor's cache


def token_logprobs(
    model: PreTrainedModel,
    sequences: Tensor,
    prompt_length: int,
    attention_mask: Tensor | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """log π of every token after the prompt, given all tokens before it.

    The prediction of token t is made at position t − 1. Scores exist once, (B, T, V); the logarithm of their sum of
    exponentials is taken a few positions at a time.

    Args:
        model: any causal language model.
        sequences: (B, P + T) token ids, prompt first; rows padded on the left or on the right, never in between.
        prompt_length: P, at least 1: nothing predicts the very first token.
        attention_mask: (B, P + T), nonzero for tokens, 0 for padding; None if nothing is padded.
        temperature: the one that was sampled with; logits are divided by it.

    Returns:
        (B, T) nats, with gradient where the model has one. What stands at padding means nothing: mask it.

    Raises:
        ValueError: if a shape is wrong, ``prompt_length`` is outside the sequence, padding stands between tokens, the
            sequence is longer than the model's context, a token is not in its vocabulary, or ``temperature`` is not
            positive.
    """
    _check_sequences(model, sequences, prompt_length, attention_mask)
    _check_temperature(temperature)
    steps = sequences.shape[1] - prompt_length
    logits = _response_logits(model, sequences, steps, attention_mask)  # (B, T, V)
    chunk = max(1, BLOCK // logits[:, 0].numel())  # positions
    chunks = zip(logits.split(chunk, dim=1), sequences[:, prompt_length:].split(chunk, dim=1), strict=True)
    return torch.cat([_chunk_logprobs(scores, tokens, temperature) for scores, tokens in chunks], dim=1)


def _response_logits(model: PreTrainedModel, sequences: Tensor, steps: int, attention_mask: Tensor | None) -> Tensor:
    """(B, T, V): the predictions of the last T tokens, which are made one position earlier."""
    options = {"logits_to_keep": steps + 1}  # the prompt's own predictions are not needed
    if attention_mask is not None:
        options |= {"attention_mask": attention_mask, "position_ids": positions(attention_mask)}
    logits = model(input_ids=sequences, use_cache=False, **_understood(model, options)).logits
    return logits[:, -steps - 1 : -1]


def _chunk_logprobs(logits: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """(B, chunk) log-probs. Scaled scores are made again for the backward pass rather than kept: (B, T, V) in all."""
    copies = temperature != 1 or logits.dtype in (torch.float16, torch.bfloat16)
    if copies and logits.requires_grad:
        return checkpoint(_chosen_logprobs, logits, tokens, temperature, use_reentrant=False)
    return _chosen_logprobs(logits, tokens, temperature)


def _chosen_logprobs(logits: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """log softmax at the tokens, without the softmax of all others: gather − logsumexp."""
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))  # (B, chunk, V)
    scaled = precise if temperature == 1 else precise / temperature
    chosen = scaled.gather(-1, tokens[..., None]).squeeze(-1)  # (B, chunk)
    return chosen - scaled.logsumexp(dim=-1)


def positions(attention_mask: Tensor) -> Tensor:
    """Position of each token counted from its own first one, so that padding on the left shifts nothing.

    Args:
        attention_mask: (B, L), nonzero for tokens.

    Returns:
        (B, L) whole numbers from 0.
    """
    return (attention_mask.long().cumsum(dim=-1) - 1).clamp(min=0)


def sequence_logprob(logprobs: Tensor, mask: Tensor, reduce: str = "sum") -> Tensor:
    """One number per response: the log-probability of all of it, or the mean per token.

    Args:
        logprobs: (B, T) nats.
        mask: (B, T) bool, True where a token counts.
        reduce: ``"sum"`` for log P(response); ``"mean"`` for the logarithm of the geometric mean per token.

    Returns:
        (B,) nats.

    Raises:
        ValueError: if the mask has another shape or dtype, a row has no token, or ``reduce`` is something else.
    """
    if mask.shape != logprobs.shape or mask.dtype != torch.bool:
        raise ValueError(f"mask must be bool of shape {tuple(logprobs.shape)}, got {mask.dtype} {tuple(mask.shape)}")
    if not mask.any(dim=-1).all():
        raise ValueError("mask must leave at least one token in every row, got a row with none")
    if reduce not in ("sum", "mean"):
        raise ValueError(f"reduce must be 'sum' or 'mean', got {reduce!r}")
    total = logprobs.masked_fill(~mask, 0).sum(dim=-1)
    return total if reduce == "sum" else total / mask.sum(dim=-1)


@dataclass(frozen=True)
class Responses:
    """What a model wrote after a batch of prompts."""

    sequences: Tensor  # (B, P + T) token ids, prompts padded on the left
    prompt_length: int  # P
    mask: Tensor  # (B, T) True up to and including the end-of-text token
    texts: list[str]  # (B,) the responses as text, without the end-of-text token
    attention_mask: Tensor  # (B, P + T) 1 for tokens, 0 for padding on either side
    sampled_logprobs: Tensor  # (B, T) nats, under the distribution each token was drawn from; 0 where masked

    @property
    def tokens(self) -> Tensor:
        """(B, T) the responses' token ids; padding after the end."""
        return self.sequences[:, self.prompt_length :]

    def logprobs(self, model: PreTrainedModel, temperature: float = 1.0) -> Tensor:
        """(B, T) nats: these very tokens under a model, 0 where masked."""
        scored = token_logprobs(model, self.sequences, self.prompt_length, self.attention_mask, temperature)
        return scored.masked_fill(~self.mask, 0)


@torch.no_grad()
def sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    max_new_tokens: int,
    temperature: float = 1.0,
    *,
    generator: torch.Generator | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Responses:
    """Continue each prompt, one token at a time, from the full softmax.

    What is drawn here with ``temperature`` is exactly what :func:`token_logprobs` scores with the same temperature.
    ``sampled_logprobs`` is the sampler's own record, from a pass with cached keys and values, to check that by: keep
    the scores as the old log-probs, so that rounding is the same on both sides of the ratio.

    Args:
        model: any causal language model, in ``eval`` mode.
        tokenizer: the model's own.
        prompts: B texts, none of them empty.
        max_new_tokens: T at most.
        temperature: logits are divided by it before the softmax.
        generator: of the random numbers, on the model's device.
        top_k: draw among the k likeliest tokens only. For demonstrations: the draws then no longer match their scores,
            log-probs are those of another distribution, and the surrogate is no longer an importance-weighted mean.
        top_p: draw among the likeliest tokens that together have this probability. It breaks the same.

    Returns:
        The responses; T is the length of the longest one.

    Raises:
        ValueError: if a prompt is empty, prompt and response do not fit into the model's context, the tokenizer knows
            tokens that the model does not, or a number is out of range.
    """
    ids, attention_mask = _left_padded(model, tokenizer, prompts, max_new_tokens)
    _check_draw(temperature, top_k, top_p)
    end, padding = tokenizer.eos_token_id, _padding(tokenizer)
    writing = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    tokens, drawn_with, counted, cache, step = [], [], [], None, ids
    for _ in range(max_new_tokens):
        logits, cache = _next_logits(model, step, attention_mask, cache)
        drawn, logprobs = _draw(_cut(logits / temperature, top_k, top_p), generator)  # (B,) each
        drawn = drawn.where(writing, padding)
        tokens.append(drawn)
        drawn_with.append(logprobs.where(writing, 0))
        counted.append(writing)
        attention_mask = torch.cat([attention_mask, writing[:, None].long()], dim=1)
        writing = writing if end is None else writing & (drawn != end)
        if not writing.any():
            break
        step = drawn[:, None]
    response, mask = torch.stack(tokens, dim=1), torch.stack(counted, dim=1)  # (B, T)
    texts = [tokenizer.decode(row[keep & (row != end)]) for row, keep in zip(response, mask, strict=True)]
    sequences, sampled_logprobs = torch.cat([ids, response], dim=1), torch.stack(drawn_with, dim=1)
    return Responses(sequences, ids.shape[1], mask, texts, attention_mask, sampled_logprobs)


def _next_logits(model: PreTrainedModel, step: Tensor, attention_mask: Tensor, cache) -> tuple[Tensor, object]:
    """(B, V) scores of the next token, and the keys and values of all tokens so far."""
    places = positions(attention_mask)[:, -step.shape[1] :]
    options = _understood(model, {"position_ids": places, "logits_to_keep": 1})
    out = model(input_ids=step, attention_mask=attention_mask, past_key_values=cache, use_cache=True, **options)
    return out.logits[:, -1].float(), out.past_key_values


def _cut(logits: Tensor, top_k: int | None, top_p: float | None) -> Tensor:
    """(B, V) scores, −∞ for the tokens that may not be drawn."""
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is not None:
        probs, order = logits.softmax(dim=-1).sort(descending=True)
        beyond = probs.cumsum(dim=-1) - probs >= top_p  # the token that reaches top_p stays
        logits = logits.masked_fill(beyond.gather(-1, order.argsort(dim=-1)), -torch.inf)
    return logits


def _draw(logits: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """(B,) tokens by their softmax, and (B,) their log-probs."""
    drawn = torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)
    # not log_softmax: over 50,257 scores its sum is off by 1e-4 on a CPU
    return drawn.squeeze(-1), (logits.gather(-1, drawn) - logits.logsumexp(dim=-1, keepdim=True)).squeeze(-1)


def _left_padded(model, tokenizer, prompts: Sequence[str], max_new_tokens: int) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, (B, P) each; the prompts end together, so that responses begin together."""
    if isinstance(prompts, str) or not prompts:
        raise ValueError(f"prompts must be a list of at least one text, got {prompts!r}")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
    _check_vocabulary(model, tokenizer)
    rows = [tokenizer(prompt)["input_ids"] for prompt in prompts]
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(f"prompts[{i}] must not be empty, got {prompts[i]!r}")
    longest = max(map(len, rows))
    _check_context(model, longest + max_new_tokens, f"prompts ({longest} tokens) and max_new_tokens {max_new_tokens}")
    ids = [[_padding(tokenizer)] * (longest - len(row)) + row for row in rows]
    mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=model.device), torch.tensor(mask, device=model.device)


def _padding(tokenizer) -> int:
    """Any token would do, because padding is masked; GPT-2 has none of its own."""
    return next(i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if i is not None)


def _understood(model: PreTrainedModel, options: dict) -> dict:
    """The options that this architecture has: not every one counts positions or can leave logits away."""
    known = inspect.signature(_unwrapped(model).forward).parameters
    return {name: value for name, value in options.items() if name in known}


def _unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The model itself: wrappers take any option and so do not tell which ones it has."""
    model = getattr(model, "_orig_mod", model)  # compiled
    return model.get_base_model() if hasattr(model, "get_base_model") else model  # with adapters


# --- bad input ------------------------------------------------------------------------------------------------------


def _check_sequences(model, sequences: Tensor, prompt_length: int, attention_mask: Tensor | None) -> None:
    if not isinstance(sequences, Tensor) or sequences.ndim != 2 or sequences.is_floating_point():
        shape = tuple(getattr(sequences, "shape", ())) or type(sequences).__name__
        raise ValueError(f"sequences must be token ids, (B, P + T), rows of mixed lengths padded; got {shape}")
    length = sequences.shape[1]
    if not 1 <= prompt_length < length:
        raise ValueError(f"prompt_length must be in [1, {length - 1}] for {length} tokens, got {prompt_length}")
    if attention_mask is not None and attention_mask.shape != sequences.shape:
        wanted, got = tuple(sequences.shape), tuple(attention_mask.shape)
        raise ValueError(f"attention_mask must have shape {wanted} like sequences, got {got}")
    if attention_mask is not None and _has_gap(attention_mask != 0):
        raise ValueError("attention_mask must not have padding between tokens: pad prompts on the left")
    _check_context(model, length, f"sequences of {length} tokens")
    known, least, largest = model.get_input_embeddings().num_embeddings, int(sequences.min()), int(sequences.max())
    if least < 0 or largest >= known:  # a GPU would stop for good instead of raising
        raise ValueError(f"sequences must hold token ids in [0, {known - 1}], got {least} … {largest}")


def _has_gap(real: Tensor) -> bool:
    """Whether a row goes on after padding."""
    begun, goes_on = real.cumsum(dim=-1) > 0, real.flip(-1).cumsum(dim=-1).flip(-1) > 0
    return bool((begun & goes_on & ~real).any())


def _check_context(model, length: int, what: str) -> None:
    context = getattr(model.config, "max_position_embeddings", None)
    if context is not None and length > context:
        raise ValueError(f"{what} must fit into the model's context of {context} tokens, got {length}")


def _check_vocabulary(model, tokenizer) -> None:
    known = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > known:
        raise ValueError(f"tokenizer must fit the model: it knows {len(tokenizer)} tokens, the model {known}")


def _check_temperature(temperature: float) -> None:
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature must be positive and finite, got {temperature}")


def _check_draw(temperature: float, top_k: int | None, top_p: float | None) -> None:
    _check_temperature(temperature)
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1 or None, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be in (0, 1] or None, got {top_p}")
