"""Tileable noise textures, drawn once per process from fixed seeds and sampled at any surface coordinates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]

_ROW = 2048  # cv2.remap takes maps narrower than 32767: long point lists are folded into rows


@lru_cache(maxsize=64)
def fractal(slope: float, seed: int, size: int = 512, low: float = 1.0) -> Field:
    """Tileable Gaussian noise with amplitude spectrum 1 / f^slope above `low` cycles per tile; mean 0, SD 1, (size, size)."""
    rng = np.random.default_rng([7, seed, size])
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    with np.errstate(divide="ignore"):
        amplitude = np.where(frequency >= low, frequency**-slope, 0.0)
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * amplitude
    field = np.fft.irfft2(spectrum, s=(size, size))
    field = (field - field.mean()) / field.std()
    out = field.astype(np.float32)
    out.setflags(write=False)
    return np.asarray(out, np.float32)


@lru_cache(maxsize=16)
def cells(count: int, seed: int, size: int = 512) -> Field:
    """A tileable mosaic of about `count` cells, (size, size, 3): gap to the second nearest seed (0 on edges), value, ramp.

    The value is random per cell, 0-1. The ramp rises across each cell in a direction of its own; gap and ramp are in units of
    the mean cell spacing.
    """
    from scipy.spatial import cKDTree

    rng = np.random.default_rng([11, seed, count])
    points = rng.random((count, 2))
    y, x = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size, indexing="ij")
    distance, index = cKDTree(points, boxsize=1.0).query(np.stack([x, y], -1).reshape(-1, 2), k=2)
    spacing = 1.0 / np.sqrt(count)
    gap = (distance[:, 1] - distance[:, 0]) / spacing
    own = index[:, 0]
    offset = np.stack([x.ravel(), y.ravel()], -1) - points[own]
    offset -= np.round(offset)
    heading = rng.normal(0.6, 0.9, count)[own]
    ramp = (offset[:, 0] * np.cos(heading) + offset[:, 1] * np.sin(heading)) / spacing
    out = np.stack([gap, rng.random(count)[own], ramp], -1).reshape(size, size, 3).astype(np.float32)
    out.setflags(write=False)
    return np.asarray(out)


def sample(tile: Field, x: Numbers, y: Numbers) -> Field:
    """Bilinear look-up of a tileable texture; x, y of any shape in units of one tile (1.0 = the whole texture)."""
    height, width = tile.shape[:2]
    flat = x.ndim != 2 or x.shape[1] > 30000
    across, down = (np.ravel(x), np.ravel(y)) if flat else (x, y)
    if across.size == 0:
        return np.zeros((*np.shape(x), *tile.shape[2:]), np.float32)
    count = across.size
    rows = -(-count // _ROW) if flat else 1
    maps = np.zeros((2, rows * _ROW) if flat else (2, *across.shape), np.float32)
    for values, extent, target in ((across, width, maps[0]), (down, height, maps[1])):
        inner = target[:count] if flat else target
        np.floor(values, out=inner, casting="same_kind")
        np.subtract(values, inner, out=inner, casting="same_kind")
        inner *= np.float32(extent)
    if flat:
        maps = maps.reshape(2, rows, _ROW)
    out = cv2.remap(tile, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    if flat:
        out = out.reshape(-1, *tile.shape[2:])[:count]
    return np.asarray(out.reshape(*np.shape(x), *tile.shape[2:]))


@lru_cache(maxsize=64)
def _shrunk(source: tuple[str, float, int], level: int) -> Field:
    name, value, seed = source
    tile = fractal(value, seed) if name == "fractal" else relief_tile()
    for _ in range(level):
        tile = np.asarray(cv2.resize(tile, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(tile, np.float32)


@lru_cache(maxsize=1)
def relief_tile() -> Field:
    """Skin micro-relief (512, 512): furrows between the polygons of the skin surface, depth about -1 in a furrow ... 0.3 on plateaus."""
    gap, value = (np.ascontiguousarray(cells(700, 3)[..., k]) for k in (0, 1))
    fine, fine_value = (np.ascontiguousarray(cells(2600, 4)[..., k]) for k in (0, 1))
    furrow = np.exp(-((gap / 0.2) ** 2))
    secondary = np.exp(-((fine / 0.2) ** 2))
    uneven = 0.5 + 0.5 * np.tanh(fractal(1.4, 13))  # furrows are deep here and shallow there, so that no mosaic shows
    relief = (
        -furrow * uneven
        - 0.4 * secondary * (1.2 - uneven)
        + 0.2 * (value - 0.5)
        + 0.15 * (fine_value - 0.5)
        + 0.3 * fractal(0.7, 12)
    )
    return np.asarray(cv2.GaussianBlur(relief, (0, 0), 0.8, borderType=cv2.BORDER_REFLECT_101), np.float32)


def sample_at(
    source: tuple[str, float, int], x_mm: Numbers, y_mm: Numbers, period_mm: float, mm_per_px: float
) -> Field:
    """Look up ("fractal", slope, seed) or ("relief", 0, 0) laid out with one tile per `period_mm`, blurred to the size of a pixel."""
    texel_mm = period_mm / 512
    level = int(np.clip(np.round(np.log2(max(mm_per_px / texel_mm, 1.0))), 0, 6))
    scale = np.float32(1.0 / period_mm)
    return sample(_shrunk(source, level), x_mm * scale, y_mm * scale)
