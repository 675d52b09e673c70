"""Generalised pivots of the components of items x raters, from a bootstrap of subjects: what the intervals of the ICC are drawn from.

Mean squares vary like chi-squared variables, so each replicate is taken on the logarithm and mirrored: a pivot of a mean square M from
its replicate M* is M (M / M*)^(s / s*), where s and s* are the standard errors of the two logarithms (studentised bootstrap; with s = s*
it is plain mirroring). The standard errors are those of the pooled squares of the same subjects.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pasi_vision.agree.components import Components, Replicates
from pasi_vision.agree.ratings import Grid
from pasi_vision.agree.resample import Resampling, replicates
from pasi_vision.agree.spread import pooled_log

__all__ = ["one_way_pivots", "percentile", "pivots", "residual_squares"]

Floats = NDArray[np.float64]

_MOST_RATIO = 4.0  # of two standard errors: beyond, a replicate holds next to nothing


def pivots(fitted: Replicates, grid: Grid, resampling: Resampling) -> Components:
    """Pivots of item, rater and residual variance; icc_1 of named raters estimates the same share of them as icc_a1.

    The spread V of k rater effects estimates rater variance + noise, and (k - 1) V / (rater variance + noise) is chi-squared with
    k - 1 degrees of freedom; the noise is what the effects vary by when subjects are drawn again (Weerahandi 1995 for the idea).
    The chi-squared draws are stratified, so that their tails are met evenly.
    """
    point, drawn, k = fitted.point, fitted.drawn, grid.values.shape[1]
    spread = float(np.sum(point.effects**2) / (k - 1))
    noise = float(np.nanvar(drawn.effects, axis=0).sum() / (k - 1))
    n = len(drawn.item)
    generator = np.random.default_rng([resampling.seed, k])
    rater = np.maximum((k - 1) * spread / stats.chi2.ppf((generator.permutation(n) + 0.5) / n, k - 1) - noise, 0.0)
    between, within = _ratios(grid, resampling)
    item, residual = _mirrored(point.item, point.residual, drawn.item, drawn.residual, between, within, k)
    return Components(item, rater, residual, item, rater + residual, drawn.effects)


def one_way_pivots(fitted: Replicates, grid: Grid, resampling: Resampling) -> tuple[Floats, Floats]:
    """Pivots of the item and the within-item variance where raters are not told apart."""
    point, drawn, k = fitted.point, fitted.drawn, grid.values.shape[1]
    between, within = _ratios(grid, resampling)
    return _mirrored(
        point.one_way_item, point.one_way_within, drawn.one_way_item, drawn.one_way_within, between, within, k
    )


def percentile(drawn: Floats, n_subjects: int, resampling: Resampling) -> tuple[float, float]:
    """Percentile limits of pivots, widened for few subjects (Hesterberg 2015); NaN where too few are defined."""
    usable = drawn[np.isfinite(drawn)]
    if len(usable) < 0.9 * len(drawn) or len(usable) == 0 or n_subjects < 3:
        return np.nan, np.nan
    widened = resampling.t(n_subjects - 1) * np.sqrt(n_subjects / (n_subjects - 1))
    low, high = np.quantile(usable, stats.norm.cdf([-widened, widened]))
    return float(low), float(high)


def residual_squares(values: Floats) -> tuple[Floats, Floats]:
    """Per item of (items, raters): the squared residuals about item and rater, and their degrees of freedom."""
    number = (~np.isnan(values)).sum(axis=1)
    shifted, mean = _without_raters(values)
    return np.nansum((shifted - mean[:, None]) ** 2, axis=1), number - 1.0


def _without_raters(values: Floats) -> tuple[Floats, Floats]:
    """Values with each rater's mean deviation from the items taken off, and the items' means of them."""
    apart = values - np.nanmean(values, axis=1, keepdims=True)
    shifted = values - np.nanmean(apart, axis=0)
    return shifted, np.nanmean(shifted, axis=1)


def _ratios(grid: Grid, resampling: Resampling) -> tuple[Floats, Floats]:
    """(B,) s / s* of the mean squares between items and of the residuals; 1 where they cannot be told."""
    weights = replicates(grid.n_subjects, resampling.n, resampling.seed)
    squares, degrees = residual_squares(grid.values)
    _, mean = _without_raters(grid.values)
    between = (~np.isnan(grid.values)).sum(axis=1) * (mean - mean.mean()) ** 2
    found = []
    for q, d in ((between, np.ones_like(between)), (squares, degrees)):
        pooled = pooled_log(q, d, grid.item_subject, weights)
        ratio = np.ones(len(weights))
        if pooled is not None:
            usable = np.isfinite(pooled.drawn_error) & (pooled.drawn_error > 0)
            ratio[usable] = np.clip(pooled.error / pooled.drawn_error[usable], 1 / _MOST_RATIO, _MOST_RATIO)
        found.append(ratio)
    return found[0], found[1]


def _mirrored(
    item: Floats, error: Floats, items: Floats, errors: Floats, between: Floats, within: Floats, k: int
) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        error_pivot = error * (error / errors) ** within
        rows = item + error / k
        rows_pivot = rows * (rows / (items + errors / k)) ** between
    return np.maximum(rows_pivot - error_pivot / k, 0.0), error_pivot
