"""Intervals of a variance that hold when the spread is uneven, and the check that decides whether they are needed.

A chi-squared interval of a variance is exact for normal ratings of even spread and too narrow otherwise: with the spread growing from
mild to severe disease as graders' errors do, 95 % becomes 80-88 %. Where there is any sign of that (a slope of the spread on the level with
p < 0.2), the interval is widened to hold the studentised bootstrap's as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pasi_vision.agree.resample import Estimator, Resampling, delta, replicates
from pasi_vision.agree.studentised import FEWEST_REPLICATES, t_quantiles

__all__ = ["PooledLog", "chi_squared_limits", "is_uneven", "pooled_log", "ratio_limits", "variance_limits", "widened"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DOUBT = 1.28
_FEWEST = 10


@dataclass(frozen=True)
class PooledLog:
    """The logarithm of a pooled variance relative to its estimate, and its standard error: of all subjects, and (B,) of each replicate."""

    error: float
    drawn: Floats
    drawn_error: Floats


def pooled_log(squares: Floats, degrees: Floats, owner: Integers, weights: Floats) -> PooledLog | None:
    """Of a pooled variance sum(squares) / sum(degrees), from items and the subject that each belongs to; None without any spread."""
    total = float(squares.sum())
    n = weights.shape[1]
    if n < 4 or not total > 0 or not degrees.sum() > 0:
        return None
    q = np.bincount(owner, weights=squares / total, minlength=n)
    d = np.bincount(owner, weights=degrees / degrees.sum(), minlength=n)
    parts = np.stack([q, d, q**2, q * d, d**2], axis=1)

    def value_and_error(totals: Floats) -> tuple[Floats, Floats]:
        m = totals[..., 0] / totals[..., 1]
        spread = totals[..., 2] - 2 * m * totals[..., 3] + m**2 * totals[..., 4]
        return np.log(m), np.sqrt(np.maximum(n / (n - 1) * spread, 0.0)) / totals[..., 0]

    with np.errstate(divide="ignore", invalid="ignore"):
        drawn, drawn_error = value_and_error(weights @ parts)
    _, error = value_and_error(parts.sum(axis=0))
    return PooledLog(float(error), drawn, drawn_error)


def ratio_limits(squares: Floats, degrees: Floats, owner: Integers, resampling: Resampling) -> tuple[float, float]:
    """Limits of a pooled variance sum(squares) / sum(degrees), as factors of it, from items and the subject that each belongs to.

    Bootstrap of subjects, studentised, on the logarithm (Efron & Tibshirani 1993, section 12.5), widened for few subjects.
    """
    n = int(owner.max()) + 1 if len(owner) else 0
    if n < 4:
        return np.nan, np.nan
    weights = replicates(n, max(resampling.n, FEWEST_REPLICATES), resampling.seed)
    pooled = pooled_log(squares, degrees, owner, weights)
    if pooled is None:
        return np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        t = pooled.drawn / pooled.drawn_error
    upper, lower = t_quantiles(t, n, resampling)
    with np.errstate(over="ignore"):  # hardly any differences: there is no upper limit
        return float(np.exp(-upper * pooled.error)), float(np.exp(-lower * pooled.error))


def is_uneven(level: Floats, spread: Floats, owner: Integers) -> bool:
    """Whether the spread of items (a standard deviation or absolute difference each) seems to change with their level."""
    n = int(owner.max()) + 1 if len(owner) else 0
    if n < _FEWEST or np.ptp(level) == 0:
        return False
    a = level - level.mean()
    parts = np.zeros((n, 5))
    np.add.at(parts, owner, np.stack([np.ones_like(a), a, spread, a**2, a * spread], axis=1))

    def slope(totals: Floats) -> Floats:
        count, x, y, xx, xy = (totals[..., at] for at in range(5))
        with np.errstate(divide="ignore", invalid="ignore"):
            return ((xy - x * y / count) / (xx - x**2 / count))[..., None]

    estimator = Estimator(parts, slope)
    error = float(delta(estimator)[0])
    return bool(np.isfinite(error) and abs(float(estimator.value[0])) > _DOUBT * error > 0)


def widened(value: float, limits: tuple[float, float], factors: tuple[float, float]) -> tuple[float, float]:
    """Limits of a variance that also hold those of `ratio_limits`."""
    if not np.isfinite(factors).all():
        return limits
    return min(limits[0], value * factors[0]), max(limits[1], value * factors[1])


def chi_squared_limits(value: float, degrees: float, resampling: Resampling) -> tuple[float, float]:
    """Limits of a variance of normal ratings of even spread."""
    tail = (1 - resampling.level) / 2
    with np.errstate(divide="ignore"):  # hardly any degrees of freedom: there is no upper limit
        low, high = (value * degrees / np.float64(stats.chi2.ppf(share, degrees)) for share in (1 - tail, tail))
    return float(low), float(high)


def variance_limits(
    value: float, level: Floats, squares: Floats, degrees: Floats, owner: Integers, resampling: Resampling
) -> tuple[float, float, bool]:
    """Chi-squared limits of a pooled variance, widened (third: True) where its spread over the level seems uneven.

    Args:
        value: The variance as it was estimated.
        level, squares, degrees, owner: Of each item its mean, its sum of squares, their degrees of freedom, and its subject.
        resampling: Level, bootstrap replicates and seed.
    """
    limits = chi_squared_limits(value, float(degrees.sum()), resampling)
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = degrees > 0
        spread = np.sqrt(squares[usable] / degrees[usable])
    _, position = np.unique(owner[usable], return_inverse=True)
    uneven = not resampling.published and is_uneven(level[usable], spread, position.astype(np.int64))
    if uneven:
        factors = ratio_limits(squares[usable], degrees[usable], position.astype(np.int64), resampling)
        limits = widened(value, limits, factors)
    return limits[0], limits[1], uneven
