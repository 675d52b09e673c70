"""Nail plates as people have them: varnished, thick and yellow, pitted, lifted, with oil spots and splinter lines. Never a lesion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator
Layer = tuple[Field, tuple[float, float, float]]

#: Linear RGB of varnish: reds, wine, rose, nude, black, blue, green, white.
_VARNISH = (
    (0.42, 0.012, 0.018), (0.16, 0.006, 0.02), (0.62, 0.16, 0.22), (0.60, 0.38, 0.30),
    (0.012, 0.011, 0.012), (0.02, 0.06, 0.30), (0.02, 0.20, 0.14), (0.75, 0.72, 0.70),
)  # fmt: skip
NAIL_PARTS = (int(Part.FINGERNAIL), int(Part.TOENAIL))


@dataclass(frozen=True)
class NailCoat:
    """What lies on the plates: paint layers, relief (mm) and a factor on shine, all (H, W)."""

    paint: tuple[Layer, ...]
    relief_mm: Field
    gloss: Field


def coat_nails(rng: Rng, part: NDArray[np.uint8], mm: float, varnish: float, sick: float) -> NailCoat | None:
    """Varnish or disease of all nails in view, by these chances; None where nothing is changed."""
    plate = np.isin(part, NAIL_PARTS)
    chance = rng.random()
    if chance > varnish + sick or not plate.any():
        return None
    soft = np.asarray(cv2.GaussianBlur(plate.astype(np.float32), (0, 0), 0.9), np.float32)
    if chance < varnish:
        return _varnished(rng, soft, mm)
    return _diseased(rng, plate, part, soft, mm)


def _cloud(rng: Rng, size: tuple[int, ...], mm: float, period_mm: float, seed: int) -> Field:
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) * np.float32(mm / period_mm)
    return sample(fractal(1.0, seed), x + np.float32(rng.random()), y + np.float32(rng.random()))


def _varnished(rng: Rng, soft: Field, mm: float) -> NailCoat:
    colour = _VARNISH[int(rng.choice(len(_VARNISH), p=[0.3, 0.14, 0.2, 0.1, 0.09, 0.07, 0.03, 0.07]))]
    alpha = 0.96 * np.clip(2.2 * soft - 0.6, 0, 1)
    if rng.random() < 0.3:  # chipped
        alpha = alpha * (_cloud(rng, soft.shape, mm, 25.0, 96) < 1.0)
    shine = 1.0 + float(rng.uniform(0.5, 3.0)) * soft
    return NailCoat(((alpha.astype(np.float32), colour),), (0.15 * alpha).astype(np.float32), shine.astype(np.float32))


def _diseased(rng: Rng, plate: NDArray[np.bool_], part: NDArray[np.uint8], soft: Field, mm: float) -> NailCoat:
    """Each nail on its own: some are spared."""
    size = plate.shape
    ochre, white, salmon, dark, pits = (np.zeros(size, np.float32) for _ in range(5))
    relief = np.zeros(size, np.float32)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(plate.astype(np.uint8))
    cloud = _cloud(rng, size, mm, 14.0, 97)
    digit = np.isin(part, [int(Part.FINGER), int(Part.TOE), int(Part.HAND_BACK), int(Part.FOOT_BACK)])
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    for index in range(1, min(count, 11)):
        if rng.random() < 0.3 or stats[index, cv2.CC_STAT_AREA] < 12:
            continue
        own = (labels == index).astype(np.float32)
        reach = float(np.sqrt(stats[index, cv2.CC_STAT_AREA] / np.pi))
        top, left = (max(int(v - 4 * reach), 0) for v in middles[index][::-1])
        window = digit[top : int(middles[index][1] + 4 * reach), left : int(middles[index][0] + 4 * reach)]
        rows, columns = np.nonzero(window)
        back = (middles[index] - (columns.mean() + left, rows.mean() + top)) if rows.size else np.array((0.0, -1.0))
        back = back / max(float(np.hypot(*back)), 1e-3)
        distal = ((x - middles[index][0]) * back[0] + (y - middles[index][1]) * back[1]) / np.float32(reach)
        side = ((y - middles[index][1]) * back[0] - (x - middles[index][0]) * back[1]) / np.float32(reach)
        kinds = rng.random(5)
        if kinds[0] < 0.6:  # thick and yellow
            ochre += own * float(rng.uniform(0.3, 0.9)) * np.clip(0.7 + 0.4 * cloud, 0, 1.1)
            relief += own * (0.25 * np.sin(side * float(rng.uniform(8, 20))) + 0.4 * cloud) * float(rng.uniform(0.3, 1))
        if kinds[1] < 0.4:  # lifted from its bed
            white += own * 0.85 * np.clip((distal + 0.35 * cloud - float(rng.uniform(-0.2, 0.7))) * 3, 0, 1)
        if kinds[2] < 0.3:
            where = rng.normal(0, 0.4, 2)
            salmon += own * 0.6 * np.exp(-(((distal - where[0]) ** 2 + (side - where[1]) ** 2) / 0.12))
        if kinds[3] < 0.25:
            line = np.abs(side - float(rng.uniform(-0.6, 0.6))) < 0.06
            dark += own * 0.7 * line * (distal > -0.1)
        if kinds[4] < 0.45:
            grain = _cloud(rng, size, mm, 18.0, 98)
            pits += own * np.clip((grain - 1.3) * 3, 0, 1)
    relief -= 0.35 * pits
    layers: tuple[tuple[Field, tuple[float, float, float]], ...] = (
        (ochre, (0.46, 0.30, 0.10)),
        (white, (0.66, 0.58, 0.40)),
        (salmon, (0.55, 0.24, 0.13)),
        (0.6 * pits, (0.32, 0.20, 0.13)),
        (dark, (0.10, 0.02, 0.015)),
    )
    paint = tuple(
        ((np.clip(alpha, 0, 0.95) * soft).astype(np.float32), colour) for alpha, colour in layers if alpha.any()
    )
    return NailCoat(paint, relief.astype(np.float32), (1.0 - 0.6 * np.clip(ochre, 0, 1)).astype(np.float32))
