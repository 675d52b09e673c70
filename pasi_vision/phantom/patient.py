"""A digital patient: body, skin, disease and course, drawn from (seed, number) alone; and its disease at each visit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pasi_vision.phantom.body import Body, BodyShape, draw_shape, make_body
from pasi_vision.phantom.bodyphoto import Subject
from pasi_vision.phantom.cohort import CohortPreset
from pasi_vision.phantom.course import Course, draw_course, visit_day
from pasi_vision.phantom.lesions import draw_form, draw_severity, faded, place_plaques
from pasi_vision.phantom.plaques import Plaque
from pasi_vision.phantom.skin import Person, draw_person

#: Streams of chance; each part of a patient draws from its own, so that adding one draw does not move the others.
_BODY, _SKIN, _DISEASE, _COURSE, _VISIT = range(5)


@dataclass(frozen=True)
class Patient:
    """What stays the same over a trial.

    Attributes:
        subject_id: Such as "P0001".
        shape: Of the body; `body` makes the mesh.
        person: The skin.
        hair: Of the head, 0 bald - 1 thick.
        garments: Underwear.
        form: Clinical form.
        plaques: At baseline.
        response: Per plaque: exponent on the severity (above 1 responds faster than the rest).
        mark: Added melanin of healed plaques; negative leaves pale marks.
        course: Over the visits.
    """

    subject_id: str
    seed: int
    number: int
    shape: BodyShape
    person: Person
    hair: float
    garments: tuple[str, ...]
    form: str
    plaques: tuple[Plaque, ...]
    response: tuple[float, ...]
    mark: float
    course: Course

    @property
    def fitzpatrick(self) -> str:
        """Skin type I-VI by the typology angle (Del Bino & Bernerd, Br J Dermatol 2013;169(Suppl 3):33)."""
        limits = (("I", 55.0), ("II", 41.0), ("III", 28.0), ("IV", 10.0), ("V", -30.0))
        return next((name for name, low in limits if self.person.ita_deg > low), "VI")


def subject_name(number: int) -> str:
    """Name of patient `number` (from 0)."""
    return f"P{number + 1:04d}"


def draw_patient(seed: int, number: int, preset: CohortPreset, *, visits: int) -> tuple[Patient, Body]:
    """Patient `number` of the cohort with this seed, and its body."""
    shape = draw_shape(_chance(seed, number, _BODY))
    body = make_body(shape)
    skin = _chance(seed, number, _SKIN)
    person = draw_person(skin, preset.tones)
    if person.ita_deg < 25.0:  # dark skin goes with dark hair, grey in old age
        person = replace(person, hair_melanin=max(person.hair_melanin, 0.9 if shape.age_years < 60 else 0.6))
    disease = _chance(seed, number, _DISEASE)
    clear = disease.random() < preset.clear
    form, severity = draw_form(disease), draw_severity(disease, preset.median_bsa_percent)
    plaques = () if clear else tuple(place_plaques(body, severity, form, disease))
    response = tuple(float(value) for value in np.exp(disease.normal(0, 0.35, len(plaques))))
    bald = shape.female < 0.5 and skin.random() < 0.35
    garments: tuple[str, ...] = ("shorts",) if skin.random() < 0.25 else ("briefs",)
    if shape.female > 0.5 and skin.random() < 0.45:
        garments = (*garments, "bra")
    mark = float(skin.uniform(0.3, 1.2)) if skin.random() < 0.75 else float(skin.uniform(-0.6, -0.2))
    patient = Patient(
        subject_id=subject_name(number),
        seed=seed,
        number=number,
        shape=shape,
        person=person,
        hair=float(skin.uniform(0.0, 0.15)) if bald else float(skin.uniform(0.3, 1.0)),
        garments=garments,
        form="clear" if clear else form.name,
        plaques=plaques,
        response=response,
        mark=mark * 0.6,
        course=draw_course(_chance(seed, number, _COURSE), visits, drop_out=preset.drop_out),
    )
    return patient, body


def plaques_at(patient: Patient, visit: int) -> list[Plaque]:
    """The plaques at a visit (0 is baseline); healed ones stay as marks, rebound grows them."""
    if visit == 0:
        return list(patient.plaques)
    rng = _chance(patient.seed, patient.number, _VISIT, visit)
    overall = patient.course.severity(visit_day(visit)) * float(np.exp(rng.normal(0, patient.course.scatter)))
    own = np.exp(rng.normal(0, 0.15, len(patient.plaques)))
    # PASI is a product of area and signs: each plaque takes the square root of the fall in its signs, area and clearing the rest.
    shares = [float(factor * overall**exponent) for factor, exponent in zip(own, patient.response, strict=True)]
    return [faded(plaque, share, patient.mark) for plaque, share in zip(patient.plaques, shares, strict=True)]


def subject_at(patient: Patient, visit: int) -> Subject:
    """What a camera meets at a visit."""
    return Subject(patient.person, patient.shape.female > 0.5, patient.hair, plaques_at(patient, visit))


def _chance(seed: int, number: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, number, *stream])
