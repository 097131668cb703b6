"""Log-probs against transformers' own loss, sampling against its own scores, loading against all that can fail."""

import copy
import json
import shutil
import threading

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    BertConfig,
    BertLMHeadModel,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

from ppo_helpers.language import Responses, load_gpt2, models, sample, score, scoring, sequence_logprob, token_logprobs
from ppo_helpers.language.scoring import _cut, _drawn, positions, response_logits, score_logits

pytestmark = pytest.mark.usefixtures("one_thread")
SENTENCE = "The food at the restaurant was wonderful and I liked the"
PROMPTS = ["The food at the restaurant was", "I feel really", "Customer support helped me"]


@pytest.fixture(scope="module")
def tiny():
    return load_gpt2("tiny")


@pytest.fixture(scope="module")
def llama():
    """A second architecture: rotary positions, untied head, another context."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50257, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=48, initializer_range=0.3,
        bos_token_id=50256, eos_token_id=50256,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture(params=["tiny", "llama"])
def model(request):
    made = request.getfixturevalue(request.param)
    return made[0] if request.param == "tiny" else made


@pytest.fixture(scope="module")
def tokenizer(tiny):
    return tiny[1]


def padded(rows, side, fill=50256):
    """Token ids and attention mask of rows of mixed lengths."""
    longest = max(map(len, rows))
    blank = [[fill] * (longest - len(row)) for row in rows]
    ids = [b + r if side == "left" else r + b for r, b in zip(rows, blank, strict=True)]
    mask = [
        [0] * len(b) + [1] * len(r) if side == "left" else [1] * len(r) + [0] * len(b)
        for r, b in zip(rows, blank, strict=True)
    ]
    return torch.tensor(ids), torch.tensor(mask)


# --- scoring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_logprobs_are_the_loss_that_transformers_computes(model, tokenizer, side):
    rows = [tokenizer(text)["input_ids"] for text in (SENTENCE, "I liked it.", "The room was not clean at all, sadly.")]
    ids, mask = padded(rows, side)
    ours = token_logprobs(model, ids, 1, mask)
    for i, row in enumerate(rows):  # each by itself, unpadded, with the labels of its first two tokens masked
        labels = torch.tensor([[-100, -100, *row[2:]]])
        loss = model(input_ids=torch.tensor([row]), labels=labels).loss
        behind = slice(len(ours[0]) - len(row) + 2, None) if side == "left" else slice(1, len(row) - 1)
        assert -ours[i, behind].mean().item() == pytest.approx(loss.item(), abs=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_logprobs_do_not_depend_on_order_or_company(model, side, temperature):
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 50256, n).tolist() for n in (9, 4, 7, 12)]
    ids, mask = padded(rows, side)
    together = token_logprobs(model, ids, 3, mask, temperature)
    order = torch.tensor([2, 0, 3, 1])
    shuffled = token_logprobs(model, ids[order], 3, mask[order], temperature)
    counted = mask[:, 3:].bool() & mask[:, 2:-1].bool()  # the token and the one that predicts it
    torch.testing.assert_close(shuffled[counted[order]], together[order][counted[order]], atol=1e-4, rtol=0)
    for i, row in enumerate(rows):
        alone = token_logprobs(model, torch.tensor([row]), 1, temperature=temperature)[0]
        wanted = alone[-int(counted[i].sum()) :]
        torch.testing.assert_close(together[i][counted[i]], wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("prompt_length", [1, 5, 10])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
def test_logprobs_and_gradients_are_those_of_a_plain_softmax_in_float64(tiny, prompt_length, temperature):
    model, tokenizer = copy.deepcopy(tiny[0]).double(), tiny[1]
    ids = tokenizer(SENTENCE, return_tensors="pt")["input_ids"]
    ours = token_logprobs(model, ids, prompt_length, temperature=temperature)
    scores = model(input_ids=ids).logits[0].detach().numpy() / temperature
    plain = scores - np.log(np.exp(scores - scores.max(-1, keepdims=True)).sum(-1, keepdims=True))
    plain -= scores.max(-1, keepdims=True)
    places = np.arange(prompt_length - 1, ids.shape[1] - 1)
    np.testing.assert_allclose(ours[0].detach(), plain[places, ids[0, prompt_length:].numpy()], atol=1e-10)
    weight = model.transformer.h[0].attn.c_attn.weight
    (gradient,) = torch.autograd.grad(ours.sum(), weight)
    logprobs = (model(input_ids=ids).logits[:, :-1] / temperature).log_softmax(-1)
    chosen = logprobs.gather(-1, ids[:, 1:, None])[:, prompt_length - 1 :]
    (wanted,) = torch.autograd.grad(chosen.sum(), weight)
    torch.testing.assert_close(gradient, wanted, atol=1e-10, rtol=1e-6)


def test_no_second_tensor_of_all_scores_is_kept_for_the_backward_pass(tiny, monkeypatch):
    """Not with a temperature either, which would make one: chunks are computed again instead."""
    monkeypatch.setattr(scoring, "BLOCK", 1)  # one position at a time
    model, tokenizer = tiny
    ids = tokenizer(SENTENCE, return_tensors="pt")["input_ids"].repeat(4, 1)
    kept = []
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.untyped_storage()) or t, lambda t: t)
    with hooks:
        token_logprobs(model, ids, 1, temperature=0.7)
    large = {s.data_ptr(): s.nbytes() for s in kept if s.nbytes() >= 4 * 50257 * 4}
    table = model.transformer.wte.weight.untyped_storage()
    assert set(large.values()) <= {table.nbytes(), 4 * 11 * 50257 * 4} and len(large) <= 2


@given(length=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_sequence_has_the_sum_or_the_mean_of_its_tokens(length, seed):
    rng = np.random.default_rng(seed)
    logprobs, mask = -rng.exponential(2, (3, length)), rng.random((3, length)) < 0.6
    mask[:, 0] = True
    given_ = torch.tensor(logprobs), torch.tensor(mask)
    for reduce, wanted in (("sum", np.sum), ("mean", np.mean)):
        expected = [wanted(row[m]) for row, m in zip(logprobs, mask, strict=True)]
        np.testing.assert_allclose(sequence_logprob(*given_, reduce), expected)


def test_a_sequence_must_have_a_token_in_every_row():
    logprobs, mask = torch.zeros(2, 3), torch.tensor([[True, True, True], [False, False, False]])
    with pytest.raises(ValueError, match=r"^mask must leave at least one token in every row, got a row with none$"):
        sequence_logprob(logprobs, mask)
    with pytest.raises(ValueError, match="mask must be on cpu like logprobs, got meta"):
        sequence_logprob(logprobs, mask.to("meta"))


def test_what_stands_in_the_padding_does_not_count():
    logprobs = torch.tensor([[-1.0, -2.0, torch.nan]], requires_grad=True)
    total = sequence_logprob(logprobs, torch.tensor([[True, True, False]]))
    total.sum().backward()
    assert total.item() == -3 and logprobs.grad.tolist() == [[1, 1, 0]]


def test_positions_are_counted_from_the_first_token():
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0]])
    assert positions(mask).tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 2, 2]]


# --- sampling -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.5])
def test_the_ratio_is_one_at_epoch_zero(model, tokenizer, temperature):
    generator = torch.Generator().manual_seed(1)
    responses = sample(model, tokenizer, PROMPTS * 4, 10, temperature, generator=generator)
    with torch.no_grad():
        old_logprobs = responses.logprobs(model, temperature)
    ids, attention = responses.sequences, responses.attention_mask
    for rows in torch.randperm(12, generator=generator).split(5):  # minibatches, with gradient
        logprobs = token_logprobs(model, ids[rows], responses.prompt_length, attention[rows], temperature)
        ratio = (logprobs - old_logprobs[rows]).exp()[responses.mask[rows]]
        torch.testing.assert_close(ratio, torch.ones_like(ratio), atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_the_sampler_drew_from_what_is_scored(model, tokenizer, temperature):
    """One token at a time with a cache, and all at once without. They share the counting of positions: see below."""
    generator = torch.Generator().manual_seed(1)
    responses = sample(model, tokenizer, PROMPTS * 8, 12, temperature, generator=generator)
    scored = responses.logprobs(model, temperature)
    torch.testing.assert_close(responses.sampled_logprobs, scored, atol=5e-5, rtol=0)
    assert not responses.mask.all() or model.config.model_type == "llama"  # zeros after the end are compared, too
    elsewhere = (responses.logprobs(model, 1.2 * temperature) - scored)[responses.mask].exp()
    assert (elsewhere - 1).abs().max() > 0.1  # another temperature would be seen


def test_a_cut_keeps_what_it_says_in_every_row():
    logits = torch.tensor([[0.5, 0.25, 0.15, 0.1], [0.1, 0.2, 0.3, 0.4]]).log()

    def kept(scores, top_k=None, top_p=None):
        return _cut(scores, top_k, top_p).isfinite().int().tolist()

    assert kept(logits) == kept(logits, top_k=9) == kept(logits, top_p=1.0) == [[1, 1, 1, 1]] * 2
    assert kept(logits, top_k=3) == [[1, 1, 1, 0], [0, 1, 1, 1]]
    assert kept(logits, top_k=1) == [[1, 0, 0, 0], [0, 0, 0, 1]]
    assert kept(logits, top_p=0.6) == [[1, 1, 0, 0], [0, 0, 1, 1]]  # the token that reaches it stays
    assert kept(torch.zeros(3, 4), top_p=0.5) == [[1, 1, 0, 0]] * 3  # and none after it


@pytest.mark.parametrize("option", [{"top_k": 5}, {"top_p": 0.4}])
def test_the_sampler_records_what_a_cut_softmax_makes_likelier(tiny, option):
    model, tokenizer = tiny
    responses = sample(model, tokenizer, PROMPTS[:1] * 20, 1, generator=torch.Generator().manual_seed(1), **option)
    probs = model(input_ids=responses.sequences[:1, :-1]).logits[0, -1].double().softmax(-1)
    ordered = probs.sort(descending=True).values
    kept = ordered[: 5 if "top_k" in option else int((ordered.cumsum(0) < 0.4).sum()) + 1].sum()
    expected = (probs[responses.tokens] / kept).log().float()
    torch.testing.assert_close(responses.sampled_logprobs, expected, atol=1e-5, rtol=0)
    assert (responses.logprobs(model) - responses.sampled_logprobs).exp().max() < 0.8  # a ratio of 1 it is not


class Wrapper(torch.nn.Module):
    """As wrappers are: any option goes through, and the signature does not tell which ones."""

    def __init__(self, model):
        super().__init__()
        self.inner, self.config = model, model.config
        self.get_base_model, self.get_input_embeddings = lambda: model, model.get_input_embeddings

    def forward(self, *args, **kwargs):
        return self.inner(*args, **kwargs)


class PassesOn(torch.nn.Module):
    """A wrapper of somebody's own: it says nothing of what is inside, and hands on what it is given."""

    def __init__(self, model):
        super().__init__()
        self.lm, self.config, self.get_input_embeddings = model, model.config, model.get_input_embeddings

    def forward(self, **options):
        return self.lm(**options)


