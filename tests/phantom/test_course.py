"""Courses over a trial against the published one they were set by, and patients that keep their plaques."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.phantom.cohort import load_cohort
from pasi_vision.phantom.course import KINDS, Course, draw_course, visit_day, visit_name
from pasi_vision.phantom.lesions import faded
from pasi_vision.phantom.patient import draw_patient, plaques_at
from pasi_vision.phantom.plaques import Plaque


def test_treated_courses_fall_as_in_the_published_cohort() -> None:
    """Watson et al. 2021, 96 patients: median PASI at 0.72, 0.31 and 0.13 of baseline after 2, 4 and 8 weeks (weeks 3 and 9 on ours)."""
    rng = np.random.default_rng(0)
    courses = [draw_course(rng, 4) for _ in range(4000)]
    treated = [course for course in courses if course.kind in ("response", "relapse", "rebound")]
    median = {
        week: np.median([course.severity(1 + 7 * week) for course in treated if course.turn_week > week])
        for week in (2, 4, 8)
    }
    assert median[2] == pytest.approx(0.72, abs=0.08)
    assert median[4] == pytest.approx(0.31, abs=0.14)
    assert median[8] == pytest.approx(0.13, abs=0.06)


def test_every_kind_of_course_occurs_and_does_what_its_name_says() -> None:
    rng = np.random.default_rng(1)
    courses = [draw_course(rng, 7) for _ in range(600)]
    assert {course.kind for course in courses} == set(KINDS)
    for course in courses:
        assert course.severity(1) == pytest.approx(1.0, abs=1e-9)
        late = course.severity(1 + 7 * 60)
        if course.kind == "response":
            assert late < 0.2
        if course.kind == "rebound":
            assert late > 1.0
        if course.kind == "relapse":
            assert late > course.severity(int(1 + 7 * course.turn_week)) + 0.05 or course.back_to < 0.4
    assert 0.05 < np.mean([course.last_visit is not None for course in courses]) < 0.25
    assert all(course.last_visit is None or 1 <= course.last_visit <= 5 for course in courses)


def test_visits_are_four_weeks_apart() -> None:
    assert [visit_name(i) for i in range(3)] == ["baseline", "week_4", "week_8"]
    assert [visit_day(i) for i in range(3)] == [1, 29, 57]


def test_patients_depend_on_seed_and_number_only_and_keep_their_plaques() -> None:
    preset = load_cohort("default").model_copy(update={"clear": 0.0, "median_bsa_percent": 2.0})
    first, body = draw_patient(5, 2, preset, visits=3)
    again, _ = draw_patient(5, 2, preset, visits=3)
    other, _ = draw_patient(5, 3, preset, visits=3)
    assert first == again
    assert first != other
    assert plaques_at(first, 2) == plaques_at(again, 2)
    assert [plaque.centre_mm for plaque in plaques_at(first, 1)] == [plaque.centre_mm for plaque in first.plaques]
    assert body.rest_mm.shape[1] == 3


def test_healing_takes_scale_before_redness_and_leaves_a_mark_that_is_no_lesion() -> None:
    plaque = Plaque(
        (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), 20.0, blood_factor=3.6, scale_cover=0.7, height_mm=0.75
    )
    half = faded(plaque, 0.5, 0.4)
    assert half.active
    assert half.grades[2] / plaque.grades[2] < half.grades[0] / plaque.grades[0]
    assert half.radius_mm < plaque.radius_mm
    gone = faded(plaque, 0.0, 0.4)
    assert not gone.active
    assert gone.mark == pytest.approx(0.4)
    worse = faded(plaque, 1.4, 0.4)
    assert worse.blood_factor > plaque.blood_factor
    assert worse.mark == 0


def test_severity_does_not_jump_at_its_turn() -> None:
    course = Course("relapse", 0.3, 1.0, 0.1, 8.0, 0.8, 0.2, 0.2)
    before, after = course.severity(1 + 7 * 8), course.severity(1 + 7 * 8 + 1)
    assert after == pytest.approx(before, abs=0.05)
