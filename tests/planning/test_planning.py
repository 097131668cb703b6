"""Planning: values by hand, against networkx, against slow independent versions; policies and their values."""

import numpy as np
import pytest
from worlds import graph, random_world, shortest_values

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.planning import (
    MAX_HISTORY,
    action_values,
    evaluate_policy,
    greedy_policy,
    softmax_policy,
    value_iteration,
)

NAN, INF = np.nan, np.inf


# --- values ---------------------------------------------------------------------------------------------------------


def test_the_books_world_by_hand():
    result = value_iteration(GridWorld.default())
    grid = GridWorld.default().to_grid(result.values)
    np.testing.assert_array_equal(grid, [[-1, 0, 1, NAN, 5], [-2, NAN, 2, 3, 4], [-3, -2, -1, 3, 4]])
    assert result.sweeps == 7  # from (1, 0) it is seven moves to the 5
    assert result.cell_visits == 8 * 10


def test_best_neighbour_less_one():
    world = GridWorld.from_text("# 4 #\n2 . 1\n# 3 #", rewards={"4": 4, "1": 1, "3": -3, "2": 2})
    assert value_iteration(world).values[world.index[1, 1]] == 3


def test_history_sweep_by_sweep():
    result = value_iteration(GridWorld.from_text(". . . m"))
    np.testing.assert_array_equal(
        result.history, [[-INF, -INF, -INF, 4], [-INF, -INF, 3, 4], [-INF, 2, 3, 4], [1, 2, 3, 4]]
    )
    assert (result.sweeps, result.cell_visits) == (3, 4 * 3)


def test_free_moves():
    world = GridWorld.default(move_cost=0)
    values = value_iteration(world).values
    assert all(values[s] == world.terminals.get(state, 5) for s, state in enumerate(world.states))
    assert value_iteration(GridWorld.from_text(". D", move_cost=0)).values[0] == -1  # nowhere else to go
    assert value_iteration(GridWorld.from_text(". . D", move_cost=0)).values.tolist() == [0, 0, -1]  # walks for ever


def test_a_discount_does_not_shrink_the_move_that_ends():
    np.testing.assert_allclose(value_iteration(GridWorld.from_text(". . M", 0), gamma=0.5).values, [2.5, 5, 5])
    np.testing.assert_allclose(value_iteration(GridWorld.from_text(". . M"), gamma=0.5).values, [-1 + 2, 4, 5])
    stuck = GridWorld.from_text(". # M")
    np.testing.assert_allclose(value_iteration(stuck, gamma=0.5).values, [-2, 5])


@pytest.mark.parametrize("seed", range(300))
def test_values_are_networkx_shortest_paths(seed):
    world = random_world(seed)
    result, (values, lengths) = value_iteration(world), shortest_values(world)
    np.testing.assert_allclose(result.values, list(values.values()), rtol=0, atol=1e-9)
    walks = [length for state, length in lengths.items() if state not in world.terminals]
    assert result.sweeps == max(walks, default=0)


def slow_values(world, gamma, sweeps=2000):
    """Bellman backups on dictionaries, from the independent graph."""
    moves, ends = graph(world), world.terminals
    values = dict.fromkeys(world.states, 0.0)
    for _ in range(sweeps):
        values = {
            s: max((ends.get(t, 0) - world.move_cost + (0 if t in ends else gamma * values[t]) for t in moves[s]),
                   default=-world.move_cost + gamma * values[s])
            for s in world.states
        }  # fmt: skip
    return [ends.get(state, values[state]) for state in world.states]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_discounted_values_are_those_of_a_slow_independent_version(seed, gamma):
    world = random_world(seed, largest=4, free=seed % 4 == 0)
    np.testing.assert_allclose(value_iteration(world, gamma).values, slow_values(world, gamma, 300), atol=1e-9)


def test_history_is_optional_and_its_size_is_guarded(monkeypatch):
    world = GridWorld.default()
    assert value_iteration(world, keep_history=False).history.shape == (0, 13)
    monkeypatch.setattr("ppo_helpers.planning.MAX_HISTORY", 50)
    with pytest.raises(ValueError, match="keep_history must be False"):
        value_iteration(world)
    assert MAX_HISTORY * 8 == 2**30


# --- policies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_greedy_on_the_right_values_earns_them(seed):
    world = random_world(seed)
    values = value_iteration(world).values
    np.testing.assert_allclose(evaluate_policy(world, greedy_policy(world, values)), values, atol=1e-8)


