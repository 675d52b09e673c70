"""Concordance (Lin 1989) and Deming regression (Linnet 1990) of a rater on a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.pairs import Pair, pair_of
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Estimator, Resampling, delta, fisher_z
from pasi_vision.agree.studentised import FISHER_Z, STUDENTISED_SOURCE, studentised

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ccc", "ccc_of_pair", "deming", "deming_of_pair"]

Floats = NDArray[np.float64]

_CCC_SOURCE = "Lin, Biometrics 1989;45:255-268, with the correction in Biometrics 2000;56:324-325"
_DEMING_SOURCE = "Linnet, Stat Med 1990;9:1463-1473; Cornbleet & Gochman, Clin Chem 1979;25:432-438"


def ccc(
    ratings: Ratings | pd.DataFrame, rater: str, reference: str, resampling: Resampling | None = None
) -> list[Agreement]:
    """Lin's concordance correlation coefficient of two raters (first readings), record `ccc`.

    Moments divide by n as in Lin 1989. Independent items: Lin's variance on Fisher's z; several items per subject: studentised bootstrap
    of subjects on Fisher's z.

    Raises:
        InputError: One of them is not a rater.
    """
    return ccc_of_pair(pair_of(ratings_from(ratings), rater, reference), resampling or Resampling())


def deming(
    ratings: Ratings | pd.DataFrame,
    rater: str,
    reference: str,
    resampling: Resampling | None = None,
    *,
    error_ratio: float = 1.0,
) -> list[Agreement]:
    """Deming regression rater = intercept + slope x reference, records `deming_slope` and `deming_intercept`.

    Args:
        ratings: Ratings or a frame (`ratings_from`).
        rater, reference: Names; the reference is on the x axis.
        resampling: Level.
        error_ratio: Variance of the rater's error over that of the reference's; 1 is orthogonal regression.

    Raises:
        InputError: One of them is not a rater.
    """
    return deming_of_pair(pair_of(ratings_from(ratings), rater, reference), resampling or Resampling(), error_ratio)


def ccc_of_pair(pair: Pair, resampling: Resampling) -> list[Agreement]:
    """The same for a pair."""
    why_not = pair.obstacle
    if not why_not and np.ptp(pair.x) == 0 and np.ptp(pair.y) == 0:
        why_not = "no variation: each rater gave one value only"
    if why_not:
        return unanswered(pair.basis, ["ccc"], why_not, "concordance correlation", _CCC_SOURCE)
    estimator = Estimator(pair.by_subject(_moments(pair)), _concordance)
    value = float(estimator.value[0])
    if pair.one_item_each and len(pair.x) > 2:
        error, quantile, how = _lin_error(pair, value), resampling.z, "Lin's asymptotic variance"
    else:
        error, quantile = float(delta(estimator)[0]), resampling.t(pair.n_subjects - 1)
        how = "linearised by subject"
    limits, source = fisher_z(value, error, quantile), _CCC_SOURCE
    if not pair.one_item_each:
        _, low, high = studentised(estimator, FISHER_Z, resampling).of(0)
        if np.isfinite([low, high]).all():
            limits, how = (low, high), "studentised bootstrap of subjects"
            source = f"{_CCC_SOURCE}; {STUDENTISED_SOURCE}"
    method = f"concordance correlation, Fisher's z, {how}"
    return [answered(pair.basis, "ccc", (value, *limits), method, source)]


def deming_of_pair(pair: Pair, resampling: Resampling, error_ratio: float = 1.0) -> list[Agreement]:
    """The same for a pair."""
    names = ("deming_slope", "deming_intercept")
    n = pair.n_subjects
    why_not = pair.obstacle
    if not why_not and (np.ptp(pair.x) == 0 or np.ptp(pair.y) == 0):
        why_not = "no variation: a rater gave one value only"
    if not why_not and n < 3:
        why_not = f"too few subjects for a line: {n}"
    if why_not:
        return unanswered(pair.basis, names, why_not, "Deming regression", _DEMING_SOURCE)
    centre = (float(pair.x.mean()), float(pair.y.mean()))
    estimator = Estimator(pair.by_subject(_moments(pair)), lambda totals: _line(totals, error_ratio, centre))
    value, without = estimator.value, estimator.leave_one_out()
    with np.errstate(invalid="ignore"):  # hardly any subjects: without one of them there may be no line
        error = np.sqrt((n - 1) / n * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
    half = resampling.t(n - 2) * error
    method = (
        f"Deming regression of {pair.rater} on {pair.reference}, error ratio {error_ratio:g}, jackknife of subjects"
    )
    return [
        answered(pair.basis, name, (value[at], value[at] - half[at], value[at] + half[at]), method, _DEMING_SOURCE)
        for at, name in enumerate(names)
    ]


def _moments(pair: Pair) -> Floats:
    x, y = pair.x - pair.x.mean(), pair.y - pair.y.mean()
    shift = np.full_like(x, pair.y.mean() - pair.x.mean())
    # The means travel as a column of their own, so that large values lose no digits in their squares.
    return np.stack([np.ones_like(x), x, y, x**2, y**2, x * y, shift], axis=1)


def _concordance(totals: Floats) -> Floats:
    n, x, y, xx, yy, xy, shift = (totals[..., at] for at in range(7))
    with np.errstate(divide="ignore", invalid="ignore"):
        sxx, syy, sxy = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
        apart = (y - x + shift) / n
        return (2 * sxy / (sxx + syy + apart**2))[..., None]


def _lin_error(pair: Pair, value: float) -> float:
    n = len(pair.x)
    sx, sy = pair.x.std(), pair.y.std()
    if sx == 0 or sy == 0:
        return float("nan")
    r = float(np.mean((pair.x - pair.x.mean()) * (pair.y - pair.y.mean())) / (sx * sy))
    if r == 0:
        return float("nan")
    u2 = (pair.y.mean() - pair.x.mean()) ** 2 / (sx * sy)
    variance = (
        (1 - r**2) * value**2 * (1 - value**2) / r**2
        + 2 * value**3 * (1 - value) * u2 / r
        - value**4 * u2**2 / (2 * r**2)
    ) / (n - 2)
    return float(np.sqrt(variance)) if variance > 0 else float("nan")


def _line(totals: Floats, ratio: float, centre: tuple[float, float]) -> Floats:
    n, x, y, xx, yy, xy, _ = (totals[..., at] for at in range(7))
    with np.errstate(divide="ignore", invalid="ignore"):
        sxx, syy, sxy = xx - x**2 / n, yy - y**2 / n, xy - x * y / n
        gap = syy - ratio * sxx
        slope = (gap + np.sqrt(gap**2 + 4 * ratio * sxy**2)) / (2 * sxy)
        intercept = (y / n + centre[1]) - slope * (x / n + centre[0])
    return np.stack([slope, intercept], axis=-1)
