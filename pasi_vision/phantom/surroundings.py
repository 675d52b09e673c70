"""What is around the body in a close-up: background, its shadow, clothing over an edge, and marks on the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import backdrop as behind
from pasi_vision.phantom.light import Light, falloff_map
from pasi_vision.phantom.preset import CloseUpPreset
from pasi_vision.phantom.setting import pick

Field = NDArray[np.float32]
Rng = np.random.Generator


#: Behind people who are not in a clinic.
OUTDOORS = {"clutter": 0.8, "grey": 0.08, "cream": 0.06, "pattern": 0.06}


def surrounded(
    rng: Rng, preset: CloseUpPreset, radiance: Field, alpha: Field, light: Light, *, outdoors: bool = False
) -> tuple[Field, Field]:
    """Put the body before its background and clothing over it."""
    size = alpha.shape
    fall = falloff_map(light, size) * light.behind
    if float(alpha.min()) < 1.0:
        kind = pick(rng, OUTDOORS if outdoors else preset.backdrops)
        scene = behind.backdrop(rng, size, kind) * (fall * behind.cast_shadow(alpha, rng))[..., None]
        radiance = scene + alpha[..., None] * (radiance - scene)
    if not outdoors and rng.random() < preset.garment:
        cover, cloth = behind.garment(rng, size)
        radiance = radiance + cover[..., None] * (cloth * falloff_map(light, size)[..., None] - radiance)
        alpha = alpha * (1 - cover)
    return radiance.astype(np.float32), alpha.astype(np.float32)


def add_watermark(rng: Rng, picture: NDArray[np.uint8]) -> None:
    """A semi-transparent text, an emblem with a text, or a date stamp: lower left, across the middle or in another corner."""
    kind = str(rng.choice(["text", "emblem", "date"], p=[0.42, 0.42, 0.16]))
    colour = np.full(3, 255.0)
    if kind == "date":
        layer = _date(rng, picture.shape[:2])
        colour = colour if rng.random() < 0.5 else np.array([255.0, 150.0, 30.0])
    else:
        mark = _lettering(rng) if kind == "text" else _emblem(rng)
        layer = _placed(rng, mark, picture.shape[:2])
        if rng.random() < 0.1:
            colour = rng.uniform(0, 255, 3)
    share = (layer.astype(np.float32) / 255 * float(rng.uniform(0.35, 1.0)))[..., None]
    picture[:] = np.clip(picture + share * (colour - picture), 0, 255).astype(np.uint8)


def _text(rng: Rng, least: int, most: int) -> str:
    return "".join(rng.choice(list("ABDEGHLMNRSTWZaehilnorstu. "), int(rng.integers(least, most))))


def _lettering(rng: Rng) -> NDArray[np.uint8]:
    """One or two lines of text, bold to thin, on a canvas 480 px wide."""
    lines = 1 + int(rng.random() < 0.45)
    canvas = np.zeros((60 * lines, 480), np.uint8)
    font, bold = int(rng.integers(0, 5)), int(rng.integers(2, 8))
    for line in range(lines):
        text = _text(rng, 6, 17)
        size = 1.5 if line == 0 else float(rng.uniform(0.7, 1.2))
        wide = max(1, cv2.getTextSize(text, font, size, 1)[0][0])
        cv2.putText(
            canvas,
            text,
            (4, 60 * line + 44),
            font,
            min(size, 1.5 * 430 / wide),
            255,
            max(1, bold - 2 * line),
            cv2.LINE_AA,
        )
    return canvas


def _emblem(rng: Rng) -> NDArray[np.uint8]:
    """A disc, ring or shield with a figure cut out, a text under or beside it, on a canvas 480 px wide."""
    canvas = np.zeros((480, 480), np.uint8)
    centre, radius = (240, 180), int(rng.integers(110, 175))
    if rng.random() < 0.75:
        cv2.circle(canvas, centre, radius, 255, -1 if rng.random() < 0.7 else int(rng.integers(6, 26)), cv2.LINE_AA)
    else:
        corners = np.array(centre) + rng.uniform(0.6, 1.0, (6, 1)) * radius * np.array(
            [[-1, -1], [0, -1.1], [1, -1], [0.9, 0.5], [0, 1.1], [-0.9, 0.5]]
        )
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], 255, cv2.LINE_AA)
    figure = 0 if canvas[centre[1], centre[0]] else 255
    if rng.random() < 0.4:  # parallel bands, straight or bent
        bend, bold, gap = int(rng.integers(0, 60)), int(rng.integers(8, 22)), int(rng.integers(30, 64))
        for y in range(centre[1] - radius, centre[1] + radius, gap):
            cv2.ellipse(canvas, (centre[0], y), (radius, bend), 0, 0, 180, figure, bold, cv2.LINE_AA)
    for _ in range(int(rng.integers(2, 6))):
        points = np.array(centre) + rng.normal(0, 0.42 * radius, (int(rng.integers(3, 7)), 2))
        cv2.polylines(
            canvas, [np.round(points).astype(np.int32)], bool(rng.random() < 0.4), figure, int(rng.integers(8, 30))
        )
    name = _lettering(rng)
    canvas[360:420] = np.maximum(canvas[360:420], name[:60])
    return canvas


def _placed(rng: Rng, mark: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The mark at 12-37 % of the frame's width (field guide, section 7), lower left, in the middle or in another corner."""
    height, width = size
    wide = max(8, int(width * float(rng.uniform(0.12, 0.37))))
    high = max(4, min(height, round(wide * mark.shape[0] / mark.shape[1])))
    small = cv2.resize(mark, (wide, high), interpolation=cv2.INTER_AREA)
    x, y = ((0.03, 0.97), (0.5, 0.5), (0.97, 0.97), (0.03, 0.03), (0.97, 0.03))[
        int(rng.choice(5, p=[0.5, 0.2, 0.14, 0.08, 0.08]))
    ]
    left = int(np.clip((width - wide) * (x + rng.normal(0, 0.03)), 0, width - wide))
    top = int(np.clip((height - high) * (y + rng.normal(0, 0.03)), 0, height - high))
    layer = np.zeros(size, np.uint8)
    layer[top : top + high, left : left + wide] = small
    return layer


def _date(rng: Rng, size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size
    scale = width / 640 * float(rng.uniform(0.5, 1.1))
    text = f"{int(rng.integers(1, 13))}.{int(rng.integers(1, 29))}.{int(rng.integers(98, 120))}"
    at = (int(0.72 * width), int(0.96 * height))
    layer = np.zeros(size, np.uint8)
    cv2.putText(layer, text, at, int(rng.integers(0, 4)), scale, 255, max(1, round(2 * scale)), cv2.LINE_AA)
    return layer
