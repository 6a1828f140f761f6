"""The rows behind the embedded projections: postings and vectors, keyed by (owner, row, part)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from memgraph.ledger.turns import carray
from memgraph.records import OPEN

Vector = NDArray[np.float32]

_HEADS = (
    "select t.row, t.said_at, t.recorded_at, t.superseded_at, t.place, t.speaker, p.before, p.words, p.flags, p.terms"
    " from turns t join postings p on p.owner = t.owner and p.row = t.row and p.part = 0 where t.owner = ?"
)
_NEW_HEADS = (
    "select t.row, t.said_at, t.recorded_at, t.superseded_at, t.place, t.speaker, p.before, p.words, p.flags, p.terms,"
    " (select b.terms from postings b where b.owner = p.owner and b.row = p.before and b.part = 0),"
    " l.thread_id, l.session_id, l.agent_id"
    " from turns t join postings p on p.owner = t.owner and p.row = t.row and p.part = 0"
    " join places l on l.owner = t.owner and l.place = t.place"
    " where t.owner = ? and t.row in carray(?) order by t.row"
)

_LACKING = (
    "t.superseded_at = ?3 and not exists"
    " (select 1 from vectors v where v.owner = t.owner and v.row = t.row and v.recipe = ?4)"
)


def heads(connection: apsw.Connection, owner: int) -> list[tuple[Any, ...]]:
    """Return what the cache holds of all turns, in row order."""
    return connection.execute(_HEADS + " order by t.row", (owner,)).fetchall()


def new_heads(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> list[tuple[Any, ...]]:
    """Return what the cache holds of some turns, in row order, then their context's terms and their place's names.

    One statement for all three: it runs in a search right after an add.
    """
    return connection.execute(_NEW_HEADS, (owner, carray(rows))).fetchall()


def places(connection: apsw.Connection, owner: int) -> list[tuple[int, str | None, str | None, str | None]]:
    """Return (place, thread, session, agent) of an owner."""
    return connection.execute(
        "select place, thread_id, session_id, agent_id from places where owner = ? order by place", (owner,)
    ).fetchall()


def vectors(
    connection: apsw.Connection, owner: int, recipe: int, rows: Iterable[int] | None = None
) -> list[tuple[int, int, int | None, bytes]]:
    """Return (row, part, before, vector) made by one embedder (all, or of some rows)."""
    sql = "select row, part, before, vector from vectors where owner = ? and recipe = ?"
    if rows is None:
        return connection.execute(sql + " order by row, part", (owner, recipe)).fetchall()
    return connection.execute(
        sql + " and row in carray(?) order by row, part", (owner, recipe, carray(rows))
    ).fetchall()


def pack(vector: Vector) -> bytes:
    """Return a unit vector as stored: float16, half the bytes, its error (1e-3) far below what tells turns apart."""
    return np.asarray(vector, dtype="<f2").tobytes()


def unpack(blobs: Sequence[bytes], dims: int) -> Vector:
    """Return stored vectors as one float32 matrix."""
    return np.frombuffer(b"".join(blobs), dtype="<f2").reshape(len(blobs), dims).astype(np.float32)


def put_vectors(
    connection: apsw.Connection, owner: int, recipe: int, made: Mapping[int, Sequence[tuple[int | None, Vector]]]
) -> None:
    """Store the vectors of turns' and facts' parts, by row, in place of those they had; of what is gone, none."""
    alive: dict[int, int] = dict(
        connection.execute(
            "select row, version from turns where owner = ?1 and row in carray(?2)"
            " union all select row, version from facts where owner = ?1 and row in carray(?2)",
            (owner, carray(made)),
        ).fetchall()
    )
    connection.execute("delete from vectors where owner = ? and row in carray(?)", (owner, carray(alive)))
    connection.executemany(
        "insert into vectors values (?, ?, ?, ?, ?, ?, ?)",
        [
            (owner, row, part, version, recipe, before, pack(vector))
            for row, version in alive.items()
            for part, (before, vector) in enumerate(made[row])
        ],
    )


def put_fact(
    connection: apsw.Connection,
    owner: int,
    row: int,
    version: int,
    *,
    recipe: int,
    words: int,
    flags: int,
    terms: bytes,
) -> None:
    """Write the postings of a fact's version; where it says something else now, its vector goes."""
    before = connection.execute("select terms from postings where owner = ? and row = ? and part = 0", (owner, row)).get
    connection.execute(
        "insert or replace into postings values (?, ?, 0, ?, ?, null, ?, ?, ?)",
        (owner, row, version, recipe, words, flags, terms),
    )
    if before is not None and before != terms:
        connection.execute("delete from vectors where owner = ? and row = ?", (owner, row))


