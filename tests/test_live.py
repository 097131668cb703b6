"""Live figures: the JavaScript computes what Python computes, and the state that travels is small and clean JSON."""

import itertools
import json
import math
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
import traitlets
from py_mini_racer import MiniRacer

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import GridEditor, LiveFigure, PolicyPlayground, fallback
from ppo_helpers.live.base import FILES, ICONS, WIDGET_VIEW
from ppo_helpers.planning import action_values, evaluate_policy, greedy_policy, softmax_policy, value_iteration

CALL = """
function twin(text, cost, rewards, gamma, temperature, given) {
  const world = parseWorld(text, cost, rewards), result = valueIteration(world, gamma);
  const numbers = given.map((v) => (v === null ? -Infinity : v));
  const soft = softmaxPolicy(world, numbers, temperature, gamma), greedy = greedyPolicy(world, numbers, gamma);
  const clean = (x) => Array.isArray(x) ? x.map(clean) : x === -Infinity ? "-inf" : x;
  return JSON.stringify({
    states: world.states, next: world.next, values: clean(result.values), sweeps: result.sweeps,
    cellVisits: result.cellVisits, history: clean(result.history),
    q: clean(numbers.map((_, s) => actionValues(world, numbers, gamma, s))),
    soft, greedy, softValue: clean(evaluatePolicy(world, soft, gamma)),
    greedyValue: clean(evaluatePolicy(world, greedy, gamma)) });
}
"""


