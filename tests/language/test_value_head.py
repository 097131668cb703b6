"""Two heads on one trunk: where the values stand, what they learn, and that nothing is lost on the way down."""

import copy
import inspect

import pytest
import torch
from letters import Letters, small_gpt2, with_equal_rows
from transformers import BloomConfig, BloomForCausalLM, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM

from ppo_helpers.language import sample, score
from ppo_helpers.language.folding import fold
from ppo_helpers.language.value_head import WithValueHead, last_token

pytestmark = pytest.mark.usefixtures("one_thread")
SPECIAL = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}


def llama():
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=28, **sizes, max_position_embeddings=24, **SPECIAL))


def opt():
    sizes = {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "dropout": 0.0}
    given = sizes | {"word_embed_proj_dim": 16, "max_position_embeddings": 24}
    return OPTForCausalLM(OPTConfig(vocab_size=28, **given, **(SPECIAL | {"pad_token_id": 1})))


def bloom():
    """It knows no positions: they follow from the mask."""
    return BloomForCausalLM(BloomConfig(vocab_size=28, hidden_size=16, n_layer=1, n_head=2, **SPECIAL))


KINDS = {
    "gpt2": small_gpt2,
    "folded": lambda: fold(with_equal_rows(small_gpt2())),
    "llama": llama,
    "opt": opt,
    "bloom": bloom,
}


@pytest.fixture(params=KINDS)
def model(request):
    torch.manual_seed(0)
    return KINDS[request.param]().eval()


