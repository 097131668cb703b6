"""Chapters 5 to 9 as a reader with a GPU runs them: every code cell in order, on ``paper_gpu``.

Each chapter gets a process of its own, because chapters change what is global: gradients, threads, the theme.
"""

from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context

import pytest
from paper_gpu import PaperGPU
from shorter import CHAPTERS, code_cells

pytestmark = pytest.mark.slow


def run_on_paper(path):
    """What was done on the GPU, and the name and output of the cell that failed, if one did."""
    from IPython.core.interactiveshell import InteractiveShell  # a second of every collection else

    shell = InteractiveShell()
    with PaperGPU() as gpu:
        for name, source in code_cells(path):
            with redirect_stdout(StringIO()) as printed:
                result = shell.run_cell(source)
            if not result.success:
                return gpu.counts, f"{name}: {printed.getvalue()}"
    return gpu.counts, None


@pytest.mark.parametrize("path", CHAPTERS[4:9], ids=lambda path: path.name[:2])
def test_a_chapter_runs_where_there_is_a_gpu(monkeypatch, tmp_path, path):
    """Chapters 8 and 9 take it; the walker of the others stays on the CPU."""
    for name, value in {"PPO_BOOK_GPT2": "tiny", "OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        counts, failed = process.submit(run_on_paper, path).result()
    assert failed is None, failed
    assert counts["on GPU"] > 1000 or path.name[:2] not in ("08", "09")
