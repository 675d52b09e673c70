"""Healthy skin's own details: goose bumps, pores, vellus hair, age spots, scars, sweat and ointment."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.marks import Overlay, hair_layer, spots, strokes
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


def add_age_spots(rng: Rng, overlay: Overlay, mm: float) -> None:
    """Lentigines: flat brown spots of 3-12 mm with a fairly sharp edge."""
    size = (overlay.melanin.shape[0], overlay.melanin.shape[1])
    area = size[0] * size[1] * mm * mm / 1e4
    count = int(np.clip(rng.exponential(8.0) * area, 1, 60))
    brown = spots(rng, size, count, (float(rng.uniform(1.5, 3.5)) / mm, 0.45), 0.25)
    overlay.melanin *= (1 + float(rng.uniform(0.5, 1.8)) * brown).astype(np.float32)


def add_scar(rng: Rng, overlay: Overlay, mm: float, angle: float) -> None:
    """One or a few scars: pale or pink bands, sunken or raised, now and then with the marks of stitches."""
    size = (overlay.melanin.shape[0], overlay.melanin.shape[1])
    long, wide = float(rng.uniform(12, 70)) / mm, max(1.5, float(rng.uniform(1.0, 4.5)) / mm)
    band = strokes(rng, size, int(rng.integers(1, 4)), (angle, 0.4, long, 0.12), wide)
    soft = cv2.GaussianBlur(band, (0, 0), max(0.8, 0.35 / mm))
    overlay.melanin *= (1 - float(rng.uniform(0.3, 0.8)) * soft).astype(np.float32)
    overlay.blood *= (1 + float(rng.choice([-0.4, 0.8, 1.6], p=[0.6, 0.25, 0.15])) * soft).astype(np.float32)
    overlay.relief_mm += (float(rng.uniform(-0.5, 0.7)) * soft).astype(np.float32)


def wet(rng: Rng, gloss: Field, mm: float) -> tuple[Field, Field]:
    """Shine and relief of skin under ointment (an even film in patches) or sweat (droplets)."""
    size = (gloss.shape[0], gloss.shape[1])
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    film = np.clip(0.5 + sample(fractal(1.9, 84), x * 0.8 + np.float32(rng.random()), y * 0.8), 0, 1)
    if rng.random() < 0.6 or mm > 0.4:
        return np.asarray(gloss * (1 + float(rng.uniform(1, 4.5)) * film), np.float32), np.zeros(size, np.float32)
    count = int(min(float(rng.uniform(2, 12)) * size[0] * size[1] * mm * mm / 100, 900))
    drops = spots(rng, size, max(count, 1), (0.35 / mm, 0.4), 0.3) * film
    return np.asarray(gloss * (1 + 1.5 * film + 1.5 * drops), np.float32), (0.35 * drops).astype(np.float32)
