"""What else is on skin and is not psoriasis: spots, veins, stretch marks, flush, scratches, tattoos, hair; drawn in the picture plane."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.skin import Person

Field = NDArray[np.float32]
Rng = np.random.Generator


@dataclass
class Overlay:
    """Changes to healthy skin at the picture's resolution (H, W): factors on melanin and blood, added relief (mm), an ink layer."""

    melanin: Field
    blood: Field
    relief_mm: Field
    ink: list[tuple[Field, tuple[float, float, float]]]


def empty_overlay(size: tuple[int, int]) -> Overlay:
    """Nothing changed."""
    return Overlay(np.ones(size, np.float32), np.ones(size, np.float32), np.zeros(size, np.float32), [])


def spots(rng: Rng, size: tuple[int, int], count: int, radius_px: tuple[float, float], softness: float = 0.35) -> Field:
    """Soft discs, 0-1, of log-normal radii (median, log SD) in px at random places."""
    out = np.zeros(size, np.uint8)
    for _ in range(count):
        radius = float(np.clip(np.exp(rng.normal(np.log(radius_px[0]), radius_px[1])), 0.5, 60))
        at = rng.random(2) * (size[1], size[0])
        axes = (max(1, int(16 * radius)), max(1, int(16 * radius * rng.uniform(0.6, 1.0))))
        cv2.ellipse(
            out,
            (int(at[0] * 16), int(at[1] * 16)),
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            int(rng.integers(130, 256)),
            -1,
            cv2.LINE_AA,
            4,
        )
    soft = cv2.GaussianBlur(out, (0, 0), max(softness * radius_px[0], 0.6))
    return np.asarray(soft, np.float32) / np.float32(255)


def strokes(
    rng: Rng, size: tuple[int, int], count: int, shape: tuple[float, float, float, float], width_px: float
) -> Field:
    """Wavy lines, 0-1: (angle, spread of angles, length px, curl) and width; anti-aliased."""
    angle, spread, length, curl = shape
    out = np.zeros(size, np.uint8)
    thick = max(1, round(width_px))
    step = np.linspace(-0.5, 0.5, 9)
    for _ in range(count):
        a = rng.normal(angle, spread)
        long = length * np.exp(rng.normal(0, 0.35))
        bend = rng.normal(0, curl) * step**2 + rng.normal(0, 0.3 * curl) * np.sin(6 * step)
        at = rng.random(2) * (size[1], size[0])
        x = at[0] + long * (step * np.cos(a) - bend * np.sin(a))
        y = at[1] + long * (step * np.sin(a) + bend * np.cos(a))
        points = np.round(np.stack([x, y], -1) * 16).astype(np.int32)
        cv2.polylines(out, [points], False, int(rng.integers(110, 256)), thick, cv2.LINE_AA, 4)
    return np.asarray(out, np.float32) * np.float32(min(1.0, width_px) / 255)


def add_spots(overlay: Overlay, rng: Rng, person: Person, mm_per_px: float) -> None:
    """Moles, freckles, cherry spots."""
    size = overlay.melanin.shape
    area = size[0] * size[1] * mm_per_px**2 / 1e4
    moles, freckles = (
        int(min(rng.poisson(person.moles * area), 30)),
        int(min(rng.poisson(person.freckles * 6 * area), 500)),
    )
    if freckles:
        overlay.melanin *= 1 + float(rng.uniform(0.3, 1.2)) * spots(rng, size, freckles, (0.9 / mm_per_px, 0.4), 0.5)
    if moles:
        mole = spots(rng, size, moles, (1.5 / mm_per_px, 0.5), 0.25)
        overlay.melanin *= 1 + float(rng.uniform(2, 7)) * mole
        overlay.relief_mm += float(rng.uniform(0, 0.6)) * mole
    if rng.random() < 0.12:
        overlay.blood *= 1 + 9 * spots(rng, size, int(rng.integers(1, 6)), (0.8 / mm_per_px, 0.4), 0.3)


def add_flush(overlay: Overlay, rng: Rng, strength: float) -> None:
    """Redness without an edge: flush, sunburn, pressure."""
    size = overlay.blood.shape
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    phase = rng.random(2)
    field = sample(fractal(1.7, 51), x * 0.6 + phase[0], y * 0.6 + phase[1])
    overlay.blood *= np.exp(strength * np.clip(field + float(rng.uniform(-0.3, 0.8)), 0, 2)).astype(np.float32)


