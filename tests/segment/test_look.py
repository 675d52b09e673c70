"""Working sizes, and tiles that cover a picture once and show no seam."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.layout import OUTPUTS, Preprocessing, Working
from pasi_vision.segment.look import look, tiles_along, working_sizes

WORKING = Working(view_longer_side=512, close_up_longer_sides=(448, 320))


def test_longer_side_decides_without_a_scale() -> None:
    assert working_sizes((3000, 4000), WORKING, View.TRUNK_FRONT, None) == ((384, 512),)
    assert working_sizes((4000, 3000), WORKING, View.CLOSE_UP, None) == ((448, 336), (320, 240))
    assert working_sizes((4000, 3000), WORKING, None, None) == ((448, 336), (320, 240))


def test_small_pictures_are_enlarged_twice_at_most() -> None:
    assert working_sizes((30, 60), WORKING, View.TRUNK_FRONT, None) == ((60, 120),)


def test_scale_sets_the_finest_and_the_coarsest_pixel() -> None:
    # 4000 px x 0.01 mm are 40 mm: at 0.1 mm a pixel that is 400 px.
    assert working_sizes((3000, 4000), WORKING, View.TRUNK_FRONT, 0.01) == ((300, 400),)
    # 4000 px x 1 mm are 4 m: at 4 mm a pixel that is 1000 px.
    assert working_sizes((3000, 4000), WORKING, View.TRUNK_FRONT, 1.0) == ((750, 1000),)


@given(length=st.integers(2, 4000), tile=st.sampled_from([64, 512]), overlap=st.sampled_from([16, 32]))
def test_tiles_cover_every_pixel_with_enough_overlap(length: int, tile: int, overlap: int) -> None:
    tiles = tiles_along(2 * (length // 2), tile, overlap)
    assert tiles[0].start == 0
    assert tiles[-1].start + tiles[-1].length == 2 * (length // 2)
    for left, right in pairwise(tiles):
        assert left.start + left.length - right.start >= overlap
        assert right.start % 2 == 0


def _local(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network that only averages 2 x 2 pixels: any tiling of it must give what one pass gives."""
    n, _, height, width = batch.shape
    halved = batch[:, 0].reshape(n, 1, height // 2, 2, width // 2, 2).mean((3, 5))
    return np.repeat(halved, len(OUTPUTS), 1)


@pytest.mark.parametrize("shape", [(700, 90), (200, 1000), (514, 642), (64, 64), (2, 2)])
def test_tiles_of_a_local_network_show_no_seam(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    working = Working(tile=128, overlap=32)
    seen = look(pixels, _local, Preprocessing(), working)
    expected = _local(((pixels / 255.0 - 0.5) / 0.5).astype(np.float32).transpose(2, 0, 1)[None])[0]
    assert seen.shape == (len(OUTPUTS), shape[0] // 2, shape[1] // 2)
    np.testing.assert_allclose(seen, expected, atol=1e-5)
