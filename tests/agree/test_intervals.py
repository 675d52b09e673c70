"""Intervals hold the truth, plans agree with simulation, REML agrees with a general solver, decisions are judged in whole tenths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pasi_vision import agree
from pasi_vision.agree.components import components
from pasi_vision.agree.decisions import decisions
from pasi_vision.agree.pairs import repeated_of
from pasi_vision.agree.planning import expected_table
from pasi_vision.agree.ratings import assemble
from pasi_vision.agree.simulate import DESIGNS, coverage, simulate
from pasi_vision.agree.spread import ratio_limits
from pasi_vision.errors import InputError

COLUMNS = ["subject_id", "rater", "reading", "value"]


def test_short_form_of_the_coverage_study():
    """The big form is scripts/agreement-coverage; here at least 16 of 20 intervals must hold the truth."""
    found = coverage(DESIGNS[0], 20, agree.Resampling(n=99))
    for name in (
        "icc_a1",
        "icc_c1",
        "sem",
        "bias",
        "loa_low",
        "loa_high",
        "ccc",
        "deming_slope",
        "kappa_quadratic",
        "ac1",
        "ac2",
        "alpha_ordinal",
        "individual_equivalence",
        "variance_residual",
        "icc_1 (own raters)",
    ):
        tally = found[name]
        assert tally.absent == 0, name
        assert tally.share >= 0.8, (name, tally)


def test_studentised_interval_of_a_variance():
    """Squares of normal variables of very uneven spread: the studentised interval holds where the chi-squared one does not."""
    from scipy import stats

    rng = np.random.default_rng(1)
    ours = theirs = 0
    for seed in range(150):
        spread = np.exp(0.4 * rng.normal(size=40) - 0.16)
        squares = (rng.normal(size=(40, 2)) * spread[:, None]) ** 2
        q = squares.sum(axis=1)
        low, high = ratio_limits(q, np.full(40, 2.0), np.arange(40), agree.Resampling(n=399, seed=seed))
        ours += q.mean() / 2 * low <= 1 <= q.mean() / 2 * high
        theirs += q.sum() / stats.chi2.ppf(0.975, 80) <= 1 <= q.sum() / stats.chi2.ppf(0.025, 80)
    assert ours / 150 >= 0.9
    assert ours > theirs


def test_reml_equals_mixedlm():
    """Two-way crossed REML with missing cells against statsmodels' general mixed model."""
    statsmodels = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(4)
    y = rng.normal(0, 2, (15, 1)) + rng.normal(0, 1, 3) + rng.normal(0, 1, (15, 3))
    y[rng.random(y.shape) < 0.15] = np.nan
    s, r = np.nonzero(~np.isnan(y))
    frame = pd.DataFrame({"subject_id": s.astype(str), "rater": r.astype(str), "reading": 1, "value": y[s, r]})
    ours = components(assemble(frame, agree.parse_scale("0-72")).grid)
    model = statsmodels.MixedLM.from_formula(
        "value ~ 1",
        groups=np.ones(len(frame)),
        re_formula="0",
        data=frame,
        vc_formula={"s": "0 + C(subject_id)", "r": "0 + C(rater)"},
    )
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(reml=True)
    named = dict(zip(model.exog_vc.names, fitted.vcomp, strict=True))
    assert ours.item[0] == pytest.approx(named["s"], rel=0.02)
    assert ours.rater[0] == pytest.approx(named["r"], rel=0.05)
    assert ours.residual[0] == pytest.approx(fitted.scale, rel=0.02)


def test_variance_components_recover_the_truth():
    design = DESIGNS[2]
    big = simulate(type(design)("big", n_subjects=800, n_visits=3, visit=1.0, n_raters=4), np.random.default_rng(2))
    found = {r.statistic: r for r in agree.variance_components(big.numbers)}
    for name, true in (("subject", 4.0), ("visit", 1.0), ("residual", 1.2), ("reading", 0.6)):
        assert found[f"variance_{name}"].value == pytest.approx(true, rel=0.12), name
    spread = np.var(big.effects, ddof=1)
    assert found["variance_rater"].value == pytest.approx(spread, rel=0.1)


