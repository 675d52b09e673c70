"""COCO instance annotations (https://cocodataset.org/#format-data): polygons and run-length masks, read and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pasi_vision.errors import InputError
from pasi_vision.exchange.annotations import AnnotatedImage, Bitmap, Mark, Polygon, runs_of
from pasi_vision.exchange.fields import bitmap, field, read_json, ring, size_px
from pasi_vision.storage import write_json

__all__ = ["read_coco", "write_coco"]


def read_coco(path: Path) -> list[AnnotatedImage]:
    """Images and their marks, in the file's order.

    Raises:
        InputError: Not COCO, or something in it is wrong (says where).
    """
    content = read_json(path)
    where = str(path)
    labels = {}
    for entry in field(content, "categories", list, where):
        labels[field(entry, "id", int, f"{where} categories")] = field(entry, "name", str, f"{where} categories")
    sizes: dict[int, tuple[int, int]] = {}
    names: dict[int, str] = {}
    for at, entry in enumerate(field(content, "images", list, where)):
        place = f"{where} images[{at}]"
        number = field(entry, "id", int, place)
        if number in sizes:
            raise InputError(f"image id {number} appears twice", where=place, fix="Export the annotations again.")
        names[number] = field(entry, "file_name", str, place)
        sizes[number] = size_px(entry.get("width"), entry.get("height"), place)
    marks: dict[int, list[Mark]] = defaultdict(list)
    for at, entry in enumerate(field(content, "annotations", list, where)):
        place = f"{where} annotations[{at}]"
        number, category = field(entry, "image_id", int, place), field(entry, "category_id", int, place)
        if number not in sizes or category not in labels:
            missing = f"image {number}" if number not in sizes else f"category {category}"
            raise InputError(f"{missing} is not in the file", where=place, fix="Export the annotations again.")
        marks[number].append(Mark(labels[category], _shape(entry, sizes[number], place), place))
    return [
        AnnotatedImage(names[number], *size, tuple(marks[number]), f"{where} image {names[number]}")
        for number, size in sizes.items()
    ]


def write_coco(path: Path, images: Sequence[AnnotatedImage]) -> None:
    """Write images and marks; bitmaps as uncompressed runs, polygons as polygons."""
    labels = sorted({mark.label for image in images for mark in image.marks})
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        for mark in image.marks:
            mask = mark.shape.raster((image.height, image.width))
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = [0, 0, 0, 0]
            if rows.size:
                left, top = int(columns[0]), int(rows[0])
                box = [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": labels.index(mark.label) + 1,
                    "segmentation": [r.ravel().tolist() for r in mark.shape.rings]
                    if isinstance(mark.shape, Polygon)
                    else {"size": [image.height, image.width], "counts": runs_of(mask.ravel(order="F")).tolist()},
                    "area": int(mask.sum()),
                    "bbox": box,
                    "iscrowd": int(isinstance(mark.shape, Bitmap)),
                }
            )
    described = [
        {"id": number, "file_name": image.name, "width": image.width, "height": image.height}
        for number, image in enumerate(images, start=1)
    ]
    categories = [{"id": at + 1, "name": label, "supercategory": ""} for at, label in enumerate(labels)]
    write_json(path, {"images": described, "categories": categories, "annotations": annotations})


def _shape(entry: dict[str, Any], size: tuple[int, int], place: str) -> Polygon | Bitmap:
    drawn = entry.get("segmentation")
    if isinstance(drawn, list) and drawn:
        return Polygon(tuple(ring(part, place) for part in drawn))
    if isinstance(drawn, dict):
        given = field(drawn, "size", list, place)
        if given != [size[1], size[0]]:
            raise InputError(
                f"mask size {given} is not that of its image", where=place, fix="Export the annotations again."
            )
        counts = drawn.get("counts")
        runs = _uncompressed(counts, place) if isinstance(counts, str) else field(drawn, "counts", list, place)
        return bitmap(runs, (0, 0, *size), size, place, by_column=True)
    raise InputError(
        "has a box but no outline (segmentation is empty)", where=place, fix="Draw polygons or masks, not boxes."
    )


def _uncompressed(counts: str, place: str) -> list[int]:
    """Runs of COCO's compressed string: differences in groups of five bits (rleFrString in cocoapi's maskApi.c)."""
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise InputError("compressed mask is damaged", where=place, fix="Export the annotations again.")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
