"""One run in two processes, as torchrun and as SLURM start it: each sees other crops, both have the same weights, one model comes out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Drawn = Callable[[str, int], Path]

SETTINGS = """
name: drawn
data: [{data}]
start_from: nothing
architecture: {{decoder_channels: [16, 16, 16, 16, 16]}}
working: {{view_side: 128, close_up_longer_sides: [128]}}
steps: 4
steps_per_round: 2
batch_size: 2
crop_px: 32
cache_px: 128
accelerator: cpu
devices: 2
threads: 1
workers: 0
precision: 32-true
"""
PROGRAM = [sys.executable, "-c", "from pasi_vision.cli import main; main()", "train"]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _check(run: Path, told: str) -> None:
    from pasi_vision.segment import open_model

    assert told.count("step 2/4") == told.count("step 4/4") == 1  # only the first process tells
    assert open_model(run / "model").record.training["steps_done"] == 4


def test_torchrun(drawn_folder: Drawn, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(SETTINGS.format(data=drawn_folder("training", 0)), encoding="utf-8")
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(_free_port())]
    command = [*start, "--no-python", *PROGRAM, str(config), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    _check(tmp_path / "run", done.stdout)
    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr[-3000:]  # nothing left to do: the model is written again


def test_slurm(drawn_folder: Drawn, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(SETTINGS.format(data=drawn_folder("training", 0)), encoding="utf-8")
    job = {
        "SLURM_JOB_ID": "1",
        "SLURM_JOB_NAME": "train",
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_NNODES": "1",
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_NODEID": "0",
        "MASTER_PORT": str(_free_port()),
    }
    processes = [
        subprocess.Popen(
            [*PROGRAM, str(config), "--out", str(tmp_path / "run")],
            env=os.environ | job | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told[0][1][-3000:] + told[1][1][-3000:]
    _check(tmp_path / "run", told[0][0] + told[1][0])
