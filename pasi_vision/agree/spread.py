"""Intervals of a variance that hold when the spread is uneven, and the check that decides whether they are needed.

A chi-squared interval of a variance is exact for normal ratings of even spread and too narrow otherwise: with the spread growing from
mild to severe disease as graders' errors do, 95 % becomes 80-88 %. Where there is any sign of that (a slope of the spread on the level with
p < 0.2), the interval is widened to hold the studentised bootstrap's as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.resample import Estimator, Resampling, delta, replicates

__all__ = ["is_uneven", "ratio_limits", "widened"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DOUBT = 1.28
_FEWEST = 10


def ratio_limits(squares: Floats, degrees: Floats, owner: Integers, resampling: Resampling) -> tuple[float, float]:
    """Limits of a pooled variance sum(squares) / sum(degrees), as factors of it, from items and the subject that each belongs to.

    Bootstrap of subjects, studentised, on the logarithm (Efron & Tibshirani 1993, section 12.5).
    """
    total = float(squares.sum())
    n = int(owner.max()) + 1 if len(owner) else 0
    if n < 4 or not total > 0:
        return np.nan, np.nan
    q = np.bincount(owner, weights=squares / total)
    d = np.bincount(owner, weights=degrees / degrees.sum())
    parts = np.stack([q, d, q**2, q * d, d**2], axis=1)

    def value_and_error(totals: Floats) -> tuple[Floats, Floats]:
        m = totals[..., 0] / totals[..., 1]
        spread = totals[..., 2] - 2 * m * totals[..., 3] + m**2 * totals[..., 4]
        return np.log(m), np.sqrt(np.maximum(n / (n - 1) * spread, 0.0)) / totals[..., 0]

    weights = replicates(n, max(resampling.n, 399), resampling.seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn, drawn_error = value_and_error(weights @ parts)
        t = drawn / drawn_error
    t = t[np.isfinite(t)]
    _, error = value_and_error(parts.sum(axis=0))
    if len(t) < 0.9 * len(weights):
        return np.nan, np.nan
    tail = (1 - resampling.level) / 2
    low, high = np.quantile(t, [1 - tail, tail])
    with np.errstate(over="ignore"):  # hardly any differences: there is no upper limit
        return float(np.exp(-low * error)), float(np.exp(-high * error))


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
