"""Chapter 11's checks against answers that readers write."""

import math
import re

import numpy as np
import torch
from answers import assert_is_told, assert_passes, checks_of, right_answers, wrong_answers

from ppo_helpers.exercises import chapter_11, check_is_hacked, check_kl_term, check_own_reward, check_preference_loss
from ppo_helpers.language.rewards import preference_loss as helper
from ppo_helpers.measured import turn


def sigmoid(d):
    return 1 / (1 + np.exp(-np.asarray(d, float)))


def difference(chosen, rejected):
    return np.subtract(chosen, rejected)


def preference_loss(chosen, rejected):
    losses = []
    for good, bad in zip(chosen, rejected, strict=True):
        d = good - bad
        losses.append(math.log(1 + math.exp(-d)) if d > 0 else math.log(1 + math.exp(d)) - d)
    return sum(losses) / len(losses)


def fives(curve):
    return [sum(curve[i : i + 5]) / 5 for i in range(len(curve) - 4)]


def windows(curve, before, after):
    """Means of so many on either side of each place, of fewer at the edges."""
    parts = [curve[max(0, i - before) : i + after + 1] for i in range(len(curve))]
    return [sum(part) / len(part) for part in parts]


def is_hacked(
    reward, gold, means=fives, share=0.5, best=lambda gold: gold.index(max(gold)), last=lambda gold: gold[-1]
):
    reward, gold = means(reward), means(gold)
    return reward[-1] > reward[best(gold)] and last(gold) <= share * max(gold)


def own_reward(prompt, text, most=6):
    return ("thank" in text.lower()) - 0.1 * max(0, len(text.split()) - most)


def kl_term(logprob, ref_logprob, beta):
    return -beta * (logprob - ref_logprob)


