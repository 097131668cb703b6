"""The second world: a walk is a text, a move is the next token. The objectives and the update are those of the grid."""

from ppo_helpers.language.logprobs import Responses, sample, sequence_logprob, token_logprobs
from ppo_helpers.language.models import load_gpt2

__all__ = ["Responses", "load_gpt2", "sample", "sequence_logprob", "token_logprobs"]
