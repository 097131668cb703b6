"""Devices, without a GPU: everything that takes a device runs on ``paper_gpu`` as it does on the CPU, to the last bit.

Texts are the exception: a GPU on paper takes another formula of the attention, so they agree to 2e-5.
"""

from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace
from weakref import WeakSet

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from paper_gpu import TF32, OtherOrder, PaperGPU
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from ppo_helpers.experience import Batch, Experience, discounted_returns, gae
from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.language import load_gpt2, sample, scoring, sequence_logprob, token_logprobs
from ppo_helpers.language.answers import pack, write_groups
from ppo_helpers.language.folding import fold, unfold
from ppo_helpers.language.rewards import AdaptiveKL, RewardModel, compare, of_text, train_reward_model
from ppo_helpers.language.scoring import score
from ppo_helpers.language.sft import train_sft
from ppo_helpers.language.writing import Training as WriteTraining
from ppo_helpers.language.writing import WriteConfig, assess
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.objectives import (
    chosen_logprobs,
    clip_fraction,
    clipped_surrogate,
    entropy,
    explained_variance,
    kl_k1,
    kl_k2,
    kl_k3,
    masked_mean,
    policy_loss,
    probability_ratio,
    value_loss,
    whiten,
)
from ppo_helpers.ppo import PPOConfig, ppo_update
from ppo_helpers.walking import Collector, Training, WalkConfig, greedy_returns, policy_table, train_ppo

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = WalkConfig(iterations=2, steps=8, epochs=2, minibatch_size=64, gamma=1.0, learning_rate=3e-3, ent_coef=0.02)
TEXTS = 2e-5


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def drawn_as_on_a_gpu(monkeypatch):
    """A CPU draws by one number per row; here by one per token, as a GPU does, so that both write the same texts."""
    monkeypatch.setattr(scoring, "_drawn", lambda probs, generator: torch.multinomial(probs, 1, generator=generator))


def flat(x):
    """Everything in dictionaries, lists and dataclasses, one after the other."""
    x = [getattr(x, field.name) for field in fields(x)] if is_dataclass(x) else x
    x = list(x.values()) if isinstance(x, dict) else x
    return [y for part in x for y in flat(part)] if isinstance(x, list | tuple) else [x]


def assert_the_same(found, expected, tolerance=0.0):
    for ours, theirs in zip(flat(found), flat(expected), strict=True):
        if isinstance(theirs, Tensor):
            ours, theirs = ours.detach().cpu(), theirs.detach()
            torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance, equal_nan=True)
        elif isinstance(theirs, float):
            assert ours == pytest.approx(theirs, rel=0, abs=tolerance, nan_ok=True)
        else:
            assert ours == theirs


def assert_same_on_paper(work, tolerance=0.0):
    """``work(device)`` gives on paper tensors of the GPU only, with the numbers that it gives on the CPU."""
    expected = work("cpu")
    with PaperGPU() as gpu:
        found = work("cuda")
        assert all(x.is_cuda for x in flat(found) if isinstance(x, Tensor)) and gpu.counts["on GPU"]
        assert_the_same(found, expected, tolerance)


def weights(*networks):
    return [p.detach() for network in networks for p in network.parameters()]


def normal(*shape, seed=0, device="cpu"):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)


def grid(num_envs=16, **options):
    return GridWorldVectorEnv(num_envs=num_envs, **({"max_steps": 12} | options))


def cartpole(num_envs=4):
    return gym.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")


# --- the harness is awake -------------------------------------------------------------------------------------------


@pytest.fixture
def gpu():
    with PaperGPU() as gpu:
        yield gpu


def here(*shape):
    return torch.ones(shape or (3,))


def there(*shape):
    return torch.ones(shape or (3,), device="cuda")


