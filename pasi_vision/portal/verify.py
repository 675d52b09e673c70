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
        try:
            if sha256_of(vault.get(photograph.file)) != photograph.file_sha256:
                yield f"photograph {photograph.pk}: {photograph.file} was changed"
            if not vault.has(photograph.thumbnail):
                yield f"photograph {photograph.pk}: {photograph.thumbnail} is missing"
            if photograph.sealed:
                original = vault.unseal(vault.get(photograph.sealed), photograph.sealed)
                if sha256_of(original) != photograph.sha256:
                    yield f"photograph {photograph.pk}: the sealed original is not the one that was sent"
        except InputError as error:
            yield f"photograph {photograph.pk}: {error.what} ({error.where})"
