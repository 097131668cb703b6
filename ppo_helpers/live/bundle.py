"""Joins a figure's ES module and all that it imports into one module, without Node.

Browsers of notebooks get one text per widget, so nothing can be imported there. Each imported file becomes a function
that is called once and returns what the file exports; names that it keeps to itself stay its own.
"""

import atexit
import os
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

IMPORT = re.compile(r'^import (\w+|\{[^}]*\}) from "(\.[^"]*)"( with \{ type: "json" \})?;\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
# what `IMPORT` and `EXPORT` do not understand must not be lost without a word
LEFT_OVER = re.compile(r"^(?:import\b.*|export (?:\{|\*|default).*)", re.MULTILINE)


def bundle(path: Path) -> str:
    """One module for a figure.

    Args:
        path: the figure's own file; relative imports, of ``.js`` and ``.json``, are followed.

    Returns:
        Its text, after the texts of all that it needs, each of them once.

    Raises:
        ValueError: if a file imports or exports in a way that is not understood, or two have one name.
    """
    *needed, own = sources(path)
    names = _names(needed)
    parts = [_wrapped(source, names) for source in needed]
    return "".join([*parts, _linked(own, names)])


def _names(needed: list[Path]) -> dict[Path, str]:
    """What each module is called in a bundle: the same in all of them, so that a page can hold it once."""
    names = {source: re.sub(r"\W", "_", f"{source.parent.name}_{source.stem}") for source in needed}
    if len(set(names.values())) < len(names):
        raise ValueError(f"modules of one bundle must have names of their own, got {', '.join(names.values())}")
    return names


def sources(path: Path, found: dict[Path, None] | None = None) -> list[Path]:
    """A module and all that it imports, directly or not: what is needed comes first."""
    found = {} if found is None else found
    path = path.resolve()
    if path not in found and path.suffix == ".js":
        for _, name, _ in IMPORT.findall(path.read_text("utf-8")):
            sources(path.parent / name, found)
    found.setdefault(path)
    return list(found)


def follow(path: Path, changed: Callable[[str], None]) -> None:
    """While ``ANYWIDGET_HMR=1``: hand on a figure's new text whenever one of its files is saved."""
    if os.environ.get("ANYWIDGET_HMR") != "1":
        return
    stop = Event()
    thread = Thread(target=_watch, args=(path, changed, stop), daemon=True)
    thread.start()
    atexit.register(lambda: (stop.set(), thread.join()))  # the watcher must not outlive the interpreter


def _watch(path: Path, changed: Callable[[str], None], stop: Event) -> None:
    import watchfiles

    for _ in watchfiles.watch(*{source.parent for source in sources(path)}, stop_event=stop):
        changed(bundle(path))


def _wrapped(source: Path, names: dict[Path, str]) -> str:
    text = source.read_text("utf-8")
    if source.suffix == ".json":
        return f"const {names[source]} = {text.strip()};\n"
    exported = EXPORT.findall(text)
    body = re.sub(r"^export ", "", _linked(source, names), flags=re.MULTILINE)
    return f"const {names[source]} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();\n"


def _linked(source: Path, names: dict[Path, str]) -> str:
    """A module's text in which an import takes from what stands above it."""

    def take(match: re.Match) -> str:
        return f"const {match[1]} = {names[(source.parent / match[2]).resolve()]};\n"

    text = IMPORT.sub(take, source.read_text("utf-8"))
    unknown = [line for line in LEFT_OVER.findall(text) if not line.startswith("export default {")]
    if unknown or re.search(r"^const \{[^}]*\bas\b", text, re.MULTILINE):
        raise ValueError(f"{source.name} must import and export by plain names, got {unknown or 'a renamed import'}")
    return text
