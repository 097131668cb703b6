"""Is an answer right, and what is its reader told? In plain Python, which the published page runs as well.

There it is MicroPython: no NumPy, no ``[*a, b]``, no ``int | float`` for ``isinstance``, no keywords for ``zip``.
"""

import struct


class Endless(BaseException):
    """An answer that was stopped. No ``Exception``: the answer's own ``except`` must not swallow it."""


class Returned:
    """An error that came back like a result: it was not raised."""

    def __init__(self, error):
        self.error = error

    def __repr__(self):
        kind = self.error if isinstance(self.error, type) else type(self.error)
        return f"a {kind.__name__} that was returned, not raised"


class Judge:
    """Tries answers. What a notebook and a page do differently stands in the methods at the end."""

    endless_errors = (Endless,)

    def check(self, answer, name, cases, endless):
        """Try an answer on every case and stop at the first that fails.

        Args:
            answer: the reader's function.
            name: the exercise's name.
            cases: inputs, each with ``args``, ``expected``, ``hint`` and ``exact_zeros``.
            endless: the hint for an answer that does not come to an end.

        Returns:
            Whether it is right, and what its reader is told.
        """
        tried = 0
        for case in cases:
            got = self.outcome(answer, name, case, endless)
            if tried == 0 and got is None:
                return False, f"Not started: nothing came back from {name}. Replace the ... and end with return."
            if not self.is_right(got, case):
                return False, self.explain(answer, name, case, got, self.hint(answer, case, got, endless))
            tried += 1
        return True, f"Correct: {name} agrees on all {tried} inputs."

    def outcome(self, answer, name, case, endless):
        """What an answer returns, None for a stub; or what it raises: that is feedback, not a traceback."""
        try:
            got = self.call(answer, self.copy(case.args))  # an answer that changes its input must not spoil the next
            self.plain(got)  # a list may contain itself
        except NotImplementedError:
            return None
        except (Exception, SystemExit, Endless) as error:
            return error
        if isinstance(got, BaseException) or (isinstance(got, type) and issubclass(got, BaseException)):
            return Returned(got)
        return None if got is ... else got

    # --- is it right? -----------------------------------------------------------------------------------------------

    def is_right(self, got, case):
        if isinstance(case.expected, type):
            return isinstance(got, case.expected)
        if isinstance(got, BaseException) or not self.same(got, case.expected):
            return False
        return not (case.exact_zeros and self.is_blurred(got, case.expected))

    def same(self, got, expected):
        """Equal up to rounding; a list may answer for an array, never a scalar for a list."""
        got = self.plain(got)
        if isinstance(expected, bool):
            return isinstance(got, (bool, int)) and got == expected  # 1 and 0 will do
        if isinstance(expected, tuple):
            return isinstance(got, tuple) and len(got) == len(expected) and all(map(self.same, got, expected))
        got, expected = numbers(got), numbers(expected)
        return got is not None and got[0] == expected[0] and close(got[1], expected[1])

    def is_blurred(self, got, expected):
        """Is something that must be 0 only nearly so?"""
        return any(g != 0 for g, e in zip(numbers(self.plain(got))[1], numbers(expected)[1]) if e == 0)

    # --- what the reader is told ------------------------------------------------------------------------------------

    def explain(self, answer, name, case, got, hint):
        for digits in (4, 8, 17):  # two numbers that differ must look different
            expected, outcome = self.show(case.expected, digits), self.show(got, digits)
            if expected != outcome:
                break
        return (
            f"Not yet: {name} differs on one input.\n"
            f"  input     {self.show_input(answer, case.args)}\n  expected  {expected}\n"
            f"  got       {outcome}{self.line(answer, got)}\n  hint      {hint}"
        )

    def show_input(self, answer, args):
        """The arguments, with the reader's names for them."""
        names = self.names(answer, args)
        if len(names) != len(args):
            return ", ".join(map(self.show, args))
        return ", ".join(f"{name}={self.show(arg)}" for name, arg in zip(names, args))

    def show(self, value, digits=4):
        value = self.plain(value)
        if isinstance(value, type):
            return f"a {value.__name__}"
        if isinstance(value, float):
            return f"{value:.{digits}g}"
        if isinstance(value, (list, tuple)):
            inside = [self.show(item, digits) for item in value]
            if len(inside) > 12:
                inside = inside[:3] + [f"… {len(inside)} in all"]
            inside = ", ".join(inside)
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        if isinstance(value, dict):
            rows = sorted((self.show(key), self.show(item)) for key, item in value.items())  # MicroPython has no order
            return "{" + ", ".join(f"{key}: {item}" for key, item in rows) + "}"
        text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
        return " / ".join(text.split("\n"))[:200]

    def hint(self, answer, case, got, endless):
        """The case's own hint, unless its value is not the trouble."""
        if isinstance(got, self.endless_errors):
            return endless
        if isinstance(got, NameError):
            return "Python knows no such name at this point: define or import it first."
        if isinstance(got, TypeError) and not self.accepts(answer, case.args, got):
            return f"Your function must take the {count(len(case.args), 'argument')} of the stub."
        if isinstance(got, BaseException) or isinstance(case.expected, type):
            return case.hint
        if got is None:
            return "Nothing came back for this input: every way through the function must end with return."
        return self.kind(got, case.expected) or case.hint

    def kind(self, got, expected):
        """What to return, if the answer is of another kind than what was expected."""
        if isinstance(expected, tuple):
            fits = isinstance(got, tuple) and len(got) == len(expected)
            return None if fits else f"Return {len(expected)} things as a tuple: return a, b."
        plain = self.plain(got)
        if isinstance(expected, bool):
            return None if isinstance(plain, (bool, int)) else "Return True or False."
        shape = numbers(expected)[0]
        if hasattr(got, "__next__") and shape:
            return f"Return {form(shape)}: put list(…) around what you return."
        found = numbers(plain)
        return None if found is not None and len(found[0]) == len(shape) else f"Return {form(shape)}."

    # --- what a notebook and a page do differently ------------------------------------------------------------------

    def call(self, answer, args):
        """Call the answer; raise ``Endless`` if it does not come to an end."""
        raise NotImplementedError

    def copy(self, args):
        """The same arguments once more."""
        raise NotImplementedError

    def plain(self, value):
        """A value as plain Python: arrays, tensors and their scalars, also inside lists."""
        raise NotImplementedError

    def names(self, answer, args):
        """The reader's names for the arguments; none if they do not fit."""
        raise NotImplementedError

    def accepts(self, answer, args, error):
        """Does the answer take so many arguments? ``error`` is what it raised."""
        raise NotImplementedError

    def line(self, answer, got):
        """Where in the reader's cell it went wrong, in parentheses; nothing if it did not."""
        raise NotImplementedError


def numbers(value):
    """The shape of a number or of lists of numbers, and all its numbers in a row; None of anything else."""
    if isinstance(value, (bool, int, float)):
        return (), [as_float(value)]
    if not isinstance(value, (list, tuple)):
        return None
    parts = [numbers(item) for item in value]
    if any(part is None or part[0] != parts[0][0] for part in parts):
        return None
    inner = parts[0][0] if parts else ()
    return (len(parts),) + inner, [x for _, row in parts for x in row]


def as_float(value):
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return float("inf")


def close(got, expected):
    """Equal up to rounding. Numbers that fit into float32 may come from there, also as plain ones out of ``tolist``."""
    single = all(x == as_single(x) for x in got)
    rtol, atol = (1e-4, 1e-6) if single else (1e-6, 1e-9)  # e.g. the difference of two scores near 999
    return all(g == e or abs(g - e) <= atol + rtol * abs(e) < float("inf") for g, e in zip(got, expected))


def as_single(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return float("inf")


def form(shape):
    if not shape:
        return "one number"
    row = count(shape[-1], "number")
    return f"a list of {row}" if len(shape) == 1 else f"{count(shape[0], 'list')} of {row}"


def count(number, thing):
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
