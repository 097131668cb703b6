"""The figures of chapters 3 to 7: JavaScript against Python, what they refuse, and what a reader does to them."""

import json
import re

import numpy as np
import pytest
import torch
import traitlets
from live_checks import assert_still_picture_is_as_large, axe_violations
from py_mini_racer import MiniRacer

from ppo_helpers.experience import gae
from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import AdvantagePath, ClipExplorer, RatioExplorer, TrainingReplay, ValueMaps
from ppo_helpers.live.base import FILES
from ppo_helpers.live.fallback import number, value_color
from ppo_helpers.objectives import clipped_surrogate, probability_ratio, surrogate

WORLD = GridWorld.default()
STATES = len(WORLD.states)


def path_figure(**change):
    return AdvantagePath(**({"rewards": [-1, -1, -1, -1, 4], "values": [2, 1, 3, 1, 2], "alt": "a walk"} | change))


def maps_figure(**change):
    rng = np.random.default_rng(0)
    truth = np.linspace(-3, 5, STATES)
    frames = truth + rng.normal(size=(2, 3, STATES))
    visited = [[0, 1], [0, 1, 2, 3, 4, 5]]
    parts = {"truth": truth, "fractions": [0.2, 0.5], "visited": visited, "steps": [0, 10, 20], "frames": frames}
    return ValueMaps(WORLD, **(parts | {"alt": "two maps"} | change))


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


def replay_figure(runs=None, **change):
    runs = [one_run("clipped", 1), one_run("free", 2)] if runs is None else runs
    return TrainingReplay(WORLD.to_text(), WORLD.rewards, runs, **({"alt": "two trainings"} | change))


FIGURES = {
    "path": path_figure,
    "path of one step": lambda: path_figure(rewards=[1], values=[0.5]),
    "long path, cut off": lambda: path_figure(rewards=[-1] * 12, values=[-2.5] * 12, last_value=-2.5),
    "maps": maps_figure,
    "ratio": lambda: RatioExplorer(alt="four moves"),
    "clip": lambda: ClipExplorer(alt="the clipped objective"),
    "replay": replay_figure,
    "replay of one": lambda: replay_figure([one_run("clipped")]),
}
every_figure = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)


# --- JavaScript and Python ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    racer = MiniRacer()
    for name in ("figure.js", "gae.js", "surrogate.js"):
        racer.eval(re.sub(r"^export ", "", (FILES / name).read_text("utf-8"), flags=re.MULTILINE))
    return racer


