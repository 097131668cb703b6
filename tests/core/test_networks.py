"""The two networks: shapes, masks, starts, and what they refuse."""

import pytest
import torch

from ppo_helpers.networks import PolicyNetwork, ValueNetwork, mask_logits

pytestmark = pytest.mark.usefixtures("one_thread")


def test_shapes():
    assert ValueNetwork(3)(torch.zeros(2, 5, 3)).shape == (2, 5)
    assert PolicyNetwork(3, num_actions=6)(torch.zeros(2, 5, 3)).shape == (2, 5, 6)


def test_blocked_moves_have_probability_exactly_zero_and_no_gradient_is_nan():
    torch.manual_seed(0)
    policy = PolicyNetwork(2)
    masks = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]])
    logprobs = policy(torch.randn(3, 2), masks).log_softmax(dim=-1)
    assert (logprobs.exp()[masks == 0] == 0).all() and logprobs[0, 0] == 0
    torch.testing.assert_close(logprobs.exp().sum(dim=-1), torch.ones(3))
    logprobs[masks == 1].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in policy.parameters())


def test_a_new_policy_is_nearly_uniform():
    torch.manual_seed(0)
    probabilities = PolicyNetwork(2)(torch.rand(100, 2) * 2 - 1).softmax(dim=-1)
    assert (probabilities - 0.25).abs().max() < 0.01


def test_networks_live_where_they_are_told():
    assert {p.device.type for p in PolicyNetwork(2, device="meta").parameters()} == {"meta"}
    assert ValueNetwork(2, device="meta")(torch.zeros(4, 2, device="meta")).shape == (4,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ValueNetwork(0), "observation_size must be at least 1, got 0"),
        (lambda: ValueNetwork(1.5), "observation_size must be at least 1, got 1.5"),
        (lambda: PolicyNetwork(2, num_actions=0), "num_actions must be at least 1, got 0"),
        (lambda: ValueNetwork(2)(torch.zeros(5, 3)), r"observations must have shape \(..., 2\), got \(5, 3\)"),
        (lambda: PolicyNetwork(2)(torch.zeros(5, 2), torch.ones(5, 3)), r"action_mask must have shape \(5, 4\)"),
        (
            lambda: mask_logits(torch.zeros(2, 2), torch.ones(2, 2, device="meta")),
            "action_mask must be on cpu like logits",
        ),
        (lambda: mask_logits(torch.zeros(2, 2), torch.tensor([[1, 0], [0, 0]])), "at least one move open"),
    ],
)
def test_networks_name_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_logprobs_are_those_of_the_moves_that_were_made():
    torch.manual_seed(0)
    policy, seen = PolicyNetwork(2), torch.randn(5, 3, 2)
    actions, masks = torch.randint(4, (5, 3)), torch.rand(5, 3, 4) < 0.5
    masks[..., 0] = True
    probabilities = policy(seen, masks).softmax(-1)
    wanted = torch.tensor([[probabilities[b, t, actions[b, t]].item() for t in range(3)] for b in range(5)]).log()
    torch.testing.assert_close(policy.logprobs(seen, actions, masks), wanted)
    torch.testing.assert_close(
        policy.logprobs(seen, actions).exp(), policy(seen).softmax(-1).gather(-1, actions[..., None])[..., 0]
    )


def test_a_perceptron_begins_orthogonal_with_zero_biases():
    torch.manual_seed(0)
    policy, value = PolicyNetwork(3, 4, hidden=(8, 6)), ValueNetwork(3, hidden=(8,))
    for network, gains in ((policy, (2**0.5, 2**0.5, 0.01)), (value, (2**0.5, 1.0))):
        linears = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
        for linear, gain in zip(linears, gains, strict=True):
            assert linear.bias.eq(0).all()
            torch.testing.assert_close(
                torch.linalg.svdvals(linear.weight), torch.full((min(linear.weight.shape),), gain)
            )
    assert [type(layer).__name__ for layer in policy.layers] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert [layer.out_features for layer in policy.layers[::2]] == [8, 6, 4]
