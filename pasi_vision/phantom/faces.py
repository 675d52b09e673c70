"""Faces of close-ups: brow, eyes, nose, lips and hair line on a rounded head; the whole face or a part of it, from the front or the side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.geometry import Canvas, Shell, blank, turned
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator
HEAD = 1


def face(canvas: Canvas, rng: Rng) -> Shell:
    """A face in millimetres: head 155 wide, 220 high; +v is down; eyes at v = 0."""
    shell = blank(canvas, Part.FACE, HEAD)
    width, height = canvas.size_mm
    x, y = canvas.grid()
    lean = float(rng.normal(0, 0.15)) + (float(rng.choice([-1, 1])) * np.pi / 2 if rng.random() < 0.12 else 0.0)
    size = float(rng.uniform(0.75, 1.15))
    yaw = float(rng.choice([0.0, rng.uniform(-0.9, 0.9)]))
    aim = float(rng.normal(0, 28)), float(rng.choice([-35.0, 10.0, 45.0])) + float(rng.normal(0, 15))
    u, v = turned(x, y, lean)
    u, v = u / size + aim[0], v / size + aim[1]
    wide = 76 * (1 - 0.22 * np.clip((v - 40) / 70, 0, 1) ** 1.5)
    tall = np.where(v < 0, 105.0, 122.0)
    radius = np.sqrt((u / wide) ** 2 + (v / tall) ** 2)
    shell.inside_mm = ((1 - radius) * 70 * size).astype(np.float32)
    turn = np.arcsin(np.clip(u / wide, -0.999, 0.999)) + yaw  # features sit on the turned head
    s = (76 * turn).astype(np.float32)
    bulge = 70 * np.sqrt(np.clip(1 - radius**2, 0.0, 1)) * size
    nose = 20 * np.exp(-((s / 11) ** 2)) * np.exp(-(((v - 32) / 24) ** 2)) + 6 * np.exp(-((np.abs(s) - 13) ** 2 / 40) - ((v - 44) ** 2) / 60)
    orbit = -5 * np.exp(-((np.abs(s) - 33) ** 2 / 260) - ((v + 1) ** 2) / 110) + 4 * np.exp(-((np.abs(s) - 30) ** 2 / 500) - ((v + 19) ** 2) / 60)
    cheek = 3 * np.exp(-((np.abs(s) - 42) ** 2 / 400) - ((v - 35) ** 2) / 500)
    shell.elevation_mm = (bulge + (nose + orbit + cheek) * size).astype(np.float32)
    shell.chart_mm = np.stack([s, v], -1).astype(np.float32) * np.float32(size)
    flush = np.exp(-((np.abs(s) - 38) ** 2 / 500) - ((v - 38) ** 2) / 500) + np.exp(-(s**2 / 150) - ((v - 42) ** 2) / 150)
    shell.blood *= (1 + float(rng.uniform(0, 1.2)) * flush + 0.4 * np.exp(-((np.abs(s) - 33) ** 2 / 250) - ((v - 2) ** 2) / 120)).astype(np.float32)
    shell.relief_mm -= 0.5 * np.exp(-(((np.abs(s) - 24 - 0.25 * (v - 45)) / 1.6) ** 2)) * np.exp(-(((v - 52) / 16) ** 2)) * float(rng.uniform(0, 1.5))
    shell.relief_mm -= (rng.random() < 0.4) * 0.5 * np.maximum(np.sin(v / 2.9 + 2 * sample(fractal(2, 5), s / 200, v / 200)) - 0.8, 0) * 4 * (v < -28)
    shell.gloss[:] = float(rng.uniform(1.0, 2.2))
    shell.limb[:] = 0
    _eyes(shell, rng, s, v)
    _mouth_and_nose(shell, s, v)
    _hair(shell, rng, s, v)
    shell.axis = lean
    return shell


def _eyes(shell: Shell, rng: Rng, s: Field, v: Field) -> None:
    open_mm = float(rng.choice([0.3, rng.uniform(4.0, 6.0)], p=[0.3, 0.7]))
    iris = tuple(float(c) for c in rng.choice([(0.04, 0.025, 0.015), (0.10, 0.14, 0.20), (0.10, 0.09, 0.04)]))
    for side in (-1, 1):
        e = s - side * 33
        lid = open_mm * np.sqrt(np.maximum(1 - (e / 15) ** 2, 0))
        inside = np.clip(lid - np.abs(v), -2, 2)
        alpha = np.clip(inside + 0.5, 0, 1) * (open_mm > 1) * (np.abs(e) < 14.6)
        shell.paint.append((alpha.astype(np.float32), (0.58, 0.50, 0.47)))
        disc = np.clip((6.0 - np.hypot(e - float(rng.normal(0, 2)), v)) * 1.2, 0, 1) * alpha
        shell.paint.append((disc.astype(np.float32), iris))
        shell.paint.append(((np.clip((2.5 - np.hypot(e, v)) * 1.5, 0, 1) * alpha).astype(np.float32), (0.005, 0.005, 0.005)))
        shell.paint.append(((np.clip((0.9 - np.hypot(e - 2, v + 2)) * 2, 0, 1) * alpha).astype(np.float32), (1.0, 1.0, 1.0)))
        lash = np.exp(-(((lid - np.abs(v)) / 0.7) ** 2)) * (np.abs(e) < 15) * 0.6
        shell.paint.append((lash.astype(np.float32), (0.02, 0.015, 0.012)))
        shell.relief_mm -= (0.8 * np.exp(-(((v + open_mm + 3.5 - 0.012 * e**2) / 0.8) ** 2)) * (np.abs(e) < 17)).astype(np.float32)
        shell.part[alpha > 0.4] = Part.EYE
        shell.part[(shell.part == Part.FACE) & (np.hypot(e / 18, v / 10) < 1)] = Part.EYELID


def _mouth_and_nose(shell: Shell, s: Field, v: Field) -> None:
    m = v - 70
    upper = 7 * (1 - (np.abs(s) / 25) ** 1.6) * (1 - 0.25 * np.exp(-((s / 5) ** 2)))
    lower = 9 * (1 - (s / 24) ** 2)
    lips = np.clip(np.minimum(m + np.maximum(upper, -1), np.maximum(lower, -1) - m), -2, 2) / 1.2
    alpha = np.clip(lips + 0.5, 0, 1)
    shell.blood = (shell.blood * (1 + 2.6 * alpha)).astype(np.float32)
    shell.melanin = (shell.melanin * (1 + 0.3 * alpha)).astype(np.float32)
    shell.elevation_mm += (2.5 * alpha).astype(np.float32)
    shell.relief_mm -= (1.8 * np.exp(-((m / 0.8) ** 2)) * (np.abs(s) < 25)).astype(np.float32)
    shell.part[alpha > 0.5] = Part.LIPS
    hole = np.clip((1 - np.hypot((np.abs(s) - 7.5) / 4.5, (v - 50) / 2.3)) * 4, 0, 0.9)
    shell.paint.append((hole.astype(np.float32), (0.02, 0.006, 0.004)))


def _hair(shell: Shell, rng: Rng, s: Field, v: Field) -> None:
    """Marks the brows, the hair line and sometimes a beard as parts; `hair` draws on them."""
    arch = v + 20 - 0.006 * (np.abs(s) - 36) ** 2
    shell.part[(np.abs(arch) < 4.0) & (np.abs(np.abs(s) - 33) < 21)] = Part.BROW
    line = -62 - 8 * np.cos(s / 26) + 5 * sample(fractal(1.5, 7), s / 150 + float(rng.random()), v / 150) + float(rng.normal(0, 8))
    if rng.random() < 0.85:
        shell.part[(v < line) | ((np.abs(s) > 84) & (v < 10))] = Part.SCALP
    if rng.random() < 0.2:
        chin = (np.hypot(s / 62, (v - 70) / 48) > 0.62) & (v > 42) & (shell.part == Part.FACE)
        shell.part[chin] = Part.BEARD
