"""Contact sheets of close-ups for looking at.

    python scripts/render_gallery.py FOLDER [PER_SHEET]     one JPEG per preset and kind of scene
    python scripts/render_gallery.py --docs docs/images     the two sheets of docs/phantoms.md

Each sheet of a scene shows the pictures in two rows of pairs: as photographed, and with the exact lesion (cyan) and the outline
(yellow). The sheets of the docs: pictures of the preset `default` as they come, and what lies on and beside skin, one thing a picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.closeup import CloseUp, render_closeup
from pasi_vision.phantom.preset import ExtraSettings, load_preset
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


#: What the second sheet of the docs shows: thing -> scene, changes of `extras`.
THINGS: tuple[tuple[str, dict[str, float]], ...] = (
    ("body_hand", {"rings": 1}),
    ("body_elbow", {"watch": 1}),
    ("body_hand", {"varnish": 1}),
    ("hand_back", {"sick_nails": 1}),
    ("body_trunk", {"plaster": 1}),
    ("patch", {"gauze": 1}),
    ("patch", {"pen": 1}),
    ("joint", {"ruler": 1}),
    ("limb", {"card": 1}),
    ("patch", {"hand": 1, "gloved": 0}),
    ("patch", {"hand": 1, "gloved": 1}),
    ("body_trunk", {"gown": 1}),
    ("joint", {"flakes": 1}),
    ("patch", {"pustular": 1}),
    ("body_sole", {"pustular": 1}),
    ("patch", {"age_spots": 1, "scar": 1}),
)


def docs_sheets(folder: Path) -> None:
    """Write closeups.jpg (24 of `default`, unpicked) and closeup_things.jpg."""
    preset = load_preset("default")
    plain = [_filled(render_closeup(2026, index, preset, SIZE)) for index in range(24)]
    write_picture(folder / "closeups.jpg", _grid(plain, 6), quality=86)
    nothing = dict.fromkeys(ExtraSettings.model_fields, 0.0)
    found = []
    for index, (scene, changes) in enumerate(THINGS):
        only = {"scenes": {scene: 1.0}, "extras": ExtraSettings(**(nothing | changes)), "clear": 0.0, "watermark": 0.0}
        found.append(_filled(render_closeup(2027, 12 * index, preset.model_copy(update=only), SIZE)))
    write_picture(folder / "closeup_things.jpg", _grid(found, 4), quality=86)


def _filled(picture: CloseUp) -> NDArray[np.uint8]:
    """The middle of a picture, 4:3."""
    high, wide = picture.image.shape[:2]
    height, width = min(high, wide * 3 // 4), min(wide, high * 4 // 3)
    top, left = (high - height) // 2, (wide - width) // 2
    middle = picture.image[top : top + height, left : left + width]
    return np.asarray(cv2.resize(middle, (256, 192), interpolation=cv2.INTER_AREA), np.uint8)


def _grid(cells: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    return np.vstack([np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)])


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
    if sys.argv[1] == "--docs":
        docs_sheets(output_folder(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
