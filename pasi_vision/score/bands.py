"""How a percentage becomes an area score and a mean grade a whole grade, exactly: by comparison with thresholds, never by arithmetic."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pasi_vision.anatomy import AREA_CONTINUOUS_PERCENT, AREA_THRESHOLDS, GRADE_THRESHOLDS

__all__ = ["BandPolicy", "area_score", "area_score_continuous", "area_thresholds", "whole_grade"]


class BandPolicy(StrEnum):
    """What happens to a percentage that is not a whole number, which the printed bands (1-9, 10-29 ...) leave open."""

    HALF_OPEN = "half_open"  # >0-<10, 10-<30 ...: Feldman & Krueger 2005
    ROUND_HALF_UP = "round_half_up"  # to a whole per cent first, halves up; then the printed bands
    FLOOR = "floor"  # cut to a whole per cent first; then the printed bands


_THRESHOLDS = MappingProxyType({policy: np.array(AREA_THRESHOLDS[policy]) for policy in BandPolicy})
_GRADE_THRESHOLDS = np.array(GRADE_THRESHOLDS)
_CONTINUOUS_PERCENT = np.array(AREA_CONTINUOUS_PERCENT)
_CONTINUOUS_SCORE = np.arange(7.0)


def area_thresholds(policy: BandPolicy = BandPolicy.HALF_OPEN) -> NDArray[np.float64]:
    """The smallest percentage that has area score 1, 2 ... 6 under a policy: (6,) float64."""
    return _THRESHOLDS[policy].copy()


def area_score(area_percent: ArrayLike, policy: BandPolicy = BandPolicy.HALF_OPEN) -> NDArray[np.int8]:
    """Area score (0-6) of an affected percentage (0-100) of a region.

    Source: Fredriksson & Pettersson 1978; the half-open reading, Feldman & Krueger 2005. Not a number in, meaningless out: mask first.

    >>> area_score([0, 0.4, 9.5, 10, 29.5, 30, 90, 100]).tolist()
    [0, 1, 1, 2, 2, 3, 6, 6]
    >>> area_score([0.4, 9.5, 29.5], BandPolicy.ROUND_HALF_UP).tolist()
    [0, 2, 3]
    >>> area_score([0.4, 9.5, 29.5], BandPolicy.FLOOR).tolist()
    [0, 1, 2]
    """
    return _reached(np.asarray(area_percent, float), _THRESHOLDS[policy])


def area_score_continuous(area_percent: ArrayLike) -> NDArray[np.float64]:
    """Area score without steps: straight lines through 0, 10, 30, 50, 70, 90, 100 % at 0, 1, 2, 3, 4, 5, 6.

    Source: "Detection of small changes in psoriasis intensity with PrecisePASI", Dermatology 2017: linear, meeting the PASI at 10, 30, 50,
    70 and 90 %. It meets the upper end of each step, so that it never exceeds the classic area score.

    >>> area_score_continuous([0, 5, 10, 20, 100]).tolist()
    [0.0, 0.5, 1.0, 1.5, 6.0]
    """
    return np.asarray(np.interp(np.asarray(area_percent, float), _CONTINUOUS_PERCENT, _CONTINUOUS_SCORE))


def whole_grade(grade: ArrayLike) -> NDArray[np.int8]:
    """The grade (0-4) that a clinician would write for a mean grade: the nearest, halves up.

    >>> whole_grade([0, 0.49, 0.5, 2.5, 4]).tolist()
    [0, 0, 1, 3, 4]
    """
    return _reached(np.asarray(grade, float), _GRADE_THRESHOLDS)


def _reached(values: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.int8]:
    """How many thresholds each value reaches: a few comparisons are much faster than a search."""
    count = np.zeros(values.shape, np.int8)
    for threshold in thresholds:
        count += values >= threshold
    return count