@pytest.mark.parametrize("seed", range(200))
def test_advantages_of_a_path_are_those_of_the_package(engine, seed):
    rng = np.random.default_rng(seed)
    steps, (gamma, lam) = int(rng.integers(1, 13)), rng.uniform([0.5, 0], 1)
    rewards, values, last = rng.uniform(-5, 5, steps), rng.uniform(-5, 5, steps), float(rng.uniform(-5, 5))
    expected, returns = gae(
        torch.tensor(rewards)[None], torch.tensor(values)[None], torch.zeros(1, steps, dtype=torch.bool),
        torch.tensor([last], dtype=torch.double), gamma, lam,
    )  # fmt: skip
    js = json.loads(engine.eval(f"JSON.stringify(gae({rewards.tolist()}, {values.tolist()}, {last}, {gamma}, {lam}))"))
    np.testing.assert_allclose(js["advantages"], expected[0], atol=1e-12)
    np.testing.assert_allclose(js["returns"], returns[0], atol=1e-12)
    figure = path_figure(rewards=rewards, values=values, last_value=last, gamma=gamma, lam=lam)
    deltas, advantages = figure.advantages()
    np.testing.assert_allclose(advantages, expected[0], atol=1e-12)
    np.testing.assert_allclose(js["deltas"], deltas, atol=1e-12)
    for figure.step in (0, steps // 2, steps - 1, steps):
        said = engine.eval(f"explain({rewards.tolist()}, {values.tolist()}, {last}, {gamma}, {lam}, {figure.step})")
        assert said == figure.explanation()


def test_a_step_is_explained_in_numbers():
    figure = path_figure(gamma=0.5, lam=0.5)
    assert (
        figure.explanation()
        == "δ₀ = −1 + 0.5·1 − 2 = −2.5\nÂ₀ = −2.5 + 0.25·(−0.5) + 0.06·(−3.5) + 0.02·(−1) + 0·2 = −2.85"
    )
    figure.step = 4
    assert figure.explanation() == "δ₄ = 4 + 0.5·0 − 2 = 2\nÂ₄ = δ₄ = 2"
    figure.step = 5
    assert figure.explanation().endswith("nothing follows.")
    figure = path_figure(last_value=-2.5, gamma=1.0)
    figure.step = 5
    assert "add up to 0 with" in figure.explanation() and "value −2.5 stands" in figure.explanation()


@pytest.mark.parametrize("seed", range(50))
def test_ratio_surrogate_and_their_gradients_are_those_of_autograd(engine, seed):
    generator = torch.Generator().manual_seed(seed)
    logits, old = 6 - 12 * torch.rand(2, 4, generator=generator, dtype=torch.double)
    action, advantage = int(torch.randint(4, (), generator=generator)), float(torch.randn((), generator=generator))
    logits.requires_grad_()
    ratio = probability_ratio(logits.log_softmax(-1)[action], old.log_softmax(-1)[action])
    a = torch.tensor(advantage, dtype=torch.double)
    (of_surrogate,) = torch.autograd.grad(surrogate(ratio, a), logits, retain_graph=True)
    (of_policy,) = torch.autograd.grad(a * logits.log_softmax(-1)[action], logits)
    given = f"{logits.tolist()}, {old.tolist()}, {action}"
    js = json.loads(
        engine.eval(
            f"JSON.stringify([probabilityRatio({given}), surrogateGradient({given}, {advantage}), "
            f"policyGradient({logits.tolist()}, {action}, {advantage}), softmax({logits.tolist()})])"
        )
    )
    for ours, torchs in zip(js, (ratio, of_surrogate, of_policy, logits.softmax(-1)), strict=True):
        np.testing.assert_allclose(ours, torchs.detach(), rtol=1e-9, atol=1e-12)


EDGES = [(1.2, 1.0), (0.8, -1.0), (0.8, 1.0), (1.2, -1.0), (1.0, 1.0)]


@pytest.mark.parametrize(("ratio", "advantage"), EDGES + np.random.default_rng(0).uniform(0, 2.2, (50, 2)).tolist())
@pytest.mark.parametrize("sign", [1, -1])
def test_the_clipped_objective_and_its_gradient_are_those_of_autograd(engine, ratio, advantage, sign):
    r = torch.tensor(ratio, dtype=torch.double, requires_grad=True)
    objective = clipped_surrogate(r, torch.tensor(sign * advantage, dtype=torch.double), 0.2)
    objective.backward()
    given = f"{ratio}, {sign * advantage}, 0.2"
    assert engine.eval(f"clippedSurrogate({given})") == pytest.approx(objective.item())
    assert engine.eval(f"clippedGradient({given})") == pytest.approx(r.grad.item())


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: path_figure(rewards=[1, 2]), r"rewards and values must be equally long, .* got \(2,\) and \(5,\)"),
        (lambda: path_figure(rewards=[], values=[]), "1 to 12 steps"),
        (lambda: path_figure(rewards=[9] * 5), r"rewards must lie in \[−5, 5\]"),
        (lambda: path_figure(values=[np.nan] * 5), r"values must lie in \[−5, 5\]"),
        (lambda: path_figure(rewards=[0] * 13, values=[0] * 13), r"1 to 12 steps, got \(13,\) and \(13,\)"),
        (lambda: path_figure(rewards=[[1]], values=[[1]]), "equally long"),
        (lambda: path_figure(rewards=[np.nan] * 5), r"rewards must lie in \[−5, 5\], got \[nan"),
        (lambda: path_figure(values=[-5.1] * 5), r"values must lie in \[−5, 5\], got \[-5.1"),
        (lambda: path_figure(gamma=np.nan), r"gamma must not hold NaN|gamma must be in"),
        (lambda: path_figure(gamma=1.01), r"gamma must be in \[0.5, 1\], got 1.01"),
        (lambda: path_figure(lam=-0.1), r"lam must be in \[0, 1\], got -0.1"),
        (lambda: path_figure(last_value=np.nan), "last_value must be finite, got nan"),
        (lambda: setattr(path_figure(), "step", 6), r"step must be in 0 … 5, got 6"),
        (lambda: setattr(path_figure(), "step", -1), r"step must be in 0 … 5, got -1"),
        (lambda: setattr(path_figure(), "lam", 2.0), r"lam must be in \[0, 1\], got 2"),
        (lambda: maps_figure(alt=" "), "alt must say what the figure shows"),
        (lambda: maps_figure(fractions=[]), r"fractions must be numbers in \(0, 1\], at least one, got \[\]"),
        (lambda: maps_figure(fractions=[0, 0.5]), r"fractions must be .* got \[0.0, 0.5\]"),
        (lambda: maps_figure(fractions=[0.2, 1.5]), r"fractions must be .* got \[0.2, 1.5\]"),
        (lambda: maps_figure(steps=[]), r"steps must increase, at least one, got \[\]"),
        (lambda: maps_figure(steps=[0, 20, 20]), r"steps must increase, at least one, got \[0, 20, 20\]"),
        (lambda: maps_figure(frames=np.zeros((2, 3, 4))), r"frames must have shape .* = \(2, 3, 13\), got \(2, 3, 4\)"),
        (lambda: maps_figure(frames=np.full((2, 3, STATES), np.inf)), "frames must be finite"),
        (lambda: maps_figure(truth=[1, 2]), r"truth must have 13 numbers, one for each state, got shape \(2,\)"),
        (lambda: maps_figure(truth=[np.nan] * STATES), "truth must be finite"),
        (lambda: maps_figure(visited=[[0]]), "visited must have 2 entries, one for each fraction, got 1"),
        (
            lambda: maps_figure(visited=[[0], [13]]),
            r"visited must hold numbers of states, 0 … 12, got \[\[0\], \[13\]\]",
        ),
        (lambda: maps_figure(visited=[[0], [-1]]), "visited must hold numbers of states"),
        (lambda: path_figure(gamma=0.2), r"gamma must be in \[0.5, 1\], got 0.2"),
        (lambda: path_figure(lam=1.2), r"lam must be in \[0, 1\], got 1.2"),
        (lambda: path_figure(last_value=np.inf), "last_value must be finite, got inf"),
        (lambda: path_figure(alt=" "), "alt must say what the figure shows"),
        (lambda: RatioExplorer([1, 2, 3], alt="a"), r"old_logits must be 4 numbers in \[−6, 6\]"),
        (lambda: RatioExplorer([1, 2, 3, 9], alt="a"), r"old_logits must be 4 numbers in \[−6, 6\]"),
        (lambda: RatioExplorer(action=4, alt="a"), "action must be 0 up, .* got 4"),
        (lambda: RatioExplorer(advantage=5, alt="a"), r"advantage must be in \[-3, 3\], got 5"),
        (lambda: ClipExplorer(ratio=3, alt="a"), "ratio must be in .* got 3"),
        (lambda: ClipExplorer(clip_eps=0, alt="a"), "clip_eps must be in .* got 0"),
        (lambda: ClipExplorer(advantage=0, alt="a"), "advantage"),
        (lambda: replay_figure([]), "runs must hold one or two runs, got 0"),
        (lambda: replay_figure([{"name": "x"}]), r"runs\[0\] must have the keys"),
        (lambda: replay_figure([one_run("x", values=[[1]])]), r"runs\[0\]\['values'\] must have shape"),
        (lambda: replay_figure([one_run("x", policy=np.full((5, STATES, 4), 2))]), "must hold probabilities"),
        (lambda: replay_figure([one_run("x", curves={})]), "must hold at least one curve"),
        (lambda: replay_figure([one_run("x", curves={"a": [1, np.nan] * 4})]), "must be finite"),
        (lambda: replay_figure([one_run("x", edges=np.ones(9))]), "must increase"),
        (lambda: replay_figure([one_run("x"), one_run("y", edges=np.arange(9))]), "edges must be the same in both"),
        (lambda: replay_figure([one_run("x"), one_run("y", curves={"a": [0] * 8})]), "curves must have the same"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        make()


@every_figure
def test_the_state_is_small_and_plain_json(make):
    figure = make()
    state = {name: value for name, value in figure.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, allow_nan=False)) < 100_000


