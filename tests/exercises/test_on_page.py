"""The checks in the page's own Python, MicroPython in a browser: they say what the notebook's say."""

import ast
import json
import math
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from page_exercises import NeedsTorchError, literal, on_page, script

from ppo_helpers import exercises
from ppo_helpers.exercises import on_page as on_page_module

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
PAGE = "<!doctype html><title>Python</title><p>A page with nothing on it.</p>"


def written_page(folder):
    """The address of a page from a file, with the scripts of a published one."""
    (folder / "page-python.js").write_text(script(), "utf-8")
    scripts = "".join(f"<script>{(ROOT / '_static' / name).read_text('utf-8')}</script>"
                      for name in ("live-static.js", "python-thread.js"))  # fmt: skip
    (folder / "page.html").write_text(PAGE + scripts, "utf-8")
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    page = browser.new_page()
    page.goto(written_page(tmp_path_factory.mktemp("page")))
    yield page
    page.close()


@pytest.fixture
def ask(tab):
    return lambda source: tab.evaluate("(source) => bookPython.ask(source)", source)


def solution(name):
    """A chapter's own solution, as its cell stands in the notebook."""
    for notebook in NOTEBOOKS:
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            if "solution" in cell["metadata"].get("tags", []) and f"exercises.{name}(" in source:
                return source
    raise AssertionError(f"no solution calls {name}")


@pytest.mark.parametrize("name", sorted(on_page()))
def test_a_chapters_solution_is_right_on_the_page(ask, name):
    told = ask(solution(name))
    assert told["passed"], told["text"]
    with np.errstate(all="ignore"):
        assert told["text"] == str(run_in_notebook(solution(name), name))


def run_in_notebook(source, name):
    told = []
    recorder = type("exercises", (), {name: staticmethod(lambda f: told.append(getattr(exercises, name)(f)))})
    exec(compile(source, "answer", "exec"), {"exercises": recorder, "math": math, "np": np, "__name__": "__main__"})
    return told[-1]


# --- what the tests of the chapters know of right and wrong answers ---------------------------------------------------

SHIMS = {"math": "import math", "operator": "import operator", "partial": "from functools import partial",
         "deque": "from collections import deque"}  # fmt: skip


def known_answers(table):
    """Of a table in the chapters' tests: the check, the answer's name, the answer, and its cell for the page."""
    for path in sorted(Path(__file__).parent.glob("test_chapter_*.py")):
        module, tree = import_module(path.stem), ast.parse(path.read_text("utf-8"))
        helpers = {name: node for node in tree.body for name in defined_by(node)}
        [rows] = [node.value for node in tree.body if isinstance(node, ast.Assign) and defined_by(node) == [table]]
        for key, answers in zip(rows.keys, rows.values, strict=True):
            for name, written in zip(answers.keys, answers.values, strict=True):
                answer = getattr(module, table)[vars(module)[key.id]][name.value]
                if table == "WRONG":
                    answer, written = answer[0], written.elts[0]
                if key.id in on_page() and (source := cell(written, helpers, vars(module), key.id)):
                    yield key.id, name.value, answer, source


def defined_by(node):
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]


def cell(written, helpers, known, check):
    """An answer and what it uses, as a cell for the page; None if the page's Python cannot run it."""
    shims, found, waiting = [], set(), names_in(written)
    while waiting - found:
        name = (waiting - found).pop()
        found.add(name)
        if name in helpers:
            waiting |= names_in(helpers[name])
        elif name in SHIMS:
            shims.append(SHIMS[name])
        elif name in known:
            return None  # NumPy, PyTorch, the package itself
    needed = [ast.unparse(node) for name, node in helpers.items() if name in found]  # what is used stands before it
    source = "\n".join([*shims, *needed, f"answer = {ast.unparse(written)}", f"exercises.{check}(answer)"])
    return None if has_stars(ast.parse(source)) else source


def has_stars(tree):
    displays = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple | ast.Set)]
    return any(isinstance(item, ast.Starred) and isinstance(display.ctx, ast.Load)
               for display in displays for item in display.elts)  # fmt: skip


def names_in(node):
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


HINT, UNKNOWN = "  hint      ", "The page's small Python turns lists"


@pytest.mark.slow
@pytest.mark.parametrize("table", ["RIGHT", "WRONG"])
def test_the_page_says_of_every_known_answer_what_the_notebook_says(ask, table):
    answers, others = list(known_answers(table)), []
    assert len(answers) > {"RIGHT": 60, "WRONG": 250}[table]
    for check, name, answer, source in answers:
        told = ask(source)
        with np.errstate(all="ignore"):
            expected = getattr(exercises, check)(answer)
        same = told["text"].partition(HINT)[2] == expected.message.partition(HINT)[2]
        same = same or UNKNOWN in told["text"]
        if told["passed"] != expected.passed or not same:
            others.append(f"{check}, {name}:\n{told['text']}\n{expected}")
    assert not others, "\n".join(others)


# --- what only a page can meet --------------------------------------------------------------------------------------

RIGHT_CELL = "def cell_value(n, c):\n    return max(n) - c\n\nexercises.check_cell_value(cell_value)"


