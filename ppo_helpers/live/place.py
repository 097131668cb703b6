"""Where a figure trains: a world and its walkers, checked, as its JavaScript gets them."""

from ppo_helpers.gridworld import GridWorld


def place_of(world: GridWorld | None, walkers: int, max_steps: int, observation: str) -> dict:
    """The traits ``text``, ``rewards``, ``move_cost`` and ``room`` of a figure that trains on a grid.

    Args:
        world: the world; the book's own if None.
        walkers: number of walks B of a batch.
        max_steps: moves after which a walk is cut off.
        observation: what the networks see, ``"xy"`` or ``"onehot"``.

    Raises:
        ValueError: if an argument is not one of these, or the world has no cell to start from.
    """
    world = world if world is not None else GridWorld.default()
    if not world.starts:
        raise ValueError("world has no cell to start from: every cell is a terminal, a barrier or cut off")
    whole("walkers", walkers, 1)
    whole("max_steps", max_steps, 1)
    if observation not in ("xy", "onehot"):
        raise ValueError(f"observation must be 'xy' or 'onehot', got {observation!r}")
    room = {"walkers": walkers, "max_steps": max_steps, "observation": observation}
    return {"text": world.to_text(), "rewards": world.rewards, "move_cost": world.move_cost, "room": room}


def whole(name: str, number: int, least: int) -> None:
    """Refuse what is no whole number of at least ``least``."""
    if not isinstance(number, int) or number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {number!r}")
