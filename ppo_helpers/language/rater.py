"""The human of this book is simulated: three formulas that look at one text.

It stands in for people so that every reader can ask it as often as they like, and can see where a reward model and it
part ways. What real people would say, nothing here knows.
"""

import re
from collections.abc import Sequence
from functools import cache, cached_property
from math import exp, log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ppo_helpers.language.answers import Answers

DATA = Path(__file__).parent / "rater_data"
EDGE = "<s>"  # before the first word of a text and after its last
WORD = re.compile(r"[A-Za-z']+|[0-9]+|[^\sA-Za-z0-9]")
# words that may come again without anybody minding
SMALL = frozenset(
    re.findall(
        r"\S+",
        "the a an and i it was is are were to of my in at we for with that this but not so be on they you me had have "
        "as our very",
    )
)


def words(text: str) -> list[str]:
    """Words, numbers and punctuation marks of a text, in lower case."""
    return [word.lower() for word in WORD.findall(text)]


class Trigram:
    """How probable a word is after the two before it: counts of the corpus, interpolated after Witten and Bell.

    It reads words and not tokens, and it is another kind of model than GPT-2: a judge of the same kind as the judged
    would forgive what it does itself.

    Source:
        Witten and Bell 1991, "The zero-frequency problem", method C.
    """

    def __init__(self, words: Sequence[str], triples: np.ndarray):
        self.number = {word: i for i, word in enumerate(words)}
        self.base = base = len(self.number) + 1  # one more, for all words that nobody has seen
        a, b, c, n = triples.astype(np.int64).T
        self._of_three, self._of_two, self._of_one = (
            _counts(k, n) for k in ((a * base + b) * base + c, b * base + c, c)
        )
        self._after_two, self._after_one = _followers(a * base + b, c, n), _followers(b, c, n)
        self.total = int(n.sum())

    @classmethod
    def of_corpus(cls) -> "Trigram":
        """The counts of the corpus that the bundled model was trained on."""
        return _corpus_trigram()

    def probability(self, first: str, second: str, word: str) -> float:
        """P(word | first second), in (0, 1)."""
        a, b, c = (self.number.get(w, self.base - 1) for w in (first, second, word))
        types = len(self._of_one)
        p = (self._of_one.get(c, 0) + types / 50_000) / (self.total + types)  # a word nobody has seen is one of 50,000
        p = _mixed(p, self._of_two.get(b * self.base + c, 0), self._after_one.get(b))
        return _mixed(
            p, self._of_three.get((a * self.base + b) * self.base + c, 0), self._after_two.get(a * self.base + b)
        )

    def logprobs(self, prompt: str, response: str, ended: bool = True) -> list[float]:
        """Log-probability of every word of a response, and of its end if it came to one, in nats."""
        before = [EDGE, EDGE, *words(prompt)]
        row = before + words(response) + [EDGE] * ended
        return [log(self.probability(*row[i - 2 : i + 1])) for i in range(len(before), len(row))]


@cache
def _corpus_trigram() -> Trigram:
    with np.load(DATA / "trigrams.npz") as counted:
        return Trigram(counted["words"].tolist(), counted["triples"])


def _counts(keys: np.ndarray, n: np.ndarray) -> dict[int, int]:
    distinct, where = np.unique(keys, return_inverse=True)
    return dict(zip(distinct.tolist(), np.bincount(where, n).astype(int).tolist(), strict=True))


def _followers(keys: np.ndarray, words: np.ndarray, n: np.ndarray) -> dict[int, tuple[int, int]]:
    """What comes after a key: how often anything, and how many different words."""
    pairs = np.unique(np.stack([keys, words]), axis=1)[0]
    kinds = _counts(pairs, np.ones_like(pairs))
    return {key: (seen, kinds[key]) for key, seen in _counts(keys, n).items()}


def _mixed(shorter: float, count: int, followers: tuple[int, int] | None) -> float:
    """The probability given one word more: the more different words may follow, the more the shorter one counts."""
    if followers is None:
        return shorter
    seen, kinds = followers
    return (count + kinds * shorter) / (seen + kinds)


@cache
def _vader():
    """VADER from NLTK, a kept library that Colab has; vaderSentiment, its first home, had its last release in 2020."""
    from nltk.sentiment.vader import SentimentIntensityAnalyzer, VaderConstants

    class Vader(SentimentIntensityAnalyzer):
        """Reads the lexicon that lies beside this file; NLTK would want to download one."""

        def __init__(self):
            self.lexicon_file = (DATA / "vader_lexicon.txt").read_text("utf-8")
            self.lexicon, self.constants = self.make_lex_dict(), VaderConstants()

    return Vader()


class Judgement(NamedTuple):
    """What the simulated human sees in a text, and what it makes of it."""

    sentiment: float  # [−1, 1] VADER's compound score
    fluency: float  # (0, 1) how much the words sound like the corpus
    freshness: float  # [0, 1] 1 if no word comes twice, 0 if half of them do
    gold: float  # [0, 1] (1 + sentiment) / 2 · fluency · freshness


class SentimentRater:
    """A simulated human who likes what is friendly, well written and says nothing twice.

    Each of the three is needed: VADER alone loves "great great great", fluency alone any sentence of the corpus, and
    both together a sentence that is said three times.

    Args:
        centre: mean log-prob per word, nats, at which fluency is ½.
        width: how far from there, nats, it is 0.73 or 0.27.
    """

    def __init__(self, centre: float = -3.6, width: float = 0.4):
        if not width > 0:
            raise ValueError(f"width must be positive, got {width}")
        self.centre, self.width = centre, width
        self._known: dict[tuple[str, str, bool], Judgement] = {}  # the same texts come again and again

    @cached_property
    def trigram(self) -> Trigram:
        return Trigram.of_corpus()

    def judge(self, prompt: str, response: str, ended: bool = True) -> Judgement:
        """All that it sees in one text.

        Args:
            prompt: what was given.
            response: what was written.
            ended: it came to its end; one that was cut off is not blamed for that.
        """
        key = (prompt, response, bool(ended))
        if key not in self._known:
            sentiment = _vader().polarity_scores(response)["compound"]
            fluency, freshness = self._fluency(*key), self._freshness(prompt + " " + response)
            self._known[key] = Judgement(sentiment, fluency, freshness, (1 + sentiment) / 2 * fluency * freshness)
        return self._known[key]

    def judgements(self, answers: Answers) -> list[Judgement]:
        """Of every answer."""
        rows = zip(answers.prompts, answers.texts, answers.responses.ended.tolist(), strict=True)
        return [self.judge(*row) for row in rows]

    def __call__(self, answers: Answers) -> Tensor:
        """(B,) gold scores in [0, 1]."""
        return torch.tensor([judgement.gold for judgement in self.judgements(answers)])

    def _fluency(self, prompt: str, response: str, ended: bool) -> float:
        if not words(response):
            return 0.0
        mean = float(np.mean(self.trigram.logprobs(prompt, response, ended)))
        return 1 / (1 + exp(min(700.0, (self.centre - mean) / self.width)))  # beyond, exp is no number any more

    def _freshness(self, text: str) -> float:
        content = [word for word in words(text) if word.isalpha() and word not in SMALL]
        repeated = (len(content) - len(set(content))) / max(1, len(content))
        return max(0.0, 1 - repeated / 0.5) if content else 0.0
