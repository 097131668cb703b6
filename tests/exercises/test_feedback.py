"""How every check answers, whatever the exercise: stubs, endless loops, errors, other kinds, rounding, hints."""

import copy
import inspect
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial, wraps
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from ppo_helpers import exercises
from ppo_helpers.exercises import check_cell_value, check_longest_way, check_walk, feedback
from ppo_helpers.exercises.feedback import STEPS, Case, check

PACKAGE, TESTS = Path(exercises.__file__).parent, Path(__file__).parent
CHAPTERS = [import_module(f"ppo_helpers.exercises.{path.stem}") for path in sorted(PACKAGE.glob("chapter_*.py"))]
CHECKS = [value for module in CHAPTERS for name, value in vars(module).items() if name.startswith("check_")]
every_check = pytest.mark.parametrize("check_it", CHECKS, ids=lambda c: c.__name__)


def told(answer, cases=None, **options):
    """The lines of a feedback on a wrong answer, by their first word."""
    found = check(answer, "f", cases or [Case((2.0,), 4.0, "the hint")], **options)
    assert not found.passed
    return {line[:12].strip(): line[12:] for line in found.message.splitlines()[1:]}


# --- the package ----------------------------------------------------------------------------------------------------


def test_the_package_offers_the_checks_of_all_chapters():
    assert sorted(exercises.__all__) == sorted(c.__name__ for c in CHECKS)
    assert {getattr(exercises, name) for name in exercises.__all__} == set(CHECKS)


def test_every_chapter_has_its_tests():
    assert {f"test_{path.stem}" for path in PACKAGE.glob("chapter_*.py")} == {
        path.stem for path in TESTS.glob("test_chapter_*.py")
    }


def test_the_first_chapters_need_no_torch():
    code = """if True:
        import sys
        from ppo_helpers import exercises
        exercises.check_cell_value(max), exercises.check_softmax(max), exercises.check_clipped(max)
        print("torch" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@every_check
def test_a_check_says_which_exercise_it_belongs_to(check_it):
    chapter = check_it.__module__[-2:].lstrip("0")
    assert check_it.__doc__.startswith(f"Exercise {chapter}.")


def answers_to(check_it):
    """The tests of a check's chapter, where the answers are."""
    return import_module(f"test_{check_it.__module__.rsplit('.', 1)[1]}")


def inputs_tried(check_it, answer):
    tried = []

    @wraps(answer)
    def counting(*args):
        tried.append(args)
        return answer(*args)

    with np.errstate(all="ignore"):
        check_it(counting)
    return len(tried)


@every_check
def test_every_case_is_the_first_to_fail_for_some_wrong_answer(check_it):
    answers = answers_to(check_it)
    all_of_them = inputs_tried(check_it, next(iter(answers.RIGHT[check_it].values())))
    failing = {inputs_tried(check_it, answer) for answer, _ in answers.WRONG[check_it].values()}
    assert failing == set(range(1, all_of_them + 1))


# --- stubs ----------------------------------------------------------------------------------------------------------


def do_nothing(*args): ...
def return_dots(*args):
    return ...


def raise_not_implemented(*args):
    raise NotImplementedError


@every_check
@pytest.mark.parametrize("stub", [do_nothing, return_dots, raise_not_implemented])
def test_a_stub_is_told_that_it_has_not_started(check_it, stub):
    found = check_it(stub)
    assert not found.passed and found.message.startswith("Not started") and "\n" not in found.message
    assert repr(found) == found.message


@every_check
def test_what_is_no_function_is_refused(check_it):
    with pytest.raises(ValueError, match=r"answer must be a function, got 3\.5"):
        check_it(3.5)


# --- what never ends ------------------------------------------------------------------------------------------------


def turn_for_ever(*args):
    turns = 0
    while True:
        turns += 1


def turn_on_one_line(*args):
    while args: pass  # fmt: skip  # noqa: E701


def turn_in_a_comprehension(*args):
    return [x for x in iter(int, 1) if x]


def grow_for_ever(*args):
    found = [0]
    for x in found:
        found.append(x)


def swallow_every_error(*args):
    while True:
        try:
            int("x")
        except Exception:
            continue


def turn_in_a_helper(*args):
    return sum(turn_for_ever() for _ in range(2))


def turn_doing_nothing(*args):
    while True: pass  # noqa: E701  # fmt: skip


class Turning:
    def __call__(self, *args):
        return turn_for_ever()


