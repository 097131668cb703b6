"""Draws the picture that appears where somebody shares a page's address: python tools/social_card.py (needs Chromium).

It is committed, so that building the book needs no browser. A test draws it anew and compares.
"""

import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CARD = ROOT / "_static" / "social-card.png"
WIDTH, HEIGHT = 1200, 630
CELL, LEFT, TOP = 116, 64, 83  # of the grid, in pixels
WORDS = ["the", "dragon", "sleeps"]
WALK = [(0, 0), (0, 1), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]  # rows and columns; from there it leaves the grid
PRIZES = {(0, 3): "M", (1, 2): "D", (3, 0): "m"}
WALLS = [(1, 0), (2, 3)]

STYLE = """
@font-face {{ font-family: card; font-weight: 700; src: url({fonts}/KaTeX_Main-Bold.woff2); }}
@font-face {{ font-family: card; src: url({fonts}/KaTeX_Main-Regular.woff2); }}
body {{ margin: 0; background: #fffefb; }} svg {{ display: block; font-family: card; }}
"""


def middle(cell):
    row, column = cell
    return LEFT + CELL * (column + 0.5), TOP + CELL * (row + 0.5)


def square(row, column):
    fill = "#4a5160" if (row, column) in WALLS else "#f3ead7"
    x, y = LEFT + CELL * column + 3, TOP + CELL * row + 3
    return f'<rect x="{x}" y="{y}" width="{CELL - 6}" height="{CELL - 6}" rx="6" fill="{fill}"/>'


def prize(cell, icons):
    x, y = middle(cell)
    return f'<g transform="translate({x - 58} {y - 58}) scale(1.16)">{icons[PRIZES[cell]]}</g>'


def walk():
    """The path through the grid and out of it, and the walker at its beginning."""
    corners = " L".join("{} {}".format(*middle(cell)) for cell in WALK)
    (x, y), end = middle(WALK[0]), middle(WALK[-1])[1]
    line = f'<path d="M{corners} H586" fill="none" stroke="#2b8a7a" stroke-width="12" stroke-linejoin="round"/>'
    arrow = f'<path d="M580 {end - 18} l32 18 l-32 18z" fill="#2b8a7a"/>'
    return f'{line}{arrow}<circle cx="{x}" cy="{y}" r="25" fill="#2b8a7a"/>'


def sentence():
    """The words that the path becomes, as tokens, and a cursor."""
    parts, x, y = [], 626, middle(WALK[-1])[1]
    for word in WORDS:
        width = 34 + 18 * len(word)
        box = f'x="{x}" y="{y - 37}" width="{width}" height="74" rx="10"'
        parts.append(f'<rect {box} fill="#eaf3f0" stroke="#2b8a7a"/>')
        parts.append(f'<text x="{x + width / 2}" y="{y + 12}" font-size="38" text-anchor="middle">{word}</text>')
        x += width + 14
    return "".join(parts) + f'<rect x="{x}" y="{y - 32}" width="8" height="64" rx="3" fill="#c9624f"/>'


def drawing(icons):
    """The whole card as SVG."""
    squares = "".join(square(row, column) for row in range(4) for column in range(4))
    prizes = "".join(prize(cell, icons) for cell in PRIZES)
    title = "".join(
        f'<text x="626" y="{138 + 84 * line}" font-size="80" font-weight="700">{text}</text>'
        for line, text in enumerate(["PPO, from", "Gridworld", "to GPT-2"])
    )
    promise = '<text x="626" y="376" font-size="31" fill="#545c68">Walking a grid and writing a sentence</text>'
    promise += '<text x="626" y="414" font-size="31" fill="#545c68">are the same game.</text>'
    side = 4 * CELL + 8
    frame = f'<rect x="{LEFT - 4}" y="{TOP - 4}" width="{side}" height="{side}" rx="12" fill="#ddd7ca"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    inside = frame + squares + walk() + prizes + title + sentence() + promise
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="#1a1e25">{inside}</svg>'


def draw(browser, target=CARD):
    """Writes the card as a PNG file.

    Args:
        browser: a Chromium that playwright has started.
        target: the file.
    """
    icons = json.loads((ROOT / "ppo_helpers" / "live" / "parts" / "icons.json").read_text("utf-8"))
    style = STYLE.format(fonts=(ROOT / "_vendor" / "katex" / "fonts").as_uri())
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    source = target.with_suffix(".html")  # a page from a file may use the fonts beside it
    source.write_text(f'<meta charset="utf-8"><style>{style}</style>{drawing(icons)}', "utf-8")
    page.goto(source.as_uri())
    page.evaluate("document.fonts.ready")
    page.screenshot(path=target)
    page.close()
    source.unlink()


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("no Chromium found: install one, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        draw(playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]))
    print(CARD)
