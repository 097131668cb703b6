"""Writing: what is collected, how it is evaluated, and what a training promises. The twin of ``test_walking``."""

import copy
import itertools
from dataclasses import asdict, replace
from math import exp, inf, isnan, nan

import numpy as np
import pytest
import torch
from letters import Letters, small_gpt2, with_equal_rows
from transformers import GPT2Config, GPT2LMHeadModel

from ppo_helpers import checkpoint
from ppo_helpers.language import load_gpt2, score, writing
from ppo_helpers.language.folding import fold
from ppo_helpers.language.rater import SentimentRater, words
from ppo_helpers.language.rewards import AdaptiveKL, FixedKL, of_text, token_rewards
from ppo_helpers.language.sft import PROMPTS as SENTENCES
from ppo_helpers.language.value_head import WithValueHead
from ppo_helpers.language.writing import (
    Training,
    WriteConfig,
    assess,
    evaluator,
    rate_by_size,
    train_rlhf,
)
from ppo_helpers.ppo import ppo_update

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPTS = ["ab", "hello", "x y"]
SMALL = WriteConfig(iterations=7, texts=8, max_new_tokens=6, minibatch_size=4, epochs=2, learning_rate=3e-3)
share_of_a = of_text(lambda prompt, text: text.count("a") / max(1, len(text)))
share_of_early = of_text(lambda prompt, text: sum(letter < "n" for letter in text) / max(1, len(text)))
shortness = of_text(lambda prompt, text: -len(text))


def training(config=SMALL, seed=0, model=None, reward=share_of_a, prompts=PROMPTS, **options):
    return Training(model or small_gpt2(), Letters(), prompts, reward, config, seed, **options)


def run(config=SMALL, seed=0, model=None, reward=share_of_a, prompts=PROMPTS, **options):
    return list(train_rlhf(model or small_gpt2(), Letters(), prompts, reward, config, seed, progress=False, **options))


def weights(policy):
    return torch.cat([p.detach().flatten() for p in policy.parameters()])


def same(one, two):
    """To the last bit, wherever it is in the state."""
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    return one == two or str(one) == str(two)


# --- collecting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [small_gpt2, lambda: fold(with_equal_rows(small_gpt2()))], ids=["gpt2", "folded"])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_what_is_collected_is_what_the_models_say(kind, temperature):
    model, reference = kind(), kind()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.mul_(0.9)
    config = replace(SMALL, temperature=temperature)
    writer = training(config, model=model, reference=reference, kl=FixedKL(0.3))
    with torch.no_grad():
        writer.policy.value_head.weight.normal_(generator=torch.Generator().manual_seed(0))
    seen = writer.collect()
    responses, mask = seen.answers.responses, seen.mask
    with torch.no_grad():
        scores = score(writer.policy, **seen.inputs, prompt_length=responses.prompt_length, temperature=temperature)
        ref_logprobs = responses.logprobs(reference, temperature)
    torch.testing.assert_close(seen.logprobs[mask], scores.logprobs[mask])
    torch.testing.assert_close(seen.values[mask], scores.values[mask])
    torch.testing.assert_close(seen.ref_logprobs, ref_logprobs)
    torch.testing.assert_close(seen.sampled_logprobs, seen.logprobs, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.kl, (seen.logprobs - ref_logprobs).sum(1))
    torch.testing.assert_close(seen.scores, share_of_a(seen.answers))
    torch.testing.assert_close(seen.rewards, token_rewards(seen.logprobs, ref_logprobs, seen.scores, mask, 0.3))
    assert seen.kl.abs().max() > 0.01 and seen.whole and mask.shape == seen.rewards.shape
    for x in (seen.logprobs, seen.values, seen.rewards, seen.ref_logprobs):
        assert x[~mask].eq(0).all() and not x.requires_grad


def test_every_text_is_done_at_its_last_token_and_nowhere_else():
    seen = training(replace(SMALL, texts=40)).collect()
    assert not seen.mask.all() and seen.dones.sum(1).eq(1).all()
    for done, keep, ended, tokens in zip(
        seen.dones, seen.mask, seen.answers.responses.ended, seen.answers.responses.tokens, strict=True
    ):
        assert done.nonzero().item() == keep.nonzero().max().item()
        assert (tokens[keep][-1] == 27).item() == ended.item()
    torch.testing.assert_close(seen.batch(1.0, 1.0).returns[:, 0], seen.rewards.sum(1))


