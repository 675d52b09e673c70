"""Kappa, AC1, alpha and their standard errors against published tables and documented outputs of R."""

from __future__ import annotations

import pytest

from pasi_vision import agree

# Krippendorff, Computing Krippendorff's alpha-reliability (2011), section D; also cac.raw4raters of R's irrCAC: 12 units, 4 observers.
FOUR_OBSERVERS = [
    *([1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4]),
    *([1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None]),
]
# Gwet's two abstractors (cont3x3abstractors of irrCAC): Ectopic, AIU, NIU.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
# distrib.6raters of irrCAC: 15 psychiatric patients, 6 raters, 5 diagnoses (the first half of Fleiss 1971's table).
SIX_RATERS = [
    *([0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0]),
    *([0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0]),
    *([0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1]),
]
# The worked example of Fleiss' kappa in common use: 10 subjects, 14 raters, kappa 0.210.
FOURTEEN_RATERS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]


def spread(counts: list[list[int]]) -> list[list[int]]:
    return [[category for category, n in enumerate(row) for _ in range(n)] for row in counts]


def half_width(record: agree.Agreement, quantile: float) -> float:
    return (record.value - record.low) / quantile


def test_krippendorff_alpha(long, by_name):
    found = by_name(agree.alpha(long(FOUR_OBSERVERS), scale="1-5 ordinal"))
    values = [round(found[f"alpha_{metric}"].value, 3) for metric in ("nominal", "ordinal", "interval")]
    assert values == [0.743, 0.815, 0.849]


def test_gwet_four_raters_with_missing(long, by_name):
    """irrCAC: AC1 0.77544 (se 0.14295), Fleiss 0.76117 (se 0.15302), 41 ratings of 12 subjects; t with 11 degrees of freedom."""
    found = by_name(agree.chance_corrected(long(FOUR_OBSERVERS), scale="1-5 ordinal"))
    assert round(found["ac1"].value, 5) == 0.77544
    assert round(half_width(found["ac1"], 2.200985), 5) == 0.14295
    assert round(found["fleiss_kappa"].value, 5) == 0.76117
    assert round(half_width(found["fleiss_kappa"], 2.200985), 5) == 0.15302
    assert (round(found["ac1"].low, 3), found["ac1"].high) == (0.461, 1.0)
    assert (found["ac1"].n_subjects, found["ac1"].n_ratings) == (12, 41)


def test_gwet_ac2_of_four_raters_with_missing(long, by_name):
    """irrCAC's vignette on weighting, quadratic weights: AC2 0.914 (se 0.10396; 0.685 to 1)."""
    published = agree.Resampling(published=True)
    found = by_name(agree.chance_corrected(long(FOUR_OBSERVERS), published, scale="1-5 ordinal"))["ac2"]
    assert (round(found.value, 3), round(found.low, 3), found.high) == (0.914, 0.685, 1.0)
    assert round(half_width(found, 2.200985), 5) == 0.10396


def test_cohen_kappa_of_two_abstractors(long, pairs_of_counts, by_name):
    """irrCAC: kappa 0.7964094 (se 0.05891072)."""
    published = agree.Resampling(published=True)
    found = by_name(agree.kappa(long(pairs_of_counts(ABSTRACTORS)), "r1", "r2", published, scale="0-2 nominal"))
    assert found["kappa_unweighted"].value == pytest.approx(0.7964094, abs=1e-7)
    assert half_width(found["kappa_unweighted"], 1.959964) == pytest.approx(0.05891072, abs=2e-6)
    assert list(found) == ["kappa_unweighted"]  # weights need an order


