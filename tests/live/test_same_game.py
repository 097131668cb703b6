"""SameGame: what it draws and refuses, and that the same words stand under both."""

import math

import numpy as np
import pytest
import traitlets
from live_checks import status

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.live import SameGame
from ppo_helpers.planning import softmax_policy, uniform_policy, value_iteration

WORDS = {"alt": "A walk and a text.", "caption": "The same game."}
TEXT = {"prompt": "I am", "pieces": [" very", " happy", "<|endoftext|>"], "logprobs": [-1.5, -0.25, -0.1], "score": 0.8}
WORLD = GridWorld.from_text("S . M\n. # D", move_cost=0.5)


def game(texts=(TEXT, TEXT), world=WORLD, policy=None, start=(0, 0), **change):
    if policy is None:
        policy = softmax_policy(world, value_iteration(world).values, temperature=0.3)
    return SameGame(world, policy, start, texts, **WORDS | change)


def examples():
    long = {"prompt": "The food", "pieces": [f" word{i}" for i in range(12)], "logprobs": [-2.0] * 12, "score": -1.0}
    return [game(), game([long], GridWorld.default(move_cost=0.1), start=(2, 0))]


# ---- What Python draws, and refuses ----


def test_a_walk_is_drawn_for_every_text_and_comes_to_an_end():
    figure = game([TEXT] * 5, policy=uniform_policy(WORLD))
    assert len(figure.walks) == 5 and len({str(walk) for walk in figure.walks}) > 1
    for walk in figure.walks:
        state, moves = (0, 0), zip(walk["actions"], walk["rewards"], walk["cells"][1:], strict=True)
        for action, reward, cell in moves:
            state, paid, ended = WORLD.step(state, action)
            assert (reward, tuple(cell)) == (paid, state)
        assert ended and len(walk["actions"]) <= 12


def test_probabilities_are_those_of_the_policy():
    figure, policy = game(), uniform_policy(WORLD)
    for walk in game(policy=policy).walks:
        expected = [
            policy[WORLD.states.index(tuple(c))][a] for c, a in zip(walk["cells"], walk["actions"], strict=False)
        ]
        assert walk["probs"] == pytest.approx(expected, abs=1e-6)
    assert figure.texts[0]["rewards"] == [0, 0, 0.8]


def test_the_seed_decides_the_walks():
    one, two, other = (game(policy=uniform_policy(WORLD), seed=seed).walks for seed in (0, 0, 1))
    assert one == two != other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"policy": np.ones((2, 4))}, r"policy must have shape \(5, 4\), got \(2, 4\)"),
        ({"start": (0, 2)}, r"start must be a cell where a walk goes on, got \(0, 2\)"),
        ({"start": (9, 9)}, "start must be a cell"),
        ({"texts": []}, "texts must not be empty"),
        ({"texts": [{"prompt": "x"}]}, r"texts\[0\] must have \['logprobs', 'pieces'"),
        ({"texts": [TEXT, TEXT | {"pieces": []}]}, r"texts\[1\] must have 1 to 12 tokens"),
        ({"texts": [TEXT | {"logprobs": [-1.0]}]}, "one log-prob each, got 3"),
        ({"texts": [TEXT | {"logprobs": [-1, -2, -np.inf]}]}, "finite numbers"),
        ({"texts": [TEXT | {"score": np.nan}]}, "finite numbers"),
        (
            {"policy": np.tile([0.0, 0, 1, 0], (5, 1)), "world": GridWorld.from_text("S M\n. ."), "start": (0, 0)},
            "policy must",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        game(**change)


def test_a_policy_that_goes_round_for_ever_is_refused():
    world = GridWorld.from_text("S . .\n. . M")
    circle = np.zeros((len(world.states), 4))
    circle[:, 1], circle[world.states.index((0, 1)), :] = 1, [0, 0, 0, 1]  # right and left again
    with pytest.raises(ValueError, match=r"policy must end a walk from \(0, 0\) within 12 moves"):
        game(world=world, policy=circle)


@pytest.mark.parametrize(("name", "value"), [("pair", 2), ("pair", -1), ("frame", 13), ("frame", -1)])
def test_a_frame_or_a_pair_that_is_none_is_refused(name, value):
    with pytest.raises((ValueError, traitlets.TraitError), match=name):
        setattr(game(), name, value)


# ---- What a reader sees and does ----


def table(page):
    rows = page.locator(".live-same-table tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def test_the_same_words_stand_under_both(mount):
    figure = game()
    figure.frame = 1
    page, walk = mount(figure), figure.walks[0]
    shown = table(page)
    assert shown["state s"] == ["row 0, column 0", "“I am”"]
    assert shown["action a"][1] == "“ very”"
    assert [float(p) for p in shown["π(a | s)"]] == pytest.approx([walk["probs"][0], math.exp(-1.5)], abs=6e-4)
    assert shown["log π(a | s), nats"][1] == "−1.5"
    assert shown["reward r"] == ["−0.5", "0"]


def test_it_opens_at_the_end_and_begins_with_nothing_chosen(mount):
    page = mount(game())
    assert "all of it at its last token" in status(page)
    assert table(page)["action a"][1] == "the text ends" and table(page)["earned so far"][1] == "+0.8"
    for _ in range(12):
        page.get_by_role("button", name="Back").click()
    assert table(page)["action a"] == ["–", "–"] and table(page)["earned so far"] == ["0", "0"]
    assert page.locator(".live-same-text").inner_text() == "I am"


def test_other_dice_bring_another_walk_and_text(mount):
    other = TEXT | {"prompt": "We are", "pieces": [" late", "."], "logprobs": [-3.0, -0.5], "score": 0.1}
    page = mount(game([TEXT, other]))
    page.get_by_role("button", name="Roll again").click()
    page.wait_for_function("document.querySelector('.live-same-text').textContent.startsWith('We are')")
    page.get_by_role("button", name="Reset").click()
    assert page.locator(".live-same-text").inner_text().startswith("I am")
