"""A model's masks against the true ones, photograph by photograph: one row each, one row for each region it shows.

Photographs pass through the very stages that `pasi-vision score` uses; they are handed in, because training may not import them all.
Rows become figures in `figures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN, Region, Sign
from pasi_vision.errors import InputError, PhotoError
from pasi_vision.records import CalibratedImage, Masks, RegionMeasurement, Verdict
from pasi_vision.train.folder import PhotoEntry, Truth, read_truth
from pasi_vision.train.metrics import (
    Overlap,
    boundary_distance_px,
    dice,
    dice_of,
    false_area_percent,
    mean_dice,
    overlap,
    overlap_by_class,
)

__all__ = ["CONVENTIONS", "Outcome", "Row", "Stages", "evaluate_photo", "evaluate_photos", "groups_of", "severity_of"]

CONVENTIONS = ("lesion", "outline")
"""The two conventions of area: always both, never mixed."""

Row = dict[str, Any]
"""Column -> value; None where there is none. Columns that name a group are text."""

_TONES = {"I": "I-II", "II": "I-II", "III": "III-IV", "IV": "III-IV", "V": "V-VI", "VI": "V-VI"}
_GROUPING = ("preset", "camera", "scene", "ita_band")
_SEVERITY = ((10.0, "under 10 %"), (30.0, "10 to 30 %"), (50.0, "30 to 50 %"), (100.1, "50 % and more"))


@dataclass(frozen=True)
class Stages:
    """What `score` does with a photograph.

    Attributes:
        look: Photograph -> calibrated image and the model's masks (`pipeline.segment_photo`).
        measure: Masks -> what they show of each region (`measure.measure_photo`).
    """

    look: Callable[[PhotoEntry], tuple[CalibratedImage, Masks]]
    measure: Callable[[Masks], Sequence[RegionMeasurement]]


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph.

    Attributes:
        photo: Its row of photos.csv.
        row: Measures of the photograph, with its groups; empty where it has no masks to compare with.
        regions: One row for each region that the true masks show.
        measured: What the model saw of each region.
        true_measured: The same of the true masks; empty without them.
        pixels: "lesion", "outline" and each region -> found and true pixels; without what the truth has no masks of.
        used: Whether `score` would use it (readable, no retake, skin found).
        reason: Why not, or why there is nothing to compare; "" when all is well.
    """

    photo: PhotoEntry
    row: Row = field(default_factory=dict)
    regions: tuple[Row, ...] = ()
    measured: tuple[RegionMeasurement, ...] = ()
    true_measured: tuple[RegionMeasurement, ...] = ()
    pixels: dict[str, Overlap] = field(default_factory=dict)
    used: bool = False
    reason: str = ""


