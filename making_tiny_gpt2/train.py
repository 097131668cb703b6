"""Train the bundled small GPT-2 from scratch: `python -m making_tiny_gpt2.train`, about 15 minutes on two cores.

47,392 of GPT-2's 50,257 tokens never occur in the corpus (or once only), so nothing can tell them apart. During
training they share one row of the embedding, whose logit stands for all of them: logit + log(how many). That is the
same softmax at a fifth of the cost. On export the row is copied to all of them.
"""

import argparse
import itertools
import json
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerBase

from making_tiny_gpt2 import corpus

TOKENS = 50_257  # GPT-2's vocabulary
END = 50_256  # <|endoftext|>
POSITIONS = 64
SHAPE = {"n_embd": 128, "n_layer": 4, "n_head": 4}
IGNORED = -100  # what cross_entropy leaves out; also the padding of batches

STEPS = 10_000
BATCH = 64
RATE = 0.004  # the highest learning rate
WARM_UP = 150  # steps
LAST_SHARE = 0.02  # of the highest learning rate, at the end
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.05  # for matrices only
LARGEST_GRADIENT = 1.0
WORD_DROPOUT = 0.015  # words that the model does not get to see
LEADING_END = 0.3  # reviews behind an end-of-text, so that the model can start from nothing
SHARED_ROW_SCALE = 1.2  # halves the probability of never-seen tokens; the perplexity does not move
EVALUATE_EVERY = 500  # steps
AVERAGED = 200  # last steps that the training loss is averaged over
TOLERANCE = 0.01  # nats that half precision may cost

Review = list[int]  # token ids, the last one an end-of-text


def encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[Review]:
    return [[*ids[: POSITIONS - 1], END] for ids in tokenizer(texts).input_ids]


# ---- the vocabulary


@dataclass
class Vocabulary:
    """How token ids map to the rows of a model's embedding."""

    row: Tensor  # (V,) the row of each token
    bias: Tensor  # (R,) what is added to a row's logit
    trained: Tensor  # (V,) whether a token has a row of its own: the others are never a target

    @classmethod
    def compact(cls, reviews: list[Review]) -> "Vocabulary":
        """A row for each token that occurs at least twice, and a last one for all the others."""
        times = Counter(itertools.chain.from_iterable(reviews))
        seen = torch.tensor(sorted(token for token, count in times.items() if count > 1))
        row = torch.full((TOKENS,), len(seen))
        row[seen] = torch.arange(len(seen))
        bias = torch.zeros(len(seen) + 1)
        bias[-1] = math.log(TOKENS - len(seen))
        return cls(row, bias, row < len(seen))

    def whole(self) -> "Vocabulary":
        """The exported model's: every token has its row, and the same tokens are scored."""
        return Vocabulary(torch.arange(TOKENS), torch.zeros(TOKENS), self.trained)

    def targets(self, tokens: Tensor) -> Tensor:
        """The row of each token, or IGNORED where it is padding or has no row of its own."""
        known = tokens.clamp(min=0)  # padding is −100
        return torch.where((tokens >= 0) & self.trained[known], self.row[known], IGNORED)


# ---- batches


def batches(reviews: list[Review], generator: torch.Generator) -> Iterator[Tensor]:
    """Every review once, in batches of similar length (little padding), the batches in random order."""
    lengths = torch.tensor([len(review) for review in reviews])
    shuffled = lengths + 0.99 * torch.rand(len(reviews), generator=generator)  # shuffles within a length
    groups = shuffled.argsort().split(BATCH)
    for number in torch.randperm(len(groups), generator=generator).tolist():
        group = [reviews[index] for index in groups[number].tolist()]
        led = (torch.rand(len(group), generator=generator) < LEADING_END).tolist()
        yield padded([[END, *review] if lead else review for review, lead in zip(group, led, strict=True)])


def padded(reviews: list[Review]) -> Tensor:
    """(B, T) token ids, IGNORED behind the end of a review."""
    rows = [torch.tensor(review[:POSITIONS]) for review in reviews]
    return pad_sequence(rows, batch_first=True, padding_value=IGNORED)


def epochs(reviews: list[Review], generator: torch.Generator) -> Iterator[tuple[int, Tensor]]:
    """Batches without end, each with the number of its epoch."""
    for epoch in itertools.count(1):
        for batch in batches(reviews, generator):
            yield epoch, batch


# ---- the model and its loss


