"""Chapter 1's figure: a world to paint, whose values follow."""

import traitlets

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import LiveFigure, Number
from ppo_helpers.live.fallback import world_svg
from ppo_helpers.planning import greedy_policy, value_iteration


class GridEditor(LiveFigure):
    """Paint cells, drag the cost of a move, step or play the sweeps of value iteration.

    ``text``, ``move_cost`` and ``sweep`` follow what the reader does; ``world`` is the world as it is painted now.

    Args:
        world: the world to begin with; the book's own if None.
        gamma: discount per move, in (0, 1].
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if ``alt`` is empty or ``gamma`` out of range; also later, if a trait is set to what is no world.
    """

    _js = ("gridworld.js", "grid_view.js", "grid_editor.js")
    text = traitlets.Unicode().tag(sync=True)
    rewards = traitlets.Dict().tag(sync=True)
    move_cost = Number(1.0, low=0, high=1e6).tag(sync=True)
    gamma = Number(1.0, low=0, high=1, above=True).tag(sync=True)
    sweep = traitlets.Int(-1, help="the sweep shown; −1 when all are done").tag(sync=True)
    initial_text = traitlets.Unicode().tag(sync=True)
    initial_cost = traitlets.Float().tag(sync=True)

    def __init__(self, world: GridWorld | None = None, *, gamma: float = 1.0, alt: str):
        world = world if world is not None else GridWorld.default()
        text, cost = world.to_text(), world.move_cost
        start = {"text": text, "move_cost": cost, "initial_text": text, "initial_cost": cost}
        super().__init__(alt=alt, gamma=gamma, rewards=world.rewards, **start)

    @traitlets.validate("text")
    def _check_text(self, proposal) -> str:
        """Rows and symbols must be right; a world without an end passes: the reader may be about to paint one."""
        rows = ["".join(line.split()) for line in proposal["value"].strip().splitlines()]
        known = {".", "S", "#", *self.rewards}
        if len({len(row) for row in rows}) != 1 or not set("".join(rows)) <= known:
            raise ValueError(f"text must be rows of equal length made of {' '.join(sorted(known))}, got {rows}")
        return proposal["value"]

    @property
    def world(self) -> GridWorld:
        """The world as it is painted now; raises ``ValueError`` if it is none, as :meth:`GridWorld.from_text` does."""
        return GridWorld.from_text(self.text, self.move_cost, self.rewards)

    def fallback(self) -> str:
        values = value_iteration(self.world, self.gamma).values
        picture = world_svg(self.world, self.alt, values, greedy_policy(self.world, values, self.gamma))
        return f'<div class="live-reserve-palette"></div>{picture}<div class="live-reserve-editor"></div>'