TWO = "at least two devices, cuda:0 and cpu"
MIXED_USES = {
    "a sum": (lambda: there() + here(), TWO),
    "a product of matrices": (lambda: there(3, 3) @ here(3, 3), TWO),
    "a sum written to the CPU": (lambda: here().add_(there()), TWO),
    "a number of the GPU added in place": (lambda: here().add_(there().sum()), TWO),
    "a network": (lambda: nn.Linear(3, 3).to("cuda")(here()), TWO),
    "an embedding": (lambda: nn.Embedding(3, 3).to("cuda")(here().long()), TWO),
    "a loss": (lambda: nn.functional.mse_loss(there(), here()), TWO),
    "one beside the other": (lambda: torch.cat([there(), here()]), TWO),
    "numbers in a stack": (lambda: torch.stack([there().sum(), here().sum()]), TWO),
    "entries picked": (lambda: there().gather(0, here().long()), TWO),
    "a choice": (lambda: torch.where(here().bool(), there(), 0.0), TWO),
    "whether equal": (lambda: torch.equal(there(), here()), TWO),
    "averages of Adam": (lambda: left_behind().step(), TWO),
    "an index of the GPU": (lambda: here()[there().long()], "indices should be either on cpu or"),
    "a mask of the GPU": (lambda: here()[there().bool()], "indices should be either on cpu or"),
    "a mask of the CPU": (lambda: there().masked_fill(here().bool(), 0), "mask on cpu and self on cuda:0"),
    "a generator of the CPU": (lambda: torch.rand(3, generator=torch.Generator(), device="cuda"), "'cuda' device type"),
    "a generator of the GPU": (lambda: torch.rand(3, generator=torch.Generator("cuda")), "'cpu' device type"),
    "a state of the CPU": (lambda: torch.Generator("cuda").set_state(torch.Generator().get_state()), "is wrong size"),
    "a state of the GPU": (lambda: torch.Generator().set_state(torch.Generator("cuda").get_state()), "CPUGenerator"),
    "an array": (lambda: there().numpy(), "can't convert cuda:0 device type tensor to numpy"),
    "an array by NumPy": (lambda: np.asarray(there()), "can't convert cuda:0 device type tensor to numpy"),
}


def left_behind():
    """Adam whose averages have been left behind when the parameter was moved."""
    parameter = nn.Parameter(there())
    parameter.grad = there()
    optimizer = torch.optim.Adam([parameter], fused=True)
    optimizer.state[parameter] = {"step": here(1)[0], "exp_avg": here(), "exp_avg_sq": here()}
    return optimizer


@pytest.mark.parametrize(("use", "message"), MIXED_USES.values(), ids=MIXED_USES)
def test_what_a_gpu_refuses_raises(gpu, use, message):
    with pytest.raises((RuntimeError, TypeError), match=message):
        use()


def test_what_a_gpu_allows_does_not(gpu):
    x = there().requires_grad_()
    (x * here().sum() + torch.where(x > 0, x, 0.0)).sum().backward()  # a number of the CPU is welcome
    assert x.grad.is_cuda and x.grad.tolist() == [4, 4, 4]
    assert x[torch.tensor([0, 2])].is_cuda and x[here().bool()].is_cuda and x[[0, 2]].is_cuda  # an index may, too
    assert x.masked_fill(x > 0, torch.tensor(0.0)).is_cuda and x.sum().item() == 3 and f"{x.max():.1f}" == "1.0"
    copied = here().copy_(x.detach())
    assert not copied.is_cuda and there().copy_(here()).is_cuda and x.cpu().device.type == "cpu"
    assert torch.rand(3, generator=torch.Generator("cuda"), device="cuda").is_cuda
    assert (
        x.numpy(force=True).sum() == 3 and torch.cuda.is_available() and torch.Generator("cuda").device.type == "cuda"
    )


def test_copies_and_waits_are_counted(gpu):
    x = torch.tensor([1.0, 2.0], device="cuda")
    x[x > 1].sum().item(), x.cpu(), x * 2
    assert gpu.waits == {"to GPU": 1, "index by mask": 1, "_local_scalar_dense": 1, "to CPU": 1}
    assert (gpu.counts["to GPU"], gpu.counts["to CPU"]) == (1, 1)


def test_afterwards_there_is_no_gpu():
    with PaperGPU():
        assert torch.cuda.is_available()
    assert not torch.cuda.is_available() and torch.Generator().device.type == "cpu"
    with pytest.raises((RuntimeError, AssertionError)):
        torch.ones(1, device="cuda")


# --- objectives, returns, batches -----------------------------------------------------------------------------------


def samples(device):
    """Six times four steps: log-probs, advantages, values with gradient where a network gives them, and a mask."""
    names = ("logprobs", "old_logprobs", "advantages", "values", "old_values", "returns")
    made = {name: normal(6, 4, seed=seed, device=device) for seed, name in enumerate(names)}
    made |= {"mask": made["returns"] > -1, "logits": normal(6, 4, 5, seed=9, device=device)}
    made["actions"] = normal(6, 4, seed=10, device=device).abs().long()
    learned = [made[name].requires_grad_() for name in ("logprobs", "values", "logits")]
    return SimpleNamespace(**made, learned=learned)


