"""`portal run` keeps its web server and workers running: killed ones come back, and all end together."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import served


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests have a portal of their own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("running") / "portal"
    served.made(made)
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Any]:
    with served.serving(folder, workers=1) as running:
        yield running


@pytest.fixture
def doomed(folder: Path) -> Iterator[Any]:
    """One more portal of the same folder, for a test that ends it."""
    with served.serving(folder, workers=1) as running:
        yield running


def until(what: Callable[[], Any], seconds: float = 120) -> Any:
    """What it gives, as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail("it did not happen")


def pids(server: Any, word: str) -> set[int]:
    return {pid for pid, words in server.processes() if word in words and pid != server.process.pid}


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def answers() -> bool:
    try:
        return bool(served.bench_module().request("GET", "/alive/", {}, b"")[0] == 200)
    except (OSError, http.client.HTTPException):
        return False


def test_a_killed_worker_is_started_again_and_works(server: Any, folder: Path) -> None:
    noted = folder / "anchors.jsonl"
    before = until(lambda: noted.is_file() and noted.read_text().splitlines())
    (worker,) = pids(server, "pasi_vision.portal.worker")
    os.kill(worker, signal.SIGKILL)
    (again,) = until(lambda: pids(server, "pasi_vision.portal.worker") - {worker})
    until(
        lambda: len(noted.read_text().splitlines()) > len(before)
    )  # each worker notes the trail's head when it begins
    assert parent_of(again) == server.process.pid


@pytest.mark.parametrize("victim", ["web process", "web server"])
def test_a_killed_web_server_or_process_is_started_again(server: Any, victim: str) -> None:
    webs = pids(server, " portal run ")
    (arbiter,) = [pid for pid in webs if parent_of(pid) == server.process.pid]
    killed = arbiter if victim == "web server" else (webs - {arbiter}).pop()
    os.kill(killed, signal.SIGKILL)
    now = until(
        lambda: killed not in (found := pids(server, " portal run ")) and len(found) == 2 and found
    )  # the orphan of a killed server may answer, and be counted, for a moment
    assert until(answers), "connections wait meanwhile"
    assert (arbiter in now) == (victim == "web process")


def test_an_address_that_is_taken_is_said_in_words(server: Any, folder: Path) -> None:
    told = served.portal("run", folder, "--port", served.bench_module().PORT)
    assert told.returncode == 2
    assert "cannot be listened on" in told.stderr
    assert answers(), "the first one goes on"


def test_all_end_together_when_told_to(doomed: Any, folder: Path) -> None:
    log = folder.parent / "log"
    said = len(log.read_text())
    assert answers()
    doomed.process.send_signal(signal.SIGTERM)
    assert doomed.process.wait(timeout=60) == 0
    until(lambda: not doomed.processes(), 30)
    told = log.read_text()[said:]
    assert "Traceback" not in told, told
    assert "killed" not in told, told


def test_all_end_when_their_parent_is_killed(doomed: Any) -> None:
    assert len(pids(doomed, "portal")) >= 3
    os.kill(doomed.process.pid, signal.SIGKILL)
    doomed.process.wait()
    until(lambda: not doomed.processes())


_DIES_AT_ONCE = """
import os, sys, time
from pasi_vision.portal.supervise import keep_running
def begin():
    with open(sys.argv[1], "a") as stream:
        print(time.monotonic(), file=stream)
    return os.posix_spawn("/bin/false", ["false"], os.environ)
keep_running({"something": begin})
"""


def test_what_ends_at_once_is_started_later_and_later(tmp_path: Path) -> None:
    """Pauses of 1 and 2 seconds at least: a busy machine makes them longer."""
    noted = tmp_path / "starts"
    keeper = subprocess.Popen([sys.executable, "-c", _DIES_AT_ONCE, str(noted)], stderr=subprocess.PIPE, text=True)
    until(lambda: noted.is_file() and len(noted.read_text().splitlines()) == 3)
    keeper.terminate()
    _, told = keeper.communicate(timeout=10)
    assert keeper.returncode == 0
    assert "something" in told
    assert "exit code 1" in told
    starts = [float(line) for line in noted.read_text().split()]
    first, second = (later - earlier for earlier, later in pairwise(starts))
    assert first >= 1
    assert second >= 2