class Distributed(torch.nn.Module):
    """As DDP has it: the model is called module, and nothing else is known from outside."""

    def __init__(self, model):
        super().__init__()
        self.module = model

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)


class Compiled(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self._orig_mod, self.forward = model, model.forward


@pytest.mark.parametrize("wrap", [Wrapper, PassesOn, Distributed, Compiled, lambda model: Distributed(PassesOn(model))])
def test_a_wrapped_model_counts_positions_all_the_same(model, tokenizer, wrap):
    ids, mask = padded([list(range(9)), list(range(5, 9))], "left")
    wrapped = wrap(model)
    torch.testing.assert_close(token_logprobs(wrapped, ids, 6, mask), token_logprobs(model, ids, 6, mask))
    drawn = [sample(m, tokenizer, PROMPTS, 4, generator=torch.Generator().manual_seed(0)) for m in (wrapped, model)]
    assert torch.equal(drawn[0].sequences, drawn[1].sequences)


def test_a_padded_text_has_the_log_probs_it_has_alone(model, tokenizer):
    """What sampler and scorer share, a wrong count of positions, only this can see."""
    responses = sample(model, tokenizer, PROMPTS, 6, generator=torch.Generator().manual_seed(0))
    together = responses.logprobs(model)
    for i in range(len(PROMPTS)):
        row = responses.sequences[i][responses.attention_mask[i] == 1][None]
        count = int(responses.mask[i].sum())
        alone = token_logprobs(model, row, row.shape[1] - count)
        torch.testing.assert_close(together[i, :count], alone[0], atol=1e-4, rtol=0)


def blind(model):
    """The same model, deaf to the positions that it is told."""
    deaf = copy.deepcopy(model)
    inner = deaf.forward
    deaf.forward = lambda position_ids=None, **options: inner(**options)
    return deaf


def test_a_model_that_cannot_bear_padding_on_the_left_is_refused_and_on_the_right_is_not(tiny):
    model, tokenizer = tiny
    deaf = blind(model).train()
    rows = [list(range(9)), list(range(5, 9))]
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"attention_mask must not pad on the left for GPT2LMHeadModel: .* nats off"
        ):
            token_logprobs(deaf, *[padded(rows, "left")[0], 6, padded(rows, "left")[1]])
        with pytest.raises(ValueError, match="attention_mask must not pad on the left"):
            sample(deaf, tokenizer, PROMPTS, 2)
    assert deaf.training and all(part.training for part in deaf.modules())
    ids, mask = padded(rows, "right")
    real = mask[:, 2:].bool()
    found, wanted = (token_logprobs(m, ids, 2, mask)[real] for m in (deaf.eval(), model))
    torch.testing.assert_close(found, wanted)
    sample(deaf, tokenizer, PROMPTS[:1] * 2, 2)  # prompts of one length need no padding


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_entropy_is_that_of_the_whole_softmax_with_its_gradient(tiny, temperature, monkeypatch):
    model, tokenizer = copy.deepcopy(tiny[0]).double(), tiny[1]
    ids = tokenizer(SENTENCE, return_tensors="pt")["input_ids"]
    weight, found = model.transformer.h[0].attn.c_attn.weight, []
    for block in (scoring.BLOCK, 1):
        monkeypatch.setattr(scoring, "BLOCK", block)
        scores = score(model, ids, 4, temperature=temperature, entropy=True)
        found.append((scores.entropy.detach(), torch.autograd.grad(scores.entropy.sum(), weight)[0]))
        torch.testing.assert_close(scores.logprobs, token_logprobs(model, ids, 4, temperature=temperature))
    logprobs = (model(input_ids=ids).logits[:, 3:-1] / temperature).log_softmax(-1)
    wanted = -(logprobs.exp() * logprobs).sum(-1)
    (gradient,) = torch.autograd.grad(wanted.sum(), weight)
    for entropy, by_weight in found:
        torch.testing.assert_close(entropy, wanted.detach(), atol=1e-10, rtol=0)
        torch.testing.assert_close(by_weight, gradient, atol=1e-10, rtol=1e-6)
    assert score(model, ids, 4).entropy is None


