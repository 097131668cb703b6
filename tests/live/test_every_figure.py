"""What every live figure has to stand. A figure that is not listed here, or that has no file of its own, fails."""

import importlib
import inspect
import io
import itertools
import json
import re

import numpy as np
import pytest
from accessible import axe
from live_checks import swipe
from live_figures import light, shared, still, whole
from PIL import Image

from ppo_helpers import live
from ppo_helpers.live.base import LiveFigure

FILES = {
    "AdvantagePath": "test_advantage_path",
    "BeforeAfter": "test_before_after",
    "CartPole": "test_cart_pole",
    "ClipExplorer": "test_clip_explorer",
    "FiveSamples": "test_five_samples",
    "GridEditor": "test_grid_editor",
    "OneBatch": "test_one_batch",
    "PPOLab": "test_ppo_lab",
    "PolicyPlayground": "test_policy_playground",
    "RLHFReplay": "test_rlhf_replay",
    "RatioBoard": "test_ratio_board",
    "RatioExplorer": "test_ratio_explorer",
    "SameGame": "test_same_game",
    "SentenceWriter": "test_sentence_writer",
    "SpotTheBug": "test_spot_the_bug",
    "TokenAdvantages": "test_token_advantages",
    "TokenExplorer": "test_token_explorer",
    "ValueMaps": "test_value_maps",
}


def test_every_figure_has_its_file_here():
    figures = {name for name in live.__all__ if inspect.isclass(getattr(live, name))} - {"LiveFigure"}
    assert set(FILES) == figures
    for name, file in FILES.items():
        examples = importlib.import_module(file).examples()
        assert examples and all(type(figure).__name__ == name for figure in examples)


EXAMPLES = {
    f"{name}-{i}": figure
    for name, file in FILES.items()
    for i, figure in enumerate(importlib.import_module(file).examples())
}
every_figure = pytest.mark.parametrize("figure", EXAMPLES.values(), ids=EXAMPLES)
one_of_each = pytest.mark.parametrize("figure", [EXAMPLES[f"{name}-0"] for name in FILES], ids=FILES)

# ---- Python's side ----


@every_figure
def test_state_is_clean_json_and_small(figure):
    state = {name: value for name, value in figure.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, allow_nan=False)) < 100_000


@every_figure
def test_where_no_widget_can_be_shown_its_words_stand(figure):
    bundle = figure._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == f"{type(figure).__name__}: {figure.alt}"
    assert not any("html" in kind for kind in data)  # the page's picture is drawn by _ext/live_figures.py


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("missing", ["alt", "caption"])
def test_a_figure_without_words_is_refused(name, missing):
    words = {"alt": "what it shows", "caption": "what to see"} | {missing: " "}
    with pytest.raises(ValueError, match=f"{missing} must say"):
        LiveFigure.__init__(getattr(live, name).__new__(getattr(live, name)), **words)


@every_figure
def test_the_picture_is_drawn_without_a_browser(figure):
    drawn = still(figure.get_state())
    assert drawn.startswith('<div class="live-body') and re.search(
        r"<svg|live-token|live-chance|live-rlhf-token", drawn
    )
    assert not re.search(r"NaN|undefined|\[object|Infinity", re.sub(r'class="[^"]*"', "", drawn))


@one_of_each
def test_comments_stay_at_home_and_nothing_else_does(figure):
    dice = "let s = 1; Math.random = () => (s = (16807 * s) % 2147483647) / 2147483647;\n"  # some roll at once
    state = figure.get_state()
    state["_esm"] = dice + state["_esm"]
    module = light(state["_esm"])
    assert not re.search(r"^\s*(//|/\*\*)|^ ", module, re.MULTILINE) and len(module) < len(state["_esm"])
    assert still(state | {"_esm": module}) == still(state)


def test_a_module_that_several_figures_import_stands_in_a_page_once():
    states = {name: {"state": {"_esm": light(EXAMPLES[f"{name}-0"].get_state()["_esm"])}} for name in FILES}
    saved = {"state": states | {"layout": {"state": {"width": None}}}}
    once = shared(saved)
    assert len(json.dumps(once)) < 0.6 * len(json.dumps(saved))
    for name in ("parts_dom", "twins_ppo", "parts_icons"):
        places = [f"//@ {name}\n" in widget["state"].get("_esm", "") for widget in once["state"].values()]
        assert sum(places) > 1 and name in once["parts"]
    assert whole(once)["state"] == saved["state"]
    alone = shared({"state": {"one": states["CartPole"]}})
    assert alone["parts"] == {} and alone["state"]["one"] == states["CartPole"]


# ---- In the browser ----


WIDTHS = [1440, 872, 800, 620, 390, 360]


def resize(page, width):
    page.set_viewport_size({"width": width, "height": 900})


