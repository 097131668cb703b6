"""What a text is worth: a reward model that learns from comparisons, rewards of the reader's own, the price of KL."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import PreTrainedModel

from ppo_helpers.language.answers import Answers, joined
from ppo_helpers.language.scoring import check_learns, positions, understood
from ppo_helpers.language.value_head import last_token, number_head
from ppo_helpers.objectives import kl_k1

Reward = Callable[[Answers], Tensor]  # (B,) reward points


def of_text(judge: Callable[[str, str], float]) -> Reward:
    """A reward from a function of one prompt and one response.

    Args:
        judge: gives a number for ``(prompt, response)``.

    Returns:
        The reward of many; what the function raises for a text, or returns instead of a number, is a ``ValueError``
        that quotes the text.
    """

    def reward(answers: Answers) -> Tensor:
        return torch.tensor([_judged(judge, *pair) for pair in zip(answers.prompts, answers.texts, strict=True)])

    return reward


def _judged(judge: Callable[[str, str], float], prompt: str, text: str) -> float:
    try:
        value = judge(prompt, text)
    except Exception as error:
        raise ValueError(f"reward must give a number for every text, got {error!r} for {prompt + text!r}") from error
    single = isinstance(value, Real) or (isinstance(value, Tensor) and value.numel() == 1)
    if not single or not isfinite(value):
        raise ValueError(f"reward must give a finite number for every text, got {value!r} for {prompt + text!r}")
    return float(value)


def scores_of(reward: Reward, answers: Answers, name: str = "reward") -> Tensor:
    """The rewards of some answers, looked at before they are believed.

    Args:
        reward: the reward, or a judge.
        answers: B of them.
        name: what to call it in a message.

    Returns:
        (B,) float32 reward points, on the answers' device.

    Raises:
        ValueError: if they are not B finite numbers.
    """
    scores = reward(answers)
    if not isinstance(scores, Tensor) or scores.shape != (len(answers),):
        got = tuple(scores.shape) if isinstance(scores, Tensor) else scores
        raise ValueError(f"{name} must give a tensor of shape ({len(answers)},), one number per text, got {got}")
    scores = scores.detach().float().to(answers.responses.mask.device)
    if not torch.isfinite(scores).all():
        worst = int((~torch.isfinite(scores)).nonzero()[0])
        text = answers.prompts[worst] + answers.texts[worst]
        raise ValueError(f"{name} must be finite, got {scores[worst].item()} for {text!r}")
    return scores


# --- comparisons ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparisons:
    """Groups of answers to one prompt, and in every group which of each two was liked better.

    Groups are kept whole: two pairs of one group share a text, so a pair is held out only with its group.
    """

    answers: Answers  # N = groups · size
    gold: Tensor  # (N,) what the rater thinks without noise
    winners: Tensor  # (groups, pairs) numbers of answers
    losers: Tensor  # (groups, pairs)
    chances: Tensor  # (groups, pairs) how probable it was that the better one by gold wins, in [½, 1)
    size: int  # answers in a group

    def __len__(self) -> int:
        return len(self.winners)

    def __getitem__(self, groups: slice | Tensor | list[int]) -> "Comparisons":
        """Some groups with all their answers."""
        every, member = (torch.arange(n, device="cpu") for n in (len(self), self.size))
        chosen = every[groups]
        rows = (chosen[:, None] * self.size + member).flatten()  # the answers of these groups
        shift = ((chosen - every[: len(chosen)]) * self.size)[:, None]  # how far a group's answers move up
        pairs = (self.winners[chosen] - shift, self.losers[chosen] - shift, self.chances[chosen])
        return Comparisons(self.answers[rows], self.gold[rows], *pairs, self.size)

    def __add__(self, other: "Comparisons") -> "Comparisons":
        """These and others of the same size of group."""
        if self.size != other.size:
            raise ValueError(f"groups must be of one size, got {self.size} and {other.size}")
        shift = len(self.answers)
        pairs = [
            torch.cat(pair) for pair in ((self.winners, other.winners + shift), (self.losers, other.losers + shift))
        ]
        chances, gold = torch.cat([self.chances, other.chances]), torch.cat([self.gold, other.gold])
        return Comparisons(joined([self.answers, other.answers]), gold, *pairs, chances, self.size)


def compare(answers: Answers, rater: Reward, size: int, noise: float = 0.1, seed: int = 0) -> Comparisons:
    """Ask a noisy rater about every pair within groups of answers.

    P(a is liked better than b) = σ((gold(a) − gold(b)) / noise).

    Args:
        answers: groups of ``size`` answers each, one group after the other, those of a group to the same prompt.
        rater: gives the gold score.
        size: answers in a group, at least 2.
        noise: gold points at which a difference is seen with σ(1) = 73 %.
        seed: of the rater's moods.

    Returns:
        All pairs.

    Raises:
        ValueError: if the answers are not whole groups, a group has two prompts, or ``noise`` is not positive.
    """
    if size < 2 or len(answers) % size or not len(answers):
        raise ValueError(f"answers must be groups of {size} (at least 2), got {len(answers)}")
    groups = [answers.prompts[i : i + size] for i in range(0, len(answers), size)]
    if mixed := next((group for group in groups if len(set(group)) > 1), None):
        raise ValueError(f"answers of a group must be to one prompt, got {sorted(set(mixed))}")
    if not 0 < noise < inf:
        raise ValueError(f"noise must be positive and finite, got {noise}")
    gold = scores_of(rater, answers).cpu()
    member, group = (torch.arange(n, device="cpu") for n in (size, len(groups)))
    a, b = torch.combinations(member).T[:, None] + group[:, None] * size  # (groups, pairs) each
    chance = torch.sigmoid((gold[a] - gold[b]) / noise)  # (groups, pairs)
    a_wins = torch.rand(chance.shape, generator=torch.Generator().manual_seed(seed), device="cpu") < chance
    winners, losers = torch.where(a_wins, a, b), torch.where(a_wins, b, a)
    return Comparisons(answers, gold, winners, losers, torch.maximum(chance, 1 - chance), size)


# --- the reward model -----------------------------------------------------------------------------------------------


class RewardModel(nn.Module):
    """One number for a text: a language model's trunk, and a linear map from the hidden state of the last real token.

    Args:
        model: whose trunk is copied; the model itself is left alone.

    Source:
        Ouyang et al. 2022, section 3.5; Bradley and Terry 1952.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.trunk = copy.deepcopy(model.base_model).requires_grad_(True)
        self.head = number_head(model)
        for name, value in (("mean", 0.0), ("std", 1.0)):  # what `normalise` has measured
            self.register_buffer(name, torch.tensor(value, device=self.head.weight.device))

    def forward(self, sequences: Tensor, attention_mask: Tensor) -> Tensor:
        """Scores of whole texts.

        Args:
            sequences: (B, L) token ids, padded on either side.
            attention_mask: (B, L) nonzero for tokens.

        Returns:
            (B,) reward points.

        Raises:
            ValueError: if a row has no token.
        """
        last = last_token(attention_mask)
        places = understood(self.trunk, {"attention_mask": attention_mask, "position_ids": positions(attention_mask)})
        hidden = self.trunk(sequences, **places, use_cache=False).last_hidden_state  # (B, L, C)
        scores = self.head(hidden[torch.arange(len(last), device=last.device), last]).squeeze(-1)
        return (scores.float() - self.mean) / self.std

    @torch.no_grad()
    def rate(self, answers: Answers, at_once: int = 500) -> Tensor:
        """(B,) reward points of answers: a ``Reward``."""
        device = self.head.weight.device
        rows = torch.arange(len(answers), device="cpu").split(at_once)
        inputs = [answers.responses[some.tolist()].inputs for some in rows]
        return torch.cat([self(**{name: x.to(device) for name, x in some.items()}) for some in inputs])

    def normalise(self, answers: Answers) -> None:
        """Shift and scale the scores so that those of some answers have mean 0 and standard deviation 1.

        Args:
            answers: at least 2.

        Raises:
            ValueError: if there are fewer.
        """
        if len(answers) < 2:
            raise ValueError(f"answers must be at least 2 to have a standard deviation, got {len(answers)}")
        scores = self.rate(answers) * self.std + self.mean
        self.mean, self.std = scores.mean(), scores.std().clamp(min=1e-6)