class WithValues(PassesOn):
    """Says at every position how many real tokens it has seen up to there."""

    shape = staticmethod(lambda values: values)

    def forward(self, attention_mask=None, **options):
        out = self.lm(attention_mask=attention_mask, **options)
        seen = torch.ones_like(options["input_ids"]) if attention_mask is None else attention_mask
        out.values = self.shape(seen.cumsum(-1).double())
        return out


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_value_is_that_of_the_text_before_its_token(tiny, side):
    ids, mask = padded([list(range(9)), list(range(5, 10))], side)
    values = score(WithValues(tiny[0]), ids, 3, mask).values
    counted = mask[:, 3:].bool() & mask[:, 2:-1].bool()
    before = mask.cumsum(-1)[:, 3:] - 1
    assert (
        values.shape == (2, 6)
        and values.dtype == torch.float32
        and torch.equal(values[counted], before[counted].float())
    )
    assert score(WithValues(tiny[0]), ids[:1], 3).values[0].tolist() == [3, 4, 5, 6, 7, 8]
    assert score(tiny[0], ids, 3, mask).values is None


@pytest.mark.parametrize("shape", [lambda v: v[..., None], lambda v: v[:, -1:], lambda v: v[:, 3:]])
def test_values_of_another_shape_are_refused(tiny, shape):
    model = WithValues(tiny[0])
    model.shape = shape
    with pytest.raises(ValueError, match=r"model must give values of shape \(B, P \+ T\), one per position, got"):
        score(model, torch.arange(8)[None], 3)


def test_the_two_halves_are_the_whole(tiny):
    ids = tiny[1](SENTENCE, return_tensors="pt")["input_ids"]
    logits, values = response_logits(tiny[0], ids, 4)
    assert values is None and logits.shape == (1, ids.shape[1] - 4, 50257)
    logprobs, entropy = score_logits(logits, ids[:, 4:], 0.7, entropy=True)
    scores = score(tiny[0], ids, 4, temperature=0.7, entropy=True)
    assert torch.equal(logprobs, scores.logprobs) and torch.equal(entropy, scores.entropy)
    with pytest.raises(ValueError, match=r"logits and tokens must have shapes \(B, T, V\) and \(B, T\), got"):
        score_logits(logits, ids)
    with pytest.raises(ValueError, match="temperature must be positive and finite, got 0"):
        score_logits(logits, ids[:, 4:], 0)


