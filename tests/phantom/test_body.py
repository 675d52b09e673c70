"""The body: sizes that anthropometry knows, sides that mirror, poses that keep bones rigid, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.anatomy import Region
from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, BodyShape, body_model, draw_shape, make_body, volume_litres
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.pose import Pose, posed
from pasi_vision.phantom.postures import ARMS_OUT, PALMS, posture_pose
from pasi_vision.phantom.rays import quad_areas_mm2
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.truth import region_surfaces_mm2


@pytest.fixture(scope="module")
def man() -> Body:
    return make_body(BodyShape(stature_cm=178))


def test_stature_is_exact_and_the_mesh_is_closed(man: Body) -> None:
    assert np.ptp(man.coarse_mm[:, 2]) == pytest.approx(1780, abs=0.5)
    edges = body_model().fine.quads[:, [0, 1, 1, 2, 2, 3, 3, 0]].reshape(-1, 2)
    _, uses = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert set(uses) == {2}


def test_surface_area_agrees_with_du_bois(man: Body) -> None:
    # Du Bois & Du Bois 1916: area = 0.007184 x mass^0.425 x stature^0.725; the mesh also has nostrils, ear canals and a mouth.
    mass = volume_litres(man) * 1.0
    expected = 0.007184 * mass**0.425 * 178**0.725
    outside = sum(region_surfaces_mm2(man).values()) / 1e6
    assert outside == pytest.approx(expected, rel=0.08)


def test_regions_have_the_shares_that_burn_charts_give(man: Body) -> None:
    # Lund & Browder 1944, adult: head and neck 9, arms and hands 19, trunk with groin 27, buttocks, legs and feet 45 %.
    surfaces = region_surfaces_mm2(man)
    whole = sum(surfaces.values())
    share = {region: 100 * value / whole for region, value in surfaces.items()}
    expected = {Region.HEAD_NECK: 9, Region.UPPER_LIMBS: 19, Region.TRUNK: 27, Region.LOWER_LIMBS: 45}
    for region, percent in expected.items():
        assert share[region] == pytest.approx(percent, abs=3.0)


def test_one_palm_with_fingers_is_near_one_percent_of_the_surface(man: Body) -> None:
    # Rhodes et al., Occup Environ Med 2013: hand print 0.8-1.1 % of the body surface.
    labels = atlas()
    palm = quad_areas_mm2(man.rest_mm)[(labels.part == int(Part.PALM)) & (labels.side > 0)].sum()
    assert 0.007 < palm / sum(region_surfaces_mm2(man).values()) < 0.0125


def test_every_part_that_the_labels_promise_is_on_both_sides() -> None:
    labels = atlas()
    midline = {Part.NONE, Part.SCALP, Part.FACE, Part.LIPS, Part.NAVEL, Part.GENITAL, Part.MOUTH, Part.BEARD}
    areas = quad_areas_mm2(make_body(BodyShape()).rest_mm)
    for part in set(Part) - midline:
        here = labels.part == int(part)
        left, right = areas[here & (labels.side > 0)].sum(), areas[here & (labels.side < 0)].sum()
        assert left > 0, part
        small = part in (Part.AREOLA, Part.NIPPLE)  # found in the texture atlas, a few faces each
        assert left == pytest.approx(right, rel=0.5 if small else 0.06), part


def test_twenty_nails() -> None:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    nails = np.flatnonzero(np.isin(atlas().part, [int(Part.FINGERNAIL), int(Part.TOENAIL)]))
    quads = body_model().fine.quads[nails]
    size = body_model().fine.matrix.shape[0]
    links = csr_matrix((np.ones(3 * len(quads)), (np.repeat(quads[:, 0], 3), quads[:, 1:].ravel())), (size, size))
    _, label = connected_components(links, directed=False)
    counts = np.unique(label[quads[:, 0]], return_counts=True)[1]
    assert (counts > 15).sum() == 20


def test_heavier_builds_are_heavier() -> None:
    masses = [
        volume_litres(make_body(BodyShape(build=build, muscle=0.15, stature_cm=170))) for build in (0.2, 0.6, 1.0)
    ]
    assert masses[0] < masses[1] < masses[2]
    assert 15 < masses[0] / 1.7**2 < 26  # body mass index at a density of 1
    assert masses[2] / 1.7**2 > 33


def test_posing_keeps_bones_rigid_and_the_subject_in_place(man: Body) -> None:
    for posture in (ARMS_OUT, PALMS):
        mesh = posed(man, posture_pose(man, posture))
        rotation = mesh.bones[:, :3, :3]
        assert np.allclose(rotation @ rotation.transpose(0, 2, 1), np.eye(3), atol=1e-9)
        model = body_model()
        for first, second in (("upperarm01.L", "lowerarm01.L"), ("lowerarm01.R", "wrist.R")):
            rest = np.linalg.norm(man.joints_mm[model.bone(second)] - man.joints_mm[model.bone(first)])
            assert np.linalg.norm(mesh.joint(second) - mesh.joint(first)) == pytest.approx(rest, rel=1e-5)
        assert np.abs(mesh.vertices_mm[:, 0].mean()) < 10  # left and right in balance


def test_palms_face_where_they_are_told(man: Body) -> None:
    mesh = posed(man, posture_pose(man, PALMS))
    palm = body_model().fine.quads[atlas().part == int(Part.PALM)]
    mean = mesh.normals[palm].mean(axis=(0, 1))
    assert -mean[1] / np.linalg.norm(mean) > 0.95


def test_skin_keeps_its_area_when_posed(man: Body) -> None:
    mesh = posed(man, posture_pose(man, ARMS_OUT))
    assert quad_areas_mm2(mesh.vertices_mm).sum() == pytest.approx(quad_areas_mm2(man.rest_mm).sum(), rel=0.03)


def test_underwear_covers_genitals_and_little_else(man: Body) -> None:
    labels, areas = atlas(), quad_areas_mm2(man.rest_mm)
    for garments in (("briefs",), ("shorts",), ("briefs", "bra")):
        mask = covered(garments)
        assert mask[labels.part == int(Part.GENITAL)].all()
        assert 0.015 < areas[mask].sum() / areas.sum() < 0.14


@pytest.mark.parametrize(
    "wrong", [{"build": 1.5}, {"age_years": 5}, {"stature_cm": 300}, {"muscle": float("nan")}, {"ancestry": (1, 1, 1)}]
)
def test_impossible_bodies_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="impossible"):
        BodyShape(**wrong)  # type: ignore[arg-type]


def test_wrong_bones_and_garments_are_refused(man: Body) -> None:
    with pytest.raises(InputError, match="unknown bone"):
        posed(man, Pose(turn={"tail": (0, 0, 1)}))
    with pytest.raises(InputError, match="cannot be aimed"):
        posed(man, Pose(aim={"head": (0, 0, 1)}))
    with pytest.raises(InputError, match="unknown garment"):
        covered(("cape",))


def test_draws_differ_and_repeat() -> None:
    first, again, other = (draw_shape(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
