"""Chapter 7's lab: what is refused, what a reader does, and that its trainings are those of the twin."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from live_checks import javascript, number, press, status, swipe

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


def test_ticks_of_the_ratios_are_halves_and_doubles_where_they_fit():
    engine = javascript("parts/charts.js")
    for edges, ticks in (
        (np.geomspace(0.25, 4, 9), [0.25, 0.5, 1, 2, 4]),
        (np.geomspace(0.001, 100, 9), [0.001, 0.01, 0.1, 1, 10, 100]),
        (np.linspace(0, 2, 9), [0, 0.5, 1, 1.5, 2]),
    ):
        assert json.loads(engine.eval(f"JSON.stringify(ratioTicks({edges.tolist()}))")) == ticks


@pytest.mark.parametrize(
    ("outside", "said"),
    [
        (0.004, "ratios after the update: 0 % outside the band of 0.75 to 1.25"),
        (0.5, "ratios after the update: 50 % outside the band of 0.75 to 1.25"),
        (None, "ratios after the update: none yet"),
    ],
)
def test_the_histogram_says_how_much_has_left_the_band(outside, said):
    assert javascript("parts/charts.js").eval(f"sayOutside({json.dumps(outside)}, 0.25)") == said


@pytest.mark.parametrize("clip_eps", [None, 0.1, 0.2, 0.3])
def test_what_has_left_the_band_is_counted_ratio_by_ratio(clip_eps):
    """The band ends within a bin: the bins alone cannot tell."""
    config = short().sides[0] | {"clip_eps": clip_eps, "iterations": 9}
    frames = stats_of(15, config)[1:]
    for frame in frames:
        ratios = np.array(frame["all"])
        assert frame["ratios"]["outside"] == pytest.approx((np.abs(ratios - 1) > (clip_eps or 0.2)).mean(), abs=1e-12)
        assert sum(frame["ratios"]["counts"]) == len(ratios)
    assert max(frame["ratios"]["outside"] for frame in frames) > 0


def test_a_measure_that_is_none_is_that_of_points():
    engine = javascript("figures/ppo_lab_measures.js")
    for name in ("", "constructor", "toString", "KL"):
        assert engine.eval(f"measureOf({json.dumps(name)}).name") == "points a walk"
    assert engine.eval("MEASURE_NAMES.every((name) => measureOf(name).name === name)")


# --- in a browser ---------------------------------------------------------------------------------------------------


def iteration(page):
    return page.get_by_role("slider", name="iteration")


def curve(page):
    return page.locator(".live-scrub")


def stats_of(seed, config):
    """What the twin has measured, from the same lesson."""
    engine = javascript("twins/gridworld.js", "twins/training.js", "figures/ppo_lab_runs.js")
    world, room = GridWorld.default(), {"walkers": 16, "max_steps": 50, "observation": "xy"}
    text, rewards = json.dumps(world.to_text()), json.dumps(world.rewards)
    script = f"""(() => {{
      const world = parseWorld({text}, 1, {rewards});
      const judge = judgeOf(world, 50);
      const record = recordOf({{ world, judge }}, true);
      for (const step of lesson({{ world, room: {json.dumps(room)} }}, {json.dumps(config)}, {seed})) {{
        record.add(step);
        record.frames.at(-1).all = step.batch && Array.from(ratiosOf(step.training, step.batch));
      }}
      return JSON.stringify(record.frames);
    }})()"""
    return json.loads(engine.eval(script))


def test_another_curve_is_drawn_and_told(mount):
    page = mount(short())
    frames = stats_of(15, short().sides[0])
    told = {
        "KL, nats": lambda f: f"KL {f['kl']:.3f}".rstrip("0").rstrip("."),
        "clip fraction": lambda f: f"{100 * f['clipFraction']:.0f} % outside",
        "entropy, nats": lambda f: f"entropy {f['entropy']:.2f}".rstrip("0").rstrip("."),
    }
    for name, words in told.items():
        page.get_by_label("curve").select_option(name)
        assert page.get_by_role("img", name=f"{name} by iteration").count() == 1
        assert words(frames[6]) in status(page).split("\n")[1]
        drawn = page.locator(".live-line.live-curve-0").get_attribute("d")
        assert len(drawn.replace("L", "M").split("M")) - 1 == 6  # nothing is measured before the first update
        iteration(page).press("Home")
        assert "no update yet" in status(page).split("\n")[1]
        assert page.locator(".live-tip[visibility=hidden]").count() == 2
        iteration(page).press("End")
    page.get_by_label("curve").select_option("points a walk")
    assert "points a walk" in status(page)


def test_it_answers_at_once_and_trains_meanwhile(mount):
    page = mount(figure(None, replace(BOLD, iterations=300)), reduced_motion="no-preference")
    drawn = "document.querySelector('.live-line.live-curve-0').getAttribute('d').split(/[ML]/).length - 1"
    assert page.evaluate(drawn) < 301  # it lives, and has not trained to the end
    page.wait_for_function(f"{drawn} === 301")


def test_the_flag_stands_at_the_same_moment_on_every_curve(mount):
    page = mount(figure())
    feet = set()
    for name in ("points a walk", "KL, nats", "clip fraction", "entropy, nats"):
        page.get_by_label("curve").select_option(name)
        assert page.locator(".live-flag text").all_text_contents() == ["falls at 8"]
        feet.add(page.locator(".live-flag path").get_attribute("d").split(" ")[0])
    assert len(feet) == 1


def test_boards_show_policy_and_values(mount):
    page = mount(short())
    frame, world = stats_of(15, short().sides[0])[6], GridWorld.default()
    for s, (r, c) in enumerate(world.states):
        at = page.locator(f'[data-at="{r},{c}"]').first
        if (r, c) in world.terminals:
            assert number(world.terminals[r, c]) in at.get_attribute("aria-label")
            continue
        best = int(np.argmax(frame["policy"][s]))
        said = f"value {number(frame['values'][s])}, {('up', 'right', 'down', 'left')[best]}"
        assert said in at.get_attribute("aria-label")
        assert at.locator(".live-value").text_content() == number(frame["values"][s])


def test_a_cell_that_is_touched_is_read(mount):
    page = mount(short())
    note = page.locator(".live-picture > .live-note")
    assert note.text_content() == "Touch a cell to read its numbers."
    frame, state = stats_of(15, short().sides[0])[6], GridWorld.default().states.index((2, 0))
    page.locator('[data-at="2,0"]').first.click()
    best = int(np.argmax(frame["policy"][state]))
    words = f"{('up', 'right', 'down', 'left')[best]} {number(100 * frame['policy'][state][best], 0)} %"
    assert f"Clip 0.2: value {number(frame['values'][state])}, " in note.text_content() and words in note.text_content()
    assert page.locator(".live-chosen").evaluate_all("all => all.map((e) => e.dataset.at)") == ["2,0"] * 2
    page.locator('[data-at="0,4"]').first.click()
    assert note.text_content() == "Row 0, column 4: the walk ends here."


def test_with_the_clip_is_blue_and_without_orange_everywhere(mount):
    page = mount(short())
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


def test_pressing_and_drawing_on_the_curve_goes_there(mount):
    page = mount(short())
    box = curve(page).bounding_box()
    at = [(box["x"] + (45 + 217 * i / 6) * box["width"] / 272, box["y"] + box["height"] / 2) for i in range(7)]
    page.mouse.click(*at[3])
    assert iteration(page).input_value() == "3"
    page.mouse.move(*at[5])
    page.mouse.down()
    assert iteration(page).input_value() == "5"
    page.mouse.move(*at[6], steps=4)
    assert iteration(page).input_value() == "6"
    page.mouse.move(*at[0], steps=4)
    page.mouse.up()
    page.mouse.move(*at[6])
    assert iteration(page).input_value() == "0"


def test_a_finger_scrolls_over_the_curve_and_scrubs_sideways(mount):
    """B2: a swipe that scrolled the page used to set the iteration as well."""
    page = mount(short(), width=390, has_touch=True)
    for start in (0.2, 0.5, 0.8):
        page.evaluate("scrollTo(0, 0)")
        curve(page).scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        swipe(page, curve(page), dy=-150, start=(start, 0.5))
        assert page.evaluate("scrollY") > before + 60
        assert iteration(page).input_value() == "6"
    page.wait_for_timeout(300)  # the last swipe has run out
    before = page.evaluate("scrollY")
    swipe(page, curve(page), dx=-200, dy=8, start=(0.9, 0.5))
    assert int(iteration(page).input_value()) < 4
    assert page.evaluate("scrollY") == before
    box = curve(page).bounding_box()
    page.touchscreen.tap(box["x"] + 0.96 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('input[type=range]').value === '6'")


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_boards_stand_side_by_side_without_numbers(mount, width):
    page = mount(short(), width, has_touch=True)
    first, second = (grid.bounding_box() for grid in page.get_by_role("grid").all())
    assert first["y"] == second["y"] and first["x"] + first["width"] < second["x"]
    assert page.locator(".live-value:visible, .live-reward:visible").count() == 0


def test_nothing_moves_from_one_iteration_to_the_next(mount):
    page = mount(short(), width=1280)
    sizes = set()
    for key in ["Home", *["ArrowRight"] * 6]:
        iteration(page).press(key)
        sizes.add(page.locator(".live-figure").bounding_box()["height"])
    for name in ("KL, nats", "clip fraction", "entropy, nats"):
        page.get_by_label("curve").select_option(name)
        sizes.add(page.locator(".live-figure").bounding_box()["height"])
    assert len(sizes) == 1


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
    # it begins at 0 and plays to the end; where others want the processor too, a moment of it is all that is seen
    page.wait_for_function("/^Iteration [0-5] /.test(document.querySelector('[role=status]').textContent)")
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
