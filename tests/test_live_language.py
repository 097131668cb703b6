"""The figures of chapters 8 and 9: JavaScript against Python and NumPy, what they refuse, and what a reader does."""

import json
import re

import numpy as np
import pytest
import traitlets
from live_checks import assert_still_picture_is_as_large, axe_violations
from py_mini_racer import MiniRacer

from ppo_helpers.live import RatioBoard, TokenExplorer
from ppo_helpers.live.base import FILES
from ppo_helpers.live.fallback import number
from ppo_helpers.live.ratio_board import ratio_color
from ppo_helpers.live.token_explorer import KEPT, TEMPERATURES
from ppo_helpers.live.tokens import PART, SMALLEST, chance, probability, readable, visible

VOCABULARY = 300


def explorer(seed=0, **change):
    rng = np.random.default_rng(seed)
    ids = [rng.integers(0, VOCABULARY, n).tolist() for n in (7, 11)]
    logits = [4 * rng.normal(size=(len(row), VOCABULARY)) for row in ids]
    ids[0][1] = int(logits[0][0].argmax())  # one that is likely, so that a top-k keeps it
    parts = {"pieces": [[f" w{i}" for i in row] for row in ids], "ids": ids, "logits": logits}
    return TokenExplorer(**(parts | {"decode": lambda i: f" w{i}", "alt": "two sentences"} | change))


def board(seed=0, **change):
    rng = np.random.default_rng(seed)
    mask = np.arange(6) < np.array([6, 3, 5, 1])[:, None]
    growth = rng.normal(size=(4, 6))
    ratios = np.exp(np.linspace(0, 0.5, 4)[:, None, None] * growth)
    pieces = [[f" t{t}" for t in range(6)]] * 4
    parts = {"prompts": ["The food was", "I feel", "A <b>", "It"], "pieces": pieces, "ratios": ratios, "mask": mask}
    return RatioBoard(**(parts | {"advantages": [1.0, -0.5, 0.0, 2.0], "alt": "ratios of four responses"} | change))


FIGURES = {"explorer": explorer, "explorer in the middle": lambda: explorer(token=3), "board": board}
every_figure = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)


# --- JavaScript, Python and NumPy -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    racer = MiniRacer()
    for name in ("figure.js", "tokens.js", "grid_view.js", "ratio_board.js"):
        racer.eval(re.sub(r"^export .*$", "", (FILES / name).read_text("utf-8"), flags=re.MULTILINE))
    return racer


def truth(logits, token, temperature, top_k):
    """(V,) log-probs of the full or the cut softmax, in NumPy."""
    scores = logits[token] / temperature
    if top_k <= KEPT:
        order = np.argsort(-scores, kind="stable")
        scores[order[top_k:]] = -np.inf
    return scores - np.logaddexp.reduce(scores)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("top_k", [1, 3, KEPT, KEPT + 1])
def test_probabilities_are_those_of_the_softmax(engine, seed, top_k):
    rng = np.random.default_rng(seed)
    ids, logits = rng.integers(0, VOCABULARY, 5).tolist(), 3 * rng.normal(size=(5, VOCABULARY))
    ids[2] = int(logits[1].argmax())
    figure = TokenExplorer([list("abcde")], [ids], [logits], str, alt="a sentence")
    figure.temperature, figure.top_k = float(rng.choice(TEMPERATURES)), top_k
    rows = figure.sentences[0]["rows"]
    for figure.token in range(5):
        logprobs = truth(logits.copy(), figure.token, figure.temperature, top_k)
        row, options = json.dumps(rows[figure.token]), f"{figure.temperature}, {top_k}"
        expected = np.exp(logprobs[rows[figure.token]["ids"]])
        np.testing.assert_allclose(figure.candidates(), expected, atol=2e-4)
        js = json.loads(engine.eval(f"JSON.stringify(candidates({row}, {options}))"))
        np.testing.assert_allclose(js, expected, atol=2e-4)
        said = engine.eval(f"nextLogprob({row}, {options})")
        if figure.token < 4:
            wanted = logprobs[ids[figure.token + 1]]
            assert figure.logprobs()[figure.token] == pytest.approx(wanted, abs=2e-4)
            assert said == pytest.approx(wanted, abs=2e-4)
        else:
            assert said is None


