"""The grid's way into PPO, and that of every Gymnasium vector environment: collect, evaluate, train."""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import nan
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor
from tqdm.auto import tqdm

from ppo_helpers import checkpoint as files
from ppo_helpers.devices import chosen_device
from ppo_helpers.experience import Batch, Experience
from ppo_helpers.gridworld import GridWorld
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.objectives import chosen_logprobs, entropy
from ppo_helpers.ppo import Evaluate, Evaluation, PPOConfig, PPOStats, ppo_update, whole_seed

RECENT_WALKS = 100  # a mean return is taken over the last hundred walks that ended


@dataclass(frozen=True)
class WalkConfig(PPOConfig):
    """The numbers of PPO, and those that only walking needs.

    Raises:
        ValueError: if a number is out of its range.
    """

    steps: int = 32
    """T, steps of each walk per batch"""
    hidden: tuple[int, ...] = (64, 64)
    """widths of the hidden layers of both networks"""

    def __post_init__(self):
        super().__post_init__()
        self._whole("steps")
        fine = isinstance(self.hidden, tuple) and all(isinstance(n, Integral) and n >= 1 for n in self.hidden)
        self._require("hidden", fine, "a tuple of whole numbers of at least 1")


# --- collect --------------------------------------------------------------------------------------------------------


class Walks(Experience):
    """Experience of walkers, with its inputs by name."""

    @property
    def observations(self) -> Tensor:
        """(B, T, ...) what the policy saw."""
        return self.inputs["observations"]

    @property
    def actions(self) -> Tensor:
        """(B, T) what it did, counted from 0."""
        return self.inputs["actions"]

    @property
    def action_masks(self) -> Tensor | None:
        """(B, T, A) open moves, where the world says."""
        return self.inputs.get("action_masks")


@dataclass(frozen=True)
class _Spaces:
    """What has to be known of vector environments to walk in them."""

    num_envs: int
    observation_size: int
    actions: gym.spaces.Discrete
    autoreset: AutoresetMode

    @classmethod
    def of(cls, envs: VectorEnv) -> "_Spaces":
        if not isinstance(envs, VectorEnv):
            raise ValueError(f"envs must be a vector environment, as gymnasium.make_vec makes it, got {envs}")
        autoreset, seen = envs.metadata.get("autoreset_mode"), envs.single_observation_space
        if autoreset not in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            raise ValueError(f"envs must use NEXT_STEP or SAME_STEP autoreset, got {autoreset}")
        if not isinstance(seen, gym.spaces.Box) or len(seen.shape) != 1:
            raise ValueError(f"envs must have observations of one dimension, got {seen}")
        if not isinstance(envs.single_action_space, gym.spaces.Discrete):
            raise ValueError(f"envs must have discrete actions, got {envs.single_action_space}")
        return cls(envs.num_envs, seen.shape[0], envs.single_action_space, autoreset)

    @property
    def num_actions(self) -> int:
        return int(self.actions.n)

    @property
    def small(self) -> np.dtype:
        """The smallest type that holds an action: a run keeps all of them."""
        return np.min_scalar_type(self.num_actions - 1)

    def outside(self, actions: np.ndarray) -> np.ndarray:
        """Actions as the environments count them; inside they are counted from 0."""
        return (actions + self.actions.start).astype(self.actions.dtype)

    def masks(self, infos: dict[str, Any], ignored: np.ndarray) -> np.ndarray | None:
        """(B, A) open moves; all of them where a walk gives no mask or is ignored. None if no walk gives one."""
        if "action_mask" not in infos:
            return None
        given, shape = infos["action_mask"], (self.num_envs, self.num_actions)
        used = ~ignored & infos.get("_action_mask", True)  # Gymnasium says beside each entry which walks have one
        masks = np.ones(shape, dtype=bool)
        if used.any():
            rows = np.array(list(given[used])) if given.dtype == object else given[used]
            if rows.shape[1:] != shape[1:]:
                raise ValueError(f"infos['action_mask'] must have shape {shape}, got rows of {rows.shape[1:]}")
            masks[used] = rows
        return masks


class _Steps(NamedTuple):
    """What is written down of one step, (B, ...) each, or of T of them, (B, T, ...)."""

    observations: Any
    action_masks: Any  # None where the world gives none
    logits: Any  # of the draw
    actions: Any
    rewards: Any
    dones: Any
    truncated: Any
    mask: Any
    next_observations: Any


