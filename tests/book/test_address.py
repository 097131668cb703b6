"""One address for the repository, everywhere the same."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "_ext"))
from publish import current_address, publish  # noqa: E402

FILES = [
    "_config.yml",
    "README.md",
    "pyproject.toml",
    *(f"chapters/{p.name}" for p in (ROOT / "chapters").glob("*.ipynb")),
]


@pytest.mark.parametrize("name", FILES)
def test_every_file_names_the_address_of_the_config(name):
    named = set(re.findall(r"https://github\.com/[\w.-]+/[\w-]+", (ROOT / name).read_text("utf-8")))
    assert named == {current_address()}


def test_each_chapter_installs_from_the_address_first():
    for path in (ROOT / "chapters").glob("*.ipynb"):
        code = next(c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code")
        assert f"git+{current_address()}@main" in "".join(code["source"])


def test_publish_sets_a_new_address_everywhere(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    subprocess.run("git init -q && git add -A", shell=True, cwd=tmp_path, check=True)
    before = current_address(tmp_path)
    assert sorted(publish("https://github.com/somebody/a-book", tmp_path)) == sorted(FILES)
    assert current_address(tmp_path) == "https://github.com/somebody/a-book"
    assert not any(before in (tmp_path / name).read_text("utf-8") for name in FILES)


@pytest.mark.parametrize(
    "address", ["", "github.com/a/b", "https://github.com/a", "https://github.com/a/b.git", "https://x.org/a/b"]
)
def test_a_wrong_address_is_refused(address):
    with pytest.raises(ValueError, match="REPO must look like"):
        publish(address)
