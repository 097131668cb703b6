"""Chapter 9's checks against answers that readers write."""

import math
from fractions import Fraction

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import (
    chapter_09,
    check_clipped_loss,
    check_same_policy,
    check_sequence_ratios,
    check_token_weights,
)


def of(x, mask):
    return np.array(x)[mask]


def gained(new, old, mask):
    return of(new, mask) - of(old, mask)


def in_torch(new, old, mask):
    return (torch.tensor(new) - torch.tensor(old))[torch.tensor(mask)]


def sequence_ratios(new, old, mask):
    return [math.exp(gained(new, old, mask).mean()), math.exp(gained(new, old, mask).sum())]


def sequence_ratios_with_a_factor(new, old, mask):
    total = sum(real * (n - o) for n, o, real in zip(new, old, mask, strict=True))
    return math.exp(total / sum(mask)), math.exp(total)


def sequence_ratios_by_roots(new, old, mask):
    whole = math.prod(np.exp(gained(new, old, mask)))
    return [whole ** (1 / sum(mask)), whole]


def sequence_ratios_by_products(new, old, mask):
    whole = math.prod(np.exp(of(new, mask))) / math.prod(np.exp(of(old, mask)))
    return [whole ** (1 / sum(mask)), whole]


def token_weights(mask):
    return [[real / sum(row) / len(mask) for real in row] for row in mask]


def token_weights_in_torch(mask):
    real = torch.tensor(mask).float()
    return real / real.sum(1, keepdim=True) / len(mask)


def token_weights_by_autograd(mask):
    x, real = torch.zeros(len(mask), len(mask[0]), requires_grad=True), torch.tensor(mask)
    ((x * real).sum(1) / real.sum(1)).mean().backward()
    return x.grad


def token_weights_broadcast(mask):
    """Without keepdims, so that the counts meet the columns."""
    real = np.array(mask, dtype=float)
    return real / real.sum(axis=1) / len(mask)


def same_policy(new, old, mask, tolerance):
    return bool((np.abs(np.exp(gained(new, old, mask)) - 1) <= tolerance).all())


def same_policy_of_probabilities(new, old, mask, tolerance):
    return bool((np.abs(np.exp(of(new, mask)) - np.exp(of(old, mask))) <= tolerance).all())


def same_policy_by_counting(new, old, mask, tolerance):
    off = 0
    for n, o, real in zip(new, old, mask, strict=True):
        off += real and abs(math.exp(n - o) - 1) > tolerance
    return off == 0


def same_policy_that_returns_at_the_first(new, old, mask, tolerance):
    for n, o, real in zip(new, old, mask, strict=True):
        if real:
            return abs(math.exp(n - o) - 1) <= tolerance


def clipped_loss(new, old, gains, eps, mask, *, best=torch.minimum, swap=False, sign=-1, mean=torch.mean):
    ratio = ((old - new) if swap else (new - old))[mask].exp()
    gains = gains[mask]
    return sign * mean(best(ratio * gains, ratio.clamp(1 - eps, 1 + eps) * gains))


def clipped_loss_by_rows(new, old, gains, eps, mask):
    """Each response is averaged first."""
    rows = [clipped_loss(n, o, g, eps, m) for n, o, g, m in zip(new, old, gains, mask, strict=True)]
    return torch.stack(rows).mean()


def clipped_loss_with_a_factor(new, old, gains, eps, mask, count=None):
    ratio = (new - old).exp()
    objective = torch.minimum(ratio * gains, ratio.clamp(1 - eps, 1 + eps) * gains)
    return -(objective * mask).sum() / (count or mask.sum())


def clipped_loss_token_by_token(new, old, gains, eps, mask):
    total = 0.0
    for b in range(len(new)):
        for t in range(len(new[0])):
            if mask[b, t]:
                ratio = (new[b, t] - old[b, t]).exp()
                total = total + torch.minimum(ratio * gains[b, t], ratio.clamp(1 - eps, 1 + eps) * gains[b, t])
    return -total / mask.sum()


def clipped_mean(new, old, gains, eps, mask):
    """The minimum of the two means."""
    ratio = (new - old)[mask].exp()
    pair = (ratio * gains[mask]).mean(), (ratio.clamp(1 - eps, 1 + eps) * gains[mask]).mean()
    return -torch.minimum(*pair)


def errors_of(new, old, mask):
    return np.abs(np.exp(gained(new, old, mask)) - 1)


