"""Connections to the one SQLite file, and its errors in our words."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import apsw

from memgraph.errors import (
    AgentMemoryError,
    EncryptionUnavailable,
    InvalidInput,
    NotAMemoryFile,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreTooNew,
    StoreUnreadable,
)

APPLICATION_ID: Final = 0x6D656D67
"""`memg` in the file's header: how we know a database of ours."""

WRITER_PATIENCE_MS: Final = 5_000
"""How long the writer's own thread waits for another process's lock before `StoreBusy`."""

_STATEMENTS: Final = 512
"""Statements that a connection keeps compiled, the engine's most. Each use takes a place: of the default's 100 what an
add uses once (of 250 statements) is compiled anew with every add, a tenth of their time."""

PLAIN_HEADER: Final = b"SQLite format 3\x00"

Key = str | bytes | None


@contextmanager
def translated(path: str) -> Generator[None]:
    """Turn the engine's errors into ours. Their messages carry no text or key: SQL is constant, values are bound."""
    try:
        yield
    except apsw.BusyError as error:
        raise StoreBusy(f"`{path}` is locked by another process or handle: try again") from error
    except apsw.LockedError as error:
        raise StoreBusy(f"`{path}` is locked by another statement: try again") from error
    except apsw.FullError as error:
        raise StoreFull(f"no space left for `{path}`: nothing of this was stored") from error
    except apsw.NotADBError as error:
        raise NotAMemoryFile(f"`{path}` is not a memgraph database, or its key is missing or wrong") from error
    except apsw.CorruptError as error:
        raise StoreCorrupt(f"`{path}` is damaged: restore a backup, or salvage it with SQLite's .recover") from error
    except (apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise StoreUnreadable(f"`{path}` can't be read or written ({type(error).__name__})") from error
    except apsw.ConnectionClosedError:
        raise StoreClosed(f"`{path}` was closed meanwhile") from None
    except apsw.Error as error:
        raise StoreError(f"`{path}`: {type(error).__name__}") from error


def check_key(key: Key) -> None:
    """Refuse a key that can't be one.

    Raises:
        InvalidInput: It is empty text, or bytes of another length than 32.
        EncryptionUnavailable: The SQLite in use has no ciphers.
    """
    if key is None:
        return
    if not isinstance(key, (str, bytes)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"a key is text or 32 bytes, not {type(key).__name__}")
    if isinstance(key, bytes) and len(key) != 32:
        raise InvalidInput(f"a raw key has 32 bytes, not {len(key)}; a passphrase is given as text")
    if isinstance(key, str) and not key:
        raise InvalidInput("the key is empty; leave it out for a plaintext file")
    if not getattr(apsw, "mc_version", None):
        raise EncryptionUnavailable(
            "this SQLite has no ciphers and would write plaintext: the distribution `apsw` was installed over "
            "`apsw-sqlite3mc`; uninstall both, then install apsw-sqlite3mc"
        )


def key_pragma(key: str | bytes) -> str:
    """Return the engine's form of a key: 32 raw bytes skip the key derivation, text is a passphrase."""
    return f"raw:{key.hex()}" if isinstance(key, bytes) else key


def apply_key(connection: apsw.Connection, key: Key, *, pragma: str = "key") -> None:
    """Set (`key`) or change (`rekey`) the key of a connection; None removes it on a change."""
    if key is None:
        if pragma == "rekey":
            connection.pragma(pragma, "")
        return
    if isinstance(key, str):
        # As hex, so that no character of it means anything to the engine.
        connection.pragma(f"hex{pragma}", _passphrase(key).encode("utf-8", "surrogatepass").hex())
    else:
        connection.pragma(pragma, key_pragma(key))


def _passphrase(key: str) -> str:
    """Return a passphrase that the engine takes for one: what begins with `raw:` would be the key itself to it."""
    return f"\0{key}" if key.lstrip("\0").startswith("raw:") else key


def _into_wal(connection: apsw.Connection) -> None:
    """Write to a log from now on. Where two processes make a file at once, the engine gives up without waiting."""
    until = time.monotonic() + WRITER_PATIENCE_MS / 1_000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return


def connect(path: str, key: Key, *, vfs: str | None = None, writer: bool = False) -> apsw.Connection:
    """Open a connection to the file and prove that it can be read.

    Args:
        path: The file; made if absent.
        key: Its key, None for plaintext.
        vfs: A file layer registered with the engine (tests make theirs fail), None for the default.
        writer: Whether it waits for locks on its thread (the writer) or returns at once (readers on an event loop).

    Raises:
        NotAMemoryFile: The file is something else, or the key is missing or wrong.
    """
    with translated(path):
        connection = apsw.Connection(path, vfs=vfs, statementcachesize=_STATEMENTS)
        try:
            apply_key(connection, key)
            connection.set_busy_timeout(WRITER_PATIENCE_MS if writer else 0)
            # The first read: a wrong key or a foreign file shows here.
            tables = connection.execute("select count(*) from sqlite_schema").get
            application = connection.pragma("application_id")
            if application != APPLICATION_ID and (tables or application):
                raise NotAMemoryFile(f"`{path}` is a database, but not one of memgraph's")
            if not tables and not writer:
                raise StoreError(f"`{path}` is empty")
            if writer:
                connection.pragma("page_size", 4096)
                connection.pragma("auto_vacuum", 0)
                _into_wal(connection)
            connection.pragma("secure_delete", True)
            connection.pragma("foreign_keys", False)
            connection.pragma("trusted_schema", False)
            if key is not None:
                # Temporary files (of VACUUM, of large sorts) would be another place to keep secret.
                connection.pragma("temp_store", 2)
            connection.pragma("cache_size", -8_000)
            connection.create_scalar_function("matches", _matches)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def snapshot(connection: apsw.Connection) -> Generator[None]:
    """Let all reads of a block see one state."""
    connection.execute("begin")
    try:
        yield
    except BaseException as error:
        release_cursors(error)
        raise
    finally:
        if connection.in_transaction:  # an error of the engine's may have ended it
            connection.execute("commit")


def release_cursors(error: BaseException) -> None:
    """Let go of the queries that an error stopped amid: whoever keeps it would keep the state that they read."""
    traceback.clear_frames(error.__traceback__)


def _matches(test: Callable[..., bool], *values: apsw.SQLiteValue) -> bool:
    """Let a query ask a function that is bound to it (`apsw.pyobject`): `matches(?, column, ...)`."""
    return test(*values)


def check_encrypted(path: str, key: Key) -> None:
    """Refuse to go on if a key was given and the file's header is plaintext all the same."""
    if key is None or not os.path.exists(path):
        return
    with translated(path):
        # Through the engine's own file layer: to open and close the file ourselves would drop the locks that the
        # engine holds on it for this process.
        file = apsw.VFSFile("", path, [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0])
        try:
            plain = file.xFileSize() >= len(PLAIN_HEADER) and file.xRead(len(PLAIN_HEADER), 0) == PLAIN_HEADER
        finally:
            file.xClose()
        if plain:
            raise NotAMemoryFile(f"a key was given but `{path}` is a plaintext file; open it without, then rekey(key)")


def check_not_emptied(path: str) -> None:
    """Refuse a file without a byte beside a log with some: it was emptied, and a new one would take its place.

    Raises:
        StoreCorrupt: It is so.
    """
    log = f"{path}-wal"
    if os.path.exists(path) and os.path.exists(log) and os.path.getsize(log) > 0:
        raise StoreCorrupt(f"`{path}` is empty, but its log is not: restore a backup, or remove `{log}` to begin anew")


def schema_version(connection: apsw.Connection) -> int:
    """Return the version of the file's schema, 0 for a new file."""
    version: int = connection.pragma("user_version")
    return version


def refuse_newer(path: str, found: int, known: int) -> None:
    """Raise if the file was written by a newer memgraph.

    Raises:
        StoreTooNew: It was.
    """
    if found > known:
        raise StoreTooNew(f"`{path}` has schema {found}, this memgraph knows {known}: upgrade langgraph-memory-nodes")


__all__ = [
    "AgentMemoryError",
    "Key",
    "apply_key",
    "check_encrypted",
    "check_key",
    "check_not_emptied",
    "connect",
    "refuse_newer",
    "release_cursors",
    "schema_version",
    "snapshot",
    "translated",
]
