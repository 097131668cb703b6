"""SentenceWriter: what Python answers, what it refuses, and what a reader does with the model of the page."""

import json

import numpy as np
import pytest
import traitlets
from live_checks import fact, press, status

from ppo_helpers.live import SentenceWriter
from ppo_helpers.live.tokens import KEPT, kept_row

VOCABULARY = 50257
PROMPT = {464: "The", 2057: " food", 379: " at", 262: " the", 7072: " restaurant", 373: " was"}
WORDS = {"alt": "A sentence, and bars for what may come next.", "caption": "Each click writes a token."}


def scores_of(ids):
    """Scores that depend on all that was read, as a model's do."""
    return 3 * np.random.default_rng(sum(ids) + len(ids)).normal(size=VOCABULARY)


def encode(text):
    return [464, 2057, 379, 262, 7072, 373][: len(text.split())]


def decode(token):
    return PROMPT.get(token, f" w{token}")


def writer(**change):
    options = {"prompt": "The food at the restaurant was", "context": 64, "end": 50256} | WORDS | change
    scores = options.pop("scores", scores_of)
    return SentenceWriter(scores, encode, decode, **options)


def long():
    """A text that fills what the model reads, of long words, with a line end and a part of a character."""
    figure = writer()
    words = [" counterrevolutionaries", "\n", "<0xF0>", " a"]
    written = [{"id": 3, "piece": words[i % 4], "logprob": -float(i)} for i in range(58)]
    figure.tokens = [*figure.tokens, *written]
    return figure


def cut():
    figure = writer()
    figure.temperature, figure.top_k = 0.3, 3
    return figure


def examples():
    return [writer(), cut(), long()]


# ---- what Python answers ----


def ask(figure, **question):
    """The kernel's answer to a question of the page."""
    said = []
    figure.send = said.append
    figure._answer(figure, {"number": 7, **question}, [])
    assert said[0].pop("number") == 7
    return said[0]


def test_it_opens_with_the_prompt_and_what_may_follow():
    figure = writer()
    assert [token["piece"] for token in figure.tokens] == list(PROMPT.values())
    assert {token["logprob"] for token in figure.tokens} == {None}
    assert figure.row == kept_row(scores_of(list(PROMPT)), None, decode)
    assert figure.first == {"prompt": figure.prompt, "tokens": figure.tokens, "row": figure.row}


def test_the_kernel_answers_with_the_row_after_any_ids():
    assert ask(writer(), ids=[1, 2]) == {"row": kept_row(scores_of([1, 2]), None, decode)}


def test_the_kernel_begins_anew_with_another_text():
    answer = ask(writer(), text="The food")
    assert [token["id"] for token in answer["tokens"]] == [464, 2057]
    assert answer["row"] == kept_row(scores_of([464, 2057]), None, decode)


@pytest.mark.parametrize(("text", "got"), [("", 0), ("a b c", 3), ("a b c d e f", 6)])
def test_a_text_that_does_not_fit_is_told(text, got):
    figure = writer(prompt="one two", context=3)
    assert ask(figure, text=text) == {"error": f"prompt must have 1 to 2 tokens, got {got}"}


def test_whatever_goes_wrong_in_the_kernel_is_told():
    def broken(ids):
        if len(ids) > 6:
            raise RuntimeError("out of memory")
        return scores_of(ids)

    assert ask(writer(scores=broken), ids=[1] * 7) == {"error": "RuntimeError: out of memory"}


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, KEPT + 1), (0.5, KEPT + 1), (1.5, 4), (1.0, 1)])
def test_the_kernel_draws_from_the_softmax_as_it_is_cut(temperature, top_k):
    """Of four tokens that share nearly all, each is drawn as often as it should be, within four standard errors."""
    likely = np.array([2.0, 1.5, 1.0, 0.0])
    scores = np.full(40, -30.0)
    scores[[7, 3, 20, 31]] = likely
    figure = writer(scores=lambda ids: scores)
    drawn = [ask(figure, ids=[1], draw={"temperature": temperature, "top_k": top_k})["token"] for _ in range(3000)]
    probs = np.exp(likely / temperature) * (np.arange(4) < top_k)
    probs /= probs.sum()
    for token, p in zip([7, 3, 20, 31], probs, strict=True):
        found = [t for t in drawn if t["id"] == token]
        assert abs(len(found) / 3000 - p) <= 4 * np.sqrt(p * (1 - p) / 3000)
        assert all(t["logprob"] == pytest.approx(np.log(p), abs=1e-6) for t in found)


