"""Facts: the head that is believed, every version there was, the turns that say it, the links between facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apsw

from memgraph.ledger import codec
from memgraph.ledger.filters import Where
from memgraph.ledger.turns import carray
from memgraph.records import KINDS, OPEN, ORIGINS, Fact, Kind, from_us, from_us_or_open
from memgraph.uuid7 import as_text, raw

CONFLICT: Final = "conflicts_with"
DERIVED: Final = "derived_from"


@dataclass(frozen=True, slots=True)
class Content:
    """What a version says.

    Attributes:
        valid_from: Microseconds UTC. `valid_to`: `OPEN` while it holds.
        origin: Index into `ORIGINS`.
    """

    subject: str
    attribute: str
    object: str
    text: str
    kind: Kind
    origin: int
    confidence: float
    importance: float
    valid_from: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Keyed digests by which a fact is found again: of its subject, and of what it states."""

    subject: bytes
    hash: bytes


class Head(NamedTuple):
    """What consolidation sees of a believed fact."""

    row: int
    version: int
    subject: str
    attribute: str
    object: str
    text: bytes
    kind: int
    origin: int
    confidence: float
    importance: float
    valid_from: int
    valid_to: int

    def content(self) -> Content:
        """Return what it says."""
        return Content(
            self.subject,
            self.attribute,
            self.object,
            codec.decode(self.text),
            KINDS[self.kind],
            self.origin,
            self.confidence,
            self.importance,
            self.valid_from,
            self.valid_to,
        )


_HEAD: Final = ", ".join(Head._fields)
_VERSION: Final = (
    "select f.id, v.subject, v.attribute, v.object, v.text, v.kind, v.confidence, v.importance, v.valid_from,"
    " v.valid_to, v.recorded_at, v.superseded_at, v.version, v.origin, f.agent_id, o.seq, f.row"
    " from facts f join fact_versions v on v.owner = f.owner and v.row = f.row"
    " left join operations o on o.owner = v.owner and o.operation = v.operation where f.owner = ?"
)


_LINKED: Final = (
    "select me.row, it.id from fact_links l"
    " join facts me on me.owner = l.owner and me.row = l.{0} join facts it on it.owner = l.owner and it.row = l.{1}"
    " where l.owner = ?1 and l.{0} in carray(?2) and l.kind = ?3 and l.recorded_at <= ?4 and l.superseded_at > ?4"
    " and it.recorded_at <= ?4 and it.superseded_at > ?4"
    # One that has ended since is no contradiction any more. (Heads say when they hold now, not when they held then.)
    " and (?5 or (it.valid_from < me.valid_to and me.valid_from < it.valid_to))"
)
_CONFLICTS: Final = f"{_LINKED.format('source', 'target')} union all {_LINKED.format('target', 'source')}"


def about(
    connection: apsw.Connection, owner: int, agent_id: str | None, subjects: Iterable[bytes], limit: int
) -> list[Head]:
    """Return the believed facts about some subjects, of exactly one agent (or of none), the newest first."""
    found: list[Head] = []
    for subject in subjects:
        found += map(
            Head._make,
            connection.execute(
                f"select {_HEAD} from facts where owner = ? and subject_key = ? and superseded_at = ?"
                " and agent_id is ? order by row desc limit ?",
                (owner, subject, OPEN, agent_id, limit),
            ),
        )
    return found


def heads(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> dict[int, Head]:
    """Return the believed ones of some facts by row."""
    return {
        head[0]: Head._make(head)
        for head in connection.execute(
            f"select {_HEAD} from facts where owner = ? and row in carray(?) and superseded_at = ?",
            (owner, carray(rows), OPEN),
        )
    }


def add(
    connection: apsw.Connection,
    owner: int,
    row: int,
    content: Content,
    keys: Keys,
    *,
    identity: bytes,
    agent_id: str | None,
    operation: int,
    seq: int,
    now: int,
) -> None:
    """Write a new fact in its first version."""
    connection.execute(
        "insert into facts(owner, row, id, version, seq, agent_id, subject_key, attribute, hash, kind, origin,"
        " recorded_at, superseded_at, valid_from, valid_to, confidence, importance, subject, object, text)"
        " values (?,?,?,1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(owner, row, identity, seq, agent_id, keys.subject, content.attribute, keys.hash),
            *(KINDS.index(content.kind), content.origin, now, OPEN, content.valid_from, content.valid_to),
            *(content.confidence, content.importance, content.subject, content.object, codec.encode(content.text)),
        ),
    )
    _insert_version(connection, owner, row, 1, content, operation, now)


