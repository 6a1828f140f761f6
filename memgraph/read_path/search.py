"""The read path's I/O: arms over cached arrays, the join back to the ledger, the trace."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import numpy as np

from memgraph.core import Core
from memgraph.embedding import Asked
from memgraph.errors import EmbedderUnavailable, NotFound
from memgraph.ledger import codec, fact_index, filters, owners, traces, turns
from memgraph.projections.cache import OwnerIndex
from memgraph.projections.postings import term_hash
from memgraph.ranking.fusion import Pool, Ranking, rank
from memgraph.ranking.query import Query, analyse
from memgraph.read_path.facts import Asked as AskedOfFacts
from memgraph.read_path.facts import Gathered, Shown, gather, holds, marks, plan, span
from memgraph.records import OPEN, ORIGINS, ArmScore, Hit, Hits, Trace, from_us
from memgraph.scope import Scope, check_id
from memgraph.uuid7 import as_text, uuid7
from memgraph.writing.identity import MessagePlace, place_of

if TYPE_CHECKING:
    import apsw
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

_TRACE_BATCH_S: Final = 0.05
"""Traces wait this long for each other: they are written off the search's path, many in one transaction."""

_THREADS: Final = 10_000
"""Threads whose owner is remembered in memory: an owner never changes."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked.

    Attributes:
        conditions: Conditions on turns (`filters.of_turns`), None for none.
        as_of: Only what had been said by then, microseconds UTC. `known_at`: what was believed then.
        deadline: Seconds that the arms have.
        leave_out: Messages whose turns are not wanted: the model sees them anyway.
        present: Texts whose turns are not wanted, for messages that no id names.
        kind: "turn" or "fact" where only these are wanted; None for both.
    """

    text: str
    scope: Scope
    limit: int
    conditions: filters.Where | None
    as_of: int | None
    known_at: int | None
    include_shared: bool
    deadline: float
    leave_out: frozenset[MessagePlace] = frozenset()
    present: frozenset[str] = frozenset()
    kind: Literal["turn", "fact"] | None = None


@dataclass(slots=True)
class _Unwritten:
    """A trace that waits to be written."""

    owner_key: bytes
    id: UUID
    at: int
    arms: dict[str, int]
    degraded: dict[str, str]
    hits: Sequence[Hit]
    drops: list[dict[str, Any]]

    def body(self) -> dict[str, Any]:
        """Return what is stored: ids, ranks and scores, no text."""
        hits = [explain(place, hit) for place, hit in enumerate(self.hits, 1)]
        return {"arms": self.arms, "degraded": self.degraded, "hits": hits, "drops": self.drops}


