"""Wrinkles of age: lines of the face and neck, and crepey skin of hands, elbows and knees, as grooves with a little shade and blood.

The lines of a face are drawn on the body's texture atlas, so that they lie in the same place of every face, pose and view.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.landmarks import Landmarks
from pasi_vision.phantom.marks import Overlay
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part, Surface, at_size

Field = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Rng = np.random.Generator

#: The part of the texture atlas that shows a face: u (down) from, v (sideways) of the midline; one unit is about a metre of skin.
_TOP, _MIDLINE, _REACH = 0.745, 0.517, 0.115
_TEXEL = 0.0004
_SIZE = (550, int(2 * _REACH / _TEXEL))
_TEXEL_MM = 1000 * _TEXEL
_FACE = (Part.FACE, Part.EYELID, Part.BROW, Part.LIPS, Part.BEARD)
#: Widths (SD of the groove in mm) that lines come in.
_WIDTHS = (0.35, 0.7, 1.9)
#: How crepey parts become.
_CREPE = {
    Part.HAND_BACK: 2.0,
    Part.ELBOW: 2.4,
    Part.KNEE: 1.4,
    Part.NECK: 0.9,
    Part.FINGER: 0.9,
    Part.FOREARM: 0.9,
    Part.UPPER_ARM: 0.5,
    Part.EYELID: 1.0,
    Part.FACE: 0.5,
    Part.CHEST: 0.25,
}
_ARM = (Part.UPPER_ARM, Part.ELBOW, Part.FOREARM, Part.HAND_BACK, Part.FINGER)
TOO_FAR_MM = 1.2  # pixels larger than this show no wrinkles


@dataclass(frozen=True)
class _Line:
    """A groove on the atlas: aside of the midline (signed) and u of its ends, how far it bows, depth in mm and kind of width."""

    start: tuple[float, float]
    end: tuple[float, float]
    bow: float
    depth: float
    width: int


def add_wrinkles(rng: Rng, overlay: Overlay, surface: Surface, mm: float, age_years: float | None = None) -> None:
    """Grooves of an age (by default a chance one) on what is seen of a body, into `overlay` (at its own resolution)."""
    if surface.landmarks is None or mm > TOO_FAR_MM:
        return
    chance = float(np.clip(rng.normal(60.0, 14.0), 35.0, 92.0))
    age = chance if age_years is None else age_years
    strength = float(np.clip((age - 25.0) / 60.0, 0.1, 1.0) * rng.uniform(0.65, 1.05))
    size = overlay.relief_mm.shape[0], overlay.relief_mm.shape[1]
    depth = np.zeros(size, np.float32)
    shadow = np.zeros(size, np.float32)
    face = _soft_mask(surface, _FACE, size)
    lines = face_lines(rng, strength)
    if face is not None:
        for out, field in zip((depth, shadow), _on_face(rng, lines, surface, size), strict=True):
            out += face * field
    neck = _soft_mask(surface, (Part.NECK,), size)
    bands = _neck_bands(rng, strength)
    if neck is not None:
        relief, dark = _on_neck(bands, surface.landmarks, at_size(surface.place_mm, size))
        depth += neck * relief
        shadow += neck * dark
    crepe, phase = float(rng.uniform(0.05, 0.17)) * strength, rng.random(2)
    relief, dark = _crepe(surface, surface.landmarks, size, mm, phase)
    depth += crepe * relief
    shadow += crepe * 1.8 * dark
    _engrave(overlay, depth, np.clip(shadow, 0, 1), float(rng.uniform(0.2, 0.9)))


def _engrave(overlay: Overlay, relief: Field, shadow: Field, red: float) -> None:
    overlay.relief_mm += relief
    overlay.blood *= 1 + np.float32(red) * shadow
    overlay.melanin *= 1 + np.float32(0.25) * shadow
    overlay.ink.append(
        (np.float32(0.30) * shadow, (0.012, 0.006, 0.004))
    )  # light does not reach the bottom of a groove


def face_lines(rng: Rng, strength: float) -> list[_Line]:
    """The lines of one face: forehead, frown, crow's feet, under the eyes, nose to mouth, mouth to chin, lips, chin, cheeks."""
    lines: list[_Line] = []
    lines += _forehead(rng, strength)
    for side in (-1.0, 1.0):
        lines += _eye_lines(rng, strength, side) + _mouth_lines(rng, strength, side)
    lines += _lip_lines(rng, strength)
    if rng.random() < 0.6:
        u = float(rng.normal(0.9345, 0.001))
        lines.append(_Line((-0.012, u), (0.012, u), -0.004, 0.4 * strength, 2))
    return lines


