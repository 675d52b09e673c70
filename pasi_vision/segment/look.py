"""How a photograph is looked at: its working size, and the tiles of a large one, blended without seams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import ModelError
from pasi_vision.segment.layout import OUTPUTS, Preprocessing, Working

__all__ = [
    "Box",
    "Tile",
    "close_up_sizes",
    "look",
    "look_at_close_up",
    "look_at_view",
    "resized",
    "skin_box",
    "tiles_along",
    "tiles_of",
    "view_factor",
]

Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(1, 3, H, W) float32 normalised -> (1, 11, H / 2, W / 2) float32."""


def close_up_sizes(shape: tuple[int, int], working: Working, mm_per_px: float | None) -> tuple[tuple[int, int], ...]:
    """(height, width) of each look at a close-up or an unknown photograph of `shape` (height, width), largest first.

    Without a scale the longer side decides. With a scale, the size is moved so that a pixel is neither finer nor coarser than the
    model's limits. Pictures are never enlarged more than twice: there is nothing to see in them.
    """
    longer = max(shape)
    sizes = []
    for side in working.close_up_longer_sides:
        wanted = float(side)
        if mm_per_px is not None and mm_per_px > 0:
            extent = longer * mm_per_px
            wanted = min(max(wanted, extent / working.coarsest_mm_per_px), extent / working.finest_mm_per_px)
        sizes.append(_scaled(shape, min(wanted / longer, 2.0, working.largest_side / longer)))
    return tuple(sorted(set(sizes), reverse=True))


def view_factor(shape: tuple[int, int], box: Box, working: Working, mm_per_px: float | None) -> float:
    """By how much a view of `shape` is shrunk for its second look, so that the box of its skin has `view_pixels`.

    Where the scale is known, a pixel is never coarser than the model's limit. Small photographs are enlarged by `view_enlargement` at most.
    """
    factor = float(np.sqrt(working.view_pixels / box.pixels))
    if mm_per_px is not None and mm_per_px > 0:
        factor = max(factor, mm_per_px / working.coarsest_mm_per_px)
    return min(factor, working.view_enlargement, working.largest_side / max(shape))