def test_a_long_replay_fits_into_the_page():
    rng = np.random.default_rng(0)
    parts = {
        "policy": rng.dirichlet(np.ones(4), (40, STATES)), "values": rng.normal(size=(40, STATES)),
        "ratios": rng.integers(0, 999, (40, 24)), "edges": np.geomspace(0.25, 4, 25), "iterations": range(40),
        "curves": {name: rng.random(40) for name in "abcdef"},
    }  # fmt: skip
    figure = replay_figure([one_run("x", **parts), one_run("y", **parts)])
    state = {name: value for name, value in figure.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state)) < 100_000


# --- in a browser ---------------------------------------------------------------------------------------------------


@every_figure
@pytest.mark.parametrize("width", [360, 900])
def test_still_picture_is_as_large_as_the_figure(mount, make, width):
    assert_still_picture_is_as_large(mount, make(), width)


@every_figure
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(mount, make, theme, width):
    page = mount(make(), width, theme)
    assert axe_violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def status(page):
    return page.get_by_role("status").inner_text()


def facts(page):
    """The numbers under the figure, by name."""
    pairs = page.locator("dl > div").evaluate_all(
        "all => all.map((e) => [...e.children].map((c) => c.textContent.trim()))"
    )
    return {name: value.replace("−", "-") for name, value in pairs}


