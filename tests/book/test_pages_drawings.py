"""Still pictures on the built pages: each is there with its caption, and can be read on a laptop and on a phone."""

import json

import pytest
from built import CHAPTERS, ROOT, darken
from drawings import faults

pytestmark = pytest.mark.browser


def shown_in(name):
    """How many pictures the cells of a chapter show."""
    cells = json.loads((ROOT / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return sum("".join(cell["source"]).count("figures.show(") for cell in cells if cell["cell_type"] == "code")


BLACK = """() => [...document.querySelectorAll(".book-figure svg :is(text, path, use)")]
  .filter((e) => !e.closest(".book-board") && [e.localName === "text" && "fill", "stroke"].some(
    (paint) => paint && getComputedStyle(e)[paint] === "rgb(0, 0, 0)"))
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_picture_is_there_and_every_text_in_it_can_be_read(visit, base, name):
    page = visit(f"{base}{name}.html", width=1440)
    pictures = page.locator("figure.book-figure")
    assert pictures.count() == shown_in(name) == page.locator("figure.book-figure > figcaption").count()
    for width in (1440, 1280, 390, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert faults(page) == [], width
    darken(page)
    assert page.evaluate(BLACK) == []
