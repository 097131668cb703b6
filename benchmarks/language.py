"""Texts: loading, scoring against the bare forward pass, sampling against transformers' own generate."""

import contextlib
import io
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch

from benchmarks.learning import single_threaded
from benchmarks.table import Row, benchmark

ROOT = Path(__file__).parents[1]
CONFIGURATIONS = {"bundled model": "tiny", "GPT-2 small, random": "small"}
PROMPTS = ["The food at the restaurant was"] * 32


def load(name: str):
    """The bundled model, or one of GPT-2's size with random weights, and the tokenizer."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from ppo_helpers.language import load_gpt2

    with contextlib.redirect_stdout(io.StringIO()):
        model, tokenizer = load_gpt2("tiny")
    if name == "small":
        model = GPT2LMHeadModel(GPT2Config(attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)).eval()
    return model, tokenizer


def score(model, what: str) -> None:
    """32 texts of 64 tokens: the bare forward pass, or the log-probs of all tokens."""
    from ppo_helpers.language import token_logprobs

    ids = torch.randint(0, 50256, (32, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        _ = model(input_ids=ids, use_cache=False).logits if what == "forward" else token_logprobs(model, ids, 1)


def peak(name: str, what: str) -> float:
    """GB that a fresh process had at its highest; the least of three, because the allocator's luck differs."""
    code = f"from benchmarks.language import load, score; score(load({name!r})[0], {what!r})"
    code += "; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(3)]
    return min(float(run.stdout.split()[-1]) for run in runs) * 1024 / 1e9


def seconds(function, *args, **options) -> float:
    start = time.perf_counter()
    function(*args, **options)
    return time.perf_counter() - start


@benchmark
def token_logprobs_time_and_memory():
    for words, name in CONFIGURATIONS.items():
        model, _ = load(name)
        score(model, "forward")
        pairs = [[seconds(score, model, what) for what in ("forward", "logprobs")] for _ in range(5)]
        forward, logprobs = (median(column) for column in zip(*pairs, strict=True))
        yield Row(f"token_logprobs 32 × 64, {words}", logprobs, 1.25 * forward, "s", peer="1.25 × forward")
        del model
        yield Row(
            f"token_logprobs 32 × 64, {words}, peak memory", peak(name, "logprobs"), 1.1 * peak(name, "forward"), "GB",
            peer="1.1 × forward",
        )  # fmt: skip


@benchmark
def sampling():
    from ppo_helpers.language import sample

    for words, name in CONFIGURATIONS.items():
        model, tokenizer = load(name)
        model.generation_config.eos_token_id = None  # both write 16 tokens, whatever they are
        tokenizer.eos_token, tokenizer.pad_token_id = None, 0
        prompt = tokenizer(PROMPTS, return_tensors="pt")
        options = {"max_new_tokens": 16, "do_sample": True, "top_k": 0, "pad_token_id": 0}
        ours, theirs = [], []
        for _ in range(4):
            ours.append(seconds(sample, model, tokenizer, PROMPTS, 16))
            theirs.append(seconds(model.generate, **prompt, **options))
        rate = [32 * 16 / median(times[1:]) for times in (ours, theirs)]
        yield Row(f"sample 32 × 16, {words}", rate[0], 0.8 * rate[1], "tokens/s", True, "0.8 × generate")


