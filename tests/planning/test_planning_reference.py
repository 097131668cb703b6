"""Planning against independent references on random worlds: linear programs, dense solves, reachability, scipy."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import softmax
from worlds import graph, random_world

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.planning import action_values, evaluate_policy, greedy_policy, softmax_policy, value_iteration

seeds, temperatures = st.integers(0, 10**6), st.floats(0.05, 20)


def random_policy(world, seed, sparse):
    """(S, 4) probabilities of the open moves; ``sparse`` closes some, so that walks may go round for ever."""
    rng, policy = np.random.default_rng(seed), np.zeros((len(world.states), 4))
    for row, state in zip(policy, world.states, strict=True):
        moves = rng.permutation(world.actions(state)).astype(int)
        if len(moves):
            moves = moves[: rng.integers(1, len(moves) + 1)] if sparse else moves
            row[moves] = rng.dirichlet(np.ones(len(moves)))
    return policy


# --- the best values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_free_moves_are_worth_the_best_end_or_nothing(seed):
    world = random_world(seed, free=True)
    links, ends = graph(world), world.terminals
    for state, value in zip(world.states, value_iteration(world).values, strict=True):
        reached = [ends[there] for there in {state, *nx.descendants(links, state)} if there in ends]
        may_idle = state not in ends and (not links[state] or any(there not in ends for there in links[state]))
        assert value == max(reached + [0.0] * may_idle), state


@pytest.mark.parametrize("seed", range(60))
def test_discounted_values_solve_the_linear_program(seed):
    world, gamma = random_world(seed), np.random.default_rng(seed).uniform(0.05, 0.99)
    links, ends = graph(world), world.terminals
    number = {state: i for i, state in enumerate(world.states)}
    edges = list(links.edges)
    left, right = np.zeros((len(edges), len(number))), np.zeros(len(edges))
    for row, (state, there) in enumerate(edges):  # V(s) ≥ r + γ V(s')
        left[row, number[state]] -= 1
        left[row, number[there]] += 0 if there in ends else gamma
        right[row] = world.move_cost - ends.get(there, 0)
    fixed = {s: ends.get(s, -world.move_cost / (1 - gamma)) for s in world.states if not links[s]}
    bounds = [(fixed[s], fixed[s]) if s in fixed else (None, None) for s in world.states]
    program = linprog(np.ones(len(number)), left, right, bounds=bounds)
    np.testing.assert_allclose(value_iteration(world, gamma).values, program.x, atol=1e-6)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("gamma", [1.0, 0.9, 0.3])
def test_values_are_a_fixed_point_that_the_greedy_policy_earns_and_none_beats(seed, gamma):
    world = random_world(seed)
    values, moving = value_iteration(world, gamma).values, world.transitions().allowed.any(axis=1)
    np.testing.assert_allclose(action_values(world, values, gamma).max(axis=1)[moving], values[moving], atol=1e-9)
    earned = evaluate_policy(world, greedy_policy(world, values, gamma), gamma)
    np.testing.assert_allclose(earned, values, atol=1e-7)
    assert (evaluate_policy(world, random_policy(world, seed, sparse=False), gamma) <= values + 1e-9).all()


def test_greedy_forgives_rounding_and_nothing_else():
    for reward, left in [(0.1 + 0.2, 0.5), (0.3 + 1e-7, 1.0)]:
        world = GridWorld.from_text("a . b", move_cost=0, rewards={"a": reward, "b": 0.3})
        assert greedy_policy(world, value_iteration(world).values)[1].tolist() == [0, 1 - left, 0, left]


# --- the value of a policy ------------------------------------------------------------------------------------------


def dense_values(world, policy, gamma):
    """V^π by a dense solve; at γ = 1, walks that may not end are found by reachability."""
    count, ends, cost = len(world.states), world.terminals, world.move_cost
    number = {state: i for i, state in enumerate(world.states)}
    step, reward, links = np.zeros((count, count)), np.zeros(count), nx.empty_graph(world.states, nx.DiGraph)
    for (row, col), s in number.items():
        for p, there in zip(policy[s], [(row - 1, col), (row, col + 1), (row + 1, col), (row, col - 1)], strict=True):
            if p > 0:
                links.add_edge((row, col), there)
                reward[s] += p * (ends.get(there, 0) - cost)
                step[s, number[there]] += p * (there not in ends)
    lost = {s for s in links if not {s, *nx.descendants(links, s)} & set(ends)}
    doubtful = {s for s in links if {s, *nx.descendants(links, s)} & lost}
    outside = {s for s in links if not links[s]} if gamma < 1 else doubtful if cost else lost
    forever = 0.0 if not cost else -np.inf if gamma == 1 else -cost / (1 - gamma)
    values = np.array([ends.get(s, forever) for s in world.states])
    inside = [number[s] for s in links if s not in outside and s not in ends]
    square = np.ix_(inside, inside)
    values[inside] = np.linalg.solve(np.eye(len(inside)) - gamma * step[square], reward[inside])
    return values


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("sparse", [True, False])
def test_policy_values_equal_a_dense_solve(seed, sparse):
    world = random_world(seed)
    policy = random_policy(world, seed, sparse)
    for place in (world, GridWorld.from_text(world.to_text(), move_cost=0)):
        for gamma in (1.0, 0.95, 0.3):
            expected = dense_values(place, policy, gamma)
            np.testing.assert_allclose(evaluate_policy(place, policy, gamma), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.filterwarnings("error")
def test_free_walks_that_end_once_in_10_to_the_17_moves_still_earn():
    policy = np.array([[0, 1, 0, 0], [0, 1e-17, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_allclose(evaluate_policy(GridWorld.from_text(". . M", move_cost=0), policy), 5)


# --- softmax --------------------------------------------------------------------------------------------------------


@given(seeds, temperatures, st.sampled_from([1.0, 0.7]))
def test_softmax_is_scipys_on_any_values(seed, temperature, gamma):
    world = random_world(seed)
    values = np.random.default_rng(seed).normal(0, 3, len(world.states))
    policy, moving = softmax_policy(world, values, temperature, gamma), world.transitions().allowed.any(axis=1)
    expected = softmax(action_values(world, values, gamma)[moving] / temperature, axis=1)
    np.testing.assert_allclose(policy[moving], expected, atol=1e-12)
    assert not policy[~moving].any()


@given(seeds, st.floats(-50, 50), st.floats(0.1, 10))
def test_softmax_ignores_a_shift_and_a_common_scale(seed, shift, scale):
    world = random_world(seed)
    values = np.random.default_rng(seed).normal(0, 3, len(world.states))
    policy = softmax_policy(world, values, 0.8)
    np.testing.assert_allclose(softmax_policy(world, values + shift, 0.8), policy, atol=1e-9)
    costly = GridWorld.from_text(world.to_text(), move_cost=world.move_cost * scale)
    np.testing.assert_allclose(softmax_policy(costly, values * scale, 0.8 * scale), policy, atol=1e-9)


@given(seeds, st.sampled_from([1e-6, 0.5, 1e6]), st.sampled_from([1.0, 0.9]))
@pytest.mark.filterwarnings("error")
def test_softmax_is_finite_and_silent_at_any_temperature(seed, temperature, gamma):
    world = random_world(seed)
    policy = softmax_policy(world, value_iteration(world, gamma).values, temperature, gamma)
    assert np.isfinite(policy).all()
    np.testing.assert_allclose(policy.sum(axis=1), world.transitions().allowed.any(axis=1))


def test_softmax_never_takes_a_hopeless_move_when_another_has_hope():
    policy = softmax_policy(GridWorld.from_text(". . . M"), [-np.inf, -np.inf, 4, 5], temperature=1e6)
    np.testing.assert_array_equal(policy[:2], [[0, 1, 0, 0], [0, 1, 0, 0]])


# --- errors ---------------------------------------------------------------------------------------------------------

BOOK = GridWorld.from_text(". . . # M\n. # . . .\n. . D . m")
VALUES = value_iteration(BOOK).values
CALLS = {
    "value_iteration": lambda **kw: value_iteration(BOOK, **kw),
    "action_values": lambda **kw: action_values(BOOK, **{"values": VALUES} | kw),
    "greedy_policy": lambda **kw: greedy_policy(BOOK, **{"values": VALUES} | kw),
    "softmax_policy": lambda **kw: softmax_policy(BOOK, **{"values": VALUES, "temperature": 1} | kw),
    "evaluate_policy": lambda **kw: evaluate_policy(BOOK, **{"policy": greedy_policy(BOOK, VALUES)} | kw),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("gamma", [0, -0.5, 1.1, np.nan])
def test_every_function_checks_gamma(name, gamma):
    CALLS[name](gamma=1)
    with pytest.raises(ValueError, match=r"gamma must be in \(0, 1\], got"):
        CALLS[name](gamma=gamma)


@pytest.mark.parametrize("name", ["action_values", "greedy_policy", "softmax_policy"])
@pytest.mark.parametrize("shape", [(15,), (3, 5), (13, 1), ()])
def test_every_function_checks_the_shape_of_values_and_that_none_is_nan(name, shape):
    with pytest.raises(ValueError, match=r"shape \(13,\), got shape"):
        CALLS[name](values=np.zeros(shape))
    with pytest.raises(ValueError, match=r"nan in state \(1, 2\)"):
        CALLS[name](values=np.where(np.arange(13) == 5, np.nan, 0))


@pytest.mark.parametrize(
    ("row", "numbers", "where"),
    [
        (0, [0, 0.6, 0.6, 0], r"\(0, 0\), where the open moves are \[1, 2\]"),
        (0, [1, 0, 0, 0], r"\(0, 0\)"),  # blocked
        (0, [0, 0, 0, 0], r"\(0, 0\)"),  # none, where some are open
        (3, [0, 0, 1, 0], r"\(0, 4\), where the open moves are \[\]"),  # out of a terminal
    ],
)
def test_a_policy_takes_open_moves_only(row, numbers, where):
    policy = greedy_policy(BOOK, VALUES)
    policy[row] = numbers
    with pytest.raises(ValueError, match="in state " + where):
        evaluate_policy(BOOK, policy)
