"""One photograph of a patient at a visit: chance drawn from (seed, patient, visit, view) alone."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.phantom.body import Body
from pasi_vision.phantom.bodyphoto import Subject, draw_studio, photograph_body
from pasi_vision.phantom.cohort import CohortPreset
from pasi_vision.phantom.extras import Extras
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.patient import Patient
from pasi_vision.phantom.picture import Picture
from pasi_vision.phantom.views import VIEW_PLANS, Shot, chance_scene, close_up_camera, protocol_shot


def take(
    patient: Patient, body: Body, subject: Subject, visit: int, view: View, label: str, preset: CohortPreset
) -> Picture:
    """Take one photograph; `label` tells several close-ups of a visit apart."""
    rng = np.random.default_rng([patient.seed, patient.number, visit, zlib.crc32(label.encode())])
    studio = draw_studio(_room(patient, visit, rng, preset), variety=preset.variety)
    day = Extras(patient.seed, 4096 * patient.number + visit, preset.extras, patient.number)
    studio = replace(studio, card=bool(rng.random() < preset.cards), extras=day)
    clothes = covered(patient.garments)
    if view is View.CLOSE_UP:
        shot = _close_up(body, subject, rng, preset, clothes)
    else:
        shot = protocol_shot(
            body, view, long_side_px=VIEW_PLANS[view].long_side_px(preset.megapixels), rng=rng, clothes=clothes
        )
    return photograph_body(shot, subject, studio, rng)


def _room(patient: Patient, visit: int, rng: np.random.Generator, preset: CohortPreset) -> np.random.Generator:
    """Chance of light, camera and backdrop: the visit's own where the cohort keeps one room, else the photograph's."""
    return np.random.default_rng([patient.seed, 4242, patient.number, visit]) if preset.one_room else rng


def _close_up(
    body: Body, subject: Subject, rng: np.random.Generator, preset: CohortPreset, clothes: NDArray[np.bool_]
) -> Shot:
    """A close-up of one of the patient's own plaques (large ones more often), or of any site where there is none."""
    scene = chance_scene(body, rng, clothes)
    long = round(500.0 * (preset.megapixels * 4 / 3) ** 0.5)  # a quarter of a view's pixels
    size = (long, round(long * float(rng.choice([0.75, 0.667, 1.0]))))
    active = [plaque for plaque in subject.plaques if plaque.active]
    place = None
    if active and rng.random() < 0.9:
        weight = np.array([plaque.radius_mm**1.5 for plaque in active])
        place = np.asarray(active[int(rng.choice(len(active), p=weight / weight.sum()))].centre_mm)
    try:
        camera = close_up_camera(scene, rng, place_mm=place, distance_mm=(90.0, 500.0), size=size)
    except InputError:  # that plaque is hidden in this posture
        camera = close_up_camera(scene, rng, distance_mm=(90.0, 500.0), size=size)
    return Shot(scene, camera)
