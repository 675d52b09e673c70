"""A data folder (see data/README.md) -> crops to train on: what is drawn as item i depends on the seed and on i alone.

So a run that was stopped goes on with exactly the crops it would have seen, whatever the number of workers.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.photo import read_photo
from pasi_vision.records import SIGN_LEVELS_PER_GRADE
from pasi_vision.storage import output_folder, read_picture, write_bytes
from pasi_vision.train.folder import MASK_KINDS, PhotoEntry, read_truth
from pasi_vision.train.weak import NO_SCORE, RegionScore, as_numbers

if TYPE_CHECKING:
    from pasi_vision.train.augment import Augmentation

__all__ = ["CHANNELS", "UNLABELLED", "Crops", "PixelCache", "as_tensors", "left_unread"]

Cut = Callable[[NDArray[np.uint8], View, np.random.Generator], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""(cached photograph, its view, chance) -> pixels and labels."""

CHANNELS = 9
"""Of a cached photograph: R, G, B, regions, lesion, outline (share of raters x 255), grade x 60 of the three signs."""

UNLABELLED = 255
"""Region code of a pixel that nobody labelled; losses pass over it."""


@dataclass(frozen=True)
class PixelCache:
    """Decoded photographs and masks, reduced to `longer_side` and kept uncompressed: decoding costs more than looking at them."""

    folder: Path
    longer_side: int

    def get(self, photo: PhotoEntry) -> NDArray[np.uint8]:
        """(H, W, `CHANNELS`) uint8, read only; made on first use.

        Raises:
            InputError: A mask is of another size than the photograph, or holds a class that does not exist.
        """
        file = self.folder / f"{self._key(photo)}.npy"
        if not file.is_file():
            output_folder(self.folder)
            with _noted(file, photo):
                stream = io.BytesIO()
                np.save(stream, _decoded(photo, self.longer_side))
                write_bytes(file, stream.getvalue())
        cached: NDArray[np.uint8] = np.load(file, mmap_mode="r")
        return cached

    def _key(self, photo: PhotoEntry) -> str:
        state = photo.file.stat()
        words = f"{photo.file.resolve()}|{state.st_size}|{state.st_mtime_ns}|{self.longer_side}"
        return f"{photo.file.stem}-{hashlib.sha256(words.encode()).hexdigest()[:12]}"


@contextmanager
def _noted(cached: Path, photo: PhotoEntry) -> Iterator[None]:
    """Leave a note while a photograph is decoded: a process that dies of it cannot say any more which one it was."""
    note = cached.with_suffix(f".{os.getpid()}.reading")
    note.write_text(str(photo.file), encoding="utf-8")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def left_unread(cache: Path) -> list[str]:
    """Photographs that were being decoded when their process died, by the notes it left; the notes are removed."""
    found = []
    for note in sorted(cache.glob("*.reading")):
        found.append(note.read_text(encoding="utf-8"))
        note.unlink(missing_ok=True)
    return found


