"""Measures against hand-worked values; empty masks are never blended in."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.train.metrics import (
    boundary_distance_px,
    confusion,
    dice,
    dice_of,
    false_area_percent,
    overlap_by_class,
    quadratic_kappa,
    whole_grades,
)


def box(top: int, left: int, height: int, width: int, shape: tuple[int, int] = (40, 50)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_dice_of_two_overlapping_boxes() -> None:
    # 10 x 10 and 10 x 20 that share 10 x 5: 2 * 50 / (100 + 200)
    assert dice(box(5, 5, 10, 10), box(5, 10, 10, 20)) == pytest.approx(1 / 3)
    assert dice(box(5, 5, 10, 10), box(5, 5, 10, 10)) == 1.0
    assert dice(box(0, 0, 0, 0), box(5, 5, 10, 10)) == 0.0


def test_dice_of_an_empty_truth_has_no_value() -> None:
    assert dice(box(5, 5, 10, 10), box(0, 0, 0, 0)) is None
    assert dice(box(0, 0, 0, 0), box(0, 0, 0, 0)) is None


def test_overlap_and_dice_by_class() -> None:
    true = np.array([[0, 0, 1, 1], [0, 0, 2, 2]], np.uint8)
    predicted = np.array([[0, 1, 1, 1], [0, 0, 2, 3]], np.uint8)
    # class 0: 2 * 3 / (4 + 3); class 1: 2 * 2 / (2 + 3); class 2: 2 * 1 / (2 + 1); class 3 is not in the truth
    overlaps = overlap_by_class(predicted, true, 4)
    assert overlaps == ((3, 3, 4), (2, 3, 2), (1, 1, 2), (0, 1, 0))
    assert [dice_of(overlap) for overlap in overlaps] == pytest.approx([6 / 7, 4 / 5, 2 / 3, None])


def test_false_area_is_of_clear_skin_only() -> None:
    skin, nothing = box(0, 0, 20, 50), box(0, 0, 0, 0)  # 1000 px of skin
    assert false_area_percent(box(0, 0, 5, 5), nothing, skin) == 2.5
    assert false_area_percent(box(18, 0, 4, 5), nothing, skin) == 1.0  # half of it is off the skin
    assert false_area_percent(nothing, nothing, skin) == 0.0
    assert false_area_percent(nothing, box(0, 0, 1, 1), skin) is None
    assert false_area_percent(nothing, nothing, nothing) is None


def test_boundary_distance_of_straight_edges() -> None:
    # Two half-planes 7 px apart: every boundary pixel is 7 px from the other boundary, and the frame is no boundary.
    assert boundary_distance_px(box(0, 0, 40, 10), box(0, 0, 40, 17)) == pytest.approx(7.0)
    assert boundary_distance_px(box(5, 5, 9, 9), box(5, 5, 9, 9)) == 0.0


def test_boundary_distance_of_single_pixels_is_exact() -> None:
    assert boundary_distance_px(box(10, 10, 1, 1), box(13, 14, 1, 1)) == pytest.approx(5.0)
    # One pixel against two at 3 and 4 px: distances 3 | 3, 4
    assert boundary_distance_px(box(10, 10, 1, 1), box(10, 13, 1, 1) | box(14, 10, 1, 1)) == pytest.approx(10 / 3)


def test_boundary_distance_without_a_boundary_has_no_value() -> None:
    assert boundary_distance_px(box(0, 0, 0, 0), box(5, 5, 9, 9)) is None
    assert boundary_distance_px(box(0, 0, 40, 50), box(5, 5, 9, 9)) is None  # fills the frame


def test_whole_grades_round_halves_up() -> None:
    assert whole_grades([0.49, 0.5, 1.5, 2.49, 3.5, 4.0]).tolist() == [0, 1, 2, 2, 4, 4]


def test_quadratic_kappa_of_a_hand_worked_table() -> None:
    # true 0 0 1 2 4, predicted 0 1 1 2 3: observed disagreement (1 + 1) / 5. Margins: true 2 1 1 0 1, predicted 1 2 1 1 0;
    # expected sum of r_i c_j (i - j)^2 = 2 (0 + 2 + 4 + 9) + (1 + 0 + 1 + 4) + (4 + 2 + 0 + 1) + (16 + 18 + 4 + 1) = 82, over 25.
    table = confusion(np.array([0, 0, 1, 2, 4]), np.array([0, 1, 1, 2, 3]))
    assert table[0].tolist() == [1, 1, 0, 0, 0]
    assert table[4, 3] == 1
    assert float(quadratic_kappa(table.reshape(25))) == pytest.approx(1 - (2 / 5) / (82 / 25))


def test_quadratic_kappa_with_no_variation_has_no_value() -> None:
    table = confusion(np.array([2, 2, 2]), np.array([2, 2, 2]))
    assert np.isnan(quadratic_kappa(table.reshape(25)))
