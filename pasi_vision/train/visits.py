"""A model's findings and scores beside the true ones, row by row, and the figures that follow: what `calibrate` and `evaluate` compare.

Findings and scores come from the stages behind the model (`measure`, `score`); here they are only joined and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pasi_vision.anatomy import SCORE_MAX, Region, Sign
from pasi_vision.records import Finding, RegionMeasurement, findings_of
from pasi_vision.tables import Status
from pasi_vision.train.evaluate import Outcome, Row
from pasi_vision.train.figures import Figure, Resample, mean_figures

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TRUTH", "finding_rows", "photo_rows", "response_rows", "tones_of", "visit_figures", "visit_rows"]

TRUTH = "truth"
"""The rater whose findings are a phantom's exact truth."""

IntervalOf = Callable[[str, float], tuple[float, float] | None]
"""("area_percent", a sign, "pasi" or "bsa_percent"; a prediction) -> its interval; None where the model has none."""

_AREAS = ("area_percent", "area_percent_exact")
_SCORES = ("pasi", "pasi_continuous", "bsa_percent")
_SEVERITY = ((10.0, "PASI under 10"), (20.0, "PASI 10 to 20"), (73.0, "PASI 20 and more"))


def tones_of(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """Subject -> skin tone band, as their photographs' rows record it."""
    from pasi_vision.train.evaluate import groups_of

    return {outcome.photo.subject_id: groups_of(outcome.photo)["skin_tone"] for outcome in outcomes}


def finding_rows(findings: Iterable[Finding], truth: pd.DataFrame, tones: Mapping[str, str]) -> list[Row]:
    """One row per true finding that the model was asked about; without predicted values where the model could not tell.

    Args:
        findings: The model's.
        truth: A findings frame that holds those of the rater `truth` (others are passed over).
        tones: Subject -> skin tone band.
    """
    said = {(f.subject_id, f.visit, f.region): f for f in findings}
    rows = []
    for true in findings_of(truth[truth["rater"] == TRUTH]):
        found = said.get((true.subject_id, true.visit, true.region))
        if found is None or true.area_percent is None:
            continue
        row: Row = {
            "subject_id": true.subject_id,
            "visit": true.visit,
            "region": str(true.region),
            "skin_tone": tones.get(true.subject_id, "not recorded"),
            "status": str(found.status),
            "reason": found.reason,
        }
        for name in (*_AREAS, *Sign):
            row[f"true_{name}"], row[f"predicted_{name}"] = getattr(true, name), getattr(found, name)
            if name != "area_percent_exact":
                row[f"{name}_low"], row[f"{name}_high"] = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
        rows.append(row)
    return rows


def photo_rows(outcomes: Iterable[Outcome], interval: IntervalOf, *, convention: str = "outline") -> list[Row]:
    """The same from single photographs (close-ups), region by region, against their true masks."""
    rows = []
    for outcome in outcomes:
        seen = {m.region: m for m in outcome.measured}
        for true in outcome.true_measured:
            found = seen.get(true.region)
            if found is not None and outcome.used:
                rows.append(_photo_row(outcome, found, true, interval, convention))
    return rows


def visit_rows(scores: pd.DataFrame, model: str, tones: Mapping[str, str], interval: IntervalOf) -> list[Row]:
    """One row per visit that has a true score: predicted scores, their conformal interval and their bounds."""
    true_scores = {(s["subject_id"], s["visit"]): s for s in scores[scores["rater"] == TRUTH].to_dict("records")}
    rows = []
    for said in scores[scores["rater"] == model].to_dict("records"):
        true = true_scores.get((said["subject_id"], said["visit"]))
        if true is None or _number(true["pasi"]) is None:
            continue
        row: Row = {
            "subject_id": said["subject_id"],
            "visit": said["visit"],
            "skin_tone": tones.get(str(said["subject_id"]), "not recorded"),
            "severity": next(name for below, name in _SEVERITY if float(true["pasi"]) < below),
            "scored": float(said["status"] == Status.SCORED),
        }
        for name in _SCORES:
            row[f"true_{name}"], row[f"predicted_{name}"] = _number(true[name]), _number(said[name])
        for name in SCORE_MAX:
            row[f"{name}_bounds_low"], row[f"{name}_bounds_high"] = (
                _number(said[f"{name}_low"]),
                _number(said[f"{name}_high"]),
            )
            value = row[f"predicted_{name}"]
            ends = None if value is None else interval(name, value)
            row[f"{name}_low"], row[f"{name}_high"] = ends or (None, None)
        rows.append(row)
    return rows


def response_rows(endpoints: pd.DataFrame, model: str) -> list[Row]:
    """One row per follow-up visit at which both truth and model tell whether PASI-75 was reached."""
    first = endpoints.groupby(["rater", "subject_id"])["day"].transform("min")
    known = endpoints[endpoints["pasi75"].notna() & (endpoints["day"] > first)]
    true = {(r["subject_id"], r["visit"]): bool(r["pasi75"]) for r in known[known["rater"] == TRUTH].to_dict("records")}
    rows = []
    for said in known[known["rater"] == model].to_dict("records"):
        key = (said["subject_id"], said["visit"])
        if key in true:
            reached = bool(said["pasi75"])
            rows.append(
                {
                    "subject_id": key[0],
                    "visit": key[1],
                    "true_pasi75": true[key],
                    "predicted_pasi75": reached,
                    "agreed": float(reached == true[key]),
                }
            )
    return rows


def visit_figures(
    findings: Sequence[Row], visits: Sequence[Row], responses: Sequence[Row], resample: Resample
) -> list[Figure]:
    """Mean absolute error and bias of findings and scores, share of visits scored, agreement on PASI-75."""
    figures: list[Figure] = []
    for name in _AREAS:
        figures += _errors(findings, name, "area_percent", "finding", ("region", "skin_tone"), resample)
    graded = [
        row for row in findings if (row["true_area_percent"] or 0) > 0 and (row["predicted_area_percent"] or 0) > 0
    ]
    for sign in Sign:
        figures += _errors(graded, sign, "grade", "finding", ("region", "skin_tone"), resample)
    for name in _SCORES:
        unit = "points" if name.startswith("pasi") else "% of the body surface"
        figures += _errors(visits, name, unit, "visit", ("skin_tone", "severity"), resample)
    figures += mean_figures(visits, "scored", "visits_scored", "share", "visit", ("skin_tone",), resample)
    return figures + mean_figures(responses, "agreed", "pasi75_agreement", "share", "visit", (), resample)


def _errors(
    rows: Sequence[Row], name: str, unit: str, of: str, groupings: tuple[str, ...], resample: Resample
) -> list[Figure]:
    known = [
        {**row, "error": row[f"predicted_{name}"] - row[f"true_{name}"]}
        for row in rows
        if row[f"predicted_{name}"] is not None and row[f"true_{name}"] is not None
    ]
    sizes = [{**row, "error": abs(row["error"])} for row in known]
    return [
        *mean_figures(sizes, "error", f"{name}_mae", unit, of, groupings, resample),
        *mean_figures(known, "error", f"{name}_bias", unit, of, groupings, resample),
    ]


def _photo_row(
    outcome: Outcome, found: RegionMeasurement, true: RegionMeasurement, interval: IntervalOf, convention: str
) -> Row:
    def area(of: RegionMeasurement) -> float:
        return of.outline_percent if convention == "outline" else of.lesion_percent

    row: Row = {
        "subject_id": outcome.photo.subject_id,
        "visit": outcome.photo.visit,
        "region": str(Region(true.region)),
        "skin_tone": outcome.row["skin_tone"],
        "predicted_area_percent": area(found),
        "true_area_percent": area(true),
        "predicted_area_percent_exact": found.lesion_percent,
        "true_area_percent_exact": true.lesion_percent,
    }
    graded = true.lesion_px > 0 and "signs" in outcome.photo.masks
    for sign in Sign:
        row[f"predicted_{sign}"] = found.grades[sign]
        row[f"true_{sign}"] = true.grades[sign] if graded else None
    for name in ("area_percent", *Sign):
        row[f"{name}_low"], row[f"{name}_high"] = interval(name, row[f"predicted_{name}"]) or (None, None)
    return row


def _number(value: Any) -> float | None:
    """A cell as a number; None where it is empty."""
    return None if value is None or value != value else float(value)
