"""Outlines that follow from lesions: rim and gaps by lengths on the body, whatever the size of the photograph."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.segment.enclose import enclosed


def _discs(size: int, *discs: tuple[float, float, float]) -> np.ndarray:
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    return np.asarray(np.any([np.hypot(x - u, y - v) < r for u, v, r in discs], axis=0))


@pytest.mark.parametrize("size", [300, 900, 2600])
def test_a_disc_grows_by_the_rim_at_any_resolution(size: int) -> None:
    skin = np.ones((size, size), bool)
    grown = enclosed(_discs(size, (0.5, 0.5, 0.2)), skin, 0.02, 0.05)
    assert np.sqrt(grown.mean() / np.pi) == pytest.approx(0.22, abs=0.003)


def test_neighbours_nearer_than_the_gap_are_one_and_farther_ones_two() -> None:
    import cv2

    skin = np.ones((600, 600), bool)
    for apart, areas in ((0.04, 1), (0.10, 2)):
        pair = _discs(600, (0.4 - apart / 2, 0.5, 0.1), (0.6 + apart / 2, 0.5, 0.1))
        count, _ = cv2.connectedComponents(enclosed(pair, skin, 0.005, 0.06).astype(np.uint8))
        assert count - 1 == areas


def test_it_stays_on_skin_holds_the_lesion_and_nothing_stays_nothing() -> None:
    skin = np.zeros((200, 200), bool)
    skin[:, :120] = True
    lesion = _discs(200, (0.58, 0.5, 0.06)) & skin
    found = enclosed(lesion, skin, 0.05, 0.1)
    assert not found[~skin].any()
    assert found[lesion].all()
    assert found.sum() > lesion.sum()
    assert not enclosed(np.zeros_like(skin), skin, 0.05, 0.1).any()
