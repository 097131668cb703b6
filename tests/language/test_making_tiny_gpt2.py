"""How the small GPT-2 was made: the corpus is what its README says, a short training works and is exported whole."""

import random
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from making_tiny_gpt2 import corpus, grammar, stems, teacher, train
from making_tiny_gpt2.corpus import Sample, Sieve

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = {"n_embd": 8, "n_layer": 1, "n_head": 2}


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(corpus.TOKENIZER)


@pytest.fixture(scope="module")
def held_out():
    return corpus.read("val")


@pytest.fixture(scope="module")
def reviews(tokenizer, held_out):
    return train.encode(tokenizer, [text for _, text in held_out[:300]])


# ---- grammar and corpus


def test_the_corpus_has_the_reviews_that_its_readme_counts(held_out):
    learned = corpus.read("train")
    assert (len(learned), len(held_out)) == (129_391, 3_317)
    assert Counter(source for source, _ in learned + held_out) == {"g": 60_000, "s": 72_708}
    assert not {text for _, text in learned} & {text for _, text in held_out}
    readme = (Path(corpus.__file__).parent / "README.md").read_text("utf-8")
    assert all(count in readme for count in ("129,391", "3,317", "60,000", "72,708"))


def test_the_grammar_begins_as_it_always_did():
    rng = random.Random(7)
    assert [grammar.review(rng) for _ in range(3)] == [
        (
            "The food at the restaurant was tasty, and the waiter was kind and helpful! I will definitely come back.",
            "positive",
        ),
        ("Customer support helped me install the update.", "neutral"),
        ("The drinks at the hotel were worth the price. I liked the atmosphere.", "positive"),
    ]


def test_the_corpus_holds_what_the_grammar_writes(held_out):
    shipped = {text for source, text in corpus.read("train") + held_out if source == "g"}
    assert set(corpus.grammar_reviews(3_000, random.Random(corpus.SEED))) <= shipped


def test_every_slot_of_the_grammar_is_filled():
    rng = random.Random(0)
    texts, polarities = zip(*(grammar.review(rng) for _ in range(3_000)), strict=True)
    assert not any(set("{}") & set(text) for text in texts)
    assert all(text[0].isupper() and text[-1] in ".!" for text in texts)
    shares = {polarity: count / 3_000 for polarity, count in Counter(polarities).items()}
    assert shares == pytest.approx({"positive": 0.35, "negative": 0.35, "neutral": 0.15, "mixed": 0.15}, abs=0.03)


# ---- the filters

GOOD = "The soup was hot and the waiter was kind."
TAKEN = "The bed was soft and the room was clean."
KNOWN = set(
    f"{GOOD} {TAKEN} very was drunk this list of reviews a long barber bank at".replace(".", "").lower().split()
)


def sieve(rating=0.0):
    return Sieve(KNOWN, {TAKEN}, lambda text: rating)


def sample(text=GOOD, asked="mixed", stem="", logprob=-1.0, early=False):
    return Sample(asked, stem, text, logprob, early)


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        ("length", sample("The soup was hot.")),
        ("length", sample("The soup was hot and " * 8 + "kind.")),
        ("no clean end", sample("The soup was hot and the waiter")),
        ("characters", sample("The soup was hot & the waiter was kind.")),
        ("characters", sample("The soup was hot ,and the waiter was kind.")),
        ("sentence without a capital", sample("the soup was hot and clean.")),
        ("sentence without a capital", sample("The soup was hot. and the waiter was kind.")),
        ("capital inside (a name?)", sample("The soup was hot and Waldo was kind.")),
        ("blocked word", sample("The soup was hot and the waiter was drunk.")),
        ("single letter", sample("The soup was hot and the waiter was k.")),
        ("repetition", sample("The soup was very very hot and clean.")),
        ("repetition", sample("The soup was kind and kind and the bed was clean.")),
        ("repetition", sample("The waiter was hot, the waiter was kind.")),
        ("about reviews", sample("This is a list of reviews and the soup was hot.")),
        ("unlikely", sample(logprob=-2.36)),
        ("odd stem", sample("The barber at the bank was kind.", stem="The barber at the bank was", early=True)),
        ("odd stem", sample("We stayed at the bank and the bed was soft.")),
        ("rare word", sample("The soup was hot and the waiter was flabbergasted.")),
        ("duplicate", sample(TAKEN)),
    ],
)
def test_a_bad_review_is_refused_for_its_reason(reason, refused):
    assert sieve().reason_against(refused) == reason


