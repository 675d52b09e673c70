"""ICC, limits of agreement, concordance and lines against published tables and documented outputs of R."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pasi_vision import agree
from pasi_vision.agree.pairs import repeated_of

DATA = Path(__file__).parent / "data"

# Shrout & Fleiss, Psychol Bull 1979;86:420-428, table 2: 6 targets x 4 judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

# `anxiety` of R's irr: 20 subjects x 3 raters; icc(anxiety, "twoway", "agreement") documents 0.198 (-0.039, 0.494).
ANXIETY = [
    *([3, 3, 2], [3, 6, 1], [3, 4, 4], [4, 6, 4], [5, 2, 3], [5, 4, 2], [2, 2, 1], [3, 4, 6], [5, 3, 1], [2, 3, 1]),
    *([2, 2, 1], [6, 3, 2], [1, 3, 3], [5, 3, 3], [2, 2, 1], [2, 2, 1], [1, 1, 3], [2, 3, 3], [4, 3, 2], [3, 4, 2]),
]

# Bland & Altman, Lancet 1986;1:307-310: first readings of peak expiratory flow (l/min), Wright meter and mini meter.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_shrout_fleiss_six_forms(long, by_name):
    found = by_name(agree.icc(long(SHROUT_FLEISS)))
    values = [round(found[name].value, 2) for name in ("icc_1", "icc_a1", "icc_c1", "icc_1k", "icc_ak", "icc_ck")]
    assert values == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]  # their table 4
    # The intervals that R's psych documents for the same table (help page of ICC).
    intervals = {n: (round(found[n].low, 2), round(found[n].high, 2)) for n in agree.ICC_FORMS}
    assert intervals == {
        "icc_1": (-0.13, 0.72),
        "icc_a1": (0.02, 0.76),
        "icc_c1": (0.34, 0.95),
        "icc_1k": (-0.88, 0.91),
        "icc_ak": (0.07, 0.93),
        "icc_ck": (0.68, 0.99),
    }
    assert (found["icc_1"].n_subjects, found["icc_1"].n_ratings, found["icc_1"].n_dropped) == (6, 24, 0)


def test_irr_anxiety_agreement_interval(long, by_name):
    single = by_name(agree.icc(long(ANXIETY)))["icc_a1"]
    assert (round(single.value, 3), round(single.low, 3), round(single.high, 3)) == (0.198, -0.039, 0.494)


def test_sem_of_shrout_fleiss_by_hand(long, by_name):
    found = by_name(agree.icc(long(SHROUT_FLEISS)))
    # Mean squares of their table 3: judges 32.49, residual 1.02; sem^2 = (32.49 - 1.02) / 6 + 1.02.
    assert found["sem"].value == pytest.approx(np.sqrt((32.486 - 1.0194) / 6 + 1.0194), rel=1e-3)
    assert found["sem_consistency"].value == pytest.approx(np.sqrt(1.0194), rel=1e-3)
    assert found["mdc95"].value == pytest.approx(1.96 * np.sqrt(2) * found["sem"].value)


def test_bland_altman_1986_peak_flow(long, by_name):
    found = by_name(agree.limits(long(list(zip(WRIGHT, MINI, strict=True))), "r1", "r2"))
    assert round(found["bias"].value, 2) == -2.12
    assert round(found["sd_difference"].value, 1) == 38.8
    assert (round(found["bias"].low, 1), round(found["bias"].high, 1)) == (
        -22.0,
        17.8,
    )  # their 95 % interval of the bias
    assert found["loa_low"].value == pytest.approx(-2.1176 - 1.96 * 38.7651, abs=1e-3)
    # Their approximate interval of a limit is symmetric, +-2.12 x sqrt(3 s^2 / n); MOVER reaches farther outside than inside.
    half = 2.12 * np.sqrt(3 * 38.765**2 / 17)
    assert found["loa_low"].low < found["loa_low"].value - half
    assert found["loa_low"].high < found["loa_low"].value + half


def ejection_fraction() -> pd.DataFrame:
    wide = pd.read_csv(DATA / "ejection_fraction.csv", dtype={"subject_id": str})
    return wide.melt(["subject_id", "visit"], ["rv", "ic"], var_name="rater", value_name="value")


def test_bland_altman_2007_truth_varies(by_name):
    """Cardiac output of 12 patients, 60 pairs (Stat Methods Med Res 1999, table 4; J Biopharm Stat 2007, section 3)."""
    found = by_name(agree.limits(ejection_fraction(), "rv", "ic"))
    assert round(found["bias"].value, 4) == 0.6022
    assert round(found["sd_difference"].value, 2) == 0.99
    # One-way analysis of the differences, worked through by their formula.
    wide = ejection_fraction().pivot(index=["subject_id", "visit"], columns="rater", values="value")
    groups = [g.to_numpy() for _, g in (wide["rv"] - wide["ic"]).groupby("subject_id")]
    m = np.array([len(g) for g in groups])
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (60 - 12)
    between = sum(len(g) * (g.mean() - 0.60216667) ** 2 for g in groups) / 11
    share = (between - within) / ((60**2 - (m**2).sum()) / (11 * 60))
    assert found["sd_difference"].value == pytest.approx(np.sqrt(share + within), rel=1e-6)


def test_bland_altman_1999_truth_constant(by_name):
    """The same measurements as unequal replicates of one truth: their within-subject variances are 0.1072 and 0.1379."""
    replicates = ejection_fraction().rename(columns={"visit": "reading"})
    ratings = agree.ratings_from(replicates)
    pair = repeated_of(ratings, "rv", "ic")
    assert [round(s / np.sum(c - 1), 4) for s, c in zip(pair.squares, pair.counts, strict=True)] == [0.1072, 0.1379]
    found = by_name(agree.limits(ratings, "rv", "ic"))
    assert round(found["bias"].value, 4) == 0.7092
    harmonic = 12 / np.sum(1 / pair.counts[0])
    expected = np.var(pair.difference, ddof=1) + (1 - 1 / harmonic) * (0.10723 + 0.13787)
    assert found["sd_difference"].value == pytest.approx(np.sqrt(expected), rel=1e-4)
    assert found["bias"].n_ratings == 120
    assert found["bias"].n_dropped == 0


def test_concordance_of_peak_flow(long, by_name):
    found = by_name(agree.ccc(long(list(zip(WRIGHT, MINI, strict=True))), "r1", "r2"))["ccc"]
    x, y = np.array(WRIGHT, float), np.array(MINI, float)
    expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert found.value == pytest.approx(expected)
    assert round(found.value, 4) == 0.9427  # Lin's coefficient with moments over n, as in epi.ccc
    assert found.low < found.value < found.high < 1


def test_passing_bablok_of_sen(long, by_name):
    """Sen's data (J Am Stat Assoc 1968;63:1379): slope 4 (26/7 to 35/8 at 93 %) and intercept 6, as R's deming::pbreg tests."""
    table = list(zip([9, 15, 19, 20, 45, 55, 78], [1, 2, 3, 4, 10, 12, 18], strict=True))
    found = by_name(agree.passing_bablok(long(table), "r1", "r2", agree.Resampling(level=0.93)))
    slope, intercept = found["passing_bablok_slope"], found["passing_bablok_intercept"]
    assert (slope.value, slope.low, slope.high) == pytest.approx((4, 26 / 7, 35 / 8))
    assert intercept.value == pytest.approx(6)


def test_passing_bablok_with_slopes_below_minus_one(long, by_name):
    """The noisy six points of R's deming tests: slope 1.05, intercept 1/8; here the offset K matters."""
    table = list(zip([2, 1.2, 4.1, 3.5, 6.3, 3], [1, 2, 3, 4, 5, 6], strict=True))
    found = by_name(agree.passing_bablok(long(table), "r1", "r2"))
    assert found["passing_bablok_slope"].value == pytest.approx(1.05)
    assert found["passing_bablok_intercept"].value == pytest.approx(1 / 8)


