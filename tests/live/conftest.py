"""Live figures on a bare page in a browser, made as the book makes its pages."""

import json
from pathlib import Path

import pytest
from live_figures import VIEW, html_of, joined_styles

from ppo_helpers.live import page_model
from ppo_helpers.live.base import HOME

STATE = VIEW.replace("view", "state")
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>figure</title>
<meta name="viewport" content="width=device-width">
<style>{css} body {{ font: 17px/1.65 system-ui, sans-serif; }}
html[data-theme="dark"] {{ background: #15181d; color: #d9dce1; }}</style>
</head><body><main><h1>A figure</h1>{figure}{end}</main>
<script type="{kind}">{state}</script><script>{script}</script></body></html>"""


def page_of(figure, root, theme="light", alive=True, copies=1):
    """A page as the book makes it: the figure's still, its state, and the script that brings it to life."""
    saved = figure.get_state()
    widget = {"model_name": "AnyModel", "model_module": "anywidget", "state": saved}
    return PAGE.format(
        theme=theme,
        css=joined_styles(HOME),
        figure=html_of(saved, json.dumps({"model_id": figure.model_id})) * copies,
        end='<p style="height: 1200px">what follows</p>',  # so that there is something to scroll to
        kind=STATE,
        state=json.dumps({"state": {figure.model_id: widget}}).replace("</", "<\\/"),
        script=(root / "_static" / "live-static.js").read_text("utf-8") if alive else "",
    )


@pytest.fixture(scope="session")
def model_script(tmp_path_factory):
    """The bundled model as a page loads it."""
    folder = tmp_path_factory.mktemp("assets")
    for name, script in page_model.SCRIPTS.items():
        (folder / f"{name}.js").write_text(script(), "utf-8")
    return folder / f"{page_model.NAME}.js"


@pytest.fixture
def mount(browser, tmp_path, pytestconfig, model_script):
    """Opens a figure. Without motion, unless told otherwise: then nothing plays by itself."""
    pages = []
    for script in model_script.parent.iterdir():
        (tmp_path / script.name).symlink_to(script)

    def open_figure(figure, width=900, theme="light", alive=True, copies=1, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **{"reduced_motion": "reduce"} | options)
        page.add_init_script(path=Path(__file__).parent / "look.js")
        pages.append(page)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda m: m.type == "error" and page.problems.append(m.text))
        path = tmp_path / "figure.html"
        path.write_text(page_of(figure, pytestconfig.rootpath, theme, alive, copies), "utf-8")
        page.goto(path.as_uri())
        if alive:
            page.wait_for_function(f"document.querySelectorAll('[data-live=ready]').length === {copies}")
        return page

    yield open_figure
    assert [problem for page in pages for problem in page.problems] == []
    for page in pages:
        page.close()
