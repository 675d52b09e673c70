"""One close-up: scene, person, disease, light, camera, and its exact and outlined truth; each depends only on (seed, index, preset, size)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom import backdrop as behind
from pasi_vision.phantom import marks
from pasi_vision.phantom.bodies import SITES, body_view
from pasi_vision.phantom.camera import draw_camera, photograph, reduced, stored
from pasi_vision.phantom.disease import draw_plaques, draw_style
from pasi_vision.phantom.geometry import Canvas, Shell, surface_of
from pasi_vision.phantom.light import Light, draw_light, falloff_map
from pasi_vision.phantom.negatives import draw_negative
from pasi_vision.phantom.outline import GRID, consensus, draw_pen, trace, visibility
from pasi_vision.phantom.paint import Anatomy, Finish, paint
from pasi_vision.phantom.picture import Picture
from pasi_vision.phantom.plaques import LesionMaps, Plaque, ScaleKind, lesion_maps
from pasi_vision.phantom.preset import CloseUpPreset
from pasi_vision.phantom.scale import draw_look
from pasi_vision.phantom.scenes import builders
from pasi_vision.phantom.skin import Person, draw_person
from pasi_vision.phantom.surface import NOT_SKIN_PARTS, Part, Surface

Field = NDArray[np.float32]
#: Which kind of scene decides the style of lesions on a body site, and which flat scene stands in where no camera sees the site.
STYLES = {"body_hand": "hand_back", "body_palm": "palm", "body_foot": "foot_back", "body_sole": "sole", "body_face": "face", "body_ear": "face",
          "body_neck": "face", "body_elbow": "joint", "body_knee": "joint", "body_trunk": "trunk", "body_fold": "fold"}  # fmt: skip
FLAT_TWINS = STYLES | {"body_ear": "patch", "body_neck": "patch", "body_face": "patch"}

Rng = np.random.Generator
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class CloseUp(Picture):
    """A finished close-up; its outline is the majority of the simulated raters.

    Attributes:
        votes: (H, W) uint8, share of raters who drew around a pixel x 255.
    """

    votes: Bytes = field(kw_only=True)


def render_closeup(seed: int, index: int, preset: CloseUpPreset, size: int = 448) -> CloseUp:
    """Draw close-up number `index` of a set.

    Args:
        seed: The set's seed.
        index: Number of the picture; pictures do not depend on each other.
        preset: What to draw from.
        size: Longer side in px.
    """
    rng = np.random.default_rng([seed, index, 4711])
    scene = _pick(rng, preset.scenes)
    shape = _shape(rng, preset, size)
    enlarge = 1.0 if rng.random() < 0.5 else float(rng.uniform(*preset.camera_scale))
    enlarge = max(enlarge, preset.camera_min_px / size)
    full = (max(2, int(shape[0] * enlarge) // 2 * 2), max(2, int(shape[1] * enlarge) // 2 * 2))
    low, high = preset.frame_mm.get(scene, preset.frame_mm["other"])
    width_mm = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * full[1] / max(full)
    half = Canvas(full[0] // 2, full[1] // 2, 2.0 * width_mm / full[1])
    person = draw_person(rng, preset.tones)
    seen = body_view(scene, half, rng, (seed, index), person) if scene in SITES else None
    if seen is not None:
        shell, surface, half = seen.shell, seen.surface, Canvas(half.height, half.width, seen.shell.pixel_mm)
        person = replace(person, hair=person.hair * (0.3 if seen.female else 1.0))
    else:
        scene = FLAT_TWINS.get(scene, scene)
        shell = builders()[scene](half, rng)
        surface = surface_of(shell, half, (float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))))
    kind = STYLES.get(scene, scene)
    style = draw_style(rng, kind)
    clear = rng.random() < preset.clear
    plaques = [] if clear else draw_plaques(rng, _spots(surface, half, rng), half.size_mm, style, kind, shell.axis, float((surface.region > 0).mean()))
    plaques += _after_marks(rng, surface, half, preset, shell.axis)
    negative = ""
    if rng.random() < (4.0 * preset.negatives if clear else 0.5 * preset.negatives):
        negative, spots = draw_negative(rng, _spots(surface, half, rng), half.size_mm[0], shell.axis)
        plaques = spots + plaques
    maps = lesion_maps(plaques, surface.place_mm, surface.rest_normal)
    picture, alpha = _picture(rng, (scene, preset, full, half, shell.axis), (shell, surface, person, maps), (style.saturation, shape, seen.hair if seen is not None else float(rng.uniform(0.1, 0.6))))
    alive = np.array([plaque.active for plaque in plaques] + [False])[maps.plaque]
    outline, votes = _outlines(rng, preset, maps, surface, alive)
    truth = _masks(maps, surface, alpha, shape)
    if not truth[1].any():
        outline, votes = np.zeros_like(outline), np.zeros_like(votes)
    facts: dict[str, float | str] = {
        "scene": scene, "ita_deg": person.ita_deg, "plaques": float(sum(p.active for p in plaques)), "frame_mm": half.size_mm[0],
        "erythema": float(maps.erythema.max()), "scale": style.scale_kind.name, "negative": negative,
    }  # fmt: skip
    regions, lesion, signs = truth
    drawn = np.where(regions > 0, _to(outline, shape, 255), 0).astype(np.uint8)
    return CloseUp(picture, regions, lesion, drawn, signs, facts, votes=np.where(regions > 0, _to(votes, shape, 1, smooth=True), 0).astype(np.uint8))


def _pick(rng: Rng, shares: dict[str, float]) -> str:
    names = sorted(shares)
    weights = np.array([shares[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _shape(rng: Rng, preset: CloseUpPreset, size: int) -> tuple[int, int]:
    wide, high = (int(part) for part in _pick(rng, preset.aspects).split(":"))
    return (round(size * high / max(wide, high)), round(size * wide / max(wide, high)))


def _spots(surface: Surface, canvas: Canvas, rng: Rng) -> tuple[Field, Field, Field]:
    """Skin points that may become centres: likelier near the middle of the frame, as photographers aim."""
    skin = surface.skin
    rows, columns = np.nonzero(skin)
    if rows.size == 0:
        rows, columns = np.array([canvas.height // 2]), np.array([canvas.width // 2])
    pick = rng.choice(rows.size, min(rows.size, 3000), replace=False)
    rows, columns = rows[pick], columns[pick]
    away = ((rows / canvas.height - 0.5) ** 2 + (columns / canvas.width - 0.5) ** 2) / (2 * float(rng.uniform(0.2, 0.5)) ** 2)
    return surface.place_mm[rows, columns], surface.rest_normal[rows, columns], np.exp(-away).astype(np.float32) + 0.02


def _after_marks(rng: Rng, surface: Surface, canvas: Canvas, preset: CloseUpPreset, axis: float) -> list[Plaque]:
    """Flat brown, violet or pale marks of healed plaques: not lesion."""
    if rng.random() > 0.10 * preset.distract:
        return []
    place, normal, weight = _spots(surface, canvas, rng)
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


def _large(values: NDArray[np.generic], size: tuple[int, int], *, nearest: bool = False) -> NDArray[np.generic]:
    return np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR))


def _large_maps(maps: LesionMaps, size: tuple[int, int]) -> LesionMaps:
    found = {}
    for item in fields(maps):
        values = getattr(maps, item.name)
        if item.name == "lesion":
            found[item.name] = _large(values.astype(np.uint8), size, nearest=True).astype(bool)
        elif values.dtype == np.float32 and item.name not in ("erythema", "induration", "scaling"):
            found[item.name] = _large(values, size)
        else:
            found[item.name] = _large(values, size, nearest=True)
    return LesionMaps(**found)


Setting = tuple[str, CloseUpPreset, tuple[int, int], Canvas, float]


def _picture(rng: Rng, setting: Setting, body: tuple[Shell, Surface, Person, LesionMaps], end: tuple[float, tuple[int, int], float]) -> tuple[Bytes, Field]:
    """The photograph at the stored size, and the opacity of skin at half the camera's resolution."""
    _, preset, full, half, _ = setting
    shell, surface, person, maps = body
    saturation, shape, thickness = end
    mm = half.mm_per_px / 2
    light = draw_light(rng, preset.flash)
    chart, normal = _large(surface.chart_mm, full), _large(surface.normal, full)
    large = _large_maps(maps, full)
    if not preset.scale_layer:
        large = replace(large, scale_cover=np.zeros_like(large.scale_cover))
    overlay = _distractors(rng, setting, person, large)
    kinds = {ScaleKind(int(k)) for k in np.unique(maps.scale_kind)} - {ScaleKind.NONE}
    finish = Finish(
        saturation=saturation,
        looks={kind: draw_look(rng, kind, shell.axis) for kind in sorted(kinds)},
        coarse=float(rng.uniform(1.6, 3.5)),
        wrinkle=float(rng.uniform(0.4, 1.8)),
        lichen_angle=float(rng.uniform(0, 3.14)),
        whiteness=float(rng.uniform(0.45, 0.95)),
    )
    anatomy = Anatomy(*(_large(getattr(shell, name), full) for name in ("melanin", "blood", "gloss", "relief_mm")), tuple((_large(a, full), c) for a, c in shell.paint))
    radiance = paint(chart, normal, mm, person, anatomy, large, overlay, finish, light)
    radiance, hidden = _hair(rng, radiance, _large(shell.part, full, nearest=True), person, (mm, setting[0], shell.axis, thickness), large)
    inside = _large(shell.inside_mm, full) / mm
    alpha = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    radiance, alpha = _surround(rng, preset, radiance, alpha, light)
    camera = draw_camera(rng, preset.cast)
    picture = photograph(radiance, camera, rng, alpha)
    if rng.random() < preset.watermark:
        _watermark(rng, picture)
    picture = reduced(stored(picture, camera.quality), shape)
    alpha = np.where(hidden > 0.72, 0.0, alpha).astype(np.float32)
    return picture, cv2.resize(alpha, (half.width, half.height), interpolation=cv2.INTER_AREA)


