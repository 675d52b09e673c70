"""Where psoriasis sits on a body: plaques by site preference, in three size classes, nearly symmetric, until each region has its share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, body_model
from pasi_vision.phantom.plaques import (
    ERYTHEMA_BLOOD_FACTOR,
    INDURATION_HEIGHT_MM,
    SCALING_COVER,
    Plaque,
    ScaleKind,
    unpenned,
)
from pasi_vision.phantom.rays import quad_areas_mm2
from pasi_vision.phantom.shapes import ELLIPSE, library
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.truth import region_surfaces_mm2

Rng = np.random.Generator

#: Density of plaques per area by part, relative to the trunk: first sites elbows, knees, scalp, sacrum
#: (Griffiths & Barker, Lancet 2007;370:263).
_DENSITY: Mapping[Part, float] = {
    Part.SCALP: 5, Part.FACE: 0.35, Part.EYELID: 0.1, Part.EAR: 1.5, Part.NECK: 0.7, Part.BROW: 0.3,
    Part.CHEST: 0.7, Part.AREOLA: 0.1, Part.ABDOMEN: 1.1, Part.NAVEL: 3, Part.BACK: 1.3, Part.AXILLA: 0.5, Part.GROIN: 0.5,
    Part.BUTTOCK: 1.8, Part.UPPER_ARM: 1, Part.ELBOW: 12, Part.FOREARM: 2, Part.HAND_BACK: 1, Part.PALM: 0.4, Part.FINGER: 0.4,
    Part.THIGH: 1, Part.KNEE: 9, Part.SHIN: 2.2, Part.FOOT_BACK: 0.5, Part.SOLE: 0.4, Part.TOE: 0.2,
}  # fmt: skip

#: Largest equivalent radius in mm where the body is small or sharply bent; 70 elsewhere.
_LARGEST_MM: Mapping[Part, float] = {
    Part.SCALP: 32, Part.FACE: 16, Part.EYELID: 5, Part.EAR: 9, Part.NECK: 24, Part.BROW: 6, Part.NAVEL: 10,
    Part.AXILLA: 28, Part.GROIN: 28,
    Part.UPPER_ARM: 38, Part.ELBOW: 40, Part.FOREARM: 32, Part.HAND_BACK: 18, Part.PALM: 22, Part.FINGER: 6,
    Part.KNEE: 48, Part.SHIN: 42, Part.FOOT_BACK: 24, Part.SOLE: 28, Part.TOE: 6,
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A clinical form: shares of the three size classes by area, their sizes, and which parts it prefers.

    Attributes:
        share: Chance of the form among patients.
        large, medium: Share of the affected area in large and in medium plaques; the rest is papules and drops.
        large_mm, medium_mm, small_mm: Median equivalent radii.
        prefer: Factors on the density of some parts.
    """

    name: str
    share: float
    large: float
    medium: float
    large_mm: float
    medium_mm: float
    small_mm: float
    prefer: Mapping[Part, float]


FORMS = (
    Form("plaque", 0.62, 0.62, 0.28, 26, 10, 3.5, {}),
    Form("small_plaque", 0.14, 0.12, 0.68, 18, 8, 3.2, {}),
    Form(
        "guttate",
        0.10,
        0.0,
        0.25,
        14,
        5.5,
        3.4,
        {Part.ELBOW: 0.15, Part.KNEE: 0.15, Part.CHEST: 2, Part.BACK: 1.6, Part.SCALP: 0.3},
    ),
    Form("palmoplantar", 0.06, 0.55, 0.35, 22, 9, 3.0, {Part.PALM: 40, Part.SOLE: 40, Part.FINGER: 8, Part.TOE: 6}),
    Form(
        "inverse",
        0.04,
        0.6,
        0.3,
        22,
        10,
        3.0,
        {Part.AXILLA: 30, Part.GROIN: 40, Part.NAVEL: 5, Part.ELBOW: 0.2, Part.KNEE: 0.2},
    ),
    Form("scalp", 0.04, 0.5, 0.35, 18, 8, 3.0, {Part.SCALP: 4, Part.EAR: 4, Part.NECK: 2}),
)

_PALMOPLANTAR = (Part.PALM, Part.SOLE)
_FOLDS = (Part.AXILLA, Part.GROIN, Part.NAVEL)
_JOINTS = (Part.ELBOW, Part.KNEE)
_TRUNK = (Part.CHEST, Part.ABDOMEN, Part.BACK, Part.AREOLA, Part.BUTTOCK)
_THIN = (Part.FACE, Part.EYELID, Part.BROW, Part.EAR)