def to_embed(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> list[tuple[int, int | None, int]]:
    """Return (row, before, words) of the believed turns among `rows`."""
    return connection.execute(
        "select p.row, p.before, p.words from postings p join turns t on t.owner = p.owner and t.row = p.row"
        " where p.owner = ? and p.part = 0 and p.row in carray(?) and t.superseded_at = ? order by p.row",
        (owner, carray(rows), OPEN),
    ).fetchall()


def without_vectors(connection: apsw.Connection, owner: int, recipe: int, after: int, limit: int) -> list[int]:
    """Return up to `limit` believed turns and facts, after row `after`, that have no vector of this embedder."""
    return [
        row
        for (row,) in connection.execute(
            f"select t.row from turns t where t.owner = ?1 and t.row > ?2 and {_LACKING} and t.text <> x''"
            f" union all select t.row from facts t where t.owner = ?1 and t.row > ?2 and {_LACKING}"
            " order by 1 limit ?5",
            (owner, after, OPEN, recipe, limit),
        )
    ]


def count_without_vectors(connection: apsw.Connection, recipe: int) -> int:
    """Return how many believed turns (with text) and facts of the file have no vector of this embedder."""
    count: int = connection.execute(
        f"select (select count(*) from turns t where {_LACKING} and t.text <> x'')"
        f" + (select count(*) from facts t where {_LACKING})",
        (None, None, OPEN, recipe),
    ).get
    return count


def stale_postings(connection: apsw.Connection, owner: int, recipe: int, *, limit: int) -> dict[int, int]:
    """Return up to `limit` turns and facts (row: version) whose postings were made by another recipe."""
    return dict(
        connection.execute(
            "select row, version from postings where owner = ? and part = 0 and recipe <> ? order by row limit ?",
            (owner, recipe, limit),
        )
    )


def count_stale_postings(connection: apsw.Connection, recipe: int) -> int:
    """Return how many turns and facts of the file have postings made by another recipe."""
    count: int = connection.execute("select count(*) from postings where part = 0 and recipe <> ?", (recipe,)).get
    return count


def put_postings(
    connection: apsw.Connection, owner: int, row: int, *, recipe: int, words: int, flags: int, terms: bytes
) -> None:
    """Rewrite a turn's postings by a newer recipe."""
    connection.execute(
        "update postings set recipe = ?, words = ?, flags = ?, terms = ?, version = version + 1"
        " where owner = ? and row = ? and part = 0",
        (recipe, words, flags, terms, owner, row),
    )


def embedder(connection: apsw.Connection) -> tuple[int, str, int | None] | None:
    """Return (recipe, name, dims) of the embedder in force, None if there was never one."""
    return connection.execute(
        "select e.recipe, e.name, e.dims from embedders e join meta m on m.name = 'embedder' and m.value = e.recipe"
    ).fetchone()


def use_embedder(connection: apsw.Connection, name: str, dims: int | None) -> int:
    """Put an embedder in force. Returns its recipe number."""
    found: int | None = connection.execute(
        "select recipe from embedders where name = ? and dims is ?", (name, dims)
    ).get
    if found is None:
        connection.execute("insert into embedders(name, dims) values (?, ?)", (name, dims))
        found = connection.last_insert_rowid()
    connection.execute("insert or replace into meta values ('embedder', ?)", (found,))
    return found


def set_dims(connection: apsw.Connection, recipe: int, dims: int) -> None:
    """Note an embedder's dimension, known from its first vectors."""
    connection.execute("update embedders set dims = ? where recipe = ? and dims is null", (dims, recipe))


def drop_other_vectors(connection: apsw.Connection, recipe: int) -> int:
    """Remove the vectors of embedders no longer in force. Returns how many."""
    connection.execute("delete from vectors where recipe <> ?", (recipe,))
    return connection.changes()