def _jitter(rng: Rng, scale: float) -> float:
    return float(rng.normal(0.0, scale))


def _forehead(rng: Rng, strength: float) -> list[_Line]:
    lines = []
    count = int(np.clip(rng.poisson(1.5 + 2.5 * strength), 0, 6))
    much = float(rng.uniform(0.3, 1.2)) * strength
    arch = float(rng.normal(-0.004, 0.003))
    for u in np.linspace(0.777, 0.807, count + 2)[1:-1]:
        pieces = 1 if rng.random() < 0.45 else 2
        bow = (arch + _jitter(rng, 0.0008)) * (1.0 if pieces == 1 else 0.5)
        for piece in range(pieces):
            low, high = (-0.052, 0.052) if pieces == 1 else ((-0.054, -0.004), (0.004, 0.054))[piece]
            depth = 0.32 * much * float(rng.uniform(0.5, 1.2))
            start = low + _jitter(rng, 0.008), float(u) + _jitter(rng, 0.0008)
            end = high + _jitter(rng, 0.008), float(u) + _jitter(rng, 0.0008)
            lines.append(_Line(start, end, bow, depth, int(rng.choice([0, 1], p=[0.4, 0.6]))))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.25, 0.25, 0.35, 0.15]))):  # frown lines
        aside, depth = float(rng.choice([-1, 1]) * rng.uniform(0.004, 0.011)), 0.4 * strength * rng.uniform(0.4, 1.1)
        low = 0.832 + _jitter(rng, 0.002)
        lines.append(_Line((aside, low), (1.25 * aside, low - rng.uniform(0.012, 0.024)), 0.1 * aside, float(depth), 1))
    return lines


def _eye_lines(rng: Rng, strength: float, side: float) -> list[_Line]:
    lines = []
    count = int(np.clip(rng.poisson(1.5 + 3.5 * strength), 1, 7))
    for turn in np.linspace(-0.75, 0.85, count) + rng.normal(0, 0.08, count):  # crow's feet
        long, gap = float(rng.uniform(0.010, 0.024)), float(rng.uniform(0.002, 0.005))
        corner = np.array([0.0545, 0.8395])
        way = np.array([np.cos(turn), np.sin(turn)])
        a, b = corner + gap * way + rng.normal(0, 0.0006, 2), corner + (gap + long) * way
        depth = 0.30 * strength * float(rng.uniform(0.5, 1.2))
        bow = float(0.12 * long * np.sign(turn) * rng.uniform(0, 1.3))
        lines.append(_Line((side * a[0], a[1]), (side * b[0], b[1]), side * bow, depth, int(rng.random() < 0.35)))
    for k in range(int(rng.integers(1, 5))):  # below the lower lid
        u, depth = 0.8545 + 0.0028 * k, 0.16 * strength * float(rng.uniform(0.5, 1.3))
        start = side * (0.022 + rng.uniform(0, 0.008)), u + _jitter(rng, 0.0006)
        end = side * (0.050 + rng.uniform(-0.008, 0.006)), u - 0.004 + _jitter(rng, 0.001)
        lines.append(_Line(start, end, side * 0.0045, depth, 0))
    bag = 0.45 * max(strength - 0.35, 0.0) * float(rng.uniform(0, 1))
    lines.append(_Line((side * 0.018, 0.853), (side * 0.046, 0.867), side * 0.004, bag, 2))
    return lines


def _mouth_lines(rng: Rng, strength: float, side: float) -> list[_Line]:
    fold = 0.85 * strength * float(rng.uniform(0.5, 1.1))
    low = 0.916 + float(rng.uniform(-0.008, 0.006))
    start, end = (side * 0.0195, 0.8735), (side * (0.0375 + _jitter(rng, 0.0015)), low)
    lines = [_Line(start, end, -side * 0.0035, fold, 2), _Line(start, end, -side * 0.0033, 0.5 * fold, 1)]
    if strength > 0.5 and rng.random() < 0.6:  # mouth to chin
        deep = 0.5 * strength * float(rng.uniform(0.3, 1.0))
        lines.append(
            _Line((side * 0.0285, 0.9165), (side * (0.032 + _jitter(rng, 0.001)), 0.935), -side * 0.002, deep, 1)
        )
    for _ in range(int(rng.poisson(max(6.0 * (strength - 0.55), 0.0)))):  # cheeks
        u, v = float(rng.uniform(0.862, 0.915)), float(rng.uniform(0.046, 0.066))
        long = float(rng.uniform(0.010, 0.026))
        lines.append(_Line((side * v, u), (side * (v - 0.15 * long), u + long), side * 0.14 * long, 0.22 * strength, 0))
    return lines


