"""Instant feedback for the book's exercises: one check per exercise, each with its own cases and hint."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppo_helpers.gridworld import Cell, GridWorld


@dataclass(frozen=True)
class Case:
    """One input an answer is tried on."""

    args: tuple
    expected: Any
    hint: str
    shown: str | None = None  # the input in words, where its repr would be too long


@dataclass(frozen=True)
class Feedback:
    """What a check found; a notebook shows it when it is the last expression of a cell."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return self.message


def check(answer: Callable, name: str, cases: Iterable[Case]) -> Feedback:
    """Try an answer on every case and stop at the first that fails.

    Args:
        answer: the reader's function.
        name: the exercise's name.
        cases: inputs with the expected result and a hint each.

    Returns:
        ``Feedback`` that says "not started" for an untouched stub, the first failing input with expected and got
        and a hint for a wrong answer, one line for a right one.

    Raises:
        ValueError: if ``answer`` is not callable.
    """
    if not callable(answer):
        raise ValueError(f"answer must be a function, got {answer!r}")
    tried = 0
    for case in cases:
        try:
            got = answer(*copy.deepcopy(case.args))  # an answer that changes its input must not spoil the next case
        except NotImplementedError:
            got = None
        except Exception as error:  # whatever a reader's code raises is feedback, not a traceback
            got = error
        if got is None or got is Ellipsis:
            return _nothing(name, case, tried)
        if isinstance(got, Exception) or not _same(got, case.expected):
            return _wrong(name, case, got)
        tried += 1
    return Feedback(True, f"Correct: {name} agrees on all {tried} inputs.")


def _nothing(name: str, case: Case, tried: int) -> Feedback:
    if tried == 0:
        return Feedback(False, f"Not started: nothing came back from {name}. Replace the ... and end with return.")
    return _wrong(name, case, None)


def _wrong(name: str, case: Case, got: Any) -> Feedback:
    shown = case.shown or ", ".join(_show(arg) for arg in case.args)
    outcome = f"{type(got).__name__}: {got}" if isinstance(got, Exception) else _show(got)
    hint = _hint(case, got)
    return Feedback(
        False,
        f"Not yet: {name} differs on one input.\n"
        f"  input     {shown}\n  expected  {_show(case.expected)}\n  got       {outcome}\n  hint      {hint}",
    )


def _hint(case: Case, got: Any) -> str:
    """The case's own hint, unless the answer is of another kind: then its value is not the trouble."""
    if isinstance(got, Exception):
        return case.hint
    if isinstance(case.expected, tuple) and not isinstance(got, tuple):
        return f"Return {len(case.expected)} things as a tuple: return a, b."
    if isinstance(case.expected, bool) and not isinstance(_plain(got), int):
        return "Return True or False."
    return case.hint


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, separator=", ").replace("\n", "")
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        inside = ", ".join(_show(item) for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_show(key)}: {_show(item)}" for key, item in value.items()) + "}"
    return repr(value)


def _same(got: Any, expected: Any) -> bool:
    """Equal up to rounding; a list may answer for an array, never a scalar for a list."""
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            return False
        return all(_same(got[key], expected[key]) for key in expected)
    got = _plain(got)
    if isinstance(expected, bool):
        return isinstance(got, int) and got == expected  # 1 and 0 will do
    if isinstance(expected, tuple):
        return isinstance(got, tuple) and len(got) == len(expected) and all(map(_same, got, expected))
    if isinstance(got, str):
        return False
    try:
        got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return False
    return got.shape == expected.shape and _close(got, expected)


def _plain(value: Any) -> Any:
    """Arrays, tensors and their scalars as plain Python, also inside lists."""
    if isinstance(value, list | tuple):
        return (tuple if isinstance(value, tuple) else list)(map(_plain, value))
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return value.tolist() if hasattr(value, "tolist") else value