@pytest.mark.parametrize("texts", [1, 3, 8])
def test_prompts_come_in_a_new_order_each_as_often_as_any_other(texts):
    writer, asked = training(replace(SMALL, texts=texts)), []
    for _ in range(3):
        prompts = writer.collect().answers.prompts
        counts = [prompts.count(prompt) for prompt in PROMPTS]
        assert len(prompts) == texts and max(counts) - min(counts) <= 1
        writer.under_way = False  # as if it were finished: go on to the next batch
        asked.append(prompts)
    assert texts == 1 or asked[0] != asked[1] or asked[1] != asked[2]


def test_in_micro_batches_the_same_is_collected():
    whole, parts = (training(replace(SMALL, micro_batch=size)).collect() for size in (None, 3))
    assert whole.answers.texts == parts.answers.texts
    for name in ("logprobs", "values", "rewards", "ref_logprobs"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name), atol=1e-5, rtol=0)


def test_collecting_again_is_collecting_the_same():
    writer = training()
    writer.iterate()
    one, two = writer.collect(), writer.collect()
    assert one.answers.texts == two.answers.texts and torch.equal(one.logprobs, two.logprobs)


# --- evaluating -----------------------------------------------------------------------------------------------------


def test_the_evaluator_gives_log_probs_values_and_entropies_of_the_same_texts():
    writer = training(replace(SMALL, temperature=0.7))
    batch = writer.collect().batch(1.0, 0.95)
    logprobs, values, entropies = evaluator(writer.policy, 0.7)(batch)
    torch.testing.assert_close(logprobs[batch.mask], batch.old_logprobs[batch.mask])
    torch.testing.assert_close(values[batch.mask], batch.old_values[batch.mask])
    assert entropies is None
    entropies = evaluator(writer.policy, 0.7, entropy=True)(batch)[2]
    prompt_length = batch.inputs["sequences"].shape[1] - batch.mask.shape[1]
    wanted = score(writer.policy, prompt_length=prompt_length, temperature=0.7, entropy=True, **batch.inputs).entropy
    assert torch.equal(entropies, wanted) and entropies.shape == batch.mask.shape


def widened(batch, left, right, order):
    """The same texts in another order, with more padding on either side."""
    pad = torch.nn.functional.pad
    inputs = {name: pad(x[order], (left, right)) for name, x in batch.inputs.items()}
    names = ("old_logprobs", "advantages", "returns", "old_values", "mask", "sampled_logprobs")
    return replace(batch, inputs=inputs, **{name: pad(getattr(batch, name)[order], (0, right)) for name in names})


@pytest.mark.parametrize(("left", "right"), [(3, 0), (0, 3), (2, 1), (0, 0)])
def test_padding_and_the_order_of_texts_change_nothing(left, right):
    writer = training()
    batch, config = writer.collect().batch(1.0, 0.95), replace(SMALL, minibatch_size=8)
    found = []
    for some in (batch, widened(batch, left, right, torch.tensor([5, 2, 0, 7, 1, 3, 6, 4]))):
        policy = copy.deepcopy(writer.policy)
        optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)  # Adam makes a step of what is rounding only
        stats = ppo_update(evaluator(policy), some, optimizer, config, torch.Generator().manual_seed(0))
        found.append((weights(policy), asdict(stats)))
    torch.testing.assert_close(found[1][0], found[0][0], atol=1e-4, rtol=0)
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-4)
    assert (found[0][0] - weights(writer.policy)).abs().max() > 1e-3


# --- the loop -------------------------------------------------------------------------------------------------------

CONFIGS = {
    "plain": {},
    "micro-batches": {"micro_batch": 3},
    "entropy": {"ent_coef": 0.01},
    "temperature": {"temperature": 0.7},
    "values apart": {"separate_value": True},
    "annealed": {"anneal_lr": True, "anneal_clip": True},
    "no clip": {"clip_eps": None, "max_grad_norm": None, "whiten_advantages": False},
    "one text": {"texts": 1},
    "target KL": {"target_kl": 0.01},
    "warm-up": {"warmup": 2},
}


@pytest.mark.parametrize("change", CONFIGS.values(), ids=CONFIGS)
def test_every_ratio_is_one_before_the_first_step_and_the_sampler_agrees(change):
    for result in run(replace(SMALL, iterations=3, **change)):
        assert result.stats.first_ratio_error <= 1e-4 and result.stats.sampler_error <= 1e-4
        assert np.isfinite([result.reward, result.kl, result.length, result.stats.policy_loss]).all()
        assert 1 <= result.length <= 6 and result.tokens_per_second > 0 and isnan(result.judged)


def test_a_sampler_that_differs_is_seen(monkeypatch):
    real = writing.sample
    hot = lambda *args, **options: real(*args[:4], 2.0, **options)  # noqa: E731
    monkeypatch.setattr(writing, "sample", hot)
    stats = training().iterate().stats
    assert stats.first_ratio_error <= 1e-4 < 0.1 < stats.sampler_error


