"""The real chain on the real sample with the released model: photographs in, findings, scores and a report out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from pasi_vision.cli import app
from pasi_vision.pipeline import process_photo, requests_of, score_visits, segment_photo
from pasi_vision.score import StudySettings
from pasi_vision.segment import load_model
from pasi_vision.storage import read_picture, resource
from pasi_vision.tables import FINDINGS, PHOTOS, SCORES, read_table


@pytest.fixture(scope="module")
def sample() -> Path:
    return resource("sample")


@pytest.fixture(scope="module")
def model() -> Any:
    return load_model("phantom-lite2")


@pytest.fixture(scope="module")
def first_visit(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photos.csv with the first subject's first visit, paths made absolute."""
    photos = read_table(sample / "photos.csv", PHOTOS)
    one = photos[(photos["subject_id"] == photos["subject_id"].iloc[0]) & (photos["visit"] == photos["visit"].iloc[0])]
    table = tmp_path_factory.mktemp("visit") / "photos.csv"
    one.assign(path=[str((sample / p).resolve()) for p in one["path"]]).to_csv(table, index=False)
    return table


@pytest.fixture(scope="module")
def scored(first_visit: Path, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored")
    findings = str(sample / "findings.csv")
    result = CliRunner().invoke(app, ["score", str(first_visit), "--out", str(out), "--findings", findings])
    assert result.exit_code in (0, 1), result.output
    return out


def test_score_writes_what_it_says(scored: Path) -> None:
    assert {p.name for p in scored.iterdir()} >= {
        "findings.csv",
        "scores.csv",
        "photos.json",
        "report.html",
        "run.json",
        "masks",
        "plots",
    }
    findings = read_table(scored / "findings.csv", FINDINGS)
    scores = read_table(scored / "scores.csv", SCORES)
    mine = findings[findings["rater"] == "phantom-lite2"]
    assert len(mine) == 4
    row = scores[scores["rater"] == "phantom-lite2"].iloc[0]
    assert 0 <= row["pasi_low"] <= row["pasi"] <= row["pasi_high"] <= 72
    assert row["pasi_interval_low"] <= row["pasi"] <= row["pasi_interval_high"] <= 72
    assert scores[scores["rater"] != "phantom-lite2"]["pasi_interval_low"].isna().all()
    run = json.loads((scored / "run.json").read_text())
    assert run["model"]["name"] == "phantom-lite2"
    assert run["settings"]["area_convention"] == "outline"


def test_the_model_is_near_the_truth_of_the_sample(scored: Path, sample: Path) -> None:
    findings = read_table(scored / "findings.csv", FINDINGS)
    mine = findings[findings["rater"] == "phantom-lite2"].set_index(["subject_id", "visit", "region"])
    truth = read_table(sample / "findings.csv", FINDINGS)
    truth = truth[truth["rater"] == "truth"].set_index(["subject_id", "visit", "region"]).loc[mine.index]
    known = mine["area_percent"].notna()
    error = (mine["area_percent"] - truth["area_percent"])[known].abs()
    assert known.sum() >= 3
    assert error.mean() < 10  # a guard; the measured figure is in the model card


def test_a_second_run_repeats_nothing_and_says_the_same(
    first_visit: Path, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(read_table(first_visit, PHOTOS), first_visit)[:2]
    once = score_visits(requests, model, tmp_path, settings=StudySettings())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("segmented again")

    # Two photographs are no whole visit: its score would have an interval that was never tried.
    assert once.scores["pasi_interval_low"].isna().all()
    monkeypatch.setattr("pasi_vision.pipeline.segment_photo", refuse)
    again = score_visits(requests, model, tmp_path, settings=StudySettings())
    pd.testing.assert_frame_equal(once.findings, again.findings)
    assert [p.to_json() for p in once.photos] == [p.to_json() for p in again.photos]


def test_a_damaged_record_is_done_again(first_visit: Path, model: Any, tmp_path: Path) -> None:
    request = requests_of(read_table(first_visit, PHOTOS), first_visit)[0]
    done = process_photo(request, model, tmp_path)
    (tmp_path / f"{done.key}.json").write_text("{half")
    assert process_photo(request, model, tmp_path).to_json() == done.to_json()


def test_a_photograph_that_cannot_be_read_stops_nothing(first_visit: Path, model: Any, tmp_path: Path) -> None:
    request = requests_of(read_table(first_visit, PHOTOS), first_visit)[0]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(request.file.read_bytes()[:2000])
    from dataclasses import replace

    result = process_photo(replace(request, file=broken), model, tmp_path)
    assert not result.used
    assert result.reason.startswith("cannot be read")


def ordinary(kind: str, path: Path, photograph: np.ndarray) -> Path:
    """Photographs as people have them: grey, with alpha, rotated by EXIF, tiny, huge, plain, noise."""
    image = Image.fromarray(photograph)
    match kind:
        case "grey":
            image.convert("L").save(path.with_suffix(".png"))
            return path.with_suffix(".png")
        case "alpha":
            image.convert("RGBA").save(path.with_suffix(".png"))
            return path.with_suffix(".png")
        case "rotated":
            exif = Image.Exif()
            exif[0x0112] = 6
            image.save(path.with_suffix(".jpg"), exif=exif)
            return path.with_suffix(".jpg")
        case "one pixel":
            Image.new("RGB", (1, 1), (200, 150, 130)).save(path.with_suffix(".png"))
            return path.with_suffix(".png")
        case "40 megapixels":
            Image.fromarray(cv2.resize(photograph, (7300, 5480))).save(path.with_suffix(".jpg"), quality=80)
            return path.with_suffix(".jpg")
        case "sixteen bit":
            cv2.imwrite(str(path.with_suffix(".png")), photograph[..., ::-1].astype(np.uint16) * 257)
            return path.with_suffix(".png")
        case "noise":
            noise = np.random.default_rng(1).integers(0, 256, (120, 500, 3)).astype(np.uint8)
            Image.fromarray(noise).save(path.with_suffix(".png"))
            return path.with_suffix(".png")
        case "narrow":
            Image.fromarray(cv2.resize(photograph, (2000, 20))).save(path.with_suffix(".jpg"))
            return path.with_suffix(".jpg")
        case _:
            path.with_suffix(".jpg").write_bytes(b"not a photograph")
            return path.with_suffix(".jpg")


KINDS = ("grey", "alpha", "rotated", "one pixel", "40 megapixels", "sixteen bit", "noise", "narrow", "text")


@pytest.fixture(scope="module")
def photograph(first_visit: Path) -> np.ndarray:
    from pasi_vision.photo import read_photo

    return read_photo(pd.read_csv(first_visit)["path"].iloc[2]).pixels


@pytest.mark.parametrize("kind", KINDS)
def test_any_photograph_gets_a_result_or_a_reason(kind: str, tmp_path: Path, photograph: np.ndarray) -> None:
    path = ordinary(kind, tmp_path / "photo", photograph)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["segment", str(path), "--out", str(out)])
    assert result.exit_code in (0, 1), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    if kind == "text":
        assert result.exit_code == 1
        assert "refused" in result.output
        return
    size = read_picture(out / "photo.regions.png", grey=True).shape
    with Image.open(path) as image:
        upright = image.size[::-1] if kind != "rotated" else image.size
    assert size == tuple(upright)
    lesion = read_picture(out / "photo.lesion.png", grey=True)
    outline = read_picture(out / "photo.outline.png", grey=True)
    regions = read_picture(out / "photo.regions.png", grey=True)
    assert set(np.unique(lesion)) | set(np.unique(outline)) <= {0, 255}
    assert not lesion[regions == 0].any()
    assert not outline[regions == 0].any()
    assert regions.max() <= 5
    assert not read_picture(out / "photo.signs.png")[lesion == 0].any()


def test_masks_do_not_depend_on_how_the_file_is_rotated(tmp_path: Path, photograph: np.ndarray, model: Any) -> None:
    upright = tmp_path / "upright.png"
    Image.fromarray(photograph).save(upright)
    turned = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(np.rot90(photograph).copy()).save(turned, exif=exif)
    first, second = segment_photo(upright, model)[1], segment_photo(turned, model)[1]
    assert np.array_equal(first.outline, second.outline)
    assert np.array_equal(first.regions, second.regions)