def script(*names):
    parts = [f"const ICONS = {json.dumps(ICONS)};", *((FILES / name).read_text("utf-8") for name in names)]
    return re.sub(r"^export ", "", "\n".join(parts), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def engine():
    racer = MiniRacer()
    racer.eval(script("figure.js", "gridworld.js", "grid_view.js") + CALL)
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
    assert js["sweeps"] == result.sweeps and js["cellVisits"] == result.cell_visits
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


WALKS = """
function walks(text, cost, rewards, gamma, temperature, start, limit, n, seed) {
  const world = parseWorld(text, cost, rewards), random = generator(seed);
  const policy = softmaxPolicy(world, valueIteration(world, gamma).values, temperature, gamma);
  return JSON.stringify(Array.from({ length: n }, () => walkFrom(world, policy, start, random, limit, gamma)));
}
"""


@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_walks_obey_the_world_and_their_mean_is_the_value_of_the_policy(engine, gamma):
    engine.eval(WALKS)
    world = GridWorld.default(move_cost=0.5)
    call = (world.to_text(), 0.5, world.rewards, gamma, 1.0, 0)
    walks = json.loads(engine.call("walks", *call, 10_000, 4000, 3))
    for walk in walks[:200]:
        total, cells = 0.0, [world.states[s] for s in walk["path"]]
        for step, (cell, following) in enumerate(itertools.pairwise(cells)):
            moves = {world.step(cell, a)[0]: world.step(cell, a)[1:] for a in world.actions(cell)}
            reward, done = moves[following]
            total += gamma**step * reward
        assert done and walk["prize"] == world.terminals[cells[-1]]
        assert walk["total"] == pytest.approx(total)
    totals = np.array([walk["total"] for walk in walks])
    policy = softmax_policy(world, value_iteration(world, gamma).values, 1.0, gamma)
    error = totals.std() / np.sqrt(len(totals))
    assert abs(totals.mean() - evaluate_policy(world, policy, gamma)[0]) < 4 * error
    assert json.loads(engine.call("walks", *call, 10_000, 20, 3)) == walks[:20]


def test_a_walk_is_given_up_at_the_limit(engine):
    engine.eval(WALKS)
    text = ". . . . . . . . . . . M"
    walks = json.loads(engine.call("walks", text, 1.0, {"M": 5}, 1.0, 1e6, 0, 10, 50, 1))
    assert any(walk["prize"] is None for walk in walks)
    for walk in walks:
        assert len(walk["path"]) <= 11 and walk["total"] == (walk["prize"] or 0) - (len(walk["path"]) - 1)


def elements(svg):
    """An SVG's elements with their attributes, numbers as numbers: how they are written does not matter."""
    words = [(e.tag, e.text, sorted(e.attrib.items())) for e in ET.fromstring(f"<svg>{svg}</svg>").iter()][1:]
    parse = lambda text: [float(x) if re.search(r"\d", x) else x for x in re.findall(r"[−+-]?[\d.]+|[^\d]+", text)]  # noqa: E731
    return [(tag, text, [(name, parse(value)) for name, value in attributes]) for tag, text, attributes in words]


CELLS = [
    (".", None, 3.0, [0.5, 0.5, 0, 0]),
    (".", None, -2.75, [0.003, 0.4, 0.587, 0.01]),
    ("S", None, None, [0, 0, 0, 1]),
    (".", None, -np.inf, None),
    ("M", 5.0, 5.0, None),
    ("D", -1.0, None, None),
    ("<", 2.5, 2.5, None),
]


@pytest.mark.parametrize(("symbol", "reward", "value", "policy"), CELLS)
def test_still_picture_draws_cells_as_the_page_does(engine, symbol, reward, value, policy):
    world = GridWorld([f"{symbol}M"], rewards={"<": 2.5})
    python = fallback._cell(world, (0, 0), value, policy, 0.0).removeprefix(fallback._shade(0.0))
    words = None if value is None else "−∞" if np.isneginf(value) else fallback.number(value)
    cell = {"symbol": symbol, "reward": reward, "words": words, "policy": policy}
    drawn = engine.eval(f"cellPicture({json.dumps(cell)})")
    javascript = re.fullmatch(r"<svg[^>]*>(.*)</svg>", drawn)[1]
    assert sorted(map(str, elements(javascript))) == sorted(map(str, elements(python))) != []


@pytest.mark.parametrize(
    "value", [-7, -5, -2.26, -0.25, -0.04, 0, 0.05, 0.25, 2.25, 2.35, 1 / 3, 2.5, 3.999, 5, 12.34, 2e6]
)
def test_numbers_and_colours_are_the_pages(engine, value):
    assert engine.eval(f"show({value})") == fallback.number(value)
    assert engine.eval(f"valueColor({value})") == fallback.value_color(value)


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


def luminance(rgb):
    share = np.array(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("ground", [fallback.LOW, fallback.MIDDLE, fallback.HIGH, (0xD3, 0xD3, 0xCF)])
def test_numbers_can_be_read_on_every_ground(ground):
    assert (luminance(ground) + 0.05) / (luminance((0x1D, 0x24, 0x30)) + 0.05) >= 4.5


def test_a_state_that_json_cannot_say_is_refused():
    class Series(LiveFigure):
        _js = ()
        points = traitlets.List().tag(sync=True)

    with pytest.raises(ValueError, match="points must not hold NaN or infinity"):
        Series(alt="a series", points=[1.0, math.nan])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("text", ". .\n.", "rows of equal length"),
        ("text", ". x", "made of"),
        ("text", "", "rows of equal length"),
        ("move_cost", -1.0, "move_cost must be in"),
        ("move_cost", math.nan, "move_cost must be in .*, got nan"),
        ("gamma", 0.0, r"gamma must be in \(0, 1\], got 0"),
    ],
)
def test_what_is_no_world_is_refused_later_too(name, value, message):
    figure = GridEditor(alt="an editor")
    with pytest.raises(ValueError, match=message):
        setattr(figure, name, value)
    assert figure.world.to_text() == GridWorld.default().to_text()


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
def test_a_playground_refuses_what_it_cannot_walk(name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(PolicyPlayground(alt="a playground"), name, value)


def test_policy_and_values_are_those_shown():
    world = GridWorld.default()
    few = value_iteration(GridWorld.from_text(world.to_text().replace("M", "."))).values
    tables = {"all": value_iteration(world).values, "few": few}
    figure = PolicyPlayground(world, value_tables=tables, alt="two tables")
    figure.table, figure.temperature = 1, 0.5
    np.testing.assert_allclose(figure.policy(), softmax_policy(world, few, 0.5))
    figure.temperature = 0
    np.testing.assert_allclose(figure.policy(), greedy_policy(world, few))


def test_importing_the_figures_imports_neither_torch_nor_matplotlib():
    code = "import sys, ppo_helpers.live; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_javascript_files_stay_short():
    assert {f.name: n for f in FILES.glob("*.js") if (n := len(f.read_text("utf-8").splitlines())) > 150} == {}
