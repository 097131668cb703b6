"""Chapter 1's checks against answers that readers write."""

import operator
from collections import deque

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_01, check_bellman, check_cell_value, check_climb, check_longest_way


def climb(score, arrows, changes, keep=operator.ge, renew=True, copy=list, give=lambda arrows, best: arrows):
    """A right answer with places to go wrong."""
    best = score(arrows)
    for place, arrow in changes:
        changed = copy(arrows)
        changed[place] = arrow
        if keep(score(changed), best):
            arrows = changed
            best = score(changed) if renew else best
    return give(arrows, best)


def climb_in_place(score, arrows, changes):
    for place, arrow in changes:
        before, old = score(arrows), arrows[place]
        arrows[place] = arrow
        if score(arrows) < before:
            arrows[place] = old
    return arrows


def climb_in_numpy(score, arrows, changes):
    return climb(score, np.array(arrows), changes, copy=np.copy)


def climb_by_choosing(score, arrows, changes):
    for place, arrow in changes:
        arrows = max([*arrows[:place], arrow, *arrows[place + 1 :]], arrows, key=score)
    return arrows


def climb_from_the_first(score, arrows, changes):
    """Each change is tried on the arrows of the beginning."""
    tried = [arrows, *(climb(score, arrows, [change]) for change in changes)]
    return max(tried, key=score)


def search(neighbours, goal, start=0, farthest=max, take=deque.popleft):
    """A right answer with places to go wrong."""
    distance, queue = {goal: start}, deque([goal])
    while queue:
        cell = take(queue)
        for place in neighbours[cell]:
            if place not in distance:
                distance[place] = distance[cell] + 1
                queue.append(place)
    return farthest(distance.values())


def search_by_rings(neighbours, goal):
    seen, ring, moves = {goal}, {goal}, 0
    while ring := {place for cell in ring for place in neighbours[cell]} - seen:
        seen |= ring
        moves += 1
    return moves


def search_by_sweeps(neighbours, goal):
    """As chapter 1 computes values: every cell from its neighbours, until nothing changes."""
    moves = {cell: 0 if cell == goal else np.inf for cell in neighbours}
    while True:
        new = {c: 0 if c == goal else min((moves[p] + 1 for p in neighbours[c]), default=np.inf) for c in neighbours}
        if new == moves:
            return max(m for m in moves.values() if m < np.inf)
        moves = new


def search_by_relaxing(neighbours, goal):
    """Depth first is right if a shorter way may replace a longer one."""
    moves = {}

    def enter(cell, so_far):
        if so_far < moves.get(cell, 1e9):
            moves[cell] = so_far
            for place in neighbours[cell]:
                enter(place, so_far + 1)

    enter(goal, 0)
    return max(moves.values())


def search_that_empties_the_lists(neighbours, goal):
    distance, queue = {goal: 0}, [goal]
    while queue:
        cell = queue.pop(0)
        while neighbours[cell]:
            place = neighbours[cell].pop()
            if place not in distance:
                distance[place] = distance[cell] + 1
                queue.append(place)
    return max(distance.values())


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


def rings_without_memory(neighbours, goal):
    ring, moves = [goal], 0
    while ring:
        ring = [place for cell in ring for place in neighbours[cell]]
        moves += 1
    return moves


def recursion_without_memory(neighbours, goal):
    return max((1 + recursion_without_memory(neighbours, place) for place in neighbours[goal]), default=0)


def search_that_overwrites(neighbours, goal):
    """Marks a cell when it leaves the queue, so that it may be entered twice, the second time from farther away."""
    distance, queue, seen = {goal: 0}, deque([goal]), set()
    while queue:
        cell = queue.popleft()
        seen.add(cell)
        for place in neighbours[cell]:
            if place not in seen:
                distance[place] = distance[cell] + 1
                queue.append(place)
    return max(distance.values())


def search_from_the_first_cell(neighbours, goal):
    first, distance, queue = next(iter(neighbours)), {}, deque()
    distance[first] = 0
    queue.append(first)
    while queue:
        cell = queue.popleft()
        for place in neighbours[cell]:
            if place not in distance:
                distance[place] = distance[cell] + 1
                queue.append(place)
    return distance[goal]


def one_branch(neighbours, goal):
    first = {cell: [p for p in places if p != goal][:1] for cell, places in neighbours.items()}
    return search(first | {goal: neighbours[goal]}, goal)


def bellman(rewards, values, done, gamma, best=max, now=lambda r, g: r, later=lambda v, d, g: 0 if d else g * v):
    return best(now(r, gamma) + later(v, d, gamma) for r, v, d in zip(rewards, values, done, strict=True))


def bellman_at(choose, rewards, values, done, gamma):
    """The value of the one move that is chosen by something else."""
    a = int(np.argmax(choose))
    return rewards[a] + (0 if done[a] else gamma * values[a])


def bellman_in_numpy(rewards, values, done, gamma):
    return np.max(np.array(rewards) + gamma * np.where(done, 0, values))


def bellman_in_torch(rewards, values, done, gamma):
    return (torch.tensor(rewards) + gamma * torch.tensor(values) * ~torch.tensor(done)).max()


