"""`pasi-vision check`."""

import json

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from pasi_vision.cli import app

runner = CliRunner()


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


def skin(rng):
    picture = np.full((700, 800, 3), (96, 128, 112), np.uint8)
    picture[120:580] = (190, 145, 120)
    for _ in range(300):
        y, x = rng.integers(130, 560), rng.integers(0, 790)
        picture[y : y + 8, x : x + 8] = (140, 95, 80)
    return picture


def test_a_line_per_photograph_and_the_worst_exit_code(tmp_path):
    good = save(tmp_path / "good.png", skin(np.random.default_rng(0)))
    bad = save(tmp_path / "bad.png", np.full((700, 800, 3), (96, 128, 112), np.uint8))
    result = runner.invoke(app, ["check", good])
    assert (result.exit_code, result.stdout) == (0, f"{good}: accept\n")
    result = runner.invoke(app, ["check", good, bad])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].startswith(f"{bad}: retake: ")
    missing = str(tmp_path / "none.jpg")
    result = runner.invoke(app, ["check", missing, good])
    assert result.exit_code == 2
    assert result.stdout == f"{good}: accept\n"
    assert f"pasi-vision: {missing}: file not found" in result.stderr


def test_json_holds_every_measure(tmp_path):
    good = save(tmp_path / "good.png", skin(np.random.default_rng(0)))
    result = runner.invoke(app, ["check", good, str(tmp_path / "none.jpg"), "--view", "trunk_front", "--json"])
    assert result.exit_code == 2
    first, second = json.loads(result.stdout)
    assert first["path"] == good
    assert {m["name"] for m in first["measures"]} >= {"size", "sharpness", "brightness", "skin", "edge", "centring"}
    assert next(m for m in first["measures"] if m["name"] == "size") == {
        "name": "size", "value": 700.0, "unit": "px", "low": 600.0, "high": None, "verdict": "accept",
    }  # fmt: skip
    assert second["verdict"] == "unreadable"


def test_an_unknown_view_is_wrong_use(tmp_path):
    assert runner.invoke(app, ["check", "x.jpg", "--view", "elbow"]).exit_code == 2
