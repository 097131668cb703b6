"""Walking: what is collected, how it is evaluated, and what a training promises."""

from dataclasses import fields, replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import DtypeObservation
from safetensors.torch import load_file

from ppo_helpers import checkpoint
from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.ppo import ppo_update
from ppo_helpers.walking import (
    Collector,
    Training,
    WalkConfig,
    evaluator,
    greedy_returns,
    policy_table,
    train_ppo,
)

pytestmark = pytest.mark.usefixtures("one_thread")
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
SMALL = WalkConfig(iterations=6, steps=8, epochs=2, minibatch_size=64, gamma=1.0, learning_rate=3e-3, ent_coef=0.02)
CARTPOLE = WalkConfig(
    iterations=391, steps=32, epochs=20, gamma=0.98, lam=0.8, learning_rate=1e-3, anneal_lr=True, anneal_clip=True
)


def grid(num_envs=16, **options):
    return GridWorldVectorEnv(num_envs=num_envs, **({"max_steps": 50} | options))


def run(config=SMALL, seed=0, envs=None, **options):
    return list(train_ppo(envs or grid(), config, seed, progress=False, **options))


def weights(result):
    return torch.cat([p.detach().flatten() for net in (result.policy, result.value) for p in net.parameters()])


# --- collecting -----------------------------------------------------------------------------------------------------

WORLD = GridWorld.from_text("S . . M\n. # . .\n. . D .")


def collector(envs, seed=0, actions=4):
    torch.manual_seed(seed)
    size = envs.single_observation_space.shape[0]
    return Collector(envs, PolicyNetwork(size, actions), ValueNetwork(size), seed=seed)


def grid_envs(mode, native):
    if native:
        return GridWorldVectorEnv(WORLD, 6, max_steps=7, autoreset_mode=mode)
    return SyncVectorEnv([lambda: GridWorldEnv(WORLD, max_steps=7)] * 6, autoreset_mode=mode)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_experience_replays_in_single_environments(mode, native):
    seen = collector(grid_envs(mode, native)).collect(60)
    for b in range(6):
        env = GridWorldEnv(WORLD, max_steps=7)
        observation, info = env.reset()
        for t in range(60):
            if not seen.mask[b, t]:
                assert mode == AutoresetMode.NEXT_STEP and seen.dones[b, t - 1]
                continue
            np.testing.assert_array_equal(seen.observations[b, t], observation)
            np.testing.assert_array_equal(seen.action_masks[b, t], info["action_mask"])
            observation, reward, terminated, truncated, info = env.step(int(seen.actions[b, t]))
            assert (seen.rewards[b, t], seen.dones[b, t]) == (reward, terminated or truncated)
            if terminated or truncated:
                observation, info = env.reset()
    idle = ~seen.mask
    if mode == AutoresetMode.SAME_STEP:
        assert not idle.any()
    else:
        torch.testing.assert_close(idle[:, 1:], seen.dones[:, :-1])


