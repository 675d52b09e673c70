"""Reading fields of other people's files with errors that name the place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.exchange.annotations import Bitmap

__all__ = ["bitmap", "field", "read_json", "ring", "size_px"]

Kind = TypeVar("Kind")
MOST_PIXELS = 80_000_000
"""A described image larger than any photograph that is read is refused before anything is drawn."""


def read_json(path: Path) -> Any:
    """A JSON file's content.

    Raises:
        InputError: It is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError("file not found", where=str(path), fix="Check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"not a JSON file ({error})", where=str(path), fix="Export the annotations again.") from error


def field(parent: Any, key: str, kind: type[Kind], where: str) -> Kind:
    """A required field of a mapping, of the kind that it must have.

    Raises:
        InputError: Missing or of another kind.
    """
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        said = "missing" if value is None else f"a {type(value).__name__}, not a {kind.__name__}"
        raise InputError(f"{key} is {said}", where=where, fix="Export the annotations again, unedited.")
    return value


def size_px(width: Any, height: Any, where: str) -> tuple[int, int]:
    """Width and height of an image (given as numbers or as text).

    Raises:
        InputError: Not whole numbers from 1, or more pixels than any photograph that is read.
    """
    try:
        size = int(width), int(height)
    except (TypeError, ValueError, OverflowError):
        size = 0, 0
    if min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
        raise InputError(
            f"width {width!r} and height {height!r} are no image size", where=where, fix="Export it again."
        )
    return size


def ring(numbers: Sequence[Any], where: str) -> NDArray[np.float64]:
    """x, y, x, y ... -> (N, 2).

    Raises:
        InputError: Fewer than three points, an odd count, or something that is not a number.
    """
    try:
        values = np.array(numbers, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError("a point is not a number", where=where, fix="Export the annotations again.") from error
    if values.size < 6 or values.size % 2 or not np.isfinite(values).all() or np.abs(values).max() > 1e6:
        raise InputError(
            "a polygon needs at least three points of two finite numbers", where=where, fix="Draw it again."
        )
    return values.reshape(-1, 2)


def bitmap(
    runs: Sequence[Any], box: tuple[int, int, int, int], size: tuple[int, int], where: str, *, by_column: bool = False
) -> Bitmap:
    """Runs over a box (left, top, width, height) of an image of size (width, height).

    Raises:
        InputError: The box leaves the image, or the runs do not fill it.
    """
    left, top, width, height = box
    if left < 0 or top < 0 or width < 1 or height < 1 or left + width > size[0] or top + height > size[1]:
        raise InputError(f"mask box {box} leaves the image {size}", where=where, fix="Export the annotations again.")
    try:
        lengths = np.array(runs, dtype=np.int64).reshape(-1)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("a run is not a whole number", where=where, fix="Export the annotations again.") from error
    if (lengths < 0).any() or (lengths > MOST_PIXELS).any() or int(lengths.sum()) != width * height:
        raise InputError(
            f"the mask's runs cover {int(lengths.sum())} pixels, not {width * height}",
            where=where,
            fix="Export the annotations again.",
        )
    return Bitmap(lengths, left, top, width, height, by_column)
