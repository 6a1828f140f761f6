"""Turns: written once, read by row, by id, by page."""

from __future__ import annotations

import array
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apsw

from memgraph.ledger import codec, commits, faults, jobs, owners
from memgraph.ledger.filters import Where
from memgraph.records import OPEN, ORIGINS, Draft, Skipped, Turn, from_us, from_us_or_open
from memgraph.sittings import is_context
from memgraph.uuid7 import as_text, raw, uuid7

_SELECT: Final = (
    "select t.id, t.seq, t.said_at, t.recorded_at, t.superseded_at, t.role, t.speaker, t.origin, t.altered,"
    " t.message_id, t.metadata, t.parts, p.thread_id, p.session_id, p.agent_id,"
    " (select r.id from turns r where r.owner = t.owner and r.row = t.replaces), t.text, t.row"
    " from turns t join places p on p.owner = t.owner and p.place = t.place where t.owner = ?"
)


class Found(NamedTuple):
    """What a hit is made of, as it is stored."""

    row: int
    id: bytes
    said_at: int
    recorded_at: int
    superseded_at: int
    role: str
    speaker: str
    origin: int
    message_id: str | None
    place: int
    text: bytes


_FOUND: Final = f"select {', '.join(Found._fields)} from turns where owner = ? and row in carray(?)"


_BATCH_TURNS: Final = 24
_BATCH_CHARACTERS: Final = 16_000
"""Turns, and characters of them, that a model is asked about at once: about 4,000 tokens."""

Keys = tuple[bytes | None, bytes | None, bytes | None]
"""What a turn is known again by (None: always new), what an edit of its message replaces (None: no id), by what else it
is known from then on (None: nothing)."""

