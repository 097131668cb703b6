"""What the folder shows: the core knows tensors only, and the two worlds stand above it side by side."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ppo_helpers"
TENSORS_ONLY = {
    "objectives": set(),
    "experience": set(),
    "ppo": {"ppo_helpers.experience", "ppo_helpers.objectives"},
}
HEAVY = ("gymnasium", "transformers", "safetensors", "numpy", "tqdm", "ppo_helpers.networks", "ppo_helpers.walking")


def imported(path):
    """Modules that a file imports, in functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "ppo_helpers")


@pytest.mark.parametrize(("name", "allowed"), TENSORS_ONLY.items())
def test_the_core_imports_torch_and_itself(name, allowed):
    others = {m for m in imported(PACKAGE / f"{name}.py") if m.split(".")[0] not in sys.stdlib_module_names}
    assert {m for m in others if not m.startswith("torch")} == allowed


def test_importing_ppo_loads_no_world():
    code = "import sys, ppo_helpers.ppo; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name for name in loaded if name in HEAVY} - {"numpy", "tqdm"}  # torch itself brings these two


def test_importing_the_package_loads_nothing():
    code = "import sys, ppo_helpers; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "gymnasium", "transformers"} & set(loaded)


def test_the_two_worlds_do_not_know_each_other():
    walking = set(imported(PACKAGE / "walking.py"))
    language = {m for path in (PACKAGE / "language").glob("*.py") for m in imported(path)}
    assert not {m for m in walking if m.startswith(("ppo_helpers.language", "transformers"))}
    worldly = (
        "ppo_helpers.walking",
        "ppo_helpers.gridworld",
        "ppo_helpers.planning",
        "ppo_helpers.networks",
        "gymnasium",
    )
    assert not {m for m in language if m.startswith(worldly)}


def test_nothing_knows_a_chapter_and_figures_and_exercises_stand_at_the_edge():
    edge = ("ppo_helpers.live", "ppo_helpers.figures", "ppo_helpers.exercises")
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in ("live", "exercises", "figures.py"):
            continue
        assert not {m for m in imported(path) if m and m.startswith((*edge, "chapters"))}, path


def names(path):
    """Every name that the code of a file has: of variables, arguments, attributes, functions and texts used as keys."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for field in ("id", "arg", "attr", "name"):
            if isinstance(name := getattr(node, field, None), str):
                yield name
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            yield str(node.slice.value)


@pytest.mark.parametrize("name", TENSORS_ONLY)
def test_the_core_has_no_branch_for_texts_or_walks(name):
    worldly = ("text", "token", "prompt", "response", "sequence", "vocabular", "language", "grid", "walk", "env")
    found = {n for n in names(PACKAGE / f"{name}.py") if any(word in n.lower() for word in worldly)}
    assert not found
    assert any("token" in n.lower() for n in names(PACKAGE / "language" / "writing.py"))  # they would be seen
