"""One forward pass over texts: log-probs, values, entropy of the response tokens. And sampling that matches it."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ppo_helpers import objectives
from ppo_helpers.language.folding import FoldedEmbedding
from ppo_helpers.objectives import chosen_logprobs

BLOCK = 2**21  # scores that are worked on at a time: few enough to stay in a processor's cache
_PADS_LEFT: WeakSet[nn.Module] = WeakSet()  # models that were seen to give a text padded on the left its own log-probs


class Scores(NamedTuple):
    """What a model says of the tokens of a response; in this order ``ppo_update`` takes them from ``evaluate``."""

    logprobs: Tensor  # (B, T) nats
    values: Tensor | None  # (B, T) V of the text before each token, reward points; None if the model has no value head
    entropy: Tensor | None  # (B, T) nats, of the distribution each token came from; None if it was not asked for


def score(
    model: nn.Module,
    sequences: Tensor,
    prompt_length: int,
    attention_mask: Tensor | None = None,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
) -> Scores:
    """Log-probs of every token after the prompt, given all tokens before it, and what else one pass can give.

    Args:
        model: any causal language model. If its output has ``values`` (B, L), they are those of a value head.
        sequences: (B, P + T) token ids, prompt first; rows padded on the left or on the right, never in between.
        prompt_length: P, at least 1: nothing predicts the very first token.
        attention_mask: (B, P + T), nonzero for tokens, 0 for padding; None if nothing is padded.
        temperature: the one that was sampled with; logits are divided by it.
        entropy: compute it; it costs as much as the rest of the pass.

    Returns:
        The scores, with gradient where the model has one. What stands at padding means nothing: mask it.

    Raises:
        ValueError: if a shape is wrong, ``prompt_length`` is outside the sequence, padding stands between tokens or on
            the left of a model that cannot bear it, the sequence is longer than the model's context, a token is not in
            its vocabulary, or ``temperature`` is not positive.
    """
    logits, values = response_logits(model, sequences, prompt_length, attention_mask)
    tokens, folded = sequences[:, prompt_length:], folding(model)
    logprobs, entropies = score_logits(logits, tokens, temperature, entropy=entropy, folded=folded)
    return Scores(logprobs, values, entropies)


def response_logits(
    model: nn.Module, sequences: Tensor, prompt_length: int, attention_mask: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """The first half of :func:`score`: the forward pass.

    The prediction of a token is made one position before it, and so is the value of the text that it continues.

    Args:
        model: as for :func:`score`.
        sequences: as for :func:`score`.
        prompt_length: as for :func:`score`.
        attention_mask: as for :func:`score`.

    Returns:
        Logits (B, T, V) of the T tokens of the responses (of a folded model one per distinct row), and values (B, T),
        None if the model has no value head.

    Raises:
        ValueError: as :func:`score`, or if the values have another shape.
    """
    _check_sequences(model, sequences, prompt_length, attention_mask)
    steps = sequences.shape[1] - prompt_length
    options = {"logits_to_keep": steps + 1}  # the prompt's own predictions are not needed
    if attention_mask is not None:
        options |= {"attention_mask": attention_mask, "position_ids": positions(attention_mask)}
    out = model(input_ids=sequences, use_cache=False, **understood(model, options))
    values = getattr(out, "values", None)
    return out.logits[:, -steps - 1 : -1], _response_values(values, steps) if isinstance(values, Tensor) else None


def score_logits(
    logits: Tensor,
    tokens: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
    folded: FoldedEmbedding | None = None,
) -> tuple[Tensor, Tensor | None]:
    """The second half of :func:`score`: from logits to log-probs.

    Scores exist once, (B, T, V); the logarithm of their sum of exponentials is taken a few positions at a time.

    Args:
        logits: (B, T, V) scores of all tokens.
        tokens: (B, T) the tokens that were chosen.
        temperature: logits are divided by it.
        entropy: compute it as well.
        folded: the vocabulary of a folded model, whose logits are one per distinct row; None for any other.

    Returns:
        Log-probs (B, T) and entropies (B, T), nats; None for the entropies if they were not asked for.

    Raises:
        ValueError: if the shapes do not fit, or ``temperature`` is not positive.
    """
    _check_temperature(temperature)
    if logits.ndim != 3 or tokens.shape != logits.shape[:2]:
        shapes = f"{tuple(logits.shape)} and {tuple(tokens.shape)}"
        raise ValueError(f"logits and tokens must have shapes (B, T, V) and (B, T), got {shapes}")
    chunk = max(1, BLOCK // logits[:, 0].numel())  # positions
    pairs = zip(logits.split(chunk, dim=1), tokens.split(chunk, dim=1), strict=True)
    chunks = [_chunk_scores(scores, chosen, temperature, entropy, folded) for scores, chosen in pairs]
    logprobs, entropies = zip(*chunks, strict=True)
    return torch.cat(logprobs, dim=1), torch.cat(entropies, dim=1) if entropy else None


def token_logprobs(
    model: nn.Module,
    sequences: Tensor,
    prompt_length: int,
    attention_mask: Tensor | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """log π of every token after the prompt, given all tokens before it: the log-probs of :func:`score`.

    Args:
        model: as for :func:`score`.
        sequences: as for :func:`score`.
        prompt_length: as for :func:`score`.
        attention_mask: as for :func:`score`.
        temperature: as for :func:`score`.

    Returns:
        (B, T) nats, with gradient where the model has one. What stands at padding means nothing: mask it.

    Raises:
        ValueError: as :func:`score`.
    """
    return score(model, sequences, prompt_length, attention_mask, temperature).logprobs


def _response_values(values: Tensor, steps: int) -> Tensor:
    if values.ndim != 2 or values.shape[1] <= steps:
        raise ValueError(f"model must give values of shape (B, P + T), one per position, got {tuple(values.shape)}")
    return values[:, -steps - 1 : -1].float()


def _chunk_scores(
    logits: Tensor, tokens: Tensor, temperature: float, entropy: bool, folded: FoldedEmbedding | None
) -> tuple[Tensor, Tensor | None]:
    """(B, chunk) each. Copies of scores are made again for the backward pass rather than kept: (B, T, V) in all."""
    copies = entropy or temperature != 1 or logits.dtype in (torch.float16, torch.bfloat16)
    if copies and logits.requires_grad:
        return checkpoint(_scaled_scores, logits, tokens, temperature, entropy, folded, use_reentrant=False)
    return _scaled_scores(logits, tokens, temperature, entropy, folded)


def _scaled_scores(
    logits: Tensor, tokens: Tensor, temperature: float, entropy: bool, folded: FoldedEmbedding | None
) -> tuple[Tensor, Tensor | None]:
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))  # (B, chunk, V)
    scaled = precise if temperature == 1 else precise / temperature
    if folded is not None:
        return _folded_scores(scaled, tokens, entropy, folded)
    return chosen_logprobs(scaled, tokens), objectives.entropy(scaled) if entropy else None


def _folded_scores(
    scaled: Tensor, tokens: Tensor, entropy: bool, folded: FoldedEmbedding
) -> tuple[Tensor, Tensor | None]:
    """Of a row the probability of all its tokens is known; each of them has an equal part of it."""
    weighed, rows = scaled + folded.log_copies, folded.rows[tokens]  # (B, chunk, R), (B, chunk)
    logprobs = chosen_logprobs(weighed, rows) - folded.log_copies[rows]
    if not entropy:
        return logprobs, None
    # a product of matrices would be shortened to half precision where autocast is on
    return logprobs, objectives.entropy(weighed) + (weighed.softmax(dim=-1) * folded.log_copies).sum(dim=-1)


def positions(attention_mask: Tensor) -> Tensor:
    """Position of each token counted from its own first one, so that padding on the left shifts nothing.

    Args:
        attention_mask: (B, L), nonzero for tokens.

    Returns:
        (B, L) whole numbers from 0.
    """
    return ((attention_mask != 0).cumsum(dim=-1) - 1).clamp(min=0)


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
    if mask.device != logprobs.device:
        raise ValueError(f"mask must be on {logprobs.device} like logprobs, got {mask.device}")
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
    ended: Tensor  # (B,) True where the text came to its end, False where it was cut off

    def __getitem__(self, rows: Tensor | slice | list[int]) -> "Responses":
        """The responses of some rows."""
        chosen = torch.arange(len(self.texts), device=self.mask.device)[rows]
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {name: x[chosen] for name, x in kept.items() if isinstance(x, Tensor)}
        return replace(self, texts=[self.texts[i] for i in chosen.tolist()], **tensors)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """What a model must see to score these responses again, by the names that :func:`score` has for it."""
        return {"sequences": self.sequences, "attention_mask": self.attention_mask}

    @property
    def tokens(self) -> Tensor:
        """(B, T) the responses' token ids; padding after the end."""
        return self.sequences[:, self.prompt_length :]

    def logprobs(self, model: nn.Module, temperature: float = 1.0) -> Tensor:
        """(B, T) nats: these very tokens under a model, 0 where masked."""
        scored = token_logprobs(model, self.sequences, self.prompt_length, self.attention_mask, temperature)
        return scored.masked_fill(~self.mask, 0)


