"""True bounds of PASI and BSA: every score that agrees with the intervals of the findings and with whatever the unseen skin may hold.

What is assumed. In a region of which the share c was seen, `area_percent` a (within its interval) is the affected percentage of the seen
skin. The unseen share 1 - c may hold any affected part u of 0 to 100 (1 - c) per cent of the region, of any grades 0-4. The region's
area is T = c a + u; its grade of a sign is the mean over its affected skin, (c a g + u g_unseen) / T, rounded as always. That is how
`measure` defines a region's grade; a rater who takes the worst plaque for the whole may fall outside.

Why unseen skin can *lower* a score: faint unseen plaques dilute the mean grade while the area stays in its band. So the least and the
greatest PASI lie inside the feasible areas, not at their ends. For a given T the mean grade is furthest from the seen grade when the seen
affected share s = c a is least, s(T) = max(c a_low, T - 100 (1 - c)); s / T falls until T* = c a_low + 100 (1 - c) and rises after
it. Within one area band the area score is constant, so the extremes of a band lie at T clipped to T*; the bounds are the extremes over
the feasible bands (at most six). `tests/score/test_bounds.py` checks this against brute force.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX
from pasi_vision.score.bands import BandPolicy, area_score, area_thresholds, whole_grade
from pasi_vision.score.bsa import bsa_percent
from pasi_vision.score.regions import WEIGHTS, Numbers, RegionArrays

__all__ = ["Possible", "bsa_bounds", "pasi_bounds_tenths", "possible"]

_SLACK = 1e-9
"""Floating error of c * a is far below this; bounds are widened by it so that they stay true."""


@dataclass(frozen=True)
class Possible:
    """What the findings leave possible, nothing unknown any more: (n, 4) and (n, 4, 3) float64; `seen` is the coverage (0-1)."""

    area_low: Numbers
    area_high: Numbers
    grades_low: Numbers
    grades_high: Numbers
    seen: Numbers

    def whole_region(self) -> tuple[Numbers, Numbers]:
        """Least and greatest affected percentage of the whole region, seen and unseen: (n, 4) float64 each."""
        return self.seen * self.area_low, np.minimum(self.seen * self.area_high + 100 * (1 - self.seen), 100)


def possible(arrays: RegionArrays, policy: BandPolicy) -> Possible:
    """Fill what is unknown with its whole range: an interval that is not given is the value, a value that is not known anything.

    A row that is not there may hold anything. An area score without a percentage stands for its band; one that contradicts its
    percentage widens the interval to hold both.
    """
    low = _first(arrays.area_low, arrays.area, 0)
    high = _first(arrays.area_high, arrays.area, 100)
    if arrays.area_score is not None:
        low, high = _with_scores(arrays.area, arrays.area_score, low, high, policy)
    grades_low = _first(arrays.grades_low, arrays.grades, 0)
    grades_high = _first(arrays.grades_high, arrays.grades, GRADE_MAX)
    seen = np.ones_like(low) if arrays.coverage is None else np.where(np.isnan(arrays.coverage), 1, arrays.coverage)
    if arrays.present is not None:
        gone = ~arrays.present
        low, high, seen = np.where(gone, 0, low), np.where(gone, 100, high), np.where(gone, 1, seen)
        grades_low = np.where(gone[..., None], 0, grades_low)
        grades_high = np.where(gone[..., None], GRADE_MAX, grades_high)
    return Possible(low, high, grades_low, grades_high, seen)


def pasi_bounds_tenths(
    can_be: Possible, policy: BandPolicy, weights: NDArray[np.int16] = WEIGHTS
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Least and greatest PASI in tenths: (n,) int16 each."""
    sums_low = whole_grade(can_be.grades_low).sum(axis=-1, dtype=np.int16)
    sums_high = whole_grade(can_be.grades_high).sum(axis=-1, dtype=np.int16)
    least = area_score(can_be.area_low, policy) * sums_low
    greatest = area_score(can_be.area_high, policy) * sums_high
    partly = can_be.seen < 1
    if partly.any():
        least[partly], greatest[partly] = _partly_seen(can_be, partly, policy)
    return least @ weights, greatest @ weights


def bsa_bounds(can_be: Possible, table: str) -> tuple[Numbers, Numbers]:
    """Least and greatest affected body surface in percent: (n,) float64 each."""
    low, high = can_be.whole_region()
    return bsa_percent(low, table), bsa_percent(high, table)


def _first(given: Numbers | None, value: Numbers, otherwise: float) -> Numbers:
    known = value if given is None else np.where(np.isnan(given), value, given)
    return np.where(np.isnan(known), otherwise, known)


def _with_scores(
    area: Numbers, scores: Numbers, low: Numbers, high: Numbers, policy: BandPolicy
) -> tuple[Numbers, Numbers]:
    given = ~np.isnan(scores)
    score = np.where(given, scores, 0).astype(np.int8)
    starts = np.concatenate([[0.0], area_thresholds(policy)])
    ends = np.append(np.nextafter(starts[1:], 0), 100.0)
    bare = given & np.isnan(area)
    narrow_low, narrow_high = np.maximum(low, starts[score]), np.minimum(high, ends[score])
    wide_low, wide_high = np.minimum(low, ends[score]), np.maximum(high, starts[score])
    low = np.where(bare, narrow_low, np.where(given, wide_low, low))
    high = np.where(bare, narrow_high, np.where(given, wide_high, high))
    return np.minimum(low, high), np.maximum(low, high)


def _partly_seen(
    can_be: Possible, partly: NDArray[np.bool_], policy: BandPolicy
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Least and greatest area score x sum of grades of the regions where some skin was not seen: (m,) int16 each."""
    seen = can_be.seen[partly]
    unseen = 100 * (1 - seen)
    floor = np.maximum(seen * can_be.area_low[partly] - _SLACK, 0)
    ceiling = np.minimum(seen * can_be.area_high[partly] + unseen + _SLACK, 100)
    turning = np.clip(floor + unseen, floor, ceiling)
    grades_low, grades_high = can_be.grades_low[partly], can_be.grades_high[partly]
    starts = np.append(area_thresholds(policy), np.inf)
    least = np.where(floor < starts[0], 0, np.iinfo(np.int16).max).astype(np.int16)
    greatest = np.zeros(len(seen), np.int16)
    for score in range(1, 7):
        start = np.maximum(floor, starts[score - 1])
        end = np.minimum(ceiling, starts[score])  # the open end is a limit that may be touched: bounds stay true
        feasible = start <= end
        total = np.clip(turning, start, np.maximum(start, end))
        share = np.maximum(floor, total - unseen) / np.maximum(total, np.finfo(float).tiny)
        share = np.clip(share, 0, 1)[:, None]
        of_low = whole_grade(grades_low * share - _SLACK).sum(axis=1)
        of_high = whole_grade(GRADE_MAX - (GRADE_MAX - grades_high) * share + _SLACK).sum(axis=1)
        least = np.where(feasible, np.minimum(least, score * of_low), least).astype(np.int16)
        greatest = np.where(feasible, np.maximum(greatest, score * of_high), greatest).astype(np.int16)
    return least, greatest
