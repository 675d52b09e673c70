"""Rates, missing visits, survival and the mean course against published numbers, hand-worked cases and other packages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pasi_vision.errors import InputError
from pasi_vision.score.endpoints import endpoints
from pasi_vision.score.missing import MISSING, Schedule, imputed, pooled, responder_counts, schedule
from pasi_vision.score.mixed_model import fit
from pasi_vision.score.rates import clopper_pearson, difference, poisson_rate, rate, wilson
from pasi_vision.score.settings import EndpointSettings
from pasi_vision.score.summary import summarise
from pasi_vision.score.survival import kaplan_meier


@pytest.mark.parametrize(
    ("count", "n", "expected"),
    [  # Newcombe, Stat Med 1998;17:857-872, table I: methods 3 (score) and 5 (exact)
        ((81), 263, ((0.2553, 0.3662), (0.2527, 0.3676))),
        ((15), 148, ((0.0624, 0.1605), (0.0578, 0.1617))),
        ((0), 20, ((0.0, 0.1611), (0.0, 0.1684))),
        ((1), 29, ((0.0061, 0.1718), (0.0009, 0.1776))),
    ],
)
def test_intervals_of_a_rate(count: int, n: int, expected: tuple[tuple[float, float], ...]) -> None:
    assert wilson(count, n) == pytest.approx(expected[0], abs=6e-5)
    assert clopper_pearson(count, n) == pytest.approx(expected[1], abs=6e-5)


def test_an_empty_arm_has_no_rate() -> None:
    assert rate(0, 0).rate is None
    assert difference((1, 2), (0, 0)) is None
    assert poisson_rate(1, 0) is None
    with pytest.raises(InputError, match="3 of 2 is no rate"):
        rate(3, 2)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Newcombe, Stat Med 1998;17:873-890, table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_of_two_rates(
    first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float]
) -> None:
    told = difference(first, second)
    assert told is not None
    assert told[1:] == pytest.approx(expected, abs=6e-5)


def plan(rows: list[list[int]], baseline: int = 20) -> Schedule:
    """A schedule from PASI in whole points; -1 is missing."""
    pasi = np.array(rows)
    return Schedule(
        np.array([f"s{n}" for n in range(len(rows))], object),
        tuple(f"v{n}" for n in range(pasi.shape[1])),
        np.arange(pasi.shape[1], dtype=float),
        np.full(len(rows), baseline * 1000),
        np.where(pasi < 0, MISSING, pasi * 1000),
    )


def test_rules_for_missing_visits_by_hand() -> None:
    """Four subjects, baseline 20; PASI-75 needs 5 or less."""
    four = plan([[4, 3, -1], [8, -1, 2], [5, -1, -1], [-1, -1, -1]])
    counts = {
        rule: [list(map(int, part)) for part in responder_counts(four, 75, rule)]
        for rule in ("nri", "observed", "locf")
    }  # type: ignore[arg-type]
    assert counts["nri"] == [[2, 1, 1], [4, 4, 4]]
    assert counts["observed"] == [[2, 1, 1], [3, 1, 1]]
    assert counts["locf"] == [
        [2, 2, 3],
        [4, 4, 4],
    ]  # the second subject's 8 is carried over the gap, the fourth keeps its baseline


def test_imputation_without_missing_visits_changes_nothing() -> None:
    full = plan([[4, 3], [8, 6], [5, 9]])
    for table in imputed(full, 3, np.random.default_rng(1)) or []:
        np.testing.assert_array_equal(table, full.pasi)
    value, low, high = pooled(np.array([30, 30, 30]), 100)
    assert value == 0.3
    assert (low, high) == pytest.approx(wilson(30, 100), abs=0.005)


def test_imputation_recovers_a_rate_that_dropout_would_bias() -> None:
    """Those doing badly leave: NRI and observed are both off, imputation given the visits before comes near the truth."""
    rng = np.random.default_rng(5)
    first = np.clip(rng.normal(8, 3, 3000), 0, 20)
    second = np.clip(first - 3 + rng.normal(0, 1.0, 3000), 0, 20)
    whole = plan(np.rint(np.column_stack([first, second])).astype(int).tolist())
    truth = responder_counts(whole, 75, "observed")[0][1] / 3000
    gone = rng.random(3000) < np.where(first > 8, 0.7, 0.1)
    pasi = whole.pasi.copy()
    pasi[gone, 1] = MISSING
    dropped = Schedule(whole.subjects, whole.visits, whole.days, whole.baseline, pasi)
    observed = np.divide(*responder_counts(dropped, 75, "observed"))[1]
    tables = imputed(dropped, 10, rng)
    assert tables is not None
    counts = np.array([(4 * table[:, 1] <= dropped.baseline).sum() for table in tables])
    value, low, high = pooled(counts, 3000)
    assert abs(value - truth) < 0.025
    assert observed - truth > 0.05
    assert low < truth < high
    assert set(np.unique(tables[0])) <= set(np.unique(pasi[pasi != MISSING]))
    nobody = Schedule(whole.subjects, whole.visits, whole.days, whole.baseline, np.full_like(pasi, MISSING))
    assert imputed(nobody, 2, rng) is None


def courses(days: list[int], events: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {"subject_id": [f"s{n}" for n in range(len(days))], "days_to_relapse": days, "relapsed": events}
    ).astype({"days_to_relapse": "Int64", "relapsed": "boolean"})


def test_kaplan_meier_by_hand() -> None:
    """Remission in weeks of 21 patients on 6-mercaptopurine (Freireich 1963): the textbook product limits."""
    weeks = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    told = kaplan_meier(courses(weeks, [True] * 9 + [False] * 12))["arms"]["all"]
    curve = {row["day"]: (row["at_risk"], row["survival"]) for row in told["curve"]}
    assert curve[6] == (21, pytest.approx(18 / 21, abs=1e-6))
    assert curve[7] == (17, pytest.approx(0.8067, abs=1e-4))
    assert curve[10] == (15, pytest.approx(0.7529, abs=1e-4))
    assert curve[13] == (12, pytest.approx(0.6902, abs=1e-4))
    assert curve[23] == (6, pytest.approx(0.4482, abs=1e-4))
    assert (told["n"], told["events"], told["median_days"]) == (21, 9, 23)


def test_log_rank_by_hand_and_curves_without_relapse() -> None:
    """Freireich 1963 against placebo: chi-square 16.79, p = 4.2e-5."""
    treated = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    frame = courses(treated + placebo, [True] * 9 + [False] * 12 + [True] * 21)
    arms = {s: "6-MP" if n < 21 else "placebo" for n, s in enumerate(frame["subject_id"])}
    told = kaplan_meier(frame, arms)
    assert told["logrank_p"] == pytest.approx(4.17e-5, rel=0.01)
    assert told["arms"]["placebo"]["median_days"] == 8
    none = kaplan_meier(courses([50, 80], [False, False]))["arms"]["all"]
    assert (none["events"], none["median_days"], none["curve"][-1]["survival"]) == (0, None, 1.0)
    assert none["curve"][-1]["low"] is None
    assert kaplan_meier(courses([50], [False]).iloc[:0])["arms"] == {}


def test_random_intercept_agrees_with_statsmodels() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = np.random.default_rng(3)
    subject = np.repeat(np.arange(40), 5)
    visit = np.tile(np.arange(5), 40)
    y = 12 - 2 * visit + rng.normal(0, 2, 40)[subject] + rng.normal(0, 1.2, 200)
    keep = rng.random(200) > 0.2
    design = np.eye(5)[visit]
    ours = fit(y[keep], design[keep], subject[keep])
    theirs = MixedLM(y[keep], design[keep], subject[keep]).fit(reml=True)
    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, atol=1e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse_fe, rtol=1e-3)
    assert ours.within == pytest.approx(theirs.scale, rel=1e-3)
    assert ours.between == pytest.approx(float(theirs.cov_re[0, 0]), rel=2e-3)


def test_summary_by_arm() -> None:
    rows = []
    for n in range(12):
        for visit, day in (("baseline", 1), ("week_12", 85)):
            good = n < 5 or n == 6
            rows.append([f"s{n:02d}", visit, day, "r", 1, 20.0 if day == 1 else (4.0 if good else 12.0)])
    scores = pd.DataFrame(rows, columns=["subject_id", "visit", "day", "rater", "reading", "pasi"])
    arms = pd.DataFrame({"subject_id": sorted(set(scores["subject_id"])), "arm": ["b"] * 6 + ["a"] * 6})
    derived = endpoints(scores)
    told = summarise(derived, EndpointSettings(), arms)["raters"][0]
    week = told["visits"][0]["pasi75"]
    assert [(week["arms"][arm]["count"], week["arms"][arm]["n"]) for arm in ("a", "b")] == [(1, 6), (5, 6)]
    expected = difference((5, 6), (1, 6))
    assert expected is not None
    assert list(week["differences"]["b - a"].values()) == pytest.approx(expected, abs=1e-6)
    means = {arm: rows[1]["change"] for arm, rows in told["mean_course"]["arms"].items()}
    assert means == {"a": pytest.approx(-(5 * 8 + 16) / 6), "b": pytest.approx(-(5 * 16 + 8) / 6)}
    again = summarise(derived, EndpointSettings(missing="multiple_imputation"), arms)["raters"][0]["visits"][0][
        "pasi75"
    ]
    assert again["arms"]["a"]["rate"] == pytest.approx(1 / 6, abs=1e-6)
    assert again["differences"] is None


def test_schedule_leaves_out_baselines_that_cannot_be_improved() -> None:
    scores = pd.DataFrame(
        [["a", "b", 1, 0.0], ["a", "w", 29, 0.0], ["c", "b", 1, 8.0], ["c", "w", 29, 2.0], ["d", "w", 29, 2.0]],
        columns=["subject_id", "visit", "day", "pasi"],
    ).assign(rater="r", reading=1)
    derived = endpoints(scores)
    assert schedule(derived, "r", 1).subjects.tolist() == ["c"]
    told = summarise(derived)["raters"][0]
    assert told["left_out_of_rates"] == {"baseline PASI is 0": 1, "no baseline": 1}
    assert "reason" in told["mean_course"]
