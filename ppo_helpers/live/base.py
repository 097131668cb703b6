"""What all live figures share.

A figure is an ordinary anywidget: a Python class with its state, beside it a JavaScript module of the same name that
does all computing and drawing, so a kernel is needed only to create it. The published page has no kernel: there
``_static/live-static.js`` runs the same JavaScript from the saved state, and until then the page shows a picture that
the same JavaScript has drawn while the book was built.
"""

import inspect
import json
import weakref
from pathlib import Path

import anywidget
import traitlets

from ppo_helpers.live.bundle import bundle, follow

HOME = Path(__file__).parent
CSS = (HOME / "figure.css").read_text("utf-8")


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


class Seed(traitlets.Int):
    """A whole number of at least 0. Any other, at the start or later, is a ``ValueError`` that names it."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if value < 0:
            raise ValueError(f"{self.name} must be a whole number of at least 0, got {value}")
        return value


class LiveFigure(anywidget.AnyWidget):
    """Base class. ``name.py`` holds a subclass, ``name.js`` draws it, ``name.css``, if there is one, is its own look.

    A subclass tags the traits that its JavaScript sees with ``sync=True``, and those of them that a link to a view may
    set with ``linked=True``, or ``linked={name: [low, high]}`` with bounds for numbers inside of it.

    Args:
        alt: what the figure shows, for readers who cannot see it.
        caption: what to see in it, in a sentence or two.
        **state: the subclass's traits.

    Raises:
        ValueError: if ``alt`` or ``caption`` is empty, or a trait holds NaN or infinity, which JSON cannot say.
    """

    links = traitlets.Dict(help="what a link may set: bounds of numbers, None where there are none").tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)

    # Class attributes, not class keywords: traitlets 5.7 (Colab) rejects class keywords.
    def __init_subclass__(cls, **kwargs):
        cls._module = Path(inspect.getfile(cls)).with_suffix(".js")
        if cls._module.is_file() and "_esm" not in vars(cls):
            own = cls._module.with_suffix(".css")
            cls._esm, cls._css = bundle(cls._module), CSS + (own.read_text("utf-8") if own.is_file() else "")
        super().__init_subclass__(**kwargs)

    def __init__(self, *, alt: str, caption: str, **state):
        for name, words in (("alt", alt), ("caption", caption)):
            if not words.strip():
                raise ValueError(f"{name} must say what the figure shows, got an empty text")
        for name, value in state.items():
            try:
                json.dumps(value, allow_nan=False)
            except ValueError:
                raise ValueError(f"{name} must not hold NaN or infinity, got {value}") from None
        super().__init__(alt=alt, caption=caption, links=self._links(), **state)
        figure = weakref.ref(self)  # a figure that is gone must not be kept for its files' sake
        follow(self._module, lambda text: (alive := figure()) and alive.set_trait("_esm", text))

    @classmethod
    def _links(cls) -> dict:
        linked = cls.class_traits(linked=lambda tag: tag is not None)
        bounds = {name: trait.metadata["linked"] for name, trait in linked.items()}
        return {name: _bounds(linked[name]) if given is True else given for name, given in bounds.items()}

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = f"{type(self).__name__}: {self.alt}"  # where no widget can be shown
        return bundle


def _bounds(trait: traitlets.TraitType) -> list[float] | None:
    return [trait.low, trait.high] if isinstance(trait, Number) else None


class AskingFigure(LiveFigure):
    """A figure whose JavaScript asks the kernel; ``reply`` answers, from what was asked to what is said."""

    def __init__(self, **state):
        super().__init__(**state)
        self.on_msg(self._answer)

    def reply(self, asked: dict) -> dict:
        raise NotImplementedError

    def _answer(self, _, asked: dict, buffers) -> None:
        """An error is told to the page, whatever it is: raised here, nobody would see it."""
        try:
            reply = self.reply(asked)
        except Exception as error:
            reply = {"error": str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"}
        self.send({"number": asked["number"], **reply})