def clipped_from_above(logprobs, old, advantages, eps, mask):
    ratio = (logprobs[mask] - old[mask]).exp()
    return -torch.min(ratio * advantages[mask], ratio.clamp(max=1 + eps) * advantages[mask]).mean()


def clipped_loss_masked_late(logprobs, old, advantages, eps, mask):
    ratio = (logprobs - old).exp()
    objective = torch.min(ratio * advantages, ratio.clamp(1 - eps, 1 + eps) * advantages)
    return -objective[mask].mean()


def clipped_loss_with_a_detached_clip(logprobs, old, advantages, eps, mask):
    ratio, a = (logprobs[mask] - old[mask]).exp(), advantages[mask]
    return -torch.min(ratio * a, ratio.clamp(1 - eps, 1 + eps).detach() * a).mean()


def clipped_loss_by_factors(logprobs, old, advantages, eps, mask):
    ratio = ((logprobs - old) * mask).exp()
    return -(torch.min(ratio * advantages, ratio.clamp(1 - eps, 1 + eps) * advantages) * mask).sum() / mask.sum()


RIGHT = {
    check_sequence_ratios: {
        "a list": sequence_ratios,
        "a tuple": lambda *a: tuple(sequence_ratios(*a)),
        "an array": lambda *a: np.array(sequence_ratios(*a)),
        "mask as a factor": sequence_ratios_with_a_factor,
        "torch": lambda *a: torch.stack([f(in_torch(*a)).exp() for f in (torch.mean, torch.sum)]),
        "tensors in a list": lambda *a: [in_torch(*a).mean().exp(), in_torch(*a).sum().exp()],
        "roots": sequence_ratios_by_roots,
    },
    check_token_weights: {
        "plain": token_weights,
        "NumPy": lambda m: np.array(m) / np.sum(m, axis=1, keepdims=True) / len(m),
        "torch": token_weights_in_torch,
        "autograd": token_weights_by_autograd,
        "fractions": lambda m: [[Fraction(int(real), sum(row) * len(m)) for real in row] for row in m],
    },
    check_same_policy: {
        "NumPy": same_policy,
        "as the chapter has it": lambda *a: (in_torch(*a[:3]).exp() - 1).abs().max() <= a[3],
        "with all": lambda *a: (in_torch(*a[:3]).exp() - 1).abs().le(a[3]).all(),
        "a NumPy bool": lambda *a: np.abs(np.exp(gained(*a[:3])) - 1).max() <= a[3],
        "less than": lambda *a: np.abs(np.exp(gained(*a[:3])) - 1).max() < a[3],
        "allclose": lambda *a: np.allclose(np.exp(gained(*a[:3])), 1, rtol=0, atol=a[3]),
        "by counting": same_policy_by_counting,
        "as a number": lambda *a: int(same_policy(*a)),
    },
    check_clipped_loss: {
        "picked first": clipped_loss,
        "padding set to 0": lambda n, o, g, e, m: clipped_loss_with_a_factor(
            n.masked_fill(~m, 0), o.masked_fill(~m, 0), g, e, m
        ),
        "token by token": clipped_loss_token_by_token,
        "where": lambda *a: clipped_loss(*a, best=lambda x, y: torch.where(x < y, x, y)),
    },
}
WRONG = {
    check_sequence_ratios: {
        "distances": (
            lambda n, o, m: [math.exp(np.abs(gained(n, o, m)).mean()), math.exp(np.abs(gained(n, o, m)).sum())],
            "its difference has a sign",
        ),
        "logarithms": (lambda *a: np.log(sequence_ratios(*a)), "Nothing has changed: both are 1"),
        "of the logarithms": (
            lambda n, o, m: [np.mean(of(n, m) / of(o, m)), np.prod(of(n, m) / of(o, m))],
            "e to the mean of the differences",
        ),
        "one for each": (lambda n, o, m: np.exp(gained(n, o, m)), "e to the mean of the differences"),
        "the whole only": (lambda *a: sequence_ratios(*a)[1], "Return a list of 2 numbers"),
        "upside down": (lambda n, o, m: sequence_ratios(o, n, m), "e to the mean of the differences"),
        "swapped": (lambda *a: sequence_ratios(*a)[::-1], "e to the mean of the differences"),
        "mean twice": (lambda *a: [sequence_ratios(*a)[0]] * 2, "and e to their sum"),
        "mean of the ratios": (
            lambda n, o, m: [np.mean(np.exp(gained(n, o, m))), sequence_ratios(n, o, m)[1]],
            "e to the mean of the differences",
        ),
        "sum of the ratios": (
            lambda n, o, m: [sequence_ratios(n, o, m)[0], np.sum(np.exp(gained(n, o, m)))],
            "Nothing has changed: both are 1",
        ),
        "no mask": (lambda n, o, m: sequence_ratios(n, o, [True] * len(m)), "Padding is neither summed nor counted"),
        "counted over all": (
            lambda n, o, m: [np.exp(gained(n, o, m).sum() / len(m)), sequence_ratios(n, o, m)[1]],
            "Padding is neither summed nor counted",
        ),
        "mask as a length": (
            lambda n, o, m: sequence_ratios(n[: sum(m)], o[: sum(m)], [True] * sum(m)),
            "What counts may stand anywhere",
        ),
        "products of probabilities": (sequence_ratios_by_products, "subtract and add logarithms"),
    },
    check_token_weights: {
        "ones": (lambda m: np.array(m, float).tolist(), "One response of two tokens: a half each"),
        "sum of the responses": (lambda m: (np.array(token_weights(m)) * len(m)).tolist(), "add up to 1"),
        "all tokens alike": (lambda m: (np.array(m, float) / np.sum(m)).tolist(), "however many tokens it has"),
        "divided by the width": (lambda m: (np.array(m, float) / np.size(m)).tolist(), "however many tokens it has"),
        "padding counts": (lambda m: (np.ones(np.shape(m)) / np.size(m)).tolist(), "however many tokens it has"),
        "columns": (lambda m: np.array(m) / np.sum(m, axis=0) / len(m), "a half each"),
        "counts meet the columns": (token_weights_broadcast, "Two responses, so a half each"),
        "one weight for each response": (lambda m: [1 / sum(row) / len(m) for row in m], "Return 1 list of 2 numbers"),
        "padding left out": (
            lambda m: [[1 / sum(row) / len(m)] * sum(row) for row in m],
            "Return 2 lists of 2 numbers",
        ),
        "mask as a length": (
            lambda m: [[(t < sum(row)) / sum(row) / len(m) for t in range(len(row))] for row in m],
            "What counts may stand anywhere",
        ),
    },
    check_same_policy: {
        "mean error": (lambda n, o, m, tol: errors_of(n, o, m).mean() <= tol, "no mean"),
        "most of them": (lambda n, o, m, tol: np.median(errors_of(n, o, m)) <= tol, "no mean"),
        "the first two": (lambda n, o, m, tol: (errors_of(n, o, m)[:2] <= tol).all(), "up to the last"),
        "sum of errors": (lambda n, o, m, tol: errors_of(n, o, m).sum() <= tol, "errors are not added up"),
        "length of the errors": (lambda n, o, m, tol: np.linalg.norm(errors_of(n, o, m)) <= tol, "not added up"),
        "upside down": (lambda n, o, m, tol: same_policy(o, n, m, tol), "new − old"),
        "always": (lambda *a: True, "One token is enough"),
        "inverted": (lambda *a: not same_policy(*a), "All ratios are exactly 1"),
        "exactly": (lambda n, o, m, tol: n == o, "A ratio of 1.0002 is within the tolerance"),
        "as text": (lambda *a: str(same_policy(*a)), "Return True or False"),
        "as a list": (lambda *a: [same_policy(*a)], "Return True or False"),
        "one for each": (lambda n, o, m, tol: np.abs(np.exp(gained(n, o, m)) - 1) <= tol, "Return True or False"),
        "the largest error": (lambda n, o, m, tol: np.abs(np.exp(gained(n, o, m)) - 1).max(), "Return True or False"),
        "the first token only": (same_policy_that_returns_at_the_first, "One token is enough"),
        "any": (
            lambda n, o, m, tol: bool((np.abs(np.exp(gained(n, o, m)) - 1) <= tol).any()),
            "One token is enough",
        ),
        "mean": (lambda n, o, m, tol: abs(np.mean(gained(n, o, m))) < tol, "their mean difference is 0"),
        "mean of the ratios": (
            lambda n, o, m, tol: abs(np.exp(gained(n, o, m)).mean() - 1) <= tol,
            "The mean of 1.1 and 0.9 is 1",
        ),
        "ratio of the whole": (
            lambda n, o, m, tol: abs(np.exp(gained(n, o, m).sum()) - 1) <= tol,
            "their mean difference is 0",
        ),
        "only above": (lambda n, o, m, tol: max(np.exp(gained(n, o, m))) - 1 < tol, "A ratio below 1 is as wrong"),
        "only below": (lambda n, o, m, tol: 1 - min(np.exp(gained(n, o, m))) < tol, "One token is enough"),
        "no mask": (lambda n, o, m, tol: same_policy(n, o, [True] * len(m), tol), "in the padding does not count"),
        "mask as a length": (
            lambda n, o, m, tol: same_policy(n[: sum(m)], o[: sum(m)], [True] * sum(m), tol),
            "What counts may stand anywhere",
        ),
        "difference of probabilities": (same_policy_of_probabilities, "however small both of them are"),
        "ratio of the log-probs": (
            lambda n, o, m, tol: bool((np.abs(of(n, m) / of(o, m) - 1) <= tol).all()),
            "not of their logarithms",
        ),
        "difference of log-probs": (
            lambda n, o, m, tol: bool((np.abs(gained(n, o, m)) <= tol).all()),
            "Compare e to the difference, new − old, with 1",
        ),
        "tolerance 0.05": (lambda n, o, m, tol: same_policy(n, o, m, 0.05), "The tolerance is an argument"),
        "tolerance 0.01": (lambda n, o, m, tol: same_policy(n, o, m, 0.01), "The tolerance is an argument"),
        "tolerance 0.001": (lambda n, o, m, tol: same_policy(n, o, m, 0.001), "a ratio of 1.22 will do"),
        "tolerance 0.001 at most": (lambda n, o, m, tol: same_policy(n, o, m, max(tol, 1e-3)), "1.0001 is too far"),
        "whole percents": (
            lambda n, o, m, tol: bool((np.round(np.exp(gained(n, o, m)), 2) == 1).all()),
            "The tolerance is an argument",
        ),
    },
    check_clipped_loss: {
        "clipped from above only": (clipped_from_above, "A bad token that became rarer is clipped"),
        "masked when all is computed": (clipped_loss_masked_late, "pick what counts before e is taken"),
        "the clipped part detached": (clipped_loss_with_a_detached_clip, "This is its gradient by logprobs"),
        "the mask as a factor": (clipped_loss_by_factors, "the padding may hold NaN"),
        "sign": (lambda *a: clipped_loss(*a, sign=1), "A loss is minus the objective"),
        "upside down": (lambda *a: clipped_loss(*a, swap=True), "The ratio is new over old"),
        "no ratio": (lambda n, o, g, e, m: -(n - o + 1)[m].mean(), "The ratio is new over old"),
        "no clip": (lambda *a: clipped_loss(*a, best=lambda x, y: x), "earns no more"),
        "maximum": (lambda *a: clipped_loss(*a, best=torch.maximum), "earns no more"),
        "minimum by size": (
            lambda *a: clipped_loss(*a, best=lambda x, y: torch.where(x.abs() < y.abs(), x, y)),
            "costs in full",
        ),
        "clipped only": (lambda *a: clipped_loss(*a, best=lambda x, y: y), "costs in full"),
        "clipped if good": (
            lambda *a: clipped_loss(*a, best=lambda x, y: torch.where(x > 0, y, x)),
            "that became rarer is not clipped",
        ),
        "its own ε": (lambda n, o, g, e, m: clipped_loss(n, o, g, 0.2, m), "ε is an argument"),
        "minimum of the means": (clipped_mean, "only then the mean"),
        "no mask": (lambda n, o, g, e, m: clipped_loss(n, o, g, e, m | True), "neither in the sum"),
        "sum": (lambda *a: clipped_loss(*a, mean=torch.sum), "only then the mean"),
        "divided by all": (
            lambda n, o, g, e, m: clipped_loss_with_a_factor(n, o, g, e, m, m.numel()),
            "neither in the sum nor in the number",
        ),
        "each response first": (clipped_loss_by_rows, "the longer response has more of them"),
        "mask as a factor": (clipped_loss_with_a_factor, "Pick what counts before you compute"),
        "detached": (lambda n, *others: clipped_loss(n.detach(), *others), "The value is right"),
        "a number": (lambda *a: clipped_loss(*a).item(), "The value is right"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_09) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    with np.errstate(all="ignore"):
        assert_is_told(check, answer, hint)