def _close(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal up to rounding. Numbers that fit into float32 may come from there, also as plain ones out of ``tolist``."""
    with np.errstate(over="ignore"):
        single = np.array_equal(got, got.astype(np.float32))
    rtol, atol = (1e-4, 1e-6) if single else (1e-6, 1e-9)  # e.g. the difference of two scores near 999
    return bool(np.allclose(got, expected, rtol=rtol, atol=atol))


# --- chapter 1 ------------------------------------------------------------------------------------------------------


def check_cell_value(answer: Callable[[list[float], float], float]) -> Feedback:
    """Exercise 1.1: the value of a cell from its neighbours' values and the cost of a move."""
    return check(
        answer,
        "cell_value",
        [
            Case(([4, 1, -3, 2], 1), 3.0, "Walk to the best neighbour, then pay for the move: the best is 4."),
            Case(([4, 1, -3, 2], 0.5), 3.5, "The cost is an argument, not always 1."),
            Case(([-1], 1), -2.0, "A dead end: its only neighbour is the best one, however bad."),
            Case(([-6, -2.5, -4], 2), -4.5, "All neighbours may be negative; the best of them still counts."),
            Case(([5, 5, 5], 0), 5.0, "With free moves a cell is worth as much as its best neighbour."),
        ],
    )


class _CountedGraph(dict):
    """Neighbours that stop a search without end, so that a wrong answer cannot hang the notebook."""

    left = 1000

    def __getitem__(self, cell: str) -> list[str]:
        if self.left == 0:
            raise RuntimeError("the search never ends: it goes back to cells where it has been")
        self.left -= 1
        return super().__getitem__(cell)

    def get(self, cell: str, default: Any = None) -> Any:
        try:
            return self[cell]
        except KeyError:
            return default


def check_longest_way(answer: Callable[[dict, str], int]) -> Feedback:
    """Exercise 1.2: moves from the farthest cell to the goal, which is the number of sweeps."""
    corridor = {"a": ["b"], "b": ["a", "c"], "c": ["b", "goal"], "goal": ["c"]}
    middle = {"a": ["goal"], "goal": ["a", "b"], "b": ["goal", "c"], "c": ["b"]}
    ring = {"goal": ["a", "d"], "a": ["goal", "b"], "b": ["a", "c"], "c": ["b", "d"], "d": ["c", "goal"]}
    star = {"goal": ["a"], "a": ["goal", "b", "c"], "b": ["a"], "c": ["a", "d"], "d": ["c"]}
    island = corridor | {"x": ["y"], "y": ["x", "z"], "z": ["y", "u"], "u": ["z", "v"], "v": ["u"]}
    inputs = [
        (corridor, 3, "Count moves, not cells: from a the walk is a → b → c → goal."),
        (middle, 2, "Search outwards in every direction from the goal."),
        (ring, 2, "Take the shorter way round: a cell's distance is set when it is first reached."),
        (island, 3, "u … z cannot reach the goal: they take no part."),
        (star, 3, "Follow every branch, not only the first."),
        ({"goal": []}, 0, "The goal itself is no move away."),
    ]
    cases = [Case((_CountedGraph(neighbours), "goal"), moves, hint) for neighbours, moves, hint in inputs]
    return check(answer, "longest_way", cases)


def check_bellman(answer: Callable[[list[float], list[float], list[bool], float], float]) -> Feedback:
    """Exercise 1.3: max over moves of r + γ V(s'), with nothing after the end."""
    return check(
        answer,
        "bellman",
        [
            Case(([-1, -1], [4.0, 1.0], [False, False], 1.0), 3.0, "The best of r + γ V(s') over the moves."),
            Case(
                ([-1, -1], [4.0, 1.0], [False, False], 0.5), 1.0, "γ shrinks what comes later, not the reward of now."
            ),
            Case(
                ([4, -1], [5.0, 3.0], [True, False], 0.9),
                4.0,
                "After the end nothing follows: use V(s') only if not done.",
            ),
            Case(
                ([0, -1], [0.0, 2.0], [False, False], 1.0),
                1.0,
                "The best move need not be the one with the best reward.",
            ),
            Case(([-2, -2], [-5.0, -3.0], [False, True], 0.5), -2.0, "Here ending costs only its own reward."),
            Case(
                ([0, 2], [4.0, 1.0], [False, False], 0.5),
                2.5,
                "Compare r + γ V(s'), not V(s') alone: the discount can change which move is best.",
            ),
            Case(
                ([-2, 0], [-1.0, 3.0], [True, False], 1.0),
                3.0,
                "A move that ends the walk is one option among others: look at all of them.",
            ),
        ],
    )


# --- chapter 2 ------------------------------------------------------------------------------------------------------


def check_softmax(answer: Callable[[list[float], float], Any]) -> Feedback:
    """Exercise 2.1: probabilities from the values of the moves, blocked ones at −inf."""
    e, blocked = np.e, -np.inf
    cold = 1e-3
    return check(
        answer,
        "softmax",
        [
            Case(([0.0, 1.0], 1.0), [1 / (1 + e), e / (1 + e)], "exp of each value, divided by the sum of them all."),
            Case(([0.0, 1.0], 2.0), [1 / (1 + e**0.5), e**0.5 / (1 + e**0.5)], "Divide the values by the temperature."),
            Case(([3.0, blocked, 3.0], 1.0), [0.5, 0.0, 0.5], "A blocked move has value −inf and probability 0."),
            Case(
                ([blocked, 3.0, 4.0], cold),
                [0.0, 0.0, 1.0],
                "Subtract the largest value, not the first: it may be −inf.",
            ),
            Case(([4.0, 3.0], cold), [1.0, 0.0], "exp(4000) overflows: subtract the largest value before exp."),
            Case(
                ([-900.0, -901.0], 1.0), [e / (1 + e), 1 / (1 + e)], "exp(−900) is 0: subtract the largest value first."
            ),
            Case(
                ([blocked, -900.0, -901.0], 1.0),
                [0.0, e / (1 + e), 1 / (1 + e)],
                "Blocked is exactly 0, whatever the others are worth: −∞, not a large negative number.",
            ),
        ],
    )


def check_expected_value(answer: Callable[[list[float], list[float]], float]) -> Feedback:
    """Exercise 2.2: what a cell is worth if its move is drawn from a policy."""
    blocked = -np.inf
    return check(
        answer,
        "expected_value",
        [
            Case(
                ([0.6, 0.25, 0.05, 0.1], [3, 1, -4, 0]), 1.85, "Weigh each move's value with its probability; no max."
            ),
            Case(([0, 1, 0, 0], [3, 1, -4, 0]), 1.0, "A certain move: its value, even if another is better."),
            Case(
                ([0.5, 0.5, 0, 0], [2, 4, blocked, blocked]),
                3.0,
                "0 · −inf is NaN: leave out moves with probability 0.",
            ),
            Case(([0.25] * 4, [1, 2, 3, 6]), 3.0, "With equal probabilities it is the plain mean."),
        ],
    )


class _CountedWorld:
    """A world that stops a walk without end, so that a wrong answer cannot hang the notebook."""

    def __init__(self, world: GridWorld, limit: int):
        self._world, self._left, self._limit = world, limit, limit

    def __deepcopy__(self, memo):
        return _CountedWorld(self._world, self._limit)

    def __getattr__(self, name: str):
        return getattr(self._world, name)

    def step(self, state: Cell, action: int):
        if self._left == 0:
            raise RuntimeError(f"the walk went on after {self._limit} moves")
        self._left -= 1
        return self._world.step(state, action)


def _walk(world, arrows: dict, start: Cell, max_moves: int) -> tuple[float, bool]:
    state, total = start, 0.0
    for _ in range(max_moves):
        state, reward, done = world.step(state, arrows[state])
        total += reward
        if done:
            return total, True
    return total, False


def check_walk(answer: Callable[[Any, dict, Cell, int], tuple[float, bool]]) -> Feedback:
    """Exercise 2.3: follow arrows from a cell, with a limit, and say what it earned and whether it ended."""
    right, left, down = 1, 3, 2
    world = GridWorld.from_text(". . M")
    ends = {(0, 0): right, (0, 1): right}
    circles = {(0, 0): right, (0, 1): left}
    corner = GridWorld.from_text(". . D\n. # .\n. . m", move_cost=0.5)
    around = {(0, 0): down, (1, 0): down, (2, 0): right, (2, 1): right, (0, 1): left, (1, 2): down}
    dragon = GridWorld.from_text(". . D")
    inputs = [
        (world, ends, (0, 1), 10, "One move: the reward of the end, less one cost."),
        (world, ends, (0, 0), 10, "Add up the rewards of all moves; each already has its cost taken off."),
        (world, ends, (0, 0), 2, "The move that ends the walk may be the last one allowed."),
        (world, ends, (0, 0), 1, "Stop after max_moves moves, and say that the walk did not end."),
        (world, circles, (0, 0), 7, "These arrows go round in a circle: only the limit stops the walk."),
        (dragon, ends, (0, 0), 10, "The dragon ends the walk too: use the third thing that step returns."),
        (corner, around, (0, 1), 20, "Look the arrow up in every cell that the walk comes to."),
    ]
    cases = [
        Case(
            (_CountedWorld(place, 10 * limit), arrows, start, limit),
            _walk(place, arrows, start, limit),
            hint,
            shown=f"{place.to_text().splitlines()}, arrows={arrows}, start={start}, max_moves={limit}",
        )
        for place, arrows, start, limit, hint in inputs
    ]
    return check(answer, "walk", cases)


# --- chapter 3 ------------------------------------------------------------------------------------------------------


def check_unseen_error(answer: Callable[[list[float], list[float], list[bool]], float]) -> Feedback:
    """Exercise 3.1: root mean squared error over the states that were not visited."""
    return check(
        answer,
        "unseen_error",
        [
            Case(([2, 4], [5, 4], [False, False]), 4.5**0.5, "The root of the mean of (2 − 5)² and (4 − 4)²."),
            Case(
                ([9, 1, 2], [0, 1, 4], [True, False, False]), 2**0.5, "Leave out what was visited, however wrong it is."
            ),
            Case(
                ([1, 3, 5], [1, 0, 5], [True, False, True]), 3.0, "Divide by the number of unseen states, not of all."
            ),
            Case(([1, -1], [0, 0], [False, False]), 1.0, "Errors of opposite sign must not cancel: square first."),
        ],
    )


def check_masked_softmax(answer: Callable[[list[float], list[bool]], Any]) -> Feedback:
    """Exercise 3.2: softmax over the open moves only."""
    e = np.e

    def refuses(logits, open_moves):
        """What the answer does when nothing is open, in a word."""
        try:
            return answer(logits, open_moves)
        except ValueError:
            return "ValueError"
        except Exception as error:
            return error

    feedback = check(
        answer,
        "masked_softmax",
        [
            Case(([0.0, 1.0], [True, True]), [1 / (1 + e), e / (1 + e)], "With everything open it is the softmax."),
            Case(([0.0, 1.0, 5.0], [True, True, False]), [1 / (1 + e), e / (1 + e), 0.0], "The open moves sum to 1."),
            Case(([7.0, 0.0], [False, True]), [0.0, 1.0], "One open move is certain."),
            Case(([-2.0, -3.0, 0.0], [True, True, False]), [e / (1 + e), 1 / (1 + e), 0.0], "Blocked is not logit 0."),
            Case(([900.0, 899.0], [True, True]), [e / (1 + e), 1 / (1 + e)], "Subtract the largest open logit first."),
            Case(([0.0, 900.0], [True, True]), [0.0, 1.0], "The largest open logit, wherever it stands."),
            Case(
                ([-2000.0, 0.0], [True, False]),
                [1.0, 0.0],
                "The largest of the *open* logits: a blocked one may be larger.",
            ),
        ],
    )
    if feedback.passed:
        case = Case(([0.0, 30.0], [True, False]), [1.0, 0.0], "Blocked means exactly 0, not nearly: a logit of −∞.")
        got = answer(*copy.deepcopy(case.args))
        if float(got[1]) != 0:
            return _wrong("masked_softmax", case, got)
        got = refuses([1.0, 2.0], [False, False])
        if not isinstance(got, str):
            case = Case(([1.0, 2.0], [False, False]), "ValueError", "With no open move there is no policy: raise it.")
            return _wrong("masked_softmax", case, got)
    return feedback


def check_to_xy(answer: Callable[[int, int, int, int], Any]) -> Feedback:
    """Exercise 3.3: a cell's column and row, scaled to [−1, 1]."""
    return check(
        answer,
        "to_xy",
        [
            Case((0, 0, 3, 5), [-1, -1], "The first row and column are at −1."),
            Case((0, 4, 3, 5), [1, -1], "x goes with the column, y with the row."),
            Case((2, 1, 3, 5), [-0.5, 1], "The last of n cells is at 1, so divide by n − 1."),
            Case((1, 2, 3, 5), [0, 0], "The middle of the grid is (0, 0)."),
            Case((0, 1, 1, 3), [0, 0], "A side of one cell gives 0."),
            Case((0, 2, 1, 3), [1, 0], "Only the side of one cell gives 0; the other is scaled as ever."),
            Case((2, 0, 3, 1), [0, 1], "Either side may have one cell."),
        ],
    )


# --- chapter 4 ------------------------------------------------------------------------------------------------------


def check_returns(answer: Callable[[list[float], float], list[float]]) -> Feedback:
    """Exercise 4.1: R_t = r_t + γ R_{t+1}."""
    return check(
        answer,
        "returns",
        [
            Case(([-1, -1, 4], 1.0), [2.0, 3.0, 4.0], "Go backwards: the last return is the last reward."),
            Case(([-1, -1, 4], 0.5), [-0.5, 1.0, 4.0], "γ shrinks the return that follows, not the reward of now."),
            Case(([2, 0, 0, 8], 0.5), [3.0, 2.0, 4.0, 8.0], "A reward k steps later counts γ to the power k."),
            Case(([3], 0.9), [3.0], "A walk of one step."),
        ],
    )


def check_td_errors(answer: Callable[[list[float], list[float], float, bool, float], list[float]]) -> Feedback:
    """Exercise 4.2: r_t + γ V(s_{t+1}) − V(s_t), with the right thing after the last step."""
    return check(
        answer,
        "td_errors",
        [
            Case(([-1, -1, 4], [2, 2, 3], 9.0, True, 1.0), [-1.0, 0.0, 1.0], "After arriving nothing follows, not 9."),
            Case(
                ([-1, -1, -1], [2, 2, 3], 2.0, False, 1.0), [-1.0, 0.0, -2.0], "Cut off: the rest is worth final_value."
            ),
            Case(([-1, 4], [2, 4], 0.0, True, 0.5), [-1.0, 0.0], "γ multiplies the value that follows, nothing else."),
            Case(([1], [1], 4.0, False, 0.5), [2.0], "γ also multiplies final_value."),
            Case(
                ([1, 0, 2], [4, 2, 8], 6.0, False, 0.5),
                [-2.0, 2.0, -3.0],
                "Every step looks one step ahead, with γ and not a power of it.",
            ),
        ],
    )


def check_push(answer: Callable[[list[float], int, float], list[float]]) -> Feedback:
    """Exercise 4.3: the gradient of gain · log π(action) with respect to the logits."""
    return check(
        answer,
        "push",
        [
            Case(([0.25] * 4, 1, 1.0), [-0.25, 0.75, -0.25, -0.25], "1 − π for the action taken, −π for the others."),
            Case(([0.6, 0.25, 0.05, 0.1], 0, 3.0), [1.2, -0.75, -0.15, -0.3], "All of it is multiplied by the gain."),
            Case(([0.6, 0.25, 0.05, 0.1], 2, -1.0), [0.6, 0.25, -0.95, 0.1], "A negative gain pushes the action down."),
            Case(([0.5, 0.5], 0, 0.0), [0.0, 0.0], "No gain, no push."),
        ],
    )


# --- chapter 5 ------------------------------------------------------------------------------------------------------


def check_weighted_mean(answer: Callable[[list[float], list[float], list[float]], float]) -> Feedback:
    """Exercise 5.1: importance sampling from draws of the old policy."""
    return check(
        answer,
        "weighted_mean",
        [
            Case(([1, 0], [0.5, 0.5], [0.8, 0.2]), 0.8, "Weights 1.6 and 0.4; the mean of 1.6 · 1 and 0.4 · 0."),
            Case(([4, 2, 6], [0.5, 0.25, 0.5], [0.5, 0.25, 0.5]), 4.0, "The same policy: the plain mean."),
            Case(([3, 3], [0.2, 0.2], [0.6, 0.1]), 5.25, "New over old, not old over new: 3 and 0.5."),
            Case(
                ([10, 10, 1], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]),
                40.75 / 3,
                "Divide by the number of draws, not by the sum of the weights.",
            ),
        ],
    )


