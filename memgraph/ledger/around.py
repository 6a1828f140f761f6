"""A part of the graph, read from the ledger: who stands to whom, by facts that are believed and true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import apsw

from memgraph.ledger import facts, operations
from memgraph.ledger.filters import Where
from memgraph.ledger.graph import Groups, merges, says
from memgraph.ledger.turns import carray
from memgraph.records import OPEN, Entity, Graph, Relation, from_us, from_us_or_open
from memgraph.uuid7 import as_text

HUB: Final = 1_000
"""Facts read of an entity, the newest: the user is in nearly all of them."""
WHOLE: Final = 5_000
"""Relations read to find the best-connected entities, the newest."""


class View(NamedTuple):
    """What a read sees.

    Attributes:
        agent_id: The agent that reads: its own and nobody's; None sees all.
        as_of: When it is to be true, microseconds UTC; None for now.
        known_at: When it is to be believed; None for now.
        now: Microseconds UTC.
    """

    agent_id: str | None
    as_of: int | None
    known_at: int | None
    now: int

    @property
    def believed_at(self) -> int:
        """The moment at which a row must be believed, as a number that an open end exceeds."""
        return OPEN - 1 if self.known_at is None else self.known_at


class _Edge(NamedTuple):
    """A relation as it is stored, with its fact's validity."""

    row: int
    source: int
    type: str
    target: int
    fact: int
    id: bytes
    valid_from: int
    valid_to: int


# The indexes are named: the planner would rather read all of an owner's rows in the order that is asked for.
# A relation was written with one version of a fact and holds with each that says the same: when a refinement is undone,
# the version that is believed again has its relations again.
_EDGES: Final = (
    "select r.row, r.source, r.type, r.target, r.fact, f.id, v.valid_from, v.valid_to"
    " from {facts} cross join relations r indexed by relations_by_fact on r.owner = ? and r.fact = n.fact"
    " cross join facts f on f.owner = r.owner and f.row = r.fact"
    " cross join fact_versions v on v.owner = r.owner and v.row = r.fact"
    " where r.recorded_at <= ? and r.superseded_at > ? and {visible}"
    " and exists (select 1 from fact_versions w where w.owner = v.owner and w.row = v.row and w.operation = r.operation"
    " and w.text = v.text and w.subject = v.subject and w.attribute = v.attribute and w.object = v.object)"
    " order by r.row desc limit ?"
)
_OF_ENTITIES: Final = (
    "(select distinct fact from mentions indexed by mentions_by_entity"
    " where owner = ? and entity in carray(?) order by fact desc limit ?) n"
)
_OF_ALL: Final = "(select distinct fact from (select fact from relations where owner = ? order by row desc limit ?)) n"


def around(
    connection: apsw.Connection, owner: int, key: bytes | None, view: View, *, hops: int = 1, limit: int = 50
) -> Graph:
    """Return entities and relations around a name, breadth first, or the best-connected ones.

    Args:
        connection: Any.
        owner: The owner.
        key: `alias_key` of a name; None for the best-connected entities.
        view: What the read sees.
        hops: Relations between the name and an entity, at most.
        limit: Entities, and relations, at most.
    """
    groups = Groups(merges(connection, owner, view.known_at))
    if key is None:
        shown, edges = _best(connection, owner, view, groups, limit)
    else:
        shown, edges = _reached(connection, owner, view, groups, _named(connection, owner, key, view), hops, limit)
    raw = dict(_ids(connection, owner, shown))
    ids = {row: as_text(raw[row]) for row in shown if row in raw}
    return Graph(
        _entities(connection, owner, view, groups, ids),
        _relations(connection, owner, view, groups, edges, ids),
    )


def _best(
    connection: apsw.Connection, owner: int, view: View, groups: Groups, limit: int
) -> tuple[list[int], list[_Edge]]:
    """Return the entities with the most relations, and the relations between them."""
    edges = _joining(_edges(connection, owner, view, None, WHOLE), groups)
    degree = Counter(groups.root(end) for edge in edges for end in (edge.source, edge.target))
    shown = [row for row, _ in sorted(degree.items(), key=lambda item: (-item[1], item[0]))[:limit]]
    held = set(shown)
    inner = [edge for edge in edges if groups.root(edge.source) in held and groups.root(edge.target) in held]
    return shown, inner[:limit]


def _reached(
    connection: apsw.Connection,
    owner: int,
    view: View,
    groups: Groups,
    named: Sequence[int],
    hops: int,
    limit: int,
) -> tuple[list[int], list[_Edge]]:
    level = [
        root
        for root in sorted({groups.root(row) for row in named})
        if _is_mentioned(connection, owner, view, groups.members(root))
    ][:limit]
    shown, edges = dict.fromkeys(level), dict[int, _Edge]()
    for hop in range(hops + 1):
        following: list[int] = []
        for root in level:
            members = set(groups.members(root))
            for edge in _joining(_edges(connection, owner, view, members, HUB), groups):
                if not members & {edge.source, edge.target} or len(edges) >= limit:
                    continue
                far = {groups.root(edge.source), groups.root(edge.target)} - set(shown)
                # After the last hop only what joins those that are there.
                if far and (hop == hops or len(shown) >= limit):
                    continue
                following += far
                shown |= dict.fromkeys(far)
                edges[edge.row] = edge
        level = following
    return list(shown), sorted(edges.values(), reverse=True)


def _joining(edges: Iterable[_Edge], groups: Groups) -> list[_Edge]:
    """Return the relations that join two: what was merged does not relate to itself."""
    return [edge for edge in edges if groups.root(edge.source) != groups.root(edge.target)]


def _visible(view: View) -> Where:
    return facts.visible(Where([], []), view.agent_id, view.as_of, view.known_at, view.now)


