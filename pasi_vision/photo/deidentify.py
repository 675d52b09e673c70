"""What may be known of a photograph beside its pixels, and a copy of the pixels that carries nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasi_vision.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Exif

    from pasi_vision.records import Photo

__all__ = ["ALLOWED_TAGS", "allowed_metadata", "strip_metadata"]

ALLOWED_TAGS = {
    # EXIF 2.32 tag -> name in Photo.metadata. Only how the picture was taken; whatever is not named here is dropped.
    0x010F: "camera_make",
    0x0110: "camera_model",
    0x829A: "exposure_time_s",
    0x829D: "f_number",
    0x8822: "exposure_program",
    0x8827: "iso",
    0x9204: "exposure_bias_ev",
    0x9207: "metering_mode",
    0x9208: "light_source",
    0x9209: "flash",
    0x920A: "focal_length_mm",
    0xA402: "exposure_mode",
    0xA403: "white_balance",
    0xA404: "digital_zoom",
    0xA405: "focal_length_35mm",
}
"""The allow-list. Position, serial numbers, owner, artist, comments, maker notes, thumbnails and unique ids are not on it.

Dates are not on it either: a capture date is a direct identifier (HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C)), and the study
knows the visit and its day from photos.csv.
"""

_TEXT_TAGS = {0x010F, 0x0110}
_EXIF_FOLDER = 0x8769
_LONGEST_TEXT = 64


def allowed_metadata(exif: Exif) -> dict[str, str]:
    """The tags of a photograph's EXIF that are on the allow-list, as text; unreadable ones are left out.

    >>> from PIL import Image
    >>> exif = Image.Exif()
    >>> exif[0x0110], exif[0x013B] = "Phone 9", "Jane Doe"
    >>> allowed_metadata(exif)
    {'camera_model': 'Phone 9'}
    """
    found = dict(exif)
    found.update(exif.get_ifd(_EXIF_FOLDER))
    kept = {}
    for tag, name in ALLOWED_TAGS.items():
        text = _text(found[tag], is_text=tag in _TEXT_TAGS) if tag in found else None
        if text:
            kept[name] = text
    return kept


def _text(value: Any, *, is_text: bool) -> str | None:
    """A number or a short printable name as text; None for anything else, such as free text where a number belongs."""
    if isinstance(value, tuple) and value:
        value = value[0]
    if is_text:
        named = value.strip("\0 ") if isinstance(value, str) else ""
        return named[:_LONGEST_TEXT] if named.isprintable() else None
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return f"{number:.6g}" if abs(number) < float("inf") else None


def strip_metadata(photo: Photo, *, lossless: bool = False) -> bytes:
    """The photograph's upright sRGB pixels as a new JPEG (quality 95, full chroma) or PNG file that carries nothing else.

    No EXIF, XMP, IPTC, ICC profile, comment or thumbnail is written. What is in the picture itself (a face, a name tag, a tattoo)
    stays.

    Raises:
        InputError: The longer side is over what JPEG can hold (65,500 px).
    """
    import io

    from PIL import Image

    if not lossless and max(photo.pixels.shape[:2]) > 65_500:
        raise InputError("too long for a JPEG file", where=str(photo.source or "photograph"), fix="Use lossless=True.")
    stream = io.BytesIO()
    image = Image.fromarray(photo.pixels)
    if lossless:
        image.save(stream, format="PNG", compress_level=4)
    else:
        image.save(stream, format="JPEG", quality=95, subsampling=0)
    return stream.getvalue()
