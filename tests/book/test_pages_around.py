"""Around the text: where the reader is and how far they have come, the bar above, the way on, one colour to press."""

import pytest
from accessible import axe
from built import CHAPTERS, PAGES, SOURCES

pytestmark = pytest.mark.browser
CLIPPING = next(name for name in CHAPTERS if name.endswith("clipping"))
# The section that is being read: the last that began above a line at 30 % of the window. In the last window of the page
# several may end without ever reaching it; there any that is in sight will do.
EXPECTED = """() => {
  const sections = [...document.querySelectorAll("#page-contents a")].map((a) => document.querySelector(a.hash));
  const begun = (line) => sections.filter((section) => section.getBoundingClientRect().top <= line).slice(-1);
  const rest = document.documentElement.scrollHeight - innerHeight - scrollY;
  const inSight = sections.filter((section) => {
    const { top } = section.getBoundingClientRect();
    return top >= 0 && top < innerHeight;
  });
  const line = 0.3 * innerHeight; // a heading upon the line may count or not
  const read = [...begun(line - 1), ...begun(line + 1), ...(rest < 0.7 * innerHeight ? inSight : [])];
  return read.map((section) => "#" + section.id);
}"""
MARKED = """() => [...document.querySelectorAll("#page-contents [aria-current]")].map((a) => a.hash)"""
REFUSE = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
  configurable: true, get() { throw new DOMException("refused", "SecurityError"); },
});"""
RECTANGLE = "e => e.getBoundingClientRect().toJSON()"
SIDEBAR_SHIFTS = """shifted.filter((e) => e?.closest(".bd-sidebar-primary")).length"""
LOOK = """() => {
  const { outlineColor, outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
  return [outlineStyle === "none" ? null : outlineColor, boxShadow];
}"""


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def rectangle(locator):
    return locator.evaluate(RECTANGLE)


# ---- Where the reader is ---------------------------------------------------------------------------------------------


def check_mark(page):
    settle(page)
    marked, expected = page.evaluate(MARKED), page.evaluate(EXPECTED)
    assert len(marked) <= 1
    assert marked == [] == expected or set(marked) <= set(expected), page.evaluate("scrollY")


@pytest.mark.parametrize("name", CHAPTERS)
def test_contents_mark_the_section_that_is_read_after_every_jump(visit, base, name):
    page = visit(f"{base}{name}.html", width=1440)
    height = page.evaluate("document.documentElement.scrollHeight")
    there = [*range(0, height, 900), height]
    for y in [*there, *there[::-3], height // 2, 0, height, height // 3]:
        page.evaluate("y => scrollTo(0, y)", y)
        check_mark(page)


def test_contents_mark_where_a_link_led_even_at_the_end_of_the_page(visit, base):
    page = visit(f"{base}{CLIPPING}.html", width=1440)
    for link in page.locator("#page-contents a").all()[-4:]:
        link.click()
        settle(page)
        assert page.evaluate(MARKED) == [link.evaluate("a => a.hash")]
    page.mouse.move(700, 500)
    page.mouse.wheel(0, -3000)
    page.wait_for_timeout(300)
    check_mark(page)


def test_an_address_with_a_section_opens_with_that_section_marked(visit, base):
    page = visit(f"{base}{CLIPPING}.html#references", width=1440)
    settle(page)
    assert page.evaluate(MARKED) == ["#references"]


def test_contents_of_a_phone_close_over_the_section_that_is_chosen(visit, base):
    page = visit(f"{base}{CLIPPING}.html", width=390, has_touch=True)
    page.locator(".secondary-toggle").click()
    page.get_by_role("link", name="What to remember").click()
    assert page.locator("dialog[open]").count() == 0
    settle(page)
    assert 0 <= rectangle(page.locator("#what-to-remember h2"))["top"] < 450


def test_the_way_to_the_top_covers_nothing(visit, base):
    page = visit(f"{base}{CLIPPING}.html", width=1440)
    assert page.locator("#pst-back-to-top").count() == 0
    page.evaluate("scrollTo(0, 9000)")
    page.get_by_role("link", name="Back to the top").click()
    page.wait_for_function("scrollY === 0")


def test_bar_grows_from_nothing_to_the_whole_width(visit, base):
    page = visit(f"{base}{CLIPPING}.html")
    bar, widths = page.locator(".book-progress"), []
    for part in (0, 0.5, 1):
        page.evaluate("part => scrollTo(0, part * (document.documentElement.scrollHeight - innerHeight))", part)
        settle(page)
        widths.append(rectangle(bar)["width"] / 1280)
    assert widths == pytest.approx([0, 0.5, 1], abs=0.01)
    assert rectangle(bar)["height"] <= 4


# the outputs between a question and the next words, and whether they are shown
SHOWN_BELOW = """(box) => {
  const shown = [];
  for (let e = box.nextElementSibling; e?.matches(".cell"); e = e.nextElementSibling)
    shown.push(...[...e.querySelectorAll(".cell_output")].map((output) => output.firstElementChild.checkVisibility()));
  return shown;
}"""


@pytest.mark.parametrize("name", [CLIPPING, CHAPTERS[9]])  # in chapter 10 a cell that prints nothing stands between
def test_who_chooses_an_answer_sees_the_output_that_tells(visit, base, name):
    page = visit(f"{base}{name}.html")
    boxes = page.locator(".admonition.question")
    assert boxes.count() >= 2
    for box in boxes.all():
        told = box.evaluate_handle("""(box) => {
            const folds = [...document.querySelectorAll("article details:has(.cell_output)")];
            return folds.find((fold) => box.compareDocumentPosition(fold) & Node.DOCUMENT_POSITION_FOLLOWING);
        }""")
        assert told.evaluate("e => e.innerText") == "Show the answer"
        first, second = box.get_by_role("button").all()[:2]
        assert not any(box.evaluate(SHOWN_BELOW))
        first.click()
        assert all(box.evaluate(SHOWN_BELOW))
        assert told.evaluate("e => e.open && e.querySelector('.cell_output').getBoundingClientRect().height > 0")
        second.press("Enter")
        assert [button.get_attribute("aria-pressed") for button in (first, second)] == ["false", "true"]
    assert axe(page) == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_first_screen_has_the_figure_and_the_sidebar_its_whole_logo(visit, base, name):
    page = visit(f"{base}{name}.html", width=1440)
    assert rectangle(page.locator(".live-figure").first)["top"] <= 620
    assert page.locator(".bd-sidebar-primary").evaluate("e => e.scrollTop") == 0
    assert rectangle(page.locator(".bd-sidebar-primary .current > a"))["bottom"] <= 900


def test_a_laptop_of_1366_pixels_has_the_controls_beside_the_picture(visit, base):
    page = visit(f"{base}{CHAPTERS[6]}.html", width=1351)  # its scroll bar takes fifteen
    for figure in (".live-lab", ".live-poles"):
        picture, side = (rectangle(page.locator(f"{figure} {part}").first) for part in (".live-picture", ".live-side"))
        assert side["left"] >= picture["right"] and picture["right"] - picture["left"] == 576
    page.set_viewport_size({"width": 1280, "height": 800})  # there they stand below, and a plot beside its controls
    plot, buttons = (rectangle(page.locator(f".live-poles .live-side > {part}")) for part in ("svg", ".live-playback"))
    assert plot["left"] >= buttons["right"] and plot["top"] == buttons["top"]


def test_sidebar_stays_where_it_is_when_its_logo_comes_late(visit, base):
    page = visit(f"{base}{CHAPTERS[0]}.html", width=1440)

    def late(route):
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/logo.svg*", late)
    page.goto(f"{base}{CHAPTERS[1]}.html")
    settle(page)
    assert page.locator(".navbar-brand img:visible").evaluate("e => e.complete && e.naturalWidth > 0")
    assert page.evaluate(SIDEBAR_SHIFTS) == 0


def test_sidebar_of_a_low_window_shows_the_page_and_no_half_logo(visit, base):
    page = visit(f"{base}{CHAPTERS[-1]}.html", width=1440)
    page.set_viewport_size({"width": 1440, "height": 420})
    page.reload()
    link, logo = page.locator(".bd-sidebar-primary .current > a"), page.locator(".navbar-brand")
    assert rectangle(link)["top"] >= 0 and rectangle(link)["bottom"] <= 420
    assert rectangle(logo)["bottom"] <= 0 or rectangle(logo)["top"] >= 0


# ---- How far the reader has come -------------------------------------------------------------------------------------


def test_dots_fill_up_and_are_remembered(visit, base):
    page = visit(f"{base}{CHAPTERS[0]}.html", width=1440)
    own = page.locator(".bd-sidebar-primary .current > a")
    began = float(own.get_attribute("data-read"))
    assert 0 < began < 0.3
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("document.querySelector('.current > a').dataset.read === '1'")
    assert own.get_attribute("aria-description") == "read"
    assert not [fault for fault in axe(page) if "data-read" in fault]
    page.goto(f"{base}{CHAPTERS[1]}.html")
    first = page.locator(f'.bd-sidebar-primary a[href$="{CHAPTERS[0].rpartition("/")[2]}.html"]')
    assert first.get_attribute("data-read") == "1"
    assert page.locator(".bd-sidebar-primary a[data-read]").count() == 2  # and this page, just opened
    # a slow machine may paint the bar at the top before its last button has come; the contents must stay where they are
    assert page.evaluate(SIDEBAR_SHIFTS) == 0
    assert page.evaluate("layoutShift") <= 0.1


@pytest.mark.parametrize("name", [PAGES[0], PAGES[1], "search.html"])
def test_a_browser_that_remembers_nothing_shows_the_page_all_the_same(browser, base, name):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    context.add_init_script(REFUSE)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: m.type == "error" and errors.append(m.text))
    page.goto(base + name)
    settle(page)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Colours").click()
    page.keyboard.press("Control+k")
    page.keyboard.type("clip")
    page.keyboard.press("Enter")
    page.get_by_text("Search finished").wait_for()
    context.close()
    assert errors == []


def test_a_spoilt_record_is_no_error(visit, base):
    page = visit(base + PAGES[0])
    for record in ("{", "null", "[]", '"x"'):
        page.evaluate("record => localStorage.setItem('book-read', record)", record)
        page.reload()
        page.wait_for_selector(".book-progress", state="attached")


# ---- The bar above the text and the way on ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1440, 1280, 390, 360])
def test_buttons_say_what_they_do_and_have_room(visit, base, width):
    page = visit(f"{base}{CLIPPING}.html", width=width)
    page.set_viewport_size({"width": width, "height": 800})
    bar = page.locator(".bd-header-article")
    assert bar.get_by_text("Open in Colab").is_visible()
    assert bar.get_by_role("link", name="Source on GitHub").count() == 1
    words = [bar.get_by_text(text, exact=True) for text in ("Source on GitHub", "Download", "Automatic")]
    if width > 1000:
        assert all(word.is_visible() and rectangle(word)["width"] > 30 for word in words)
    right = [rectangle(button)["right"] for button in bar.locator(".btn:visible").all()]
    assert max(right) <= width and right == sorted(right)
    heights = {round(rectangle(button)["height"]) for button in bar.locator(".btn:visible").all()}
    assert min(heights) >= 24


def test_download_lists_the_notebook(visit, base):
    page = visit(f"{base}{CLIPPING}.html")
    page.get_by_role("button", name="Download").click()
    menu = page.locator(".dropdown-download-buttons .dropdown-menu")
    assert menu.get_by_text("Notebook (.ipynb)").is_visible() and menu.get_by_text("save as PDF").is_visible()
    assert rectangle(menu)["right"] <= 1280


def test_a_mistake_can_be_reported_from_every_page(visit, base):
    for name in (PAGES[0], PAGES[1]):
        link = visit(base + name).get_by_role("link", name="Report a mistake on this page")
        assert name.removesuffix(".html") in link.get_attribute("href")


@pytest.mark.parametrize("name", SOURCES)
def test_the_way_on_keeps_its_distance_and_a_phone_holds_the_title(visit, base, name):
    page = visit(f"{base}{name}.html", width=1440)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = page.locator(".prev-next-area a").all()
        rule = rectangle(page.locator("footer.bd-footer-content"))["top"]
        assert boxes and all(rule - rectangle(box)["bottom"] >= 24 for box in boxes)
        for whole in page.locator(".prev-next-area .unbroken").all():
            assert whole.evaluate("e => e.getClientRects().length") == 1
    named = page.locator(".prev-next-title:has-text('GPT-2')").count()
    assert named == page.locator(".prev-next-title:has(.unbroken)").count()
    size = page.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert 28 <= size <= 32 or name not in CHAPTERS


# ---- One colour for what can be pressed ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_is_one_ring_in_the_colour_of_links(visit, base, scheme):
    page = visit(f"{base}{CLIPPING}.html", scheme, width=1440)
    primary = page.evaluate("""() => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--pst-color-primary)";
      return getComputedStyle(probe).color;
    }""")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.live-figure') !== null"):
            continue  # figures have a ring of their own
        ring, shadow = page.evaluate(LOOK)
        assert ring == primary, page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert shadow == "none" or "inset" in shadow  # the bar beside the page's own link


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_themes_magenta_and_purple_are_nowhere(visit, base, scheme):
    page = visit(f"{base}{CLIPPING}.html", scheme)
    names = ["--pst-color-accent", "--pst-color-primary-highlight", "--pst-color-secondary-highlight"]
    own = ["--pst-color-primary", "--pst-color-link-hover", "--pst-color-link-hover"]
    read = "names => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name))"
    assert page.evaluate(read, names) == page.evaluate(read, own)
    assert page.evaluate("getComputedStyle(document.body).accentColor") != "auto"