def press(page, name, key, times=1):
    page.get_by_role("slider", name=name, exact=True).focus()
    for _ in range(times):
        page.keyboard.press(key)


def drag(page, name, dx, dy):
    """From the middle of a grip's knob, by so many pixels."""
    box = page.get_by_role("slider", name=name).locator(".live-knob, .live-tab").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


# --- chapter 4's path -----------------------------------------------------------------------------------------------


def luminance(rgb):
    share = np.array(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def signed(text):
    return float(text.replace("−", "-"))


def rows(page):
    """The figure's table: numbers by the name of their row."""
    cells = "all => all.map((tr) => [...tr.cells].map((c) => c.textContent))"
    return {name: numbers for name, *numbers in page.locator("tr").evaluate_all(cells)}


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def walker(page):
    return page.get_by_role("slider", name="walker")


def bar_end(page, kind, step):
    """Where a bar of the plot ends, in reward points."""
    path = page.locator(f"path.live-{kind}").nth(step).get_attribute("d")
    zero, top = float(re.search(r"V([\d.]+)Z", path)[1]), float(re.search(r"L[\d.]+ ([\d.]+)L", path)[1])
    return (zero - top) / (280 - 66) * 12


def assert_shows(page, figure):
    """All that the page says and draws is what Python computes for this state of the figure."""
    deltas, advantages = figure.advantages()
    assert status(page) == figure.explanation()
    table, two = rows(page), lambda numbers: pytest.approx(list(numbers), abs=0.00501)
    assert [signed(x) for x in table["TD error δ"]] == two(deltas)
    assert [signed(x) for x in table["advantage Â"]] == two(advantages)
    assert [signed(x) for x in table["return Â + V"]] == two(advantages + figure.values)
    assert [signed(x) for x in table["value V"]] == two(figure.values)
    assert [signed(x) if x else None for x in table["weight"]] == two(figure.weights())
    shown = page.locator(".live-weight").all_text_contents()
    assert [signed(x[1:]) if x else None for x in shown] == two(figure.weights())
    for t, pair in enumerate(zip(deltas, advantages, strict=True)):
        ends = [bar_end(page, kind, t) for kind in ("delta", "advantage")]
        assert ends == pytest.approx(list(np.clip(pair, -6, 6)), abs=1e-3)
    assert walker(page).get_attribute("aria-valuenow") == str(figure.step)
    if figure.step < len(deltas):
        said = walker(page).get_attribute("aria-valuetext")
        assert said.startswith(f"step {figure.step}: ")
        assert signed(said.split()[-1]) == pytest.approx(advantages[figure.step], abs=0.00501)
    spoken = page.locator(".live-plot:not(.live-strip)").get_attribute("aria-label")
    assert spoken.startswith(figure.alt)
    assert [signed(x) for x in spoken.rstrip(".").split(": ")[-1].split(", ")] == two(advantages)


def test_a_path_is_walked_step_by_step_there_and_back(mount):
    figure = path_figure(lam=0.5, gamma=0.9, last_value=1.5)
    page = mount(figure)
    for figure.step in range(6):
        assert_shows(page, figure)
        click(page, "Step")
    assert_shows(page, figure)  # there is no step after the end
    for figure.step in reversed(range(5)):
        click(page, "Back")
        assert_shows(page, figure)
    click(page, "Back")
    assert_shows(page, figure)


def test_a_path_is_walked_to_its_end_and_started_again(mount):
    figure = path_figure()
    page = mount(figure, reduced_motion="no-preference")
    page.evaluate("""() => {
      window.steps = [];
      const walker = document.querySelector("[aria-label=walker]"), status = document.querySelector("[role=status]");
      new MutationObserver(() => steps.push([walker.getAttribute("aria-valuenow"), status.getAttribute("aria-live")]))
        .observe(walker, { attributes: true, attributeFilter: ["aria-valuenow"] });
    }""")
    click(page, "Walk")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Walk").wait_for(timeout=12_000)  # it has stopped by itself
    figure.step = 5
    assert_shows(page, figure)
    seen = [int(step) for step, _ in page.evaluate("steps")]
    assert sorted(set(seen)) == seen[: seen.index(5) + 1] == [1, 2, 3, 4, 5]
    assert [live for step, live in page.evaluate("steps") if step in "23"][-1] == "off"  # nothing is read out meanwhile
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    page.wait_for_timeout(1500)
    assert walker(page).get_attribute("aria-valuenow") == "5"
    click(page, "Walk")  # from the start again
    assert walker(page).get_attribute("aria-valuenow") == "0"
    click(page, "Pause")
    page.wait_for_timeout(1500)
    assert walker(page).get_attribute("aria-valuenow") == "0"


def test_the_walker_is_dragged_clicked_and_led_by_keys(mount):
    figure = path_figure()
    page = mount(figure)
    box = lambda t: page.locator(".live-strip .live-state").nth(t).bounding_box()  # noqa: E731
    middle = lambda t: (box(t)["x"] + box(t)["width"] / 2, box(t)["y"] + box(t)["height"] / 2)  # noqa: E731
    page.mouse.move(*middle(0))
    page.mouse.down()
    for figure.step in (1, 3, 2):
        page.mouse.move(*middle(figure.step), steps=3)
        assert_shows(page, figure)
    page.mouse.up()
    for figure.step in (4, 0, 5):
        page.mouse.click(*middle(figure.step))
        assert_shows(page, figure)
    walker(page).focus()
    for key, figure.step in (("Home", 0), ("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", 5)):
        page.keyboard.press(key)
        assert_shows(page, figure)


def test_a_value_is_dragged_by_mouse_and_by_keys(mount):
    figure = path_figure(lam=0.5)
    page = mount(figure)
    for t, up in ((0, 30), (3, -60)):
        drag(page, f"value of the state at step {t}", 0, -up)
        grip = page.get_by_role("slider", name=f"value of the state at step {t}")
        value = float(grip.get_attribute("aria-valuenow"))
        assert (value - figure.values[t]) * up > 0
        grip.press("ArrowDown")
        grip.press("PageUp")
        figure.values = [value + 0.5 if k == t else old for k, old in enumerate(figure.values)]
        assert_shows(page, figure)
        words = page.locator(".live-strip text").filter(has_text=re.compile(r"^[−\d.]+$"))
        assert signed(words.nth(4 + t).text_content()) == value + 0.5  # four rewards of −1 come first
    grip.press("Home")
    assert grip.get_attribute("aria-valuenow") == "-5"
    grip.press("End")
    assert grip.get_attribute("aria-valuetext") == "5"


def test_lambda_and_gamma_decide_how_far_a_step_looks_ahead(mount):
    figure = path_figure()
    page = mount(figure)
    for figure.lam, key in ((0.0, "Home"), (0.05, "ArrowRight"), (1.0, "End")):
        press(page, "λ: trust in rewards", key)
        assert_shows(page, figure)
    for figure.gamma, key in ((0.5, "Home"), (0.55, "ArrowRight")):
        press(page, "discount γ", key)
        assert_shows(page, figure)
    box = page.get_by_label("trust in rewards").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    figure.lam = float(page.get_by_label("trust in rewards").input_value())
    assert 0.4 <= figure.lam <= 0.6
    assert_shows(page, figure)


def test_reset_brings_the_path_back_and_stops_the_walk(mount):
    figure = path_figure(lam=0.7, gamma=0.8, last_value=2)
    page = mount(figure)
    press(page, "λ: trust in rewards", "Home")
    press(page, "discount γ", "Home")
    drag(page, "value of the state at step 2", 0, 50)
    click(page, "Walk")
    page.wait_for_function("document.querySelector('[aria-label=walker]').ariaValueNow === '1'")
    click(page, "Reset")
    page.wait_for_timeout(1300)
    assert_shows(page, figure)
    assert page.get_by_role("button", name="Walk").is_visible()


def test_a_bar_that_leaves_the_plot_ends_in_a_point(mount):
    page = mount(path_figure(rewards=[5, 5], values=[-5, 0.5]))
    inside, outside = (page.locator("path.live-delta").nth(t).get_attribute("d") for t in (1, 0))
    shoulders = [re.findall(r"[ V]([\d.]+)(?=L|V)", path)[1:] for path in (inside, outside)]
    assert len(set(shoulders[0])) == 1 and len(set(shoulders[1])) == 2


# --- chapter 3's maps -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large_maps():
    """A figure as large as chapter 3's own, and the arguments it was made with."""
    world = GridWorld.from_text("\n".join([". . . . # . . . . ."] * 9 + [". . . . . . . . . M"]))
    rng, states = np.random.default_rng(0), len(world.states)
    truth = rng.uniform(-12, 5, states)
    steps, order, fractions = [0, 5, 10, 20, 50, 100, 200, 400, 800, 1600, 2000], rng.permutation(states), [0.1, 0.5, 1]
    frames = truth + rng.normal(size=(3, len(steps), states)) * np.linspace(4, 0.1, len(steps))[:, None]
    made = (world, truth, fractions, [order[: int(f * states)] for f in fractions], steps, frames)
    return ValueMaps(*made, alt="two large maps"), made


def true_errors(arguments):
    """(F, 2, K): root mean square errors on visited and unseen cells, from the numbers as they were handed over."""
    _, truth, _, visited, _, frames = arguments
    missed = np.asarray(frames, dtype=float) - np.asarray(truth, dtype=float)
    errors = []
    for of_fraction, states in zip(missed, visited, strict=True):
        seen = np.zeros(missed.shape[-1], dtype=bool)
        seen[np.asarray(states)] = True
        with np.errstate(invalid="ignore"):
            errors.append([[(m[w] ** 2).sum() / w.sum() for m in of_fraction] for w in (seen, ~seen)])
    return np.sqrt(errors)


def test_maps_show_the_errors_that_numpy_computes(mount, large_maps):
    figure, arguments = large_maps
    page, errors = mount(figure), true_errors(arguments)
    np.testing.assert_allclose(figure.errors(), errors, atol=1e-3)
    press(page, "training step", "Home")
    for f in range(len(figure.fractions)):
        for k in range(len(figure.steps)):
            shown = [np.nan if x == "–" else float(x) for x in facts(page).values()]
            assert shown == pytest.approx(errors[f, :, k], abs=0.0061, nan_ok=True)
            press(page, "training step on the curves", "ArrowRight")
        press(page, "cells visited", "ArrowRight")
        press(page, "training step on the curves", "Home")
    assert np.isnan(errors[-1][1]).all()  # nothing is unseen when all cells were visited
    assert facts(page)["error on unseen cells"] == "–"


def test_maps_say_and_colour_what_was_predicted(mount):
    figure = maps_figure()
    page = mount(figure)
    press(page, "cells visited", "End")
    press(page, "training step", "Home")
    grids = page.get_by_role("grid").all()
    for s, (r, c) in enumerate(WORLD.states):
        for grid, values in zip(grids, (figure.frames[1][0], figure.truth), strict=True):
            cell = grid.locator(f'[data-at="{r},{c}"]')
            visited = ", visited" if s in figure.visited[1] else ""
            assert cell.get_attribute("aria-label") == f"row {r}, column {c}: {number(values[s])}{visited}"
            colour = value_color(values[s] / figure.scale).replace(" ", ", ")
            assert cell.evaluate("e => e.style.backgroundColor") == colour
        dots = grids[0].locator(f'[data-at="{r},{c}"] circle').count()
        assert dots == (s in figure.visited[1])
        cell.click()
        predicted, truth = number(figure.frames[1][0][s]), number(figure.truth[s])
        assert status(page) == f"Row {r}, column {c}{visited}: predicted {predicted}, true {truth}."


def test_keys_choose_a_cell_of_the_maps(mount):
    page = mount(maps_figure())
    page.get_by_role("grid").first.locator('[data-at="0,0"]').focus()
    page.keyboard.press("ArrowRight")
    assert status(page).startswith("Row 0, column 1")
    assert page.locator(".live-chosen").evaluate_all("all => all.map((e) => e.dataset.at)") == ["0,1", "0,1"]


def training_step(page):
    return page.get_by_role("slider", name="training step", exact=True).input_value()


def test_maps_train_to_the_last_frame_and_stop(mount):
    page = mount(maps_figure(), reduced_motion="no-preference")
    click(page, "Train")  # from the end: it begins at the beginning
    assert training_step(page) == "0"
    click(page, "Pause")
    page.wait_for_timeout(700)
    assert training_step(page) == "0"
    click(page, "Train")
    page.wait_for_function("document.querySelectorAll('input')[1].value === '2'")
    page.get_by_role("button", name="Train").wait_for()
    page.wait_for_timeout(700)
    assert training_step(page) == "2"


def test_curves_are_dragged_and_reset_brings_the_end_of_training_back(mount):
    page = mount(maps_figure())
    before = (status(page), facts(page))
    drag(page, "training step on the curves", -250, 0)
    assert training_step(page) == "1"
    step = page.get_by_role("slider", name="training step on the curves")
    shown = facts(page)
    assert shown != before[1]
    assert step.get_attribute("aria-valuetext") == "step 10: " + ", ".join(f"{k} {v}" for k, v in shown.items())
    press(page, "cells visited", "End")
    page.get_by_role("grid").first.locator('[data-at="0,1"]').click()
    click(page, "Reset")
    assert (status(page), facts(page)) == before


# --- both -----------------------------------------------------------------------------------------------------------

LEARNING = ["path", "path of one step", "long path, cut off", "maps"]
learning = pytest.mark.parametrize("make", [FIGURES[name] for name in LEARNING], ids=LEARNING)


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_a_large_figures_still_picture_is_as_large(mount, large_maps, width):
    figure, _ = large_maps
    assert len(json.dumps(figure.get_state(), allow_nan=False)) <= 100_000
    assert_still_picture_is_as_large(mount, figure, width)


@learning
@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_all_can_be_touched_and_read(mount, make, width):
    page = mount(make(), width, has_touch=True)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    sizes = page.locator("button, label.live-control").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44
    places = page.locator(".live-touch").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => Math.min(r.width, r.height))"
    )
    assert min(places) >= 24
    letters = page.locator(".live-label").evaluate_all(
        "all => all.map((e) => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getScreenCTM().a)"
    )
    assert min(letters) >= 11.5