def add_tan_line(overlay: Overlay, rng: Rng) -> None:
    """A strap or waistband: one side browner or redder with a fairly sharp straight border."""
    size = overlay.blood.shape
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    angle, place, soft = float(rng.uniform(0, np.pi)), float(rng.uniform(0.1, 0.8)), float(rng.uniform(0.004, 0.03))
    wave = 0.02 * sample(fractal(2.0, 52), x * 0.7, y * 0.7)
    side = 1 / (1 + np.exp(-np.clip((x * np.cos(angle) + y * np.sin(angle) - place + wave) / soft, -30, 30)))
    overlay.melanin *= (1 + float(rng.uniform(0.2, 1.2)) * side).astype(np.float32)
    if rng.random() < 0.4:
        overlay.blood *= (1 + float(rng.uniform(0.2, 1.2)) * side).astype(np.float32)


def add_veins(overlay: Overlay, rng: Rng, mm_per_px: float, angle: float) -> None:
    """Bluish blurred lines under the skin, now and then raised."""
    size = overlay.blood.shape
    field = strokes(rng, size, int(rng.integers(2, 9)), (angle, 0.5, 0.6 * max(size), 0.35), max(2.0, 2.2 / mm_per_px))
    soft = cv2.GaussianBlur(field, (0, 0), max(1.2, 1.6 / mm_per_px))
    overlay.ink.append((float(rng.uniform(0.05, 0.22)) * soft, (0.14, 0.19, 0.24)))
    overlay.relief_mm += float(rng.uniform(0, 0.3)) * soft


def add_stretch_marks(overlay: Overlay, rng: Rng, mm_per_px: float, angle: float) -> None:
    """Parallel wavy bands, pale and shiny or red."""
    size = overlay.blood.shape
    field = strokes(rng, size, int(rng.integers(4, 30)), (angle, 0.15, 45 / mm_per_px, 0.2), max(2.0, 2.5 / mm_per_px))
    soft = cv2.GaussianBlur(field, (0, 0), max(0.8, 0.6 / mm_per_px))
    overlay.blood *= 1 + float(rng.choice([-0.5, 0.9])) * soft
    overlay.melanin *= 1 - 0.35 * soft
    overlay.relief_mm -= 0.2 * soft


def add_scratches(overlay: Overlay, rng: Rng, mm_per_px: float) -> None:
    """Fresh scratches: thin red lines with a few crusts."""
    size = overlay.blood.shape
    field = strokes(
        rng,
        size,
        int(rng.integers(2, 9)),
        (float(rng.uniform(0, 3.14)), 0.12, 30 / mm_per_px, 0.15),
        max(1.0, 0.6 / mm_per_px),
    )
    soft = cv2.GaussianBlur(field, (0, 0), max(0.7, 0.4 / mm_per_px))
    overlay.blood *= 1 + float(rng.uniform(1, 6)) * soft


def add_crusts(overlay: Overlay, rng: Rng, mm_per_px: float, where: Field) -> None:
    """Excoriations: dark red to brown points inside plaques."""
    size = overlay.blood.shape
    dots = spots(rng, size, int(rng.integers(4, 60)), (1.0 / mm_per_px, 0.5), 0.25) * where
    overlay.ink.append((0.8 * dots, (0.10, 0.02, 0.012) if rng.random() < 0.6 else (0.16, 0.08, 0.03)))


def add_fissures(overlay: Overlay, rng: Rng, mm_per_px: float, where: Field, angle: float) -> None:
    """Fissures of thick palmar or plantar skin: deep red cracks with white rims."""
    size = overlay.blood.shape
    lines = (
        strokes(
            rng,
            size,
            int(rng.integers(3, 26)),
            (angle, 0.35, float(rng.uniform(6, 22)) / mm_per_px, 0.25),
            max(1.0, 0.7 / mm_per_px),
        )
        * where
    )
    rim = cv2.GaussianBlur(lines, (0, 0), max(1.0, 1.2 / mm_per_px))
    overlay.ink.append((np.clip(1.3 * rim, 0, 0.6), (0.66, 0.54, 0.42)))
    overlay.ink.append(
        (np.clip(1.2 * lines, 0, 0.85), (0.16, 0.02, 0.012) if rng.random() < 0.7 else (0.45, 0.30, 0.2))
    )
    overlay.relief_mm -= 0.5 * lines


def add_horn(overlay: Overlay, rng: Rng, where: Field) -> None:
    """Yellow thickened horny layer of palms and soles, in lesions and somewhat beyond."""
    size = overlay.blood.shape
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    cloud = 0.6 + 0.4 * np.tanh(sample(fractal(1.5, 54), x * 0.8 + float(rng.random()), y * 0.8))
    spread = cv2.GaussianBlur(where, (0, 0), 0.03 * max(size))
    overlay.ink.append((float(rng.uniform(0.2, 0.65)) * cloud * np.maximum(0.8 * where, spread), (0.60, 0.43, 0.22)))


