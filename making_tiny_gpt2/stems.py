"""How the teacher's reviews begin, and the list of reviews that it is asked to go on with."""

import random
import re
import tomllib
from pathlib import Path

DATA = tomllib.loads((Path(__file__).parent / "stems.toml").read_text("utf-8"))
POLARITIES = tuple(DATA["few_shot"])
CUSTOMERS = {"positive": "happy", "negative": "unhappy", "neutral": "undecided", "mixed": "honest"}
EXAMPLES = 9  # reviews the teacher is shown
SINGULAR = ("series", "class", "dress", "pair of shoes")  # in spite of their last letter


def draw_stem(rng: random.Random) -> str:
    """The first words of a review: none, one of the book's prompts, or a template with its slots filled."""
    draw = rng.random()
    if draw < 0.22:
        return ""
    if draw < 0.40:
        return rng.choice(DATA["prompts"])
    return _filled(rng.choice(DATA["templates"]), rng)


def _filled(template: str, rng: random.Random) -> str:
    """A template with words in its slots; the first noun decides about was or were, this or these."""
    words = {slot: rng.choice(options) for slot, options in DATA["slots"].items()}
    words["workplace"] = rng.choice(DATA["workplaces"][words["worker"]])
    nouns = [words[slot] for slot in re.findall(r"{(\w+)}", template) if slot in words]
    plural = bool(nouns) and is_plural(nouns[0])
    words |= {"was": "were", "this": "these"} if plural else {"was": "was", "this": "this"}
    text = template.format_map(words)
    return text[0].upper() + text[1:]


def is_plural(noun: str) -> bool:
    return noun == "staff" or (noun.endswith("s") and noun not in SINGULAR)


def introduction(polarity: str, rng: random.Random) -> str:
    """A list of reviews for the teacher to go on with: it was trained to chat, but continues a list as well."""
    shown = rng.sample(DATA["few_shot"][polarity], EXAMPLES)
    head = f"Below is a list of short {polarity} reviews written by {CUSTOMERS[polarity]} customers:"
    return "\n".join([head, *(f"- {review}" for review in shown), ""])
