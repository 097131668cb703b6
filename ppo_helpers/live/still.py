"""Still plots for the fallbacks: the same axes as plot.js draws."""

from collections.abc import Iterable, Sequence
from html import escape

from ppo_helpers.live.base import named_svg

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 40  # the margins of plot.js


class StillPlot:
    """Axes of ``width`` × ``height`` units on which parts are drawn one after the other.

    Args:
        x: the ends of the x axis.
        y: the ends of the y axis.
        width: of the whole drawing.
        height: of the whole drawing.
    """

    def __init__(self, x: Sequence[float], y: Sequence[float], width: float, height: float):
        self.x, self.y, self.width, self.height, self.parts = tuple(x), tuple(y), width, height, []

    def px(self, value: float) -> float:
        return LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - LEFT - RIGHT)

    def py(self, value: float) -> float:
        share = (value - self.y[0]) / (self.y[1] - self.y[0])
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def text(self, x: float, y: float, words: str, anchor: str = "middle") -> None:
        """Words at a place of the drawing."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="live-label">{escape(words)}</text>'
        )

    def frame(self, xticks: Iterable[float], yticks: Iterable[float], xlabel: str, ylabel: str) -> None:
        """Ticks, rules and the names of the axes."""
        for v in yticks:
            rule = "live-rule" if v else "live-zero"
            self.parts.append(f'<path d="M{LEFT} {self.py(v):.1f}H{self.width - RIGHT}" class="{rule}"/>')
            self.text(LEFT - 7, self.py(v) + 4, _plain(v), "end")
        for v in xticks:
            self.text(self.px(v), self.height - BOTTOM + 17, _plain(v))
        self.text((LEFT + self.width - RIGHT) / 2, self.height - 5, xlabel)
        self.text(4, 14, ylabel, "start")

    def line(self, points: Iterable[tuple[float, float]], cls: str) -> None:
        """A line through points."""
        path = "L".join(f"{self.px(a):.1f} {self.py(b):.1f}" for a, b in points)
        self.parts.append(f'<path d="M{path}" class="live-line {cls}" fill="none"/>')

    def bar(self, middle: float, width: float, value: float, cls: str) -> None:
        """A bar from zero to ``value``; its width in units of the drawing."""
        top, bottom = self.py(max(value, 0)), self.py(min(value, 0))
        self.rect(self.px(middle) - width / 2, top, width, bottom - top, cls)

    def span(self, start: float, end: float, cls: str) -> None:
        """A part of the x axis, shaded from top to bottom."""
        self.rect(self.px(start), TOP, self.px(end) - self.px(start), self.height - TOP - BOTTOM, cls)

    def rect(self, x: float, y: float, width: float, height: float, cls: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{cls}"/>')

    def dot(self, x: float, y: float) -> None:
        self.parts.append(f'<circle cx="{self.px(x):.1f}" cy="{self.py(y):.1f}" r="9" class="live-knob"/>')

    def svg(self, alt: str) -> str:
        """The drawing as an ``<svg>`` element."""
        return named_svg("".join(self.parts), self.width, self.height, alt)


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")
