"""What all live figures share.

A figure is an ordinary anywidget. Its JavaScript does all computing and drawing, so it needs a kernel only to be
created. The published page has no kernel: there ``_static/live-static.js`` runs the same JavaScript from the saved
widget state.
"""

import json
from html import escape
from importlib.resources import files

import anywidget
import traitlets

FILES = files(__package__)
ICONS = json.loads((FILES / "icons.json").read_text("utf-8"))
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Number(traitlets.Float):
    """A number within bounds. Outside them, at the start or later, it is a ``ValueError`` that names it.

    Args:
        default: its value until it is set.
        low: its least value; excluded if ``above`` is true.
        high: its greatest value.
    """

    def __init__(self, default: float, *, low: float, high: float, above: bool = False):
        super().__init__(default)
        self.low, self.high, self.above = low, high, above

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not self.low <= value <= self.high or (self.above and value == self.low):  # NaN is refused as well
            bounds = f"{'(' if self.above else '['}{self.low:g}, {self.high:g}]"
            raise ValueError(f"{self.name} must be in {bounds}, got {value}")
        return value


class LiveFigure(anywidget.AnyWidget):
    """Base class. A subclass names its JavaScript files, tags its state with ``sync=True`` and draws a fallback.

    Args:
        alt: what the figure shows, for readers who cannot see it.
        **state: the subclass's traits.

    Raises:
        ValueError: if ``alt`` is empty, or a trait holds NaN or infinity, which JSON cannot say.
    """

    # Class attributes, not class keywords: traitlets 5.7 (Colab) rejects class keywords.
    _js: tuple[str, ...] = ()
    _css = (FILES / "figure.css").read_text("utf-8")
    alt = traitlets.Unicode().tag(sync=True)

    def __init_subclass__(cls, **kwargs):
        if "_js" in vars(cls):  # one module: the icons and shared helpers, then the figure's own files
            parts = [f"const ICONS = {json.dumps(ICONS)};"]
            parts += [(FILES / name).read_text("utf-8") for name in ("figure.js", *cls._js)]
            cls._esm = "\n".join(parts)
        super().__init_subclass__(**kwargs)

    def __init__(self, *, alt: str, **state):
        if not alt.strip():
            raise ValueError("alt must say what the figure shows, got an empty text")
        for name, value in state.items():
            try:
                json.dumps(value, allow_nan=False)
            except ValueError:
                raise ValueError(f"{name} must not hold NaN or infinity, got {value}") from None
        super().__init__(alt=alt, **state)

    def fallback(self) -> str:
        """The figure's first view as static HTML, shown while there is no JavaScript."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        if data is None or WIDGET_VIEW not in data:
            return bundle
        # Notebooks prefer the widget view; the published page takes the HTML and brings it to life.
        html = (
            f'<div class="live-figure"><div class="live-fallback">{self.fallback()}'
            '<noscript><p class="live-note">This is a still picture: the figure comes alive with JavaScript.</p>'
            f'</noscript></div><script type="{WIDGET_VIEW}">{json.dumps(data[WIDGET_VIEW])}</script></div>'
        )
        data = {**data, "text/html": html, "text/plain": f"{type(self).__name__}: {self.alt}"}
        return (data, *metadata) if metadata else data


def named_svg(drawing: str, width: float, height: float, alt: str) -> str:
    """An inline SVG element with a text alternative."""
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(alt)}">{drawing}</svg>'


def glue(name: str, value) -> None:
    """Record a value for ``{glue:}`` in the text: the message that ``myst_nb.glue`` sends, which Colab lacks."""
    from IPython.display import display

    text = {"application/papermill.record/text/plain": repr(value)}
    display(text, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}})
