"""Live figures: how long a reader waits for the picture after moving a control, or for PPO trained in the page."""

import importlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.table import Row, benchmark

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


def figures() -> dict:
    """One of every kind, as the tests have them, and the two of the grid on a world four times the book's largest."""
    from ppo_helpers.gridworld import GridWorld
    from ppo_helpers.live import GridEditor, PolicyPlayground

    files = importlib.import_module("test_every_figure").FILES
    found = {name: importlib.import_module(file).examples()[0] for name, file in files.items()}
    words = {"alt": "a large world", "caption": "a large world"}
    large = {kind.__name__: kind(GridWorld.from_text(LARGE), **words) for kind in (GridEditor, PolicyPlayground)}
    return found | {f"{name}, large world": figure for name, figure in large.items()}


@benchmark
def controls():
    """The slowest slider of each figure."""
    from playwright.sync_api import sync_playwright

    sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "tests" / "live"), str(ROOT / "tests")]
    browsers = importlib.import_module("tests.conftest").BROWSERS
    page_of = importlib.import_module("tests.live.conftest").page_of
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, browsers)), None)
    if path is None:
        return
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page(reduced_motion="reduce")
        for name, figure in figures().items():
            page.goto("about:blank")
            page.set_content(page_of(figure, ROOT))
            page.wait_for_selector("[data-live=ready]")
            taken = [median(slider.evaluate(TIMES)) for slider in page.locator("input[type=range]").all()]
            yield Row(f"a slider of {name}", max(taken, default=0.0), 50, "ms")


TRAINED = """
const world = parseWorld(WORLD.text, WORLD.move_cost, WORLD.rewards), lab = { world, room: WORLD.room };
const judge = judgeOf(world, WORLD.room.max_steps);
function seeds(config, first, last) {
  for (let seed = first; seed <= last; seed++) {
    const record = recordOf({ world, judge }, false);
    for (const step of lesson(lab, config, seed)) record.add(step);
  }
  return last;
}
"""


@benchmark
def ppo_in_the_page():
    """Chapter 7's lab, in the engine that draws the stills: it is a browser's."""
    sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "tests" / "live"), str(ROOT / "tests")]
    lab = importlib.import_module("test_ppo_lab").figure()
    files = ["twins/gridworld.js", "figures/ppo_lab_runs.js"]
    engine = importlib.import_module("live_checks").javascript(*files)
    names = ("text", "move_cost", "rewards", "room")
    engine.eval(f"const WORLD = {json.dumps({name: getattr(lab, name) for name in names})};{TRAINED}")

    def seconds(sides, seeds, **change):
        start = time.perf_counter()
        for side in sides:
            engine.call("seeds", side | change, 1, seeds)
        return time.perf_counter() - start

    yield Row(
        "PPO in the page, 30 iterations of 4 epochs", seconds(lab.sides[:1], 1, iterations=30, epochs=4), 0.3, "s"
    )
    yield Row("PPO in the page, 2 × 20 seeds, 40 iterations of 20 epochs", seconds(lab.sides, 20), 8, "s")
