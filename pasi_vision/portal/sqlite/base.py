"""SQLite lets one connection write at a time; those that wait sleep longer and longer and may all sleep while nobody writes.

Within one process the threads therefore queue for their immediate transactions here, first come, first served; SQLite's own waiting is
left for other processes. Django looks for this module by the name of its package (`ENGINE`).
"""

from __future__ import annotations

import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

__all__ = ["DatabaseWrapper"]

_LONGEST_WAIT_S = 30.0
_writer = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose immediate transactions hold the process's writing lock from begin to end."""

    _writes = False

    def _start_transaction_under_autocommit(self) -> None:
        if self.transaction_mode == "IMMEDIATE":
            if not _writer.acquire(timeout=_LONGEST_WAIT_S):
                raise OperationalError("database is locked: another thread of this process writes for too long")
            self._writes = True
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._let_go()
            raise

    def _commit(self) -> Any:
        super()._commit()  # where it fails, Django rolls back next, and that lets go
        self._let_go()

    def _rollback(self) -> Any:
        try:
            super()._rollback()
        finally:
            self._let_go()

    def _close(self) -> Any:
        try:
            super()._close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._writes:
            self._writes = False
            _writer.release()
