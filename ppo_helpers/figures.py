"""Static pictures of the book: matplotlib, one theme that is legible on light and dark pages."""

import re
from html import escape
from io import StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

from ppo_helpers.gridworld import MOVES, GridWorld

INK = "#010203"  # stands for the page's own text colour: `show` turns it into currentColor
BLUE, ORANGE, GREEN, PURPLE, GREY = "#3b82c4", "#c8641e", "#2e8b57", "#8a63c9", "#808080"
LOW, MIDDLE, HIGH = "#dd8a76", "#f3ead7", "#55b5a3"  # values: terracotta, sand at 0, teal
BARRIER, DARK, UNKNOWN = "#4a5160", "#1d2430", "#d9d9d6"

VALUE_COLORS = LinearSegmentedColormap.from_list("values", [LOW, MIDDLE, HIGH])
VALUE_NORM = TwoSlopeNorm(vmin=-5, vcenter=0, vmax=5)

THEME = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, GREEN, PURPLE, GREY]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 10,
    "grid.alpha": 0.2,
    "grid.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and scaled
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Picture:
    """A finished figure as inline SVG with its text alternative; Jupyter shows it as it is."""

    def __init__(self, svg: str, alt: str):
        self.svg, self.alt = svg, alt

    def _repr_html_(self) -> str:
        # on a phone a wide picture scrolls rather than shrinks; what scrolls must be reachable by keyboard
        return f'<figure class="book-figure" tabindex="0" style="overflow-x:auto;margin:1em 0">{self.svg}</figure>'

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def subplots(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6, 3), **kwargs):
    """A figure and its axes in the book's theme.

    Args:
        rows: number of rows of axes.
        columns: number of columns of axes.
        size: width and height of the whole figure in inches.
        **kwargs: passed on to :meth:`matplotlib.figure.Figure.subplots`.

    Returns:
        The figure and its axes, as ``matplotlib.pyplot.subplots`` does.
    """
    with mpl.rc_context(THEME):
        figure = Figure(figsize=size)
        return figure, figure.subplots(rows, columns, **kwargs)


def show(figure: Figure, alt: str) -> Picture:
    """Turn a figure into an inline picture.

    Args:
        figure: what :func:`subplots` made.
        alt: what the picture shows, for readers who cannot see it.

    Returns:
        The picture; as the last expression of a cell it is displayed.

    Raises:
        ValueError: if ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("alt must say what the picture shows, got an empty text")
    out = StringIO()
    with mpl.rc_context(THEME | {"svg.hashsalt": alt}):  # ids that no other picture of the page has
        figure.savefig(out, format="svg", metadata={"Date": None})
    return Picture(_inline(out.getvalue(), alt), alt)


def _inline(svg: str, alt: str) -> str:
    """The SVG element alone: named for screen readers, in the page's text colour and typeface, as wide as fits."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)  # the style would leak
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # numbered alike in every picture, and nothing refers to them
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    points = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)[1])
    start, rest = svg.split(">", 1)
    start = re.sub(r' (?:width|height|xmlns:xlink|version)="[^"]*"', "", start)
    width = points * 4 / 3  # pixels
    style = f"width:100%;min-width:{0.65 * width:.0f}px;max-width:{width:.0f}px;height:auto;stroke-linejoin:round"
    return f'{start} role="img" aria-label="{escape(alt)}" style="{style}">{rest}'


def draw_world(
    ax: Axes,
    world: GridWorld,
    values: np.ndarray | None = None,
    policy: np.ndarray | None = None,
    title: str = "",
) -> None:
    """Draw the grid: barriers, terminals, and per cell its value and its policy's arrows.

    Args:
        ax: axes from :func:`subplots`.
        world: the world.
        values: (S,) reward points to print and colour; −inf shows as an unknown cell.
        policy: (S, 4) probabilities, drawn as arrows whose area grows with the probability.
        title: shown above the grid.
    """
    grid = world.to_grid(values) if values is not None else None
    for row, col in np.ndindex(world.shape):
        value = None if grid is None else grid[row, col]
        _draw_cell(ax, world, (row, col), value, lowered=policy is not None)
    if policy is not None:
        for (row, col), probabilities in zip(world.states, np.asarray(policy), strict=True):
            for move, probability in zip(MOVES, probabilities, strict=True):
                _draw_arrow(ax, row, col, move, probability)
    height, width = world.shape
    ax.set(xlim=(-0.03, width + 0.03), ylim=(height + 0.03, -0.03), aspect="equal", title=title)
    ax.axis("off")


def _draw_cell(ax: Axes, world: GridWorld, cell: tuple[int, int], value: float | None, lowered: bool) -> None:
    row, col = cell
    symbol, ends = world.cells[cell], cell in world.terminals
    if symbol == "#":
        ax.add_patch(Rectangle((col, row), 1, 1, facecolor=BARRIER, edgecolor=GREY, linewidth=0.8))
        return
    value = world.terminals[cell] if ends else value
    color = _cell_color(value)
    hatch = "////" if value is not None and np.isneginf(value) else None
    ax.add_patch(Rectangle((col, row), 1, 1, facecolor=color, edgecolor=GREY, linewidth=0.8, hatch=hatch))
    if ends:
        ax.add_patch(Circle((col + 0.5, row + 0.5), 0.36, facecolor="none", edgecolor=DARK, linewidth=1.6))
    words = _number(value, signed=ends) if value is not None else "S" if symbol == "S" else ""
    style = {"weight": "bold"} if ends else {}
    ax.text(col + 0.5, row + 0.5, words, ha="center", va="center", color=DARK, fontsize=10, **style)


def _cell_color(value: float | None):
    if value is None:
        return MIDDLE
    return UNKNOWN if np.isneginf(value) else VALUE_COLORS(float(VALUE_NORM(np.clip(value, -5, 5))))


def _number(value: float, signed: bool = False) -> str:
    if np.isneginf(value):
        return "?"
    words = f"{value:+.3g}" if signed and value else f"{round(value, 1) + 0.0:.3g}"
    return words.replace("-", "\N{MINUS SIGN}")


def _draw_arrow(ax: Axes, row: int, col: int, move: np.ndarray, probability: float) -> None:
    """A triangle at the cell's edge, pointing out."""
    if probability < 0.005:
        return
    down, right = move
    size = 0.16 * np.sqrt(probability)
    tip = np.array([col + 0.5 + 0.46 * right, row + 0.5 + 0.46 * down])
    along, across = np.array([right, down]), np.array([-down, right])
    base = tip - size * along
    ax.add_patch(Polygon([tip, base + size * across, base - size * across], closed=True, facecolor=DARK, linewidth=0))


def use_theme() -> None:
    """Make the book's theme matplotlib's default for this session, so that later legends and texts follow it."""
    mpl.rcParams.update(THEME)
