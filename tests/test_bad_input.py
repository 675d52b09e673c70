"""Whatever is wrong with the input: one line that says what, where and what to do; exit code 2; no traceback; nothing half-written.

The cases are a table: what is wrong, the command, and what the line must say.
"""

import errno
import json
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pasi_vision.cli import main

PHOTOS = "subject_id,visit,day,view,path\nS1,baseline,1,trunk_front,good.png\n"
FINDINGS = (
    "subject_id,visit,day,rater,reading,region,area_percent,erythema,induration,scaling\n"
    "S1,baseline,1,Dr A,1,head_neck,5,1,1,1\n"
    "S1,baseline,1,Dr A,1,trunk,10,2,2,2\n"
)


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a picture of any size and holds nearly nothing of it."""
    parts = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 9)), (b"IEND", b"")):
        parts += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return parts


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one good file of each kind and bad ones beside them."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(100, 200, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(pixels).save("good.png")
    Image.fromarray(pixels).save("good.jpg")
    data = Path("good.jpg").read_bytes()
    Path("truncated.jpg").write_bytes(data[: len(data) // 2])
    Path("text.jpg").write_text("not a photograph")
    Path("bomb.png").write_bytes(png_header(60_000, 60_000))
    Path("empty.png").touch()
    Path("folder").mkdir()
    Path("photos.csv").write_text(PHOTOS)
    Path("findings.csv").write_text(FINDINGS)
    Path("future").mkdir()
    Path("future/model.json").write_text(json.dumps({"format_version": 99}))
    return tmp_path


def run(command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and what was said on stderr."""
    monkeypatch.setattr(sys, "argv", ["pasi-vision", *command])
    with pytest.raises(SystemExit) as stopped:
        main()
    code = stopped.value.code
    return (code if isinstance(code, int) else 0 if code is None else 1), capsys.readouterr().err


def photos_with(old: str, new: str) -> dict[str, str]:
    assert old in PHOTOS
    return {"photos.csv": PHOTOS.replace(old, new)}


def findings_with(old: str, new: str) -> dict[str, str]:
    assert old in FINDINGS
    return {"findings.csv": FINDINGS.replace(old, new)}


SCORE = ["score", "photos.csv", "--out", "out"]
PASI = ["pasi", "findings.csv", "--out", "out.csv"]
LAST_PHOTO = "S1,baseline,1,trunk_front,good.png\n"
LAST_FINDING = "S1,baseline,1,Dr A,1,trunk,10,2,2,2\n"

