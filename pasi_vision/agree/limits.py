"""Bias and limits of agreement (Bland & Altman 1986, 1999, 2007), with intervals by MOVER (Zou 2013).

A difference is rater minus reference. Readings of one item repeat the same truth; visits do not: so the variance of a single
difference is put together from its parts, and nothing is averaged away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pasi_vision.agree.pairs import Repeated, repeated_of
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Resampling
from pasi_vision.agree.spread import is_uneven, ratio_limits, widened
from pasi_vision.agree.trend import spread_grows, trend_records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LIMITS", "limits", "limits_of_pair"]

Floats = NDArray[np.float64]

LIMITS = ("bias", "sd_difference", "loa_low", "loa_high")
_SOURCE = (
    "Bland & Altman, Lancet 1986;1:307-310; Stat Methods Med Res 1999;8:135-160; J Biopharm Stat 2007;17:571-582; "
    "Zou, Stat Methods Med Res 2013;22:630-642"
)


@dataclass(frozen=True)
class _Spread:
    """The variance of one difference as a sum of independent parts, each with its degrees of freedom."""

    parts: tuple[tuple[float, float], ...]
    mean_error: float
    degrees: float

    @property
    def variance(self) -> float:
        return max(sum(part for part, _ in self.parts), 0.0)


def limits(
    ratings: Ratings | pd.DataFrame, rater: str, reference: str, resampling: Resampling | None = None
) -> list[Agreement]:
    """Bias, sd_difference, loa_low and loa_high of one rater against a reference, and how they change with the mean.

    All readings are used: the limits are those of single readings (Bland & Altman 1999, section 5). With several visits the variance of
    a difference is the sum of between- and within-subject variance (Bland & Altman 2007). Where the spread grows with the mean, the
    limits as a function of the mean (regression form) and as ratios (log form) follow as further records.

    Args:
        ratings: Ratings or a frame (`ratings_from`).
        rater, reference: Names; a difference is rater minus reference.
        resampling: Level, bootstrap replicates and seed.

    Raises:
        InputError: One of them is not a rater.
    """
    return limits_of_pair(repeated_of(ratings_from(ratings), rater, reference), resampling or Resampling())


def limits_of_pair(pair: Repeated, resampling: Resampling) -> list[Agreement]:
    """The same for a pair."""
    n_subjects = pair.basis.n_subjects
    if n_subjects < 2:
        reason = f"too few: {pair.rater} and {pair.reference} share {n_subjects} subject{'s' * (n_subjects != 1)}"
        return unanswered(pair.basis, LIMITS, reason, "limits of agreement", _SOURCE)
    bias = float(pair.difference.mean())
    spread = _spread(pair)
    if spread.variance == 0:
        caution = f"no variation: every difference is {bias:g}"
        same = [(bias, bias, bias), (0.0, 0.0, 0.0), (bias, bias, bias), (bias, bias, bias)]
        return [
            answered(pair.basis, name, value, "limits of agreement", _SOURCE, caution=caution)
            for name, value in zip(LIMITS, same, strict=True)
        ]
    grows = spread_grows(pair, resampling)
    return [*_records(pair, bias, spread, grows, resampling), *trend_records(pair, grows, resampling)]


def _spread(pair: Repeated) -> _Spread:
    """Components of the variance of a single difference (Bland & Altman 1999 sections 5.1-5.2 and 2007)."""
    d, owner = pair.difference, pair.owner
    n, n_items = pair.basis.n_subjects, len(pair.difference)
    per_subject = np.bincount(owner, minlength=n).astype(float)
    means = np.bincount(owner, weights=d, minlength=n) / per_subject
    if n_items == n:
        between = float(np.var(d, ddof=1))
        parts = [(between, n - 1.0)]
        mean_error = np.sqrt(between / n)
    else:
        square_between = float(np.sum(per_subject * (means - d.mean()) ** 2) / (n - 1))
        square_within = float(np.sum((d - means[owner]) ** 2) / (n_items - n))
        n0 = float((n_items**2 - np.sum(per_subject**2)) / ((n - 1) * n_items))
        parts = [(square_between / n0, n - 1.0), ((1 - 1 / n0) * square_within, float(n_items - n))]
        # Linearised over subjects, so it holds whatever the visits of one subject have in common.
        mean_error = float(np.sqrt(n / (n - 1) * np.sum((per_subject * (means - d.mean())) ** 2)) / n_items)
    for count, squares in zip(pair.counts, pair.squares, strict=True):
        degrees = float(np.sum(count - 1))
        if degrees > 0:
            harmonic = len(count) / float(np.sum(1 / count))
            parts.append(((1 - 1 / harmonic) * squares / degrees, degrees))
    return _Spread(tuple(parts), float(mean_error), n - 1.0)


def _variance_limits(spread: _Spread, pair: Repeated, resampling: Resampling) -> tuple[float, float, bool]:
    """Limits of the variance of a difference: sums of chi-squared parts (MOVER), widened (third: True) where the spread seems uneven."""
    tail = (1 - resampling.level) / 2
    total = spread.variance
    down = sum((part * (1 - df / stats.chi2.ppf(1 - tail, df))) ** 2 for part, df in spread.parts)
    up = sum((part * (df / stats.chi2.ppf(tail, df) - 1)) ** 2 for part, df in spread.parts)
    limits = (total - np.sqrt(down), total + np.sqrt(up))
    apart = np.abs(pair.difference - pair.difference.mean())
    uneven = not resampling.published and is_uneven(pair.average, apart, pair.owner)
    if uneven:
        squares = (pair.difference - pair.difference.mean()) ** 2
        limits = widened(total, limits, ratio_limits(squares, np.ones_like(squares), pair.owner, resampling))
    return max(float(limits[0]), 0.0), float(limits[1]), uneven


def _records(pair: Repeated, bias: float, spread: _Spread, grows: bool, resampling: Resampling) -> list[Agreement]:
    sd = float(np.sqrt(spread.variance))
    low_variance, high_variance, uneven = _variance_limits(spread, pair, resampling)
    low, high = float(np.sqrt(low_variance)), float(np.sqrt(high_variance))
    mean_half = resampling.t(spread.degrees) * spread.mean_error
    below, above = 1.96 * (sd - low), 1.96 * (high - sd)
    wide, narrow = np.hypot(mean_half, above), np.hypot(mean_half, below)
    loa_low, loa_high = bias - 1.96 * sd, bias + 1.96 * sd
    estimates = {
        "bias": ((bias, bias - mean_half, bias + mean_half), "mean difference, t interval"),
        "sd_difference": ((sd, low, high), "variance of a single difference, MOVER"),
        "loa_low": ((loa_low, loa_low - wide, loa_low + narrow), "bias - 1.96 sd_difference, MOVER"),
        "loa_high": ((loa_high, loa_high - narrow, loa_high + wide), "bias + 1.96 sd_difference, MOVER"),
    }
    repeats = " over subjects and visits" if len(pair.difference) > pair.basis.n_subjects else ""
    robust = ", widened for uneven spread" if uneven else ""
    caution = "the spread of the differences changes with their mean: see the regression form" if grows else ""
    return [
        answered(
            pair.basis,
            name,
            values,
            f"{method}{repeats}{robust if name != 'bias' else ''}; {pair.rater} minus {pair.reference}",
            _SOURCE,
            caution=caution if name.startswith("loa") else "",
        )
        for name, (values, method) in estimates.items()
    ]
