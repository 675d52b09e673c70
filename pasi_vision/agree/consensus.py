"""A rater beside the others: the consensus without that rater, the human ceiling, and individual equivalence.

Whether a model may stand in for a rater is a comparison: model against rater, beside rater against rater from the same data.
"""

from __future__ import annotations

import numpy as np

from pasi_vision.agree.chance import exact_of_grid
from pasi_vision.agree.icc import icc_of_grid
from pasi_vision.agree.kappa import kappa_of_pair, light_kappa
from pasi_vision.agree.limits import limits_of_pair
from pasi_vision.agree.pairs import Pair, Repeated
from pasi_vision.agree.ratings import Floats, Grid, Ratings
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.regression import ccc_of_pair
from pasi_vision.agree.resample import Estimator, Resampling
from pasi_vision.agree.studentised import LOG, PLAIN, studentised

__all__ = ["OTHERS", "against_others", "beside_others", "consensus_values", "individual_equivalence"]

OTHERS = "the others"
_CEILING = "Lord & Novick, Statistical Theories of Mental Test Scores, 1968, sections 3.9 and 5.10"
_EQUIVALENCE = (
    "Obuchowski, Subhas & Schoenhagen, Acad Radiol 2014;21:1483-1489; "
    "Barnhart, Kosinski & Haber, J Biopharm Stat 2007;17:697-719"
)


def beside_others(ratings: Ratings, rater: str, models: tuple[str, ...], resampling: Resampling) -> list[Agreement]:
    """Everything about one rater beside the others, who are the raters that are neither this one nor a model."""
    others = tuple(name for name in ratings.raters if name != rater and name not in models)
    if len(others) < 2:
        return []
    records = against_others(ratings, rater, others, resampling)
    if ratings.scale.is_numeric:
        records += individual_equivalence(ratings, rater, others, resampling)
    return records + _ceiling(ratings, rater, others, resampling)


