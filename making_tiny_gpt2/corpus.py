"""Rebuild the corpus from the grammar and the teacher's raw samples: `python -m making_tiny_gpt2.corpus`.

The result is the same every time. `train.txt.gz` and `val.txt.gz` hold one review a line, `source<TAB>text`; the source
is `g` for the grammar and `s` for SmolLM2.
"""

import argparse
import functools
import gzip
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from making_tiny_gpt2 import grammar

FOLDER = Path(__file__).parent / "corpus"
TOKENIZER = Path(__file__).parents[1] / "ppo_helpers" / "language" / "tiny_gpt2"
BLOCKED = frozenset((Path(__file__).parent / "blocklist.txt").read_text("utf-8").split())
SEED = 7
FROM_GRAMMAR = 60_000
HELD_OUT = 40  # one review in so many
RAREST = 6  # a word must occur this often in the raw samples, or in the grammar
MOST_ALIKE = 8  # reviews that may start the same way
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")

Sentiment = Callable[[str], float]  # −1 for the worst, +1 for the best
Document = tuple[str, str]  # source and text


@dataclass
class Sample:
    """One review by the teacher."""

    asked: str  # the polarity of the reviews it was shown: positive, negative, neutral or mixed
    stem: str  # how the review was made to begin
    text: str
    logprob: float  # mean over the tokens it wrote itself, in nats
    early: bool = False  # from the first part, whose stems met people in odd places

    @functools.cached_property
    def words(self) -> list[str]:
        return WORD.findall(self.text)

    @functools.cached_property
    def lower(self) -> list[str]:
        """The words in lower case, except I, I'm and the like."""
        return [word if re.match(r"I('|$)", word) else word.lower() for word in self.words]

    @functools.cached_property
    def letters(self) -> str:
        """The text without capitals and punctuation: two reviews with the same letters are the same review."""
        return re.sub(r"[^a-z ]", "", self.text.lower())


# ---- the filters: each says whether a sample must go


def wrong_length(sample: Sample) -> bool:
    return not 5 <= len(sample.words) <= 36


def unclean_end(sample: Sample) -> bool:
    return not re.search(r"[a-z][.!]$", sample.text)


def odd_characters(sample: Sample) -> bool:
    """Anything but words and light punctuation, or punctuation in an odd place."""
    plain = re.fullmatch(r"[A-Za-z ,.!?'-]+", sample.text)
    return not plain or bool(re.search(r"\.\.|!!|--|,,| ,| \.|[.,!?][A-Za-z]", sample.text))


def uncapitalised(sample: Sample) -> bool:
    sentences = re.split(r"(?<=[.!?]) ", sample.text)
    return not all(sentence[:1].isupper() and WORD.search(sentence) for sentence in sentences)


def capital_inside(sample: Sample) -> bool:
    """A capital within a sentence is a name, a brand or a place."""
    sentences = re.split(r"(?<=[.!?]) ", sample.text)
    inside = [word for sentence in sentences for word in WORD.findall(sentence)[1:]]
    return any(word[0].isupper() and not re.fullmatch(r"I('(m|ve|d|ll))?", word) for word in inside)


def blocked_word(sample: Sample) -> bool:
    return any({word.lower(), word.lower().split("'")[0]} & BLOCKED for word in sample.words)


def stray_letter(sample: Sample) -> bool:
    return any(len(word) == 1 and word not in ("a", "I") for word in sample.lower)


def repetitive(sample: Sample) -> bool:
    """A phrase of three words twice, "very very", "good and good", or a long word more than twice."""
    words = sample.lower
    phrases = list(zip(words, words[1:], words[2:], strict=False))
    doubled = any(first == second for first, second in itertools.pairwise(words))
    mirrored = any(first == last and len(first) > 2 for first, _, last in phrases)
    often = max(Counter(word for word in words if len(word) > 4).values(), default=0) > 2
    return len(set(phrases)) < len(phrases) or doubled or mirrored or often


def about_reviews(sample: Sample) -> bool:
    """The teacher falls out of its role and talks about the list that it was shown."""
    kinds = r"\b(this|these|a|list|following) (list of )?(review|reviews|example|examples)\b"
    return bool(re.search(kinds + r"|reviewer|customer review|written by", sample.text))


def unlikely(sample: Sample) -> bool:
    """What the teacher itself finds improbable is mostly broken English; short reviews have more variance."""
    return sample.logprob < (-2.5 if len(sample.words) == 5 else -2.35)


