"""Endpoints of awkward tables: every row stays, every empty cell has its reason, and the order of rows means nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pasi_vision.errors import TableError
from pasi_vision.score.endpoints import endpoints
from pasi_vision.score.settings import EndpointSettings
from pasi_vision.score.summary import summarise
from pasi_vision.tables import SCORES, WITHDRAWAL, read_table

ROOT = Path(__file__).resolve().parents[2]
Course = list[tuple[int, float | None]]


def table(**courses: Course) -> pd.DataFrame:
    """A scores table of subjects and their (day, pasi)."""
    return pd.DataFrame(
        [
            {"subject_id": s, "visit": f"v{n}", "day": day, "rater": "r", "reading": 1, "pasi": pasi}
            for s, course in courses.items()
            for n, (day, pasi) in enumerate(course)
        ]
    ).astype({"pasi": float})


def row(frame: pd.DataFrame, subject: str, day: int) -> pd.Series:
    return frame[(frame["subject_id"] == subject) & (frame["day"] == day)].iloc[0]


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        ([(29, 5.0), (57, 2.0)], "no baseline"),
        ([(1, None), (29, 5.0)], "baseline PASI not known"),
        ([(1, 67.7), (29, 5.0)], "no grades give this PASI"),
        ([(1, 12.35), (29, 5.0)], "no grades give this PASI"),
        ([(1, 10.0), (1, 8.0), (29, 2.0)], "two baselines"),
    ],
)
def test_without_a_usable_baseline_nothing_is_guessed(course: Course, reason: str) -> None:
    derived = endpoints(table(s=course))
    assert len(derived.visits) == len(course)
    assert reason in derived.visits["reason"].iloc[0]
    assert derived.visits[["change", "percent_change"]].isna().all(axis=None)
    assert derived.visits[["pasi75", "relapse_npf", "relapse_ema", "rebound", "flare"]].isna().all(axis=None)
    assert derived.courses["baseline_pasi"].isna().all()
    assert derived.courses["reason"].iloc[0]


def test_baseline_0_gives_a_change_but_no_response() -> None:
    derived = endpoints(table(s=[(1, 0.0), (29, 0.0), (57, 2.0)])).visits
    assert derived["change"].tolist() == [0, 0, 2]
    assert derived["percent_change"].isna().all()
    assert derived["pasi75"].isna().all()
    assert derived["pasi_at_most_2"].tolist() == [True, True, True]
    assert (derived["reason"].astype(object).str.contains("baseline PASI is 0")).all()


def test_means_of_raters_may_be_allowed() -> None:
    derived = endpoints(table(s=[(1, 12.35), (29, 3.05)]), EndpointSettings(refuse_unattainable=False)).visits
    assert row(derived, "s", 29)["pasi75"]  # 100 x 9.30 / 12.35 = 75.3
    assert row(derived, "s", 29)["percent_change"] == pytest.approx(-75.303644)


def test_visits_out_of_order_and_days_that_go_back() -> None:
    in_order = table(s=[(1, 20.0), (29, 8.0), (57, 4.0)])
    backwards = endpoints(in_order.iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(backwards.visits, endpoints(in_order).visits)
    renamed = in_order.assign(visit=["week_0", "week_8", "week_4"])
    warnings = endpoints(renamed).warnings
    assert warnings == ("subject s, rater r: visit week_4 (day 57) is later than visit week_8 (day 29)",)
    same_day = endpoints(table(s=[(1, 20.0), (29, 8.0), (29, 9.0)]))
    assert "on the same day 29" in same_day.warnings[0]
    assert len(same_day.visits) == 3


def test_the_baseline_window_is_a_setting() -> None:
    scores = table(s=[(-13, 14.0), (-2, 12.0), (29, 3.0)])
    assert endpoints(scores).courses["reason"].iloc[0] == "no baseline"
    derived = endpoints(scores, EndpointSettings(baseline_window_days=7))
    assert derived.courses["baseline_day"].tolist() == [-2]
    assert row(derived.visits, "s", -13)["reason"].startswith("before baseline")
    assert row(derived.visits, "s", 29)["pasi75"]


def test_each_rater_and_reading_is_its_own_course() -> None:
    one = table(s=[(1, 20.0), (29, 4.0)])
    other = one.assign(rater="r2", pasi=[10.0, 9.0])
    again = one.assign(reading=2, pasi=[20.0, 6.0])
    derived = endpoints(pd.concat([one, other, again], ignore_index=True))
    assert len(derived.courses) == 3
    assert derived.visits[derived.visits["day"] == 29]["pasi75"].tolist() == [True, False, False]
    told = summarise(derived)
    assert [(r["rater"], r["reading"], r["subjects"]) for r in told["raters"]] == [
        ("r", 1, 1),
        ("r", 2, 1),
        ("r2", 1, 1),
    ]


def test_best_response_and_time_to_response() -> None:
    course = endpoints(table(s=[(1, 20.0), (29, 8.0), (57, 5.0), (85, 2.0), (113, 12.0)])).courses.iloc[0]
    assert (course["best_pasi"], course["best_day"], course["best_percent_change"]) == (2.0, 85, -90.0)
    assert [course[f"days_to_pasi{k}"] for k in (50, 75, 90)] == [28, 56, 84]
    assert course["days_to_pasi100"] is pd.NA
    assert (course["relapse_origin_day"], course["days_to_relapse"], course["relapsed"]) == (29, 84, True)


def test_relapse_may_be_limited_to_after_withdrawal() -> None:
    scores = table(s=[(1, 20.0), (29, 4.0), (57, 14.0), (85, 16.0)])
    stopped = pd.DataFrame({"subject_id": ["s"], "withdrawal_day": [60]})
    settings = EndpointSettings(relapse_after_withdrawal=True)
    derived = endpoints(scores, settings, stopped).visits
    assert derived["relapse_npf"].isna().tolist() == [True, True, True, False]
    assert "is not withdrawn" in row(derived, "s", 57)["reason"]
    assert endpoints(scores, EndpointSettings(), stopped).visits["relapse_npf"].tolist()[2:] == [True, True]


def test_bsa_changes_and_subjects_with_events() -> None:
    scores = table(a=[(1, 20.0), (29, 4.0), (57, 14.0)], b=[(1, 20.0), (29, 4.0), (57, 5.0)], c=[(1, 20.0), (29, 18.0)])
    derived = endpoints(scores.assign(bsa_percent=[12.0, 3.0, 8.5, 10.0, 1.0, np.nan, 9.0, 9.0]))
    assert derived.visits["bsa_change"].tolist()[:5] == [0.0, -9.0, -3.5, 0.0, -9.0]
    assert derived.visits["bsa_at_most_1"].tolist()[3:6] == [False, True, pd.NA]
    ever = summarise(derived)["raters"][0]["ever"]
    # c never reached PASI-50, so only a and b can relapse by the NPF rule; nobody was withdrawn, so nobody can rebound.
    assert (ever["relapse_npf"]["all"]["count"], ever["relapse_npf"]["all"]["n"]) == (1, 2)
    assert (ever["relapse_ema"]["all"]["count"], ever["relapse_ema"]["all"]["n"]) == (1, 3)
    assert ever["rebound"]["all"]["rate"] is None


def test_a_stranger_in_the_withdrawal_table_or_without_an_arm_is_named() -> None:
    scores = table(s=[(1, 20.0), (29, 4.0)])
    with pytest.raises(TableError, match="subject x has no score"):
        endpoints(scores, None, pd.DataFrame({"subject_id": ["x"], "withdrawal_day": [5]}))
    with pytest.raises(TableError, match="subject s has no arm"):
        summarise(endpoints(scores), None, pd.DataFrame({"subject_id": ["x"], "arm": ["a"]}))


def test_uvb_patients() -> None:
    """Watson et al., J Eur Acad Dermatol Venereol 2021;35:2250: 96 patients with PASI under UVB (data Apache-2.0).

    Counted by hand in the source's columns: PASI-75 in 78 of 96 and PASI-90 in 39 of 96 at the end of treatment.
    """
    scores = read_table(ROOT / "docs" / "data" / "uvb_watson2021_scores.csv", SCORES)
    stopped = read_table(ROOT / "docs" / "data" / "uvb_watson2021_withdrawal.csv", WITHDRAWAL)
    derived = endpoints(scores, EndpointSettings(missing="locf"), stopped)
    last = {v["visit"]: v for v in summarise(derived, EndpointSettings(missing="locf"))["raters"][0]["visits"]}[
        "week_10"
    ]
    assert [(last[f"pasi{k}"]["arms"]["all"][n]) for k in (75, 90) for n in ("count", "n")] == [78, 96, 39, 96]
    end_day = dict(zip(stopped["subject_id"], stopped["withdrawal_day"], strict=True))
    at_end = derived.visits[derived.visits["day"] == derived.visits["subject_id"].map(end_day)]
    assert (len(at_end), int(at_end["pasi75"].sum()), int(at_end["pasi90"].sum())) == (96, 78, 39)
    assert float(np.median(at_end["pasi"])) == 1.0  # the paper's median final PASI
