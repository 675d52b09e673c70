"""Faults in a running portal: processes killed (-9) at random moments, the disk full, the database gone, the clock set back. Prints JSON.

Meanwhile uploaders send photographs and look at them for faces, a clinician signs version after version, backups are made. At the end
everything that was acknowledged must be there, none half, none twice, and `verify` must find nothing. The long form is

    python scripts/bench/portal_faults.py --rounds 200 --database-gone 60 --disk-full --clock-back

DATABASE_URL chooses PostgreSQL; `--database-gone` needs it, and PG_STOP and PG_START: commands that stop and start that server.
`--disk-full` mounts a small file system and needs root; `--clock-back` needs the command `faketime`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from portal_site import (
    VIEWS,
    Clinician,
    Meanwhile,
    Server,
    Told,
    Uploader,
    command,
    confirm,
    photograph,
    prepare,
    send,
    signed_in_again,
)

VICTIMS = ("everything", "web process", "examiner", "worker", "backup")


class Life(Meanwhile):
    """What goes on while things break: uploaders, a clinician, a worker, backups; each notes what it was told."""

    def __init__(self, folder: Path, people: list[Uploader], clinician: Clinician, megapixels: float) -> None:
        super().__init__()
        self.folder, self.people, self.clinician, self.megapixels = folder, people, clinician, megapixels
        self.told: list[Told] = []
        self.signed: list[str] = []
        self.backups: list[Path] = []
        self.unfinished: list[Path] = []
        self.backing_up: subprocess.Popen[bytes] | None = None
        self.worker = self._worker()
        actions = [lambda n=n: self._upload(n) for n in range(len(people))]
        self.begin(*actions, self._sign, self._back_up)

    def sign_in_again(self) -> None:
        self.people = [replace(who, cookie=signed_in_again(f"u{n}")) for n, who in enumerate(self.people)]
        self.clinician = replace(self.clinician, cookie=signed_in_again("clinician"))

    def restart_worker(self) -> None:
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.worker = self._worker()

    def stop_worker(self) -> None:
        os.killpg(self.worker.pid, signal.SIGTERM)
        self.worker.wait(timeout=120)

    def _worker(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command("worker", self.folder), stderr=subprocess.DEVNULL, start_new_session=True)

    def _upload(self, who: int) -> None:
        number = who
        while not self.stop.is_set():
            person, view = self.people[who], VIEWS[number % len(VIEWS)]
            data = photograph(number, self.megapixels)
            told = send(person, view, data, chunk=max(20_000, len(data) // 3))
            self.told.append(told)
            if told.answer.get("photograph"):
                confirm(person, told.answer["photograph"])
            number += len(self.people)

    def _sign(self) -> None:
        version = 0
        while not self.stop.wait(0.3):
            version += 1
            note = f"version {version}"
            if self.clinician.sign(version, note):
                self.signed.append(note)

    def _back_up(self) -> None:
        number = 0
        while not self.stop.wait(0.5):
            number += 1
            out = self.folder.parent / f"backup-{number}"
            self.backing_up = subprocess.Popen(
                command("backup", self.folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            done = self.backing_up.wait() == 0
            (self.backups if done else self.unfinished).append(out)
            for old in (self.backups if done else self.unfinished)[:-1]:
                shutil.rmtree(old, ignore_errors=True)


def strike(victim: str, server: Server, life: Life, rng: random.Random) -> bool:
    """Kill one of them; False if there was none at this moment."""
    if victim == "everything":
        server.kill()
        life.restart_worker()
        server.start()
        return True
    if victim == "worker":
        life.restart_worker()
        return True
    if victim == "backup":
        process = life.backing_up
        if process is None or process.poll() is not None:
            return False
        process.kill()
        return True
    examiners = [pid for pid, words in server.processes() if "multiprocessing.spawn" in words]
    webs = [pid for pid, words in server.processes() if pid != server.process.pid and "portal" in words.split(" ")]
    pids = examiners if victim == "examiner" else webs
    if not pids:
        return False
    os.kill(rng.choice(pids), signal.SIGKILL)
    return True


def kill_rounds(rounds: int, every_s: float, server: Server, life: Life, seed: int) -> Counter[str]:
    rng, struck = random.Random(seed), Counter[str]()
    while struck.total() < rounds:
        time.sleep(rng.uniform(0.05, every_s))
        victim = rng.choice(VICTIMS)
        struck[victim] += strike(victim, server, life, rng)
    return struck


def database_gone(seconds: float) -> None:
    """Stop the database at once, wait, start it again; PG_STOP and PG_START say how."""
    subprocess.run(os.environ["PG_STOP"], shell=True, check=True, stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    subprocess.run(os.environ["PG_START"], shell=True, check=True, stdout=subprocess.DEVNULL)
    time.sleep(15)


def disk_full(folder: Path) -> None:
    """Fill the file system under the portal to the last byte, wait, make room again."""
    filler = folder / "filler"
    with filler.open("wb") as stream:
        try:
            while True:
                stream.write(b"x" * 65536)
                stream.flush()
        except OSError:
            pass
    time.sleep(15)
    filler.unlink()
    time.sleep(5)


def clock_back(server: Server, life: Life) -> None:
    """The machine's clock is two hours behind from one moment on, for web server and worker."""
    os.environ["PASI_TEST_CLOCK"] = "-2h"
    server.kill()
    life.restart_worker()
    server.start()
    life.sign_in_again()
    time.sleep(15)
    del os.environ["PASI_TEST_CLOCK"]
    server.kill()
    life.restart_worker()
    server.start()
    life.sign_in_again()


