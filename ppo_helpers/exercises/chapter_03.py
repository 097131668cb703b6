"""Checks of chapter 3: a gradient step, log π of what was done, the training loop, the masked softmax."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_descend(answer: Callable[[float, float, float, float], float]) -> Feedback:
    """Exercise 3.1: one gradient step for a network with a single parameter."""
    cases = [
        Case((2.0, 1.0, 5.0, 0.1), 2.6, "w less rate times slope. The slope is 2 · (w x − target) · x, here −6."),
        Case((2.0, 3.0, 5.0, 0.1), 1.4, "The prediction is w · x, so its slope by w is x: a factor of the slope."),
        Case((2.0, 1.0, 5.0, 0.5), 5.0, "The learning rate is an argument, not always 0.1."),
        Case((0.0, -2.0, 4.0, 0.25), -4.0, "The sign of x counts, too: for x < 0 a larger w predicts less."),
    ]
    return check(answer, "descend", cases)


def check_chosen_logprobs(answer: Callable) -> Feedback:
    """Exercise 3.2: log π of the move that was chosen in each row."""
    import torch  # the exercises of the first chapters need no torch

    def case(logits, choices, hint):
        logits, choices = torch.tensor(logits), torch.tensor(choices)
        right = logits.double().log_softmax(dim=-1)[torch.arange(len(choices)), choices]
        return Case((logits, choices), right.tolist(), hint)

    rows = [[1.0, 2.0, 0.0, 3.0], [0.0, 0.0, 5.0, 1.0], [4.0, 1.0, 1.0, 2.0]]
    cases = [
        case([[0.0, 1.0, 2.0]], [1], "log_softmax along dim −1, then entry 1; squeeze(-1), so that (1,) stays (1,)."),
        case(rows, [3, 2, 0], "Each row has a choice of its own: gather(-1, choices[:, None]), then squeeze(-1)."),
        case([[900.0, 899.0]], [0], "exp(900) overflows: log_softmax does not."),
        case([[0.0, 200.0], [900.0, 899.0]], [0, 1], "e^−200 rounds to 0, whose log is −∞: log_softmax, row by row."),
    ]
    with torch.enable_grad():  # a notebook may have switched it off
        return check(answer, "chosen_logprobs", cases)


def check_fit(answer: Callable) -> Feedback:
    """Exercise 3.3: the training loop; the losses of a small network that it really trains."""
    import torch

    from ppo_helpers.networks import ValueNetwork

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        network = ValueNetwork(observation_size=1, hidden=(4,))
        x, targets = torch.tensor([[-1.0], [0.0], [1.0]]), torch.tensor([2.0, -1.0, 3.0])

        def case(steps, rate, hint):
            return Case((network, x, targets, steps, rate), _losses(network, x, targets, steps, rate), hint)

        cases = [
            case(1, 0.1, "The mean of (network(x) − targets)², as a number: .item(). It stands before the step."),
            case(2, 0.1, "The second loss shows the first step: loss.backward(), then step(), by Adam with lr=rate."),
            case(6, 0.1, "Each round needs its own slopes, zero_grad, and one optimizer, made before the loop."),
            case(6, 0.01, "Give Adam the learning rate: lr=rate."),
        ]
        return check(answer, "fit", cases)


def _losses(network: Any, x: Any, targets: Any, steps: int, rate: float) -> list[float]:
    """What a right answer returns; the network itself stays as it is."""
    import torch

    network = copy.deepcopy(network)
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=rate), []
    for _ in range(steps):
        loss = (network(x) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def check_masked_softmax(answer: Callable[[list[float], list[bool]], Any]) -> Feedback:
    """Exercise 3.4: softmax over the open moves only; no policy where nothing is open."""
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
