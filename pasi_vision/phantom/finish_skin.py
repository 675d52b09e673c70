"""What only near pictures show of healthy skin: goose bumps, pores, pale vellus hair."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.marks import Overlay, hair_layer
from pasi_vision.phantom.noise import cells, fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator

_OILY = (Part.FACE, Part.CHEST, Part.BACK, Part.SCALP)


def _mosaic(chart_mm: Field, spacing_mm: float, seed: int) -> Field:
    """Distance-like field over a mosaic of that spacing: 0 on cell edges, about 1 in the middle of cells."""
    period = np.float32(spacing_mm * np.sqrt(700))
    gap = np.ascontiguousarray(cells(700, seed)[..., 0])
    return sample(gap, chart_mm[..., 0] / period, chart_mm[..., 1] / period)


def add_goose_bumps(rng: Rng, overlay: Overlay, chart_mm: Field, mm: float) -> None:
    """Raised follicles every 2-3 mm, here and there."""
    if mm > 0.7:
        return
    middle = _mosaic(chart_mm, float(rng.uniform(1.9, 3.2)), 81)
    where = np.clip(0.5 + 0.8 * sample(fractal(1.6, 82), chart_mm[..., 0] / 200, chart_mm[..., 1] / 200), 0, 1)
    bump = np.clip((middle - 0.45) / 0.5, 0, 1) ** 2 * where
    overlay.relief_mm += (float(rng.uniform(0.08, 0.22)) * bump).astype(np.float32)
    overlay.blood *= (1 + float(rng.uniform(0, 0.6)) * bump).astype(np.float32)


def add_pores(rng: Rng, overlay: Overlay, chart_mm: Field, part: NDArray[np.uint8], mm: float) -> None:
    """Open follicles: pits, darker in the middle; wide on oily skin, elsewhere finer and sparser."""
    if mm > 0.4 or np.isin(part, [int(Part.PALM), int(Part.SOLE)]).mean() > 0.5:
        return
    oily = float(np.isin(part, [int(p) for p in _OILY]).mean()) > 0.3
    middle = _mosaic(chart_mm, float(rng.uniform(0.7, 1.2) if oily else rng.uniform(1.1, 2.2)), 83)
    bare = ~np.isin(part, [int(Part.PALM), int(Part.SOLE), int(Part.FINGERNAIL), int(Part.TOENAIL), int(Part.LIPS)])
    pit = np.clip((middle - 0.78) / 0.4, 0, 1) * bare
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
