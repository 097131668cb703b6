"""Figures of the published page: their still pictures, numbers, captions and anchors.

A live figure's still is drawn by the figure's own JavaScript, in the engine that also typesets the formulas, from the
state that the notebook saved. It stands until the figure lives, in print, and where there is no JavaScript.
"""

import atexit
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from html import escape
from itertools import count
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.transforms import SphinxTransform

VIEW = "application/vnd.jupyter.widget-view+json"
VIEW_SCRIPT = re.compile(rf'<script type="{re.escape(VIEW)}">(.*?)</script>', re.DOTALL)
# what names a place, and what wants a number, in the order of the page
ANCHOR_OR_CAPTION = re.compile(r'id="(fig-[\w-]+)"|<figcaption>')
# a line of a module that is nothing but a comment: readers find it in the repository
COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
INDENT = re.compile(r"^ +", re.MULTILINE)
# a module that a figure imports, as ppo_helpers.live.bundle writes it; and what stands where the page holds it once
PART = re.compile(
    r"^const ((?:figures|parts|twins)_\w+) = (?:\(\(\) => \{\n.*?^\}\)\(\)|\{\n.*?^\});\n", re.MULTILINE | re.DOTALL
)
PLACE = re.compile(r"^//@ (\w+)\n", re.MULTILINE)
DOM = (Path(__file__).parent / "dom.js").read_text("utf-8")
LINK = '<button type="button" class="live-link">Link to this view</button>'
# the first figure of a page is on its first screen: it need not wait for the rest of the page
FIRST = "<script>window.livePage?.first()</script>"
NOTE = "<noscript><p class='live-note'>This is a still picture: the figure comes alive with JavaScript.</p></noscript>"


@cache
def _engine() -> MiniRacer:
    engine = MiniRacer()
    atexit.register(engine.close)  # left to the interpreter's last moments, it can hang there
    return engine


def still(state: dict) -> str:
    """A figure's first view.

    Args:
        state: what the widget has saved, its module ``_esm`` among it.

    Returns:
        What the figure draws into its element, as HTML.
    """
    module = state["_esm"].replace("export default {", "const figure = {")
    known = json.dumps({name: value for name, value in state.items() if name not in ("_esm", "_css")})
    return _engine().eval(f"(() => {{\n{DOM}\n{module}\nreturn drawStill(figure.render, {known});\n}})()")


def html_of(state: dict, view: str) -> str:
    """A live figure as it stands in the page: its still, its caption, and the script that names its model.

    Args:
        state: what the widget has saved.
        view: the content of the ``widget-view`` script.
    """
    alt, caption = escape(state["alt"]), escape(state["caption"], quote=False)
    return (
        f'<figure class="live-figure"><div class="live-still" inert>{still(state)}</div>'
        f'<p class="live-hidden live-alt">{alt}</p>{NOTE}'
        f'<script type="{VIEW}">{view}</script><figcaption>{caption} {LINK}</figcaption></figure>'
    )


def numbered(body: str, chapter: str) -> str:
    """Give every figure of a page its number, and a link to the cell that made it.

    Args:
        body: the page.
        chapter: its number, or nothing.
    """
    place, numbers = "", count(1)

    def write(match: re.Match) -> str:
        nonlocal place
        if match[1]:
            place = match[1]
            return match[0]
        number = f"{chapter}.{next(numbers)}" if chapter else str(next(numbers))
        own = f"figure-{number.replace('.', '-')}"
        link = f'<a class="headerlink" href="#{place or own}" title="Link to this figure">#</a>'
        return f'<figcaption id="{own}"><span class="caption-number">Figure {number}</span>{link} '

    return ANCHOR_OR_CAPTION.sub(write, body)


class NameCells(SphinxTransform):
    """A code cell that shows a figure can be linked to, by the id that the notebook gives it."""

    default_priority = 400

    def apply(self, **kwargs):
        source = Path(self.document["source"])
        if source.suffix != ".ipynb":
            return
        ids = [cell.get("id") for cell in json.loads(source.read_text("utf-8"))["cells"]]
        for cell in self.document.findall(nodes.container):
            shown = "".join(raw.astext() for raw in cell.findall(nodes.raw))
            if cell.get("nb_element") == "cell_code" and (VIEW in shown or "<figcaption>" in shown):
                cell["ids"].append(f"fig-{ids[cell['cell_index']]}")


