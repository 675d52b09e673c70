"""One training run in one folder: started, stopped at any moment, gone on with, and exported.

The folder holds settings.json, run.json, checkpoints/last.ckpt (written whole after every round), logs/ (CSV and TensorBoard),
cache/ (decoded photographs) and, at the end, model/.
"""

from __future__ import annotations

import errno
import json
import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from pasi_vision.anatomy import View
from pasi_vision.errors import OutputError, PasiVisionError, TrainingError
from pasi_vision.provenance import package_version, run_record, write_run
from pasi_vision.segment.checkpoint import PRIOR_FILE, open_model
from pasi_vision.segment.layout import FORMAT_VERSION, Architecture, ModelRecord
from pasi_vision.segment.network import build_network
from pasi_vision.segment.prior import RegionPrior, collect_regions, joined_regions
from pasi_vision.storage import output_folder, read_picture, sha256_of, write_json
from pasi_vision.train.checkpoints import WholeCheckpoints
from pasi_vision.train.data import CropData
from pasi_vision.train.dataset import left_unread
from pasi_vision.train.export import write_model, write_prior
from pasi_vision.train.folder import PhotoEntry
from pasi_vision.train.lineage import runs_of
from pasi_vision.train.losses import LossSettings
from pasi_vision.train.module import TrainingModule
from pasi_vision.train.settings import TrainSettings

__all__ = ["export_run", "train"]

GOODNESS = "validation/goodness"


def train(settings: TrainSettings, out: Path, *, resume: bool = False, tell: Callable[[str], None] = print) -> Path:
    """Train, or go on with a run that was stopped, and export the model.

    Args:
        settings: Of the run; when it is resumed they must be the same as before.
        out: Its folder.
        resume: Go on from the last checkpoint.
        tell: Told one line after every round.

    Returns:
        The folder of the exported model.

    Raises:
        TrainingError: There is nothing to resume, a run stands in `out` already, its settings differ, the loss is not a number, or
            an accelerator that was asked for is not there.
        InputError: The data folders are not valid.
    """
    last = out / "checkpoints" / "last.ckpt"
    settings = _completed(settings)
    _check_start(settings, out, last, resume=resume)
    # Lightning advertises and counts parameters here; what matters is told by `tell`.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for advice in (
        ".*does not have many workers.*",
        ".*LeafSpec.*",
        ".*litlogger.*",
        ".*hyperparameters.*",
        ".*No device id.*",
    ):
        warnings.filterwarnings("ignore", advice)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(settings.seed, verbose=False)
    data = CropData(settings, out / "cache")
    module = TrainingModule(settings)
    try:
        trainer = _trainer(settings, out, tell)
    except MisconfigurationException as error:
        raise TrainingError(
            f"the machine cannot be used as asked ({str(error).strip()})",
            where=f"accelerator: {settings.accelerator}, devices: {settings.devices}, nodes: {settings.nodes}",
            fix="Ask for the devices that there are.",
        ) from error
    left_unread(out / "cache")  # of a run that was killed
    output_folder(out)
    write_json(out / "settings.json", settings.model_dump(mode="json"))
    description = _description(settings, data)
    write_json(out / "description.json", description)
    if not resume and (prior := _region_prior(data.training, settings.start_from)):
        write_prior(out / PRIOR_FILE, prior)
    write_run(out / "run.json", run_record("train", settings=description["training"], seed=settings.seed))
    try:
        trainer.fit(module, datamodule=data, ckpt_path=str(last) if resume else None)
    except PasiVisionError as error:
        raise _from_worker(error) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        fix = "Free space and go on with --resume: the last checkpoint is intact."
        raise OutputError("the disk is full", where=str(out), fix=fix) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise _dead_loader(error, out / "cache") from error
    if trainer.interrupted:
        raise KeyboardInterrupt
    figures = {name: round(float(value), 4) for name, value in trainer.callback_metrics.items() if "validation" in name}
    description["training"]["validation"] = figures
    if trainer.is_global_zero:
        write_json(out / "description.json", description)
        export_run(out, out / "model")
    return out / "model"


