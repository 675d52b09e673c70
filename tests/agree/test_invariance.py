"""What must not change a result: the order of rows, the names of raters, shift and scale; and what swapping the reference does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pasi_vision import agree

FAST = agree.Resampling(n=25)
CALM = settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def study(seed: int, missing: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n, v, k = 10, 2, 3
    y = rng.normal(0, 2, (n, 1, 1)) + rng.normal(0, 1, (n, v, 1)) + rng.normal(0, 1, k) + rng.normal(0, 1, (n, v, k))
    s, i, r = np.nonzero(rng.random(y.shape) >= missing)
    return pd.DataFrame(
        {
            "subject_id": [f"s{a}" for a in s],
            "visit": [f"v{a}" for a in i],
            "rater": [f"r{a}" for a in r],
            "reading": 1,
            "value": y[s, i, r],
        }
    )


def values(frame: pd.DataFrame, **options: object) -> dict[tuple[str, str | None], float]:
    records = agree.audit(frame, by=(), resampling=FAST, **options)
    return {(r.statistic, r.subset): r.value for r in records if r.value is not None}


@CALM
@given(st.integers(0, 10_000))
def test_order_of_rows(seed):
    frame = study(seed)
    shuffled = frame.sample(frac=1, random_state=seed)
    first = agree.audit(frame, by=(), resampling=FAST)
    again = agree.audit(shuffled.reset_index(drop=True), by=(), resampling=FAST)
    for a, b in zip(first, again, strict=True):
        assert (a.statistic, a.subset) == (b.statistic, b.subset)
        for x, y in ((a.value, b.value), (a.low, b.low), (a.high, b.high)):
            assert (x is None) == (y is None)
            assert x is None or x == pytest.approx(y, rel=1e-6, abs=1e-9)


@CALM
@given(st.integers(0, 10_000))
def test_names_of_raters(seed):
    frame = study(seed)
    renamed = frame.assign(rater=frame["rater"].map({"r0": "zoe", "r1": "amy", "r2": "kim"}))
    whole = {name: v for (name, subset), v in values(frame).items() if subset is None}
    other = {name: v for (name, subset), v in values(renamed).items() if subset is None}
    assert whole.keys() == other.keys()
    for name, value in whole.items():
        assert value == pytest.approx(other[name], rel=1e-4, abs=1e-7), name


@CALM
@given(st.integers(0, 10_000), st.floats(-500, 500), st.floats(0.01, 100))
def test_shift_and_scale(seed, shift, scale):
    frame = study(seed)
    moved = values(frame.assign(value=shift + scale * frame["value"]))
    for (name, subset), value in values(frame).items():
        if name.startswith(
            ("icc", "ccc", "alpha", "design_icc", "deming_slope", "passing_bablok_slope", "proportional")
        ):
            assert moved[name, subset] == pytest.approx(value, rel=1e-3, abs=1e-5), (name, subset)
        if name in ("sem", "bias", "sd_difference", "mdc95"):
            assert moved[name, subset] == pytest.approx(scale * value, rel=1e-3, abs=1e-5 * scale), (name, subset)


@CALM
@given(st.integers(0, 10_000))
def test_swap_of_reference(seed):
    frame = study(seed)
    one = {r.statistic: r for r in agree.limits(frame, "r0", "r1")}
    two = {r.statistic: r for r in agree.limits(frame, "r1", "r0")}
    assert one["bias"].value == pytest.approx(-two["bias"].value)
    assert one["loa_low"].value == pytest.approx(-two["loa_high"].value)
    assert one["loa_low"].low == pytest.approx(-two["loa_high"].high)
    assert one["sd_difference"].high == pytest.approx(two["sd_difference"].high)
    lines = [
        {r.statistic: r.value for r in f(frame, a, b)}
        for f in (agree.deming, agree.passing_bablok)
        for a, b in (("r0", "r1"), ("r1", "r0"))
    ]
    assert lines[0]["deming_slope"] == pytest.approx(1 / lines[1]["deming_slope"])


def test_categorical_statistics_do_not_see_the_numbers_of_categories(long, by_name):
    """Grades 0-4 shifted to 1-5, on a scale shifted alike, give the same answers."""
    rng = np.random.default_rng(3)
    table = rng.integers(0, 5, (30, 3))
    table[:, 1:] = np.clip(table[:, :1] + rng.integers(-1, 2, (30, 2)), 0, 4)
    for compute in (agree.chance_corrected, agree.alpha, agree.exact):
        low = by_name(compute(long(table.tolist()), scale="0-4 ordinal"))
        high = by_name(compute(long((table + 1).tolist()), scale="1-5 ordinal"))
        for name, record in low.items():
            assert record.value == pytest.approx(high[name].value), name


def test_passing_bablok_counted_equals_listed():
    """Above a thousand items slopes are counted, not listed: the same order statistics, ties and vertical pairs included."""
    from pasi_vision.agree.passing_bablok import _Counted, _Listed

    rng = np.random.default_rng(0)
    x = np.round(rng.gamma(2, 6, 150), 1)
    y = np.round(1.1 * x + rng.normal(0, 2, 150), 1)
    listed, counted = _Listed(x, y), _Counted(x, y)
    assert listed.number == counted.number
    for rank in (1 + listed.number // 3, 1 + listed.number // 2, 2 * listed.number // 3):
        expected = listed.at_rank(rank + listed.below_minus_one - counted.below_minus_one)
        assert counted.at_rank(rank) == pytest.approx(expected, rel=1e-9)
