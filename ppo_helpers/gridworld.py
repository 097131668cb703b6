"""The book's first world: a grid with barriers, money and a dragon, and its Gymnasium environments."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from numbers import Integral
from typing import NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

FREE, START, BARRIER, WALKER = ".", "S", "#", "@"
REWARDS = {"M": 5.0, "m": 4.0, "D": -1.0}  # lots of money, money, dragon; reward points
ACTIONS = ("up", "right", "down", "left")
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # (row, column) change of each action

Cell = tuple[int, int]


class Transitions(NamedTuple):
    """What every move does, as arrays over S states and 4 actions."""

    next_state: np.ndarray  # (S, 4) index of the state reached; the state itself where the move is blocked
    reward: np.ndarray  # (S, 4) reward points, the move's cost included; 0 in terminal rows
    allowed: np.ndarray  # (S, 4) False where a border or barrier blocks the move, and in terminal rows
    terminal: np.ndarray  # (S,) True for terminal states


class GridWorld:
    """A grid of cells with moves that always do what they say.

    Args:
        cells: one row of symbols per row of the grid: ``.`` free, ``#`` barrier, ``S`` free cell where walks start,
            and the terminal symbols of ``rewards``.
        move_cost: reward points that every move costs, at least 0.
        rewards: prizes, in reward points, for entering a terminal, by symbol; replaces the default of the symbols it
            names and may add symbols of its own.

    Raises:
        ValueError: if the rows differ in length, a symbol is unknown, there is no terminal, or a start cell cannot
            reach one. The message names row and column, counted from 0.
    """

    def __init__(self, cells: Iterable[str], move_cost: float = 1.0, rewards: Mapping[str, float] | None = None):
        self.rewards = REWARDS | dict(rewards or {})
        self.move_cost = float(move_cost)
        self._check_numbers()
        if isinstance(cells, str):
            raise ValueError(f"cells must be a list of rows, got the text {cells!r}: use GridWorld.from_text")
        self.cells = self._parse(list(cells))
        self.cells.flags.writeable = False
        self.shape: tuple[int, int] = self.cells.shape
        self._check_terminals()

    @classmethod
    def from_text(cls, text: str, move_cost: float = 1.0, rewards: Mapping[str, float] | None = None) -> "GridWorld":
        """Read a world from text: one line per row, one symbol per cell, blanks between symbols ignored.

        Args:
            text: the rows, for example ``". . M"``. Empty lines before and after are ignored.
            move_cost: reward points that every move costs, at least 0.
            rewards: as in :class:`GridWorld`.

        Returns:
            The world.

        Raises:
            ValueError: as in :class:`GridWorld`.
        """
        return cls(["".join(line.split()) for line in text.strip().splitlines()], move_cost, rewards)

    @classmethod
    def default(cls, move_cost: float = 1.0) -> "GridWorld":
        """The world of the book: lots of money behind a barrier, money within easy reach, one dragon."""
        return cls.from_text(DEFAULT_TEXT, move_cost)

    def to_text(self) -> str:
        """The text that :meth:`from_text` reads back."""
        return "\n".join(" ".join(row) for row in self.cells)

    def __repr__(self) -> str:
        return f"GridWorld({self.shape[0]}×{self.shape[1]}, move_cost={self.move_cost:g})\n{self.to_text()}"

    # --- states -------------------------------------------------------------------------------------------------

    @cached_property
    def states(self) -> list[Cell]:
        """Every non-barrier cell as (row, column), row by row, terminals included."""
        return [(row, col) for row, col in np.argwhere(self.cells != BARRIER).tolist()]

    @cached_property
    def terminals(self) -> dict[Cell, float]:
        """The terminal cells and the prize, in reward points, for entering each."""
        where = np.argwhere(np.isin(self.cells, list(self.rewards)))
        return {(row, col): self.rewards[self.cells[row, col]] for row, col in where.tolist()}

    @cached_property
    def starts(self) -> list[Cell]:
        """Where walks start: the ``S`` cells, or else every non-terminal cell that can reach a terminal."""
        marked = self.cells == START
        return [(r, c) for r, c in np.argwhere(marked if marked.any() else self._alive & ~self._is_terminal).tolist()]

    @cached_property
    def index(self) -> np.ndarray:
        """(H, W) number of each cell's state in :attr:`states`, −1 at barriers."""
        free = self.cells != BARRIER
        return np.where(free, np.cumsum(free).reshape(self.shape) - 1, -1)

    def actions(self, state: Cell) -> list[int]:
        """The open moves of ``state``: 0 up, 1 right, 2 down, 3 left; none at a terminal."""
        return np.flatnonzero(self.transitions().allowed[self._number(state)]).tolist()

    def step(self, state: Cell, action: int) -> tuple[Cell, float, bool]:
        """Make one move.

        Args:
            state: (row, column) of a cell where the walk has not ended.
            action: one of ``world.actions(state)``.

        Returns:
            The next state, the reward in points (move cost included), and whether the walk has ended.

        Raises:
            ValueError: if ``state`` is no state or terminal, or the move is not open there.
        """
        number, moves = self._number(state), self.transitions()
        if not isinstance(action, int | np.integer) or action not in self.actions(state):
            raise ValueError(f"action must be one of {self.actions(state)} in state {tuple(state)}, got {action!r}")
        next_number = moves.next_state[number, action]
        return self.states[next_number], float(moves.reward[number, action]), bool(moves.terminal[next_number])

    def transitions(self) -> Transitions:
        """Every move of the world at once.

        Returns:
            Arrays ``next_state`` (S, 4), ``reward`` (S, 4) in points, ``allowed`` (S, 4), ``terminal`` (S,).
        """
        return self._transitions

    def to_grid(self, values: np.ndarray) -> np.ndarray:
        """Lay one number per state out on the grid.

        Args:
            values: (S,), aligned with :attr:`states`.

        Returns:
            (H, W) array with NaN at barriers.

        Raises:
            ValueError: if ``values`` has another shape.
        """
        values = np.asarray(values, dtype=float)
        count = int((self.cells != BARRIER).sum())
        if values.shape != (count,):
            raise ValueError(f"values must have one number per state, shape ({count},), got shape {values.shape}")
        grid = np.full(self.shape, np.nan)
        grid[self.cells != BARRIER] = values
        return grid

    def observations(self, kind: str = "xy") -> np.ndarray:
        """What a walker sees in each state.

        Args:
            kind: ``"xy"`` for column and row scaled to [−1, 1] (0 along a side of one cell), ``"onehot"`` for one entry
                per state.

        Returns:
            (S, 2) or (S, S), float32, aligned with :attr:`states`.

        Raises:
            ValueError: if ``kind`` is something else.
        """
        if kind not in ("xy", "onehot"):
            raise ValueError(f"observation must be 'xy' or 'onehot', got {kind!r}")
        if kind == "onehot":
            return np.eye(len(self.states), dtype=np.float32)
        row_col, size = np.array(self.states, dtype=np.float32), np.array(self.shape, dtype=np.float32)
        scaled = np.where(size > 1, 2 * row_col / np.maximum(size - 1, 1) - 1, 0)
        return scaled[:, ::-1].astype(np.float32)

    # --- how it is made -----------------------------------------------------------------------------------------

    @cached_property
    def _transitions(self) -> Transitions:
        here = np.argwhere(self.cells != BARRIER)  # (S, 2)
        numbers = np.pad(self.index, 1, constant_values=-1)  # a rim of barriers spares the border checks
        there = here[:, None] + MOVES + 1  # (S, 4, 2)
        next_state = numbers[there[..., 0], there[..., 1]]  # (S, 4)
        terminal = self._is_terminal[self.cells != BARRIER]
        allowed = (next_state >= 0) & ~terminal[:, None]
        next_state = np.where(allowed, next_state, np.arange(len(here))[:, None])
        entering = np.zeros(len(here))
        entering[terminal] = [*self.terminals.values()]
        reward = np.where(allowed, entering[next_state], 0.0) - self.move_cost
        reward[terminal] = 0.0
        for array in (next_state, reward, allowed, terminal):
            array.flags.writeable = False
        return Transitions(next_state, reward, allowed, terminal)

    @cached_property
    def _is_terminal(self) -> np.ndarray:
        return np.isin(self.cells, list(self.rewards))

    @cached_property
    def _alive(self) -> np.ndarray:
        """(H, W) cells from which some terminal can be reached."""
        from scipy.ndimage import binary_dilation, binary_propagation

        walkable = (self.cells != BARRIER) & ~self._is_terminal  # a walk ends at a terminal: none passes through
        beside = binary_dilation(self._is_terminal) & walkable
        return binary_propagation(beside, mask=walkable) | self._is_terminal

    def _number(self, state: Cell) -> int:
        row, col = state
        inside = 0 <= row < self.shape[0] and 0 <= col < self.shape[1]
        if not inside or self.index[row, col] < 0:
            where = "a barrier" if inside else f"outside the {self.shape[0]}×{self.shape[1]} grid"
            raise ValueError(f"state must be a cell of the world, got {tuple(state)}, which is {where}")
        return int(self.index[row, col])

    def _check_numbers(self) -> None:
        if not (np.isfinite(self.move_cost) and self.move_cost >= 0):
            raise ValueError(f"move_cost must be a finite number of at least 0, got {self.move_cost}")
        for symbol, reward in self.rewards.items():
            if len(symbol) != 1 or symbol.isspace() or symbol in (FREE, START, BARRIER, WALKER):
                raise ValueError(f"rewards must be keyed by one symbol other than . S # @, got {symbol!r}")
            if not np.isfinite(reward):
                raise ValueError(f"rewards[{symbol!r}] must be a finite number, got {reward}")

    def _parse(self, rows: list[str]) -> np.ndarray:
        known = {FREE, START, BARRIER, *self.rewards}
        if not rows or not rows[0]:
            raise ValueError("the world is empty: row 0, column 0 does not exist")
        for r, row in enumerate(rows):
            if len(row) != len(rows[0]):
                short = min(len(row), len(rows[0]))
                raise ValueError(
                    f"rows must be equally long: row {r} has {len(row)} cells where row 0 has {len(rows[0])} "
                    f"(they differ from column {short} on)"
                )
            for c, symbol in enumerate(row):
                if symbol not in known:
                    raise ValueError(
                        f"unknown symbol {symbol!r} at row {r}, column {c}; known are {' '.join(sorted(known))}"
                    )
        return np.array([list(row) for row in rows])

    def _check_terminals(self) -> None:
        height, width = self.shape
        if not self._is_terminal.any():
            raise ValueError(
                f"the world has no terminal: none of {', '.join(self.rewards)} "
                f"between row 0, column 0 and row {height - 1}, column {width - 1}"
            )
        stuck = np.argwhere((self.cells == START) & ~self._alive)
        if len(stuck):
            raise ValueError(f"the start at row {stuck[0][0]}, column {stuck[0][1]} can reach no terminal")


