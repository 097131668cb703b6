"""Chapter 7's replay: what is refused, when a run collapses, and what a reader does."""

import json

import numpy as np
import pytest
import traitlets
from live_checks import cell, fact, javascript, number, press, status, swipe

from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.live import TrainingReplay
from ppo_helpers.live.figures.training_replay import collapses
from ppo_helpers.live.recording import CURVES, recorded
from ppo_helpers.walking import Training, WalkConfig

WORLD = GridWorld.default()
STATES = len(WORLD.states)


def one_run(name, seed=0, **change):
    rng, frames = np.random.default_rng(seed), 5
    run = {
        "name": name,
        "policy": rng.dirichlet(np.ones(4), (frames, STATES)),
        "values": rng.uniform(-3, 5, (frames, STATES)),
        "ratios": rng.integers(0, 50, (frames, 8)),
        "edges": np.geomspace(0.25, 4, 9),
        "curves": {"return": rng.normal(size=8), "approx_kl": rng.random(8)},
        "iterations": [0, 2, 4, 6, 8],
    }
    return run | change


def figure(runs=None, **change):
    runs = [one_run("clipped", 1), one_run("free", 2)] if runs is None else runs
    words = {"alt": "two trainings", "caption": "One of them collapses."}
    return TrainingReplay(WORLD.to_text(), WORLD.rewards, runs, **(words | change))


def long_run(name, seed, frames=40):
    rng = np.random.default_rng(seed)
    curves = {word: rng.random(frames) * 10.0**k for k, word in enumerate(("a_long_name_of_a_curve", "b", "c", "d"))}
    return one_run(
        name, policy=rng.dirichlet(np.ones(4) / 5, (frames, STATES)), values=90 * rng.normal(size=(frames, STATES)),
        ratios=rng.integers(0, 999, (frames, 24)), edges=np.linspace(0, 3, 25), iterations=range(frames), curves=curves,
    )  # fmt: skip


def examples():
    flat = {"curves": {"return": np.zeros(8)}, "ratios": np.zeros((5, 8))}  # nothing happens at all
    longer = [long_run("with clipping at 0.2", 3), long_run("without any clipping", 4)]
    return [figure(), figure([one_run("alone", **flat)]), figure(longer)]


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "runs must hold one or two runs, got 0"),
        ([one_run("x")] * 3, "runs must hold one or two runs, got 3"),
        ([{"name": "x"}], r"runs\[0\] must have the keys"),
        ([one_run("x", values=[[1]])], r"runs\[0\]\['values'\] must have shape"),
        ([one_run("x", values=[[1], [1, 2]])], r"runs\[0\]\['values'\] must .* rows of unequal length"),
        ([one_run("x"), one_run("y", policy=np.zeros((5, 2, 4)))], r"runs\[1\]\['policy'\] must have shape"),
        ([one_run("x", policy=np.full((5, STATES, 4), 2))], "must hold probabilities"),
        ([one_run("x", ratios=np.full((5, 8), -1))], "must be counts of 0 or more, got -1"),
        ([one_run("x", iterations=[0, 2, 2, 6, 8])], "must be increasing whole numbers"),
        ([one_run("x", curves={})], "must hold at least one curve"),
        ([one_run("x", curves={"a": [1, np.nan] * 4})], "must be finite"),
        ([one_run("x", curves={"a": [1] * 7})], r"must have shape \(N,\), N ≥ 8, got \(7,\)"),
        ([one_run("x", edges=np.ones(9))], "must increase"),
        ([one_run("x"), one_run("y", edges=np.arange(9))], "edges must be the same in both"),
        ([one_run("x"), one_run("y", curves={"a": [0] * 8})], "curves must have the same"),
    ],
)
def test_bad_runs_are_named(runs, message):
    with pytest.raises(ValueError, match=message):
        figure(runs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alt": " "}, "alt must say"),
        ({"caption": " "}, "caption must say"),
        ({"clip_eps": 0}, r"clip_eps must be in \(0, 0.999\], got 0"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


@pytest.mark.parametrize(("name", "value"), [("frame", 5), ("frame", -1), ("curve", "no such")])
def test_frame_and_curve_stay_within_what_there_is(name, value):
    with pytest.raises((ValueError, traitlets.TraitError), match=f"{name} must be"):
        setattr(figure(), name, value)


def test_a_long_replay_fits_into_the_page():
    state = {name: value for name, value in examples()[2].get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state)) < 100_000


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        ([[0.3, 0.8, 0.9, 0.0, 0.0]], [4]),
        ([[0.3, 0.8, 0.9, 0.46, 0.9], [0.0, 0.1, 0.2, 0.3, 0.4]], [None, None]),  # half of it is left
        ([[0.3, 0.8, 0.9, 0.44, 0.9], [0.0, 0.1, 0.2, 0.3, 0.4]], [4, None]),
        ([[5, 9, 4, 5, 5]], [3]),  # heights above the lowest point, 4
        ([[1, 1, 1]], [None]),  # nothing to lose
        ([[0, 10, 10], [2, 1, 0]], [None, None]),  # 2 of 10 is no height to fall from
        ([[0, 10, 10], [3, 1.6, 1.4]], [None, 3]),
        ([[-8, -2, -6], [-9, -9, -9]], [3, None]),
    ],
)
def test_a_run_collapses_where_it_loses_more_than_half_of_its_height(curves, expected):
    assert collapses(curves) == expected


