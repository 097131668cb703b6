"""Checks of chapter 9: the test before the first step, ratios of a response, what a token counts, the clipped loss."""

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check, compare_loss


def check_sequence_ratios(answer: Callable[[list[float], list[float], list[bool]], Any]) -> Feedback:
    """Exercise 9.2: the geometric mean of a response's ratios, and their product."""

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
        case([-2.0, -1.0, -1.2], [-1.0, -1.5, -1.1], [True] * 3, "A token may get rarer: its difference has a sign."),
        case([-4.0] * 240, [-4.015625] * 240, [True] * 240, product),
    ]
    return check(answer, "sequence_ratios", cases)


def check_token_weights(answer: Callable[[list[list[bool]]], list[list[float]]]) -> Feedback:
    """Exercise 9.3: what one token counts if responses are averaged over their tokens first."""

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
    """Exercise 9.1: is every ratio 1 before the first step?"""

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
        case([-1.0], [-1.28], [True], False, "Compare e to the difference, new − old, with 1: e^0.28 is 1.32.", 0.3),
        case([-1.0], [-1.0001], [True], False, "The tolerance is an argument: here 1.0001 is too far.", 1e-5),
        case([-1.0] * 3, [-1.0, -1.0, -1.0016], [True] * 3, False, "Every ratio by itself, up to the last: no mean."),
        case([-1.0] * 3, [-1.0008] * 3, [True] * 3, True, "Every ratio by itself: errors are not added up."),
    ]
    return check(answer, "same_policy", cases)


def check_clipped_loss(answer: Callable) -> Feedback:
    """Exercise 9.4: the clipped loss of a batch of texts: its value, and then its gradient."""
    import torch  # the exercises of the first chapters need no torch

    def case(hint, logprobs, old_logprobs, advantages, mask=None, clip_eps=0.2):
        new, old, gains = (torch.tensor(x) for x in (logprobs, old_logprobs, advantages))
        counts = torch.ones(new.shape, dtype=torch.bool) if mask is None else torch.tensor(mask)
        args = new.requires_grad_(), old, gains, clip_eps, counts
        return Case(args, _clipped_loss(*args).item(), hint)

    one, minus, uneven = [[1.0]], [[-1.0]], [[True, False], [True, True]]
    per_token = "The mean is over all tokens that count: the longer response has more of them."
    far = "Pick what counts before you compute: the padding may hold NaN, and 0 times NaN or e^500 is no number."
    also = " And pick what counts before e is taken: else what stands in the padding gets into the gradient."
    cases = [
        case("A loss is minus the objective: ratio 1, advantage 1.", minus, minus, one),
        case("The ratio is new over old.", [[-0.9]], minus, one),
        case("Beyond the band a good token earns no more: the minimum of the two.", [[-0.5]], minus, one),
        case("A bad token that became likelier costs in full: still the minimum.", [[-0.5]], minus, minus),
        case("A good token that became rarer is not clipped.", [[-1.5]], minus, one),
        case("ε is an argument: here the band ends at 1.1.", [[-0.5]], minus, one, None, 0.1),
        case("A bad token that became rarer is clipped: here at 0.9.", [[-1.5]], minus, minus, None, 0.1),
        case("The minimum of each token; only then the mean.", [[-1.5, -0.5]], [[-1.0] * 2], [[1.0] * 2]),
        case("What the mask leaves out counts neither in the sum nor in the number.", [[-1.0] * 2] * 2,
             [[-1.0] * 2] * 2, [[1.0, 9.0], [1.0, 1.0]], uneven),
        case(per_token, [[-1.0] * 2] * 2, [[-1.0] * 2] * 2, [[3.0] * 2, [1.0] * 2], uneven),
        case(far, [[-1.0, 0.0, nan]], [[-1.1, -500.0, -1.0]], [[1.0, -1.0, 1.0]], [[True, False, False]]),
    ]  # fmt: skip
    return compare_loss(answer, "clipped_loss", cases, _clipped_loss, "logprobs", also)


def _clipped_loss(logprobs: Any, old_logprobs: Any, advantages: Any, clip_eps: float, mask: Any) -> Any:
    from ppo_helpers.objectives import policy_loss

    return policy_loss(logprobs, old_logprobs, advantages, clip_eps, mask)