@pytest.mark.parametrize("mode", MODES)
def test_a_cut_off_walk_is_continued_by_the_value_of_its_last_state_and_an_arrived_one_is_not(mode):
    walks = collector(grid_envs(mode, native=True))
    seen = walks.collect(80)
    for b, t in seen.dones.nonzero().tolist():
        start = t
        while start > 0 and seen.mask[b, start - 1] and not seen.dones[b, start - 1]:
            start -= 1
        env = GridWorldEnv(WORLD, max_steps=7)
        env.reset()
        if start == 0:
            continue  # may have begun before this batch
        for k in range(start, t + 1):
            observation, _, terminated, truncated, _ = env.step(int(seen.actions[b, k]))
        expected = walks.value(torch.tensor(observation)).item() if truncated else 0.0
        assert terminated != truncated
        assert seen.final_values[b, t].item() == pytest.approx(expected, abs=1e-6)
    assert (seen.final_values[~seen.dones] == 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_log_probabilities_are_those_of_the_policy_and_blocked_moves_are_never_taken(mode):
    walks = collector(grid_envs(mode, native=True))
    seen = walks.collect(200)
    logprobs = walks.policy(seen.observations, seen.action_masks).log_softmax(dim=-1)
    torch.testing.assert_close(seen.logprobs, logprobs.gather(-1, seen.actions[..., None]).squeeze(-1))
    assert torch.isfinite(seen.logprobs).all()
    assert seen.action_masks.gather(-1, seen.actions[..., None]).all()
    torch.testing.assert_close(seen.values, walks.value(seen.observations))


def test_actions_are_drawn_with_their_probabilities():
    envs = GridWorldVectorEnv(GridWorld.from_text(". . .\n. S .\n. . .\nM . ."), 4000, max_steps=1)
    walks = collector(envs)
    with torch.no_grad():
        walks.policy.layers[-1].bias.copy_(torch.tensor([0.6, 0.25, 0.05, 0.1]).log())
    seen = walks.collect(1)
    wanted = walks.policy(seen.observations[0, 0]).softmax(dim=-1).double()
    counts = seen.actions.flatten().bincount(minlength=4).double()
    assert ((counts - 4000 * wanted) ** 2 / (4000 * wanted)).sum() < 16.3  # 0.999 quantile, three degrees of freedom


def test_walks_go_on_and_the_same_seed_gives_the_same_numbers():
    one, two = (collector(grid_envs(AutoresetMode.NEXT_STEP, native=True), seed=3) for _ in range(2))
    state = torch.random.get_rng_state()
    first, second = one.collect(5), one.collect(5)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.testing.assert_close(first.actions, two.collect(5).actions)
    continued = first.mask[:, -1] & ~first.dones[:, -1]
    assert continued.any() and (second.mask[:, 0] == ~first.dones[:, -1]).all()


@pytest.mark.parametrize("mode", MODES)
def test_cartpole_too(mode):
    envs = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    seen = collector(envs, actions=2).collect(64)
    assert seen.action_masks is None and seen.observations.shape == (4, 64, 4)
    assert seen.rewards[seen.mask].eq(1).all() and seen.dones.any()
    advantages, returns = seen.advantages(0.99, 0.95)
    assert torch.isfinite(advantages).all() and (returns[~seen.mask] == 0).all()


def test_bad_environments_and_steps_are_refused():
    envs = SyncVectorEnv([GridWorldEnv] * 2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match="NEXT_STEP or SAME_STEP autoreset"):
        collector(envs)
    with pytest.raises(ValueError, match="discrete actions"):
        collector(gym.make_vec("Pendulum-v1", num_envs=1, vectorization_mode="sync"))
    with pytest.raises(ValueError, match="observations of one dimension"):
        Collector(
            gym.make_vec("FrozenLake-v1", num_envs=1, vectorization_mode="sync"), PolicyNetwork(1), ValueNetwork(1)
        )
    for steps in (1.5, -1, None):
        with pytest.raises(ValueError, match="steps must be at least 1, got"):
            collector(grid_envs(AutoresetMode.NEXT_STEP, native=True)).collect(steps)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        collector(grid_envs(AutoresetMode.NEXT_STEP, native=True)).collect(0)


def test_a_walk_that_goes_on_is_worth_what_the_next_batch_begins_with():
    for mode in MODES:
        walks = collector(grid_envs(mode, native=True))
        first, second = walks.collect(5), walks.collect(5)
        goes_on = first.mask[:, -1] & ~first.dones[:, -1]
        assert goes_on.any()
        torch.testing.assert_close(first.last_values[goes_on], second.values[goes_on, 0])


def test_the_sampler_s_own_log_probs_are_kept_and_a_sampler_that_differs_is_seen():
    walks = collector(grid_envs(AutoresetMode.NEXT_STEP, native=True))
    seen = walks.collect(50)
    torch.testing.assert_close(seen.sampled_logprobs[seen.mask], seen.logprobs[seen.mask])
    training = Training(grid(), SMALL)
    assert training.iterate().stats.sampler_error < 1e-5
    policy = training.policy

    class Hot(torch.nn.Module):
        """Draws at temperature 4 what the policy scores at 1."""

        def forward(self, observations, action_mask=None):
            return policy(observations, action_mask) / 4

        def parameters(self, recurse=True):
            return policy.parameters()

        logprobs = property(lambda self: policy.logprobs)

    with torch.no_grad():
        policy.layers[-1].weight.mul_(100)
    training.collector.policy = Hot()
    stats = training.iterate().stats
    assert stats.first_ratio_error < 1e-5 < 0.1 < stats.sampler_error


class Countdown(gym.Env):
    """Three steps that pay 1 each, whatever is done; what was done is written down."""

    observation_space, action_space, seen = gym.spaces.Box(-1, 1, (1,), np.float32), gym.spaces.Discrete(2), []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, self.observation_space.dtype), self.info(False)

    def step(self, action):
        self.t += 1
        self.seen.append(action)
        return np.zeros(1, self.observation_space.dtype), 1.0, self.t >= 3, False, self.info(self.t >= 3)

    def info(self, ended):
        return {}


@pytest.mark.parametrize("start", [1, -1, 5])
def test_actions_that_are_not_counted_from_zero_are_translated(start):
    class Shifted(Countdown):
        action_space, seen = gym.spaces.Discrete(3, start=start), []

    walks = collector(SyncVectorEnv([Shifted] * 2), actions=3)
    seen = walks.collect(30)
    assert {int(a) for a in Shifted.seen} == {start, start + 1, start + 2}
    assert seen.actions.unique().tolist() == [0, 1, 2] and isinstance(Shifted.seen[0], np.integer)
    Shifted.seen.clear()
    greedy_returns(PolicyNetwork(1, 3), SyncVectorEnv([Shifted] * 2))
    assert {int(a) for a in Shifted.seen} <= {start, start + 1, start + 2} and start <= min(Shifted.seen)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8, np.int64])
def test_observations_of_any_number_type_are_taken(dtype):
    envs = SyncVectorEnv([lambda: DtypeObservation(GridWorldEnv(observation="onehot", max_steps=9), dtype)] * 2)
    last = run(replace(SMALL, iterations=2, steps=4), envs=envs)[-1]
    assert last.experience.observations.dtype == torch.float32
    assert greedy_returns(last.policy, envs).shape == (2,)


