"""`Memory`: the handle on one memory file, sync and async."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, overload

from memgraph import arguments, models
from memgraph.arguments import MAX_LIMIT as MAX_LIMIT
from memgraph.core import Core
from memgraph.embedders import resolve
from memgraph.errors import InvalidInput, NotFound
from memgraph.faces import hosted, waiting
from memgraph.ledger import filters, jobs
from memgraph.messages import finite
from memgraph.open_file import OpenFile
from memgraph.ranking.query import Query
from memgraph.read_path import health, lookups, surroundings
from memgraph.read_path.search import Reads, Search
from memgraph.records import Added, Fact, Graph, Hits, MemoryOperation, Page, Receipt, Trace, Turn, Why
from memgraph.scope import MemoryContext, Scope, as_scope
from memgraph.write_path import corrections, maintenance
from memgraph.write_path.acceptance import Request, Writes
from memgraph.write_path.drain import Drain
from memgraph.writing.identity import MessagePlace

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from memgraph.nodes.stage import WriteState
    from memgraph.store import MemoryStore

AnyScope = Scope | MemoryContext


class Memory(OpenFile):
    """Long-term memory in one file, for any number of users, threads and event loops.

    Open it with `Memory.open`. Each method has an async twin whose name begins with `a` (`search`, `asearch`); both run
    the same code on the memory's own background loop.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        opened: Callable[[str], Core],
        *,
        model: BaseChatModel | None,
        consolidation_model: BaseChatModel | None,
    ) -> None:
        """Take the parts of an open memory; users call `Memory.open`."""
        self.model = model
        self.consolidation_model = consolidation_model
        self._store: MemoryStore | None = None
        self._checkpointer: BaseCheckpointSaver[Any] | None = None
        self._graph: Any = None
        super().__init__(path, opened)

    def _begin(self, core: Core) -> None:
        super()._begin(core)
        self.reads = Reads(core)
        self.drain = Drain(core, self._make_facts)
        self.writes = Writes(core, self.drain.wake)
        self.indexing = self.drain.indexing
        self.facts = self.drain.facts
        self.host.loop.call_soon_threadsafe(self.drain.wake)  # what an earlier process left unfinished

    async def _finish(self) -> None:
        await self.writes.close()

    async def _end(self) -> None:
        await self.drain.close()
        self.reads.flush()
        await super()._end()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        model: BaseChatModel | str | None = None,
        consolidation_model: BaseChatModel | str | None = None,
        embedder: Embeddings | str | None = "local",
        key: str | bytes | None = None,
        cache_bytes: int = 256 << 20,
        facts: bool = True,
    ) -> Memory:
        """Open a memory file, made if absent. Use it in a `with` or `async with` block, or call `close`.

        Args:
            path: The file, or ":memory:" for one that is gone after `close`.
            model: A LangChain chat model (or "provider:model" for its initialiser) that makes facts of turns; None for
                rules, which read plain statements.
            consolidation_model: Another one to decide what becomes of them beside what is known. Default: `model`.
            embedder: Any LangChain embeddings, "provider:model" for LangChain's initialiser, "local" for the offline
                default (extra `local`), None to search by words only.
            key: A passphrase, or 32 raw bytes: the whole file is encrypted.
            cache_bytes: Most bytes of indexes kept in memory, all users together.
            facts: Make facts of what is added from now on.

        Raises:
            NotAMemoryFile: The file is something else, or the key is missing or wrong.
            StoreTooNew: It was written by a newer memgraph.
            EmbedderMismatch: Its vectors were made by another model.
            EncryptionUnavailable: A key was given to an engine without ciphers.
            MissingExtra: A model's or embedder's package is not installed.
            ModelUnavailable: The model could not be made.
            StoreError: It can't be opened.
        """
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"cache_bytes must be a number of bytes, not {cache_bytes!r}")
        resolved, chat, decides = resolve(embedder), models.resolve(model), models.resolve(consolidation_model)

        def opened(file: str) -> Core:
            core = Core.opened(file, key, resolved, cache_bytes)
            core.makes_facts = facts
            return core

        return cls(path, opened, model=chat, consolidation_model=decides)

    @classmethod
    async def aopen(cls, path: str | os.PathLike[str], **options: Any) -> Memory:
        """Open a memory file without holding up the loop; arguments and errors as of `open`."""
        return await asyncio.to_thread(cls.open, path, **options)

    # --- writing

    @hosted
    async def aadd(
        self,
        messages: object,
        scope: AnyScope,
        *,
        said_at: datetime | None = None,
        thread_id: str | None = None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        background: bool = False,
        strict: bool = False,
    ) -> Added:
        """Remember messages: each becomes a turn, kept word for word. On the disk when this returns.

        A message that is there already (by its id and text, or by thread, role and text) brings nothing new.

        Args:
            messages: One or a list of: LangChain messages, dicts with `role` and `content` (also `id`, `name`,
                `said_at`, `origin`, `metadata`), (role, text) pairs, strings said by the user.
            scope: Whose memory.
            said_at: When they were said, unless they say so themselves; aware. Default: now.
            thread_id: The conversation they belong to.
            idempotency_key: A name for this call: messages without id, added under the same name again, are known.
            metadata: JSON values to keep with each turn and to filter by.
            background: Return after the turns are on the disk; their vectors and facts follow.
            strict: Raise if the model that makes facts fails. The turns are on the disk all the same.

        Raises:
            InvalidInput: Something can't be taken; nothing was written.
            InvalidScope: An id is malformed.
            ScopeDenied: The thread belongs to somebody else.
            StoreError: The file could not be written; nothing was.
            ModelError: The model failed, where `strict`; the turns are on the disk.
        """
        request = Request(
            messages,
            as_scope(scope),
            thread_id=thread_id,
            said_at=arguments.moment("said_at", said_at),
            metadata=metadata,
            idempotency_key=idempotency_key,
            append=True,
            background=background,
        )
        with self.facts.attended(request):
            written = await self._write({"request": request, "strict": strict})
        return written["added"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # accept wrote it

    add = waiting(aadd)

    async def _write(self, begin: WriteState) -> WriteState:
        """Run the write path."""
        from memgraph.nodes.remember import STEPS, write_graph

        if self._graph is None:
            graph = write_graph().compile(checkpointer=False, store=self.store, name="memgraph.add")
            self._graph = graph.with_config(recursion_limit=STEPS)
        # In a context of its own: inside somebody's node LangGraph would run it as a part of the graph around it, with
        # that graph's store, which may be another memory's.
        return await asyncio.get_running_loop().create_task(self._graph.ainvoke(begin), context=Context())

    async def _make_facts(self, job: int) -> None:
        """Go on with a job that makes facts, in the background."""
        await self._write({"job": job})

    @hosted
    async def aforget(self, ids: str | Sequence[str], scope: AnyScope, *, reason: str | None = None) -> int:
        """Withdraw turns or facts: they are no longer found, but stay in the history (`known_at`). `erase` is for good.

        A fact goes with the last turn that says it; a fact withdrawn alone is believed again once a turn says it anew.

        Args:
            ids: Ids of turns, of facts, or of both.
            scope: Whose.
            reason: Why, kept with the commit.

        Returns:
            The owner's commit number.

        Raises:
            NotFound: One of them is not there (any more) in this scope; nothing was changed.
        """
        seq = await maintenance.forget(self.core, arguments.ids(ids), as_scope(scope), reason)
        self.drain.wake()
        return seq

    forget = waiting(aforget)

    @hosted
    async def aerase(self, what: str | Sequence[str] | Mapping[str, Any], scope: AnyScope) -> Receipt:
        """Remove turns physically, with every fact made of them, and check that nothing is left.

        The file is rewritten (VACUUM), which takes about 5 ms a megabyte. Messages sent again from a thread's history
        are known as erased and are not stored again. Earlier versions of an edited message go with it. Facts that other
        turns say as well are made again of these, without what `update` made of them, and of no turn that says what
        `forget` or `undo` withdrew.

        Args:
            what: Ids of turns, one or several, a filter as of `list`, or "everything" the scope sees.
            scope: Whose.

        Raises:
            InvalidInput: The filter is empty, or an id is a fact's; nothing was removed.
            InvalidFilter: The filter is malformed; nothing was removed.
            StoreBusy: Erased from every query, but another process reads an old snapshot, so that the bytes are still
                in the log; call it again with the same argument.
            StoreError: It could not be verified.
        """
        selection, of = arguments.selection(what), as_scope(scope)
        if selection.ids is not None:
            await lookups.refuse_facts(self.core, selection.ids, of)
        await self.writes.settle()  # what was handed in before it, and given up, is not to come back behind it
        self.reads.flush()  # ahead of it, so that traces that name what goes are there to be found

        def gone(ids: set[str]) -> None:
            self.reads.forget(ids)
            self.drain.wake()  # their neighbours are to be indexed again, also where the bytes can't go yet

        return await maintenance.erase(self.core, selection, of, gone)

    erase = waiting(aerase)

    @hosted
    async def aupdate(
        self,
        fact_id: str,
        scope: AnyScope,
        *,
        text: str | None = None,
        object: str | None = None,
        confidence: float | None = None,
        importance: float | None = None,
        valid_from: datetime | None = None,
        valid_to: datetime | Literal["open"] | None = None,
        reason: str | None = None,
    ) -> MemoryOperation:
        """Correct a fact in your own words: it gets another version, and keeps the one before. What is left out stays.

        Args:
            fact_id: Id of a fact.
            scope: Whose.
            text: The sentence.
            object: The value in it: "Lisbon".
            confidence: 0 to 1.
            importance: 0 to 1.
            valid_from: Since when it is true; aware.
            valid_to: Until when; aware, or "open" for a fact that holds again.
            reason: Why, kept with the operation.

        Returns:
            The operation, which `undo` takes.

        Raises:
            InvalidInput: Nothing is to be changed, a value can't be, it would end before it begins, or it is a turn.
            NotFound: It is not there in this scope, or not believed any more.
        """
        of = as_scope(scope)
        correction = arguments.correction(
            text=text,
            object=object,
            confidence=confidence,
            importance=importance,
            valid_from=valid_from,
            valid_to=valid_to,
            reason=reason,
        )
        try:
            done = await corrections.update(self.core, arguments.identity(fact_id), of, correction)
        except NotFound:
            raise await lookups.absence(self.core, fact_id, of) from None
        self.drain.wake()
        return done

    update = waiting(aupdate)

    @hosted
    async def aundo(self, operation_id: str, scope: AnyScope) -> MemoryOperation:
        """Bring back what was believed before an operation, as an operation of its own, which can be undone as well.

        Args:
            operation_id: Id of an operation, as `operations`, `why` and `update` tell it.
            scope: Whose.

        Raises:
            NotFound: No such operation in this scope.
            UndoRefused: It was undone already, or a later one changed the same fact; nothing was changed.
        """
        done = await corrections.undo(self.core, arguments.identity(operation_id), as_scope(scope))
        self.drain.wake()
        return done

    undo = waiting(aundo)

    # --- reading

    @hosted
    async def asearch(
        self,
        query: str,
        scope: AnyScope,
        *,
        limit: int = 10,
        filter: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        include_shared: bool = False,
        deadline: float = 5.0,
        kind: arguments.Kind | None = None,
    ) -> Hits:
        """Find what bears on a question, best first.

        Args:
            query: The question, in any words.
            scope: Whose memory.
            limit: Hits at most.
            filter: Only turns that match: `speaker`, `role`, `origin`, `session_id`, `thread_id`, `agent_id`,
                `message_id`, `said_at`, `said_after`, `said_before`, `metadata.<path>`, with the store's operators.
            as_of: Only turns that had been said by then, and facts that were true then; aware.
            known_at: Only what was believed then; aware.
            include_shared: Search the team's memory too.
            deadline: Seconds for the embedder; without it the other arms answer and `degraded` says so.
            kind: "turn" or "fact" for only these.

        Raises:
            InvalidInput: An argument is malformed.
            InvalidFilter: The filter is malformed.
            StoreBusy: The file was locked until the deadline.
        """
        return (await self.find(query, scope, limit, filter, as_of, known_at, include_shared, deadline, kind=kind))[0]

    search = waiting(asearch)

    async def find(
        self,
        query: str,
        scope: AnyScope,
        limit: int,
        filter: Mapping[str, Any] | None,
        as_of: datetime | None,
        known_at: datetime | None,
        include_shared: bool,
        deadline: float,
        leave_out: frozenset[MessagePlace] = frozenset(),
        present: frozenset[str] = frozenset(),
        kind: arguments.Kind | None = None,
    ) -> tuple[Hits, Query | None]:
        """Return hits with the analysed question. On the host's loop: for `asearch` and the nodes."""
        if not isinstance(query, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"the query must be text, not {type(query).__name__}")
        ask = Search(
            query,
            as_scope(scope),
            arguments.limit(limit),
            None if filter is None or filter == {} else filters.of_turns(filter),
            arguments.moment("as_of", as_of),
            arguments.moment("known_at", known_at),
            include_shared,
            finite("deadline", deadline),
            leave_out,
            present,
            arguments.kind(kind),
        )
        return await self.reads.search(ask)

    @overload
    async def aget(self, /, id: str, scope: AnyScope, *, kind: None = None) -> Turn | Fact: ...
    @overload
    async def aget(self, /, id: str, scope: AnyScope, *, kind: Literal["turn"]) -> Turn: ...
    @overload
    async def aget(self, /, id: str, scope: AnyScope, *, kind: Literal["fact"]) -> Fact: ...
    @hosted
    async def aget(self, /, id: str, scope: AnyScope, *, kind: arguments.Kind | None = None) -> Turn | Fact:
        """Return a turn or a fact by its id, also one that is no longer believed: a fact as it was last.

        Args:
            id: As a hit, a page or `evidence` tells it.
            scope: Whose.
            kind: "turn" or "fact" where you know which it is.

        Raises:
            NotFound: It is not there in this scope.
        """
        return await lookups.get(self.core, arguments.identity(id), as_scope(scope), arguments.kind(kind))

    get = waiting(aget)

    @overload
    async def alist(
        self,
        /,
        scope: AnyScope,
        *,
        kind: Literal["turn"] = "turn",
        limit: int = 50,
        cursor: str | None = None,
        filter: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Page[Turn]: ...
    @overload
    async def alist(
        self,
        /,
        scope: AnyScope,
        *,
        kind: Literal["fact"],
        limit: int = 50,
        cursor: str | None = None,
        filter: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Page[Fact]: ...
    @hosted
    async def alist(
        self,
        /,
        scope: AnyScope,
        *,
        kind: arguments.Kind = "turn",
        limit: int = 50,
        cursor: str | None = None,
        filter: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Page[Turn] | Page[Fact]:
        """Return turns, or facts, in the order they were stored, a page at a time.

        Args:
            scope: Whose.
            kind: "turn" or "fact".
            limit: Items a page.
            cursor: `cursor` of the page before.
            filter: Of turns: as of `search`. Of facts: `subject`, `attribute`, `object`, `kind`, `origin`, `agent_id`,
                `confidence`, `importance`, `valid_from`, `valid_to`, `began_after`, `began_before`.
            as_of: Only turns that had been said by then, and facts that were true then; aware. Default: facts that have
                not ended.
            known_at: Only what was believed then; aware.

        Raises:
            InvalidInput: An argument is malformed.
            InvalidFilter: The filter is malformed.
        """
        of, count, true_at = as_scope(scope), arguments.limit(limit), arguments.moment("as_of", as_of)
        believed_at, after = arguments.moment("known_at", known_at), arguments.position(arguments.listed(kind), cursor)
        if kind == "fact":
            return await lookups.list_facts(
                self.core,
                of,
                arguments.of_facts(filter),
                as_of=true_at,
                known_at=believed_at,
                after=after,
                limit=count,
            )
        condition = filters.visible(filter, of.agent_id, true_at, believed_at)
        return await lookups.list_turns(self.core, of, condition, after=after, limit=count)

    list = waiting(alist)

    @hosted
    async def awhy(self, fact_id: str, scope: AnyScope) -> Why:
        """Return why a fact is believed, or no longer is: its versions, the operations on it, the turns that say it.

        Raises:
            NotFound: It is not there in this scope.
            InvalidInput: It is a turn's id.
        """
        return await lookups.why(self.core, arguments.identity(fact_id), as_scope(scope))

    why = waiting(awhy)

    @hosted
    async def aoperations(
        self, scope: AnyScope, *, fact: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[MemoryOperation]:
        """Return what was done to facts, newest first, a page at a time.

        Args:
            scope: Whose.
            fact: Id of a fact: only what was done to it.
            limit: Operations a page.
            cursor: `cursor` of the page before.

        Raises:
            NotFound: The fact is not there in this scope.
            InvalidInput: An argument is malformed, or it is a turn's id.
        """
        of, count, before = as_scope(scope), arguments.limit(limit), arguments.position("operation", cursor)
        about = None if fact is None else arguments.identity(fact)
        return await lookups.list_operations(self.core, of, about, before=before, limit=count)

    operations = waiting(aoperations)

    @hosted
    async def agraph(
        self,
        scope: AnyScope,
        name: str | None = None,
        *,
        hops: int = 2,
        limit: int = 50,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Graph:
        """Return people and things and how they stand to each other, by what facts say.

        Args:
            scope: Whose.
            name: Around whom or what, by any of its names; None for the best connected. Nothing for an unknown one.
            hops: Relations between the name and what is shown, at most; 1 to 4.
            limit: Entities, and relations, at most.
            as_of: Only what was true then; aware.
            known_at: Only what was believed then; aware.

        Raises:
            InvalidInput: An argument is malformed.
        """
        return await surroundings.around(
            self.core,
            as_scope(scope),
            arguments.name(name),
            hops=arguments.hops(hops),
            limit=arguments.limit(limit),
            as_of=arguments.moment("as_of", as_of),
            known_at=arguments.moment("known_at", known_at),
        )

    graph = waiting(agraph)

    @hosted
    async def atrace(self, trace_id: str, scope: AnyScope) -> Trace:
        """Return how a search came to its hits.

        Raises:
            NotFound: No such trace of this owner; the newest 1,000 are kept.
        """
        return await self.reads.trace(trace_id, as_scope(scope))

    trace = waiting(atrace)

    # --- upkeep

    @hosted
    async def asettle(self, timeout: float | None = None) -> None:
        """Wait until all background work of the file is done.

        Raises:
            TimeoutError: It took longer than `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            await self.writes.settle()
            await self.drain.settle()

    settle = waiting(asettle)

    @hosted
    async def aretry_failed(self) -> int:
        """Open the jobs that failed for good again, of all owners, and go on with them in the background.

        Returns:
            How many there were; `settle` waits for them.
        """
        opened = await self.core.ledger.write(jobs.retry_failed, self.core.clock())
        self.drain.wake()
        return opened

    retry_failed = waiting(aretry_failed)

    @hosted
    async def areindex(
        self,
        embedder: Embeddings | str | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Make the vectors and postings that are missing or were made another way. Can be stopped and resumed.

        The items of `store` get vectors of the same embedder.

        Args:
            embedder: Change to this one; None to go on with the one in force.
            progress: Called with (done, total) turns, facts and items.

        Returns:
            How many were indexed.

        Raises:
            EmbedderUnavailable: The embedder failed; what was done is kept.
        """
        if embedder is not None:
            await maintenance.change_embedder(self.core, resolve(embedder))
        done = await maintenance.reindex(self.core, self.indexing, progress)

        def told(more: int, items: int) -> None:
            if progress is not None:
                progress(done + more, done + items)

        return done + await self.store.areindex(progress=told)

    reindex = waiting(areindex)

    @hosted
    async def arekey(self, new: str | bytes | None) -> None:
        """Change the file's key, set one, or remove it (None). Needs the file to itself.

        Raises:
            StoreBusy: Another handle or process has it open; the key is as it was.
            EncryptionUnavailable: The engine has no ciphers.
        """
        self.reads.flush()
        self.core.ledger.rekey(new)

    rekey = waiting(arekey)

    @hosted
    async def adoctor(self, *, deep: bool = False) -> Mapping[str, Any]:
        """Return the state of the file: versions, counts, waiting and failed jobs.

        Args:
            deep: Also check every page of the file.
        """
        return await health.examine(self.core, deep=deep)

    doctor = waiting(adoctor)

    # --- what a graph takes

    @property
    def store(self) -> MemoryStore:
        """What to compile a graph with, so that its nodes find this memory."""
        if self._store is None:
            from memgraph.store import MemoryStore

            self._store = MemoryStore(self)
        return self._store

    @property
    def checkpointer(self) -> BaseCheckpointSaver[Any]:
        """A checkpointer for the graph: LangGraph's `InMemorySaver` for now, so threads end with the process."""
        if self._checkpointer is None:
            from langgraph.checkpoint.memory import InMemorySaver

            self._checkpointer = InMemorySaver()
        return self._checkpointer
