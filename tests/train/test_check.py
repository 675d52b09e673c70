"""What is wrong with a folder is told all at once, and what would leak is found by patient and by picture."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pasi_vision.storage import write_picture
from pasi_vision.train.check import Severity, check_folders, near_duplicates, thumbnail_of
from pasi_vision.train.folder import PhotoEntry, read_folder
from pasi_vision.train.split import draw_split, strata_of, write_split

NOTHING = np.zeros((96, 96), bool)


def scene(seed: int) -> np.ndarray:
    """A picture of soft shapes, another for every seed."""
    coarse = np.random.default_rng(seed).integers(20, 235, (7, 7, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


def errors(*folders: Path | str) -> list[str]:
    return [problem.what for problem in check_folders([read_folder(folder) for folder in folders]).errors]


def test_a_good_folder_has_no_problems_and_is_counted(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(6):
        make_photo(
            f"p{number}", NOTHING, pixels=scene(number), subject=f"P{number // 2}", tone="V" if number < 2 else "II"
        )
    (tmp_path / "findings.csv").write_text(
        "subject_id,visit,day,rater,reading,region,area_percent,erythema,induration,scaling\n"
        "P0,week_0,1,anna,1,trunk,12,2,1,3\nP0,week_0,1,bert,1,trunk,0,0,0,0\nP1,week_0,1,anna,1,trunk,5,2,2,2\n",
        encoding="utf-8",
    )
    report = check_folders([read_folder(tmp_path)])
    assert report.problems == []
    counts = {name.split(": ", 1)[1]: rows for name, rows in report.counts.items()}
    assert counts["all"] == {"patients": 3, "visits": 3, "photographs": 6}
    assert counts["patients by skin tone"] == {"II": 2, "V": 1}
    assert counts["masks"]["lesion"] == 6
    assert counts["findings by rater"] == {"anna": 2, "bert": 1}
    assert counts["affected findings by region"] == {"head_neck": 0, "upper_limbs": 0, "trunk": 2, "lower_limbs": 0}
    assert counts["affected findings by scaling"] == {"2": 1, "3": 1}


def test_all_faults_are_told_at_once(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(4):
        make_photo(f"p{number}", NOTHING, pixels=scene(number))
    (tmp_path / "p0.png").write_bytes(b"not a picture")
    write_picture(tmp_path / "masks" / "p1.lesion.png", np.zeros((50, 96), np.uint8))
    write_picture(tmp_path / "masks" / "p2.regions.png", np.full((96, 96), 9, np.uint8))
    report = check_folders([read_folder(tmp_path)])
    told = [(problem.where.split("row ")[1][0], problem.what) for problem in report.errors]
    assert [row for row, _ in told] == ["2", "3", "4"]
    assert "not a photograph" in told[0][1]
    assert "96 x 50" in told[1][1]
    assert "region class 9" in told[2][1]


def test_masks_against_each_other(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lesion, outline = NOTHING.copy(), NOTHING.copy()
    lesion[0:20, 0:20] = True
    outline[10:40, 0:40] = True  # half of the lesion lies outside
    regions = np.full((96, 96), 3, np.uint8)
    regions[:, 10:] = 0  # half of it off the skin
    make_photo("odd", lesion, outline=outline, regions=regions, pixels=scene(1))
    report = check_folders([read_folder(tmp_path)])
    assert report.errors == []
    told = " | ".join(problem.what for problem in report.problems)
    assert "50.0 % of the lesion mask lies off the skin" in told
    assert "50.0 % of the lesion mask lies outside the outline" in told


def test_a_photograph_under_two_pseudonyms(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_photo("a", NOTHING, pixels=scene(1), subject="P1")
    again = cv2.GaussianBlur(scene(1), (3, 3), 0)
    make_photo("b", NOTHING, pixels=np.clip(again * 1.06, 0, 255).astype(np.uint8), subject="P2")
    make_photo("c", NOTHING, pixels=scene(2), subject="P3")
    assert errors(tmp_path) == ["a.png shows nearly the same as b.png: one person under two pseudonyms (P1 and P2)?"]


def test_two_photographs_of_one_patient_may_look_alike_but_not_be_the_same_file(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_photo("a", NOTHING, pixels=scene(1), subject="P1")
    make_photo("b", NOTHING, pixels=cv2.GaussianBlur(scene(1), (3, 3), 0), subject="P1")
    assert check_folders([read_folder(tmp_path)]).problems == []
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    (problem,) = check_folders([read_folder(tmp_path)]).problems
    assert problem.severity is Severity.WARNING
    assert "counts twice" in problem.what


def test_leaks_between_folders_and_between_parts(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(10):
        make_photo(f"p{number}", NOTHING, pixels=scene(number))
    other = tmp_path / "other"
    other.mkdir()
    (other / "photos.csv").write_text(
        "subject_id,visit,day,view,path\np3,week_0,1,close_up,x.png\nQ,week_0,1,close_up,y.png\n", encoding="utf-8"
    )
    write_picture(other / "x.png", scene(77))
    write_picture(other / "y.png", scene(5))
    told = errors(tmp_path, other)
    assert told[0] == f"patient p3 is in both {tmp_path.name} and other"
    assert told[1] == f"p5.png is the same file as y.png: it leaks between {tmp_path.name} and other"
    assert len(told) == 2

    make_photo("late", NOTHING, pixels=scene(0))  # the picture of p0 once more, as another patient
    split = draw_split(strata_of(read_folder(tmp_path).photos), (0.6, 0.2, 0.2), seed=1)
    parts = dict(split.patients) | {"p0": "train", "late": "test"}
    write_split(tmp_path, type(split)(split.seed, split.shares, parts))
    assert any("leaks between" in what and "train" in what and "test" in what for what in errors(tmp_path))


@pytest.mark.parametrize("seed", range(8))
def test_near_duplicates_survive_jpeg_size_and_light_but_not_other_pictures(seed: int) -> None:
    entry = PhotoEntry("P", "v", 1, "close_up", "p", Path("p"), {}, "row")  # type: ignore[arg-type]
    smaller = cv2.resize(scene(seed)[2:-2, 1:-1], (60, 60), interpolation=cv2.INTER_AREA)
    written = cv2.imencode(".jpg", np.clip(smaller * 0.93, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    again = cv2.imdecode(written, cv2.IMREAD_COLOR)
    first, second = thumbnail_of(entry, "a", scene(seed), "1"), thumbnail_of(entry, "a", again, "2")
    third = thumbnail_of(entry, "a", scene(seed + 100), "3")
    assert [(a.sha256, b.sha256) for a, b in near_duplicates([first, second, third])] == [("1", "2")]