def _edges(
    connection: apsw.Connection, owner: int, view: View, members: Iterable[int] | None, limit: int
) -> list[_Edge]:
    """Return the relations in facts that mention any of some entities (None: in all facts), the newest first."""
    condition = _visible(view)
    at = view.believed_at
    source, values = (_OF_ALL, (owner, limit)) if members is None else (_OF_ENTITIES, (owner, carray(members), limit))
    sql = _EDGES.format(facts=source, visible=condition.text)
    return [_Edge(*row) for row in connection.execute(sql, (*values, owner, at, at, *condition.values, limit))]


def _named(connection: apsw.Connection, owner: int, key: bytes, view: View) -> list[int]:
    at = view.believed_at
    return [
        row
        for (row,) in connection.execute(
            "select distinct e.row from entity_aliases a cross join entities e on e.owner = a.owner"
            " and e.row = a.entity where a.owner = ?1 and a.key = ?2 and a.recorded_at <= ?3 and a.superseded_at > ?3"
            f" and (a.fact is null or {says('a', '?3')}) and e.recorded_at <= ?3 and e.superseded_at > ?3"
            " and (?4 is null or e.agent_id is null or e.agent_id = ?4) order by e.row",
            (owner, key, at, view.agent_id),
        )
    ]


def _is_mentioned(connection: apsw.Connection, owner: int, view: View, members: Iterable[int]) -> bool:
    condition = _visible(view)
    return (
        connection.execute(
            "select 1 from mentions n cross join facts f on f.owner = n.owner and f.row = n.fact"
            " cross join fact_versions v on v.owner = n.owner and v.row = n.fact"
            f" where n.owner = ? and n.entity in carray(?) and {condition.text} and exists (select 1"
            " from fact_versions w where w.owner = n.owner and w.row = n.fact and w.operation = n.operation"
            " and w.text = v.text and w.subject = v.subject and w.attribute = v.attribute and w.object = v.object)"
            " limit 1",
            (owner, carray(members), *condition.values),
        ).get
        is not None
    )


def _ids(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> list[tuple[int, bytes]]:
    return connection.execute(
        "select row, id from entities where owner = ? and row in carray(?)", (owner, carray(rows))
    ).fetchall()


def _entities(
    connection: apsw.Connection, owner: int, view: View, groups: Groups, ids: Mapping[int, str]
) -> tuple[Entity, ...]:
    """Return the entities of some groups. Only who is named by a believed fact has a part in what a group is called."""
    at = view.believed_at
    root_of = {row: root for root in ids for row in groups.members(root)}
    called: defaultdict[int, dict[str, None]] = defaultdict(dict)
    kinds: dict[int, str] = {}
    joined: defaultdict[int, list[str]] = defaultdict(list)
    for row, name, kind in connection.execute(
        "select e.row, e.name, e.type from entities e where e.owner = ?1 and e.row in carray(?2)"
        " and e.recorded_at <= ?3 and e.superseded_at > ?3 and exists (select 1 from mentions m"
        " indexed by mentions_by_entity where m.owner = e.owner and m.entity = e.row"
        f" and {says('m', '?3')}) order by e.row",
        (owner, carray(root_of), at),
    ):
        root = root_of[row]
        called[root] = {name: None, **called[root]} if row == root else {**called[root], name: None}
        kinds[root] = kind if kinds.get(root, "other") == "other" else kinds[root]
    for row, name in connection.execute(
        "select a.entity, a.name from entity_aliases a indexed by entity_aliases_by_entity where a.owner = ?1"
        " and a.entity in carray(?2) and a.fact is not null and a.recorded_at <= ?3 and a.superseded_at > ?3"
        f" and {says('a', '?3')} order by a.entity, a.operation",
        (owner, carray(root_of), at),
    ):
        called[root_of[row]][name] = None
    for row, raw, stored in connection.execute(
        "select o.fact, o.id, o.effects from operations o indexed by operations_by_fact left join operations u"
        " on u.owner = o.owner and u.operation = o.undone_by where o.owner = ?1 and o.fact in carray(?2)"
        " and o.kind in ('MERGE', 'UNDO') and o.at <= ?3 and (u.at is null or u.at > ?3) order by o.operation",
        (owner, carray(root_of), at),
    ):
        if operations.Effects.load(stored).merged:
            joined[root_of[row]].append(as_text(raw))
    return tuple(
        Entity(ids[root], names[0], kinds[root], tuple(names[1:]), tuple(joined[root]))
        for root in ids
        if (names := list(called[root]))
    )


def _relations(
    connection: apsw.Connection, owner: int, view: View, groups: Groups, edges: Sequence[_Edge], ids: dict[int, str]
) -> tuple[Relation, ...]:
    at = view.believed_at
    evidence: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for fact, raw in connection.execute(
        "select e.fact, t.id from evidence e join turns t on t.owner = e.owner and t.row = e.turn"
        " where e.owner = ?1 and e.fact in carray(?2) and e.recorded_at <= ?3 and e.superseded_at > ?3"
        " order by e.fact, e.turn",
        (owner, carray({edge.fact for edge in edges}), at),
    ):
        evidence[fact][as_text(raw)] = None
    # Once, also where several versions that say the same each brought it.
    found: dict[tuple[str, str, str, int], Relation] = {}
    for edge in edges:
        source, target = ids.get(groups.root(edge.source)), ids.get(groups.root(edge.target))
        if source is not None and target is not None:
            found.setdefault(
                (source, edge.type, target, edge.fact),
                Relation(
                    source,
                    edge.type,
                    target,
                    as_text(edge.id),
                    from_us(edge.valid_from),
                    from_us_or_open(edge.valid_to),
                    tuple(evidence[edge.fact]),
                ),
            )
    return tuple(found.values())
