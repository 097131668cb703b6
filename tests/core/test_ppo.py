"""One update against independent ones: NumPy, stable-baselines3, itself in pieces and in several processes."""

from dataclasses import fields, replace
from math import inf, isnan, nan

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ppo_helpers.experience import Batch
from ppo_helpers.ppo import PPOConfig, ppo_update

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = PPOConfig(epochs=2, minibatch_size=64, gamma=1.0, learning_rate=3e-3, ent_coef=0.02)


def by_hand(parameters, batch, config, order):
    """One pass over the minibatches in NumPy-like steps: own loss, own gradient clipping, plain gradient descent."""
    weight, bias = (p.detach().double().clone() for p in parameters)
    for rows in order.tensor_split(-(-len(order) // config.minibatch_size)):
        weight.requires_grad_(), bias.requires_grad_()
        x, actions = batch.inputs["x"][rows].double(), batch.inputs["actions"][rows]
        out = x @ weight.T + bias  # (n, 4): three logits and a value
        logp = out[:, :3] - out[:, :3].logsumexp(-1, keepdim=True)
        ratio = (logp[torch.arange(len(rows)), actions] - batch.old_logprobs[rows]).exp()
        a = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
        a = a[rows]
        gain = torch.where(a > 0, a * ratio.clamp(max=1 + config.clip_eps), a * ratio.clamp(min=1 - config.clip_eps))
        loss = -gain.mean() + config.vf_coef * ((out[:, 3] - batch.returns[rows]) ** 2).mean()
        loss = loss + config.ent_coef * (logp.exp() * logp).sum(-1).mean()
        gradients = torch.autograd.grad(loss, [weight, bias])
        length = sum((g**2).sum() for g in gradients).sqrt()
        shrink = min(1.0, config.max_grad_norm / (length.item() + 1e-6))  # torch's own guard against zero
        with torch.no_grad():
            weight, bias = weight - 0.1 * shrink * gradients[0], bias - 0.1 * shrink * gradients[1]
    return weight, bias


def linear_case(config, seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(5, 4).double()
    inputs = {"x": torch.randn(12, 5).double(), "actions": torch.randint(3, (12,))}

    def evaluate(batch):
        out = model(batch.inputs["x"])
        logp = out[:, :3].log_softmax(-1)
        chosen = logp.gather(-1, batch.inputs["actions"][:, None]).squeeze(-1)
        return chosen, out[:, 3], -(logp.exp() * logp).sum(-1)

    blank = Batch(inputs, *(torch.zeros(12).double() for _ in range(4)), torch.ones(12, dtype=torch.bool))
    with torch.no_grad():
        logprobs, values, _ = evaluate(blank)
    old = replace(blank, old_logprobs=logprobs + 0.3 * torch.randn(12).double(), old_values=values)
    return model, evaluate, replace(old, advantages=torch.randn(12).double(), returns=torch.randn(12).double())


def test_one_epoch_equals_a_second_implementation():
    config = PPOConfig(epochs=1, minibatch_size=5, ent_coef=0.1, max_grad_norm=0.3)
    model, evaluate, batch = linear_case(config)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(7))
    expected = by_hand(list(model.parameters()), batch, config, order)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stats = ppo_update(evaluate, batch, optimizer, config, torch.Generator().manual_seed(7))
    for p, wanted in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.detach(), wanted, rtol=0, atol=1e-12)
    assert stats.optimizer_steps == 3 and stats.max_ratio > 1 and 0 < stats.clip_fraction <= 1


def test_statistics_before_the_first_step():
    """With a learning rate of 0 all of them can be computed from the batch."""
    config = PPOConfig(epochs=1, minibatch_size=99, whiten_advantages=False)
    model, evaluate, batch = linear_case(config)
    with torch.no_grad():
        logprobs, values, entropies = evaluate(batch)
    ratio = (logprobs - batch.old_logprobs).exp()
    stats = ppo_update(evaluate, batch, torch.optim.SGD(model.parameters(), lr=0.0), config)
    low, high = ratio * batch.advantages, ratio.clamp(0.8, 1.2) * batch.advantages
    assert stats.policy_loss == pytest.approx(-torch.minimum(low, high).mean().item())
    assert stats.value_loss == pytest.approx(((values - batch.returns) ** 2).mean().item())
    assert stats.entropy == pytest.approx(entropies.mean().item())
    assert stats.approx_kl == pytest.approx((ratio - 1 - ratio.log()).mean().item())
    assert stats.clip_fraction == pytest.approx(((ratio - 1).abs() > 0.2).double().mean().item())
    assert stats.max_ratio == pytest.approx(ratio.max().item())
    assert stats.first_ratio_error == pytest.approx((ratio - 1).abs().max().item())
    left, total = (batch.returns - batch.old_values).var(), batch.returns.var()
    assert stats.explained_variance == pytest.approx(1 - (left / total).item())


def test_padding_and_steps_that_do_not_count_change_nothing():
    """A batch of texts (B, T) with garbage in its padding gives the same step as without the padding."""
    torch.manual_seed(0)
    table = nn.Parameter(torch.randn(2, 3))
    mask = torch.tensor([[True, True, True], [True, False, False]])

    def evaluate(batch):
        rows = table[batch.inputs["row"]]
        return rows.sigmoid().log(), rows, rows**2

    garbage = torch.where(mask, torch.randn(2, 3), torch.tensor(torch.nan))
    filled = torch.where(mask, garbage, 0.0)
    steps = []
    for columns in (garbage, filled):
        with torch.no_grad():
            table.copy_(torch.arange(6).view(2, 3) / 6)
        batch = Batch({"row": torch.arange(2)}, *(columns - 1 for _ in range(4)), mask)
        ppo_update(evaluate, batch, torch.optim.SGD([table], lr=0.1), PPOConfig(epochs=2))
        steps.append(table.detach().clone())
    torch.testing.assert_close(steps[0], steps[1])
    assert torch.isfinite(steps[0]).all() and (steps[0] != torch.arange(6).view(2, 3) / 6)[mask].all()


def test_an_evaluation_of_another_shape_is_refused():
    model, evaluate, batch = linear_case(SMALL)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"evaluate must return values of shape \(12,\), got \(12, 1\)"):
        ppo_update(lambda b: (evaluate(b)[0], evaluate(b)[1][:, None], evaluate(b)[2]), batch, optimizer, SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"iterations": True}, "iterations must be a whole number of at least 1, got True"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, got 1.5"),
        ({"gamma": "1"}, r"gamma must be in \[0, 1\], got '1'"),
        ({"lam": None}, r"lam must be in \[0, 1\], got None"),
        ({"clip_eps": 0}, r"clip_eps must be in \(0, 1\) or None, got 0"),
        ({"clip_eps": True}, r"clip_eps must be in \(0, 1\) or None, got True"),
        ({"vf_coef": inf}, "vf_coef must be finite and not negative, got inf"),
        ({"value_clip_eps": nan}, "value_clip_eps must be positive or None, got nan"),
        ({"target_kl": "0.1"}, "target_kl must be positive or None, got '0.1'"),
        ({"anneal_lr": 1}, "anneal_lr must be True or False, got 1"),
        ({"anneal_clip": "no"}, "anneal_clip must be True or False, got 'no'"),
        ({"whiten_advantages": None}, "whiten_advantages must be True or False, got None"),
        ({"gamma": 1.1}, r"gamma must be in \[0, 1\], got 1.1"),
        ({"lam": -0.1}, r"lam must be in \[0, 1\], got -0.1"),
        ({"clip_eps": 1}, r"clip_eps must be in \(0, 1\) or None, got 1"),
        ({"clip_eps": 1.3}, r"clip_eps must be in \(0, 1\) or None, got 1.3"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite and not negative, got nan"),
        ({"ent_coef": -1}, "ent_coef must be finite and not negative, got -1"),
        ({"max_grad_norm": 0}, "max_grad_norm must be positive or None, got 0"),
        ({"target_kl": -0.1}, "target_kl must be positive or None, got -0.1"),
        ({"minibatch_size": 0}, "minibatch_size must be a whole number"),
    ],
)
def test_bad_numbers_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        PPOConfig(**change)


