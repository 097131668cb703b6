"""A link to a figure as it stands, each figure on a page of its own, and the gallery of all of them."""

import inspect
from urllib.parse import parse_qs

import pytest
from accessible import axe
from built import VIEWS, soup

from ppo_helpers import live

KINDS = [name for name in live.__all__ if inspect.isclass(getattr(live, name)) and name != "LiveFigure"]
CLIP = "chapters/06_clipping.html#fig-explorer"


def first_slider(page):
    return page.locator("#fig-explorer input[type=range]").first


def test_a_link_brings_the_figure_back_as_it_was(visit, base):
    page = visit(f"{base}{CLIP}")
    opening = first_slider(page).input_value()
    first_slider(page).focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    moved = first_slider(page).input_value()
    assert moved != opening
    page.locator("#fig-explorer .live-link").click()
    address = page.evaluate("location.href")
    assert "#fig-explorer?" in address
    other = visit(address)
    assert first_slider(other).input_value() == moved
    other.evaluate("location.hash = 'fig-explorer?'")  # as the book has it
    other.wait_for_function(f"document.querySelector('#fig-explorer input[type=range]').value === '{opening}'")


APART = """(caption) => {
  const box = (node) => {
    const range = document.createRange();
    range.selectNode(node);
    return range.getClientRects()[0];
  };
  const mark = caption.querySelector("a.headerlink");
  return box(mark).right <= box(mark.nextSibling).left + 1 && box(mark).left >= box(mark.previousSibling).right - 1;
}"""


def test_the_mark_of_a_link_stands_upon_no_word(visit, base):
    captions = visit(f"{base}{CLIP}").locator("figcaption:has(a.headerlink)")
    assert captions.count() >= 3 and all(caption.evaluate(APART) for caption in captions.all())


def test_a_link_keeps_the_cells_that_were_chosen(visit, base):
    page = visit(f"{base}embed/value-maps.html", reduced_motion="reduce")
    page.locator("[data-at]").first.click()
    chosen = page.locator(".live-desk").inner_text()
    assert "your choice" in chosen
    page.locator(".live-link").click()
    again = visit(page.evaluate("location.href"), reduced_motion="reduce")
    again.wait_for_function("document.querySelector('.live-desk').innerText.includes('your choice')")
    shown = again.get_by_role("gridcell").evaluate_all("all => all.map((e) => e.ariaLabel.endsWith(', shown'))")
    assert shown == page.get_by_role("gridcell").evaluate_all("all => all.map((e) => e.ariaLabel.endsWith(', shown'))")


