"""Relatives of the PASI, severity rules, views, draws and near edges, DLQI, safety: published ranges and hand-worked cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pasi_vision.anatomy import Region
from pasi_vision.errors import InputError, TableError
from pasi_vision.records import Finding, finding_frame
from pasi_vision.score import StudySettings, score_findings
from pasi_vision.score.dlqi import NOT_RELEVANT, NOTICE, dlqi
from pasi_vision.score.dlqi_table import score_answers
from pasi_vision.score.regions import RegionArrays
from pasi_vision.score.safety import safety, treatment_emergent
from pasi_vision.score.severity import RULES, severity
from pasi_vision.score.uncertainty import DrawSettings, draw, draws_of, near_band_edges, response_probability
from pasi_vision.score.uncertainty_table import score_uncertainty
from pasi_vision.score.variants import mpasi_tenths, napsi, pga_bsa, pssi, spasi
from pasi_vision.score.views import ViewArea, join_views


def test_ranges_of_the_relatives() -> None:
    worst = dict.fromkeys(Region, (4, 4, 4, 6))
    assert mpasi_tenths(worst) == 648
    assert mpasi_tenths({**worst, Region.TRUNK: (0, 0, 0, 0)}) == 648 - 216
    assert (spasi((4, 4, 4), 100), spasi((0, 0, 0), 0), spasi((2, 1, 2), 9.9)) == (72, 0, 5)
    assert (pssi((4, 4, 4), 90), pssi((1, 2, 3), 30)) == (72, 18)
    assert (pga_bsa(5, 100), pga_bsa(4, 100, pga_max=4), pga_bsa(2, 3.5)) == (500, 400, 7)
    assert (napsi([(4, 4)] * 20), napsi([(1, 0), (0, 2)])) == (160, 3)
    for wrong in (
        lambda: spasi((5, 0, 0), 1),
        lambda: pssi((1, 1, 1), 101),
        lambda: pga_bsa(5, 1, 4),
        lambda: napsi([(5, 0)]),
    ):
        with pytest.raises(InputError, match="off the scale"):
            wrong()


def test_severity_rules_disagree_by_design() -> None:
    patient = {"pasi": 10.5, "bsa_percent": 9.0, "dlqi": 8.0}
    told = {rule: severity(rule, **patient).severity for rule in RULES}
    assert told == {
        "rule_of_tens": "severe",
        "european_consensus": "mild",
        "bsa_npf": "moderate",
        "pasi_schmitt": "moderate",
        "nct03265613": "moderate to severe",
    }
    assert severity("european_consensus", pasi=12, bsa_percent=5).severity is None
    assert severity("nct03265613", pasi=7.0, bsa_percent=10.0).severity == "mild"
    with pytest.raises(InputError, match="rule_of_tens"):
        severity("rule_of_nine", pasi=1)


def test_views_by_hand() -> None:
    # Front shows half the trunk, back half, both see the same tenth: 0.45 + 0.45 of weight, 0.9 seen.
    joined = join_views([ViewArea(20, 0.5, 15, 25), ViewArea(40, 0.5, 30, 60)], {(0, 1): 0.1})
    assert (joined.area_percent, joined.low, joined.high, joined.coverage) == (30, 22.5, 42.5, 0.9)
    assert join_views([ViewArea(10, 0.75), ViewArea(50, 0.25)]).area_percent == 20
    twice = join_views([ViewArea(10, 0.5), ViewArea(10, 0.5)], {(0, 1): 0.5})
    assert (twice.area_percent, twice.coverage) == (10, 0.5)
    for views, overlaps in (
        ([ViewArea(10, 0.0)], None),
        ([ViewArea(10, 0.2), ViewArea(10, 0.9)], {(0, 1): 0.3}),
        ([ViewArea(10, 0.8), ViewArea(10, 0.9)], None),
    ):
        with pytest.raises(InputError):
            join_views(views, overlaps)


def arrays(low: float, value: float, high: float) -> RegionArrays:
    """One visit: the trunk has an interval, grades 2, 2, 2; nothing elsewhere."""
    area = np.zeros((1, 4))
    grades = np.zeros((1, 4, 3))
    grades[:, 2] = 2
    ends = [area.copy(), area.copy()]
    area[:, 2], ends[0][:, 2], ends[1][:, 2] = value, low, high
    return RegionArrays(area=area, grades=grades, area_low=ends[0], area_high=ends[1])


def test_draws_follow_the_interval_they_are_given() -> None:
    told = draw(arrays(20, 30, 40), np.random.default_rng(1), DrawSettings(draws=40_000))
    # Half the draws lie below the edge at 30 (band 2), half above (band 3): PASI 0.3 x 6 x 2 = 3.6 or 5.4.
    bands = told.band_probabilities()[0, 2]
    assert bands[2] == pytest.approx(0.5, abs=0.01)
    assert bands[3] == pytest.approx(0.5, abs=0.01)
    assert set(np.unique(told.pasi)) <= {18, 36, 54, 72}
    share_inside = np.mean((told.bsa_percent >= 6) & (told.bsa_percent <= 12))
    assert share_inside == pytest.approx(0.90, abs=0.01)
    narrow = draw(arrays(20, 20, 20), np.random.default_rng(1))
    assert set(np.unique(narrow.pasi)) == {36}
    np.testing.assert_allclose(narrow.pasi_interval(), [[3.6], [3.6]])


def test_draws_made_elsewhere_and_their_responses() -> None:
    area = np.zeros((4, 2, 4))
    grades = np.full((4, 2, 4, 3), 2.0)
    area[:, 0, 2] = [20, 20, 20, 0]
    area[:, 1, 2] = [0, 5, 20, 0]
    told = draws_of(area, grades)
    np.testing.assert_array_equal(told.pasi, [[36, 0], [36, 18], [36, 36], [0, 0]])
    # The draw whose baseline is 0 cannot respond; of the other three one reaches PASI-75 and two PASI-50.
    assert response_probability(told, 0, 1, 75) == pytest.approx(1 / 3)
    assert response_probability(told, 0, 1, 50) == pytest.approx(2 / 3)
    assert response_probability(draws_of(area[3:], grades[3:]), 0, 1, 75) is None


def test_correlated_areas_widen_the_pasi() -> None:
    wide = RegionArrays(
        area=np.full((1, 4), 20.0),
        grades=np.full((1, 4, 3), 2.0),
        area_low=np.full((1, 4), 5.0),
        area_high=np.full((1, 4), 40.0),
    )
    spread = {
        rho: float(
            np.std(draw(wide, np.random.default_rng(2), DrawSettings(draws=20_000, area_correlation=rho)).bsa_percent)
        )
        for rho in (0.0, 0.9)
    }
    # Independent: sd sqrt(0.01 + 0.04 + 0.09 + 0.16) = 0.55 of one region's; nearly together: close to 1.
    assert spread[0.9] / spread[0.0] == pytest.approx(np.sqrt(0.9 + 0.1 * 0.3) / np.sqrt(0.3), rel=0.05)
    with pytest.raises(InputError, match="not known"):
        draw(RegionArrays(np.full((1, 4), np.nan), np.zeros((1, 4, 3))), np.random.default_rng(1))


def findings(*rows: tuple[Region, float, float, float]) -> pd.DataFrame:
    return finding_frame(
        [
            Finding("s", "v", 1, "model", 1, region, area, None, 2, 1, 2, area_percent_low=low, area_percent_high=high)
            for region, low, area, high in rows
        ]
    )


def test_near_edges_by_hand() -> None:
    frame = findings(
        (Region.TRUNK, 24, 28, 33),
        (Region.LOWER_LIMBS, 28, 31, 34),
        (Region.HEAD_NECK, 11, 15, 29),
        (Region.UPPER_LIMBS, 0, 2, 5),
    )
    told = near_band_edges(frame)
    # Trunk 28 -> band 3 adds 0.3 x 5; lower limbs 31 -> band 2 takes 0.4 x 5; the head's interval holds no edge; 2 % may be 0 %.
    found = {
        row["region"]: (row["edge_percent"], row["area_score_across"], row["pasi_step"]) for _, row in told.iterrows()
    }
    assert found == {"trunk": (30.0, 3, 1.5), "lower_limbs": (30.0, 2, -2.0), "upper_limbs": (0.0, 0, -1.0)}
    with pytest.raises(InputError, match="no intervals"):
        near_band_edges(frame.drop(columns=["area_percent_low"]))


def test_uncertainty_of_a_table() -> None:
    rows = [
        Finding(
            "s",
            visit,
            day,
            "model",
            1,
            region,
            area,
            None,
            2,
            2,
            2,
            area_percent_low=area * 0.8,
            area_percent_high=area * 1.2,
        )
        for visit, day, area in (("baseline", 1, 40.0), ("week_12", 85, 8.0))
        for region in Region
    ]
    lonely = [Finding("t", "baseline", 1, "model", 1, Region.TRUNK, 5.0, None, 1, 1, 1)]
    told = score_uncertainty(finding_frame(rows + lonely))
    base, later, partial = (told.iloc[n] for n in range(3))
    assert base["pasi_draws_low"] <= base["pasi"] <= base["pasi_draws_high"]
    assert np.isnan(base["p_pasi75"])
    assert later["p_pasi50"] > 0.95  # 18 -> 6 unless a band is crossed
    assert later["p_pasi75"] < 0.05
    assert np.isnan(partial["pasi_draws_low"])
    assert "see the bounds" in partial["reason"]


def test_induration_may_be_left_as_bounds_or_taken_from_a_clinician() -> None:
    model = [Finding("s", "v", 1, "model-x", 1, region, 20, None, 2, 3, 2) for region in Region]
    clinician = [Finding("s", "v", 1, "dr", 1, region, 20, None, 1, 1, 1) for region in Region]
    frame = finding_frame(model + clinician)
    scores = {
        choice: score_findings(frame, StudySettings(induration=choice)) for choice in ("inferred", "bounds", "dr")
    }
    assert scores["inferred"]["pasi"].tolist() == [14.0, 6.0]
    assert scores["dr"]["pasi"].tolist() == [10.0, 6.0]
    bounded = scores["bounds"].iloc[0]
    assert np.isnan(bounded["pasi"])
    assert (bounded["pasi_low"], bounded["pasi_high"], bounded["status"]) == (8.0, 16.0, "partial")
    assert scores["bounds"]["pasi"].tolist()[1] == 6.0


def test_findings_that_contradict_themselves_are_refused() -> None:
    good = [Finding("s", "v", 1, "r", 1, region, 20, None, 2, 2, 2) for region in Region]
    frame = finding_frame(good)
    for change, says in (
        ({"area_percent_low": 30.0}, "low <= value <= high"),
        ({"erythema_high": 1.0}, "low <= value <= high"),
        ({"erythema": 5.0}, "off the scale"),
        ({"region": "torso"}, "is not a region"),
    ):
        with pytest.raises(TableError, match=says):
            score_findings(frame.assign(**change))
    with pytest.raises(TableError, match="stands twice"):
        score_findings(pd.concat([frame, frame.iloc[:1]], ignore_index=True))
    with pytest.raises(TableError, match="has two days, 1 and 2"):
        score_findings(frame.assign(day=[1, 1, 1, 2]))
    with pytest.raises(TableError, match="no rows"):
        score_findings(frame.iloc[:0])


def test_dlqi() -> None:
    assert "\N{COPYRIGHT SIGN}" in NOTICE
    assert dlqi([3] * 10).total == 30
    assert dlqi([3] * 10).relevant == 30
    one_missing = dlqi([2] * 9 + [None])
    assert (one_missing.total, one_missing.unanswered, one_missing.band) == (18, 1, "very large effect")
    two_missing = dlqi([2] * 8 + [None] * 2)
    assert two_missing.total is None
    assert "at most one" in two_missing.reason
    # Rencz 2018: corrected for items that do not apply, 10 points with three of them are 10 x 10 / 7.
    assert dlqi([2, 2, 2, 2, 1, 1, 0, NOT_RELEVANT, NOT_RELEVANT, NOT_RELEVANT]).relevant == 14.29
    for wrong in ([4] * 10, [1] * 9, [NOT_RELEVANT] + [0] * 9, [True] + [0] * 9):
        with pytest.raises(InputError):
            dlqi(wrong)  # type: ignore[arg-type]


def test_dlqi_table() -> None:
    items = {f"item_{n}": ["2", "1", None, "0"] for n in range(1, 11)}
    frame = pd.DataFrame(
        {"subject_id": ["a", "a", "b", "c"], "visit": ["b", "w", "b", "w"], "day": [1, 29, 1, 29], **items}
    )
    told = score_answers(frame)
    assert told["dlqi"].tolist() == [20, 10, pd.NA, 0]
    assert told["change"].tolist() == [0, -10, pd.NA, pd.NA]
    assert told["improved_by_mcid"].tolist()[1] is True
    assert told["reason"].tolist()[2:] == ["10 items unanswered; at most one may be", "no baseline"]


def test_safety_by_hand() -> None:
    exposure = pd.DataFrame(
        {
            "subject_id": ["a", "b", "c"],
            "first_day": [1, 1, 1],
            "last_day": [57, 57, 57],
            "end_of_observation": [365.25, 365.25, 365.25],
        }
    )
    events = pd.DataFrame(
        {
            "subject_id": ["a", "a", "b", "b", "c"],
            "term": ["fever", "fever", "rash", "fever", "rash"],
            "start_day": [3.0, 88.0, 40.0, np.nan, -5.0],
            "grade": [1, 3, 2, 2, 1],
            "serious": pd.array([False, False, True, None, False], dtype="boolean"),
            "related": ["related", "related", "unrelated", "possibly", "unrelated"],
        }
    )
    # Day 88 is more than 30 days after day 57; day -5 is before treatment; an unknown day counts.
    assert treatment_emergent(events, exposure).tolist() == [True, False, True, True, False]
    told = safety(events, exposure)
    assert told["patient_years"] == 3.0
    assert (told["all"]["events"], told["all"]["subjects_with_event"]["count"]) == (3, 2)
    assert told["all"]["per_100_patient_years"]["rate"] == 100.0
    # Garwood's exact interval for 3 events is 0.6187 to 8.7673.
    assert told["all"]["per_100_patient_years"]["rate_high"] == pytest.approx(100 * 8.7673 / 3, abs=0.01)
    assert told["serious"]["events"] == 2  # one is not known and counts
    assert told["related"]["events"] == 2
    assert (told["by_worst_grade"]["1"]["count"], told["by_worst_grade"]["2"]["count"]) == (1, 1)
    assert told["by_term"]["fever"]["subjects_with_event"]["count"] == 2
    with pytest.raises(TableError, match="subject c has an event but no exposure"):
        safety(events, exposure.iloc[:2])
    with pytest.raises(TableError, match="ends on day 0 before"):
        safety(events, exposure.assign(last_day=0))
