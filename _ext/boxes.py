"""Boxes of the published page.

In a notebook a box is a quotation that begins with a bold line, which every Markdown shows; here it becomes the
admonition that the page has a look for. So does a question whose answers are a list: _static/questions.js lets readers
choose.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform

KINDS = {"Common misconception": "misconception"}  # how the bold line begins → class of the box
QUESTION, HINT = "What do you expect?", "Choose one, and the answer opens below."


class MakeBoxes(SphinxTransform):
    """A quotation whose first line is bold and begins as one of ``KINDS`` becomes a box with that line as its title."""

    default_priority = 500

    def apply(self, **kwargs):
        for quotation in list(self.document.findall(nodes.block_quote)):
            title = bold_line(quotation)
            if title and (kind := KINDS.get(title.astext().split(":")[0])):
                quotation.replace_self(box(title, quotation[1:], kind))


class AskQuestions(SphinxTransform):
    """A paragraph that begins with ``QUESTION`` in bold becomes a box, with the list of answers that follows it."""

    default_priority = 500

    def apply(self, **kwargs):
        for paragraph in list(self.document.findall(is_question)):
            answers, hint = paragraph.next_node(siblings=True, descend=False), nodes.paragraph("", HINT)
            hint["classes"].append("question-hint")
            answers.parent.remove(answers)
            title, *words = said(paragraph)
            paragraph.replace_self(box(title, [nodes.paragraph("", "", *words), answers, hint], "question"))


def is_question(node):
    """A paragraph whose first words are bold and ask what the reader expects, with a list below it."""
    if not isinstance(node, nodes.paragraph) or not (parts := said(node)):
        return False
    asks = isinstance(parts[0], nodes.strong) and parts[0].astext() == QUESTION
    return asks and isinstance(node.next_node(siblings=True, descend=False), nodes.bullet_list)


def bold_line(quotation):
    """The first line of a quotation if all of it is bold."""
    first = quotation[0] if quotation.children else None
    parts = said(first) if isinstance(first, nodes.paragraph) else []
    return parts[0] if len(parts) == 1 and isinstance(parts[0], nodes.strong) else None


def said(paragraph):
    """The parts of a paragraph that say something."""
    return [part for part in paragraph if part.astext()]


def box(title, content, kind):
    return nodes.admonition("", nodes.title("", "", *title.children), *content, classes=[kind])


def setup(app):
    app.add_transform(MakeBoxes)
    app.add_transform(AskQuestions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
