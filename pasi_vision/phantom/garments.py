"""Underwear: which fine quads of the body a garment covers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import body_model
from pasi_vision.phantom.surface import Part

GARMENTS = ("briefs", "shorts", "bra")


@lru_cache(maxsize=8)
def covered(garments: tuple[str, ...]) -> NDArray[np.bool_]:
    """Mask (fine quads,) of what these garments cover; genitals are covered by each lower one.

    Raises:
        InputError: Unknown garment.
    """
    for name in garments:
        if name not in GARMENTS:
            raise InputError(f"unknown garment {name!r}", where="garments", fix=f"Known: {', '.join(GARMENTS)}.")
    labels, model = atlas(), body_model()
    joints = model.mean_mm[model.vertices :]
    hip = joints[model.bone("upperleg01.L")]
    x, y, z = labels.centre_mm.T
    lower = np.isin(
        labels.part, [int(p) for p in (Part.ABDOMEN, Part.BACK, Part.BUTTOCK, Part.GROIN, Part.GENITAL, Part.THIGH)]
    )
    mask = np.zeros(len(z), dtype=bool)
    if "briefs" in garments:
        front_edge = hip[2] - 85 + 0.75 * np.abs(x)
        back_edge = hip[2] - 75 + 0.35 * np.maximum(np.abs(x) - 60, 0)
        edge = np.where(y > hip[1] + 10, back_edge, front_edge)
        mask |= lower & (z > edge) & (z < hip[2] + 55)
        mask |= lower & (np.abs(x) < 30) & (z > hip[2] - 140) & (z < hip[2])
    if "shorts" in garments:
        mask |= lower & (z > hip[2] - 150) & (z < hip[2] + 60)
    if "bra" in garments:
        mask |= _bra(labels.part, x, y, z)
    if "briefs" in garments or "shorts" in garments:
        mask |= labels.part == int(Part.GENITAL)
    return np.asarray(mask)


def _bra(
    part: NDArray[np.uint8], x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]
) -> NDArray[np.bool_]:
    nipple = part == int(Part.NIPPLE)
    height, aside = float(z[nipple].mean()), float(np.abs(x[nipple]).mean())
    torso = np.isin(part, [int(p) for p in (Part.CHEST, Part.BACK, Part.AREOLA, Part.NIPPLE, Part.ABDOMEN)])
    front = y < np.median(y[torso])
    cups = front & (np.hypot(np.abs(x) - aside, z - height + 8) < 68)
    band = (np.abs(z - height + 55) < 16) | (~front & (np.abs(z - height + 45) < 18))
    straps = (np.abs(np.abs(x) - aside - 5) < 8) & (z > height)
    return np.asarray(torso & (cups | band | straps))
