"""What the simulated rater of chapter 11 has read: counts of word triples, demonstrations, VADER's lexicon.

    python -m making_tiny_gpt2.rater [FOLDER WITH vader_lexicon.txt]

writes ``ppo_helpers/language/rater_data``. The same corpus gives the same files.
"""

import gzip
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from ppo_helpers.language.rater import DATA, EDGE, words
from ppo_helpers.language.sft import PROMPTS

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 15  # tokens of a demonstration


def reviews(name: str) -> list[tuple[str, str]]:
    """Source and text of every review in a file of the corpus."""
    with gzip.open(CORPUS / name, "rt", encoding="utf-8") as lines:
        return [tuple(line.rstrip("\n").split("\t", 1)) for line in lines]


def trigrams() -> dict[str, np.ndarray]:
    """Every triple of words in a row, as numbers into the sorted list of words, and how often it stands there."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for _, text in reviews("train.txt.gz"):
        row = [EDGE, EDGE, *words(text), EDGE]
        counts.update(zip(row, row[1:], row[2:], strict=False))
    vocabulary = sorted({word for triple in counts for word in triple})
    number = {word: i for i, word in enumerate(vocabulary)}
    triples = sorted((number[a], number[b], number[c], n) for (a, b, c), n in counts.items())
    return {"words": np.array(vocabulary), "triples": np.array(triples, dtype=np.uint32)}


def demonstrations(tokenizer) -> list[tuple[str, str]]:
    """Held-out reviews by the grammar that begin with one of the prompts and are short enough, shuffled once."""
    found = [
        (prompt, text[len(prompt) :])
        for source, text in reviews("val.txt.gz")
        for prompt in PROMPTS
        if source == "g" and text.startswith(prompt) and not text[len(prompt) : len(prompt) + 1].isalpha()
    ]
    short = [pair for pair in found if len(tokenizer(pair[1])["input_ids"]) <= LONGEST]
    random.Random(0).shuffle(short)
    return short


def main() -> None:
    from ppo_helpers.language import load_gpt2

    DATA.mkdir(exist_ok=True)
    np.savez_compressed(DATA / "trigrams.npz", **trigrams())
    _, tokenizer = load_gpt2("tiny")
    lines = [f"{prompt}\t{response}\n" for prompt, response in demonstrations(tokenizer)]
    (DATA / "demonstrations.tsv").write_text("".join(lines), "utf-8")
    if len(sys.argv) > 1:
        full = (Path(sys.argv[1]) / "vader_lexicon.txt").read_text("utf-8").splitlines()
        (DATA / "vader_lexicon.txt").write_text("\n".join("\t".join(line.split("\t")[:2]) for line in full), "utf-8")


if __name__ == "__main__":
    main()
