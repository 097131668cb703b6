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
    for name in ("gae.js", "surrogate.js"):
        racer.eval(re.sub(r"^export ", "", (FILES / name).read_text("utf-8"), flags=re.MULTILINE))
    return racer


@pytest.mark.parametrize("seed", range(50))
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
    pairs = page.locator("dl > div").evaluate_all("all => all.map((e) => [...e.children].map((c) => c.textContent))")
    return {name: value.replace("−", "-") for name, value in pairs}


def press(page, name, key, times=1):
    page.get_by_role("slider", name=name).focus()
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


def test_a_path_is_walked_to_its_end_and_started_again(mount):
    page = mount(path_figure(), reduced_motion="no-preference")
    walk = page.get_by_role("button", name="Walk")
    walk.click()
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Â4')", timeout=8000)
    page.get_by_role("button", name="Walk").wait_for()  # it has stopped by itself
    assert status(page) == "Â4 = 1·(2) = 2"
    page.get_by_role("button", name="Walk").click()
    assert status(page).startswith("Â1")  # from the start, one step


def test_a_value_is_dragged_and_reset(mount):
    figure = path_figure(lam=0.5)
    page = mount(figure)
    _, advantages = figure.advantages()
    assert float(status(page).split()[-1].replace("−", "-")) == pytest.approx(advantages[0], abs=0.0051)
    before = status(page)
    drag(page, "value of the state at step 0", 0, -60)
    dragged = page.get_by_role("slider", name="value of the state at step 0").get_attribute("aria-valuenow")
    assert float(dragged) > 2 and status(page) != before
    press(page, "value of the state at step 0", "ArrowDown", 2)
    now = page.get_by_role("slider", name="value of the state at step 0").get_attribute("aria-valuenow")
    assert float(now) == float(dragged) - 1
    press(page, "trust in rewards", "Home")
    assert page.locator("tr", has_text="weight").locator("td").all_inner_texts() == ["1", "0", "0", "0", "0"]
    page.get_by_role("button", name="Reset").click()
    assert status(page) == before


def test_a_state_of_the_path_is_clicked(mount):
    page = mount(path_figure())
    page.locator(".live-touch[height='76']").nth(3).click()
    assert status(page).startswith("Â3 = 1·(0)")


def test_maps_show_the_errors_that_numpy_computes(mount):
    figure = maps_figure()
    page = mount(figure)
    press(page, "cells visited", "End")
    press(page, "training step", "Home")
    press(page, "training step", "ArrowRight")
    missed = np.array(figure.frames[1][1]) - np.array(figure.truth)
    seen = np.isin(np.arange(STATES), figure.visited[1])
    wanted = [float(np.sqrt((missed[which] ** 2).mean())) for which in (seen, ~seen)]
    assert [float(x) for x in facts(page).values()] == pytest.approx(wanted, abs=0.0051)


def test_maps_train_to_the_last_frame_and_stop(mount):
    page = mount(maps_figure(), reduced_motion="no-preference")
    press(page, "training step", "Home")
    page.get_by_role("button", name="Train").click()
    page.wait_for_function("document.querySelectorAll('input')[1].value === '2'")
    page.get_by_role("button", name="Train").wait_for()


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
