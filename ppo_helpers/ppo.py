"""PPO itself: one update on one batch, and the loop around it. Nothing here knows of grids or text.

``ppo_update`` needs a batch and a function that evaluates it again; where both come from is the caller's business.
``train_ppo`` supplies them for Gymnasium's vector environments.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from math import nan
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from ppo_helpers.experience import Collector, Experience
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.objectives import (
    clip_fraction,
    entropy,
    explained_variance,
    kl_k3,
    masked_mean,
    policy_loss,
    probability_ratio,
    value_loss,
    whiten,
)

RECENT_WALKS = 100  # a mean return is taken over the last hundred walks that ended


@dataclass(frozen=True)
class PPOConfig:
    """All numbers of PPO.

    Raises:
        ValueError: if a number is out of its range.
    """

    iterations: int = 100
    """rollouts, each followed by one update"""
    steps: int = 32
    """T, steps of each walk per rollout"""
    epochs: int = 4
    """times an update goes through its batch"""
    minibatch_size: int = 256
    """rows of the batch per optimiser step; the last minibatch of an epoch may be smaller"""
    gamma: float = 0.99
    """discount per step"""
    lam: float = 0.95
    """λ of the advantages"""
    clip_eps: float | None = 0.2
    """half-width ε of the band around ratio 1; None for no clipping"""
    learning_rate: float = 3e-4
    """of Adam"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    ent_coef: float = 0.0
    """weight of the entropy bonus"""
    max_grad_norm: float | None = 0.5
    """longer gradients are shortened to this; None for never"""
    whiten_advantages: bool = True
    """shift and scale the advantages of a batch to mean 0 and standard deviation 1"""
    value_clip_eps: float | None = None
    """how far a value may move per update, in reward points; None for any distance"""
    target_kl: float | None = None
    """end the update when a minibatch's approximate KL, nats, is above this; None for never"""
    anneal_lr: bool = False
    """let the learning rate fall in a straight line to 0 over the iterations"""
    anneal_clip: bool = False
    """let ε fall in a straight line to 0 over the iterations"""
    hidden: tuple[int, ...] = (64, 64)
    """widths of the hidden layers of both networks"""

    def __post_init__(self):
        for name in ("iterations", "steps", "epochs", "minibatch_size"):
            value = getattr(self, name)
            self._require(name, isinstance(value, int) and value >= 1, "a whole number of at least 1")
        for name in ("gamma", "lam"):
            self._require(name, 0 <= getattr(self, name) <= 1, "in [0, 1]")
        for name in ("learning_rate", "vf_coef", "ent_coef"):
            self._require(name, 0 <= getattr(self, name) < float("inf"), "finite and not negative")
        for name in ("max_grad_norm", "value_clip_eps", "target_kl"):
            self._require(name, getattr(self, name) is None or getattr(self, name) > 0, "positive or None")
        self._require("clip_eps", self.clip_eps is None or 0 < self.clip_eps < 1, "in (0, 1) or None")

    def _require(self, name: str, fine: bool, wanted: str) -> None:
        if not fine:
            raise ValueError(f"{name} must be {wanted}, got {getattr(self, name)!r}")


@dataclass(frozen=True)
class Batch:
    """What one update learns from. Its rows are single steps, (N,), or whole texts, (B, T)."""

    inputs: dict[str, Tensor]  # (N, ...) whatever ``evaluate`` needs to see again
    old_logprobs: Tensor  # (N,) or (B, T) log π_old(a|s), nats
    advantages: Tensor  # same shape, reward points, not whitened
    returns: Tensor  # same shape, the critic's targets
    old_values: Tensor  # same shape, V when the batch was collected
    mask: Tensor  # same shape, bool, True where an entry counts

    def __len__(self) -> int:
        return len(self.old_logprobs)

    def __getitem__(self, rows: Tensor) -> "Batch":
        """The minibatch of some rows."""
        inputs = {name: tensor[rows] for name, tensor in self.inputs.items()}
        return Batch(inputs, *(getattr(self, field.name)[rows] for field in fields(self)[1:]))

    @classmethod
    def of_steps(cls, experience: Experience, gamma: float, lam: float) -> "Batch":
        """The (B, T) steps of an experience as rows of their own, N in all, without those that do not count."""
        advantages, returns = experience.advantages(gamma, lam)
        inputs = {"observations": experience.observations, "actions": experience.actions}
        if experience.action_masks is not None:
            inputs["action_masks"] = experience.action_masks
        counts = experience.mask  # (B, T); indexing with it flattens to (N, ...)
        columns = (experience.logprobs, advantages, returns, experience.values, counts)
        return cls({name: x[counts] for name, x in inputs.items()}, *(x[counts] for x in columns))


