"""Evaluation of exact masks gives exact figures; what is empty is never blended in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.agree.resample import Estimator, Resampling, bootstrap
from pasi_vision.errors import PhotoError
from pasi_vision.measure import measure_photo
from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, Masks, Photo, QualityReport, Verdict
from pasi_vision.train.evaluate import Outcome, Stages, evaluate_photos
from pasi_vision.train.figures import Figure, confusions, figures_of, find
from pasi_vision.train.folder import PhotoEntry, read_folder
from pasi_vision.train.results import worst_cases

SIDE = 64


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def resample(parts: np.ndarray, statistic: object) -> tuple[float, float, float]:
    return bootstrap(Estimator(parts, statistic), Resampling(n=200)).of(0)  # type: ignore[arg-type]


def saying(answers: dict[str, np.ndarray], *, mm_per_px: float | None = None) -> Stages:
    """Stages that answer with given masks (lesion and outline alike), all of it trunk."""

    def look(photo: PhotoEntry) -> tuple[CalibratedImage, Masks]:
        lesion = answers[photo.file.stem]
        pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
        signs = np.zeros((SIDE, SIDE, 3), np.uint8)
        signs[lesion] = (60, 120, 180)  # grades 1, 2, 3
        calibration = Calibration(CalibrationStatus.FALLBACK, np.eye(3), mm_per_px=mm_per_px)
        image = CalibratedImage(pixels, Photo(pixels, None, ""), QualityReport((), Verdict.ACCEPT), calibration)
        return image, Masks(np.full((SIDE, SIDE), 3, np.uint8), lesion, lesion, signs)

    return Stages(look, measure_photo)


@pytest.fixture
def outcomes(make_photo, tmp_path: Path) -> list[Outcome]:  # type: ignore[no-untyped-def]
    """Two diseased photographs (Dice 1 and 0.5), a clear one that is called 6.25 % affected, and a diseased one missed."""
    make_photo("exact", box(10, 10, 16, 16), subject="P1", tone="I")
    make_photo("half", box(0, 0, 16, 64), subject="P2", tone="VI")
    make_photo("clear", box(0, 0, 0, 0), subject="P3", tone="VI")
    make_photo("missed", box(20, 20, 8, 8), subject="P4", tone="II")
    answers = {
        "exact": box(10, 10, 16, 16),
        "half": box(8, 0, 16, 64),  # 16 rows of which 8 are right
        "clear": box(0, 0, 16, 16),
        "missed": box(0, 0, 0, 0),
    }
    return evaluate_photos(read_folder(tmp_path).photos, saying(answers, mm_per_px=0.5))


def value(figures: list[Figure], metric: str, group: str = "all", of: str = "photograph") -> tuple[float | None, int]:
    figure = find(figures, metric, group, of)
    assert figure is not None, (metric, group)
    return figure.value, figure.n


def test_dice_is_over_non_empty_and_false_area_over_clear(outcomes: list[Outcome]) -> None:
    figures = figures_of(outcomes, resample)
    assert value(figures, "dice_lesion") == (0.5, 3)  # (1 + 0.5 + 0) / 3: the clear photograph is not in it
    assert value(figures, "dice_outline", "skin_tone=I-II") == (0.5, 2)
    assert value(figures, "dice_outline", "skin_tone=V-VI") == (0.5, 1)
    assert value(figures, "false_area_outline") == (6.25, 1)  # 16 x 16 of 64 x 64
    assert value(figures, "false_area_outline", "severity=clear") == (6.25, 1)
    assert find(figures, "dice_lesion", "severity=clear") is None


def test_boundary_distance_in_mm_and_of_the_diagonal(outcomes: list[Outcome]) -> None:
    row = outcomes[1].row
    # Truth rows 0-15, found rows 8-23. Edges: row 15 of truth, rows 8 and 23 found; 15 is 7 from row 8; 8 is 7 and 23 is 8 from row 15.
    assert row["boundary_percent_lesion"] == pytest.approx(100 * (7 + 7 + 8) / 3 / np.hypot(64, 64))
    assert row["boundary_mm_lesion"] == pytest.approx((7 + 7 + 8) / 3 * 0.5)
    assert outcomes[0].row["boundary_mm_lesion"] == 0.0
    assert outcomes[3].row["boundary_mm_lesion"] is None


def test_area_error_and_bias_by_both_conventions(outcomes: list[Outcome]) -> None:
    figures = figures_of(outcomes, resample)
    # Errors in per cent of 4096 px: 0, 0, +6.25, -1.5625.
    of = "region of a photograph"
    assert value(figures, "area_mae_outline", of=of) == (pytest.approx((6.25 + 1.5625) / 4, abs=1e-6), 4)
    assert value(figures, "area_bias_lesion", of=of) == (pytest.approx((6.25 - 1.5625) / 4, abs=1e-6), 4)
    assert value(figures, "area_bias_lesion", "region=trunk", of=of)[1] == 4


def test_grades_and_confusion(outcomes: list[Outcome]) -> None:
    # True grades are 2, 2, 2 in the three diseased photographs; found 1, 2, 3, but nothing where the lesion was missed.
    tables = confusions(outcomes)
    assert tables["erythema"][2] == [1, 2, 0, 0, 0]
    assert tables["induration"][2] == [1, 0, 2, 0, 0]
    assert tables["scaling"][2] == [1, 0, 0, 2, 0]
    figures = figures_of(outcomes, resample)
    assert value(figures, "erythema_mae", of="region of a photograph")[0] == pytest.approx((1 + 1 + 2) / 3, abs=1e-6)
    assert value(figures, "scaling_bias", of="region of a photograph") == (0.0, 3)


def test_dice_of_a_visit_takes_the_pixels_of_its_photographs_together(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A small lesion that is missed in one photograph weighs what it is of the visit, not half of it."""
    make_photo("large", box(10, 10, 16, 16), subject="P1")
    make_photo("small", box(20, 20, 8, 8), subject="P1")
    make_photo("other", box(0, 0, 16, 64), subject="P2")
    make_photo("clear", box(0, 0, 0, 0), subject="P3")
    answers = {"large": box(10, 10, 16, 16), "other": box(8, 0, 16, 64)}
    stages = saying({name: answers.get(name, box(0, 0, 0, 0)) for name in ("large", "small", "other", "clear")})
    figures = figures_of(evaluate_photos(read_folder(tmp_path).photos, stages), resample)
    assert value(figures, "dice_lesion") == (pytest.approx((1 + 0 + 0.5) / 3, abs=1e-6), 3)
    together = 2 * 256 / (256 + 256 + 64)
    assert value(figures, "dice_lesion", of="visit") == (pytest.approx((together + 0.5) / 2, abs=1e-6), 2)
    assert value(figures, "dice_outline", of="visit")[1] == 2  # the clear visit has none
    assert value(figures, "dice_region", of="visit") == (1.0, 3)


