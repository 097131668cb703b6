"""Chapter 7's checks against answers that readers write."""

import math
from dataclasses import replace

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers
from torch.nn import functional

from ppo_helpers.exercises import (
    chapter_07,
    check_optimizer_steps,
    check_repaired_loss,
    check_targets,
    check_update,
)
from ppo_helpers.objectives import policy_loss, value_loss, whiten
from ppo_helpers.ppo import PPOConfig, ppo_update


def update(evaluate, batch, optimizer, generator, **change):
    """A right answer with places to go wrong."""
    wrong = {"epochs": 4, "size": 256, "eps": 0.2, "vf": 0.5, "ent": 0.01, "norm": 0.5, "white": "batch"} | change
    advantages = whiten(batch.advantages) if wrong["white"] == "batch" else batch.advantages
    if "scored anew" in wrong:
        batch = replace(batch, old_logprobs=evaluate(batch)[0].detach())
    for _ in range(wrong["epochs"]):
        order = torch.randperm(len(batch), generator=generator)
        order = torch.arange(len(batch)) if "in order" in wrong else order
        parts = order.split(wrong["size"]) if "scraps" in wrong else order.tensor_split(-(-len(batch) // wrong["size"]))
        for rows in parts:
            small = batch[rows]
            logprobs, values, entropies = evaluate(small)
            old = logprobs.detach() if "renewed" in wrong else small.old_logprobs
            chosen = whiten(advantages[rows]) if wrong["white"] == "minibatch" else advantages[rows]
            loss = wrong.get("sign", 1) * policy_loss(logprobs, old, chosen, wrong["eps"])
            loss = loss + wrong["vf"] * value_loss(values, small.returns) - wrong["ent"] * entropies.mean()
            if "piled up" not in wrong:
                optimizer.zero_grad()
            loss.backward()
            if wrong["norm"]:
                shorten(optimizer.param_groups[0]["params"], wrong)
            if "no step" not in wrong:
                optimizer.step()


def shorten(parameters, wrong):
    for group in [[p] for p in parameters] if "each alone" in wrong else [parameters]:
        torch.nn.utils.clip_grad_norm_(group, wrong["norm"])


def updated(**change):
    return lambda *args: update(*args, **change)


def update_by_hand(evaluate, batch, optimizer, generator):
    """As other codes write it, and with something returned."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    a = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std(correction=0) + 1e-8)
    minibatches = math.ceil(len(batch) / 256)
    for _ in range(4):
        for rows in torch.randperm(len(batch), generator=generator).tensor_split(minibatches):
            logp, v, h = evaluate(batch[rows])
            ratio = (logp - batch.old_logprobs[rows]).exp()
            objective = torch.min(ratio * a[rows], ratio.clamp(0.8, 1.2) * a[rows])
            loss = -objective.mean() + 0.5 * ((v - batch.returns[rows]) ** 2).mean() - 0.01 * h.mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()
    return loss.item()


def targets(advantages, values, eps=0.0, ddof=0):
    a = np.array(advantages)
    return (a - a.mean()) / (a.std(ddof=ddof) + eps), a + np.array(values)


def targets_in_python(advantages, values):
    mean = sum(advantages) / len(advantages)
    std = math.sqrt(sum((a - mean) ** 2 for a in advantages) / len(advantages))
    return [(a - mean) / std for a in advantages], [a + v for a, v in zip(advantages, values, strict=True)]


def targets_in_torch(advantages, values):
    a = torch.tensor(advantages)
    return (a - a.mean()) / (a.std(correction=0) + 1e-8), a + torch.tensor(values)


def targets_in_place(advantages, values):
    """Whitens first, so that the returns are made from what is no longer there."""
    a = np.array(advantages)
    a -= a.mean()
    a /= a.std()
    return a, a + np.array(values)


def loss(logp, old, a, v, ret, ent, eps, vf, ec, swap=False, best=torch.minimum, sign=-1, error=torch.square, es=-1):
    """A right answer with places to go wrong."""
    ratio = (old - logp if swap else logp - old).exp()
    policy = sign * best(ratio * a, ratio.clamp(1 - eps, 1 + eps) * a).mean()
    return policy + vf * error(v - ret).mean() + es * ec * ent.mean()


def loss_by_steps(logprobs, old, advantages, values, returns, entropies, eps, vf_coef, ent_coef):
    """As other codes write it: the larger of two losses, everything old detached, the square by torch."""
    advantages, returns = advantages.detach(), returns.detach()
    ratio = torch.exp(logprobs - old.detach())
    losses = torch.max(-advantages * ratio, -advantages * torch.clamp(ratio, 1 - eps, 1 + eps))
    return losses.mean() - ent_coef * entropies.mean() + functional.mse_loss(values, returns) * vf_coef


def loss_over_samples(*args):
    *columns, eps, vf, ec = args
    return sum(loss(*(x[i : i + 1] for x in columns), eps, vf, ec) for i in range(len(columns[0]))) / len(columns[0])


@torch.no_grad()
def loss_without_grad(*args):
    return loss(*args)


def loss_from_numpy(*args):
    return torch.tensor(loss(*(x.detach() if hasattr(x, "detach") else x for x in args)).item())


def clipped_part_detached(ratio, advantages, eps):
    return torch.minimum(ratio * advantages, ratio.clamp(1 - eps, 1 + eps).detach() * advantages)


def loss_changed_in_place(logp, old, a, v, ret, ent, eps, vf, ec):
    """Its backward pass raises: exp needs the ratio that is no longer there."""
    ratio = (logp - old).exp()
    clipped = ratio.clamp(1 - eps, 1 + eps) * a
    ratio *= a
    return -torch.min(ratio, clipped).mean() + vf * (v - ret).square().mean() - ec * ent.mean()


def loss_with_a_detached_clip(logp, old, a, v, ret, ent, eps, vf, ec):
    policy = -clipped_part_detached((logp - old).exp(), a, eps).mean()
    return policy + vf * (v - ret).square().mean() - ec * ent.mean()


def update_that_clears_at_the_end(evaluate, batch, optimizer, generator):
    """zero_grad behind the step, and no ε beside the standard deviation."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    a = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
    for _ in range(4):
        for rows in torch.randperm(len(batch), generator=generator).tensor_split(math.ceil(len(batch) / 256)):
            logp, v, h = evaluate(batch[rows])
            policy = policy_loss(logp, batch.old_logprobs[rows], a[rows])
            (policy + 0.5 * value_loss(v, batch.returns[rows]) - 0.01 * h.mean()).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()
            optimizer.zero_grad()


def parts_of_one_more(evaluate, batch, optimizer, generator):
    """256 rows in two parts."""
    update(evaluate, batch, optimizer, generator, size=256 if len(batch) % 256 else 255)


RIGHT = {
    check_update: {
        "cleared at the end": update_that_clears_at_the_end,
        "plain": update,
        "by hand": update_by_hand,
        "the book's helper": lambda e, b, o, g: ppo_update(e, b, o, PPOConfig(ent_coef=0.01), g),
    },
    check_targets: {
        "NumPy": targets,
        "plain": targets_in_python,
        "torch": targets_in_torch,
        "the book's helper": lambda a, v: (whiten(torch.tensor(a)), torch.tensor(a) + torch.tensor(v)),
        "with ε 1e-8": lambda a, v: targets(a, v, eps=1e-8),
        "with ε 1e-5": lambda a, v: targets(a, v, eps=1e-5),
        "a list": lambda a, v: list(targets(a, v)),
        "an array": lambda a, v: np.stack(targets(a, v)),
        "a tensor": lambda a, v: torch.stack(targets_in_torch(a, v)),
        "returns first": lambda a, v: (np.add(a, v) - v - np.mean(a), np.add(a, v)) and targets(a, v),
    },
    check_repaired_loss: {
        "plain": loss,
        "by steps": loss_by_steps,
        "where": lambda *a: loss(*a, best=lambda x, y: torch.where(x < y, x, y)),
        "one sample after the other": loss_over_samples,
        "stacked": lambda *a: loss(*a, best=lambda x, y: torch.stack([x, y]).amin(0)),
        "the square by a power": lambda *a: loss(*a, error=lambda x: x**2),
    },
    check_optimizer_steps: {
        "whole numbers": lambda w, s, k, m: k * -(-w * s // m),
        "ceil": lambda w, s, k, m: k * math.ceil(w * s / m),
        "ceil, NumPy": lambda w, s, k, m: k * np.ceil(w * s / m),
        "range": lambda w, s, k, m: k * len(range(0, w * s, m)),
        "added before it is divided": lambda w, s, k, m: (w * s + m - 1) // m * k,
        "split": lambda w, s, k, m: sum(len(torch.arange(w * s).split(m)) for _ in range(k)),
        "rest": lambda w, s, k, m: k * (w * s // m + (w * s % m > 0)),
    },
}
WRONG = {
    check_update: {
        "a part too many": (parts_of_one_more, "256 rows are one minibatch"),
        "no step": (updated(**{"no step": True}), "zero_grad, backward, step"),
        "one epoch": (updated(epochs=1), "4 epochs of zero_grad"),
        "gradients piled up": (updated(**{"piled up": True}), "zero_grad, backward, step"),
        "half the weight of the values": (updated(vf=0.25), "c_v is 0.5"),
        "no values": (updated(vf=0.0), "c_v is 0.5"),
        "sign": (updated(sign=-1), "minus the mean clipped surrogate"),
        "no clip": (updated(eps=None), "the mean clipped surrogate, ε 0.2"),
        "a wider band": (updated(eps=0.3), "the mean clipped surrogate, ε 0.2"),
        "log-probs renewed": (updated(renewed=True), "The policy's part"),
        "old log-probs scored anew": (updated(**{"scored anew": True}), "Ratios are to the batch's old_logprobs"),
        "not whitened": (updated(white="never"), "Whiten the advantages, once"),
        "no entropy": (updated(ent=0.0), "Minus 0.01 times the mean entropy"),
        "entropy punished": (updated(ent=-0.01), "Minus 0.01 times the mean entropy"),
        "no limit": (updated(norm=None), "get length 0.5 at most"),
        "another limit": (updated(norm=1.0), "get length 0.5 at most"),
        "each parameter alone": (updated(**{"each alone": True}), "All gradients together"),
        "the whole batch": (updated(size=1000), "3 parts of 200"),
        "a scrap at the end": (updated(scraps=True), "3 parts of 200"),
        "not shuffled": (updated(**{"in order": True}), "from a new order by randperm"),
        "whitened in each minibatch": (updated(white="minibatch"), "3 parts of 200"),
    },
    check_targets: {
        "from the median": (
            lambda a, v: ((np.array(a) - np.median(a)) / np.std(a), targets(a, v)[1]),
            "less the mean",
        ),
        "returns from whitened advantages": (lambda a, v: (targets(a, v)[0], targets(a, v)[0] + v), "as they were"),
        "whitened in place": (targets_in_place, "Returns: advantages as they were"),
        "not whitened": (lambda a, v: (a, targets(a, v)[1]), "Whitened: less the mean"),
        "mean not removed": (lambda a, v: (np.array(a) / np.std(a), targets(a, v)[1]), "Whitened: less the mean"),
        "deviation not removed": (lambda a, v: (np.array(a) - np.mean(a), targets(a, v)[1]), "over the standard"),
        "mean added back": (lambda a, v: (targets(a, v)[0] + np.mean(a), targets(a, v)[1]), "less the mean"),
        "standard deviation over n − 1": (lambda a, v: targets(a, v, ddof=1), "by n, not n − 1"),
        "torch's standard deviation": (
            lambda a, v: ((torch.tensor(a) - np.mean(a)) / torch.tensor(a).std(), targets(a, v)[1]),
            "by n, not n − 1",
        ),
        "variance": (lambda a, v: (targets(a, v)[0] / np.std(a), targets(a, v)[1]), "over the standard deviation"),
        "largest size": (lambda a, v: (np.array(a) / np.abs(a).max(), targets(a, v)[1]), "less the mean"),
        "from 0 to 1": (
            lambda a, v: ((np.array(a) - min(a)) / (max(a) - min(a)), targets(a, v)[1]),
            "less the mean",
        ),
        "returns whitened too": (lambda a, v: (targets(a, v)[0], targets(np.add(a, v), v)[0]), "as they were"),
        "swapped": (lambda a, v: targets(a, v)[::-1], "Whitened"),
        "returns are values": (lambda a, v: (targets(a, v)[0], v), "Returns: advantages as they were"),
        "returns are advantages": (lambda a, v: (targets(a, v)[0], a), "plus values"),
        "values taken off": (lambda a, v: (targets(a, v)[0], np.subtract(a, v)), "plus values"),
        "one of the two": (lambda a, v: targets(a, v)[0], "Return 2 lists of 2 numbers"),
        "three of them": (lambda a, v: (*targets(a, v), v), "Whitened"),
        "pairs": (lambda a, v: list(zip(*targets(a, v), strict=True)), "Whitened"),
        "lists of different lengths": (lambda a, v: (targets(a, v)[0], [1.0]), "Return 2 lists of 2 numbers"),
    },
    check_repaired_loss: {
        "as it was": (
            lambda *a: loss(*a, swap=True, best=torch.maximum, error=lambda x: x, es=1),
            "The ratio is new over old",
        ),
        "sign": (lambda *a: loss(*a, sign=1), "A loss is minus the objective"),
        "ratio upside down": (lambda *a: loss(*a, swap=True), "The ratio is new over old"),
        "maximum": (lambda *a: loss(*a, best=torch.maximum), "a good move earns no more"),
        "no clip": (lambda *a: loss(*a, best=lambda x, y: x), "a good move earns no more"),
        "minimum by size": (
            lambda *a: loss(*a, best=lambda x, y: torch.where(x.abs() < y.abs(), x, y)),
            "A bad move that became likelier costs in full",
        ),
        "clip only": (lambda *a: loss(*a, best=lambda x, y: y), "A bad move that became likelier costs in full"),
        "clipped for good moves only": (
            lambda *a: loss(*a, best=lambda x, y: torch.where(x > 0, y, x)),
            "A good move that became rarer is not clipped",
        ),
        "gain as loss": (lambda *a: loss(*a, error=lambda x: x), "The value loss is the squared error"),
        "size of the gain": (lambda *a: loss(*a, error=torch.abs), "The value loss is the squared error"),
        "half the square": (lambda *a: loss(*a, error=lambda x: x**2 / 2), "without a ½"),
        "square of the mean": (
            lambda *a: loss(*a, error=lambda x: x.mean() ** 2),
            "All terms together: means over the batch",
        ),
        "entropy punished": (lambda *a: loss(*a, es=1), "An entropy bonus lowers the loss"),
        "no entropy": (lambda *a: loss(*a, es=0), "An entropy bonus lowers the loss"),
        "minimum of the means": (
            lambda *a: loss(*a, best=lambda x, y: torch.minimum(x.mean(), y.mean())),
            "The minimum of each sample; only then the mean",
        ),
        "one for each sample": (
            lambda *a: loss(*a).expand(1),
            "Return one number",
        ),
        "sums": (
            lambda *a: loss(*a, best=lambda x, y: torch.minimum(x, y).sum()),
            "only then the mean",
        ),
        "fixed band": (lambda *a: loss(*a[:6], 0.2, *a[7:]), "ε and both weights as given"),
        "fixed weight of the values": (lambda *a: loss(*a[:7], 0.5, a[8]), "ε and both weights as given"),
        "fixed weight of the entropy": (lambda *a: loss(*a[:8], 0.01), "ε and both weights as given"),
        "a number": (lambda *a: loss(*a).item(), "This is its gradient"),
        "all detached": (lambda *a: loss(*a).detach(), "no detach, item, no_grad"),
        "no_grad": (loss_without_grad, "no detach, item, no_grad"),
        "made anew": (loss_from_numpy, "no detach, item, no_grad"),
        "log-probs detached": (lambda logp, *rest: loss(logp.detach(), *rest), "This is its gradient by logprobs"),
        "values detached": (lambda x, o, a, v, *rest: loss(x, o, a, v.detach(), *rest), "by logprobs, values"),
        "entropies detached": (
            lambda *a: loss(*a[:5], a[5].detach(), *a[6:]),
            "This is its gradient by logprobs, values, entropies",
        ),
        "changed in place": (loss_changed_in_place, "no detach, item, no_grad, NumPy, *="),
        "the clipped part detached": (loss_with_a_detached_clip, "This is its gradient"),
    },
    check_optimizer_steps: {
        "rounded down": (lambda w, s, k, m: k * (w * s // m), "two of them per epoch"),
        "rounded down, at least one": (lambda w, s, k, m: k * max(1, w * s // m), "two of them per epoch"),
        "rounded to the nearest": (lambda w, s, k, m: k * max(1, round(w * s / m)), "rounded up"),
        "not rounded": (lambda w, s, k, m: k * w * s / m, "two of them per epoch"),
        "one more": (lambda w, s, k, m: k * (w * s // m + 1), "1,024 rows are 4 minibatches"),
        "no epochs": (lambda w, s, k, m: -(-w * s // m), "there are 4 epochs"),
        "four epochs": (lambda w, s, k, m: 4 * math.ceil(w * s / m), "there are 20 epochs"),
        "rows": (lambda w, s, k, m: k * w * s, "1,024 rows are 4 minibatches"),
        "epochs in one": (lambda w, s, k, m: -(-w * s * k // m), "two of them per epoch"),
        "walks only": (lambda w, s, k, m: k * -(-w // m), "1,024 rows"),
        "steps of each walk alone": (lambda w, s, k, m: k * w * -(-s // m), "1,024 rows"),
        "minibatches for a size": (lambda w, s, k, m: k * m, "1,024 rows"),
        "sizes of the minibatches": (lambda w, s, k, m: [m] * k * (w * s // m), "Return one number"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_07) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)


def test_the_loss_has_a_gradient_where_a_notebook_has_switched_it_off():
    with torch.no_grad():
        assert_passes(check_repaired_loss, loss)
