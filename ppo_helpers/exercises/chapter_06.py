"""Checks of chapter 6: the clipped objective, who still pushes, the distance it has gone, a loss that trains."""

from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check, compare_loss

SIX = [(0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (0.5, -1.0), (1.0, -1.0), (1.5, -1.0)]  # ratio, advantage


def check_clipped(answer: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 6.1: the clipped objective of one sample."""
    hints = {
        (0.5, 1.0): "The smaller of 0.5 and 0.8: below the band a good move keeps its slope.",
        (1.5, 1.0): "The smaller of 1.5 and 1.2: beyond the band a good move earns no more.",
        (0.5, -1.0): "The smaller of −0.5 and −0.8 is −0.8; it is the minimum for negative advantages, too.",
        (1.5, -1.0): "The smaller of −1.5 and −1.2 is −1.5: a bad move that became likelier costs in full.",
    }

    def case(ratio, advantage, eps, hint):
        return Case((ratio, advantage, eps), min(ratio * advantage, np.clip(ratio, 1 - eps, 1 + eps) * advantage), hint)

    cases = [case(*sample, 0.2, hints.get(sample, "Inside the band it is ratio · A.")) for sample in SIX]
    cases += [
        case(2.0, 3.0, 0.2, "Beyond the band it earns 1.2 · A: the edge times the advantage."),
        case(1.25, 2.0, 0.3, "With ε = 0.3 the band ends at 1.3."),
        case(0.5, -2.0, 0.3, "With ε = 0.3 the band begins at 0.7."),
        case(1.5, 0.0, 0.2, "An advantage of 0 earns nothing, wherever the ratio is."),
    ]
    return check(answer, "clipped", cases)


def check_pushes(answer: Callable[[float, float, float], bool]) -> Feedback:
    """Exercise 6.2: whether a sample still has a gradient."""
    hints = {
        (0.5, 1.0): "A good move that became rarer is pulled back: the minimum is the unclipped term.",
        (1.5, 1.0): "A good move beyond the band has what it wanted.",
        (0.5, -1.0): "A bad move below the band has what it wanted.",
        (1.5, -1.0): "A bad move that became likelier is pushed back: the minimum is the unclipped term.",
    }
    still, inside = {(1.5, 1.0): False, (0.5, -1.0): False}, "Inside the band every sample pushes."
    cases = [Case((*sample, 0.2), still.get(sample, True), hints.get(sample, inside)) for sample in SIX]
    cases += [
        Case((1.25, 3.0, 0.3), True, "With ε = 0.3 the band ends at 1.3."),
        Case((0.75, -3.0, 0.3), True, "With ε = 0.3 the band begins at 0.7."),
        Case((1.0, 0.0, 0.2), False, "No advantage, no push."),
    ]
    return check(answer, "pushes", cases)


def check_approximate_kl(answer: Callable[[list[float], list[float]], float]) -> Feedback:
    """Exercise 6.3: the mean k3 estimate of KL(π_old‖π_θ)."""
    e = np.e
    cases = [
        Case(([-1.0, -2.0], [-1.0, -2.0]), 0.0, "The same policy: no distance."),
        Case(([-1.0], [-2.0]), e - 2, "x = log π_θ − log π_old is 1: (e − 1) − 1."),
        Case(([-2.0], [-1.0]), 1 / e, "x is −1: (1/e − 1) + 1. Never negative."),
        Case(([-1.0, -2.0, -1.0, -1.0], [-2.0, -1.0, -1.0, -1.0]), (e - 2 + 1 / e) / 4, "The mean over all samples."),
    ]
    return check(answer, "approximate_kl", cases)


def check_batch_loss(answer: Callable) -> Feedback:
    """Exercise 6.4: the mean clipped loss of a batch of tensors: its value, and then the gradient that trains."""
    return compare_loss(answer, "batch_loss", _loss_cases(), _right_loss, "logprobs")


def _loss_cases() -> list[Case]:
    import torch  # the other exercises of this chapter need no torch

    def case(ratios, advantages, eps, hint):
        old = torch.full((len(ratios),), -2.0)
        logprobs = (torch.tensor(ratios).log() + old).requires_grad_()
        args = (logprobs, old, torch.tensor(advantages), eps)
        return Case(args, _right_loss(*args).item(), hint)

    five, gains = [1.72, 0.84, 1.21, 1.43, 0.72], [0.8, -0.5, 0.3, 0.6, -0.9]
    return [
        case([1.0], [2.0], 0.2, "The ratio is 1; a loss is minus the objective."),
        case([1.5], [1.0], 0.2, "The ratio is e^(new − old), here 1.5; the smaller of 1.5 and 1.2."),
        case([1.5], [-1.0], 0.2, "The objective is the smaller of −1.5 and −1.2; the loss is minus that."),
        case([0.5, 1.5], [1.0, 1.0], 0.2, "The minimum of each sample, 0.5 and 1.2; only then the mean."),
        case(five, gains, 0.2, "Five samples: minus the mean of 0.96, −0.42, 0.36, 0.72 and −0.72."),
        case([1.25, 0.5, 0.5, 1.5], [1.0, -1.0, 1.0, -1.0], 0.3, "ε is an argument."),  # whose gradient is looked at
    ]


def _right_loss(logprobs, old_logprobs, advantages, eps):
    from ppo_helpers.objectives import policy_loss

    return policy_loss(logprobs, old_logprobs, advantages, eps)
