"""Small corrections to the pages that the theme, docutils and the Sphinx extensions write."""

import re
from hashlib import sha256
from pathlib import Path

from docutils import nodes
from live_figures import COMMENT
from sphinx.transforms.post_transforms import SphinxPostTransform

# Sphinx skips everything, static files too, when no document is stale, and it looks at none of these to find out.
PARTS = (
    "_ext/*.*",
    "_extra/*",
    "_static/*",
    "_templates/**/*.html",
    "_vendor/katex/katex*",
    "_vendor/*/*.*js",
    "ppo_helpers/exercises/*.py",
    "ppo_helpers/live/**/*.css",
)
# what the menu of downloads says of each kind of file
DOWNLOADS = {".ipynb": "Notebook (.ipynb)", ".md": "Text (.md)", ".pdf": "Print, or save as PDF"}


def digest(root):
    """Changes whenever a part of the page does; as a setting of the book it makes Sphinx write all pages again."""
    files = sorted(path for part in PARTS for path in Path(root).glob(part))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


class NameSolutions(SphinxPostTransform):
    """A folded cell tagged ``solution`` says what it is before it is opened."""

    default_priority = 190  # before myst_nb folds the cells

    def run(self, **kwargs):
        for cell in self.document.findall(nodes.container):
            if "tag_solution" in cell["classes"]:
                cell["prompt_show"], cell["prompt_hide"] = "Show a solution", "Hide the solution"


def correct_body(app, pagename, templatename, context, doctree):
    if body := context.get("body"):
        # docutils puts doc-biblioentry (deprecated in ARIA) inside role=list, which wants list items
        body = body.replace('role="doc-biblioentry"', 'role="listitem"')
        # the label hides the text that the reader sees on a folded cell: "Show the code"
        context["body"] = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")


def name_header_buttons(app, pagename, templatename, context, doctree):
    """Words, not only icons; a menu of one item becomes a button. Nothing but a notebook can be opened in Colab."""
    groups = {button["label"]: button for button in context["header_buttons"]}
    buttons = []
    if context.get("page_source_suffix") == ".ipynb":
        [colab] = groups["launch-buttons"]["buttons"]
        words = {"text": "Open in Colab", "tooltip": "Run this chapter in Colab", "icon": "fas fa-rocket"}
        buttons.append(colab | words | {"label": "colab-button"})
    source, issue = groups["source-buttons"]["buttons"]
    buttons.append(source | {"text": "Source on GitHub", "tooltip": "The repository of this book"})
    context["report_url"] = issue["url"]
    if downloads := groups.get("download-buttons"):
        items = [item | {"text": DOWNLOADS.get(item["text"], item["text"])} for item in downloads["buttons"]]
        buttons.append(downloads | {"text": "Download", "buttons": items})
    context["header_buttons"] = buttons


def keep_names_together(app, pagename, templatename, context, doctree):
    # a line must not end in "GPT-"
    for neighbour in filter(None, (context.get("prev"), context.get("next"))):
        neighbour["title"] = re.sub(r"\w+-\d+", r'<span class="unbroken">\g<0></span>', neighbour["title"])


HEAD = re.compile(r"\A/\*.*?\*/\n", re.DOTALL)  # what a script says to those who read it in the repository


def lighten_scripts(app, exception):
    """Comments do not travel with the pages."""
    for script in Path(app.confdir, "_static").glob("*.js"):
        copy = Path(app.outdir, "_static", script.name)
        if copy.is_file():
            copy.write_text(COMMENT.sub("", HEAD.sub("", script.read_text("utf-8"))), "utf-8")


def setup(app):
    app.add_config_value("page_parts_digest", digest(app.confdir), "html")
    app.add_post_transform(NameSolutions)
    app.connect("build-finished", lighten_scripts)
    app.connect("html-page-context", correct_body)
    app.connect("html-page-context", keep_names_together)
    app.connect("html-page-context", name_header_buttons, priority=900)  # after the theme has made its buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
