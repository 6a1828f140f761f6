"""What a caller does to facts: forget one, correct one, undo an operation. On the host's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memgraph.core import Core
from memgraph.errors import InvalidInput, NotFound, UndoRefused
from memgraph.ledger import commits, facts, graph, jobs, operations, owners
from memgraph.ledger.operations import Effects, Entry
from memgraph.records import MemoryOperation
from memgraph.scope import Scope
from memgraph.write_path import applying, beliefs, linking
from memgraph.write_path.linking import Stated

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
        draft = linking.reworded(connection, owner.owner, head.row, head.content(), content)
        keys = applying.keys_of(owner.secret, content)
        version = facts.revise(
            connection, owner.owner, head.row, content, keys, operation=number, seq=owner.seq + 1, now=now
        )
        applying.index_words(connection, owner.owner, core.ledger.pepper, head.row, content.text, version)
        entry = Entry(number, "UPDATE", "refine", head.row, head.row, "caller", reason=correction.reason)
        effects = Effects(facts=[(head.row, head.version, version)])
        beliefs.oppose(connection, owner, effects, number, now)
        operations.record(connection, owner.owner, entry, effects, seq=owner.seq + 1, now=now)
        cited = tuple(facts.cites(connection, owner.owner, head.row))
        entities = _link(connection, owner, Stated(head.row, number, draft, cited), now)
        touched = {head.row, *entities, *(row for pair in effects.linked for row in pair)}
        seq = commits.record(connection, owner.owner, at=now, kind="facts", touched=touched)
        jobs.enqueue(connection, owner.owner, seq, rows=[head.row], now=now)
        return operations.numbered(connection, owner.owner, [number])[0]

    return await core.ledger.write(write, durable=True)


def _link(connection: apsw.Connection, owner: owners.Owner, stated: Stated, now: int) -> tuple[int, ...]:
    """Write whom a fact names in other words. Returns the rows of the entities."""
    last = owner.last_row

    def draw() -> int:
        nonlocal last
        last += 1
        return last

    agent = facts.agent_of(connection, owner.owner, stated.fact)
    cause = f"operation {stated.operation}"
    linked = linking.link(
        connection, owner, agent, [stated], speakers=(stated.draft.subject,), cause=cause, draw=draw, now=now
    )
    owners.note_last_row(connection, owner.owner, last)
    return linked.entities


async def undo(core: Core, operation: str, scope: Scope) -> MemoryOperation:
    """Bring back what was believed before an operation, as an operation of its own.

    Raises:
        NotFound: No such operation in this scope.
        UndoRefused: It was undone already, or a later one changed the same fact or entity.
    """
    key = core.owner_key(scope)

    def write(connection: apsw.Connection) -> MemoryOperation:
        owner = owners.find(connection, key)
        done = operations.find(connection, owner.owner, operation) if owner else None
        if owner is None or done is None or not _sees(connection, owner.owner, done.effects, scope.agent_id):
            raise NotFound("no such operation in this scope")
        if done.undone_by is not None:
            raise UndoRefused("this operation was undone already")
        for row, _, after in done.effects.facts:
            if not beliefs.stands(connection, owner.owner, row, after):
                raise UndoRefused("a later operation changed the same fact: undo that one first")
        now = core.clock()
        number = operations.next_number(connection, owner.owner)
        back = _revert(connection, owner, done.effects, number, core.ledger.pepper, now)
        for row, other in done.effects.linked:
            facts.unlink(connection, owner.owner, row, facts.CONFLICT, other, done.number, now)
        beliefs.oppose(connection, owner, back, number, now)
        entry = Entry(number, "UNDO", None, done.fact, done.target, "caller", undoes=done.number)
        operations.record(connection, owner.owner, entry, back, seq=owner.seq + 1, now=now)
        touched = done.effects.rows() | done.effects.entities()
        touched |= {row for pair in done.effects.linked + back.linked for row in pair}
        seq = commits.record(connection, owner.owner, at=now, kind="facts", touched=touched)
        if rows := [row for row, before, _ in done.effects.facts if before]:
            jobs.enqueue(connection, owner.owner, seq, rows=rows, now=now)
        return operations.numbered(connection, owner.owner, [number])[0]

    return await core.ledger.write(write, durable=True)


def _sees(connection: apsw.Connection, owner: int, effects: Effects, agent_id: str | None) -> bool:
    if agent_id is None:
        return True
    agents = {facts.agent_of(connection, owner, row) for row in effects.rows()}
    agents |= {graph.agent_of(connection, owner, row) for row in effects.entities()}
    return agents <= {None, agent_id}


def _revert(
    connection: apsw.Connection, owner: owners.Owner, effects: Effects, number: int, pepper: bytes, now: int
) -> Effects:
    """Turn each effect round. Returns the effects of doing so."""
    back = Effects(cited=[*effects.uncited], uncited=[*effects.cited])
    back.facts = [_put_back(connection, owner, row, before, number, pepper, now) for row, before, _ in effects.facts]
    for row, turn in effects.cited:
        facts.uncite(connection, owner.owner, row, turn, now)
    for row, turn in effects.uncited:
        facts.cite(connection, owner.owner, row, turn, number, now)
    for row in sorted({row for row, _ in effects.cited}):
        # What said it otherwise was forgotten meanwhile.
        version = facts.believed_version(connection, owner.owner, row)
        if version and not beliefs.is_said(connection, owner.owner, row):
            facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
            before = next((before for fact, before, _ in back.facts if fact == row), version)
            back.facts = [*(one for one in back.facts if one[0] != row), (row, before, 0)]
    for entity, into in effects.merged:
        if not graph.unmerge(connection, owner.owner, entity):
            raise UndoRefused("these entities are one no more")
        back.parted.append((entity, into))
    for entity, into in effects.parted:
        if not graph.merge(connection, owner.owner, entity, into):
            raise UndoRefused("a later operation merged the same entities: undo that one first")
        back.merged.append((entity, into))
    return back


def _put_back(
    connection: apsw.Connection, owner: owners.Owner, row: int, before: int, number: int, pepper: bytes, now: int
) -> tuple[int, int, int]:
    """Let a fact say again what its version `before` said, 0 for nothing. Returns the effect."""
    if before:
        content = facts.content_of(connection, owner.owner, row, before)
        return beliefs.put_back(connection, owner, row, content, number, pepper, now)
    after = facts.believed_version(connection, owner.owner, row)
    facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
    return row, after, 0
