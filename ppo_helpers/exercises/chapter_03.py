"""Checks of chapter 3: the error on unseen states, the masked softmax, a cell as the network's input."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_unseen_error(answer: Callable[[list[float], list[float], list[bool]], float]) -> Feedback:
    """Exercise 3.1: root mean squared error over the states that were not visited."""

    def case(predicted, true, visited, expected, hint):
        return Case((predicted, true, visited), expected, hint)

    one, both = [True, False, False], [True, False, True]
    cases = [
        case([2.0, 4.0], [5.0, 4.0], [False, False], 4.5**0.5, "The root of the mean of (2 − 5)² and (4 − 4)²."),
        case([9.0, 1.0, 2.0], [0.0, 1.0, 4.0], one, 2**0.5, "Leave out what was visited, also when you divide."),
        case(
            [1.0, 3.0, 5.0],
            [1.0, 0.0, 5.0],
            both,
            3.0,
            "Only the second state is unseen: the list says which.",
        ),
        case([1.0, -1.0], [0.0, 0.0], [False, False], 1.0, "Errors of opposite sign must not cancel: square first."),
        case([3.0, 0.0, 0.0, 7.0], [0.0, 0.0, 0.0, 0.0], [False] * 3 + [True], 3**0.5, "The mean of the squares."),
    ]
    return check(answer, "unseen_error", cases)


def check_masked_softmax(answer: Callable[[list[float], list[bool]], Any]) -> Feedback:
    """Exercise 3.2: softmax over the open moves only; no policy where nothing is open."""
    low, high = 1 / (1 + np.e), np.e / (1 + np.e)
    largest = "The largest of the *open* logits: a blocked one may be larger."
    none, exactly = "With no open move there is no policy: raise it.", "Blocked means exactly 0: a logit of −∞."
    cases = [
        Case(([0.0, 1.0], [True, True]), [low, high], "With everything open it is the softmax, and adds up to 1."),
        Case(([0.0, 1.0, 5.0], [True, True, False]), [low, high, 0.0], "The open moves sum to 1."),
        Case(([7.0, 0.0], [False, True]), [0.0, 1.0], "One open move is certain, wherever it stands."),
        Case(([900.0, 899.0], [True, True]), [high, low], "exp(900) overflows: subtract the largest open logit first."),
        Case(([0.0, 900.0], [True, True]), [0.0, 1.0], "The largest open logit, wherever it stands."),
        Case(([-2e5, 0.0], [True, False]), [1.0, 0.0], largest),
        Case(([0.0, 30.0], [True, False]), [1.0, 0.0], exactly, exact_zeros=True),
        Case(([1.0, 2.0], [False, False]), ValueError, none),
    ]
    return check(answer, "masked_softmax", cases)


def check_to_xy(answer: Callable[[int, int, int, int], Any]) -> Feedback:
    """Exercise 3.3: a cell's column and row, scaled to [−1, 1]."""
    cases = [
        Case((0, 0, 3, 5), [-1, -1], "The first row and column are at −1."),
        Case((0, 4, 3, 5), [1, -1], "x goes with the column, y with the row."),
        Case((2, 1, 3, 5), [-0.5, 1], "The last of n cells is at 1, so divide by n − 1."),
        Case((1, 2, 2, 4), [1 / 3, 1], "An even side has no cell in its middle: scale from the first cell."),
        Case((0, 1, 1, 3), [0, 0], "A side of one cell gives 0."),
        Case((0, 2, 1, 3), [1, 0], "Only the side of one cell gives 0; the other is scaled as ever."),
        Case((2, 0, 3, 1), [0, 1], "Either side may have one cell."),
    ]
    return check(answer, "to_xy", cases)
