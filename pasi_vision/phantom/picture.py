"""A finished phantom photograph with its masks, as the data contract stores them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """All (H, W), uint8.

    Attributes:
        image: (H, W, 3) sRGB.
        regions: 0 not skin, 1-4 regions, 5 other skin.
        lesion: 0/255, exact.
        outline: 0/255, what a pen would enclose.
        signs: (H, W, 3), grade x 60 of erythema, induration, scaling.
        facts: What was drawn, for tables and tests.
        geometry: Of whole bodies: `depth_mm` (H, W) from the camera along its axis and `place_mm` (H, W, 3), the position on the subject's
            own body at rest, which is the address of that skin in every pose, view and visit; float32, 0 where no skin is seen.
    """

    image: Bytes
    regions: Bytes
    lesion: Bytes
    outline: Bytes
    signs: Bytes
    facts: dict[str, float | str] = field(default_factory=dict)
    geometry: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def in_one_thread() -> None:
    """Draw in one thread from now on: a process for each core, and the same bytes whatever their number."""
    import cv2

    cv2.setNumThreads(1)
