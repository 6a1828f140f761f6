"""Entities: their names, the facts that mention them, the merges that made several one.

A merge only points from one entity to another, so that undoing it is clearing that pointer: names and mentions stay
with the entity that they were made with, and are read through the root that it leads to.

Mentions, relations and further names are written with a version of a fact and hold with each version that says the
same, while it is believed: they end with it and come back with it without being written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import apsw

from memgraph.ledger import codec, operations
from memgraph.ledger.turns import carray
from memgraph.records import OPEN

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


class Named(NamedTuple):
    """Whom a fact names in the version that is believed.

    Attributes:
        names: By row of an entity: its own name, and the others that it has.
        types: By row of an entity.
        relations: (source, type, target).
    """

    names: dict[int, tuple[str, ...]]
    types: dict[int, str]
    relations: list[tuple[int, str, int]]


def says(table: str, at: str) -> str:
    """Return the condition that what was written with a version is said by one that is believed.

    Args:
        table: The alias of a table with owner, fact and operation: a mention, a relation, a name.
        at: The placeholder of the time of belief; `OPEN - 1` is now.
    """
    return (
        f"exists (select 1 from fact_versions w cross join fact_versions v on v.owner = w.owner and v.row = w.row"
        f" where w.owner = {table}.owner and w.row = {table}.fact and w.operation = {table}.operation"
        f" and v.recorded_at <= {at} and v.superseded_at > {at} and v.text = w.text and v.subject = w.subject"
        " and v.attribute = w.attribute and v.object = w.object)"
    )


def known(connection: apsw.Connection, owner: int, agent_id: str | None, keys: Iterable[bytes]) -> list[KnownEntity]:
    """Return the entities that a name may be of: those that have it, and the newest ones.

    Args:
        connection: Any.
        owner: The owner.
        agent_id: Whose: exactly this agent's, or nobody's.
        keys: `alias_key` of each name.
    """
    rows: set[int] = set()
    if sought := tuple(keys):
        rows.update(
            row
            for (row,) in connection.execute(
                "select a.entity from entity_aliases a cross join entities e on e.owner = a.owner and e.row = a.entity"
                " where a.owner = ?1 and a.key in carray(?2) and a.superseded_at > ?3 and e.superseded_at > ?3"
                f" and e.agent_id is ?4 and (a.fact is null or {says('a', '?3')})",
                (owner, apsw.carray(sought), OPEN - 1, agent_id),
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
    called: dict[int, dict[str, None]] = {root: {} for root in roots}
    kinds = dict.fromkeys(roots, "other")
    recent = dict.fromkeys(roots, 0)
    for row, name, kind, fact in connection.execute(
        "select e.row, e.name, e.type, ifnull((select max(m.fact) from mentions m where m.owner = e.owner"
        " and m.entity = e.row), 0) from entities e where e.owner = ? and e.row in carray(?) order by e.row",
        (owner, carray(members)),
    ).fetchall():
        root = members[row]
        called[root] = {name: None, **called[root]} if row == root else {**called[root], name: None}
        kinds[root] = kind if kinds[root] == "other" else kinds[root]
        recent[root] = max(recent[root], fact)
    for row, name in connection.execute(
        "select a.entity, a.name from entity_aliases a indexed by entity_aliases_by_entity where a.owner = ?1"
        " and a.entity in carray(?2) and a.superseded_at > ?3 and a.fact is not null"
        f" and {says('a', '?3')} order by a.entity, a.operation",
        (owner, carray(members), OPEN - 1),
    ):
        called[members[row]][name] = None
    return [
        KnownEntity(root, names[0], kinds[root], tuple(names[1:]), "", recent[root])
        for root in roots
        if (names := list(called[root]))
    ]


def with_context(connection: apsw.Connection, owner: int, entities: Iterable[KnownEntity]) -> list[KnownEntity]:
    """Return entities with some of the believed facts that mention them, the newest, as their context."""
    groups = Groups(merges(connection, owner))
    return [replace(entity, context=_context(connection, owner, groups.members(entity.row))) for entity in entities]


def _context(connection: apsw.Connection, owner: int, members: Iterable[int]) -> str:
    texts: dict[int, bytes] = {}
    for row in members:
        for fact, text in connection.execute(
            "select m.fact, f.text from mentions m indexed by mentions_by_entity"
            " cross join facts f on f.owner = m.owner and f.row = m.fact"
            " where m.owner = ? and m.entity = ? and f.superseded_at = ? order by m.fact desc limit ?",
            (owner, row, OPEN, _TEXTS),
        ):
            texts[fact] = text
    return " ".join(codec.decode(texts[fact]) for fact in sorted(texts, reverse=True)[:_TEXTS])


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
        return dict(
            connection.execute(
                "select row, merged_into from entities indexed by entities_merged"
                " where owner = ? and merged_into is not null",
                (owner,),
            ).fetchall()
        )
    into: dict[int, int] = {}
    for entity, target, stored in connection.execute(
        "select o.fact, o.target, o.effects from operations o where o.owner = ?1 and o.kind in ('MERGE', 'UNDO')"
        " and o.at <= ?2 and exists (select 1 from entities e where e.owner = o.owner and e.row = o.fact)"
        " order by o.operation",
        (owner, known_at),
    ):
        if operations.Effects.load(stored).merged:
            into[entity] = target
        else:
            into.pop(entity, None)
    return into


def add_entity(
    connection: apsw.Connection,
    owner: int,
    row: int,
    name: str,
    kind: str,
    *,
    identity: bytes,
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
        identity: The bytes of its id.
        key: `alias_key` of the name.
        agent_id: Whose it is: that of the fact.
        operation: What brings it.
        now: Microseconds UTC.
    """
    connection.execute(
        "insert into entities(owner, row, id, agent_id, type, operation, recorded_at, superseded_at, name)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (owner, row, identity, agent_id, kind, operation, now, OPEN, name),
    )
    add_alias(connection, owner, row, name, key=key, fact=None, operation=operation, now=now)