def test_what_is_left_out_is_temperature_one_the_sum_and_no_entropy(tiny):
    ids = tiny[1](SENTENCE, return_tensors="pt")["input_ids"]
    plain = score(tiny[0], ids, 4, temperature=1.0, entropy=False).logprobs
    assert torch.equal(score(tiny[0], ids, 4).logprobs, plain) and torch.equal(token_logprobs(tiny[0], ids, 4), plain)
    logits, _ = response_logits(tiny[0], ids, 4)
    assert torch.equal(score_logits(logits, ids[:, 4:])[0], plain) and score_logits(logits, ids[:, 4:])[1] is None
    mask = torch.ones(1, 7, dtype=torch.bool)
    assert torch.equal(sequence_logprob(plain, mask), sequence_logprob(plain, mask, "sum"))
    drawn = [sample(*tiny, PROMPTS, 6, *t, generator=torch.Generator().manual_seed(0)) for t in ((), (1.0,))]
    assert torch.equal(drawn[0].sequences, drawn[1].sequences)
    torch.testing.assert_close(drawn[0].logprobs(tiny[0]), drawn[0].logprobs(tiny[0], 1.0), atol=0, rtol=0)


def test_some_rows_of_responses_are_responses(tiny):
    responses = sample(*tiny, PROMPTS * 2, 5, generator=torch.Generator().manual_seed(0))
    everything = responses.logprobs(tiny[0])
    for rows in (torch.tensor([4, 1]), [4, 1], torch.tensor([False, True, False, False, True, False]), slice(1, 5, 3)):
        some = responses[rows]
        chosen = torch.arange(6)[rows].tolist()
        assert some.texts == [responses.texts[i] for i in chosen] and some.prompt_length == responses.prompt_length
        torch.testing.assert_close(some.logprobs(tiny[0]), everything[chosen], atol=1e-5, rtol=0)
        assert torch.equal(some.tokens, responses.tokens[chosen])
    assert responses.inputs == {"sequences": responses.sequences, "attention_mask": responses.attention_mask}


def test_the_tokens_that_a_chat_model_names_end_a_text_too(tiny):
    model, tokenizer = copy.deepcopy(tiny[0]), tiny[1]
    options = {"max_new_tokens": 30, "temperature": 0.7}
    plain = sample(model, tokenizer, PROMPTS, **options, generator=torch.Generator().manual_seed(3))
    stop = tokenizer.encode(".")[0]
    assert any(stop in row for row in plain.tokens[:, :-2].tolist())
    for named in (stop, [stop, 50256]):
        model.generation_config.eos_token_id = named
        short = sample(model, tokenizer, PROMPTS, **options, generator=torch.Generator().manual_seed(3))
        for row, mask, text in zip(short.tokens.tolist(), short.mask.tolist(), short.texts, strict=True):
            written = [token for token, real in zip(row, mask, strict=True) if real]
            assert "." not in text and (stop in written) == (written[-1] == stop)


def test_special_tokens_are_left_to_a_template_that_has_put_them(tiny):
    model, tokenizer = tiny
    with_end = copy.deepcopy(tokenizer)
    from tokenizers.processors import TemplateProcessing

    ends = TemplateProcessing(single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", 50256)])
    with_end.backend_tokenizer.post_processor = ends
    with pytest.raises(
        ValueError, match=r"prompts\[0\] must not be ended by its tokenizer: give add_special_tokens=False"
    ):
        sample(model, with_end, PROMPTS[:1], 2)
    responses = sample(model, with_end, PROMPTS[:1], 2, add_special_tokens=False)
    assert responses.sequences[0, : responses.prompt_length].tolist() == tokenizer(PROMPTS[0])["input_ids"]
    assert sample(model, tokenizer, ["<|endoftext|>"], 2).prompt_length == 1  # asked for by name


class Forgetful(PassesOn):
    def forward(self, **options):
        out = self.lm(**options)
        out.past_key_values = None
        return out


def test_a_model_that_keeps_no_keys_and_values_is_named(tiny):
    with pytest.raises(ValueError, match="model must keep keys and values of the tokens so far, Forgetful does not"):
        sample(Forgetful(tiny[0]), tiny[1], PROMPTS[:1], 2)


def test_a_context_of_minus_one_is_none(tiny):
    model = PassesOn(tiny[0])
    model.config = copy.deepcopy(tiny[0].config)
    model.config.max_position_embeddings = -1
    assert token_logprobs(model, torch.arange(9)[None], 2).shape == (1, 7)


def test_the_checks_wait_for_a_device_once(tiny, monkeypatch):
    """Reading a number from a GPU makes the processor wait: all that only the numbers show is read together."""
    ids, mask = padded([list(range(9)), list(range(5, 9))], "left")
    token_logprobs(tiny[0], ids, 6, mask)  # the first time left padding is tried out
    reads, real = [], torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: reads.append(self) or real(self))
    for name in ("item", "__bool__", "__int__"):
        monkeypatch.setattr(torch.Tensor, name, lambda self, name=name: pytest.fail(f"{name} reads a number"))
    scoring._check_sequences(tiny[0], ids, 6, mask)
    assert len(reads) == 1


