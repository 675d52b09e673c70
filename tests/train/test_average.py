"""The mean of models: halfway between two, and refused where it means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pasi_vision.errors import ModelError
from pasi_vision.segment.checkpoint import open_model
from pasi_vision.segment.layout import FORMAT_VERSION, Architecture
from pasi_vision.segment.network import build_network
from pasi_vision.train.average import average_models
from pasi_vision.train.export import write_model


def _model(folder: Path, seed: int, *, widths: tuple[int, ...] = (16, 16, 8, 8, 8), side: int = 1000) -> Path:
    torch.manual_seed(seed)
    architecture = Architecture(decoder_channels=widths)
    write_model(
        build_network(architecture),
        folder,
        {
            "format_version": FORMAT_VERSION,
            "name": "half",
            "version": "1",
            "architecture": architecture.model_dump(mode="json"),
            "working": {"view_side": side},
            "training": {
                "settings": {"seed": seed},
                "steps_done": 7,
                "data": [{"folder": "both"}, {"folder": f"of {seed}"}],
                "before": {"settings": {}, "data": [{"folder": "first"}, {"folder": "both"}]},
            },
        },
    )
    return folder


def test_mean_lies_halfway_and_says_of_what(tmp_path: Path) -> None:
    one, two = _model(tmp_path / "one", 1), _model(tmp_path / "two", 2)
    record = average_models([one, two], tmp_path / "mean")
    first, second, mean = (open_model(tmp_path / n).torch_network().state_dict() for n in ("one", "two", "mean"))
    weight = "decoder.steps.0.0.weight"
    torch.testing.assert_close(mean[weight], (first[weight] + second[weight]) / 2, atol=1e-4, rtol=1e-3)
    assert not torch.equal(first[weight], second[weight])
    assert [origin["seed"] for origin in record.training["mean_of"]] == [1, 2]


def test_a_mean_of_means_keeps_its_history_and_looks_as_the_first(tmp_path: Path) -> None:
    one, two = _model(tmp_path / "one", 1), _model(tmp_path / "two", 2)
    average_models([one, two], tmp_path / "mean")
    later = _model(tmp_path / "later", 3, side=1600)
    record = average_models([tmp_path / "mean", later], tmp_path / "last")
    before, run = record.training["mean_of"]
    assert [origin["seed"] for origin in before["mean_of"]] == [1, 2]
    assert run["seed"] == 3
    assert [part["folder"] for part in record.training["data"]] == ["both", "of 1", "first", "of 2", "of 3"]
    assert record.working.view_side == 1000


def test_other_architectures_and_single_models_are_refused(tmp_path: Path) -> None:
    one, other = _model(tmp_path / "one", 1), _model(tmp_path / "other", 2, widths=(24, 16, 8, 8, 8))
    with pytest.raises(ModelError, match="another architecture"):
        average_models([one, other], tmp_path / "mean")
    with pytest.raises(ModelError, match="two models or more"):
        average_models([one], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
