"""The reader's cell on the published page: MicroPython runs it, and the checks answer as they do in a notebook."""

import collections
import io
import math
import sys

from ppo_helpers.exercises.judge import Endless, Judge

LIMIT = 3  # seconds; who waits longer stops the thread
Case = collections.namedtuple("Case", "args expected hint exact_zeros")
Feedback = collections.namedtuple("Feedback", "passed message")
Exercise = collections.namedtuple("Exercise", "name cases endless")


class Stopped(Endless):
    def __repr__(self):
        return f"no result after {LIMIT} seconds: stopped"


class World:
    """The world of exercise 2.1: what follows a move in each cell is written down."""

    def __init__(self, shown, moves, terminals, move_cost):
        self.shown, self.moves, self.terminals, self.move_cost = shown, moves, terminals, move_cost

    def step(self, state, action):
        if (state, action) not in self.moves:
            raise ValueError(f"no such move: state {state}, action {action}")
        return self.moves[state, action]

    def __repr__(self):
        return self.shown


class PageJudge(Judge):
    """Asks MicroPython, and the text of the cell where MicroPython does not know.

    Args:
        source: the reader's cell.
        soon: is given, before each case, what to say if the answer never comes back.
    """

    def __init__(self, source, soon):
        self.source, self.soon = source, soon

    def outcome(self, answer, name, case, endless):
        self.soon(self.explain(answer, name, case, Stopped(), endless))
        return Judge.outcome(self, answer, name, case, endless)

    def hint(self, answer, case, got, endless):
        if isinstance(got, BaseException):
            if isinstance(got, MemoryError) or "recursion" in str(got):
                return endless
            return unknown_here(got) or Judge.hint(self, answer, case, got, endless)
        return Judge.hint(self, answer, case, got, endless)

    def call(self, answer, args):
        try:
            return answer(*args)
        except NotImplementedError as error:
            if lacking(error):  # it is MicroPython that has not implemented something, not the reader
                raise TypeError(str(error) or LACKING)
            raise

    def copy(self, args):
        if isinstance(args, (list, tuple)):
            return type(args)(map(self.copy, args))
        if isinstance(args, dict):
            return {key: self.copy(value) for key, value in args.items()}
        return args

    def plain(self, value):
        if isinstance(value, tuple):
            return tuple(map(self.plain, value))
        if isinstance(value, (list, range, deque)):
            return list(map(self.plain, value))
        return value

    def names(self, answer, args):
        _, found, rest = self.source.partition(f"def {name_of(answer)}(")
        if not found or "*" in rest.partition(")")[0]:
            return []
        names = [part.partition(":")[0].partition("=")[0].strip() for part in rest.partition(")")[0].split(",")]
        return [name for name in names if name][: len(args)]

    def accepts(self, answer, args, error):
        return not ("positional argument" in str(error) and str(error).startswith(name_of(answer) or "function"))

    def line(self, answer, got):
        return line_of(got) if isinstance(got, Exception) else ""


def run(source, exercises, soon=lambda text: None):
    """Run a reader's cell.

    Args:
        source: the cell; its last line calls a check, as in the notebook.
        exercises: by the name of the check; None for one that needs PyTorch.
        soon: is given, before each case, what to say if the answer never comes back.

    Returns:
        Whether the answer is right, and what the reader is told.
    """
    source = plain_signs(source)
    complete_modules()  # anew: the cell before may have changed them
    checks, told = Checks(PageJudge(source, soon), exercises), "The cell has run. No check was called in it."
    soon(f"Python has not come to the end of the cell after {LIMIT} seconds: stopped.")
    try:
        exec(compile(source, "answer", "exec"), {"exercises": checks, "math": math, "zip": strict_zip, "sum": sum_from})
    except BaseException as error:
        said = f"Python stopped: {type(error).__name__}: {error}{line_of(error)}"
        return False, f"{said}\n{unknown_here(error)}".rstrip()
    return checks.found or (False, told)