@torch.no_grad()
def sample(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    max_new_tokens: int,
    temperature: float = 1.0,
    *,
    generator: torch.Generator | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    add_special_tokens: bool = True,
) -> Responses:
    """Continue each prompt, one token at a time, from the full softmax.

    What is drawn here with ``temperature`` is exactly what :func:`score` scores with the same temperature.
    ``sampled_logprobs`` is the sampler's own record, from a pass with cached keys and values, to check that by: keep
    the scores as the old log-probs, so that rounding is the same on both sides of the ratio. The two agree to 1e-4 in
    float32; in half precision they are percents apart.

    Args:
        model: any causal language model that keeps keys and values, in ``eval`` mode.
        tokenizer: the model's own.
        prompts: B texts, none of them empty.
        max_new_tokens: T at most.
        temperature: logits are divided by it before the softmax.
        generator: of the random numbers, on the model's device.
        top_k: draw among the k likeliest tokens only. For demonstrations: the draws then no longer match their scores,
            log-probs are those of another distribution, and the surrogate is no longer an importance-weighted mean.
        top_p: draw among the likeliest tokens that together have this probability. It breaks the same.
        add_special_tokens: let the tokenizer put its own tokens around a prompt; False for a text that has them, as
            chat templates give it.

    Returns:
        The responses; T is the length of the longest one. A response ends with the tokenizer's end-of-text token, or
        one that the model's generation settings name.

    Raises:
        ValueError: if a prompt is empty or ended by the tokenizer, prompt and response do not fit into the model's
            context, the tokenizer knows tokens that the model does not, the model keeps no keys and values or cannot
            bear padding on the left, the generator is on another device, or a number is out of range; on a CPU also if
            the model's logits are NaN.
    """
    _check_draw(max_new_tokens, temperature, top_k, top_p)
    ids, attention_mask = _left_padded(model, tokenizer, prompts, max_new_tokens, add_special_tokens)
    if generator is not None and generator.device.type != ids.device.type:
        raise ValueError(f"generator must be on {ids.device} like the model, got {generator.device}")
    ends = torch.tensor(_ends(model, tokenizer), dtype=torch.long, device=ids.device)
    writing = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    columns, cache, step, folded = [], None, ids, folding(model)
    if folded is not None and (top_k is not None or top_p is not None):
        raise ValueError("top_k and top_p must be None for a folded model: rows are not tokens")
    for _ in range(max_new_tokens):
        logits, cache = _next_logits(model, step, attention_mask, cache)
        drawn, logprobs = _draw(_cut(logits / temperature, top_k, top_p), generator, folded)  # (B,) each
        drawn = drawn.where(writing, _padding(tokenizer))
        columns.append((drawn, logprobs.where(writing, 0), writing))
        attention_mask = torch.cat([attention_mask, writing[:, None].long()], dim=1)
        writing = writing & ~torch.isin(drawn, ends)
        if not writing.any():
            break
        step = drawn[:, None]
    tokens, sampled_logprobs, mask = (torch.stack(column, dim=1) for column in zip(*columns, strict=True))  # (B, T)
    words = mask & ~torch.isin(tokens, ends)
    texts = [tokenizer.decode(row[keep]) for row, keep in zip(tokens, words, strict=True)]
    sequences = torch.cat([ids, tokens], dim=1)
    return Responses(sequences, ids.shape[1], mask, texts, attention_mask, sampled_logprobs, ~writing)


