"""Formulas as letters, for places that show plain text: the search index and the description of a page."""

import re
import unicodedata
from functools import cache
from xml.etree import ElementTree

from docutils import nodes
from katex_math import engine

JOINTS = {"sub": "_", "under": "_", "sup": "^", "over": "^", "frac": "/", "table": " "}
GREEK = re.compile(r"([\u0370-\u03ff])(?=([^\W_])?)")
APPLY = "\u2061"  # stands, unseen, between a function and its argument


def letters(element):
    """The text of a MathML element: π_old for π with the index old."""
    tag = element.tag.rpartition("}")[2]
    parts = [letters(child) for child in element]
    if element.get("accent") == "true":  # the hat of Â
        parts = parts[:1]
    if tag in ("msubsup", "munderover"):
        return "{}_{}^{}".format(*parts)
    return (element.text or "") + JOINTS.get(tag.removeprefix("m"), "").join(parts)


@cache
def plain_formula(tex):
    """What a reader sees of a formula, without its layout; nothing of one that cannot be typeset."""
    html = engine().call("typeset", tex, False).get("html", "")
    found = re.search(r"<math.*?</math>", html, re.DOTALL)
    if not found:
        return ""
    semantics = ElementTree.fromstring(found[0])[0]  # its second child is the TeX
    return " ".join(letters(semantics[0]).replace(APPLY, "").split())


def spell(letter):
    """The name of a Greek letter; a space keeps two of them apart."""
    name = unicodedata.name(letter[1]).removesuffix(" SYMBOL").split()[-1].lower()
    return name.replace("lamda", "lambda") + (" " if letter[2] else "")


def in_words(text):
    """The same with Greek letters as they are typed: π_old becomes pi_old."""
    return GREEK.sub(spell, text)


def plain_text(node):
    """The text of a node with its formulas as letters."""
    if isinstance(node, nodes.math | nodes.math_block):
        return plain_formula(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    return "".join(plain_text(child) for child in node.children)