@every_figure
def test_it_fits_on_a_laptops_screen_and_words_are_large_enough_and_in_their_place(mount, figure):
    page = mount(figure, 1440)
    page.evaluate("look.column()")
    assert page.locator(".live-figure").bounding_box()["height"] <= 720
    assert page.evaluate("look.nameless()") == []
    assert page.locator(".live-figure :is(input, select):not([autocomplete=off])").count() == 0
    for width in WIDTHS:
        resize(page, width)
        found = page.evaluate("({ small: look.small(), outside: look.outside(), upon: look.upon() })")
        assert found == {"small": [], "outside": [], "upon": []}, f"at {width} px"
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@every_figure
def test_the_still_picture_is_the_figures_first_view(mount, figure):
    """Nothing moves when it comes alive: the same size, and the same picture."""
    pages = [mount(figure, 1440, alive=alive) for alive in (True, False)]
    for page in pages:
        page.evaluate("look.column()")
    alive, dead = (page.locator(".live-body") for page in pages)
    for width in (1440, 360):
        for page in pages:
            resize(page, width)
        assert dead.bounding_box() == pytest.approx(alive.bounding_box(), abs=0.6)
        first, still = (
            pixels(body.locator(".live-picture").first.screenshot(animations="disabled")) for body in (alive, dead)
        )
        assert still.shape == first.shape
        difference = np.abs(still - first)  # of 255; the edges of what is round are painted one way or another
        assert difference.max() <= 32 and (difference > 8).mean() < 1e-4


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@every_figure
def test_axe_finds_nothing(mount, figure):
    page = mount(figure, 1280)
    for fold in page.locator(".live-more summary").all():
        fold.click()
    for theme, width in itertools.product(("light", "dark"), (1280, 390)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        resize(page, width)
        assert axe(page, "cat.color" if theme == "dark" else "") == [], f"{theme}, {width} px"


@every_figure
def test_targets_of_a_finger_are_large_enough(mount, figure):
    page = mount(figure, 390, has_touch=True)
    assert page.evaluate("look.tiny()") == []


@one_of_each
def test_a_finger_that_scrolls_changes_nothing(mount, figure):
    page = mount(figure, 390, has_touch=True)
    picture = page.locator(".live-picture").first
    before = page.evaluate("look.values()")
    moved = 0
    for x, y in ((0.06, 0.97), (0.37, 0.55), (0.5, 0.97), (0.63, 0.55), (0.94, 0.97)):
        page.evaluate("scrollTo(0, 0)")
        box = picture.bounding_box()
        grips = [grip.bounding_box() for grip in page.locator(".live-grip").all()]
        at = (box["x"] + x * box["width"], box["y"] + y * box["height"])
        if any(_touches(grip, at) for grip in grips):
            continue  # a finger on a grip drags it
        swipe(page, picture, dy=-80, start=(x, y))
        moved += page.evaluate("scrollY") > 30
    assert moved > 0
    assert page.evaluate("look.values()") == before


def _touches(box, at, tip=12):
    """Is a finger there on the box? A tip is wide: the browser gives it what lies beside the point as well."""
    across = box["x"] - tip <= at[0] <= box["x"] + box["width"] + tip
    return across and box["y"] - tip <= at[1] <= box["y"] + box["height"] + tip


@one_of_each
def test_a_finger_on_a_grip_drags_it_and_the_page_stays(mount, figure):
    page = mount(figure, 390, has_touch=True)
    for grip in page.locator(".live-grip").all():
        grip.scroll_into_view_if_needed()
        across = grip.get_attribute("aria-orientation") == "horizontal"
        before, top = grip.get_attribute("aria-valuenow"), page.evaluate("scrollY")
        for way in (-45, 45):  # one of the two has room
            swipe(page, grip, **{"dx" if across else "dy": way})
            if grip.get_attribute("aria-valuenow") != before:
                break
        assert grip.get_attribute("aria-valuenow") != before
        assert page.evaluate("scrollY") == top


@one_of_each
def test_a_ring_shows_the_keyboards_place_and_not_the_mouses(mount, figure):
    page = mount(figure, 1280)
    knob = "e => getComputedStyle(e.querySelector('.live-knob, .live-tab') ?? e).strokeWidth"
    for grip in page.locator(".live-grip").all()[:2]:
        box = grip.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        quiet = grip.evaluate(knob)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2 + 3)
        page.mouse.up()
        assert grip.evaluate("e => getComputedStyle(e).outlineStyle") == "none"
        assert grip.evaluate(knob) == quiet
        grip.press("ArrowUp")
        assert float(grip.evaluate(knob).removesuffix("px")) > float(quiet.removesuffix("px"))


