"""Checks of chapter 5: importance sampling, ratios from log-probabilities, epochs on one batch, slopes."""

import copy
from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_importance_mean(answer: Callable[[list[float], list[float], list[float]], float]) -> Feedback:
    """Exercise 5.1: ordinary importance sampling from draws of the old policy."""
    share = "Divide by the number of draws, not by the sum of the weights (3 and 0.5)."
    rare = [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]
    cases = [
        Case(([1.0, 0.0], [0.5, 0.5], [0.8, 0.2]), 0.8, "Weights 1.6 and 0.4, new over old: the mean of 1.6 and 0."),
        Case(([4.0, 2.0, 6.0], [0.5, 0.25, 0.5], [0.5, 0.25, 0.5]), 4.0, "The same policy: the plain mean."),
        Case(([3.0, 3.0], [0.2, 0.2], [0.6, 0.1]), 5.25, share),
        Case(([10.0, 10.0, 1.0], *rare), 40.75 / 3, "Three draws with weights 2, 2 and 0.75: a mean over all three."),
    ]
    return check(answer, "importance_mean", cases)


def check_ratios(answer: Callable[[list[float], list[float]], list[float]]) -> Feedback:
    """Exercise 5.2: probability ratios from log-probabilities."""
    tiny = "e^−800 rounds to 0: subtract before you take the exponential."
    cases = [
        Case((np.log([0.3, 0.5]).tolist(), np.log([0.2, 0.5]).tolist()), [1.5, 1.0], "e to new minus old: 0.3 / 0.2."),
        Case(([-1.0], [-3.0]), [float(np.exp(2))], "e to the difference: new minus old."),
        Case(([-800.0, -801.0], [-801.0, -800.0]), [float(np.e), float(1 / np.e)], tiny),
    ]
    return check(answer, "ratios", cases)


def check_climb_batch(answer: Callable[..., list[float]]) -> Feedback:
    """Exercise 5.3: epochs of the plain surrogate on one batch."""
    import torch  # the exercises of the first chapters need no torch

    policy, optimizer, steps = _small_policy()
    gains = torch.tensor([1.0, -0.5, 2.0, 0.5, -1.0])

    def case(advantages, epochs, hint):
        learner, its_optimizer = copy.deepcopy((policy, optimizer))
        return Case(
            (policy, optimizer, steps, advantages, epochs),
            _climbed(learner, its_optimizer, steps, advantages, epochs),
            hint,
        )

    rise = "One step on minus the mean. It does not rise? Old log-probs are constants, new ones made in every round."
    cases = [
        case(gains, 0, "No epoch yet, so one number: every ratio is 1, and it is the mean advantage."),
        case(gains, 1, rise),
        case(gains, 2, "Epoch 2: clear the gradient before backward; the ratio, too, has changed by then."),
        case(-3 * gains, 6, "There is no brake yet: the ratios go as far as they like."),
    ]
    return check(answer, "climb_batch", cases)


def _small_policy():
    import torch

    from ppo_helpers.networks import PolicyNetwork

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        policy = PolicyNetwork(2, num_actions=3, hidden=(4,))
    observations = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)
    return policy, optimizer, (observations, torch.tensor([0, 1, 2, 0, 1]))


def _climbed(policy, optimizer, steps, advantages, epochs) -> list[float]:
    means, old = [], policy.logprobs(*steps).detach()
    for _ in range(epochs + 1):
        level = ((policy.logprobs(*steps) - old).exp() * advantages).mean()
        means.append(level.item())
        optimizer.zero_grad()
        (-level).backward()
        optimizer.step()
    return means


def check_slopes(answer: Callable[[list[float], list[float], int, float], list[float]]) -> Feedback:
    """Exercise 5.4: the gradient of ratio · A with respect to the logits."""
    even, old, new = [0.25] * 4, [0.2, 0.3, 0.4, 0.1], [0.4, 0.3, 0.2, 0.1]
    doubled = "Here the ratio is 0.4 / 0.2 = 2, new over old; π in the push is the new one."
    cases = [
        Case((even, even, 1, 1.0), [-0.25, 0.75, -0.25, -0.25], "At ratio 1 it is the push of exercise 4.2."),
        Case((old, new, 0, 1.0), [1.2, -0.6, -0.4, -0.2], doubled),
        Case((old, new, 2, -3.0), [0.6, 0.45, -1.2, 0.15], "Ratio and advantage, with its sign, multiply the push."),
    ]
    return check(answer, "slopes", cases)
