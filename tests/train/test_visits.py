"""Findings and scores of whole visits beside the truth: joined by visit, and counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pasi_vision.anatomy import Region
from pasi_vision.records import Finding, finding_frame
from pasi_vision.score import score_findings
from pasi_vision.score.endpoints import endpoints
from pasi_vision.tables import FINDINGS, Status, check_table
from pasi_vision.train.figures import Figure, find
from pasi_vision.train.visits import finding_rows, response_rows, visit_figures, visit_rows

TONES = {"P1": "I-II", "P2": "V-VI"}


def visit(subject: str, name: str, day: int, rater: str, area: float, grade: float) -> list[Finding]:
    """The same area and grade in every region."""
    graded = grade if area else 0.0
    first = Finding(
        subject, name, day, rater, 1, Region.TRUNK,
        area_percent=area, area_percent_low=max(0.0, area - 2), area_percent_high=area + 2, area_percent_exact=area / 2,
        erythema=graded, induration=graded, scaling=graded, coverage=1.0,
    )  # fmt: skip
    return [replace(first, region=region) for region in Region]


def frame(findings: list[Finding]) -> pd.DataFrame:
    return check_table(finding_frame(findings), FINDINGS, where="test")


def resample(parts: np.ndarray, statistic: object) -> tuple[float, float, float]:
    return float(statistic(parts.sum(0))[0]), float("nan"), float("nan")  # type: ignore[operator]


@pytest.fixture
def truth() -> list[Finding]:
    return [
        *visit("P1", "week_0", 1, "truth", 20.0, 2.0),  # A 2, PASI 6 x 2 = 12
        *visit("P1", "week_12", 84, "truth", 5.0, 1.0),  # A 1, PASI 3: three quarters less
        *visit("P2", "week_0", 1, "truth", 40.0, 3.0),  # A 3, PASI 27
        *visit("P2", "week_12", 84, "truth", 0.0, 0.0),
    ]


@pytest.fixture
def said() -> list[Finding]:
    return [
        *visit("P1", "week_0", 1, "m", 24.0, 2.0),  # A 2, PASI 12
        *visit("P1", "week_12", 84, "m", 12.0, 1.0),  # A 2, PASI 6: only half less
        *visit("P2", "week_0", 1, "m", 37.0, 2.0),  # A 3, PASI 18
        *visit("P2", "week_12", 84, "m", 0.0, 0.0),
    ]


def value(figures: list[Figure], metric: str, group: str = "all") -> tuple[float | None, int, int]:
    figure = find(figures, metric, group)
    assert figure is not None, metric
    return figure.value, figure.n, figure.patients


def test_errors_of_findings_and_scores(truth: list[Finding], said: list[Finding]) -> None:
    findings = finding_rows(said, frame(truth), TONES)
    scores = score_findings(frame(truth + said))
    visits = visit_rows(scores, "m", TONES, lambda name, x: (x - 1, x + 5) if name == "pasi" else None)
    responses = response_rows(endpoints(scores).visits, "m")
    figures = visit_figures(findings, visits, responses, resample)
    # Errors of area: +4, +7, -3, 0, each in four regions.
    assert value(figures, "area_percent_mae") == (3.5, 16, 2)
    assert value(figures, "area_percent_bias") == (2.0, 16, 2)
    assert value(figures, "area_percent_mae", "skin_tone=V-VI") == (1.5, 8, 1)
    assert value(figures, "area_percent_exact_bias", "region=trunk") == (1.0, 4, 2)
    # Grades are compared where lesions are: 0, 0, -1; the clear visit is not in it.
    assert value(figures, "erythema_bias") == (pytest.approx(-1 / 3, abs=1e-6), 12, 2)
    # PASI: 0, +3, -9, 0
    assert value(figures, "pasi_mae") == (3.0, 4, 2)
    assert value(figures, "pasi_bias") == (-1.5, 4, 2)
    assert value(figures, "pasi_mae", "severity=PASI 20 and more") == (9.0, 1, 1)
    assert value(figures, "visits_scored") == (1.0, 4, 2)
    # PASI-75: P1 reached it in truth, not by the model; P2 by both.
    assert value(figures, "pasi75_agreement") == (0.5, 2, 2)
    assert [(r["true_pasi75"], r["predicted_pasi75"]) for r in responses] == [(True, False), (True, True)]
    assert (visits[1]["pasi_low"], visits[1]["pasi_high"]) == (5.0, 11.0)
    assert visits[1]["bsa_percent_low"] is None


def test_a_visit_that_cannot_be_scored_is_counted_and_not_taken_for_clear(
    truth: list[Finding], said: list[Finding]
) -> None:
    unseen = replace(
        said[0], area_percent=None, erythema=None, induration=None, scaling=None, status=Status.NOT_SCORABLE
    )
    unseen = replace(unseen, area_percent_low=None, area_percent_high=None, area_percent_exact=None, reason="not shown")
    said = [unseen, *said[1:]]
    findings = finding_rows(said, frame(truth), TONES)
    visits = visit_rows(score_findings(frame(truth + said)), "m", TONES, lambda name, x: None)
    figures = visit_figures(findings, visits, [], resample)
    assert value(figures, "area_percent_mae")[1] == 15
    assert value(figures, "visits_scored") == (0.75, 4, 2)
    assert value(figures, "pasi_mae") == (4.0, 3, 2)
    assert findings[0]["predicted_area_percent"] is None
    assert findings[0]["reason"] == "not shown"
