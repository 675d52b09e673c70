"""Bake outlines of real psoriasis lesions (DermXDB, CC0) into `pasi_vision/phantom/assets/shapes.npz`.

Run as `python scripts/bake_shapes.py FOLDER`; FOLDER holds one-bit PNG masks IMAGE__rRATER_pPASS.png. Every whole component of at
least 64 px equivalent diameter (the pen was square, 10-25 px: smaller ones show the pen) is smoothed, turned to its long axis,
scaled to equivalent radius 1 and stored as a signed distance (positive inside) on a 64 x 64 grid that spans -2.4 ... 2.4 radii.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

GRID, SPAN, STEP = 64, 2.4, 32.0


def signed_distance(mask: NDArray[np.uint8], moments: tuple[float, float, float, float]) -> NDArray[np.int8]:
    """The component in its own frame; moments = centre x, y, angle (rad), equivalent radius, in px."""
    x0, y0, angle, radius = moments
    padded = cv2.copyMakeBorder(mask, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - padded, cv2.DIST_L2, 5)
    axis = np.linspace(-SPAN, SPAN, GRID, dtype=np.float32) * radius
    u, v = np.meshgrid(axis, axis)
    x = x0 + 2 + u * np.cos(angle) - v * np.sin(angle)
    y = y0 + 2 + u * np.sin(angle) + v * np.cos(angle)
    inside = cv2.GaussianBlur(inside, (0, 0), 0.16 * radius)  # rounds off the corners of the square pen
    out = cv2.remap(inside, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=-3.0 * radius)
    return np.clip(np.rint(out / radius * STEP), -127, 127).astype(np.int8)


def components(path: Path) -> list[tuple[float, float, NDArray[np.int8]]]:
    """Elongation, solidity and signed distance of each whole component of one mask."""
    mask = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
    height, width = mask.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    found = []
    for index, (x, y, w, h, area) in enumerate(stats):
        if index == 0 or area < np.pi * 32**2 or x < 1 or y < 1 or x + w >= width - 1 or y + h >= height - 1:
            continue
        part = np.ascontiguousarray((labels[y : y + h, x : x + w] == index).astype(np.uint8))
        m = cv2.moments(part, binaryImage=True)
        cx, cy = m["m10"] / m["m00"], m["m01"] / m["m00"]
        angle = 0.5 * np.arctan2(2 * m["mu11"], m["mu20"] - m["mu02"])
        spread = np.hypot(m["mu20"] - m["mu02"], 2 * m["mu11"])
        ratio = np.sqrt((m["mu20"] + m["mu02"] + spread) / max(m["mu20"] + m["mu02"] - spread, 1e-6))
        outline, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        hull = cv2.contourArea(cv2.convexHull(max(outline, key=len)))
        if ratio < 2.6:
            found.append(
                (
                    float(ratio),
                    area / max(hull, 1.0),
                    signed_distance(part, (cx, cy, angle, float(np.sqrt(area / np.pi)))),
                )
            )
    return found


def main(folder: Path) -> None:
    """Write the asset: at most 240 shapes, the irregular ones first (round ones resemble each other)."""
    everything = [shape for path in sorted(folder.glob("*_p1.png")) for shape in components(path)]
    everything.sort(key=lambda shape: shape[1])
    irregular, regular = everything[: len(everything) // 2], everything[len(everything) // 2 :]
    chosen = irregular[:: max(1, len(irregular) // 170)][:170] + regular[:: max(1, len(regular) // 70)][:70]
    target = Path(__file__).parents[1] / "pasi_vision/phantom/assets/shapes.npz"
    np.savez_compressed(
        target,
        distance=np.stack([shape[2] for shape in chosen]),
        elongation=np.array([shape[0] for shape in chosen], np.float32),
        solidity=np.array([shape[1] for shape in chosen], np.float32),
    )
    print(len(everything), len(chosen), target.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
