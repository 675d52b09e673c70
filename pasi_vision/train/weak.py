"""Learning from region scores alone: what raters gave a region, against what the network's pixels add up to.

Pixels are pooled by how likely they show the region, so the pooled area and grades are differentiable (attention pooling: Ilse, Tomczak
& Welling, ICML 2018). Each draw takes one rater's reading: raters are kept apart, and no majority hides that they disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pasi_vision.anatomy import AREA_BANDS, GRADE_MAX, Region, Sign
from pasi_vision.segment.layout import OUTLINE, REGION_CLASSES
from pasi_vision.segment.network import probabilities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_SCORE", "RegionScore", "as_numbers", "region_scores", "weak_loss"]


@dataclass(frozen=True)
class RegionScore:
    """One rater's reading of one region; NaN where not given.

    Attributes:
        region: The region.
        area_low, area_high: Affected share (0-1) as a range, because a band of the PASI is one.
        grades: Erythema, induration, scaling, 0-4.
    """

    region: Region
    area_low: float
    area_high: float
    grades: tuple[float, float, float]


NO_SCORE = np.array([0, np.nan, np.nan, np.nan, np.nan, np.nan], np.float32)
"""`as_numbers` of an item that has no score."""

Scores = Mapping[tuple[str, str, Region], tuple[RegionScore, ...]]


def region_scores(findings: pd.DataFrame) -> Scores:
    """All readings by subject, visit and region, in the order of the table; rows that are not scorable are passed over."""
    found: dict[tuple[str, str, Region], tuple[RegionScore, ...]] = {}
    for row in findings.to_dict("records"):
        if row.get("status") == "not_scorable":
            continue
        low, high = _area_range(row)
        score = RegionScore(
            Region(row["region"]),
            low,
            high,
            (_number(row, "erythema"), _number(row, "induration"), _number(row, "scaling")),
        )
        if not np.isnan([low, *score.grades]).all():
            key = (str(row["subject_id"]), str(row["visit"]), score.region)
            found[key] = (*found.get(key, ()), score)
    return found


def as_numbers(score: RegionScore) -> NDArray[np.float32]:
    """(6,) float32: code of the region, low and high end of the area, three grades; NaN is "not given"."""
    return np.array([score.region.code, score.area_low, score.area_high, *score.grades], np.float32)


def weak_loss(logits: Tensor, scores: Tensor) -> Tensor:
    """How far pooled areas and grades are from the raters'; 0 for items without a score.

    Args:
        logits: (N, 20, h, w) of whole photographs.
        scores: (N, 6) of `as_numbers`.

    Returns:
        Mean over what is given of |area - range| (in shares) and |grade - grade| / 4.
    """
    seen = probabilities(logits.float())
    code = scores[:, 0].long().clamp(0, REGION_CLASSES - 1)
    # Where a region lies is not learnt from its score: that could be satisfied by moving the region instead of the lesion.
    member = seen[torch.arange(len(code)), code].detach()
    surface = member.sum((1, 2)).clamp(min=1)
    area = (member * seen[:, OUTLINE]).sum((1, 2)) / surface
    low, high = scores[:, 1], scores[:, 2]
    off_area = torch.relu(low - area) + torch.relu(area - high)
    affected = member * seen[:, OUTLINE].detach()
    # Without any affected skin there is nothing to grade; a pixel's worth keeps the division defined.
    weight = affected.sum((1, 2))[:, None].clamp(min=1)
    grades = (affected[:, None] * seen[:, OUTLINE + 1 :]).sum((2, 3)) / weight
    off_grades = (grades - scores[:, 3:]).abs() / GRADE_MAX
    off = torch.cat([off_area[:, None], off_grades], 1)
    given = ~torch.isnan(off) & (scores[:, :1] > 0)
    return torch.where(given, torch.nan_to_num(off), 0).sum() / given.sum().clamp(min=1)


def _area_range(row: Mapping[Any, Any]) -> tuple[float, float]:
    percent, band = _number(row, "area_percent"), _number(row, "area_score")
    if not np.isnan(percent):
        return percent / 100, percent / 100
    if np.isnan(band):
        return float("nan"), float("nan")
    limits = AREA_BANDS[int(band)]
    return limits.low_percent / 100, limits.high_percent / 100


def _number(row: Mapping[Any, Any], name: str | Sign) -> float:
    value = row.get(str(name))
    return float(value) if isinstance(value, (int, float, np.number)) else float("nan")
