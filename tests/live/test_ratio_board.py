"""RatioBoard: its shares and ratios against NumPy's, what it refuses, and what a reader sees and does."""

import json
import re

import numpy as np
import pytest
import traitlets
from live_checks import javascript, number, press, status

from ppo_helpers.live import RatioBoard
from ppo_helpers.live.figures.ratio_board import is_clipped
from ppo_helpers.live.tokens import PART

WORDS = {"alt": "Ratios of six responses.", "caption": "Small steps of single tokens add up."}
GAINS = [1.0, -0.5, 0.0, 2.0, -1.5, 0.25]
LENGTHS = [6, 3, 5, 1, 4, 6]
ORDER = [3, 0, 5, 2, 1, 4]  # by advantage, the best first
SHOWN = [3, 0, 1, 4]  # the two best and the two worst


def board(seed=0, **change):
    rng = np.random.default_rng(seed)
    mask = np.arange(6) < np.array(LENGTHS)[:, None]
    ratios = np.exp(np.linspace(0, 0.5, 4)[:, None, None] * rng.normal(size=(6, 6)))
    pieces = [[f" t{b}{t}" for t in range(6)] for b in range(6)]
    prompts = ["The food was", "I feel", "A <b>", "It", "Never", "So"]
    parts = {"prompts": prompts, "pieces": pieces, "ratios": ratios, "mask": mask, "advantages": GAINS}
    return RatioBoard(**(parts | WORDS | change))


def one(ratios, advantages, **change):
    """One response of four tokens, before and after an epoch."""
    both = np.stack([np.ones((1, 4)), [ratios]])
    parts = (["It"], [[" a", " b", " c", " d"]], both, np.array([advantages]), np.ones((1, 4), dtype=bool))
    return RatioBoard(*parts, **(WORDS | change))


def extreme():
    """Ratios from a millionth to a million, advantages of each token its own, and words as long as they get."""
    rng = np.random.default_rng(5)
    ratios = np.exp(np.linspace(0, 1, 3)[:, None, None] * rng.uniform(-14, 14, size=(5, 8)))
    pieces = [[" counterrevolutionaries", "\ufffd", " a", "\n"] * 2] * 5
    parts = (["The food at the restaurant was never"] * 5, pieces, ratios, rng.normal(size=(5, 8)))
    return RatioBoard(*parts, np.ones((5, 8), dtype=bool), clip_eps=1.0, **WORDS)


def examples():
    return [board(), one([1.5, 0.5, 1.1, 1.0], [1.0, -2.0, 1.0, 0.0]), extreme()]


# ---- JavaScript, Python and NumPy ----


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/ratios.js", "parts/tokens.js", "figures/ratio_board_picture.js")


@pytest.mark.parametrize("seed", range(20))
def test_facts_are_those_of_numpy_on_both_sides(engine, seed):
    figure = board(seed)
    for figure.epoch in range(4):
        ratios = [np.array(row) for row in figure.ratios[figure.epoch]]
        assert [len(row) for row in ratios] == [LENGTHS[b] for b in ORDER]
        flat, signs = np.concatenate(ratios), np.repeat(np.array(GAINS)[ORDER], np.array(LENGTHS)[ORDER])
        clipped = np.where(signs > 0, flat > 1.2, np.where(signs < 0, flat < 0.8, False))
        wanted = [np.mean(abs(flat - 1) > 0.2), clipped.mean(), flat.max(), max(np.prod(row) for row in ratios)]
        assert list(figure.facts().values()) == pytest.approx(wanted)
        given = f"{figure.ratios[figure.epoch]}, {[row['advantages'] for row in figure.responses]}, 0.2"
        assert json.loads(engine.eval(f"JSON.stringify(factsOf({given}))")) == pytest.approx(figure.facts(), rel=1e-12)
    assert set(np.concatenate(figure.ratios[0])) == {1.0}


@pytest.mark.parametrize("seed", range(10))
def test_the_clip_is_the_same_on_both_sides(engine, seed):
    rng = np.random.default_rng(seed)
    r, a = rng.choice([0.5, 0.8, 0.81, 1.0, 1.2, 1.21, 3.0], 50), rng.choice([-1.0, 0.0, 2.0], 50)
    js = json.loads(engine.eval(f"JSON.stringify({r.tolist()}.map((r, i) => isClipped(r, {a.tolist()}[i], 0.2)))"))
    assert js == is_clipped(r, a, 0.2).tolist() and 0 < sum(js) < 50


