"""Search: what is found, how it is shown, and where a hit leads."""

import json
import re
from urllib.parse import urlsplit

import pytest
from accessible import axe
from built import CHAPTERS, PAGES, soup

pytestmark = pytest.mark.browser
SEARCH_ONLY = {"searchtools.js", "language_data.js", "searchindex.js", "sphinx_highlight.js", "search-page.js"}
WHERE = pytest.mark.parametrize("where", ["sub-path", "disk"])
SURROGATE, CLIPPING = (name for name in CHAPTERS if name.endswith(("surrogate", "clipping")))
# the box of the words that are typed, and that of the icon before them
ROOM_FOR_ICON = """form => {
  const icon = form.querySelector("i").getBoundingClientRect(), input = form.querySelector("input");
  return input.getBoundingClientRect().left + parseFloat(getComputedStyle(input).paddingLeft) - icon.right;
}"""
EXCERPTS = "#search-results li p.context"
MARKS = "article mark.highlighted"
IN_SIGHT = "mark => { const { top, bottom } = mark.getBoundingClientRect(); return top > 40 && bottom < innerHeight; }"


def scripts(book, name):
    return {urlsplit(script["src"]).path.rpartition("/")[2] for script in soup(book, name).select("script[src]")}


def index(book):
    return json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)", (book / "searchindex.js").read_text("utf-8"))[1])


def address(base, book, where):
    return base if where == "sub-path" else f"{book.as_uri()}/"


def search(page, words):
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.get_by_text("Search finished").wait_for()  # until then hits are still being put in between


def follow(page, chapter):
    page.locator(f'#search-results a[href*="{chapter}"]').first.click()
    page.wait_for_url(lambda url: urlsplit(url).path.endswith(f"{chapter}.html"))
    page.locator(MARKS).first.wait_for(state="attached")


def test_only_the_search_page_loads_the_search(book):
    assert scripts(book, "search.html") >= SEARCH_ONLY
    for name in PAGES:
        if name != "search.html":
            assert not scripts(book, name) & SEARCH_ONLY, name


# ---- The field -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_field_has_room_for_its_icon_and_one_ring_in_the_colour_of_links(visit, base, scheme):
    page = visit(base + PAGES[1], scheme)
    page.keyboard.press("Control+k")
    form = page.locator("#pst-search-dialog form")
    assert form.evaluate(ROOM_FOR_ICON) >= 4
    primary, ring, shadow, inner = form.evaluate("""form => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--pst-color-primary)";
      const { outlineColor, boxShadow } = getComputedStyle(form), input = getComputedStyle(form.querySelector("input"));
      return [getComputedStyle(probe).color, outlineColor, boxShadow, input.outlineStyle + input.boxShadow];
    }""")
    assert ring == primary
    assert shadow == "none" and inner == "nonenone"
    assert visit(base + "search.html", scheme).locator("main form.bd-search").evaluate(ROOM_FOR_ICON) >= 4


def test_the_field_works_from_a_chapter_on_a_phone(visit, base):
    page = visit(base + PAGES[1], width=390)
    page.locator(".bd-header-article .search-button").click()
    page.keyboard.type("clip")
    page.keyboard.press("Enter")
    page.get_by_text("Search finished").wait_for()


# ---- Where a hit leads -----------------------------------------------------------------------------------------------


@WHERE
def test_a_hit_leads_to_its_marked_words(visit, base, book, where):
    page = visit(address(base, book, where) + PAGES[0])
    search(page, "clip")
    follow(page, CLIPPING)
    marks = page.locator(MARKS)
    assert marks.count() > 20
    assert all(text.lower() == "clip" for text in page.locator(f"{MARKS}:not(:has(.math))").all_text_contents())
    assert page.locator("mark.now").evaluate(IN_SIGHT)
    assert "highlight" not in page.url  # the address can be given to somebody else
    assert page.locator("mark :is(script, style), svg mark, .katex mark, .live-figure mark").count() == 0
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # the bar is upon no figure's control there
    assert where == "disk" or axe(page) == []


def test_the_page_stands_at_the_first_mark_however_far_down_it_is(visit, base):
    page = visit(f"{base}{CLIPPING}.html?highlight=fence")
    mark = page.locator(MARKS).first
    assert page.evaluate("scrollY") > 2000
    assert mark.evaluate(IN_SIGHT)


def test_next_goes_on_and_hide_or_escape_ends_it(visit, base):
    page = visit(f"{base}{CLIPPING}.html?highlight=clip", reduced_motion="reduce")  # no figure says something else soon
    now = "[...document.querySelectorAll('article mark')].findIndex((mark) => mark.matches('.now'))"
    first = page.evaluate(now)
    page.get_by_role("button", name="Next").click()
    assert page.evaluate(now) == first + 1 > 0
    before = page.locator("article").inner_text()
    page.get_by_role("button", name="Hide").click()
    assert page.locator("mark").count() == 0 and page.locator(".book-marks").count() == 0
    assert page.locator("article").inner_text() == before
    page.goto(f"{base}{CLIPPING}.html?highlight=clip")
    page.keyboard.press("Escape")
    assert page.locator("mark").count() == 0


def test_another_form_of_the_word_is_marked_if_the_word_itself_is_not_there(visit, base):
    page = visit(f"{base}search.html?q=clippingly")
    page.goto(f"{base}{CLIPPING}.html?highlight=clippingly")
    assert {text.lower() for text in page.locator(MARKS).all_text_contents()} == {"clipping"}


def test_a_word_in_a_folded_cell_opens_the_fold(visit, base):
    page = visit(f"{base}{CHAPTERS[0]}.html?highlight=importlib")
    assert page.locator("details[open] mark").count() >= 1
    assert page.locator("mark.now").is_visible()


def test_formulas_are_found_and_marked_as_a_whole(visit, base):
    page = visit(base + PAGES[0])
    search(page, "pi_old")
    excerpts = page.locator(EXCERPTS)
    page.wait_for_function(
        f"document.querySelectorAll('{EXCERPTS}').length === document.querySelectorAll('#search-results li').length"
    )
    assert any("π_old" in text for text in excerpts.all_inner_texts())
    follow(page, SURROGATE)
    assert page.locator(f"{MARKS} > .math").count() > 0


# ---- What is shown of a hit ------------------------------------------------------------------------------------------


def test_no_tex_in_the_index(book):
    saved = index(book)
    assert not [title for title in saved["alltitles"] if "\\" in title or "$" in title]
    assert not {"frac", "mathbb", "operatorname", "underbrace", "ldots", "cdot"} & saved["terms"].keys()
    assert {"π_old", "pi_old"} <= saved["terms"].keys()


@pytest.mark.parametrize("words", ["clip", "ratio", "epochs", "policies", "KL"])
def test_excerpts_are_prose_around_the_words_without_tex(visit, base, words):
    page = visit(f"{base}search.html?q={words}")
    page.get_by_text("Search finished").wait_for()
    page.wait_for_function(
        f"document.querySelectorAll('{EXCERPTS}').length === document.querySelectorAll('#search-results li').length"
    )
    excerpts = page.locator(EXCERPTS).all_inner_texts()
    assert excerpts and not [text for text in excerpts if "\\" in text or "import " in text]
    begins = re.compile(rf"\b{words[:4].lower()}" + r"\b" * (len(words) < 3))  # no part of another word
    assert all(begins.search(text.lower()) for text in excerpts)


def test_a_search_for_nothing_there_says_so(visit, base):
    page = visit(f"{base}search.html?q=qwxyzzy")
    page.get_by_text("did not match any documents").wait_for()