@dataclass(frozen=True)
class Box:
    """Rows `top` to `bottom` and columns `left` to `right` (ends excluded) of a photograph."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def pixels(self) -> int:
        """Its area."""
        return (self.bottom - self.top) * (self.right - self.left)


def skin_box(skin: NDArray[np.bool_], shape: tuple[int, int], margin: float = 0.03) -> Box | None:
    """The box around all skin of a coarse (h, w) mask, in pixels of the photograph of `shape`; None where there is no skin.

    Single stray pixels do not widen it: a row or column counts from two pixels of skin on.
    """
    ends = []
    for axis, length in ((1, shape[0]), (0, shape[1])):
        found = np.flatnonzero(skin.sum(axis) >= 2)
        if not found.size:
            return None
        scale, room = length / skin.shape[1 - axis], margin * max(shape)
        ends += [max(0, int(found[0] * scale - room)), min(length, int((found[-1] + 1) * scale + room + 1))]
    return Box(*ends)


def _scaled(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    return _even(shape[0] * factor), _even(shape[1] * factor)


def _even(length: float) -> int:
    """Nearest even length: the network answers at half resolution, so nothing is left over."""
    return max(2, 2 * round(length / 2))


@dataclass(frozen=True)
class Tile:
    """Start and length of a tile along one side, in working pixels."""

    start: int
    length: int


def tiles_along(length: int, count: int, overlap: int, multiple_of: int = 2) -> tuple[Tile, ...]:
    """`count` tiles of one length that cover an even `length`, no longer than they must be: neighbours share at least `overlap`.

    Their length is a multiple of `multiple_of` (even), and starts are even. Where they would be as long as the whole, one tile is it.
    """
    needed = -(-(length + (count - 1) * (overlap + 2)) // count)  # 2: starts are rounded down to even ones
    long = -(-needed // multiple_of) * multiple_of
    if count == 1 or long >= length:
        return (Tile(0, length),)
    return tuple(Tile(int(start) // 2 * 2, long) for start in np.linspace(0, length - long, count))


Grid = tuple[tuple[Tile, ...], tuple[Tile, ...]]
"""Tiles along the rows of a picture and along its columns; every pair of them is a tile."""


def tiles_of(shape: tuple[int, int], working: Working, multiple_of: int) -> Grid:
    """How a picture of `shape` is cut.

    Of all grids whose tiles have at most `tile` x `tile` pixels, the one that looks at fewest pixels; of equal ones that with fewest tiles.
    """
    most, step = working.tile**2, working.tile - working.overlap
    down, across = (
        [tiles_along(length, count, working.overlap, multiple_of) for count in range(1, -(-length // step) + 2)]
        for length in shape
    )
    fitting = [grid for grid in product(down, across) if grid[0][0].length * grid[1][0].length <= most]
    return min(fitting, key=lambda grid: _cost(grid, multiple_of))


def _cost(grid: Grid, multiple_of: int) -> tuple[int, int]:
    """Pixels of all tiles together as the network is given them, and their number."""
    height, width = (-(-tiles[0].length // multiple_of) * multiple_of for tiles in grid)
    count = len(grid[0]) * len(grid[1])
    return count * height * width, count


def look_at_close_up(
    pixels: NDArray[np.uint8], run: Runner, preprocessing: Preprocessing, working: Working, mm_per_px: float | None
) -> NDArray[np.float32]:
    """All outputs for a close-up or an unknown photograph: the mean of its looks, at half the size of the largest.

    Every other look sees the picture mirrored: as good as one look more, at no cost.
    """
    total: NDArray[np.float32] | None = None
    sizes = close_up_sizes(pixels.shape[:2], working, mm_per_px)
    for number, size in enumerate(sizes):
        small = resized(pixels, size)
        if number % 2:
            seen = look(np.ascontiguousarray(small[:, ::-1]), run, preprocessing, working)[..., ::-1]
        else:
            seen = look(small, run, preprocessing, working)
        total = seen if total is None else total + _channels_resized(seen, total.shape[1:])
    if total is None:
        raise ModelError("the model looks at close-ups at no size", fix="Set close_up_longer_sides in its model.json.")
    total /= len(sizes)
    return total


def look_at_view(
    pixels: NDArray[np.uint8], run: Runner, preprocessing: Preprocessing, working: Working, mm_per_px: float | None
) -> NDArray[np.float32]:
    """All outputs for a view of the protocol: a coarse look finds the skin, a second one looks at its box as closely as is affordable.

    Returns:
        (11, h, w) float32 for the whole photograph, at half the resolution of the second look.
    """
    shape = pixels.shape[:2]
    first = look(
        resized(pixels, _scaled(shape, min(1.0, working.first_side / max(shape)))), run, preprocessing, working
    )
    box = skin_box(first[0] < 0.6, shape)
    if box is None:
        return first
    factor = view_factor(shape, box, working, mm_per_px)
    # The box begins and ends on the grid of the output, so that the second look fits into it to the pixel.
    grid = 2 / factor
    rows, columns = max(1, round(shape[0] / grid)), max(1, round(shape[1] / grid))
    top, left = int(box.top / shape[0] * rows), int(box.left / shape[1] * columns)
    bottom, right = -(-box.bottom * rows // shape[0]), -(-box.right * columns // shape[1])
    step = 1  # of pixels in a large photograph, so that `resized` can halve the part
    while _HALVED_FROM * step * factor <= 1:
        step *= 2
    part = pixels[
        _whole(top * shape[0] / rows, step, shape[0]) : _whole(bottom * shape[0] / rows, step, shape[0]),
        _whole(left * shape[1] / columns, step, shape[1]) : _whole(right * shape[1] / columns, step, shape[1]),
    ]
    seen = look(resized(part, (2 * (bottom - top), 2 * (right - left))), run, preprocessing, working)
    whole = _channels_resized(first, (rows, columns))
    whole[:, top:bottom, left:right] = seen
    return whole


def _whole(at: float, step: int, length: int) -> int:
    """The nearest multiple of `step` inside the picture."""
    return min(step * round(at / step), length // step * step)


_HALVED_FROM = 3


def resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """To (height, width); averaging when it shrinks, so that fine scale does not alias.

    What shrinks to a third or less is halved first, as often as it has even sides: nearly the same averages, in a third of the time.
    """
    if pixels.shape[:2] == size:
        return pixels
    if size[0] >= pixels.shape[0]:
        return np.asarray(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    while all(
        long >= _HALVED_FROM * short and long % 2 == 0 for long, short in zip(pixels.shape[:2], size, strict=True)
    ):
        half = pixels.shape[1] // 2, pixels.shape[0] // 2
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _channels_resized(seen: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    if seen.shape[1:] == size:
        return seen
    channels = np.ascontiguousarray(seen)
    return np.stack([cv2.resize(channel, size[::-1], interpolation=cv2.INTER_LINEAR) for channel in channels])


def look(pixels: NDArray[np.uint8], run: Runner, preprocessing: Preprocessing, working: Working) -> NDArray[np.float32]:
    """All outputs for a picture that is at its working size already.

    Args:
        pixels: (H, W, 3) uint8 sRGB; H and W even.
        run: The network.
        preprocessing, working: Of the model.

    Returns:
        (11, H / 2, W / 2) float32 in the order of `layout.OUTPUTS`. Tiles are blended with weights that fall to their
        borders, so no seam shows.
    """
    height, width = pixels.shape[:2]
    rows, columns = tiles_of((height, width), working, preprocessing.multiple_of)
    if len(rows) == len(columns) == 1:
        return _one(pixels, run, preprocessing)
    total = np.zeros((len(OUTPUTS), height // 2, width // 2), np.float32)
    weight = np.zeros(total.shape[1:], np.float32)
    for row, column in product(rows, columns):
        part = pixels[row.start : row.start + row.length, column.start : column.start + column.length]
        seen = _one(part, run, preprocessing)
        ramp = np.outer(_ramp(row, height, working.overlap), _ramp(column, width, working.overlap))
        here = np.s_[
            row.start // 2 : row.start // 2 + seen.shape[1], column.start // 2 : column.start // 2 + seen.shape[2]
        ]
        total[:, *here] += seen * ramp
        weight[here] += ramp
    total /= weight
    return total


def _ramp(tile: Tile, length: int, overlap: int) -> NDArray[np.float32]:
    """Weights (0, 1] along a tile at half resolution: rising over the overlap, but 1 where the picture itself ends."""
    at = np.arange(0, tile.length, 2, dtype=np.float32) + 1
    left = at / overlap if tile.start > 0 else np.ones_like(at)
    right = (tile.length + 1 - at) / overlap if tile.start + tile.length < length else np.ones_like(at)
    return np.clip(np.minimum(left, right), 1e-3, 1).astype(np.float32)


def _one(pixels: NDArray[np.uint8], run: Runner, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """One forward pass; the picture is padded to the multiple the network needs by mirroring its edge."""
    height, width = pixels.shape[:2]
    step = preprocessing.multiple_of
    below, right = -height % step, -width % step
    if below or right:
        # Reflecting needs more pixels than are added; tiny pictures repeat their edge instead.
        border = cv2.BORDER_REFLECT_101 if below < height and right < width else cv2.BORDER_REPLICATE
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, border), np.uint8)
    mean = np.asarray(preprocessing.mean, np.float32) * 255
    scale = 1 / (np.asarray(preprocessing.std, np.float32) * 255)
    normal = np.empty((1, 3, *pixels.shape[:2]), np.float32)
    for channel in range(3):  # each written where the network reads it
        np.subtract(pixels[..., channel], mean[channel], out=normal[0, channel])
        normal[0, channel] *= scale[channel]
    seen = run(normal)[0]
    return np.ascontiguousarray(seen[:, : -(-height // 2), : -(-width // 2)])
