"""Live figures: how long a reader waits for the picture after moving a control."""

import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.table import Row, benchmark
from tests.conftest import BROWSERS, page_of

ROOT = Path(__file__).parents[1]
LARGE = (
    "\n".join(" ".join("#" if r % 2 and c % 4 else "." for c in range(12)) for r in range(11)) + "\n" + ". " * 11 + "M"
)
TIMES = """(slider) => Array.from({ length: 9 }, (_, i) => {
  const start = performance.now();
  slider.value = i % 2 ? slider.min : slider.max;
  slider.dispatchEvent(new Event("input"));
  document.body.getBoundingClientRect();
  return performance.now() - start;
})"""


@benchmark
def controls():
    """The first slider of a figure on a world four times the size of the book's largest."""
    from playwright.sync_api import sync_playwright

    from ppo_helpers.gridworld import GridWorld
    from ppo_helpers.live import GridEditor, PolicyPlayground

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page()
        for figure in (GridEditor, PolicyPlayground):
            page.goto(
                page_of(figure(GridWorld.from_text(LARGE), alt="a large world"), Path(folder), ROOT, "light", True)
            )
            page.wait_for_selector("[data-live=ready]")
            taken = median(page.locator("input[type=range]").first.evaluate(TIMES))
            yield Row(f"a control of {figure.__name__}, large world", taken, 50, "ms")
