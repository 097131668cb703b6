"""Chapter 4's figure: what it refuses, its JavaScript against Python's, and what a reader does to it."""

import json
import re

import numpy as np
import pytest
import torch
from live_checks import javascript, number, press, status, swipe

from ppo_helpers.experience import gae
from ppo_helpers.live import AdvantagePath

WORDS = {"alt": "A walk of five steps.", "caption": "The advantage is a sum of TD errors."}


def path(**change):
    return AdvantagePath(**({"rewards": [-1, -1, -1, -1, 4], "values": [2, 1, 3, 1, 2]} | WORDS | change))


def examples():
    wild = [-2.5, 5, -5, 3, -2.5, 5, -5, 5, -5, 5, 5, -5]
    return [
        path(),
        path(rewards=[1], values=[0.5], lam=0.0),
        path(rewards=[-2.5] * 11 + [5], values=wild, last_value=-2.5, gamma=0.9),
    ]


# ---- Python's side ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": [1, 2]}, r"rewards and values must be equally long, .* got \(2,\) and \(5,\)"),
        ({"rewards": [], "values": []}, "1 to 12 steps"),
        ({"rewards": [0] * 13, "values": [0] * 13}, r"1 to 12 steps, got \(13,\) and \(13,\)"),
        ({"rewards": [[1]], "values": [[1]]}, "equally long"),
        ({"rewards": [9] * 5}, r"rewards must lie in \[−5, 5\], got \[9"),
        ({"rewards": [np.nan] * 5}, r"rewards must lie in \[−5, 5\], got \[nan"),
        ({"values": [-5.1] * 5}, r"values must lie in \[−5, 5\], got \[-5.1"),
        ({"values": [np.nan] * 5}, r"values must lie in \[−5, 5\], got \[nan"),
        ({"gamma": 1.01}, r"gamma must be in \[0.5, 1\], got 1.01"),
        ({"gamma": 0.2}, r"gamma must be in \[0.5, 1\], got 0.2"),
        ({"gamma": np.nan}, r"gamma must (not hold NaN|be in)"),
        ({"lam": -0.1}, r"lam must be in \[0, 1\], got -0.1"),
        ({"lam": 1.2}, r"lam must be in \[0, 1\], got 1.2"),
        ({"last_value": np.nan}, "last_value must be finite, got nan"),
        ({"last_value": np.inf}, "last_value must be finite, got inf"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        path(**change)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("step", 6, r"step must be in 0 … 5, got 6"), ("step", -1, "got -1"), ("lam", 2.0, r"lam must be in \[0, 1\]")],
)
def test_bad_changes_are_named_too(name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(path(), name, value)


# ---- JavaScript and Python ----


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/gae.js", "figures/advantage_path_words.js")


@pytest.mark.parametrize("seed", range(100))
def test_advantages_of_a_path_are_those_of_the_package(engine, seed):
    rng = np.random.default_rng(seed)
    steps, (gamma, lam) = int(rng.integers(1, 13)), rng.uniform([0.5, 0], 1)
    rewards, values, last = rng.uniform(-5, 5, steps), rng.uniform(-5, 5, steps), float(rng.uniform(-5, 5))
    ended = torch.zeros(1, steps, dtype=torch.bool)
    after = torch.tensor([last], dtype=torch.double)
    expected, returns = gae(torch.tensor(rewards)[None], torch.tensor(values)[None], ended, after, gamma, lam)
    call = f"gae({rewards.tolist()}, {values.tolist()}, {last}, {gamma}, {lam})"
    js = json.loads(engine.eval(f"JSON.stringify({call})"))
    figure = path(rewards=rewards, values=values, last_value=last, gamma=gamma, lam=lam)
    deltas, advantages = figure.advantages()
    np.testing.assert_allclose(js["advantages"], expected[0], atol=1e-12)
    np.testing.assert_allclose(advantages, expected[0], atol=1e-12)
    np.testing.assert_allclose(js["returns"], returns[0], atol=1e-12)
    np.testing.assert_allclose(js["deltas"], deltas, atol=1e-12)
    for figure.step in (0, steps // 2, steps):
        weights = json.loads(engine.eval(f"JSON.stringify(weightsOf({steps}, {figure.step}, {gamma}, {lam}))"))
        assert weights == [w if w is None else pytest.approx(w) for w in figure.weights()]


def said(engine, step, **change):
    figure = path(**change)
    given = (figure.rewards, figure.values, figure.last_value, figure.gamma, figure.lam)
    names = "rewards, values, lastValue, gamma, lam"
    engine.eval(f"var [{names}] = {json.dumps(given)}, now = {step}")
    return engine.eval(f"wordsOf({{ {names}, now, ...gae({names}) }})")


def test_a_step_is_explained_in_words_and_numbers(engine):
    assert said(engine, 0, gamma=0.5) == (
        "Step 0: the critic said 2. The move paid −1 and led to a state worth 1. "
        "δ₀ = −1 + 0.5·1 − 2 = −2.5: worse than it said."
    )
    assert "led to the end. δ₄ = 4 + 1·0 − 2 = 2: better than it said." in said(engine, 4)
    assert "just as the critic said" in said(engine, 3)
    assert "led to the cut, worth −2.5. δ₄ = 4 + 1·(−2.5) − 2 = −0.5" in said(engine, 4, last_value=-2.5)
    assert said(engine, 5).startswith("The walk has ended: nothing follows.")
    assert said(engine, 5).endswith("with γ = 1, add up to 0.")
    assert "the critic’s value 1.5 stands for what would have followed" in said(engine, 5, last_value=1.5)


# ---- In the browser ----


def signed(words):
    return float(words.replace("−", "-").lstrip("×"))


def rows(page):
    """The folded table: numbers by the name of their row."""
    cells = "all => all.map((tr) => [...tr.cells].map((c) => c.textContent))"
    return {name: numbers for name, *numbers in page.locator("tr").evaluate_all(cells)}


def value(page, t):
    return page.get_by_role("slider", name=f"value of the state at step {t}")


PIECES = """() => [...document.querySelectorAll(".live-piece")].filter((g) => g.style.opacity !== "0").map((g) => {
  const [, y, high] = g.querySelector("rect").style.transform.match(/translate\\(0px, (.+)px\\) scale\\(1, (.+)\\)/);
  return [+y, +high, ...[...g.querySelectorAll("text")].map((e) => e.textContent)];
})"""


def assert_shows(page, figure):
    """All that the page says and draws is what Python computes for this state of the figure."""
    deltas, advantages = figure.advantages()
    weights, now = figure.weights(), figure.step
    table, two = rows(page), lambda numbers: pytest.approx(list(numbers), abs=0.00501)
    assert [signed(x) for x in table["TD error δ"]] == two(deltas)
    assert [signed(x) for x in table["advantage Â"]] == two(advantages)
    assert [signed(x) for x in table["target Â + V"]] == two(advantages + figure.values)
    assert [signed(x) for x in table["value V"]] == two(figure.values)
    assert [signed(x) if x else None for x in table["weight (γλ)ᵏ"]] == two(weights)
    assert [signed(x) for x in page.locator(".live-road text.live-term").all_text_contents()[1:]] == two(deltas)
    assert_adds_up(page, weights[now:], deltas[now:], advantages[now:])
    spoken = page.locator(".live-road").get_attribute("aria-label")
    assert spoken.startswith(figure.alt)
    assert [signed(x) for x in re.findall(r"Â\S+ (\S+?)[,.](?: |$)", spoken)] == two(advantages)


def assert_adds_up(page, weights, deltas, advantages):
    """The pieces of the bar: each begins where the last one ends, and the last is the whole."""
    pieces = page.evaluate(PIECES)
    if not weights:
        assert pieces == [] and "Nothing is left" in page.locator(".live-equation").inner_text()
        return
    unit = (190 - 12 - 28) / 2.8  # of the drawing, for the end of the scale
    zero, limit = 12 + 1.4 * unit, signed(page.locator(".live-limit").first.text_content())
    level = zero
    for (y, high, words, below), weight, delta in zip(pieces, weights, deltas, strict=False):
        assert y == pytest.approx(level, abs=0.1)
        assert -high * limit / unit == pytest.approx(weight * delta, abs=0.002 * limit)
        assert (signed(words), signed(below)) == pytest.approx((weight * delta, weight), abs=0.00501)
        level += high
    y, high, words, _ = pieces[-1]
    assert len(pieces) == len(weights) + 1
    assert (y, y + high) == pytest.approx((zero, level), abs=0.1)
    assert words == number(advantages[0], 2) == page.locator(".live-equation .live-sum").last.inner_text()


def test_a_path_is_walked_step_by_step_there_and_back(mount):
    figure = path(lam=0.5, gamma=0.9, last_value=1.5)
    page = mount(figure)
    for figure.step in range(6):
        assert_shows(page, figure)
        press(page, "Step")
    assert_shows(page, figure)  # there is no step after the end
    for figure.step in reversed(range(5)):
        press(page, "Back")
        assert_shows(page, figure)
    assert status(page).startswith("Step 0: the critic said 2.")


def test_a_sum_is_called_exact_only_if_its_numbers_are(mount):
    page = mount(path())
    assert page.locator(".live-equation").inner_text() == "Â₀ = −2 + 0.95·1 + 0.9·(−3) + 0.86·0 + 0.81·2 ≈ −2.13"
    page.get_by_label("λ: look ahead").press("End")
    assert page.locator(".live-equation").inner_text() == "Â₀ = −2 + 1·1 + 1·(−3) + 1·0 + 1·2 = −2"


def test_a_value_is_dragged_by_mouse_and_by_keys(mount):
    figure = path(lam=0.5)
    page = mount(figure)
    for t, up in ((0, 30), (3, -60)):
        box = value(page, t).locator("rect").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y - up, steps=4)
        page.mouse.up()
        dragged = float(value(page, t).get_attribute("aria-valuenow"))
        assert (dragged - figure.values[t]) * up > 0
        value(page, t).press("ArrowDown")
        value(page, t).press("PageUp")
        figure.values = [dragged + 0.5 if k == t else old for k, old in enumerate(figure.values)]
        assert_shows(page, figure)
        assert value(page, t).locator("text").text_content() == number(dragged + 0.5)
    value(page, 3).press("Home")
    assert value(page, 3).get_attribute("aria-valuenow") == "-5"
    value(page, 3).press("End")
    assert value(page, 3).get_attribute("aria-valuetext") == "5"


def test_a_finger_drags_a_value_and_the_page_stays(mount):
    page = mount(path(), 390, has_touch=True)
    swipe(page, value(page, 1), dy=45)
    assert float(value(page, 1).get_attribute("aria-valuenow")) < -1
    assert page.evaluate("scrollY") == 0


def test_lambda_and_gamma_decide_how_far_a_step_looks_ahead(mount):
    figure = path()
    page = mount(figure)
    for figure.lam, key in ((0.0, "Home"), (0.05, "ArrowRight"), (1.0, "End")):
        page.get_by_label("λ: look ahead").press(key)
        assert_shows(page, figure)
    for figure.gamma, key in ((0.5, "Home"), (0.55, "ArrowRight")):
        page.get_by_label("γ: discount").press(key)
        assert_shows(page, figure)


def test_the_scale_of_the_sum_stays_while_lambda_moves(mount):
    page = mount(path())
    for key in ("ArrowLeft", "Home", "End"):
        page.get_by_label("λ: look ahead").press(key)
        assert page.locator(".live-limit").all_text_contents() == ["5", "−5"]


def test_a_click_on_the_path_chooses_a_step_and_a_drag_does_not(mount):
    figure = path()
    page = mount(figure)
    box = page.locator(".live-road").bounding_box()
    grips = [value(page, t).locator("rect").bounding_box() for t in range(5)]
    for figure.step in (3, 1):
        page.mouse.click(grips[figure.step]["x"] + 5, box["y"] + 0.9 * box["height"])
        assert_shows(page, figure)
        page.mouse.click(grips[figure.step]["x"] + 20, grips[figure.step]["y"] + 10)  # on the value itself
        assert_shows(page, figure)
    page.mouse.move(grips[4]["x"] + 20, grips[4]["y"] + 10)
    page.mouse.down()
    page.mouse.move(grips[4]["x"] + 20, grips[4]["y"] + 60, steps=4)
    page.mouse.up()
    assert page.get_by_label("step t").input_value() == "1"


def test_reset_brings_the_path_back_and_stops_the_walk(mount):
    figure = path(lam=0.7, gamma=0.8, last_value=2)
    page = mount(figure)
    page.get_by_label("λ: look ahead").press("Home")
    page.get_by_label("γ: discount").press("Home")
    value(page, 2).press("PageDown")
    press(page, "Walk")
    page.wait_for_function("document.querySelector('.live-playback input').value === '1'")
    press(page, "Reset")
    page.wait_for_timeout(400)
    assert_shows(page, figure)
    assert page.get_by_role("button", name="Walk").is_visible()


def test_it_opens_with_the_td_error_alone_and_brings_in_the_others(mount):
    page = mount(path(), 1280, reduced_motion="no-preference")
    page.locator(".live-figure").scroll_into_view_if_needed()
    lam = page.get_by_label("λ: look ahead")
    page.wait_for_function("document.querySelector('input[type=range]').value < 0.3")
    assert status(page).startswith("Step 0")
    assert page.get_by_role("status").get_attribute("aria-live") == "off"
    page.wait_for_function("document.querySelector('input[type=range]').value === '0.95'")
    page.wait_for_timeout(400)
    assert_shows(page, path())
    assert lam.input_value() == "0.95" and page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_the_first_touch_ends_the_opening(mount):
    page = mount(path(), 1280, reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('input[type=range]').value < 0.3")
    page.locator(".live-hint").click()
    assert page.get_by_label("λ: look ahead").input_value() == "0.95"


def test_pieces_slide_unless_less_motion_is_preferred(mount):
    bar = ".live-piece rect"
    moving = "e => parseFloat(getComputedStyle(e).transitionDuration)"
    assert mount(path(), reduced_motion="no-preference").locator(bar).first.evaluate(moving) > 0
    assert mount(path()).locator(bar).first.evaluate(moving) == 0


def test_who_points_at_a_td_error_sees_its_arrow_its_piece_and_its_term(mount):
    page = mount(path())
    page.locator(".live-piece rect").nth(2).hover()
    lit = page.locator(".live-lit")
    assert lit.evaluate_all("all => all.map((e) => e.localName)") == ["path", "span", "rect"]
    assert page.locator("span.live-lit").inner_text() == "0.9·(−3)"
    page.locator(".live-hint").hover()
    assert lit.count() == 0
