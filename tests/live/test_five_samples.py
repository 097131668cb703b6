"""A few samples to the digit: what is refused, and that every number is torch's."""

import json
import re

import pytest
import torch
from live_checks import javascript, press, status

from ppo_helpers.live import FiveSamples
from ppo_helpers.objectives import policy_loss

WORDS = {"alt": "Five samples.", "caption": "Who pushes?"}
RATIOS, ADVANTAGES = [1.72, 0.84, 1.21, 1.43, 0.82], [0.8, -0.5, 0.3, 0.6, -0.9]


def figure(ratios=RATIOS, advantages=ADVANTAGES, **change):
    return FiveSamples(ratios, advantages, **WORDS | change)


def examples():
    return [
        figure(),
        figure([3.7, 0.4], [-4.3, 1.0]),
        figure([0.0, 2.5], [-3, 3], clip_eps=0.05, names=["' the'", "' extraordinarily'"]),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratios": [1, 1, 1, 1, -0.1]}, r"ratios must be in \[0, 10000\], got -0.1"),
        ({"ratios": [1, 1, 1, 1, float("nan")]}, r"ratios must be in \[0, 10000\], got nan"),
        ({"advantages": [-1e5, 0, 0, 0, 0]}, r"advantages must be in \[-10000, 10000\], got -100000.0"),
        ({"ratios": [1]}, "must be equally many, 2 to 8, got 1, 5, 1"),
        ({"ratios": [1], "advantages": [1]}, "must be equally many, 2 to 8, got 1, 1, 1"),
        ({"ratios": [1] * 9, "advantages": [1] * 9}, "must be equally many, 2 to 8, got 9, 9, 9"),
        ({"names": ["a"]}, "must be equally many, 2 to 8, got 5, 5, 1"),
        ({"clip_eps": 0}, r"clip_eps must be in \[0.05, 0.9\], got 0.0"),
        ({"caption": ""}, "caption must say"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


def test_axes_are_as_long_as_what_they_show():
    assert figure().ends == [2.5, 3.0]
    assert figure([1.0, 7.2], [-4.4, 1]).ends == [8, 5]


# --- JavaScript without a browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    return javascript("figures/five_samples_words.js")


def test_the_five_of_chapter_6_are_right_to_the_digit(engine):
    said = engine.call("total", RATIOS, ADVANTAGES, 0.2)
    assert said == "J = (0.96 − 0.42 + 0.36 + 0.72 − 0.738) / 5 = 0.1764. The loss is −0.1764."
    assert engine.call("minimum", 1.72, 0.8, 0.2) == "min(1.72 · 0.8, 1.2 · 0.8) = 0.96"
    assert engine.call("minimum", 0.82, -0.9, 0.2) == "min(0.82 · (−0.9), 0.82 · (−0.9)) = −0.738"
    assert engine.call("minimum", 0.473, -0.2956, 0.2) == "min(0.47 · (−0.3), 0.8 · (−0.3)) ≈ −0.2365"
    assert engine.call("total", [1.0, 1.0], [0.1, 0.2], 0.2) == "J = (0.1 + 0.2) / 2 = 0.15. The loss is −0.15."
    assert "(0.123 + 0.2) / 2 ≈ 0.1617." in engine.call("total", [1.0, 1.0], [0.1234, 0.2], 0.2)


@pytest.mark.parametrize("seed", range(20))
def test_loss_and_pushes_are_those_of_autograd(engine, seed):
    generator = torch.Generator().manual_seed(seed)
    count, eps = 2 + seed % 7, [0.05, 0.2, 0.9][seed % 3]
    ratios = 2.5 * torch.rand(count, generator=generator, dtype=torch.double)
    advantages = torch.randn(count, generator=generator, dtype=torch.double).clamp(-3, 3)
    old = -2 * torch.ones(count, dtype=torch.double)
    logprobs = (old + ratios.log()).requires_grad_()
    loss = policy_loss(logprobs, old, advantages, eps)
    loss.backward()
    said = engine.call("total", ratios.tolist(), advantages.tolist(), eps)
    assert float(re.search(r"loss is ([−\d.]+\d)", said)[1].replace("−", "-")) == pytest.approx(loss.item(), abs=6e-5)
    samples = json.dumps(list(zip(ratios.tolist(), advantages.tolist(), strict=True)))
    pushes = json.loads(engine.eval(f"JSON.stringify({samples}.map(([r, a]) => pushOf(r, a, {eps}, {count})))"))
    assert pushes == pytest.approx((-logprobs.grad).tolist(), abs=1e-12)


def test_a_step_moves_who_pushes_and_nobody_else(engine):
    ratios = json.loads(engine.eval(f"JSON.stringify(stepped({RATIOS}, {ADVANTAGES}, 0.2, 2.5))"))
    moved = [new - old for new, old in zip(ratios, RATIOS, strict=True)]
    assert moved[0] == moved[2] == moved[3] == 0 and moved[1] < 0 and moved[4] < 0
    climb = f"[...Array(40)].reduce((r) => stepped(r, {ADVANTAGES}, 0.2, 2.5), {RATIOS})"
    again = json.loads(engine.eval(f"JSON.stringify({climb})"))
    assert again[1] < 0.8 and again[4] < 0.8  # out of the band, where their push ends
    assert json.loads(engine.eval(f"JSON.stringify(stepped({again}, {ADVANTAGES}, 0.2, 2.5))")) == again


# --- in the browser -------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_what_is_dragged_changes_its_row_and_the_loss(mount):
    page = mount(figure(), 1280)
    assert "0.1764" in status(page)
    pushes = page.locator(".live-five-push")
    assert pushes.all_text_contents() == ["none", "↓ −0.084", "none", "none", "↓ −0.148"]
    grip = page.get_by_role("slider", name="ratio of sample 1")
    grip.press("Home")
    assert pushes.first.text_content() == "↑ +0" or pushes.first.text_content() == "none"
    for _ in range(10):
        grip.press("PageUp")
    assert grip.get_attribute("aria-valuenow") == "1" and pushes.first.text_content() == "↑ +0.16"
    assert page.locator(".live-five-min").first.text_content() == "min(1 · 0.8, 1 · 0.8) = 0.8"
    page.get_by_role("slider", name="advantage of sample 1").press("PageDown")
    assert page.locator(".live-five-min").first.text_content() == "min(1 · 0.7, 1 · 0.7) = 0.7"
    press(page, "Reset")
    assert "0.1764" in status(page)


@pytest.mark.browser
def test_a_wider_band_lets_more_push(mount):
    page = mount(figure(), 1280)
    page.get_by_role("slider", name="ε").press("End")
    assert "none" not in page.locator(".live-five-push").all_text_contents()
