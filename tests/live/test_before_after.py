"""BeforeAfter: what the kernel answers, what travels to the page, and what a reader sees of the policies."""

import gzip
import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_checks import javascript, number, press, status
from test_twin_gpt2 import BROWSER

from ppo_helpers.live import BeforeAfter, page_model
from ppo_helpers.live.base import HOME
from ppo_helpers.measured import page_models

NAMES = ["before", "with a price", "without"]
PROMPTS = ["The food at the restaurant was", "My new phone"]
WORDS = {"alt": "Three answers to one prompt.", "caption": "The same dice, three policies."}


def answer(prompt, seed):
    """Three answers whose numbers tell prompt and seed apart."""
    kinds = [(6, 0.0, 0.3), (8, 0.3, 1.2), (16, 4.0, 1.4)]
    return [
        {"pieces": [f" w{i}" for i in range(n)], "kl": [kl] * n, "score": score + seed / 10 + len(prompt) / 1000 - 0.03}
        for n, kl, score in kinds
    ]


def figure(**change):
    return BeforeAfter(answer, **({"names": NAMES, "prompts": PROMPTS} | WORDS | change))


COUNTS = {"": -0.01, "good": 1.0, "great": 1.0, "bad": -1.0, "constructor": 0.5}
GOOD = {"good", "great", "nice", "i"}  # words that the models use
COUNTED = {"pieces": [" good", " food", ",", " bad"], "kl": [0.5, 0.0, -0.25, 0.5], "score": -0.03,
           "rewards": [0.99, -0.01, 0.0, -1.01]}  # fmt: skip


def two(prompt, seed):
    return [
        {"pieces": [" fine", "."], "kl": [0.0, 0.0], "score": -0.01 - seed, "rewards": [-0.01 - seed, 0.0]},
        COUNTED,
    ]


def counting(**change):
    return BeforeAfter(two, ["before", "after"], **({"prompts": PROMPTS, "counts": COUNTS, "seed": 1} | WORDS | change))


def extreme():
    """Long words, line ends, the end of a text, and numbers far from each other."""
    pieces = [" counterrevolutionaries", "\n", "<|endoftext|>"]
    texts = [{"pieces": pieces * 3, "kl": [-40.0, 0.0, 60.0] * 3, "score": score} for score in (-9.99, 0.0, 9.99)]
    return BeforeAfter(lambda *_: texts, NAMES, PROMPTS, beta=0.4, **WORDS)


def examples():
    return [figure(), extreme(), counting()]


# ---- what Python answers ----


def ask(shown, **question):
    said = []
    shown.send = said.append
    shown._answer(shown, {"number": 3, **question}, [])
    assert said[0].pop("number") == 3
    return said[0]


def test_it_opens_with_the_first_prompt():
    shown = figure(seed=2)
    assert shown.texts == answer(PROMPTS[0], 2) and shown.prompt == PROMPTS[0]
    assert shown.first == {"prompt": PROMPTS[0], "seed": 2, "texts": shown.texts, "beta": 0.1}


def test_the_kernel_answers_any_prompt_and_seed():
    assert ask(figure(), prompt="Hello", seed=5) == {"texts": answer("Hello", 5)}


