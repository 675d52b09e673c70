"""Processes that examine photographs beside the web server, so that pages stay quick while many photographs arrive.

A web process starts them once (`begin`); without them, as in a worker, the caller examines by itself. They end with the process that
started them, and a photograph that takes one of them down is tried again like any other failed job.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from pasi_vision.anatomy import View
from pasi_vision.errors import PasiVisionError
from pasi_vision.portal.examine import Examined, Unreadable, examine
from pasi_vision.processes import pool_of

__all__ = ["ExaminerEndedError", "begin", "end", "examined", "room"]

_NICENESS = 2
"""Pages come first: an examiner takes what they leave."""
_WAITING_PER_EXAMINER = 4
"""More photographs than these wait before the check: then the next bytes are taken later, so that each verdict comes soon."""
_LONGEST_WAIT_S = 25.0
_RESERVED_S = 3.0
"""So long bytes on their way count as a photograph before the check; a slow connection must not keep others away."""


class ExaminerEndedError(PasiVisionError):
    """The process ended on the way: the photograph may be what ended it, so this counts as an attempt."""


class _Examiners:
    """The processes of one web process."""

    def __init__(self, processes: int, root: str) -> None:
        self.processes, self._root = processes, root
        self._changed = threading.Condition()
        self._in_hand = 0
        self._reserved: dict[str, float] = {}
        self._pool = self._started()

    def examined(self, staged: Path, view: View, sha256: str) -> Examined | Unreadable:
        with self._changed:
            self._reserved.pop(staged.name, None)
            self._in_hand += 1
            pool = self._pool
        try:
            return pool.submit(examine, staged, view, sha256).result()
        except BrokenProcessPool as error:
            self._start_again(pool)
            raise ExaminerEndedError(
                "the check ended before it was done", where="photograph", fix="It is tried again."
            ) from error
        finally:
            with self._changed:
                self._in_hand -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def room(self, upload: str, *, last: bool) -> Iterator[None]:
        with self._changed:
            until = time.monotonic() + _LONGEST_WAIT_S
            if self._is_full():
                _let_database_go()
            while self._is_full() and time.monotonic() < until:
                self._changed.wait(0.25)  # a place may also become free because its time is over
            self._reserved = {name: until for name, until in self._reserved.items() if until > time.monotonic()}
            self._reserved[upload] = time.monotonic() + _RESERVED_S
        try:
            yield
        finally:
            if not last:  # the last bytes keep their place until the check begins
                self._give_back(upload)

    def _give_back(self, upload: str) -> None:
        with self._changed:
            self._reserved.pop(upload, None)
            self._changed.notify_all()

    def _is_full(self) -> bool:
        now = time.monotonic()
        coming = sum(until > now for until in self._reserved.values())
        return self._in_hand + coming >= self.processes * _WAITING_PER_EXAMINER

    def end(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        pool = pool_of(self.processes, partial(_begin_examiner, self._root))
        for _ in range(self.processes):
            pool.submit(time.sleep, 0)  # starts them now, not with the first photograph
        return pool

    def _start_again(self, broken: ProcessPoolExecutor) -> None:
        with self._changed:
            if self._pool is broken:
                self._pool = self._started()


_examiners: _Examiners | None = None
_at_once = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))
"""Without processes: decoding takes memory and a core, so no more at once than there are cores."""


def begin(processes: int, root: str) -> None:
    """Start `processes` examiners for this process."""
    global _examiners
    _examiners = _Examiners(processes, root)


def end() -> None:
    """Let the examiners go."""
    global _examiners
    if _examiners is not None:
        _examiners.end()
        _examiners = None


def examined(staged: Path, view: View, sha256: str) -> Examined | Unreadable:
    """`examine`, by one of the examiners where there are any.

    Raises:
        OutputError: The vault cannot be written.
        ExaminerEndedError: The examiner ended on the way.
    """
    if _examiners is not None:
        _let_database_go()
        return _examiners.examined(staged, view, sha256)
    with _at_once:
        return examine(staged, view, sha256)


def room(upload: str, *, last: bool) -> contextlib.AbstractContextManager[None]:
    """Around taking more bytes of an upload: waits a while first if many photographs stand before the check already."""
    return contextlib.nullcontext() if _examiners is None else _examiners.room(upload, last=last)


def _let_database_go() -> None:
    """A request that waits holds no database connection."""
    from django.db import connection

    connection.close()


def _begin_examiner(root: str) -> None:
    """In the new process: low priority, and Django's settings for the vault."""
    os.nice(_NICENESS)
    import cv2

    from pasi_vision.portal.start import start

    cv2.setNumThreads(1)
    start(root)
