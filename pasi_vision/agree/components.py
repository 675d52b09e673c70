"""Variance components of items x raters and their replicates: what the ICC forms and the SEM are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.ratings import Grid
from pasi_vision.agree.reml import Layout, fit_one_way, fit_two_way, item_sums
from pasi_vision.agree.resample import Resampling, replicates

__all__ = ["Components", "MeanSquares", "Replicates", "components", "mean_squares", "resampled_components"]

Floats = NDArray[np.float64]

_CHUNK = 4_000_000  # numbers of replicate sums held at once


@dataclass(frozen=True)
class Components:
    """Variance components, each (...,): two-way item, rater, residual; one-way item and within; and the rater effects (..., k)."""

    item: Floats
    rater: Floats
    residual: Floats
    one_way_item: Floats
    one_way_within: Floats
    effects: Floats


@dataclass(frozen=True)
class MeanSquares:
    """The analysis of variance of a complete table of n items by k raters (Shrout & Fleiss 1979; McGraw & Wong 1996)."""

    n: int
    k: int
    rows: float
    columns: float
    error: float
    within: float


@dataclass(frozen=True)
class Replicates:
    """Components of all ratings (1,) and of each bootstrap replicate of subjects (B,)."""

    point: Components
    drawn: Components


def mean_squares(values: Floats) -> MeanSquares:
    """Mean squares of a complete (n, k) table."""
    n, k = values.shape
    grand = values.mean()
    rows = k * np.sum((values.mean(axis=1) - grand) ** 2)
    columns = n * np.sum((values.mean(axis=0) - grand) ** 2)
    residual = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + grand
    error = np.sum(residual**2)
    return MeanSquares(
        n, k, rows / (n - 1), columns / (k - 1), error / ((n - 1) * (k - 1)), (columns + error) / (n * (k - 1))
    )


def components(grid: Grid) -> Components:
    """Components of one grid: analysis of variance when complete, REML when cells are missing."""
    values = grid.values - np.nanmean(grid.values)
    if grid.is_complete:
        return _anova(_complete_sums(values).sum(axis=0)[None], values.shape[1])
    layout, parts = item_sums(values)
    totals = parts.sum(axis=0)[None]
    two, one = fit_two_way(layout, totals), fit_one_way(layout, totals)
    return Components(two.item, two.rater, two.residual, one.item, one.residual, two.effects)


def resampled_components(grid: Grid, resampling: Resampling) -> Replicates:
    """Components of the grid and of every bootstrap replicate of subjects."""
    values = grid.values - np.nanmean(grid.values)
    k = values.shape[1]
    weights = replicates(grid.n_subjects, resampling.n, resampling.seed)
    if grid.is_complete:
        parts = grid.by_subject(_complete_sums(values))
        total = parts.sum(axis=0)
        return Replicates(_anova(total[None], k), _anova(weights @ parts, k))
    layout, item_parts = item_sums(values)
    parts = grid.by_subject(item_parts)
    total = parts.sum(axis=0)
    point = _reml(layout, total[None], None)
    floor = 1e-4
    start = (
        float(max(point.item[0] / point.residual[0], floor)),
        float(max(point.rater[0] / point.residual[0], floor)),
    )
    size = max(1, _CHUNK // parts.shape[1])
    drawn = [_reml(layout, weights[at : at + size] @ parts, start) for at in range(0, len(weights), size)]
    return Replicates(point, _joined(drawn))


def _complete_sums(values: Floats) -> Floats:
    """What each item of a complete (centred) table adds: 1, T, T^2, its ratings, their squares."""
    total = values.sum(axis=1, keepdims=True)
    return np.concatenate(
        [np.ones_like(total), total, total**2, np.sum(values**2, axis=1, keepdims=True), values], axis=1
    )


def _anova(totals: Floats, k: int) -> Components:
    n, total, squared, squares = (totals[:, at] for at in range(4))
    column = totals[:, 4:]
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = total**2 / (n * k)
        rows = squared / k - correction
        columns = np.sum(column**2, axis=1) / n - correction
        error = np.maximum(squares - correction - rows - columns, 0.0)
        ms_rows, ms_columns, ms_error = rows / (n - 1), columns / (k - 1), error / ((n - 1) * (k - 1))
        ms_within = (columns + error) / (n * (k - 1))
        effects = column / n[:, None] - (total / (n * k))[:, None]
        return Components(
            (ms_rows - ms_error) / k,
            (ms_columns - ms_error) / n,
            ms_error,
            (ms_rows - ms_within) / k,
            ms_within,
            effects,
        )


def _reml(layout: Layout, totals: Floats, start: tuple[float, float] | None) -> Components:
    two, one = fit_two_way(layout, totals, start), fit_one_way(layout, totals)
    return Components(two.item, two.rater, two.residual, one.item, one.residual, two.effects)


def _joined(parts: list[Components]) -> Components:
    names = ("item", "rater", "residual", "one_way_item", "one_way_within", "effects")
    return Components(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