@torch.no_grad()
def turn_without_gradients(*args):
    return turn_for_ever()


ENDLESS = [
    turn_for_ever,
    turn_on_one_line,
    turn_doing_nothing,
    turn_in_a_comprehension,
    grow_for_ever,
    swallow_every_error,
    turn_in_a_helper,
    Turning(),
    turn_without_gradients,
]


@pytest.mark.parametrize("answer", ENDLESS, ids=lambda f: getattr(f, "__name__", "an object"))
def test_an_endless_loop_is_stopped_and_told_so(answer):
    lines = told(answer, endless="look at the condition")
    assert lines["got"].startswith(f"no result after {STEPS:,} steps: stopped (line ")
    assert lines["hint"] == "look at the condition"


@every_check
def test_no_check_hangs(check_it):
    assert "no result after" in check_it(turn_for_ever).message


def test_an_endless_loop_is_stopped_in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(check_cell_value(turn_for_ever)), daemon=True)
    thread.start()
    thread.join(30)
    assert "no result after" in found[0].message


def test_an_answer_that_ends_python_is_told_so():
    assert told(lambda *args: sys.exit("done"))["got"].startswith("SystemExit('done')")


def test_a_recursion_without_end_is_told_so():
    def around(x):
        return around(x) + 1

    assert "RecursionError" in told(around)["got"]
    assert told(around)["hint"] == feedback.ENDLESS


def test_only_the_readers_own_lines_count():
    """A library may do as much as it likes: here it takes far more lines than an answer may."""
    assert check(lambda x: len(copy.deepcopy([[]] * STEPS)), "f", [Case((1,), STEPS, "")]).passed


def test_the_steps_of_one_input_are_not_charged_to_the_next():
    def count(n):
        return sum(1 for _ in range(n))

    n = STEPS * 2 // 3
    assert check(count, "f", [Case((n,), n, "")] * 3).passed


def test_long_winded_answers_stay_far_below_the_limit():
    """A hundred thousand numbers are no answer, but a few hundred tries of everything are."""

    def search(neighbours, goal):
        moves = {cell: 0 if cell == goal else 99 for cell in neighbours}
        for _ in range(20):
            for cell in neighbours:
                for place in neighbours[cell]:
                    moves[cell] = min(moves[cell], moves[place] + 1)
        return max(m for m in moves.values() if m < 99)

    assert check_longest_way(search).passed


@pytest.mark.parametrize("answer", [max, turn_for_ever, lambda *args: 1 / 0])
def test_no_trace_of_the_guard_remains(answer):
    check_cell_value(answer)
    assert sys.gettrace() is None


def test_a_debugger_is_left_alone():
    def debugger(frame, event, arg):
        return None

    sys.settrace(debugger)
    try:
        passed, remains = check_cell_value(lambda n, c: max(n) - c).passed, sys.gettrace()
    finally:
        sys.settrace(None)
    assert passed and remains is debugger


