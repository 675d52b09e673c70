"""Processes that work beside this one: none outlives the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

__all__ = ["end_with_parent", "pool_of"]


def pool_of(jobs: int, prepare: Callable[[], object] = bool) -> ProcessPoolExecutor:
    """A pool of `jobs` new processes (a fork would copy locks of this one's threads as they stand); each calls `prepare` first."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(prepare,))


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, killed or not."""
    threading.Thread(target=_wait_for_the_parent, daemon=True).start()


def _begin(prepare: Callable[[], object]) -> None:
    end_with_parent()
    prepare()


def _wait_for_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
