"""What the page makes of plain Markdown: boxes of quotations, anchors and links of numbered equations."""

import boxes
import katex_math
import pytest
from docutils import nodes
from docutils.core import publish_doctree
from myst_parser.docutils_ import Parser


def read(text):
    """The document of a Markdown text, after the transforms of the page."""
    document = publish_doctree(text, parser=Parser(), settings_overrides={"myst_enable_extensions": ["dollarmath"]})
    for transform in (boxes.MakeBoxes, boxes.AskQuestions, katex_math.NumberEquations, katex_math.KeepPunctuation):
        transform(document).apply()
    return document


def found(document, kind):
    return list(document.findall(kind))


def test_a_quotation_with_a_bold_line_of_a_known_kind_is_a_box():
    (box,) = found(read("> **Common misconception: `x` is *it***\n>\n> One $y$.\n>\n> - two\n"), nodes.admonition)
    title, *content = box
    assert title.astext() == "Common misconception: x is it" and found(title, nodes.literal)
    assert not found(title, nodes.strong)
    assert [part.tagname for part in content] == ["paragraph", "bullet_list"]
    assert box["classes"] == ["misconception"]


@pytest.mark.parametrize(
    "text",
    [
        "> An ordinary quotation.",
        "> **Somebody said: this.**\n>\n> And that.",
        "> **Common misconception: x** and more in the same line.",
        "> - a list",
    ],
)
def test_any_other_quotation_stays_one(text):
    document = read(text)
    assert len(found(document, nodes.block_quote)) == 1 and not found(document, nodes.admonition)


def test_a_question_and_its_list_of_answers_are_a_box():
    document = read("Before.\n\n**What do you expect?** How many of $n$?\n\n- one\n- `two`\n\nAfter.\n")
    (box,) = found(document, nodes.admonition)
    title, words, answers, hint = box
    assert title.astext() == "What do you expect?" and words.astext().strip() == "How many of n?"
    assert [item.astext() for item in answers] == ["one", "two"] and hint["classes"] == ["question-hint"]
    assert [part.astext() for part in document if part is not box] == ["Before.", "After."]


@pytest.mark.parametrize("text", ["**What do you expect?** Nothing to choose.", "**What?** One.\n\n- two\n", "- one"])
def test_what_leaves_no_choice_is_no_question(text):
    assert not found(read(text), nodes.admonition)


EQUATIONS = """
By (1.2), not by (1.3) and not by `(1.2)`:

$$
a = b \\tag{1.1}
$$

$$
c = d \\tag{1.2}
$$

$$
e = f
$$
"""


def test_tags_become_anchors_and_numbers_links():
    document = read(EQUATIONS)
    one, two, plain = found(document, nodes.math_block)
    assert [equation.astext().strip() for equation in (one, two, plain)] == ["a = b", "c = d", "e = f"]
    assert (one["tag"], one["ids"]) == ("1.1", ["equation-1-1"]) and "tag" not in plain and plain["ids"] == []
    (link,) = found(document, nodes.reference)
    assert link.astext() == "(1.2)" and link["refid"] == two["ids"][0]
    assert document[0].astext() == "By (1.2), not by (1.3) and not by (1.2):"


@pytest.mark.parametrize("ends", [",", ".", "):", "?"])
def test_the_punctuation_after_a_formula_stays_in_its_line(ends):
    document = read(f"We write $-\\infty${ends} and so on.")
    (together,) = [part for part in found(document, nodes.inline) if part["classes"] == ["text-nowrap"]]
    assert together.astext() == f"-\\infty{ends}"
    assert document.astext() == f"We write -\\infty{ends} and so on."


def test_a_formula_that_may_not_fit_into_a_line_may_break():
    formula = " + ".join("abcdefghijk")
    document = read(f"A long one, ${formula}$, and a word $x$ alone.")
    assert not found(document, nodes.inline) and not katex_math.is_short(found(document, nodes.math)[0])
