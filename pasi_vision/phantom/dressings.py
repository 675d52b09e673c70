"""Plasters, gauze and tape on the skin, and what pens leave on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.marks import Overlay
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.stage import Spot, Stage, axis_near, lay, positions

Field = NDArray[np.float32]
Rng = np.random.Generator

#: Linear RGB of plasters: skin-coloured fabric, brown fabric, white, blue (detectable), clear film.
_PLASTERS = ((0.55, 0.34, 0.22), (0.22, 0.11, 0.06), (0.72, 0.70, 0.66), (0.04, 0.14, 0.42), (0.60, 0.50, 0.42))


def _skin_spot(rng: Rng, stage: Stage) -> Spot | None:
    rows, columns = np.nonzero((stage.surface.region > 0) & (stage.surface.normal[..., 2] < -0.6))
    if not rows.size:
        return None
    at = int(rng.integers(rows.size))
    return int(rows[at]), int(columns[at])


def _plane(rng: Rng, stage: Stage, spot: Spot, reach_mm: float) -> tuple[Field, Field, Field] | None:
    """Coordinates (x, y) in mm on the skin around a spot, turned by chance, and where they hold (0-1); full resolution."""
    place = positions(stage.surface)
    offset = place - place[spot]
    normal = stage.surface.normal[spot].astype(np.float64)
    axis = axis_near(stage.surface, place, spot, 15.0)
    first = np.cross(normal, (0.0, 1.0, 0.1)) if axis is None else np.cross(normal, axis)
    first /= max(float(np.linalg.norm(first)), 1e-6)
    second = np.cross(normal, first)
    turn = float(rng.normal(0, 0.5)) if rng.random() < 0.7 else float(rng.uniform(0, np.pi))
    u = np.cos(turn) * first + np.sin(turn) * second
    v = -np.sin(turn) * first + np.cos(turn) * second
    near = (np.linalg.norm(offset, axis=-1) < reach_mm) & (stage.surface.region > 0)
    if not near[spot]:
        return None
    x, y = (np.clip(offset @ w.astype(np.float32), -3 * reach_mm, 3 * reach_mm) for w in (u, v))
    inside = np.clip(2 * stage.enlarged(near.astype(np.float32)) - 0.4, 0, 1)
    return stage.enlarged(x.astype(np.float32)), stage.enlarged(y.astype(np.float32)), inside.astype(np.float32)


def _rounded(x: Field, y: Field, half: tuple[float, float], corner: float) -> Field:
    """Signed distance in mm (positive inside) to a rectangle with rounded corners."""
    dx, dy = np.abs(x) - (half[0] - corner), np.abs(y) - (half[1] - corner)
    away = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)
    return np.asarray(corner - away, np.float32)


def add_plaster(rng: Rng, stage: Stage) -> None:
    """An adhesive plaster with its pad, fabric with holes or film."""
    spot = _skin_spot(rng, stage)
    if spot is None:
        return
    round_one = rng.random() < 0.2
    half = (11.0, 11.0) if round_one else (float(rng.uniform(24, 38)), float(rng.uniform(7, 13)))
    found = _plane(rng, stage, spot, 1.3 * float(np.hypot(*half)))
    if found is None:
        return
    x, y, inside = found
    away = _rounded(x, y, half, half[1] * (1.0 if round_one else float(rng.uniform(0.4, 1.0))))
    alpha = np.clip(away / stage.mm + 0.5, 0, 1) * inside
    tint = np.array(_PLASTERS[int(rng.choice(5, p=[0.45, 0.15, 0.25, 0.05, 0.10]))], np.float32)
    tint = tint * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    pad = _rounded(x, y, (0.45 * half[0], 0.8 * half[1]), 1.5)
    swell = np.clip(pad / 2 + 0.5, 0, 1)
    holes = (np.sin(x * 2.4) * np.sin(y * 2.4) > 0.86) & (swell < 0.1) if stage.mm < 0.5 else np.zeros(x.shape, bool)
    wrinkle = sample(fractal(1.4, 92), x / 60 + float(rng.random()), y / 60)
    colour = tint * (1 + 0.10 * swell + 0.08 * wrinkle - 0.4 * holes)[..., None]
    if rng.random() < 0.25:
        stain = np.exp(-((np.hypot(x - rng.normal(0, 3), y - rng.normal(0, 2)) / float(rng.uniform(2, 5))) ** 2))
        colour += 0.7 * stain[..., None] * (np.array((0.2, 0.03, 0.02)) - colour)
    height = 0.3 + 0.9 * swell + 0.15 * wrinkle
    lay(stage, alpha.astype(np.float32), colour.astype(np.float32), height.astype(np.float32), 0.5)


def add_gauze(rng: Rng, stage: Stage) -> None:
    """A compress of woven gauze under strips of tape."""
    spot = _skin_spot(rng, stage)
    if spot is None:
        return
    half = (float(rng.uniform(20, 50)), float(rng.uniform(18, 40)))
    found = _plane(rng, stage, spot, 1.6 * float(np.hypot(*half)))
    if found is None:
        return
    x, y, inside = found
    fray = 0.8 * sample(fractal(1.0, 93), x / 70, y / 70)
    alpha = np.clip((_rounded(x, y, half, 2.0) + fray) / stage.mm + 0.5, 0, 1) * inside
    weave = np.sin(x * 2 * np.pi / 1.4) * np.sin(y * 2 * np.pi / 1.4) * min(1.0, 0.3 / max(stage.mm, 0.05))
    folds = sample(fractal(1.8, 94), x / 150 + float(rng.random()), y / 150)
    colour = np.array((0.78, 0.77, 0.73), np.float32) * (1 + 0.12 * weave + 0.08 * folds)[..., None]
    for _ in range(int(rng.integers(0, 4))):
        spread = float(rng.uniform(3, 12))
        stain = np.exp(-((np.hypot(x - rng.normal(0, 10), y - rng.normal(0, 10)) / spread) ** 2))
        tint = np.array((0.25, 0.04, 0.03) if rng.random() < 0.5 else (0.55, 0.42, 0.12))
        colour += float(rng.uniform(0.3, 0.9)) * stain[..., None] * (tint - colour)
    lay(stage, alpha.astype(np.float32), colour.astype(np.float32), (1.5 + 0.6 * folds).astype(np.float32), 0.1)
    tape = np.array((0.70, 0.68, 0.62) if rng.random() < 0.6 else (0.62, 0.42, 0.28), np.float32)
    for place in (-0.75 * half[0], 0.75 * half[0]):
        strip = _rounded(x - np.float32(place), y, (6.5, half[1] + 14.0), 0.5)
        over = np.clip(strip / stage.mm + 0.5, 0, 1) * inside
        lay(stage, (0.92 * over).astype(np.float32), tape, (1.8 + 0.2 * folds).astype(np.float32), 0.6)


def draw_pen(rng: Rng, overlay: Overlay, around: Field, mm: float) -> None:
    """Surgical pen on the skin: a dashed ring around what is there, an arrow, a cross or a letter. The skin under it stays skin.

    Args:
        around: (H, W), 1 on lesions: a ring follows their edge.
    """
    size = around.shape
    layer = np.zeros(size, np.uint8)
    thick = max(1, round(float(rng.uniform(0.8, 1.8)) / mm))
    kind = rng.random()
    spot = (int(rng.uniform(0.2, 0.8) * size[1]), int(rng.uniform(0.2, 0.8) * size[0]))
    long = int(float(rng.uniform(8, 22)) / mm)
    if kind < 0.55 and 0.002 < float(around.mean()) < 0.5:
        gap = max(3, round(float(rng.uniform(2, 6)) / mm))
        grown = (cv2.blur(around, (2 * gap + 1, 2 * gap + 1)) > 0.12).astype(np.uint8)
        outlines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        chosen = max(outlines, key=len)[:, 0]
        dash = 0 if rng.random() < 0.4 else max(4, round(6 / mm))
        for start in range(0, len(chosen), 2 * dash or len(chosen)):
            piece = chosen[start : start + (dash or len(chosen))].reshape(-1, 1, 2)
            cv2.polylines(layer, [piece], dash == 0, 255, thick, cv2.LINE_AA)
    elif kind < 0.7:
        angle = float(rng.uniform(0, 2 * np.pi))
        end = (int(spot[0] + long * np.cos(angle)), int(spot[1] + long * np.sin(angle)))
        cv2.arrowedLine(layer, spot, end, 255, thick, cv2.LINE_AA, tipLength=0.3)
    elif kind < 0.85:
        cv2.line(layer, (spot[0] - long // 3, spot[1]), (spot[0] + long // 3, spot[1]), 255, thick, cv2.LINE_AA)
        cv2.line(layer, (spot[0], spot[1] - long // 3), (spot[0], spot[1] + long // 3), 255, thick, cv2.LINE_AA)
    else:
        text = str(rng.choice(["A", "B", "1", "2", "3", "L", "R", "X", "7/4"]))
        cv2.putText(layer, text, spot, cv2.FONT_HERSHEY_SIMPLEX, long / 22, 255, thick, cv2.LINE_AA)
    soft = cv2.GaussianBlur(layer.astype(np.float32) / np.float32(255), (0, 0), max(0.6, 0.25 / mm))
    skip = 0.75 + 0.25 * np.tanh(
        cv2.resize(fractal(0.8, 95)[: size[0] // 2, : size[1] // 2], size[::-1], interpolation=cv2.INTER_LINEAR)
    )
    ink = ((0.04, 0.015, 0.12), (0.01, 0.01, 0.012), (0.01, 0.03, 0.14), (0.02, 0.09, 0.05))[
        int(rng.choice(4, p=[0.55, 0.2, 0.2, 0.05]))
    ]
    overlay.ink.append(((float(rng.uniform(0.5, 0.9)) * soft * skip).astype(np.float32), ink))
