"""Bounds against brute force: every completion of what was not seen lies inside, and the bounds are reached."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from pasi_vision.score.bands import BandPolicy
from pasi_vision.score.bounds import bsa_bounds, pasi_bounds_tenths, possible
from pasi_vision.score.regions import RegionArrays


def band(percent: Fraction) -> int:
    return 0 if percent == 0 else 1 + sum(percent >= edge for edge in (10, 30, 50, 70, 90))


def rounded(grade: Fraction) -> int:
    return int(grade + Fraction(1, 2))


def completions(area: tuple[int, int], grade: tuple[int, int], coverage: Fraction) -> list[int]:
    """Area score x sum of grades of every completion on a grid, in exact fractions; all three signs alike."""
    unseen = 100 * (1 - coverage)
    found = []
    for a, tenth in itertools.product(range(area[0], area[1] + 1), range(41)):
        hidden = unseen * Fraction(tenth, 40)
        total = coverage * a + hidden
        for seen, other in itertools.product(grade, range(5)):
            mean = (coverage * a * seen + hidden * other) / total if total else Fraction(0)
            found.append(band(total) * 3 * rounded(mean))
    return found


CASES = [
    ((20, 20), (2, 2), Fraction(9, 10)),
    ((20, 25), (1, 3), Fraction(1, 2)),
    ((0, 0), (0, 0), Fraction(3, 4)),
    ((0, 5), (2, 2), Fraction(19, 20)),
    ((5, 9), (4, 4), Fraction(99, 100)),
    ((62, 100), (3, 4), Fraction(1, 4)),
    ((100, 100), (4, 4), Fraction(1, 10)),
    ((40, 40), (2, 2), Fraction(1, 100)),
    ((12, 48), (0, 1), Fraction(1)),
    ((33, 71), (2, 4), Fraction(0)),
]


@pytest.mark.parametrize(("area", "grade", "coverage"), CASES)
def test_bounds_against_brute_force(area: tuple[int, int], grade: tuple[int, int], coverage: Fraction) -> None:
    found = completions(area, grade, coverage)
    arrays = RegionArrays(
        area=np.array([[area[0], 0, 0, 0]], float),
        grades=np.concatenate([np.full((1, 1, 3), float(grade[0])), np.zeros((1, 3, 3))], axis=1),
        area_low=np.array([[area[0], 0, 0, 0]], float),
        area_high=np.array([[area[1], 0, 0, 0]], float),
        grades_low=np.concatenate([np.full((1, 1, 3), float(grade[0])), np.zeros((1, 3, 3))], axis=1),
        grades_high=np.concatenate([np.full((1, 1, 3), float(grade[1])), np.zeros((1, 3, 3))], axis=1),
        coverage=np.array([[float(coverage), 1, 1, 1]]),
    )
    can_be = possible(arrays, BandPolicy.HALF_OPEN)
    low, high = (int(end[0]) for end in pasi_bounds_tenths(can_be, BandPolicy.HALF_OPEN))
    assert low <= min(found)
    assert high >= max(found)
    # Reached to within one step of one band or of the three grades: the grid cannot touch open band ends.
    assert min(found) - low <= 6
    assert high - max(found) <= 18
    bsa_low, bsa_high = (float(end[0]) for end in bsa_bounds(can_be, "pasi"))
    assert bsa_low == pytest.approx(float(coverage * area[0]) / 10)
    assert bsa_high == pytest.approx(float(coverage * area[1] + 100 * (1 - coverage)) / 10)


def test_faint_unseen_plaques_can_lower_the_score() -> None:
    """Seen: 20 % of grade 2 on nine tenths of the trunk. Unseen: 9 % of grade 0-4. 27 % in all is still band 2, grade 36/27 -> 1."""
    found = completions((20, 20), (2, 2), Fraction(9, 10))
    assert min(found) == 6 < 12
