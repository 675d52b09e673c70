"""Working sizes, and tiles that cover a picture once and show no seam."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pasi_vision.segment.layout import LESION, OUTPUTS, Preprocessing, Working
from pasi_vision.segment.look import (
    Box,
    close_up_sizes,
    look,
    look_at_view,
    resized,
    skin_box,
    tiles_along,
    tiles_of,
    view_factor,
)

WORKING = Working(close_up_longer_sides=(320, 448), view_pixels=100_000, first_side=160)


def test_longer_side_decides_about_close_ups_without_a_scale() -> None:
    assert close_up_sizes((4000, 3000), WORKING, None) == ((448, 336), (320, 240))
    assert close_up_sizes((30, 60), WORKING, None) == ((60, 120),)  # enlarged twice at most


def test_scale_sets_the_finest_and_the_coarsest_pixel() -> None:
    # 4000 px x 0.01 mm are 40 mm: at 0.1 mm a pixel that is 400 px.
    assert close_up_sizes((3000, 4000), WORKING, 0.01) == ((300, 400), (240, 320))
    # 4000 px x 1 mm are 4 m: at 2.5 mm a pixel that is 1600 px.
    assert close_up_sizes((3000, 4000), WORKING, 1.0) == ((1200, 1600),)


def test_skin_box_holds_the_skin_with_a_margin_and_passes_over_stray_pixels() -> None:
    skin = np.zeros((100, 200), bool)
    skin[40:60, 100:150] = True
    skin[5, 5] = True
    assert skin_box(skin, (1000, 2000), margin=0.01) == Box(380, 621, 980, 1521)
    assert skin_box(np.zeros((10, 10), bool), (100, 100)) is None


def test_view_is_looked_at_as_closely_as_its_skin_allows() -> None:
    half = Box(0, 1000, 500, 900)  # 400,000 px: brought to 100,000 by a factor of a half
    assert view_factor((1000, 2000), half, WORKING, None) == pytest.approx(0.5)
    assert view_factor((1000, 2000), Box(0, 100, 0, 100), WORKING, None) == 1  # never enlarged
    # A pixel of 2 mm must not become coarser than 2.5 mm.
    assert view_factor((1000, 2000), half, WORKING, 2.0) == pytest.approx(0.8)


def _red_is_lesion(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network that calls dark pixels no skin, all others trunk, and red ones lesion."""
    halved = _local(batch)[:, :1]
    out = np.zeros((len(batch), len(OUTPUTS), *halved.shape[2:]), np.float32)
    out[:, 0] = halved[:, 0] < -0.9
    out[:, 3] = 1 - out[:, 0]
    out[:, LESION] = np.clip(halved[:, 0], 0, 1)
    return out


def test_second_look_lies_where_the_skin_is() -> None:
    """A bright square on dim skin in the dark: it comes out where it was, finer than the first look could tell."""
    pixels = np.zeros((900, 1200, 3), np.uint8)
    pixels[100:800, 700:1000] = 120
    pixels[300:500, 800:900] = 255
    seen = look_at_view(pixels, _red_is_lesion, Preprocessing(), WORKING, None)
    assert seen.shape[1] > 80 * 1.5  # of 900 px; the first look gives 60 rows
    found = cv2.resize(seen[LESION], (1200, 900), interpolation=cv2.INTER_LINEAR) > 0.5
    truth = pixels[..., 0] == 255
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.97
    skin = cv2.resize(1 - seen[0], (1200, 900), interpolation=cv2.INTER_LINEAR) > 0.5
    assert 2 * (skin & (pixels[..., 0] > 0)).sum() / (skin.sum() + (pixels[..., 0] > 0).sum()) > 0.97


def test_view_without_skin_is_looked_at_once() -> None:
    seen = look_at_view(np.zeros((900, 1200, 3), np.uint8), _red_is_lesion, Preprocessing(), WORKING, None)
    assert seen.shape[1:] == (60, 80)
    assert (seen[0] == 1).all()


@given(
    length=st.integers(1, 2000),
    count=st.integers(1, 9),
    overlap=st.sampled_from([16, 32]),
    multiple=st.sampled_from([2, 32]),
)
def test_tiles_cover_every_pixel_with_enough_overlap(length: int, count: int, overlap: int, multiple: int) -> None:
    tiles = tiles_along(2 * length, count, overlap, multiple)
    assert len(tiles) in (1, count)
    assert tiles[0].start == 0
    assert tiles[-1].start + tiles[-1].length == 2 * length
    for left, right in pairwise(tiles):
        assert left.start + left.length - right.start >= overlap
        assert right.start % 2 == 0
        assert right.length % multiple == 0


@given(height=st.integers(1, 1300), width=st.integers(1, 1300))
def test_tiles_are_small_enough_and_little_is_looked_at_twice(height: int, width: int) -> None:
    working = Working(tile=512, overlap=64)
    shape = 2 * height, 2 * width
    rows, columns = tiles_of(shape, working, 32)
    assert rows[0].length * columns[0].length <= working.tile**2
    looked_at = sum(row.length * column.length for row in rows for column in columns)
    if shape[0] * shape[1] <= working.tile**2:
        assert len(rows) == len(columns) == 1
    # The overlaps of a grid of squares and, on each tile, up to 32 pixels of rounding.
    squares = [-(-length // 448) for length in shape]
    assert looked_at <= np.prod([length + n * (66 + 32) for length, n in zip(shape, squares, strict=True)])


def test_a_box_a_little_longer_than_a_tile_is_cut_once() -> None:
    rows, columns = tiles_of((1450, 1400), Working(), 32)
    assert [(tile.start, tile.length) for tile in rows] == [(0, 800), (650, 800)]
    assert len(columns) == 1


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


@pytest.mark.parametrize("shape", [(1200, 1600), (1201, 1603), (1204, 1602)])
def test_shrinking_in_steps_averages_as_in_one(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(4)
    coarse = generator.integers(0, 256, (60, 80, 3)).astype(np.uint8)
    pixels = np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    for size in ((300, 400), (286, 380), (130, 172)):
        in_one = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
        apart = np.abs(resized(pixels, size).astype(int) - in_one.astype(int))
        # Neighbouring pixels of this picture differ by 12 levels; where blocks fit, only rounding is left.
        assert apart.max() <= (1 if shape == (1200, 1600) and size == (300, 400) else 8)
        assert apart.mean() <= 1.5
