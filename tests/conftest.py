"""The browser of the page tests, a Chromium or Chrome that is on the machine, and live figures on a bare page in it."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from ppo_helpers.live.base import FILES, WIDGET_VIEW

settings.register_profile("book", deadline=None)  # a busy machine is no bug
settings.load_profile("book")
SCREENS = Path(__file__).parents[1] / "_build" / "screens"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What a failed test saw: one picture of every page that it has open."""
    report = yield
    if report.when == "call" and report.failed and "browser" in getattr(item, "funcargs", ()):
        SCREENS.mkdir(parents=True, exist_ok=True)
        pages = [page for context in item.funcargs["browser"].contexts for page in context.pages]
        for number, page in enumerate(pages):
            name = re.sub(r"[^\w-]+", "_", item.name)[:100]
            with contextlib.suppress(Exception):  # a page that cannot be drawn must not hide why the test failed
                page.screenshot(path=SCREENS / f"{name}_{number}.png", full_page=True)
    return report


@pytest.fixture(scope="session")
def browser():
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium found: install one, or set CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


STATE = WIDGET_VIEW.replace("view", "state")


PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>figure</title>
<meta name="viewport" content="width=device-width">
<style>{css} html[data-theme="dark"] {{ background: #15181d; color: #d9dce1; }}</style></head>
<body><main><h1>A figure</h1>{figure}</main>
<script type="{kind}">{state}</script><script>{script}</script></body></html>"""


def page_of(figure, tmp_path, root, theme, alive):
    """A page as the book makes it: the figure's HTML, its state, and the script that brings it to life."""
    widget = {"model_name": "AnyModel", "model_module": "anywidget", "state": figure.get_state()}
    state = json.dumps({"state": {figure.model_id: widget}}).replace("</", "<\\/")
    script = (root / "_static" / "live-static.js").read_text("utf-8") if alive else ""
    css = (FILES / "figure.css").read_text("utf-8")
    body = figure._repr_mimebundle_()[0]["text/html"]
    path = tmp_path / "figure.html"
    parts = {"css": css, "figure": body, "kind": STATE, "state": state, "script": script, "theme": theme}
    path.write_text(PAGE.format(**parts), "utf-8")
    return path.as_uri()


@pytest.fixture
def mount(browser, tmp_path, pytestconfig):
    pages = []

    def open_figure(figure, width=900, theme="light", alive=True, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        pages.append(page)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(page_of(figure, tmp_path, pytestconfig.rootpath, theme, alive))
        if alive:
            page.wait_for_selector("[data-live=ready]")
        return page

    yield open_figure
    assert [problem for page in pages for problem in page.problems] == []
    for page in pages:
        page.close()


@pytest.fixture
def one_thread():
    """Networks this small are slower on two threads, and a second process wants the other one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
