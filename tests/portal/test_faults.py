"""Short forms of `scripts/bench/portal_faults.py`: processes killed at random, clock set back, disk full, database gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import served

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests have portals of their own."""


def broken(*words: str, **more: str) -> dict[str, Any]:
    script = str(served.BENCH / "portal_faults.py")
    environment = served.environment(PORTAL_PORT=str(served.free_port()), **more)
    command = [sys.executable, script, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def nothing_is_lost(told: dict[str, Any]) -> None:
    assert told["photographs_acknowledged"] > 0
    assert told["signatures_acknowledged"] > 0
    for name in (
        "acknowledged_and_missing",
        "photographs_twice",
        "never_answered",
        "signatures_missing",
        "signatures_twice",
        "segmented_twice",
        "jobs_failed",
    ):
        assert told[name] == 0, (name, told)
    assert told["jobs_done"], told
    assert told["verify"] == []
    assert told["last_backup_restored"] == ["nothing is wrong"]


def test_processes_killed_at_random() -> None:
    nothing_is_lost(broken("--rounds", "8", "--seed", "7"))


@pytest.mark.skipif(not shutil.which("faketime"), reason="needs the command faketime (apt-get install faketime)")
def test_the_clock_set_back() -> None:
    told = broken("--rounds", "0", "--clock-back")
    nothing_is_lost(told)
    assert told["clock back"]["photographs_meanwhile"] > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system: needs root")
def test_a_full_disk() -> None:
    nothing_is_lost(broken("--rounds", "0", "--disk-full"))


def test_the_database_gone_for_a_while(postgres: str) -> None:
    folder = Path(postgres.partition("host=")[2])
    control = f"cd / && runuser -u postgres -- /usr/lib/postgresql/15/bin/pg_ctl -D {folder}/data -w"
    told = broken(
        "--rounds",
        "2",
        "--database-gone",
        "8",
        DATABASE_URL=postgres,
        PG_STOP=f"{control} -m immediate stop",
        PG_START=f"{control} -o \"-k {folder} -c listen_addresses=''\" -l {folder}/log start",
    )
    nothing_is_lost(told)
    assert told["database gone"]["photographs_meanwhile"] >= 0
