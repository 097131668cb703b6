"""TokenExplorer: its softmax against NumPy's, what it refuses, and what a reader sees and does."""

import json

import numpy as np
import pytest
import traitlets
from live_checks import fact, javascript, number, press, status

from ppo_helpers.live import TokenExplorer
from ppo_helpers.live.figures.token_explorer import SMALLEST, log_sum_exp, probability
from ppo_helpers.live.tokens import KEPT, PART, TEMPERATURES, readable

VOCABULARY = 300
WORDS = {"alt": "Two sentences in tokens.", "caption": "What the model expects after the chosen token."}


def explorer(seed=0, scale=4.0, **change):
    """Two sentences of 7 and 11 tokens; the second token of the first is the likeliest: a top-k keeps it."""
    rng = np.random.default_rng(seed)
    ids = [rng.integers(0, VOCABULARY, n).tolist() for n in (7, 11)]
    logits = [scale * rng.normal(size=(len(row), VOCABULARY)) for row in ids]
    ids[0][1] = int(logits[0][0].argmax())
    parts = {"pieces": [[f" w{i}" for i in row] for row in ids], "ids": ids, "logits": logits}
    return TokenExplorer(**(parts | {"decode": lambda i: f" w{i}"} | WORDS | change))


def extreme():
    """Fourteen tokens in all, with names as long as they get, scores far apart, and a sentence at its end."""
    ids = [[0, 13, 1], [2, 3]]
    logits = [60 * np.random.default_rng(3).normal(size=(len(row), 14)) for row in ids]
    names = [" counterrevolutionaries\n" * 2, "\ufffd", "<|endoftext|>", *(f" w{i}" for i in range(11))]
    pieces = [[names[i] for i in row] for row in ids]
    return TokenExplorer(pieces, ids, logits, lambda i: names[i], token=2, **WORDS)


def cold():
    figure = explorer(token=5, scale=8.0)
    figure.temperature, figure.top_k = 0.1, 3
    return figure


def examples():
    return [explorer(token=5), cold(), extreme()]


# ---- JavaScript, Python and NumPy ----


@pytest.fixture(scope="module")
def engine():
    return javascript("twins/softmax.js", "parts/tokens.js")


def asked(engine, call):
    return json.loads(engine.eval(f"JSON.stringify({call})"))


def truth(logits, token, temperature, top_k):
    """(V,) log-probs of the full or the cut softmax, in NumPy."""
    scores = logits[token] / temperature
    if top_k <= KEPT:
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    return scores - np.logaddexp.reduce(scores)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("top_k", [1, 3, KEPT, KEPT + 1])
def test_probabilities_are_those_of_the_softmax(engine, seed, top_k):
    rng = np.random.default_rng(seed)
    ids, logits = rng.integers(0, VOCABULARY, 5).tolist(), 3 * rng.normal(size=(5, VOCABULARY))
    ids[2] = int(logits[1].argmax())
    figure = TokenExplorer([list("abcde")], [ids], [logits], str, **WORDS)
    figure.temperature, figure.top_k = float(rng.choice(TEMPERATURES)), top_k
    for figure.token in range(5):
        row = figure.sentences[0]["rows"][figure.token]
        logprobs = truth(logits.copy(), figure.token, figure.temperature, top_k)
        known = row["ids"] if row["real"] in (None, *row["ids"]) else [*row["ids"], row["real"]]
        others = np.delete(np.exp(logprobs), known).sum()
        np.testing.assert_allclose(figure.candidates(), np.exp(logprobs[row["ids"]]), rtol=3e-4)
        assert figure.rest() == pytest.approx(others, rel=3e-4, abs=0)
        if figure.token < 4:
            assert figure.logprobs()[figure.token] == pytest.approx(logprobs[row["real"]], rel=3e-4, abs=3e-4)


@pytest.mark.parametrize("seed", range(30))
def test_javascript_computes_what_python_computes(engine, seed):
    rng = np.random.default_rng(seed)
    figure = explorer(seed, scale=float(rng.choice([0.1, 4, 40])))
    figure.temperature, figure.top_k = float(rng.choice(TEMPERATURES)), int(rng.integers(1, KEPT + 2))
    for figure.token in range(7):
        row = json.dumps(figure.sentences[0]["rows"][figure.token])
        given = f"{row}, {figure.temperature}, {figure.top_k}"
        assert asked(engine, f"candidates({given})") == pytest.approx(figure.candidates(), rel=1e-12, abs=0)
        assert engine.eval(f"restOf({given})") == pytest.approx(figure.rest(), rel=1e-12, abs=0)
        said = engine.eval(f"String(nextLogprob({given}))")
        if figure.token == 6:
            assert said == "null"
        else:
            assert float(said.replace("Infinity", "inf")) == pytest.approx(figure.logprobs()[figure.token], rel=1e-12)


