"""The page of corrections: every box of the chapters is on it, and what it says of seeds is what was counted."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from page_exercises import on_page

from ppo_helpers import exercises, measured

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "corrections.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| .+ \|$", PAGE, re.MULTILINE)]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_box_is_on_the_page_and_leads_to_its_chapter(path):
    text = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
    titles = re.findall(r"^> \*\*Common misconception: (.+)\*\*$", text, re.MULTILINE)
    assert titles
    for title in titles:
        places = [where for said, _, where in ROWS if title.lower() in said.lower()]
        assert len(places) == 1 and f"chapters/{path.name}" in places[0], title


def test_of_a_hundred_runs_without_a_clip_about_thirty_settle_for_less():
    runs = measured.walking_sweep()["ablation"].values()
    assert len(runs) == 100 and 25 <= sum(run["no clip"] < 0.95 for run in runs) <= 35


def test_forty_epochs_hurt_clipped_runs_too():
    points = np.array([run["clip"] for run in measured.walking_sweep()["forty"].values()])[:, 0]
    assert len(points) == 100 and (points[:, -1] < points[:, 0]).sum() >= 30


def test_the_arithmetic_mean_of_the_books_example_is_more_than_twice_the_geometric_one():
    logprobs = np.array([-4.88, -1.77, -2.08, -3.76, -0.73])
    assert np.exp(logprobs).mean() > 2 * np.exp(logprobs.mean())


def test_what_the_first_page_says_is_not_so_is_a_box_of_the_chapter_it_names():
    intro = (ROOT / "intro.md").read_text("utf-8")
    said = re.findall(r"^- (.+) \(\[[\w ]+\]\(chapters/(\w+\.ipynb)\)\)\.$", intro, re.MULTILINE)
    assert len(said) == 7 and "Seven claims" in intro
    for sentence, chapter in said:
        cells = json.loads((ROOT / "chapters" / chapter).read_text("utf-8"))["cells"]
        titles = re.findall(r"Common misconception: (.+)\*\*", "\n".join("".join(cell["source"]) for cell in cells))
        assert any(title.lower() in sentence.lower() for title in titles), sentence


def test_the_first_page_counts_the_exercises_that_need_pytorch():
    left = len(exercises.__all__) - len(on_page())
    assert left == 7 and "Seven of them need PyTorch" in (ROOT / "intro.md").read_text("utf-8")
