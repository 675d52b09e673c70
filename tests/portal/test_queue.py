"""Jobs: once each, leases that no clock decides, takeover, retries with limits."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import timedelta
from typing import Any

import pytest
import served
from django.utils import timezone

from pasi_vision.portal import queue
from pasi_vision.portal.models import Job


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The monotonic clock of the watch, moved by hand."""
    now = [1000.0]
    monkeypatch.setattr("pasi_vision.portal.queue.time.monotonic", lambda: now[0])
    return now


def test_a_job_is_on_the_list_once_however_often_it_is_added() -> None:
    target = uuid.uuid4()
    first = queue.add(Job.Kind.SEGMENT, target, "v1")
    assert queue.add(Job.Kind.SEGMENT, target, "v1").pk == first.pk
    assert queue.add(Job.Kind.SEGMENT, target, "v2").pk != first.pk


def test_urgent_jobs_come_first_and_two_workers_never_get_the_same() -> None:
    slow = queue.add(Job.Kind.SCORE, uuid.uuid4())
    quick = queue.add(Job.Kind.RECEIVE, uuid.uuid4())
    assert [queue.claim("a"), queue.claim("b"), queue.claim("c")] == [quick, slow, None]


def test_a_living_worker_keeps_its_job_and_a_dead_ones_is_taken_over(clock: Any) -> None:
    queue.add(Job.Kind.SEGMENT, uuid.uuid4())
    job = queue.claim("dead or alive")
    assert job is not None
    watch = queue.Watch(lease_s=60, attempts=3)
    for _ in range(5):  # alive: the count moves
        assert watch.free_orphans() == 0
        assert queue.beat(job)
        clock[0] += 59
    assert watch.free_orphans() == 0
    clock[0] += 59
    assert watch.free_orphans() == 0, "not yet a whole lease"
    clock[0] += 2
    assert watch.free_orphans() == 1
    again = queue.claim("heir")
    assert again is not None
    assert (again.pk, again.attempts) == (job.pk, 2)
    assert not queue.beat(job), "the first owner learns that it has lost the job"
    with pytest.raises(queue.LeaseLostError):
        queue.finish(job)
    queue.finish(again)
    assert Job.objects.get().state == Job.State.DONE


def test_a_job_that_kills_its_workers_ends_with_its_reason(clock: Any) -> None:
    queue.add(Job.Kind.SEGMENT, uuid.uuid4())
    watch = queue.Watch(lease_s=60, attempts=2)
    for _ in range(2):
        assert queue.claim("victim") is not None
        watch.free_orphans()
        clock[0] += 61
        assert watch.free_orphans() == 1
    job = Job.objects.get()
    assert job.state == Job.State.FAILED
    assert "ended 2 times" in job.error


def test_failures_are_tried_again_later_and_later_and_then_shown() -> None:
    job = queue.add(Job.Kind.SCORE, uuid.uuid4())
    waits = []
    for attempt in range(1, 4):
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
        mine = queue.claim("w")
        assert mine is not None
        assert mine.attempts == attempt
        queue.fail(mine, "no model", attempts=3)
        job.refresh_from_db()
        waits.append((job.due_at - timezone.now()).total_seconds())
        assert queue.claim("w") is None
    assert job.state == Job.State.FAILED
    assert job.error == "no model"
    assert waits[0] < waits[1] <= 600


def test_a_job_that_is_put_off_keeps_its_attempts() -> None:
    queue.add(Job.Kind.SEGMENT, uuid.uuid4())
    for _ in range(5):
        Job.objects.update(due_at=timezone.now())
        job = queue.claim("w")
        assert job is not None
        assert job.attempts == 1
        queue.put_off(job, "the disk is full")
        assert queue.claim("w") is None, "not at once"
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == (Job.State.WAITING, 0, "the disk is full")


def test_a_worker_puts_off_what_a_full_disk_stopped_and_counts_what_the_photograph_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pasi_vision.errors import OutputError
    from pasi_vision.portal import worker
    from pasi_vision.portal.examiners import ExaminerEndedError

    for error, attempts in ((OutputError("the disk is full"), 0), (ExaminerEndedError("the check ended"), 1)):

        def step(job: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setitem(worker._STEPS, "segment", step)
        queue.add(Job.Kind.SEGMENT, uuid.uuid4())
        job = queue.claim("w")
        worker.Worker()._do(job)
        job = Job.objects.get(pk=job.pk)
        assert (job.state, job.attempts) == (Job.State.WAITING, attempts)


def test_a_clock_that_was_set_back_does_not_hide_waiting_jobs() -> None:
    job = queue.add(Job.Kind.SCORE, uuid.uuid4())
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now() + timedelta(days=3))
    assert queue.claim("w") is not None


def test_a_worker_does_what_the_browser_did_not_wait_for(study: Any, signed_in: Any, jpeg: Any) -> None:
    """The upload is whole, the browser is gone: the worker checks the photograph."""
    import base64

    from pasi_vision.portal.models import Photograph, Upload
    from pasi_vision.portal.worker import Worker

    data, client = jpeg(40), signed_in("uploader")
    pairs = {"visit": str(study.visit.pk), "view": "palms"}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
    tus = {"Tus-Resumable": "1.0.0"}
    made = client.post(
        "/api/v1/uploads/", headers={**tus, "Upload-Length": str(len(data)), "Upload-Metadata": metadata}
    )
    client.patch(
        made["Location"], data, content_type="application/offset+octet-stream", headers={**tus, "Upload-Offset": "0"}
    )
    worker = Worker()
    assert queue.claim("too early") is None, "the browser has 20 seconds to ask itself"
    Job.objects.update(due_at=timezone.now())
    job = queue.claim(worker.owner)
    worker._do(job)
    assert Upload.objects.get().state == Upload.State.DONE
    assert Photograph.objects.count() == 1
    assert Job.objects.get(kind="receive").state == Job.State.DONE


@pytest.mark.slow
def test_workers_on_postgresql_share_the_jobs_and_never_do_one_twice(postgres: str) -> None:
    """One, two and three worker processes against one database (SKIP LOCKED)."""
    script = str(served.BENCH / "bench_portal_workers.py")
    words = ["--kind", "receive", "--jobs", "9", "--most", "3", "--megapixels", "0.3"]
    done = subprocess.run(
        [sys.executable, script, *words],
        env=served.environment(DATABASE_URL=postgres), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["database"], told["failed"], told["tried_more_than_once"]) == ("postgresql", 0, 0)
    assert [run["owners"] for run in told["runs"]] == [1, 2, 3]


def test_sqlite_is_set_up_for_many_writers() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1], "2: full, what was acknowledged survives a power cut"
    assert connection.transaction_mode == "IMMEDIATE"
