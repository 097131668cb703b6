"""The Gymnasium environments: conformance, the vector one against Gymnasium's own loop, starts, limits."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordVectorStatistics
from scipy.stats import chisquare
from worlds import BOOK, random_text

from ppo_helpers.gridworld import GridWorld, GridWorldEnv, GridWorldVectorEnv

MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
CORRIDOR = GridWorld.from_text("S . . M")


# --- one walk -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("render_mode", [None, "ansi"])
@pytest.mark.parametrize("observation", ["xy", "onehot"])
@pytest.mark.parametrize("text", [BOOK, "S M", "M\n.", ". D\n# m"])
def test_gymnasium_finds_nothing_wrong(text, observation, render_mode):
    env = GridWorldEnv(GridWorld.from_text(text), observation, max_steps=20, render_mode=render_mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*render modes.*spec")  # it is not registered
        check_env(env)


def test_xy_is_column_and_row_from_minus_1_to_1():
    env = GridWorldEnv(GridWorld.from_text(BOOK))
    seen = {cell: env.reset(options={"start": cell})[0].tolist() for cell in [(0, 0), (1, 2), (2, 0), (1, 4), (0, 1)]}
    assert seen == {(0, 0): [-1, -1], (1, 2): [0, 0], (2, 0): [-1, 1], (1, 4): [1, 0], (0, 1): [-0.5, -1]}
    assert env.observation_space == gym.spaces.Box(-1, 1, (2,), np.float32)


def test_a_side_of_one_cell_is_0():
    assert GridWorldEnv(CORRIDOR).reset()[0].tolist() == [-1, 0]
    assert GridWorldEnv(GridWorld.from_text("M\n.\nS")).reset()[0].tolist() == [0, 1]


def test_onehot_marks_the_state():
    world = GridWorld.from_text(BOOK)
    env = GridWorldEnv(world, observation="onehot")
    for number, cell in enumerate(world.states):
        if cell not in world.terminals:
            assert np.flatnonzero(env.reset(options={"start": cell})[0]).tolist() == [number]
    assert env.observation_space.shape == (13,)


def test_a_walk_by_hand():
    env = GridWorldEnv(CORRIDOR)
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [0, 1, 0, 0] and info["action_mask"].dtype == np.int8
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    for action, column, reward, ended, mask in [
        (3, 0, -1, False, [0, 1, 0, 0]),  # blocked: stays and pays
        (0, 0, -1, False, [0, 1, 0, 0]),
        (1, 1, -1, False, [0, 1, 0, 1]),
        (1, 2, -1, False, [0, 1, 0, 1]),
        (1, 3, 4, True, [0, 0, 0, 0]),
    ]:
        obs, pays, terminated, truncated, info = env.step(action)
        np.testing.assert_allclose(obs, [x[column], 0])
        assert (pays, terminated, truncated) == (reward, ended, False)
        assert info["action_mask"].tolist() == mask


def test_what_was_returned_is_the_callers_to_change():
    env = GridWorldEnv(CORRIDOR)
    obs, info = env.reset()
    obs[:], info["action_mask"][:] = 9, 9
    obs, info = env.reset()
    assert obs.tolist() == [-1, 0] and info["action_mask"].tolist() == [0, 1, 0, 0]


def test_max_steps_truncates_at_exactly_that_many_moves():
    env = GridWorldEnv(CORRIDOR, max_steps=3)
    for _ in range(2):  # counted anew in every walk
        env.reset()
        assert [env.step(0)[2:4] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]
    env.reset()
    assert [env.step(1)[2:4] for _ in range(3)] == [(False, False)] * 2 + [(True, False)]  # ended, not cut off


def test_time_limit_and_statistics_wrappers():
    env = RecordEpisodeStatistics(TimeLimit(GridWorldEnv(CORRIDOR), 2))
    env.reset(seed=0)
    assert [env.step(1)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    env = RecordEpisodeStatistics(GridWorldEnv(CORRIDOR))
    env.reset(seed=0)
    info = [env.step(1)[4] for _ in range(3)][-1]
    assert info["episode"]["r"] == 2 and info["episode"]["l"] == 3


def test_ansi_shows_where_the_walker_is():
    env = GridWorldEnv(GridWorld.from_text("S . #\n. . M"), render_mode="ansi")
    env.reset()
    env.step(2)
    assert env.render() == "S . #\n@ . M"


def test_start_can_be_chosen_but_not_anything():
    env = GridWorldEnv(GridWorld.from_text(BOOK))
    for start, message in [((0, 4), "terminal"), ((0, 3), "barrier"), ((9, 9), "outside")]:
        with pytest.raises(ValueError, match=message):
            env.reset(options={"start": start})
        with pytest.raises(ValueError, match=message):
            GridWorldVectorEnv(env.world, 2).reset(options={"start": start})
    obs, _ = GridWorldVectorEnv(env.world, 3).reset(options={"start": (2, 0)})
    assert obs.tolist() == [[-1, 1]] * 3


# --- many walks -------------------------------------------------------------------------------------------------------


def same(ours, theirs, where):
    """Equal in structure, type and numbers, object arrays and dicts included."""
    assert type(ours) is type(theirs), where
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs), where
        for key in theirs:
            same(ours[key], theirs[key], f"{where}.{key}")
    elif theirs.dtype == object:
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert (a is None) == (b is None), where
            if b is not None:
                same(a, b, f"{where}[{i}]")
    else:
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), where
        np.testing.assert_array_equal(ours, theirs, where)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(12))
def test_vector_environment_equals_gymnasiums_own_step_for_step(mode, seed):
    rng = np.random.default_rng(seed)
    world = GridWorld.from_text(random_text(rng, start=True), move_cost=rng.uniform(0, 2))
    options = {"observation": ("xy", "onehot")[seed % 2], "max_steps": (None, 1, 7)[seed % 3]}
    ours = GridWorldVectorEnv(world, 5, **options, autoreset_mode=mode)
    theirs = SyncVectorEnv([lambda: GridWorldEnv(world, **options)] * 5, autoreset_mode=mode)
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"] and ours.num_envs == 5
    for part, a, b in zip(("obs", "infos"), ours.reset(seed=seed), theirs.reset(seed=seed), strict=True):
        same(a, b, f"reset {part}")
    parts = ("obs", "rewards", "terminated", "truncated", "infos")
    for step in range(60):
        actions = rng.integers(0, 4, 5)
        for part, a, b in zip(parts, ours.step(actions), theirs.step(actions), strict=True):
            same(a, b, f"step {step} {part}")


@pytest.mark.parametrize("mode", MODES)
def test_autoreset_by_hand(mode):
    envs = GridWorldVectorEnv(CORRIDOR, 2, autoreset_mode=mode)
    envs.reset(seed=0)
    for _ in range(2):
        envs.step(np.array([1, 0]))
    obs, rewards, terminated, truncated, infos = envs.step(np.array([1, 0]))
    assert rewards.tolist() == [4, -1] and terminated.tolist() == [True, False] and not truncated.any()
    if mode == AutoresetMode.NEXT_STEP:
        assert obs[0].tolist() == [1, 0] and "final_obs" not in infos
        obs, rewards, terminated, _, infos = envs.step(np.array([1, 0]))  # this action of the first is ignored
        assert obs[0].tolist() == [-1, 0] and rewards.tolist() == [0, -1] and not terminated.any()
    else:
        assert obs[0].tolist() == [-1, 0] and infos["final_obs"][0].tolist() == [1, 0]
        assert infos["final_obs"][1] is None and infos["_final_obs"].tolist() == [True, False]
    assert infos["action_mask"].tolist() == [[0, 1, 0, 0]] * 2


@pytest.mark.parametrize("mode", MODES)
def test_steps_are_counted_per_walk(mode):
    envs = GridWorldVectorEnv(CORRIDOR, 2, max_steps=4, autoreset_mode=mode)
    envs.reset()
    cut = [envs.step(np.array([1, 0]))[2:4] for _ in range(12)]
    ended, truncated = np.array(cut).transpose(1, 2, 0).astype(int)
    pause = mode == AutoresetMode.NEXT_STEP
    assert np.flatnonzero(ended[0]).tolist() == ([2, 6, 10] if pause else [2, 5, 8, 11]) and not ended[1].any()
    assert np.flatnonzero(truncated[1]).tolist() == ([3, 8] if pause else [3, 7, 11]) and not truncated[0].any()


def test_returned_arrays_do_not_change_later():
    envs = GridWorldVectorEnv(CORRIDOR, 3)
    obs, infos = envs.reset()
    first = obs.copy(), infos["action_mask"].copy()
    step = envs.step(np.full(3, 1))
    second = [part.copy() for part in step[:4]]
    for _ in range(5):
        envs.step(np.full(3, 1))
    np.testing.assert_array_equal(obs, first[0])
    np.testing.assert_array_equal(infos["action_mask"], first[1])
    for now, then in zip(step[:4], second, strict=True):
        np.testing.assert_array_equal(now, then)


def test_vector_statistics_wrapper():
    envs = RecordVectorStatistics(GridWorldVectorEnv(CORRIDOR, 4))
    envs.reset(seed=0)
    infos = [envs.step(np.array([1, 1, 1, 0]))[4] for _ in range(3)][-1]
    assert infos["episode"]["r"][:3].tolist() == [2, 2, 2] and infos["episode"]["l"][:3].tolist() == [3, 3, 3]
    assert infos["_episode"].tolist() == [True, True, True, False]


@pytest.mark.parametrize("text", [BOOK, "S . M\n. S S"])
def test_starts_are_uniform_at_reset_and_after_an_end(text):
    world = GridWorld.from_text(text)
    envs = GridWorldVectorEnv(world, 4000, "onehot", max_steps=1, autoreset_mode=AutoresetMode.SAME_STEP)
    expected = [world.states.index(cell) for cell in world.starts]
    single = GridWorldEnv(world, "onehot")
    single.reset(seed=1)
    samples = [
        envs.reset(seed=1)[0],
        envs.step(np.zeros(4000, dtype=int))[0],  # every walk ends and starts anew
        np.array([single.reset()[0] for _ in range(4000)]),
    ]
    for obs in samples:
        counts = obs.sum(axis=0)
        assert counts.sum() == counts[expected].sum() == 4000
        assert chisquare(counts[expected]).pvalue > 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_a_seed_fixes_all_walks(mode):
    def record(seed):
        envs, rng = (
            GridWorldVectorEnv(GridWorld.default(), 8, max_steps=6, autoreset_mode=mode),
            np.random.default_rng(0),
        )
        return [envs.reset(seed=seed)[0], *[envs.step(rng.integers(0, 4, 8))[0] for _ in range(40)]]

    np.testing.assert_array_equal(record(3), record(3))
    assert not np.array_equal(record(3), record(4))


def test_walks_of_one_vector_environment_differ():
    obs, _ = GridWorldVectorEnv(GridWorld.default(), 50).reset(seed=0)
    assert len(np.unique(obs, axis=0)) > 1


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [4, -1, 1.0, "up", None, np.array([1, 2])])
def test_bad_actions_are_refused(action):
    env = GridWorldEnv(CORRIDOR)
    env.reset()
    with pytest.raises(ValueError, match="action must be"):
        env.step(action)


@pytest.mark.parametrize("actions", [[0, 4], [-1, 0], [0.0, 1.0], [0], [0, 1, 2], 0, [[0], [1]], [True, False]])
def test_bad_vector_actions_are_refused(actions):
    envs = GridWorldVectorEnv(CORRIDOR, 2)
    envs.reset()
    with pytest.raises(ValueError, match="actions must"):
        envs.step(np.array(actions))


def test_stepping_before_reset_is_refused():
    for env, action in [(GridWorldEnv(CORRIDOR), 0), (GridWorldVectorEnv(CORRIDOR, 2), np.zeros(2, int))]:
        with pytest.raises(gym.error.ResetNeeded):
            env.step(action)


@pytest.mark.parametrize("make", [GridWorldEnv, GridWorldVectorEnv])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observation": "pixels"}, "observation must be 'xy' or 'onehot', got 'pixels'"),
        ({"max_steps": 0}, "max_steps must be a whole number of at least 1"),
        ({"max_steps": -3}, "max_steps must be a whole number of at least 1"),
        ({"world": GridWorld.from_text("M #\n# .")}, "no cell to start from"),
    ],
)
def test_bad_arguments_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**{"world": CORRIDOR} | options)


def test_more_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="render_mode must be None or 'ansi', got 'human'"):
        GridWorldEnv(render_mode="human")
    with pytest.raises(ValueError, match="num_envs must be a whole number of at least 1"):
        GridWorldVectorEnv(num_envs=0)
    with pytest.raises(ValueError, match="autoreset_mode must be NEXT_STEP or SAME_STEP"):
        GridWorldVectorEnv(autoreset_mode=AutoresetMode.DISABLED)
