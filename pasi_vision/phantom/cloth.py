"""What a photographed body wears: cloth where a garment covers the skin, lit like it, one piece above the waist and one below."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import backdrop as behind
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.light import Light, falloff_map, shade
from pasi_vision.phantom.surface import Part, Surface, at_size

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rng = np.random.Generator

#: What clothes next to skin are made of (field guide, section 7: plain white, dark and coloured cloth, some with a pattern).
CLOTHS = {"clothing": 0.42, "white": 0.2, "black": 0.14, "blue": 0.1, "grey": 0.08, "green": 0.03, "cream": 0.03}


def clothed(surface: Surface) -> Mask:
    """(H, W): where the camera sees a garment on the body."""
    return np.asarray((surface.depth_mm > 0) & (surface.region == 0) & (surface.part == int(Part.NONE)))


def draw_clothes(rng: Rng) -> tuple[str, str]:
    """What is worn above the waist and below it is made of."""
    names = sorted(CLOTHS)
    shares = np.array([CLOTHS[name] for name in names])
    above, below = rng.choice(names, 2, p=shares / shares.sum())
    return str(above), str(below)


def dressed(rng: Rng, radiance: Field, surface: Surface, light: Light, clothes: tuple[str, str] | None = None) -> Field:
    """Lay cloth over the picture where the surface wears any.

    Args:
        rng: Source of chance; nothing is drawn where there are no clothes.
        radiance: (H, W, 3) linear light of the skin, at the camera's resolution.
        surface: What the camera sees, at any resolution.
        light: Of the photograph.
        clothes: What they are made of above the waist and below it, if that is settled.
    """
    worn = clothed(surface)
    if not worn.any():
        return radiance
    size = radiance.shape[:2]
    below_waist = surface.place_mm[..., 2] < _waist_mm()
    normal = at_size(surface.normal, size)
    flat = np.zeros(size, np.float32)
    diffuse, _ = shade(normal, flat, 1.0, light, flat)
    bright = diffuse * falloff_map(light, size) * _hem(worn, size)
    for kind, piece in zip(clothes or draw_clothes(rng), (worn & ~below_waist, worn & below_waist), strict=True):
        if piece.any():
            weave = behind.backdrop(rng, size, kind) * bright[..., None]
            # Beyond the body's silhouette cloth goes on, so that no rim of skin shows there.
            wide = cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            over = piece | (wide & (surface.depth_mm == 0))
            radiance = np.asarray(radiance + _soft(over, size)[..., None] * (weave - radiance), np.float32)
    return radiance


def _waist_mm() -> float:
    """Height of the waist in the rest pose: where the buttocks begin."""
    labels = atlas()
    return float(labels.centre_mm[labels.part == int(Part.BUTTOCK), 2].max()) - 10.0


def _soft(mask: Mask, size: tuple[int, int]) -> Field:
    return np.asarray(cv2.GaussianBlur(at_size(mask.astype(np.float32), size), (0, 0), 0.7), np.float32)


def _hem(worn: Mask, size: tuple[int, int]) -> Field:
    """Cloth is darker along its border, where it turns in."""
    deep = np.minimum(
        cv2.distanceTransform(worn.astype(np.uint8), cv2.DIST_L2, 3) / max(worn.shape), 1.0
    )  # endless where all is cloth
    small = (1.0 - 0.35 * np.exp(-((deep / 0.006) ** 2))).astype(np.float32)
    return at_size(small, size)
