"""Forgetting, erasing, reindexing: what changes what is already there. On the host's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memgraph.core import Core
from memgraph.embedders import Resolved
from memgraph.embedding import Embedder
from memgraph.errors import InvalidInput, NotFound, StoreBusy
from memgraph.ledger import commits, erasure, facts, faults, filters, indexes, jobs, owners, turns
from memgraph.ledger.unmaking import Unmade
from memgraph.messages import plain
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.records import Receipt, from_us
from memgraph.scope import Scope
from memgraph.write_path import applying, beliefs, corrections
from memgraph.write_path.applying import LEXICAL_RECIPE
from memgraph.write_path.indexing import Indexing
from memgraph.writing import remembered
from memgraph.writing.features import features

if TYPE_CHECKING:
    import apsw

_BATCH = 64
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which turns: those of `ids`, or (None) those that `conditions` let through."""

    ids: Sequence[str] | None
    conditions: filters.Where


def _visible_rows(connection: apsw.Connection, owner: int, rows: Sequence[int], agent_id: str | None) -> list[int]:
    found = turns.joined(connection, owner, rows)
    return [row for row, raw in found.items() if agent_id is None or raw[14] in (None, agent_id)]


async def forget(core: Core, ids: Sequence[str], scope: Scope, reason: str | None) -> int:
    """End belief in turns and facts. Returns the commit's number.

    Raises:
        NotFound: One is not there, or not believed any more.
    """
    if reason is not None and (not isinstance(reason, str) or len(reason) > 1_000):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("a reason is text of at most 1,000 characters")
    if reason is not None and plain(reason)[1]:
        raise InvalidInput("a reason has no lone surrogates")
    key = core.owner_key(scope)

    def write(connection: apsw.Connection) -> int:
        owner = owners.find(connection, key)
        rows = turns.by_id(connection, owner.owner, ids) if owner else {}
        known = facts.by_id(connection, owner.owner, ids) if owner else {}
        if owner is None or not ids or len(rows) + len(known) != len(set(ids)):
            raise NotFound("no such turn or fact in this scope")
        stated = facts.heads(
            connection, owner.owner, corrections.seen(connection, owner.owner, [*known], scope.agent_id)
        )
        if len(stated) != len(known):
            raise NotFound("no such turn or fact in this scope")
        seq = owner.seq
        seen = _visible_rows(connection, owner.owner, list(rows.values()), scope.agent_id)
        if len(seen) != len(rows) or turns.believed(connection, owner.owner, seen) != {*seen}:
            raise NotFound("no such turn or fact in this scope")
        now = core.clock()
        if stated:
            seq = corrections.withdraw(connection, owner, [*stated], now, reason)
            owner = owners.numbered(connection, owner.owner)
        if not seen:
            return seq
        touched = turns.supersede(connection, owner.owner, seen, now)
        seq = commits.record(connection, owner.owner, at=now, kind="forget", touched=touched, reason=reason)
        if rebuilt := touched - set(seen):
            jobs.enqueue(connection, owner.owner, seq, rows=rebuilt, now=now)
        owner = owners.numbered(connection, owner.owner)
        return beliefs.let_go(connection, owner, seen, now, "its turn was forgotten", core.ledger.pepper)

    return await core.ledger.write(write, durable=True)


