"""Traces: how a search came to its hits. Ids, ranks and scores; never text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import apsw

from memgraph.ledger import owners

KEEP: Final = 1_000
"""Traces kept per owner: enough to ask about any recent answer, no history of a user's interests."""


def put(connection: apsw.Connection, batch: Iterable[tuple[bytes, bytes, int, dict[str, Any]]]) -> None:
    """Write traces (owner's key, id, at, body) and drop each owner's oldest beyond `KEEP`. Never moves a seq.

    A user without data of their own becomes an owner only where there was something to find (in a team's memory).
    """
    written: set[int] = set()
    for key, identity, at, body in batch:
        owner = owners.ensure(connection, key) if body["hits"] else owners.find(connection, key)
        if owner is not None:
            connection.execute(
                "insert or ignore into traces values (?, ?, ?, ?)",
                (owner.owner, identity, at, json.dumps(body).encode()),
            )
            written.add(owner.owner)
    for number in written:
        connection.execute(
            "delete from traces where owner = ? and id <="
            " (select id from traces where owner = ? order by id desc limit 1 offset ?)",
            (number, number, KEEP),
        )


def get(connection: apsw.Connection, owner: int, identity: bytes) -> tuple[int, dict[str, Any]] | None:
    """Return (at, body) of a trace, None if it is not there."""
    row = connection.execute("select at, body from traces where owner = ? and id = ?", (owner, identity)).fetchone()
    return None if row is None else (row[0], json.loads(row[1]))


def names(body: Mapping[str, Any], ids: set[str]) -> bool:
    """Whether a trace names one of these turns, or a fact that one of them says."""
    entries = (entry for kind in ("hits", "drops") for entry in body.get(kind, ()))
    return any(entry.get("id") in ids or not ids.isdisjoint(entry.get("evidence", ())) for entry in entries)


def drop_naming(connection: apsw.Connection, owner: int, ids: set[str]) -> int:
    """Remove an owner's traces that name one of these turns."""
    gone = [
        identity
        for identity, body in connection.execute("select id, body from traces where owner = ?", (owner,)).fetchall()
        if names(json.loads(body), ids)
    ]
    connection.executemany("delete from traces where owner = ? and id = ?", [(owner, identity) for identity in gone])
    return len(gone)
