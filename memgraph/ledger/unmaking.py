"""Erasure of what was made of erased turns: facts, their versions and operations, and what must be made again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import apsw

from memgraph.ledger import commits, facts, graph, operations, unnaming
from memgraph.ledger.operations import Effects, Entry
from memgraph.ledger.turns import carray

_MOVED: Final = "what it was merged with was erased"

_OF_FACT: Final = {
    "fact_versions": "delete from fact_versions where owner = ?1 and row in carray(?2)",
    "evidence": "delete from evidence where owner = ?1 and fact in carray(?2)",
    "fact_links": "delete from fact_links where owner = ?1 and (source in carray(?2) or target in carray(?2))",
    "postings": "delete from postings where owner = ?1 and row in carray(?2)",
    "vectors": "delete from vectors where owner = ?1 and row in carray(?2)",
}


@dataclass(frozen=True, slots=True)
class Unmade:
    """What erasing turns took along.

    Attributes:
        facts: Rows of the facts. `ids`: their ids.
        entities: Rows of the entities that nothing else names. `changed`: of those that are otherwise than before.
        again: Rows of turns that also said these facts, or ended them: facts are to be made of them again.
        removed: Rows removed by table.
    """

    facts: tuple[int, ...] = ()
    ids: frozenset[str] = frozenset()
    entities: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    removed: dict[str, int] = field(default_factory=dict[str, int])


def unmake(connection: apsw.Connection, owner: int, gone: Iterable[int], *, seq: int, now: int) -> Unmade:
    """Remove every fact that an erased turn said or changed, whole, and whom only these name.

    A fact's sentence, its end and its reasons may hold the turn's words, also where other turns say the same. So it
    goes with all its versions, and is made again of the turns that are left.

    Args:
        connection: The writer's.
        owner: The owner.
        gone: Rows of the turns.
        seq: Number of the commit that erases.
        now: Microseconds UTC.
    """
    turns = set(gone)
    caused = _operations_of(connection, owner, turns)
    rows = set(facts.citing(connection, owner, turns, ever=True))
    for number in caused:
        rows |= _touched(connection, owner, number)
    if not rows and not caused:
        return Unmade()
    ids = frozenset(facts.ids(connection, owner, rows).values())
    about = _operations_on(connection, owner, rows) | caused
    again = {
        turn
        for (turn,) in connection.execute(
            "select turn from evidence where owner = ? and fact in carray(?)", (owner, carray(rows))
        )
    }
    for (packed,) in connection.execute(
        "select turns from operations where owner = ? and operation in carray(?)", (owner, carray(about))
    ):
        again |= set(commits.unpack(packed))
    bound = carray(rows)
    removed: dict[str, int] = {}
    for table, sql in _OF_FACT.items():
        connection.execute(sql, (owner, bound))
        removed[table] = connection.changes()
    parted = _part(connection, owner, caused)
    erased = unnaming.erase_facts(connection, owner, sorted(rows))
    removed |= erased.removed
    connection.execute("delete from facts where owner = ? and row in carray(?)", (owner, bound))
    removed["facts"] = connection.changes()
    connection.execute("delete from operations where owner = ? and operation in carray(?)", (owner, carray(about)))
    removed["operations"] = connection.changes()
    removed["operations"] += _forget_merges(connection, owner, erased, parted)
    for entity, into in erased.moved.items():
        # What stood between them is gone; that they are one is not, and can be undone as before.
        entry = Entry(operations.next_number(connection, owner), "MERGE", fact=entity, target=into, reason=_MOVED)
        operations.record(connection, owner, entry, Effects(merged=[(entity, into)]), seq=seq, now=now)
    changed = (set(erased.changed) | parted) - set(erased.entities)
    return Unmade(
        tuple(sorted(rows)),
        ids,
        tuple(erased.entities),
        tuple(sorted(changed)),
        tuple(sorted(again - turns)),
        removed,
    )


def _part(connection: apsw.Connection, owner: int, caused: set[int]) -> set[int]:
    """Part the entities that were merged because of what erased turns said. Returns those that were merged."""
    parted = {
        entity
        for (entity,) in connection.execute(
            "select fact from operations where owner = ? and operation in carray(?) and kind = 'MERGE'",
            (owner, carray(caused)),
        )
    }
    for entity in sorted(parted):
        graph.unmerge(connection, owner, entity)
    return parted


def _forget_merges(connection: apsw.Connection, owner: int, erased: unnaming.Gone, parted: set[int]) -> int:
    """Remove the operations by which entities led to others that are gone, and those of what is parted or moved."""
    gone = set(erased.entities)
    # Who stands for a group of which the root is gone led there too.
    anew = parted | erased.moved.keys() | set(erased.moved.values())
    connection.execute(
        "delete from operations where owner = ?1 and kind in ('MERGE', 'UNDO')"
        " and (fact in carray(?2) or target in carray(?3))",
        (owner, carray(gone | anew), carray(gone)),
    )
    return connection.changes()


def left(
    connection: apsw.Connection,
    owner: int,
    turns: Iterable[int],
    rows: Sequence[int] = (),
    entities: Sequence[int] = (),
) -> dict[str, int]:
    """Return how many rows of erased facts and entities, or that name erased turns, are left, by table."""
    bound, said = carray(rows), carray(turns)
    return {
        "facts": connection.execute(
            "select count(*) from facts where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "fact_versions": connection.execute(
            "select count(*) from fact_versions where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "evidence": connection.execute(
            "select count(*) from evidence where owner = ? and (fact in carray(?) or turn in carray(?))",
            (owner, bound, said),
        ).get,
        "index": connection.execute(
            "select (select count(*) from postings where owner = ?1 and row in carray(?2))"
            " + (select count(*) from vectors where owner = ?1 and row in carray(?2))",
            (owner, bound),
        ).get,
        "operations": len(_operations_of(connection, owner, set(turns)) | _operations_on(connection, owner, {*rows})),
        **unnaming.left(connection, owner, rows, entities),
    }


def _operations_of(connection: apsw.Connection, owner: int, turns: set[int]) -> set[int]:
    """Return the operations that some turns caused."""
    return {
        number
        for number, packed in connection.execute("select operation, turns from operations where owner = ?", (owner,))
        if not turns.isdisjoint(commits.unpack(packed))
    }


def _operations_on(connection: apsw.Connection, owner: int, rows: set[int]) -> set[int]:
    """Return the operations that changed some facts."""
    return {
        number
        for number, stored in connection.execute("select operation, effects from operations where owner = ?", (owner,))
        if not rows.isdisjoint(operations.Effects.load(stored or "{}").rows())
    }


def _touched(connection: apsw.Connection, owner: int, number: int) -> set[int]:
    stored: str | None = connection.execute(
        "select effects from operations where owner = ? and operation = ?", (owner, number)
    ).get
    return operations.Effects.load(stored or "{}").rows()
