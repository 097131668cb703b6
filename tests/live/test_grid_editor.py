"""GridEditor: a reader paints, drags, asks a cell why, and plays sweeps; what is shown is what Python computes."""

import json
import math

import numpy as np
import pytest
from live_checks import cell, fact, javascript, look, number, press, status, swipe

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import GridEditor
from ppo_helpers.planning import action_values, forever, greedy_policy, value_iteration

WORDS = {"alt": "an editor", "caption": "Every number is its best neighbour, less the cost of a move."}
LARGE = "\n".join(" ".join("#" if r % 2 and c % 4 else "." for c in range(12)) for r in range(11)) + "\n" + ". " * 11


def editor(text=None, **options):
    costs = {name: options.pop(name) for name in ("move_cost", "rewards") if name in options}
    world = GridWorld.from_text(text, **costs) if text else None
    return GridEditor(world, **WORDS, **options)


def examples():
    own = editor(". . X\n. # D\n# # .", rewards={"M": 3.5, "X": 2}, move_cost=0.25, gamma=0.9)
    return [editor(), own, editor(LARGE + "M", move_cost=3.7)]


# ---- Python's side ----


def test_world_follows_what_is_painted():
    figure = editor()
    figure.text, figure.move_cost = ". . D", 0.25
    assert figure.world.move_cost == 0.25 and list(figure.world.terminals.values()) == [-1]
    figure.text = ". . ."
    with pytest.raises(ValueError, match="no terminal"):
        _ = figure.world


def test_the_cell_that_explains_itself_first_is_the_one_with_the_most_open_moves():
    assert editor().cell == [1, 2]
    assert editor(". # M\n. . .\n. # .").cell == [1, 0]
    assert editor(cell=(2, 3)).cell == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alt": " "}, "alt must say"),
        ({"caption": ""}, "caption must say"),
        ({"gamma": 1.5}, r"gamma must be in \(0, 1\], got 1.5"),
        ({"gamma": 0}, r"gamma must be in \(0, 1\], got 0"),
        ({"cell": (3, 0)}, r"cell must be \[row, column\] within 3 × 5 cells, got \[3, 0\]"),
        ({"cell": (0, 0, 0)}, r"cell must be \[row, column\]"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        GridEditor(**WORDS | arguments)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("text", ". .\n.", "rows of equal length"),
        ("text", ". x", "made of"),
        ("text", "", "rows of equal length"),
        ("move_cost", -1.0, "move_cost must be in"),
        ("move_cost", math.nan, "move_cost must be in .*, got nan"),
        ("gamma", 0.0, r"gamma must be in \(0, 1\], got 0"),
        ("cell", [0, 5], "cell must be"),
    ],
)
def test_what_is_no_world_is_refused_later_too(name, value, message):
    figure = editor()
    with pytest.raises(ValueError, match=message):
        setattr(figure, name, value)
    assert figure.world.to_text() == GridWorld.default().to_text()


# ---- What a cell says of itself ----


@pytest.fixture(scope="module")
def engine():
    racer = javascript("parts/planner.js", "parts/explain.js")
    racer.eval("""
      function explained(traits, cell) {
        const plan = planner({ get: (name) => traits[name], watch() {} });
        const found = explain(plan, cell), pieces = formula(found, plan.world.moveCost, plan.settled());
        return JSON.stringify({ words: found.words, formula: pieces.map(([text]) => text).join(""),
          lit: found.terms.map(({ at }) => at), best: found.terms.filter(({ best }) => best).map(({ at }) => at) });
      }""")
    return racer


def explained(engine, world, cell, sweep=-1, gamma=1.0):
    traits = {"text": world.to_text(), "rewards": world.rewards, "move_cost": world.move_cost, "gamma": gamma}
    return json.loads(engine.call("explained", traits | {"sweep": sweep}, list(cell)))


RULE = ": the best neighbour, less the move's cost"


