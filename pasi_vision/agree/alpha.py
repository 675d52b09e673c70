"""Krippendorff's alpha: nominal, ordinal and interval, any number of raters, missing ratings allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.chance import counts_of, obstacle, t_interval
from pasi_vision.agree.kappa import undeclared
from pasi_vision.agree.ratings import Grid, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Estimator, Resampling
from pasi_vision.agree.scale import Scale, ScaleKind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALPHAS", "alpha", "alpha_of_grid"]

Floats = NDArray[np.float64]

ALPHAS = ("alpha_nominal", "alpha_ordinal", "alpha_interval")
_SOURCE = (
    "Krippendorff, Content Analysis, 4th ed., 2019, ch. 12; Hayes & Krippendorff, Commun Methods Meas 2007;1:77-89"
)
_METHOD = "1 - observed / expected disagreement, linearised by subject, t interval"


def alpha(
    ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None, *, scale: str | Scale | None = None
) -> list[Agreement]:
    """alpha_nominal, alpha_ordinal and alpha_interval, as far as the scale allows (first readings).

    Items with fewer than two ratings cannot be paired and add nothing, as Krippendorff defines it.
    """
    made = ratings_from(ratings, scale=scale)
    return alpha_of_grid(made.grid, made.scale, resampling or Resampling())


def alpha_of_grid(grid: Grid, scale: Scale, resampling: Resampling) -> list[Agreement]:
    """The same for a grid."""
    names = [name for name in ALPHAS if name != "alpha_interval" or scale.is_numeric]
    if scale.kind is ScaleKind.NOMINAL:
        names = ["alpha_nominal"]
    elif scale.kind is ScaleKind.CONTINUOUS:
        names = ["alpha_interval"]
    why_not = obstacle(grid)
    if not why_not and np.ptp(grid.values[~np.isnan(grid.values)]) == 0:
        why_not = "no variation: every rating is the same"
    records = []
    for name in names:
        no_scale = undeclared(scale) if name != "alpha_interval" else ""
        if why_not or no_scale:
            records += unanswered(grid.basis, [name], why_not or no_scale, _METHOD, _SOURCE)
            continue
        estimator = _interval(grid) if name == "alpha_interval" else _coincidence(grid, scale, name)
        estimate = t_interval(estimator, 0, grid.n_subjects, resampling)
        records.append(answered(grid.basis, name, estimate, f"Krippendorff's alpha: {_METHOD}", _SOURCE))
    return records


def _interval(grid: Grid) -> Estimator:
    """Squared differences: the sums of values and squares are enough, whatever the number of distinct values."""
    seen = ~np.isnan(grid.values)
    y = np.where(seen, grid.values - np.nanmean(grid.values), 0.0)
    number = seen.sum(axis=1).astype(float)
    paired = number >= 2
    first, second = y.sum(axis=1), np.sum(y**2, axis=1)
    apart = np.where(paired, 2 * (number * second - first**2) / np.maximum(number - 1, 1), 0.0)
    parts = np.stack(
        [np.where(paired, number, 0), np.where(paired, first, 0), np.where(paired, second, 0), apart], axis=1
    )

    def statistic(totals: Floats) -> Floats:
        n, value, square, disagreement = (totals[..., at] for at in range(4))
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = disagreement / n
            expected = 2 * (n * square - value**2) / (n * (n - 1))
            return np.where(expected > 0, 1 - observed / expected, np.nan)[..., None]

    return Estimator(grid.by_subject(parts), statistic)


def _coincidence(grid: Grid, scale: Scale, name: str) -> Estimator:
    """The coincidence matrix (q, q) of values: each item adds its ordered pairs over its number of ratings less one."""
    counts = counts_of(grid, scale)
    counts = counts * (counts.sum(axis=1, keepdims=True) >= 2)
    number = counts.sum(axis=1)
    q = counts.shape[1]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(q)
    parts = (pairs / np.maximum(number - 1, 1)[:, None, None]).reshape(len(counts), -1)

    def statistic(totals: Floats) -> Floats:
        matrix = totals.reshape(*totals.shape[:-1], q, q)
        margin = matrix.sum(axis=-1)
        n = margin.sum(axis=-1)
        apart = _ordinal(margin) if name == "alpha_ordinal" else np.broadcast_to(1 - np.eye(q), matrix.shape)
        observed = np.sum(matrix * apart, axis=(-2, -1)) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = np.einsum("...i,...j,...ij->...", margin, margin, apart) / (n * (n - 1))
            return np.where(expected > 0, 1 - observed / expected, np.nan)[..., None]

    return Estimator(grid.by_subject(parts), statistic)


def _ordinal(margin: Floats) -> Floats:
    """Squared ordinal distance: all values between two categories, and half of the two themselves."""
    upto = np.cumsum(margin, axis=-1) - margin / 2
    return np.asarray((upto[..., :, None] - upto[..., None, :]) ** 2)