class Reads:
    """Searches and their traces, on the host's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._unwritten: list[_Unwritten] = []
        self._timer: asyncio.TimerHandle | None = None
        self._threads: dict[str, bytes] = {}

    async def search(self, ask: Search) -> tuple[Hits, Query | None]:
        """Find turns and facts. Returns them with the analysed question, None where there is nothing to search."""
        core = self._core
        until = asyncio.get_running_loop().time() + ask.deadline
        scopes = [ask.scope, ask.scope.team()] if ask.include_shared and not ask.scope.is_shared else [ask.scope]
        keys = [core.owner_key(scope) for scope in scopes]
        loaded = await core.ledger.read(self._load, keys, patience=ask.deadline)
        now = core.clock()
        trace_id = uuid7(now)
        label, seq = keys[0].hex(), loaded[0][1] if loaded and loaded[0][0] is not None else 0
        found = [index for index, _ in loaded if index is not None and len(index)]
        if not found or not ask.text.strip():
            self._trace(_Unwritten(keys[0], trace_id, now, {}, {}, [], []))
            return Hits([], trace_id=str(trace_id), degraded={}, owner=label, seq=seq), None
        pool = _pool(found)
        query = analyse(ask.text, speakers=pool.speakers, now_us=ask.as_of if ask.as_of is not None else now)
        # The encoder works while the words are looked up.
        asked = None if core.embedder is None or core.vectors is None else core.embedder.ask(query.content)
        hashes = self._hashes(query)
        lexical = _lexical(found, hashes)
        mask = await self._visible(found, ask)
        degraded: dict[str, str] = {}
        vector = await self._vector(found, asked, until, degraded)
        dense = None if vector is None else _dense(found, vector)
        at = now if ask.as_of is None else ask.as_of
        of_facts = AskedOfFacts(ask.text, at, ask.as_of is not None, ask.known_at, ask.scope.agent_id)
        gathered = gather(found, of_facts, hashes, vector, mask, ask.kind)
        visible = gathered.visible if gathered is not None else _said(found, mask, ask)
        limit = ask.limit + len(ask.leave_out) + len(ask.present)
        cited = None if gathered is None else gathered.columns
        ranking = rank(pool, query, dense, lexical, limit=limit, visible=visible, cited=cited)
        order = plan(ranking, gathered, pool.words, ask.kind)
        if (merged := len(ranking) - len(order)) > 0:
            # Turns that their facts speak for leave room for others.
            ranking = rank(pool, query, dense, lexical, limit=limit + merged, visible=visible, cited=cited)
            order = plan(ranking, gathered, pool.words, ask.kind)
        hits, drops = await self._join(found, ranking, order, gathered, of_facts, ask, words_only=dense is None)
        arms = {"dense": dense, "lexical": lexical}
        took_part = {name: len(pool) for name, arm in arms.items() if arm is not None}
        self._trace(_Unwritten(keys[0], trace_id, now, took_part, degraded, hits, drops))
        return Hits(hits, trace_id=str(trace_id), degraded=degraded, owner=label, seq=seq), query

    def _load(self, connection: apsw.Connection, keys: Sequence[bytes]) -> list[tuple[OwnerIndex | None, int]]:
        loaded: list[tuple[OwnerIndex | None, int]] = []
        with connection:  # one snapshot: what others commit meanwhile belongs to none of it
            self._core.learn_dims(connection)
            for key in keys:
                # A view of it as it is now: while this search waits for the encoder, another may append to it.
                index = copy(self._core.cache.get(connection, key, self._core.vectors))
                loaded.append((index, 0 if index is None else index.seq))
        return loaded

    async def _vector(
        self, found: Sequence[OwnerIndex], asked: Asked | None, until: float, degraded: dict[str, str]
    ) -> Floats | None:
        """Return the question's vector, None where the dense arm can't take part."""
        embedder = self._core.embedder
        if embedder is None:
            return None
        pending = sum(_pending(index) for index in found)
        if asked is None:
            if pending:
                degraded["dense"] = f"pending {pending}"
            return None
        try:
            timeout = max(0.001, until - asyncio.get_running_loop().time())
            vector = await embedder.answer(asked, timeout=timeout)
        except EmbedderUnavailable as error:
            degraded["dense"] = str(error)
            return None
        if pending:
            degraded["dense"] = f"pending {pending}"
        return vector

    def _hashes(self, query: Query) -> NDArray[np.uint64]:
        pepper = self._core.ledger.pepper
        return np.array(sorted({term_hash(pepper, term) for term in query.terms}), np.uint64)

    async def _visible(self, found: Sequence[OwnerIndex], ask: Search) -> Bools | None:
        """Return which turns this search may return but for when they were said, None for all."""
        masks: list[Bools | None] = []
        for index in found:
            mask: Bools | None = None
            if ask.known_at is not None:
                mask = (index.recorded_at <= ask.known_at) & (index.superseded_at > ask.known_at)
            elif not index.all_believed:
                mask = index.superseded_at == OPEN
            agent = ask.scope.agent_id
            if agent is not None and any(names[2] not in (None, agent) for names in index.places.values()):
                seen = [place for place, names in index.places.items() if names[2] in (None, agent)]
                mask = _and(mask, np.isin(index.place, seen))
            if ask.conditions is not None and ask.conditions.sql:
                rows = await self._core.ledger.read(turns.matching, index.owner, ask.conditions)
                mask = _and(mask, np.isin(index.rows, rows))
            masks.append(mask)
        if all(mask is None for mask in masks):
            return None
        return np.concatenate(
            [np.ones(len(index), np.bool_) if mask is None else mask for index, mask in zip(found, masks, strict=True)]
        )

    async def _join(
        self,
        found: Sequence[OwnerIndex],
        ranking: Ranking,
        order: Sequence[Shown],
        gathered: Gathered | None,
        of_facts: AskedOfFacts,
        ask: Search,
        *,
        words_only: bool,
    ) -> tuple[list[Hit], list[dict[str, Any]]]:
        """Read what is to be shown from the ledger, by owner; what is not there (any more) as ranked is dropped."""
        hits: list[Hit] = []
        drops: list[dict[str, Any]] = []
        homes = _homes(found, ranking)
        said: set[str] = set()
        at = 0
        while at < len(order) and len(hits) < ask.limit:
            # A statement an owner and kind; what is left out is made up for from further down, by one more.
            batch = order[at:] if at else order[: ask.limit]
            at += len(batch)
            turns_by, facts_by = await self._read_back(found, homes, batch, gathered, ask)
            for shown in batch:
                which, position, row = homes[shown.place]
                turn = turns_by[which].get(row)
                if turn is None:
                    drops.append({"row": row, "reason": "erased"})
                    continue
                names = found[which].places[turn.place]
                reason = _left_out(turn, names, ask, ranking, shown, words_only=words_only)
                if reason is not None:
                    drops.append({"id": as_text(turn.id), "reason": reason})
                elif len(hits) < ask.limit:
                    of_turn = _hit(turn, names, ranking, shown.place)
                    hit = (
                        of_turn
                        if gathered is None
                        else _with_facts(of_turn, gathered, of_facts, shown, (which, position), facts_by[which])
                    )
                    if hit is None:
                        drops.append({"id": as_text(turn.id), "reason": "no longer believed"})
                    elif hit.kind == "fact" and hit.text in said:
                        drops.append({"id": hit.id, "evidence": list(hit.evidence), "reason": "said by another hit"})
                    else:
                        hits.append(hit)
                        said.add(hit.text)  # one sentence may state two facts: whom one is married to, and that one is
        return hits, drops

    async def _read_back(
        self,
        found: Sequence[OwnerIndex],
        homes: Sequence[tuple[int, int, int]],
        batch: Sequence[Shown],
        gathered: Gathered | None,
        ask: Search,
    ) -> tuple[list[dict[int, turns.Found]], list[dict[int, fact_index.Found]]]:
        """Return turns and facts by row, for each owner: what is shown, what contradicts it, what of it is over."""
        turns_by: list[dict[int, turns.Found]] = [{} for _ in found]
        facts_by: list[dict[int, fact_index.Found]] = [{} for _ in found]
        of_turns: list[dict[int, None]] = [{} for _ in found]
        of_facts: list[dict[int, None]] = [{} for _ in found]
        for place, fact in batch:
            which, position, row = homes[place]
            of_turns[which][row] = None
            if gathered is None:
                continue
            if fact >= 0:
                mine = gathered.row(fact)[1]
                of_facts[which] |= dict.fromkeys([mine, *gathered.opposed(which, mine)])
                continue
            for mine, over in gathered.stated(which, position):
                if others := [mine] if over else gathered.opposed(which, mine):
                    of_facts[which] |= dict.fromkeys([mine, *others])
        for which, index in enumerate(found):
            if of_turns[which]:
                wanted = list(of_turns[which]), list(of_facts[which]), ask.known_at
                turns_by[which], facts_by[which] = await self._core.ledger.read(
                    fact_index.read_back, index.owner, *wanted
                )
        return turns_by, facts_by

    def note_drops(self, trace_id: str, drops: Sequence[dict[str, Any]]) -> None:
        """Add what the budget left out to a trace that was just made (nothing was awaited since)."""
        identity = UUID(trace_id)
        for trace in reversed(self._unwritten):
            if trace.id == identity:
                trace.drops += drops
                return

    def _trace(self, trace: _Unwritten) -> None:
        """Put a trace aside, to be written when nobody waits."""
        self._unwritten.append(trace)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TRACE_BATCH_S, self.flush)

    def flush(self) -> None:
        """Hand the traces that wait to the writer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        batch, self._unwritten = self._unwritten, []
        if batch:
            # Spelled out on the writer's thread, one after another.
            self._core.ledger.submit(traces.put, ((t.owner_key, t.id.bytes, t.at, t.body()) for t in batch))

    def forget(self, ids: set[str]) -> None:
        """Drop unwritten traces that name erased turns."""
        self._unwritten = [trace for trace in self._unwritten if not traces.names(trace.body(), ids)]

    async def check_thread(self, thread_id: str | None, scope: Scope, *, patience: float) -> None:
        """Refuse to read in a thread that belongs to somebody else; claim one that is nobody's, off the search's path.

        Raises:
            ScopeDenied: It is somebody else's.
        """
        if thread_id is None or scope.is_shared:  # a team's memory may be read in anybody's thread
            return
        key = self._core.owner_key(scope)
        if self._threads.get(thread_id) == key:
            return
        thread = self._core.thread_key(check_id("thread_id", thread_id))
        assert thread is not None

        def look(connection: apsw.Connection) -> bool:
            mine = owners.head(connection, key)
            found = owners.thread_owner(connection, thread)
            owners.deny_foreign_thread(found, mine[0] if mine else None)
            return found is not None

        if not await self._core.ledger.read(look, patience=patience):

            def claim(connection: apsw.Connection) -> None:
                owners.claim_thread(connection, thread, owners.ensure(connection, key).owner)

            self._core.ledger.submit(claim)
            return
        if len(self._threads) >= _THREADS:
            self._threads.clear()
        self._threads[thread_id] = key

    async def trace(self, trace_id: str, scope: Scope) -> Trace:
        """Return how a search came to its hits.

        Raises:
            NotFound: No such trace of this owner.
        """
        key = self._core.owner_key(scope)
        try:
            identity = UUID(trace_id)
        except (ValueError, AttributeError, TypeError):
            raise NotFound("no such trace in this scope") from None
        if any(waiting.id == identity for waiting in self._unwritten):
            self.flush()

        def look(connection: apsw.Connection) -> tuple[int, dict[str, Any]] | None:
            head = owners.head(connection, key)
            return None if head is None else traces.get(connection, head[0], identity.bytes)

        # On the writer, behind what was just handed to it.
        found = await self._core.ledger.write(look)
        if found is None:
            raise NotFound("no such trace in this scope")
        at, body = found
        return Trace(trace_id, from_us(at), body["arms"], body["degraded"], body["hits"], body["drops"])