def _distractors(rng: Rng, setting: Setting, person: Person, maps: LesionMaps) -> marks.Overlay:
    scene, preset, full, half, axis = setting
    mm = half.mm_per_px / 2
    overlay = marks.empty_overlay(full)
    much = preset.distract
    if much <= 0:
        return overlay
    if rng.random() < 0.8:
        marks.add_spots(overlay, rng, person, mm)
    if rng.random() < 0.35 * much:
        marks.add_flush(overlay, rng, float(rng.uniform(0.15, 0.8)))
    if rng.random() < 0.07 * much:
        marks.add_tan_line(overlay, rng)
    if scene not in ("palm", "sole", "face") and rng.random() < 0.12 * much:
        marks.add_veins(overlay, rng, mm, axis)
    if scene in ("patch", "trunk", "fold", "limb") and rng.random() < 0.07 * much:
        marks.add_stretch_marks(overlay, rng, mm, axis + float(rng.normal(0, 0.3)))
    if rng.random() < 0.07 * much:
        marks.add_scratches(overlay, rng, mm)
    if scene in ("patch", "trunk", "limb") and rng.random() < 0.04 * much:
        marks.add_tattoo(overlay, rng)
    if rng.random() < 0.18 and maps.lesion.any():
        marks.add_crusts(overlay, rng, mm, (maps.depth > 0.05).astype(np.float32))
    if STYLES.get(scene, scene) in ("palm", "sole"):
        where = np.clip(maps.depth * 4.0, 0, 1) * maps.lesion
        if rng.random() < 0.5:
            marks.add_horn(overlay, rng, where)
        if rng.random() < 0.5:
            marks.add_fissures(overlay, rng, mm, where, float(rng.uniform(0, 3.14)))
    return overlay


