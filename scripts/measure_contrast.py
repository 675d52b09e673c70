#!/usr/bin/env python3
"""How lesions differ in colour from the skin beside them in a labelled folder, by kind of photograph and skin tone; prints JSON.

    scripts/measure_contrast.py DIR [DIR ...] [--every 1]

Per photograph: median CIE Lab of the lesions' inside, and of the reddest quarter of it, minus that of the skin around them. Per group: the
number of photographs, and quartiles of dL, da, db. `faint` is the share of lesions (by number, six pixels and more) whose mean differs from
the skin around it by less than that skin varies. Real photographs of light skin: da 11 / 15 / 16, dL -8 / -7 / -5 for the red part.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.photo import read_photo
from pasi_vision.train.folder import PhotoEntry, read_folder, read_truth

Row = dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photograph only")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    groups: dict[str, list[Row]] = defaultdict(list)
    for folder in given.folders:
        for photo in read_folder(folder).photos[:: given.every]:
            row = measured(photo)
            if row is not None:
                kind = "close-ups" if photo.view is View.CLOSE_UP else "views"
                groups[f"{kind}, {tone(photo)}"].append(row)
                groups[f"{kind}, all"].append(row)
    print(json.dumps({name: summary(rows) for name, rows in sorted(groups.items())}, indent=1))


def tone(photo: PhotoEntry) -> str:
    """Light, medium or dark: Fitzpatrick I-II, III-IV, V-VI, or the band of a close-up's typology angle."""
    known = {"I": "light", "II": "light", "III": "medium", "IV": "medium", "V": "dark", "VI": "dark"}
    return known.get(photo.skin_tone or "", photo.further.get("ita_band", "tone unknown"))


def measured(photo: PhotoEntry) -> Row | None:
    """Contrast of one photograph; None where there is too little lesion or too little skin beside it."""
    truth = read_truth(photo)
    if truth.lesion is None or truth.regions is None or not truth.lesion.any():
        return None
    lab = cv2.cvtColor(read_photo(photo.file).pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    away = cv2.distanceTransform((~truth.lesion).astype(np.uint8), cv2.DIST_L2, 3)
    deep = cv2.distanceTransform(truth.lesion.astype(np.uint8), cv2.DIST_L2, 3)
    reach = max(lab.shape[:2]) / 100
    beside = (away > 2) & (away < reach + 2) & (truth.regions > 0)
    inside = deep > 1
    if inside.sum() < 30 or beside.sum() < 100:
        return None
    skin = np.median(lab[beside], 0)
    change = np.median(lab[inside], 0) - skin
    red = np.percentile(lab[..., 1][inside], 75) - skin[1]
    faint = _faint(lab, truth.lesion, beside, int(reach) + 2)
    return dict(zip(("dL", "da", "db"), map(float, change), strict=True)) | {
        "red_quarter_da": float(red),
        "faint": faint,
    }


def _faint(lab: NDArray[np.float32], lesion: NDArray[np.bool_], beside: NDArray[np.bool_], reach: int) -> float:
    """Share of single lesions that differ from the skin around them by less than that skin varies."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(lesion.astype(np.uint8))
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    told = []
    for number in range(1, count):
        left, top, width, height, area = (int(value) for value in boxes[number])
        part = np.s_[max(0, top - reach) : top + height + reach, max(0, left - reach) : left + width + reach]
        here, around = labels[part] == number, beside[part]
        if area >= 6 and around.sum() >= 20:
            change = lab[part][here].mean(0) - lab[part][around].mean(0)
            told.append(float(np.linalg.norm(change / (smooth[part][around].std(0) + 1))) < 1)
    return float(np.mean(told)) if told else 0.0


def summary(rows: list[Row]) -> dict[str, object]:
    """Number of photographs and quartiles of each figure."""
    quartiles = {name: np.percentile([row[name] for row in rows], (25, 50, 75)).round(2).tolist() for name in rows[0]}
    return {"photographs": len(rows), **quartiles}


if __name__ == "__main__":
    main()
