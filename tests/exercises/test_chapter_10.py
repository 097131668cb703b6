"""Chapter 10's checks against answers that readers write."""

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import (
    chapter_10,
    check_next_beta,
    check_response_values,
    check_token_rewards,
    check_value_targets,
)
from ppo_helpers.experience import gae
from ppo_helpers.language import rewards
from ppo_helpers.language.rewards import AdaptiveKL


def token_rewards(new, ref, score, mask, beta):
    paid = [-beta * (n - r) if real else 0.0 for n, r, real in zip(new, ref, mask, strict=True)]
    paid[sum(mask) - 1] += score
    return paid


def token_rewards_in_numpy(new, ref, score, mask, beta):
    paid = np.where(mask, beta * (np.array(ref) - np.array(new)), 0.0)
    paid[np.flatnonzero(mask)[-1]] += score
    return paid


def token_rewards_in_torch(new, ref, score, mask, beta):
    new, ref, mask = torch.tensor(new), torch.tensor(ref), torch.tensor(mask)
    paid = -beta * (new - ref) * mask
    paid[mask.nonzero()[-1]] += score
    return paid


def token_rewards_by_the_package(new, ref, score, mask, beta):
    rows = torch.tensor([new]), torch.tensor([ref]), torch.tensor([score]), torch.tensor([mask])
    return rewards.token_rewards(*rows, beta)[0]


def score_at(place):
    """The score somewhere else: ``place`` gives an index from the mask."""

    def answer(new, ref, score, mask, beta):
        paid = token_rewards(new, ref, 0.0, mask, beta)
        paid[place(mask)] += score
        return paid

    return answer


def score_instead(new, ref, score, mask, beta):
    paid = token_rewards(new, ref, 0.0, mask, beta)
    paid[sum(mask) - 1] = score
    return paid


def padding_pays(new, ref, score, mask, beta):
    paid = token_rewards(new, ref, 0.0, [True] * len(mask), beta)
    paid[sum(mask) - 1] += score
    return paid


def by_k3(new, ref, score, mask, beta):
    log_r = np.array(ref) - np.array(new)
    paid = np.where(mask, -beta * (np.expm1(log_r) - log_r), 0.0)
    paid[sum(mask) - 1] += score
    return paid


def next_beta(beta, kl, target, episodes, horizon):
    error = max(-0.2, min(0.2, kl / target - 1))
    return beta * (1 + error * episodes / horizon)


def next_beta_in_torch(beta, kl, target, episodes, horizon):
    error = torch.tensor(kl / target - 1).clamp(-0.2, 0.2)
    return beta * (1 + error * episodes / horizon)


def next_beta_by_the_package(beta, kl, target, episodes, horizon):
    price = AdaptiveKL(beta, target, horizon)
    price.update(kl, episodes)
    return price.coef


def value_targets(r, v, lam):
    following, carry, targets = 0.0, 0.0, []
    for reward, value in zip(reversed(r), reversed(v), strict=True):
        carry = reward + following - value + lam * carry
        targets.insert(0, carry + value)
        following = value
    return targets


def value_targets_by_recursion(r, v, lam):
    """The λ-return itself: R_t = r_t + (1 − λ) V_(t+1) + λ R_(t+1)."""
    targets = [r[-1]]
    for t in reversed(range(len(r) - 1)):
        targets.insert(0, r[t] + (1 - lam) * v[t + 1] + lam * targets[0])
    return np.array(targets)


def value_targets_by_the_package(r, v, lam):
    ends = torch.zeros(1, len(r), dtype=torch.bool)
    ends[0, -1] = True
    return gae(torch.tensor([r]), torch.tensor([v]), ends, torch.zeros(1), 1.0, lam)[1][0]


def value_targets_that_wrap_around(r, v, lam):
    deltas = np.array(r) + np.roll(v, -1) - v
    targets, carry = [], 0.0
    for t in reversed(range(len(r))):
        carry = deltas[t] + lam * carry
        targets.insert(0, carry + v[t])
    return targets


def value_targets_discounting_values(r, v, lam):
    """λ beside V_(t+1), as if it were γ."""
    targets, carry = [], 0.0
    for t in reversed(range(len(r))):
        carry = r[t] + lam * (v[t + 1] if t + 1 < len(r) else 0.0) - v[t] + lam * carry
        targets.insert(0, carry + v[t])
    return targets


def rewards_to_go(r, v, lam):
    return np.cumsum(r[::-1])[::-1]


