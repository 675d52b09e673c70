"""The studentised bootstrap: against the textbook's t interval, its derivatives, and where it gives no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pasi_vision import agree
from pasi_vision.agree.kappa import _confusion, _estimator
from pasi_vision.agree.resample import Estimator, replicates
from pasi_vision.agree.studentised import FISHER_Z, LOG, PLAIN, _differences, small_sample_width, studentised


def mean(values: np.ndarray) -> Estimator:
    parts = np.stack([np.ones_like(values), values], axis=1)
    return Estimator(parts, lambda totals: (totals[..., 1] / totals[..., 0])[..., None])


def test_of_a_normal_mean_is_near_students_t():
    """For a mean of normal values Student's t interval is exact; the bootstrap's is that times the factor for few subjects."""
    values = np.random.default_rng(3).normal(10, 2, 60)
    _, low, high = studentised(mean(values), PLAIN, agree.Resampling(n=20_000)).of(0)
    half = stats.t.ppf(0.975, 59) * values.std(ddof=1) / np.sqrt(60) * small_sample_width(60, agree.Resampling())
    assert (high - low) / 2 == pytest.approx(half, rel=0.04)


def test_holds_the_mean_of_skewed_values_better_than_t():
    """Means of twenty lognormal values, which are skewed: the studentised interval on the logarithm holds, Student's t less often."""
    rng = np.random.default_rng(5)
    true, ours, theirs = float(np.exp(0.5)), 0, 0
    for seed in range(300):
        values = rng.lognormal(0, 1, 20)
        _, low, high = studentised(mean(values), LOG, agree.Resampling(n=399, seed=seed)).of(0)
        ours += low <= true <= high
        half = stats.t.ppf(0.975, 19) * values.std(ddof=1) / np.sqrt(20)
        theirs += abs(values.mean() - true) <= half
    assert ours / 300 >= 0.92
    assert ours > theirs


def test_derivatives_of_kappa():
    rng = np.random.default_rng(1)
    scale = agree.parse_scale("0-2 ordinal")
    x, y, z = (rng.integers(0, 3, 40) for _ in range(3))
    estimator = _estimator(_confusion([x, y], [y, z], scale), 2, scale)
    totals = replicates(40, 20, 0) @ estimator.parts
    used = np.abs(estimator.parts).sum(axis=0) > 0
    assert estimator.slopes is not None
    worked_out, differences = estimator.slopes(totals)[..., used], _differences(estimator, totals)[..., used]
    assert worked_out == pytest.approx(differences, abs=1e-8)


def test_kappa_interval_is_fisher_cohen_everitt_when_large(long, by_name):
    """With many subjects the bootstrap and the large-sample interval are one."""
    rng = np.random.default_rng(2)
    first = rng.integers(0, 4, 4000)
    second = np.where(rng.random(4000) < 0.6, first, rng.integers(0, 4, 4000))
    table = long(np.stack([first, second], axis=1).tolist())
    ours = by_name(agree.kappa(table, "r1", "r2", agree.Resampling(n=4000), scale="0-3 ordinal"))
    theirs = by_name(agree.kappa(table, "r1", "r2", agree.Resampling(published=True), scale="0-3 ordinal"))
    for name, record in ours.items():
        assert record.method.endswith("studentised bootstrap of subjects on Fisher's z")
        assert theirs[name].method.endswith("Fleiss-Cohen-Everitt variance")
        half = (theirs[name].high - theirs[name].low) / 2
        assert record.low == pytest.approx(theirs[name].low, abs=0.08 * half)
        assert record.high == pytest.approx(theirs[name].high, abs=0.08 * half)


def test_published_interval_stands_in_where_hardly_anybody_disagrees(long, by_name):
    """One disagreement among twenty: a third of the replicates has none, so there is no studentised interval."""
    table = long([[g % 4, g % 4] for g in range(19)] + [[0, 1]])
    record = by_name(agree.kappa(table, "r1", "r2", scale="0-3 ordinal"))["kappa_quadratic"]
    assert record.low is not None
    assert "Fleiss-Cohen-Everitt" in record.method


def test_gives_no_limits_without_spread_or_subjects():
    assert np.isnan(studentised(mean(np.full(10, 2.0)), PLAIN, agree.Resampling(n=100)).low).all()
    assert np.isnan(studentised(mean(np.array([1.0, 2.0, 4.0])), FISHER_Z, agree.Resampling(n=100)).low).all()
