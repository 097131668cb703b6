"""Static pictures: inline SVG that follows the page's colours and can be read aloud."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ppo_helpers import figures
from ppo_helpers.gridworld import GridWorld
from ppo_helpers.planning import greedy_policy, value_iteration


def draw(values=None, policy=None, text="S . M\n. # D", alt='A <small> "world" & more'):
    fig, ax = figures.subplots(size=(3, 2))
    figures.draw_world(ax, GridWorld.from_text(text), values, policy)
    return figures.show(fig, alt)


def test_picture_is_named_for_screen_readers():
    svg = parse(draw())
    assert svg.get("role") == "img" and svg.get("aria-label") == 'A <small> "world" & more'


def test_an_empty_alt_is_refused():
    with pytest.raises(ValueError, match="alt must say"):
        draw(alt="  ")


def test_ink_becomes_the_pages_text_colour_and_nothing_leaks():
    fig, ax = figures.subplots()
    ax.set(xlabel="moves", title="a title")
    svg = figures.show(fig, "axes").svg
    assert "currentColor" in svg and figures.INK not in svg
    assert "<style" not in svg and "DejaVu" not in svg and "<metadata" not in svg


def parse(picture):
    return ET.fromstring(picture.svg.replace("xlink:", ""))


def test_same_input_same_picture_and_ids_differ_between_pictures():
    unknown = np.full(5, -np.inf)  # hatched, so that there is something to refer to by id
    one, two = (draw(unknown, alt=alt) for alt in ("one", "two"))
    assert one.svg == draw(unknown, alt="one").svg
    ids = [{element.get("id") for element in parse(picture).iter()} - {None} for picture in (one, two)]
    assert ids[0] and not ids[0] & ids[1]


def words(picture):
    return [text.text for text in parse(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_cells_show_values_unknowns_terminals_and_start():
    assert words(draw()) == ["S", "+5", "−1"]
    world = GridWorld.from_text("S . M\n. # D")
    values = value_iteration(world).values
    values[0] = -np.inf
    assert words(draw(values, greedy_policy(world, values))) == ["?", "4", "+5", "2", "−1"]
