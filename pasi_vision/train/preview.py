"""A sheet of what training sees: photographs with their masks, and crops of them as augmentation changes them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.settings import load_settings
from pasi_vision.train.augment import Augmentation
from pasi_vision.train.dataset import PixelCache
from pasi_vision.train.folder import PhotoEntry, read_folder
from pasi_vision.train.settings import TrainSettings

__all__ = ["preview_sheet"]

OUTLINE_COLOUR, LESION_COLOUR = (255, 230, 0), (0, 200, 255)

Pixels = NDArray[np.uint8]


def preview_sheet(folder: str | Path, photographs: int, crops: int, config: Path | None, seed: int) -> Pixels:
    """Draw the sheet.

    Args:
        folder: Data folder, or a part of one.
        photographs: Rows: photographs taken evenly from the table.
        crops: Changed crops in each row, after the photograph itself.
        config: Training settings; defaults where None.
        seed: Decides the crops.

    Returns:
        (H, W, 3) uint8 sRGB; outlines are yellow, exact lesions blue.

    Raises:
        InputError: The folder or a mask is wrong.
        SettingsError: The settings are wrong.
    """
    settings = TrainSettings(name="preview") if config is None else load_settings(TrainSettings, config)
    working = settings.working
    augmentation = Augmentation(
        settings.augmentation,
        settings.crop_px,
        view_side=working.view_side,
        close_up_side=max(working.close_up_longer_sides),
    )
    photos = read_folder(folder).photos
    chosen = [photos[at] for at in np.linspace(0, len(photos) - 1, min(photographs, len(photos))).round().astype(int)]
    with tempfile.TemporaryDirectory() as place:
        cache = PixelCache(Path(place), settings.cache_px)
        rows = [
            _row(photo, cache, augmentation, crops, settings.crop_px, [seed, at]) for at, photo in enumerate(chosen)
        ]
    return np.vstack(rows)


def _row(
    photo: PhotoEntry, cache: PixelCache, augmentation: Augmentation, crops: int, side: int, seed: list[int]
) -> Pixels:
    cached = np.array(cache.get(photo))
    generator = np.random.default_rng(seed)
    tiles = [_fitted(_drawn(cached[..., :3], cached[..., 4], cached[..., 5]), side)]
    for _ in range(crops):
        pixels, labels = augmentation(cached, photo.view, generator)
        lesion, outline = (np.repeat(np.repeat(labels[..., at], 2, 0), 2, 1) for at in (1, 2))
        tiles.append(_drawn(pixels, lesion, outline))
    return np.hstack(tiles)


def _drawn(pixels: Pixels, lesion: Pixels, outline: Pixels) -> Pixels:
    picture = np.ascontiguousarray(pixels).copy()
    for mask, colour in ((lesion, LESION_COLOUR), (outline, OUTLINE_COLOUR)):
        borders, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(picture, borders, -1, colour, 1)
    return picture


def _fitted(picture: Pixels, side: int) -> Pixels:
    """Into a square of that side, on grey."""
    factor = side / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    canvas = np.full((side, side, 3), 90, np.uint8)
    canvas[: size[1], : size[0]] = small
    return canvas
