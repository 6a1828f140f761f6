"""No connection lives through a fork: all are closed before one, and opened again when they are used next.

SQLite keeps locks, and what it knows of the locks on its files, in the process. A child would inherit them as they are
at that moment: a mutex of a thread that is not there would hang it, a lock that nobody will give back would leave the
file busy for it, and a lock that it only believes to have would let others take the log away from under it.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from typing import Protocol

import apsw


class Connected(Protocol):
    """What has a connection."""

    gate: threading.RLock
    """Held by whoever is inside the engine with it."""

    def disconnect(self) -> None:
        """Close the connection, if it is open; the next use opens it. Called with the gate held."""
        ...


_all: weakref.WeakSet[Connected] = weakref.WeakSet()
_held: list[threading.RLock] = []

opening = threading.RLock()
"""Held by whoever opens or closes a file. A fork waits for it first, then for the gates."""


def register(connected: Connected) -> None:
    """See that a fork finds its connection closed. While `opening` is held."""
    _all.add(connected)


def _before() -> None:
    opening.acquire()
    for connected in list(_all):
        connected.gate.acquire()
        _held.append(connected.gate)
        with suppress(apsw.Error):
            connected.disconnect()


def _after() -> None:
    for gate in reversed(_held):
        gate.release()
    _held.clear()
    opening.release()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
