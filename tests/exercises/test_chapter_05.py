"""Chapter 5's checks against answers that readers write."""

import math

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_05, check_climb_batch, check_importance_mean, check_ratios, check_slopes
from ppo_helpers.objectives import probability_ratio


def importance_mean(payouts, old, new):
    return sum(x * n / o for x, o, n in zip(payouts, old, new, strict=True)) / len(payouts)


def weights(old, new):
    return np.array(new) / np.array(old)


def ratios(logprobs, old):
    return [math.exp(n - o) for n, o in zip(logprobs, old, strict=True)]


def climb_batch(
    policy, optimizer, steps, advantages, epochs, sign=-1, clear=True, renew=False, of=torch.exp, keep=None, extra=1
):
    """A right answer with places to go wrong."""
    old, means = policy.logprobs(*steps).detach(), []
    for _ in range(epochs + extra):
        logprobs = policy.logprobs(*steps)
        level = (of(logprobs - old) * advantages).mean()
        means.append((level if keep is None else keep(logprobs - old, advantages)).item())
        if clear:
            optimizer.zero_grad()
        (sign * level).backward()
        optimizer.step()
        if renew:
            old = policy.logprobs(*steps).detach()
    return means


def climb_batch_stepwise(policy, optimizer, steps, advantages, epochs):
    with torch.no_grad():
        old = policy.logprobs(*steps)
    means = []
    for epoch in range(epochs + 1):
        if epoch:
            optimizer.zero_grad()
            (-probability_ratio(policy.logprobs(*steps), old) * advantages).mean().backward()
            optimizer.step()
        with torch.no_grad():
            means.append((probability_ratio(policy.logprobs(*steps), old) * advantages).mean())
    return means


def climb_once_for_all(policy, optimizer, steps, advantages, epochs):
    """The ratio is computed once, before the loop."""
    logprobs = policy.logprobs(*steps)
    level, means = ((logprobs - logprobs.detach()).exp() * advantages).mean(), []
    for _ in range(epochs + 1):
        means.append(level.item())
        optimizer.zero_grad()
        (-level).backward(retain_graph=True)
        optimizer.step()
    return means


def whitened(policy, optimizer, steps, advantages, epochs):
    return climb_batch(policy, optimizer, steps, (advantages - advantages.mean()) / advantages.std(), epochs)


def climbed(**changes):
    return lambda *args: climb_batch(*args, **changes)


def slopes(old, new, action, advantage, weight=None, pi=None):
    ratio = new[action] / old[action] if weight is None else weight(old[action], new[action])
    return [ratio * advantage * ((j == action) - p) for j, p in enumerate(new if pi is None else pi)]


def slopes_by_autograd(old, new, action, advantage):
    z = torch.tensor(new, dtype=torch.double).log().requires_grad_()
    (z.softmax(0)[action] / old[action] * advantage).backward()
    return z.grad


def slopes_in_place(old, new, action, advantage):
    chance = new[action]
    for j in range(len(new)):
        new[j] = advantage * chance / old[action] * ((j == action) - new[j])
    return new


def climb_with_gradient_on_both_sides(policy, optimizer, steps, advantages, epochs):
    means = []
    for _ in range(epochs + 1):
        logprobs = policy.logprobs(*steps)
        level = ((logprobs - logprobs.clone()).exp() * advantages).mean()
        means.append(level.item())
        optimizer.zero_grad()
        (-level).backward()
        optimizer.step()
    return means


