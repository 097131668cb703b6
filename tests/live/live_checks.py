"""What tests of live figures ask again and again."""

import atexit
import re

from py_mini_racer import MiniRacer

from ppo_helpers.live.base import HOME
from ppo_helpers.live.bundle import bundle


def javascript(*names):
    """An engine that holds what these modules of live/ export, each under its own name."""
    racer = MiniRacer()
    atexit.register(racer.close)  # left to the interpreter's last moments, it can hang there
    for name in names:
        exported = re.findall(r"^export (?:function\*?|const) (\w+)", (HOME / name).read_text("utf-8"), re.MULTILINE)
        text = re.sub(r"^export ", "", bundle(HOME / name), flags=re.MULTILINE)
        racer.eval(f"Object.assign(globalThis, (() => {{\n{text}\nreturn {{ {', '.join(exported)} }};\n}})());")
    return racer


def number(value, digits=1):
    """A number as the figures write it: at most so many decimals, halves away from zero, a real minus sign."""
    from decimal import ROUND_HALF_UP, Decimal

    if value in (float("inf"), float("-inf")):
        return "−∞" if value < 0 else "∞"
    rounded = Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded.normalize() if rounded else Decimal(0):f}".replace("-", "−")


def cell(page, row, col):
    return page.locator(f'[data-at="{row},{col}"]')


def look(page, at):
    """What a JavaScript function finds in every cell, by the cell's place: one question to the browser for all."""
    cells = f"Object.fromEntries([...document.querySelectorAll('[data-at]')].map((e) => [e.dataset.at, ({at})(e)]))"
    return page.evaluate(cells)


def press(page, words):
    page.get_by_role("button", name=words, exact=True).first.click()


def status(page):
    return page.get_by_role("status").first.text_content()


def fact(page, name):
    """A number of the read-outs, by the words above it; text if it is no number."""
    words = page.locator(".live-numbers div", has_text=name).first.locator("dd").text_content()
    return float(words.replace("−", "-")) if re.fullmatch(r"[−\d.]+", words) else words


def swipe(page, locator, dx=0, dy=0, start=(0.5, 0.5), steps=8):
    """A finger put on an element and drawn along: real touch, so the browser decides whether the page scrolls."""
    box = locator.bounding_box()
    x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
    session = page.context.new_cdp_session(page)

    def send(kind, points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", [{"x": x, "y": y}])
    for step in range(1, steps + 1):
        send("touchMove", [{"x": x + dx * step / steps, "y": y + dy * step / steps}])
        page.wait_for_timeout(16)
    send("touchEnd", [])
    page.wait_for_timeout(50)