def test_deming_closed_form_and_inverse(long, by_name):
    """The ten points of R's deming tests: the closed form, and the line of x on y is its inverse."""
    x = np.arange(1, 11.0)
    y = 2.3 * x + np.array([0, -1, 2, -3, 4, -5, 6, -7, 8, -5]) / 2
    forward = by_name(agree.deming(long(np.stack([y, x], axis=1).tolist()), "r1", "r2"))["deming_slope"]
    backward = by_name(agree.deming(long(np.stack([y, x], axis=1).tolist()), "r2", "r1"))["deming_slope"]
    s = np.cov(x, y)
    gap = s[1, 1] - s[0, 0]
    assert forward.value == pytest.approx((gap + np.hypot(gap, 2 * s[0, 1])) / (2 * s[0, 1]))
    assert backward.value == pytest.approx(1 / forward.value)


def test_deming_jackknife_by_hand(long, by_name):
    """Linnet's standard error: the standard deviation of the pseudo-values over sqrt(n), t with n - 2."""
    from scipy import stats

    x, y = np.array(MINI, float), np.array(WRIGHT, float)

    def slope(keep: np.ndarray) -> float:
        s = np.cov(x[keep], y[keep])
        gap = s[1, 1] - s[0, 0]
        return (gap + np.hypot(gap, 2 * s[0, 1])) / (2 * s[0, 1])

    n = len(x)
    every = slope(np.arange(n))
    pseudo = [n * every - (n - 1) * slope(np.delete(np.arange(n), i)) for i in range(n)]
    half = stats.t.ppf(0.975, n - 2) * np.std(pseudo, ddof=1) / np.sqrt(n)
    found = by_name(agree.deming(long(np.stack([y, x], axis=1).tolist()), "r1", "r2"))["deming_slope"]
    assert (found.low, found.high) == pytest.approx((every - half, every + half), rel=1e-9)


def test_dermatologists_lesion_area(by_name):
    """DermXDB (CC0; Jalaboi et al., Med Image Anal 2023;83:102647): 8 dermatologists outline 100 photographs."""
    ratings = agree.read_ratings(DATA / "dermatologists_lesion_area.csv", scale="0-100 continuous")
    found = by_name(agree.icc(ratings))
    assert round(found["icc_a1"].value, 2) == 0.64
    assert round(found["icc_ak"].value, 2) == 0.93
    assert (found["icc_a1"].n_subjects, found["icc_a1"].n_ratings, found["icc_a1"].n_dropped) == (100, 800, 96)
    assert "96 further readings" in found["icc_a1"].reason
    own = {r.subset: r.value for r in agree.intra_rater(ratings) if r.statistic == "intra_icc_1"}
    assert len(own) == 8
    # The same dermatologist twice agrees better than two dermatologists, as Fink 2018 found for PASI.
    assert np.median(list(own.values())) > found["icc_1"].value
