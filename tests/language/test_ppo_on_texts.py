"""The bundled model learns by the very update that trains the walker: nothing in it knows that these are texts."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ppo_helpers.experience import Experience
from ppo_helpers.language import load_gpt2, sample, score
from ppo_helpers.language.folding import fold
from ppo_helpers.ppo import PPOConfig, ppo_update

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPTS = ["The food at the restaurant was", "I feel really", "Customer support helped me"] * 4


class WithValues(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model, self.head = model, nn.Linear(model.config.hidden_size, 1)
        self.config, self.get_input_embeddings = model.config, model.get_input_embeddings

    def forward(self, input_ids, attention_mask=None, position_ids=None, logits_to_keep=0, **options):
        options |= {"position_ids": position_ids, "logits_to_keep": logits_to_keep, "output_hidden_states": True}
        out = self.model(input_ids, attention_mask=attention_mask, **options)
        values = self.head(out.hidden_states[-1].detach()).squeeze(-1)  # (B, L)
        return SimpleNamespace(logits=out.logits, values=values, past_key_values=out.past_key_values)


def written(policy, tokenizer, reward, generator):
    """Experience of one batch of texts: the score stands at each row's last token."""
    responses = sample(policy, tokenizer, PROMPTS, 6, generator=generator)
    logprobs, values, _ = score(policy, responses.sequences, responses.prompt_length, responses.attention_mask)
    mask = responses.mask
    last = mask & ~torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
    columns = (x.detach() * mask for x in (logprobs, values, reward(responses)[:, None] * last))
    return Experience(responses.inputs, *columns, last, mask, sampled_logprobs=responses.sampled_logprobs, whole=True)


@pytest.mark.slow
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_three_iterations_of_ppo_with_a_value_head(micro_batch):
    torch.manual_seed(0)
    model, tokenizer = load_gpt2("tiny")
    policy, generator = WithValues(fold(model)), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-4)
    config = PPOConfig(epochs=2, minibatch_size=6, gamma=1.0)
    shorter = lambda responses: -responses.mask.sum(-1).float()  # noqa: E731

    def evaluate(batch):
        sequences = batch.inputs["sequences"]
        return score(policy, sequences, sequences.shape[1] - batch.mask.shape[1], batch.inputs["attention_mask"])

    for _ in range(3):
        before = policy.head.weight.detach().clone()
        batch = written(policy, tokenizer, shorter, generator).batch(config.gamma, config.lam)
        stats = ppo_update(evaluate, batch, optimizer, config, generator, micro_batch)
        assert stats.first_ratio_error <= 1e-4 and stats.sampler_error <= 1e-4
        assert stats.optimizer_steps == 4 and 0 < stats.approx_kl < 0.1 and stats.entropy > 0
        assert not torch.equal(policy.head.weight, before)