def test_the_values_of_a_short_path_have_room_for_a_thumb(mount):
    page = mount(path_figure(), 360)
    places = page.locator("circle.live-touch").evaluate_all("all => all.map((e) => e.getBoundingClientRect().width)")
    assert len(places) == 6 and min(places) >= 44


@learning
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_of_the_drawings_stand_out(mount, make, theme):
    """axe does not look at the words of an SVG."""
    page = mount(make(), theme=theme)
    ground = (255, 255, 255) if theme == "light" else (0x15, 0x18, 0x1D)
    colours = page.locator("svg text").evaluate_all(
        "all => all.map((e) => getComputedStyle(e).fill.match(/\\d+/g).map(Number))"
    )
    shades = np.array([luminance(ground), *(luminance(c) for c in colours)]) + 0.05
    ratios = np.maximum(shades[1:], shades[0]) / np.minimum(shades[1:], shades[0])
    assert ratios.min() >= 4.5


@learning
def test_readers_who_prefer_less_motion_see_no_gliding(mount, make):
    page = mount(make(), reduced_motion="reduce")
    moving = page.locator(".live-walker, .live-cell")
    assert set(moving.evaluate_all("all => all.map((e) => getComputedStyle(e).transitionDuration)")) == {"0s"}


@learning
def test_every_control_changes_what_is_shown(mount, make):
    page = mount(make())

    def picture():
        return page.locator(".live-body").evaluate(
            "e => e.innerText + [...e.querySelectorAll('path')].map((p) => p.outerHTML)"
        )

    for control in page.locator(".live-body :is([role=slider], input[type=range])").all():
        before = picture()
        control.press(
            "Home" if control.evaluate("e => (e.ariaValueNow ?? e.value) !== (e.ariaValueMin ?? e.min)") else "End"
        )
        assert picture() != before, control.evaluate("e => e.outerHTML")
    for name in page.get_by_role("button").all_inner_texts():
        if name not in ("Step", "Back"):
            before = picture()
            click(page, name)
            assert picture() != before, name


