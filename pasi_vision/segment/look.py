"""How a photograph is looked at: its working size, and the tiles of a large one, blended without seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.layout import OUTPUTS, Preprocessing, Working

__all__ = ["Tile", "look", "tiles_along", "working_sizes"]

Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(1, 3, H, W) float32 normalised -> (1, 11, H / 2, W / 2) float32."""


def working_sizes(
    shape: tuple[int, int], working: Working, view: View | None, mm_per_px: float | None
) -> tuple[tuple[int, int], ...]:
    """(height, width) of each look at a photograph of `shape` (height, width).

    Without a scale the longer side decides: one size for a view of the protocol, others for close-ups and unknown pictures. With a
    scale, the size is moved so that a pixel is neither finer nor coarser than the model's limits. Pictures are never enlarged more
    than twice: there is nothing to see in them.
    """
    longer = max(shape)
    close = view is None or view is View.CLOSE_UP
    sides = working.close_up_longer_sides if close else (working.view_longer_side,)
    sizes = []
    for side in sides:
        wanted = float(side)
        if mm_per_px is not None and mm_per_px > 0:
            extent = longer * mm_per_px
            wanted = min(max(wanted, extent / working.coarsest_mm_per_px), extent / working.finest_mm_per_px)
        wanted = min(wanted, 2.0 * longer, working.largest_side)
        factor = max(wanted, 1.0) / longer
        sizes.append((_even(shape[0] * factor), _even(shape[1] * factor)))
    return tuple(dict.fromkeys(sizes))


def _even(length: float) -> int:
    """Nearest even length: the network answers at half resolution, so nothing is left over."""
    return max(2, 2 * round(length / 2))


@dataclass(frozen=True)
class Tile:
    """Start and length of a tile along one side, in working pixels."""

    start: int
    length: int


def tiles_along(length: int, tile: int, overlap: int) -> tuple[Tile, ...]:
    """Tiles of at most `tile` pixels that cover `length` and share at least `overlap`; their starts are even."""
    if length <= tile:
        return (Tile(0, length),)
    count = -(-(length - overlap) // (tile - overlap))
    starts = np.linspace(0, length - tile, count)
    return tuple(Tile(int(start) // 2 * 2, tile) for start in starts)


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
    rows, columns = (tiles_along(n, working.tile, working.overlap) for n in (height, width))
    if len(rows) == len(columns) == 1:
        return _one(pixels, run, preprocessing)
    total = np.zeros((len(OUTPUTS), height // 2, width // 2), np.float32)
    weight = np.zeros(total.shape[1:], np.float32)
    for row, column in _grid(rows, columns):
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


def _grid(rows: tuple[Tile, ...], columns: tuple[Tile, ...]) -> Iterator[tuple[Tile, Tile]]:
    return ((row, column) for row in rows for column in columns)


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
        import cv2

        # Reflecting needs more pixels than are added; tiny pictures repeat their edge instead.
        border = cv2.BORDER_REFLECT_101 if below < height and right < width else cv2.BORDER_REPLICATE
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, border), np.uint8)
    mean = np.asarray(preprocessing.mean, np.float32) * 255
    scale = 1 / (np.asarray(preprocessing.std, np.float32) * 255)
    normal = ((pixels - mean) * scale).astype(np.float32, copy=False)
    seen = run(np.ascontiguousarray(normal.transpose(2, 0, 1))[None])[0]
    return np.ascontiguousarray(seen[:, : -(-height // 2), : -(-width // 2)])