@pytest.fixture(scope="module")
def letters():
    """A model with opinions about the 256 bytes, small enough to be asked ten thousand times."""
    vocabulary = {letter: i for i, letter in enumerate([*sorted(ByteLevel.alphabet()), "<end>"])}
    plain = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    plain.pre_tokenizer, plain.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=257, n_embd=16, n_layer=2, n_head=2, n_positions=16, initializer_range=0.5)
    return GPT2LMHeadModel(config).eval(), PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>")


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_what_is_drawn_is_what_is_scored(letters, temperature):
    """10,000 draws: two tokens in a row are as frequent as exp of the sum of their log-probs says."""
    model, tokenizer = letters
    generator = torch.Generator().manual_seed(0)
    responses = sample(model, tokenizer, ["To be"] * 10_000, 2, temperature, generator=generator)
    pairs = torch.cartesian_prod(torch.arange(257), torch.arange(257))
    everything = torch.cat([responses.sequences[:1, :5].expand(len(pairs), -1), pairs], dim=1)
    with torch.no_grad():
        expected = 10_000 * token_logprobs(model, everything, 5, temperature=temperature).sum(-1).double().exp()
    assert expected.sum().item() == pytest.approx(10_000, rel=1e-4)  # all there is to draw
    drawn = responses.tokens[:, 0] * 257 + responses.tokens[:, 1]
    observed = torch.bincount(drawn[responses.mask.all(-1)], minlength=257**2).double()
    often = expected >= 10
    often[256 * 257 :] = False  # a response that ends at once has no second token
    groups = [torch.cat([x[often], 10_000 - x[often].sum(0, keepdim=True)]) for x in (observed, expected)]
    assert often.sum() > 20 and chisquare(*(g * 10_000 / g.sum() for g in groups)).pvalue > 1e-3


def test_one_number_per_row_finds_the_token_whose_part_it_lies_in():
    probs = torch.randn(40, 50257, generator=torch.Generator().manual_seed(0)).mul(4).softmax(-1)
    drawn = _drawn(probs, torch.Generator().manual_seed(1))
    upto = np.cumsum(probs.numpy().astype(np.float64), axis=1)
    places = torch.rand(40, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64).numpy() * upto[:, -1:]
    assert drawn[:, 0].tolist() == [int((row <= place).sum()) for row, place in zip(upto, places, strict=True)]


@pytest.mark.parametrize(("place", "token"), [(0.0, 1), (0.5, 3), (1 - 2**-53, 3)])
def test_what_has_no_probability_is_never_drawn(monkeypatch, place, token):
    probs = torch.tensor([[0, 0.5, 0, 0.5, 0, 0], [0, 0.1, 0.1, 0.8, 0, 0]])
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, place, dtype=torch.float64))
    assert _drawn(probs, None).tolist() == [[token], [token]]


def test_tokens_of_one_in_a_thousand_million_are_drawn_as_often_as_that():
    """50,000 of them after one that has nearly everything: in single precision their sum would stand still."""
    probs = torch.full((1, 50_001), 1e-9)
    probs[0, 0] = 1 - 5e-5
    places = torch.linspace(1 - 5e-5, 1, 2001, dtype=torch.float64)[:-1, None] + 1e-8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", lambda *shape, **_: places)
        drawn = _drawn(probs.expand(2000, -1), None)[:, 0]
    assert drawn[0] < 50 and drawn[-1] > 49_950
    assert set(drawn.diff().tolist()) <= {24, 25, 26}


def test_a_model_that_says_no_number_is_not_drawn_from(tiny):
    model, tokenizer = copy.deepcopy(tiny[0]), tiny[1]
    with torch.no_grad():
        model.transformer.ln_f.weight[0] = torch.nan
    with pytest.raises(ValueError, match="model must give logits that are numbers, got NaN or infinity"):
        sample(model, tokenizer, PROMPTS[:1], 3)


@pytest.mark.slow
def test_every_row_ends_with_its_own_end_of_text(tiny):
    model, tokenizer = tiny
    responses = sample(model, tokenizer, PROMPTS * 8, 20, generator=torch.Generator().manual_seed(3))
    lengths = []
    for i, (row, mask) in enumerate(zip(responses.tokens.tolist(), responses.mask.tolist(), strict=True)):
        end = row.index(50256) + 1 if 50256 in row else len(row)
        lengths.append(end)
        assert mask == [t < end for t in range(len(row))]
        assert responses.attention_mask[i, responses.prompt_length :].tolist() == [int(m) for m in mask]
        assert set(row[end:]) <= {50256}
        assert responses.texts[i] == tokenizer.decode([t for t in row[:end] if t != 50256])
    assert min(lengths) < 20 and max(lengths) == responses.mask.shape[1]
    assert tokenizer.decode(responses.sequences[1][responses.attention_mask[1] == 1]).startswith(PROMPTS[1])


def test_sampling_ends_when_all_rows_have(tiny):
    model, tokenizer = tiny
    responses = sample(model, tokenizer, ["I liked it."], 40, 0.1)
    assert responses.mask.shape[1] == int(responses.mask.sum()) < 40