def _hair(rng: Rng, radiance: Field, part: Bytes, person: Person, look: tuple[float, str, float, float], maps: LesionMaps) -> tuple[Field, Field]:
    """Body hair, brows, beard and scalp hair over the skin."""
    mm, scene, axis, thickness = look
    size = part.shape
    tone = np.array([0.20, 0.13, 0.07], np.float32) * (1 - person.hair_melanin) ** 1.5 + np.array([0.012, 0.009, 0.007], np.float32)
    layers: list[tuple[Field, float]] = []
    density = {"limb": 1.0, "joint": 0.6, "patch": 0.5, "trunk": 0.5, "foot_back": 0.25, "hand_back": 0.3}.get(scene, 0.0) * max(person.hair - 0.25, 0.0)
    if density > 0.02:
        bare = np.isin(part, [int(Part.PALM), int(Part.SOLE), int(Part.FINGERNAIL), int(Part.TOENAIL)])
        thin = 1.0 - 0.6 * np.clip(maps.height_mm / 0.6, 0, 1)
        layers.append((marks.hair_layer(rng, size, density, mm, axis + float(rng.normal(0, 0.5)), np.where(bare, 0, thin).astype(np.float32)), 0.8))
    for kind, dense, long in ((Part.BROW, 6.0, 9.0), (Part.BEARD, 5.0, 6.0)):
        where = (part == int(kind)).astype(np.float32)
        if not where.any() or (kind == Part.BROW and scene in SITES):
            continue
        soft = cv2.GaussianBlur(where, (0, 0), max(1.0, 2.0 / mm))
        strength = float(rng.uniform(0.3, 1.0)) if kind != Part.BEARD else float(rng.uniform(0.2, 0.8))
        area = float(size[0] * size[1]) * mm * mm / 100
        count = int(min(dense * strength * 40 * area, 2600))
        field = marks.strokes(rng, size, count, (float(rng.uniform(0, 3.14)), 0.35, long / mm, 0.6), float(np.clip(0.12 / mm, 0.5, 2.5)))
        layers.append((field * np.clip(1.5 * soft, 0, 1), 0.95))
    for field, strength in layers:
        shadow = cv2.blur(np.roll(field, (2, 1), (0, 1)), (3, 3))
        radiance = radiance * (1 - 0.35 * strength * shadow[..., None])
        radiance = radiance + np.clip(strength * field, 0, 1)[..., None] * (tone * (0.6 + 0.8 * radiance.mean()) - radiance)
    hidden = np.zeros(size, np.float32)
    scalp = (part == int(Part.SCALP)).astype(np.float32)
    if scalp.mean() > 0.005 and thickness > 0.05:
        where = np.clip(1.6 * cv2.GaussianBlur(scalp, (0, 0), max(1.0, 3.0 / mm)) - 0.3, 0, 1)
        hidden, bright = marks.scalp_hair(rng, size, mm, where, thickness)
        light = 0.3 + 0.7 * cv2.GaussianBlur(radiance[..., 1], (0, 0), 8) / max(float(radiance[..., 1].mean()), 1e-3)
        radiance = radiance + hidden[..., None] * (tone * (0.35 + 1.5 * bright * light)[..., None] - radiance)
    dense = cv2.GaussianBlur(hidden, (0, 0), max(2.0, 4.0 / mm))  # single strands do not cut a lesion
    return np.asarray(radiance, np.float32), dense


