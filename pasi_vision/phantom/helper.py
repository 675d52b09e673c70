"""Somebody else's hand at the edge of a close-up, bare and healthy or gloved: it points, stretches the skin or holds the limb."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.geometry import Canvas, blank, surface_of, turned
from pasi_vision.phantom.hands import draw_hand
from pasi_vision.phantom.light import falloff_map, shade
from pasi_vision.phantom.marks import empty_overlay
from pasi_vision.phantom.nails import NAIL_PARTS
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.paint import Anatomy, Finish, paint
from pasi_vision.phantom.plaques import lesion_maps
from pasi_vision.phantom.props import over_it
from pasi_vision.phantom.skin import draw_person
from pasi_vision.phantom.stage import Stage
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator

#: Linear RGB of examination gloves: nitrile blue and violet, latex, white vinyl, black.
_GLOVES = ((0.06, 0.20, 0.52), (0.17, 0.13, 0.46), (0.62, 0.55, 0.42), (0.66, 0.66, 0.66), (0.014, 0.014, 0.016))


def add_hand(rng: Rng, stage: Stage, *, gloved: bool) -> None:
    """Lay the fingers of a hand over an edge of the frame."""
    half = Canvas(stage.size[0] // 2, stage.size[1] // 2, 2 * stage.mm)
    width, height = half.size_mm
    if max(width, height) < 70:
        return
    shell = blank(half, Part.HAND_BACK, 2)
    shell.inside_mm[:] = -1e3
    side = int(rng.integers(4))
    inward = (np.pi / 2, -np.pi / 2, 0.0, np.pi)[side] + float(rng.normal(0, 0.5))  # from the top, bottom, left, right
    edge = ((0.0, -height / 2), (0.0, height / 2), (-width / 2, 0.0), (width / 2, 0.0))[side]
    slide = float(rng.uniform(-0.4, 0.4))
    base = (edge[0] + slide * width * (side < 2), edge[1] + slide * height * (side >= 2))
    reach = float(rng.uniform(0.15, 0.45)) * min(width, height, 170.0)
    size = float(rng.uniform(0.9, 1.1))
    middle = (
        base[0] + (reach - 118 * size) * np.cos(inward),
        base[1] + (reach - 118 * size) * np.sin(inward),
    )  # finger tips lie about 118 mm from the palm's middle
    x, y = half.grid()
    u, v = turned(x, y, inward + np.pi / 2, middle)
    flip = np.float32(-1.0 if rng.random() < 0.5 else 1.0)
    draw_hand(shell, rng, ((flip * u / size).astype(np.float32), (v / size).astype(np.float32), size, 0), palmar=False)
    if not bool((shell.inside_mm > 0).any()):
        return
    surface = surface_of(shell, half)
    full, large = stage.size[::-1], stage.enlarged
    normal = large(surface.normal)
    alpha = np.clip(large(shell.inside_mm) / np.float32(stage.mm) + np.float32(0.5), 0, 1)
    if gloved:
        colour = _glove(rng, stage, normal, large(shell.elevation_mm))
    else:
        anatomy = Anatomy(
            large(shell.melanin), large(shell.blood), large(shell.gloss), large(shell.relief_mm),
            tuple((large(a), c) for a, c in shell.paint),
        )  # fmt: skip
        maps = lesion_maps([], np.zeros((*stage.size, 3), np.float32), np.zeros((*stage.size, 3), np.float32))
        overlay = empty_overlay(stage.size)
        chart = large(shell.chart_mm)
        colour = paint(
            chart, normal, stage.mm, draw_person(rng), anatomy, maps, overlay, Finish(0.7, {}), stage.light
        )  # fmt: skip
    shift = np.array([[1, 0, rng.normal(0, 4) / stage.mm], [0, 1, rng.normal(0, 4) / stage.mm]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, full), (0, 0), max(1.0, 3.0 / stage.mm))
    over_it(stage, alpha, colour, (0.45 * shadow).astype(np.float32))
    if not gloved:
        nails = cv2.resize(np.isin(shell.part, NAIL_PARTS).astype(np.uint8), full, interpolation=cv2.INTER_NEAREST)
        stage.others = np.where((alpha > 0.5) & (nails == 0), 1, stage.others * (alpha < 0.5)).astype(np.float32)


def _glove(rng: Rng, stage: Stage, normal: Field, elevation: Field) -> Field:
    """Smooth rubber with wrinkles and shine."""
    height, width = stage.size
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(stage.mm)
    wrinkle = sample(fractal(1.9, 87), x / 90, y / 150 + np.float32(rng.random())) + 0.02 * elevation
    colour = np.array(_GLOVES[int(rng.choice(5, p=[0.42, 0.2, 0.16, 0.14, 0.08]))], np.float32)
    diffuse, specular = shade(
        normal, (0.8 * wrinkle).astype(np.float32), stage.mm, stage.light, np.full(stage.size, 1.6, np.float32)
    )
    fall = falloff_map(stage.light, stage.size)
    return np.asarray(((colour * diffuse[..., None]) + specular[..., None]) * fall[..., None], np.float32)