def test_ties_share():
    world = GridWorld.from_text("M . M\n# . #")
    policy = greedy_policy(world, value_iteration(world).values)
    np.testing.assert_array_equal(policy[world.index[0, 1]], [0, 0.5, 0, 0.5])
    np.testing.assert_array_equal(policy[world.index[0, 0]], 0)


def test_hopeless_moves_tie():
    world = GridWorld.from_text(". . # M")
    policy = greedy_policy(world, value_iteration(world).values)
    np.testing.assert_array_equal(policy[:2], [[0, 1, 0, 0], [0, 0, 0, 1]])


def test_action_values_use_the_values_given_for_terminals():
    world = GridWorld.from_text(". M", move_cost=0.5)
    np.testing.assert_array_equal(action_values(world, [9, 2]), [[-INF, 1.5, -INF, -INF], [-INF] * 4])
    np.testing.assert_array_equal(action_values(world, [9, 2], gamma=0.5)[0, 1], 1.5)
    world = GridWorld.from_text(". . M")
    assert action_values(world, [4, 2, 5], gamma=0.5)[1].tolist() == [-INF, 4, -INF, 1]


def test_softmax_by_hand():
    world = GridWorld.from_text("# 4 #\n2 . 1\n# 3 #", rewards={"4": 4, "1": 1, "3": -3, "2": 2})
    weights = np.exp([3, 0, -4, 1])
    policy = softmax_policy(world, value_iteration(world).values, 1.0)
    np.testing.assert_allclose(policy[world.index[1, 1]], weights / weights.sum())


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("temperature", [1e-6, 0.1, 1.0, 1e6])
def test_softmax_rows_are_distributions_over_open_moves(seed, temperature):
    world = random_world(seed)
    policy, moves = softmax_policy(world, value_iteration(world).values, temperature), world.transitions()
    assert (policy[~moves.allowed] == 0).all() and (policy >= 0).all()
    np.testing.assert_allclose(policy.sum(axis=1), moves.allowed.any(axis=1))


def test_softmax_is_greedy_when_cold_and_uniform_when_hot():
    world = GridWorld.default()
    values, allowed = value_iteration(world).values, world.transitions().allowed
    np.testing.assert_allclose(softmax_policy(world, values, 1e-3), greedy_policy(world, values), atol=1e-9)
    uniform = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(softmax_policy(world, values, 1e9), uniform, atol=1e-6)
    np.testing.assert_allclose(softmax_policy(world, values + 100, 1.0), softmax_policy(world, values, 1.0))


# --- the value of a policy ------------------------------------------------------------------------------------------


def uniform_policy(world):
    allowed = world.transitions().allowed
    return allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)


def test_a_corridor_by_hand():
    world = GridWorld.from_text(". . M")
    for p in (0.5, 0.9, 1e-3):
        policy = np.array([[0, 1, 0, 0], [0, p, 0, 1 - p], [0, 0, 0, 0]])
        middle = 4 - 2 * (1 - p) / p
        np.testing.assert_allclose(evaluate_policy(world, policy), [middle - 1, middle, 5])


def test_a_walk_that_ends_once_in_10_to_the_50_moves_is_still_exact():
    world = GridWorld.from_text(". . M")
    p = 1e-50
    policy = np.array([[0, 1, 0, 0], [0, p, 0, 1 - p], [0, 0, 0, 0]])
    np.testing.assert_allclose(evaluate_policy(world, policy)[:2], -2 / p, rtol=1e-12)


def test_ends_too_rare_for_a_float_give_no_nan():
    rare = np.zeros((5, 4))
    rare[0, 1] = 1
    rare[1:4, 1], rare[1:4, 3] = 1e-150, 1
    values = evaluate_policy(GridWorld.from_text(". . . . M"), rare)
    assert (values[:4] < -1e149).all() and values[4] == 5
    assert np.isfinite(evaluate_policy(GridWorld.from_text(". . . . M", move_cost=0), rare)).all()


def test_a_large_world_is_evaluated_through_its_few_links():
    world = GridWorld(["." * 40] * 39 + ["." * 39 + "M"])
    values = value_iteration(world).values
    np.testing.assert_allclose(evaluate_policy(world, greedy_policy(world, values)), values)