def test_intervals_count_patients_not_photographs(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Thirty photographs of three patients say no more than three patients can."""
    answers = {}
    for patient in range(3):
        for shot in range(10):
            name = f"p{patient}_{shot}"
            make_photo(name, box(0, 0, 32, 64), subject=f"P{patient}")
            answers[name] = box(0, 0, 32 - 8 * patient, 64)
    outcomes = evaluate_photos(read_folder(tmp_path).photos, saying(answers), workers=2)
    figure = find(figures_of(outcomes, resample), "dice_lesion")
    assert figure is not None
    assert (figure.n, figure.patients) == (30, 3)
    dices = [1.0, 2 * 24 / (32 + 24), 2 * 16 / (32 + 16)]
    assert figure.value == pytest.approx(np.mean(dices), abs=1e-6)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.high - figure.low > 0.15  # 30 independent photographs would give about 0.08


def test_an_unreadable_photograph_stops_nothing(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_photo("good", box(0, 0, 8, 8))
    make_photo("bad", box(0, 0, 8, 8))

    def look(photo: PhotoEntry) -> tuple[CalibratedImage, Masks]:
        if photo.file.stem == "bad":
            raise PhotoError("empty file")
        return saying({"good": box(0, 0, 8, 8)}).look(photo)

    good, bad = evaluate_photos(read_folder(tmp_path).photos, Stages(look, measure_photo))
    assert good.row["dice_lesion"] == 1.0
    assert (bad.row, bad.reason, bad.used) == ({}, "cannot be read: empty file", False)


def test_worst_cases_come_first_and_clear_ones_not_at_all(outcomes: list[Outcome]) -> None:
    assert [o.photo.file.stem for o in worst_cases(outcomes, 9)] == ["missed", "half", "exact"]


def test_the_command_writes_everything(colour_model, make_photo, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from typer.testing import CliRunner

    from pasi_vision.cli import app

    generator = np.random.default_rng(1)
    for number in range(3):
        noise = generator.integers(15, 25, (SIDE, SIDE, 3), dtype=np.uint8)
        lesion = box(8, 8, 20 + number, 20)
        noise[lesion, :2] = 230
        make_photo(f"n{number}", lesion, pixels=noise)
    monkeypatch.setattr("pasi_vision.segment.load_model", lambda model: colour_model)
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["evaluate", "--model", "m", "--data", str(tmp_path), "--out", str(out), "--worst", "1"]
    )
    assert result.exit_code == 0, result.output
    content = json.loads((out / "evaluation.json").read_text())
    rows = {(r["metric"], r["group"], r["of"]): r for r in content["figures"]}
    # At half resolution the 20 px wide boxes are seen to the pixel but for their smoothed border.
    assert rows["dice_lesion", "all", "photograph"]["value"] > 0.9
    assert rows["dice_lesion", "preset=drawn", "photograph"]["n"] == 3
    assert content["human_ceiling"][0]["value"] == 0.83
    assert content["data"]["patients"] == 3
    assert (out / "photographs.csv").read_text().count("\n") == 4
    assert len(list((out / "worst").glob("*.jpg"))) == 1
    assert json.loads((out / "run.json").read_text())["model"]["name"] == "colours"
