"""Agreement of any number of raters on categories: exact, within one, Fleiss' kappa, AC1, AC2 and Krippendorff's alpha.

All are functions of how many raters chose each category of an item, so missing ratings need no imputation. Intervals take the raters
as given and the subjects as drawn: the statistic is linearised by subject (Gwet 2014, section 5), t with n - 1 degrees of freedom. That
is symmetric, and too high for AC2, which lies near 1: AC2 gets the studentised bootstrap (`Resampling(published=True)`: Gwet's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.kappa import agreement_weights, category_positions, undeclared
from pasi_vision.agree.ratings import Grid, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Estimator, Resampling, delta, wilson
from pasi_vision.agree.scale import Scale, ScaleKind
from pasi_vision.agree.studentised import FISHER_Z, STUDENTISED_SOURCE, studentised

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chance_corrected", "chance_of_grid", "exact", "exact_of_grid"]

Floats = NDArray[np.float64]

_FLEISS = "Fleiss, Psychol Bull 1971;76:378-382; Gwet, Handbook of Inter-Rater Reliability, 4th ed., 2014"
_GWET = "Gwet, Br J Math Stat Psychol 2008;61:29-48; Gwet, Handbook of Inter-Rater Reliability, 4th ed., 2014"
_EXACT = (
    "Wilson, J Am Stat Assoc 1927;22:209-212; Korn & Graubard, Surv Methodol 1998;24:193-201 (effective sample size)"
)


def chance_corrected(
    ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None, *, scale: str | Scale | None = None
) -> list[Agreement]:
    """fleiss_kappa and ac1, and ac2 (quadratic weights) on an ordinal scale, of all raters (first readings).

    Numbers of raters may differ between items (Gwet's generalisation): an item with one rating counts in the prevalence only.
    """
    made = ratings_from(ratings, scale=scale)
    return chance_of_grid(made.grid, made.scale, resampling or Resampling())


def exact(
    ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None, *, scale: str | Scale | None = None
) -> list[Agreement]:
    """exact and within_one: shares of pairs of ratings of one item that are the same, or at most one category apart."""
    made = ratings_from(ratings, scale=scale)
    return exact_of_grid(made.grid, made.scale, resampling or Resampling())


def chance_of_grid(grid: Grid, scale: Scale, resampling: Resampling) -> list[Agreement]:
    """fleiss_kappa, ac1, ac2 of a grid."""
    names = ("fleiss_kappa", "ac1") if scale.kind is ScaleKind.NOMINAL else ("fleiss_kappa", "ac1", "ac2")
    sources = {"fleiss_kappa": _FLEISS, "ac1": _GWET, "ac2": _GWET}
    why_not = undeclared(scale) or obstacle(grid)
    if why_not:
        return [
            r
            for name in names
            for r in unanswered(grid.basis, [name], why_not, "chance-corrected agreement", sources[name])
        ]
    parts = grid.by_subject(_gwet_parts(counts_of(grid, scale), scale))
    paired_share = float(parts[:, 0].sum() / parts[:, 4].sum())
    estimator = Estimator(parts, lambda totals: _gwet(totals, scale, paired_share))
    how = {"fleiss_kappa": "Fleiss' kappa", "ac1": "Gwet's AC1", "ac2": "Gwet's AC2, quadratic weights"}
    lone = _lone_category(grid, scale)
    records = []
    for at, name in enumerate(names):
        estimate = t_interval(estimator, at, grid.n_subjects, resampling) if not lone else (np.nan, np.nan, np.nan)
        method, source = f"{how[name]}, linearised by subject, t interval", sources[name]
        if name == "ac2" and not lone and not resampling.published:
            better = studentised(estimator, FISHER_Z, resampling).of(at)
            if np.isfinite(better).all():
                estimate, source = better, f"{source}; {STUDENTISED_SOURCE}"
                method = f"{how[name]}, studentised bootstrap of subjects on Fisher's z"
        records.append(answered(grid.basis, name, estimate, method, source, caution=lone))
    return records


def exact_of_grid(grid: Grid, scale: Scale, resampling: Resampling) -> list[Agreement]:
    """exact and within_one of a grid."""
    names = ("exact",) if scale.kind is ScaleKind.NOMINAL else ("exact", "within_one")
    why_not = undeclared(scale) or obstacle(grid)
    if why_not:
        return unanswered(grid.basis, names, why_not, "proportion of agreement", _EXACT)
    counts = counts_of(grid, scale)
    number = counts.sum(axis=1)
    same = np.sum(counts * (counts - 1), axis=1)
    near = same + 2 * np.sum(counts[:, :-1] * counts[:, 1:], axis=1)
    parts = grid.by_subject(np.stack([number * (number - 1), same, near], axis=1))
    estimator = Estimator(parts, lambda totals: totals[..., 1:] / totals[..., :1])
    lone = _lone_category(grid, scale)
    records = []
    for at, name in enumerate(names):
        share, error = float(estimator.value[at]), float(delta(estimator)[at])
        limits = wilson(share, error, grid.n_subjects, resampling.t(grid.n_subjects - 1))
        estimate = (share, *limits) if not lone else (np.nan, np.nan, np.nan)
        note = f"{lone}; all pairs of ratings are the same" if lone else ""
        method = "share of pairs of ratings, Wilson interval with the effective number of subjects"
        records.append(answered(grid.basis, name, estimate, method, _EXACT, caution=note))
    return records


def counts_of(grid: Grid, scale: Scale) -> Floats:
    """(items, q) how many raters chose each category of an item."""
    items, raters = np.nonzero(~np.isnan(grid.values))
    counts = np.zeros((len(grid.values), len(scale.categories)))
    np.add.at(counts, (items, category_positions(grid.values[items, raters], scale)), 1.0)
    return counts


def obstacle(grid: Grid) -> str:
    """Why raters cannot be compared on this grid; "" when they can."""
    if grid.values.shape[1] < 2:
        return "there is one rater only"
    paired = (~np.isnan(grid.values)).sum(axis=1) >= 2
    subjects = len(np.unique(grid.item_subject[paired]))
    if subjects < 2:
        return f"too few subjects that two raters rated: {subjects}"
    return ""


def t_interval(estimator: Estimator, at: int, n_subjects: int, resampling: Resampling) -> tuple[float, float, float]:
    """Value and t interval of one statistic, cut at 1; no limits without any variation between subjects."""
    value, error = float(estimator.value[at]), float(delta(estimator)[at])
    if not error > 1e-9:
        return value, np.nan, np.nan
    half = resampling.t(n_subjects - 1) * error
    return value, max(value - half, -1.0), min(value + half, 1.0)


def _lone_category(grid: Grid, scale: Scale) -> str:
    seen = np.unique(grid.values[~np.isnan(grid.values)])
    if len(seen) > 1:
        return ""
    return f"no variation: every rating is {scale.labels[int(category_positions(seen, scale)[0])]}"


def _gwet_parts(counts: Floats, scale: Scale) -> Floats:
    """What an item adds: 1 if paired, its three weighted agreements, 1 if rated, its shares of the categories."""
    number = counts.sum(axis=1)
    paired = number >= 2
    weights = agreement_weights(scale)
    near = np.einsum("iq,wqr->wir", counts, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.sum(counts * (near - 1), axis=2) / (number * (number - 1))
        shares = counts / number[:, None]
    seen = np.where(paired, seen, 0.0)
    shares = np.where(number[:, None] > 0, shares, 0.0)
    return np.concatenate([paired[:, None], seen.T, (number > 0)[:, None], shares], axis=1).astype(np.float64)


def _gwet(totals: Floats, scale: Scale, paired_share: float) -> Floats:
    """(..., p) -> fleiss_kappa, ac1, ac2.

    `paired_share`, the share of rated items that two raters rated, is held fixed: so an item that one rater rated counts in the variance
    as in Gwet's formula (and in R's irrCAC), where it adds 0 to the observed agreement.
    """
    weights = agreement_weights(scale)
    q = weights.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        paired, rated = totals[..., 0], totals[..., 4]
        share = totals[..., 5:] / rated[..., None]
        chance_fleiss = np.sum(share**2, axis=-1)
        spread = np.sum(share * (1 - share), axis=-1) / (q * (q - 1))
        values = [
            np.where(
                1 - chance > 1e-12, (totals[..., at] - chance * paired) / (paired_share * rated * (1 - chance)), np.nan
            )
            for at, chance in ((1, chance_fleiss), (1, weights[0].sum() * spread), (3, weights[2].sum() * spread))
        ]
    return np.stack(values, axis=-1)