@dataclass(frozen=True)
class PPOStats:
    """How one update went. All are measured before an optimiser step, so the last step is in none of them."""

    policy_loss: float
    """mean over all steps of the update"""
    value_loss: float
    """mean over all steps of the update, squared reward points"""
    entropy: float
    """mean over all steps of the update, nats"""
    grad_norm: float
    """mean length of the gradient before it was shortened"""
    approx_kl: float
    """KL(π_old‖π_θ) by k3, mean over the last epoch, nats"""
    clip_fraction: float
    """share of ratios outside the band (1 ± 0.2 if nothing is clipped), mean over the last epoch"""
    max_ratio: float
    """the largest ratio seen"""
    first_ratio_error: float
    """largest |ratio − 1| before the first step: 0 up to rounding, or the old log-probs are not those of this policy"""
    explained_variance: float
    """share of the returns' variance that the critic knew before the update"""
    optimizer_steps: int
    """how many there were; fewer than epochs × minibatches if ``target_kl`` ended the update"""


Evaluate = Callable[[Batch], tuple[Tensor, Tensor, Tensor]]


def ppo_update(
    evaluate: Evaluate,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    config: PPOConfig,
    generator: torch.Generator | None = None,
) -> PPOStats:
    """Several epochs of clipped steps on one batch, all against the same π_old.

    Args:
        evaluate: gives ``logprobs, values, entropy`` of a minibatch under the current networks, each in the shape of
            its ``old_logprobs``, with gradients.
        batch: what π_old did. Its returns are made already, so whitening the advantages here cannot touch them.
        optimizer: over all parameters that ``evaluate`` uses.
        config: epochs, minibatch size, coefficients.
        generator: for the order of the rows, on the batch's device.

    Returns:
        The statistics of the update.

    Raises:
        ValueError: if ``evaluate`` returns other shapes.

    Source:
        Schulman et al. 2017, algorithm 1.
    """
    explained = explained_variance(batch.old_values, batch.returns, batch.mask).item()
    if config.whiten_advantages:
        batch = replace(batch, advantages=whiten(batch.advantages, batch.mask))
    rows: list[dict[str, float]] = []
    for epoch in range(config.epochs):
        order = torch.randperm(len(batch), generator=generator, device=batch.old_logprobs.device)
        for chosen in order.split(config.minibatch_size):
            loss, measured = _loss(evaluate, batch[chosen], config)
            stop = config.target_kl is not None and measured["approx_kl"] > config.target_kl
            grad_norm = nan if stop else _step(loss, optimizer, config.max_grad_norm)
            rows.append({"epoch": epoch, "grad_norm": grad_norm} | measured)
            if stop:
                return _stats(rows, explained)
    return _stats(rows, explained)


def _loss(evaluate: Evaluate, batch: Batch, config: PPOConfig) -> tuple[Tensor, dict[str, float]]:
    """The loss of a minibatch, and what is worth knowing about it."""
    logprobs, values, entropies = evaluate(batch)
    for name, tensor in (("logprobs", logprobs), ("values", values), ("entropy", entropies)):
        if tensor.shape != batch.old_logprobs.shape:
            wanted = tuple(batch.old_logprobs.shape)
            raise ValueError(f"evaluate must return {name} of shape {wanted}, got {tuple(tensor.shape)}")
    pi_loss = policy_loss(logprobs, batch.old_logprobs, batch.advantages, config.clip_eps, batch.mask)
    old_values = None if config.value_clip_eps is None else batch.old_values
    v_loss = value_loss(values, batch.returns, old_values, config.value_clip_eps, batch.mask)
    bonus = masked_mean(entropies, batch.mask)
    loss = pi_loss + config.vf_coef * v_loss - config.ent_coef * bonus
    measured = {"policy_loss": pi_loss, "value_loss": v_loss, "entropy": bonus}
    measured |= _ratio_statistics(logprobs.detach(), batch, config.clip_eps)
    together = torch.stack([x.detach() for x in measured.values()]).tolist()  # one wait for the GPU, not eight
    return loss, dict(zip(measured, together, strict=True))