def test_design_study_is_spearman_brown():
    rng = np.random.default_rng(0)
    table = rng.normal(0, 2, (40, 1)) + rng.normal(0, 1, (40, 3))
    frame = pd.DataFrame(
        [(str(s), str(r), 1, table[s, r]) for s in range(40) for r in range(3)],
        columns=["subject_id", "rater", "reading", "value"],
    )
    found = {(r.statistic, r.subset): r.value for r in agree.variance_components(frame)}
    one = found["design_icc", "raters=1, readings=1"]
    assert found["design_icc", "raters=3, readings=1"] == pytest.approx(3 * one / (1 + 2 * one))


def test_plan_of_limits_agrees_with_simulation():
    rng = np.random.default_rng(0)
    ends = [(d := rng.normal(size=60)).mean() - 1.96 * d.std(ddof=1) for _ in range(3000)]
    # Bland's formula rounds 1 / n + 1.96^2 / (2 (n - 1)) = 2.95 / n to 3 / n.
    assert agree.plan_limits(60).width / 2 == pytest.approx(1.96 * np.std(ends), rel=0.05)


@pytest.mark.parametrize(("readings", "share"), [(2, 0.5), (4, 0.8)])
def test_plan_of_limits_of_averaged_readings_agrees_with_simulation(readings, share):
    """The variance of a difference of single readings is 1: `share` of it from both raters' readings, the rest from the subjects."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(0, np.sqrt(share / 2), (2, 3000, 60, readings)).mean(axis=-1)
    means = rng.normal(0, np.sqrt(1 - share), (3000, 60)) + x - y
    ends = means.mean(axis=1) - 1.96 * means.std(axis=1, ddof=1)
    plan = agree.plan_limits(60, n_readings=readings, reading_share=share)
    assert plan.width / 2 == pytest.approx(1.96 * np.std(ends), rel=0.05)
    assert plan.width < agree.plan_limits(60).width
    assert agree.subjects_for_limits(plan.width, n_readings=readings, reading_share=share).n_subjects == 60
    with pytest.raises(InputError, match="readings with a reading share of 0"):
        agree.plan_limits(60, n_readings=readings)


def test_plan_of_icc_agrees_with_simulation():
    rng = np.random.default_rng(1)
    widths = []
    for _ in range(60):
        table = rng.normal(0, np.sqrt(0.8), (50, 1)) + rng.normal(0, np.sqrt(0.2), (50, 3))
        frame = pd.DataFrame(
            [(str(s), str(r), 1, table[s, r]) for s in range(50) for r in range(3)],
            columns=["subject_id", "rater", "reading", "value"],
        )
        record = {r.statistic: r for r in agree.icc(frame)}["icc_c1"]
        widths.append(record.high - record.low)
    assert agree.plan_icc(50, 0.8, 3).width == pytest.approx(np.mean(widths), rel=0.08)


def test_plan_of_readings_agrees_with_simulation():
    """Two readings averaged: subject 0.6, rater by subject 0.2, reading 0.2, so an ICC of 0.6 / 0.9 instead of 0.6."""
    rng = np.random.default_rng(3)
    widths = []
    for _ in range(60):
        table = rng.normal(0, np.sqrt(0.6), (50, 1)) + rng.normal(0, np.sqrt(0.2), (50, 3))
        table = table + rng.normal(0, np.sqrt(0.2), (50, 3, 2)).mean(axis=2)
        frame = pd.DataFrame([(str(s), str(r), 1, table[s, r]) for s in range(50) for r in range(3)], columns=COLUMNS)
        record = {r.statistic: r for r in agree.icc(frame)}["icc_c1"]
        widths.append(record.high - record.low)
    plan = agree.plan_icc(50, 0.6, 3, n_readings=2, intra_icc=0.8)
    assert "3 raters (mean of 2 readings each) pin an ICC of 0.667 down" in plan.sentence
    assert plan.width == pytest.approx(np.mean(widths), rel=0.08)
    assert plan.width < agree.plan_icc(50, 0.6, 3).width
    with pytest.raises(InputError, match="readings with an intra-rater ICC"):
        agree.plan_icc(50, 0.6, 3, n_readings=2)


def test_plan_of_kappa_agrees_with_simulation():
    from pasi_vision.agree.kappa import _kappas

    rng = np.random.default_rng(2)
    shares = [0.2, 0.3, 0.3, 0.2]
    table = expected_table(0.6, shares)
    assert table.sum() == pytest.approx(1)
    draws = rng.multinomial(120, table.ravel(), size=4000).astype(float)
    spread = np.std(_kappas(draws, 1, agree.parse_scale("0-3 ordinal")), axis=0)
    for at, weights in enumerate(("unweighted", "linear", "quadratic")):
        width = agree.plan_kappa(120, 0.6, shares, weights=weights).width
        assert width / (2 * 1.959964) == pytest.approx(spread[at], rel=0.05), weights


def test_decisions_in_whole_tenths():
    """10.8 -> 2.7 is exactly PASI-75 (floating point says 74.99...); 2.8 is not: the two raters decide differently."""
    rows = [
        ("a", "v0", 1, "x", 10.8), ("a", "v1", 85, "x", 2.7), ("a", "v0", 1, "y", 10.8), ("a", "v1", 85, "y", 2.8),
        ("b", "v0", 1, "x", 20.0), ("b", "v1", 85, "x", 5.0), ("b", "v0", 1, "y", 20.0), ("b", "v1", 85, "y", 4.9),
        ("c", "v0", 1, "x", 0.0), ("c", "v1", 85, "x", 1.0), ("c", "v0", 1, "y", 0.0), ("c", "v1", 85, "y", 0.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["subject_id", "visit", "day", "rater", "value"]).assign(reading=1)
    found = {
        r.statistic: r for r in decisions(agree.ratings_from(frame, scale="0-72 continuous"), "y", agree.Resampling())
    }
    assert found["pasi75_exact"].value == 0.5  # c has no baseline disease
    assert found["pasi75_patients_changed"].value == 0.5
    assert "1 of 2 patients" in found["pasi75_patients_changed"].method


def test_growing_spread_is_seen_and_described():
    rng = np.random.default_rng(7)
    true = rng.uniform(5, 40, 150)
    rows = [(str(s), r, 1, t * np.exp(rng.normal(0, 0.15))) for s, t in enumerate(true) for r in ("x", "y")]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    found = {r.statistic: r for r in agree.limits(frame, "x", "y", agree.Resampling(n=199))}
    assert found["spread_slope"].low > 0
    assert found["loa_high_at_p90"].value > 2 * found["loa_high_at_p10"].value
    # Ratio limits of two log-normal errors: exp(+-1.96 x 0.15 x sqrt 2).
    assert found["ratio_loa_high"].value == pytest.approx(np.exp(1.96 * 0.15 * np.sqrt(2)), rel=0.1)
    assert "regression form" in found["loa_low"].reason


def test_intra_rater_apart_from_inter_rater():
    rng = np.random.default_rng(8)
    rows = []
    for s in range(60):
        t = rng.normal(20, 3)
        for r, bias in (("x", 0.0), ("y", 6.0)):
            rows += [(str(s), r, m, t + bias + rng.normal(0, 1)) for m in (1, 2)]
    ratings = agree.ratings_from(pd.DataFrame(rows, columns=["subject_id", "rater", "reading", "value"]))
    own = {(r.statistic, r.subset): r for r in agree.intra_rater(ratings)}
    assert own["intra_sem", "rater=x"].value == pytest.approx(1.0, rel=0.25)
    whole = {r.statistic: r for r in agree.icc(ratings)}
    assert whole["sem"].value > 3  # the six points between the raters are no part of the intra-rater error
    assert whole["icc_a1"].n_dropped == 120
    pair = repeated_of(ratings, "x", "y")
    assert pair.basis.n_ratings == 240
