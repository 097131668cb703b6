"""A checkpoint comes back as it was, or is refused by name before anything has changed."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import SyncVectorEnv
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ppo_helpers import checkpoint
from ppo_helpers.gridworld import GridWorldVectorEnv
from ppo_helpers.walking import Training, WalkConfig

pytestmark = pytest.mark.usefixtures("one_thread")
IDENTITY = {"seed": 3, "gamma": 0.5, "hidden": (8, 8), "clip_eps": None}
STATE = {
    "net": {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.tensor(True)},
    "half": torch.ones(2, dtype=torch.bfloat16),
    "adam": {"0": {"step": torch.tensor(4.0)}, "1": {}},
    "bytes": torch.zeros(0, dtype=torch.uint8),
    "done": 7,
    "recent": [1.5, float("nan"), -2.0],
    "name": "ε",
}  # fmt: skip


def same(one, two):
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return one.dtype == two.dtype and torch.equal(one, two)
    return one == two or str(one) == str(two)


def test_everything_comes_back_as_it_was(tmp_path):
    checkpoint.save(tmp_path / "x", STATE, IDENTITY)
    found = checkpoint.load(tmp_path / "x", IDENTITY)
    assert same(found, STATE) and found["done"] == 7 and found["recent"][0] == 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    checkpoint.save(str(tmp_path / "x"), STATE | {"net": {"w": STATE["net"]["a.weight"].T}}, IDENTITY)  # not contiguous
    assert torch.equal(checkpoint.load(tmp_path / "x", IDENTITY)["net"]["w"], STATE["net"]["a.weight"].T)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "checkpoint must be of a training with seed 4, got one with 3"),
        ({"hidden": (8,)}, r"checkpoint must be of a training with hidden \[8\], got one with \[8, 8\]"),
        ({"clip_eps": 0.2}, r"checkpoint must be of a training with clip_eps 0\.2, got one with None"),
        ({"new": 1}, "checkpoint must be of a training with new 1, got one with None"),
    ],
)
def test_another_training_is_named(tmp_path, change, message):
    checkpoint.save(tmp_path / "x", STATE, IDENTITY)
    with pytest.raises(ValueError, match=message):
        checkpoint.load(tmp_path / "x", IDENTITY | change)
    less = {name: value for name, value in IDENTITY.items() if name != "seed"}
    with pytest.raises(ValueError, match="checkpoint must be of a training with seed None, got one with 3"):
        checkpoint.load(tmp_path / "x", less)


def damaged(path, how):
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    elif how == "text":
        path.write_text("not a checkpoint")
    elif how == "folder":
        path.unlink()
        path.mkdir()
    elif how == "flipped":
        content = bytearray(path.read_bytes())
        content[-4] ^= 1
        path.write_bytes(content)
    else:
        with safe_open(path, "pt") as file:
            words = file.metadata()
        words = {} if how == "foreign" else words | {"plain": words["plain"].replace("7", "8")}
        save_file(load_file(path), path, metadata=words)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "checkpoint must be a file that save has written, got .*x: "),
        ("empty", "checkpoint must be a file that save has written, got .*x: "),
        ("cut", "checkpoint must be a file that save has written, got .*x: "),
        ("text", "checkpoint must be a file that save has written, got .*x: "),
        ("folder", "checkpoint must be a file that save has written, got .*x: "),
        ("flipped", "checkpoint must be whole, got .*x, whose contents have changed"),
        ("foreign", "checkpoint must be a 'ppo_helpers checkpoint 2', got None in .*x"),
        ("words", "checkpoint must be whole, got .*x, whose contents have changed"),
    ],
)
def test_a_damaged_or_foreign_file_is_named_and_the_training_goes_on_untouched(tmp_path, how, message):
    config = WalkConfig(iterations=3, steps=4, epochs=1)
    envs = lambda: GridWorldVectorEnv(num_envs=4, max_steps=7)  # noqa: E731
    straight, training = Training(envs(), config), Training(envs(), config)
    training.iterate()
    checkpoint.save(tmp_path / "x", STATE, training._identity())
    damaged(tmp_path / "x", how)
    with pytest.raises(ValueError, match=message):
        training.load(tmp_path / "x")
    last, wanted = training.iterate(), [straight.iterate() for _ in range(2)][-1]
    assert last.stats == wanted.stats and last.index == wanted.index == 2


class Choice(gym.Env):
    """A bandit with so many arms."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, arms):
        self.action_space = gym.spaces.Discrete(arms)

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), float(action), True, False, {}


