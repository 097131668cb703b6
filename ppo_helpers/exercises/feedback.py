"""How a check answers: the reader's function is tried on small inputs, and the first wrong result is explained."""

import copy
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

STEPS = 50_000  # lines of the reader's code for one input; right answers take a few dozen, long-winded ones a thousand
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
    tried = 0
    for case in cases:
        got = _outcome(answer, case.args)
        if tried == 0 and got is None:
            return Feedback(False, f"Not started: nothing came back from {name}. Replace the ... and end with return.")
        if not _is_right(got, case):
            return Feedback(False, _explain(answer, name, case, got, _hint(answer, case, got, endless)))
        tried += 1
    return Feedback(True, f"Correct: {name} agrees on all {tried} inputs.")


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
    answer: Callable, name: str, cases: list[Case], right: Callable, learned: str, at: int = -1
) -> Feedback:
    """Its value in every case, and then its gradient in the one at ``at``: a right value may have none.

    Args:
        answer: the reader's function.
        name: the exercise's name.
        cases: inputs with the value and a hint each.
        right: the loss itself.
        learned: the arguments that carry a gradient, in words.
        at: the case whose gradient is compared.
    """
    import torch

    with torch.enable_grad():  # a notebook may have switched it off
        feedback = check(answer, name, cases)
        if not feedback.passed:
            return feedback
        args, hint = cases[at].args, f"The value is right. This is its gradient by {learned}: "
        hint += "no detach, item, no_grad, NumPy, *=."
        second = check(gradients(answer), name, [Case(args, gradients(right)(*args), hint)])
        return feedback if second.passed else second


# --- running the reader's code --------------------------------------------------------------------------------------


class _Endless(BaseException):
    """An answer that was stopped. No ``Exception``: the answer's own ``except`` must not swallow it."""

    def __repr__(self) -> str:
        return f"no result after {STEPS:,} steps: stopped"


def _outcome(answer: Callable, args: tuple) -> Any:
    """What an answer returns, None for a stub; or what it raises: that is feedback, not a traceback."""
    args = copy.deepcopy(args)  # an answer that changes its input must not spoil the next case
    try:
        got = _at_most(STEPS, answer, args)
    except NotImplementedError:
        return None
    except (Exception, _Endless) as error:
        return error
    return None if got is Ellipsis else got


def _at_most(steps: int, answer: Callable, args: tuple) -> Any:
    """Call the answer, and stop it after so many lines of the reader's own code.

    Lines are counted and not seconds: a slow machine, or a library that loads on first use, must not look like an
    endless loop. A trace function is the one way to stop a loop that works on every system and in every thread:
    alarms need Unix and the main thread, a helper thread cannot be killed, and another process knows no notebook.
    What turns inside one call, as ``sum(itertools.count())`` does, is not seen: that takes the stop button.
    """
    if sys.gettrace() is not None:  # a debugger is at work, and whoever uses it can stop the loop
        return answer(*args)
    modules, left = _readers_modules(answer), steps

    def count(frame, event, arg):
        nonlocal left
        left -= event == "line"
        if left < 0:
            raise _Endless
        return count

    sys.settrace(lambda frame, event, arg: count if frame.f_globals.get("__name__") in modules else None)
    try:
        return answer(*args)
    finally:
        sys.settrace(None)


def _readers_modules(answer: Callable) -> set[str | None]:
    """Where the reader's code is: the notebook, and the file the answer came from."""
    return {"__main__", getattr(answer, "__module__", None)}


# --- is it right? ---------------------------------------------------------------------------------------------------


def _is_right(got: Any, case: Case) -> bool:
    if isinstance(case.expected, type):
        return isinstance(got, case.expected)
    if isinstance(got, BaseException) or not _same(got, case.expected):
        return False
    return not (case.exact_zeros and np.asarray(_plain(got))[np.asarray(case.expected) == 0].any())


def _same(got: Any, expected: Any) -> bool:
    """Equal up to rounding; a list may answer for an array, never a scalar for a list."""
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


# --- what the reader is told ----------------------------------------------------------------------------------------


def _explain(answer: Callable, name: str, case: Case, got: Any, hint: str) -> str:
    for digits in (4, 8, 17):  # two numbers that differ must look different
        expected, outcome = _show(case.expected, digits), _show(got, digits)
        if expected != outcome:
            break
    return (
        f"Not yet: {name} differs on one input.\n"
        f"  input     {_input(answer, case.args)}\n  expected  {expected}\n"
        f"  got       {outcome}{_line(answer, got)}\n  hint      {hint}"
    )


def _input(answer: Callable, args: tuple) -> str:
    """The arguments, with the reader's names for them."""
    try:
        names = list(inspect.signature(answer).bind(*args).arguments)
    except (TypeError, ValueError):  # it takes others; or it is written in C, and does not say
        names = []
    if len(names) != len(args):
        return ", ".join(map(_show, args))
    return ", ".join(f"{name}={_show(arg)}" for name, arg in zip(names, args, strict=True))


def _line(answer: Callable, got: Any) -> str:
    """Where in the reader's cell it went wrong."""
    if not isinstance(got, BaseException):
        return ""
    modules = _readers_modules(answer)
    lines = [line for frame, line in traceback.walk_tb(got.__traceback__) if frame.f_globals.get("__name__") in modules]
    return f" (line {lines[-1]})" if lines else ""


def _show(value: Any, digits: int = 4) -> str:
    value = _plain(value)
    if isinstance(value, type):
        return f"a {value.__name__}"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list | tuple):
        inside = [_show(item, digits) for item in value]
        inside = ", ".join(inside if len(inside) <= 12 else [*inside[:3], f"… {len(inside)} in all"])
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_show(key)}: {_show(item)}" for key, item in value.items()) + "}"
    text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    return " / ".join(text.splitlines())[:200]


def _hint(answer: Callable, case: Case, got: Any, endless: str) -> str:
    """The case's own hint, unless its value is not the trouble."""
    if isinstance(got, _Endless | RecursionError):
        return endless
    if isinstance(got, NameError):
        return "Python knows no such name at this point: define or import it first."
    if isinstance(got, TypeError) and not _accepts(answer, case.args):
        return f"Your function must take the {_count(len(case.args), 'argument')} of the stub."
    if isinstance(got, BaseException) or isinstance(case.expected, type):
        return case.hint
    if got is None:
        return "Nothing came back for this input: every way through the function must end with return."
    return _kind(got, case.expected) or case.hint


def _accepts(answer: Callable, args: tuple) -> bool:
    try:
        inspect.signature(answer).bind(*args)
    except TypeError:
        return False
    except ValueError:  # it does not say what it takes
        pass
    return True


def _kind(got: Any, expected: Any) -> str | None:
    """What to return, if the answer is of another kind than what was expected."""
    if isinstance(expected, tuple):
        return None if isinstance(got, tuple) else f"Return {len(expected)} things as a tuple: return a, b."
    if isinstance(expected, bool):
        return None if isinstance(_plain(got), int) else "Return True or False."
    form = _form(np.shape(expected))
    if isinstance(got, Iterator):
        return f"Return {form}: put list(…) around what you return."
    try:
        same = not isinstance(got, str) and np.ndim(_plain(got)) == np.ndim(expected)
    except ValueError:  # lists of different lengths in a list
        same = False
    return None if same else f"Return {form}."


def _form(shape: tuple) -> str:
    if not shape:
        return "one number"
    numbers = _count(shape[-1], "number")
    return f"a list of {numbers}" if len(shape) == 1 else f"{_count(shape[0], 'list')} of {numbers}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