@pytest.mark.parametrize(
    ("asked", "rating"), [("positive", -0.1), ("negative", 0.4), ("neutral", 0.8), ("neutral", -0.8)]
)
def test_a_review_of_another_polarity_is_refused(asked, rating):
    assert sieve(rating).reason_against(sample(asked=asked)) == "wrong polarity"
    assert sieve(rating).reason_against(sample(asked="mixed")) is None


def test_a_good_review_is_kept_once():
    strict = sieve()
    assert strict.reason_against(sample()) is None
    assert strict.reason_against(sample(GOOD.replace(".", "!"))) == "duplicate"
    short = sample("The soup was very hot.", logprob=-2.45)  # five words, which have more leave
    assert sieve().reason_against(short) is None
    assert sieve().reason_against(sample("The barber at the bank was kind.", stem="The barber at the bank was")) is None


def test_reviews_that_start_alike_are_kept_eight_times():
    lenient = Sieve({*KNOWN, *(f"{letter}ot" for letter in "abcdefghij")}, set(), lambda text: 0.0)
    alike = [sample(f"The soup was hot and the {letter}ot was kind.") for letter in "abcdefghij"]
    assert [lenient.reason_against(review) for review in alike] == [None] * 8 + ["near duplicate"] * 2


def test_positive_and_negative_reviews_are_balanced():
    ratings = {"a": 0.9, "b": 0.5, "c": 0.05, "d": -0.05, "e": 0.0, "f": 0.04}
    kept = corpus.balance(list(ratings), ratings.get, random.Random(0))
    assert Counter(corpus.label(ratings[text]) for text in kept) == {"positive": 1, "negative": 1, "neutral": 2}


def test_a_corpus_of_the_same_text_is_not_written_again(tmp_path):
    path, documents = tmp_path / "val.txt.gz", [("g", "The menu was full of clichés."), ("s", GOOD)]
    assert [corpus.write(documents, path), corpus.write(documents, path)] == [True, False]
    assert corpus.read("val", tmp_path) == documents


# ---- the teacher


def test_stems_agree_in_number():
    rng = random.Random(0)
    drawn = [stems.draw_stem(rng) for _ in range(20_000)]
    assert drawn.count("") / 20_000 == pytest.approx(0.22, abs=0.03)
    assert {"These boots", "This dress", "The fries were", "The staff were", "The series was"} <= set(drawn)
    assert not any(set("{}") & set(stem) for stem in drawn)


@pytest.fixture
def babbler(tokenizer):
    """A random Llama that ends a review after a few words, since it knows only four tokens."""
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": train.END, "eos_token_id": train.END}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=train.TOKENS, max_position_embeddings=512, **shape, **ends))
    talker = teacher.Teacher(model, AutoTokenizer.from_pretrained(corpus.TOKENIZER))
    talker.allowed = torch.tensor([talker.newline, *tokenizer(" the food was").input_ids])
    return talker


@pytest.mark.slow
def test_the_teacher_may_use_plain_words_only(tokenizer):
    allowed = {tokenizer.decode([token]) for token in teacher.allowed_tokens(tokenizer).tolist()}
    assert {"\n", " food", "The", " I", ".", "'t", ","} <= allowed
    assert not {"1", '"', " HTML", "<", "\n\n", "é"} & allowed


@pytest.mark.slow
def test_the_teacher_goes_on_with_its_stem(babbler):
    rows = list(teacher.draw(babbler, rounds=1, count=16, seed=3))
    assert 8 <= len(rows) <= 16
    for row in rows:
        assert row["pol"] == "negative" and row["text"].startswith(row["stem"])
        assert set(row["text"].removeprefix(row["stem"]).split()) <= {"the", "food", "was"}


