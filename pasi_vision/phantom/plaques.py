"""Plaques on a body: where they are, what they are made of physically, and which of it any point of the skin carries.

One engine for pictures (points = pixels) and for truth (points = samples of the body's faces). A plaque is an outline in the
tangent plane of its centre; points are laid into that plane by the azimuthal equal-area projection (the chord to the centre is
kept), which is exact for area on a sphere and nearly so on a limb.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.shapes import ELLIPSE, reaches, shape_distance

Field = NDArray[np.float32]
Columns = dict[str, NDArray[Any]]
Triple = tuple[float, float, float]


class ScaleKind(IntEnum):
    """What the scale of a plaque looks like (field guide, section 5)."""

    NONE = 0
    DUST = 1
    LAMELLAE = 2
    PLATES = 3
    SHEETS = 4
    HORN = 5
    COLLARETTE = 6


#: Physical anchors of the PASI grades 0-4, linear in between.
#: Erythema: factor by which dermal blood exceeds the same person's healthy skin (haemoglobin in plaques is 2-4 times that of
#: healthy skin by diffuse reflectance, which sees less of it the more a swollen dermis scatters; blood flow up to 13 times, Klemp &
#: Staberg, J Invest Dermatol 1983;81:259). With it and that scattering (`Finish`), grades 2 and 3 come out as red against light skin as
#: in photographs: da +12 and +16, dL -8 and -10 (field guide, section 4: +11 to +16, -5 to -8).
#: Induration: plaque elevation in mm (elevation card of the National Psoriasis Foundation score, 0.25 mm a step; Gottlieb et
#: al., J Drugs Dermatol 2003;2:260).
#: Scaling: share of the plaque under scale (PASI wording: none, fine on some, fine to coarse on most, coarse on nearly all,
#: thick on all; Fredriksson & Pettersson, Dermatologica 1978;157:238).
ERYTHEMA_BLOOD_FACTOR: tuple[float, ...] = (1.0, 2.4, 4.6, 7.8, 13.0)
INDURATION_HEIGHT_MM: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
SCALING_COVER: tuple[float, ...] = (0.0, 0.2, 0.45, 0.7, 0.95)

#: A site that carries no sign of at least this grade is healed: a mark, not a lesion.
ACTIVE_GRADE = 0.25


@dataclass(frozen=True)
class Plaque:
    """One plaque or papule.

    Attributes:
        centre_mm: Rest-pose position on the body.
        normal, tangent: Unit vectors of the rest pose; the outline's long axis lies along `tangent` (skin tension lines).
        radius_mm: Equivalent radius of the outline: its area is pi x radius_mm^2.
        shape: Index into `shapes.library()`, or `shapes.ELLIPSE`.
        stretch: Extra length to width.
        border_mm: Distance over which redness rises from 10 to 90 %.
        border_variation: 0-1; how much the border's width differs along the outline.
        warp: How far the plane bends under the outline, SD as a share of the radius: straight edges of a drawn shape become curved.
        roughness: Irregularity of the outline, SD as a share of the radius.
        blood_factor: Dermal blood relative to healthy skin of the same place (1 = none added).
        scale_cover: Share of the plaque under scale, 0-1.
        scale_kind: What that scale looks like.
        height_mm: Elevation of the plateau.
        clearing: 0-1; how far the centre has cleared (rings).
        halo: Pale ring: share by which blood falls around the plaque.
        mark: After-mark: added melanin (negative: pale) in units of the person's own melanin; no part of the lesion.
        crease_scale: How far scale and depth follow the skin's creases, 0-1.
        other: Of another disease: drawn, but never a lesion.
        seed: Decides this plaque's own irregularities.
    """

    centre_mm: Triple
    normal: Triple
    tangent: Triple
    radius_mm: float
    shape: int = ELLIPSE
    stretch: float = 1.0
    border_mm: float = 2.0
    border_variation: float = 0.5
    roughness: float = 0.05
    blood_factor: float = 3.0
    scale_cover: float = 0.5
    scale_kind: ScaleKind = ScaleKind.LAMELLAE
    height_mm: float = 0.5
    clearing: float = 0.0
    halo: float = 0.0
    mark: float = 0.0
    crease_scale: float = 0.0
    other: bool = False
    seed: int = 0
    warp: float = 0.0

    @property
    def grades(self) -> tuple[float, float, float]:
        """Erythema, induration and scaling, 0-4, of the plaque at its full strength."""
        return (erythema_grade(self.blood_factor), induration_grade(self.height_mm), scaling_grade(self.scale_cover))

    @property
    def active(self) -> bool:
        """Whether it is still a lesion (any sign at least `ACTIVE_GRADE`) rather than an after-mark."""
        return not self.other and max(self.grades) >= ACTIVE_GRADE

    @property
    def reach_mm(self) -> float:
        """Radius of the sphere outside which the plaque changes nothing."""
        extent = 1.0 if self.shape == ELLIPSE else float(reaches()[self.shape % len(reaches())])
        spread = (extent + 3.5 * (self.roughness + self.warp)) * float(np.sqrt(max(self.stretch, 1.0 / self.stretch)))
        return self.radius_mm * spread + 2.0 * self.border_mm + (6.0 if self.halo else 0.0)


@dataclass(frozen=True)
class LesionMaps:
    """What each point carries; all arrays have the points' shape.

    Attributes:
        lesion: bool; affected skin, exact: inside an active plaque's outline.
        distance_mm: float32; to the nearest outline, positive inside, -1e3 far from any plaque.
        depth: float32; 0 at the border ... 1 in the middle of a plaque.
        blood_factor: float32; dermal blood relative to healthy skin, 1 where nothing is added.
        scale_cover: float32; 0-1, local cover by scale.
        scale_kind: uint8 `ScaleKind`.
        height_mm: float32; elevation above the healthy surface.
        mark: float32; change of melanin as a share of the person's own.
        crease_scale: float32; 0-1.
        erythema, induration, scaling: float32 grades 0-4, 0 outside lesions.
        plaque: int32; index of the plaque that dominates, -1 for none.
    """

    lesion: NDArray[np.bool_]
    distance_mm: Field
    depth: Field
    blood_factor: Field
    scale_cover: Field
    scale_kind: NDArray[np.uint8]
    height_mm: Field
    mark: Field
    crease_scale: Field
    erythema: Field
    induration: Field
    scaling: Field
    plaque: NDArray[np.int32]


def erythema_grade(blood_factor: float) -> float:
    """Grade 0-4 of a blood factor (see `ERYTHEMA_BLOOD_FACTOR`)."""
    return float(np.interp(blood_factor, ERYTHEMA_BLOOD_FACTOR, range(5)))


def induration_grade(height_mm: float) -> float:
    """Grade 0-4 of an elevation (see `INDURATION_HEIGHT_MM`)."""
    return float(np.interp(height_mm, INDURATION_HEIGHT_MM, range(5)))


def scaling_grade(cover: float) -> float:
    """Grade 0-4 of a share of scale (see `SCALING_COVER`)."""
    return float(np.interp(cover, SCALING_COVER, range(5)))


def lesion_maps(plaques: Sequence[Plaque], place_mm: Field, rest_normal: Field) -> LesionMaps:
    """Evaluate all plaques at points of the body.

    Args:
        plaques: Any number; later ones win where equally deep.
        place_mm: (..., 3) rest-pose positions. Neighbours should lie near each other in memory (pixels, faces): that is fast.
        rest_normal: (..., 3) unit normals of the rest pose; a plaque never reaches skin that faces away from it.
    """
    shape = place_mm.shape[:-1]
    points = np.ascontiguousarray(place_mm.reshape(-1, 3), np.float32)
    normals = np.ascontiguousarray(rest_normal.reshape(-1, 3), np.float32)
    out = _empty(len(points))
    order = sorted(range(len(plaques)), key=lambda index: -plaques[index].radius_mm)
    for index, chosen in _near([plaques[i] for i in order], points):
        _add(out, plaques[order[index]], order[index], points, normals, chosen)
    return LesionMaps(**{name: value.reshape(shape) for name, value in out.items()})


def unpenned(plaque: Plaque) -> Plaque:
    """The same with a bent outline: the pen that drew the library's shapes was square, and its corners would show."""
    return plaque if plaque.shape == ELLIPSE else replace(plaque, warp=0.12)


