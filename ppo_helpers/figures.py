"""Static pictures of the book: matplotlib, one theme that is legible on light and dark pages, one colour per role."""

import json
import re
from collections.abc import Iterable
from html import escape
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import FuncFormatter, LogFormatter, NullFormatter

from ppo_helpers.gridworld import MOVES, GridWorld

# What a colour stands for, in every figure of the book: role → (on a light page, on a dark page). Live figures have the
# same in live/figure.css, as --fig-<role>.
COLORS = {
    "policy": ("#1f6fb5", "#6cb2f0"),  # π_θ; PPO with its clip
    "unclipped": ("#b4530f", "#f0a066"),  # the surrogate without a clip
    "handle": ("#23774a", "#6fcf97"),  # what a reader moves; the critic's values
    "advantage": ("#6b4fa0", "#b9a2ec"),
    "delta": ("#8a6400", "#e0b64c"),  # TD errors
    "gradient": ("#a5316f", "#f08fbd"),
    "warn": ("#b3372c", "#f2938a"),
    "muted": ("#5b6472", "#a8b1bf"),
    "line": ("#c9ced6", "#4b5361"),
    "unknown": ("#e4e4e1", "#b9bcc2"),
    "barrier": ("#4a5160", "#4a5160"),  # cells keep their colours in every theme, and so does what is written on them
    "ink": ("#1d2430", "#1d2430"),
}
POLICY, UNCLIPPED, CRITIC = (COLORS[role][0] for role in ("policy", "unclipped", "handle"))
ADVANTAGE, DELTA, GRADIENT = (COLORS[role][0] for role in ("advantage", "delta", "gradient"))
WARN, MUTED, LINE, UNKNOWN, BARRIER, INK = (
    COLORS[role][0] for role in ("warn", "muted", "line", "unknown", "barrier", "ink")
)
SEEN, UNSEEN = POLICY, UNCLIPPED  # states that a policy or a network has seen, and those that it has not
TEXT = "#010203"  # stands for the page's own text colour: `show` turns it into currentColor
LOW, MIDDLE, HIGH = "#dd8a76", "#f3ead7", "#55b5a3"  # values on cells: terracotta at −5, sand at 0, teal at +5
VALUES = LinearSegmentedColormap.from_list("values", [LOW, MIDDLE, HIGH])

LIVE = Path(__file__).parent / "live"
ICONS = json.loads((LIVE / "parts" / "icons.json").read_text("utf-8"))  # those of the live figures, in 100 × 100

# How much smaller and larger than drawn a panel may be shown: its text has 12 to 17 pixels.
REDUCED, ENLARGED = 0.95, 1.35
GAP = 10  # pixels between panels
LEAKS = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
THEME = {
    "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": mpl.cycler(color=[TEXT]),  # a curve has the colour of its role, or none
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": TEXT,
    "axes.titlesize": 9.5,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 9.5,  # points: 12.7 pixels
    "grid.alpha": 0.2,
    "grid.color": TEXT,
    "legend.borderaxespad": 0.2,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "svg.fonttype": "none",  # text stays text: it can be searched and scaled
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
}


class Picture:
    """A finished picture as inline SVG with its text alternative and caption; Jupyter shows it as it is.

    Args:
        panels: one ``<svg>`` element per panel, row by row.
        width: pixels of one panel as drawn.
        columns: how many panels stand side by side where there is room.
        alt: what the picture shows, for readers who cannot see it.
        caption: what to see in it.
    """

    def __init__(self, panels: list[str], width: float, columns: int, alt: str, caption: str):
        self.panels, self.width, self.columns, self.alt, self.caption = panels, width, columns, alt, caption

    def _repr_html_(self) -> str:
        least, most = REDUCED * self.width, ENLARGED * self.width
        widest = self.columns * (most + GAP) - GAP
        box = f"display:flex;flex-wrap:wrap;align-items:flex-start;gap:{GAP}px;max-width:{widest:.0f}px"
        # never more than so many columns; fewer, down to one below the other, where the screen is narrow
        share = f"{100 / (self.columns + 1) + 0.5:.1f}%"
        panel = f"flex:1 1 max({least:.0f}px,{share});min-width:0;max-width:{most:.0f}px"
        style = f'style="{panel};width:auto;height:auto;stroke-linejoin:round"'
        drawings = "".join(svg.replace("<svg", f"<svg {style}", 1) for svg in self.panels)
        picture = f'<div role="img" aria-label="{escape(self.alt)}" style="{box}">{drawings}</div>'
        caption = f"<figcaption>{escape(self.caption, quote=False)}</figcaption>"
        return f'<figure class="book-figure" style="margin:1em 0">{picture}{caption}</figure>'

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def subplots(rows: int = 1, columns: int = 1, size: tuple[float, float] = (3.4, 2.1)):
    """Panels of a picture in the book's theme, and their axes. On a phone the panels stand below one another.

    Args:
        rows: number of rows of panels.
        columns: number of panels side by side where there is room.
        size: width and height of one panel in inches. The text column holds 7.6 inches, a phone 3.4.

    Returns:
        The figure, or the (rows, columns) array of one figure per panel, for :func:`show`; and the axes, in the
        arrangement of ``matplotlib.pyplot.subplots``.
    """
    panels, axes = np.empty((rows, columns), dtype=object), np.empty((rows, columns), dtype=object)
    with mpl.rc_context(THEME):
        for place in np.ndindex(rows, columns):
            panels[place] = Figure(figsize=size)
            axes[place] = panels[place].subplots()
    return (panels[0, 0] if panels.size == 1 else panels), axes.squeeze()[()]


