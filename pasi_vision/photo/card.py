"""Find a 24-patch colour card in a photograph and read its patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.photo.reduced import reduced

__all__ = ["Card", "find_card"]

# The detector's model of the card: patches 2.5 wide, 2.75 apart, a margin of 0.25; 6 x 4 of them in a box of 16.75 x 11.25.
_BOX = np.array([[0, 0], [16.75, 0], [16.75, 11.25], [0, 11.25]], np.float32)
_FIRST, _PITCH = 1.5, 2.75
_COLUMNS, _ROWS = 6, 4

_DETECTION_SIDE = 1200  # px of the longer side: finds a card that is a twentieth of it; half the side misses small ones
_CUT_OUT_SIDE = 700  # px of the longer side of a cut-out around the card
_LOOK_SIDE = 480  # px, for the quick look whether there may be a card at all
_PATCH_PX = 24  # each patch's middle half is read in so many pixels squared


@dataclass(frozen=True)
class Card:
    """A card as it stands in a photograph.

    Attributes:
        corners: (4, 2) float px (x, y) of the patch field: beside "dark skin", "bluish green", "black", "white".
        levels: (24, 3) float, the patches' sRGB levels 0-255 (median of each patch's middle), in reading order.
        spread: (24,) float, how uneven each patch is: levels between its 10th and 90th percentile, worst channel.
        pitch_px: Distance of neighbouring patches' middles in px, mean over the card.
        cost: The detector's own cost; about 0.002 for a card seen from the front.
    """

    corners: NDArray[np.float64]
    levels: NDArray[np.float64]
    spread: NDArray[np.float64]
    pitch_px: float
    cost: float


def find_card(pixels: NDArray[np.uint8]) -> Card | None:
    """The 24-patch card in a photograph ((H, W, 3) uint8 sRGB), or None. What it finds need not be a good card: see `calibrate`."""
    if min(pixels.shape[:2]) < 32 or not _may_hold_card(pixels):
        return None
    small = reduced(pixels, _DETECTION_SIDE)
    found = _detect(small)
    if found is None:
        return None
    corners, cost = found
    corners = corners * [pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]]
    corners, cost = _closer_look(pixels, corners) or (corners, cost)
    levels, spread = _read_patches(pixels, corners)
    return Card(corners, levels, spread, _pitch_px(corners), cost)


def _detect(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float] | None:
    """Corners (4, 2) and cost of the best card in a picture."""
    import cv2

    detector = cv2.mcc.CCheckerDetector.create()
    detector.setColorChartType(cv2.mcc.MCC24)
    if not detector.process(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), 1):
        return None
    best = detector.getBestColorChecker()
    return np.asarray(best.getBox(), dtype=np.float64).reshape(4, 2), float(best.getCost())


def _closer_look(pixels: NDArray[np.uint8], corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], float] | None:
    """The same card found again in a cut-out at a size the detector likes: corners of small cards are crude otherwise."""
    import cv2

    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.3 * (high - low).max()
    left, top = np.maximum(low - margin, 0).astype(int)
    right, bottom = np.minimum(high + margin, pixels.shape[1::-1]).astype(int)
    if right - left < 24 or bottom - top < 24:
        return None
    cut = pixels[top:bottom, left:right]
    scale = _CUT_OUT_SIDE / max(cut.shape[:2])
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    found = _detect(np.asarray(cv2.resize(cut, size, interpolation=how), dtype=np.uint8))
    if found is None:
        return None
    scales = [cut.shape[1] / size[0], cut.shape[0] / size[1]]
    return (found[0] + 0.5) * scales - 0.5 + [left, top], found[1]


def _may_hold_card(pixels: NDArray[np.uint8]) -> bool:
    """A quick look that saves the detector: a card shows vivid colours of at least five of twelve hues. Skin, cloth and walls do not."""
    import cv2

    step = max(1, max(pixels.shape[:2]) // _LOOK_SIDE)
    small = np.ascontiguousarray(pixels[::step, ::step])
    hue, saturation, value = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2HSV))
    vivid = (saturation >= 77) & (value >= 25)  # 0.3 and 0.1 of full scale
    counts = np.bincount((hue[vivid].astype(np.int64) + 7) % 180 // 15, minlength=12)
    # A patch of a card that is a twentieth of the picture's longer side has about 0.01 % of its pixels.
    return int((counts >= max(6, 5e-5 * hue.size)).sum()) >= 5


def _read_patches(
    pixels: NDArray[np.uint8], corners: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(24, 3) median levels and (24,) spread of the middle half of every patch, read from the full-size photograph."""
    import cv2

    to_photo = cv2.getPerspectiveTransform(_BOX, corners.astype(np.float32))
    steps = (np.arange(_PATCH_PX) + 0.5) / _PATCH_PX - 0.5
    y, x = np.meshgrid(1.25 * steps, 1.25 * steps, indexing="ij")
    row, column = np.divmod(np.arange(_ROWS * _COLUMNS), _COLUMNS)
    places = np.stack(
        [_FIRST + _PITCH * column[:, None, None] + x, _FIRST + _PITCH * row[:, None, None] + y], axis=-1
    ).reshape(1, -1, 2)
    points = cv2.perspectiveTransform(places.astype(np.float32), to_photo).reshape(24 * _PATCH_PX, _PATCH_PX, 2)
    map_x, map_y = (np.ascontiguousarray(points[..., axis]) for axis in (0, 1))
    read = cv2.remap(pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0))
    patches = np.asarray(read, dtype=np.float64).reshape(24, _PATCH_PX**2, 3)
    low, middle, high = np.percentile(patches, (10, 50, 90), axis=1)
    return middle, (high - low).max(axis=1)


def _pitch_px(corners: NDArray[np.float64]) -> float:
    """Mean distance of neighbouring patches, along rows and columns: the mean of opposite sides stands for the card's middle."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    along = (sides[0] + sides[2]) / 2 / _BOX[1, 0]
    across = (sides[1] + sides[3]) / 2 / _BOX[2, 1]
    return float(_PITCH * np.sqrt(along * across))
