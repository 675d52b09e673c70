"""The worker: takes jobs from the database, one at a time, until it is told to stop. Start as many as there are cores or machines."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from typing import Any

__all__ = ["Worker", "main"]

_log = logging.getLogger("pasi_vision.portal.worker")
_POLL_S = 1.0
_HOUSEKEEPING_S = 60.0


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        from pasi_vision.portal.folder import PortalFolder
        from pasi_vision.portal.queue import Watch, owner_here

        self.folder = PortalFolder.current()
        self.settings = self.folder.settings()
        self.owner = owner_here()
        self.watch = Watch(self.settings.lease_seconds, self.settings.job_attempts)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping` is set; a database that is away is waited for."""
        from django.db import Error, connections

        from pasi_vision.portal import queue

        next_housekeeping, begun = 0.0, False
        while not self.stopping.is_set():
            try:
                if not begun:
                    queue.free_dead_neighbours()
                    begun = True
                self.watch.free_orphans()
                if time.monotonic() >= next_housekeeping:
                    self.keep_house()
                    next_housekeeping = time.monotonic() + _HOUSEKEEPING_S
                if not self.work_once():
                    self.stopping.wait(_POLL_S)
            except Error as error:
                _log.warning("the database does not answer (%s); trying again", type(error).__name__)
                connections.close_all()
                self.stopping.wait(5 * _POLL_S)

    def work_once(self) -> bool:
        """Do one job; False if there was none."""
        from pasi_vision.portal import queue

        job = queue.claim(self.owner)
        if job is None:
            return False
        with _Heartbeat(job, self.settings.lease_seconds / 4):
            self._do(job)
        return True

    def keep_house(self) -> None:
        """What is due now and then: deal visits that lack readers, give up stale uploads, note the trail's head."""
        from pasi_vision.portal import dealing, housekeeping, trail
        from pasi_vision.portal.models import StudyVersion
        from pasi_vision.portal.study_now import current_plan

        if StudyVersion.objects.exists():
            dealing.deal_waiting(current_plan())
        housekeeping.give_up_stale_uploads()
        housekeeping.add_missing_jobs()
        housekeeping.remove_half_written()
        trail.note_head(self.folder.anchors_file)

    def _do(self, job: Any) -> None:
        from django.db import Error

        from pasi_vision.errors import OutputError, PasiVisionError
        from pasi_vision.portal import queue

        try:
            _STEPS[job.kind](job)
        except queue.LeaseLostError:
            _log.warning("job %s was taken over while it was worked on", job.pk)
        except Error:
            raise
        except OutputError as error:
            _log.warning("job %s: %s; it is put off", job.pk, error)
            queue.put_off(job, str(error))
        except PasiVisionError as error:
            _log.warning("job %s: %s", job.pk, error)
            queue.fail(job, str(error), self.settings.job_attempts)
        except Exception as error:  # noqa: BLE001  # one bad photograph must not stop the worker: shown with its reason, and retried
            _log.exception("job %s", job.pk)
            queue.fail(job, f"{type(error).__name__}: {error}", self.settings.job_attempts)


class _Heartbeat:
    """Counts a job's beat up while its block runs, from a thread with its own database connection."""

    def __init__(self, job: Any, every_s: float) -> None:
        self._job, self._every_s = job, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        from django.db import Error, connections

        from pasi_vision.portal import queue

        try:
            while not self._ended.wait(self._every_s):
                try:
                    queue.beat(self._job)
                except Error:  # the database is away: the next beat tries again
                    connections.close_all()
        finally:
            connections.close_all()


def _receive(job: Any) -> None:
    from pasi_vision.portal import queue
    from pasi_vision.portal.receive import receive
    from pasi_vision.portal.visits import find_upload

    upload = find_upload(job.target)
    if upload is not None:
        receive(upload, job)
    else:
        queue.finish(job)


def _segment(job: Any) -> None:
    from pasi_vision.portal.scoring import segment

    segment(job)


def _score(job: Any) -> None:
    from pasi_vision.portal.scoring import score

    score(job)


_STEPS = {"receive": _receive, "segment": _segment, "score": _score}


def main(root: str, parent: int | None = None) -> None:
    """Run a worker for the portal in `root` until SIGTERM or SIGINT; a job in hand is finished first.

    Args:
        root: The portal's folder.
        parent: Process that started it and without which it does not go on.
    """
    from pasi_vision.portal.start import start
    from pasi_vision.portal.supervise import end_with

    if parent is not None:
        end_with(parent)
    start(root)
    worker = Worker()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: worker.stopping.set())
    worker.run()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
