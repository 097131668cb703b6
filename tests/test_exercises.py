"""The checks: right answers pass, stubs are friendly, and plausible wrong answers fail with a hint."""

import math
from collections import deque

import numpy as np
import pytest
import torch

from ppo_helpers import exercises
from ppo_helpers.exercises import Case, check

# --- plausible wrong answers, by check ------------------------------------------------------------------------------


def longest_way(neighbours, goal, start=0, farthest=max):
    """A right answer with places to go wrong."""
    distance, queue = {goal: start}, deque([goal])
    while queue:
        cell = queue.popleft()
        for place in neighbours[cell]:
            if place not in distance:
                distance[place] = distance[cell] + 1
                queue.append(place)
    return farthest(distance.values())


def depth_first(neighbours, goal, seen=None):
    seen = {goal} if seen is None else seen
    depth = 0
    for place in neighbours[goal]:
        if place not in seen:
            seen.add(place)
            depth = max(depth, 1 + depth_first(neighbours, place, seen))
    return depth


def search_without_memory(neighbours, goal):
    queue, moves = deque([(goal, 0)]), 0
    while queue:
        cell, moves = queue.popleft()
        queue += [(place, moves + 1) for place in neighbours[cell]]
    return moves


def softmax(values, temperature, scale=lambda v, t: v / t, shift=True, blocked=-np.inf):
    scaled = scale(np.array(values), temperature)
    scaled = np.where(np.isneginf(scaled), blocked, scaled)
    with np.errstate(all="ignore"):
        weights = np.exp(scaled - (scaled.max() if shift else 0))
        return weights / weights.sum()


def expected(probabilities, values):
    return sum(p * q for p, q in zip(probabilities, values, strict=True) if p > 0)


def walk(world, arrows, start, max_moves, first=0.0, extra=0, stop=True, pay=1.0, flag=True):
    state, total = start, first
    for _ in range(max_moves + extra):
        state, reward, done = world.step(state, arrows[state])
        total += pay * reward
        if done and stop:
            return total, flag
    return total, not flag


def walk_for_ever(world, arrows, start, max_moves):
    state, total, done = start, 0.0, False
    while not done:
        state, reward, done = world.step(state, arrows[state])
        total += reward
    return total, True


def walk_stays_at_the_first_arrow(world, arrows, start, max_moves):
    state, total = start, 0.0
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[start])
        total += reward
        if done:
            return total, True
    return total, False


def walk_gives_up_before_the_last_move(world, arrows, start, max_moves):
    return walk(world, arrows, start, max_moves, extra=-1)


def bellman(rewards, values, done, gamma, best=max, now=lambda r, g: r, later=lambda v, d, g: 0 if d else g * v):
    return best(now(r, gamma) + later(v, d, gamma) for r, v, d in zip(rewards, values, done, strict=True))


def unseen(predicted, true, visited, keep=lambda seen: not seen, power=2, root=0.5, over=None):
    errors = [abs(p - t) ** power for p, t, seen in zip(predicted, true, visited, strict=True) if keep(seen)]
    return (sum(errors) / (over or len(errors))) ** root


def masked_softmax(logits, open_moves, blocked=-np.inf, shift=max, after=False, refuse=True):
    if refuse and not any(open_moves):
        raise ValueError("no open move")
    top = shift(z for z, is_open in zip(logits, open_moves, strict=True) if is_open or after)
    with np.errstate(all="ignore"):
        kept = [z if is_open or after else blocked for z, is_open in zip(logits, open_moves, strict=True)]
        weights = np.exp(np.array(kept, dtype=float) - top)
        return weights / weights.sum() * (np.array(open_moves) if after else 1)


def to_xy(row, col, height, width):
    return tuple(2 * i / (n - 1) - 1 if n > 1 else 0 for i, n in ((col, width), (row, height)))


def returns(rewards, gamma, start=0.0):
    result, following = [], start
    for reward in reversed(rewards):
        following = reward + gamma * following
        result.insert(0, following)
    return result


def td_errors(rewards, values, final_value, arrived, gamma, sign=1, end=None):
    after = [*values[1:], end if end is not None else 0 if arrived else final_value]
    return [r + gamma * n - sign * v for r, v, n in zip(rewards, values, after, strict=True)]


def push(probabilities, action, gain):
    return [gain * ((j == action) - p) for j, p in enumerate(probabilities)]


def weighted_mean(payouts, old, new):
    return sum(x * n / o for x, o, n in zip(payouts, old, new, strict=True)) / len(payouts)


def ratios(logprobs, old):
    return [np.exp(n - o) for n, o in zip(logprobs, old, strict=True)]


def effective_samples(weights):
    return sum(weights) ** 2 / sum(w * w for w in weights)


def clipped(ratio, advantage, eps, inner=min, outer=min):
    return outer(ratio * advantage, max(1 - eps, inner(ratio, 1 + eps)) * advantage)


