"""A grammar of short reviews, written by hand: `review(random.Random(7))` gives a text and its polarity.

The phrases are in `phrases.toml`; this file says how they are joined. Every domain (food, show, hotel, …) has noun
phrases, and adjectives, verb phrases, clauses and closing sentences for each polarity. The corpus is rebuilt from seed
7, so the order in which the generator is asked for numbers must not change.
"""

import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

PHRASES = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))
ANY = PHRASES["any"]
OPPOSITE = {"positive": "negative", "negative": "positive"}

# What people talk about most comes more often.
DOMAINS = ["food", "food", "show", "show", "product", "product", "hotel", "app", "service", "staff", "book", "place"]
DOMAINS += ["weather", "hotel", "app", "service", "staff", "book"]

GOING_ON = [", and ", ", and ", " and ", ". Also, ", ". "]
JOINTS = {"positive": GOING_ON, "negative": GOING_ON, "neutral": [", and ", " and ", ". ", ". "]}
CONTRASTS = [", but ", ", but ", ", but ", " but ", ", although ", ". However, ", ", even though ", ". Still, "]

# An adjective with one of these words in it takes no intensifier: "very full of bugs" and "so a mess" are not English.
NO_INTENSIFIER = re.compile(
    r"\b(a|an|the|very|really|so|too|not|of|in|on|about|for|like|than|worth|at|from|by|with|every|what|just|full|made"
    r"|set|served|nothing|neither|as|same|broken|perfect|excellent|terrible|awful|amazing|wonderful|fantastic|pretty|to"
    r"|far|beyond|below|first|top|perfectly|beautifully|well|badly|cooked|better|worse|worst|best)\b|,"
)
# Parts of a thing get general words: what is said of the whole does not fit them ("the plot started at eight").
PART = re.compile(r"acting|plot|music|ending|color|front desk|location|first chapter|menu$|buffet|shower")
LODGING = re.compile(r"room|suite|apartment|cabin|place")  # what a hotel's verb phrases ("had two beds") fit
OF_A_VISIT = re.compile(
    r"come back|be back|go again|go back|this place|evening|went there|stayed|my office|there on|paid with"
    r"|twenty minutes|week\."
)
OF_A_THING = re.compile(r"does what it says|have used it|cost about|get what you pay|wait for the next")


def review(rng: random.Random) -> tuple[str, str]:
    """One review and its polarity: positive, negative, neutral or mixed."""
    return Writer(rng).review()


@dataclass
class Subject:
    """What a review is about."""

    domain: str
    name: str
    plural: bool
    phrases: dict

    @property
    def is_experience(self) -> bool:
        return self.name.lower().startswith("my experience")

    @property
    def only_general(self) -> bool:
        """Whether the domain's own words do not fit: a part of a thing, or "the buttons" of an app."""
        odd_plural = self.plural and self.domain in ("show", "hotel", "app", "book")
        return odd_plural or PART.search(self.name) is not None

    @property
    def general_share(self) -> float:
        """How often an adjective is one that fits anything; food has the most words of its own."""
        if self.only_general:
            return 0.95
        return 0.2 if self.domain == "food" else 0.35


