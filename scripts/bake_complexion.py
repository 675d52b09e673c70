"""Bake the complexion atlas: how melanin and blood differ from place to place on skin, from CC0 textures of the MakeHuman base mesh.

    python scripts/bake_complexion.py FOLDER_OF_TEXTURES pasi_vision/phantom/assets/complexion.npz

Each texture's colour is explained, texel by texel, as more or less melanin and blood than its own average (two unknowns,
three channels, by the optics of the phantom), so that lips, areolae, brows, knuckles, creases and stubble carry over to any skin tone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from pasi_vision.phantom.optics import linear_rgb, melanin_for_ita, reflectance

#: One texture each for a man and a woman, both light: on light skin melanin and blood can be told apart.
TEXTURES = {"male": "young_lightskinned_male_diffuse2.jpg", "female": "young_lightskinned_female_diffuse2.jpg"}
SIDE = 1024
STEP = 48.0  # stored levels per unit of log factor
RIDGE = 0.02  # (noise 0.06 / prior spread 0.45) squared


def directions() -> np.ndarray:
    """(2, 3): change of log colour per unit of log melanin and of log blood, at a light skin."""
    melanin, blood = melanin_for_ita(45.0), 0.012

    def colour(m: float, b: float) -> np.ndarray:
        return np.log(linear_rgb(reflectance(np.array(m), np.array(b), 0.7)))

    return np.stack(
        [
            (colour(melanin * 1.3, blood) - colour(melanin, blood)) / np.log(1.3),
            (colour(melanin, blood * 1.3) - colour(melanin, blood)) / np.log(1.3),
        ]
    )


def factors(path: Path) -> np.ndarray:
    """(SIDE, SIDE, 2) uint8: log factors of melanin and blood about the texture's average."""
    picture = cv2.resize(cv2.imread(str(path)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., ::-1] / 255.0
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    log = np.log(np.maximum(linear, 0.004))
    body = log[int(0.1 * SIDE) : int(0.6 * SIDE), int(0.2 * SIDE) : int(0.55 * SIDE)].reshape(-1, 3)
    change = log - np.median(body, axis=0)
    # Ridge regression: melanin and blood are alike enough in three channels that noise would send them to opposite extremes.
    basis = directions()
    solver = np.linalg.solve(basis @ basis.T + RIDGE * np.eye(2), basis)
    mixed = (change.reshape(-1, 3) @ solver.T).reshape(SIDE, SIDE, 2)
    slow = cv2.GaussianBlur(mixed, (0, 0), SIDE / 16)
    mixed = mixed - np.array([0.4, 0.75]) * slow  # much of the slow redness is the painter's
    return np.clip(np.round(128 + STEP * np.clip(mixed, -2.4, 2.4)), 0, 255).astype(np.uint8)


def main(folder: Path, target: Path) -> None:
    """Write the atlas as lossy pictures inside one npz."""
    stored = {}
    for name, file in TEXTURES.items():
        found = factors(folder / file)
        picture = np.hstack([found[..., 0], found[..., 1]])
        stored[name] = np.frombuffer(
            cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 85])[1].tobytes(), np.uint8
        )
        print(
            name,
            len(stored[name]),
            "bytes; log factors p1, p50, p99:",
            np.percentile((found.reshape(-1, 2) - 128.0) / STEP, [1, 50, 99], axis=0).round(2).tolist(),
        )
    np.savez(target, step=np.float32(STEP), **stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
