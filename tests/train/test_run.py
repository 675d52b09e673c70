"""A run learns, goes on after it was killed as if nothing had happened, and refuses what cannot be."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasi_vision.errors import InputError, TrainingError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

Drawn = Callable[[str, int], Path]
Settings = Callable[..., Any]


#: A run long and large enough to learn something, from ImageNet weights.
LEARNING: dict[str, Any] = {
    "start_from": "imagenet",
    "architecture": {"decoder_channels": [32, 32, 24, 24, 16]},
    "steps": 4,
    "steps_per_round": 2,
    "crop_px": 64,
    "average": 0.9,
    "precision": "bf16-mixed",
}


@pytest.fixture
def learning_run(tiny_run: Settings, drawn_folder: Drawn) -> Settings:
    """Settings of such a run, with any changes."""

    def settings(**changes: Any) -> Any:
        return tiny_run(**LEARNING | {"validation": [drawn_folder("validation", 1)]} | changes)

    return settings


class _StoppedError(Exception):
    """Stands for anything that ends a process between two checkpoints."""


def test_stopped_run_goes_on_with_the_same_weights(learning_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.train.run import train

    settings = learning_run()
    whole = train(settings, tmp_path / "whole", tell=lambda _: None)

    def stop(line: str) -> None:
        if line.startswith("step 4/"):
            raise _StoppedError  # before the second checkpoint is written

    with pytest.raises(_StoppedError):
        train(settings, tmp_path / "broken", tell=stop)
    resumed = train(settings, tmp_path / "broken", resume=True, tell=lambda _: None)
    assert (whole / "model.safetensors").read_bytes() == (resumed / "model.safetensors").read_bytes()


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norms_of_the_encoder_keep_their_statistics(tiny_run: Settings, tmp_path: Path, frozen: bool) -> None:
    from pasi_vision.segment import open_model
    from pasi_vision.train.run import train

    first = train(tiny_run(), tmp_path / "first", tell=lambda _: None)
    more = tiny_run(start_from=str(first), frozen_batch_norms=frozen, average=0.5)
    before, after = (
        open_model(model).torch_network().state_dict()
        for model in (first, train(more, tmp_path / "more", tell=lambda _: None))
    )
    kept = {n: bool((before[n] == after[n]).all()) for n in before if n.endswith("running_mean")}
    assert all(kept[n] is frozen for n in kept if n.startswith("encoder."))
    assert not any(kept[n] for n in kept if n.startswith("decoder."))  # theirs go on


def test_batch_norms_of_photographs_come_back(tiny_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.segment import open_model
    from pasi_vision.segment.checkpoint import load_imagenet
    from pasi_vision.segment.network import build_network
    from pasi_vision.train.run import train

    first = train(tiny_run(), tmp_path / "first", tell=lambda _: None)
    more = tiny_run(start_from=str(first), imagenet_norms=True)
    second = open_model(train(more, tmp_path / "more", tell=lambda _: None))
    photographs = build_network(second.record.architecture)
    load_imagenet(photographs, second.record.architecture)
    found, asked = second.torch_network().state_dict(), photographs.state_dict()
    for name in (n for n in asked if n.startswith("encoder.") and "running_" in n):
        np.testing.assert_allclose(found[name], asked[name], rtol=1e-5)
    name = "encoder.conv_stem.weight"  # the weights themselves go on from the model
    before = open_model(first).torch_network().state_dict()[name]
    assert (found[name] - before).abs().max() < (found[name] - asked[name]).abs().max()


def test_head_of_the_signs_is_trained_alone(tiny_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.segment import load_model
    from pasi_vision.train.run import train
    from pasi_vision.train.settings import TrainSettings

    first = train(tiny_run(), tmp_path / "first", tell=lambda _: None)
    signs = {"architecture": {"decoder_channels": [16] * 5, "sign_channels": 8}, "only": "signs", "average": 0.5}
    second = train(tiny_run(start_from=str(first), **signs), tmp_path / "second", tell=lambda _: None)
    more = tiny_run(start_from=str(second), seed=2, only="signs", average=0.5).model_dump(exclude={"architecture"})
    third = train(
        TrainSettings(**more), tmp_path / "third", tell=lambda _: None
    )  # with the architecture it goes on from
    with pytest.raises(TrainingError, match="no head of their own"):
        train(tiny_run(only="signs"), tmp_path / "none", tell=lambda _: None)
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    before, after, later = (load_model(model, threads=1).outputs(pixels) for model in (first, second, third))
    np.testing.assert_array_equal(before[:8], after[:8])  # regions, lesion and outline
    np.testing.assert_array_equal(before[:8], later[:8])
    assert np.abs(before[8:] - after[8:]).max() > 0.01
    assert 0 < np.abs(after[8:] - later[8:]).max() < np.abs(before[8:] - after[8:]).max()  # it goes on, not anew
    np.testing.assert_allclose(load_model(second, backend="torch").outputs(pixels), after, atol=1e-3)


def test_going_on_takes_the_losses_of_the_areas_last_run(tiny_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.segment import open_model
    from pasi_vision.train.run import train
    from pasi_vision.train.settings import TrainSettings

    signs = {"architecture": {"decoder_channels": [16] * 5, "sign_channels": 8}}
    first = train(tiny_run(losses={"crop_dice": 0.7, "signs": 0.4}, **signs), tmp_path / "first", tell=lambda _: None)
    alone = tiny_run(start_from=str(first), only="signs", losses={"signs": 1.0}, **signs)
    second = train(alone, tmp_path / "second", tell=lambda _: None)
    unnamed = tiny_run(start_from=str(second)).model_dump(exclude={"architecture", "losses"})
    third = train(TrainSettings(**unnamed, losses={"region": 0.9}), tmp_path / "third", tell=lambda _: None)
    losses = open_model(third).record.training["settings"]["losses"]
    assert (losses["crop_dice"], losses["signs"], losses["region"], losses["lesion"]) == (0.7, 0.4, 0.9, 1.0)


def test_resume_and_start_refuse_what_cannot_be(learning_run: Settings, tmp_path: Path) -> None:
    from pasi_vision.train.run import export_run, train

    settings = learning_run()
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(settings, tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()
    with pytest.raises(TrainingError, match="no training run"):
        export_run(tmp_path / "none", tmp_path / "model")
    last = tmp_path / "there" / "checkpoints" / "last.ckpt"
    last.parent.mkdir(parents=True)
    last.write_bytes(b"")
    with pytest.raises(TrainingError, match="stands here already"):
        train(settings, tmp_path / "there")
    (tmp_path / "there" / "settings.json").write_text(learning_run(seed=7).model_dump_json())
    with pytest.raises(TrainingError, match="differ from those it was started with: seed"):
        train(settings, tmp_path / "there", resume=True)


def test_gpu_that_is_not_there_is_an_error(learning_run: Settings, tmp_path: Path) -> None:
    import torch

    from pasi_vision.train.run import train

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(TrainingError, match="no GPU"):
        train(learning_run(accelerator="gpu"), tmp_path / "run")


def test_patient_in_both_sets_is_refused(learning_run: Settings, drawn_folder: Drawn, tmp_path: Path) -> None:
    from pasi_vision.train.run import train

    folder = drawn_folder("training", 0)
    with pytest.raises(InputError, match="patient s0 is trained and validated on"):
        train(learning_run(validation=[folder]), tmp_path / "run")


@pytest.mark.parametrize("workers", [0, 1])
def test_unusable_photograph_is_named(
    learning_run: Settings, drawn_folder: Drawn, tmp_path: Path, workers: int
) -> None:
    from pasi_vision.storage import write_picture
    from pasi_vision.train.run import train

    folder = Path(shutil.copytree(drawn_folder("training", 0), tmp_path / "data"))
    for number in range(8):
        write_picture(folder / "masks" / f"p{number}.lesion.png", np.zeros((5, 5), np.uint8))
    with pytest.raises(
        InputError, match=r"^\S*p\d.lesion.png \(.* row \d\): the lesion mask is 5 x 5, the photograph .* 128 x 96"
    ):
        train(learning_run(data=[folder], workers=workers), tmp_path / "run")


@pytest.mark.slow
def test_training_learns_the_drawn_discs(learning_run: Settings, drawn_folder: Drawn, tmp_path: Path) -> None:
    from pasi_vision.segment import load_model
    from pasi_vision.storage import read_picture
    from pasi_vision.train.run import train

    model = load_model(train(learning_run(steps=60, steps_per_round=20, batch_size=4), tmp_path / "run"))
    folder = drawn_folder("validation", 1)
    seen = model.outputs(read_picture(folder / "p1.png"))
    truth = read_picture(folder / "masks" / "p1.lesion.png", grey=True)[::2, ::2] > 127
    found = seen[6] >= 0.5
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.8


@pytest.mark.slow
def test_killed_process_goes_on_with_the_same_weights(learning_run: Settings, tmp_path: Path) -> None:
    """kill -9 at a moment that is nobody's choice, through the command line."""
    config = tmp_path / "config.yaml"
    config.write_text(learning_run(steps=12).model_dump_json())  # JSON is YAML

    def command(out: str, *more: str) -> list[str]:
        program = "from pasi_vision.cli import main; main()"
        return [sys.executable, "-c", program, "train", str(config), "--out", str(tmp_path / out), *more]

    subprocess.run(command("whole"), check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL)
    while not (tmp_path / "killed" / "checkpoints" / "last.ckpt").exists():
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command("killed", "--resume"), check=True, stdout=subprocess.DEVNULL)
    weights = [(tmp_path / out / "model" / "model.safetensors").read_bytes() for out in ("whole", "killed")]
    assert weights[0] == weights[1]


def test_parts_of_one_stored_split_train_and_validate(
    learning_run: Settings, drawn_folder: Drawn, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from pasi_vision.cli import app
    from pasi_vision.train.run import train

    folder = tmp_path / "data"
    shutil.copytree(drawn_folder("training", 0), folder)
    split = CliRunner().invoke(app, ["data", "split", str(folder)])
    assert split.exit_code == 0, split.output
    settings = learning_run(data=[Path(f"{folder}#train")], validation=[Path(f"{folder}#validation")])
    assert (train(settings, tmp_path / "run", tell=lambda _: None) / "model.safetensors").is_file()