def _next_logits(model: nn.Module, step: Tensor, attention_mask: Tensor, cache: Any) -> tuple[Tensor, Any]:
    """(B, V) scores of the next token, and the keys and values of all tokens so far."""
    places = positions(attention_mask)[:, -step.shape[1] :]
    options = understood(model, {"position_ids": places, "logits_to_keep": 1})
    out = model(input_ids=step, attention_mask=attention_mask, past_key_values=cache, use_cache=True, **options)
    if getattr(out, "past_key_values", None) is None:
        raise ValueError(f"model must keep keys and values of the tokens so far, {_name(model)} does not")
    return out.logits[:, -1].float(), out.past_key_values


def _cut(logits: Tensor, top_k: int | None, top_p: float | None) -> Tensor:
    """(B, V) scores, −∞ for the tokens that may not be drawn. Who is as likely as the k-th may be drawn too."""
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is not None and top_p < 1:  # at 1 rounding would cut off the tail of a large vocabulary
        probs, order = logits.softmax(dim=-1).sort(descending=True)
        beyond = probs.cumsum(dim=-1) - probs >= top_p  # the token that reaches top_p stays
        logits = logits.masked_fill(beyond.gather(-1, order.argsort(dim=-1)), -torch.inf)
    return logits


def _draw(logits: Tensor, generator: torch.Generator | None, folded: FoldedEmbedding | None) -> tuple[Tensor, Tensor]:
    """(B,) tokens by their softmax, and (B,) their log-probs."""
    if folded is not None:
        logits = logits + folded.log_copies
    drawn = _drawn(logits.softmax(dim=-1), generator)
    # not log_softmax: over 50,257 scores its sum is off by 1e-4 on a CPU
    logprobs = (logits.gather(-1, drawn) - logits.logsumexp(dim=-1, keepdim=True)).squeeze(-1)
    drawn = drawn.squeeze(-1)
    if folded is None:
        return drawn, logprobs
    shares = torch.rand(len(drawn), generator=generator, device=drawn.device)
    return folded.tokens_of(drawn, shares), logprobs - folded.log_copies[drawn]


