"""What is done with a whole photograph before the database hears of it: read, checked, freed of metadata, sealed, stored.

No database is needed, so it runs in a process of its own as well as in the caller's (`examiners.py`). Safe to repeat: the files
are named by the upload's id and by the content, and written whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.errors import PhotoError
from pasi_vision.portal import vault
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.records import QualityReport
from pasi_vision.storage import sha256_of

__all__ = ["Examined", "Unreadable", "examine", "thumbnail_of"]

THUMBNAIL_PX = 480


@dataclass(frozen=True)
class Examined:
    """A photograph that could be read: its verdict, and where its files stand in the vault."""

    width: int
    height: int
    verdict: str
    advice: tuple[str, ...]
    measures: tuple[dict[str, Any], ...]
    metadata: dict[str, str]
    file: str
    file_sha256: str
    thumbnail: str
    sealed: str


@dataclass(frozen=True)
class Unreadable:
    """What cannot be used as a photograph, and why, without a file's name."""

    reason: str


def examine(staged: Path, view: View, sha256: str) -> Examined | Unreadable:
    """Read a staged upload and put what comes of it into the vault.

    Args:
        staged: The upload's bytes; the file's name is the upload's id.
        view: The view it was sent for.
        sha256: Of these bytes.

    Raises:
        OutputError: The vault cannot be written.
    """
    from pasi_vision.photo import check_photo, read_photo, strip_metadata

    data = staged.read_bytes()
    try:
        photo = read_photo(data)
    except PhotoError as error:
        return Unreadable(f"This cannot be used as a photograph: {error.what}. {error.fix}".strip())
    report = check_photo(photo, view)
    clean = strip_metadata(photo)
    # The photograph takes the upload's id, so a repeated attempt writes the same files again.
    file, thumbnail = f"photographs/{staged.name}.jpg", f"thumbnails/{staged.name}.jpg"
    vault.put(file, clean)
    vault.put(thumbnail, thumbnail_of(photo.pixels))
    height, width = photo.pixels.shape[:2]
    return Examined(
        width=width,
        height=height,
        verdict=report.verdict.value,
        advice=tuple(report.advice),
        measures=_measures(report),
        metadata=dict(photo.metadata),
        file=file,
        file_sha256=sha256_of(clean),
        thumbnail=thumbnail,
        sealed=_seal_original(data, sha256),
    )


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


def _seal_original(data: bytes, sha256: str) -> str:
    if not PortalFolder.current().settings().keep_originals:
        return ""
    name = f"originals/{sha256[:2]}/{sha256}"
    vault.put(name, vault.seal(data, name))
    return name


def _measures(report: QualityReport) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"name": m.name, "value": round(float(m.value), 4), "unit": m.unit, "verdict": m.verdict.value}
        for m in report.measures
        if np.isfinite(m.value)
    )
