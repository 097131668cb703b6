"""Planning in a known world: values by sweeps, policies from values, values of policies. NumPy, no learning."""

from typing import NamedTuple

import numpy as np

from ppo_helpers.gridworld import GridWorld

MAX_HISTORY = 2**27  # numbers kept by value_iteration's history: 1 GiB


class ValueIterationResult(NamedTuple):
    """What value iteration found and what it cost."""

    values: np.ndarray  # (S,) reward points
    sweeps: int  # sweeps that changed something
    history: np.ndarray  # (sweeps + 1, S): the start, then the values after each sweep; (0, S) if not kept
    cell_visits: int  # cells recomputed in all, the last sweep, which changes nothing, included


def value_iteration(
    world: GridWorld, gamma: float = 1.0, tol: float = 1e-9, keep_history: bool = True
) -> ValueIterationResult:
    """The value of every state: the best total reward any walk from there can collect.

    Every sweep recomputes all cells at once from the sweep before. At the start a cell is worth what walking for
    ever is worth, so after k sweeps it holds the best of all walks that end within k moves or never.

    Args:
        world: the world.
        gamma: discount per move, in (0, 1].
        tol: a sweep in which no value changes by more than this (reward points) is the last.
        keep_history: keep the values after every sweep; turn it off for large worlds.

    Returns:
        ``values`` (S,), ``sweeps``, ``history`` (sweeps + 1, S), ``cell_visits``.

    Raises:
        ValueError: if ``gamma`` or ``tol`` is out of range, or the history would exceed 1 GiB.

    Source:
        Bellman 1957; Sutton and Barto 2018, section 4.4, as synchronous sweeps.
    """
    _check_gamma(gamma)
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol}")
    grid = _Sweeper(world, gamma)
    history, sweeps = [grid.values()], 0
    while grid.sweep() > tol:
        sweeps += 1
        if keep_history:
            history.append(grid.values())
            if len(history) * history[0].size > MAX_HISTORY:
                raise ValueError("keep_history must be False for this world: its history would exceed 1 GiB")
    kept = np.array(history) if keep_history else np.empty((0, history[0].size))
    return ValueIterationResult(grid.values(), sweeps, kept, (sweeps + 1) * grid.cells_per_sweep)


class _Sweeper:
    """The grid with a rim of −inf, so that the four neighbours of all cells are four shifted views."""

    def __init__(self, world: GridWorld, gamma: float):
        self.world, self.gamma = world, gamma
        moves = world.transitions()
        start = np.where(moves.terminal, 0.0, forever(world, gamma))
        start[moves.terminal] = [*world.terminals.values()]
        self.free = world.index >= 0
        self.inside = np.where(self.free, world.to_grid(start), -np.inf)
        # cells that no sweep changes: barriers, terminals, and cells walled in on all sides
        self.fixed = ~self.free
        self.fixed[self.free] = ~moves.allowed.any(axis=1)
        self.terminal = np.zeros(world.shape, dtype=bool)
        self.terminal[self.free] = moves.terminal
        self.padded = np.full(np.add(world.shape, 2), -np.inf)  # what entering each cell is worth
        self.best, self.change = np.empty(world.shape), np.empty(world.shape)
        self.cells_per_sweep = int((~moves.terminal).sum())

    def values(self) -> np.ndarray:
        return self.inside[self.free]

    def sweep(self) -> float:
        """Replace all values by max over neighbours − cost; returns the largest change."""
        entry, best = self.padded[1:-1, 1:-1], self.best
        np.multiply(self.inside, self.gamma, out=entry)
        if self.gamma < 1:  # the reward for entering a terminal is paid by the move itself: not discounted
            np.copyto(entry, self.inside, where=self.terminal)
        np.maximum(self.padded[:-2, 1:-1], self.padded[2:, 1:-1], out=best)
        np.maximum(best, self.padded[1:-1, :-2], out=best)
        np.maximum(best, self.padded[1:-1, 2:], out=best)
        best -= self.world.move_cost
        np.copyto(best, self.inside, where=self.fixed)
        with np.errstate(invalid="ignore"):
            np.subtract(best, self.inside, out=self.change)  # −inf − −inf is NaN: no change
        self.inside, self.best = best, self.inside
        return float(np.fmax.reduce(np.abs(self.change, out=self.change), axis=None, initial=0.0))