def _surround(rng: Rng, preset: CloseUpPreset, radiance: Field, alpha: Field, light: Light) -> tuple[Field, Field]:
    """Put the body before its background and clothing over it."""
    size = alpha.shape
    fall = falloff_map(light, size) * light.behind
    if float(alpha.min()) < 1.0:
        kind = _pick(rng, preset.backdrops)
        scene = behind.backdrop(rng, size, kind) * (fall * behind.cast_shadow(alpha, rng))[..., None]
        radiance = scene + alpha[..., None] * (radiance - scene)
    if rng.random() < preset.garment:
        cover, cloth = behind.garment(rng, size)
        radiance = radiance + cover[..., None] * (cloth * falloff_map(light, size)[..., None] - radiance)
        alpha = alpha * (1 - cover)
    return radiance.astype(np.float32), alpha.astype(np.float32)


def _watermark(rng: Rng, picture: Bytes) -> None:
    """A logo or semi-transparent text, lower left or across the middle, or a date stamp."""
    height, width = picture.shape[:2]
    text = "".join(rng.choice(list("ABDEGLMNRSTaeilnorst. "), int(rng.integers(7, 16))))
    where = int(rng.integers(3))
    scale = width / 640 * float(rng.uniform(0.5, 1.1))
    at = ((int(0.02 * width), int(0.97 * height)), (int(0.3 * width), int(0.52 * height)), (int(0.72 * width), int(0.96 * height)))[where]
    layer = np.zeros((height, width), np.uint8)
    colour = np.array([255, 255, 255]) if where < 2 or rng.random() < 0.5 else np.array([255, 150, 30])
    cv2.putText(layer, text if where < 2 else f"{int(rng.integers(1, 13))}.{int(rng.integers(1, 29))}.{int(rng.integers(98, 120))}", at, int(rng.integers(0, 4)), scale, 255, max(1, round(2 * scale)), cv2.LINE_AA)
    share = (layer.astype(np.float32) / 255 * float(rng.uniform(0.25, 0.9)))[..., None]
    picture[:] = np.clip(picture + share * (colour - picture), 0, 255).astype(np.uint8)


