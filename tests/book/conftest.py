"""Builds the book as `make book` does, serves it, and opens its pages with the network closed."""

import fcntl
import functools
import http.server
import os
import subprocess
import threading
from urllib.parse import urljoin

import pytest
from built import FIGURES_SETTLED, ROOT, SITE, WATCH_SHIFTS

LEFT = "net::ERR_ABORTED"  # the page was left before the file had come


def make_book():
    """`make book` is quick when nothing has changed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "book"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"make book failed:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"


@pytest.fixture(scope="session")
def book():
    """The folder of the built pages. Of the workers of one run the first one builds, and the others wait for it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    SITE.parent.mkdir(exist_ok=True)
    with (SITE.parent / "built_for").open("a+") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        note.seek(0)
        if note.read() != run:
            make_book()
            note.truncate(0)
            note.write(run)
    return SITE


@pytest.fixture(scope="session")
def base(book):
    """Serves the book in a sub-path, as a project page on a host does: an absolute link would miss."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=book.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{book.name}/"
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Opens pages. What a visited page does wrong in the console or on the wire fails the test at its end."""
    contexts, problems = [], []

    def open_page(url, scheme="light", width=1280, before=None, **options):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(10_000)
        context.set_default_navigation_timeout(120_000)
        contexts.append(context)
        context.add_init_script(WATCH_SHIFTS)
        page = context.new_page()
        own = (urljoin(url, "/"), "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or problems.append(f"third-party request: {r.url}"))
        page.on("requestfailed", lambda r: r.failure == LEFT or problems.append(f"{r.failure}: {r.url}"))
        page.on("response", lambda r: r.ok or r.status == 304 or problems.append(f"{r.status}: {r.url}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda m: m.type == "error" and problems.append(f"console: {m.text}"))
        if before:
            before(page)
        page.goto(url)
        if options.get("java_script_enabled", True):
            page.wait_for_function(FIGURES_SETTLED)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
