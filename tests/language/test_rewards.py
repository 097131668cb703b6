"""What a text is worth: comparisons by a noisy rater, the model that learns from them, what each token earns."""

from dataclasses import replace
from math import exp, inf, log, nan

import numpy as np
import pytest
import torch
from letters import Letters, small_gpt2
from scipy.stats import chisquare
from torch import nn

from ppo_helpers.language import sample
from ppo_helpers.language.answers import Answers, joined, pack, write, write_groups
from ppo_helpers.language.folding import fold
from ppo_helpers.language.rewards import (
    Accuracy,
    AdaptiveKL,
    FixedKL,
    RewardModel,
    accuracy,
    compare,
    of_text,
    preference_loss,
    scores_of,
    token_rewards,
    train_reward_model,
)

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPTS = ["ab", "hello", "x y"]


def given(*texts, prompt="a"):
    return pack(Letters(), [(prompt, text) for text in texts])


def share_of_a(answers):
    return torch.tensor([text.count("a") / max(1, len(text)) for text in answers.texts])


def share_of_early(answers):
    return torch.tensor([sum(letter < "n" for letter in text) / max(1, len(text)) for text in answers.texts])


# --- answers --------------------------------------------------------------------------------------------------------


def test_given_texts_have_the_shape_of_written_ones():
    answers = pack(Letters(), [("ab", "cde"), ("abcd", ""), ("x", "yz")])
    responses = answers.responses
    assert responses.sequences.tolist()[0] == [27, 27, 0, 1, 2, 3, 4, 27] and responses.prompt_length == 4
    assert responses.attention_mask.tolist() == [
        [0, 0, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 0, 0, 0],
        [0] * 3 + [1] * 4 + [0],
    ]
    assert responses.mask.sum(1).tolist() == [4, 1, 3] and responses.ended.all() and answers.texts == ["cde", "", "yz"]
    written = sample(small_gpt2(), Letters(), PROMPTS, 3)
    for name, x in vars(written).items():
        if isinstance(x, torch.Tensor):
            assert getattr(responses, name).dtype == x.dtype and getattr(responses, name).ndim == x.ndim, name


def test_answers_are_joined_without_a_change_to_any():
    model, generator = small_gpt2(), torch.Generator().manual_seed(0)
    parts = [Answers(p, sample(model, Letters(), p, n, generator=generator)) for p, n in ((PROMPTS, 7), (["a"], 2))]
    both = joined(parts)
    assert both.prompts == [*PROMPTS, "a"] and len(both) == 4 and both.texts == parts[0].texts + parts[1].texts
    for rows, part in ((slice(0, 3), parts[0]), ([3], parts[1])):
        with torch.no_grad():
            ours, theirs = both[rows].responses.logprobs(model), part.responses.logprobs(model)
        width = theirs.shape[1]
        torch.testing.assert_close(ours[:, :width], theirs, atol=1e-5, rtol=0)
        assert ours[:, width:].eq(0).all() and torch.equal(both[rows].responses.ended, part.responses.ended)
        assert torch.equal(both[rows].responses.sampled_logprobs[:, :width], part.responses.sampled_logprobs)


@pytest.mark.parametrize("rows", [slice(1, 3), [2, 0], torch.tensor([1, 1]), torch.tensor([True, False, True])])
def test_rows_of_answers(rows):
    answers = pack(Letters(), [("ab", "c"), ("hello", "you"), ("x", "")])
    chosen, some = torch.arange(3)[rows].tolist(), answers[rows]
    assert some.prompts == [answers.prompts[i] for i in chosen] and some.texts == [answers.texts[i] for i in chosen]
    assert torch.equal(some.responses.tokens, answers.responses.tokens[rows])


