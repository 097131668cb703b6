"""Static pictures: inline SVG that follows the page's colours, says what it shows, and can be read on a phone."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from drawings import faults

from ppo_helpers import figures
from ppo_helpers.gridworld import GridWorld
from ppo_helpers.planning import greedy_policy, value_iteration

SVG = "{http://www.w3.org/2000/svg}"
LIVE = Path(figures.__file__).parent / "live"
TEXT = "S . M\n. # D"


def draw(values=None, policy=None, text=TEXT, alt='A <small> "world" & more', caption="One & two"):
    fig, ax = figures.subplots(size=(3, 2))
    figures.draw_world(ax, GridWorld.from_text(text), values, policy)
    return figures.show(fig, alt, caption)


def parse(picture):
    return ET.fromstring(picture._repr_html_().replace("xlink:", ""))


def words(picture):
    return [text.text for text in parse(picture).iter(f"{SVG}text")]


# ---- Names -----------------------------------------------------------------------------------------------------------


def test_a_picture_is_named_for_screen_readers_and_has_a_caption():
    drawing, caption = parse(draw())
    assert drawing.get("role") == "img" and drawing.get("aria-label") == 'A <small> "world" & more'
    assert caption.tag == "figcaption" and caption.text == "One & two"


@pytest.mark.parametrize("name", ["alt", "caption"])
def test_an_empty_alt_or_caption_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must say"):
        draw(**{name: "  "})


def test_same_input_same_picture_and_ids_differ_between_pictures():
    unknown = np.full(5, -np.inf)  # hatched, so that there is something to refer to by id
    one, two = (draw(unknown, alt=alt) for alt in ("one", "two"))
    assert one.panels == draw(unknown, alt="one").panels
    ids = [{element.get("id") for element in parse(picture).iter()} - {None} for picture in (one, two)]
    assert ids[0] and not ids[0] & ids[1]


@pytest.mark.slow
def test_every_panel_is_a_drawing_of_its_own():
    fig, axes = figures.subplots(2, 3, size=(2, 1))
    assert axes.shape == (2, 3) and figures.subplots(1, 3)[1].shape == (3,)
    for number, ax in enumerate(axes.flat):
        ax.set(title=f"panel {number}")
    picture = figures.show(fig, "six", "Six.")
    assert [svg.tag for svg in parse(picture)[0]] == [f"{SVG}svg"] * 6
    assert [name for name in words(picture) if name.startswith("panel")] == [f"panel {number}" for number in range(6)]
    ids = [element.get("id") for element in parse(picture).iter() if element.get("id")]
    assert len(set(ids)) == len(ids)


# ---- Colours ---------------------------------------------------------------------------------------------------------


def test_text_has_the_pages_colour_and_nothing_leaks():
    fig, ax = figures.subplots()
    ax.set(xlabel="moves", title="a title")
    svg = figures.show(fig, "axes", "Axes.").panels[0]
    assert "currentColor" in svg and figures.TEXT not in svg
    assert "<style" not in svg and "DejaVu" not in svg and "<metadata" not in svg


@pytest.mark.slow
@pytest.mark.parametrize("role", figures.COLORS)
def test_a_role_follows_the_theme(role):
    light = figures.COLORS[role][0]
    fig, ax = figures.subplots()
    ax.plot([0, 1], color=light)
    svg = figures.show(fig, role, role).panels[0]
    assert f"stroke: var(--fig-{role}, {light})" in svg and svg.count(light) == svg.count(f", {light})")


def declared(rules):
    """Role → colour, of the custom properties in a block of figure.css."""
    return dict(re.findall(r"--fig-([\w-]+):\s*(#[0-9a-fA-F]{6})", rules))


def test_live_figures_have_the_same_colours():
    css = (LIVE / "figure.css").read_text("utf-8")
    light = declared(re.search(r":root\s*\{(.*?)\}", css, re.DOTALL)[1])
    dark = light | declared(re.search(r'\[data-theme="dark"\][^{]*\{([^}]*--fig-policy[^}]*)\}', css)[1])
    assert {role: (light.get(role), dark.get(role)) for role in figures.COLORS} == figures.COLORS


def test_no_two_roles_look_alike():
    for page in zip(*figures.COLORS.values(), strict=True):
        assert len(set(page)) == len(page)


def test_values_have_the_colours_of_live_figures():
    ramp = (LIVE / "parts" / "colors.js").read_text("utf-8")
    numbers = {name: np.fromstring(rgb, sep=",") for name, rgb in re.findall(r"(\w+): \[([\d, ]+)\]", ramp)}
    for name, value in {"low": -5, "middle": 0, "high": 5}.items():
        assert figures.value_color(value) == "#" + "".join(f"{int(part):02x}" for part in numbers[name])
    assert figures.value_color(-9) == figures.value_color(-5) != figures.value_color(-2.5)


def test_a_ramp_begins_with_the_page_and_ends_with_the_colour():
    fig, ax = figures.subplots()
    ax.pcolormesh([[0.0, 1.0, np.nan]], cmap=figures.ramp(figures.UNSEEN))
    svg = figures.show(fig, "ramp", "Ramp.").panels[0]
    cells = [style for style in re.findall(r'style="([^"]*)"', svg) if "fill: var" in style]
    assert cells == [f"fill: var(--fig-{role}, {color})" for role, color in
                     (("unclipped", figures.UNSEEN), ("barrier", figures.BARRIER))]  # fmt: skip


CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_take_colours_by_their_role(path):
    """A named colour, a number or matplotlib's own cycle would be a second colour for something that has one."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "figures.subplots" in source:
            assert (
                re.findall(r"""color=(?!figures\.[A-Z]+\b|color\b)[^,)]*|#[0-9a-f]{6}\b|cmap=["']\w+""", source) == []
            )