def check_ratios(answer: Callable[[list[float], list[float]], list[float]]) -> Feedback:
    """Exercise 5.2: probability ratios from log-probabilities."""
    return check(
        answer,
        "ratios",
        [
            Case((np.log([0.3, 0.5]).tolist(), np.log([0.2, 0.5]).tolist()), [1.5, 1.0], "0.3 / 0.2 is 1.5."),
            Case(([-1.0], [-3.0]), [float(np.exp(2))], "e to the difference: new minus old."),
            Case(
                ([-800.0, -801.0], [-801.0, -800.0]),
                [float(np.e), float(1 / np.e)],
                "e^−800 rounds to 0: subtract before you take the exponential.",
            ),
        ],
    )


def check_effective_samples(answer: Callable[[list[float]], float]) -> Feedback:
    """Exercise 5.3: (Σρ)² / Σρ²."""
    return check(
        answer,
        "effective_samples",
        [
            Case(([1.0, 1.0, 1.0, 1.0],), 4.0, "Equal ratios: every sample counts in full."),
            Case(([4.0, 0.0, 0.0, 0.0],), 1.0, "One sample carries everything."),
            Case(([3.0, 1.0],), 1.6, "The square of the sum, 16, over the sum of the squares, 10."),
            Case(([0.5, 0.5, 0.5],), 3.0, "The scale of the ratios cancels."),
        ],
    )