RIGHT = {
    check_preference_loss: {
        "plain": preference_loss,
        "the helper": lambda c, r: helper(torch.tensor(c), torch.tensor(r)),
        "softplus": lambda c, r: torch.nn.functional.softplus(torch.tensor(r) - torch.tensor(c)).mean(),
        "NumPy": lambda c, r: np.logaddexp(0, -difference(c, r)).mean(),
    },
    check_is_hacked: {
        "plain": is_hacked,
        "the helper": lambda reward, gold: turn(reward, gold).hacked,
        "a NumPy bool": lambda *a: np.bool_(is_hacked(*a)),
    },
    check_own_reward: {
        "plain": own_reward,
        "a tensor": lambda *a: torch.tensor(own_reward(*a)),
        "by counting": lambda p, t: min(1, t.lower().count("thank")) - max(0, len(t.split()) - 6) / 10,
    },
    check_kl_term: {
        "plain": kl_term,
        "turned": lambda new, ref, beta: beta * (ref - new),
        "in two": lambda new, ref, beta: beta * ref - beta * new,
    },
}
WRONG = {
    check_preference_loss: {
        "median": (
            lambda c, r: np.median(np.logaddexp(0, -difference(c, r))),
            "The mean over pairs of their losses",
        ),

        "no minus": (lambda c, r: -preference_loss(c, r), "about 0.69"),
        "the chance": (lambda c, r: sigmoid(difference(c, r)).mean(), "about 0.69"),
        "swapped": (lambda c, r: preference_loss(r, c), "costs less than log 2"),
        "of the mean": (
            lambda c, r: np.logaddexp(0, -difference(c, r).mean()),
            "not the loss of a mean difference",
        ),
        "log of the mean chance": (lambda c, r: -np.log(sigmoid(difference(c, r)).mean()), "The mean over pairs"),
        "sum": (lambda c, r: preference_loss(c, r) * len(c), "The mean over pairs"),
        "shares": (lambda c, r: np.log1p(np.divide(r, np.add(c, 1e-12))).mean(), "about 0.69"),
        "naive": (lambda c, r: -np.log(sigmoid(difference(c, r))).mean(), "rounds to 0"),
        "clipped scores": (
            lambda c, r: preference_loss(np.clip(c, -3, 3), np.clip(r, -3, 3)),
            "Only differences count",
        ),
        "only for wrong orders": (
            lambda c, r: (np.log1p(np.exp(difference(c, r))) - difference(c, r)).mean(),
            "0 to the last digit",
        ),
        "one for each": (lambda c, r: np.logaddexp(0, -difference(c, r)), "Return one number"),
    },
    check_is_hacked: {
        "below half": (
            lambda reward, gold: is_hacked(reward, gold) and fives(gold)[-1] < max(fives(gold)) / 2,
            "to fall to exactly half is enough",
        ),
        "not below": (
            lambda reward, gold: fives(reward)[-1] >= fives(reward)[fives(gold).index(max(fives(gold)))]
            and fives(gold)[-1] <= max(fives(gold)) / 2,
            "above that of the turn, not equal",
        ),
        "one reward at the turn": (
            lambda reward, gold: fives(reward)[-1] > reward[fives(gold).index(max(fives(gold)))]
            and fives(gold)[-1] <= max(fives(gold)) / 2,
            "The reward at the turn is a mean, too",
        ),

        "always": (lambda *a: True, "Both rise"),
        "never": (lambda *a: False, "hacked"),
        "gold alone": (lambda reward, gold: fives(gold)[-1] <= max(fives(gold)) / 2, "Both fall"),
        "any fall": (lambda *a: is_hacked(*a, share=0.9), "not to a half of its peak"),
        "single batches": (lambda *a: is_hacked(*a, means=list), "One lucky batch is no peak"),
        "last batch": (
            lambda reward, gold: is_hacked(reward, gold[:10] + gold[-1:] * 5),
            "One bad batch at the end",
        ),
        "blocks": (lambda *a: is_hacked(*a, means=lambda c: fives(c)[::5]), "may begin anywhere"),
        "fours": (
            lambda *a: is_hacked(*a, means=lambda c: [sum(c[i : i + 4]) / 4 for i in range(len(c) - 3)]),
            "Four lucky batches are no peak",
        ),
        "cut at the beginning": (lambda *a: is_hacked(*a, means=lambda c: windows(c, 4, 0)), "no mean of fewer"),
        "cut at both ends": (lambda *a: is_hacked(*a, means=lambda c: windows(c, 2, 2)), "no mean of fewer"),
        "last reward": (
            lambda reward, gold: is_hacked([*reward[:-1], reward[-1] * 5 - sum(reward[-5:-1])], gold),
            "the mean of the last five here as well",
        ),
        "last best": (
            lambda *a: is_hacked(*a, best=lambda gold: len(gold) - 1 - gold[::-1].index(max(gold))),
            "the first place counts",
        ),
        "lowest": (lambda *a: is_hacked(*a, last=min), "not the lowest"),
        "a quarter": (lambda *a: is_hacked(*a, share=0.25), "below a half"),
        "reward since the start": (
            lambda reward, gold: reward[-1] > reward[0] and fives(gold)[-1] <= max(fives(gold)) / 2,
            "higher at the end than it was where gold was best",
        ),
    },
    check_own_reward: {
        "at the beginning of a word": (
            lambda p, t: own_reward(p, " ".join(w if w.lower().startswith("thank") else "x" for w in t.split())),
            "anywhere inside a longer word",
        ),
        "only the first letter": (
            lambda p, t: own_reward(p, t.replace("THANK", "")),
            "the same everywhere in the word",
        ),
        "behind something": (
            lambda p, t: (t.lower().find("thank") > 0) - 0.1 * max(0, len(t.split()) - 6),
            "the very beginning of the response",
        ),
        "counted by blanks": (
            lambda p, t: ("thank" in t.lower()) - 0.1 * max(0, t.count(" ") - 6),
            "Words are what split() gives",
        ),
        "counted by letters": (
            lambda p, t: ("thank" in t.lower()) - 0.1 * max(0, len(re.findall(r"\w+", t)) - 6),
            "Words are what split() gives",
        ),

        "letters": (lambda p, t: own_reward(p, t) if "Thank" in t else own_reward(p, t.lower().replace("thank", "")),
                    "Large and small letters"),
        "always": (lambda p, t: 1.0, "No thanks, few words"),
        "every thanks": (lambda p, t: t.lower().count("thank") - 0.1 * max(0, len(t.split()) - 6), "Thanking twice"),
        "no length": (lambda p, t: float("thank" in t.lower()), "Eight words are two beyond six"),
        "all words": (lambda p, t: own_reward(p, t, 0), "three words"),
        "characters": (lambda p, t: ("thank" in t.lower()) - 0.1 * max(0, len(t) - 6), "three words"),
        "bonus for short": (lambda p, t: ("thank" in t.lower()) - 0.1 * (len(t.split()) - 6), "three words"),
        "length or thanks": (
            lambda p, t: 1.0 if "thank" in t.lower() else -0.1 * max(0, len(t.split()) - 6),
            "a tenth less for the seventh word",
        ),
        "the prompt too": (lambda p, t: own_reward(p, p[:5] + t) if "Thank" in p else own_reward(p, t),
                           "not the prompt"),
        "a whole word": (lambda p, t: own_reward(p, t.lower().replace("thanks", "")), "inside a longer word"),
        "no words": (lambda p, t: own_reward(p, t) if t.split() else 1 / 0, "A model may end at once"),
    },
    check_kl_term: {
        "wrong sign": (lambda *a: -kl_term(*a), "it pays"),
        "never earns": (lambda *a: min(0.0, kl_term(*a)), "Single tokens may"),
        "magnitude": (lambda new, ref, beta: -beta * abs(new - ref), "Single tokens may"),
        "k2": (lambda new, ref, beta: -beta * (new - ref) ** 2 / 2, "it earns"),
        "k3": (lambda new, ref, beta: -beta * (math.exp(ref - new) - 1 - (ref - new)), "it pays"),
        "no price": (lambda new, ref, beta: ref - new, "it pays"),
        "only the direction": (lambda new, ref, beta: -beta * math.copysign(2, new - ref), "The same probability"),
        "a signed square": (lambda new, ref, beta: -beta * (new - ref) * abs(new - ref) / 2, "not to its square"),
        "half a price": (lambda new, ref, beta: -0.5 * (new - ref), "no price"),
    },
}  # fmt: skip


def test_every_check_of_the_chapter_is_tried():
    assert checks_of(chapter_11) == set(RIGHT) == set(WRONG)


@right_answers(RIGHT)
def test_a_right_answer_passes(check, answer):
    assert_passes(check, answer)


@wrong_answers(WRONG)
def test_a_wrong_answer_is_told_what_differs(check, answer, hint):
    with np.errstate(all="ignore"):
        assert_is_told(check, answer, hint)
