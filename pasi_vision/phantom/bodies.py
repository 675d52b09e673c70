"""Close-ups of a real body's geometry: hands, feet, faces, elbows, knees and trunk of a baked body in a chance pose, by rays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.body import draw_shape, make_body
from pasi_vision.phantom.complexion import anatomy_of
from pasi_vision.phantom.garments import covered, draw_outfit
from pasi_vision.phantom.geometry import Canvas, Shell
from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.rays import Scene
from pasi_vision.phantom.skin import Person
from pasi_vision.phantom.surface import GLABROUS_PARTS, Part, Surface
from pasi_vision.phantom.views import chance_scene, close_up_camera, distant_camera

Field = NDArray[np.float32]
Rng = np.random.Generator

#: Sites of body close-ups and the range of distances (mm) from which each is photographed.
SITES: dict[str, tuple[tuple[Part, ...], tuple[float, float]]] = {
    "body_hand": ((Part.HAND_BACK, Part.FINGER), (160.0, 340.0)),
    "body_palm": ((Part.PALM,), (130.0, 300.0)),
    "body_foot": ((Part.FOOT_BACK, Part.TOE), (170.0, 400.0)),
    "body_sole": ((Part.SOLE,), (160.0, 380.0)),
    "body_face": ((Part.FACE,), (110.0, 330.0)),
    "body_ear": ((Part.EAR,), (110.0, 230.0)),
    "body_neck": ((Part.NECK, Part.SCALP), (150.0, 360.0)),
    "body_elbow": ((Part.ELBOW, Part.FOREARM, Part.UPPER_ARM), (140.0, 380.0)),
    "body_knee": ((Part.KNEE, Part.SHIN, Part.THIGH), (180.0, 480.0)),
    "body_trunk": ((Part.BACK, Part.CHEST, Part.ABDOMEN, Part.BUTTOCK), (250.0, 800.0)),
    "body_fold": ((Part.AXILLA, Part.GROIN), (150.0, 350.0)),
    "body_person": ((Part.NECK, Part.ELBOW, Part.HAND_BACK, Part.KNEE), (1200.0, 4500.0)),
}
PERSON = "body_person"
"""Whole people, dressed, at a distance: mostly healthy, for what a model must not take for disease."""

BODIES_SHARED_BY = 12  # consecutive pictures of a set share a posed body: building one takes as long as a picture


@dataclass(frozen=True)
class BodyView:
    """A body as a shell: its surface from rays, and what `closeup` needs beside it."""

    surface: Surface
    shell: Shell
    female: bool
    hair: float


@lru_cache(maxsize=6)
def _scene(seed: int, group: int, *, outdoors: bool) -> tuple[Scene, bool, float]:
    rng = np.random.default_rng([seed, group, 977, int(outdoors)])
    shape = draw_shape(rng)
    female = shape.female > 0.5
    if outdoors:
        clothes = covered(draw_outfit(rng))
    elif rng.random() < 0.7:
        clothes = covered(("briefs", "bra") if female and rng.random() < 0.5 else ("briefs",))
    else:
        clothes = covered(("shorts",))
    hair = float(rng.choice([0.0, rng.uniform(0.1, 0.5), rng.uniform(0.5, 1.0)], p=[0.15, 0.35, 0.5]))
    return chance_scene(make_body(shape), rng, clothes), female, hair


def body_view(
    kind: str, half: Canvas, rng: Rng, who: tuple[int, int], person: Person, *, redness: float = 1.0
) -> BodyView | None:
    """A close-up of `kind` (a key of `SITES`) at half the camera's resolution; None where no camera sees that site in this pose.

    `redness` below 1 takes back how red palms, faces, lids, ears and joints are without disease.
    """
    scene, female, hair = _scene(who[0], who[1] // BODIES_SHARED_BY, outdoors=kind == PERSON)
    parts, distance = SITES[kind]
    size = (half.width, half.height)
    for _ in range(3):
        site = parts[int(rng.integers(len(parts)))]
        try:
            if kind == PERSON:
                camera = distant_camera(scene, rng, distance_mm=distance, size=size)
            else:
                camera = close_up_camera(scene, rng, site=site, distance_mm=distance, size=size)
        except InputError:
            continue
        surface = _tidy(scene.view(camera), camera.focal_px)
        if float((surface.region > 0).mean()) > (0.01 if kind == PERSON else 0.12):
            return BodyView(surface, _shell(surface, person, female, rng, redness), female, hair)
    return None


def _tidy(surface: Surface, focal_px: float) -> Surface:
    """Normals towards the camera where there is nothing, and as chart the plane of the picture in mm (no seams)."""
    surface.normal[surface.depth_mm == 0] = (0.0, 0.0, -1.0)
    height, width = surface.shape
    seen = surface.depth_mm > 0
    middle = float(np.median(surface.depth_mm[seen])) if seen.any() else 300.0
    scale = np.where(seen, surface.depth_mm, np.float32(middle)) / np.float32(focal_px)
    x, y = np.arange(width, dtype=np.float32) - width / 2, np.arange(height, dtype=np.float32) - height / 2
    chart = np.stack([x[None, :] * scale, y[:, None] * scale], axis=-1)
    lean = 1.0 / np.clip(-surface.normal[..., 2:3], 0.35, 1.0)  # texture compresses towards the silhouette
    return replace(surface, chart_mm=(chart * (0.5 + 0.5 * lean)).astype(np.float32))


def _shell(surface: Surface, person: Person, female: bool, rng: Rng, redness: float) -> Shell:
    anatomy = anatomy_of(surface, person, rng, female=female)
    solid = (surface.depth_mm > 0).astype(np.uint8)
    seen = surface.region > 0
    mm = float(np.median(surface.mm_per_px[seen])) if seen.any() else 1.0
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3)
    inside = cv2.GaussianBlur(
        np.clip(inside - np.where(solid > 0, 0.5, -0.5), -200.0, 200.0).astype(np.float32), (0, 0), 0.9
    )
    flush = _flush(surface, rng)
    if redness < 1:
        flush = np.asarray(1.0 + redness * (flush - 1.0), np.float32)
    glabrous = np.isin(surface.part, [int(part) for part in GLABROUS_PARTS])
    crease = np.log(np.maximum(anatomy.melanin, 1e-3))
    crease = crease - cv2.GaussianBlur(crease, (0, 0), max(1.5, 3.0 / mm))
    relief = -np.clip(crease, 0.0, 0.5) * np.where(glabrous, 3.0, 1.2)
    return Shell(
        inside_mm=(inside * mm).astype(np.float32),
        elevation_mm=np.zeros_like(inside, dtype=np.float32),
        chart_mm=surface.chart_mm,
        part=surface.part,
        region=surface.region,
        limb=np.zeros(surface.shape, np.uint8),
        melanin=anatomy.melanin.astype(np.float32),
        blood=(anatomy.blood * flush).astype(np.float32),
        relief_mm=relief.astype(np.float32),
        gloss=anatomy.gloss,
        pixel_mm=mm,
        axis=float(rng.uniform(0, np.pi)),
        paint=list(anatomy.paint),
    )


#: Mean added blood of parts of the body, as a share of the rest of the skin.
_FLUSH = {
    (Part.PALM, Part.SOLE): 0.8,
    (Part.FACE,): 0.55,
    (Part.EAR,): 0.6,
    (Part.EYELID,): 0.5,
    (Part.FINGER, Part.TOE): 0.5,
    (Part.ELBOW, Part.KNEE): 0.35,
}


def _flush(surface: Surface, rng: Rng) -> Field:
    """Anatomical redness that differs between people: normal palms, soles, lids and ears may be as red as a plaque."""
    field = np.zeros(surface.shape, np.float32)
    for parts, much in _FLUSH.items():
        field[np.isin(surface.part, [int(part) for part in parts])] = float(rng.exponential(much))
    y, x = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32) / np.float32(max(field.shape))
    blotch = sample(fractal(1.5, 53), x * 0.8 + float(rng.random()), y * 0.8)
    field *= np.clip(1.0 + float(rng.uniform(0.2, 1.0)) * blotch, 0.0, 3.0)
    seen = surface.mm_per_px[surface.region > 0]
    pixel = float(np.median(seen)) if seen.size else 1.0
    return np.asarray(1.0 + cv2.GaussianBlur(field, (0, 0), max(2.0, 8.0 / pixel)), np.float32)
