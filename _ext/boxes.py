"""Boxes of the published page.

In a notebook a box is a quotation that begins with a bold line, which every Markdown shows; here it becomes the
admonition that the page has a look for.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform

KINDS = {"Common misconception": "misconception"}  # how the bold line begins → class of the box


class MakeBoxes(SphinxTransform):
    """A quotation whose first line is bold and begins as one of ``KINDS`` becomes a box with that line as its title."""

    default_priority = 500

    def apply(self, **kwargs):
        for quotation in list(self.document.findall(nodes.block_quote)):
            title = bold_line(quotation)
            if title and (kind := KINDS.get(title.astext().split(":")[0])):
                quotation.replace_self(box(title, quotation[1:], kind))


def bold_line(quotation):
    """The first line of a quotation if all of it is bold."""
    first = quotation[0] if quotation.children else None
    parts = [part for part in first if part.astext()] if isinstance(first, nodes.paragraph) else []
    return parts[0] if len(parts) == 1 and isinstance(parts[0], nodes.strong) else None


def box(title, content, kind):
    return nodes.admonition("", nodes.title("", "", *title.children), *content, classes=[kind])


def setup(app):
    app.add_transform(MakeBoxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
