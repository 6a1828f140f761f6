"""Commits: what changed in an owner, numbered without a gap, with its cause."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import apsw
import numpy as np


def pack(rows: Iterable[int]) -> bytes:
    """Return row numbers as a blob, sorted, each once."""
    return np.array(sorted(set(rows)), dtype="<i8").tobytes()


def unpack(blob: bytes) -> list[int]:
    """Return the row numbers of a blob."""
    rows: list[int] = np.frombuffer(blob, dtype="<i8").tolist()
    return rows


def record(
    connection: apsw.Connection,
    owner: int,
    *,
    at: int,
    kind: str,
    touched: Iterable[int],
    cause: Mapping[str, str] | None = None,
    reason: str | None = None,
) -> int:
    """Take the owner's next number and write its commit. Inside the transaction, so that its order is commit order.

    Args:
        connection: The writer's.
        owner: The owner.
        at: Microseconds UTC.
        kind: "turns", "index", "forget" or "erase".
        touched: Rows whose turn or index changed: what a reader's cache looks at again.
        cause: Thread, checkpoint and task of the graph run.
        reason: Why, in the caller's words (of a `forget`).
    """
    seq: int = connection.execute("update owners set seq = seq + 1 where owner = ? returning seq", (owner,)).get
    connection.execute(
        "insert into commits values (?, ?, ?, ?, ?, ?, ?)",
        (owner, seq, at, kind, json.dumps(dict(cause)) if cause else None, pack(touched), reason),
    )
    return seq


def since(connection: apsw.Connection, key: bytes, seq: int) -> tuple[int, int, list[tuple[str, list[int]]]] | None:
    """Return an owner's number and latest commit, and (kind, touched rows) of the commits after `seq`, in order.

    One statement: every search begins with it. None if the owner has no data yet.
    """
    rows = connection.execute(
        "select o.owner, o.seq, c.kind, c.touched from owners o"
        " left join commits c on c.owner = o.owner and c.seq > ? where o.key = ? order by c.seq",
        (seq, key),
    ).fetchall()
    if not rows:
        return None
    owner, last, first, _ = rows[0]
    return owner, last, [] if first is None else [(kind, unpack(touched)) for _, _, kind, touched in rows]
