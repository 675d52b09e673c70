"""A patient over a trial: how strong the disease is at each visit, relative to baseline.

Calibrated on 96 patients under UVB (Watson et al., J Eur Acad Dermatol Venereol 2021;35:2250, weekly PASI): medians of
1.00, 0.72, 0.31 and 0.13 of baseline after 1, 2, 4 and 8 weeks, with a scatter of log PASI of 0.30 about each patient's
line; those seen again (after 4 months, median) are back at 0.81 of baseline, and 26 % are lost to follow-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Rng = np.random.Generator

VISIT_INTERVAL_DAYS = 28

#: Kinds of courses and their shares.
KINDS = {"response": 0.42, "plateau": 0.2, "relapse": 0.2, "no_response": 0.1, "rebound": 0.08}


@dataclass(frozen=True)
class Course:
    """One patient's course.

    Attributes:
        kind: One of `KINDS`.
        rate_per_week: Fall of log severity.
        lag_weeks: Before anything happens.
        floor: Severity that treatment does not go below.
        turn_week: When the disease comes back (relapse and rebound); infinite otherwise.
        back_to: Severity it comes back to.
        back_per_week: Rate of coming back.
        scatter: SD of log severity from visit to visit.
        last_visit: Index of the last visit that takes place (drop-out after it); None stays to the end.
    """

    kind: str
    rate_per_week: float
    lag_weeks: float
    floor: float
    turn_week: float
    back_to: float
    back_per_week: float
    scatter: float
    last_visit: int | None = None

    def severity(self, day: int) -> float:
        """Severity relative to baseline (day 1), without the scatter."""
        week = (day - 1) / 7.0
        low = self._under_treatment(min(week, self.turn_week))
        if week <= self.turn_week:
            return low
        return low + (self.back_to - low) * float(1 - np.exp(-self.back_per_week * (week - self.turn_week)))

    def _under_treatment(self, week: float) -> float:
        gone = float(np.exp(-self.rate_per_week * max(week - self.lag_weeks, 0.0)))
        return self.floor + (1 - self.floor) * gone


def draw_course(rng: Rng, visits: int, *, drop_out: float = 0.15) -> Course:
    """A random course over `visits` visits; `drop_out` is the chance that some of the later ones do not take place."""
    names = list(KINDS)
    kind = names[int(rng.choice(len(names), p=np.array(list(KINDS.values()))))]
    rate = float(np.clip(np.exp(rng.normal(np.log(0.40), 0.40)), 0.10, 0.9))
    floor = {
        "response": rng.uniform(0.0, 0.07),
        "plateau": rng.uniform(0.25, 0.6),
        "no_response": rng.uniform(0.8, 1.1),
    }
    turn, back = np.inf, 0.0
    if kind in ("relapse", "rebound"):
        turn = float(rng.uniform(6, 14))
        back = float(np.clip(rng.normal(0.82, 0.3), 0.3, 1.1)) if kind == "relapse" else float(rng.uniform(1.15, 1.6))
    last = int(rng.integers(1, visits - 1)) if visits >= 3 and rng.random() < drop_out else None
    return Course(
        kind=kind,
        rate_per_week=rate,
        lag_weeks=float(rng.uniform(0.7, 1.5)),
        floor=float(floor.get(kind, rng.uniform(0.0, 0.08))),
        turn_week=turn,
        back_to=back,
        back_per_week=float(rng.uniform(0.08, 0.3)),
        scatter=float(np.clip(rng.normal(0.22, 0.08), 0.05, 0.45)),
        last_visit=last,
    )


def visit_name(index: int) -> str:
    """ "baseline", "week_4", "week_8" ..."""
    return "baseline" if index == 0 else f"week_{index * VISIT_INTERVAL_DAYS // 7}"


def visit_day(index: int) -> int:
    """Day of the study: 1 is baseline."""
    return 1 + index * VISIT_INTERVAL_DAYS
