"""Every page of the book in a real browser with the network closed."""

import gzip
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from accessible import axe
from built import CHAPTERS, CONFIG, FIGURES_SETTLED, PAGES, ROOT, SOURCES, STATE, VIEW, VIEWS, darken, soup

pytestmark = pytest.mark.browser
# what sticks out of the page to the right and that no scroll bar of its own reaches
OVERFLOW = """() => {
  const bar = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);
  const scrolls = (e) => e && e !== document.body && (bar(e) || scrolls(e.parentElement));
  const out = [...document.querySelectorAll("article *:not(svg *, .katex-mathml, .katex-mathml *, .gallery-picture *)")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility() && !scrolls(e));
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  return [...(wide > 0 ? [`the page is ${wide} px too wide`] : []), ...out.map((e) => e.outerHTML.slice(0, 120))];
}"""
WITHOUT_ALTERNATIVE = """() => [...document.querySelectorAll("article img, article svg[role=img]")].filter((e) =>
  e.localName === "img" ? !e.alt.trim()
    : !(e.getAttribute("aria-label")?.trim() || e.querySelector(":scope > title")?.textContent.trim())
).map((e) => e.outerHTML.slice(0, 120))"""
SLOW = {"offline": False, "latency": 80, "downloadThroughput": 1_000_000, "uploadThroughput": 1_000_000}


def test_these_tests_know_every_page(book):
    others = {"_static", "embed"}  # test_pages_links.py opens the figures' own pages
    built = {path.relative_to(book).as_posix() for path in book.rglob("*.html") if not others & {*path.parts}}
    assert built == {*PAGES, "index.html"}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_alive_and_accessible_in_the_light_and_in_the_dark(visit, base, name):
    page = visit(base + name)
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.locator("[data-live=failed]").count() == 0
    assert page.evaluate("layoutShift") <= 0.1
    assert axe(page) == []
    assert page.evaluate(WITHOUT_ALTERNATIVE) == []
    assert page.evaluate(OVERFLOW) == []
    if name.removesuffix(".html") in CHAPTERS:
        opens_from_the_keyboard(page)
    darken(page)
    assert axe(page, "cat.color") == []


def opens_from_the_keyboard(page):
    fold = page.locator("article details.hide").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("pre").first.is_visible()
    assert page.get_by_text("Show a solution").count() >= 3


def test_a_token_that_cannot_be_read_is_found_among_many_that_can(browser):
    page, fine, pale = browser.new_page(), "<span>fine</span>" * 50, '<span style="color: #ccc">pale</span>'
    page.set_content(f"<html lang=en><title>t</title><main><h1>h</h1><pre>{fine}{pale}{fine}</pre></main>")
    assert [fault for fault in axe(page) if "#cccccc" in fault] == axe(page, "cat.color") != []
    assert page.locator("pre").inner_text() == f"{'fine' * 50}pale{'fine' * 50}"
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_light_on_a_phones_slow_line_and_accessible_there(visit, base, name):
    bodies = {}

    def on_a_slow_line(page):
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
        page.on("requestfinished", lambda r: r.url.startswith("http") and bodies.setdefault(r.url, r.response().body()))

    page = visit(base + name, width=390, before=on_a_slow_line)
    page.wait_for_timeout(300)
    assert page.locator("[data-live=failed]").count() == 0
    assert page.evaluate("layoutShift") <= 0.1
    sizes = {url: len(gzip.compress(body)) for url, body in bodies.items()}
    assert sum(sizes.values()) <= 320_000, sorted(sizes.items(), key=lambda item: -item[1])[:8]
    folds = page.locator("article details:not(.gallery-picture *) > summary")
    for fold in folds.all():  # what is folded counts as well
        fold.click()
    assert axe(page) == []
    assert page.evaluate(OVERFLOW) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate(OVERFLOW) == []


# ---- Live figures ----------------------------------------------------------------------------------------------------

