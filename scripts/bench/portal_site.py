"""A portal to measure: made, filled with uploaders, served by a child that can be killed, and spoken to as a browser does."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PORT = 8799
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = 4 << 20  # as the page's own script sends
VIEWS = ("trunk_front", "trunk_back", "palms", "soles")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@cache
def _picture(megapixels: float) -> bytes:
    from PIL import Image

    side = int((megapixels * 1e6 / 12) ** 0.5)
    rng = np.random.default_rng(1)
    small = rng.integers(90, 200, (side * 3 // 4, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(small).resize((side * 4, side * 3)).save(stream, format="JPEG", quality=93)
    return stream.getvalue()


def photograph(number: int, megapixels: float) -> bytes:
    """A readable JPEG (12 megapixels are 4.75 MB) with a comment that makes it unlike every other."""
    comment = f"number {number}".encode()
    return b"\xff\xd8\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + _picture(megapixels)[2:]


@dataclass(frozen=True)
class Uploader:
    """Somebody who sends photographs of one visit, with a token for the API and a session for the pages."""

    token: str
    visit: str
    subject: str
    cookie: str


def prepare(folder: Path, uploaders: int) -> list[Uploader]:
    """A portal with a visit for each uploader; this process serves it from now on."""
    from pasi_vision.portal.plan import plan_text
    from pasi_vision.portal.setup import initialize

    initialize(folder, plan_text("Load", (("S01", "Site"),)), "admin")
    from django.test import Client

    from pasi_vision.portal.models import ApiToken, Person, Subject
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import open_visit

    made = []
    for number in range(uploaders):
        person = Person.objects.create(
            username=f"u{number}", full_name="U", role="uploader", must_change_password=False
        )
        person.sites.add("S01")
        subject = Subject.objects.create(code=f"S01-{number:03d}", site_id="S01", enrolled_by=person)
        visit = open_visit(subject, "baseline", date.today(), person, current_plan())
        client = Client()
        client.force_login(person, backend=BACKEND)
        cookie = f"portal_session={client.cookies['portal_session'].value}"
        made.append(Uploader(ApiToken.make(person, "bench", 1)[1], str(visit.pk), str(subject.pk), cookie))
    return made


def command(*arguments: object) -> list[str]:
    """`pasi-vision portal ...` in this very interpreter."""
    return [sys.executable, "-c", "from pasi_vision.cli import main; main()", "portal", *map(str, arguments)]


class Server:
    """`portal run` as a child, with everything that it starts, that can be killed and started again."""

    def __init__(self, folder: Path, workers: int = 1, log: Path | None = None) -> None:
        self.folder, self.workers, self.log = folder, workers, log
        self.start()

    def start(self) -> None:
        stderr = self.log.open("ab") if self.log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command("run", self.folder, "--port", PORT, "--workers", self.workers),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        for _ in range(600):
            try:
                if request("GET", "/alive/", {}, b"")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise SystemExit("the portal did not start")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # web server, examiners and worker: all that this script started
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)

    def processes(self) -> list[tuple[int, str]]:
        """Ids and command lines of all its processes."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                group = int(stat.read_text().rsplit(")", 1)[1].split()[2])
                words = (stat.parent / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if group == self.process.pid:
                found.append((int(stat.parent.name), words))
        return found

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far, by kind of process."""
        spent: dict[str, float] = {}
        for pid, words in self.processes():
            kind = "examiners" if "multiprocessing" in words else "worker" if "worker" in words.split(" ")[2] else "web"
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            for name, ticks in ((kind, fields[11]), (f"{kind} in the kernel", fields[12])):
                spent[name] = round(spent.get(name, 0) + int(ticks) / os.sysconf("SC_CLK_TCK"), 1)
        return spent

    def memory_mb(self) -> float:
        """Proportional memory of all its processes: what they share is counted once."""
        kb = 0
        for pid, _ in self.processes():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kb += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return kb / 1e3


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    try:
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@dataclass(frozen=True)
class Told:
    """What an uploader was told, and when."""

    answer: dict[str, Any]
    sending_s: float
    verdict_s: float
    """From the last byte to the verdict."""


def send(who: Uploader, view: str, data: bytes, patience_s: float = 900) -> Told:
    """Send as a browser does: go on after every failure."""
    headers = {**TUS, "Authorization": f"Bearer {who.token}"}
    pairs = {"visit": who.visit, "view": view, "sha256": hashlib.sha256(data).hexdigest()}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    announced = {**headers, "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
    address = ""
    began = time.monotonic()
    while time.monotonic() - began < patience_s:
        try:
            if not address:
                address = request("POST", "/api/v1/uploads/", announced, b"")[1].get("location", "")
                offset = 0
            else:
                offset = int(request("HEAD", address, headers, b"")[1]["upload-offset"])
            while offset < len(data):
                kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
                done = request("PATCH", address, {**headers, **kind}, data[offset : offset + CHUNK])
                offset = int(done[1]["upload-offset"])
            sent = time.monotonic()
            while time.monotonic() - began < patience_s:
                status, _, body = request("POST", f"{address}verdict/", headers, b"")
                if status == 200:
                    return Told(json.loads(body), sent - began, time.monotonic() - sent)
                time.sleep(0.5)
        except (OSError, KeyError, ValueError, http.client.HTTPException):
            time.sleep(0.5)
    return Told({"state": "lost"}, float("nan"), float("nan"))
