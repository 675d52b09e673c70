"""Intra-rater agreement: how far a rater agrees with his or her own further readings. Kept apart from agreement between raters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pasi_vision.agree.chance import exact_of_grid
from pasi_vision.agree.icc import one_way_of_grid
from pasi_vision.agree.kappa import kappa_of_pair
from pasi_vision.agree.pairs import Pair
from pasi_vision.agree.ratings import Grid, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.spread import ratio_limits, variance_limits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["intra_rater"]

_SOURCE = "Bland & Altman, BMJ 1996;313:744; Shrout & Fleiss, Psychol Bull 1979;86:420-428"


def intra_rater(ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None) -> list[Agreement]:
    """Per rater with further readings: intra_icc_1, intra_sem, intra_mdc95, intra_bias (second minus first), and on a categorical
    scale intra_exact, intra_within_one and intra_kappa_*. The subset is `rater=...`.
    """
    made = ratings_from(ratings)
    resampling = resampling or Resampling()
    repeated = [name for at, name in enumerate(made.raters) if (made.cells.count[:, at] > 1).any()]
    if not repeated:
        reason = "nobody read anything twice"
        return unanswered(made.basis, ["intra_icc_1", "intra_sem"], reason, "intra-rater agreement", _SOURCE)
    return [record for name in repeated for record in _one_rater(made, name, resampling)]


def _one_rater(ratings: Ratings, name: str, resampling: Resampling) -> list[Agreement]:
    grid = _reading_grid(ratings, name)
    records = []
    if ratings.scale.is_numeric:
        records += [one_way_of_grid(grid, resampling), *_error(grid, resampling)]
    if ratings.scale.is_categorical:
        first, second = grid.values[:, 0], grid.values[:, 1]
        both = ~np.isnan(first) & ~np.isnan(second)
        subjects, owner = np.unique(grid.item_subject[both], return_inverse=True)
        basis = replace(grid.basis, n_subjects=len(subjects), n_ratings=2 * int(both.sum()))
        pair = Pair(
            "second reading", "first", second[both], first[both], owner.astype(np.int64), np.flatnonzero(both), basis
        )
        records += kappa_of_pair(pair, ratings.scale, resampling)
        records += exact_of_grid(grid, ratings.scale, resampling)
    return [replace(record, statistic=f"intra_{record.statistic}") for record in records]


def _reading_grid(ratings: Ratings, name: str) -> Grid:
    """(items, readings) values of one rater, for the items read at least twice; readings in their order."""
    mine = ratings.of_raters((name,))
    order = np.lexsort((mine.reading, mine.item))
    item, value = mine.item[order], mine.value[order]
    start = np.r_[0, np.flatnonzero(np.diff(item)) + 1]
    count = np.diff(np.r_[start, len(item)])
    place = np.arange(len(item)) - np.repeat(start, count)
    values = np.full((len(start), int(count.max())), np.nan)
    values[item, place] = value
    keep = count > 1
    subjects, owner = np.unique(mine.item_subject[keep], return_inverse=True)
    single = int((~keep).sum())
    notes = (f"{single} items that this rater read once",) if single else ()
    subset = f"rater={name}" if ratings.subset is None else f"{ratings.subset}; rater={name}"
    basis = Basis(subset, len(subjects), int(count[keep].sum()), single, notes)
    return Grid(values[keep], owner.astype(np.int64), basis)


def _error(grid: Grid, resampling: Resampling) -> list[Agreement]:
    """Within-rater standard deviation, repeatability and the shift from the first to the second reading."""
    values, n = grid.values, grid.n_subjects
    method = "within-item standard deviation of one rater's readings"
    if n < 2:
        reason = f"too few subjects read twice: {n}"
        return unanswered(grid.basis, ["sem", "mdc95", "bias"], reason, method, _SOURCE)
    mean = np.nanmean(values, axis=1, keepdims=True)
    squares, degrees = np.nansum((values - mean) ** 2, axis=1), (~np.isnan(values)).sum(axis=1) - 1.0
    variance = squares.sum() / degrees.sum()
    owner = grid.item_subject
    if grid.one_item_each:
        low, high, uneven = variance_limits(variance, mean[:, 0], squares, degrees, owner, resampling)
        method += ", chi-squared interval" + (" widened for uneven spread" if uneven else "")
    else:
        low, high = variance * np.array(ratio_limits(squares, degrees, owner, resampling))
        method += ", studentised bootstrap of subjects"
    sem = np.sqrt([variance, low, high])
    shift = values[:, 1] - values[:, 0]
    sums = np.bincount(grid.item_subject, weights=shift - shift.mean(), minlength=n)
    half = resampling.t(n - 1) * np.sqrt(n / (n - 1) * np.sum(sums**2)) / len(shift)
    bias = (shift.mean(), shift.mean() - half, shift.mean() + half)
    return [
        answered(grid.basis, "sem", sem.tolist(), method, _SOURCE),
        answered(grid.basis, "mdc95", (1.96 * np.sqrt(2) * sem).tolist(), f"1.96 sqrt(2) sem; {method}", _SOURCE),
        answered(grid.basis, "bias", bias, "second minus first reading, t interval by subject", _SOURCE),
    ]