@pytest.mark.parametrize("scores", [[0.0], [0.0, -40.0], [-3.0, 2.0, 2.0], [-800.0, -801.0], [0.0, -900.0]])
def test_what_little_adds_to_a_sum_is_not_rounded_away(engine, scores):
    ours = log_sum_exp(scores)
    assert ours == pytest.approx(np.logaddexp.reduce(scores), rel=1e-12)
    assert engine.eval(f"logSumExp({scores})") == pytest.approx(ours, rel=1e-12, abs=0)
    assert (ours > max(scores)) or len(scores) == 1 or max(scores) < 0
    if scores == [0.0, -40.0]:
        assert ours == pytest.approx(
            np.exp(-40), rel=1e-12, abs=0
        )  # np.logaddexp gives it as well, a plain log does not


@pytest.mark.parametrize("logprob", [-np.inf, -800.0, -27.36, -9.5, -9.2103, -9.21, -3.0, -1e-5, -1e-30, 0.0])
def test_what_is_not_0_or_1_is_not_shown_as_0_or_1(engine, logprob):
    p, given = probability(logprob), "-Infinity" if np.isinf(logprob) else logprob
    assert engine.eval(f"probability({given})") == pytest.approx(p, rel=1e-12, abs=0)
    shown = engine.eval(f"chance(probability({given}))")
    assert (p == 0) is (shown == "0") is bool(np.isneginf(logprob))
    assert (p == 1) is (shown == "1") is (logprob == 0)
    assert shown in ("<\u00a00.0001", ">\u00a00.9999", number(p, 4))
    words = engine.eval(f"logWords({given}, 2)")
    assert words == ("≈ 0" if -0.005 < logprob < 0 else number(logprob, 2))


@pytest.mark.parametrize(
    ("logprob", "shown"),
    [("null", "–"), (-0.004, "≈ 0"), (-6.654, "−6.65"), (-9.96, "−10"), (-42.16, "−42.2"), (-123.4, "−123")],
)
def test_a_number_in_a_chip_has_five_signs_at_most(engine, logprob, shown):
    assert engine.eval(f"logChip({logprob})") == shown


@pytest.mark.parametrize("text", [" food", "\ufffd b\n", "a b"])
def test_spaces_and_parts_of_characters_are_visible(engine, text):
    shown = {" food": "·food", "\ufffd b\n": "⟨part⟩·b⏎", "a b": "a·b"}
    assert engine.eval(f"visible({json.dumps(readable(text))})") == shown[text]


def test_the_likeliest_are_kept_in_order_ties_by_id():
    logits = np.zeros((2, 50))
    logits[0, [40, 7]] = 1.0
    row = TokenExplorer([["a", "b"]], [[0, 20]], [logits], str, **WORDS).sentences[0]["rows"][0]
    assert row["ids"] == [7, 40, *range(7), 8, 9, 10] and row["pieces"][0] == "7"
    assert row["logits"] == [0, 0, *[-1] * 10] and row["real"] == 20 and row["score"] == -1
    others = 50 - 12 - 1  # neither kept nor the one that follows
    assert row["others"] == pytest.approx(np.log(others) - 1 / TEMPERATURES, abs=1e-5)


def test_a_cold_softmax_gives_everybody_something():
    figure = explorer(scale=40.0)
    figure.temperature = 0.1
    for figure.token in range(6):
        assert figure.candidates().min() > 0 and figure.candidates().max() < 1 and figure.rest() >= SMALLEST
    figure.top_k = KEPT
    assert figure.rest() == 0


