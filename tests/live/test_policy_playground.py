"""PolicyPlayground: walkers follow the policy that Python computes, and earn what it says they earn."""

import json
import math

import numpy as np
import pytest
from live_checks import cell, fact, javascript, look, press, status

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import PolicyPlayground
from ppo_helpers.planning import evaluate_policy, greedy_policy, softmax_policy, value_iteration

WORDS = {"alt": "a playground", "caption": "Hot walkers see more and earn less."}
DETOUR = """
. . . . . . . .
. S . . m . # .
. . . . # . # .
. . . . # . # M
. . . . . . . .
"""


def playground(text=None, move_cost=1.0, **options):
    world = GridWorld.from_text(text, move_cost) if text else None
    return PolicyPlayground(world, **WORDS, **options)


def two_tables():
    """Chapter 2's larger world: what a walker knows that has found only the 4, and what is true."""
    some = value_iteration(GridWorld.from_text(DETOUR.replace("M", "."), 0.1)).values
    tables = {"only the +4 found so far": some, "all": value_iteration(GridWorld.from_text(DETOUR, 0.1)).values}
    return playground(DETOUR, 0.1, temperature=0.5, value_tables=tables)


def endless(temperature=0):
    """A walker whose arrows lead away from the only end, with free moves."""
    return playground("S . . . . . M", 0, temperature=temperature, value_tables={"left": [5, 4, 3, 2, 1, 0, 0]})


def examples():
    return [playground(temperature=0.5), two_tables(), endless(), playground(temperature=10, gamma=0.9)]


