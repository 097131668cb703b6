"""The second world: a walk is a text, a move is the next token. The objectives and the update are those of the grid."""

from ppo_helpers.language.models import load_gpt2
from ppo_helpers.language.scoring import Responses, Scores, sample, score, sequence_logprob, token_logprobs
from ppo_helpers.language.tokens import token_text

__all__ = ["Responses", "Scores", "load_gpt2", "sample", "score", "sequence_logprob", "token_logprobs", "token_text"]
