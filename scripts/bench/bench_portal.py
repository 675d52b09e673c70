"""Load on the portal: many uploaders at once; nothing lost, nothing twice, all verdicts, pages quick, memory flat. Prints JSON.

Small by default; the full form is `--uploaders 50 --photographs 1000 --megapixels 12 --seconds 3600`. DATABASE_URL chooses PostgreSQL.
With `--kill N` the web server and the worker are killed (-9) N times at random moments meanwhile and started again.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import io
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

PORT = 8799
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = 1 << 20


def photograph(number: int, megapixels: float) -> bytes:
    """A readable JPEG with a comment that makes it unlike every other."""
    from PIL import Image

    side = int((megapixels * 1e6 / 12) ** 0.5)
    rng = np.random.default_rng(1)
    small = rng.integers(90, 200, (side * 3 // 4, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(small).resize((side * 4, side * 3)).save(stream, format="JPEG", quality=93)
    comment = f"number {number}".encode()
    return b"\xff\xd8\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + stream.getvalue()[2:]


class Server:
    """`portal run` as a child that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        code = "from pasi_vision.cli import main; main()"
        command = [sys.executable, "-c", code, "portal", "run", str(self.folder), "--port", str(PORT), "--workers", "1"]
        self.process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                if request("GET", "/alive/", {}, b"")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the portal did not start")

    def kill(self) -> None:
        os.killpg(
            self.process.pid, signal.SIGKILL
        )  # web server, its processes and the worker: all that this script started
        self.process.wait()

    def memory_mb(self) -> float:
        """Resident memory of all processes of the portal."""
        pages = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:  # process group
                pages += int(fields[21])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    try:
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def send(token: str, visit: str, view: str, data: bytes) -> tuple[dict[str, Any], float]:
    """Send as a browser does: go on after every failure; gives the verdict and the seconds from the last byte to it."""
    headers = {**TUS, "Authorization": f"Bearer {token}"}
    pairs = {"visit": visit, "view": view, "sha256": hashlib.sha256(data).hexdigest()}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    address = ""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            if not address:
                made = request(
                    "POST",
                    "/api/v1/uploads/",
                    {**headers, "Upload-Length": str(len(data)), "Upload-Metadata": metadata},
                    b"",
                )
                address = made[1].get("location", "")
                continue
            offset = int(request("HEAD", address, headers, b"")[1]["upload-offset"])
            while offset < len(data):
                kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
                done = request("PATCH", address, {**headers, **kind}, data[offset : offset + CHUNK])
                offset = int(done[1]["upload-offset"])
            began = time.monotonic()
            while time.monotonic() < deadline:
                status, _, body = request("POST", f"{address}verdict/", headers, b"")
                if status == 200:
                    return json.loads(body), time.monotonic() - began
                time.sleep(0.3)
        except (OSError, KeyError, ValueError, http.client.HTTPException):
            time.sleep(0.5)
    return {"state": "lost"}, float("nan")


def prepare(folder: Path, uploaders: int) -> list[tuple[str, str]]:
    """A portal with a visit and a token for each uploader."""
    from datetime import date

    from pasi_vision.portal.plan import plan_text
    from pasi_vision.portal.setup import initialize

    initialize(folder, plan_text("Load", (("S01", "Site"),)), "admin")
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
        made.append((ApiToken.make(person, "bench", 1)[1], str(visit.pk)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploaders", type=int, default=4)
    parser.add_argument("--photographs", type=int, default=16)
    parser.add_argument("--megapixels", type=float, default=2.0)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--kill-every", type=float, default=4.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "portal"
        people = prepare(folder, given.uploaders)
        server, stop = Server(folder), threading.Event()
        pages: list[float] = []
        memory: list[float] = []

        def visit_pages() -> None:
            while not stop.wait(0.2):
                try:
                    began = time.monotonic()
                    if request("GET", "/api/v1/visits/", {"Authorization": f"Bearer {people[0][0]}"}, b"")[0] == 200:
                        pages.append(time.monotonic() - began)
                    memory.append(server.memory_mb())
                except (OSError, http.client.HTTPException):
                    continue

        killed = 0

        def kill_now_and_then() -> None:
            nonlocal killed
            while killed < given.kill and not stop.wait(random.uniform(0.2, given.kill_every)):
                server.kill()
                server.start()
                killed += 1

        threads = [threading.Thread(target=visit_pages)]
        if given.kill:
            threads.append(threading.Thread(target=kill_now_and_then))
        for thread in threads:
            thread.start()
        began = time.monotonic()
        views = ("trunk_front", "trunk_back", "palms", "soles")
        with ThreadPoolExecutor(given.uploaders) as pool:
            work = [
                pool.submit(send, *people[n % given.uploaders], views[n % 4], photograph(n, given.megapixels))
                for n in range(given.photographs)
            ]
            told = [job.result() for job in work]
        seconds = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join()
        server.process.terminate()
        server.process.wait(timeout=60)
        report(given, told, seconds, pages, memory, killed)


def report(given: Any, told: list[Any], seconds: float, pages: list[float], memory: list[float], killed: int) -> None:
    """What came of it, from the database and the files themselves."""
    from pasi_vision.portal.models import Photograph, Refusal
    from pasi_vision.portal.verify import verify

    acknowledged = {answer["photograph"] for answer, _ in told if answer.get("photograph")}
    stored = {str(key) for key in Photograph.objects.values_list("pk", flat=True)}
    waits = sorted(wait for _, wait in told)

    def p95(values: list[float]) -> float | None:
        return round(statistics.quantiles(values, n=20)[18], 3) if len(values) > 1 else None

    print(
        json.dumps(
            {
                "bench": "portal",
                "database": "postgresql" if os.environ.get("DATABASE_URL") else "sqlite",
                "uploaders": given.uploaders,
                "photographs": given.photographs,
                "photograph_mb": round(len(photograph(0, given.megapixels)) / 1e6, 2),
                "seconds": round(seconds, 1),
                "verdicts": sum(answer.get("state") == "done" for answer, _ in told),
                "acknowledged_and_missing": len(acknowledged - stored),
                "stored": len(stored),
                "twice": len(stored) - len(set(Photograph.objects.values_list("sha256", flat=True))),
                "refused": Refusal.objects.count(),
                "verdict_s_median": round(statistics.median(waits), 2),
                "verdict_s_p95": p95(waits),
                "page_s_p95": p95(pages),
                "pages_asked": len(pages),
                "memory_mb_first_and_last": [round(memory[0]), round(memory[-1])] if memory else None,
                "killed": killed,
                "verify": list(verify()),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
