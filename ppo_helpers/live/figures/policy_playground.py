"""Chapter 2's figure: a policy with a temperature, and walkers that follow it."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.planning import greedy_policy, softmax_policy, value_iteration


class PolicyPlayground(LiveFigure):
    """Set the temperature of a softmax policy, let walkers follow it, see what they earn, see and find.

    Args:
        world: the world; the book's own if None.
        temperature: of the softmax, in reward points; 0 for greedy, at most 10.
        gamma: discount per move, in (0, 1].
        value_tables: what the walker may know: label → (S,) values the policy is built on; the true values if None.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.
        seed: of the walks.

    Raises:
        ValueError: if ``alt`` or ``caption`` is empty, a number is out of range, ``value_tables`` is empty or one of
            them has the wrong length, or nobody can start in the world.
    """

    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    move_cost = Number(1.0, low=0, high=1e6).tag(sync=True)
    gamma = Number(1.0, low=0, high=1, above=True).tag(sync=True)
    temperature = Number(1.0, low=0, high=10).tag(sync=True, linked=True)
    tables = traitlets.List().tag(sync=True)
    table = traitlets.Int(0).tag(sync=True, linked=True)
    start = traitlets.List().tag(sync=True, linked=True)
    seed = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        world: GridWorld | None = None,
        *,
        temperature: float = 1.0,
        gamma: float = 1.0,
        value_tables: Mapping[str, Sequence[float]] | None = None,
        alt: str,
        caption: str,
        seed: int = 0,
    ):
        world = world if world is not None else GridWorld.default()
        if not world.starts:
            raise ValueError("the world has no cell to start from: every cell is a terminal, a barrier or cut off")
        if value_tables is None:
            value_tables = {"all values": value_iteration(world, gamma).values}
        super().__init__(
            alt=alt,
            caption=caption,
            text=world.to_text(),
            rewards=world.rewards,
            move_cost=world.move_cost,
            gamma=gamma,
            temperature=temperature,
            tables=_clean(value_tables, len(world.states)),
            start=list(world.starts[0]),
            seed=seed,
        )

    @traitlets.validate("table")
    def _check_table(self, proposal) -> int:
        if not 0 <= proposal["value"] < len(self.tables):
            raise ValueError(f"table must be in 0 … {len(self.tables) - 1}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("start")
    def _check_start(self, proposal) -> list[int]:
        cell = list(proposal["value"])
        starts = [list(state) for state in self.world.states if self.world.actions(state)]
        if cell not in starts:
            raise ValueError(f"start must be [row, column] of a cell with an open move, got {cell}")
        return cell

    @property
    def world(self) -> GridWorld:
        """The world that is walked."""
        return GridWorld.from_text(self.text, self.move_cost, self.rewards)

    def values(self) -> np.ndarray:
        """What the walker knows now: the values its policy is built on, (S,)."""
        return np.array([-np.inf if v is None else v for v in self.tables[self.table]["values"]])

    def policy(self) -> np.ndarray:
        """The policy shown now, (S, 4)."""
        world = self.world
        values = self.values()
        if self.temperature == 0:
            return greedy_policy(world, values, self.gamma)
        return softmax_policy(world, values, self.temperature, self.gamma)


def _clean(value_tables: Mapping[str, Sequence[float]], states: int) -> list[dict]:
    """JSON has no infinities: −inf travels as null."""
    if not value_tables:
        raise ValueError("value_tables must hold at least one table, got none")
    tables = []
    for label, values in value_tables.items():
        values = np.asarray(values, dtype=float)
        if values.shape != (states,) or np.isnan(values).any() or np.isposinf(values).any():
            raise ValueError(f"value_tables[{label!r}] must be {states} numbers, none NaN or +inf, got {values}")
        tables.append({"label": label, "values": [None if v == -np.inf else float(v) for v in values]})
    return tables