@dataclass(frozen=True)
class Severity:
    """What a patient's untreated disease amounts to in each region: affected share (0-100) and typical grades 0-4 (E, I, S)."""

    area_percent: Mapping[Region, float]
    grades: Mapping[Region, tuple[float, float, float]]


def draw_form(rng: Rng) -> Form:
    """A clinical form by its share."""
    shares = np.array([form.share for form in FORMS])
    return FORMS[int(rng.choice(len(FORMS), p=shares / shares.sum()))]


def draw_severity(rng: Rng, median_bsa_percent: float = 11.0) -> Severity:
    """From mild to severe: log-normal body surface (P10 about 3 %, P90 about 35 %), regions and signs varying about it."""
    total = float(np.clip(median_bsa_percent * np.exp(rng.normal(0, 0.95)), 0.3, 75.0))
    spread = {Region.HEAD_NECK: 0.75, Region.UPPER_LIMBS: 1.1, Region.TRUNK: 0.9, Region.LOWER_LIMBS: 1.1}
    area = {
        region: float(np.clip(total * factor * np.exp(rng.normal(0, 0.5)), 0.0, 80.0))
        for region, factor in spread.items()
    }
    for region in Region:
        if region is not Region.LOWER_LIMBS and rng.random() < 0.06:
            area[region] = 0.0
    level = rng.normal(2.3 + 0.25 * np.log(max(total, 1.0) / 10.0), 0.6)
    own = level + rng.normal(0, 0.55, 3) + np.array([0.6, 0.0, 0.0])
    grades = {}
    for region in Region:  # regions differ, as they do in clinicians' scores
        erythema, induration, scaling = np.clip(own + rng.normal(0, 0.25) + rng.normal(0, 0.35, 3), 1.0, 4.0)
        grades[region] = (float(erythema), float(induration), float(scaling))
    return Severity(area, grades)


def place_plaques(body: Body, severity: Severity, form: Form, rng: Rng, *, most: int = 220) -> list[Plaque]:
    """Plaques over the whole body, at most about `most` a region. Overlaps merge: the share comes out near the severity's, not exactly."""
    quads = quad_areas_mm2(body.rest_mm)
    surfaces = region_surfaces_mm2(body)
    labels = atlas()
    density = np.array(
        [_DENSITY.get(Part(code), 0.0) * form.prefer.get(Part(code), 1.0) for code in range(max(Part) + 1)]
    )
    weight = density[labels.part] * quads * _patches(rng)
    plaques: list[Plaque] = []
    kind = ScaleKind(int(rng.choice([1, 2, 3, 6], p=[0.4, 0.36, 0.18, 0.06])))
    for region in Region:
        wanted = severity.area_percent[region] / 100.0 * surfaces[region] * 1.12  # overlaps take about a tenth
        here = np.where(labels.region == region.code, weight, 0.0)
        if wanted <= 0 or here.sum() <= 0:
            continue
        chances = here / here.sum()
        placed, start = 0.0, len(plaques)
        cumulated = np.cumsum(chances)
        size = float(
            np.clip((severity.area_percent[region] / 8.0) ** 0.3, 0.8, 2.0)
        )  # severe disease has larger plaques
        while placed < wanted and len(plaques) - start < most:
            quad = min(int(np.searchsorted(cumulated, rng.random())), len(chances) - 1)
            new = _pair(
                body,
                quad,
                size * _radius(form, Part(int(labels.part[quad])), wanted - placed, rng),
                severity,
                kind,
                rng,
            )
            plaques += new
            placed += sum(np.pi * plaque.radius_mm**2 for plaque in new)
            if new[0].radius_mm > 8:
                satellites = _satellites(body, new[0], severity, kind, rng)
                plaques += satellites
                placed += sum(np.pi * plaque.radius_mm**2 for plaque in satellites)
    return plaques


def _patches(rng: Rng) -> NDArray[np.float64]:
    """A smooth random factor over the body, so that disease gathers in places: log-normal from a few waves in space."""
    centre = atlas().centre_mm.astype(np.float64)
    field = np.zeros(len(centre))
    for _ in range(6):
        wave = rng.normal(0, 1, 3) * 2 * np.pi / rng.uniform(150, 500)
        field += np.cos(np.abs(centre * [1, 1, 1]) @ wave + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.exp(0.45 * field))


