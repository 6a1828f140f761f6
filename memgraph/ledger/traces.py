"""Traces: how a search came to its hits. Ids, ranks and scores; never text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import apsw

KEEP: Final = 1_000
"""Traces kept per owner: enough to ask about any recent answer, no history of a user's interests."""


def put(connection: apsw.Connection, batch: Sequence[tuple[int, bytes, int, dict[str, Any]]]) -> None:
    """Write traces (owner, id, at, body) and drop each owner's oldest beyond `KEEP`. Never moves a seq."""
    connection.executemany(
        "insert or ignore into traces values (?, ?, ?, ?)",
        [(owner, identity, at, json.dumps(body).encode()) for owner, identity, at, body in batch],
    )
    for owner in {entry[0] for entry in batch}:
        connection.execute(
            "delete from traces where owner = ? and id <="
            " (select id from traces where owner = ? order by id desc limit 1 offset ?)",
            (owner, owner, KEEP),
        )


def get(connection: apsw.Connection, owner: int, identity: bytes) -> tuple[int, dict[str, Any]] | None:
    """Return (at, body) of a trace, None if it is not there."""
    row = connection.execute("select at, body from traces where owner = ? and id = ?", (owner, identity)).fetchone()
    return None if row is None else (row[0], json.loads(row[1]))


def names(body: Mapping[str, Any], ids: set[str]) -> bool:
    """Whether a trace names one of these turns."""
    return any(entry.get("id") in ids for kind in ("hits", "drops") for entry in body.get(kind, ()))


def drop_naming(connection: apsw.Connection, owner: int, ids: set[str]) -> int:
    """Remove an owner's traces that name one of these turns."""
    gone = [
        identity
        for identity, body in connection.execute("select id, body from traces where owner = ?", (owner,)).fetchall()
        if names(json.loads(body), ids)
    ]
    connection.executemany("delete from traces where owner = ? and id = ?", [(owner, identity) for identity in gone])
    return len(gone)
