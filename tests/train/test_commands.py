"""`pasi-vision train` and `pasi-vision model ...`: wrong input is one line and exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pasi_vision.cli import main


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["pasi-vision", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: a\nsteps: 100\nlearning_rat: 0.1\n", "Is 'learning_rate' meant?"),
        ("name: a\nsteps: 10\nsteps_per_round: 3\n", "not a multiple of steps_per_round"),
        ("name: a\ncrop_px: 100\n", "crop_px"),
        ("name: a/b\n", "name"),
        ("name: a\ndata: [nowhere]\n", "no such folder"),
        ("name: a\n", "no photograph with masks to train on"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
def test_wrong_settings_are_one_line(
    content: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(content + "accelerator: cpu\n")
    monkeypatch.chdir(tmp_path)
    assert _run(monkeypatch, "train", str(config), "--out", str(tmp_path / "run")) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "run" / "model").exists()


def test_unknown_models_and_runs_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "model", "verify", str(tmp_path / "none")) == 2
    assert "no model" in capsys.readouterr().err
    assert _run(monkeypatch, "model", "export", str(tmp_path / "none"), "--out", str(tmp_path / "m")) == 2
    assert "no training run" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_shipped_settings_are_valid() -> None:
    from pasi_vision.settings import load_settings
    from pasi_vision.storage import resource
    from pasi_vision.train.settings import TrainSettings

    files = sorted(resource("configs", "train").glob("*.yaml"))
    assert [load_settings(TrainSettings, file).name for file in files] == [
        "phantom-convnext",
        "phantom-lite2",  # a branch of it
        "phantom-lite2",  # still more slowly
        "phantom-lite2",  # close-ups and bodies in detail
        "phantom-lite2",  # cloth, heads and courses
        "phantom-lite2",  # courses
        "phantom-lite2",  # views in detail
        "phantom-lite2",  # how a branch ends
        "phantom-lite2",  # with the batch norms of photographs
        "phantom-lite2",  # and goes on with better bodies
        "phantom-lite2",  # more slowly
        "phantom-lite2",  # the head of the signs, again
        "phantom-lite2",  # the head of the signs
        "phantom-lite2",
    ]
