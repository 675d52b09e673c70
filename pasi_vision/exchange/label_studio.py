"""Label Studio's JSON export: polygons and brush strokes, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.exchange.annotations import AnnotatedImage, Bitmap, Mark, Polygon, runs_of
from pasi_vision.exchange.fields import field, read_json, ring, size_px
from pasi_vision.storage import write_json

__all__ = ["read_label_studio", "write_label_studio"]

_RUN_BITS = (3, 5, 9, 16)  # lengths of run counts that the packed brush format may use, chosen by two bits


def read_label_studio(path: Path, rater: str | None = None) -> list[AnnotatedImage]:
    """Images and their marks. Where several people annotated an image, `rater` (`completed_by`) says whose marks are taken.

    Raises:
        InputError: Not Label Studio's JSON, several raters and none chosen, or something in it is wrong (says where).
    """
    content = read_json(path)
    if not isinstance(content, list):
        raise InputError("is not a list of tasks", where=str(path), fix="Export as JSON (not JSON-MIN or CSV).")
    return [image for at, task in enumerate(content) if (image := _image(task, f"{path} task {at + 1}", rater))]


def write_label_studio(path: Path, images: Sequence[AnnotatedImage]) -> None:
    """Write tasks with their marks as annotations; bitmaps as brush strokes, polygons in percent."""
    tasks = []
    for number, image in enumerate(images, start=1):
        size = {"original_width": image.width, "original_height": image.height, "image_rotation": 0}
        result = []
        for at, mark in enumerate(image.marks):
            common = {"id": f"m{number}_{at + 1}", "from_name": "label", "to_name": "image", **size}
            values = (
                [
                    {"points": (points / [image.width, image.height] * 100).tolist(), "polygonlabels": [mark.label]}
                    for points in mark.shape.rings
                ]
                if isinstance(mark.shape, Polygon)
                else [{"format": "rle", "rle": _packed(mark.shape, image), "brushlabels": [mark.label]}]
            )
            kind = "polygonlabels" if isinstance(mark.shape, Polygon) else "brushlabels"
            result += [{**common, "type": kind, "value": value} for value in values]
        tasks.append({"id": number, "data": {"image": image.name}, "annotations": [{"result": result}]})
    write_json(path, tasks)


def _image(task: Any, where: str, rater: str | None) -> AnnotatedImage | None:
    """One task; None where nobody annotated it (or not the chosen rater)."""
    name = field(field(task, "data", dict, where), "image", str, where)
    where = f"{where} ({name})"
    annotations = [entry for entry in field(task, "annotations", list, where) if not entry.get("was_cancelled")]
    by_rater = {str(_who(entry)): entry for entry in annotations}
    if rater is not None:
        annotations = [by_rater[rater]] if rater in by_rater else []
    if len(annotations) > 1:
        raise InputError(
            f"annotated {len(annotations)} times, by {', '.join(by_rater)}",
            where=where,
            fix="Choose one with --rater; raters are never merged silently.",
        )
    if not annotations:
        return None
    marks: list[Mark] = []
    size: tuple[int, int] | None = None
    for at, entry in enumerate(field(annotations[0], "result", list, where)):
        place = f"{where} result {at + 1}"
        kind = field(entry, "type", str, place)
        if kind not in ("polygonlabels", "brushlabels"):
            raise InputError(f"{kind} is not an area", where=place, fix="Draw polygons or brush strokes.")
        here = size_px(entry.get("original_width"), entry.get("original_height"), place)
        if size not in (None, here) or entry.get("image_rotation", 0):
            raise InputError("was drawn on a turned or resized image", where=place, fix="Annotate it upright.")
        size = here
        value = field(entry, "value", dict, place)
        shape = _polygon(value, size, place) if kind == "polygonlabels" else _brush(value, size, place)
        marks += [Mark(str(label), shape, place) for label in field(value, kind, list, place)]
    if size is None:
        return None  # nothing drawn: the size is not in the file, and nothing says that the skin is clear
    return AnnotatedImage(name, *size, tuple(marks), where)


def _who(entry: dict[str, Any]) -> Any:
    by = entry.get("completed_by")
    return by.get("email") or by.get("id") if isinstance(by, dict) else by


def _polygon(value: dict[str, Any], size: tuple[int, int], place: str) -> Polygon:
    points = field(value, "points", list, place)
    if not all(isinstance(point, list) and len(point) == 2 for point in points):
        raise InputError("a point is not a pair of numbers", where=place, fix="Export the annotations again.")
    return Polygon((ring([number for point in points for number in point], place) / 100 * size,))


def _brush(value: dict[str, Any], size: tuple[int, int], place: str) -> Bitmap:
    """A brush stroke: red, green, blue and alpha of every pixel, packed; painted is where alpha is above half."""
    width, height = size
    alpha = _unpacked(field(value, "rle", list, place), width * height * 4, place)[3::4]
    return Bitmap(runs_of(alpha > 127), 0, 0, width, height)


def _unpacked(packed: list[Any], expected: int, place: str) -> NDArray[np.uint8]:
    """Bytes of the packed stream (thi-ng/rle-pack): 32 bits of count, word size, four run sizes, then runs and literals."""
    damaged = InputError("brush stroke is damaged", where=place, fix="Export the annotations again.")
    try:
        bits = _Bits(bytes(packed))
        count, word = bits.take(32), bits.take(5) + 1
        sizes = [bits.take(4) + 1 for _ in range(4)]
        if count != expected or word != 8:
            raise damaged
        values, at = np.zeros(count, np.uint8), 0
        while at < count:
            is_run = bits.take(1)
            end = at + 1 + bits.take(sizes[bits.take(2)])
            if end > count:
                raise damaged
            if is_run:
                values[at:end] = bits.take(8)
            else:
                values[at:end] = [bits.take(8) for _ in range(end - at)]
            at = end
    except (TypeError, ValueError, IndexError) as error:
        raise damaged from error
    return values


def _packed(shape: Bitmap, image: AnnotatedImage) -> list[int]:
    """The packed stream of a bitmap: runs only, painted pixels all 255."""
    mask = shape.raster((image.height, image.width)).ravel()
    text = [f"{mask.size * 4:032b}", f"{7:05b}", *(f"{bits - 1:04b}" for bits in _RUN_BITS)]
    for at, run in enumerate(runs_of(mask).tolist()):
        left = run * 4
        while left:
            length = min(left, 1 << _RUN_BITS[3])
            which = next(index for index, bits in enumerate(_RUN_BITS) if length <= 1 << bits)
            text.append(f"1{which:02b}{length - 1:0{_RUN_BITS[which]}b}{255 * (at % 2):08b}")
            left -= length
    joined = "".join(text)
    joined += "0" * (-len(joined) % 8)
    return list(int(joined, 2).to_bytes(len(joined) // 8, "big"))


class _Bits:
    """Bits of a byte string, from the highest of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        """The next bits as a number; IndexError past the end."""
        first, last = self._at // 8, (self._at + count + 7) // 8
        if last > len(self._data):
            raise IndexError
        number = int.from_bytes(self._data[first:last], "big")
        self._at += count
        return number >> (last * 8 - self._at) & ((1 << count) - 1)
