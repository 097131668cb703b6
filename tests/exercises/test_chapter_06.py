"""Chapter 6's checks against answers that readers write."""

import math

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import (
    chapter_06,
    check_approximate_kl,
    check_batch_loss,
    check_clipped,
    check_pushes,
)
from ppo_helpers.objectives import clipped_surrogate, kl_k3, policy_loss


def clipped(ratio, advantage, eps, outer=min):
    """A right answer with places to go wrong."""
    return outer(ratio * advantage, max(1 - eps, min(ratio, 1 + eps)) * advantage)


def clipped_by_sign(ratio, advantage, eps):
    return min(ratio, 1 + eps) * advantage if advantage >= 0 else max(ratio, 1 - eps) * advantage


def clipped_by_bound(ratio, advantage, eps):
    return min(ratio * advantage, (1 + eps if advantage > 0 else 1 - eps) * advantage)


def clipped_in_torch(ratio, advantage, eps):
    return clipped_surrogate(torch.tensor(ratio), torch.tensor(advantage), eps)


def gradient_of_clipped(ratio, advantage, eps):
    r = torch.tensor(ratio, requires_grad=True)
    torch.minimum(r * advantage, r.clamp(1 - eps, 1 + eps) * advantage).backward()
    return r.grad


def pushes(ratio, advantage, eps):
    return (advantage > 0 and ratio < 1 + eps) or (advantage < 0 and ratio > 1 - eps)


def pushes_where_it_can(ratio, advantage, eps):
    """Without a last return."""
    if advantage > 0 and ratio < 1 + eps:
        return True
    if advantage < 0 and ratio > 1 - eps:
        return True


def ratios_of(logprobs, old):
    return np.exp(np.subtract(logprobs, old))


def batch_loss(logprobs, old, advantages, eps, best=torch.minimum, low=True, sign=-1):
    """A right answer with places to go wrong."""
    ratio = (logprobs - old).exp()
    return sign * best(ratio * advantages, ratio.clamp(1 - eps if low else None, 1 + eps) * advantages).mean()


def batch_loss_by_steps(logprobs, old, advantages, eps):
    """As other codes write it: the larger of two losses, what is old detached."""
    ratio, advantages = torch.exp(logprobs - old.detach()), advantages.detach()
    return torch.max(-advantages * ratio, -advantages * torch.clamp(ratio, 1 - eps, 1 + eps)).mean()


def batch_loss_by_sample(logprobs, old, advantages, eps):
    losses = []
    for new, before, a in zip(logprobs, old, advantages, strict=True):
        ratio = torch.exp(new - before)
        losses.append(torch.max(-ratio * a, -ratio.clamp(1 - eps, 1 + eps) * a))
    return sum(losses) / len(losses)


def batch_loss_by_sign(logprobs, old, advantages, eps):
    ratio = (logprobs - old).exp()
    held = torch.where(advantages > 0, ratio.clamp(max=1 + eps), ratio.clamp(min=1 - eps))
    return -(held * advantages).mean()


def batch_loss_in_numpy(logprobs, old, advantages, eps):
    r, a = np.exp((logprobs - old).detach().numpy()), advantages.numpy()
    return np.maximum(-r * a, -np.clip(r, 1 - eps, 1 + eps) * a).mean()


def batch_loss_of_whitened(logprobs, old, advantages, eps):
    a = advantages - advantages.mean()
    return batch_loss(logprobs, old, a / (a.square().mean().sqrt() + 1e-8), eps)


def batch_loss_of_a_constant_ratio(logprobs, old, advantages, eps):
    return batch_loss(logprobs.detach(), old, advantages, eps)


def batch_loss_with_clamped_logs(logprobs, old, advantages, eps):
    """The right value; but a sample beyond its edge goes on pushing."""
    value = batch_loss(logprobs, old, advantages, eps).detach()
    plain = -((logprobs - old).exp() * advantages).mean()
    return plain + (value - plain).detach()