def whole(training):
    way = torch.frombuffer(bytearray(training.collector.way), dtype=torch.uint8)
    return training.finished | {"way": way}


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (
            "policy",
            lambda x: x | {"layers.0.bias": torch.zeros(3)},
            r"policy\.layers\.0\.bias as torch\.float32 \(64,\), got",
        ),
        ("policy", lambda x: {}, r"checkpoint must hold \['layers\.0\.bias', .* under policy, got \[\]"),
        ("value", lambda x: x | {"more": torch.zeros(1)}, "checkpoint must hold .* under value, got .*'more'"),
        ("value", lambda x: 3, "under value, got 3"),
        ("optimizer", lambda x: {"0": x["0"]}, r"checkpoint must hold \['0', '1', .*\] under optimizer, got \['0'\]"),
        (
            "optimizer",
            lambda x: x | {"1": checkpoint.copied(x["0"])},
            r"optimizer\.1\.exp_avg as torch\.float32 \(64,\), got",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_named_before_anything_has_changed(tmp_path, part, change, message):
    envs = lambda: GridWorldVectorEnv(num_envs=4, max_steps=7)  # noqa: E731
    training, config = Training(envs(), config := WalkConfig(iterations=3, steps=4)), config
    training.iterate()
    state = whole(training)
    checkpoint.save(tmp_path / "x", state | {part: change(state[part])}, training._identity())
    other = Training(envs(), config)
    before = [p.detach().clone() for p in other.policy.parameters()]
    with pytest.raises(ValueError, match=message):
        other.load(tmp_path / "x")
    assert all(torch.equal(p, q) for p, q in zip(before, other.policy.parameters(), strict=True)) and other.done == 0


def test_a_checkpoint_of_other_spaces_device_or_length_is_named(tmp_path):
    config = WalkConfig(iterations=3, steps=4)
    Training(GridWorldVectorEnv(num_envs=4), config).save(tmp_path / "x")
    cases = {
        "walks 5, got one with 4": Training(GridWorldVectorEnv(num_envs=5), config),
        "observations 11, got one with 2": Training(GridWorldVectorEnv(num_envs=4, observation="onehot"), config),
        "anneal_lr True, got one with False": Training(GridWorldVectorEnv(num_envs=4), replace(config, anneal_lr=True)),
    }
    pair = [SyncVectorEnv([lambda n=n: Choice(n)] * 4) for n in (2, 3)]
    Training(pair[0], config).save(tmp_path / "z")
    with pytest.raises(ValueError, match="checkpoint must be of a training with actions 3, got one with 2"):
        Training(pair[1], config).load(tmp_path / "z")
    size = GridWorldVectorEnv(num_envs=1, observation="onehot").single_observation_space.shape[0]
    for words, training in cases.items():
        with pytest.raises(ValueError, match="checkpoint must be of a training with " + words.replace("11", str(size))):
            training.load(tmp_path / "x")
    shaped = Training(GridWorldVectorEnv(num_envs=4), replace(config, anneal_lr=True))
    shaped.save(tmp_path / "y")
    with pytest.raises(ValueError, match="with iterations 9, got one with 3"):  # it shapes every annealed iteration
        Training(GridWorldVectorEnv(num_envs=4), replace(config, anneal_lr=True, iterations=9)).load(tmp_path / "y")
    assert Training(GridWorldVectorEnv(num_envs=4), config)._identity()["device"] == "cpu"


def test_an_optimiser_goes_on_where_it_was():
    found = []
    for interrupted in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
        for step in range(4):
            if step == 2 and interrupted:
                state = checkpoint.optimizer_state(optimizer)
                optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
                checkpoint.check_optimizer("optimizer", state, optimizer)
                checkpoint.load_optimizer(optimizer, state)
                before = {name: x.clone() for name, x in state["0"].items()}
            optimizer.zero_grad()
            model(torch.arange(6.0).view(2, 3)).square().sum().backward()
            optimizer.step()
        found.append(model.weight.detach())
    assert torch.equal(*found)
    assert all(torch.equal(x, before[name]) for name, x in state["0"].items())  # the copy was not trained on


def test_copies_do_not_follow_what_they_were_copied_from():
    weight = nn.Parameter(torch.zeros(2))
    copy = checkpoint.copied({"w": weight})
    with torch.no_grad():
        weight += 1
    assert copy["w"].tolist() == [0, 0] and not copy["w"].requires_grad
    assert np.isclose(weight.detach().sum(), 2)
