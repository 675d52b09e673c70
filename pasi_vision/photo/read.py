"""Bytes -> Photo: the only place where untrusted photographs are decoded.

A photograph is identified by its content, never by its name; its size is checked from the header before any pixel is decoded.
JPEG pixels are decoded by OpenCV (half the time and memory of Pillow), everything else by Pillow or libheif.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pasi_vision.errors import PhotoError
from pasi_vision.photo.deidentify import allowed_metadata
from pasi_vision.photo.profile import Profile, profile_of
from pasi_vision.records import Photo
from pasi_vision.storage import sha256_of

__all__ = ["ReadLimits", "read_photo"]


@dataclass(frozen=True)
class ReadLimits:
    """What a photograph may cost: refused before decoding if its file or its picture is larger.

    Attributes:
        bytes: Largest file.
        pixels: Largest picture (width x height); 80 million need about 0.5 GiB while they are read.
    """

    bytes: int = 200_000_000
    pixels: int = 80_000_000


_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ORIENTATION_TAG = 0x0112
_RETAKE = "Copy the original from the camera again, or retake the photograph."
_DECODING_ERRORS = (  # hostile bytes make decoders raise nearly anything; none of these may reach the user as a traceback
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)


def read_photo(source: str | Path | bytes, limits: ReadLimits | None = None) -> Photo:
    """Decode a photograph: upright, 8-bit sRGB, with its allow-listed metadata. The original is never changed.

    Reads JPEG, PNG, TIFF, WebP and (with pi-heif) HEIC/HEIF; grey, palette, 16 bit and alpha included. Transparent parts are shown
    on white, CMYK is read only if it carries its colour profile, of several pictures in one file the first is taken; `notes` say so.

    Args:
        source: Path of the file, or its bytes.
        limits: What it may cost; `ReadLimits()` unless given.

    Raises:
        PhotoError: Missing, too large, truncated, damaged, or not a photograph of a format that is read.
    """
    limits = limits or ReadLimits()
    data, path = _bytes_of(source, limits)
    where = str(path) if path else "photograph"
    try:
        image = _open(data, where)
        _check_size(image, limits, where)
        pixels, notes = _decode(image, data, where)
        metadata = allowed_metadata(image.getexif())
    except PhotoError:
        raise
    except _DECODING_ERRORS as error:
        said = str(error).removeprefix("image file is ") or type(error).__name__
        raise PhotoError(f"damaged or truncated ({said})", where=where, fix=_RETAKE) from error
    return Photo(
        pixels=pixels,
        source=path,
        sha256=sha256_of(data),
        metadata=metadata,
        bit_depth=_bit_depth(image, data),
        notes=tuple(notes),
    )


def _bytes_of(source: str | Path | bytes, limits: ReadLimits) -> tuple[bytes, Path | None]:
    if isinstance(source, bytes):
        data, path, size, where = source, None, len(source), "photograph"
    else:
        path, where = Path(source), str(source)
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "file not found"
            raise PhotoError(what, where=where, fix="Check the path.")
        data, size = b"", path.stat().st_size
    if size > limits.bytes:
        raise PhotoError(
            f"{size / 1e6:.0f} MB, over the limit of {limits.bytes / 1e6:.0f} MB", where=where, fix="Save it as JPEG."
        )
    if path is not None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PhotoError(
                f"cannot be opened ({error.strerror})", where=where, fix="Check its permissions."
            ) from error
    if not data:
        raise PhotoError("empty file", where=where, fix=_RETAKE)
    return data, path


def _open(data: bytes, where: str) -> Image.Image:
    """The picture with its header read and no pixel decoded."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return _open_heif(data, where)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures by a limit of its own; `_check_size` decides by ours, before decoding.
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise PhotoError(f"refused: {error}", where=where, fix="Save it smaller, or retake it.") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            "not a photograph that can be read", where=where, fix="Give a JPEG, PNG, TIFF, WebP or HEIC file."
        ) from error


