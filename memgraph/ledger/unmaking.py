"""Erasure of what was made of erased turns: facts, their versions and operations, and what must be made again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import apsw

from memgraph.ledger import commits, facts, graph, operations
from memgraph.ledger.turns import carray

_OF_FACT = {
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
        again: Rows of turns that also said these facts, or ended them: facts are to be made of them again.
        removed: Rows removed by table.
    """

    facts: tuple[int, ...]
    ids: frozenset[str]
    again: tuple[int, ...]
    removed: dict[str, int]


def unmake(connection: apsw.Connection, owner: int, gone: Iterable[int]) -> Unmade:
    """Remove every fact that an erased turn said or changed, whole.

    A fact's sentence, its end and its reasons may hold the turn's words, also where other turns say the same. So it
    goes with all its versions, and is made again of the turns that are left.
    """
    turns = set(gone)
    caused = _operations_of(connection, owner, turns)
    rows = set(facts.citing(connection, owner, turns, ever=True))
    for number in caused:
        rows |= _touched(connection, owner, number)
    if not rows and not caused:
        return Unmade((), frozenset(), (), {})
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
    removed |= graph.erase_facts(connection, owner, sorted(rows)).removed
    connection.execute("delete from facts where owner = ? and row in carray(?)", (owner, bound))
    removed["facts"] = connection.changes()
    connection.execute("delete from operations where owner = ? and operation in carray(?)", (owner, carray(about)))
    removed["operations"] = connection.changes()
    return Unmade(tuple(sorted(rows)), ids, tuple(sorted(again - turns)), removed)


def left(connection: apsw.Connection, owner: int, turns: Iterable[int], rows: Iterable[int]) -> dict[str, int]:
    """Return how many rows of erased facts, or that name erased turns, are left, by table."""
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
        "operations": len(_operations_of(connection, owner, set(turns))),
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
