"""Close-ups: determinism, truth that agrees with itself, presets and bad input."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.errors import InputError, SettingsError
from pasi_vision.phantom.closeup import render_closeup
from pasi_vision.phantom.closeup_set import write_closeups
from pasi_vision.phantom.preset import load_preset
from pasi_vision.phantom.scenes import builders
from pasi_vision.records import Masks

DEFAULT = load_preset("default").model_copy(update={"camera_min_px": 0})
FLAT = DEFAULT.model_copy(update={"scenes": dict.fromkeys(builders(), 1.0)})


def test_same_seed_same_bytes_in_any_order() -> None:
    forward = [render_closeup(5, index, DEFAULT, 192) for index in (0, 14)]
    backward = [render_closeup(5, index, DEFAULT, 192) for index in (14, 0)][::-1]
    for one, two in zip(forward, backward, strict=True):
        for field in dataclasses.fields(one):
            if field.name != "facts":
                np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
    assert not np.array_equal(forward[0].image, render_closeup(6, 0, DEFAULT, 192).image)


@pytest.mark.parametrize("index", range(11))
def test_truth_agrees_with_itself(index: int) -> None:
    picture = render_closeup(11, index, FLAT, 192)
    assert picture.image.shape == (*picture.regions.shape, 3)
    assert max(picture.regions.shape) == 192
    assert set(np.unique(picture.lesion)) <= {0, 255}
    assert not (picture.lesion[picture.regions == 0]).any(), "a lesion lies on skin"
    assert not (picture.outline[picture.regions == 0]).any()
    assert not picture.signs[picture.lesion == 0].any()
    assert picture.signs.max() <= 240
    if not picture.lesion.any():
        assert not picture.outline.any()
    assert picture.image.std() > 2


def test_no_disease_no_lesion_pixels() -> None:
    clear = DEFAULT.model_copy(update={"clear": 1.0, "negatives": 0.25, "distract": 3.0})
    for index in range(7):
        picture = render_closeup(2, index, clear, 128)
        assert not picture.lesion.any()
        assert not picture.outline.any()
        assert not picture.votes.any()


@pytest.mark.slow
def test_outlines_are_as_large_as_real_ones() -> None:
    """Median share of the frame near the dermatologists' 0.29-0.31, spread likewise (DermXDB)."""
    shares = []
    for index in range(70):
        picture = render_closeup(31, index, FLAT, 80)
        if picture.outline.any():
            shares.append(float((picture.outline > 0).mean()))
    low, middle, high = np.percentile(shares, [10, 50, 90])
    assert 0.03 < low < 0.16
    assert 0.18 < middle < 0.42
    assert 0.42 < high < 0.80


def test_redness_follows_skin_tone() -> None:
    """Plaques redden light skin (a* up by several units) and hardly redden dark skin."""
    import cv2

    def redness(tones: tuple[float, float, float]) -> float:
        preset = FLAT.model_copy(
            update={
                "tones": tones,
                "scenes": {"patch": 1.0},
                "clear": 0.0,
                "cast": 0.0,
                "scale_layer": False,
                "distract": 0.0,
            }
        )
        found = []
        for index in range(8):
            picture = render_closeup(8, index, preset, 112)
            lab = cv2.cvtColor(picture.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
            ill, well = picture.lesion > 0, (picture.outline == 0) & (picture.regions > 0)
            if ill.sum() > 200 and well.sum() > 200:
                found.append(float(np.median(lab[ill][:, 1]) - np.median(lab[well][:, 1])))
        return float(np.median(found))

    light, dark = redness((1, 0, 0)), redness((0, 0, 1))
    assert 4.0 < light < 22.0
    assert dark < 0.75 * light


def test_presets_differ_and_unknown_ones_are_refused() -> None:
    names = [load_preset(name) for name in ("default", "other", "wild")]
    assert len({preset.model_dump_json() for preset in names}) == 3
    with pytest.raises(SettingsError, match="default"):
        load_preset("defualt")


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    text = Path(__file__).parents[2].joinpath("configs/phantom/default.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("flash:", "flsh:"))
    with pytest.raises(SettingsError, match="flash"):
        load_preset(str(tmp_path / "mine.yaml"))


def test_a_set_is_written_resumed_and_extended(tmp_path: Path) -> None:
    flat = FLAT.model_copy(update={"scenes": {"patch": 1.0}})
    write_closeups(tmp_path / "a", 3, flat, seed=4, size=96)
    stamp = (tmp_path / "a/close_ups/default_4_000001.jpg").stat().st_mtime_ns
    write_closeups(tmp_path / "a", 5, flat, seed=4, size=96)
    assert (tmp_path / "a/close_ups/default_4_000001.jpg").stat().st_mtime_ns == stamp
    write_closeups(tmp_path / "b", 1, flat, seed=4, size=96, first=4)
    one, two = (tmp_path / name / "close_ups/default_4_000004.jpg" for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    masks = Masks.load(tmp_path / "a/masks", "default_4_000004")
    assert masks.regions.max() <= 5
    assert len((tmp_path / "a/photos.csv").read_text().splitlines()) == 6
    with pytest.raises(InputError):
        write_closeups(tmp_path / "c", 0, flat)