async def erase(core: Core, selection: Selection, scope: Scope, forget: Callable[[set[str]], None]) -> Receipt:
    """Remove turns physically.

    Args:
        core: The memory.
        selection: Which turns.
        scope: Whose.
        forget: Called with the ids once the rows are gone, to drop what is kept in memory.

    Raises:
        StoreBusy: The rows are gone, their bytes not yet.
        StoreError: Something was left.
    """
    key = core.owner_key(scope)

    def write(connection: apsw.Connection) -> tuple[int, list[int], set[str], dict[str, int], int, int, Unmade]:
        owner = owners.find(connection, key)
        if owner is None:
            return 0, [], set(), {"turns": 0}, 0, 0, Unmade()
        if selection.ids is None:
            condition = filters.Where([*selection.conditions.sql], [*selection.conditions.values])
            condition.extend(filters.agent_sees(scope.agent_id))
            rows = turns.matching(connection, owner.owner, condition)
        else:
            found = turns.by_id(connection, owner.owner, selection.ids)
            rows = _visible_rows(connection, owner.owner, list(found.values()), scope.agent_id)
        earlier = turns.with_earlier(connection, owner.owner, rows)
        rows = _visible_rows(connection, owner.owner, earlier, scope.agent_id)
        if not rows:
            return owner.owner, [], set(), {"turns": 0}, 0, owner.seq, Unmade()
        ids = turns.ids(connection, owner.owner, rows)
        removed, rebuilt, seq, unmade = erasure.erase(connection, owner.owner, rows, core.clock())
        return owner.owner, rows, ids, removed, rebuilt, seq, unmade

    owner, rows, ids, removed, rebuilt, seq, unmade = await core.ledger.write(write, durable=True)
    faults.point("erase.committed")
    core.cache.held.drop(key)
    forget(ids)
    remembered.forget()
    if core.embedder is not None:
        core.embedder.forget()
    await _compact(core)
    await core.ledger.write(erasure.verify, owner, rows, ids, unmade)
    return Receipt(removed["turns"], removed, rebuilt, seq, from_us(core.clock()))


async def _compact(core: Core) -> None:
    """Rewrite the file; where a reader's old snapshot is in the way, wait for it a little."""
    until = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        try:
            # A long read of our own would be such a reader, and hold up all who write.
            async with core.ledger.reading_long:
                await core.ledger.write(erasure.compact, core.ledger.path, alone=True)
        except StoreBusy:
            if asyncio.get_running_loop().time() >= until:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def change_embedder(core: Core, resolved: Resolved) -> None:
    """Put another embedder in force; the turns wait for its vectors until they are reindexed."""
    if resolved.embeddings is None or resolved.name is None:
        raise InvalidInput("reindex needs an embedder that is there")
    model, name = resolved.embeddings, resolved.name
    embedder = Embedder(model, name, None)
    embedder.dims = len((await embedder.documents(["dimension"]))[0])
    dims = embedder.dims
    core.recipe = await core.ledger.write(indexes.use_embedder, name, dims, durable=True)
    core.embedder = embedder
    core.lacks_embedder = False
    core.cache.held.clear()


async def reindex(core: Core, indexing: Indexing, progress: Callable[[int, int], None] | None) -> int:
    """Make missing and outdated postings and vectors, a batch a commit. Returns how many turns and facts it were."""
    recipe = core.recipe
    done = 0
    everyone = await core.ledger.read(owners.every)
    stale = await core.ledger.read(indexes.count_stale_postings, LEXICAL_RECIPE)
    lacking = 0 if recipe is None else await core.ledger.read(indexes.count_without_vectors, recipe)
    total = stale + lacking

    def told(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(min(done, total), total)

    for owner in everyone:
        while count := await core.ledger.write(_renew_postings, core, owner):
            told(count)
        after = 0
        while recipe is not None and (
            rows := await core.ledger.read(indexes.without_vectors, owner, recipe, after, _BATCH)
        ):
            await indexing.embed(owner, rows)
            after = rows[-1]
            told(len(rows))
    if recipe is not None:
        await core.ledger.write(indexes.drop_other_vectors, recipe)
    core.cache.held.clear()
    return done


def _renew_postings(connection: apsw.Connection, core: Core, owner: int) -> int:
    rows = indexes.stale_postings(connection, owner, LEXICAL_RECIPE, limit=_BATCH)
    said = turns.joined(connection, owner, [*rows])
    for row in rows.keys() - said.keys():
        text = facts.content_of(connection, owner, row, rows[row]).text
        applying.index_words(connection, owner, core.ledger.pepper, row, text, rows[row])
    for row, raw in said.items():
        turn = turns.to_turn(raw)
        read = features(turn.text, turn.role)
        indexes.put_postings(
            connection,
            owner,
            row,
            recipe=LEXICAL_RECIPE,
            words=read.words,
            flags=read.flags,
            terms=pack_terms(core.ledger.pepper, tokenize(turn.text)),
        )
    if rows:
        commits.record(connection, owner, at=core.clock(), kind="reindex", touched=rows)
    return len(rows)