def pushes(ratio, advantage, eps):
    return bool((advantage > 0 and ratio < 1 + eps) or (advantage < 0 and ratio > 1 - eps))


def batch_loss(logprobs, old, advantages, eps, one=clipped):
    return -np.mean([one(r, a, eps) for r, a in zip(ratios(logprobs, old), advantages, strict=True)])


def approximate_kl(logprobs, old, sign=1, form=lambda x: np.expm1(x) - x):
    return np.mean([form(sign * (n - o)) for n, o in zip(logprobs, old, strict=True)])


def targets(advantages, values):
    a, v = np.array(advantages), np.array(values)
    return (a - a.mean()) / a.std(), a + v


def repaired_loss(logp, old, a, v, ret, ent, eps, vf, ec, swap=False, best=torch.minimum, sign=-1, square=True, es=-1):
    ratio = (old - logp if swap else logp - old).exp()
    policy = sign * best(ratio * a, ratio.clamp(1 - eps, 1 + eps) * a).mean()
    return policy + vf * ((v - ret) ** (2 if square else 1)).mean() + es * ec * ent.mean()


def text_logprobs(logits, ids):
    return [z[t] - np.logaddexp.reduce(z) for z, t in zip(logits, ids[1:], strict=False)]


def at_temperature(logprobs, temperature):
    scaled = np.array(logprobs) / temperature
    return (scaled - np.logaddexp.reduce(scaled)).tolist()


def of(x, mask):
    return np.array(x)[mask]


def gained(new, old, mask):
    return of(new, mask) - of(old, mask)


def sequence_ratios(new, old, mask):
    return [float(np.exp(gained(new, old, mask).mean())), float(np.exp(gained(new, old, mask).sum()))]


def token_weights(mask):
    return [[real / sum(row) / len(mask) for real in row] for row in mask]


def same_policy(new, old, mask, tolerance):
    return bool((np.abs(np.exp(gained(new, old, mask)) - 1) <= tolerance).all())


