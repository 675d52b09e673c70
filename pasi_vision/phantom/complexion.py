"""What each place of the body changes in anybody's skin: lips, areolae, brows, stubble, knuckles, nails and eyes, as an `Anatomy`.

The atlas was baked by `scripts/bake_complexion.py` from the CC0 textures of the MakeHuman base mesh.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.paint import Anatomy
from pasi_vision.phantom.skin import Person
from pasi_vision.phantom.surface import Part, Surface
from pasi_vision.storage import read_picture

Field = NDArray[np.float32]

_PALE = (Part.PALM, Part.SOLE)


@lru_cache(maxsize=2)
def _factors(female: bool) -> Field:
    """(side, side, 2) log factors of melanin and blood over the texture atlas."""
    with np.load(Path(__file__).with_name("assets") / "complexion.npz") as stored:
        picture = read_picture(stored["female" if female else "male"].tobytes(), grey=True)
        step = float(stored["step"])
    side = picture.shape[0]
    return np.ascontiguousarray((np.dstack([picture[:, :side], picture[:, side:]]).astype(np.float32) - 128.0) / step)


def anatomy_of(
    surface: Surface, person: Person, rng: np.random.Generator, *, female: bool, strength: float = 0.75
) -> Anatomy:
    """Factors on a person's melanin and blood, shine, relief and paint of every pixel of a body.

    Args:
        surface: What the camera sees; needs `uv`.
        person: Whose skin it is: palms and soles hold little melanin, whatever the tone.
        rng: Places the hairs of the brows.
        female: Which of the two atlases is taken.
        strength: Factor on the logarithms; below 1 softens features.
    """
    atlas = _factors(female)
    side = np.float32(atlas.shape[0])
    local = cv2.remap(
        atlas,
        surface.uv[..., 0] * side - 0.5,
        surface.uv[..., 1] * side - 0.5,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    part = surface.part
    # The textures show hair where the scalp is; here strands lie over skin.
    local = local * (1.0 - 0.85 * _soft(part == int(Part.SCALP), surface)[..., None])
    local = np.clip(np.float32(strength) * local, -0.9, 0.9)
    melanin, blood = np.exp(local[..., 0]), np.exp(local[..., 1])
    pale = _soft(np.isin(part, [int(p) for p in _PALE]), surface)
    melanin *= 1.0 - pale * np.float32(np.clip(1.0 - 0.05 / person.melanin, 0.0, 0.72))
    blood *= 1.0 + 0.6 * pale
    gloss = 1.0 + 0.8 * _soft(np.isin(part, [int(Part.FACE), int(Part.LIPS)]), surface)
    return Anatomy(
        melanin,
        blood,
        gloss.astype(np.float32),
        np.zeros_like(melanin),
        (*_nails(surface), *_brows(surface, person, rng), *_eyes(surface)),
    )


def _soft(mask: NDArray[np.bool_], surface: Surface) -> Field:
    """A mask with a border of about 3 mm."""
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    seen = surface.mm_per_px[surface.mm_per_px > 0]
    px = float(np.clip(1.5 / np.median(seen), 0.8, 12.0))
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), px), np.float32)


def _nails(surface: Surface) -> tuple[tuple[Field, tuple[float, float, float]], ...]:
    plate = np.isin(surface.part, [int(Part.FINGERNAIL), int(Part.TOENAIL)])
    if not plate.any():
        return ()
    return ((0.55 * _soft(plate, surface), (0.62, 0.42, 0.36)),)


def _brows(
    surface: Surface, person: Person, rng: np.random.Generator
) -> tuple[tuple[Field, tuple[float, float, float]], ...]:
    """Short hairs over the brows, in the colour of the body's hair."""
    brow = surface.part == int(Part.BROW)
    if brow.sum() < 12:  # too far away for hairs
        return ()
    mm = float(np.median(surface.mm_per_px[brow]))
    rows, columns = np.nonzero(brow)
    count = int(min(len(rows) * mm * mm * 0.9, 4000))
    pick = rng.integers(0, len(rows), count)
    layer = np.zeros(surface.shape, np.uint8)
    out = np.sign(surface.place_mm[rows[pick], columns[pick], 0])
    side = 1.0 if float(np.corrcoef(surface.place_mm[rows, columns, 0], columns)[0, 1]) >= 0 else -1.0
    for row, column, way, bend in zip(
        rows[pick], columns[pick], out * side, rng.normal(-0.35, 0.3, count), strict=True
    ):
        end = (int(column + 5.0 / mm * way), int(row + 5.0 / mm * bend))
        cv2.line(layer, (int(column), int(row)), end, 255, max(1, round(0.3 / mm)), cv2.LINE_AA)
    dark = 0.20 * (1 - person.hair_melanin) ** 1.5 + 0.012
    return (
        (
            0.6 * cv2.GaussianBlur(layer.astype(np.float32) / np.float32(255), (0, 0), 0.7),
            (dark, 0.65 * dark, 0.4 * dark),
        ),
    )


def _eyes(surface: Surface) -> tuple[tuple[Field, tuple[float, float, float]], ...]:
    """White, iris and pupil by how far the eyeball's surface faces forward."""
    eye = surface.part == int(Part.EYE)
    if not eye.any():
        return ()
    forward = -surface.rest_normal[..., 1]
    masks = (eye, eye & (forward > 0.9), eye & (forward > 0.984))
    colours = ((0.30, 0.27, 0.25), (0.05, 0.035, 0.02), (0.003, 0.003, 0.003))
    return tuple((mask.astype(np.float32), colour) for mask, colour in zip(masks, colours, strict=True))