_Before = tuple[int, int, int]
"""Row, said_at and words of the turn before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A draft ready to be written: with what its index needs, computed before the transaction.

    Attributes:
        terms: Packed term hashes and counts. `words`, `flags`: its features.
    """

    draft: Draft
    terms: bytes
    words: int
    flags: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What one acceptance wrote."""

    ids: tuple[str, ...]
    rows: tuple[int, ...]
    skipped: tuple[Skipped, ...]
    seq: int
    job: int | None
    facts: int | None = None
    replaced: tuple[int, ...] = ()


def accept(
    connection: apsw.Connection,
    owner_key: bytes,
    entries: Sequence[Entry],
    keys: Callable[[bytes], Sequence[Keys]],
    *,
    place: owners.Place,
    claim: bytes | None,
    now: int,
    recipe: int,
    cause: Mapping[str, str] | None,
    facts: bool = False,
) -> Accepted:
    """Write the new ones of `entries` as turns with their postings and the job that goes on with them: commit 1.

    Args:
        connection: The writer's, inside its transaction.
        owner_key: Digest of the owner.
        entries: What was handed in, in order.
        keys: From the owner's secret to the keys of the entries.
        place: (thread, session, agent) they were said in.
        claim: Digest of the thread that is to be the owner's, or is already; None to claim none.
        now: Microseconds UTC.
        recipe: Version of what `terms` and `flags` hold.
        cause: Thread, checkpoint and task of the graph run.
        facts: Whether facts are to be made of them.
    """
    faults.point("accept.begin")
    owner = owners.ensure(connection, owner_key)
    if claim is not None:
        owners.claim_thread(connection, claim, owner.owner)
    ids: list[str] = []
    rows: list[int] = []
    skipped: list[Skipped] = []
    lengths: list[int] = []
    replaced_rows: list[int] = []
    rebuilt: set[int] = set()
    last_row, last_place, number = owner.last_row, owner.last_place, None
    before: _Before | None = None
    seq = owner.seq + 1
    for entry, named in zip(entries, keys(owner.secret), strict=True):
        turn_key, message_key, _ = named
        known = _known(connection, owner.owner, turn_key)
        if known is not None:
            skipped.append(Skipped(entry.draft.index, known))
            continue
        if number is None:
            number = owners.place_number(connection, owner, place)
            last_place = max(last_place, number)
            before = _last_in(connection, owner.owner, number)
        last_row += 1
        said_at = now if entry.draft.said_at is None else entry.draft.said_at
        replaced = _replaced(connection, owner.owner, message_key, place[2])
        if replaced is not None:
            replaced_rows.append(replaced)
            rebuilt |= supersede(connection, owner.owner, [replaced], now)
            before = _last_in(connection, owner.owner, number) if before and before[0] == replaced else before
        context = _context(before, said_at, entry.words)
        where = (owner.owner, last_row, seq, number)
        ids.append(_insert(connection, where, said_at, now, replaced, entry.draft, len(ids)))
        _keep_keys(connection, owner.owner, last_row, named)
        connection.execute(
            "insert into postings values (?, ?, 0, 1, ?, ?, ?, ?, ?)",
            (owner.owner, last_row, recipe, context, entry.words, entry.flags, entry.terms),
        )
        rows.append(last_row)
        lengths.append(len(entry.draft.text))
        before = (last_row, said_at, entry.words)
    if not rows:
        return Accepted((), (), tuple(skipped), owner.seq, None)
    connection.execute(
        "update owners set last_row = ?, last_place = ? where owner = ?", (last_row, last_place, owner.owner)
    )
    kind = "turns" if not rebuilt else "replace"
    commits.record(connection, owner.owner, at=now, kind=kind, touched=[*rows, *rebuilt], cause=cause)
    job = jobs.enqueue(connection, owner.owner, seq, rows=[*rows, *rebuilt], now=now)
    making = None
    for batch in batches(rows, lengths) if facts else ():
        making = jobs.enqueue(connection, owner.owner, seq, rows=batch, now=now, kind="facts")
    faults.point("accept.written")
    return Accepted(tuple(ids), tuple(rows), tuple(skipped), seq, job, making, tuple(replaced_rows))


def batches(rows: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut turns into batches, one of which is read by one call of a model."""
    batch: list[int] = []
    size = 0
    for row, length in zip(rows, lengths, strict=True):
        if batch and (len(batch) >= _BATCH_TURNS or size + length > _BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _known(connection: apsw.Connection, owner: int, key: bytes | None) -> str | None:
    if key is None:
        return None
    found = connection.execute("select row from turn_keys where owner = ? and key = ?", (owner, key)).fetchone()
    return None if found is None else "erased" if found[0] is None else "known"


def _last_in(connection: apsw.Connection, owner: int, place: int, below: int = OPEN) -> _Before | None:
    """Return (row, said_at, words) of the last believed turn in a place, before row `below`."""
    return connection.execute(
        "select t.row, t.said_at, p.words from turns t"
        " join postings p on p.owner = t.owner and p.row = t.row and p.part = 0"
        " where t.owner = ? and t.place = ? and t.row < ? and t.superseded_at = ? order by t.row desc limit 1",
        (owner, place, below, OPEN),
    ).fetchone()


def _context(before: _Before | None, said_at: int, words: int) -> int | None:
    """Return the row of the turn before if it is context."""
    return before[0] if before is not None and is_context(before[1], before[2], said_at, words) else None


def _replaced(connection: apsw.Connection, owner: int, key: bytes | None, agent_id: str | None) -> int | None:
    """Return the believed turn that an edit of the same message replaces; never that of another agent."""
    if key is None:
        return None
    row: int | None = connection.execute(
        "select t.row from turn_keys k join turns t on t.owner = k.owner and t.row = k.row"
        " join places p on p.owner = t.owner and p.place = t.place"
        " where k.owner = ? and k.key = ? and t.superseded_at = ? and (p.agent_id is null or p.agent_id is ?)",
        (owner, key, OPEN, agent_id),
    ).get
    return row


def _insert(
    connection: apsw.Connection,
    where: tuple[int, int, int, int],
    said_at: int,
    now: int,
    replaces: int | None,
    draft: Draft,
    order: int,
) -> str:
    identity = uuid7(now + order)  # so that ids sort as the messages stood
    connection.execute(
        "insert into turns(owner, row, seq, place, id, said_at, recorded_at, superseded_at, role, speaker, origin,"
        " altered, replaces, message_id, metadata, parts, text) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *where,
            identity.bytes,
            said_at,
            now,
            OPEN,
            draft.role,
            draft.speaker,
            ORIGINS.index(draft.origin),
            int(draft.altered),
            replaces,
            draft.message_id,
            json.dumps(draft.metadata) if draft.metadata else None,
            json.dumps([dict(part) for part in draft.parts]) if draft.parts else None,
            codec.encode(draft.text),
        ),
    )
    return str(identity)


def _keep_keys(connection: apsw.Connection, owner: int, row: int, keys: Keys) -> None:
    for key in keys:
        if key is not None:
            connection.execute("insert or replace into turn_keys values (?, ?, ?)", (owner, key, row))


def supersede(connection: apsw.Connection, owner: int, rows: Iterable[int], now: int) -> set[int]:
    """End belief in turns and detach their neighbours. Returns all rows whose index changed."""
    gone = set(rows)
    connection.execute(
        "update turns set superseded_at = ? where owner = ? and row in carray(?) and superseded_at = ?",
        (now, owner, carray(gone), OPEN),
    )
    return gone | detach(connection, owner, gone)


def detach(connection: apsw.Connection, owner: int, gone: Iterable[int]) -> set[int]:
    """Give the turns that had one of `gone` as context another one, and drop the vectors that held its text.

    Returns the rows to be indexed again.
    """
    ends = set(gone)
    neighbours = connection.execute(
        "select p.row, t.place, t.said_at, p.words from postings p join turns t on t.owner = p.owner and t.row = p.row"
        " where p.owner = ? and p.part = 0 and p.before in carray(?)",
        (owner, carray(ends)),
    ).fetchall()
    held = [row for row, _, _, _ in neighbours if row not in ends]
    for row, place, said_at, words in neighbours:
        if row not in ends:
            found = _last_in(connection, owner, place, below=row)
            connection.execute(
                "update postings set before = ?, version = version + 1 where owner = ? and row = ? and part = 0",
                (_context(found, said_at, words), owner, row),
            )
    connection.execute("delete from vectors where owner = ? and row in carray(?)", (owner, carray(held)))
    return set(held)