@pytest.mark.parametrize(
    ("sweep", "gamma", "cost", "at", "formula", "words"),
    [
        (-1, 1, 1, (1, 2), "max(1, 3, −1) − 1 = 2", f"Dashed cell{RULE}."),
        (-1, 1, 1, (0, 0), "max(0, −2) − 1 = −1", f"Dashed cell{RULE}."),
        (-1, 1, 1, (2, 0), "max(−2, −2) − 1 = −3", f"Dashed cell{RULE}."),
        (-1, 1, 0, (1, 2), "max(5, 5, −1) = 5", f"Dashed cell{RULE}."),
        (-1, 1, 1, (0, 4), "", "The walk ends there. Such a cell is worth what it pays."),
        (-1, 1, 1, (0, 3), "", "A wall: nobody can stand there."),
        (0, 1, 1, (1, 4), "max(5, 4, ?) − 1 = 4", f"Next sweep{RULE} (? is the least)."),
        (0, 1, 1, (0, 0), "max(?, ?) − 1 = ?", f"Next sweep{RULE} (? is the least)."),
        # an end is entered in full: (1, 4) is worth 4, (1, 3) 0.9 · 4 − 1 = 2.6, (1, 2) 1.34, (0, 2) 0.206, …
        (-1, 0.9, 1, (1, 4), "max(5, 4, 0.9 · 2.6) − 1 = 4", f"Dashed cell{RULE} (ends count in full)."),
        (-1, 0.9, 1, (1, 3), "max(0.9 · 4, 0.9 · 3, 0.9 · 1.34) − 1 = 2.6", f"Dashed cell{RULE}."),
        (-1, 0.9, 1, (0, 2), "max(0.9 · 1.34, 0.9 · (−0.81)) − 1 ≈ 0.21", f"Dashed cell{RULE}."),
    ],
)
def test_a_cell_says_where_its_number_comes_from(engine, sweep, gamma, cost, at, formula, words):
    found = explained(engine, GridWorld.default(cost), at, sweep, gamma)
    assert (found["formula"], found["words"]) == (formula, words)


def test_a_cell_with_one_way_or_none_says_so(engine):
    world = GridWorld.from_text(". # M\n# . .")
    assert explained(engine, world, (0, 0))["words"] == "Walled in: a walk there never ends."
    only = explained(engine, world, (1, 1))
    assert only["formula"] == "4 − 1 = 3" and only["words"].startswith("Dashed cell: its only neighbour, less")


