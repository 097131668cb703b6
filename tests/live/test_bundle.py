"""The figures' modules: joined without Node, importable by Node, short, and handed on while they are edited."""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest
from py_mini_racer import MiniRacer

from ppo_helpers import live
from ppo_helpers.live.base import HOME
from ppo_helpers.live.bundle import bundle, follow, sources

MODULES = sorted(HOME.rglob("*.js"))


def write(folder, **files):
    for name, text in files.items():
        folder.joinpath(name.replace("_js", ".js").replace("_json", ".json")).write_text(text, "utf-8")
    return folder / "own.js"


def test_what_is_imported_stands_first_and_once(tmp_path):
    own = write(
        tmp_path,
        own_js='import { a } from "./a.js";\nimport { b } from "./b.js";\nconst secret = 1;\n'
        "export const sum = () => a() + b() + secret;\n",
        a_js='import { c } from "./c.js";\nconst secret = 10;\nexport function a() {\n  return c + secret;\n}\n',
        b_js='import { c } from "./c.js";\nimport WORDS from "./words.json" with { type: "json" };\n'
        "const secret = 100;\nexport const b = () => c + secret + WORDS.n;\n",
        c_js="export const c = 1000;\n",
        words_json='{ "n": 10000 }',
    )
    assert [path.name for path in sources(own)] == ["c.js", "a.js", "words.json", "b.js", "own.js"]
    text = bundle(own)
    assert text.count("= 1000;") == 1
    racer = MiniRacer()
    assert racer.eval(re.sub(r"^export ", "", text, flags=re.MULTILINE) + "\nsum();") == 12111


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./c.js";',
        'import { c as d } from "./c.js";',
        'import "./c.js";',
        "export { c };",
        'export * from "./c.js";',
        "export default function () {}",
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, line):
    own = write(tmp_path, own_js=f"{line}\n", c_js="export const c = 1;\n")
    with pytest.raises(ValueError, match=r"own\.js must import and export by plain names"):
        bundle(own)


def test_two_modules_of_one_name_are_refused(tmp_path):
    for place in ("a/parts", "b/parts"):
        (tmp_path / place).mkdir(parents=True)
        write(tmp_path / place, c_js="export const c = 1;\n")
    lines = 'import { c } from "./a/parts/c.js";\nimport { c } from "./b/parts/c.js";\n'
    with pytest.raises(ValueError, match="modules of one bundle must have names of their own, got parts_c, parts_c"):
        bundle(write(tmp_path, own_js=lines))


def test_no_text_goes_over_lines():
    """The pages leave out what stands before a line; within a text it would be missing."""
    odd = [path.name for path in MODULES for line in path.read_text("utf-8").splitlines() if line.count("`") % 2]
    assert odd == []


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed; the same code ran in mini-racer")
def test_node_imports_every_file_as_it_is(tmp_path):
    lines = [f"await import({json.dumps(path.as_uri())});" for path in MODULES]
    (tmp_path / "all.mjs").write_text("\n".join(lines), "utf-8")
    done = subprocess.run(["node", "all.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_and_functions_stay_short():
    long = {path.name: n for path in MODULES if (n := len(path.read_text("utf-8").splitlines())) > 150}
    wide = [path.name for path in MODULES for line in path.read_text("utf-8").splitlines() if len(line) > 120]
    assert (long, wide) == ({}, [])
    renders = {}
    for path in MODULES:
        if found := re.search(r"^function render\(.*?\n\}\n", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            renders[path.name] = len(found[0].splitlines())
    assert len(renders) == len(live.__all__) - 1  # LiveFigure draws nothing
    assert {name: n for name, n in renders.items() if n > 40} == {}


def classes(text):
    return set(re.findall(r"live-[\w-]+", text))


def test_a_figures_own_look_is_no_other_figures():
    """A page has the styles of all figures: a rule of one must not fit what another one draws."""
    folder = HOME / "figures"
    files = {p.stem: "".join(f.read_text("utf-8") for f in folder.glob(f"{p.stem}*.*s")) for p in folder.glob("*.py")}
    found = []
    for css in folder.glob("*.css"):
        rules = re.sub(r"/\*.*?\*/", "", css.read_text("utf-8"), flags=re.DOTALL)
        for selector in [s for rule in re.findall(r"([^{}]+)\{", rules) for s in re.split(r",(?![^(]*\))", rule)]:
            own = classes(selector)
            found += [(selector.strip(), name) for name, text in files.items() if name != css.stem and own
                      and own <= classes(text)]  # fmt: skip
    assert found == []


def test_importing_the_figures_imports_neither_torch_nor_matplotlib():
    code = "import sys, ppo_helpers.live; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
def test_a_saved_file_is_handed_on_without_a_restart(tmp_path, monkeypatch):
    """As a notebook sees it while a figure is edited: an imported file changes, the widget's module follows."""
    own = write(tmp_path, own_js='import { c } from "./c.js";\nexport const d = c;\n', c_js="export const c = 1;\n")
    seen = []
    monkeypatch.delenv("ANYWIDGET_HMR", raising=False)
    follow(own, seen.append)
    monkeypatch.setenv("ANYWIDGET_HMR", "1")
    follow(own, seen.append)
    deadline = time.monotonic() + 30
    while not seen and time.monotonic() < deadline:  # the watcher takes a moment to begin
        write(tmp_path, c_js="export const c = 2;\n")
        time.sleep(0.5)
    assert seen and "c = 2" in seen[-1]


def test_a_figure_shows_what_was_saved(monkeypatch):
    given = []
    monkeypatch.setattr("ppo_helpers.live.base.follow", lambda path, changed: given.append((path, changed)))
    figure = live.GridEditor(alt="an editor", caption="an editor")
    [(path, changed)] = given
    assert path.name == "grid_editor.js"
    changed("export default { render() {} };")
    assert figure.get_state("_esm")["_esm"] == "export default { render() {} };"
