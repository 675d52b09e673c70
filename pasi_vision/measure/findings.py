"""The photographs of one visit -> one finding per region.

`area_percent` is the affected share of the region's *seen* skin. What no photograph shows is told by `coverage`, and the score's bounds
account for it; it is never taken for clear skin. Induration cannot be measured in a flat photograph: it is inferred and flagged so; where
a study takes it from a clinician instead, `score` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.measure.intervals import Intervals
from pasi_vision.measure.views import ViewCoverage
from pasi_vision.records import Finding, RegionMeasurement
from pasi_vision.tables import Status

__all__ = ["MeasureChoices", "measure_visit"]


@dataclass(frozen=True)
class MeasureChoices:
    """What a study chooses: see configs/study.yaml.

    Attributes:
        area_convention: "outline" or "lesion".
        minimum_coverage: Below this share of a region's surface no area is stated for it.
    """

    area_convention: str = "outline"
    minimum_coverage: float = 0.25


def measure_visit(
    photos: Sequence[tuple[View, Sequence[RegionMeasurement]]],
    *,
    visit: Finding,
    coverage: ViewCoverage,
    intervals: Intervals,
    choices: MeasureChoices,
) -> list[Finding]:
    """Join the photographs of a visit into one finding per region.

    Args:
        photos: For each usable photograph its view and what it shows. Close-ups show chosen spots and do not count for areas.
        visit: A finding that carries subject, visit, day, rater and reading; its region and values are replaced.
        coverage: Which share of each region's surface the views show.
        intervals: The model's residual quantiles.
        choices: The study's choices.

    Returns:
        Four findings in the order of `Region`; a region without usable views is not scorable, with the reason.
    """
    return [_measure_region(region, photos, visit, coverage, intervals, choices) for region in Region]


def _measure_region(
    region: Region,
    photos: Sequence[tuple[View, Sequence[RegionMeasurement]]],
    visit: Finding,
    coverage: ViewCoverage,
    intervals: Intervals,
    choices: MeasureChoices,
) -> Finding:
    shown = [
        (view, m) for view, measured in photos for m in measured if m.region is region and view is not View.CLOSE_UP
    ]
    weights = coverage.weights(region, {view for view, _ in shown})
    seen = sum(weights.values())
    blank = Finding(
        visit.subject_id, visit.visit, visit.day, visit.rater, visit.reading, region, coverage=round(seen, 4)
    )
    if seen < choices.minimum_coverage:
        what = f"only {seen:.0%} of its surface is seen" if seen > 0 else "no usable photograph shows it"
        return replace(blank, status=Status.NOT_SCORABLE, reason=what)
    # Several photographs of one view share that view's weight by the skin they show.
    skin_of_view: dict[View, int] = {}
    for view, m in shown:
        skin_of_view[view] = skin_of_view.get(view, 0) + m.skin_px
    share = [(m, weights[view] / seen * m.skin_px / skin_of_view[view]) for view, m in shown]
    exact = sum(w * m.lesion_percent for m, w in share)
    outlined = sum(w * m.outline_percent for m, w in share)
    area = outlined if choices.area_convention == "outline" else exact
    clear = area < intervals.detection_limit_percent or area == 0
    low, high = intervals.area(area)
    grades, bounds = _grades(share, intervals, clear=clear)
    reasons = [] if clear else ["induration inferred"]
    if clear:
        area, low = 0.0, 0.0
    if seen < 0.999:
        reasons.append(f"{1 - seen:.0%} of the surface unseen")
    return replace(
        blank,
        area_percent=round(area, 3),
        area_percent_low=round(low, 3),
        area_percent_high=round(high, 3),
        area_percent_exact=round(0.0 if clear else exact, 3),
        erythema=round(grades[Sign.ERYTHEMA], 3),
        erythema_low=round(bounds[Sign.ERYTHEMA][0], 3),
        erythema_high=round(bounds[Sign.ERYTHEMA][1], 3),
        induration=round(grades[Sign.INDURATION], 3),
        induration_low=round(bounds[Sign.INDURATION][0], 3),
        induration_high=round(bounds[Sign.INDURATION][1], 3),
        scaling=round(grades[Sign.SCALING], 3),
        scaling_low=round(bounds[Sign.SCALING][0], 3),
        scaling_high=round(bounds[Sign.SCALING][1], 3),
        reason="; ".join(reasons),
    )


def _grades(
    share: Sequence[tuple[RegionMeasurement, float]], intervals: Intervals, *, clear: bool
) -> tuple[dict[Sign, float], dict[Sign, tuple[float, float]]]:
    """Each sign's area-weighted mean grade over the affected skin, on the calibration's line, with its interval; 0 on clear skin."""
    affected = sum(w * m.lesion_percent for m, w in share)
    grades, bounds = {}, {}
    for sign in Sign:
        grade = 0.0
        if affected > 0 and not clear:
            mean = sum(w * m.lesion_percent * m.grades[sign] for m, w in share) / affected
            grade = intervals.corrected(sign, mean)
        grades[sign] = grade
        bounds[sign] = intervals.grade(sign, grade)
    return grades, bounds
