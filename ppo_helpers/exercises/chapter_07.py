"""Checks of chapter 7: whitened advantages and returns, the repaired loss, the number of optimiser steps."""

from collections.abc import Callable

from ppo_helpers.exercises.feedback import Case, Feedback, check, gradients

NO = (0.0,)  # a column that adds nothing to the loss


def check_targets(answer: Callable[[list[float], list[float]], tuple]) -> Feedback:
    """Exercise 7.1: whitened advantages, and returns made from the advantages as they were."""
    both = "Whitened: less the mean, over the standard deviation (by n, not n − 1). Returns: advantages as they were"
    root = 1.5**0.5  # in hundreds, so that a small ε beside the standard deviation does not show
    cases = [
        Case(([-400.0, 400.0], [0.0, 0.0]), [[-1.0, 1.0], [-400.0, 400.0]], f"{both}."),
        Case(([100.0, 200.0, 300.0], [0.0] * 3), [[-root, 0.0, root], [100.0, 200.0, 300.0]], f"{both}."),
        Case(([100.0, 300.0], [5.0, -2.0]), [[-1.0, 1.0], [105.0, 298.0]], f"{both}, plus values."),
    ]
    return check(answer, "targets", cases)


def check_repaired_loss(answer: Callable) -> Feedback:
    """Exercise 7.2: PPO's loss of a minibatch: its value, part by part, and then its gradient."""
    import torch  # the exercises of the first chapters need no torch

    with torch.enable_grad():  # a notebook may have switched it off
        cases = _loss_cases()
        feedback = check(answer, "repaired_loss", cases)
        if not feedback.passed:
            return feedback
        hint = "The value is right. This is its gradient by logprobs, values, entropies: no detach, item, no_grad, *=."
        last = cases[-1]
        by_learned = Case(last.args, gradients(_right_loss)(*last.args), hint)
        second = check(gradients(answer), "repaired_loss", [by_learned])
        return feedback if second.passed else second


def _loss_cases() -> list[Case]:
    """Each shows one part of the loss alone; the last one all of them."""
    one, minus = [1.0], [-1.0]
    batch = [-1.0, -0.2, -2.0], [-1.1, -0.9, -1.0], [0.5, 2.0, -1.0], [1.0, 0.0, 2.0], [0.5, 1.0, 2.5], [0.3, 0.6, 0.9]
    return [
        _loss_case("A loss is minus the objective: ratio 1, advantage 1.", minus, minus, one),
        _loss_case("The ratio is new over old.", [-0.9], minus, one),
        _loss_case("Beyond the band a good move earns no more: the minimum of the two.", [-0.5], minus, one),
        _loss_case("A bad move that became likelier costs in full: still the minimum.", [-0.5], minus, [-1.0]),
        _loss_case("A good move that became rarer is not clipped.", [-1.5], minus, one),
        _loss_case("The value loss is the squared error, without a ½.", minus, minus, NO, one, [3.0]),
        _loss_case("An entropy bonus lowers the loss.", minus, minus, NO, NO, NO, [2.0]),
        _loss_case("The minimum of each sample; only then the mean.", [-1.5, -0.5], [-1.0, -1.0], [1.0, 1.0]),
        _loss_case("All terms together: means over the batch, ε and both weights as given.", *batch, (0.3, 1.0, 0.1)),
    ]  # fmt: skip


def _loss_case(hint, logprobs, old, advantages, values=NO, returns=NO, entropies=NO, numbers=(0.2, 0.5, 0.01)):
    import torch

    others = (x if x is not NO else NO * len(logprobs) for x in (values, returns, entropies))  # all have shape (N,)
    columns, learned = (logprobs, old, advantages, *others), (True, False, False, True, False, True)
    tensors = [torch.tensor(x, requires_grad=grad) for x, grad in zip(columns, learned, strict=True)]
    return Case((*tensors, *numbers), _right_loss(*tensors, *numbers).item(), hint)


def _right_loss(logprobs, old, advantages, values, returns, entropies, eps, vf_coef, ent_coef):
    from ppo_helpers.objectives import policy_loss, value_loss

    policy = policy_loss(logprobs, old, advantages, eps)
    return policy + vf_coef * value_loss(values, returns) - ent_coef * entropies.mean()


def check_optimizer_steps(answer: Callable[[int, int, int, int], int]) -> Feedback:
    """Exercise 7.3: epochs times the number of minibatches, which is rounded up."""
    cases = [
        Case((64, 16, 4, 256), 16, "1,024 rows are 4 minibatches, and there are 4 epochs."),
        Case((8, 32, 20, 256), 20, "256 rows are one minibatch; there are 20 epochs."),
        Case((10, 10, 3, 64), 6, "100 rows, at most 64 in a minibatch: two of them per epoch."),
        Case((10, 13, 3, 64), 9, "130 rows, at most 64 in a minibatch: three of them, rounded up."),
    ]
    return check(answer, "optimizer_steps", cases)
