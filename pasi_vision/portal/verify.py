"""`portal verify`: every file, signature and event hashed again; what is wrong is named."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from pasi_vision.errors import InputError
from pasi_vision.portal import vault
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Photograph, SignedReading, StudyVersion
from pasi_vision.portal.signing import sha256_of_reading
from pasi_vision.portal.trail import broken_links
from pasi_vision.storage import sha256_of

__all__ = ["verify"]


def verify() -> Iterator[str]:
    """One sentence for each thing that is wrong, on the database as it was at one moment."""
    with transaction.atomic(using="snapshot"):
        yield from broken_links(PortalFolder.current().anchors_file, using="snapshot")
        yield from _plans()
        yield from _signatures()
        yield from _photographs()


def _plans() -> Iterator[str]:
    for version in StudyVersion.objects.using("snapshot").order_by("number"):
        if sha256_of(version.text.encode()) != version.sha256:
            yield f"study plan: version {version.number} was changed after it was loaded"


def _signatures() -> Iterator[str]:
    for signed in SignedReading.objects.using("snapshot").iterator(chunk_size=500):
        if sha256_of_reading(signed) != signed.sha256:
            yield f"signature: version {signed.version} of reading {signed.assignment_id} was changed after it was signed"


def _photographs() -> Iterator[str]:
    for photograph in Photograph.objects.using("snapshot").order_by("arrived_at").iterator(chunk_size=500):
        for wrong in (
            _file,
            _thumbnail,
            _original,
        ):  # each by itself: a file that is gone must not hide another that was changed
            try:
                found = wrong(photograph)
            except InputError as error:
                found = f"{error.what} ({error.where})"
            if found:
                yield f"photograph {photograph.pk}: {found}"


def _file(photograph: Photograph) -> str:
    changed = sha256_of(vault.get(photograph.file)) != photograph.file_sha256
    return f"{photograph.file} was changed" if changed else ""


def _thumbnail(photograph: Photograph) -> str:
    return "" if vault.has(photograph.thumbnail) else f"{photograph.thumbnail} is missing"


def _original(photograph: Photograph) -> str:
    if not photograph.sealed:
        return ""
    original = vault.unseal(vault.get(photograph.sealed), photograph.sealed)
    return "" if sha256_of(original) == photograph.sha256 else "the sealed original is not the one that was sent"