OBJECTIVES = {
    "ratio": lambda s: probability_ratio(s.logprobs, s.old_logprobs),
    "clipped": lambda s: clipped_surrogate(probability_ratio(s.logprobs, s.old_logprobs), s.advantages),
    "policy_loss": lambda s: policy_loss(s.logprobs, s.old_logprobs, s.advantages, 0.2, s.mask, s.mask.sum()),
    "no clip": lambda s: policy_loss(s.logprobs, s.old_logprobs, s.advantages, None),
    "value_loss": lambda s: value_loss(s.values, s.returns, s.old_values, 0.1, s.mask),
    "chosen_logprobs": lambda s: chosen_logprobs(s.logits, s.actions),
    "entropy": lambda s: entropy(s.logits.masked_fill(s.logits > 1.5, -torch.inf)),
    "k1": lambda s: kl_k1(s.old_logprobs, s.logprobs),
    "k2": lambda s: kl_k2(s.old_logprobs, s.logprobs),
    "k3": lambda s: kl_k3(s.old_logprobs, s.logprobs),
    "clip_fraction": lambda s: clip_fraction(s.logprobs.exp(), 0.2, s.mask),
    "masked_mean": lambda s: masked_mean(s.logprobs, s.mask),
    "whiten": lambda s: whiten(s.logprobs, s.mask),
    "explained_variance": lambda s: explained_variance(s.old_values, s.returns, s.mask),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_and_their_gradients(name):
    def work(device):
        given = samples(device)
        result = OBJECTIVES[name](given)
        if not result.requires_grad:
            return [result]
        gradients = torch.autograd.grad(result.sum(), given.learned, allow_unused=True)
        return [result, *(g for g in gradients if g is not None)]

    assert_same_on_paper(work)


def walks(device, **change):
    """Experience of four walks of ten steps, some of them cut off."""
    dones, rewards = normal(4, 10, device=device) > 1, normal(4, 10, seed=1, device=device)
    columns = {name: normal(4, 10, seed=seed, device=device) for seed, name in enumerate(("logprobs", "values"), 2)}
    given = columns | {"rewards": rewards, "dones": dones, "mask": torch.ones_like(dones)}
    given |= {"last_values": normal(4, seed=5, device=device), "final_values": (rewards * dones).clamp(min=0)}
    return Experience(**({"inputs": {"x": normal(4, 10, 3, seed=6, device=device)}} | given | change))


def test_returns_advantages_and_batches():
    def work(device):
        seen = walks(device)
        texts = walks(device, inputs={"x": normal(4, 7, device=device)}, whole=True, sampled_logprobs=seen.rewards)
        plain = walks(device, last_values=None, final_values=None)
        returns = [discounted_returns(seen.rewards, seen.dones, 0.9, start) for start in (0.5, seen.last_values)]
        return [returns, seen.advantages(0.9, 0.8), *(some.batch(0.9, 0.8) for some in (seen, texts, plain))]

    assert_same_on_paper(work)


def test_tensors_of_both_devices_are_named(gpu):
    x, seen = there(2, 3), walks("cuda")
    for call, message in (
        (lambda: probability_ratio(x, x.cpu()), "old_logprobs must be on cuda:0 like logprobs, got cpu"),
        (lambda: policy_loss(x, x, x.cpu()), "advantages must be on cuda:0 like logprobs, got cpu"),
        (lambda: value_loss(x, x.cpu()), "returns must be on cuda:0 like values, got cpu"),
        (lambda: masked_mean(x, (x > 0).cpu()), "mask must be on cuda:0 like what it masks, got cpu"),
        (lambda: kl_k3(x.cpu(), x), "ref_logprobs must be on cpu like logprobs, got cuda:0"),
        (lambda: replace(seen, last_values=torch.zeros(4)).advantages(1.0, 1.0), "last_values must be on cuda:0"),
        (lambda: gae(x, x.cpu(), x > 2, x[:, 0], 1.0, 1.0), "values must be on cuda:0 like rewards, got cpu"),
        (lambda: discounted_returns(x, (x > 2).cpu(), 1.0), "dones must be on cuda:0 like rewards, got cpu"),
        (
            lambda: ppo_update(None, seen.batch(1.0, 1.0), None, SMALL, torch.Generator()),
            "generator must be on cuda:0 like the batch, got cpu",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- the update -----------------------------------------------------------------------------------------------------


def linear(device, shape=(24,)):
    """A linear policy of three actions with a value, what it evaluates, and a batch; of texts if shape is (B, T)."""
    torch.manual_seed(0)
    model = nn.Linear(5, 4).to(device)
    inputs = {"x": normal(*shape, 5, device=device), "actions": normal(*shape, seed=1, device=device).abs().long() % 3}

    def evaluate(batch):
        out = model(batch.inputs["x"])
        return chosen_logprobs(out[..., :3], batch.inputs["actions"]), out[..., 3], entropy(out[..., :3])

    mask = normal(*shape, seed=7, device=device) > -1
    old = [normal(*shape, seed=seed, device=device) for seed in (2, 3, 4, 5)]
    return model, evaluate, Batch(inputs, old[0] - 1.5, *old[1:], mask)


@pytest.mark.parametrize("shape", [(24,), (12, 4)], ids=["steps", "texts"])
@pytest.mark.parametrize(
    ("change", "micro_batch"),
    [({}, None), ({}, 2), ({"target_kl": 0.05}, None), ({"value_clip_eps": 0.1, "clip_eps": None}, 3),
     ({"ent_coef": 0.0, "max_grad_norm": None, "whiten_advantages": False}, None)],
    ids=["plain", "micro-batches", "target KL", "value clip", "no entropy"],
)  # fmt: skip
def test_an_update(shape, change, micro_batch):
    config = replace(PPOConfig(epochs=2, minibatch_size=7, ent_coef=0.01, learning_rate=0.1), **change)

    def work(device):
        model, evaluate, batch = linear(device, shape)
        scored = evaluate if config.ent_coef else lambda part: (*evaluate(part)[:2], None)
        batch = replace(batch, sampled_logprobs=batch.old_logprobs + 0.1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
        generator = torch.Generator(device).manual_seed(7)
        return ppo_update(scored, batch, optimizer, config, generator, micro_batch), weights(model)

    assert_same_on_paper(work)


def waits_per_step(update, config):
    """What each optimiser step waits for: ``config.epochs`` epochs, less what a single one waits for."""
    seen = []
    for epochs in (1, config.epochs):
        with PaperGPU() as gpu:
            seen.append((update(replace(config, epochs=epochs), gpu).optimizer_steps, gpu.waits))
    (few, once), (many, waits) = seen
    return {name: number / (many - few) for name, number in (waits - once).items()}


@pytest.mark.parametrize(
    ("target_kl", "expected"),
    [
        (None, {"_local_scalar_dense": 1}),  # the policy asks its masks whether every state has an open move
        (1e9, {"_local_scalar_dense": 2}),  # and the update compares the approximate KL
    ],
)
def test_what_an_optimiser_step_on_the_grid_waits_for(target_kl, expected):
    def update(config, gpu):
        training = Training(grid(), config, device="cuda")
        batch = training.collect().batch(1.0, 0.95)
        gpu.waits.clear()
        return ppo_update(training.evaluate, batch, training.optimizer, config, training.generator)

    assert waits_per_step(update, replace(SMALL, epochs=6, target_kl=target_kl)) == expected


# --- walking --------------------------------------------------------------------------------------------------------


def networks(device, envs):
    size, actions = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
    torch.manual_seed(0)
    return PolicyNetwork(size, actions).to(device), ValueNetwork(size).to(device)


def test_networks_made_there_or_moved():
    def work(device):
        torch.manual_seed(0)
        made = PolicyNetwork(3, 4, device=device), ValueNetwork(3, device=device)
        moved = PolicyNetwork(3, 4).to(device)
        x, open_moves = normal(5, 3, device=device), normal(5, 4, seed=1, device=device) > -1
        logits, values = made[0](x, open_moves), made[1](x)
        (entropy(logits) + values + entropy(moved(x))).sum().backward()
        logprobs = moved.logprobs(x, open_moves.int().argmax(dim=-1), open_moves)
        gradients = [p.grad for network in (*made, moved) for p in network.parameters()]
        return logits, values, logprobs, gradients, weights(*made, moved)

    assert_same_on_paper(work)


WORLDS = {
    "xy": grid,
    "onehot": lambda: grid(observation="onehot"),
    "same step": lambda: grid(autoreset_mode=AutoresetMode.SAME_STEP),
    "CartPole": cartpole,
}


@pytest.mark.parametrize("world", WORLDS)
def test_collecting(world):
    def work(device):
        envs = WORLDS[world]()
        collector = Collector(envs, *networks(device, envs), seed=3)
        return [collector.collect(10), collector.collect(6)]

    assert_same_on_paper(work)
    walked = Collector(envs := WORLDS[world](), *networks("cpu", envs)).collect(10)
    assert (walked.action_masks is None) == (world == "CartPole")


def test_reading_a_policy():
    """Both are answered on the CPU, in float64, wherever the policy is."""
    corridor = GridWorld.from_text("m . S . M")

    def work(device):
        grids, poles = GridWorldVectorEnv(corridor, num_envs=3, max_steps=20), cartpole()
        policy, pole = (networks(device, envs)[0] for envs in (grids, poles))
        earned = greedy_returns(policy, grids), greedy_returns(pole, poles, seed=1)
        assert {x.device.type for x in earned} == {"cpu"}
        return [x.tolist() for x in earned], policy_table(policy, corridor).tolist()

    assert_same_on_paper(work)


def trained(device, config=SMALL, envs=grid, **options):
    *_, last = train_ppo(envs(), config, seed=3, device=device, progress=False, **options)
    return last


def outcome(last):
    return weights(last.policy, last.value), last.steps, last.mean_return, last.stats, last.experience


@pytest.mark.parametrize(
    ("change", "envs"),
    [
        ({}, grid),
        ({"anneal_lr": True, "anneal_clip": True, "value_clip_eps": 0.2}, grid),
        ({"target_kl": 0.01, "learning_rate": 0.05, "epochs": 3}, grid),
        ({"clip_eps": None, "max_grad_norm": None, "whiten_advantages": False}, WORLDS["onehot"]),
        ({"anneal_lr": True}, cartpole),
    ],
    ids=["plain", "annealed", "target KL", "bare", "CartPole"],
)
def test_training(change, envs):
    assert_same_on_paper(lambda device: outcome(trained(device, replace(SMALL, **change), envs)))


@pytest.mark.parametrize("envs", [grid, slow(cartpole)])
def test_a_resumed_run_equals_one_that_never_stopped(gpu, tmp_path, envs):
    path, config = tmp_path / "run.safetensors", replace(SMALL, iterations=3, anneal_lr=True, target_kl=0.5)
    for result in train_ppo(envs(), config, seed=3, device="cuda", progress=False):
        if result.index == 2:
            result.save(path)
    resumed = trained("cuda", config, envs, checkpoint=path)
    assert_the_same(outcome(resumed), [x.cpu() if isinstance(x, Tensor) else x for x in flat(outcome(result))])
    states = [run.training.generator.get_state() for run in (result, resumed)]
    assert torch.equal(*states) and len(states[0]) == 16


@pytest.mark.slow
@pytest.mark.parametrize(("of", "on"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_checkpoint_of_another_device_is_refused_and_changes_nothing(gpu, tmp_path, of, on):
    trained(of).save(tmp_path / "run.safetensors")
    tried, untouched = (Training(grid(), SMALL, seed=3, device=on) for _ in range(2))
    for training in (tried, untouched):
        training.iterate()
    with pytest.raises(ValueError, match=f"checkpoint must be of a training with device {on}, got one with {of}"):
        tried.load(tmp_path / "run.safetensors")
    assert (tried.done, tried.steps) == (untouched.done, untouched.steps) == (1, untouched.steps)
    assert tried.collector.way == untouched.collector.way
    ours, theirs = (outcome(training.iterate()) for training in (tried, untouched))
    assert_the_same(ours, [x.cpu() if isinstance(x, Tensor) else x for x in flat(theirs)])


def test_a_generator_of_the_gpu_has_a_stream_of_its_own():
    seen = []
    for stream in (0, 0, 1):
        with PaperGPU(stream) as gpu:
            seen.append(torch.rand(9, device="cuda", generator=torch.Generator("cuda").manual_seed(0)).tolist())
    assert gpu.stream == 1 and seen[0] == seen[1] != seen[2]


# --- PyTorch's own default device -----------------------------------------------------------------------------------


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@pytest.mark.slow
@pytest.mark.parametrize("device", [None, "cpu", "cuda"])
def test_a_default_device_changes_nothing(gpu, tmp_path, device):
    """Neither where a training lives nor its numbers; "the CPU if None" is meant as it stands."""
    expected = outcome(trained("cpu"))
    with default_device("cuda"):
        last = trained(device)
        last.save(tmp_path / "run.safetensors")
        resumed = trained(device, replace(SMALL, iterations=3), checkpoint=tmp_path / "run.safetensors")
        table = policy_table(last.policy, grid().world)
        on_gpu = gpu.counts["on GPU"]  # from here the policy is made where the default is
        earned = greedy_returns(networks(device or "cpu", cartpole())[0], cartpole())
    assert bool(on_gpu) == (device == "cuda")
    assert {p.is_cuda for p in weights(last.policy, last.value, resumed.policy)} == {device == "cuda"}
    assert last.experience.rewards.is_cuda == (device == "cuda") and resumed.index == 3
    assert earned.device.type == "cpu" and isinstance(table, np.ndarray)
    assert_the_same(outcome(last), expected)


# --- language -------------------------------------------------------------------------------------------------------

PROMPTS = ["The food at the restaurant was", "I feel really", "Customer support helped me"]
PAIRS = [(prompt, " good.") for prompt in PROMPTS] * 4
ROWS = [[464, 2057, 379, 262, 7072, 373, 7932], [40, 8288, 340, 13], [1212, 318, 257, 1332, 13]]


@pytest.fixture(scope="module")
def models():
    """The bundled model on the CPU and on paper, and its tokenizer."""
    model, tokenizer = load_gpt2("tiny")
    with PaperGPU():
        there, _ = load_gpt2("tiny", device="cuda")
    return {"cpu": model, "cuda": there, "tokenizer": tokenizer}


def padded(device, side):
    longest = max(map(len, ROWS))
    blanks = [[0] * (longest - len(row)) for row in ROWS]
    ids = [blank + row if side == "left" else row + blank for blank, row in zip(blanks, ROWS, strict=True)]
    ones = [blank + [1] * len(row) if side == "left" else [1] * len(row) + blank
            for blank, row in zip(blanks, ROWS, strict=True)]  # fmt: skip
    return torch.tensor(ids, device=device), torch.tensor(ones, device=device)


@pytest.mark.slow
@pytest.mark.parametrize("device", [None, "cuda"])
def test_a_model_is_loaded_to_where_it_is_asked(gpu, models, device, capsys):
    with default_device("cuda"):
        model, _ = load_gpt2("tiny", device=device)
    assert {p.is_cuda for p in model.parameters()} == {device == "cuda"}
    assert f"on {'cuda:0' if device else 'cpu'}: the bundled model" in capsys.readouterr().out
    assert_the_same(weights(model), weights(models["cpu"]))
    ids = padded(device or "cpu", "right")[0]
    assert_the_same(model(input_ids=ids).logits, models["cpu"](input_ids=ids.cpu()).logits, TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("temperature", "entropies"), [(1.0, False), (0.7, True)])
def test_scoring_with_gradient(models, side, temperature, entropies):
    def work(device):
        model = models[device]
        ids, attention_mask = padded(device, side)
        scores = score(model, ids, 2, attention_mask, temperature, entropy=entropies)
        total = scores.logprobs.mean() + (scores.entropy.mean() if entropies else 0)
        gradients = torch.autograd.grad(total, list(model.parameters()))
        with torch.no_grad():
            again = token_logprobs(model, ids, 2, attention_mask, temperature)
        mask = attention_mask[:, 2:].bool()
        sequence = [sequence_logprob(again, mask, reduce) for reduce in ("sum", "mean")]
        return scores, again, sequence, gradients

    assert_same_on_paper(work, TEXTS)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_as_on_a_gpu")
@pytest.mark.parametrize(
    ("own", "options"),
    [(True, {"temperature": 0.7}), (False, {}), slow(True, {}), slow(True, {"top_k": 5}), slow(True, {"top_p": 0.5})],
)
def test_sampling_and_scoring_what_was_drawn(models, own, options):
    def work(device):
        torch.manual_seed(1)
        generator = torch.Generator(device).manual_seed(1) if own else None
        drawn = sample(models[device], models["tokenizer"], PROMPTS, 6, generator=generator, **options)
        with torch.no_grad():
            logprobs = drawn.logprobs(models[device], options.get("temperature", 1.0))
        some = [drawn[rows] for rows in ([2, 0], torch.tensor([1]), torch.tensor([2, 0], device=device))]
        return drawn, logprobs, some, drawn.inputs, drawn.tokens, sequence_logprob(logprobs, drawn.mask)

    assert_same_on_paper(work, TEXTS)


@pytest.mark.slow
def test_texts_on_another_device_than_the_model_are_named(gpu, models):
    ids, mask = padded("cuda", "left")
    for call, message in (
        (lambda: score(models["cuda"], ids.cpu(), 2), "sequences must be on cuda:0 like the model, got cpu"),
        (lambda: score(models["cuda"], ids, 2, mask.cpu()), "attention_mask must be on cuda:0 like the model, got cpu"),
        (lambda: token_logprobs(models["cpu"], ids, 2), "sequences must be on cpu like the model, got cuda:0"),
        (
            lambda: sample(models["cuda"], models["tokenizer"], ["I"], 1, generator=torch.Generator()),
            "generator must be on cuda:0 like the model, got cpu",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


class WithValues(nn.Module):
    """A small GPT-2 with a value head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        sizes = {"vocab_size": 50, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 16}
        self.config = GPT2Config(**sizes, initializer_range=0.3, bos_token_id=None, eos_token_id=None)
        self.model, self.head = GPT2LMHeadModel(self.config), nn.Linear(16, 1)
        self.get_input_embeddings = self.model.get_input_embeddings
        self.eval()

    def forward(self, **options):
        out = self.model(**options, output_hidden_states=True)
        out.values = self.head(out.hidden_states[-1]).squeeze(-1)
        return out


def texts(device):
    """Eight texts of ten tokens: padding on the left, or behind the end."""
    ids = (normal(8, 10, device=device) * 100).long().abs() % 50
    attention_mask = torch.ones_like(ids)
    attention_mask[::2, :2], attention_mask[1::2, -2:] = 0, 0
    return {"sequences": ids, "attention_mask": attention_mask}


def text_update(model, device, config, micro_batch=None, begin=lambda: None):
    """An update of a model with values on eight texts; ``begin`` is called before it."""
    prompt_length, inputs = 4, texts(device)
    mask = inputs["attention_mask"][:, prompt_length:].bool()
    with torch.no_grad():
        scores = score(model, prompt_length=prompt_length, **inputs)
    dones = mask & ~torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)  # the last token that counts
    rewards = normal(8, 6, seed=1, device=device) * mask
    seen = Experience(inputs, scores.logprobs, scores.values, rewards, dones, mask, whole=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # Adam would scale what is rounding only up to a step
    generator, batch = torch.Generator(device).manual_seed(0), seen.batch(1.0, 0.95)
    begin()

    def evaluate(part):
        return score(model, prompt_length=prompt_length, entropy=True, **part.inputs)

    return ppo_update(evaluate, batch, optimizer, config, generator, micro_batch)


@pytest.mark.slow
@pytest.mark.parametrize("micro_batch", [slow(None), 2])
def test_an_update_on_texts(micro_batch):
    config = PPOConfig(epochs=2, minibatch_size=4, ent_coef=0.01)

    def work(device):
        model = WithValues().to(device)
        return text_update(model, device, config, micro_batch), weights(model)

    assert_same_on_paper(work, TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize(("target_kl", "micro_batch"), [(None, None), slow(None, 2), (1e9, None)])
def test_what_an_optimiser_step_on_texts_waits_for(target_kl, micro_batch):
    """The scorer looks once at its tokens and their mask, transformers asks itself whether anything is padded, and
    with a target the update compares the approximate KL."""
    with PaperGPU() as gpu:
        inputs = texts("cuda")
        model = WithValues().to("cuda")
        gpu.waits.clear()
        model(input_ids=inputs["sequences"], attention_mask=inputs["attention_mask"])
        their_own = gpu.waits["_local_scalar_dense"]

    def update(config, gpu):
        return text_update(WithValues().to("cuda"), "cuda", config, micro_batch, begin=gpu.waits.clear)

    waits = waits_per_step(update, PPOConfig(epochs=2, minibatch_size=4, target_kl=target_kl))
    pieces = 2 if micro_batch else 1
    expected = {"to CPU": pieces, "_local_scalar_dense": pieces * their_own + (target_kl is not None)}
    assert waits == {name: number for name, number in expected.items() if number}


def test_another_order_of_sums_stays_within_what_the_helpers_promise(models):
    """The scorer against the sampler, minibatches against the whole batch; of one shape the same numbers twice."""
    with OtherOrder(), torch.no_grad():
        generator, model = torch.Generator("cuda").manual_seed(0), models["cuda"]
        drawn = sample(model, models["tokenizer"], PROMPTS, 6, generator=generator)
        scored, again = drawn.logprobs(model), drawn.logprobs(model)
        parts = torch.cat([drawn[rows].logprobs(model) for rows in torch.arange(3).split(2)])
        assert (probability_ratio(scored, drawn.sampled_logprobs) - 1).abs().max() < 1e-4
        assert (probability_ratio(parts, scored) - 1).abs().max() < 1e-4
        assert torch.equal(scored, again) and not torch.equal(scored, drawn.sampled_logprobs)


def test_another_order_of_sums_on_the_grid():
    with OtherOrder():
        assert trained("cuda").stats.first_ratio_error < 1e-6


def test_numbers_rounded_to_ten_bits_are_no_reason_to_refuse_a_model(models, monkeypatch):
    """What ``torch.set_float32_matmul_precision("high")`` does to a GPU's products."""
    monkeypatch.setattr(scoring, "_PADS_LEFT", WeakSet())  # not yet seen to bear padding on the left
    ids, attention_mask = padded("cpu", "left")
    with torch.no_grad():
        exact = score(models["cpu"], ids, 2, attention_mask).logprobs
        with TF32():
            rounded = score(models["cuda"], ids.to("cuda"), 2, attention_mask.to("cuda")).logprobs.cpu()
    assert 1e-4 < (rounded - exact)[attention_mask[:, 2:].bool()].abs().max() < 0.05


# --- a language model learns ----------------------------------------------------------------------------------------


def learner(device, models, **change):
    """Two iterations on the folded bundled model: an own reward, a judge, an adaptive price, texts in micro-batches."""
    folded = fold(models[device])
    given = {"iterations": 2, "texts": 4, "max_new_tokens": 4, "epochs": 2, "minibatch_size": 4, "micro_batch": 2}
    config = WriteConfig(**given | {"learning_rate": 1e-4, "temperature": 0.8} | change)
    reward = of_text(lambda prompt, text: len(text) / 10)
    price, judge = AdaptiveKL(0.1, target=0.1, horizon=8), RewardModel(folded).rate
    return WriteTraining(folded, models["tokenizer"], PROMPTS, reward, config, kl=price, judge=judge)


def learned(run):
    found = [run.iterate() for _ in range(2)]
    numbers = [(r.reward, r.kl, r.kl_coef, r.judged, r.length, r.stats) for r in found]
    seen = [r.experience for r in found]
    return numbers, [(e.inputs, e.logprobs, e.rewards, e.dones, e.mask, e.ref_logprobs, e.scores) for e in seen]


def test_a_gpu_draws_all_its_numbers_side_by_side(gpu):
    probs = normal(3, 7).softmax(-1)
    drawn = scoring._drawn(probs.to("cuda"), torch.Generator("cuda").manual_seed(2))
    assert drawn.is_cuda and drawn.cpu().equal(torch.multinomial(probs, 1, generator=torch.Generator().manual_seed(2)))


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_as_on_a_gpu")
@pytest.mark.parametrize(
    "change", [{}, slow({"separate_value": True, "ent_coef": 0.01})], ids=["plain", "values apart"]
)
def test_an_iteration_on_texts(models, change):
    """Weights are left out: Adam makes a step of what is rounding only."""
    assert_same_on_paper(lambda device: learned(learner(device, models, **change)), 2e-3)


@pytest.mark.slow
def test_a_run_on_texts_goes_on_from_its_checkpoint(gpu, models, tmp_path):
    run = learner("cuda", models)
    run.iterate().save(tmp_path / "run.safetensors")
    last, resumed = run.iterate(), learner("cuda", models)
    resumed.load(tmp_path / "run.safetensors")
    again = resumed.iterate()
    assert again.stats == last.stats and again.kl_coef == last.kl_coef != 0.1
    assert_the_same(weights(again.policy), [x.cpu() for x in weights(last.policy)])
    with pytest.raises(ValueError, match="a training with device cpu, got one with cuda"):
        learner("cpu", models).load(tmp_path / "run.safetensors")


@pytest.mark.slow
def test_comparisons_and_their_reward_model(models):
    def work(device):
        folded, tokenizer = fold(models[device]), models["tokenizer"]
        answers = pack(tokenizer, [(PROMPTS[0], " " + "good" * n) for n in (1, 2, 3, 4)], device)
        seen = compare(answers, of_text(lambda prompt, text: len(text)), 2)
        reward_model = train_reward_model(folded, seen, 1, 1e-4, progress=False)
        some = answers[torch.tensor([2, 0], device=device)]
        sft = [epoch.held_out_loss for epoch in train_sft(fold(models[device]), tokenizer, PAIRS, 1, progress=False)]
        with torch.no_grad():
            whole = unfold(folded)(input_ids=answers.responses.sequences).logits
        return reward_model.rate(answers), some.responses.sequences, sft, whole

    assert_same_on_paper(work, 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_default_device_changes_nothing_about_texts(gpu, models, device):
    """Where the model is, not where PyTorch would put a new tensor: from the comparisons to the judged policy."""
    folded, tokenizer, length = fold(models[device]), models["tokenizer"], of_text(lambda prompt, text: len(text))

    def work():
        compared = compare(write_groups([folded, folded], tokenizer, PROMPTS, 3, 2, 3), length, 2)
        reward_model = train_reward_model(folded, compared[:2] + compared[2:], 1, 1e-4, progress=False)
        run = learner(device, models, micro_batch=4)
        numbers, _ = assess(run.policy, folded, tokenizer, PROMPTS, reward_model.rate, texts=6, max_new_tokens=3)
        sft = [epoch.held_out_loss for epoch in train_sft(fold(models[device]), tokenizer, PAIRS, 1, progress=False)]
        return compared.winners, numbers, run.iterate().stats, sft

    expected = work()
    with default_device("cuda"):
        found = work()
    assert_the_same(found, expected, 2e-3)
