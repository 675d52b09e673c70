"""Where each region lies in a view of the protocol: the pose is standardised, so the place within the skin's box tells much.

A network sees a stretch of bare skin and cannot always say whose; in `lower_limbs_front` the upper part of the skin is trunk and the rest
legs. The shares were counted on the training phantoms' true masks; they multiply the network's region probabilities, which have a small
say (`NETWORK_VOICE`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN, View

__all__ = ["GRID", "RegionPrior", "count_regions", "read_prior"]

GRID = 24
"""Cells along each side of the skin's box."""

_ALMOST_NEVER = 0.01
"""Least share of a region anywhere in a view, so that a sure network can overrule the prior."""

NETWORK_VOICE = 0.2
"""Power of the network's region probabilities beside the prior. Measured on views of a preset that was not trained on: Dice of the regions
0.79 by the prior alone, 0.79 with this power (and 0.935 instead of 0.929 of the skin right), 0.76 with 1: the network is too sure."""

_LEAST_PRIOR = 0.11
"""A region that a place almost never shows counts as likely as this, so that a network that is as good as certain still overrules it."""

RegionPrior = Mapping[View, NDArray[np.float32]]
"""View -> (5, GRID, GRID) float32 shares of region codes 1-5 by place in the skin's box; they sum to 1 over the codes."""


def count_regions(masks: Iterable[tuple[View, NDArray[np.uint8]]]) -> dict[View, NDArray[np.float32]]:
    """Shares of regions by place, from true region masks of views (close-ups have no pose and are passed over)."""
    counts: dict[View, NDArray[np.float32]] = {}
    for view, regions in masks:
        box = _box(regions > 0)
        if view is View.CLOSE_UP or box is None:
            continue
        cells = cv2.resize(regions[box], (GRID * 4, GRID * 4), interpolation=cv2.INTER_NEAREST)
        one_hot = np.stack([cells == code for code in range(1, OTHER_SKIN + 1)]).astype(np.float32)
        here = one_hot.reshape(OTHER_SKIN, GRID, 4, GRID, 4).mean((2, 4))
        counts[view] = counts.get(view, np.zeros_like(here)) + here
    return {view: _shares(count) for view, count in counts.items()}


def weighted(
    skin_classes: NDArray[np.float32], skin: NDArray[np.bool_], prior: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Region probabilities, damped, times the prior of their place.

    Args:
        skin_classes: (5, h, w) of codes 1-5.
        skin: (h, w) where skin is; its box is what the prior is laid over.
        prior: (5, GRID, GRID) of the photograph's view.
    """
    box = _box(skin)
    if box is None:
        return skin_classes
    height, width = (part.stop - part.start for part in box)
    product = np.asarray(skin_classes**NETWORK_VOICE, np.float32)
    for code in range(OTHER_SKIN):
        here = cv2.resize(prior[code], (width, height), interpolation=cv2.INTER_LINEAR)
        product[code][box] *= np.maximum(here, _LEAST_PRIOR)
    return product


def read_prior(path: Path) -> dict[View, NDArray[np.float32]]:
    """Read what `train/export.py` wrote: shares x 255 in 8 bits, one array per view."""
    with np.load(path, allow_pickle=False) as stored:
        counts = {View(name): stored[name].astype(np.float32) for name in stored.files}
    return {view: count / count.sum(0) for view, count in counts.items()}


def _shares(count: NDArray[np.float32]) -> NDArray[np.float32]:
    """Counts to shares; where hardly any skin was seen, the whole view's shares stand in."""
    whole = count.sum((1, 2), keepdims=True)
    filled = count + 0.02 * whole / max(float(whole.sum()), 1e-6) * count.sum(0).max(initial=1e-6)
    shares = np.maximum(filled / filled.sum(0, keepdims=True), _ALMOST_NEVER)
    return np.asarray(shares / shares.sum(0, keepdims=True), np.float32)


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
