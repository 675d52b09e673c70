"""Intervals by resampling subjects, without a loop: every statistic is a function of sums over subjects.

A subject adds a row of `parts`; a statistic is a function of the column totals. So a bootstrap replicate is a row of weights (how
often each subject was drawn) times `parts`, and all replicates are one matrix product: the cost is linear in the ratings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Estimator", "Interval", "Resampling", "bca", "bootstrap", "delta", "fisher_z", "replicates", "wilson"]

Floats = NDArray[np.float64]

_FEWEST_USABLE = 0.9
"""An interval is given only if at least this share of the replicates is defined."""


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Attributes:
        level: Confidence level.
        n: Bootstrap replicates.
        seed: Seed of the one random generator; the same seed gives the same intervals.
        published: Give the published interval of a statistic also where it is known to hold less than the level
            (docs/agreement-coverage.md), such as the large-sample one of kappa or the chi-squared one of a variance of uneven
            spread, instead of the one offered in its place.
    """

    level: float = 0.95
    n: int = 2000
    seed: int = 0
    published: bool = False

    @property
    def z(self) -> float:
        """Two-sided standard normal quantile of the level."""
        return float(stats.norm.ppf(0.5 + self.level / 2))

    def t(self, degrees: float) -> float:
        """Two-sided quantile of Student's t of the level."""
        return float(stats.t.ppf(0.5 + self.level / 2, degrees))


@dataclass(frozen=True)
class Estimator:
    """Statistics of the column totals of `parts`.

    Attributes:
        parts: (n_subjects, p) what each subject adds.
        statistic: (..., p) totals -> (..., m) statistics; NaN where not defined.
        slopes: (..., p) totals -> (..., m, p) their derivatives by the totals, where they are worth working out; None: by differences.
    """

    parts: Floats
    statistic: Callable[[Floats], Floats]
    slopes: Callable[[Floats], Floats] | None = None

    @property
    def value(self) -> Floats:
        """(m,) the statistics of all subjects."""
        return self.statistic(self.parts.sum(axis=0))

    def resampled(self, weights: Floats) -> Floats:
        """(B, m) the statistics under (B, n_subjects) weights."""
        return self.statistic(weights @ self.parts)

    def leave_one_out(self) -> Floats:
        """(n_subjects, m) the statistics without each subject in turn."""
        return self.statistic(self.parts.sum(axis=0) - self.parts)


@dataclass(frozen=True)
class Interval:
    """(m,) values with their limits (NaN where none can be given)."""

    value: Floats
    low: Floats
    high: Floats

    def of(self, at: int) -> tuple[float, float, float]:
        """Value, low and high of one statistic."""
        return float(self.value[at]), float(self.low[at]), float(self.high[at])


@lru_cache(maxsize=8)
def replicates(n_subjects: int, n: int, seed: int) -> Floats:
    """(n, n_subjects) how often each subject is drawn in each replicate (float64, not to be written to)."""
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=n).astype(np.float64)
    weights.setflags(write=False)
    return weights


def bootstrap(estimator: Estimator, resampling: Resampling) -> Interval:
    """Cluster bootstrap of subjects, BCa limits (Efron 1987) widened for few subjects (Hesterberg 2015).

    BCa corrects the percentile interval for bias and skewness; the widening replaces the normal quantile z by
    t(n - 1) x sqrt(n / (n - 1)), because a bootstrap sample varies by (n - 1) / n too little.
    """
    n_subjects = len(estimator.parts)
    value = np.atleast_1d(estimator.value)
    if n_subjects < 3 or resampling.n < 1:
        return Interval(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    drawn = estimator.resampled(replicates(n_subjects, resampling.n, resampling.seed))
    low, high = bca(value, drawn, estimator.leave_one_out(), resampling)
    return Interval(value, low, high)


def bca(value: Floats, drawn: Floats, without: Floats, resampling: Resampling) -> tuple[Floats, Floats]:
    """BCa limits from replicates (B, m) and leave-one-out values (n_subjects, m); NaN where too few are defined."""
    n_subjects = len(without)
    widened = resampling.t(n_subjects - 1) * np.sqrt(n_subjects / (n_subjects - 1))
    low, high = np.full_like(value, np.nan), np.full_like(value, np.nan)
    for at in range(len(value)):
        usable = drawn[np.isfinite(drawn[:, at]), at]
        if not np.isfinite(value[at]) or len(usable) < _FEWEST_USABLE * len(drawn):
            continue
        below = (np.sum(usable < value[at]) + 0.5 * np.sum(usable == value[at])) / len(usable)
        bias = stats.norm.ppf(np.clip(below, 0.5 / len(usable), 1 - 0.5 / len(usable)))
        left_out = without[np.isfinite(without[:, at]), at]
        deviation = left_out.mean() - left_out if len(left_out) else np.zeros(1)
        spread = np.sum(deviation**2)
        skew = np.sum(deviation**3) / (6 * spread**1.5) if spread > 0 else 0.0
        tails = bias + np.array([-widened, widened])
        shares = stats.norm.cdf(bias + tails / np.maximum(1 - skew * tails, 0.1))
        low[at], high[at] = np.quantile(usable, shares)
    return low, high


def delta(estimator: Estimator, *, small_sample: bool = True) -> Floats:
    """(m,) standard errors clustered by subject, by the delta method.

    The statistic is linearised in the weight of each subject (the infinitesimal jackknife, Efron 1982). For independent items this is
    the large-sample variance of Fleiss, Cohen & Everitt (1969) for kappa; `small_sample` multiplies it by n / (n - 1) as Gwet does.
    """
    n_subjects = len(estimator.parts)
    total = estimator.parts.sum(axis=0)
    nudge = 1e-4
    slope = (
        estimator.statistic(total + nudge * estimator.parts) - estimator.statistic(total - nudge * estimator.parts)
    ) / (2 * nudge)
    variance = np.sum((slope - slope.mean(axis=0)) ** 2, axis=0)
    if small_sample and n_subjects > 1:
        variance = variance * n_subjects / (n_subjects - 1)
    return np.asarray(np.sqrt(variance), dtype=np.float64)


def fisher_z(value: float, error: float, quantile: float) -> tuple[float, float]:
    """Limits of a correlation-like value from its standard error on Fisher's z scale; NaN at the ends of the scale."""
    if not (abs(value) < 1 and np.isfinite(error)):
        return (float("nan"), float("nan"))
    half = quantile * error / (1 - value**2)
    return float(np.tanh(np.arctanh(value) - half)), float(np.tanh(np.arctanh(value) + half))


def wilson(share: float, error: float, n_subjects: int, quantile: float) -> tuple[float, float]:
    """Wilson's limits of a share, with as many independent subjects as its clustered standard error is worth (Korn & Graubard 1998)."""
    n = share * (1 - share) / error**2 if error > 1e-9 and 0 < share < 1 else float(n_subjects)
    centre = (share + quantile**2 / (2 * n)) / (1 + quantile**2 / n)
    half = quantile / (1 + quantile**2 / n) * np.sqrt(share * (1 - share) / n + quantile**2 / (4 * n**2))
    return float(max(centre - half, 0.0)), float(min(centre + half, 1.0))
