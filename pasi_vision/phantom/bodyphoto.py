"""A photograph of a body: rays, skin, plaques, cloth, hair, backdrop, light and camera, with exact masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import backdrop as behind
from pasi_vision.phantom import marks
from pasi_vision.phantom.camera import Camera as Processing
from pasi_vision.phantom.camera import draw_camera, exposed_for, photograph, stored
from pasi_vision.phantom.card import lay_card
from pasi_vision.phantom.cloth import draw_clothes, dressed
from pasi_vision.phantom.complexion import anatomy_of
from pasi_vision.phantom.extras import Extras, aged, coated, on_body
from pasi_vision.phantom.hair import DENSE_HAIR, closing
from pasi_vision.phantom.light import Light, draw_light, falloff_map
from pasi_vision.phantom.paint import Finish, lesional_pigment, paint
from pasi_vision.phantom.picture import Picture
from pasi_vision.phantom.plaques import LesionMaps, Plaque, ScaleKind, lesion_maps
from pasi_vision.phantom.scale import draw_look
from pasi_vision.phantom.skin import Person
from pasi_vision.phantom.stage import stage_for
from pasi_vision.phantom.surface import Part, Surface
from pasi_vision.phantom.truth import GROWTH_MM, MERGE_GAP_MM
from pasi_vision.phantom.views import Shot

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rng = np.random.Generator

#: Clinic walls and cloths behind the protocol's views (field guide, section 10: plain, evenly lit).
CLINIC_BACKDROPS = {"blue": 0.28, "green": 0.22, "grey": 0.2, "white": 0.16, "black": 0.08, "purple_grey": 0.06}


@dataclass(frozen=True)
class Subject:
    """Who is photographed: skin, sex, hair of the head (0 bald - 1 thick) and the plaques of the day."""

    person: Person
    female: bool
    hair: float
    plaques: Sequence[Plaque]


@dataclass(frozen=True)
class Studio:
    """Where and how: light, camera processing, backdrop, what clothes are made of, whether a colour card lies beside the skin.

    `extras` decide what is worn or stuck on the skin on that day; nothing where there are none.
    """

    light: Light
    processing: Processing
    backdrop: str
    clothes: tuple[str, str]
    card: bool = False
    extras: Extras | None = None


def draw_studio(rng: Rng, *, variety: float = 1.0) -> Studio:
    """A clinic's light and camera: plain walls, soft light, small casts.

    Args:
        rng: Source of chance.
        variety: 1 for training sets (anything a clinic's camera does), 0.3 for a careful site.
    """
    names = sorted(CLINIC_BACKDROPS)
    shares = np.array([CLINIC_BACKDROPS[name] for name in names])
    light, camera = draw_light(rng, 0.45 * variety), draw_camera(rng, 0.6 * variety)
    light = replace(
        light,
        shine=light.shine * (0.25 + 0.5 * variety),
        falloff=light.falloff * (0.2 + 0.6 * variety),
        ambient=max(light.ambient, 0.3),
    )
    camera = replace(
        camera,
        target=float(np.clip(0.52 + variety * (camera.target - 0.5), 0.3, 0.7)),
        error_ev=0.8 * variety * camera.error_ev,
        noise=min(camera.noise, 1.0 + 4.0 * variety),
        blur_px=min(camera.blur_px, 0.6 + 1.2 * variety),
        defocus_px=variety * camera.defocus_px,
        saturation=float(np.clip(1.12 + variety * (camera.saturation - 1.12), 0.6, 1.7)),
        contrast=1.0 + (0.4 + 0.6 * variety) * (camera.contrast - 1.0),
    )
    return Studio(
        light=light,
        processing=camera,
        backdrop=names[int(rng.choice(len(names), p=shares / shares.sum()))],
        clothes=draw_clothes(rng),
    )


def photograph_body(shot: Shot, subject: Subject, studio: Studio, rng: Rng) -> Picture:
    """Photograph a subject: `rng` draws what differs from picture to picture (noise, distractors)."""
    surface = _prepared(shot.scene.view(shot.camera), shot.camera.focal_px)
    maps = maps_on(surface, subject.plaques)
    solid = surface.depth_mm > 0
    mm = _pixel_mm(surface)
    radiance = _skin(surface, subject, maps, studio, rng, mm)
    radiance, things = _worn(radiance, surface, studio, mm)
    radiance = dressed(rng, radiance, surface, studio.light, studio.clothes)
    radiance, hidden = _head_hair(surface, subject, rng, radiance, mm)
    hidden = hidden | things
    alpha = _soft(solid)
    wall = (
        behind.backdrop(rng, solid.shape, studio.backdrop)
        * (falloff_map(studio.light, solid.shape) * studio.light.behind)[..., None]
    )
    radiance = _lay(wall * behind.cast_shadow(alpha, rng)[..., None], radiance, alpha)
    if studio.card:
        radiance, laid = lay_card(radiance, solid, mm, studio.light, rng)
        hidden, surface = hidden | laid, _without(surface, laid)
    processing = exposed_for(studio.processing, subject.person.ita_deg, 0.2)
    # Who takes it sees to it that the body is well exposed; the wall has a say all the same.
    image = stored(photograph(radiance.astype(np.float32), processing, rng, alpha), processing.quality)
    return _with_masks(image, surface, maps, subject.plaques, hidden, mm)


def _worn(radiance: Field, surface: Surface, studio: Studio, mm: float) -> tuple[Field, Mask]:
    """Jewellery, plasters and gauze on the skin, and where they hide it."""
    if studio.extras is None:
        return radiance, np.zeros(surface.shape, bool)
    stage = stage_for(radiance, surface, surface.normal, mm, studio.light)
    on_body(studio.extras, stage)
    return stage.radiance, np.asarray(stage.cover > 0.5)


def _without(surface: Surface, covered: Mask) -> Surface:
    """The same where something lies on it: nothing of the body is seen there."""
    return replace(
        surface,
        region=np.where(covered, 0, surface.region).astype(np.uint8),
        part=np.where(covered, 0, surface.part).astype(np.uint8),
    )


def maps_on(surface: Surface, plaques: Sequence[Plaque]) -> LesionMaps:
    """Lesion maps (H, W) of a surface; pixels without skin carry nothing."""
    seen = surface.region.ravel() > 0
    place = surface.place_mm.reshape(-1, 3)[seen]
    near = _in_sight(plaques, place)
    found = lesion_maps([plaques[i] for i in near], place, surface.rest_normal.reshape(-1, 3)[seen])
    found = replace(found, plaque=np.append(near, -1).astype(np.int32)[found.plaque])
    empty = {"distance_mm": -1e3, "blood_factor": 1.0, "plaque": -1}
    full = {}
    for item in fields(found):
        values = getattr(found, item.name)
        spread = np.full(seen.shape, empty.get(item.name, 0), dtype=values.dtype)
        spread[seen] = values
        full[item.name] = spread.reshape(surface.shape)
    return LesionMaps(**full)


def _in_sight(plaques: Sequence[Plaque], place: Field, block: int = 4096) -> NDArray[np.int64]:
    """Indices of the plaques that may touch any of the points: tested by the boxes of blocks of consecutive points."""
    if not len(plaques) or not len(place):
        return np.zeros(0, dtype=np.int64)
    starts = np.arange(0, len(place), block)
    low, high = np.minimum.reduceat(place, starts), np.maximum.reduceat(place, starts)
    centre = np.array([plaque.centre_mm for plaque in plaques], dtype=np.float32)[:, None]
    reach = np.array([plaque.reach_mm for plaque in plaques])
    gap = np.maximum(0.0, np.maximum(low - centre, centre - high))
    return np.flatnonzero((gap**2).sum(axis=2).min(axis=1) < (reach + 1.0) ** 2)


def _prepared(surface: Surface, focal_px: float) -> Surface:
    """The same with normals towards the camera where there is nothing, and a chart without seams: the plane of the picture, in mm."""
    surface.normal[surface.depth_mm == 0] = (0.0, 0.0, -1.0)
    height, width = surface.shape
    scale = surface.depth_mm / np.float32(focal_px)
    x, y = np.arange(width, dtype=np.float32) - width / 2, np.arange(height, dtype=np.float32) - height / 2
    chart = np.stack([x[None, :] * scale, y[:, None] * scale], axis=-1)
    return replace(surface, chart_mm=chart.astype(np.float32))


def outline_in_view(lesion: Mask, skin: Mask, mm_per_px: float) -> Mask:
    """What a pen would enclose in the picture, by the same growth and gap in mm as on the skin itself (`truth`)."""
    if not lesion.any():
        return lesion
    half = MERGE_GAP_MM / 2 / mm_per_px
    swollen = _away(lesion) <= GROWTH_MM / mm_per_px + half
    padded = cv2.copyMakeBorder(swollen.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    deep = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] > half
    return np.asarray((deep | lesion) & skin)


def _away(mask: Mask) -> Field:
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _pixel_mm(surface: Surface) -> float:
    seen = surface.mm_per_px[surface.region > 0]
    return float(np.median(seen)) if seen.size else 1.0


def _soft(mask: Mask) -> Field:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6), np.float32)


def _lay(below: Field, above: Field, alpha: Field) -> Field:
    return np.asarray(below + alpha[..., None] * (above - below), np.float32)


def _skin(surface: Surface, subject: Subject, maps: LesionMaps, studio: Studio, rng: Rng, mm: float) -> Field:
    overlay = marks.empty_overlay(surface.shape)
    if rng.random() < 0.3:
        marks.add_flush(overlay, rng, float(rng.uniform(0.1, 0.5)))
    if rng.random() < 0.8:
        marks.add_spots(overlay, rng, subject.person, mm)
    if rng.random() < 0.1 and maps.lesion.any():
        marks.add_crusts(overlay, rng, mm, (maps.depth > 0.05).astype(np.float32))
    kinds = {ScaleKind(int(kind)) for kind in np.unique(maps.scale_kind)} - {ScaleKind.NONE}
    finish = Finish(
        saturation=float(rng.uniform(0.5, 0.98)),
        looks={kind: draw_look(rng, kind, 0.0) for kind in sorted(kinds)},
        scattering=float(rng.uniform(1.6, 3.2)),
        pigment=lesional_pigment(rng, subject.person),
        coarse=float(rng.uniform(1.6, 3.5)),
        wrinkle=float(rng.uniform(0.4, 1.8)),
        whiteness=float(rng.uniform(0.3, 0.8)),
    )
    anatomy = anatomy_of(surface, subject.person, rng, female=subject.female)
    if studio.extras is not None:
        anatomy = coated(studio.extras, anatomy, surface.part, mm)
        aged(studio.extras, overlay, surface, mm)
    radiance = paint(surface.chart_mm, surface.normal, mm, subject.person, anatomy, maps, overlay, finish, studio.light)
    return _body_hair(surface, subject, rng, radiance, mm)


_HAIRY = (Part.FOREARM, Part.SHIN, Part.THIGH, Part.CHEST, Part.ABDOMEN)


def _body_hair(surface: Surface, subject: Subject, rng: Rng, radiance: Field, mm: float) -> Field:
    density = max(subject.person.hair - 0.3, 0.0) * (0.15 if subject.female else 1.0)
    where = np.isin(surface.part, [int(part) for part in _HAIRY])
    if density < 0.03 or mm > 1.2 or not where.any():
        return radiance
    layer = marks.hair_layer(rng, surface.shape, density, mm, float(rng.normal(1.4, 0.4)), _soft(where))
    return _lay(radiance, np.broadcast_to(_hair_colour(subject.person) * 3, radiance.shape), 0.5 * layer)


def _hair_colour(person: Person) -> Field:
    light = np.array([0.20, 0.13, 0.07], np.float32) * np.float32((1 - person.hair_melanin) ** 1.5)
    return np.asarray(light + np.array([0.012, 0.009, 0.007], np.float32), np.float32)


def _head_hair(surface: Surface, subject: Subject, rng: Rng, radiance: Field, mm: float) -> tuple[Field, Mask]:
    """Hair over the scalp: strands that fall downwards from their roots; where it is dense no skin is seen."""
    scalp = surface.part == int(Part.SCALP)
    if subject.hair < 0.05 or not scalp.any():
        return radiance, np.zeros(surface.shape, bool)
    rows, columns = np.nonzero(scalp)
    long_mm = float(np.interp(subject.hair, [0, 0.5, 1], [2.5, 9, 18]))
    count = int(np.clip(len(rows) * mm * mm / 100 * 160 * subject.hair, 50, 7000))
    pick = rng.integers(0, len(rows), count)
    layer = np.zeros(surface.shape, np.uint8)
    tones = rng.integers(120, 256, count)
    length = long_mm / mm * rng.uniform(0.6, 1.3, count)
    normal = surface.normal[rows[pick], columns[pick]]
    lean = np.stack([0.8 * normal[:, 0], 0.25 + 0.75 * normal[:, 1]], axis=1) + rng.normal(0, 0.25, (count, 2))
    lean /= np.maximum(np.linalg.norm(lean, axis=1, keepdims=True), 0.6)
    thick = max(1, round(0.35 / mm))
    for row, column, tone, reach, way in zip(rows[pick], columns[pick], tones, length, lean, strict=True):
        middle, end = 0.5 * reach * way, reach * (way + np.array([0.0, 0.2]))
        points = np.array([[column, row], [column + middle[0], row + middle[1]], [column + end[0], row + end[1]]])
        cv2.polylines(layer, [np.round(points * 8).astype(np.int32)], False, int(tone), thick, cv2.LINE_AA, 3)
    tuft = layer.astype(np.float32) / np.float32(255)
    density = np.asarray(cv2.GaussianBlur((layer > 60).astype(np.float32), (0, 0), max(2.0, 3.0 / mm)), np.float32)
    solid = surface.depth_mm > 0
    # At the sides of a head hair closes long before it does in its middle.
    slant = 1.0 / np.clip(-surface.normal[..., 2], 0.25, 1.0)
    cover = np.maximum(tuft, closing(density, subject.hair, slant)) * solid
    bright = (0.4 + 0.9 * tuft) * np.clip(0.35 - 0.65 * surface.normal[..., 2], 0.1, 1.0)
    colour = _hair_colour(subject.person)[None, None, :] * (bright * 1.5)[..., None]
    # Single strands hide nothing; where hair covers most of the skin, nobody tells what is on it.
    wide = max(2.0, 2.5 / mm)
    around = np.maximum(cv2.GaussianBlur(solid.astype(np.float32), (0, 0), wide), 0.05)
    closed = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), wide) / around > DENSE_HAIR
    return _lay(radiance, colour, cover.astype(np.float32)), np.asarray(closed)


def _with_masks(
    image: NDArray[np.uint8], surface: Surface, maps: LesionMaps, plaques: Sequence[Plaque], hidden: Mask, mm: float
) -> Picture:
    skin = surface.skin & ~hidden
    regions = np.where(hidden, 0, surface.region).astype(np.uint8)
    alive = np.array([plaque.active for plaque in plaques] + [False])
    lesion = maps.lesion & skin
    whole = (lesion | ((maps.distance_mm > 0) & alive[maps.plaque])) & skin
    outline = outline_in_view(whole, skin, mm)
    signs = np.rint(np.stack([maps.erythema, maps.induration, maps.scaling], axis=-1) * 60).astype(np.uint8)
    signs[~lesion] = 0
    facts: dict[str, float | str] = {"mm_per_px": mm, "skin_share": float(skin.mean())}
    geometry = {
        "depth_mm": np.where(skin, surface.depth_mm, np.float32(0)),
        "place_mm": np.where(skin[..., None], surface.place_mm, np.float32(0)),
    }
    return Picture(
        image, regions, lesion.astype(np.uint8) * 255, outline.astype(np.uint8) * 255, signs, facts, geometry
    )
