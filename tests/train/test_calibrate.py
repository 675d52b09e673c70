"""Thresholds from exact probabilities; intervals in the form that `measure` reads; coverage counted by patient."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import Sign
from pasi_vision.errors import InputError
from pasi_vision.measure import Intervals
from pasi_vision.segment.layout import Thresholds
from pasi_vision.train.calibrate import coverage_record, fit_grade_lines, fit_intervals
from pasi_vision.train.thresholds import Histograms, best_threshold, choose_thresholds, dice_curve

LEVELS = 256


def histogram(clear: dict[int, int], affected: dict[int, int]) -> np.ndarray:
    counts = np.zeros((2, LEVELS), np.int64)
    for row, content in enumerate((clear, affected)):
        for level, number in content.items():
            counts[row, level] = number
    return counts


def test_dice_at_every_threshold_is_exact() -> None:
    # 100 affected pixels at level 200, 50 at 100; 30 clear ones at 150, 1000 at 10.
    curve = dice_curve(histogram({150: 30, 10: 1000}, {200: 100, 100: 50}))
    assert curve[200] == pytest.approx(2 * 100 / (100 + 150))
    assert curve[150] == pytest.approx(2 * 100 / (130 + 150))
    assert curve[100] == pytest.approx(2 * 150 / (180 + 150))
    assert curve[5] == pytest.approx(2 * 150 / (1180 + 150))
    assert curve[201] == 0.0
    assert np.isnan(dice_curve(histogram({10: 5}, {}))).all()


def test_the_middle_of_the_plateau_is_taken() -> None:
    curve = dice_curve(histogram({40: 100}, {240: 100}))  # perfect from 41 to 240
    assert best_threshold(curve) in (140, 141)
    two = np.zeros(LEVELS)
    two[30], two[200:211] = 0.9, 0.95
    assert best_threshold(two) == 205


def test_of_thresholds_as_good_the_one_with_the_right_area_is_taken() -> None:
    curve, bias = np.zeros(LEVELS), np.linspace(0.1, -0.1, LEVELS)
    curve[100:160] = 0.9
    assert best_threshold(curve, bias=bias) in (127, 128)
    curve[[127, 128]] = 0.8  # no area makes up for a poor Dice
    assert best_threshold(curve, bias=bias) == 126
    assert best_threshold(curve, bias=np.zeros(LEVELS)) in (112, 113)


def of_lesion(clear: dict[int, int], affected: dict[int, int]) -> Histograms:
    areas = np.zeros((2, 20, LEVELS), np.int64)
    areas[:, 19] = histogram(clear, affected)
    return Histograms("P", None, {"lesion": areas})


def test_each_photograph_counts_once_and_clear_ones_tell_false_area() -> None:
    small, large = of_lesion({80: 10}, {120: 10}), of_lesion({160: 100_000}, {220: 100_000})
    clear = of_lesion({10: 900, 250: 100}, {})
    now = Thresholds(skin=0.4, outline=0.3)
    choice = choose_thresholds([small, small, small, large, clear], now, false_area_cost=0.0)
    # Three small photographs need a threshold in 81..120; the large one alone would want 161..220.
    assert 81 / 255 <= choice.thresholds.lesion <= 120 / 255
    assert choice.figures["lesion"]["photographs"] == 4
    assert choice.figures["lesion"]["false_area_percent"] == 10.0
    assert (choice.thresholds.skin, choice.thresholds.outline) == (0.4, 0.3)  # nothing was said about them


def test_false_area_on_clear_skin_is_weighed_against_dice() -> None:
    # From level 61 a lesion of 100 is whole, from 161 only 90 of it: Dice 1 against 2 * 90 / 190 = 0.947. A clear picture has 8 % at 100.
    lesion, clear = of_lesion({10: 100}, {100: 10, 200: 90}), of_lesion({10: 92, 100: 8}, {})
    free = choose_thresholds([lesion, clear], Thresholds(), false_area_cost=0.0)
    assert free.thresholds.lesion * 255 <= 100
    assert free.figures["lesion"]["false_area_percent"] == 8.0
    weighed = choose_thresholds([lesion, clear], Thresholds(), false_area_cost=0.01)  # 0.08 is more than 0.053
    assert 100 < weighed.thresholds.lesion * 255 <= 200
    assert weighed.figures["lesion"]["false_area_percent"] == 0.0
    assert weighed.figures["lesion"]["dice"] == pytest.approx(180 / 190, abs=1e-4)


def test_photographs_get_thresholds_of_their_own_where_that_brings_dice() -> None:
    """Faint and clear pictures: no threshold suits both, each has its own; on a clear picture nothing is promised."""
    rng = np.random.default_rng(3)

    def picture(low: float, high: float) -> Histograms:
        skin, lesion = (np.round(255 * rng.normal(at, 0.03, 2000).clip(0.01, 0.99)).astype(int) for at in (low, high))
        areas = np.zeros((2, 20, LEVELS), np.int64)
        areas[:, 19] = [np.bincount(one, minlength=LEVELS) for one in (skin, lesion)]
        return Histograms("P", None, {"lesion": areas})

    faint, strong = picture(0.05, 0.3), picture(0.35, 0.9)
    bare = of_lesion({8: 4000, 12: 500}, {})
    choice = choose_thresholds([faint, faint, strong, strong, bare], Thresholds(), false_area_cost=0.02)
    assert 0.2 < choice.thresholds.lesion_own_from < 1
    assert choice.figures["lesion"]["dice"] > choice.figures["lesion"]["dice_without_own"] + 0.05
    alike = choose_thresholds([faint, faint, bare], Thresholds(), false_area_cost=0.02)
    assert alike.thresholds.lesion_own_from == 1.0  # one threshold suits all: nothing to gain


def test_what_is_not_skin_is_never_found() -> None:
    areas = np.zeros((2, 20, LEVELS), np.int64)
    areas[1, 19, 200], areas[0, 2, 250] = 100, 100  # clear pixels of high probability that are surely not skin
    skin = histogram({20: 100}, {250: 100})
    choice = choose_thresholds([Histograms("P", skin, {"outline": areas})], Thresholds())
    assert choice.figures["outline"]["dice"] == 1.0


def test_without_any_mask_there_is_nothing_to_choose_from() -> None:
    with pytest.raises(InputError, match="no photograph has a lesion or outline mask"):
        choose_thresholds([], Thresholds())


def rows(generator: np.random.Generator, patients: int) -> tuple[list[dict], list[dict]]:  # type: ignore[type-arg]
    findings, visits = [], []
    for patient in range(patients):
        tone = ("I-II", "III-IV", "V-VI")[patient % 3]
        for region in ("trunk", "lower_limbs"):
            predicted = float(generator.gamma(1, 15)) if generator.random() > 0.2 else 0.0
            true = max(0.0, predicted + float(generator.normal(0, 0.5 + 0.1 * predicted))) if predicted else 0.0
            row = {"subject_id": f"P{patient}", "region": region, "skin_tone": tone}
            row |= {"predicted_area_percent": predicted, "true_area_percent": true}
            for sign in Sign:
                row[f"predicted_{sign}"], row[f"true_{sign}"] = 2.0, 2.0 + float(generator.normal(0, 0.3))
            findings.append(row)
        pasi = float(generator.gamma(3, 3))
        visits.append(
            {
                "subject_id": f"P{patient}",
                "skin_tone": tone,
                "predicted_pasi": pasi,
                "true_pasi": pasi + float(generator.normal()),
            }
        )
    return findings, visits


def test_intervals_are_read_by_measure_and_cover_new_patients() -> None:
    generator = np.random.default_rng(11)
    content = fit_intervals(*rows(generator, 300))
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    intervals = Intervals.from_json(content)
    low, high = intervals.grade(Sign.SCALING, 2.0)
    assert low == pytest.approx(2 - 1.645 * 0.3, abs=0.12)
    assert high == pytest.approx(2 + 1.645 * 0.3, abs=0.12)
    findings, visits = rows(generator, 2000)
    for row in findings:
        row["area_percent_low"], row["area_percent_high"] = intervals.area(row["predicted_area_percent"])
    record = coverage_record(findings, visits, lambda parts, statistic: (float(statistic(parts.sum(0))[0]), 0.0, 1.0))
    assert 0.88 < record["all"]["area_percent"]["value"] < 0.95
    assert record["all"]["area_percent"]["patients"] == 2000
    assert record["all"]["area_percent"]["width"] > 0
    assert 0.86 < record["skin_tone=V-VI"]["area_percent_affected"]["value"] < 0.95
    pasi = Intervals.from_json({"level": 0.9, "area_percent": content["pasi"]})
    inside = [pasi.area(v["predicted_pasi"])[0] <= v["true_pasi"] <= pasi.area(v["predicted_pasi"])[1] for v in visits]
    assert 0.87 < np.mean(inside) < 0.94


def test_only_whole_visits_tell_the_detection_limit() -> None:
    findings, visits = rows(np.random.default_rng(4), 40)
    whole = [
        {"subject_id": f"P{n}", "predicted_area_percent": area, "true_area_percent": true}
        for n, (area, true) in enumerate([(0.2, 0.0)] * 15 + [(0.6, 0.5)] * 15)
    ]
    assert fit_intervals(findings, visits)["detection_limit_percent"] == 0.0
    assert fit_intervals(findings, visits, whole[:19])["detection_limit_percent"] == 0.0
    assert fit_intervals(findings, visits, whole)["detection_limit_percent"] == pytest.approx(0.4)


def test_coverage_of_all_is_not_without_doubt() -> None:
    findings = [
        {"subject_id": f"P{n}", "region": "trunk", "skin_tone": "I-II", "true_area_percent": 1.0}
        | {"area_percent_low": 0.0, "area_percent_high": 2.0}
        for n in range(10)
    ]
    record = coverage_record(findings, [], lambda parts, statistic: (1.0, 1.0, 1.0))
    # Exact binomial limit of 10 of 10: 0.025 ** (1 / 10)
    assert record["all"]["area_percent"]["low"] == pytest.approx(0.6915, abs=1e-4)


def test_too_few_patients() -> None:
    findings, visits = rows(np.random.default_rng(0), 19)
    with pytest.raises(InputError, match="findings of 19 patients are too few"):
        fit_intervals(findings, visits)
    with pytest.raises(InputError, match="findings of 19 patients are too few"):
        fit_intervals(findings, visits, findings[:18])  # nine patients with whole visits


def test_the_unit_follows_from_who_has_whole_visits() -> None:
    generator = np.random.default_rng(9)
    photos, visits = rows(generator, 60)
    assert fit_intervals(photos, visits)["unit"] == "region of a photograph"
    some = fit_intervals(photos, visits, rows(generator, 12)[0])
    assert (some["unit"], some["calibration"]["patients"]) == ("region of a visit", 12)
    assert some["calibration"]["shape"] == "120 findings of photographs"
    assert set(some["grade"]) == {"erythema", "induration", "scaling"}
    many = fit_intervals(photos, visits, rows(generator, 25)[0])
    assert (many["unit"], many["calibration"]["patients"]) == ("region of a visit", 25)


def test_the_command_rewrites_the_model_and_keeps_its_hashes(
    colour_model, make_photo, tmp_path: Path, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    from typer.testing import CliRunner

    from pasi_vision.cli import app

    generator = np.random.default_rng(3)
    for number in range(44):
        noise = generator.integers(15, 40, (64, 64, 3), dtype=np.uint8)
        lesion = np.zeros((64, 64), bool)
        lesion[8 : 10 + number, 8:40] = True
        noise[lesion, 0], noise[lesion, 1] = 90, 120  # probabilities 0.35 and 0.47: below one half
        make_photo(f"n{number}", lesion, pixels=noise)
    monkeypatch.setattr("pasi_vision.segment.load_model", lambda model: colour_model)
    monkeypatch.setattr("pasi_vision.photo.check_photo", accept)
    monkeypatch.setattr("pasi_vision.pipeline.check_photo", accept)
    result = CliRunner().invoke(app, ["model", "calibrate", "--model", "m", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["files"] == colour_model.folder.record.files
    assert 40 / 255 < record["thresholds"]["lesion"] < 90 / 255
    assert 40 / 255 < record["thresholds"]["outline"] < 120 / 255
    assert record["intervals"]["unit"] == "region of a photograph"
    assert record["intervals"]["calibration"]["patients"] == 22
    coverage = record["intervals"]["measured_coverage"]
    assert coverage["all"]["area_percent"]["patients"] == 22  # the other half
    assert coverage["data"] == "the other half of the calibration patients"


def accept(photo, view=None):  # type: ignore[no-untyped-def]
    from pasi_vision.records import QualityReport, Verdict

    return QualityReport((), Verdict.ACCEPT)


def test_grades_come_onto_the_line_of_the_patients() -> None:
    """Truth is 0.5 + 0.6 x the network's grade: the line is found and gone half of the way; too few patients give none."""
    rows = [
        {
            "subject_id": f"P{patient}",
            "true_area_percent": 5.0,
            "predicted_area_percent": 4.0,
            "predicted_erythema": 1.0 + 0.07 * patient,
            "true_erythema": 0.5 + 0.6 * (1.0 + 0.07 * patient),
        }
        for patient in range(30)
        for _ in range(1 + patient % 3)
    ]
    lines = fit_grade_lines(rows)
    assert lines == {"erythema": [pytest.approx(0.25, abs=1e-3), pytest.approx(0.8, abs=1e-3)]}
    intervals = Intervals.from_json({"grade_line": lines})
    assert intervals.corrected(Sign.ERYTHEMA, 2.0) == pytest.approx(1.85, abs=1e-3)
    assert intervals.corrected(Sign.SCALING, 2.0) == 2.0
    assert intervals.corrected(Sign.ERYTHEMA, 9.0) == 4.0  # the scale ends there
    assert fit_grade_lines(rows[:20]) == {}