def test_pushing_a_logit_moves_the_ratio(mount):
    page = mount(RatioExplorer([0, 0, 0, 0], action=1, advantage=2.0, alt="four moves"))
    assert facts(page)["ratio π_θ / π_old"] == "1"
    press(page, "logit of right", "ArrowUp", 10)
    logits = torch.tensor([0.0, 1.0, 0.0, 0.0])
    ratio = (4 * logits.softmax(-1)[1]).item()
    assert float(facts(page)["ratio π_θ / π_old"]) == pytest.approx(ratio, abs=6e-4)
    assert float(facts(page)["surrogate ratio · A"]) == pytest.approx(2 * ratio, abs=6e-4)
    row = page.locator("tr", has_text="gradient of ratio").locator("td").all_inner_texts()
    gradient = 2 * ratio * (torch.eye(4)[1] - logits.softmax(-1))
    assert [float(x.replace("−", "-")) for x in row] == pytest.approx(gradient.tolist(), abs=6e-4)
    page.get_by_role("button", name="Reset").click()
    drag(page, "logit of right", 0, -40)
    assert float(facts(page)["ratio π_θ / π_old"]) > 1
    page.locator(".live-tool", has_text="left").click()
    assert "“left” was taken" in status(page)


def test_gradient_steps_let_the_ratio_run_off(mount):
    page = mount(RatioExplorer([1.0, 0.2, -1.0, 0.5], action=2, alt="four moves"))
    page.get_by_role("button", name="One gradient step").click()
    logits, old = (torch.tensor([1.0, 0.2, -1.0, 0.5]) for _ in range(2))
    p = logits.softmax(-1)
    logits = logits + (torch.eye(4)[2] - p)
    ratio = (logits.softmax(-1)[2] / old.softmax(-1)[2]).item()
    assert float(facts(page)["ratio π_θ / π_old"]) == pytest.approx(ratio, abs=6e-4)
    for _ in range(5):
        page.get_by_role("button", name="Ten steps").click()
    assert float(facts(page)["ratio π_θ / π_old"]) > 10 and status(page).startswith("After 51 steps")


