"""What becomes of facts when the turns that say them, or that ended them, are withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from memgraph.ledger import commits, facts, jobs, operations, owners, turns
from memgraph.ledger.operations import Effects, Entry, Past
from memgraph.records import KINDS, Mode
from memgraph.write_path import applying
from memgraph.writing.attributes import single

if TYPE_CHECKING:
    import apsw

_COMPARED: Final = 300
"""Facts about a subject among which contradictions are looked for, the newest."""

_CLOSING: Final[tuple[Mode, ...]] = ("change", "ended", "retracted")
_UNENDED: Final = "the turn that ended it was withdrawn"
_ENDED_LATER: Final = "what came after what ended it"


def is_said(connection: apsw.Connection, owner: int, row: int) -> bool:
    """Whether a turn that is believed says a fact."""
    return bool(turns.believed(connection, owner, facts.cites(connection, owner, row)))


def stands(connection: apsw.Connection, owner: int, row: int, after: int) -> bool:
    """Whether what a fact says is what its version `after` said, 0 for nothing."""
    version = facts.believed_version(connection, owner, row)
    if version == after or not version or not after:
        return version == after
    # What came later was undone.
    return facts.content_of(connection, owner, row, version) == facts.content_of(connection, owner, row, after)


def put_back(
    connection: apsw.Connection,
    owner: owners.Owner,
    row: int,
    content: facts.Content,
    number: int,
    pepper: bytes,
    now: int,
) -> tuple[int, int, int]:
    """Let a fact say what it said before, also one that is not believed any more. Returns the effect."""
    after = facts.believed_version(connection, owner.owner, row)
    keys = applying.keys_of(owner.secret, content)
    version = facts.revise(connection, owner.owner, row, content, keys, operation=number, seq=owner.seq + 1, now=now)
    applying.index_words(connection, owner.owner, pepper, row, content.text, version)
    return row, after, version


def oppose(connection: apsw.Connection, owner: owners.Owner, effects: Effects, number: int, now: int) -> None:
    """Link what an operation let a fact say to what contradicts it: another value of what has one at a time.

    Nothing is closed: a caller's word ends what it names, and no other fact.
    """
    for row, head in facts.heads(connection, owner.owner, [row for row, _, after in effects.facts if after]).items():
        if not single(head.attribute) or KINDS[head.kind] != "state":
            continue
        for other in _beside(connection, owner, head):
            if head.valid_from < other.valid_to and other.valid_from < head.valid_to:
                facts.link(connection, owner.owner, row, facts.CONFLICT, other.row, number, now)
                effects.linked.append((row, other.row))


def _beside(connection: apsw.Connection, owner: owners.Owner, fact: facts.Head) -> list[facts.Head]:
    """Return the other believed facts that say the same of somebody, in this value or another."""
    key = applying.subject_key(owner.secret, fact.subject)
    agent = facts.agent_of(connection, owner.owner, fact.row)
    return [
        other
        for other in facts.about(connection, owner.owner, agent, [key], _COMPARED)
        if other.row != fact.row and (other.attribute, other.kind) == (fact.attribute, fact.kind)
    ]


def let_go(
    connection: apsw.Connection, owner: owners.Owner, gone: Iterable[int], now: int, reason: str, pepper: bytes
) -> int:
    """End belief in the facts that no believed turn says any more, and open those that only withdrawn turns ended.

    Args:
        connection: The writer's, inside the transaction that withdrew the turns.
        owner: The owner, as it is in this transaction.
        gone: Rows of the turns that were withdrawn.
        now: Microseconds UTC.
        reason: Kept with the operations that end belief.
        pepper: The file's secret, by which index terms are hashed.

    Returns:
        The owner's commit number.
    """
    gone = set(gone)
    touched: set[int] = set()
    for row, head in facts.heads(connection, owner.owner, facts.citing(connection, owner.owner, gone)).items():
        if is_said(connection, owner.owner, row):
            continue
        cited = facts.cites(connection, owner.owner, row)
        number = operations.next_number(connection, owner.owner)
        facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
        operations.record(
            connection,
            owner.owner,
            Entry(number, "DELETE", "retracted", None, row, turns=cited, reason=reason),
            Effects(facts=[(row, head.version, 0)]),
            seq=owner.seq + 1,
            now=now,
        )
        touched.add(row)
    opened = _Opening(connection, owner, gone, {*touched}, pepper, now).run()
    touched |= opened.rows | opened.opposed
    if not touched:
        return owner.seq
    seq = commits.record(connection, owner.owner, at=now, kind="facts", touched=touched)
    if opened.rows:
        jobs.enqueue(connection, owner.owner, seq, rows=opened.rows, now=now)
    return seq


@dataclass(slots=True)
class _Opened:
    """Facts that were opened again. `opposed`: those that contradict them."""

    rows: set[int]
    opposed: set[int]


class _Opening:
    """Turns round what withdrawn turns closed, each by an operation of its own."""

    def __init__(
        self,
        connection: apsw.Connection,
        owner: owners.Owner,
        gone: set[int],
        withdrawn: set[int],
        pepper: bytes,
        now: int,
    ) -> None:
        self._connection = connection
        self._owner = owner
        self._gone = gone
        self._withdrawn = withdrawn
        self._pepper = pepper
        self._now = now
        self._opened = _Opened(set(), set())

    def run(self) -> _Opened:
        """Turn them round, the newest first: what it left shows whether an older one still holds."""
        connection, owner = self._connection, self._owner.owner
        for done in reversed(operations.past(connection, owner, _CLOSING)):
            closed = [one for one in done.effects.facts if one[1] and self._has_lost(done, one[0])]
            if closed and done.turns and self._is_baseless(done):
                for row, before, after in closed:
                    if stands(connection, owner, row, after) and is_said(connection, owner, row):
                        self._open(done, row, before)
        return self._opened

    def _has_lost(self, done: Past, row: int) -> bool:
        """Whether what is withdrawn here may be why a fact is closed."""
        return not self._gone.isdisjoint(done.turns) or done.fact in self._withdrawn or row in self._opened.rows

    def _is_baseless(self, done: Past) -> bool:
        """Whether no turn says any more why something was closed, and nobody took that back before."""
        connection, owner = self._connection, self._owner.owner
        if turns.believed(connection, owner, done.turns):
            return False
        # What it was closed for is said by others, too.
        replaced = done.fact is not None and facts.believed_version(connection, owner, done.fact)
        return not replaced and not operations.is_undone(connection, owner, done.number)

    def _open(self, done: Past, row: int, before: int) -> None:
        owner = self._owner.owner
        content = facts.content_of(self._connection, owner, row, before)
        number = operations.next_number(self._connection, owner)
        effects = Effects(
            facts=[put_back(self._connection, self._owner, row, content, number, self._pepper, self._now)]
        )
        later = self._later(row)
        if later is None:
            oppose(self._connection, self._owner, effects, number, self._now)
        entry = Entry(number, "UNDO", fact=row, target=row, turns=[*done.turns], reason=_UNENDED, undoes=done.number)
        self._record(entry, effects)
        if later is not None:
            self._close(row, later)
        self._opened.rows.add(row)
        self._opened.opposed |= {other for _, other in effects.linked}

    def _later(self, row: int) -> facts.Head | None:
        """Return what says the same since later, or the next value of what has one at a time; None if nothing does."""
        head = facts.heads(self._connection, self._owner.owner, [row])[row]
        if KINDS[head.kind] != "state":
            return None
        after = [
            other
            for other in _beside(self._connection, self._owner, head)
            if head.valid_from < other.valid_from < head.valid_to
            and (single(head.attribute) or other.object.casefold() == head.object.casefold())
        ]
        return min(after, key=lambda other: other.valid_from, default=None)

    def _close(self, row: int, later: facts.Head) -> None:
        """End a fact where the next value begins: on the word of what says that."""
        owner = self._owner.owner
        content = facts.heads(self._connection, owner, [row])[row].content()
        number = operations.next_number(self._connection, owner)
        content = replace(content, valid_to=later.valid_from)
        effects = Effects(
            facts=[put_back(self._connection, self._owner, row, content, number, self._pepper, self._now)]
        )
        oppose(self._connection, self._owner, effects, number, self._now)
        self._opened.opposed |= {other for _, other in effects.linked}
        cited = facts.cites(self._connection, owner, later.row)
        entry = Entry(number, "UPDATE", "change", later.row, row, "a", cited, _ENDED_LATER)
        self._record(entry, effects)

    def _record(self, entry: Entry, effects: Effects) -> None:
        operations.record(self._connection, self._owner.owner, entry, effects, seq=self._owner.seq + 1, now=self._now)
