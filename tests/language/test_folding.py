"""Equal rows worked on once: the same distribution, the same gradient, the same draws as by the whole vocabulary."""

import copy

import pytest
import torch
from letters import Letters, small_gpt2, with_equal_rows
from scipy.stats import chisquare
from torch import nn
from transformers import GPT2Model, LlamaConfig, LlamaForCausalLM

from ppo_helpers.language import load_gpt2, sample, score
from ppo_helpers.language.folding import FoldedEmbedding, fold, unfold
from ppo_helpers.language.scoring import folding, response_logits, score_logits
from ppo_helpers.language.writing import rate_by_size

pytestmark = pytest.mark.usefixtures("one_thread")


def tied_llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=28, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=24, initializer_range=0.4, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


MODELS = {
    "bundled": lambda: load_gpt2("tiny")[0],
    "equal rows": lambda: with_equal_rows(small_gpt2()),
    "no equal rows": small_gpt2,
    "tied llama": lambda: with_equal_rows(tied_llama()),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def texts(model, device="cpu"):
    """Three texts of eight tokens, padded on the left, on the right, not at all; equal rows are among them."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, model.config.vocab_size - 1, (3, 8), generator=generator)
    ids[2, 4:6] = torch.tensor([20, 2])
    mask = torch.ones_like(ids)
    mask[0, :2], mask[1, -2:] = 0, 0
    return ids, mask


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_log_probs_entropies_and_gradients_are_those_of_the_whole_vocabulary(model, temperature):
    model = model.double()
    folded = fold(model)
    ids, mask = texts(model)
    counted, found = mask[:, 3:].bool(), []
    for one in (model, folded):
        scores = score(one, ids, 3, mask, temperature, entropy=True)
        weighed = (scores.logprobs.sin() + scores.entropy)[counted].sum()
        found.append(
            (*(x[counted] for x in scores if x is not None), torch.autograd.grad(weighed, [*one.parameters()]))
        )
    (logprobs, entropies, gradients), (again, entropies_again, gradients_again) = found
    torch.testing.assert_close(again, logprobs, atol=1e-10, rtol=0)
    torch.testing.assert_close(entropies_again, entropies, atol=1e-9, rtol=0)
    rows = folded.get_input_embeddings()
    for (name, _), wanted, ours in zip(model.named_parameters(), gradients, gradients_again, strict=True):
        if name.endswith(("wte.weight", "embed_tokens.weight")):  # a shared row feels what its copies feel together
            wanted = torch.zeros_like(rows.weight).index_add(0, rows.rows, wanted)
        torch.testing.assert_close(ours, wanted, atol=1e-9, rtol=1e-9, msg=name)


def test_probabilities_of_all_tokens_add_up_to_one():
    model = with_equal_rows(small_gpt2())
    every = torch.arange(28)[:, None]
    ids = torch.cat([torch.tensor([[3, 1]]).expand(28, 2), every], dim=1)
    probabilities = score(fold(model), ids, 2, temperature=0.7).logprobs.exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-6)
    assert probabilities[1] == probabilities[2] and probabilities[16:26].unique().numel() == 1


def test_the_generator_alone_decides_which_of_the_equal_tokens_is_drawn():
    model, draws = fold(with_equal_rows(small_gpt2())), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(3)
        draws.append(sample(model, Letters(), ["a"] * 60, 6, generator=generator))
    assert torch.equal(draws[0].tokens, draws[1].tokens)
    copies = model.get_input_embeddings().copies[model.get_input_embeddings().rows[draws[0].tokens]]
    assert ((copies > 1) & draws[0].mask).sum() > 20


@pytest.mark.slow
def test_tokens_that_share_a_row_are_drawn_alike_and_all_as_often_as_they_are_likely():
    model, count = with_equal_rows(small_gpt2()), 20_000
    generator = torch.Generator().manual_seed(0)
    drawn = sample(fold(model), Letters(), ["a"] * count, 1, 1.3, generator=generator)
    with torch.no_grad():
        wanted = (model(torch.tensor([[0]])).logits[0, 0] / 1.3).softmax(-1).double()
    counts = drawn.tokens.flatten().bincount(minlength=28).double()
    assert chisquare(counts, wanted / wanted.sum() * count).pvalue > 1e-3
    assert chisquare(counts[16:26]).pvalue > 1e-3 and chisquare(counts[1:3]).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [0.6, 1.0])
def test_what_is_drawn_is_what_is_scored_folded_or_not(temperature):
    model = with_equal_rows(small_gpt2())
    folded, prompts = fold(model), ["ab", "hello", "x y"]
    drawn = sample(folded, Letters(), prompts * 20, 8, temperature, generator=torch.Generator().manual_seed(0))
    assert torch.isin(drawn.tokens[drawn.mask], torch.arange(16, 26)).any()
    for one in (folded, model):
        with torch.no_grad():
            scored = drawn.logprobs(one, temperature)
        torch.testing.assert_close(scored, drawn.sampled_logprobs, atol=1e-5, rtol=0)


def test_a_row_s_tokens_come_by_their_share():
    rows = FoldedEmbedding(torch.tensor([[1.0], [0.0], [1.0], [1.0], [2.0]]))
    assert rows.weight[:, 0].tolist() == [0, 1, 2] and rows.copies.tolist() == [1, 3, 1]
    shares = torch.tensor([0.0, 0.34, 0.99, 0.5, 1.0])
    assert rows.tokens_of(torch.tensor([1, 1, 1, 0, 2]), shares).tolist() == [0, 2, 3, 1, 4]
    assert rows(torch.tensor([[4, 1, 3]])).squeeze().tolist() == [2, 0, 1]
    assert rows.num_embeddings == 5 and rows.embedding_dim == 1


@pytest.mark.slow
def test_unfolding_gives_the_very_model_back(model):
    again = unfold(fold(model))
    ours, theirs = again.state_dict(), model.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], x) for name, x in theirs.items())
    ids, mask = texts(model)
    with torch.no_grad():
        found, wanted = (m(input_ids=ids, attention_mask=mask).logits for m in (again, model))
    assert torch.equal(found, wanted) and again.get_output_embeddings().weight is again.get_input_embeddings().weight


def test_a_trained_model_says_the_same_unfolded():
    model = with_equal_rows(small_gpt2())
    before = copy.deepcopy(model.state_dict())
    folded = fold(model)
    ids, mask = texts(model)
    optimizer = torch.optim.Adam(folded.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        score(folded, ids, 3, mask).logprobs.mean().backward()
        optimizer.step()
    whole = unfold(folded)
    found = [score(one, ids, 3, mask, entropy=True) for one in (folded, whole)]
    torch.testing.assert_close(found[0].logprobs, found[1].logprobs, atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0].entropy, found[1].entropy, atol=1e-5, rtol=0)
    assert not torch.equal(whole.transformer.wte.weight, before["transformer.wte.weight"])
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())  # fold made a copy


@pytest.mark.slow
def test_the_bundled_model_has_2866_rows_and_one_of_them_for_47392_tokens():
    model, _ = load_gpt2("tiny")
    folded = fold(model)
    rows = folded.get_input_embeddings()
    assert rows.weight.shape == (2866, 128) and int(rows.copies.max()) == 47_392 and rows.num_embeddings == 50_257
    assert folded.get_output_embeddings().weight is rows.weight
    assert rate_by_size(folded) == rate_by_size(model)  # not a smaller model, only less work
    assert sum(p.numel() for p in folded.parameters()) < sum(p.numel() for p in model.parameters()) / 5


def test_folding_keeps_what_belongs_to_the_model():
    model, state = small_gpt2().requires_grad_(False).to(torch.bfloat16), torch.random.get_rng_state()
    folded = fold(model.train())
    whole = unfold(folded)
    for one in (folded, whole):
        weight = one.get_input_embeddings().weight
        assert weight.dtype == torch.bfloat16 and not weight.requires_grad and not one.training
        assert len({id(p) for p in one.parameters()}) == len([*one.parameters()]) == len([*model.parameters()])
    assert model.training and torch.equal(torch.random.get_rng_state(), state)
    assert folded.get_input_embeddings().log_copies.dtype == torch.float32  # of 47,392 copies bfloat16 is .02 off


def test_folding_twice_is_folding_once():
    once = fold(with_equal_rows(small_gpt2()))
    twice = fold(once)
    assert twice is not once and twice.get_input_embeddings().num_embeddings == 28
    ids, mask = texts(once)
    with torch.no_grad():
        assert torch.equal(score(once, ids, 3, mask).logprobs, score(twice, ids, 3, mask).logprobs)


def test_models_that_cannot_be_folded_are_named():
    model = small_gpt2()
    untied = copy.deepcopy(model)
    untied.lm_head.weight = torch.nn.Parameter(untied.lm_head.weight.detach().clone())
    biased = copy.deepcopy(model)
    biased.lm_head.bias = torch.nn.Parameter(torch.zeros(28))
    for wrong in (untied, biased, GPT2Model(model.config)):
        with pytest.raises(ValueError, match="model must share its embedding with its output, without a bias; GPT2"):
            fold(wrong)
    with pytest.raises(ValueError, match="folded must be a model that fold has made, got an ordinary GPT2LMHeadModel"):
        unfold(model)


@pytest.mark.parametrize("options", [{"top_k": 5}, {"top_p": 0.5}])
def test_a_folded_model_does_not_draw_among_the_likeliest(options):
    with pytest.raises(ValueError, match="top_k and top_p must be None for a folded model: rows are not tokens"):
        sample(fold(small_gpt2()), Letters(), ["a"], 2, **options)


def test_an_embedding_that_does_more_than_look_up_is_refused():
    class Scaled(nn.Embedding):
        def forward(self, ids):
            return 4 * super().forward(ids)

    for embedding in (Scaled(28, 16), nn.Embedding(28, 16, max_norm=1.0)):
        model = small_gpt2()
        model.set_input_embeddings(embedding)
        model.lm_head.weight = embedding.weight
        with pytest.raises(ValueError, match="model must look its embedding up and do no more, got "):
            fold(model)


def test_the_entropy_of_equal_rows_is_precise_under_autocast():
    model = MODELS["equal rows"]()
    ids, mask = texts(model)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = response_logits(fold(model), ids, 3, mask)[0]
        entropies = [
            score_logits(scores, ids[:, 3:], entropy=True, folded=folding(fold(model)))[1]
            for scores in (logits, logits.float())
        ]
    torch.testing.assert_close(*entropies, atol=1e-5, rtol=0)
