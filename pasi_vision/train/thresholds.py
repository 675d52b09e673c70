"""The thresholds of a model, chosen on a preset that it was not trained on, from histograms of its probabilities.

One pass over the photographs gives, for each, how many affected and clear pixels have which probability; Dice at every threshold follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.records import CalibratedImage
from pasi_vision.segment.layout import LESION, OUTLINE, Thresholds
from pasi_vision.segment.own import LEVELS, own_level
from pasi_vision.train.folder import PhotoEntry, Truth, read_truth

__all__ = ["Histograms", "ThresholdChoice", "best_threshold", "choose_thresholds", "dice_curve", "histograms_of"]

PLATEAU = 0.003
"""Thresholds whose Dice is this near to the best are as good. Of them the one whose area is right on average is taken, or the middle one
where area does not matter, so that chance does not choose."""

FALSE_AREA_COST = 0.01
"""What one per cent of clear skin called affected costs, in Dice: without it a low threshold pays on pictures full of lesions."""

OWN_FROM = (*np.round(np.arange(0.2, 0.9, 0.05), 2).tolist(), 1.0)
"""Expected Dice that are tried as the one from which photographs are cut at their own threshold."""

_SKIN_BINS = 20
_CHANNELS = {"lesion": LESION, "outline": OUTLINE}

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Histograms:
    """Pixels of one photograph at the model's working resolution, by probability.

    Attributes:
        subject_id: Whose.
        skin: (2, 256) not skin and skin in truth, by probability of skin.
        areas: Name -> (2, 20, 256) clear and affected in truth, by probability of skin (20 steps) and of "lesion" or "outline".
    """

    subject_id: str
    skin: Counts | None
    areas: dict[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class ThresholdChoice:
    """Thresholds with what they were chosen from.

    Attributes:
        thresholds: For model.json.
        figures: For each threshold: mean Dice over non-empty there and at 0.5, photographs, mean false area on clear pictures,
            expected calibration error of the pixels' probabilities.
    """

    thresholds: Thresholds
    figures: dict[str, dict[str, Any]]


def histograms_of(photo: PhotoEntry, image: CalibratedImage, seen: NDArray[np.float32]) -> Histograms | None:
    """Histograms of one photograph; None where it has no masks.

    Args:
        photo: Its row and masks.
        image: As `score` reads it.
        seen: (11, h, w) what the model says of it.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    truth = read_truth(photo, shape=(image.pixels.shape[0], image.pixels.shape[1]))
    if truth.shape is None:
        return None
    size = (int(seen.shape[1]), int(seen.shape[2]))
    skin_level = _levels(1 - seen[0])
    skin_bin = np.minimum(skin_level.astype(np.int64) * _SKIN_BINS // (LEVELS - 1), _SKIN_BINS - 1)
    areas = {}
    for name, channel in _CHANNELS.items():
        true = _shrunk(_mask(truth, name), size)
        if true is not None:
            code = (true * _SKIN_BINS + skin_bin) * LEVELS + _levels(seen[channel])
            areas[name] = np.bincount(code.ravel(), minlength=2 * _SKIN_BINS * LEVELS).reshape(2, _SKIN_BINS, LEVELS)
    skin_true = _shrunk(None if truth.regions is None else truth.regions > 0, size)
    skin = None
    if skin_true is not None:
        skin = np.bincount((skin_true * LEVELS + skin_level).ravel(), minlength=2 * LEVELS).reshape(2, LEVELS)
    return Histograms(photo.subject_id, skin, areas)


def choose_thresholds(
    histograms: Sequence[Histograms], now: Thresholds, *, false_area_cost: float = FALSE_AREA_COST
) -> ThresholdChoice:
    """Choose skin, lesion and outline thresholds; one that the masks say nothing about stays as it is.

    Each threshold has the best mean Dice over photographs that have lesions, less `false_area_cost` for each per cent of clear
    photographs' pixels that it calls affected. By the same measure it is chosen from which expected Dice on a photograph is cut at a
    threshold of its own (`segment.own`).

    Raises:
        InputError: No photograph has a lesion or outline mask.
    """
    if not any(h.areas for h in histograms):
        raise InputError("no photograph has a lesion or outline mask", fix="Calibrate on a folder with masks.")
    chosen = now.model_dump()
    figures = {}
    skins = [h.skin for h in histograms if h.skin is not None]
    if skins:
        # In steps of the skin bins, so that what lies inside skin is known exactly below.
        chosen["skin"], figures["skin"], _ = _choice(_curves_of(skins), step=1 / _SKIN_BINS, cost=0.0)
    first = round(chosen["skin"] * _SKIN_BINS)
    for name in _CHANNELS:
        inside = [_inside_skin(h.areas[name], first) for h in histograms if name in h.areas]
        if inside:
            chosen[f"{name}_own_from"], chosen[name], figures[name] = _choice_with_own(
                _curves_of(inside), cost=false_area_cost
            )
    return ThresholdChoice(Thresholds(**chosen), figures)


def dice_curve(counts: Counts) -> NDArray[np.float64]:
    """(256,) Dice when every pixel at or above that level counts; NaN where nothing is affected in truth.

    Args:
        counts: (2, 256) clear and affected pixels by level.
    """
    found = counts[:, ::-1].cumsum(1)[:, ::-1]
    affected = counts[1].sum()
    if affected == 0:
        return np.full(LEVELS, np.nan)
    return np.asarray(2.0 * found[1] / (found.sum(0) + affected), np.float64)


def best_threshold(
    curve: NDArray[np.float64], allowed: NDArray[np.bool_] | None = None, bias: NDArray[np.float64] | None = None
) -> int:
    """Level on the plateau around the best with the least `bias`, or in its middle; levels 0 and 255 are never taken."""
    usable = np.ones(LEVELS, bool) if allowed is None else allowed.copy()
    usable[[0, LEVELS - 1]] = False
    score = np.where(usable, curve, -1.0)
    top = int(np.argmax(score))
    good = score >= score[top] - PLATEAU
    low = high = top
    steps = np.flatnonzero(usable)
    at = int(np.searchsorted(steps, top))
    while at > 0 and good[steps[at - 1]]:
        at -= 1
    low = int(steps[at])
    at = int(np.searchsorted(steps, top))
    while at < len(steps) - 1 and good[steps[at + 1]]:
        at += 1
    high = int(steps[at])
    inside = steps[(steps >= low) & (steps <= high)]
    from_middle = np.abs(inside - (low + high) / 2)
    wrong = np.zeros(len(inside)) if bias is None else np.abs(bias[inside]).round(4)
    return int(inside[np.lexsort((from_middle, wrong))[0]])


@dataclass(frozen=True)
class _Curves:
    """Of each photograph (rows) at every level: Dice (NaN where nothing is affected), false area in per cent of its clear pixels, and
    affected share less the true one; its own level with the Dice that it promises; all pixels together."""

    dice: NDArray[np.float64]
    false_area: NDArray[np.float64]
    bias: NDArray[np.float64]
    own: tuple[tuple[int, float], ...]
    pixels: Counts

    def cut(self, own_from: float) -> _Curves:
        """The same where photographs that promise so much are cut at their own level, whatever the threshold."""
        rows = [row for row, (_, promised) in enumerate(self.own) if own_from < 1 and promised >= own_from]
        levels = [self.own[row][0] for row in rows]
        changed = {}
        for name in ("dice", "false_area", "bias"):
            values = getattr(self, name).copy()
            values[rows] = values[rows, levels][:, None]
            changed[name] = values
        return replace(self, **changed)


def _curves_of(histograms: Sequence[Counts]) -> _Curves:
    def found(counts: Counts) -> Counts:
        """Pixels at each level or above."""
        return counts[::-1].cumsum()[::-1]

    return _Curves(
        dice=np.array([dice_curve(counts) for counts in histograms]),
        false_area=np.array([100.0 * found(counts[0]) / max(1, counts[0].sum()) for counts in histograms]),
        bias=np.array([(found(counts.sum(0)) - counts[1].sum()) / max(1, counts.sum()) for counts in histograms]),
        own=tuple(own_level(counts.sum(0)) for counts in histograms),
        pixels=np.sum(histograms, axis=0),
    )


def _choice_with_own(curves: _Curves, *, cost: float) -> tuple[float, float, dict[str, Any]]:
    """Expected Dice from which photographs are cut at their own threshold, the threshold of the others, and figures of all.

    The highest of `OWN_FROM` that is as good as any; 1 where thresholds of their own bring nothing.
    """
    tried = {least: _choice(curves.cut(least), cost=cost) for least in OWN_FROM}
    best = max(worth for _, _, worth in tried.values())
    least = max(least for least, (_, _, worth) in tried.items() if worth >= best - PLATEAU)
    return least, tried[least][0], tried[least][1] | {"own_from": least, "dice_without_own": tried[1.0][1]["dice"]}


def _choice(curves: _Curves, *, cost: float, step: float | None = None) -> tuple[float, dict[str, Any], float]:
    """The threshold, its figures, and what it is worth: mean Dice less what false area costs."""
    filled = ~np.isnan(curves.dice[:, 0])
    if not filled.any():
        return 0.5, {"photographs": 0, "dice": None}, 0.0
    mean = curves.dice[filled].mean(0)
    allowed = None
    if step is not None:
        allowed = np.isin(np.arange(LEVELS), np.round(np.arange(step, 1, step) * (LEVELS - 1)).astype(int))
    clear = ~filled
    false_area = curves.false_area[clear].mean(0) if clear.any() else np.zeros(LEVELS)
    worth = mean - cost * false_area
    level = best_threshold(worth, allowed, curves.bias.mean(0) if step is None else None)
    threshold = level / (LEVELS - 1) if step is None else round(round(level / (LEVELS - 1) / step) * step, 4)
    figures = {
        "dice": round(float(mean[level]), 4),
        "dice_at_half": round(float(mean[128]), 4),
        "best_dice": round(float(mean[1:-1].max()), 4),
        "area_bias_percent": round(float(100 * curves.bias[:, level].mean()), 4),
        "photographs": int(filled.sum()),
        "clear_photographs": int(clear.sum()),
        "false_area_percent": round(float(false_area[level]), 4) if clear.any() else None,
        "pixel_calibration_error": _calibration_error(curves.pixels),
    }
    return round(threshold, 4), figures, float(worth[level])


def _calibration_error(counts: Counts) -> float:
    """Expected calibration error (Guo et al., ICML 2017) of pixel probabilities in ten bins."""
    probability = np.arange(LEVELS) / (LEVELS - 1)
    share = np.minimum((probability * 10).astype(int), 9)
    total = np.bincount(share, counts.sum(0), 10)
    said = np.bincount(share, counts.sum(0) * probability, 10)
    true = np.bincount(share, counts[1], 10)
    return round(float(np.abs(said - true).sum() / total.sum()), 4)


def _inside_skin(counts: Counts, first: int) -> Counts:
    """(2, 256): pixels below the skin threshold cannot be found, whatever their probability: they stand at level 0."""
    inside = counts[:, first:].sum(1)
    inside[:, 0] += counts[:, :first].sum((1, 2))
    return np.asarray(inside, np.int64)


def _levels(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (np.clip(probability, 0, 1) * (LEVELS - 1) + 0.5).astype(np.uint8)


def _mask(truth: Truth, name: str) -> NDArray[np.bool_] | None:
    return truth.lesion if name == "lesion" else truth.outline


def _shrunk(mask: NDArray[np.bool_] | None, size: tuple[int, int]) -> NDArray[np.int64] | None:
    """A mask at the working resolution: a pixel counts where most of it does."""
    if mask is None:
        return None
    import cv2

    small = cv2.resize(mask.astype(np.uint8) * 255, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small > 127, np.int64)
