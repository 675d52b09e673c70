"""Outlines of real psoriasis lesions, in compact form: signed distances of shapes that eight dermatologists drew (DermXDB, CC0)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

ASSET = Path(__file__).with_name("assets") / "shapes.npz"
SPAN = 2.4  # half the side of a shape's grid, in equivalent radii
STEP = 32.0  # grid values per equivalent radius
ELLIPSE = -1  # the index that stands for a plain disc


@lru_cache(maxsize=1)
def library() -> tuple[Field, Field, Field]:
    """Signed distances (N, 64, 64) in equivalent radii, positive inside; elongation (N,); solidity (N,)."""
    with np.load(ASSET) as data:
        distance = data["distance"].astype(np.float32) / np.float32(STEP)
        edge = np.ones(distance.shape[1:], np.bool_)
        edge[1:-1, 1:-1] = False
        distance[:, edge] = np.minimum(distance[:, edge], np.float32(-0.15))
        return (distance, data["elongation"], data["solidity"])


@lru_cache(maxsize=1)
def reaches() -> Field:
    """How far from its centre each shape's outline goes, in equivalent radii (N,)."""
    distance, _, _ = library()
    axis = np.linspace(-SPAN, SPAN, distance.shape[1], dtype=np.float32)
    radius = np.hypot(axis[:, None], axis[None, :])
    return np.asarray((radius[None] * (distance > -0.08)).max((1, 2)), np.float32)


def shape_distance(index: int, u: Field, v: Field) -> Field:
    """Signed distance in equivalent radii (positive inside) of shape `index` at (u, v) in radii; `ELLIPSE` is the unit disc."""
    radius = np.sqrt(u * u + v * v)
    if index == ELLIPSE:
        return np.asarray(1.0 - radius, np.float32)
    grids, _, _ = library()
    grid = grids[index % len(grids)]
    size = grid.shape[0]
    scale = np.float32((size - 1) / (2 * SPAN))
    column = np.reshape((u + SPAN) * scale, (1, -1)).astype(np.float32)
    row = np.reshape((v + SPAN) * scale, (1, -1)).astype(np.float32)
    parts = [
        cv2.remap(
            grid, column[:, i : i + 30000], row[:, i : i + 30000], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for i in range(0, column.shape[1], 30000)
    ]
    found = np.concatenate(parts, axis=1).reshape(u.shape) if parts else np.zeros(u.shape, np.float32)
    beyond = np.maximum(np.maximum(np.abs(u), np.abs(v)) - np.float32(SPAN), 0.0)
    return np.asarray(found - beyond, np.float32)
