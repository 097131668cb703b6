"""What every chapter has. That they run is shown when the pages are built, and by nbmake with Colab's versions."""

import ast
import itertools
import json
import math
import re
from pathlib import Path

import boxes
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
    """Title and question, the folded setup, the live figure; only then what it is for, and what it needs."""
    title, setup, *rest = cells(path)
    number = re.match(r"# (\d+) · [^\n]+\?\n\n(.+)", source(title))
    assert number, "the title is a number and the question that the chapter answers, then comes one sentence"
    assert int(number[1]) == int(path.name[:2]) and len(number[2].split()) <= 45
    assert setup["cell_type"] == "code" and "hide-input" in tags(setup)
    assert 'find_spec("ppo_helpers") is None' in source(setup)
    before = list(itertools.takewhile(lambda cell: cell["cell_type"] == "code", rest))
    assert any("alt=" in source(cell) for cell in before) and all("hide-input" in tags(cell) for cell in before)
    needs = source(rest[len(before)])
    assert "After this chapter you can" in needs
    assert 3 <= len(re.findall(r"^- ", needs, re.MULTILINE)) <= 5
    assert all(word in needs for word in ("Reading:", "Running:", "GPU", "Needs:"))


WAY = ["value", "policy", "networks", "advantage", "ratio", "clip", "PPO", "text", "its ratios", "its critic", "RLHF"]


@chapter
def test_the_way_from_a_value_to_rlhf_stands_in_every_chapter_with_its_own_place_lit(path):
    way = next(source(cell) for cell in cells(path) if "*The way:*" in source(cell)).split("*The way:* ")[1]
    places = [f"[{name}]({to.name})" if to != path else f"**{name}**" for name, to in zip(WAY, CHAPTERS, strict=True)]
    assert way == " → ".join(places)


@chapter
def test_parts(path):
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    assert re.search(r"^> \*\*Common misconception: .+\*\*$", text, re.MULTILINE)
    assert "## Exercises" in text and "## What to remember" in text and "## References" in text
    assert cited(text)


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
def test_pictures_have_alternatives_and_captions_and_their_code_is_folded(path):
    for cell in cells(path, "code"):
        assert "plt.show" not in source(cell)
        for call in (call for call in ast.walk(tree_of(cell)) if is_show(call)):
            assert {"alt", "caption"} <= {keyword.arg for keyword in call.keywords}
            assert "hide-input" in tags(cell)


def tree_of(cell):
    """The code of a cell without IPython's own commands."""
    return ast.parse(re.sub(r"^\s*%.*$", "    pass", source(cell), flags=re.MULTILINE))


def is_show(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "figures.show"


@chapter
def test_folded_cells_that_follow_one_another_say_what_they_hold(path):
    folded = [cell if "hide-input" in tags(cell) else None for cell in cells(path)]
    for cell, following in itertools.pairwise(folded):
        if cell and following and "figures.show" not in source(cell):
            assert fold(cell).startswith("Show ") and fold(cell) != fold(following)


TELLS = r"\bprint\(|figures\.show|live\."


@chapter
def test_a_question_has_answers_and_the_output_that_tells_is_folded(path):
    asked = 0
    for i, cell in enumerate(cells(path)):
        for words, answers in re.findall(r"\*\*What do you expect\?\*\*(.*)\n\n((?:- .*(?:\n|$))*)", source(cell)):
            asked += 1
            assert 2 <= len(answers.splitlines()) <= 4, words
            assert source(cell).endswith(answers)
            after = itertools.takewhile(lambda c: c["cell_type"] == "code", cells(path)[i + 1 :])
            told = next(c for c in after if {"hide-output", "hide-cell"} & set(tags(c)) or re.search(TELLS, source(c)))
            assert {"hide-output", "hide-cell"} & set(tags(told)) and "solution" not in tags(told)
    assert asked == "\n".join(map(source, cells(path))).count("do you expect")
    assert asked


def fold(cell):
    """What stands on a folded cell."""
    return cell["metadata"].get("mystnb", {}).get("code_prompt_show", "")


# ---- What every Markdown shows: JupyterLab's, VS Code's, Colab's and the page's --------------------------------------


def test_every_callout_and_reference_is_plain_markdown():
    """What only MyST knows stands as an orange warning in JupyterLab, or as its own source in Colab."""
    for path in CHAPTERS:
        for cell in cells(path, "markdown"):
            assert re.findall(r"\{[a-z:]+\}`[^`]*`|^:::.*|^```\{.*|^\$\$ \(.*\)$", source(cell), re.MULTILINE) == []


@chapter
def test_a_quotation_that_begins_in_bold_is_a_box(path):
    for cell in cells(path, "markdown"):
        for title in re.findall(r"(?:^|\n\n)> \*\*(.+)\*\*\n", source(cell)):
            assert title.split(":")[0] in boxes.KINDS


@chapter
def test_equations_are_numbered_in_order_and_references_meet_one(path):
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    numbers = re.findall(r"\\tag\{([^}]*)\}", text)
    assert numbers == [f"{int(path.name[:2])}.{n}" for n in range(1, len(numbers) + 1)]
    assert set(re.findall(r"\((\d+\.\d+)\)", text)) <= set(numbers)


def cited(text):
    """Words and address of every work that a text refers to: "Schulman et al. 2017"."""
    return re.findall(r"\[([^\]\d]+ (?:19|20)\d\d)\]\((http[^)]+)\)", text)


def test_the_bibliography_holds_what_is_cited_and_nothing_else():
    entries = re.split(r"\n(?=@)", (CHAPTERS[0].parents[1] / "references.bib").read_text("utf-8"))
    works = {address(entry): entry for entry in entries}
    used = [work for path in CHAPTERS for cell in cells(path, "markdown") for work in cited(source(cell))]
    assert {address for _, address in used} == set(works)
    for words, address_ in used:
        name, year = re.match(r"(\w+).* (\d+)$", words).groups()
        assert re.search(rf"author = \{{{name}\b", works[address_]) and f"year = {{{year}}}" in works[address_]
    assert ":all:" in (CHAPTERS[0].parents[1] / "bibliography.md").read_text("utf-8")


def address(entry):
    """Where a work can be read: its url, or its doi."""
    url, doi = (re.search(rf"^  {name} = \{{(.*)\}}", entry, re.MULTILINE) for name in ("url", "doi"))
    return url[1] if url else f"https://doi.org/{doi[1]}"
