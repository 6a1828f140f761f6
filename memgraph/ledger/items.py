"""Items of the store: by namespace and key, with their vectors and terms, and their time to live."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

import apsw

from memgraph.ledger import codec
from memgraph.ledger.indexes import Vector, pack
from memgraph.ledger.steps import Steps
from memgraph.ledger.turns import carray

_CLOSE: Final = b"\0"
_ROWS: Final = 500
"""Rows of a step: a microsecond each."""


class Stored(NamedTuple):
    """An item as it is stored.

    Attributes:
        ttl: Microseconds that it lives after its last use, None for ever.
    """

    item: int
    namespace: tuple[str, ...]
    key: str
    created_at: int
    updated_at: int
    ttl: int | None
    value: str


class Indexed(NamedTuple):
    """What a search by a question reads of an item.

    Attributes:
        updated_at: Microseconds UTC.
        terms: Its packed terms, None if it is not indexed.
    """

    item: int
    updated_at: int
    terms: bytes | None


class Lacking(NamedTuple):
    """An item that lacks a model's vectors.

    Attributes:
        changed: The number of its last change: vectors of what it said then are no use after another.
        fields: The paths it is indexed by, None if it was put before they were kept.
    """

    item: int
    changed: int
    fields: list[str] | None
    value: str


class Put(NamedTuple):
    """An item to be written, or deleted.

    Attributes:
        value: JSON text, None to delete.
        ttl: Microseconds that it lives after its last use, None for ever.
        terms: Packed terms, None if it is not indexed.
        fields: The paths it is indexed by, None in a store without an index.
        vectors: (field path, number of the text at that path, unit vector).
    """

    namespace: tuple[str, ...]
    key: str
    value: str | None
    ttl: int | None
    terms: bytes | None
    fields: Sequence[str] | None
    vectors: Sequence[tuple[str, int, Vector]]


# ?1 and ?2 bound the paths, ?3 is the time at which an item has to be alive, null for expired ones as well.
_UNDER: Final = "from namespaces n join items i using (namespace) where n.path >= ?1 and n.path < ?2"
_ALIVE: Final = "(?3 is null or i.expires_at is null or i.expires_at > ?3)"
_ITEM: Final = "select i.item, n.path, i.key, i.created_at, i.updated_at, i.ttl, i.value"


def _name(text: str) -> bytes:
    """Return a label or key code point for code point: their bytes are ordered as they are."""
    return text.encode("utf-8", "surrogatepass")


def _path(namespace: Iterable[str]) -> bytes:
    return b"".join(_name(label) + _CLOSE for label in namespace)


def _namespace(path: bytes) -> tuple[str, ...]:
    return tuple(label.decode("utf-8", "surrogatepass") for label in path.split(_CLOSE)[:-1])


def _bounds(prefix: Sequence[str]) -> tuple[bytes, bytes]:
    """Return the paths between which all that begin with these labels stand: no byte of UTF-8 is 255."""
    path = _path(prefix)
    return path, path[:-1] + b"\1" if path else b"\xff"


def _stored(row: tuple[Any, ...]) -> Stored:
    item, path, key, created, updated, ttl, value = row
    return Stored(
        item, _namespace(path), key.decode("utf-8", "surrogatepass"), created, updated, ttl, codec.decode(value)
    )


def get(connection: apsw.Connection, namespace: Sequence[str], key: str, alive_at: int | None) -> Stored | None:
    """Return an item, None if it is not there."""
    sql = f"{_ITEM} from namespaces n join items i using (namespace) where n.path = ?1 and i.key = ?2 and {_ALIVE}"
    row = connection.execute(sql, (_path(namespace), _name(key), alive_at)).fetchone()
    return None if row is None else _stored(row)


def newest(
    connection: apsw.Connection, prefix: Sequence[str], alive_at: int | None, most: int | None
) -> Steps[Iterator[int]]:
    """Return the numbers of the items under a prefix of labels, the last written first: of `most`, None for all.

    No index has them in this order, and all have to be looked at. Not by the engine, which would do it in one step.
    """
    sql = f"select i.updated_at, i.item, i.expires_at <= ?3 {_UNDER}"
    rows = connection.execute(sql, (*_bounds(prefix), alive_at))
    runs: list[Iterable[tuple[int, int]]] = []
    while some := list(islice(rows, _ROWS)):
        run = sorted(((at, item) for at, item, dead in some if not dead), reverse=True)[:most]
        # As arrays until they are wanted: a million of them take 16 MB so, 130 as tuples.
        runs.append(zip(array("q", [at for at, _ in run]), array("q", [item for _, item in run]), strict=True))
        yield len(some)
    return (item for _, item in merge(*runs, reverse=True))


def state(connection: apsw.Connection, prefix: Sequence[str]) -> tuple[int, int]:
    """Return how many items there are under a prefix of labels, and the number of their last change."""
    sql = "select ifnull(sum(n.items), 0), ifnull(max(n.changed), 0) from namespaces n where n.path >= ? and n.path < ?"
    count, changed = connection.execute(sql, _bounds(prefix)).fetchone() or (0, 0)
    return count, changed


def numbers(connection: apsw.Connection, prefix: Sequence[str], since: int = -1) -> list[int]:
    """Return the numbers of the items under a prefix of labels that changed after a change."""
    sql = (
        "select i.item from namespaces n join items i using (namespace)"
        " where n.path >= ?1 and n.path < ?2 and n.changed > ?3 and i.changed > ?3"
    )
    return [item for (item,) in connection.execute(sql, (*_bounds(prefix), since))]


def indexed(connection: apsw.Connection, items: Iterable[int]) -> list[Indexed]:
    """Return what a search reads of items."""
    sql = "select item, updated_at, terms from items where item in carray(?)"
    return [Indexed(*row) for row in connection.execute(sql, (carray(items),))]


def expired(connection: apsw.Connection, prefix: Sequence[str], now: int) -> list[int]:
    """Return the numbers of the items under a prefix of labels whose time has passed."""
    sql = f"select i.item {_UNDER} and i.expires_at <= ?3"
    return [item for (item,) in connection.execute(sql, (*_bounds(prefix), now))]


def values(connection: apsw.Connection, items: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Return items' numbers and JSON texts, in no order, each read when asked for."""
    found = connection.execute("select item, value from items where item in carray(?)", (carray(items),))
    return ((item, codec.decode(value)) for item, value in found)


