"""Two of the methods that `compare_training.py` compares: this package's own training, and a plain U-Net as most people write one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pasi_vision.photo import read_photo
from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, QualityReport, Verdict
from pasi_vision.segment import load_model
from pasi_vision.segment.checkpoint import load_imagenet
from pasi_vision.segment.layout import Architecture, Preprocessing
from pasi_vision.segment.network import _LibraryNetwork
from pasi_vision.settings import load_settings
from pasi_vision.storage import resource
from pasi_vision.train.folder import PhotoEntry, read_folder, read_truth
from pasi_vision.train.run import export_run
from pasi_vision.train.run import train as train_run
from pasi_vision.train.settings import TrainSettings

if TYPE_CHECKING:
    from compare_training import Task

__all__ = ["Trained", "clock", "labelled", "ours", "plain_unet", "training_photos"]

Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(H, W, 3) uint8 -> masks of lesion and outline, (H, W) bool."""


@dataclass(frozen=True)
class Trained:
    """A trained method and what its training took.

    Attributes:
        predict: One photograph.
        seconds, processor_seconds: Of the training loop.
        preparation_seconds: Before it: what is done once, such as decoding photographs.
        steps, pictures_seen: Optimiser steps and crops.
        recipe: In words.
    """

    predict: Predict
    seconds: float
    processor_seconds: float
    preparation_seconds: float
    steps: int
    pictures_seen: int
    recipe: str


def clock(task: Task) -> Callable[[], float]:
    """Seconds that count: of the wall, or of the processor where other work shares the machine."""
    return time.perf_counter if task.clock == "wall" else time.process_time


class _OutOfTimeError(Exception):
    """Ends a run at the end of a round."""


