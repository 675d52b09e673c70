"""A portal of its own in processes of their own, for tests that break it or speak to it over the network."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[2] / "scripts" / "bench"

_MAKE = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import portal_site
people, clinician = portal_site.prepare(Path(sys.argv[1]), int(sys.argv[2]))
print(json.dumps([asdict(who) for who in people]))
"""


def environment(**more: str) -> dict[str, str]:
    """Of a process that serves another portal than the session's."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PASI_PORTAL_DIR", "DATABASE_URL")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(BENCH), kept.get("PYTHONPATH", "")]), **more}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def bench_module() -> Any:
    """`portal_site`, the speaking half of it: it needs no Django."""
    sys.path.insert(0, str(BENCH))
    try:
        import portal_site
    finally:
        sys.path.remove(str(BENCH))
    return portal_site


def made(folder: Path, uploaders: int = 1, **more: str) -> list[Any]:
    """A portal with uploaders, made by another process."""
    done = subprocess.run(
        [sys.executable, "-c", _MAKE, str(folder), str(uploaders)],
        env=environment(**more), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [bench_module().Uploader(**who) for who in json.loads(done.stdout)]


def portal(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`pasi-vision portal ...` for another portal."""
    command = [sys.executable, "-c", "from pasi_vision.cli import main; main()", "portal", *map(str, words)]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=300, check=False)


@contextlib.contextmanager
def serving(folder: Path, workers: int = 0) -> Iterator[Any]:
    """The portal of `folder` on a free port; `.kill()` and `.start()` on the way are allowed."""
    site = bench_module()
    site.PORT = free_port()
    before = {name: os.environ.pop(name) for name in ("PASI_PORTAL_DIR", "DATABASE_URL") if name in os.environ}
    try:
        server = site.Server(folder, workers, folder.parent / "log")
        try:
            yield server
        finally:
            server.stop()
    finally:
        os.environ.update(before)
