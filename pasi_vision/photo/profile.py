"""A photograph's embedded colour profile -> the conversion to sRGB."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pasi_vision.photo.colour import ADOBE_RGB_TO_SRGB, transform_pixels

__all__ = ["SRGB", "Profile", "profile_of"]

_COLOUR_SPACE_TAG, _INTEROPERABILITY_TAG = 0xA001, 1
_EXIF_FOLDER, _INTEROPERABILITY_FOLDER = 0x8769, 0xA005


@dataclass(frozen=True)
class Profile:
    """How to get from a photograph's own colours to sRGB.

    Attributes:
        transform: An ICC transform from `mode` to sRGB; None where none is needed.
        mode: Pillow mode that the transform takes.
        adobe_rgb: The camera marked Adobe RGB in the EXIF and embedded no profile.
    """

    transform: Any = None
    mode: str = "RGB"
    adobe_rgb: bool = False

    @property
    def by_matrix(self) -> bool:
        """Whether `apply` works on an array (no ICC transform, which needs a Pillow image)."""
        return self.transform is None

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 in the photograph's colours -> the same in sRGB."""
        return transform_pixels(pixels, ADOBE_RGB_TO_SRGB, _curve_of_adobe()) if self.adobe_rgb else pixels

    def apply_to_image(self, image: Image.Image) -> NDArray[np.uint8]:
        """A decoded picture of any mode -> (H, W, 3) uint8 sRGB."""
        if self.transform is None:
            return self.apply(np.asarray(image.convert("RGB")))
        return np.asarray(ImageCms.applyTransform(image.convert(self.mode), self.transform))


SRGB = Profile()


def profile_of(image: Image.Image) -> tuple[Profile, str]:
    """The conversion that a photograph (header read, pixels not) needs, and a note of it ("" for plain sRGB)."""
    data = image.info.get("icc_profile")
    if data:
        return _from_icc(data, _profile_mode(image))
    exif = image.getexif()
    marked = exif.get_ifd(_EXIF_FOLDER).get(_COLOUR_SPACE_TAG)
    index = exif.get_ifd(_INTEROPERABILITY_FOLDER).get(_INTEROPERABILITY_TAG)
    # DCF 2.0: "R03" with an uncalibrated colour space means Adobe RGB; some cameras write colour space 2.
    if marked == 2 or (marked == 0xFFFF and str(index).startswith("R03")):
        return Profile(adobe_rgb=True), "converted from Adobe RGB (marked in EXIF, no profile embedded)"
    return SRGB, ""


def _from_icc(data: bytes, mode: str) -> tuple[Profile, str]:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        name = " ".join(ImageCms.getProfileDescription(profile).split())[:60]
        transform = ImageCms.buildTransform(
            profile, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        needed = mode != "RGB" or _changes_colours(transform)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return SRGB, "embedded colour profile unreadable or not for these pixels: taken as sRGB"
    return (Profile(transform, mode), f"converted from {name}") if needed else (SRGB, "")


def _profile_mode(image: Image.Image) -> str:
    """The mode in which a picture meets its profile: grey and CMYK as they are, palettes and the rest as RGB."""
    if image.mode in ("L", "CMYK"):
        return image.mode
    return "L" if image.mode in ("1", "LA", "La") else "RGB"


def _changes_colours(transform: Any) -> bool:
    """Whether a transform moves any of 6 x 6 x 6 colours by more than rounding: an sRGB profile does not."""
    levels = np.linspace(0, 255, 6).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(36, 6, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return bool(np.abs(moved.astype(int) - grid).max() > 2)


@cache
def _curve_of_adobe() -> NDArray[np.uint16]:
    return np.round((np.arange(256) / 255) ** (563 / 256) * 65535).astype(np.uint16)