def explain(place: int, hit: Hit) -> dict[str, Any]:
    """Return why a hit is where it is, without its text."""
    return {
        "id": hit.id,
        "rank": place,
        "score": round(hit.score, 4),
        "arms": {name: {"rank": arm.rank, "score": round(arm.score, 4)} for name, arm in hit.arms.items()},
        "boosts": dict(hit.boosts),
        **({} if hit.kind == "turn" else {"kind": hit.kind, "evidence": list(hit.evidence), "path": list(hit.path)}),
    }


def _pending(index: OwnerIndex) -> int:
    """Return how many turns with words wait for their vectors."""
    if index.vectors is None:
        return int(np.count_nonzero(index.words))
    known = index.vectors.known()
    if known.all():
        return 0
    return int(np.count_nonzero(~known & (index.words > 0) & (index.superseded_at == OPEN)))


def _lexical(found: Sequence[OwnerIndex], hashes: NDArray[np.uint64]) -> Floats:
    scores = [index.postings.scores(hashes) for index in found]
    return scores[0] if len(scores) == 1 else np.concatenate(scores)


def _dense(found: Sequence[OwnerIndex], vector: Floats) -> Floats:
    scores = [
        np.full(len(index), np.nan, np.float32) if index.vectors is None else index.vectors.scores(vector)[: len(index)]
        for index in found
    ]
    return scores[0] if len(scores) == 1 else np.concatenate(scores)


