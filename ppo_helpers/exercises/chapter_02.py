"""Checks of chapter 2: following arrows, softmax, the value of a cell under a policy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check
from ppo_helpers.gridworld import Cell, GridWorld

BLOCKED = -np.inf


def check_softmax(answer: Callable[[list[float], float], Any]) -> Feedback:
    """Exercise 2.2: probabilities from the values of the moves, blocked ones at −inf."""
    e, cold, middle = np.e, 1e-3, [1 / (1 + np.e), np.e / (1 + np.e)]
    cases = [
        Case(([0.0, 1.0], 1.0), middle, "exp of each value, divided by the sum of them all."),
        Case(([0.0, 1.0], 2.0), [1 / (1 + e**0.5), e**0.5 / (1 + e**0.5)], "Divide the values by the temperature."),
        Case(
            ([3.0, BLOCKED, 3.0], 1.0),
            [0.5, 0.0, 0.5],
            "A blocked move has probability 0; −inf less −inf is NaN.",
        ),
        Case(([4.0, 3.0], cold), [1.0, 0.0], "exp(4000) overflows: subtract the largest value before exp."),
        Case(([3.0, 4.0], cold), [0.0, 1.0], "Subtract the largest value, wherever it stands."),
        Case(([-900.0, -901.0], 1.0), middle[::-1], "exp(−900) is 0: subtract the largest value first."),
        Case(
            ([BLOCKED, -900.0, -901.0], 1.0),
            [0.0, *middle[::-1]],
            "Blocked is exactly 0, whatever the others are worth: −∞, not a large negative number.",
            exact_zeros=True,
        ),
    ]
    return check(answer, "softmax", cases)


def check_expected_value(answer: Callable[[list[float], list[float]], float]) -> Feedback:
    """Exercise 2.3: what a cell is worth if its move is drawn from a policy."""
    skip = "0 · −inf is NaN: leave out moves with probability 0."
    cases = [
        Case(([0.25] * 4, [1.0, 2.0, 3.0, 6.0]), 3.0, "Equal probabilities: the plain mean, not the best or the sum."),
        Case(([0.0, 1.0, 0.0, 0.0], [3.0, 1.0, -4.0, 0.0]), 1.0, "A certain move: its own value, not the best one."),
        Case(([0.6, 0.25, 0.05, 0.1], [3.0, 1.0, -4.0, 0.0]), 1.85, "Weigh each value with its probability."),
        Case(([0.5, 0.5, 0.0, 0.0], [2.0, 4.0, BLOCKED, BLOCKED]), 3.0, skip),
        Case(([0.0, 0.5, 0.0, 0.5], [BLOCKED, 2.0, BLOCKED, 4.0]), 3.0, "Leave out the pair: who stays keeps its own."),
    ]
    return check(answer, "expected_value", cases)


def check_walk(answer: Callable[[GridWorld, dict, Cell, int], tuple[float, bool]]) -> Feedback:
    """Exercise 2.1: follow arrows from a cell, with a limit, and say what it earned and whether it ended."""
    right, left, down = 1, 3, 2
    money, dragon = GridWorld.from_text(". . M"), GridWorld.from_text(". . D")
    ends, circles = {(0, 0): right, (0, 1): right}, {(0, 0): right, (0, 1): left}
    corner = GridWorld.from_text(". . D\n. # .\n. . m", move_cost=0.5)
    around = {(0, 0): down, (1, 0): down, (2, 0): right, (2, 1): right, (0, 1): left, (1, 2): down}
    inputs = [
        (money, ends, (0, 1), 10, "One move: the prize of the end, less one cost."),
        (money, ends, (0, 0), 10, "Add up the rewards of all moves; each already has its cost taken off."),
        (corner, around, (0, 1), 20, "Look the arrow up in every cell that the walk comes to."),
        (money, ends, (0, 0), 2, "The move that ends the walk may be the last one allowed."),
        (money, ends, (0, 0), 1, "Stop after max_moves moves, and say that the walk did not end."),
        (money, circles, (0, 0), 7, "These arrows go round in a circle: only the limit stops the walk."),
        (dragon, ends, (0, 0), 10, "The dragon ends the walk too: use the third thing that step returns."),
        (money, ends, (0, 0), 0, "No moves allowed: nothing earned, not ended. Look at the limit before the move."),
    ]
    cases = [Case(tuple(args), _walk(*args), hint) for *args, hint in inputs]
    return check(answer, "walk", cases, "Some arrows go round in a circle: stop after max_moves moves.")


def _walk(world: GridWorld, arrows: dict, start: Cell, max_moves: int) -> tuple[float, bool]:
    state, total = start, 0.0
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[state])
        total += reward
        if done:
            return total, True
    return total, False
