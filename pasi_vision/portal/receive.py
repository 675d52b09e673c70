"""From a whole upload to a photograph with a verdict: identified, read, checked, freed of metadata, sealed. Safe to repeat."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.errors import PhotoError
from pasi_vision.portal import vault
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Photograph, Refusal, Upload
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import Subject, record
from pasi_vision.records import QualityReport
from pasi_vision.storage import sha256_of

__all__ = ["receive", "staged_file", "thumbnail_of", "words_for"]

THUMBNAIL_PX = 480
_at_once = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))
"""Decoding takes memory and a core: no more at once in one process than there are cores."""


def staged_file(upload: Upload) -> Path:
    """Where an upload's bytes stand until it is done; the name is its id, never the sender's."""
    return PortalFolder.current().staging / str(upload.pk)


def receive(upload: Upload) -> Upload:
    """Turn a whole upload into a photograph or a refusal and say which; a second call gives the same answer.

    Raises:
        OutputError: The vault cannot be written; the upload stays and is tried again.
    """
    upload.refresh_from_db()
    if upload.state != Upload.State.WHOLE:
        return upload
    with _at_once:
        return _receive(upload)


def _receive(upload: Upload) -> Upload:
    from pasi_vision.photo import read_photo

    data = staged_file(upload).read_bytes()
    sha256 = sha256_of(data)
    if upload.declared_sha256 and upload.declared_sha256 != sha256:
        return _refuse(upload, sha256, "damaged", "The photograph changed on its way. Send it again.")
    known = Photograph.objects.filter(sha256=sha256).first()
    if known:
        return _already_here(upload, known, sha256)
    try:
        photo = read_photo(data)
    except PhotoError as error:
        return _refuse(upload, sha256, "unreadable", _sentence(error))
    return _keep(upload, sha256, data, photo)


def _keep(upload: Upload, sha256: str, data: bytes, photo: Any) -> Upload:
    from pasi_vision.photo import check_photo, strip_metadata

    report = check_photo(photo, View(upload.view))
    clean = strip_metadata(photo)
    height, width = photo.pixels.shape[:2]
    name = str(upload.pk)  # the photograph takes the upload's id, so a repeated attempt writes the same files again
    file, thumbnail = f"photographs/{name}.jpg", f"thumbnails/{name}.jpg"
    vault.put(file, clean)
    vault.put(thumbnail, thumbnail_of(photo.pixels))
    sealed = _seal_original(data, sha256)
    needs_look = current_plan().identity_check == "all"
    try:
        with transaction.atomic():
            photograph = Photograph.objects.create(
                id=upload.pk,
                visit=upload.visit,
                view=upload.view,
                sha256=sha256,
                file=file,
                file_sha256=sha256_of(clean),
                thumbnail=thumbnail,
                sealed=sealed,
                width=width,
                height=height,
                verdict=report.verdict.value,
                advice=list(report.advice),
                measures=_measures(report),
                kept_metadata=dict(photo.metadata),
                identity=Photograph.Identity.WAITING if needs_look else Photograph.Identity.CONFIRMED,
                sent_by=upload.sent_by,
            )
            record(
                upload.sent_by,
                "photograph received",
                _about(upload, "photograph", photograph.pk),
                after={"view": upload.view, "sha256": sha256, "verdict": photograph.verdict},
            )
            _end(upload, photograph=photograph, message=words_for(photograph))
    except IntegrityError:  # the same file came from another browser in the meantime
        return _already_here(upload, Photograph.objects.get(sha256=sha256), sha256)
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


def _already_here(upload: Upload, known: Photograph, sha256: str) -> Upload:
    if known.visit_id != upload.visit_id or known.view != upload.view:
        return _refuse(
            upload,
            sha256,
            "elsewhere",
            "This very photograph was sent before for another view, visit or subject. Choose the right photograph, or ask your monitor.",
        )
    with transaction.atomic():
        _end(upload, photograph=known, message=f"{words_for(known)} (It was here already.)")
    staged_file(upload).unlink(missing_ok=True)
    return upload


def _refuse(upload: Upload, sha256: str, kind: str, reason: str) -> Upload:
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
        _end(upload, photograph=None, message=reason[:400])
    staged_file(upload).unlink(missing_ok=True)
    return upload


def _end(upload: Upload, *, photograph: Photograph | None, message: str) -> None:
    upload.state, upload.photograph, upload.message = Upload.State.DONE, photograph, message[:400]
    upload.save(update_fields=["state", "photograph", "message"])


def _about(upload: Upload, thing: str, thing_id: object) -> Subject:
    return Subject(thing, thing_id, upload.visit.subject.site_id)


def _seal_original(data: bytes, sha256: str) -> str:
    if not PortalFolder.current().settings().keep_originals:
        return ""
    name = f"originals/{sha256[:2]}/{sha256}"
    vault.put(name, vault.seal(data, name))
    return name


def _measures(report: QualityReport) -> list[dict[str, Any]]:
    return [
        {"name": m.name, "value": round(float(m.value), 4), "unit": m.unit, "verdict": m.verdict.value}
        for m in report.measures
        if np.isfinite(m.value)
    ]


def thumbnail_of(pixels: NDArray[np.uint8]) -> bytes:
    """A small JPEG of (H, W, 3) uint8 sRGB pixels."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise PhotoError("no preview could be made", fix="Send the photograph again.")
    return bytes(encoded.tobytes())


def _sentence(error: PhotoError) -> str:
    """Why a photograph could not be read, without the place, which may hold a file's name."""
    return f"This cannot be used as a photograph: {error.what}. {error.fix}".strip()
