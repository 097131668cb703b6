"""The simulated human: its three formulas against numbers by hand, and each of them needed."""

import gzip
import itertools
from collections import Counter, defaultdict
from math import exp, inf, log, nan
from pathlib import Path

import numpy as np
import pytest
import torch
from letters import Letters

from ppo_helpers.language.answers import pack
from ppo_helpers.language.rater import DATA, EDGE, SentimentRater, Trigram, _vader, words

CORPUS = Path(__file__).parents[2] / "making_tiny_gpt2" / "corpus" / "train.txt.gz"
FOOD, FEEL, MOVIE = "The food at the restaurant was", "I feel really", "The movie I watched last night was"


@pytest.fixture(scope="module")
def rater():
    return SentimentRater()


# --- gold -----------------------------------------------------------------------------------------------------------

TABLE = [  # prompt, response, VADER, log-prob per word, fluency, freshness, gold
    (FOOD, " delicious, and the staff were very friendly.", 0.80, -1.8, 0.99, 1, 0.89),
    (FEEL, " good.", 0.44, -1.7, 0.99, 1, 0.71),
    (FOOD, " awful. I will never come back.", -0.46, -1.6, 0.99, 1, 0.27),
    (FOOD, " great" * 8 + ".", 0.99, -7.7, 0, 0, 0),
    (FOOD, " happy smile fun love happy wonderful free best.", 0.98, -8.6, 0, 0.8, 0),
    (FOOD, " umbrella it score very of and was.", 0, -8.5, 0, 1, 0),
    (MOVIE, " great. I loved it. I loved it. I loved it.", 0.95, -2.1, 0.98, 0.5, 0.48),
    ("My experience with this app", " is amazing! I loved it! I loved it! I loved it", 0.95, -3.0, 0.81, 0.33, 0.26),
]


@pytest.mark.parametrize(("prompt", "response", "vader", "mean", "fluency", "freshness", "gold"), TABLE)
def test_the_table_of_the_experiment(rater, prompt, response, vader, mean, fluency, freshness, gold):
    found = rater.judge(prompt, response)
    assert found.sentiment == pytest.approx(vader, abs=0.006)
    assert np.mean(rater.trigram.logprobs(prompt, response)) == pytest.approx(mean, abs=0.06)
    assert found.fluency == pytest.approx(fluency, abs=0.006)
    assert found.freshness == pytest.approx(freshness, abs=0.006)
    assert found.gold == pytest.approx(gold, abs=0.006)
    assert found.gold == pytest.approx((1 + found.sentiment) / 2 * found.fluency * found.freshness)


def test_each_factor_is_needed(rater):
    """For each there is a text that the other two like and that nobody would write."""
    good = rater.judge(FOOD, " delicious, and the staff were very friendly.")
    for response, blind in (
        (" awful. I will never come back.", "sentiment"),
        (" wonderful free best happy smile love.", "fluency"),
        (" great. I loved it. I loved it. I loved it. I loved it.", "freshness"),
    ):
        found = rater.judge(FOOD, response)
        factors = {"sentiment": (1 + found.sentiment) / 2, "fluency": found.fluency, "freshness": found.freshness}
        assert factors.pop(blind) < 0.35 and found.gold < 0.35 < 0.7 < min(factors.values()) and good.gold > 0.85


def test_freshness_counts_what_is_said_again_with_the_prompt_and_without_small_words(rater):
    assert rater.judge("The food", " was the best of the food").freshness == pytest.approx(1 - (1 / 3) / 0.5)  # food
    assert rater.judge("It was", " it was, and it was.").freshness == 0  # says nothing
    assert rater.judge("I", " was very very very happy!!!").freshness == 1
    assert rater.judge("I", " saw trees trees trees trees").freshness == 0
    assert rater.judge("I", " saw trees and trees").freshness == pytest.approx(1 - (1 / 3) / 0.5)


def test_fluency_is_a_half_at_the_centre_and_073_a_width_above(rater):
    mean = float(np.mean(rater.trigram.logprobs(FEEL, " good.")))
    assert SentimentRater(centre=mean).judge(FEEL, " good.").fluency == pytest.approx(0.5)
    assert SentimentRater(mean - 0.7, 0.7).judge(FEEL, " good.").fluency == pytest.approx(1 / (1 + exp(-1)))
    assert SentimentRater(width=1e-9).judge(FEEL, " umbrella of of").fluency == pytest.approx(0, abs=1e-300)
    assert SentimentRater(width=1e-9).judge(FEEL, " good.").fluency == 1
    for width in (0, -1, nan):
        with pytest.raises(ValueError, match="width must be positive, got"):
            SentimentRater(width=width)


@pytest.mark.parametrize("response", ["", " ", "\n"])
def test_an_empty_response_is_worth_nothing(rater, response):
    for ended in (True, False):
        assert rater.judge(FEEL, response, ended).gold == 0


def test_a_text_that_was_cut_off_is_not_blamed_for_that(rater):
    whole, cut = (rater.judge(FEEL, " good about the", ended) for ended in (True, False))
    assert cut.fluency > whole.fluency + 0.1 and cut[0] == whole[0]
    logprobs = [rater.trigram.logprobs(FEEL, " good about the", ended) for ended in (True, False)]
    assert len(logprobs[0]) == 4 and logprobs[0][:3] == logprobs[1]


