"""Sets the repository's address, and that of its pages: python tools/address.py https://github.com/<owner>/<name>"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENDINGS = (".ipynb", ".md", ".yml", ".toml", ".cff")


def current_address(root: Path = ROOT) -> str:
    """The address that `_config.yml` gives the repository."""
    return re.search(r"^repository:\s*\n\s+url: (\S+)", (root / "_config.yml").read_text("utf-8"), re.MULTILINE)[1]


def pages_address(repository: str) -> str:
    """Where GitHub publishes the pages of a repository."""
    owner, name = repository.lower().split("/")[-2:]
    home = f"https://{owner}.github.io/"
    return home if name == f"{owner}.github.io" else f"{home}{repository.split('/')[-1]}/"


def set_address(new: str, root: Path = ROOT) -> list[str]:
    """Replace the current address by ``new`` in every text file under version control; returns their names.

    ``_config.yml`` is told where the pages will be as well: cards and canonical links need a whole address.
    """
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", new) or new.endswith(".git"):
        raise ValueError(f"REPO must look like https://github.com/<owner>/<name>, got {new!r}")
    old = re.compile(re.escape(current_address(root)) + r"(?![\w-])")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    config = root / "_config.yml"
    base = re.compile(r"^(  baseurl: )\S+", re.MULTILINE)
    config.write_text(base.sub(rf"\g<1>{pages_address(new)}", config.read_text("utf-8")), "utf-8")
    changed = []
    for name in filter(lambda name: name.endswith(ENDINGS), listed.stdout.splitlines()):
        text = (root / name).read_text("utf-8")
        if old.search(text):
            (root / name).write_text(old.sub(new, text), "utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    try:
        print("changed:", *set_address(sys.argv[1] if len(sys.argv) > 1 else ""), sep="\n  ")
    except ValueError as error:
        sys.exit(str(error))
