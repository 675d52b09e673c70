"""Tileable noise textures, drawn once per process from fixed seeds and sampled at any surface coordinates."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

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
    return out


@lru_cache(maxsize=16)
def cells(count: int, seed: int, size: int = 512) -> tuple[Field, Field, Field]:
    """A tileable mosaic of about `count` cells: distance to the nearest seed, gap to the second nearest (0 on edges), a value per cell in [0, 1].

    Distances are in units of the mean cell spacing.
    """
    from scipy.spatial import cKDTree

    rng = np.random.default_rng([11, seed, count])
    points = rng.random((count, 2))
    y, x = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size, indexing="ij")
    distance, index = cKDTree(points, boxsize=1.0).query(np.stack([x, y], -1).reshape(-1, 2), k=2)
    spacing = 1.0 / np.sqrt(count)
    nearest = (distance[:, 0] / spacing).reshape(size, size).astype(np.float32)
    gap = ((distance[:, 1] - distance[:, 0]) / spacing).reshape(size, size).astype(np.float32)
    value = rng.random(count).astype(np.float32)[index[:, 0]].reshape(size, size)
    return nearest, gap, value


def sample(tile: Field, x: Field, y: Field) -> Field:
    """Bilinear look-up of a tileable texture; x, y of any shape in units of one tile (1.0 = the whole texture)."""
    height, width = tile.shape[:2]
    flat_x, flat_y = np.ravel(x), np.ravel(y)
    count = flat_x.size
    rows = max(1, -(-count // _ROW))
    across = np.zeros((2, rows * _ROW), np.float32)
    np.multiply(flat_x - np.floor(flat_x), width, out=across[0, :count])
    np.multiply(flat_y - np.floor(flat_y), height, out=across[1, :count])
    maps = across.reshape(2, rows, _ROW)
    out = cv2.remap(tile, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(out.reshape(rows * _ROW, *tile.shape[2:])[:count].reshape(*np.shape(x), *tile.shape[2:]))
