"""Chapter 2's checks against answers that readers write."""

import math

import numpy as np
import scipy.special
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_02, check_expected_value, check_softmax, check_walk


def softmax(values, temperature, scale=lambda v, t: v / t, shift=np.max, blocked=-np.inf):
    """A right answer with places to go wrong."""
    scaled = scale(np.array(values), temperature)
    scaled = np.where(np.isneginf(scaled), blocked, scaled)
    with np.errstate(all="ignore"):
        weights = np.exp(scaled - shift(scaled))
        return weights / weights.sum()


def softmax_in_python(values, temperature):
    top = max(values)
    weights = [math.exp((v - top) / temperature) for v in values]
    return [w / sum(weights) for w in weights]


def softmax_by_logsumexp(values, temperature):
    scaled = torch.tensor(values) / temperature
    return (scaled - scaled.logsumexp(0)).exp()


def softmax_without_numpy_and_shift(values, temperature):
    weights = [math.exp(v / temperature) for v in values]
    return [w / sum(weights) for w in weights]


def expected(probabilities, values, counts=lambda p, q: p > 0):
    return sum(p * q for p, q in zip(probabilities, values, strict=True) if counts(p, q))


def expected_where_possible(probabilities, values):
    p, q = np.array(probabilities), np.array(values)
    return p[p > 0] @ q[p > 0]


def walk(world, arrows, start, max_moves, first=0.0, extra=0, stop=True, pay=1.0, flag=True):
    """A right answer with places to go wrong."""
    state, total = start, first
    for _ in range(max_moves + extra):
        state, reward, done = world.step(state, arrows[state])
        total += pay * reward
        if done and stop:
            return total, flag
    return total, not flag


def walk_by_recursion(world, arrows, start, max_moves):
    if max_moves == 0:
        return 0, False
    state, reward, done = world.step(start, arrows[start])
    if done:
        return reward, True
    rest, ended = walk_by_recursion(world, arrows, state, max_moves - 1)
    return reward + rest, ended


def walk_while(world, arrows, start, max_moves):
    state, total, done, moves = start, 0, False, 0
    while not done and moves < max_moves:
        state, reward, done = world.step(state, arrows[state])
        total += reward
        moves += 1
    return total, done


def walk_to_the_terminals(world, arrows, start, max_moves):
    state, total = start, 0
    for _ in range(max_moves):
        state, reward, _ = world.step(state, arrows[state])
        total += reward
        if state in world.terminals:
            break
    return np.float32(total), np.bool_(state in world.terminals)


def walk_that_looks_three_times(world, arrows, start, max_moves):
    state, total = start, 0
    for _ in range(max_moves):
        here = (state, arrows[state])
        total += world.step(*here)[1]
        state, done = world.step(*here)[0], world.step(*here)[2]
        if done:
            return total, True
    return total, False


def walk_for_ever(world, arrows, start, max_moves):
    state, total, done = start, 0.0, False
    while not done:
        state, reward, done = world.step(state, arrows[state])
        total += reward
    return total, True


def walk_that_forgets_to_count(world, arrows, start, max_moves):
    state, total, done, moves = start, 0.0, False, 0
    while moves < max_moves and not done:
        state, reward, done = world.step(state, arrows[state])
        total += reward
    return total, done


def walk_that_moves_before_it_looks(world, arrows, start, max_moves):
    state, total, moves = start, 0.0, 0
    while True:
        state, reward, done = world.step(state, arrows[state])
        total, moves = total + reward, moves + 1
        if done or moves >= max_moves:
            return total, done


def walk_that_stops_where_it_has_been(world, arrows, start, max_moves):
    state, total, seen = start, 0.0, set()
    for _ in range(max_moves):
        if state in seen:
            break
        seen.add(state)
        state, reward, done = world.step(state, arrows[state])
        total += reward
        if done:
            return total, True
    return total, False


def walk_without_a_last_return(world, arrows, start, max_moves):
    state, total = start, 0.0
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[state])
        total += reward
        if done:
            return total, True