RIGHT = {
    check_token_rewards: {
        "plain": token_rewards,
        "NumPy": token_rewards_in_numpy,
        "torch": token_rewards_in_torch,
        "the package": token_rewards_by_the_package,
        "a tuple": lambda *a: tuple(token_rewards(*a)),
        "tensors in a list": lambda *a: list(token_rewards_in_torch(*a)),
    },
    check_response_values: {
        "a slice": lambda v, p, n: v[p - 1 : p - 1 + n],
        "a loop": lambda v, p, n: [v[p - 1 + t] for t in range(n)],
        "torch": lambda v, p, n: torch.tensor(v)[p - 1 : p + n - 1],
        "NumPy": lambda v, p, n: np.array(v)[np.arange(n) + p - 1],
    },
    check_next_beta: {
        "plain": next_beta,
        "torch": next_beta_in_torch,
        "the package": next_beta_by_the_package,
        "NumPy": lambda b, kl, t, n, h: b * (1 + np.clip((kl - t) / t, -0.2, 0.2) * n / h),
        "added": lambda b, kl, t, n, h: b + b * float(np.clip(kl / t - 1, -0.2, 0.2)) / h * n,
    },
    check_value_targets: {
        "plain": value_targets,
        "by recursion": value_targets_by_recursion,
        "the package": value_targets_by_the_package,
        "float32": lambda *a: torch.tensor(value_targets(*a)),
    },
}
WRONG = {
    check_token_rewards: {
        "never a bad score": (lambda n, r, s, m, b: token_rewards(n, r, abs(s), m, b), "the score is paid"),
        "plus": (lambda n, r, *a: token_rewards(r, n, *a), "that costs"),
        "no score": (lambda n, r, s, m, b: token_rewards(n, r, 0.0, m, b), "No KL: only the last token earns"),
        "score at every token": (
            lambda n, r, s, m, b: np.array(token_rewards(n, r, 0.0, m, b)) + s,
            "No KL: only the last token earns",
        ),
        "score at the first": (score_at(lambda mask: 0), "No KL: only the last token earns"),
        "one number": (lambda *a: sum(token_rewards(*a)), "Return a list of 3 numbers"),
        "distance": (
            lambda n, r, s, m, b: token_rewards(
                [-abs(x - y) for x, y in zip(n, r, strict=True)], [0.0] * len(n), s, m, -b
            ),
            "Less likely: the price is below 0",
        ),
        "k3": (by_k3, "that costs"),
        "score instead of the price": (score_instead, "The last token pays its price as well"),
        "β fixed": (lambda n, r, s, m, b: token_rewards(n, r, s, m, 0.5), "The last token pays its price as well"),
        "at least a little": (lambda n, r, s, m, b: token_rewards(n, r, s, m, b or 0.1), "β = 0: no price"),
        "score in the padding": (score_at(lambda mask: -1), "Padding earns nothing"),
        "padding pays": (padding_pays, "Padding earns nothing"),
    },
    check_response_values: {
        "position P": (lambda v, p, n: v[p : p + n], "at position P − 1, not P"),
        "the last ones": (lambda v, p, n: v[-n:], "at position P − 1, not P"),
        "from the start": (lambda v, p, n: v[:n], "at position P − 1, not P"),
        "one place less from the end": (lambda v, p, n: v[-n - 1 : -1], "what comes after them is padding"),
        "to the end": (lambda v, p, n: v[p - 1 : -1], "what comes after them is padding"),
        "two before": (
            lambda v, p, n: v[max(p - 2, 0) + (p == 2) : max(p - 2, 0) + (p == 2) + n],
            "what comes after",
        ),
        "never position 0": (lambda v, p, n: v[max(p - 1, 1) : max(p - 1, 1) + n], "A prompt of one token"),
    },
    check_next_beta: {
        "double": (lambda b, kl, t, n, h: b * 2, "KL is where it should be"),
        "only the factor": (lambda b, kl, t, n, h: next_beta(b, kl, t, n, h) / b, "KL is where it should be"),
        "target over KL": (lambda b, kl, t, n, h: next_beta(b, t, kl, n, h), "The error is KL / target − 1"),
        "a difference": (lambda b, kl, t, n, h: next_beta(b, kl - t + 1, 1.0, n, h), "The error is KL / target − 1"),
        "no horizon": (lambda b, kl, t, n, h: next_beta(b, kl, t, 1, 1), "a tenth of it counts"),
        "only up": (lambda b, kl, t, n, h: next_beta(b, max(kl, t), t, n, h), "Too little KL: β falls"),
        "not clipped": (lambda b, kl, t, n, h: b * (1 + (kl / t - 1) * n / h), "clipped to ±0.2"),
        "clipped after": (
            lambda b, kl, t, n, h: b * (1 + float(np.clip((kl / t - 1) * n / h, -0.2, 0.2))),
            "clipped to ±0.2",
        ),
        "clipped above": (lambda b, kl, t, n, h: b * (1 + min(0.2, kl / t - 1) * n / h), "Below as well"),
        "a fixed amount": (
            lambda b, kl, t, n, h: b + 0.1 * float(np.clip(kl / t - 1, -0.2, 0.2)) * n / h,
            "A share of β",
        ),
        "a tenth always": (lambda b, kl, t, n, h: next_beta(b, kl, t, 1, 10), "The horizon counts episodes"),
    },
    check_value_targets: {
        "advantages": (lambda r, v, lam: np.array(value_targets(r, v, lam)) - v, "its target is its reward"),
        "wraps around": (value_targets_that_wrap_around, "After the last token nothing follows"),
        "rewards to go": (rewards_to_go, "λ = 0: the reward of the token, and the value that follows"),
        "no value that follows": (lambda r, v, lam: r, "λ = 0: the reward of the token"),
        "λ beside the value": (value_targets_discounting_values, "λ = 0: the reward of the token"),
        "one step only": (lambda r, v, lam: value_targets(r, v, 0.0), "λ = 1: all rewards from there on"),
        "all or nothing": (lambda r, v, lam: value_targets(r, v, round(lam + 0.1)), "backwards; then add V_t"),
        "one number": (lambda *a: value_targets(*a)[0], "Return a list of 1 number"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_10) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)
