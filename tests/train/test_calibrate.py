"""Thresholds from exact probabilities; intervals in the form that `measure` reads; coverage counted by patient."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pasi_vision.anatomy import Sign
from pasi_vision.errors import InputError
from pasi_vision.measure import Intervals
from pasi_vision.segment.layout import LESION, Thresholds
from pasi_vision.segment.own import own_level
from pasi_vision.segment.peaks import with_peak
from pasi_vision.train.calibrate import coverage_record, fit_grade_lines, fit_intervals
from pasi_vision.train.folder import read_folder, read_truth
from pasi_vision.train.strangers import KINDS
from pasi_vision.train.thresholds import PEAKS, TRIED, Cuts, choose_skin, choose_thresholds, cuts_of, levels_of
from pasi_vision.train.thresholds import _cut as cut_of

LEVELS = 256


def histogram(clear: dict[int, int], affected: dict[int, int]) -> np.ndarray:
    counts = np.zeros((2, LEVELS), np.int64)
    for row, content in enumerate((clear, affected)):
        for level, number in content.items():
            counts[row, level] = number
    return counts


def cuts(*parts: tuple[int, int, bool], peak_of: dict[int, int] | None = None) -> Cuts:
    """A photograph of squares apart from each other: (level, pixels on a side, affected)."""
    side = max(size for _, size, _ in parts) + 2
    levels = np.zeros((side, side * len(parts)), np.uint8)
    true = np.zeros(levels.shape, bool)
    for number, (level, size, affected) in enumerate(parts):
        here = np.s_[1 : 1 + size, number * side + 1 : number * side + 1 + size]
        levels[here] = level
        if peak_of and number in peak_of:
            levels[1, number * side + 1] = peak_of[number]
        true[here] = affected
    return Cuts("P", {"lesion": cut_of(levels, true)})


def test_cuts_count_what_each_threshold_and_peak_finds() -> None:
    found = cuts((200, 10, True), (100, 5, True), (150, 4, False)).areas["lesion"]
    at = {int(level): row for row, level in enumerate(TRIED)}
    assert found.found[at[100], 0].tolist() == [16, 125]
    assert found.found[at[105], 0].tolist() == [16, 100]
    assert found.found[at[155], 0].tolist() == [0, 100]
    assert found.found[at[100], PEAKS.index(0.5)].tolist() == [16, 100]  # 100 of 255 is no sure place
    assert found.found[at[100], PEAKS.index(0.6)].tolist() == [0, 100]
    assert found.pixels[1, 200] == 100


def test_the_middle_of_the_thresholds_of_skin_is_taken() -> None:
    threshold, figures = choose_skin([histogram({40: 100}, {240: 100})])  # perfect from 41 to 240
    assert threshold == pytest.approx(0.55)
    assert figures["dice"] == 1.0


def test_each_photograph_counts_once_and_clear_ones_tell_false_area() -> None:
    small, large = cuts((120, 4, True), (80, 4, False)), cuts((220, 60, True), (160, 60, False))
    clear = cuts((250, 10, False))
    now = Thresholds(skin=0.4, outline=0.3)
    choice = choose_thresholds([small, small, small, large, clear], now, false_area_cost=0.0)
    # Three small photographs need a threshold or peak in 81..120; the large one alone would want 161..220.
    assert 81 / 255 <= max(choice.thresholds.lesion, choice.thresholds.lesion_peak) <= 120 / 255
    assert choice.figures["lesion"]["photographs"] == 4
    assert choice.figures["lesion"]["false_area_percent"] == pytest.approx(100 * 100 / 144, abs=0.01)
    assert (choice.thresholds.skin, choice.thresholds.outline) == (0.4, 0.3)  # nothing was said about them


def test_false_area_on_clear_skin_is_weighed_against_dice() -> None:
    # At 100 a lesion of 100 is whole, above only 81 of it: Dice 1 against 0.895. A clear picture then has 11 % false area.
    lesion, clear = cuts((200, 9, True), (100, 4, True)), cuts((100, 4, False))
    free = choose_thresholds([lesion, clear], Thresholds(), false_area_cost=0.0)
    assert free.thresholds.lesion * 255 <= 101
    assert free.figures["lesion"]["dice"] == 1.0
    weighed = choose_thresholds([lesion, clear], Thresholds(), false_area_cost=0.01)
    assert weighed.figures["lesion"]["false_area_percent"] == 0.0
    assert weighed.figures["lesion"]["dice"] == pytest.approx(2 * 81 / (81 + 97), abs=1e-3)


def test_a_peak_spares_healthy_skin_and_keeps_faint_margins() -> None:
    """A lesion at 100 with one sure place; clear skin at 120 without any: no threshold tells them apart, a peak does."""
    lesion, clear = cuts((100, 12, True), peak_of={0: 230}), cuts((120, 12, False))
    choice = choose_thresholds([lesion, lesion, clear], Thresholds(), false_area_cost=0.02)
    assert choice.thresholds.lesion * 255 <= 101
    assert choice.thresholds.lesion_peak >= 0.5
    assert choice.figures["lesion"]["false_area_percent"] == 0.0
    assert choice.figures["lesion"]["dice"] == 1.0


def test_of_choices_as_good_the_one_with_the_right_area_is_taken() -> None:
    # From one photograph the threshold should take a little more, from the other a little less: their areas make up for each other at 100.
    photographs = [
        cuts((100, 40, True), (100, 2, False), (60, 1, False)),
        cuts((140, 40, True), (90, 2, True), (5, 1, False)),
    ]
    choice = choose_thresholds(photographs, Thresholds(), false_area_cost=0.0)
    assert 90 < choice.thresholds.lesion * 255 <= 100
    assert abs(choice.figures["lesion"]["area_bias_percent"]) < 0.01


def test_photographs_get_thresholds_of_their_own_where_that_brings_dice() -> None:
    """Faint and clear pictures: no threshold suits both, each has its own; on a clear picture nothing is promised."""
    faint = [cuts((90, 30, True), (20, 30, False)) for _ in range(2)]
    strong = [cuts((230, 30, True), (95, 30, False)) for _ in range(2)]
    bare = cuts((8, 40, False))
    choice = choose_thresholds([*faint, *strong, bare], Thresholds(), false_area_cost=0.02)
    assert 0.2 <= choice.thresholds.lesion_own_from < 1
    assert choice.figures["lesion"]["dice"] > choice.figures["lesion"]["dice_of_one_threshold"] + 0.05
    alike = choose_thresholds([*faint, bare], Thresholds(), false_area_cost=0.02)
    assert alike.thresholds.lesion_own_from == 1.0  # one threshold suits all: nothing to gain


def test_what_is_not_skin_is_never_found(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lesion = np.zeros((64, 64), bool)
    lesion[:32] = True
    make_photo("n", lesion)
    (photo,) = read_folder(tmp_path).photos
    seen = np.zeros((11, 32, 32), np.float32)
    seen[LESION], seen[0, :, 16:] = 0.9, 0.95  # half of it is surely not skin
    found = cuts_of(photo, (64, 64), levels_of(seen), 0.4)
    assert found is not None
    assert found.areas["lesion"].found[0, 0].tolist() == [256, 256]


def test_what_cuts_find_is_what_the_model_would_find(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    generator = np.random.default_rng(3)
    seen = np.zeros((11, 48, 48), np.float32)
    seen[LESION] = np.clip(cv2.GaussianBlur(generator.normal(0.3, 1.5, (48, 48)).astype(np.float32), (0, 0), 2), 0, 1)
    make_photo("n", seen[LESION] + generator.normal(0, 0.2, (48, 48)) > 0.5)
    (photo,) = read_folder(tmp_path).photos
    found = cuts_of(photo, (48, 48), levels_of(seen), 0.4)
    assert found is not None
    levels, true = levels_of(seen)[1], read_truth(photo).lesion
    own, _ = own_level(found.areas["lesion"].pixels.sum(0))
    for row, level in enumerate((*TRIED, own)):
        for column, peak in enumerate(PEAKS):
            kept = with_peak(levels >= level, levels / 255, peak)
            assert found.areas["lesion"].found[row, column].tolist() == [(kept & ~true).sum(), (kept & true).sum()]


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


def test_only_clear_regions_of_whole_visits_tell_the_detection_limit() -> None:
    findings, visits = rows(np.random.default_rng(4), 40)
    whole = [
        {"subject_id": f"P{n}", "predicted_area_percent": area, "true_area_percent": true}
        for n, (area, true) in enumerate([(0.6, 0.5)] * 15 + [(0.2, 0.0)] * 15)
    ]
    assert fit_intervals(findings, visits)["detection_limit_percent"] == 0.0
    assert fit_intervals(findings, visits, whole[:24])["detection_limit_percent"] == 0.0
    assert fit_intervals(findings, visits, whole)["detection_limit_percent"] == pytest.approx(0.2)


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

    chosen = record["thresholds"]
    words = ["model", "calibrate", "--model", "m", "--data", str(tmp_path), "--thresholds-only"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "model.json").read_text())
    assert (record["thresholds"], record["intervals"]) == (chosen, {})
    result = CliRunner().invoke(app, [*words, "--check", str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert result.exception.where == "--thresholds-only"


def test_only_healthy_people_tell_what_is_false_where_there_are_any(
    colour_model, make_photo, tmp_path: Path, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    from typer.testing import CliRunner

    from pasi_vision.cli import app

    generator = np.random.default_rng(3)

    def picture(name: str, size: int, *, labelled: bool) -> None:
        noise = generator.integers(15, 40, (64, 64, 3), dtype=np.uint8)
        lesion = np.zeros((64, 64), bool)
        lesion[8 : 8 + size, 8:40] = True
        noise[lesion, 0], noise[lesion, 1] = 150, 150
        make_photo(name, lesion & labelled, pixels=noise, subject=f"S{name}")

    header = (tmp_path / "photos.csv").read_text(encoding="utf-8")
    for number in range(3):
        picture(f"h{number}", 0, labelled=False)
    people = tmp_path.with_name(tmp_path.name + "-people")
    shutil.copytree(tmp_path, people)
    (tmp_path / "photos.csv").write_text(header, encoding="utf-8")
    for mask in (tmp_path / "masks").iterdir():
        mask.unlink()
    for number in range(40):
        picture(f"p{number}", 2 + number, labelled=True)
    for number in range(9):
        picture(f"eczema{number}", 20, labelled=False)
    monkeypatch.setattr("pasi_vision.segment.load_model", lambda model: colour_model)
    monkeypatch.setattr("pasi_vision.photo.check_photo", accept)
    monkeypatch.setattr("pasi_vision.pipeline.check_photo", accept)
    words = ["model", "calibrate", "--model", "m", "--data", str(tmp_path)]
    told = []
    for further in ([], ["--healthy", str(people)]):
        result = CliRunner().invoke(app, [*words, *further])
        assert result.exit_code == 0, result.output
        choice = json.loads((tmp_path / "model.json").read_text())["threshold_choice"]
        assert set(choice["strange_pictures_refused"]) == set(KINDS)
        assert choice["strange_pictures_refused"]["colourless"] == 1.0
        told.append(choice["thresholds"]["lesion"])
    assert [one["clear_photographs"] for one in told] == [9, 3]
    assert told[0]["false_area_percent"] > 0
    assert told[1]["false_area_percent"] == 0


def accept(photo, view=None):  # type: ignore[no-untyped-def]
    from pasi_vision.records import QualityReport, Verdict

    return QualityReport((), Verdict.ACCEPT)


def test_grades_come_onto_the_line_of_the_patients() -> None:
    """Truth is 0.5 + 0.6 x the network's grade: the line is found, within its slopes; too few patients give none."""
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
    assert lines == {"erythema": [pytest.approx(0.5, abs=1e-3), pytest.approx(0.6, abs=1e-3)]}
    intervals = Intervals.from_json({"grade_line": lines})
    assert intervals.corrected(Sign.ERYTHEMA, 2.0) == pytest.approx(1.7, abs=1e-3)
    assert intervals.corrected(Sign.SCALING, 2.0) == 2.0
    assert intervals.corrected(Sign.ERYTHEMA, 9.0) == 4.0  # the scale ends there
    assert fit_grade_lines(rows[:20]) == {}
    steep = [row | {"true_erythema": 5 * row["predicted_erythema"] - 6} for row in rows]
    assert fit_grade_lines(steep)["erythema"][1] == 3.0
