"""What a page says of itself to search engines and where somebody shares its address, and which files it asks for."""

import re
from posixpath import basename

from docutils import nodes
from plain_text import plain_text

CARD = "_static/social-card.png"  # drawn by tools/social_card.py
LONGEST = 200  # characters of a description; what is longer gets cut off where it is shown
# files that are asked for on every page, and where they are of use; reading.js brings those of the exercises
ONLY_FOR = {
    "search-page.js": lambda name, body: name == "search",
    "sphinx_highlight.js": lambda name, body: name == "search",  # _static/marks.js does it on the others
    "marks.js": lambda name, body: name != "search",
    **dict.fromkeys(("page-exercises.js", "python-thread.js", "page-exercises.css"), lambda name, body: False),
    "questions.js": lambda name, body: 'class="question admonition"' in body,
    "sphinx-design.min.css": lambda name, body: re.search(r'class="([^"]* )?sd-', body),
    "design-tabs.js": lambda name, body: re.search(r'class="([^"]* )?sd-tab', body),
}


def first_sentences(text):
    """As many whole sentences as a description has room for; of a longer first one, as much as fits."""
    said = ""
    for sentence in re.split(r"(?<=[.?!]) +", " ".join(text.split())):
        if len(said) + len(sentence) >= LONGEST:
            return said or sentence[: LONGEST - 2].rpartition(" ")[0] + " …"
        said = f"{said} {sentence}".strip()
    return said


def opening(doctree):
    """The first paragraph of a page that stands in its text, not in a box, a list or a cell."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else []
    texts = (plain_text(node) for node in paragraphs if isinstance(node.parent, nodes.section))
    return next((text for text in texts if text.strip()), "")


def describe(app, pagename, templatename, context, doctree):
    root = pagename in (app.config.root_doc, "index")
    if pagename == "index":
        doctree = app.env.get_doctree(app.config.root_doc)
        context["title"] = app.config.html_title
    name = context.get("title", app.config.html_title)
    context["page_name"] = app.config.html_title if root else re.sub("<.*?>", "", name)
    context["about"] = first_sentences(opening(doctree)) or context["book_about"]
    base = app.config.html_baseurl
    context["social_card"] = f"{base.rstrip('/')}/{CARD}" if base else context["pathto"](CARD, 1)


def leave_out_unused(app, pagename, templatename, context, doctree):
    body = context.get("body", "")

    def used(file):
        wanted = ONLY_FOR.get(basename(str(getattr(file, "filename", file)).partition("?")[0]))
        return wanted is None or wanted(pagename, body)

    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context.get(kind, []) if used(file)]


def one_viewport(app, pagename, templatename, context, doctree):
    # docutils and the theme each write it again
    context["metatags"] = re.sub(r'<meta [^>]*name="viewport"[^>]*>', "", context.get("metatags", ""))


def front_door(app):
    """The address without a file name leads to the first page, and shows the same card."""
    yield "index", {}, "front-door.html"


def setup(app):
    app.connect("html-page-context", describe, priority=900)
    app.connect("html-page-context", leave_out_unused, priority=900)  # after all have said what they want
    app.connect("html-page-context", one_viewport)
    app.connect("html-collect-pages", front_door)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
