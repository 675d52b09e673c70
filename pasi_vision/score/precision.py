"""What a number of patients can tell before any of them is seen: the width of every interval that a study will report."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from pasi_vision.score.rates import clopper_pearson, poisson_rate, wilson

__all__ = ["RatePrecision", "fewest_above", "half_width_of_mean", "most_hidden", "rate_precision", "zero_events_rate"]


@dataclass(frozen=True)
class RatePrecision:
    """Count of n, its rate, and both intervals (0-1)."""

    count: int
    rate: float
    wilson: tuple[float, float]
    exact: tuple[float, float]


def rate_precision(n: int, confidence: float = 0.95) -> list[RatePrecision]:
    """Every rate that n patients can show, with its intervals.

    >>> [round(end, 3) for end in rate_precision(7)[5].exact]
    [0.29, 0.963]
    """
    return [RatePrecision(x, x / n, wilson(x, n, confidence), clopper_pearson(x, n, confidence)) for x in range(n + 1)]


def fewest_above(n: int, reference: float, confidence: float = 0.95) -> int | None:
    """The fewest responders of n whose exact interval lies above a reference rate (such as placebo's); None if not even all.

    >>> fewest_above(7, 0.05), fewest_above(7, 0.6)
    (3, None)
    """
    above = [told.count for told in rate_precision(n, confidence) if told.exact[0] > reference]
    return above[0] if above else None


def half_width_of_mean(n: int, sd: float, confidence: float = 0.95) -> float | None:
    """Half width of the t interval of a mean of n values with a standard deviation; None for one value.

    >>> round(half_width_of_mean(7, 1.0), 3)
    0.925
    """
    if n < 2:
        return None
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2, n - 1)) * sd / sqrt(n)


def most_hidden(n: int, confidence: float = 0.95) -> float:
    """The greatest risk that no event among n patients leaves possible (one-sided, exact; about 3 / n).

    >>> round(most_hidden(7), 3)
    0.348
    """
    return float(1 - (1 - confidence) ** (1 / n))


def zero_events_rate(patient_years: float, confidence: float = 0.95) -> float | None:
    """The greatest rate per 100 patient-years that no event in some patient-years leaves possible (two-sided, exact)."""
    told = poisson_rate(0, patient_years, 100, confidence)
    return None if told is None else told[2]
