"""Pure measures of agreement between masks and between grades. None where a measure has no meaning; never 0 or 1 in its place.

Dice is given for non-empty truths only: on clear skin every prediction but an empty one has Dice 0 and an empty one none, so blending
them would mix two questions. What a model finds on clear skin is told by `false_area_percent`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX

__all__ = [
    "GRADES",
    "Overlap",
    "boundary_distance_px",
    "confusion",
    "dice",
    "dice_of",
    "false_area_percent",
    "mean_dice",
    "overlap",
    "overlap_by_class",
    "quadratic_kappa",
    "whole_grades",
]

Overlap = tuple[int, int, int]
"""Pixels that are found and true, that are found, and that are true."""

GRADES = GRADE_MAX + 1
"""Number of categories of a grade."""


def overlap(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Overlap:
    """Of two masks."""
    shared, found, there = (int(np.count_nonzero(mask)) for mask in (predicted & true, predicted, true))
    return shared, found, there


def overlap_by_class(predicted: NDArray[np.uint8], true: NDArray[np.uint8], classes: int) -> tuple[Overlap, ...]:
    """Of each class 0 ... classes - 1 of two label images."""
    joint = np.bincount(true.ravel().astype(np.int64) * classes + predicted.ravel(), minlength=classes * classes)
    table = joint.reshape(classes, classes)
    return tuple(zip(table.diagonal().tolist(), table.sum(0).tolist(), table.sum(1).tolist(), strict=True))


def dice_of(pixels: Overlap) -> float | None:
    """Dice coefficient 2 |P and T| / (|P| + |T|) (Dice, Ecology 1945;26:297); None where the truth is empty."""
    shared, found, true = pixels
    return 2.0 * shared / (found + true) if true else None


def mean_dice(several: Iterable[Overlap]) -> float | None:
    """Mean Dice over what the truth shows; None where it shows nothing."""
    known = [value for pixels in several if (value := dice_of(pixels)) is not None]
    return float(np.mean(known)) if known else None


def dice(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float | None:
    """`dice_of` two masks."""
    return dice_of(overlap(predicted, true))


def false_area_percent(predicted: NDArray[np.bool_], true: NDArray[np.bool_], skin: NDArray[np.bool_]) -> float | None:
    """Share (0-100) of clear skin that is called affected; None where the truth is not clear or shows no skin."""
    visible = int(np.count_nonzero(skin))
    if visible == 0 or true.any():
        return None
    return 100.0 * int(np.count_nonzero(predicted & skin)) / visible


def boundary_distance_px(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float | None:
    """Average symmetric distance between two masks' boundaries, in pixels; None where either has no boundary.

    The mean of all distances from a boundary pixel of one mask to the nearest of the other, both ways (ASSD; Heimann et al., IEEE Trans
    Med Imaging 2009;28:1251). A boundary pixel is one of the mask with a neighbour (of four) outside; the frame of the picture
    is no boundary, because the lesion goes on beyond it.
    """
    import cv2

    edges = [_edge(mask) for mask in (predicted, true)]
    if not all(edge.any() for edge in edges):
        return None
    far = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for edge in edges]
    there, back = far[1][edges[0]], far[0][edges[1]]
    return float((there.sum(dtype=np.float64) + back.sum(dtype=np.float64)) / (len(there) + len(back)))


def whole_grades(grades: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Continuous grades (0-4) as a clinician would write them: the nearest whole grade, halves up."""
    return np.clip(np.floor(np.asarray(grades, np.float64) + 0.5), 0, GRADE_MAX).astype(np.int64)


def confusion(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """(5, 5) counts: row the true grade, column the predicted one."""
    return np.bincount(true * GRADES + predicted, minlength=GRADES * GRADES).reshape(GRADES, GRADES)


def quadratic_kappa(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cohen's kappa with quadratic weights (Cohen, Psychol Bull 1968;70:213) of (..., 25) counts, as `confusion` lays them out.

    Returns:
        (...,) kappa; NaN where both raters always gave one and the same grade, so that there is nothing to agree beyond chance.
    """
    table = np.asarray(counts, np.float64).reshape(*counts.shape[:-1], GRADES, GRADES)
    grade = np.arange(GRADES)
    weight = (grade[:, None] - grade[None, :]) ** 2
    total = table.sum((-1, -2))
    rows, columns = table.sum(-1), table.sum(-2)
    observed = (table * weight).sum((-1, -2)) * total
    expected = (rows[..., :, None] * columns[..., None, :] * weight).sum((-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1.0 - observed / expected, np.nan)


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cv2

    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross).astype(bool)  # beyond the frame counts as inside
    return np.asarray(mask & ~inner, bool)
