"""How many subjects, raters and readings a study of agreement needs, and what a given number can show.

Widths are full widths of the confidence interval. Every formula has a simulation beside it in the tests, with which it agrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pasi_vision.errors import InputError

__all__ = [
    "Plan",
    "plan_icc",
    "plan_kappa",
    "plan_limits",
    "subjects_for_icc",
    "subjects_for_kappa",
    "subjects_for_limits",
]

Floats = NDArray[np.float64]

_BONETT = "Bonett, Stat Med 2002;21:1331-1335"
_BLAND = "Bland & Altman, Lancet 1986;1:307-310"
_BLAND_REPEATED = "Bland & Altman, Stat Methods Med Res 1999;8:135-160"
_FLEISS = "Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323-327"


@dataclass(frozen=True)
class Plan:
    """What a design reaches, or needs.

    Attributes:
        n_subjects: Number of subjects.
        width: Full width of the confidence interval; for limits of agreement in units of the standard deviation of a
            difference of single readings.
        sentence: The same in plain words.
        source: Publication the formula follows.
    """

    n_subjects: int
    width: float
    sentence: str
    source: str


def plan_icc(
    n_subjects: int, icc: float, n_raters: int = 2, *, n_readings: int = 1, intra_icc: float = 1.0, level: float = 0.95
) -> Plan:
    """Expected width of the interval of a single-rater ICC.

    Args:
        n_subjects, icc, n_raters: Number of subjects and raters, and the expected ICC of single readings.
        n_readings: Readings of each rater that are averaged; more than one makes the ICC higher and its interval narrower.
        intra_icc: Correlation of two readings by the same rater, at least `icc`; needed with more than one reading.
        level: Confidence level.

    Raises:
        InputError: A number is out of its range.

    >>> round(plan_icc(50, 0.8, 2).width, 2)
    0.2
    """
    _check(n_subjects, level, icc=icc, n_raters=n_raters)
    icc, k, means = _icc_of_means(icc, intra_icc, n_readings), n_raters, _means(n_readings)
    spread = 2 * (1 - icc) ** 2 * (1 + (k - 1) * icc) ** 2 / (k * (k - 1))
    width = 2 * _z(level) * math.sqrt(spread / (n_subjects - 1))
    who = f"{n_subjects} subjects and {k} raters{means}"
    sentence = f"{who} pin an ICC of {icc:.3g} down to about +-{width / 2:.2f} ({level:.0%} interval)."
    return Plan(n_subjects, width, sentence, _BONETT)


def subjects_for_icc(
    width: float, icc: float, n_raters: int = 2, *, n_readings: int = 1, intra_icc: float = 1.0, level: float = 0.95
) -> Plan:
    """Subjects needed for an ICC interval no wider than `width` (Bonett 2002, with his correction for two raters and ICC >= 0.7).

    Other arguments as `plan_icc`.

    Raises:
        InputError: A number is out of its range.

    >>> subjects_for_icc(0.2, 0.8, 3).n_subjects  # Bonett 2002: 36 for rho 0.8, k 3, width 0.2
    36
    """
    _check(3, level, icc=icc, n_raters=n_raters, width=width)
    icc, k, means = _icc_of_means(icc, intra_icc, n_readings), n_raters, _means(n_readings)
    spread = (1 - icc) ** 2 * (1 + (k - 1) * icc) ** 2 / (k * (k - 1) * width**2)
    number = 8 * _z(level) ** 2 * spread + 1
    if k == 2 and icc >= 0.7:
        number += 5 * icc
    n = math.ceil(number - 1e-9)
    return Plan(
        n, width, f"{n} subjects and {k} raters{means} for an ICC of {icc:.3g} within +-{width / 2:g}.", _BONETT
    )


def plan_limits(n_subjects: int, *, n_readings: int = 1, reading_share: float = 0.0, level: float = 0.95) -> Plan:
    """How far each limit of agreement may lie from the truth, in standard deviations of a difference of single readings.

    Args:
        n_subjects: Number of subjects.
        n_readings: Readings of each of the two raters that are averaged. The limits are then those of the means: they and their
            intervals are narrower by sqrt(1 - reading_share + reading_share / n_readings).
        reading_share: Share of the variance of a difference of single readings that is within raters, the sum of both raters'
            `intra_sem`^2 over `sd_difference`^2; needed with more than one reading.
        level: Confidence level.

    Raises:
        InputError: A number is out of its range.

    >>> plan_limits(7).sentence
    '7 subjects give limits of agreement +- 1.28 SD.'
    >>> plan_limits(60, n_readings=2, reading_share=0.5).sentence
    '60 subjects and 2 raters (mean of 2 readings each) give limits of agreement +- 0.38 SD.'
    """
    _check(n_subjects, level)
    half = _sd_of_means(reading_share, n_readings) * _z(level) * math.sqrt(3 / n_subjects)
    who = f"{n_subjects} subjects{_pair_of_means(n_readings)}"
    return Plan(n_subjects, 2 * half, f"{who} give limits of agreement +- {half:.2f} SD.", _limits_source(n_readings))


def subjects_for_limits(width: float, *, n_readings: int = 1, reading_share: float = 0.0, level: float = 0.95) -> Plan:
    """Subjects needed for limits of agreement with an interval no wider than `width`, in the unit of `plan_limits`.

    Other arguments as `plan_limits`.

    Raises:
        InputError: A number is out of its range.

    >>> subjects_for_limits(2 * 0.34).n_subjects  # Bland's advice: 100 subjects give +- 0.34 SD
    100
    """
    _check(3, level, width=width)
    n = math.ceil(3 * (2 * _sd_of_means(reading_share, n_readings) * _z(level) / width) ** 2 - 1e-9)
    sentence = f"{n} subjects{_pair_of_means(n_readings)} for limits of agreement within +- {width / 2:.2f} SD."
    return Plan(n, width, sentence, _limits_source(n_readings))


def plan_kappa(
    n_subjects: int, kappa: float, shares: list[float], *, weights: str = "unweighted", level: float = 0.95
) -> Plan:
    """Expected width of the interval of kappa of two raters who use the categories alike.

    There is no number of readings: a mean of two grades is no grade, and kappa takes each rater's first reading. What narrows its
    interval is subjects.

    Args:
        n_subjects: Number of subjects.
        kappa: Expected kappa.
        shares: Expected share of each category, in order.
        weights: unweighted, linear or quadratic.
        level: Confidence level.

    Raises:
        InputError: A number is out of its range.
    """
    _check(n_subjects, level, kappa=kappa)
    width = 2 * _z(level) * math.sqrt(_kappa_variance(kappa, shares, weights) / n_subjects)
    sentence = f"{n_subjects} subjects pin a {weights} kappa of {kappa:g} down to about +-{width / 2:.2f} ({level:.0%} interval)."
    return Plan(n_subjects, width, sentence, _FLEISS)


def subjects_for_kappa(
    width: float, kappa: float, shares: list[float], *, weights: str = "unweighted", level: float = 0.95
) -> Plan:
    """Subjects needed for a kappa interval no wider than `width`; arguments as `plan_kappa`.

    Raises:
        InputError: A number is out of its range.
    """
    _check(3, level, kappa=kappa, width=width)
    n = math.ceil(_kappa_variance(kappa, shares, weights) * (2 * _z(level) / width) ** 2 - 1e-9)
    return Plan(n, width, f"{n} subjects for a {weights} kappa of {kappa:g} within +-{width / 2:g}.", _FLEISS)


def expected_table(kappa: float, shares: list[float]) -> Floats:
    """(q, q) joint shares of two raters: with probability kappa both give the same category, otherwise each chooses alone.

    Every kappa, however weighted, of this table is `kappa`.
    """
    p = np.asarray(shares, dtype=float)
    if len(p) < 2 or not np.all(p > 0) or abs(p.sum() - 1) > 1e-6:
        raise InputError(
            f"the shares {shares} are no distribution", where="shares", fix="Give positive shares that sum to 1."
        )
    return np.asarray(kappa * np.diag(p) + (1 - kappa) * np.outer(p, p))


def _kappa_variance(kappa: float, shares: list[float], weights: str) -> float:
    """n times the large-sample variance of kappa (Fleiss, Cohen & Everitt 1969) under `expected_table`."""
    table = expected_table(kappa, shares)
    q = len(table)
    apart = np.abs(np.subtract.outer(np.arange(q), np.arange(q))) / (q - 1)
    forms = {"unweighted": (apart == 0).astype(float), "linear": 1 - apart, "quadratic": 1 - apart**2}
    if weights not in forms:
        raise InputError(f"weights {weights!r} are not known", where="weights", fix=f"Use one of {', '.join(forms)}.")
    w = forms[weights]
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    seen, chance = float(np.sum(w * table)), float(rows @ w @ columns)
    means = (w @ columns)[:, None] + (rows @ w)[None, :]
    inside = np.sum(table * (w * (1 - chance) - means * (1 - seen)) ** 2)
    return float((inside - (seen * chance - 2 * chance + seen) ** 2) / (1 - chance) ** 4)


def _icc_of_means(icc: float, intra_icc: float, n_readings: int) -> float:
    """ICC of raters who each average so many readings: the reading variance 1 - intra_icc is divided by their number."""
    if n_readings < 1 or not icc <= intra_icc <= 1 or (n_readings > 1 and intra_icc == 1):
        raise InputError(
            f"{n_readings} readings with an intra-rater ICC of {intra_icc:g} and an ICC of {icc:g}",
            where="n_readings, intra_icc",
            fix="Give at least 1 reading, and with more than one how two readings by the same rater correlate (icc to below 1).",
        )
    return icc / (intra_icc + (1 - intra_icc) / n_readings)


def _sd_of_means(reading_share: float, n_readings: int) -> float:
    """SD of a difference of means of so many readings by each rater, over that of a difference of single readings."""
    if n_readings < 1 or not 0 <= reading_share <= 1 or (n_readings > 1 and reading_share == 0):
        raise InputError(
            f"{n_readings} readings with a reading share of {reading_share:g}",
            where="n_readings, reading_share",
            fix="Give at least 1 reading, and with more than one the share of a difference's variance within raters (above 0, at most 1).",
        )
    return math.sqrt(1 - reading_share + reading_share / n_readings)


def _pair_of_means(n_readings: int) -> str:
    return f" and 2 raters{_means(n_readings)}" if n_readings > 1 else ""


def _limits_source(n_readings: int) -> str:
    return _BLAND_REPEATED if n_readings > 1 else _BLAND


def _means(n_readings: int) -> str:
    return f" (mean of {n_readings} readings each)" if n_readings > 1 else ""


def _z(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2))


def _check(n_subjects: int, level: float, **numbers: float) -> None:
    ranges = {"icc": (0, 1), "kappa": (0, 1), "width": (0, 10), "n_raters": (1, 1e6)}
    if n_subjects < 2:
        raise InputError(f"{n_subjects} subjects are too few", where="n_subjects", fix="Plan with at least 2.")
    if not 0 < level < 1:
        raise InputError(f"level {level:g} is not between 0 and 1", where="level", fix="Use 0.95.")
    for name, number in numbers.items():
        low, high = ranges[name]
        if not low < number < high:
            raise InputError(
                f"{number:g} is out of its range", where=name, fix=f"Use a number above {low} and below {high:g}."
            )
