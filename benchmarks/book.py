"""The book: every chapter's run time and memory, and a cold build."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, benchmark

ROOT = Path(__file__).parents[1]
LIMITS = {"07": 60, "11": 180}  # seconds; every other chapter has 45
RUN = """
import resource, sys, nbformat
from nbclient import NotebookClient
NotebookClient(nbformat.read(sys.argv[1], 4), timeout=600, kernel_name="python3").execute()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9)  # KiB on Linux
"""


@benchmark
def chapters():
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", RUN, path], cwd=folder, capture_output=True, text=True, check=True
            )
        yield Row(f"chapter {path.stem}", time.perf_counter() - start, LIMITS.get(path.stem[:2], 45), "s")
        yield Row(f"chapter {path.stem}, peak memory of the kernel", float(done.stdout.split()[-1]), 2.5, "GB")


@benchmark
def cold_build():
    """The whole book with no execution cache, in a copy, so that nothing here is touched."""
    few = len(list((ROOT / "chapters").glob("*.ipynb"))) <= 2
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "_build"))
        start = time.perf_counter()
        command = [Path(sys.executable).parent / "jupyter-book", "build", copy, "-W", "-n", "--keep-going"]
        subprocess.run(command, capture_output=True, text=True, check=True)
        yield Row("cold build of the book", time.perf_counter() - start, 120 if few else 480, "s")