@one_of_each
def test_every_control_changes_what_is_shown(mount, figure):
    idle = []
    page = mount(figure, 1280)
    kinds = page.evaluate("look.controls().length")
    for i in range(min(kinds, 40)):
        page.reload()
        page.wait_for_selector("[data-live=ready]")
        control = page.evaluate_handle(f"look.controls()[{i}]").as_element()
        if not _changes(page, control):
            idle.append(control.evaluate("e => `${e.checked ? 'checked ' : ''}${e.outerHTML.slice(0, 100)}`"))
    # nothing to go back to, nothing to reset, what was chosen already, a cell that does nothing
    quiet = re.compile(r">(?:Back|Reset|Step|Forget|Pause)<|disabled|checked|pressed=.true|gridcell[^>]*tabindex=.0")
    assert [control for control in idle if not quiet.search(control)] == []


def _changes(page, control):
    before = page.evaluate("look.shown()")
    kind = control.evaluate("e => look.kind(e)")
    if kind == "range":
        control.press("Home" if control.evaluate("e => +e.value !== +e.min") else "End")
    elif kind == "select":
        control.select_option(index=control.evaluate("e => e.options.length - 1 - e.selectedIndex"))
    elif kind == "slider":
        control.press("ArrowUp")
        if page.evaluate("look.shown()") == before:
            control.press("ArrowDown")
    elif kind == "input":
        control.press("Space")
    else:
        control.evaluate("e => { e.focus(); e.click(); }")
    page.wait_for_timeout(60)
    return page.evaluate("look.shown()") != before or kind == "summary"


@one_of_each
def test_with_less_motion_nothing_plays_by_itself(mount, figure):
    page = mount(figure, 1280, reduced_motion="reduce")
    before = page.evaluate("look.shown()")
    page.wait_for_timeout(700)
    assert page.evaluate("look.shown()") == before
    assert page.evaluate("look.moving()") == []


PLAYED = {
    "AdvantagePath", "CartPole", "GridEditor", "OneBatch", "PPOLab", "PolicyPlayground", "RLHFReplay", "RatioBoard",
    "SameGame", "TokenExplorer",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_what_plays_plays_once_and_stops_at_the_first_touch(mount, name):
    page = mount(EXAMPLES[f"{name}-0"], 1280, reduced_motion="no-preference")
    page.locator(".live-figure").scroll_into_view_if_needed()
    first = page.evaluate("look.shown()")
    page.wait_for_function("first => look.shown() !== first", arg=first)  # it plays, or a dial glides
    page.locator(".live-hint").first.click()
    assert page.get_by_role("button", name="Pause").count() == 0
    page.wait_for_timeout(400)  # what was on its way has come
    before = page.evaluate("look.shown()")
    page.wait_for_timeout(900)
    assert page.evaluate("look.shown()") == before


NO_PICTURE = ":not(.live-token, .live-chip, .live-chance-pick)"  # buttons that are no part of one


@every_figure
def test_in_print_and_without_scripts_the_picture_stands(mount, figure):
    for page in (mount(figure, 800), mount(figure, 800, alive=False, java_script_enabled=False)):
        page.emulate_media(media="print")
        assert page.locator(".live-picture").first.is_visible()
        assert page.locator("figcaption").inner_text() == figure.caption
        assert page.locator(f"button{NO_PICTURE}:visible").count() == 0
    page.emulate_media(media="screen")
    assert page.locator("noscript .live-note").first.is_visible()
    assert page.locator(f":is(button{NO_PICTURE}, .live-control):visible").count() == 0


@one_of_each
def test_two_views_of_one_model_stay_in_step(mount, figure):
    page = mount(figure, 1280, copies=2)
    slider = page.locator("input[type=range]").first
    if slider.count() == 0:
        pytest.skip("no slider")
    slider.press("Home" if slider.evaluate("e => +e.value !== +e.min") else "End")
    page.wait_for_timeout(60)
    first, second = (page.locator(".live-picture").nth(i).evaluate("e => e.textContent") for i in (0, 1))
    assert first == second


@one_of_each
def test_what_a_view_listened_to_is_let_go_when_it_goes(mount, figure):
    """Of the model and of the window: a grid listens for the mouse being released anywhere."""
    page = mount(figure)
    left = page.evaluate(
        """async (state) => {
          const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
          const { default: figure } = await import(url), listeners = new Set();
          const { addEventListener: add, removeEventListener: remove } = window;
          let window_ = 0;
          window.addEventListener = (...words) => { window_ += 1; add.apply(window, words); };
          window.removeEventListener = (...words) => { window_ -= 1; remove.apply(window, words); };
          const model = { get: (name) => state[name], set() {}, save_changes() {},
            on: (name, fn) => listeners.add(fn), off: (name, fn) => listeners.delete(fn) };
          const el = document.createElement("div");
          document.body.append(el);
          const stop = await figure.render({ model, el }), were = listeners.size;
          stop();
          return [were > 0, listeners.size, window_];
        }""",
        figure.get_state() | {"layout": None},
    )
    assert left == [True, 0, 0]
