"""The chapters in an environment with the versions that Colab has preinstalled."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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
def test_chapter_runs(path, tmp_path):
    script = (
        "import sys, nbformat; from nbclient import NotebookClient\n"
        "NotebookClient(nbformat.read(sys.argv[1], 4), timeout=180, kernel_name='python3').execute()"
    )
    done = subprocess.run([PYTHON, "-c", script, path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
