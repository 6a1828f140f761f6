"""What searches read of facts: columns, evidence, links and names for the cache, and the join that every hit passes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import apsw

from memgraph.ledger import codec, turns
from memgraph.ledger.graph import says
from memgraph.ledger.turns import carray
from memgraph.records import OPEN
from memgraph.uuid7 import as_text

VERSION, EVIDENCE, LINK, MENTION, ENTITY, ALIAS, VECTOR = range(7)
"""What a row of `news` is about: its first column."""

_PARTS: Final = (
    # A head that was withdrawn ends its newest version too, whichever of the two tables says so.
    (
        "select 0, f.row, v.version, v.recorded_at,"
        " case when v.version = f.version then min(v.superseded_at, f.superseded_at) else v.superseded_at end,"
        " v.valid_from, v.valid_to, v.kind, v.confidence, f.agent_id, f.id,"
        " (select p.terms from postings p where p.owner = f.owner and p.row = f.row and p.part = 0),"
        " (select x.vector from vectors x"
        " where x.owner = f.owner and x.row = f.row and x.part = 0 and x.recipe = :recipe)"
        " from facts f join fact_versions v on v.owner = f.owner and v.row = f.row where f.owner = :owner",
        "f.row in carray(:rows)",
    ),
    (
        "select 1, e.fact, e.turn, e.recorded_at, e.superseded_at, 0, 0, 0, 0, null, null, null, null"
        " from evidence e where e.owner = :owner",
        "e.fact in carray(:rows)",
    ),
    (
        "select 2, l.source, l.target, l.recorded_at, l.superseded_at, l.kind = 'derived_from', 0, 0, 0, null, null,"
        " null, null from fact_links l where l.owner = :owner and l.kind in ('conflicts_with', 'derived_from')",
        "(l.source in carray(:rows) or l.target in carray(:rows))",
    ),
    (
        "select 3, m.fact, m.entity, 0, 0, 0, 0, 0, 0, null, null, null, null from mentions m where m.owner = :owner",
        "m.fact in carray(:rows)",
    ),
    (
        "select 4, n.row, n.merged_into, n.recorded_at, n.superseded_at, 0, 0, 0, 0, n.name, n.id, null, null"
        " from entities n where n.owner = :owner",
        "n.row in carray(:rows)",
    ),
    (
        "select 5, a.entity, null, a.recorded_at, a.superseded_at, 0, 0, 0, 0, a.name, null, null, null"
        f" from entity_aliases a where a.owner = :owner and (a.fact is null or {says('a', str(OPEN - 1))})",
        "a.entity in carray(:rows)",
    ),
)
_ALL: Final = " union all ".join(sql for sql, _ in _PARTS)
_SOME: Final = " union all ".join(f"{sql} and {condition}" for sql, condition in _PARTS)

_VECTORS: Final = (
    " union all select 6, x.row, x.part, x.before, 0, 0, 0, 0, 0, null, null, null, x.vector"
    " from vectors x where x.owner = :owner and x.recipe = :recipe and x.row in carray(:turns)"
)

_STATED: Final = (
    "f.row, v.version, f.id, v.recorded_at,"
    " case when v.version = f.version then min(v.superseded_at, f.superseded_at) else v.superseded_at end,"
    " v.valid_from, v.valid_to, v.kind, v.origin, v.confidence, f.agent_id, v.subject, v.attribute, v.object, v.text,"
    " (select json_group_array(json_array(t.row, hex(t.id), e.recorded_at, e.superseded_at, hex(ifnull(e.quote, x''))))"
    "  from evidence e join turns t on t.owner = e.owner and t.row = e.turn where e.owner = f.owner and e.fact = f.row)"
    " from facts f join fact_versions v on v.owner = f.owner and v.row = f.row"
    " where f.owner = ?1 and f.row in carray(?2)"
)
_BOTH: Final = (
    f"select 0, {', '.join(turns.Found._fields)}, null, null, null, null, null from turns"
    f" where owner = ?1 and row in carray(?3) union all select 1, {_STATED}"
)


def news(
    connection: apsw.Connection,
    owner: int,
    recipe: int | None,
    rows: Iterable[int] | None = None,
    vectors_of: Iterable[int] | None = None,
) -> list[tuple[Any, ...]]:
    """Return what the cache holds of facts and entities: of all, or of some rows.

    One statement for everything, since it runs in a search right after an add. A row begins with what it is about:

    - VERSION, fact, version, recorded_at, superseded_at, valid_from, valid_to, kind, confidence, agent, id, terms and
      vector (these two of the newest version);
    - EVIDENCE, fact, turn, recorded_at, superseded_at;
    - LINK, source, target, recorded_at, superseded_at, then 0 for a conflict, 1 where it took its place;
    - MENTION, fact, entity;
    - ENTITY, row, merged into, recorded_at, superseded_at, then in the tenth column its name, in the eleventh its id;
    - ALIAS, entity, null, recorded_at, superseded_at, in the tenth column the name;
    - VECTOR, turn, part, the turn before, and in the last column the vector.

    Args:
        connection: A reader's.
        owner: Whose.
        recipe: The embedder in force, None for no vectors.
        rows: Rows of facts and entities, among others perhaps; None for all.
        vectors_of: Rows of turns whose vectors are wanted too, beside `rows`.
    """
    bound: dict[str, Any] = {"owner": owner, "recipe": recipe}
    if rows is None:
        return connection.execute(_ALL, bound).fetchall()
    bound["rows"] = carray(rows)
    if vectors_of is None:
        return connection.execute(_SOME, bound).fetchall()
    return connection.execute(_SOME + _VECTORS, {**bound, "turns": carray(vectors_of)}).fetchall()


class Evidence(NamedTuple):
    """A turn that says a fact."""

    turn: int
    id: str
    recorded_at: int
    superseded_at: int
    quote: str


class Found(NamedTuple):
    """One version of a fact, as it is stored."""

    row: int
    version: int
    id: str
    recorded_at: int
    superseded_at: int
    valid_from: int
    valid_to: int
    kind: int
    origin: int
    confidence: float
    agent_id: str | None
    subject: str
    attribute: str
    object: str
    text: str
    evidence: tuple[Evidence, ...]

    @property
    def quote(self) -> str:
        """The words of a turn that say it, "" if none were kept."""
        return next((item.quote for item in self.evidence if item.quote), "")

    def believed(self, known_at: int | None) -> bool:
        """Whether this version is (or was) believed."""
        return self.superseded_at == OPEN if known_at is None else self.recorded_at <= known_at < self.superseded_at


def read_back(
    connection: apsw.Connection, owner: int, of_turns: Sequence[int], of_facts: Sequence[int], known_at: int | None
) -> tuple[dict[int, turns.Found], dict[int, Found]]:
    """Return turns and facts by row, as `turns.found` and `found` do, in one statement."""
    if not of_facts:
        return turns.found(connection, owner, of_turns), {}
    said: dict[int, turns.Found] = {}
    stated: list[tuple[Any, ...]] = []
    for kind, *raw in connection.execute(_BOTH, (owner, carray(of_facts), carray(of_turns))):
        if kind:
            stated.append(tuple(raw))
        else:
            said[raw[0]] = turns.Found._make(raw[: len(turns.Found._fields)])
    return said, _found(stated, known_at)


def _found(stored: Iterable[tuple[Any, ...]], known_at: int | None) -> dict[int, Found]:
    facts: dict[int, Found] = {}
    for raw in stored:
        evidence = tuple(
            Evidence(turn, as_text(bytes.fromhex(identity)), since, until, codec.decode(bytes.fromhex(quote)))
            for turn, identity, since, until, quote in sorted(json.loads(raw[15]))
            if (until == OPEN if known_at is None else since <= known_at < until)
        )
        fact = Found._make((*raw[:2], as_text(raw[2]), *raw[3:14], codec.decode(raw[14]), _once(evidence)))
        if evidence and fact.believed(known_at):
            facts[fact.row] = fact
    return facts


def _once(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return each turn once; it may have been withdrawn by an undo and have come again."""
    return tuple({item.turn: item for item in evidence}.values())
