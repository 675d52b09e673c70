"""Plain masks, one picture per photograph and label: black and white, nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.exchange.annotations import AnnotatedImage, Bitmap, Mark, runs_of

__all__ = ["image_of_mask"]


def image_of_mask(name: str, pixels: NDArray[np.uint8], label: str, where: str) -> AnnotatedImage:
    """One mask picture ((H, W, 3) uint8, two levels at most: background the darker, 0) as an annotated image.

    Raises:
        InputError: It holds more than two levels (a grey scale, several classes, JPEG noise) or colours.
    """
    levels = np.unique(pixels.reshape(-1, 3), axis=0)
    if len(levels) > 2 or levels[0].any():
        raise InputError(
            f"holds {len(levels)} colours, from {levels[0].tolist()} to {levels[-1].tolist()}",
            where=where,
            fix="Save the mask as PNG with 0 for background and one other value.",
        )
    mask = pixels.max(axis=2) > 0
    height, width = mask.shape
    marks = (Mark(label, Bitmap(runs_of(mask.ravel()), 0, 0, width, height), where),)
    return AnnotatedImage(name, width, height, marks, where)