def _radius(form: Form, part: Part, left_mm2: float, rng: Rng) -> float:
    """A radius in mm: the class chosen so that areas come out in the form's shares."""
    sizes = np.array([form.large_mm, form.medium_mm, form.small_mm])
    shares = np.array([form.large, form.medium, 1 - form.large - form.medium])
    counts = shares / sizes**2
    chosen = int(rng.choice(3, p=counts / counts.sum()))
    radius = float(sizes[chosen] * np.exp(rng.normal(0, (0.45, 0.4, 0.35)[chosen])))
    largest = min(_LARGEST_MM.get(part, 70.0), max(1.5 * np.sqrt(left_mm2 / np.pi), 2.0))
    return float(np.clip(radius, 1.5, largest))


def _pair(body: Body, quad: int, radius: float, severity: Severity, kind: ScaleKind, rng: Rng) -> list[Plaque]:
    """A plaque and, more often than not, its counterpart on the other side."""
    first = _plaque_at(body, quad, radius, severity, kind, rng)
    if rng.random() > 0.6:
        return [first]
    other = int(_mirror()[quad])
    spot = body.rest_mm[body_model().fine.quads[other]].mean(axis=0) + rng.normal(0, 6 + 0.3 * radius, 3)
    near = _nearest(body, spot, atlas().region[quad])
    return [
        first,
        _plaque_at(body, near, float(np.clip(radius * np.exp(rng.normal(0, 0.25)), 1.5, 70)), severity, kind, rng),
    ]


def _satellites(body: Body, main: Plaque, severity: Severity, kind: ScaleKind, rng: Rng) -> list[Plaque]:
    """Papules of 2-6 mm within a few centimetres of a plaque."""
    number = int(rng.poisson(2.0 if main.radius_mm > 15 else 0.8))
    found = []
    for _ in range(number):
        offset = rng.normal(0, 1, 3)
        offset *= (main.radius_mm * rng.uniform(1.15, 2.2) + 3) / np.linalg.norm(offset)
        near = _nearest(body, np.asarray(main.centre_mm) + offset, None)
        found.append(_plaque_at(body, near, float(np.exp(rng.normal(np.log(2.6), 0.4))), severity, kind, rng))
    return found


def _plaque_at(body: Body, quad: int, radius: float, severity: Severity, kind: ScaleKind, rng: Rng) -> Plaque:
    model = body_model()
    corners = model.fine.quads[quad]
    mix = rng.dirichlet(np.ones(4))
    place, normal = mix @ body.rest_mm[corners], mix @ body.rest_normals[corners]
    normal = normal / np.linalg.norm(normal)
    part = Part(int(atlas().part[quad]))
    region = int(atlas().region[quad])
    radius = min(radius, _LARGEST_MM.get(part, 70.0))
    tangent = _tension(body, region, part, place, normal, rng)
    small = radius < 7
    shape = ELLIPSE if small or rng.random() < 0.2 else int(rng.integers(len(library()[1])))
    typical = severity.grades[list(Region)[region - 1]]
    grades = np.clip(np.asarray(typical) + rng.normal(0, 0.35, 3) - (0.3 if small else 0.0), 0.6, 4.0)
    grades, kind = _by_site(part, grades, kind)
    plaque = Plaque(
        centre_mm=(float(place[0]), float(place[1]), float(place[2])),
        normal=(float(normal[0]), float(normal[1]), float(normal[2])),
        tangent=(float(tangent[0]), float(tangent[1]), float(tangent[2])),
        radius_mm=float(radius),
        shape=shape,
        stretch=float(np.exp(abs(rng.normal(0, 0.25)))) if shape == ELLIPSE else 1.0,
        border_mm=float(np.clip(np.exp(rng.normal(np.log(1.8), 0.35)), 0.5, 0.35 * radius)),
        border_variation=float(rng.uniform(0.3, 0.6)),
        roughness=float(rng.uniform(0.03, 0.12)) if not small else 0.05,
        blood_factor=float(np.interp(grades[0], range(5), ERYTHEMA_BLOOD_FACTOR)),
        scale_cover=float(np.interp(grades[2], range(5), SCALING_COVER)),
        scale_kind=kind if grades[2] > 0.3 else ScaleKind.NONE,
        height_mm=float(np.interp(grades[1], range(5), INDURATION_HEIGHT_MM)),
        clearing=float(rng.uniform(0.5, 1.0)) if radius > 14 and rng.random() < 0.04 else 0.0,
        halo=float(rng.uniform(0.15, 0.4)) if rng.random() < 0.03 else 0.0,
        crease_scale=float(rng.uniform(0.3, 0.9)) if part in _JOINTS else float(rng.uniform(0, 0.3)),
        seed=int(rng.integers(2**31)),
    )
    return unpenned(plaque)


