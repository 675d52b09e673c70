"""Sending photographs: the tus endpoints and the verdict."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from pasi_vision.anatomy import View
from pasi_vision.errors import OutputError, PasiVisionError
from pasi_vision.portal import queue, tus
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Job, Upload, Visit
from pasi_vision.portal.receive import receive, staged_file
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.tus import ProtocolError

__all__ = ["collection", "one", "verdict"]

_SAFETY_NET_S = 20
"""The browser asks for the verdict itself; a worker does it only if the browser went away for so long."""


def _tus(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Protocol headers on every answer, and protocol errors as the statuses they name."""

    @functools.wraps(view)
    def answered(request: HttpRequest, **values: Any) -> HttpResponse:
        try:
            if request.method != "OPTIONS" and request.headers.get("tus-resumable") != tus.VERSION:
                raise ProtocolError(412, f"the protocol version is not {tus.VERSION}")
            response = view(request, **values)
        except ProtocolError as error:
            response = JsonResponse({"error": error.what, "fix": error.fix}, status=error.status)
        except OutputError as error:
            response = JsonResponse({"error": error.what, "fix": error.fix}, status=507)
        response["Tus-Resumable"] = response["Tus-Version"] = tus.VERSION
        return response

    return answered


@_tus
def collection(request: HttpRequest) -> HttpResponse:
    """OPTIONS: what the server can do. POST: announce a photograph for a visit and view."""
    longest = PortalFolder.current().settings().upload_max_mb * 1_000_000
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Tus-Extension": "creation,termination", "Tus-Max-Size": str(longest)})
    length = tus.whole_number(request.headers.get("upload-length"), "Upload-Length")
    if length == 0:
        raise ProtocolError(400, "the file is empty", fix="Take the photograph again.")
    if length > longest:
        raise ProtocolError(413, f"the file is larger than {longest // 1_000_000} MB", fix="Send a smaller file.")
    metadata = tus.metadata_of(request.headers.get("upload-metadata", ""))
    visit = _visit(request, metadata)
    sha256 = metadata.get("sha256", "").lower()
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ProtocolError(400, "metadata sha256 is not 64 hexadecimal digits")
    with transaction.atomic():  # on SQLite the threads take turns for transactions, not for single statements
        upload = Upload.objects.create(
            visit=visit, view=metadata["view"], length=length, declared_sha256=sha256, sent_by=request.user
        )
    return HttpResponse(status=201, headers={"Location": reverse("upload", args=[upload.pk])})


def _visit(request: HttpRequest, metadata: dict[str, str]) -> Visit:
    try:
        identity = UUID(metadata.get("visit", ""))
        view = View(metadata.get("view", ""))
    except ValueError as error:
        raise ProtocolError(400, "metadata must name a visit (its id) and a view of the protocol") from error
    visit = Visit.objects.visible_to(request.user).filter(pk=identity).first()
    if visit is None:
        raise ProtocolError(404, "no such visit at your site")
    if not visit.is_open:
        raise ProtocolError(403, "the visit is closed", fix="Ask your monitor.")
    if view not in current_plan().views:
        raise ProtocolError(400, f"the study's protocol has no view {view.value}")
    return visit


@_tus
def one(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """HEAD: how much is here. PATCH: more of it. DELETE: give it up."""
    upload = Upload.objects.visible_to(request.user).filter(pk=upload_id).first()
    if upload is None:
        raise ProtocolError(404, "no such upload")
    if upload.state == Upload.State.ENDED:
        raise ProtocolError(410, "this upload was given up")
    if request.method == "HEAD":
        headers = {"Upload-Offset": str(tus.offset_of(upload)), "Upload-Length": str(upload.length)}
        return HttpResponse(status=200, headers={**headers, "Cache-Control": "no-store"})
    if request.method == "DELETE":
        return _give_up(upload)
    return _more(request, upload)


def _more(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise ProtocolError(415, "Content-Type must be application/offset+octet-stream")
    offset = tus.whole_number(request.headers.get("upload-offset"), "Upload-Offset")
    if upload.state != Upload.State.ARRIVING:
        if offset != upload.length:
            raise ProtocolError(409, f"offset {offset} is wrong, all {upload.length} bytes are here")
        return HttpResponse(status=204, headers={"Upload-Offset": str(upload.length)})
    reached = tus.append(upload, offset, request)
    if reached == upload.length:
        with transaction.atomic():
            Upload.objects.filter(pk=upload.pk, state=Upload.State.ARRIVING).update(state=Upload.State.WHOLE)
            queue.add(Job.Kind.RECEIVE, upload.pk, delay_s=_SAFETY_NET_S)
    return HttpResponse(status=204, headers={"Upload-Offset": str(reached)})


def _give_up(upload: Upload) -> HttpResponse:
    if upload.state != Upload.State.ARRIVING:
        raise ProtocolError(403, "the photograph has arrived", fix="Withdraw it on the visit's page, with a reason.")
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.ENDED)
    staged_file(upload).unlink(missing_ok=True)
    return HttpResponse(status=204)


def verdict(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """POST: check the photograph now, if nobody does yet, and say what came of it (202 while it is being checked)."""
    upload = get_object_or_404(Upload.objects.visible_to(request.user), pk=upload_id)
    if upload.state == Upload.State.ARRIVING and tus.offset_of(upload) == upload.length:
        # The process ended between the last byte and its note in the database.
        Upload.objects.filter(pk=upload.pk).update(state=Upload.State.WHOLE)
        queue.add(Job.Kind.RECEIVE, upload.pk, delay_s=_SAFETY_NET_S)
        upload.refresh_from_db()
    if upload.state == Upload.State.WHOLE:
        _check_now(upload)
        upload.refresh_from_db()
    photograph = upload.photograph
    failed = Job.objects.filter(kind=Job.Kind.RECEIVE, target=upload.pk, state=Job.State.FAILED).exists()
    waiting = (
        "It has arrived but could not be checked; your administrator sees why." if failed else "It is being checked."
    )
    answer = {
        "state": "failed" if failed else upload.state,
        "verdict": photograph.verdict if photograph else ("refused" if upload.state == Upload.State.DONE else None),
        "message": upload.message or waiting,
        "photograph": str(photograph.pk) if photograph else None,
    }
    return JsonResponse(answer, status=200 if upload.state == Upload.State.DONE else 202)


def _check_now(upload: Upload) -> None:
    job = queue.claim_for(queue.owner_here(), Job.Kind.RECEIVE, upload.pk)
    if job is None:
        return
    try:
        receive(upload, job)
    except queue.LeaseLostError:
        return  # a worker thought us dead and does it again: the answer is the same
    except OutputError as error:
        queue.put_off(job, str(error))
        raise
    except PasiVisionError as error:
        queue.fail(job, str(error), PortalFolder.current().settings().job_attempts)
        raise