class Collector:
    """Walks a policy through Gymnasium's vector environments, T steps of all B at a time.

    The walks go on from one call to the next. Both of Gymnasium's ways to start an ended walk anew are handled: the
    idle step of ``NEXT_STEP`` is masked out, and the last observation of a walk that was cut off is valued, from the
    next observation (``NEXT_STEP``) or from ``infos["final_obs"]`` (``SAME_STEP``).

    Args:
        envs: a vector environment; ``infos["action_mask"]`` (B, A) is respected where and when it is given.
        policy: gives logits for observations (and action masks).
        value: gives values for observations.
        seed: of the environments' starts and the policy's choices.

    Raises:
        ValueError: if ``envs`` is no vector environment, does not say how it starts ended walks anew, or has no
            discrete actions or no observations of one dimension.
    """

    def __init__(self, envs: VectorEnv, policy: PolicyNetwork, value: ValueNetwork, seed: int = 0):
        self.envs, self.policy, self.value, self.seed = envs, policy, value, whole_seed(seed)
        self.spaces = _Spaces.of(envs)
        self.device = next(policy.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(self.seed)
        self._begin()

    @torch.no_grad()
    def collect(self, steps: int) -> Walks:
        """Walk on for T = ``steps`` steps.

        Args:
            steps: at least 1.

        Returns:
            The experience, shapes (B, T).

        Raises:
            ValueError: if ``steps`` is below 1, or policy or environments give something of the wrong shape.
        """
        if not isinstance(steps, Integral) or steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        shape = (steps, self.spaces.num_envs, self.spaces.num_actions)
        draws = torch.empty(shape, device=self.device).exponential_(generator=self.generator)
        noise = -draws.clamp(min=torch.finfo(draws.dtype).tiny).log()  # Gumbel; a 0 drawn would open a blocked move
        record = [self._step(noise_now) for noise_now in noise]
        return self._experience(_Steps(*(self._column(rows) for rows in zip(*record, strict=True))))

    def retrace(self, way: bytes, answers: str) -> bool:
        """Reset the environments and take a way again that was taken before.

        Environments cannot be saved in general. If they repeat themselves, given their seed, their way can be. Where
        the call is broken off, the collector still knows its own way, and can take it again.

        Args:
            way: the collector's own ``way``, from an earlier time or another run.
            answers: the digest of what the environments answered then.

        Returns:
            Whether they answer the same now; if not, the walkers stand where they stood before the call.
        """
        former = bytes(self.way)
        try:
            self._walk(way)
            repeated = self.answers.hexdigest() == answers
            if not repeated:
                self._walk(former)
        except BaseException:
            self.way = bytearray(former)
            raise
        return repeated

    def _walk(self, way: bytes) -> None:
        self._begin()
        for actions in np.frombuffer(way, self.spaces.small).reshape(-1, self.spaces.num_envs):
            self._move(actions.astype(np.int64))

    def _begin(self) -> None:
        """Reset the environments; from here every action is kept, and a digest of all they answer."""
        self.observations, self.infos = self.envs.reset(seed=self.seed)
        self.asleep = np.zeros(self.spaces.num_envs, dtype=bool)
        self.way, self.answers = bytearray(), hashlib.blake2b(np.ascontiguousarray(self.observations))

    def _move(self, actions: np.ndarray):
        """Step the environments; returns rewards, terminated, truncated."""
        self.observations, rewards, terminated, truncated, self.infos = self.envs.step(self.spaces.outside(actions))
        self.asleep = (terminated | truncated) & (self.spaces.autoreset == AutoresetMode.NEXT_STEP)
        self.way += actions.astype(self.spaces.small).tobytes()
        for answer in (self.observations, rewards, terminated, truncated):
            self.answers.update(np.ascontiguousarray(answer))
        return rewards, terminated, truncated

    def _step(self, noise: Tensor) -> _Steps:
        """One step of all walks; the largest of logits plus Gumbel noise is a draw from their softmax."""
        asleep = self.asleep  # these walks only start anew: their action is ignored and the step does not count
        masks, observations = self.spaces.masks(self.infos, asleep), np.array(self.observations)
        logits = self.policy(_as_input(observations, self.policy), self._tensor(masks))  # (B, A)
        if logits.shape != noise.shape:
            raise ValueError(f"policy must give logits of shape {tuple(noise.shape)}, got {tuple(logits.shape)}")
        actions = (logits + noise).argmax(dim=-1).numpy(force=True)  # (B,)
        rewards, terminated, truncated = self._move(actions)
        cut_off, ended = truncated & ~terminated, terminated | truncated
        after = self._next_observations(cut_off)
        rewards = np.asarray(rewards, dtype=np.float32)
        return _Steps(observations, masks, logits, actions, rewards, ended, cut_off, ~asleep, after)

    def _next_observations(self, cut_off: np.ndarray) -> np.ndarray:
        """What each walk saw after its move; where it was cut off, before any new start."""
        seen = np.array(self.observations)
        if self.spaces.autoreset == AutoresetMode.SAME_STEP and cut_off.any():
            final = self.infos.get("final_obs", np.full(len(seen), None))[cut_off]
            if any(observation is None for observation in final):
                raise ValueError("envs must give infos['final_obs'] of every walk that is cut off, got none")
            seen[cut_off] = np.stack(final)
        return seen

    def _column(self, rows: tuple) -> Tensor | None:
        """(B, T, ...) from T entries; where a step gave no mask although others did, all moves were open in it."""
        if all(row is None for row in rows):
            return None
        if isinstance(rows[0], Tensor):
            return torch.stack(rows, dim=1)
        everything = np.ones((self.spaces.num_envs, self.spaces.num_actions), dtype=bool)
        return self._tensor(np.stack([everything if row is None else row for row in rows], axis=1))

    def _tensor(self, array: np.ndarray | None) -> Tensor | None:
        return None if array is None else torch.as_tensor(array, device=self.device)

    def _experience(self, seen: _Steps) -> Walks:
        """Score all steps in one pass: V of every state, log π of every action."""
        observations, after = (_as_input(x, self.policy) for x in (seen.observations, seen.next_observations))
        inputs, values = {"observations": observations, "actions": seen.actions}, self.value(observations)
        if seen.action_masks is not None:
            inputs["action_masks"] = seen.action_masks
        final_values = torch.zeros_like(values)
        if seen.truncated.any():
            final_values[seen.truncated] = self.value(after[seen.truncated])
        return Walks(
            inputs,
            logprobs=self.policy.logprobs(observations, seen.actions, seen.action_masks),
            values=values,
            rewards=seen.rewards.to(values.dtype),
            dones=seen.dones,
            mask=seen.mask,
            last_values=self.value(after[:, -1]),
            final_values=final_values,
            sampled_logprobs=chosen_logprobs(seen.logits, seen.actions),
        )


# --- evaluate -------------------------------------------------------------------------------------------------------


def evaluator(policy: PolicyNetwork, value: ValueNetwork) -> Evaluate:
    """``evaluate`` for two networks and a batch of steps.

    Args:
        policy: gives logits for observations (and action masks).
        value: gives values for observations.

    Returns:
        A function from a batch to log-probabilities of its actions, values and entropies, (N,) each.
    """

    def evaluate(batch: Batch) -> Evaluation:
        observations = batch.inputs["observations"]
        logits = policy(observations, batch.inputs.get("action_masks"))  # (N, A)
        return chosen_logprobs(logits, batch.inputs["actions"]), value(observations), entropy(logits)

    return evaluate


@torch.no_grad()
def policy_table(policy: PolicyNetwork, world: GridWorld, observation: str = "xy") -> np.ndarray:
    """A policy network read out for every state of a grid.

    Args:
        policy: gives logits for observations and action masks.
        world: the world.
        observation: ``"xy"`` or ``"onehot"``, what the policy was trained on.

    Returns:
        (S, 4) probabilities, aligned with ``world.states``; rows without an open move are 0.

    Raises:
        ValueError: if the policy is made for other observations.
    """
    device, allowed = next(policy.parameters()).device, world.transitions().allowed
    moving = allowed.any(axis=1)
    logits = policy(
        _as_input(world.observations(observation)[moving], policy), torch.as_tensor(allowed[moving], device=device)
    )
    table = np.zeros(allowed.shape)
    table[moving] = logits.double().softmax(dim=-1).numpy(force=True)
    return table


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
        (B,) undiscounted returns, reward points, on the CPU.

    Raises:
        ValueError: if the environments are not as for :class:`Collector`, or a walk has not ended after ``max_steps``.
    """
    device, spaces = next(policy.parameters()).device, _Spaces.of(envs)
    observations, infos = envs.reset(seed=whole_seed(seed))
    earned, walking = np.zeros(envs.num_envs), np.ones(envs.num_envs, dtype=bool)
    for _ in range(max_steps):
        masks = spaces.masks(infos, ~walking)
        masks = None if masks is None else torch.as_tensor(masks, device=device)
        actions = policy(_as_input(observations, policy), masks).argmax(dim=-1).numpy(force=True)
        observations, rewards, terminated, truncated, infos = envs.step(spaces.outside(actions))
        earned += np.where(walking, rewards, 0)
        walking &= ~(terminated | truncated)
        if not walking.any():
            return torch.as_tensor(earned, device="cpu")
    raise ValueError(f"envs must end every walk within max_steps = {max_steps}, {walking.sum()} of them did not")


# --- train ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Iteration:
    """Where a training run stands after one batch of walks and one update."""

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
    experience: Walks
    """what this iteration's update learned from"""
    training: "Training"

    def save(self, path: str | Path) -> None:
        """Write a checkpoint from which ``train_ppo`` goes on as if it had never stopped; see ``Training.save``."""
        self.training.save(path)


def train_ppo(
    envs: VectorEnv,
    config: WalkConfig,
    seed: int = 0,
    *,
    checkpoint: str | Path | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Iterator[Iteration]:
    """Train a policy and a value network, one iteration at a time.

    Leave the loop over it at any time, also by an interrupt in the middle of an iteration: what was finished can be
    saved, and a run that goes on from there is the run that was never stopped.

    Args:
        envs: Gymnasium vector environments with discrete actions and observations of one dimension.
        config: all numbers.
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
        ValueError: if the environments are not as for :class:`Collector`, ``config`` is no :class:`WalkConfig`, or the
            device is not there.
    """

    def __init__(self, envs: VectorEnv, config: WalkConfig, seed: int = 0, device: torch.device | str | None = None):
        if not isinstance(config, WalkConfig):
            raise ValueError(f"config must be a WalkConfig, got {config!r}")
        self.config, self.seed, self.device = config, whole_seed(seed), chosen_device(device)
        self.policy, self.value = _networks(_Spaces.of(envs), config.hidden, self.seed, self.device)
        parameters = [*self.policy.parameters(), *self.value.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, eps=1e-5, fused=True)
        self.collector = Collector(envs, self.policy, self.value, self.seed)
        self.generator = self.collector.generator
        self.evaluate = evaluator(self.policy, self.value)
        self.done, self.steps = 0, 0
        self.running = torch.zeros(envs.num_envs, dtype=torch.double, device="cpu")  # (B,) earned by walks under way
        self.recent: deque[float] = deque(maxlen=RECENT_WALKS)
        self.finished, self.under_way = self._state(), False

    def iterate(self) -> Iteration:
        """Walk, judge, climb: one iteration.

        Raises:
            ValueError: if the run is over and something in it is annealed.
        """
        experience = self.collect()
        batch = experience.batch(self.config.gamma, self.config.lam)
        stats = ppo_update(self.evaluate, batch, self.optimizer, self.numbers(), self.generator)
        return self.finish(experience, stats)

    def collect(self) -> Walks:
        """Begin an iteration: walk. If the one before was broken off, first go back to where it began."""
        if self.under_way:
            self._restore(self.finished)
        self.numbers()  # refuses to go on past the end, before anything has moved
        self.under_way = True
        return self.collector.collect(self.config.steps)

    def numbers(self) -> PPOConfig:
        """The numbers of this iteration, annealed where asked; sets the optimiser's learning rate."""
        config = self.config.at(self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate
        return config

    def finish(self, experience: Walks, stats: PPOStats) -> Iteration:
        """End an iteration: count its steps and the walks that ended in it, and keep the state for a checkpoint.

        Args:
            experience: what was walked in it.
            stats: of its update.

        Returns:
            The iteration.
        """
        self.done, self.steps = self.done + 1, self.steps + int(experience.mask.sum())
        earned = (experience.rewards * experience.mask).cpu().double()  # (B, T)
        for reward, ended in zip(earned.T, experience.dones.cpu().T, strict=True):
            self.running += reward
            self.recent.extend(self.running[ended].tolist())
            self.running[ended] = 0
        self.finished, self.under_way = self._state(), False
        mean_return = float(np.mean(self.recent)) if self.recent else nan
        return Iteration(self.done, self.steps, mean_return, stats, self.policy, self.value, experience, self)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint of the last iteration that was finished.

        It holds networks, optimiser, random numbers, and every action so far, a byte each. Environments cannot be saved
        in general; going on means to walk their way again, which takes the time that the environments took. They must
        repeat themselves given their seed; if they do not, the checkpoint is refused.

        Args:
            path: a file; if it exists, it is replaced only when the new one is complete.
        """
        way = bytearray(self.collector.way[: self.finished["way"]])
        way = torch.frombuffer(way, dtype=torch.uint8) if way else torch.zeros(0, dtype=torch.uint8, device="cpu")
        files.save(path, self.finished | {"way": way}, self._identity())

    def load(self, path: str | Path) -> None:
        """Go on from a checkpoint.

        Args:
            path: a file written by ``save``.

        Raises:
            ValueError: if it is damaged, or was written by a training with another configuration, seed, environment or
                device. Nothing of this training has changed then.
        """
        state = files.load(path, self._identity())
        files.check_fits("policy", state["policy"], self.policy.state_dict())
        files.check_fits("value", state["value"], self.value.state_dict())
        files.check_optimizer("optimizer", state["optimizer"], self.optimizer)
        self._restore(state, "checkpoint")

    def _state(self) -> dict[str, Any]:
        """A copy of everything that an iteration changes; of the way its length, because it only grows."""
        return {
            "policy": files.copied(self.policy.state_dict()),
            "value": files.copied(self.value.state_dict()),
            "optimizer": files.optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
            "way": len(self.collector.way),
            "answers": self.collector.answers.hexdigest(),
            "done": self.done,
            "steps": self.steps,
            "running": self.running.clone(),
            "recent": list(self.recent),
        }

    def _restore(self, state: dict[str, Any], what: str = "the iteration before") -> None:
        way = state["way"]
        way = bytes(self.collector.way[:way]) if isinstance(way, int) else way.numpy().tobytes()
        before, self.under_way = self.under_way, True  # broken off in here, the next iteration begins with going back
        if not self.collector.retrace(way, state["answers"]):  # the only part that can fail comes first
            self.under_way = before
            raise ValueError(f"{what} does not fit envs: the same actions led somewhere else")
        self.policy.load_state_dict(state["policy"])
        self.value.load_state_dict(state["value"])
        files.load_optimizer(self.optimizer, state["optimizer"])
        self.generator.set_state(state["generator"])
        self.done, self.steps, self.running = state["done"], state["steps"], state["running"].clone()
        self.recent = deque(state["recent"], maxlen=RECENT_WALKS)
        self.finished, self.under_way = self._state(), False

    def _identity(self) -> dict[str, Any]:
        """What must agree between a checkpoint and the training that goes on from it."""
        config, spaces = asdict(self.config), self.collector.spaces
        iterations = {"iterations": config.pop("iterations")}  # they shape a run only where something is annealed
        iterations = iterations if self.config.anneal_lr or self.config.anneal_clip else {}
        sizes = {"walks": spaces.num_envs, "actions": spaces.num_actions, "observations": spaces.observation_size}
        return config | sizes | {"seed": self.seed, "device": self.device.type} | iterations


def _networks(
    spaces: _Spaces, hidden: tuple[int, ...], seed: int, device: torch.device
) -> tuple[PolicyNetwork, ValueNetwork]:
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):  # made on the CPU: the same weights on every device
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU as well, and for good
        policy = PolicyNetwork(spaces.observation_size, spaces.num_actions, hidden)
        value = ValueNetwork(spaces.observation_size, hidden)
    return policy.to(device), value.to(device)


def _as_input(observations: np.ndarray | Tensor, network: torch.nn.Module) -> Tensor:
    """Observations of any number type, in the network's own and on its device."""
    parameter = next(network.parameters())
    return torch.as_tensor(observations, device=parameter.device).to(parameter.dtype)