def add_tattoo(overlay: Overlay, rng: Rng) -> None:
    """Blue-black or coloured lines and letters."""
    size = overlay.blood.shape
    out = np.zeros(size, np.uint8)
    centre = rng.random(2) * (size[1], size[0])
    radius = float(rng.uniform(0.06, 0.2)) * max(size)
    if rng.random() < 0.4:
        text = "".join(rng.choice(list("AMORELINSVTKJ"), int(rng.integers(3, 8))))
        cv2.putText(
            out,
            text,
            (int(centre[0] - radius), int(centre[1])),
            int(rng.integers(0, 8)),
            radius / 40,
            255,
            max(1, int(radius / 18)),
            cv2.LINE_AA,
        )
    else:
        for _ in range(int(rng.integers(4, 14))):
            points = (centre + rng.normal(0, radius * 0.5, (int(rng.integers(3, 7)), 2))).astype(np.int32)
            cv2.polylines(
                out, [points], bool(rng.random() < 0.5), 255, max(1, int(radius / rng.uniform(10, 30))), cv2.LINE_AA
            )
            if rng.random() < 0.3:
                cv2.fillPoly(out, [points], 150)
    soft = cv2.GaussianBlur(out, (0, 0), 1.0).astype(np.float32) / np.float32(255)
    colour = [(0.03, 0.045, 0.06), (0.03, 0.06, 0.05), (0.22, 0.03, 0.03)][int(rng.choice(3, p=[0.6, 0.25, 0.15]))]
    overlay.ink.append((float(rng.uniform(0.5, 0.9)) * soft, colour))


def hair_layer(
    rng: Rng, size: tuple[int, int], density: float, mm_per_px: float, angle: float, where: Field | None = None
) -> Field:
    """Body hair 0-1 over the frame; `density` 0-1, hair about 0.06 mm wide and 8-25 mm long."""
    area = size[0] * size[1] * mm_per_px**2 / 100
    count = int(min(density * 6.0 * area, 900))
    width = float(np.clip(0.09 / mm_per_px, 0.35, 3.0))
    field = strokes(rng, size, count, (angle, 0.35, min(14 / mm_per_px, 0.2 * max(size)), 0.5), width)
    field = np.maximum(field, np.zeros_like(field))
    return field if where is None else field * where


def scalp_hair(
    rng: Rng, size: tuple[int, int], mm_per_px: float, where: Field, thickness: float
) -> tuple[Field, Field]:
    """Hair of the head: how much it hides (H, W) and how bright each strand is (H, W, 0-1), combed one way with a parting now and then.

    Args:
        where: 0-1, where hair grows.
        thickness: 0 sparse - 1 dense.
    """
    height, width = size
    angle = float(rng.uniform(0, 2 * np.pi))
    long = float(np.clip(rng.uniform(15, 60) / mm_per_px, 20, 0.8 * max(size)))
    layer, bright = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    count = int(np.clip(thickness * 9.0 * height * width / long * max(float(where.mean()), 0.1), 200, 2600))
    step = np.linspace(0.0, 1.0, 5)
    rows, columns = np.nonzero(where > 0.2)
    pick = rng.integers(0, max(len(rows), 1), count)
    starts = (
        np.stack([columns[pick], rows[pick]], -1) + rng.normal(0, 3, (count, 2))
        if len(rows)
        else rng.random((count, 2)) * (width, height)
    )
    sway = fractal(2.2, 53)
    lean = (
        angle
        + 0.5
        * sway[
            np.clip(starts[:, 1] * 511 / height, 0, 511).astype(int),
            np.clip(starts[:, 0] * 511 / width, 0, 511).astype(int),
        ]
        + rng.normal(0, 0.12, count)
    )
    curl = rng.normal(0, 0.18, count)
    thick = max(1, round(0.1 / mm_per_px))
    for start, a, c, tone in zip(starts, lean, curl, rng.integers(40, 256, count), strict=True):
        heading = a + c * step
        points = start + np.stack([np.cos(heading), np.sin(heading)], -1) * (step * long * 0.7)[:, None]
        fixed = [np.round(points * 8).astype(np.int32)]
        cv2.polylines(layer, fixed, False, 255, thick, cv2.LINE_AA, 3)
        cv2.polylines(bright, fixed, False, int(tone), thick, cv2.LINE_AA, 3)
    cover = layer.astype(np.float32) / np.float32(255)
    cover = np.clip(0.9 * cover + 0.45 * thickness * cv2.GaussianBlur(cover, (0, 0), max(1.5, 1.0 / mm_per_px)), 0, 1)
    if rng.random() < 0.5:
        y, x = np.mgrid[:height, :width].astype(np.float32)
        line = (y - height * float(rng.uniform(0.3, 0.7))) * np.cos(angle) - (x - width * 0.5) * np.sin(angle)
        cover = cover * (1.0 - 0.85 * np.exp(-((line / (0.04 * max(size))) ** 2)))
    return np.asarray(cover * where, np.float32), bright.astype(np.float32) / np.float32(255)
