"""Chapter 10's figure: what it refuses, its JavaScript against Python's, and what a reader does to it."""

import json

import numpy as np
import pytest
import torch
from live_checks import javascript, number, press, status

from ppo_helpers.experience import gae
from ppo_helpers.language.rewards import token_rewards
from ppo_helpers.live import TokenAdvantages

WORDS = {"alt": "A text, one row per token.", "caption": "The score travels back."}
PIECES = [[" great", " food", ".", "<|endoftext|>"], [" bad", ".", "?", "?"]]
MASK = np.array([[True] * 4, [True, True, False, False]])


def board(**change):
    arguments = {
        "prompts": ["The food was", "It was"],
        "pieces": PIECES,
        "logprobs": np.array([[-1.0, -2.0, -0.5, -0.25], [-1.0, -1.5, np.nan, 0.0]]),
        "ref_logprobs": np.array([[-1.5, -1.0, -0.5, -1.25], [-2.0, -1.5, 0.0, 0.0]]),
        "values": np.array([[0.25, 0.75, 0.5, 1.0], [-0.5, -0.75, 9.0, 9.0]]),
        "scores": np.array([1.5, -1.0]),
        "mask": MASK,
    }
    return TokenAdvantages(**(arguments | WORDS | change))


def random_board(seed, tokens=14, texts=3, **change):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, tokens + 1, texts)
    lengths[0] = tokens
    numbers = {name: rng.normal(0, 2, (texts, tokens)) for name in ("logprobs", "ref_logprobs", "values")}
    given = {"scores": rng.normal(0, 3, texts), "mask": np.arange(tokens) < lengths[:, None]}
    pieces = [[f" {'long' * int(rng.integers(0, 5))}{t}" for t in range(tokens)] for _ in range(texts)]
    names = [f"Prompt number {b} of some length" for b in range(texts)]
    return board(prompts=names, pieces=pieces, **numbers | given | change)


def examples():
    one = {name: np.array([[x]]) for name, x in (("logprobs", -1.0), ("ref_logprobs", -1.0), ("values", 0.0))}
    alone = board(prompts=["Hm"], pieces=[["<|endoftext|>"]], scores=[0.0], mask=np.array([[True]]), lam=0.0, **one)
    return [board(), random_board(1, beta=0.5, lam=1.0), alone]


