"""PASI, exact: classic in integer tenths, continuous beside it; for arrays of visits and for the findings of one visit.

Source: Fredriksson & Pettersson, Dermatologica 1978;157:238-244: PASI = sum over regions of w (E + I + S) A, w = 0.1, 0.2, 0.3, 0.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError
from pasi_vision.records import Finding, Score
from pasi_vision.score.bands import area_score, area_score_continuous, whole_grade
from pasi_vision.score.bounds import bsa_bounds, pasi_bounds_tenths, possible
from pasi_vision.score.bsa import bsa_percent
from pasi_vision.score.reasons import Problem, sentence
from pasi_vision.score.regions import REGIONS, WEIGHTS, Numbers, RegionArrays, or_zero, over_regions
from pasi_vision.score.settings import DEFAULT_STUDY, StudySettings
from pasi_vision.tables import Status

__all__ = ["VisitScores", "pasi", "pasi_tenths", "score_regions"]

DECIMALS = 6
"""Continuous values are rounded to this many decimals, so that every implementation writes the same."""


@dataclass(frozen=True)
class VisitScores:
    """Scores of n visits; NaN where not known. `problems` is (n, 4) int8 of `Problem`, region by region."""

    pasi: Numbers
    pasi_low: Numbers
    pasi_high: Numbers
    pasi_continuous: Numbers
    bsa_percent: Numbers
    bsa_percent_low: Numbers
    bsa_percent_high: Numbers
    status: NDArray[np.int8]
    """0 scored, 1 partial, 2 not scorable: the order of `Status`."""
    problems: NDArray[np.int8]


def pasi_tenths(regions: Mapping[Region, tuple[int, int, int, int]]) -> int:
    """PASI in whole tenths of (erythema, induration, scaling, area score) for each of the four regions.

    Raises:
        InputError: A region is missing, or a value is not a whole number on its scale.

    >>> pasi_tenths({Region.HEAD_NECK: (2, 1, 2, 2), Region.UPPER_LIMBS: (2, 1, 2, 2),
    ...              Region.TRUNK: (2, 2, 2, 2), Region.LOWER_LIMBS: (3, 2, 2, 2)})
    122
    """
    total = 0
    for region, weight in zip(REGIONS, WEIGHTS, strict=True):
        if region not in regions:
            raise InputError(f"{region} is missing", fix="Give all four regions.")
        *grades, area = regions[region]
        if any(not isinstance(g, (int, np.integer)) or not 0 <= g <= 4 for g in grades) or not 0 <= area <= 6:
            raise InputError(
                f"{regions[region]} is off the scale", where=region, fix="Grades 0 to 4, area score 0 to 6."
            )
        total += int(weight) * sum(grades) * area
    return total


def score_regions(arrays: RegionArrays, settings: StudySettings = DEFAULT_STUDY) -> VisitScores:
    """Score n visits at once. The classic PASI is computed in integers."""
    policy = settings.band_policy
    problems = _problems(arrays, settings)
    area = or_zero(arrays.area)
    classic = area_score(area, policy)
    if arrays.area_score is not None:
        classic = np.where(np.isnan(arrays.area_score), classic, or_zero(arrays.area_score)).astype(np.int8)
    grades = or_zero(arrays.grades)
    tenths = (classic * whole_grade(grades).sum(axis=-1, dtype=np.int16)) @ WEIGHTS
    complete = (problems <= Problem.AREA_AS_SCORE).all(axis=1)
    percent_known = complete & ~np.isnan(arrays.area).any(axis=1)
    continuous = np.round(over_regions(area_score_continuous(area) * grades.sum(axis=-1), WEIGHTS / 10), DECIMALS)
    bsa_known = ~np.isnan(arrays.area).any(axis=1) & ~_unusable(problems).any(axis=1)
    bsa = np.where(bsa_known, bsa_percent(area, settings.bsa_table), np.nan)
    low, high, bsa_low, bsa_high = _bounds(arrays, settings, np.asarray(percent_known), tenths, bsa)
    nothing = (problems >= Problem.NO_ROW).all(axis=1)
    status = np.where(complete, 0, np.where(nothing, 2, 1)).astype(np.int8)
    return VisitScores(
        pasi=np.where(complete, tenths / 10, np.nan),
        pasi_low=np.where(nothing, np.nan, low / 10),
        pasi_high=np.where(nothing, np.nan, high / 10),
        pasi_continuous=np.where(percent_known, continuous, np.nan),
        bsa_percent=bsa,
        bsa_percent_low=np.where(nothing, np.nan, bsa_low),
        bsa_percent_high=np.where(nothing, np.nan, bsa_high),
        status=status,
        problems=problems,
    )


def pasi(findings: Sequence[Finding], settings: StudySettings = DEFAULT_STUDY) -> Score:
    """Score one visit of one rater: its findings, at most one per region, in any order.

    Returns:
        The score; where it cannot be given, its bounds and the reason, never 0.

    Raises:
        InputError: No finding, two for one region, findings of different visits or raters, or a value off its scale.
    """
    if not findings:
        raise InputError("no findings", fix="Give the findings of one visit.")
    first = findings[0]
    keys = {(f.subject_id, f.visit, f.day, f.rater, f.reading) for f in findings}
    if len(keys) > 1:
        raise InputError(f"findings of {len(keys)} visits or raters", fix="Score one visit of one rater at a time.")
    if len({f.region for f in findings}) < len(findings):
        raise InputError("two findings for one region", where=f"{first.subject_id} {first.visit}", fix="Keep one.")
    arrays = _arrays_of(findings)
    scores = score_regions(arrays, settings)
    reasons = {REGIONS.index(f.region): f.reason for f in findings if f.reason}

    def value(numbers: Numbers) -> float | None:
        return None if np.isnan(numbers[0]) else float(numbers[0])

    return Score(
        first.subject_id,
        first.visit,
        first.day,
        first.rater,
        first.reading,
        pasi=value(scores.pasi),
        pasi_low=value(scores.pasi_low),
        pasi_high=value(scores.pasi_high),
        pasi_continuous=value(scores.pasi_continuous),
        bsa_percent=value(scores.bsa_percent),
        bsa_percent_low=value(scores.bsa_percent_low),
        bsa_percent_high=value(scores.bsa_percent_high),
        status=tuple(Status)[scores.status[0]],
        reason=sentence(tuple(scores.problems[0]), [reasons.get(i, "") for i in range(4)]),
    )


def _bounds(
    arrays: RegionArrays, settings: StudySettings, certain: NDArray[np.bool_], tenths: NDArray[np.int16], bsa: Numbers
) -> tuple[NDArray[np.int16], NDArray[np.int16], Numbers, Numbers]:
    """Bounds of PASI (tenths) and BSA; where every value is known and has no interval, they are the value."""
    low, high, bsa_low, bsa_high = tenths.copy(), tenths.copy(), bsa.copy(), bsa.copy()
    open_rows = slice(None) if arrays.has_intervals else ~certain
    if not arrays.has_intervals and certain.all():
        return low, high, bsa_low, bsa_high
    can_be = possible(replace(arrays, present=_seen_at_all(arrays)).rows(open_rows), settings.band_policy)
    low[open_rows], high[open_rows] = pasi_bounds_tenths(can_be, settings.band_policy)
    bsa_low[open_rows], bsa_high[open_rows] = bsa_bounds(can_be, settings.bsa_table)
    return low, high, bsa_low, bsa_high


def _problems(arrays: RegionArrays, settings: StudySettings) -> NDArray[np.int8]:
    """(n, 4) int8 of `Problem`: the worst thing wrong with each region's finding."""
    no_area = np.isnan(arrays.area)
    clear = arrays.area == 0
    no_grade = np.isnan(arrays.grades).any(axis=-1)
    sums = or_zero(arrays.grades).sum(axis=-1)
    found = np.zeros(arrays.area.shape, np.int8)
    found[clear & (sums > 0)] = Problem.GRADES_WITHOUT_AREA
    found[(arrays.area > 0) & ~no_grade & (sums == 0)] = Problem.AREA_WITHOUT_GRADES
    if arrays.area_score is not None:
        given = ~np.isnan(arrays.area_score)
        clear = clear | (given & (arrays.area_score == 0))
        found[given & no_area] = Problem.AREA_AS_SCORE
        own = area_score(or_zero(arrays.area), settings.band_policy)
        found[given & ~no_area & (own != or_zero(arrays.area_score))] = Problem.SCORE_CONTRADICTS
        no_area = no_area & ~given
    if arrays.coverage is not None:
        found[arrays.coverage < settings.minimum_coverage] = Problem.LITTLE_SEEN
    found[no_grade & ~clear] = Problem.GRADES_UNKNOWN
    found[no_area] = Problem.AREA_UNKNOWN
    for problem, mask in ((Problem.BOUNDS_ONLY, arrays.partial), (Problem.NOT_SCORABLE, arrays.not_scorable)):
        if mask is not None:
            found[mask] = problem
    if arrays.present is not None:
        found[~arrays.present] = Problem.NO_ROW
    return found