def _said(found: Sequence[OwnerIndex], mask: Bools | None, ask: Search) -> Bools | None:
    """Return which turns may be shown where there are no facts."""
    if ask.kind == "fact":
        return np.zeros(sum(len(index) for index in found), np.bool_)
    if ask.as_of is None:
        return mask
    return _and(mask, np.concatenate([index.said_at for index in found]) <= ask.as_of)


def _homes(found: Sequence[OwnerIndex], ranking: Ranking) -> list[tuple[int, int, int]]:
    """Return for each place (owner's index, position in it, row in the ledger)."""
    ends = [0, *accumulate(len(index) for index in found)]
    homes: list[tuple[int, int, int]] = []
    for row in ranking.rows:
        which = bisect_right(ends, row) - 1
        at = row - ends[which]
        homes.append((which, at, int(found[which].rows[at])))
    return homes


def _left_out(
    turn: turns.Found, names: owners.Place, ask: Search, ranking: Ranking, shown: Shown, *, words_only: bool
) -> str | None:
    """Return why a place is not shown, None if it is."""
    place = shown.place
    if words_only and not ranking.arms[place] and max(ranking.boosts[place].values(), default=0) <= 0:
        return "found by no arm"
    if not _holds(turn, names[2], ask) or (shown.fact < 0 and ask.as_of is not None and turn.said_at > ask.as_of):
        return "no longer believed"
    if turn.message_id is not None and place_of(turn.message_id, names[0]) in ask.leave_out:
        return "in the conversation"
    if shown.fact < 0 and ask.present and codec.decode(turn.text) in ask.present:
        return "in the conversation"
    return None


