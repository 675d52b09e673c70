"""Where each region lies in a view of the protocol: bodies with a like silhouette, in the same pose, tell.

A network sees a stretch of bare skin and cannot always say whose; in `lower_limbs_front` the upper part of the skin is trunk and the rest
legs. The pose is standardised, so the outline of the skin says nearly all: the region maps of the training photographs of that view are
laid over the skin's box, those with a like silhouette count most, and their shares multiply the network's region probabilities, which have
a small say (`PRIOR_VOICE`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN, View

__all__ = ["GRID", "RegionPrior", "collect_regions", "joined_regions", "read_prior", "weighted"]

GRID = 48
"""Cells along each side of the skin's box."""

MOST = 100
"""Bodies of a view that are kept: the first ones."""

PRIOR_VOICE = 5
"""Power of the prior beside the network's region probabilities; with 1 the network is too sure."""

_LIKE = 0.012
"""By how much more the silhouettes may differ (mean squared difference over the box) for a body to count 1 / e less."""

_SPREAD = 2.0
"""Where no like body has skin, their regions within so many cells stand in."""

_LEAST_PRIOR = 0.11
"""A region that a place almost never shows counts as likely as this, so that a network that is as good as certain still overrules it."""

RegionPrior = Mapping[View, NDArray[np.uint8]]
"""View -> (N, GRID, GRID) uint8 region codes (0 no skin, 1-5) of N bodies over the box of their skin."""


def collect_regions(masks: Iterable[tuple[View, NDArray[np.uint8]]]) -> dict[View, NDArray[np.uint8]]:
    """Region maps over the skin's box, from true region masks of views (close-ups have no pose and are passed over)."""
    kept: dict[View, list[NDArray[np.uint8]]] = defaultdict(list)
    for view, regions in masks:
        box = _box(regions > 0)
        if view is View.CLOSE_UP or box is None or len(kept[view]) >= MOST:
            continue
        cells = np.asarray(cv2.resize(regions[box], (GRID, GRID), interpolation=cv2.INTER_NEAREST), np.uint8)
        kept[view].append(np.where(cells <= OTHER_SKIN, cells, 0).astype(np.uint8))
    return {view: np.stack(maps) for view, maps in kept.items() if maps}


def joined_regions(first: RegionPrior, second: RegionPrior) -> dict[View, NDArray[np.uint8]]:
    """The bodies of both, as many of a view as are kept; those of `first` go first."""
    return {
        view: np.concatenate([one[view] for one in (first, second) if view in one])[:MOST]
        for view in View
        if view in first or view in second
    }


def weighted(
    skin_classes: NDArray[np.float32], skin: NDArray[np.bool_], bodies: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Region probabilities times a power of the shares of the regions on bodies with a like silhouette; only their order means something.

    Args:
        skin_classes: (5, h, w) of codes 1-5.
        skin: (h, w) where skin is; its box is what the bodies are laid over.
        bodies: (N, GRID, GRID) of the photograph's view.
    """
    box = _box(skin)
    if box is None:
        return skin_classes
    height, width = (part.stop - part.start for part in box)
    silhouette = cv2.resize(skin[box].astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    shares = _shares(np.asarray(silhouette, np.float32), bodies)
    product = skin_classes.copy()
    for code in range(OTHER_SKIN):
        here = cv2.resize(shares[code], (width, height), interpolation=cv2.INTER_LINEAR)
        product[code][box] *= np.maximum(here, _LEAST_PRIOR) ** PRIOR_VOICE
    return product


def read_prior(path: Path) -> dict[View, NDArray[np.uint8]]:
    """Read what `train/export.py` wrote: one array of region maps per view."""
    with np.load(path, allow_pickle=False) as stored:
        return {View(name): stored[name] for name in stored.files}


def _shares(silhouette: NDArray[np.float32], bodies: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(5, GRID, GRID) shares of the codes 1-5, which sum to 1, for a silhouette (GRID, GRID) of 0-1."""
    apart = np.square((bodies > 0) - silhouette).mean((1, 2))
    weight = np.exp(-(apart - apart.min()) / _LIKE).astype(np.float32)
    counts = np.stack([np.tensordot(weight, bodies == code, 1) for code in range(1, OTHER_SKIN + 1)]).astype(np.float32)
    near = np.stack([cv2.GaussianBlur(count, (0, 0), _SPREAD) for count in counts])
    whole = counts.sum((1, 2), keepdims=True) / max(float(counts.sum()), 1e-6)
    filled = counts + 0.05 * near + 1e-4 * whole
    return np.asarray(filled / filled.sum(0), np.float32)


def _box(skin: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Rows and columns that hold all but the outermost hundredth of the skin at each side: stray pixels do not move it."""
    ends = []
    for axis in (1, 0):
        running = np.cumsum(skin.sum(axis))
        if not running.size or running[-1] < 16:
            return None
        low, high = np.searchsorted(running, [0.005 * running[-1], 0.995 * running[-1]])
        ends.append(slice(int(low), int(high) + 1))
    return ends[0], ends[1]
