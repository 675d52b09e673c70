"""Exports of the design's tables, photographs and forms."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from pasi_vision.portal.exports import EXPORTS
from pasi_vision.portal.trail import Subject, record
from pasi_vision.storage import sha256_of

__all__ = ["index", "one"]


def index(request: HttpRequest) -> HttpResponse:
    """What can be exported."""
    return render(request, "portal/exports.html", {"title": "Exports", "exports": EXPORTS})


def one(request: HttpRequest, name: str) -> HttpResponse:
    """One export, of one's own sites; noted in the audit trail with its hash."""
    export = next((e for e in EXPORTS if e.name == name), None)
    if export is None:
        raise Http404
    data = export.make(request.user)
    record(
        request.user, "exported", Subject("export", export.file), after={"bytes": len(data), "sha256": sha256_of(data)}
    )
    return HttpResponse(
        data, content_type=export.content_type, headers={"Content-Disposition": f'attachment; filename="{export.file}"'}
    )
