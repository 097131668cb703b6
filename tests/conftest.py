"""The browser of the page tests, a Chromium or Chrome that is on the machine, and what other tests share."""

import contextlib
import os
import re
import shutil
from pathlib import Path
from threading import RLock

import pytest
import torch
from hypothesis import settings
from tqdm import tqdm

settings.register_profile("book", deadline=None)  # a busy machine is no bug
settings.load_profile("book")
# its own lock is one over all forks: a mutant that is stopped with it in hand would stop all that come after it
tqdm.set_lock(RLock())
SCREENS = Path(__file__).parents[1] / "_build" / "screens"
# nothing but this machine has a name: whatever else a page asks for fails, and the tests see that it asked
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# without a window it opens a page in half the time
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items):
    for item in items:
        if {"browser", "book"} & {*getattr(item, "fixturenames", ())}:
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
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", ALONE])
        yield browser
        browser.close()


@pytest.fixture
def one_thread():
    """Networks this small are slower on two threads, and a second process wants the other one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