@torch.no_grad()
def batch_loss_without_grad(*args):
    return batch_loss(*args)


def approximate_kl(logprobs, old, sign=1, form=lambda x: math.expm1(x) - x):
    return sum(form(sign * (n - o)) for n, o in zip(logprobs, old, strict=True)) / len(old)


def approximate_kl_by_ratio(logprobs, old):
    ratio = ratios_of(logprobs, old)
    return np.mean(ratio - 1 - np.log(ratio))


def approximate_kl_in_torch(logprobs, old):
    x = torch.tensor(logprobs) - torch.tensor(old)
    return (x.exp() - 1 - x).mean()


def loss_without_the_way_back(logp, old, a, eps):
    """Right in value, flat wherever the band is left."""
    ratio = (logp - old).exp()
    objective = torch.min(ratio * a, ratio.clamp(1 - eps, 1 + eps) * a)
    return -torch.where((ratio - 1).abs() < eps, objective, objective.detach()).mean()


RIGHT = {
    check_clipped: {
        "plain": clipped,
        "by the sign": clipped_by_sign,
        "by the bound": clipped_by_bound,
        "NumPy": lambda r, a, e: np.minimum(r * a, np.clip(r, 1 - e, 1 + e) * a),
        "the book's helper": clipped_in_torch,
        "the larger of the losses": lambda r, a, e: -max(-r * a, -np.clip(r, 1 - e, 1 + e) * a),
    },
    check_pushes: {
        "plain": pushes,
        "as a number": lambda *a: int(pushes(*a)),
        "as a NumPy bool": lambda *a: np.bool_(pushes(*a)),
        "as a tensor": lambda *a: torch.tensor(pushes(*a)),
        "by autograd": lambda *a: gradient_of_clipped(*a) != 0,
        "the minimum is the unclipped one": lambda r, a, e: a != 0 and clipped(r, a, e) == r * a,
        "not beyond its edge": lambda r, a, e: a != 0 and not (r > 1 + e if a > 0 else r < 1 - e),
    },
    check_batch_loss: {
        "plain": batch_loss,
        "by steps": batch_loss_by_steps,
        "one sample after the other": batch_loss_by_sample,
        "the book's helper": policy_loss,
        "by the sign": batch_loss_by_sign,
        "where": lambda *a: batch_loss(*a, best=lambda x, y: torch.where(x < y, x, y)),
    },
    check_approximate_kl: {
        "plain": approximate_kl,
        "by the ratio": approximate_kl_by_ratio,
        "NumPy": lambda n, o: np.mean(np.expm1(np.subtract(n, o)) - np.subtract(n, o)),
        "the book's helper": lambda n, o: kl_k3(torch.tensor(o), torch.tensor(n)).mean(),
        "torch": approximate_kl_in_torch,
    },
}
WRONG = {
    check_clipped: {
        "the edge alone": (lambda r, a, e: 1 + e if a > 0 and r > 1 + e else clipped(r, a, e), "the edge times the"),
        "nothing for an advantage of 0": (
            lambda r, a, e: clipped(r, a, e) if a else 1.0,
            "An advantage of 0 earns nothing",
        ),
        "no clip": (lambda r, a, e: r * a, "beyond the band a good move earns no more"),
        "clip only": (lambda r, a, e: max(1 - e, min(r, 1 + e)) * a, "below the band a good move keeps its slope"),
        "maximum": (lambda r, a, e: clipped(r, a, e, outer=max), "The smaller of 0.5 and 0.8"),
        "maximum for negative advantages": (
            lambda r, a, e: clipped(r, a, e, outer=max if a < 0 else min),
            "it is the minimum for negative advantages, too",
        ),
        "capped at the lower edge": (lambda r, a, e: min(r, 1 - e) * a, "Inside the band it is ratio · A"),
        "bad moves at the lower edge": (
            lambda r, a, e: min(r, 1 + e) * a if a > 0 else (1 - e) * a,
            "Inside the band it is ratio · A",
        ),
        "bad moves clipped on both sides": (
            lambda r, a, e: min(r, 1 + e) * a if a > 0 else max(1 - e, min(r, 1 + e)) * a,
            "a bad move that became likelier costs in full",
        ),
        "a loss": (lambda r, a, e: -clipped(r, a, e), "The smaller of 0.5 and 0.8"),
        "zero outside": (lambda r, a, e: r * a if abs(r - 1) <= e else 0.0, "below the band a good move keeps"),
        "upper edge only": (lambda r, a, e: min(r * a, min(r, 1 + e) * a), "−0.5 and −0.8 is −0.8"),
        "the product clipped": (
            lambda r, a, e: min(r * a, max(1 - e, min(r * a, 1 + e))),
            "−0.5 and −0.8 is −0.8",
        ),
        "the smaller ratio": (lambda r, a, e: min(r, max(1 - e, min(r, 1 + e))) * a, "−0.5 and −0.8 is −0.8"),
        "by size": (lambda r, a, e: min(r * a, np.clip(r, 1 - e, 1 + e) * a, key=abs), "−0.5 and −0.8 is −0.8"),
        "fixed band": (lambda r, a, e: clipped(r, a, 0.2), "With ε = 0.3 the band ends"),
        "fixed lower edge": (lambda r, a, e: min(r * a, max(0.8, min(r, 1 + e)) * a), "With ε = 0.3 the band begins"),
        "from ε to 1 + ε": (lambda r, a, e: min(r * a, max(e, min(r, 1 + e)) * a), "−0.5 and −0.8 is −0.8"),
        "both of them": (lambda r, a, e: [r * a, max(1 - e, min(r, 1 + e)) * a], "Return one number"),
    },
    check_pushes: {
        "inside the band only": (lambda r, a, e: abs(r - 1) < e, "A good move that became rarer is pulled back"),
        "only what is pulled back": (
            lambda r, a, e: (a > 0 and r < 1 - e) or (a < 0 and r > 1 + e),
            "Inside the band every sample pushes",
        ),
        "always": (lambda r, a, e: True, "has what it wanted"),
        "never": (lambda r, a, e: False, "A good move that became rarer is pulled back"),
        "sign ignored": (lambda r, a, e: r < 1 + e, "A bad move below the band has what it wanted"),
        "good moves only": (lambda r, a, e: a > 0 and r < 1 + e, "Inside the band every sample pushes"),
        "inverted": (lambda r, a, e: not pushes(r, a, e), "A good move that became rarer is pulled back"),
        "edges swapped": (
            lambda r, a, e: (a > 0 and r > 1 - e) or (a < 0 and r < 1 + e),
            "A good move that became rarer is pulled back",
        ),
        "bad moves inside the band only": (
            lambda r, a, e: (a > 0 and r < 1 + e) or (a < 0 and abs(r - 1) < e),
            "A bad move that became likelier is pushed back",
        ),
        "fixed band": (lambda r, a, e: pushes(r, a, 0.2), "With ε = 0.3 the band ends"),
        "fixed lower edge": (lambda r, a, e: pushes(r, a, e if a > 0 else 0.2), "With ε = 0.3 the band begins"),
        "no advantage pushes": (lambda r, a, e: pushes(r, a, e) or a == 0, "No advantage, no push"),
        "the minimum is the unclipped one": (lambda r, a, e: clipped(r, a, e) == r * a, "No advantage, no push"),
        "no return at the end": (pushes_where_it_can, "must end with return"),
        "the gradient": (lambda *a: gradient_of_clipped(*a).item(), "Return True or False"),
        "as a float": (lambda *a: float(pushes(*a)), "Return True or False"),
        "as text": (lambda *a: "yes" if pushes(*a) else "no", "Return True or False"),
    },
    check_batch_loss: {
        "no way back": (loss_without_the_way_back, "This is its gradient by logprobs"),
        "sign": (lambda *a: batch_loss(*a, sign=1), "a loss is minus the objective"),
        "one for each": (lambda *a: batch_loss(*a).expand(1), "Return one number"),
        "no clip": (lambda *a: batch_loss(*a, best=lambda x, y: x), "the smaller of 1.5 and 1.2"),
        "upside down": (lambda n, o, a, e: batch_loss(o, n, a, e), "The ratio is e^(new − old)"),
        "difference for ratio": (
            lambda n, o, a, e: -torch.min((1 + n - o) * a, (1 + n - o).clamp(1 - e, 1 + e) * a).mean(),
            "the loss is minus that",
        ),
        "clip only": (lambda *a: batch_loss(*a, best=lambda x, y: y), "the smaller of −1.5 and −1.2"),
        "minimum of the losses": (lambda *a: batch_loss(*a, best=torch.maximum), "the smaller of 1.5 and 1.2"),
        "upper edge only": (lambda *a: batch_loss(*a, low=False), "minus the mean of 0.96"),
        "sum": (lambda *a: batch_loss(*a) * len(a[0]), "only then the mean"),
        "minimum of the means": (
            lambda *a: batch_loss(*a, best=lambda x, y: torch.minimum(x.mean(), y.mean())),
            "only then the mean",
        ),
        "clip of the mean ratio": (
            lambda n, o, a, e: batch_loss((n - o).exp().mean().log(), torch.tensor(0.0), a.mean(), e),
            "The minimum of each sample",
        ),
        "whitened advantages": (batch_loss_of_whitened, "a loss is minus the objective"),
        "by the size of the advantage": (
            lambda n, o, a, e: batch_loss(n, o, a, e) * len(n) / a.abs().sum(),
            "a loss is minus the objective",
        ),
        "fixed band": (lambda n, o, a, e: batch_loss(n, o, a, 0.2), "ε is an argument"),
        "a number": (lambda *a: batch_loss(*a).item(), "This is its gradient"),
        "NumPy": (batch_loss_in_numpy, "no detach, item, no_grad, NumPy"),
        "no_grad": (batch_loss_without_grad, "no detach, item, no_grad"),
        "log-probs detached": (batch_loss_of_a_constant_ratio, "This is its gradient by logprobs"),
        "the clipped part goes on pushing": (batch_loss_with_clamped_logs, "This is its gradient"),
    },
    check_approximate_kl: {
        "reversed": (lambda n, o: approximate_kl(n, o, sign=-1), "x = log π_θ − log π_old is 1"),
        "k1": (lambda n, o: approximate_kl(n, o, form=lambda x: -x), "x = log π_θ − log π_old is 1"),
        "k2": (lambda n, o: approximate_kl(n, o, form=lambda x: x * x / 2), "(e − 1) − 1"),
        "size of the difference": (lambda n, o: approximate_kl(n, o, form=abs), "(e − 1) − 1"),
        "of the size of the difference": (
            lambda n, o: approximate_kl(n, o, form=lambda x: math.expm1(abs(x)) - abs(x)),
            "x is −1",
        ),
        "difference added": (lambda n, o: approximate_kl(n, o, form=lambda x: math.expm1(x) + x), "(e − 1) − 1"),
        "one forgotten": (lambda n, o: approximate_kl(n, o, form=lambda x: math.exp(x) - x), "The same policy"),
        "weighted with the ratio": (
            lambda n, o: approximate_kl(n, o, form=lambda x: math.exp(x) * x),
            "(e − 1) − 1",
        ),
        "sum": (lambda n, o: approximate_kl(n, o) * len(n), "The mean over all samples"),
        "of the mean difference": (
            lambda n, o: math.expm1(np.mean(np.subtract(n, o))) - np.mean(np.subtract(n, o)),
            "The mean over all samples",
        ),
        "one for each": (lambda n, o: np.expm1(np.subtract(n, o)) - np.subtract(n, o), "Return one number"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_06) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)


def test_the_loss_has_a_gradient_where_a_notebook_has_switched_it_off():
    with torch.no_grad():
        assert_passes(check_batch_loss, batch_loss)
