"""A model in 8 bits says nearly what it said, tells what it lost, and is not made of another one in 8 bits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


GOLDEN = Path(__file__).parents[1] / "segment" / "golden"


def _golden_folder(target: Path) -> Path:
    """The two golden phantom pictures as a data folder: on drawn discs the released model says nothing that could be lost."""
    (target / "masks").mkdir(parents=True)
    rows = ["subject_id,visit,day,view,path"]
    for name in ("close_up", "trunk_back"):
        shutil.copy(GOLDEN / f"{name}.jpg", target)
        for mask in GOLDEN.glob(f"{name}.*.png"):
            shutil.copy(mask, target / "masks")
        rows.append(f"{name},baseline,1,{name},{name}.jpg")
    (target / "photos.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return target


def test_released_model_in_8_bits(tmp_path: Path) -> None:
    from pasi_vision.cli import app
    from pasi_vision.errors import ModelError
    from pasi_vision.segment import DEFAULT_MODEL, load_model, open_model
    from pasi_vision.storage import read_picture

    data, out = _golden_folder(tmp_path / "golden"), tmp_path / "int8"
    asked = ["model", "quantize", "--data", str(data), "--check", str(data)]
    done = CliRunner().invoke(app, [*asked, "--model", DEFAULT_MODEL, "--out", str(out)])
    assert done.exit_code == 0, done.output
    before, after = open_model(DEFAULT_MODEL), open_model(out)  # hashes fit
    loss = after.record.training["int8"]
    assert loss["of"] == before.label
    assert loss["calibration_photographs"] == loss["check_photographs"] == 2
    assert abs(loss["dice_outline_int8"] - loss["dice_outline_float32"]) < 0.05
    assert after.record.thresholds == before.record.thresholds
    assert (out / "model.onnx").stat().st_size < 0.7 * (before.path / "model.onnx").stat().st_size
    pixels = read_picture(data / "close_up.jpg")
    apart = np.abs(load_model(out, threads=1).outputs(pixels) - load_model(before.path, threads=1).outputs(pixels))
    assert 0 < apart[:8].mean() < 0.03
    verified = CliRunner().invoke(app, ["model", "verify", str(out)])
    assert verified.exit_code == 0, verified.output
    assert "in 8 bits" in verified.output
    again = CliRunner().invoke(app, [*asked, "--model", str(out), "--out", str(tmp_path / "again")])
    assert isinstance(again.exception, ModelError)
    assert "in 8 bits already" in str(again.exception)
    assert not (tmp_path / "again").exists()
