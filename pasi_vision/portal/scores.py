"""Findings and scores of clinicians (newest signed versions) and of the model, as the rows of the design's tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from pasi_vision.portal.model_jobs import installed_version
from pasi_vision.portal.models import Assignment, ModelScore, Person, Photograph, Segmentation, Subject, Visit

__all__ = [
    "Agreement",
    "ScoreRow",
    "agreement",
    "course_of",
    "findings_rows",
    "outlines_of",
    "rows_of_visit",
    "score_rows",
    "with_scores",
]


Made = TypeVar("Made", ModelScore, Segmentation)


@dataclass(frozen=True)
class ScoreRow:
    """One rater's score of one visit, as pages show it."""

    rater: str
    reading: int
    is_model: bool
    pasi: float | None
    pasi_low: float | None
    pasi_high: float | None
    bsa_percent: float | None
    status: str
    reason: str


@dataclass(frozen=True)
class Agreement:
    """Model minus clinician over visits that both scored (first readings; the mean of clinicians)."""

    visits: int
    mean_difference: float | None
    standard_deviation: float | None
    largest: float | None


def findings_rows(person: Person) -> Iterable[dict[str, Any]]:
    """Rows of findings.csv that a person may see: signed readings, then the model's score of each visit."""
    for assignment, signed in _signed(person):
        visit = assignment.visit
        for finding in signed.content["findings"]:
            yield {**_keys(visit), "rater": assignment.clinician.username, "reading": assignment.reading, **finding}
    for score in _of_model(person):
        yield from score.findings


def score_rows(person: Person) -> Iterable[dict[str, Any]]:
    """Rows of scores.csv, as `findings_rows`."""
    for assignment, signed in _signed(person):
        row = {"rater": assignment.clinician.username, "reading": assignment.reading, "status": "scored"}
        yield {**_keys(assignment.visit), **row, **signed.content["score"]}
    for score in _of_model(person):
        if score.score:
            yield score.score


def rows_of_visit(visit: Visit) -> list[ScoreRow]:
    """Everybody's score of one visit: clinicians first."""
    rows = []
    for assignment in sorted(visit.assignments.all(), key=lambda each: (each.reading, each.clinician.username)):
        if assignment.done:
            content = _newest(assignment).content["score"]
            rows.append(_row(assignment.clinician.full_name, assignment.reading, content, is_model=False))
    model = in_force(visit.model_scores.all())
    if model is not None:
        rows.append(_row(model.model, 1, model.score, is_model=True))
    return rows


def in_force(rows: Iterable[Made]) -> Made | None:
    """Of what several model versions made, what counts: the plan's model's (`installed_version`), else the newest."""
    version = installed_version()
    return max(rows, key=lambda each: (each.model == version, each.made_at), default=None)


def outlines_of(photographs: Iterable[Photograph]) -> dict[UUID, Segmentation]:
    """What the model saw on each photograph as it is now (covered places change its pixels), by the photograph's id."""
    contents = {photograph.pk: photograph.file_sha256 for photograph in photographs}
    found: dict[UUID, list[Segmentation]] = {}
    for seen in Segmentation.objects.filter(photograph__in=contents):
        if seen.file_sha256 == contents[seen.photograph_id]:
            found.setdefault(seen.photograph_id, []).append(seen)
    return {key: shown for key, rows in found.items() if (shown := in_force(rows))}


def course_of(subject: Subject) -> list[tuple[Visit, list[ScoreRow]]]:
    """Scores of a subject's closed visits in order."""
    return [(visit, rows_of_visit(visit)) for visit in with_scores(subject.visits.order_by("day"))]


def with_scores(visits: Any) -> Any:
    """Visits with everything that `rows_of_visit` reads, in a few queries however many they are."""
    return visits.prefetch_related("assignments__versions", "assignments__clinician", "model_scores")


def agreement(visits: Iterable[Visit]) -> tuple[list[tuple[Visit, float, ScoreRow]], Agreement]:
    """Model against the mean of the clinicians' first readings, visit by visit and summed up."""
    pairs = []
    for visit in visits:
        rows = rows_of_visit(visit)
        clinicians = [row.pasi for row in rows if not row.is_model and row.reading == 1 and row.pasi is not None]
        model = next((row for row in rows if row.is_model and row.pasi is not None), None)
        if clinicians and model is not None:
            pairs.append((visit, statistics.fmean(clinicians), model))
    differences = [float(model.pasi or 0) - mean for _, mean, model in pairs]
    return pairs, Agreement(
        len(pairs),
        statistics.fmean(differences) if differences else None,
        statistics.stdev(differences) if len(differences) > 1 else None,
        max(differences, key=abs, default=None),
    )


def _signed(person: Person) -> Iterable[tuple[Assignment, Any]]:
    visits = Visit.objects.visible_to(person)
    found = Assignment.objects.filter(visit__in=visits, done=True).select_related("visit__subject", "clinician")
    for assignment in found.prefetch_related("versions").order_by(
        "visit__subject__code", "visit__day", "clinician__username", "reading"
    ):
        yield assignment, _newest(assignment)


def _newest(assignment: Assignment) -> Any:
    return max(assignment.versions.all(), key=lambda version: version.version)


def _of_model(person: Person) -> Iterable[ModelScore]:
    found = ModelScore.objects.visible_to(person).order_by("visit__subject__code", "visit__day", "visit_id")
    for _, scores in groupby(found.select_related("visit__subject"), key=lambda each: each.visit_id):
        score = in_force(scores)
        if score is not None:
            yield score


def _keys(visit: Visit) -> dict[str, Any]:
    return {"subject_id": visit.subject.code, "visit": visit.name, "day": visit.day}


def _row(rater: str, reading: int, values: dict[str, Any], *, is_model: bool) -> ScoreRow:
    return ScoreRow(
        rater,
        reading,
        is_model,
        values.get("pasi"),
        values.get("pasi_low"),
        values.get("pasi_high"),
        values.get("bsa_percent"),
        values.get("status") or "scored",
        values.get("reason") or "",
    )
