"""Checks of chapter 11: the reward model's loss, a hacked run, a reward of the reader's own, the price of KL."""

from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check
from ppo_helpers.measured import turn


def check_preference_loss(answer: Callable[[list[float], list[float]], float]) -> Feedback:
    """Exercise 11.1: the mean of −log σ(chosen − rejected)."""

    def case(chosen, rejected, hint):
        return Case((chosen, rejected), float(np.logaddexp(0, np.subtract(rejected, chosen)).mean()), hint)

    far = "σ of −800 rounds to 0, and 0 has no logarithm: for a difference d < 0 use −log σ(d) = log(1 + e^d) − d."
    cases = [
        case([0.0], [0.0], "Two equal scores: σ(0) is a half, and −log of it is log 2, about 0.69."),
        case(
            [2.0], [1.0], "The loss is log(1 + e^−d) with d = chosen − rejected: a right order costs less than log 2."
        ),
        case(
            [1.0, 0.0, 2.0],
            [0.0, 3.0, 0.0],
            "The mean over pairs of their losses, not the loss of a mean difference.",
        ),
        case([5.0, 6.0, 7.0], [4.0, 5.0, 6.0], "Only differences count: 7 against 6 is 1 against 0."),
        case([0.0], [800.0], far),
        case([800.0], [0.0], "A difference of 800 is no trouble: the loss is 0 to the last digit."),
    ]
    return check(answer, "preference_loss", cases)


def check_is_hacked(answer: Callable[[list[float], list[float]], bool]) -> Feedback:
    """Exercise 11.2: is a run hacked, by the chapter's measure?"""

    def case(reward, gold, hint):
        return Case((reward, gold), turn(reward, gold).hacked, hint)

    rising = [i / 10 for i in range(15)]
    spike = [0.5] * 4 + [1.5] + [0.5] * 10
    cases = [
        case(rising, [0.5] * 5 + [0.8] * 5 + [0.1] * 5, "Gold falls from 0.8 to 0.1 while the reward rises: hacked."),
        case(rising, [0.5 + i / 50 for i in range(15)], "Both rise: nothing is wrong here."),
        case(rising[::-1], [0.5] * 5 + [0.8] * 5 + [0.1] * 5, "Both fall: a ruined run, but not a hacked one."),
        case(rising, [0.5] * 5 + [0.8] * 5 + [0.5] * 5, "Gold falls, but not to a half of its peak."),
        case(rising, spike, "One lucky batch is no peak: take means of five iterations before you look for it."),
        case(rising, [0.7] * 14 + [0.1], "One bad batch at the end is no fall: take the mean of the last five."),
        case(
            [0.0] * 5 + [2.0] * 5 + [1.0] * 5,
            [0.2] * 5 + [0.8] * 5 + [0.1] * 5,
            "The reward must be higher at the end than it was where gold was best; here it is lower.",
        ),
        case(rising, [0.5] * 5 + [0.8] * 5 + [0.35] * 5, "Gold falls from 0.8 to 0.35, below a half: hacked."),
        case(rising, [0.3] * 3 + [0.8] * 5 + [0.35] * 7, "The best five may begin anywhere, here at the fourth."),
        case(rising, [1.9] + [0.4] * 14, "Only where all five are there: no mean of fewer at an edge."),
        case(rising, [0.5] * 5 + [0.9] * 4 + [0.43] * 6, "Four lucky batches are no peak: take five."),
        case(
            [i / 10 for i in range(20)],
            [0.5] * 5 + [0.8] * 5 + [0.1] * 5 + [0.6] * 5,
            "Gold has recovered: it is the last mean that counts, not the lowest.",
        ),
        case(
            [*rising[:-1], 0.0],
            [0.5] * 5 + [0.8] * 5 + [0.1] * 5,
            "One bad batch of the reward at the end: take the mean of the last five here as well.",
        ),
        case(
            [0.0] * 5 + [1.0] * 5 + [2.0] * 5 + [1.0] * 5,
            [1.0] * 5 + [0.5] * 5 + [1.0] * 5 + [0.25] * 5,
            "Gold is best twice: the first place counts.",
        ),
        case(rising, [0.25] * 5 + [0.5] * 5 + [0.25] * 5, "At most half: to fall to exactly half is enough."),
        case([1.0] * 15, [0.5] * 5 + [0.8] * 5 + [0.1] * 5, "The reward must be above that of the turn, not equal."),
        case(
            [0.0] * 5 + [2.0, 0.0, 2.0, 0.0, 2.0] + [1.5] * 5,
            [0.5] * 5 + [0.8] * 5 + [0.1] * 5,
            "The reward at the turn is a mean, too: of the five iterations of which gold's is the best.",
        ),
    ]
    return check(answer, "is_hacked", cases)


def check_own_reward(answer: Callable[[str, str], float]) -> Feedback:
    """Exercise 11.3: a point for thanks, a tenth less for every word beyond six."""

    def case(text, expected, hint, prompt="I feel really"):
        return Case((prompt, text), expected, hint)

    cases = [
        case(" happy. Thank you!", 1.0, "“Thank” stands in it, and it has three words: one point."),
        case(" lonely.", 0.0, "No thanks, few words: no point."),
        case(" good. thank you.", 1.0, "Large and small letters are the same here."),
        case(" happy. Thank you! Thank you!", 1.0, "Thanking twice earns no more than once."),
        case(" one two three four five six seven eight", -0.2, "Eight words are two beyond six: −0.2."),
        case(" Thank one two three four five six", 0.9, "A point, and a tenth less for the seventh word."),
        case(" lonely.", 0.0, "Only the response counts, not the prompt.", "Thank you, I feel really"),
        case(" thanks.", 1.0, "“Thank” may stand inside a longer word."),
        case(" unthankful.", 1.0, "“Thank” may stand anywhere inside a longer word."),
        case(" THANKS.", 1.0, "Large and small letters are the same everywhere in the word."),
        case("Thanks.", 1.0, "“Thank” may be the very beginning of the response."),
        case(" don't  stop\n me now or ever again", -0.1, "Words are what split() gives: here seven."),
        case("", 0.0, "A model may end at once: an empty response has no words, and earns 0."),
    ]
    return check(answer, "own_reward", cases)


def check_kl_term(answer: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 11.4: what a token earns for its distance to the reference."""

    def case(logprob, ref_logprob, beta, hint):
        return Case((logprob, ref_logprob, beta), -beta * (logprob - ref_logprob), hint)

    cases = [
        case(-1.0, -3.0, 0.5, "Likelier under the policy than under the reference: it pays, 0.5 · 2 nats."),
        case(
            -3.0, -1.0, 0.5, "Less likely than under the reference: it earns. Single tokens may; their mean does not."
        ),
        case(-2.0, -2.0, 0.5, "The same probability costs nothing."),
        case(-1.0, -3.0, 0.0, "β = 0: no price."),
        case(-0.5, -4.5, 0.1, "In proportion to the difference of the log-probabilities, not to its square."),
    ]
    return check(answer, "kl_term", cases)
