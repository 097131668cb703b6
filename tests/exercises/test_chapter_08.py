"""Chapter 8's checks against answers that readers write."""

import math
import statistics

import numpy as np
import scipy.special
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import (
    chapter_08,
    check_at_temperature,
    check_draw_token,
    check_mean_probability,
    check_text_logprobs,
)


def text_logprobs(logits, ids):
    return [z[t] - np.logaddexp.reduce(z) for z, t in zip(logits, ids[1:], strict=False)]


def text_logprobs_in_torch(logits, ids):
    return torch.tensor(logits)[: len(ids) - 1].log_softmax(-1).gather(-1, torch.tensor(ids[1:])[:, None]).squeeze(-1)


def text_logprobs_by_the_equation(logits, ids):
    return [z[t] - z.logsumexp(-1) for z, t in zip(torch.tensor(logits), ids[1:], strict=False)]


def text_logprobs_gathered(logits, ids):
    z = torch.tensor(logits)[: len(ids) - 1]
    return z.gather(-1, torch.tensor(ids[1:])[:, None]).squeeze(-1) - z.logsumexp(-1)


def text_logprobs_in_scipy(logits, ids):
    return scipy.special.log_softmax(logits, axis=-1)[np.arange(len(ids) - 1), ids[1:]]


def shifted_by(shift, logits, ids):
    total = lambda z: math.log(sum(math.exp(x - shift(z)) for x in z))  # noqa: E731
    return [z[t] - shift(z) - total(z) for z, t in zip(logits, ids[1:], strict=False)]


def log_of_the_softmax(logits, ids):
    return [math.log(scipy.special.softmax(z)[t]) for z, t in zip(logits, ids[1:], strict=False)]


def counted(x, mask):
    return np.array(x)[mask]


def mean_probability(logprobs, mask):
    return np.exp(np.mean(counted(logprobs, mask)))


def mean_probability_in_torch(logprobs, mask):
    return torch.tensor(logprobs)[torch.tensor(mask)].mean().exp()


def mean_probability_by_product(logprobs, mask):
    return math.prod(np.exp(counted(logprobs, mask))) ** (1 / sum(mask))


def at_temperature(logprobs, temperature):
    scaled = np.array(logprobs) / temperature
    return (scaled - np.logaddexp.reduce(scaled)).tolist()


def at_temperature_by_the_equation(logprobs, temperature):
    scaled = torch.tensor(logprobs) / temperature
    return scaled - scaled.logsumexp(-1)


def at_temperature_shifted_by(shift, logprobs, temperature):
    scaled = [(x - shift(logprobs)) / temperature for x in logprobs]
    return [x - math.log(sum(map(math.exp, scaled))) for x in scaled]


def powers(logprobs, temperature):
    weights = np.exp(logprobs) ** (1 / temperature)
    return np.log(weights / weights.sum())


def draw_token(scores, temperature, u):
    return int(np.searchsorted(np.cumsum(scipy.special.softmax(np.array(scores) / temperature)), u, side="right"))


def draw_token_in_torch(scores, temperature, u):
    ends = (torch.tensor(scores) / temperature).softmax(-1).cumsum(-1)
    return (ends <= u).sum()


def draw_token_by_steps(scores, temperature, u, highest=max, inside=lambda u, end: u < end):
    weights = [math.exp((z - highest(scores)) / temperature) for z in scores]
    end = 0.0
    for token, weight in enumerate(weights):
        end += weight / sum(weights)
        if inside(u, end):
            return token
    return len(scores) - 1


def draw_sorted(scores, temperature, u):
    order = np.argsort(-np.array(scores), kind="stable")
    return order[draw_token(np.array(scores)[order], temperature, u)]


def draw_single(scores, temperature, u):
    """The first token that is likelier than u."""
    return int(np.argmax(scipy.special.softmax(np.array(scores) / temperature) > u))


