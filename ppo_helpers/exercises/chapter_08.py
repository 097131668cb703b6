"""Checks of chapter 8: a mean probability, the log-probabilities of a text, another temperature, a sampler."""

from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_text_logprobs(answer: Callable[[list[list[float]], list[int]], list[float]]) -> Feedback:
    """Exercise 8.1: log softmax at the token that follows each position."""

    def case(logits, ids, hint):
        scores = np.array(logits)[: len(ids) - 1]
        logprobs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return Case((logits, ids), logprobs[np.arange(len(ids) - 1), ids[1:]].tolist(), hint)

    cases = [
        case([[0.0, 0.0], [0.0, 0.0]], [0, 1], "One token is predicted, at position 0: two equal scores, log ½."),
        case([[1.0, 3.0, 0.0], [9.0, 9.0, 9.0]], [2, 1], "Token 1 is predicted at position 0: score less logsumexp."),
        case([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]], [1, 1, 0], "Two tokens of the text, likely or not, each predicted "
             "one position earlier, by the row of scores there."),
        case([[999.0, 998.0]] * 2, [0, 1], "e^999 is too large for a float: subtract the highest score first."),
        case([[0.0] * 6 + [999.0, 998.0]] * 2, [0, 7], "Subtract the highest score, not the first, nor their mean."),
        case([[0.0, 1.0], [999.0, 998.0], [0.0, 0.0]], [0, 1, 0], "Each position has a highest score of its own."),
        case([[800.0, 0.0]] * 2, [0, 1], "The softmax rounds to 0 here, and log 0 is −∞: score less logsumexp."),
    ]  # fmt: skip
    return check(answer, "text_logprobs", cases)


def check_mean_probability(answer: Callable[[list[float], list[bool]], float]) -> Feedback:
    """Exercise 8.2: the geometric mean of the probabilities of the tokens that count."""

    def case(logprobs, mask, hint):
        return Case((logprobs, mask), float(np.exp(np.mean(np.array(logprobs)[mask]))), hint)

    padded, more = [True, True, False], [True, True, False, False]
    product = "The product of 300 probabilities rounds to 0: add up logarithms instead."
    cases = [
        case([-1.0], [True], "One token: its own probability, e to its log-probability."),
        case([-4.88, -1.77, -2.08, -3.76, -0.73], [True] * 5, "e to the mean, not the mean of e to each."),
        case([-1.0, -2.0, -9.0], padded, "The third token is padding: neither in the sum nor counted."),
        case([-1.0, -3.0, -9.0, -8.0], more, "There may be more padding than one token."),
        case([-9.0, -1.0, -2.0, -3.0], [False, True, False, True], "What counts may stand anywhere: the mask says."),
        case([0.0, -1.0, -9.0], padded, "A log-probability of 0 counts like any other: the mask says what is padding."),
        case([-3.0] * 300, [True] * 300, product),
    ]
    return check(answer, "mean_probability", cases)


def check_at_temperature(answer: Callable[[list[float], float], list[float]]) -> Feedback:
    """Exercise 8.3: divide log-probs by the temperature, and normalise again."""

    def case(probs, temperature, hint):
        scaled = np.log(probs) / temperature
        return Case((np.log(probs).tolist(), temperature), (scaled - np.logaddexp.reduce(scaled)).tolist(), hint)

    cases = [
        case([0.7, 0.2, 0.1], 1.0, "Temperature 1 changes nothing: log-probs go in, log-probs come out."),
        case([0.5, 0.5], 0.5, "Two equal ones stay equal, and their probabilities must still add up to 1."),
        case([0.8, 0.2], 2.0, "Above 1 the likely gets less likely: roots of 0.8 and 0.2, normalised."),
        case([0.4, 0.35, 0.25], 0.001, "e to each is 0 in a float now: subtract the highest first."),
        case([0.9, 0.1], 0.001, "A probability rounds to 0 here, and log 0 is −∞: stay with logarithms."),
        case([0.1, 0.9], 0.001, "The highest log-prob need not be the first."),
    ]
    return check(answer, "at_temperature", cases)


def check_draw_token(answer: Callable[[list[float], float, float], int]) -> Feedback:
    """Exercise 8.4: the token into whose piece of the line from 0 to 1 a random number falls."""

    def case(probs, u, hint, temperature=1.0, shift=0.0):
        scores = (temperature * np.log(probs) + shift).tolist()
        return Case((scores, temperature, u), int(np.searchsorted(np.cumsum(probs), u, side="right")), hint)

    three = [0.2, 0.7, 0.1]
    wherever = Case(([-1000.0, 0.0], 1.0, 0.5), 1, "e^1000 is too large: subtract the highest score, not the first.")
    gone = Case(([-1000.0, 0.0], 1.0, 0.0), 1, "A probability of 0 has a piece of width 0: u = 0 belongs to the next.")
    cases = [
        case([0.5, 0.5], 0.25, "Two equal scores: each has a half of the line, and 0.25 is in the left one."),
        case([0.5, 0.5], 0.75, "Two equal scores: 0.75 is in the right half. Return the index, not the likeliest."),
        case(three, 0.1, "0.1 is in the first piece, which ends at 0.2: keep the order of the vocabulary."),
        case(three, 0.85, "The pieces end at 0.2, 0.9 and 1: add up the probabilities from the left."),
        case([0.05, 0.1, 0.15, 0.7], 0.2, "The pieces end at 0.05, 0.15, 0.3 and 1: compare u with these sums."),
        case([0.6, 0.4], 0.7, "Above 1 the temperature makes the pieces more equal: divide the scores by it.", 3.0),
        case([0.9, 0.1], 0.8, "Below 1 the likely gets a wider piece: divide the scores by the temperature.", 0.5),
        case(three, 0.95, "e^999 is too large for a float: subtract the highest score first.", shift=999.0),
        case(three, 0.95, "The highest score is not the first; and e^−999 is 0.", shift=-999.0),
        case(three, 0.95, "e^1998 less e^999: subtract the highest after the division.", temperature=0.5, shift=999.0),
        wherever,
        gone,
    ]
    return check(answer, "draw_token", cases)