def test_good_numbers_of_any_type_are_taken_and_edges_belong_to_their_ranges():
    PPOConfig(iterations=np.int64(1), epochs=1, minibatch_size=1, gamma=0, lam=np.float32(1), clip_eps=0.999)
    PPOConfig(gamma=1.0, lam=0.0, clip_eps=None, learning_rate=0, vf_coef=0, ent_coef=0.0, max_grad_norm=inf)
    assert PPOConfig().at(10**6) == PPOConfig()  # where nothing is annealed a run may go on for ever


def test_the_book_s_defaults():
    """Numbers that chapters, README and docstrings name."""
    wanted = {
        "iterations": 100, "epochs": 4, "minibatch_size": 256, "gamma": 0.99, "lam": 0.95, "clip_eps": 0.2,
        "learning_rate": 3e-4, "vf_coef": 0.5, "ent_coef": 0.0, "max_grad_norm": 0.5, "whiten_advantages": True,
        "value_clip_eps": None, "target_kl": None, "anneal_lr": False, "anneal_clip": False,
    }  # fmt: skip
    assert {f.name: getattr(PPOConfig(), f.name) for f in fields(PPOConfig)} == wanted


def test_annealing_is_a_straight_line_to_zero_and_then_over():
    config = PPOConfig(iterations=4, learning_rate=0.4, clip_eps=0.2, anneal_lr=True, anneal_clip=True)
    numbers = [(config.at(done).learning_rate, config.at(done).clip_eps) for done in range(4)]
    np.testing.assert_allclose(numbers, [(0.4, 0.2), (0.3, 0.15), (0.2, 0.1), (0.1, 0.05)])
    for change in ({"anneal_lr": False}, {"anneal_clip": False}):
        half = replace(config, **change).at(2)
        assert (half.learning_rate, half.clip_eps) == ((0.4, 0.1) if "anneal_lr" in change else (0.2, 0.2))
        with pytest.raises(ValueError, match="iterations must be above 4 to go on"):
            replace(config, **change).at(4)
    assert replace(config, clip_eps=None).at(2).clip_eps is None