def _open_heif(data: bytes, where: str) -> Image.Image:
    try:
        from pi_heif import HeifImageFile
    except ImportError as error:
        raise PhotoError(
            "HEIC is not readable here", where=where, fix="Run `pip install pi-heif`, or save it as JPEG."
        ) from error
    image: Image.Image = HeifImageFile(io.BytesIO(data))
    return image


def _check_size(image: Image.Image, limits: ReadLimits, where: str) -> None:
    width, height = image.size
    if width * height > limits.pixels:
        raise PhotoError(
            f"{width} x {height} is {width * height / 1e6:.0f} million pixels, over the limit of {limits.pixels / 1e6:.0f}",
            where=where,
            fix="Save it smaller.",
        )
    if width * height < 1:
        raise PhotoError(f"has no pixels ({width} x {height})", where=where, fix=_RETAKE)


def _decode(image: Image.Image, data: bytes, where: str) -> tuple[NDArray[np.uint8], list[str]]:
    """Upright sRGB pixels and what was done to get them."""
    notes: list[str] = []
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # a phone's MPO carries its own previews
        notes.append("first of several pictures in the file")
    profile, note = profile_of(image)
    if note:
        notes.append(note)
    pixels = None
    if image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L") and profile.by_matrix:
        pixels = _jpeg_pixels(data)
    pixels = profile.apply(pixels) if pixels is not None else _pixels_by_pillow(image, profile, notes, where)
    # TIFF and HEIC decoders turn the picture themselves and then drop the tag, so it is read only now.
    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    turned = _upright(np.asarray(pixels, dtype=np.uint8), orientation)
    if orientation in range(2, 9):
        notes.append(f"turned upright (EXIF orientation {orientation})")
    return turned, notes


def _jpeg_pixels(data: bytes) -> NDArray[np.uint8] | None:
    """The pixels of an 8-bit JPEG as they are stored; None if it is truncated or odd, for Pillow to say what is wrong."""
    import cv2

    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if decoded is None else np.asarray(decoded, dtype=np.uint8)


def _pixels_by_pillow(image: Image.Image, profile: Profile, notes: list[str], where: str) -> NDArray[np.uint8]:
    image.load()
    if image.mode.startswith("I;16"):
        return np.repeat(_high_byte(np.asarray(image))[..., None], 3, axis=2)
    if image.mode == "CMYK" and profile.transform is None:
        raise PhotoError("CMYK without a colour profile", where=where, fix="Save it as sRGB JPEG.")
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise PhotoError(f"colour mode {image.mode} is not read", where=where, fix="Save it as 8- or 16-bit sRGB.")
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        image = rgba.convert("RGB")
    pixels = profile.apply_to_image(image)
    if alpha is None or alpha.getextrema()[0] == 255:
        return pixels
    notes.append("transparent parts shown on white")
    share = np.asarray(alpha, dtype=np.uint16)[..., None]
    return ((pixels * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def _high_byte(values: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit levels rounded to 8 bits (65535 -> 255)."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (1-8; anything else is taken as 1)."""
    if orientation not in range(2, 9):
        return pixels
    import cv2

    turns = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 7: cv2.ROTATE_180, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
    flips = {2: 1, 4: 0}  # about the vertical axis, the horizontal axis
    turned: Any = cv2.transpose(pixels) if orientation in (5, 7) else pixels  # 5 and 7 are mirrored about a diagonal
    if orientation in flips:
        turned = cv2.flip(turned, flips[orientation])
    if orientation in turns:
        turned = cv2.rotate(turned, turns[orientation])
    return np.asarray(turned, dtype=np.uint8)


def _bit_depth(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return max(8, data[24])  # IHDR; 1, 2 and 4 bits are palettes and drawings
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        return max(8, max(bits) if isinstance(bits, tuple) else int(bits))
    return int(image.info.get("bit_depth", 8))
