"""What the answers of every chapter are tried for. A table says, for each check, the answers by name."""

import pytest


def right_answers(table):
    """Parametrize a test with each check and each of its right answers."""
    cases = [(check, answer, name) for check, answers in table.items() for name, answer in answers.items()]
    return _parametrized(("check", "answer"), cases)


def wrong_answers(table):
    """Parametrize a test with each check, each of its wrong answers, and words of the hint that must come."""
    cases = [(check, *pair, name) for check, answers in table.items() for name, pair in answers.items()]
    return _parametrized(("check", "answer", "hint"), cases)


def _parametrized(names, cases):
    return pytest.mark.parametrize(
        names, [pytest.param(*values, id=f"{values[0].__name__}: {name}") for *values, name in cases]
    )


def assert_passes(check, answer):
    """One line, and it says so."""
    feedback = check(answer)
    assert feedback.passed, feedback
    assert feedback.message.startswith("Correct") and "\n" not in feedback.message


def assert_is_told(check, answer, hint):
    """Input, expected, got, and a hint that fits this mistake."""
    feedback = check(answer)
    assert not feedback.passed
    first, *lines = feedback.message.splitlines()
    assert first.startswith("Not yet")
    told = {line[:12].strip(): line[12:] for line in lines}
    assert list(told) == ["input", "expected", "got", "hint"]
    assert told["expected"] != told["got"]
    assert hint in told["hint"]


def checks_of(module):
    """The checks that a chapter's module defines."""
    return {value for name, value in vars(module).items() if name.startswith("check_")}
