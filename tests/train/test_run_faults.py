"""What may go wrong while a run trains: its own exception says what and where, and the last checkpoint stays whole."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasi_vision.errors import OutputError, TrainingError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

Drawn = Callable[[str, int], Path]
Settings = Callable[..., Any]


def _steps_of(run: Path) -> int:
    import torch

    return int(torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"])


def test_loss_that_is_not_a_number_stops_the_run(tiny_run: Settings, tmp_path: Path, monkeypatch: Any) -> None:
    from pasi_vision.segment import open_model
    from pasi_vision.train import module
    from pasi_vision.train.run import export_run, train

    sound, seen = module.losses, []

    def broken(*arguments: Any) -> Any:
        found = sound(*arguments)
        seen.append(found)
        return found if len(seen) < 2 else replace(found, total=found.total * float("nan"))

    monkeypatch.setattr(module, "losses", broken)
    with pytest.raises(TrainingError, match="the loss is nan at step 1"):
        train(tiny_run(), tmp_path / "run", tell=lambda _: None)
    assert _steps_of(tmp_path / "run") == 1
    export_run(tmp_path / "run", tmp_path / "model")  # as the message advises
    assert open_model(tmp_path / "model").record.training["steps_done"] == 1


def test_full_disk_keeps_the_checkpoint_before(tiny_run: Settings, tmp_path: Path, monkeypatch: Any) -> None:
    from pasi_vision.train.run import train

    run, sound = tmp_path / "run", os.fsync

    def full(descriptor: int) -> None:
        if ".last.ckpt" in os.readlink(f"/proc/self/fd/{descriptor}") and (run / "checkpoints" / "last.ckpt").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        sound(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"last\.ckpt: the disk is full"):
        train(tiny_run(), run, tell=lambda _: None)
    assert _steps_of(run) == 1
    assert [file.name for file in (run / "checkpoints").iterdir()] == ["last.ckpt"]
    monkeypatch.undo()
    train(tiny_run(), run, resume=True, tell=lambda _: None)
    assert _steps_of(run) == 2


def test_full_disk_of_a_logger(tiny_run: Settings, tmp_path: Path, monkeypatch: Any) -> None:
    from lightning.pytorch.loggers import CSVLogger

    from pasi_vision.train.run import train

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(CSVLogger, "save", full)
    with pytest.raises(OutputError, match=r"the disk is full\. Free space and go on with --resume"):
        train(tiny_run(), tmp_path / "run", tell=lambda _: None)


def test_loader_process_that_dies_names_the_photograph(tiny_run: Settings, tmp_path: Path, monkeypatch: Any) -> None:
    from pasi_vision.train import dataset
    from pasi_vision.train.run import train

    def killed(*_: Any) -> np.ndarray:
        os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros(0)

    monkeypatch.setattr(dataset, "_decoded", killed)
    with pytest.raises(TrainingError, match=r"a loader process died while it read \S*p\d\.png .*Check that photograph"):
        train(tiny_run(workers=1), tmp_path / "run", tell=lambda _: None)
    assert not list((tmp_path / "run" / "cache").glob("*.reading"))


def test_devices_that_are_not_there_are_named(tiny_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.train import run as module

    with pytest.raises(TrainingError, match=r"devices: 0.*cannot be used as asked"):
        module.train(tiny_run(devices=0), tmp_path / "run", tell=lambda _: None)


def test_accumulated_batches_make_one_step_and_logs_are_written(
    tiny_run: Settings, drawn_folder: Drawn, tmp_path: Path
) -> None:
    import pandas as pd

    from pasi_vision.train.run import train

    told: list[str] = []
    settings = tiny_run(accumulate=2, validation=[drawn_folder("validation", 1)])
    train(settings.model_copy(update={"validate_every": 1, "validation_photos": 2}), tmp_path / "run", tell=told.append)
    assert [line.split(" ")[1] for line in told] == ["1/2", "2/2"]
    assert _steps_of(tmp_path / "run") == 2
    logged = pd.read_csv(tmp_path / "run" / "logs" / "csv-0" / "metrics.csv")
    assert {"train/total", "train/region", "train/signs", "validation/loss", "validation/goodness"} <= set(logged)
    assert list((tmp_path / "run" / "logs" / "tensorboard").glob("events.out.tfevents.*"))
