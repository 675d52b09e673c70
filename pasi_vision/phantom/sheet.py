"""A contact sheet of a set: photographs with their outlines, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.storage import read_picture, write_picture

CELL = 240
COLUMNS = 8


def contact_sheet(folder: Path, *, most: int = 48) -> Path:
    """Write `contact.jpg`: up to `most` photographs of the set, evenly spread, with the outline (yellow) and the exact lesion (cyan).

    Raises:
        InputError: The folder holds no photographs.
    """
    photos = sorted((folder / "photos").glob("*.jpg"))
    if not photos:
        raise InputError(
            "no photographs", where=str(folder), fix="Make a set first: pasi-vision phantom DIR --patients 1."
        )
    chosen = [photos[int(i)] for i in np.linspace(0, len(photos) - 1, min(most, len(photos))).round()]
    cells = [_cell(path, folder / "masks") for path in chosen]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % COLUMNS if len(cells) > COLUMNS else 0)
    width = min(COLUMNS, len(cells))
    rows = [np.hstack(cells[i : i + width]) for i in range(0, len(cells), width)]
    target = folder / "contact.jpg"
    write_picture(target, np.vstack(rows), quality=88)
    return target


def _cell(path: Path, masks: Path) -> NDArray[np.uint8]:
    image = read_picture(path)
    scale = CELL / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    for kind, colour in (("outline", (255, 230, 0)), ("lesion", (0, 255, 255))):
        mask = masks / f"{path.stem}.{kind}.png"
        if mask.exists():
            inside = cv2.resize(read_picture(mask, grey=True), size, interpolation=cv2.INTER_AREA)
            lines, _ = cv2.findContours((inside > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(small, lines, -1, colour, 1)
    cell = np.zeros((CELL, CELL, 3), np.uint8)
    top, left = (CELL - size[1]) // 2, (CELL - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell
