"""Wrinkles, glasses, earrings and necklaces: where they lie, what masks know of them, and that each can be left out alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import BodyShape, make_body
from pasi_vision.phantom.closeup import CloseUp, render_closeup
from pasi_vision.phantom.cohort import load_cohort
from pasi_vision.phantom.extras import Extras, aged
from pasi_vision.phantom.landmarks import head_in, landmarks_of
from pasi_vision.phantom.marks import empty_overlay
from pasi_vision.phantom.pose import posed
from pasi_vision.phantom.preset import CloseUpPreset, ExtraSettings, load_preset
from pasi_vision.phantom.rays import Scene, look_at
from pasi_vision.phantom.stage import positions
from pasi_vision.phantom.surface import Part, Surface
from pasi_vision.phantom.wrinkles import add_wrinkles, face_lines

BODY = make_body(BodyShape(age_years=70.0))
NONE = ExtraSettings(**dict.fromkeys(ExtraSettings.model_fields, 0.0))
SIZE = 224
MASKS = ("regions", "lesion", "outline", "signs", "votes")


def preset(scene: str, **extras: float) -> CloseUpPreset:
    plain = {"camera_min_px": 0, "scenes": {scene: 1.0}, "watermark": 0.0, "garment": 0.0, "clear": 0.0}
    return load_preset("default").model_copy(update=plain | {"extras": NONE.model_copy(update=extras)})


def drawn(index: int, scene: str, **extras: float) -> tuple[CloseUp, CloseUp]:
    """The same picture without and with something."""
    return render_closeup(21, index, preset(scene), SIZE), render_closeup(21, index, preset(scene, **extras), SIZE)


def portrait() -> Surface:
    """The face from half a metre."""
    eyes = landmarks_of(BODY, atlas().part == int(Part.EAR)).eyes.mean(axis=0)
    target = np.asarray(eyes, np.float64) - (0.0, 0.0, 25.0)
    return Scene(posed(BODY)).view(look_at(target + np.array([90.0, -500.0, 30.0]), target, (240, 240), 480.0))


def test_landmarks_lie_on_both_sides_of_the_head() -> None:
    marks = landmarks_of(BODY, atlas().part == int(Part.EAR))
    for pair in (marks.eyes, marks.ears, marks.lobes):
        assert pair[0, 0] > 20 > -20 > pair[1, 0]
    assert (marks.lobes[:, 2] < marks.ears[:, 2]).all()
    assert (marks.eyes[:, 1] < marks.ears[:, 1] - 40).all()


def test_a_head_is_found_in_the_picture_to_a_millimetre() -> None:
    surface = portrait()
    head = head_in(surface, (int(Part.FACE), int(Part.EAR)), positions(surface))
    assert head is not None
    rows, columns = np.nonzero(surface.part == int(Part.LIPS))
    pixels, depth = head.seen(surface.place_mm[rows, columns])
    np.testing.assert_allclose(pixels, np.stack([columns, rows], -1), atol=1.0)
    np.testing.assert_allclose(depth, surface.depth_mm[rows, columns], atol=2.0)


def test_wrinkles_are_grooves_with_more_blood_on_skin_alone() -> None:
    surface, overlay = portrait(), empty_overlay((240, 240))
    add_wrinkles(np.random.default_rng(1), overlay, surface, 1.0, 75.0)
    face = np.isin(surface.part, [int(Part.FACE), int(Part.EYELID)])
    assert overlay.relief_mm[face].min() < -0.15
    assert overlay.blood[face].max() > 1.05
    near = cv2.dilate((surface.depth_mm > 0).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert not overlay.relief_mm[~near].any()


def test_older_faces_have_deeper_lines() -> None:
    depth = [
        np.mean([sum(x.depth for x in face_lines(np.random.default_rng(k), s)) for k in range(20)]) for s in (0.2, 0.9)
    ]
    assert depth[1] > 3 * depth[0]


def test_a_patient_keeps_wrinkles_from_visit_to_visit() -> None:
    surface = portrait()
    shares = ExtraSettings(wrinkles=1.0)
    relief = []
    for number, person in ((8192, 2), (8193, 2), (12288, 3)):
        overlay = empty_overlay((240, 240))
        aged(Extras(5, number, shares, person), overlay, surface, 1.0)
        relief.append(overlay.relief_mm)
    np.testing.assert_array_equal(relief[0], relief[1])
    assert not np.array_equal(relief[0], relief[2])


def test_wrinkles_leave_every_mask_as_it_was() -> None:
    changed = 0
    for index in range(3):
        bare, old = drawn(index, "body_face", wrinkles=1.0)
        for field in MASKS:
            np.testing.assert_array_equal(getattr(bare, field), getattr(old, field))
        changed += int(not np.array_equal(bare.image, old.image))
    assert changed


@pytest.mark.parametrize("thing", ["glasses", "earrings", "necklace"])
def test_what_hangs_on_head_and_neck_is_no_skin_and_no_lesion(thing: str) -> None:
    hidden = 0
    for index in range(5):
        bare, worn = drawn(index, "body_face", **{thing: 1.0})
        gone = (bare.regions > 0) & (worn.regions == 0)
        assert not ((bare.regions == 0) & (worn.regions > 0)).any()
        assert not worn.lesion[gone].any()
        assert not worn.outline[gone].any()
        assert gone.mean() < 0.25
        hidden += int(gone.sum())
    assert hidden > 20


def test_flat_scenes_have_none_of_them() -> None:
    bare, same = drawn(0, "patch", wrinkles=1.0, glasses=1.0, earrings=1.0, necklace=1.0)
    np.testing.assert_array_equal(bare.image, same.image)


def test_one_can_be_left_out_without_changing_where_the_others_lie() -> None:
    both = render_closeup(21, 0, preset("body_face", wrinkles=1.0, glasses=1.0), SIZE)
    only = render_closeup(21, 0, preset("body_face", glasses=1.0), SIZE)
    np.testing.assert_array_equal(both.regions, only.regions)


def test_the_sample_is_young_and_bare_and_training_is_not() -> None:
    assert load_cohort("sample").extras.wrinkles == 0
    assert load_cohort("sample").extras.earrings == 0
    assert load_cohort("default").extras.glasses == 0
    assert load_preset("default").extras.wrinkles == 0.5