WRONG = {
    exercises.check_weighted_mean: {
        "no weights": lambda x, o, n: sum(x) / len(x),
        "upside down": lambda x, o, n: weighted_mean(x, n, o),
        "normalised": lambda x, o, n: weighted_mean(x, o, n) / weighted_mean([1] * len(x), o, n),
        "sum": lambda x, o, n: weighted_mean(x, o, n) * len(x),
        "new probabilities as weights": lambda x, o, n: sum(a * b for a, b in zip(x, n, strict=True)),
    },
    exercises.check_ratios: {
        "upside down": lambda n, o: ratios(o, n),
        "of the logarithms": lambda n, o: [a / b for a, b in zip(n, o, strict=True)],
        "difference": lambda n, o: [a - b for a, b in zip(n, o, strict=True)],
        "division of exponentials": lambda n, o: [
            np.float64(np.exp(a)) / np.float64(np.exp(b)) for a, b in zip(n, o, strict=True)
        ],
        "sum": lambda n, o: sum(ratios(n, o)),
    },
    exercises.check_effective_samples: {
        "number of samples": lambda w: float(len(w)),
        "sum": lambda w: sum(w),
        "upside down": lambda w: 1 / effective_samples(w),
        "no square": lambda w: sum(w) / sum(x * x for x in w),
        "share": lambda w: effective_samples(w) / len(w),
    },
    exercises.check_clipped: {
        "no clip": lambda r, a, e: r * a,
        "clip only": lambda r, a, e: max(1 - e, min(r, 1 + e)) * a,
        "maximum": lambda r, a, e: clipped(r, a, e, outer=max),
        "maximum for negative advantages": lambda r, a, e: clipped(r, a, e, outer=max if a < 0 else min),
        "fixed band": lambda r, a, e: clipped(r, a, 0.2),
        "zero outside": lambda r, a, e: r * a if abs(r - 1) <= e else 0.0,
        "upper edge only": lambda r, a, e: min(r * a, min(r, 1 + e) * a),
    },
    exercises.check_pushes: {
        "inside the band only": lambda r, a, e: abs(r - 1) < e,
        "always": lambda r, a, e: True,
        "sign ignored": lambda r, a, e: r < 1 + e,
        "inverted": lambda r, a, e: not pushes(r, a, e),
        "fixed band": lambda r, a, e: pushes(r, a, 0.2),
        "no advantage pushes": lambda r, a, e: pushes(r, a, e) or a == 0,
    },
    exercises.check_batch_loss: {
        "minimum of the means": lambda n, o, a, e: (
            -min(np.mean(ratios(n, o) * np.array(a)), np.mean(np.clip(ratios(n, o), 1 - e, 1 + e) * np.array(a)))
        ),
        "sign": lambda *a: -batch_loss(*a),
        "sum": lambda n, o, a, e: batch_loss(n, o, a, e) * len(n),
        "no clip": lambda n, o, a, e: batch_loss(n, o, a, e, one=lambda r, x, e: r * x),
        "clip only": lambda n, o, a, e: batch_loss(n, o, a, e, one=lambda r, x, e: min(max(r, 1 - e), 1 + e) * x),
        "minimum of the losses": lambda n, o, a, e: batch_loss(
            n, o, a, e, one=lambda r, x, e: clipped(r, x, e, outer=max)
        ),
        "upside down": lambda n, o, a, e: batch_loss(o, n, a, e),
        "fixed band": lambda n, o, a, e: batch_loss(n, o, a, 0.2),
    },
    exercises.check_approximate_kl: {
        "reversed": lambda n, o: approximate_kl(n, o, sign=-1),
        "k1": lambda n, o: approximate_kl(n, o, form=lambda x: -x),
        "k2": lambda n, o: approximate_kl(n, o, form=lambda x: x * x / 2),
        "sum": lambda n, o: approximate_kl(n, o) * len(n),
        "one forgotten": lambda n, o: approximate_kl(n, o, form=lambda x: np.exp(x) - x),
    },
    exercises.check_targets: {
        "returns from whitened advantages": lambda a, v: (targets(a, v)[0], targets(a, v)[0] + np.array(v)),
        "not whitened": lambda a, v: (a, targets(a, v)[1]),
        "mean not removed": lambda a, v: (np.array(a) / np.std(a), targets(a, v)[1]),
        "mean added back": lambda a, v: (targets(a, v)[0] + np.mean(a), targets(a, v)[1]),
        "standard deviation over n − 1": lambda a, v: (
            (np.array(a) - np.mean(a)) / np.std(a, ddof=1),
            targets(a, v)[1],
        ),
        "variance": lambda a, v: ((np.array(a) - np.mean(a)) / np.var(a), targets(a, v)[1]),
        "swapped": lambda a, v: targets(a, v)[::-1],
        "returns are values": lambda a, v: (targets(a, v)[0], v),
    },
    exercises.check_repaired_loss: {
        "minimum of the means": lambda *a: repaired_loss(*a, best=lambda x, y: torch.minimum(x.mean(), y.mean())),
        "log-probs detached": lambda logp, *rest: repaired_loss(logp.detach(), *rest),
        "values detached": lambda x, o, a, values, *rest: repaired_loss(x, o, a, values.detach(), *rest),
        "all detached": lambda *a: repaired_loss(*a).detach(),
        "a number": lambda *a: repaired_loss(*a).item(),
        "as it was": lambda *a: repaired_loss(*a, swap=True, best=torch.maximum, square=False, es=1),
        "ratio upside down": lambda *a: repaired_loss(*a, swap=True),
        "maximum": lambda *a: repaired_loss(*a, best=torch.maximum),
        "sign": lambda *a: repaired_loss(*a, sign=1),
        "gain as loss": lambda *a: repaired_loss(*a, square=False),
        "entropy punished": lambda *a: repaired_loss(*a, es=1),
        "no entropy": lambda *a: repaired_loss(*a, es=0),
        "clip only": lambda *a: repaired_loss(*a, best=lambda x, y: y),
    },
    exercises.check_optimizer_steps: {
        "rounded down": lambda w, s, k, m: k * max(w * s // m, 0),
        "one more": lambda w, s, k, m: k * (w * s // m + 1),
        "no epochs": lambda w, s, k, m: -(-w * s // m),
        "rows": lambda w, s, k, m: k * w * s,
        "epochs in one": lambda w, s, k, m: -(-w * s * k // m),
        "walks only": lambda w, s, k, m: k * -(-w // m),
    },
    exercises.check_cell_value: {
        "cost added": lambda n, c: max(n) + c,
        "no cost": lambda n, c: max(n),
        "worst neighbour": lambda n, c: min(n) - c,
        "mean of the neighbours": lambda n, c: sum(n) / len(n) - c,
        "cost always 1": lambda n, c: max(n) - 1,
        "first neighbour": lambda n, c: n[0] - c,
        "never below zero": lambda n, c: max(0, max(n)) - c,
        "the arguments swapped": lambda n, c: c - max(n),
        "text": lambda n, c: "3",
    },
    exercises.check_longest_way: {
        "no memory of cells": search_without_memory,
        "cells, not moves": lambda n, g: longest_way(n, g, start=1),
        "one too few": lambda n, g: longest_way(n, g, start=-1),
        "nearest": lambda n, g: longest_way(n, g, farthest=min),
        "number of cells": lambda n, g: len(n) - 1,
        "cells that reach the goal": lambda n, g: longest_way(n, g, farthest=len) - 1,
        "depth first": depth_first,
        "one branch": lambda n, g: longest_way(
            {cell: [p for p in n[cell] if p != g][:1] if cell != g else n[cell] for cell in n}, g
        ),
        "islands counted": lambda n, g: max(longest_way(n, g), longest_way(n, "x") if "x" in n else 0),
        "mean": lambda n, g: longest_way(n, g, farthest=lambda d: sum(d) / len(d)),
    },
    exercises.check_bellman: {
        "mean instead of max": lambda *a: bellman(*a, best=lambda x: np.mean(list(x))),
        "min instead of max": lambda *a: bellman(*a, best=min),
        "sum instead of max": lambda *a: bellman(*a, best=sum),
        "terminal ignored": lambda *a: bellman(*a, later=lambda v, d, g: g * v),
        "done inverted": lambda *a: bellman(*a, later=lambda v, d, g: g * v if d else 0),
        "reward discounted": lambda *a: bellman(*a, now=lambda r, g: g * r),
        "no discount": lambda *a: bellman(*a, later=lambda v, d, g: 0 if d else v),
        "reward subtracted": lambda *a: bellman(*a, now=lambda r, g: -r),
        "no reward": lambda *a: bellman(*a, now=lambda r, g: 0),
        "greedy for what follows": lambda r, v, d, g: (
            r[int(np.argmax(v))] + g * v[int(np.argmax(v))] * (not d[int(np.argmax(v))])
        ),
        "an end wins": lambda r, v, d, g: (
            next((a for a, b in zip(r, d, strict=True) if b), None) or bellman(r, v, d, g)
        ),
        "greedy for the reward": lambda r, v, d, g: (
            r[int(np.argmax(r))] + (0 if d[int(np.argmax(r))] else g * v[int(np.argmax(r))])
        ),
    },
    exercises.check_softmax: {
        "blocked at −100": lambda v, t: softmax(v, t, blocked=-100.0),
        "multiplied by temperature": lambda v, t: softmax(v, t, scale=lambda v, t: v * t),
        "temperature ignored": lambda v, t: softmax(v, t, scale=lambda v, t: v),
        "temperature outside": lambda v, t: softmax(v, 1) / t,
        "first subtracted": lambda v, t: softmax(v - np.float64(v[0]), t, shift=False),
        "no shift": lambda v, t: softmax(v, t, shift=False),
        "sign": lambda v, t: softmax(v, t, scale=lambda v, t: np.where(np.isinf(v), v, -v / t)),
        "blocked at zero": lambda v, t: softmax(v, t, blocked=0.0),
        "not normalised": lambda v, t: np.exp(np.array(v) / t),
        "linear": lambda v, t: np.array(v) / np.sum(v),
        "argmax": lambda v, t: (np.array(v) == np.max(v)).astype(float),
        "a list too long": lambda v, t: [*softmax(v, t), 0.0],
    },
    exercises.check_expected_value: {
        "max instead of mean": lambda p, q: max(q),
        "plain mean": lambda p, q: sum(q) / len(q),
        "likeliest move": lambda p, q: q[int(np.argmax(p))],
        "not a number at blocked moves": lambda p, q: sum(a * b for a, b in zip(p, q, strict=True)),
        "best of the possible": lambda p, q: max(b for a, b in zip(p, q, strict=True) if a > 0),
        "sum": lambda p, q: sum(b for a, b in zip(p, q, strict=True) if a > 0),
        "sign": lambda p, q: -expected(p, q),
    },
    exercises.check_walk: {
        "no limit": walk_for_ever,
        "one move too many": lambda *a: walk(*a, extra=1),
        "one move too few": walk_gives_up_before_the_last_move,
        "only money ends it": lambda *a: (walk(*a)[0], walk(*a)[0] > 0),
        "cost taken twice": lambda w, a, s, m: walk(w, a, s, m, first=-w.move_cost),
        "sign": lambda *a: walk(*a, pay=-1.0),
        "ended inverted": lambda *a: walk(*a, flag=False),
        "arrow of the start": walk_stays_at_the_first_arrow,
        "goes on after the end": lambda *a: walk(*a, stop=False),
        "no flag": lambda *a: walk(*a)[0],
        "a list": lambda *a: list(walk(*a)),
    },
    exercises.check_unseen_error: {
        "visited cells": lambda *a: unseen(*a, keep=lambda seen: seen) if any(a[2]) else 0.0,
        "all cells": lambda *a: unseen(*a, keep=lambda seen: True),
        "no root": lambda *a: unseen(*a, root=1),
        "absolute error": lambda *a: unseen(*a, power=1, root=1),
        "signed error": lambda p, t, v: sum(a - b for a, b, s in zip(p, t, v, strict=True) if not s),
        "divided by all": lambda *a: unseen(*a, over=len(a[0])),
        "sum": lambda *a: unseen(*a, over=1),
    },
    exercises.check_masked_softmax: {
        "no mask": lambda z, m: masked_softmax(z, [True] * len(z)),
        "zero after the softmax": lambda *a: masked_softmax(*a, after=True),
        "logit zero": lambda *a: masked_softmax(*a, blocked=0.0),
        "mask inverted": lambda z, m: masked_softmax(z, [not x for x in m]) if not all(m) else masked_softmax(z, m),
        "no shift": lambda *a: masked_softmax(*a, shift=lambda z: 0),
        "shift by a blocked logit": lambda z, m: masked_softmax(z, m, shift=lambda _: max(z)),
        "nearly zero": lambda *a: masked_softmax(*a, blocked=-25.0) if a[0][-1] == 30 else masked_softmax(*a),
        "shift by the first": lambda z, m: masked_softmax(z, m, shift=lambda _: z[m.index(True)]),
        "no refusal": lambda *a: masked_softmax(*a, refuse=False) if any(a[1]) else [0.0, 0.0],
    },
    exercises.check_to_xy: {
        "only one side may be single": lambda r, c, h, w: (0, 0) if 1 in (h, w) else to_xy(r, c, h, w),
        "swapped": lambda r, c, h, w: to_xy(c, r, w, h),
        "from 0 to 1": lambda *a: tuple((x + 1) / 2 for x in to_xy(*a)),
        "divided by n": lambda r, c, h, w: (2 * c / w - 1, 2 * r / h - 1),
        "upside down": lambda *a: (to_xy(*a)[0], -to_xy(*a)[1]),
        "single row": lambda r, c, h, w: (2 * c / (w - 1) - 1, 2 * r / (h - 1) - 1),
        "single row at −1": lambda r, c, h, w: (2 * c / max(w - 1, 1) - 1, 2 * r / max(h - 1, 1) - 1),
    },
    exercises.check_returns: {
        "no discount": lambda r, g: returns(r, 1.0),
        "reward discounted": lambda r, g: [g * x for x in returns(r, g)],
        "from the front": lambda r, g: returns(r[::-1], g)[::-1],
        "reversed": lambda r, g: returns(r, g)[::-1],
        "total": lambda r, g: returns(r, g)[0],
        "without the reward of now": lambda r, g: [*returns(r, g)[1:], 0],
        "one step only": lambda r, g: [a + g * b for a, b in zip(r, [*r[1:], 0], strict=True)],
    },
    exercises.check_td_errors: {
        "always the final value": lambda *a: td_errors(*a, end=a[2]),
        "never the final value": lambda *a: td_errors(*a, end=0),
        "arrived inverted": lambda r, v, f, d, g: td_errors(r, v, f, not d, g),
        "sign": lambda *a: [-x for x in td_errors(*a)],
        "value added": lambda *a: td_errors(*a, sign=-1),
        "no discount": lambda r, v, f, d, g: td_errors(r, v, f, d, 1.0),
        "no baseline": lambda *a: td_errors(*a, sign=0),
        "value of now discounted": lambda r, v, f, d, g: (
            td_errors(r, v, f, d, 1.0) if g == 1 else [g * x for x in td_errors(r, v, f, d, g)]
        ),
        "powers of the discount": lambda r, v, f, d, g: [
            x + g ** (t + 1) * n - y for t, (x, y, n) in enumerate(zip(r, v, [*v[1:], 0 if d else f], strict=True))
        ],
        "returns": lambda r, v, f, d, g: [x - y for x, y in zip(returns(r, g, 0 if d else f), v, strict=True)],
    },
    exercises.check_text_logprobs: {
        "first score subtracted": lambda z, i: [
            x[t] - x[0] - math.log(sum(math.exp(y - x[0]) for y in x)) for x, t in zip(z, i[1:], strict=False)
        ],
        "at its own position": lambda z, i: text_logprobs(z[1:], i) if len(z) > len(i) - 1 else text_logprobs(z, i),
        "scores": lambda z, i: [row[t] for row, t in zip(z, i[1:], strict=False)],
        "probabilities": lambda z, i: np.exp(text_logprobs(z, i)),
        "the first token too": lambda z, i: [0.0, *text_logprobs(z, i)],
        "sum": lambda z, i: sum(text_logprobs(z, i)),
        "the token that was read": lambda z, i: text_logprobs(z, [i[0], *i[:-1]]),
        "ends early": lambda z, i: text_logprobs(z, i)[:-1],
        "overflows": lambda z, i: [x[t] - math.log(sum(map(math.exp, x))) for x, t in zip(z, i[1:], strict=False)],
    },
    exercises.check_mean_probability: {
        "mask as a length": lambda x, m: np.exp(np.mean(x[: sum(m)])),
        "last one dropped": lambda x, m: np.exp(np.mean(x if m[-1] else x[:-1])),
        "arithmetic": lambda x, m: np.mean(np.exp(np.array(x)[m])),
        "sum": lambda x, m: np.exp(np.sum(np.array(x)[m])),
        "no mask": lambda x, m: np.exp(np.mean(x)),
        "divided by all": lambda x, m: np.exp(np.sum(np.array(x)[m]) / len(x)),
        "no exponential": lambda x, m: np.mean(np.array(x)[m]),
    },
    exercises.check_at_temperature: {
        "first subtracted": lambda x, t: [
            (y - x[0]) / t - math.log(sum(math.exp((z - x[0]) / t) for z in x)) for y in x
        ],
        "not normalised": lambda x, t: np.array(x) / t,
        "multiplied": lambda x, t: at_temperature(x, 1 / t),
        "ignored": lambda x, t: x,
        "probabilities": lambda x, t: np.exp(at_temperature(x, t)),
        "probabilities divided": lambda x, t: np.log(np.exp(x) / t),
        "underflows": lambda x, t: [y / t - math.log(sum(math.exp(z / t) for z in x)) for y in x],
    },
    exercises.check_sequence_ratios: {
        "mask as a length": lambda n, o, m: sequence_ratios(n[: sum(m)], o[: sum(m)], [True] * sum(m)),
        "mean of the ratios": lambda n, o, m: [np.mean(np.exp(gained(n, o, m))), np.exp(gained(n, o, m).sum())],
        "no mask": lambda n, o, m: sequence_ratios(n, o, [True] * len(m)),
        "counted over all": lambda n, o, m: [np.exp(gained(n, o, m).sum() / len(m)), sequence_ratios(n, o, m)[1]],
        "upside down": lambda n, o, m: sequence_ratios(o, n, m),
        "swapped": lambda n, o, m: sequence_ratios(n, o, m)[::-1],
        "mean twice": lambda n, o, m: [sequence_ratios(n, o, m)[0]] * 2,
        "logarithms": lambda n, o, m: np.log(sequence_ratios(n, o, m)),
    },
    exercises.check_token_weights: {
        "mask as a length": lambda m: [[(t < sum(row)) / sum(row) / len(m) for t in range(len(row))] for row in m],
        "all tokens alike": lambda m: (np.array(m, float) / np.sum(m)).tolist(),
        "sum of the responses": lambda m: (np.array(token_weights(m)) * len(m)).tolist(),
        "divided by the width": lambda m: (np.array(m, float) / np.size(m)).tolist(),
        "padding counts": lambda m: (np.ones(np.shape(m)) / np.size(m)).tolist(),
        "ones": lambda m: np.array(m, float).tolist(),
    },
    exercises.check_same_policy: {
        "mean of the ratios": lambda n, o, m, tol: bool(abs(np.exp(gained(n, o, m)).mean() - 1) <= tol),
        "tolerance 0.05": lambda n, o, m, tol: same_policy(n, o, m, 0.05),
        "tolerance 0.01": lambda n, o, m, tol: same_policy(n, o, m, 0.01),
        "tolerance 0.001": lambda n, o, m, tol: same_policy(n, o, m, 0.001),
        "ratio of the log-probs": lambda n, o, m, tol: bool((np.abs(of(n, m) / of(o, m) - 1) <= tol).all()),
        "difference of probabilities": lambda n, o, m, tol: bool(
            (np.abs(np.exp(of(n, m)) - np.exp(of(o, m))) <= tol).all()
        ),
        "difference of log-probs": lambda n, o, m, tol: bool((np.abs(gained(n, o, m)) <= tol).all()),
        "as text": lambda *a: str(same_policy(*a)),
        "as a list": lambda *a: [same_policy(*a)],
        "mean": lambda n, o, m, tol: abs(np.mean(gained(n, o, m))) < tol,
        "only above": lambda n, o, m, tol: max(np.exp(gained(n, o, m))) - 1 < tol,
        "only below": lambda n, o, m, tol: 1 - min(np.exp(gained(n, o, m))) < tol,
        "no mask": lambda n, o, m, tol: same_policy(n, o, [True] * len(m), tol),
        "exactly": lambda n, o, m, tol: n == o,
        "always": lambda *a: True,
        "inverted": lambda *a: not same_policy(*a),
    },
    exercises.check_push: {
        "sign": lambda *a: [-x for x in push(*a)],
        "only the action": lambda p, a, g: [g * (1 - x) * (j == a) for j, x in enumerate(p)],
        "no gain": lambda p, a, g: push(p, a, 1.0),
        "gradient of the probability": lambda p, a, g: [p[a] * x for x in push(p, a, g)],
        "one over the probability": lambda p, a, g: [g / p[a] * (j == a) for j in range(len(p))],
        "only downwards": lambda p, a, g: [-g * x for x in p],
    },
}
RIGHT = {
    exercises.check_text_logprobs: text_logprobs,
    exercises.check_mean_probability: lambda x, m: float(np.exp(np.mean(np.array(x)[m]))),
    exercises.check_at_temperature: at_temperature,
    exercises.check_sequence_ratios: sequence_ratios,
    exercises.check_token_weights: token_weights,
    exercises.check_same_policy: same_policy,
    exercises.check_weighted_mean: weighted_mean,
    exercises.check_ratios: ratios,
    exercises.check_effective_samples: effective_samples,
    exercises.check_clipped: clipped,
    exercises.check_pushes: pushes,
    exercises.check_batch_loss: batch_loss,
    exercises.check_approximate_kl: approximate_kl,
    exercises.check_targets: targets,
    exercises.check_repaired_loss: repaired_loss,
    exercises.check_optimizer_steps: lambda w, s, k, m: k * -(-w * s // m),
    exercises.check_unseen_error: unseen,
    exercises.check_masked_softmax: masked_softmax,
    exercises.check_to_xy: to_xy,
    exercises.check_returns: returns,
    exercises.check_td_errors: td_errors,
    exercises.check_push: push,
    exercises.check_cell_value: lambda n, c: max(n) - c,
    exercises.check_longest_way: longest_way,
    exercises.check_bellman: bellman,
    exercises.check_softmax: softmax,
    exercises.check_expected_value: expected,
    exercises.check_walk: walk,
}
MUTANTS = [(check, name) for check, wrong in WRONG.items() for name in wrong]


def test_every_check_of_the_package_is_covered():
    checks = {value for name, value in vars(exercises).items() if name.startswith("check_")}
    assert checks == set(WRONG) == set(RIGHT)


@pytest.mark.parametrize("check", RIGHT, ids=lambda c: c.__name__)
def test_a_right_answer_passes_in_one_line(check):
    feedback = check(RIGHT[check])
    assert feedback.passed and feedback.message.startswith("Correct") and "\n" not in feedback.message


@pytest.mark.parametrize(("check", "name"), MUTANTS, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_a_wrong_answer_fails_with_input_expected_got_and_hint(check, name):
    feedback = check(WRONG[check][name])
    assert not feedback.passed
    for word in ("input", "expected", "got", "hint"):
        assert f"\n  {word}" in feedback.message


def do_nothing(*args): ...
def return_dots(*args):
    return ...


def raise_not_implemented(*args):
    raise NotImplementedError


@pytest.mark.parametrize("check", RIGHT, ids=lambda c: c.__name__)
@pytest.mark.parametrize("stub", [do_nothing, return_dots, raise_not_implemented])
def test_a_stub_is_told_that_it_has_not_started(check, stub):
    feedback = check(stub)
    assert not feedback.passed and feedback.message.startswith("Not started") and "\n" not in feedback.message


def test_an_answer_may_change_its_input_and_look_twice():
    def emptying(neighbours, goal):
        distance, queue = {goal: 0}, deque([goal])
        while queue:
            cell = queue.popleft()
            while neighbours[cell]:
                place = neighbours[cell].pop()
                if place not in distance:
                    distance[place] = distance[cell] + 1
                    queue.append(place)
        return max(distance.values())

    def looking_three_times(world, arrows, start, max_moves):
        state, total = start, 0
        for _ in range(max_moves):
            here = (state, arrows[state])
            total += world.step(*here)[1]
            state, done = world.step(*here)[0], world.step(*here)[2]
            if done:
                return total, True
        return total, False

    assert exercises.check_longest_way(emptying).passed
    assert exercises.check_walk(looking_three_times).passed


def test_a_pair_may_be_a_tuple_a_list_or_an_array():
    for kind in (tuple, list, np.array, torch.tensor):
        assert exercises.check_to_xy(lambda *a, kind=kind: kind(to_xy(*a))).passed


ALSO_RIGHT = {
    "8.1 in torch": (exercises.check_text_logprobs, lambda z, i: (
        torch.tensor(z)[: len(i) - 1].log_softmax(-1).gather(-1, torch.tensor(i[1:])[:, None]).squeeze(-1)
    )),
    "8.1 by the chapter's equation": (exercises.check_text_logprobs, lambda z, i: [
        x[t] - x.logsumexp(-1) for x, t in zip(torch.tensor(z), i[1:], strict=False)
    ]),
    "8.1 as plain numbers": (exercises.check_text_logprobs, lambda z, i: [
        (x[t] - x.logsumexp(-1)).item() for x, t in zip(torch.tensor(z), i[1:], strict=False)
    ]),
    "8.2 in torch": (exercises.check_mean_probability, lambda x, m: torch.tensor(x)[torch.tensor(m)].mean().exp()),
    "8.2 half in torch": (exercises.check_mean_probability, lambda x, m: math.exp(torch.tensor(x)[m].mean())),
    "8.3 in torch": (exercises.check_at_temperature, lambda x, t: (torch.tensor(x) / t).log_softmax(-1)),
    "9.1 in torch": (exercises.check_sequence_ratios, lambda n, o, m: torch.stack(
        [f((torch.tensor(n) - torch.tensor(o))[torch.tensor(m)]).exp() for f in (torch.mean, torch.sum)]
    )),
    "9.3 as the chapter has it": (exercises.check_same_policy, lambda n, o, m, tol: (
        ((torch.tensor(n) - torch.tensor(o)).exp()[torch.tensor(m)] - 1).abs().max() <= tol
    )),
    "9.3 with all": (exercises.check_same_policy, lambda n, o, m, tol: (
        ((torch.tensor(n) - torch.tensor(o)).exp()[torch.tensor(m)] - 1).abs().le(tol).all()
    )),
    "9.3 in NumPy": (exercises.check_same_policy, lambda n, o, m, tol: (
        np.abs(np.exp(gained(n, o, m)) - 1).max() <= tol
    )),
    "6.2 as a number": (exercises.check_pushes, lambda *a: int(pushes(*a))),
    "6.2 as a tensor": (exercises.check_pushes, lambda *a: torch.tensor(pushes(*a))),
    "6.2 by autograd": (exercises.check_pushes, lambda r, a, e: gradient_of_clipped(r, a, e) != 0),
    "7.1 with a small ε": (exercises.check_targets, lambda a, v: (
        (np.array(a) - np.mean(a)) / (np.std(a) + 1e-5), targets(a, v)[1]
    )),
    "7.1 in torch": (exercises.check_targets, lambda a, v: (
        (torch.tensor(a) - torch.tensor(a).mean()) / (torch.tensor(a).std(correction=0) + 1e-8), targets(a, v)[1]
    )),
    "7.2 with where": (exercises.check_repaired_loss, lambda *a: repaired_loss(
        *a, best=lambda x, y: torch.where(x < y, x, y)
    )),
}  # fmt: skip


def gradient_of_clipped(ratio, advantage, eps):
    r = torch.tensor(ratio, requires_grad=True)
    torch.minimum(r * advantage, r.clamp(1 - eps, 1 + eps) * advantage).backward()
    return r.grad


@pytest.mark.parametrize("name", ALSO_RIGHT)
def test_another_right_answer_passes(name):
    check, answer = ALSO_RIGHT[name]
    assert "Correct" in str(check(answer))


@pytest.mark.parametrize(
    "check", [c for c in RIGHT if c not in (exercises.check_walk, exercises.check_targets)], ids=lambda c: c.__name__
)
@pytest.mark.parametrize("kind", [np.float32, torch.tensor])
def test_a_right_answer_in_single_precision_passes(check, kind):
    def single(*args):
        got = RIGHT[check](*args)
        if isinstance(got, bool | np.bool_) or hasattr(got, "requires_grad"):
            return got
        return kind(np.asarray(got, np.float32))

    assert "Correct" in str(check(single))


def test_an_answer_of_another_kind_is_told_so():
    assert "hint      Return 2 things as a tuple" in str(exercises.check_walk(lambda *a: list(walk(*a))))
    assert "hint      Return True or False." in str(exercises.check_pushes(lambda *a: float(pushes(*a))))
    assert "hint      One move: the reward" in str(exercises.check_walk(lambda *a: (walk(*a)[0] + 1, walk(*a)[1])))


def test_a_search_without_end_is_stopped():
    said = str(exercises.check_longest_way(search_without_memory))
    assert "RuntimeError: the search never ends: it goes back to cells where it has been" in said
    with_get = exercises.check_longest_way(lambda n, g: longest_way({c: n.get(c, []) for c in n}, g))
    assert with_get.passed


def test_text_is_no_number():
    assert not exercises.check_cell_value(lambda n, c: str(float(max(n) - c))).passed


def test_an_error_in_the_answer_is_shown_and_not_raised():
    feedback = exercises.check_cell_value(lambda neighbours, cost: 1 / 0)
    assert "ZeroDivisionError: division by zero" in feedback.message


def test_an_answer_that_is_no_function_is_refused():
    with pytest.raises(ValueError, match="answer must be a function, got 3"):
        exercises.check_cell_value(3)


def test_the_first_failing_case_is_the_one_shown():
    cases = [Case((1,), 1, "first"), Case((2,), 2, "second"), Case((3,), 3, "third")]
    assert "hint      second" in check(lambda x: min(x, 1), "f", cases).message


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (0.1 + 0.2, 0.3, True), ([1, 2], np.array([1.0, 2.0]), True), (np.float32(3), 3.0, True),
        (1.0, [1.0], False), (np.nan, 1.0, False), ((1, True), (1, True), True), ((1, 0), (1, True), False),
        ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"b": 1}, False), ([1, 2, 3], [1, 2], False), ("x", 1.0, False),
        (-np.inf, -np.inf, True), (3.001, 3.0, False), (np.float32(0.1), 0.1, True), (0.1 + 1e-6, 0.1, False),
        (torch.tensor(1 / 3), 1 / 3, True), ([torch.tensor(1 / 3, requires_grad=True)], [1 / 3], True),
        (torch.tensor(1 / 3).item(), 1 / 3, True), (torch.tensor(0.3335), 1 / 3, False), (1e300, 1.0, False),
        (torch.tensor(True), True, True), (np.array(False), False, True), (torch.tensor([True]), True, False),
        (1, True, True), (0, False, True), (2, True, False), (1.0, True, False), ("True", True, False),
        (torch.tensor(1.0), True, False), ((torch.tensor(1.0), np.True_), (1, True), True),
    ],
)  # fmt: skip
def test_what_counts_as_equal(got, expected, same):
    assert exercises._same(got, expected) is same
