"""Further published tables: Bland & Altman 1999, Fleiss 1971, Landis & Koch 1977, and documented outputs of R and Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pasi_vision import agree

DATA = Path(__file__).parent / "data"
PUBLISHED = agree.Resampling(published=True)

# Fleiss, Psychol Bull 1971;76:378-382, table 1 (`diagnoses` of R's irr): 30 patients, 6 raters each, 5 diagnoses.
DIAGNOSES = [
    *([0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0]),
    *([0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0]),
    *([0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1], [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0]),
    *([0, 2, 0, 4, 0], [1, 0, 2, 0, 3], [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0]),
    *([1, 0, 0, 4, 1], [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6]),
]

# vcd's help page of Kappa and its data sets: table, unweighted kappa (standard error), linearly weighted kappa (standard error).
# SexualFun: Agresti, Categorical Data Analysis, 1990 (Hout et al. 1987). MSPatients: Landis & Koch, Biometrics 1977;33:159-174.
TABLES = {
    "sexual fun": ([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]], 0.1293, 0.0686, 0.2374, 0.0783),
    "Winnipeg": ([[38, 5, 0, 1], [33, 11, 3, 0], [10, 14, 5, 6], [3, 7, 3, 10]], 0.2079, 0.0505, 0.3797, 0.0517),
    "New Orleans": ([[5, 3, 0, 0], [3, 11, 4, 0], [2, 13, 3, 4], [1, 2, 4, 14]], 0.2965, 0.0785, 0.4773, 0.0730),
}


def blood_pressure() -> pd.DataFrame:
    """Systolic pressure of 85 people, three readings each by observer J and machine S (Stat Methods Med Res 1999;8:135-160, table 1)."""
    wide = pd.read_csv(DATA / "blood_pressure.csv", dtype={"subject_id": str})
    long = wide.melt("subject_id", var_name="which", value_name="value")
    return long.assign(rater=long["which"].str[0], reading=long["which"].str[1].astype(int)).drop(columns="which")


def test_blood_pressure_first_readings(by_name):
    """Their section 2: mean difference -16.29, SD 19.61, limits -54.7 and 22.1 mmHg."""
    frame = blood_pressure()
    found = by_name(agree.limits(frame[frame["reading"] == 1], "J", "S"))
    assert [round(found[n].value, 2) for n in ("bias", "sd_difference")] == [-16.29, 19.61]
    assert [round(found[n].value, 1) for n in ("loa_low", "loa_high")] == [-54.7, 22.1]


def test_blood_pressure_replicated_readings(by_name):
    """Their section 5.1: within-subject variances 37.408 and 83.141, mean difference -15.62, limits -56.68 and 25.44."""
    frame = blood_pressure()
    found = by_name(agree.limits(frame, "J", "S"))
    assert [round(found[n].value, 2) for n in ("bias", "loa_low", "loa_high")] == [-15.62, -56.68, 25.44]
    own = {r.subset: r.value**2 for r in agree.intra_rater(frame) if r.statistic == "intra_sem"}
    assert round(own["rater=J"], 3) == 37.408
    assert round(own["rater=S"], 3) == 83.141


def test_plasma_volume_on_the_log_scale(by_name):
    """Their section 3.1: Nadler against Hurley, 99 people; log difference 0.099, limits 0.056 and 0.141: 1.06 to 1.15 times."""
    wide = pd.read_csv(DATA / "plasma_volume.csv", dtype={"subject_id": str})
    frame = wide.melt("subject_id", var_name="rater", value_name="value").assign(reading=1)
    plain = by_name(agree.limits(frame, "nadler", "hurley"))
    assert plain["proportional_bias"].low > 0  # what made them take logarithms
    logs = by_name(agree.limits(frame.assign(value=np.log(frame["value"])), "nadler", "hurley"))
    assert [round(logs[n].value, 3) for n in ("bias", "loa_low", "loa_high")] == [0.099, 0.056, 0.141]
    assert [round(float(np.exp(logs[n].value)), 2) for n in ("loa_low", "loa_high")] == [1.06, 1.15]


def test_fleiss_1971(long, by_name):
    """Kappa 0.430 of 30 patients and 6 psychiatrists."""
    table = [[category for category, n in enumerate(row) for _ in range(n)] for row in DIAGNOSES]
    assert round(by_name(agree.chance_corrected(long(table), scale="0-4 nominal"))["fleiss_kappa"].value, 3) == 0.430


@pytest.mark.parametrize("name", TABLES)
def test_kappa_and_standard_errors_of_vcd(long, pairs_of_counts, by_name, name):
    counts, unweighted, unweighted_error, weighted, weighted_error = TABLES[name]
    found = by_name(agree.kappa(long(pairs_of_counts(counts)), "r1", "r2", PUBLISHED, scale="0-3 ordinal"))
    for record, value, error in (
        (found["kappa_unweighted"], unweighted, unweighted_error),
        (found["kappa_linear"], weighted, weighted_error),
    ):
        assert round(record.value, 4) == value
        assert round((record.high - record.low) / 2 / 1.959964, 4) == error


def test_quadratic_weights_of_two_abstractors(long, pairs_of_counts, by_name):
    """irrCAC's vignette on weighting: kappa 0.8921569 (se 0.03535151), AC2 0.9402369 (0.01792019; it divides by n, we by n - 1)."""
    table = long(pairs_of_counts([[13, 0, 0], [0, 20, 7], [0, 4, 56]]))
    kappa = by_name(agree.kappa(table, "r1", "r2", PUBLISHED, scale="0-2 ordinal"))["kappa_quadratic"]
    assert kappa.value == pytest.approx(0.8921569, abs=1e-7)
    assert (kappa.high - kappa.value) / 1.959964 == pytest.approx(0.03535151, abs=2e-6)
    ac2 = by_name(agree.chance_corrected(table, PUBLISHED, scale="0-2 ordinal"))["ac2"]
    assert ac2.value == pytest.approx(0.9402369, abs=1e-7)
    assert (ac2.high - ac2.value) / 1.984217 == pytest.approx(0.01792019 * np.sqrt(100 / 99), abs=2e-6)