def _from_worker(error: PasiVisionError) -> PasiVisionError:
    """What a loader's process raised, without the traceback that torch writes into its message."""
    name = f"{type(error).__module__}.{type(error).__name__}: "
    return error if name not in str(error) else type(error)(str(error).rpartition(name)[2])


def _dead_loader(error: RuntimeError, cache: Path) -> TrainingError:
    """A loader's process was killed or crashed: which photographs it was decoding."""
    reading = ", ".join(left_unread(cache))
    return TrainingError(
        f"a loader process died{f' while it read {reading}' if reading else ''} ({str(error).splitlines()[0]})",
        fix="Check that photograph and the memory, then go on with --resume: the last checkpoint is intact.",
    )


def export_run(run: Path, out: Path, *, version: str | None = None) -> ModelRecord:
    """Make a model of a training run, finished or stopped: its averaged weights, of the best round where the run kept one.

    Args:
        run: Folder of the run.
        out: Folder of the model.
        version: Of the model; what the run was started with unless given.

    Raises:
        TrainingError: There is no run.
    """
    best, last = run / "checkpoints" / "best.ckpt", run / "checkpoints" / "last.ckpt"
    checkpoint = best if best.is_file() else last
    if not checkpoint.is_file() or not (run / "description.json").is_file():
        raise TrainingError(
            "there is no training run", where=str(run), fix="Name the --out folder of pasi-vision train."
        )
    description = json.loads((run / "description.json").read_text(encoding="utf-8"))
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    description["training"]["steps_done"] = int(state["global_step"])
    network = build_network(Architecture(**description["architecture"]))
    average = {n.removeprefix("average."): t for n, t in state["state_dict"].items() if n.startswith("average.")}
    network.load_state_dict(average)
    return write_model(network, out, description | ({"version": version} if version else {}), run / PRIOR_FILE)


_NO_MODEL = ("imagenet", "nothing")


def _region_prior(photos: Sequence[PhotoEntry], start_from: str) -> RegionPrior:
    """Where regions lie in the views that are trained on and, while there are few, in those the model to go on from knows."""
    views = [photo for photo in photos if photo.view is not View.CLOSE_UP and "regions" in photo.masks]
    own = collect_regions((photo.view, read_picture(photo.masks["regions"], grey=True)) for photo in views)
    return own if start_from in _NO_MODEL else joined_regions(own, open_model(start_from).region_prior())


def _completed(settings: TrainSettings) -> TrainSettings:
    """With architecture, working sizes and losses of the model that is gone on from, as far as the settings do not name their own."""
    if settings.start_from in _NO_MODEL:
        return settings
    start = open_model(settings.start_from).record
    taken: dict[str, Any] = {
        name: getattr(start, name) for name in ("architecture", "working") if name not in settings.model_fields_set
    }
    named = settings.losses.model_dump(include=settings.losses.model_fields_set)
    taken["losses"] = LossSettings(**(_losses_of(start.training) | named))
    return settings.model_copy(update=taken)


def _losses_of(training: Mapping[str, Any]) -> dict[str, float]:
    """Of the last run that taught areas too (the signs' head alone has a weight of its own): `training` of a model.json."""
    settings = [run.get("settings", {}) for run in runs_of(training)]
    found: Mapping[str, float] = next((one.get("losses", {}) for one in settings if not one.get("only")), {})
    return {name: weight for name, weight in found.items() if name in LossSettings.model_fields}


def _check_start(settings: TrainSettings, out: Path, last: Path, *, resume: bool) -> None:
    if resume and not last.is_file():
        raise TrainingError("there is nothing to resume", where=str(last), fix="Start it without --resume.")
    if not resume and last.is_file():
        raise TrainingError("a run stands here already", where=str(last), fix="Add --resume, or choose another --out.")
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise TrainingError(
            "no GPU is to be seen", where="accelerator: gpu", fix="Set accelerator: cpu, or use another machine."
        )
    if resume:
        before = json.loads((out / "settings.json").read_text(encoding="utf-8"))
        now = settings.model_dump(mode="json")
        changed = sorted(key for key in {*before, *now} - {"workers", "threads"} if before.get(key) != now.get(key))
        if changed:
            raise TrainingError(
                f"the settings differ from those it was started with: {', '.join(changed)}",
                where=str(out / "settings.json"),
                fix="Give the same settings, or start a new run in another folder.",
            )


