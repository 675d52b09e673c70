"""CVAT for images 1.1 (XML): polygons and masks, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from pasi_vision.errors import InputError
from pasi_vision.exchange.annotations import AnnotatedImage, Bitmap, Mark, Polygon, runs_of
from pasi_vision.exchange.fields import bitmap, ring, size_px
from pasi_vision.storage import write_bytes

__all__ = ["read_cvat", "write_cvat"]

_NOT_AREAS = ("box", "polyline", "points", "cuboid", "ellipse", "skeleton", "tag")


def read_cvat(path: Path) -> list[AnnotatedImage]:
    """Images and their marks, by CVAT's z-order from back to front.

    Raises:
        InputError: Not a CVAT file, or something in it is wrong (says where).
    """
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # CVAT writes none, and they can blow up or read other files
            raise InputError("holds a document type", where=str(path), fix="Export the annotations again.")
        root = ElementTree.fromstring(data)
    except FileNotFoundError as error:
        raise InputError("file not found", where=str(path), fix="Check the path.") from error
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise InputError(f"not an XML file ({error})", where=str(path), fix="Export the annotations again.") from error
    if root.tag != "annotations":
        raise InputError(
            f"begins with <{root.tag}>, not <annotations>", where=str(path), fix="Export as CVAT for images 1.1."
        )
    return [_image(entry, f"{path} image {entry.get('name', '?')}") for entry in root.iter("image")]


def write_cvat(path: Path, images: Sequence[AnnotatedImage]) -> None:
    """Write images and marks, bitmaps cut to their box."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    for number, image in enumerate(images):
        size = {"width": str(image.width), "height": str(image.height)}
        entry = ElementTree.SubElement(root, "image", {"id": str(number), "name": image.name, **size})
        for order, mark in enumerate(image.marks):
            common = {"label": mark.label, "z_order": str(order)}
            if isinstance(mark.shape, Polygon):
                for points in mark.shape.rings:
                    text = ";".join(f"{x!r},{y!r}" for x, y in points.tolist())
                    ElementTree.SubElement(entry, "polygon", {**common, "points": text})
            else:
                ElementTree.SubElement(entry, "mask", {**common, **_box(mark.shape, image)})
    ElementTree.indent(root)
    write_bytes(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _box(shape: Bitmap, image: AnnotatedImage) -> dict[str, str]:
    mask = shape.raster((image.height, image.width))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    runs = runs_of(mask[top:bottom, left:right].ravel())
    sizes = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {"rle": ", ".join(map(str, runs.tolist())), **{name: str(int(value)) for name, value in sizes.items()}}


def _image(entry: ElementTree.Element, where: str) -> AnnotatedImage:
    name = entry.get("name")
    if not name:
        raise InputError("an image has no name", where=where, fix="Export the annotations again.")
    width, height = size_px(entry.get("width"), entry.get("height"), where)
    found: list[tuple[int, Mark]] = []
    for at, child in enumerate(entry):
        place = f"{where} <{child.tag}> {at + 1}"
        if child.tag in _NOT_AREAS:
            raise InputError(f"a {child.tag} is not an area", where=place, fix="Draw polygons or masks.")
        if child.tag not in ("polygon", "mask"):
            continue
        label = child.get("label")
        if not label:
            raise InputError("has no label", where=place, fix="Export the annotations again.")
        shape = _polygon(child, place) if child.tag == "polygon" else _mask(child, (width, height), place)
        found.append((_whole(child.get("z_order", "0"), "z_order", place), Mark(label, shape, place)))
    found.sort(key=lambda pair: pair[0])  # stable: the file's order within one z-order
    return AnnotatedImage(name, width, height, tuple(mark for _, mark in found), where)


def _polygon(child: ElementTree.Element, place: str) -> Polygon:
    return Polygon((ring(child.get("points", "").replace(";", ",").split(","), place),))


def _mask(child: ElementTree.Element, size: tuple[int, int], place: str) -> Bitmap:
    left, top, width, height = (_whole(child.get(key, ""), key, place) for key in ("left", "top", "width", "height"))
    return bitmap(child.get("rle", "").split(","), (left, top, width, height), size, place)


def _whole(text: str, name: str, place: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(
            f"{name} {text!r} is not a whole number", where=place, fix="Export the annotations again."
        ) from error
