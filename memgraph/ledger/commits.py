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


def since(connection: apsw.Connection, owner: int, seq: int) -> list[tuple[str, list[int]]]:
    """Return (kind, touched rows) of the commits after `seq`, in order."""
    return [
        (kind, unpack(touched))
        for kind, touched in connection.execute(
            "select kind, touched from commits where owner = ? and seq > ? order by seq", (owner, seq)
        )
    ]
