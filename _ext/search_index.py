"""Keeps TeX out of the search index: what is indexed of a formula is what a reader sees, and how one would type it."""

from docutils import nodes
from plain_text import in_words, plain_formula


def searchable(formula):
    """π_old pi_old; in a heading, which search shows as it is, π_old alone."""
    plain = plain_formula(formula.astext())
    return plain if isinstance(formula.parent, nodes.title) else f" {plain} {in_words(plain)} "


def without_tex(doctree):
    copy = doctree.deepcopy()
    for formula in [*copy.findall(nodes.math), *copy.findall(nodes.math_block)]:
        formula[:] = [nodes.Text(searchable(formula))]
    return copy


def wrap_indexer(app):
    if not hasattr(app.builder, "index_page"):
        return  # only HTML has an index
    index_page = app.builder.index_page
    app.builder.index_page = lambda name, doctree, title: index_page(name, without_tex(doctree), title)


def setup(app):
    app.connect("builder-inited", wrap_indexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