@pytest.mark.slow
def test_three_iterations_of_the_bundled_model_are_sane():
    model, tokenizer = load_gpt2("tiny")
    rater = SentimentRater()
    config = WriteConfig(iterations=3, texts=16, max_new_tokens=8)
    for result in train_rlhf(fold(model), tokenizer, SENTENCES, rater, config, judge=rater, progress=False):
        stats = result.stats
        assert stats.first_ratio_error <= 1e-4 and stats.sampler_error <= 1e-4 and stats.max_ratio < 3
        assert 0.2 < result.reward < 0.8 and result.judged == pytest.approx(result.reward) and result.kl_coef == 0.1
        assert stats.optimizer_steps == 4 and 0 < stats.approx_kl < 0.2 and 0.5 < stats.entropy < 4
    assert -1 < result.kl < 5 and result.kl != 0


@pytest.mark.slow
def test_it_learns_and_the_price_of_kl_holds_it_back():
    config = replace(SMALL, iterations=25, texts=32, minibatch_size=32, epochs=4, learning_rate=1e-2)
    free, held = (run(config, reward=share_of_early, kl=FixedKL(beta)) for beta in (0.0, 0.3))
    assert free[0].reward < 0.6 and free[0].kl == pytest.approx(0, abs=1e-5)
    late = [np.mean([[r.reward, r.kl] for r in results[-5:]], axis=0) for results in (free, held)]
    assert late[0][0] > 0.85 and late[0][0] > late[1][0] > free[0].reward and late[0][1] > 2 * late[1][1] > 0


@pytest.mark.slow
def test_the_critic_learns_what_a_text_will_be_worth():
    config = replace(SMALL, iterations=12, texts=64, minibatch_size=64, epochs=8, learning_rate=1e-3)
    for separate in (False, True):
        results = run(replace(config, separate_value=separate), reward=share_of_early)
        explained = [result.stats.explained_variance for result in results]
        assert explained[0] == pytest.approx(0, abs=1e-6) and min(explained[-3:]) > 0.1


