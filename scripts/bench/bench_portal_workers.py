"""Worker processes of the portal against one PostgreSQL database (SKIP LOCKED): jobs per second with 1 to 4 of them. Prints JSON.

Each job is what a worker does in life: a photograph is segmented by the released model, once. DATABASE_URL names the database;
`--kind receive` measures checking photographs instead.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from portal_site import VIEWS, command, photograph, prepare


def fill(number: int, kind: str, megapixels: float, start_at: int) -> None:
    """Photographs that arrived whole and wait for a worker; for `segment` they are checked already."""
    from pasi_vision.portal import queue
    from pasi_vision.portal.models import Job, Person, Photograph, Upload, Visit
    from pasi_vision.portal.receive import receive, staged_file
    from pasi_vision.portal.visits import confirm_identity, keep_anyway

    visit, person = Visit.objects.filter(state="open").first(), Person.objects.get(username="u0")
    for n in range(start_at, start_at + number):
        data = photograph(n, megapixels)
        upload = Upload.objects.create(visit=visit, view=VIEWS[n % 4], length=len(data), state="whole", sent_by=person)
        staged_file(upload).write_bytes(data)
        queue.add(Job.Kind.RECEIVE, upload.pk)
        if kind == "segment":
            job = queue.claim_for("fill", Job.Kind.RECEIVE, upload.pk)
            made = receive(upload, job).photograph if job else None
            if made is not None:
                keep_anyway(Photograph.objects.get(pk=made.pk), "bench", person)
                confirm_identity(Photograph.objects.get(pk=made.pk), person)


def measure(folder: Path, workers: int, jobs: int, kind: str, megapixels: float, start_at: int) -> dict[str, Any]:
    """Give the workers their jobs; the clock runs from when all are ready, with the model loaded, to the last one's end."""
    from pasi_vision.portal.models import Job

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = Job.objects.order_by("-id").values_list("id", flat=True).first() or 0
    processes = [subprocess.Popen(command("worker", folder), env=environment) for _ in range(workers)]

    def owners() -> set[str]:
        return set(Job.objects.filter(kind=kind, id__gt=done).values_list("owner", flat=True)) - {""}

    try:
        while len(owners()) < workers:  # until each has done one: only then all have started
            fill(workers, kind, megapixels, start_at)
            start_at += workers
            wait()
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        fill(jobs, kind, megapixels, start_at)
        began = time.monotonic()
        for process in processes:
            process.send_signal(signal.SIGCONT)
        wait()
        seconds = time.monotonic() - began
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    return {
        "workers": workers,
        "jobs": jobs,
        "seconds": round(seconds, 1),
        "jobs_per_s": round(jobs / seconds, 2),
        "owners": len(owners()),
    }


def wait() -> None:
    from pasi_vision.portal.models import Job

    while Job.objects.filter(state__in=("waiting", "running")).exists():
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=2.0)
    parser.add_argument("--kind", choices=("segment", "receive"), default="segment")
    parser.add_argument("--most", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "portal"
        prepare(folder, 1)
        told = [
            measure(folder, n, given.jobs, given.kind, given.megapixels, 1000 * n) for n in range(1, given.most + 1)
        ]
        from pasi_vision.portal.models import Job, Segmentation

        print(
            json.dumps(
                {
                    "bench": "portal_workers",
                    "database": "postgresql" if os.environ.get("DATABASE_URL") else "sqlite",
                    "cores": os.cpu_count(),
                    "kind": given.kind,
                    "megapixels": given.megapixels,
                    "runs": told,
                    "failed": Job.objects.filter(state="failed").count(),
                    "tried_more_than_once": Job.objects.filter(attempts__gt=1).count(),
                    "segmentations": Segmentation.objects.count(),
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
