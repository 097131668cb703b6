"""Chapters 5 to 9 as a reader with a GPU runs them: every code cell in order, on ``paper_gpu``.

Each chapter gets a process of its own, because chapters change what is global: gradients, threads, the theme.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

import pytest
from paper_gpu import PaperGPU

pytestmark = pytest.mark.slow
CHAPTERS = Path(__file__).parents[2] / "chapters"
LEARNED_OR_NOT = {"\nassert ": "\n_ = "}  # what forty iterations tell apart twelve need not
SHORTER = {  # by chapter and cell: what takes long and never touches the GPU
    ("07", "cartpole-dials"): {">= 475": ">= 25"},
    ("07", "cartpole-run"): {"num_envs=100": "num_envs=10"},
    ("07", "broken-loop"): {"iterations=40": "iterations=12"},
    ("07", "corridor"): {"iterations=50": "iterations=12", "9, 49)": "9, 11)"} | LEARNED_OR_NOT,
    ("07", "spot-data"): {"iterations=40, seed=1": "iterations=12, seed=1"} | LEARNED_OR_NOT,
    ("09", "run-iterations"): {"for _ in range(20)]": "for _ in range(2)] * 10"},
    ("09", "exercise-4-run"): {"range(10)": "range(2)"},
}


def code_cells(number):
    """Name and source of every code cell of a chapter, the long ones cut."""
    (path,) = CHAPTERS.glob(f"{number}_*.ipynb")
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            for long, short in SHORTER.get((number, cell["id"]), {}).items():
                assert long in source, f"{long!r} is no longer in cell {cell['id']}: cut it anew"
                source = source.replace(long, short)
            yield cell["id"], source


def run_on_paper(number):
    """What was done on the GPU, and the name and output of the cell that failed, if one did."""
    from IPython.core.interactiveshell import InteractiveShell  # a second of every collection else

    shell = InteractiveShell()
    with PaperGPU() as gpu:
        for name, source in code_cells(number):
            with redirect_stdout(StringIO()) as printed:
                result = shell.run_cell(source)
            if not result.success:
                return gpu.counts, f"{name}: {printed.getvalue()}"
    return gpu.counts, None


@pytest.mark.parametrize("number", ["05", "06", "07", "08", "09"])
def test_a_chapter_runs_where_there_is_a_gpu(monkeypatch, tmp_path, number):
    """Chapters 8 and 9 take it; the walker of the others stays on the CPU."""
    for name, value in {"PPO_BOOK_GPT2": "tiny", "OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        counts, failed = process.submit(run_on_paper, number).result()
    assert failed is None, failed
    assert counts["on GPU"] > 1000 or number not in ("08", "09")
