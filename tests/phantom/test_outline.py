"""Simulated dermatologists' outlines: grown, filled, merged, and different for every rater."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.phantom.outline import Pen, consensus, draw_pen, trace

PEN = Pen(grow=0.0125, merge=0.05, pen=0.0125, hole=0.15, keen=0.3, wobble=0.0, seed=1)


def disc(x: float, y: float, radius: float, shape: tuple[int, int] = (240, 320)) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(columns - x, rows - y) < radius, np.float32)


def radius_of(mask: np.ndarray) -> float:
    return float(np.sqrt(mask.sum() / np.pi))


def test_nothing_seen_nothing_drawn() -> None:
    assert not trace(np.zeros((240, 320), np.float32), PEN).any()


def test_the_outline_runs_outside_by_its_growth() -> None:
    drawn = trace(disc(160, 120, 50), PEN)
    assert radius_of(drawn) == pytest.approx(50 + 0.0125 * 320, abs=1.2)


def test_neighbours_within_the_gap_are_merged_and_farther_ones_not() -> None:
    import cv2

    def pieces(gap: float) -> int:
        both = np.maximum(disc(100, 120, 30), disc(160 + gap, 120, 30))
        return cv2.connectedComponents(trace(both, PEN).astype(np.uint8))[0] - 1

    assert pieces(8) == 1
    assert pieces(40) == 2


def test_holes_are_filled() -> None:
    ring = disc(160, 120, 60) - disc(160, 120, 15)
    assert trace(ring, PEN)[120, 160]
    wide = disc(160, 120, 110) - disc(160, 120, 70)
    assert not trace(wide, PEN)[120, 160]


def test_faint_lesions_are_missed_by_less_keen_raters() -> None:
    faint = 0.4 * disc(160, 120, 50)
    sharp, dull = Pen(0.01, 0.04, 0.012, 0.15, 0.1, 0.0, 1), Pen(0.01, 0.04, 0.012, 0.15, 0.7, 0.0, 1)
    assert trace(faint, sharp).any()
    assert not trace(faint, dull).any()


def test_raters_differ_about_as_dermatologists_do() -> None:
    """Median Dice between raters near 0.84 (DermXDB, psoriasis) on soft-edged plaques of mixed strength."""
    import cv2

    rng = np.random.default_rng(5)
    scores = []
    for _ in range(12):
        scene = np.zeros((240, 320), np.float32)
        for _ in range(int(rng.integers(1, 9))):
            at, size = rng.random(2) * (320, 240), float(np.exp(rng.normal(3.0, 0.6)))
            scene = np.maximum(scene, float(rng.uniform(0.3, 1.0)) * disc(at[0], at[1], size))
        scene = cv2.GaussianBlur(scene, (0, 0), 6)
        drawn = [trace(scene, draw_pen(rng)) for _ in range(4)]
        scores += [2 * (a & b).sum() / max(a.sum() + b.sum(), 1) for i, a in enumerate(drawn) for b in drawn[:i]]
    assert 0.72 < float(np.median(scores)) < 0.95


def test_consensus_is_the_majority() -> None:
    one, none = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    assert consensus([one, one, none]).all()
    assert not consensus([one, none, none]).any()