def revise(
    connection: apsw.Connection,
    owner: int,
    row: int,
    content: Content,
    keys: Keys | None,
    *,
    operation: int,
    seq: int,
    now: int,
) -> int:
    """Give a fact another version, also one that is not believed any more. Returns its number.

    Args:
        connection: The writer's.
        owner: The owner.
        row: The fact.
        content: What the new version says.
        keys: Its digests; None where subject and statement are as they were.
        operation: What brings it.
        seq: The owner's commit.
        now: Microseconds UTC.
    """
    last: int = connection.execute(
        "select max(version) from fact_versions where owner = ? and row = ?", (owner, row)
    ).get
    _end_version(connection, owner, row, now)
    connection.execute(
        "update facts set version = ?, seq = ?, attribute = ?, kind = ?, origin = ?, superseded_at = ?, valid_from = ?,"
        " valid_to = ?, confidence = ?, importance = ?, subject = ?, object = ?, text = ?,"
        " subject_key = ifnull(?, subject_key), hash = ifnull(?, hash) where owner = ? and row = ?",
        (
            *(last + 1, seq, content.attribute, KINDS.index(content.kind), content.origin, OPEN, content.valid_from),
            *(content.valid_to, content.confidence, content.importance, content.subject, content.object),
            *(codec.encode(content.text), keys and keys.subject, keys and keys.hash, owner, row),
        ),
    )
    _insert_version(connection, owner, row, last + 1, content, operation, now)
    return last + 1


def withdraw(connection: apsw.Connection, owner: int, row: int, *, seq: int, now: int) -> None:
    """End belief in a fact; its versions stay."""
    _end_version(connection, owner, row, now)
    connection.execute(
        "update facts set superseded_at = ?, seq = ? where owner = ? and row = ? and superseded_at = ?",
        (now, seq, owner, row, OPEN),
    )


def _end_version(connection: apsw.Connection, owner: int, row: int, now: int) -> None:
    connection.execute(
        "update fact_versions set superseded_at = ? where owner = ? and row = ? and superseded_at = ?",
        (now, owner, row, OPEN),
    )


def _insert_version(
    connection: apsw.Connection, owner: int, row: int, version: int, content: Content, operation: int, now: int
) -> None:
    connection.execute(
        "insert into fact_versions values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(owner, row, version, operation, now, OPEN, content.valid_from, content.valid_to),
            *(KINDS.index(content.kind), content.origin, content.confidence, content.importance),
            *(content.subject, content.attribute, content.object, codec.encode(content.text)),
        ),
    )


def believed_version(connection: apsw.Connection, owner: int, row: int) -> int:
    """Return the number of the version that is believed, 0 for none."""
    version: int | None = connection.execute(
        "select version from facts where owner = ? and row = ? and superseded_at = ?", (owner, row, OPEN)
    ).get
    return version or 0


def content_of(connection: apsw.Connection, owner: int, row: int, version: int) -> Content:
    """Return what a version said."""
    raw = connection.execute(
        "select subject, attribute, object, text, kind, origin, confidence, importance, valid_from, valid_to"
        " from fact_versions where owner = ? and row = ? and version = ?",
        (owner, row, version),
    ).fetchall()[0]
    subject, attribute, thing, text, kind, *rest = raw
    return Content(subject, attribute, thing, codec.decode(text), KINDS[int(kind)], *rest)


