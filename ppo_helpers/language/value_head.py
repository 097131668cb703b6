"""Two heads on one trunk: which token comes next, and how good will this text be?"""

import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ppo_helpers.language.scoring import understood


class HeadedOutput(NamedTuple):
    """What both heads say; ``score`` reads it like any model's output."""

    logits: Tensor  # (B, L, V), or fewer positions where ``logits_to_keep`` asks for the last ones only
    values: Tensor | None  # (B, L) V of the text up to and with each position; None while text is being written
    past_key_values: Any = None


class WithValueHead(nn.Module):
    """A language model that also says what the text it reads will be worth.

    The value head is one linear map from the hidden state to a number, 0 everywhere at the start. A value that is read
    at position p is V of the state *after* token p: the value of the state in which response token t is chosen stands
    at position P + t − 1, beside the logits of that token.

    Args:
        model: any causal language model of transformers; its weights are trained as part of this one.
        separate: give the values a trunk of their own, a copy of the model's, as InstructGPT did; twice the memory, and
            no gradient of the one disturbs the other.

    Raises:
        ValueError: if ``model`` is none of transformers' models.
    """

    def __init__(self, model: PreTrainedModel, *, separate: bool = False):
        super().__init__()
        if not isinstance(model, PreTrainedModel):
            raise ValueError(f"model must be a language model of transformers, got {type(model).__name__}")
        self.model = model
        self.config, self.generation_config = model.config, getattr(model, "generation_config", None)
        self.trunk = copy.deepcopy(model.base_model) if separate else None
        self.value_head = number_head(model)

    def get_input_embeddings(self) -> nn.Module:
        return self.model.get_input_embeddings()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
    ) -> HeadedOutput:
        """Both heads on (B, L) tokens. Every argument has its name here, so that none is lost on the way down.

        Args:
            input_ids: (B, L) token ids.
            attention_mask: (B, L) nonzero for tokens.
            position_ids: (B, L) place of each token in its text.
            past_key_values: of the tokens before, while text is being written.
            use_cache: text is being written: keep keys and values, and leave the values away.
            logits_to_keep: logits of so many last positions only; 0 for all.

        Returns:
            Logits, values (B, L), keys and values.
        """
        given = {"attention_mask": attention_mask, "position_ids": position_ids}
        writing = {"past_key_values": past_key_values, "use_cache": use_cache, "logits_to_keep": logits_to_keep}
        options = understood(self.model, given | writing)
        out = self.model(input_ids, **options, output_hidden_states=not use_cache and self.trunk is None)
        if use_cache:
            return HeadedOutput(out.logits, None, out.past_key_values)
        if self.trunk is None:
            hidden = out.hidden_states[-1]  # (B, L, C)
        else:
            hidden = self.trunk(input_ids, **understood(self.trunk, given), use_cache=False).last_hidden_state
        return HeadedOutput(out.logits, self.value_head(hidden).squeeze(-1))  # (B, L, 1) → (B, L)

    def parameter_groups(self, learning_rate: float, value_factor: float = 1.0) -> list[dict[str, Any]]:
        """For an optimiser: the language model at one learning rate, what only values use at another.

        Args:
            learning_rate: of the language model.
            value_factor: how many times as large that of the value head (and of its own trunk) is.
        """
        others = [p for name, p in self.named_parameters() if not name.startswith("model.")]
        return [
            {"params": list(self.model.parameters()), "lr": learning_rate},
            {"params": others, "lr": learning_rate * value_factor},
        ]


def number_head(model: PreTrainedModel) -> nn.Linear:
    """A linear map from a model's hidden state (…, C) to a number (…, 1), 0 everywhere at the start."""
    parameter, width = next(model.parameters()), model.config.hidden_size
    head = nn.Linear(width, 1, device="meta")  # without weights, so that no random number is spent on them
    head.weight = nn.Parameter(torch.zeros(1, width, device=parameter.device, dtype=parameter.dtype))
    head.bias = nn.Parameter(torch.zeros(1, device=parameter.device, dtype=parameter.dtype))
    return head


def last_token(mask: Tensor) -> Tensor:
    """Where the last real entry of each row stands.

    Args:
        mask: (B, L), nonzero for tokens; padding on either side.

    Returns:
        (B,) positions.

    Raises:
        ValueError: if a row has no token.
    """
    if not mask.bool().any(dim=-1).all():
        raise ValueError("mask must leave at least one token in every row, got a row with none")
    places = torch.arange(mask.shape[-1], device=mask.device)
    return (places * mask.bool()).argmax(dim=-1)
