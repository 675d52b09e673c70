"""Pustular psoriasis: sheets of cream dots of 1-2 mm on fiery red; on palms and soles also brown dried ones (field guide, section 5)."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.marks import Overlay, spots
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.plaques import Plaque, ScaleKind

Field = NDArray[np.float32]
Rng = np.random.Generator

CREAM, PUS, BROWN = (0.58, 0.47, 0.27), (0.60, 0.53, 0.26), (0.17, 0.075, 0.03)
FEWEST_PX = 1.2  # a pustule of fewer pixels across is not drawn one by one


def inflamed(rng: Rng, plaques: list[Plaque]) -> list[Plaque]:
    """The same lesions as pustular ones: fiery, thin, with little scale and no sharp border."""
    red = float(rng.uniform(1.1, 1.6))
    scale = float(rng.uniform(0.0, 0.35))
    kind = ScaleKind.SHEETS if rng.random() < 0.5 else ScaleKind.DUST
    return [
        replace(
            plaque,
            blood_factor=1.0 + red * (plaque.blood_factor - 1.0),
            scale_kind=kind,
            scale_cover=scale * plaque.scale_cover,
            height_mm=0.6 * plaque.height_mm,
            clearing=0.0,
            halo=0.0,
        )
        for plaque in plaques
    ]


def add_pustules(rng: Rng, overlay: Overlay, lesion: Field, mm: float, *, ridged: bool) -> None:
    """Draw pustules on lesions.

    Args:
        lesion: (H, W), 1 on affected skin.
        mm: Size of a pixel.
        ridged: Palm or sole: larger, fewer, most of them brown and dry.
    """
    size = lesion.shape
    radius = float(rng.uniform(0.4, 0.75)) * (1.25 if ridged else 1.0)
    if 2 * radius / mm < FEWEST_PX or not lesion.any():
        return
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    patch = sample(fractal(1.4, 99), x * 0.9 + np.float32(rng.random()), y * 0.9 + np.float32(rng.random()))
    where = (cv2.GaussianBlur(lesion, (0, 0), max(1.0, 1.0 / mm)) > 0.6) * np.clip(0.6 + 1.2 * patch, 0, 1)
    area = float(size[0] * size[1]) * mm * mm / 100
    dense = float(np.exp(rng.uniform(np.log(6), np.log(34)))) * (0.6 if ridged else 1.0)
    count = int(min(dense * area, 2200))
    dried = float(rng.uniform(0.3, 0.9)) if ridged else float(rng.uniform(0.0, 0.15))
    for share, colour, height in ((1 - dried, CREAM if rng.random() < 0.6 else PUS, 0.22), (dried, BROWN, 0.05)):
        number = round(count * share)
        if number < 1:
            continue
        dots = spots(rng, size, number, (radius / mm, 0.25), 0.4) * where
        rim = cv2.GaussianBlur(dots, (0, 0), max(1.0, 1.3 * radius / mm))
        if colour != BROWN:
            overlay.blood *= (1 + 2.0 * rim * (dots < 0.3)).astype(np.float32)
        overlay.ink.append((np.clip(1.1 * dots, 0, float(rng.uniform(0.6, 0.9))).astype(np.float32), colour))
        overlay.relief_mm += (height * dots).astype(np.float32)
    if not ridged and rng.random() < 0.3:  # lakes of pus
        lake = np.clip((patch - float(rng.uniform(1.0, 1.7))) * 4, 0, 1) * (lesion > 0.5)
        overlay.ink.append(((0.8 * lake).astype(np.float32), PUS))
        overlay.relief_mm += (0.25 * lake).astype(np.float32)
