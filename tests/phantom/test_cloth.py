"""Clothes in close-ups of bodies: where a garment covers the skin, cloth is seen, and masks and picture agree."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pasi_vision.phantom.bodies import PERSON, body_view
from pasi_vision.phantom.closeup import render_closeup
from pasi_vision.phantom.cloth import clothed, dressed
from pasi_vision.phantom.garments import GARMENTS, covered, draw_outfit
from pasi_vision.phantom.geometry import Canvas
from pasi_vision.phantom.light import draw_light
from pasi_vision.phantom.preset import load_preset
from pasi_vision.phantom.skin import draw_person

pytest.importorskip("embreex")


def test_cloth_lies_where_the_body_is_covered_and_nowhere_else() -> None:
    rng = np.random.default_rng(3)
    seen = body_view(PERSON, Canvas(160, 120, 10.0), rng, (5, 0), draw_person(rng))
    assert seen is not None
    worn = clothed(seen.surface)
    assert worn.mean() > 0.02
    skin = np.full((320, 240, 3), 0.3, np.float32)
    after = dressed(rng, skin, seen.surface, draw_light(rng))
    changed = np.abs(after - skin).max(-1) > 0.01
    inner = cv2.erode(worn.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    far = cv2.dilate(worn.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    grown = (240, 320)
    assert changed[cv2.resize(inner.astype(np.uint8), grown, interpolation=cv2.INTER_NEAREST) > 0].mean() > 0.95
    assert not changed[cv2.resize(far.astype(np.uint8), grown, interpolation=cv2.INTER_NEAREST) > 0].any()


def test_every_outfit_covers_the_genitals_and_more_cloth_covers_more() -> None:
    briefs = covered(("briefs",))
    for seed in range(12):
        outfit = draw_outfit(np.random.default_rng(seed))
        assert set(outfit) <= set(GARMENTS)
        mask = covered(outfit)
        assert (mask & briefs).sum() == briefs.sum()
        assert mask.sum() > 3 * briefs.sum()


def test_dressed_people_are_mostly_healthy_and_have_little_skin() -> None:
    preset = load_preset("default").model_copy(update={"scenes": {PERSON: 1.0}, "watermark": 0.0})
    pictures = [render_closeup(8, 13 * i, preset, 224) for i in range(10)]
    assert sum(not picture.lesion.any() for picture in pictures) >= 5
    assert all(0.003 < (picture.regions > 0).mean() < 0.8 for picture in pictures)
