"""The two figures in a real browser, on a bare page: what a reader does to them and what they then show."""

import json
import re

import numpy as np
import pytest

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import GridEditor, PolicyPlayground
from ppo_helpers.live.base import FILES, WIDGET_VIEW
from ppo_helpers.live.fallback import number
from ppo_helpers.planning import evaluate_policy, softmax_policy, value_iteration

STATE = WIDGET_VIEW.replace("view", "state")


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>figure</title>
<style>{css}</style></head>
<body><main><h1>A figure</h1>{figure}</main>
<script type="{kind}">{state}</script><script>{script}</script></body></html>"""


def page_of(figure, tmp_path, root):
    """A page as the book makes it: the figure's HTML, its state, and the script that brings it to life."""
    widget = {"model_name": "AnyModel", "model_module": "anywidget", "state": figure.get_state()}
    state = json.dumps({"state": {figure.model_id: widget}}).replace("</", "<\\/")
    script = (root / "_static" / "live-static.js").read_text("utf-8")
    css = (FILES / "figure.css").read_text("utf-8")
    body = figure._repr_mimebundle_()[0]["text/html"]
    path = tmp_path / "figure.html"
    path.write_text(PAGE.format(css=css, figure=body, kind=STATE, state=state, script=script), "utf-8")
    return path.as_uri()


@pytest.fixture
def mount(browser, tmp_path, pytestconfig):
    pages = []

    def open_figure(figure, width=900, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        pages.append(page)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(page_of(figure, tmp_path, pytestconfig.rootpath))
        page.wait_for_selector("[data-live=ready]")
        return page

    yield open_figure
    assert [problem for page in pages for problem in page.problems] == []
    for page in pages:
        page.close()


def cell(page, row, col):
    return page.locator(f'[data-at="{row},{col}"]')


def shown(page, world):
    """The numbers in the cells, by state."""
    return [cell(page, *state).locator("text").text_content() for state in world.states]


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


def test_sweeps_step_by_step(mount):
    page = mount(GridEditor(alt="an editor"))
    world, result = GridWorld.default(), value_iteration(GridWorld.default())
    press(page, "Start")
    for sweep in range(result.sweeps + 1):
        words = ["?" if np.isneginf(v) else number(v) for v in result.history[sweep]]
        assert [w.lstrip("+") for w in shown(page, world)] == words
        assert f"Sweep {sweep} of {result.sweeps}" in page.get_by_role("status").text_content()
        press(page, "Step")
    assert f"{result.cell_visits} cell visits" in page.get_by_role("status").text_content()
    press(page, "Back")
    assert f"Sweep {result.sweeps - 1} of" in page.get_by_role("status").text_content()


def test_play_ends_settled_and_reset_brings_the_world_back(mount):
    page = mount(GridEditor(GridWorld.from_text("M . . ."), alt="an editor"))
    cell(page, 0, 3).click()
    press(page, "Play")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('settled')")
    press(page, "Reset world")
    assert shown(page, GridWorld.from_text("M . . .")) == expected(GridWorld.from_text("M . . ."))


def test_a_world_without_an_end_gets_a_friendly_word(mount):
    page = mount(GridEditor(GridWorld.from_text(". M"), alt="an editor"))
    cell(page, 0, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(".")
    assert "Paint one" in page.locator(".live-note").last.text_content()
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
    assert stat(page, "best prize") == 5
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
    page.get_by_label("the walker knows").select_option("all")
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


@pytest.mark.parametrize("width", [360, 900])
@pytest.mark.parametrize("make", [GridEditor, PolicyPlayground])
def test_nothing_is_wider_than_the_screen_and_targets_are_large_enough(mount, make, width):
    page = mount(make(alt="a figure"), width=width)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    small = page.evaluate("""[...document.querySelectorAll('button, .live-tool, [role=gridcell], input[type=range]')]
        .filter((e) => e.getBoundingClientRect().height < 32).map((e) => e.outerHTML)""")
    assert small == []
