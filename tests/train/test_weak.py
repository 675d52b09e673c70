"""Region scores as labels: pooled areas and grades against hand-worked values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pasi_vision.anatomy import Region
from pasi_vision.tables import FINDINGS, read_table
from pasi_vision.train.weak import NO_SCORE, RegionScore, as_numbers, region_scores, weak_loss


def _logits(outline_share: float, grade_steps: float = 0.0) -> torch.Tensor:
    """10 x 10 pixels of certain trunk, the first of them affected; every grade step has the same logit."""
    logits = torch.zeros(1, 20, 10, 10)
    logits[:, :6] = -30
    logits[:, 3] = 30
    affected = (torch.arange(100) < round(100 * outline_share)).reshape(10, 10)
    logits[:, 7] = torch.where(affected, 30.0, -30.0)
    logits[:, 8:] = grade_steps
    return logits


def _scores(low: float, high: float, *grades: float) -> torch.Tensor:
    padded = (*grades, *[math.nan] * (3 - len(grades)))
    return torch.from_numpy(as_numbers(RegionScore(Region.TRUNK, low, high, padded))).reshape(1, 6)  # type: ignore[arg-type]


def test_area_counts_as_far_as_it_leaves_the_range() -> None:
    assert weak_loss(_logits(0.3), _scores(0.1, 0.3)) == pytest.approx(0, abs=1e-5)
    assert weak_loss(_logits(0.5), _scores(0.1, 0.3)) == pytest.approx(0.2, abs=1e-5)
    assert weak_loss(_logits(0.05), _scores(0.1, 0.3)) == pytest.approx(0.05, abs=1e-5)


def test_grades_are_means_over_the_affected_skin() -> None:
    # Steps of probability 1/2: expected grade 1/2 + 1/4 + 1/8 + 1/16 = 15/16; off by 1/16 of a grade, in quarters of the scale.
    loss = weak_loss(_logits(0.4), _scores(0.4, 0.4, 1.0, 1.0, 15 / 16))
    assert loss == pytest.approx((0 + 1 / 64 + 1 / 64 + 0) / 4, abs=1e-5)


def test_items_without_a_score_cost_nothing_and_give_no_gradient() -> None:
    logits = _logits(0.3).requires_grad_()
    loss = weak_loss(logits, torch.from_numpy(NO_SCORE).reshape(1, 6))
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_score_moves_the_outline_and_not_the_region() -> None:
    logits = torch.zeros(1, 20, 4, 4, requires_grad=True)
    weak_loss(logits, _scores(0.9, 0.9)).backward()
    assert logits.grad is not None
    assert (logits.grad[:, 7] < 0).all()  # more outline wanted
    assert not logits.grad[:, :6].any()


def test_readings_are_kept_apart(tmp_path: Path) -> None:
    table = tmp_path / "findings.csv"
    table.write_text(
        "subject_id,visit,day,rater,reading,region,area_percent,area_score,erythema,induration,scaling,status\n"
        "a,v1,1,dr_b,1,trunk,20,,2,1,3,scored\n"
        "a,v1,1,dr_c,1,trunk,,4,3,,,scored\n"
        "a,v1,1,dr_d,1,trunk,,,,,,not_scorable\n"
        "a,v1,1,dr_b,1,head_neck,,0,0,0,0,\n"
    )
    scores = region_scores(read_table(table, FINDINGS))
    first, second = scores["a", "v1", Region.TRUNK]
    assert (first.area_low, first.area_high, first.grades) == (0.2, 0.2, (2, 1, 3))
    assert (second.area_low, second.area_high, second.grades[0]) == (0.5, 0.7, 3)
    assert np.isnan(second.grades[1:]).all()
    assert scores["a", "v1", Region.HEAD_NECK][0].area_high == 0


def test_whole_photograph_keeps_its_shares() -> None:
    from pasi_vision.anatomy import View
    from pasi_vision.train.augment import Augmentation, AugmentationSettings

    cached: NDArray[np.uint8] = np.zeros((200, 200, 9), np.uint8)
    cached[:, :60, 5] = 255
    whole = Augmentation(
        AugmentationSettings(strength=0, rotation_degrees=0), 128, view_side=200, close_up_side=200
    ).whole
    pixels, labels = whole(cached, View.TRUNK_FRONT, np.random.default_rng(0))
    assert pixels.shape == (128, 128, 3)
    assert (labels[..., 2] > 127).mean() == pytest.approx(0.3, abs=0.02)
