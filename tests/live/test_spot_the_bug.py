"""SpotTheBug: what it refuses, that its answers hold, and what a reader is told."""

import pytest
import traitlets
from live_checks import status

from ppo_helpers.live import SpotTheBug

WORDS = {"alt": "Trainings without names.", "caption": "Which is which?"}
SCALES = {"entropy": (0, 1)}


def run(tells="return", note="best: 5", **curves):
    curves = {"return": [-3, 0, 2.5, 4], "entropy": [0.8, 0.5, 0.3, 0.1]} | curves
    return {"curves": curves, "note": note, "tells": tells, "yes": f"{tells} it is.", "no": f"Look at the {tells}."}


def runs(**change):
    return {
        "healthy": run(),
        "wrong sign": run(**{"return": [-3, -20, -60, -93]}),
        "no entropy": run("entropy", entropy=[0.7, 0.01, 0, 0]),
    } | change


def spot(given=None, **change):
    given = runs() if given is None else given
    return SpotTheBug(given, **({"scales": SCALES, "order": list(given)[::-1]} | WORDS | change))


def examples():
    return [spot(), spot({name: run(note="") for name in ("a", "b", "c", "d")})]


# ---- What Python keeps and refuses ----


def test_runs_stand_in_the_order_that_is_asked_for_and_nothing_is_picked():
    figure = spot(order=["no entropy", "healthy", "wrong sign"])
    assert [run["bug"] for run in figure.runs] == [2, 0, 1]
    assert [bug["name"] for bug in figure.bugs] == ["healthy", "wrong sign", "no entropy"]
    assert (figure.picks, figure.last, figure.scales) == ([-1, -1, -1], -1, [None, [0, 1]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"order": ["healthy", "healthy", "wrong sign"]}, "order must name each of two to four runs once"),
        ({"order": ["healthy"]}, "order must name"),
        ({"given": {"healthy": run()}}, "order must name each of two to four"),
        ({"given": runs(other={"curves": {}})}, r"runs\['other'\] must have \['curves', 'note'"),
        ({"given": runs(other=run("loss"))}, r"runs\['other'\] must have the curves \['return', 'entropy'\]"),
        ({"given": runs(other=run(loss=[1, 2, 3, 4]))}, r"runs\['other'\] must have the curves"),
        ({"given": runs(other=run(entropy=[1, 2]))}, "curves of one length"),
        ({"given": runs(other=run(entropy=[1, 2, 3, float("nan")]))}, "at least two finite numbers"),
        ({"given": runs(other=run(entropy=[[1, 2], [3, 4]]))}, "at least two finite numbers"),
        ({"scales": {"loss": (0, 1)}}, "scales must give lowest and highest .* got 'loss'"),
        ({"scales": {"entropy": (1, 1)}}, r"got 'entropy': \(1, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        spot(**change)


@pytest.mark.parametrize(("name", "value"), [("picks", [0]), ("picks", [0, 1, 3]), ("last", 3), ("last", -2)])
def test_a_pick_that_is_none_is_refused(name, value):
    figure = spot()
    with pytest.raises((ValueError, traitlets.TraitError), match=name):
        setattr(figure, name, value)


# ---- What a reader sees and does ----


def choose(page, letter, name):
    page.locator(".live-bug select").nth("ABCD".index(letter)).select_option(label=name)


def test_a_right_answer_is_told_where_it_shows(mount):
    page = mount(spot())
    choose(page, "A", "no entropy")
    assert status(page) == "Run A: yes. entropy it is. 1 of 3 found."
    assert page.locator(".live-bug[data-found=true]").count() == 1
    assert page.locator(".live-telling .live-bug-name").inner_text().startswith("entropy")


def test_a_wrong_answer_is_told_where_its_bug_would_show(mount):
    page = mount(spot())
    choose(page, "C", "no entropy")  # it is the healthy one
    assert status(page) == "Run C: no. Look at the entropy. 0 of 3 found."
    assert page.locator(".live-bug[data-found=false]").count() == 1
    assert page.locator(".live-telling").count() == 0


def test_on_a_phone_the_verdict_stands_in_the_card_too(mount):
    page = mount(spot(), 390)
    choose(page, "C", "no entropy")
    assert [told.inner_text() for told in page.locator(".live-bug-told:visible").all()] == ["no. Look at the entropy."]
    page.set_viewport_size({"width": 1280, "height": 900})  # there it is in sight below
    assert page.locator(".live-bug-told:visible").count() == 0


def test_all_found_and_over_again(mount):
    page = mount(spot())
    for letter, name in zip("ABC", ["no entropy", "wrong sign", "healthy"], strict=True):
        choose(page, letter, name)
    assert status(page).endswith("All found.")
    page.get_by_role("button", name="Start over").click()
    assert status(page) == "3 training runs of 4 iterations each, with no names."
    assert page.locator("[data-found=true]").count() == 0


def test_a_name_can_be_taken_back(mount):
    page = mount(spot())
    choose(page, "A", "no entropy")
    choose(page, "A", "what is it?")
    assert page.locator("[data-found=true], [data-found=false]").count() == 0


def test_what_leaves_the_scale_ends_at_its_edge(mount):
    page = mount(spot(scales={"entropy": (0, 0.5)}))
    [path] = page.locator(".live-bug:last-child .live-bug-panel:last-child path.live-line").all()
    heights = [float(point.split()[1]) for point in path.get_attribute("d").replace("M", "L").split("L")[1:]]
    assert heights[0] == heights[1] == min(heights)  # 0.8 and 0.5 both stand at the top


def test_screen_readers_get_every_curve_in_numbers(mount):
    words = mount(spot()).locator(".live-bug svg").evaluate_all("(all) => all.map((e) => e.ariaLabel)")
    assert "run B, return: from −3 to −93, between −93 and −3" in words