def test_gwet_two_abstractors(long, pairs_of_counts, by_name):
    """irrCAC: AC1 0.8493305 (0.04321747), Scott's pi = Fleiss 0.7962397 (0.05905473), alpha 0.7972585.

    Its functions of tables divide the variance by n, its functions of raw ratings (and Gwet 2014, and we) by n - 1.
    """
    larger = (100 / 99) ** 0.5
    table = long(pairs_of_counts(ABSTRACTORS))
    found = by_name(agree.chance_corrected(table, scale="0-2 nominal"))
    assert found["ac1"].value == pytest.approx(0.8493305, abs=1e-7)
    assert half_width(found["ac1"], 1.984217) == pytest.approx(0.04321747 * larger, abs=2e-6)
    assert found["fleiss_kappa"].value == pytest.approx(0.7962397, abs=1e-7)
    assert half_width(found["fleiss_kappa"], 1.984217) == pytest.approx(0.05905473 * larger, abs=2e-6)
    alpha = by_name(agree.alpha(table, scale="0-2 nominal"))["alpha_nominal"]
    assert alpha.value == pytest.approx(0.7972585, abs=1e-7)


def test_gwet_six_raters(long, by_name):
    """irrCAC: AC1 0.4448007 (0.08418757), Fleiss 0.4139265 (0.08119291), alpha 0.4204384."""
    table = long(spread(SIX_RATERS))
    found = by_name(agree.chance_corrected(table, scale="0-4 nominal"))
    assert found["ac1"].value == pytest.approx(0.4448007, abs=1e-7)
    assert half_width(found["ac1"], 2.144787) == pytest.approx(0.08418757, abs=2e-6)
    assert found["fleiss_kappa"].value == pytest.approx(0.4139265, abs=1e-7)
    assert half_width(found["fleiss_kappa"], 2.144787) == pytest.approx(0.08119291, abs=2e-6)
    assert by_name(agree.alpha(table, scale="0-4 nominal"))["alpha_nominal"].value == pytest.approx(0.4204384, abs=1e-7)


def test_fleiss_kappa_of_fourteen_raters(long, by_name):
    found = by_name(agree.chance_corrected(long(spread(FOURTEEN_RATERS)), scale="0-4 ordinal"))
    assert round(found["fleiss_kappa"].value, 3) == 0.210


def test_weighted_kappa_of_cohen_1968_weights(long, pairs_of_counts, by_name):
    """Quadratic kappa by hand from the table of two abstractors: 1 - sum(d^2 p) / sum(d^2 e)."""
    found = by_name(agree.kappa(long(pairs_of_counts(ABSTRACTORS)), "r1", "r2", scale="0-2 ordinal"))
    rows, columns = [0.13, 0.27, 0.60], [0.13, 0.24, 0.63]
    expected = sum((i - j) ** 2 * rows[i] * columns[j] for i in range(3) for j in range(3))
    assert found["kappa_quadratic"].value == pytest.approx(1 - 0.11 / expected)


def test_categories_that_nobody_chose_count(long, by_name):
    """AC1 and AC2 depend on how many categories there are to choose from; kappa does not."""
    table = long([[0, 0], [1, 1], [1, 0], [0, 1], [1, 1], [0, 0], [1, 1]])
    narrow = by_name(agree.chance_corrected(table, scale="0-1 ordinal"))
    wide = by_name(agree.chance_corrected(table, scale="0-4 ordinal"))
    assert narrow["fleiss_kappa"].value == pytest.approx(wide["fleiss_kappa"].value)
    assert wide["ac1"].value > narrow["ac1"].value
    # Gwet 2008: AC1 = (pa - pe) / (1 - pe), pe = sum p (1 - p) / (q - 1); pa 5/7, shares 6/14 and 8/14.
    chance = 2 * (6 / 14) * (8 / 14)
    assert narrow["ac1"].value == pytest.approx((5 / 7 - chance) / (1 - chance))
    assert wide["ac1"].value == pytest.approx((5 / 7 - chance / 4) / (1 - chance / 4))


def test_exact_and_within_one_by_hand(long, by_name):
    found = by_name(agree.exact(long([[0, 0], [1, 2], [4, 1], [3, 3]]), scale="0-4 ordinal"))
    assert found["exact"].value == 0.5
    assert found["within_one"].value == 0.75