@pytest.mark.parametrize("logprob", [-np.inf, -800.0, -27.36, -9.5, -9.2103, -9.21, -3.0, 0.0])
def test_a_small_probability_is_not_shown_as_0(engine, logprob):
    p, given = probability(logprob), "-Infinity" if np.isinf(logprob) else logprob
    assert (p == 0) is (chance(p) == "0") is bool(np.isneginf(logprob))
    assert chance(p) in ("< 0.0001", number(p, 4))
    assert engine.eval(f"probability({given})") == pytest.approx(p, rel=1e-12, abs=0)
    assert engine.eval(f"chance(probability({given}))") == chance(p)


def test_all_others_together_have_something_unless_they_are_cut_off(engine):
    shown = [0.5, 0.5]
    for top_k, vocabulary, rest in ((KEPT + 1, 300, SMALLEST), (KEPT, 300, 0), (KEPT + 1, 2, 0)):
        figure = explorer()
        figure.top_k, figure.vocabulary = top_k, vocabulary
        assert figure._rest(shown) == engine.eval(f"restOf({shown}, {top_k}, {vocabulary})") == rest


def test_a_cold_figure_shows_0_nowhere():
    figure = explorer(logits=[40 * np.random.default_rng(1).normal(size=(n, 300)) for n in (7, 11)])
    for figure.token in range(6):
        for figure.temperature in (0.1, 1.0):
            assert figure.candidates().min() > 0
            shown = re.findall(r'class="live-label">([^<]*)</text>', figure.fallback())
            assert "0" not in shown and "&lt; 0.0001" in shown
            assert "probability 0," not in figure._words() and "probability " in figure._words()


def test_a_part_of_a_character_is_named(engine):
    pieces = [[" a", "\ufffd", "\ufffd b"], ["x", "y"]]
    figure = TokenExplorer(
        pieces, [[1, 2, 3], [1, 2]], [np.zeros((n, 300)) for n in (3, 2)], lambda i: "\ufffd", token=1, alt="bytes"
    )
    row = figure.sentences[0]["rows"][0]
    assert figure.sentences[0]["pieces"] == [" a", PART, PART + " b"] and row["pieces"] == [PART] * KEPT
    ratios = RatioBoard(["It"], [["\ufffd", "b"]], np.ones((1, 1, 2)), [1.0], np.ones((1, 2), dtype=bool), alt="bytes")
    for each in (figure, ratios):
        assert "\ufffd" not in json.dumps(each.get_state() | {"_esm": ""}, ensure_ascii=False) + each.fallback()
        assert "⟨part⟩" in each.fallback()
    for text in ("\ufffd b\n", " food"):
        assert engine.eval(f"visible({json.dumps(readable(text))})") == visible(readable(text))


def test_the_likeliest_are_kept_in_order_ties_by_id():
    logits = np.zeros((2, 50))
    logits[0, [40, 7]] = 1.0
    row = TokenExplorer([["a", "b"]], [[0, 7]], [logits], str, alt="ties").sentences[0]["rows"][0]
    assert row["ids"] == [7, 40, *range(7), 8, 9, 10] and row["pieces"][0] == "7"
    assert row["real"] == 7 and row["score"] == 1


