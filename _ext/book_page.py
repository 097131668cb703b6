"""Small corrections to the pages that the theme, docutils and the Sphinx extensions write."""

from hashlib import sha256
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Sphinx skips everything, static files too, when no document is stale, and it looks at none of these to find out.
PARTS = ("_ext/*.py", "_extra/*", "_static/*", "_templates/**/*.html", "_vendor/katex/katex*", "ppo_helpers/live/*.css")


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


def offer_colab_for_notebooks_only(app, pagename, templatename, context, doctree):
    # the theme offers it for executable .md pages too, which Colab cannot open
    if context.get("page_source_suffix") != ".ipynb":
        context["header_buttons"] = [b for b in context["header_buttons"] if b.get("label") != "launch-buttons"]


def setup(app):
    app.add_config_value("page_parts_digest", digest(app.confdir), "html")
    app.add_post_transform(NameSolutions)
    app.connect("html-page-context", correct_body)
    app.connect(
        "html-page-context", offer_colab_for_notebooks_only, priority=900
    )  # after the theme has made its buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