def _ratio_statistics(logprobs: Tensor, batch: Batch, clip_eps: float | None) -> dict[str, Tensor]:
    kept = batch.mask
    logprobs, old_logprobs = logprobs[kept], batch.old_logprobs[kept]
    ratio = probability_ratio(logprobs, old_logprobs)
    return {
        "approx_kl": kl_k3(old_logprobs, logprobs).mean(),  # the samples come from π_old
        "clip_fraction": clip_fraction(ratio, clip_eps or 0.2),
        "max_ratio": ratio.max(),
        "ratio_error": (ratio - 1).abs().max(),
    }


def _step(loss: Tensor, optimizer: torch.optim.Optimizer, max_grad_norm: float | None) -> float:
    optimizer.zero_grad()
    loss.backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    limit = float("inf") if max_grad_norm is None else max_grad_norm
    grad_norm = nn.utils.clip_grad_norm_(parameters, limit)
    optimizer.step()
    return grad_norm.item()


def _stats(rows: list[dict[str, float]], explained: float) -> PPOStats:
    last = [row for row in rows if row["epoch"] == rows[-1]["epoch"]]
    stepped = [row for row in rows if not np.isnan(row["grad_norm"])]
    means = {name: float(np.mean([row[name] for row in rows])) for name in ("policy_loss", "value_loss", "entropy")}
    return PPOStats(
        **means,
        grad_norm=float(np.mean([row["grad_norm"] for row in stepped])) if stepped else nan,
        approx_kl=float(np.mean([row["approx_kl"] for row in last])),
        clip_fraction=float(np.mean([row["clip_fraction"] for row in last])),
        max_ratio=max(row["max_ratio"] for row in rows),
        first_ratio_error=rows[0]["ratio_error"],
        explained_variance=explained,
        optimizer_steps=len(stepped),
    )


