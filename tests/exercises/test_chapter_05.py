"""Chapter 5's checks against answers that readers write."""

import math

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_05, check_effective_samples, check_ratios, check_weighted_mean
from ppo_helpers.objectives import probability_ratio


def weighted_mean(payouts, old, new):
    return sum(x * n / o for x, o, n in zip(payouts, old, new, strict=True)) / len(payouts)


def weights(old, new):
    return np.array(new) / np.array(old)


def ratios(logprobs, old):
    return [math.exp(n - o) for n, o in zip(logprobs, old, strict=True)]


def effective_samples(weights):
    return sum(weights) ** 2 / sum(w * w for w in weights)


def effective_samples_of_shares(weights):
    shares = np.array(weights) / np.sum(weights)
    return 1 / np.sum(shares**2)


def entropy_of_shares(weights):
    shares = [w / sum(weights) for w in weights if w]
    return math.exp(-sum(p * math.log(p) for p in shares))


RIGHT = {
    check_weighted_mean: {
        "plain": weighted_mean,
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
    check_effective_samples: {
        "plain": effective_samples,
        "NumPy": lambda w: np.sum(w) ** 2 / np.sum(np.square(w)),
        "torch": lambda w: torch.tensor(w).sum().square() / torch.tensor(w).square().sum(),
        "by shares": effective_samples_of_shares,
        "by the spread": lambda w: len(w) / (1 + np.var(w) / np.mean(w) ** 2),
    },
}
WRONG = {
    check_weighted_mean: {
        "no weights": (lambda x, o, n: sum(x) / len(x), "Weights 1.6 and 0.4"),
        "upside down": (lambda x, o, n: weighted_mean(x, n, o), "new over old"),
        "sum": (lambda x, o, n: weighted_mean(x, o, n) * len(x), "the mean of"),
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
    check_effective_samples: {
        "number of samples": (lambda w: float(len(w)), "One sample carries everything"),
        "number above 0": (lambda w: float(np.count_nonzero(w)), "The square of the sum"),
        "sum": (lambda w: sum(w), "One sample carries everything"),
        "mean": (lambda w: sum(w) / len(w), "every sample counts in full"),
        "upside down": (lambda w: 1 / effective_samples(w), "every sample counts in full"),
        "no square below": (lambda w: sum(w) ** 2 / sum(w), "One sample carries everything"),
        "no square above": (lambda w: sum(w) / sum(x * x for x in w), "every sample counts"),
        "squares swapped": (lambda w: sum(x * x for x in w) / sum(w) ** 2, "every sample counts"),
        "share": (lambda w: effective_samples(w) / len(w), "every sample counts in full"),
        "weights for shares": (lambda w: 1 / sum(x * x for x in w), "every sample counts in full"),
        "as if they added up to n": (lambda w: len(w) ** 2 / sum(x * x for x in w), "The scale of the ratios cancels"),
        "e to the entropy": (entropy_of_shares, "The square of the sum"),
        "sum over the largest": (lambda w: sum(w) / max(w), "The square of the sum"),
        "spread over n − 1": (lambda w: len(w) / (1 + np.var(w, ddof=1) / np.mean(w) ** 2), "carries everything"),
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