@pytest.mark.slow
def test_the_teachers_logprobs_are_those_of_the_text_alone(babbler):
    """Without padding and without a cache, among the allowed tokens."""
    prompts = ["- The soup at the noodle bar was", "- The"]
    tokens, logprobs = babbler._continue(prompts)
    for prompt, written, claimed in zip(prompts, tokens, logprobs, strict=True):
        before = babbler.tokenizer(prompt).input_ids
        length = written.index(babbler.newline) + 1
        with torch.no_grad():
            logits = babbler.model(torch.tensor([before + written[:length]])).logits[0, len(before) - 1 : -1]
        among = logits[:, babbler.allowed].log_softmax(-1)
        places = [babbler.allowed.tolist().index(token) for token in written[:length]]
        assert claimed[:length] == pytest.approx(among[range(length), places].tolist(), abs=1e-4)


# ---- training


def test_batches_hold_every_review_exactly_once(reviews):
    generator = torch.Generator().manual_seed(0)
    rows = [row[row != train.IGNORED].tolist() for batch in train.batches(reviews, generator) for row in batch]
    led = [row[0] == train.END for row in rows]
    unled = [tuple(row[1:] if lead else row) for row, lead in zip(rows, led, strict=True)]
    assert Counter(unled) == Counter(map(tuple, reviews))
    assert sum(led) / len(led) == pytest.approx(train.LEADING_END, abs=0.1)


def test_batches_hardly_need_padding(reviews):
    stacked = list(train.batches(reviews * 20, torch.Generator().manual_seed(0)))
    padding = sum(int((batch == train.IGNORED).sum()) for batch in stacked) / sum(batch.numel() for batch in stacked)
    assert padding < 0.1
    assert {len(batch) for batch in stacked[:-1]} <= {train.BATCH, len(reviews) * 20 % train.BATCH}


def test_the_learning_rate_warms_up_and_falls_to_a_fiftieth():
    rates = [train.learning_rate(step, 10_000) for step in range(10_001)]
    assert rates[0] == pytest.approx(0.004 / 150)
    assert max(rates) == rates[149] == pytest.approx(0.004, rel=1e-3)
    assert rates[-1] == pytest.approx(0.02 * 0.004)


@pytest.mark.slow
def test_a_short_training_lowers_the_loss_and_repeats_itself(reviews):
    vocabulary = train.Vocabulary.compact(reviews)
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        model = train.new_model(len(vocabulary.bias), n_embd=64, n_layer=1, n_head=2)
        before = train.evaluate(model, vocabulary, {"g": reviews[:50]})["all"]
        runs.append(train.train(model, vocabulary, reviews[:50], {}, steps=20, seed=1).losses)
    assert len(runs[0]) == 20 and runs[0] == runs[1]
    assert train.evaluate(model, vocabulary, {"g": reviews[:50]})["all"] < before - 0.5


@pytest.fixture
def trained(reviews):
    """A compact model with large weights, so that its predictions are far from even."""
    torch.manual_seed(0)
    vocabulary = train.Vocabulary.compact(reviews)
    model = train.new_model(len(vocabulary.bias), **TINY).eval()
    with torch.no_grad():
        model.transformer.wte.weight.normal_()
    return model, vocabulary


def test_the_exported_model_has_the_compact_models_logprobs(trained, reviews):
    model, vocabulary = trained
    train.scale_shared_row(model)
    full, batch = train.expand(model, vocabulary), train.padded(reviews[:20])
    with torch.no_grad():
        compact = train.losses(model, vocabulary, batch)
        torch.testing.assert_close(train.losses(full, vocabulary.whole(), batch), compact, rtol=1e-4, atol=1e-4)
        logits = full(batch.clamp(min=0)).logits[:, :-1]  # and once more by transformers alone
    targets = torch.where(vocabulary.targets(batch) >= 0, batch, train.IGNORED)[:, 1:]
    plain = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    torch.testing.assert_close(plain[targets.flatten() != train.IGNORED], compact, rtol=1e-4, atol=1e-4)
    assert len(full.transformer.wte.weight[~vocabulary.trained].unique(dim=0)) == 1


@pytest.mark.slow
def test_what_is_written_is_what_was_trained(trained, reviews, tmp_path):
    model, vocabulary = trained
    train.save(train.expand(model, vocabulary), corpus.TOKENIZER, tmp_path)
    train.check_export(model, vocabulary, {"g": reviews[:20]}, tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path)(" wonderful").input_ids == [7932]
    with torch.no_grad():
        model.transformer.wte.weight[:-1] *= 1.1
    with pytest.raises(ValueError, match="must have the trained model's loss"):
        train.check_export(model, vocabulary, {"g": reviews[:20]}, tmp_path)