def evaluate_photos(
    photos: Sequence[PhotoEntry],
    stages: Stages,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Evaluate photographs in the order given; one that cannot be read is an outcome with a reason and stops nothing.

    Raises:
        InputError: A mask is wrong (that is the data set's fault, not the model's; the message names file and row).
    """
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        for outcome in pool.map(lambda photo: evaluate_photo(photo, stages), photos):
            outcomes.append(outcome)
            if progress is not None:
                progress(len(outcomes), len(photos))
    return outcomes


def evaluate_photo(photo: PhotoEntry, stages: Stages) -> Outcome:
    """Evaluate one photograph.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    try:
        image, masks = stages.look(photo)
    except PhotoError as error:
        return Outcome(photo, reason=f"cannot be read: {error.what}")
    retake = image.quality.verdict is Verdict.RETAKE
    measured = tuple(stages.measure(masks))
    reason = masks.reason or (" ".join(image.quality.advice) if retake else "")
    used = not retake and not masks.reason and bool(measured)
    truth = read_truth(photo, shape=(image.pixels.shape[0], image.pixels.shape[1]))
    if truth.shape is None:
        return Outcome(photo, measured=measured, used=used, reason=reason or "no masks to compare with")
    true_masks = truth.as_masks()
    true_measured = tuple(stages.measure(true_masks)) if true_masks is not None else ()
    scale = image.calibration.mm_per_px or photo.mm_per_px
    overlaps = _overlaps(masks, truth)
    row = {
        **_identity(photo),
        "severity": severity_of(truth),
        **_photo_measures(masks, truth, overlaps, scale),
        "abstained": bool(masks.reason),
        "reason": reason,
    }
    regions = tuple(_region_rows(row, masks, truth, measured, true_measured))
    return Outcome(photo, row, regions, measured, true_measured, overlaps, used, reason)


def groups_of(photo: PhotoEntry) -> dict[str, str]:
    """Column -> group of a photograph, for breaking figures down; only what is recorded, nothing inferred."""
    groups = {"view": str(photo.view), "skin_tone": _TONES.get(photo.skin_tone or "", "not recorded")}
    groups.update({name: photo.further[name] for name in _GROUPING if name in photo.further})
    if photo.site_id is not None:
        groups["site_id"] = photo.site_id
    return groups


def severity_of(truth: Truth) -> str:
    """How much of the visible skin is outlined in truth: "clear", "under 10 %", "10 to 30 %", "30 to 50 %", "50 % and more"."""
    mask = truth.outline if truth.outline is not None else truth.lesion
    if mask is None:
        return "not known"
    skin = truth.regions > 0 if truth.regions is not None else np.ones(mask.shape, bool)
    affected = int(np.count_nonzero(mask & skin))
    if affected == 0:
        return "clear"
    percent = 100.0 * affected / max(1, int(np.count_nonzero(skin)))
    return next(name for below, name in _SEVERITY if percent < below)


def _identity(photo: PhotoEntry) -> Row:
    return {"subject_id": photo.subject_id, "visit": photo.visit, "path": photo.path, **groups_of(photo)}


def _photo_measures(masks: Masks, truth: Truth, overlaps: Mapping[str, Overlap], mm_per_px: float | None) -> Row:
    """Dice, boundary distance and false area by both conventions; Dice of the skin and, averaged, of the regions shown."""
    row: Row = {}
    for name in CONVENTIONS:
        true, predicted = _mask(truth, name), _mask(masks, name)
        if true is None or predicted is None:
            continue
        row[f"dice_{name}"] = dice_of(overlaps[name])
        distance = boundary_distance_px(predicted, true) if row[f"dice_{name}"] else None
        diagonal = float(np.hypot(*true.shape))
        row[f"boundary_percent_{name}"] = None if distance is None else 100.0 * distance / diagonal
        row[f"boundary_mm_{name}"] = None if distance is None or mm_per_px is None else distance * mm_per_px
        skin = truth.regions > 0 if truth.regions is not None else np.ones(true.shape, bool)
        row[f"false_area_{name}"] = false_area_percent(predicted, true, skin)
    if truth.regions is not None:
        row["dice_skin"] = dice(masks.regions > 0, truth.regions > 0)
        row["dice_region"] = mean_dice(overlaps[region] for region in Region)
    return row


def _overlaps(masks: Masks, truth: Truth) -> dict[str, Overlap]:
    """By area and region; only what the truth has masks of."""
    found: dict[str, Overlap] = {}
    for name in CONVENTIONS:
        true, predicted = _mask(truth, name), _mask(masks, name)
        if true is not None and predicted is not None:
            found[name] = overlap(predicted, true)
    if truth.regions is not None:
        by_code = overlap_by_class(masks.regions, truth.regions, OTHER_SKIN + 1)
        found |= {str(region): by_code[region.code] for region in Region}
    return found


def _region_rows(
    photo_row: Row,
    masks: Masks,
    truth: Truth,
    measured: Iterable[RegionMeasurement],
    true_measured: Iterable[RegionMeasurement],
) -> Iterable[Row]:
    """One row for each region that the truth shows; a region that the model did not see has no predicted values."""
    seen = {m.region: m for m in measured}
    keep = [name for name in photo_row if name in ("subject_id", "visit", "path", *_GROUPS)]
    true_measured = list(true_measured)
    if not true_measured:
        return
    counts = {name: _counts(masks, truth, name) for name in CONVENTIONS}
    for true in true_measured:
        found = seen.get(true.region)
        row: Row = {name: photo_row[name] for name in keep} | {"region": str(true.region), "skin_px": true.skin_px}
        for name in CONVENTIONS:
            actual = _percent(true, name)
            predicted = None if found is None else _percent(found, name)
            shared, size_predicted, size_true = (int(c[true.region.code]) for c in counts[name])
            row[f"true_{name}"], row[f"predicted_{name}"] = actual, predicted
            row[f"area_error_{name}"] = None if predicted is None else predicted - actual
            row[f"dice_{name}"] = dice_of((shared, size_predicted, size_true))
            row[f"false_area_{name}"] = 100.0 * size_predicted / true.skin_px if size_true == 0 else None
        row.update(_grade_columns(true, found, has_signs=truth.signs is not None))
        yield row


_GROUPS = ("view", "skin_tone", "severity", "site_id", *_GROUPING)


def _grade_columns(true: RegionMeasurement, found: RegionMeasurement | None, *, has_signs: bool) -> Row:
    """True and predicted grade of each sign where there are lesions to grade; a lesion that was missed has the grade 0."""
    graded = has_signs and true.lesion_px > 0 and found is not None
    columns: Row = {}
    for sign in Sign:
        columns[f"true_{sign}"] = true.grades[sign] if graded else None
        columns[f"predicted_{sign}"] = found.grades[sign] if graded and found is not None else None
    return columns


def _counts(masks: Masks, truth: Truth, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pixels by true region code: found and true, found, true."""
    true, predicted = _mask(truth, name), _mask(masks, name)
    if truth.regions is None or true is None or predicted is None:
        raise InputError("masks are incomplete", fix="Compare regions only where regions, lesion and outline exist.")
    shared, found, there = (
        np.bincount(truth.regions[mask], minlength=OTHER_SKIN + 1) for mask in (predicted & true, predicted, true)
    )
    return shared, found, there


def _mask(of: Masks | Truth, name: str) -> NDArray[np.bool_] | None:
    return of.lesion if name == "lesion" else of.outline


def _percent(measurement: RegionMeasurement, name: str) -> float:
    return measurement.lesion_percent if name == "lesion" else measurement.outline_percent
