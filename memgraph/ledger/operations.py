"""Operations: each step by which facts and entities became what they are, and what it takes to undo it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import apsw

from memgraph.ledger import codec, commits
from memgraph.ledger.turns import carray
from memgraph.records import MemoryOperation, Mode, from_us
from memgraph.uuid7 import as_text, raw, uuid7

_SELECT: Final = (
    "select o.id, o.kind, o.mode, ifnull((select f.id from facts f where f.owner = o.owner and f.row = o.fact),"
    " (select e.id from entities e where e.owner = o.owner and e.row = o.fact)),"
    " ifnull((select f.id from facts f where f.owner = o.owner and f.row = o.target),"
    " (select e.id from entities e where e.owner = o.owner and e.row = o.target)), o.gate, o.reason, o.turns, o.model,"
    " o.prompt, o.prompt_tokens, o.answer_tokens, o.at, o.seq,"
    " (select u.id from operations u where u.owner = o.owner and u.operation = o.undoes),"
    " (select u.id from operations u where u.owner = o.owner and u.operation = o.undone_by), o.operation"
    " from operations o where o.owner = ?"
)


@dataclass(slots=True)
class Effects:
    """What an operation changed.

    Attributes:
        facts: For each fact: (row, version believed before, version believed after); 0 for none.
        cited: (fact, turn) that became evidence. `uncited`: that no longer are.
        merged: (entity, what it was merged into). `parted`: that were parted again.
        linked: (fact, fact) that contradict each other since.
        read: (fact, turn) of which the fact may hold words: not evidence, but what a model saw beside it.
    """

    facts: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    cited: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    uncited: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    merged: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    parted: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    linked: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    read: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def dump(self) -> str:
        """Return it as it is stored: row numbers only."""
        names = ("facts", "cited", "uncited", "merged", "parted", "linked", "read")
        return json.dumps({name: value for name in names if (value := getattr(self, name))})

    def rows(self) -> set[int]:
        """Return the facts that it changed."""
        return {row for row, _, _ in self.facts} | {row for row, _ in self.cited + self.uncited}

    def entities(self) -> set[int]:
        """Return the entities that it merged or parted, and those that they were one with."""
        return {row for pair in self.merged + self.parted for row in pair}

    def without(self, gone: Set[int]) -> Effects:
        """Return what is left of it without some facts."""
        return Effects(
            [one for one in self.facts if one[0] not in gone],
            [one for one in self.cited if one[0] not in gone],
            [one for one in self.uncited if one[0] not in gone],
            self.merged,
            self.parted,
            [pair for pair in self.linked if gone.isdisjoint(pair)],
            [one for one in self.read if one[0] not in gone],
        )

    @classmethod
    def load(cls, stored: str) -> Effects:
        """Return what was stored."""
        return cls(**{name: [tuple(entry) for entry in value] for name, value in json.loads(stored).items()})


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decided: a model by a prompt, with the tokens of its batch; nothing of it where rules did."""

    model: str | None = None
    prompt: str | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation to be written.

    Attributes:
        number: The owner's number of it.
        fact: Row of the fact that it brought, changed or confirmed; of a MERGE: of the entity that was merged.
        target: Row of the fact that it changed, closed or confirmed; of a MERGE: of what it was merged into.
        turns: Rows of the turns that say so.
        undoes: Number of the operation that it undoes.
    """

    number: int
    kind: str
    mode: str | None = None
    fact: int | None = None
    target: int | None = None
    gate: str = "none"
    turns: Sequence[int] = ()
    reason: str | None = None
    quote: str = ""
    undoes: int | None = None
    origin: Origin = Origin()


def next_number(connection: apsw.Connection, owner: int) -> int:
    """Take the owner's next operation number."""
    number: int = connection.execute(
        "update owners set last_operation = last_operation + 1 where owner = ? returning last_operation", (owner,)
    ).get
    return number


def record(connection: apsw.Connection, owner: int, entry: Entry, effects: Effects, *, seq: int, now: int) -> None:
    """Write an operation."""
    origin = entry.origin
    connection.execute(
        "insert into operations values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,null,?,?,?,?)",
        (
            *(owner, entry.number, uuid7(now).bytes, seq, now, entry.kind, entry.mode, entry.fact, entry.target),
            *(entry.gate, origin.model, origin.prompt, origin.prompt_tokens, origin.answer_tokens, entry.undoes),
            *(commits.pack(entry.turns), entry.reason, codec.encode(entry.quote) if entry.quote else None),
            effects.dump(),
        ),
    )
    if entry.undoes is not None:
        connection.execute(
            "update operations set undone_by = ? where owner = ? and operation = ?", (entry.number, owner, entry.undoes)
        )


