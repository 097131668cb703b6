"""Chapter 5's figure: what it refuses, its JavaScript against autograd, and what a reader does to it."""

import json

import numpy as np
import pytest
import torch
from live_checks import fact, javascript, press, status, swipe

from ppo_helpers.live import RatioExplorer
from ppo_helpers.objectives import probability_ratio, surrogate

OLD = [1.0, 0.2, -1.0, 0.5]
WORDS = {"alt": "Four moves.", "caption": "The ratio of the move that was taken."}
MOVES = ("up", "right", "down", "left")


def explorer(old=OLD, action=2, advantage=1.0, steps=10, **change):
    return RatioExplorer(old, action, advantage, steps, **(WORDS | change))


def examples():
    return [explorer(), explorer([6, -6, 5, -6], 1, 3.0, steps=30), explorer([6, -6, -6, -6], 0, -3.0, steps=0)]


# ---- Python's side ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"old": [1, 2, 3]}, r"old_logits must be 4 numbers in \[−6, 6\], got \[1, 2, 3\]"),
        ({"old": [1, 2, 3, 9]}, r"old_logits must be 4 numbers in \[−6, 6\]"),
        ({"old": [1, 2, 3, np.nan]}, "old_logits must be 4 numbers"),
        ({"action": 4}, "action must be 0 up, .* got 4"),
        ({"advantage": 5}, r"advantage must be in \[-3, 3\], got 5"),
        ({"steps": -1}, "steps must be 0 or more, got -1"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        explorer(**change)


def test_a_bad_change_is_named_too():
    with pytest.raises(ValueError, match=r"logits must be 4 numbers in \[−6, 6\]"):
        explorer().logits = [0, 0, 0, 7]


def climbed(old, action, advantage, steps):
    """The same steps, by torch's own SGD."""
    logits, old = (torch.tensor(old, dtype=torch.double) for _ in range(2))
    logits.requires_grad_()
    optimizer = torch.optim.SGD([logits], lr=0.25)
    for _ in range(steps):
        ratio = probability_ratio(logits.log_softmax(-1)[action], old.log_softmax(-1)[action])
        optimizer.zero_grad()
        (-surrogate(ratio, torch.tensor(advantage))).backward()
        optimizer.step()
    return logits.detach()


@pytest.mark.parametrize(("advantage", "steps"), [(1.0, 1), (1.0, 10), (-1.0, 10), (0.5, 25)])
def test_it_opens_where_gradient_steps_lead(advantage, steps):
    figure = explorer(advantage=advantage, steps=steps)
    wanted = climbed(OLD, 2, advantage, steps)
    np.testing.assert_allclose(figure.logits, wanted, atol=1e-9)
    ratio = wanted.softmax(-1)[2] / torch.tensor(OLD, dtype=torch.double).softmax(-1)[2]
    assert figure.ratio() == pytest.approx(ratio.item())


# ---- JavaScript and Python ----


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/surrogate.js")


def run(engine, call):
    return json.loads(engine.eval(f"JSON.stringify({call})"))


@pytest.mark.parametrize("seed", range(50))
def test_ratio_surrogate_and_their_gradients_are_those_of_autograd(engine, seed):
    generator = torch.Generator().manual_seed(seed)
    logits, old = 6 - 12 * torch.rand(2, 4, generator=generator, dtype=torch.double)
    action, advantage = int(torch.randint(4, (), generator=generator)), float(torch.randn((), generator=generator))
    logits.requires_grad_()
    ratio = probability_ratio(logits.log_softmax(-1)[action], old.log_softmax(-1)[action])
    a = torch.tensor(advantage, dtype=torch.double)
    (of_surrogate,) = torch.autograd.grad(surrogate(ratio, a), logits, retain_graph=True)
    (of_policy,) = torch.autograd.grad(a * logits.log_softmax(-1)[action], logits)
    given, now = f"{logits.tolist()}, {old.tolist()}, {action}", logits.tolist()
    pairs = (
        (f"probabilityRatio({given})", ratio),
        (f"surrogateGradient({given}, {advantage})", of_surrogate),
        (f"policyGradient({now}, {action}, {advantage})", of_policy),
        (f"softmax({now})", logits.softmax(-1)),
    )
    for call, wanted in pairs:
        np.testing.assert_allclose(run(engine, call), wanted.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_steps_are_pythons(engine, seed):
    rng = np.random.default_rng(seed)
    figure = explorer(rng.uniform(-6, 6, 4), int(rng.integers(4)), float(rng.uniform(-3, 3)), int(rng.integers(9)))
    given = f"{figure.logits}, {figure.old_logits}, {figure.action}, {figure.advantage}, 0.25, 6"
    np.testing.assert_allclose(run(engine, f"climbed({given})"), figure.next_logits(), atol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_a_probability_is_set_by_its_own_logit_alone(engine, seed):
    rng = np.random.default_rng(seed)
    logits, j, p = rng.uniform(-2, 2, 4), int(rng.integers(4)), float(rng.uniform(0.05, 0.9))
    moved = np.array(run(engine, f"withProbability({logits.tolist()}, {j}, {p}, 6)"))
    assert np.delete(moved, j) == pytest.approx(np.delete(logits, j))
    assert torch.tensor(moved).softmax(-1)[j].item() == pytest.approx(p)


def test_a_logit_stays_within_the_picture(engine):
    assert run(engine, "withProbability([6, 0, 0, 0], 1, 0.99, 6)") == [6, 6, 0, 0]


# ---- In the browser ----


def bar(page, move):
    return page.get_by_role("slider", name=f"probability of {move}")


def ratio_said(page):
    return float(page.locator(".live-gauge .live-big").text_content().removeprefix("×"))


def three(value):
    return float(f"{value:.3g}")


def test_a_bar_is_dragged_and_the_ratio_follows(mount):
    page = mount(explorer([0, 0, 0, 0], action=1, advantage=2.0, steps=0))
    assert ratio_said(page) == 1 and "its ratio is 1" in status(page)
    bar(page, "right").press("PageUp")  # from 0.25 to 0.35
    assert ratio_said(page) == pytest.approx(0.35 / 0.25)
    assert fact(page, "ratio · A") == pytest.approx(2 * 0.35 / 0.25, abs=6e-4)
    others = [float(bar(page, move).get_attribute("aria-valuenow")) for move in ("up", "down", "left")]
    assert others == pytest.approx([0.65 / 3] * 3)  # what it gained, the others lost in proportion
    page.get_by_text("The gradient in numbers").click()
    row = page.locator("tr", has_text="gradient of ratio").locator("td").all_inner_texts()
    shares = np.array([0.65 / 3, 0.35, 0.65 / 3, 0.65 / 3])
    wanted = 2 * (0.35 / 0.25) * (np.eye(4)[1] - shares)
    assert [float(x.replace("−", "-")) for x in row] == pytest.approx(wanted.tolist(), abs=6e-4)


def test_a_finger_drags_a_bar(mount):
    page = mount(explorer([0, 0, 0, 0], action=1, steps=0), 390, has_touch=True)
    swipe(page, bar(page, "right"), dy=-30)
    assert ratio_said(page) > 1.5 and page.evaluate("scrollY") == 0


def test_gradient_steps_come_one_by_one(mount):
    page = mount(explorer(steps=0))
    press(page, "One step")
    page.wait_for_timeout(50)
    assert ratio_said(page) == three(explorer(steps=1).ratio())
    assert status(page).startswith("After 1 step: “down” is")
    page.evaluate("""() => {
      window.seen = [];
      const number = document.querySelector(".live-big");
      new MutationObserver(() => seen.push(number.textContent)).observe(number, { childList: true });
    }""")
    press(page, "Ten steps")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 11 steps')")
    seen = [float(words.removeprefix("×")) for words in page.evaluate("seen")]
    wanted = [three(explorer(steps=k).ratio()) for k in range(1, 12)]
    assert list(dict.fromkeys([wanted[0], *seen])) == list(dict.fromkeys(wanted))


def test_the_ratio_ends_where_the_move_has_all_the_probability(mount):
    page = mount(explorer(steps=40))
    most = 1 / torch.tensor(OLD).softmax(-1)[2].item()
    assert page.locator(".live-ceiling-words").text_content() == f"all the probability: ×{three(most):g}"
    assert "It has nearly all the probability" in status(page)
    dot = float(page.locator(".live-gauge circle").get_attribute("cx"))
    end = float(page.locator(".live-ceiling").get_attribute("d").split()[0].removeprefix("M"))
    assert end - 2 < dot <= end


def test_another_move_is_chosen_and_reset_brings_back_the_old_policy(mount):
    page = mount(explorer())
    page.locator(".live-tool", has_text="left").click()
    assert "“left” is" in status(page) and "step" not in status(page)
    now, before = (torch.tensor(logits).softmax(-1)[3].item() for logits in (explorer().logits, OLD))
    assert ratio_said(page) == three(now / before)
    press(page, "Reset")
    assert ratio_said(page) == 1
    assert [float(bar(page, m).get_attribute("aria-valuenow")) for m in MOVES] == pytest.approx(
        torch.tensor(OLD, dtype=torch.double).softmax(-1).tolist()
    )


def test_arrows_end_where_the_next_step_takes_the_logits(mount):
    figure = explorer(steps=3)
    page = mount(figure)
    dots = [float(e.get_attribute("cy")) for e in page.locator("[aria-label^=logits] circle").all()]
    ends = page.locator(".live-gradient").evaluate_all(
        "all => all.map((e) => { const b = e.getBBox(); return [b.y, b.y + b.height]; })"
    )
    press(page, "One step")
    page.wait_for_timeout(50)
    after = [float(e.get_attribute("cy")) for e in page.locator("[aria-label^=logits] circle").all()]
    for start, (top, bottom), end in zip(dots, ends, after, strict=True):
        assert (top if end < start else bottom) == pytest.approx(end, abs=0.2)


def test_a_change_by_hand_begins_the_count_anew(mount):
    page = mount(explorer())
    assert status(page).startswith("After 10 steps")
    page.get_by_label("advantage A of the move").press("End")
    assert not status(page).startswith("After")


def test_it_opens_at_the_old_policy_and_climbs_to_where_it_stands(mount):
    page = mount(explorer(), 1280, reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 1 step')")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 10')", timeout=9000)
    page.wait_for_timeout(900)
    assert status(page).startswith("After 10 steps") and ratio_said(page) == three(explorer().ratio())


def test_the_first_touch_ends_the_climb(mount):
    page = mount(explorer(), 1280, reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 2 steps')")
    page.locator(".live-hint").click()
    before = status(page)
    page.wait_for_timeout(1000)
    assert status(page) == before
