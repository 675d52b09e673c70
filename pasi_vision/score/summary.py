"""What a study's endpoints say together: rates by visit and arm, differences, relapse curves, the mean course; JSON-ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import TableError
from pasi_vision.score.endpoints import Endpoints
from pasi_vision.score.mean_course import mean_course
from pasi_vision.score.missing import (
    MISSING,
    Schedule,
    imputed,
    pooled,
    responder_counts,
    schedule,
)
from pasi_vision.score.rates import difference, rate
from pasi_vision.score.response import RESPONSES, reaches
from pasi_vision.score.settings import EndpointSettings, MissingRule
from pasi_vision.score.survival import kaplan_meier

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["summarise"]

_SIMPLE_RULES: tuple[MissingRule, ...] = ("nri", "observed", "locf")


def summarise(
    derived: Endpoints, settings: EndpointSettings | None = None, arms: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Summarise endpoints, each rater and reading on its own (raters are never averaged).

    Args:
        derived: What `endpoints` gave.
        settings: The study's choices.
        arms: A checked ARMS table; every subject with a score must have an arm.

    Raises:
        TableError: A subject has no arm.
    """
    settings = settings or EndpointSettings()
    by_subject = _arms(derived, arms)
    raters = derived.courses[["rater", "reading"]].astype({"rater": object}).drop_duplicates()
    return {
        "settings": settings.model_dump(mode="json"),
        "rule_for_missing_visits": settings.missing,
        "arms": sorted(set(by_subject.values())) if by_subject else None,
        "raters": [
            _one_rater(derived, str(rater), int(reading), settings, by_subject)
            for rater, reading in raters.itertuples(index=False, name=None)
        ],
        "warnings": list(derived.warnings),
    }


def _arms(derived: Endpoints, arms: pd.DataFrame | None) -> dict[str, str] | None:
    if arms is None:
        return None
    by_subject = dict(zip(arms["subject_id"].astype(object), arms["arm"].astype(object), strict=True))
    without = sorted(set(derived.courses["subject_id"].astype(object)) - set(by_subject))
    if without:
        raise TableError(
            f"subject {without[0]} has no arm{f' (and {len(without) - 1} more)' if len(without) > 1 else ''}",
            where="arms column subject_id",
            fix="Add a row for every subject with a score.",
        )
    return by_subject


def _one_rater(
    derived: Endpoints, rater: str, reading: int, settings: EndpointSettings, by_subject: dict[str, str] | None
) -> dict[str, Any]:
    courses = derived.courses
    mine = (courses["rater"] == rater).to_numpy() & (courses["reading"] == reading).to_numpy(dtype=bool)
    courses = courses[mine]
    plan = schedule(derived, rater, reading)
    groups = _groups(plan, by_subject)
    reasons = courses.loc[~(courses["baseline_pasi"].to_numpy(dtype=float) > 0), "reason"].value_counts()
    return {
        "rater": rater,
        "reading": reading,
        "subjects": len(courses),
        "subjects_in_rates": len(plan.subjects),
        "left_out_of_rates": {str(reason): int(count) for reason, count in reasons.items()},
        "visits": _visits(plan, groups, settings),
        "best_response": _best(courses, by_subject, settings),
        "ever": _ever(derived, rater, reading, by_subject, settings),
        "time_to_relapse": {"rule": settings.relapse, **kaplan_meier(courses, by_subject, settings.confidence)},
        "mean_course": mean_course(plan, groups, settings.confidence),
    }


def _groups(plan: Schedule, by_subject: dict[str, str] | None) -> dict[str, NDArray[np.bool_]]:
    if by_subject is None:
        return {"all": np.ones(len(plan.subjects), bool)}
    arm = np.array([by_subject[subject] for subject in plan.subjects], object)
    return {name: np.asarray(arm == name) for name in sorted(set(arm))}