def odd_stem(sample: Sample) -> bool:
    """Beginnings that fit nothing: "The barber at the bank", "I bought this boots"."""
    people = (
        "barber|waiter|waitress|chef|dentist|doctor|nurse|pilot|plumber|mechanic|librarian|trainer|teacher|seller|host"
        "|agent|driver|guide|cashier|receptionist|manager"
    )
    misplaced = sample.early and re.search(rf"({people}) at the", sample.stem)
    lodging = r"We stayed at the (?!hotel|hostel|beach|camp|old inn|small hotel)"
    thing = r"I bought this (boots|headphones|pair)|I use this (?!app)"
    return bool(misplaced or re.match(f"{lodging}|{thing}", sample.text))


FILTERS = {
    "length": wrong_length,
    "no clean end": unclean_end,
    "characters": odd_characters,
    "sentence without a capital": uncapitalised,
    "capital inside (a name?)": capital_inside,
    "blocked word": blocked_word,
    "single letter": stray_letter,
    "repetition": repetitive,
    "about reviews": about_reviews,
    "unlikely": unlikely,
    "odd stem": odd_stem,
}


def wrong_polarity(asked: str, found: float) -> bool:
    """Whether the sentiment found in a text contradicts the polarity that the teacher was asked for."""
    if asked == "positive":
        return found < 0.0
    if asked == "negative":
        return found > 0.35
    return asked == "neutral" and abs(found) > 0.75


class Sieve:
    """Says of one sample after the other whether it is kept, and remembers what it kept.

    Args:
        known: the words that may occur, apart from I and its forms.
        taken: reviews that are in the corpus already.
        sentiment: rates a text from −1 to 1.
    """

    def __init__(self, known: set[str], taken: set[str], sentiment: Sentiment):
        self.known, self.taken, self.sentiment = known, taken, sentiment
        self.kept: set[str] = set()
        self.alike: Counter = Counter()

    def reason_against(self, sample: Sample) -> str | None:
        """Why the sample is refused; None if it is kept."""
        for reason, refuses in FILTERS.items():
            if refuses(sample):
                return reason
        if any(word not in self.known and not word.startswith("I") for word in sample.lower):
            return "rare word"
        if wrong_polarity(sample.asked, self.sentiment(sample.text)):
            return "wrong polarity"
        return self._reason_against_copy(sample)

    def _reason_against_copy(self, sample: Sample) -> str | None:
        if sample.letters in self.kept or sample.text in self.taken:
            return "duplicate"
        continued = sample.letters[len(sample.stem) :].split()[:6]
        beginning = (*sample.stem.split()[:1], "…", *continued)  # "The soup at the bar …" and "The tea …" are alike
        self.alike[beginning] += 1
        if self.alike[beginning] > MOST_ALIKE:
            return "near duplicate"
        self.kept.add(sample.letters)
        return None


# ---- from samples to a corpus


def read_samples(folder: Path = FOLDER) -> list[Sample]:
    """The raw samples of all parts, in the order in which they were drawn."""
    samples = []
    for part in sorted(folder.glob("smol_raw_*.jsonl.gz")):
        for row in map(json.loads, gzip.decompress(part.read_bytes()).splitlines()):
            text = row["text"].replace("’", "'")
            samples.append(Sample(row["pol"], row["stem"], text, row["lp"], part.name == "smol_raw_1.jsonl.gz"))
    return samples


def grammar_reviews(count: int, rng: random.Random) -> list[str]:
    """So many different reviews by the grammar, none of which says the same sentence twice."""
    reviews: dict[str, None] = {}  # a dict keeps the order
    while len(reviews) < count:
        text, _ = grammar.review(rng)
        sentences = [sentence.strip().rstrip(".!") for sentence in re.split(r"(?<=[.!]) ", text)]
        if len(set(sentences)) == len(sentences):
            reviews[text] = None
    return list(reviews)


def known_words(samples: list[Sample], by_grammar: list[str]) -> set[str]:
    """Words of the grammar, and words in lower case that the teacher used more than by accident."""
    uses = Counter(word for sample in samples for word in sample.words if word[0].islower())
    often = {word for word, times in uses.items() if times >= RAREST}
    return often | {word for text in by_grammar for word in WORD.findall(text)}


