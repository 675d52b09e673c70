"""How outlines follow from lesions in the views of a labelled folder: rim and gap for `segment.enclose`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.enclose import enclosed, mask_at_size
from pasi_vision.train.folder import PhotoEntry, read_truth
from pasi_vision.train.metrics import dice

__all__ = ["fit_enclosing"]

FEWEST, MOST = 8, 16
"""Photographs of a view from which its lengths are told, and as many as are enough."""

GEOMETRIC = 0.9
"""Dice from which on outlines are said to follow from lesions: simulated pens reach 0.95 and more, a person who lumps at will does not."""

AS_GOOD = 0.01
"""Dice by which lengths may fall short of the best and still be as good."""

_GROW = np.geomspace(0.0015, 0.03, 14)
_GAP_OF_GROW = (1.0, 2.0, 3.6, 5.0, 7.0)
_SIDE_PX = 640

Mask = NDArray[np.bool_]
Seen = Callable[[PhotoEntry], tuple[Mask, Mask]]


def fit_enclosing(photos: Iterable[PhotoEntry], seen: Seen | None = None) -> dict[View, tuple[float, float]]:
    """View -> (grow, gap) that make outlines of lesions; views whose outlines do not follow from lesions are left out.

    Whether they do is told from the true lesions. With `seen` the lengths are those for the lesions that a model sees, which are smaller
    or larger than the true ones: the best mean Dice against true outlines, and among lengths about as good those with the area that
    is right on average.

    Args:
        photos: Labelled photographs.
        seen: Gives a model's lesion and skin (H, W) of a photograph; without it the true ones are enclosed.

    Raises:
        InputError: A mask is wrong; the message names file and row.
    """
    known: dict[View, list[tuple[PhotoEntry, Mask, Mask, Mask]]] = defaultdict(list)
    for photo in photos:
        if photo.view is View.CLOSE_UP or len(known[photo.view]) >= MOST:
            continue
        truth = read_truth(photo)
        if truth.lesion is not None and truth.outline is not None and truth.regions is not None and truth.lesion.any():
            known[photo.view].append((photo, _small(truth.lesion), _small(truth.outline), _small(truth.regions > 0)))
    fitted = {}
    for view, rows in known.items():
        if len(rows) < FEWEST:
            continue
        lengths, likeness = _best([(lesion, skin, outline) for _, lesion, outline, skin in rows])
        if likeness < GEOMETRIC:
            continue
        if seen is not None:
            pairs = [(seen(photo), outline) for photo, _, outline, _ in rows]
            lengths, _ = _best([(_small(lesion), _small(skin), outline) for (lesion, skin), outline in pairs])
        fitted[view] = (round(lengths[0], 5), round(lengths[1], 5))
    return fitted


def _best(triples: Sequence[tuple[Mask, Mask, Mask]]) -> tuple[tuple[float, float], float]:
    """The lengths for (lesion, skin, outline) triples, and their mean Dice."""
    tried = {}
    for grow in map(float, _GROW):
        for share in _GAP_OF_GROW:
            made = [enclosed(lesion, skin, grow, grow * share) for lesion, skin, _ in triples]
            bias = np.mean([a.mean() - b.mean() for a, (_, _, b) in zip(made, triples, strict=True)])
            likeness = np.mean([dice(a, b) for a, (_, _, b) in zip(made, triples, strict=True)])
            tried[grow, grow * share] = float(likeness), abs(float(bias))
    best = max(likeness for likeness, _ in tried.values())
    lengths = min(tried, key=lambda one: (tried[one][0] < best - AS_GOOD, tried[one][1]))
    return lengths, tried[lengths][0]


def _small(mask: Mask) -> Mask:
    factor = min(1.0, _SIDE_PX / max(mask.shape))
    return mask_at_size(mask, (round(mask.shape[0] * factor), round(mask.shape[1] * factor)))
