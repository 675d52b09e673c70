"""Presets that lack one ingredient differ in that one, and still draw."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.phantom.closeup import render_closeup
from pasi_vision.phantom.ingredients import INGREDIENTS, without
from pasi_vision.phantom.preset import load_preset


@pytest.mark.parametrize("name", sorted(INGREDIENTS))
def test_a_preset_without_an_ingredient(name: str) -> None:
    preset = load_preset("default")
    lacking = without(name, preset)
    changed = {key for key in type(preset).model_fields if getattr(preset, key) != getattr(lacking, key)}
    assert changed == set(INGREDIENTS[name])
    assert lacking.scenes


def test_leaving_scale_out_leaves_the_plaques_where_they_were() -> None:
    preset = load_preset("default").model_copy(update={"scenes": {"patch": 1.0}, "clear": 0.0})
    whole, bare = (render_closeup(3, 1, chosen, 96) for chosen in (preset, without("scale", preset)))
    np.testing.assert_array_equal(whole.lesion, bare.lesion)
    assert (whole.image != bare.image).any()
