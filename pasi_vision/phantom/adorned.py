"""Glasses, earrings and necklaces: things that hang on head and neck, placed in the rest pose and drawn as the camera sees them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.landmarks import Head, Landmarks, head_in
from pasi_vision.phantom.light import falloff_map
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.stage import Stage, lay, positions
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.worn import GOLD, ROSE, SILVER

Field = NDArray[np.float32]
Points = NDArray[np.floating[Any]]
Rng = np.random.Generator

_HEAD = tuple(int(p) for p in (Part.FACE, Part.LIPS, Part.EYELID, Part.EAR, Part.BROW, Part.BEARD))
_COLLAR = tuple(int(p) for p in (Part.NECK, Part.CHEST, Part.BACK))
_PLASTIC = ((0.012, 0.011, 0.011), (0.07, 0.028, 0.012), (0.02, 0.03, 0.09), (0.16, 0.02, 0.025), (0.22, 0.21, 0.20))
_HIDDEN_MM = 3.0  # how far something may lie below what the camera sees and still be seen


def _head(stage: Stage) -> tuple[Landmarks, Head] | None:
    """Landmarks and place of the head, where enough of it is seen."""
    marks, surface = stage.surface.landmarks, stage.surface
    if marks is None or int(np.isin(surface.part, _HEAD).sum()) < 150:
        return None
    head = head_in(surface, _HEAD, positions(surface))
    return None if head is None else (marks, head)


def _seen(
    stage: Stage, head: Head, rest_mm: Points, within_mm: float = _HIDDEN_MM
) -> tuple[Points, Points, NDArray[np.bool_]]:
    """Pixels of the picture (N, 2), px per mm there, and which places nothing of the body hides."""
    pixels, depth = head.seen(rest_mm)
    height, width = stage.surface.shape
    x, y = np.round(pixels).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    skin = stage.surface.depth_mm[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    open_ = ~inside | (skin == 0) | (depth < skin + np.float32(within_mm))
    enlarge = stage.size[1] / width
    return (pixels + 0.5) * enlarge - 0.5, head.focal_px * enlarge / depth, np.asarray(open_)


def _wire(
    stage: Stage, head: Head, curve: Points, width_mm: float, layer: NDArray[np.uint8], within_mm: float = _HIDDEN_MM
) -> None:
    """Draw a curve of the rest pose into `layer`, as thick as it looks and only where it is not hidden."""
    pixels, scale, open_ = _seen(stage, head, curve, within_mm)
    if np.abs(pixels).max() > 8000:
        return
    places = np.round(pixels * 16).astype(int)
    for k in range(len(curve) - 1):
        if open_[k] and open_[k + 1]:
            thick = width_mm * float(scale[k])
            ends = (int(places[k, 0]), int(places[k, 1])), (int(places[k + 1, 0]), int(places[k + 1, 1]))
            cv2.line(layer, *ends, int(255 * min(1.0, thick)), max(1, round(thick)), cv2.LINE_AA, 4)


def _lay_off(stage: Stage, alpha: Field, colour: Field, height_mm: Field, gloss: float) -> None:
    """Lay something that may reach beyond the body's outline."""
    bright = height_mm / max(float(height_mm.max()), 1e-3)  # the edges of a wire turn away
    lay(stage, alpha, (colour * (0.4 + 0.8 * bright[..., None] ** 1.5)).astype(np.float32), height_mm, gloss)
    stage.beyond = np.maximum(stage.beyond, alpha)


def _rounded(alpha: Field, mm: float, radius_mm: float) -> Field:
    """Height of something with a round cross-section."""
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(0.8, 0.4 * radius_mm / mm)) * radius_mm, np.float32)


def _cast(stage: Stage, alpha: Field, apart_mm: float, strength: float) -> None:
    """Its shadow on the skin behind it."""
    lx, ly, lz = stage.light.direction
    shift = np.clip(-np.array([lx, ly]) / max(-lz, 0.35) * apart_mm, -12.0, 12.0) / stage.mm
    moved = np.array([[1, 0, shift[0]], [0, 1, shift[1] + 0.8 / stage.mm]], np.float32)
    shadow = cv2.warpAffine(alpha, moved, stage.size[::-1])
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(1.0, 0.09 * apart_mm / stage.mm))
    stage.radiance = np.asarray(stage.radiance * (1 - np.float32(strength) * shadow)[..., None], np.float32)