def _lip_lines(rng: Rng, strength: float) -> list[_Line]:
    lines = []
    count = int(rng.poisson(max(12.0 * (strength - 0.4), 0.0)))
    for _ in range(count):
        turn, long = float(rng.uniform(-0.95, 0.95)), float(rng.uniform(0.004, 0.009))
        above = rng.random() < 0.7
        way = np.array([np.sin(turn), -np.cos(turn) if above else np.cos(turn)])
        start = np.array([0.0, 0.9105]) + way * (0.0255, 0.0150)
        end = np.array([0.0, 0.9105]) + way * (0.0255 + 0.5 * long, 0.0165 + long)
        depth = 0.22 * strength * float(rng.uniform(0.5, 1.2))
        lines.append(_Line((start[0], start[1]), (end[0], end[1]), _jitter(rng, 0.0005), depth, 0))
    return lines


def _face_map(rng: Rng, lines: list[_Line]) -> Field:
    """(rows, columns, 2) over the atlas: relief in mm and shadow, 0-1."""
    relief, shadow = np.zeros(_SIZE, np.float32), np.zeros(_SIZE, np.float32)
    for kind, width in enumerate(_WIDTHS):
        layer = np.zeros(_SIZE, np.uint8)
        for line in lines:
            if line.width == kind and line.depth > 0.01:
                _groove(rng, layer, line, width)
        sigma = width / _TEXEL_MM
        groove = cv2.GaussianBlur(layer, (0, 0), sigma).astype(np.float32) / np.float32(175)
        swell = cv2.GaussianBlur(groove, (0, 0), 3.0 * sigma)
        relief += 0.5 * swell - groove
        shadow += groove * np.float32((1.9, 1.2, 0.55)[kind])
    return np.dstack([relief, np.clip(shadow, 0, 1)])


