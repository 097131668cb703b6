"""How a check answers: the reader's function is tried on small inputs, and the first wrong result is explained."""

import copy
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from ppo_helpers.exercises.judge import Endless, Judge

STEPS = 50_000  # lines of the reader's code for one input; right answers take a few dozen, long-winded ones a thousand
INSTRUCTIONS = 20  # of Python's machine that count as much as a line
ENDLESS = "Which condition ends it? It never came true."


@dataclass(frozen=True)
class Case:
    """One input an answer is tried on, made for one likely mistake."""

    args: tuple
    expected: Any  # a number, a list, a tuple or a bool; or the class of the error that must be raised
    hint: str
    exact_zeros: bool = False  # a 0 must be 0, not nearly


@dataclass(frozen=True)
class Feedback:
    """What a check found; a notebook shows it when it is the last expression of a cell."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return self.message


def check(answer: Callable, name: str, cases: Iterable[Case], endless: str = ENDLESS) -> Feedback:
    """Try an answer on every case and stop at the first that fails.

    Args:
        answer: the reader's function.
        name: the exercise's name.
        cases: inputs with the expected result and a hint each.
        endless: the hint for an answer that does not come to an end.

    Returns:
        ``Feedback`` that says "not started" for an untouched stub, the first failing input with expected and got
        and a hint for a wrong answer, one line for a right one.

    Raises:
        ValueError: if ``answer`` is not callable.
    """
    if not callable(answer):
        raise ValueError(f"answer must be a function, got {answer!r}")
    if _given_away is not None:
        _given_away.append((answer, name, list(cases), endless))
        return Feedback(False, "")
    return Feedback(*NotebookJudge().check(answer, name, cases, endless))


Given = tuple[Callable, str, list[Case], str]  # what ``check`` was given
_given_away: list[Given] | None = None


@contextmanager
def giving_cases_away() -> Iterator[list[Given]]:
    """Inside, a check tries nothing: it puts what it would try into the list."""
    global _given_away
    _given_away = []
    try:
        yield _given_away
    finally:
        _given_away = None


def gradients(loss: Callable) -> Callable:
    """The gradient of a loss by each argument that is learned; 0 where it does not depend on it."""
    import torch

    @wraps(loss)
    def by_learned(*args):
        learned, value = [x for x in args if getattr(x, "requires_grad", False)], loss(*args)
        if not getattr(value, "requires_grad", False):
            return [torch.zeros_like(x).tolist() for x in learned]
        found = torch.autograd.grad(value, learned, allow_unused=True, materialize_grads=True)
        return [g.tolist() for g in found]

    return by_learned


def compare_loss(
    answer: Callable, name: str, cases: list[Case], right: Callable, learned: str, also: str = ""
) -> Feedback:
    """Its value in every case, and then its gradient in the last one: a right value may have none.

    Args:
        answer: the reader's function.
        name: the exercise's name.
        cases: inputs with the value and a hint each.
        right: the loss itself.
        learned: the arguments that carry a gradient, in words.
        also: what else to say of a wrong gradient.
    """
    import torch

    with torch.enable_grad():  # a notebook may have switched it off
        feedback = check(answer, name, cases)
        if not feedback.passed:
            return feedback
        args, hint = cases[-1].args, f"The value is right. This is its gradient by {learned}: "
        hint += f"no detach, item, no_grad, NumPy, *=.{also}"
        second = check(gradients(answer), name, [Case(args, gradients(right)(*args), hint)])
        return feedback if second.passed else second


# --- running the reader's code --------------------------------------------------------------------------------------


class StoppedError(Endless):
    def __repr__(self) -> str:
        return f"no result after {STEPS:,} steps: stopped"


def _at_most(steps: int, answer: Callable, args: tuple) -> Any:
    """Call the answer, and stop it after so many lines of the reader's own code.

    Lines are counted and not seconds: a slow machine, or a library that loads on first use, must not look like an
    endless loop. A trace function is the one way to stop a loop that works on every system and in every thread:
    alarms need Unix and the main thread, a helper thread cannot be killed, and another process knows no notebook.
    What turns inside one call, as ``sum(itertools.count())`` does, is not seen: that takes the stop button.
    """
    if sys.gettrace() is not None:  # a debugger is at work, and whoever uses it can stop the loop
        return answer(*args)
    modules, left = _readers_modules(answer), steps * INSTRUCTIONS

    def count(frame, event, arg):
        nonlocal left
        left -= {"line": INSTRUCTIONS, "opcode": 1}.get(event, 0)
        if left < 0:
            raise StoppedError
        return count

    def begin(frame, event, arg):
        if frame.f_globals.get("__name__") in modules:
            frame.f_trace_opcodes = True  # to Python 3.11 all rounds of `while True: pass` are one line
            return count

    sys.settrace(begin)
    try:
        return answer(*args)
    finally:
        sys.settrace(None)


def _readers_modules(answer: Callable) -> set[str | None]:
    """Where the reader's code is: the notebook, and the file the answer came from."""
    return {"__main__", getattr(answer, "__module__", None)}


class NotebookJudge(Judge):
    """Knows arrays and tensors, counts lines, and asks Python itself about the answer."""

    endless_errors = (Endless, RecursionError)

    def call(self, answer: Callable, args: tuple) -> Any:
        return _at_most(STEPS, answer, args)

    def copy(self, args: tuple) -> tuple:
        """Lists one by one: if one stood in two places, an answer that works in place would change both."""
        memo: dict[int, Any] = {}

        def fresh(value: Any) -> Any:
            if type(value) in (list, tuple):
                return type(value)(map(fresh, value))
            return copy.deepcopy(value, memo)  # an optimiser goes on with the parameters of its network

        return fresh(args)

    def plain(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self.plain, value))
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return list(map(self.plain, value))
        if hasattr(value, "detach"):
            value = value.detach().cpu()
        if hasattr(value, "tolist"):
            return value.tolist()
        fraction = hasattr(value, "__float__") and not isinstance(value, int | float | type)
        return float(value) if fraction else value

    def names(self, answer: Callable, args: tuple) -> list[str]:
        try:
            return list(inspect.signature(answer).bind(*args).arguments)
        except (TypeError, ValueError):  # it takes others; or it is written in C, and does not say
            return []

    def accepts(self, answer: Callable, args: tuple, error: TypeError) -> bool:
        try:
            inspect.signature(answer).bind(*args)
        except TypeError:
            return False
        except ValueError:  # it does not say what it takes
            pass
        return True

    def line(self, answer: Callable, got: Any) -> str:
        if not isinstance(got, BaseException):
            return ""
        modules, steps = _readers_modules(answer), traceback.walk_tb(got.__traceback__)
        lines = [line for frame, line in steps if frame.f_globals.get("__name__") in modules]
        return f" (line {lines[-1]})" if lines else ""
