"""The still picture of a grid: the same cells, colours and icons as grid_view.js draws."""

from decimal import ROUND_HALF_UP, Decimal
from html import escape

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
    shades: np.ndarray | None = None,
    numbers: bool = True,
) -> str:
    """Draw a world as inline SVG.

    Args:
        world: the world.
        alt: the text alternative.
        values: (S,) numbers to print and colour, −inf for a cell without a way out.
        policy: (S, 4) probabilities, drawn as arrows.
        shades: (S,) numbers to colour the cells by, if not the values.
        numbers: print the values; False leaves it at the colours, terminals included.

    Returns:
        An ``<svg>`` element, as wide as its container.
    """
    height, width = world.shape
    size = 100 + GAP
    cells = []
    for row, col in np.ndindex(world.shape):
        state = world.index[row, col]
        value, arrows, shade = (None if x is None or state < 0 else x[state] for x in (values, policy, shades))
        inside = _cell(world, (row, col), value, arrows, shade) if numbers else _shade(value)
        cells.append(f'<g transform="translate({GAP + col * size} {GAP + row * size})">{inside}</g>')
    total = (width * size + GAP, height * size + GAP)
    frame = f'<rect width="{total[0]}" height="{total[1]}" rx="8" fill="var(--fig-line, #c9ced6)"/>'
    return named_svg(frame + "".join(cells), *total, alt)


def value_color(value: float) -> str:
    """The colour of a value: terracotta at −5, sand at 0, teal at +5."""
    end = LOW if value < 0 else HIGH
    mixed = np.floor(MIDDLE + (end - MIDDLE) * min(abs(value) / 5, 1) + 0.5).astype(int)  # as Math.round does
    return f"rgb({' '.join(map(str, mixed))})"


def number(value: float, digits: int = 1) -> str:
    """At most so many decimals, halves rounded away from zero as JavaScript does, with a real minus sign."""
    if np.isinf(value):
        return "−∞"
    rounded = Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded.normalize() if rounded else Decimal(0):f}".replace("-", "−")


def _cell(
    world: GridWorld, cell: tuple[int, int], value: float | None, arrows: np.ndarray | None, shade: float | None
) -> str:
    symbol, reward = str(world.cells[cell]), world.terminals.get(cell)
    if symbol == "#":
        return _shade(None)
    if shade is None:
        shade = reward if reward is not None else value if value is not None else 0.0
    parts = [_shade(shade)]
    if reward is not None:
        sign = "+" if reward > 0 else ""
        icon = ICONS.get(symbol)
        parts.append(
            f'<g transform="translate(9 -2) scale(.82)">{icon}</g>'
            if icon
            else f'<text x="50" y="55" class="live-value">{escape(symbol)}</text>'
        )
        parts.append(f'<text x="50" y="92" class="live-reward">{sign}{number(reward)}</text>')
    elif value is not None:
        parts.append(f'<text x="50" y="60" class="live-value">{number(value)}</text>')
    if arrows is not None and reward is None and not (value is not None and np.isneginf(value)):
        largest = 17 if value is None else 13  # where no number is in the way
        parts += [_arrow(action, p, largest) for action, p in enumerate(arrows) if p >= 0.005]
    return "".join(parts)


def _shade(value: float | None) -> str:
    """A cell's ground: a barrier for None, hatched for −inf."""
    if value is not None and np.isneginf(value):
        lines = "".join(f"M{max(k - 100, 0)} {min(k, 100)}L{min(k, 100)} {max(k - 100, 0)}" for k in range(10, 200, 20))
        return f'<rect width="100" height="100" fill="#e4e4e1"/><path d="{lines}" class="live-unknown-lines"/>'
    return f'<rect width="100" height="100" fill="{"#4a5160" if value is None else value_color(value)}"/>'


def _arrow(action: int, probability: float, largest: float) -> str:
    size, opacity = largest * np.sqrt(probability), 0.35 + 0.65 * np.sqrt(probability)
    triangle = f"M50 4 L{50 + size:.1f} {4 + size:.1f} L{50 - size:.1f} {4 + size:.1f}z"
    turn = f'transform="rotate({90 * action} 50 50)"'
    return f'<path d="{triangle}" {turn} class="live-arrow" opacity="{opacity:.2f}"/>'
