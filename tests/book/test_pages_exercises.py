"""Exercises that answer on the built pages: written, tried, kept, ticked, and no trap for a keyboard."""

import json
import re

import pytest
from accessible import axe
from built import CHAPTERS, ROOT, soup
from page_exercises import CALL, on_page

ONE = ".cell.exercise:has-text('check_cell_value')"
RIGHT = "return max(neighbours) - move_cost"


def near(page, where=ONE):
    """What answers comes when a reader is near."""
    exercise = page.locator(where)
    exercise.scroll_into_view_if_needed()
    exercise.locator(".exercise-bar").wait_for()
    return exercise


def start(page, where=ONE):
    """Opens an exercise's editor; the dots of its stub are selected."""
    exercise = near(page, where)
    exercise.get_by_role("button", name="answer").click()
    exercise.get_by_role("textbox").wait_for()
    return exercise


def said(exercise):
    exercise.page.wait_for_function(
        "(element) => element.querySelector('.exercise-said')?.dataset.passed", arg=exercise.element_handle()
    )
    return exercise.get_by_role("status").inner_text()


@pytest.fixture
def chapter(visit, base):
    return lambda **options: visit(f"{base}chapters/01_gridworld_values.html", **options)


def test_a_right_answer_is_told_ticked_and_kept(chapter):
    page = chapter()
    exercise = start(page)
    page.keyboard.type(RIGHT)
    page.keyboard.press("Control+Enter")
    assert said(exercise) == "Correct: cell_value agrees on all 5 inputs."
    tick = page.locator("#page-contents a[data-solved]")
    assert tick.get_attribute("aria-description") == "solved" and "One cell" in tick.inner_text()
    assert page.locator(".bd-sidebar-primary .current > a").get_attribute("data-solved") == "✓ 1 of 4"
    page.reload()
    page.wait_for_function("document.querySelectorAll('#page-contents a[data-solved]').length === 1")
    again = near(page)
    again.get_by_role("button", name="Go on with your answer").click()
    assert RIGHT in again.get_by_role("textbox").input_value()


def test_a_wrong_answer_is_told_on_which_input_and_why(chapter):
    exercise = start(chapter())
    exercise.page.keyboard.type("return max(neighbours)")
    exercise.get_by_role("button", name="Check").click()
    told = said(exercise)
    assert "input     neighbours=[4, 1, -3, 0], move_cost=1" in told and "Walk to the best neighbour" in told
    assert exercise.page.locator("[data-solved]").count() == 0


def test_start_over_brings_the_stub_back_and_undo_the_answer(chapter):
    exercise = start(chapter())
    box = exercise.get_by_role("textbox")
    stub = box.input_value()
    exercise.page.keyboard.type(RIGHT)
    exercise.get_by_role("button", name="Start over").click()
    assert box.input_value() == stub
    exercise.page.keyboard.press("Control+z")  # and perhaps the last word
    assert RIGHT.rpartition(" ")[0] in box.input_value()
    exercise.get_by_role("button", name="Start over").click()
    exercise.get_by_role("button", name="Bring it back").click()  # a phone has no key that undoes
    assert RIGHT.rpartition(" ")[0] in box.input_value()
    exercise.get_by_role("button", name="Start over").click()
    exercise.page.keyboard.type("x")
    assert exercise.get_by_role("button", name="Bring it back").count() == 0
    exercise.get_by_role("button", name="Start over").click()
    exercise.page.reload()
    near(exercise.page).get_by_role("button", name="Write your answer here").wait_for()


def test_tab_indents_and_escape_lets_it_leave(chapter):
    exercise = start(chapter())
    box, page = exercise.get_by_role("textbox"), exercise.page
    page.keyboard.type("if move_cost:\nreturn 1")
    assert "    if move_cost:\n        return 1" in box.input_value()
    page.keyboard.press("Tab")
    assert box.evaluate("(box) => box === document.activeElement")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert exercise.get_by_role("button", name="Check").evaluate("(button) => button === document.activeElement")


def test_only_the_exercise_that_was_solved_is_ticked(chapter):
    page = chapter()
    exercise = start(page, ".cell.exercise:has-text('check_climb')")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nexercises.check_cell_value(lambda n, c: max(n) - c)")
    exercise.get_by_role("button", name="Check").click()
    assert said(exercise).startswith("Correct: cell_value")
    assert page.locator("[data-solved]").count() == 0


def test_a_verdict_is_that_of_the_text_that_stands_there(chapter):
    page = chapter()
    exercise = start(page)
    page.keyboard.type(RIGHT)
    page.keyboard.press("Control+Enter")
    said(exercise)
    page.keyboard.type(" + 1")
    assert exercise.locator(".exercise-said").get_attribute("data-passed") is None
    exercise.get_by_role("button", name="Check").click()
    exercise.get_by_role("textbox").press("End")
    page.keyboard.type(" - 1")
    page.wait_for_function("document.querySelector('.exercise-said').textContent !== 'Trying …'")
    assert exercise.get_by_role("status").inner_text() in ("The answer has changed meanwhile: check it again.",) or (
        exercise.locator(".exercise-said").get_attribute("data-passed") is None
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_exercise_is_accessible(chapter, scheme):
    page = chapter(scheme=scheme)
    exercise = start(page)
    page.keyboard.type("# a comment\n    return [max(neighbours), 'text', 3.5, True]")
    exercise.get_by_role("button", name="Check").click()
    said(exercise)
    assert axe(page) == []


def test_it_works_with_a_finger_on_a_phone(chapter):
    page = chapter(width=390, has_touch=True, is_mobile=True)
    exercise = near(page)
    exercise.get_by_role("button", name="answer").tap()
    box = exercise.get_by_role("textbox")
    box.wait_for()
    page.keyboard.type(RIGHT)
    exercise.get_by_role("button", name="Check").tap()
    assert said(exercise).startswith("Correct")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert box.evaluate("(box) => parseFloat(getComputedStyle(box).fontSize)") >= 16  # or the phone zooms in


def test_it_works_where_nothing_may_be_remembered(visit, book):
    page = visit((book / "chapters/01_gridworld_values.html").as_uri())
    page.evaluate("Object.defineProperty(window, 'localStorage', { get() { throw new Error('off') } })")
    exercise = start(page)
    page.keyboard.type(RIGHT)
    exercise.get_by_role("button", name="Check").click()
    assert said(exercise).startswith("Correct")


def test_what_needs_pytorch_leads_to_colab(visit, base):
    page = visit(f"{base}chapters/03_neural_approximation.html")
    bar = near(page, ".cell.exercise.needs-torch:has-text('check_fit')").locator(".exercise-bar")
    assert "PyTorch" in bar.inner_text()
    assert "colab.research" in bar.get_by_role("link").get_attribute("href")


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_stub_of_a_chapter_answers_or_says_why_not(book, name):
    cells = soup(book, f"{name}.html").select(".cell.exercise")
    notebook = json.loads((ROOT / f"{name}.ipynb").read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    stubs = {CALL.search(source)[1] for source in sources if re.search(r"^ +\.\.\.$", source, re.MULTILINE)}
    assert 2 <= len(cells) <= 4 and {CALL.search(cell.get_text())[1] for cell in cells} == stubs
    for cell in cells:
        call = CALL.search(cell.get_text())[1]
        assert ("needs-torch" in cell["class"]) == (call not in on_page())