def _drawn(probs: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, 1) one index of each row.

    ``torch.multinomial`` wants a random number for every token. A GPU makes them side by side, a CPU one by one, and
    for GPT-2's vocabulary that takes it longer than the bundled model's own work. There one number per row decides: in
    whose part of the interval from 0 to 1 it lies. In single precision a part of 1e-9 would be lost in the sum.
    """
    if probs.device.type != "cpu":
        return torch.multinomial(probs, 1, generator=generator)
    upto = probs.double().cumsum(dim=-1)  # (B, V)
    if not upto[:, -1].isfinite().all():
        raise ValueError("model must give logits that are numbers, got NaN or infinity")
    places = torch.rand(len(probs), 1, generator=generator, dtype=upto.dtype, device=upto.device) * upto[:, -1:]
    return torch.searchsorted(upto, places, right=True)  # never a token of probability 0: it has no part


def _left_padded(
    model: nn.Module, tokenizer, prompts: Sequence[str], max_new_tokens: int, add_special_tokens: bool
) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, (B, P) each; the prompts end together, so that responses begin together."""
    _check_vocabulary(model, tokenizer)
    rows = prompt_tokens(tokenizer, prompts, add_special_tokens)
    longest = max(map(len, rows))
    _check_context(model, longest + max_new_tokens, f"prompts ({longest} tokens) and max_new_tokens {max_new_tokens}")
    if min(map(len, rows)) < longest:
        _check_left_padding(model)
    ids = [[_padding(tokenizer)] * (longest - len(row)) + row for row in rows]
    mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=_device(model)), torch.tensor(mask, device=_device(model))