def test_sampling_is_seeded_and_greedy_in_the_limit(model, tokenizer):
    first, second = (sample(model, tokenizer, PROMPTS, 8, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.sequences, second.sequences)
    cold = sample(model, tokenizer, PROMPTS[:1], 8, 1e-4)
    ids = tokenizer(PROMPTS[0], return_tensors="pt")["input_ids"]
    for token in cold.tokens[0]:
        assert model(input_ids=ids).logits[0, -1].argmax() == token
        ids = torch.cat([ids, token.view(1, 1)], dim=1)


@pytest.mark.slow
@pytest.mark.parametrize("option", [{"top_k": 3}, {"top_p": 0.3}])
def test_a_cut_softmax_draws_what_it_may_and_no_longer_matches_its_scores(tiny, option):
    model, tokenizer = tiny
    responses = sample(model, tokenizer, PROMPTS[:1] * 1000, 1, generator=torch.Generator().manual_seed(0), **option)
    probabilities = model(input_ids=responses.sequences[:1, :-1]).logits[0, -1].softmax(-1)
    ordered, order = probabilities.sort(descending=True)
    allowed = 3 if "top_k" in option else int((ordered.cumsum(0) < 0.3).sum()) + 1
    drawn = responses.tokens[:, 0]
    assert set(drawn.tolist()) == set(order[:allowed].tolist())
    frequency = (drawn == order[0]).double().mean().item()
    kept = ordered[:allowed].sum().item()
    assert frequency == pytest.approx(ordered[0].item() / kept, abs=0.07)
    assert frequency > 1.5 * ordered[0].item()


def test_a_tokenizer_without_an_end_pads_with_anything(tiny):
    model, tokenizer = tiny[0], copy.deepcopy(tiny[1])
    tokenizer.eos_token = None
    responses = sample(model, tokenizer, PROMPTS, 5, generator=torch.Generator().manual_seed(0))
    assert responses.mask.all() and responses.sequences[1, 0] == 0 and responses.attention_mask[1, 0] == 0


# --- bad input ------------------------------------------------------------------------------------------------------

IDS = torch.arange(10).view(2, 5)
GAP = torch.tensor([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sequences": [[1, 2], [3]]}, "sequences must be token ids, .* mixed lengths padded; got list"),
        ({"sequences": torch.arange(5)}, r"sequences must be token ids, \(B, P \+ T\), .* got \(5,\)"),
        ({"sequences": IDS.float()}, "sequences must be token ids"),
        ({"sequences": IDS + 50250}, r"sequences must hold token ids in \[0, 50256\], got 50250 … 50259"),
        ({"sequences": IDS - 1}, "got -1 … 8"),
        ({"sequences": IDS + 50257 - 9}, "got 50248 … 50257"),
        ({"sequences": torch.zeros(1, 65, dtype=torch.long)}, "65 tokens must fit .* context of 64 tokens, got 65"),
        ({"prompt_length": 0}, r"prompt_length must be in \[1, 4\] for 5 tokens, got 0"),
        ({"prompt_length": 5}, r"prompt_length must be in \[1, 4\] for 5 tokens, got 5"),
        ({"attention_mask": torch.ones(2, 4)}, r"attention_mask must have shape \(2, 5\) like sequences, got \(2, 4\)"),
        ({"attention_mask": GAP}, "attention_mask must not have padding between tokens: pad prompts on the left"),
        ({"temperature": 0}, "temperature must be positive and finite, got 0"),
        ({"temperature": -1.0}, "temperature must be positive and finite, got -1"),
        ({"temperature": float("nan")}, "temperature must be positive and finite, got nan"),
        ({"temperature": float("inf")}, "temperature must be positive and finite, got inf"),
    ],
)
def test_what_cannot_be_scored_is_named(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        token_logprobs(**({"model": tiny[0], "sequences": IDS, "prompt_length": 2} | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": []}, r"prompts must be a list of at least one text, got \[\]"),
        ({"prompts": "The food"}, "prompts must be a list of at least one text, got 'The food'"),
        ({"prompts": ["The food", ""]}, r"prompts\[1\] must not be empty, got ''"),
        ({"prompts": ["very " * 70]}, r"context of 64 tokens, got 7\d"),
        ({"max_new_tokens": 63}, r"prompts \(2 tokens\) and max_new_tokens 63 must fit .* 64 tokens, got 65"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1, got 0"),
        ({"temperature": 0.0}, "temperature must be positive and finite, got 0.0"),
        ({"top_k": 0}, "top_k must be at least 1 or None, got 0"),
        ({"top_p": 1.1}, r"top_p must be in \(0, 1\] or None, got 1.1"),
        ({"top_p": 0}, r"top_p must be in \(0, 1\] or None, got 0"),
    ],
)
def test_what_cannot_be_sampled_is_named(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        sample(*tiny, **({"prompts": ["The food"], "max_new_tokens": 3} | change))


def test_the_last_values_that_are_allowed_are_allowed(tiny):
    """One token to choose from is greedy, and all of the probability is no cut."""
    drawn, greedy = (sample(*tiny, ["The food"], 4, generator=seeded(i), top_k=1) for i in (1, 2))
    assert torch.equal(drawn.sequences, greedy.sequences)
    plain, all_of_it = (sample(*tiny, ["The food"], 4, generator=seeded(1), top_p=p) for p in (None, 1.0))
    assert torch.equal(plain.sequences, all_of_it.sequences)
    last = torch.full((1, 3), 50256)
    assert token_logprobs(tiny[0], last, 2).isfinite().all()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_no_more_predictions_are_asked_for_than_are_needed(tiny, monkeypatch):
    """Of a prompt's tokens the last one predicts: the others' 50,257 numbers each are never made."""
    asked, forward = [], tiny[0].forward

    def noted(*args, logits_to_keep=0, **options):
        asked.append(logits_to_keep)
        return forward(*args, logits_to_keep=logits_to_keep, **options)

    monkeypatch.setattr(tiny[0], "forward", noted)
    monkeypatch.setattr(scoring, "understood", lambda model, options: options)
    token_logprobs(tiny[0], IDS, 2)  # five tokens: three are scored, the last of them predicts nothing
    assert asked == [4]
    asked.clear()
    sample(*tiny, ["The food"], 3, generator=seeded(0))
    assert asked == [1, 1, 1]


@pytest.mark.parametrize("padding", [[[0, 1, 1, 1, 1]], [[1, 1, 1, 1, 1], [0, 1, 1, 1, 1]]])
def test_a_single_padded_place_is_noticed(tiny, padding, monkeypatch):
    """The model is tried before its padded rows are believed, however short the padding is."""
    tried = []
    monkeypatch.setattr(scoring, "_check_left_padding", tried.append)
    mask = torch.tensor(padding)
    scoring._check_contents(tiny[0], IDS[: len(mask)], mask)
    assert len(tried) == 1


def test_a_tokenizer_that_knows_more_than_the_model_is_refused(tokenizer):
    small = GPT2LMHeadModel(GPT2Config(vocab_size=100, n_embd=8, n_layer=1, n_head=1, n_positions=16))
    with pytest.raises(ValueError, match="tokenizer must fit the model: it knows 50257 tokens, the model 100"):
        sample(small, tokenizer, PROMPTS, 2)


@pytest.mark.parametrize(
    ("logprobs", "mask", "reduce", "message"),
    [
        (torch.zeros(2, 3), torch.ones(2, 2, dtype=torch.bool), "sum", r"bool of shape \(2, 3\), got .* \(2, 2\)"),
        (torch.zeros(2, 3), torch.ones(2, 3), "sum", "mask must be bool of shape .* got torch.float32"),
        (torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool), "sum", "at least one token in every row"),
        (torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool), "max", "reduce must be 'sum' or 'mean', got 'max'"),
    ],
)  # fmt: skip
def test_a_wrong_mask_is_named(logprobs, mask, reduce, message):
    with pytest.raises(ValueError, match=message):
        sequence_logprob(logprobs, mask, reduce)


# --- the bundled tokenizer and model --------------------------------------------------------------------------------


def test_the_tokenizer_gives_the_known_ids(tokenizer):
    assert tokenizer(SENTENCE)["input_ids"] == [464, 2057, 379, 262, 7072, 373, 7932, 290, 314, 8288, 262]
    assert [tokenizer.decode([i]) for i in (0, 1, 2, 13, 50256)] == ["!", '"', "#", ".", "<|endoftext|>"]
    assert tokenizer("Hello world")["input_ids"] == [15496, 995]
    assert len(tokenizer("wonderful")["input_ids"]) == 3 and len(tokenizer) == 50257


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    _, tokenizer = cached_tiny()
    assert tokenizer.decode(tokenizer(text)["input_ids"], clean_up_tokenization_spaces=False) == text


def cached_tiny(kept=[]):  # noqa: B006, hypothesis allows no module fixture
    kept[:] = kept or [load_gpt2("tiny")]
    return kept[0]


def test_the_bundled_model_is_what_its_card_says(tiny):
    model, _ = tiny
    assert sum(p.numel() for p in model.parameters()) == 7234432
    _, counts = torch.unique(model.transformer.wte.weight, dim=0, return_counts=True)
    assert counts.max() == 50257 - json.loads((models.TINY / "training.json").read_text())["seen"]
    assert not model.training and next(model.parameters()).dtype == torch.float32


# --- loading --------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """An empty cache, and a hub whose name is looked up for ever."""
    forever = threading.Event()
    monkeypatch.setattr(models, "get_hf_file_metadata", lambda *args, **kwargs: forever.wait())
    monkeypatch.setattr(models, "PATIENCE", 0.2)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("PPO_BOOK_GPT2", raising=False)
    yield tmp_path / "hub"
    forever.set()


def saved(model, folder, tokenizer):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def in_cache(cache, name, revision):
    """Where the hub's client keeps a model."""
    folder = cache / f"models--{name.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    return folder


@pytest.mark.slow
def test_a_hub_that_never_answers_is_not_waited_for(no_hub, capsys):
    model, _ = load_gpt2()
    (line,) = capsys.readouterr().out.splitlines()
    assert model.config.n_layer == 4 and "7.2 million" in line and "bundled" in line and "the hub silent" in line


def test_a_decision_takes_less_than_five_seconds():
    assert models.PATIENCE < 5


@pytest.mark.slow
def test_a_download_that_breaks_falls_back(no_hub, monkeypatch, capsys):
    def snapshot(*args, local_files_only=False, **kwargs):
        raise OSError("disk is full" if not local_files_only else "not cached")

    monkeypatch.setattr(models, "get_hf_file_metadata", lambda *args, **kwargs: None)
    monkeypatch.setattr(models, "snapshot_download", snapshot)
    load_gpt2()
    assert "the bundled model (the download of GPT-2 failed: OSError)" in capsys.readouterr().out
    with pytest.raises(ValueError, match="source 'a/b' could not be downloaded: disk is full"):
        load_gpt2("a/b")


@pytest.mark.slow
def test_a_model_of_gpt2s_size_is_taken_from_the_cache(no_hub, tokenizer, capsys):
    torch.manual_seed(0)
    small = GPT2LMHeadModel(GPT2Config())  # GPT-2 small: 12 layers, width 768, dropout 0.1
    saved(small.half(), in_cache(no_hub, models.GPT2, models.REVISION), tokenizer)
    model, own = load_gpt2("auto")
    (line,) = capsys.readouterr().out.splitlines()
    assert "124.4 million" in line and "from the local cache" in line
    assert not model.training and model.dtype == torch.float32
    responses = sample(model, own, PROMPTS, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(responses.logprobs(model), responses.logprobs(model))  # no dropout


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["model.safetensors", "model-00002-of-00002.safetensors", "tokenizer.json"])
def test_half_a_download_is_no_model(no_hub, tokenizer, missing, capsys):
    folder = in_cache(no_hub, models.GPT2, models.REVISION)
    shutil.copytree(models.TINY, folder, dirs_exist_ok=True)
    if missing.startswith("model-"):
        parts = {name: missing for name in ("transformer.wte.weight", "transformer.wpe.weight")}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    else:
        (folder / missing).unlink()
    load_gpt2("auto")
    assert "bundled" in capsys.readouterr().out


def test_a_folder_without_tokenizer_files_is_refused(tmp_path):
    for name in ("config.json", "model.safetensors"):
        shutil.copy(models.TINY / name, tmp_path / name)
    with pytest.raises(ValueError, match=r"source .* (has no tokenizer that can cut a text|can be read)"):
        load_gpt2(tmp_path)


@pytest.mark.slow
def test_a_second_architecture_loads_from_a_folder(llama, tokenizer, tmp_path, capsys, monkeypatch):
    saved(llama, tmp_path / "llama", tokenizer)
    monkeypatch.setenv("PPO_BOOK_GPT2", str(tmp_path / "llama"))
    for source in (tmp_path / "llama", "auto"):
        model, own = load_gpt2(source, device="cpu")
        assert isinstance(model, LlamaForCausalLM) and own(SENTENCE)["input_ids"][0] == 464
        assert torch.equal(model.lm_head.weight, llama.lm_head.weight)
    assert "PPO_BOOK_GPT2 is" in capsys.readouterr().out


@pytest.mark.slow
def test_a_hub_id_may_name_its_revision(no_hub, llama, tokenizer, capsys):
    saved(llama, in_cache(no_hub, "some/model", "a" * 40), tokenizer)
    model, _ = load_gpt2(f"some/model@{'a' * 40}")
    assert isinstance(model, LlamaForCausalLM) and "some/model from the local cache" in capsys.readouterr().out


def broken(tmp_path, what, llama, tokenizer):
    folder = tmp_path / "model"
    if what == "bert":
        config = BertConfig(
            vocab_size=50257, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            initializer_range=0.5,
        )  # fmt: skip
        return saved(BertLMHeadModel(config), folder, tokenizer)
    if what == "trunk":
        return saved(LlamaModel(llama.config), folder, tokenizer)
    saved(llama, folder, tokenizer)
    weights = folder / "model.safetensors"
    if what == "corrupt":
        weights.write_bytes(weights.read_bytes()[:1000])
    if what == "empty":
        weights.unlink()
    if what == "pickle":
        weights.unlink()
        torch.save(llama.state_dict(), folder / "pytorch_model.bin")
    if what == "unknown":
        (folder / "config.json").write_text('{"model_type": "no-such-thing"}')
    if what == "code":
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "mine.py").write_text("raise SystemExit('remote code was run')")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("bert", "is not causal: a later token changes the predictions"),
        ("trunk", r"lacks weights of LlamaForCausalLM: \['lm_head.weight'\]"),
        ("corrupt", "is no causal language model that can be read: "),
        ("empty", "is no causal language model that can be read: "),
        ("pickle", "is no causal language model that can be read: "),
        ("unknown", "is no causal language model that can be read: "),
        ("code", "is no causal language model that can be read: "),
    ],
)
def test_what_cannot_be_loaded_is_one_clear_error(tmp_path, llama, tokenizer, what, message):
    with pytest.raises(ValueError, match=message):
        load_gpt2(broken(tmp_path, what, llama, tokenizer))


