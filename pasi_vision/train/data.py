"""What a run reads: crops of the training folders round by round, and whole photographs of the validation folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.segment.layout import Working
from pasi_vision.train.augment import Augmentation
from pasi_vision.train.dataset import Crops, PixelCache, as_tensors, known_labels
from pasi_vision.train.folder import PhotoEntry, read_folder
from pasi_vision.train.settings import TrainSettings
from pasi_vision.train.weak import RegionScore, region_scores

__all__ = ["CropData", "WholePhotos"]


class CropData(lightning.LightningDataModule):
    """Loaders of one run; the training loader begins where the optimiser stands, so a resumed run sees what it would have seen."""

    def __init__(self, settings: TrainSettings, cache: Path) -> None:
        super().__init__()
        self._settings = settings
        self._cache = PixelCache(cache, settings.cache_px)
        self.training = _photos(settings.data)
        self.scored = _scored(settings.data) if settings.scored_share else []
        self.validation = _evenly(_photos(settings.validation), settings.validation_photos)
        if not self.training:
            raise InputError(
                "no photograph with masks to train on", where="data", fix="Name folders as data/README.md says."
            )
        _refuse_shared_patients(self.training, self.validation)

    def train_dataloader(self) -> DataLoader[Any]:
        settings, trainer = self._settings, self.trainer
        if trainer is None:
            raise InputError("the loader belongs to a run", fix="Use train().")
        per_step = settings.accumulate * settings.batch_size * trainer.world_size
        working = settings.working
        crops = Crops(
            self.training,
            self._cache,
            Augmentation(
                settings.augmentation,
                settings.crop_px,
                view_side=working.view_side,
                close_up_side=max(working.close_up_longer_sides),
            ),
            seed=settings.seed,
            close_up_share=settings.close_up_share,
            first=trainer.global_step * per_step,
            count=settings.steps_per_round * per_step,
            scored=self.scored,
            scored_share=settings.scored_share,
        )
        return DataLoader(
            crops,
            batch_size=settings.batch_size,
            num_workers=settings.workers,
            pin_memory=settings.accelerator != "cpu" and torch.cuda.is_available(),
            prefetch_factor=4 if settings.workers else None,
            worker_init_fn=_single_threaded,
        )

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        if not self.validation:
            return []
        return DataLoader(WholePhotos(self.validation, self._cache, self._settings.working), batch_size=1)


class WholePhotos(Dataset[dict[str, torch.Tensor]]):
    """Photographs at the size at which the model looks at them, each side brought to the next multiple of 32."""

    def __init__(self, photos: Sequence[PhotoEntry], cache: PixelCache, working: Working) -> None:
        self._photos, self._cache, self._working = photos, cache, working

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        import cv2

        photo = self._photos[index]
        cached = self._cache.get(photo)
        close = photo.view is View.CLOSE_UP
        side = max(self._working.close_up_longer_sides) if close else self._working.view_side
        factor = min(1.0, side / max(cached.shape[:2]))
        height, width = (max(32, 32 * round(length * factor / 32)) for length in cached.shape[:2])

        def at(channels: list[int], coarser: int, how: int) -> Any:
            layers = np.ascontiguousarray(cached[..., channels])
            small = cv2.resize(layers, (width // coarser, height // coarser), interpolation=how)
            return small.reshape(height // coarser, width // coarser, -1)

        codes, shares = at([3, 6, 7, 8], 2, cv2.INTER_NEAREST), at([4, 5], 2, cv2.INTER_AREA)
        labels = np.concatenate([codes[..., :1], shares, codes[..., 1:]], 2)
        return as_tensors(at([0, 1, 2], 1, cv2.INTER_AREA), labels, known_labels(photo))


def _photos(folders: Sequence[Path]) -> list[PhotoEntry]:
    """Photographs with any mask; those without serve other purposes."""
    return [photo for folder in folders for photo in read_folder(folder).photos if photo.masks]


def _scored(folders: Sequence[Path]) -> list[tuple[PhotoEntry, tuple[RegionScore, ...]]]:
    """Photographs without masks whose region has readings. A close-up shows no whole region, so it cannot be scored."""
    found = []
    for folder in map(read_folder, folders):
        scores = {} if folder.findings is None else region_scores(folder.findings)
        for photo in folder.photos:
            region = photo.view.region
            if not photo.masks and region is not None and (photo.subject_id, photo.visit, region) in scores:
                found.append((photo, scores[photo.subject_id, photo.visit, region]))
    return found


def _evenly(photos: list[PhotoEntry], most: int) -> list[PhotoEntry]:
    if len(photos) <= most:
        return photos
    return [photos[int(at)] for at in np.linspace(0, len(photos) - 1, most)]


def _refuse_shared_patients(training: Sequence[PhotoEntry], validation: Sequence[PhotoEntry]) -> None:
    def patient(photo: PhotoEntry) -> tuple[str, str]:
        # The same name in two data sets is not the same person.
        return photo.where.rpartition(" row ")[0], photo.subject_id

    trained = {patient(photo) for photo in training}
    for photo in validation:
        if patient(photo) in trained:
            raise InputError(
                f"patient {photo.subject_id} is trained and validated on",
                where=photo.where,
                fix="Split by patient: pasi-vision data split.",
            )


def _single_threaded(_: int) -> None:
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