def test_the_stop_button_works():
    def interrupted(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_cell_value(interrupted)
    assert sys.gettrace() is None


# --- errors ---------------------------------------------------------------------------------------------------------


def test_an_error_is_shown_with_its_line_and_not_raised():
    def wrong(neighbours, cost):
        return statistics.mean([]) + cost

    line = inspect.getsourcelines(wrong)[1] + 1
    lines = check_cell_value(wrong).message.splitlines()
    assert lines[1] == "  input     neighbours=[4, 1, -3, 0], cost=1"
    assert lines[3] == f"  got       StatisticsError: mean requires at least one data point (line {line})"


def test_another_number_of_arguments_is_told_so():
    assert told(lambda x, y: 4.0)["hint"] == "Your function must take the 1 argument of the stub."
    assert told(lambda x: x + "1")["hint"] == "the hint"  # a TypeError of another kind


def test_an_unknown_name_is_told_so():
    assert told(lambda x: unheard_of(x))["hint"].startswith("Python knows no such name")  # noqa: F821


def test_an_error_may_be_what_is_expected():
    cases = [Case((2.0,), ValueError, "refuse it")]

    def refuse(x):
        raise ValueError(x)

    assert check(refuse, "f", cases).passed
    assert told(lambda x: x, cases) == {"input": "x=2", "expected": "a ValueError", "got": "2", "hint": "refuse it"}
    assert "ZeroDivisionError" in told(lambda x: x / 0, cases)["got"]
    assert told(lambda x: "ValueError", cases)["got"] == "'ValueError'"


def test_an_error_that_is_returned_is_no_answer():
    for error in (ValueError("no"), ValueError, KeyboardInterrupt()):
        found = told(lambda x, error=error: error)
        kind = error if isinstance(error, type) else type(error)
        assert found["got"] == f"a {kind.__name__} that was returned, not raised"
        assert found["hint"] == "Return one number."


# --- which case is shown, and how -----------------------------------------------------------------------------------


def test_the_first_failing_case_is_the_one_shown():
    cases = [Case((1,), 1, "first"), Case((2,), 2, "second"), Case((3,), 3, "third")]
    assert told(lambda x: min(x, 1), cases) == {"input": "x=2", "expected": "2", "got": "1", "hint": "second"}


def test_arguments_have_the_readers_names_where_they_fit():
    cases = [Case(([1.0, -np.inf], 3), 0, "")]
    assert told(lambda values, n: 1, cases)["input"] == "values=[1, -inf], n=3"
    assert told(lambda *a: 1, cases)["input"] == "[1, -inf], 3"
    assert told(lambda values, n, more=1: 1, cases)["input"] == "values=[1, -inf], n=3"
    assert told(lambda values: 1, cases)["input"] == "[1, -inf], 3"
    assert told(max, [Case((1, 2), 0, "")])["input"] == "1, 2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.5, "0.5"), (4.0, "4"), (1 / 3, "0.3333"), (1e-9, "1e-09"), (True, "True"), ("text", "'text'"),
        ([1.0, 2.5], "[1, 2.5]"), ((1, True), "(1, True)"), (np.array([[1.0, 0.0]]), "[[1, 0]]"),
        (torch.tensor([0.25], requires_grad=True), "[0.25]"), (np.float32(0.1), "0.1"), (None, "None"),
        ([-3.0] * 300, "[-3, -3, -3, … 300 in all]"), ({"a": [1.0]}, "{'a': [1]}"), (ValueError, "a ValueError"),
        ({(0, 1): ["b"]}, "{(0, 1): ['b']}"),
    ],
)  # fmt: skip
def test_values_are_shown_short(value, shown):
    assert feedback.NotebookJudge().show(value) == shown


def test_a_world_is_shown_on_one_line():
    shown = check_walk(lambda world, arrows, start, max_moves: 1).message.splitlines()[1]
    assert shown.startswith(
        "  input     world=GridWorld(1×3, move_cost=1) / . . M, arrows={(0, 0): 1, (0, 1): 1}, start="
    )


def test_something_huge_is_cut():
    assert len(told(lambda x: {i for i in range(10_000)})["got"]) <= 200
    assert len(told(lambda x: "x" * 10_000)["got"]) <= 200
    assert len(told(lambda x: int("x" * 10_000))["got"]) <= 220


@pytest.mark.parametrize("off", [1e-3, 1e-5, 1e-8])
def test_two_numbers_that_differ_look_different(off):
    lines = told(lambda x: x + off, [Case((1.0,), 1.0, "", exact_zeros=True), Case((0.0,), 0.0, "", exact_zeros=True)])
    assert lines["expected"] != lines["got"]


# --- of another kind ------------------------------------------------------------------------------------------------

KINDS = [
    ([4.0], 4.0, "Return one number."),
    ("4.0", 4.0, "Return one number."),
    (torch.ones(1), 4.0, "Return one number."),
    (5.0, 4.0, "the hint"),
    (5.0, [4.0, 1.0], "Return a list of 2 numbers."),
    ([[5.0, 1.0]], [4.0, 1.0], "Return a list of 2 numbers."),
    ([[5.0, 1.0], [1.0]], [4.0, 1.0], "Return a list of 2 numbers."),
    ({5.0, 1.0}, [4.0, 1.0], "Return a list of 2 numbers."),
    ((x for x in (4.0, 1.0)), [4.0, 1.0], "Return a list of 2 numbers: put list(…) around what you return."),
    (map(abs, [4.0, 1.0]), [4.0, 1.0], "Return a list of 2 numbers: put list(…) around what you return."),
    ([4.0, 1.0, 1.0], [4.0, 1.0], "the hint"),
    ([4.0, 1.0], [[4.0, 1.0], [1.0, 1.0]], "Return 2 lists of 2 numbers."),
    ([4.0, True], (4.0, True), "Return 2 things as a tuple: return a, b."),
    (4.0, (4.0, True), "Return 2 things as a tuple: return a, b."),
    ((5.0, True), (4.0, True), "the hint"),
    (1.0, True, "Return True or False."),
    ("True", True, "Return True or False."),
    ([True], True, "Return True or False."),
    (False, True, "the hint"),
]


