"""Live figures: the JavaScript computes what Python computes, and the state that travels is small and clean JSON."""

import json
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import GridEditor, LiveFigure, PolicyPlayground, fallback
from ppo_helpers.live.base import FILES, WIDGET_VIEW
from ppo_helpers.planning import action_values, evaluate_policy, greedy_policy, softmax_policy, value_iteration

CALL = """
function twin(text, cost, rewards, gamma, temperature, given) {
  const world = parseWorld(text, cost, rewards), result = valueIteration(world, gamma);
  const numbers = given.map((v) => (v === null ? -Infinity : v));
  const soft = softmaxPolicy(world, numbers, temperature, gamma), greedy = greedyPolicy(world, numbers, gamma);
  const clean = (x) => Array.isArray(x) ? x.map(clean) : x === -Infinity ? "-inf" : x;
  return JSON.stringify({
    states: world.states, next: world.next, values: clean(result.values), sweeps: result.sweeps,
    history: clean(result.history), q: clean(numbers.map((_, s) => actionValues(world, numbers, gamma, s))),
    soft, greedy, softValue: clean(evaluatePolicy(world, soft, gamma)),
    greedyValue: clean(evaluatePolicy(world, greedy, gamma)) });
}
"""


def script():
    return re.sub(r"^export ", "", (FILES / "gridworld.js").read_text("utf-8"), flags=re.MULTILINE) + CALL


@pytest.fixture(scope="module")
def engine():
    racer = MiniRacer()
    racer.eval(script())
    return racer