def normalisers_of_other_rows(logits, ids):
    """Without keepdims each column, not each row, gets its number."""
    z = np.array(logits)[: len(ids) - 1]
    return (z - np.logaddexp.reduce(z, axis=1)[: z.shape[1]])[np.arange(len(ids) - 1), ids[1:]]


def shifted_by_the_highest_of_all(logits, ids):
    z = np.array(logits)[: len(ids) - 1]
    z = z - z.max()
    return (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(ids) - 1), ids[1:]]


def draw_shifted_before(scores, temperature, u):
    z = np.array(scores) / temperature
    weights = np.exp(z - max(scores))
    return int((np.cumsum(weights / weights.sum()) <= u).sum())


RIGHT = {
    check_text_logprobs: {
        "logaddexp": text_logprobs,
        "torch": text_logprobs_in_torch,
        "by the chapter's equation": text_logprobs_by_the_equation,
        "by the chapter's equation, plain": lambda *a: [x.item() for x in text_logprobs_by_the_equation(*a)],
        "gathered, less logsumexp": text_logprobs_gathered,
        "SciPy": text_logprobs_in_scipy,
        "shifted by hand": lambda *a: shifted_by(max, *a),
        "cross-entropy": lambda z, i: (
            -torch.nn.functional.cross_entropy(torch.tensor(z)[: len(i) - 1], torch.tensor(i[1:]), reduction="none")
        ),
    },
    check_mean_probability: {
        "NumPy": mean_probability,
        "plain": lambda x, m: math.exp(sum(a for a, real in zip(x, m, strict=True) if real) / sum(m)),
        "mask as a factor": lambda x, m: math.exp(np.dot(x, m) / sum(m)),
        "weights": lambda x, m: np.exp(np.average(x, weights=m)),
        "torch": mean_probability_in_torch,
        "half in torch": lambda x, m: math.exp(torch.tensor(x)[m].mean()),
        "geometric mean": lambda x, m: statistics.geometric_mean(np.exp(counted(x, m))),
    },
    check_at_temperature: {
        "NumPy": at_temperature,
        "torch": lambda x, t: (torch.tensor(x) / t).log_softmax(-1),
        "by the chapter's equation": at_temperature_by_the_equation,
        "SciPy": lambda x, t: scipy.special.log_softmax(np.array(x) / t),
        "shifted by hand": lambda *a: at_temperature_shifted_by(max, *a),
    },
    check_draw_token: {
        "NumPy": draw_token,
        "torch": draw_token_in_torch,
        "by steps": draw_token_by_steps,
        "by steps, other way round": lambda z, t, u: draw_token_by_steps(z, t, u, inside=lambda u, end: end > u),
    },
}
WRONG = {
    check_text_logprobs: {
        "the likeliest token": (
            lambda z, i: [max(row) - np.logaddexp.reduce(row) for row in z[: len(i) - 1]],
            "Two tokens of the text, likely or not",
        ),
        "numbers of other rows": (
            lambda z, i: normalisers_of_other_rows(z, i) if len(i) == len(z[0]) + 1 else text_logprobs(z, i),
            "by the row of scores there",
        ),
        "the highest of all positions": (shifted_by_the_highest_of_all, "a highest score of its own"),
        "scores": (lambda z, i: [row[t] for row, t in zip(z, i[1:], strict=False)], "two equal scores, log ½"),
        "probabilities": (lambda z, i: np.exp(text_logprobs(z, i)), "two equal scores, log ½"),
        "minus": (lambda z, i: [-x for x in text_logprobs(z, i)], "two equal scores, log ½"),
        "the first token too": (lambda z, i: [0.0, *text_logprobs(z, i)], "One token is predicted"),
        "sum": (lambda z, i: sum(text_logprobs(z, i)), "Return a list of 1 number."),
        "rows of all tokens": (lambda z, i: scipy.special.log_softmax(z, axis=-1)[:-1], "Return a list of"),
        "one column": (lambda *a: text_logprobs_in_torch(*a)[:, None], "Return a list of"),
        "ends early": (lambda z, i: text_logprobs(z, i)[:-1], "One token is predicted"),
        "at its own position": (lambda z, i: text_logprobs(z[1:], i), "Token 1 is predicted at position 0"),
        "the token that was read": (lambda z, i: text_logprobs(z, [i[0], *i[:-1]]), "Token 1 is predicted at"),
        "normalised over positions": (
            lambda z, i: scipy.special.log_softmax(z, axis=0)[np.arange(len(i) - 1), i[1:]],
            "Token 1 is predicted at position 0",
        ),
        "normalised over everything": (
            lambda z, i: [x - np.logaddexp.reduce(z, axis=None) for x in np.array(z)[np.arange(len(i) - 1), i[1:]]],
            "two equal scores, log ½",
        ),
        "the same token everywhere": (
            lambda z, i: text_logprobs(z, i[:1] + i[1:2] * (len(i) - 1)),
            "Two tokens of the text",
        ),
        "less log V": (
            lambda z, i: [row[t] - math.log(len(row)) for row, t in zip(z, i[1:], strict=False)],
            "score less logsumexp",
        ),
        "less the highest": (
            lambda z, i: [row[t] - max(row) for row, t in zip(z, i[1:], strict=False)],
            "two equal scores, log ½",
        ),
        "overflows": (lambda *a: shifted_by(lambda z: 0, *a), "e^999 is too large"),
        "first score subtracted": (lambda *a: shifted_by(lambda z: z[0], *a), "not the first, nor their mean"),
        "mean score subtracted": (lambda *a: shifted_by(np.mean, *a), "not the first, nor their mean"),
        "logarithm of the softmax": (log_of_the_softmax, "log 0 is −∞"),
        "logarithm of the softmax, kept from 0": (
            lambda z, i: np.log([scipy.special.softmax(x)[t] + 1e-12 for x, t in zip(z, i[1:], strict=False)]),
            "log 0 is −∞",
        ),
    },
    check_mean_probability: {
        "zeros for padding": (
            lambda x, m: np.exp(np.mean([a for a, real in zip(x, m, strict=True) if a * real])),
            "A log-probability of 0 counts like any other",
        ),
        "sum": (lambda x, m: np.exp(np.sum(counted(x, m))), "e to the mean"),
        "no exponential": (lambda x, m: np.mean(counted(x, m)), "e to its log-probability"),
        "perplexity": (lambda x, m: 1 / mean_probability(x, m), "e to its log-probability"),
        "one for each": (lambda x, m: np.exp(counted(x, m)), "Return one number"),
        "arithmetic": (lambda x, m: np.mean(np.exp(counted(x, m))), "not the mean of e to each"),
        "square root": (lambda x, m: np.exp(np.sum(counted(x, m)) / 2), "e to its log-probability"),
        "median": (lambda x, m: np.exp(np.median(counted(x, m))), "e to the mean"),
        "no mask": (lambda x, m: np.exp(np.mean(x)), "neither in the sum nor counted"),
        "divided by all": (lambda x, m: np.exp(np.sum(counted(x, m)) / len(x)), "neither in the sum nor counted"),
        "padding counts as certain": (lambda x, m: np.exp(np.mean(np.array(x) * m)), "neither in the sum nor counted"),
        "mask inverted": (
            lambda x, m: mean_probability(x, m if all(m) else [not real for real in m]),
            "neither in the sum nor counted",
        ),
        "last one dropped": (lambda x, m: np.exp(np.mean(x if m[-1] else x[:-1])), "more padding than one token"),
        "mask as a length": (lambda x, m: np.exp(np.mean(x[: sum(m)])), "may stand anywhere"),
        "product": (mean_probability_by_product, "add up logarithms instead"),
    },
    check_at_temperature: {
        "not normalised": (lambda x, t: np.array(x) / t, "must still add up to 1"),
        "probabilities": (lambda x, t: np.exp(at_temperature(x, t)), "Temperature 1 changes nothing"),
        "one of them": (lambda x, t: at_temperature(x, t)[0], "Return a list of 3 numbers"),
        "multiplied": (lambda x, t: at_temperature(x, 1 / t), "roots of 0.8 and 0.2"),
        "ignored": (lambda x, t: x, "Above 1 the likely gets less likely"),
        "probabilities divided": (lambda x, t: np.log(np.exp(x) / t), "must still add up to 1"),
        "probabilities divided, normalised": (
            lambda x, t: np.log(np.exp(x) / t / np.sum(np.exp(x) / t)),
            "Above 1 the likely gets less likely",
        ),
        "softmax of the probabilities": (
            lambda x, t: scipy.special.log_softmax(np.exp(x) / t),
            "Temperature 1 changes nothing",
        ),
        "normalised by the sum of the log-probs": (
            lambda x, t: np.array(x) / t - np.sum(np.array(x) / t),
            "Temperature 1 changes nothing",
        ),
        "less the highest": (lambda x, t: (np.array(x) - max(x)) / t, "Temperature 1 changes nothing"),
        "underflows": (lambda *a: at_temperature_shifted_by(lambda x: 0, *a), "subtract the highest first"),
        "powers of the probabilities": (powers, "subtract the highest first"),
        "logarithm of the softmax": (
            lambda x, t: np.log(scipy.special.softmax(np.array(x) / t)),
            "log 0 is −∞: stay with logarithms",
        ),
        "first subtracted": (lambda *a: at_temperature_shifted_by(lambda x: x[0], *a), "need not be the first"),
    },
    check_draw_token: {
        "subtracted before the division": (
            draw_shifted_before,
            "after the division",
        ),
        "the first subtracted": (lambda *a: draw_token_by_steps(*a, highest=lambda z: z[0]), "not the first"),
        "greedy": (lambda z, t, u: int(np.argmax(z)), "not the likeliest"),
        "from the right": (lambda z, t, u: draw_token(z, t, 1 - u), "0.25 is in the left one"),
        "the last": (lambda z, t, u: len(z) - 1, "0.25 is in the left one"),
        "its probability": (lambda z, t, u: scipy.special.softmax(z)[draw_token(z, t, u)], "0.25 is in the left one"),
        "uniform": (lambda z, t, u: int(u * len(z)), "add up the probabilities from the left"),
        "likeliest first": (draw_sorted, "keep the order of the vocabulary"),
        "not added up": (draw_single, "0.75 is in the right half"),
        "not added up, else the last": (
            lambda z, t, u: next((i for i, p in enumerate(scipy.special.softmax(z)) if p > u), len(z) - 1),
            "add up the probabilities from the left",
        ),
        "two pieces and the rest": (
            lambda z, t, u: min(draw_token(z, t, u), 1) if len(z) > 3 else draw_token(z, t, u),
            "compare u with these sums",
        ),
        "temperature ignored": (lambda z, t, u: draw_token(z, 1.0, u), "makes the pieces more equal"),
        "temperature multiplied": (lambda z, t, u: draw_token(z, 1 / t, u), "makes the pieces more equal"),
        "temperature at least 1": (lambda z, t, u: draw_token(z, max(t, 1.0), u), "gets a wider piece"),
        "overflows": (lambda *a: draw_token_by_steps(*a, highest=lambda z: 0), "e^999 is too large"),
        "lower scores than −700": (
            lambda *a: draw_token_by_steps(*a, highest=lambda z: max(0, *z)),
            "e^−999 is 0",
        ),
        "at the edge": (
            lambda *a: draw_token_by_steps(*a, inside=lambda u, end: u <= end),
            "u = 0 belongs to the next",
        ),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_08) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    with np.errstate(all="ignore"):
        assert_is_told(check, answer, hint)
