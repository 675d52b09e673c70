"""`pasi-vision data check` and `data split` as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from pasi_vision.cli import app
from pasi_vision.train.split import read_split

NOTHING = np.zeros((48, 48), bool)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["data", *words])
    return result.exit_code, result.output


def test_check_tells_errors_by_its_exit_code(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    generator = np.random.default_rng(0)
    for number in range(3):
        make_photo(f"p{number}", NOTHING, pixels=generator.integers(0, 255, (48, 48, 3), dtype=np.uint8))
    code, said = run("check", str(tmp_path))
    assert code == 0
    assert "patients 3, visits 3, photographs 3" in said
    assert "0 errors, 0 warnings" in said
    (tmp_path / "p1.png").write_bytes(b"\x89PNG nothing more")
    code, said = run("check", str(tmp_path), "--json", str(tmp_path / "found.json"))
    assert code == 2
    assert "row 3" in said
    (problem,) = json.loads((tmp_path / "found.json").read_text())["problems"]
    assert problem["severity"] == "error"


def test_split_adds_newcomers_and_says_so(make_photo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(20):
        make_photo(f"p{number:02d}", NOTHING)
    code, said = run("split", str(tmp_path), "--train", "0.5", "--validation", "0.25")
    assert code == 0
    assert "train 10, validation 5, test 5 (20 new)" in said
    before = read_split(tmp_path)
    for number in range(20, 24):
        make_photo(f"p{number:02d}", NOTHING)
    assert (
        "train 12, validation 6, test 6 (4 new)"
        in run("split", str(tmp_path), "--train", "0.5", "--validation", "0.25")[1]
    )
    after = read_split(tmp_path)
    assert before is not None
    assert after is not None
    assert {name: after.patients[name] for name in before.patients} == dict(before.patients)