def _empty(count: int) -> Columns:
    out: Columns = {
        name: np.zeros(count, np.float32)
        for name in ("depth", "scale_cover", "height_mm", "mark", "crease_scale", "erythema", "induration", "scaling")
    }
    out["lesion"] = np.zeros(count, np.bool_)
    out["distance_mm"] = np.full(count, -1e3, np.float32)
    out["blood_factor"] = np.ones(count, np.float32)
    out["scale_kind"] = np.zeros(count, np.uint8)
    out["plaque"] = np.full(count, -1, np.int32)
    return out


def _near(plaques: Sequence[Plaque], points: Field, block: int = 24) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each plaque with the indices of the points that it may touch: blocks of consecutive points are tested by their boxes."""
    if not plaques or not len(points):
        return
    starts = np.arange(0, len(points), block)
    low = np.minimum.reduceat(points, starts)
    high = np.maximum.reduceat(points, starts)
    within = np.arange(block)
    for index, plaque in enumerate(plaques):
        centre = np.asarray(plaque.centre_mm, np.float32)
        gap = np.maximum(0.0, np.maximum(low - centre, centre - high))
        hit = np.flatnonzero((gap * gap).sum(1) < plaque.reach_mm**2)
        if hit.size:
            chosen = (starts[hit][:, None] + within).ravel()
            yield index, chosen[chosen < len(points)]


def _in_plane(
    plaque: Plaque, points: Field, normals: Field, chosen: NDArray[np.intp]
) -> tuple[Field, Field, NDArray[np.intp]]:
    """Equal-area coordinates (u, v) in mm about the plaque's centre of those points that are near and face its way."""
    normal = np.asarray(plaque.normal, np.float32)
    tangent = np.asarray(plaque.tangent, np.float32)
    tangent = tangent - normal * float(tangent @ normal)
    tangent /= max(float(np.linalg.norm(tangent)), 1e-6)
    across = normal[[1, 2, 0]] * tangent[[2, 0, 1]] - normal[[2, 0, 1]] * tangent[[1, 2, 0]]
    offset = points[chosen] - np.asarray(plaque.centre_mm, np.float32)
    squared = np.einsum("ij,ij->i", offset, offset)
    near = np.flatnonzero(squared < np.float32(plaque.reach_mm) ** 2)
    near = near[normals[chosen[near]] @ normal > -0.5]
    offset = offset[near]
    u, v = offset @ tangent, offset @ across
    grow = np.sqrt(squared[near] / np.maximum(u * u + v * v, np.float32(1e-12)))
    grow = np.minimum(grow, np.float32(4.0))
    return u * grow, v * grow, chosen[near]


