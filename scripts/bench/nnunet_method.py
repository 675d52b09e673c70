"""nnU-Net v2 (2D) as `compare_training.py` runs it: its own planning, preprocessing, network, augmentation, loss and optimiser.

Only the loop is ours, because its own ends after 1,000 epochs and not after so many seconds. Lesion and outline overlap, so they are its
"regions" (sigmoid outputs). Needs the extra `bench`. Isensee et al., Nat Methods 2021;18:203-211.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from training_methods import Trained, clock, labelled, training_photos

from pasi_vision.photo import read_photo
from pasi_vision.storage import write_picture

if TYPE_CHECKING:
    from compare_training import Task

__all__ = ["train"]

NUMBER, NAME = 1, "Dataset001_CloseUps"
LABELS = {"background": 0, "lesion": [2, 3], "outline": [1, 3]}
"""The codes of a label picture: 1 outline only, 2 lesion only, 3 both."""


def train(task: Task) -> Trained:
    """Plan and preprocess (not counted in the time), then train for the seconds given.

    Raises:
        ImportError: The extra `bench` is not installed.
    """
    roots = {f"nnUNet_{kind}": str(Path(task.work) / kind) for kind in ("raw", "preprocessed", "results")}
    os.environ.update(roots, nnUNet_n_proc_DA="1", nnUNet_def_n_proc="1", nnUNet_compile="f")
    began = time.perf_counter()
    with redirect_stdout(sys.stderr):
        trainer = _prepared(task, Path(roots["nnUNet_raw"]) / NAME, Path(roots["nnUNet_preprocessed"]) / NAME)
        now = clock(task)
        prepared, used, counted, steps = time.perf_counter(), time.process_time(), now(), 0
        while now() - counted < task.seconds:
            if steps % trainer.num_iterations_per_epoch == 0:
                trainer.current_epoch = steps // trainer.num_iterations_per_epoch
                trainer.on_train_epoch_start()
            trainer.train_step(next(trainer.dataloader_train))
            steps += 1
        seconds, processor = time.perf_counter() - prepared, time.process_time() - used
        predictor = _predictor(trainer)

    def predict(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        channels = pixels.transpose(2, 0, 1)[:, None].astype(np.float32)
        with redirect_stdout(sys.stderr):
            _, chance = predictor.predict_single_npy_array(
                channels, {"spacing": (999, 1, 1)}, save_or_return_probabilities=True
            )
        return chance[0, 0] > 0.5, chance[1, 0] > 0.5

    configuration = trainer.configuration_manager
    recipe = (
        f"its defaults: patch {list(configuration.patch_size)}, batch {configuration.batch_size}, "
        f"{len(configuration.network_arch_init_kwargs['features_per_stage'])} stages, rate 0.01 for 1,000 epochs, mirrored prediction"
    )
    return Trained(predict, seconds, processor, prepared - began, steps, steps * configuration.batch_size, recipe)


def _prepared(task: Task, raw: Path, preprocessed: Path) -> Any:
    """A trainer that is ready for its first step."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess_dataset,
    )
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    _write_dataset(task, raw)
    torch.manual_seed(task.seed)
    np.random.seed(task.seed)  # noqa: NPY002 - its augmentation draws from the global generator
    torch.set_num_threads(task.threads)
    extract_fingerprints([NUMBER], num_processes=1, show_progress_bar=False)
    plans = plan_experiments([NUMBER])
    preprocess_dataset(NUMBER, plans, ("2d",), (1,), show_progress_bar=False)
    plan = json.loads((preprocessed / f"{plans}.json").read_text(encoding="utf-8"))
    dataset = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))
    trainer = nnUNetTrainer(plan | {"continue_training": False}, "2d", "all", dataset, torch.device("cpu"))
    # No processes for augmentation: each method has the same number of threads.
    os.environ.update(nnUNet_n_proc_DA="0")
    trainer.on_train_start()
    return trainer


def _write_dataset(task: Task, folder: Path) -> None:
    """The layout that it reads: pictures and labels as PNG, and what they mean."""
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    photos = training_photos(task)
    for number, photo in enumerate(photos):
        masks = labelled(photo)
        write_picture(folder / "imagesTr" / f"p{number:05d}_0000.png", read_photo(photo.file).pixels)
        write_picture(folder / "labelsTr" / f"p{number:05d}.png", masks[..., 1] + 2 * masks[..., 0])
    content = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": LABELS,
        "regions_class_order": [1, 2],
        "numTraining": len(photos),
        "file_ending": ".png",
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")


def _predictor(trainer: Any) -> Any:
    """Its predictor, as its own validation sets it up: sliding window, mirrored."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    trainer.set_deep_supervision_enabled(False)
    trainer.network.eval()
    predictor = nnUNetPredictor(
        device=torch.device("cpu"), perform_everything_on_device=False, allow_tqdm=False, verbose=False
    )
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        "nnUNetTrainer",
        trainer.inference_allowed_mirroring_axes,
    )
    return predictor