def _decoded(photo: PhotoEntry, longer_side: int) -> NDArray[np.uint8]:
    import cv2

    pixels = read_photo(photo.file).pixels
    height, width = pixels.shape[:2]
    layers = [pixels, *_labels(photo, (height, width))]
    factor = min(1.0, longer_side / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    shrunk = []
    for number, layer in enumerate(layers):
        # Codes and grades are copied, never averaged; colours and shares are averaged.
        how = cv2.INTER_NEAREST if number in (1, 4) else cv2.INTER_AREA
        small = np.asarray(cv2.resize(layer, size, interpolation=how), np.uint8)
        shrunk.append(small.reshape(size[1], size[0], -1))
    return np.concatenate(shrunk, 2)


def _labels(photo: PhotoEntry, shape: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Regions, lesion, outline (share of raters) and signs; what is not labelled is `UNLABELLED` or 0 (see `known_labels`)."""
    truth = read_truth(photo, shape=shape)
    nothing = np.zeros(shape, np.uint8)
    regions = truth.regions if truth.regions is not None else np.full(shape, UNLABELLED, np.uint8)
    lesion = nothing if truth.lesion is None else truth.lesion.astype(np.uint8) * 255
    outline = nothing if truth.outline is None else truth.outline.astype(np.uint8) * 255
    if "outline" in photo.masks:
        votes = photo.masks["outline"].with_name(f"{photo.file.stem}.votes.png")
        if votes.is_file():  # several raters: their spread is part of the truth
            outline = read_picture(votes, grey=True)
    signs = truth.signs if truth.signs is not None else np.zeros((*shape, 3), np.uint8)
    return [regions, lesion, outline, signs]


def known_labels(photo: PhotoEntry) -> NDArray[np.float32]:
    """(4,) 0 or 1: which of regions, lesion, outline and signs somebody labelled."""
    return np.array([kind in photo.masks for kind in MASK_KINDS], np.float32)


class Crops(Dataset[dict[str, torch.Tensor]]):
    """Items `first` ... `first + count - 1` of an endless series of crops.

    Args:
        photos: To draw from.
        cache: Their pixels.
        augmentation: Cuts a crop out of a photograph and changes it.
        seed: Of the series.
        close_up_share: Share of crops that are drawn from close-ups, where there are both kinds.
        scored: Photographs without masks, each with the readings of the region its view is taken for.
        scored_share: Share of items that are such a photograph as a whole.
        first, count: Which part of the series this is.
    """

    def __init__(
        self,
        photos: Sequence[PhotoEntry],
        cache: PixelCache,
        augmentation: Augmentation,
        *,
        seed: int,
        close_up_share: float,
        first: int,
        count: int,
        scored: Sequence[tuple[PhotoEntry, tuple[RegionScore, ...]]] = (),
        scored_share: float = 0.0,
    ) -> None:
        self._kinds = [
            [p for p in photos if p.view is View.CLOSE_UP],
            [p for p in photos if p.view is not View.CLOSE_UP],
        ]
        if not photos:
            raise InputError("there is no photograph to train on", fix="Check the data folders of the settings.")
        self._cache, self._augmentation = cache, augmentation
        self._seed, self._share = seed, close_up_share
        self._first, self._count = first, count
        self._scored, self._scored_share = tuple(scored), scored_share if scored else 0.0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        generator = np.random.default_rng([self._seed, self._first + index])
        if self._scored_share and generator.random() < self._scored_share:
            photo, readings = self._scored[int(generator.integers(len(self._scored)))]
            score = as_numbers(readings[int(generator.integers(len(readings)))])
            cut: Cut = self._augmentation.whole
        else:
            close = generator.random() < self._share
            kind = self._kinds[0 if (close and self._kinds[0]) or not self._kinds[1] else 1]
            photo, score, cut = kind[int(generator.integers(len(kind)))], NO_SCORE, self._augmentation
        try:
            pixels, labels = cut(self._cache.get(photo), photo.view, generator)
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"cannot be used for training ({error})", where=str(photo.file), fix="Check it."
            ) from error
        return as_tensors(pixels, labels, known_labels(photo)) | {"score": torch.from_numpy(score)}


def as_tensors(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], known: NDArray[np.float32]
) -> dict[str, torch.Tensor]:
    """(H, W, 3) pixels, (h, w, 6) labels and which of them are known -> what losses read.

    Returns:
        pixels (3, H, W) uint8; regions (h, w) int64; areas (2, h, w) float32 lesion and outline shares; grades (3, h, w) float32;
        known (4,) float32 of `known_labels`.
    """
    parts = torch.from_numpy(np.ascontiguousarray(labels.transpose(2, 0, 1)))
    return {
        "pixels": torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))),
        "regions": parts[0].long(),
        "areas": parts[1:3].float() / 255,
        "grades": parts[3:6].float() / SIGN_LEVELS_PER_GRADE,
        "known": torch.from_numpy(known),
    }
