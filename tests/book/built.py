"""The built pages: their names, and what the tests of them share. conftest.py builds and opens them."""

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
WATCH_SHIFTS = """window.layoutShift = 0; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
# Every rule of axe, the experimental ones too, except AAA, which goes beyond what the book promises, and one experiment
# that wants a widget's role on each scrolling formula. (preload: axe looks for imported styles in the wrong folder)
AXE_RUN = """async () => {
  const wanted = (rule) => !rule.tags.includes("wcag2aaa") && rule.ruleId !== "focus-order-semantics";
  const runOnly = axe.getRules().filter(wanted).map((rule) => rule.ruleId);
  const { violations } = await axe.run({ runOnly, preload: false, resultTypes: ["violations"] });
  const words = (node) => `${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`;
  return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${words(node)}`));
}"""


def axe(page):
    if not page.evaluate("'axe' in window"):
        import axe_playwright_python

        page.add_script_tag(path=Path(axe_playwright_python.__file__).parent / "axe.min.js")
    return page.evaluate(AXE_RUN)


def soup(book, page):
    return BeautifulSoup((book / page).read_text("utf-8"), "html.parser")