@pytest.mark.parametrize("sign", ["A > 0", "A < 0"])
@pytest.mark.parametrize("ratio", ["0.5", "1", "1.5"])
def test_the_arrow_dies_exactly_in_the_flat_parts(mount, sign, ratio):
    page = mount(ClipExplorer(alt="the clipped objective"))
    page.get_by_role("button", name=re.compile(rf"{sign}, r = {ratio} [pg]")).click()
    flat = (sign, ratio) in {("A > 0", "1.5"), ("A < 0", "0.5")}
    assert (page.locator(".live-gradient").get_attribute("d") == "") is flat
    assert ("pushes no further" in status(page)) is flat
    assert float(facts(page)["gradient dL/dr"]) == (0 if flat else 1 if sign == "A > 0" else -1)
    a, r = 1.0 if sign == "A > 0" else -1.0, float(ratio)
    wanted = clipped_surrogate(torch.tensor(r), torch.tensor(a), 0.2).item()
    assert float(facts(page)["minimum of both"]) == pytest.approx(wanted, abs=6e-4)


def test_the_point_and_the_band_are_dragged(mount):
    page = mount(ClipExplorer(alt="the clipped objective"))
    drag(page, "ratio r", 100, 0)
    assert float(facts(page)["ratio r"]) > 1.2 and "pushes no further" in status(page)
    drag(page, "upper edge", 120, 0)
    assert float(facts(page)["ε"]) > 0.4 and "raises" in status(page)
    lower = page.get_by_role("slider", name="lower edge")
    assert float(lower.get_attribute("aria-valuenow")) == pytest.approx(1 - float(facts(page)["ε"]))
    page.get_by_role("button", name="A is positive").click()
    assert "lowers" in status(page) and facts(page)["advantage A"] == "-1"
    press(page, "ratio r", "Home")
    assert facts(page)["ratio r"] == "0" and "pushes no further" in status(page)
    page.get_by_role("button", name="Reset").click()
    assert (facts(page)["ratio r"], facts(page)["ε"], facts(page)["advantage A"]) == ("1", "0.2", "1")