def evaluator(policy: PolicyNetwork, value: ValueNetwork) -> Evaluate:
    """``evaluate`` for two networks and a batch of steps.

    Args:
        policy: gives logits for observations (and action masks).
        value: gives values for observations.

    Returns:
        A function from a batch to log-probabilities of its actions, values and entropies, (N,) each.
    """

    def evaluate(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        observations = batch.inputs["observations"]
        logits = policy(observations, batch.inputs.get("action_masks"))  # (N, A)
        logprobs = logits.log_softmax(dim=-1).gather(-1, batch.inputs["actions"][:, None]).squeeze(-1)  # (N,)
        return logprobs, value(observations), entropy(logits)

    return evaluate


@dataclass(frozen=True)
class Iteration:
    """Where a training run stands after one rollout and one update."""

    index: int
    """iterations done, from 1"""
    steps: int
    """steps taken by all walks together since the start"""
    mean_return: float
    """undiscounted, over the last hundred walks that ended, reward points; NaN before the first has ended"""
    stats: PPOStats
    """of this iteration's update"""
    policy: PolicyNetwork
    """the network itself: it goes on changing if the training goes on"""
    value: ValueNetwork
    """the network itself"""
    experience: Experience
    """what this iteration's update learned from"""
    training: "Training"

    def save(self, path: str | Path) -> None:
        """Write a checkpoint from which ``train_ppo`` goes on as if it had never stopped; see ``Training.save``."""
        self.training.save(path)


def train_ppo(
    envs: VectorEnv,
    config: PPOConfig,
    seed: int = 0,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Iterator[Iteration]:
    """Train a policy and a value network, one iteration at a time.

    Leave the loop over it at any time: the last iteration holds the networks as they are.

    Args:
        envs: Gymnasium vector environments with discrete actions and observations of one dimension.
        config: all numbers of PPO.
        seed: of the networks, the environments and the choices; the same seed gives the same numbers.
        checkpoint: a file written by ``Iteration.save`` to go on from, with the same ``config`` and ``seed``.
        device: where the networks live; the CPU if None.
        progress: show a bar.

    Returns:
        A generator of iterations.

    Raises:
        ValueError: if the environments have other spaces, or the checkpoint is not one of this training.

    Source:
        Schulman et al. 2017, algorithm 1.
    """
    training = Training(envs, config, seed, device)
    if checkpoint is not None:
        training.load(checkpoint)
    return _iterations(training, progress)


def _iterations(training: "Training", progress: bool) -> Iterator[Iteration]:
    total = training.config.iterations
    with tqdm(total=total, initial=training.done, desc="PPO", unit="it", disable=not progress) as bar:
        while training.done < total:
            result = training.iterate()
            bar.set_postfix({"return": f"{result.mean_return:.2f}"})
            bar.update()
            yield result


class Training:
    """The state of a run of PPO: networks, optimiser, environments, random numbers.

    Args:
        envs: as for :func:`train_ppo`.
        config: as for :func:`train_ppo`.
        seed: as for :func:`train_ppo`.
        device: as for :func:`train_ppo`.

    Raises:
        ValueError: if the environments' observations have more than one dimension, or their actions are not discrete.
    """

    def __init__(self, envs: VectorEnv, config: PPOConfig, seed: int = 0, device: torch.device | str | None = None):
        space = envs.single_observation_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"envs must have observations of one dimension, got {space}")
        if not isinstance(envs.single_action_space, gym.spaces.Discrete):
            raise ValueError(f"envs must have discrete actions, got {envs.single_action_space}")
        self.config, self.seed, self.done, self.steps = config, seed, 0, 0
        with torch.random.fork_rng(devices=[]):  # made on the CPU: the same weights on every device
            torch.manual_seed(seed)
            policy = PolicyNetwork(space.shape[0], int(envs.single_action_space.n), config.hidden)
            value = ValueNetwork(space.shape[0], config.hidden)
        self.policy, self.value = policy.to(device), value.to(device)
        parameters = [*self.policy.parameters(), *self.value.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, eps=1e-5, fused=True)
        self.collector = Collector(envs, self.policy, self.value, seed)
        self.evaluate = evaluator(self.policy, self.value)
        self.actions: list[Tensor] = []  # (B, T) of every iteration: the way back to where the environments stand
        self.running = torch.zeros(envs.num_envs, dtype=torch.double)  # (B,) what the walks under way have earned
        self.recent: deque[float] = deque(maxlen=RECENT_WALKS)

    def iterate(self) -> Iteration:
        """Walk, compute advantages and returns, update."""
        now = self._annealed()
        experience = self.collector.collect(self.config.steps)
        batch = Batch.of_steps(experience, self.config.gamma, self.config.lam)
        stats = ppo_update(self.evaluate, batch, self.optimizer, now, self.collector.generator)
        self.record(experience)
        mean_return = float(np.mean(self.recent)) if self.recent else nan
        return Iteration(self.done, self.steps, mean_return, stats, self.policy, self.value, experience, self)

    def _annealed(self) -> PPOConfig:
        """The numbers of this iteration; sets the optimiser's learning rate."""
        left = 1 - self.done / self.config.iterations
        clip_eps = self.config.clip_eps
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * (left if self.config.anneal_lr else 1)
        return replace(self.config, clip_eps=clip_eps * left) if self.config.anneal_clip and clip_eps else self.config

    def record(self, experience: Experience) -> None:
        """Count an iteration whose batch was this experience; ``iterate`` does it by itself."""
        self.done, self.steps = self.done + 1, self.steps + int(experience.mask.sum())
        self.actions.append(experience.actions.cpu())
        earned = (experience.rewards * experience.mask).cpu().double()  # (B, T)
        for reward, ended in zip(earned.T, experience.dones.cpu().T, strict=True):
            self.running += reward
            self.recent.extend(self.running[ended].tolist())
            self.running[ended] = 0

    def save(self, path: str | Path) -> None:
        """Write a checkpoint: networks, optimiser, random numbers, and every action so far.

        Environments cannot be saved in general. Their way can be walked again: same seed, same actions.

        Args:
            path: a file; if it exists, it is replaced only when the new one is complete.
        """
        tensors = {f"policy.{name}": x for name, x in self.policy.state_dict().items()}
        tensors |= {f"value.{name}": x for name, x in self.value.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{name}": x for name, x in state.items()}
        tensors |= {
            "generator": self.collector.generator.get_state(),
            "actions": torch.stack(self.actions),  # (iterations, B, T)
            "observations": torch.as_tensor(self.collector.observations),
            "steps": torch.tensor(self.steps),
            "running": self.running,
            "recent": torch.tensor(self.recent, dtype=torch.double),
        }
        unfinished = Path(f"{path}.part")
        save_file({name: x.contiguous() for name, x in tensors.items()}, unfinished, metadata=self._identity())
        unfinished.replace(path)

    def load(self, path: str | Path) -> None:
        """Go on from a checkpoint, before the first iteration.

        Args:
            path: a file written by ``save``.

        Raises:
            ValueError: if it was written by a training with another configuration, seed or environment.
        """
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        for name, wanted in self._identity().items():
            if metadata.get(name) != wanted:
                raise ValueError(f"checkpoint must be of a training with {name} {wanted}, got {metadata.get(name)}")
        tensors = load_file(path)
        self.policy.load_state_dict(_under("policy.", tensors))
        self.value.load_state_dict(_under("value.", tensors))
        self._load_optimizer(_under("adam.", tensors))
        self._walk_back(tensors["actions"], tensors["observations"])
        self.collector.generator.set_state(tensors["generator"])
        self.steps, self.running = int(tensors["steps"]), tensors["running"]
        self.recent.extend(tensors["recent"].tolist())

    def _identity(self) -> dict[str, str]:
        """What must agree between a checkpoint and the training that goes on from it."""
        config = {name: x for name, x in asdict(self.config).items() if name != "iterations"}
        if self.config.anneal_lr or self.config.anneal_clip:  # then the number of iterations shapes every one of them
            config["iterations"] = self.config.iterations
        return {"config": repr(config), "seed": str(self.seed), "walks": str(len(self.running))}

    def _load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, x in tensors.items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = x
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})

    def _walk_back(self, actions: Tensor, observations: Tensor) -> None:
        self.actions, self.done = list(actions), len(actions)
        for rollout in actions:
            self.collector.repeat(rollout)
        if not np.array_equal(self.collector.observations, observations.numpy()):
            raise ValueError("checkpoint does not fit envs: the same actions led somewhere else")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}


