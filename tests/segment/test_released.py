"""The released model on two small phantom pictures: its stored answers, and the truth that the phantom knows.

The stored answers may move by `TOLERANCE` with another build of the runtime; a larger change is a change of scores and belongs into
the changelog. Pictures and truth: `golden/`, drawn from seeds that the model was not trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import View
from pasi_vision.photo import read_photo
from pasi_vision.records import CalibratedImage, Masks
from pasi_vision.segment import DEFAULT_MODEL, load_model, open_model
from pasi_vision.storage import read_picture

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 0.5
"""Percentage points of a region's expected area."""


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    return content


def test_released_model_is_whole_and_small() -> None:
    folder = open_model(DEFAULT_MODEL)
    assert (folder.path / "MODEL_CARD.md").is_file()
    assert sum(file.stat().st_size for file in folder.path.iterdir()) < 30e6


@pytest.mark.parametrize("name", ["close_up", "trunk_back"])
def test_golden_pictures(
    name: str, expected: dict[str, dict[str, object]], wrap: Callable[..., CalibratedImage]
) -> None:
    masks: Masks = load_model(threads=1).segment(wrap(read_photo(GOLDEN / f"{name}.jpg").pixels, View(name)))
    assert masks.reason == ""
    assert dict(masks.expected_outline) == pytest.approx(expected[name]["expected_outline"], abs=TOLERANCE)
    assert dict(masks.expected_lesion) == pytest.approx(expected[name]["expected_lesion"], abs=TOLERANCE)
    for kind, seen in (("outline", masks.outline), ("lesion", masks.lesion)):
        truth = read_picture(GOLDEN / f"{name}.{kind}.png", grey=True) > 127
        dice = 2 * np.count_nonzero(seen & truth) / (np.count_nonzero(seen) + np.count_nonzero(truth))
        assert dice > 0.7
