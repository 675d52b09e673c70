"""Masks over photographs: painted pixels for a picture file, SVG paths for a report whose overlays can be switched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.records import Masks

__all__ = ["OUTLINE_COLOUR", "REGION_COLOURS", "mask_path", "painted"]

OUTLINE_COLOUR = (255, 230, 0)
LESION_COLOUR = (0, 200, 255)
REGION_COLOURS = {1: (231, 111, 81), 2: (42, 157, 143), 3: (69, 123, 157), 4: (155, 93, 229), 5: (150, 150, 150)}
"""sRGB of each region code; chosen to differ in lightness and hue, also for red-green blindness."""


def painted(pixels: NDArray[np.uint8], masks: Masks) -> NDArray[np.uint8]:
    """The photograph with the outline (yellow line) and the exact lesion (blue tint); regions as thin lines.

    Args:
        pixels: (H, W, 3) uint8 sRGB, the size of the masks.

    Returns:
        (H, W, 3) uint8; `pixels` is not changed.
    """
    import cv2

    picture = pixels.copy()
    tint = np.array(LESION_COLOUR, np.float32)
    affected = masks.lesion
    picture[affected] = (0.75 * picture[affected] + 0.25 * tint).astype(np.uint8)
    thickness = max(1, round(max(picture.shape[:2]) / 500))
    for code, colour in REGION_COLOURS.items():
        cv2.drawContours(picture, _contours(masks.regions == code), -1, colour, max(1, thickness // 2))
    cv2.drawContours(picture, _contours(masks.outline), -1, OUTLINE_COLOUR, thickness)
    return picture


def mask_path(mask: NDArray[np.bool_], width: int, height: int, *, tolerance: float = 0.6) -> str:
    """A mask's borders as an SVG path in the coordinates of a (width x height) preview.

    Args:
        mask: (H, W) bool of any size; scaled to the preview.
        tolerance: How far, in preview pixels, the path may lie from the mask's border.

    Returns:
        The path's `d`; empty for an empty mask. Holes are borders of their own (fill rule evenodd).
    """
    import cv2

    if not mask.any():
        return ""
    small = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA if mask.shape[1] > width else 0
    )
    pieces = []
    for contour in _contours(small > 0):
        points = cv2.approxPolyDP(contour, tolerance, closed=True)[:, 0]
        if len(points) >= 3:
            pieces.append("M" + "L".join(f"{x + 0.5:g},{y + 0.5:g}" for x, y in points.tolist()) + "Z")
    return "".join(pieces)


def _contours(mask: NDArray[np.bool_]) -> Any:
    import cv2

    return cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]
