"""The chapters' own cells, for the sweeps that run them with many seeds."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def names_of(chapter: str, *ids: str) -> dict:
    """What the cells of a chapter define: its set-up and those with the given ids, run in the chapter's order."""
    path = next((ROOT / "chapters").glob(f"{chapter}_*.ipynb"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]}
    missing = set(ids) - set(cells)
    if missing:
        raise ValueError(f"{path.name} must have the cells {sorted(missing)}")
    names: dict = {}
    for name in ("setup", *ids):
        exec(compile(re.sub(r"(?m)^\s*%.*$", "    pass", cells[name]), f"{path.name}:{name}", "exec"), names)
    return names