def _smooth(x: NDArray[np.floating[Any]]) -> Field:
    """Smooth step from 0 to 1 over x in [0, 1]."""
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


@lru_cache(maxsize=1)
def _own_noise() -> Field:
    """Three noises of a plaque's own (512, 512, 3): of its outline, of its border's width, and of its redness and scale in patches."""
    return np.ascontiguousarray(
        np.stack([fractal(2.0, 1, low=2.0), fractal(2.0, 3, low=2.0), fractal(1.1, 2, low=4.0)], -1)
    )


def _add(
    out: Columns,
    plaque: Plaque,
    index: int,
    points: Field,
    normals: Field,
    chosen: NDArray[np.intp],
) -> None:
    """Lay one plaque over the points that it may touch."""
    u, v, chosen = _in_plane(plaque, points, normals, chosen)
    radius = plaque.radius_mm
    root = float(np.sqrt(plaque.stretch))
    if not chosen.size:
        return
    phase = (plaque.seed * 0.381966) % 1.0, (plaque.seed * 0.754877) % 1.0
    period = np.float32(6.0 * radius)
    own = sample(_own_noise(), u / period + np.float32(phase[0]), v / period + np.float32(phase[1]))
    wobble, variation, patch = own[..., 0], own[..., 1], own[..., 2]
    if plaque.warp:
        u, v = u + wobble * np.float32(plaque.warp * radius), v + variation * np.float32(plaque.warp * radius)
    distance = shape_distance(plaque.shape, u / (radius * root), v * root / radius) * radius + wobble * (
        plaque.roughness * radius
    )
    keep = distance > -(
        1.6 * float(np.exp(2.5 * plaque.border_variation)) * plaque.border_mm + (6.0 if plaque.halo else 0.0)
    )
    chosen, distance, variation, patch = chosen[keep], distance[keep], variation[keep], patch[keep]
    if not chosen.size:
        return
    width = plaque.border_mm * np.exp(plaque.border_variation * variation)
    rise = _smooth(0.5 + distance / (1.6 * width))  # 10-90 % of this step spans about `width`
    depth = np.clip(distance / radius, -1.0, 1.0).astype(np.float32)
    cleared = plaque.clearing * _smooth((depth - 0.25) / 0.4)
    strength = rise * (1.0 - cleared)
    _write(out, plaque, index, chosen, (distance, width, depth, strength, patch, cleared))


