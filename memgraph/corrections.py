"""What a caller does to facts: forget one, correct one, undo an operation. On the host's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memgraph import applying
from memgraph.core import Core
from memgraph.errors import InvalidInput, NotFound, UndoRefused
from memgraph.ledger import commits, facts, jobs, operations, owners
from memgraph.ledger.operations import Effects, Entry
from memgraph.records import MemoryOperation
from memgraph.scope import Scope
from memgraph.writing.identity import digest
from memgraph.writing.planning import fact_hash

if TYPE_CHECKING:
    import apsw


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be changed of a fact; None leaves it.

    Attributes:
        valid_from: Microseconds UTC. `valid_to`: too, `OPEN` for an open end.
    """

    text: str | None = None
    object: str | None = None
    confidence: float | None = None
    importance: float | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    reason: str | None = None


def withdraw(
    connection: apsw.Connection, owner: owners.Owner, rows: Sequence[int], now: int, reason: str | None
) -> int:
    """End belief in facts, each by a DELETE operation. Returns the commit's number."""
    for row, head in facts.heads(connection, owner.owner, rows).items():
        number = operations.next_number(connection, owner.owner)
        facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
        entry = Entry(number, "DELETE", "retracted", None, row, "caller", reason=reason)
        effects = Effects(facts=[(row, head.version, 0)])
        operations.record(connection, owner.owner, entry, effects, seq=owner.seq + 1, now=now)
    return commits.record(connection, owner.owner, at=now, kind="facts", touched=rows)


def seen(connection: apsw.Connection, owner: int, ids: Sequence[str], agent_id: str | None) -> list[int]:
    """Return the rows of those facts among `ids` that a scope's agent sees."""
    found = facts.by_id(connection, owner, ids).values()
    return [
        row for row in found if agent_id is None or facts.agent_of(connection, owner, row) in (None, agent_id)
    ]  # fmt: skip


async def update(core: Core, fact: str, scope: Scope, correction: Correction) -> MemoryOperation:
    """Give a fact another version, in the caller's words.

    Raises:
        NotFound: It is not there, or not believed any more.
        InvalidInput: It would end before it began.
    """
    key = core.owner_key(scope)

    def write(connection: apsw.Connection) -> MemoryOperation:
        owner = owners.find(connection, key)
        rows = seen(connection, owner.owner, [fact], scope.agent_id) if owner else []
        heads = facts.heads(connection, owner.owner, rows) if owner else {}
        if owner is None or not heads:
            raise NotFound("no such fact in this scope")
        [head] = heads.values()
        changes = {
            name: value
            for name in ("text", "object", "confidence", "importance", "valid_from", "valid_to")
            if (value := getattr(correction, name)) is not None
        }
        content = replace(head.content(), **changes)
        if content.valid_to < content.valid_from:
            raise InvalidInput("a fact can't end before it began: give valid_from and valid_to that agree")
        now = core.clock()
        number = operations.next_number(connection, owner.owner)
        statement = fact_hash(applying.as_draft(content))
        keys = facts.Keys(
            applying.subject_key(owner.secret, content.subject), digest(owner.secret, "statement", statement)
        )
        version = facts.revise(
            connection, owner.owner, head.row, content, keys, operation=number, seq=owner.seq + 1, now=now
        )
        applying.index_words(connection, owner.owner, core.ledger.pepper, head.row, content.text, version)
        entry = Entry(number, "UPDATE", "refine", head.row, head.row, "caller", reason=correction.reason)
        effects = Effects(facts=[(head.row, head.version, version)])
        operations.record(connection, owner.owner, entry, effects, seq=owner.seq + 1, now=now)
        seq = commits.record(connection, owner.owner, at=now, kind="facts", touched=[head.row])
        jobs.enqueue(connection, owner.owner, seq, rows=[head.row], now=now)
        return operations.numbered(connection, owner.owner, [number])[0]

    return await core.ledger.write(write, durable=True)


async def undo(core: Core, operation: str, scope: Scope) -> MemoryOperation:
    """Bring back what was believed before an operation, as an operation of its own.

    Raises:
        NotFound: No such operation in this scope.
        UndoRefused: It was undone already, or a later one changed the same fact.
    """
    key = core.owner_key(scope)

    def write(connection: apsw.Connection) -> MemoryOperation:
        owner = owners.find(connection, key)
        found = operations.find(connection, owner.owner, operation) if owner else None
        if owner is None or found is None or not _sees(connection, owner.owner, found[2], scope.agent_id):
            raise NotFound("no such operation in this scope")
        undone, by, effects = found
        if by is not None:
            raise UndoRefused("this operation was undone already")
        for row, _, after in effects.facts:
            if facts.believed_version(connection, owner.owner, row) != after:
                raise UndoRefused("a later operation changed the same fact: undo that one first")
        now = core.clock()
        number = operations.next_number(connection, owner.owner)
        back = _revert(connection, owner, effects, number, core.ledger.pepper, now)
        entry = Entry(number, "UNDO", gate="caller", undoes=undone)
        operations.record(connection, owner.owner, entry, back, seq=owner.seq + 1, now=now)
        touched = [row for row, _, _ in effects.facts] + [row for row, _ in effects.cited + effects.uncited]
        seq = commits.record(connection, owner.owner, at=now, kind="facts", touched=touched)
        if rows := [row for row, before, _ in effects.facts if before]:
            jobs.enqueue(connection, owner.owner, seq, rows=rows, now=now)
        return operations.numbered(connection, owner.owner, [number])[0]

    return await core.ledger.write(write, durable=True)


def _sees(connection: apsw.Connection, owner: int, effects: Effects, agent_id: str | None) -> bool:
    rows = {row for row, _, _ in effects.facts} | {row for row, _ in effects.cited + effects.uncited}
    return agent_id is None or all(facts.agent_of(connection, owner, row) in (None, agent_id) for row in rows)


def _revert(
    connection: apsw.Connection, owner: owners.Owner, effects: Effects, number: int, pepper: bytes, now: int
) -> Effects:
    """Turn each effect round. Returns the effects of doing so."""
    back = Effects(cited=[*effects.uncited], uncited=[*effects.cited])
    for row, before, after in effects.facts:
        if not before:
            facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
            back.facts.append((row, after, 0))
            continue
        content = facts.content_of(connection, owner.owner, row, before)
        keys = facts.Keys(
            applying.subject_key(owner.secret, content.subject),
            digest(owner.secret, "statement", fact_hash(applying.as_draft(content))),
        )
        version = facts.revise(
            connection, owner.owner, row, content, keys, operation=number, seq=owner.seq + 1, now=now
        )
        applying.index_words(connection, owner.owner, pepper, row, content.text, version)
        back.facts.append((row, after, version))
    for row, turn in effects.cited:
        facts.uncite(connection, owner.owner, row, turn, now)
    for row, turn in effects.uncited:
        facts.cite(connection, owner.owner, row, turn, number, now)
    return back
