"""Entities: their names, the facts that mention them, the merges that made several one.

A merge only points from one entity to another, so that undoing it is clearing that pointer: names and mentions stay
with the entity that they were made with, and are read through the root that it leads to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import apsw

from memgraph.ledger import codec
from memgraph.ledger.turns import carray
from memgraph.records import OPEN
from memgraph.uuid7 import uuid7

FUZZY: Final = 500
"""Entities of an agent that a name is compared with by how it is written, the newest; all are found by the name."""
_TEXTS: Final = 3
"""Facts that are read of an entity to tell it from its namesakes."""


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """What resolution sees of an entity, with whatever was merged into it.

    Attributes:
        row: Of the root.
        type: Its own, or the first that one merged into it has, where its own is "other".
        aliases: Its other names, and all those of what was merged into it.
        context: Some facts that mention it; see `with_context`.
        recent: Row of the newest fact that mentions it.
    """

    row: int
    name: str
    type: str
    aliases: tuple[str, ...]
    context: str
    recent: int


class Gone(NamedTuple):
    """What an erasure took out of the graph.

    Attributes:
        removed: Rows by table.
        entities: Rows of the entities that are gone.
        changed: Rows of entities that are left but led to one that is gone.
    """

    removed: dict[str, int]
    entities: list[int]
    changed: list[int]


def known(connection: apsw.Connection, owner: int, agent_id: str | None, keys: Iterable[bytes]) -> list[KnownEntity]:
    """Return the entities that a name may be of: those that have it, and the newest ones.

    Args:
        connection: Any.
        owner: The owner.
        agent_id: Whose: exactly this agent's, or nobody's.
        keys: `alias_key` of each name.
    """
    rows: set[int] = set()
    for key in keys:
        rows.update(
            row
            for (row,) in connection.execute(
                "select a.entity from entity_aliases a cross join entities e on e.owner = a.owner and e.row = a.entity"
                " where a.owner = ? and a.key = ? and a.superseded_at = ? and e.superseded_at = ? and e.agent_id is ?",
                (owner, key, OPEN, OPEN, agent_id),
            )
        )
    rows.update(
        row
        for (row,) in connection.execute(
            "select row from entities where owner = ? and superseded_at = ? and agent_id is ?"
            " order by row desc limit ?",
            (owner, OPEN, agent_id, FUZZY),
        )
    )
    groups = Groups(merges(connection, owner))
    roots = sorted({groups.root(row) for row in rows})
    members = {row: root for root in roots for row in groups.members(root)}
    called: defaultdict[int, dict[str, None]] = defaultdict(dict)
    kinds: dict[int, str] = {}
    for row, name, kind in connection.execute(
        "select row, name, type from entities where owner = ? and row in carray(?) order by row",
        (owner, carray(members)),
    ).fetchall():
        if row == members[row]:
            called[row] = {name: None, **called[row]}
        called[members[row]][name] = None
        if kinds.get(members[row], "other") == "other":
            kinds[members[row]] = kind
    for row, name in connection.execute(
        "select entity, name from entity_aliases where owner = ? and entity in carray(?) and superseded_at = ?"
        " order by entity, operation",
        (owner, carray(members), OPEN),
    ):
        called[members[row]][name] = None
    recent = dict.fromkeys(roots, 0)
    for row, fact in connection.execute(
        "select e.row, (select max(m.fact) from mentions m where m.owner = e.owner and m.entity = e.row)"
        " from entities e where e.owner = ? and e.row in carray(?)",
        (owner, carray(members)),
    ):
        recent[members[row]] = max(recent[members[row]], fact or 0)
    return [
        KnownEntity(root, next(iter(called[root])), kinds[root], tuple(called[root])[1:], "", recent[root])
        for root in roots
        if root in kinds
    ]


def with_context(connection: apsw.Connection, owner: int, entities: Iterable[KnownEntity]) -> list[KnownEntity]:
    """Return entities with some of the believed facts that mention them, the newest, as their context."""
    groups = Groups(merges(connection, owner))
    return [replace(entity, context=_context(connection, owner, groups.members(entity.row))) for entity in entities]


def _context(connection: apsw.Connection, owner: int, members: Iterable[int]) -> str:
    facts: set[int] = set()
    for row in members:
        facts.update(
            fact
            for (fact,) in connection.execute(
                "select fact from mentions where owner = ? and entity = ? order by fact desc limit ?",
                (owner, row, _TEXTS),
            )
        )
    texts = connection.execute(
        "select text from facts where owner = ? and row in carray(?) and superseded_at = ? order by row desc limit ?",
        (owner, carray(facts), OPEN, _TEXTS),
    )
    return " ".join(codec.decode(text) for (text,) in texts)


class Groups:
    """Which entities are one.

    Args:
        into: From each merged entity to what it was merged into.
    """

    def __init__(self, into: Mapping[int, int]) -> None:
        self._into = dict(into)
        self._from: defaultdict[int, list[int]] = defaultdict(list)
        for row, target in sorted(self._into.items()):
            self._from[target].append(row)

    def root(self, row: int) -> int:
        """Return the entity that stands for a group."""
        while row in self._into:
            row = self._into[row]
        return row

    def members(self, root: int) -> list[int]:
        """Return an entity and all that lead to it."""
        found = [root]
        for row in found:  # it grows
            found += self._from[row]
        return found


def merges(connection: apsw.Connection, owner: int, known_at: int | None = None) -> dict[int, int]:
    """Return what each merged entity was merged into.

    Args:
        connection: Any.
        owner: The owner.
        known_at: What was believed then, microseconds UTC; None for now.
    """
    if known_at is None:
        found = connection.execute(
            "select row, merged_into from entities where owner = ? and merged_into is not null", (owner,)
        )
    else:
        found = connection.execute(
            "select o.fact, o.target from operations o"
            " left join operations u on u.owner = o.owner and u.operation = o.undone_by"
            " where o.owner = ?1 and o.kind = 'MERGE' and o.at <= ?2 and (u.at is null or u.at > ?2)"
            " and exists (select 1 from entities e where e.owner = o.owner and e.row = o.target)"
            " order by o.operation",
            (owner, known_at),
        )
    return dict(found.fetchall())


def add_entity(
    connection: apsw.Connection,
    owner: int,
    row: int,
    name: str,
    kind: str,
    *,
    key: bytes,
    agent_id: str | None,
    operation: int,
    now: int,
) -> None:
    """Write a new entity and its name.

    Args:
        connection: The writer's.
        owner: The owner.
        row: Drawn from the owner's counter.
        name: What it is called.
        kind: person, place, organisation, pet, thing, event or other.
        key: `alias_key` of the name.
        agent_id: Whose it is: that of the fact.
        operation: What brings it.
        now: Microseconds UTC.
    """
    connection.execute(
        "insert into entities(owner, row, id, agent_id, type, operation, recorded_at, superseded_at, name)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (owner, row, uuid7(now).bytes, agent_id, kind, operation, now, OPEN, name),
    )
    add_alias(connection, owner, row, name, key=key, operation=operation, now=now)


def add_alias(
    connection: apsw.Connection, owner: int, entity: int, name: str, *, key: bytes, operation: int, now: int
) -> None:
    """Give an entity another name; one that it has already changes nothing."""
    connection.execute(
        "insert into entity_aliases select ?1, ?2, ?3, ?4, ?5, ?6, ?7 where not exists (select 1 from entity_aliases"
        " where owner = ?1 and key = ?2 and entity = ?3 and superseded_at = ?6)",
        (owner, key, entity, operation, now, OPEN, name),
    )


def mention(connection: apsw.Connection, owner: int, fact: int, entity: int, operation: int) -> None:
    """Write that a fact mentions an entity; the operation that first said so stays."""
    connection.execute("insert or ignore into mentions values (?, ?, ?, ?)", (owner, fact, entity, operation))


def relate(
    connection: apsw.Connection,
    owner: int,
    row: int,
    source: int,
    kind: str,
    target: int,
    fact: int,
    *,
    operation: int,
    now: int,
) -> None:
    """Write how two entities stand to each other because a version of a fact says so.

    Args:
        connection: The writer's.
        owner: The owner.
        row: Drawn from the owner's counter.
        source: Row of an entity that the fact mentions.
        target: Row of another.
        kind: One of `writing.attributes.RELATIONS`.
        fact: The fact. The relation holds while a version is believed that says what this one says.
        operation: That of the version.
        now: Microseconds UTC.
    """
    connection.execute(
        "insert into relations values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (owner, row, source, kind, target, fact, operation, now, OPEN),
    )


def merge(connection: apsw.Connection, owner: int, entity: int, into: int) -> bool:
    """Let an entity lead to another one's root. Returns whether it did: not where they are one already.

    Its operation is of the kind MERGE, with `fact` the entity and `target` what it was merged into.
    """
    groups = Groups(merges(connection, owner))
    root = groups.root(into)
    if groups.root(entity) != entity or root == entity:
        return False
    connection.execute("update entities set merged_into = ? where owner = ? and row = ?", (root, owner, entity))
    return bool(connection.changes())


def unmerge(connection: apsw.Connection, owner: int, entity: int) -> bool:
    """Let an entity stand for itself again. Returns whether it had been merged."""
    connection.execute(
        "update entities set merged_into = null where owner = ? and row = ? and merged_into is not null",
        (owner, entity),
    )
    return bool(connection.changes())


def end_names(connection: apsw.Connection, owner: int, fact: int, operation: int, now: int) -> None:
    """End the names that an operation on a fact gave to entities that were there before it: part of its undoing."""
    connection.execute(
        "update entity_aliases indexed by entity_aliases_by_entity set superseded_at = ?"
        " where owner = ? and superseded_at = ? and operation = ?"
        " and entity in (select m.entity from mentions m join entities e on e.owner = m.owner and e.row = m.entity"
        " where m.owner = ? and m.fact = ? and e.operation <> ?)",
        (now, owner, OPEN, operation, owner, fact, operation),
    )


def erase_facts(connection: apsw.Connection, owner: int, facts: Iterable[int]) -> Gone:
    """Remove what facts said of entities, and the entities and names that no other fact mentions.

    Before or after the facts themselves are removed. An alias goes with the fact that gave it, even where its entity
    stays.
    """
    bound = carray(facts)
    touched = connection.execute(
        "select m.entity, m.operation from mentions m where m.owner = ? and m.fact in carray(?)", (owner, bound)
    ).fetchall()
    removed: dict[str, int] = {}
    for table in ("mentions", "relations"):
        connection.execute(_BY_FACT[table], (owner, bound))
        removed[table] = connection.changes()
    named = {entity for entity, _ in touched}
    gone = named - {
        entity
        for (entity,) in connection.execute(
            "select distinct entity from mentions indexed by mentions_by_entity"
            " where owner = ? and entity in carray(?)",
            (owner, carray(named)),
        )
    }
    connection.execute(
        "delete from entity_aliases indexed by entity_aliases_by_entity where owner = ? and entity in carray(?)",
        (owner, carray(gone)),
    )
    removed["entity_aliases"] = connection.changes()
    kept = named - gone
    # A name that an erased fact gave to somebody who stays goes too, unless it is what they are called.
    connection.execute(
        "delete from entity_aliases indexed by entity_aliases_by_entity where owner = ?1"
        " and entity in carray(?2) and operation in carray(?3)"
        " and name <> (select e.name from entities e where e.owner = ?1 and e.row = entity_aliases.entity)"
        " and not exists (select 1 from mentions m indexed by mentions_by_entity where m.owner = ?1"
        " and m.entity = entity_aliases.entity"
        " and m.operation = entity_aliases.operation)",
        (owner, carray(kept), carray({operation for _, operation in touched})),
    )
    removed["entity_aliases"] += connection.changes()
    changed = _lead_elsewhere(connection, owner, gone)
    connection.execute("delete from entities where owner = ? and row in carray(?)", (owner, carray(gone)))
    removed["entities"] = connection.changes()
    return Gone(removed, sorted(gone), changed)


_BY_FACT: Final = {
    "mentions": "delete from mentions where owner = ? and fact in carray(?)",
    "relations": "delete from relations indexed by relations_by_fact where owner = ? and fact in carray(?)",
}


def _lead_elsewhere(connection: apsw.Connection, owner: int, gone: set[int]) -> list[int]:
    """Keep together the entities of a group whose root or part goes: the oldest that is left stands for them."""
    groups = Groups(merges(connection, owner))
    changed: list[int] = []
    for root in sorted({groups.root(row) for row in gone}):
        left = sorted(row for row in groups.members(root) if row not in gone)
        if left:
            first = root if root in left else left[0]
            rest = [row for row in left if row != first]
            connection.execute("update entities set merged_into = null where owner = ? and row = ?", (owner, first))
            connection.execute(
                "update entities set merged_into = ? where owner = ? and row in carray(?)", (first, owner, carray(rest))
            )
            changed += left
    return changed


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
        ("entity_aliases", "select count(*) from entity_aliases where owner = ? and entity in carray(?)", entities),
    ):
        counts[table] = connection.execute(sql, (owner, carray(rows))).get
    return {table: count for table, count in counts.items() if count}