# --- chapter 6 ------------------------------------------------------------------------------------------------------

SIX = [(1.0, 0.5), (1.0, 1.0), (1.0, 1.5), (-1.0, 0.5), (-1.0, 1.0), (-1.0, 1.5)]  # advantage, ratio


def check_clipped(answer: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 6.1: the clipped objective of one sample."""
    hint = {
        (1.0, 0.5): "The smaller of 0.5 and 0.8: below the band a good move keeps its slope.",
        (1.0, 1.5): "The smaller of 1.5 and 1.2: beyond the band a good move earns no more.",
        (-1.0, 0.5): "The smaller of −0.5 and −0.8 is −0.8; it is the minimum for negative advantages, too.",
        (-1.0, 1.5): "The smaller of −1.5 and −1.2 is −1.5: a bad move that became likelier costs in full.",
    }
    cases = [
        Case((r, a, 0.2), min(r * a, min(max(r, 0.8), 1.2) * a), hint.get((a, r), "Inside the band it is ratio · A."))
        for a, r in SIX
    ]
    cases += [
        Case((1.25, 2.0, 0.3), 2.5, "With ε = 0.3 the band ends at 1.3."),
        Case((0.5, -2.0, 0.3), -1.4, "With ε = 0.3 the band begins at 0.7."),
    ]
    return check(answer, "clipped", cases)


def check_pushes(answer: Callable[[float, float, float], bool]) -> Feedback:
    """Exercise 6.2: whether a sample still has a gradient."""
    expected = {(1.0, 1.5): False, (-1.0, 0.5): False}
    hints = {
        (1.0, 0.5): "A good move that became rarer is pulled back: the minimum is the unclipped term.",
        (-1.0, 1.5): "A bad move that became likelier is pushed back: the minimum is the unclipped term.",
        (1.0, 1.5): "A good move beyond the band has what it wanted.",
        (-1.0, 0.5): "A bad move below the band has what it wanted.",
    }
    cases = [
        Case((r, a, 0.2), expected.get((a, r), True), hints.get((a, r), "Inside the band every sample pushes."))
        for a, r in SIX
    ]
    cases += [
        Case((1.25, 3.0, 0.3), True, "With ε = 0.3 the band ends at 1.3."),
        Case((0.75, -3.0, 0.3), True, "With ε = 0.3 the band begins at 0.7."),
        Case((1.0, 0.0, 0.2), False, "No advantage, no push."),
    ]
    return check(answer, "pushes", cases)


def check_batch_loss(answer: Callable[[list[float], list[float], list[float], float], float]) -> Feedback:
    """Exercise 6.3: the mean clipped loss of a batch."""

    def case(ratios, advantages, eps, expected, hint):
        old = [-2.0] * len(ratios)
        return Case(((np.log(ratios) - 2).tolist(), old, advantages, eps), expected, hint)

    return check(
        answer,
        "batch_loss",
        [
            Case(([-1.0], [-1.0], [2.0], 0.2), -2.0, "The ratio is 1; a loss is minus the objective."),
            Case((np.log([0.3]).tolist(), np.log([0.2]).tolist(), [1.0], 0.2), -1.2, "The ratio is e^(new − old)."),
            Case((np.log([0.3]).tolist(), np.log([0.2]).tolist(), [-1.0], 0.2), 1.5, "The larger of 1.5 and 1.2."),
            case(
                [1.72, 0.84, 1.21, 1.43, 0.82], [0.8, -0.5, 0.3, 0.6, -0.9], 0.2, -0.1764, "Five samples, their mean."
            ),
            case([0.5, 1.5], [1.0, 1.0], 0.2, -0.85, "The minimum of each sample, 0.5 and 1.2; only then the mean."),
            case([1.25, 0.5], [1.0, -1.0], 0.3, -0.275, "ε is an argument."),
        ],
    )


def check_approximate_kl(answer: Callable[[list[float], list[float]], float]) -> Feedback:
    """Exercise 6.4: the mean k3 estimate of KL(π_old‖π_θ)."""
    e = np.e
    return check(
        answer,
        "approximate_kl",
        [
            Case(([-1.0, -2.0], [-1.0, -2.0]), 0.0, "The same policy: no distance."),
            Case(([-1.0], [-2.0]), e - 2, "x = log π_θ − log π_old is 1: (e − 1) − 1."),
            Case(([-2.0], [-1.0]), 1 / e, "x is −1: (1/e − 1) + 1. Never negative."),
            Case(
                ([-1.0, -2.0, -1.0, -1.0], [-2.0, -1.0, -1.0, -1.0]), (e - 2 + 1 / e) / 4, "The mean over all samples."
            ),
        ],
    )


# --- chapter 7 ------------------------------------------------------------------------------------------------------


def check_targets(answer: Callable[[list[float], list[float]], tuple]) -> Feedback:
    """Exercise 7.1: whitened advantages, and returns made from the advantages as they were."""

    def both(advantages, values):
        """The pair as one list of two lists, so that tuples, lists and arrays all may answer."""
        got = answer(advantages, values)
        if got is None or got is Ellipsis:
            return got
        whitened, returns = got
        return [list(map(float, whitened)), list(map(float, returns))]

    root = 1.5**0.5  # in hundreds, so that a small ε beside the standard deviation does not show
    return check(
        both,
        "targets",
        [
            Case(([100.0, 200.0, 300.0], [0.0] * 3), [[-root, 0, root], [100, 200, 300]], "Returns keep their scale."),
            Case(([100.0, 300.0], [5.0, -2.0]), [[-1, 1], [105, 298]], "A return is advantage plus value."),
            Case(([-400.0, 400.0], [1.0, 1.0]), [[-1, 1], [-399, 401]], "Divide by the standard deviation over n."),
        ],
    )


def check_repaired_loss(answer: Callable) -> Feedback:
    """Exercise 7.2: PPO's loss of a minibatch; each case shows one of its parts alone, the last one its gradient."""
    import torch  # the exercises of the first chapters need no torch

    from ppo_helpers.objectives import policy_loss, value_loss

    zero, one, minus = [0.0], [1.0], [-1.0]

    def right(logprobs, old, advantages, values, returns, entropies, eps, vf_coef, ent_coef):
        policy = policy_loss(logprobs, old, advantages, eps)
        return policy + vf_coef * value_loss(values, returns) - ent_coef * entropies.mean()

    def case(hint, logprobs, old, advantages, values=zero, returns=zero, entropies=zero, numbers=(0.2, 0.5, 0.01)):
        columns = (logprobs, old, advantages, values, returns, entropies)
        learned = (True, False, False, True, False, True)
        args = (*(torch.tensor(x, requires_grad=y) for x, y in zip(columns, learned, strict=True)), *numbers)
        shown = ", ".join(f"{name}={_show(x)}" for name, x in zip(LOSS_ARGUMENTS, (*columns, *numbers), strict=True))
        return Case(args, right(*args).item(), hint, shown)

    cases = [
        case("A loss is minus the objective: ratio 1, advantage 1.", minus, minus, one),
        case("The ratio is new over old.", [-0.9], minus, one),
        case("Beyond the band a good move earns no more: the minimum of the two products.", [-0.5], minus, one),
        case("A bad move that became likelier costs in full: still the minimum.", [-0.5], minus, [-1.0]),
        case("A good move that became rarer is not clipped.", [-1.5], minus, one),
        case("The value loss is the squared error, not the gain.", minus, minus, zero, one, [3.0]),
        case("An entropy bonus lowers the loss.", minus, minus, zero, zero, zero, [2.0]),
        case("The minimum of each sample; only then the mean.", [-1.5, -0.5], [-1.0, -1.0], [1.0, 1.0]),
        case(
            "All terms together, as means over the batch.",
            [-1.0, -0.2, -2.0], [-1.1, -0.9, -1.0], [0.5, 2.0, -1.0], [1.0, 0.0, 2.0], [0.5, 1.0, 2.5],
            [0.3, 0.6, 0.9], (0.3, 1.0, 0.1),
        ),
    ]  # fmt: skip
    feedback = check(answer, "repaired_loss", cases)
    if feedback.passed:
        last = cases[-1]
        got, expected = _gradients(answer, last.args), _gradients(right, last.args)
        if not _same(got, expected):
            hint = "The value is right, but not what backward() makes of it: leave out detach, item and no_grad."
            return _wrong("repaired_loss", Case(last.args, expected, hint, f"{last.shown}, its gradients"), got)
    return feedback


LOSS_ARGUMENTS = (
    "logprobs", "old_logprobs", "advantages", "values", "returns", "entropies", "eps", "vf_coef", "ent_coef",
)  # fmt: skip


def _gradients(loss: Callable, args: tuple) -> list | str:
    """The gradient of a loss with respect to each argument that is learned."""
    args = copy.deepcopy(args)
    value = loss(*args)
    if not getattr(value, "requires_grad", False):
        return "a loss without a gradient"
    value.backward()
    return [x.grad.tolist() if x.grad is not None else None for x in args if getattr(x, "requires_grad", False)]


def check_optimizer_steps(answer: Callable[[int, int, int, int], int]) -> Feedback:
    """Exercise 7.3: epochs times the number of minibatches, which is rounded up."""
    return check(
        answer,
        "optimizer_steps",
        [
            Case((64, 16, 4, 256), 16, "1,024 rows are 4 minibatches, and there are 4 epochs."),
            Case((8, 32, 20, 256), 20, "One minibatch per epoch."),
            Case((10, 10, 3, 64), 6, "100 rows, at most 64 in a minibatch: two of them per epoch."),
            Case((1, 5, 2, 256), 2, "A batch smaller than a minibatch is one step."),
        ],
    )


# --- chapter 8 ------------------------------------------------------------------------------------------------------


def check_text_logprobs(answer: Callable[[list[list[float]], list[int]], list[float]]) -> Feedback:
    """Exercise 8.1: log softmax at the token that follows each position."""

    def case(logits, ids, hint):
        scores = np.array(logits)[: len(ids) - 1]
        logprobs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return Case((logits, ids), logprobs[np.arange(len(ids) - 1), ids[1:]].tolist(), hint)

    return check(
        answer,
        "text_logprobs",
        [
            case([[0.0, 0.0], [0.0, 0.0]], [0, 1], "One token is predicted, at position 0: two equal scores, log ½."),
            case([[1.0, 3.0, 0.0], [9.0, 9.0, 9.0]], [2, 1], "Token 1 is predicted at position 0, not at its own."),
            case([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]], [1, 0, 1], "A score is no log-probability: subtract logsumexp."),
            case([[1.0, 2.0, 3.0]] * 4, [0, 0, 1, 2], "Three tokens, each predicted one position earlier."),
            case([[999.0, 998.0]] * 2, [0, 1], "e^999 is too large for a float: subtract the highest score first."),
            case([[0.0, 999.0, 998.0]] * 2, [0, 2], "The highest score of the row need not be its first."),
        ],
    )