KINDS = """all => all.map((e) => {
  const usable = e.checkVisibility() && !e.disabled && e.ariaDisabled !== "true";
  return usable ? look.kind(e) : "";
})"""
LOOK = (ROOT / "tests" / "live" / "look.js").read_text("utf-8")


# by figure and slider the heights that a figure has while the slider goes from its one end to the other
HEIGHTS = """() => [...document.querySelectorAll(".live-figure input[type=range]")].map((slider) => {
  const figure = slider.closest(".live-body"), before = slider.value, heights = new Set();
  const go = (value) => { slider.value = value; slider.dispatchEvent(new Event("input", { bubbles: true })); };
  for (let k = 0; k <= 12; k++) {
    go(+slider.min + (slider.max - slider.min) * k / 12);
    heights.add(Math.round(figure.getBoundingClientRect().height));
  }
  go(before);
  return [figure.className, slider.ariaLabel, ...heights];
})"""


@pytest.mark.parametrize("name", SOURCES)
def test_what_stands_below_a_figure_does_not_jump_while_a_slider_moves(visit, book, name):
    page = visit((book / f"{name}.html").as_uri(), reduced_motion="reduce")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert [row for row in page.evaluate(HEIGHTS) if len(row) > 3] == []


def test_the_first_figure_lives_before_the_page_is_whole(visit, base):
    """The theme's last scripts, and all that waits for them, are not the figure's matter."""
    page, held = visit(f"{base}{CHAPTERS[0]}.html"), []
    page.route("**/bootstrap.js*", lambda route: held.append(route))
    page.goto(f"{base}{CHAPTERS[5]}.html", wait_until="commit")
    page.locator(".live-figure").first.locator("xpath=self::*[@data-live='ready']").wait_for()
    assert page.evaluate("document.readyState") != "complete"
    assert page.locator("[data-live]").count() == 1
    for route in held:
        route.continue_()
    page.wait_for_load_state()
    page.wait_for_function(FIGURES_SETTLED)
    assert page.locator("[data-live=ready]").count() > 1


@pytest.mark.parametrize("name", PAGES)
def test_from_disk_a_control_of_every_kind_changes_what_its_figure_shows(visit, book, name):
    """Each single control of every figure is moved in tests/live; here are the book's own figures, all on one page."""
    page = visit((book / name).as_uri(), reduced_motion="reduce")
    assert page.locator("[data-live=failed]").count() == 0
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.add_script_tag(content=LOOK)
    for figure in page.locator("figure.live-figure").all():
        controls = figure.locator("input, select, button, [role=slider], [role=gridcell]")
        kinds = controls.evaluate_all(KINDS)
        assert any(kinds)
        for kind in {*kinds} - {""}:
            alike = [controls.nth(i) for i, other in enumerate(kinds) if other == kind]
            assert any(changes(page, control, kind) for control in alike[:6]), kind


def changes(page, control, kind):
    before = page.evaluate("look.shown()")
    if kind == "range":
        control.press("Home" if control.evaluate("e => +e.value !== +e.min") else "End")
    elif kind == "select":
        control.select_option(index=control.evaluate("e => e.options.length - 1 - e.selectedIndex"))
    elif kind == "slider":
        control.press("ArrowUp")
    elif kind == "input":
        control.press("Space")
    else:
        control.evaluate("e => { e.focus(); e.click(); }")
    for _ in range(10):  # a busy machine may still be at what another control has asked for
        page.wait_for_timeout(60)
        if page.evaluate("look.shown()") != before:
            return True
    return False


@pytest.mark.parametrize("where", ["sub-path", "disk"])
def test_models_wake_when_they_are_asked_and_not_before(visit, base, book, where):
    start, asked = base if where == "sub-path" else f"{book.as_uri()}/", []
    page = visit(f"{start}chapters/08_gpt2_logprobs.html")
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    page.get_by_role("button", name="Roll dice").click()
    page.locator("mark").first.wait_for()
    assert asked == ["tiny-gpt2.js"]
    page = visit(f"{start}chapters/11_rlhf.html")
    figure = page.locator(".live-figure", has=page.locator(".live-answer"))
    assert "wakes the models" in figure.get_by_role("status").text_content()
    figure.get_by_role("button", name="Roll dice").click()
    page.wait_for_function(
        "![...document.querySelectorAll('.live-status')].some((e) => /wakes|Waking/.test(e.textContent))"
    )
    assert figure.locator(".live-answer").count() == 3


