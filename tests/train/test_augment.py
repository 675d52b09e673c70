"""A crop and its labels stay together; chance comes from the one generator."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.train.augment import Augmentation, AugmentationSettings


@pytest.fixture
def cached() -> NDArray[np.uint8]:
    """A disc: bright in the red channel, region 3 in 4, lesion and outline 255, signs 120."""
    rows, columns = np.mgrid[:240, :320]
    disc = (rows - 120) ** 2 + (columns - 150) ** 2 < 60**2
    layers = np.zeros((240, 320, 9), np.uint8)
    layers[..., 0] = layers[..., 4] = layers[..., 5] = disc * 255
    layers[..., 3] = np.where(disc, 3, 4)
    layers[..., 6:] = disc[..., None] * 120
    return layers


@pytest.mark.parametrize("view", [View.CLOSE_UP, View.TRUNK_FRONT])
@pytest.mark.parametrize("zoom", [(0.5, 0.6), (1.0, 1.0), (1.5, 1.6)])
def test_labels_follow_pixels(cached: NDArray[np.uint8], view: View, zoom: tuple[float, float]) -> None:
    plain = AugmentationSettings(strength=0, occlusion=0, clutter=0, no_skin=0, zoom=zoom)
    cut = Augmentation(plain, 128, view_side=320, close_up_side=320)
    for seed in range(6):
        pixels, labels = cut(cached, view, np.random.default_rng(seed))
        assert pixels.shape == (128, 128, 3)
        assert labels.shape == (64, 64, 6)
        seen = pixels[..., 0].reshape(64, 2, 64, 2).mean((1, 3))
        assert np.abs(seen - labels[..., 1]).mean() < 6  # of 255: only the disc's edge may differ
        inside, outside = labels[..., 1] > 250, labels[..., 1] < 5
        wrong = (labels[inside][:, 0] != 3).sum() + (labels[outside][:, 0] != 4).sum()
        assert wrong + (labels[inside][:, 3:] != 120).sum() < 0.01 * labels.size


def test_same_generator_gives_same_crop(cached: NDArray[np.uint8]) -> None:
    cut = Augmentation(AugmentationSettings(), 128, view_side=320, close_up_side=320)
    first, other, again = (cut(cached, View.CLOSE_UP, np.random.default_rng(seed)) for seed in (4, 5, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_what_covers_skin_is_not_skin(cached: NDArray[np.uint8]) -> None:
    covered = AugmentationSettings(strength=0, occlusion=1, clutter=0, no_skin=0, zoom=(1.0, 1.0))
    bare = AugmentationSettings(strength=0, occlusion=0, clutter=0, no_skin=0, zoom=(1.0, 1.0))
    shares = []
    for seed in range(8):
        with_it = Augmentation(covered, 128, view_side=320, close_up_side=320)(
            cached, View.TRUNK_FRONT, np.random.default_rng(seed)
        )
        without = Augmentation(bare, 128, view_side=320, close_up_side=320)(
            cached, View.TRUNK_FRONT, np.random.default_rng(seed)
        )
        hidden = with_it[1][..., 0] == 0
        shares.append(hidden.mean())
        assert not with_it[1][hidden].any()
        np.testing.assert_array_equal(with_it[1][~hidden], without[1][~hidden])
    assert 0.005 < np.mean(shares) < 0.4


@pytest.mark.parametrize("what", ["clutter", "dyed"])
def test_only_what_is_not_skin_is_replaced_or_dyed(cached: NDArray[np.uint8], what: str) -> None:
    cached[..., 3] = np.where(cached[..., 3] == 3, 3, 0)  # the disc is skin, the rest is not
    common = {"strength": 0, "occlusion": 0, "no_skin": 0, "zoom": (1.0, 1.0), "clutter": 0}
    crops = []
    for share in (0, 1):
        cut = Augmentation(AugmentationSettings(**common | {what: share}), 128, view_side=320, close_up_side=320)
        crops.append(cut(cached, View.TRUNK_FRONT, np.random.default_rng(3)))
    np.testing.assert_array_equal(crops[0][1], crops[1][1])
    inside = cv2.erode((crops[0][1][..., 0] > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    inside = cv2.resize(inside, (128, 128), interpolation=cv2.INTER_NEAREST) > 0
    np.testing.assert_array_equal(crops[0][0][inside], crops[1][0][inside])
    assert (crops[1][0] != crops[0][0])[~inside].mean() > 0.5


def test_picture_without_skin_has_no_labels(cached: NDArray[np.uint8]) -> None:
    cut = Augmentation(AugmentationSettings(no_skin=1), 128, view_side=320, close_up_side=320)
    assert not cut(cached, View.TRUNK_FRONT, np.random.default_rng(3))[1].any()


def test_whole_views_show_the_whole_view(cached: NDArray[np.uint8]) -> None:
    """Region 3 (the disc) and 4 (the rest) are in about the shares of the whole picture; close-ups are cut as before."""
    whole = AugmentationSettings(strength=0, occlusion=0, clutter=0, no_skin=0, zoom=(3.0, 3.0), whole_views=1.0)
    cut = Augmentation(whole, 128, view_side=320, close_up_side=320)
    share = (cached[..., 3] == 3).mean()
    for seed in range(6):
        _, labels = cut(cached, View.TRUNK_FRONT, np.random.default_rng(seed))
        assert (labels[..., 0] == 3).mean() == pytest.approx(share, abs=0.1)
    near = [cut(cached, View.CLOSE_UP, np.random.default_rng(seed))[1] for seed in range(6)]
    assert max((labels[..., 0] == 3).mean() for labels in near) > 2 * share
