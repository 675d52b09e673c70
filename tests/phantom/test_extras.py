"""Things in close-ups that are neither the patient's skin nor a lesion: masks know them, and each can be switched off alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pasi_vision.anatomy import OTHER_SKIN
from pasi_vision.phantom.closeup import CloseUp, render_closeup
from pasi_vision.phantom.preset import CloseUpPreset, ExtraSettings, load_preset

NONE = ExtraSettings(**dict.fromkeys(ExtraSettings.model_fields, 0.0))
SIZE = 224


def preset(scene: str = "patch", **extras: float) -> CloseUpPreset:
    default = load_preset("default")
    plain = {
        "camera_min_px": 0,
        "scenes": {scene: 1.0},
        "watermark": 0.0,
        "garment": 0.0,
        "clear": 0.0,
        "negatives": 0.0,
    }
    return default.model_copy(update=plain | {"extras": NONE.model_copy(update=extras)})


def drawn(index: int, scene: str = "patch", **extras: float) -> tuple[CloseUp, CloseUp]:
    """The same picture without and with something."""
    return render_closeup(21, index, preset(scene), SIZE), render_closeup(21, index, preset(scene, **extras), SIZE)


@pytest.mark.parametrize("thing", ["plaster", "gauze", "ruler", "card", "tag", "gown"])
def test_what_lies_on_the_skin_is_no_skin_and_no_lesion(thing: str) -> None:
    hidden = 0
    for index in range(4):
        bare, covered = drawn(index, **{thing: 1.0})
        gone = (bare.regions > 0) & (covered.regions == 0)
        hidden += int(gone.sum())
        assert not covered.lesion[gone].any()
        assert not covered.outline[gone].any()
        kept = cv2.erode(((covered.regions > 0) & (bare.regions > 0)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        np.testing.assert_array_equal(bare.lesion[kept], covered.lesion[kept])
    assert hidden > 0.01 * SIZE**2


def test_somebody_elses_bare_hand_is_other_skin_and_a_glove_is_none() -> None:
    found = {}
    for gloved in (0.0, 1.0):
        pair = [drawn(index, hand=1.0, gloved=gloved) for index in range(5)]
        found[gloved] = sum(int((covered.regions == OTHER_SKIN).sum()) for _, covered in pair)
        for bare, covered in pair:
            away = (bare.regions > 0) & (bare.regions != OTHER_SKIN) & ~np.isin(covered.regions, (1, 2, 3, 4))
            assert not covered.lesion[away].any()
            assert not covered.outline[covered.regions == OTHER_SKIN].any()
    assert found[0.0] > 500
    assert found[1.0] == 0


def test_a_pen_pores_and_flakes_leave_every_mask_as_it_was() -> None:
    for index in range(4):
        bare, marked = drawn(
            index,
            pen=1.0,
            pores=1.0,
            goose_bumps=1.0,
            vellus=1.0,
            flakes=1.0,
            sick_nails=1.0,
            scar=1.0,
            wet=1.0,
            age_spots=1.0,
        )
        for field in ("regions", "lesion", "outline", "signs", "votes"):
            np.testing.assert_array_equal(getattr(bare, field), getattr(marked, field))
        assert not np.array_equal(bare.image, marked.image)


def test_pustules_are_lesion_and_redder() -> None:
    bare, pustular = drawn(0, pustular=1.0)
    assert pustular.facts["pustular"] == 1.0
    assert pustular.lesion.any()
    ill = (bare.lesion > 0) & (pustular.lesion > 0)
    assert pustular.signs[ill][:, 0].mean() > bare.signs[ill][:, 0].mean()
    assert pustular.signs[ill][:, 2].mean() <= bare.signs[ill][:, 2].mean() + 1


def test_rings_watches_and_varnish_are_put_where_the_body_allows_them() -> None:
    changed = 0
    for index in range(6):
        bare, dressed = drawn(index, "body_hand", rings=1.0, watch=1.0, varnish=1.0)
        gone = (bare.regions > 0) & (dressed.regions == 0)
        assert gone.mean() < 0.25
        changed += int(gone.any())
    assert changed >= 2


def test_the_presets_show_extras_and_one_can_be_left_out_alone() -> None:
    for name in ("default", "other", "wild"):
        shares = load_preset(name).extras
        assert all(value > 0 for value in shares.model_dump().values())
    both = render_closeup(5, 1, preset(ruler=1.0, pen=1.0), SIZE)
    only = render_closeup(5, 1, preset(ruler=1.0), SIZE)
    np.testing.assert_array_equal(both.regions, only.regions)


def test_hair_and_redness_can_be_left_out() -> None:
    bald = preset("scalp").model_copy(update={"hair": 0.0})
    assert render_closeup(3, 0, bald, SIZE).regions.any()
    flushed, pale = (preset("patch").model_copy(update={"redness": value}) for value in (2.0, 0.0))
    reds = [np.mean([render_closeup(4, i, p, 96).image[..., 0].mean() for i in range(3)]) for p in (flushed, pale)]
    assert reds[0] != reds[1]
