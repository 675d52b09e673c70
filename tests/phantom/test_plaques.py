"""The lesion engine: areas, grades and membership against geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pasi_vision.phantom.plaques import (
    ERYTHEMA_BLOOD_FACTOR,
    INDURATION_HEIGHT_MM,
    SCALING_COVER,
    Plaque,
    erythema_grade,
    induration_grade,
    lesion_maps,
    scaling_grade,
    unpenned,
)
from pasi_vision.phantom.shapes import library

DISC = Plaque((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), 20.0, roughness=0.0)


def flat(step: float = 0.25, half: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    axis = np.arange(-half + step / 2, half, step, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    place = np.stack([x, y, 0 * x], -1)
    normal = np.zeros_like(place)
    normal[..., 2] = -1
    return place, normal


def test_a_disc_on_a_plane_has_its_area() -> None:
    place, normal = flat()
    found = lesion_maps([DISC], place, normal)
    assert found.lesion.sum() * 0.25**2 == pytest.approx(np.pi * 20**2, rel=0.003)


def test_a_disc_on_a_sphere_has_its_area() -> None:
    """The projection keeps area on a sphere (Lambert's azimuthal equal-area map), here of 40 mm radius."""
    n = 400_000
    i = np.arange(n) + 0.5
    polar, turn = np.arccos(1 - 2 * i / n), np.pi * (1 + 5**0.5) * i
    normal = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1).astype(
        np.float32
    )
    disc = replace(DISC, centre_mm=(0.0, 0.0, 40.0), normal=(0.0, 0.0, 1.0))
    found = lesion_maps([disc], 40 * normal, normal)
    assert found.lesion.mean() * 4 * np.pi * 40**2 == pytest.approx(np.pi * 20**2, rel=0.005)


def test_area_converges_with_resolution() -> None:
    shares = []
    rough = replace(DISC, shape=3, roughness=0.05, seed=4)
    for step in (0.5, 0.25):
        place, normal = flat(step)
        shares.append(100 * lesion_maps([rough], place, normal).lesion.mean())
    assert abs(shares[0] - shares[1]) < 0.05


def test_library_shapes_have_unit_area() -> None:
    distance, _, solidity = library()
    cell = (2 * 2.4 / (distance.shape[1] - 1)) ** 2
    areas = (distance > 0).sum((1, 2)) * cell / np.pi
    assert np.median(areas) == pytest.approx(1.0, abs=0.06)
    assert 0.4 < solidity.min() < solidity.max() <= 1.01


def test_no_plaques_no_lesion() -> None:
    place, normal = flat(1.0)
    found = lesion_maps([], place, normal)
    assert not found.lesion.any()
    assert (found.blood_factor == 1).all()
    assert (found.plaque == -1).all()


def test_healed_and_foreign_spots_are_drawn_but_no_lesion() -> None:
    place, normal = flat(1.0)
    mark = replace(DISC, blood_factor=1.0, scale_cover=0.0, height_mm=0.0, mark=1.0)
    found = lesion_maps([mark, replace(DISC, centre_mm=(40.0, 0.0, 0.0), radius_mm=10.0, other=True)], place, normal)
    assert not found.lesion.any()
    assert found.mark.max() == pytest.approx(1.0, abs=0.01)
    assert found.blood_factor.max() > 2


def test_the_far_side_of_a_thin_part_is_not_reached() -> None:
    place, normal = flat(1.0)
    assert not lesion_maps([DISC], place + np.float32([0, 0, 12]), -normal).lesion.any()


def test_far_skin_under_the_same_spot_is_not_reached() -> None:
    place, normal = flat(1.0)
    assert not lesion_maps([DISC], place + np.float32([0, 0, 500]), normal).lesion.any()


def test_redness_rises_over_the_given_width() -> None:
    """10 to 90 % of the redness lie within about `border_mm` (field guide, section 3)."""
    place, normal = flat(0.5, 40.0)
    away = np.hypot(place[..., 0], place[..., 1])
    seeds = [
        lesion_maps([replace(DISC, border_mm=6.0, border_variation=0.0, seed=seed)], place, normal).blood_factor - 1
        for seed in range(24)
    ]
    edges = np.arange(0, 36, 0.5)
    profile = np.array([np.mean(seeds, 0)[(away >= e) & (away < e + 0.5)].mean() for e in edges])
    profile /= profile[edges < 10].mean()
    width = edges[profile > 0.1].max() - edges[profile > 0.9].max()
    assert width == pytest.approx(6.0, abs=1.5)


def test_rings_clear_in_the_middle() -> None:
    place, normal = flat(0.5)
    found = lesion_maps([replace(DISC, clearing=1.0)], place, normal)
    middle = place.shape[0] // 2
    assert not found.lesion[middle, middle]
    assert found.lesion[middle, middle + int(17 / 0.5)]


def test_grades_follow_their_anchors() -> None:
    for grade in range(5):
        assert erythema_grade(ERYTHEMA_BLOOD_FACTOR[grade]) == grade
        assert induration_grade(INDURATION_HEIGHT_MM[grade]) == grade
        assert scaling_grade(SCALING_COVER[grade]) == grade
    assert induration_grade(0.375) == 1.5


def test_bent_outlines_keep_their_area_and_lose_their_straight_edges() -> None:
    """The library's shapes were drawn with a square pen: warped, they are as large, and edges turn in all directions."""
    step = np.arange(-60, 60, 0.5, dtype=np.float32)
    x, y = np.meshgrid(step, step)
    place = np.stack([x, y, 0 * x], -1)
    normal = np.zeros_like(place)
    normal[..., 2] = 1.0
    areas, changed = [], 0
    for shape in range(0, 240, 12):
        plain = Plaque((0, 0, 0), (0, 0, 1), (1, 0, 0), radius_mm=20.0, shape=shape, roughness=0.0, seed=shape)
        bent = unpenned(plain)
        before, after = (lesion_maps([p], place, normal).lesion for p in (plain, bent))
        areas.append(after.sum() / before.sum())
        changed += int((before ^ after).sum() > 0.04 * before.sum())
    assert 0.93 < float(np.mean(areas)) < 1.07
    assert changed > 15
