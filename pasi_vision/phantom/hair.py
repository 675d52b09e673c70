"""Hair over the skin of a close-up: of the body, brows, beard and head."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import marks
from pasi_vision.phantom.bodies import PERSON, SITES
from pasi_vision.phantom.setting import Setting
from pasi_vision.phantom.skin import Person
from pasi_vision.phantom.surface import Part

#: Hair that covers more than this share of a stretch of skin hides it.
DENSE_HAIR = 0.72

#: Hair of the head (0 bald - 1 long and thick) from which on it closes where it stands densely, seen straight on.
CLOSED_FROM = 0.5

Field = NDArray[np.float32]
Rng = np.random.Generator


def closing(density: Field, thickness: float, slant: Field) -> Field:
    """How much hair of the head hides, 0-1: a short cut shows the skin between its strands, longer hair lies over itself and shows none.

    Args:
        density: (H, W) share of the skin under strands, blurred over some millimetres.
        thickness: Of the hair of the head, 0 bald - 1 long and thick.
        slant: (H, W) 1 seen straight on, more at a slant: there more hair lies before the same skin.
    """
    share = np.clip((1.35 * density * thickness * slant - 0.3) / 0.3, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def add_hair(
    rng: Rng,
    radiance: Field,
    part: NDArray[np.uint8],
    person: Person,
    setting: Setting,
    height_mm: Field,
    thickness: float,
) -> tuple[Field, Field]:
    """Body hair, brows, beard and scalp hair over the skin.

    Args:
        radiance: (H, W, 3) of the skin.
        part: (H, W) `Part` codes.
        height_mm: Elevation of plaques, on which hair thins.
        thickness: Of the hair of the head, 0 bald - 1 thick.

    Returns:
        Radiance with hair, and how densely hair hides the skin (H, W, 0-1).
    """
    mm, scene, axis = setting.mm_per_px, setting.scene, setting.axis
    size = part.shape
    tone = np.array([0.20, 0.13, 0.07], np.float32) * (1 - person.hair_melanin) ** 1.5 + np.array(
        [0.012, 0.009, 0.007], np.float32
    )
    layers: list[tuple[Field, float]] = []
    density = {"limb": 1.0, "joint": 0.6, "patch": 0.5, "trunk": 0.5, "foot_back": 0.25, "hand_back": 0.3}.get(
        scene, 0.0
    ) * max(person.hair - 0.25, 0.0)
    if density > 0.02:
        bare = np.isin(part, [int(Part.PALM), int(Part.SOLE), int(Part.FINGERNAIL), int(Part.TOENAIL)])
        thin = 1.0 - 0.6 * np.clip(height_mm / 0.6, 0, 1)
        layers.append(
            (
                marks.hair_layer(
                    rng, size, density, mm, axis + float(rng.normal(0, 0.5)), np.where(bare, 0, thin).astype(np.float32)
                ),
                0.8,
            )
        )
    for kind, dense, long in ((Part.BROW, 6.0, 9.0), (Part.BEARD, 5.0, 6.0)):
        where = (part == int(kind)).astype(np.float32)
        if not where.any() or (kind == Part.BROW and scene in SITES):
            continue
        soft = cv2.GaussianBlur(where, (0, 0), max(1.0, 2.0 / mm))
        strength = float(rng.uniform(0.3, 1.0)) if kind != Part.BEARD else float(rng.uniform(0.2, 0.8))
        area = float(size[0] * size[1]) * mm * mm / 100
        count = int(min(dense * strength * 40 * area, 2600))
        field = marks.strokes(
            rng, size, count, (float(rng.uniform(0, 3.14)), 0.35, long / mm, 0.6), float(np.clip(0.12 / mm, 0.5, 2.5))
        )
        layers.append((field * np.clip(1.5 * soft, 0, 1), 0.95))
    for field, strength in layers:
        shadow = cv2.blur(np.roll(field, (2, 1), (0, 1)), (3, 3))
        radiance = radiance * (1 - 0.35 * strength * shadow[..., None])
        radiance = radiance + np.clip(strength * field, 0, 1)[..., None] * (
            tone * (0.6 + 0.8 * radiance.mean()) - radiance
        )
    hidden = np.zeros(size, np.float32)
    scalp = (part == int(Part.SCALP)).astype(np.float32)
    if scene == PERSON:
        hidden = _distant_hair(rng, part, mm) if thickness > 0.1 and scalp.any() else hidden
        grain = np.exp(rng.normal(0, 0.25, size)).astype(np.float32)
        radiance = radiance + hidden[..., None] * ((tone * 1.2)[None, None] * grain[..., None] - radiance)
    elif scalp.mean() > 0.005 and thickness > 0.05:
        where = np.clip(1.6 * cv2.GaussianBlur(scalp, (0, 0), max(1.0, 3.0 / mm)) - 0.3, 0, 1)
        hidden, bright = marks.scalp_hair(rng, size, mm, where, thickness)
        light = 0.3 + 0.7 * cv2.GaussianBlur(radiance[..., 1], (0, 0), 8) / max(float(radiance[..., 1].mean()), 1e-3)
        radiance = radiance + hidden[..., None] * (tone * (0.35 + 1.5 * bright * light)[..., None] - radiance)
    hiding = cv2.GaussianBlur(hidden, (0, 0), max(2.0, 4.0 / mm))  # single strands do not cut a lesion
    return np.asarray(radiance, np.float32), np.asarray(hiding, np.float32)


def _distant_hair(rng: Rng, part: NDArray[np.uint8], mm: float) -> Field:
    """Hair of the head as a shape (H, W, 0-1): over the scalp, and for half of the people hanging down behind face and shoulders."""
    scalp = (part == int(Part.SCALP)).astype(np.uint8)
    full = cv2.dilate(scalp, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    if rng.random() < 0.5:
        long = max(1, int(rng.uniform(60, 380) / mm))
        wide = max(1, int(rng.uniform(10, 40) / mm)) | 1
        fall = cv2.dilate(scalp, np.ones((long, wide), np.uint8), anchor=(wide // 2, long - 1))
        front = np.isin(part, [int(p) for p in (Part.FACE, Part.LIPS, Part.EYE, Part.EYELID, Part.BROW, Part.BEARD)])
        rows = np.flatnonzero(front.any(1))
        if rows.size:  # below the chin hair lies over what is there
            fall[: rows[-1]][front[: rows[-1]]] = 0
        full = np.maximum(full, fall & (cv2.dilate(front.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0))
    return np.asarray(cv2.GaussianBlur(full.astype(np.float32), (0, 0), 0.8), np.float32)
