"""One close-up: scene, person, disease, light, camera, and its exact and outlined truth.

Each picture depends only on (seed, index, preset, size).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN
from pasi_vision.phantom.bodies import PERSON, SITES, body_view
from pasi_vision.phantom.camera import draw_close_up_camera, exposed_for, photograph, reduced, stored
from pasi_vision.phantom.cloth import dressed
from pasi_vision.phantom.disease import Style, draw_plaques, draw_style
from pasi_vision.phantom.distractors import centre_choices, draw_after_marks, draw_overlay
from pasi_vision.phantom.extras import Extras, aged, erupted, in_frame, on_body, onto_skin
from pasi_vision.phantom.finish_skin import add_vellus
from pasi_vision.phantom.geometry import Canvas, Shell, surface_of
from pasi_vision.phantom.hair import DENSE_HAIR, add_hair
from pasi_vision.phantom.light import draw_light
from pasi_vision.phantom.negatives import draw_negative
from pasi_vision.phantom.outline import outlined
from pasi_vision.phantom.paint import Anatomy, Finish, lesional_pigment, paint
from pasi_vision.phantom.picture import Picture
from pasi_vision.phantom.plaques import LesionMaps, Plaque, ScaleKind, lesion_maps, unpenned
from pasi_vision.phantom.preset import CloseUpPreset
from pasi_vision.phantom.scale import draw_look
from pasi_vision.phantom.scenes import builders
from pasi_vision.phantom.setting import STYLES, Setting, pick
from pasi_vision.phantom.skin import Person, draw_person
from pasi_vision.phantom.stage import stage_for
from pasi_vision.phantom.surface import NOT_SKIN_PARTS, Surface, at_size
from pasi_vision.phantom.surroundings import add_watermark, surrounded

Field = NDArray[np.float32]
Rng = np.random.Generator
Bytes = NDArray[np.uint8]

#: Which flat scene stands in where no camera sees a body site.
FLAT_TWINS = STYLES | {"body_ear": "patch", "body_neck": "patch", "body_face": "patch", PERSON: "trunk"}
CLEAR_AT_A_DISTANCE = 0.75  # most people whom a photograph shows whole and dressed have healthy skin


@dataclass(frozen=True)
class CloseUp(Picture):
    """A finished close-up; its outline is the majority of the simulated raters.

    Attributes:
        votes: (H, W) uint8, share of raters who drew around a pixel x 255.
    """

    votes: Bytes = field(kw_only=True)


@dataclass(frozen=True)
class _Subject:
    """Whose skin is in view, and how it is shaped."""

    shell: Shell
    surface: Surface
    person: Person
    hair: float


@dataclass(frozen=True)
class _Ill:
    """What the skin carries, how it looks on that day, and whether it is pustular."""

    maps: LesionMaps
    style: Style
    pustular: bool


def render_closeup(seed: int, index: int, preset: CloseUpPreset, size: int = 448) -> CloseUp:
    """Draw close-up number `index` of a set.

    Args:
        seed: The set's seed.
        index: Number of the picture; pictures do not depend on each other.
        preset: What to draw from.
        size: Longer side in px.
    """
    rng = np.random.default_rng([seed, index, 4711])
    scene = pick(rng, preset.scenes)
    shape = _shape(rng, preset, size)
    setting, subject = _scene(rng, (seed, index), scene, preset, _frame(rng, preset, scene, shape, size))
    style = draw_style(rng, setting.style)
    plaques, negative = _disease(rng, setting, subject, style)
    surface = subject.surface
    extras = Extras(seed, index, preset.extras)
    plaques, pustular = erupted(extras, [unpenned(plaque) for plaque in plaques], setting.style)
    maps = lesion_maps(plaques, surface.place_mm, surface.rest_normal)
    if subject.hair < 0:
        subject = replace(subject, hair=float(rng.uniform(0.1, 0.6)) * preset.hair)
    image, alpha, others = _photograph(rng, setting, subject, _Ill(maps, style, pustular), extras, shape)
    alive = np.array([plaque.active for plaque in plaques] + [False])[maps.plaque]
    outline, votes = outlined(rng, preset.outline, maps, surface.skin, alive)
    regions, lesion, signs = _masks(maps, surface, alpha, shape)
    theirs = at_size(others * np.float32(255), shape) > 127.5
    lesion[theirs], signs[theirs] = 0, 0
    drawn = (regions > 0) & ~theirs & bool(lesion.any())
    regions[theirs] = OTHER_SKIN
    facts: dict[str, float | str] = {
        "scene": setting.scene,
        "ita_deg": subject.person.ita_deg,
        "plaques": float(sum(p.active for p in plaques)),
        "frame_mm": setting.half.size_mm[0],
        "erythema": float(maps.erythema.max()),
        "scale": style.scale_kind.name,
        "negative": negative,
        "pustular": float(pustular),
    }
    return CloseUp(
        image,
        regions,
        lesion,
        np.where(drawn & (at_size(outline * np.float32(255), shape) > 127.5), 255, 0).astype(np.uint8),
        signs,
        facts,
        votes=np.where(drawn, np.rint(at_size(votes, shape)), 0).astype(np.uint8),
    )


def _shape(rng: Rng, preset: CloseUpPreset, size: int) -> tuple[int, int]:
    """Height and width of the stored picture."""
    wide, high = (int(part) for part in pick(rng, preset.aspects).split(":"))
    return (round(size * high / max(wide, high)), round(size * wide / max(wide, high)))


def _frame(
    rng: Rng, preset: CloseUpPreset, scene: str, shape: tuple[int, int], size: int
) -> tuple[tuple[int, int], Canvas]:
    """Size of the camera's picture, and the frame in mm at half that resolution."""
    enlarge = 1.0 if rng.random() < 0.5 else float(rng.uniform(*preset.camera_scale))
    enlarge = max(enlarge, preset.camera_min_px / size)
    full = (max(2, int(shape[0] * enlarge) // 2 * 2), max(2, int(shape[1] * enlarge) // 2 * 2))
    low, high = preset.frame_mm.get(scene, preset.frame_mm["other"])
    width_mm = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * full[1] / max(full)
    return full, Canvas(full[0] // 2, full[1] // 2, 2.0 * width_mm / full[1])


def _scene(
    rng: Rng, who: tuple[int, int], scene: str, preset: CloseUpPreset, frame: tuple[tuple[int, int], Canvas]
) -> tuple[Setting, _Subject]:
    """The skin in view: a body by rays, or a flat scene; a hair of -1 is still to be drawn."""
    full, half = frame
    person = draw_person(rng, preset.tones)
    person = replace(person, hair=person.hair * preset.hair)
    seen = body_view(scene, half, rng, who, person, redness=preset.redness) if scene in SITES else None
    if seen is not None:
        half = Canvas(half.height, half.width, seen.shell.pixel_mm)
        person = replace(person, hair=person.hair * (0.3 if seen.female else 1.0))
        return Setting(scene, preset, full, half, seen.shell.axis), _Subject(
            seen.shell, seen.surface, person, seen.hair * preset.hair
        )
    scene = FLAT_TWINS.get(scene, scene)
    shell = builders()[scene](half, rng)
    surface = surface_of(shell, half, (float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))))
    return Setting(scene, preset, full, half, shell.axis), _Subject(shell, surface, person, -1.0)


def _disease(rng: Rng, setting: Setting, subject: _Subject, style: Style) -> tuple[list[Plaque], str]:
    """All spots that the lesion engine draws (psoriasis, after-marks, another dermatosis), and the name of the latter."""
    preset, half, surface = setting.preset, setting.half, subject.surface
    clear = rng.random() < (max(preset.clear, CLEAR_AT_A_DISTANCE) if setting.scene == PERSON else preset.clear)
    plaques: list[Plaque] = []
    if not clear:
        share = float((surface.region > 0).mean())
        choices = centre_choices(surface, half, rng)
        plaques = draw_plaques(rng, choices, half.size_mm, style, setting.style, setting.axis, share)
    plaques += draw_after_marks(rng, surface, half, preset, setting.axis)
    if rng.random() >= (4.0 if clear else 0.5) * preset.negatives:
        return plaques, ""
    negative, spots = draw_negative(rng, centre_choices(surface, half, rng), half.size_mm[0], setting.axis)
    return spots + plaques, negative


def _large_codes(values: Bytes, size: tuple[int, int]) -> Bytes:
    return np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_NEAREST), np.uint8)