def ours(task: Task) -> Trained:
    """`pasi-vision train` with the released model's settings; so many steps as a first short run says that the time allows."""
    base = load_settings(TrainSettings, resource("configs", "train") / "phantom-lite2.yaml").model_dump()
    base |= {"data": task.data, "seed": task.seed, "workers": 0, "threads": task.threads}
    base["architecture"] = {**base["architecture"], "encoder": task.encoder}
    now = clock(task)
    counted, began, used = now(), time.perf_counter(), time.process_time()

    def run(out: Path, steps: int, per_round: int) -> list[float]:
        """Moments at which rounds ended."""
        ends: list[float] = []

        def told(_: str) -> None:
            ends.append(now())
            if ends[-1] - counted > task.seconds and len(ends) > 1:  # the first checkpoint is written then
                raise _OutOfTimeError

        settings = TrainSettings.model_validate(base | {"steps": steps, "steps_per_round": per_round})
        try:
            train_run(settings, out, tell=told)
        except _OutOfTimeError:
            export_run(out, out / "model")
        return ends

    # How many steps fit is told by a short run, whose time counts; it stops early rather than late.
    first, last = run(Path(task.work) / "probe", 6, 3)
    rounds = max(2, int(0.95 * (task.seconds - (now() - counted)) / ((last - first) / 3) / 5))
    run(Path(task.work) / "run", 5 * rounds, 5)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    model = load_model(Path(task.work) / "run" / "model", threads=task.threads)
    steps = int(model.folder.record.training["steps_done"])

    def predict(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        masks = model.segment(_image(pixels))
        return masks.lesion, masks.outline

    recipe = f"{task.encoder} from ImageNet, light decoder at half resolution, configs/train/phantom-lite2.yaml"
    return Trained(predict, seconds, processor, 0.0, steps, steps * int(base["batch_size"]), recipe)


def plain_unet(task: Task) -> Trained:
    """segmentation-models-pytorch as its own examples use it: U-Net, Dice and cross entropy, Adam, cosine, their augmentation."""
    import segmentation_models_pytorch as smp

    began = time.perf_counter()
    pictures = [(read_photo(photo.file).pixels, labelled(photo)) for photo in training_photos(task)]
    torch.manual_seed(task.seed)
    torch.set_num_threads(task.threads)
    generator = np.random.default_rng(task.seed)
    network = smp.Unet(f"tu-{task.encoder}", encoder_weights=None, classes=2)
    load_imagenet(_LibraryNetwork(network), Architecture(encoder=task.encoder, decoder="unet"))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    dice_loss = smp.losses.DiceLoss("multilabel", from_logits=True)
    entropy = torch.nn.BCEWithLogitsLoss()
    changed = _usual_augmentation(320, task.seed)
    now = clock(task)
    prepared, used, counted, steps, batch_size = time.perf_counter(), time.process_time(), now(), 0, 8
    network.train()
    while (gone := (now() - counted) / task.seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 1e-5 + (1e-3 - 1e-5) * (1 + math.cos(math.pi * gone)) / 2
        chosen = [changed(*pictures[int(at)]) for at in generator.integers(0, len(pictures), batch_size)]
        pixels = torch.stack([_normal(picture) for picture, _ in chosen])
        masks = torch.stack([torch.from_numpy(mask.transpose(2, 0, 1).astype(np.float32)) for _, mask in chosen])
        logits = network(pixels)
        loss = dice_loss(logits, masks) + entropy(logits, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    seconds, processor = time.perf_counter() - prepared, time.process_time() - used
    network.eval()

    def predict(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = pixels.shape[:2]
        padded = np.pad(pixels, ((0, -height % 32), (0, -width % 32), (0, 0)), mode="reflect")
        with torch.inference_mode():
            found = network(_normal(padded)[None])[0, :, :height, :width].numpy() > 0
        return found[0], found[1]

    recipe = f"U-Net on {task.encoder} from ImageNet, Dice + BCE, Adam 1e-3 with cosine, crops of 320, batch 8"
    return Trained(predict, seconds, processor, prepared - began, steps, steps * batch_size, recipe)


def training_photos(task: Task) -> list[PhotoEntry]:
    """All photographs of the training folders."""
    return [photo for folder in task.data for photo in read_folder(folder, need_masks=True).photos]


def labelled(photo: PhotoEntry) -> np.ndarray:
    """(H, W, 2) uint8 0 or 1: lesion and outline."""
    truth = read_truth(photo)
    return np.stack([np.asarray(truth.lesion), np.asarray(truth.outline)], -1).astype(np.uint8)


def _usual_augmentation(crop: int, seed: int) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """What the library's examples do to training pictures."""
    import albumentations as a

    compose = a.Compose(
        [
            a.HorizontalFlip(p=0.5),
            a.Affine(scale=(0.5, 1.5), translate_percent=(-0.1, 0.1), rotate=(-15, 15), p=1),
            a.PadIfNeeded(min_height=crop, min_width=crop),
            a.RandomCrop(height=crop, width=crop),
            a.GaussNoise(p=0.2),
            a.Perspective(p=0.5),
            a.OneOf([a.CLAHE(p=1), a.RandomBrightnessContrast(p=1), a.RandomGamma(p=1)], p=0.9),
            a.OneOf([a.Sharpen(p=1), a.Blur(blur_limit=3, p=1), a.MotionBlur(blur_limit=3, p=1)], p=0.9),
            a.OneOf([a.RandomBrightnessContrast(p=1), a.HueSaturationValue(p=1)], p=0.9),
        ],
        seed=seed,
    )

    def changed(pixels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = compose(image=pixels, mask=mask)
        return both["image"], both["mask"]

    return changed


def _normal(pixels: np.ndarray) -> torch.Tensor:
    """(3, H, W) float32 as the encoder's ImageNet weights expect it."""
    mean, std = Preprocessing().mean[0], Preprocessing().std[0]
    return torch.from_numpy(((pixels.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1).copy())


def _image(pixels: np.ndarray) -> CalibratedImage:
    """A close-up as `segment` takes it, without the checks of its quality: the rivals make none."""
    from pasi_vision.anatomy import View

    calibration = Calibration(CalibrationStatus.FALLBACK, np.eye(3))
    photo: Any = None
    return CalibratedImage(pixels, photo, QualityReport((), Verdict.ACCEPT), calibration, View.CLOSE_UP)