def test_float64_networks_walk_in_float64():
    torch.manual_seed(0)
    walks = Collector(grid(4), PolicyNetwork(2).double(), ValueNetwork(2).double())
    assert walks.collect(3).observations.dtype == torch.double


LEFT_ONLY = np.array([1, 0], np.int8)


FORMS = [np.array, list, lambda mask: np.array(mask, bool), lambda mask: np.array(mask, float)]
WHEN = {  # whether a mask is given with what a walk shows after its t-th step; the first walk is number 0
    "always": lambda t, ended, number: True,
    "not at the end": lambda t, ended, number: not ended,
    "only at the start": lambda t, ended, number: t == 0,
    "later": lambda t, ended, number: t == 1,
    "one walk of two": lambda t, ended, number: number % 2 == 0,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("when", WHEN)
def test_masks_that_are_given_now_and_then_are_respected_when_they_are(when, mode, form):
    class Sometimes(Countdown):
        def __init__(self, number):
            self.number = number

        def info(self, ended):
            return {"action_mask": form(LEFT_ONLY)} if WHEN[when](self.t, ended, self.number) else {}

    envs = SyncVectorEnv([lambda n=n: Sometimes(n) for n in range(4)], autoreset_mode=mode)
    seen = collector(envs, actions=2).collect(20)
    for b in range(4):
        t = 0
        for k in range(20):
            if not seen.mask[b, k]:
                t = 0
                continue
            blocked = WHEN[when](t, False, b)
            assert seen.action_masks[b, k].tolist() == [True, not blocked]
            assert not (blocked and seen.actions[b, k])
            t = 0 if seen.dones[b, k] else t + 1
    free = seen.action_masks.all(-1) & seen.mask
    assert free.any() == (when not in ("always", "not at the end"))
    assert not free.any() or seen.actions[free].eq(1).any()  # what is open is taken


def test_a_world_that_never_gives_masks_has_none_and_masks_of_another_size_are_refused():
    assert collector(SyncVectorEnv([Countdown] * 2), actions=2).collect(5).action_masks is None

    class Wide(Countdown):
        def info(self, ended):
            return {"action_mask": np.ones(3, np.int8)}

    with pytest.raises(ValueError, match=r"infos\['action_mask'\] must have shape \(2, 2\), got rows of \(3,\)"):
        collector(SyncVectorEnv([Wide] * 2), actions=2).collect(5)

    class Shut(Countdown):
        def info(self, ended):
            return {"action_mask": np.zeros(2, np.int8)}

    with pytest.raises(ValueError, match="action_mask must leave at least one move open"):
        collector(SyncVectorEnv([Shut] * 2), actions=2).collect(5)


def test_a_blocked_move_is_not_taken_even_if_its_noise_is_infinite(monkeypatch):
    """Some devices draw an exact 0 once in 3·10⁷, and −log of it is ∞."""
    real = torch.Tensor.exponential_

    def with_zeros(self, *args, **options):
        out = real(self, *args, **options)
        out[..., 1] = 0.0
        return out

    class Masked(Countdown):
        def info(self, ended):
            return {"action_mask": LEFT_ONLY}

    monkeypatch.setattr(torch.Tensor, "exponential_", with_zeros)
    seen = collector(SyncVectorEnv([Masked] * 2), actions=2).collect(6)
    assert seen.actions[seen.mask].eq(0).all() and torch.isfinite(seen.logprobs).all()


def test_environments_that_reuse_their_buffers_are_copied():
    class Reused(GridWorldVectorEnv):
        def step(self, actions):
            observation, *rest = super().step(actions)
            self.buffer[:] = observation
            return self.buffer, *rest

        def reset(self, **options):
            observation, info = super().reset(**options)
            self.buffer = observation.copy()
            return self.buffer, info

    found = [collector(kind(num_envs=3, max_steps=9)).collect(12) for kind in (GridWorldVectorEnv, Reused)]
    assert torch.equal(found[0].observations, found[1].observations)
    assert torch.equal(found[0].final_values, found[1].final_values)


def test_a_cut_off_walk_without_its_last_observation_is_refused():
    class Silent(GridWorldVectorEnv):
        def step(self, actions):
            *rest, infos = super().step(actions)
            return *rest, {name: x for name, x in infos.items() if "final" not in name}

    envs = Silent(num_envs=4, max_steps=2, autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(
        ValueError, match=r"envs must give infos\['final_obs'\] of every walk that is cut off, got none"
    ):
        collector(envs).collect(8)


def test_the_evaluator_gives_the_policy_s_log_probs_entropy_and_the_values():
    walks = collector(grid_envs(AutoresetMode.NEXT_STEP, native=True))
    batch = walks.collect(5).batch(1.0, 0.95)
    logprobs, values, entropies = evaluator(walks.policy, walks.value)(batch)
    probabilities = walks.policy(batch.inputs["observations"], batch.inputs["action_masks"]).softmax(-1)
    torch.testing.assert_close(entropies, -torch.special.xlogy(probabilities, probabilities).sum(-1))
    torch.testing.assert_close(logprobs, batch.old_logprobs)
    torch.testing.assert_close(values, batch.old_values)


def test_a_policy_is_read_out_for_every_state():
    torch.manual_seed(0)
    world = GridWorld.from_text("S . . # .\n. M . # #")
    for kind, size in (("xy", 2), ("onehot", len(world.states))):
        policy = PolicyNetwork(size).double()  # one row and many rows round alike
        with torch.no_grad():
            policy.layers[-1].weight.mul_(100)
        table = policy_table(policy, world, kind)
        for s, state in enumerate(world.states):
            open_moves = world.actions(state)
            if not open_moves:
                assert (table[s] == 0).all()
                continue
            with torch.no_grad():
                logits = policy(torch.tensor(world.observations(kind)[s]).double()).numpy()[open_moves]
            wanted = np.zeros(4)
            wanted[open_moves] = np.exp(logits) / np.exp(logits).sum()
            np.testing.assert_allclose(table[s], wanted, atol=1e-9)
    with pytest.raises(ValueError, match="observations must have shape"):
        policy_table(PolicyNetwork(3), world)
    with pytest.raises(ValueError, match="observation must be 'xy' or 'onehot', got 'rows'"):
        policy_table(policy, world, "rows")


def test_what_the_environments_show_is_what_the_world_says():
    world = GridWorld.default()
    for kind in ("xy", "onehot"):
        env = GridWorldEnv(world, observation=kind)
        for state in world.starts:
            shown = env.reset(options={"start": state})[0]
            np.testing.assert_array_equal(shown, world.observations(kind)[world.states.index(state)])
    assert world.observations()[0].tolist() == [-1, -1] and world.observations()[-1].tolist() == [1, 1]
    assert GridWorld.from_text("S . M").observations()[:, 1].tolist() == [0, 0, 0]


# --- the loop -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_every_ratio_is_one_before_the_first_step_of_every_iteration(mode):
    for result in run(envs=grid(autoreset_mode=mode)):
        assert result.stats.first_ratio_error < 1e-6
    cartpole = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    for result in run(replace(CARTPOLE, iterations=5), envs=cartpole):
        assert result.stats.first_ratio_error < 1e-6


def test_returns_are_made_before_whitening():
    """Advantage plus old value is the return, in reward points, whatever happens to the advantages later."""
    training = Training(grid(), SMALL)
    batch = training.collect().batch(1.0, 0.95)
    torch.testing.assert_close(batch.returns, batch.advantages + batch.old_values)
    seen = []

    def evaluate(part):
        seen.append(part)
        return evaluator(training.policy, training.value)(part)

    ppo_update(evaluate, batch, training.optimizer, replace(SMALL, epochs=1, minibatch_size=10**6))
    torch.testing.assert_close(seen[-1].returns.sort().values, batch.returns.sort().values)
    assert seen[-1].advantages.mean().abs() < 1e-6 and seen[-1].advantages.std(correction=0) == pytest.approx(1.0)


def test_steps_that_do_not_count_are_left_out_of_the_batch():
    training = Training(grid(max_steps=3), SMALL)
    experience = training.collect()
    assert not experience.mask.all()
    assert len(experience.batch(1.0, 0.95)) == experience.mask.sum()


def test_the_mean_return_is_that_of_the_walks_that_ended():
    config, earned, running = replace(SMALL, iterations=10), [], np.zeros(16)
    for result in train_ppo(grid(), config, progress=False):
        seen = result.experience
        for t, b in np.ndindex(8, 16):  # walks that end in the same step are counted in their order
            running[b] += seen.rewards[b, t].item() * seen.mask[b, t].item()
            if seen.dones[b, t]:
                earned.append(running[b])
                running[b] = 0
        assert result.mean_return == pytest.approx(np.mean(earned[-100:]))
    assert len(earned) > 100 and result.steps <= 10 * 16 * 8


def test_the_optimiser_gets_the_annealed_rate():
    training, rates = Training(grid(), replace(SMALL, iterations=4, anneal_lr=True)), []
    for _ in range(4):
        training.iterate()
        rates += {group["lr"] for group in training.optimizer.param_groups}
    np.testing.assert_allclose(rates, [3e-3, 2.25e-3, 1.5e-3, 0.75e-3])
    with pytest.raises(ValueError, match="iterations must be above 4 to go on"):
        training.iterate()
    assert training.done == 4


def test_the_same_seed_gives_the_same_numbers_and_global_randomness_is_left_alone():
    before = torch.random.get_rng_state()
    first = weights(run()[-1]).clone()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, weights(run()[-1]))
    assert not torch.equal(first, weights(run(seed=1)[-1]))


def test_it_can_be_left_at_any_time_with_what_it_has():
    for result in train_ppo(grid(), replace(SMALL, iterations=10**6), progress=False):
        if result.index == 2:
            break
    assert result.steps <= 2 * 16 * 8 and torch.isfinite(weights(result)).all()


@pytest.mark.parametrize("world", ["next step", "same step", "cartpole"])
def test_a_resumed_run_equals_one_that_never_stopped_bit_for_bit(world, tmp_path):
    def envs():
        if world == "cartpole":
            return gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
        modes = {"next step": AutoresetMode.NEXT_STEP, "same step": AutoresetMode.SAME_STEP}
        return grid(autoreset_mode=modes[world])

    config = replace(SMALL, iterations=7, anneal_lr=True, anneal_clip=True)
    for result in train_ppo(envs(), config, seed=3, progress=False):
        if result.index == 4:
            result.save(tmp_path / "run.safetensors")
    resumed = run(config, seed=3, envs=envs(), checkpoint=tmp_path / "run.safetensors")
    assert [r.index for r in resumed] == [5, 6, 7]
    assert torch.equal(weights(resumed[-1]), weights(result))
    assert resumed[-1].stats == result.stats and resumed[-1].steps == result.steps
    assert resumed[-1].mean_return == result.mean_return or np.isnan(result.mean_return)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    run(replace(SMALL, iterations=2))[-1].save(path)
    assert run(replace(SMALL, iterations=3), checkpoint=path)[0].index == 3  # more iterations are no other training
    with pytest.raises(ValueError, match="checkpoint must be of a training with seed 1, got one with 0"):
        run(seed=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"checkpoint must be of a training with gamma 0\.9, got one with 1\.0"):
        run(replace(SMALL, gamma=0.9), checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint must be of a training with walks 8, got one with 16"):
        run(envs=grid(8), checkpoint=path)
    with pytest.raises(ValueError, match="the same actions led somewhere else"):
        run(envs=grid(max_steps=2), checkpoint=path)


def test_a_save_that_is_interrupted_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    result = run(replace(SMALL, iterations=1))[-1]
    result.save(path)
    before = load_file(path)

    def fail(tensors, name, metadata):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(KeyboardInterrupt):
        result.save(path)
    assert all(torch.equal(x, before[name]) for name, x in load_file(path).items())


def test_bad_environments_are_refused():
    continuous = gym.make_vec("Pendulum-v1", num_envs=2)
    with pytest.raises(ValueError, match="envs must have discrete actions"):
        train_ppo(continuous, SMALL)
    with pytest.raises(ValueError, match="envs must have observations of one dimension"):
        train_ppo(gym.make_vec("FrozenLake-v1", num_envs=2), SMALL)


def test_greedy_returns_count_one_walk_per_environment():
    world = GridWorld.from_text(". . . M")
    policy = PolicyNetwork(2)
    with torch.no_grad():
        policy.layers[-1].bias.copy_(torch.tensor([0.0, 9.0, 0.0, 0.0]))  # always right
    envs = GridWorldVectorEnv(world, num_envs=30, max_steps=10)
    starts = envs.reset(seed=5)[0][:, 0]
    steps = np.rint((1 - starts) * 1.5)
    assert greedy_returns(policy, envs, seed=5).tolist() == (5 - steps).tolist()
    with torch.no_grad():
        policy.layers[-1].bias.copy_(torch.tensor([0.0, 0.0, 0.0, 9.0]))  # always left: blocked at the border
    endless = GridWorldVectorEnv(GridWorld.from_text("M . . ."), num_envs=1)
    with pytest.raises(ValueError, match="envs must end every walk within max_steps = 20, 1 of them did not"):
        with torch.no_grad():
            policy.layers[-1].bias.copy_(torch.tensor([0.0, 9.0, 0.0, -9.0]))
        greedy_returns(policy, endless, max_steps=20)


def test_target_kl_ends_an_update():
    free = run(replace(SMALL, iterations=1, learning_rate=0.1, epochs=10))[0].stats
    held = run(replace(SMALL, iterations=1, learning_rate=0.1, epochs=10, target_kl=0.02))[0].stats
    assert free.optimizer_steps == 20 and 1 <= held.optimizer_steps < 20
    assert held.approx_kl > 0.02


def test_value_clipping_holds_the_values_back():
    moved = {}
    for clip in (None, 0.01):
        result = run(replace(SMALL, iterations=1, epochs=20, learning_rate=1e-2, value_clip_eps=clip))[0]
        seen = result.experience
        with torch.no_grad():
            moved[clip] = (result.value(seen.observations) - seen.values)[seen.mask].abs().mean()
    assert moved[0.01] < moved[None] / 2


class Stopped(gym.vector.VectorWrapper):
    """Somebody presses stop at the n-th step from now."""

    left = None

    def step(self, actions):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise KeyboardInterrupt
        return self.env.step(actions)


STRAIGHT = replace(SMALL, iterations=5, anneal_lr=True)


@pytest.fixture(scope="module")
def straight():
    """What a run gives that is never stopped."""
    torch.set_num_threads(1)
    return run(STRAIGHT, seed=2)[-1]


def test_a_stop_while_the_way_is_walked_again_loses_nothing_either(straight, tmp_path):
    envs, path = Stopped(grid()), tmp_path / "run.safetensors"
    training = Training(envs, STRAIGHT, 2)
    for _ in range(3):
        training.iterate()
    for left in (4, 4, 0):  # in the fourth iteration, and twice on the way back to where it began
        envs.left = left
        with pytest.raises(KeyboardInterrupt):
            training.iterate()
        training.save(path)
    resumed = run(STRAIGHT, 2, checkpoint=path)[-1]
    while training.done < 5:
        on = training.iterate()
    for result in (resumed, on):
        assert torch.equal(weights(result), weights(straight)) and result.stats == straight.stats


def test_a_stop_while_a_checkpoint_is_loaded_loses_nothing(straight, tmp_path):
    envs, path = Stopped(grid()), tmp_path / "run.safetensors"
    run(replace(STRAIGHT), seed=2)[-1].save(path)
    training = Training(envs, STRAIGHT, 2)
    training.iterate()
    envs.left = 9
    with pytest.raises(KeyboardInterrupt):
        training.load(path)
    while training.done < 5:
        on = training.iterate()
    assert torch.equal(weights(on), weights(straight)) and on.stats == straight.stats


def test_a_stop_at_the_very_end_can_be_gone_on_from(straight, monkeypatch):
    training = Training(grid(), STRAIGHT, 2)
    while training.done < 4:
        training.iterate()

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "_state", interrupted)
        training.iterate()
    assert torch.equal(weights(training.iterate()), weights(straight))


@pytest.mark.parametrize("step", [0, 3, 7])
@pytest.mark.parametrize("iteration", [1, 3])
def test_a_stop_at_any_step_loses_nothing(step, iteration, straight, tmp_path):
    """Saved and resumed, or gone on with as if nothing had happened: the run is the one that was never stopped."""
    envs = Stopped(grid())
    with pytest.raises(KeyboardInterrupt):
        for last in train_ppo(envs, STRAIGHT, 2, progress=False):
            if last.index == iteration:
                envs.left = step
    last.save(tmp_path / "run.safetensors")
    resumed = run(STRAIGHT, 2, checkpoint=tmp_path / "run.safetensors")
    assert [r.index for r in resumed] == list(range(iteration + 1, 6))
    while last.training.done < 5:
        on = last.training.iterate()
    for result in (resumed[-1], on):
        assert torch.equal(weights(result), weights(straight))
        assert result.stats == straight.stats and result.mean_return == straight.mean_return
    on.save(tmp_path / "on.safetensors")
    assert load_file(tmp_path / "on.safetensors").keys() == load_file(tmp_path / "run.safetensors").keys()


def test_a_stop_in_the_middle_of_an_update_loses_nothing_either(straight, tmp_path, monkeypatch):
    results = train_ppo(grid(), STRAIGHT, 2, progress=False)
    for _ in range(2):
        last = next(results)
    real, calls = last.training.optimizer.step, iter(range(10))

    def step():
        if next(calls) == 1:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(last.training.optimizer, "step", step)
    with pytest.raises(KeyboardInterrupt):
        next(results)
    monkeypatch.undo()
    last.save(tmp_path / "run.safetensors")
    resumed = run(STRAIGHT, 2, checkpoint=tmp_path / "run.safetensors")[-1]
    while last.training.done < 5:
        on = last.training.iterate()
    assert torch.equal(weights(resumed), weights(straight)) and torch.equal(weights(on), weights(straight))


def test_walks_taken_beside_the_training_are_part_of_its_way(tmp_path):
    training = Training(grid(), SMALL, 0)
    training.iterate()
    training.collector.collect(3)
    last = training.iterate()
    last.save(tmp_path / "run.safetensors")
    other = Training(grid(), SMALL, 0)
    other.load(tmp_path / "run.safetensors")
    assert torch.equal(weights(other.iterate()), weights(training.iterate()))


def test_a_checkpoint_can_be_saved_before_the_first_iteration_and_loaded_at_any_time(tmp_path):
    training = Training(grid(), SMALL, 0)
    training.save(tmp_path / "start.safetensors")
    first = weights(training.iterate()).clone()
    training.load(tmp_path / "start.safetensors")
    assert training.done == 0 and not training.under_way and torch.equal(weights(training.iterate()), first)


def test_a_bar_counts_the_iterations_and_goes_on_where_a_checkpoint_ended(tmp_path, capsys):
    last = list(train_ppo(grid(), replace(SMALL, iterations=2)))[-1]
    shown = capsys.readouterr().err
    assert "PPO: 100%" in shown and "2/2" in shown and "return=" in shown and "it" in shown
    last.save(tmp_path / "run.safetensors")
    list(train_ppo(grid(), replace(SMALL, iterations=3), checkpoint=tmp_path / "run.safetensors"))
    assert "2/3" in capsys.readouterr().err.split("\r")[1]
    run(replace(SMALL, iterations=1))
    assert capsys.readouterr().err == ""


class Noisy(GridWorldVectorEnv):
    """Pays a noise that no seed controls."""

    luck = np.random.default_rng()

    def step(self, actions):
        observations, rewards, *rest = super().step(actions)
        return observations, rewards + self.luck.normal(size=self.num_envs), *rest


def test_environments_that_do_not_repeat_themselves_are_refused_and_nothing_has_changed(tmp_path):
    path = tmp_path / "run.safetensors"
    run(replace(SMALL, iterations=1), envs=Noisy(num_envs=4))[-1].save(path)
    training = Training(Noisy(num_envs=4), replace(SMALL, iterations=1), 0)
    before = weights(training).clone()
    with pytest.raises(ValueError, match=r"^checkpoint does not fit envs: the same actions led somewhere else$"):
        training.load(path)
    assert training.done == 0 and torch.equal(weights(training), before)
    assert len(training.collector.way) == 0


def test_every_action_is_kept_in_as_little_as_it_needs():
    training = Training(grid(16), SMALL)
    result = training.iterate()
    way = np.frombuffer(training.collector.way, np.uint8).reshape(8, 16)
    assert np.array_equal(way.T, result.experience.actions)
    envs = SyncVectorEnv([type("Many", (Countdown,), {"action_space": gym.spaces.Discrete(1000)})] * 2)
    training = Training(envs, SMALL)
    actions = training.iterate().experience.actions
    assert np.array_equal(np.frombuffer(training.collector.way, np.uint16).reshape(8, 2).T, actions)


def test_a_batch_that_holds_only_idle_steps_is_passed_over():
    last = run(replace(SMALL, iterations=60, steps=1), envs=gym.make_vec("CartPole-v1", 1, "sync"))
    assert [r.index for r in last] == list(range(1, 61))
    idle = [r for r in last if not r.experience.mask.any()]
    assert idle and all(r.stats.optimizer_steps == 0 and np.isnan(r.stats.approx_kl) for r in idle)


@pytest.mark.slow
@pytest.mark.parametrize("pay", [0.1, 0.3, 1.0])
def test_a_world_that_always_pays_the_same_teaches_nothing(pay):
    """Equal advantages are 0 after whitening: the policy stays where it was."""

    class Same(Countdown):
        def step(self, action):
            return np.zeros(1, np.float32), pay, True, False, {}

    config = WalkConfig(iterations=30, steps=8, learning_rate=1e-2)
    for seed in range(3):
        last = run(config, seed, SyncVectorEnv([Same] * 4))[-1]
        assert last.policy(torch.zeros(1, 1)).softmax(-1).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3)])
