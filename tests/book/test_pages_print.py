"""On paper: light colours, those that mean something kept, a title with its number, and whole boxes."""

import re
import zlib

import pytest
from built import CHAPTERS, SOURCES, darken

pytestmark = pytest.mark.browser
PAPER = {"format": "A4", "print_background": False}  # as browsers print unless the reader asks for more
STILL = {"reduced_motion": "reduce"}  # figures do not begin to play, or two prints would differ
# colours of figure.css that a grid would lose: a free cell and a wall
CELL, WALL = (0xF3, 0xEA, 0xD7), (0x4A, 0x51, 0x60)
ADJUST = "e => getComputedStyle(e).printColorAdjust"
FRAMED = """<!doctype html><html data-theme="light"><head><base href="{book}/">
<link rel="stylesheet" href="_static/styles/pydata-sphinx-theme.css">
<link rel="stylesheet" href="_static/styles/sphinx-book-theme.css"><link rel="stylesheet" href="_static/book.css">
</head><body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article"><section><div style="height: {above}px"></div>
<div class="cell container"><div class="cell_input">
<div class="highlight"><pre>{code}</pre></div></div></div></section></article></div></div></main></body></html>"""


def objects(pdf):
    return {int(number): body for number, body in re.findall(rb"\n(\d+) 0 obj\n(.*?)endobj", pdf, re.DOTALL)}


def sheets(pdf):
    """What is drawn on each sheet: the content streams of a PDF file, in the order of its pages."""
    found = objects(pdf)
    pages = [body for body in found.values() if re.search(rb"/Type\s*/Page\b", body)]
    return [drawn(found[int(re.search(rb"/Contents (\d+) 0 R", page)[1])]) for page in pages]


def groups(pdf):
    """What is drawn apart and then set into a sheet, because it is transparent."""
    return [drawn(body) for body in objects(pdf).values() if re.search(rb"/Subtype\s*/Form\b", body)]


def drawn(body):
    head, stream = re.search(rb"(.*?)stream\r?\n(.*)\nendstream", body, re.DOTALL).groups()
    return (zlib.decompress(stream) if b"/FlateDecode" in head else stream).decode("latin-1")


def colours(sheet):
    """The colours that are filled with or drawn in, as bytes."""
    found = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", sheet)
    return {tuple(round(255 * float(part)) for part in colour) for colour in found}


def test_the_reader_of_pdf_files_reads_them(browser):
    page = browser.new_page()
    page.set_content("<p style='break-after: page; color: rgb(1, 2, 3)'>one<p style='color: rgb(200, 100, 50)'>two")
    one, two = map(colours, sheets(page.pdf(**PAPER)))
    page.close()
    assert (1, 2, 3) in one - two and (200, 100, 50) in two - one


@pytest.mark.parametrize("name", SOURCES)
def test_one_title_is_printed_and_what_is_dark_on_the_screen_is_light_on_paper(visit, base, name):
    page = visit(f"{base}{name}.html", **STILL)
    light = page.pdf(**PAPER)
    darken(page)
    dark = page.pdf(**PAPER)
    assert sheets(dark) == sheets(light)
    assert groups(dark) == groups(light)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.emulate_media(media="print")
    one_title(page, name)


def one_title(page, name):
    titles = [heading.text_content() for heading in page.locator("h1").all() if heading.is_visible()]
    assert titles == [page.locator("article h1").text_content()]
    assert re.search(r"\d", titles[0].split()[0]) or name not in CHAPTERS
    around = (
        ".bd-header-article, .bd-sidebar, .onthispage, #page-contents, .to-the-top, .prev-next-footer, .book-progress"
    )
    assert not [part for part in page.locator(around).all() if part.is_visible()]


def test_a_print_preview_is_light_and_ends_as_it_was(visit, base):
    page = visit(f"{base}{CHAPTERS[0]}.html", "dark")
    page.emulate_media(media="print")
    page.wait_for_selector("html[data-theme=light]")
    background, ink, panel = page.evaluate("""() => {
      const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      return ["--pst-color-background", "--pst-color-text-base", "--fig-panel"].map(of);
    }""")
    page.emulate_media(media="screen")
    page.wait_for_selector("html[data-theme=dark]")
    assert (background, ink) == ("#fffefb", "#232830")
    assert int(panel[1:3], 16) > 200


def test_colours_that_mean_something_are_printed(visit, base):
    pdf = visit(f"{base}{CHAPTERS[0]}.html", **STILL).pdf(**PAPER)
    assert {CELL, WALL} <= set().union(*map(colours, [*sheets(pdf), *groups(pdf)]))
    page = visit(f"{base}{SOURCES[0]}.html")  # the grid editor has a cell and a swatch
    page.emulate_media(media="print")
    for kind in (".live-cell", ".live-swatch"):
        assert page.locator(kind).first.evaluate(ADJUST) == "exact", kind
    page.goto(f"{base}{CHAPTERS[0]}.html")
    for kind in (".admonition", ".book-figure", ".live-figure"):
        assert page.locator(kind).first.evaluate(ADJUST) == "exact", kind


def framed(page, book, source, above, lines):
    """On which sheets the frame of a code cell is drawn that stands so far down and has so many lines."""
    source.write_text(FRAMED.format(book=book.as_uri(), above=above, code="a = 1\n" * lines), "utf-8")
    page.goto(source.as_uri())
    drawings = sheets(page.pdf(**PAPER))
    return [(0xDD, 0xD7, 0xCA) in colours(sheet) for sheet in drawings]  # --pst-color-border


def test_a_cell_is_not_cut_at_the_end_of_a_sheet_unless_it_is_longer_than_one(book, browser, tmp_path):
    page, source = browser.new_page(), tmp_path / "framed.html"
    assert framed(page, book, source, above=100, lines=10) == [True]
    assert framed(page, book, source, above=900, lines=10) == [False, True]
    assert framed(page, book, source, above=100, lines=120).count(True) >= 2
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_answers_are_open_and_solutions_stay_folded(visit, base, scripts):
    page = visit(f"{base}{CHAPTERS[5]}.html", java_script_enabled=scripts)
    page.emulate_media(media="print")
    for fold in page.locator("article details:has(.cell_output)").all():
        solution = fold.evaluate("e => e.parentElement.matches('.tag_solution')")
        assert fold.locator(".cell_output").first.is_visible() != solution
        assert fold.locator("summary").is_visible() == solution
    assert page.locator(".question-hint:visible").count() == 0
    waiting = page.locator("[hidden=until-found]")
    assert waiting.count() == (2 if scripts else 0)  # the picture and the words that belong to the answer
    assert all(waiting.evaluate_all("all => all.map((e) => e.firstElementChild.checkVisibility())"))
