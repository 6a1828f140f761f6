"""One BLAS thread for our products, whatever the process has set."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

# Here, not at the first search: a fork amid an import leaves a lock in the child that nobody releases.
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_before: list[int] = []


@cache
def _libraries() -> list[Any]:
    # BLAS loads with the first product, and only what is loaded is found.
    np.dot(np.ones((2, 2), np.float32), np.ones(2, np.float32))
    controllers: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return controllers


def _set(library: Any, threads: int) -> None:
    """Set a library's threads from any thread of ours; `_lock` lets in one at a time.

    Newer releases of threadpoolctl let only the first thread that asks set OpenBLAS's and do nothing in all others: the
    loop of a second memory would run its products on every core.
    """
    release = getattr(library, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)
    library.set_num_threads(threads)
    if release is not None:
        release(force=True)


def _released_in_child() -> None:
    """Begin anew in a forked child: the products that ran at the fork ran in threads that are not here."""
    global _inside
    if _inside:
        _inside = 0
        for library, threads in zip(_libraries(), _before, strict=True):
            if threads != 1:
                _set(library, threads)
    _lock.release()


# Held across a fork, so that no child inherits it from a thread that it hasn't got.
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_released_in_child)


@contextmanager
def one_thread() -> Generator[None]:
    """Run the block on one BLAS thread and give the process its setting back.

    A product of one owner's matrix is memory-bound: two threads on two shared cores were 14 times slower. The setting
    is the process's, so the first one in takes it and the last one out returns it.
    """
    global _inside, _before
    libraries = _libraries()
    with _lock:
        if _inside == 0:
            _before = [library.get_num_threads() for library in libraries]
            for library, threads in zip(libraries, _before, strict=True):
                if threads != 1:
                    _set(library, 1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for library, threads in zip(libraries, _before, strict=True):
                    if threads != 1:
                        _set(library, threads)
