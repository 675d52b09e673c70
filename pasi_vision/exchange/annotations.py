"""What annotation tools draw -> the masks of the data contract, and back.

Every format is read into the same records: per image its name, size and marks, a mark being a label with a polygon or a bitmap. Which label
means what is said by a mapping; a label that it does not name is an error, and nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX, OTHER_SKIN, Region, Sign
from pasi_vision.errors import InputError
from pasi_vision.records import SIGN_LEVELS_PER_GRADE

__all__ = ["IGNORE", "AnnotatedImage", "Bitmap", "Mark", "Polygon", "kinds_of", "marks_of_masks", "masks_of", "targets"]

IGNORE = "ignore"
"""Target of labels that are left out on purpose."""


@dataclass(frozen=True)
class Polygon:
    """Rings of (N, 2) float x, y in px; (0, 0) is the corner of the upper left pixel. Rings add up; none cuts a hole."""

    rings: tuple[NDArray[np.float64], ...]

    def raster(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """(H, W): pixels whose middle lies inside."""
        from skimage.draw import polygon

        mask = np.zeros(shape, dtype=bool)
        for ring in self.rings:
            rows, columns = polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, shape)  # type: ignore[no-untyped-call]
            mask[rows, columns] = True
        return mask


@dataclass(frozen=True)
class Bitmap:
    """Runs over a box of the image, row by row or column by column, beginning with a run of background."""

    runs: NDArray[np.int64]
    left: int
    top: int
    width: int
    height: int
    by_column: bool = False

    def raster(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """(H, W): the box in its place. The box was checked to lie inside the image when it was read."""
        flat = np.repeat(np.arange(len(self.runs)) % 2 == 1, self.runs)
        box = flat.reshape(self.width, self.height).T if self.by_column else flat.reshape(self.height, self.width)
        mask = np.zeros(shape, dtype=bool)
        mask[self.top : self.top + self.height, self.left : self.left + self.width] = box
        return mask


@dataclass(frozen=True)
class Mark:
    """One drawn thing: its label, its shape, and where in the file it stands (for errors)."""

    label: str
    shape: Polygon | Bitmap
    where: str


@dataclass(frozen=True)
class AnnotatedImage:
    """One image as an annotation file describes it: `name` as given there, size in px, marks from back to front."""

    name: str
    width: int
    height: int
    marks: tuple[Mark, ...]
    where: str


def targets() -> tuple[str, ...]:
    """All that a label can mean: lesion, outline, the regions, other_skin, `<sign>:<grade>`, ignore."""
    signs = [f"{sign}:{grade}" for sign in Sign for grade in range(GRADE_MAX + 1)]
    return ("lesion", "outline", *Region, "other_skin", *signs, IGNORE)


def kinds_of(images: Iterable[AnnotatedImage], mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Which masks (regions, lesion, outline, signs) these annotations can give.

    Raises:
        InputError: A label is neither a target itself nor mapped to one.
    """
    known = targets()
    for label, target in mapping.items():
        if target not in known:
            near = get_close_matches(target, known, n=1)
            raise InputError(
                f"label {label!r} is mapped to {target!r}, which does not exist",
                where="--map",
                fix=f"Is {near[0]!r} meant?" if near else f"Use one of {', '.join(known)}.",
            )
    found = set()
    for image in images:
        for mark in image.marks:
            target = mapping.get(mark.label, mark.label)
            if target not in known:
                raise InputError(
                    f"label {mark.label!r} has no meaning",
                    where=mark.where,
                    fix=f"Add --map '{mark.label}=lesion' (or outline, trunk, erythema:2 ... or ignore).",
                )
            found.add(_kind(target))
    return tuple(kind for kind in ("regions", "lesion", "outline", "signs") if kind in found)


def masks_of(
    image: AnnotatedImage, kinds: Iterable[str], mapping: Mapping[str, str], shape: tuple[int, int]
) -> dict[str, NDArray[np.uint8]]:
    """The masks of one image, in the photograph's upright size: kind -> (H, W) or, for signs, (H, W, 3) uint8 as the contract stores them.

    Marks of one kind add up; where regions or grades overlap, the mark in front counts.

    Raises:
        InputError: The image is described in another size than the photograph has.
    """
    if (image.height, image.width) != shape:
        turned = " (turned by 90 degrees: annotate the upright picture)" if (image.width, image.height) == shape else ""
        raise InputError(
            f"described as {image.width} x {image.height}, but the photograph is {shape[1]} x {shape[0]}{turned}",
            where=image.where,
            fix="Annotate the photograph itself, upright and in full size.",
        )
    masks = {kind: np.zeros((*shape, 3) if kind == "signs" else shape, np.uint8) for kind in kinds}
    for mark in image.marks:
        target = mapping.get(mark.label, mark.label)
        if target == IGNORE:
            continue
        drawn = mark.shape.raster(shape)
        kind = _kind(target)
        if kind == "signs":
            sign, grade = target.split(":")
            masks[kind][drawn, list(Sign).index(Sign(sign))] = int(grade) * SIGN_LEVELS_PER_GRADE
        elif kind == "regions":
            masks[kind][drawn] = OTHER_SKIN if target == "other_skin" else Region(target).code
        else:
            masks[kind][drawn] = 255
    return masks


def marks_of_masks(masks: Mapping[str, NDArray[np.uint8]], where: str = "") -> tuple[Mark, ...]:
    """The marks that give these masks again, a bitmap per class: what is sent to an annotation tool for correction.

    Raises:
        InputError: A signs mask holds parts of grades, which no label can say.
    """
    marks = []
    for region in Region:
        marks += _mark(region, masks["regions"] == region.code, where) if "regions" in masks else []
    if "regions" in masks:
        marks += _mark("other_skin", masks["regions"] == OTHER_SKIN, where)
    for kind in ("lesion", "outline"):
        marks += _mark(kind, masks[kind] > 127, where) if kind in masks else []
    if "signs" in masks:
        if (masks["signs"] % SIGN_LEVELS_PER_GRADE).any():
            raise InputError("the signs mask holds parts of grades", where=where, fix="Leave the signs out.")
        for channel, sign in enumerate(Sign):
            for grade in range(1, GRADE_MAX + 1):
                marks += _mark(f"{sign}:{grade}", masks["signs"][..., channel] == grade * SIGN_LEVELS_PER_GRADE, where)
    return tuple(marks)


def runs_of(flat: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of alternating runs of a flat mask, beginning with background (0 if it begins with foreground)."""
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(edges)
    return np.asarray(np.concatenate([[0], runs]) if flat.size and flat[0] else runs, dtype=np.int64)


def _mark(label: str, mask: NDArray[np.bool_], where: str) -> list[Mark]:
    """A bitmap of the whole image; none where nothing is drawn."""
    if not mask.any():
        return []
    height, width = mask.shape
    return [Mark(str(label), Bitmap(runs_of(mask.ravel()), 0, 0, width, height), where)]


def _kind(target: str) -> str:
    if target in ("lesion", "outline", IGNORE):
        return target
    return "signs" if ":" in target else "regions"
