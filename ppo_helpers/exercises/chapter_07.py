"""Checks of chapter 7: PPO's update, whitened advantages and returns, the repaired loss, the number of steps."""

from collections.abc import Callable

from ppo_helpers.exercises.feedback import Case, Feedback, check, compare_loss

NO = (0.0,)  # a column that adds nothing to the loss
HALF = -0.6931472  # log ½


def check_update(answer: Callable) -> Feedback:
    """Exercise 7.1: PPO's update, compared with ``ppo_update`` on a policy of three parameters."""
    import torch  # the exercises of the first chapters need no torch

    with torch.enable_grad():  # a notebook may have switched it off
        cases = [Case(rows, _after(_ppo_update)(*rows), hint) for rows, hint in _update_cases()]
        feedback = check(_after(answer) if callable(answer) else answer, "update", cases)
    if feedback.message.startswith("Not started"):  # an update has nothing to return
        return Feedback(False, "Not started: update has changed no parameter, by backward and step. Replace the ...")
    return feedback


def _after(update: Callable) -> Callable:
    """What an update makes of two logits and a value: their three numbers after it."""
    import torch

    from ppo_helpers.experience import Batch
    from ppo_helpers.objectives import chosen_logprobs, entropy

    def trained(logits, value, actions, old_logprobs, advantages, returns):
        logits, value = (torch.tensor(x, requires_grad=True) for x in (logits, value))

        def evaluate(batch):
            here = logits.expand(len(batch), 2)
            return chosen_logprobs(here, batch.inputs["actions"]), value.expand(len(batch)), entropy(here)

        columns = (torch.tensor(x) for x in (old_logprobs, advantages, returns))
        batch = Batch(
            {"actions": torch.tensor(actions)}, *columns, torch.zeros(len(actions)), torch.tensor(actions) >= 0
        )
        optimizer, before = torch.optim.SGD([logits, value], lr=0.5), [*logits.tolist(), value.item()]
        got = update(evaluate, batch, optimizer, torch.Generator().manual_seed(0))
        after = [*logits.tolist(), value.item()]
        untouched = after == before and logits.grad is None and value.grad is None
        return got if untouched and (got is None or got is Ellipsis) else after

    trained.__module__ = getattr(update, "__module__", None)
    return trained


def _ppo_update(evaluate, batch, optimizer, generator):
    from ppo_helpers.ppo import PPOConfig, ppo_update

    ppo_update(evaluate, batch, optimizer, PPOConfig(ent_coef=0.01), generator)


def _update_cases() -> list[tuple[tuple, str]]:
    """Rows for one mistake each: logits, value, actions, old log-probs, advantages, returns; and the hint."""
    even, alike, both = [0.0, 0.0], [0, 0], [1.0, -1.0]  # of the same move a good and a bad one: no push
    mixed, olds, signs, nothing = [0, 0, 0, 1], [HALF] * 4, [1.0, -1.0, 1.0, -1.0], [0.0] * 4
    whole = "The policy's part: minus the mean clipped surrogate, ε 0.2; whitened by the deviation over n, not n − 1."
    return [
        ((even, 0.0, alike, [HALF] * 2, both, [0.2] * 2), "c_v is 0.5; 4 epochs of zero_grad, backward, step."),
        (([1.0, -1.0], 0.0, alike, [-0.126928] * 2, both, [0.0] * 2), "Minus 0.01 times the mean entropy."),
        ((even, 0.0, mixed, olds, signs, nothing), whole),
        ((even, 0.0, mixed, [-0.6, -0.6, -0.6, -0.8], signs, nothing), "Ratios are to the batch's old_logprobs."),
        ((even, 0.0, mixed, olds, [9.0, 3.0, 9.0, 3.0], nothing), "Whiten the advantages, once, before the epochs."),
        ((even, 0.0, [0, 1], [HALF] * 2, both, [9.0] * 2), "All gradients together get length 0.5 at most."),
        (_many(256), "256 rows are one minibatch, in each of 4 epochs."),
        (_many(600), "600 rows: 3 parts of 200 in each epoch, from a new order by randperm with the generator."),
    ]  # fmt: skip


def _many(rows: int) -> tuple:
    """Rows that differ, so that their order and number show."""
    wave = [((7 * i) % 11 - 5) / 5 for i in range(rows)]
    return [0.0, 0.0], 0.0, [i % 2 for i in range(rows)], [HALF] * rows, wave, [abs(x) for x in wave]


def check_targets(answer: Callable[[list[float], list[float]], tuple]) -> Feedback:
    """Exercise 7.2: whitened advantages, and returns made from the advantages as they were."""
    both = "Whitened: less the mean, over the standard deviation (by n, not n − 1). Returns: advantages as they were"
    three = [x / (14 / 3) ** 0.5 for x in (-2.0, -1.0, 3.0)]
    # in hundreds, so that a small ε beside the standard deviation does not show
    cases = [
        Case(([-400.0, 400.0], [0.0, 0.0]), [[-1.0, 1.0], [-400.0, 400.0]], f"{both}."),
        Case(([100.0, 200.0, 600.0], [0.0] * 3), [three, [100.0, 200.0, 600.0]], f"{both}."),
        Case(([100.0, 300.0], [5.0, -2.0]), [[-1.0, 1.0], [105.0, 298.0]], f"{both}, plus values."),
    ]
    return check(answer, "targets", cases)


def check_repaired_loss(answer: Callable) -> Feedback:
    """Exercise 7.3: PPO's loss of a minibatch: its value, part by part, and then its gradient."""
    return compare_loss(answer, "repaired_loss", _loss_cases(), _right_loss, "logprobs, values, entropies")


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
    """Exercise 7.4: epochs times the number of minibatches, which is rounded up."""
    cases = [
        Case((64, 16, 4, 256), 16, "1,024 rows are 4 minibatches, and there are 4 epochs."),
        Case((8, 32, 20, 256), 20, "256 rows are one minibatch; there are 20 epochs."),
        Case((10, 10, 3, 64), 6, "100 rows, at most 64 in a minibatch: two of them per epoch."),
        Case((10, 13, 3, 64), 9, "130 rows, at most 64 in a minibatch: three of them, rounded up."),
    ]
    return check(answer, "optimizer_steps", cases)