def test_a_part_of_a_character_is_named():
    pieces = [[" a", "\ufffd", "\ufffd b"], ["x", "y"]]
    figure = TokenExplorer(
        pieces, [[1, 2, 3], [1, 2]], [np.zeros((n, 300)) for n in (3, 2)], lambda i: "\ufffd", **WORDS
    )
    assert figure.sentences[0]["pieces"] == [" a", PART, PART + " b"]
    assert figure.sentences[0]["rows"][0]["pieces"] == [PART] * KEPT


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: explorer(pieces=[]), "must be of the same sentences, at least one, got 0, 2 and 2"),
        (lambda: explorer(pieces=[["a"]] * 2), r"pieces\[0\] and ids.* equally long, at least 2, got 1 and 7"),
        (lambda: explorer(logits=[np.zeros((7, 300)), np.zeros((3, 300))]), r"logits\[1\] must have .* got \(3, 300\)"),
        (lambda: explorer(logits=[np.zeros((7, 13)), np.zeros((11, 13))]), r"logits\[0\] must have shape .* > 13\)"),
        (lambda: explorer(logits=[np.full((7, 300), np.nan), np.zeros((11, 300))]), r"logits\[0\] must be finite"),
        (lambda: explorer(logits=[np.zeros((7, 14)), np.zeros((11, 14))]), r"ids\[0\] must be in \[0, 13\], got"),
        (lambda: explorer(token=7), "token must be in 0 … 6, .* got 7"),
        (lambda: setattr(explorer(), "top_k", 0), "top_k must be in 1 … 12, or 13 for no cut, got 0"),
        (lambda: setattr(explorer(), "temperature", 0), r"temperature must be in \[0.1, 2\], got 0"),
        (lambda: setattr(explorer(), "temperature", 0.15), "temperature must be a whole number of tenths, got 0.15"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        make()


@pytest.mark.slow
def test_sentences_of_the_real_model_fit_into_the_page():
    rng = np.random.default_rng(0)
    long = explorer(pieces=[[" something"] * 16] * 4, ids=[[3] * 16] * 4, logits=[rng.normal(size=(16, 50257))] * 4)
    state = {name: value for name, value in long.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, allow_nan=False)) < 100_000


# ---- In a browser ----


def chips(page):
    return page.locator(".live-token small").all_inner_texts()


def values(page):
    return [text for text in page.locator(".live-chance-number").all_inner_texts() if text]


def widths(page):
    """How long each bar is, as a share of the axis."""
    return page.locator(".live-chance-track:has(.live-chance-bar)").evaluate_all(
        "all => all.map((e) => e.firstElementChild.getBoundingClientRect().width / e.clientWidth)"
    )


def slide(page, name, key, times=1):
    for _ in range(times):
        page.get_by_role("slider", name=name).press(key)


def chance(p):
    return "<\u00a00.0001" if 0 < p < 1e-4 else ">\u00a00.9999" if 0.9999 < p < 1 else number(p, 4)


def test_a_sentence_is_clicked_through(mount):
    figure = explorer()
    page = mount(figure)
    for figure.token in range(6):
        logprobs = figure.logprobs()
        following = logprobs[figure.token]
        assert fact(page, "log-prob of the next token") == pytest.approx(following, abs=6e-4)
        assert fact(page, "sum from the start") == pytest.approx(sum(logprobs[: figure.token + 1]), abs=6e-4)
        mean = page.locator(".live-numbers dd").last.inner_text()
        assert mean == chance(np.exp(np.mean(logprobs[: figure.token + 1])))
        pieces = figure.sentences[0]["pieces"]
        gives = f"After “{pieces[figure.token]}” the model gives “{pieces[figure.token + 1]}” probability "
        assert status(page).startswith(gives + chance(np.exp(following)))
        assert page.locator(".live-chance-heading").inner_text().endswith(f"{pieces[figure.token].strip()}”")
        assert [float(x.replace("−", "-").replace("≈ ", "")) for x in chips(page)[1:]] == pytest.approx(
            logprobs, abs=0.06
        )
        press(page, "Step")
    assert "nothing is written yet" in status(page) and fact(page, "log-prob of the next token") == "–"
    page.locator(".live-token").nth(2).click()
    assert page.locator(".live-surprise-next").inner_text().startswith(f"·{figure.sentences[0]['pieces'][3].strip()}")
    press(page, "Back")
    assert (
        page.locator(".live-token[aria-pressed=true]").inner_text() == page.locator(".live-token").nth(1).inner_text()
    )


def test_bars_are_as_long_as_their_probabilities_at_every_temperature(mount):
    """One axis from 0 to 1: the top bar of a cold softmax is longer than that of a hot one."""
    figure = explorer(token=2)
    page = mount(figure)
    top = []
    for key, figure.temperature in (("Home", 0.1), ("End", 2.0)):
        slide(page, "temperature τ", key)
        shown = widths(page)
        assert shown[:KEPT] == pytest.approx(figure.candidates(), abs=0.006)
        assert shown[-1] == pytest.approx(figure.rest(), abs=0.006)
        assert values(page)[:KEPT] == [chance(p) for p in figure.candidates()]
        top.append(shown[0])
    assert top[0] > 3 * top[1]
    marks = "all => all.map((e) => parseFloat(e.style.left) / 100)"
    figure.temperature = 1.0
    assert page.locator(".live-chance-mark").evaluate_all(marks)[:KEPT] == pytest.approx(figure.candidates(), abs=1e-4)


