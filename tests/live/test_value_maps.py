"""Chapter 3's maps: the network that trains in the page, what is refused, and what a reader does."""

import json
import re

import numpy as np
import pytest
import torch
from live_checks import cell, javascript, number, press, status, swipe

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import ValueMaps
from ppo_helpers.networks import ValueNetwork

WORLD = GridWorld.default()
STATES = len(WORLD.states)
SAID, TRUE, WRONG = "what the network says", "what is true", "where it is wrong"


def network_of(hidden=(8, 8), seed=0):
    torch.manual_seed(seed)
    return ValueNetwork(2, hidden)


def figure(**change):
    rng = np.random.default_rng(0)
    truth = np.linspace(-3, 5, STATES)
    parts = {
        "world": WORLD, "truth": truth, "fractions": [0.2, 0.5], "visited": [[0, 1], [0, 1, 2, 3, 4, 5]],
        "steps": [0, 10, 20], "frames": truth + rng.normal(size=(2, 3, STATES)),
        "network": network_of().state_dict().values(), "alt": "three maps", "caption": "Left, middle, right.",
    }  # fmt: skip
    return ValueMaps(**(parts | change))


def large():
    """As large as chapter 3's own."""
    world = GridWorld.from_text("\n".join([". . . . # . . . . ."] * 9 + [". . . . . . . . . M"]))
    rng, states = np.random.default_rng(0), len(world.states)
    steps, order = [0, 5, 10, 20, 50, 100, 200, 400, 600, 800, 1000], rng.permutation(states)
    truth, fractions = rng.uniform(-12, 5, states), [0.1, 0.5, 1]
    frames = truth + rng.normal(size=(3, len(steps), states)) * np.linspace(4, 0.1, len(steps))[:, None]
    visited = [order[: int(f * states)] for f in fractions]
    return figure(
        world=world, truth=truth, fractions=fractions, visited=visited, steps=steps, frames=frames, fraction=1,
        network=network_of((64, 64)).state_dict().values(),
    )  # fmt: skip


def flat():
    """One row, one value, one step, one cell shown: whatever is divided by a spread must not be divided by 0."""
    world = GridWorld.from_text(". . M")
    return figure(
        world=world, truth=[5, 5, 5], fractions=[1 / 3], visited=[[2]], steps=[7], frames=np.full((1, 1, 3), 5.0)
    )


def examples():
    return [figure(), large(), flat()]


# --- the network in JavaScript and in PyTorch -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/value_network.js", "figures/value_maps_training.js")


def sizes_of(network):
    layers = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