def test_a_training_is_kept_frame_by_frame():
    training = Training(GridWorldVectorEnv(WORLD, 4, max_steps=20), WalkConfig(steps=8, hidden=(8,)))
    run = recorded("alone", training, WORLD, lambda policy: 0.5, iterations=3)
    assert training.done == 3 and list(run["iterations"]) == [0, 1, 2, 3] and list(run["curves"]) == list(CURVES)
    assert run["curves"][CURVES[0]] == [0.5] * 3 and len(run["curves"][CURVES[1]]) == 3
    assert not run["ratios"][0].any() and all(counts.sum() > 16 for counts in run["ratios"][1:])
    assert all(set(WORLD.terminals.values()) <= set(row.tolist()) for row in run["values"])
    assert TrainingReplay(WORLD.to_text(), WORLD.rewards, [run], alt="one", caption="One.").frame == 3


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/gridworld.js", "figures/training_replay_words.js")


def walks(moves):
    """A policy of a corridor, in percent: one letter for the likeliest move of each cell."""
    return [[70 if move == "urdl".index(letter) else 10 for move in range(4)] for letter in moves]


def words(engine, policies, curve, k, text=". . . M", iterations=None, runs=1):
    rows = [walks(moves) for moves in policies]
    run = {"name": "with the clip", "policy": rows, "curves": {"share_of_it": curve}}
    given = {"runs": [run] * runs, "iterations": iterations or list(range(len(rows)))}
    script = f"sentence({{ world: parseWorld({json.dumps(text)}, 0, {{ M: 5 }}), ...{json.dumps(given)} }}, {k})"
    return engine.eval(script).split("\n")


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        (["rrrr", "rrrr"], "no cell changes its likeliest move"),
        (["rrrr", "rlrr"], "from 2 cells the likeliest moves now go in a circle"),
        (["rlrr", "rlrr"], "from 2 cells the likeliest moves still go in a circle"),
        (["rrlr", "rlrr"], "from 2 cells the likeliest moves still go in a circle"),
        (["rrlr", "rrrr"], "from every cell the likeliest moves now lead to an end"),
    ],
)
def test_the_sentence_says_what_the_walker_does_otherwise(engine, policies, said):
    expected = ["Iteration 1.", f"With the clip: share of it 0.5; {said}."]
    assert words(engine, policies, [0.5], 1) == expected


def test_the_sentence_names_the_cell_that_has_changed_most(engine):
    text = ". . M\n. . .\n"
    before, after = "rrrruu", "rdrrru"  # (0,1) goes down instead of right, (1,1) right instead of up
    assert (
        "at row 0, column 1 the walker now goes down, and in 1 cell more it turns"
        in words(engine, [before, after], [0.5], 1, text)[1]
    )


def test_the_sentence_compares_the_curve_with_the_frame_before(engine):
    policies, curve = ["rrrr"] * 3, [0.2, 0.4, 0.9, 0.9, 0.1, 0.1]
    assert words(engine, policies, curve, 1, iterations=[2, 4, 5])[1].startswith(
        "With the clip: share of it 0.9, up from 0.4;"
    )
    assert "0.1, down from 0.9;" in words(engine, policies, curve, 2, iterations=[2, 4, 5])[1]
    assert "0.1, as before;" in words(engine, policies, curve, 2, iterations=[2, 5, 6], runs=2)[2]
    assert words(engine, policies, curve, 0, iterations=[2, 4, 5])[1] == "With the clip: share of it 0.4."
    assert words(engine, policies, curve, 0) == [
        "Iteration 0, before the training: the walkers have learned nothing yet."
    ]


