"""Covering faces and tattoos: rectangles that a person drew in the browser are filled, and only the covered picture stays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from django.db import transaction

from pasi_vision.errors import InputError
from pasi_vision.portal import vault
from pasi_vision.portal.model_jobs import segment_later
from pasi_vision.portal.models import Person, Photograph
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about
from pasi_vision.storage import sha256_of

__all__ = ["Box", "boxes_of", "cover"]

_MOST_BOXES = 20


class Box(NamedTuple):
    """A rectangle as shares (0-1) of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float


def boxes_of(values: object) -> list[Box]:
    """Rectangles from parsed JSON: a list of [left, top, right, bottom], each 0-1.

    Raises:
        InputError: It is anything else.
    """
    wrong = InputError("the covered places could not be read", where="boxes", fix="Draw them again.")
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_BOXES:
        raise wrong
    boxes = []
    for value in values:
        if not isinstance(value, list) or len(value) != 4 or not all(isinstance(v, (int, float)) for v in value):
            raise wrong
        box = Box(*(float(v) for v in value))
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise wrong
        boxes.append(box)
    return boxes


def cover(photograph: Photograph, boxes: Sequence[Box], by: Person) -> None:
    """Fill the rectangles with their mean colour in a new file, use it from now on and remove the uncovered one.

    Filled, not blurred: a blur can be undone. The sealed original, where the study keeps it, stays as it was sent.
    """
    from PIL import Image

    before = photograph.file_sha256
    pixels = np.array(_pixels(vault.get(photograph.file)))
    height, width = pixels.shape[:2]
    for box in boxes:
        part = pixels[
            round(box.top * height) : max(1, round(box.bottom * height)),
            round(box.left * width) : max(1, round(box.right * width)),
        ]
        if part.size:
            part[:] = part.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=95, subsampling=0)
    covered = stream.getvalue()
    sha256 = sha256_of(covered)
    old_file, old_thumbnail = photograph.file, photograph.thumbnail
    file, thumbnail = (f"{part}/{photograph.pk}-{sha256[:12]}.jpg" for part in ("photographs", "thumbnails"))
    vault.put(file, covered)
    vault.put(thumbnail, _small(pixels))
    with transaction.atomic():
        photograph.file, photograph.file_sha256, photograph.thumbnail = file, sha256, thumbnail
        photograph.identity, photograph.identity_by = Photograph.Identity.COVERED, by
        photograph.save(update_fields=["file", "file_sha256", "thumbnail", "identity", "identity_by"])
        after = {"file_sha256": sha256, "places": [list(box) for box in boxes]}
        event = about(photograph.visit, "photograph", photograph.pk)
        record(by, "identity covered", event, before={"file_sha256": before}, after=after)
    if old_file != file:
        vault.remove(old_file)
        vault.remove(old_thumbnail)
    segment_later(photograph)


def _pixels(data: bytes) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """(H, W, 3) uint8 of a JPEG that this package wrote."""
    from pasi_vision.photo import read_photo

    return read_photo(data).pixels


def _small(pixels: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> bytes:
    from pasi_vision.portal.examine import thumbnail_of

    return thumbnail_of(pixels)
