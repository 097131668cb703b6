"""What every chapter has. That they run is shown when the pages are built, and by nbmake with Colab's versions."""

import ast
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ppo_helpers import exercises

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))


def load(path):
    return json.loads(path.read_text("utf-8"))


def cells(path, kind=None):
    return [cell for cell in load(path)["cells"] if kind in (None, cell["cell_type"])]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def run(code):
    """The value of a cell's last expression."""
    names, tree = {"math": math, "np": np, "torch": torch, "exercises": exercises}, ast.parse(code)
    last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(last, "cell", "eval"), names)


chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@chapter
def test_opening(path):
    first = source(cells(path)[0])
    assert re.match(r"# [^\n]+\?\n", first), "the title is the question that the chapter answers"
    assert "After this chapter you can" in first
    assert 3 <= len(re.findall(r"^- ", first, re.MULTILINE)) <= 5
    assert all(word in first for word in ("Reading:", "Running:", "GPU", "Needs:"))
    setup = cells(path)[1]
    assert setup["cell_type"] == "code" and "hide-input" in tags(setup)
    assert 'find_spec("ppo_helpers") is None' in source(setup)


@chapter
def test_parts(path):
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    assert ":class: misconception" in text
    assert "## Exercises" in text and "## What to remember" in text and "## References" in text
    assert re.search(r"\{cite:[pt]\}", text)


@chapter
def test_size(path):
    prose = "\n".join(source(cell) for cell in cells(path, "markdown"))
    assert 1500 <= len(prose.split()) <= 3500
    assert 15 <= len(cells(path, "code")) <= 40
    assert max(len(source(cell).splitlines()) for cell in cells(path, "code")) <= 20


@chapter
def test_the_setup_cell_imports_nothing_that_colab_lacks(path):
    assert "myst_nb" not in "".join(source(cell) for cell in cells(path, "code"))


@chapter
def test_committed_clean(path):
    book = load(path)
    assert "widgets" not in book["metadata"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(path, "code"))
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)


@chapter
def test_every_exercise_has_a_stub_that_starts_empty_and_a_solution_that_passes(path):
    stubs = [cell for cell in cells(path, "code") if re.search(r"^    \.\.\.$", source(cell), re.MULTILINE)]
    solutions = [cell for cell in cells(path, "code") if "solution" in tags(cell)]
    assert 2 <= len(stubs) == len(solutions) <= 4
    for stub, solution in zip(stubs, solutions, strict=True):
        check = re.search(r"exercises\.check_\w+\(\w+\)", source(stub))[0]
        assert source(solution).endswith(check)
        assert "hide-cell" in tags(solution)
        assert run(source(stub)).message.startswith("Not started")
        assert run(source(solution)).passed


@chapter
def test_pictures_have_text_alternatives(path):
    for cell in cells(path, "code"):
        assert "plt.show" not in source(cell)
        for call in re.findall(r"figures\.show\(fig(.*)", source(cell)):
            assert "alt=" in call
