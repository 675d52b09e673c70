"""Flakes of scale that have fallen: on skin, hair and cloth near thickly scaling plaques. They are no lesion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.props import lit_flat
from pasi_vision.phantom.stage import Stage

Field = NDArray[np.float32]
Rng = np.random.Generator

FLAKE = np.array((0.70, 0.61, 0.55), np.float32)  # linear RGB: cream, never snow-white


def add_flakes(rng: Rng, stage: Stage, thick: Field) -> None:
    """Scatter flakes of 0.4-4 mm, most of them near `thick` (H, W, 0-1: cover by scale); each bright with a thin shadow."""
    height, width = stage.size
    step = 8
    small = cv2.resize(thick, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    if float(small.max()) <= 0.05:
        return
    spread = float(np.clip(rng.uniform(12, 60) / (stage.mm * step), 1.0, 0.4 * max(small.shape)))
    near = cv2.GaussianBlur(small, (0, 0), spread) + 0.04 * float(small.mean())
    chance = near.ravel().astype(np.float64)
    count = int(min(np.exp(rng.normal(np.log(50), 0.8)), 400))
    cells = rng.choice(chance.size, count, p=chance / chance.sum())
    at = np.stack([cells % small.shape[1], cells // small.shape[1]], -1) * step + rng.uniform(0, step, (count, 2))
    layer, shadow = np.zeros(stage.size, np.uint8), np.zeros(stage.size, np.uint8)
    radii = np.clip(np.exp(rng.normal(np.log(0.5), 0.55, count)), 0.2, 1.8) / stage.mm
    corners = rng.integers(4, 8, count)
    for place, radius, number in zip(at, radii, corners, strict=True):
        turn = np.sort(rng.uniform(0, 2 * np.pi, number))
        shape = np.stack([np.cos(turn), np.sin(turn)], -1) * (radius * rng.uniform(0.5, 1.2, number))[:, None]
        points = np.round((place + shape) * 16).astype(np.int32)
        cv2.fillConvexPoly(shadow, points + int(10 * min(radius, 3.0)), 255, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(layer, points, int(rng.integers(120, 256)), cv2.LINE_AA, 4)
    shade = cv2.GaussianBlur(shadow, (0, 0), 0.8).astype(np.float32) * np.float32(0.45 / 255)
    alpha = cv2.GaussianBlur(layer, (0, 0), 0.5).astype(np.float32) * np.float32(0.85 / 255)
    level = lit_flat(stage)[..., None] * (FLAKE * np.float32(np.exp(rng.normal(0, 0.12))))
    below = stage.radiance * (1 - shade)[..., None]
    stage.radiance = np.asarray(below + alpha[..., None] * (level - below), np.float32)