class Writer:
    """Writes reviews with the numbers of one random generator."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def review(self) -> tuple[str, str]:
        polarity, kind = self._polarity(), self.rng.random()
        if kind < 0.07:
            return self._feeling(polarity), polarity
        if kind < 0.13:
            return self._support(polarity), polarity
        return self._about_something(polarity), polarity

    # ---- small steps

    def _polarity(self) -> str:
        draw = self.rng.random()
        if draw < 0.35:
            return "positive"
        if draw < 0.70:
            return "negative"
        return "neutral" if draw < 0.85 else "mixed"

    def _pick(self, phrases: list[str]) -> str:
        """One of the phrases, its slots filled."""
        phrase = self.rng.choice(phrases)
        return re.sub(r"{(\w+)}", lambda slot: self.rng.choice(PHRASES["slots"][slot[1]]), phrase)

    def _end(self, polarity: str) -> str:
        """A full stop, or now and then an exclamation mark, more of them where people are happy."""
        share = {"positive": 0.22, "negative": 0.07}.get(polarity)
        return "!" if share and self.rng.random() < share else "."

    # ---- reviews of a thing, a place, a person

    def _about_something(self, polarity: str) -> str:
        subject = self._subject()
        if polarity == "mixed":
            first = self.rng.choice(("positive", "negative"))
            text = self._mixed(subject, first, self._plan(subject))
            after = "neutral"
        else:
            text = self._plain(subject, polarity, self._plan(subject))
            after = polarity
            if self.rng.random() < 0.22:
                text += " " + capital(self._clause(subject, polarity)) + self._end(polarity)
        if self.rng.random() < 0.45:
            text += " " + self._closing(subject, after)
        return text

    def _subject(self) -> Subject:
        domain = self.rng.choice(DOMAINS)
        phrases = PHRASES[domain]
        if "usual" in phrases and self.rng.random() < 0.35:  # the beginnings that the book uses as prompts
            name, plural = phrases["usual"], domain == "staff"
        else:
            plural = self.rng.random() < 0.22
            name = self._pick(phrases["plural" if plural else "singular"])
        if (domain, name) == ("book", "the story"):  # "the story has three hundred pages" needs the book
            name = "the story in the book"
        subject = Subject(domain, name, plural, phrases)
        if subject.is_experience:
            subject.phrases = phrases | PHRASES["experience"]
        return subject

    def _plan(self, subject: Subject) -> float:
        """A number in [0, 1) that picks the sentence plan; .1 is the plainest, for subjects that others do not fit."""
        draw = self.rng.random()
        verb_plan = 0.22 <= draw < 0.36
        if subject.domain == "hotel" and not LODGING.search(subject.name) and verb_plan:
            return 0.1
        if subject.only_general and (0.22 <= draw < 0.50 or 0.76 <= draw < 0.84):
            return 0.1
        return draw

    def _mixed(self, subject: Subject, first: str, plan: float) -> str:
        """A statement, and a clause of the other polarity against it."""
        says = self._is(subject, first) if plan < 0.75 or subject.plural else self._does(subject, first)
        contrast = self.rng.choice(CONTRASTS)
        return capitals(says + contrast + self._clause(subject, OPPOSITE[first])) + "."

    def _plain(self, subject: Subject, polarity: str, plan: float) -> str:
        """Seven sentence plans; those with a verb phrase are for singular subjects."""
        single = not subject.plural
        if plan < 0.22:
            return self._is(subject, polarity) + self._end(polarity)
        if plan < 0.36 and single:
            return self._does(subject, polarity) + self._end(polarity)
        if plan < 0.50:
            return self._is(subject, polarity, two=True) + self._end(polarity)
        if plan < 0.76:
            return self._joined(self._is(subject, polarity), JOINTS[polarity], subject, polarity)
        if plan < 0.84 and single:
            return self._joined(self._does(subject, polarity), JOINTS[polarity][:3], subject, polarity)
        if plan < 0.92:
            return self._joined(capital(self._clause(subject, polarity)), [", and ", ". "], subject, polarity)
        return self._story(subject, polarity)

    def _joined(self, says: str, joints: list[str], subject: Subject, polarity: str) -> str:
        """A statement and a clause."""
        joint = self.rng.choice(joints)
        return capitals(says + joint + self._clause(subject, polarity)) + self._end(polarity)

    def _story(self, subject: Subject, polarity: str) -> str:
        """What somebody did and how it was; with nothing to be happy or angry about, a statement and a clause."""
        if polarity == "neutral":
            return f"{self._is(subject, polarity)}, and {self._clause(subject, polarity)}."
        opening = self._pick(subject.phrases["openings"])
        verdict = self.rng.random() < 0.5
        outcome = self.rng.choice(ANY["verdicts"][polarity]) if verdict else self._clause(subject, polarity)
        return capitals(f"{opening} {outcome}") + self._end(polarity)

    # ---- parts of sentences

    def _is(self, subject: Subject, polarity: str, two: bool = False) -> str:
        """ "The soup was cold", or with two adjectives "The soup was cold and bland"."""
        verb = self._to_be(subject)
        words = self._two_adjectives(subject, polarity) if two else self._adjective(subject, polarity)
        return f"{capital(subject.name)} {verb} {words}"

    def _does(self, subject: Subject, polarity: str) -> str:
        """ "The soup came late and was cold"."""
        return f"{capital(subject.name)} {self._pick(subject.phrases['verbs'][polarity])}"

    def _clause(self, subject: Subject, polarity: str) -> str:
        return self._pick(subject.phrases["clauses"][polarity])

    def _to_be(self, subject: Subject) -> str:
        """Apps and often products are still there; a meal or a visit is over."""
        if subject.is_experience:
            return self.rng.choice(["was", "has been", "has been", "is"])
        if subject.domain == "app" or (subject.domain == "product" and self.rng.random() < 0.5):
            return "are" if subject.plural else "is"
        return "were" if subject.plural else "was"

    def _adjective(self, subject: Subject, polarity: str) -> str:
        general = self.rng.random() < subject.general_share
        word = self.rng.choice((ANY if general else subject.phrases)["adjectives"][polarity])
        if polarity != "neutral" and self.rng.random() < 0.28 and not NO_INTENSIFIER.search(word):
            word = f"{self.rng.choice(ANY['intensifiers'])} {word}"
        return word

    def _two_adjectives(self, subject: Subject, polarity: str) -> str:
        """Two short ones, at least one of them the domain's own."""
        own, general = subject.phrases["adjectives"][polarity], ANY["adjectives"][polarity]
        for _ in range(20):
            first, second = self.rng.choice(own), self.rng.choice(own + general[:11])
            if not ((first in general and second in general) or clumsy(first, second)):
                return f"{first} and {second}"
        return self.rng.choice(own)

    def _closing(self, subject: Subject, polarity: str) -> str:
        """A last sentence: the domain's own, or a general one that fits it."""
        if self.rng.random() < 0.4:
            return self._pick(subject.phrases["closings"][polarity])
        for _ in range(50):
            closing = self.rng.choice(ANY["closings"][polarity])
            if fits(closing, subject.domain):
                break
        return closing

    # ---- reviews with a plan of their own

    def _feeling(self, polarity: str) -> str:
        """ "I feel really …", one of the beginnings that the book uses as prompts."""
        words, pick = PHRASES["feelings"]["words"], self.rng.choice
        if polarity == "mixed":
            good, product, bad = pick(words["positive"]), pick(PHRASES["slots"]["product"]), pick(words["negative"])
            return f"I feel really {good} about the {product}, but {bad} about the price."
        with_reason, word = self.rng.random() < 0.8, pick(words[polarity])
        head = "I feel really" if self.rng.random() < 0.8 else pick(PHRASES["feelings"]["heads"])
        reason = " " + self._pick(PHRASES["feelings"]["reasons"][polarity]) if with_reason else ""
        return self._perhaps_closed(f"{head} {word}{reason}{self._end(polarity)}", polarity)

    def _support(self, polarity: str) -> str:
        """ "Customer support helped me …", another of the book's prompts."""
        phrases = PHRASES["support"]
        head = "Customer support helped me" if self.rng.random() < 0.75 else self.rng.choice(phrases["heads"])
        if polarity == "mixed":
            solved = self._pick(phrases["outcomes"]["positive"][:6])
            return f"{head} {solved}, but {self.rng.choice(phrases['complaints'])}."
        outcome = self._pick(phrases["outcomes"][polarity])
        return self._perhaps_closed(f"{head} {outcome}{self._end(polarity)}", polarity)

    def _perhaps_closed(self, text: str, polarity: str) -> str:
        return f"{text} {self.rng.choice(ANY['closings'][polarity])}" if self.rng.random() < 0.35 else text


def clumsy(first: str, second: str) -> bool:
    """Whether two adjectives cannot be joined by "and": they are the same, too long, or already joined."""
    joined = " and " in first or " and " in second
    return joined or first == second or len(first.split()) > 3 or len(second.split()) > 4


def fits(closing: str, domain: str) -> bool:
    """Whether a general closing makes sense: nobody comes back to a book, and a waiter does not cost $20."""
    if domain in ("show", "book", "product", "app") and OF_A_VISIT.search(closing):
        return False
    return domain in ("product", "app") or not OF_A_THING.search(closing)


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def capitals(text: str) -> str:
    """A capital letter after every full stop inside the text."""
    return re.sub(r"([.!] )([a-z])", lambda found: found[1] + found[2].upper(), text)
