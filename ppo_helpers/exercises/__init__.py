"""Instant feedback for the book's exercises: ``check_name(answer)`` tries the reader's function and says what it found.

One module per chapter; :mod:`ppo_helpers.exercises.feedback` is what they share. Every check takes the function as it
stands in the notebook and returns a ``Feedback``; what is no function is a ``ValueError``.
"""

from ppo_helpers.exercises.chapter_01 import check_bellman, check_cell_value, check_climb, check_longest_way
from ppo_helpers.exercises.chapter_02 import check_expected_value, check_softmax, check_walk
from ppo_helpers.exercises.chapter_03 import check_chosen_logprobs, check_descend, check_fit, check_masked_softmax
from ppo_helpers.exercises.chapter_04 import check_learn, check_push, check_returns, check_td_errors
from ppo_helpers.exercises.chapter_05 import check_climb_batch, check_importance_mean, check_ratios, check_slopes
from ppo_helpers.exercises.chapter_06 import check_approximate_kl, check_batch_loss, check_clipped, check_pushes
from ppo_helpers.exercises.chapter_07 import check_optimizer_steps, check_repaired_loss, check_targets, check_update
from ppo_helpers.exercises.chapter_08 import (
    check_at_temperature,
    check_draw_token,
    check_mean_probability,
    check_text_logprobs,
)
from ppo_helpers.exercises.chapter_09 import (
    check_clipped_loss,
    check_same_policy,
    check_sequence_ratios,
    check_token_weights,
)
from ppo_helpers.exercises.chapter_10 import (
    check_next_beta,
    check_response_values,
    check_token_rewards,
    check_value_targets,
)
from ppo_helpers.exercises.chapter_11 import (
    check_is_hacked,
    check_kl_term,
    check_own_reward,
    check_preference_loss,
)

__all__ = [
    "check_approximate_kl",
    "check_at_temperature",
    "check_batch_loss",
    "check_bellman",
    "check_cell_value",
    "check_chosen_logprobs",
    "check_climb",
    "check_climb_batch",
    "check_clipped",
    "check_clipped_loss",
    "check_descend",
    "check_draw_token",
    "check_expected_value",
    "check_fit",
    "check_importance_mean",
    "check_is_hacked",
    "check_kl_term",
    "check_learn",
    "check_longest_way",
    "check_masked_softmax",
    "check_mean_probability",
    "check_next_beta",
    "check_optimizer_steps",
    "check_own_reward",
    "check_preference_loss",
    "check_push",
    "check_pushes",
    "check_ratios",
    "check_repaired_loss",
    "check_response_values",
    "check_returns",
    "check_same_policy",
    "check_sequence_ratios",
    "check_slopes",
    "check_softmax",
    "check_targets",
    "check_td_errors",
    "check_text_logprobs",
    "check_token_rewards",
    "check_token_weights",
    "check_update",
    "check_value_targets",
    "check_walk",
]
