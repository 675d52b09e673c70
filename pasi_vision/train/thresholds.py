"""The thresholds of a model, chosen on a preset that it was not trained on.

Skin first, from histograms of its probability. Then, inside skin, each photograph is cut at every threshold and peak that is tried; what
each finds is counted, and the thresholds of lesions and outlines follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.segment.layout import LESION, OUTLINE, Thresholds
from pasi_vision.segment.own import LEVELS, eight_bits, own_level
from pasi_vision.train.folder import PhotoEntry, read_truth

__all__ = ["Cuts", "ThresholdChoice", "choose_skin", "choose_thresholds", "cuts_of", "levels_of", "skin_counts"]

PLATEAU = 0.006
"""Choices whose worth is this near to the best are as good (a mean over 150 photographs is known to 0.02). Of them the one with the highest
peak is taken (the least on healthy skin), then the one with the fewest thresholds of photographs' own, then the one whose area is right on
average, then the middle one."""

FALSE_AREA_COST = 0.01
"""What one per cent of clear skin called affected costs, in Dice: without it a low threshold pays on pictures full of lesions."""

TRIED = np.arange(10, 205, 5)
"""Levels (of 255) that are tried as the threshold of lesions or outlines: 0.04 to 0.78 in steps of 0.02."""

PEAKS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
"""Peaks that are tried (`segment.peaks`)."""

OWN_FROM = (*np.round(np.arange(0.2, 0.9, 0.05), 2).tolist(), 1.0)
"""Expected Dice that are tried as the one from which photographs are cut at their own threshold."""

SKIN_STEP = 0.05
_AREAS = ("lesion", "outline")

Counts = NDArray[np.int64]
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class AreaCuts:
    """What cutting one area of a photograph finds.

    Attributes:
        pixels: (2, 256) clear and affected pixels in truth, by probability inside skin (outside it they stand at 0).
        found: (T + 1, P, 2) clear and affected pixels that are found at each of `TRIED` and, last, at the photograph's own level, with
            each of `PEAKS`.
        promised: Expected Dice at its own level.
    """

    pixels: Counts
    found: Counts
    promised: float


@dataclass(frozen=True)
class Cuts:
    """The cuts of one photograph, by area ("lesion", "outline")."""

    subject_id: str
    areas: dict[str, AreaCuts] = field(default_factory=dict)

    @property
    def affected(self) -> bool:
        """Whether anything of it is."""
        return any(area.pixels[1].any() for area in self.areas.values())


@dataclass(frozen=True)
class ThresholdChoice:
    """Thresholds with what they were chosen from.

    Attributes:
        thresholds: For model.json.
        figures: For each area: mean Dice over non-empty, the same without peaks and thresholds of photographs' own, mean bias of the
            area, photographs, mean false area on clear pictures, expected calibration error of the pixels' probabilities.
    """

    thresholds: Thresholds
    figures: dict[str, dict[str, Any]]


def levels_of(seen: NDArray[np.float32]) -> Levels:
    """(3, h, w) probability of skin, lesion and outline in steps of 1/255, of the (11, h, w) that a model says of a photograph."""
    return np.stack([eight_bits(1 - seen[0]), eight_bits(seen[LESION]), eight_bits(seen[OUTLINE])])


def skin_counts(photo: PhotoEntry, shape: tuple[int, int], levels: Levels) -> Counts | None:
    """(2, 256) pixels that are not skin and skin in truth, by probability of skin; None where no regions are labelled.

    Args:
        photo: Its row and masks.
        shape: Height and width of the photograph.
        levels: (3, h, w) of `levels_of`, at the model's working resolution.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    truth = read_truth(photo, shape=shape)
    true = _shrunk(None if truth.regions is None else truth.regions > 0, levels.shape)
    if true is None:
        return None
    return np.bincount((true * LEVELS + levels[0]).ravel(), minlength=2 * LEVELS).reshape(2, LEVELS)