class Done(NamedTuple):
    """An operation, as what undoes it sees it.

    Attributes:
        undone_by: Number of what undid it, None if nothing did.
        fact: Row of what it concerned, None for nothing. `target`: too.
    """

    number: int
    undone_by: int | None
    fact: int | None
    target: int | None
    effects: Effects


def find(connection: apsw.Connection, owner: int, identity: str) -> Done | None:
    """Return an operation, None if it is not there."""
    found = connection.execute(
        "select operation, undone_by, fact, target, effects from operations where owner = ? and id = ?",
        (owner, raw(identity)),
    ).fetchone()
    if found is None:
        return None
    number, undone_by, fact, target, stored = found
    return Done(number, undone_by, fact, target, Effects.load(stored))


class Past(NamedTuple):
    """An operation, as what withdraws or erases its turns sees it.

    Attributes:
        turns: Rows of the turns that say so.
    """

    number: int
    kind: str
    mode: str | None
    fact: int | None
    target: int | None
    gate: str
    turns: frozenset[int]
    effects: Effects

    def rows(self) -> set[int]:
        """Return the facts and entities that it names."""
        named = {row for row in (self.fact, self.target) if row is not None}
        return self.effects.rows() | named | {row for pair in self.effects.linked for row in pair}

    def sources(self) -> set[int]:
        """Return the turns of which what it made may hold words."""
        return {*self.turns, *(turn for _, turn in self.effects.read)}


def past(connection: apsw.Connection, owner: int, modes: Sequence[Mode] = ()) -> list[Past]:
    """Return an owner's operations, of some modes or all, oldest first."""
    return [
        Past(number, kind, mode, fact, target, gate, frozenset(commits.unpack(packed)), Effects.load(stored or "{}"))
        for number, kind, mode, fact, target, gate, packed, stored in connection.execute(
            "select operation, kind, mode, fact, target, gate, turns, effects from operations where owner = ?"
            " and (? or mode in (select value from json_each(?))) order by operation",
            (owner, not modes, json.dumps(modes)),
        )
    ]


def is_undone(connection: apsw.Connection, owner: int, number: int) -> bool:
    """Whether an operation was undone, and its undoing was not."""
    found: int | None = connection.execute(
        "select undone_by from operations where owner = ? and operation = ?", (owner, number)
    ).get
    return found is not None and not is_undone(connection, owner, found)


def numbered(connection: apsw.Connection, owner: int, numbers: Iterable[int]) -> list[MemoryOperation]:
    """Return operations by number, oldest first."""
    return _records(
        connection,
        owner,
        connection.execute(
            f"{_SELECT} and o.operation in carray(?) order by o.operation", (owner, carray(numbers))
        ).fetchall(),
    )


def _records(connection: apsw.Connection, owner: int, rows: Sequence[Sequence[Any]]) -> list[MemoryOperation]:
    said = {row[16]: commits.unpack(row[7]) for row in rows}
    names = {
        turn: as_text(raw)
        for turn, raw in connection.execute(
            "select row, id from turns where owner = ? and row in carray(?)",
            (owner, carray({turn for turns in said.values() for turn in turns})),
        )
    }
    return [_record(row, tuple(names[turn] for turn in said[row[16]] if turn in names)) for row in rows]


def _record(row: Sequence[Any], evidence: tuple[str, ...]) -> MemoryOperation:
    return MemoryOperation(
        id=as_text(row[0]),
        operation=row[1],
        mode=row[2],
        fact=row[3] and as_text(row[3]),
        target=row[4] and as_text(row[4]),
        gate=row[5],
        reason=row[6],
        evidence=evidence,
        model=row[8],
        prompt=row[9],
        prompt_tokens=row[10],
        answer_tokens=row[11],
        at=from_us(row[12]),
        seq=row[13],
        undoes=row[14] and as_text(row[14]),
        undone_by=row[15] and as_text(row[15]),
    )