def by_number(connection: apsw.Connection, items: Iterable[int]) -> Iterator[Stored]:
    """Return items by their numbers, in no order, each read when asked for."""
    sql = f"{_ITEM} from items i join namespaces n using (namespace) where i.item in carray(?)"
    return map(_stored, connection.execute(sql, (carray(items),)))


def vectors(connection: apsw.Connection, model: int, items: Iterable[int]) -> list[tuple[int, bytes]]:
    """Return (item, vector) of all vectors that one model made of some items."""
    return connection.execute(
        "select item, vector from item_vectors where model = ? and item in carray(?)", (model, carray(items))
    ).fetchall()


def model_number(connection: apsw.Connection, name: str, dims: int) -> int | None:
    """Return the number of a model that made vectors, None if it made none."""
    found: int | None = connection.execute(
        "select model from item_models where name = ? and dims = ?", (name, dims)
    ).get
    return found


# Put into a store that had no index is what knows no fields; what is not to be indexed knows that it has none.
_LACKING: Final = (
    "from items i where i.fields is not '[]' and not exists (select 1 from item_vectors v"
    " join item_models m using (model) where v.item = i.item and m.name = ?1 and m.dims = ?2)"
)


def count_without_vectors(connection: apsw.Connection, name: str, dims: int) -> int:
    """Return how many items, of those that are to be indexed, have no vector by a model."""
    count: int = connection.execute(f"select count(*) {_LACKING}", (name, dims)).get
    return count


def without_vectors(connection: apsw.Connection, name: str, dims: int, after: int, limit: int) -> list[Lacking]:
    """Return items, of those that are to be indexed, that have no vector by a model, in the order of their numbers."""
    sql = f"select i.item, i.changed, i.fields, i.value {_LACKING} and i.item > ?3 order by i.item limit ?4"
    return [
        Lacking(item, changed, None if fields is None else json.loads(fields), codec.decode(value))
        for item, changed, fields, value in connection.execute(sql, (name, dims, after, limit))
    ]


def replace_vectors(
    connection: apsw.Connection,
    made: Iterable[tuple[Lacking, bytes, Sequence[tuple[str, int, Vector]]]],
    model: tuple[str, int],
) -> None:
    """Index items anew, in place of what they had, unless they changed meanwhile.

    Args:
        connection: The writer's.
        made: Items with their packed terms and vectors.
        model: Name and dimension of the model that made these.
    """
    change, number = _next_change(connection), _use_model(connection, *model)
    for one, terms, vectors in made:
        if connection.execute(
            "update items set changed = ?, terms = ? where item = ? and changed = ? returning 1",
            (change, terms, one.item, one.changed),
        ).get:
            _put_vectors(connection, one.item, number, vectors)


