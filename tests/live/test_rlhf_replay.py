"""RLHFReplay: what it refuses, what a token earns, the turn, and what a reader sees and does."""

import json

import numpy as np
import pytest
import traitlets
from live_checks import javascript, press, status

from ppo_helpers.live import RLHFReplay
from ppo_helpers.measured import rlhf_sweep, turn

WORDS = {"alt": "Two trainings.", "caption": "One of them is hacked."}
PROMPTS = ["The food was", "I feel"]
FALLING = [0.5] * 6 + [0.8] * 6 + [0.1] * 8
STEADY = [0.5 + i / 50 for i in range(20)]


def frame(iteration, kl=0.5, score=1.0, gold=0.25):
    pieces = [[" good", " food", ".", "<|endoftext|>"], [" happy", f" {iteration}"]]
    return {
        "iteration": iteration,
        "pieces": pieces,
        "kl": [[kl] * 4, [kl, -kl]],
        "score": [score, -score],
        "gold": [gold, 1 - gold],
    }


def run(gold=STEADY, kept=(0, 10, 20), **change):
    rising = [i / 10 for i in range(20)]
    curves = {"reward": rising, "judged": list(gold), "kl": [i / 4 for i in range(20)]}
    return {"curves": curves, "frames": [frame(i, **change) for i in kept]}


def replay(runs=None, **change):
    runs = {0.0: run(FALLING), 0.1: run(), 0.4: run()} if runs is None else runs
    return RLHFReplay(runs, PROMPTS, **({"shown": (0, 1)} | WORDS | change))


def measured():
    runs = {float(name.split()[1]): run for name, run in rlhf_sweep()[0].items() if "frames" in run}
    prompts = ["The food at the restaurant was", "The movie", "Support", "I feel really", "Service"] + ["It"] * 5
    return RLHFReplay(runs, prompts, shown=(0, 3, 4), pair=(0.0, 0.1), **WORDS)


def examples():
    return [measured(), replay()]


# ---- What Python keeps and refuses ----


def test_it_opens_at_the_end_with_the_least_and_the_highest_price():
    figure = replay({0.4: run(), 0.0: run(FALLING), 0.1: run()})
    assert (figure.betas, figure.pair, figure.frame) == ([0.0, 0.1, 0.4], [0, 2], 2)
    assert figure.prompts == PROMPTS and replay(shown=(1,)).prompts == ["I feel"]
    assert replay(pair=(0.1, 0.0)).pair == [1, 0]


def test_a_turn_is_marked_only_where_a_run_is_hacked():
    wanted = turn(run()["curves"]["reward"], FALLING)
    assert wanted.hacked and replay().turns == [wanted.iteration, None, None] == [9, None, None]


def test_texts_are_those_of_their_run_iteration_and_prompt():
    figure = replay({0.0: run(kl=0.5), 1.0: run(kl=0.25, score=2.0)}, shown=(1,))
    assert figure.texts[0][1] == [{"pieces": [" happy", " 10"], "kl": [0.5, -0.5], "score": -1, "gold": 0.75}]
    assert figure.texts[1][2] == [{"pieces": [" happy", " 20"], "kl": [0.25, -0.25], "score": -2, "gold": 0.75}]


def without(part):
    return {name: value for name, value in run().items() if name != part}


def spoilt(**change):
    broken = run()
    broken["frames"][1] |= change
    return broken


def short():
    broken = run()
    broken["curves"] = {name: curve[:15] for name, curve in broken["curves"].items()}
    broken["frames"] = broken["frames"][:2]
    return broken


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ({0.0: run()}, "runs must be at least two"),
        ({-0.1: run(), 0.0: run()}, "not negative"),
        ({0.0: run(), 0.1: without("frames")}, r"runs\[0.1\] must have frames"),
        ({0.0: run(), 0.1: without("curves")}, "curves"),
        ({0.0: run(), 0.1: run([float("nan")] * 20)}, "finite"),
        ({0.0: run(), 0.1: run([0.5] * 19)}, "curves of one length"),
        ({0.0: run(), 0.1: run(kept=(0, 10))}, "iterations must be the same"),
        ({0.0: run(kept=(0, 10)), 0.1: short()}, "length must be the same"),
        ({0.0: run(), 0.1: run(kept=(10, 0, 20))}, "increasing"),
        ({0.0: run(), 0.1: run(kept=(0, 10, 21))}, "0 … 20"),
        ({0.0: run(), 0.1: spoilt(score=[1.0])}, "one each for 2 prompts"),
        ({0.0: run(), 0.1: spoilt(kl=[[1.0], [1.0, 1.0]])}, "one kl for each"),
        ({0.0: run(), 0.1: spoilt(gold=[float("inf"), 0.0])}, "finite"),
    ],
)
def test_bad_runs_are_named(runs, words):
    with pytest.raises(ValueError, match=words):
        replay(runs)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"shown": (2,)}, "shown"), ({"shown": ()}, "shown"), ({"pair": (0.0,)}, "pair"), ({"pair": (0, 0.3)}, "pair")],
)
def test_bad_choices_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        replay(**change)