def walk_stays_at_the_first_arrow(world, arrows, start, max_moves):
    state, total = start, 0.0
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[start])
        total += reward
        if done:
            return total, True
    return total, False


def walk_keeps_the_last_reward(world, arrows, start, max_moves):
    state, reward, done = start, 0.0, False
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[state])
        if done:
            break
    return reward, done


def expected_of_finite_values(probabilities, values):
    """Zips what is left of the one with all of the other."""
    finite = [value for value in values if value > -np.inf]
    return sum(p * q for p, q in zip(probabilities, finite, strict=False))


def expected_up_to_the_first_blocked(probabilities, values):
    total = 0.0
    for p, q in zip(probabilities, values, strict=True):
        if q == -np.inf:
            break
        total += p * q
    return total


RIGHT = {
    check_softmax: {
        "NumPy": softmax,
        "plain": softmax_in_python,
        "SciPy": lambda v, t: scipy.special.softmax(np.array(v) / t),
        "torch": lambda v, t: (torch.tensor(v) / t).softmax(0),
        "by logsumexp": softmax_by_logsumexp,
        "shifted before it is scaled": lambda v, t: softmax(np.array(v) - max(v), t),
        "single precision": lambda v, t: softmax(v, t).astype(np.float32),
    },
    check_expected_value: {
        "plain": expected,
        "without what is blocked": lambda p, q: expected(p, q, counts=lambda p, q: q > -np.inf),
        "nansum": lambda p, q: np.nansum([a * b if a else math.nan for a, b in zip(p, q, strict=True)]),
        "NumPy": expected_where_possible,
        "torch": lambda p, q: (torch.tensor(p) * torch.tensor(q)).nansum(),
        "matrix product": lambda p, q: torch.tensor(p) @ torch.tensor(q).clamp(min=-99),
    },
    check_walk: {
        "plain": walk,
        "while": walk_while,
        "recursion": walk_by_recursion,
        "terminals": walk_to_the_terminals,
        "looks three times": walk_that_looks_three_times,
    },
}
WRONG = {
    check_softmax: {
        "not normalised": (lambda v, t: np.exp(np.array(v) / t), "divided by the sum"),
        "linear": (lambda v, t: np.array(v) / np.sum(v), "exp of each value"),
        "argmax": (lambda v, t: (np.array(v) == np.max(v)).astype(float), "exp of each value"),
        "logarithms": (lambda v, t: np.log(softmax(v, t)), "exp of each value"),
        "sign": (
            lambda v, t: softmax(v, t, scale=lambda v, t: np.where(np.isinf(v), v, -v / t)),
            "exp of each value",
        ),
        "a list too long": (lambda v, t: [*softmax(v, t), 0.0], "exp of each value"),
        "generator": (lambda v, t: (p for p in softmax(v, t)), "put list(…) around"),
        "multiplied by temperature": (lambda v, t: softmax(v, t, scale=lambda v, t: v * t), "Divide the values by"),
        "temperature ignored": (lambda v, t: softmax(v, 1), "Divide the values by"),
        "temperature outside": (lambda v, t: softmax(v, 1) / t, "Divide the values by"),
        "blocked at zero": (lambda v, t: softmax(v, t, blocked=0.0), "A blocked move has probability 0"),
        "blocked left out": (
            lambda v, t: softmax([x for x in v if x > -np.inf], t),
            "A blocked move has probability 0",
        ),
        "no shift": (lambda v, t: softmax(v, t, shift=lambda v: 0), "subtract the largest value before exp"),
        "no shift, math": (softmax_without_numpy_and_shift, "subtract the largest value before exp"),
        "first subtracted": (lambda v, t: softmax(v, t, shift=lambda v: v[0]), "wherever it stands"),
        "mean subtracted": (lambda v, t: softmax(v, t, shift=np.mean), "−inf less −inf is NaN"),
        "smallest subtracted": (lambda v, t: softmax(v, t, shift=np.min), "−inf less −inf is NaN"),
        "largest size subtracted": (
            lambda v, t: softmax(v, t, shift=lambda v: np.abs(v[np.isfinite(v)]).max()),
            "subtract the largest value first",
        ),
        "largest subtracted before the temperature": (
            lambda v, t: softmax(v, t, shift=lambda scaled: max(v)),
            "subtract the largest value before exp",
        ),
        "blocked at −100": (lambda v, t: softmax(v, t, blocked=-100.0), "not a large negative number"),
        "blocked at −1000": (lambda v, t: softmax(v, t, blocked=-1000.0), "not a large negative number"),
    },
    check_expected_value: {
        "blocked values dropped alone": (expected_of_finite_values, "who stays keeps its own"),
        "ends at the first blocked": (expected_up_to_the_first_blocked, "Leave out the pair"),
        "max instead of mean": (lambda p, q: max(q), "not the best"),
        "plain mean": (lambda p, q: sum(q) / len(q), "A certain move: its own value"),
        "likeliest move": (lambda p, q: q[int(np.argmax(p))], "the plain mean"),
        "divided by the number of moves": (lambda p, q: expected(p, q) / len(p), "the plain mean"),
        "best of the possible": (lambda p, q: max(b for a, b in zip(p, q, strict=True) if a > 0), "not the best"),
        "sum": (lambda p, q: expected([1.0] * 4, q), "the plain mean"),
        "sign": (lambda p, q: -expected(p, q), "the plain mean"),
        "bad moves left out": (lambda p, q: expected(p, q, counts=lambda p, q: q > 0), "Weigh each value"),
        "one product per move": (lambda p, q: [a * b for a, b in zip(p, q, strict=True)], "Return one number"),
        "not a number at blocked moves": (lambda p, q: expected(p, q, counts=lambda p, q: True), "0 · −inf is NaN"),
        "not a number, NumPy": (lambda p, q: np.dot(p, q), "0 · −inf is NaN"),
    },
    check_walk: {
        "no flag": (lambda *a: walk(*a)[0], "Return 2 things as a tuple"),
        "a list": (lambda *a: list(walk(*a)), "Return 2 things as a tuple"),
        "one point too many": (lambda *a: (walk(*a)[0] + 1, walk(*a)[1]), "One move: the prize of the end"),
        "cost taken twice": (lambda w, a, s, m: walk(w, a, s, m, first=-w.move_cost), "less one cost"),
        "sign": (lambda *a: walk(*a, pay=-1.0), "One move: the prize of the end"),
        "ended inverted": (lambda *a: walk(*a, flag=False), "One move: the prize of the end"),
        "swapped": (lambda *a: walk(*a)[::-1], "One move: the prize of the end"),
        "goes on after the end": (lambda *a: walk(*a, stop=False), "One move: the prize of the end"),
        "last reward only": (walk_keeps_the_last_reward, "Add up the rewards of all moves"),
        "one move too few": (lambda *a: walk(*a, extra=-1), "may be the last one allowed"),
        "one move too many": (lambda *a: walk(*a, extra=1), "Stop after max_moves moves"),
        "nothing comes back at the limit": (walk_without_a_last_return, "must end with return"),
        "no limit": (walk_for_ever, "Stop after max_moves moves"),
        "moves are not counted": (walk_that_forgets_to_count, "Stop after max_moves moves"),
        "only money ends it": (lambda *a: (walk(*a)[0], walk(*a)[0] > 0), "The dragon ends the walk too"),
        "arrow of the start": (walk_stays_at_the_first_arrow, "Look the arrow up in every cell"),
        "stops where it has been": (walk_that_stops_where_it_has_been, "only the limit stops the walk"),
        "moves before it looks": (walk_that_moves_before_it_looks, "Look at the limit before the move"),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_02) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    with np.errstate(all="ignore"):
        assert_is_told(check, answer, hint)
