"""The REST API: the same rows as the pages, as JSON, for a token's owner."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from pasi_vision.errors import InputError
from pasi_vision.portal.models import Photograph, Query, Subject, Visit
from pasi_vision.portal.openapi import description
from pasi_vision.portal.scores import findings_rows, score_rows

__all__ = ["findings", "openapi", "page", "photographs", "queries", "scores", "subjects", "visits"]

MOST_ROWS = 500


def page(request: HttpRequest) -> HttpResponse:
    """The API in words, made from the same description as openapi.json."""
    return render(
        request, "portal/api.html", {"title": "REST API", "api": description(request.build_absolute_uri("/"))}
    )


def openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return JsonResponse(description(request.build_absolute_uri("/")))


def subjects(request: HttpRequest) -> HttpResponse:
    """Subjects of one's sites."""
    found = Subject.objects.visible_to(request.user).order_by("code")
    return _rows(
        request,
        found,
        lambda s: {"id": s.pk, "subject_id": s.code, "site_id": s.site_id, "skin_tone": s.skin_tone or None},
    )


def visits(request: HttpRequest) -> HttpResponse:
    """Visits of one's sites."""
    found = Visit.objects.visible_to(request.user).select_related("subject").order_by("subject__code", "day")
    return _rows(
        request,
        found,
        lambda v: {"id": v.pk, "subject_id": v.subject.code, "visit": v.name, "day": v.day, "state": v.state},
    )


def photographs(request: HttpRequest) -> HttpResponse:
    """Photographs of one's sites with their verdicts."""
    found = Photograph.objects.visible_to(request.user).select_related("visit__subject").order_by("arrived_at", "pk")

    def row(p: Photograph) -> dict[str, Any]:
        return {
            "id": p.pk,
            "subject_id": p.visit.subject.code,
            "visit": p.visit.name,
            "view": p.view,
            "sha256": p.sha256,
            "verdict": p.verdict,
            "advice": p.advice,
            "identity": p.identity,
            "used": p.is_good and p.is_cleared,
        }

    return _rows(request, found, row)


def queries(request: HttpRequest) -> HttpResponse:
    """Queries of one's sites with their answers."""
    found = Query.objects.visible_to(request.user).select_related("visit__subject").prefetch_related("answers")

    def row(q: Query) -> dict[str, Any]:
        said = [answer.text for answer in q.answers.all()]
        return {
            "id": q.pk,
            "subject_id": q.visit.subject.code,
            "visit": q.visit.name,
            "state": q.state,
            "text": q.text,
            "answers": said,
        }

    return _rows(request, found, row)


def findings(request: HttpRequest) -> HttpResponse:
    """findings.csv as JSON."""
    return _rows(request, list(findings_rows(request.user)), dict)


def scores(request: HttpRequest) -> HttpResponse:
    """scores.csv as JSON."""
    return _rows(request, list(score_rows(request.user)), dict)


def _rows(request: HttpRequest, found: Any, row: Any) -> HttpResponse:
    """One page of rows, `?offset=` and `?limit=`."""
    offset, limit = _number(request, "offset", 0, 10**9), _number(request, "limit", 100, MOST_ROWS)
    total = found.count() if not isinstance(found, list) else len(found)
    rows = [_json(row(item)) for item in found[offset : offset + limit]]
    after = offset + len(rows)
    return JsonResponse(
        {"total": total, "offset": offset, "rows": rows, "next_offset": after if after < total else None}
    )


def _json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def _number(request: HttpRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > most:
        raise InputError(f"{text[:20]!r} is not usable", where=name, fix=f"Use 0 to {most}.")
    return int(text)
