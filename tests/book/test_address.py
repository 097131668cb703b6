"""One address for the repository, everywhere the same."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.address import current_address, set_address

ROOT = Path(__file__).parents[2]

FILES = [
    "CITATION.cff",
    "_config.yml",
    "README.md",
    "pyproject.toml",
    *(f"chapters/{p.name}" for p in (ROOT / "chapters").glob("*.ipynb")),
]


@pytest.mark.parametrize("name", FILES)
def test_every_file_names_the_address_of_the_config(name):
    named = set(re.findall(r"https://github\.com/[\w.-]+/[\w.-]*\w", (ROOT / name).read_text("utf-8")))
    assert named == {current_address()}


def test_each_chapter_installs_from_the_address_first():
    for path in (ROOT / "chapters").glob("*.ipynb"):
        code = next(c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code")
        assert f"git+{current_address()}@main" in "".join(code["source"])


@pytest.mark.parametrize(
    ("address", "pages"),
    [
        ("https://github.com/somebody/a-book", "https://somebody.github.io/a-book/"),
        ("https://github.com/Jane-Doe/jane-doe.github.io", "https://jane-doe.github.io/"),
    ],
)
def test_a_new_address_is_set_everywhere(tmp_path, address, pages):
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    subprocess.run("git init -q && git add -A", shell=True, cwd=tmp_path, check=True)
    before = current_address(tmp_path)
    assert sorted(set_address(address, tmp_path)) == sorted(FILES)
    assert current_address(tmp_path) == address
    assert not any(before in (tmp_path / name).read_text("utf-8") for name in FILES)
    assert yaml.safe_load((tmp_path / "_config.yml").read_text("utf-8"))["html"]["baseurl"] == pages


@pytest.mark.parametrize(
    "address", ["", "github.com/a/b", "https://github.com/a", "https://github.com/a/b.git", "https://x.org/a/b"]
)
def test_a_wrong_address_is_refused(address):
    with pytest.raises(ValueError, match="REPO must look like"):
        set_address(address)
