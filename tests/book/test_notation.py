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


def prose(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def squeezed(tex):
    return re.sub(r"[\s{},]|\\mid|MID|\|", "", tex)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_symbol_stands_in_its_chapter_and_its_name_in_the_code(row):
    symbols, words, names, _, where = row
    (number, address) = re.fullmatch(r"\[(\d+)\]\(chapters/(.+)\)", where).groups()
    path = CHAPTERS[int(number) - 1]
    assert path.name == address and words
    for symbol in re.findall(r"\$(.+?)\$", symbols):
        assert squeezed(symbol) in squeezed(prose(path)), symbol
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"\b{name}\b", CODE) or name in prose(path) + path.read_text("utf-8"), name


def test_there_are_all_dials_that_have_a_symbol():
    named = set(re.findall(r"`(\w+)`", " ".join(row[2] for row in ROWS)))
    assert {"gamma", "lam", "clip_eps", "vf_coef", "ent_coef", "kl_coef", "ratio", "advantages"} <= named
