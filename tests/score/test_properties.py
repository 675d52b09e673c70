"""Properties that hold for all findings: range, monotone, order does not matter, bounds hold every completion, table = row by row."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import ModuleType

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pasi_vision.anatomy import Region
from pasi_vision.records import Finding, finding_frame, findings_of
from pasi_vision.score import StudySettings, pasi, score_findings
from pasi_vision.score.bands import BandPolicy
from pasi_vision.tables import Status

SLOW_MACHINE = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

percents = st.one_of(
    st.sampled_from([0.0, 0.4, 9.5, 10.0, 29.5, 30.0, 50.0, 70.0, 89.5, 90.0, 100.0]),
    st.decimals(0, 100, places=2).map(float),
)
grades = st.one_of(st.integers(0, 4).map(float), st.integers(0, 16).map(lambda quarter: quarter / 4))
maybe = st.booleans()


@st.composite
def visits(draw: st.DrawFn, *, complete: bool = False) -> list[Finding]:
    """Findings of one visit; unless complete, with unknown values, missing regions, unseen skin and refusals."""
    found = []
    for region in Region:
        if not complete and draw(st.integers(0, 9)) == 0:
            continue
        row = Finding("s1", "v1", 1, "r1", 1, region, draw(percents), None, draw(grades), draw(grades), draw(grades))
        if not complete:
            row = replace(row, coverage=draw(st.sampled_from([None, 1.0, 0.9, 0.5, 0.2, 0.0])))
            if draw(st.integers(0, 9)) == 0:
                row = replace(row, area_percent=None)
            if draw(st.integers(0, 9)) == 0:
                row = replace(row, induration=None)
            if draw(st.integers(0, 19)) == 0:
                row = replace(row, status=Status.NOT_SCORABLE, reason="blurred")
        found.append(row)
    return found or [Finding("s1", "v1", 1, "r1", 1, Region.TRUNK, 0.0, None, 0, 0, 0)]


@SLOW_MACHINE
@given(visits(), st.sampled_from(BandPolicy))
def test_scores_and_bounds_stay_on_the_scale_and_in_order(findings: list[Finding], policy: BandPolicy) -> None:
    score = pasi(findings, StudySettings(band_policy=policy))
    if score.status is Status.NOT_SCORABLE:
        assert (score.pasi, score.pasi_low, score.pasi_high) == (None, None, None)
        assert score.reason
        return
    assert score.pasi_low is not None
    assert score.pasi_high is not None
    assert 0 <= score.pasi_low <= score.pasi_high <= 72
    assert (score.pasi is None) == (score.status is not Status.SCORED)
    if score.pasi is None:
        assert score.reason
    else:
        assert score.pasi_low <= score.pasi <= score.pasi_high
    assert score.bsa_percent_low is not None
    assert score.bsa_percent_high is not None
    assert -1e-6 <= score.bsa_percent_low <= score.bsa_percent_high + 1e-6 <= 100 + 2e-6
    if score.bsa_percent is not None:
        assert score.bsa_percent_low - 1e-6 <= score.bsa_percent <= score.bsa_percent_high + 1e-6


@SLOW_MACHINE
@given(visits(complete=True), st.sampled_from(BandPolicy))
def test_agrees_with_the_slow_implementation(slow: ModuleType, findings: list[Finding], policy: BandPolicy) -> None:
    given_ = {str(f.region): {n: getattr(f, n) for n in ("area_percent", *slow.SIGNS)} for f in findings}
    score = pasi(findings, StudySettings(band_policy=policy))
    assert score.pasi == float(slow.pasi(given_, policy))
    assert score.pasi_continuous is not None
    assert abs(score.pasi_continuous - float(slow.pasi_continuous(given_))) < 1e-6
    assert score.pasi_continuous <= 72


@SLOW_MACHINE
@given(
    visits(complete=True),
    st.sampled_from(Region),
    st.sampled_from(["area_percent", "erythema", "induration", "scaling"]),
    percents,
    grades,
)
def test_monotone_in_each_input(
    findings: list[Finding], region: Region, name: str, percent: float, grade: float
) -> None:
    raised = [
        replace(f, **{name: max(getattr(f, name), percent if name == "area_percent" else grade)})
        if f.region is region
        else f
        for f in findings
    ]
    before, after = pasi(findings), pasi(raised)
    for measure in ("pasi", "pasi_continuous", "bsa_percent"):
        assert getattr(after, measure) >= getattr(before, measure)


def test_what_lies_half_way_is_rounded_alike_in_a_row_and_in_a_table() -> None:
    """Continuous PASI of 8.3703125: a product of matrices added it up otherwise for two visits than for one."""

    def visit(subject: str, head: float) -> list[Finding]:
        area = {Region.HEAD_NECK: head, Region.UPPER_LIMBS: 0.0, Region.TRUNK: 46.25, Region.LOWER_LIMBS: 0.0}
        grades = {Region.HEAD_NECK: (0.0, 1.0, 4.0), Region.TRUNK: (1.0, 4.0, 3.75)}
        return [
            Finding(subject, "v1", 1, "r1", 1, region, area[region], None, *grades.get(region, (0.0, 0.0, 0.0)))
            for region in Region
        ]

    heads = np.round(np.random.default_rng(5).uniform(0, 100, 400), 1).tolist()
    table = score_findings(finding_frame([f for n, head in enumerate(heads) for f in visit(f"s{n:03d}", head)]))
    alone = [pasi(visit(f"s{n:03d}", head)).pasi_continuous for n, head in enumerate(heads)]
    assert table.sort_values("subject_id")["pasi_continuous"].tolist() == alone


@SLOW_MACHINE
@given(st.lists(visits(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_table_scores_as_its_rows_do_in_any_order(several: list[list[Finding]], random: object) -> None:
    rows = [replace(f, subject_id=f"s{n}") for n, visit in enumerate(several) for f in visit]
    frame = finding_frame(rows)
    table = score_findings(frame)
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = score_findings(frame.iloc[shuffled].reset_index(drop=True))
    key = ["subject_id"]
    pd.testing.assert_frame_equal(
        table.sort_values(key).reset_index(drop=True), again.sort_values(key).reset_index(drop=True)
    )
    for n, visit in enumerate(several):
        alone = pasi([replace(f, subject_id=f"s{n}") for f in findings_of(finding_frame(visit))])
        row = table.iloc[n]
        for name in (
            "pasi",
            "pasi_low",
            "pasi_high",
            "pasi_continuous",
            "bsa_percent",
            "bsa_percent_low",
            "bsa_percent_high",
        ):
            value = getattr(alone, name)
            assert (value is None and np.isnan(row[name])) or value == row[name]
        assert (str(alone.status), alone.reason) == (row["status"], row["reason"])


@SLOW_MACHINE
@given(visits(complete=True), st.lists(st.sampled_from(Region), max_size=3, unique=True), percents, grades)
def test_bounds_hold_every_completion_of_missing_regions(
    findings: list[Finding], gone: list[Region], percent: float, grade: float
) -> None:
    told = pasi([f for f in findings if f.region not in gone])
    filled = [
        replace(f, area_percent=percent, erythema=grade, induration=grade, scaling=grade) if f.region in gone else f
        for f in findings
    ]
    completed = pasi(filled)
    assert told.pasi_low <= completed.pasi <= told.pasi_high  # type: ignore[operator]
    assert told.bsa_percent_low - 1e-6 <= completed.bsa_percent <= told.bsa_percent_high + 1e-6  # type: ignore[operator]


@SLOW_MACHINE
@given(
    visits(complete=True),
    st.integers(1, 99).map(lambda hundredth: Fraction(hundredth, 100)),
    st.integers(0, 100),
    st.tuples(*[st.integers(0, 16)] * 3),
)
def test_bounds_hold_every_completion_of_unseen_skin(
    slow: ModuleType, findings: list[Finding], coverage: Fraction, hidden: int, hidden_grades: tuple[int, int, int]
) -> None:
    told = pasi([replace(f, coverage=float(coverage)) for f in findings])
    whole = {}
    for f in findings:
        seen = coverage * slow.exact(f.area_percent)
        unseen = (1 - coverage) * hidden
        row = {"area_percent": seen + unseen}
        for sign, quarter in zip(slow.SIGNS, hidden_grades, strict=True):
            mixed = seen * slow.exact(getattr(f, sign)) + unseen * Fraction(quarter, 4)
            row[sign] = mixed / (seen + unseen) if seen + unseen else Fraction(0)
        whole[str(f.region)] = row
    true = slow.pasi(whole)
    if told.pasi_low is None:
        raise AssertionError("seen skin of every region gives bounds")
    assert Fraction(str(told.pasi_low)) <= true <= Fraction(str(told.pasi_high))
    assert told.bsa_percent_low - 1e-6 <= float(slow.bsa_percent(whole)) <= told.bsa_percent_high + 1e-6  # type: ignore[operator]