def light(module: str) -> str:
    """A figure's module without what only people read."""
    return INDENT.sub("", COMMENT.sub("", module))


def shared(saved: dict) -> dict:
    """A page's widgets with every module once, however many figures import it; _static/live-static.js puts it back."""
    counts = Counter(part[0] for module in _modules(saved).values() for part in PART.finditer(module))
    parts = {PART.match(text)[1]: text for text, count in counts.items() if count > 1}
    return _changed(saved, lambda part: f"//@ {part[1]}\n" if parts.get(part[1]) == part[0] else part[0], PART) | {
        "parts": parts
    }


def whole(saved: dict) -> dict:
    """The inverse of :func:`shared`."""
    parts = saved.get("parts", {})
    return _changed(saved, lambda place: parts[place[1]], PLACE)


def _modules(saved: dict) -> dict[str, str]:
    return {name: widget["state"]["_esm"] for name, widget in saved["state"].items() if "_esm" in widget["state"]}


def _changed(saved: dict, change: Callable[[re.Match], str], where: re.Pattern) -> dict:
    """A copy whose modules are changed in some places."""
    state = dict(saved["state"])
    for name, module in _modules(saved).items():
        state[name] = state[name] | {"state": state[name]["state"] | {"_esm": where.sub(change, module)}}
    return saved | {"state": state}


def saved_widgets(env, page: str) -> dict:
    """The widgets' state that myst_nb puts into a page: no comments, and no styles, which the page has already."""
    files = getattr(env, "nb_metadata", {}).get(page, {}).get("js_files", {})
    if "ipywidgets_state" not in files:
        return {}
    _, script = files["ipywidgets_state"]
    saved = whole(json.loads(script["body"]))
    for widget in saved["state"].values():
        widget["state"].pop("_css", None)
        if "_esm" in widget["state"]:
            widget["state"]["_esm"] = light(widget["state"]["_esm"])
    script["body"] = json.dumps(shared(saved)).replace("</", "<\\/")
    return saved["state"]


def bring_figures(app, pagename, templatename, context, doctree):
    if "body" not in context:
        return
    saved = saved_widgets(app.env, pagename)

    def figure(match: re.Match) -> str:
        widget = saved.get(json.loads(match[1])["model_id"], {"state": {}})
        return html_of(widget["state"], match[1]) if "_esm" in widget["state"] else match[0]

    chapter = re.match(r"chapters/0*(\d+)_", pagename)
    body = VIEW_SCRIPT.sub(figure, context["body"])
    body = re.sub(r'<figure class="live-figure">.*?</figure>', rf"\g<0>{FIRST}", body, count=1, flags=re.DOTALL)
    context["body"] = numbered(body, chapter[1] if chapter else "")


def joined_styles(live: Path) -> str:
    """One stylesheet for all figures: stills and live ones look alike before any script has run.

    Args:
        live: the folder ``ppo_helpers/live``.
    """
    parts = [live / "figure.css", *sorted((live / "figures").glob("*.css"))]
    return "".join(part.read_text("utf-8") for part in parts)


def join_styles(app):
    target = Path(app.outdir, "_static", "figure.css")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(joined_styles(Path(app.confdir, "ppo_helpers", "live")), "utf-8")


def write_models(app):
    """What figures load when a reader wakes the bundled model, and what training has made of it."""
    from ppo_helpers.live import page_model

    home = Path(app.outdir, "_static")
    home.mkdir(parents=True, exist_ok=True)
    for name, script in page_model.SCRIPTS.items():
        (home / f"{name}.js").write_text(script(), "utf-8")


def setup(app):
    app.add_transform(NameCells)
    app.connect("html-page-context", bring_figures, priority=400)  # before myst_nb hands its scripts on
    app.connect("builder-inited", join_styles)
    app.connect("builder-inited", write_models)
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # the engine does not survive a fork
