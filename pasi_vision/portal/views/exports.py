"""Exports of the design's tables, photographs and forms."""

from __future__ import annotations

import hashlib
import os

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from pasi_vision.portal.exports import EXPORTS
from pasi_vision.portal.trail import Subject, record

__all__ = ["index", "one"]


def index(request: HttpRequest) -> HttpResponse:
    """What can be exported."""
    return render(request, "portal/exports.html", {"title": "Exports", "exports": EXPORTS})


def one(request: HttpRequest, name: str) -> FileResponse:
    """One export, of one's own sites; noted in the audit trail with its hash."""
    export = next((e for e in EXPORTS if e.name == name), None)
    if export is None:
        raise Http404
    stream = export.make(request.user)
    sha256, size = hashlib.file_digest(stream, "sha256").hexdigest(), stream.seek(0, os.SEEK_END)  # type: ignore[arg-type]
    stream.seek(0)
    record(request.user, "exported", Subject("export", export.file), after={"bytes": size, "sha256": sha256})
    return FileResponse(stream, as_attachment=True, filename=export.file, content_type=export.content_type)
