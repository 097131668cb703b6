"""The two figures in a real browser, on a bare page: what a reader does to them and what they then show."""

import re

import numpy as np
import pytest
from live_checks import assert_still_picture_is_as_large, axe_violations

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import GridEditor, PolicyPlayground
from ppo_helpers.live.fallback import number
from ppo_helpers.planning import evaluate_policy, greedy_policy, softmax_policy, value_iteration


def cell(page, row, col):
    return page.locator(f'[data-at="{row},{col}"]')


def look(page, at):
    """What a JavaScript function finds in every cell, by the cell's place: one question to the browser for all."""
    cells = f"Object.fromEntries([...document.querySelectorAll('[data-at]')].map((e) => [e.dataset.at, ({at})(e)]))"
    return page.evaluate(cells)


def shown(page, world):
    """The numbers in the cells, by state."""
    texts = look(page, "(e) => [...e.querySelectorAll('text')].at(-1)?.textContent")
    return [texts[f"{row},{col}"] for row, col in world.states]


def expected(world, gamma=1.0):
    """What Python says should stand there."""
    values = dict(zip(world.states, value_iteration(world, gamma).values, strict=True))
    return [("+" if state in world.terminals and value > 0 else "") + number(value) for state, value in values.items()]


def press(page, words):
    page.get_by_role("button", name=words, exact=True).click()


def test_first_view_shows_pythons_values(mount):
    page = mount(GridEditor(alt="an editor"))
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())