def test_ticks_of_the_ratios_are_halves_and_doubles_where_they_fit():
    engine = javascript("parts/charts.js")
    for edges, ticks in (
        (np.geomspace(0.25, 4, 9), [0.25, 0.5, 1, 2, 4]),
        (np.geomspace(0.001, 100, 9), [0.001, 0.01, 0.1, 1, 10, 100]),
        (np.linspace(0, 2, 9), [0, 0.5, 1, 1.5, 2]),
    ):
        assert json.loads(engine.eval(f"JSON.stringify(ratioTicks({edges.tolist()}))")) == ticks


# --- in a browser ---------------------------------------------------------------------------------------------------


def iteration(page):
    return page.get_by_role("slider", name="iteration")


def test_numbers_are_those_of_the_runs(mount):
    runs = [one_run("clipped", 1), one_run("free", 2)]
    page = mount(figure(runs))
    iteration(page).press("Home")
    assert fact(page, "clipped") == "–"  # nothing has been measured before the first iteration
    iteration(page).press("ArrowRight")
    for run in runs:
        assert fact(page, run["name"]) == pytest.approx(run["curves"]["return"][1], abs=6e-4)
    page.locator("select").select_option("approx_kl")
    assert fact(page, "free") == pytest.approx(runs[1]["curves"]["approx_kl"][1], abs=6e-4)
    assert page.get_by_role("img", name="approx kl by iteration").count() == 1
    assert status(page).startswith("Iteration 2.\nClipped: return")
    press(page, "Step")
    assert status(page).startswith("Iteration 4.")
    press(page, "Back")
    press(page, "Back")
    assert status(page).startswith("Iteration 0, before the training")
    press(page, "Reset")
    assert status(page).startswith("Iteration 8.")


def test_boards_show_policy_and_values(mount):
    runs = [one_run("clipped", 1), one_run("free", 2)]
    page = mount(figure(runs))
    for grid, run in zip(page.get_by_role("grid").all(), runs, strict=True):
        for s, (r, c) in enumerate(WORLD.states):
            at = grid.locator(f'[data-at="{r},{c}"]')
            if (r, c) in WORLD.terminals:
                assert number(WORLD.terminals[r, c]) in at.get_attribute("aria-label")
                continue
            value = number(round(run["values"][-1][s], 1))
            best = int(run["policy"][-1][s].argmax())
            said = f"row {r}, column {c}: value {value}, {('up', 'right', 'down', 'left')[best]}"
            assert at.get_attribute("aria-label").startswith(said)
            assert at.locator(".live-value").text_content() == value


def test_a_cell_that_is_touched_is_read(mount):
    runs = [one_run("clipped", 1), one_run("free", 2)]
    page = mount(figure(runs))
    cell(page, 2, 0).first.click()
    words = page.locator(".live-picture > .live-note").text_content()
    s = WORLD.index[2, 0]
    for run in runs:
        assert f"{run['name']}, value {number(round(run['values'][-1][s], 1))}, " in words
        percent = round(100 * run["policy"][-1][s].max())
        assert f"{('up', 'right', 'down', 'left')[run['policy'][-1][s].argmax()]} {percent} %" in words
    assert page.locator(".live-chosen").evaluate_all("all => all.map((e) => e.dataset.at)") == ["2,0"] * 2
    cell(page, 0, 4).first.click()
    assert page.locator(".live-picture > .live-note").text_content() == "row 0, column 4: the walk ends here."


def test_the_histogram_says_how_much_has_left_the_band(mount):
    counts = np.zeros((5, 8))
    counts[-1] = [0, 0, 1, 0, 4, 0, 1, 2]  # bins meet at 2^(k/2 − 2): within 0.8 … 1.2 lies none but that of 1 … 1.41
    page = mount(figure([one_run("x", ratios=counts, edges=np.geomspace(0.25, 4, 9))], clip_eps=0.25))
    name = "ratios after the update: 50 % outside the band of 0.75 to 1.25"
    assert page.get_by_role("img", name=name).count() == 1
    heights = page.locator(".live-ratios rect.live-run-0").evaluate_all(
        "all => all.map((e) => +e.getAttribute('height'))"
    )
    assert heights == pytest.approx(heights[4] * np.sqrt(counts[-1] / 4), abs=0.06) and heights[4] > 40
    press(page, "Back")
    assert page.get_by_role("img", name="ratios after the update: none yet").count() == 1


