"""The built pages: their names, and what the tests of them share. conftest.py builds and opens them."""

from functools import cache
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
SOURCES = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]
CHAPTERS = [name for name in SOURCES if name.startswith("chapters/")]
PAGES = [f"{name}.html" for name in [*SOURCES, "search"]]

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
VIEWS = f'script[type="{VIEW}"]'
FIGURES_SETTLED = f"document.querySelectorAll('[data-live]').length === document.querySelectorAll('{VIEWS}').length"
WATCH_SHIFTS = """window.layoutShift = 0; window.shifted = []; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    window.layoutShift += entry.value;
    window.shifted.push(...entry.sources.map(({ node }) => node?.closest ? node : node?.parentElement));
  }
}).observe({ type: "layout-shift", buffered: true });"""


@cache
def soup(book, page):
    """A page as it was built. To read one takes a second, so all tests of a worker get the same: leave it as it is."""
    return BeautifulSoup((book / page).read_text("utf-8"), "html.parser")


def darken(page):
    """The reader's system turns dark, and the page with it."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    page.wait_for_timeout(400)  # colours fade