def flat_parameters(network):
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()]).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_the_network_answers_and_learns_as_in_pytorch(engine, seed):
    generator = torch.Generator().manual_seed(seed)
    hidden = [(64, 64), (5,), (3, 4, 2), (1, 7)][seed % 4]
    network = network_of(hidden, seed).double()
    inputs = 2 * torch.rand(11, 2, generator=generator, dtype=torch.double) - 1
    targets = 5 * torch.randn(11, generator=generator, dtype=torch.double)
    start, rate, count = flat_parameters(network), 10.0 ** -(seed % 3 + 1), 1 + 9 * (seed % 2)
    optimizer, answers = torch.optim.Adam(network.parameters(), lr=rate), []
    for _ in range(count):
        answers.append(network(inputs).tolist())
        loss = ((network(inputs) - targets) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    script = """((parameters, sizes, inputs, targets, rate, count) => {
        const layers = layersOf(parameters, sizes), improve = adam(layers, rate), answers = [];
        for (let step = 0; step < count; step++) {
            answers.push(predict(layers, inputs));
            improve(lossGradients(layers, inputs, targets));
        }
        return JSON.stringify([answers, layers.flatMap(({ weight, bias }) => [...weight, ...bias])]);
    })"""
    given = [start, sizes_of(network), inputs.tolist(), targets.tolist(), rate, count]
    said, learned = json.loads(engine.eval(f"{script}({', '.join(map(json.dumps, given))})"))
    np.testing.assert_allclose(said, answers, rtol=0, atol=1e-9)
    np.testing.assert_allclose(learned, flat_parameters(network), rtol=0, atol=1e-9)


@pytest.mark.parametrize("text", [WORLD.to_text(), ". . M", ".\n.\nM", "M # ."])
def test_the_network_sees_where_it_stands(engine, text):
    world = GridWorld.from_text(text)
    given = json.dumps({"states": world.states, "cells": world.cells.tolist()})
    seen = json.loads(engine.eval(f"JSON.stringify(observations({given}))"))
    np.testing.assert_allclose(seen, world.observations(), atol=1e-7)


# --- Python ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alt": " "}, "alt must say what the figure shows"),
        ({"caption": " "}, "caption must say what the figure shows"),
        ({"fractions": []}, r"fractions must be numbers in \(0, 1\], at least one, got \[\]"),
        ({"fractions": [0, 0.5]}, r"fractions must be .* got \[0.0, 0.5\]"),
        ({"fractions": [0.2, 1.5]}, r"fractions must be .* got \[0.2, 1.5\]"),
        ({"steps": []}, r"steps must increase from 0 or more, at least one, got \[\]"),
        ({"steps": [0, 20, 20]}, r"steps must increase .* got \[0, 20, 20\]"),
        ({"steps": [-1, 0, 20]}, r"steps must increase from 0 or more, .* got \[-1, 0, 20\]"),
        ({"frames": np.zeros((2, 3, 4))}, r"frames must have shape \(2, 3, 13\), .* got \(2, 3, 4\)"),
        ({"frames": np.full((2, 3, STATES), np.inf)}, "frames must be finite"),
        ({"truth": [1, 2]}, r"truth must have shape \(13,\), one for each state, got \(2,\)"),
        ({"truth": [np.nan] * STATES}, "truth must be finite"),
        ({"visited": [[0]]}, "visited must have 2 entries, one for each fraction, got 1"),
        ({"visited": [[0], [13]]}, r"visited must hold numbers of states, 0 … 12, got \[\[0\], \[13\]\]"),
        ({"visited": [[0], [-1]]}, "visited must hold numbers of states"),
        ({"network": []}, r"network must hold a weight .* from 2 to 1, got \[\]"),
        ({"network": [np.zeros((1, 3)), np.zeros(1)]}, r"network must .* got \[\(1, 3\), \(1,\)\]"),
        ({"network": [np.zeros((2, 2)), np.zeros(2)]}, r"network must .* from 2 to 1"),
        ({"network": [np.zeros((4, 2)), np.zeros(4), np.zeros((1, 3)), np.zeros(1)]}, "network must hold a weight"),
        ({"network": [np.zeros((1, 2))]}, "network must hold a weight"),
        ({"network": [np.full((1, 2), np.nan), np.zeros(1)]}, "network must be finite"),
        ({"learning_rate": 0}, r"learning_rate must be in \(0, 1\], got 0"),
        ({"fraction": 2}, r"fraction must be in 0 … 1, got 2"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


def test_the_state_is_small_and_plain_json():
    state = {name: value for name, value in large().get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, allow_nan=False)) < 100_000


def true_errors(shown, frames, truth):
    """(2, K): root mean square errors on the cells shown and on the others."""
    inside = np.isin(np.arange(len(truth)), shown)
    with np.errstate(invalid="ignore"):
        return np.array([[((f - truth)[w] ** 2).sum() / w.sum() for f in frames] for w in (inside, ~inside)]) ** 0.5


def test_errors_are_those_that_numpy_computes():
    made = large()
    for shown, frames, errors in zip(made.visited, np.array(made.frames), made.errors(), strict=True):
        np.testing.assert_allclose(errors, true_errors(shown, frames, np.array(made.truth)), atol=1e-12)
    assert np.isnan(made.errors()[-1][1]).all()  # nothing is unseen when all cells were shown


# --- in a browser ---------------------------------------------------------------------------------------------------


def board(page, name):
    """The first map is a grid of cells, the others are drawings."""
    return page.get_by_role("grid" if name == SAID else "img", name=name)


def open_share(page, words):
    page.locator(".live-tool", has_text=words).click()


def shown_errors(page):
    words = page.locator(".live-legend .live-reading").all_text_contents()
    return [np.nan if word == "–" else float(word) for word in words]


def step(page):
    return page.get_by_role("slider", name="training step")


def test_maps_show_the_errors_that_numpy_computes(mount):
    made = large()
    page = mount(made)
    for f, share in enumerate(made.fractions):
        open_share(page, f"{share * 100:g} %")
        step(page).press("Home")
        for k in range(len(made.steps)):
            assert shown_errors(page) == pytest.approx(made.errors()[f, :, k], abs=0.0051, nan_ok=True)
            step(page).press("ArrowRight")


COLOURS = """(map) => Object.fromEntries([...map.querySelectorAll("[data-at]")].map((cell) => {
    const tile = cell.querySelector("rect"), style = getComputedStyle(tile ?? cell);
    return [cell.dataset.at, (tile ? style.fill : style.backgroundColor).match(/\\d+/g).map(Number)];
}))"""


def test_maps_show_what_was_predicted_what_is_true_and_the_difference(mount):
    made = figure()
    page = mount(made)
    open_share(page, "50 %")
    step(page).press("Home")
    said, truth = np.array(made.frames[1][0]), np.array(made.truth)
    colours = {name: board(page, name).evaluate(COLOURS) for name in (SAID, TRUE, WRONG)}
    low, middle, high, right, wrong = (221, 138, 118), (243, 234, 215), (85, 181, 163), (251, 248, 240), (179, 55, 44)
    for s, (r, c) in enumerate(WORLD.states):
        words = board(page, SAID).locator(f'[data-at="{r},{c}"]').get_attribute("aria-label")
        assert f"the network says {number(said[s], 2)}, the truth is {number(truth[s], 2)}" in words
        assert (", shown" in words) == (s in made.visited[1])
        for name in (SAID, WRONG):
            assert board(page, name).locator(f'[data-at="{r},{c}"] .live-dot').count() == (s in made.visited[1])
        share = min(abs(said[s] - truth[s]) / 4, 1)  # red from half the spread of the truth on
        assert colours[WRONG][f"{r},{c}"] == pytest.approx(np.array(right) + np.subtract(wrong, right) * share, abs=1)
        for name, value in ((SAID, said[s]), (TRUE, truth[s])):
            at = np.clip((value + 3) / 8, 0, 1)  # of the truth's own range, −3 … 5
            mixed = np.array(middle) + np.subtract(low if at < 0.5 else high, middle) * abs(2 * at - 1)
            assert colours[name][f"{r},{c}"] == pytest.approx(mixed, abs=1)


def test_prizes_stand_on_the_true_map_and_walls_are_grey_in_both_themes(mount):
    for theme in ("light", "dark"):
        page = mount(figure(), theme=theme)
        for name in (SAID, TRUE, WRONG):
            colours = board(page, name).evaluate(COLOURS)
            walls = [tuple(colours[f"{r},{c}"]) for r, c in np.argwhere(WORLD.cells == "#")]
            assert walls == [(74, 81, 96)] * 2
        assert board(page, TRUE).locator('[data-at="0,4"] [fill="#f2b705"]').count() == 1  # lots of money
        assert "dragon" in board(page, SAID).locator('[data-at="2,2"]').get_attribute("aria-label")
        assert page.locator("[fill='#f2b705']").count() == 2  # the money is on no other map


def test_the_first_view_is_the_end_of_training_and_its_worst_cell(mount):
    page = mount(figure())
    made = figure()
    missed = np.array(made.frames[0][-1]) - made.truth
    s = int(abs(missed).argmax())
    r, c = WORLD.states[s]
    known = "shown" if s in made.visited[0] else "never shown"
    said, real, off = (number(x, 2) for x in (made.frames[0][-1][s], made.truth[s], abs(missed[s])))
    high = "high" if missed[s] > 0 else "low"
    expected = f"Row {r}, column {c}, {known}: the network says {said}, the truth is {real}: {off} too {high}."
    assert status(page) == expected
    assert step(page).input_value() == "2"


def test_pointing_at_a_cell_or_walking_to_it_by_key_reads_it(mount):
    page = mount(figure())
    board(page, WRONG).locator('[data-at="0,0"]').hover()
    assert status(page).startswith("Row 0, column 0, shown:")
    board(page, SAID).locator('[data-at="0,0"]').focus()
    page.keyboard.press("ArrowDown")
    assert status(page).startswith("Row 1, column 0,")
    chosen = page.locator(".live-chosen").evaluate_all("all => all.map((e) => e.dataset.at)")
    assert chosen == ["1,0"]
    frame = {name: board(page, name).locator(".live-at") for name in (TRUE, WRONG)}
    for name, box in frame.items():
        inside = board(page, name).locator('[data-at="1,0"]').bounding_box()
        assert box.bounding_box()["x"] == pytest.approx(inside["x"], abs=5)
        assert box.bounding_box()["y"] == pytest.approx(inside["y"], abs=5)
    assert "row 1" in page.locator(".live-side svg[role=img]").first.get_attribute("aria-label")


def names(page):
    """What every cell of the first map says."""
    return board(page, SAID).locator("[data-at]").evaluate_all("all => all.map((e) => e.ariaLabel)")


def numbers(page):
    """What the network says of every cell, as far as it is shown."""
    said = (re.search("says ([−\\d.]+)", name) for name in names(page))
    return [float(match[1].replace("−", "-")) for match in said if match]


def taught(shown, steps, truth, world=WORLD, hidden=(8, 8)):
    """What PyTorch makes of these cells, in double precision from the figure's own float32 start."""
    network = network_of(hidden).double()
    x, targets = torch.tensor(world.observations()).double(), torch.tensor(truth, dtype=torch.double)
    optimizer, kept = torch.optim.Adam(network.parameters(), lr=3e-3), []
    for k in range(steps[-1] + 1):
        if k in steps:
            kept.append(network(x).tolist())
        loss = ((network(x[shown]) - targets[shown]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(kept)


def wait_for_training(page, count):
    page.wait_for_function(f"document.querySelector('input[type=range]').max === '{count - 1}'")


@pytest.mark.parametrize("how", ["click", "Enter", "touch"])
def test_cells_that_are_picked_are_learned_in_the_page_as_pytorch_learns_them(mount, how):
    made = figure()
    page = mount(made, has_touch=how == "touch")
    at = board(page, WRONG if how == "click" else SAID).locator('[data-at="1,2"]')
    at.press("Enter") if how == "Enter" else at.tap() if how == "touch" else at.click()
    wait_for_training(page, 3)
    shown = [0, 1, int(WORLD.index[1, 2])]
    assert "cells shown: 3 of 13, your choice" in page.locator(".live-desk").inner_text()
    frames = taught(shown, made.steps, made.truth)
    for k in (2, 1, 0):
        assert step(page).input_value() == str(k)
        assert shown_errors(page) == pytest.approx(true_errors(shown, frames, made.truth)[:, k], abs=0.0051)
        step(page).press("ArrowLeft")
    said = board(page, SAID).locator('[data-at="1,2"]').get_attribute("aria-label")
    assert said.startswith(f"row 1, column 2: the network says {number(frames[0][shown[-1]], 2)}, the truth is")
    assert said.endswith(", shown")


def test_chapter_3s_recorded_training_is_what_the_page_learns_from_the_same_cells(mount):
    """Take a cell away and give it back: what the page then learns is what was recorded, but for float32's rounding."""
    steps, shown, truth = [0, 20, 60], [0, 3, 5, 8, 11], np.linspace(-3, 5, STATES)
    frames = taught(shown, steps, truth, hidden=(64, 64))[None]
    network = network_of((64, 64)).state_dict().values()
    parts = {"fractions": [0.4], "visited": [shown], "steps": steps, "frames": frames, "network": network}
    page = mount(figure(**parts))
    recorded = numbers(page)
    for _ in range(2):
        cell(page, 0, 0).first.click()
        wait_for_training(page, 3)
    assert "your choice" in page.locator(".live-desk").inner_text()
    assert numbers(page) == pytest.approx(recorded, abs=0.011)  # shown to two decimals


def dots(page, view=0):
    maps = page.locator(".live-figure").nth(view).get_by_role("grid", name=SAID)
    named = maps.get_by_role("gridcell").evaluate_all("all => all.map((e) => [e.dataset.at, e.ariaLabel])")
    return {at for at, words in named if words.endswith(", shown")}


@pytest.mark.parametrize(
    ("own", "states"), [("1900", [0, 4, 7]), ("0010", [8]), ("0000", []), ("zzzz", None), ("19", None)]
)
def test_a_saved_choice_of_the_readers_own_is_learned_when_it_opens(mount, own, states):
    made = figure()
    made.own = own
    page = mount(made)
    if states is None:  # what spells nothing changes nothing
        assert dots(page) == {f"{r},{c}" for r, c in WORLD.states[:2]}
        return
    assert dots(page) == {f"{r},{c}" for r, c in (WORLD.states[s] for s in states)}
    if states:
        wait_for_training(page, 3)
    step(page).press("End")
    last = taught(states, made.steps, made.truth)[-1] if states else taught([0], [0], made.truth)[-1]
    said = board(page, SAID).locator('[data-at="2,0"]').get_attribute("aria-label")
    assert f"the network says {number(last[WORLD.index[2, 0]], 2)}," in said
    press(page, "Reset")
    assert dots(page) == {f"{r},{c}" for r, c in WORLD.states[:2]}


def test_what_is_picked_in_one_view_is_picked_in_the_other(mount):
    page = mount(figure(), copies=2)
    for at in ("1,2", "0,0", "0,1", "1,2"):  # in the end nothing is shown
        board(page, SAID).first.locator(f'[data-at="{at}"]').click()
        assert dots(page, 0) == dots(page, 1)
    assert dots(page) == set()


def test_a_drag_paints_what_its_first_cell_began(mount):
    page = mount(figure())
    cells = [board(page, SAID).locator(f'[data-at="2,{c}"]').bounding_box() for c in range(4)]
    places = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in cells]
    for count, words in ((6, "6 of 13"), (2, "2 of 13")):  # on, and then off again
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=5)
        page.mouse.up()
        assert words in page.locator(".live-desk").inner_text(), count


def test_nothing_shown_is_said_and_breaks_nothing(mount):
    page = mount(figure())
    for at in ("0,0", "0,1"):
        board(page, SAID).locator(f'[data-at="{at}"]').click()
    assert status(page).startswith("The network is shown nothing: click a cell.")
    page.wait_for_timeout(100)
    untrained = network_of().double()(torch.tensor(WORLD.observations()).double()).detach().numpy()
    errors = true_errors([], [untrained], np.linspace(-3, 5, STATES).round(3))[:, 0]
    assert shown_errors(page) == pytest.approx(errors, abs=0.0051, nan_ok=True)
    open_share(page, "20 %")
    assert "2 of 13, at random" in page.locator(".live-desk").inner_text() and step(page).input_value() == "2"


def test_a_long_training_leaves_the_page_responsive(mount):
    """Between two of its slices the page gets its turn: no task of the page's own is longer than a few frames."""
    page = mount(large())
    page.evaluate("""() => {
        window.longest = 0;
        let before = performance.now();
        const tick = () => {
            const now = performance.now();
            window.longest = Math.max(window.longest, now - before);
            before = now;
            window.ticks = (window.ticks ?? 0) + 1;
            setTimeout(tick, 0);
        };
        tick();
    }""")
    board(page, SAID).locator('[data-at="0,0"]').click()
    wait_for_training(page, 11)
    assert page.evaluate("window.ticks") > 20


def test_reset_opens_the_first_training_at_its_end(mount):
    page = mount(large())
    first = names(page)
    open_share(page, "10 %")
    step(page).press("Home")
    board(page, SAID).locator('[data-at="3,3"]').click()
    press(page, "Reset")
    page.wait_for_timeout(100)
    assert names(page) == first
    assert page.get_by_role("radio", name="50 %").is_checked()
    assert step(page).input_value() == "10"


def test_it_plays_once_when_it_is_first_seen(mount):
    page = mount(figure(), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('input[type=range]').value === '0'")
    page.wait_for_function("document.querySelector('input[type=range]').value === '2'")
    page.get_by_role("button", name="Play", exact=True).wait_for()


def curve(page):
    return page.locator(".live-scrub")


def test_pressing_on_the_curve_goes_to_the_nearest_kept_step(mount):
    page = mount(figure())
    box = curve(page).bounding_box()
    left, right = (box["x"] + share * box["width"] for share in (40 / 280, 262 / 280))
    for share, frame in ((0.52, "1"), (0.05, "0"), (0.9, "2")):  # of the axis from step 0 to 20
        page.mouse.click(left + share * (right - left), box["y"] + 40)
        assert step(page).input_value() == frame


def test_a_finger_that_scrolls_over_the_curve_changes_nothing_and_one_that_moves_sideways_does(mount):
    page = mount(figure(), width=390, has_touch=True)
    curve(page).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    swipe(page, curve(page), dy=-120, start=(0.3, 0.6))
    assert page.evaluate("scrollY") > before + 50 and step(page).input_value() == "2"
    swipe(page, curve(page), dx=-150, start=(0.9, 0.4))
    assert step(page).input_value() in ("0", "1")


def test_on_a_phone_cells_are_large_enough_for_a_finger(mount):
    page = mount(large(), width=390, has_touch=True)
    assert board(page, SAID).locator('[data-at="0,0"]').bounding_box()["width"] >= 24
    pair = [board(page, name).bounding_box() for name in (TRUE, WRONG)]
    assert pair[0]["y"] == pair[1]["y"] and pair[0]["x"] < pair[1]["x"]