def _polished(rng: Rng, stage: Stage, metal: tuple[float, float, float]) -> Field:
    """(H, W, 3) of metal that mirrors a room."""
    height, width = stage.size
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(stage.mm / 70)
    room = sample(fractal(2.0, 92), x + np.float32(rng.random()), y + np.float32(rng.random()))
    bright = 0.15 + 0.7 / (1 + np.exp(-2.2 * room))
    return np.asarray(np.array(metal, np.float32) * bright[..., None], np.float32)


def _metal(rng: Rng) -> tuple[float, float, float]:
    return (GOLD, SILVER, ROSE)[int(rng.choice(3, p=[0.55, 0.35, 0.1]))]


# Glasses


def add_glasses(rng: Rng, stage: Stage) -> None:
    """Glasses on the nose: lenses that tint and mirror a little, and a frame of metal, plastic or none, with its temples."""
    found = _head(stage)
    if found is None:
        return
    marks, head = found
    metal, dark = bool(rng.random() < 0.45), bool(rng.random() < 0.07)
    wide, high = float(rng.uniform(22.0, 26.5)), float(rng.uniform(14.0, 21.0))
    power = float(rng.choice([2.1, 2.8, 4.0], p=[0.3, 0.4, 0.3]))
    rim = float(rng.uniform(0.8, 1.4) if metal else rng.uniform(2.2, 4.2))
    open_below = bool(rng.random() < 0.15)
    low = float(rng.uniform(-3, 1)) if rng.random() < 0.8 else float(rng.uniform(-11, -6))  # worn low for reading
    lenses = [_lens(marks, side, (wide, high), power, low) for side in (0, 1)]
    for lens in lenses:
        _glass(rng, stage, head, lens, dark=dark)
    layer = np.zeros(stage.size, np.uint8)
    for lens in lenses:
        rimmed = lens[np.arange(-2, len(lens) // 2 + 3)] if open_below else np.concatenate([lens, lens[:1]])
        _wire(stage, head, rimmed, rim, layer)
    _wire(stage, head, _bridge(lenses, high), 1.1 * rim, layer)
    for side, lens in enumerate(lenses):
        before, behind = _temple(marks, lens, side)
        _wire(stage, head, before, rim if metal else 1.3 * rim, layer, 14.0)  # it bends round a broad head
        _wire(stage, head, behind, rim if metal else 1.3 * rim, layer, 0.5)
    alpha = layer.astype(np.float32) / np.float32(255)
    if not (alpha > 0.3).any():
        return
    _cast(stage, alpha, float(rng.uniform(9, 14)), float(rng.uniform(0.15, 0.4)))
    colour = _polished(rng, stage, _metal(rng)) if metal else _plastic(rng, stage)
    _lay_off(stage, alpha, colour, _rounded(alpha, stage.mm, rim / 2), 2.5 if metal else 1.6)


def _plastic(rng: Rng, stage: Stage) -> Field:
    """Black, tortoise-shell, blue, red or clear."""
    kind = int(rng.choice(5, p=[0.45, 0.28, 0.1, 0.07, 0.1]))
    height, width = stage.size
    colour = np.full((height, width, 3), _PLASTIC[kind], np.float32)
    if kind == 1:
        y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(stage.mm / 60)
        colour *= np.exp(0.9 * sample(fractal(1.6, 93), x + np.float32(rng.random()), y))[..., None]
    return colour


def _lens(marks: Landmarks, side: int, half: tuple[float, float], power: float, low: float) -> Points:
    """(48, 3) rest-pose outline of a lens, from its outer end over the top; `half` its half width and height in mm."""
    way = 1.0 if side == 0 else -1.0
    eye = marks.eyes[side]
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(turn), np.sin(turn)
    x = half[0] * np.sign(cos) * np.abs(cos) ** (2 / power)
    z = half[1] * np.sign(sin) * np.abs(sin) ** (2 / power)
    z = z * (1 - 0.08 * x / half[0] * np.sign(-z))  # a little lower at the outer end
    aside = max(1.02 * abs(float(eye[0])), half[0] + 8.0) + x
    y = eye[1] - 28.0 + 0.5 * min(low, 0.0) + 7.0 * (aside / 62.0) ** 2 - 0.13 * (z + 0.6 * low)
    return np.stack([way * aside, y, eye[2] - 1.0 + low + z], -1)


def _bridge(lenses: list[Points], high: float) -> Points:
    """Over the nose, between the inner ends of the lenses."""
    share = np.linspace(0, 1, 13)[:, None]
    ends = [lens[20] for lens in lenses]
    curve = ends[0] + share * (ends[1] - ends[0])
    curve[:, 2] += 0.18 * high * np.sin(np.pi * share[:, 0])
    curve[:, 1] -= 2.5 * np.sin(np.pi * share[:, 0])
    return np.asarray(curve)


def _temple(marks: Landmarks, lens: Points, side: int) -> tuple[Points, Points]:
    """From the outer end of the lens to the ear, and on and down behind it."""
    way = 1.0 if side == 0 else -1.0
    start, ear = lens[3], marks.ears[side]
    hinge = start + np.array([way * 3.5, 2.0, 0.0])
    near = ear + np.array([way * 1.0, -12.0, 2.0])
    over = ear + np.array([[way * 1.0, 0.0, 1.0], [0.0, 9.0, -4.0], [-way * 2.0, 12.0, -22.0]])
    before = _polyline(np.stack([start, hinge, near]))
    return before, _polyline(np.concatenate([near[None], over]))


def _polyline(knots: Points) -> Points:
    """Places every 3 mm."""
    steps = [np.linspace(a, b, max(2, int(np.linalg.norm(b - a) / 3))) for a, b in pairwise(knots)]
    return np.concatenate(steps)


def _glass(rng: Rng, stage: Stage, head: Head, lens: Points, *, dark: bool) -> None:
    """The lens: skin shows through it, a little darker or tinted, with a mirrored window or flash on it."""
    pixels, scale, _ = _seen(stage, head, lens)
    height, width = stage.size
    if np.abs(pixels).max() > 8000 or pixels.max(axis=0).min() < 0 or (pixels.min(axis=0) > (width, height)).any():
        return
    layer = np.zeros(stage.size, np.uint8)
    cv2.fillPoly(layer, [np.round(pixels * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = layer.astype(np.float32) / np.float32(255) * _in_front(stage, head, lens)
    tint = np.array([0.94, 0.95, 0.95]) * (0.12 if dark else 1.0)
    if rng.random() < 0.2:
        tint = tint * rng.uniform(0.72, 1.0, 3)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre, size = pixels.mean(axis=0), 25.0 * float(scale.mean())
    turn = float(rng.normal(0.9, 0.35))
    across = ((x - centre[0]) * np.cos(turn) + (y - centre[1]) * np.sin(turn)) / size
    edge, soft = float(rng.uniform(-0.9, 0.4)), float(rng.uniform(0.03, 0.25))
    window = 1 / (1 + np.exp(np.clip((across - edge) / soft, -30, 30)))
    mirror = float(rng.uniform(0.003, 0.02)) + float(rng.choice([0.01, 0.035, 0.12], p=[0.5, 0.35, 0.15])) * window
    spot = centre + rng.normal(0, 0.35, 2) * size
    flash = np.exp(-((np.hypot(x - spot[0], y - spot[1]) / (0.05 * size)) ** 2)) * (rng.random() < 0.4)
    through = stage.radiance * tint.astype(np.float32)
    light = np.array([0.9, 0.97, 1.0]) * (mirror * falloff_map(stage.light, stage.size) + 0.8 * flash)[..., None]
    stage.radiance = np.asarray(stage.radiance + alpha[..., None] * (through + light - stage.radiance), np.float32)
    if dark:
        stage.cover = np.maximum(stage.cover, alpha)
        stage.beyond = np.maximum(stage.beyond, alpha)


def _in_front(stage: Stage, head: Head, lens: Points) -> Field:
    """1 where the plane of the lens lies before what the camera sees of the body."""
    local = lens @ head.turn.T + head.shift
    centre = local.mean(axis=0)
    normal = np.linalg.svd(local - centre)[2][2]
    height, width = stage.surface.shape
    x = (np.arange(width) - head.middle[0])[None, :] / head.focal_px
    y = (np.arange(height) - head.middle[1])[:, None] / head.focal_px
    slope = x * normal[0] + y * normal[1] + normal[2]
    depth = float(centre @ normal) / np.where(np.abs(slope) < 1e-3, 1e-3, slope)
    skin = stage.surface.depth_mm
    return stage.enlarged(((skin == 0) | (depth < skin + _HIDDEN_MM)).astype(np.float32))


# Earrings


def add_earrings(rng: Rng, stage: Stage) -> None:
    """Studs, stones, hoops or drops at the lobes."""
    found = _head(stage)
    if found is None or not (stage.surface.part == int(Part.EAR)).any():
        return
    marks, head = found
    metal, kind = (
        _metal(rng),
        str(rng.choice(["stud", "pearl", "stone", "hoop", "drop"], p=[0.3, 0.12, 0.13, 0.3, 0.15])),
    )
    radius = float(rng.uniform(1.4, 3.0) if kind in ("stud", "stone") else rng.uniform(2.0, 4.5))
    ring, wire = float(rng.uniform(5, 22)), float(rng.uniform(1.2, 3.0))
    gem = ((0.75, 0.77, 0.8), (0.02, 0.03, 0.25), (0.3, 0.01, 0.03), (0.02, 0.2, 0.08))[int(rng.integers(4))]
    for side, way in ((0, 1.0), (1, -1.0)):
        lobe = marks.lobes[side] + (way * 0.8, -1.0, 1.5)
        if kind == "hoop":
            turn = np.linspace(-0.15, 2 * np.pi - 0.15, 60)
            swing = 0.8 + float(
                rng.normal(0, 0.3)
            )  # a hoop goes through the lobe from the side of the face to behind it
            wheel = np.stack([way * np.cos(swing) * np.sin(turn), -np.sin(swing) * np.sin(turn), np.cos(turn) - 1], -1)
            hoop = wheel * ring + lobe - (way * 2.0, 0.0, 0.0)
            layer = np.zeros(stage.size, np.uint8)
            _wire(stage, head, hoop, wire, layer, 1.0)
            alpha = layer.astype(np.float32) / np.float32(255)
            _lay_off(stage, alpha, _polished(rng, stage, metal), _rounded(alpha, stage.mm, wire / 2), 3.0)
            continue
        colour = {"pearl": (0.72, 0.68, 0.62), "stone": gem}.get(kind, metal)
        if kind == "drop":
            long = float(ring + 4)
            layer = np.zeros(stage.size, np.uint8)
            _wire(stage, head, np.linspace(lobe, lobe - (0, 0, long), 10), 0.8, layer)
            alpha = layer.astype(np.float32) / np.float32(255)
            _lay_off(stage, alpha, _polished(rng, stage, metal), alpha * np.float32(0.4), 3.0)
            _ball(stage, head, lobe - (0, 0, long), radius, gem if rng.random() < 0.5 else metal)
        _ball(stage, head, lobe, 1.5 if kind == "drop" else radius, colour)


def _ball(stage: Stage, head: Head, place: Points, radius_mm: float, colour: tuple[float, float, float]) -> None:
    """A shining ball at a place of the rest pose."""
    pixels, scale, open_ = _seen(stage, head, place[None])
    if open_[0]:
        _ball_at(stage, pixels[0], radius_mm * float(scale[0]), colour)


def _ball_at(stage: Stage, pixel: Points, radius_px: float, colour: tuple[float, float, float]) -> None:
    height, width = stage.size
    if not (-radius_px < pixel[0] < width + radius_px and -radius_px < pixel[1] < height + radius_px):
        return
    y, x = np.mgrid[:height, :width].astype(np.float32)
    nx, ny = (x - pixel[0]) / radius_px, (y - pixel[1]) / radius_px
    far = np.hypot(nx, ny)
    alpha = np.clip((1 - far) * radius_px + 0.5, 0, 1).astype(np.float32)
    nz = -np.sqrt(np.maximum(1 - far**2, 0))
    lx, ly, lz = stage.light.direction
    facing = nx * lx + ny * ly + nz * lz
    ambient = stage.light.ambient
    lit = ambient * 0.6 + (1 - ambient) * np.maximum(facing, 0) + 0.25 * np.exp(-(((ny - 0.45) / 0.2) ** 2))
    spark = 1.2 * np.maximum(facing, 0) ** 60
    shown = np.array(colour, np.float32) * (0.2 + 0.9 * lit)[..., None] + spark[..., None]
    shown = shown * falloff_map(stage.light, stage.size)[..., None]
    around = cv2.GaussianBlur(alpha, (0, 0), max(0.8, 0.4 * radius_px))
    below = stage.radiance * (1 - np.float32(0.4) * around)[..., None]
    stage.radiance = np.asarray(below + alpha[..., None] * (shown - below), np.float32)
    stage.cover, stage.beyond = np.maximum(stage.cover, alpha), np.maximum(stage.beyond, alpha)


# Necklaces


def add_necklace(rng: Rng, stage: Stage) -> None:
    """A chain, cord or string of beads round the neck, now and then with a pendant."""
    marks, surface = stage.surface.landmarks, stage.surface
    if marks is None:
        return
    where = np.isin(surface.part, _COLLAR) & (surface.region > 0)
    if not (where & (surface.part == int(Part.NECK))).any() and int(where.sum()) < 400:
        return
    place = stage.enlarged(surface.place_mm) - marks.neck.astype(np.float32)
    x, y, z = place[..., 0], place[..., 1], place[..., 2]
    slope, drop = float(rng.uniform(0.55, 0.95)), float(rng.uniform(0, 45))
    front = 1 / (1 + np.exp(np.clip((y + 45.0) / 10.0, -30, 30)))
    plane = 8.0 + slope * (y - 30.0) - drop * front * np.exp(-np.abs(x) / 45.0)
    off = np.asarray(z - plane, np.float32)
    down, right = (np.asarray(v, np.float32) for v in np.gradient(off))
    steep = np.hypot(down, right)
    inside = stage.enlarged(cv2.erode(where.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32))
    good = (steep < 5 * stage.mm) & (steep > 0.15 * stage.mm) & (np.abs(off) < 25)
    away = np.where(good, off / np.maximum(steep, 1e-6) * stage.mm, np.float32(100)).astype(np.float32)
    along = np.asarray(np.arctan2(x, -(y + 15.0)) * 62.0, np.float32)
    pendant = _string(rng, stage, away, along, inside)
    if pendant is not None and (hung := _lowest(off, x, y, inside, good)) is not None:
        way = -np.array([right[hung], down[hung]]) / max(float(steep[hung]), 1e-6)
        radius = float(rng.uniform(2.5, 7.0))
        _ball_at(stage, np.array([hung[1], hung[0]]) + way * (radius + 0.5) / stage.mm, radius / stage.mm, pendant)


def _string(rng: Rng, stage: Stage, away: Field, along: Field, inside: Field) -> tuple[float, float, float] | None:
    """Draw it where `away` (mm across) is small; gives the colour of a pendant if one hangs on it."""
    kind = rng.random()
    if kind < 0.28:  # beads or pearls
        size = float(rng.uniform(4.0, 9.0))
        far = np.hypot(away, (np.mod(along / size, 1.0) - 0.5) * size) / (0.49 * size)
        alpha = np.clip((1 - far) * size / 2 / stage.mm + 0.5, 0, 1) * inside
        colour = (0.70, 0.66, 0.60) if rng.random() < 0.5 else tuple(rng.uniform(0.01, 0.4, 3))
        lay(stage, alpha.astype(np.float32), np.array(colour, np.float32), _dome(far, size / 2), 2.5)
        return None
    if kind < 0.4:  # cord
        wide = float(rng.uniform(1.2, 2.6))
        alpha = np.clip((wide / 2 - np.abs(away)) / stage.mm + 0.5, 0, 1) * inside
        lay(
            stage,
            alpha.astype(np.float32),
            np.array((0.02, 0.016, 0.013), np.float32),
            _dome(2 * away / wide, 0.8),
            0.5,
        )
        return _metal(rng)
    wide, metal = float(np.exp(rng.uniform(np.log(0.9), np.log(4.0)))), _metal(rng)
    link = np.abs(np.mod(along / (1.6 * wide), 1.0) - 0.5) * 2  # 0 in the middle of a link, 1 where two meet
    narrow = wide * (1 - 0.35 * link**2)
    alpha = np.clip((narrow / 2 - np.abs(away)) / stage.mm + 0.5, 0, 1) * inside
    alpha *= np.clip(wide / stage.mm, 0, 1)
    glint = (0.55 + 0.6 * (1 - link) ** 2)[..., None]
    height = _dome(2 * away / wide, 0.4 * wide) * (1 - 0.6 * link)
    lay(stage, alpha.astype(np.float32), _polished(rng, stage, metal) * glint, height.astype(np.float32), 3.0)
    return metal if rng.random() < 0.5 else None


def _dome(far: Field, height_mm: float) -> Field:
    return np.asarray(np.sqrt(np.maximum(1 - far**2, 0)) * height_mm, np.float32)


def _lowest(off: Field, x: Field, y: Field, inside: Field, good: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The pixel where the string crosses the middle of the front, if it is seen."""
    far = np.abs(x) + np.abs(off) + 100.0 * ((inside < 0.9) | ~good | (y > -30))
    at = int(np.argmin(far))
    return None if far.ravel()[at] > 3.0 else (at // far.shape[1], at % far.shape[1])