def drawn_head(policy, seed=0):
    """A value head that has learned something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        policy.value_head.weight.normal_(generator=generator)
        policy.value_head.bias.fill_(0.5)
    return policy


def texts():
    """Rows of 7, 5 and 8 tokens that end together, so padded on the left."""
    generator = torch.Generator().manual_seed(1)
    ids, mask = torch.randint(0, 26, (3, 8), generator=generator), torch.ones(3, 8, dtype=torch.long)
    mask[0, :1], mask[1, :3] = 0, 0
    return ids, mask


@pytest.mark.parametrize("separate", [False, True])
def test_there_is_a_value_for_every_response_token_and_all_are_zero_at_first(model, separate):
    ids, mask = texts()
    scores = score(WithValueHead(model, separate=separate), ids, 4, mask)
    assert scores.values.shape == (3, 4) and scores.values.eq(0).all() and scores.values.requires_grad
    torch.testing.assert_close(scores.logprobs, score(model, ids, 4, mask).logprobs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("separate", [False, True])
def test_the_value_before_token_t_is_that_of_the_text_up_to_there(model, separate):
    """Each text is cut by hand before its response token t, and its last hidden state is multiplied by hand."""
    policy = drawn_head(WithValueHead(model, separate=separate))
    ids, mask = texts()
    with torch.no_grad():
        values = score(policy, ids, 4, mask).values
        for row, keep, found in zip(ids, mask.bool(), values, strict=True):
            for t in range(4):
                before = row[: 4 + t][keep[: 4 + t]][None]
                hidden = model.base_model(before).last_hidden_state[0, -1]
                wanted = hidden @ policy.value_head.weight[0] + policy.value_head.bias[0]
                assert found[t].item() == pytest.approx(wanted.item(), abs=2e-5)


def test_values_stand_beside_the_logits_of_all_positions():
    policy = drawn_head(WithValueHead(small_gpt2()))
    ids, _ = texts()
    out = policy(ids)
    assert out.logits.shape == (3, 8, 28) and out.values.shape == (3, 8) and out.past_key_values is None
    few = policy(input_ids=ids, logits_to_keep=2)
    assert few.logits.shape == (3, 2, 28) and torch.equal(few.values, out.values)
    torch.testing.assert_close(score(policy, ids, 4).values, out.values[:, 3:-1])  # P + t − 1


@pytest.mark.parametrize("separate", [False, True])
def test_padding_on_either_side_changes_no_value(separate):
    policy = drawn_head(WithValueHead(small_gpt2(), separate=separate))
    ids, mask = texts()
    left = score(policy, ids, 4, mask)
    for i, (row, keep) in enumerate(zip(ids, mask.bool(), strict=True)):
        alone = row[keep][None]
        found = score(policy, alone, alone.shape[1] - 4)
        torch.testing.assert_close(found.values[0], left.values[i], atol=1e-5, rtol=0)
        right = torch.cat([alone, torch.zeros(1, 3, dtype=torch.long)], dim=1)
        padded = score(policy, right, alone.shape[1] - 4, (torch.arange(right.shape[1]) < alone.shape[1])[None].long())
        torch.testing.assert_close(padded.values[0, :4], left.values[i], atol=1e-5, rtol=0)


def test_every_argument_has_its_name_so_that_no_position_is_lost(model):
    parameters = inspect.signature(WithValueHead.forward).parameters
    assert not any(p.kind == p.VAR_KEYWORD for p in parameters.values()) and "position_ids" in parameters
    policy = WithValueHead(model)
    ids, mask = texts()
    found = policy(ids, attention_mask=mask, position_ids=torch.arange(8).flip(0).expand(3, 8)).logits
    straight = policy(ids, attention_mask=mask, position_ids=torch.arange(8).expand(3, 8)).logits
    assert torch.equal(found, straight) == isinstance(model, BloomForCausalLM)


def gradients(policy, what):
    ids, mask = texts()
    policy.zero_grad()
    getattr(score(policy, ids, 4, mask), what).sum().backward()
    return {name for name, p in policy.named_parameters() if p.grad is not None and p.grad.any()}


def test_on_one_trunk_the_values_train_it_and_with_their_own_they_do_not():
    both, apart = (drawn_head(WithValueHead(small_gpt2(), separate=separate)) for separate in (False, True))
    assert any(name.startswith("model.transformer.h") for name in gradients(both, "values"))
    found = gradients(apart, "values")
    assert found and all(name.startswith(("trunk.", "value_head.")) for name in found)
    assert any(name.startswith("trunk.h") for name in found) and "value_head.weight" in found
    found = gradients(apart, "logprobs")
    assert found and all(name.startswith("model.") for name in found)


def test_a_trunk_of_its_own_is_a_copy():
    model = small_gpt2()
    policy = WithValueHead(model, separate=True)
    assert policy.model is model and all(
        torch.equal(p, q) and p is not q
        for p, q in zip(policy.trunk.parameters(), model.base_model.parameters(), strict=True)
    )


@pytest.mark.parametrize("separate", [False, True])
def test_writing_with_the_value_head_is_writing_without(model, separate):
    wrapped, plain = (
        sample(one, Letters(), ["ab", "hello", "x y"] * 3, 8, 0.8, generator=torch.Generator().manual_seed(0))
        for one in (WithValueHead(model, separate=separate), model)
    )
    assert torch.equal(wrapped.sequences, plain.sequences) and wrapped.texts == plain.texts
    torch.testing.assert_close(wrapped.sampled_logprobs, plain.sampled_logprobs)


def test_texts_end_where_the_model_s_own_settings_say():
    model = small_gpt2()
    model.generation_config.eos_token_id = list(range(28))
    assert sample(WithValueHead(model), Letters(), ["ab"], 5).mask.shape == (1, 1)


@pytest.mark.parametrize("separate", [False, True])
def test_parameter_groups_hold_every_parameter_once(model, separate):
    policy = WithValueHead(model, separate=separate)
    language, others = policy.parameter_groups(1e-3, 10)
    assert (language["lr"], others["lr"]) == (1e-3, pytest.approx(1e-2))
    both = [id(p) for group in (language, others) for p in group["params"]]
    assert sorted(both) == sorted(id(p) for p in policy.parameters()) and len(set(both)) == len(both)
    assert {id(p) for p in language["params"]} == {id(p) for p in model.parameters()}
    assert policy.parameter_groups(1e-3)[1]["lr"] == 1e-3


def test_dtype_and_place_are_the_model_s_and_no_random_number_is_spent():
    state = torch.random.get_rng_state()
    policy = WithValueHead(small_gpt2().double())
    assert policy.value_head.weight.dtype == torch.float64 and torch.equal(torch.random.get_rng_state(), state)
    assert score(policy, texts()[0], 4).values.dtype == torch.float32
    assert copy.deepcopy(policy).value_head.weight.eq(0).all()


def test_what_is_no_model_of_transformers_is_named():
    with pytest.raises(ValueError, match="model must be a language model of transformers, got WithValueHead"):
        WithValueHead(WithValueHead(small_gpt2()))


def test_the_last_token_on_either_side():
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 2, 0, 0]])
    assert last_token(mask).tolist() == [3, 1, 0, 3, 1] and last_token(mask.bool()).tolist() == [3, 1, 0, 3, 1]
    with pytest.raises(ValueError, match="mask must leave at least one token in every row, got a row with none"):
        last_token(torch.tensor([[1, 0], [0, 0]]))