def test_a_seed_may_come_from_numpy(seed):
    assert torch.equal(weights(run(seed=seed)[-1]), weights(run(seed=3)[-1]))


@pytest.mark.parametrize("seed", [1.5, -1, None, "3", True])
def test_a_seed_is_a_whole_number(seed):
    for call in (lambda: run(seed=seed), lambda: greedy_returns(PolicyNetwork(2), grid(), seed=seed)):
        with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got"):
            call()


def test_a_single_environment_is_no_vector_environment():
    for envs in (gym.make("CartPole-v1"), GridWorldEnv()):
        for call in (train_ppo, lambda e, c: greedy_returns(PolicyNetwork(2), e)):
            with pytest.raises(ValueError, match="envs must be a vector environment"):
                call(envs, SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 1.5}, "steps must be a whole number of at least 1, got 1.5"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"hidden": (0,)}, r"hidden must be a tuple of whole numbers of at least 1, got \(0,\)"),
        ({"hidden": 64}, "hidden must be a tuple of whole numbers of at least 1, got 64"),
        ({"hidden": ("64",)}, "hidden must be a tuple"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_numbers_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        WalkConfig(**change)
    assert (
        WalkConfig().steps == 32
        and WalkConfig().hidden == (64, 64)
        and WalkConfig(hidden=()).hidden == ()
        and WalkConfig(hidden=(1,), steps=1)
    )
    assert [f.name for f in fields(WalkConfig)][-2:] == ["steps", "hidden"]


def test_a_configuration_without_steps_and_devices_that_are_not_there_are_named():
    from ppo_helpers.ppo import PPOConfig

    with pytest.raises(ValueError, match="config must be a WalkConfig, got PPOConfig"):
        train_ppo(grid(), PPOConfig())
    with pytest.raises(ValueError, match="device must be one that is here"):
        train_ppo(grid(), SMALL, device="gpu")


def test_a_policy_for_another_number_of_actions_is_named():
    with pytest.raises(ValueError, match=r"policy must give logits of shape \(2, 2\), got \(2, 3\)"):
        collector(SyncVectorEnv([Countdown] * 2), actions=3).collect(2)


def test_the_networks_are_made_from_the_seed_and_trained_by_adam():
    training = Training(grid(), replace(SMALL, hidden=(8, 4)), seed=5)
    torch.manual_seed(5)
    policy, value = PolicyNetwork(2, 4, (8, 4)), ValueNetwork(2, (8, 4))
    wanted = torch.cat([p.detach().flatten() for net in (policy, value) for p in net.parameters()])
    assert torch.equal(weights(training), wanted)
    settings = training.optimizer.defaults
    assert (settings["eps"], settings["lr"], settings["betas"]) == (1e-5, 3e-3, (0.9, 0.999))
    assert sum(len(g["params"]) for g in training.optimizer.param_groups) == 12


def test_an_iteration_is_its_four_steps():
    one, two = Training(grid(), SMALL, 1), Training(grid(), SMALL, 1)
    for _ in range(3):
        straight = one.iterate()
        experience = two.collect()
        batch = experience.batch(SMALL.gamma, SMALL.lam)
        stats = ppo_update(two.evaluate, batch, two.optimizer, two.numbers(), two.generator)
        by_steps = two.finish(experience, stats)
    assert by_steps.stats == straight.stats and torch.equal(weights(by_steps), weights(straight))
    assert (by_steps.index, by_steps.steps) == (straight.index, straight.steps) == (3, by_steps.steps)


def test_greedy_returns_ignore_what_comes_after_the_first_walk():
    class Odd(Countdown):
        def step(self, action):
            *rest, info = super().step(action)
            return rest[0], np.nan if self.t > 3 else 1.0, self.t in (3, 5), False, info

    assert greedy_returns(PolicyNetwork(1, 2), SyncVectorEnv([Odd] * 2)).tolist() == [3.0, 3.0]


class Pictures(gym.Env):
    """Shows a picture, which is no list of numbers."""

    observation_space = gym.spaces.Box(0, 1, (2, 3), np.float32)
    action_space = gym.spaces.Discrete(2)


def test_pictures_are_refused():
    with pytest.raises(ValueError, match=r"envs must have observations of one dimension, got Box\(.*\(2, 3\)"):
        train_ppo(SyncVectorEnv([Pictures]), SMALL)


def test_masks_count_where_nothing_says_beside_them_which_walks_have_one():
    class Bare(GridWorldVectorEnv):
        def _infos(self):
            return {name: value for name, value in super()._infos().items() if not name.startswith("_")}

    told, bare = (collector(envs(WORLD, 6, max_steps=7)).collect(30) for envs in (GridWorldVectorEnv, Bare))
    assert not told.action_masks.all() and torch.equal(bare.action_masks, told.action_masks)
    assert bare.action_masks.dtype == torch.bool


def test_the_seed_is_0_unless_given_and_walks_follow_it():
    implied, zero, one = (Training(grid(), SMALL, **seed).collect() for seed in ({}, {"seed": 0}, {"seed": 1}))
    assert torch.equal(implied.actions, zero.actions) and not torch.equal(zero.actions, one.actions)
    assert torch.equal(run()[-1].experience.actions, run(seed=0)[-1].experience.actions)
    [unseeded] = train_ppo(grid(), replace(SMALL, iterations=1), progress=False)
    assert torch.equal(unseeded.experience.actions, zero.actions)
    assert Training(grid(), SMALL, seed=7).collector.seed == 7


def test_steps_are_counted_from_0_and_only_those_that_count():
    taken = 0
    for result in train_ppo(grid(), SMALL, progress=False):
        taken += int(result.experience.mask.sum())
        assert result.steps == taken


@pytest.mark.filterwarnings("error")
def test_before_a_walk_has_ended_there_is_no_mean_return():
    [result] = run(replace(SMALL, iterations=1, steps=1), envs=GridWorldVectorEnv(WORLD, 4))
    assert np.isnan(result.mean_return)


def test_what_a_walk_has_earned_is_summed_in_double_precision():
    assert Training(grid(), SMALL).running.dtype == torch.double


def test_a_checkpoint_knows_how_its_walks_began(tmp_path):
    class Moved(GridWorldVectorEnv):
        """Shows something else at the very beginning, and the same from then on."""

        def reset(self, **options):
            observations, infos = super().reset(**options)
            return observations + 0.125, infos

    path = tmp_path / "run.safetensors"
    config = replace(SMALL, iterations=2)
    next(train_ppo(grid(4), config, progress=False)).save(path)
    with pytest.raises(ValueError, match="the same actions led somewhere else"):
        Training(Moved(num_envs=4, max_steps=50), config, 0).load(path)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_networks_of_another_precision_walk_beyond_the_ends_of_walks(dtype):
    envs, networks = grid(3, max_steps=5), (PolicyNetwork(2).to(dtype), ValueNetwork(2).to(dtype))
    seen = Collector(envs, *networks).collect(20)
    assert seen.rewards.dtype == seen.values.dtype == seen.final_values.dtype == dtype
    assert seen.final_values.any() and seen.batch(0.9, 0.9).returns.dtype == dtype


def test_a_configuration_of_numpys_numbers_is_saved_and_found_again(tmp_path):
    odd = replace(SMALL, iterations=np.int64(2), steps=np.int64(4), hidden=(np.int64(8),), lam=np.float32(0.5))
    next(train_ppo(grid(4), odd, progress=False)).save(tmp_path / "run.safetensors")
    assert run(odd, envs=grid(4), checkpoint=tmp_path / "run.safetensors")[-1].index == 2


def test_the_seed_of_a_training_is_not_given_to_any_gpu(monkeypatch):
    def asked(seed):
        raise AssertionError("a GPU's own generator was seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", asked)
    Training(grid(), SMALL, 7)


def test_a_seed_that_no_generator_takes_is_refused():
    Training(grid(), SMALL, 2**63 - 1)
    with pytest.raises(ValueError, match="seed must be below 2⁶³"):
        Training(grid(), SMALL, 2**63)