def _with_facts(
    hit: Hit,
    gathered: Gathered,
    of_facts: AskedOfFacts,
    shown: Shown,
    home: tuple[int, int],
    facts: Mapping[int, fact_index.Found],
) -> Hit | None:
    """Return a turn's hit with what its facts tell of it, or its fact's hit; None where that can't be shown."""
    if shown.fact < 0:
        if home[1] not in gathered.homes[home[0]].marked:
            return hit
        conflicts, contradictions, ended = marks(gathered, *home, None, facts)
        return replace(hit, conflicts=conflicts, contradictions=contradictions, ended=ended)
    row = gathered.row(shown.fact)[1]
    fact = facts.get(row)
    if fact is None or not holds(fact, of_facts):
        return None
    conflicts, contradictions, _ = marks(gathered, *home, row, facts)
    path, route = gathered.path(shown.fact)
    valid_from, valid_to = span(fact)
    return replace(
        hit,
        id=fact.id,
        kind="fact",
        text=fact.text,
        origin=ORIGINS[fact.origin],
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=tuple(item.id for item in fact.evidence),
        subject=fact.subject,
        attribute=fact.attribute,
        object=fact.object,
        confidence=fact.confidence,
        quote=next((item.quote for item in fact.evidence if item.id == hit.id and item.quote), fact.quote),
        conflicts=conflicts,
        contradictions=contradictions,
        path=tuple(as_text(one) for one in path),
        route=route,
    )


def _and(mask: Bools | None, other: Bools) -> Bools:
    return other if mask is None else mask & other


def _pool(found: Sequence[OwnerIndex]) -> Pool:
    """Return the columns that ranking looks at; one owner's are kept with its index until that changes."""
    if len(found) == 1:
        index = found[0]
        pool: Pool | None = index.derived.get("pool")
        if pool is None:
            pool = index.derived["pool"] = Pool(
                index.words, index.flags, index.said_at, index.sitting, index.speaker, index.speakers
            )
        return pool
    names = list(dict.fromkeys(name for index in found for name in index.speakers))
    number = {name: i for i, name in enumerate(names)}
    firsts = np.cumsum([0, *(int(index.sitting.max(initial=-1)) + 1 for index in found)])
    return Pool(
        np.concatenate([index.words for index in found]),
        np.concatenate([index.flags for index in found]),
        np.concatenate([index.said_at for index in found]),
        np.concatenate([index.sitting + np.int32(first) for index, first in zip(found, firsts, strict=False)]),
        np.concatenate([np.array([number[n] for n in i.speakers], np.int32)[i.speaker] for i in found]),
        names,
    )


def _holds(turn: turns.Found, of_agent: str | None, ask: Search) -> bool:
    """Whether a turn read back is what the search may return: the ledger's word, whatever an index said."""
    if ask.known_at is None:
        believed = turn.superseded_at == OPEN
    else:
        believed = turn.recorded_at <= ask.known_at < turn.superseded_at
    agent = ask.scope.agent_id
    return believed and (agent is None or of_agent in (None, agent))


def _hit(turn: turns.Found, names: owners.Place, ranking: Ranking, place: int) -> Hit:
    identity, said_at = as_text(turn.id), from_us(turn.said_at)
    return Hit(
        id=identity,
        kind="turn",
        text=codec.decode(turn.text),
        speaker=turn.speaker,
        role=turn.role,
        origin=ORIGINS[turn.origin],
        said_at=said_at,
        valid_from=said_at,
        valid_to=None,
        score=ranking.scores[place],
        evidence=(identity,),
        thread_id=names[0],
        session_id=names[1],
        agent_id=names[2],
        message_id=turn.message_id,
        arms={name: ArmScore(*score) for name, score in ranking.arms[place].items()},
        boosts=ranking.boosts[place],
    )
