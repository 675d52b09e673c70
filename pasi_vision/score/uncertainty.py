"""From intervals or draws of area and grades to the uncertainty of PASI, BSA, PASI-k and area bands.

Each quantity gets a two-piece normal whose median is its value and whose ends are the interval's ends at the nominal level, clipped to
its scale. Draws are joined by a Gaussian copula with one common factor for areas and one for grades, because a model or a rater that
overestimates one region tends to overestimate the others; the strengths are settings, not truths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pasi_vision.anatomy import GRADE_MAX
from pasi_vision.errors import InputError
from pasi_vision.score.bands import area_score, area_score_continuous, area_thresholds, whole_grade
from pasi_vision.score.bsa import bsa_percent
from pasi_vision.score.regions import REGIONS, WEIGHTS, Numbers, RegionArrays
from pasi_vision.score.response import reaches
from pasi_vision.score.settings import DEFAULT_STUDY, StudySettings
from pasi_vision.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DrawSettings", "Draws", "draw", "draws_of", "near_band_edges", "response_probability"]


class DrawSettings(Settings):
    """How draws are made from intervals."""

    draws: int = Field(4000, ge=100)
    level: float = Field(0.90, gt=0, lt=1)
    """Nominal coverage of the intervals that are handed in."""
    area_correlation: float = Field(0.3, ge=0, lt=1)
    grade_correlation: float = Field(0.3, ge=0, lt=1)


@dataclass(frozen=True)
class Draws:
    """Draws of the scores of n visits.

    Attributes:
        pasi: (draws, n) int16, tenths.
        pasi_continuous: (draws, n) float64.
        bsa_percent: (draws, n) float64.
        area_scores: (draws, n, 4) int8.
    """

    pasi: NDArray[np.int16]
    pasi_continuous: Numbers
    bsa_percent: Numbers
    area_scores: NDArray[np.int8]

    def band_probabilities(self) -> Numbers:
        """(n, 4, 7) float64: probability of each area score of each region."""
        return np.stack([(self.area_scores == score).mean(axis=0) for score in range(7)], axis=-1)

    def pasi_interval(self, level: float = 0.90) -> Numbers:
        """(2, n) float64: the central interval of PASI, ends taken from the draws (no interpolation: they are PASI that occur)."""
        tails = [(1 - level) / 2, (1 + level) / 2]
        return np.quantile(self.pasi, tails, axis=0, method="inverted_cdf") / 10


def draws_of(area: Numbers, grades: Numbers, study: StudySettings = DEFAULT_STUDY) -> Draws:
    """Scores of draws that were made elsewhere, with whatever correlation they have.

    Args:
        area: (draws, n, 4) percentages.
        grades: (draws, n, 4, 3) grades.
    """
    scores = area_score(area, study.band_policy)
    whole = whole_grade(grades).sum(axis=-1, dtype=np.int16)
    return Draws(
        (scores * whole) @ WEIGHTS,
        (area_score_continuous(area) * grades.sum(axis=-1)) @ (WEIGHTS / 10),
        bsa_percent(area, study.bsa_table),
        scores,
    )


def draw(
    arrays: RegionArrays,
    generator: np.random.Generator,
    settings: DrawSettings | None = None,
    study: StudySettings = DEFAULT_STUDY,
) -> Draws:
    """Draw the scores of n visits from their values and intervals (seen skin only: for unseen skin see the bounds).

    Raises:
        InputError: An area or a grade is not known: nothing can be drawn, only bounded.
    """
    settings = settings or DrawSettings()
    if np.isnan(arrays.area).any() or np.isnan(arrays.grades).any():
        raise InputError(
            "an area or a grade is not known", fix="Draw only visits that are scored; use the bounds elsewhere."
        )
    arrays.check()
    shape = (settings.draws, *arrays.area.shape)
    area_z = _correlated(generator, shape, settings.area_correlation)
    grade_z = _correlated(generator, (*shape, 3), settings.grade_correlation)
    area = _two_piece(arrays.area, arrays.area_low, arrays.area_high, area_z, (settings.level, 100.0))
    grades = _two_piece(arrays.grades, arrays.grades_low, arrays.grades_high, grade_z, (settings.level, GRADE_MAX))
    return draws_of(area, grades, study)


def response_probability(draws: Draws, baseline: int, follow_up: int, k: int) -> float | None:
    """P(PASI-k) of one visit against another (by their places); draws whose baseline is 0 cannot respond; None if all are.

    Draws of different visits are independent given the intervals: errors that a model repeats at every visit cancel in truth, so this
    is on the cautious side.
    """
    before, after = draws.pasi[:, baseline].astype(np.int64), draws.pasi[:, follow_up].astype(np.int64)
    usable = before > 0
    return float(reaches(before[usable], after[usable], k).mean()) if usable.any() else None


def near_band_edges(findings: pd.DataFrame, study: StudySettings = DEFAULT_STUDY) -> pd.DataFrame:
    """Regions whose area lies within its own uncertainty of a band edge, and what the step would do to PASI.

    Args:
        findings: A checked FINDINGS table with area_percent_low and area_percent_high.

    Returns:
        One row per region and edge inside its interval: the keys, area_percent and its interval, edge_percent, area_score as it is and
        as it would be across the edge, and pasi_step, the change of PASI that follows (only the first step across that edge is meant).
    """
    import pandas as pd

    if not {"area_percent_low", "area_percent_high"} <= set(findings.columns):
        raise InputError("the findings have no intervals", fix="Add area_percent_low and area_percent_high.")
    keys = ["subject_id", "visit", "day", "rater", "reading", "region"]
    area, low, high = (
        findings[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("area_percent", "area_percent_low", "area_percent_high")
    )
    signs = np.stack(
        [findings[s].to_numpy(dtype=float, na_value=np.nan) for s in ("erythema", "induration", "scaling")], -1
    )
    known = ~np.isnan(area) & ~np.isnan(low) & ~np.isnan(high) & ~np.isnan(signs).any(axis=1)
    weight = pd.Categorical(findings["region"], categories=[str(r) for r in REGIONS]).codes.astype(int)
    step = WEIGHTS[weight] / 10 * whole_grade(np.where(np.isnan(signs), 0, signs)).sum(axis=1)
    score = area_score(np.where(np.isnan(area), 0, area), study.band_policy).astype(int)
    found = []
    for above, edge in enumerate(area_thresholds(study.band_policy), start=1):
        crossed = known & (low < edge) & (high >= edge)
        part = findings.loc[crossed, [*keys, "area_percent", "area_percent_low", "area_percent_high"]].copy()
        upwards = area[crossed] < edge
        part["edge_percent"] = 0.0 if edge < 1e-300 else edge
        part["area_score"] = score[crossed]
        part["area_score_across"] = np.where(upwards, above, above - 1)
        part["pasi_step"] = np.round(step[crossed] * (part["area_score_across"] - part["area_score"]), 6)
        found.append(part)
    return pd.concat(found).sort_index(kind="stable").reset_index(drop=True)


def _correlated(generator: np.random.Generator, shape: tuple[int, ...], correlation: float) -> Numbers:
    """Standard normals that share one factor per draw and visit."""
    own = generator.standard_normal(shape)
    common = generator.standard_normal(shape[:2]).reshape(*shape[:2], *([1] * (len(shape) - 2)))
    return np.asarray(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)


def _two_piece(
    value: Numbers, low: Numbers | None, high: Numbers | None, z: Numbers, scale: tuple[float, float]
) -> Numbers:
    from scipy.special import ndtri

    level, most = scale
    reach = float(ndtri(0.5 + level / 2))
    below = value - (value if low is None else np.where(np.isnan(low), value, low))
    above = (value if high is None else np.where(np.isnan(high), value, high)) - value
    return np.clip(value + z / reach * np.where(z < 0, below, above), 0, most)
