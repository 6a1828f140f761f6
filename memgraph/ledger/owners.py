"""Owners: the digest of (org, project, user) to a small integer, with its own growing seq."""

from __future__ import annotations

import os
from dataclasses import dataclass

import apsw

from memgraph.errors import ScopeDenied

Place = tuple[str | None, str | None, str | None]
"""Thread, session and agent: where turns were said."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner's row."""

    owner: int
    secret: bytes
    seq: int
    last_row: int
    last_place: int


def find(connection: apsw.Connection, key: bytes) -> Owner | None:
    """Return the owner with this key, None if it has no data yet."""
    row = connection.execute(
        "select owner, secret, seq, last_row, last_place from owners where key = ?", (key,)
    ).fetchone()
    return None if row is None else Owner(*row)


def numbered(connection: apsw.Connection, owner: int) -> Owner:
    """Return an owner that is there, by its integer."""
    row = connection.execute(
        "select owner, secret, seq, last_row, last_place from owners where owner = ?", (owner,)
    ).fetchall()[0]
    return Owner(*row)


def ensure(connection: apsw.Connection, key: bytes) -> Owner:
    """Return the owner with this key, made if absent."""
    found = find(connection, key)
    if found is None:
        connection.execute("insert into owners(key, secret) values (?, ?)", (key, os.urandom(32)))
        found = find(connection, key)
        assert found is not None
    return found


def note_last_row(connection: apsw.Connection, owner: int, row: int) -> None:
    """Note the last row number that was drawn."""
    connection.execute("update owners set last_row = ? where owner = ?", (row, owner))


def head(connection: apsw.Connection, key: bytes) -> tuple[int, int] | None:
    """Return (owner, seq) for a read, None if it has no data yet."""
    return connection.execute("select owner, seq from owners where key = ?", (key,)).fetchone()


def every(connection: apsw.Connection) -> list[int]:
    """Return all owners' integers."""
    return [owner for (owner,) in connection.execute("select owner from owners order by owner")]


def thread_owner(connection: apsw.Connection, thread: bytes) -> int | None:
    """Return the owner of a thread (by the digest of its id), None if no node ran in it yet."""
    owner: int | None = connection.execute("select owner from threads where key = ?", (thread,)).get
    return owner


def claim_thread(connection: apsw.Connection, thread: bytes, owner: int) -> None:
    """Give a thread to the owner whose node first ran in it.

    Raises:
        ScopeDenied: It belongs to somebody else.
    """
    connection.execute("insert or ignore into threads values (?, ?)", (thread, owner))
    deny_foreign_thread(thread_owner(connection, thread), owner)


def deny_foreign_thread(found: int | None, owner: int | None) -> None:
    """Raise if a thread's owner is somebody else.

    Raises:
        ScopeDenied: It is.
    """
    if found is not None and found != owner:
        raise ScopeDenied("this thread belongs to another user: start a thread of your own")


def place_number(connection: apsw.Connection, owner: Owner, names: Place) -> int:
    """Return the number of (thread, session, agent) within an owner, the next one if it is new."""
    found: int | None = connection.execute(
        "select place from places where owner = ? and ifnull(thread_id, x'') = ifnull(?, x'')"
        " and ifnull(session_id, x'') = ifnull(?, x'') and ifnull(agent_id, x'') = ifnull(?, x'')",
        (owner.owner, *names),
    ).get
    if found is None:
        found = owner.last_place + 1
        connection.execute("insert into places values (?, ?, ?, ?, ?)", (owner.owner, found, *names))
    return found
