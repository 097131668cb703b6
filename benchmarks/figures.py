"""Live figures: how long a reader waits for the picture after moving a control, or for PPO trained in the page."""

import importlib
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.table import Row, benchmark

ROOT = Path(__file__).parents[1]
ALIVE = (
    """addEventListener("live-ready", () => { window.first ??= performance.now(); window.last = performance.now(); })"""
)
SETTLED = """document.readyState === "complete" &&
  document.querySelectorAll("figure.live-figure:not([data-live])").length === 0"""
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

    files = tested("test_every_figure").FILES
    found = {name: tested(file).examples()[0] for name, file in files.items()}
    words = {"alt": "a large world", "caption": "a large world"}
    large = {kind.__name__: kind(GridWorld.from_text(LARGE), **words) for kind in (GridEditor, PolicyPlayground)}
    return found | {f"{name}, large world": figure for name, figure in large.items()}


def tested(name: str):
    """A module of the tests: the benchmarks look at the figures that the tests look at."""
    sys.path[:0] = [place for part in ("_ext", "tests/live", "tests") if (place := str(ROOT / part)) not in sys.path]
    return importlib.import_module(name)


@contextmanager
def bare_page(reduced_motion: str = "reduce"):
    """A page of a browser that is on this machine; None if there is none."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, tested("tests.conftest").BROWSERS)), None)
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page(reduced_motion=reduced_motion)


def on_page(figure, script: str, reduced_motion: str = "reduce"):
    """What a script finds out on a page with this figure alone; None if there is no browser."""
    from tempfile import TemporaryDirectory

    text = tested("tests.live.conftest").page_of(figure, ROOT)
    with TemporaryDirectory() as folder, bare_page(reduced_motion) as page:
        if page is None:
            return None
        Path(folder, "page.html").write_text(text, "utf-8")
        page.goto(Path(folder, "page.html").as_uri())
        page.wait_for_selector("[data-live=ready]")
        return page.evaluate(script)


@benchmark
def pages():
    """Until the figure on the first screen answers, and until all do, of the slowest page of the built book."""
    site = ROOT / "_build" / "html"
    names = ["intro.html", *(f"chapters/{path.name}" for path in sorted((site / "chapters").glob("*.html")))]
    with bare_page("no-preference") as page:
        for rate, whole in ((1, 1), (4, 5)) if page else ():
            times = {name: arrival(page, (site / name).as_uri(), rate) for name in names}
            for i, (what, limit) in enumerate((("first figure", 1 if rate == 1 else 2.5), ("every figure", whole))):
                name = max(names, key=lambda name: times[name][i])
                slowed = f", CPU slowed {rate}×" if rate > 1 else ""
                yield Row(f"{what} alive{slowed}: {Path(name).stem}", times[name][i], limit, "s")


def arrival(page, address: str, rate: int) -> list[float]:
    """Seconds from the request until the first figure lives, and until the last one does; median of three visits."""
    visits = []
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
    page.add_init_script(ALIVE)
    for _ in range(3):
        page.goto(address)
        page.wait_for_function(SETTLED)
        visits.append(page.evaluate("[window.first / 1000, window.last / 1000]"))
    return [median(column) for column in zip(*visits, strict=True)]


@benchmark
def controls():
    """The slowest slider of each figure."""
    page_of = tested("tests.live.conftest").page_of
    pages = {name: page_of(figure, ROOT) for name, figure in figures().items()}  # before the browser takes the loop
    with bare_page() as page:
        for name, text in pages.items() if page else ():
            page.goto("about:blank")
            page.set_content(text)
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
    lab = tested("test_ppo_lab").figure()
    engine = tested("live_checks").javascript("twins/gridworld.js", "figures/ppo_lab_runs.js")
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


SOLVED = """async () => {
  const start = performance.now();
  [...document.querySelectorAll("button")].find((e) => e.textContent === "Train").click();
  const said = () => document.querySelector("[role=status]").textContent;
  while (!/Solved in|Not solved/.test(said())) await new Promise((resolve) => setTimeout(resolve, 20));
  return [(performance.now() - start) / 1000, said().includes("Solved in")];
}"""


@benchmark
def pole_in_the_page():
    """Chapter 7's CartPole, from the click to the sentence that it is solved: the mean of five seeds."""
    tests = tested("test_cart_pole")
    found = [on_page(tests.figure(tests.BOLD, seed=seed), SOLVED, "no-preference") for seed in range(5)]
    if all(found):
        seconds, solved = zip(*found, strict=True)
        yield Row("CartPole in the page until it is solved", sum(seconds) / 5, 10, "s")
        yield Row("  seeds of five that solve it", sum(solved), 4, "", more_is_better=True)


MORE_SEEDS = """async () => {
  const start = performance.now();
  let [longest, last] = [0, start];
  const frame = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const more = [...document.querySelectorAll("button")].find((e) => e.textContent.includes("more seeds"));
  more.click();
  while (more.textContent === "Stop") await new Promise((resolve) => setTimeout(resolve, 20));
  return [(performance.now() - start) / 1000, longest];
}"""


@benchmark
def seeds_in_the_page():
    """The lab trains twenty seeds of each side in short slices: how long that takes, and the longest frame."""
    found = on_page(tested("test_ppo_lab").figure(), MORE_SEEDS)
    if found:
        seconds, longest = found
        yield Row("PPO in the page, 2 × 20 seeds, 40 iterations of 20 epochs", seconds, 8, "s")
        yield Row("  the longest frame meanwhile", longest, 50, "ms")


FIRST_TOKEN = """async () => {
  const start = performance.now();
  [...document.querySelectorAll("button")].find((e) => e.textContent === "Roll dice").click();
  while (!document.querySelector("mark")) await new Promise((resolve) => setTimeout(resolve));
  return performance.now() - start;
}"""


@benchmark
def gpt2_in_the_page():
    """Chapter 8's model in the browser: from the click that wakes it to its first token, and how fast it goes on."""
    from tempfile import TemporaryDirectory

    from ppo_helpers.live import page_model

    engine = tested("test_twin_gpt2").woken()
    start = time.perf_counter()
    engine.eval("for (let i = 0; i < 5; i++) scoresOf(Array.from({ length: 60 }, (_, t) => 464 + t))")
    yield Row("GPT-2 in the page, reading", 300 / (time.perf_counter() - start), 100, "tokens/s", more_is_better=True)
    text = tested("tests.live.conftest").page_of(tested("test_sentence_writer").writer(), ROOT)
    with TemporaryDirectory() as folder, bare_page() as page:
        if page:
            Path(folder, f"{page_model.NAME}.js").write_text(page_model.script(), "utf-8")
            Path(folder, "page.html").write_text(text, "utf-8")
            page.goto(Path(folder, "page.html").as_uri())
            page.wait_for_selector("[data-live=ready]")
            yield Row("GPT-2 in the page, asleep to first token", page.evaluate(FIRST_TOKEN) / 1000, 1.5, "s")


ANSWERED = """async (source) => {
  const start = performance.now();
  await bookPython.ask(source);
  return performance.now() - start;
}"""


@benchmark
def exercises_on_the_page():
    """Python on the page: from the first press of Check, when it has to come, and every other."""
    from tempfile import TemporaryDirectory

    on_page = tested("tests.exercises.test_on_page")
    with TemporaryDirectory() as folder, bare_page() as page:
        if page:
            page.goto(on_page.written_page(Path(folder)))
            for which in ("first answer", "every other"):
                took = page.evaluate(ANSWERED, on_page.RIGHT_CELL) / 1000
                yield Row(f"Exercises on the page, {which}", took, 1, "s")
