"""The still picture of a grid: the same cells, colours and icons as grid_view.js draws."""

import numpy as np

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live.base import ICONS, named_svg

LOW, MIDDLE, HIGH = np.array([221, 138, 118]), np.array([243, 234, 215]), np.array([85, 181, 163])  # −5, 0, +5
GAP = 3  # between cells, in units of which a cell has 100


def world_svg(
    world: GridWorld,
    alt: str,
    values: np.ndarray | None = None,
    policy: np.ndarray | None = None,
    numbers: bool = True,
) -> str:
    """Draw a world as inline SVG.

    Args:
        world: the world.
        alt: the text alternative.
        values: (S,) numbers to print and colour, −inf for a cell without a way out.
        policy: (S, 4) probabilities, drawn as arrows.
        numbers: print the values; False leaves it at the colours, terminals included.

    Returns:
        An ``<svg>`` element, as wide as its container.
    """
    height, width = world.shape
    size = 100 + GAP
    cells = []
    for row, col in np.ndindex(world.shape):
        state = world.index[row, col]
        value = None if values is None or state < 0 else values[state]
        arrows = None if policy is None or state < 0 else policy[state]
        inside = _cell(world, (row, col), value, arrows) if numbers else _shade(value)
        cells.append(f'<g transform="translate({GAP + col * size} {GAP + row * size})">{inside}</g>')
    total = (width * size + GAP, height * size + GAP)
    frame = f'<rect width="{total[0]}" height="{total[1]}" rx="8" fill="var(--fig-line, #c9ced6)"/>'
    return named_svg(frame + "".join(cells), *total, alt)


def value_color(value: float) -> str:
    """The colour of a value: terracotta at −5, sand at 0, teal at +5."""
    end = LOW if value < 0 else HIGH
    mixed = np.rint(MIDDLE + (end - MIDDLE) * min(abs(value) / 5, 1)).astype(int)
    return f"rgb({' '.join(map(str, mixed))})"


def number(value: float) -> str:
    """At most one decimal, with a real minus sign."""
    if np.isinf(value):
        return "−∞"
    return f"{round(float(value), 1) + 0.0:g}".replace("-", "−")


def _cell(world: GridWorld, cell: tuple[int, int], value: float | None, arrows: np.ndarray | None) -> str:
    symbol, reward = str(world.cells[cell]), world.terminals.get(cell)
    if symbol == "#":
        return '<rect width="100" height="100" fill="#4a5160"/>'
    shade = reward if reward is not None else value if value is not None else 0.0
    color = "#d3d3cf" if np.isinf(shade) else value_color(shade)
    parts = [f'<rect width="100" height="100" fill="{color}"/>']
    if reward is not None:
        sign = "+" if reward > 0 else ""
        parts.append(f'<g transform="translate(9 -2) scale(.82)">{ICONS.get(symbol, "")}</g>')
        parts.append(f'<text x="50" y="92" class="live-reward">{sign}{number(reward)}</text>')
    elif value is not None:
        parts.append(f'<text x="50" y="60" class="live-value">{number(value)}</text>')
    if arrows is not None and reward is None:
        parts += [_arrow(action, probability) for action, probability in enumerate(arrows) if probability >= 0.005]
    return "".join(parts)


def _shade(value: float | None) -> str:
    color = "#4a5160" if value is None else value_color(value)
    return f'<rect width="100" height="100" fill="{color}"/>'


def _arrow(action: int, probability: float) -> str:
    size = 17 * np.sqrt(probability)
    triangle = f"M50 3 L{50 + size:.1f} {3 + size:.1f} L{50 - size:.1f} {3 + size:.1f}z"
    return f'<path d="{triangle}" transform="rotate({90 * action} 50 50)" class="live-arrow"/>'
