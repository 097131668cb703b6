"""Chapter 6's figure: what it refuses, its JavaScript against autograd, and what a reader does to it."""

import re

import numpy as np
import pytest
import torch
from live_checks import javascript, press, status, swipe

from ppo_helpers.live import ClipExplorer
from ppo_helpers.objectives import clipped_surrogate

WORDS = {"alt": "The clipped objective.", "caption": "Flat only where a sample has what it wanted."}
RATIOS, ADVANTAGES = [0.5, 0.9, 1.1, 1.2, 1.5, 0.5, 0.8, 1.0, 1.5, 3.0], [1, 1, 1, 1, 1, -1, -1, -1, -1, 0]


def explorer(**change):
    return ClipExplorer(**(WORDS | change))


def examples():
    rng = np.random.default_rng(0)
    advantages = rng.normal(size=900)
    ratios = np.exp(0.25 * rng.normal(size=900) + 0.15 * advantages)
    return [
        explorer(batch=(ratios, advantages)),
        explorer(ratio=1.0, advantage=0.1, clip_eps=0.3),
        explorer(ratio=0.0, advantage=3.0, clip_eps=0.9, batch=([0.05, 9.0], [-1.0, 1.0])),
    ]


# ---- Python's side ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratio": 3}, r"ratio must be in \[0, 2.2\], got 3"),
        ({"clip_eps": 0}, r"clip_eps must be in \[0.05, 0.9\], got 0"),
        ({"advantage": 0}, r"advantage must be in \[0.1, 3\], got 0"),
        ({"advantage": -1}, r"advantage must be in \[0.1, 3\], got -1"),
        ({"batch": ([1.0], [1.0, 2.0])}, r"batch must be two equally long rows .* got \(1,\) and \(2,\)"),
        ({"batch": ([[1.0]], [[1.0]])}, r"batch must be two equally long rows .* got \(1, 1\)"),
        ({"batch": (np.ones(5000), np.ones(5000))}, "at most 4096 numbers"),
        ({"batch": ([1.0],)}, "batch must be ratios and advantages, got 1 row"),
        ({"batch": ([-0.1], [1.0])}, r"batch must hold finite ratios of 0 or more, got \[-0.1\]"),
        ({"batch": ([np.inf], [1.0])}, r"batch must hold finite ratios of 0 or more, got \[inf\]"),
        ({"batch": ([1.0], [np.nan])}, "batch must hold finite advantages"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        explorer(**change)


def test_a_bad_change_is_named_too():
    with pytest.raises(ValueError, match=r"clip_eps must be in \[0.05, 0.9\], got 1"):
        explorer().clip_eps = 1.0


def test_a_batch_keeps_ratios_and_signs_and_takes_tensors():
    figure = explorer(batch=(torch.tensor(RATIOS), torch.tensor(ADVANTAGES)))
    assert figure.batch == [[r, s] for r, s in zip(RATIOS, ADVANTAGES, strict=True) if s]
    assert figure.pushing() == 7  # all but the good one at 1.5 and the bad one at 0.5


@pytest.mark.parametrize("eps", [0.1, 0.2, 0.5])
def test_what_pushes_is_what_autograd_says(eps):
    rng = np.random.default_rng(0)
    ratios, advantages = rng.uniform(0, 2, 300).round(5), rng.normal(size=300)
    r = torch.tensor(ratios, requires_grad=True)
    clipped_surrogate(r, torch.tensor(advantages), eps).sum().backward()
    assert explorer(clip_eps=eps, batch=(ratios, advantages)).pushing() == int((r.grad != 0).sum())


# ---- JavaScript and Python ----


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/surrogate.js")


EDGES = [(1.2, 1.0), (0.8, -1.0), (0.8, 1.0), (1.2, -1.0), (1.0, 1.0)]


@pytest.mark.parametrize(("ratio", "advantage"), EDGES + np.random.default_rng(0).uniform(0, 2.2, (50, 2)).tolist())
@pytest.mark.parametrize("sign", [1, -1])
def test_the_clipped_objective_and_its_gradient_are_those_of_autograd(engine, ratio, advantage, sign):
    r = torch.tensor(ratio, dtype=torch.double, requires_grad=True)
    objective = clipped_surrogate(r, torch.tensor(sign * advantage, dtype=torch.double), 0.2)
    objective.backward()
    given = f"{ratio}, {sign * advantage}, 0.2"
    assert engine.eval(f"clippedSurrogate({given})") == pytest.approx(objective.item())
    assert engine.eval(f"clippedGradient({given})") == pytest.approx(r.grad.item())
    assert engine.eval(f"isFlat({given})") is (r.grad.item() == 0)


# ---- In the browser ----


def products(page):
    """The numbers for A > 0 and A < 0, by the name of their row."""
    cells = "all => all.map((tr) => [...tr.cells].map((c) => c.textContent.replace('−', '-')))"
    found = page.locator(".live-products tbody tr").evaluate_all(cells)
    return {name: [float(v) for v in numbers] for name, *numbers in found}


def point(page, sign=1):
    return page.get_by_role("slider", name=f"ratio ρ, of a {'good' if sign > 0 else 'bad'} move")


def arrows(page):
    return page.locator(".live-gradient").evaluate_all("all => all.map((e) => e.getAttribute('d'))")


@pytest.mark.parametrize("ratio", [0.5, 1, 1.5])
@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_an_arrow_is_gone_exactly_where_the_gradient_is_0(mount, ratio, size):
    page = mount(explorer(advantage=size))
    page.get_by_role("button", name=re.compile(rf"^ρ = {ratio}(?!\.)")).click()
    for i, A in enumerate((size, -size)):
        r = torch.tensor(float(ratio), requires_grad=True)
        objective = clipped_surrogate(r, torch.tensor(A), 0.2)
        objective.backward()
        row = {name: numbers[i] for name, numbers in products(page).items()}
        assert row["minimum"] == pytest.approx(objective.item(), abs=6e-4)
        assert row["gradient dJ/dρ"] == pytest.approx(r.grad.item())
        assert row["ρ · A"] == pytest.approx(ratio * A, abs=6e-4)
        assert row["clip(ρ) · A"] == pytest.approx(min(max(ratio, 0.8), 1.2) * A, abs=6e-4)
        assert (arrows(page)[i] == "") is (r.grad.item() == 0)


def test_even_the_arrow_of_a_small_gradient_is_seen_and_points_uphill(mount):
    page = mount(explorer(ratio=1.0, advantage=0.1))
    for arrow, way in zip(page.locator(".live-gradient").all(), (1, -1), strict=True):
        box, knob = arrow.bounding_box(), point(page, way).locator(".live-knob").bounding_box()
        assert np.hypot(box["width"], box["height"]) > 12
        assert (box["x"] + box["width"] / 2 - knob["x"] - knob["width"] / 2) * way > 0
        assert box["y"] + box["height"] / 2 < knob["y"] + knob["height"] / 2  # both climb


def test_both_panels_share_one_ratio_and_one_band(mount):
    page = mount(explorer(ratio=1.0))
    for sign in (1, -1):
        box = point(page, sign).locator(".live-knob").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40 * sign, y, steps=4)
        page.mouse.up()
        ratios = [float(point(page, s).get_attribute("aria-valuenow")) for s in (1, -1)]
        assert ratios[0] == ratios[1]
    page.get_by_label("half width of the band").press("End")
    bands = page.locator("rect.live-band").evaluate_all("all => all.map((e) => e.getAttribute('width'))")
    assert bands[0] == bands[1] and float(bands[0]) == pytest.approx(1.8 * (270 - 66) / 2.2)