def add_alias(
    connection: apsw.Connection,
    owner: int,
    entity: int,
    name: str,
    *,
    key: bytes,
    fact: int | None,
    operation: int,
    now: int,
) -> None:
    """Give an entity a name, because the version of `fact` that `operation` wrote says so; None: it is its own."""
    connection.execute(
        "insert or ignore into entity_aliases values (?, ?, ?, ?, ?, ?, ?, ?)",
        (owner, key, entity, operation, now, OPEN, fact, name),
    )


def mention(connection: apsw.Connection, owner: int, fact: int, entity: int, operation: int) -> None:
    """Write that the version of a fact that an operation wrote mentions an entity."""
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


def stated(connection: apsw.Connection, owner: int, fact: int) -> Named:
    """Return whom a fact names in the version that is believed, and how they stand to each other."""
    names: defaultdict[int, dict[str, None]] = defaultdict(dict)
    types: dict[int, str] = {}
    for row, kind, name in connection.execute(
        "select e.row, e.type, e.name from mentions m cross join entities e on e.owner = m.owner and e.row = m.entity"
        f" where m.owner = ?1 and m.fact = ?2 and {says('m', '?3')} order by e.row",
        (owner, fact, OPEN - 1),
    ):
        names[row][name], types[row] = None, kind
    for row, name in connection.execute(
        "select a.entity, a.name from entity_aliases a indexed by entity_aliases_by_entity where a.owner = ?1"
        f" and a.entity in carray(?2) and a.fact is not null and {says('a', '?3')} order by a.operation",
        (owner, carray(types), OPEN - 1),
    ):
        names[row][name] = None
    relations = connection.execute(
        "select r.source, r.type, r.target from relations r indexed by relations_by_fact"
        f" where r.owner = ?1 and r.fact = ?2 and {says('r', '?3')} order by r.row",
        (owner, fact, OPEN - 1),
    ).fetchall()
    return Named({row: tuple(called) for row, called in names.items()}, types, relations)


def own_names(connection: apsw.Connection, owner: int, roots: Iterable[int]) -> dict[int, dict[bytes, int]]:
    """Return by root of a group of several whose own name each key is, the root's own first."""
    groups = Groups(merges(connection, owner))
    root_of = {row: root for root in roots if len(groups.members(root)) > 1 for row in groups.members(root)}
    found: defaultdict[int, dict[bytes, int]] = defaultdict(dict)
    if not root_of:
        return found
    rows = connection.execute(
        "select entity, key from entity_aliases indexed by entity_aliases_by_entity"
        " where owner = ? and entity in carray(?) and fact is null",
        (owner, carray(root_of)),
    ).fetchall()
    for row, key in sorted(rows, key=lambda pair: (pair[0] != root_of[pair[0]], pair[0])):
        found[root_of[row]].setdefault(key, row)
    return found


def agent_of(connection: apsw.Connection, owner: int, row: int) -> str | None:
    """Return the agent that an entity belongs to, None if it is of none."""
    agent: str | None = connection.execute(
        "select agent_id from entities where owner = ? and row = ?", (owner, row)
    ).get
    return agent
