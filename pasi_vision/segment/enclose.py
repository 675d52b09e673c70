"""What a pen encloses, from the affected skin itself: in views of the protocol, where a body gives the scale.

How far outside the border a pen runs, and which gaps it closes, are lengths on the body. Seen from where a view is taken, the root of
the visible skin's area is one too, nearly the same for every adult; so both are told as shares of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Distance = NDArray[np.float32]

_LONGEST_PX = 1280
"""Larger masks are enclosed at this size: a pen is broader than their pixels."""


def enclosed(lesion: Mask, skin: Mask, grow: float, gap: float) -> Mask:
    """The lesion with gaps closed and a rim around it, inside skin.

    Args:
        lesion, skin: (H, W).
        grow: Width of the rim, as a share of the square root of the number of skin pixels.
        gap: Neighbours nearer than this are joined, likewise.
    """
    if not lesion.any():
        return lesion & skin
    shape = lesion.shape
    factor = min(1.0, _LONGEST_PX / max(shape))
    few = max(1, int(0.75 / factor))  # of a mask as fine as that, every other pixel tells as much
    small = mask_at_size(lesion[::few, ::few], (round(shape[0] * factor), round(shape[1] * factor)))
    unit = factor * float(np.sqrt(np.count_nonzero(skin)))
    half = 0.5 * gap * unit
    deep = depth_within(distance_from(small), grow * unit + half) > half
    return np.asarray((mask_at_size(deep, shape) | lesion) & skin)


def distance_from(mask: Mask) -> Distance:
    """Pixels from each pixel to the mask; 0 inside it."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))


def depth_within(distance: Distance, reach: float) -> Distance:
    """Pixels to the border of what lies within `reach` of a mask; the edge of the picture is no border."""
    swollen = cv2.copyMakeBorder((distance <= reach).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.distanceTransform(swollen, cv2.DIST_L2, 5)[1:-1, 1:-1])


def mask_at_size(mask: Mask, size: tuple[int, ...]) -> Mask:
    """A mask at (height, width): a pixel counts where most of it does."""
    if mask.shape == size:
        return mask
    how = cv2.INTER_AREA if size[0] < mask.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask.astype(np.uint8) * np.uint8(255), (size[1], size[0]), interpolation=how) > 127)