def test_a_replay_is_scrubbed_and_shows_the_numbers_of_its_runs(mount):
    runs = [one_run("clipped", 1), one_run("free", 2)]
    page = mount(replay_figure(runs))
    press(page, "iteration", "Home")
    press(page, "iteration", "ArrowRight")
    shown = facts(page)
    for run in runs:
        assert float(shown[f"return {run['name']}"]) == pytest.approx(run["curves"]["return"][1], abs=1e-3)
    page.get_by_label("curve").select_option("approx_kl")
    assert float(facts(page)["approx kl free"]) == pytest.approx(runs[1]["curves"]["approx_kl"][1], abs=1e-3)
    assert status(page).startswith("Iteration 2, row 0, column 0: clipped value")
    assert f"{runs[0]['values'][1][0]:.1f}".replace("-", "−").removesuffix(".0") in status(page)
    page.locator('[data-at="0,1"]').first.click()
    assert "row 0, column 1" in status(page)
    page.get_by_role("button", name="Step").click()
    assert status(page).startswith("Iteration 4")
    page.get_by_role("button", name="Back").click()
    assert status(page).startswith("Iteration 2")


def test_a_replay_is_played_to_its_end(mount):
    page = mount(replay_figure(), reduced_motion="no-preference")
    page.get_by_role("button", name="Train").click()
    page.wait_for_function("document.querySelector('input[type=range]').value === '4'", timeout=8000)
    page.get_by_role("button", name="Train").wait_for()
    assert status(page).startswith("Iteration 8")


def test_pressing_on_the_curve_goes_there(mount):
    page = mount(replay_figure())
    box = page.locator(".live-scrub").bounding_box()
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
    assert status(page).startswith("Iteration 0")
