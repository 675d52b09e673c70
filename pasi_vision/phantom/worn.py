"""What people wear on the skin: rings, watches, straps and bracelets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.stage import Spot, Stage, around, axis_near, lay, positions
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator

GOLD, SILVER, ROSE = (0.62, 0.42, 0.13), (0.50, 0.49, 0.47), (0.60, 0.33, 0.22)
_HAND = (Part.HAND_BACK, Part.PALM)


def _apart(stage: Stage, from_parts: tuple[Part, ...]) -> Field:
    """Distance in mm of each pixel of the surface to the nearest pixel of these parts; large where there is none."""
    parts = np.isin(stage.surface.part, [int(part) for part in from_parts])
    if not parts.any():
        return np.full(parts.shape, 1e4, np.float32)
    pixel = float(np.median(stage.surface.mm_per_px[parts]))
    return np.asarray(cv2.distanceTransform((~parts).astype(np.uint8), cv2.DIST_L2, 3) * np.float32(pixel))


def _spot(rng: Rng, where: NDArray[np.bool_], stage: Stage) -> Spot | None:
    """A pixel there that faces the camera."""
    rows, columns = np.nonzero(where & (stage.surface.normal[..., 2] < -0.85))
    if not rows.size:
        return None
    at = int(rng.integers(rows.size))
    return int(rows[at]), int(columns[at])


def add_rings(rng: Rng, stage: Stage) -> None:
    """One to three rings on the first phalanges."""
    part = stage.surface.part
    apart = _apart(stage, _HAND)
    where = (part == int(Part.FINGER)) & (apart > 5) & (apart < 22)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        spot = _spot(rng, where, stage)
        if spot is None:
            return
        axis = axis_near(stage.surface, positions(stage.surface), spot, 9.0)
        if axis is None:
            continue
        along, across, own = around(stage.surface, spot, axis, 13.0)
        width = float(rng.uniform(2.0, 7.0))
        metal = np.array((GOLD, SILVER, ROSE)[int(rng.choice(3, p=[0.6, 0.32, 0.08]))], np.float32)
        _metal_band(rng, stage, (along, across, own), width, metal)
        if rng.random() < 0.25:
            _stone(rng, stage, (along, across), float(rng.uniform(1.5, 4.0)))
        where &= np.asarray(~own)


Local = tuple[Field, Field, NDArray[np.bool_]]


def _band(stage: Stage, local: Local, width: float) -> tuple[Field, Field]:
    """Opacity of a band of that width about the limb, and the coordinate along it (-1 ... 1), at the picture's resolution."""
    along, _, own = local
    place = stage.enlarged(np.where(own, along, np.float32(3 * width)).astype(np.float32))
    inside = stage.enlarged(own.astype(np.float32))
    alpha = np.clip((width / 2 - np.abs(place)) / stage.mm + 0.5, 0, 1) * np.clip(2 * inside - 0.4, 0, 1)
    return np.asarray(alpha, np.float32), np.clip(place * 2 / width, -1.2, 1.2).astype(np.float32)


def _metal_band(rng: Rng, stage: Stage, local: Local, width: float, metal: Field) -> None:
    """Polished metal: it mirrors a room of bright and dark stripes rather than being lit."""
    alpha, across = _band(stage, local, width)
    tilt = np.arctan2(stage.normal[..., 0], -stage.normal[..., 2]) + np.arctan2(
        stage.normal[..., 1], -stage.normal[..., 2]
    )
    turn = (tilt + 0.9 * across) * np.float32(rng.uniform(0.25, 0.5))
    room = sample(fractal(1.1, 91), turn + np.float32(rng.random()), 0 * turn + np.float32(rng.random()))
    bright = 0.3 + 0.7 / (1 + np.exp(-2.5 * room)) + 1.6 * np.exp(-(((room - 1.4) / 0.25) ** 2))
    height = np.sqrt(np.maximum(1 - across**2, 0)) * min(0.35 * width, 1.5)
    lay(stage, alpha, (metal * bright[..., None]).astype(np.float32), height.astype(np.float32), 2.0)


def _stone(rng: Rng, stage: Stage, local: tuple[Field, Field], radius: float) -> None:
    """A setting with a stone on the ring."""
    x, y = (stage.enlarged(np.clip(v, -50, 50).astype(np.float32)) for v in local)
    far = np.hypot(x, y)
    alpha = np.clip((radius - far) / stage.mm + 0.5, 0, 1).astype(np.float32)
    tint = np.array(
        ((0.7, 0.72, 0.75), (0.02, 0.03, 0.25), (0.3, 0.01, 0.03), (0.02, 0.2, 0.08))[int(rng.choice(4))], np.float32
    )
    facets = 0.4 + 0.9 * (np.sin(5 * np.arctan2(y, x) + float(rng.uniform(0, 6))) > 0.2) * (far > 0.4 * radius)
    lay(stage, alpha, (tint * facets[..., None]).astype(np.float32), alpha * np.float32(1.5), 4.0)