DEFAULT_TEXT = """
. . . # M
. # . . .
. . D . m
"""


class _Walker:
    """What the single and the vector environment share: observations, starts, checks."""

    def __init__(self, world: GridWorld, observation: str, max_steps: int | None):
        if max_steps is not None and (max_steps != int(max_steps) or max_steps < 1):
            raise ValueError(f"max_steps must be a whole number of at least 1, or None, got {max_steps}")
        if not world.starts:
            raise ValueError("the world has no cell to start from: every cell is a terminal, a barrier or cut off")
        self.world, self.moves, self.max_steps = world, world.transitions(), max_steps
        self.starts = np.array([world.index[cell] for cell in world.starts])
        self.masks = self.moves.allowed.astype(np.int8)  # (S, 4)
        self.observations = world.observations(observation)

    @property
    def space(self) -> gym.spaces.Box:
        low = self.observations.min() if self.observations.shape[1] > 2 else -1.0
        return gym.spaces.Box(float(low), 1.0, self.observations.shape[1:], np.float32)

    def chosen_start(self, options: dict | None) -> int | None:
        """The state that ``reset(options={"start": (row, col)})`` asks for, if it does."""
        if not options or "start" not in options:
            return None
        state = self.world._number(options["start"])
        if self.moves.terminal[state]:
            raise ValueError(f"options['start'] must not be a terminal, got {options['start']}")
        return state


