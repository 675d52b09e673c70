"""What lies or reaches into the frame: a ruler or tape, a colour card, an identification tag, a gown, somebody else's hand."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.card import BORDER_MM, PITCH_MM, card_face
from pasi_vision.phantom.light import falloff_map
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.stage import Stage

Field = NDArray[np.float32]
Rng = np.random.Generator


def lit_flat(stage: Stage) -> Field:
    """Light on something flat that faces the camera."""
    facing = max((-stage.light.direction[2] + 0.15) / 1.15, 0.0)
    level = np.float32(stage.light.ambient + (1 - stage.light.ambient) * facing)
    return np.asarray(level * falloff_map(stage.light, stage.size), np.float32)


def _put(rng: Rng, stage: Stage, face: Field, size_mm: tuple[float, float], at: tuple[float, float, float]) -> None:
    """Lay a flat thing into the picture: `face` (h, w, 3) of this size in mm, its middle at x, y (px) and turned by radians."""
    x, y, turn = at
    half = np.array(size_mm) / 2 / stage.mm
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half * (1 - np.abs(rng.normal(0, 0.02, 2)))
    cos, sin = np.cos(turn), np.sin(turn)
    placed = corners @ np.array([[cos, sin], [-sin, cos]]) + (x, y) + rng.normal(0, 0.01 * half.min(), (4, 2))
    high, wide = face.shape[:2]
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32) - 0.5
    moved = cv2.getPerspectiveTransform(source, placed.astype(np.float32))
    blur = 0.35 * wide * stage.mm / size_mm[0]
    soft = cv2.GaussianBlur(face, (0, 0), blur) if blur > 0.3 else face
    laid = cv2.warpPerspective(soft, moved, stage.size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(np.ones((high, wide), np.float32), moved, stage.size[::-1], flags=cv2.INTER_LINEAR)
    shift = np.array([[1, 0, rng.normal(0, 1.0) / stage.mm], [0, 1, rng.normal(1.0, 0.8) / stage.mm]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, stage.size[::-1]), (0, 0), max(1.0, 1.2 / stage.mm))
    over_it(stage, np.asarray(alpha, np.float32), laid * lit_flat(stage)[..., None], 0.5 * shadow)


def over_it(stage: Stage, alpha: Field, colour: Field, shadow: Field | None = None) -> None:
    """Compose something over the picture, with its shadow on what is below."""
    below = stage.radiance if shadow is None else stage.radiance * (1 - shadow)[..., None]
    stage.radiance = np.asarray(below + alpha[..., None] * (colour - below), np.float32)
    stage.cover = np.maximum(stage.cover, alpha).astype(np.float32)


def _edge(rng: Rng, stage: Stage, depth_mm: float) -> tuple[float, float, float]:
    """A place along one edge of the frame where something of that depth lies partly or wholly inside; x, y in px and the angle."""
    height, width = stage.size
    side = int(rng.integers(4))
    inset = float(rng.uniform(0.15, 1.0)) * depth_mm / stage.mm - 0.5 * depth_mm / stage.mm
    turn = float(rng.normal(0, 0.06)) if rng.random() < 0.75 else float(rng.normal(0, 0.5))
    if side < 2:
        return width * float(rng.uniform(0.1, 0.9)), inset if side == 0 else height - inset, turn
    return inset if side == 2 else width - inset, height * float(rng.uniform(0.1, 0.9)), turn + np.pi / 2


def add_ruler(rng: Rng, stage: Stage) -> None:
    """A ruler (white, yellow, wooden or steel) or a paper tape along an edge, with ticks at every millimetre and numbers."""
    long, wide = float(rng.choice([60.0, 150.0, 200.0, 300.0])), float(rng.uniform(12, 32))
    scale = float(np.clip(1.6 / stage.mm, 1.0, 12.0))  # px per mm of its face
    size = (max(8, int(wide * scale)), max(16, min(int(long * scale), 4000)))
    ground = ((0.75, 0.74, 0.71), (0.75, 0.52, 0.06), (0.45, 0.28, 0.12), (0.40, 0.40, 0.41), (0.62, 0.75, 0.72))[
        int(rng.choice(5, p=[0.5, 0.14, 0.1, 0.16, 0.1]))
    ]
    print_ = np.zeros(size, np.uint8)
    ink = (0.02, 0.02, 0.02) if rng.random() < 0.8 else (0.35, 0.02, 0.02)
    thin = max(1, round(0.22 * scale))
    start, both = int(4 * scale), rng.random() < 0.4
    first = int(rng.integers(0, 4))
    for tick in range(int((size[1] - 2 * start) / scale) + 1):
        reach = (0.34 if tick % 10 == 0 else 0.26 if tick % 5 == 0 else 0.17) * size[0] * min(1.0, 20 / wide)
        place = start + round(tick * scale)
        if tick % 5 and scale < 1.8:
            continue
        cv2.line(print_, (place, 0), (place, int(reach)), 255, thin)
        if both:
            cv2.line(print_, (place, size[0] - 1), (place, size[0] - 1 - int(reach)), 255, thin)
        if tick % 10 == 0:
            spot = (place - int(1.2 * scale), int(reach + 4.2 * scale))
            number = str(first + tick // 10)
            cv2.putText(print_, number, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.14 * scale, 255, thin, cv2.LINE_AA)
    _put(rng, stage, _printed(print_, ground, ink), (size[1] / scale, size[0] / scale), _edge(rng, stage, wide))


def add_card(rng: Rng, stage: Stage) -> None:
    """A 24-patch colour card, whole or cut by the frame, never over the middle."""
    size = 6 * PITCH_MM + 2 * BORDER_MM, 4 * PITCH_MM + 2 * BORDER_MM
    if size[0] / stage.mm > 0.9 * max(stage.size):
        return
    face, _ = card_face(size[0] / stage.mm)
    _put(rng, stage, face, size, _edge(rng, stage, size[1]))


def add_tag(rng: Rng, stage: Stage) -> None:
    """A paper tag or sticker with a number, letters, a date or a bar code."""
    size = float(rng.uniform(25, 70)), float(rng.uniform(14, 35))
    scale = float(np.clip(1.5 / stage.mm, 1.0, 10.0))
    shape = int(size[1] * scale), int(size[0] * scale)
    ground = ((0.78, 0.77, 0.74), (0.75, 0.62, 0.15), (0.35, 0.55, 0.70))[int(rng.choice(3, p=[0.75, 0.15, 0.1]))]
    print_ = np.zeros(shape, np.uint8)
    ink, thin = (0.015, 0.015, 0.02), max(1, round(0.4 * scale))
    rows = int(rng.integers(1, 4))
    for row in range(rows):
        text = "".join(rng.choice(list("0123456789-/ABKMPRT "), int(rng.integers(3, 11))))
        down = int((row + 0.75) * shape[0] / rows)
        cv2.putText(
            print_, text, (int(2 * scale), down), int(rng.integers(0, 5)), 0.6 * shape[0] / rows / 22, 255, thin,
            cv2.LINE_AA,
        )  # fmt: skip
    if rng.random() < 0.3:
        bars = rng.random(60) < 0.5
        band = np.repeat(bars, max(1, shape[1] // 90))[: shape[1] // 2]
        print_[-shape[0] // 3 :, : len(band)][:, band] = 255
    _put(rng, stage, _printed(print_, ground, ink), size, _edge(rng, stage, size[1]))


def _printed(print_: NDArray[np.uint8], ground: tuple[float, float, float], ink: tuple[float, float, float]) -> Field:
    """Ink on paper: linear RGB."""
    paper, share = np.array(ground, np.float32), (print_.astype(np.float32) / np.float32(255))[..., None]
    return np.asarray(paper + share * (np.array(ink, np.float32) - paper), np.float32)


def add_gown(rng: Rng, stage: Stage) -> None:
    """A hospital gown, drape or disposable pad over one side: pale cloth with a small repeated print, or plain green or blue."""
    height, width = stage.size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn = float(rng.integers(4)) * np.pi / 2 + float(rng.normal(0, 0.2))
    towards = (x - width / 2) * np.float32(np.cos(turn)) + (y - height / 2) * np.float32(np.sin(turn))
    along = -(x - width / 2) * np.float32(np.sin(turn)) + (y - height / 2) * np.float32(np.cos(turn))
    edge = towards.max() * float(rng.uniform(0.45, 0.85))
    edge = edge + 0.03 * width * sample(fractal(2.0, 85), along / width * 0.5 + np.float32(rng.random()), 0 * along)
    alpha = np.clip(towards - edge + 0.5, 0, 1).astype(np.float32)
    ground = ((0.45, 0.58, 0.66), (0.60, 0.64, 0.62), (0.10, 0.30, 0.24), (0.08, 0.24, 0.45), (0.42, 0.56, 0.50))[
        int(rng.choice(5, p=[0.3, 0.25, 0.2, 0.15, 0.1]))
    ]
    folds = sample(fractal(2.0, 86), towards / width * 0.7 + np.float32(rng.random()), along / width * 0.5)
    cloth = np.array(ground, np.float32) * np.exp(float(rng.uniform(0.08, 0.3)) * folds)[..., None]
    if ground[2] > 0.45 and rng.random() < 0.75:
        step = float(rng.uniform(9, 22)) / stage.mm
        u, v = towards + 0.02 * width * folds, along + 0.02 * width * folds
        row = np.floor(v / step)
        du = np.abs(np.mod(u / step + 0.5 * row, 1.0) - 0.5)
        dv = np.abs(np.mod(v / step, 1.0) - 0.5)
        print_ = (np.hypot(du, dv) < 0.16) if rng.random() < 0.5 else ((du + dv < 0.2) & (du + dv > 0.1))
        ink = np.array(((0.05, 0.12, 0.35), (0.30, 0.05, 0.08), (0.05, 0.22, 0.18))[int(rng.integers(3))], np.float32)
        cloth += (0.85 * print_)[..., None] * (ink - cloth)
    hem = 1 - 0.3 * np.exp(-(((towards - edge) / (1.5 / stage.mm)) ** 2)) * (towards > edge)
    shadow = 0.4 * np.clip(1 - np.abs(towards - edge) * stage.mm / 5.0, 0, 1)
    over_it(stage, alpha, (cloth * (hem * lit_flat(stage))[..., None]).astype(np.float32), shadow.astype(np.float32))
