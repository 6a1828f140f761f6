"""What is read without a search: turns and facts by id and by page, why a fact is believed, what was done to memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from memgraph import arguments
from memgraph.arguments import Kind
from memgraph.core import Core
from memgraph.errors import AgentMemoryError, InvalidInput, NotFound
from memgraph.ledger import facts, filters, histories, operations, owners, turns
from memgraph.records import OPEN, Fact, MemoryOperation, Page, Turn, Why
from memgraph.scope import Scope

if TYPE_CHECKING:
    import apsw

T = TypeVar("T")


async def _read(core: Core, scope: Scope, look: Callable[[apsw.Connection, int], T], nothing: T) -> T:
    """Read in one snapshot what an owner has; `nothing` of one that has nothing."""

    def read(connection: apsw.Connection) -> T:
        with connection:
            head = owners.head(connection, core.owner_key(scope))
            return nothing if head is None else look(connection, head[0])

    return await core.ledger.read(read)


async def get(core: Core, identity: str, scope: Scope, kind: Kind | None) -> Turn | Fact:
    """Return a turn or a fact by its id, whether it is believed or not; of a fact its last version.

    Raises:
        NotFound: It is not there in this scope.
    """

    def look(connection: apsw.Connection, owner: int) -> Turn | Fact | None:
        turn = _turn(connection, owner, identity, scope.agent_id) if kind != "fact" else None
        if turn is not None or kind == "turn":
            return turn
        row = _fact_row(connection, owner, identity, scope.agent_id)
        return None if row is None else _as_believed(connection, owner, facts.versions(connection, owner, row)[-1])

    found = await _read(core, scope, look, None)
    if found is None:
        raise NotFound(f"no such {kind or 'turn or fact'} in this scope")
    return found


def _turn(connection: apsw.Connection, owner: int, identity: str, agent_id: str | None) -> Turn | None:
    rows = turns.by_id(connection, owner, [identity]).values()
    for turn in map(turns.to_turn, turns.joined(connection, owner, [*rows]).values()):
        return turn if agent_id is None or turn.agent_id in (None, agent_id) else None
    return None


def _fact_row(connection: apsw.Connection, owner: int, identity: str, agent_id: str | None) -> int | None:
    for row in facts.by_id(connection, owner, [identity]).values():
        return row if agent_id is None or facts.agent_of(connection, owner, row) in (None, agent_id) else None
    return None


def _as_believed(connection: apsw.Connection, owner: int, version: Sequence[Any]) -> Fact:
    """Return a version with the evidence and the conflicts that it had while it was believed, or has now."""
    recorded_at, superseded_at = version[10], version[11]
    known_at = None if superseded_at == OPEN else max(recorded_at, superseded_at - 1)
    return facts.to_facts(connection, owner, [version], known_at)[0]


async def absence(core: Core, identity: str, scope: Scope) -> AgentMemoryError:
    """Return the error that says why there is no believed fact with this id, and what to do."""

    def look(connection: apsw.Connection, owner: int) -> AgentMemoryError | None:
        if _fact_row(connection, owner, identity, scope.agent_id) is not None:
            return NotFound("this fact is not believed any more: `why` tells which operation ended it, to `undo`")
        if _turn(connection, owner, identity, scope.agent_id) is not None:
            return InvalidInput(
                "this is the id of a turn, which is kept as it was said: give the id of a fact that it states"
                ' (`list(scope, kind="fact")`)'
            )
        return None

    return await _read(core, scope, look, None) or NotFound("no such fact in this scope")


async def refuse_facts(core: Core, ids: Sequence[str], scope: Scope) -> None:
    """Raise if facts are among what is to be erased: the turns would say them again.

    Raises:
        InvalidInput: One is a fact.
    """

    def look(connection: apsw.Connection, owner: int) -> bool:
        rows = facts.by_id(connection, owner, ids).values()
        agent = scope.agent_id
        return any(agent is None or facts.agent_of(connection, owner, row) in (None, agent) for row in rows)

    if await _read(core, scope, look, False):
        raise InvalidInput(
            "a fact is erased with the turns that say it: give the ids in its `evidence`; to withdraw only the fact "
            "call `forget`"
        )


async def believed(core: Core, ids: Sequence[str], scopes: Sequence[Scope], patience: float = 5.0) -> set[str]:
    """Return which turns and facts, of some scopes' owners, are there still, neither erased nor forgotten."""

    def read(connection: apsw.Connection) -> set[str]:
        found: set[str] = set()
        with connection:
            for head in [owners.head(connection, core.owner_key(scope)) for scope in scopes]:
                if head is not None:
                    for family in (turns, facts):
                        rows = family.by_id(connection, head[0], ids)
                        there = family.believed(connection, head[0], rows.values())
                        found |= {id for id, row in rows.items() if row in there}
        return found

    return await core.ledger.read(read, patience=patience)