@torch.no_grad()
def greedy_returns(policy: PolicyNetwork, envs: VectorEnv, seed: int = 0, max_steps: int = 10_000) -> Tensor:
    """What the first walk in every environment earns if the likeliest action is always taken.

    One walk per environment: counting whichever walks end first would prefer the short ones.

    Args:
        policy: gives logits for observations (and action masks).
        envs: B environments; they are reset.
        seed: of the starts.
        max_steps: steps after which a walk that does not end is an error.

    Returns:
        (B,) undiscounted returns, reward points.

    Raises:
        ValueError: if a walk has not ended after ``max_steps``.
    """
    device = next(policy.parameters()).device
    observations, infos = envs.reset(seed=seed)
    earned, walking = np.zeros(envs.num_envs), np.ones(envs.num_envs, dtype=bool)
    for _ in range(max_steps):
        masks = infos.get("action_mask")
        if masks is not None:
            masks = torch.as_tensor(np.where(walking[:, None], masks, 1), device=device)
        actions = policy(torch.as_tensor(observations, device=device), masks).argmax(dim=-1).numpy(force=True)
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        earned += rewards * walking
        walking &= ~(terminated | truncated)
        if not walking.any():
            return torch.as_tensor(earned)
    raise ValueError(f"envs must end every walk within max_steps = {max_steps}, {walking.sum()} of them did not")