def namespaces(connection: apsw.Connection, prefix: Sequence[str], alive_at: int | None) -> Iterator[tuple[str, ...]]:
    """Return the namespaces that begin with these labels and have an item, ascending, each read when asked for."""
    sql = (
        "select n.path from namespaces n where n.path >= ?1 and n.path < ?2 and exists"
        f" (select 1 from items i where i.namespace = n.namespace and {_ALIVE}) order by n.path"
    )
    return (_namespace(path) for (path,) in connection.execute(sql, (*_bounds(prefix), alive_at)))


def write(
    connection: apsw.Connection,
    used: Iterable[int],
    puts: Iterable[Put],
    *,
    model: tuple[str, int] | None,
    now: int,
    omit_expired: bool,
) -> None:
    """Do what a batch leaves to be done: refresh what it has read, then write what it puts.

    Args:
        connection: The writer's.
        used: Items whose time to live begins anew.
        puts: Of different keys.
        model: Name and dimension of the model that made the vectors, None if there are none.
        now: Microseconds UTC.
        omit_expired: Whether what has expired counts as gone already.
    """
    dead_at = now if omit_expired else None
    connection.execute(
        f"update items as i set expires_at = ?1 + ttl where ttl is not null and item in carray(?2) and {_ALIVE}",
        (now, carray(used), dead_at),
    )
    number = None if model is None else _use_model(connection, *model)
    change = _next_change(connection)
    for put in puts:
        if put.value is None:
            _delete(
                connection,
                "select item from items join namespaces using (namespace) where path = ? and key = ?",
                (_path(put.namespace), _name(put.key)),
            )
        else:
            _put(connection, put, number, change, now, dead_at)


def sweep(connection: apsw.Connection, now: int) -> int:
    """Remove what has expired, with its vectors. Returns how many items."""
    return _delete(connection, "select item from items where expires_at <= ?", (now,))


def _put(connection: apsw.Connection, put: Put, model: int | None, change: int, now: int, dead_at: int | None) -> None:
    assert put.value is not None
    connection.execute("insert or ignore into namespaces(path) values (?)", (_path(put.namespace),))
    item: int = connection.execute(
        "insert into items(namespace, key, created_at, updated_at, ttl, expires_at, terms, value, changed, fields)"
        " values ((select namespace from namespaces where path = ?1), ?2, ?3, ?3, ?4, ?3 + ?4, ?5, ?6, ?8, ?9)"
        " on conflict(namespace, key) do update set"
        " created_at = iif(expires_at <= ?7, ?3, created_at), updated_at = ?3, ttl = excluded.ttl,"
        " expires_at = excluded.expires_at, terms = excluded.terms, value = excluded.value, changed = excluded.changed,"
        " fields = excluded.fields returning item",
        (
            _path(put.namespace),
            _name(put.key),
            now,
            put.ttl,
            put.terms,
            codec.encode(put.value),
            dead_at,
            change,
            None if put.fields is None else json.dumps(put.fields),
        ),
    ).get
    _put_vectors(connection, item, model, put.vectors)


def _put_vectors(
    connection: apsw.Connection, item: int, model: int | None, vectors: Sequence[tuple[str, int, Vector]]
) -> None:
    connection.execute("delete from item_vectors where item = ?", (item,))
    connection.executemany(
        "insert into item_vectors values (?, ?, ?, ?, ?)",
        [(item, path, part, model, pack(vector)) for path, part, vector in vectors],
    )


def _next_change(connection: apsw.Connection) -> int:
    """Number a change: the numbers grow, whatever is deleted."""
    number: int = connection.execute(
        "insert into meta values ('items_changed', 1) on conflict(name) do update set value = value + 1 returning value"
    ).get
    return number


def _delete(connection: apsw.Connection, which: str, values: tuple[bytes | int, ...]) -> int:
    """Delete items, their vectors, and the namespaces that are left without an item."""
    gone = [item for (item,) in connection.execute(which, values)]
    if not gone:
        return 0
    bound = carray(gone)
    emptied = [n for (n,) in connection.execute("select namespace from items where item in carray(?)", (bound,))]
    connection.execute("delete from item_vectors where item in carray(?)", (bound,))
    connection.execute("delete from items where item in carray(?)", (bound,))
    connection.execute("delete from namespaces where namespace in carray(?) and items = 0", (carray(emptied),))
    return len(gone)


def _use_model(connection: apsw.Connection, name: str, dims: int) -> int:
    connection.execute("insert or ignore into item_models(name, dims) values (?, ?)", (name, dims))
    found = model_number(connection, name, dims)
    assert found is not None
    return found
