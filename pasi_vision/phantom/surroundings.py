"""What is around the body in a close-up: background, its shadow, clothing over an edge, and marks on the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import backdrop as behind
from pasi_vision.phantom.light import Light, falloff_map
from pasi_vision.phantom.preset import CloseUpPreset
from pasi_vision.phantom.setting import pick

Field = NDArray[np.float32]
Rng = np.random.Generator


def surrounded(rng: Rng, preset: CloseUpPreset, radiance: Field, alpha: Field, light: Light) -> tuple[Field, Field]:
    """Put the body before its background and clothing over it."""
    size = alpha.shape
    fall = falloff_map(light, size) * light.behind
    if float(alpha.min()) < 1.0:
        kind = pick(rng, preset.backdrops)
        scene = behind.backdrop(rng, size, kind) * (fall * behind.cast_shadow(alpha, rng))[..., None]
        radiance = scene + alpha[..., None] * (radiance - scene)
    if rng.random() < preset.garment:
        cover, cloth = behind.garment(rng, size)
        radiance = radiance + cover[..., None] * (cloth * falloff_map(light, size)[..., None] - radiance)
        alpha = alpha * (1 - cover)
    return radiance.astype(np.float32), alpha.astype(np.float32)


def add_watermark(rng: Rng, picture: NDArray[np.uint8]) -> None:
    """A logo or semi-transparent text, lower left or across the middle, or a date stamp."""
    height, width = picture.shape[:2]
    text = "".join(rng.choice(list("ABDEGLMNRSTaeilnorst. "), int(rng.integers(7, 16))))
    where = int(rng.integers(3))
    scale = width / 640 * float(rng.uniform(0.5, 1.1))
    at = (
        (int(0.02 * width), int(0.97 * height)),
        (int(0.3 * width), int(0.52 * height)),
        (int(0.72 * width), int(0.96 * height)),
    )[where]
    layer = np.zeros((height, width), np.uint8)
    colour = np.array([255, 255, 255]) if where < 2 or rng.random() < 0.5 else np.array([255, 150, 30])
    cv2.putText(
        layer,
        text if where < 2 else f"{int(rng.integers(1, 13))}.{int(rng.integers(1, 29))}.{int(rng.integers(98, 120))}",
        at,
        int(rng.integers(0, 4)),
        scale,
        255,
        max(1, round(2 * scale)),
        cv2.LINE_AA,
    )
    share = (layer.astype(np.float32) / 255 * float(rng.uniform(0.25, 0.9)))[..., None]
    picture[:] = np.clip(picture + share * (colour - picture), 0, 255).astype(np.uint8)