def test_a_walk_that_never_ends():
    circles = np.array([[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    assert evaluate_policy(GridWorld.from_text(". . M"), circles).tolist() == [-INF, -INF, 5]
    assert evaluate_policy(GridWorld.from_text(". . M", move_cost=0), circles).tolist() == [0, 0, 5]
    np.testing.assert_allclose(evaluate_policy(GridWorld.from_text(". . M"), circles, gamma=0.9), [-10, -10, 5])


def test_a_chance_of_never_ending_is_enough_for_minus_infinity():
    world = GridWorld.from_text(". . . M\n. # # #")
    policy = np.zeros((5, 4))
    policy[0, 2], policy[4, 0] = 1, 1  # down and up for ever
    policy[1] = [0, 0.5, 0, 0.5]
    policy[2, 1] = 1
    assert evaluate_policy(world, policy).tolist() == [-INF, -INF, 4, 5, -INF]
    free = GridWorld.from_text(world.to_text(), move_cost=0)
    assert evaluate_policy(free, policy).tolist() == [0, 2.5, 5, 5, 0]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("gamma", [0.6, 0.95])
def test_policy_values_solve_the_linear_equations(seed, gamma):
    world = random_world(seed, largest=5)
    policy, moves = uniform_policy(world), world.transitions()
    count = len(world.states)
    matrix, reward = np.eye(count), np.zeros(count)
    for s in range(count):
        for a in range(4):
            reward[s] += policy[s, a] * moves.reward[s, a]
            if not moves.terminal[moves.next_state[s, a]]:
                matrix[s, moves.next_state[s, a]] -= gamma * policy[s, a]
    solved = np.linalg.solve(matrix, reward)
    walking = moves.allowed.any(axis=1)
    np.testing.assert_allclose(evaluate_policy(world, policy, gamma)[walking], solved[walking], atol=1e-9)


def test_policy_value_is_the_mean_of_walks():
    world, rng = GridWorld.default(), np.random.default_rng(0)
    policy = softmax_policy(world, value_iteration(world).values, 0.5)
    earned = []
    for _ in range(2000):
        state, done, total = (0, 0), False, 0.0
        while not done:
            action = rng.choice(4, p=policy[world.states.index(state)])
            state, reward, done = world.step(state, int(action))
            total += reward
        earned.append(total)
    error = np.std(earned) / np.sqrt(len(earned))
    assert abs(np.mean(earned) - evaluate_policy(world, policy)[0]) < 4 * error


def test_no_policy_beats_the_optimum():
    world, rng = GridWorld.default(), np.random.default_rng(1)
    values, allowed = value_iteration(world).values, world.transitions().allowed
    for _ in range(100):
        policy = rng.dirichlet(np.full(4, 0.3), len(values)) * allowed + 1e-9 * allowed
        policy = policy / np.maximum(policy.sum(axis=1, keepdims=True), 1e-300)
        assert (evaluate_policy(world, policy) <= values + 1e-9).all()


# --- bad input ------------------------------------------------------------------------------------------------------

WORLD = GridWorld.from_text(". . M")
GOOD = np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float)


def changed(index, value):
    policy = GOOD.copy()
    policy[index] = value
    return policy


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: value_iteration(WORLD, gamma=0), r"gamma must be in \(0, 1\], got 0"),
        (lambda: value_iteration(WORLD, gamma=1.1), "got 1.1"),
        (lambda: value_iteration(WORLD, tol=-1), "tol must be at least 0, got -1"),
        (lambda: action_values(WORLD, [1, 2]), r"values must .* shape \(3,\), got shape \(2,\)"),
        (lambda: greedy_policy(WORLD, [1, NAN, 2]), r"must not be NaN or \+inf, got nan in state \(0, 1\)"),
        (lambda: softmax_policy(WORLD, [1, 2, INF], 1), r"got inf in state \(0, 2\)"),
        (lambda: softmax_policy(WORLD, [1, 2, 3], 0), "temperature must be a positive finite number, got 0"),
        (lambda: softmax_policy(WORLD, [1, 2, 3], INF), "temperature"),
        (lambda: softmax_policy(WORLD, [1, 2, 3], 1, gamma=-1), "gamma"),
        (lambda: evaluate_policy(WORLD, GOOD[:2]), r"policy must have shape \(3, 4\), got \(2, 4\)"),
        (lambda: evaluate_policy(WORLD, changed((0, 1), 0.5)), r"sum to 1, got .* in state \(0, 0\)"),
        (lambda: evaluate_policy(WORLD, changed((0, 0), 0.5)), "policy must be probabilities of the open moves"),
        (lambda: evaluate_policy(WORLD, changed((1, slice(None)), [0, 1.5, 0, -0.5])), r"state \(0, 1\)"),
        (lambda: evaluate_policy(WORLD, changed((1, 1), NAN)), r"state \(0, 1\)"),
        (lambda: evaluate_policy(WORLD, GOOD, gamma=2), "gamma must be"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
