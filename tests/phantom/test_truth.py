"""The truth, checked from outside: discs of known area, zero disease, convergence, and agreement with what pictures show."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, BodyShape, body_model, make_body
from pasi_vision.phantom.bodyphoto import maps_on
from pasi_vision.phantom.plaques import ELLIPSE, ERYTHEMA_BLOOD_FACTOR, Plaque, lesion_maps
from pasi_vision.phantom.pose import posed
from pasi_vision.phantom.postures import STANDING, posture_pose
from pasi_vision.phantom.rays import Scene, look_at
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.truth import GROWTH_MM, affected_samples, skin_samples, true_regions


@pytest.fixture(scope="module")
def body() -> Body:
    return make_body(BodyShape(stature_cm=175))


def _disc(body: Body, part: Part, radius: float, **more: float) -> Plaque:
    """A plain disc in the middle of a part's left half."""
    labels = atlas()
    here = np.flatnonzero((labels.part == int(part)) & (labels.side > 0))
    centre = labels.centre_mm[here]
    quad = here[np.argmin(np.linalg.norm(centre - np.median(centre, axis=0), axis=1))]
    corners = body_model().fine.quads[quad]
    place, normal = body.rest_mm[corners].mean(axis=0), body.rest_normals[corners].mean(axis=0)
    normal /= np.linalg.norm(normal)
    return Plaque(
        tuple(map(float, place)),
        tuple(map(float, normal)),
        (1.0, 0.0, 0.0),
        radius,
        shape=ELLIPSE,
        roughness=0.0,
        border_variation=0.0,
        **more,  # type: ignore[arg-type]
    )


def test_no_disease_is_exactly_zero(body: Body) -> None:
    for plaques in ([], [_disc(body, Part.BACK, 30, blood_factor=1.0, scale_cover=0.0, height_mm=0.0, mark=1.0)]):
        truth = true_regions(body, plaques)
        for region in Region:
            assert truth[region].lesion_mm2 == 0
            assert truth[region].outline_mm2 == 0
            assert set(truth[region].grades.values()) == {0.0}


@pytest.mark.parametrize(
    ("part", "radius"),
    [(Part.BACK, 20.0), (Part.BACK, 40.0), (Part.THIGH, 25.0), (Part.ABDOMEN, 30.0), (Part.FOREARM, 12.0)],
)
def test_a_disc_on_the_body_has_the_area_of_a_disc(body: Body, part: Part, radius: float) -> None:
    truth = true_regions(body, [_disc(body, part, radius)], spacing_mm=0.7)
    whole = sum(found.lesion_mm2 for found in truth.values())
    assert whole == pytest.approx(np.pi * radius**2, rel=0.03)  # skin that bends both ways is not a plane


def test_a_disc_on_a_sphere_has_exactly_its_area() -> None:
    ball, radius = 120.0, 50.0
    golden = np.pi * (3 - np.sqrt(5))
    number = 200_000
    z = 1 - (2 * np.arange(number) + 1) / number
    angle = golden * np.arange(number)
    points = np.stack([np.sqrt(1 - z * z) * np.cos(angle), np.sqrt(1 - z * z) * np.sin(angle), z], axis=1).astype(
        np.float32
    )
    plaque = Plaque(
        (0.0, 0.0, ball), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), radius, shape=ELLIPSE, roughness=0.0, border_variation=0.0
    )
    inside = lesion_maps([plaque], ball * points, points).lesion.mean() * 4 * np.pi * ball**2
    assert inside == pytest.approx(np.pi * radius**2, rel=0.005)


def test_the_outline_grows_a_disc_by_its_pen(body: Body) -> None:
    radius = 30.0
    truth = true_regions(body, [_disc(body, Part.BACK, radius)], spacing_mm=0.8)[Region.TRUNK]
    assert np.sqrt(truth.outline_mm2 / np.pi) - np.sqrt(truth.lesion_mm2 / np.pi) == pytest.approx(GROWTH_MM, abs=0.45)


def test_grades_are_those_of_the_anchors(body: Body) -> None:
    truth = true_regions(
        body, [_disc(body, Part.BACK, 30, blood_factor=ERYTHEMA_BLOOD_FACTOR[2], height_mm=0.75, scale_cover=0.2)]
    )[Region.TRUNK]
    assert truth.grades[Sign.ERYTHEMA] == pytest.approx(2, abs=0.01)
    assert truth.grades[Sign.INDURATION] == pytest.approx(3, abs=0.01)
    assert truth.grades[Sign.SCALING] == pytest.approx(1, abs=0.01)


def test_area_converges(body: Body) -> None:
    """Doubling the resolution moves the exact area by less than 0.05 percentage points, the outline by less than 0.15."""
    from pasi_vision.phantom.lesions import FORMS, Severity, place_plaques

    severity = Severity(dict.fromkeys(Region, 8.0), dict.fromkeys(Region, (2.0, 2.0, 2.0)))
    plaques = place_plaques(body, severity, FORMS[0], np.random.default_rng(4), most=60)
    coarse, fine = true_regions(body, plaques, spacing_mm=2.0), true_regions(body, plaques, spacing_mm=1.0)
    for region in Region:
        assert fine[region].lesion_percent > 1
        assert coarse[region].lesion_percent == pytest.approx(fine[region].lesion_percent, abs=0.05)
        assert coarse[region].outline_percent == pytest.approx(fine[region].outline_percent, abs=0.15)


def test_pictures_show_what_the_truth_says(body: Body) -> None:
    """The area of a disc counted in pixels (over the cosine) agrees with the samples of the faces."""
    plaque = _disc(body, Part.BACK, 40)
    scene = Scene(posed(body, posture_pose(body, STANDING)))
    target = scene.mesh.vertices_mm[
        np.argmin(np.linalg.norm(body.rest_mm - np.asarray(plaque.centre_mm), axis=1))
    ].astype(float)
    camera = look_at(target + np.array([0, 20000.0, 0]), target, (500, 500), 500 / 120 * 20000)
    surface = scene.view(camera)
    lesion = maps_on(surface, [plaque]).lesion
    counted = (surface.mm_per_px[lesion] ** 2 / -surface.normal[lesion][:, 2]).sum()
    truth = true_regions(body, [plaque], spacing_mm=0.7)[Region.TRUNK].lesion_mm2
    assert counted == pytest.approx(truth, rel=0.02)  # posing stretches skin a little
    assert surface.skin[lesion].all()


def test_samples_carry_all_the_area(body: Body) -> None:
    quads = np.flatnonzero(atlas().part == int(Part.KNEE))
    from pasi_vision.phantom.rays import quad_areas_mm2

    for spacing in (1.0, 4.0):
        samples = skin_samples(body, quads, spacing)
        assert samples.area_mm2.sum() == pytest.approx(quad_areas_mm2(body.rest_mm)[quads].sum(), rel=1e-9)
    with pytest.raises(InputError, match="spacing"):
        skin_samples(body, quads, 0.0)


def test_lesions_lie_on_skin_only(body: Body) -> None:
    samples, maps = affected_samples(body, [_disc(body, Part.FACE, 60)], 2.0)
    assert maps.lesion.any()
    assert (atlas().region[samples.quad[maps.lesion]] > 0).all()
