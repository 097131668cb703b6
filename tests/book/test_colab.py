"""The chapters in an environment with the versions that Colab has preinstalled."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from shorter import CHAPTERS, shorter

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


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_runs(tmp_path, path):
    """As a reader runs it, cell after cell, the long ones cut. Colab's own image runs all of it: ``run.sh``."""
    copy = tmp_path / path.name
    copy.write_text(json.dumps(shorter(path)), "utf-8")
    command = [PYTHON, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", "--nbmake", "--nbmake-timeout=300"]
    done = subprocess.run([*command, copy], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