# ---- Python's side ----


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: playground(temperature=-1), r"temperature must be in \[0, 10\], got -1"),
        (lambda: playground(gamma=0), r"gamma must be in \(0, 1\], got 0"),
        (lambda: playground(value_tables={}), "at least one table"),
        (lambda: playground(value_tables={"a": [1, 2]}), r"value_tables\['a'\] must be 13 numbers"),
        (lambda: playground(value_tables={"a": [math.nan] * 13}), "none NaN"),
        (lambda: playground(value_tables={"a": [math.inf] * 13}), r"none NaN or \+inf"),
        (lambda: playground("M m"), "no cell to start from"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("start", [0, 3], "open move"),
        ("start", [0, 4], "open move"),
        ("start", [9, 9], "open move"),
        ("table", 1, "table must be in 0 … 0, got 1"),
        ("temperature", 11.0, "temperature must be in"),
        ("temperature", math.inf, "temperature must be in"),
    ],
)
def test_what_cannot_be_walked_is_refused_later_too(name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(playground(), name, value)


def test_policy_and_values_are_those_shown():
    world = GridWorld.default()
    few = value_iteration(GridWorld.from_text(world.to_text().replace("M", "."))).values
    figure = playground(value_tables={"all": value_iteration(world).values, "few": few})
    figure.table, figure.temperature = 1, 0.5
    np.testing.assert_allclose(figure.policy(), softmax_policy(world, few, 0.5))
    figure.temperature = 0
    np.testing.assert_allclose(figure.policy(), greedy_policy(world, few))


# ---- The distribution of points ----


@pytest.fixture(scope="module")
def engine():
    racer = javascript(
        "parts/returns.js", "parts/crowd.js", "twins/gridworld.js", "twins/planning.js", "twins/walks.js"
    )
    racer.eval("""
      const binned = (outcomes, unit) => JSON.stringify(binsOf(outcomes, unit));
      const fallen = (bins, pairs) => JSON.stringify(counted(bins, pairs));
      function crowded(text, count, seed) {
        const world = parseWorld(text, 1, { M: 5, m: 4, D: -1 }), values = valueIteration(world).values;
        const policy = softmaxPolicy(world, values, 1), greedy = greedyPolicy(world, values);
        const crowd = walkers({ world, policy, greedy, gamma: 1, start: 0 }, seed), states = [];
        crowd.begin(count);
        while (!crowd.over()) { crowd.advance(); states.push([crowd.tally.walks, crowd.tally.sum]); }
        return JSON.stringify({ states, walks: crowd.now, tally: crowd.tally, greedy: crowd.greedy });
      }""")
    return racer


@pytest.mark.parametrize("seed", range(60))
def test_bins_hold_all_of_a_distribution(engine, seed):
    rng = np.random.default_rng(seed)
    unit = float(rng.choice([0, 0.1, 1, 2.5]))
    lattice = rng.choice([4, 5]) - (unit or 0.37) * np.arange(rng.integers(1, 200))
    chances = rng.dirichlet(np.full(len(lattice), 0.3)) if len(lattice) > 1 else np.ones(1)
    outcomes = [[float(points), float(p)] for points, p in zip(lattice, chances, strict=True)]
    bins = json.loads(engine.call("binned", outcomes, unit))
    assert 9 <= bins["count"] <= 60 and sum(bins["shares"]) == pytest.approx(1)
    if unit:
        units = bins["width"] / unit
        assert units == pytest.approx(round(units)) and (round(units) == 1 or round(units) % 2 == 0)
    edges = bins["edge"] - bins["width"] * np.arange(bins["count"] + 1)
    edges[0] = np.inf
    edges[-1] = -np.inf
    inside = (lattice < edges[:-1, None]) & (lattice >= edges[1:, None])
    if unit:  # no points lie on an edge
        np.testing.assert_allclose(bins["shares"], (inside * chances).sum(axis=1), atol=1e-12)
    assert not bins["tail"] or 0 < bins["shares"][-1] <= 0.03 + 1e-9


def test_a_walk_falls_into_the_bin_of_its_points(engine):
    bins = {"edge": 2.5, "width": 1, "count": 4}
    assert json.loads(engine.call("fallen", bins, [[2, 1], [0, 2], [-1, 3], [-7, 4], [9, 5]])) == [6, 0, 2, 7]


def test_a_crowd_is_counted_as_its_walkers_arrive(engine):
    found = json.loads(engine.call("crowded", ". . . # M\n. # . . .\n. . D . m", 100, 5))
    for move, (walks, total) in enumerate(found["states"], start=1):
        arrived = [walk for walk in found["walks"] if len(walk["path"]) - 1 <= move]
        assert walks == len(arrived) and total == pytest.approx(sum(walk["total"] for walk in arrived))
    tally = found["tally"]
    assert tally["walks"] == 100 and sorted(tally["totals"]) == sorted(walk["total"] for walk in found["walks"])
    assert sum(tally["ends"]) == 100 and tally["best"] == max(walk["prize"] for walk in found["walks"])
    visited = {s for walk in found["walks"] for s in walk["path"]}
    assert {s for s, seen in enumerate(tally["seen"]) if seen} == visited
    assert found["greedy"]["total"] == -1  # seven moves for the 5, of which six before it: the best there is


# ---- In the browser ----


def test_at_first_a_hundred_have_walked(mount):
    page = mount(playground(temperature=0.5))
    assert status(page) == "All 100 walks have ended."
    assert fact(page, "walks") == 100 and page.locator(".live-trail").count() == 100
    ended = look(page, "(e) => Number(e.querySelector('.live-count')?.textContent ?? 0)")
    assert sum(ended.values()) == 100
    assert fact(page, "mean") == pytest.approx(fact(page, "expected"), abs=0.6)
    press(page, "Forget")
    assert status(page) == "Nobody has walked yet."
    assert fact(page, "mean") == "–" and fact(page, "best prize") == "–" and fact(page, "cells seen") == "1 of 13"
    assert page.locator(".live-trail").count() == 0 and page.locator(".live-bars").get_attribute("d") == ""


def test_expected_points_are_pythons_at_every_temperature(mount):
    world = GridWorld.default()
    values = value_iteration(world).values
    page = mount(playground(temperature=0.5))
    exact = evaluate_policy(world, softmax_policy(world, values, 0.5))[0]
    assert fact(page, "expected points") == pytest.approx(exact, abs=0.006)
    slider = page.get_by_label("temperature")
    for position in (20, 60, 100):
        slider.fill(str(position))
        temperature = float(f"{0.05 * 200 ** ((position - 1) / 99):.3g}")
        exact = evaluate_policy(world, softmax_policy(world, values, temperature))[0]
        assert fact(page, "expected points") == pytest.approx(exact, abs=0.006)
    slider.fill("0")
    assert fact(page, "expected points") == values[0]


AREAS = """() => Object.fromEntries([".live-exact", ".live-bars"].map((name) => {
  const points = document.querySelector(name).getAttribute("d").match(/[MVH][^MVHZ]*/g) ?? [];
  let [x, y, area, floor] = [0, 0, 0, null];
  for (const part of points) {
    const [a, b] = part.slice(1).trim().split(/[ ,]+/).map(Number);
    if (part[0] === "M") { [x, y] = [a, b]; floor ??= b; }
    if (part[0] === "V") y = a;
    if (part[0] === "H") { area += Math.abs(a - x) * (floor - y); x = a; }
  }
  return [name, area];
}))"""


def test_the_bars_fill_the_outline_as_walks_come(mount):
    page = mount(two_tables())
    areas = page.evaluate(AREAS)
    assert areas[".live-bars"] == pytest.approx(areas[".live-exact"], rel=0.02)  # a hundred walks are 100 of 100
    press(page, "Forget")
    for _ in range(12):
        press(page, "Step")
    walks = fact(page, "walks")
    assert page.evaluate(AREAS)[".live-bars"] == pytest.approx(walks / 100 * areas[".live-exact"], abs=40)
    press(page, "100 walks")
    press(page, "100 walks")
    assert page.evaluate(AREAS)[".live-bars"] == pytest.approx(areas[".live-exact"], rel=0.02)


def test_the_line_stands_at_the_expectation(mount):
    page = mount(playground(temperature=0.5))
    world = GridWorld.default()
    exact = evaluate_policy(world, softmax_policy(world, value_iteration(world).values, 0.5))[0]
    place = "Number(e.getAttribute('x')), Number(e.getAttribute('y'))"
    words = page.locator(".live-returns text")
    ticks = words.evaluate_all(f"all => all.map((e) => [e.textContent.replace('−', '-'), {place}])")
    axis = {float(words): x for words, x, y in ticks if y > 150 and words.lstrip("-").isdigit()}
    (low, x0), *_, (high, x1) = sorted(axis.items())
    at = float(page.locator(".live-mean").get_attribute("d")[1:].split()[0])
    assert low + (at - x0) / (x1 - x0) * (high - low) == pytest.approx(exact, abs=0.02)
    assert "expected −1.46" in page.locator(".live-returns").text_content()


def test_a_thousand_walks_come_close_to_the_expectation(mount):
    page = mount(playground(temperature=0.5))
    for _ in range(19):
        press(page, "100 walks")
    assert fact(page, "walks") == 2000
    assert fact(page, "mean") == pytest.approx(fact(page, "expected points"), abs=0.2)
    assert fact(page, "best prize") == "+5" and page.locator(".live-trail").count() == 100


def test_a_greedy_walk_takes_the_best_way_step_by_step(mount):
    page = mount(playground("S . M", temperature=0))
    press(page, "Forget")
    press(page, "Step")
    assert "the walker is here" in cell(page, 0, 1).get_attribute("aria-label")
    assert status(page) == "Walk 1: 1 move, −1 points so far."
    press(page, "Step")
    assert status(page) == "Walk 1: ended at +5 after 2 moves, 3 points."
    press(page, "Step")
    assert status(page) == "The next walker stands at the start."


def test_a_walker_follows_its_path_and_walks_are_counted_where_they_end(mount):
    page = mount(playground("S . . M", temperature=0))
    press(page, "Forget")
    for way in ("M50 50", "M50 50h100", "M50 50h100h100"):
        assert page.locator(".live-path").last.get_attribute("d") == way
        press(page, "Step")
    assert "1 walk ended here" in cell(page, 0, 3).get_attribute("aria-label")
    assert cell(page, 0, 3).locator(".live-count").text_content() == "1"
    assert fact(page, "mean") == 2 and fact(page, "cells seen") == "4 of 4"


def test_walk_plays_one_walk_to_its_end(mount):
    page = mount(playground("S . M", temperature=0))
    press(page, "Forget")
    press(page, "Walk")
    assert page.get_by_role("status").get_attribute("aria-live") == "off"
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Walk 1: ended')")
    assert page.get_by_role("button", name="Walk", exact=True).is_visible() and fact(page, "walks") == 1
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_the_greedy_walker_walks_beside_and_only_where_the_other_one_is_not_greedy(mount):
    page = mount(playground("S . . M\n. . . .", temperature=2))
    press(page, "Forget")
    for _ in range(3):
        press(page, "Step")
    assert page.locator(".live-greedy-path").get_attribute("d") == "M50 50h100h100h100"
    assert page.get_by_text("greedy walker").is_visible()
    page.get_by_label("temperature").fill("0")
    press(page, "Step")
    assert page.locator(".live-greedy-path").get_attribute("d") == ""
    assert not page.get_by_text("greedy walker").is_visible()


def test_start_and_knowledge_can_be_chosen(mount):
    world = GridWorld.from_text("m . S . . M", move_cost=0.1)
    values = value_iteration(world).values
    less = value_iteration(GridWorld.from_text("m . S . . .", move_cost=0.1)).values
    page = mount(PolicyPlayground(world, temperature=0, value_tables={"some": less, "all": values}, **WORDS))
    assert fact(page, "expected points") == pytest.approx(3.8)
    page.get_by_label("walker knows").select_option("all")
    assert fact(page, "expected points") == pytest.approx(4.7)
    cell(page, 0, 4).click()
    assert fact(page, "expected points") == pytest.approx(4.9)
    cell(page, 0, 5).click(force=True)  # a prize: nobody starts there
    assert fact(page, "expected points") == pytest.approx(4.9)
    press(page, "100 walks")
    cell(page, 0, 4).click()  # the start again: from the beginning
    assert fact(page, "walks") == 0


def test_a_walk_that_finds_no_end_is_given_up(mount):
    page = mount(endless())
    press(page, "Forget")
    press(page, "Step")
    press(page, "100 walks")
    assert (
        fact(page, "expected points") == 0 and fact(page, "best prize") == "–" and fact(page, "walks") == 101
    )  # the one under way, too
    press(page, "Forget")
    page.get_by_role("button", name="Step", exact=True).evaluate("e => { for (let k = 0; k < 200; k++) e.click(); }")
    assert status(page) == "Walk 1: given up after 200 moves, 0 points."


def test_unknown_values_are_hatched_and_blind_the_policy(mount):
    table = [4, 3.5, 3, -np.inf, -np.inf]
    page = mount(playground("m . S . M", 0.5, temperature=1, value_tables={"left only": table}))
    hatched = page.locator(".live-unknown").evaluate_all("all => all.map((e) => e.dataset.at)")
    assert hatched == ["0,3", "0,4"]
    assert fact(page, "best prize") == "+4"


def test_colours_span_what_the_walker_knows_and_a_key_says_so(mount):
    page = mount(two_tables())
    colour = look(page, "(e) => e.style.backgroundColor")
    assert colour["1,4"] == "rgb(85, 181, 163)"  # the 4: the best it knows
    assert "rgb(221, 138, 118)" in colour.values()  # the worst it knows
    assert page.locator(".live-legend").first.text_content().startswith("worth, to the walker:3.34")
    page.get_by_label("walker knows").select_option("all")
    colour = look(page, "(e) => e.style.backgroundColor")
    assert colour["3,7"] == "rgb(85, 181, 163)" != colour["1,4"]


def test_arrows_are_never_hairlines(mount):
    page = mount(playground(temperature=0.5), width=360)
    arrows = page.locator(".live-arrow").evaluate_all("all => all.map((e) => e.getBoundingClientRect())")
    assert (
        min(max(a["width"], a["height"]) for a in arrows) > 5
        and min(min(a["width"], a["height"]) for a in arrows) > 2.5
    )


def test_on_entry_one_walk_plays(mount):
    page = mount(playground("S . M", temperature=0), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Walk 1: ended')")
    page.wait_for_timeout(500)
    assert fact(page, "walks") == 1


def test_a_hundred_walk_together_while_it_is_shown(mount):
    page = mount(two_tables(), reduced_motion="no-preference")
    page.locator(".live-hint").click()
    press(page, "Forget")
    press(page, "100 walks")
    page.wait_for_function("/^[1-9]\\d* of 100/.test(document.querySelector('[role=status]').textContent)")
    assert page.locator(".live-heads").get_attribute("d") != ""
    page.wait_for_function("document.querySelector('[role=status]').textContent === 'All 100 walks have ended.'")
    assert page.locator(".live-heads").get_attribute("d") == "" and fact(page, "walks") == 100


def test_nothing_jumps_while_walkers_walk(mount):
    for width in (360, 390, 1440):
        page = mount(playground(temperature=0.5), width)
        height = page.locator(".live-figure").bounding_box()["height"]
        press(page, "Forget")
        for words in ("Step", "100 walks", "100 walks", "Step", "Forget"):
            press(page, words)
            assert page.locator(".live-figure").bounding_box()["height"] == height, (width, words)
        for position in ("40", "80", "100"):
            page.get_by_label("temperature").fill(position)
            assert page.locator(".live-figure").bounding_box()["height"] == height, (width, position)


def test_two_playgrounds_of_one_model_walk_by_the_same_policy(mount):
    page = mount(playground(value_tables={"all": [1.0] * 13, "other": [0.0] * 13}), copies=2)
    page.get_by_label("walker knows").first.select_option("other")
    page.get_by_label("temperature").first.fill("0")
    assert page.get_by_label("walker knows").last.input_value() == "1"
    assert page.get_by_label("temperature").last.get_attribute("aria-valuetext") == "greedy"
