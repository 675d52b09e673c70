"""Light on a surface with relief: direction, ambience, fall-off, shine and the darkness of furrows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Light:
    """One photograph's light.

    Attributes:
        direction: Unit vector towards the light, camera coordinates (x right, y down, z away).
        ambient: Share of light that comes from everywhere.
        falloff: Loss at half a frame's diagonal from the bright spot (flash), 0-1.
        spot: The bright spot, shares of the frame.
        shine: Strength of the specular reflection.
        narrow: Exponent of the specular lobe.
        cavity: How strongly furrows darken.
        behind: Light on the background relative to the body.
    """

    direction: tuple[float, float, float]
    ambient: float
    falloff: float
    spot: tuple[float, float]
    shine: float
    narrow: float
    cavity: float
    behind: float


def draw_light(rng: Rng, flash: float = 0.75) -> Light:
    """A random light: on-camera flash with that chance, else window or room light."""
    if rng.random() < flash:
        tilt, ambient, falloff = (
            float(rng.uniform(0.1, 0.6)),
            float(rng.uniform(0.1, 0.35)),
            float(rng.uniform(0.3, 0.8)),
        )
        behind = float(rng.uniform(0.15, 0.8))
    else:
        tilt, ambient, falloff = (
            float(rng.uniform(0.4, 1.2)),
            float(rng.uniform(0.2, 0.5)),
            float(rng.uniform(0.0, 0.35)),
        )
        behind = float(rng.uniform(0.6, 1.2))
    turn = float(rng.normal(-np.pi / 2, 1.1))
    direction = (np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), -np.cos(tilt))
    return Light(
        direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        ambient=ambient,
        falloff=falloff,
        spot=(float(rng.normal(0.5, 0.12)), float(rng.normal(0.47, 0.12))),
        shine=float(rng.choice([rng.uniform(0.0, 0.05), rng.uniform(0.05, 0.25)], p=[0.8, 0.2])),
        narrow=float(np.exp(rng.uniform(np.log(8), np.log(60)))),
        cavity=float(rng.uniform(0.35, 1.0)),
        behind=behind,
    )


def falloff_map(light: Light, size: tuple[int, int]) -> Field:
    """Factor (H, W) by which a near light weakens towards the frame's edges."""
    height, width = size
    y, x = np.ogrid[:height, :width]
    far = ((x / width - light.spot[0]) ** 2 + ((y / height - light.spot[1]) * height / width) ** 2) * 4.0 / 1.4
    return np.asarray(1.0 / (1.0 + far * light.falloff / max(1.0 - light.falloff, 0.2)), np.float32)


def shade(normal: Field, height_mm: Field, mm_per_px: float, light: Light, gloss: Field) -> tuple[Field, Field]:
    """Diffuse factor and specular addition (H, W each) of a surface with small relief.

    Args:
        normal: (H, W, 3) of the smooth surface.
        height_mm: Relief on it.
        gloss: Factor on shine per pixel.
    """
    pixel = np.float32(1.0 / mm_per_px)
    right = cv2.Scharr(height_mm, cv2.CV_32F, 1, 0, scale=float(pixel) / 32.0)
    down = cv2.Scharr(height_mm, cv2.CV_32F, 0, 1, scale=float(pixel) / 32.0)
    limit = np.float32(0.6)
    nx = normal[..., 0] - limit * np.tanh(right / limit)
    ny = normal[..., 1] - limit * np.tanh(down / limit)
    nz = normal[..., 2]
    length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
    lx, ly, lz = (np.float32(v) for v in light.direction)
    facing = (nx * lx + ny * ly + nz * lz) * length
    wrapped = np.maximum((facing + 0.15) / 1.15, 0.0)
    mean = cv2.GaussianBlur(height_mm, (0, 0), 3.0)
    hollow = np.clip((height_mm - mean) * pixel, -0.8, 0.5)
    open_sky = 0.55 - 0.45 * nz * length
    diffuse = (light.ambient * open_sky + (1 - light.ambient) * wrapped) * np.exp(np.float32(light.cavity) * hollow)
    hx, hy, hz = lx, ly, lz - 1.0
    scale = np.float32(1.0 / np.sqrt(hx * hx + hy * hy + hz * hz))
    mirror = np.maximum((nx * hx + ny * hy + nz * hz) * length * scale, 1e-3)
    specular = light.shine * gloss * mirror ** np.float32(light.narrow * 2) + 0.012 * gloss
    return diffuse.astype(np.float32), specular.astype(np.float32)
