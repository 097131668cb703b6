"""What chapter 3 says of cells that were never seen, over the thirty networks of the committed sweep."""

from ppo_helpers.measured import unseen_cells
from sweeps import unseen_cells as sweep


def test_every_share_was_tried_with_thirty_networks_in_both_worlds():
    errors = unseen_cells()
    assert list(errors) == list(sweep.WORLDS) == ["with the wall", "wall erased"]
    assert all(list(of) == list(sweep.SHARES) for of in errors.values())
    assert all(len(runs) == 30 for of in errors.values() for runs in of.values())


def test_the_wall_is_harder_for_every_network():
    walled, erased = unseen_cells().values()
    assert all(a > b for share in walled for a, b in zip(walled[share], erased[share], strict=True))
