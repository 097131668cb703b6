"""Chapter 7's lab: what is refused, what a reader does, and that its trainings are those of the twin."""

import json
from dataclasses import replace

import pytest
import torch
from live_checks import javascript, press, status

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import PPOLab
from ppo_helpers.planning import evaluate_policy, uniform_policy, value_iteration
from ppo_helpers.walking import PolicyNetwork, WalkConfig, policy_table

WORDS = {"alt": "Two trainings side by side.", "caption": "With the clip and without."}
BOLD = WalkConfig(iterations=40, steps=16, epochs=20, gamma=1.0, learning_rate=3e-3, ent_coef=0.01, hidden=(32, 32))
SHORT = replace(BOLD, iterations=6, epochs=4)
FREE = {"clip_eps": None}
LARGE = GridWorld.from_text("\n".join(["S . . # . . ."] * 3 + [". . . . . D M"]), move_cost=0.1, rewards={"M": 50})


def figure(world=None, left=BOLD, right=None, **change):
    right = replace(left, **FREE) if right is None else right
    return PPOLab(world, left, right, **{"seed": 15} | WORDS | change)


def short(**change):
    return figure(None, SHORT, **change)


def examples():
    corridor = GridWorld.from_text(". . M")
    odd = replace(SHORT, learning_rate=0.0042, hidden=(5,), gamma=0.9, anneal_lr=True)
    return [short(), figure(LARGE, SHORT, seed=0), figure(corridor, odd, odd, observation="onehot", walkers=1)]


# --- Python ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"right": replace(BOLD, iterations=3)}, "iterations must be the same, got 40 and 3"),
        ({"walkers": 0}, "walkers must be a whole number of at least 1, got 0"),
        ({"max_steps": 2.5}, "max_steps must be a whole number of at least 1, got 2.5"),
        ({"observation": "rgb"}, "observation must be 'xy' or 'onehot', got 'rgb'"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"world": GridWorld.from_text("M # .")}, "world has no cell to start from"),
        ({"alt": " "}, "alt must say what the figure shows"),
        ({"caption": " "}, "caption must say what the figure shows"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


# --- JavaScript without a browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    names = ["twins/gridworld.js", "twins/walks.js", "figures/ppo_lab_runs.js", "figures/ppo_lab_words.js"]
    return javascript(*names)


def test_the_best_and_walking_by_chance_are_those_of_planning(engine):
    world, on = GridWorld.default(), [s for s, cell in enumerate(GridWorld.default().states)]
    on = [s for s in on if world.states[s] not in world.terminals]
    call = f"judgeOf(parseWorld({json.dumps(world.to_text())}, 1, {json.dumps(world.rewards)}), 2000)"
    judge = json.loads(engine.eval(f"JSON.stringify({call})"))
    assert judge["best"] == pytest.approx(value_iteration(world).values[on].mean())
    assert judge["random"] == pytest.approx(evaluate_policy(world, uniform_policy(world))[on].mean())


@pytest.mark.parametrize(
    ("shares", "fell", "fate"),
    [
        ([0, 0.3, 0.8, 1], None, "optimum"),
        ([0, 0.3, 0.8, 0.9], None, "between"),
        ([0, 0.3, -0.1, -0.2], 2, "collapsed"),
        ([0, 0.3, 0, 0.97], 2, "optimum"),
        ([0, 0.2, -0.1, -0.2], None, "collapsed"),  # it never stood high
        ([0, 0.3, 0.01, 0.5], None, "between"),
    ],
)
def test_a_run_falls_where_it_is_no_better_than_chance_again(engine, shares, fell, fate):
    script = f"""(() => {{
      const points = {shares};
      const world = parseWorld(". M", 1, {{ M: 5 }});
      let at = 0;
      const judge = {{ earns: () => points[at], share: (v) => v }};
      const record = recordOf({{ world, judge }}, false);
      const room = {{ walkers: 1, max_steps: 5, observation: "xy" }};
      const [{{ training }}] = lesson({{ world, room }}, {{ iterations: 0, hidden: [2] }}, 1);
      for (at = 0; at < points.length; at++) record.add({{ training: {{ ...training, done: at }}, batch: null }});
      return JSON.stringify([record.fell, FATES[fateOf(record)]]);
    }})()"""
    assert json.loads(engine.eval(script)) == [fell, fate]


def test_what_is_read_out_is_the_policy_as_python_reads_it(engine):
    world = GridWorld.default()
    room = json.dumps({"walkers": 4, "max_steps": 50, "observation": "xy"})
    config = json.dumps(figure().sides[0])
    script = f"""(() => {{
      const world = parseWorld({json.dumps(world.to_text())}, 1, {json.dumps(world.rewards)});
      const [{{ training }}] = lesson({{ world, room: {room} }}, {{ ...{config}, iterations: 0 }}, 5);
      const seen = readOut(training, world);
      return JSON.stringify({{ parameters: [...training.nets.policy.parameters], policy: seen.policy }});
    }})()"""
    found = json.loads(engine.eval(script))
    policy = PolicyNetwork(2, 4, (32, 32)).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(found["parameters"], dtype=torch.double), policy.parameters())
    table = policy_table(policy, world)
    for s, row in enumerate(found["policy"]):
        assert (row or [0] * 4) == pytest.approx(table[s].tolist(), abs=1e-12)


