"""Where regions lie in a view: counted from masks, laid over the skin's box, and able to be overruled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.prior import GRID, count_regions, read_prior, weighted


def _upright(height: int, top: int, left: int) -> NDArray[np.uint8]:
    """A person of 4 parts: a fifth head (1), two fifths trunk (3), two fifths legs (4), on a 200 x 160 picture."""
    regions = np.zeros((200, 160), np.uint8)
    for first, last, code in ((0, 0.2, 1), (0.2, 0.6, 3), (0.6, 1, 4)):
        regions[top + int(first * height) : top + int(last * height), left : left + 40] = code
    return regions


def test_place_in_the_box_tells_the_region_wherever_the_person_stands() -> None:
    prior = count_regions(
        (View.TRUNK_FRONT, _upright(h, t, x)) for h, t, x in ((100, 10, 10), (150, 40, 100), (180, 5, 60))
    )
    shares = prior[View.TRUNK_FRONT]
    assert shares.shape == (5, GRID, GRID)
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-5)
    unseen = _upright(120, 70, 30)
    skin = unseen > 0
    labels = weighted(np.full((5, 200, 160), 0.2, np.float32), skin, shares).argmax(0) + 1
    assert (labels == unseen)[skin].mean() > 0.95


def test_sure_network_overrules_the_prior() -> None:
    regions = _upright(150, 10, 10)
    prior = count_regions([(View.HEAD_FRONT, regions)])[View.HEAD_FRONT]
    sure = np.full((5, 200, 160), 1e-5, np.float32)
    sure[1] = 1
    assert (weighted(sure, regions > 0, prior).argmax(0)[regions > 0] == 1).all()


def test_close_ups_and_empty_masks_teach_nothing() -> None:
    assert count_regions([(View.CLOSE_UP, _upright(100, 10, 10)), (View.PALMS, np.zeros((50, 50), np.uint8))]) == {}


def test_stored_prior_reads_back(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from pasi_vision.train.export import write_prior

    prior = count_regions([(View.PALMS, _upright(100, 10, 10))])
    write_prior(tmp_path / "regions.npz", prior)
    back = read_prior(tmp_path / "regions.npz")
    assert back.keys() == prior.keys()
    np.testing.assert_allclose(back[View.PALMS], prior[View.PALMS], atol=0.01)