def _visits(plan: Schedule, groups: dict[str, NDArray[np.bool_]], settings: EndpointSettings) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {
            "visit": name,
            "day": float(plan.days[place]),
            "planned": len(plan.subjects),
            "missing": int((plan.pasi[:, place] == MISSING).sum()),
            **{f"pasi{k}": {"arms": {}} for k in RESPONSES},
        }
        for place, name in enumerate(plan.visits)
    ]
    generator = np.random.default_rng(settings.seed)
    for name, who in groups.items():
        part = plan.of(who)
        by_rule = {(k, rule): responder_counts(part, k, rule) for k in RESPONSES for rule in _SIMPLE_RULES}
        chosen = settings.missing == "multiple_imputation"
        completed = imputed(part, settings.imputations, generator) if chosen else None
        for place, visit in enumerate(told):
            for k in RESPONSES:
                rules: dict[str, Any] = {}
                for rule in _SIMPLE_RULES:
                    holds, counts = by_rule[k, rule]
                    rules[rule] = rate(int(holds[place]), int(counts[place]), settings.confidence).to_json()
                if chosen:
                    rules["multiple_imputation"] = _imputed_rate(part, completed, place, k, settings)
                visit[f"pasi{k}"]["arms"][name] = {
                    "rule": settings.missing,
                    **rules[settings.missing],
                    "by_rule": rules,
                }
    for visit in told:
        for k in RESPONSES:
            visit[f"pasi{k}"]["differences"] = _differences(visit[f"pasi{k}"]["arms"], settings)
    return told


def _differences(arms: dict[str, Any], settings: EndpointSettings) -> dict[str, Any] | None:
    """Each other arm against the first (by name); none for imputed counts, which are not whole."""
    first, *others = arms
    if not others or settings.missing == "multiple_imputation":
        return None
    reference = (int(arms[first]["count"]), int(arms[first]["n"]))
    return {
        f"{other} - {first}": _named(
            difference((int(arms[other]["count"]), int(arms[other]["n"])), reference, settings.confidence)
        )
        for other in others
    }


def _named(values: tuple[float, float, float] | None) -> dict[str, float] | None:
    if values is None:
        return None
    names = ("difference", "newcombe_low", "newcombe_high")
    return {name: round(value, 6) for name, value in zip(names, values, strict=True)}


def _imputed_rate(
    plan: Schedule, completed: list[NDArray[np.int64]] | None, place: int, k: int, settings: EndpointSettings
) -> dict[str, Any]:
    if completed is None:
        return {"n": len(plan.subjects), "rate": None, "reason": "nobody of this arm has a PASI at some visit"}
    counts = np.array([int(reaches(plan.baseline, table[:, place], k).sum()) for table in completed])
    value, low, high = pooled(counts, len(plan.subjects), settings.confidence)
    told = {"rate": value, "rubin_low": low, "rubin_high": high, "count": float(counts.mean())}
    return {"n": len(plan.subjects), **{name: round(number, 6) for name, number in told.items()}}


def _ever(
    derived: Endpoints, rater: str, reading: int, by_subject: dict[str, str] | None, settings: EndpointSettings
) -> dict[str, dict[str, Any]]:
    """Subjects in whom each event was ever seen, among those in whom it could ever be judged, by arm."""
    visits = derived.visits
    mine = visits[(visits["rater"] == rater).to_numpy() & (visits["reading"] == reading).to_numpy(dtype=bool)]
    subjects = mine["subject_id"].astype(object)
    arm = np.array(["all" if by_subject is None else by_subject[s] for s in subjects], object)
    told: dict[str, dict[str, Any]] = {}
    for name in ("relapse_npf", "relapse_ema", "rebound", "rebound_ema", "flare"):
        judged = mine[name].notna().to_numpy()
        seen = mine[name].fillna(False).to_numpy(dtype=bool)
        told[name] = {
            str(one): rate(
                subjects[seen & (arm == one)].nunique(), subjects[judged & (arm == one)].nunique(), settings.confidence
            ).to_json()
            for one in sorted(set(arm))
        }
    return told


def _best(
    courses: pd.DataFrame, by_subject: dict[str, str] | None, settings: EndpointSettings
) -> dict[str, dict[str, Any]]:
    """Ever reached, among all with a baseline above 0, and the median days to it among those who reached it."""
    usable = courses[courses["baseline_pasi"].to_numpy(dtype=float) > 0]
    names = np.array(
        ["all" if by_subject is None else by_subject[s] for s in usable["subject_id"].astype(object)], object
    )
    told: dict[str, dict[str, Any]] = {}
    for arm in sorted(set(names)):
        part = usable[names == arm]
        told[arm] = {"median_best_percent_change": round(float(part["best_percent_change"].median()), 3)}
        for k in RESPONSES:
            days = part[f"days_to_pasi{k}"].dropna()
            told[arm][f"pasi{k}"] = {
                **rate(len(days), len(part), settings.confidence).to_json(),
                "median_days_among_responders": float(days.median()) if len(days) else None,
            }
    return told
