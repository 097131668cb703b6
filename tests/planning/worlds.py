"""Random worlds for the tests, and a second, slow, independent account of what a world is."""

import networkx as nx
import numpy as np

from ppo_helpers.gridworld import GridWorld


def random_world(seed: int, largest: int = 8, free: bool = False) -> GridWorld:
    """Up to ``largest`` × ``largest`` cells, 0 to 60 % barriers, at least one terminal, a cost from 0.1 to 2 (or 0)."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, largest + 1, 2)
    barriers = rng.uniform(0, 0.6)
    terminals = rng.uniform(0.02, 0.3)
    chances = np.array([1 - barriers - terminals * (1 - barriers), barriers, *[terminals * (1 - barriers) / 3] * 3])
    cells = rng.choice(list(".#MmD"), (height, width), p=chances)
    cells[rng.integers(height), rng.integers(width)] = rng.choice(list("MmD"))
    return GridWorld(["".join(row) for row in cells], move_cost=0.0 if free else float(rng.uniform(0.1, 2)))


def graph(world: GridWorld) -> nx.DiGraph:
    """The moves of a world, read off its text alone."""
    rows = [line.split() for line in world.to_text().splitlines()]
    where = {(r, c): s for r, row in enumerate(rows) for c, s in enumerate(row) if s != "#"}
    moves = nx.DiGraph()
    moves.add_nodes_from(where)
    for (r, c), symbol in where.items():
        if symbol in ".S":
            moves.add_edges_from(((r, c), to) for to in [(r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1)] if to in where)
    return moves


def shortest_values(world: GridWorld) -> tuple[dict, dict]:
    """By networkx: each state's best reward minus cost times distance, and the length of that walk."""
    backwards = graph(world).reverse()
    values, lengths = dict.fromkeys(world.states, -np.inf), {}
    for goal, reward in world.terminals.items():
        for state, distance in nx.single_source_shortest_path_length(backwards, goal).items():
            value = reward - world.move_cost * distance
            if value > values[state] + 1e-12 or (abs(value - values[state]) <= 1e-12 and distance < lengths[state]):
                values[state], lengths[state] = value, distance
    return values, lengths


BOOK = """
. . . # M
. # . . .
. . D . m
"""


def random_text(rng: np.random.Generator, start: bool = False) -> str:
    """A random world as text; with ``start`` one free cell that can reach a terminal is marked S."""
    world = random_world(int(rng.integers(2**31)), largest=5)
    while not world.starts:
        world = random_world(int(rng.integers(2**31)), largest=5)
    cells = world.cells.copy()
    if start:
        cells[world.starts[rng.integers(len(world.starts))]] = "S"
    return "\n".join(" ".join(row) for row in cells)