@pytest.mark.parametrize("source", ["/no/such/folder", "./nothing", "a/b/c", ""])
def test_a_missing_folder_is_named(source):
    with pytest.raises(ValueError, match="source must be 'auto', 'tiny', a folder or a hub id, got "):
        load_gpt2(source)


def test_an_unknown_id_is_named(no_hub):
    with pytest.raises(ValueError, match="'no/such-model' is no folder, not in the local cache, and the hub has no"):
        load_gpt2("no/such-model")


def test_damaged_bundled_weights_are_noticed(tmp_path, monkeypatch):
    shutil.copytree(models.TINY, tmp_path / "tiny")
    with (tmp_path / "tiny" / "model.safetensors").open("r+b") as file:
        file.seek(10_000_000)
        file.write(b"\0\1\2")
    monkeypatch.setattr(models, "TINY", tmp_path / "tiny")
    with pytest.raises(ValueError, match="weights are damaged: SHA-256 must be 4d0c"):
        load_gpt2("tiny")


@pytest.mark.slow
def test_a_trunk_with_tied_weights_is_whole(tmp_path, tiny):
    model, tokenizer = tiny
    trunk = GPT2Model(model.config)
    trunk.load_state_dict(model.transformer.state_dict())
    loaded, _ = load_gpt2(saved(trunk, tmp_path / "trunk", tokenizer))
    ids = torch.tensor([[464, 2057, 379]])
    torch.testing.assert_close(loaded(input_ids=ids).logits, model(input_ids=ids).logits)


