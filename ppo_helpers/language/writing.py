"""The text's way into PPO: write, judge, climb. The same four steps as in ``walking``, and the same update.

A walk is a response, a step is a token. The score of a text is paid at its last token, and every token pays for being
likelier under the policy than under a frozen reference.
"""

import copy
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, inf, nan
from numbers import Integral
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ppo_helpers import checkpoint as files
from ppo_helpers.experience import Batch, Experience
from ppo_helpers.language.answers import Answers, listed, write
from ppo_helpers.language.rater import words
from ppo_helpers.language.rewards import AdaptiveKL, FixedKL, Reward, scores_of, token_rewards
from ppo_helpers.language.scoring import Scores, check_learns, evaluating, folding, sample, score
from ppo_helpers.language.value_head import WithValueHead, last_token
from ppo_helpers.objectives import kl_k1
from ppo_helpers.ppo import Evaluate, PPOConfig, PPOStats, ppo_update, whole_seed

RECENT = 5  # iterations over which a judge's scores are averaged: one batch is too noisy to stop by
RATE_BY_SIZE = 700  # learning rate times parameters: the first step of Adam moves each of them by up to the rate


@dataclass(frozen=True)
class WriteConfig(PPOConfig):
    """The numbers of PPO on texts.

    Raises:
        ValueError: if a number is out of its range.
    """

    iterations: int = 60
    minibatch_size: int = 32
    gamma: float = 1.0
    vf_coef: float = 0.1
    max_grad_norm: float | None = 1.0
    learning_rate: float | None = None
    """of Adam; None for 700 / parameters of the model"""
    warmup: int = 0
    """iterations in which the learning rate climbs to its full height, in equal steps; InstructGPT had 10"""
    texts: int = 32
    """responses per iteration"""
    max_new_tokens: int = 16
    """of a response, at most"""
    temperature: float = 1.0
    """of the draws, and of the scores that belong to them"""
    value_factor: float = 10.0
    """how many times as large the value head's learning rate is: it starts from nothing"""
    separate_value: bool = False
    """give the values a trunk of their own"""
    micro_batch: int | None = None
    """texts that go through the model at a time, at most: less memory, the same gradient; None for all"""
    max_kl: float | None = None
    """end the run when the KL per response, nats, mean of three iterations, is above this; None for never"""
    patience: int | None = None
    """end the run so many iterations after the judge's mean over five was at its best; None for never"""

    def __post_init__(self):
        if self.learning_rate is None:
            replace(self, learning_rate=0.0)  # the other numbers are looked at there
            return
        super().__post_init__()
        for name in ("texts", "max_new_tokens"):
            self._whole(name)
        count = isinstance(self.warmup, Integral) and not isinstance(self.warmup, bool) and self.warmup >= 0
        self._require("warmup", count, "a whole number of at least 0")
        for name in ("micro_batch", "patience"):
            if getattr(self, name) is not None:
                self._whole(name)
        for name in ("temperature", "value_factor"):
            self._require(name, self._is_number(name) and 0 < getattr(self, name) < inf, "positive and finite")
        fine = self.max_kl is None or (self._is_number("max_kl") and self.max_kl > 0)
        self._require("max_kl", fine, "positive or None")
        self._require("separate_value", isinstance(self.separate_value, bool), "True or False")

    def at(self, done: int) -> "WriteConfig":
        """The numbers of the iteration after ``done`` others, as :meth:`PPOConfig.at` has them, and warmed up.

        Args:
            done: as for :meth:`PPOConfig.at`.

        Returns:
            Those numbers, with the learning rate that the warm-up has reached.

        Raises:
            ValueError: as :meth:`PPOConfig.at`, or if there is no learning rate yet.
        """
        if self.learning_rate is None:
            raise ValueError("learning_rate must be a number here, got None: rate_by_size(model) gives one")
        config = super().at(done)
        warm = min(1.0, (done + 1) / max(self.warmup, 1))
        return replace(config, learning_rate=config.learning_rate * warm)


