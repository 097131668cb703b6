"""The two networks that take the place of the tables: one number per state, one probability per move."""

from itertools import pairwise
from numbers import Integral

import torch
from torch import Tensor, nn

from ppo_helpers.objectives import chosen_logprobs


class ValueNetwork(nn.Module):
    """What a state is worth, as a smooth function of its observation.

    Args:
        observation_size: numbers per observation, for example 2 for (x, y).
        hidden: widths of the hidden layers.
        device: where the parameters live.
    """

    def __init__(self, observation_size: int, hidden: tuple[int, ...] = (64, 64), device: torch.device | None = None):
        super().__init__()
        self.observation_size = _check_sizes(observation_size=observation_size)
        self.layers = _perceptron(observation_size, hidden, 1, gain=1.0, device=device)

    def forward(self, observations: Tensor) -> Tensor:
        """Predict values.

        Args:
            observations: (..., observation_size).

        Returns:
            (...) reward points.

        Raises:
            ValueError: if the last dimension is not ``observation_size``.
        """
        _check_observations(observations, self.observation_size)
        return self.layers(observations).squeeze(-1)


class PolicyNetwork(nn.Module):
    """How likely each move is, as a smooth function of the observation.

    Args:
        observation_size: numbers per observation, for example 2 for (x, y).
        num_actions: number of moves A.
        hidden: widths of the hidden layers.
        device: where the parameters live.
    """

    def __init__(
        self,
        observation_size: int,
        num_actions: int = 4,
        hidden: tuple[int, ...] = (64, 64),
        device: torch.device | None = None,
    ):
        super().__init__()
        self.observation_size = _check_sizes(observation_size=observation_size)
        self.num_actions = _check_sizes(num_actions=num_actions)
        # a small last layer: the first policy is close to uniform, so it explores before it has opinions
        self.layers = _perceptron(observation_size, hidden, num_actions, gain=0.01, device=device)

    def forward(self, observations: Tensor, action_mask: Tensor | None = None) -> Tensor:
        """The logits of all moves; their softmax is the policy.

        Args:
            observations: (..., observation_size).
            action_mask: (..., A), nonzero for open moves; None if all are open.

        Returns:
            (..., A) logits, −inf for blocked moves: their probability is exactly 0.

        Raises:
            ValueError: if a shape is wrong, or all moves of a state are blocked.
        """
        _check_observations(observations, self.observation_size)
        logits = self.layers(observations)  # (..., A)
        return logits if action_mask is None else mask_logits(logits, action_mask)

    def logprobs(self, observations: Tensor, actions: Tensor, action_mask: Tensor | None = None) -> Tensor:
        """log π of the moves that were made.

        Args:
            observations: (..., observation_size).
            actions: (...) whole numbers from 0 to A − 1.
            action_mask: (..., A), nonzero for open moves; None if all are open.

        Returns:
            (...) nats, −inf for a blocked move.

        Raises:
            ValueError: if a shape is wrong, or all moves of a state are blocked.
        """
        return chosen_logprobs(self(observations, action_mask), actions)


def mask_logits(logits: Tensor, action_mask: Tensor) -> Tensor:
    """Set the logits of blocked moves to −inf, before the softmax and not after it.

    Args:
        logits: (..., A).
        action_mask: (..., A), nonzero for open moves.

    Returns:
        (..., A) logits.

    Raises:
        ValueError: if the shapes differ, or all moves of a state are blocked.

    Source:
        Huang and Ontañón 2020, "A Closer Look at Invalid Action Masking in Policy Gradient Algorithms".
    """
    if action_mask.shape != logits.shape:
        raise ValueError(f"action_mask must have shape {tuple(logits.shape)}, got {tuple(action_mask.shape)}")
    if action_mask.device != logits.device:
        raise ValueError(f"action_mask must be on {logits.device} like logits, got {action_mask.device}")
    open_moves = action_mask.bool()
    if not open_moves.any(dim=-1).all():
        raise ValueError("action_mask must leave at least one move open in every state, got a state with none")
    return logits.masked_fill(~open_moves, -torch.inf)


def _perceptron(inputs: int, hidden: tuple[int, ...], outputs: int, gain: float, device) -> nn.Sequential:
    """Linear layers with tanh between, orthogonal weights and zero biases (Huang et al. 2022, detail 2)."""
    sizes = [inputs, *hidden, outputs]
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        linear = nn.Linear(before, after, device=device)
        last = i == len(hidden)
        nn.init.orthogonal_(linear.weight, gain if last else 2**0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, nn.Tanh()]
    return nn.Sequential(*layers)


def _check_sizes(**sizes: int) -> int:
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
    return size


def _check_observations(observations: Tensor, size: int) -> None:
    if observations.ndim == 0 or observations.shape[-1] != size:
        raise ValueError(f"observations must have shape (..., {size}), got {tuple(observations.shape)}")