def sift(samples: list[Sample], by_grammar: list[str], sentiment: Sentiment) -> list[str]:
    """The samples that pass every filter. Prints how many did not, and why."""
    sieve = Sieve(known_words(samples, by_grammar), set(by_grammar), sentiment)
    reasons = [sieve.reason_against(sample) for sample in samples]
    print(f"{reasons.count(None):,} of {len(samples):,} samples pass the filters; the others are refused for:")
    for reason, times in Counter(filter(None, reasons)).most_common():
        print(f"{times:8,}  {reason}")
    return [sample.text for sample, reason in zip(samples, reasons, strict=True) if reason is None]


def balance(texts: list[str], sentiment: Sentiment, rng: random.Random) -> list[str]:
    """As many negative as positive reviews (the teacher wrote more of one kind), and all that are neither."""
    groups: dict[str, list[str]] = {"positive": [], "negative": [], "neutral": []}
    for text in sorted(texts):
        groups[label(sentiment(text))].append(text)
    for group in groups.values():
        rng.shuffle(group)
    fewer = min(len(groups["positive"]), len(groups["negative"]))
    return groups["positive"][:fewer] + groups["negative"][:fewer] + groups["neutral"]


def label(sentiment: float) -> str:
    """VADER's own thresholds."""
    return "positive" if sentiment >= 0.05 else "negative" if sentiment <= -0.05 else "neutral"


def build(samples: list[Sample], sentiment: Sentiment) -> dict[str, list[Document]]:
    """The documents of `train` and of `val`."""
    rng = random.Random(SEED)
    by_grammar = grammar_reviews(FROM_GRAMMAR, rng)
    by_teacher = balance(sift(samples, by_grammar, sentiment), sentiment, rng)
    documents = [("g", text) for text in by_grammar] + [("s", text) for text in by_teacher]
    documents.sort(key=lambda document: document[1])
    rng.shuffle(documents)
    held_out = len(documents) // HELD_OUT
    return {"train": documents[held_out:], "val": documents[:held_out]}


# ---- files


def read(name: str, folder: Path = FOLDER) -> list[Document]:
    """The documents of `train` or of `val`."""
    lines = gzip.decompress((folder / f"{name}.txt.gz").read_bytes()).decode().splitlines()
    return [tuple(line.split("\t")) for line in lines]


def write(documents: list[Document], path: Path) -> bool:
    """Write the documents if the file says anything else, and tell whether it did."""
    content = "".join(f"{source}\t{text}\n" for source, text in documents).encode()
    if path.exists() and gzip.decompress(path.read_bytes()) == content:
        return False  # the same text can be compressed in many ways: leave the file alone
    path.write_bytes(gzip.compress(content, mtime=0))
    return True


def vader() -> Sentiment:
    """VADER's compound score. It is needed to rebuild the corpus only, so it is no dependency of the book."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ModuleNotFoundError as error:
        raise SystemExit("the corpus is rebuilt with VADER: pip install vaderSentiment==3.3.2") from error
    analyzer = SentimentIntensityAnalyzer()
    return functools.cache(lambda text: analyzer.polarity_scores(text)["compound"])


def print_statistics(documents: list[Document], sentiment: Sentiment) -> None:
    """Tokens of GPT-2's tokenizer (with one end-of-text a review), and how friendly the reviews are."""
    from transformers import AutoTokenizer

    encoded = AutoTokenizer.from_pretrained(TOKENIZER)([text for _, text in documents]).input_ids
    tokens, distinct = sum(len(ids) + 1 for ids in encoded), len({token for ids in encoded for token in ids})
    scores = [sentiment(text) for _, text in documents]
    shares = Counter(map(label, scores))
    print(f"{tokens:,} tokens, {distinct:,} of them distinct; mean sentiment {sum(scores) / len(scores):+.2f}:")
    print(", ".join(f"{shares[kind] / len(scores):.0%} {kind}" for kind in ("positive", "neutral", "negative")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the corpus from the grammar and the raw samples.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder for train.txt.gz and val.txt.gz")
    parser.add_argument("--statistics", action="store_true", help="count tokens and sentiments as well")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sentiment = vader()
    parts = build(read_samples(), sentiment)
    for name, documents in parts.items():
        changed = write(documents, options.out / f"{name}.txt.gz")
        print(f"{name}.txt.gz: {len(documents):,} reviews, {'written' if changed else 'the same as before'}")
    if options.statistics:
        print_statistics(parts["train"] + parts["val"], sentiment)


if __name__ == "__main__":
    main()