# --- whole rows, with a mask ----------------------------------------------------------------------------------------


def rows_case(seed=0, rows=7, steps=4):
    """(B, T) rows of mixed lengths with garbage in their padding, and a linear model of them in float64."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.double)  # noqa: E731
    model = nn.Linear(5, 4).double()
    with torch.no_grad():
        model.weight.copy_(draw(4, 5)), model.bias.copy_(draw(4))
    lengths = torch.tensor([4, 1, 3, 2, 4, 1, 2, 3, 4, 4])[:rows]
    mask = torch.arange(steps) < lengths[:, None]
    inputs = {"x": draw(rows, steps, 5), "actions": torch.randint(3, (rows, steps), generator=generator)}
    old = evaluate_rows(model)(Batch(inputs, *[draw(rows, steps)] * 4, mask))[0].detach() + 0.2 * draw(rows, steps)
    columns = (old, draw(rows, steps), 2 * draw(rows, steps), draw(rows, steps))
    return model, Batch(inputs, *(x.masked_fill(~mask, nan) for x in columns), mask)


def evaluate_rows(model, entropy=True):
    def evaluate(batch):
        out = model(batch.inputs["x"])
        logprobs = out[..., :3].log_softmax(-1)
        chosen = logprobs.gather(-1, batch.inputs["actions"][..., None]).squeeze(-1)
        return chosen, out[..., 3], -(logprobs.exp() * logprobs).sum(-1) if entropy else None

    return evaluate


def simulated(model, batch, config, generator, lr):
    """The whole update in NumPy float64, statistics included: gradients of the linear model by hand."""
    w, b = model.weight.detach().numpy().copy(), model.bias.detach().numpy().copy()
    x, mask, actions = (t.numpy() for t in (batch.inputs["x"], batch.mask, batch.inputs["actions"]))
    old, adv, ret, old_v = (t.numpy() for t in (batch.old_logprobs, batch.advantages, batch.returns, batch.old_values))
    adv = (adv - adv[mask].mean()) / adv[mask].std()
    eps, rows, norms = config.clip_eps, [], []
    for epoch in range(config.epochs):
        order = torch.randperm(len(x), generator=generator).numpy()
        for part in np.array_split(order, -(-len(x) // config.minibatch_size)):
            m = mask[part]
            X, a, A, R, O, V0 = (t[part][m] for t in (x, actions, adv, ret, old, old_v))  # noqa: E741 (n, ...) each
            out = X @ w.T + b
            logp = out[:, :3] - np.log(np.exp(out[:, :3]).sum(-1, keepdims=True))
            p, chosen, v = np.exp(logp), logp[np.arange(len(a)), a], out[:, 3]
            ratio = np.exp(chosen - O)
            plain, cut = ratio * A, np.clip(ratio, 1 - eps, 1 + eps) * A
            near = V0 + np.clip(v - V0, -config.value_clip_eps, config.value_clip_eps)
            e1, e2, H = (v - R) ** 2, (near - R) ** 2, -(p * logp).sum(-1)
            outside = (ratio < 1 - eps) | (ratio > 1 + eps)
            row = (-np.minimum(plain, cut), np.maximum(e1, e2), H, ratio - 1 - np.log(ratio), outside, ratio)
            rows.append((epoch, *row))
            if config.target_kl is not None and row[3].mean() > config.target_kl:
                return w, b, rows, norms
            free = (plain <= cut) & True
            d_chosen = -np.where(free, ratio * A, 0) / len(a)
            d_logits = d_chosen[:, None] * (np.eye(3)[a] - p) + config.ent_coef / len(a) * p * (logp + H[:, None])
            inside = np.abs(v - V0) < config.value_clip_eps
            d_v = config.vf_coef * 2 / len(a) * np.where(e1 >= e2, v - R, (near - R) * inside)
            d_out = np.concatenate([d_logits, d_v[:, None]], axis=1)
            gw, gb = d_out.T @ X, d_out.sum(0)
            norms.append(np.sqrt((gw**2).sum() + (gb**2).sum()))
            shrink = min(1.0, config.max_grad_norm / (norms[-1] + 1e-6))
            w, b = w - lr * shrink * gw, b - lr * shrink * gb
    return w, b, rows, norms


FULL = PPOConfig(epochs=2, minibatch_size=3, clip_eps=0.3, ent_coef=0.1, vf_coef=0.7, value_clip_eps=0.4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("target_kl", [None, 0.03])
def test_weights_and_every_statistic_equal_a_second_implementation(seed, target_kl):
    config = replace(FULL, target_kl=target_kl)
    model, batch = rows_case(seed)
    w, b, rows, norms = simulated(model, batch, config, torch.Generator().manual_seed(seed), lr=0.1)
    started = evaluate_rows(model)(batch)[0].detach()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stats = ppo_update(evaluate_rows(model), batch, optimizer, config, torch.Generator().manual_seed(seed))
    np.testing.assert_allclose(model.weight.detach(), w, atol=1e-12)
    np.testing.assert_allclose(model.bias.detach(), b, atol=1e-12)
    everything = [np.concatenate([row[k] for row in rows]) for k in range(1, 7)]
    last = [np.concatenate([row[k] for row in rows if row[0] == rows[-1][0]]) for k in range(1, 7)]
    kept = batch.mask.numpy()
    before = np.abs(np.exp((started - batch.old_logprobs).numpy()[kept]) - 1).max()
    left = (batch.returns - batch.old_values).numpy()[kept].var() / batch.returns.numpy()[kept].var()
    wanted = {
        "policy_loss": everything[0].mean(), "value_loss": everything[1].mean(), "entropy": everything[2].mean(),
        "grad_norm": np.mean(norms) if norms else nan, "approx_kl": last[3].mean(), "clip_fraction": last[4].mean(),
        "max_ratio": everything[5].max(), "first_ratio_error": before, "sampler_error": nan,
        "explained_variance": 1 - left, "optimizer_steps": len(norms),
    }  # fmt: skip
    found = {f.name: getattr(stats, f.name) for f in fields(stats)}
    assert found == pytest.approx(wanted, rel=1e-9, nan_ok=True)
    if target_kl is None:
        assert stats.optimizer_steps == 6


def test_a_run_that_stops_at_once_has_changed_nothing():
    model, batch = rows_case()
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stats = ppo_update(evaluate_rows(model), batch, optimizer, replace(FULL, target_kl=1e-9))
    assert stats.optimizer_steps == 0 and isnan(stats.grad_norm) and stats.approx_kl > 1e-9
    assert all(torch.equal(p, q) for p, q in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("micro_batch", [1, 2, 3, 100])
@pytest.mark.parametrize("max_grad_norm", [None, 0.1])
def test_micro_batches_change_memory_and_nothing_else(micro_batch, max_grad_norm):
    found = []
    for size in (None, micro_batch):
        model, batch = rows_case(seed=1)
        seen = []

        def watch(part, model=model, seen=seen):
            seen.append(len(part))
            return evaluate_rows(model)(part)

        config = replace(FULL, max_grad_norm=max_grad_norm, minibatch_size=4, value_clip_eps=None)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        stats = ppo_update(watch, batch, optimizer, config, torch.Generator().manual_seed(3), micro_batch=size)
        found.append((torch.cat([p.detach().flatten() for p in model.parameters()]), stats))
        assert max(seen) <= (size or 4)
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=1e-12)
    assert vars(found[1][1]) == pytest.approx(vars(found[0][1]), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("micro_batch", [0, 1.5, -2])
def test_a_micro_batch_is_a_whole_number(micro_batch):
    model, batch = rows_case()
    with pytest.raises(ValueError, match="micro_batch must be a whole number of at least 1 or None, got"):
        ppo_update(evaluate_rows(model), batch, torch.optim.SGD(model.parameters(), lr=0.1), FULL, None, micro_batch)


def test_entropy_that_is_not_given_is_estimated_and_costs_nothing():
    found = []
    for entropy in (True, False):
        model, batch = rows_case()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        config, generator = replace(FULL, ent_coef=0.0), torch.Generator().manual_seed(1)
        found.append((ppo_update(evaluate_rows(model, entropy), batch, optimizer, config, generator), model.weight))
    assert torch.equal(found[0][1], found[1][1])
    assert found[1][0].entropy == pytest.approx(-batch.old_logprobs[batch.mask].mean().item())
    assert replace(found[1][0], entropy=0, sampler_error=0) == replace(found[0][0], entropy=0, sampler_error=0)
    with pytest.raises(ValueError, match=r"evaluate must return entropies for ent_coef = 0\.1, got None"):
        ppo_update(evaluate_rows(model, entropy=False), batch, optimizer, FULL)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda out: (out[0][:, :1], *out[1:]), r"evaluate must return logprobs of shape \(7, 4\), got \(7, 1\)"),
        (lambda out: (out[0], None, out[2]), r"evaluate must return values of shape \(7, 4\), got None"),
        (lambda out: (out[0], out[1], out[2][0]), r"evaluate must return entropy of shape \(7, 4\), got \(4,\)"),
    ],
)
def test_an_evaluation_of_another_form_is_refused(broken, message):
    model, batch = rows_case()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=message):
        ppo_update(lambda b: broken(evaluate_rows(model)(b)), batch, optimizer, replace(FULL, minibatch_size=99))


def test_the_optimiser_is_given_an_entropy_bonus_that_counts_no_padding():
    """One weight per position: what stands in the padding gets no gradient, what counts is pushed to be undecided."""
    logits = torch.zeros(2, 3, 2, dtype=torch.double)
    logits[..., 0] = 1.0
    logits.requires_grad_()
    mask = torch.tensor([[True, True, False], [True, False, False]])

    def evaluate(batch):
        logprobs = logits[batch.inputs["row"]].log_softmax(-1)
        return logprobs[..., 0], torch.zeros_like(logprobs[..., 0]), -(logprobs.exp() * logprobs).sum(-1)

    blank = torch.zeros(2, 3, dtype=torch.double)
    old = evaluate(Batch({"row": torch.arange(2)}, *[blank] * 4, mask))[0].detach()
    batch = Batch({"row": torch.arange(2)}, old, blank, blank, blank, mask)
    config = PPOConfig(epochs=1, ent_coef=0.5, max_grad_norm=None, whiten_advantages=False)
    ppo_update(evaluate, batch, torch.optim.SGD([logits], lr=1.0), config)
    p = torch.tensor([1.0, 0.0], dtype=torch.double).softmax(-1)
    entropy = -(p * p.log()).sum()
    moved = -0.5 / 3 * p * (p.log() + entropy)  # gradient of H by the logits, over the three entries that count
    wanted = torch.tensor([1.0, 0.0], dtype=torch.double) + moved * mask[..., None]
    torch.testing.assert_close(logits.detach(), wanted, rtol=0, atol=1e-12)


# --- minibatches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "size", "sizes"),
    [(905, 256, {226, 227}), (7, 3, {2, 3}), (6, 3, {3}), (5, 9, {5}), (257, 256, {128, 129})],
)
def test_minibatches_are_of_equal_size_and_hold_every_row_once_an_epoch(rows, size, sizes):
    weight, seen = nn.Parameter(torch.zeros(1)), []

    def evaluate(batch):
        if weight.requires_grad and torch.is_grad_enabled():
            seen.append(batch.inputs["row"].tolist())
        zeros = weight * torch.zeros(len(batch))
        return zeros - 1, zeros, None

    columns = (torch.full((rows,), -1.0), torch.randn(rows), torch.randn(rows), torch.zeros(rows))
    batch = Batch({"row": torch.arange(rows)}, *columns, torch.ones(rows, dtype=torch.bool))
    stats = ppo_update(evaluate, batch, torch.optim.SGD([weight], lr=0.1), PPOConfig(epochs=3, minibatch_size=size))
    assert {len(part) for part in seen} == sizes and stats.optimizer_steps == len(seen) == 3 * -(-rows // size)
    for epoch in range(3):
        parts = seen[epoch * len(seen) // 3 : (epoch + 1) * len(seen) // 3]
        assert sorted(row for part in parts for row in part) == list(range(rows))
    assert seen[0] != seen[len(seen) // 3]  # shuffled anew


def test_rows_in_which_nothing_counts_are_left_out_and_an_empty_batch_changes_nothing():
    model, batch = rows_case()
    empty = replace(batch, mask=batch.mask & (torch.arange(7) % 2 == 0)[:, None])
    left = batch[torch.tensor([0, 2, 4, 6])]
    weights = []
    for given in (empty, left):
        model, _ = rows_case()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        stats = ppo_update(evaluate_rows(model), given, optimizer, FULL, torch.Generator().manual_seed(1))
        weights.append(model.weight.detach())
        assert stats.optimizer_steps == 4
    assert torch.equal(*weights)
    for nothing in (replace(batch, mask=torch.zeros_like(batch.mask)), batch[:0]):
        stats = ppo_update(evaluate_rows(model), nothing, optimizer, FULL)
        assert stats.optimizer_steps == 0 and all(isnan(x) for x in list(vars(stats).values())[:-1])
        assert torch.equal(model.weight.detach(), weights[1])


@pytest.mark.parametrize(
    "sizes", [{"minibatch_size": 64}, {"minibatch_size": 905}, {"minibatch_size": 905, "cut": 100}]
)
@pytest.mark.parametrize("seed", range(20))
def test_one_wrong_log_prob_of_905_is_always_seen(seed, sizes):
    """In a pass before the first minibatch, or in the only one there is, whole or in pieces."""
    torch.manual_seed(seed)
    weight, rows, asked = nn.Parameter(torch.zeros(1)), 905, []
    drawn = torch.full((rows,), -1.0)
    old = drawn.clone()
    old[torch.randint(rows, (1,))] = -1.5
    columns = (old, torch.randn(rows), torch.randn(rows), torch.zeros(rows), torch.ones(rows, dtype=torch.bool))
    batch = Batch({}, *columns, sampled_logprobs=drawn)

    def evaluate(part):
        asked.append(len(part))
        zeros = weight * torch.zeros(len(part))
        return zeros - 1, zeros, None

    optimizer, config = torch.optim.SGD([weight], lr=0.1), PPOConfig(minibatch_size=sizes["minibatch_size"], epochs=1)
    stats = ppo_update(evaluate, batch, optimizer, config, micro_batch=sizes.get("cut"))
    assert sum(asked) == rows * (1 if sizes["minibatch_size"] == rows else 2)  # it is looked at for nothing, or once
    assert stats.first_ratio_error == pytest.approx(np.exp(0.5) - 1, rel=1e-5)
    assert stats.sampler_error == pytest.approx(1 - np.exp(-0.5), rel=1e-5)
    assert isnan(ppo_update(evaluate, replace(batch, sampled_logprobs=None), optimizer, PPOConfig()).sampler_error)


# --- against stable-baselines3 --------------------------------------------------------------------------------------


def test_losses_and_weights_equal_those_of_stable_baselines3_on_the_same_rollout():
    import copy

    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.logger import Logger

    from ppo_helpers.objectives import whiten

    numbers = {"n_steps": 64, "batch_size": 256, "n_epochs": 4, "learning_rate": 3e-3, "ent_coef": 0.02}
    options = {"normalize_advantage": False, "device": "cpu", "seed": 0}
    peer = PPO("MlpPolicy", make_vec_env("CartPole-v1", n_envs=4, seed=0), **numbers, **options)
    peer.set_logger(Logger(None, []))
    _, callback = peer._setup_learn(256)
    peer.collect_rollouts(peer.env, callback, peer.rollout_buffer, 64)
    buffer, policy = peer.rollout_buffer, copy.deepcopy(peer.policy)
    names = ("log_probs", "advantages", "returns", "values")
    flat = {name: torch.tensor(buffer.swap_and_flatten(getattr(buffer, name))).flatten() for name in names}
    inputs = {
        name: torch.tensor(buffer.swap_and_flatten(getattr(buffer, name))) for name in ("observations", "actions")
    }
    buffer.advantages = whiten(torch.tensor(buffer.advantages)).numpy()  # over the batch, as the text says
    batch = Batch(inputs, *(flat[name] for name in names), torch.ones(256, dtype=torch.bool))

    def evaluate(part):
        values, logprobs, entropy = policy.evaluate_actions(part.inputs["observations"], part.inputs["actions"][:, 0])
        return logprobs, values.flatten(), entropy

    peer.train()
    config = PPOConfig(epochs=4, minibatch_size=256, ent_coef=0.02)
    policy.optimizer.param_groups[0]["lr"] = 3e-3
    stats, theirs = ppo_update(evaluate, batch, policy.optimizer, config), peer.logger.name_to_value
    assert stats.policy_loss == pytest.approx(theirs["train/policy_gradient_loss"], abs=1e-6)
    assert stats.entropy == pytest.approx(-theirs["train/entropy_loss"], abs=1e-6)
    assert stats.value_loss == pytest.approx(theirs["train/value_loss"], rel=1e-6)
    for ours, theirs in zip(policy.parameters(), peer.policy.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


# --- several processes ----------------------------------------------------------------------------------------------

SHARED = replace(FULL, epochs=3, minibatch_size=99, value_clip_eps=None)
SHARED_RUNS = [(SHARED, None), (replace(SHARED, max_grad_norm=0.1), 2), (replace(SHARED, target_kl=0.00905), None)]


def one_of_two(rank, address, queue):
    """A process with its own rows of the batch: 4 of 10, or 6."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    for config, micro_batch in SHARED_RUNS:
        model, batch = rows_case(seed=2, rows=10)
        part, model = batch[:4] if rank == 0 else batch[4:], DistributedDataParallel(model)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        order = torch.Generator().manual_seed(rank)
        stats = ppo_update(evaluate_rows(model), part, optimizer, config, order, micro_batch)
        queue.put((rank, [p.detach().numpy().copy() for p in model.module.parameters()], vars(stats)))
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_a_part_each_equal_one_with_the_whole_batch(tmp_path):
    context = mp.get_context("spawn")
    queue = context.Queue()
    both = [context.Process(target=one_of_two, args=(r, f"file://{tmp_path}/meeting", queue)) for r in range(2)]
    for process in both:
        process.start()
    results = [queue.get(timeout=120) for _ in range(2 * len(SHARED_RUNS))]
    for process in both:
        process.join(timeout=60)
        assert process.exitcode == 0
    for rank in range(2):
        for (config, _), (_, weights, theirs) in zip(SHARED_RUNS, (r for r in results if r[0] == rank), strict=True):
            model, batch = rows_case(seed=2, rows=10)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            stats = vars(ppo_update(evaluate_rows(model), batch, optimizer, config))
            for p, q in zip(model.parameters(), weights, strict=True):
                np.testing.assert_allclose(q, p.detach(), atol=1e-10)
            assert theirs == pytest.approx(stats, rel=1e-8, nan_ok=True)
            assert stats["optimizer_steps"] == 3 if config.target_kl is None else stats["optimizer_steps"] < 3