class GridWorldEnv(gym.Env):
    """A walk through a :class:`GridWorld` as a Gymnasium environment.

    A blocked move leaves the walker where it is and costs a move; ``info["action_mask"]`` (4,) says which are open.

    Args:
        world: the world; the book's own if None.
        observation: ``"xy"`` for column and row scaled to [−1, 1], ``"onehot"`` for one entry per state.
        max_steps: moves after which a walk is cut off (truncated); None for never.
        render_mode: ``"ansi"`` for text, or None.

    Raises:
        ValueError: if an argument is not one of these, or the world has no cell to start from.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        world: GridWorld | None = None,
        observation: str = "xy",
        max_steps: int | None = None,
        render_mode: str | None = None,
    ):
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', got {render_mode!r}")
        self.world = world if world is not None else GridWorld.default()
        self._walker = _Walker(self.world, observation, max_steps)
        self.render_mode = render_mode
        self.observation_space = self._walker.space
        self.action_space = gym.spaces.Discrete(4)
        self._state: int | None = None

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start a walk; ``options={"start": (row, col)}`` chooses the cell."""
        super().reset(seed=seed)
        chosen = self._walker.chosen_start(options)
        self._state = int(self.np_random.choice(self._walker.starts)) if chosen is None else chosen
        self._steps = 0
        return self._observe()

    def step(self, action: int):
        if self._state is None:
            raise gym.error.ResetNeeded("call reset() before step()")
        if not self.action_space.contains(action):
            raise ValueError(f"action must be 0, 1, 2 or 3, got {action!r}")
        moves, state = self._walker.moves, self._state
        self._state, self._steps = int(moves.next_state[state, action]), self._steps + 1
        terminated = bool(moves.terminal[self._state])
        truncated = not terminated and self._steps == self._walker.max_steps
        observation, info = self._observe()
        return observation, float(moves.reward[state, action]), terminated, truncated, info

    def render(self) -> str | None:
        """The world as text with ``@`` where the walker stands."""
        if self.render_mode is None:
            return None
        cells = self.world.cells.copy()
        if self._state is not None:
            cells[self.world.states[self._state]] = WALKER
        return "\n".join(" ".join(row) for row in cells)

    def _observe(self):
        state = self._state
        return self._walker.observations[state].copy(), {"action_mask": self._walker.masks[state].copy()}