def test_many_prompts_are_answered_some_at_a_time():
    model = small_gpt2()
    few = write(model, Letters(), PROMPTS * 4, 6, 0.7, torch.Generator().manual_seed(0), at_once=5)
    assert few.prompts == PROMPTS * 4
    with torch.no_grad():
        torch.testing.assert_close(
            few.responses.logprobs(model, 0.7), few.responses.sampled_logprobs, atol=1e-5, rtol=0
        )


class Says(nn.Module):
    """Says one letter for ever."""

    def __init__(self, letter):
        super().__init__()
        self.model, self.letter = small_gpt2(), letter
        self.config, self.get_input_embeddings = self.model.config, self.model.get_input_embeddings

    def forward(self, input_ids, **options):
        out = self.model(input_ids, **options)
        out.logits = out.logits * 0 + 100 * nn.functional.one_hot(torch.tensor(self.letter), 28)
        return out


@pytest.mark.parametrize(("models", "size", "wanted"), [(1, 2, "aaaaaa"), (2, 4, "abab" * 3), (2, 3, "aba" * 3)])
def test_groups_are_to_one_prompt_and_their_writers_take_turns(models, size, wanted):
    writers = [Says(letter) for letter in range(models)]
    groups = write_groups(writers if models > 1 else writers[0], Letters(), PROMPTS, 3, size, 1)
    assert groups.prompts == [prompt for prompt in PROMPTS for _ in range(size)] and "".join(groups.texts) == wanted
    one, two, other = (write_groups(small_gpt2(), Letters(), PROMPTS, 2, 2, 5, seed).texts for seed in (1, 1, 2))
    assert one == two != other


def test_wrong_questions_are_named():
    model, letters, nobody = small_gpt2(), Letters(), Letters()
    nobody.eos_token_id = None
    for call, message in (
        (lambda: write(model, letters, [], 3), r"prompts must be a list of at least one text, got \[\]"),
        (lambda: write(model, letters, "hello", 3), "prompts must be a list of at least one text, got 'hello'"),
        (lambda: write_groups(model, letters, "hello", 3, 2, 3), "prompts must be a list of at least one text"),
        (lambda: write_groups(model, letters, PROMPTS, 0, 2, 3), "groups and size must be at least 1, got 0 and 2"),
        (lambda: write_groups([], letters, PROMPTS, 1, 2, 3), "models must be between 1 and the 2 answers .* got 0"),
        (lambda: write_groups([model] * 3, letters, PROMPTS, 1, 2, 3), "models must be between 1 and the 2 .* got 3"),
        (lambda: pack(letters, []), "pairs must hold at least one prompt and response, got none"),
        (lambda: pack(letters, [("a", "b"), ("", "b")]), r"prompts\[1\] must not be empty, got ''"),
        (lambda: pack(nobody, [("a", "b")]), "tokenizer must have an end-of-text token, got none"),
        (lambda: write(model, letters, ["a" * 20], 9), "must fit into the model's context of 24 tokens, got 29"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- a reader's own reward ------------------------------------------------------------------------------------------


def test_a_function_of_one_text_becomes_a_reward():
    reward = of_text(lambda prompt, text: len(prompt) + 10 * len(text))
    assert reward(given("b", "", "bcd", prompt="aa")).tolist() == [12, 2, 32]
    for value in (1, True, 2.5, np.float32(2.5), np.int64(3), torch.tensor(2.5), torch.tensor([2.5])):
        assert of_text(lambda *_, value=value: value)(given("b")).tolist() == [float(value)]


def fails(prompt, text):
    raise KeyError("b")


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (fails, r"reward must give a number for every text, got KeyError\('b'\) for 'abc'"),
        (lambda p, t: None, "reward must give a finite number for every text, got None for 'abc'"),
        (lambda p, t: nan, "reward must give a finite number for every text, got nan for 'abc'"),
        (lambda p, t: -inf, "reward must give a finite number for every text, got -inf for 'abc'"),
        (lambda p, t: "3", "reward must give a finite number for every text, got '3' for 'abc'"),
        (lambda p, t: torch.zeros(2), r"reward must give a finite number for every text, got tensor\(.* for 'abc'"),
    ],
)
def test_what_is_no_number_is_named_with_its_text(judge, message):
    with pytest.raises(ValueError, match=message):
        of_text(judge)(given("bc"))