def test_quadratic_weights_of_six_raters(long, by_name):
    """irrCAC's vignette on weighting: AC2 0.4837438 (0.257 to 0.711) of the first half of Fleiss' table."""
    table = [[category for category, n in enumerate(row) for _ in range(n)] for row in DIAGNOSES[:15]]
    ac2 = by_name(agree.chance_corrected(long(table), PUBLISHED, scale="0-4 ordinal"))["ac2"]
    assert ac2.value == pytest.approx(0.4837438, abs=1e-7)
    assert (round(ac2.low, 3), round(ac2.high, 3)) == (0.257, 0.711)


def test_wine_of_pingouin(long, by_name):
    """pingouin's documented output for 8 wines and 4 judges: all six forms with intervals."""
    judges = [[1, 1, 3, 6, 6, 7, 8, 9], [2, 3, 8, 4, 5, 5, 7, 9], [0, 3, 1, 3, 5, 6, 7, 9], [1, 2, 4, 3, 6, 2, 9, 8]]
    found = by_name(agree.icc(long(np.array(judges).T.tolist())))
    expected = {
        "icc_1": (0.728, 0.43, 0.93),
        "icc_a1": (0.728, 0.43, 0.93),
        "icc_c1": (0.729, 0.43, 0.93),
        "icc_1k": (0.914, 0.75, 0.98),
        "icc_ak": (0.914, 0.75, 0.98),
        "icc_ck": (0.915, 0.75, 0.98),
    }
    assert {
        n: (round(found[n].value, 3), round(found[n].low, 2), round(found[n].high, 2)) for n in expected
    } == expected
