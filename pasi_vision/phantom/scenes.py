"""What a close-up shows: a patch of trunk, one or two limbs, an elbow or knee, a fold; hands, feet and faces are in `hands` and `faces`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.geometry import Canvas, Shell, blank, turned
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.surface import Part

Field = NDArray[np.float32]
Rng = np.random.Generator

HEAD, UPPER, TRUNK, LOWER = 1, 2, 3, 4
_REGION = {
    Part.CHEST: TRUNK, Part.ABDOMEN: TRUNK, Part.BACK: TRUNK, Part.BUTTOCK: LOWER, Part.NECK: HEAD, Part.SCALP: HEAD, Part.FACE: HEAD,
    Part.UPPER_ARM: UPPER, Part.ELBOW: UPPER, Part.FOREARM: UPPER, Part.AXILLA: TRUNK, Part.GROIN: TRUNK,
    Part.THIGH: LOWER, Part.KNEE: LOWER, Part.SHIN: LOWER,
}  # fmt: skip


def waviness(canvas: Canvas, rng: Rng, amplitude_mm: float, period_mm: float) -> Field:
    """Gentle random undulation of a surface."""
    x, y = canvas.grid()
    phase = rng.random(2)
    return np.asarray(
        amplitude_mm * sample(fractal(3.2, 5, low=1.0), x / period_mm + phase[0], y / period_mm + phase[1]), np.float32
    )


def lines(
    canvas: Canvas, rng: Rng, angle: float, spots: list[float], depth_mm: float, width_mm: float, reach: float = 1e3
) -> Field:
    """Creases: narrow wavy furrows across the direction `angle` at the given places along it; negative heights."""
    x, y = canvas.grid()
    along, across = turned(x, y, angle)
    relief = np.zeros_like(x)
    for place in spots:
        phase = rng.random(2)
        bend = sample(fractal(2.0, 6, low=2.0), across / 160 + phase[0], 0 * across + phase[1]) * np.float32(
            2.0 * width_mm + 1.0
        )
        fade = np.exp(-((across / reach) ** 2)) * (
            0.6 + 0.4 * np.tanh(sample(fractal(1.2, 8), across / 120 + phase[1], 0 * across))
        )
        relief = np.minimum(
            relief,
            -depth_mm * float(rng.uniform(0.5, 1.2)) * fade * np.exp(-(((along - place - bend) / width_mm) ** 2)),
        )
    return np.asarray(relief, np.float32)


def patch(canvas: Canvas, rng: Rng) -> Shell:
    """Skin that fills the frame: trunk, thigh or upper arm from near by."""
    part = Part(
        int(
            rng.choice(
                [Part.BACK, Part.ABDOMEN, Part.CHEST, Part.THIGH, Part.UPPER_ARM, Part.BUTTOCK],
                p=[0.33, 0.22, 0.15, 0.14, 0.1, 0.06],
            )
        )
    )
    shell = blank(canvas, part, _REGION[part])
    width, height = canvas.size_mm
    x, y = canvas.grid()
    angle = float(rng.uniform(0, np.pi))
    along, across = turned(x, y, angle, (float(rng.normal(0, 0.2)) * width, float(rng.normal(0, 0.2)) * height))
    bow = float(rng.uniform(0.15, 0.75)) / (0.5 * width)
    shell.elevation_mm = (
        -0.5 * np.float32(bow) * across**2
        - np.float32(0.1 * bow) * along**2
        + waviness(canvas, rng, float(rng.uniform(0.01, 0.06)) * width, width)
        + waviness(canvas, rng, float(rng.uniform(0.0, 0.012)) * width, 0.35 * width)
    )
    shell.axis = angle + float(rng.normal(0, 0.2))
    if rng.random() < 0.22:
        shell.relief_mm += lines(
            canvas, rng, angle + np.pi / 2, list(rng.normal(0, 0.35 * width, rng.integers(1, 4))), 0.7, 0.009 * width
        )
    if part in (Part.CHEST, Part.ABDOMEN) and width > 120 and rng.random() < 0.45:
        _round_feature(shell, canvas, rng, navel=part == Part.ABDOMEN)
    return shell


def _round_feature(shell: Shell, canvas: Canvas, rng: Rng, *, navel: bool) -> None:
    """A navel or an areola somewhere in the frame."""
    x, y = canvas.grid()
    width, height = canvas.size_mm
    centre = float(rng.uniform(-0.45, 0.45)) * width, float(rng.uniform(-0.45, 0.45)) * height
    radius = float(rng.uniform(6, 10)) if navel else float(rng.uniform(10, 20))
    far, wide = turned(x, y, float(rng.uniform(0, 3)), centre)
    d = np.hypot(far, wide * float(rng.uniform(1.0, 1.5))) / radius + 0.1 * sample(fractal(1.5, 9), x / 60, y / 60)
    if navel:
        shell.relief_mm -= 4.0 * np.exp(-((d / 0.8) ** 2)) - 1.2 * np.exp(-(((d - 1.2) / 0.35) ** 2))
        shell.melanin *= 1 + 0.5 * np.exp(-(d**2))
        shell.part[d < 0.8] = Part.NAVEL
        return
    inside = np.clip((1.15 - d) / 0.3, 0, 1)
    shell.melanin *= 1 + float(rng.uniform(0.6, 2.0)) * inside
    shell.blood *= 1 + float(rng.uniform(0.5, 1.4)) * inside
    shell.elevation_mm += 3.5 * np.exp(-((d / 0.28) ** 2)) + 0.4 * inside
    shell.relief_mm += 0.25 * inside * sample(fractal(0.8, 10), x / 30, y / 30)
    shell.part[d < 1.0] = Part.AREOLA


def limb(canvas: Canvas, rng: Rng, *, joint: bool = False) -> Shell:
    """One or two limbs that leave the frame; with `joint` an elbow or knee in the middle."""
    lower = rng.random() < 0.4
    part = (
        (Part.KNEE if lower else Part.ELBOW)
        if joint
        else Part(int(rng.choice([Part.SHIN, Part.THIGH] if lower else [Part.FOREARM, Part.UPPER_ARM])))
    )
    shell = blank(canvas, part, LOWER if lower else UPPER)
    shell.inside_mm[:] = -1e3
    width, height = canvas.size_mm
    two = rng.random() < (0.3 if joint else 0.2)
    angle = float(rng.normal(0, 0.22)) + (np.pi / 2 if rng.random() < (0.5 if two else 0.25) else 0.0)
    span = abs(width * np.sin(angle)) + abs(height * np.cos(angle))  # frame size across the limb
    thick = float(rng.uniform(0.30, 0.43) if two else rng.uniform(0.45, 1.05)) * span
    offsets = [
        -0.5 * span + 0.5 * thick + float(rng.uniform(-0.05, 0.08)) * span,
        0.5 * span - 0.5 * thick - float(rng.uniform(-0.05, 0.08)) * span,
    ]
    for index, offset in enumerate(offsets if two else [float(rng.normal(0, 0.09)) * span]):
        _one_limb(shell, canvas, rng, (index, angle + float(rng.normal(0, 0.06)), offset, thick, joint))
    shell.axis = angle + (np.pi / 2 if part == Part.THIGH and rng.random() < 0.3 else 0.0)
    return shell


def _one_limb(shell: Shell, canvas: Canvas, rng: Rng, place: tuple[int, float, float, float, bool]) -> None:
    index, angle, offset, thick, joint = place
    x, y = canvas.grid()
    width, _ = canvas.size_mm
    along, across = turned(x, y, angle, (-offset * float(np.sin(angle)), offset * float(np.cos(angle))))
    t = along / width
    centre = rng.normal(0, 0.03) * width * t + rng.normal(0, 0.06) * width * t**2
    if joint:
        kink, spot = float(rng.normal(0, 0.55)), float(rng.normal(0, 0.12))
        centre = centre + kink * width * (np.sqrt((t - spot) ** 2 + 0.02) - 0.14) * 0.6
    half = 0.5 * thick * (1 + rng.normal(0, 0.22) * t + rng.normal(0, 0.06) * np.cos(3 * t + rng.uniform(0, 6)))
    if joint:
        half = half * (1 + float(rng.uniform(0, 0.14)) * np.exp(-(((t - spot) / 0.16) ** 2)))
    half = np.maximum(half, 0.15 * thick).astype(np.float32)
    side = (across - centre).astype(np.float32)
    inside = half - np.abs(side)
    here = inside > shell.inside_mm
    share = np.clip(side / half, -0.9995, 0.9995)
    shell.elevation_mm = np.where(
        here, half * np.sqrt(1 - share**2) * float(rng.uniform(0.7, 1.0)), shell.elevation_mm
    ).astype(np.float32)
    chart = np.stack([along, half * np.arcsin(share)], -1).astype(np.float32)
    shell.chart_mm = np.where(here[..., None], chart, shell.chart_mm)
    shell.limb = np.where(here, index, shell.limb).astype(np.uint8)
    shell.inside_mm = np.where(here, inside, shell.inside_mm).astype(np.float32)
    shell.elevation_mm = shell.elevation_mm + waviness(canvas, rng, 0.01 * thick, 2.0 * thick)
    if joint:
        _joint_creases(shell, canvas, rng, (angle, offset, thick, float(spot) * width))


def _joint_creases(shell: Shell, canvas: Canvas, rng: Rng, place: tuple[float, float, float, float]) -> None:
    """Three to eight parallel flexion creases, coarser and redder skin over an elbow or knee."""
    angle, offset, thick, spot = place
    x, y = canvas.grid()
    along, across = turned(x, y, angle, (-offset * float(np.sin(angle)), offset * float(np.cos(angle))))
    spots = list(spot + np.cumsum(rng.uniform(0.035, 0.09, rng.integers(3, 9))) * thick - 0.2 * thick)
    shell.relief_mm += lines(canvas, rng, angle, spots, float(rng.uniform(0.3, 1.1)), 0.012 * thick, 0.33 * thick)
    near = np.exp(-(((along - spot) / (0.3 * thick)) ** 2) - (across / (0.35 * thick)) ** 2)
    shell.melanin *= (1 + float(rng.uniform(0, 0.7)) * near).astype(np.float32)
    shell.blood *= (1 + float(rng.uniform(0, 0.9)) * near).astype(np.float32)


def trunk(canvas: Canvas, rng: Rng) -> Shell:
    """A back, chest, belly or flank that leaves the frame on two or three sides."""
    part = Part(int(rng.choice([Part.BACK, Part.ABDOMEN, Part.CHEST], p=[0.5, 0.3, 0.2])))
    shell = blank(canvas, part, TRUNK)
    width, height = canvas.size_mm
    x, y = canvas.grid()
    angle = float(rng.choice([0.0, np.pi / 2])) + float(rng.normal(0, 0.08))
    along, across = turned(x, y, angle, (float(rng.normal(0, 0.1)) * width, float(rng.normal(0, 0.1)) * height))
    span = abs(width * np.sin(angle)) + abs(height * np.cos(angle))
    waist = 1 - float(rng.uniform(0, 0.18)) * np.exp(-(((along - rng.normal(0, 0.3) * width) / (0.35 * width)) ** 2))
    half = (0.5 * span * float(rng.uniform(0.75, 1.5)) * waist).astype(np.float32)
    shift = float(rng.uniform(-0.3, 0.3)) * span
    share = np.clip((across + shift) / half, -0.9995, 0.9995)
    shell.inside_mm = (half - np.abs(across + shift)).astype(np.float32)
    shell.elevation_mm = (0.55 * half * np.sqrt(1 - np.abs(share) ** 2.5)).astype(np.float32) + waviness(
        canvas, rng, 0.012 * width, 0.6 * width
    )
    shell.chart_mm = np.stack([along, across + 0.12 * half * share**3], -1).astype(np.float32)
    furrow = np.exp(-(((across + 0.2 * shift) / (0.06 * span)) ** 2))
    shell.elevation_mm -= (float(rng.uniform(0, 0.02)) * span * furrow).astype(np.float32)
    shell.axis = angle + np.pi / 2 + float(rng.normal(0, 0.25))
    if rng.random() < 0.5:
        _round_feature(shell, canvas, rng, navel=part == Part.ABDOMEN)
    return shell


def skin_fold(canvas: Canvas, rng: Rng) -> Shell:
    """A fold (under the breast, armpit, groin, between the buttocks): two bulges that meet in a deep crease."""
    part = Part(int(rng.choice([Part.AXILLA, Part.GROIN, Part.BUTTOCK, Part.ABDOMEN])))
    shell = blank(canvas, part, _REGION[part])
    width, _ = canvas.size_mm
    x, y = canvas.grid()
    angle = float(rng.uniform(0, np.pi))
    along, across = turned(x, y, angle, (float(rng.normal(0, 0.1)) * width, float(rng.normal(0, 0.08)) * width))
    bend = across - float(rng.normal(0, 0.25)) * along**2 / width
    deep = float(rng.uniform(0.02, 0.07)) * width
    shell.elevation_mm = (-deep * np.exp(-np.abs(bend) / (0.06 * width)) - 0.25 * bend**2 / width).astype(np.float32)
    shell.relief_mm = (-0.8 * np.exp(-((bend / (0.008 * width)) ** 2))).astype(np.float32)
    near = np.exp(-np.abs(bend) / (0.1 * width))
    shell.melanin *= (1 + float(rng.uniform(0, 0.6)) * near).astype(np.float32)
    shell.blood *= (1 + float(rng.uniform(0, 0.6)) * near).astype(np.float32)
    shell.axis = angle
    return shell


def _scalp(canvas: Canvas, rng: Rng) -> Shell:
    shell = patch(canvas, rng)
    shell.part[:] = Part.SCALP
    shell.region[:] = HEAD
    return shell


def builders() -> dict[str, Callable[[Canvas, Rng], Shell]]:
    """Every kind of scene by its name in the presets."""
    from pasi_vision.phantom.hands import foot_back, hand_back, palm, sole

    return {
        "patch": patch,
        "trunk": trunk,
        "limb": limb,
        "joint": lambda canvas, rng: limb(canvas, rng, joint=True),
        "fold": skin_fold,
        "scalp": _scalp,
        "palm": palm,
        "hand_back": hand_back,
        "sole": sole,
        "foot_back": foot_back,
    }