def test_a_stop_within_a_reward_is_a_stop():
    def stopped(prompt, text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_text(stopped)(given("bc"))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (None, r"reward must give a tensor of shape \(2,\), one number per text, got None"),
        ([1.0, 2.0], r"reward must give a tensor of shape \(2,\), one number per text, got \[1.0, 2.0\]"),
        (torch.zeros(3), r"reward must give a tensor of shape \(2,\), one number per text, got \(3,\)"),
        (torch.zeros(2, 1), r"reward must give a tensor of shape \(2,\), one number per text, got \(2, 1\)"),
        (torch.tensor([0.0, nan]), "reward must be finite, got nan for 'ac'"),
        (torch.tensor([inf, 0.0]), "reward must be finite, got inf for 'ab'"),
    ],
)
def test_scores_are_looked_at_before_they_are_believed(scores, message):
    for name in ("reward", "judge"):
        with pytest.raises(ValueError, match=message.replace("reward", name)):
            scores_of(lambda _: scores, given("b", "c"), name)


def test_scores_are_plain_float32():
    parameter = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    found = scores_of(lambda _: parameter * 2, given("b", "c"))
    assert found.dtype == torch.float32 and not found.requires_grad and found.tolist() == [2, 4]
    assert scores_of(lambda _: torch.tensor([1, 0]), given("b", "c")).tolist() == [1, 0]


# --- comparisons ----------------------------------------------------------------------------------------------------


