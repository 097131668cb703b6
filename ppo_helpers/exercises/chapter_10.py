"""Checks of chapter 10: rewards of tokens, where a value stands, the adaptive price of KL, targets for a critic."""

from collections.abc import Callable
from typing import Any

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_token_rewards(answer: Callable[[list[float], list[float], float, list[bool], float], Any]) -> Feedback:
    """Exercise 10.2: −β (log π − log π_ref) for every token, and the score at the last real one."""

    def case(logprobs, ref_logprobs, score, mask, beta, expected, hint):
        return Case((logprobs, ref_logprobs, score, mask, beta), expected, hint)

    two, three, padded = [True] * 2, [True] * 3, [True, True, False, False]
    far = [-1.0, -1.0, -7.0, -9.0]
    nothing = "Padding earns nothing, whatever the log-probs there are; the score is paid at the last real token."
    cases = [
        case([-1.0] * 3, [-1.0] * 3, 2.0, three, 0.5, [0.0, 0.0, 2.0], "No KL: only the last token earns, the score."),
        case([-1.0, -1.0], [-2.0, -1.0], 0.0, two, 0.5, [-0.5, 0.0], "Likelier than under the reference: that costs."),
        case([-2.0, -1.0], [-1.0, -1.0], 0.0, two, 0.5, [0.5, 0.0], "Less likely: the price is below 0."),
        case([-1.0, -1.0], [-1.5, -2.0], 1.0, two, 0.1, [-0.05, 0.9], "The last token pays its price as well."),
        case([-0.5, -1.0], [-1.0, -4.0], 3.0, two, 0.0, [0.0, 3.0], "β = 0: no price, and the whole score."),
        case(far, [-1.5, -3.0, -1.0, -2.0], -1.0, padded, 0.1, [-0.05, -1.2, 0.0, 0.0], nothing),
    ]
    return check(answer, "token_rewards", cases)


def check_response_values(answer: Callable[[list[float], int, int], Any]) -> Feedback:
    """Exercise 10.1: the values of the states in which the tokens of a response were chosen."""
    before = "The first token was chosen when the prompt had been read: at position P − 1, not P."
    alone = "A prompt of one token: its value stands at position 0."
    cut = "As many values as tokens: what comes after them is padding."
    cases = [
        Case(([0.1, 0.2, 0.3, 0.4], 2, 2), [0.2, 0.3], before),
        Case(([0.5, 0.6, 0.7], 1, 2), [0.5, 0.6], alone),
        Case(([0.1, 0.2, 0.3, 0.4, 9.0, 9.0], 3, 1), [0.3], cut),
    ]
    return check(answer, "response_values", cases)


def check_next_beta(answer: Callable[[float, float, float, int, float], Any]) -> Feedback:
    """Exercise 10.3: β (1 + d · episodes / horizon), d = KL / target − 1 within ±0.2."""
    clipped = "The error is clipped to ±0.2, however far off the KL is."
    cases = [
        Case((0.1, 6.0, 6.0, 32, 320.0), 0.1, "KL is where it should be: β stays."),
        Case((0.1, 6.6, 6.0, 32, 320.0), 0.101, "The error is KL / target − 1, here 0.1; a tenth of it counts."),
        Case((0.1, 5.4, 6.0, 32, 320.0), 0.099, "Too little KL: β falls."),
        Case((0.1, 60.0, 6.0, 32, 320.0), 0.102, clipped),
        Case((0.1, 0.6, 6.0, 32, 320.0), 0.098, clipped + " Below as well."),
        Case((0.4, 3.3, 3.0, 64, 640.0), 0.404, "A share of β is added, not a fixed amount."),
        Case((0.1, 3.3, 3.0, 50, 1000.0), 0.1005, "The horizon counts episodes: here a twentieth of the error."),
    ]
    return check(answer, "next_beta", cases)


def check_value_targets(answer: Callable[[list[float], list[float], float], Any]) -> Feedback:
    """Exercise 10.4: what the critic should have said before each token, Â + V with γ = 1."""
    one_step = "λ = 0: the reward of the token, and the value that follows it."
    rewards, values = [0.0, -0.5, 2.0], [1.0, 0.5, 1.0]
    cases = [
        Case(([2.0], [0.5], 0.95), [2.0], "After the last token nothing follows: its target is its reward."),
        Case((rewards, values, 0.0), [0.5, 0.5, 2.0], one_step),
        Case((rewards, values, 1.0), [1.5, 1.5, 2.0], "λ = 1: all rewards from there on, whatever the critic said."),
        Case((rewards, values, 0.5), [0.75, 1.0, 2.0], "Â_t = δ_t + λ Â_(t+1), backwards; then add V_t."),
    ]
    return check(answer, "value_targets", cases)
