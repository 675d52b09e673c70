"""The whole audit: every statistic of all raters, of each pair, of each rater beside the others, and of each subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pasi_vision.agree.alpha import alpha_of_grid
from pasi_vision.agree.chance import chance_of_grid, exact_of_grid
from pasi_vision.agree.consensus import beside_others, consensus_values
from pasi_vision.agree.decisions import decisions
from pasi_vision.agree.drift import drift_slopes
from pasi_vision.agree.icc import icc_of_grid
from pasi_vision.agree.intervals import interval_coverage
from pasi_vision.agree.intra import intra_rater
from pasi_vision.agree.kappa import kappa_of_pair, light_kappa
from pasi_vision.agree.limits import limits_of_pair
from pasi_vision.agree.pairs import all_pairs, pair_of, repeated_of
from pasi_vision.agree.passing_bablok import passing_bablok_of_pair
from pasi_vision.agree.ratings import Floats, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement
from pasi_vision.agree.regression import ccc_of_pair, deming_of_pair
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.scale import Scale
from pasi_vision.agree.variance import variance_components
from pasi_vision.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUBGROUPS", "audit", "pair_coefficients", "subgroups", "with_severity"]

SUBGROUPS = ("region", "sign", "skin_tone", "site_id", "camera", "severity")
"""Columns that are looked into when they are there and nothing else is asked for."""

_MOST_GROUPS = 30


def audit(
    ratings: Ratings | pd.DataFrame,
    *,
    scale: str | Scale | None = None,
    reference: str | None = None,
    by: Sequence[str] | None = None,
    models: Sequence[str] = (),
    resampling: Resampling | None = None,
) -> list[Agreement]:
    """Every statistic that the ratings allow, the others with the reason why not.

    Args:
        ratings: Ratings, or a frame as `ratings_from` takes it.
        scale: The declared scale, where `ratings` is a frame.
        reference: The rater that differences are taken from; without one, every pair in natural order.
        by: Columns to look into, one subset per value; None takes those of `SUBGROUPS` that are there.
        models: Raters that are not human: they never count among "the others".
        resampling: Level, bootstrap replicates and seed.

    Raises:
        InputError: Reference, model or column is not there.
    """
    made = ratings_from(ratings, scale=scale)
    resampling = resampling or Resampling()
    for name in (*models, *((reference,) if reference is not None else ())):
        made.rater_position(name)
    records = _together(made, resampling)
    records += _pairs(made, reference, resampling)
    records += intra_rater(made, resampling)
    if made.scale.is_numeric:
        records += variance_components(made, resampling)
    candidates = tuple(models) or made.raters
    for rater in candidates:
        records += beside_others(made, rater, tuple(models), resampling)
    records += decisions(made, reference, resampling)
    records += interval_coverage(made, resampling)
    records += drift_slopes(made, candidates, tuple(models), resampling)
    for part in subgroups(made, by):
        records += [*_together(part, resampling), *_pairs(part, reference, resampling)]
    return records


def subgroups(ratings: Ratings, by: Sequence[str] | None) -> list[Ratings]:
    """The ratings cut by each value of each column.

    Raises:
        InputError: A column is not there or has too many values.
    """
    made = with_severity(ratings)
    chosen = [name for name in SUBGROUPS if name in made.columns] if by is None else list(by)
    parts = []
    for name in chosen:
        if name == "rater":
            raise InputError("raters are compared, not subgroups", where="--by rater", fix="Leave it out.")
        if name not in made.columns:
            known = ", ".join(made.columns) or "none"
            raise InputError(f"there is no column {name!r}", where=f"--by {name}", fix=f"The columns are {known}.")
        labels = np.array([_label(value) for value in made.columns[name]])
        values = sorted(set(labels.tolist()) - {""})
        if by is None and len(values) < 2:
            continue
        if len(values) > _MOST_GROUPS:
            raise InputError(
                f"the column has {len(values)} values",
                where=f"--by {name}",
                fix=f"Group it into at most {_MOST_GROUPS}.",
            )
        parts += [made.part(labels == value, f"{name}={value}") for value in values]
    return parts


def with_severity(ratings: Ratings) -> Ratings:
    """The ratings with a column `severity`: thirds of the items by the consensus of all raters (none where they cannot be told)."""
    if "severity" in ratings.columns or not ratings.scale.is_numeric or len(ratings.item_subject) < 30:
        return ratings
    level = consensus_values(ratings, ratings.raters)
    low, high = np.quantile(level, [1 / 3, 2 / 3])
    if not level.min() < low < high < level.max():
        return ratings
    names = np.array([f"1 up to {low:.3g}", f"2 up to {high:.3g}", f"3 above {high:.3g}"], dtype=object)
    third = (level > low).astype(int) + (level > high).astype(int)
    return replace(ratings, columns={**ratings.columns, "severity": names[third][ratings.item]})


def _together(ratings: Ratings, resampling: Resampling) -> list[Agreement]:
    grid, scale = ratings.grid, ratings.scale
    records: list[Agreement] = []
    if scale.is_numeric:
        records += icc_of_grid(grid, resampling)
    if scale.is_categorical or scale.kind is None:
        records += light_kappa(grid, scale, resampling)
        records += chance_of_grid(grid, scale, resampling)
        records += exact_of_grid(grid, scale, resampling)
    return records + alpha_of_grid(grid, scale, resampling)


def _pairs(ratings: Ratings, reference: str | None, resampling: Resampling) -> list[Agreement]:
    if reference is not None and reference not in ratings.raters:
        return []  # a subgroup that the reference did not rate
    pairs = all_pairs(ratings, reference)
    records = [record for rater, other in pairs for record in _one_pair(ratings, rater, other, resampling)]
    if len(pairs) == 1 and len(ratings.raters) == 2:
        # With two raters the pair is the whole: its figures stand under both names.
        whole = [record for record in records if record.statistic in _WHOLE]
        records = [replace(record, subset=ratings.subset) for record in whole] + records
    return records


def pair_coefficients(ratings: Ratings) -> tuple[str, Floats] | None:
    """A coefficient of every pair of raters as (raters, raters), with its name; None with fewer than three raters."""
    k = len(ratings.raters)
    if k < 3:
        return None
    values = np.full((k, k), np.nan)
    categorical = ratings.scale.is_categorical
    for rater, other in all_pairs(ratings):
        pair = pair_of(ratings, rater, other)
        record = (kappa_of_pair(pair, ratings.scale) if categorical else ccc_of_pair(pair, Resampling()))[-1]
        a, b = ratings.raters.index(rater), ratings.raters.index(other)
        values[a, b] = values[b, a] = np.nan if record.value is None else record.value
    name = "Concordance correlation"
    if categorical:
        name = "Quadratic kappa" if ratings.scale.is_numeric else "Kappa"
    return f"{name} of each pair", values


_WHOLE = frozenset(
    ["bias", "sd_difference", "loa_low", "loa_high", "proportional_bias", "spread_slope", "ccc"]
    + [f"{line}_{part}" for line in ("deming", "passing_bablok") for part in ("slope", "intercept")]
)


def _one_pair(ratings: Ratings, rater: str, other: str, resampling: Resampling) -> list[Agreement]:
    single = pair_of(ratings, rater, other)
    records: list[Agreement] = []
    if ratings.scale.is_numeric:
        records += limits_of_pair(repeated_of(ratings, rater, other), resampling)
        records += ccc_of_pair(single, resampling)
        records += deming_of_pair(single, resampling)
        records += passing_bablok_of_pair(single, resampling)
    if ratings.scale.is_categorical:
        records += kappa_of_pair(single, ratings.scale, resampling)
        both = ratings.of_raters((rater, other), single.basis.subset)
        records += chance_of_grid(both.grid, both.scale, resampling)
        records += exact_of_grid(both.grid, both.scale, resampling)
    return records


def _label(value: object) -> str:
    return "" if value is None or value != value else str(value)
