"""What a worker does now and then."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta

from django.utils import timezone

from pasi_vision.portal import queue
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.model_jobs import installed_version, score_when_ready, segment_key, segment_later
from pasi_vision.portal.models import Job, ModelScore, Photograph, Upload, Visit
from pasi_vision.portal.receive import staged_file
from pasi_vision.portal.tus import offset_of

__all__ = ["add_missing_jobs", "give_up_stale_uploads", "remove_half_written"]

_STALE_DAYS = 7
_LEFTOVER_S = 86_400


def give_up_stale_uploads() -> int:
    """End uploads that did not go on for a week and remove their bytes; gives how many."""
    old = Upload.objects.filter(
        state=Upload.State.ARRIVING, started_at__lt=timezone.now() - timedelta(days=_STALE_DAYS)
    )
    ended = 0
    for upload in old:
        ended += Upload.objects.filter(pk=upload.pk, state=Upload.State.ARRIVING).update(state=Upload.State.ENDED)
        staged_file(upload).unlink(missing_ok=True)
    return ended


def remove_half_written() -> int:
    """Remove what processes that were killed left of files they were writing, a day later; gives how many."""
    removed, now = 0, time.time()
    for leftover in PortalFolder.current().vault.rglob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if now - leftover.stat().st_mtime > _LEFTOVER_S:
                leftover.unlink()
                removed += 1
    return removed


def add_missing_jobs() -> None:
    """Jobs for what a killed process left between two steps: whole uploads without a check, cleared photographs without masks.

    A newly installed model's version is asked about everything that an older one has scored.
    """
    for upload in Upload.objects.filter(state=Upload.State.ARRIVING):
        if offset_of(upload) == upload.length:
            Upload.objects.filter(pk=upload.pk, state=Upload.State.ARRIVING).update(state=Upload.State.WHOLE)
    for upload in Upload.objects.filter(state=Upload.State.WHOLE):
        queue.add(Job.Kind.RECEIVE, upload.pk, delay_s=20)
    version = installed_version()
    if not version:
        return
    known = set(Job.objects.filter(kind=Job.Kind.SEGMENT).values_list("target", "key"))
    for photograph in Photograph.objects.exclude(identity=Photograph.Identity.WAITING):
        if (photograph.pk, segment_key(photograph, version)) not in known:
            segment_later(photograph)
    scored = ModelScore.objects.filter(model=version).values_list("visit_id", flat=True)
    for visit in Visit.objects.filter(state=Visit.State.CLOSED).exclude(pk__in=scored):
        score_when_ready(visit)
