"""Erasure of whom facts named: the names that no other fact holds, and what led to those who had them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import apsw

from memgraph.ledger import codec
from memgraph.ledger.graph import Groups, merges
from memgraph.ledger.turns import carray


class Gone(NamedTuple):
    """What an erasure took out of the graph.

    Attributes:
        removed: Rows by table.
        entities: Rows of the entities that are gone.
        changed: Rows of entities that are left but are called, or lead, otherwise than before.
        moved: Those of them that led to one that is gone, with what they lead to now.
    """

    removed: dict[str, int]
    entities: list[int]
    changed: list[int]
    moved: dict[int, int]


def erase_facts(connection: apsw.Connection, owner: int, facts: Iterable[int]) -> Gone:
    """Remove what facts said of entities, and the entities and names that no other fact holds.

    Before or after the facts themselves are removed; the versions of the others are still there. A name stays where
    another fact that mentions its bearer has it in its words, whichever gave it first; who has none left goes.
    """
    bound = carray(facts)
    named = {
        entity
        for (entity,) in connection.execute(
            "select entity from mentions where owner = ? and fact in carray(?)", (owner, bound)
        )
    }
    removed: dict[str, int] = {}
    for table in ("mentions", "relations"):
        connection.execute(_BY_FACT[table], (owner, bound))
        removed[table] = connection.changes()
    names = {entity: _names(connection, owner, entity) for entity in sorted(named)}
    gone = {entity for entity, stays in names.items() if not any(stays.values())}
    renamed: list[int] = []
    removed["entity_aliases"] = 0
    for entity, stays in names.items():
        if entity not in gone and not next(iter(stays.values())):
            _rename(connection, owner, entity, next(name for name, kept in stays.items() if kept))
            renamed.append(entity)
        connection.executemany(
            "delete from entity_aliases indexed by entity_aliases_by_entity"
            " where owner = ? and entity = ? and name = ?",
            [(owner, entity, name) for name, kept in stays.items() if not kept],
        )
        removed["entity_aliases"] += sum(not kept for kept in stays.values())
    # Mentions by facts that call it otherwise than by any name that may stay.
    left = carray(
        fact
        for (fact,) in connection.execute(
            "select fact from mentions indexed by mentions_by_entity where owner = ? and entity in carray(?)",
            (owner, carray(gone)),
        ).fetchall()
    )
    connection.execute(
        "delete from relations indexed by relations_by_fact where owner = ?1 and fact in carray(?2)"
        " and (source in carray(?3) or target in carray(?3))",
        (owner, left, carray(gone)),
    )
    removed["relations"] += connection.changes()
    connection.execute(
        "delete from mentions indexed by mentions_by_entity where owner = ? and entity in carray(?)",
        (owner, carray(gone)),
    )
    removed["mentions"] += connection.changes()
    moved = _lead_elsewhere(connection, owner, gone)
    connection.execute("delete from entities where owner = ? and row in carray(?)", (owner, carray(gone)))
    removed["entities"] = connection.changes()
    return Gone(removed, sorted(gone), sorted({*renamed, *moved, *moved.values()}), moved)


_BY_FACT: Final = {
    "mentions": "delete from mentions where owner = ? and fact in carray(?)",
    "relations": "delete from relations indexed by relations_by_fact where owner = ? and fact in carray(?)",
}


def _names(connection: apsw.Connection, owner: int, entity: int) -> dict[str, bool]:
    """Return whether each of an entity's names, its own first, stands in the words of a fact that mentions it."""
    folded = {
        name: name.casefold()
        for (name,) in connection.execute(
            "select name from entity_aliases indexed by entity_aliases_by_entity where owner = ? and entity = ?"
            " order by fact is not null, operation",
            (owner, entity),
        )
    }
    stays = dict.fromkeys(folded, False)
    # As few as are needed: who is in every fact is named in the first.
    for subject, thing, text in connection.execute(
        "select v.subject, v.object, v.text from mentions m indexed by mentions_by_entity"
        " cross join fact_versions v on v.owner = m.owner and v.row = m.fact where m.owner = ? and m.entity = ?",
        (owner, entity),
    ):
        words = f"{subject}\n{thing}\n{codec.decode(text)}".casefold()
        stays |= {name: True for name, sought in folded.items() if sought in words}
        if all(stays.values()):
            break
    return stays


def _rename(connection: apsw.Connection, owner: int, entity: int, name: str) -> None:
    """Call an entity by another of its names."""
    connection.execute("update entities set name = ? where owner = ? and row = ?", (name, owner, entity))
    connection.execute(
        "update entity_aliases indexed by entity_aliases_by_entity set fact = null"
        " where owner = ? and entity = ? and name = ?",
        (owner, entity, name),
    )


def _lead_elsewhere(connection: apsw.Connection, owner: int, gone: set[int]) -> dict[int, int]:
    """Keep together who is left of a group: the oldest stands for it. Returns who leads elsewhere now, and where."""
    into = merges(connection, owner)
    groups = Groups(into)
    moved: dict[int, int] = {}
    for root in sorted({groups.root(row) for row in gone}):
        left = sorted(row for row in groups.members(root) if row not in gone)
        if left:
            first = root if root in left else left[0]
            moved |= {row: first for row in left if row != first and into.get(row) in gone}
            connection.execute("update entities set merged_into = null where owner = ? and row = ?", (owner, first))
    for row, target in moved.items():
        connection.execute("update entities set merged_into = ? where owner = ? and row = ?", (target, owner, row))
    return moved


def left(connection: apsw.Connection, owner: int, facts: Sequence[int], entities: Sequence[int]) -> dict[str, int]:
    """Return by table how many rows still lead to erased facts or entities: none after an erasure."""
    counts: dict[str, int] = {}
    for table, sql, rows in (
        ("mentions", "select count(*) from mentions where owner = ? and fact in carray(?)", facts),
        (
            "relations",
            "select count(*) from relations indexed by relations_by_fact where owner = ? and fact in carray(?)",
            facts,
        ),
        ("entities", "select count(*) from entities where owner = ? and row in carray(?)", entities),
        (
            "entity_aliases",
            "select count(*) from entity_aliases indexed by entity_aliases_by_entity"
            " where owner = ? and entity in carray(?)",
            entities,
        ),
        (
            "entities that lead there",
            "select count(*) from entities indexed by entities_merged where owner = ? and merged_into in carray(?)",
            entities,
        ),
    ):
        counts[table] = connection.execute(sql, (owner, carray(rows))).get
    return {table: count for table, count in counts.items() if count}