def carray(rows: Iterable[int]) -> Any:
    """Return row numbers as the one value that SQLite's carray takes."""
    packed = array.array("q", rows)
    # carray takes no empty array: -1 is no row's number.
    return apsw.carray(packed or array.array("q", [-1]))


def found(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> dict[int, Found]:
    """Return turns by row: the join back that every hit passes.

    Without the names of their places, which never change and which the cache holds: a third of the time.
    """
    return {row[0]: Found._make(row) for row in connection.execute(_FOUND, (owner, carray(rows)))}


def joined(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """Return the raw columns of turns by row."""
    return {row[17]: row for row in connection.execute(_SELECT + " and t.row in carray(?)", (owner, carray(rows)))}


def by_id(connection: apsw.Connection, owner: int, ids: Sequence[str]) -> dict[str, int]:
    """Return the rows of ids, unknown ones left out."""
    found: dict[str, int] = {}
    for identity in ids:
        row = connection.execute("select row from turns where owner = ? and id = ?", (owner, raw(identity))).get
        if row is not None:
            found[identity] = row
    return found


def with_earlier(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> list[int]:
    """Return turns with the earlier versions of their messages, which they replaced."""
    found, level = set(rows), set(rows)
    while level:
        level = {
            row
            for (row,) in connection.execute(
                "select replaces from turns where owner = ? and row in carray(?) and replaces is not null",
                (owner, carray(level)),
            )
        } - found
        found |= level
    return sorted(found)


def ids(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> set[str]:
    """Return the ids of rows."""
    return {
        as_text(raw)
        for (raw,) in connection.execute(
            "select id from turns where owner = ? and row in carray(?)", (owner, carray(rows))
        )
    }


def page(connection: apsw.Connection, owner: int, condition: Where, *, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Return up to `limit` turns after row `after`, in row order."""
    return connection.execute(
        f"{_SELECT} and t.row > ? and {condition.text} order by t.row limit ?",
        (owner, after, *condition.values, limit),
    ).fetchall()


def matching(connection: apsw.Connection, owner: int, condition: Where) -> list[int]:
    """Return the rows that a filter lets through."""
    return [
        row
        for (row,) in connection.execute(
            "select t.row from turns t join places p on p.owner = t.owner and p.place = t.place"
            f" where t.owner = ? and {condition.text}",
            (owner, *condition.values),
        )
    ]


def texts(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> dict[int, str]:
    """Return texts by row."""
    return {
        row: codec.decode(text)
        for row, text in connection.execute(
            "select row, text from turns where owner = ? and row in carray(?)", (owner, carray(rows))
        )
    }


class Said(NamedTuple):
    """What extraction needs of a turn."""

    row: int
    speaker: str
    role: str
    origin: int
    said_at: int
    agent_id: str | None
    text: bytes


_SAID: Final = (
    "select t.row, t.speaker, t.role, t.origin, t.said_at, p.agent_id, t.text from turns t"
    " join places p on p.owner = t.owner and p.place = t.place where t.owner = ? and t.superseded_at = ?"
)


def said(connection: apsw.Connection, owner: int, rows: Sequence[int]) -> list[Said]:
    """Return the believed ones of some turns, in the order they were stored."""
    return [
        Said._make(row)
        for row in connection.execute(f"{_SAID} and t.row in carray(?) order by t.row", (owner, OPEN, carray(rows)))
    ]


def said_before(connection: apsw.Connection, owner: int, row: int, count: int) -> list[Said]:
    """Return up to `count` believed turns that stand before a turn in its place, in order."""
    found = connection.execute(
        f"{_SAID} and t.place = (select place from turns where owner = ? and row = ?) and t.row < ?"
        " order by t.row desc limit ?",
        (owner, OPEN, owner, row, row, count),
    ).fetchall()
    return [Said._make(row) for row in reversed(found)]


def believed(connection: apsw.Connection, owner: int, rows: Iterable[int]) -> set[int]:
    """Return those of some rows that are turns and neither replaced nor forgotten."""
    return {
        row
        for (row,) in connection.execute(
            "select row from turns where owner = ? and row in carray(?) and superseded_at = ?",
            (owner, carray(rows), OPEN),
        )
    }


def to_turn(row: Sequence[Any]) -> Turn:
    """Return the record of a turn's raw columns."""
    return Turn(
        id=as_text(row[0]),
        seq=row[1],
        said_at=from_us(row[2]),
        recorded_at=from_us(row[3]),
        superseded_at=from_us_or_open(row[4]),
        role=row[5],
        speaker=row[6],
        origin=ORIGINS[int(row[7])],
        altered=bool(row[8]),
        message_id=row[9],
        metadata=json.loads(row[10]) if row[10] else {},
        parts=json.loads(row[11]) if row[11] else [],
        thread_id=row[12],
        session_id=row[13],
        agent_id=row[14],
        replaces=None if row[15] is None else as_text(row[15]),
        text=codec.decode(row[16]),
    )