def test_responses_say_what_they_are(tiny):
    responses = sample(*tiny, PROMPTS, 4, generator=torch.Generator().manual_seed(0))
    assert isinstance(responses, Responses) and isinstance(tiny[0].config, PretrainedConfig)
    assert responses.sequences.shape == (3, responses.prompt_length + responses.mask.shape[1])
    assert responses.mask.dtype == torch.bool and (responses.logprobs(tiny[0])[~responses.mask] == 0).all()


@pytest.mark.parametrize("factor", [2, 0.5, True])
def test_a_token_is_whatever_is_not_zero(tiny, factor):
    model, (ids, mask) = tiny[0], padded([list(range(9)), list(range(5, 9))], "left")
    other = mask.bool() if factor is True else mask * factor
    assert torch.equal(positions(other), positions(mask))
    torch.testing.assert_close(token_logprobs(model, ids, 6, other), token_logprobs(model, ids, 6, mask))


def test_a_model_that_says_nothing_at_padding_is_refused(tiny):
    silent = copy.deepcopy(tiny[0])

    def nothing(module, args, options, out):
        if "attention_mask" in options:
            out.logits.fill_(torch.nan)

    silent.register_forward_hook(nothing, with_kwargs=True)
    with pytest.raises(ValueError, match="must not pad on the left"), torch.no_grad():
        token_logprobs(silent, *[padded([[1, 2, 3], [1]], "left")[0], 2, padded([[1, 2, 3], [1]], "left")[1]])


def test_a_top_p_of_one_cuts_nothing_off():
    logits = torch.randn(2, 50257, generator=torch.Generator().manual_seed(0)) * 5
    assert torch.equal(_cut(logits, None, 1.0), logits)