def _unusable(problems: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Regions whose percentage is not to be used for BSA."""
    refused = (Problem.SCORE_CONTRADICTS, Problem.LITTLE_SEEN)
    return np.isin(problems, refused) | np.asarray(problems >= Problem.AREA_UNKNOWN)


def _seen_at_all(arrays: RegionArrays) -> NDArray[np.bool_] | None:
    if arrays.not_scorable is None:
        return arrays.present
    return ~arrays.not_scorable if arrays.present is None else arrays.present & ~arrays.not_scorable


def _arrays_of(findings: Sequence[Finding]) -> RegionArrays:
    """(1, 4) arrays of one visit's findings."""
    by_region = {f.region: f for f in findings}

    def column(name: str) -> Numbers:
        values = [getattr(by_region.get(region), name, None) for region in REGIONS]
        return np.array([[np.nan if v is None else float(v) for v in values]])

    def signs(end: str) -> Numbers:
        return np.stack([column(f"{sign}{end}") for sign in Sign], axis=-1)

    status = [getattr(by_region.get(region), "status", None) for region in REGIONS]
    arrays = RegionArrays(
        area=column("area_percent"),
        area_score=column("area_score"),
        grades=signs(""),
        area_low=column("area_percent_low"),
        area_high=column("area_percent_high"),
        grades_low=signs("_low"),
        grades_high=signs("_high"),
        coverage=column("coverage"),
        partial=np.array([[s == Status.PARTIAL for s in status]]),
        not_scorable=np.array([[s == Status.NOT_SCORABLE for s in status]]),
        present=np.array([[s is not None for s in status]]),
    )
    arrays.check()
    return arrays