def while_living(folder: Path, given: Any) -> dict[str, Any]:
    """Run a portal through the faults that were asked for; gives what came of it."""
    people, clinician = prepare(folder, given.uploaders)
    with (folder / "portal.yaml").open("a") as settings:
        settings.write(
            "lease_seconds: 10\njob_attempts: 20\n"
        )  # dead owners are noticed sooner, and die more often than in life
    server = Server(folder, workers=0, log=folder.parent / "log")
    life = Life(folder, people, clinician, given.megapixels)
    faults: dict[str, Any] = {}

    def during(name: str, act: Callable[[], Any]) -> None:
        before = len(life.told), len(life.signed)
        result = act()
        time.sleep(2)
        faults[name] = {
            "photographs_meanwhile": len(life.told) - before[0],
            "signatures_meanwhile": len(life.signed) - before[1],
        }
        if result is not None:
            faults[name]["killed"] = dict(result)

    try:
        time.sleep(3)
        if given.rounds:
            during("kills", lambda: kill_rounds(given.rounds, given.every, server, life, given.seed))
        if given.database_gone:
            during("database gone", lambda: database_gone(given.database_gone))
        if given.disk_full:
            during("disk full", lambda: disk_full(folder))
        if given.clock_back:
            during("clock back", lambda: clock_back(server, life))
    finally:
        life.end()
        try:
            finished = wait_for_jobs(given.patience)
        finally:
            server.stop()
            life.stop_worker()
    return {**faults, "jobs_done": finished, **what_is_there(folder, life)}


def wait_for_jobs(patience_s: float) -> bool:
    """Whether every job ended within that time."""
    from django.db import connection

    from pasi_vision.portal.models import Job

    connection.close()  # the database may have been away since it was opened
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if not Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING)).exists():
            return True
        time.sleep(1)
    return False


def what_is_there(folder: Path, life: Life) -> dict[str, Any]:
    """Counted from the database, the files and the last backup, against what was acknowledged."""
    from pasi_vision.portal.models import Job, Photograph, Refusal, Segmentation, SignedReading, Upload
    from pasi_vision.portal.verify import verify

    acknowledged = [each.answer["photograph"] for each in life.told if each.answer.get("photograph")]
    stored = {str(key) for key in Photograph.objects.values_list("pk", flat=True)}
    notes = Counter(signed.content["note"] for signed in SignedReading.objects.all())
    hashes = list(Photograph.objects.values_list("sha256", flat=True))
    seen = list(Segmentation.objects.values_list("photograph", "file_sha256", "model"))
    restored = None
    if life.backups:
        # DATABASE_URL names the portal's own database: the backup is brought back to SQLite.
        environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "PASI_PORTAL_DIR")}
        done = subprocess.run(
            command("restore", folder.parent / "restored", life.backups[-1]),
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        restored = done.stdout.strip().splitlines()[-1:] + done.stderr.strip().splitlines()[-1:]
    return {
        "photographs_acknowledged": len(acknowledged),
        "photographs_stored": len(stored),
        "acknowledged_and_missing": len(set(acknowledged) - stored),
        "never_answered": sum(each.answer.get("state") == "lost" for each in life.told),
        "photographs_twice": len(hashes) - len(set(hashes)),
        "refused": Refusal.objects.count(),
        "signatures_acknowledged": len(life.signed),
        "signatures_stored": notes.total(),
        "signatures_missing": len(set(life.signed) - set(notes)),
        "signatures_twice": sum(n - 1 for n in notes.values()),
        "segmented": len(seen),
        "segmented_twice": len(seen) - len(set(seen)),
        "jobs_failed": Job.objects.filter(state=Job.State.FAILED).count(),
        "uploads_by_state": dict(Counter(Upload.objects.values_list("state", flat=True))),
        "half_written_files": sum(1 for path in (folder / "vault").rglob("*.tmp")),
        "backups_kept": len(life.backups),
        "backups_cut_off": len(life.unfinished),
        "last_backup_restored": restored,
        "verify": list(verify()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument(
        "--every",
        type=float,
        default=2,
        help="longest time between kills; on a loaded machine more, or nothing gets done",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--uploaders", type=int, default=3)
    parser.add_argument("--megapixels", type=float, default=0.3)
    parser.add_argument("--database-gone", type=float, default=0)
    parser.add_argument("--disk-full", action="store_true")
    parser.add_argument("--clock-back", action="store_true")
    parser.add_argument("--patience", type=float, default=300, help="seconds in which all jobs must end afterwards")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing that was started stays behind
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "portal"
        if given.disk_full:
            folder = Path(temporary) / "small" / "portal"
            folder.parent.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", folder.parent], check=True)
        try:
            print(json.dumps(while_living(folder, given), indent=2))
        finally:
            if given.disk_full:
                subprocess.run(["umount", "-l", folder.parent], check=True)


if __name__ == "__main__":
    main()