RIGHT = {
    check_importance_mean: {
        "plain": importance_mean,
        "NumPy": lambda x, o, n: np.mean(np.array(x) * weights(o, n)),
        "by logarithms": lambda x, o, n: np.mean(np.exp(np.log(n) - np.log(o)) * np.array(x)),
        "torch": lambda x, o, n: (torch.tensor(x) * torch.tensor(n) / torch.tensor(o)).mean(),
        "dot product": lambda x, o, n: np.dot(weights(o, n), x) / len(x),
    },
    check_ratios: {
        "plain": ratios,
        "NumPy": lambda n, o: np.exp(np.subtract(n, o)),
        "torch": lambda n, o: (torch.tensor(n) - torch.tensor(o)).exp(),
        "half in torch": lambda n, o: [math.exp(x) for x in torch.tensor(n) - torch.tensor(o)],
        "the book's helper": lambda n, o: probability_ratio(torch.tensor(n), torch.tensor(o)),
    },
    check_climb_batch: {"plain": climb_batch, "step by step": climb_batch_stepwise},
    check_slopes: {
        "in place": slopes_in_place,
        "plain": slopes,
        "NumPy": lambda o, n, a, A: A * n[a] / o[a] * (np.eye(len(n))[a] - np.array(n)),
        "autograd": slopes_by_autograd,
    },
}
WRONG = {
    check_importance_mean: {
        "no weights": (lambda x, o, n: sum(x) / len(x), "Weights 1.6 and 0.4"),
        "upside down": (lambda x, o, n: importance_mean(x, n, o), "new over old"),
        "sum": (lambda x, o, n: importance_mean(x, o, n) * len(x), "the mean of"),
        "one for each": (lambda x, o, n: np.array(x) * weights(o, n), "Return one number"),
        "difference of the probabilities": (
            lambda x, o, n: np.mean(np.array(x) * (1 + np.subtract(n, o))),
            "Weights 1.6 and 0.4",
        ),
        "new probabilities as weights": (lambda x, o, n: float(np.dot(x, n)), "The same policy: the plain mean"),
        "normalised": (lambda x, o, n: np.average(x, weights=weights(o, n)), "Divide by the number of draws"),
        "mean weight times mean payout": (
            lambda x, o, n: np.mean(weights(o, n)) * np.mean(x),
            "Weights 1.6 and 0.4",
        ),
        "ratio of the sums": (lambda x, o, n: np.dot(x, n) / np.dot(x, o) * np.mean(x), "a mean over all three"),
        "median": (lambda x, o, n: np.median(np.array(x) * weights(o, n)), "a mean over all three"),
    },
    check_ratios: {
        "upside down": (lambda n, o: ratios(o, n), "new minus old"),
        "of the logarithms": (lambda n, o: [a / b for a, b in zip(n, o, strict=True)], "e to new minus old"),
        "e to the ratio of the logarithms": (lambda n, o: np.exp(np.divide(n, o)), "e to new minus old"),
        "difference": (lambda n, o: [a - b for a, b in zip(n, o, strict=True)], "e to new minus old"),
        "1 + difference": (lambda n, o: 1 + np.subtract(n, o), "e to new minus old"),
        "difference of the probabilities": (lambda n, o: np.exp(n) - np.exp(o), "e to new minus old"),
        "power of 2": (lambda n, o: 2 ** np.subtract(n, o), "e to new minus old"),
        "sum": (lambda n, o: sum(ratios(n, o)), "Return a list of 2 numbers"),
        "a generator": (lambda n, o: (math.exp(a - b) for a, b in zip(n, o, strict=True)), "put list(…) around"),
        "map": (lambda n, o: map(math.exp, np.subtract(n, o)), "put list(…) around"),
        "division of exponentials": (
            lambda n, o: [math.exp(a) / math.exp(b) for a, b in zip(n, o, strict=True)],
            "subtract before you take the exponential",
        ),
        "division of exponentials, NumPy": (
            lambda n, o: np.exp(n) / np.exp(o),
            "subtract before you take the exponential",
        ),
        "division of exponentials, kept from 0": (
            lambda n, o: np.exp(n) / (np.exp(o) + 1e-8),
            "subtract before you take the exponential",
        ),
        "kept within bounds": (lambda n, o: np.exp(np.clip(np.subtract(n, o), -0.5, 0.5)), "e to the difference"),
    },
    check_climb_batch: {
        "old ones not detached": (climb_with_gradient_on_both_sides, "Old log-probs are constants"),
        "advantages whitened": (whitened, "the mean advantage"),
        "sum": (climbed(keep=lambda log_ratio, A: (log_ratio.exp() * A).sum()), "the mean advantage"),
        "mean ratio": (climbed(keep=lambda log_ratio, A: log_ratio.exp().mean()), "the mean advantage"),
        "the loss": (climbed(keep=lambda log_ratio, A: -(log_ratio.exp() * A).mean()), "the mean advantage"),
        "logarithm of the ratio": (climbed(of=lambda log_ratio: log_ratio), "the mean advantage"),
        "one number too few": (climbed(extra=0), "so one number"),
        "downhill": (climbed(sign=1), "One step on minus the mean"),
        "ratio computed once": (climb_once_for_all, "new ones made in every round"),
        "gradients pile up": (climbed(clear=False), "clear the gradient"),
        "1 + log-ratio": (climbed(of=lambda log_ratio: 1 + log_ratio), "One step on minus the mean"),
        "old one renewed": (climbed(renew=True), "Old log-probs are constants"),
        "brake of 0.2": (climbed(of=lambda log_ratio: log_ratio.exp().clamp(0.8, 1.2)), "no brake"),
    },
    check_slopes: {
        "downhill": (lambda *a: [-x for x in slopes(*a)], "the push of exercise 4.2"),
        "of the action's logit": (lambda *a: slopes(*a)[a[2]], "Return a list of 4 numbers"),
        "only the action": (lambda *a: slopes(*a, pi=[0.0] * 4), "the push of exercise 4.2"),
        "gradient of the probability": (
            lambda *a: slopes(*a, weight=lambda o, n: n),
            "the push of exercise 4.2",
        ),
        "no ratio": (lambda *a: slopes(*a, weight=lambda o, n: 1.0), "the ratio is 0.4 / 0.2"),
        "upside down": (lambda *a: slopes(*a, weight=lambda o, n: o / n), "new over old"),
        "old probabilities": (lambda *a: slopes(*a, pi=a[0]), "the new one"),
        "size of the advantage": (lambda o, n, a, A: slopes(o, n, a, abs(A)), "with its sign"),
        "without the advantage": (lambda o, n, a, A: slopes(o, n, a, 1.0), "with its sign"),
        "brake": (lambda *a: slopes(*a, weight=lambda o, n: max(n / o, 0.8)), "multiply the push"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_05) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    with np.errstate(all="ignore"):
        assert_is_told(check, answer, hint)
