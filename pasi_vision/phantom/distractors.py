"""What is on the skin of a close-up beside psoriasis: drawn spots and redness, and after-marks of healed plaques."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import marks
from pasi_vision.phantom.geometry import Canvas
from pasi_vision.phantom.plaques import LesionMaps, Plaque
from pasi_vision.phantom.preset import CloseUpPreset
from pasi_vision.phantom.setting import Setting
from pasi_vision.phantom.skin import Person
from pasi_vision.phantom.surface import Surface

Field = NDArray[np.float32]
Rng = np.random.Generator


def centre_choices(surface: Surface, canvas: Canvas, rng: Rng) -> tuple[Field, Field, Field]:
    """Skin points that may become centres: likelier near the middle of the frame, as photographers aim."""
    skin = surface.skin
    rows, columns = np.nonzero(skin)
    if rows.size == 0:
        rows, columns = np.array([canvas.height // 2]), np.array([canvas.width // 2])
    pick = rng.choice(rows.size, min(rows.size, 3000), replace=False)
    rows, columns = rows[pick], columns[pick]
    away = ((rows / canvas.height - 0.5) ** 2 + (columns / canvas.width - 0.5) ** 2) / (
        2 * float(rng.uniform(0.2, 0.5)) ** 2
    )
    return surface.place_mm[rows, columns], surface.rest_normal[rows, columns], np.exp(-away).astype(np.float32) + 0.02


def draw_after_marks(rng: Rng, surface: Surface, canvas: Canvas, preset: CloseUpPreset, axis: float) -> list[Plaque]:
    """Flat brown, violet or pale marks of healed plaques: not lesion."""
    if rng.random() > 0.10 * preset.distract:
        return []
    place, normal, weight = centre_choices(surface, canvas, rng)
    dark = rng.random() < 0.7
    marks_found = []
    for at in rng.choice(len(place), min(len(place), int(rng.integers(1, 16))), p=weight / weight.sum()):
        marks_found.append(
            Plaque(
                centre_mm=(float(place[at][0]), float(place[at][1]), float(place[at][2])),
                normal=(float(normal[at][0]), float(normal[at][1]), float(normal[at][2])),
                tangent=(float(np.cos(axis)), float(np.sin(axis)), 0.0),
                radius_mm=float(np.exp(rng.normal(np.log(0.03), 0.6))) * canvas.size_mm[0],
                shape=int(rng.integers(240)),
                blood_factor=float(rng.uniform(1.0, 1.14)) if dark else 1.0,
                scale_cover=0.0,
                height_mm=0.0,
                border_mm=0.025 * canvas.size_mm[0],
                mark=float(rng.uniform(0.35, 1.4)) if dark else float(rng.uniform(-0.75, -0.35)),
                seed=int(rng.integers(2**31)),
            )
        )
    return marks_found


def draw_overlay(rng: Rng, setting: Setting, person: Person, maps: LesionMaps) -> marks.Overlay:
    """Spots, flush, veins, scratches, tattoos and the like, and what lesions of that site carry beside scale (crusts, horn, fissures)."""
    scene, mm, axis = setting.scene, setting.mm_per_px, setting.axis
    overlay = marks.empty_overlay(setting.full)
    much = setting.preset.distract
    if much <= 0:
        return overlay
    if rng.random() < 0.8:
        marks.add_spots(overlay, rng, person, mm)
    if rng.random() < 0.35 * much * setting.preset.redness:
        marks.add_flush(overlay, rng, float(rng.uniform(0.15, 0.8)))
    if rng.random() < 0.07 * much:
        marks.add_tan_line(overlay, rng)
    if scene not in ("palm", "sole", "face") and rng.random() < 0.12 * much:
        marks.add_veins(overlay, rng, mm, axis)
    if scene in ("patch", "trunk", "fold", "limb") and rng.random() < 0.07 * much:
        marks.add_stretch_marks(overlay, rng, mm, axis + float(rng.normal(0, 0.3)))
    if rng.random() < 0.07 * much * setting.preset.redness:
        marks.add_scratches(overlay, rng, mm)
    if scene in ("patch", "trunk", "limb") and rng.random() < 0.04 * much:
        marks.add_tattoo(overlay, rng)
    if rng.random() < 0.18 and maps.lesion.any():
        marks.add_crusts(overlay, rng, mm, (maps.depth > 0.05).astype(np.float32))
    if setting.style in ("palm", "sole"):
        where = np.clip(maps.depth * 4.0, 0, 1) * maps.lesion
        if rng.random() < 0.5:
            marks.add_horn(overlay, rng, where)
        if rng.random() < 0.5:
            marks.add_fissures(overlay, rng, mm, where, float(rng.uniform(0, 3.14)))
    return overlay
