"""The world: text, states, moves, and what it says to bad input."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import graph, random_world

from ppo_helpers.gridworld import GridWorld

UP, RIGHT, DOWN, LEFT = range(4)


def test_the_books_world():
    world = GridWorld.default()
    assert world.shape == (3, 5)
    assert world.states == [(0, 0), (0, 1), (0, 2), (0, 4), (1, 0), (1, 2), (1, 3), (1, 4), *[(2, c) for c in range(5)]]
    assert world.terminals == {(0, 4): 5, (2, 2): -1, (2, 4): 4}
    assert world.starts == [state for state in world.states if state not in world.terminals]


def test_open_moves_are_numbered_up_right_down_left():
    world = GridWorld.from_text(". . .\n. . .\n. # M")
    assert world.actions((1, 1)) == [UP, RIGHT, LEFT]
    assert world.actions((0, 0)) == [RIGHT, DOWN]
    assert world.actions((2, 0)) == [UP]
    assert world.actions((2, 2)) == []


def test_a_move_pays_its_cost_and_entering_pays_the_reward():
    world = GridWorld.from_text(". . M\n. D m", move_cost=0.5)
    assert world.step((0, 0), RIGHT) == ((0, 1), -0.5, False)
    assert world.step((0, 1), RIGHT) == ((0, 2), 4.5, True)
    assert world.step((0, 1), DOWN) == ((1, 1), -1.5, True)


def test_rewards_can_be_overridden_and_added():
    world = GridWorld.from_text(". D K", rewards={"D": -10, "K": 2.5})
    assert world.terminals == {(0, 1): -10, (0, 2): 2.5}


def test_start_cells():
    world = GridWorld.from_text("S . M\n. # S\n. # #")
    assert world.starts == [(0, 0), (1, 2)]
    cut_off = GridWorld.from_text(". # .\n# # M")
    assert cut_off.starts == [(0, 2)]


@pytest.mark.parametrize("seed", range(60))
def test_transitions_agree_with_an_independent_graph(seed):
    world, moves = random_world(seed), random_world(seed).transitions()
    edges = {
        (state, world.states[moves.next_state[s, a]]): moves.reward[s, a]
        for s, state in enumerate(world.states)
        for a in np.flatnonzero(moves.allowed[s])
    }
    assert set(edges) == set(graph(world).edges)
    for (_, to), reward in edges.items():
        assert reward == pytest.approx(world.terminals.get(to, 0) - world.move_cost)
    blocked = ~moves.allowed
    np.testing.assert_array_equal(moves.next_state[blocked], np.where(blocked)[0])
    assert (moves.reward[moves.terminal] == 0).all()
    assert (moves.reward[blocked & ~moves.terminal[:, None]] == -world.move_cost).all()


@given(st.integers(0, 10_000))
def test_text_round_trip(seed):
    world = random_world(seed)
    again = GridWorld.from_text(world.to_text(), world.move_cost)
    np.testing.assert_array_equal(again.cells, world.cells)
    assert GridWorld.from_text(world.to_text().replace(" ", "")).to_text() == world.to_text()


def test_to_grid_puts_values_in_their_cells():
    world = GridWorld.from_text(". # M\n. . D")
    np.testing.assert_array_equal(world.to_grid(np.arange(5)), [[0, np.nan, 1], [2, 3, 4]])


def test_states_and_arrays_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        GridWorld.default().transitions().reward[0, 0] = 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (". . M\n. .", r"row 1 has 2 cells where row 0 has 3 .*column 2"),
        (". M\n\n. .", r"row 1 has 0 cells"),
        (". . M\n. x .", r"unknown symbol 'x' at row 1, column 1"),
        (". .\n. #", r"no terminal.*row 1, column 1"),
        ("M # .\n# # S", r"start at row 1, column 2 can reach no terminal"),
        ("S D M\n# # S", r"^$"),
        ("", r"row 0, column 0"),
        ("  \n ", r"row 0, column 0"),
    ],
)
def test_a_bad_text_is_refused_with_row_and_column(text, message):
    if message == "^$":
        assert GridWorld.from_text(text).starts == [(0, 0), (1, 2)]
        return
    with pytest.raises(ValueError, match=message):
        GridWorld.from_text(text)


def test_a_start_behind_a_terminal_cannot_reach_the_next_one_but_can_end():
    assert GridWorld.from_text("S D M").starts == [(0, 0)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GridWorld.from_text("M", move_cost=-1), "move_cost must be a finite number of at least 0, got -1"),
        (lambda: GridWorld.from_text("M", move_cost=np.nan), "move_cost must be"),
        (lambda: GridWorld.from_text("M", rewards={"#": 1}), r"keyed by one symbol other than .* got '#'"),
        (lambda: GridWorld.from_text("M", rewards={"MM": 1}), "got 'MM'"),
        (lambda: GridWorld.from_text("M", rewards={"K": np.inf}), r"rewards\['K'\] must be a finite number"),
        (lambda: GridWorld.default().actions((0, 3)), r"\(0, 3\), which is a barrier"),
        (lambda: GridWorld.default().actions((3, 0)), r"\(3, 0\), which is outside the 3×5 grid"),
        (lambda: GridWorld.default().actions((-1, 0)), "outside"),
        (lambda: GridWorld.default().step((0, 0), UP), r"action must be one of \[1, 2\] in state \(0, 0\), got 0"),
        (lambda: GridWorld.from_text("M", rewards={"@": 1}), "got '@'"),
        (lambda: GridWorld.default().step((0, 0), 1.0), r"got 1.0"),
        (lambda: GridWorld.default().step((0, 4), DOWN), r"action must be one of \[\]"),
        (lambda: GridWorld.default().to_grid(np.zeros(15)), r"shape \(13,\), got shape \(15,\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_importing_the_package_is_light():
    code = "import ppo_helpers, sys; print({'torch', 'transformers', 'matplotlib', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