def test_all_probabilities_that_are_shown_add_up(mount):
    figure = explorer(token=3)
    page = mount(figure)
    assert figure.sentences[0]["rows"][3]["real"] not in figure.sentences[0]["rows"][3]["ids"]
    assert len(values(page)) == KEPT + 2  # the one that follows has a bar of its own
    shown = [float(text.replace("<\u00a0", "")) for text in values(page)]
    assert sum(shown) == pytest.approx(1, abs=1e-3)


def test_a_cut_leaves_tokens_out_and_reset_brings_them_back(mount):
    figure = explorer(token=1)
    page = mount(figure)
    before = (status(page), chips(page), page.locator(".live-chances").inner_html())
    slide(page, "top-k", "Home")
    assert "−∞" in chips(page) and fact(page, "sum from the start") == "−∞"
    assert status(page).endswith("it would never be written.") and "50," not in status(page)
    assert chips(page)[1] == "0"  # the likeliest is certain now
    assert values(page) == ["1", *["cut: 0"] * (KEPT + 1)]
    slide(page, "temperature τ", "End")
    page.get_by_role("combobox", name="sentence").select_option("1")
    assert len(chips(page)) == 11
    press(page, "Reset")
    assert (status(page), chips(page), page.locator(".live-chances").inner_html()) == before


def test_a_cold_figure_shows_0_nowhere(mount):
    page = mount(explorer(scale=40.0))
    slide(page, "temperature τ", "Home")
    for _ in range(6):
        assert not {"0", "1", "cut: 0"} & {*values(page), *chips(page)}
        assert "probability 0:" not in status(page)
        press(page, "Step")


def test_the_less_a_token_was_expected_the_deeper_its_colour(mount):
    figure = explorer()
    page = mount(figure)
    surprise = page.locator(".live-token").evaluate_all(
        "all => all.map((e) => +e.style.getPropertyValue('--surprise'))"
    )
    assert surprise == pytest.approx([0, *np.clip(-np.array(figure.logprobs()) / 8, 0, 1)], abs=1e-3)
    light = "e => getComputedStyle(e).backgroundColor"
    likely, unlikely = (page.locator(".live-token").nth(int(i)).evaluate(light) for i in (1, np.argmax(surprise)))
    assert likely != unlikely


def test_no_chip_grows_when_its_number_changes(mount):
    page = mount(explorer(token=5), 1280)
    boxes = "all => all.map((e) => { const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })"
    before = page.locator(".live-token").evaluate_all(boxes)
    for key in ("Home", "End"):
        slide(page, "temperature τ", key)
        assert page.locator(".live-token").evaluate_all(boxes) == before


def test_it_reads_once_up_to_where_it_opens_and_on_from_there(mount):
    page = mount(explorer(token=2), reduced_motion="no-preference")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Read").wait_for(timeout=9000)
    chosen = "all => all.findIndex((e) => e.ariaPressed === 'true')"
    assert page.locator(".live-token").evaluate_all(chosen) == 2
    press(page, "Read")
    page.wait_for_function("document.querySelectorAll('.live-token')[4].ariaPressed === 'true'")
    press(page, "Pause")
    assert page.locator(".live-token").evaluate_all(chosen) >= 4


def test_pressing_pause_during_the_first_reading_pauses(mount):
    page = mount(explorer(token=5), reduced_motion="no-preference")
    page.get_by_role("button", name="Pause").wait_for()
    press(page, "Pause")
    assert page.get_by_role("button", name="Read").count() == 1


def test_arrow_keys_lead_through_the_tokens_and_tab_stops_once(mount):
    page = mount(explorer())
    tokens = page.locator(".live-token")
    tokens.nth(0).focus()
    for key, chosen in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        pressed = tokens.evaluate_all("all => all.map((e) => e.ariaPressed)")
        assert pressed.index("true") == chosen and pressed.count("true") == 1
        assert tokens.nth(chosen).evaluate("e => e === document.activeElement")
        assert tokens.evaluate_all("all => all.filter((e) => e.tabIndex === 0).length") == 1
