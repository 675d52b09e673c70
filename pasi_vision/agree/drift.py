"""A rater over time: differences from the others by visit with control limits, their slope, and visits that lie far out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasi_vision.agree.consensus import consensus_values
from pasi_vision.agree.ratings import Floats, Ratings
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.resample import Estimator, Resampling, delta

__all__ = ["DriftPoint", "Outlier", "drift_chart", "drift_slopes", "outliers"]

_SOURCE = "Shewhart, Economic Control of Quality of Manufactured Product, 1931; Montgomery, Statistical Quality Control, ch. 6"
_FAR = 3.5
"""Robust z-score from which a visit is listed (Iglewicz & Hoaglin 1993)."""


@dataclass(frozen=True)
class DriftPoint:
    """One point of a control chart: mean difference of a rater from the others in one period, with its 3-sigma limits."""

    day: float
    mean: float
    low: float
    high: float
    n: int

    @property
    def is_out(self) -> bool:
        """Whether the mean lies outside its limits."""
        return not self.low <= self.mean <= self.high


@dataclass(frozen=True)
class Outlier:
    """A rating far from what the others gave."""

    subject_id: str
    item: dict[str, str]
    rater: str
    value: float
    expected: float
    z: float


def drift_chart(ratings: Ratings, rater: str, others: tuple[str, ...], periods: int = 12) -> list[DriftPoint]:
    """Mean difference from the consensus of the others per day (or per period of days where there are more than `periods`)."""
    difference, day, _ = _differences(ratings, rater, others)
    dated = ~np.isnan(day)
    difference, day = difference[dated], day[dated]
    if len(difference) < 3 or np.ptp(day) == 0:
        return []
    days = np.unique(day)
    edges = days if len(days) <= periods else np.unique(np.quantile(day, np.linspace(0, 1, periods + 1)[:-1]))
    period = np.searchsorted(edges, day, side="right") - 1
    centre = float(difference.mean())
    within = [difference[period == at] for at in range(len(edges))]
    degrees = sum(max(len(part) - 1, 0) for part in within)
    if degrees == 0:
        return []
    sd = np.sqrt(sum(float(np.sum((part - part.mean()) ** 2)) for part in within if len(part)) / degrees)
    return [
        DriftPoint(
            float(day[period == at].mean()),
            float(part.mean()),
            centre - 3 * sd / np.sqrt(len(part)),
            centre + 3 * sd / np.sqrt(len(part)),
            len(part),
        )
        for at, part in enumerate(within)
        if len(part)
    ]


def drift_slopes(
    ratings: Ratings, raters: tuple[str, ...], models: tuple[str, ...], resampling: Resampling
) -> list[Agreement]:
    """drift_per_100_days of each rater against the others: slope of the difference on the day, linearised by subject."""
    if "day" not in ratings.columns or not ratings.scale.is_numeric:
        return []
    records: list[Agreement] = []
    for rater in raters:
        others = tuple(name for name in ratings.raters if name != rater and name not in models)
        if not others:
            continue
        difference, day, owner = _differences(ratings, rater, others)
        dated = ~np.isnan(day)
        difference, day, owner = difference[dated], day[dated], owner[dated]
        subjects, position = np.unique(owner, return_inverse=True)
        subset = f"rater={rater}" if ratings.subset is None else f"{ratings.subset}; rater={rater}"
        basis = Basis(subset, len(subjects), len(difference), 0)
        method = "slope of rater minus the others on the day, linearised by subject, t interval"
        if len(subjects) < 4 or np.ptp(day) == 0:
            reason = f"too few subjects ({len(subjects)}) or a single day"
            records += unanswered(basis, ["drift_per_100_days"], reason, method, _SOURCE)
            continue
        t = (day - day.mean()) / 100
        parts = np.zeros((len(subjects), 5))
        np.add.at(parts, position, np.stack([np.ones_like(t), t, difference, t**2, t * difference], axis=1))
        estimator = Estimator(parts, _slope)
        value, half = float(estimator.value[0]), resampling.t(len(subjects) - 2) * float(delta(estimator)[0])
        records.append(answered(basis, "drift_per_100_days", (value, value - half, value + half), method, _SOURCE))
    return records


def outliers(
    ratings: Ratings, models: tuple[str, ...] = (), reference: str | None = None, most: int = 50
) -> list[Outlier]:
    """Ratings whose difference from the others (or the reference) lies far out for that rater: robust z of 3.5 or more, worst first."""
    found: list[Outlier] = []
    items = _item_names(ratings)
    for rater in ratings.raters:
        others = (reference,) if reference else tuple(n for n in ratings.raters if n != rater and n not in models)
        if not others or rater == reference:
            continue
        mine = ratings.grid.values[:, ratings.rater_position(rater)]
        expected = consensus_values(ratings, others)
        difference = mine - expected
        seen = np.flatnonzero(~np.isnan(difference))
        if len(seen) < 5:
            continue
        middle = float(np.median(difference[seen]))
        spread = 1.4826 * float(np.median(np.abs(difference[seen] - middle)))
        if spread == 0:
            spread = float(np.std(difference[seen]))
        if spread == 0:
            continue
        z = (difference - middle) / spread
        found += [
            Outlier(
                ratings.subjects[ratings.item_subject[at]],
                items[at],
                rater,
                float(mine[at]),
                float(expected[at]),
                float(z[at]),
            )
            for at in seen
            if abs(z[at]) >= _FAR
        ]
    return sorted(found, key=lambda one: -abs(one.z))[:most]


def _item_names(ratings: Ratings) -> list[dict[str, str]]:
    names: list[dict[str, str]] = [{} for _ in ratings.item_subject]
    _, first = np.unique(ratings.item, return_index=True)
    for column in ("visit", "day", "region", "sign"):
        if column in ratings.columns:
            for at, row in enumerate(first):
                value = ratings.columns[column][row]
                if value is not None and value == value:
                    names[at][column] = str(value)
    return names


def _differences(ratings: Ratings, rater: str, others: tuple[str, ...]) -> tuple[Floats, Floats, np.ndarray]:
    """Differences from the consensus, the day of each (NaN where not known) and its subject."""
    difference = ratings.grid.values[:, ratings.rater_position(rater)] - consensus_values(ratings, others)
    day = np.full(len(difference), np.nan)
    if "day" in ratings.columns:
        day[ratings.item] = [float(v) if v is not None and v == v else np.nan for v in ratings.columns["day"]]
    seen = ~np.isnan(difference)
    return difference[seen], day[seen], ratings.item_subject[seen]


def _slope(totals: Floats) -> Floats:
    n, t, d, tt, td = (totals[..., at] for at in range(5))
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((td - t * d / n) / (tt - t**2 / n))[..., None]
