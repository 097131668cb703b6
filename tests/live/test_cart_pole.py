"""The pole on a cart: what is refused, what a reader does, and that its training is that of the twin."""

import json
from dataclasses import asdict, replace

import pytest
from live_checks import javascript, press, status

from ppo_helpers.live import CartPole
from ppo_helpers.walking import WalkConfig

WORDS = {"alt": "A pole on a cart.", "caption": "It learns to stand."}
BOLD = WalkConfig(
    iterations=500, steps=32, epochs=4, gamma=0.98, lam=0.8, learning_rate=5e-3, anneal_lr=True, anneal_clip=True,
    hidden=(32, 32),
)  # fmt: skip
SHORT = replace(BOLD, iterations=4, epochs=1, steps=16, hidden=(8,), anneal_lr=False, anneal_clip=False)


def figure(config=SHORT, **change):
    return CartPole(config, **WORDS | change)


def examples():
    odd = replace(SHORT, clip_eps=0.15, learning_rate=0.0042, iterations=2)
    return [figure(), figure(odd, walkers=1, seed=5), figure(BOLD)]  # the last one as the book has it


# --- Python ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"walkers": 0}, "walkers must be a whole number of at least 1, got 0"),
        ({"walkers": 2.0}, "walkers must be a whole number of at least 1, got 2.0"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"alt": " "}, "alt must say what the figure shows"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


def test_a_config_travels_by_its_names_in_python():
    made = figure(BOLD, seed=3)
    assert made.config == asdict(BOLD) | {"hidden": [32, 32]}
    assert (made.frame, made.seed, made.first) == (0, 3, {"config": made.config, "seed": 3})


# --- JavaScript without a browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine():
    names = ["twins/training.js", "twins/cartpole.js"]
    racer = javascript(*names, *(f"figures/cart_pole_{part}.js" for part in ("school", "walk", "words")))
    racer.eval("const frames = (config, walkers, seed) => [...lesson(config, walkers, seed)];")
    return racer


def said(engine, call):
    return json.loads(engine.eval(f"JSON.stringify({call})"))


def options(config):
    return json.dumps(asdict(config))


