"""Conformal intervals: exact small cases, and coverage by simulation within Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.measure import Intervals
from pasi_vision.train.conformal import (
    area_intervals,
    detection_limit,
    grade_interval,
    hierarchical_quantile,
    residual_interval,
    transferred_area_intervals,
)


def test_with_one_score_each_it_is_the_order_statistic_of_split_conformal() -> None:
    # Ceil((n + 1) level) = ceil(20 x 0.9) = the 18th of 19.
    scores = np.arange(1.0, 20.0)
    assert hierarchical_quantile(scores, [f"P{n}" for n in range(19)], 0.9) == 18.0
    assert hierarchical_quantile(scores[:8], [f"P{n}" for n in range(8)], 0.9) == np.inf  # 9 x 0.9 > 8
    assert hierarchical_quantile(scores[:9], [f"P{n}" for n in range(9)], 0.9) == 9.0


def test_a_patient_with_many_regions_counts_once() -> None:
    # Nine patients with one score of 0 and one with a hundred of 1: the hundred weigh 1/11, as each of the others.
    scores = np.concatenate([np.zeros(9), np.ones(100)])
    patients = [f"P{n}" for n in range(9)] + ["many"] * 100
    assert hierarchical_quantile(scores, patients, 9 / 11) == 0.0
    assert hierarchical_quantile(scores, patients, 9.5 / 11) == 1.0


def test_too_few_patients_give_the_widest_interval() -> None:
    assert residual_interval(np.array([0.1, -0.2]), ["a", "b"], 0.9, 4.0) == (-4.0, 4.0)
    wide = area_intervals(np.array([1.0, 2.0]), np.array([1.0, 2.0]), ["a", "b"], 0.9)
    assert Intervals.from_json({"level": 0.9, "area_percent": wide}).area(30.0) == (0.0, 100.0)


def study(generator: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four regions each; errors that grow with the area, are biased, and have a part that all regions of a patient share."""
    name = np.repeat(np.arange(patients), 4)
    predicted = np.clip(generator.gamma(0.6, 22.0, patients * 4), 0.0, 95.0)
    shared = np.repeat(generator.normal(0, 1, patients), 4)
    spread = 0.4 + 0.10 * predicted
    true = np.clip(predicted * 1.05 + spread * (0.6 * shared + 0.8 * generator.normal(0, 1, patients * 4)), 0, 100)
    return predicted, true, name


def test_area_coverage_by_simulation() -> None:
    generator = np.random.default_rng(5)
    covered, small, large = [], [], []
    for _ in range(60):
        predicted, true, name = study(generator, 150)
        content = {"level": 0.9, "area_percent": area_intervals(predicted, true, name, 0.9)}
        intervals = Intervals.from_json(content)
        new, actual, _ = study(generator, 60)
        ends = np.array([intervals.area(x) for x in new])
        inside = (ends[:, 0] <= actual) & (actual <= ends[:, 1])
        covered.append(inside.mean())
        small.append(inside[new < 10].mean())
        large.append(inside[new > 30].mean())
    error = 3 * np.std(covered) / np.sqrt(len(covered))  # Monte Carlo error
    assert 0.90 - error < np.mean(covered) < 0.93 + error
    assert (
        np.mean(small) > 0.85
    )  # as wide as errors are there: covering small areas does not pay for missing large ones
    assert np.mean(large) > 0.85


def test_grade_coverage_by_simulation() -> None:
    generator = np.random.default_rng(6)
    covered = []
    for _ in range(300):
        name = np.repeat(np.arange(40), 4)
        residual = np.repeat(generator.normal(0, 0.5, 40), 4) + generator.normal(0.2, 0.3, 160)
        low, high = residual_interval(residual, name, 0.9, 4.0)
        new = np.repeat(generator.normal(0, 0.5, 40), 4) + generator.normal(0.2, 0.3, 160)
        covered.append(np.mean((low <= new) & (new <= high)))
    error = 3 * np.std(covered) / np.sqrt(len(covered))
    assert 0.90 - error < np.mean(covered) < 0.945 + error  # two sides of 1 / 41 each may be given away


def test_ten_patients_are_covered_though_the_shape_comes_from_photographs_with_other_errors() -> None:
    generator = np.random.default_rng(8)
    covered, grades = [], []
    for _ in range(150):
        shape_predicted, shape_true, _ = study(generator, 60)
        predicted, true, name = study(generator, 10)
        true = np.clip(predicted + (true - predicted) * 0.3, 0, 100)  # joined over views, errors are smaller
        content = transferred_area_intervals(shape_predicted, shape_true, predicted, true, name, 0.9)
        intervals = Intervals.from_json({"level": 0.9, "area_percent": content})
        new, actual, _ = study(generator, 30)
        actual = np.clip(new + (actual - new) * 0.3, 0, 100)
        ends = np.array([intervals.area(x) for x in new])
        covered.append(np.mean((ends[:, 0] <= actual) & (actual <= ends[:, 1])))
        shift = np.repeat(generator.normal(0.4, 0.2, 10), 4)
        low, high = grade_interval(generator.normal(0, 0.5, 300), shift, np.repeat(np.arange(10), 4), 0.9, 4.0)
        grades.append(low <= generator.normal(0.4, 0.2) <= high)
    assert 0.88 < np.mean(covered) < 0.97
    assert np.mean(grades) > 0.84


def test_knots_are_ascending_and_ends_in_order() -> None:
    predicted, true, name = study(np.random.default_rng(7), 40)
    area = area_intervals(predicted, true, name, 0.9)
    assert area["knots"] == sorted(area["knots"])
    assert all(low <= high for low, high in zip(area["low"], area["high"], strict=True))
    assert area == area_intervals(predicted, true, name, 0.9)  # the same halves again


def test_detection_limit_is_the_limit_of_blank() -> None:
    # CLSI EP17-A2: of 60 ordered blanks the 95th percentile is at rank 0.5 + 60 x 0.95 = 57.5, between the 57th and the 58th.
    blanks = np.zeros(60)
    blanks[56:] = [0.2, 0.3, 0.4, 0.6]
    patients = np.full(40, 0.1)  # however many patients have little: they do not tell what clear skin gives
    predicted, true = np.concatenate([patients, blanks[::-1]]), np.concatenate([np.full(40, 0.1), np.zeros(60)])
    assert detection_limit(predicted, true) == pytest.approx(0.25)
    assert detection_limit(np.zeros(20), np.zeros(20)) == 0.0  # nothing is ever false
    assert detection_limit(np.full(20, 3.0), np.zeros(20)) == 1.0  # never a limit that hides mild disease


def test_without_ten_clear_regions_there_is_no_detection_limit() -> None:
    # The 95th percentile of nine lies beyond the last: rank 0.5 + 9 x 0.95 > 9.
    assert detection_limit(np.full(9, 0.2), np.zeros(9)) == 0.0
    assert detection_limit(np.full(10, 0.2), np.zeros(10)) == pytest.approx(0.2)
