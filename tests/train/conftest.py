"""Tiny data folders with exact answers, and a model whose probabilities are the colours of the photograph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasi_vision.segment.checkpoint import ModelFolder
from pasi_vision.segment.layout import LESION, OUTLINE, OUTPUTS, ModelRecord, Preprocessing, Working
from pasi_vision.segment.predict import Model
from pasi_vision.storage import write_picture

SIDE = 64
HEADER = "subject_id,visit,day,view,path,skin_tone,preset\n"


@pytest.fixture
def colour_model(tmp_path: Path) -> Model:
    """Trunk everywhere; probability of lesion is red / 255, of outline green / 255; grades 2, 1, 3."""

    def run(batch: np.ndarray) -> np.ndarray:
        small = batch[:, :, ::2, ::2]
        out = np.zeros((len(batch), len(OUTPUTS), *small.shape[2:]), np.float32)
        out[:, 3] = 1.0
        out[:, LESION], out[:, OUTLINE] = small[:, 0], small[:, 1]
        out[:, OUTLINE + 1 :] = np.array([2, 1, 3], np.float32)[:, None, None]
        return out

    record = ModelRecord(
        format_version=1,
        name="colours",
        version="1",
        preprocessing=Preprocessing(mean=(0, 0, 0), std=(1, 1, 1)),
        working=Working(view_side=SIDE, close_up_longer_sides=(SIDE,)),
        files={"model.onnx": "0" * 64, "model.safetensors": "0" * 64},
    )
    return Model(ModelFolder(tmp_path, record), run, "onnx")


Make = Callable[..., None]


@pytest.fixture
def make_photo(tmp_path: Path) -> Make:
    """Write a photograph of plain skin with its masks and its row."""
    table = tmp_path / "photos.csv"
    table.write_text(HEADER, encoding="utf-8")
    (tmp_path / "masks").mkdir()

    def make(
        name: str,
        lesion: np.ndarray,
        *,
        pixels: np.ndarray | None = None,
        outline: np.ndarray | None = None,
        subject: str = "",
        tone: str = "II",
        regions: np.ndarray | None = None,
    ) -> None:
        outline = lesion if outline is None else outline
        if pixels is None:
            pixels = np.full((*lesion.shape, 3), 20, np.uint8)
            pixels[lesion, 0], pixels[outline, 1] = 230, 230
        write_picture(tmp_path / f"{name}.png", pixels)
        grades = np.zeros((*lesion.shape, 3), np.uint8)
        grades[lesion] = (120, 120, 120)
        regions = np.full(lesion.shape, 3, np.uint8) if regions is None else regions
        for kind, mask in (
            ("regions", regions),
            ("lesion", lesion * 255),
            ("outline", outline * 255),
            ("signs", grades),
        ):
            write_picture(tmp_path / "masks" / f"{name}.{kind}.png", mask.astype(np.uint8))
        with table.open("a", encoding="utf-8") as rows:
            rows.write(f"{subject or name},week_0,1,trunk_front,{name}.png,{tone},drawn\n")

    return make


SKIN, CLOTH, RED = np.array([200, 150, 125]), np.array([40, 60, 110]), np.array([165, 65, 60])


def _draw_discs(folder: Path, stem: str, generator: np.random.Generator, *, clear: bool) -> None:
    """Red discs on skin of 96 x 128 with noise, whose masks are known because they were drawn; the left quarter is cloth."""
    rows, columns = np.mgrid[:96, :128]
    skin = columns >= 32
    lesion = np.zeros(skin.shape, bool)
    for _ in range(0 if clear else 2):
        y, x = generator.uniform(20, 76), generator.uniform(52, 108)
        lesion |= (rows - y) ** 2 + (columns - x) ** 2 < generator.uniform(10, 20) ** 2
    lesion &= skin
    pixels = np.where(lesion[..., None], RED, np.where(skin[..., None], SKIN, CLOTH)) + generator.normal(
        0, 5, (96, 128, 3)
    )
    write_picture(folder / f"{stem}.png", np.clip(pixels, 0, 255).astype(np.uint8))
    grades = lesion[..., None] * np.array([180, 120, 60])
    layers = {"regions": skin * 3, "lesion": lesion * 255, "outline": lesion * 255, "signs": grades}
    for kind, mask in layers.items():
        write_picture(folder / "masks" / f"{stem}.{kind}.png", mask.astype(np.uint8))


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """A function: (name, seed) -> a data folder of 8 noisy photographs of 4 subjects, a quarter of them clear."""
    made: dict[str, Path] = {}

    def make(name: str, seed: int) -> Path:
        if name not in made:
            folder, generator = tmp_path_factory.mktemp(name), np.random.default_rng(seed)
            (folder / "masks").mkdir()
            lines = ["subject_id,visit,day,view,path"]
            for number in range(8):
                _draw_discs(folder, f"p{number}", generator, clear=number % 4 == 0)
                view = "close_up" if number % 2 else "trunk_front"
                lines.append(f"s{number // 2},v1,1,{view},p{number}.png")
            (folder / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            made[name] = folder
        return made[name]

    return make


@pytest.fixture
def tiny_run(drawn_folder: Callable[[str, int], Path]) -> Callable[..., Any]:
    """Settings of a run of a few small steps on drawn pictures, with any changes."""
    from pasi_vision.train.settings import TrainSettings

    def settings(**changes: Any) -> TrainSettings:
        content: dict[str, Any] = {
            "name": "drawn",
            "data": [drawn_folder("training", 0)],
            "start_from": "nothing",
            "architecture": {"decoder_channels": [16, 16, 16, 16, 16]},
            "working": {"view_side": 128, "close_up_longer_sides": [128]},
            "steps": 2,
            "steps_per_round": 1,
            "batch_size": 2,
            "crop_px": 32,
            "cache_px": 128,
            "accelerator": "cpu",
            "devices": 1,
            "threads": 1,
            "workers": 0,
            "precision": "32-true",
        }
        return TrainSettings.model_validate(content | changes)

    return settings