def test_a_flag_stands_where_a_run_collapses(mount):
    runs = [
        one_run("safe", curves={"share": np.linspace(0.1, 0.9, 8), "kl": np.ones(8)}),
        one_run("lost", curves={"share": [0.5, 0.8, 0.9, 0.9, 0, 0, 0, 0.0], "kl": np.ones(8)}),
    ]
    page = mount(figure(runs))
    for name in ("share", "kl"):  # on every curve the flag marks the same moment
        page.locator("select").select_option(name)
        assert page.locator(".live-flag text").all_text_contents() == ["collapse at 5"]
        foot = page.locator(".live-flag path").get_attribute("d").split("V")[0]
        dots = page.locator(".live-line.live-curve-1").get_attribute("d").replace("L", "M").split("M")
        assert [float(v) for v in foot[1:].split()] == pytest.approx([float(v) for v in dots[5].split()], abs=0.06)


def test_with_the_clip_is_blue_and_without_orange_everywhere(mount):
    page = mount(figure())
    roles = page.evaluate("""() => {
        const probe = document.createElement("i");
        document.querySelector(".live-body").append(probe);
        return ["policy", "unclipped"].map((role) => {
            probe.style.color = `var(--fig-${role})`;
            return getComputedStyle(probe).color;
        });
    }""")
    for i, colour in enumerate(roles):
        for selector, property in (
            (f".live-caption .live-run-{i}", "backgroundColor"),
            (f".live-ratios rect.live-run-{i}", "fill"),
            (f".live-line.live-curve-{i}", "stroke"),
            (f".live-tip.live-curve-{i}", "fill"),
        ):
            assert page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{property}") == colour


def test_it_plays_once_from_the_beginning(mount):
    page = mount(figure(), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Iteration 0')")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Iteration 8')")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    press(page, "Play")  # and again when it is asked to
    page.wait_for_function("document.querySelector('input[type=range]').value === '0'")


def curve(page):
    return page.locator(".live-scrub")


def test_pressing_and_drawing_on_the_curve_goes_there(mount):
    page = mount(figure())
    box = curve(page).bounding_box()
    at = [(box["x"] + (58 + 466 * i / 8) * box["width"] / 540, box["y"] + box["height"] / 2) for i in range(9)]
    page.mouse.click(*at[3])  # between two frames: the nearest, and of two as near ones the first
    assert iteration(page).input_value() == "1"
    page.mouse.move(*at[6])
    page.mouse.down()
    assert iteration(page).input_value() == "3"
    page.mouse.move(*at[8], steps=4)
    assert iteration(page).input_value() == "4"
    page.mouse.move(*at[0], steps=4)
    page.mouse.up()
    page.mouse.move(*at[8])
    assert iteration(page).input_value() == "0"


def test_a_finger_scrolls_over_the_curve_and_scrubs_sideways(mount):
    """B2: a swipe that scrolled the page used to set the iteration as well."""
    page = mount(figure(), width=390, has_touch=True)
    for start in (0.2, 0.5, 0.8):
        page.evaluate("scrollTo(0, 0)")
        curve(page).scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        swipe(page, curve(page), dy=-150, start=(start, 0.5))
        assert page.evaluate("scrollY") > before + 60
        assert iteration(page).input_value() == "4"
    page.wait_for_timeout(300)  # the last swipe has run out
    before = page.evaluate("scrollY")
    swipe(page, curve(page), dx=-200, dy=8, start=(0.9, 0.5))
    assert iteration(page).input_value() == "1"
    assert page.evaluate("scrollY") == before
    box = curve(page).bounding_box()
    page.touchscreen.tap(box["x"] + 0.97 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('input[type=range]').value === '4'")


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_boards_stand_side_by_side_without_numbers(mount, width):
    page = mount(figure(), width, has_touch=True)
    first, second = (grid.bounding_box() for grid in page.get_by_role("grid").all())
    assert first["y"] == second["y"] and first["x"] + first["width"] < second["x"]
    assert page.locator(".live-value:visible, .live-reward:visible").count() == 0


def test_nothing_moves_while_it_plays(mount):
    page = mount(figure(), width=1280)
    sizes = set()
    for k in range(5):
        iteration(page).press("Home" if k == 0 else "ArrowRight")
        sizes.add(page.locator(".live-figure").bounding_box()["height"])
    assert len(sizes) == 1
