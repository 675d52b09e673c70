"""Child processes that are kept running: started again when they end, later and later, and ended together with this one."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping

__all__ = ["end_with", "keep_running"]

_log = logging.getLogger(__name__)
_LOOK_S = 0.2
_SOUND_S = 60.0
"""A process that ran for so long was sound: when it ends, the next one is started at once."""
_LONGEST_PAUSE_S = 60.0
_PATIENCE_S = 60.0
"""So long children may take to finish what they have in hand."""
_PR_SET_PDEATHSIG = 1


class _Child:
    """One of them: how it is started, and since when it runs."""

    def __init__(self, name: str, begin: Callable[[], int]) -> None:
        self.name, self._begin = name, begin
        self.pid, self._began, self._due, self._early_ends = 0, 0.0, 0.0, 0

    def keep(self) -> None:
        """Start it if it does not run and its pause is over."""
        if self.pid:
            ended = self.ended()
            if ended is None:
                return
            is_sound = time.monotonic() - self._began >= _SOUND_S
            self._early_ends = 0 if is_sound else self._early_ends + 1
            pause = 0.0 if is_sound else min(_LONGEST_PAUSE_S, 2.0 ** (self._early_ends - 1))
            self._due = time.monotonic() + pause
            _log.warning("%s (%s) ended: %s; it is started again in %.0f s", self.name, self.pid, ended, pause)
            self.pid = 0
        if time.monotonic() >= self._due:
            self.pid, self._began = self._begin(), time.monotonic()

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return "somebody else has noticed"
        if not pid:
            return None
        code = os.waitstatus_to_exitcode(status)
        return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"

    def tell(self, number: int) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def keep_running(children: Mapping[str, Callable[[], int]]) -> None:
    """Keep one process of each kind running until this one is told to stop (SIGTERM or Ctrl+C), then end them all.

    Args:
        children: By name, what starts the process and gives its number.
    """
    told: list[int] = []
    before = {kind: signal.signal(kind, lambda number, _: told.append(number)) for kind in _STOPS}
    kept = [_Child(name, begin) for name, begin in children.items()]
    try:
        while not told:
            for child in kept:
                child.keep()
            time.sleep(_LOOK_S)
    finally:
        _end([child for child in kept if child.pid])
        for kind, handler in before.items():
            signal.signal(kind, handler)


_STOPS = (signal.SIGTERM, signal.SIGINT)


def _end(running: list[_Child]) -> None:
    for child in running:
        child.tell(signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_S
    while (running := [child for child in running if child.ended() is None]) and time.monotonic() < until:
        time.sleep(_LOOK_S / 4)
    for child in running:  # what it had in hand is done again by another worker
        _log.warning("%s (%s) did not end within %.0f s and is killed", child.name, child.pid, _PATIENCE_S)
        child.tell(signal.SIGKILL)


def end_with(parent: int) -> None:
    """Have this process told to stop when `parent`, which started it, is gone, however that ended (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone before this line
            os.kill(os.getpid(), signal.SIGTERM)
