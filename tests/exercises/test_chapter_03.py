"""Chapter 3's checks against answers that readers write."""

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_03, check_chosen_logprobs, check_descend, check_fit, check_masked_softmax
from ppo_helpers.networks import mask_logits


def descend(w, x, target, rate, sign=1, factor=lambda x: x, power=2):
    """A right answer with places to go wrong."""
    return w - sign * rate * power * (w * x - target) * factor(x)


def descend_in_torch(w, x, target, rate):
    w = torch.tensor(w, requires_grad=True)
    ((w * x - target) ** 2).backward()
    with torch.no_grad():
        return w - rate * w.grad


def chosen(logits, choices):
    return logits.log_softmax(dim=-1).gather(-1, choices[:, None]).squeeze(-1)


def chosen_by_rows(logits, choices):
    return [row.log_softmax(-1)[choice].item() for row, choice in zip(logits, choices, strict=True)]


def chosen_in_numpy(logits, choices):
    z = logits.numpy() - logits.numpy().max(axis=1, keepdims=True)
    return (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(z)), choices.numpy()]


def fit(network, x, targets, steps, rate, make=torch.optim.Adam, clear=True, again=False, sign=1, before=True):
    """A right answer with places to go wrong."""
    optimizer, losses = make(network.parameters(), lr=rate), []
    for _ in range(steps):
        optimizer = make(network.parameters(), lr=rate) if again else optimizer
        loss = ((network(x) - targets) ** 2).mean()
        if clear:
            optimizer.zero_grad()
        (sign * loss).backward()
        optimizer.step()
        losses.append((loss if before else ((network(x) - targets) ** 2).mean()).item())
    return losses


def fit_with_mse_loss(network, x, targets, steps, rate):
    optimizer, losses = torch.optim.Adam(network.parameters(), rate), []
    while len(losses) < steps:
        losses.append(torch.nn.functional.mse_loss(network(x), targets))
        network.zero_grad()
        losses[-1].backward()
        optimizer.step()
    return torch.stack(losses)


def fit_without_steps(network, x, targets, steps, rate):
    return [((network(x) - targets) ** 2).mean().item() for _ in range(steps)]


def masked_softmax(logits, open_moves, blocked=-np.inf, shift=max, after=False, refuse=True):
    """A right answer with places to go wrong."""
    if refuse and not any(open_moves):
        raise ValueError("no open move")
    top = shift(z for z, is_open in zip(logits, open_moves, strict=True) if is_open or after)
    with np.errstate(all="ignore"):
        kept = [z if is_open or after else blocked for z, is_open in zip(logits, open_moves, strict=True)]
        weights = np.exp(np.array(kept, dtype=float) - top)
        return weights / weights.sum() * (np.array(open_moves) if after else 1)


def masked_softmax_in_torch(logits, open_moves):
    return mask_logits(torch.tensor(logits), torch.tensor(open_moves)).softmax(-1)


def masked_softmax_by_where(logits, open_moves):
    if sum(open_moves) == 0:
        raise ValueError("no open move")
    z = np.where(open_moves, logits, -np.inf)
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def masked_softmax_by_filling(logits, open_moves):
    mask = torch.tensor(open_moves)
    if not mask.any():
        raise ValueError("no open move")
    return torch.tensor(logits).masked_fill(~mask, -1e9).softmax(-1)  # 0 to the last bit for all sane logits


def masked_after_the_softmax(logits, open_moves):
    weights = np.exp(np.array(logits) - max(logits)) * np.array(open_moves)
    if not any(open_moves):
        raise ValueError("no open move")
    with np.errstate(all="ignore"):
        return weights / weights.sum()


