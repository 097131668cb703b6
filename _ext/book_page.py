"""Small corrections to the pages that the theme, docutils and the Sphinx extensions write."""

from hashlib import sha256
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Sphinx skips everything, static files too, when no document is stale, and it looks at none of these to find out.
PARTS = ("_ext/*.py", "_extra/*", "_static/*", "_templates/**/*.html", "_vendor/katex/katex*", "ppo_helpers/live/*.css")


def digest(root):
    """Changes whenever one of the page's own parts does; as a setting of the book it makes Sphinx write all pages again."""
    files = sorted(path for part in PARTS for path in Path(root).glob(part))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


class folded(nodes.General, nodes.Element):
    pass


class fold_title(nodes.General, nodes.TextElement):
    pass


class FoldDropdowns(SphinxPostTransform):
    """``:class: dropdown`` becomes <details>: it opens with no script, from the keyboard, and tells screen readers so."""

    default_priority = 900  # after sphinx_exercise has put the exercise's number into the title

    def run(self, **kwargs):
        for node in list(self.document.findall(nodes.Admonition)):
            if "dropdown" in node.get("classes", ()):
                title, *rest = node.children
                fold = folded(ids=node["ids"], classes=[*node["classes"], "admonition"])
                fold += [fold_title("", title.astext()), *rest]
                node.replace_self(fold)


def tag(name):
    def visit(self, node):
        self.body.append(self.starttag(node, name))

    def depart(self, node):
        self.body.append(f"</{name}>\n")

    return visit, depart


def correct_body(app, pagename, templatename, context, doctree):
    if body := context.get("body"):
        # docutils puts doc-biblioentry (deprecated in ARIA) inside role=list, which wants list items
        body = body.replace('role="doc-biblioentry"', 'role="listitem"')
        # the label hides the text that the reader sees on a folded cell: "Show the code"
        context["body"] = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")


def setup(app):
    app.add_config_value("page_parts_digest", digest(app.confdir), "html")
    app.add_node(folded, html=tag("details"))
    app.add_node(fold_title, html=tag("summary"))
    app.add_post_transform(FoldDropdowns)
    app.connect("html-page-context", correct_body)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