@pytest.mark.parametrize("seed", range(40))
def test_the_sum_is_true_in_every_cell_of_any_world(engine, seed):
    """The formula read by Python gives the number that the cell has, or will have after the next sweep."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(list("...##MmD."), (4, 5))
    cells[0, 0] = "M"
    world = GridWorld(["".join(row) for row in cells], move_cost=float(rng.choice([0, 0.5, 1, 1.25])))
    gamma = float(rng.choice([1.0, 0.9, 0.5]))
    result = value_iteration(world, gamma)
    sweep = int(rng.integers(0, result.sweeps + 1))
    promises = action_values(world, result.history[sweep], gamma)
    for state, row in zip(world.states, promises, strict=True):
        found = explained(engine, world, state, sweep if sweep < result.sweeps else -1, gamma)
        best = (
            [world.step(state, int(a))[0] for a in np.flatnonzero(row == row.max())] if np.isfinite(row).any() else []
        )
        assert [tuple(at) for at in found["lit"]] == [world.step(state, a)[0] for a in world.actions(state)]
        assert not best or {tuple(at) for at in found["best"]} == set(best)
        if "=" not in found["formula"] and "≈" not in found["formula"]:
            assert not world.actions(state)
            continue
        left, right = found["formula"].replace("≈", "=").split(" = ")
        unknown = "-inf" if sweep < result.sweeps else "?"
        assert right == (number(row.max(), 2) if np.isfinite(row.max()) else "?" if unknown == "-inf" else "−∞")
        if np.isfinite(row.max()):
            readable = left.replace("−∞", "-inf").replace("?", "-inf").replace("−", "-").replace("·", "*")
            value = eval(readable.replace("inf", "math.inf"), {"max": max, "math": math})
            assert value == pytest.approx(row.max(), abs=0.011)


# ---- In the browser ----


def shown(page, world):
    """The numbers in the cells, by state."""
    texts = look(page, "(e) => [...e.querySelectorAll('text')].at(-1)?.textContent")
    return [texts[f"{row},{col}"] for row, col in world.states]


def expected(world, gamma=1.0):
    """What Python says should stand there."""
    values = dict(zip(world.states, value_iteration(world, gamma).values, strict=True))
    return [("+" if state in world.terminals and value > 0 else "") + number(value) for state, value in values.items()]


def choose(page, tool):
    page.locator(".live-tool", has_text=tool).click()


def formula(page):
    return page.locator(".live-formula").text_content()


def test_first_view_shows_pythons_values(mount):
    page = mount(editor())
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())
    assert status(page) == "Each number is its best neighbour, less the cost of a move."


def test_a_click_paints_and_the_values_follow(mount):
    page = mount(editor())
    choose(page, "wall")
    cell(page, 1, 3).click()
    world = GridWorld.from_text(". . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)
    choose(page, "+4")
    cell(page, 0, 0).click()
    world = GridWorld.from_text("m . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)


def test_as_long_as_no_tool_is_chosen_a_click_only_asks(mount):
    page = mount(editor())
    for row, col in ((1, 3), (0, 4), (0, 3)):
        cell(page, row, col).click()
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())
    assert page.locator(".live-why").text_content() == "A wall: nobody can stand there."


def test_a_cell_explains_itself_under_the_mouse_and_its_neighbours_light_up(mount):
    page = mount(editor())
    assert formula(page) == "max(1, 3, −1) − 1 = 2"
    cell(page, 1, 3).hover()
    assert formula(page) == "max(4, 3, 2) − 1 = 3"
    assert page.locator(".live-formula strong").all_inner_texts() == ["4"]
    place = "Math.floor(e.getAttribute('y') / 100), Math.floor(e.getAttribute('x') / 100)"
    rings = page.locator(".live-overlay rect")
    squares = rings.evaluate_all(f"all => all.map((e) => [e.getAttribute('class'), {place}])")
    assert squares == [["live-lit live-best", 1, 4], ["live-lit", 2, 3], ["live-lit", 1, 2], ["live-asked", 1, 3]]
    cell(page, 0, 4).hover()
    assert formula(page) == "" and page.locator(".live-overlay rect").count() == 0


def test_a_cell_explains_itself_to_the_keyboard(mount):
    page = mount(editor())
    cell(page, 1, 2).focus()
    page.keyboard.press("ArrowRight")
    assert formula(page) == "max(4, 3, 2) − 1 = 3"
    assert page.locator(".live-explanation").get_attribute("aria-live") == "polite"


def test_a_finger_taps_to_ask_and_to_paint_and_scrolls_without_either(mount):
    page = mount(editor(), width=360, has_touch=True)
    cell(page, 1, 3).tap()
    assert formula(page) == "max(4, 3, 2) − 1 = 3"
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())
    page.locator(".live-tool", has_text="wall").tap()
    swipe(page, cell(page, 0, 1), dy=-60)
    assert formula(page) == "max(4, 3, 2) − 1 = 3" and page.evaluate("scrollY") > 20
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())
    cell(page, 1, 3).tap()
    world = GridWorld.from_text(". . . # M\n. # . # .\n. . D . m")
    assert shown(page, world) == expected(world)


def drag(page, *cells):
    cell(page, *cells[0]).hover()
    page.mouse.down()
    for place in cells[1:]:
        cell(page, *place).hover()
    page.mouse.up()


def test_dragging_the_mouse_paints_a_wall(mount):
    page = mount(editor(". . . M\n. . . .\n. . . ."))
    choose(page, "wall")
    drag(page, (1, 0), (1, 1), (1, 2))
    cell(page, 2, 0).hover()
    world = GridWorld.from_text(". . . M\n# # # .\n. . . .")
    assert shown(page, world) == expected(world)


def test_a_wall_is_taken_away_by_a_second_click_and_a_drag_goes_on_as_it_began(mount):
    page = mount(editor(". . . M\n# . # ."))
    choose(page, "wall")
    drag(page, (1, 0), (1, 1), (1, 2))  # it begins on a wall: it clears
    world = GridWorld.from_text(". . . M\n. . . .")
    assert shown(page, world) == expected(world)


@pytest.mark.parametrize("tool", ["why?", "wall"])
def test_the_dragon_is_dragged_and_what_it_passes_stays(mount, tool):
    page = mount(editor())
    choose(page, tool)
    cell(page, 2, 2).hover()
    page.mouse.down()
    cell(page, 2, 3).hover()
    world = GridWorld.from_text(". . . # M\n. # . . .\n. . . D m")
    assert shown(page, world) == expected(world)  # the values follow while it is dragged
    for place in ((2, 4), (1, 4), (0, 4), (0, 3), (0, 2), (0, 1)):
        cell(page, *place).hover()
    page.mouse.up()
    cell(page, 0, 0).hover()
    world = GridWorld.from_text(". D . # M\n. # . . .\n. . . . m")
    assert shown(page, world) == expected(world)


def test_a_click_on_the_dragon_paints_over_it_with_a_tool_only(mount):
    page = mount(editor())
    cell(page, 2, 2).click()
    assert shown(page, GridWorld.default()) == expected(GridWorld.default())
    choose(page, "free")
    cell(page, 2, 2).click()
    world = GridWorld.from_text(". . . # M\n. # . . .\n. . . . m")
    assert shown(page, world) == expected(world)


def test_the_keyboard_walks_and_paints(mount):
    page = mount(editor())
    cell(page, 0, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "M", "ArrowLeft", "#", "Home", "ArrowUp", "End", "D"):
        page.keyboard.press(key)
    world = GridWorld.from_text(". . . # M\n. # . . D\n# M D . m")
    assert shown(page, world) == expected(world)
    assert page.evaluate("document.activeElement.dataset.at") == "1,4"


def test_keys_act_on_the_cell_that_was_given_the_focus(mount):
    """A screen reader moves the focus itself, past the arrow keys."""
    page = mount(editor())
    cell(page, 2, 4).focus()
    page.keyboard.press("#")
    world = GridWorld.from_text(". . . # M\n. # . . .\n. . D . #")
    assert shown(page, world) == expected(world)
    assert page.locator("[role=gridcell][tabindex='0']").evaluate_all("all => all.map((e) => e.dataset.at)") == ["2,4"]


def test_the_figure_can_be_used_with_the_keyboard_alone(mount):
    page = mount(editor())
    page.keyboard.press("Tab")  # the grid is one stop, and begins at the cell that is explained
    assert page.evaluate("document.activeElement.dataset.at") == "1,2"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    for _ in range(3):  # free, wall, +5
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert "lots of money" in cell(page, 1, 2).get_attribute("aria-label")
    for _ in range(2 + 4):  # the tools, four buttons
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.get_by_label("sweep").input_value() == "0"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_label("cost of a move").input_value() == "0.9"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_label("discount γ").input_value() == "0.99"


def test_the_mouse_leaves_no_ring(mount):
    page = mount(editor())
    cell(page, 1, 3).click()
    assert page.evaluate("document.activeElement.dataset.at") == "1,3"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "none"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(outline) == "solid"


def test_the_cost_moves_the_values(mount):
    page = mount(editor())
    slider = page.get_by_label("cost of a move")
    slider.fill("0.3")
    assert shown(page, GridWorld.default()) == expected(GridWorld.default(move_cost=0.3))
    slider.fill("0")
    assert shown(page, GridWorld.default()) == expected(GridWorld.default(move_cost=0))
    assert status(page).startswith("Moves are free")
    arrows = look(page, "(e) => e.querySelectorAll('.live-arrow').length")
    assert [arrows[f"{row},{col}"] for row, col in GridWorld.default().states] == (
        greedy_policy(GridWorld.default(0), [5.0] * 10 + [-1, 5, 4]) > 0
    ).sum(axis=1).tolist()


@pytest.mark.parametrize("gamma", [0.01, 0.5, 0.95])
def test_the_discount_moves_the_values_and_the_sum(mount, gamma):
    page = mount(editor())
    page.get_by_label("discount γ").fill(str(gamma))
    world = GridWorld.default()
    assert shown(page, world) == expected(world, gamma)
    assert f"{gamma:g} · " in formula(page) and "(discounted, unless it is an end)" in status(page)


def test_the_discount_changes_the_mind_of_the_cell_beside_the_four(mount):
    """Chapter 1: with free moves the 5, three moves away, beats the 4 next door until γ² · 5 < 4."""
    page = mount(editor(GridWorld.default().to_text(), move_cost=0))
    cell(page, 2, 3).hover()
    slider = page.get_by_label("discount γ")
    for gamma, best in (("0.9", ["0.9 · 4.5"]), ("0.89", ["4"])):
        slider.fill(gamma)
        assert page.locator(".live-formula strong").all_inner_texts() == best


def test_the_cost_can_be_dragged_with_the_mouse(mount):
    page = mount(editor())
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


def numbers_of(values, start="?"):
    return [start if np.isneginf(v) else number(v) for v in values]


def test_sweeps_step_by_step(mount):
    page = mount(editor())
    world, result = GridWorld.default(), value_iteration(GridWorld.default())
    slider = page.get_by_label("sweep")
    slider.fill("0")
    assert status(page) == "Before the first sweep only the ends of a walk are known."
    for sweep in range(result.sweeps + 1):
        assert [words.lstrip("+") for words in shown(page, world)] == numbers_of(result.history[sweep])
        moved = result.history[sweep] != result.history[max(sweep - 1, 0)]
        ringed = look(page, "(e) => e.classList.contains('live-fresh')")
        assert [ringed[f"{row},{col}"] for row, col in world.states] == moved.tolist()
        if 0 < sweep < result.sweeps:
            new, lost = int(moved.sum()), int(np.isneginf(result.history[sweep]).sum())
            rest = f"{lost} cell{'s' * (lost != 1)} still unknown" if lost else "All are known, some not yet right"
            assert status(page) == f"Sweep {sweep} wrote {new} new number{'s' * (new != 1)} (ringed). {rest}."
        press(page, "Step")
    assert slider.input_value() == str(result.sweeps) and "best neighbour" in status(page)
    press(page, "Back")
    assert slider.get_attribute("aria-valuetext") == f"{result.sweeps - 1} of {result.sweeps}"


def test_how_much_work_it_was_can_be_unfolded(mount):
    page = mount(editor())
    result = value_iteration(GridWorld.default())
    assert not page.locator(".live-numbers").is_visible()
    page.get_by_text("How much work").click()
    assert fact(page, "sweeps") == result.sweeps and fact(page, "cell visits") == result.cell_visits


def test_sweeps_can_be_dragged_and_painting_keeps_the_sweep(mount):
    page = mount(editor())
    world, result = GridWorld.default(), value_iteration(GridWorld.default())
    slider = page.get_by_label("sweep")
    assert slider.get_attribute("max") == str(result.sweeps) == slider.input_value()
    slider.fill("2")
    assert slider.get_attribute("aria-valuetext") == f"2 of {result.sweeps}"
    assert [words.lstrip("+") for words in shown(page, world)] == numbers_of(result.history[2])
    choose(page, "wall")
    cell(page, 1, 1).click()  # a wall on a wall: it goes
    opened = value_iteration(GridWorld.from_text(". . . # M\n. . . . .\n. . D . m"))
    assert slider.get_attribute("max") == str(opened.sweeps) and slider.input_value() == "2"
    slider.press("End")
    assert "best neighbour" in status(page)


def test_a_settled_map_stays_settled_when_it_is_painted(mount):
    page = mount(editor())
    slider = page.get_by_label("sweep")
    choose(page, "wall")
    for place in ((1, 1), (1, 1), (1, 3)):
        cell(page, *place).click()
        assert slider.input_value() == slider.get_attribute("max")
    world = GridWorld.from_text(". . . # M\n. # . # .\n. . D . m")
    assert slider.get_attribute("max") == str(value_iteration(world).sweeps)


def test_before_the_first_sweep_a_cell_is_worth_walking_for_ever(mount):
    page = mount(editor(gamma=0.9))
    page.get_by_label("sweep").fill("0")
    worth = number(forever(GridWorld.default(), 0.9), 2)
    assert worth == "−10" and status(page).endswith(f"what walking for ever is worth: {worth}.")
    assert shown(page, GridWorld.default())[0] == "−10"


def test_play_ends_settled_and_reset_brings_the_first_world_back(mount):
    page = mount(editor("M . . .", move_cost=0.5, gamma=0.9))
    choose(page, "wall")
    cell(page, 0, 3).click()
    page.get_by_label("cost of a move").fill("1")
    page.get_by_label("discount γ").fill("0.5")
    press(page, "Play")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('best neighbour')")
    press(page, "Reset")
    world = GridWorld.from_text("M . . .", move_cost=0.5)
    assert shown(page, world) == expected(world, 0.9)
    assert page.get_by_label("discount γ").input_value() == "0.9"


def test_the_wave_plays_once_when_the_figure_is_seen(mount):
    page = mount(editor(". . M"), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('.live-status').textContent.startsWith('Before')")
    page.wait_for_function("document.querySelector('.live-status').textContent.startsWith('Sweep 1 wrote 1 new')")
    page.wait_for_function("document.querySelector('.live-status').textContent.includes('best neighbour')")
    assert page.get_by_role("button", name="Play").is_visible()
    assert formula(page) == "max(5, 3) − 1 = 4"


def test_a_world_without_an_end_gets_a_friendly_word(mount):
    page = mount(editor(". M"))
    cell(page, 0, 1).focus()
    page.keyboard.press(".")
    assert status(page) == "No walk can end in this world. Paint some money, or a dragon."
    press(page, "Play")
    press(page, "Step")
    assert "NaN" not in page.content().split("</main>")[0]


def test_cells_that_cannot_get_out_are_said_to_be_lost(mount):
    page = mount(editor(". # M\n# . ."))
    assert shown(page, GridWorld.from_text(". # M\n# . ."))[0] == "−∞"
    assert status(page) == "−∞: from there no walk ever ends, and every move costs."


def test_rewards_of_ones_own_are_tools_too(mount):
    world = GridWorld.from_text(". . X", rewards={"M": 3.5, "X": 2}, move_cost=0.25)
    page = mount(GridEditor(world, **WORDS))
    assert shown(page, world)[:2] == ["1.5", "1.8"]
    tools = [tool.split(",")[0].strip() for tool in page.locator(".live-tool").all_inner_texts()]
    assert [tool.split("\n")[-1] for tool in tools] == ["why?", "free", "wall", "+3.5", "+4", "−1", "+2"]
    cell(page, 0, 0).focus()
    page.keyboard.press("M")
    assert "lots of money +3.5" in cell(page, 0, 0).get_attribute("aria-label")


def test_cells_say_what_they_are(mount):
    page = mount(editor("S . . M\n. # . D"))
    names = [cell(page, r, c).get_attribute("aria-label").split(": ")[1] for r in range(2) for c in range(4)]
    assert names[:4] == ["start, value 2", "free, value 3", "free, value 4", "lots of money +5, the walk ends"]
    assert names[4:] == ["free, value 1", "barrier", "free, value 3", "dragon −1, the walk ends"]
    page.get_by_label("sweep").fill("0")
    assert cell(page, 1, 2).get_attribute("aria-label") == "row 1, column 2: free, not known yet"


def test_while_it_plays_only_the_outcome_is_announced(mount):
    page = mount(editor())
    live = page.get_by_role("status")
    press(page, "Play")
    assert live.get_attribute("aria-live") == "off"
    assert page.locator(".live-explanation").get_attribute("aria-live") == "off"
    press(page, "Pause")
    page.get_by_label("sweep").press("End")
    assert live.get_attribute("aria-live") == "polite" and "best neighbour" in live.text_content()


def test_nothing_jumps_while_cells_are_asked_and_sweeps_are_played(mount):
    for width in (360, 390, 900, 1440):
        page = mount(editor(), width)
        height = page.locator(".live-figure").bounding_box()["height"]
        page.get_by_label("discount γ").fill("0.9")
        for sweep in range(8):
            page.get_by_label("sweep").fill(str(sweep))
            for place in ((1, 2), (1, 3), (1, 4), (0, 4), (0, 3)):
                cell(page, *place).focus()
                assert page.locator(".live-figure").bounding_box()["height"] == height, (width, sweep, place)
