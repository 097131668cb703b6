"""Exercises that answer on the published page: MicroPython runs the reader's cell, and no kernel is needed.

The checks themselves give their cases away (inputs, expected results, hints), and the code that judges an answer in a
notebook is shipped as it is. What needs PyTorch says so, and leads to Colab.
"""

import base64
import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ppo_helpers import exercises
from ppo_helpers.exercises.feedback import Case, giving_cases_away
from ppo_helpers.exercises.scores import Score
from ppo_helpers.gridworld import GridWorld

BOOK = Path(__file__).parent.parent
PACKAGE = Path(exercises.__file__).parent
SHIPPED = ("judge.py", "on_page.py", "scores.py")
# A page that was opened from a file may start no thread of modules: the module becomes a plain script. And 2 GiB, which
# MicroPython would take for a list that grows for ever, become 64 MiB.
PLAIN = {
    "export default _createMicroPythonModule": "",
    "export async function": "async function",
    "import.meta.url": "self.location.href",
    "2147483648": str(64 * 2**20),
}
CALL = re.compile(r"exercises\.(check_\w+)\(")
STUB = "# your code here"
HEADER = """\
from ppo_helpers.exercises.on_page import Case, Exercise, World
from ppo_helpers.exercises.scores import Circle, Score
inf, nan = float("inf"), float("nan")
"""


class NeedsTorchError(TypeError):
    """A case that no plain Python can hold."""


def literal(value) -> str:
    """A case's value as Python writes it, for MicroPython.

    Raises:
        NeedsTorchError: for tensors, networks and what else is not plain.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value.item() if hasattr(value, "item") else value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{literal(item)}, ' for item in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, Score):
        return f"{type(value).__name__}(*{literal(value.worth)})"
    if isinstance(value, GridWorld):
        parts = (repr(value), _moves(value), value.terminals, value.move_cost)
        return f"World({', '.join(map(literal, parts))})"
    raise NeedsTorchError(type(value).__name__)


def _moves(world: GridWorld) -> dict:
    """Every move of a world, with what follows it."""
    cells = [cell for cell in world.states if cell not in world.terminals]
    return {(cell, action): world.step(cell, action) for cell in cells for action in world.actions(cell)}


def exercise(check) -> str | None:
    """A check's name, cases and hint against endless loops, as Python writes them; None if it needs PyTorch."""

    def answer(*args): ...

    with giving_cases_away() as given:
        check(answer)
    [(tried, name, cases, endless)] = given
    if tried is not answer:  # it is put into something that trains
        return None
    try:
        rows = "".join(f"    {_case(case)},\n" for case in cases)
    except NeedsTorchError:
        return None
    return f"Exercise({name!r}, lambda: [\n{rows}], {endless!r})"


def _case(case: Case) -> str:
    return f"Case({', '.join(map(literal, (case.args, case.expected, case.hint, case.exact_zeros)))})"


@cache
def on_page() -> dict[str, str]:
    """The exercises that answer on the page, by their checks."""
    found = {name: exercise(getattr(exercises, name)) for name in exercises.__all__}
    return {name: source for name, source in found.items() if source}


def files() -> dict[str, str]:
    """What MicroPython imports, by path."""
    home = "ppo_helpers/exercises"
    rows = "".join(f"    {name!r}: {on_page().get(name)},\n" for name in exercises.__all__)
    cases = f"{HEADER}EXERCISES = {{\n{rows}}}\n"
    return {f"{home}/{name}": (PACKAGE / name).read_text("utf-8") for name in SHIPPED} | {f"{home}/cases.py": cases}


def thread() -> str:
    """What runs in the thread: MicroPython and what talks to it, as one plain script."""
    module = (BOOK / "_vendor" / "micropython" / "micropython.mjs").read_text("utf-8")
    for old, new in PLAIN.items():
        if old not in module:
            raise ValueError(f"micropython.mjs must contain {old!r}: it has another form now")
        module = module.replace(old, new)
    return f"(async () => {{\n{module}\n{(BOOK / '_ext' / 'page_worker.js').read_text('utf-8')}}})();\n"


def script() -> str:
    """The page's Python, as a script that hands it over: what runs in the thread, the machine code, the files."""
    wasm = (BOOK / "_vendor" / "micropython" / "micropython.wasm").read_bytes()
    parts = {"worker": thread(), "wasm": base64.b64encode(wasm).decode(), "files": files()}
    return f"livePage.take('page-python', {json.dumps(parts)});\n"


class MarkExercises(SphinxPostTransform):
    """The cell of a stub is marked, so that the page's script finds it."""

    default_priority = 190  # before myst_nb folds the cells

    def run(self, **kwargs):
        for cell in self.document.findall(nodes.container):
            source = "".join(code.astext() for code in cell.findall(nodes.literal_block))
            call = CALL.search(source)
            if cell.get("nb_element") == "cell_code" and call and STUB in source:
                cell["classes"] += ["exercise"] if call[1] in on_page() else ["exercise", "needs-torch"]


def write_scripts(app):
    home = Path(app.outdir, "_static")
    home.mkdir(parents=True, exist_ok=True)
    (home / "page-python.js").write_text(script(), "utf-8")
    editor = (BOOK / "_vendor" / "prism-code-editor" / "page-editor.js").read_text("utf-8")
    (home / "page-editor.js").write_text(editor, "utf-8")


def setup(app):
    app.add_post_transform(MarkExercises)
    app.connect("builder-inited", write_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