# --- in a browser ---------------------------------------------------------------------------------------------------


def dial(page, side, name):
    return page.locator(f".live-half-{side}").get_by_label(name)


def settled(page, iteration):
    page.wait_for_function(f"document.querySelector('[role=status]').textContent.startsWith('Iteration {iteration} ')")


def sweep(page):
    press(page, "20 more seeds of each")
    page.get_by_role("button", name="20 more seeds of each").wait_for()


def python(page):
    page.get_by_text("The same dials in Python").click()
    return page.locator(".live-code").inner_text()


def test_it_opens_trained_and_says_that_its_seed_was_chosen(mount):
    page = mount(figure())
    assert status(page).startswith("Iteration 40 of 40, seed 15.\nClip 0.2: 0.5 points a walk, best 0.5.\nNo clip: −")
    assert "collapsed at 8" in status(page)
    assert page.locator(".live-flag text").all_text_contents() == ["falls at 8"]
    assert page.locator(".live-doubt").inner_text().startswith("Seed 15 was chosen to show a fall.")
    assert page.locator(".live-differs").count() == 2


def test_a_dial_trains_its_side_anew(mount):
    page = mount(short())
    before = status(page)
    dial(page, 0, "epochs").select_option("20")
    settled(page, 6)
    after = status(page)
    assert after.split("\n")[1] != before.split("\n")[1]
    assert after.split("\n")[2].split(": ")[1] == before.split("\n")[2].split(": ")[1]  # the other side stays
    assert page.locator(".live-differs").count() == 4
    assert "epochs=20" in python(page)
    press(page, "Reset")
    settled(page, 6)
    assert status(page) == before


def test_equal_dials_give_equal_runs(mount):
    page = mount(short(right=SHORT))
    left, right = status(page).split("\n")[1:]
    assert left.split(": ")[1] == right.split(": ")[1]
    assert page.locator(".live-differs").count() == 0
    labels = "all => all.map((e) => [...e.querySelectorAll('[role=gridcell]')].map((c) => c.ariaLabel).join())"
    boards = page.get_by_role("grid").evaluate_all(labels)
    assert boards[0] == boards[1]


def test_the_dials_as_python_are_a_configuration(mount):
    lines = python(mount(figure())).strip().split("\n")
    assert [eval(line, {"WalkConfig": WalkConfig}) for line in lines] == [BOLD, replace(BOLD, **FREE)]


def test_every_seed_becomes_a_dot_and_a_dot_is_trained_above(mount):
    page = mount(short())
    sweep(page)
    rows = page.get_by_role("listbox")
    assert [row.get_by_role("option").count() for row in rows.all()] == [20, 20]
    counts = page.locator(".live-box b").all_inner_texts()
    assert [sum(map(int, counts[:3])), sum(map(int, counts[3:]))] == [20, 20]
    rows.nth(1).get_by_role("option", name="seed 7:").click()
    settled(page, 6)
    assert "seed 7." in status(page)
    assert page.locator(".live-now").count() == 2  # the same seed on both sides
    sweep(page)
    assert rows.nth(0).get_by_role("option").count() == 40


def test_the_fate_of_a_dot_is_that_of_the_training_above(mount):
    page = mount(short())
    sweep(page)
    row = page.get_by_role("listbox").first
    for seed in (1, 2, 3):
        option = row.get_by_role("option", name=f"seed {seed}:")
        fate = option.get_attribute("aria-label").split(": ")[1]
        option.click()
        settled(page, 6)
        assert (", best " in status(page).split("\n")[1]) == fate.startswith("optimum")