def test_a_ratio_on_the_edge_still_pushes_however_it_is_rounded(mount):
    page = mount(explorer(ratio=1.9, clip_eps=0.9))
    assert products(page)["gradient dJ/dρ"] == [1, -1]
    point(page).press("ArrowRight")
    assert products(page)["gradient dJ/dρ"] == [0, -1]


def test_a_finger_drags_the_point(mount):
    page = mount(explorer(ratio=1.0), 390, has_touch=True)
    swipe(page, point(page), dx=40)
    assert float(point(page).get_attribute("aria-valuenow")) > 1.3
    assert "A good move has got what it wanted" in status(page)


def test_the_plain_clip_shows_what_the_min_is_for(mount):
    page = mount(explorer(ratio=0.5))
    line = page.locator(".live-plain").first
    assert line.get_attribute("d") == "" and "good one is still pushed up" in status(page)
    press(page, "Plain clip, without the min")
    assert line.get_attribute("d").count("L") == 3 and "the good move could never come back" in status(page)
    page.get_by_role("button", name="ρ = 1.5").click()
    assert "the bad move could never come back" in status(page)
    press(page, "Reset")
    assert line.get_attribute("d") == ""
    assert page.get_by_role("button", name="Plain clip").get_attribute("aria-pressed") == "false"


def test_samples_are_counted_and_coloured_by_whether_they_push(mount):
    page = mount(explorer(batch=(RATIOS, ADVANTAGES)))
    words = page.locator(".live-batch")
    assert words.inner_text() == (
        "Under the curves a real batch of 9 moves: 22 % push no more "
        "(of the good, 1 above 1.2; of the bad, 1 below 0.8). Bars grow with the square root of the count."
    )
    grey = lambda: page.locator(".live-dead-samples").evaluate_all(  # noqa: E731
        "all => all.filter((e) => +e.getAttribute('height') > 0).length"
    )
    assert grey() == 2
    page.get_by_label("half width of the band").press("Home")  # 0.95 to 1.05
    assert "56 % push no more (of the good, 3 above 1.05; of the bad, 2 below 0.95)" in words.inner_text()
    assert grey() == 5


def test_what_lies_off_the_axis_is_said(mount):
    page = mount(explorer(batch=([0.5, 9.0], [1.0, 1.0])))
    assert page.locator(".live-batch").inner_text().endswith("What lies off the axis stands in the last bar.")


def test_without_a_batch_nothing_is_said_of_one(mount):
    page = mount(explorer())
    assert page.locator(".live-batch").inner_text() == "" and page.locator(".live-samples").count() == 0


def test_labels_of_the_axis_follow_the_size_of_the_advantage(mount):
    page = mount(explorer())
    page.get_by_label("size of the advantage").press("End")
    labels = page.locator("[aria-label='negative advantage'] text").all_text_contents()
    assert {"0", "−3", "−6"} <= set(labels)


def test_it_opens_with_a_sweep_of_the_ratio(mount):
    page = mount(explorer(), 1280, reduced_motion="no-preference")
    now = "+document.querySelector('.live-grip').ariaValueNow"
    page.wait_for_function(f"{now} < 0.8")
    page.wait_for_function(f"{now} === 1.5", timeout=9000)
    page.wait_for_timeout(300)
    assert point(page).get_attribute("aria-valuenow") == "1.5"


def test_the_first_touch_ends_the_sweep(mount):
    page = mount(explorer(), 1280, reduced_motion="no-preference")
    page.wait_for_function("+document.querySelector('.live-grip').ariaValueNow < 0.8")
    page.locator(".live-hint").click()
    assert point(page).get_attribute("aria-valuenow") == "1.5"