def test_what_clips_has_no_gradient():
    """Against the objective itself: its slope in the ratio, on both sides of the ratio, is 0."""
    import torch

    from ppo_helpers.objectives import clipped_surrogate

    r = torch.tensor([0.5, 0.79, 0.81, 1.0, 1.19, 1.21, 2.0], dtype=torch.double).repeat(2).requires_grad_()
    a = torch.tensor([2.0, -2.0], dtype=torch.double).repeat_interleave(7)
    (slope,) = torch.autograd.grad(clipped_surrogate(r, a, 0.2).sum(), r)
    assert is_clipped(r.detach().numpy(), a.numpy(), 0.2).tolist() == (slope == 0).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_responses_two_ratios(engine, seed):
    r = np.exp(np.random.default_rng(seed).normal(size=9))
    logs = json.loads(engine.eval(f"JSON.stringify(logRatios({r.tolist()}))"))
    assert np.exp(logs["whole"]) == pytest.approx(np.prod(r))
    assert np.exp(logs["each"]) == pytest.approx(np.prod(r) ** (1 / 9))


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(1, "1"), (1.17, "1.17"), (0.0123, "0.01"), (23.81, "23.8"), (999.2, "999"), (1200, "1.2 · 10³"),
     (0.0042, "4.2 · 10⁻³"), (9.96e-12, "1 · 10⁻¹¹"), ("Infinity", "∞"), (0, "≈ 0")],
)  # fmt: skip
def test_a_ratio_is_never_rounded_to_nothing(engine, ratio, words):
    assert engine.eval(f"times({ratio})") == words


@pytest.mark.parametrize(
    ("ratio", "color"), [(1, "243 234 215"), (1.5, "85 181 163"), (9, "85 181 163"), (0.5, "221 138 118")]
)
def test_colours_turn_at_1(engine, ratio, color):
    assert engine.eval(f"ratioColor({ratio})") == f"rgb({color})"


def test_responses_stand_in_the_order_of_their_advantage_without_padding():
    figure = board()
    assert [response["row"] for response in figure.responses] == ORDER
    assert [len(response["pieces"]) for response in figure.responses] == [LENGTHS[b] for b in ORDER]
    assert figure.responses[1]["pieces"][2] == " t02" and figure.responses[1]["advantages"] == [1.0] * 6
    each = np.array([[1.0, 99.0], [3.0, 3.0]])
    mask = np.array([[True, False], [True, True]])
    two = RatioBoard(["a", "b"], [["x", "y"]] * 2, np.ones((1, 2, 2)), each, mask, **WORDS)
    assert [response["row"] for response in two.responses] == [1, 0]  # what is padding has no say


def test_it_opens_at_the_last_epoch_on_the_token_that_moved_most():
    figure = one([1.1, 0.6, 1.5, 1.0], [1.0] * 4)
    assert figure.epoch == 1 and figure.chosen == [0, 1]  # log 0.6 is farther from 0 than log 1.5


def test_a_part_of_a_character_is_named():
    bytes_ = RatioBoard(["It"], [["\ufffd", "b"]], np.ones((1, 1, 2)), [1.0], np.ones((1, 2), dtype=bool), **WORDS)
    assert bytes_.responses[0]["pieces"] == [PART, "b"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: board(ratios=np.zeros((2, 6, 6))), r"ratios must be positive, .* got shape \(2, 6, 6\)"),
        (lambda: board(ratios=np.ones((6, 6))), r"ratios must be positive, \(epochs, .* got shape \(6, 6\)"),
        (lambda: board(mask=np.ones((6, 6))), "mask must be bool of shape"),
        (lambda: board(mask=np.zeros((6, 6), dtype=bool)), "True somewhere in each row"),
        (lambda: board(advantages=[1, 2]), r"advantages must be finite, \(6, 6\) or \(6,\), got shape \(2,\)"),
        (lambda: board(advantages=[*GAINS[:5], np.nan]), "advantages must be finite"),
        (lambda: board(prompts=["one"]), "prompts and pieces must be those of 6 responses of 6 tokens"),
        (lambda: board(clip_eps=0), r"clip_eps must be in \(0, 1\], got 0"),
        (lambda: setattr(board(), "epoch", 4), "epoch must be in 0 … 3, got 4"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        make()


@pytest.mark.slow
def test_a_whole_batch_fits_into_the_page():
    rng = np.random.default_rng(0)
    words = (["The food at the restaurant was"] * 20, [[" something"] * 12] * 20)
    batch = RatioBoard(
        *words, np.exp(rng.normal(size=(13, 20, 12))), rng.normal(size=20), np.ones((20, 12), dtype=bool), **WORDS
    )
    state = {name: value for name, value in batch.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, allow_nan=False)) < 100_000