def rate_by_size(model: nn.Module) -> float:
    """A learning rate that is small enough for a model of this size: 700 / parameters.

    Adam's first step moves a parameter by up to the learning rate, so what a log-prob moves by grows with their number:
    1e-4 is gentle for the bundled model and ruins the real GPT-2, whose rate is 6e-6. Folding a vocabulary does not
    make a model smaller. For large ones it is an upper end: on a trained model of 135 million parameters the first
    update, of four epochs, took 12 to 15 % of the ratios out of 1 ± 0.2 (four seeds), and at half the rate 3 to 5 %.
    With ``warmup=10`` it was below 1 %, and no ratio above 1.4.
    """
    count = sum(parameter.numel() for parameter in model.parameters())
    if (vocabulary := folding(model)) is not None:
        count += vocabulary.num_embeddings * vocabulary.embedding_dim - vocabulary.weight.numel()
    return RATE_BY_SIZE / count


# --- collect --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Texts(Experience):
    """Experience of one batch of responses."""

    answers: Answers | None = None
    scores: Tensor | None = None  # (B,) reward points, before the price of KL
    ref_logprobs: Tensor | None = None  # (B, T) nats, 0 at padding

    @property
    def kl(self) -> Tensor:
        """(B,) log π − log π_ref of each whole response, nats: an estimate of its KL that is right on average."""
        return kl_k1(self.logprobs, self.ref_logprobs).sum(dim=1)


