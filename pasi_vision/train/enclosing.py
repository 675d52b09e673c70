"""How outlines follow from lesions in the views of a labelled folder: rim and gap for `segment.enclose`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.enclose import depth_within, distance_from, mask_at_size
from pasi_vision.train.folder import PhotoEntry, read_truth

__all__ = ["fit_enclosing"]

FEWEST, MOST = 8, 32
"""Photographs of a view from which its lengths are told, and as many as are enough."""

GEOMETRIC = 0.9
"""Dice from which on outlines are said to follow from lesions: simulated pens reach 0.95 and more, a person who lumps at will does not."""

AS_GOOD = 0.01
"""Dice by which lengths may fall short of the best and still be as good."""

_REACH = np.geomspace(0.0022, 0.14, 28)
"""Tried: how far from the lesion the pen's outermost points may lie, as a share of the root of the skin's area; grow + gap / 2."""

_HALF_GAP = np.linspace(0.3, 0.8, 11)
"""Tried: half of the gap, as a share of the reach."""

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
        seen: Gives a model's lesion and skin (h, w) of a photograph, of any size; without it the true ones are enclosed.

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
            shown = [(seen(photo), outline) for photo, _, outline, _ in rows]
            sized = [
                (mask_at_size(lesion, outline.shape), mask_at_size(skin, outline.shape), outline)
                for (lesion, skin), outline in shown
            ]
            lengths, _ = _best(sized)
        fitted[view] = (round(lengths[0], 5), round(lengths[1], 5))
    return fitted


def _best(triples: Sequence[tuple[Mask, Mask, Mask]]) -> tuple[tuple[float, float], float]:
    """The lengths for (lesion, skin, outline) triples, and their mean Dice."""
    likeness, bias = np.mean([_tried(*one) for one in triples], axis=0)
    wrong = np.where(likeness >= likeness.max() - AS_GOOD, np.abs(bias), np.inf)
    row, column = np.unravel_index(np.argmin(wrong), wrong.shape)
    reach, half = float(_REACH[row]), float(_REACH[row] * _HALF_GAP[column])
    return (reach - half, 2 * half), float(likeness[row, column])


def _tried(lesion: Mask, skin: Mask, outline: Mask) -> NDArray[np.float64]:
    """(2, reaches, gaps) Dice and bias of the area, as a share of the picture, of what `enclosed` makes with each pair of lengths."""
    found = np.zeros((2, len(_REACH), len(_HALF_GAP)))
    unit, true = np.sqrt(np.count_nonzero(skin)), int(np.count_nonzero(outline))
    distance = distance_from(lesion)
    for row, reach in enumerate(_REACH * unit):
        depth = depth_within(distance, reach)
        for column, share in enumerate(_HALF_GAP):
            made = ((depth > share * reach) | lesion) & skin
            area, shared = int(np.count_nonzero(made)), int(np.count_nonzero(made & outline))
            found[:, row, column] = 2 * shared / max(area + true, 1), (area - true) / lesion.size
    return found


def _small(mask: Mask) -> Mask:
    factor = min(1.0, _SIDE_PX / max(mask.shape))
    return mask_at_size(mask, (round(mask.shape[0] * factor), round(mask.shape[1] * factor)))