def consensus_values(ratings: Ratings, others: tuple[str, ...]) -> Floats:
    """(items,) mean of the others' first readings (on a categorical scale the median's category); NaN without any."""
    columns = ratings.grid.values[:, [ratings.rater_position(name) for name in others]]
    seen = ~np.isnan(columns)
    number = seen.sum(axis=1)
    if not ratings.scale.is_categorical:
        total = np.where(seen, columns, 0.0).sum(axis=1)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)
    # The lower median is a grade that someone gave; a mean of grades is none.
    ordered = np.sort(np.where(seen, columns, np.inf), axis=1)
    middle = ordered[np.arange(len(ordered)), np.maximum((number - 1) // 2, 0)]
    return np.where(number > 0, middle, np.nan)


def against_others(ratings: Ratings, rater: str, others: tuple[str, ...], resampling: Resampling) -> list[Agreement]:
    """The rater against the consensus of the others (never including the rater): limits of agreement, ccc, kappa."""
    pair = _consensus_pair(ratings, rater, others)
    records: list[Agreement] = []
    if ratings.scale.is_categorical:
        records += kappa_of_pair(pair, ratings.scale, resampling)
    if ratings.scale.is_numeric:
        one = np.ones_like(pair.x)
        repeated = Repeated(
            rater, OTHERS, pair.y - pair.x, (pair.y + pair.x) / 2, pair.owner, (one, one), (0.0, 0.0), pair.basis
        )
        records += [*limits_of_pair(repeated, resampling), *ccc_of_pair(pair, resampling)]
    return records


def individual_equivalence(
    ratings: Ratings, rater: str, others: tuple[str, ...], resampling: Resampling
) -> list[Agreement]:
    """Are differences between this rater and the others larger than differences among the others?

    individual_equivalence is the mean squared difference rater-other minus other-other (0: interchangeable; its upper limit is what is
    tested against a margin), individual_equivalence_ratio their ratio (1: interchangeable). Both over pairs of first readings of an item.
    """
    names = ("individual_equivalence", "individual_equivalence_ratio")
    values = ratings.grid.values
    mine = values[:, ratings.rater_position(rater)]
    columns = values[:, [ratings.rater_position(name) for name in others]]
    seen = ~np.isnan(columns)
    # Only items that this rater and two others rated, so that both sides speak of the same items.
    usable = ~np.isnan(mine) & (seen.sum(axis=1) >= 2)
    subset = _subset(ratings, f"{rater} vs {OTHERS}")
    subjects, owner = np.unique(ratings.grid.item_subject[usable], return_inverse=True)
    used = int(usable.sum() + seen[usable].sum())
    dropped = int((~np.isnan(mine)).sum() + seen.sum()) - used
    basis = Basis(
        subset, len(subjects), used, dropped, (f"{dropped} ratings of items without two others",) if dropped else ()
    )
    method = "mean squared differences of single readings, studentised bootstrap of subjects"
    if len(subjects) < 4:
        return unanswered(basis, names, f"too few subjects: {len(subjects)}", method, _EQUIVALENCE)
    x, y, here = columns[usable], mine[usable, None], seen[usable]
    number = here.sum(axis=1).astype(float)
    outside = np.where(here, (x - y) ** 2, 0.0).sum(axis=1)
    total, square = np.where(here, x - y, 0.0).sum(axis=1), outside
    among = number * square - total**2  # sum over pairs of squared differences
    parts = np.zeros((len(subjects), 4))
    np.add.at(parts, owner, np.stack([outside, number, among, number * (number - 1) / 2], axis=1))

    def two(totals: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            apart, together = totals[..., 0] / totals[..., 1], totals[..., 2] / totals[..., 3]
            return np.stack([apart - together, np.where(together > 0, apart / together, np.nan)], axis=-1)

    if not parts[:, [0, 2]].any():
        return unanswered(basis, names, "no variation: nobody differs from anybody", method, _EQUIVALENCE)
    estimator = Estimator(parts, two)
    plain, ratio = studentised(estimator, PLAIN, resampling).of(0), studentised(estimator, LOG, resampling).of(1)
    on_log = f"{method} on the logarithm"
    return [
        answered(basis, names[0], plain, method, _EQUIVALENCE),
        answered(basis, names[1], ratio, on_log, _EQUIVALENCE),
    ]


def _ceiling(ratings: Ratings, rater: str, others: tuple[str, ...], resampling: Resampling) -> list[Agreement]:
    """The others against each other, and what a perfect method would reach against one of them."""
    # The same items as the rater's, so that both figures are from the same data.
    rated = ~np.isnan(ratings.grid.values[:, ratings.rater_position(rater)])
    at = [ratings.rater_position(name) for name in others]
    rest = ratings.part(rated[ratings.item] & np.isin(ratings.rater, at), _subset(ratings, f"without {rater}"))
    if not rest.n_ratings or len(rest.raters) < 2:
        return []
    records: list[Agreement] = []
    if rest.scale.is_categorical:
        records += [*light_kappa(rest.grid, rest.scale, resampling), *exact_of_grid(rest.grid, rest.scale, resampling)]
    if rest.scale.is_numeric:
        found = icc_of_grid(rest.grid, resampling)
        records += [*found, *_perfect_method({record.statistic: record for record in found}, rest.grid)]
    return records


def _perfect_method(found: dict[str, Agreement], grid: Grid) -> list[Agreement]:
    """A method without any error still differs from one rater by that rater's error."""
    consistency, error = found["icc_c1"], found["sem"]
    ends = (consistency.value, consistency.low, consistency.high)
    correlation = [None if end is None else float(np.sqrt(max(end, 0.0))) for end in ends]
    errors = (error.value, error.low, error.high)
    single = [None if end is None else 1.96 * end for end in errors]
    double = [None if end is None else 1.96 * float(np.sqrt(2)) * end for end in errors]
    return [
        answered(
            grid.basis,
            "perfect_method_correlation",
            correlation,
            "sqrt(icc_c1): a perfect method against one rater",
            _CEILING,
        ),
        answered(
            grid.basis,
            "perfect_method_loa",
            single,
            "1.96 sem: half width of a perfect method's limits against one rater",
            _CEILING,
        ),
        answered(grid.basis, "rater_rater_loa", double, "1.96 sqrt(2) sem: half width of two raters' limits", _CEILING),
    ]


def _consensus_pair(ratings: Ratings, rater: str, others: tuple[str, ...]) -> Pair:
    grid = ratings.grid
    y, x = grid.values[:, ratings.rater_position(rater)], consensus_values(ratings, others)
    both = ~np.isnan(y) & ~np.isnan(x)
    subjects, owner = np.unique(grid.item_subject[both], return_inverse=True)
    used = ~np.isnan(grid.values[both][:, [ratings.rater_position(name) for name in others]])
    alone = int((~np.isnan(y)).sum() - both.sum())
    notes = (f"{alone} ratings of items that no other rated",) if alone else ()
    basis = Basis(_subset(ratings, f"{rater} vs {OTHERS}"), len(subjects), int(both.sum() + used.sum()), alone, notes)
    return Pair(rater, OTHERS, y[both], x[both], owner.astype(np.int64), np.flatnonzero(both), basis)


def _subset(ratings: Ratings, name: str) -> str:
    return name if ratings.subset is None else f"{ratings.subset}; {name}"
