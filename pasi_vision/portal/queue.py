"""Jobs in the database: claimed under a lease, kept alive by counting, taken over when the count stands still.

No clock decides about a lease: a worker watches the count of every running job against its own monotonic clock, so a clock that is
set back, or two machines whose clocks differ, can neither free nor hold a job.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from pasi_vision.errors import PasiVisionError
from pasi_vision.portal.models import Job

__all__ = [
    "LeaseLostError",
    "Watch",
    "add",
    "beat",
    "claim",
    "claim_for",
    "fail",
    "finish",
    "free_dead_neighbours",
    "hold",
    "owner_here",
    "put_off",
]

_URGENCY: dict[str, int] = {Job.Kind.RECEIVE: 1, Job.Kind.SEGMENT: 5, Job.Kind.SCORE: 7}
_LONGEST_WAIT_S = 600
_PUT_OFF_S = 20


_THIS_PROCESS = secrets.token_hex(4)


def owner_here() -> str:
    """How this process signs for its jobs: machine, process and a word of its own, because process numbers come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_THIS_PROCESS}"


class LeaseLostError(PasiVisionError):
    """Another worker has taken the job over; what this one made of it is thrown away."""


def add(kind: str, target: UUID, key: str = "", *, delay_s: float = 0) -> Job:
    """Put a job on the list, once: the same kind, target and key again changes nothing."""
    job: Job
    job, _ = Job.objects.get_or_create(
        kind=kind,
        target=target,
        key=key,
        defaults={"urgency": _URGENCY[kind], "due_at": timezone.now() + timedelta(seconds=delay_s)},
    )
    return job


def claim(owner: str, kinds: tuple[str, ...] = tuple(Job.Kind)) -> Job | None:
    """The most urgent job that is due, now running under `owner`; None if there is none."""
    waiting = _due().filter(kind__in=kinds)
    if not waiting.exists():  # looking takes no lock
        return None
    with transaction.atomic():
        job = waiting.select_for_update(skip_locked=True).order_by("urgency", "due_at", "id").first()
        return _start(job, owner) if job else None


def claim_for(owner: str, kind: str, target: UUID) -> Job | None:
    """The job for one target, due or not; None if somebody has it or it has ended."""
    with transaction.atomic():
        found = Job.objects.select_for_update(skip_locked=True).filter(
            kind=kind, target=target, state=Job.State.WAITING
        )
        job = found.first()
        return _start(job, owner) if job else None


def free_dead_neighbours() -> int:
    """Put jobs back whose owner ran on this machine and is gone: nobody has to wait for their lease; gives how many.

    What a mistake would cost is a job done twice, of which one result is thrown away (`hold`).
    """
    freed = 0
    for job in Job.objects.filter(state=Job.State.RUNNING, owner__startswith=f"{socket.gethostname()}:"):
        pid = job.owner.split(":")[1]
        if job.owner != owner_here() and (pid == str(os.getpid()) or not Path(f"/proc/{pid}").exists()):
            gone = Job.objects.filter(pk=job.pk, beat=job.beat, owner=job.owner, state=Job.State.RUNNING)
            freed += gone.update(state=Job.State.WAITING, owner="", due_at=timezone.now())
    return freed


def beat(job: Job) -> bool:
    """Say that the owner lives; False if the job is somebody else's by now."""
    mine = Job.objects.filter(pk=job.pk, owner=job.owner, attempts=job.attempts, state=Job.State.RUNNING)
    return bool(mine.update(beat=F("beat") + 1))


def hold(job: Job) -> None:
    """Inside a transaction: make sure the job is still ours before results are written, and keep it so until the end.

    Raises:
        LeaseLostError: It was taken over.
    """
    if not beat(job):
        raise LeaseLostError(f"job {job.pk} was taken over", fix="Nothing is to be done; its new owner finishes it.")


def finish(job: Job) -> None:
    """The job is done; in the same transaction as its results.

    Raises:
        LeaseLostError: It was taken over.
    """
    hold(job)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, ended_at=timezone.now(), error="")


def fail(job: Job, error: str, attempts: int, *, again: bool = True) -> None:
    """Try again later (each time later), or give up with the reason once `attempts` are used up or `again` is False."""
    give_up = not again or job.attempts >= attempts
    change: dict[str, Any] = {"error": error[:2000], "owner": ""}
    if give_up:
        change |= {"state": Job.State.FAILED, "ended_at": timezone.now()}
    else:
        wait = min(_LONGEST_WAIT_S, 2.0**job.attempts * 5)
        change |= {"state": Job.State.WAITING, "due_at": timezone.now() + timedelta(seconds=wait)}
    Job.objects.filter(pk=job.pk, owner=job.owner, attempts=job.attempts, state=Job.State.RUNNING).update(**change)


def put_off(job: Job, error: str) -> None:
    """Try again soon and do not count the attempt: what failed lies outside the job (the disk is full, the object store is away)."""
    mine = Job.objects.filter(pk=job.pk, owner=job.owner, attempts=job.attempts, state=Job.State.RUNNING)
    due_at = timezone.now() + timedelta(seconds=_PUT_OFF_S)
    mine.update(state=Job.State.WAITING, owner="", attempts=job.attempts - 1, due_at=due_at, error=error[:2000])


class Watch:
    """One worker's view of the others' jobs: which counts have stood still for a lease's length."""

    def __init__(self, lease_s: float, attempts: int) -> None:
        self._lease_s, self._attempts = lease_s, attempts
        self._seen: dict[int, tuple[int, float]] = {}

    def free_orphans(self) -> int:
        """Put jobs of dead workers back on the list (or end them, where they killed every worker); gives how many."""
        now = time.monotonic()
        running = {job.pk: job for job in Job.objects.filter(state=Job.State.RUNNING)}
        self._seen = {pk: seen for pk, seen in self._seen.items() if pk in running}
        freed = 0
        for pk, job in running.items():
            count, since = self._seen.get(pk, (-1, now))
            if count != job.beat:
                self._seen[pk] = (job.beat, now)
            elif now - since >= self._lease_s:
                freed += self._free(job)
        return freed

    def _free(self, job: Job) -> int:
        gone = Job.objects.filter(pk=job.pk, beat=job.beat, state=Job.State.RUNNING)  # only if it still stands still
        if job.attempts >= self._attempts:
            reason = f"its worker ended {job.attempts} times while working on it"
            return int(gone.update(state=Job.State.FAILED, error=reason, ended_at=timezone.now()))
        return int(gone.update(state=Job.State.WAITING, owner="", due_at=timezone.now()))


def _due() -> Any:
    now = timezone.now()
    # A due time further away than any wait that is ever set comes from a clock that has been set back since.
    set_back = now + timedelta(seconds=2 * _LONGEST_WAIT_S)
    return Job.objects.filter(state=Job.State.WAITING).filter(Q(due_at__lte=now) | Q(due_at__gt=set_back))


def _start(job: Job, owner: str) -> Job:
    job.state, job.owner = Job.State.RUNNING, owner
    job.attempts += 1
    job.beat += 1
    job.save(update_fields=["state", "owner", "attempts", "beat"])
    return job
