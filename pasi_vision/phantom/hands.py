"""Hands and feet of close-ups: rounded parts joined, with their creases, nails, red tips and dusky knuckles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.geometry import Canvas, Shell, blank, cone, dome, smooth_max, turned
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator
UPPER, LOWER = 2, 4

#: Root x, y and length, radii (mm) of thumb, index, middle, ring, little finger of a hand pointing up, the thumb to the right.
_FINGERS = (
    (34, 24, 66, 14.0, 9.4),
    (29, -44, 68, 10.6, 8.0),
    (9, -50, 76, 10.8, 8.2),
    (-12, -47, 70, 10.3, 7.8),
    (-31, -36, 54, 9.2, 7.0),
)
_FINGER_ANGLES = (0.72, 0.13, 0.02, -0.10, -0.24)
_TOES = (
    (27, -92, 34, 15.5, 13.0),
    (5, -98, 24, 9.8, 8.6),
    (-10, -92, 22, 9.0, 8.0),
    (-23, -83, 20, 8.4, 7.6),
    (-35, -71, 18, 8.2, 7.4),
)


def palm(canvas: Canvas, rng: Rng) -> Shell:
    """One or two palms."""
    return _several(canvas, rng, "palm")


def hand_back(canvas: Canvas, rng: Rng) -> Shell:
    """One or two backs of hands with nails."""
    return _several(canvas, rng, "back")


def sole(canvas: Canvas, rng: Rng) -> Shell:
    """One or two soles."""
    return _several(canvas, rng, "sole")


def foot_back(canvas: Canvas, rng: Rng) -> Shell:
    """One or two feet from above."""
    return _several(canvas, rng, "dorsum")


def _several(canvas: Canvas, rng: Rng, kind: str) -> Shell:
    shell = blank(canvas, Part.PALM, UPPER if kind in ("palm", "back") else LOWER)
    shell.inside_mm[:] = -1e3
    width, height = canvas.size_mm
    two = rng.random() < 0.55
    turn = float(rng.choice([0.0, np.pi / 2, -np.pi / 2, np.pi], p=[0.4, 0.25, 0.2, 0.15])) + float(rng.normal(0, 0.2))
    length = 190.0 if kind in ("palm", "back") else 215.0
    along = abs(width * np.sin(turn)) + abs(height * np.cos(turn))
    across = abs(width * np.cos(turn)) + abs(height * np.sin(turn))
    if two:
        size = min(along * float(rng.uniform(0.75, 1.25)) / length, across * float(rng.uniform(0.8, 1.15)) / 205.0)
    else:
        size = (
            min(along, 1.5 * across)
            * float(rng.choice([rng.uniform(0.8, 1.1), rng.uniform(1.1, 2.3)], p=[0.55, 0.45]))
            / length
        )
    first = bool(rng.random() < 0.5)
    for index in range(2 if two else 1):
        flip = first ^ bool(index)
        shift = (0.26 * across * (1 if index else -1) if two else float(rng.normal(0, 0.06)) * across) + float(
            rng.normal(0, 0.02)
        ) * across
        rise = float(rng.normal(0.02, 0.06 if size * length < 1.1 * along else 0.22)) * along
        x, y = canvas.grid()
        u, v = turned(
            x,
            y,
            turn + float(rng.normal(0, 0.08)),
            (shift * np.cos(turn) - rise * np.sin(turn), shift * np.sin(turn) + rise * np.cos(turn)),
        )
        frame = (
            ((-u if flip else u) / np.float32(size)).astype(np.float32),
            (v / np.float32(size)).astype(np.float32),
            float(size),
            index,
        )
        (draw_hand if kind in ("palm", "back") else _foot)(shell, rng, frame, palmar=kind in ("palm", "sole"))
    shell.axis = turn + np.pi / 2
    return shell


Frame = tuple[Field, Field, float, int]


def _place(shell: Shell, frame: Frame, inside: Field, height: Field, part: Part) -> NDArray[np.bool_]:
    """Put a finished piece (in its own mm) over what the shell already holds."""
    u, v, size, index = frame
    covered = np.where(inside > 0, height, 0.0).astype(np.float32)
    height = np.asarray(cv2.GaussianBlur(covered, (0, 0), max(1.0, 1.6 * size / shell.pixel_mm)), np.float32)
    here = inside * np.float32(size) > shell.inside_mm
    shell.elevation_mm = np.where(here, height * np.float32(size), shell.elevation_mm).astype(np.float32)
    shell.inside_mm = np.where(here, inside * np.float32(size), shell.inside_mm).astype(np.float32)
    shell.chart_mm = np.where(here[..., None], np.stack([u, v], -1) * np.float32(size), shell.chart_mm).astype(
        np.float32
    )
    shell.part = np.where(here, int(part), shell.part).astype(np.uint8)
    shell.limb = np.where(here, index, shell.limb).astype(np.uint8)
    return np.asarray(here & (inside > 0))


def draw_hand(shell: Shell, rng: Rng, frame: Frame, *, palmar: bool) -> None:
    """Add one hand to a shell: `frame` holds its own coordinates (u, v) in mm, fingers towards -v, its size and its number."""
    u, v, size, _ = frame
    fat = float(rng.uniform(0.92, 1.12))
    splay = float(rng.uniform(0.4, 1.6))
    wrist, _, _ = cone(u, v, (0, 170), (1, 62), (27 * fat, 27 * fat))
    heel, _, _ = cone(u, v, (-17, 42), (-20, -24), (22 * fat, 23 * fat))
    thenar, _, _ = cone(u, v, (16, 42), (18, -26), (23 * fat, 23 * fat))
    middle, _, _ = cone(u, v, (0, 45), (0, -20), (30 * fat, 34 * fat))
    web, _, _ = cone(u, v, (-28, -27), (26, -34), (15 * fat, 17 * fat))
    base = smooth_max(smooth_max(smooth_max(wrist, heel, 12), thenar, 12), smooth_max(middle, web, 8), 10)
    surface = base
    bulge = 5.0 * np.exp(-((u / 30) ** 2) - (v / 60) ** 2) * np.clip(base / 15, 0, 1)
    height = np.asarray(dome(base, 19.0) + bulge, np.float32)
    if palmar:
        height += (
            4.0 * np.exp(-(((u - 22) ** 2 + (v - 22) ** 2) / 420))
            + 3.0 * np.exp(-(((u + 22) ** 2 + (v - 22) ** 2) / 500))
            - 3 * np.exp(-((u**2 + v**2) / 300))
        )
    else:
        for rx, ry, *_ in _FINGERS[1:]:
            height += 3.0 * np.exp(-(((u - rx) / 7) ** 2 + ((v - ry - 8) / 8) ** 2)) * np.clip(base / 6, 0, 1)
    fingers = []
    for (rx, ry, usual, thick, thin), lean in zip(_FINGERS, _FINGER_ANGLES, strict=True):
        angle = lean * splay + float(rng.normal(0, 0.05))
        length = usual * float(rng.uniform(0.92, 1.08))
        tip = rx + length * np.sin(angle), ry - length * np.cos(angle)
        near, along, radius = cone(u, v, (rx, ry), tip, (thick * fat, thin * fat))
        fingers.append((near, along, (rx, ry), tip, angle, length, thin * fat))
        swell = near + 0.5 * np.exp(-(((along - 0.5) / 0.08) ** 2)) - 0.3 * np.exp(-(((along - 0.25) / 0.12) ** 2))
        height = smooth_max(np.where(swell > 0, dome(swell, radius * 0.95) + 3.0, -5.0).astype(np.float32), height, 4.0)
        surface = smooth_max(surface, swell, 3.0)
    here = _place(
        shell, frame, surface.astype(np.float32), height.astype(np.float32), Part.PALM if palmar else Part.HAND_BACK
    )
    tone, lines_mm, flush = _hand_creases(u, v, fingers, rng, palmar)
    shell.relief_mm = np.where(here, lines_mm * np.float32(min(size, 1.5)), shell.relief_mm).astype(np.float32)
    _tint(shell, rng, here, tone, flush, palmar)
    for near, along, _, tip, angle, _, thin in fingers:
        on = here & (near > -1) & (along > 0.08)
        shell.part[on] = Part.PALM if palmar else Part.FINGER
        if not palmar:
            _nail(shell, rng, (u, v), (tip, angle, thin), here, Part.FINGERNAIL)


def _tint(shell: Shell, rng: Rng, here: NDArray[np.bool_], tone: Field, flush: Field, palmar: bool) -> None:
    """Palms and soles carry little melanin and much blood; knuckles more of both."""
    pale = float(rng.uniform(0.18, 0.45)) if palmar else 1.0
    shell.melanin = np.where(here, pale * (1 + 0.8 * tone), shell.melanin).astype(np.float32)
    red = 1.0 + float(rng.exponential(0.8)) if palmar else 1.0
    shell.blood = np.where(here, red * (1 + float(rng.uniform(0.2, 1.1)) * flush), shell.blood).astype(np.float32)
    shell.gloss = np.where(here, 0.8 if palmar else 1.1, shell.gloss).astype(np.float32)


def _hand_creases(u: Field, v: Field, fingers: list, rng: Rng, palmar: bool) -> tuple[Field, Field, Field]:  # type: ignore[type-arg]
    """Added melanin, relief and flush of a hand in its own frame."""
    wave = 1.5 * sample(fractal(1.6, 6, low=2.0), u / 130 + float(rng.random()), v / 130)
    relief, tone, flush = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    for near, along, _, _, _, length, thin in fingers:
        inside = np.clip(near / 2 + 0.6, 0, 1)
        for spot in (0.02, 0.36, 0.68) if palmar else (0.0, 0.38, 0.70):
            distance = (along - spot) * length + 0.7 * wave
            if palmar:
                relief -= inside * (
                    1.1 * np.exp(-((distance / 0.7) ** 2)) + 0.6 * np.exp(-(((distance - 2.6) / 0.6) ** 2))
                )
                tone += inside * 0.25 * np.exp(-((distance / 1.6) ** 2))
            else:
                near_joint = inside * np.exp(-((distance / (0.55 * thin + 2)) ** 2))
                relief -= near_joint * 0.45 * np.maximum(np.sin(distance * 2.1 + wave), 0) ** 2
                tone += 0.5 * near_joint
                flush += 0.7 * near_joint
        flush += inside * (0.9 if palmar else 0.5) * np.clip((along - 0.75) / 0.25, 0, 1)
    if palmar:
        for start, middle, end in (
            ((34, -10), (10, 0), (4, 58)),
            ((36, -18), (0, -4), (-34, 12)),
            ((-38, -20), (-8, -26), (16, -44)),
        ):
            distance = _curve(u, v, start, middle, end) + 0.4 * np.abs(wave)
            relief -= 1.2 * np.exp(-((distance / 0.8) ** 2))
            tone += 0.25 * np.exp(-((distance / 1.6) ** 2))
        flush += 0.5 * np.exp(-(((u - 25) ** 2 + (v - 20) ** 2) / 500)) + 0.6 * np.exp(
            -(((u + 28) ** 2 + (v - 15) ** 2) / 500)
        )
        relief -= 0.35 * np.maximum(sample(fractal(1.0, 21), u / 90, v / 90) - 1.0, 0)
    return tone.astype(np.float32), relief.astype(np.float32), flush.astype(np.float32)


def _curve(
    u: Field, v: Field, start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float]
) -> Field:
    """Distance in mm to a bent line through three points."""
    t = np.linspace(0, 1, 9)[:, None]
    a, b, c = np.array(start), 2 * np.array(middle) - 0.5 * (np.array(start) + np.array(end)), np.array(end)
    points = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
    gaps = [-cone(u, v, points[i], points[i + 1], (0.0, 0.0))[0] for i in range(len(points) - 1)]
    return np.asarray(np.minimum.reduce(gaps), np.float32)


def _nail(
    shell: Shell,
    rng: Rng,
    grid: tuple[Field, Field],
    tip: tuple[tuple[float, float], float, float],
    here: NDArray[np.bool_],
    part: Part,
) -> None:
    (tx, ty), angle, thin = tip
    along, across = turned(grid[0], grid[1], angle - np.pi / 2, (tx, ty))
    long, wide = thin * float(rng.uniform(0.75, 1.0)), thin * float(rng.uniform(0.62, 0.78))
    d = (np.abs((along - 0.12 * thin) / long) ** 2.6 + np.abs(across / wide) ** 2.6) ** (1 / 2.6)
    alpha = np.clip((1.0 - d) * 4, 0, 1) * here
    shell.relief_mm += ((0.5 * np.exp(-(((d - 1.0) / 0.1) ** 2)) * -1.2) * here).astype(np.float32)
    shell.blood = (shell.blood * (1 + 0.5 * np.exp(-(((d - 1.12) / 0.12) ** 2)) * here)).astype(np.float32)
    sick = rng.random() < 0.3
    colour = (0.62, 0.48, 0.30) if sick else (0.62, 0.43, 0.38)
    moon = np.clip((-(along - 0.12 * thin) / long - 0.62) * 6, 0, 1) * alpha
    free = np.clip(((along - 0.12 * thin) / long - 0.72) * 8, 0, 1) * alpha
    shell.paint.append(((0.85 * alpha).astype(np.float32), colour))
    shell.paint.append(((0.5 * np.maximum(moon, free)).astype(np.float32), (0.75, 0.68, 0.58)))
    shell.gloss = np.where(alpha > 0.3, 3.0, shell.gloss).astype(np.float32)
    shell.part[alpha > 0.3] = part


def _foot(shell: Shell, rng: Rng, frame: Frame, *, palmar: bool) -> None:
    u, v, size, _ = frame
    fat = float(rng.uniform(0.92, 1.1))
    heel, _, _ = cone(u, v, (0, 82), (0, 60), (30 * fat, 30 * fat))
    outer, _, _ = cone(u, v, (-10, 70), (-16, -40), (22 * fat, 23 * fat))
    inner, _, _ = cone(u, v, (6, 60), (12, -45), (18 * fat, 29 * fat))
    ball, _, _ = cone(u, v, (14, -56), (-18, -44), (30 * fat, 24 * fat))
    middle, _, _ = cone(u, v, (-2, 60), (0, -45), (27 * fat, 36 * fat))
    base = smooth_max(smooth_max(smooth_max(heel, outer, 10), smooth_max(inner, ball, 10), 10), middle, 10)
    if not palmar:
        ankle, _, _ = cone(u, v, (0, 140), (0, 70), (36 * fat, 33 * fat))
        base = smooth_max(base, ankle, 12)
    height = dome(base, 24.0) - (4.0 * np.exp(-(((u - 14) / 16) ** 2) - ((v - 10) / 34) ** 2) if palmar else 0.0)
    if not palmar:
        height = height + np.clip((v + 60) * 0.12, 0, 14) * np.clip(base / 12, 0, 1)
    surface = base
    toes = []
    for rx, ry, length, thick, thin in _TOES:
        lean = 0.10 - 0.006 * rx + float(rng.normal(0, 0.06))
        tip = rx - length * np.sin(lean), ry - length * np.cos(lean) * float(rng.uniform(0.8, 1.1))
        near, along, radius = cone(u, v, (rx, ry + 18), tip, (0.85 * thick, thin))
        height = smooth_max(np.where(near > 0, dome(near, radius) + 3, -5.0).astype(np.float32), height, 4.0)
        surface = smooth_max(surface, near, 2.0)
        toes.append((near, along, tip, lean, thin))
    here = _place(
        shell, frame, surface.astype(np.float32), height.astype(np.float32), Part.SOLE if palmar else Part.FOOT_BACK
    )
    wave = sample(fractal(1.4, 6, low=2.0), u / 150 + float(rng.random()), v / 150)
    relief = (
        -0.4
        * np.maximum(np.sin(v / 5.5 + 2.5 * wave) - 0.75, 0)
        * np.exp(-(((u - 12) / 22) ** 2) - ((v - 5) / 45) ** 2)
        * 4
        if palmar
        else 0 * u
    )
    flush = 0.8 * np.exp(-(((v - 75) / 22) ** 2)) + 0.7 * np.exp(-(((v + 50) / 20) ** 2)) if palmar else 0.2 + 0 * u
    for near, along, *_ in toes:
        inside = np.clip(near / 2 + 0.5, 0, 1)
        flush = flush + 0.6 * inside * np.clip(along, 0, 1)
        relief = relief - 0.8 * inside * np.exp(-(((along - 0.35) * 30 / 1.2) ** 2))
    _tint(shell, rng, here, (0.2 + 0 * u).astype(np.float32), flush.astype(np.float32), palmar)
    shell.relief_mm = np.where(here, relief * min(size, 1.5), shell.relief_mm).astype(np.float32)
    for near, along, tip, lean, thin in toes:
        shell.part[here & (near > 0) & (along > 0.2)] = Part.SOLE if palmar else Part.TOE
        if not palmar:
            _nail(shell, rng, (u, v), (tip, -lean, thin * 0.95), here, Part.TOENAIL)
