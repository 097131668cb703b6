"""Checks of chapter 5: importance sampling, ratios from log-probabilities, the effective number of samples."""

from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_weighted_mean(answer: Callable[[list[float], list[float], list[float]], float]) -> Feedback:
    """Exercise 5.1: importance sampling from draws of the old policy."""
    share = "Divide by the number of draws, not by the sum of the weights (3 and 0.5)."
    rare = [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]
    cases = [
        Case(([1.0, 0.0], [0.5, 0.5], [0.8, 0.2]), 0.8, "Weights 1.6 and 0.4, new over old: the mean of 1.6 and 0."),
        Case(([4.0, 2.0, 6.0], [0.5, 0.25, 0.5], [0.5, 0.25, 0.5]), 4.0, "The same policy: the plain mean."),
        Case(([3.0, 3.0], [0.2, 0.2], [0.6, 0.1]), 5.25, share),
        Case(([10.0, 10.0, 1.0], *rare), 40.75 / 3, "Three draws with weights 2, 2 and 0.75: a mean over all three."),
    ]
    return check(answer, "weighted_mean", cases)


def check_ratios(answer: Callable[[list[float], list[float]], list[float]]) -> Feedback:
    """Exercise 5.2: probability ratios from log-probabilities."""
    tiny = "e^−800 rounds to 0: subtract before you take the exponential."
    cases = [
        Case((np.log([0.3, 0.5]).tolist(), np.log([0.2, 0.5]).tolist()), [1.5, 1.0], "e to new minus old: 0.3 / 0.2."),
        Case(([-1.0], [-3.0]), [float(np.exp(2))], "e to the difference: new minus old."),
        Case(([-800.0, -801.0], [-801.0, -800.0]), [float(np.e), float(1 / np.e)], tiny),
    ]
    return check(answer, "ratios", cases)


def check_effective_samples(answer: Callable[[list[float]], float]) -> Feedback:
    """Exercise 5.3: (Σρ)² / Σρ²."""
    cases = [
        Case(([1.0, 1.0, 1.0, 1.0],), 4.0, "Equal ratios: every sample counts in full."),
        Case(([4.0, 0.0, 0.0, 0.0],), 1.0, "One sample carries everything."),
        Case(([0.5, 0.5, 0.5],), 3.0, "The scale of the ratios cancels."),
        Case(([3.0, 1.0],), 1.6, "The square of the sum, 16, over the sum of the squares, 10."),
    ]
    return check(answer, "effective_samples", cases)
