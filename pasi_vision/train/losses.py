"""What a prediction costs, for each head alone: region, lesion and outline (with a price on false lesions), and ordinal grades."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pasi_vision.anatomy import GRADE_MAX
from pasi_vision.segment.layout import AREA_LOGITS, REGION_CLASSES, SIGN_STEPS, SIGNS
from pasi_vision.settings import Settings
from pasi_vision.train.weak import weak_loss

__all__ = ["LossSettings", "Losses", "area_loss", "grade_loss", "losses", "region_loss"]


class LossSettings(Settings):
    """Weights of the terms.

    Attributes:
        region, lesion, outline, signs: Of each head.
        dice: Of the soft Dice within lesion and outline, beside cross entropy, over all crops of a batch together.
        crop_dice: Of the mean soft Dice of single crops that show a lesion: papules then count as much as plaques.
        false_lesion: Further weight of cross entropy on skin of crops without any lesion.
        scores: Of raters' region scores, for photographs without masks.
        smoothing: Lesion and outline targets are drawn towards a half by this share: people's outlines are not exact.
    """

    region: float = Field(0.5, ge=0)
    lesion: float = Field(1.0, ge=0)
    outline: float = Field(1.0, ge=0)
    signs: float = Field(0.3, ge=0)
    dice: float = Field(1.0, ge=0)
    crop_dice: float = Field(0.0, ge=0)
    false_lesion: float = Field(1.0, ge=0)
    scores: float = Field(1.0, ge=0)
    smoothing: float = Field(0.02, ge=0, lt=0.5)


@dataclass(frozen=True)
class Losses:
    """Each head's loss, unweighted, and their weighted sum."""

    total: Tensor
    region: Tensor
    lesion: Tensor
    outline: Tensor
    signs: Tensor


def losses(logits: Tensor, batch: dict[str, Tensor], settings: LossSettings) -> Losses:
    """All losses of a batch.

    Args:
        logits: (N, 20, h, w).
        batch: As `dataset.as_tensors` gives, with a batch dimension.
        settings: Weights.
    """
    logits = logits.float()
    known = batch["known"]
    region = region_loss(logits[:, :REGION_CLASSES], batch["regions"])
    skin = (batch["regions"] > 0).float()
    areas = [
        area_loss(logits[:, REGION_CLASSES + i], batch["areas"][:, i], skin, known[:, 1 + i], settings)
        for i in range(2)
    ]
    affected = batch["areas"][:, 0] * known[:, 3, None, None]
    signs = grade_loss(logits[:, AREA_LOGITS:], batch["grades"], affected)
    total = settings.region * region + settings.lesion * areas[0] + settings.outline * areas[1] + settings.signs * signs
    if "score" in batch:
        total = total + settings.scores * weak_loss(logits, batch["score"])
    return Losses(total, region, areas[0], areas[1], signs)


def region_loss(logits: Tensor, regions: Tensor) -> Tensor:
    """Mean cross entropy over labelled pixels; 0 where none is labelled. Logits (N, 6, h, w), regions (N, h, w) int64."""
    labelled = regions < REGION_CLASSES
    each = functional.cross_entropy(logits, torch.where(labelled, regions, 0), reduction="none")
    return (each * labelled).sum() / labelled.sum().clamp(min=1)


def area_loss(logits: Tensor, target: Tensor, skin: Tensor, known: Tensor, settings: LossSettings) -> Tensor:
    """Cross entropy and soft Dice of one area, over the crops whose area is known.

    Args:
        logits: (N, h, w).
        target: (N, h, w) share of raters, 0-1.
        skin: (N, h, w) 1 on skin: false lesions on the clear skin of a crop without lesions cost `false_lesion` more.
        known: (N,) 1 where the area is labelled.
        settings: Weights.
    """
    soft = target * (1 - 2 * settings.smoothing) + settings.smoothing
    each = functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")
    clear = (target.amax((1, 2)) < 0.5).float()
    weight = known[:, None, None] * (1 + settings.false_lesion * clear[:, None, None] * skin)
    entropy = (each * weight).sum() / weight.sum().clamp(min=1)
    chance = torch.sigmoid(logits) * known[:, None, None]
    there = target * known[:, None, None]
    # Over the whole batch: crops without lesions then cost what they add falsely, instead of all or nothing.
    overlap = 2 * (chance * there).sum((1, 2))
    size = (chance * chance + there * there).sum((1, 2))
    dice = 1 - (overlap.sum() + 1) / (size.sum() + 1)
    affected = known * (1 - clear)
    crop_dice = ((1 - (overlap + 1) / (size + 1)) * affected).sum() / affected.sum().clamp(min=1)
    return entropy + settings.dice * dice * known.amax() + settings.crop_dice * crop_dice


def grade_loss(logits: Tensor, grades: Tensor, affected: Tensor) -> Tensor:
    """Conditional ordinal loss (CORN: Shi, Cao & Raschka, Pattern Anal Appl 2023;26:941-955), for grades between levels too.

    Step k predicts P(grade > k | grade > k - 1) and is trained where the grade exceeds k - 1. A grade of 2.5 counts as half 2,
    half 3, so the expected grade of a perfect prediction is the grade itself.

    Args:
        logits: (N, 12, h, w): 4 steps of each sign.
        grades: (N, 3, h, w) 0-4.
        affected: (N, h, w) 0-1: pixels that have grades.
    """
    n, _, height, width = logits.shape
    steps = logits.reshape(n, SIGNS, SIGN_STEPS, height, width)
    levels = torch.arange(GRADE_MAX, device=logits.device).view(1, 1, -1, 1, 1)
    exceeds = (grades[:, :, None] - levels).clamp(0, 1)
    reached = torch.cat([torch.ones_like(exceeds[:, :, :1]), exceeds[:, :, :-1]], 2)
    share = torch.where(reached > 0, exceeds / reached.clamp(min=1e-6), 0).clamp(0, 1)
    each = functional.binary_cross_entropy_with_logits(steps, share, reduction="none")
    weight = reached * affected[:, None, None]
    return (each * weight).sum() / weight.sum().clamp(min=1)