def preference_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Bradley and Terry's: −log of the probability that the liked text is liked, σ(r_chosen − r_rejected).

    Args:
        chosen: scores of the texts that were liked better, any shape.
        rejected: scores of the others, the same shape.

    Returns:
        The mean, nats; log 2 for a model that knows nothing.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Ouyang et al. 2022, eq. 1; Stiennon et al. 2020.
    """
    if chosen.shape != rejected.shape:
        raise ValueError(
            f"chosen and rejected must have one shape, got {tuple(chosen.shape)} and {tuple(rejected.shape)}"
        )
    return -nn.functional.logsigmoid(chosen - rejected).mean()


def train_reward_model(
    model: PreTrainedModel,
    comparisons: Comparisons,
    epochs: int = 2,
    learning_rate: float = 5e-4,
    groups_at_once: int = 16,
    seed: int = 0,
    progress: bool = True,
) -> RewardModel:
    """Fit a reward model to comparisons. Every text is read once per epoch, however many pairs it stands in.

    Args:
        model: whose trunk it starts from.
        comparisons: to learn from.
        epochs: times through them.
        learning_rate: of AdamW at the start; it falls in a straight line to 0.
        groups_at_once: groups per step.
        seed: of the order.
        progress: show a bar.

    Returns:
        The reward model in ``eval`` mode, without gradients, its scores set to mean 0 and standard deviation 1 on the
        answers it learned from.

    Raises:
        ValueError: if there is nothing to learn from, ``epochs`` or ``groups_at_once`` is below 1, or the model's
            weights are in half precision.
    """
    for name, number in (("comparisons", len(comparisons)), ("epochs", epochs), ("groups_at_once", groups_at_once)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    reward_model = RewardModel(model)
    check_learns(reward_model)
    optimizer = torch.optim.AdamW(reward_model.parameters(), lr=learning_rate, weight_decay=0.01)
    steps = epochs * -(-len(comparisons) // groups_at_once)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    generator = torch.Generator().manual_seed(seed)
    with tqdm(total=steps, desc="reward model", unit="step", disable=not progress) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(comparisons), generator=generator, device="cpu")
            for groups in order.split(groups_at_once):
                loss = _group_loss(reward_model, comparisons[groups])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(reward_model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                bar.update()
    reward_model.eval().requires_grad_(False).normalise(comparisons.answers)
    return reward_model


def _group_loss(reward_model: RewardModel, comparisons: Comparisons) -> Tensor:
    device = reward_model.head.weight.device
    inputs = comparisons.answers.responses.inputs
    scores = reward_model(**{name: x.to(device) for name, x in inputs.items()})
    winners, losers = (pairs.to(device) for pairs in (comparisons.winners, comparisons.losers))
    return preference_loss(scores[winners], scores[losers])


class Accuracy(NamedTuple):
    """How well scores order the texts of comparisons they were not fitted to."""

    accuracy: float  # share of the noisy judgements that they agree with
    ceiling: float  # what the gold score itself would reach on average: the rater contradicts itself
    clean: float  # share of the pairs with two gold scores that they order as these do
    correlation: float  # with the gold score, text by text


def accuracy(scores: Tensor, comparisons: Comparisons) -> Accuracy:
    """Compare scores with a rater's judgements and with what it thinks.

    Args:
        scores: (N,) of the answers.
        comparisons: of the same answers.

    Raises:
        ValueError: if there is not one score per answer.
    """
    scores, gold = scores.cpu(), comparisons.gold
    if scores.shape != gold.shape:
        raise ValueError(f"scores must have shape {tuple(gold.shape)}, one per answer, got {tuple(scores.shape)}")
    leads, gold_leads = (x[comparisons.winners] - x[comparisons.losers] for x in (scores, gold))
    ordered = (leads.sign() == gold_leads.sign())[gold_leads != 0]
    together = torch.corrcoef(torch.stack([scores, gold]))[0, 1]
    shares = ((leads > 0).float().mean(), comparisons.chances.mean(), ordered.float().mean(), together)
    return Accuracy(*(share.item() for share in shares))


# --- the price of KL ------------------------------------------------------------------------------------------------


def token_rewards(logprobs: Tensor, ref_logprobs: Tensor, scores: Tensor, mask: Tensor, kl_coef: float) -> Tensor:
    """What each token earns: −β (log π − log π_ref), and at the last real token the score of the text.

    Args:
        logprobs: (B, T) nats, of the policy that wrote the tokens.
        ref_logprobs: (B, T) nats, of the reference.
        scores: (B,) reward points.
        mask: (B, T) bool, True for real tokens.
        kl_coef: β, at least 0.

    Returns:
        (B, T) reward points, 0 at padding.

    Raises:
        ValueError: if a shape is wrong, a row has no token, or β is negative.

    Source:
        Ziegler et al. 2019, eq. 2; Ouyang et al. 2022, eq. 2.
    """
    if not 0 <= kl_coef < inf:
        raise ValueError(f"kl_coef must be finite and not negative, got {kl_coef}")
    if mask.dtype != torch.bool or mask.shape != logprobs.shape or scores.shape != mask.shape[:1]:
        shapes = f"{tuple(logprobs.shape)}, {mask.dtype} {tuple(mask.shape)} and {tuple(scores.shape)}"
        raise ValueError(f"logprobs, mask and scores must be (B, T), bool (B, T) and (B,), got {shapes}")
    rewards = (-kl_coef * kl_k1(logprobs, ref_logprobs)).masked_fill(~mask, 0)
    last = nn.functional.one_hot(last_token(mask), mask.shape[1]).bool()
    return rewards + scores[:, None] * last


@dataclass
class FixedKL:
    """A price of KL that stays."""

    coef: float = 0.1
    """β, reward points per nat"""

    def __post_init__(self):
        _not_negative("coef", self.coef)

    def update(self, kl: float, episodes: int) -> None:
        """Nothing to do."""


@dataclass
class AdaptiveKL:
    """A price of KL that rises while the policy is further from the reference than wanted, and falls again.

    Source:
        Ziegler et al. 2019, section 2.2.
    """

    coef: float = 0.1
    """β at the start, reward points per nat"""
    target: float = 6.0
    """KL per response that is wanted, nats"""
    horizon: float = 10_000
    """episodes in which β changes by a factor of about e^0.2 at most"""

    def __post_init__(self):
        for name in ("coef", "target", "horizon"):  # from 0 no factor would lead away
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")

    def update(self, kl: float, episodes: int) -> None:
        """Look at a batch.

        Args:
            kl: its mean KL per response, nats.
            episodes: its number of responses.

        Raises:
            ValueError: if the KL is not finite.
        """
        if not isfinite(kl):
            raise ValueError(f"kl must be finite, got {kl}: no price would follow from it")
        error = max(-0.2, min(0.2, kl / self.target - 1))
        self.coef *= 1 + error * min(1, episodes / self.horizon)  # a batch beyond the horizon must not turn β's sign


def _not_negative(name: str, value: float) -> None:
    if not 0 <= value < inf:
        raise ValueError(f"{name} must be finite and not negative, got {value}")