@pytest.mark.slow
def test_it_learns_to_stand(engine, seed=0):
    """And stops there: the last hundred walks of all earlier iterations were shorter. More seeds: `make bench`."""
    kept = "({ steps, mean, solved }) => ({ steps, mean, solved })"
    frames = said(engine, f"frames({options(BOLD)}, 8, {seed}).map({kept})")
    assert [frame["solved"] for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert frames[0] == {"steps": 0, "mean": None, "solved": False}
    assert frames[-1]["mean"] >= 475 and max(frame["mean"] for frame in frames[1:-1]) < 475
    assert 0 < frames[-1]["steps"] <= 256 * (len(frames) - 1)


def test_the_mean_is_that_of_the_last_hundred_walks_that_ended(engine):
    script = f"""(() => {{
      const config = {options(replace(SHORT, iterations=40))};
      const training = poleTrainingOf(config, {{ walkers: 8 }}, diceOf(1));
      while (training.done < 40) iterate(training);
      return [training.crowd.lengths, frames(config, 8, 1).at(-1).mean];
    }})()"""
    lengths, mean = said(engine, script)
    assert len(lengths) > 150 and mean == pytest.approx(sum(lengths[-100:]) / 100)


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_ends_where_the_pole_falls(engine, seed):
    config = options(SHORT)
    walk = said(engine, f"walkOf(frames({config}, 8, {seed}).at(-1), {config}, {seed})")
    moments = len(walk["states"])
    assert walk["fell"] and moments == len(walk["right"]) + 1 == len(walk["values"]) + 1
    assert said(engine, f"{json.dumps(walk['states'])}.map(hasFallen)") == [False] * (moments - 1) + [True]
    assert all(0 < p < 1 for p in walk["right"])
    for state, after in zip(walk["states"], walk["states"][1:], strict=False):
        assert after in said(engine, f"[0, 1].map((a) => pushed({state}, a))")


def test_walks_of_one_policy_differ_and_come_again(engine):
    config = options(SHORT)
    walks = said(engine, f"[0, 1, 0].map((turn) => walkOf(frames({config}, 8, 2)[0], {config}, 2, turn))")
    assert walks[0] == walks[2] != walks[1]


NEW = {"steps": 0, "mean": None, "solved": False}
LATER = {"steps": 25600, "mean": 87.6, "solved": False}


@pytest.mark.parametrize(
    ("frames", "over", "words"),
    [
        ([NEW], False, "Iteration 0, seed 7. Nothing is learned yet: left and right are nearly equally likely."),
        ([NEW, NEW | {"steps": 64}], False, "Iteration 1 of 9, seed 7, 64 pushes: no walk has ended yet."),
        ([NEW, LATER], False, "Iteration 1 of 9, seed 7, 25,600 pushes: the last walks lasted 88 pushes on average."),
        ([NEW, LATER], True, "the last walks lasted 88 pushes on average. Not solved this time."),
        (
            [NEW, {"steps": 70144, "mean": 476.2, "solved": True}],
            True,
            "Solved in iteration 1, after 70,144 pushes: the last walks lasted 476 pushes on average, of 500 at most.",
        ),
    ],
)
def test_the_sentence_says_how_far_it_is(engine, frames, over, words):
    record = {"config": {"iterations": 9}, "seed": 7, "over": over, "frames": frames}
    found = said(engine, f"sentence({json.dumps(record)}, {len(frames) - 1})")
    assert found.endswith(words)


# --- in the browser -------------------------------------------------------------------------------------------------


def curve(page, i=0):
    return page.locator(f".live-line.live-curve-{i}").get_attribute("d") or ""


def trained(page, figure):
    press(page, "Train")
    page.get_by_role("button", name="Train", exact=True).wait_for()
    page.wait_for_function(f"document.querySelector('[role=status]').textContent.includes('Iteration {figure}')")


@pytest.mark.browser
def test_train_learns_and_shows_every_iteration(mount):
    page = mount(figure(), 1280)
    assert status(page).startswith("Iteration 0, seed 0.") and curve(page) == ""
    trained(page, 4)
    assert "Not solved this time." in status(page)
    assert curve(page).count("L") >= 2
    assert page.get_by_role("slider").input_value() == "4"


@pytest.mark.browser
def test_a_dial_trains_anew_and_the_last_curve_stays(mount):
    page = mount(figure(), 1280)
    trained(page, 4)
    before = curve(page)
    page.get_by_label("learning rate").select_option(label="0.02")
    page.get_by_role("button", name="Train", exact=True).wait_for()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Iteration 4')")
    assert curve(page, 1) == before != curve(page)
    press(page, "Another seed")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('seed 1')")
    press(page, "Reset")
    assert status(page).startswith("Iteration 0, seed 0.")
    assert page.get_by_label("learning rate").locator("option:checked").inner_text() == "0.005"


@pytest.mark.browser
def test_an_iteration_that_a_link_asks_for_is_trained(mount):
    shown = figure()
    shown.frame = 3
    page = mount(shown, 1280)
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Iteration 3')")


FALLS = """(() => {
  let fell = (window.falls = 0);
  const look = () => {
    const over = /over after/.test(document.querySelector(".live-cart-pole > text")?.textContent ?? "over after");
    falls += over && fell === false;
    fell = over;
    window.rests = falls > 0 && document.querySelectorAll(".live-pole").length > 4; // at rest a walk is seen whole
    requestAnimationFrame(look);
  };
  look();
})()"""


@pytest.mark.browser
def test_the_untrained_pole_falls_three_times_and_rests(mount):
    page = mount(figure(), 1280, reduced_motion="no-preference")
    page.add_init_script(FALLS)
    page.reload()
    page.wait_for_function("window.rests", timeout=20_000)
    page.wait_for_timeout(1000)
    assert page.evaluate("falls") == 3 and page.evaluate("rests")


@pytest.mark.browser
def test_a_walk_is_shown_as_fast_as_it_is(mount):
    """Fifty pushes a second, however fast the screen is."""
    page = mount(figure(), 1280, reduced_motion="no-preference")
    page.wait_for_function("/^\\d+ pushes/.test(document.querySelector('.live-cart-pole > text').textContent)")
    read = """() => [performance.now(), parseInt(document.querySelector('.live-cart-pole > text').textContent)]"""
    (begun, first), _, (ended, last) = page.evaluate(read), page.wait_for_timeout(150), page.evaluate(read)
    assert last - first == pytest.approx((ended - begun) / 20, abs=3)


@pytest.mark.browser
def test_a_link_beyond_the_end_comes_to_rest(mount):
    """An iteration that is never reached asks for no walk after the other for ever."""
    shown = figure()
    shown.frame = 99
    page = mount(shown, 1280, reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Iteration 4')")
    page.wait_for_function("document.querySelectorAll('.live-pole').length > 4", timeout=20_000)
    page.wait_for_timeout(1500)
    assert page.locator(".live-pole").count() > 4
