"""Relapse, rebound and flare by the rules of the NPF and the EMA; windows in days.

Sources: Gordon, Feldman, Koo, Menter, Rolstad, Krueger, J Am Acad Dermatol 2005 (National Psoriasis Foundation); CHMP/EWP/2454/02 corr,
2004 (European Medicines Agency); the two side by side in Carey et al., BMC Dermatol 2006;6:9, table 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.score.course import Courses, Integers
from pasi_vision.score.settings import EndpointSettings

__all__ = ["Flags", "Withdrawals", "flare", "rebound_ema", "rebound_npf", "relapse_ema", "relapse_npf"]

NEVER = np.iinfo(np.int64).max // 4
"""A day that never comes."""


@dataclass(frozen=True)
class Withdrawals:
    """(courses,) int64 days on which treatment ended, was started again, and a new type of psoriasis began; NEVER where it did not."""

    ended: Integers
    restarted: Integers
    new_type: Integers

    @classmethod
    def none(cls, courses: int) -> Withdrawals:
        """Nobody was withdrawn."""
        never = np.full(courses, NEVER, np.int64)
        return cls(never, never, never)


@dataclass(frozen=True)
class Flags:
    """(rows,) bool: whether it holds, and whether that can be said at all; `why_not` says why it cannot, for all such rows alike."""

    holds: NDArray[np.bool_]
    known: NDArray[np.bool_]
    why_not: str


def relapse_npf(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings) -> Flags:
    """At least half of the greatest improvement so far is lost, in those who had reached PASI-50 (NPF)."""
    base, least = courses.of_rows, courses.running_least()
    reached = courses.follow_up & (base > 0) & (100 * (base - least) >= 50 * base)
    lost = 2 * (courses.pasi - least) >= base - least
    return _after_withdrawal(
        courses, withdrawals, settings, Flags(reached & lost, reached, "relapse_npf: has not reached PASI-50")
    )


def relapse_ema(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings) -> Flags:
    """More than half of the greatest improvement so far is lost, or treatment was started again (EMA)."""
    base, least = courses.of_rows, courses.running_least()
    improved = courses.follow_up & (least < base)
    lost = 2 * (courses.pasi - least) > base - least
    again = courses.day >= withdrawals.restarted[courses.course]
    has_baseline = courses.course_trouble[courses.course] == ""
    again &= has_baseline & (courses.day >= courses.baseline_day[courses.course])
    return _after_withdrawal(
        courses,
        withdrawals,
        settings,
        Flags((improved & lost) | again, improved | again, "relapse_ema: has not improved"),
    )


def rebound_npf(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings) -> Flags:
    """PASI of at least 125 % of baseline, or a new type of psoriasis, within three months of stopping treatment (NPF)."""
    worse = 100 * courses.pasi >= 125 * courses.of_rows
    return _rebound(courses, withdrawals, worse, settings.rebound_npf_days, "rebound")


def rebound_ema(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings) -> Flags:
    """PASI above 125 % of baseline, or a new type of psoriasis, within two months of stopping treatment (EMA)."""
    worse = 100 * courses.pasi > 125 * courses.of_rows
    return _rebound(courses, withdrawals, worse, settings.rebound_ema_days, "rebound_ema")


def flare(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings) -> Flags:
    """Worsening during treatment: PASI of at least `flare_percent` of baseline, or a new type of psoriasis (NPF, which names no number)."""
    treated = courses.day <= withdrawals.ended[courses.course]
    treated |= courses.day >= withdrawals.restarted[courses.course]
    percent = round(settings.flare_percent * 1000)
    worse = 100_000 * courses.pasi >= percent * courses.of_rows
    new_type = withdrawals.new_type[courses.course]
    changed = (new_type <= courses.day) & (new_type <= withdrawals.ended[courses.course])
    known = courses.follow_up & (courses.of_rows > 0) & treated
    return Flags(known & (worse | changed), known, "flare: not on treatment")


def _rebound(courses: Courses, withdrawals: Withdrawals, worse: NDArray[np.bool_], window: int, name: str) -> Flags:
    ended, new_type = withdrawals.ended[courses.course], withdrawals.new_type[courses.course]
    inside = (courses.day > ended) & (courses.day <= ended + window)
    scored = courses.follow_up & (courses.of_rows > 0) & inside
    # A new type that began in the window is told at the first visit after it, even where that visit is later than the window.
    changed = (new_type > ended) & (new_type <= ended + window) & (courses.day >= new_type)
    changed &= courses.course_trouble[courses.course] == ""
    nobody = bool((withdrawals.ended == NEVER).all())
    why_not = f"{name}: no withdrawal day" if nobody else f"{name}: not within {window} days after withdrawal"
    return Flags((scored & worse) | changed, scored | changed, why_not)


def _after_withdrawal(courses: Courses, withdrawals: Withdrawals, settings: EndpointSettings, flags: Flags) -> Flags:
    if not settings.relapse_after_withdrawal:
        return flags
    after = courses.day > withdrawals.ended[courses.course]
    return Flags(flags.holds & after, flags.known & after, f"{flags.why_not} or is not withdrawn")