def test_without_a_clip_the_fraction_is_that_outside_of_a_fifth():
    config = PPOConfig(epochs=1, minibatch_size=99, clip_eps=None)
    model, evaluate, batch = linear_case(config)
    with torch.no_grad():
        ratio = (evaluate(batch)[0] - batch.old_logprobs).exp()
    stats = ppo_update(evaluate, batch, torch.optim.SGD(model.parameters(), lr=0.0), config)
    outside = ((ratio - 1).abs() > 0.2).double().mean().item()
    assert 0 < outside < 1 and stats.clip_fraction == pytest.approx(outside)


def test_the_largest_ratio_is_one_of_a_real_token_and_not_of_the_padding():
    logprobs, mask = nn.Parameter(torch.tensor([[-1.0, -2.0]])), torch.tensor([[True, False]])

    def evaluate(batch):
        return logprobs[batch.inputs["row"]], torch.zeros(1, 2), None

    old = torch.tensor([[-0.5, -9.0]])  # the only real ratio is e to −0.5
    batch = Batch({"row": torch.arange(1)}, old, *(torch.zeros(1, 2) for _ in range(3)), mask)
    config = PPOConfig(epochs=1, ent_coef=0.0, whiten_advantages=False)
    stats = ppo_update(evaluate, batch, torch.optim.SGD([logprobs], lr=0.0), config)
    assert stats.max_ratio == pytest.approx(np.exp(-0.5))


def test_a_number_that_is_none_stops_an_update_that_has_a_brake_and_is_seen():
    model, evaluate, batch = linear_case(SMALL)
    calls = []

    def broken(part):
        calls.append(part)
        logprobs, *others = evaluate(part)
        return logprobs * (nan if len(calls) > 3 else 1), *others  # two to look, one step

    config = PPOConfig(epochs=3, minibatch_size=6, target_kl=100.0)
    stats = ppo_update(broken, batch, torch.optim.SGD(model.parameters(), lr=0.01), config)
    assert stats.optimizer_steps == 1 and isnan(stats.approx_kl) and isnan(stats.max_ratio)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
