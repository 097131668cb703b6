"""Chapter 4's checks against answers that readers write."""

import math

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_04, check_learn, check_push, check_returns, check_td_errors
from ppo_helpers.experience import discounted_returns


def returns(rewards, gamma, start=0.0):
    result, following = [], start
    for reward in reversed(rewards):
        following = reward + gamma * following
        result.insert(0, following)
    return result


def returns_by_powers(rewards, gamma):
    return [sum(gamma**k * r for k, r in enumerate(rewards[t:])) for t in range(len(rewards))]


def returns_in_numpy(rewards, gamma):
    result, following = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        result[t] = following = rewards[t] + gamma * following
    return result


def returns_in_place(rewards, gamma):
    for t in range(len(rewards) - 2, -1, -1):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


def returns_of_the_package(rewards, gamma):
    done = torch.zeros(1, len(rewards), dtype=torch.bool)
    done[:, -1] = True
    return discounted_returns(torch.tensor([rewards]), done, gamma)[0]


def returns_by_powers_of_the_time(rewards, gamma):
    """γ counts from the beginning of the walk, not from the step."""
    return [sum(gamma**k * r for k, r in enumerate(rewards) if k >= t) for t in range(len(rewards))]


def td_errors(rewards, values, final_value, arrived, gamma, sign=1, end=None):
    """A right answer with places to go wrong."""
    after = [*values[1:], end if end is not None else 0 if arrived else final_value]
    return [r + gamma * n - sign * v for r, v, n in zip(rewards, values, after, strict=True)]


def td_errors_in_numpy(rewards, values, final_value, arrived, gamma):
    following = np.append(values[1:], (not arrived) * final_value)
    return np.array(rewards) + gamma * following - np.array(values)


def td_errors_in_torch(rewards, values, final_value, arrived, gamma):
    r, v = torch.tensor(rewards), torch.tensor(values)
    following = torch.cat([v[1:], torch.tensor([0.0 if arrived else final_value])])
    return r + gamma * following - v


def td_errors_one_by_one(rewards, values, final_value, arrived, gamma):
    errors = []
    for t in range(len(rewards)):
        if t < len(rewards) - 1:
            errors.append(rewards[t] + gamma * values[t + 1] - values[t])
        elif arrived:
            errors.append(rewards[t] - values[t])
        else:
            errors.append(rewards[t] + gamma * final_value - values[t])
    return errors


def td_errors_with_powers(rewards, values, final_value, arrived, gamma):
    after = [*values[1:], 0 if arrived else final_value]
    return [r + gamma ** (t + 1) * n - v for t, (r, v, n) in enumerate(zip(rewards, values, after, strict=True))]


def push(probabilities, action, gain):
    return [gain * ((j == action) - p) for j, p in enumerate(probabilities)]


def push_by_autograd(probabilities, action, gain):
    logits = torch.tensor(probabilities).log().requires_grad_()
    (gain * logits.log_softmax(0)[action]).backward()
    return logits.grad


def push_in_place(probabilities, action, gain):
    probabilities[action] -= 1
    return -gain * np.array(probabilities)


def learn(logits, values, walk, rate, probabilities=None, gain_of=None, at_once=False, start=0.0):
    """A right answer with places to go wrong."""
    new_logits, new_values = [list(row) for row in logits], list(values)
    if at_once:  # what was learned from a step is used in the next
        logits, values = new_logits, new_values
    gains, earned = {}, start
    for t, (_, _, reward) in reversed(list(enumerate(walk))):
        earned += reward
        gains[t] = earned
    for t, (state, action, reward) in enumerate(walk):
        gain = gain_of(gains[t], values[state], reward, gains[0]) if gain_of else gains[t] - values[state]
        weights = [math.exp(z) for z in logits[state]]
        pi = probabilities(logits[state]) if probabilities else [w / sum(weights) for w in weights]
        for j, p in enumerate(pi):
            new_logits[state][j] += rate * gain * ((j == action) - p)
        new_values[state] += rate * gain
    return new_logits, new_values


def learn_in_numpy(logits, values, walk, rate):
    z, v = np.array(logits), np.array(values)
    new_z, new_v = z.copy(), v.copy()
    for t, (s, a, _) in enumerate(walk):
        gain = sum(reward for _, _, reward in walk[t:]) - v[s]
        weights = np.exp(z[s] - z[s].max())
        new_z[s] += rate * gain * (np.eye(4)[a] - weights / weights.sum())
        new_v[s] += rate * gain
    return new_z, new_v


