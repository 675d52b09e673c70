"""How outlines follow from lesions in the views of a labelled folder: rim and gap for `segment.enclose`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.enclose import enclosed, mask_at_size
from pasi_vision.train.folder import PhotoEntry, read_truth
from pasi_vision.train.metrics import dice

__all__ = ["fit_enclosing"]

FEWEST, MOST = 8, 24
"""Photographs of a view from which its lengths are told, and as many as are enough."""

GEOMETRIC = 0.9
"""Dice from which on outlines are said to follow from lesions: simulated pens reach 0.95 and more, a person who lumps at will does not."""

_GROW = np.geomspace(0.0015, 0.03, 14)
_GAP_OF_GROW = (1.0, 2.0, 3.6, 5.0, 7.0)
_SIDE_PX = 640

Mask = NDArray[np.bool_]


def fit_enclosing(photos: Iterable[PhotoEntry]) -> dict[View, tuple[float, float]]:
    """View -> (grow, gap) with the best mean Dice of enclosed true lesions against true outlines; views where that is poor are left out.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    pairs: dict[View, list[tuple[Mask, Mask, Mask]]] = defaultdict(list)
    for photo in photos:
        if photo.view is View.CLOSE_UP or len(pairs[photo.view]) >= MOST:
            continue
        truth = read_truth(photo)
        if truth.lesion is not None and truth.outline is not None and truth.regions is not None and truth.lesion.any():
            pairs[photo.view].append(tuple(_small(mask) for mask in (truth.lesion, truth.outline, truth.regions > 0)))  # type: ignore[arg-type]
    found = {}
    for view, masks in pairs.items():
        if len(masks) < FEWEST:
            continue
        tried = {
            (grow, grow * share): float(
                np.mean([dice(enclosed(a, skin, grow, grow * share), b) for a, b, skin in masks])
            )
            for grow in map(float, _GROW)
            for share in _GAP_OF_GROW
        }
        best = max(tried, key=lambda lengths: tried[lengths])
        if tried[best] >= GEOMETRIC:
            found[view] = (round(best[0], 5), round(best[1], 5))
    return found


def _small(mask: Mask) -> Mask:
    factor = min(1.0, _SIDE_PX / max(mask.shape))
    return mask_at_size(mask, (round(mask.shape[0] * factor), round(mask.shape[1] * factor)))
