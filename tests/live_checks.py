"""What every live figure has to stand, whichever file tests the rest of it."""

from pathlib import Path

import pytest


def assert_still_picture_is_as_large(mount, figure, width):
    """No layout shift when the figure comes alive."""
    size = "e => { const { width, height } = e.getBoundingClientRect(); return [width, height]; }"
    alive = mount(figure, width).locator(".live-figure").evaluate(size)
    still = mount(figure, width, alive=False).locator(".live-figure").evaluate(size)
    assert still == pytest.approx(alive, abs=2)


def axe_violations(page):
    """What axe-core finds on the page as it stands."""
    import axe_playwright_python

    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=Path(axe_playwright_python.__file__).parent / "axe.min.js")
    return page.evaluate(
        "async () => (await axe.run()).violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html}`))"
    )