def bellman_by_parts(rewards, values, done, gamma):
    return max(rewards) + gamma * max(0 if d else v for v, d in zip(values, done, strict=True))


def climb_until_it_gets_worse(score, arrows, changes):
    for place, arrow in changes:
        changed = [*arrows[:place], arrow, *arrows[place + 1 :]]
        if score(changed) < score(arrows):
            break
        arrows = changed
    return arrows


def climb_against_the_last(score, arrows, changes):
    last = score(arrows)
    for place, arrow in changes:
        changed = [*arrows[:place], arrow, *arrows[place + 1 :]]
        arrows, last = (changed if score(changed) >= last else arrows), score(changed)
    return arrows


def climb_on_one_copy(score, arrows, changes):
    """What was tried and found worse stays in the copy."""
    trial, best = list(arrows), score(arrows)
    for place, arrow in changes:
        trial[place] = arrow
        if score(trial) >= best:
            arrows, best = list(trial), score(trial)
    return arrows


def rings_that_find_the_goal_anew(neighbours, goal):
    seen, ring, moves = set(), [goal], 0
    while ring := {place for cell in ring for place in neighbours[cell]} - seen:
        seen |= ring
        moves += 1
    return moves


RIGHT = {
    check_climb: {
        "plain": climb,
        "in place, taken back": climb_in_place,
        "NumPy": climb_in_numpy,
        "max of two": climb_by_choosing,
        "a tuple for a copy": lambda s, a, c: list(climb(s, a, c)),
    },
    check_cell_value: {
        "plain": lambda n, c: max(n) - c,
        "after the cost": lambda n, c: max(x - c for x in n),
        "sorted": lambda n, c: sorted(n)[-1] - c,
        "NumPy": lambda n, c: np.max(n) - c,
        "torch": lambda n, c: torch.tensor(n).max() - c,
    },
    check_longest_way: {
        "queue": search,
        "rings": search_by_rings,
        "sweeps": search_by_sweeps,
        "depth first, relaxed": search_by_relaxing,
        "empties its input": search_that_empties_the_lists,
        "looks up with get": lambda n, g: search({cell: n.get(cell, []) for cell in n}, g),
        "as a tensor": lambda n, g: torch.tensor(search(n, g)),
    },
    check_bellman: {
        "plain": bellman,
        "done as a factor": lambda r, v, d, g: bellman(r, v, d, g, later=lambda v, d, g: g * v * (1 - d)),
        "NumPy": bellman_in_numpy,
        "torch": bellman_in_torch,
    },
}
WRONG = {
    check_climb: {
        "ends at the first worse change": (climb_until_it_gets_worse, "then go on"),
        "compared with the last one tried": (climb_against_the_last, "A worse change leaves nothing behind"),
        "one copy for all": (climb_on_one_copy, "A worse change leaves nothing behind"),
        "the score": (lambda *a: climb(*a, give=lambda arrows, best: best), "Return a list of 1 number"),
        "never keeps": (lambda *a: climb(*a, keep=lambda new, best: False), "This change is better"),
        "keeps what is worse": (lambda *a: climb(*a, keep=lambda new, best: new <= best), "This change is better"),
        "keeps everything": (lambda *a: climb(*a, keep=lambda new, best: True), "This change is worse"),
        "no copy": (lambda *a: climb(*a, copy=lambda arrows: arrows), "Did you copy them?"),
        "pair swapped": (lambda s, a, c: climb(s, a, [(arrow % len(a), place) for place, arrow in c]), "This change"),
        "always the first place": (lambda s, a, c: climb(s, a, [(0, arrow) for _, arrow in c]), "A change is a pair"),
        "the first change only": (lambda s, a, c: climb(s, a, c[:1]), "Try all changes"),
        "each from the beginning": (climb_from_the_first, "Try all changes"),
        "the score of the beginning": (lambda *a: climb(*a, renew=False), "the best score so far"),
        "no ties": (lambda *a: climb(*a, keep=lambda new, best: new > best), "Keep what is just as good"),
        "nothing without changes": (lambda s, a, c: climb(s, a, c) if c else [0, 0], "Without changes"),
    },
    check_cell_value: {
        "all but the last": (lambda n, c: max([*n[:1], *n[1:-1]]) - c, "the best of them still counts"),
        "cost added": (lambda n, c: max(n) + c, "then pay for the move"),
        "no cost": (lambda n, c: max(n), "then pay for the move"),
        "worst neighbour": (lambda n, c: min(n) - c, "Walk to the best neighbour"),
        "mean of the neighbours": (lambda n, c: sum(n) / len(n) - c, "Walk to the best neighbour"),
        "sum of the neighbours": (lambda n, c: sum(n) - c, "Walk to the best neighbour"),
        "position of the best": (lambda n, c: np.argmax(n) - c, "the best is 4"),
        "cost always 1": (lambda n, c: max(n) - 1, "The cost is an argument"),
        "a cost of 0 taken for none given": (lambda n, c: max(n) - (c or 1), "With free moves"),
        "first neighbour": (lambda n, c: n[0] - c, "the best of them still counts"),
        "largest in size": (lambda n, c: max(n, key=abs) - c, "the best of them still counts"),
        "never below zero": (lambda n, c: max(0, *n) - c, "however bad"),
        "a dead end is free": (lambda n, c: max(n) - c if len(n) > 1 else n[0], "A dead end"),
        "the arguments swapped": (lambda n, c: c - max(n), "then pay for the move"),
        "text": (lambda n, c: str(max(n) - c), "Return one number"),
        "a list": (lambda n, c: [max(n) - c], "Return one number"),
        "all of them": (lambda n, c: [x - c for x in n], "Return one number"),
    },
    check_longest_way: {
        "the goal is new": (rings_that_find_the_goal_anew, "it is not new"),
        "no memory, queue": (search_without_memory, "remember them"),
        "no memory, rings": (rings_without_memory, "remember them"),
        "no memory, recursion": (recursion_without_memory, "remember them"),
        "cells, not moves": (lambda n, g: search(n, g, start=1), "Count moves, not cells"),
        "one too few": (lambda n, g: search(n, g, start=-1), "Count moves"),
        "nearest": (lambda n, g: search(n, g, farthest=min), "Count moves"),
        "number of cells": (lambda n, g: len(n) - 1, "in every direction"),
        "cells that reach the goal": (lambda n, g: search(n, g, farthest=len) - 1, "in every direction"),
        "from the first cell": (search_from_the_first_cell, "always from the goal"),
        "between any two cells": (lambda n, g: max(search(n, c) for c in n), "always from the goal"),
        "depth first": (depth_first, "the shorter way round"),
        "a stack": (lambda n, g: search(n, g, take=deque.pop), "the shorter way round"),
        "a cell entered twice": (search_that_overwrites, "when it is first reached"),
        "one branch": (one_branch, "Follow every branch"),
        "islands counted": (lambda n, g: max(search(n, g), search(n, "x") if "x" in n else 0), "they take no part"),
        "islands infinite": (lambda n, g: search(n, g) if len(n) < 9 else np.inf, "they take no part"),
        "mean": (lambda n, g: search(n, g, farthest=lambda d: sum(d) / len(d)), "Count moves"),
        "a typed goal": (lambda n, g: search(n, "goal"), "The goal is an argument"),
        "the goal does not count": (
            lambda n, g: max(d for d in [search(n, g)] if len(n) > 1),
            "The goal itself is no move away",
        ),
    },
    check_bellman: {
        "begins with the first reward": (lambda r, v, d, g: max(r[0], bellman(r, v, d, g)), "even if it earns 0"),
        "values never below zero": (
            lambda *a: bellman(*a, later=lambda v, d, g: 0 if d else g * max(v, 0)),
            "even if it earns 0",
        ),
        "the first and the last move": (
            lambda r, v, d, g: bellman(*([x[0], x[-1]] for x in (r, v, d)), g),
            "The best of all moves",
        ),
        "mean instead of max": (lambda *a: bellman(*a, best=lambda x: np.mean(list(x))), "The best of"),
        "min instead of max": (lambda *a: bellman(*a, best=min), "The best of"),
        "sum instead of max": (lambda *a: bellman(*a, best=sum), "The best of"),
        "reward subtracted": (lambda *a: bellman(*a, now=lambda r, g: -r), "The best of"),
        "no reward": (lambda *a: bellman(*a, now=lambda r, g: 0), "The best of"),
        "all of them": (lambda *a: bellman(*a, best=list), "Return one number"),
        "reward discounted": (lambda *a: bellman(*a, now=lambda r, g: g * r), "not the reward of now"),
        "no discount": (lambda *a: bellman(*a, later=lambda v, d, g: 0 if d else v), "γ shrinks what comes later"),
        "terminal ignored": (lambda *a: bellman(*a, later=lambda v, d, g: g * v), "Nothing follows the end"),
        "done inverted": (lambda *a: bellman(*a, later=lambda v, d, g: g * v if d else 0), "The best of"),
        "ended moves left out": (
            lambda r, v, d, g: max(x + g * y for x, y, end in zip(r, v, d, strict=True) if not end),
            "Nothing follows the end",
        ),
        "an end is worth nothing": (
            lambda r, v, d, g: max(0 if end else x + g * y for x, y, end in zip(r, v, d, strict=True)),
            "Nothing follows the end",
        ),
        "best reward and best value": (bellman_by_parts, "Nothing follows the end"),
        "the move of the best value": (lambda r, v, d, g: bellman_at(v, r, v, d, g), "γ can change the best move"),
        "the move of the best reward": (lambda r, v, d, g: bellman_at(r, r, v, d, g), "with the best reward"),
        "never below zero": (lambda *a: max(0, bellman(*a)), "Here ending costs only its own reward"),
        "an end wins": (
            lambda r, v, d, g: r[d.index(True)] if any(d) else bellman(r, v, d, g),
            "one option of several",
        ),
    },
}


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_01) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    assert_is_told(check, answer, hint)
