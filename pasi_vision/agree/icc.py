"""Intraclass correlation in the forms of McGraw & Wong (1996), the standard error of measurement and the minimal detectable change.

Complete ratings of independent subjects get the published intervals from the analysis of variance. When cells are missing, or a
subject comes to several visits, components are fitted by REML and the intervals come from a bootstrap of subjects; the spread between
raters cannot be learned by drawing subjects, so its part is drawn from its own chi-squared pivot (see docs/agreement.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pasi_vision.agree.components import Components, MeanSquares, mean_squares, resampled_components
from pasi_vision.agree.pivots import one_way_pivots, percentile, pivots, residual_squares
from pasi_vision.agree.ratings import Grid, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.spread import chi_squared_limits, is_uneven, ratio_limits, variance_limits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ICC_FORMS", "icc", "icc_of_grid", "one_way_of_grid"]

Floats = NDArray[np.float64]

ICC_FORMS = ("icc_1", "icc_1k", "icc_a1", "icc_ak", "icc_c1", "icc_ck")
_ALL = (*ICC_FORMS, "sem", "sem_consistency", "mdc95")
_SOURCE = "McGraw & Wong, Psychol Methods 1996;1:30-46; Shrout & Fleiss, Psychol Bull 1979;86:420-428"
_SEM_SOURCE = "de Vet et al., J Clin Epidemiol 2006;59:1033-1039"
_MDC = 1.96 * np.sqrt(2)
_ONE_WAY = "the interval takes the raters of each subject as drawn anew; where the same raters rate everybody it is too narrow: use icc_a1"


def icc(ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None) -> list[Agreement]:
    """The six ICC forms, `sem`, `sem_consistency` and `mdc95` between raters (each rater's first reading).

    icc_1, icc_1k: one-way; icc_a1, icc_ak: two-way random, absolute agreement; icc_c1, icc_ck: two-way, consistency. "1" is a single
    rater, "k" the mean of as many raters as there are. With several visits an item is a subject at a visit.
    sem = sqrt(rater + residual variance), in the unit of the scale; mdc95 = 1.96 sqrt(2) sem.

    Args:
        ratings: Ratings or a frame (`ratings_from`).
        resampling: Level, bootstrap replicates and seed.

    Returns:
        One record per statistic; without a value, and with the reason, where there are too few raters or subjects or no variation.
    """
    return icc_of_grid(ratings_from(ratings).grid, resampling or Resampling())


def icc_of_grid(grid: Grid, resampling: Resampling) -> list[Agreement]:
    """The same for a grid."""
    why_not = _obstacle(grid)
    if why_not:
        return unanswered(grid.basis, _ALL, why_not, "intraclass correlation", _SOURCE)
    if grid.is_complete and grid.one_item_each:
        return _analytic(grid, resampling)
    return _resampled(grid, resampling)


def one_way_of_grid(grid: Grid, resampling: Resampling) -> Agreement:
    """icc_1 of columns that are mere repetitions (readings), so that nothing is learned or assumed about a spread between them."""
    why_not = _obstacle(grid)
    if why_not:
        return unanswered(grid.basis, ["icc_1"], why_not, "intraclass correlation", _SOURCE)[0]
    fitted = resampled_components(grid, resampling)
    true, error = one_way_pivots(fitted, grid, resampling)
    low, high = percentile(true / (true + error), grid.n_subjects, resampling)
    if grid.is_complete and grid.one_item_each:
        record = replace(_analytic(grid, resampling)[0], reason="; ".join(grid.basis.notes) or None)
        squares = np.sum((grid.values - grid.values.mean(axis=1, keepdims=True)) ** 2, axis=1)
        level = grid.values.mean(axis=1)
        uneven = not resampling.published and is_uneven(level, np.sqrt(squares), grid.item_subject)
        if not uneven or record.low is None or record.high is None or not np.isfinite([low, high]).all():
            return record
        method = f"{record.method}, widened for uneven spread"
        return replace(record, low=min(record.low, low), high=max(record.high, high), method=method)
    point = fitted.point
    value = float(point.one_way_item[0] / (point.one_way_item[0] + point.one_way_within[0]))
    method = "one-way REML; studentised bootstrap of subjects on the logarithm of the mean squares"
    return answered(grid.basis, "icc_1", (value, low, high), method, _SOURCE)


def _obstacle(grid: Grid) -> str:
    values = grid.values
    if values.shape[1] < 2:
        return "there is one rater only"
    if grid.n_subjects < 2:
        return "too few subjects: there is one only"
    shared = np.sum((~np.isnan(values)).sum(axis=1) >= 2)
    if shared < 2:
        return f"too few items that two raters rated: {shared}"
    seen = values[~np.isnan(values)]
    if np.ptp(seen) == 0:
        return f"no variation: every rating is {seen[0]:g}"
    return ""


def _analytic(grid: Grid, resampling: Resampling) -> list[Agreement]:
    ms, basis = mean_squares(grid.values), grid.basis
    n, k = ms.n, ms.k
    within_f = _f_limits(ms.rows, ms.within, n - 1, n * (k - 1), resampling.level)
    error_f = _f_limits(ms.rows, ms.error, n - 1, (n - 1) * (k - 1), resampling.level)
    one = (_ratio(ms.rows - ms.within, ms.rows + (k - 1) * ms.within), *((f - 1) / (f + k - 1) for f in within_f))
    consistent = (_ratio(ms.rows - ms.error, ms.rows + (k - 1) * ms.error), *((f - 1) / (f + k - 1) for f in error_f))
    agreed = _agreement_limits(ms, resampling.level)
    single = {"icc_1": one, "icc_a1": agreed, "icc_c1": consistent}
    records = []
    for name, estimate in single.items():
        method = "analysis of variance, F interval" + (
            " with Satterthwaite degrees of freedom" if name == "icc_a1" else ""
        )
        warned = replace(basis, notes=(*basis.notes, _ONE_WAY)) if name == "icc_1" else basis
        records.append(answered(warned, name, estimate, method, _SOURCE))
        average = [k * x / (1 + (k - 1) * x) if 1 + (k - 1) * x > 0 else -np.inf for x in estimate]
        records.append(answered(warned, _averaged(name), average, f"{method}; mean of {k} raters", _SOURCE))
    return [*records, *_analytic_sem(ms, grid, resampling)]


def _averaged(name: str) -> str:
    return "icc_1k" if name == "icc_1" else f"{name[:-1]}k"


def _f_limits(top: float, bottom: float, d1: int, d2: int, level: float) -> tuple[float, float]:
    if bottom <= 0:
        return (np.inf, np.inf)
    tail = (1 - level) / 2
    observed = top / bottom
    return observed / stats.f.ppf(1 - tail, d1, d2), observed * stats.f.ppf(1 - tail, d2, d1)


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else np.nan


def _agreement_limits(ms: MeanSquares, level: float) -> tuple[float, float, float]:
    """ICC(A,1) and its interval (McGraw & Wong 1996, table 7; the same as Shrout & Fleiss 1979 for ICC(2,1))."""
    n, k = ms.n, ms.k
    rho = _ratio(ms.rows - ms.error, ms.rows + (k - 1) * ms.error + k * (ms.columns - ms.error) / n)
    if not rho < 1:
        return rho, rho, rho
    a = k * rho / (n * (1 - rho))
    b = 1 + k * rho * (n - 1) / (n * (1 - rho))
    spread = (a * ms.columns) ** 2 / (k - 1) + (b * ms.error) ** 2 / ((n - 1) * (k - 1))
    if spread <= 0:
        return rho, np.nan, np.nan
    v = (a * ms.columns + b * ms.error) ** 2 / spread
    tail = (1 - level) / 2
    f_low, f_high = stats.f.ppf(1 - tail, n - 1, v), stats.f.ppf(1 - tail, v, n - 1)
    shared = k * ms.columns + (k * n - k - n) * ms.error
    low = n * (ms.rows - f_low * ms.error) / (f_low * shared + n * ms.rows)
    high = n * (f_high * ms.rows - ms.error) / (shared + n * f_high * ms.rows)
    return rho, float(low), float(high)


def _analytic_sem(ms: MeanSquares, grid: Grid, resampling: Resampling) -> list[Agreement]:
    """sqrt(MSC / n + (n - 1) / n MSE): a sum of independent mean squares, MOVER from the limits of each (Graybill & Wang 1980)."""
    n, k, basis = ms.n, ms.k, grid.basis
    columns, error = ms.columns / n, ms.error * (n - 1) / n
    squares, degrees = residual_squares(grid.values)
    low, high, uneven = variance_limits(
        ms.error, grid.values.mean(axis=1), squares, degrees * (n - 1) / n, grid.item_subject, resampling
    )
    columns_low, columns_high = chi_squared_limits(columns, k - 1, resampling)
    down = np.hypot(columns - columns_low, error * (1 - low / ms.error) if ms.error > 0 else 0.0)
    up = np.hypot(columns_high - columns, error * (high / ms.error - 1) if ms.error > 0 else 0.0)
    total = columns + error
    agreement = np.sqrt([total, max(total - down, 0.0), total + up])
    consistent = np.sqrt([ms.error, low, high])
    robust = ", widened for uneven spread" if uneven else ""
    method = f"analysis of variance, interval after Graybill & Wang (1980){robust}"
    own = f"analysis of variance, chi-squared interval{robust}"
    return [
        answered(basis, "sem", agreement.tolist(), method, _SEM_SOURCE),
        answered(basis, "sem_consistency", consistent.tolist(), own, _SEM_SOURCE),
        answered(basis, "mdc95", (_MDC * agreement).tolist(), f"1.96 sqrt(2) sem; {method}", _SEM_SOURCE),
    ]


def _resampled(grid: Grid, resampling: Resampling) -> list[Agreement]:
    k = grid.values.shape[1]
    fitted = resampled_components(grid, resampling)
    drawn = pivots(fitted, grid, resampling)
    fit = "analysis of variance" if grid.is_complete else "REML"
    records = []
    for name, form in _forms(k).items():
        value = float(form(fitted.point)[0])
        if name == "sem_consistency":
            squares, degrees = residual_squares(grid.values)
            low, high = value * np.sqrt(ratio_limits(squares, degrees, grid.item_subject, resampling))
            how = "studentised bootstrap of subjects"
        else:
            low, high = percentile(form(drawn), grid.n_subjects, resampling)
            pivot = "" if name.startswith("icc_c") else " with a chi-squared pivot for raters"
            how = f"studentised bootstrap of subjects on the logarithm of the mean squares{pivot}"
        source = _SOURCE if name.startswith("icc") else _SEM_SOURCE
        mean_of = f"; mean of {k} raters" if name.endswith("k") else ""
        records.append(answered(grid.basis, name, (value, low, high), f"{fit}; {how}{mean_of}", source))
    return records


def _forms(k: int) -> dict[str, Callable[[Components], Floats]]:
    def share(true: Floats, error: Floats) -> Floats:
        total = true + error
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, true / total, np.nan)

    return {
        "icc_1": lambda c: share(c.one_way_item, c.one_way_within),
        "icc_1k": lambda c: share(c.one_way_item, c.one_way_within / k),
        "icc_a1": lambda c: share(c.item, c.rater + c.residual),
        "icc_ak": lambda c: share(c.item, (c.rater + c.residual) / k),
        "icc_c1": lambda c: share(c.item, c.residual),
        "icc_ck": lambda c: share(c.item, c.residual / k),
        "sem": lambda c: np.sqrt(np.maximum(c.rater + c.residual, 0.0)),
        "sem_consistency": lambda c: np.sqrt(np.maximum(c.residual, 0.0)),
        "mdc95": lambda c: _MDC * np.sqrt(np.maximum(c.rater + c.residual, 0.0)),
    }
