"""A model folder is refused unless it is whole, of a known version, and what its hashes say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pasi_vision.errors import ModelError
from pasi_vision.segment import open_model


@pytest.fixture
def copied(random_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(random_model, tmp_path / "model"))


def _edit(folder: Path, **changes: object) -> None:
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | changes))


def test_whole_model_opens(copied: Path) -> None:
    folder = open_model(copied)
    assert folder.record.name == "random"
    assert folder.record.files.keys() == {"model.onnx", "model.safetensors"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format_version": 2}, "format version 2 is not known"),
        ({"format_version": None}, "format version None is not known"),
        ({"outputs": ["lesion"]}, "outputs"),
        ({"colour": "blue"}, "unknown key"),
        ({"thresholds": {"lesion": 1.5}}, "less than 1"),
        ({"files": {"model.onnx": "0" * 64, "model.safetensors": "0" * 64}}, "SHA-256 differs"),
        ({"files": {"model.onnx": "0" * 64}}, "model.safetensors has no hash"),
        ({"files": {"model.onnx": "0", "model.safetensors": "0", "../x": "0"}}, "leaves the folder"),
    ],
)
def test_changed_record_is_refused(copied: Path, changes: dict[str, object], said: str) -> None:
    _edit(copied, **changes)
    with pytest.raises(ModelError, match=said):
        open_model(copied)


def test_one_changed_byte_is_refused(copied: Path) -> None:
    weights = bytearray((copied / "model.onnx").read_bytes())
    weights[-100] ^= 1
    (copied / "model.onnx").write_bytes(weights)
    with pytest.raises(ModelError, match=r"model\.onnx.*SHA-256 differs"):
        open_model(copied)


def test_missing_file_and_unknown_name_are_named(copied: Path) -> None:
    (copied / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx: file not found"):
        open_model(copied)
    with pytest.raises(ModelError, match="no model 'phantom-lite9'"):
        open_model("phantom-lite9")
    (copied / "model.json").write_text("{")
    with pytest.raises(ModelError, match="not a readable model record"):
        open_model(copied)