def learn_by_autograd(logits, values, walk, rate):
    z, v = torch.tensor(logits, dtype=torch.double, requires_grad=True), torch.tensor(values, dtype=torch.double)
    gains = [sum(r for _, _, r in walk[t:]) - values[s] for t, (s, _, _) in enumerate(walk)]
    sum(g * z[s].log_softmax(0)[a] for g, (s, a, _) in zip(gains, walk, strict=True)).backward()
    for g, (s, _, _) in zip(gains, walk, strict=True):
        v[s] += rate * g
    return torch.where(torch.isinf(z), z, z + rate * z.grad), v


def learned(**changes):
    return lambda *args: learn(*args, **changes)


def learn_after_working_all_out(logits, values, walk, rate):
    """In place, but only when every change is known."""
    earned, changes = 0.0, []
    for state, action, reward in reversed(walk):
        earned += reward
        gain, weights = earned - values[state], [math.exp(z) for z in logits[state]]
        changes.append((state, gain, [gain * ((j == action) - w / sum(weights)) for j, w in enumerate(weights)]))
    for state, gain, push in changes:
        for j in range(4):
            logits[state][j] += rate * push[j]
        values[state] += rate * gain
    return logits, values


RIGHT = {
    check_returns: {
        "plain": returns,
        "powers": returns_by_powers,
        "NumPy, in the kind of the rewards": returns_in_numpy,
        "the book's helper": returns_of_the_package,
        "in place": returns_in_place,
    },
    check_td_errors: {
        "plain": td_errors,
        "one by one": td_errors_one_by_one,
        "NumPy": td_errors_in_numpy,
        "torch": td_errors_in_torch,
    },
    check_push: {
        "plain": push,
        "NumPy": lambda p, a, g: g * (np.eye(len(p))[a] - p),
        "autograd": push_by_autograd,
        "changes its input": push_in_place,
        "torch": lambda p, a, g: g * (torch.nn.functional.one_hot(torch.tensor(a), len(p)).float() - torch.tensor(p)),
    },
}
RIGHT[check_learn] = {
    "plain": learn,
    "worked out, then in place": learn_after_working_all_out,
    "NumPy": learn_in_numpy,
    "autograd": learn_by_autograd,
}
WRONG = {
    check_returns: {
        "from the front": (lambda r, g: returns(r[::-1], g)[::-1], "Go backwards"),
        "reversed": (lambda r, g: returns(r, g)[::-1], "Go backwards"),
        "the last one first": (lambda r, g: list(reversed(returns(r, g))), "Go backwards"),
        "a reversed iterator": (lambda r, g: reversed(returns(r, g)), "put list(…) around"),
        "total": (lambda r, g: returns(r, g)[0], "Return a list of 3 numbers"),
        "without the reward of now": (lambda r, g: [*returns(r, g)[1:], 0], "the last return is the last reward"),
        "one step only": (lambda r, g: [a + g * b for a, b in zip(r, [*r[1:], 0], strict=True)], "Go backwards"),
        "one too many": (lambda r, g: [*returns(r, g), 0.0], "the last return is the last reward"),
        "no discount": (lambda r, g: returns(r, 1.0), "γ shrinks the return that follows"),
        "reward discounted": (lambda r, g: [g * x for x in returns(r, g)], "not the reward of now"),
        "powers of the time": (returns_by_powers_of_the_time, "γ shrinks the return that follows"),
        "one discount for all": (
            lambda r, g: [x + g * sum(r[t + 1 :]) for t, x in enumerate(r)],
            "γ to the power k",
        ),
    },
    check_td_errors: {
        "always the final value": (lambda *a: td_errors(*a, end=a[2]), "After arriving nothing follows"),
        "never the final value": (lambda *a: td_errors(*a, end=0), "the rest is worth final_value"),
        "arrived inverted": (lambda r, v, f, d, g: td_errors(r, v, f, not d, g), "After arriving nothing follows"),
        "sign": (lambda *a: [-x for x in td_errors(*a)], "After arriving nothing follows"),
        "value added": (lambda *a: td_errors(*a, sign=-1), "After arriving nothing follows"),
        "no baseline": (lambda *a: td_errors(*a, sign=0), "After arriving nothing follows"),
        "without the last step": (lambda *a: td_errors(*a)[:-1], "After arriving nothing follows"),
        "sum": (lambda *a: sum(td_errors(*a)), "Return a list of 3 numbers"),
        "no discount": (lambda r, v, f, d, g: td_errors(r, v, f, d, 1.0), "γ multiplies the value that follows"),
        "value of now discounted": (
            lambda r, v, f, d, g: [x - (g - 1) * y for x, y in zip(td_errors(r, v, f, d, g), v, strict=True)],
            "only that",
        ),
        "all of it discounted": (lambda *a: [a[-1] * x for x in td_errors(*a)], "only that"),
        "final value not discounted": (
            lambda r, v, f, d, g: td_errors(r, v, f / g, d, g),
            "γ also multiplies final_value",
        ),
        "powers of the discount": (td_errors_with_powers, "not a power of it"),
        "returns": (
            lambda r, v, f, d, g: [x - y for x, y in zip(returns(r, g, 0 if d else f), v, strict=True)],
            "After arriving nothing follows",
        ),
    },
    check_push: {
        "sign": (lambda *a: [-x for x in push(*a)], "1 − π for the action taken"),
        "only the action": (lambda p, a, g: [g * (1 - x) * (j == a) for j, x in enumerate(p)], "−π for the others"),
        "only downwards": (lambda p, a, g: [-g * x for x in p], "1 − π for the action taken"),
        "gradient of the probability": (lambda p, a, g: [p[a] * x for x in push(p, a, g)], "1 − π for the action"),
        "one over the probability": (lambda p, a, g: [g / p[a] * (j == a) for j in range(len(p))], "1 − π for"),
        "of the action's logit": (lambda p, a, g: push(p, a, g)[a], "Return a list of 4 numbers"),
        "no gain": (lambda p, a, g: push(p, a, 1.0), "multiplied by the gain"),
        "the others share alike": (
            lambda p, a, g: [g * (1 - p[a]) * (1 if j == a else -1 / (len(p) - 1)) for j in range(len(p))],
            "All of it is multiplied by the gain",
        ),
        "size of the gain": (lambda p, a, g: push(p, a, abs(g)), "A negative gain pushes the action down"),
        "direction only": (lambda p, a, g: push(p, a, np.sign(g)), "multiplied by the gain"),
    },
}
WRONG[check_learn] = {
    "downhill": (lambda z, v, w, r: learn(z, v, w, -r), "One move: gain 4"),
    "no rate": (lambda z, v, w, r: learn(z, v, w, 1.0), "One move: gain 4"),
    "values as they were": (lambda z, v, w, r: (learn(z, v, w, r)[0], v), "One move: gain 4"),
    "only the logits": (lambda *a: learn(*a)[0], "Return 2 things as a tuple"),
    "only the logit of the move": (learned(probabilities=lambda row: np.zeros(4)), "One move: gain 4"),
    "the reward alone": (learned(gain_of=lambda R, v, r, all_: r - v), "what came from step t on"),
    "all that was earned": (learned(gain_of=lambda R, v, r, all_: all_ - v), "what came from step t on"),
    "the return itself": (learned(gain_of=lambda R, v, r, all_: R), "the return less the value"),
    "value plus return": (learned(gain_of=lambda R, v, r, all_: R + v), "the return less the value"),
    "all moves alike": (learned(probabilities=lambda row: np.full(4, 0.25)), "softmax of the logits"),
    "softmax of other states too": (
        lambda z, v, w, r: learn(z, v, w, r, probabilities=lambda row: np.exp(row) / np.exp(z).sum() * len(z)),
        "A logit of −∞ stays −∞",
    ),
    "e to what it is not": (
        lambda z, v, w, r: learn([[max(x, -1e9) for x in row] for row in z], v, w, r),
        "stays −∞",
    ),
    "used at once": (learned(at_once=True), "from before the walk"),
    "backwards and at once": (
        lambda z, v, w, r: _one_after_the_other(z, v, w, r),
        "from before the walk",
    ),
}


def _one_after_the_other(logits, values, walk, rate):
    returns_now = [sum(r for _, _, r in walk[t:]) for t in range(len(walk))]
    for t in reversed(range(len(walk))):
        state, action, _ = walk[t]
        logits, values = learn(logits, values, [(state, action, returns_now[t])], rate)
    return logits, values


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_04) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)