# ---- In a browser ----

LOOK = """all => all.map((e) => ({ said: e.lastElementChild.textContent,
  clipped: e.classList.contains("live-heat-clipped"), chosen: e.ariaPressed === "true" }))"""


def looks(page):
    return page.locator(".live-token").evaluate_all(LOOK)


def facts(page):
    return page.locator(".live-numbers dd").all_inner_texts()


def test_every_epoch_is_shown(mount):
    figure = board()
    page = mount(figure)
    page.get_by_role("slider", name="epochs").press("Home")
    ours = [ORDER.index(b) for b in SHOWN]
    for figure.epoch in range(4):
        r = [np.array(figure.ratios[figure.epoch][i]) for i in ours]
        a = [np.array(figure.responses[i]["advantages"]) for i in ours]
        seen = looks(page)
        still = is_clipped(np.concatenate(r), np.concatenate(a), 0.2)
        assert [chip["clipped"] for chip in seen] == still.tolist()
        assert [("clipped" in chip["said"]) for chip in seen] == still.tolist()
        assert [float(re.search(r"ratio ([\d.]+)", chip["said"])[1]) for chip in seen] == pytest.approx(
            np.concatenate(r), abs=0.0051
        )
        expected = figure.facts()
        assert facts(page) == [
            *(f"{number(100 * expected[name])} %" for name in ("outside", "clipped")),
            *(number(expected[name], 2) for name in ("token", "response")),
        ]
        drift = page.locator(".live-drift-words").all_inner_texts()
        wanted = [(np.exp(np.mean(np.log(row))), np.prod(row)) for row in r]
        assert drift == [f"mean {number(each, 2)}, product {number(whole, 2)}" for each, whole in wanted]
        press(page, "Step")


def test_the_two_dots_of_a_response_drift_apart_on_one_axis(mount):
    figure = one([2.0, 1.5, 2.0, 1.0], [1.0] * 4)  # mean 6^(1/4), product 6: the axis ends there
    page = mount(figure)
    places = "all => all.map((e) => parseFloat(e.style.left))"
    dots = page.locator(".live-drift .live-drift-dot")
    assert dots.evaluate_all(places) == pytest.approx([50 + 46, 50 + 46 / 4], abs=0.01)  # the product, then the mean
    ticks = page.locator(".live-drift-ticks span")
    assert ticks.all_inner_texts() == ["1/4", "1/2", "1", "2", "4"]
    assert ticks.evaluate_all(places) == pytest.approx(
        [50 + 46 * np.log(x) / np.log(6) for x in (0.25, 0.5, 1, 2, 4)], abs=0.01
    )
    press(page, "Back")
    assert dots.evaluate_all(places) == [50, 50]


def test_the_band_is_drawn_where_the_clip_begins(mount):
    page = mount(one([2.0, 2.0, 2.0, 1.0], [1.0] * 4, clip_eps=0.5))
    strip, band = (page.locator(name).bounding_box() for name in (".live-drift", ".live-drift-band"))
    ends = [(band["x"] - strip["x"]) / strip["width"], (band["x"] + band["width"] - strip["x"]) / strip["width"]]
    assert ends == pytest.approx([0.5 + 0.46 * np.log(x) / np.log(8) for x in (0.5, 1.5)], abs=0.005)


def test_a_token_says_what_becomes_of_it(mount):
    page = mount(one([1.5, 0.5, 1.1, 1.0], [1.0, -2.0, 1.0, 0.0]))
    said = []
    for chip in page.locator(".live-token").all():
        chip.click()
        said.append(status(page))
    assert said == [
        "“ a” in row 0 is 1.5 times as likely as when it was written. Advantage +1: clipped, it pushes no further.",
        "“ b” in row 0 is 0.5 times as likely as when it was written. Advantage −2: clipped, it pushes no further.",
        "“ c” in row 0 is 1.1 times as likely as when it was written. Advantage +1: it pushes up.",
        "“ d” in row 0 is as likely as when it was written. Advantage 0: it does not push.",
    ]
    page = mount(one([1.5, 0.5, 1.1, 1.0], [-1.0, 2.0, 1.0, 0.0]))
    for i, words in enumerate(("it pushes down.", "it pushes up.")):  # outside the band, on the other side
        page.locator(".live-token").nth(i).click()
        assert status(page).endswith(words)


