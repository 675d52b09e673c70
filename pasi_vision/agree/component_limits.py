"""Intervals of variance components: each is a difference of two mean squares, so MOVER from the limits of either.

For a difference A - B of independent estimates with limits (a, a') and (b, b') MOVER gives
A - B - sqrt((A - a)^2 + (b' - B)^2) to A - B + sqrt((a' - A)^2 + (B - b)^2) (Ting et al. 1990 for mean squares; Zou & Donner 2008).
Limits of a mean square are chi-squared; those of residuals and of readings hold a studentised bootstrap of subjects as well where their
spread over the scale seems uneven, because graders' errors grow with severity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.pivots import residual_squares
from pasi_vision.agree.spread import chi_squared_limits, variance_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasi_vision.agree.ratings import Cells
    from pasi_vision.agree.resample import Resampling

__all__ = ["COMPONENT_LIMITS_SOURCE", "component_limits"]

Floats = NDArray[np.float64]

COMPONENT_LIMITS_SOURCE = (
    "Ting et al., J Stat Comput Simul 1990;35:135-143; Zou & Donner, Stat Methods Med Res 2008;17:417-430"
)


@dataclass(frozen=True)
class _Square:
    """A mean square with its limits, and whether they were widened."""

    value: float
    low: float
    high: float
    widened: bool = False

    def over(self, divisor: float) -> _Square:
        return _Square(self.value / divisor, self.low / divisor, self.high / divisor, self.widened)


def component_limits(
    cells: Cells, variances: Mapping[str, float], resampling: Resampling
) -> dict[str, tuple[float, float, bool]]:
    """Low, high and whether they were widened, of each component of `variances` (as they were estimated; those at zero included)."""
    seen = cells.count > 0
    per_item = seen.sum(axis=1)
    n_items, n_subjects = len(per_item), cells.n_subjects
    raters = len(per_item) / float(np.sum(1 / np.maximum(per_item, 1)))  # harmonic mean of ratings per item
    share = float(np.mean(1 / cells.count[seen]))  # of the reading variance that is left in a cell's mean
    reading = _reading(cells, variances.get("reading", 0.0), resampling)
    residual = _residual(cells, variances["residual"] + share * reading.value, resampling)
    noise = residual.over(raters)
    found = {"residual": _difference(residual, reading.over(1 / share)) if share > 0 else _own(residual)}
    if "reading" in variances:
        found["reading"] = _own(reading)
    else:
        found["residual"] = _own(residual)
    between = variances["subject"]
    below = noise
    if "visit" in variances:
        visits = n_items / n_subjects
        item = _square(variances["visit"] + noise.value, n_items - n_subjects, resampling)
        found["visit"] = _difference(item, noise)
        below = item.over(visits)
    found["subject"] = _difference(_square(between + below.value, n_subjects - 1, resampling), below)
    each = residual.over(n_items)
    found["rater"] = _difference(_square(variances["rater"] + each.value, seen.shape[1] - 1, resampling), each)
    return found


def _square(value: float, degrees: float, resampling: Resampling) -> _Square:
    return _Square(value, *chi_squared_limits(value, degrees, resampling))


def _own(square: _Square) -> tuple[float, float, bool]:
    return square.low, square.high, square.widened


def _difference(above: _Square, below: _Square) -> tuple[float, float, bool]:
    value = above.value - below.value
    down = np.hypot(above.value - above.low, below.high - below.value)
    up = np.hypot(above.high - above.value, below.value - below.low)
    return max(value - float(down), 0.0), value + float(up), above.widened or below.widened


def _residual(cells: Cells, value: float, resampling: Resampling) -> _Square:
    """The variance of a cell's mean about its item and rater."""
    squares, degrees = residual_squares(cells.mean)
    # The raters' means take k - 1 degrees of freedom.
    degrees = degrees * (1 - (cells.count.shape[1] - 1) / max(float(degrees.sum()), 1.0))
    level = np.nanmean(cells.mean, axis=1)
    return _Square(value, *variance_limits(value, level, squares, degrees, cells.item_subject, resampling))


def _reading(cells: Cells, value: float, resampling: Resampling) -> _Square:
    """The variance of readings about their cell's mean."""
    degrees = np.maximum(cells.count - 1, 0).sum(axis=1)
    if value <= 0 or not degrees.any():
        return _Square(0.0, 0.0, 0.0)
    squares, level = cells.squares.sum(axis=1), np.nanmean(cells.mean, axis=1)
    return _Square(value, *variance_limits(value, level, squares, degrees, cells.item_subject, resampling))
