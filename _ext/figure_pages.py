"""A page of all live figures, for teachers and talks, and each figure on a page of its own, for other sites' frames."""

import json
import re
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

from docutils import nodes
from live_figures import VIEW, VIEW_SCRIPT, html_of, saved_widgets, still

GALLERY = "gallery"
COLAB = "https://colab.research.google.com/github/"
MINUTES = re.compile(r"Reading: about (\d+) minutes")
CARDS = re.compile(r"<p>CHAPTERS ([\d|]+)</p>")
STATE = VIEW.replace("view", "state")


def spaced(name: str) -> str:
    """PPOLab as PPO Lab."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)


def kebab(name: str) -> str:
    return spaced(name).replace(" ", "-").lower()


class Figure:
    """A live figure of a chapter: its class, its state, and where it stands.

    Args:
        page: the chapter.
        cell: the id of the cell that shows it, or of its caption where cells have none.
        model: the id of its widget.
        state: what the widget has saved.
    """

    def __init__(self, page: str, cell: str, model: str, state: dict):
        self.page, self.cell, self.model, self.state = page, cell, model, state
        self.kind = state["_anywidget_id"].rpartition(".")[2]
        chapter = re.match(r"chapters/0*(\d+)", page)
        self.place = f"chapter {chapter[1]}" if chapter else "the first page"
        self.address = f"embed/{kebab(self.kind)}"

    def html(self) -> str:
        """It and its state, as they stand in a page."""
        widget = {"model_module": "anywidget", "model_name": "AnyModel", "state": self.state}
        saved = json.dumps({"state": {self.model: widget}}).replace("</", "<\\/")
        view = json.dumps({"model_id": self.model})
        return f'{html_of(self.state, view)}<script type="{STATE}">{saved}</script>'


def figures(env) -> list[Figure]:
    """The live figures in the order of the book, each kind where it first stands in a chapter, or on the first page."""
    found, chapters = {}, sorted(name for name in env.found_docs if name.startswith("chapters/"))
    for page in [*chapters, env.config.root_doc]:
        for figure in figures_of(env, page):
            found.setdefault(figure.kind, figure)
    first = [figure for figure in found.values() if figure.page == env.config.root_doc]
    return first + [figure for figure in found.values() if figure not in first]


def figures_of(env, page: str) -> Iterator[Figure]:
    """The live figures of one page."""
    saved, number = saved_widgets(env, page), 0
    for cell in env.get_doctree(page).findall(nodes.container):
        shown = "".join(raw.astext() for raw in cell.findall(nodes.raw))
        for match in VIEW_SCRIPT.finditer(shown if cell.get("nb_element") == "cell_code" else ""):
            number += 1
            model = json.loads(match[1])["model_id"]
            if "_anywidget_id" in saved.get(model, {}).get("state", {}):
                yield Figure(page, (cell["ids"] or [f"figure-{number}"])[0], model, saved[model]["state"])


def picture(figure: Figure, there: str) -> str:
    """A figure's first view, small; a press leads to it, and who cannot see it takes the link beside it."""
    return (
        f'<a class="gallery-picture" href="{there}" tabindex="-1" aria-hidden="true">'
        f'<div class="live-figure"><div class="live-still" inert>{still(figure.state)}</div></div></a>'
    )


def card(figure: Figure, pathto) -> str:
    """A small picture, its first sentence, and the ways to the figure."""
    first = re.split(r"(?<=[.?!]) ", figure.state["caption"])[0]
    there, own = f"{pathto(figure.page)}#{figure.cell}", pathto(figure.address)
    title = spaced(figure.kind)
    return (
        f'<section class="gallery-card" id="{kebab(figure.kind)}"><h2>{escape(title)}</h2>'
        f"{picture(figure, there)}<p>{escape(first, quote=False)}</p>"
        f'<p><a href="{there}">{figure.place.capitalize()}</a> · <a href="{own}">On a page of its own</a></p>'
        "</section>"
    )


def fill_gallery(app, pagename, templatename, context, doctree):
    if pagename == GALLERY:
        cards = "".join(card(figure, context["pathto"]) for figure in figures(app.env))
        context["body"] = context["body"].replace("<p>GALLERY</p>", f'<div class="gallery">{cards}</div>')


def follow_the_chapters(app, env, added, changed, removed):
    """The gallery and the first page are written again whenever another page is: they show what all of them have."""
    return [GALLERY, env.config.root_doc] if added | changed | removed else []


def chapter_card(env, page: str, pathto) -> str:
    """A chapter as the first page shows it: its first figure, its question, and how long it takes."""
    doctree = env.get_doctree(page)
    minutes = MINUTES.search(doctree.astext())[1]
    title, figure = env.titles[page].astext(), next(figures_of(env, page))
    return (
        f'<section class="gallery-card"><h4><a href="{pathto(page)}">{escape(title, quote=False)}</a></h4>'
        f"{picture(figure, pathto(page))}<p>{minutes} minutes, and the exercises</p></section>"
    )


def ways_in(app, pathto) -> str:
    """The first three things that a reader may want."""
    first = min(name for name in app.env.found_docs if name.startswith("chapters/"))
    code, branch = (app.config.html_theme_options[name] for name in ("repository_url", "repository_branch"))
    colab = f"{COLAB}{code.removeprefix('https://github.com/')}/blob/{branch}/{first}.ipynb"
    links = {"Start reading": pathto(first), "Open in Colab": colab, "The code": code}
    return f'<p class="ways-in">{" ".join(f"""<a href="{there}">{words}</a>""" for words, there in links.items())}</p>'


def fill_first_page(app, pagename, templatename, context, doctree):
    if pagename != app.config.root_doc:
        return
    pathto = context["pathto"]

    def cards(match: re.Match) -> str:
        pages = [name for name in sorted(app.env.found_docs) if re.match(rf"chapters/({match[1]})_", name)]
        return f'<div class="gallery">{"".join(chapter_card(app.env, name, pathto) for name in pages)}</div>'

    context["body"] = CARDS.sub(cards, context["body"]).replace("<p>WAYS IN</p>", ways_in(app, pathto))


def embeds(app):
    shutil.rmtree(Path(app.outdir, "embed"), ignore_errors=True)  # a figure may have gone since the last build
    for figure in figures(app.env):
        context = {
            "title": spaced(figure.kind),
            "figure": figure.html(),
            "home": figure.page,
            "cell": figure.cell,
            "place": figure.place,
        }
        yield figure.address, context, "embed.html"


def setup(app):
    app.connect("env-get-outdated", follow_the_chapters)
    app.connect("html-page-context", fill_gallery, priority=600)
    app.connect("html-page-context", fill_first_page, priority=600)
    app.connect("html-collect-pages", embeds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
