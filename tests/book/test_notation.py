"""The page of symbols: each is used where the page says, and its name in the code is one."""

import json
import re

import pytest
from built import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "notation.md").read_text("utf-8").replace(r"\mid", "MID").splitlines()
    if line.startswith("| $")
]
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "ppo_helpers").rglob("*.py"))
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


def formulas(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return "\n".join(found[1] for found in re.findall(r"(\$\$?)(.+?)\1", prose, re.DOTALL))


def squeezed(tex):
    return re.sub(r"[\s{},]|\\mid|MID|\|", "", tex)


def stands(symbol, formulas):
    """A letter for itself, and no part of a word or of a command; anything longer wherever it is."""
    if len(symbol) == 1:
        return re.search(rf"(?<![\\A-Za-z]){symbol}(?![A-Za-z])", formulas)
    return squeezed(symbol) in squeezed(formulas)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_symbol_stands_in_its_chapter_and_its_name_in_the_code(row):
    symbols, words, names, _, where = row
    (number, address) = re.fullmatch(r"\[(\d+)\]\(chapters/(.+)\)", where).groups()
    path = CHAPTERS[int(number) - 1]
    assert path.name == address and words
    for symbol in re.findall(r"\$(.+?)\$", symbols):
        assert stands(symbol, formulas(path)), symbol
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"\b{name}\b", CODE + path.read_text("utf-8")), name


def test_there_are_all_dials_that_have_a_symbol():
    named = set(re.findall(r"`(\w+)`", " ".join(row[2] for row in ROWS)))
    assert {"gamma", "lam", "clip_eps", "vf_coef", "ent_coef", "kl_coef", "ratio", "advantages"} <= named