@pytest.mark.parametrize(("got", "expected", "hint"), KINDS, ids=lambda v: None)
def test_an_answer_of_another_kind_is_told_what_to_return(got, expected, hint):
    assert told(lambda x: got, [Case((1,), expected, "the hint")])["hint"] == hint


def test_a_way_through_without_return_is_told_so():
    cases = [Case((1,), 1, "first"), Case((-1,), -1, "second")]
    assert told(lambda x: x if x > 0 else None, cases)["hint"].startswith("Nothing came back for this input")


# --- what counts as equal -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (0.1 + 0.2, 0.3, True), ([1, 2], [1.0, 2.0], True), (np.array([1, 2]), [1.0, 2.0], True),
        (np.float32(3), 3.0, True), (1.0, [1.0], False), ([1.0], 1.0, False), (np.nan, 1.0, False), (None, 1.0, False),
        ([None, 1.0], [0.0, 1.0], False), ((1, True), (1, True), True), ((1, 0), (1, True), False),
        ([1, True], (1, True), False), ((1, True, 2), (1, True), False), ([1, 2, 3], [1, 2], False),
        ("x", 1.0, False), ("1", 1.0, False), (1j, 1.0, False), (-np.inf, -np.inf, True), (3.001, 3.0, False),
        (np.float32(0.1), 0.1, True), (0.1 + 1e-6, 0.1, False), (torch.tensor(1 / 3), 1 / 3, True),
        ([torch.tensor(1 / 3, requires_grad=True)], [1 / 3], True), (torch.tensor(1 / 3).item(), 1 / 3, True),
        (torch.tensor(0.3335), 1 / 3, False), (torch.tensor([1, 2], dtype=torch.bfloat16), [1, 2], True),
        (1e300, 1.0, False), (torch.tensor(True), True, True), (np.array(False), False, True),
        (torch.tensor([True]), True, False), (1, True, True), (0, False, True), (2, True, False), (1.0, True, False),
        ("True", True, False), (torch.tensor(1.0), True, False), ((torch.tensor(1.0), np.True_), (1, True), True),
        ((np.ones(2), [3.0, 4.0]), [[1.0, 1.0], [3.0, 4.0]], True), ([[1.0], [1.0, 2.0]], [[1.0, 2.0]] * 2, False),
    ],
)  # fmt: skip
def test_what_counts_as_equal(got, expected, same):
    assert feedback.NotebookJudge().same(got, expected) is same


def test_a_zero_must_be_exact_where_a_case_says_so():
    nearly = [1.0, 1e-12]
    assert check(lambda x: nearly, "f", [Case((1,), [1.0, 0.0], "")]).passed
    assert told(lambda x: nearly, [Case((1,), [1.0, 0.0], "", exact_zeros=True)])["got"] == "[1, 1e-12]"
    assert check(lambda x: np.float32([1.0, -0.0]), "f", [Case((1,), [1.0, 0.0], "", exact_zeros=True)]).passed


@every_check
def test_right_answers_pass_in_single_precision(check_it):
    answer = next(iter(answers_to(check_it).RIGHT[check_it].values()))
    found = check_it(lambda *args: single(answer(*args)))
    assert found.passed, found


def single(value):
    """A result as float32 would have it: in an array, and rounded."""
    if isinstance(value, tuple):
        return tuple(map(single, value))
    if isinstance(value, bool | np.bool_ | int) or hasattr(value, "requires_grad"):
        return value
    return np.asarray(value, np.float32)


def test_an_answer_may_be_anything_that_can_be_called():
    class Answer:
        def __call__(self, neighbours, cost):
            return max(neighbours) - cost

    answers: list[Callable] = [Answer(), Answer().__call__, partial(Answer()), torch.no_grad()(Answer().__call__)]
    assert all(check_cell_value(answer).passed for answer in answers)


def test_an_answer_that_changes_its_input_does_not_spoil_the_next_case():
    case = Case(([3.0, 1.0],), 3.0, "")
    assert check(lambda values: values.pop(0), "f", [case, case, case]).passed
