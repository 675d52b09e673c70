"""What a whole patient wears: hidden skin is no skin, and nothing of it where it is switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pasi_vision.anatomy import View
from pasi_vision.phantom.body import BodyShape, make_body
from pasi_vision.phantom.bodyphoto import Studio, Subject, draw_studio, photograph_body
from pasi_vision.phantom.cohort import load_cohort
from pasi_vision.phantom.extras import Extras
from pasi_vision.phantom.picture import Picture
from pasi_vision.phantom.preset import ExtraSettings
from pasi_vision.phantom.skin import draw_person
from pasi_vision.phantom.views import protocol_shot

NOTHING = ExtraSettings(**dict.fromkeys(ExtraSettings.model_fields, 0.0))
BODY = make_body(BodyShape())


def photographed(shares: ExtraSettings | None) -> Picture:
    rng = np.random.default_rng(3)
    studio: Studio = draw_studio(rng)
    studio = replace(studio, extras=None if shares is None else Extras(7, 1, shares))
    subject = Subject(draw_person(rng), female=False, hair=0.5, plaques=[])
    return photograph_body(protocol_shot(BODY, View.PALMS, long_side_px=640, rng=rng), subject, studio, rng)


def test_plaster_gauze_and_watch_hide_skin_of_a_body() -> None:
    bare = photographed(None)
    dressed = photographed(NOTHING.model_copy(update={"plaster": 1.0, "gauze": 1.0, "watch": 1.0}))
    gone = (bare.regions > 0) & (dressed.regions == 0)
    assert 20 < gone.sum() < 0.1 * (bare.regions > 0).sum()
    assert not (dressed.regions[bare.regions == 0]).any()


def test_shares_of_zero_leave_the_photograph_as_it_was() -> None:
    np.testing.assert_array_equal(photographed(None).image, photographed(NOTHING).image)


def test_the_sample_is_bare_and_training_is_not() -> None:
    assert load_cohort("sample").extras.watch == 0
    assert load_cohort("default").extras.watch > 0