def cite(
    connection: apsw.Connection, owner: int, row: int, turn: int, operation: int, now: int, quote: str = ""
) -> None:
    """Add a turn to a fact's evidence, with the words that say it; without them: as it was evidence before."""
    connection.execute(
        "insert or ignore into evidence values (?1, ?2, ?3, ?4, ?5, ?6, ifnull(?7, (select quote from evidence"
        " where owner = ?1 and fact = ?2 and turn = ?3 and quote is not null order by operation desc limit 1)))",
        (owner, row, turn, operation, now, OPEN, codec.encode(quote) if quote else None),
    )


def cites(connection: apsw.Connection, owner: int, row: int, *, ever: bool = False) -> list[int]:
    """Return the turns that say a fact, by what is believed now, or that ever were its evidence."""
    return [
        turn
        for (turn,) in connection.execute(
            "select distinct turn from evidence where owner = ? and fact = ? and (? or superseded_at = ?)"
            " order by turn",
            (owner, row, ever, OPEN),
        )
    ]


def uncite(connection: apsw.Connection, owner: int, row: int, turn: int, now: int) -> None:
    """End a turn's being evidence of a fact."""
    connection.execute(
        "update evidence set superseded_at = ? where owner = ? and fact = ? and turn = ? and superseded_at = ?",
        (now, owner, row, turn, OPEN),
    )


def citing(connection: apsw.Connection, owner: int, turns: Iterable[int], *, ever: bool = False) -> list[int]:
    """Return the facts that cite any of some turns now, or ever did."""
    return [
        fact
        for (fact,) in connection.execute(
            "select distinct fact from evidence where owner = ? and turn in carray(?) and (? or superseded_at = ?)"
            " order by fact",
            (owner, carray(turns), ever, OPEN),
        )
    ]


def link(
    connection: apsw.Connection, owner: int, source: int, kind: str, target: int, operation: int, now: int
) -> None:
    """Link two facts."""
    connection.execute(
        "insert or ignore into fact_links values (?, ?, ?, ?, ?, ?, ?)",
        (owner, source, kind, target, operation, now, OPEN),
    )


def unlink(
    connection: apsw.Connection, owner: int, source: int, kind: str, target: int, operation: int, now: int
) -> None:
    """End a link that an operation made; others between the same facts stay."""
    connection.execute(
        "update fact_links set superseded_at = ? where owner = ? and source = ? and kind = ? and target = ?"
        " and operation = ? and superseded_at = ?",
        (now, owner, source, kind, target, operation, OPEN),
    )