def test_what_goes_wrong_in_the_kernel_is_told():
    shown = figure()
    shown._policies = lambda prompt, seed: answer(prompt, seed)[:2]
    assert ask(shown, prompt="Hello", seed=5) == {"error": "answer must give 3 responses, got 2"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": NAMES[:2]}, "names must be 3 and prompts one or more, got 2 and 2"),
        ({"prompts": []}, "names must be 3 and prompts one or more, got 3 and 0"),
        ({"counts": COUNTS}, "names must be 2 and prompts one or more, got 3 and 2"),
        ({"beta": 0.5}, "beta must be in"),
        ({"beta": float("nan")}, "beta must be in"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"pieces": ["a"], "kl": [0.0]}, "answer must give pieces, kl and score"),
        ({"pieces": ["a"], "kl": [0.0, 1.0], "score": 0.0}, "got 2 for 1"),
        ({"pieces": [], "kl": [], "score": 0.0}, "got 0 for 0"),
        ({"pieces": ["a"], "kl": [math.nan], "score": 0.0}, "finite kl"),
        ({"pieces": ["a"], "kl": [0.0], "score": math.inf}, "finite kl"),
        ({"pieces": ["a"], "kl": [0.0], "score": 1.0, "rewards": []}, "a reward for each piece, 1 in all"),
        (
            {"pieces": ["a"], "kl": [0.0], "score": 1.0, "rewards": [0.5]},
            r"a reward for each piece, 1 in all, got \[0.5",
        ),
        ({"pieces": ["a"], "kl": [0.0], "score": 1.0, "rewards": [math.nan]}, "a reward for each piece"),
    ],
)
def test_an_answer_of_another_form_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        BeforeAfter(lambda prompt, seed: [text] * 3, NAMES, PROMPTS, **WORDS)


# ---- what travels ----


@pytest.mark.parametrize("shape", [(6, 4), (3, 128)])
def test_four_bits_keep_what_was_added_up_to_half_a_step(shape):
    rng = np.random.default_rng(0)
    start = {"m": rng.normal(size=shape).astype(np.float32), "v": rng.normal(size=5).astype(np.float32)}
    end = {name: x + 0.01 * rng.normal(size=x.shape).astype(np.float32) for name, x in start.items()}
    change = page_model.in_four_bits(start, end)
    near = page_model.changed(start, change)
    assert change["m"].nbytes == start["m"].size // 2
    step = np.abs(end["m"] - start["m"]).max(axis=1, keepdims=True) / 7
    assert (np.abs(near["m"] - end["m"]) <= 0.505 * step + 1e-6).all()
    np.testing.assert_allclose(near["v"], end["v"], atol=2e-5)


def test_what_does_not_change_stays_to_the_last_bit():
    start = {"m": np.ones((3, 4), np.float32)}
    np.testing.assert_array_equal(page_model.changed(start, page_model.in_four_bits(start, start))["m"], start["m"])


def test_what_four_bits_cost_is_written_down():
    cost = page_models() | page_models("counting")
    assert set(cost) == {"sft", "rlhf", "hacked", "counting"} and max(cost.values()) <= 0.03


def test_the_sizes_that_readers_are_told_are_those_that_travel(model_script):
    of = {
        name: len(gzip.compress((model_script.parent / f"{name}.js").read_bytes())) / 1e6 for name in page_model.SCRIPTS
    }
    one, told = of[page_model.NAME], '(?:SIZE =|size:) "([\\d.]+) MB"'
    travel = {"sentence_writer": [one], "before_after": [one + of[n] for n in (page_model.TRAINED, page_model.COUNTED)]}
    for figure, sizes in travel.items():
        found = re.findall(told, (HOME / "figures" / f"{figure}_mind.js").read_text("utf-8"))
        assert [float(size) for size in found] == pytest.approx(sizes, abs=0.06)


@pytest.fixture(scope="module")
def company():
    """The models of the page, woken in a bare engine."""
    racer = javascript("figures/before_after_mind.js", "parts/unpacked.js")
    racer.eval(BROWSER.replace("globalThis.file = value", "(globalThis.files ??= {})[name] = value"))
    for script in page_model.SCRIPTS.values():
        racer.eval(script())
    racer.eval("globalThis.answer = company(files['tiny-gpt2'], files['tiny-gpt2-trained'], {}); 0")
    counts = json.dumps({"": -0.01} | dict.fromkeys(GOOD, 1.0) | {"not": -1.0})
    racer.eval(f"globalThis.counted = company(files['tiny-gpt2'], files['tiny-gpt2-counting'], {counts}); 0")
    return racer


