"""Scale as a layer of its own: dust, lamellae with free edges, plates with cracks, peeling sheets, horn and collarettes, in mm.

Each kind gives, per pixel of scaling skin, how opaque it is, its colour (linear reflectance) and how far it stands off the skin;
shading does the rest (bright free edges, shadows, dark cracks). White scale on red skin is cream to pink, never snow-white.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import cells, sample, sample_at
from pasi_vision.phantom.plaques import ScaleKind

Field = NDArray[np.float32]
Rng = np.random.Generator

CREAM = np.array([0.66, 0.55, 0.50], np.float32)
SILVER = np.array([0.60, 0.56, 0.53], np.float32)
GREY = np.array([0.42, 0.36, 0.32], np.float32)
OCHRE = np.array([0.60, 0.42, 0.21], np.float32)


@dataclass(frozen=True)
class ScaleLook:
    """How one person's scale looks on one day.

    Attributes:
        cell_mm: Size of flakes, plates or sheets.
        tint: Linear RGB of thick scale.
        dust_tint: Linear RGB of fine scale.
        opacity: 0-1 of thick scale.
        roughness_mm: How far flakes stand off.
        angle: Direction that flakes and cracks follow (radians, chart).
        stretch: Length to width of flakes.
        offset: Where in the textures it starts, 0-1 each.
    """

    cell_mm: float
    tint: Field
    dust_tint: Field
    opacity: float
    roughness_mm: float
    angle: float
    stretch: float
    offset: tuple[float, float]


def draw_look(rng: Rng, kind: ScaleKind, axis: float) -> ScaleLook:
    """A random look for a kind of scale; sizes from the field guide (lamellae 1-4 mm, plates 3-8 mm, sheets 5-18 mm)."""
    low, high = {ScaleKind.PLATES: (2.5, 8.0), ScaleKind.SHEETS: (5.0, 18.0), ScaleKind.HORN: (4.0, 12.0)}.get(
        kind, (1.0, 4.0)
    )
    blend = float(rng.random())
    tint = CREAM * (1 - blend) + SILVER * blend
    if kind == ScaleKind.HORN or (kind in (ScaleKind.PLATES, ScaleKind.SHEETS) and rng.random() < 0.3):
        share = float(rng.uniform(0.4, 1.0))
        tint = tint * (1 - share) + OCHRE * share
    elif kind == ScaleKind.PLATES and rng.random() < 0.35:
        tint = 0.5 * tint + 0.5 * GREY
    tint = tint * np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.04, 3))
    return ScaleLook(
        cell_mm=float(np.exp(rng.uniform(np.log(low), np.log(high)))),
        tint=tint.astype(np.float32),
        dust_tint=(CREAM * np.exp(rng.normal(0, 0.1))).astype(np.float32),
        opacity=float(rng.uniform(0.6, 0.97)),
        roughness_mm=float(rng.uniform(0.1, 0.45)),
        angle=axis + float(rng.normal(0, 0.5)),
        stretch=float(np.exp(rng.uniform(0, 0.7))),
        offset=(float(rng.random()), float(rng.random())),
    )


def scale_layer(
    kind: ScaleKind, cover: Field, chart_mm: Field, mm_per_px: float, look: ScaleLook
) -> tuple[Field, Field, Field]:
    """Opacity (N,), linear RGB (N, 3) and height in mm (N,) of scale at N points with local cover 0-1 and chart coordinates (N, 2)."""
    cos, sin = np.float32(np.cos(look.angle)), np.float32(np.sin(look.angle))
    x = (chart_mm[:, 0] * cos + chart_mm[:, 1] * sin) / np.float32(look.stretch) + np.float32(look.offset[0] * 500)
    y = chart_mm[:, 1] * cos - chart_mm[:, 0] * sin + np.float32(look.offset[1] * 500)
    fine = sample_at(("fractal", 0.45, 41), x, y, 400.0 * mm_per_px, mm_per_px)
    slow = sample_at(("fractal", 1.3, 42), x, y, 60.0 * max(look.cell_mm, 40.0 * mm_per_px) / 4.0, mm_per_px)
    if kind == ScaleKind.DUST:
        return _dust(cover, fine, slow, look)
    bend = sample_at(("fractal", 1.7, 43), y, x, 24.0 * look.cell_mm, mm_per_px)
    warp = np.float32(0.45 * look.cell_mm)
    period = np.float32(14.0 * look.cell_mm)
    mosaic = sample(cells(196, 44), (x + warp * bend) / period, (y + warp * slow) / period)
    gap, value, ramp = mosaic[:, 0], mosaic[:, 1], mosaic[:, 2]
    build = {ScaleKind.PLATES: _plates, ScaleKind.SHEETS: _sheets, ScaleKind.HORN: _horn}.get(kind, _lamellae)
    return build(cover, (fine, slow), (gap, value, ramp), look)


def _even(noise: Field) -> Field:
    """Gaussian noise to about uniform 0-1."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.85 * noise), np.float32)