def check_mean_probability(answer: Callable[[list[float], list[bool]], float]) -> Feedback:
    """Exercise 8.2: the geometric mean of the probabilities of the tokens that count."""

    def case(logprobs, mask, hint):
        return Case((logprobs, mask), float(np.exp(np.mean(np.array(logprobs)[mask]))), hint)

    everything = [True] * 5
    return check(
        answer,
        "mean_probability",
        [
            case([-1.0], [True], "One token: its own probability, e to its log-probability."),
            case([-4.88, -1.77, -2.08, -3.76, -0.73], everything, "e to the mean, not the mean of e to each."),
            case(
                [-1.0, -2.0, -9.0], [True, True, False], "The third token is padding: neither in the sum nor counted."
            ),
            case([-1.0, -3.0, -9.0, -8.0], [True, True, False, False], "There may be more padding than one token."),
            case(
                [-9.0, -1.0, -2.0, -3.0], [False, True, False, True], "What counts may stand anywhere: the mask says."
            ),
        ],
    )


def check_at_temperature(answer: Callable[[list[float], float], list[float]]) -> Feedback:
    """Exercise 8.3: divide log-probs by the temperature, and normalise again."""

    def case(probs, temperature, hint):
        logprobs = np.log(probs)
        scaled = logprobs / temperature
        expected = scaled - np.logaddexp.reduce(scaled)
        return Case((logprobs.tolist(), temperature), expected.tolist(), hint)

    return check(
        answer,
        "at_temperature",
        [
            case([0.5, 0.5], 0.5, "Two equal ones stay equal, and their probabilities must still add up to 1."),
            case([0.8, 0.2], 2.0, "Above 1 the likely gets less likely: roots of 0.8 and 0.2, normalised."),
            case([0.7, 0.2, 0.1], 0.5, "Below 1 the likely gets likelier: squares, normalised."),
            case([0.7, 0.2, 0.1], 1.0, "Temperature 1 changes nothing."),
            case([0.4, 0.35, 0.25], 0.001, "e to each is 0 in a float now: subtract the highest first."),
            case([0.1, 0.9], 0.001, "The highest log-prob need not be the first."),
        ],
    )


