"""Checks of chapter 4: returns, TD errors, the push on the logits, a step of learning from one walk."""

from collections.abc import Callable

import numpy as np

from ppo_helpers.exercises.feedback import Case, Feedback, check


def check_returns(answer: Callable[[list[float], float], list[float]]) -> Feedback:
    """Exercise 4.1: R_t = r_t + γ R_{t+1}."""
    cases = [
        Case(([-1.0, -1.0, 4.0], 1.0), [2.0, 3.0, 4.0], "Go backwards: the last return is the last reward."),
        Case(([1.0, 4.0], 0.5), [3.0, 4.0], "γ shrinks the return that follows, not the reward of now."),
        Case(([2.0, 0.0, 0.0, 8.0], 0.5), [3.0, 2.0, 4.0, 8.0], "A reward k steps later counts γ to the power k."),
    ]
    return check(answer, "returns", cases)


def check_td_errors(answer: Callable[[list[float], list[float], float, bool, float], list[float]]) -> Feedback:
    """Exercise 4.3: r_t + γ V(s_{t+1}) − V(s_t), with the right thing after the last step."""

    def case(rewards, values, final_value, arrived, gamma, expected, hint):
        return Case((rewards, values, final_value, arrived, gamma), expected, hint)

    values, one_ahead = [2.0, 2.0, 3.0], "Every step looks one step ahead, with γ and not a power of it."
    cases = [
        case([-1.0, -1.0, 4.0], values, 9.0, True, 1.0, [-1.0, 0.0, 1.0], "After arriving nothing follows, not 9."),
        case([-1.0] * 3, values, 6.0, False, 1.0, [-1.0, 0.0, 2.0], "Cut off: the rest is worth final_value."),
        case([-1.0, 4.0], [2.0, 4.0], 0.0, True, 0.5, [-1.0, 0.0], "γ multiplies the value that follows, only that."),
        case([1.0], [1.0], 4.0, False, 0.5, [2.0], "γ also multiplies final_value."),
        case([1.0, 0.0, 2.0], [4.0, 2.0, 8.0], 6.0, False, 0.5, [-2.0, 2.0, -3.0], one_ahead),
    ]
    return check(answer, "td_errors", cases)


def check_push(answer: Callable[[list[float], int, float], list[float]]) -> Feedback:
    """Exercise 4.2: the gradient of gain · log π(action) with respect to the logits."""
    probs = [0.6, 0.25, 0.05, 0.1]
    cases = [
        Case(([0.25] * 4, 1, 1.0), [-0.25, 0.75, -0.25, -0.25], "1 − π for the action taken, −π for the others."),
        Case((probs, 0, 3.0), [1.2, -0.75, -0.15, -0.3], "All of it is multiplied by the gain."),
        Case((probs, 2, -1.0), [0.6, 0.25, -0.95, 0.1], "A negative gain pushes the action down."),
    ]
    return check(answer, "push", cases)


Walk = list[tuple[int, int, float]]  # (state, action, reward)
Tables = tuple[list[list[float]], list[float]]  # logits (S, 4) and values (S,)


def check_learn(answer: Callable[[list[list[float]], list[float], Walk, float], Tables]) -> Feedback:
    """Exercise 4.4: one step of REINFORCE with a baseline, on tables."""

    def case(logits, values, walk, rate, hint):
        return Case((logits, values, walk, rate), _learned(logits, values, walk, rate), hint)

    one = "One move: gain 4, so its logits move by rate times push, the value by rate times gain."
    before = "Take values and probabilities from before the walk; add up the changes where it came back."
    later = "R_t is what came from step t on, and every step moves the tables by the whole rate."
    flat, skewed, shut = [0.0] * 4, [1.0, 0.0, -1.0, 0.5], [0.5, 0.0, -np.inf, -1.0]
    cases = [
        case([flat], [0.0], [(0, 1, 4.0)], 0.5, one),
        case([flat, flat], [0.0, 0.0], [(0, 0, -1.0), (1, 2, 4.0)], 0.5, later),
        case([flat, flat], [2.0, 1.0], [(0, 3, -1.0), (1, 2, 4.0)], 0.1, "The gain is the return less the value."),
        case([skewed], [1.0], [(0, 2, 3.0)], 0.1, "π is the softmax of the logits of this state."),
        case([flat, shut], [0.0, 1.0], [(1, 0, 3.0)], 0.1, "A logit of −∞ stays −∞, and e to it is 0."),
        case([skewed, flat], [0.0, 1.0], [(0, 0, -1.0), (1, 3, -1.0), (0, 1, 4.0)], 0.5, before),
    ]
    return check(answer, "learn", cases)


def _learned(logits: list[list[float]], values: list[float], walk: Walk, rate: float) -> Tables:
    new_logits, new_values, earned = np.array(logits), np.array(values), 0.0
    for state, action, reward in reversed(walk):
        earned += reward
        gain, weights = earned - values[state], np.exp(logits[state])
        new_logits[state] += rate * gain * (np.eye(4)[action] - weights / weights.sum())
        new_values[state] += rate * gain
    return new_logits.tolist(), new_values.tolist()