def _outlines(rng: Rng, preset: CloseUpPreset, maps: LesionMaps, surface: Surface, alive: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Field]:
    """Majority and share of the simulated raters, on the outline grid."""
    shape = surface.shape
    scale = GRID / max(shape)
    size = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    red = np.clip((maps.blood_factor - 1.05) / 2.2, 0, 1) * alive
    strength = cv2.resize(red.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(maps.scale_cover * alive, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    skin = cv2.resize(surface.skin.astype(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST) > 0
    seen = visibility(strength, cover, shape) * skin
    near = cv2.dilate(skin.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    habit = preset.outline.generous, float(np.exp(rng.normal(0.0, 0.25))) * (2.3 if rng.random() < preset.outline.lumped else 1.0)
    votes = [trace(seen, draw_pen(rng, *habit)) & near for _ in range(preset.outline.raters)]
    return consensus(votes), np.mean(votes, axis=0).astype(np.float32) * np.float32(255)


def _masks(maps: LesionMaps, surface: Surface, alpha: Field, shape: tuple[int, int]) -> tuple[Bytes, Bytes, Bytes]:
    """Regions, lesion and signs at the stored size."""
    open_skin = alpha > 0.5
    regions = np.where(open_skin, surface.region, 0).astype(np.uint8)
    bare = np.isin(surface.part, [int(part) for part in NOT_SKIN_PARTS])
    inside = np.where(open_skin & ~bare & maps.lesion, np.float32(255), np.float32(0))
    lesion = np.where(cv2.resize(inside, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR) > 127.5, 255, 0).astype(np.uint8)
    regions = cv2.resize(regions, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    lesion[regions == 0] = 0
    signs = np.stack([maps.erythema, maps.induration, maps.scaling], -1) * 60
    signs = cv2.resize(np.rint(signs).astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    signs[lesion == 0] = 0
    return regions, lesion, np.ascontiguousarray(signs)


def _to(values: NDArray[np.generic], shape: tuple[int, int], scale: float, *, smooth: bool = False) -> Bytes:
    grown = cv2.resize(values.astype(np.float32) * np.float32(scale), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.rint(grown).astype(np.uint8) if smooth else np.where(grown > 127.5, 255, 0).astype(np.uint8)
