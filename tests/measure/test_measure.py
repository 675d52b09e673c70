"""Masks with known areas and grades come out as those areas and grades."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.measure import (
    Intervals,
    MeasureChoices,
    ViewCoverage,
    load_view_coverage,
    measure_photo,
    measure_visit,
)
from pasi_vision.measure.intervals import Residuals
from pasi_vision.measure.views import Cell
from pasi_vision.records import Finding, Masks
from pasi_vision.tables import Status

VISIT = Finding("S1", "V1", 1, "model", 1, Region.TRUNK)
EXACT = Intervals(0.9, Residuals((0.0,), (-1.0,), (2.0,)), grades=dict.fromkeys(Sign, (-0.5, 0.5)))


def trunk_masks(affected_columns: int, outlined_columns: int) -> Masks:
    """A 100 x 200 picture, its left half trunk; the first columns affected with grades 2, 3, 1."""
    regions = np.zeros((100, 200), np.uint8)
    regions[:, :100] = Region.TRUNK.code
    lesion, outline = np.zeros((2, 100, 200), bool)
    lesion[:, :affected_columns] = True
    outline[:, :outlined_columns] = True
    signs = np.zeros((100, 200, 3), np.uint8)
    signs[lesion] = (120, 180, 60)
    return Masks(regions, lesion, outline, signs)


def test_shares_are_of_the_regions_skin_not_of_the_picture() -> None:
    (trunk,) = measure_photo(trunk_masks(10, 15))
    assert trunk.region is Region.TRUNK
    assert trunk.skin_px == 10_000
    assert trunk.lesion_percent == 10.0
    assert trunk.outline_percent == 15.0
    assert dict(trunk.grades) == {Sign.ERYTHEMA: 2.0, Sign.INDURATION: 3.0, Sign.SCALING: 1.0}


def test_stray_pixels_are_no_view_of_a_region() -> None:
    masks = trunk_masks(0, 0)
    masks.regions[0, 150:155] = Region.LOWER_LIMBS.code
    assert [m.region for m in measure_photo(masks)] == [Region.TRUNK]


def test_no_skin_measures_nothing() -> None:
    blank = Masks(np.zeros((9, 9), np.uint8), *np.zeros((2, 9, 9), bool), np.zeros((9, 9, 3), np.uint8))
    assert measure_photo(blank) == []


CELLS = ViewCoverage(
    {
        region: (
            Cell(frozenset({View.TRUNK_FRONT}), 0.3),
            Cell(frozenset({View.TRUNK_FRONT, View.UPPER_LIMBS_FRONT}), 0.2),
            Cell(frozenset({View.TRUNK_BACK}), 0.4),
            Cell(frozenset(), 0.1),
        )
        for region in Region
    }
)


def test_skin_that_two_views_show_is_counted_once() -> None:
    both = {View.TRUNK_FRONT, View.UPPER_LIMBS_FRONT}
    assert CELLS.coverage(Region.TRUNK, both) == pytest.approx(0.5)
    assert CELLS.weights(Region.TRUNK, both) == pytest.approx({View.TRUNK_FRONT: 0.4, View.UPPER_LIMBS_FRONT: 0.1})
    assert CELLS.weights(Region.TRUNK, {View.TRUNK_FRONT}) == pytest.approx({View.TRUNK_FRONT: 0.5})


def visit(*photos: tuple[View, Masks], **choices: object) -> dict[Region, Finding]:
    measured = [(view, measure_photo(masks)) for view, masks in photos]
    found = measure_visit(
        measured,
        visit=VISIT,
        coverage=CELLS,
        intervals=EXACT,
        choices=MeasureChoices(**choices),  # type: ignore[arg-type]
    )
    return {f.region: f for f in found}


def test_views_weigh_by_the_surface_they_show() -> None:
    found = visit((View.TRUNK_FRONT, trunk_masks(10, 20)), (View.TRUNK_BACK, trunk_masks(40, 40)))[Region.TRUNK]
    # front shows 0.5 of the surface, back 0.4: (0.5 x 20 + 0.4 x 40) / 0.9
    assert found.area_percent == pytest.approx((0.5 * 20 + 0.4 * 40) / 0.9, abs=1e-3)
    assert found.area_percent_exact == pytest.approx((0.5 * 10 + 0.4 * 40) / 0.9, abs=1e-3)
    assert found.coverage == pytest.approx(0.9)
    assert found.area_percent_low == pytest.approx(found.area_percent - 1, abs=1e-3)
    assert found.area_percent_high == pytest.approx(found.area_percent + 2, abs=1e-3)
    assert (found.erythema, found.induration, found.scaling) == (2.0, 3.0, 1.0)
    assert "induration inferred" in found.reason


def test_a_region_without_photographs_is_not_scorable_never_zero() -> None:
    found = visit((View.TRUNK_FRONT, trunk_masks(10, 10)))[Region.LOWER_LIMBS]
    assert found.status is Status.NOT_SCORABLE
    assert found.area_percent is None
    assert found.erythema is None
    assert found.reason == "no usable photograph shows it"


def test_a_close_up_counts_for_no_area() -> None:
    assert visit((View.CLOSE_UP, trunk_masks(90, 90)))[Region.TRUNK].status is Status.NOT_SCORABLE


def test_little_coverage_states_no_area() -> None:
    found = visit((View.UPPER_LIMBS_FRONT, trunk_masks(10, 10)))[Region.TRUNK]
    assert found.coverage == pytest.approx(0.2)
    assert found.status is Status.NOT_SCORABLE
    assert "20%" in found.reason


def test_clear_skin_is_zero_with_an_interval() -> None:
    found = visit((View.TRUNK_FRONT, trunk_masks(0, 0)))[Region.TRUNK]
    assert (found.area_percent, found.area_percent_low, found.area_percent_high) == (0.0, 0.0, 2.0)
    assert (found.erythema, found.induration, found.scaling) == (0.0, 0.0, 0.0)
    assert found.status is Status.SCORED


def test_lesion_convention_is_the_studys_choice() -> None:
    found = visit((View.TRUNK_FRONT, trunk_masks(10, 20)), area_convention="lesion")[Region.TRUNK]
    assert found.area_percent == found.area_percent_exact == 10.0


def test_without_calibration_the_intervals_are_the_whole_scale() -> None:
    unknown = Intervals.from_json(None)
    assert unknown.area(30.0) == (0.0, 100.0)
    assert unknown.grade(Sign.ERYTHEMA, 2.0) == (0.0, 4.0)
    assert unknown.score("pasi", 2.0) is None


def test_intervals_of_scores_stay_on_their_scales() -> None:
    residuals = {"knots": [0.0, 10.0], "low": [-2.0, -4.0], "high": [1.0, 3.0]}
    known = Intervals.from_json({"level": 0.9, "area_percent": residuals, "pasi": residuals, "bsa_percent": residuals})
    assert known.score("pasi", 5.0) == (2.0, 7.0)
    assert known.score("pasi", 71.0) == (67.0, 72.0)
    assert known.score("bsa_percent", 99.0) == (95.0, 100.0)
    assert known.score("pasi", 1.0) == (0.0, pytest.approx(2.2))


def test_packaged_cells_cover_every_region() -> None:
    coverage = load_view_coverage()
    required = [v for v in View if v.value.endswith(("front", "back"))]
    for region in Region:
        assert (
            0.5 < coverage.coverage(region, required) <= 1.0
        )  # scalp under hair, soles and skin under underwear are not seen
        assert sum(coverage.weights(region, required).values()) == pytest.approx(coverage.coverage(region, required))