def _by_site(part: Part, grades: NDArray[np.float64], kind: ScaleKind) -> tuple[NDArray[np.float64], ScaleKind]:
    """Joints scale more, the trunk less, folds hardly, faces are thin, palms and soles are horny (field guide, section 5)."""
    if part in _FOLDS:
        return grades * np.array([1.1, 0.8, 0.1]), ScaleKind.NONE
    if part in _THIN:
        return grades * np.array([0.85, 0.5, 0.7]), ScaleKind.DUST
    if part in _PALMOPLANTAR:
        return np.minimum(grades * np.array([0.9, 1.1, 1.2]), 4.0), ScaleKind.SHEETS if grades[
            2
        ] < 2.4 else ScaleKind.HORN
    if part in _JOINTS:
        return np.minimum(grades * np.array([1.0, 1.15, 1.25]), 4.0), ScaleKind.PLATES if grades[2] > 2.2 else kind
    return grades * np.array([1.0, 1.0, 0.7 if part in _TRUNK else 0.9]), kind


def _tension(
    body: Body, region: int, part: Part, place: NDArray[np.float64], normal: NDArray[np.float64], rng: Rng
) -> NDArray[np.float64]:
    """Direction of skin tension: belts round the trunk and neck, along the limbs, within about 20 degrees."""
    model, side = body_model(), "L" if place[0] > 0 else "R"
    along = np.array([1.0, 0.0, 0.0])
    if region == Region.UPPER_LIMBS.code:
        first, second = ("upperarm01", "lowerarm01") if part is Part.UPPER_ARM else ("lowerarm01", "wrist")
        along = body.joints_mm[model.bone(f"{second}.{side}")] - body.joints_mm[model.bone(f"{first}.{side}")]
    elif region == Region.LOWER_LIMBS.code:
        along = np.array([0.0, 0.0, 1.0])
    else:
        along = np.cross(normal, [0.0, 0.0, 1.0])
    along = along - (along @ normal) * normal
    if np.linalg.norm(along) < 1e-3:
        along = np.cross(normal, [0.0, 1.0, 0.0])
    along = along / np.linalg.norm(along)
    lean = rng.normal(0, 0.3)
    return np.asarray(np.cos(lean) * along + np.sin(lean) * np.cross(normal, along))


@lru_cache(maxsize=1)
def _mirror() -> NDArray[np.int64]:
    """For each fine quad the one at the mirrored place."""
    from scipy.spatial import cKDTree

    centre = atlas().centre_mm
    return np.asarray(cKDTree(centre).query(centre * np.array([-1, 1, 1], dtype=np.float32))[1], dtype=np.int64)


def _nearest(body: Body, place: NDArray[np.float64], region: int | None) -> int:
    """The fine quad of bare skin (of a region) nearest to a place."""
    centres = body.rest_mm[body_model().fine.quads[:, 0]]
    labels = atlas().region
    distance = np.linalg.norm(centres - place, axis=1)
    distance[(labels == 0) if region is None else (labels != region)] = np.inf
    return int(np.argmin(distance))


def faded(plaque: Plaque, share: float, tone_mark: float) -> Plaque:
    """The same plaque at `share` of its untreated strength: first scale, then thickness and redness, last its area goes.

    Cleared skin keeps a mark (`tone_mark`: added melanin, negative for pale), which is no lesion.
    """
    share = max(share, 0.0)
    size = min(share, 1.3) ** 0.25 if share > 0 else 0.5
    return replace(
        plaque,
        radius_mm=plaque.radius_mm * max(size, 0.5),
        blood_factor=1.0 + (plaque.blood_factor - 1.0) * min(share, 1.25) ** 0.8,
        scale_cover=min(plaque.scale_cover * min(share, 1.2) ** 1.2, 0.95),
        height_mm=plaque.height_mm * min(share, 1.25),
        mark=tone_mark * float(np.clip(1.0 - share, 0.0, 1.0)),
    )