class GridWorldVectorEnv(gym.vector.VectorEnv):
    """Many walks through one :class:`GridWorld`, all moved by a few array operations.

    Args:
        world: the world; the book's own if None.
        num_envs: number of walks N, at least 1.
        observation: as in :class:`GridWorldEnv`.
        max_steps: as in :class:`GridWorldEnv`.
        autoreset_mode: when an ended walk starts anew: at the next step (its action is ignored, its reward is 0) or
            in the same one (the last observation is then in ``infos["final_obs"]``). As in Gymnasium.

    Raises:
        ValueError: if an argument is not one of these, or the world has no cell to start from.
    """

    def __init__(
        self,
        world: GridWorld | None = None,
        num_envs: int = 1,
        observation: str = "xy",
        max_steps: int | None = None,
        autoreset_mode: AutoresetMode = AutoresetMode.NEXT_STEP,
    ):
        if not isinstance(num_envs, Integral) or isinstance(num_envs, bool) or num_envs < 1:
            raise ValueError(f"num_envs must be a whole number of at least 1, got {num_envs}")
        if autoreset_mode not in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            raise ValueError(f"autoreset_mode must be NEXT_STEP or SAME_STEP, got {autoreset_mode}")
        self.world = world if world is not None else GridWorld.default()
        self._walker = _Walker(self.world, observation, max_steps)
        self.num_envs, self.autoreset_mode = num_envs, autoreset_mode
        self.metadata = {"autoreset_mode": autoreset_mode, "render_modes": []}
        self.single_observation_space = self._walker.space
        self.single_action_space = gym.spaces.Discrete(4)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._state: np.ndarray | None = None

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start all walks; ``options={"start": (row, col)}`` lets all of them start there."""
        super().reset(seed=seed)
        chosen = self._walker.chosen_start(options)
        self._state = self._draw_starts(self.num_envs) if chosen is None else np.full(self.num_envs, chosen)
        self._steps = np.zeros(self.num_envs, dtype=int)
        self._ended = np.zeros(self.num_envs, dtype=bool)
        return self._walker.observations[self._state], self._infos()

    def step(self, actions: np.ndarray):
        actions = self._checked(actions)
        moves, asleep = self._walker.moves, self._ended  # asleep: ended at the last step, start anew in this one
        rewards = moves.reward[self._state, actions]  # (N,)
        self._state = moves.next_state[self._state, actions]
        self._steps += 1
        if asleep.any():
            rewards[asleep] = 0.0
            self._restart(asleep)
        terminated = moves.terminal[self._state]
        truncated = ~terminated & (self._steps == self._walker.max_steps)
        ended = terminated | truncated
        final = {}
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            self._ended = ended
        elif ended.any():
            final = self._final(ended)
            self._restart(ended)
        return self._walker.observations[self._state], rewards, terminated, truncated, self._infos() | final

    def _infos(self) -> dict:
        """Gymnasium's form: beside each entry, which walks have one."""
        return {"action_mask": self._walker.masks[self._state], "_action_mask": np.ones(self.num_envs, dtype=bool)}

    def _checked(self, actions: np.ndarray) -> np.ndarray:
        if self._state is None:
            raise gym.error.ResetNeeded("call reset() before step()")
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be whole numbers of shape ({self.num_envs},), got {actions.dtype} {actions.shape}"
            )
        if actions.min() < 0 or actions.max() > 3:
            raise ValueError(f"actions must lie in 0 … 3, got {actions.min()} … {actions.max()}")
        return actions

    def _draw_starts(self, count: int) -> np.ndarray:
        starts = self._walker.starts
        return starts[self.np_random.integers(len(starts), size=count)]  # as choice does, in less time

    def _restart(self, which: np.ndarray) -> None:
        self._state[which] = self._draw_starts(int(which.sum()))
        self._steps[which] = 0

    def _final(self, ended: np.ndarray) -> dict:
        """The last observation and info of the walks that ended, in Gymnasium's form."""
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            final_obs[i] = self._walker.observations[self._state[i]]
        masks = np.where(ended[:, None], self._walker.masks[self._state], 0).astype(np.int8)
        return {
            "final_obs": final_obs,
            "_final_obs": ended.copy(),
            "final_info": {"action_mask": masks, "_action_mask": ended.copy()},
            "_final_info": ended.copy(),
        }