def test_the_best_and_the_worst_are_shown_first_and_all_on_demand(mount):
    page = mount(board())
    rows = page.locator(".live-responses .live-response")
    names = "all => all.map((e) => e.ariaLabel)"
    assert rows.evaluate_all(names) == [f"row {b}" for b in SHOWN]
    assert page.locator(".live-response-gap").inner_text() == "⋮ 2 more"
    press(page, "All 6 responses")
    assert rows.evaluate_all(names) == [f"row {b}" for b in ORDER]
    assert page.locator(".live-response-gap").count() == 0
    page.locator(".live-token", has_text="t52").click()
    assert status(page).startswith("“ t52” in row 5 ")
    press(page, "All 6 responses")
    assert rows.evaluate_all(names) == [f"row {b}" for b in SHOWN]
    assert status(page).startswith("“ t30” in row 3 ")  # what is no longer shown is no longer chosen


def test_the_clipped_ones_can_be_seen_alone(mount):
    page = mount(board())
    press(page, "Clipped only")
    painted = "all => all.map((e) => getComputedStyle(e).backgroundColor !== 'rgba(0, 0, 0, 0)')"
    seen = [chip["clipped"] for chip in looks(page)]
    assert page.locator(".live-token").evaluate_all(painted) == seen and 0 < sum(seen) < len(seen)
    press(page, "Clipped only")
    assert all(page.locator(".live-token").evaluate_all(painted))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chosen_and_clipped_are_told_apart(mount, theme):
    """The dashes lie on the chip, in ink; the chosen one's ring lies outside it, in the colour of what is handled."""
    page = mount(one([1.5, 1.5, 1.1, 1.0], [1.0] * 4), theme=theme)
    page.locator(".live-token").nth(1).click()
    page.mouse.move(0, 0)
    style = """(e) => {
      const { outlineStyle, outlineColor, outlineOffset, boxShadow } = getComputedStyle(e);
      return [outlineStyle, outlineColor, parseFloat(outlineOffset), boxShadow];
    }"""
    clipped, both = (page.locator(".live-token").nth(i).evaluate(style) for i in (0, 1))
    assert clipped[:3] == ["dashed", "rgb(29, 36, 48)", -4] and clipped[3] == "none"
    assert both[:3] == clipped[:3] and "3px" in both[3] and "inset" not in both[3]


def test_it_plays_all_epochs_once_when_it_is_first_seen(mount):
    figure = board()
    page = mount(figure, reduced_motion="no-preference")
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function("document.querySelector('.live-reading').textContent === '1 of 3'")
    page.get_by_role("button", name="Train").wait_for(timeout=9000)
    assert page.locator(".live-reading").inner_text() == "3 of 3"
    press(page, "Reset")
    assert page.locator(".live-reading").inner_text() == "0 of 3" and facts(page) == ["0 %", "0 %", "1", "1"]


def test_on_a_phone_it_plays_too(mount):
    long = one([1.5] * 4, [1.0] * 4)
    long.responses = [long.responses[0] | {"prompt": "The food at the restaurant was " * 60}]  # higher than the screen
    page = mount(long, 390, has_touch=True, reduced_motion="no-preference")
    assert page.locator(".live-picture").bounding_box()["height"] > 1500
    page.locator(".live-picture").scroll_into_view_if_needed()
    page.get_by_role("button", name="Pause").wait_for()


def test_arrow_keys_lead_through_the_tokens_and_tab_stops_once(mount):
    page = mount(board())
    tokens = page.locator(".live-token")
    tokens.nth(0).click()
    for key, chosen in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        seen = [chip["chosen"] for chip in looks(page)]
        assert seen.index(True) == chosen and seen.count(True) == 1
        assert tokens.nth(chosen).evaluate("e => e === document.activeElement")
        assert tokens.evaluate_all("all => all.filter((e) => e.tabIndex === 0).length") == 1
