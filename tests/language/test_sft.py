"""Supervised fine-tuning: transformers' own loss, demonstrations that nobody has trained on, a model that learns."""

import gzip
from math import isnan, log
from pathlib import Path

import pytest
import torch
from letters import Letters, small_gpt2

from ppo_helpers.language import load_gpt2
from ppo_helpers.language.answers import pack
from ppo_helpers.language.folding import fold
from ppo_helpers.language.sft import PROMPTS, demonstrations, sft_loss, train_sft

pytestmark = pytest.mark.usefixtures("one_thread")
CORPUS = Path(__file__).parents[2] / "making_tiny_gpt2" / "corpus"
PAIRS = [("ab", "cde"), ("abcd", ""), ("x", "yzyzyz"), ("hello", " you")]


@pytest.mark.parametrize("kind", ["small", "bundled"])
def test_the_loss_is_transformers_own_with_the_prompt_masked(kind):
    if kind == "small":
        model, tokenizer, pairs = small_gpt2(), Letters(), PAIRS
    else:
        (model, tokenizer), pairs = load_gpt2("tiny"), demonstrations()[:4]
    total, count = 0.0, 0
    for prompt, text in pairs:  # each by itself, unpadded, with the end that it is taught
        before, after = tokenizer(prompt)["input_ids"], [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]
        ids, labels = torch.tensor([before + after]), torch.tensor([[-100] * len(before) + after])
        total += model(input_ids=ids, labels=labels).loss.item() * len(after)
        count += len(after)
    for one in (model, fold(model)):
        assert sft_loss(one, pack(tokenizer, pairs)).item() == pytest.approx(total / count, abs=2e-5)


def test_the_prompt_is_not_learned_and_padding_is_not_either():
    model, answers = small_gpt2(), pack(Letters(), PAIRS)
    changed = pack(Letters(), PAIRS)
    changed.responses.sequences[changed.responses.attention_mask == 0] = 5
    assert sft_loss(model, answers).item() == pytest.approx(sft_loss(model, changed).item(), abs=1e-6)
    uniform = small_gpt2()
    with torch.no_grad():
        uniform.transformer.wte.weight.zero_()
    assert sft_loss(uniform, answers).item() == pytest.approx(log(28), abs=1e-5)


def test_demonstrations_are_held_out_reviews_that_answer_the_prompts():
    pairs = demonstrations()
    assert len(pairs) == 335 and {prompt for prompt, _ in pairs} <= set(PROMPTS) and len(set(PROMPTS)) == 10
    with gzip.open(CORPUS / "train.txt.gz", "rt", encoding="utf-8") as lines:
        trained = {line.rstrip("\n").split("\t", 1)[1] for line in lines}
    with gzip.open(CORPUS / "val.txt.gz", "rt", encoding="utf-8") as lines:
        held_out = {line.rstrip("\n").split("\t", 1)[1] for line in lines}
    texts = {prompt + response for prompt, response in pairs}
    assert not texts & trained and texts <= held_out


@pytest.mark.slow
def test_a_demonstration_is_cut_into_the_tokens_of_its_whole_text():
    _, tokenizer = load_gpt2("tiny")
    for prompt, response in demonstrations():
        after = tokenizer(response)["input_ids"]
        assert len(after) <= 15 and tokenizer(prompt)["input_ids"] + after == tokenizer(prompt + response)["input_ids"]


@pytest.mark.slow
def test_the_bundled_model_learns_from_them():
    base, tokenizer = load_gpt2("tiny")
    model = fold(base)
    epochs = list(train_sft(model, tokenizer, demonstrations()[:120], 1, batch_size=8, progress=False))
    assert [epoch.done for epoch in epochs] == [0, 1] and isnan(epochs[0].train_loss)
    assert epochs[1].held_out_loss < epochs[0].held_out_loss and not model.training
    unseen = pack(tokenizer, demonstrations()[108:120])
    with torch.no_grad():
        assert sft_loss(base, unseen).item() == pytest.approx(epochs[0].held_out_loss, abs=1e-4)
        assert sft_loss(model, unseen).item() == pytest.approx(epochs[1].held_out_loss, abs=1e-6)


@pytest.mark.slow
def test_it_learns_a_rule_by_heart_and_repeats_itself():
    pairs, found = [("ab", "cde"), ("x", "yz")] * 10, []
    for seed in (0, 0, 1):
        model = small_gpt2(dropout=0.1).train()  # it trains without dropout, whatever the mode was
        epochs = list(train_sft(model, Letters(), pairs, 25, 1e-2, 8, seed=seed, progress=False))
        found.append([epoch.held_out_loss for epoch in epochs])
        assert found[-1][-1] < 0.2 < 1 < found[-1][0] and epochs[-1].train_loss < 0.2
    assert found[0] == found[1] != found[2]


def test_what_is_held_out_is_only_looked_at():
    def losses(last):
        pairs = [("ab", "cde")] * 9 + [("ab", last)]
        return list(train_sft(model := small_gpt2(), Letters(), pairs, 1, 1e-2, progress=False)), model

    (one, first), (two, second) = losses("cde"), losses("zzz")
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))
    assert one[1].held_out_loss != two[1].held_out_loss and one[1].train_loss == two[1].train_loss


def test_it_can_be_left_after_any_epoch():
    model = small_gpt2()
    for epoch in train_sft(model, Letters(), PAIRS * 3, 10**6, 1e-2, progress=False):
        if epoch.done == 2:
            break
    with torch.no_grad():
        assert sft_loss(model, pack(Letters(), PAIRS[3:])).item() == pytest.approx(epoch.held_out_loss, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"held_out": 0.0}, r"held_out must leave pairs on both sides, got 0\.0 of 4"),
        ({"held_out": 1.0}, r"held_out must leave pairs on both sides, got 1\.0 of 4"),
        ({"pairs": []}, r"held_out must leave pairs on both sides, got 0\.5 of 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_wrong_numbers_are_named_at_once(change, message):
    with pytest.raises(ValueError, match=message):
        train_sft(**({"model": small_gpt2(), "tokenizer": Letters(), "pairs": PAIRS, "held_out": 0.5} | change))


def test_between_two_epochs_a_reader_may_train_something_else():
    epochs = train_sft(small_gpt2(), Letters(), PAIRS, epochs=1, held_out=0.25, progress=False)
    for _ in epochs:
        assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.requires_grad_(False), r"GPT2LMHeadModel is frozen: model\.requires_grad_\(True\)"),
        (lambda model: model.bfloat16(), r"the weights that learn in float32, got torch\.bfloat16: model\.float\(\)"),
        (lambda model: model.half(), r"the weights that learn in float32, got torch\.float16"),
    ],
)
def test_a_model_that_cannot_learn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        next(train_sft(change(small_gpt2()), Letters(), PAIRS, held_out=0.25, progress=False))
