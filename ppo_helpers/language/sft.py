"""Supervised fine-tuning: the model learns to answer as demonstrations do, by the plain loss of a language model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ppo_helpers.language.answers import Answers, pack
from ppo_helpers.language.rater import DATA
from ppo_helpers.language.scoring import check_learns
from ppo_helpers.objectives import masked_mean

PROMPTS = (
    "The food at the restaurant was",
    "The movie I watched last night was",
    "Customer support helped me",
    "I feel really",
    "The service I received was",
    "The product I bought",
    "The hotel room was",
    "My experience with this app",
    "The book I read was",
    "The staff at the store were",
)


def demonstrations() -> list[tuple[str, str]]:
    """335 pairs of prompt and response: reviews by the grammar that the bundled model has not been trained on."""
    lines = (DATA / "demonstrations.tsv").read_text("utf-8").splitlines()
    return [tuple(line.split("\t", 1)) for line in lines]


def sft_loss(model: torch.nn.Module, answers: Answers) -> Tensor:
    """Mean of −log π over the real tokens of the responses; the prompts are given and not learned."""
    return -masked_mean(answers.responses.logprobs(model), answers.responses.mask)


@dataclass(frozen=True)
class Epoch:
    """One time through the demonstrations."""

    done: int
    train_loss: float  # nats per token, of the last batch before its step; NaN before the first epoch
    held_out_loss: float  # nats per token


def train_sft(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    epochs: int = 3,
    learning_rate: float = 3e-4,
    batch_size: int = 32,
    held_out: float = 0.1,
    seed: int = 0,
    progress: bool = True,
) -> Iterator[Epoch]:
    """Train a model on demonstrations, in place; leave the loop over it at any epoch.

    Args:
        model: the model, in ``eval`` mode: it stays without dropout.
        tokenizer: its own.
        pairs: prompts and responses.
        epochs: times through them.
        learning_rate: of Adam.
        batch_size: pairs per step.
        held_out: share of the pairs at the end of the list that is only looked at.
        seed: of the order.
        progress: show a bar.

    Returns:
        A generator of epochs; the first one, number 0, is the model before any step.

    Raises:
        ValueError: if nothing is left to train on or to hold out, ``epochs`` or ``batch_size`` is below 1, or the
            model's weights are frozen or in half precision.
    """
    for name, number in (("epochs", epochs), ("batch_size", batch_size)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    kept = round(len(pairs) * (1 - held_out))
    if not 0 < kept < len(pairs):
        raise ValueError(f"held_out must leave pairs on both sides, got {held_out} of {len(pairs)}")
    return _epochs(
        model, tokenizer, list(pairs[:kept]), list(pairs[kept:]), epochs, learning_rate, batch_size, seed, progress
    )


def _epochs(model, tokenizer, train, test, epochs, learning_rate, batch_size, seed, progress) -> Iterator[Epoch]:
    check_learns(model)
    device = next(model.eval().parameters()).device
    unseen = pack(tokenizer, test, device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    generator, loss = torch.Generator().manual_seed(seed), torch.tensor(float("nan"))
    for done in tqdm(range(epochs + 1), desc="SFT", unit="epoch", disable=not progress):
        if done:
            for rows in torch.randperm(len(train), generator=generator, device="cpu").split(batch_size):
                loss = sft_loss(model, pack(tokenizer, [train[i] for i in rows.tolist()], device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            held_out = sft_loss(model, unseen).item()
        yield Epoch(done, loss.item(), held_out)  # outside: what a reader does between two epochs has its gradients
