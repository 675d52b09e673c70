"""Outlines as dermatologists draw them: a broad pen around what they see, grown, filled and merged, different for every rater.

Calibrated on DermXDB (eight dermatologists; `docs/phantoms.md` gives the distances): outlines are grown by 1-3 % of the
picture's width, holes are filled, neighbours nearer than 3-7 % are one, dense fields of drops are one area, faint ones are missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import fractal, sample
from pasi_vision.phantom.plaques import LesionMaps
from pasi_vision.phantom.preset import OutlineSettings

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rng = np.random.Generator

FIELD_SPOTS = 45  # from so many small spots on, nobody draws around each
LUMPED_FIELDS = 0.9
LUMPING, FIELD_LUMPING = 2.3, 3.4  # how much wider are the gaps that lumping raters close, in fields of drops
GRID = 320  # outlines are drawn on a grid this long: a pen is broader than its pixels


@dataclass(frozen=True)
class Pen:
    """How one rater draws; lengths as shares of the picture's longer side.

    Attributes:
        grow: How far outside the border the pen runs.
        merge: Gaps narrower than this are closed.
        pen: Radius of the pen: nothing drawn is narrower.
        hole: Spared islands smaller than this (equivalent diameter) are filled.
        keen: Visibility (0-1) from which redness counts as lesion.
        wobble: SD of the hand's waviness.
        seed: This rater's hand.
    """

    grow: float
    merge: float
    pen: float
    hole: float
    keen: float
    wobble: float
    seed: int


def draw_pen(rng: Rng, generous: float = 1.0, lumping: float = 1.0) -> Pen:
    """A random rater; `generous` scales how far the pen runs outside and across gaps, `lumping` the gaps alone."""
    return Pen(
        grow=float(np.clip(rng.normal(0.013, 0.007), -0.004, 0.035)) * generous,
        merge=float(np.exp(rng.normal(np.log(0.042), 0.45))) * generous * lumping,
        pen=float(np.exp(rng.normal(np.log(0.017), 0.35))),
        hole=float(np.exp(rng.normal(np.log(0.15), 0.6))),
        keen=float(np.clip(rng.normal(0.32, 0.14), 0.08, 0.75)),
        wobble=float(rng.uniform(0.002, 0.006)),
        seed=int(rng.integers(2**31)),
    )


def trace(visible: Field, pen: Pen) -> Mask:
    """One rater's outline on the grid of `visible` (0-1, how clearly each point looks affected)."""
    size = max(visible.shape)
    y, x = np.mgrid[: visible.shape[0], : visible.shape[1]].astype(np.float32) / np.float32(size)
    phase = (pen.seed % 1013) / 1013, (pen.seed % 709) / 709
    waver = sample(fractal(1.6, 81, low=3.0), x * 0.7 + phase[0], y * 0.7 + phase[1])
    seen = visible > pen.keen * np.exp(0.25 * np.tanh(waver))  # attention wanders over the picture
    if not seen.any():
        return np.zeros(visible.shape, np.bool_)
    half = 0.5 * pen.merge * size
    merged = _shrunk(_grown(seen, half), half) | seen
    merged = _without_holes(merged, pen.hole * size)
    drawn = _grown(merged, (pen.grow + pen.pen) * size + pen.wobble * size * waver)
    return _shrunk(drawn, pen.pen * size)


def consensus(votes: list[Mask]) -> Mask:
    """Where more than half of the raters drew."""
    return np.asarray(np.mean(votes, axis=0) > 0.5, np.bool_)


def visibility(strength: Field, cover: Field) -> Field:
    """How clearly each point looks affected, 0-1, from excess redness (0-1) and cover by scale (0-1)."""
    return np.asarray(np.clip(np.maximum(strength, 0.9 * cover), 0.0, 1.0), np.float32)


def outlined(rng: Rng, habits: OutlineSettings, maps: LesionMaps, skin: Mask, alive: Mask) -> tuple[Mask, Field]:
    """Majority of the simulated raters (on a grid of `GRID`) and the share of them that drew around each point, x 255.

    Args:
        habits: Number and habits of the raters.
        maps: What the skin carries.
        skin: (H, W); where a lesion can be.
        alive: (H, W); where the plaque that dominates is a lesion (no after-mark, no other disease).
    """
    shape = skin.shape
    scale = GRID / max(shape)
    size = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    red = np.clip((maps.blood_factor - 1.05) / 1.8, 0, 1) * alive
    strength, cover = (
        np.asarray(cv2.resize(field.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32)
        for field in (red, maps.scale_cover * alive)
    )
    bare = cv2.resize(skin.astype(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST) > 0
    seen = visibility(strength, cover) * bare
    near = cv2.dilate(bare.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    drops = _is_field(seen)
    lumped, wide = (max(habits.lumped, LUMPED_FIELDS), FIELD_LUMPING) if drops else (habits.lumped, LUMPING)
    habit = habits.generous, float(np.exp(rng.normal(0.0, 0.25))) * (wide if rng.random() < lumped else 1.0)
    votes = [trace(seen, draw_pen(rng, *habit)) & near for _ in range(habits.raters)]
    return consensus(votes), np.mean(votes, axis=0).astype(np.float32) * np.float32(255)


def _is_field(seen: Field) -> bool:
    """Many small spots rather than a few plaques."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((seen > 0.25).astype(np.uint8))
    sizes = stats[1:, cv2.CC_STAT_AREA]
    return bool(count > FIELD_SPOTS and sizes.max() < 8 * np.median(sizes) + 20)


def _grown(mask: Mask, by: float | Field) -> Mask:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(away <= by, np.bool_)


def _shrunk(mask: Mask, by: float) -> Mask:
    padded = cv2.copyMakeBorder(
        mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE
    )  # the picture's edge is no border
    deep = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(deep > by, np.bool_)


def _without_holes(mask: Mask, diameter: float) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    if count <= 1:
        return mask
    height, width = mask.shape
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    inner = (
        (left > 0)
        & (top > 0)
        & (left + stats[:, cv2.CC_STAT_WIDTH] < width)
        & (top + stats[:, cv2.CC_STAT_HEIGHT] < height)
    )
    small = inner & (stats[:, cv2.CC_STAT_AREA] < np.pi / 4 * diameter**2)
    small[0] = False
    return np.asarray(mask | small[labels], np.bool_)