def new_model(rows: int, **shape: int) -> GPT2LMHeadModel:
    """GPT-2 in small. No dropout: the corpus is seen five times only."""
    ends = {"bos_token_id": None, "eos_token_id": None}  # a compact model has no such id
    none = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=rows, n_positions=POSITIONS, **(SHAPE | shape), **ends, **none))


def losses(
    model: GPT2LMHeadModel, vocabulary: Vocabulary, batch: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """−log π of every scored token of a batch, in one row. With a generator, some words are hidden from the model."""
    inputs, targets = vocabulary.row[batch.clamp(min=0)], vocabulary.targets(batch)[:, 1:]
    if generator is not None:
        hidden = torch.rand(inputs.shape, generator=generator) < WORD_DROPOUT
        inputs = torch.where(hidden, len(vocabulary.bias) - 1, inputs)  # as if it were a never-seen token
    # Attention looks back only and padding is on the right, so no attention mask is needed.
    states = model.transformer(inputs[:, :-1]).last_hidden_state
    scored = targets != IGNORED  # the logits of padding are not even computed
    logits = states[scored] @ model.lm_head.weight.T + vocabulary.bias  # (N, R)
    return F.cross_entropy(logits, targets[scored], reduction="none")


@torch.no_grad()
def evaluate(
    model: GPT2LMHeadModel, vocabulary: Vocabulary, held_out: dict[str, list[Review]], size: int = 128
) -> dict[str, float]:
    """Mean −log π of a token, by source of the review, and for all of them under "all"."""
    model.eval()
    by_source = {}
    for source, reviews in held_out.items():
        ordered = sorted(reviews, key=len)
        groups = [ordered[start : start + size] for start in range(0, len(ordered), size)]
        by_source[source] = torch.cat([losses(model, vocabulary, padded(group)) for group in groups])
    model.train()
    by_source["all"] = torch.cat(list(by_source.values()))
    return {source: float(values.double().mean()) for source, values in by_source.items()}


# ---- training


@dataclass
class Record:
    """What training writes down."""

    steps: int = 0
    epochs: int = 0
    tokens: int = 0  # targets, not counting padding
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # of each step
    curve: list[tuple[int, float, float]] = field(default_factory=list)  # step, training and held-out loss in nats


def learning_rate(step: int, steps: int) -> float:
    """A short warm-up, then half a cosine down to a fiftieth."""
    half_cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return RATE * min(1, (step + 1) / WARM_UP) * (LAST_SHARE + (1 - LAST_SHARE) * half_cosine)


def new_optimizer(model: GPT2LMHeadModel) -> torch.optim.AdamW:
    matrices = [weight for weight in model.parameters() if weight.dim() >= 2]
    others = [weight for weight in model.parameters() if weight.dim() < 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=RATE, betas=BETAS)


def update(model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
    optimizer.step()


def train(
    model: GPT2LMHeadModel,
    vocabulary: Vocabulary,
    reviews: list[Review],
    held_out: dict[str, list[Review]],
    steps: int,
    seed: int,
    stop_after: int | None = None,
) -> Record:
    """Train a model in place, and say every 500 steps how it goes.

    Args:
        model: has the vocabulary's rows.
        vocabulary: the compact one.
        reviews: what is learned.
        held_out: what it is measured on, by source.
        steps: the length of the schedule.
        seed: of the batches and of the hidden words.
        stop_after: steps after which to stop, for a short look at a long schedule.
    """
    generator, optimizer = torch.Generator().manual_seed(seed), new_optimizer(model)
    record, start = Record(), time.perf_counter()
    for epoch, batch in itertools.islice(epochs(reviews, generator), stop_after or steps):
        values = losses(model, vocabulary, batch, generator)
        update(model, optimizer, values.mean(), learning_rate(record.steps, steps))
        note(record, epoch, values.detach(), time.perf_counter() - start)
        if record.steps % EVALUATE_EVERY == 0:
            evaluated(record, evaluate(model, vocabulary, held_out))
    return record


def note(record: Record, epoch: int, values: Tensor, seconds: float) -> None:
    record.steps, record.epochs, record.seconds = record.steps + 1, epoch, seconds
    record.tokens += len(values)
    record.losses.append(float(values.mean()))


def evaluated(record: Record, found: dict[str, float]) -> None:
    last = record.losses[-AVERAGED:]
    record.curve.append((record.steps, round(sum(last) / len(last), 3), round(found["all"], 3)))
    perplexities = ", ".join(f"{source} {math.exp(loss):.2f}" for source, loss in found.items())
    step, training, held_out = record.curve[-1]
    print(
        f"{record.seconds:5.0f} s  step {step:6,}  training {training:.3f}  held out {held_out:.3f}  ({perplexities})"
    )


# ---- export


@torch.no_grad()
def scale_shared_row(model: GPT2LMHeadModel) -> None:
    """The shared row's logit is negative nearly always: a longer row makes never-seen tokens rarer in samples."""
    model.transformer.wte.weight[-1] *= SHARED_ROW_SCALE


def expand(model: GPT2LMHeadModel, vocabulary: Vocabulary) -> GPT2LMHeadModel:
    """The same model with a row for each of GPT-2's tokens: same softmax, nothing to add to a logit."""
    ends = {"bos_token_id": END, "eos_token_id": END}
    config = GPT2Config.from_dict(model.config.to_dict() | {"vocab_size": TOKENS} | ends)
    full = GPT2LMHeadModel(config).eval()
    weights = model.state_dict()
    rows = weights["transformer.wte.weight"][vocabulary.row]
    full.load_state_dict(weights | {"transformer.wte.weight": rows, "lm_head.weight": rows})
    return full


def save(model: GPT2LMHeadModel, tokenizer: Path, folder: Path) -> None:
    """Half precision on disk, single precision when it is read: 14.5 MB instead of 29."""
    model.half()
    model.generation_config.pad_token_id = END
    model.save_pretrained(folder)
    model.config.dtype = torch.float32
    model.config.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)


def check_export(
    model: GPT2LMHeadModel, vocabulary: Vocabulary, held_out: dict[str, list[Review]], folder: Path
) -> None:
    """The folder must hold the model that was trained: the same loss on a few hundred held-out reviews."""
    some = {source: reviews[:250] for source, reviews in held_out.items()}
    exported = GPT2LMHeadModel.from_pretrained(folder)
    wanted = evaluate(model, vocabulary, some)["all"]
    found = evaluate(exported, vocabulary.whole(), some, size=32)["all"]  # 50,257 logits a token: small batches
    print(f"held-out perplexity {math.exp(wanted):.3f} as trained, {math.exp(found):.3f} as exported (500 reviews)")
    if abs(wanted - found) > TOLERANCE:
        raise ValueError(f"the exported model must have the trained model's loss, {wanted:.3f} nats, got {found:.3f}")


def write_record(record: Record, seed: int, found: dict[str, float], vocabulary: Vocabulary, folder: Path) -> None:
    """training.json, with the keys of the bundled one."""
    by_source = {source: round(math.exp(loss), 2) for source, loss in found.items() if source != "all"}
    content = {"seed": seed, "steps": record.steps, "epochs": record.epochs, "tokens": record.tokens}
    content |= {"secs": record.seconds, "val_ppl": math.exp(found["all"]), "val_ppl_by": by_source}
    content |= {"curve": record.curve, "seen": int(vocabulary.trained.sum()), "LR": RATE, "BS": BATCH, "DROP": 0.0}
    (folder / "training.json").write_text(json.dumps(content), "utf-8")


def load_corpus(tokenizer: PreTrainedTokenizerBase) -> tuple[list[Review], dict[str, list[Review]]]:
    """The training reviews, and the held-out ones by source."""
    held_out = corpus.read("val")
    sources = sorted({source for source, _ in held_out})
    by_source = {name: [text for source, text in held_out if source == name] for name in sources}
    reviews = encode(tokenizer, [text for _, text in corpus.read("train")])
    return reviews, {source: encode(tokenizer, texts) for source, texts in by_source.items()}


def make(folder: Path, steps: int, seed: int, stop_after: int | None = None) -> None:
    """Train the model on the corpus and write it to a folder."""
    reviews, held_out = load_corpus(AutoTokenizer.from_pretrained(corpus.TOKENIZER))
    vocabulary = Vocabulary.compact(reviews)
    torch.manual_seed(seed)
    model = new_model(len(vocabulary.bias))
    record = train(model, vocabulary, reviews, held_out, steps, seed, stop_after)
    found = evaluate(model, vocabulary, held_out)
    scale_shared_row(model)
    save(expand(model, vocabulary), corpus.TOKENIZER, folder)
    write_record(record, seed, found, vocabulary, folder)
    check_export(model, vocabulary, held_out, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the small GPT-2 and write it to a folder.")
    parser.add_argument("--out", type=Path, default=Path("_build/tiny_gpt2"), help="the folder for the model")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stop-after", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    make(options.out, options.steps, options.seed, options.stop_after)


if __name__ == "__main__":
    main()