def add_wrist(rng: Rng, stage: Stage, *, watch: bool) -> None:
    """A watch, or a bracelet, strap or hair tie, about a forearm near the hand (or near the end of a lone limb)."""
    surface = stage.surface
    apart = _apart(stage, _HAND)
    limb = (surface.part == int(Part.FOREARM)) | ((surface.part == int(Part.SHIN)) & (not watch))
    where = limb & (apart > 18) & (apart < 50)
    if not where.any() and float((surface.depth_mm > 0).mean()) > 0 and apart.min() > 1e3:
        rows = np.arange(surface.shape[0])[:, None] / surface.shape[0] - 0.5
        columns = np.arange(surface.shape[1])[None, :] / surface.shape[1] - 0.5
        where = limb & (np.maximum(np.abs(rows), np.abs(columns)) > 0.33)
    spot = _spot(rng, where, stage)
    if spot is None:
        return
    place = positions(surface)
    axis = axis_near(surface, place, spot, 24.0)
    if axis is None:
        return
    local = around(surface, spot, axis, 75.0)
    if watch:
        _watch(rng, stage, local)
    else:
        _bracelet(rng, stage, local)


def _leather(rng: Rng) -> Field:
    colours = ((0.02, 0.018, 0.016), (0.12, 0.055, 0.022), (0.25, 0.13, 0.06), (0.03, 0.05, 0.12), (0.5, 0.48, 0.46))
    return np.array(colours[int(rng.choice(5, p=[0.4, 0.25, 0.12, 0.1, 0.13]))], np.float32)


def _watch(rng: Rng, stage: Stage, local: Local) -> None:
    wide = float(rng.uniform(12, 21))
    if rng.random() < 0.4:
        _metal_band(
            rng, stage, local, wide, np.array(SILVER if rng.random() < 0.7 else GOLD, np.float32) * np.float32(0.8)
        )
    else:
        alpha, across = _band(stage, local, wide)
        stitch = 1 + 0.5 * (np.abs(np.abs(across) - 0.82) < 0.07)
        lay(stage, alpha, (_leather(rng) * stitch[..., None]).astype(np.float32), alpha * np.float32(1.2), 0.8)
    x, y = (stage.enlarged(np.clip(v, -200, 200).astype(np.float32)) for v in local[:2])
    radius = wide * float(rng.uniform(0.75, 1.05))
    square = rng.random() < 0.25
    far = (np.abs(x) ** 6 + np.abs(y) ** 6) ** (1 / 6) * 1.1 if square else np.hypot(x, y)
    case = np.clip((radius - far) / stage.mm + 0.5, 0, 1).astype(np.float32)
    metal = np.array(SILVER if rng.random() < 0.65 else GOLD, np.float32)
    lay(stage, case, metal * np.float32(rng.uniform(0.5, 1.1)), case * np.float32(4.0), 2.5)
    face = np.clip((0.84 * radius - far) / stage.mm + 0.5, 0, 1).astype(np.float32)
    light = rng.random() < 0.5
    dial = np.full((*stage.size, 3), 0.6 if light else 0.012, np.float32)
    turn = np.arctan2(y, x)
    ink = np.float32(0.02 if light else 0.6)
    ticks = (np.abs(np.mod(turn * 12 / (2 * np.pi) + 0.5, 1.0) - 0.5) < 0.06) & (far > 0.66 * radius)
    for angle, long, thick in zip(rng.uniform(-3.1, 3.1, 2), (0.42, 0.68), (0.9, 0.6), strict=True):
        hand = (np.abs(x * np.sin(angle) - y * np.cos(angle)) < thick) & (
            (x * np.cos(angle) + y * np.sin(angle)) > -0.05
        )
        ticks |= hand & (far < long * radius)
    dial[ticks] = ink
    lay(stage, face, dial, face * np.float32(4.0), 5.0)


def _bracelet(rng: Rng, stage: Stage, local: Local) -> None:
    kind = rng.random()
    if kind < 0.35:
        metal = np.array((GOLD, SILVER)[int(rng.integers(2))], np.float32)
        _metal_band(rng, stage, local, float(rng.uniform(1.5, 6.0)), metal)
        return
    if kind < 0.6:  # beads
        size = float(rng.uniform(4, 9))
        along, across = local[:2]
        y = stage.enlarged(np.clip(across, -200, 200).astype(np.float32))
        x = stage.enlarged(np.clip(along, -200, 200).astype(np.float32))
        local_y = (np.mod(y / size, 1.0) - 0.5) * size
        far = np.hypot(x, local_y) / (0.48 * size)
        alpha = np.clip((1 - far) * size / stage.mm / 2 + 0.5, 0, 1).astype(np.float32)
        number = np.floor(y / size).astype(np.int32) % 7
        tints = rng.uniform(0.01, 0.4, (7, 3)).astype(np.float32) if rng.random() < 0.5 else _leather(rng)
        colour = tints[number] if tints.ndim == 2 else tints
        lay(stage, alpha, colour, (np.sqrt(np.maximum(1 - far**2, 0)) * size / 3).astype(np.float32), 2.0)
        return
    alpha, across = _band(stage, local, float(rng.uniform(3, 14)))
    weave = 1 + 0.25 * np.sin(across * 9)
    tint = _leather(rng) if kind < 0.85 else rng.uniform(0.02, 0.5, 3).astype(np.float32)
    lay(stage, alpha, (tint * weave[..., None]).astype(np.float32), alpha, 0.4)