@pytest.mark.parametrize(("name", "value"), [("frame", 3), ("frame", -1), ("pair", [0]), ("pair", [0, 3])])
def test_later_values_are_looked_at_too(name, value):
    with pytest.raises((ValueError, traitlets.TraitError), match=name):
        setattr(replay(), name, value)


# ---- What a token earns ----


@pytest.mark.parametrize("seed", range(5))
def test_tokens_earn_what_the_package_pays(seed):
    import torch

    from ppo_helpers.language.rewards import token_rewards

    rng = np.random.default_rng(seed)
    kl, score, beta = rng.normal(size=6).tolist(), float(rng.normal()), float(rng.uniform(0, 0.5))
    engine = javascript("parts/earnings.js")
    text = json.dumps({"kl": kl, "score": score, "beta": beta})
    ours = json.loads(engine.eval(f"JSON.stringify(tokenRewards({text}))"))
    rows, real = torch.tensor([kl], dtype=torch.double), torch.ones(1, 6, dtype=torch.bool)
    theirs = token_rewards(rows, torch.zeros_like(rows), torch.tensor([score], dtype=torch.double), real, beta)
    assert ours == pytest.approx(theirs[0].tolist())


# ---- What a reader sees and does ----


def texts(page):
    return [text.strip() for text in page.locator(".live-rlhf-words").all_inner_texts()]


def test_it_says_where_both_runs_stand(mount):
    page = mount(replay(pair=(0.0, 0.1)))
    words = status(page)
    assert "Iteration 20." in words
    assert "β = 0: reward 1.9, gold 0.1; 11 after the turn." in words
    assert "β = 0.1: reward 1.9, gold 0.88." in words
    assert page.locator(".live-turn").all_text_contents() == ["turn at 9"]
    page.locator("input[type=range]").press("Home")
    assert "both sides are still the fine-tuned model" in status(page)


def test_scrubbing_changes_the_texts(mount):
    page = mount(replay())
    assert texts(page)[2].startswith("happy 20")
    press(page, "Back")
    assert texts(page)[2].startswith("happy 10")
    assert "is still to come" not in status(page)


def test_the_lists_choose_the_prices(mount):
    page = mount(replay(pair=(0.0, 0.1)))
    page.get_by_label("left").select_option(label="β = 0.4")
    assert page.locator(".live-caption").all_inner_texts() == ["β = 0.4", "β = 0.1"]
    assert page.locator(".live-turn").count() == 0
    assert status(page).count("β = 0.4:") == 1


def test_a_price_colours_the_tokens_and_none_leaves_them_plain(mount):
    runs = {0.0: run(kl=4.0), 0.25: run(kl=4.0)}
    page = mount(replay(runs))
    rows = page.locator(".live-rlhf-words")
    colours = [
        rows.nth(i).locator(".live-rlhf-token").evaluate_all("all => all.map(e => e.style.backgroundColor)")
        for i in (0, 1)
    ]
    sand, red, teal = "rgb(243, 234, 215)", "rgb(221, 138, 118)", "rgb(85, 181, 163)"
    assert colours[0] == [sand] * 3 + [teal]  # the score of 1 at the end
    assert colours[1] == [red] * 3 + [sand]  # −0.25 · 4 each, and 1 − 1 at the end


def test_the_end_of_a_text_is_a_mark(mount):
    page = mount(replay())
    first = page.locator(".live-rlhf-words").first
    assert "endoftext" not in first.inner_text() and "■" in first.inner_text()


def test_pressing_the_curve_goes_to_the_nearest_frame(mount):
    page = mount(replay())
    box = page.locator(".live-scrub").first.bounding_box()
    x = box["x"] + (46 + (280 - 46 - 16) * 11 / 20) * box["width"] / 280
    page.mouse.click(x, box["y"] + box["height"] / 2)
    assert page.locator("input[type=range]").input_value() == "1"


def test_nothing_moves_while_it_plays(mount):
    page = mount(measured(), width=1280)
    heights = set()
    for k in range(11):
        page.locator("input[type=range]").press("Home" if k == 0 else "ArrowRight")
        heights.add(page.locator(".live-figure").bounding_box()["height"])
    assert len(heights) == 1