def _trainer(settings: TrainSettings, out: Path, tell: Callable[[str], None]) -> lightning.Trainer:
    callbacks: list[Callback] = [
        _EveryRound(out / "checkpoints" / "last.ckpt"),
        _Told(tell),
    ]
    if settings.patience:
        best = ModelCheckpoint(out / "checkpoints", "best", monitor=GOODNESS, mode="max", enable_version_counter=False)
        callbacks += [
            best,
            EarlyStopping(GOODNESS, patience=settings.patience, mode="max", check_on_train_epoch_end=False),
        ]
    starts = len(list((out / "logs").glob("csv-*")))  # a new file after every stop: the logger would delete the old one
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        precision=settings.precision,
        max_epochs=settings.steps // settings.steps_per_round,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=1.0,
        check_val_every_n_epoch=settings.validate_every,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=[CSVLogger(out, "logs", f"csv-{starts}"), TensorBoardLogger(out, "logs", "tensorboard")],
        log_every_n_steps=min(10, settings.steps_per_round * settings.accumulate),
        deterministic=settings.deterministic,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=out,
        plugins=[WholeCheckpoints()],
    )


def _description(settings: TrainSettings, data: CropData) -> dict[str, Any]:
    """The content of model.json but for hashes: what it was trained on, in figures."""
    training: dict[str, Any] = {
        "settings": settings.model_dump(mode="json", exclude={"data", "validation"}),
        "data": [_folder_facts(folder) for folder in settings.data],
        "validation_data": [_folder_facts(folder) for folder in settings.validation],
        "photographs": {"training": len(data.training), "validation": len(data.validation)},
        "versions": {"pasi_vision": package_version(), "torch": torch.__version__},
    }
    if settings.start_from not in _NO_MODEL:
        start = open_model(settings.start_from)
        # A path of one machine says nothing elsewhere; what the model was trained on tells all runs back to the first.
        training["settings"]["start_from"] = start.label
        training["before"] = start.record.training
    return {
        "format_version": FORMAT_VERSION,
        "name": settings.name,
        "version": package_version(),
        "architecture": settings.architecture.model_dump(mode="json"),
        "working": settings.working.model_dump(mode="json"),
        "training": training,
    }


def _folder_facts(folder: Path) -> dict[str, str]:
    """Name and hash of its table: a path of one machine says nothing elsewhere. `DIR#part` names a part of a stored split."""
    table = Path(str(folder).partition("#")[0]) / "photos.csv"
    return {"folder": folder.name, "photos_sha256": sha256_of(table)}


class _EveryRound(Checkpoint):
    """Writes one checkpoint after every round (Lightning's own keeps none between validations unless it ranks them)."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        trainer.save_checkpoint(self._file)


class _Told(Callback):
    """One line per round."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._began = tell, 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        self._began = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        settings: TrainSettings = pl_module.settings  # type: ignore[assignment]
        crops = settings.steps_per_round * settings.accumulate * settings.batch_size * trainer.world_size
        seen = trainer.callback_metrics
        shown: Sequence[str] = [
            f"{n.removeprefix('train/')} {float(v):.3f}" for n, v in seen.items() if n.startswith("train/")
        ]
        if (trainer.current_epoch + 1) % settings.validate_every == 0:
            shown = [*shown, *(f"{n} {float(v):.3f}" for n, v in seen.items() if n.startswith("validation/"))]
        rate = crops / (time.monotonic() - self._began)
        self._tell(f"step {trainer.global_step}/{settings.steps} {rate:.1f} crops/s {' '.join(shown)}")