FIGURE = """export default {
  initialize({ model }) { model.set("started", model.get("started") + 1); },
  render({ model, el }) {
    const never = () => { throw new Error("called after off, for an equal value, or by a view that failed"); };
    if (++window.views === 3) { model.on("change", never); throw new Error("on purpose"); }
    model.on("change:n", never);
    model.off("change:n", never);
    model.on("change:list", never);
    model.set("list", [1]);
    model.on("change:n", () => { if (model.get("twice") !== 2 * model.get("n")) throw new Error("half set"); });
    const button = document.createElement("button");
    const draw = () => {
      const numbers = ["n", "twice", "started"].map((name) => model.get(name));
      button.textContent = [...numbers, model.get("bytes").getUint8(1)].join();
    };
    model.on("change:n change:twice", draw);
    button.onclick = () => { const n = model.get("n") + 1; model.set({ n, twice: 2 * n }); model.save_changes(); };
    el.append(button);
    draw();
  },
};"""


def test_views_of_one_model_share_its_state_and_one_that_fails_keeps_its_picture(browser, book):
    state = {"_esm": FIGURE, "n": 0, "twice": 0, "started": 0, "list": [1], "bytes": None}
    buffers = [{"path": ["bytes"], "encoding": "base64", "data": "AQI="}]
    saved = {"state": {"a": {"model_module": "anywidget", "state": state, "buffers": buffers}}}
    view = '<div class="live-figure"><p class="live-still">picture</p><script type="{}">{}</script></div>'
    views = "".join(view.format(VIEW, json.dumps({"model_id": model})) for model in ["a", "a", "a", "no such model"])
    page, errors = browser.new_page(), []
    page.on("console", lambda m: m.type == "error" and errors.append(m.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(f'<script>views = 0</script>{views}<script type="{STATE}">{json.dumps(saved)}</script>')
    page.add_script_tag(path=book / "_static" / "live-static.js")
    page.wait_for_function(FIGURES_SETTLED)
    figures = page.locator(".live-figure")
    assert figures.evaluate_all("all => all.map((e) => e.dataset.live)") == ["ready", "ready", "failed", "failed"]
    page.get_by_role("button").first.click()
    assert page.get_by_role("button").all_inner_texts() == ["1,2,1,2", "1,2,1,2"]
    shown = figures.all_inner_texts()
    assert "picture" not in shown[0] + shown[1]
    assert all("picture" in text and len(text.splitlines()) > 1 for text in shown[2:])
    assert len(errors) == 1 and "on purpose" in errors[0]
    page.close()


# ---- Other ways to read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{name}.html" for name in SOURCES])
def test_without_scripts_a_picture_stands_in_for_each_figure(visit, base, book, name):
    page = visit(base + name, java_script_enabled=False)
    figures = page.locator("figure.live-figure")
    assert figures.count() == len(soup(book, name).select(VIEWS))
    for figure in figures.all():
        picture = figure.locator(".live-still .live-picture").first
        assert picture.is_visible() and picture.bounding_box()["width"] > 200
        assert figure.locator(".live-note:not(.live-still *)").is_visible()


@pytest.mark.parametrize("where", ["sub-path", "disk"])
def test_search_finds_a_chapter(visit, base, book, where):
    page = visit((base if where == "sub-path" else f"{book.as_uri()}/") + PAGES[0])
    page.keyboard.press("Control+k")
    assert where == "disk" or axe(page) == []
    page.keyboard.type("misconception")
    page.keyboard.press("Enter")
    page.get_by_text("Search finished").wait_for()  # until then hits are still being put in between
    page.locator(f'#search-results a[href*="{CHAPTERS[0]}"]').first.click()
    page.wait_for_url(lambda url: urlsplit(url).path.endswith(f"{CHAPTERS[0]}.html"))


def test_the_front_door_leads_in(visit, base):
    page = visit(base)
    page.wait_for_url(base + PAGES[0])


def test_dark_is_chosen_once(visit, base):
    page = visit(base + PAGES[0])
    for _ in range(3):  # auto, light, dark, in an order that depends on the system
        if page.locator("html").get_attribute("data-theme") == "light":
            page.get_by_role("button", name="Colours").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto(base + PAGES[1])
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_sidebar_opens_on_a_phone(visit, base):
    page = visit(base + PAGES[1], width=390)
    page.get_by_role("button", name="Toggle primary sidebar").click()
    page.wait_for_timeout(400)  # it slides in
    assert axe(page) == []
    page.get_by_role("link", name="Bibliography", exact=True).click()
    page.wait_for_url(base + "bibliography.html")


# ---- What the pages say, without a browser ---------------------------------------------------------------------------


def test_links_inside_the_book_lead_somewhere(book):
    names = [*PAGES, "index.html"]
    anchors = {name: {e["id"] for e in soup(book, name).select("[id]")} for name in names}
    broken = []
    for name in names:
        for element in soup(book, name).select("[href], [src]"):
            link, anchor = urldefrag(urljoin(name, element.get("href") or element.get("src")))
            if urlsplit(link).scheme or (element.get("href") == "#"):
                continue
            target = unquote(urlsplit(link).path)
            if not (book / target).is_file() or (
                anchor and target in anchors and unquote(anchor) not in anchors[target]
            ):
                broken.append(f"{name}: {element}")
    assert broken == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_opens_in_colab_and_downloads_as_a_notebook(book, name):
    page = soup(book, f"{name}.html")
    repository = urlsplit(CONFIG["repository"]["url"]).path
    colab = page.select_one('a[href^="https://colab.research.google.com"]')
    assert colab["href"] == f"https://colab.research.google.com/github{repository}/blob/main/{name}.ipynb"
    download = page.select_one(".dropdown-download-buttons a[href$='.ipynb']")
    assert (book / Path(name).parent / download["href"]).read_bytes() == (ROOT / f"{name}.ipynb").read_bytes()


def test_only_notebooks_offer_colab(book):
    for name in set(SOURCES) - set(CHAPTERS):  # the first page leads to the first chapter's
        assert not soup(book, f"{name}.html").select('a[href^="https://colab.research.google.com"]:not(.ways-in a)')


def test_chapters_are_chained_in_order(book):
    for name, following in itertools.pairwise(SOURCES):
        link = soup(book, f"{name}.html").select_one("a.right-next")["href"]
        assert urljoin(name, link) == f"{following}.html"


@pytest.mark.parametrize("name", CHAPTERS)
def test_formulas_are_typeset_and_can_be_read_aloud(book, name):
    page = soup(book, f"{name}.html")
    formulas = page.select("span.math, div.math")
    assert formulas
    assert all(formula.select_one("math") and formula.select_one(".katex-html") for formula in formulas)
    assert all(scroller["tabindex"] == "0" for scroller in page.select("div.math > .formula"))


def test_stylesheet_of_formulas_is_only_on_pages_that_have_some(book):
    for name in PAGES:
        page = soup(book, name)
        assert bool(page.select(".katex")) == bool(page.select('link[href*="katex"]'))


def test_a_formula_that_cannot_be_typeset_is_a_warning_with_its_place(tmp_path):
    (tmp_path / "index.md").write_text("# Title\n\nRight: $x^2$.\n\nWrong: $\\frac{1}$.\n", "utf-8")
    settings = {
        "extensions": ["myst_parser", "katex_math"],
        "html_math_renderer": "katex",
        "myst_enable_extensions": ["dollarmath"],
    }
    (tmp_path / "conf.py").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", ".", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "_ext")},
        capture_output=True,
        text=True,
    )
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 1 and "index.md:5" in warnings[0] and "KaTeX parse error" in warnings[0]