def prompt_tokens(tokenizer, prompts: Sequence[str], add_special_tokens: bool = True) -> list[list[int]]:
    """The tokens of each prompt, after which a response can begin.

    Args:
        tokenizer: of the model that will read them.
        prompts: B texts.
        add_special_tokens: let the tokenizer put its own tokens around a prompt.

    Returns:
        B lists of token ids.

    Raises:
        ValueError: if there is no prompt, or one has no token or is ended by the tokenizer.
    """
    if isinstance(prompts, str) or not prompts:
        raise ValueError(f"prompts must be a list of at least one text, got {prompts!r}")
    rows, end = [], tokenizer.eos_token_id
    for i, prompt in enumerate(prompts):
        row = tokenizer(prompt, add_special_tokens=add_special_tokens)["input_ids"]
        if not row:
            raise ValueError(f"prompts[{i}] must not be empty, got {prompt!r}")
        if row[-1] == end and tokenizer(prompt, add_special_tokens=False)["input_ids"][-1:] != [end]:
            raise ValueError(f"prompts[{i}] must not be ended by its tokenizer: give add_special_tokens=False")
        rows.append(row)
    return rows


def _padding(tokenizer) -> int:
    """Any token would do, because padding is masked; GPT-2 has none of its own."""
    return next(i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if i is not None)


def _ends(model: nn.Module, tokenizer) -> list[int]:
    """The tokens that end a text: the tokenizer's, and those that chat models name in their generation settings."""
    named = getattr(getattr(_unwrapped(model), "generation_config", None), "eos_token_id", None)
    named = named if isinstance(named, list | tuple) else [named]
    return sorted({token for token in (tokenizer.eos_token_id, *named) if token is not None})


# --- what models differ in ------------------------------------------------------------------------------------------


