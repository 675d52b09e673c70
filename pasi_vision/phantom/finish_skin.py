"""What only near pictures show of healthy skin: goose bumps, pores, pale vellus hair."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.marks import Overlay, hair_layer
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator

_OILY = (Part.FACE, Part.CHEST, Part.BACK, Part.SCALP)


@lru_cache(maxsize=2)
def _follicles(seed: int, count: int = 30, size: int = 512) -> Field:
    """Tileable round domes, 0-1, on a jittered grid of count x count, of unlike sizes and strengths."""
    rng = np.random.default_rng([13, seed])
    step = size / count
    rows, columns = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    at = (np.stack([columns.ravel(), rows.ravel()], -1) + 0.5 + rng.uniform(-0.42, 0.42, (count**2, 2))) * step
    out = np.zeros((3 * size, 3 * size), np.uint8)
    radii, levels = step * rng.uniform(0.1, 0.2, count**2), rng.integers(60, 256, count**2)
    for place, radius, level in zip(at, radii, levels, strict=True):
        for shift in np.ndindex(3, 3):
            centre = np.round((place + size * np.array(shift)) * 16).astype(int)
            cv2.circle(out, (int(centre[0]), int(centre[1])), int(radius * 16), int(level), -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(out, (0, 0), 0.1 * step)[size : 2 * size, size : 2 * size]
    field = np.asarray(soft, np.float32) / np.float32(255)
    field.setflags(write=False)
    return field


def _domes(chart_mm: Field, spacing_mm: float, seed: int) -> Field:
    """Round follicles of that mean spacing: 0 between them ... 1 in their middle."""
    period = np.float32(spacing_mm * 30)
    return sample(_follicles(seed), chart_mm[..., 0] / period, chart_mm[..., 1] / period)


def add_goose_bumps(rng: Rng, overlay: Overlay, chart_mm: Field, mm: float) -> None:
    """Raised follicles every 2-3 mm, here and there."""
    if mm > 0.7:
        return
    middle = _domes(chart_mm, float(rng.uniform(1.9, 3.2)), 81)
    where = np.clip(0.5 + 0.8 * sample(fractal(1.6, 82), chart_mm[..., 0] / 200, chart_mm[..., 1] / 200), 0, 1)
    bump = middle * where
    overlay.relief_mm += (float(rng.uniform(0.08, 0.22)) * bump).astype(np.float32)
    overlay.blood *= (1 + float(rng.uniform(0, 0.6)) * bump).astype(np.float32)


def add_pores(rng: Rng, overlay: Overlay, chart_mm: Field, part: NDArray[np.uint8], mm: float) -> None:
    """Open follicles: pits, darker in the middle; wide on oily skin, elsewhere finer and sparser."""
    if mm > 0.4 or np.isin(part, [int(Part.PALM), int(Part.SOLE)]).mean() > 0.5:
        return
    oily = float(np.isin(part, [int(p) for p in _OILY]).mean()) > 0.3
    middle = _domes(chart_mm, float(rng.uniform(0.7, 1.2) if oily else rng.uniform(1.1, 2.2)), 83)
    bare = ~np.isin(part, [int(Part.PALM), int(Part.SOLE), int(Part.FINGERNAIL), int(Part.TOENAIL), int(Part.LIPS)])
    pit = middle * bare
    overlay.relief_mm -= (float(rng.uniform(0.02, 0.08)) * pit).astype(np.float32)
    overlay.ink.append(((float(rng.uniform(0.08, 0.3)) * pit).astype(np.float32), (0.13, 0.07, 0.045)))


def add_vellus(rng: Rng, radiance: Field, part: NDArray[np.uint8], mm: float, angle: float) -> Field:
    """Fine pale hairs that glint; seen only from very near."""
    if mm > 0.25:
        return radiance
    bare = np.isin(part, [int(Part.PALM), int(Part.SOLE), int(Part.FINGERNAIL), int(Part.TOENAIL), int(Part.LIPS)])
    layer = hair_layer(
        rng,
        (part.shape[0], part.shape[1]),
        float(rng.uniform(0.3, 1.0)),
        mm,
        angle,
        np.where(bare, 0, 1).astype(np.float32),
    )
    glint = float(rng.uniform(0.05, 0.22)) * cv2.GaussianBlur(layer, (0, 0), 0.5)
    return np.asarray(radiance + glint[..., None] * (1.5 * radiance.max(axis=2, keepdims=True) - radiance), np.float32)
