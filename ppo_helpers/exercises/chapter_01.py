"""Checks of chapter 1: arrows by trial and error, values from neighbours, Bellman's equation, the number of sweeps."""

from collections.abc import Callable

from ppo_helpers.exercises.feedback import Case, Feedback, check
from ppo_helpers.exercises.scores import Circle, Score


def check_climb(answer: Callable[[Callable, list[int], list[tuple[int, int]]], list[int]]) -> Feedback:
    """Exercise 1.1: try changes of arrows one by one, and keep those that are at least as good."""
    one, two = Score({1: 1.0, 2: 3.0}), Score({1: 1.0, 2: 3.0}, {0: -1.0, 3: 2.0})
    cases = [
        Case((one, [0], [(0, 1)]), [1], "This change is better: keep it, and return the arrows, not the score."),
        Case((one, [1], [(0, 0)]), [1], "This change is worse: go on with the arrows from before. Did you copy them?"),
        Case((two, [0, 0], [(1, 3)]), [0, 3], "A change is a pair: the place in the list, and the new arrow there."),
        Case((two, [0, 0], [(0, 2), (1, 3)]), [2, 3], "Try all changes, each on top of those that were kept."),
        Case((one, [0], [(0, 2), (0, 1)]), [2], "Compare with the best score so far, not with that of the beginning."),
        Case((Circle(), [0, 1, 2], [(0, 3), (1, 3), (2, 3)]), [3, 3, 3], "Keep what is just as good: it may lead on."),
        Case((two, [2, 0], [(0, 0), (0, 1), (1, 3)]), [2, 3], "A worse change leaves nothing behind; then go on."),
        Case((two, [1, 3], []), [1, 3], "Without changes the arrows stay as they are."),
    ]
    return check(answer, "climb", cases)


def check_cell_value(answer: Callable[[list[float], float], float]) -> Feedback:
    """Exercise 1.2: the value of a cell from its neighbours' values and the cost of a move."""
    cases = [
        Case(([4.0, 1.0, -3.0, 0.0], 1.0), 3.0, "Walk to the best neighbour, then pay for the move: the best is 4."),
        Case(([4.0, 1.0, -3.0, 0.0], 0.5), 3.5, "The cost is an argument, not always 1."),
        Case(([-1.0], 1.0), -2.0, "A dead end: its only neighbour is the best one, however bad."),
        Case(([-6.0, -4.0, -2.5], 2.0), -4.5, "All neighbours may be negative; the best of them still counts."),
        Case(([5.0, 5.0, 5.0], 0.0), 5.0, "With free moves a cell is worth as much as its best neighbour."),
    ]
    return check(answer, "cell_value", cases)


def check_longest_way(answer: Callable[[dict, str], int]) -> Feedback:
    """Exercise 1.4: moves from the farthest cell to the goal, which is the number of sweeps."""
    corridor = {"a": ["b"], "b": ["a", "c"], "c": ["b", "goal"], "goal": ["c"]}
    middle = {"a": ["goal"], "goal": ["a", "b"], "b": ["goal", "c"], "c": ["b"]}
    ring = {"goal": ["a", "d"], "a": ["goal", "b"], "b": ["a", "c"], "c": ["b", "d"], "d": ["c", "goal"]}
    star = {"goal": ["a"], "a": ["goal", "b", "c"], "b": ["a"], "c": ["a", "d"], "d": ["c"]}
    island = corridor | {"x": ["y"], "y": ["x", "z"], "z": ["y", "u"], "u": ["z", "v"], "v": ["u"]}
    row = {(0, 0): [(0, 1)], (0, 1): [(0, 0), (0, 2)], (0, 2): [(0, 1)]}
    cases = [
        Case((corridor, "goal"), 3, "Count moves, not cells: from a the walk is a → b → c → goal."),
        Case((middle, "goal"), 2, "Search outwards in every direction, always from the goal."),
        Case((ring, "goal"), 2, "Take the shorter way round: a cell's distance is set when it is first reached."),
        Case((island, "goal"), 3, "u … z cannot reach the goal: they take no part."),
        Case((star, "goal"), 3, "Follow every branch, not only the first."),
        Case((row, (0, 0)), 2, "The goal is an argument, and cells may have any names."),
        Case(({"goal": []}, "goal"), 0, "The goal itself is no move away."),
        Case(({"a": ["goal"], "goal": ["a"]}, "goal"), 1, "The goal has been reached before any move: it is not new."),
    ]
    endless = "The search never ends: cells where it has been are not new (remember them), and some are never reached."
    return check(answer, "longest_way", cases, endless)


def check_bellman(answer: Callable[[list[float], list[float], list[bool], float], float]) -> Feedback:
    """Exercise 1.3: max over moves of r + γ V(s'), with nothing after the end."""

    def case(rewards, values, done, gamma, expected, hint):
        return Case((rewards, values, done, gamma), expected, hint)

    on, costs = [False, False], [-1.0, -1.0]
    cases = [
        case(costs, [4.0, 2.0], on, 1.0, 3.0, "The best of r + γ V(s') over the moves."),
        case(costs, [4.0, 2.0], on, 0.5, 1.0, "γ shrinks what comes later, not the reward of now."),
        case([4.0, -1.0], [5.0, 3.0], [True, False], 0.9, 4.0, "Nothing follows the end: use V(s') only if not done."),
        case([0.0, -1.0], [0.0, 2.0], on, 1.0, 1.0, "The best move need not be the one with the best reward."),
        case([-2.0, -2.0], [-5.0, -3.0], [False, True], 0.5, -2.0, "Here ending costs only its own reward."),
        case([0.0, 2.0], [4.0, 1.0], on, 0.5, 2.5, "Compare r + γ V(s'), not V(s') alone: γ can change the best move."),
        case([-2.0, 0.0], [-1.0, 3.0], [True, False], 1.0, 3.0, "A move that ends the walk is one option of several."),
        case([1.0, 2.0, -1.0], [-3.0, -2.0, -2.0], [False] * 3, 1.0, 0.0, "The best of all moves, even if it earns 0."),
    ]
    return check(answer, "bellman", cases)