def choose_skin(counts: Sequence[Counts]) -> tuple[float, dict[str, Any]]:
    """The threshold of skin with the best mean Dice, the middle one of those as good, and its figures.

    Args:
        counts: Of `skin_counts`, one or more.
    """
    curve = np.mean([_dice_curve(one) for one in counts if one[1].any()], axis=0)
    steps = np.round(np.arange(SKIN_STEP, 1 - SKIN_STEP / 2, SKIN_STEP) * (LEVELS - 1)).astype(int)
    good = np.flatnonzero(curve[steps] >= curve[steps].max() - PLATEAU)
    level = int(steps[good[len(good) // 2]])
    threshold = round(round(level / (LEVELS - 1) / SKIN_STEP) * SKIN_STEP, 4)
    figures = {
        "dice": round(float(curve[level]), 4),
        "dice_at_half": round(float(curve[128]), 4),
        "photographs": len(counts),
    }
    return threshold, figures


def cuts_of(photo: PhotoEntry, shape: tuple[int, int], levels: Levels, skin: float) -> Cuts | None:
    """What each cut finds in one photograph at the model's working resolution; None where it has no masks.

    Args:
        photo, shape, levels: As for `skin_counts`.
        skin: Probability from which a pixel is skin.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    truth = read_truth(photo, shape=shape)
    if truth.shape is None:
        return None
    areas = {}
    for name, seen in zip(_AREAS, levels[1:], strict=True):
        true = _shrunk(truth.lesion if name == "lesion" else truth.outline, levels.shape)
        if true is not None:
            areas[name] = _cut(np.where(levels[0] >= skin * (LEVELS - 1), seen, np.uint8(0)), true)
    return Cuts(photo.subject_id, areas)


def _cut(levels: Levels, true: Counts) -> AreaCuts:
    import cv2

    pixels = np.bincount((true * LEVELS + levels).ravel(), minlength=2 * LEVELS).reshape(2, LEVELS)
    own, promised = own_level(pixels.sum(0))
    found = np.zeros((len(TRIED) + 1, len(PEAKS), 2), np.int64)
    order = np.flatnonzero(levels >= max(1, min(own, int(TRIED[0]))))
    # From faint to sure: of a stretch, the last is its peak.
    order = order[np.argsort(levels.ravel()[order], kind="stable")]
    strength, kind = levels.ravel()[order], true.ravel()[order]
    for row, level in enumerate((*TRIED, own)):
        count, labels = cv2.connectedComponents((levels >= level).astype(np.uint8))
        first = np.searchsorted(strength, level)
        stretch = labels.ravel()[order[first:]]
        highest = np.zeros(count, np.uint8)
        highest[stretch] = strength[first:]
        sizes = np.bincount(stretch * 2 + kind[first:], minlength=2 * count).reshape(count, 2)
        for column, peak in enumerate(PEAKS):
            found[row, column] = sizes[1:][highest[1:] >= peak * (LEVELS - 1)].sum(0)
    return AreaCuts(pixels, found, promised)


def choose_thresholds(
    cuts: Sequence[Cuts], now: Thresholds, *, false_area_cost: float = FALSE_AREA_COST
) -> ThresholdChoice:
    """Choose thresholds and peaks of lesion and outline; one that the masks say nothing about stays as it is.

    Together they have the best mean Dice over photographs that have lesions, less `false_area_cost` for each per cent of clear
    photographs' pixels that they call affected; so is chosen from which expected Dice on a photograph is cut at a threshold of its
    own (`segment.own`).

    Raises:
        InputError: No photograph has a lesion or outline mask.
    """
    if not any(one.areas for one in cuts):
        raise InputError("no photograph has a lesion or outline mask", fix="Calibrate on a folder with masks.")
    chosen = now.model_dump()
    figures = {}
    for name in _AREAS:
        known = [one.areas[name] for one in cuts if name in one.areas]
        if any(one.pixels[1].any() for one in known):
            limits, figures[name] = _choice(known, false_area_cost)
            chosen |= {f"{name}{part}": value for part, value in limits.items()}
    return ThresholdChoice(Thresholds(**chosen), figures)


def _choice(cuts: Sequence[AreaCuts], cost: float) -> tuple[dict[str, float], dict[str, Any]]:
    """Threshold (""), "_peak" and "_own_from" of an area, and the figures of the choice."""
    found = np.stack([one.found for one in cuts]).astype(float)  # (N, T + 1, P, 2)
    clear, affected = np.stack([one.pixels.sum(1) for one in cuts]).T[..., None, None].astype(float)
    filled = affected[:, 0, 0] > 0
    dice = 2 * found[..., 1] / np.maximum(found.sum(-1) + affected, 1)
    false_area = 100 * found[..., 0] / np.maximum(clear, 1)
    bias = 100 * (found.sum(-1) - affected) / (clear + affected)
    promised = np.array([one.promised for one in cuts])

    def means(own_from: float) -> NDArray[np.float64]:
        """(3, T, P) mean Dice, false area and bias where photographs that promise so much are cut at their own level."""
        owned = (promised >= own_from) & (own_from < 1)
        kinds = [np.where(owned[:, None, None], kind[:, -1:], kind[:, :-1]) for kind in (dice, false_area, bias)]
        empty = np.zeros(kinds[0].shape[1:])
        return np.stack(
            [kinds[0][filled].mean(0), kinds[1][~filled].mean(0) if not filled.all() else empty, kinds[2].mean(0)]
        )

    tried = {own_from: means(own_from) for own_from in OWN_FROM}
    worth = {own_from: values[0] - cost * values[1] for own_from, values in tried.items()}
    best = max(float(values.max()) for values in worth.values())
    good = [
        (column, own_from, row)
        for own_from, values in worth.items()
        for row, column in np.argwhere(values >= best - PLATEAU)
    ]
    column, own_from = max(good)[:2]
    rows = np.array([row for peak, least, row in good if (peak, least) == (column, own_from)])
    wrong = np.abs(tried[own_from][2][rows, column]).round(2)
    row = int(rows[np.lexsort((np.abs(rows - rows.mean()), wrong))[0]])
    plain = worth[1.0][:, 0]
    figures = {
        "dice": round(float(tried[own_from][0][row, column]), 4),
        "dice_of_one_threshold": round(float(tried[1.0][0][int(plain.argmax()), 0]), 4),
        "area_bias_percent": round(float(tried[own_from][2][row, column]), 4),
        "photographs": int(filled.sum()),
        "clear_photographs": int((~filled).sum()),
        "false_area_percent": round(float(tried[own_from][1][row, column]), 4) if not filled.all() else None,
        "pixel_calibration_error": _calibration_error(np.sum([one.pixels for one in cuts], axis=0)),
    }
    limits = {"": round(float(TRIED[row]) / (LEVELS - 1), 4), "_peak": PEAKS[column], "_own_from": own_from}
    return limits, figures


def _dice_curve(counts: Counts) -> NDArray[np.float64]:
    """(256,) Dice when every pixel at or above that level counts, of (2, 256) clear and affected pixels by level."""
    found = counts[:, ::-1].cumsum(1)[:, ::-1]
    return np.asarray(2.0 * found[1] / np.maximum(found.sum(0) + counts[1].sum(), 1), np.float64)


def _calibration_error(counts: Counts) -> float:
    """Expected calibration error (Guo et al., ICML 2017) of pixel probabilities in ten bins."""
    probability = np.arange(LEVELS) / (LEVELS - 1)
    share = np.minimum((probability * 10).astype(int), 9)
    total = np.bincount(share, counts.sum(0), 10)
    said = np.bincount(share, counts.sum(0) * probability, 10)
    true = np.bincount(share, counts[1], 10)
    return round(float(np.abs(said - true).sum() / total.sum()), 4)


def _shrunk(mask: NDArray[np.bool_] | None, seen: tuple[int, ...]) -> NDArray[np.int64] | None:
    """A mask (0 or 1) at the working resolution (_, h, w): a pixel counts where most of it does."""
    if mask is None:
        return None
    import cv2

    small = cv2.resize(mask.astype(np.uint8) * 255, (seen[2], seen[1]), interpolation=cv2.INTER_AREA)
    return np.asarray(small > 127, np.int64)
