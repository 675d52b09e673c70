"""The audit trail: read page by page, and exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from pasi_vision.portal.models import AuditEvent
from pasi_vision.portal.trail import FIELDS, Subject, record

__all__ = ["export", "page"]

_COLUMNS = (*FIELDS, "sha256")


def _found(request: HttpRequest) -> Any:
    events = AuditEvent.objects.visible_to(request.user)
    for field in ("person", "action", "site_code"):
        asked = request.GET.get(field, "").strip()
        if asked:
            events = events.filter(**{f"{field}__icontains": asked})
    return events


def page(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered by person, action or site."""
    pages = Paginator(_found(request).order_by("-number"), 50)
    shown = pages.get_page(request.GET.get("page"))
    asked = {name: request.GET.get(name, "") for name in ("person", "action", "site_code")}
    return render(request, "portal/trail.html", {"title": "Audit trail", "page": shown, "asked": asked})


def export(request: HttpRequest) -> StreamingHttpResponse:
    """All events one may see, as CSV; being exported is itself an event."""
    record(request.user, "audit trail exported", Subject("audit trail"))
    response = StreamingHttpResponse(_lines(_found(request).order_by("number")), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit_trail.csv"'
    return response


def _lines(events: Any) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for event in events.iterator(chunk_size=1000):
        values = (getattr(event, name) for name in _COLUMNS)
        writer.writerow(
            json.dumps(value, ensure_ascii=False)
            if isinstance(value, dict)
            else ""
            if value is None
            else safe_cell(value)
            for value in values
        )
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def safe_cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets a quote before it (CSV injection)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
