"""Checks of chapter 9: the ratios of a response, what one token counts, the test before the first step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_sequence_ratios(answer: Callable[[list[float], list[float], list[bool]], Any]) -> Feedback:
    """Exercise 9.1: the ratio per token as a geometric mean, and that of the whole response."""

    def case(logprobs, old_logprobs, mask, hint):
        gained = (np.array(logprobs) - np.array(old_logprobs))[mask]
        return Case((logprobs, old_logprobs, mask), [float(np.exp(gained.mean())), float(np.exp(gained.sum()))], hint)

    two, padded = [True, True], [True, True, False]
    product = "The probability of 240 tokens rounds to 0: subtract and add logarithms, and take e to them at the end."
    cases = [
        case([-1.0, -2.0], [-1.0, -2.0], two, "Nothing has changed: both are 1."),
        case(
            [-1.0, -1.0], [-1.5, -1.1], two, "e to the mean of the differences, no mean of ratios; and e to their sum."
        ),
        case([-1.0, -1.0, 0.0], [-2.0, -1.0, -5.0], padded, "Padding is neither summed nor counted."),
        case([-1.0, -1.0, 0.0], [-5.0, -2.0, -1.0], [False, True, True], "What counts may stand anywhere."),
        case([-4.0] * 240, [-4.015625] * 240, [True] * 240, product),
    ]
    return check(answer, "sequence_ratios", cases)


def check_token_weights(answer: Callable[[list[list[bool]]], list[list[float]]]) -> Feedback:
    """Exercise 9.2: what one token counts if responses are averaged over their tokens first."""

    def case(mask, hint):
        real = np.array(mask, dtype=float)
        return Case((mask,), (real / real.sum(axis=1, keepdims=True) / len(mask)).tolist(), hint)

    cases = [
        case([[True, True]], "One response of two tokens: a half each."),
        case([[True], [True]], "Two responses, so a half each: the weights of all tokens add up to 1."),
        case([[True, False], [True, True]], "Each response has half of the weight, however many tokens it has."),
        case([[False, True], [True, True]], "What counts may stand anywhere: the mask says."),
    ]
    return check(answer, "token_weights", cases)


def check_same_policy(answer: Callable[[list[float], list[float], list[bool], float], bool]) -> Feedback:
    """Exercise 9.3: is every ratio 1 before the first step?"""

    def case(logprobs, old_logprobs, mask, expected, hint, tolerance=1e-3):
        return Case((logprobs, old_logprobs, mask, tolerance), expected, hint)

    two, far = [True, True], [-1.0, -1.0]
    opposite = (-1 - np.log([1.1, 0.9])).tolist()
    cases = [
        case([-1.0, -2.0], [-1.0, -2.0], two, True, "All ratios are exactly 1."),
        case([-1.0, -2.0], [-1.0, -2.0002], two, True, "A ratio of 1.0002 is within the tolerance."),
        case([-1.0, -2.0], [-1.0, -2.1], two, False, "One token is enough: its ratio is about 1.1."),
        case(far, [-1.1, -0.9], two, False, "One up, one down: their mean difference is 0, the ratios are not 1."),
        case(far, opposite, two, False, "The mean of 1.1 and 0.9 is 1, but neither of them is."),
        case([-1.0, -2.0], [-0.5, -2.0], two, False, "A ratio below 1 is as wrong as one above."),
        case(far, [-1.0, -9.0], [True, False], True, "What stands in the padding does not count."),
        case(far, [-9.0, -1.0], [False, True], True, "What counts may stand anywhere: the mask says."),
        case([-9.0], [-9.1], [True], False, "A ratio of two probabilities, however small both of them are."),
        case([-0.001], [-0.0012], [True], True, "A ratio of the probabilities, not of their logarithms."),
        case([-1.0], [-1.2], [True], True, "The tolerance is an argument: here a ratio of 1.22 will do.", 0.3),
        case([-1.0], [-1.28], [True], False, "Compare e to the difference with 1, not the difference with 0.", 0.3),
        case([-1.0], [-1.0001], [True], False, "The tolerance is an argument: here 1.0001 is too far.", 1e-5),
    ]
    return check(answer, "same_policy", cases)
