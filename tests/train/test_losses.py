"""Losses against hand-worked values."""

from __future__ import annotations

import math

import pytest
import torch

from pasi_vision.segment.network import probabilities
from pasi_vision.train.losses import LossSettings, area_loss, grade_loss, region_loss

PLAIN = LossSettings(smoothing=0, dice=0, false_lesion=0)
KNOWN = torch.ones(1)


def test_region_loss_passes_over_unlabelled_pixels() -> None:
    logits = torch.zeros(1, 6, 1, 2)
    logits[0, 2, 0, 0] = 50
    assert region_loss(logits, torch.tensor([[[2, 255]]])) == pytest.approx(0, abs=1e-6)
    assert region_loss(logits, torch.tensor([[[255, 3]]])) == pytest.approx(math.log(6))
    assert region_loss(logits, torch.tensor([[[255, 255]]])) == 0


def test_area_loss_of_an_undecided_network_is_log_2() -> None:
    target = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    skin = torch.ones_like(target)
    assert area_loss(torch.zeros_like(target), target, skin, KNOWN, PLAIN) == pytest.approx(math.log(2))
    assert area_loss(torch.zeros_like(target), target, skin, torch.zeros(1), PLAIN) == 0


def test_dice_term_of_a_half_right_network() -> None:
    # Chance 1 on two pixels of which one is affected: (2 * 1 + 1) / (2 + 1 + 1) = 3/4.
    logits, target = torch.tensor([[[40.0, 40.0, -40.0]]]), torch.tensor([[[1.0, 0.0, 0.0]]])
    both = area_loss(logits, target, torch.ones_like(target), KNOWN, LossSettings(smoothing=0, dice=1, false_lesion=0))
    alone = area_loss(logits, target, torch.ones_like(target), KNOWN, PLAIN)
    assert both - alone == pytest.approx(0.25)


def test_a_missed_papule_costs_as_much_as_a_missed_plaque_by_crop() -> None:
    found, missed = 40.0, -40.0
    plaque, papule = torch.zeros(1, 10, 10), torch.zeros(1, 10, 10)
    plaque[:, :9], papule[:, 0, :9] = 1, 1
    target = torch.cat([plaque, papule, torch.zeros(1, 10, 10)])
    logits = torch.full_like(target, missed)
    logits[0, :9] = found  # the plaque is found, the papule is not, and the clear crop has no say
    by_crop = LossSettings(smoothing=0, dice=0, crop_dice=1, false_lesion=0)
    skin, known = torch.ones_like(target), torch.ones(3)
    dice = area_loss(logits, target, skin, known, by_crop) - area_loss(logits, target, skin, known, PLAIN)
    # (2 * 90 + 1) / (90 + 90 + 1) = 1 and (0 + 1) / (0 + 9 + 1) = 1 / 10.
    assert dice == pytest.approx((0 + 0.9) / 2, abs=1e-5)
    known[1] = 0  # nobody labelled the papules
    assert area_loss(logits, target, skin, known, by_crop) == pytest.approx(
        area_loss(logits, target, skin, known, PLAIN).item(), abs=1e-5
    )


def test_false_lesions_cost_more_on_clear_skin_only() -> None:
    logits = torch.tensor([[[2.0, -9.0]], [[2.0, -9.0]]])
    clear, affected = torch.zeros(2, 1, 2), torch.tensor([[[0.0, 1.0]], [[0.0, 1.0]]])
    skin = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]]])
    priced, known = LossSettings(smoothing=0, dice=0, false_lesion=3), torch.ones(2)
    assert area_loss(logits, clear, skin, known, priced) > 1.5 * area_loss(logits, clear, skin, known, PLAIN)
    assert area_loss(logits, affected, skin, known, priced) == area_loss(logits, affected, skin, known, PLAIN)


@pytest.mark.parametrize("grade", [0.0, 1.0, 2.5, 4.0])
def test_best_grade_logits_give_back_the_grade(grade: float) -> None:
    """Minimising the ordinal loss for one grade must lead to that expected grade, between levels too."""
    logits = torch.zeros(1, 12, 1, 1, requires_grad=True)
    target, affected = torch.full((1, 3, 1, 1), grade), torch.ones(1, 1, 1)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(150):
        optimizer.zero_grad()
        grade_loss(logits, target, affected).backward()
        optimizer.step()
    outputs = probabilities(torch.cat([torch.zeros(1, 8, 1, 1), logits.detach()], 1))
    assert outputs[0, 8:, 0, 0].tolist() == pytest.approx([grade] * 3, abs=0.06)


def test_unaffected_pixels_have_no_grade() -> None:
    logits = torch.randn(1, 12, 2, 2)
    assert grade_loss(logits, torch.full((1, 3, 2, 2), 2.0), torch.zeros(1, 2, 2)) == 0
