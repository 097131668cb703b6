"""The chapters in an environment with the versions that Colab has preinstalled."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-colab" / "bin" / "python"
PINS = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "tests/colab/requirements.txt").read_text(), re.MULTILINE))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-colab: `make test` builds it"),
]


def test_installing_the_package_replaced_nothing():
    listed = subprocess.run([PYTHON, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    installed = {package["name"]: package["version"] for package in json.loads(listed.stdout)}
    assert {name: installed[name] for name in PINS} == PINS
    assert "ppo-helpers" in installed


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem)
def test_chapter_runs(path):
    """As a reader runs it, cell after cell. With the book's own versions it runs when the pages are built."""
    command = [PYTHON, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", "--nbmake", "--nbmake-timeout=300"]
    done = subprocess.run([*command, path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