def random_case(seed):
    """A world of up to 6 × 6, a cost, a discount, a temperature, and values that a reader might have."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 7, 2)
    cells = rng.choice(list("...##MmD."), (height, width))
    cells[rng.integers(height), rng.integers(width)] = rng.choice(list("MmD"))
    world = GridWorld(["".join(row) for row in cells], move_cost=float(rng.choice([0, 0.1, 0.5, 1, 1.7])))
    gamma = float(rng.choice([1.0, 1.0, 0.9, 0.5]))
    values = rng.normal(0, 3, len(world.states))
    values[rng.random(len(values)) < 0.2] = -np.inf
    return world, gamma, float(rng.choice([0.05, 0.5, 1, 5])), values


def numbers(nested):
    if isinstance(nested, list):
        return np.array([numbers(item) for item in nested])
    return -np.inf if nested == "-inf" else float(nested)


@pytest.mark.parametrize("seed", range(200))
def test_javascript_is_pythons_twin(engine, seed):
    world, gamma, temperature, values = random_case(seed)
    given = [None if np.isneginf(v) else v for v in values]
    js = json.loads(engine.call("twin", world.to_text(), world.move_cost, world.rewards, gamma, temperature, given))
    moves, result = world.transitions(), value_iteration(world, gamma)
    assert [tuple(state) for state in js["states"]] == world.states
    np.testing.assert_array_equal(js["next"], np.where(moves.allowed, moves.next_state, -1))
    assert js["sweeps"] == result.sweeps
    np.testing.assert_allclose(numbers(js["values"]), result.values, rtol=1e-12)
    np.testing.assert_allclose(numbers(js["history"]), result.history, rtol=1e-12)
    np.testing.assert_allclose(numbers(js["q"]), action_values(world, values, gamma), rtol=1e-12)
    soft, greedy = softmax_policy(world, values, temperature, gamma), greedy_policy(world, values, gamma)
    np.testing.assert_allclose(js["soft"], soft, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(js["greedy"], greedy)
    np.testing.assert_allclose(numbers(js["greedyValue"]), evaluate_policy(world, greedy, gamma), rtol=1e-6)
    np.testing.assert_allclose(numbers(js["softValue"]), evaluate_policy(world, soft, gamma), rtol=1e-6)


def test_draws_follow_the_probabilities_and_repeat_with_the_seed(engine):
    engine.eval("""
      function draws(row, n, seed) {
        const random = generator(seed), count = [0, 0, 0, 0];
        for (let i = 0; i < n; i++) count[drawMove(row, random)] += 1;
        return JSON.stringify(count);
      }""")
    row = [0.6, 0.0, 0.3, 0.1]
    count = np.array(json.loads(engine.call("draws", row, 20_000, 1)))
    assert count[1] == 0
    chi_square = ((count - 20_000 * np.array(row)) ** 2)[[0, 2, 3]] / (20_000 * np.array(row)[[0, 2, 3]])
    assert chi_square.sum() < 13.8  # the 0.999 quantile with two degrees of freedom
    assert json.loads(engine.call("draws", row, 100, 7)) == json.loads(engine.call("draws", row, 100, 7))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed; the same code ran in mini-racer")
def test_every_module_is_valid_javascript_for_node_too(tmp_path):
    for figure in (GridEditor, PolicyPlayground):
        (tmp_path / "figure.mjs").write_text(figure._esm, "utf-8")
        check = "import('./figure.mjs').then((m) => process.exit(typeof m.default.render === 'function' ? 0 : 1))"
        subprocess.run(["node", "-e", check], cwd=tmp_path, check=True)


# --- Python's side --------------------------------------------------------------------------------------------------


def figures():
    world = GridWorld.from_text("S . M\n# . D\n. # m", move_cost=0.5)
    values = value_iteration(world).values
    few = np.where(values > 3, values, -np.inf)
    return [
        GridEditor(alt="an editor"),
        GridEditor(world, gamma=0.9, alt='with "quotes" & <signs>'),
        PolicyPlayground(alt="a playground"),
        PolicyPlayground(world, temperature=0, value_tables={"all": values, "few": few}, alt="two tables"),
    ]


every_figure = pytest.mark.parametrize("figure", figures(), ids=lambda f: f.alt[:12])


@every_figure
def test_state_is_clean_json_and_small(figure):
    state = json.dumps(figure.get_state(), allow_nan=False)
    assert len(state) < 100_000


@every_figure
def test_html_carries_the_view_and_a_still_picture(figure):
    bundle = figure._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert WIDGET_VIEW in data and figure.alt in data["text/plain"]
    found = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.setdefault(tag, dict(attributes))

        def handle_data(self, text):
            if text.startswith("{"):
                found["view"] = json.loads(text)

    Reader().feed(data["text/html"])
    assert found["svg"]["role"] == "img" and found["svg"]["aria-label"] == figure.alt
    assert found["script"]["type"] == WIDGET_VIEW and found["view"]["model_id"] == figure.model_id
    assert "noscript" in found


@every_figure
def test_still_picture_is_well_formed_and_shows_every_terminal(figure):
    picture = re.search(r"<svg.*</svg>", figure.fallback(), re.DOTALL)[0]
    words = [text.text for text in ET.fromstring(picture).iter("text")]
    for reward in figure.world.terminals.values():
        assert f"{reward:+g}".replace("-", "−") in words


def test_values_stand_in_the_still_picture_of_the_editor():
    figure = GridEditor(GridWorld.from_text(". . M"), alt="corridor")
    words = [text.text for text in ET.fromstring(re.search(r"<svg.*</svg>", figure.fallback())[0]).iter("text")]
    assert words == ["3", "4", "+5"]


def test_world_follows_what_is_painted():
    figure = GridEditor(alt="an editor")
    figure.text, figure.move_cost = ". . D", 0.25
    assert figure.world.move_cost == 0.25 and list(figure.world.terminals.values()) == [-1]
    figure.text = ". . ."
    with pytest.raises(ValueError, match="no terminal"):
        _ = figure.world


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GridEditor(alt=" "), "alt must say"),
        (lambda: GridEditor(gamma=1.5, alt="x"), r"gamma must be in \(0, 1\], got 1.5"),
        (lambda: PolicyPlayground(temperature=-1, alt="x"), r"temperature must be in \[0, 10\], got -1"),
        (lambda: PolicyPlayground(value_tables={}, alt="x"), "at least one table"),
        (lambda: PolicyPlayground(value_tables={"a": [1, 2]}, alt="x"), r"value_tables\['a'\] must be 13 numbers"),
        (lambda: PolicyPlayground(value_tables={"a": [math.nan] * 13}, alt="x"), "none NaN"),
        (lambda: PolicyPlayground(GridWorld.from_text("M m"), alt="x"), "no cell to start from"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_figure_must_draw_its_fallback():
    class Empty(LiveFigure):
        _js = ()

    with pytest.raises(NotImplementedError):
        Empty(alt="nothing").fallback()


def test_colours_agree_with_the_page():
    script = (FILES / "grid_view.js").read_text("utf-8")
    ramp = {
        name: [int(x) for x in rgb.split(",")] for name, rgb in re.findall(r"(low|middle|high): \[([\d, ]+)\]", script)
    }
    assert ramp == {"low": fallback.LOW.tolist(), "middle": fallback.MIDDLE.tolist(), "high": fallback.HIGH.tolist()}