def understood(model: nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    """The options that this architecture has: not every one counts positions or can leave logits away.

    A wrapper of somebody's own that takes any option passes them on, so it is given all of them.

    Args:
        model: any causal language model, or its trunk.
        options: what its ``forward`` should be given, by name.
    """
    inner = _unwrapped(model)
    known = inspect.signature(inner.forward).parameters
    passes_on = any(p.kind == p.VAR_KEYWORD for p in known.values()) and not isinstance(inner, PreTrainedModel)
    return options if passes_on else {name: value for name, value in options.items() if name in known}


def _unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, out of what compiling, distributing or adapting has wrapped around it."""
    inner = getattr(model, "_orig_mod", None) or getattr(model, "module", None)  # compiled, distributed
    if isinstance(inner, nn.Module):
        return _unwrapped(inner)
    return model.get_base_model() if hasattr(model, "get_base_model") else model  # with adapters


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _name(model: nn.Module) -> str:
    return type(_unwrapped(model)).__name__


def folding(model: nn.Module) -> FoldedEmbedding | None:
    """The vocabulary of a folded model; None if every token has a row of its own."""
    embedding = _unwrapped(model).get_input_embeddings()
    return embedding if isinstance(embedding, FoldedEmbedding) else None


def _vocabulary(model: nn.Module) -> int:
    return _unwrapped(model).get_input_embeddings().num_embeddings


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout, and afterwards with every part as it was."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@torch.no_grad()
def _check_left_padding(model: nn.Module) -> None:
    """Try it once: some models count positions from the edge, or read the padding as if it were text."""
    inner = _unwrapped(model)
    if inner in _PADS_LEFT:
        return
    ids = torch.arange(5, device=_device(inner))[None] % _vocabulary(inner)  # (1, 5): two that are masked, three tokens
    mask = (torch.arange(5, device=ids.device)[None] >= 2).long()
    with evaluating(inner):
        places = understood(inner, {"position_ids": positions(mask)})
        padded = inner(input_ids=ids, attention_mask=mask, use_cache=False, **places).logits[:, -1]
        alone = inner(input_ids=ids[:, 2:], use_cache=False).logits[:, -1]
    error = (padded.float().log_softmax(-1) - alone.float().log_softmax(-1)).abs().max().item()
    # wrong positions cost tenths of a nat, a GPU's shortened products thousandths, half precision hundredths
    if not error <= (0.05 if alone.dtype in (torch.float32, torch.float64) else 0.2):  # NaN is not small
        raise ValueError(
            f"attention_mask must not pad on the left for {_name(model)}: it scores a padded text {error:.2f} nats off"
        )
    _PADS_LEFT.add(inner)


# --- bad input ------------------------------------------------------------------------------------------------------


def check_learns(model: nn.Module) -> None:
    """Raise ``ValueError`` unless a model has weights that an optimiser can move.

    Half precision is for the forward pass (``torch.autocast``). Of weights that are kept in it, Adam's small steps are
    rounded away: at the real GPT-2's learning rate less than a hundredth of them moves.
    """
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not learning:
        raise ValueError(f"model must have weights that learn, {_name(model)} is frozen: model.requires_grad_(True)")
    kinds = {parameter.dtype for parameter in learning} & {torch.float16, torch.bfloat16}
    if kinds:
        raise ValueError(f"model must keep the weights that learn in float32, got {kinds.pop()}: model.float()")


def _check_sequences(model: nn.Module, sequences: Tensor, prompt_length: int, attention_mask: Tensor | None) -> None:
    if not isinstance(sequences, Tensor) or sequences.ndim != 2 or sequences.is_floating_point() or not len(sequences):
        shape = tuple(getattr(sequences, "shape", ())) or type(sequences).__name__
        raise ValueError(f"sequences must be token ids, (B, P + T), rows of mixed lengths padded; got {shape}")
    length = sequences.shape[1]
    if not 1 <= prompt_length < length:
        raise ValueError(f"prompt_length must be in [1, {length - 1}] for {length} tokens, got {prompt_length}")
    if attention_mask is not None and attention_mask.shape != sequences.shape:
        wanted, got = tuple(sequences.shape), tuple(attention_mask.shape)
        raise ValueError(f"attention_mask must have shape {wanted} like sequences, got {got}")
    for name, tensor in (("sequences", sequences), ("attention_mask", attention_mask)):
        if tensor is not None and tensor.device != _device(model):
            raise ValueError(f"{name} must be on {_device(model)} like the model, got {tensor.device}")
    _check_context(model, length, f"sequences of {length} tokens")
    _check_contents(model, sequences, attention_mask)


def _check_contents(model: nn.Module, sequences: Tensor, attention_mask: Tensor | None) -> None:
    """What only the numbers show, asked for all at once: a GPU has to be waited for."""
    real = torch.ones_like(sequences, dtype=torch.bool) if attention_mask is None else attention_mask != 0
    facts = (_has_gap(real).any(), ~real[:, 0].all(), sequences.min(), sequences.max())
    gap, left, least, largest = torch.stack([fact.long() for fact in facts]).tolist()
    if gap:
        raise ValueError("attention_mask must not have padding between tokens: pad prompts on the left")
    known = _vocabulary(model)
    if least < 0 or largest >= known:  # a GPU would stop for good instead of raising
        raise ValueError(f"sequences must hold token ids in [0, {known - 1}], got {least} … {largest}")
    if left:
        _check_left_padding(model)


def _has_gap(real: Tensor) -> Tensor:
    """Where a row goes on after padding."""
    begun, goes_on = real.cumsum(dim=-1) > 0, real.flip(-1).cumsum(dim=-1).flip(-1) > 0
    return begun & goes_on & ~real


def _check_context(model: nn.Module, length: int, what: str) -> None:
    context = getattr(getattr(_unwrapped(model), "config", None), "max_position_embeddings", None)
    if context is not None and 0 < context < length:  # some models without a limit say −1
        raise ValueError(f"{what} must fit into the model's context of {context} tokens, got {length}")


def _check_vocabulary(model: nn.Module, tokenizer) -> None:
    known = _vocabulary(model)
    if len(tokenizer) > known:
        raise ValueError(f"tokenizer must fit the model: it knows {len(tokenizer)} tokens, the model {known}")


def _check_temperature(temperature: float) -> None:
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature must be positive and finite, got {temperature}")


def _check_draw(max_new_tokens: int, temperature: float, top_k: int | None, top_p: float | None) -> None:
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
    _check_temperature(temperature)
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1 or None, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be in (0, 1] or None, got {top_p}")
