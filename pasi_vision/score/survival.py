"""Time to relapse: Kaplan-Meier by arm with its interval, numbers at risk and the log-rank test (lifelines)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["kaplan_meier"]


def kaplan_meier(courses: pd.DataFrame, arms: dict[str, str] | None = None, confidence: float = 0.95) -> dict[str, Any]:
    """Kaplan-Meier of time to relapse from the first visit at which a relapse could be told, for one rater and reading.

    A relapse is dated to the visit that found it; it happened between that visit and the one before, so curves step late by up to one
    visit interval. Courses without a relapse are censored at their last scored visit.

    Args:
        courses: Rows of a COURSES table of one rater and reading.
        arms: Arm of each subject; one curve of all where None.

    Returns:
        JSON-ready: per arm `n`, `events`, `median_days` (None where not reached), `curve` (day, at_risk, events, censored, survival, low,
        high), and the log-rank `p` where there are several arms with courses at risk.
    """
    at_risk = courses[courses["days_to_relapse"].notna()]
    names = _arm_of(at_risk, arms)
    curves = {arm: _curve(at_risk[names == arm], confidence) for arm in sorted(set(names))}
    return {
        "at_risk": len(at_risk),
        "not_at_risk": len(courses) - len(at_risk),
        "arms": curves,
        "logrank_p": _logrank(at_risk, names) if len(curves) > 1 else None,
    }


def _arm_of(courses: pd.DataFrame, arms: dict[str, str] | None) -> Any:
    subjects = courses["subject_id"].astype(object)
    return np.array(["all"] * len(courses) if arms is None else [arms[s] for s in subjects], object)


def _curve(courses: pd.DataFrame, confidence: float) -> dict[str, Any]:
    from lifelines import KaplanMeierFitter

    days = courses["days_to_relapse"].to_numpy(dtype=float)
    events = courses["relapsed"].to_numpy(dtype=bool)
    if not events.any():
        return {"n": len(courses), "events": 0, "median_days": None, "curve": _flat(days)}
    fitter = KaplanMeierFitter(alpha=1 - confidence).fit(days, events)
    table, interval = fitter.event_table, fitter.confidence_interval_survival_function_
    median = float(fitter.median_survival_time_)
    curve = [
        {
            "day": float(day),
            "at_risk": int(row["at_risk"]),
            "events": int(row["observed"]),
            "censored": int(row["censored"]),
            "survival": round(float(fitter.survival_function_.iloc[place, 0]), 6),
            "low": _known(interval.iloc[place, 0]),
            "high": _known(interval.iloc[place, 1]),
        }
        for place, (day, row) in enumerate(table.iterrows())
    ]
    return {
        "n": len(courses),
        "events": int(events.sum()),
        "median_days": median if np.isfinite(median) else None,
        "curve": curve,
    }


def _flat(days: Any) -> list[dict[str, Any]]:
    """Without any event the curve stays at 1; Greenwood's variance is 0 there and says nothing, so no interval is given."""
    last = float(days.max()) if len(days) else 0.0
    ends = {"events": 0, "survival": 1.0, "low": None, "high": None}
    return [
        {"day": 0.0, "at_risk": len(days), "censored": 0, **ends},
        {"day": last, "at_risk": int((days >= last).sum()), "censored": len(days), **ends},
    ]


def _known(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _logrank(courses: pd.DataFrame, names: Any) -> float | None:
    events = courses["relapsed"].to_numpy(dtype=bool)
    if not events.any():
        return None
    from lifelines.statistics import multivariate_logrank_test

    return float(multivariate_logrank_test(courses["days_to_relapse"].to_numpy(dtype=float), names, events).p_value)