async def list_turns(
    core: Core, scope: Scope, condition: filters.Where, *, after: int | None, limit: int
) -> Page[Turn]:
    """Return a page of turns in the order they were stored."""

    def look(connection: apsw.Connection, owner: int) -> list[tuple[Any, ...]]:
        return turns.page(connection, owner, condition, after=after or 0, limit=limit + 1)

    rows = await _read(core, scope, look, list[tuple[Any, ...]]())
    more = arguments.cursor("turn", rows[limit - 1][17]) if len(rows) > limit else None
    return Page(tuple(map(turns.to_turn, rows[:limit])), more)


async def list_facts(
    core: Core,
    scope: Scope,
    conditions: filters.Where,
    *,
    as_of: int | None,
    known_at: int | None,
    after: int | None,
    limit: int,
) -> Page[Fact]:
    """Return a page of facts in the order they were first stored."""
    condition = facts.visible(conditions, scope.agent_id, as_of, known_at, core.clock())

    def look(connection: apsw.Connection, owner: int) -> Page[Fact]:
        rows = facts.page(connection, owner, condition, after=after or 0, limit=limit + 1)
        more = arguments.cursor("fact", rows[limit - 1][16]) if len(rows) > limit else None
        return Page(tuple(facts.to_facts(connection, owner, rows[:limit], known_at)), more)

    nothing: Page[Fact] = Page((), None)
    return await _read(core, scope, look, nothing)


async def why(core: Core, identity: str, scope: Scope) -> Why:
    """Return all there is to tell of a fact.

    Raises:
        NotFound: It is not there in this scope.
        InvalidInput: It is a turn's id.
    """

    def look(connection: apsw.Connection, owner: int) -> Why | None:
        row = _fact_row(connection, owner, identity, scope.agent_id)
        if row is None:
            return None
        versions = [_as_believed(connection, owner, one) for one in facts.versions(connection, owner, row)]
        done = operations.numbered(connection, owner, histories.on_fact(connection, owner, row))
        said = {turn: None for one in done for turn in one.evidence}
        rows = {*turns.by_id(connection, owner, [*said]).values(), *facts.cites(connection, owner, row, ever=True)}
        told = [turns.to_turn(raw) for raw in turns.joined(connection, owner, sorted(rows)).values()]
        seen = [turn for turn in told if scope.agent_id is None or turn.agent_id in (None, scope.agent_id)]
        seen.sort(key=lambda turn: (turn.said_at, turn.recorded_at))
        return Why(versions[-1], tuple(versions), tuple(done), tuple(seen))

    found = await _read(core, scope, look, None)
    if found is None:
        raise await absence(core, identity, scope)
    return found


async def list_operations(
    core: Core, scope: Scope, fact: str | None, *, before: int | None, limit: int
) -> Page[MemoryOperation]:
    """Return a page of operations, newest first, all or those on one fact.

    Raises:
        NotFound: The fact is not there in this scope.
        InvalidInput: It is a turn's id.
    """

    def look(connection: apsw.Connection, owner: int) -> Page[MemoryOperation] | None:
        last = OPEN if before is None else before
        if fact is None:
            numbers = histories.newest(connection, owner, scope.agent_id, before=last, limit=limit + 1)
        else:
            row = _fact_row(connection, owner, fact, scope.agent_id)
            if row is None:
                return None
            numbers = [one for one in reversed(histories.on_fact(connection, owner, row)) if one < last][: limit + 1]
        shown = numbers[:limit]
        more = arguments.cursor("operation", shown[-1]) if len(numbers) > limit else None
        return Page(tuple(reversed(operations.numbered(connection, owner, shown))), more)

    nothing: Page[MemoryOperation] | None = Page((), None) if fact is None else None
    found = await _read(core, scope, look, nothing)
    if found is None:
        raise await absence(core, str(fact), scope)
    return found