@benchmark
def update_without_entropy():
    """One epoch of PPO on (32, 16) tokens of the bundled model, with the entropy bonus and without."""
    from ppo_helpers.experience import Batch
    from ppo_helpers.language import score
    from ppo_helpers.ppo import PPOConfig, ppo_update

    model, _ = load("tiny")
    generator = torch.Generator().manual_seed(0)
    ids, mask = torch.randint(0, 50256, (32, 22), generator=generator), torch.ones(32, 16, dtype=torch.bool)
    with torch.no_grad():
        old = score(model, ids, 6).logprobs
    columns = (torch.randn(32, 16, generator=generator), torch.zeros(32, 16), torch.zeros(32, 16))
    batch, optimizer = Batch({"sequences": ids}, old, *columns, mask), torch.optim.SGD(model.parameters(), lr=0.0)

    def update(bonus: bool) -> None:
        def evaluate(part):
            logprobs, _, entropy = score(model, part.inputs["sequences"], 6, entropy=bonus)
            return logprobs, logprobs * 0, entropy

        ppo_update(evaluate, batch, optimizer, PPOConfig(epochs=2, minibatch_size=32, ent_coef=0.01 * bonus))

    def bare() -> None:
        """What no update can do without: one look without gradients, then two times forward and backward."""
        with torch.no_grad():
            model(input_ids=ids, use_cache=False)
        for _ in range(2):
            logits = model(input_ids=ids, use_cache=False, logits_to_keep=17).logits[:, :-1]
            torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 6:].flatten()).backward()

    update(True)
    columns = ([single_threaded(run) for run in (lambda: update(True), lambda: update(False), bare)] for _ in range(5))
    slow, fast, least = (median(column) for column in zip(*columns, strict=True))
    yield Row("PPO update on texts without entropy", fast, 1.15 * least, "s", peer="1.15 × its bare passes")
    yield Row("  the same with an entropy bonus", slow, 2 * fast, "s", peer="2 × without")


def rlhf(model, tokenizer, iterations: int, reward=None, **options):
    """A training on 32 texts of 16 tokens, four epochs; unless another is given, with a reward that costs nothing."""
    from ppo_helpers.language.rewards import of_text
    from ppo_helpers.language.sft import PROMPTS
    from ppo_helpers.language.writing import Training, WriteConfig

    config = WriteConfig(iterations=iterations, learning_rate=2e-4, **options)
    return Training(model, tokenizer, PROMPTS, reward or of_text(lambda prompt, text: len(text) / 50), config)


@benchmark
def ppo_iteration_on_texts():
    """32 × 16 tokens, 4 epochs, on the folded bundled model, one thread."""
    from ppo_helpers.language.folding import fold

    model, tokenizer = load("tiny")
    training = rlhf(fold(model), tokenizer, iterations=8)
    times = [single_threaded(training.iterate) for _ in range(8)]
    yield Row("PPO iteration 32 × 16, 4 epochs, folded", median(times[1:]), 0.5, "s")


@benchmark
def ppo_iteration_beside_trl():
    """The same iteration by TRL's trainer, in an environment of its own: four networks of the same size."""
    from ppo_helpers.language.rewards import RewardModel

    python = ROOT / ".venv-trl" / "bin" / "python"
    done = subprocess.run([python, ROOT / "benchmarks/trl/iteration.py"], capture_output=True, text=True, check=True)
    model, tokenizer = load("tiny")
    training = rlhf(model, tokenizer, iterations=4, reward=RewardModel(model).rate, separate_value=True)
    times = [single_threaded(training.iterate) for _ in range(4)]
    theirs = float(done.stdout.split()[-1])
    yield Row("PPO iteration 32 × 16, whole vocabulary", median(times[1:]), 0.7 * theirs, "s", peer="0.7 × TRL")


@benchmark
def folding():
    """Each part of an iteration on the folded model against the same part on the whole vocabulary, one thread."""
    from ppo_helpers.language import sample
    from ppo_helpers.language.folding import fold
    from ppo_helpers.ppo import ppo_update

    model, tokenizer = load("tiny")
    parts = {"sampling": [], "scoring": [], "PPO update": []}
    for one in (fold(model), model):
        training = rlhf(one, tokenizer, iterations=1)
        batch = training.collect().batch(1.0, 0.95)
        for name, work in (
            (
                "sampling",
                lambda one=one: sample(one, tokenizer, PROMPTS, 16, generator=torch.Generator().manual_seed(0)),
            ),
            ("scoring", lambda one=one: score(one, "logprobs")),
            ("PPO update", lambda t=training, b=batch: ppo_update(t.evaluate, b, t.optimizer, t.config, t.generator)),
        ):
            single_threaded(work)
            parts[name].append(median(single_threaded(work) for _ in range(3)))
    for name, (folded, whole) in parts.items():
        yield Row(f"{name}, folded against whole vocabulary", folded, whole / 3, "s", peer="whole / 3")


@benchmark
def load_bundled():
    load("tiny")  # imports are not loading
    yield Row("load_gpt2('tiny')", median(seconds(load, "tiny") for _ in range(5)), 2, "s")