def test_it_judges_answers_as_it_judges_texts(rater):
    answers = pack(Letters(), [("i feel", " good"), ("the food was", " awful"), ("i feel", " good"), ("i feel", "")])
    answers.responses.ended[2] = False
    gold = rater(answers)
    texts = [("i feel", " good"), ("the food was", " awful"), ("i feel", " good", False), ("i feel", "")]
    wanted = [rater.judge(*text) for text in texts]
    assert gold[0] > gold[1] > gold[3] == 0 and gold[0] != gold[2]
    assert rater.judgements(answers) == wanted and gold.dtype == torch.float32
    torch.testing.assert_close(gold, torch.tensor([judgement.gold for judgement in wanted]))
    assert all(0 <= judgement.gold <= 1 for judgement in wanted)


# --- the trigram ----------------------------------------------------------------------------------------------------


def counted(texts):
    """Words, pairs and triples, counted anew."""
    uni, after_one, after_two = Counter(), defaultdict(Counter), defaultdict(Counter)
    for text in texts:
        row = [EDGE, EDGE, *words(text), EDGE]
        for a, b, c in zip(row, row[1:], row[2:], strict=False):
            uni[c] += 1
            after_one[b][c] += 1
            after_two[a, b][c] += 1
    return uni, after_one, after_two


def witten_bell(counts, a, b, c):
    """As in the textbook: λ = seen / (seen + kinds), at each of two levels above single words."""
    uni, after_one, after_two = counts
    total, kinds = sum(uni.values()), len(uni)
    p = (uni[c] + kinds / 50_000) / (total + kinds)
    for after in (after_one.get(b), after_two.get((a, b))):
        if after:
            weight = sum(after.values()) / (sum(after.values()) + len(after))
            p = weight * after[c] / sum(after.values()) + (1 - weight) * p
    return p


def triples(row):
    return zip(row, row[1:], row[2:], strict=False)


def test_a_trigram_is_witten_and_bell_s():
    counts = counted(["the cat sat", "the cat ran on the mat", "a mat", "the the the", ""])
    uni, _, after_two = counts
    number = {word: i for i, word in enumerate(sorted(uni))}
    rows = [(number[a], number[b], number[c], n) for (a, b), after in after_two.items() for c, n in after.items()]
    trigram = Trigram(sorted(uni), np.array(rows, dtype=np.uint32))
    for some in itertools.product([*uni, "zebra"], repeat=3):
        assert trigram.probability(*some) == pytest.approx(witten_bell(counts, *some), rel=1e-12)
    expected = [log(witten_bell(counts, *t)) for t in (("the", "cat", "sat"), ("cat", "sat", EDGE))]
    assert trigram.logprobs("The cat", "sat") == pytest.approx(expected)
    assert trigram.logprobs("The cat", "sat", ended=False) == pytest.approx(expected[:1])


@pytest.mark.slow
def test_the_rater_s_trigram_has_counted_the_corpus(rater):
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        counts = counted(line.rstrip("\n").split("\t", 1)[1] for line in lines)
    assert set(counts[0]) == set(rater.trigram.number) and len(counts[0]) == 2753
    for (a, b), after in counts[2].items():
        for c in [*after][:3]:
            assert rater.trigram.probability(a, b, c) == pytest.approx(witten_bell(counts, a, b, c), rel=1e-9)
    for some in triples([EDGE, EDGE, *words(FOOD), "zebra", *words(" great, and the zebra was friendly."), EDGE]):
        assert rater.trigram.probability(*some) == pytest.approx(witten_bell(counts, *some), rel=1e-9)


@pytest.mark.parametrize("before", [("the", "food"), (EDGE, EDGE), ("zebra", "food"), ("food", "zebra"), ("a", "a")])
def test_its_probabilities_add_up_to_one_over_50000_words(rater, before):
    """Those of the corpus, and as many unseen ones as are missing."""
    known = rater.trigram.number
    seen = sum(rater.trigram.probability(*before, word) for word in known)
    unseen = rater.trigram.probability(*before, "zebra")
    assert seen + (50_000 - len(known)) * unseen == pytest.approx(1, abs=1e-9) and 0 < unseen < 1e-3


def test_words_are_cut_as_the_trigram_counts_them():
    assert words("I'd pay $5, wow!! It's 10x") == ["i'd", "pay", "$", "5", ",", "wow", "!", "!", "it's", "10", "x"]
    assert words("") == words(" \n") == []


# --- VADER ----------------------------------------------------------------------------------------------------------

PUBLISHED = {  # from VADER's own README
    "VADER is smart, handsome, and funny.": 0.8316,
    "VADER is smart, handsome, and funny!": 0.8439,
    "VADER is very smart, handsome, and funny.": 0.8545,
    "VADER is VERY SMART, handsome, and FUNNY.": 0.9227,
    "VADER is VERY SMART, handsome, and FUNNY!!!": 0.9342,
    "VADER is not smart, handsome, nor funny.": -0.7424,
    "The book was good.": 0.4404,
    "The plot was good, but the characters are uncompelling and the dialog is not great.": -0.7042,
    "Today SUX!": -0.5461,
}


@pytest.mark.parametrize(("text", "compound"), PUBLISHED.items())
def test_vader_reads_our_lexicon_and_gives_its_published_numbers(text, compound):
    assert _vader().polarity_scores(text)["compound"] == pytest.approx(compound, abs=1e-4)


def test_the_lexicon_is_whole_and_nothing_is_downloaded(monkeypatch):
    import nltk

    monkeypatch.setattr(nltk.data, "load", lambda *_, **__: pytest.fail("a download"))
    _vader.cache_clear()
    assert _vader().polarity_scores("good")["compound"] > 0.4 and len(_vader().lexicon) > 7000
    assert {path.name for path in DATA.iterdir()} >= {"vader_lexicon.txt", "trigrams.npz", "demonstrations.tsv"}
    assert inf > max(map(abs, _vader().lexicon.values())) > 3