def test_the_same_seed_gives_the_same_numbers_and_global_randomness_is_left_alone():
    before = torch.random.get_rng_state()
    first, again, other = (run(replace(SMALL, iterations=2), seed=seed)[-1] for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(weights(first.policy), weights(again.policy)) and first.stats == again.stats
    assert not torch.equal(weights(first.policy), weights(other.policy))


def test_model_and_reference_are_left_alone_even_with_dropout():
    model, reference = small_gpt2(dropout=0.2).train(), small_gpt2(1, dropout=0.2).train()
    before = [weights(model), weights(reference)]
    results = run(replace(SMALL, iterations=2), model=model, reference=reference)
    for one, was in zip((model, reference), before, strict=True):
        assert torch.equal(weights(one), was) and all(part.training for part in one.modules())
        assert all(p.grad is None for p in one.parameters())
    assert all(r.stats.first_ratio_error <= 1e-4 and r.stats.sampler_error <= 1e-4 for r in results)
    frozen = small_gpt2().requires_grad_(False)
    assert run(replace(SMALL, iterations=1), model=frozen)[0].stats.optimizer_steps == 4
    assert not any(p.requires_grad for p in frozen.parameters())


def test_the_optimiser_gets_the_annealed_rate_and_the_value_head_its_multiple():
    writer, rates = training(replace(SMALL, iterations=4, anneal_lr=True)), []
    for _ in range(4):
        writer.iterate()
        rates.append([group["lr"] for group in writer.optimizer.param_groups])
    np.testing.assert_allclose(rates, np.outer([3e-3, 2.25e-3, 1.5e-3, 0.75e-3], [1, 10]))
    with pytest.raises(ValueError, match="iterations must be above 4 to go on"):
        writer.iterate()
    assert writer.done == 4 and not writer.under_way


def test_the_rate_climbs_in_equal_steps_while_it_warms_up():
    rates = lambda **change: [replace(SMALL, iterations=6, **change).at(i).learning_rate / 3e-3 for i in range(6)]  # noqa: E731
    np.testing.assert_allclose(rates(warmup=4), [0.25, 0.5, 0.75, 1, 1, 1])
    np.testing.assert_allclose(rates(warmup=2, anneal_lr=True), np.array([3, 5, 4, 3, 2, 1]) / 6)
    assert rates(warmup=0) == rates(warmup=1) == rates() == [1] * 6
    writer = training(replace(SMALL, warmup=2))
    for rate in (1.5e-3, 3e-3, 3e-3):
        writer.iterate()
        assert [group["lr"] for group in writer.optimizer.param_groups] == pytest.approx([rate, 10 * rate])


def test_the_learning_rate_follows_the_size_unless_it_is_given():
    model, folded = small_gpt2(), fold(with_equal_rows(small_gpt2()))
    count = sum(p.numel() for p in model.parameters())
    config = replace(SMALL, learning_rate=None)
    assert config.learning_rate is None and rate_by_size(model) == pytest.approx(700 / count)
    for one in (model, folded):
        writer = training(config, model=one)
        assert writer.config.learning_rate == rate_by_size(model) and writer.config.texts == 8
        assert [group["lr"] for group in writer.optimizer.param_groups] == pytest.approx([700 / count, 7000 / count])
    assert training(SMALL).config.learning_rate == 3e-3


def test_an_empty_response_is_one_token_with_a_score():
    model = small_gpt2()
    model.generation_config.eos_token_id = list(range(28))  # whatever is said ends the text
    result = run(replace(SMALL, iterations=2), model=model, reward=of_text(lambda p, t: float(len(t)) + 1))[-1]
    seen = result.experience
    assert seen.answers.texts == [""] * 8 and seen.mask.shape == (8, 1) and seen.mask.all() and result.length == 1
    assert result.reward == 1 and seen.dones.all() and np.isfinite(result.stats.policy_loss)


# --- assessing ------------------------------------------------------------------------------------------------------


def test_an_assessment_by_hand():
    policy, reference = small_gpt2(), small_gpt2(1)
    longness = of_text(lambda p, t: len(t))
    found, answers = assess(policy, reference, Letters(), PROMPTS, share_of_a, longness, texts=130, max_new_tokens=5)
    again, _ = assess(policy, reference, Letters(), PROMPTS, share_of_a, texts=130, max_new_tokens=5)
    other, _ = assess(policy, reference, Letters(), PROMPTS, share_of_a, texts=130, max_new_tokens=5, seed=1)
    assert answers.prompts == [PROMPTS[i % 3] for i in range(130)] and isnan(again.judged)
    assert again._replace(judged=0) == found._replace(judged=0) != other._replace(judged=0)
    logprobs, kl, count = 0.0, 0.0, 0
    for i in range(130):  # one by one
        one = answers[[i]].responses
        with torch.no_grad():
            ours, theirs = (one.logprobs(model).double().sum().item() for model in (policy, reference))
        logprobs, kl, count = logprobs + theirs, kl + ours - theirs, count + int(one.mask.sum())
    assert found.perplexity == pytest.approx(exp(-logprobs / count), rel=1e-4)
    assert found.kl == pytest.approx(kl / 130, rel=1e-4) and found.length == pytest.approx(count / 130)
    assert found.reward == pytest.approx(np.mean([t.count("a") / max(1, len(t)) for t in answers.texts]))
    assert found.judged == pytest.approx(np.mean([len(t) for t in answers.texts]))
    assert found.unique == len(set(answers.texts)) / 130
    assert found.distinct == len({word for text in answers.texts for word in words(text)})


def test_wrong_assessments_are_named():
    model = small_gpt2()
    for options, message in (
        ({"texts": 0}, "texts must be at least 1, got 0"),
        ({"prompts": "hello"}, "prompts must be a list of at least one text, got 'hello'"),
        ({"prompts": []}, "prompts must be a list of at least one text"),
        ({"judge": lambda answers: None}, "judge must give a tensor of shape"),
    ):
        given = {"prompts": PROMPTS, "reward": share_of_a, "texts": 3, "max_new_tokens": 2} | options
        with pytest.raises(ValueError, match=message):
            assess(model, model, Letters(), **given)


# --- stopping, going on, saving -------------------------------------------------------------------------------------

WHOLE = replace(SMALL, iterations=8, anneal_lr=True, warmup=3)


def price():
    return AdaptiveKL(0.1, target=0.05, horizon=20)


@pytest.fixture(scope="module", params=[pytest.param(None, marks=pytest.mark.slow), shortness], ids=["alone", "judged"])
def straight(request):
    """What a run gives that is never stopped, with a judge and without, its price of KL changing all the time."""
    torch.set_num_threads(1)
    return run(WHOLE, seed=2, kl=price(), judge=request.param)[-1]


def goes_on(last, straight, path):
    """Saved and resumed, or gone on with as if nothing had happened: the run is the one that was never stopped."""
    last.save(path)
    done, judge = last.index, last.training.judge
    resumed = run(WHOLE, 2, kl=price(), judge=judge, checkpoint=path)
    assert [r.index for r in resumed] == list(range(done + 1, 9))
    while last.training.done < 8:
        on = last.training.iterate()
    for result in (resumed[-1], on):
        assert same(result.training.finished, straight.training.finished)
        assert result.stats == straight.stats and result.experience.answers.texts == straight.experience.answers.texts
        assert (result.kl_coef, result.reward, str(result.judged)) == (
            straight.kl_coef, straight.reward, str(straight.judged),
        )  # fmt: skip
    if judge is not None:
        assert same(resumed[-1].training.best, straight.training.best)


@pytest.mark.slow
@pytest.mark.parametrize("iteration", [1, 6])
def test_a_resumed_run_equals_one_that_never_stopped_bit_for_bit(iteration, straight, tmp_path):
    for last in train_rlhf(
        small_gpt2(),
        Letters(),
        PROMPTS,
        share_of_a,
        WHOLE,
        2,
        kl=price(),
        judge=straight.training.judge,
        progress=False,
    ):
        if last.index == iteration:
            break
    assert straight.training.kl.coef != 0.1 and bool(straight.training.best) == (straight.training.judge is not None)
    goes_on(last, straight, tmp_path / "run.safetensors")


class Stopped:
    """Somebody presses stop at the n-th call from now."""

    def __init__(self, function, left=None):
        self.function, self.left = function, left

    def __call__(self, *args, **options):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise KeyboardInterrupt
        return self.function(*args, **options)


MOMENTS = {
    "in the first token": (writing, "sample", 0),
    "while scoring": (writing, "score", 0),
    "while the reference scores": (writing, "score", 1),
    "in the reward": ("collector", "reward", 0),
    "in the judge": ("", "judge", 0),
    "in the first step": ("optimizer", "step", 0),
    "between two steps": ("optimizer", "step", 2),
    "at the price of KL": ("kl", "update", 0),
    "while the state is copied": ("", "_state", 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_at_any_moment_loses_nothing(moment, straight, tmp_path, monkeypatch):
    place, name, calls = MOMENTS[moment]
    if name == "judge" and straight.training.judge is None:
        pytest.skip("there is no judge")
    results = train_rlhf(
        small_gpt2(),
        Letters(),
        PROMPTS,
        share_of_a,
        WHOLE,
        2,
        kl=price(),
        judge=straight.training.judge,
        progress=False,
    )
    for _ in range(6):
        last = next(results)
    target = place if place is writing else last.training if place == "" else getattr(last.training, place)
    monkeypatch.setattr(target, name, Stopped(getattr(target, name), calls))
    with pytest.raises(KeyboardInterrupt):
        next(results)
    monkeypatch.undo()
    goes_on(last, straight, tmp_path / "run.safetensors")


def test_it_can_be_left_at_any_time_with_what_it_has():
    for result in train_rlhf(
        small_gpt2(), Letters(), PROMPTS, share_of_a, replace(SMALL, iterations=10**6), progress=False
    ):
        if result.index == 2:
            break
    assert torch.isfinite(weights(result.policy)).all() and result.stop is None


BAD_REWARDS = {
    "raises": (of_text(lambda p, t: 1 / 0), "reward must give a number for every text, got ZeroDivisionError"),
    "raises its own": (lambda answers: [][0], "list index out of range"),
    "nan": (lambda answers: torch.full((8,), nan), "{} must be finite, got nan for"),
    "infinite": (lambda answers: torch.full((8,), -inf), "{} must be finite, got -inf for"),
    "shape": (lambda answers: torch.zeros(8, 1), r"{} must give a tensor of shape \(8,\), .* got \(8, 1\)"),
    "none": (lambda answers: None, r"{} must give a tensor of shape \(8,\), .* got None"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("bad", "message"), BAD_REWARDS.values(), ids=BAD_REWARDS)
@pytest.mark.parametrize("whose", ["reward", "judge"])
def test_after_an_error_everything_is_as_it_was(bad, message, whose, straight, tmp_path):
    if straight.training.judge is None and whose == "judge":
        pytest.skip("there is no judge")
    runner = training(WHOLE, 2, kl=price(), judge=straight.training.judge)
    for _ in range(5):
        last = runner.iterate()
    before = (weights(runner.policy), copy.deepcopy(runner.finished), runner.kl, list(runner.recent_judged))
    place = runner.collector if whose == "reward" else runner
    good = getattr(place, whose)
    setattr(place, whose, bad)
    for _ in range(2):
        with pytest.raises((ValueError, IndexError), match=message.format(whose)):
            runner.iterate()
    assert torch.equal(weights(runner.policy), before[0]) and same(runner.finished, before[1])
    assert runner.done == 5 and runner.kl == before[2] and str(list(runner.recent_judged)) == str(before[3])
    setattr(place, whose, good)
    goes_on(last, straight, tmp_path / "run.safetensors")


def test_a_judge_that_says_nothing_is_named():
    with pytest.raises(ValueError, match=r"judge must give a tensor of shape \(8,\), one number per text, got None"):
        training(judge=lambda answers: None).iterate()


# --- the best -------------------------------------------------------------------------------------------------------


def test_the_best_weights_are_those_that_wrote_the_texts_which_were_judged():
    """Not those after their update: the best model gives these texts the very log-probs that they were drawn with."""
    given = [0, 0, 1, 3, 4, 5, 1, 0, 0]
    scores = iter(given)
    judge = lambda answers: torch.full((8,), float(next(scores)))  # noqa: E731
    results = run(replace(SMALL, iterations=9, learning_rate=1e-2), judge=judge)
    means = [np.mean(given[i - 5 : i]) for i in range(5, 10)]
    best = results[-1].training.best
    assert best["index"] == 5 + int(np.argmax(means)) == 7 and best["judged"] == pytest.approx(max(means))
    model, seen = results[-1].training.best_model(), results[6].experience
    with torch.no_grad():
        again, later = (seen.answers.responses.logprobs(m) for m in (model, results[-1].policy.model))
    torch.testing.assert_close(again, seen.logprobs, atol=1e-6, rtol=0)
    assert (later - seen.logprobs).abs().max() > 1e-2
    assert not any(p.requires_grad for p in model.parameters()) and model is not results[-1].policy.model
    assert all(p.requires_grad for p in results[-1].policy.parameters())


def test_a_run_that_only_rises_keeps_its_last_texts_weights_and_none_without_a_judge():
    count = iter(range(100))
    last = run(replace(SMALL, iterations=6), judge=lambda answers: torch.full((8,), float(next(count))))[-1]
    assert last.training.best["index"] == 6 and last.judged == 5
    alone = run(replace(SMALL, iterations=6))[-1].training
    with pytest.raises(ValueError, match="judge must have seen 5 iterations, got no judge"):
        alone.best_model()
    with pytest.raises(ValueError, match="judge must have seen 5 iterations, got 2"):
        run(replace(SMALL, iterations=2), judge=shortness)[-1].training.best_model()


# --- early ends -----------------------------------------------------------------------------------------------------


def test_a_run_ends_when_its_kl_is_too_high(tmp_path):
    config = replace(SMALL, iterations=40, learning_rate=2e-2, max_kl=1.0)
    results = run(config, reward=share_of_early, kl=FixedKL(0.0))
    kls = [r.kl for r in results]
    means = [np.mean(kls[i - 3 : i]) for i in range(3, len(kls) + 1)]
    assert 3 <= len(results) < 40 and means[-1] > 1 and all(mean <= 1 for mean in means[:-1])
    assert results[-1].stop == f"KL of {means[-1]:.1f} nats is above 1" and results[-2].stop is None
    results[-1].save(tmp_path / "x")
    assert run(config, kl=FixedKL(0.0), checkpoint=tmp_path / "x") == []
    further = train_rlhf(
        small_gpt2(), Letters(), PROMPTS, share_of_a, replace(config, max_kl=None), kl=FixedKL(0.0),
        checkpoint=tmp_path / "x", progress=False,
    )  # fmt: skip
    assert next(further).index == len(results) + 1


def test_a_run_ends_when_the_judge_has_long_seen_nothing_better():
    scores = iter([0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0, 0, 0, 0])
    judge = lambda answers: torch.full((8,), float(next(scores)))  # noqa: E731
    results = run(replace(SMALL, iterations=14, patience=3), judge=judge)
    assert results[-1].index == 11 and results[-1].training.best["index"] == 8
    assert results[-1].stop == "the judge has seen nothing better for 3 iterations" and results[-2].stop is None


# --- checkpoints ----------------------------------------------------------------------------------------------------


OTHERS = {
    "seed": ({"seed": 1}, "checkpoint must be of a training with seed 1, got one with 0"),
    "gamma": ({"config": replace(SMALL, gamma=0.9)}, r"a training with gamma 0\.9, got one with 1\.0"),
    "texts": ({"config": replace(SMALL, texts=9)}, "a training with texts 9, got one with 8"),
    "rate": (
        {"config": replace(SMALL, learning_rate=None)},
        r"a training with learning_rate 0\..*, got one with 0\.003",
    ),
    "prompts": ({"prompts": ["a"]}, r"a training with prompts \['a'\], got one with \['ab', 'hello', 'x y'\]"),
    "reference": ({"reference": small_gpt2(1)}, "a training with reference [0-9a-f]+, got one with [0-9a-f]+"),
    "model": ({"model": small_gpt2(1)}, "a training with reference [0-9a-f]+, got one with [0-9a-f]+"),
    "size": ({"model": small_gpt2(n_embd=8), "reference": small_gpt2()}, "a training with parameters"),
    "price": ({"kl": FixedKL(0.4)}, r"a training with kl FixedKL\(coef=0.4\), got one with FixedKL\(coef=0.1\)"),
    "kind of price": ({"kl": AdaptiveKL()}, r"a training with kl AdaptiveKL\(.*\), got one with FixedKL\(coef=0.1\)"),
    "judge": ({"judge": shortness}, "a training with judge True, got one with False"),
    "values": ({"config": replace(SMALL, separate_value=True)}, "a training with separate_value True"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "run.safetensors"
    run(replace(SMALL, iterations=2))[-1].save(path)
    return path


@pytest.mark.parametrize(("change", "message"), OTHERS.values(), ids=OTHERS)
def test_a_checkpoint_of_another_training_is_refused_by_name(saved, change, message):
    other = training(**change)
    before = copy.deepcopy(other.finished)
    with pytest.raises(ValueError, match=message):
        other.load(saved)
    assert same(other.finished, before) and same(other._state(), before)


def test_more_iterations_and_other_limits_are_no_other_training(saved):
    assert run(replace(SMALL, iterations=3, max_kl=9.0), checkpoint=saved)[0].index == 3
    assert run(replace(SMALL, iterations=2), checkpoint=saved) == []


@pytest.mark.parametrize("how", ["missing", "cut", "text", "flipped"])
def test_a_damaged_checkpoint_is_refused_and_the_training_goes_on_untouched(saved, how, tmp_path):
    path, content = tmp_path / "x", bytearray(saved.read_bytes())
    if how == "cut":
        path.write_bytes(content[:-3])
    elif how == "text":
        path.write_text("not a checkpoint")
    elif how == "flipped":
        content[-4] ^= 1
        path.write_bytes(content)
    writer, wanted = training(), run(replace(SMALL, iterations=2))[-1]
    writer.iterate()
    with pytest.raises(ValueError, match="checkpoint must be"):
        writer.load(path)
    assert writer.iterate().stats == wanted.stats


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("policy", lambda x: {}, r"checkpoint must hold \[.*\] under policy, got \[\]"),
        ("optimizer", lambda x: {"0": x["0"]}, r"checkpoint must hold \['0', '1', .*\] under optimizer, got \['0'\]"),
        (
            "best",
            lambda x: {"index": 5, "judged": 1.0, "policy": {"value_head.bias": torch.zeros(1)}},
            r"checkpoint must hold \[.*\] under best\.policy, got \['value_head.bias'\]",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_named_before_anything_has_changed(part, change, message, tmp_path):
    writer = training()
    writer.iterate()
    state = writer.finished
    checkpoint.save(tmp_path / "x", state | {part: change(state[part])}, writer._identity())
    other = training()
    before = copy.deepcopy(other._state())
    with pytest.raises(ValueError, match=message):
        other.load(tmp_path / "x")
    assert same(other._state(), before)


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": []}, r"prompts must be a list of at least one text, got \[\]"),
        ({"prompts": "hello"}, "prompts must be a list of at least one text, got 'hello'"),
        ({"reference": "gpt2"}, "reference must be a language model, got 'gpt2'"),
        ({"reference": torch.nn.Linear(2, 2)}, "reference must be a language model, got Linear"),
        ({"reference": small_gpt2(vocabulary=30)}, "reference must have the policy's vocabulary of 28 tokens, got 30"),
        ({"model": WithValueHead(small_gpt2())}, "model must be a language model of transformers, got WithValueHead"),
        ({"config": 3}, "config must be a WriteConfig, got 3"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": True}, "seed must be a whole number of at least 0, got True"),
        ({"kl": 0.1}, r"kl must be a FixedKL or an AdaptiveKL, got 0\.1"),
        ({"config": replace(SMALL, patience=3)}, "judge must be given for patience 3, got None"),
    ],
)
def test_bad_input_is_named_at_once(change, message):
    with pytest.raises(ValueError, match=message):
        training(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": 0}, "texts must be a whole number of at least 1, got 0"),
        ({"max_new_tokens": 1.5}, r"max_new_tokens must be a whole number of at least 1, got 1\.5"),
        ({"micro_batch": 0}, "micro_batch must be a whole number of at least 1, got 0"),
        ({"patience": 0}, "patience must be a whole number of at least 1, got 0"),
        ({"temperature": 0}, "temperature must be positive and finite, got 0"),
        ({"value_factor": -1}, "value_factor must be positive and finite, got -1"),
        ({"max_kl": 0}, "max_kl must be positive or None, got 0"),
        ({"warmup": -1}, "warmup must be a whole number of at least 0, got -1"),
        ({"warmup": 0.5}, r"warmup must be a whole number of at least 0, got 0\.5"),
        ({"warmup": True}, "warmup must be a whole number of at least 0, got True"),
        ({"separate_value": 1}, "separate_value must be True or False, got 1"),
        ({"learning_rate": -1}, "learning_rate must be finite and not negative, got -1"),
        ({"gamma": 2}, r"gamma must be in \[0, 1\], got 2"),
    ],
)
def test_wrong_numbers_are_named_with_and_without_a_learning_rate(change, message):
    for rate in ({}, {"learning_rate": 1e-3}):
        with pytest.raises(ValueError, match=message):
            WriteConfig(**(rate | change))


def test_a_negative_price_is_named_and_nothing_is_lost():
    with pytest.raises(ValueError, match="coef must be finite and not negative, got -1"):
        FixedKL(-1)
    writer = training()
    writer.kl.coef = -1.0
    with pytest.raises(ValueError, match=r"kl_coef must be finite and not negative, got -1\.0"):
        writer.iterate()
    assert writer.done == 0


def test_the_reader_s_own_price_is_not_changed():
    own = AdaptiveKL(0.1, target=0.01, horizon=8)
    results = run(replace(SMALL, iterations=3), kl=own)
    assert own.coef == 0.1 and results[0].kl_coef == 0.1 and results[2].kl_coef != 0.1
    for earlier, later in itertools.pairwise(results):
        by_hand = AdaptiveKL(earlier.kl_coef, 0.01, 8)
        by_hand.update(earlier.kl, 8)
        assert later.kl_coef == by_hand.coef


@pytest.mark.parametrize(("prompt", "message"), [("a" * 19, r"must fit into the model's context of 24 tokens, got 25"),
                                                 ("", r"prompts\[0\] must not be empty")])  # fmt: skip
def test_a_prompt_that_cannot_be_answered_is_named_and_nothing_is_lost(prompt, message):
    writer = training(prompts=[prompt])
    before = copy.deepcopy(writer.finished)
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            writer.iterate()
    assert writer.done == 0 and same(writer.finished, before)
    writer.collector.prompts = PROMPTS
    assert writer.iterate().stats == training().iterate().stats


# --- real size ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_three_iterations_of_a_model_of_gpt2_s_size():
    torch.manual_seed(0)
    model, (_, tokenizer) = GPT2LMHeadModel(GPT2Config()).eval(), load_gpt2("tiny")
    config = WriteConfig(iterations=3, texts=2, max_new_tokens=8, micro_batch=1)
    reward = of_text(lambda prompt, text: text.count(" ") / 8)
    for result in train_rlhf(model, tokenizer, SENTENCES, reward, config, progress=False):
        stats = result.stats
        assert stats.first_ratio_error <= 1e-4 and stats.sampler_error <= 1e-4
        assert np.isfinite([stats.policy_loss, stats.value_loss, stats.grad_norm, stats.approx_kl, result.kl]).all()
        assert stats.entropy > 0 and stats.optimizer_steps == 4 and 1 <= result.length <= 8
        assert result.index > 1 or (result.kl == pytest.approx(0, abs=1e-3) and 10 < stats.entropy < 11.5)
    assert result.training.config.learning_rate == pytest.approx(5.6e-6, rel=0.01)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_policy_in_half_precision_is_refused(dtype):
    with pytest.raises(ValueError, match=f"model must keep the weights that learn in float32, got {dtype}"):
        training(model=small_gpt2().to(dtype))


def test_a_stop_at_the_very_end_can_be_gone_on_from(monkeypatch):
    config = replace(SMALL, iterations=2, anneal_lr=True)
    straight, broken = training(config), training(config)
    wanted = [straight.iterate() for _ in range(2)][-1]
    broken.iterate()

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(broken, "_state", interrupted)
        broken.iterate()
    assert torch.equal(weights(broken.iterate().policy), weights(wanted.policy))


def test_a_price_of_numpys_numbers_is_saved_and_found_again(tmp_path):
    config, price = replace(SMALL, iterations=2, max_new_tokens=np.int64(4)), FixedKL(np.float32(0.1))
    run(replace(config, iterations=1), kl=price)[-1].save(tmp_path / "run.safetensors")
    assert run(config, kl=price, checkpoint=tmp_path / "run.safetensors")[-1].index == 2


def test_without_a_learning_rate_there_are_no_numbers_of_an_iteration():
    with pytest.raises(ValueError, match="learning_rate must be a number here, got None"):
        WriteConfig().at(0)
    for name in ("temperature", "value_factor"):
        with pytest.raises(ValueError, match=f"{name} must be positive and finite, got inf"):
            WriteConfig(**{name: inf})