def three_groups(size=3, seed=0):
    texts = ["a", "ab", "abb", "bb", "ba", "aab", "aa", "b", "bba"]
    answers = pack(Letters(), [(PROMPTS[i // size], text) for i, text in enumerate(texts)])
    return compare(answers, share_of_a, size, seed=seed)


def test_every_pair_of_a_group_is_judged_once():
    seen = three_groups()
    assert len(seen) == 3 and seen.winners.shape == seen.losers.shape == seen.chances.shape == (3, 3)
    for group, (winners, losers) in enumerate(zip(seen.winners, seen.losers, strict=True)):
        pairs = {frozenset(pair) for pair in zip(winners.tolist(), losers.tolist(), strict=True)}
        first = 3 * group
        assert pairs == {frozenset(p) for p in ((first, first + 1), (first, first + 2), (first + 1, first + 2))}
    torch.testing.assert_close(seen.gold, share_of_a(seen.answers))
    gaps = (seen.gold[seen.winners] - seen.gold[seen.losers]).abs()
    torch.testing.assert_close(seen.chances, torch.sigmoid(gaps / 0.1))


def test_a_difference_is_seen_as_often_as_the_noise_says():
    gaps, groups = (0.0, 0.05, 0.1, 0.3), 4000
    for gap in gaps:
        seen = compare(
            given(*["b", "c"] * groups),
            lambda a, gap=gap: gap * torch.tensor([0.0, 1.0]).repeat(groups),
            2,
            0.1,
            seed=3,
        )
        won = (seen.winners % 2).sum().item()
        chance = 1 / (1 + exp(-gap / 0.1))
        assert chisquare([won, groups - won], [groups * chance, groups * (1 - chance)]).pvalue > 1e-3


def test_the_same_seed_asks_in_the_same_mood():
    answers, undecided = given(*["b", "c"] * 20), lambda answers: torch.zeros(len(answers))
    one, two, other = (compare(answers, undecided, 2, seed=seed).winners for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


@pytest.mark.parametrize("groups", [slice(1, 3), slice(None, None, 2), [2, 0], torch.tensor([1]), slice(0, 0)])
def test_groups_are_held_out_with_all_their_answers(groups):
    seen = three_groups()
    some, chosen = seen[groups], torch.arange(3)[groups].tolist()
    assert len(some) == len(chosen) and len(some.answers) == 3 * len(chosen)
    for pairs, wanted in ((some.winners, seen.winners), (some.losers, seen.losers)):
        texts = [[some.answers.texts[i] for i in row] for row in pairs.tolist()]
        assert texts == [[seen.answers.texts[i] for i in row] for row in wanted[chosen].tolist()]
    assert torch.equal(some.chances, seen.chances[chosen])
    torch.testing.assert_close(some.gold, share_of_a(some.answers))


def test_what_is_learned_from_and_what_is_held_out_share_no_answer():
    seen = three_groups()
    train, test = seen[:2], seen[2:]
    assert train.answers.texts + test.answers.texts == seen.answers.texts
    both = train + test
    for name in ("winners", "losers", "chances", "gold"):
        assert torch.equal(getattr(both, name), getattr(seen, name)), name
    assert both.answers.texts == seen.answers.texts and both.size == 3
    with pytest.raises(ValueError, match="groups must be of one size, got 3 and 2"):
        _ = seen + compare(given("b", "c"), share_of_a, 2)


@pytest.mark.parametrize(
    ("answers", "size", "noise", "message"),
    [
        (given("b", "c", "d"), 2, 0.1, r"answers must be groups of 2 \(at least 2\), got 3"),
        (given("b", "c"), 1, 0.1, r"answers must be groups of 1 \(at least 2\), got 2"),
        (
            pack(Letters(), [("a", "b"), ("c", "b")]),
            2,
            0.1,
            r"answers of a group must be to one prompt, got \['a', 'c'\]",
        ),
        (given("b", "c"), 2, 0.0, "noise must be positive and finite, got 0.0"),
        (given("b", "c"), 2, inf, "noise must be positive and finite, got inf"),
    ],
)
def test_wrong_comparisons_are_named(answers, size, noise, message):
    with pytest.raises(ValueError, match=message):
        compare(answers, share_of_a, size, noise)


def test_accuracy_against_numpy():
    seen = three_groups()
    scores = seen.gold + 0.4 * torch.randn(9, generator=torch.Generator().manual_seed(0))
    found = accuracy(scores, seen)
    s, g, w, c = (np.asarray(x, dtype=float) for x in (scores, seen.gold, seen.winners, seen.losers))
    w, c = w.astype(int), c.astype(int)
    ceiling = np.mean(1 / (1 + np.exp(-abs(g[w] - g[c]) / 0.1)))
    different = g[w] != g[c]
    clean = np.mean((np.sign(s[w] - s[c]) == np.sign(g[w] - g[c]))[different])
    assert found == pytest.approx(Accuracy(np.mean(s[w] > s[c]), ceiling, clean, np.corrcoef(s, g)[0, 1]), abs=1e-6)
    assert accuracy(seen.gold, seen).clean == 1 and accuracy(-seen.gold, seen).correlation == pytest.approx(-1)
    assert accuracy(torch.zeros(9), seen)[::2] == (0, 0)  # who cannot tell them apart orders none
    with pytest.raises(ValueError, match=r"scores must have shape \(9,\), one per answer, got \(3,\)"):
        accuracy(scores[:3], seen)


# --- the reward model -----------------------------------------------------------------------------------------------


def test_the_loss_by_hand():
    chosen, rejected = torch.tensor([1.0, 0.0, -2.0]), torch.tensor([0.0, 0.5, 1.0])
    wanted = np.mean([log(1 + exp(-d)) for d in (1.0, -0.5, -3.0)])
    assert preference_loss(chosen, rejected).item() == pytest.approx(wanted)
    assert preference_loss(chosen, chosen).item() == pytest.approx(log(2))
    assert preference_loss(torch.tensor([500.0]), torch.tensor([-500.0])).item() == 0
    assert preference_loss(torch.tensor([-500.0]), torch.tensor([500.0])).item() == 1000
    with pytest.raises(ValueError, match=r"chosen and rejected must have one shape, got \(3,\) and \(3, 1\)"):
        preference_loss(chosen, rejected[:, None])


def learned(model, seed=0):
    reward_model = RewardModel(model)
    with torch.no_grad():
        reward_model.head.weight.normal_(generator=torch.Generator().manual_seed(seed))
        reward_model.head.bias.fill_(0.3)
    return reward_model.eval()


@pytest.mark.parametrize("kind", [small_gpt2, lambda: fold(small_gpt2())], ids=["gpt2", "folded"])
def test_a_score_is_read_at_the_last_real_token_on_either_side(kind):
    model = kind()
    reward_model = learned(model)
    rows = [[0, 1, 2, 3, 27], [5, 27], [9, 8, 7]]
    left, right = torch.zeros(3, 5, dtype=torch.long), torch.zeros(3, 5, dtype=torch.long)
    masks = torch.zeros(2, 3, 5, dtype=torch.long)
    for i, row in enumerate(rows):
        left[i, 5 - len(row) :], right[i, : len(row)] = torch.tensor(row), torch.tensor(row)
        masks[0, i, 5 - len(row) :], masks[1, i, : len(row)] = 1, 1
    with torch.no_grad():
        found = [reward_model(ids, mask) for ids, mask in zip((left, right), masks, strict=True)]
        hidden = [model.base_model(torch.tensor([row])).last_hidden_state[0, -1] for row in rows]
        wanted = torch.stack([h @ reward_model.head.weight[0] + 0.3 for h in hidden])
    for scores in found:
        torch.testing.assert_close(scores, wanted, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="mask must leave at least one token in every row"):
        reward_model(left, torch.zeros_like(left))


def test_a_reward_model_starts_at_zero_and_leaves_the_model_alone():
    model, state = small_gpt2().requires_grad_(False), torch.random.get_rng_state()
    reward_model = RewardModel(model)
    assert reward_model.rate(given("b", "cc")).tolist() == [0, 0] and torch.equal(torch.random.get_rng_state(), state)
    assert all(p.requires_grad for p in reward_model.parameters())
    shared = {p.data_ptr() for p in model.parameters()} & {p.data_ptr() for p in reward_model.parameters()}
    assert not shared and not any(p.requires_grad for p in model.parameters())


def test_scores_of_some_answers_get_mean_0_and_deviation_1():
    reward_model, answers = learned(small_gpt2()), given("b", "cc", "abc", "zzz", "")
    before = reward_model.rate(answers)
    for _ in range(2):  # the second time nothing is left to do
        reward_model.normalise(answers)
        after = reward_model.rate(answers)
        torch.testing.assert_close(after, (before - before.mean()) / before.std())
    torch.testing.assert_close(reward_model.rate(answers, at_once=2), after, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="answers must be at least 2 to have a standard deviation, got 1"):
        reward_model.normalise(answers[:1])
    flat = RewardModel(small_gpt2())
    flat.normalise(answers)
    assert flat.rate(answers).tolist() == [0] * 5  # no division by 0


@pytest.fixture(scope="module")
def liked():
    """200 groups of four texts by a small model; the rater likes the first half of the alphabet."""
    answers = write_groups(small_gpt2(), Letters(), PROMPTS, 200, 4, 6)
    return compare(answers, share_of_early, 4, noise=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_it_learns_what_is_liked_from_comparisons_alone(liked, dropout):
    model = small_gpt2(dropout=dropout)
    before = [p.detach().clone() for p in model.parameters()]
    train, test = liked[:150], liked[150:]
    reward_model = train_reward_model(model.train(dropout > 0), train, 6, 1e-2, progress=False)
    found = accuracy(reward_model.rate(test.answers), test)
    assert found.accuracy > 0.75 * found.ceiling and found.correlation > 0.55  # a coin: 0.58 of it, and 0
    assert not reward_model.training and not any(p.requires_grad for p in reward_model.parameters())
    scores = reward_model.rate(train.answers)
    assert abs(scores.mean().item()) < 1e-5 and scores.std().item() == pytest.approx(1, abs=1e-5)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_the_same_seed_learns_the_same(liked):
    found = [train_reward_model(small_gpt2(), liked[:32], seed=seed, progress=False) for seed in (0, 0, 1)]
    one, two, other = (model.rate(liked.answers) for model in found)
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_a_step_on_groups_is_the_step_on_their_pairs_one_by_one(liked):
    """Each text is read once however many pairs it stands in; the gradient is that of reading it for every pair."""
    from ppo_helpers.language.rewards import _group_loss

    some, reward_model = liked[torch.tensor([7, 3])], learned(small_gpt2())
    loss = _group_loss(reward_model, some)
    gradients = torch.autograd.grad(loss, [*reward_model.parameters()])
    pairs = zip(some.winners.flatten().tolist(), some.losers.flatten().tolist(), strict=True)
    read = lambda i: reward_model(**some.answers[[i]].responses.inputs)  # noqa: E731
    single = [nn.functional.softplus(read(loser) - read(winner)) for winner, loser in pairs]
    wanted = torch.cat(single).mean()
    torch.testing.assert_close(loss, wanted, atol=1e-5, rtol=0)
    for ours, theirs in zip(gradients, torch.autograd.grad(wanted, [*reward_model.parameters()]), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comparisons": slice(0, 0)}, "comparisons must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"groups_at_once": 0}, "groups_at_once must be at least 1, got 0"),
    ],
)
def test_nothing_to_learn_from_is_named(liked, change, message):
    options = {"comparisons": slice(0, 4)} | change
    with pytest.raises(ValueError, match=message):
        train_reward_model(small_gpt2(), liked[options.pop("comparisons")], progress=False, **options)


# --- the price of KL ------------------------------------------------------------------------------------------------


def test_rewards_of_five_tokens_by_hand():
    logprobs = torch.tensor([[-1.0, -2.0, -0.5, -3.0, -1.5], [-1.0, -2.0, -0.5, 7.0, nan]])
    reference = torch.tensor([[-1.5, -1.0, -0.5, -3.5, -1.0], [-0.5, -2.5, -1.5, 0.0, 3.0]])
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    found = token_rewards(logprobs, reference, torch.tensor([2.0, -1.0]), mask, 0.1)
    wanted = [[-0.05, 0.1, 0.0, -0.05, 0.05 + 2.0], [0.05, -0.05, -0.1 - 1.0, 0.0, 0.0]]
    torch.testing.assert_close(found, torch.tensor(wanted))
    free = token_rewards(logprobs, reference, torch.tensor([2.0, -1.0]), mask, 0.0)
    assert free.tolist() == [[0, 0, 0, 0, 2], [0, 0, -1, 0, 0]]


def test_all_rewards_of_a_text_are_its_score_less_beta_times_its_kl():
    generator = torch.Generator().manual_seed(0)
    logprobs, reference = (-torch.rand(6, 9, generator=generator) for _ in range(2))
    mask, scores = torch.arange(9) <= torch.tensor([[8], [0], [3], [5], [7], [2]]), torch.randn(6, generator=generator)
    found = token_rewards(logprobs, reference, scores, mask, 0.3)
    kl = ((logprobs - reference) * mask).sum(1)
    torch.testing.assert_close(found.sum(1), scores - 0.3 * kl)
    assert found[~mask].eq(0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kl_coef": -0.1}, "kl_coef must be finite and not negative, got -0.1"),
        ({"kl_coef": nan}, "kl_coef must be finite and not negative, got nan"),
        ({"scores": torch.zeros(3)}, r"logprobs, mask and scores must be \(B, T\), bool \(B, T\) and \(B,\), got"),
        ({"scores": torch.zeros(2, 1)}, r"and \(2, 1\)"),
        ({"mask": torch.ones(2, 3)}, r"got \(2, 3\), torch.float32 \(2, 3\) and \(2,\)"),
        ({"mask": torch.ones(2, 4, dtype=torch.bool)}, r"torch.bool \(2, 4\)"),
        ({"ref_logprobs": torch.zeros(2, 2)}, "ref_logprobs must have shape"),
        ({"mask": torch.tensor([[True] * 3, [False] * 3])}, "mask must leave at least one token in every row"),
    ],
)
def test_wrong_rewards_of_tokens_are_named(change, message):
    fine = {"logprobs": torch.zeros(2, 3), "ref_logprobs": torch.zeros(2, 3), "scores": torch.zeros(2)}
    fine |= {"mask": torch.ones(2, 3, dtype=torch.bool), "kl_coef": 0.1}
    token_rewards(**fine)
    with pytest.raises(ValueError, match=message):
        token_rewards(**(fine | change))


def test_a_fixed_price_stays():
    price = FixedKL(0.3)
    price.update(1e6, 10**6)
    assert price == FixedKL(0.3) and FixedKL() == FixedKL(0.1) and FixedKL(0).coef == 0


@pytest.mark.parametrize(
    ("kl", "factor"),
    [
        (6.0, 1),
        (6.6, 1 + 0.1 * 0.1),
        (5.4, 1 - 0.1 * 0.1),
        (7.2, 1.02),
        (100, 1.02),
        (4.8, 0.98),
        (0, 0.98),
        (-3, 0.98),
    ],
)
def test_an_adaptive_price_by_hand(kl, factor):
    """Ziegler: the error is clipped to ±0.2, and a horizon's worth of episodes makes it whole."""
    price = AdaptiveKL(0.5, target=6, horizon=640)
    price.update(kl, 64)
    assert price.coef == pytest.approx(0.5 * factor)
    whole, parts = AdaptiveKL(0.5, 6, 640), AdaptiveKL(0.5, 6, 640)
    whole.update(kl, 640)
    for _ in range(10):
        parts.update(kl, 64)
    assert whole.coef == pytest.approx(0.5 * (1 + 10 * (factor - 1))) and parts.coef == pytest.approx(0.5 * factor**10)


def test_an_adaptive_price_never_turns_its_sign():
    price = AdaptiveKL(1.0, target=6, horizon=1)
    for _ in range(50):
        price.update(0.0, 1000)
    assert 0 < price.coef < 1e-4


def test_an_adaptive_price_finds_the_kl_that_is_wanted():
    """A policy whose KL is 2 / β: the price must settle at 2 / 6."""
    price = AdaptiveKL(5.0, target=6, horizon=320)
    for _ in range(1000):
        price.update(2 / price.coef, 32)
    assert price.coef == pytest.approx(2 / 6, rel=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedKL(-1), "coef must be finite and not negative, got -1"),
        (lambda: FixedKL(inf), "coef must be finite and not negative, got inf"),
        (lambda: AdaptiveKL(-0.1), "coef must be positive and finite, got -0.1"),
        (lambda: AdaptiveKL(0), "coef must be positive and finite, got 0"),
        (lambda: AdaptiveKL().update(nan, 32), "kl must be finite, got nan"),
        (lambda: AdaptiveKL().update(inf, 32), "kl must be finite, got inf"),
        (lambda: AdaptiveKL(target=0), "target must be positive and finite, got 0"),
        (lambda: AdaptiveKL(horizon=nan), "horizon must be positive and finite, got nan"),
        (lambda: replace(AdaptiveKL(), target=-2), "target must be positive and finite, got -2"),
    ],
)
def test_wrong_prices_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
