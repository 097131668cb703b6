"""Chapter 1's figure: a world to paint, whose values follow."""

import traitlets

from ppo_helpers.gridworld import Cell, GridWorld
from ppo_helpers.live.base import LiveFigure, Number


class GridEditor(LiveFigure):
    """Paint cells, move money and dragons, set the cost of a move, play the sweeps of value iteration, ask a cell why.

    ``text``, ``move_cost``, ``gamma``, ``sweep`` and ``cell`` follow what the reader does; ``world`` is the world as it
    is painted now.

    Args:
        world: the world to begin with; the book's own if None.
        gamma: discount per move, in (0, 1].
        cell: (row, column) of the cell that is explained at first; the first with the most open moves if None.
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.

    Raises:
        ValueError: if ``alt`` or ``caption`` is empty, ``gamma`` is out of range or ``cell`` outside the grid; also
            later, if a trait is set to what is no world.
    """

    text = traitlets.Unicode().tag(sync=True, linked=True)
    rewards = traitlets.Dict().tag(sync=True)
    move_cost = Number(1.0, low=0, high=1e6).tag(sync=True, linked=True)
    gamma = Number(1.0, low=0, high=1, above=True).tag(sync=True, linked=True)
    sweep = traitlets.Int(-1, help="the sweep shown; −1 when all are done").tag(sync=True, linked=True)
    cell = traitlets.List(help="[row, column] of the cell that is explained").tag(sync=True, linked=True)
    first = traitlets.Dict(help="text, move_cost and gamma at the beginning, for Reset").tag(sync=True)

    def __init__(
        self,
        world: GridWorld | None = None,
        *,
        gamma: float = 1.0,
        cell: Cell | None = None,
        alt: str,
        caption: str,
    ):
        world = world if world is not None else GridWorld.default()
        cell = cell if cell is not None else max(world.states, key=lambda state: len(world.actions(state)))
        first = {"text": world.to_text(), "move_cost": world.move_cost, "gamma": gamma}
        super().__init__(alt=alt, caption=caption, rewards=world.rewards, first=first, **first, cell=list(cell))

    @traitlets.validate("text")
    def _check_text(self, proposal) -> str:
        """Rows and symbols must be right; a world without an end passes: the reader may be about to paint one."""
        rows = _rows(proposal["value"])
        known = {".", "S", "#", *self.rewards}
        if len({len(row) for row in rows}) != 1 or not set("".join(rows)) <= known:
            raise ValueError(f"text must be rows of equal length made of {' '.join(sorted(known))}, got {rows}")
        return proposal["value"]

    @traitlets.validate("cell")
    def _check_cell(self, proposal) -> list[int]:
        cell, rows = proposal["value"], _rows(self.text)
        if cell not in [[row, col] for row in range(len(rows)) for col in range(len(rows[0]))]:
            raise ValueError(f"cell must be [row, column] within {len(rows)} × {len(rows[0])} cells, got {cell}")
        return cell

    @property
    def world(self) -> GridWorld:
        """The world as it is painted now; raises ``ValueError`` if it is none, as :meth:`GridWorld.from_text` does."""
        return GridWorld.from_text(self.text, self.move_cost, self.rewards)


def _rows(text: str) -> list[str]:
    return ["".join(line.split()) for line in text.strip().splitlines()]