def answered(lines):
    return f"def cell_value(neighbours, cost):\n    {lines}\n\nexercises.check_cell_value(cell_value)"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("...", "Not started: nothing came back from cell_value."),
        ("return max(neighbours)", "input     neighbours=[4, 1, -3, 0], cost=1\n  expected  3\n  got       4\n"),
        ("return 1 / 0", "ZeroDivisionError: divide by zero (line 2)"),
        ("return np.max(neighbours) - cost", "The page has no NumPy and no PyTorch"),
        ("import torch", "The page has no NumPy and no PyTorch"),
        ("import statistics", "The page's small Python lacks this. It has"),
        (
            "return [*neighbours, cost]",
            "*x must be assignment target (line 2)\nThe page's small Python",
        ),
        ("return max(neighbours", "Python stopped: SyntaxError: invalid syntax (line "),
        ("return cell_value(neighbours, cost)", "Which condition ends it?"),
        ("return sum(neighbours, start=0.0)", "got       2\n"),
        ("return max(inputs) - cost", "Python knows no such name"),
        ("neighbours[::2] = [1, 2]", "The page's small Python lacks this"),
        ("return math.hypot(1, 2)", "The page's small Python lacks this"),
        ("from functools import cache", "The page's small Python lacks this"),
        ("x = []; x.append(x); return x", "Which condition ends it?"),
        ("import sys; sys.exit()", "got       SystemExit()"),
        ("return exercises.check_nothing(max)", "AttributeError: there is no check_nothing"),
        ("return exercises.check_fit(max)", "This exercise needs PyTorch"),
    ],
)
def test_a_page_says_what_is_wrong(ask, lines, words):
    told = ask(answered(lines))
    assert not told["passed"] and words in told["text"], told["text"]


@pytest.mark.parametrize("lines", ["while True: pass", "while True: print(1)", "x = [0]\n    for y in x: x.append(y)"])
def test_what_never_ends_is_stopped_and_the_next_answer_is_tried(ask, lines):
    told = ask(answered(lines))
    assert not told["passed"] and "Which condition ends it?" in told["text"], told["text"]
    assert len(told["printed"]) <= 100
    assert ask(RIGHT_CELL)["passed"]


def test_quotes_and_dashes_of_a_phones_keyboard_are_understood(ask):
    assert ask(answered("print(“a ‘word’”)\n    return max(neighbours) – cost"))["passed"]


def test_what_a_cell_prints_is_shown(ask):
    assert ask(f"print('so far')\n{RIGHT_CELL}")["printed"] == ["so far"]


def test_a_cell_without_a_check_says_so(ask):
    assert ask("x = 3") == {"passed": False, "text": "The cell has run. No check was called in it.", "printed": []}


def test_what_is_no_function_is_refused(ask):
    assert "answer must be a function, got 3.5" in ask("exercises.check_cell_value(3.5)")["text"]


def test_two_answers_at_once_are_tried_one_after_the_other(tab):
    both = tab.evaluate("(s) => Promise.all([bookPython.ask(s), bookPython.ask('x = 3')])", RIGHT_CELL)
    assert [told["passed"] for told in both] == [True, False]


def test_cells_know_nothing_of_each_other(ask):
    ask("import math\nleft_over = math.exp = 3\nprint('and no end', end='')")
    told = ask("import math\nprint(math.exp(0))\nprint(left_over)")
    assert told["printed"] == ["1.0"] and "NameError" in told["text"]


def test_what_a_cell_prints_without_an_end_is_shown(ask):
    assert ask("print('one', end=''), print('π')\nprint('last', end='')")["printed"] == ["oneπ", "last"]


def test_an_object_that_can_be_called_may_answer(ask):
    told = ask("class A:\n    def __call__(self, n, c): return max(n) - c\nexercises.check_cell_value(A())")
    assert told["passed"], told["text"]


def test_page_and_thread_wait_for_the_same_time():
    thread = (ROOT / "_static" / "python-thread.js").read_text("utf-8")
    assert re.search(r"LIMIT = (\d+);", thread)[1] == str(1000 * on_page_module.LIMIT)


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ("WebAssembly = undefined", "it has no WebAssembly"),
        ("Worker = function () { throw new Error('refused') }", "refused"),
        ("livePage.asset = () => Promise.reject(new Error('page-python.js cannot be loaded'))", "cannot be loaded"),
    ],
)
def test_a_browser_without_something_says_so(browser, tab, without, words):
    page = browser.new_page()
    page.goto(tab.url)
    page.evaluate(f"() => {{ {without} }}")
    told = page.evaluate("(source) => bookPython.ask(source)", RIGHT_CELL)
    assert not told["passed"] and words in told["text"] and "Colab" in told["text"]
    page.close()


def test_a_thread_that_dies_is_started_again(browser, tab):
    page = browser.new_page()
    page.goto(tab.url)
    page.evaluate("""() => { const Real = Worker; let first = true;
        window.Worker = function (url) { const made = new Real(first ? 'data:text/javascript,throw 1' : url);
            first = false; return made; } }""")
    assert "could not run" in page.evaluate("(source) => bookPython.ask(source)", RIGHT_CELL)["text"]
    assert page.evaluate("(source) => bookPython.ask(source)", RIGHT_CELL)["passed"]
    page.close()


# --- what is shipped --------------------------------------------------------------------------------------------------


def test_only_what_works_on_tensors_needs_torch():
    need = set(exercises.__all__) - set(on_page())
    assert need == {"check_batch_loss", "check_chosen_logprobs", "check_climb_batch", "check_clipped_loss", "check_fit",
                    "check_repaired_loss", "check_update"}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [-np.inf, [True, None, 3, "x\n'y'"], ((0, 1), (2,), ()), {(0, 1): [0.1], "a": {}}, ValueError, np.float64(0.5)],
)
def test_a_case_is_written_so_that_python_reads_the_same(value):
    assert eval(literal(value), {"inf": math.inf}) == value


@pytest.mark.parametrize("value", [{1}, object(), np.zeros(2), [object()]])
def test_what_is_not_plain_is_not_written(value):
    with pytest.raises(NeedsTorchError):
        literal(value)