# --- chapter 9 ------------------------------------------------------------------------------------------------------


def check_sequence_ratios(answer: Callable[[list[float], list[float], list[bool]], Any]) -> Feedback:
    """Exercise 9.1: the ratio per token as a geometric mean, and that of the whole response."""

    def case(logprobs, old_logprobs, mask, hint):
        gained = (np.array(logprobs) - np.array(old_logprobs))[mask]
        return Case((logprobs, old_logprobs, mask), [float(np.exp(gained.mean())), float(np.exp(gained.sum()))], hint)

    return check(
        answer,
        "sequence_ratios",
        [
            case([-1.0, -2.0], [-1.0, -2.0], [True, True], "Nothing has changed: both are 1."),
            case([-1.0, -1.0], [-1.5, -1.1], [True, True], "e to the mean of the differences, and e to their sum."),
            case([-1.0, -1.0], [-2.0, -0.5], [True, True], "A geometric mean, not the mean of the two ratios."),
            case([-1.0, -1.0, 0.0], [-2.0, -1.0, -5.0], [True, True, False], "Padding is neither summed nor counted."),
            case([-1.0, -1.0, 0.0], [-5.0, -2.0, -1.0], [False, True, True], "What counts may stand anywhere."),
        ],
    )


def check_token_weights(answer: Callable[[list[list[bool]]], list[list[float]]]) -> Feedback:
    """Exercise 9.2: what one token counts if responses are averaged over their tokens first."""

    def case(mask, hint):
        real = np.array(mask, dtype=float)
        return Case((mask,), (real / real.sum(axis=1, keepdims=True) / len(mask)).tolist(), hint)

    return check(
        answer,
        "token_weights",
        [
            case([[True, True]], "One response of two tokens: a half each."),
            case([[True, False], [True, True]], "Each response has half of the weight, however many tokens it has."),
            case(
                [[True, True, True, True], [True, False, False, False]], "The token of the short one counts for four."
            ),
            case([[False, True], [True, True]], "What counts may stand anywhere: the mask says."),
        ],
    )


