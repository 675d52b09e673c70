"""Where regions lie in a view: counted from masks, laid over the skin's box, and able to be overruled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.prior import GRID, MOST, collect_regions, joined_regions, read_prior, weighted


def _upright(height: int, top: int, left: int) -> NDArray[np.uint8]:
    """A person of 4 parts: a fifth head (1), two fifths trunk (3), two fifths legs (4), on a 200 x 160 picture."""
    regions = np.zeros((200, 160), np.uint8)
    for first, last, code in ((0, 0.2, 1), (0.2, 0.6, 3), (0.6, 1, 4)):
        regions[top + int(first * height) : top + int(last * height), left : left + 40] = code
    return regions


def _person(height: int, width: int) -> NDArray[np.uint8]:
    """The same as broad as wanted, with the head half as broad as the rest; a broad person has shorter legs."""
    regions = np.zeros((200, 160), np.uint8)
    waist = 0.6 if width < 60 else 0.8
    for first, last, code, across in ((0, 0.2, 1, width // 2), (0.2, waist, 3, width), (waist, 1, 4, width)):
        regions[5 + int(first * height) : 5 + int(last * height), 80 - across // 2 : 80 + across // 2] = code
    regions[5 + int(0.9 * height) : 5 + height, 80 - width // 8 : 80 + width // 8] = 0  # feet apart
    if width >= 60:
        regions[5 + int(0.5 * height) : 5 + int(0.6 * height), 60:100] = 0  # a belt
    return regions


def test_place_in_the_box_tells_the_region_wherever_the_person_stands() -> None:
    prior = collect_regions(
        (View.TRUNK_FRONT, _upright(h, t, x)) for h, t, x in ((100, 10, 10), (150, 40, 100), (180, 5, 60))
    )
    bodies = prior[View.TRUNK_FRONT]
    assert bodies.shape == (3, GRID, GRID)
    unseen = _upright(120, 70, 30)
    skin = unseen > 0
    labels = weighted(np.full((5, 200, 160), 0.2, np.float32), skin, bodies).argmax(0) + 1
    assert (labels == unseen)[skin].mean() > 0.95


def test_bodies_with_a_like_silhouette_count_most() -> None:
    """Nine lean people and one broad one: for another broad person the one counts."""
    maps = [(View.TRUNK_FRONT, _person(150, 40 + i)) for i in range(9)] + [(View.TRUNK_FRONT, _person(160, 90))]
    bodies = collect_regions(maps)[View.TRUNK_FRONT]
    unsure = np.full((5, 200, 160), 0.2, np.float32)
    for width in (44, 96):
        unseen = _person(140, width)
        labels = weighted(unsure, unseen > 0, bodies).argmax(0) + 1
        assert (labels == unseen)[unseen > 0].mean() > 0.97


def test_sure_network_overrules_the_prior() -> None:
    regions = _upright(150, 10, 10)
    prior = collect_regions([(View.HEAD_FRONT, regions)])[View.HEAD_FRONT]
    sure = np.full((5, 200, 160), 1e-5, np.float32)
    sure[1] = 1
    assert (weighted(sure, regions > 0, prior).argmax(0)[regions > 0] == 1).all()


def test_close_ups_and_empty_masks_teach_nothing() -> None:
    nothing = [(View.CLOSE_UP, _upright(100, 10, 10)), (View.PALMS, np.zeros((50, 50), np.uint8))]
    assert collect_regions(nothing) == {}


def test_bodies_of_two_models_are_joined_up_to_the_most() -> None:
    new = {View.PALMS: np.ones((3, GRID, GRID), np.uint8)}
    old = {View.PALMS: np.full((MOST, GRID, GRID), 2, np.uint8), View.SOLES: np.full((4, GRID, GRID), 4, np.uint8)}
    both = joined_regions(new, old)
    assert both[View.PALMS][:, 0, 0].tolist() == [1] * 3 + [2] * (MOST - 3)
    assert len(both[View.SOLES]) == 4


def test_stored_prior_reads_back(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from pasi_vision.train.export import write_prior

    prior = collect_regions([(View.PALMS, _upright(100, 10, 10))])
    write_prior(tmp_path / "silhouettes.npz", prior)
    back = read_prior(tmp_path / "silhouettes.npz")
    assert back.keys() == prior.keys()
    np.testing.assert_array_equal(back[View.PALMS], prior[View.PALMS])
