"""What is behind and on the body: black or coloured cloth, walls, sheets, carpet; clothing that crosses the frame. No landscapes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample

Field = NDArray[np.float32]
Rng = np.random.Generator

#: Linear RGB by kind: (mean, how much it varies in log units).
COLOURS: dict[str, tuple[tuple[float, float, float], float]] = {
    "black": ((0.007, 0.007, 0.0075), 0.9),
    "white": ((0.62, 0.60, 0.55), 0.3),
    "blue": ((0.05, 0.13, 0.32), 0.5),
    "green": ((0.05, 0.20, 0.15), 0.5),
    "grey": ((0.22, 0.22, 0.22), 0.5),
    "purple_grey": ((0.20, 0.17, 0.24), 0.3),
    "pattern": ((0.15, 0.12, 0.10), 0.8),
    "clothing": ((0.2, 0.15, 0.15), 1.0),
    "light_blue": ((0.25, 0.46, 0.56), 0.35),
    "cream": ((0.58, 0.50, 0.36), 0.3),
    "wood": ((0.25, 0.14, 0.07), 0.4),
    "clutter": ((0.25, 0.24, 0.22), 0.6),
}


def backdrop(rng: Rng, size: tuple[int, int], kind: str) -> Field:
    """Linear reflectance (H, W, 3) of what lies behind the body."""
    if kind == "clutter":
        return clutter(rng, size)
    mean, spread = COLOURS[kind]
    colour = (
        np.array(mean)
        * np.exp(rng.normal(0, spread))
        * np.exp(rng.normal(0, 0.12 + 0.3 * (kind in ("clothing", "pattern")), 3))
    )
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    phase = rng.random(4)
    gradient = 1 + float(rng.uniform(0, 0.5)) * (x * np.cos(phase[0] * 6.3) + y * np.sin(phase[0] * 6.3) - 0.3)
    folds = sample(
        fractal(2.1, 61), x * float(rng.uniform(0.3, 1.2)) + phase[1], y * float(rng.uniform(0.3, 1.2)) + phase[2]
    )
    shade = gradient * np.exp(float(rng.uniform(0.02, 0.35 if kind != "purple_grey" else 0.08)) * folds)
    grain = sample(fractal(0.4, 62), x * size[1] / 512 + phase[3], y * size[0] / 512 + phase[1])
    shade = shade * np.exp(float(rng.uniform(0.05, 0.3 if kind in ("clothing", "pattern", "grey") else 0.18)) * grain)
    tint = np.stack(
        [
            np.exp(float(rng.uniform(0, 0.05)) * sample(fractal(2.2, 66 + k), x * 0.9 + phase[k], y * 0.9))
            for k in range(3)
        ],
        -1,
    )
    out = shade[..., None] * colour[None, None, :].astype(np.float32) * tint
    if kind in ("clothing", "blue", "green", "white", "grey", "black") and rng.random() < 0.5:
        out = out * _weave(rng, x, y, size)[..., None]
    if kind in ("pattern", "clothing") and rng.random() < 0.7:
        out = _pattern(rng, x, y, out)
    if kind == "wood":
        ring = np.sin(60 * y + 6 * sample(fractal(1.8, 63), x * 0.3 + phase[0], y * 2.0 + phase[1]))
        out = out * (1 + 0.25 * ring)[..., None]
    return np.asarray(np.maximum(out, 0.002), np.float32)


def clutter(rng: Rng, size: tuple[int, int]) -> Field:
    """A room or a street (H, W, 3): ground and wall, things of all sizes and colours with texture of their own, mostly out of focus."""
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(max(size))
    horizon = float(rng.uniform(0.3, 1.0)) * height / max(size)
    above, below = (0.28 * np.exp(rng.normal(0, 0.6)) * np.exp(rng.normal(0, 0.15, 3)) for _ in range(2))
    share = np.clip((y - horizon) / 0.02 + 0.5, 0, 1)[..., None]
    scene = (above + share * (below - above)).astype(np.float32)
    for _ in range(int(rng.integers(4, 40))):
        colour = (np.exp(rng.normal(np.log(0.16), 0.9)) * np.exp(rng.normal(0, rng.choice([0.1, 0.5]), 3))).tolist()
        if rng.random() < 0.2:  # brick, wood, sand and other skin
            colour = (np.array([0.34, 0.2, 0.13]) * np.exp(rng.normal(0, 0.35))).tolist()
        reach = float(max(size) * np.exp(rng.uniform(-4.2, -1.0)))
        at = (float(rng.uniform(0, width)), float(rng.uniform(0, height)))
        kind = int(rng.integers(4))
        if kind == 0:
            axes = (int(reach) + 1, int(reach * rng.uniform(0.3, 1)) + 1)
            cv2.ellipse(scene, (int(at[0]), int(at[1])), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
        elif kind == 1:
            corner = (int(at[0] + reach * rng.uniform(0.3, 2)), int(at[1] + reach * rng.uniform(0.3, 3)))
            cv2.rectangle(scene, (int(at[0]), int(at[1])), corner, colour, -1)
        elif kind == 2:
            corners = np.array(at) + rng.normal(0, reach, (int(rng.integers(3, 7)), 2))
            cv2.fillPoly(scene, [np.round(corners).astype(np.int32)], colour)
        else:
            end = (int(at[0] + rng.normal(0, 2 * reach)), int(at[1] + rng.normal(0, 2 * reach)))
            cv2.line(scene, (int(at[0]), int(at[1])), end, colour, max(1, int(reach / 12)))
    for slope, coarse in ((1.0, 1.0), (0.5, 3.0)):  # foliage, paving, plaster
        where = np.clip(sample(fractal(1.8, 67), x * 0.8 + float(rng.random()), y * 0.8 + float(rng.random())), 0, 1)
        grain = sample(fractal(slope, 68), x * coarse + float(rng.random()), y * coarse + float(rng.random()))
        scene = scene * np.exp(float(rng.uniform(0, 0.7)) * where * grain)[..., None]
    blur = float(rng.choice([0.0, rng.uniform(0, 0.004), rng.uniform(0.004, 0.03)], p=[0.25, 0.35, 0.4])) * max(size)
    if blur > 0.4:
        scene = cv2.GaussianBlur(scene, (0, 0), blur)
    return np.asarray(np.maximum(scene, 0.002), np.float32)


def _weave(rng: Rng, x: Field, y: Field, size: tuple[int, int]) -> Field:
    count = max(size) / float(rng.uniform(2.2, 5.0))
    angle = float(rng.uniform(0, 3.14))
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray(
        1 + float(rng.uniform(0.03, 0.15)) * np.sin(2 * np.pi * count * u) * np.sin(2 * np.pi * count * v), np.float32
    )


def _pattern(rng: Rng, x: Field, y: Field, out: Field) -> Field:
    second = (np.exp(rng.normal(0.0, 0.7)) * np.exp(rng.normal(0, 0.25, 3))).astype(np.float32)
    n = float(rng.uniform(6, 40))
    kind = int(rng.integers(3))
    if kind == 0:  # checks
        mask = ((np.sin(n * x * 2) > 0.3).astype(np.float32) + (np.sin(n * y * 2) > 0.3)) / 2
    elif kind == 1:  # stripes
        mask = (np.sin(n * (x + 0.3 * y) * 2) > float(rng.uniform(-0.5, 0.7))).astype(np.float32)
    else:  # flecks of a carpet
        mask = (sample(fractal(0.6, 64), x * n / 12, y * n / 12) > 0.8).astype(np.float32)
    mask = mask[..., None]
    return np.asarray(out * (1 - mask) + mask * second * out, np.float32)


def garment(rng: Rng, size: tuple[int, int]) -> tuple[Field, Field]:
    """Clothing or a towel over one side of the frame: opacity (H, W) and linear reflectance (H, W, 3)."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    side = int(rng.integers(4))
    depth = float(rng.uniform(0.06, 0.25))
    along, across, extent = (x, y, size[0]) if side < 2 else (y, x, size[1])
    across = across if side % 2 == 0 else extent - across
    edge = depth * extent * (1 + 0.5 * (float(rng.normal(0, 0.5)) * (along / max(size) - 0.5)))
    edge = edge + 0.02 * extent * sample(fractal(2.0, 65), along / max(size) * 0.6 + float(rng.random()), 0 * along)
    alpha = np.clip((edge - across) + 0.5, 0, 1).astype(np.float32)
    kind = str(rng.choice(["clothing", "white", "blue", "black"], p=[0.5, 0.25, 0.12, 0.13]))
    cloth = backdrop(rng, size, kind)
    hem = 1 - 0.35 * np.exp(-(((edge - across) / (0.012 * extent)) ** 2)) * (across < edge)
    return alpha, cloth * hem[..., None].astype(np.float32)


def cast_shadow(alpha: Field, rng: Rng) -> Field:
    """Factor (H, W) of the body's shadow on what is behind it."""
    size = max(alpha.shape)
    shift = rng.normal(0, 0.03, 2) * size
    moved = cv2.warpAffine(
        alpha,
        np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32),
        (alpha.shape[1], alpha.shape[0]),
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(moved, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 8.0)))
    full = cv2.resize(soft, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1 - float(rng.uniform(0.2, 0.85)) * full, np.float32)
