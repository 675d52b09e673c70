"""Files appear whole or not at all; settings name the nearest known key; photo results survive a round trip."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import AREA_BANDS, BSA_TABLES, REGION_WEIGHT_TENTHS, Region, Sign, View
from pasi_vision.errors import InputError, OutputError, PasiVisionError, SettingsError
from pasi_vision.records import (
    Calibration,
    CalibrationStatus,
    Masks,
    PhotoResult,
    QualityMeasure,
    QualityReport,
    RegionMeasurement,
    Verdict,
)
from pasi_vision.settings import Protocol, load_protocol, load_settings
from pasi_vision.storage import (
    output_folder,
    read_picture,
    resource,
    sha256_of,
    write_json,
    write_picture,
    write_text,
    writing,
)


def test_a_file_that_fails_half_way_leaves_the_old_one_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "scores.csv"
    write_text(target, "old")

    def stop_half_way() -> None:
        with writing(target) as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_half_way()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    def fill() -> None:
        with writing(tmp_path / "x"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        fill()
    assert not list(tmp_path.iterdir())


def test_a_file_where_a_folder_should_be_is_an_output_error(tmp_path: Path) -> None:
    write_text(tmp_path / "taken", "")
    with pytest.raises(OutputError, match="taken"):
        output_folder(tmp_path / "taken")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "no such folder" / "x", "")


def test_nan_never_enters_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"pasi": float("nan")})
    assert not list(tmp_path.iterdir())


def test_sha256_is_the_known_one(tmp_path: Path) -> None:
    # FIPS 180-2, appendix B.1
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    write_text(tmp_path / "abc", "abc")
    assert sha256_of(tmp_path / "abc") == sha256_of(b"abc")


def test_masks_survive_saving(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    masks = Masks(
        rng.integers(0, 6, (7, 5)).astype(np.uint8),
        rng.random((7, 5)) > 0.5,
        rng.random((7, 5)) > 0.5,
        rng.integers(0, 241, (7, 5, 3)).astype(np.uint8),
    )
    masks.save(tmp_path, "a")
    back = Masks.load(tmp_path, "a")
    for name in ("regions", "lesion", "outline", "signs"):
        assert np.array_equal(getattr(back, name), getattr(masks, name))
    assert back.grades(Sign.SCALING).max() == pytest.approx(masks.signs[..., 2].max() / 60)


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    blank = Masks(np.zeros((4, 4), np.uint8), *np.zeros((2, 4, 4), bool), np.zeros((4, 4, 3), np.uint8))
    blank.save(tmp_path, "a")
    write_picture(tmp_path / "a.lesion.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match="lesion mask is 5 x 4"):
        Masks.load(tmp_path, "a")
    write_picture(tmp_path / "a.lesion.png", np.zeros((4, 4), np.uint8))
    write_picture(tmp_path / "a.regions.png", np.full((4, 4), 9, np.uint8))
    with pytest.raises(InputError, match="region class 9"):
        Masks.load(tmp_path, "a")


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png: file not found"):
        read_picture(tmp_path / "none.png")


def test_photo_results_survive_json() -> None:
    result = PhotoResult(
        "S1",
        "V1",
        1,
        View.TRUNK_BACK,
        "a.jpg",
        sha256="0" * 64,
        key="k",
        used=True,
        quality=QualityReport(
            (QualityMeasure("sharpness", 2.5, "", 1.0, None, Verdict.WARN, "Hold still."),), Verdict.WARN
        ),
        calibration=Calibration(
            CalibrationStatus.CARD, np.eye(3) * 1.5, 1.2, 0.4, "fitted", "after_2014", np.ones((4, 2))
        ),
        regions=(RegionMeasurement(Region.TRUNK, 10, 5.0, 7.0, 1, dict.fromkeys(Sign, 2.0)),),
        size=(640, 480),
    )
    back = PhotoResult.from_json(result.to_json())
    assert back.to_json() == result.to_json()
    assert back.quality == result.quality
    assert back.regions == result.regions
    assert back.calibration is not None
    assert np.array_equal(back.calibration.matrix, np.eye(3) * 1.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("views: {trunk_frnt: {required: true, distance_cm: 1, instruction: x}}", "trunk_frnt"),
        ("veiws: {}", "Is 'views' meant"),
        ("views: {trunk_front: {requird: true, distance_cm: 1, instruction: x}}", "required"),
        ("views: {trunk_front: {required: 7, distance_cm: 1, instruction: x}}", "given 7"),
        ("- a list", "not keys and values"),
        ("a: [", "not a YAML file"),
    ],
)
def test_settings_errors_name_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(Protocol, path)
    assert str(path) in str(caught.value)


def test_the_packaged_protocol_shows_every_region() -> None:
    assert {view.region for view in load_protocol().required} == set(Region)


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(InputError, match=r"nothing\.yaml"):
        resource("configs", "nothing.yaml")


def test_anatomy_tables_are_whole() -> None:
    assert sum(REGION_WEIGHT_TENTHS.values()) == 10
    for table in BSA_TABLES.values():
        assert sum(table.values()) == pytest.approx(100)
    assert [band.low_percent for band in AREA_BANDS[2:]] == [10, 30, 50, 70, 90]
    assert [region.code for region in Region] == [1, 2, 3, 4]


def test_one_tree_of_errors() -> None:
    assert issubclass(OutputError, PasiVisionError)
    assert str(InputError("x is wrong", where="f.csv", fix="Mend it.")) == "f.csv: x is wrong. Mend it."