def believed(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> set[int]:
    """Return those of some rows that are facts and not withdrawn."""
    return {
        row
        for (row,) in connection.execute(
            "select row from facts where owner = ? and row in carray(?) and superseded_at = ?",
            (owner, carray(rows), OPEN),
        )
    }


def by_id(connection: apsw.Connection, owner: int, ids: Sequence[str]) -> dict[str, int]:
    """Return the rows of ids, unknown ones left out."""
    found: dict[str, int] = {}
    for identity in ids:
        row = connection.execute("select row from facts where owner = ? and id = ?", (owner, raw(identity))).get
        if row is not None:
            found[identity] = row
    return found


def ids(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> dict[int, str]:
    """Return the ids of facts by row."""
    return {
        row: as_text(raw)
        for row, raw in connection.execute(
            "select row, id from facts where owner = ? and row in carray(?)", (owner, carray(rows))
        )
    }


def agent_of(connection: apsw.Connection, owner: int, row: int) -> str | None:
    """Return the agent that a fact belongs to, None if it is of none."""
    agent: str | None = connection.execute("select agent_id from facts where owner = ? and row = ?", (owner, row)).get
    return agent


def texts(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> dict[int, str]:
    """Return the sentences of believed facts by row."""
    return {
        row: codec.decode(text)
        for row, text in connection.execute(
            "select row, text from facts where owner = ? and row in carray(?) and superseded_at = ?",
            (owner, carray(rows), OPEN),
        )
    }


def visible(conditions: Where, agent_id: str | None, as_of: int | None, known_at: int | None, now: int) -> Where:
    """Add to a read's conditions what its agent sees, what is believed and what is true.

    Args:
        conditions: On facts `f` and versions `v`.
        agent_id: The agent that reads, None for all.
        as_of: When it is to be true, microseconds UTC; None for now.
        known_at: When it is to be believed; None for now.
        now: Microseconds UTC.
    """
    result = Where([*conditions.sql], [*conditions.values])
    if agent_id is not None:
        result.add("(f.agent_id is null or f.agent_id = ?)", agent_id)
    if known_at is None:
        result.add("v.superseded_at = ?", OPEN)
    else:
        result.add("v.recorded_at <= ? and v.superseded_at > ?", known_at, known_at)
    at = now if as_of is None else as_of
    # An event goes on having happened. What is believed now of a plan or of tomorrow is shown unless a time is named.
    result.add("(v.valid_to > ? or (v.kind = ? and v.valid_to > v.valid_from))", at, KINDS.index("event"))
    if as_of is not None:
        # A plan is one from when it was said, whenever its day is.
        result.add(
            "(v.valid_from <= ? or (v.kind = ? and exists (select 1 from evidence e join turns t on t.owner = e.owner"
            " and t.row = e.turn where e.owner = f.owner and e.fact = f.row and t.said_at <= ?)))",
            at,
            KINDS.index("plan"),
            at,
        )
    return result


def page(connection: apsw.Connection, owner: int, condition: Where, *, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Return up to `limit` versions of facts after row `after`, in row order, as `to_facts` takes them."""
    return connection.execute(
        f"{_VERSION} and f.row > ? and {condition.text} order by f.row, v.version limit ?",
        (owner, after, *condition.values, limit),
    ).fetchall()


def versions(connection: apsw.Connection, owner: int, row: int) -> list[tuple[Any, ...]]:
    """Return all versions of a fact, oldest first."""
    return connection.execute(f"{_VERSION} and f.row = ? order by v.version", (owner, row)).fetchall()


def to_facts(
    connection: apsw.Connection, owner: int, rows: Sequence[Sequence[Any]], known_at: int | None = None
) -> list[Fact]:
    """Return the records of versions, with their evidence and conflicts as believed now or at `known_at`."""
    wanted = sorted({row[16] for row in rows})
    at = OPEN - 1 if known_at is None else known_at
    evidence: dict[int, dict[str, None]] = {}
    for fact, turn in connection.execute(
        "select e.fact, t.id from evidence e join turns t on t.owner = e.owner and t.row = e.turn"
        " where e.owner = ? and e.fact in carray(?) and e.recorded_at <= ? and e.superseded_at > ?"
        " order by e.fact, e.turn",
        (owner, carray(wanted), at, at),
    ):
        evidence.setdefault(fact, {})[as_text(turn)] = None
    conflicts: dict[int, dict[str, None]] = {}
    for fact, other in connection.execute(_CONFLICTS, (owner, carray(wanted), CONFLICT, at, known_at is not None)):
        conflicts.setdefault(fact, {})[as_text(other)] = None
    return [_to_fact(row, tuple(evidence.get(row[16], ())), tuple(conflicts.get(row[16], ()))) for row in rows]


def _to_fact(row: Sequence[Any], evidence: tuple[str, ...], conflicts: tuple[str, ...]) -> Fact:
    return Fact(
        id=as_text(row[0]),
        subject=row[1],
        attribute=row[2],
        object=row[3],
        text=codec.decode(row[4]),
        kind=KINDS[int(row[5])],
        confidence=row[6],
        importance=row[7],
        valid_from=from_us(row[8]),
        valid_to=from_us_or_open(row[9]),
        recorded_at=from_us(row[10]),
        superseded_at=from_us_or_open(row[11]),
        version=row[12],
        origin=ORIGINS[int(row[13])],
        agent_id=row[14],
        seq=row[15] or 0,
        evidence=evidence,
        conflicts=conflicts,
    )
