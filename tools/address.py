"""Sets the repository's address everywhere at once: python tools/address.py https://github.com/<owner>/<name>"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENDINGS = (".ipynb", ".md", ".yml", ".toml", ".cff")


def current_address(root: Path = ROOT) -> str:
    """The address that `_config.yml` gives the repository."""
    return re.search(r"^repository:\s*\n\s+url: (\S+)", (root / "_config.yml").read_text("utf-8"), re.MULTILINE)[1]


def set_address(new: str, root: Path = ROOT) -> list[str]:
    """Replace the current address by ``new`` in every text file under version control; returns their names."""
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", new) or new.endswith(".git"):
        raise ValueError(f"REPO must look like https://github.com/<owner>/<name>, got {new!r}")
    old = re.compile(re.escape(current_address(root)) + r"(?![\w-])")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
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
