"""From a surface, a person and a disease to light: the colour of every pixel of skin, before the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.light import Light, falloff_map, shade
from pasi_vision.phantom.marks import Overlay
from pasi_vision.phantom.noise import sample_at
from pasi_vision.phantom.optics import linear_rgb, reflectance, skin_colour
from pasi_vision.phantom.plaques import LesionMaps, ScaleKind
from pasi_vision.phantom.scale import ScaleLook, scale_layer
from pasi_vision.phantom.skin import Person, healthy_maps, micro_relief

Field = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Anatomy:
    """What a place on the body changes in anybody's skin, (H, W).

    Factors on melanin, blood and shine, relief of creases in mm, and paint that is not skin (nails, eyes).
    """

    melanin: Field
    blood: Field
    gloss: Field
    relief_mm: Field
    paint: tuple[tuple[Field, tuple[float, float, float]], ...] = ()


@dataclass(frozen=True)
class Finish:
    """What one photograph's lesions look like beyond their maps.

    Attributes:
        saturation: Oxygen saturation of their blood, 0-1.
        looks: Each kind of scale.
        scattering: Of swollen, thickened skin relative to healthy skin: why plaques of light skin are red rather than dark.
        pigment: Melanin added in lesions, as a share of the person's own.
        coarse, wrinkle, lichen_angle: Furrows of thickened skin.
        whiteness: How far scale is white rather than cream.
    """

    saturation: float
    looks: dict[ScaleKind, ScaleLook]
    scattering: float = 1.0
    pigment: float = 0.0
    coarse: float = 2.2
    wrinkle: float = 1.0
    lichen_angle: float = 0.4
    whiteness: float = 0.7


def lesional_pigment(rng: Rng, person: Person) -> float:
    """Melanin that lesions add, as a share of the person's own: none on light skin; darker skin also darkens where it is inflamed."""
    return float(rng.uniform(0.5, 1.7) * darkness(person))


def darkness(person: Person) -> float:
    """0 on light skin ... 1 on dark skin, whose scale is grey and lets the dark through."""
    return float(np.clip((25.0 - person.ita_deg) / 45.0, 0.0, 1.0))


def paint(
    chart_mm: Field,
    normal: Field,
    mm_per_px: float,
    person: Person,
    anatomy: Anatomy,
    maps: LesionMaps,
    overlay: Overlay,
    finish: Finish,
    light: Light,
) -> Field:
    """Linear radiance (H, W, 3) of skin under a light; pixels without skin hold skin all the same (mask them)."""
    melanin, blood = healthy_maps(person, chart_mm, mm_per_px)
    inside = np.clip((maps.blood_factor - 1.0) / 1.5, 0.0, 1.0)
    melanin = melanin * anatomy.melanin * overlay.melanin * np.clip(1.0 + maps.mark, 0.05, 6.0)
    melanin *= 1.0 + np.float32(finish.pigment) * inside
    grain = sample_at(("fractal", 0.6, 71), chart_mm[..., 1], chart_mm[..., 0], 420.0 * mm_per_px, mm_per_px)
    added = (maps.blood_factor - 1.0) * np.clip(1.0 + 0.2 * grain, 0.2, 2.2)
    blood = blood * anatomy.blood * overlay.blood + person.blood * added
    relief = _relief(person, chart_mm, mm_per_px, maps, finish, inside)
    height = 0.45 * anatomy.relief_mm + overlay.relief_mm + 0.6 * maps.height_mm + relief
    colour = skin_colour(melanin, blood, person.saturation)
    colour *= 1.0 + inside[..., None] * (_tinge(person, finish) - 1.0)
    gloss = anatomy.gloss * np.float32(0.5 + person.gloss) * (1.0 + 0.4 * inside)
    furrow = np.clip(-(0.45 * anatomy.relief_mm + relief) / person.relief_mm - 0.3, 0.0, 1.5)
    cover = np.clip(maps.scale_cover * (1.0 + 1.3 * maps.crease_scale * furrow), 0.0, 1.0)
    for alpha, ink in overlay.ink:
        colour += np.clip(alpha, 0, 1)[..., None] * (np.asarray(ink, np.float32) - colour)
    finish = replace(finish, whiteness=finish.whiteness * (1.0 - 0.75 * darkness(person)))
    height, gloss = _add_scale(colour, height, gloss, chart_mm, mm_per_px, replace(maps, scale_cover=cover), finish)
    for alpha, ink in anatomy.paint:
        colour += np.clip(alpha, 0, 1)[..., None] * (np.asarray(ink, np.float32) - colour)
    diffuse, specular = shade(normal, height, mm_per_px, light, gloss)
    fall = falloff_map(light, diffuse.shape)
    return np.asarray(colour * (diffuse * fall)[..., None] + (specular * fall)[..., None], np.float32)


def _relief(
    person: Person, chart_mm: Field, mm_per_px: float, maps: LesionMaps, finish: Finish, inside: Field
) -> Field:
    """Furrows of healthy skin, coarser and deeper ones where a plaque has thickened it; in mm."""
    fine = micro_relief(person, chart_mm, mm_per_px)
    if not bool((inside > 0.02).any()):
        return np.asarray(person.relief_mm * fine, np.float32)
    coarse = micro_relief(person, chart_mm, mm_per_px, finish.lichen_angle, finish.coarse)
    thick = np.clip(maps.height_mm / 0.6, 0.0, 1.5)
    mixed = fine * (1.0 - 0.55 * inside * np.minimum(thick, 1.0)) + coarse * inside * thick * np.float32(
        finish.wrinkle * 1.7
    )
    return np.asarray(person.relief_mm * mixed, np.float32)


def _tinge(person: Person, finish: Finish) -> Field:
    """Factor on colour by which lesional skin (its blood's saturation, its scattering) differs from healthy skin with as much blood."""
    melanin, blood = np.array(person.melanin), np.array(min(6.0 * person.blood, 0.2))
    scattering = 1.0 + (finish.scattering - 1.0) * (1.0 - 0.8 * darkness(person))
    own = linear_rgb(reflectance(melanin, blood, person.saturation))
    lesional = linear_rgb(reflectance(melanin, blood, finish.saturation, scattering))
    return np.asarray(np.clip(lesional / np.maximum(own, 1e-4), 0.5, 1.6), np.float32)


def _add_scale(
    colour: Field, height: Field, gloss: Field, chart_mm: Field, mm_per_px: float, maps: LesionMaps, finish: Finish
) -> tuple[Field, Field]:
    """Lay scale over `colour` (changed in place); gives the new relief and shine."""
    for kind, look in finish.looks.items():
        where = (maps.scale_kind == int(kind)) & (maps.scale_cover > 0.02)
        if kind == ScaleKind.NONE or not where.any():
            continue
        alpha, rgb, thick = scale_layer(kind, maps.scale_cover[where], chart_mm[where], mm_per_px, look)
        under = colour[where]
        thin = np.minimum(1.0, 0.25 + alpha)[:, None]  # thin scale lets the red through
        veil = under * 1.25 + 0.07 * finish.whiteness  # seen through thin scale
        colour[where] = under + alpha[:, None] * (
            rgb * (finish.whiteness * thin) + veil * (1 - finish.whiteness * thin) - under
        )
        height[where] += np.float32(0.6) * thick
        gloss[where] *= 1.0 - 0.75 * alpha
    return height, gloss
