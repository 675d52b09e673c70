"""Masks of photographs of any kind: consistent, of the right size, and the same in ONNX and torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN, Region, View
from pasi_vision.errors import InputError, ModelError
from pasi_vision.records import CalibratedImage
from pasi_vision.segment import Model, load_model
from pasi_vision.segment.enclose import enclosed
from pasi_vision.segment.layout import LESION, OUTLINE, OUTPUTS, Thresholds

Wrap = Callable[..., CalibratedImage]
Blotches = Callable[[int, int], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def model(random_model: Path) -> Model:
    return load_model(random_model, threads=1)


@pytest.mark.parametrize("shape", [(96, 128), (131, 77), (301, 402)])
def test_onnx_and_torch_agree(random_model: Path, model: Model, blotches: Blotches, shape: tuple[int, int]) -> None:
    pixels = blotches(*shape)
    ours, theirs = model.outputs(pixels), load_model(random_model, backend="torch").outputs(pixels)
    assert ours[LESION].std() > 0.01  # the model does say something
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("shape", [(96, 128), (131, 77), (600, 1100), (17, 400)])
@pytest.mark.parametrize("view", [None, View.TRUNK_BACK, View.SOLES, View.HEAD_LEFT])
def test_masks_are_consistent(
    model: Model, wrap: Wrap, blotches: Blotches, shape: tuple[int, int], view: View | None
) -> None:
    masks = model.segment(wrap(blotches(*shape), view))
    assert masks.reason == ""
    assert masks.regions.shape == masks.lesion.shape == masks.outline.shape == masks.signs.shape[:2] == shape
    skin = masks.regions > 0
    assert skin.any()
    assert not (masks.lesion & ~skin).any()
    assert not (masks.outline & ~skin).any()
    assert not masks.signs[~masks.lesion].any()
    assert masks.signs.max() <= 240
    assert all(0 <= share <= 100 for share in masks.expected_outline.values())
    assert {region.code for region in masks.expected_lesion} <= set(range(1, 5))
    if view is View.SOLES:
        assert set(np.unique(masks.regions)) <= {0, Region.UPPER_LIMBS.code, Region.LOWER_LIMBS.code, OTHER_SKIN}
    if view is View.HEAD_LEFT:
        assert Region.LOWER_LIMBS.code not in masks.regions


def _fixed(model: Model, **channels: float) -> Model:
    """The same model, but its network says the same everywhere."""
    values = np.array([channels.get(name, 0.0) for name in OUTPUTS], np.float32)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        n, _, height, width = batch.shape
        return np.broadcast_to(values[None, :, None, None], (n, len(values), height // 2, width // 2)).copy()

    return Model(model.folder, run, "onnx")


def test_certain_network_gives_what_it_says(model: Model, wrap: Wrap, blotches: Blotches) -> None:
    sure = _fixed(model, trunk=0.9, not_skin=0.1, lesion=0.25, outline=0.75, erythema=2.5, scaling=4.0)
    masks = sure.segment(wrap(blotches(60, 80)))
    assert (masks.regions == Region.TRUNK.code).all()
    assert not masks.lesion.any()
    assert masks.outline.all()
    assert not masks.signs.any()  # grades belong to the lesion
    assert masks.expected_outline == {Region.TRUNK: pytest.approx(75)}
    assert masks.expected_lesion == {Region.TRUNK: pytest.approx(25)}
    masks = _fixed(model, other_skin=1.0, lesion=1.0, erythema=2.5, scaling=4.0).segment(wrap(blotches(60, 80)))
    assert (masks.regions == OTHER_SKIN).all()
    assert (masks.signs == [150, 0, 240]).all()
    assert masks.expected_lesion == {}


def test_known_view_overrules_an_impossible_region(model: Model, wrap: Wrap, blotches: Blotches) -> None:
    mistaken = _fixed(model, trunk=0.6, lower_limbs=0.3, not_skin=0.1)
    assert (mistaken.segment(wrap(blotches(60, 80))).regions == Region.TRUNK.code).all()
    assert (mistaken.segment(wrap(blotches(60, 80), View.SOLES)).regions == Region.LOWER_LIMBS.code).all()


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((1, 1, 3), np.uint8), "too small"),
        (np.full((15, 4000, 3), 90, np.uint8), "too small"),
        (np.full((300, 400, 3), 200, np.uint8), "one colour"),
    ],
)
def test_odd_pictures_give_a_reason(model: Model, wrap: Wrap, pixels: NDArray[np.uint8], said: str) -> None:
    masks = model.segment(wrap(pixels))
    assert said in masks.reason
    assert masks.regions.shape == pixels.shape[:2]
    assert not masks.regions.any()


def test_no_skin_gives_a_reason(model: Model, wrap: Wrap, blotches: Blotches) -> None:
    masks = _fixed(model, not_skin=1.0, lesion=1.0, outline=1.0).segment(wrap(blotches(60, 80)))
    assert masks.reason == "no skin found in the picture"
    assert not masks.outline.any()


@pytest.mark.parametrize(
    "pixels", [np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3), np.float32), np.zeros((0, 5, 3), np.uint8)]
)
def test_wrong_arrays_are_refused(model: Model, wrap: Wrap, pixels: Any) -> None:
    with pytest.raises(InputError, match="uint8 sRGB"):
        model.segment(wrap(pixels))


def test_small_scale_change_moves_little(model: Model, blotches: Blotches) -> None:
    """A photograph and its copy of twice the pixels are looked at in the same way."""
    import cv2

    once, twice = blotches(480, 640), cv2.resize(blotches(480, 640), (1280, 960), interpolation=cv2.INTER_LINEAR)
    a, b = model.outputs(once), model.outputs(np.asarray(twice, np.uint8))
    assert a.shape == b.shape
    assert np.abs(a[OUTLINE] - b[OUTLINE]).mean() < 0.02


def test_importing_loads_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, pasi_vision.segment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_close_ups_have_thresholds_of_their_own(model: Model, wrap: Wrap, blotches: Blotches) -> None:
    """A network that says 0.4 everywhere: affected in a close-up from 0.3 on, not in a view from 0.5 on."""
    record = model.folder.record.model_copy(
        update={"close_up_thresholds": Thresholds(skin=0.5, lesion=0.3, outline=0.3)}
    )
    unsure = _fixed(model, trunk=1.0, lesion=0.4, outline=0.4)
    unsure = replace(unsure, folder=replace(unsure.folder, record=record))
    pixels = blotches(96, 128)
    assert not unsure.segment(wrap(pixels, View.TRUNK_FRONT)).outline.any()
    for view in (View.CLOSE_UP, None):
        assert unsure.segment(wrap(pixels, view)).outline.all()


def test_outlines_follow_from_lesions_in_the_views_of_which_the_model_says_so(
    model: Model, wrap: Wrap, blotches: Blotches
) -> None:
    record = model.folder.record.model_copy(update={"view_outlines": {View.TRUNK_FRONT: (0.03, 0.06)}})
    pixels = blotches(160, 160)
    after = replace(model, folder=replace(model.folder, record=record))
    front = after.segment(wrap(pixels, View.TRUNK_FRONT))
    np.testing.assert_array_equal(front.outline, enclosed(front.lesion, front.regions > 0, 0.03, 0.06))
    back = wrap(pixels, View.TRUNK_BACK)
    np.testing.assert_array_equal(after.segment(back).outline, model.segment(back).outline)


def test_openvino_says_the_same(random_model: Path, model: Model, blotches: Blotches) -> None:
    pytest.importorskip("openvino")
    pixels = blotches(131, 77)
    theirs = load_model(random_model, backend="openvino", threads=1).outputs(pixels)
    np.testing.assert_allclose(theirs, model.outputs(pixels), atol=1e-3)


def test_openvino_that_is_not_installed_is_named(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match=r"needs openvino\. Install pasi-vision\[openvino\]"):
        load_model(random_model, backend="openvino")
