"""What a page says of itself: its title, its description, and the card that is shown where its address is shared."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
from bs4 import BeautifulSoup
from built import CHAPTERS, CONFIG, PAGES, ROOT, SOURCES, soup
from PIL import Image

from tools import social_card

pytestmark = pytest.mark.browser
EVERY_PAGE = pytest.mark.parametrize("name", ["index.html", *PAGES])
DESCRIPTIONS = 'meta[name="description"]', 'meta[property="og:description"]', 'meta[name="twitter:description"]'
IMAGES = 'meta[property="og:image"]', 'meta[name="twitter:image"]'


def contents(page, selectors):
    """What meta tags say; each stands once."""
    found = [page.select(selector) for selector in selectors]
    assert [len(tags) for tags in found] == [1] * len(selectors)
    return [tags[0]["content"] for tags in found]


@EVERY_PAGE
def test_title_says_the_page_and_the_book_once(book, name):
    title = soup(book, name).title.get_text()
    assert title.count(CONFIG["title"]) == 1
    in_front = title.removesuffix(CONFIG["title"]).removesuffix(" · ")
    assert bool(in_front) == (name not in ("index.html", "intro.html"))
    if name.startswith("chapters/"):
        heading = soup(book, name).h1.get_text().removesuffix("#")
        assert in_front.split()[-3:] == heading.split()[-3:]


@EVERY_PAGE
def test_one_viewport(book, name):
    assert len(soup(book, name).select('meta[name="viewport"]')) == 1


@EVERY_PAGE
def test_description_is_the_first_sentence_in_plain_words(book, name):
    page = soup(book, name)
    one, two, three = contents(page, DESCRIPTIONS)
    assert one == two == three
    assert 40 <= len(one) <= 200 and not set(one) & set("$\\<>`")
    if name.removesuffix(".html") in SOURCES and "bibliography" not in name:
        first = next(p.get_text() for p in page.select("article > section > p") if p.get_text().strip())
        assert " ".join(first.split()).replace("’", "'").startswith(one.replace("’", "'")[:40])
        assert one[-1] in ".?!…"


def test_description_ends_with_a_sentence_or_says_that_it_goes_on():
    sys.path.insert(0, str(ROOT / "_ext"))
    from page_head import first_sentences

    sys.path.pop(0)
    assert first_sentences("One.  Two?\nThree!") == "One. Two? Three!"
    assert first_sentences(f"One. {'word ' * 50}end.") == "One."
    cut = first_sentences("word " * 50 + "end.")
    assert cut.endswith("word …") and 150 < len(cut) <= 200


def test_descriptions_differ(book):
    said = [contents(soup(book, f"{name}.html"), DESCRIPTIONS)[0] for name in CHAPTERS]
    assert len(set(said)) == len(said)


@EVERY_PAGE
def test_card_is_there_and_has_the_size_that_is_said(book, name):
    page = soup(book, name)
    image, same = contents(page, IMAGES)
    assert image == same
    base = CONFIG["html"]["baseurl"]
    file = book / (image.removeprefix(base) if base else urljoin(name, image))
    with Image.open(file) as card:
        size = contents(page, ['meta[property="og:image:width"]', 'meta[property="og:image:height"]'])
        assert list(card.size) == [int(side) for side in size] == [1200, 630]
    assert file.stat().st_size < 150_000
    assert contents(page, ['meta[name="twitter:card"]']) == ["summary_large_image"]
    assert contents(page, ['meta[property="og:image:alt"]'])[0]


def test_card_is_what_the_script_draws(browser, tmp_path):
    social_card.draw(browser, tmp_path / "card.png")
    drawn, kept = (
        np.asarray(Image.open(path).convert("RGB").resize((300, 158), Image.Resampling.BOX), float)
        for path in (tmp_path / "card.png", social_card.CARD)
    )
    assert np.abs(drawn - kept).mean() < 1.5  # another Chromium, another weight of the letters: 1.03 without a window


def test_an_address_is_claimed_once_there_is_one(book):
    for name in PAGES:
        claimed = soup(book, name).select('meta[property="og:url"], link[rel="canonical"]')
        assert len(claimed) == (2 if CONFIG["html"]["baseurl"] else 0)


def test_addresses_are_whole_once_the_book_has_one(tmp_path):
    """A small book with the head of this one, published at an address."""
    (tmp_path / "index.md").write_text("# Title\n\nOf $\\pi_{\\text{old}}$ & more. Second.\n", "utf-8")
    shutil.copytree(ROOT / "_templates", tmp_path / "_templates", ignore=shutil.ignore_patterns("layout.html"))
    layout = '{% extends "!layout.html" %}{% block extrahead %}{% include "head-tags.html" %}{% endblock %}'
    (tmp_path / "_templates" / "layout.html").write_text(layout, "utf-8")
    settings = {
        "extensions": ["myst_parser", "page_head"],
        "myst_enable_extensions": ["dollarmath"],
        "templates_path": ["_templates"],
        "html_baseurl": "https://example.org/book/",
        "html_title": "Book",
        "html_theme": "basic",
        "html_context": {"book_about": "About", "card_alt": "A card"},
    }
    (tmp_path / "conf.py").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", ".", "out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "_ext")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    page = BeautifulSoup(Path(tmp_path, "out", "search.html").read_text("utf-8"), "html.parser")
    assert done.returncode == 0
    assert contents(page, IMAGES) == ["https://example.org/book/_static/social-card.png"] * 2
    assert contents(page, ['meta[property="og:url"]']) == ["https://example.org/book/search.html"]
    front = BeautifulSoup(Path(tmp_path, "out", "index.html").read_text("utf-8"), "html.parser")
    assert contents(front, DESCRIPTIONS)[0] == "Of π_old & more. Second."


def test_unused_styles_are_left_out(book):
    for name in PAGES:
        page = soup(book, name)
        designed = bool(page.select('[class^="sd-"], [class*=" sd-"]'))
        assert bool(page.select('link[href*="sphinx-design"]')) == designed, name
        assert not page.select('script[src*="design-tabs"]')
