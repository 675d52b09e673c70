"""Safety: adverse events by term, grade, relatedness and seriousness; incidence and rate per 100 patient-years.

An event is treatment-emergent when it starts on or after the first day of treatment and not later than `after_days` beyond the last (ICH
E9: events that emerge during treatment, or worsen relative to before it). Events of unknown day are counted as emergent: the careful side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import TableError
from pasi_vision.score.rates import poisson_rate, rate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAYS_PER_YEAR", "safety", "treatment_emergent"]

DAYS_PER_YEAR = 365.25


def treatment_emergent(events: pd.DataFrame, exposure: pd.DataFrame, after_days: int = 30) -> NDArray[np.bool_]:
    """Whether each event of an EVENTS table is treatment-emergent.

    Raises:
        TableError: An event of a subject who was never treated, or treatment that ends before it began.
    """
    import pandas as pd

    place = pd.Index(exposure["subject_id"]).get_indexer(pd.Index(events["subject_id"]))
    if (place < 0).any():
        row = int(np.argmax(place < 0))
        raise TableError(
            f"subject {events['subject_id'].iloc[row]} has an event but no exposure",
            where=f"events row {row + 2} column subject_id",
            fix="Add the subject to the exposure table, or correct the subject.",
        )
    first = exposure["first_day"].to_numpy(dtype=float)
    last = exposure["last_day"].to_numpy(dtype=float)
    if (last < first).any():
        row = int(np.argmax(last < first))
        raise TableError(
            f"treatment ends on day {last[row]:g} before it begins on day {first[row]:g}",
            where=f"exposure row {row + 2} column last_day",
            fix="Correct the days.",
        )
    start = events["start_day"].to_numpy(dtype=float, na_value=np.nan)
    inside = (start >= first[place]) & (start <= last[place] + after_days)
    return np.asarray(np.isnan(start) | inside)


def safety(
    events: pd.DataFrame, exposure: pd.DataFrame, after_days: int = 30, confidence: float = 0.95
) -> dict[str, Any]:
    """Count treatment-emergent events; JSON-ready.

    Returns:
        `subjects`, `patient_years` (under observation), then for all, serious, related and by grade and term: subjects with at least one
        (with Wilson and exact intervals), number of events, and events per 100 patient-years with the exact Poisson interval. A subject
        counts once per line at the highest grade; events before treatment are counted apart.
    """
    emergent = treatment_emergent(events, exposure, after_days)
    years = _patient_years(exposure)
    part = events[emergent]
    total = len(exposure)

    def line(rows: pd.DataFrame) -> dict[str, Any]:
        per = poisson_rate(len(rows), years, 100, confidence)
        names = ("rate", "rate_low", "rate_high")
        return {
            "subjects_with_event": rate(rows["subject_id"].nunique(), total, confidence).to_json(),
            "events": len(rows),
            "per_100_patient_years": None if per is None else {n: round(v, 4) for n, v in zip(names, per, strict=True)},
        }

    serious = part["serious"].fillna(True).to_numpy(dtype=bool)  # unknown counts as serious: the careful side
    told: dict[str, Any] = {
        "subjects": total,
        "patient_years": round(years, 4),
        "after_days": after_days,
        "before_treatment": int((~emergent).sum()),
        "all": line(part),
        "serious": line(part[serious]),
    }
    if "related" in part.columns:
        related = part["related"].fillna("related").isin(["related", "possibly"]).to_numpy()
        told["related"] = line(part[related])
    if "grade" in part.columns:
        told["by_worst_grade"] = _worst_grades(part, total, confidence)
    told["by_term"] = {str(term): line(rows) for term, rows in sorted(part.groupby("term"))}
    return told


def _patient_years(exposure: pd.DataFrame) -> float:
    last = exposure["last_day"].to_numpy(dtype=float)
    if "end_of_observation" in exposure.columns:
        end = exposure["end_of_observation"].to_numpy(dtype=float, na_value=np.nan)
        last = np.where(np.isnan(end), last, end)
    return float((last - exposure["first_day"].to_numpy(dtype=float) + 1).sum() / DAYS_PER_YEAR)


def _worst_grades(part: pd.DataFrame, total: int, confidence: float) -> dict[str, Any]:
    grades = part["grade"].to_numpy(dtype=float, na_value=np.nan)
    worst = part.assign(grade=grades).groupby("subject_id")["grade"].max()
    return {
        **{str(g): rate(int((worst == g).sum()), total, confidence).to_json() for g in range(1, 6)},
        "not_known": int(worst.isna().sum()),
    }
