"""A data folder is read as it is, and what is wrong is named by file and row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError, TableError
from pasi_vision.storage import write_picture
from pasi_vision.train.folder import read_folder, read_truth

HEADER = "subject_id,visit,day,view,path,skin_tone,camera,mm_per_px\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "P1,week_0,1,trunk_front,a.png,II,phone,0.5\nP2,week_0,1,close_up,b.png,,,\n"
    (tmp_path / "photos.csv").write_text(HEADER + rows, encoding="utf-8")
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}.png", np.full((40, 60, 3), 120, np.uint8))
    (tmp_path / "masks").mkdir()
    write_mask(tmp_path, "a", "regions", np.full((40, 60), 3))
    write_mask(tmp_path, "a", "lesion", np.pad(np.full((10, 20), 255), ((0, 30), (0, 40))))
    write_mask(tmp_path, "a", "outline", np.pad(np.full((20, 20), 255), ((0, 20), (0, 40))))
    return tmp_path


def write_mask(folder: Path, stem: str, kind: str, mask: np.ndarray) -> None:
    write_picture(folder / "masks" / f"{stem}.{kind}.png", mask.astype(np.uint8))


def test_rows_and_masks(folder: Path) -> None:
    data = read_folder(folder)
    first, second = data.photos
    assert (first.subject_id, first.view, first.skin_tone, first.mm_per_px) == ("P1", View.TRUNK_FRONT, "II", 0.5)
    assert first.further["camera"] == "phone"
    assert second.skin_tone is None
    assert second.mm_per_px is None
    assert data.patients == ("P1", "P2")
    assert data.findings is None
    truth = read_truth(first, shape=(40, 60))
    assert truth.lesion is not None
    assert truth.lesion.sum() == 200
    assert truth.signs is None
    assert read_truth(second).shape is None  # no masks is not the same as empty masks


def test_missing_photograph_names_its_row(folder: Path) -> None:
    (folder / "b.png").unlink()
    with pytest.raises(TableError, match=r"photos\.csv row 3 column path: file 'b\.png' not found"):
        read_folder(folder)


def test_missing_mask_names_its_row_only_where_masks_are_needed(folder: Path) -> None:
    assert len(read_folder(folder).photos) == 2
    with pytest.raises(TableError, match=r"row 3 .*masks/b\.regions\.png is missing"):
        read_folder(folder, need_masks=True)


def test_mask_of_another_size(folder: Path) -> None:
    write_mask(folder, "a", "outline", np.zeros((40, 50)))
    with pytest.raises(InputError, match=r"outline mask is 50 x 40.*60 x 40"):
        read_truth(read_folder(folder).photos[0], shape=(40, 60))


@pytest.mark.parametrize(
    ("kind", "mask", "what"),
    [
        ("regions", np.full((40, 60), 6), "region class 6 does not exist"),
        ("lesion", np.full((40, 60), 128), "values between"),
        ("signs", np.full((40, 60, 3), 250), r"grade of 4\.17 is off the scale"),
    ],
)
def test_values_that_mean_nothing(folder: Path, kind: str, mask: np.ndarray, what: str) -> None:
    write_mask(folder, "a", kind, mask)
    with pytest.raises(InputError, match=rf"a\.{kind}\.png .*row 2.*{what}"):
        read_truth(read_folder(folder).photos[0])


def test_two_photographs_of_one_name_are_refused(folder: Path) -> None:
    (folder / "later").mkdir()
    write_picture(folder / "later" / "a.png", np.zeros((40, 60, 3), np.uint8))
    with (folder / "photos.csv").open("a", encoding="utf-8") as table:
        table.write("P3,week_0,1,close_up,later/a.png,,,\n")
    with pytest.raises(TableError, match="would share their masks"):
        read_folder(folder)