def _write(
    out: Columns,
    plaque: Plaque,
    index: int,
    chosen: NDArray[np.intp],
    fields: tuple[Field, Field, Field, Field, Field, Field],
) -> None:
    distance, width, depth, strength, patch, cleared = fields
    blood = 1.0 + (plaque.blood_factor - 1.0) * strength * np.clip(1.0 + 0.32 * patch, 0.3, 2.0)
    if plaque.halo:
        ring = _smooth(1.0 + (distance + width) / 5.0) * (distance < -0.5 * width)
        blood = blood * (1.0 - plaque.halo * ring)
    collar = _smooth((distance - 0.3 * width - 0.3) / (0.5 * width + 0.05 * plaque.radius_mm + 0.4))
    cover = plaque.scale_cover
    local_cover = (
        np.clip(cover + (0.30 * patch) * min(1.0, 4.0 * cover * (1.05 - cover)), 0.0, 1.0) * collar * (1.0 - cleared)
    )
    if plaque.scale_kind == ScaleKind.COLLARETTE:
        local_cover = local_cover * (1.0 - 0.85 * _smooth((depth - 0.25) / 0.3))
    height = plaque.height_mm * _smooth(0.5 + distance / np.maximum(2.0 * width, 1.2)) * (1.0 - 0.8 * cleared)
    inside = (distance > 0) & (cleared < 0.6) & plaque.active
    previous = out["distance_mm"][chosen]
    wins = distance > previous
    won = chosen[wins]
    out["distance_mm"][won] = distance[wins]
    out["depth"][won] = depth[wins]
    out["scale_kind"][won] = int(plaque.scale_kind)
    out["crease_scale"][won] = plaque.crease_scale
    out["plaque"][won] = index
    old_blood = np.asarray(out["blood_factor"][chosen], np.float32)
    raised = np.where(
        blood > 1.0, np.maximum(old_blood, blood), np.where(old_blood <= 1.0, np.minimum(old_blood, blood), old_blood)
    )
    out["blood_factor"][chosen] = raised
    for name, values in (("scale_cover", local_cover), ("height_mm", height)):
        out[name][chosen] = np.maximum(np.asarray(out[name][chosen], np.float32), values)
    if plaque.mark:
        out["mark"][chosen] = np.asarray(out["mark"][chosen], np.float32) + plaque.mark * _smooth(
            0.5 + distance / (2.2 * width)
        )
    out["lesion"][chosen] |= inside
    grades = plaque.grades
    for name, grade in zip(("erythema", "induration", "scaling"), grades, strict=True):
        out[name][chosen] = np.maximum(np.asarray(out[name][chosen], np.float32), np.where(inside, grade, 0.0))