def test_dots_are_reached_by_keyboard(mount):
    page = mount(short())
    sweep(page)
    row = page.get_by_role("listbox").first
    row.focus()
    for key, at in (("Home", 0), ("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("End", 19)):
        page.keyboard.press(key)
        name = row.get_by_role("option").nth(at).get_attribute("id")
        assert row.get_attribute("aria-activedescendant") == name
    page.keyboard.press("Enter")
    settled(page, 6)
    seed = row.get_by_role("option").nth(19).get_attribute("aria-label").split(":")[0]
    assert f", {seed}." in status(page)
    assert row.evaluate("e => e === document.activeElement")


def test_rows_of_earlier_settings_stay_and_can_be_trained_again(mount):
    page = mount(short())
    sweep(page)
    dial(page, 1, "epochs").select_option("1")
    settled(page, 6)
    assert page.locator(".live-setting").count() == 3 and page.get_by_role("listbox").count() == 2
    page.get_by_role("listbox").nth(1).get_by_role("option").first.click()
    settled(page, 6)
    assert status(page).split("\n")[2].startswith("No clip:")
    assert page.locator(".live-setting").count() == 2  # nothing was tried with one epoch


def test_a_sweep_can_be_stopped_and_goes_on(mount):
    page = mount(figure())
    press(page, "20 more seeds of each")
    press(page, "Stop")
    stopped = page.locator(".live-seed").count()
    page.wait_for_timeout(300)
    assert page.locator(".live-seed").count() == stopped < 40


def test_playing_goes_through_the_iterations_and_gives_way(mount):
    page = mount(short(), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Iteration 0')")
    settled(page, 6)
    press(page, "Play")
    dial(page, 0, "entropy").select_option("0")
    assert page.get_by_role("button", name="Pause").count() == 0
    settled(page, 6)
    press(page, "Back")
    assert status(page).startswith("Iteration 5 of 6")


def test_a_sweep_leaves_the_page_free(mount):
    """It goes on in slices, and the page is drawn between them. How long a frame waits is in the benchmarks."""
    page = mount(figure())
    page.evaluate("""() => {
      window.frames_drawn = 0;
      const frame = () => {
        frames_drawn += 1;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }""")
    press(page, "20 more seeds of each")
    before = page.evaluate("frames_drawn")
    page.wait_for_timeout(2500)
    assert page.evaluate("frames_drawn") - before > 20


# --- another world --------------------------------------------------------------------------------------------------


def painted(page, tool, at):
    page.get_by_text("Paint another world").click()
    page.locator(".live-tool", has_text=tool).click()
    page.locator(f'[data-at="{at}"]').first.click()


@pytest.mark.browser
def test_a_painted_world_is_learned_on_both_sides(mount):
    page = mount(short(), 1280)
    trained(page)
    before = status(page)
    painted(page, "wall", "1,2")
    trained(page)
    assert status(page) != before
    for i in (0, 1):
        assert page.locator('[data-at="1,2"]').nth(i).get_attribute("aria-label").endswith("barrier")
    press(page, "Reset")
    trained(page)
    assert status(page) == before and page.locator(".live-cell.live-barrier").count() == 2 * short().text.count("#")


@pytest.mark.browser
def test_dots_of_another_world_are_forgotten(mount):
    page = mount(short(), 1280)
    press(page, "20 more seeds of each")
    page.get_by_role("button", name="20 more seeds of each").wait_for()
    assert page.locator(".live-seed").count() == 40
    painted(page, "wall", "1,2")
    trained(page)
    assert page.locator(".live-seed").count() == 0
    assert "was chosen" not in page.locator(".live-doubt").inner_text()


@pytest.mark.browser
def test_a_world_without_a_way_is_refused_in_a_sentence(mount):
    page = mount(figure(GridWorld.from_text(". . M"), SHORT, walkers=2), 1280)
    trained(page)
    before = status(page)
    painted(page, "free", "0,2")  # the only end
    assert "none could ever end" in page.locator(".live-lab").inner_text()
    assert status(page) == before and page.locator('[data-at="0,2"]').first.get_attribute("aria-label").endswith("+5")
    page.locator(".live-tool", has_text="wall").click()
    page.locator('[data-at="0,0"]').first.click()  # shorter, but there is a way
    trained(page)
    assert "none could ever end" not in page.locator(".live-lab").inner_text()
    page.locator('[data-at="0,1"]').first.click()  # nobody could begin
    assert "none could ever end" in page.locator(".live-lab").inner_text()


def trained(page):
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Iteration 6 of 6')")
