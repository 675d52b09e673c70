"""Calibration of a rater's own intervals: how often they hold what the other raters gave."""

from __future__ import annotations

import numpy as np

from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.resample import Resampling, wilson

__all__ = ["interval_coverage"]

_SOURCE = "Gneiting, Balabdaoui & Raftery, J R Stat Soc B 2007;69:243-268"


def interval_coverage(ratings: Ratings, resampling: Resampling) -> list[Agreement]:
    """interval_coverage of each rater that gives intervals (a model): share of the others' first readings inside [low, high].

    A perfectly calibrated interval of the truth holds fewer single ratings than its nominal share, because raters err too.
    """
    if ratings.low is None or ratings.high is None:
        return []
    bounded = ~np.isnan(ratings.low) & ~np.isnan(ratings.high)
    records = []
    for at in np.unique(ratings.rater[bounded]):
        mine = bounded & (ratings.rater == at)
        low = np.full(len(ratings.item_subject), np.nan)
        high = low.copy()
        low[ratings.item[mine]], high[ratings.item[mine]] = ratings.low[mine], ratings.high[mine]
        values = ratings.grid.values.copy()
        values[:, at] = np.nan
        seen = ~np.isnan(values) & ~np.isnan(low)[:, None]
        inside = seen & (values >= low[:, None] - 1e-9) & (values <= high[:, None] + 1e-9)
        records.append(_record(ratings, str(ratings.raters[at]), inside, seen, resampling))
    return records


def _record(ratings: Ratings, rater: str, inside: np.ndarray, seen: np.ndarray, resampling: Resampling) -> Agreement:
    subset = f"rater={rater}" if ratings.subset is None else f"{ratings.subset}; rater={rater}"
    owner = ratings.item_subject
    number = np.bincount(owner, weights=seen.sum(axis=1), minlength=len(ratings.subjects))
    hits = np.bincount(owner, weights=inside.sum(axis=1), minlength=len(ratings.subjects))
    n = int((number > 0).sum())
    basis = Basis(subset, n, int(number.sum()), int((~np.isnan(ratings.grid.values)).sum() - number.sum()))
    method = "share of the others' readings inside the rater's interval, linearised by subject"
    if n < 2:
        return unanswered(basis, ["interval_coverage"], f"too few subjects: {n}", method, _SOURCE)[0]
    share = float(hits.sum() / number.sum())
    error = float(np.sqrt(n / (n - 1) * np.sum((hits - share * number) ** 2)) / number.sum())
    limits = wilson(share, error, n, resampling.t(n - 1))
    return answered(basis, "interval_coverage", (share, *limits), method, _SOURCE)
