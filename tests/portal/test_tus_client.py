"""The real tus-js-client (npm) against the running portal: whole, given up and gone on, through a killed server, and twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import node_packages
import pytest
import served

pytestmark = pytest.mark.skipif(bool(node_packages.missing()), reason=node_packages.missing() or "-")


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests have a portal of their own."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    folder = tmp_path_factory.mktemp("tus") / "portal"
    (who,) = served.made(folder)
    with served.serving(folder) as server:
        yield server, who


def client(running: tuple[Any, Any], data: bytes, folder: Path, how: str, view: str) -> subprocess.Popen[str]:
    _, who = running
    path = folder / "a name that must not be kept.jpg"
    path.write_bytes(data)
    metadata = {"visit": who.visit, "view": view, "sha256": hashlib.sha256(data).hexdigest()}
    endpoint = f"http://127.0.0.1:{served.bench_module().PORT}/api/v1/uploads/"
    packages = node_packages.installed()
    command = ["node", str(packages / "send.js"), endpoint, who.token, json.dumps(metadata), str(path), how]
    return subprocess.Popen(command, cwd=packages, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines(process: subprocess.Popen[str]) -> list[Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err + out
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def photograph(jpeg: Any) -> Any:
    return lambda number: jpeg(number, (1600, 1200))


def test_a_photograph_in_four_parts(running: Any, photograph: Any, tmp_path: Path) -> None:
    data = photograph(1)
    told = lines(client(running, data, tmp_path, "whole", "palms"))
    assert [line["sent"] for line in told[:-1]][-1] == len(data)
    assert len(told) == 5
    assert told[-1]["state"] == "done"
    assert told[-1]["photograph"]
    again = lines(client(running, data, tmp_path, "whole", "palms"))
    assert again[-1]["photograph"] == told[-1]["photograph"], "sent twice is one photograph"


def test_a_connection_that_was_given_up_goes_on_where_it_stopped(running: Any, photograph: Any, tmp_path: Path) -> None:
    data = photograph(2)
    told = lines(client(running, data, tmp_path, "broken", "soles"))
    assert told[0]["given_up"]
    parts = [line["size"] for line in told if "size" in line]
    assert len(parts) == 3, "the first of four parts was not sent again"
    assert told[-1]["state"] == "done"
    assert told[-1]["url"].endswith(told[0]["given_up"].split("/api")[1])


def test_a_killed_server_loses_nothing(running: Any, photograph: Any, tmp_path: Path) -> None:
    server, _ = running
    data = photograph(3)
    process = client(running, data, tmp_path, "whole", "trunk_front")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    server.kill()
    server.start()
    told = [first, *lines(process)]
    sent = [line["sent"] for line in told if "sent" in line]
    assert sent == sorted(set(sent)), "no part that was acknowledged was sent again"
    assert sent[-1] == len(data)
    assert told[-1]["state"] == "done"