class Collector:
    """Writes with the current policy, and works out what every token has earned.

    Args:
        policy: writes and values.
        reference: says what each token costs; it is only read.
        tokenizer: of both.
        prompts: what is answered; every iteration takes them in a new order, again and again until there are enough.
        reward: the score of whole answers.
        generator: of the draws, on the policy's device.

    Raises:
        ValueError: if there is no prompt, the reference is no model, or it has another vocabulary.
    """

    def __init__(
        self,
        policy: WithValueHead,
        reference: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        prompts: Sequence[str],
        reward: Reward,
        generator: torch.Generator,
    ):
        if not isinstance(reference, nn.Module) or not hasattr(reference, "get_input_embeddings"):
            raise ValueError(f"reference must be a language model, got {reference!r}")
        known = [model.get_input_embeddings().num_embeddings for model in (policy, reference)]
        if known[0] != known[1]:
            raise ValueError(f"reference must have the policy's vocabulary of {known[0]} tokens, got {known[1]}")
        self.policy, self.reference, self.tokenizer = policy, reference, tokenizer
        self.prompts, self.reward, self.generator = listed(prompts), reward, generator

    @torch.no_grad()
    def collect(self, config: WriteConfig, kl_coef: float) -> Texts:
        """Write one batch.

        Args:
            config: how many texts, how long, at which temperature.
            kl_coef: β, reward points per nat.

        Returns:
            The experience. Old log-probs are the scorer's; the sampler's own stand beside them.

        Raises:
            ValueError: if the reward is not one finite number per text.
        """
        self.policy.eval()  # with dropout, the ratio would not be 1 at the first step
        prompts = self._prompts(config.texts)
        responses = sample(
            self.policy, self.tokenizer, prompts, config.max_new_tokens, config.temperature, generator=self.generator
        )
        answers, mask = Answers(prompts, responses), responses.mask
        logprobs, values, _ = self._scores(self.policy, answers, config)
        with evaluating(self.reference):
            ref_logprobs = self._scores(self.reference, answers, config).logprobs
        scores = scores_of(self.reward, answers)
        logprobs, values, ref_logprobs = (x.masked_fill(~mask, 0) for x in (logprobs, values, ref_logprobs))
        rewards = token_rewards(logprobs, ref_logprobs, scores, mask, kl_coef)
        ends = nn.functional.one_hot(last_token(mask), mask.shape[1]).bool()
        return Texts(
            responses.inputs, logprobs, values, rewards, ends, mask,
            sampled_logprobs=responses.sampled_logprobs, whole=True,
            answers=answers, scores=scores, ref_logprobs=ref_logprobs,
        )  # fmt: skip

    def _prompts(self, count: int) -> list[str]:
        device, n = self.generator.device, len(self.prompts)
        orders = [torch.randperm(n, generator=self.generator, device=device) for _ in range(-(-count // n))]
        return [self.prompts[i] for i in torch.cat(orders)[:count].tolist()]

    @staticmethod
    def _scores(model: nn.Module, answers: Answers, config: WriteConfig) -> Scores:
        """Of all answers, so many at a time as the memory is meant for."""
        responses = answers.responses
        rows = torch.arange(len(answers), device="cpu").split(config.micro_batch or len(answers))
        parts = [responses[some] for some in rows]
        scored = [
            score(model, part.sequences, part.prompt_length, part.attention_mask, config.temperature) for part in parts
        ]
        columns = zip(*scored, strict=True)
        return Scores(*(None if column[0] is None else torch.cat(column) for column in columns))


# --- evaluate -------------------------------------------------------------------------------------------------------


def evaluator(policy: WithValueHead, temperature: float = 1.0, *, entropy: bool = False) -> Evaluate:
    """What ``ppo_update`` calls: one pass over whole texts.

    Args:
        policy: the networks that learn.
        temperature: the one that was sampled with.
        entropy: compute it; needed only where a bonus is paid for it.

    Returns:
        A function from a batch to log-probs, values and entropies, (B, T) each, or None for the entropies.
    """

    def evaluate(batch: Batch) -> Scores:
        prompt_length = batch.inputs["sequences"].shape[1] - batch.mask.shape[1]
        return score(policy, **batch.inputs, prompt_length=prompt_length, temperature=temperature, entropy=entropy)

    return evaluate


class Assessment(NamedTuple):
    """What a policy writes, seen from all sides: no single number shows that it has been hacked."""

    reward: float  # mean score by the reward that it was trained on
    judged: float  # mean score by the judge; NaN without one
    kl: float  # nats per response, to the reference
    perplexity: float  # of the responses under the reference, per token
    length: float  # tokens per response
    distinct: int  # different words in all responses
    unique: float  # number of different responses, as a share of all


@torch.no_grad()
def assess(
    policy: nn.Module,
    reference: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    reward: Reward,
    judge: Reward | None = None,
    texts: int = 400,
    max_new_tokens: int = 16,
    seed: int = 99,
) -> tuple[Assessment, Answers]:
    """Let a policy write, always from the same dice, and look at it.

    Args:
        policy: who writes.
        reference: for KL and perplexity.
        tokenizer: of both.
        prompts: taken in turn.
        reward: the score that was trained on.
        judge: the score that was meant, if there is one.
        texts: how many.
        max_new_tokens: of a response, at most.
        seed: of the draws.

    Returns:
        The numbers, and the answers themselves.

    Raises:
        ValueError: if there is no prompt, ``texts`` is below 1, or reward or judge is not one finite number per text.
    """
    if texts < 1:
        raise ValueError(f"texts must be at least 1, got {texts}")
    generator, prompts = torch.Generator(next(policy.parameters()).device).manual_seed(seed), listed(prompts)
    asked = [prompts[i % len(prompts)] for i in range(texts)]
    answers = write(policy, tokenizer, asked, max_new_tokens, generator=generator)
    mask = answers.responses.mask
    logprobs, ref_logprobs = (_logprobs(model, answers) for model in (policy, reference))
    judged = scores_of(judge, answers, "judge").mean().item() if judge is not None else nan
    found = [word for text in answers.texts for word in words(text)]
    return Assessment(
        scores_of(reward, answers).mean().item(),
        judged,
        kl_k1(logprobs, ref_logprobs).sum(dim=1).mean().item(),
        exp(-ref_logprobs[mask].mean().item()),
        mask.sum(dim=1).float().mean().item(),
        len(set(found)),
        len(set(answers.texts)) / len(answers),
    ), answers


def _logprobs(model: nn.Module, answers: Answers, at_once: int = 100) -> Tensor:
    rows = torch.arange(len(answers), device="cpu").split(at_once)
    return torch.cat([answers.responses[some].logprobs(model) for some in rows])


# --- train ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Iteration:
    """Where a training run stands after one batch of texts and one update."""

    index: int
    """iterations done, from 1"""
    reward: float
    """mean score of the texts, reward points, before the price of KL"""
    kl: float
    """mean KL per response to the reference, nats"""
    kl_coef: float
    """β that was paid"""
    judged: float
    """mean score by the judge; NaN without one"""
    length: float
    """tokens per response"""
    tokens_per_second: float
    """written and learned from"""
    stats: PPOStats
    """of this iteration's update"""
    experience: Texts
    """what this iteration's update learned from; it was written *before* the update"""
    policy: WithValueHead
    """the network itself: it goes on changing if the training goes on"""
    stop: str | None
    """why the run ends here, if it does"""
    training: "Training"

    def save(self, path: str | Path) -> None:
        """Write a checkpoint from which ``train_rlhf`` goes on as if it had never stopped; see ``Training.save``."""
        self.training.save(path)


def train_rlhf(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    reward: Reward,
    config: WriteConfig | None = None,
    seed: int = 0,
    *,
    reference: nn.Module | None = None,
    kl: FixedKL | AdaptiveKL | None = None,
    judge: Reward | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Iterator[Iteration]:
    """Train a copy of a language model by PPO on a reward, one iteration at a time.

    Leave the loop over it at any time, also by an interrupt in the middle of an iteration: what was finished can be
    saved, and a run that goes on from there is the run that was never stopped.

    Args:
        model: where the policy starts; it is left alone, and should be while the run lasts: it may be the reference.
        tokenizer: its own.
        prompts: what is answered.
        reward: the score of whole answers: ``RewardModel.rate``, ``of_text(function)``, a ``SentimentRater``, …
        config: all numbers; the standard ones if None.
        seed: of prompts, draws and order; the same seed gives the same numbers.
        reference: what KL is paid to; the model itself if None.
        kl: the price of KL; ``FixedKL(0.1)`` if None.
        judge: another score of the same answers, which is only watched, and by which the best policy is kept.
        checkpoint: a file written by ``Iteration.save`` to go on from, with the same model, ``config`` and ``seed``.
        progress: show a bar.

    Returns:
        A generator of iterations.

    Raises:
        ValueError: as :class:`Training`, or if the checkpoint is not one of this training.

    Source:
        Ziegler et al. 2019; Ouyang et al. 2022.
    """
    training = Training(model, tokenizer, prompts, reward, config, seed, reference=reference, kl=kl, judge=judge)
    if checkpoint is not None:
        training.load(checkpoint)
    return _iterations(training, progress)


def _iterations(training: "Training", progress: bool) -> Iterator[Iteration]:
    total = training.config.iterations
    with tqdm(total=total, initial=training.done, desc="PPO", unit="it", disable=not progress) as bar:
        while training.done < total and training.why_stop() is None:
            result = training.iterate()
            words = {"reward": f"{result.reward:.2f}", "KL": f"{result.kl:.1f}"}
            bar.set_postfix(words | {"tokens/s": f"{result.tokens_per_second:.0f}"})
            bar.update()
            yield result


class Training:
    """The state of a run: policy with its value head, optimiser, price of KL, random numbers, the best so far.

    Args:
        model: as for :func:`train_rlhf`.
        tokenizer: as for :func:`train_rlhf`.
        prompts: as for :func:`train_rlhf`.
        reward: as for :func:`train_rlhf`.
        config: as for :func:`train_rlhf`.
        seed: as for :func:`train_rlhf`.
        reference: as for :func:`train_rlhf`.
        kl: as for :func:`train_rlhf`.
        judge: as for :func:`train_rlhf`.

    Raises:
        ValueError: as :class:`Collector`, or if ``config`` is no :class:`WriteConfig`, ``kl`` no price, ``seed`` no
            whole number, patience is asked for without a judge, or the model's weights are in half precision.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        prompts: Sequence[str],
        reward: Reward,
        config: WriteConfig | None = None,
        seed: int = 0,
        *,
        reference: nn.Module | None = None,
        kl: FixedKL | AdaptiveKL | None = None,
        judge: Reward | None = None,
    ):
        self.config, self.seed = _resolved(config, model), whole_seed(seed)
        if self.config.patience is not None and judge is None:
            raise ValueError(f"judge must be given for patience {self.config.patience}, got None")
        self.policy = (
            WithValueHead(copy.deepcopy(model), separate=self.config.separate_value).requires_grad_(True).eval()
        )
        check_learns(self.policy)
        self.kl, self.judge = _price(kl), judge
        self.price = repr(self.kl)  # at the start: an adaptive one changes
        self.generator = torch.Generator(next(model.parameters()).device).manual_seed(self.seed)
        reference = model if reference is None else reference
        self.collector = Collector(self.policy, reference, tokenizer, prompts, reward, self.generator)
        self.reference = _digest(reference)
        groups = self.policy.parameter_groups(self.config.learning_rate, self.config.value_factor)
        self.optimizer = torch.optim.Adam(groups, eps=1e-5, fused=True)
        self.evaluate = evaluator(self.policy, self.config.temperature, entropy=self.config.ent_coef > 0)
        self.done, self.began = 0, 0.0
        self.recent_kl: deque[float] = deque(maxlen=3)
        self.recent_judged: deque[float] = deque(maxlen=RECENT)
        self.best: dict[
            str, Any
        ] = {}  # index, judged, policy: of the weights that wrote the texts, before their update
        self.finished, self.under_way = self._state(), False

    def iterate(self) -> Iteration:
        """Write, judge, climb: one iteration.

        Raises:
            ValueError: if the run is over and something in it is annealed, or the reward or the judge is not one number
                per text. Nothing is lost then: the next call begins this iteration again.
        """
        experience = self.collect()
        batch = experience.batch(self.config.gamma, self.config.lam)
        stats = ppo_update(
            self.evaluate, batch, self.optimizer, self.numbers(), self.generator, self.config.micro_batch
        )
        return self.finish(experience, stats)

    def collect(self) -> Texts:
        """Begin an iteration: write. If the one before was broken off, first go back to where it began."""
        if self.under_way:
            self._restore(self.finished)
        self.numbers()  # refuses to go on past the end, before anything has moved
        self.under_way, self.began = True, perf_counter()
        experience = self.collector.collect(self.config, self.kl.coef)
        judged = nan if self.judge is None else scores_of(self.judge, experience.answers, "judge").mean().item()
        self.recent_judged.append(judged)
        return experience

    def numbers(self) -> PPOConfig:
        """The numbers of this iteration, annealed where asked; sets the optimiser's learning rates."""
        config = self.config.at(self.done)
        for group, factor in zip(self.optimizer.param_groups, (1, config.value_factor), strict=True):
            group["lr"] = config.learning_rate * factor
        return config

    def finish(self, experience: Texts, stats: PPOStats) -> Iteration:
        """End an iteration: look for the best, set the price of KL, and keep the state for a checkpoint.

        Args:
            experience: what was written in it.
            stats: of its update.

        Returns:
            The iteration.
        """
        self.done += 1
        kl, tokens = experience.kl.mean().item(), int(experience.mask.sum())
        self.recent_kl.append(kl)
        self._keep_best()
        paid = self.kl.coef
        self.kl.update(kl, len(experience.answers))
        self.finished, self.under_way = self._state(), False
        reward, length = experience.scores.mean().item(), tokens / len(experience.answers)
        speed, judged = tokens / (perf_counter() - self.began), self.recent_judged[-1]
        seen = (reward, kl, paid, judged, length, speed)
        return Iteration(self.done, *seen, stats, experience, self.policy, self.why_stop(), self)

    def why_stop(self) -> str | None:
        """Why the run should end here, if it should."""
        limit, patience = self.config.max_kl, self.config.patience
        if limit is not None and len(self.recent_kl) == 3 and sum(self.recent_kl) / 3 > limit:
            return f"KL of {sum(self.recent_kl) / 3:.1f} nats is above {limit:g}"
        if patience is not None and self.best and self.done - self.best["index"] >= patience:
            return f"the judge has seen nothing better for {patience} iterations"
        return None

    def best_model(self) -> PreTrainedModel:
        """The language model as it was when the judge liked its texts best, mean over five iterations.

        Raises:
            ValueError: if there is no judge, or there were fewer than five iterations.
        """
        if not self.best:
            raise ValueError(f"judge must have seen {RECENT} iterations, got {self.done if self.judge else 'no judge'}")
        best = copy.deepcopy(self.policy)
        _load(best, self.best["policy"])
        return best.model.requires_grad_(False)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint of the last iteration that was finished: networks, optimiser, random numbers, the best.

        Args:
            path: a file; if it exists, it is replaced only when the new one is complete.
        """
        files.save(path, self.finished, self._identity())

    def load(self, path: str | Path) -> None:
        """Go on from a checkpoint.

        Args:
            path: a file written by ``save``.

        Raises:
            ValueError: if it is damaged, or was written by a training with another configuration, seed, prompts, price
                of KL, reference or device, or only one of the two has a judge. Nothing of this training has changed
                then. Whether reward and judge are the same functions, only you can know.
        """
        state = files.load(path, self._identity())
        for name, policy in (("policy", state["policy"]), ("best.policy", state["best"].get("policy"))):
            if policy is not None:
                files.check_fits(name, policy, dict(self.policy.named_parameters()))
        files.check_optimizer("optimizer", state["optimizer"], self.optimizer)
        self._restore(state)

    def _keep_best(self) -> None:
        """Of the weights that wrote the texts which were judged: those before the update that has just been made."""
        if self.judge is None or len(self.recent_judged) < RECENT:
            return
        mean = sum(self.recent_judged) / RECENT
        if not self.best or mean > self.best["judged"]:
            self.best = {"index": self.done, "judged": mean, "policy": self.finished["policy"]}

    def _state(self) -> dict[str, Any]:
        """A copy of everything that an iteration changes, in the computer's own memory whatever the device."""
        remembered = self.optimizer.state_dict()["state"]
        return {
            "policy": _saved(dict(self.policy.named_parameters())),
            "optimizer": {str(number): _saved(state) for number, state in remembered.items()},
            "generator": self.generator.get_state(),
            "kl": asdict(self.kl),
            "done": self.done,
            "recent_kl": list(self.recent_kl),
            "recent_judged": list(self.recent_judged),
            "best": dict(self.best),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        _load(self.policy, state["policy"])
        files.load_optimizer(self.optimizer, state["optimizer"])
        self.generator.set_state(state["generator"])
        self.kl, self.done, self.best = replace(self.kl, **state["kl"]), state["done"], dict(state["best"])
        self.recent_kl, self.recent_judged = deque(state["recent_kl"], 3), deque(state["recent_judged"], RECENT)
        self.finished, self.under_way = self._state(), False

    def _identity(self) -> dict[str, Any]:
        """What must agree between a checkpoint and the training that goes on from it."""
        config = asdict(self.config)
        iterations = {"iterations": config.pop("iterations")}  # they shape a run only where something is annealed
        iterations = iterations if self.config.anneal_lr or self.config.anneal_clip else {}
        for limit in ("max_kl", "patience"):  # they only say when to stop
            config.pop(limit)
        given = {"prompts": self.collector.prompts, "reference": self.reference, "kl": self.price}
        given |= {"judge": self.judge is not None, "parameters": sum(p.numel() for p in self.policy.parameters())}
        return config | iterations | given | {"seed": self.seed, "device": self.generator.device.type}


def _resolved(config: WriteConfig | None, model: nn.Module) -> WriteConfig:
    config = WriteConfig() if config is None else config
    if not isinstance(config, WriteConfig):
        raise ValueError(f"config must be a WriteConfig, got {config!r}")
    return config if config.learning_rate is not None else replace(config, learning_rate=rate_by_size(model))


def _price(kl: FixedKL | AdaptiveKL | None) -> FixedKL | AdaptiveKL:
    kl = FixedKL() if kl is None else kl
    if not isinstance(kl, FixedKL | AdaptiveKL):
        raise ValueError(f"kl must be a FixedKL or an AdaptiveKL, got {kl!r}")
    return copy.copy(kl)  # the reader's own stays as it is


def _digest(model: nn.Module) -> str:
    """A short text that is another one for other weights."""
    digest = hashlib.blake2b(digest_size=8)
    for parameter in model.parameters():
        digest.update(parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _saved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


@torch.no_grad()
def _load(policy: nn.Module, parameters: dict[str, Tensor]) -> None:
    for name, parameter in policy.named_parameters():
        parameter.copy_(parameters[name])