def test_a_link_is_copied_and_goes_to_its_figure(visit, base):
    page = visit(f"{base}{CLIP}?ratio=0.5&advantage=2", permissions=["clipboard-read", "clipboard-write"])
    assert page.locator("#fig-explorer").evaluate("(e) => e.getBoundingClientRect().top") < 900
    page.wait_for_timeout(2500)  # the figure does not play its opening over what was asked for
    page.locator("#fig-explorer .live-link").click()
    page.wait_for_function("document.querySelector('.live-link + span').textContent === 'It is copied.'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.evaluate("location.href")
    assert parse_qs(copied.split("?")[1]) == {"ratio": ["0.5"], "advantage": ["2"]}


def test_a_link_says_that_it_keeps_no_text(visit, base):
    page = visit(f"{base}chapters/08_gpt2_logprobs.html", reduced_motion="reduce")
    figure = page.locator(".live-figure", has=page.get_by_role("button", name="Roll dice"))
    link, said = figure.locator(".live-link"), figure.locator(".live-link + span")
    figure.get_by_role("button", name="Roll dice").click()
    figure.locator("mark").first.wait_for()
    link.click()
    assert said.text_content().endswith(". It keeps the dials, not the text.")
    figure.get_by_role("button", name="Reset").click()
    link.click()
    assert "text" not in said.text_content()


def test_a_link_that_comes_while_the_figure_plays_is_followed(visit, base):
    page = visit(f"{base}{CLIP}")
    page.locator("#fig-explorer").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    page.evaluate("location.hash = 'fig-explorer?ratio=0.5'")
    page.wait_for_timeout(2500)
    page.locator("#fig-explorer .live-link").click()
    assert "ratio=0.5" in page.evaluate("location.hash").replace("&", "?").split("?")


def test_a_link_to_a_frame_shows_that_frame(visit, base):
    page = visit(f"{base}embed/same-game.html#figure-1?frame=1")
    page.wait_for_timeout(2500)
    assert "restaurant was”" in page.locator(".live-same-table td").nth(2).inner_text()
    page.locator(".live-link").click()
    assert page.evaluate("location.hash") == "#figure-1?frame=1"


def test_in_a_frame_of_another_page_the_link_is_shown(visit, base, book):
    page = visit(f"{base}corrections.html")
    page.evaluate(
        "(url) => document.body.append(Object.assign(document.createElement('iframe'), { src: url, id: 'framed' }))",
        f"{base}embed/clip-explorer.html",
    )
    frame = page.frame_locator("#framed")
    frame.locator("[data-live=ready]").wait_for()
    frame.locator(".live-link").click()
    assert "embed/clip-explorer.html#fig-explorer" in frame.locator(".live-link + span a").get_attribute("href")
    assert "clip-explorer" not in page.evaluate("location.href")


def test_a_link_that_makes_no_sense_changes_nothing(visit, base):
    plain = first_slider(visit(f"{base}{CLIP}")).input_value()
    for query in ("ratio=high", "ratio=[1]&advantage=true", "_esm=alert(1)&_css=x", "nonsense=3", "batch=3",
                  "ratio=1e999", "%E0%A4%A"):  # fmt: skip
        assert first_slider(visit(f"{base}{CLIP}?{query}")).input_value() == plain, query


@pytest.mark.parametrize(
    ("figure", "query"),
    [
        ("grid-editor.html#fig-grid-editor", "move_cost=-1"),  # values would rise for ever
        ("grid-editor.html#fig-grid-editor", f"text={'.' * 5000}"),
        ("spot-the-bug.html#fig-spot", "picks=[0]"),
        ("spot-the-bug.html#fig-spot", "picks=[9,9,9,9]&bugs=[]"),
        ("ppo-lab.html#fig-lab", "sides=[{}]&first={}"),
    ],
)
def test_a_link_cannot_break_a_figure(visit, base, figure, query):
    name, _, place = figure.partition("#")
    addresses = (f"{base}embed/{name}", f"{base}embed/{name}#{place}?{query}")
    plain, page = (visit(address, reduced_motion="reduce") for address in addresses)
    assert page.locator(".live-figure").evaluate(DIALS) == plain.locator(".live-figure").evaluate(DIALS)
    assert page.locator(".live-status").first.inner_text() == plain.locator(".live-status").first.inner_text()


DIALS = "(figure) => [...figure.querySelectorAll('input, select, [aria-pressed]')].map((e) => e.ariaPressed ?? e.value)"


def test_every_figure_comes_back_from_its_link_after_a_change(visit, base, book):
    changed = 0
    for name in sorted(path.name for path in (book / "embed").glob("*.html")):
        page = visit(f"{base}embed/{name}")
        figure = page.locator(".live-figure")
        before = figure.evaluate(DIALS)
        for slider in figure.locator("input[type=range]").all()[:2]:
            slider.press("ArrowLeft")
        drawn = figure.evaluate(DIALS)
        figure.locator(".live-link").click()
        again = visit(page.evaluate("location.href"))
        assert again.locator(".live-figure").evaluate(DIALS) == drawn, name
        changed += drawn != before
    assert changed > 8  # the others have no slider, or it stands at its end


def test_each_figure_stands_on_a_page_of_its_own(visit, base, book):
    pages = sorted(path.name for path in (book / "embed").glob("*.html"))
    assert len(pages) == len(KINDS)
    for name in pages:
        page = visit(f"{base}embed/{name}")
        assert page.locator(".live-figure[data-live=ready]").count() == 1
        assert page.locator("html").get_attribute("data-theme") == "light"
    for name in pages[:: len(pages) // 3]:  # what stands around the figure is the same on all of them
        assert axe(visit(f"{base}embed/{name}")) == [], name
        page = visit(f"{base}embed/{name}", scheme="dark")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert axe(page, "cat.color") == [], name


def test_a_frame_can_ask_for_the_dark(visit, base):
    page = visit(f"{base}embed/clip-explorer.html?theme=dark#fig-explorer?ratio=0.5")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert "0.5" in page.locator("main").inner_text()


def test_the_gallery_shows_every_kind_of_figure_once(book):
    page = soup(book, "gallery.html")
    cards = page.select(".gallery-card")
    assert len(cards) == len(KINDS)
    for card in cards:
        picture, chapter, own = card.select("a")
        assert picture["href"] == chapter["href"] and card.select("svg, .live-body")
        target, _, place = chapter["href"].partition("#")
        there = soup(book, target).find(id=place)
        assert (there if there.name == "div" else there.find_parent("figure")).select(VIEWS)
        assert (book / own["href"]).is_file()