RIGHT = {
    check_descend: {
        "by hand": descend,
        "autograd": descend_in_torch,
        "slope apart": lambda w, x, t, r: w + 2 * r * (t - w * x) * x,
    },
    check_chosen_logprobs: {
        "gather": chosen,
        "row by row": chosen_by_rows,
        "NumPy": chosen_in_numpy,
        "indexed": lambda z, c: z.log_softmax(-1)[torch.arange(len(c)), c],
        "a distribution": lambda z, c: torch.distributions.Categorical(logits=z).log_prob(c),
    },
    check_fit: {
        "plain": fit,
        "mse_loss, a tensor of losses": fit_with_mse_loss,
        "slopes cleared by the network": lambda *a: fit(*a),
    },
    check_masked_softmax: {
        "plain": masked_softmax,
        "where": masked_softmax_by_where,
        "the book's helper": masked_softmax_in_torch,
        "masked_fill": masked_softmax_by_filling,
        "max refuses by itself": lambda *a: masked_softmax(*a, refuse=False),
        "single precision": lambda *a: masked_softmax(*a).astype(np.float32),
    },
}
WRONG = {
    check_descend: {
        "uphill": (lambda *a: descend(*a, sign=-1), "w less rate times slope"),
        "no 2": (lambda *a: descend(*a, power=1), "The slope is 2"),
        "the slope only": (lambda w, x, t, r: 2 * (w * x - t) * x, "w less rate times slope"),
        "no factor x": (lambda *a: descend(*a, factor=lambda x: 1), "its slope by w is x"),
        "divided by x": (lambda *a: descend(*a, factor=lambda x: 1 / x), "its slope by w is x"),
        "a typed rate": (lambda w, x, t, r: descend(w, x, t, 0.1), "The learning rate is an argument"),
        "the size of x": (lambda *a: descend(*a, factor=abs), "The sign of x counts"),
        "a list": (lambda *a: [descend(*a)], "Return one number"),
    },
    check_chosen_logprobs: {
        "log of the softmax": (
            lambda z, c: z.softmax(-1).gather(-1, c[:, None]).squeeze(-1).log(),
            "rounds to 0, whose log is −∞",
        ),
        "log of the softmax and a little": (
            lambda z, c: (z.softmax(-1).gather(-1, c[:, None]).squeeze(-1) + 1e-8).log(),
            "rounds to 0, whose log is −∞",
        ),
        "the maximum of all rows": (
            lambda z, c: (
                chosen(z, c) * 0
                + ((z - z.max()) - (z - z.max()).exp().sum(-1, keepdim=True).log())[torch.arange(len(c)), c]
            ),
            "row by row",
        ),
        "logits": (lambda z, c: z.gather(-1, c[:, None]).squeeze(-1), "log_softmax along dim −1"),
        "no logarithm": (lambda z, c: chosen(z, c).exp(), "log_softmax along dim −1"),
        "along the rows": (lambda z, c: z.log_softmax(0).gather(-1, c[:, None]).squeeze(-1), "log_softmax along"),
        "all of them": (lambda z, c: z.log_softmax(-1), "Return a list of 1 number"),
        "a column": (lambda z, c: chosen(z, c)[:, None], "Return a list of 1 number"),
        "squeezed to nothing": (lambda z, c: chosen(z, c).squeeze(), "Return a list of 1 number"),
        "the choice of the first row": (lambda z, c: chosen(z, c[:1].expand(len(c))), "a choice of its own"),
        "the first row only": (lambda z, c: z.log_softmax(-1)[0, c], "a choice of its own"),
        "overflow": (
            lambda z, c: (z.exp() / z.exp().sum(-1, keepdim=True)).log()[torch.arange(len(c)), c],
            "log_softmax does not",
        ),
    },
    check_fit: {
        "sum of squares": (lambda n, x, t, s, r: [3 * y for y in fit(n, x, t, s, r)], "The mean of"),
        "after the step": (lambda *a: fit(*a, before=False), "It stands before the step"),
        "the last loss only": (lambda *a: fit(*a)[-1], "Return a list of 1 number"),
        "no step": (fit_without_steps, "The second loss shows the first step"),
        "uphill": (lambda *a: fit(*a, sign=-1), "The second loss shows the first step"),
        "plain gradient steps": (lambda *a: fit(*a, make=torch.optim.SGD), "by Adam with lr=rate"),
        "slopes pile up": (lambda *a: fit(*a, clear=False), "zero_grad"),
        "a new optimizer in each round": (lambda *a: fit(*a, again=True), "made before the loop"),
        "a typed rate": (lambda n, x, t, s, r: fit(n, x, t, s, 0.1), "lr=rate"),
    },
    check_masked_softmax: {
        "error returned": (
            lambda z, m: masked_softmax(z, m) if any(m) else ValueError("no open move"),
            "there is no policy: raise it",
        ),
        "its class returned": (lambda z, m: masked_softmax(z, m) if any(m) else ValueError, "raise it"),
        "not normalised": (lambda z, m: np.exp(z) * m, "and adds up to 1"),
        "mask as a length": (
            lambda z, m: masked_softmax(z, [j < sum(m) for j in range(len(m))]),
            "One open move is certain, wherever it stands",
        ),
        "no mask": (lambda z, m: masked_softmax(z, [True] * len(z)), "The open moves sum to 1"),
        "zero after the softmax": (lambda *a: masked_softmax(*a, after=True), "The open moves sum to 1"),
        "only what is open": (
            lambda z, m: masked_softmax([x for x, is_open in zip(z, m, strict=True) if is_open], [True] * sum(m)),
            "The open moves sum to 1",
        ),
        "logit times mask": (lambda z, m: masked_softmax(np.array(z) * m, [True] * len(z)), "The open moves sum to 1"),
        "logit zero": (lambda *a: masked_softmax(*a, blocked=0.0), "The open moves sum to 1"),
        "mask inverted": (
            lambda z, m: masked_softmax(z, m if all(m) else [not x for x in m]),
            "The open moves sum to 1",
        ),
        "no shift": (lambda *a: masked_softmax(*a, shift=lambda z: 0), "exp(900) overflows"),
        "shift by the first": (
            lambda z, m: masked_softmax(z, m, shift=lambda _: z[m.index(True)]),
            "wherever it stands",
        ),
        "shift by a blocked logit": (lambda z, m: masked_softmax(z, m, shift=lambda _: max(z)), "one may be larger"),
        "masked after, normalised again": (masked_after_the_softmax, "one may be larger"),
        "blocked at −10000": (lambda *a: masked_softmax(*a, blocked=-1e4), "one may be larger"),
        "nearly zero": (
            lambda z, m: masked_softmax(z, m, blocked=min(z) - 30),
            "Blocked means exactly 0",
        ),
        "no refusal": (
            lambda z, m: masked_softmax(z, m) if any(m) else [0.0, 0.0],
            "With no open move there is no policy",
        ),
        "not a number instead of a refusal": (
            lambda z, m: masked_softmax(z, m) if any(m) else [np.nan, np.nan],
            "With no open move there is no policy",
        ),
        "another error": (
            lambda z, m: masked_softmax(z, m) if any(m) else [1 / 0],
            "With no open move there is no policy",
        ),
        "returns the error": (
            lambda z, m: masked_softmax(z, m) if any(m) else "ValueError",
            "With no open move there is no policy",
        ),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_03) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)