def _step(x: Field) -> Field:
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _shaded(tint: Field, brightness: Field) -> Field:
    return np.asarray(tint[None, :] * brightness[:, None], np.float32)


def _dust(cover: Field, fine: Field, slow: Field, look: ScaleLook) -> tuple[Field, Field, Field]:
    level = _even(0.75 * fine + 0.65 * slow)
    alpha = _step((1.15 * cover - level) / 0.45 + 0.35) * np.float32(0.45 + 0.4 * look.opacity)
    alpha = alpha * np.clip(0.75 + 0.3 * fine, 0.1, 1.2)
    return np.clip(alpha, 0, 1), _shaded(look.dust_tint, 1.0 + 0.10 * fine), (0.05 * alpha).astype(np.float32)


Noise = tuple[Field, Field]
Mosaic = tuple[Field, Field, Field]


def _lamellae(cover: Field, noise: Noise, mosaic: Mosaic, look: ScaleLook) -> tuple[Field, Field, Field]:
    (fine, slow), (gap, value, ramp) = noise, mosaic
    level = np.clip(0.55 * value + 0.45 * _even(slow) + 0.05 * fine, 0, 1)
    on = _step((1.1 * cover - level) / 0.16 + 0.5)
    body = _step(gap / 0.18)
    free = _step((ramp - 0.1) / 0.4)  # the lifted side of a flake
    alpha = (
        on
        * (0.25 + (0.35 + 0.4 * free) * body)
        * np.float32(0.4 + 0.6 * look.opacity)
        * np.clip(1.0 + 0.25 * fine, 0.3, 1.3)
    )
    dust = 0.35 * _step((cover - _even(0.9 * fine)) / 0.5 + 0.2)
    height = on * body * np.float32(look.roughness_mm) * (0.35 + 0.9 * free + 0.5 * value)
    bright = 0.82 + 0.28 * free * on + 0.07 * fine
    return (
        np.clip(np.maximum(alpha, dust), 0, 1).astype(np.float32),
        _shaded(look.tint, bright),
        height.astype(np.float32),
    )


def _plates(cover: Field, noise: Noise, mosaic: Mosaic, look: ScaleLook) -> tuple[Field, Field, Field]:
    (fine, slow), (gap, value, ramp) = noise, mosaic
    level = np.clip(0.35 * value + 0.6 * _even(slow), 0, 1)
    on = _step((1.15 * cover - level) / 0.14 + 0.5)
    crack = _step((gap - 0.02) / (0.10 + 0.10 * value))
    alpha = on * (0.15 + 0.85 * crack) * np.float32(look.opacity) * np.clip(0.95 + 0.12 * fine, 0, 1.1)
    height = on * crack * np.float32(0.15 + look.roughness_mm) * (0.7 + 0.5 * value + 0.35 * ramp) + 0.03 * fine * on
    bright = 0.80 + 0.22 * value + 0.12 * _even(slow) + 0.10 * fine - 0.25 * (1 - crack)
    return np.clip(alpha, 0, 1).astype(np.float32), _shaded(look.tint, bright), height.astype(np.float32)


def _sheets(cover: Field, noise: Noise, mosaic: Mosaic, look: ScaleLook) -> tuple[Field, Field, Field]:
    (fine, slow), (gap, value, ramp) = noise, mosaic
    level = np.clip(0.6 * value + 0.4 * _even(slow), 0, 1)
    on = _step((1.15 * cover - level) / 0.12 + 0.5)
    rim = np.exp(-((gap / 0.09) ** 2)) * _step((ramp + 0.2) / 0.5)
    alpha = (
        on
        * (0.30 + 0.25 * _even(slow) + 0.55 * rim)
        * np.float32(0.5 + 0.5 * look.opacity)
        * np.clip(0.95 + 0.2 * fine, 0, 1.3)
    )
    height = on * (0.08 + np.float32(look.roughness_mm) * 1.2 * rim)
    bright = 0.85 + 0.3 * rim + 0.08 * fine
    return np.clip(alpha, 0, 1).astype(np.float32), _shaded(look.tint, bright), height.astype(np.float32)


def _horn(cover: Field, noise: Noise, mosaic: Mosaic, look: ScaleLook) -> tuple[Field, Field, Field]:
    (fine, slow), (gap, value, _) = noise, mosaic
    on = _step((1.2 * cover - _even(slow + 0.2 * fine)) / 0.45 + 0.5)
    crack = 1.0 - np.exp(-((gap / 0.05) ** 2)) * (value > 0.55)
    alpha = on * np.float32(0.45 + 0.45 * look.opacity) * (0.5 + 0.5 * crack) * np.clip(0.95 + 0.1 * fine, 0, 1.1)
    height = on * (0.25 * crack + 0.05 * fine)
    return (
        np.clip(alpha, 0, 1).astype(np.float32),
        _shaded(look.tint, 0.85 + 0.15 * _even(slow) + 0.09 * fine),
        height.astype(np.float32),
    )