# ---- Python's side ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": MASK.astype(int)}, r"mask must be bool, \(texts, tokens\), got int64"),
        ({"mask": MASK[0]}, r"mask must be bool, \(texts, tokens\), got bool \(4,\)"),
        ({"mask": np.zeros((2, 4), bool)}, r"mask must leave 1 to 14 tokens in every row, got \[0, 0\]"),
        ({"prompts": ["one"]}, "prompts and pieces must be those of 2 texts of 4 tokens"),
        ({"pieces": [["a"] * 4, ["b"] * 3]}, "prompts and pieces must be those of 2 texts of 4 tokens"),
        ({"logprobs": np.zeros((2, 3))}, r"logprobs must have shape \(2, 4\), got \(2, 3\)"),
        ({"ref_logprobs": np.full((2, 4), -np.inf)}, "ref_logprobs must be finite"),
        ({"values": np.full((2, 4), np.nan)}, "values must be finite"),
        ({"scores": [1.0]}, r"scores must have shape \(2,\), got \(1,\)"),
        ({"scores": [1.0, np.nan]}, "scores must be finite"),
        ({"beta": -0.1}, r"beta must be in \[0, 0.5\], got -0.1"),
        ({"beta": 0.6}, r"beta must be in \[0, 0.5\], got 0.6"),
        ({"lam": 1.1}, r"lam must be in \[0, 1\], got 1.1"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        board(**change)


def test_a_text_that_has_no_room_is_refused():
    with pytest.raises(ValueError, match=r"1 to 14 tokens in every row, got \[15"):
        random_board(0, tokens=15)


@pytest.mark.parametrize(("name", "value", "message"), [("text", 2, "text must be in 0 … 1"), ("token", 4, "0 … 3")])
def test_bad_changes_are_named_too(name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(board(), name, value)


def test_numbers_by_hand():
    figure = board(lam=0.5)  # log-ratios 0.5, −1, 0, 1, and β = 0.1
    numbers = figure.numbers()
    np.testing.assert_allclose(numbers["rewards"], [-0.05, 0.1, 0, 1.4])
    np.testing.assert_allclose(numbers["deltas"], [0.45, -0.15, 0.5, 0.4])
    np.testing.assert_allclose(numbers["advantages"], [0.55, 0.2, 0.7, 0.4])


def test_padding_is_not_shown():
    assert board().texts[1] == {
        "prompt": "It was",
        "pieces": [" bad", "."],
        "log_ratios": [1.0, 0.0],
        "values": [-0.5, -0.75],
        "score": -1.0,
    }


# ---- JavaScript and Python ----


@pytest.fixture(scope="module")
def engine():
    return javascript(
        "twins/gae.js",
        "twins/token_rewards.js",
        "figures/token_advantages_rows.js",
        "figures/token_advantages_words.js",
    )


def computed(engine, figure):
    """Rewards and advantages of the text that is shown, by JavaScript."""
    text = json.dumps(figure.texts[figure.text])
    engine.eval(f"var text = {text}, rewards = tokenRewards(text.log_ratios, text.score, {figure.beta})")
    engine.eval(f"var values = text.values.map((v) => v * {int(figure.critic)})")
    engine.eval(f"var numbers = {{ rewards, values, ...gae(rewards, values, 0, 1, {figure.lam}) }}")
    return json.loads(engine.eval("JSON.stringify(numbers)"))


@pytest.mark.parametrize("seed", range(50))
def test_rewards_and_advantages_are_those_of_the_package(engine, seed):
    rng = np.random.default_rng(seed)
    figure = random_board(seed, tokens=int(rng.integers(1, 15)), beta=rng.uniform(0, 0.5), lam=rng.uniform())
    for figure.text in range(3):
        text = figure.texts[figure.text]
        kl, length = torch.tensor([text["log_ratios"]], dtype=torch.double), len(text["pieces"])
        real, score = torch.ones(1, length, dtype=torch.bool), torch.tensor([text["score"]], dtype=torch.double)
        rewards = token_rewards(kl, torch.zeros_like(kl), score, real, figure.beta)
        ends = torch.arange(length)[None] == length - 1
        for figure.critic in (True, False):
            values = torch.tensor([text["values"]], dtype=torch.double) * figure.critic
            zero = torch.zeros(1, dtype=torch.double)
            advantages, _ = gae(rewards, values, ends, zero, 1.0, figure.lam)
            found = computed(engine, figure)
            for name, numbers in figure.numbers().items():
                np.testing.assert_allclose(found[name], numbers, atol=1e-12)
            np.testing.assert_allclose(found["rewards"], rewards[0], atol=1e-12)
            np.testing.assert_allclose(found["advantages"], advantages[0], atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_no_bar_leaves_its_scale(engine, seed):
    figure = random_board(seed)
    limit = engine.eval(f"scaleOf({json.dumps(figure.texts[0])})")
    for figure.beta in (0.0, 0.2, 0.5):
        for figure.lam in (0.0, 0.3, 0.6, 0.95, 1.0):
            for figure.critic in (True, False):
                numbers = figure.numbers()
                assert max(np.abs(numbers[name]).max() for name in ("rewards", "values", "advantages")) <= limit * 1.05


def said(engine, figure):
    computed(engine, figure)
    return engine.eval(f"wordsOf({{ text, token: {figure.token}, lam: {figure.lam}, ...numbers }})")


def test_a_token_is_explained_in_words_and_numbers(engine):
    figure = board(lam=0.5)
    assert said(engine, figure) == (
        "“·great” earns −0.05, the price of 0.5 nats above the reference. "
        "δ = r + V after it − V before it = −0.05 + 0.75 − 0.25 ≈ 0.45. "
        "Later δs, times 0.5 per token back, add 0.1: Â ≈ 0.55."
    )
    figure.token = 3
    assert said(engine, figure) == (
        "“<|endoftext|>” earns 1.4, the score 1.5 and the price of 1 nats above the reference. Nothing follows, so "
        "V after it is 0: δ = r + V after it − V before it = 1.4 + 0 − 1 ≈ 0.4. That is its advantage."
    )
    figure.token, figure.lam = 1, 1.0
    assert "0.1, the price of 1 nats below the reference" in said(engine, figure)
    assert "With λ = 1 all later δs, in full, add 0.9: Â ≈ 0.75" in said(engine, figure)
    figure.lam = 0.0
    assert "With λ = 0 later δs add 0: Â ≈ −0.15" in said(engine, figure)


# ---- In the browser ----


def assert_shows(page, figure):
    """All numbers and bars are what Python computes for this state of the figure."""
    numbers, text = figure.numbers(), figure.texts[figure.text]
    rows = page.locator(".live-worth-rows .live-worth-row")
    shown = rows.evaluate_all(
        "all => all.map((row) => [...row.querySelectorAll('.live-worth-number')].map((e) => e.textContent))"
    )
    columns = (numbers["rewards"], numbers["values"], numbers["advantages"])
    got = [[float(x.replace("−", "-")) for x in row] for row in shown]
    assert np.array(got) == pytest.approx(np.stack(columns, axis=1), abs=0.00501)
    bars = rows.evaluate_all(
        """all => all.map((row) => [...row.querySelectorAll(".live-worth-bar")].map((bar) => {
          const left = parseFloat(bar.style.left), width = parseFloat(bar.style.width);
          return left < 49.99 ? -width : width;
        }))"""
    )
    price = -figure.beta * np.array(text["log_ratios"])
    score = np.append(np.zeros(len(price) - 1), text["score"])
    parts = np.stack([price, score, numbers["values"], numbers["advantages"]], axis=1)
    unit = np.abs(bars).max() / np.abs(parts).max()
    assert np.array(bars) == pytest.approx(parts * unit, abs=0.03)
    assert rows.count() == len(text["pieces"])


def test_lambda_and_beta_recompute_every_number(mount):
    figure = board()
    page = mount(figure)
    assert_shows(page, figure)
    for figure.lam, key in ((0.0, "Home"), (0.05, "ArrowRight"), (1.0, "End")):
        page.get_by_label("λ: how far").press(key)
        assert_shows(page, figure)
    for figure.beta, key in ((0.0, "Home"), (0.01, "ArrowRight"), (0.5, "End")):
        page.get_by_label("β: price of KL").press(key)
        assert_shows(page, figure)


def test_without_the_critic_and_with_lambda_0_only_the_last_token_hears_of_the_score(mount):
    figure = board(beta=0.0)
    page = mount(figure)
    page.get_by_label("λ: how far").press("Home")
    press(page, "Without the critic: V = 0")
    figure.lam, figure.critic = 0.0, False
    assert_shows(page, figure)
    assert figure.numbers()["advantages"].tolist() == [0, 0, 0, 1.5]
    press(page, "Without the critic: V = 0")
    figure.critic = True
    assert_shows(page, figure)


def test_another_text_is_chosen_and_its_first_token_explained(mount):
    figure = board()
    page = mount(figure)
    page.locator(".live-token").nth(3).click()
    assert status(page).startswith("“<|endoftext|>” earns")
    page.get_by_label("text").select_option(index=1)
    figure.text = 1
    assert_shows(page, figure)
    assert status(page).startswith("“·bad” earns −0.1")
    assert page.locator(".live-worth-prompt").inner_text() == "It was …"


def test_arrow_keys_walk_through_the_tokens(mount):
    page = mount(board())
    page.locator(".live-token").first.press("ArrowDown")
    assert status(page).startswith("“·food” earns 0.1")
    assert page.locator(".live-token[aria-pressed=true]").inner_text().startswith("·food")
    page.locator(".live-token").nth(1).press("ArrowUp")
    assert status(page).startswith("“·great”")


def test_a_chip_says_its_advantage(mount):
    page = mount(board(lam=0.5))
    assert [chip.text_content() for chip in page.locator(".live-token").all()] == [
        f"{piece.replace(' ', '·')}, advantage {number(a, 2)}"
        for piece, a in zip(PIECES[0], [0.55, 0.2, 0.7, 0.4], strict=True)
    ]


def test_it_opens_with_the_next_step_alone_and_lets_the_score_travel(mount):
    page = mount(board(), 1280, reduced_motion="no-preference")
    page.locator(".live-figure").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('input[type=range]').value < 0.3")
    assert page.get_by_role("status").get_attribute("aria-live") == "off"
    page.wait_for_function("document.querySelector('input[type=range]').value === '0.95'")
    page.wait_for_timeout(300)
    assert_shows(page, board())
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_the_first_touch_ends_the_opening(mount):
    page = mount(board(), 1280, reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('input[type=range]').value < 0.3")
    page.locator(".live-hint").click()
    assert page.get_by_label("λ: how far").input_value() == "0.95"