def forever(world: GridWorld, gamma: float = 1.0) -> float:
    """What walking without end is worth: 0 if moves are free, else −cost / (1 − γ), which is −inf at γ = 1."""
    if world.move_cost == 0:
        return 0.0
    return -np.inf if gamma == 1 else -world.move_cost / (1 - gamma)


def action_values(world: GridWorld, values: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """What each move is worth if the values are right: the neighbour's value, less the move's cost.

    A terminal's value stands for the reward of entering it and is not discounted, so with right values this is
    r + γ V(s') with nothing after the end. Values that know less than the world's rewards are used as they are.

    Args:
        world: the world.
        values: (S,) reward points, terminals included.
        gamma: discount per move, in (0, 1].

    Returns:
        (S, 4), −inf where a move is blocked and in terminal rows.

    Raises:
        ValueError: if ``values`` has another shape or holds NaN or +inf, or ``gamma`` is out of range.

    Source:
        Sutton and Barto 2018, eq. 4.6.
    """
    _check_gamma(gamma)
    values, moves = _check_values(world, values), world.transitions()
    entering = np.where(moves.terminal, values, gamma * values)  # (S,)
    return np.where(moves.allowed, entering[moves.next_state] - world.move_cost, -np.inf)


def greedy_policy(world: GridWorld, values: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """Only the best moves, all equally likely where several tie.

    Args:
        world: the world.
        values: (S,) reward points.
        gamma: discount per move, in (0, 1].

    Returns:
        (S, 4) probabilities; rows of zeros at terminals and where no move is open.

    Raises:
        ValueError: as in :func:`action_values`.
    """
    moves = action_values(world, values, gamma)
    best = moves.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        tied = (moves >= best - 1e-9 * np.maximum(1, np.abs(best))) | (moves == best)  # −inf ties with −inf
    tied &= world.transitions().allowed
    return tied / np.maximum(tied.sum(axis=1, keepdims=True), 1)


def softmax_policy(world: GridWorld, values: np.ndarray, temperature: float, gamma: float = 1.0) -> np.ndarray:
    """Better moves more often: probability proportional to exp(action value / temperature).

    Args:
        world: the world.
        values: (S,) reward points.
        temperature: reward points, above 0; near 0 it is greedy, large it is uniform.
        gamma: discount per move, in (0, 1].

    Returns:
        (S, 4) probabilities over the open moves; rows of zeros at terminals and where no move is open.

    Raises:
        ValueError: if ``temperature`` is not a positive finite number; else as in :func:`action_values`.

    Source:
        Sutton and Barto 2018, eq. 13.2, with action values over a temperature in place of learned preferences.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be a positive finite number, got {temperature}")
    moves, allowed = action_values(world, values, gamma), world.transitions().allowed
    best = moves.max(axis=1, keepdims=True)
    moves = np.where(allowed & (best == -np.inf), 0.0, moves)  # all open moves equally hopeless: uniform
    best = np.where(best == -np.inf, 0.0, best)
    weights = np.where(allowed, np.exp((moves - best) / temperature), 0.0)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def uniform_policy(world: GridWorld) -> np.ndarray:
    """Random walking: every open move is equally likely.

    Args:
        world: the world.

    Returns:
        (S, 4) probabilities, 0 for blocked moves; rows of terminals and of walled-in cells are 0.
    """
    allowed = world.transitions().allowed
    return allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)


def evaluate_policy(world: GridWorld, policy: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """The value of following ``policy``: its expected total reward from every state, exact.

    Args:
        world: the world.
        policy: (S, 4) probabilities, 0 for blocked moves, each row with an open move summing to 1.
        gamma: discount per move, in (0, 1].

    Returns:
        (S,) reward points; −inf where moves cost, γ = 1, and the walk may never end.

    Raises:
        ValueError: if ``policy`` is no such array, or ``gamma`` is out of range.

    Source:
        Sutton and Barto 2018, eq. 4.4, solved as a linear system; for worlds of up to a few thousand states.
    """
    _check_gamma(gamma)
    policy, moves = _check_policy(world, policy), world.transitions()
    values = np.full(len(moves.terminal), forever(world, gamma))
    values[moves.terminal] = [*world.terminals.values()]
    moving = moves.allowed.any(axis=1)
    if gamma == 1:
        moving &= _ends_surely(world, policy) if world.move_cost > 0 else _may_end(world, policy)
    # what lies outside adds nothing: terminals are paid by the move, free walks without end are worth 0
    step = gamma * _transition_matrix(world, policy)[moving][:, moving].toarray()
    ends = (policy * ~moving[moves.next_state]).sum(axis=1)[moving]
    leaves = gamma * ends + (1 - gamma)  # a discount is a chance that the walk is over after each move
    values[moving] = _eliminate(step, leaves, (policy * moves.reward).sum(axis=1)[moving])
    return values


def _eliminate(step: np.ndarray, leaves: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """Total reward until leaving: remove one state after the other, handing its moves on to those that remain.

    Nothing is ever subtracted, so a walk that ends only once in 10^50 moves is as exact as any other, where a solver
    of linear equations would see a singular matrix. An end rarer than a float can hold, once in 10^300 moves, counts
    as none. Source: Grassmann, Taksar and Heyman 1985.
    """
    for k in reversed(range(len(reward))):
        away = max(step[k, :k].sum() + leaves[k], np.finfo(float).tiny)  # not staying in k
        step[k, :k] /= away
        leaves[k] /= away
        reward[k] /= away
        before, after = np.flatnonzero(step[:k, k]), np.flatnonzero(step[k, :k])
        into = step[before, k]
        step[np.ix_(before, after)] += np.outer(into, step[k, after])
        leaves[before] += into * leaves[k]
        reward[before] += into * reward[k]
    values = np.zeros(len(reward))
    for k in range(len(reward)):
        values[k] = reward[k] + step[k, :k] @ values[:k]
    return values


def _transition_matrix(world: GridWorld, policy: np.ndarray):
    from scipy.sparse import csr_array

    moves = world.transitions()
    count = len(moves.terminal)
    rows = np.repeat(np.arange(count), 4)
    return csr_array((policy.ravel(), (rows, moves.next_state.ravel())), shape=(count, count))


def _may_end(world: GridWorld, policy: np.ndarray) -> np.ndarray:
    """(S,) states from which the policy reaches a terminal with a probability above 0."""
    terminal = world.transitions().terminal
    return _reaches(_transition_matrix(world, policy), terminal)


def _ends_surely(world: GridWorld, policy: np.ndarray) -> np.ndarray:
    """(S,) states from which the policy cannot get to a place where it may not end any more."""
    step = _transition_matrix(world, policy)
    return ~_reaches(step, ~_reaches(step, world.transitions().terminal))


def _reaches(step, target: np.ndarray) -> np.ndarray:
    """(S,) states with a path of positive probability into ``target``, backwards from it."""
    linked = (step > 0).astype(np.int8)
    reached, before = target, None
    while before is None or reached.sum() > before:
        before = reached.sum()
        reached = reached | (linked @ reached.astype(np.int8) > 0)
    return reached


def _check_gamma(gamma: float) -> None:
    if not 0 < gamma <= 1:
        raise ValueError(f"gamma must be in (0, 1], got {gamma}")


def _check_values(world: GridWorld, values: np.ndarray) -> np.ndarray:
    values, count = np.asarray(values, dtype=float), len(world.transitions().terminal)
    if values.shape != (count,):
        raise ValueError(f"values must have one number per state, shape ({count},), got shape {values.shape}")
    wrong = np.isnan(values) | np.isposinf(values)
    if wrong.any():
        state = wrong.argmax()
        raise ValueError(f"values must not be NaN or +inf, got {values[state]} in state {world.states[state]}")
    return values


def _check_policy(world: GridWorld, policy: np.ndarray) -> np.ndarray:
    policy, moves = np.asarray(policy, dtype=float), world.transitions()
    if policy.shape != moves.allowed.shape:
        raise ValueError(f"policy must have shape {moves.allowed.shape}, got {policy.shape}")
    wrong = ~np.isfinite(policy).all(axis=1) | (policy < 0).any(axis=1) | np.where(moves.allowed, 0, policy).any(axis=1)
    wrong |= moves.allowed.any(axis=1) & ~np.isclose(policy.sum(axis=1), 1)
    if wrong.any():
        state = int(wrong.argmax())
        raise ValueError(
            f"policy must be probabilities of the open moves that sum to 1, got {policy[state].tolist()} "
            f"in state {world.states[state]}, where the open moves are {np.flatnonzero(moves.allowed[state]).tolist()}"
        )
    return policy