def show(figure: Figure | np.ndarray, alt: str, caption: str) -> Picture:
    """Turn a figure into an inline picture.

    Args:
        figure: what :func:`subplots` made, one panel or several.
        alt: what the picture shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.

    Returns:
        The picture; as the last expression of a cell it is displayed.

    Raises:
        ValueError: if ``alt`` or ``caption`` is empty.
    """
    for name, words in (("alt", alt), ("caption", caption)):
        if not words.strip():
            raise ValueError(f"{name} must say what the picture shows, got an empty text")
    panels = np.atleast_2d(np.array(figure, dtype=object))
    drawings = [_draw(panel, f"{alt} {number}") for number, panel in enumerate(panels.flat)]
    width = panels[0, 0].get_size_inches()[0] * 96  # inches to pixels
    return Picture(drawings, width, panels.shape[1], alt, caption)


def ramp(color: str) -> LinearSegmentedColormap:
    """A colour map from nothing to a colour of :data:`COLORS`, in ten steps, legible on light and dark pages.

    Args:
        color: the colour at the end.

    Returns:
        The map; the smallest value shows the page, and where there is no value stands a barrier.
    """
    ends = [(*to_rgb(color), alpha) for alpha in (0, 1)]
    return LinearSegmentedColormap.from_list(color, ends, N=10).with_extremes(bad=BARRIER)


def _draw(figure: Figure, salt: str) -> str:
    """One panel as an ``<svg>`` element in the page's colours and typeface."""
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatter):
            axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
        if axis.get_scale() != "linear":
            axis.set_minor_formatter(NullFormatter())  # they would stand on the labels of the others
    out = StringIO()
    with mpl.rc_context(THEME | {"svg.hashsalt": salt}):  # ids that no other picture of the page has
        figure.savefig(out, format="svg", dpi=200, metadata={"Date": None})  # dpi: of maps with many cells
    return _inline(out.getvalue())


def _power(value: float) -> str:
    """A number of a logarithmic axis without mathtext, whose raised digits could not be read on a phone."""
    if value == 0 or 0.01 <= abs(value) <= 1000:
        words = f"{value:,g}"
    else:
        factor, exponent = f"{value:.0e}".split("e")
        words = f"{factor} · 10{str(int(exponent)).translate(SUPERSCRIPTS)}".replace("1 · ", "")
    return words.replace("-", "−")


def _inline(svg: str) -> str:
    """The SVG element alone: colours by role, and nothing that would leak into the page."""
    svg = LEAKS.sub("", svg[svg.index("<svg") :])
    svg = re.sub(r'(?<= d=")[^"]*', _rounded, svg)
    svg = svg.replace('<g id="board">', '<g class="book-board">')
    svg = re.sub(r'<g id="(?!icon-)[^"]*"', "<g", svg)  # numbered alike in every picture, and nothing refers to them
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    svg = re.sub(r"(?<=>)[^<>]*(?=</text>)", _true_minus, svg)
    svg = re.sub(r'<g id="icon-(.)">\s*<path d="([^"]*)".*?</g>', _icon, _in_roles(svg), flags=re.DOTALL)
    start, rest = svg.split(">", 1)
    return re.sub(r' (?:width|height|xmlns:xlink|version)="[^"]*"', "", start) + ">" + re.sub(r"\n\s*", "\n", rest)


def _in_roles(svg: str) -> str:
    """Colours as custom properties, which every theme of a page sets to its own."""
    svg = svg.replace(TEXT, "currentColor")
    for role, (light, _) in COLORS.items():
        svg = svg.replace(light, f"var(--fig-{role}, {light})")
    return svg


def _rounded(path: re.Match) -> str:
    """The same path in a third of the letters."""
    return re.sub(r"(\.\d\d)\d+", r"\1", " ".join(path[0].split()))


def _true_minus(words: re.Match) -> str:
    return re.sub(r"(?<!\w)-(?=\d)", "−", words[0])


