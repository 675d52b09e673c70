"""From a whole upload to a photograph with a verdict: identified, read, checked, freed of metadata, sealed. Safe to repeat."""

from __future__ import annotations

from pathlib import Path

from django.db import IntegrityError, transaction

from pasi_vision.anatomy import View
from pasi_vision.portal import examiners, queue
from pasi_vision.portal.examine import Examined, Unreadable
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Job, Photograph, Refusal, Upload
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import Subject, record
from pasi_vision.storage import sha256_of

__all__ = ["receive", "staged_file", "words_for"]


def staged_file(upload: Upload) -> Path:
    """Where an upload's bytes stand until it is done; the name is its id, never the sender's."""
    return PortalFolder.current().staging / str(upload.pk)


def receive(upload: Upload, job: Job) -> Upload:
    """Turn a whole upload into a photograph or a refusal and say which; a second call gives the same answer.

    The job ends in the same transaction in which the photograph or the refusal is written.

    Raises:
        LeaseLostError: Somebody else took the job over.
        OutputError: The vault cannot be written; the upload stays and is tried again.
    """
    upload.refresh_from_db()
    if upload.state != Upload.State.WHOLE:
        with transaction.atomic():
            queue.finish(job)
        return upload
    staged = staged_file(upload)
    sha256 = sha256_of(staged)
    if upload.declared_sha256 and upload.declared_sha256 != sha256:
        return _refuse(upload, job, sha256, "damaged", "The photograph changed on its way. Send it again.")
    known = Photograph.objects.filter(sha256=sha256).first()
    if known:
        return _already_here(upload, job, known, sha256)
    found = examiners.examined(staged, View(upload.view), sha256)
    if isinstance(found, Unreadable):
        return _refuse(upload, job, sha256, "unreadable", found.reason)
    return _keep(upload, job, sha256, found)


def _keep(upload: Upload, job: Job, sha256: str, found: Examined) -> Upload:
    needs_look = current_plan().identity_check == "all"
    try:
        with transaction.atomic():
            photograph = Photograph.objects.create(
                id=upload.pk,
                visit=upload.visit,
                view=upload.view,
                sha256=sha256,
                file=found.file,
                file_sha256=found.file_sha256,
                thumbnail=found.thumbnail,
                sealed=found.sealed,
                width=found.width,
                height=found.height,
                verdict=found.verdict,
                advice=list(found.advice),
                measures=list(found.measures),
                kept_metadata=found.metadata,
                identity=Photograph.Identity.WAITING if needs_look else Photograph.Identity.CONFIRMED,
                sent_by=upload.sent_by,
            )
            record(
                upload.sent_by,
                "photograph received",
                _about(upload, "photograph", photograph.pk),
                after={"view": upload.view, "sha256": sha256, "verdict": photograph.verdict},
            )
            _end(upload, job, photograph=photograph, message=words_for(photograph))
    except IntegrityError:  # the same file came from another browser in the meantime
        return _already_here(upload, job, Photograph.objects.get(sha256=sha256), sha256)
    staged_file(upload).unlink(missing_ok=True)
    return upload


def words_for(photograph: Photograph) -> str:
    """The verdict in plain words for whoever holds the camera."""
    advice = " ".join(photograph.advice)
    if photograph.verdict == "accept":
        return "Accepted."
    if photograph.verdict == "retake":
        return f"Please take it again. {advice}".strip()
    return f"Accepted, but it could be better. {advice}".strip()


def _already_here(upload: Upload, job: Job, known: Photograph, sha256: str) -> Upload:
    if known.visit_id != upload.visit_id or known.view != upload.view:
        return _refuse(
            upload,
            job,
            sha256,
            "elsewhere",
            "This very photograph was sent before for another view, visit or subject. Choose the right photograph, or ask your monitor.",
        )
    with transaction.atomic():
        _end(upload, job, photograph=known, message=f"{words_for(known)} (It was here already.)")
    staged_file(upload).unlink(missing_ok=True)
    return upload


def _refuse(upload: Upload, job: Job, sha256: str, kind: str, reason: str) -> Upload:
    with transaction.atomic():
        refusal = Refusal.objects.create(
            visit=upload.visit, view=upload.view, sha256=sha256, kind=kind, reason=reason[:400], sent_by=upload.sent_by
        )
        record(
            upload.sent_by,
            "photograph refused",
            _about(upload, "refusal", refusal.pk),
            after={"view": upload.view, "sha256": sha256, "kind": kind},
            reason=reason[:400],
        )
        _end(upload, job, photograph=None, message=reason[:400])
    staged_file(upload).unlink(missing_ok=True)
    return upload


def _end(upload: Upload, job: Job, *, photograph: Photograph | None, message: str) -> None:
    queue.finish(job)
    upload.state, upload.photograph, upload.message = Upload.State.DONE, photograph, message[:400]
    upload.save(update_fields=["state", "photograph", "message"])


def _about(upload: Upload, thing: str, thing_id: object) -> Subject:
    return Subject(thing, thing_id, upload.visit.subject.site_id)
