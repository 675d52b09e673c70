"""Load on the portal: many uploaders at once; nothing lost, nothing twice, all verdicts, pages quick, memory flat. Prints JSON.

Small by default; the full form is `--uploaders 50 --photographs 1000 --megapixels 12`. DATABASE_URL chooses PostgreSQL. The uploaders
run on the same machine and send as fast as it takes their bytes: each sends its next photograph as soon as it was told the verdict.
Faults have a script of their own, `portal_faults.py`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from portal_site import VIEWS, Meanwhile, Server, Told, Uploader, photograph, prepare, request, send


class Visits(Meanwhile):
    """Somebody who goes through the pages meanwhile, and the portal's memory."""

    def __init__(self, server: Server, people: list[Uploader]) -> None:
        super().__init__()
        self.server, self.people = server, people
        self.seconds: dict[str, list[float]] = {}
        self.memory: list[float] = []
        self.wrong: list[str] = []
        self.begin(self._pages, self._memory)

    def _pages(self) -> None:
        number = 0
        while not self.stop.wait(0.1):
            who = self.people[number % len(self.people)]
            pages = {
                "home": "/",
                "subjects": "/subjects/",
                "subject": f"/subjects/{who.subject}/",
                "visit": f"/visits/{who.visit}/",
                "views": f"/visits/{who.visit}/views/",
                "camera": f"/visits/{who.visit}/camera/",
                "dashboard": "/dashboard/",
                "queries": "/queries/",
                "api": "/api/v1/visits/",
            }
            name = list(pages)[number % len(pages)]
            began = time.monotonic()
            try:
                status = request("GET", pages[name], {"Cookie": who.cookie}, b"")[0]
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{name}: {error}")
                continue
            self.seconds.setdefault(name, []).append(time.monotonic() - began)
            if status != 200:
                self.wrong.append(f"{name}: {status}")
            number += 1

    def _memory(self) -> None:
        while not self.stop.wait(1):
            self.memory.append(self.server.memory_mb())


def p95(values: list[float]) -> float | None:
    return round(statistics.quantiles(values, n=20)[18], 3) if len(values) > 1 else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploaders", type=int, default=4)
    parser.add_argument("--photographs", type=int, default=16)
    parser.add_argument("--megapixels", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=3600, help="begin no further photograph after so long")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing that was started stays behind
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "portal"
        people, _ = prepare(folder, given.uploaders)
        server = Server(folder, log=Path(temporary) / "log")
        visits = Visits(server, people)
        began = time.monotonic()

        def one(number: int) -> Told | None:
            if time.monotonic() - began > given.seconds:
                return None
            who, view = people[number % given.uploaders], VIEWS[number % len(VIEWS)]
            return send(who, view, photograph(number, given.megapixels))

        try:
            with ThreadPoolExecutor(given.uploaders) as pool:
                told = [each for each in pool.map(one, range(given.photographs)) if each is not None]
            seconds = time.monotonic() - began
            cpu = server.cpu_s()
        finally:
            visits.end()
            server.stop()
        report(given, told, seconds, visits, cpu)
        print((Path(temporary) / "log").read_text()[-2000:])


def report(given: Any, told: list[Told], seconds: float, visits: Visits, cpu: dict[str, float]) -> None:
    """What came of it, from the database and the files themselves."""
    from pasi_vision.portal.models import Photograph, Refusal
    from pasi_vision.portal.verify import verify

    acknowledged = {each.answer["photograph"] for each in told if each.answer.get("photograph")}
    stored = {str(key) for key in Photograph.objects.values_list("pk", flat=True)}
    waits, sending = [each.verdict_s for each in told], [each.sending_s for each in told]
    every_page = [value for values in visits.seconds.values() for value in values]
    tenth = max(1, len(visits.memory) // 10)
    print(
        json.dumps(
            {
                "bench": "portal",
                "database": "postgresql" if os.environ.get("DATABASE_URL") else "sqlite",
                "cores": os.cpu_count(),
                "uploaders": given.uploaders,
                "photographs": len(told),
                "photograph_mb": round(len(photograph(0, given.megapixels)) / 1e6, 2),
                "seconds": round(seconds, 1),
                "verdicts": sum(each.answer.get("state") == "done" for each in told),
                "acknowledged_and_missing": len(acknowledged - stored),
                "stored": len(stored),
                "twice": len(stored) - len(set(Photograph.objects.values_list("sha256", flat=True))),
                "refused": Refusal.objects.count(),
                "sending_s_median_p95": [round(statistics.median(sending), 2), p95(sending)],
                "verdict_s_median_p95_max": [round(statistics.median(waits), 2), p95(waits), round(max(waits), 2)],
                "verdicts_over_3_s": sum(wait > 3 for wait in waits),
                "page_s_p95": p95(every_page),
                "page_s_p95_each": {name: p95(values) for name, values in visits.seconds.items()},
                "pages_asked": len(every_page),
                "pages_wrong": visits.wrong[:5],
                "memory_mb_by_tenths": [
                    round(statistics.mean(visits.memory[n : n + tenth])) for n in range(0, len(visits.memory), tenth)
                ],
                "cpu_s": cpu,
                "verify": list(verify()),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