@pytest.fixture(scope="module")
def trained():
    """The same models in PyTorch, from the same file."""
    from safetensors.numpy import load_file

    from sweeps.policies import loaded

    change = load_file(page_model.POLICIES)
    start = {n: x.astype(np.float32) for n, x in page_model.weights().items() if n != "rows"}
    of = {name: {k.split("/", 1)[1]: x for k, x in change.items() if k.startswith(f"{name}/")} for name in
          ("sft", "rlhf", "hacked", "reward")}  # fmt: skip
    sft = page_model.changed(start, of["sft"])
    models = {"sft": sft} | {name: page_model.changed(sft, of[name]) for name in ("rlhf", "hacked", "reward")}
    return {name: loaded(w) for name, w in models.items()}, of["reward"]["head"].astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("prompt", [*PROMPTS, "Hello 🦖"])
@pytest.mark.parametrize("seed", [0, 1])
def test_kl_and_reward_are_those_of_python(company, trained, prompt, seed):
    """Python scores what the page has written."""
    import torch

    from ppo_helpers.language import load_gpt2, token_logprobs

    (models, head), (_, tokenizer) = trained, load_gpt2("tiny")
    texts = json.loads(company.eval(f"JSON.stringify(answer({json.dumps(prompt)}, {seed}))"))
    for name, text in zip(("sft", "rlhf", "hacked"), texts, strict=True):
        ids = [*tokenizer(prompt)["input_ids"], *tokens_of(tokenizer, text["pieces"])]
        row, at = torch.tensor([ids]), len(tokenizer(prompt)["input_ids"])
        with torch.no_grad():
            kl = token_logprobs(models[name], row, at) - token_logprobs(models["sft"], row, at)
            np.testing.assert_allclose(text["kl"], kl[0], atol=2e-3)
            hidden = models["reward"].base_model(row).last_hidden_state[0, -1].numpy()
        assert text["score"] == pytest.approx(float(hidden @ head[:-1] + head[-1]), abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_chapter_9_has_made_of_the_model_is_that_of_python(company, seed):
    """KL, and the points of the text; a token's are what the text gains by it."""
    import torch
    from safetensors.numpy import load_file

    from ppo_helpers.language import load_gpt2, token_logprobs
    from sweeps.policies import loaded

    start = {n: x.astype(np.float32) for n, x in page_model.weights().items() if n != "rows"}
    change = {n.removeprefix("counting/"): x for n, x in load_file(page_model.COUNTING).items()}
    models, (_, tokenizer) = [loaded(start), loaded(page_model.changed(start, change))], load_gpt2("tiny")
    prompt = tokenizer(PROMPTS[0])["input_ids"]
    texts = json.loads(company.eval(f"JSON.stringify(counted({json.dumps(PROMPTS[0])}, {seed}))"))
    assert len(texts) == 2 and all(len(text["pieces"]) <= 12 for text in texts)
    for model, text in zip(models, texts, strict=True):
        row = torch.tensor([[*prompt, *tokens_of(tokenizer, text["pieces"])]])
        with torch.no_grad():
            kl = token_logprobs(model, row, len(prompt)) - token_logprobs(models[0], row, len(prompt))
        np.testing.assert_allclose(text["kl"], kl[0], atol=2e-3)
        said = "".join(text["pieces"]).replace("<|endoftext|>", "")
        assert text["score"] == pytest.approx(points_of(said, GOOD, {"not"}))
        assert sum(text["rewards"]) == pytest.approx(text["score"])
    assert any(kl != 0 for kl in texts[1]["kl"])


def points_of(text, happy, sad):
    """Chapter 9's reader."""
    words = text.lower().replace(".", " ").replace(",", " ").replace("!", " ").split()
    return sum((word in happy) - (word in sad) - 0.01 for word in words)


def test_the_reader_of_the_tests_is_the_chapters():
    from sweeps.cells import ROOT

    cells = json.loads((ROOT / "chapters" / "09_gpt2_ratios.ipynb").read_text("utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if cell["id"] == "prompts")
    names = {}
    exec(source.split("\n\n\nmodel, tokenizer")[0], names)
    for text in ("Great food, not bad!!", "good.", "", "It was  the worst\nconstructor"):
        assert names["points"](text) == points_of(text, names["happy"].split(), names["sad"].split())


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(["good", "Bad", "great", " ", "\n", ".", ",", "!", "x", "constructor", "toString", "é"]))
)
def test_words_are_counted_as_in_python(pieces):
    text = "".join(pieces)
    split = re.sub("[.,!]", " ", text.lower()).split()
    expected = sum(COUNTS.get(word, 0) + COUNTS[""] for word in split)
    assert COUNTER.call("count", text) == pytest.approx(expected)


COUNTER = javascript("figures/before_after_casts.js")
COUNTER.eval(f"const count = pointsBy({json.dumps(COUNTS)});")


def tokens_of(tokenizer, pieces):
    """One id each: none of these texts has a token that is only a part of a character."""
    ids = [tokenizer(piece)["input_ids"] for piece in pieces]
    assert all(len(row) == 1 for row in ids)
    return [row[0] for row in ids]


@pytest.mark.slow
def test_the_same_dice_are_rolled_for_all_and_the_story_of_the_chapter_is_told(company):
    """Over 12 texts the hacked policy earns more than the one at a price, which earns more than the one before."""
    prompts = json.dumps(["The food at the restaurant was", "The movie I watched last night", "Customer support"])
    texts = json.loads(
        company.eval(f"JSON.stringify({prompts}.flatMap((p) => [...Array(4).keys()].map((s) => answer(p, s))))")
    )
    score = np.mean([[text["score"] for text in three] for three in texts], axis=0)
    kl = np.mean([[sum(text["kl"]) for text in three] for three in texts], axis=0)
    assert score[0] < score[1] - 0.3 and score[1] < score[2]
    assert kl[0] == 0 and 1 <= kl[1] <= 6 and kl[2] > 30
    worth = score - 0.1 * kl
    assert worth[1] > worth[0] > worth[2]
    assert json.loads(company.eval("JSON.stringify([answer('Hello', 3), answer('Hello', 3)])"))[0] == json.loads(
        company.eval("JSON.stringify(answer('Hello', 3))")
    )


# ---- what a reader does ----


def cards(page):
    return page.locator(".live-answer").all_text_contents()


def settled(page):
    page.wait_for_function(
        "![...document.querySelectorAll('button')].find((e) => e.textContent === 'Roll dice').disabled"
    )


def test_the_cards_say_what_a_text_is_worth_and_the_price_decides_which_is_best(mount):
    page = mount(figure())
    sums = [0.0, 8 * 0.3, 16 * 4.0]
    for card, score, kl in zip(cards(page), (0.3, 1.2, 1.4), sums, strict=True):
        assert number(score, 2) in card and number(kl, 2) in card and number(score - 0.1 * kl, 2) in card
    assert page.locator(".live-answer-best b").text_content() == NAMES[1]
    assert "with a price" in status(page) and "wakes the models" in status(page)
    page.locator("input[type=range]").press("Home")  # β = 0
    assert page.locator(".live-answer-best b").text_content() == NAMES[2]
    page.locator("input[type=range]").press("End")  # β = 0.4
    assert page.locator(".live-answer-best b").text_content() == NAMES[0]  # 0.3 against 1.2 − 0.4 · 2.4
    press(page, "Reset")
    assert page.locator(".live-answer-best b").text_content() == NAMES[1]


def test_the_readers_points_fall_on_the_tokens_that_earn_them(mount):
    page = mount(counting())
    assert page.locator("input[type=range]").count() == 0  # no price of KL
    assert [number(-1.01, 2) in cards(page)[0], number(-0.03, 2) in cards(page)[1]] == [True, True]
    assert page.locator(".live-answer-best b").text_content() == "after"
    assert "By the count the best text is that of “after”: −0.03 points." in status(page)
    colors = page.locator(".live-answer").nth(1).locator(".live-rlhf-token").evaluate_all(
        "all => all.map((e) => e.style.backgroundColor)"
    )  # fmt: skip
    assert colors[0] != colors[1] != colors[3] and len({*colors}) == 4
    press(page, "Roll dice")
    page.wait_for_function("![...document.querySelectorAll('.live-answer')][0].textContent.includes('fine')")
    settled(page)
    assert status(page).endswith(" points.")  # nothing is asleep any more
    assert page.locator(".live-answer").count() == 2


def test_texts_that_are_worth_the_same_are_framed_alike(mount):
    page = mount(BeforeAfter(lambda *_: [COUNTED] * 2, ["before", "after"], PROMPTS, counts=COUNTS, **WORDS))
    assert page.locator(".live-answer-best").count() == 2
    assert "By the count the framed texts are worth the same: −0.03 points." in status(page)


def test_the_page_wakes_the_models_and_a_seed_gives_the_same_texts_again(mount, company):
    page = mount(figure())
    before = cards(page)
    press(page, "Roll dice")
    page.wait_for_function("![...document.querySelectorAll('.live-answer')][0].textContent.includes('w0')")
    settled(page)
    rolled = cards(page)
    assert rolled != before
    expected = json.loads(company.eval(f"JSON.stringify(answer({json.dumps(PROMPTS[0])}, 1))"))
    for card, text in zip(rolled, expected, strict=True):
        assert number(text["score"], 2) in card and "".join(text["pieces"][:3]) in card
    page.locator("select").select_option("1")
    settled(page)
    assert page.locator(".live-picture .live-note").text_content() == f"{PROMPTS[1]} …"
    press(page, "Reset")
    assert cards(page) == before


@pytest.mark.parametrize("words", ["", "x " * 300, "🦖 שלום", "The dog"])
def test_a_prompt_of_ones_own_is_taken_or_told_why_not(mount, words):
    page = mount(figure())
    page.locator("select").select_option("own")
    page.locator("input[type=text]").fill(words)
    press(page, "Start")
    page.wait_for_timeout(100)
    page.wait_for_function("![...document.querySelectorAll('button')].find((e) => e.textContent === 'Start').disabled")
    if words in ("", "x " * 300):
        assert "A prompt must have 1 to 48 tokens" in status(page)
    else:
        assert page.locator(".live-picture .live-note").text_content() == f"{words} …"
        assert page.locator("select").input_value() == "own"  # the list does not name another prompt
    press(page, "Reset")
    assert page.locator("select").input_value() == "0" and not page.locator("input[type=text]").is_visible()


def test_models_that_are_not_there_are_told_and_may_come_later(mount, tmp_path, model_script):
    page = mount(figure())
    link = tmp_path / f"{page_model.TRAINED}.js"
    link.unlink()
    press(page, "Roll dice")
    page.wait_for_function("/could not be loaded/.test(document.querySelector('.live-status').textContent)")
    assert page.problems and all("ERR_FILE_NOT_FOUND" in problem for problem in page.problems)
    page.problems.clear()
    link.symlink_to(model_script.parent / link.name)
    press(page, "Roll dice")
    page.wait_for_function("![...document.querySelectorAll('.live-answer')][0].textContent.includes('w0')")


def test_of_questions_that_come_too_fast_the_last_one_is_answered(mount):
    page = mount(figure())
    page.evaluate(
        """() => {
          [...document.querySelectorAll("button")].find((e) => e.textContent === "Roll dice").click();
          const select = document.querySelector("select");
          for (const value of ["0", "1"]) { select.value = value; select.dispatchEvent(new Event("change")); }
        }"""
    )
    page.wait_for_timeout(100)
    settled(page)
    assert page.locator(".live-picture .live-note").text_content() == f"{PROMPTS[1]} …"
    assert page.locator("select").input_value() == "1"


def test_what_comes_after_a_reset_is_not_shown(mount):
    page = mount(figure())
    before = cards(page)
    page.evaluate(
        """() => {
          const button = (words) => [...document.querySelectorAll("button")].find((e) => e.textContent === words);
          button("Roll dice").click();
          button("Reset").click();
        }"""
    )
    page.wait_for_timeout(100)
    settled(page)
    assert cards(page) == before