def check_same_policy(answer: Callable[[list[float], list[float], list[bool], float], bool]) -> Feedback:
    """Exercise 9.3: is every ratio 1 before the first step?"""

    def case(logprobs, old_logprobs, mask, expected, hint, tolerance=1e-3):
        return Case((logprobs, old_logprobs, mask, tolerance), expected, hint)

    two, far = [True, True], [-1.0, -1.0]
    opposite = (-1 - np.log([1.1, 0.9])).tolist()
    return check(
        answer,
        "same_policy",
        [
            case([-1.0, -2.0], [-1.0, -2.0], two, True, "All ratios are exactly 1."),
            case([-1.0, -2.0], [-1.0, -2.0002], two, True, "A ratio of 1.0002 is within the tolerance."),
            case([-1.0, -2.0], [-1.0, -2.1], two, False, "One token is enough: its ratio is about 1.1."),
            case(far, [-1.1, -0.9], two, False, "One up, one down: their mean difference is 0, the ratios are not 1."),
            case(far, opposite, two, False, "The mean of 1.1 and 0.9 is 1, but neither of them is."),
            case([-1.0, -2.0], [-0.5, -2.0], two, False, "A ratio below 1 is as wrong as one above."),
            case(far, [-1.0, -9.0], [True, False], True, "What stands in the padding does not count."),
            case(far, [-9.0, -1.0], [False, True], True, "What counts may stand anywhere: the mask says."),
            case([-9.0], [-9.1], [True], False, "A ratio of two probabilities, however small both of them are."),
            case([-0.001], [-0.0012], [True], True, "A ratio of the probabilities, not of their logarithms."),
            case([-1.0], [-1.2], [True], True, "The tolerance is an argument: here a ratio of 1.22 will do.", 0.3),
            case([-1.0], [-1.28], [True], False, "Compare e to the difference with 1, not the difference with 0.", 0.3),
            case([-1.0], [-1.0001], [True], False, "The tolerance is an argument: here 1.0001 is too far.", 1e-5),
        ],
    )
