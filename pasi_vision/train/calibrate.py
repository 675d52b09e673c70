"""Conformal intervals and detection limit of a model, from findings of patients it never saw, and the coverage they reach on others.

A finding is a row with `subject_id`, `skin_tone` (band), `predicted_<what>` and `true_<what>`, and for coverage `<what>_low` and
`<what>_high`; what: area_percent, a sign, pasi or bsa_percent. They come from the very stages that `score` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX, SCORE_MAX, Sign
from pasi_vision.errors import InputError
from pasi_vision.train.conformal import (
    area_intervals,
    detection_limit,
    grade_interval,
    residual_interval,
    transferred_area_intervals,
)
from pasi_vision.train.evaluate import Row
from pasi_vision.train.figures import Figure, Resample, mean_figures

__all__ = [
    "FEWEST_PATIENTS",
    "PHOTO_UNIT",
    "VISIT_UNIT",
    "coverage_figures",
    "coverage_record",
    "fit_grade_lines",
    "fit_intervals",
]

VISIT_UNIT, PHOTO_UNIT = "region of a visit", "region of a photograph"

FEWEST_VISITS = 10
"""Patients with whole visits who can set the width of intervals whose shape is known: nine and the one to come are ten."""

SLOPES = (0.2, 3.0)
"""Least and greatest slope of a grade line: a network answers nearer to the middle than patients are, never more than so much."""

FEWEST_PATIENTS = 20
"""Below this no 90 % interval with two sides exists (each side needs 19 patients and the one to come)."""


def fit_intervals(
    photos: Sequence[Row],
    visits: Sequence[Row],
    whole: Sequence[Row] = (),
    *,
    level: float = 0.9,
    seed: int = 0,
) -> dict[str, Any]:
    """The `intervals` of a model.json, without their measured coverage.

    With 20 patients who have whole visits, those alone decide. With 10, the shape of the error comes from single photographs and the
    width from the visits. With fewer, single photographs decide, and `unit` says so.

    Args:
        photos: Findings of single photographs: one per patient, photograph and region.
        visits: One per patient and visit with its scores; may be empty.
        whole: Findings of whole visits. Those of clear regions tell the detection limit.
        level: Nominal coverage.
        seed: Draws the halves of split conformal prediction.

    Raises:
        InputError: There are findings of fewer than 20 patients (10 where photographs give the shape).
    """
    several = _patients(whole)
    unit = VISIT_UNIT if several >= FEWEST_PATIENTS or (several >= FEWEST_VISITS and _patients(photos)) else PHOTO_UNIT
    transferred = unit == VISIT_UNIT and several < FEWEST_PATIENTS
    rows = whole if unit == VISIT_UNIT else photos
    if not transferred and _patients(rows) < FEWEST_PATIENTS:
        raise InputError(
            f"findings of {_patients(rows)} patients are too few to calibrate {level:.0%} intervals",
            fix=f"Give a set of at least {FEWEST_PATIENTS} patients; 100 and more make the intervals narrow.",
        )
    intervals: dict[str, Any] = {
        "level": level,
        "unit": unit,
        "area_percent": _area(rows, photos if transferred else None, level, seed),
        "grade": {},
        "detection_limit_percent": detection_limit(*_pairs(whole, "area_percent")[:2]),
        "calibration": {"findings": len(rows), "patients": _patients(rows), "seed": seed},
    }
    if transferred:
        intervals["calibration"]["shape"] = f"{len(photos)} findings of photographs"
    for sign in Sign:
        ends = _grade(_graded(rows), _graded(photos) if transferred else None, sign, level)
        if ends is not None:
            intervals["grade"][str(sign)] = [round(end, 4) for end in ends]
    for score in SCORE_MAX:
        predicted, true, patients = _pairs(visits, score)
        if len(patients) and len(np.unique(patients)) >= FEWEST_PATIENTS:
            # PASI (0-72) lies within 0-100, so the knots of areas serve it as well.
            intervals[score] = area_intervals(predicted, true, patients, level, seed=seed)
    return intervals


def fit_grade_lines(whole: Sequence[Row]) -> dict[str, list[float]]:
    """The `grade_line` of a model.json: by sign, the line from the network's mean grade of a visit's region to the true one.

    A network that was taught by close-ups of striking plaques sees a paler course as redder than it is, and where it is unsure it answers
    near the mean of what it was taught; two numbers per sign, from patients of other presets over their courses, take that back. Least
    squares in which every patient counts once, with the slope within `SLOPES`.

    Args:
        whole: Findings of whole visits, predicted without a line; with fewer than `FEWEST_PATIENTS` patients there is none.
    """
    lines = {}
    for sign in Sign:
        predicted, true, patients = _pairs(_graded(whole), sign)
        _, index, counts = np.unique(patients, return_inverse=True, return_counts=True)
        if len(counts) < FEWEST_PATIENTS:
            continue
        weight = 1.0 / counts[index]
        x, y = np.average(predicted, weights=weight), np.average(true, weights=weight)
        spread = np.average((predicted - x) ** 2, weights=weight)
        slope = float(np.average((predicted - x) * (true - y), weights=weight) / max(spread, 1e-6))
        slope = float(np.clip(slope, *SLOPES))
        lines[str(sign)] = [round(float(y - slope * x), 4), round(slope, 4)]
    return lines


def _area(rows: Sequence[Row], shape: Sequence[Row] | None, level: float, seed: int) -> dict[str, list[float]]:
    predicted, true, patients = _pairs(rows, "area_percent")
    if shape is None:
        return area_intervals(predicted, true, patients, level, seed=seed)
    shape_predicted, shape_true, _ = _pairs(shape, "area_percent")
    return transferred_area_intervals(shape_predicted, shape_true, predicted, true, patients, level)


def _grade(rows: Sequence[Row], shape: Sequence[Row] | None, sign: Sign, level: float) -> tuple[float, float] | None:
    predicted, true, patients = _pairs(rows, sign)
    if not len(patients):
        return None
    if shape is None:
        return residual_interval(true - predicted, patients, level, float(GRADE_MAX))
    shape_predicted, shape_true, _ = _pairs(shape, sign)
    if not len(shape_true):
        return None
    return grade_interval(shape_true - shape_predicted, true - predicted, patients, level, float(GRADE_MAX))


def _patients(rows: Sequence[Row]) -> int:
    """Patients with at least one prediction beside a truth."""
    return len(set(_pairs(rows, "area_percent")[2].tolist()))


def coverage_figures(
    findings: Sequence[Row], visits: Sequence[Row], resample: Resample, *, of: str = "finding"
) -> list[Figure]:
    """Share of true values inside their stated intervals: all findings, affected regions alone, by skin tone and region.

    Args:
        findings, visits: As for `fit_intervals`, with the ends of their intervals.
        resample: Interval of a statistic over patients.
        of: What a finding is: "finding" (a region of a visit) or "region of a photograph".
    """
    figures: list[Figure] = []
    groupings = ("skin_tone", "region")
    for name, rows in (("area_percent", findings), ("area_percent_affected", _affected(findings))):
        figures += _coverage(rows, "area_percent", name, of, groupings, resample)
    for sign in Sign:
        figures += _coverage(_graded(findings), sign, sign, of, groupings, resample)
    for score in (*SCORE_MAX, *(f"{name}_bounds" for name in SCORE_MAX)):
        figures += _coverage(visits, score, score, "visit", ("skin_tone",), resample)
    return figures


def coverage_record(findings: Sequence[Row], visits: Sequence[Row], resample: Resample) -> dict[str, Any]:
    """Measured coverage as model.json holds it: group -> what -> value, 95 % interval, n, patients and mean width of the intervals."""
    record: dict[str, Any] = {}
    for figure in coverage_figures(findings, visits, resample):
        kind, _, what = figure.metric.partition("_")
        row = record.setdefault(figure.group, {}).setdefault(what, {})
        if kind == "coverage":
            row |= {name: getattr(figure, name) for name in ("value", "low", "high", "n", "patients")}
        else:
            row["width"] = figure.value
    return record


def _coverage(
    rows: Sequence[Row], column: str, name: str, of: str, groupings: tuple[str, ...], resample: Resample
) -> list[Figure]:
    known = []
    for row in rows:
        low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
        true = row.get(f"true_{column.removesuffix('_bounds')}")
        if low is not None and high is not None and true is not None:
            # Findings are written with three decimals.
            inside = low - 5e-4 <= true <= high + 5e-4
            known.append({**row, "covered": float(inside), "width": high - low})
    figures = mean_figures(known, "covered", f"coverage_{name}", "share", of, groupings, resample)
    widths = mean_figures(known, "width", f"width_{name}", "as the value", of, groupings, resample)
    return [_with_exact_ends(figure) for figure in figures] + widths


def _with_exact_ends(figure: Figure) -> Figure:
    """Where all or none are covered resampling knows no doubt: then the exact binomial limit of that many patients stands."""
    if figure.value not in (0.0, 1.0) or figure.low is None:
        return figure
    farthest = round(0.025 ** (1 / figure.patients), 6)
    return replace(figure, low=farthest) if figure.value == 1.0 else replace(figure, high=round(1 - farthest, 6))


def _affected(findings: Sequence[Row]) -> list[Row]:
    return [row for row in findings if (row.get("true_area_percent") or 0) > 0]


def _graded(findings: Sequence[Row]) -> list[Row]:
    """Findings whose lesions were seen: where none was, there is no grade to state."""
    return [row for row in _affected(findings) if (row.get("predicted_area_percent") or 0) > 0]


def _pairs(rows: Sequence[Row], what: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    """Predicted, true and patient of the rows that know both."""
    known = [r for r in rows if r.get(f"predicted_{what}") is not None and r.get(f"true_{what}") is not None]
    predicted, true = (np.array([row[f"{kind}_{what}"] for row in known], np.float64) for kind in ("predicted", "true"))
    return predicted, true, np.array([row["subject_id"] for row in known], np.str_)
