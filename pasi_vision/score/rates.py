"""Rates and their intervals: a share of patients, a difference between two arms, events per patient-time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from pasi_vision.errors import InputError

__all__ = ["Rate", "clopper_pearson", "difference", "poisson_rate", "rate", "wilson"]


@dataclass(frozen=True)
class Rate:
    """A share of n: its value (0-1) with the Wilson and the exact (Clopper-Pearson) interval; None where n is 0."""

    n: int
    count: float
    rate: float | None
    wilson_low: float | None
    wilson_high: float | None
    exact_low: float | None
    exact_high: float | None

    def to_json(self) -> dict[str, Any]:
        """As a dictionary, rounded to six decimals."""
        return {name: value if value is None else round(value, 6) for name, value in asdict(self).items()}


def rate(count: int, n: int, confidence: float = 0.95) -> Rate:
    """A rate with both intervals.

    Raises:
        InputError: A count below 0 or above n.
    """
    if not 0 <= count <= n:
        raise InputError(f"{count} of {n} is no rate", fix="Count again.")
    if n == 0:
        return Rate(0, 0, None, None, None, None, None)
    return Rate(n, count, count / n, *wilson(count, n, confidence), *clopper_pearson(count, n, confidence))


def wilson(count: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (J Am Stat Assoc 1927;22:209-212).

    >>> [round(end, 4) for end in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    centre = (count + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * sqrt(count * (n - count) / n + z * z / 4)
    return (0.0 if count == 0 else centre - half), (1.0 if count == n else centre + half)


def clopper_pearson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval (Clopper & Pearson, Biometrika 1934;26:404-413).

    >>> [round(end, 4) for end in clopper_pearson(81, 263)]
    [0.2527, 0.3676]
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
    return low, high


def difference(
    first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95
) -> tuple[float, float, float] | None:
    """Rate of the first arm minus that of the second, with Newcombe's hybrid score interval; None where an arm is empty.

    Source: Newcombe, Stat Med 1998;17:873-890, method 10.

    >>> [round(value, 4) for value in difference((56, 70), (48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    if first[1] == 0 or second[1] == 0:
        return None
    p, q = first[0] / first[1], second[0] / second[1]
    (p_low, p_high), (q_low, q_high) = wilson(*first, confidence), wilson(*second, confidence)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return p - q, max(low, -1.0), min(high, 1.0)


def poisson_rate(
    events: int, patient_years: float, per: float = 100, confidence: float = 0.95
) -> tuple[float, float, float] | None:
    """Events per `per` patient-years with the exact Poisson interval (Garwood, Biometrika 1936;28:437-442); None without any time.

    >>> [round(value, 2) for value in poisson_rate(3, 10)]
    [30.0, 6.19, 87.67]
    """
    from scipy.special import gammaincinv

    if patient_years <= 0:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else float(gammaincinv(events, tail))
    high = float(gammaincinv(events + 1, 1 - tail))
    return events / patient_years * per, low / patient_years * per, high / patient_years * per
