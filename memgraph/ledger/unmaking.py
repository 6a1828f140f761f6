"""Erasure of what was made of erased turns: facts, their versions and operations, and what must be made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import apsw

from memgraph.ledger import facts, graph, operations, unnaming
from memgraph.ledger.operations import Effects, Entry, Past
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
        again: Rows of turns that also said these facts, or ended them: facts are to be made of them again. Without
            those that say what the caller withdrew.
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
    goes with all its versions, and is made again of the turns that are left, unless the caller had withdrawn it.

    Args:
        connection: The writer's.
        owner: The owner.
        gone: Rows of the turns.
        seq: Number of the commit that erases.
        now: Microseconds UTC.
    """
    turns = set(gone)
    past = operations.past(connection, owner)
    caused = {one.number for one in past if not turns.isdisjoint(one.sources())}
    rows = set(facts.citing(connection, owner, turns, ever=True))
    rows |= {row for one in past if one.number in caused for row in one.effects.rows()}
    if not rows and not caused:
        return Unmade()
    ids = frozenset(facts.ids(connection, owner, rows).values())
    again = _again(connection, owner, past, rows, turns)
    parted = _part(connection, owner, caused)
    removed = _remove(connection, owner, _OF_FACT, rows)
    erased = unnaming.erase_facts(connection, owner, sorted(rows))
    removed |= erased.removed
    removed |= _remove(connection, owner, {"facts": "delete from facts where owner = ?1 and row in carray(?2)"}, rows)
    removed["operations"] = _reduce(connection, owner, past, caused, rows)
    removed["operations"] += _forget_merges(connection, owner, erased, parted)
    for entity, into in erased.moved.items():
        # What stood between them is gone; that they are one is not, and can be undone as before.
        entry = Entry(operations.next_number(connection, owner), "MERGE", fact=entity, target=into, reason=_MOVED)
        operations.record(connection, owner, entry, Effects(merged=[(entity, into)]), seq=seq, now=now)
    changed = (set(erased.changed) | parted) - set(erased.entities)
    return Unmade(
        tuple(sorted(rows)), ids, tuple(erased.entities), tuple(sorted(changed)), tuple(sorted(again)), removed
    )


def _again(connection: apsw.Connection, owner: int, past: Sequence[Past], rows: set[int], gone: set[int]) -> set[int]:
    """Return the turns that are left of those that said or changed some facts, but for what the caller took back."""
    said: defaultdict[int, set[int]] = defaultdict(set)
    for fact, turn in connection.execute(
        "select fact, turn from evidence where owner = ? and fact in carray(?)", (owner, carray(rows))
    ):
        said[fact].add(turn)
    about: defaultdict[int, list[Past]] = defaultdict(list)
    for one in past:
        for row in rows & one.effects.rows():
            about[row].append(one)
    again: set[int] = set()
    withheld = set(gone)
    for row in rows:
        if _is_withdrawn(about[row], row):
            withheld |= said[row]
        elif said[row] - gone:
            again |= said[row].union(*(one.turns for one in about[row]))
    changed = {one.number: one.turns for done in about.values() for one in done}
    for number, turns in changed.items():
        if operations.is_undone(connection, owner, number):
            withheld |= turns
    return again - withheld


def _is_withdrawn(about: Iterable[Past], row: int) -> bool:
    """Whether the last that happened to a fact is that the caller took it back."""
    ends = [(one.gate, after) for one in about for fact, _, after in one.effects.facts if fact == row]
    return bool(ends) and ends[-1] == ("caller", 0)


def _remove(connection: apsw.Connection, owner: int, tables: Mapping[str, str], rows: set[int]) -> dict[str, int]:
    bound = carray(rows)
    removed: dict[str, int] = {}
    for table, sql in tables.items():
        connection.execute(sql, (owner, bound))
        removed[table] = connection.changes()
    return removed


def _reduce(connection: apsw.Connection, owner: int, past: Iterable[Past], caused: set[int], rows: set[int]) -> int:
    """Remove the operations that erased turns caused, and of others what they did to erased facts."""
    gone = set(caused)
    for one in past:
        if one.number in caused or rows.isdisjoint(one.rows()):
            continue
        left = one.effects.without(rows)
        if left == Effects():
            gone.add(one.number)
            continue
        fact, target = (None if row in rows else row for row in (one.fact, one.target))
        brings = one.kind in ("UPDATE", "DELETE") and target is None and (fact, 0, 1) in left.facts
        connection.execute(
            "update operations set kind = ?, mode = ?, gate = ?, fact = ?, target = ?, effects = ?,"
            " reason = iif(?, reason, null) where owner = ? and operation = ?",
            (
                *(("ADD", None, "none") if brings else (one.kind, one.mode, one.gate)),
                *(fact, target, left.dump(), rows.isdisjoint(one.effects.rows()), owner, one.number),
            ),
        )
    bound = carray(gone)
    connection.execute("delete from operations where owner = ? and operation in carray(?)", (owner, bound))
    removed = connection.changes()
    connection.execute(
        "update operations set undone_by = null where owner = ? and undone_by in carray(?)", (owner, bound)
    )
    return removed


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
    said, made = set(turns), set(rows)
    bound = carray(made)
    return {
        "facts": connection.execute(
            "select count(*) from facts where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "fact_versions": connection.execute(
            "select count(*) from fact_versions where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "evidence": connection.execute(
            "select count(*) from evidence where owner = ? and (fact in carray(?) or turn in carray(?))",
            (owner, bound, carray(said)),
        ).get,
        "index": connection.execute(
            "select (select count(*) from postings where owner = ?1 and row in carray(?2))"
            " + (select count(*) from vectors where owner = ?1 and row in carray(?2))",
            (owner, bound),
        ).get,
        "operations": sum(
            not (said.isdisjoint(one.sources()) and made.isdisjoint(one.rows()))
            for one in operations.past(connection, owner)
        ),
        **unnaming.left(connection, owner, rows, entities),
    }