def test_a_click_paints_and_the_values_follow(mount):
    page = mount(GridEditor(alt="an editor"))
    cell(page, 1, 3).click()  # the wall is the first tool
    world = GridWorld.from_text(". . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)
    page.get_by_text("+4", exact=True).first.click()
    cell(page, 0, 0).click()
    world = GridWorld.from_text("m . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)


def test_dragging_the_mouse_paints_a_wall(mount):
    page = mount(GridEditor(GridWorld.from_text(". . . M\n. . . .\n. . . ."), alt="an editor"))
    cell(page, 1, 0).hover()
    page.mouse.down()
    cell(page, 1, 1).hover()
    cell(page, 1, 2).hover()
    page.mouse.up()
    cell(page, 2, 0).hover()
    world = GridWorld.from_text(". . . M\n# # # .\n. . . .")
    assert shown(page, world) == expected(world)


def test_the_keyboard_walks_and_paints(mount):
    page = mount(GridEditor(alt="an editor"))
    cell(page, 0, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "M", "ArrowLeft", "#", "Home", "ArrowUp", "End", "D"):
        page.keyboard.press(key)
    world = GridWorld.from_text(". . . # M\n. # . . D\n# M D . m")
    assert shown(page, world) == expected(world)
    assert page.evaluate("document.activeElement.dataset.at") == "1,4"


def test_keys_act_on_the_cell_that_was_given_the_focus(mount):
    """A screen reader moves the focus itself, past the arrow keys."""
    page = mount(GridEditor(alt="an editor"))
    cell(page, 2, 4).focus()
    page.keyboard.press("#")
    world = GridWorld.from_text(". . . # M\n. # . . .\n. . D . #")
    assert shown(page, world) == expected(world)
    assert page.locator("[role=gridcell][tabindex='0']").evaluate_all("all => all.map((e) => e.dataset.at)") == ["2,4"]


def test_a_finger_taps_to_paint(mount):
    page = mount(GridEditor(alt="an editor"), width=360, has_touch=True)
    cell(page, 1, 3).tap()
    world = GridWorld.from_text(". . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)


def test_the_cost_moves_the_values(mount):
    page = mount(GridEditor(alt="an editor"))
    slider = page.get_by_label("cost of a move")
    slider.fill("0.3")
    assert shown(page, GridWorld.default()) == expected(GridWorld.default(move_cost=0.3))
    slider.fill("0")
    assert shown(page, GridWorld.default()) == expected(GridWorld.default(move_cost=0))
    assert "free" in page.locator(".live-note").last.text_content()
    arrows = look(page, "(e) => e.querySelectorAll('.live-arrow').length")
    assert [arrows[f"{row},{col}"] for row, col in GridWorld.default().states] == (
        greedy_policy(GridWorld.default(0), [5.0] * 10 + [-1, 5, 4]) > 0
    ).sum(axis=1).tolist()


def test_sweeps_step_by_step(mount):
    page = mount(GridEditor(alt="an editor"))
    world, result = GridWorld.default(), value_iteration(GridWorld.default())
    status = page.get_by_role("status")
    press(page, "Start")
    for sweep in range(result.sweeps + 1):
        words = ["?" if np.isneginf(v) else number(v) for v in result.history[sweep]]
        assert [w.lstrip("+") for w in shown(page, world)] == words
        moved = result.history[sweep] != result.history[max(sweep - 1, 0)]
        ringed = look(page, "(e) => e.classList.contains('live-fresh')")
        assert [ringed[f"{row},{col}"] for row, col in world.states] == moved.tolist()
        visits = result.cell_visits * sweep // (result.sweeps + 1)
        assert sweep == result.sweeps or f"Sweep {sweep} of {result.sweeps}: {visits} cell" in status.text_content()
        press(page, "Step")
    assert f"Settled after {result.sweeps} sweeps" in status.text_content()
    assert f"{result.cell_visits} cell visits" in status.text_content()
    press(page, "Back")
    assert f"Sweep {result.sweeps - 1} of" in status.text_content()


def test_sweeps_can_be_dragged(mount):
    page = mount(GridEditor(alt="an editor"))
    world, result = GridWorld.default(), value_iteration(GridWorld.default())
    slider = page.get_by_label("sweep")
    assert slider.get_attribute("max") == str(result.sweeps) == slider.input_value()
    slider.fill("2")
    assert slider.get_attribute("aria-valuetext") == f"2 of {result.sweeps}"
    assert [w.lstrip("+") for w in shown(page, world)] == [
        "?" if np.isneginf(v) else number(v) for v in result.history[2]
    ]
    cell(page, 1, 1).click()  # a wall on a wall: it goes, and the map keeps its sweep
    opened = value_iteration(GridWorld.from_text(". . . # M\n. . . . .\n. . D . m"))
    assert slider.get_attribute("max") == str(opened.sweeps) and slider.input_value() == "2"
    slider.press("End")
    assert "Settled" in page.get_by_role("status").text_content()


def test_play_ends_settled_and_reset_brings_the_world_back(mount):
    page = mount(GridEditor(GridWorld.from_text("M . . ."), alt="an editor"))
    cell(page, 0, 3).click()
    press(page, "Play")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Settled')")
    press(page, "Reset")
    assert shown(page, GridWorld.from_text("M . . .")) == expected(GridWorld.from_text("M . . ."))


def test_a_world_without_an_end_gets_a_friendly_word(mount):
    page = mount(GridEditor(GridWorld.from_text(". M"), alt="an editor"))
    cell(page, 0, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(".")
    assert "Paint one" in page.locator(".live-note").last.text_content()
    assert "No walk can end" in page.get_by_role("status").text_content()
    assert "NaN" not in page.content().split("</main>")[0]


def stat(page, name):
    text = page.locator(".live-numbers div", has_text=name).locator("dd").text_content()
    return text if not re.fullmatch(r"[−\d.]+", text) else float(text.replace("−", "-"))


def test_expected_points_are_pythons_at_every_temperature(mount):
    world = GridWorld.default()
    values = value_iteration(world).values
    figure = PolicyPlayground(world, temperature=0.5, alt="a playground")
    page = mount(figure)
    assert stat(page, "expected points") == pytest.approx(
        evaluate_policy(world, softmax_policy(world, values, 0.5))[0], abs=0.006
    )
    slider = page.get_by_label("temperature")
    for position in (20, 60, 100):
        slider.fill(str(position))
        temperature = float(f"{0.05 * 200 ** ((position - 1) / 99):.3g}")
        exact = evaluate_policy(world, softmax_policy(world, values, temperature))[0]
        assert stat(page, "expected points") == pytest.approx(exact, abs=0.006)
    slider.fill("0")
    assert stat(page, "expected points") == values[0]


def test_a_hundred_walks_come_close_to_the_expectation(mount):
    page = mount(PolicyPlayground(temperature=0.5, alt="a playground"))
    for _ in range(20):
        press(page, "100 walks")
    assert stat(page, "mean of 2000 walks") == pytest.approx(stat(page, "expected points"), abs=0.2)
    assert stat(page, "best prize") == "+5"
    press(page, "Forget")
    assert stat(page, "mean of 0 walks") == "–" and stat(page, "cells seen").startswith("1 of")


def test_a_greedy_walk_takes_the_best_way_step_by_step(mount):
    page = mount(PolicyPlayground(GridWorld.from_text("S . M"), temperature=0, alt="a playground"))
    press(page, "Step")
    assert "the walker is here" in cell(page, 0, 1).get_attribute("aria-label")
    press(page, "Step")
    assert "Walk 1: ended at +5 after 2 moves, 3 points" in page.get_by_role("status").text_content()


def test_start_and_knowledge_can_be_chosen(mount):
    world = GridWorld.from_text("m . S . . M", move_cost=0.1)
    values = value_iteration(world).values
    less = value_iteration(GridWorld.from_text("m . S . . .", move_cost=0.1)).values
    page = mount(PolicyPlayground(world, temperature=0, value_tables={"some": less, "all": values}, alt="a playground"))
    assert stat(page, "expected points") == pytest.approx(3.8)
    page.get_by_label("walker knows").select_option("all")
    assert stat(page, "expected points") == pytest.approx(4.7)
    cell(page, 0, 4).click()
    assert stat(page, "expected points") == pytest.approx(4.9)


def test_two_views_of_one_figure_stay_in_step(mount, monkeypatch):
    figure = GridEditor(alt="an editor")
    data, _ = figure._repr_mimebundle_()
    twice = {**data, "text/html": data["text/html"] * 2}
    monkeypatch.setattr(figure, "_repr_mimebundle_", lambda **kwargs: (twice, {}))
    page = mount(figure)
    page.wait_for_function("document.querySelectorAll('[data-live=ready]').length === 2")
    page.get_by_label("cost of a move").first.fill("0.5")
    assert page.get_by_label("cost of a move").last.input_value() == "0.5"
    assert page.locator("[role=grid]").first.text_content() == page.locator("[role=grid]").last.text_content()


def test_playgrounds_of_one_model_walk_by_the_same_policy(mount, monkeypatch):
    figure = PolicyPlayground(alt="a playground", value_tables={"all": [1.0] * 13, "other": [0.0] * 13})
    data, _ = figure._repr_mimebundle_()
    twice = {**data, "text/html": data["text/html"] * 2}
    monkeypatch.setattr(figure, "_repr_mimebundle_", lambda **kwargs: (twice, {}))
    page = mount(figure)
    page.wait_for_function("document.querySelectorAll('[data-live=ready]').length === 2")
    page.get_by_label("walker knows").first.select_option("other")
    page.get_by_label("temperature").first.fill("0")
    assert page.get_by_label("walker knows").last.input_value() == "1"
    assert page.get_by_label("temperature").last.get_attribute("aria-valuetext") == "greedy"


def test_a_wall_is_taken_away_by_a_second_click_and_a_drag_goes_on_as_it_began(mount):
    page = mount(GridEditor(GridWorld.from_text(". . . M\n# . # ."), alt="an editor"))
    cell(page, 1, 0).hover()
    page.mouse.down()  # on a wall, with the wall as tool: it clears
    for column in (1, 2):
        cell(page, 1, column).hover()
    page.mouse.up()
    world = GridWorld.from_text(". . . M\n. . . .")
    assert shown(page, world) == expected(world)


def test_the_cost_can_be_dragged_with_the_mouse(mount):
    page = mount(GridEditor(alt="an editor"))
    box = page.get_by_label("cost of a move").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    seen = set()
    for share in (0.4, 0.3, 0.2, 0.1):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        seen.add(tuple(shown(page, GridWorld.default())))
    page.mouse.up()
    assert len(seen) == 4  # the values follow while the mouse is down
    cost = float(page.get_by_label("cost of a move").input_value())
    assert shown(page, GridWorld.default()) == expected(GridWorld.default(move_cost=cost))


def test_rewards_of_ones_own_are_tools_too(mount):
    world = GridWorld.from_text(". . X", rewards={"M": 3.5, "X": 2}, move_cost=0.25)
    page = mount(GridEditor(world, alt="an editor"))
    assert shown(page, world)[:2] == ["1.5", "1.8"]
    tools = page.locator(".live-tool").all_inner_texts()
    assert [tool.split(",")[0].strip() for tool in tools] == ["free", "wall", "+3.5", "+4", "−1", "+2"]
    cell(page, 0, 0).focus()
    page.keyboard.press("M")
    assert "lots of money +3.5" in cell(page, 0, 0).get_attribute("aria-label")


def test_cells_say_what_they_are(mount):
    page = mount(GridEditor(GridWorld.from_text("S . . M\n. # . D"), alt="an editor"))
    names = [cell(page, r, c).get_attribute("aria-label").split(": ")[1] for r in range(2) for c in range(4)]
    assert names[:4] == ["start, value 2", "free, value 3", "free, value 4", "lots of money +5, the walk ends"]
    assert names[4:] == ["free, value 1", "barrier", "free, value 3", "dragon −1, the walk ends"]
    press(page, "Start")
    assert cell(page, 1, 2).get_attribute("aria-label") == "row 1, column 2: free, not known yet"


def test_while_it_plays_only_the_outcome_is_announced(mount):
    page = mount(GridEditor(alt="an editor"), reduced_motion="reduce")
    status = page.get_by_role("status")
    press(page, "Play")
    assert status.get_attribute("aria-live") == "off"
    motion = (
        "(e) => { const s = getComputedStyle(e); return s.animationName === 'none' && s.transitionDuration === '0s'; }"
    )
    assert all(look(page, motion).values())
    press(page, "Pause")
    press(page, "End")
    assert status.get_attribute("aria-live") == "polite" and "Settled" in status.text_content()


def test_a_walker_follows_its_path_and_walks_are_counted_where_they_end(mount):
    page = mount(PolicyPlayground(GridWorld.from_text("S . . M"), temperature=0, alt="a playground"))
    press(page, "Fast")
    press(page, "Walk")
    page.wait_for_function("document.querySelector('.live-badge + .live-count')?.textContent >= '2'")
    press(page, "Pause")
    ended = int(cell(page, 0, 3).locator(".live-count").text_content())
    assert stat(page, f"mean of {ended} walks") == 2 and stat(page, "cells seen") == "4 of 4"
    press(page, "Forget")
    for places in (["50,50"], ["50,50", "150,50"], ["50,50", "150,50", "250,50"]):
        assert page.locator(".live-path").get_attribute("points").split() == places
        press(page, "Step")
    assert f"walks that ended here: {1}" in cell(page, 0, 3).get_attribute("aria-label")


def test_a_walk_that_finds_no_end_is_given_up(mount):
    world = GridWorld.from_text("S . . . . . M", move_cost=0)
    page = mount(
        PolicyPlayground(world, temperature=0, value_tables={"left": [5, 4, 3, 2, 1, 0, 0]}, alt="a playground")
    )
    press(page, "100 walks")
    assert "given up after 200 moves" in page.get_by_role("status").text_content()
    assert stat(page, "expected points") == 0 and stat(page, "best prize") == "–"


def test_unknown_values_are_hatched_and_blind_the_policy(mount):
    world = GridWorld.from_text("m . S . M", move_cost=0.5)
    table = [4, 3.5, 3, -np.inf, -np.inf]
    page = mount(PolicyPlayground(world, temperature=1, value_tables={"left only": table}, alt="a playground"))
    hatched = page.locator(".live-unknown").evaluate_all("all => all.map((e) => e.dataset.at)")
    assert hatched == ["0,3", "0,4"]
    press(page, "100 walks")
    assert stat(page, "best prize") == "+4"


def test_a_figure_can_be_used_with_the_keyboard_alone(mount):
    page = mount(GridEditor(alt="an editor"))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # the next tool: +5
    page.keyboard.press("Tab")  # Reset
    page.keyboard.press("Tab")  # the grid is one stop
    page.keyboard.press("Space")
    assert "lots of money" in cell(page, 0, 0).get_attribute("aria-label")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_label("cost of a move").input_value() == "0.9"
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.get_by_label("sweep").input_value() == "0"
    ringed = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(ringed) == "solid"


@pytest.mark.parametrize("make", [GridEditor, PolicyPlayground])
def test_a_figure_that_is_removed_takes_its_listeners_along(browser, make):
    page = browser.new_page()
    page.goto("about:blank")
    state = {k: v for k, v in make(alt="a figure").get_state().items() if not k.startswith("_") and k != "layout"}
    left = page.evaluate(
        """async ([code, state]) => {
          let windows = 0;
          const add = window.addEventListener, remove = window.removeEventListener;
          window.addEventListener = (...a) => { windows += 1; add.apply(window, a); };
          window.removeEventListener = (...a) => { windows -= 1; remove.apply(window, a); };
          const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
          const widget = (await import(url)).default, own = new Set();
          const model = { get: (k) => state[k], set() {}, save_changes() {},
            on: (name, fn) => own.add(name + fn), off: (name, fn) => own.delete(name + fn) };
          const off = await widget.render({ model, el: document.body });
          const before = [own.size > 0, windows > 0];
          off();
          return [...before, own.size, windows];
        }""",
        [make._esm, state],
    )
    assert left == [True, True, 0, 0]
    page.close()


TWO_TABLES = {"all": value_iteration(GridWorld.default()).values, "none": [-np.inf] * 13}
FIGURES = {
    "editor": lambda: GridEditor(alt="an editor"),
    "playground": lambda: PolicyPlayground(temperature=0.5, alt="a playground"),
    "playground with two tables": lambda: PolicyPlayground(value_tables=TWO_TABLES, alt="a playground"),
}
every_figure = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)


@every_figure
@pytest.mark.parametrize("width", [360, 900])
def test_still_picture_is_as_large_as_the_figure(mount, make, width):
    assert_still_picture_is_as_large(mount, make(), width)


@every_figure
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(mount, make, theme, width):
    page = mount(make(), width, theme)
    assert axe_violations(page) == []
    page.get_by_role("button", name=re.compile("^(Start|100 walks)$")).click()
    cell(page, 0, 1).focus()
    assert axe_violations(page) == []


@pytest.mark.parametrize("width", [360, 900])
@every_figure
def test_nothing_is_wider_than_the_screen_and_targets_are_large_enough(mount, make, width):
    page = mount(make(), width=width)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    targets = "button, select, .live-tool, [role=gridcell], input[type=range]"
    small = page.evaluate(f"""[...document.querySelectorAll('{targets}')]
        .filter((e) => e.getBoundingClientRect().height < 32).map((e) => e.outerHTML)""")
    assert small == []