# ---- The world -------------------------------------------------------------------------------------------------------


def test_cells_show_values_unknowns_terminals_and_start():
    assert words(draw()) == ["S", "+5", "−1"]
    world = GridWorld.from_text(TEXT)
    values = value_iteration(world).values
    values[0] = -np.inf
    assert words(draw(values, greedy_policy(world, values))) == ["−∞", "4", "+5", "2", "−1"]


def test_terminals_have_the_drawings_of_live_figures_each_in_its_cell():
    icons = json.loads((LIVE / "parts" / "icons.json").read_text("utf-8"))
    fig, axes = figures.subplots(1, 2, size=(3, 2))
    for ax, text in zip(axes, ("M . D", "D . m"), strict=True):
        figures.draw_world(ax, GridWorld.from_text(text))
    for panel, symbols in zip(figures.show(fig, "two worlds", "Two.").panels, ("MD", "Dm"), strict=True):
        drawn = re.findall(r'<svg x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*>(.*?)</svg>', panel, re.DOTALL)
        assert [inside for *_, inside in drawn] == [icons[symbol] for symbol in symbols]
        cells = re.findall(r'd="M ([\d.]+) [\d.]+ L ([\d.]+) [^"]*" style="fill: #', panel)  # the three of the world
        for (x, width, _), (left, right) in zip(drawn, (cells[0], cells[2]), strict=True):
            assert float(left) < float(x) and float(x) + float(width) < float(right)


def test_a_terminal_without_a_drawing_shows_its_reward_alone():
    fig, ax = figures.subplots(size=(2, 1))
    figures.draw_world(ax, GridWorld.from_text("X . M", rewards={"X": 0.0}))
    picture = figures.show(fig, "a world", "A world.")
    assert words(picture) == ["0", "+5"] and picture.panels[0].count("viewBox") == 2


# ---- Numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "value, shown",
    [(0, "0"), (1, "1"), (1000, "1,000"), (0.01, "0.01"), (1e4, "10⁴"), (1e-16, "10⁻¹⁶"), (-10, "−10"), (-1e7, "−10⁷"),
     (2e5, "2 · 10⁵")],
)  # fmt: skip
def test_numbers_of_logarithmic_axes_are_written_out(value, shown):
    fig, ax = figures.subplots()
    ax.set_yscale("symlog", linthresh=1e-20)
    ax.set(ylim=(-1e8, 1e8), yticks=[value])
    assert shown in words(figures.show(fig, "axis", "Axis."))


def test_no_minor_number_stands_on_a_label():
    fig, ax = figures.subplots()
    ax.set(xscale="log", xlim=(0.1, 1))
    ax.set_xticks([0.16, 0.32, 0.64], ["16%", "32%", "64%"])
    shown = words(figures.show(fig, "axis", "Axis."))
    assert [name for name in shown if not re.fullmatch(r"[\d.]+", name)] == ["16%", "32%", "64%"]


def test_a_minus_is_no_hyphen():
    fig, ax = figures.subplots()
    ax.set(title="A = -1, log-prob -0.5, 10-fold", xticks=[])
    assert "A = −1, log-prob −0.5, 10-fold" in words(figures.show(fig, "title", "Title."))


# ---- Legible ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def faults_of(browser):
    """What cannot be read of a picture in the column of a screen of this width."""
    pages = []

    def look(picture, width):
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        column = f"max-width:736px;margin:0 {16 if width < 400 else 100}px"
        page.set_content(f'<body style="margin:0"><div style="{column}">{picture._repr_html_()}</div></body>')
        return faults(page), page.evaluate("document.scrollingElement.scrollWidth - innerWidth")

    yield look
    for page in pages:
        page.close()


def curves(**options):
    fig, axes = figures.subplots(1, 3, size=(2.45, 1.8))
    for ax in axes:
        ax.plot([0, 40], [-1, 1], label="a curve")
        ax.set(xlabel="epoch", title="the surrogate", **options)
        ax.legend()
    return fig


@pytest.mark.parametrize("width", [1280, 390, 360])
def test_panels_and_pictures_can_be_read_on_every_screen_without_scrolling(faults_of, width):
    assert faults_of(figures.show(curves(), "curves", "Curves."), width) == ([], 0)
    world = GridWorld.default()
    values = value_iteration(world).values
    fig, axes = figures.subplots(1, 3, size=(2.45, 1.7))
    for ax in axes:
        figures.draw_world(ax, world, values, greedy_policy(world, values), title="after 1 sweep")
    assert faults_of(figures.show(fig, "worlds", "Worlds."), width) == ([], 0)
    fig, ax = figures.subplots()
    ax.set(xlabel="a single picture", ylabel="points")
    assert faults_of(figures.show(fig, "one", "One."), width) == ([], 0)


def test_what_cannot_be_read_is_found(faults_of):
    fig, ax = figures.subplots()
    ax.text(0.5, 1.4, "too high")
    ax.text(0.5, 0.5, "tiny", fontsize=8)
    ax.text(0.1, 0.2, "one text")
    ax.text(0.15, 0.21, "another", rotation=20)
    for text in ax.texts:
        text.set_in_layout(False)
    found, _ = faults_of(figures.show(fig, "faults", "Faults."), 390)
    kinds = ['"too high" is cut off', '"tiny" is 1', '"one text" stands on "another"']
    assert len(found) == len(kinds) and all(line.startswith(kind) for line, kind in zip(found, kinds, strict=True))