def plain_signs(source):
    """A phone's keyboard writes quotes and dashes as a printer sets them, and Python knows none of these."""
    for typeset, plain in (("“", '"'), ("”", '"'), ("„", '"'), ("‘", "'"), ("’", "'"), ("–", "-"), ("−", "-")):
        source = source.replace(typeset, plain)
    return source


class Checks:
    """What the cell knows as ``exercises``."""

    def __init__(self, judge, exercises):
        self.judge, self.exercises, self.found = judge, exercises, None

    def __getattr__(self, check):
        if check not in self.exercises:
            raise AttributeError(f"there is no {check}")
        if self.exercises[check] is None:
            raise ValueError("This exercise needs PyTorch, which the page has not: answer it in Colab or a notebook.")

        def checked(answer):
            if not callable(answer):
                raise ValueError(f"answer must be a function, got {answer!r}")
            exercise = self.exercises[check]
            self.found = Feedback(*self.judge.check(answer, exercise.name, exercise.cases(), exercise.endless))
            return self.found

        return checked


def name_of(answer):
    """The name in the reader's ``def``; nothing for an object that can be called."""
    return getattr(answer, "__name__", "")


LACKING = "MicroPython has not implemented this"


def lacking(error):
    """Is it the page's Python that lacks something? A stub may raise the same error, with words of its own."""
    return not str(error) or "slice" in str(error)


def unknown_here(error):
    """What to say of things that the page's small Python does not have."""
    text = str(error)
    quoted = text.split("'")[1].split(".")[0] if text.count("'") >= 2 else ""
    if isinstance(error, (NameError, ImportError)) and quoted in ("np", "numpy", "torch"):
        return "The page has no NumPy and no PyTorch: write it with lists and math, or run the notebook."
    if isinstance(error, ImportError):
        return "The page's small Python lacks this. It has the common half of math and functools."
    if "slices with step" in text:
        return "The page's small Python turns lists round with [::-1], but nothing else: list(a)[::-1]."
    if "assignment target" in text:
        return "The page's small Python does not know [*a, b]: write list(a) + [b]."
    if text == LACKING or any(words in text for words in ("keyword argument", "__or__: 'type'", "module '")):
        return "The page's small Python lacks this; the notebook has it."
    return ""


def line_of(error):
    """The last line of the reader's cell that an error went through."""
    told = io.StringIO()
    sys.print_exception(error, told)
    lines = [row.partition(", line ")[2].partition(",")[0] for row in told.getvalue().split("\n") if '"answer"' in row]
    return f" (line {lines[-1].strip()})" if lines else ""


# --- what readers may expect of Python, and MicroPython has not -------------------------------------------------------

real_zip, real_sum, real_math, real_collections = zip, sum, math, collections


def strict_zip(*rows, strict=False):
    if strict:
        rows = [list(row) for row in rows]
        if any(len(row) != len(rows[0]) for row in rows):
            raise ValueError("zip(): the arguments are of different lengths")
    return real_zip(*rows)


def sum_from(items, start=0):
    return real_sum(items, start)


class deque(list):  # MicroPython's own wants a largest length
    def popleft(self):
        item = self[0]
        del self[0]
        return item

    def pop(self):
        item = self[-1]
        del self[-1]
        return item

    def appendleft(self, item):
        self.insert(0, item)

    def __iadd__(self, items):
        self.extend(items)
        return self


class Module:
    """A module with more in it, or something else."""

    def __init__(self, module, **more):
        self._module = module
        for name, value in more.items():
            setattr(self, name, value)

    def __getattr__(self, name):
        return getattr(self._module, name)


def exp(x):
    try:
        return real_math.exp(x)
    except ValueError:
        raise OverflowError("math range error")


def log1p(x):
    whole = 1 + x
    return x if whole == 1 else real_math.log(whole) * x / (whole - 1)


def product(items, start=1):
    for item in items:
        start *= item
    return start


def complete_modules():
    """Let ``import math`` and ``import collections`` give what readers expect. In MicroPython only."""
    if sys.implementation.name != "micropython":
        return
    global math
    math = Module(real_math, exp=exp, log1p=log1p, fsum=sum_from, prod=product)
    sys.modules["math"], sys.modules["collections"] = math, Module(real_collections, deque=deque)
