"""Chapters cut short, for runs that ask whether every cell runs and not whether everything is learned.

The whole chapters run when the pages are built.
"""

import json
from pathlib import Path

CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.ipynb"))
LEARNED_OR_NOT = {"\nassert ": "\n_ = "}  # what forty iterations tell apart twelve need not
SHORTER = {  # by chapter and cell: what takes long and says nothing about versions or devices
    ("03", "wall-error"): {"range(30)": "range(3)"} | LEARNED_OR_NOT,
    ("03", "imitate-test"): {"range(30)": "range(3)"} | LEARNED_OR_NOT,
    ("04", "thirty-runs"): {"range(30)": "range(3)"},
    ("07", "cartpole-dials"): {">= 475": ">= 25"},
    ("07", "cartpole-run"): {"num_envs=100": "num_envs=10"},
    ("07", "broken-loop"): {"iterations=40": "iterations=12"},
    ("07", "corridor"): {"iterations=50": "iterations=12", "9, 49)": "9, 11)"} | LEARNED_OR_NOT,
    ("07", "spot-data"): {"iterations=40, seed=1": "iterations=12, seed=1"} | LEARNED_OR_NOT,
    ("09", "run-iterations"): {"for _ in range(20)]": "for _ in range(2)] * 10"},
    ("09", "exercise-4-run"): {"range(10)": "range(2)"},
    ("11", "comparisons"): {"GROUPS, SIZE = 600, 4": "GROUPS, SIZE = 60, 4"},
    ("11", "reward-model"): LEARNED_OR_NOT,
    ("11", "run"): {"((0.1, 60), (0.0, 45))": "((0.1, 6), (0.0, 6))"},
    ("11", "ends"): LEARNED_OR_NOT,
    ("11", "rolls"): {"range(6)": "range(1)"} | LEARNED_OR_NOT,
    ("11", "best-of-n"): {"range(320)": "range(32)"} | LEARNED_OR_NOT,
    ("11", "exercise-3-run"): {"run(0.05, 20,": "run(0.05, 4,"},
}


def shorter(path: Path) -> dict:
    """A chapter's notebook with its long cells cut."""
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        for long, short in SHORTER.get((path.name[:2], cell.get("id")), {}).items():
            assert long in source, f"{long!r} is no longer in cell {cell['id']}: cut it anew"
            source = source.replace(long, short)
        cell["source"] = source
    return notebook


def code_cells(path: Path) -> list[tuple[str, str]]:
    """Name and source of every code cell of a chapter, the long ones cut."""
    return [(cell["id"], cell["source"]) for cell in shorter(path)["cells"] if cell["cell_type"] == "code"]