def _groove(rng: Rng, layer: NDArray[np.uint8], line: _Line, width_mm: float) -> None:
    """A wavy line that fades at both ends and changes depth on its way."""
    a, b = np.array(line.start), np.array(line.end)
    long = float(np.linalg.norm(b - a))
    count = int(np.clip(long / 0.0012, 8, 48))
    share = np.linspace(0, 1, count)
    square = np.array([-(b - a)[1], (b - a)[0]]) / max(long, 1e-6)
    knots = rng.normal(0, 1, (2, max(4, count // 5)))
    wave, uneven = (np.interp(share, np.linspace(0, 1, len(row)), row) for row in knots)
    aside = 4 * line.bow * share * (1 - share) + 0.014 * long * cv2.GaussianBlur(wave[None], (0, 0), 1.5)[0]
    points = a + share[:, None] * (b - a) + aside[:, None] * square
    pixels = (points - (-_REACH, _TOP)) / _TEXEL
    taper = np.sin(np.pi * np.clip(share, 0.03, 0.97)) ** 0.7 * np.clip(1 + 0.35 * uneven, 0.15, 1.6)
    level = np.clip(255 * line.depth * taper, 0, 255).astype(int)
    thick = max(1, round(2 * width_mm / _TEXEL_MM))
    places = np.round(pixels * 16).astype(int)
    for k in range(count - 1):
        start, end = (int(places[k, 0]), int(places[k, 1])), (int(places[k + 1, 0]), int(places[k + 1, 1]))
        cv2.line(layer, start, end, int(level[k]), thick, cv2.LINE_AA, 4)


def _on_face(rng: Rng, lines: list[_Line], surface: Surface, size: tuple[int, int]) -> tuple[Field, Field]:
    uv = at_size(surface.uv, size)
    columns, rows = (uv[..., 1] - (_MIDLINE - _REACH)) / _TEXEL, (uv[..., 0] - _TOP) / _TEXEL
    found = cv2.remap(
        _face_map(rng, lines), columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR
    )  # nothing outside of the map
    return np.asarray(found[..., 0], np.float32), np.asarray(found[..., 1], np.float32)


def _neck_bands(rng: Rng, strength: float) -> list[tuple[float, float, float, float]]:
    """Height over the root of the neck (mm), depth, width and phase of the lines round a neck."""
    count = int(np.clip(rng.poisson(1.0 + 2.5 * strength), 1, 5))
    heights = np.linspace(-28, 48, count + 2)[1:-1] + rng.normal(0, 5, count)
    return [
        (
            float(h),
            0.6 * strength * float(rng.uniform(0.3, 1.1)),
            float(rng.uniform(0.9, 1.8)),
            float(rng.uniform(0, 1)),
        )
        for h in heights
    ]


def _on_neck(bands: list[tuple[float, float, float, float]], marks: Landmarks, place: Field) -> tuple[Field, Field]:
    """Lines that run round the neck, lower in front, and fade towards the nape."""
    x, y, z = (place[..., k] - np.float32(marks.neck[k]) for k in range(3))
    relief, shadow = np.zeros_like(x), np.zeros_like(x)
    front = 1 / (1 + np.exp((y + 25.0) / 12.0))
    for height, depth, width, phase in bands:
        wave = 2.5 * sample(fractal(2.0, 96), x / 320 + np.float32(phase), y / 320 + np.float32(phase))
        away = z - np.float32(height) - 0.22 * y + wave
        uneven = np.clip(0.7 + 0.5 * sample(fractal(1.8, 97), x / 500 + np.float32(phase), y / 900), 0.2, 1.3)
        groove = depth * front * uneven * np.exp(-0.5 * (away / width) ** 2)
        swell = depth * front * uneven * np.exp(-0.5 * (away / (3.5 * width)) ** 2)
        relief += 0.3 * swell - groove
        shadow += groove * 0.45
    return relief.astype(np.float32), shadow.astype(np.float32)


def _crepe(surface: Surface, marks: Landmarks, size: tuple[int, int], mm: float, phase: Numbers) -> tuple[Field, Field]:
    """A net of fine folds across limb and neck, about -1 ... 0.3, and its grooves, where skin grows thin with age."""
    table = np.zeros(max(Part) + 1, np.float32)
    for part, share in _CREPE.items():
        table[int(part)] = share
    weight = cv2.GaussianBlur(table[surface.part], (0, 0), max(1.0, 3.0 / max(2 * mm, 0.1)))
    if mm > 1.3 or not weight.any():
        return np.zeros(size, np.float32), np.zeros(size, np.float32)
    place = surface.place_mm.copy()
    place[..., 0] = np.abs(place[..., 0])
    arm = np.isin(surface.part, [int(part) for part in _ARM])
    across = np.cross(marks.arm, [0.0, 0.0, 1.0])
    along = np.where(arm, place @ marks.arm.astype(np.float32), place[..., 2])
    aside = np.where(arm, place @ across.astype(np.float32), surface.place_mm[..., 0] + 0.5 * place[..., 1])
    s, t, much = (at_size(np.asarray(v, np.float32), size) for v in (along, aside, weight))
    net = sample(_folds(), s / 46 + np.float32(phase[0]), t / 100 + np.float32(phase[1]))
    patchy = np.clip(0.7 + 0.5 * sample(fractal(2.0, 98), s / 150, t / 150), 0.1, 1.5)
    much = np.asarray(much * patchy * np.clip((1.3 - mm) / 0.5, 0, 1), np.float32)
    return much * (0.35 - net), much * net


@lru_cache(maxsize=1)
def _folds() -> Field:
    """Tileable thin lines, 0-1: where smooth noise changes its sign."""
    return np.asarray(np.exp(-((fractal(1.9, 99, 512, 5.0) / 0.28) ** 2)), np.float32)


def _soft_mask(surface: Surface, parts: tuple[Part, ...], size: tuple[int, int]) -> Field | None:
    """0-1 at this resolution, one pixel inside these parts; None where they are not seen."""
    mask = np.isin(surface.part, [int(part) for part in parts]).astype(np.uint8)
    if not mask.any():
        return None
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)).astype(np.float32)
    return at_size(cv2.GaussianBlur(inside, (0, 0), 1.0).astype(np.float32), size)