def test_a_drawn_token_comes_with_what_may_follow_it():
    answer = ask(writer(), ids=[1, 2], draw={"temperature": 1.0, "top_k": 1})
    token = int(scores_of([1, 2]).argmax())
    assert answer["token"] == {"id": token, "piece": decode(token), "logprob": 0.0}
    assert answer["row"] == kept_row(scores_of([1, 2, token]), None, decode)


@pytest.mark.parametrize("bad", [np.zeros(KEPT), np.zeros((1, 40)), np.full(40, np.nan), np.full(40, -np.inf)])
def test_scores_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="scores must give"):
        writer(scores=lambda ids: bad)


def test_scores_are_not_changed():
    scores = np.zeros(40)
    ask(writer(scores=lambda ids: scores), ids=[1], draw={"temperature": 0.5, "top_k": 2})
    assert (scores == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "prompt must have 1 to 63 tokens, got 0"),
        ({"context": 6}, "prompt must have 1 to 5 tokens, got 6"),
        ({"context": 1}, "context must be at least 2, got 1"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        writer(**change)


@pytest.mark.parametrize("temperature", [0.0, 2.1, float("nan")])
def test_a_temperature_out_of_bounds_is_refused(temperature):
    with pytest.raises((ValueError, traitlets.TraitError), match="temperature must be in"):
        writer().temperature = temperature


# ---- what a reader does ----


def text(page):
    return page.locator(".live-writing").text_content()


def settled(page, tokens):
    """Waits until so many tokens were written."""
    page.wait_for_function(f"document.querySelectorAll('.live-writing mark').length === {tokens}")
    page.wait_for_function("![...document.querySelectorAll('button')].find((e) => e.textContent === 'Start').disabled")


def test_a_click_on_a_bar_writes_its_token_with_its_log_probability(mount):
    figure = writer()
    page = mount(figure)
    assert "wakes the model (2.5 MB)" in status(page)
    logprobs = np.array(figure.row["logits"]) - np.logaddexp.reduce([*figure.row["logits"], figure.row["others"][9]])
    page.locator(".live-chance-pick").nth(1).click()
    settled(page, 1)
    assert text(page) == "The food at the restaurant was" + figure.row["pieces"][1]
    assert fact(page, "log-prob of the last token") == pytest.approx(logprobs[1], abs=6e-4)
    assert fact(page, "log-prob of all 1 written") == pytest.approx(logprobs[1], abs=6e-4)


def test_the_page_wakes_the_bundled_model_and_writes_with_it(mount):
    """From the first token on the bars are those of the model, not of the test's own scores."""
    import torch

    from ppo_helpers.language import load_gpt2, token_text

    model, tokenizer = load_gpt2("tiny")
    page = mount(writer())
    page.locator("input[type=text]").fill("I really liked the")
    press(page, "Start")
    page.wait_for_function("document.querySelector('.live-writing').textContent === 'I really liked the'")
    with torch.no_grad():
        logits = model(**tokenizer("I really liked the", return_tensors="pt")).logits[0, -1]
    top = logits.softmax(-1).topk(KEPT)
    names = page.locator(".live-chance-pick .live-chance-word").all_text_contents()
    assert [name.replace("·", " ") for name in names] == [token_text(tokenizer, i) for i in top.indices.tolist()]
    shown = [
        float(n.replace("<\xa0", "")) for n in page.locator(".live-chance-pick .live-chance-number").all_text_contents()
    ]
    np.testing.assert_allclose(shown, top.values, atol=1e-3)


def test_dice_undo_and_reset(mount):
    page = mount(writer())
    for tokens in (1, 2, 3):
        press(page, "Roll dice")
        settled(page, tokens)
    three, total = text(page), fact(page, "log-prob of all 3 written")
    assert three.startswith("The food at the restaurant was") and total <= 0
    press(page, "Undo")
    settled(page, 2)
    assert three.startswith(text(page)) and fact(page, "log-prob of all 2 written") >= total
    press(page, "Reset")
    settled(page, 0)
    assert text(page) == "The food at the restaurant was"
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_it_writes_on_until_it_is_stopped_or_the_text_ends(mount):
    page = mount(writer(), reduced_motion="no-preference")
    press(page, "Write on")
    page.wait_for_function("document.querySelectorAll('.live-writing mark').length >= 3")
    press(page, "Reset")
    page.wait_for_timeout(700)
    assert page.locator(".live-writing mark").count() == 0  # what was on its way came too late
    page.locator("input[type=range]").first.press("Home")  # nearly greedy: it ends soon
    press(page, "Write on")
    page.wait_for_function(
        "/ends the text|That is all/.test(document.querySelector('.live-status').textContent)", timeout=60_000
    )
    assert page.get_by_role("button", name="Roll dice").is_disabled()
    assert page.locator(".live-chance-pick:enabled").count() == 0
    press(page, "Undo")
    page.wait_for_function("!document.querySelector('.live-chance-pick').disabled")


@pytest.mark.parametrize("act", ["Undo", "Roll dice", "Start", "a bar"])
def test_who_acts_by_hand_ends_the_run(mount, act):
    page = mount(writer(), reduced_motion="no-preference")
    press(page, "Write on")
    page.wait_for_function("document.querySelectorAll('.live-writing mark').length >= 2")
    bar = page.locator(".live-chance-pick:enabled").first
    bar.click() if act == "a bar" else press(page, act)  # both wait until no answer is awaited
    page.wait_for_function("!document.querySelector('.live-chance-pick').disabled")
    assert page.get_by_role("button", name="Write on").count() == 1
    written = text(page)
    page.wait_for_timeout(700)
    assert text(page) == written


@pytest.mark.parametrize("words", ["", "🦖 שלום 你好", "x" * 10_000, "\u202e\u0000\ud7ff", "<|endoftext|>"])
def test_any_beginning_is_taken_or_told_why_not(mount, words):
    page = mount(writer())
    page.locator("input[type=text]").fill(words)
    press(page, "Start")
    page.wait_for_function("![...document.querySelectorAll('button')].find((e) => e.textContent === 'Start').disabled")
    if words in ("", "x" * 10_000):
        assert "A beginning must have 1 to 63 tokens: this one has" in status(page)
        assert text(page) == "The food at the restaurant was"
    else:
        assert text(page) != "The food at the restaurant was" and "wakes" not in status(page)
    press(page, "Roll dice")
    settled(page, 1)


def test_what_comes_after_a_reset_is_not_written(mount):
    """The model wakes while the reader has gone back already: the token was drawn for another text."""
    page = mount(writer())
    page.locator("input[type=text]").fill("I really liked the")
    page.evaluate("""() => {
      const button = (words) => [...document.querySelectorAll("button")].find((e) => e.textContent === words);
      button("Start").click();
      document.querySelector(".live-chance-pick").click(); // asked while another question is answered
    }""")
    page.wait_for_function("document.querySelector('.live-writing').textContent === 'I really liked the'")
    page.evaluate("""() => {
      const button = (words) => [...document.querySelectorAll("button")].find((e) => e.textContent === words);
      button("Roll dice").click();
      button("Reset").click();
    }""")
    page.wait_for_timeout(400)
    assert text(page) == "The food at the restaurant was"
    press(page, "Roll dice")
    settled(page, 1)


def test_a_model_that_is_not_there_is_told_and_may_come_later(mount, tmp_path, model_script):
    page = mount(writer())
    link = tmp_path / model_script.name
    link.unlink()
    press(page, "Roll dice")
    page.wait_for_function("/could not be loaded/.test(document.querySelector('.live-status').textContent)")
    assert page.problems and all("ERR_FILE_NOT_FOUND" in problem for problem in page.problems)
    page.problems.clear()
    link.symlink_to(model_script)
    press(page, "Roll dice")
    settled(page, 1)


def test_in_a_notebook_the_kernels_model_is_asked(mount):
    """A model without ``page``, whose kernel is the Python object of this test."""
    figure, page = writer(), mount(writer())
    page.expose_function("kernel", lambda question: json.dumps(ask(figure, **json.loads(question))))
    page.evaluate(
        """async (state) => {
          const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
          const { default: sentence } = await import(url);
          let hear = [];
          const watch = new Map();
          const model = { get: (name) => state[name], save_changes() {}, off() {},
            set(values) {
              Object.assign(state, values);
              for (const name in values) for (const fn of watch.get(`change:${name}`) ?? []) fn();
            },
            on(name, fn) {
              if (name === "msg:custom") hear.push(fn);
              else watch.set(name, [...(watch.get(name) ?? []), fn]);
            },
            async send({ number, ...question }) {
              const answer = JSON.parse(await kernel(JSON.stringify(question)));
              for (const fn of hear) fn({ number, ...answer });
            } };
          const el = document.createElement("div");
          document.querySelector("main").replaceChildren(el);
          sentence.render({ model, el });
        }""",
        figure.get_state() | {"layout": None},
    )
    assert "wakes" not in status(page)
    page.locator(".live-chance-pick").first.click()
    settled(page, 1)
    best = figure.row["ids"][0]
    assert text(page).endswith(decode(best))
    row = kept_row(scores_of([*PROMPT, best]), None, decode)
    names = page.locator(".live-chance-pick .live-chance-word").all_text_contents()
    assert [name.replace("·", " ") for name in names] == row["pieces"]
    press(page, "Roll dice")
    settled(page, 2)
