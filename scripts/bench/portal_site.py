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
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PORT = int(os.environ.get("PORTAL_PORT", "8799"))
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = 4 << 20  # as the page's own script sends
VIEWS = ("trunk_front", "trunk_back", "palms", "soles")
CSRF = "bench" * 6 + "tk"  # 32 letters, as Django makes them
PASSWORD = "a long password 17"
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


@dataclass(frozen=True)
class Clinician:
    """Somebody who signs one reading again and again."""

    reading: str
    cookie: str

    def sign(self, grade: int, note: str) -> bool:
        """Sign a version; whether it was acknowledged."""
        form = {"note": note, "password": PASSWORD, "reason": "measured again"}
        for region in ("head_neck", "upper_limbs", "trunk", "lower_limbs"):
            form[f"{region}.area_percent"] = "10"
            form |= {f"{region}.{sign}": str(grade % 5) for sign in ("erythema", "induration", "scaling")}
        return post(f"/readings/{self.reading}/sign/", self.cookie, form) == 200


def post(path: str, cookie: str, form: dict[str, str]) -> int:
    """Send a form as a page's script does; gives the status, 0 without an answer."""
    headers = {
        "Cookie": cookie,
        "X-CSRFToken": CSRF,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    try:
        return request("POST", path, headers, urllib.parse.urlencode(form).encode())[0]
    except (OSError, http.client.HTTPException):
        return 0


def confirm(who: Uploader, photograph_id: str) -> bool:
    """Say that nobody can be recognized; whether it was acknowledged."""
    return post(f"/photographs/{photograph_id}/confirm/", who.cookie, {}) in (200, 302)


def prepare(folder: Path, uploaders: int) -> tuple[list[Uploader], Clinician]:
    """A portal with a visit for each uploader and a reading for a clinician; this process serves it from now on."""
    from pasi_vision.portal.plan import plan_text
    from pasi_vision.portal.setup import initialize

    initialize(folder, plan_text("Load", (("S01", "Site"),)), "admin")
    from pasi_vision.portal.models import ApiToken, Subject
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import open_visit

    made = []
    for number in range(uploaders):
        person = _person(f"u{number}", "uploader")
        subject = Subject.objects.create(code=f"S01-{number:03d}", site_id="S01", enrolled_by=person)
        visit = open_visit(subject, "baseline", date.today(), person, current_plan())
        token = ApiToken.make(person, "bench", 1)[1]
        made.append(Uploader(token, str(visit.pk), str(subject.pk), _session(person)))
    return made, _clinician()


def _person(name: str, role: str) -> Any:
    from django.contrib.auth.hashers import make_password

    from pasi_vision.portal.models import Person

    person = Person.objects.create(username=name, full_name=name, role=role, must_change_password=False)
    person.password = make_password(PASSWORD) if role == "clinician" else ""
    person.save()
    person.sites.add("S01")
    return person


def _session(person: Any) -> str:
    """Cookies of a signed-in browser, with a CSRF token of our own."""
    from django.test import Client

    client = Client()
    client.force_login(person, backend=BACKEND)
    return f"portal_session={client.cookies['portal_session'].value}; portal_csrf={CSRF}"


def signed_in_again(name: str) -> str:
    """Cookies of a new session; the old one ends when the clock jumps."""
    from django.db import connection

    from pasi_vision.portal.models import Person

    connection.close()  # the database may have been away since it was opened
    return _session(Person.objects.get(username=name))


def _clinician() -> Clinician:
    """With a reading of a closed visit that nobody sends photographs to."""
    from pasi_vision.portal.models import Assignment, Subject, Visit

    person = _person("clinician", "clinician")
    subject = Subject.objects.create(code="S01-999", site_id="S01", enrolled_by=person)
    visit = Visit.objects.create(
        subject=subject, name="baseline", taken_on=date.today(), day=1, state="closed", opened_by=person
    )
    reading = Assignment.objects.create(visit=visit, clinician=person, reading=1, purpose="first", place=0.5)
    return Clinician(str(reading.pk), _session(person))


def command(*arguments: object) -> list[str]:
    """`pasi-vision portal ...` in this very interpreter; PASI_TEST_CLOCK ("-2h") shows it another time."""
    shifted = ["faketime", "-f", os.environ["PASI_TEST_CLOCK"]] if "PASI_TEST_CLOCK" in os.environ else []
    return [*shifted, sys.executable, "-c", "from pasi_vision.cli import main; main()", "portal", *map(str, arguments)]


class Server:
    """`portal run` as a child, with everything that it starts, that can be killed and started again."""

    def __init__(self, folder: Path, workers: int = 1, log: Path | None = None) -> None:
        self.folder, self.workers, self.log = folder, workers, log
        self.start()

    def start(self) -> None:
        with (self.log or Path(os.devnull)).open("ab") as stderr:
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


class Meanwhile:
    """What goes on in threads of its own until `end`; each action looks at `stop` by itself."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, *actions: Callable[[], None]) -> None:
        for act in actions:
            self._threads.append(threading.Thread(target=act))
            self._threads[-1].start()

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()


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


def send(who: Uploader, view: str, data: bytes, chunk: int = CHUNK, patience_s: float = 900) -> Told:
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
                done = request("PATCH", address, {**headers, **kind}, data[offset : offset + chunk])
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