@pytest.mark.parametrize("seed", range(20))
def test_facts_of_the_board_are_those_of_numpy(engine, seed):
    figure = board(seed)
    lengths = [6, 3, 5, 1]
    for figure.epoch in range(4):
        ratios = [np.array(row) for row in figure.ratios[figure.epoch]]
        assert [len(row) for row in ratios] == lengths
        flat, signs = np.concatenate(ratios), np.repeat([1.0, -0.5, 0.0, 2.0], lengths)
        clipped = np.where(signs > 0, flat > 1.2, np.where(signs < 0, flat < 0.8, False))
        wanted = [np.mean(abs(flat - 1) > 0.2), clipped.mean(), flat.max(), max(np.prod(row) for row in ratios)]
        assert list(figure.facts().values()) == pytest.approx(wanted)
        given = f"{figure.ratios[figure.epoch]}, {[row['advantages'] for row in figure.responses]}, 0.2"
        js = json.loads(engine.eval(f"JSON.stringify(facts({given}))"))
        shown = [f"{number(100 * v)} %" for v in wanted[:2]] + [number(v, 2) for v in wanted[2:]]
        assert list(js) == list(figure.facts()) and list(js.values()) == shown
    assert set(np.concatenate(figure.ratios[0])) == {1.0}


@pytest.mark.parametrize("ratio", [0.3, 0.7, 0.95, 1.0, 1.1, 1.5, 4.0])
def test_colours_are_the_same_on_both_sides(engine, ratio):
    assert engine.eval(f"ratioColor({ratio})") == ratio_color(ratio)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: explorer(pieces=[]), "must be of the same sentences, at least one, got 0, 2 and 2"),
        (lambda: explorer(pieces=[["a"]] * 2), r"pieces\[0\] and ids.* equally long, at least 2, got 1 and 7"),
        (lambda: explorer(logits=[np.zeros((7, 300)), np.zeros((3, 300))]), r"logits\[1\] must have .* got \(3, 300\)"),
        (lambda: explorer(logits=[np.zeros((7, 9)), np.zeros((11, 9))]), r"logits\[0\] must have shape .* > 12\)"),
        (lambda: explorer(logits=[np.full((7, 300), np.nan), np.zeros((11, 300))]), r"logits\[0\] must be finite"),
        (lambda: explorer(logits=[np.zeros((7, 13)), np.zeros((11, 13))]), r"ids\[0\] must be in \[0, 12\], got"),
        (lambda: explorer(token=7), "token must be in 0 … 6, .* got 7"),
        (lambda: setattr(explorer(), "top_k", 0), "top_k must be in 1 … 12, or 13 for no cut, got 0"),
        (lambda: setattr(explorer(), "temperature", 0), r"temperature must be in \[0.1, 2\], got 0"),
        (lambda: explorer(alt=""), "alt must say what the figure shows"),
        (lambda: board(ratios=np.zeros((2, 4, 6))), r"ratios must be positive, .* got shape \(2, 4, 6\)"),
        (lambda: board(ratios=np.ones((4, 6))), r"ratios must be positive, \(epochs, .* got shape \(4, 6\)"),
        (lambda: board(mask=np.ones((4, 6))), "mask must be bool of shape"),
        (lambda: board(mask=np.zeros((4, 6), dtype=bool)), "True somewhere in each row"),
        (lambda: board(advantages=[1, 2]), r"advantages must be finite, \(4, 6\) or \(4,\), got shape \(2,\)"),
        (lambda: board(advantages=[1, 2, 3, np.nan]), "advantages must be finite"),
        (lambda: board(prompts=["one"]), "prompts and pieces must be those of 4 responses of 6 tokens"),
        (lambda: board(clip_eps=0), r"clip_eps must be in \(0, 1\], got 0"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        make()


@pytest.mark.slow
def test_a_whole_batch_fits_into_the_page():
    rng = np.random.default_rng(0)
    ratios = np.exp(rng.normal(size=(13, 20, 12)))
    parts = {"prompts": ["The food at the restaurant was"] * 20, "pieces": [[" something"] * 12] * 20}
    figure = board(**parts, ratios=ratios, mask=np.ones((20, 12), dtype=bool), advantages=rng.normal(size=20))
    sentences = explorer(
        pieces=[[" something"] * 16] * 4, ids=[[3] * 16] * 4, logits=[rng.normal(size=(16, 50257))] * 4
    )
    for each in (figure, sentences):
        state = {name: value for name, value in each.get_state().items() if name not in ("_esm", "_css")}
        assert len(json.dumps(state, allow_nan=False)) < 100_000


# --- in a browser ---------------------------------------------------------------------------------------------------


@every_figure
def test_numbers_stand_below_their_names_under_jupyterlabs_style_too(mount, make):
    page = mount(make())
    page.add_style_tag(content="body:has(dl) dt { float: left; width: 20% } body:has(dl) dd { margin-left: 20% }")
    pairs = [[cell.bounding_box() for cell in pair.locator("dt, dd").all()] for pair in page.locator("dl > div").all()]
    assert len(pairs) >= 3
    for name, value in pairs:
        assert name["y"] + name["height"] <= value["y"] + 1 and name["x"] == value["x"]


@every_figure
@pytest.mark.parametrize("width", [360, 900])
def test_still_picture_is_as_large_as_the_figure(mount, make, width):
    assert_still_picture_is_as_large(mount, make(), width)


@every_figure
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(mount, make, theme, width):
    page = mount(make(), width, theme)
    assert axe_violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    sizes = page.locator(".live-token").evaluate_all("all => all.map((e) => e.getBoundingClientRect().height)")
    assert min(sizes) >= 44


def status(page):
    return page.get_by_role("status").inner_text()


def facts(page):
    pairs = page.locator("dl > div").evaluate_all("all => all.map((e) => [...e.children].map((c) => c.textContent))")
    return {name: value.replace("−", "-") for name, value in pairs}


def chips(page):
    return page.locator(".live-token small").all_inner_texts()


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def press(page, name, key, times=1):
    page.get_by_role("slider", name=name, exact=True).focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_a_sentence_is_clicked_through(mount):
    figure = explorer()
    page = mount(figure)
    for figure.token in range(6):
        logprobs = figure.logprobs()
        shown = facts(page)
        assert shown["log-prob of the next token"] == number(logprobs[figure.token], 3).replace("−", "-")
        assert shown["sum from the start"] == number(sum(logprobs[: figure.token + 1]), 3).replace("−", "-")
        mean = np.exp(np.mean(logprobs[: figure.token + 1]))
        assert shown["geometric mean"] == chance(mean)
        assert status(page) == figure._words()
        assert chips(page) == ["–", *(number(x, 2) for x in logprobs)]
        click(page, "Step")
    figure.token = 6
    assert status(page) == figure._words() and facts(page)["log-prob of the next token"] == "–"
    page.locator(".live-token").nth(2).click()
    figure.token = 2
    assert status(page) == figure._words()
    click(page, "Back")
    figure.token = 1
    assert status(page) == figure._words()


def test_a_cut_leaves_tokens_out_and_reset_brings_them_back(mount):
    figure = explorer(token=1)
    page = mount(figure)
    before = (status(page), chips(page), page.locator("svg.live-plot").inner_html())
    press(page, "top-k", "Home")
    assert (
        "−∞" in chips(page) and "would never be written" in status(page) and facts(page)["sum from the start"] == "-∞"
    )
    assert chips(page)[1] == "0"  # the likeliest is certain now
    press(page, "temperature τ", "End")
    page.get_by_role("combobox", name="sentence").select_option("1")
    assert len(chips(page)) == 11
    click(page, "Reset")
    assert (status(page), chips(page), page.locator("svg.live-plot").inner_html()) == before


@pytest.mark.parametrize("key", ["Home", "End"])
def test_temperature_changes_what_python_says(mount, key):
    figure = explorer(token=2)
    page = mount(figure)
    press(page, "temperature τ", key)
    figure.temperature = 0.1 if key == "Home" else 2.0
    assert chips(page)[1:] == [number(x, 2) for x in figure.logprobs()]
    shown = page.locator("svg.live-plot text").all_text_contents()[1 : 2 * KEPT : 2]
    assert shown == [chance(p) for p in figure.candidates()]


def test_the_board_shows_every_epoch(mount):
    figure = board()
    page = mount(figure)
    press(page, "epochs so far", "Home")
    assert set(chips(page)) == {"▲1", "▼1", "1"}
    for figure.epoch in range(4):
        wanted = [number(r, 2) for row in figure.ratios[figure.epoch] for r in row]
        assert [text.lstrip("▲▼") for text in chips(page)] == wanted
        shown, expected = facts(page), figure.facts()
        assert shown["without gradient"] == f"{number(100 * expected['without gradient'])} %"
        flat = np.concatenate(figure.ratios[figure.epoch])
        signs = np.concatenate([row["advantages"] for row in figure.responses])
        marked = page.locator(".live-token").evaluate_all("all => all.map((e) => e.classList.contains('live-clipped'))")
        assert marked == figure._clipped(flat, signs).tolist()
        colours = page.locator(".live-token").evaluate_all("all => all.map((e) => e.style.backgroundColor)")
        assert colours == [ratio_color(r).replace(" ", ", ") for r in flat]
        whole = page.locator(".live-of-response").all_inner_texts()
        for text, row in zip(whole, figure.ratios[figure.epoch], strict=True):
            mean, product = np.exp(np.mean(np.log(row))), np.prod(row)
            assert text == f"per token {number(mean, 2)}, whole {number(product, 2)}"
        click(page, "Step")


def test_a_token_says_what_becomes_of_it(mount):
    ratios = np.ones((2, 1, 4))
    ratios[1] = [[1.5, 0.5, 1.1, 1.0]]
    one = {
        "prompts": ["It"],
        "pieces": [[" a", " b", " c", " d"]],
        "ratios": ratios,
        "mask": np.ones((1, 4), dtype=bool),
    }
    page = mount(board(**one, advantages=[[1.0, -2.0, 1.0, 0.0]]))
    said = []
    for chip in page.locator(".live-token").all():
        chip.click()
        said.append(status(page))
    assert said == [
        "“ a” in row 0: ratio 1.5 after 1 epoch, advantage 1: clipped, it pushes no further.",
        "“ b” in row 0: ratio 0.5 after 1 epoch, advantage −2: clipped, it pushes no further.",
        "“ c” in row 0: ratio 1.1 after 1 epoch, advantage 1: it pushes up.",
        "“ d” in row 0: ratio 1 after 1 epoch, advantage 0: it does not push.",
    ]
    page = mount(board(**one, advantages=[[-1.0, 2.0, 1.0, 0.0]]))
    for i, words in enumerate(("it pushes down.", "it pushes up.")):  # outside the band, on the other side
        page.locator(".live-token").nth(i).click()
        assert status(page).endswith(words)


def test_the_board_plays_to_its_end_and_resets(mount):
    page = mount(board(), reduced_motion="no-preference")
    before = (status(page), chips(page))
    click(page, "Train")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Train").wait_for(timeout=9000)
    assert (status(page), chips(page)) == before
    page.locator(".live-token").nth(4).click()
    click(page, "Back")
    assert (status(page), chips(page)) != before
    click(page, "Reset")
    assert (status(page), chips(page)) == before


@pytest.mark.parametrize("make", [explorer, board])
def test_arrow_keys_lead_through_the_tokens_and_tab_stops_once(mount, make):
    page = mount(make())
    tokens = page.locator(".live-token")
    tokens.nth(0).focus()
    for key, chosen in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowLeft", 0)):
        before = status(page)
        page.keyboard.press(key)
        pressed = tokens.evaluate_all("all => all.map((e) => e.ariaPressed)")
        assert pressed.index("true") == chosen and pressed.count("true") == 1
        assert tokens.nth(chosen).evaluate("e => e === document.activeElement")
        assert tokens.evaluate_all("all => all.filter((e) => e.tabIndex === 0).length") == 1
        assert (status(page) == before) is (key == "ArrowLeft" and chosen == 0)