def _large_steps(values: Field, size: tuple[int, int]) -> Field:
    return np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_NEAREST), np.float32)


def _large_maps(maps: LesionMaps, size: tuple[int, int]) -> LesionMaps:
    """Lesion maps at the camera's resolution."""
    smooth = {
        item.name: at_size(getattr(maps, item.name), size)
        for item in fields(maps)
        if getattr(maps, item.name).dtype == np.float32 and item.name not in ("erythema", "induration", "scaling")
    }
    steps = {name: _large_steps(getattr(maps, name), size) for name in ("erythema", "induration", "scaling")}
    plaque = np.asarray(cv2.resize(maps.plaque, (size[1], size[0]), interpolation=cv2.INTER_NEAREST), np.int32)
    lesion = _large_codes(maps.lesion.astype(np.uint8), size).astype(bool)
    return LesionMaps(lesion=lesion, scale_kind=_large_codes(maps.scale_kind, size), plaque=plaque, **smooth, **steps)


def _photograph(
    rng: Rng, setting: Setting, subject: _Subject, ill: _Ill, extras: Extras, shape: tuple[int, int]
) -> tuple[Bytes, Field, Field]:
    """The photograph at the stored size; the opacity of the patient's and of others' skin at half the camera's resolution."""
    maps, style = ill.maps, ill.style
    full, half, shell, preset = setting.full, setting.half, subject.shell, setting.preset
    light = draw_light(rng, preset.flash)
    large = _large_maps(maps, full)
    if not preset.scale_layer:
        large = replace(large, scale_cover=np.zeros_like(large.scale_cover))
    overlay = draw_overlay(rng, setting, subject.person, large)
    finish = _finish(rng, subject.person, maps, style, shell.axis)
    anatomy = Anatomy(
        melanin=at_size(shell.melanin, full),
        blood=at_size(shell.blood, full),
        gloss=at_size(shell.gloss, full),
        relief_mm=at_size(shell.relief_mm, full),
        paint=tuple((at_size(alpha, full), colour) for alpha, colour in shell.paint),
    )
    chart, normal = at_size(subject.surface.chart_mm, full), at_size(subject.surface.normal, full)
    part = _large_codes(shell.part, full)
    anatomy = onto_skin(extras, setting, overlay, (anatomy, chart, part), large, pustular=ill.pustular)
    aged(extras, overlay, subject.surface, setting.mm_per_px)
    radiance = paint(chart, normal, setting.mm_per_px, subject.person, anatomy, large, overlay, finish, light)
    radiance, hidden = add_hair(rng, radiance, part, subject.person, setting, large.height_mm, subject.hair)
    if (own := extras.draw("vellus", preset.extras.vellus)) is not None:
        radiance = add_vellus(own, radiance, part, setting.mm_per_px, shell.axis)
    if setting.scene in SITES:
        radiance = dressed(rng, radiance, subject.surface, light)
    stage = stage_for(radiance, subject.surface, normal, setting.mm_per_px, light)
    on_body(extras, stage)
    alpha = np.clip(at_size(shell.inside_mm, full) / np.float32(setting.mm_per_px) + np.float32(0.5), 0, 1)
    alpha = np.maximum(alpha, stage.beyond)
    stage.radiance, alpha = surrounded(rng, preset, stage.radiance, alpha, light, outdoors=setting.scene == PERSON)
    in_frame(extras, stage, large.scale_cover * large.lesion, style.scale_kind)
    alpha = np.asarray(alpha * (1 - stage.cover), np.float32)
    camera = exposed_for(draw_close_up_camera(rng, preset.cast), subject.person.ita_deg, 0.28)
    picture = photograph(stage.radiance, camera, rng, alpha)
    if rng.random() < preset.watermark:
        add_watermark(rng, picture)
    picture = reduced(stored(picture, camera.quality), shape)
    alpha = np.where(hidden > DENSE_HAIR, 0.0, alpha).astype(np.float32)
    small = (half.width, half.height)
    bare, others = (cv2.resize(field, small, interpolation=cv2.INTER_AREA) for field in (alpha, stage.others))
    return picture, np.asarray(bare, np.float32), np.asarray(others, np.float32)


