"""Changing a file's key, with a copy to fall back on.

The engine writes every page anew, in place. A kill in the midst of it is harmless, its journal has the old pages whole;
but where a write fails, its rollback puts pages back under either key, and a file that had none can end up under both.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

import apsw

from memgraph.errors import StoreBusy, StoreError, StoreUnreadable
from memgraph.ledger.engine import Key, apply_key, connect, translated

_SPARE: Final = "-before-rekey"


def change_key(connection: apsw.Connection, path: str, old: Key, new: Key, vfs: str | None) -> None:
    """Bring a file under another key.

    Args:
        connection: This process's only one to the file; used up by this.
        path: The file.
        old: Its key.
        new: The one to be, None for none.
        vfs: The file layer.

    Raises:
        StoreBusy: Somebody else has the file open.
        StoreError: The change failed; the file is as it was.
    """
    with translated(path):
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        if connection.pragma("journal_mode", "delete") != "delete":
            raise StoreBusy(f"`{path}` is open elsewhere: changing the key needs the file to itself")
        # What this connection keeps of the pages may be older than what another process put into the log, and out of
        # the log it would not notice: a new one goes on, under a lock that it keeps.
        connection.close()
        connection = _exclusive(path, old, vfs)
    try:
        _copy(connection, path, old, vfs)
    except BaseException:
        connection.close()
        drop_spare(path)
        raise
    try:
        with translated(path):
            apply_key(connection, new, pragma="rekey")
            connection.close()
        with suppress(StoreBusy):
            connect(path, new, vfs=vfs).close()
    except StoreError:
        connection.close()
        _restore(path)
        raise
    drop_spare(path)


def _exclusive(path: str, key: Key, vfs: str | None) -> apsw.Connection:
    connection = connect(path, key, vfs=vfs)
    try:
        connection.pragma("locking_mode", "exclusive")
        connection.execute("begin exclusive; commit")
        if connection.pragma("journal_mode") != "delete":
            raise StoreBusy(f"`{path}` was opened elsewhere just now: changing the key needs the file to itself")
    except BaseException:
        connection.close()
        raise
    return connection


def drop_spare(path: str) -> None:
    """Remove a file's copy, if a kill left one: the file itself opens, and no erasure would reach the copy."""
    for ending in (_SPARE, f"{_SPARE}-journal"):
        with suppress(FileNotFoundError):
            os.remove(f"{path}{ending}")


def _copy(connection: apsw.Connection, path: str, key: Key, vfs: str | None) -> None:
    spare = f"{path}{_SPARE}"
    with suppress(OSError):  # the engine says what is wrong
        os.close(os.open(spare, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    with translated(spare):
        copy = apsw.Connection(spare, vfs=vfs)
        try:
            apply_key(copy, key)
            with copy.backup("main", connection, "main") as backup:
                backup.step()
        finally:
            copy.close()


def _restore(path: str) -> None:
    spare = f"{path}{_SPARE}"
    try:
        os.replace(spare, path)
    except OSError as error:
        raise StoreUnreadable(
            f"the key of `{path}` can't be changed, nor the file put back: it is `{spare}`"
        ) from error
    with suppress(FileNotFoundError):
        os.remove(f"{path}-journal")  # it may hold the rollback that failed; what it holds is in the copy
