"""The card says what model.json and the evaluations say, and refuses figures of another model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pasi_vision.errors import InputError
from pasi_vision.segment.layout import ModelRecord, Thresholds
from pasi_vision.train.card import card_text, read_evaluation, read_private


@pytest.fixture
def record() -> ModelRecord:
    coverage = {"value": 0.912, "low": 0.87, "high": 0.94, "n": 480, "patients": 120, "width": 7.25}
    return ModelRecord(
        format_version=1,
        name="phantom-x",
        version="0.3.0",
        thresholds=Thresholds(lesion=0.42, outline=0.37),
        intervals={
            "level": 0.9,
            "unit": "region of a visit",
            "detection_limit_percent": 0.12,
            "calibration": {
                "findings": 400,
                "patients": 100,
                "data": [{"name": "cal", "photographs": 900, "patients": 100, "preset": "other", "seed": 5}],
            },
            "measured_coverage": {"all": {"area_percent": coverage}, "data": "a third set"},
        },
        threshold_choice={
            "data": [{"name": "cal", "photographs": 900, "patients": 100, "preset": "other", "seed": 5}],
            "strange_pictures_refused": {"drawing": 1.0, "noise": 0.25},
            "thresholds": {"lesion": {"dice": 0.77, "photographs": 600, "false_area_percent": 0.4}},
        },
        familiarity={"flat": 0.7},
        training={"data": [{"folder": "t1", "photos_sha256": "ab"}], "steps_done": 1300},
        files={"model.onnx": "f" * 64, "model.safetensors": "e" * 64},
    )


def figure(metric: str, value: float | None, group: str = "all", of: str = "photograph", n: int = 40) -> dict[str, Any]:
    low, high = (None, None) if value is None else (value - 0.01, value + 0.01)
    return {
        "metric": metric, "unit": "share", "of": of, "group": group,
        "value": value, "low": low, "high": high, "n": n, "patients": n,
    }  # fmt: skip


@pytest.fixture
def evaluation(record: ModelRecord) -> dict[str, Any]:
    figures = [
        figure("dice_outline", 0.8512),
        figure("dice_outline", 0.70, "view=soles", n=8),
        figure("dice_outline", 0.90, "view=trunk_front"),
        figure("dice_outline", 0.10, "view=palms", n=2),
        figure("pasi_mae", 1.32, of="visit", n=30),
        figure("false_area_outline", None),
    ]
    icc = {"of": "pasi", "statistic": "icc_a1", "subset": None, "value": 0.94, "low": 0.9, "high": 0.97}
    return {
        "model": {"name": "phantom-x", "version": "0.3.0", "sha256": "f" * 64},
        "thresholds": record.thresholds.model_dump(),
        "data": {"name": "fresh", "photographs": 300, "patients": 40, "preset": "careful", "seed": 9},
        "photographs": {"all": 300, "compared": 300, "not_used_by_score": 3, "abstained": 2},
        "figures": figures,
        "tone_gaps": {"dice_outline": {"gap": 0.021, "worst": "skin_tone=V-VI", "best": "skin_tone=I-II", "n": 40}},
        "agreement": [icc | {"n_ratings": 60, "n_subjects": 30}],
        "human_ceiling": [{"metric": "dice_outline", "value": 0.83, "what": "a dermatologist", "source": "a paper"}],
    }


def test_every_figure_stands_with_its_interval_and_n(record: ModelRecord, evaluation: dict[str, Any]) -> None:
    text = card_text(record, [evaluation])
    assert "# phantom-x 0.3.0" in text
    assert "| Dice, outline (non-empty) | 0.851 [0.841, 0.861] (40; 40) |" in text
    assert "| PASI: mean absolute error | 1.32 [1.31, 1.33] (30; 30) |" in text
    assert "| PASI: ICC, absolute agreement | 0.94 [0.9, 0.97] (60; 30) |" in text
    assert "fresh (300 photographs of 40 patients, preset careful, seed 9)" in text
    assert "skin-tone band V-VI is 0.021 below the best" in text
    assert "dice_outline 0.83: a dermatologist (a paper)" in text
    assert "False area on clear skin, outline" not in text  # no value, no row
    assert "lesion 0.42, outline 0.37" in text


def test_weakest_groups_are_named_but_not_those_of_few(record: ModelRecord, evaluation: dict[str, Any]) -> None:
    text = card_text(record, [evaluation])
    assert "view: soles: 0.7 [0.69, 0.71] (8; 8)" in text
    assert "palms" not in text


def test_intervals_stand_with_their_measured_coverage(record: ModelRecord, evaluation: dict[str, Any]) -> None:
    text = card_text(record, [evaluation])
    assert "nominal 90%" in text
    assert "| all | area_percent | 0.912 [0.87, 0.94] (480; 120) | 7.25 |" in text
    assert (
        "calibrated on cal (900 photographs of 100 patients, preset other, seed 5) (400 findings of 100 patients)"
        in text
    )
    unmeasured = record.model_copy(update={"intervals": {"level": 0.9}})
    assert "not measured: do not rely on these intervals" in card_text(unmeasured, [evaluation])
    assert "was not calibrated" in card_text(record.model_copy(update={"intervals": {}}), [evaluation])


def test_private_figures_carry_their_caution(record: ModelRecord, evaluation: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "private.json"
    content = {
        "set": "14 photographs, used during development",
        "figures": [{"what": "Dice, outline", "value": 0.712, "n": 14}],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    text = card_text(record, [evaluation], read_private(file))
    assert "14 photographs, used during development. Few photographs" in text
    assert "- Dice, outline: 0.712 (n = 14)" in text
    del content["figures"][0]["n"]  # type: ignore[attr-defined]
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="a figure is incomplete"):
        read_private(file)


def test_what_thresholds_were_chosen_on(record: ModelRecord, evaluation: dict[str, Any]) -> None:
    text = card_text(record, [evaluation])
    assert (
        "Chosen on cal (900 photographs of 100 patients, preset other, seed 5); Dice there: lesion in views 0.77 with 0.4 %"
        in text
    )
    bare = record.model_copy(update={"threshold_choice": {}})
    assert "Chosen on" not in card_text(bare, [evaluation])
    assert "drawn strangers" not in card_text(bare, [evaluation])


def test_strangers_and_refusals(record: ModelRecord, evaluation: dict[str, Any]) -> None:
    text = card_text(record, [evaluation])
    assert "drawing 100%, noise 25%" in text
    assert "refused 2 of 300 photographs" in text
    without = card_text(record.model_copy(update={"familiarity": {}}), [evaluation])
    assert "does not notice pictures that are no photographs of skin" in without


def test_figures_of_another_model_are_refused(record: ModelRecord, evaluation: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "evaluation.json"
    file.write_text(json.dumps(evaluation), encoding="utf-8")
    assert read_evaluation(file, record)["data"]["name"] == "fresh"
    moved = record.model_copy(update={"thresholds": Thresholds(lesion=0.5)})
    with pytest.raises(InputError, match="other weights or thresholds"):
        read_evaluation(file, moved)
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="not an evaluation"):
        read_evaluation(file, record)


def test_no_card_without_figures(record: ModelRecord) -> None:
    with pytest.raises(InputError, match="no evaluation"):
        card_text(record, [])