CASES: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    # what is wrong: files to write, command, what the line must hold
    "wrong column": (photos_with("view", "veiw"), SCORE, ["photos.csv", "view"]),
    "missing column": (
        {"photos.csv": "subject_id,visit,day,path\nS1,baseline,1,good.png\n"},
        SCORE,
        ["photos.csv", "view"],
    ),
    "more cells than columns": (photos_with(",path", ""), SCORE, ["photos.csv", "row 2"]),
    "duplicate key": (photos_with(LAST_PHOTO, LAST_PHOTO * 2), SCORE, ["photos.csv", "row 3"]),
    "unknown view": (photos_with("trunk_front", "elbow"), SCORE, ["photos.csv", "row 2", "view", "elbow"]),
    "day in words": (photos_with(",1,trunk", ",one,trunk"), SCORE, ["photos.csv", "row 2", "day", "one"]),
    "photograph missing": (photos_with("good.png", "none.png"), SCORE, ["photos.csv", "row 2", "path", "none.png"]),
    "empty file": ({"photos.csv": ""}, SCORE, ["photos.csv"]),
    "header only": ({"photos.csv": PHOTOS.splitlines()[0] + "\n"}, SCORE, ["photos.csv"]),
    "table missing": ({}, ["score", "none.csv", "--out", "out"], ["none.csv", "not found"]),
    "a folder for a table": ({}, ["score", "folder", "--out", "out"], ["folder"]),
    "a photograph for a table": ({}, ["score", "good.png", "--out", "out"], ["good.png"]),
    "unknown region": (findings_with("trunk", "torso"), PASI, ["findings.csv", "row 3", "region", "torso"]),
    "grade 5": (findings_with("10,2,2,2", "10,5,2,2"), PASI, ["findings.csv", "row 3", "erythema", "5"]),
    "grade -1": (findings_with("10,2,2,2", "10,2,-1,2"), PASI, ["findings.csv", "row 3", "induration", "-1"]),
    "101 percent": (findings_with("trunk,10", "trunk,101"), PASI, ["findings.csv", "row 3", "area_percent", "101"]),
    "not a number": (findings_with("trunk,10", "trunk,ten"), PASI, ["findings.csv", "row 3", "area_percent", "ten"]),
    "infinite": (findings_with("trunk,10", "trunk,inf"), PASI, ["findings.csv", "row 3", "area_percent"]),
    "finding twice": (findings_with(LAST_FINDING, LAST_FINDING * 2), PASI, ["findings.csv", "row 4"]),
    "findings empty": ({"findings.csv": ""}, PASI, ["findings.csv"]),
    "findings missing": ({}, ["pasi", "none.csv", "--out", "out.csv"], ["none.csv", "not found"]),
    "findings of the clinicians wrong": (
        findings_with("10,2,2,2", "10,9,2,2"),
        [*SCORE, "--findings", "findings.csv"],
        ["findings.csv", "row 3", "erythema", "9"],
    ),
    "unknown setting": (
        {"study.yaml": "area_conventoin: lesion\n"},
        ["score", "photos.csv", "--out", "out", "--study", "study.yaml"],
        ["study.yaml", "area_conventoin", "area_convention"],
    ),
    "setting off its range": (
        {"study.yaml": "minimum_coverage: 7\n"},
        ["score", "photos.csv", "--out", "out", "--study", "study.yaml"],
        ["study.yaml", "minimum_coverage", "7"],
    ),
    "settings missing": (
        {},
        ["score", "photos.csv", "--out", "out", "--study", "none.yaml"],
        ["none.yaml", "not found"],
    ),
    "output is a file": ({}, ["score", "photos.csv", "--out", "good.png"], ["good.png", "written"]),
    "output below a file": ({}, ["score", "photos.csv", "--out", "good.png/out"], ["good.png", "written"]),
    "scores below a file": ({}, ["pasi", "findings.csv", "--out", "good.png/scores.csv"], ["good.png", "written"]),
    "scores into no folder": ({}, ["pasi", "findings.csv", "--out", "nowhere/scores.csv"], ["nowhere", "written"]),
    "unknown model": ({}, [*SCORE, "--model", "phantom-9000"], ["phantom-9000", "no model"]),
    "model of an unknown version": ({}, [*SCORE, "--model", "future"], ["future", "version 99"]),
    "segment: model of an unknown version": (
        {},
        ["segment", "good.png", "--out", "out", "--model", "future"],
        ["future", "version 99"],
    ),
    "segment: unknown view": ({}, ["segment", "good.png", "--out", "out", "--view", "elbow"], ["elbow", "trunk_front"]),
    "check: missing": ({}, ["check", "none.jpg"], ["none.jpg", "not found"]),
    "check: not an image": ({}, ["check", "text.jpg"], ["text.jpg", "not a photograph"]),
    "check: truncated": ({}, ["check", "truncated.jpg"], ["truncated.jpg", "truncated"]),
    "check: bomb": ({}, ["check", "bomb.png"], ["bomb.png"]),
    "check: empty": ({}, ["check", "empty.png"], ["empty.png", "empty file"]),
    "check: a folder": ({}, ["check", "folder"], ["folder", "is a folder"]),
    "import: not JSON": (
        {"a.json": "{"},
        ["data", "import", "a.json", "--into", ".", "--format", "coco"],
        ["a.json", "not a JSON file"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    files, command, words = CASES[case]
    for name, content in files.items():
        Path(name).write_text(content)
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    code, said = run(command, monkeypatch, capsys)
    lines = said.strip().splitlines()
    assert code == 2, said
    assert len(lines) == 1, said
    assert lines[0].startswith("pasi-vision: ")
    for word in words:
        assert word in lines[0], lines[0]
    assert lines[0].rstrip().endswith((".", "?"))  # it ends with what to do
    after = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert after == before


def test_a_full_disk_leaves_nothing_half_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    before = {path.name for path in here.iterdir()}
    code, said = run(["pasi", "findings.csv", "--out", "scores.csv"], monkeypatch, capsys)
    assert code == 2
    assert said.strip() == "pasi-vision: scores.csv: the disk is full. Free space and run the same command again."
    assert {path.name for path in here.iterdir()} == before


BAD_PHOTOS = ["truncated.jpg", "text.jpg", "bomb.png", "empty.png"]


def test_segment_refuses_each_bad_photograph_and_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(["segment", *BAD_PHOTOS, "none.png", "good.png", "--out", "out"], monkeypatch, capsys)
    assert code == 1
    assert "Traceback" not in said
    for name in [*BAD_PHOTOS, "none.png"]:
        assert sum(line.startswith(f"{name}: ") for line in said.splitlines()) == 1
    written = {path.name for path in (here / "out").iterdir()}
    assert "good.lesion.png" in written
    assert not any(name.startswith(("truncated", "text", "bomb", "empty", "none")) for name in written)


def test_score_goes_on_after_bad_photographs(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    views = ["head_front", "trunk_front", "upper_limbs_front", "lower_limbs_front"]
    rows = [f"S1,baseline,1,{view},{name}" for view, name in zip(views, BAD_PHOTOS, strict=True)]
    Path("photos.csv").write_text("\n".join([PHOTOS.splitlines()[0], *rows]) + "\n")
    code, said = run(SCORE, monkeypatch, capsys)
    assert code == 1
    assert "Traceback" not in said
    scores = Path("out/scores.csv").read_text().splitlines()
    assert len(scores) == 2
    assert "not_scorable" in scores[1]
    assert sum("not used" in line for line in said.splitlines()) == 4
