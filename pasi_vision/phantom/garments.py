"""Underwear and clothes: which fine quads of the body a garment covers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import body_model
from pasi_vision.phantom.surface import Part

TORSO = (Part.CHEST, Part.AREOLA, Part.NIPPLE, Part.ABDOMEN, Part.NAVEL, Part.BACK, Part.AXILLA)
SEAT = (Part.BUTTOCK, Part.GROIN, Part.GENITAL)
ARM = (Part.UPPER_ARM, Part.ELBOW, Part.FOREARM)
LEG = (Part.THIGH, Part.KNEE, Part.SHIN)
FOOT = (Part.FOOT_BACK, Part.SOLE, Part.TOE, Part.TOENAIL)

#: Garments that cover whole parts: the parts, and which share of the last one (from its upper end) belongs to it.
WHOLE_PARTS: dict[str, tuple[tuple[Part, ...], float]] = {
    "vest": (TORSO, 1.0),
    "t_shirt": ((*TORSO, Part.UPPER_ARM), 0.55),
    "shirt": ((*TORSO, *ARM), 0.95),
    "skirt": ((*SEAT, Part.THIGH), 0.9),
    "trousers": ((*SEAT, *LEG), 0.95),
    "shoes": (FOOT, 1.0),
    "scarf": ((Part.NECK,), 1.0),
}
GARMENTS = ("briefs", "shorts", "bra", *WHOLE_PARTS)


def draw_outfit(rng: np.random.Generator) -> tuple[str, ...]:
    """What somebody in the street wears: something above, something below, mostly shoes."""
    above = str(rng.choice(["vest", "t_shirt", "shirt"], p=[0.35, 0.35, 0.3]))
    below = str(rng.choice(["shorts", "skirt", "trousers"], p=[0.3, 0.35, 0.35]))
    shoes = ("shoes",) if rng.random() < 0.85 else ()
    return ("briefs", above, below, *shoes, *(("scarf",) if rng.random() < 0.12 else ()))


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
    for name in garments:
        if name in WHOLE_PARTS:
            mask |= _whole(labels.part, labels.centre_mm, name)
    if "briefs" in garments or "shorts" in garments:
        mask |= labels.part == int(Part.GENITAL)
    return np.asarray(mask)


def _whole(part: NDArray[np.uint8], centre_mm: NDArray[np.float32], name: str) -> NDArray[np.bool_]:
    """Whole parts, the last of them only as far as the garment reaches: from its upper end, at arms from the shoulder outwards."""
    parts, share = WHOLE_PARTS[name]
    mask = np.isin(part, [int(p) for p in parts[:-1]])
    last = part == int(parts[-1])
    along = np.abs(centre_mm[:, 0]) if parts[-1] in ARM else -centre_mm[:, 2]
    low, high = float(along[last].min()), float(along[last].max())
    return np.asarray(mask | (last & (along <= low + share * (high - low))))


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
