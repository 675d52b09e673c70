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
from scipy.ndimage import distance_transform_edt

from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import body_model
from pasi_vision.phantom.optics import linear_rgb, melanin_for_ita, reflectance

#: One texture each for a man and a woman, both light: on light skin melanin and blood can be told apart.
TEXTURES = {"male": "young_lightskinned_male_diffuse2.jpg", "female": "young_lightskinned_female_diffuse2.jpg"}
SIDE = 1024
STEP = 48.0  # stored levels per unit of log factor
SLOW_MM = 60.0
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
    mean, seen = slow(mixed)
    mixed = mixed - np.array([0.4, 0.75]) * mean  # much of the slow redness is the painter's
    # What lies beyond a cut is the nearest skin within: compression and interpolation then change nothing there.
    inner = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    mixed = mixed[tuple(distance_transform_edt(~inner, return_distances=False, return_indices=True))]
    return np.clip(np.round(128 + STEP * np.clip(mixed, -2.4, 2.4)), 0, 255).astype(np.uint8)


def slow(mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same averaged over the skin within some centimetres on the body itself (in the texture's plane it would end at every cut),
    and where the texture is used."""
    model, quads = body_model(), atlas()
    column, row = np.clip((quads.uv * SIDE).astype(int), 0, SIDE - 1).T
    values = mixed[row, column].astype(np.float32)
    bare = np.flatnonzero(quads.region > 0)[::3]
    source = np.column_stack([values[bare], np.ones(len(bare), np.float32)])
    mean = np.empty_like(values)
    for start in range(0, len(values), 512):
        part = np.s_[start : start + 512]
        apart = ((quads.centre_mm[part, None] - quads.centre_mm[None, bare]) ** 2).sum(2)
        weight = np.exp(-0.5 * apart / SLOW_MM**2) * (quads.normal[part] @ quads.normal[bare].T > 0) + 1e-12
        total = weight @ source
        mean[part] = total[:, :2] / total[:, 2:]
    laid = np.zeros((SIDE, SIDE, 3), np.float32)
    corners = np.round((model.uv * SIDE - 0.5) * 16).astype(np.int32)
    for corner, value in zip(corners, mean, strict=True):
        cv2.fillConvexPoly(laid, corner, (*value.tolist(), 1.0), cv2.LINE_8, 4)
    near = cv2.GaussianBlur(laid, (0, 0), 3.0)  # so that quads do not show
    return near[..., :2] / np.maximum(near[..., 2:], 1e-3), laid[..., 2] > 0


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
