"""Simulated clinicians: they see the truth of a visit and score it with the errors that published studies found.

Errors of one rater on one reading have three parts: a bias that is always this rater's, an error that belongs to this
visit of this patient (both readings share it), and one of the reading alone. Sizes are set so that two raters differ by
SEM 2.9 PASI points on moderate to severe disease (Fink et al., 2018: image PASI, ICC 0.895, mean difference 3.3 between and
2.2 within raters); the eye over-estimates area, most where it is small (Yoo et al., 2022: the right band in 49 %);
agreement is lower on dark skin, where redness is hard to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pasi_vision.anatomy import GRADE_MAX, Region, Sign
from pasi_vision.phantom.truth import RegionTruth
from pasi_vision.records import Finding

Rng = np.random.Generator


@dataclass(frozen=True)
class Clinician:
    """One rater.

    Attributes:
        name: As in findings.csv.
        area_factor: Over-estimation of area (geometric mean) where it is small; it fades towards full cover.
        sign_bias: Added to each sign's grade (E, I, S).
        visit_sd: SD of the error shared by readings of one visit: log area, grade.
        reading_sd: SD of the error of one reading: log area, grade.
    """

    name: str
    area_factor: float
    sign_bias: tuple[float, float, float]
    visit_sd: tuple[float, float] = (0.29, 0.40)
    reading_sd: tuple[float, float] = (0.24, 0.36)


#: Dark skin (typology angle below 10 degrees): errors grow by this factor, and redness is graded lower by `DARK_ERYTHEMA`.
DARK_FACTOR = 1.6
DARK_ERYTHEMA = 0.5


def draw_clinician(name: str, rng: Rng) -> Clinician:
    """A random clinician."""
    bias = np.clip(rng.normal(0.0, 0.24, 3), -0.6, 0.6)
    return Clinician(
        name,
        float(np.exp(np.clip(rng.normal(0.28, 0.18), -0.1, 0.7))),
        (float(bias[0]), float(bias[1]), float(bias[2])),
    )


def assess(
    clinician: Clinician, truth: Mapping[Region, RegionTruth], visit: Finding, *, ita_deg: float, shared: Rng, own: Rng
) -> list[Finding]:
    """One reading of a visit: four findings with integer grades and an area in percent as people write it.

    Args:
        clinician: Who reads.
        truth: Of each region.
        visit: Carries subject, visit, day and reading; the rest is replaced.
        ita_deg: Skin tone.
        shared: Chance of this rater and visit; start it afresh for each reading.
        own: Chance of this reading.
    """
    dark = ita_deg < 10.0
    factor = DARK_FACTOR if dark else 1.0
    found = []
    for region in Region:
        true = truth[region]
        area_error = factor * (
            clinician.visit_sd[0] * shared.standard_normal() + clinician.reading_sd[0] * own.standard_normal()
        )
        sign_error = factor * (
            clinician.visit_sd[1] * shared.standard_normal(3) + clinician.reading_sd[1] * own.standard_normal(3)
        )
        area = _seen_area(true.outline_percent, clinician.area_factor, float(area_error))
        grades = np.array([true.grades[sign] for sign in Sign]) + np.asarray(clinician.sign_bias) + sign_error
        if dark:
            grades[0] -= DARK_ERYTHEMA
        written = np.clip(np.rint(grades), 1, GRADE_MAX) if area > 0 else np.zeros(3)
        found.append(
            Finding(
                visit.subject_id,
                visit.visit,
                visit.day,
                clinician.name,
                visit.reading,
                region,
                area_percent=area,
                erythema=float(written[0]),
                induration=float(written[1]),
                scaling=float(written[2]),
            )
        )
    return found


def _seen_area(percent: float, factor: float, error: float) -> float:
    """The area a rater writes down: on the odds scale, so that it stays below 100, and rounded as people round."""
    if percent <= 0.02:
        return 0.0
    share = min(percent / 100.0, 0.995)
    odds = share / (1 - share) * factor * float(np.exp(error))
    seen = 100.0 * odds / (1 + odds)
    if seen < 0.3:
        return 0.5
    step = 1.0 if seen < 10 else 5.0
    return float(np.clip(round(seen / step) * step, 1.0, 100.0))
