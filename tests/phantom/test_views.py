"""Cameras of the protocol and of close-ups: what must be in the frame is, and what a camera aims at it sees."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.anatomy import Region, View
from pasi_vision.errors import InputError
from pasi_vision.phantom.body import Body, BodyShape, make_body
from pasi_vision.phantom.coverage import PROTOCOL_VIEWS, cells, seen_by, visible_quads
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.hair import CLOSED_FROM, DENSE_HAIR, closing
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.views import VIEW_PLANS, chance_scene, close_up_camera, protocol_shot, protocol_shots


@pytest.fixture(scope="module")
def body() -> Body:
    return make_body(BodyShape(female=1.0, stature_cm=165, build=0.7, muscle=0.2))


@pytest.fixture(scope="module")
def shots(body: Body) -> dict:
    return protocol_shots(
        body, PROTOCOL_VIEWS, long_side_px=160, rng=np.random.default_rng(3), clothes=covered(("briefs",))
    )


@pytest.mark.parametrize("view", PROTOCOL_VIEWS)
def test_each_view_shows_mostly_its_own_region(shots: dict, view: View) -> None:
    surface = shots[view].scene.view(shots[view].camera)
    counts = np.bincount(surface.region.ravel(), minlength=6)[1:5].astype(float)
    assert view.region is not None
    if view in (View.PALMS, View.SOLES):  # shown with what lies behind them
        shown = set(np.unique(surface.part))
        assert int(Part.PALM if view is View.PALMS else Part.SOLE) in shown
    elif view.region is Region.UPPER_LIMBS:
        assert counts[view.region.code - 1] > 0.3 * counts.sum()  # both arms frame the trunk
    else:
        assert int(np.argmax(counts)) == view.region.code - 1
    assert (surface.region > 0).mean() > 0.12


def test_both_arms_are_in_the_frame_to_the_fingertips(shots: dict) -> None:
    surface = shots[View.UPPER_LIMBS_FRONT].scene.view(shots[View.UPPER_LIMBS_FRONT].camera)
    arms = surface.region == Region.UPPER_LIMBS.code
    assert not arms[:, 0].any()
    assert not arms[:, -1].any()
    columns = np.flatnonzero(arms.any(axis=0))
    assert columns[-1] - columns[0] > 0.75 * arms.shape[1]


def test_front_and_back_show_different_skin(body: Body, shots: dict) -> None:
    bits = seen_by([shots[View.TRUNK_FRONT], shots[View.TRUNK_BACK]], hair=False)
    share = cells(body, bits)[Region.TRUNK]
    assert share.get(3, 0.0) < 0.08  # hardly any skin is seen by both
    assert 0.3 < share[1] < 0.6
    assert 0.3 < share[2] < 0.6
    assert sum(share.values()) == pytest.approx(1.0)


def test_hair_and_underwear_hide_skin(shots: dict) -> None:
    shot = shots[View.HEAD_BACK]
    assert (
        visible_quads(shot.scene, shot.camera, hair=True).sum()
        < 0.7 * visible_quads(shot.scene, shot.camera, hair=False).sum()
    )
    front = shots[View.LOWER_LIMBS_FRONT]
    assert not (visible_quads(front.scene, front.camera, hair=False) & covered(("briefs",))).any()


def test_hair_of_the_head_closes_from_one_length_on_and_sooner_at_a_slant() -> None:
    dense, straight, aslant = (np.array([[value]], np.float32) for value in (0.75, 1.0, 2.0))
    assert closing(dense, CLOSED_FROM, straight) > DENSE_HAIR
    assert closing(dense, 0.7 * CLOSED_FROM, straight) < 0.2
    assert closing(dense, 0.7 * CLOSED_FROM, aslant) > DENSE_HAIR


def test_without_chance_the_camera_is_the_protocols(body: Body) -> None:
    first, second = (protocol_shot(body, View.TRUNK_FRONT, long_side_px=120) for _ in range(2))
    assert np.array_equal(first.camera.place_mm, second.camera.place_mm)
    depth = first.scene.view(first.camera).depth_mm
    nearest = depth[depth > 0].min()
    assert nearest == pytest.approx(10 * VIEW_PLANS[View.TRUNK_FRONT].distance_cm, rel=0.03)
    with pytest.raises(InputError, match="close_up"):
        protocol_shot(body, View.CLOSE_UP)


@pytest.mark.parametrize("site", [Part.PALM, Part.FACE, Part.EAR, Part.ELBOW, Part.KNEE, Part.SOLE, Part.BACK])
def test_close_ups_see_what_they_aim_at(body: Body, site: Part) -> None:
    rng = np.random.default_rng(int(site))
    scene = chance_scene(body, rng)
    surface = scene.view(close_up_camera(scene, rng, site=site, size=(96, 72)))
    assert (surface.part == int(site)).any()
    near = surface.depth_mm[surface.depth_mm > 0]
    assert 30 < near.min() < 700
    assert (surface.region > 0).mean() > 0.1


def test_a_close_up_finds_a_given_address(body: Body) -> None:
    rng = np.random.default_rng(8)
    scene = chance_scene(body, rng)
    address = body.rest_mm[np.argmin(np.linalg.norm(body.rest_mm - np.array([60, 150, 250], dtype=np.float32), axis=1))]
    surface = scene.view(close_up_camera(scene, rng, place_mm=address.astype(float), size=(96, 96)))
    gap = np.linalg.norm(surface.place_mm - address, axis=-1)[surface.region > 0]
    assert gap.min() < 15
