"""The world, its planning and its walks: what the figures compute in JavaScript is what Python computes."""

import itertools
import json

import numpy as np
import pytest
from live_checks import javascript

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.planning import action_values, evaluate_policy, greedy_policy, softmax_policy, value_iteration

CALLS = """
const clean = (x) => (Array.isArray(x) ? x.map(clean) : x === -Infinity ? "-inf" : x);
function twin(text, cost, rewards, gamma, temperature, given) {
  const world = parseWorld(text, cost, rewards), result = valueIteration(world, gamma);
  const numbers = given.map((v) => (v === null ? -Infinity : v));
  const soft = softmaxPolicy(world, numbers, temperature, gamma), greedy = greedyPolicy(world, numbers, gamma);
  return JSON.stringify({
    states: world.states, next: world.next, values: clean(result.values), sweeps: result.sweeps,
    cellVisits: result.cellVisits, history: clean(result.history), forever: clean(forever(world, gamma)),
    q: clean(numbers.map((_, s) => actionValues(world, numbers, gamma, s))),
    soft, greedy, softValue: clean(evaluatePolicy(world, soft, gamma)),
    greedyValue: clean(evaluatePolicy(world, greedy, gamma)) });
}
function draws(row, n, seed) {
  const random = generator(seed), count = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) count[drawMove(row, random)] += 1;
  return JSON.stringify(count);
}
function walks(text, cost, rewards, gamma, temperature, start, limit, n, seed) {
  const world = parseWorld(text, cost, rewards), random = generator(seed);
  const policy = softmaxPolicy(world, valueIteration(world, gamma).values, temperature, gamma);
  return JSON.stringify(Array.from({ length: n }, () => walkFrom(world, policy, start, random, limit, gamma)));
}
function chances(text, cost, rewards, gamma, temperature, start, limit) {
  const world = parseWorld(text, cost, rewards);
  const policy = softmaxPolicy(world, valueIteration(world, gamma).values, temperature, gamma);
  return JSON.stringify(outcomes(world, policy, start, limit, gamma));
}
"""


@pytest.fixture(scope="module")
def engine():
    racer = javascript("twins/gridworld.js", "twins/planning.js", "twins/walks.js")
    racer.eval(CALLS)
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


@pytest.mark.parametrize(("cost", "gamma", "worth"), [(0, 1, 0), (0, 0.5, 0), (1, 0.75, -4), (1, 1, "-inf")])
def test_what_walking_for_ever_is_worth(engine, cost, gamma, worth):
    js = json.loads(engine.call("twin", ". M", cost, {"M": 5}, gamma, 1, [0, 5]))
    assert js["forever"] == worth


def test_draws_follow_the_probabilities_and_repeat_with_the_seed(engine):
    row = [0.6, 0.0, 0.3, 0.1]
    count = np.array(json.loads(engine.call("draws", row, 20_000, 1)))
    assert count[1] == 0
    chi_square = ((count - 20_000 * np.array(row)) ** 2)[[0, 2, 3]] / (20_000 * np.array(row)[[0, 2, 3]])
    assert chi_square.sum() < 13.8  # the 0.999 quantile with two degrees of freedom
    assert json.loads(engine.call("draws", row, 100, 7)) == json.loads(engine.call("draws", row, 100, 7))


@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_walks_obey_the_world_and_their_mean_is_the_value_of_the_policy(engine, gamma):
    world = GridWorld.default(move_cost=0.5)
    call = (world.to_text(), 0.5, world.rewards, gamma, 1.0, 0)
    walks = json.loads(engine.call("walks", *call, 4000, 10_000, 3))
    for walk in walks[:200]:
        points, cells = [0.0], [world.states[s] for s in walk["path"]]
        for step, (cell, following) in enumerate(itertools.pairwise(cells)):
            moves = {world.step(cell, a)[0]: world.step(cell, a)[1:] for a in world.actions(cell)}
            reward, done = moves[following]
            points.append(points[-1] + gamma**step * reward)
        assert done and walk["prize"] == world.terminals[cells[-1]]
        assert walk["points"] == pytest.approx(points) and walk["total"] == walk["points"][-1]
    totals = np.array([walk["total"] for walk in walks])
    policy = softmax_policy(world, value_iteration(world, gamma).values, 1.0, gamma)
    error = totals.std() / np.sqrt(len(totals))
    assert abs(totals.mean() - evaluate_policy(world, policy, gamma)[0]) < 4 * error
    assert json.loads(engine.call("walks", *call, 4000, 20, 3)) == walks[:20]


def test_a_walk_is_given_up_at_the_limit(engine):
    text = ". . . . . . . . . . . M"
    walks = json.loads(engine.call("walks", text, 1.0, {"M": 5}, 1.0, 1e6, 0, 10, 50, 1))
    assert any(walk["prize"] is None for walk in walks)
    for walk in walks:
        assert len(walk["path"]) <= 11 and walk["total"] == (walk["prize"] or 0) - (len(walk["path"]) - 1)


def distribution(world, policy, start, limit, gamma):
    """Points → probability, by multiplying with the matrix of the policy's moves, a move at a time."""
    moves, count = world.transitions(), len(world.states)
    step = np.zeros((count, count))
    np.add.at(step, (np.arange(count)[:, None], moves.next_state), policy * moves.allowed)
    here, found = np.eye(count)[start], {}
    for move in range(1, limit + 1):
        here = here @ step
        paid = -world.move_cost * sum(gamma**k for k in range(move))
        for cell, reward in world.terminals.items():
            points = round(paid + gamma ** (move - 1) * reward, 9)
            found[points] = found.get(points, 0) + here[world.states.index(cell)]
        here = np.where(moves.terminal, 0, here)
    found[round(paid, 9)] = found.get(round(paid, 9), 0) + here.sum()
    return {points: p for points, p in found.items() if p > 0}


@pytest.mark.parametrize("seed", range(60))
def test_outcomes_are_all_that_may_happen_with_their_probabilities(engine, seed):
    starts = []
    for case in itertools.count(seed, 1000):  # the first of these worlds in which somebody can move
        if starts:
            break
        world, gamma, temperature, _ = random_case(case)
        starts = [s for s, state in enumerate(world.states) if world.actions(state)]
    start = starts[seed % len(starts)]
    limit = (1, 7, 60)[seed % 3]
    call = (world.to_text(), world.move_cost, world.rewards, gamma, temperature, start, limit)
    found = {}
    for points, p in json.loads(engine.call("chances", *call)):
        found[round(points, 9)] = found.get(round(points, 9), 0) + p
    policy = softmax_policy(world, value_iteration(world, gamma).values, temperature, gamma)
    wanted = distribution(world, policy, start, limit, gamma)
    assert sum(found.values()) == pytest.approx(1)
    likely = {points: p for points, p in wanted.items() if p > 1e-12}
    assert {points: found[points] for points in likely} == pytest.approx(likely)


def test_the_mean_of_all_outcomes_is_the_value_of_the_policy(engine):
    world = GridWorld.default()
    found = json.loads(engine.call("chances", world.to_text(), 1.0, world.rewards, 1.0, 0.5, 0, 200))
    exact = evaluate_policy(world, softmax_policy(world, value_iteration(world).values, 0.5))[0]
    assert sum(points * p for points, p in found) == pytest.approx(exact, abs=1e-9)
