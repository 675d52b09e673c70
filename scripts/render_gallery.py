"""Contact sheets of close-ups for looking at: one JPEG per preset and scene kind; python scripts/render_gallery.py FOLDER [PER_SHEET].

Each sheet shows the pictures in two rows of pairs: as photographed, and with the exact lesion (cyan) and the outline (yellow).
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.closeup import CloseUp, render_closeup
from pasi_vision.phantom.preset import load_preset
from pasi_vision.storage import output_folder, write_picture

SIZE, COLUMNS = 320, 4


def cell(picture: CloseUp, *, lines: bool) -> NDArray[np.uint8]:
    """One picture on a square, with its outlines if asked."""
    image = picture.image.copy()
    for mask, colour in ((picture.outline, (255, 230, 0)), (picture.lesion, (0, 255, 255))) if lines else ():
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, contours, -1, colour, 1)
    square = np.zeros((SIZE, SIZE, 3), np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    return square


def main(folder: Path, per_sheet: int) -> None:
    """Write the sheets."""
    target = output_folder(folder)
    for name in ("default", "other", "wild"):
        preset = load_preset(name)
        for scene in sorted(preset.scenes):
            only = preset.model_copy(update={"scenes": {scene: 1.0}})
            pictures = [render_closeup(1, index, only, SIZE) for index in range(per_sheet)]
            rows = []
            for start in range(0, per_sheet, COLUMNS):
                group = pictures[start : start + COLUMNS]
                for lines in (False, True):
                    cells = [cell(picture, lines=lines) for picture in group]
                    cells += [np.zeros_like(cells[0])] * (COLUMNS - len(cells))
                    rows.append(np.hstack(cells))
            write_picture(target / f"{name}_{scene}.jpg", np.vstack(rows), quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
