"""Chapter 3's checks against answers that readers write."""

import math

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_03, check_masked_softmax, check_to_xy, check_unseen_error
from ppo_helpers.networks import mask_logits


def unseen(predicted, true, visited, keep=lambda seen: not seen, power=2, root=0.5, over=None):
    """A right answer with places to go wrong."""
    errors = [abs(p - t) ** power for p, t, seen in zip(predicted, true, visited, strict=True) if keep(seen)]
    return (sum(errors) / (over or len(errors))) ** root


def unseen_differences(predicted, true, visited):
    return (np.array(predicted) - np.array(true))[~np.array(visited)]


def unseen_in_torch(predicted, true, visited):
    error = torch.tensor(predicted) - torch.tensor(true)
    return error[~torch.tensor(visited)].square().mean().sqrt()


def masked_softmax(logits, open_moves, blocked=-np.inf, shift=max, after=False, refuse=True):
    """A right answer with places to go wrong."""
    if refuse and not any(open_moves):
        raise ValueError("no open move")
    top = shift(z for z, is_open in zip(logits, open_moves, strict=True) if is_open or after)
    with np.errstate(all="ignore"):
        kept = [z if is_open or after else blocked for z, is_open in zip(logits, open_moves, strict=True)]
        weights = np.exp(np.array(kept, dtype=float) - top)
        return weights / weights.sum() * (np.array(open_moves) if after else 1)


def masked_softmax_in_torch(logits, open_moves):
    return mask_logits(torch.tensor(logits), torch.tensor(open_moves)).softmax(-1)


def masked_softmax_by_where(logits, open_moves):
    if sum(open_moves) == 0:
        raise ValueError("no open move")
    z = np.where(open_moves, logits, -np.inf)
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def masked_softmax_by_filling(logits, open_moves):
    mask = torch.tensor(open_moves)
    if not mask.any():
        raise ValueError("no open move")
    return torch.tensor(logits).masked_fill(~mask, -1e9).softmax(-1)  # 0 to the last bit for all sane logits


def masked_after_the_softmax(logits, open_moves):
    weights = np.exp(np.array(logits) - max(logits)) * np.array(open_moves)
    if not any(open_moves):
        raise ValueError("no open move")
    with np.errstate(all="ignore"):
        return weights / weights.sum()


def to_xy(row, col, height, width):
    return tuple(2 * i / (n - 1) - 1 if n > 1 else 0 for i, n in ((col, width), (row, height)))


def to_xy_from_the_middle(row, col, height, width):
    return [(2 * i - (n - 1)) / max(n - 1, 1) for i, n in ((col, width), (row, height))]


def to_xy_by_linspace(row, col, height, width):
    return [np.linspace(-1, 1, n)[i] if n > 1 else 0.0 for i, n in ((col, width), (row, height))]


def to_xy_by_halves(row, col, height, width):
    return [(i - n // 2) / (n // 2) if n > 1 else 0 for i, n in ((col, width), (row, height))]


RIGHT = {
    check_unseen_error: {
        "plain": unseen,
        "math": lambda p, t, v: math.sqrt(unseen(p, t, v, root=1)),
        "NumPy": lambda *a: np.sqrt(np.mean(unseen_differences(*a) ** 2)),
        "norm": lambda *a: np.linalg.norm(unseen_differences(*a)) / np.sqrt(len(unseen_differences(*a))),
        "torch": unseen_in_torch,
        "averaged with weights": lambda p, t, v: np.sqrt(
            np.average(np.square(np.array(p) - np.array(t)), weights=[not seen for seen in v])
        ),
    },
    check_masked_softmax: {
        "plain": masked_softmax,
        "where": masked_softmax_by_where,
        "the book's helper": masked_softmax_in_torch,
        "masked_fill": masked_softmax_by_filling,
        "max refuses by itself": lambda *a: masked_softmax(*a, refuse=False),
        "single precision": lambda *a: masked_softmax(*a).astype(np.float32),
    },
    check_to_xy: {
        "a tuple": to_xy,
        "a list": lambda *a: list(to_xy(*a)),
        "an array": lambda *a: np.array(to_xy(*a)),
        "a tensor": lambda *a: torch.tensor(to_xy(*a)),
        "from the middle": to_xy_from_the_middle,
        "linspace": to_xy_by_linspace,
    },
}
WRONG = {
    check_unseen_error: {
        "all cells": (lambda *a: unseen(*a, keep=lambda seen: True), "Leave out what was visited"),
        "visited cells": (
            lambda *a: unseen(*a, keep=lambda seen: seen) if any(a[2]) else unseen(*a),
            "Leave out what was visited",
        ),
        "mask as a length": (
            lambda p, t, v: unseen(p[sum(v) :], t[sum(v) :], [False] * (len(v) - sum(v))),
            "Only the second state is unseen",
        ),
        "no root": (lambda *a: unseen(*a, root=1), "The root of the mean"),
        "absolute error": (lambda *a: unseen(*a, power=1, root=1), "The root of the mean"),
        "signed error": (lambda *a: unseen_differences(*a).sum(), "The root of the mean"),
        "standard deviation": (lambda *a: np.std(unseen_differences(*a)), "The root of the mean"),
        "errors summed before they are squared": (
            lambda *a: abs(unseen_differences(*a).sum()) / len(unseen_differences(*a)) ** 0.5,
            "must not cancel",
        ),
        "divided by all": (lambda *a: unseen(*a, over=len(a[0])), "also when you divide"),
        "sum": (lambda *a: unseen(*a, over=1), "The root of the mean"),
        "one for each": (lambda *a: np.abs(unseen_differences(*a)), "Return one number"),
        "median": (lambda *a: np.sqrt(np.median(unseen_differences(*a) ** 2)), "The mean of the squares"),
    },
    check_masked_softmax: {
        "not normalised": (lambda z, m: np.exp(z) * m, "and adds up to 1"),
        "mask as a length": (
            lambda z, m: masked_softmax(z, [j < sum(m) for j in range(len(m))]),
            "One open move is certain, wherever it stands",
        ),
        "no mask": (lambda z, m: masked_softmax(z, [True] * len(z)), "The open moves sum to 1"),
        "zero after the softmax": (lambda *a: masked_softmax(*a, after=True), "The open moves sum to 1"),
        "only what is open": (
            lambda z, m: masked_softmax([x for x, is_open in zip(z, m, strict=True) if is_open], [True] * sum(m)),
            "The open moves sum to 1",
        ),
        "logit times mask": (lambda z, m: masked_softmax(np.array(z) * m, [True] * len(z)), "The open moves sum to 1"),
        "logit zero": (lambda *a: masked_softmax(*a, blocked=0.0), "The open moves sum to 1"),
        "mask inverted": (
            lambda z, m: masked_softmax(z, m if all(m) else [not x for x in m]),
            "The open moves sum to 1",
        ),
        "no shift": (lambda *a: masked_softmax(*a, shift=lambda z: 0), "exp(900) overflows"),
        "shift by the first": (
            lambda z, m: masked_softmax(z, m, shift=lambda _: z[m.index(True)]),
            "wherever it stands",
        ),
        "shift by a blocked logit": (lambda z, m: masked_softmax(z, m, shift=lambda _: max(z)), "one may be larger"),
        "masked after, normalised again": (masked_after_the_softmax, "one may be larger"),
        "blocked at −10000": (lambda *a: masked_softmax(*a, blocked=-1e4), "one may be larger"),
        "nearly zero": (
            lambda z, m: masked_softmax(z, m, blocked=min(z) - 30),
            "Blocked means exactly 0",
        ),
        "no refusal": (
            lambda z, m: masked_softmax(z, m) if any(m) else [0.0, 0.0],
            "With no open move there is no policy",
        ),
        "not a number instead of a refusal": (
            lambda z, m: masked_softmax(z, m) if any(m) else [np.nan, np.nan],
            "With no open move there is no policy",
        ),
        "another error": (
            lambda z, m: masked_softmax(z, m) if any(m) else [1 / 0],
            "With no open move there is no policy",
        ),
        "returns the error": (
            lambda z, m: masked_softmax(z, m) if any(m) else "ValueError",
            "With no open move there is no policy",
        ),
    },
    check_to_xy: {
        "swapped": (lambda r, c, h, w: to_xy(c, r, w, h), "x goes with the column"),
        "from 0 to 1": (lambda *a: [(x + 1) / 2 for x in to_xy(*a)], "The first row and column are at −1"),
        "upside down": (lambda *a: (to_xy(*a)[0], -to_xy(*a)[1]), "The first row and column are at −1"),
        "divided by n": (lambda r, c, h, w: (2 * c / w - 1, 2 * r / h - 1), "x goes with the column"),
        "whole numbers": (
            lambda r, c, h, w: [2 * i // (n - 1) - 1 if n > 1 else 0 for i, n in ((c, w), (r, h))],
            "divide by n − 1",
        ),
        "from the middle cell": (to_xy_by_halves, "An even side has no cell in its middle"),
        "x only": (lambda *a: to_xy(*a)[0], "Return a list of 2 numbers"),
        "single row": (lambda r, c, h, w: (2 * c / (w - 1) - 1, 2 * r / (h - 1) - 1), "A side of one cell gives 0"),
        "single row at −1": (
            lambda r, c, h, w: (2 * c / max(w - 1, 1) - 1, 2 * r / max(h - 1, 1) - 1),
            "A side of one cell gives 0",
        ),
        "only one side may be single": (
            lambda r, c, h, w: (0, 0) if 1 in (h, w) else to_xy(r, c, h, w),
            "Only the side of one cell gives 0",
        ),
        "only a single row": (
            lambda r, c, h, w: to_xy(r, c, h, w) if w > 1 else (-1, to_xy(r, c, h, w)[1]),
            "Either side may have one cell",
        ),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_03) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)