def _icon(found: re.Match) -> str:
    """A coin or a dragon in the square that :func:`_draw_terminal` has kept free for it."""
    symbol, path = found.groups()
    x, y = np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2).T
    place = f'x="{x.min():.2f}" y="{y.min():.2f}" width="{np.ptp(x):.2f}" height="{np.ptp(y):.2f}"'
    return f'<svg {place} viewBox="0 0 100 100">{ICONS[symbol]}</svg>'


def draw_world(
    ax: Axes,
    world: GridWorld,
    values: np.ndarray | None = None,
    policy: np.ndarray | None = None,
    title: str = "",
) -> None:
    """Draw the grid: barriers, coins and dragon, and per cell its value and its policy's arrows.

    Args:
        ax: axes from :func:`subplots`.
        world: the world.
        values: (S,) reward points to print and colour; −inf shows as an unknown cell.
        policy: (S, 4) probabilities, drawn as arrows whose area grows with the probability.
        title: shown above the grid.
    """
    for row, col in np.ndindex(world.shape):
        state = world.index[row, col]
        value, moves = (None if x is None or state < 0 else x[state] for x in (values, policy))
        _draw_cell(ax, world, (row, col), value)
        if moves is not None and (row, col) not in world.terminals and not (value is not None and np.isneginf(value)):
            _draw_arrows(ax, row, col, moves, largest=0.17 if value is None else 0.13)
    height, width = world.shape
    ax.set(xlim=(-0.03, width + 0.03), ylim=(height + 0.03, -0.03), aspect="equal", title=title)
    ax.axis("off")
    ax.set_gid("board")


def _draw_cell(ax: Axes, world: GridWorld, cell: tuple[int, int], value: float | None) -> None:
    (row, col), symbol, reward = cell, str(world.cells[cell]), world.terminals.get(cell)
    ground = {"facecolor": BARRIER} if symbol == "#" else _ground(value if reward is None else reward)
    ax.add_patch(Rectangle((col, row), 1, 1, edgecolor=LINE, linewidth=1.2, clip_on=False, **ground))
    if reward is not None:
        _draw_terminal(ax, row, col, symbol, reward)
    elif value is not None or symbol == "S":
        words = "S" if value is None else _number(value)
        ax.text(col + 0.5, row + 0.5, words, ha="center", va="center", color=INK)


def _draw_terminal(ax: Axes, row: int, col: int, symbol: str, reward: float) -> None:
    """Room for the drawing, which :func:`_icon` puts in, above the reward; the reward alone where there is none."""
    place = {"y": row + 0.5, "va": "center"}
    if symbol in ICONS:
        square = Rectangle((col + 0.16, row + 0.01), 0.68, 0.68, facecolor="none", edgecolor="none")
        square.set_gid(f"icon-{symbol}")
        ax.add_patch(square)
        place = {"y": row + 0.95, "va": "baseline"}
    words = f"{reward:+.3g}" if reward else "0"
    ax.text(col + 0.5, s=words, ha="center", color=INK, weight="bold", **place)


def _ground(value: float | None) -> dict[str, str]:
    """Colour and hatch of a cell."""
    if value is not None and np.isneginf(value):
        return {"facecolor": UNKNOWN, "hatch": "////"}
    return {"facecolor": value_color(value or 0.0)}


def value_color(value: float) -> str:
    """The colour of a value on a cell, the one that live figures give it.

    Args:
        value: reward points; below −5 and above +5 the colour stays what it is there.

    Returns:
        ``#rrggbb``: terracotta at −5, sand at 0, teal at +5.
    """
    middle, end = np.array(to_rgb(MIDDLE)), np.array(to_rgb(LOW if value < 0 else HIGH))
    return to_hex(middle + (end - middle) * min(abs(value) / 5, 1))


def _number(value: float) -> str:
    words = "-∞" if np.isneginf(value) else f"{round(value, 1) + 0.0:.3g}"
    return words.replace("-", "−")


def _draw_arrows(ax: Axes, row: int, col: int, probabilities: Iterable[float], largest: float) -> None:
    """Triangles at the cell's edges, pointing out: they grow with the probability, and the rare ones are pale."""
    for (down, right), probability in zip(MOVES, probabilities, strict=True):
        if probability < 0.005:
            continue
        size = max(0.05, largest * np.sqrt(probability))
        along, across = np.array([right, down]), np.array([-down, right])
        tip = np.array([col + 0.5, row + 0.5]) + 0.46 * along
        base = tip - size * along
        corners = [tip, base + size * across, base - size * across]
        alpha = 0.35 + 0.65 * np.sqrt(probability)
        ax.add_patch(Polygon(corners, closed=True, facecolor=INK, linewidth=0, alpha=alpha, clip_on=False))


def use_theme() -> None:
    """Make the book's theme matplotlib's default for this session, so that later legends and texts follow it."""
    mpl.rcParams.update(THEME)