def _finish(rng: Rng, person: Person, maps: LesionMaps, style: Style, axis: float) -> Finish:
    """How this day's lesions look beyond their maps."""
    kinds = {ScaleKind(int(kind)) for kind in np.unique(maps.scale_kind)} - {ScaleKind.NONE}
    return Finish(
        saturation=style.saturation,
        scattering=style.scattering,
        pigment=lesional_pigment(rng, person),
        looks={kind: draw_look(rng, kind, axis) for kind in sorted(kinds)},
        coarse=float(rng.uniform(1.6, 3.5)),
        wrinkle=float(rng.uniform(0.4, 1.8)),
        lichen_angle=float(rng.uniform(0, 3.14)),
        whiteness=float(rng.uniform(0.45, 0.95)),
    )


def _masks(maps: LesionMaps, surface: Surface, alpha: Field, shape: tuple[int, int]) -> tuple[Bytes, Bytes, Bytes]:
    """Regions, lesion and signs at the stored size."""
    open_skin = alpha > 0.5
    bare = np.isin(surface.part, [int(part) for part in NOT_SKIN_PARTS])
    inside = np.where(open_skin & ~bare & maps.lesion, np.float32(255), np.float32(0))
    lesion = np.where(at_size(inside, shape) > 127.5, 255, 0).astype(np.uint8)
    regions = _large_codes(np.where(open_skin, surface.region, 0).astype(np.uint8), shape)
    lesion[regions == 0] = 0
    grades = np.stack([maps.erythema, maps.induration, maps.scaling], -1)
    signs = _large_codes(np.rint(grades * 60).astype(np.uint8), shape)
    signs[lesion == 0] = 0
    return regions, lesion, np.ascontiguousarray(signs)
