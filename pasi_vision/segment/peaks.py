"""Stretches of lesion that are faint throughout are left out; a stretch with a sure place keeps its faint margin (hysteresis).

A low threshold finds lesions to their border, but also finds what looks a little like one on healthy skin. Where a stretch begins is
therefore told by a higher probability, how far it reaches by the lower one (Canny, IEEE PAMI 1986;8:679).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["with_peak"]


def with_peak(
    found: NDArray[np.bool_], probability: NDArray[np.floating] | NDArray[np.uint8], peak: float
) -> NDArray[np.bool_]:
    """The connected stretches (by sides and corners) of `found` in which `probability` reaches `peak` somewhere; all (h, w)."""
    if peak <= 0:
        return found
    count, labels = cv2.connectedComponents(found.astype(np.uint8))
    kept = np.zeros(count, bool)
    kept[labels[found & (probability >= peak)]] = True
    kept[0] = False
    return np.asarray(kept[labels])
