"""`Memory`: the handle on one memory file, sync and async."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import Context
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from memgraph import health, maintenance, models
from memgraph.core import Core
from memgraph.drain import Drain
from memgraph.embedders import resolve
from memgraph.embedding import Embedder
from memgraph.errors import InvalidInput, NotFound, StoreClosed
from memgraph.faces import Host, hosted, waiting
from memgraph.ledger import filters, owners, turns
from memgraph.ledger.handle import Ledger
from memgraph.messages import finite
from memgraph.projections.cache import IndexCache
from memgraph.ranking.query import Query
from memgraph.reads import Reads, Search
from memgraph.records import Added, Hits, Page, Receipt, Trace, Turn, to_us
from memgraph.scope import MemoryContext, Scope, as_scope
from memgraph.writes import Request, Writes
from memgraph.writing.identity import MessagePlace

if TYPE_CHECKING:
    import apsw
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from memgraph.nodes.stage import WriteState
    from memgraph.store import MemoryStore

MAX_LIMIT: Final = 1_000
"""Hits or items asked for at once: more is read by pages."""

AnyScope = Scope | MemoryContext


class Memory:
    """Long-term memory in one file, for any number of users, threads and event loops.

    Open it with `Memory.open`. Each method has an async twin whose name begins with `a` (`search`, `asearch`); both run
    the same code on the memory's own background loop.
    """

    def __init__(
        self,
        core: Core,
        *,
        model: BaseChatModel | None,
        consolidation_model: BaseChatModel | None,
        folder: str | None,
    ) -> None:
        """Take the parts of an open memory; users call `Memory.open`."""
        self.model = model
        self.consolidation_model = consolidation_model
        self._folder = folder
        self._opener = os.getpid()
        self._store: MemoryStore | None = None
        self._checkpointer: BaseCheckpointSaver[Any] | None = None
        self._graph: Any = None
        self._closed = False
        self._start(core)

    def _start(self, core: Core) -> None:
        self.core = core
        self.host = Host()
        self.reads = Reads(core)
        self.drain = Drain(core, self._make_facts)
        self.writes = Writes(core, self.drain.wake)
        self.indexing = self.drain.indexing
        self.facts = self.drain.facts
        self.host.loop.call_soon_threadsafe(self.drain.wake)  # what an earlier process left unfinished

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
        facts: bool = False,
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
        folder = tempfile.mkdtemp(prefix="memgraph-") if os.fspath(path) == ":memory:" else None
        file = os.fspath(path) if folder is None else os.path.join(folder, "memory.db")
        try:
            core = _open_core(file, resolved, key, cache_bytes)
            core.makes_facts = facts
            return cls(core, model=chat, consolidation_model=decides, folder=folder)
        except BaseException:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    async def aopen(cls, path: str | os.PathLike[str], **options: Any) -> Memory:
        """Open a memory file without holding up the loop; arguments and errors as of `open`."""
        return await asyncio.to_thread(cls.open, path, **options)

    def live(self) -> Host:
        """Return the host, reopened in a child process after a fork.

        Raises:
            StoreClosed: The memory was closed.
        """
        if self._closed:
            raise StoreClosed("this memory is closed; open it again")
        if self.host.pid != os.getpid():
            self._inherited = (self.core, self.host)  # the parent's: neither used nor closed here
            old = self.core
            self._start(maintenance.reopened(old))
        return self.host

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
            said_at=None if said_at is None else to_us("said_at", said_at),
            metadata=metadata,
            idempotency_key=idempotency_key,
            append=True,
            background=background,
        )
        try:
            written = await self._write({"request": request, "strict": strict})
        finally:
            self.facts.let_go(request)
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
        """Withdraw turns: they are no longer found, but stay in the history (`known_at`). `erase` removes for good.

        Args:
            ids: Ids of turns.
            scope: Whose.
            reason: Why, kept with the commit.

        Returns:
            The owner's commit number.

        Raises:
            NotFound: One of them is not there (any more) in this scope; nothing was changed.
        """
        seq = await maintenance.forget(self.core, _ids(ids), as_scope(scope), reason)
        self.drain.wake()
        return seq

    forget = waiting(aforget)

    @hosted
    async def aerase(self, what: str | Sequence[str] | Mapping[str, Any], scope: AnyScope) -> Receipt:
        """Remove turns physically, with everything made of them, and check that nothing is left.

        The file is rewritten (VACUUM), which takes about 5 ms a megabyte. Messages sent again from a thread's history
        are known as erased and are not stored again. Earlier versions of an edited message go with it.

        Args:
            what: An id, ids, a filter as of `list`, or "everything" the scope sees.
            scope: Whose.

        Raises:
            InvalidInput: The filter is empty; nothing was removed.
            InvalidFilter: The filter is malformed; nothing was removed.
            StoreBusy: Erased from every query, but another process reads an old snapshot, so that the bytes are still
                in the log; call it again with the same argument.
            StoreError: It could not be verified.
        """
        self.reads.flush()  # ahead of it, so that traces that name what goes are there to be found

        def gone(ids: set[str]) -> None:
            self.reads.forget(ids)
            self.drain.wake()  # their neighbours are to be indexed again, also where the bytes can't go yet

        return await maintenance.erase(self.core, self._selection(what), as_scope(scope), gone)

    erase = waiting(aerase)

    @staticmethod
    def _selection(what: str | Sequence[str] | Mapping[str, Any]) -> maintenance.Selection:
        if what == "everything":
            return maintenance.Selection(None, filters.Where())
        if isinstance(what, Mapping):
            if not what:
                raise InvalidInput('an empty filter would erase everything; if that is meant, say "everything"')
            return maintenance.Selection(None, filters.where(what))
        return maintenance.Selection(_ids(what), filters.Where())

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
    ) -> Hits:
        """Find what bears on a question, best first.

        Args:
            query: The question, in any words.
            scope: Whose memory.
            limit: Hits at most.
            filter: Only turns that match: `speaker`, `role`, `origin`, `session_id`, `thread_id`, `agent_id`,
                `message_id`, `said_after`, `said_before`, `metadata.<key>`.
            as_of: Only what had been said by then; aware.
            known_at: Only what was believed then; aware.
            include_shared: Search the team's memory too.
            deadline: Seconds for the embedder; without it the other arms answer and `degraded` says so.

        Raises:
            InvalidInput: An argument is malformed.
            InvalidFilter: The filter is malformed.
            StoreBusy: The file was locked until the deadline.
        """
        return (await self.find(query, scope, limit, filter, as_of, known_at, include_shared, deadline))[0]

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
    ) -> tuple[Hits, Query | None]:
        """Return hits with the analysed question. On the host's loop: for `asearch` and the nodes."""
        if not isinstance(query, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"the query must be text, not {type(query).__name__}")
        ask = Search(
            query,
            as_scope(scope),
            _limit(limit),
            filters.where(filter) if filter else None,
            None if as_of is None else to_us("as_of", as_of),
            None if known_at is None else to_us("known_at", known_at),
            include_shared,
            finite("deadline", deadline),
            leave_out,
        )
        return await self.reads.search(ask)

    @hosted
    async def aget(self, id: str, scope: AnyScope) -> Turn:
        """Return a turn by its id, also one that was replaced or forgotten.

        Raises:
            NotFound: It is not there in this scope.
        """
        of = as_scope(scope)
        if not isinstance(id, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"an id is text, not {type(id).__name__}")
        identity = id

        def look(connection: apsw.Connection) -> Turn | None:
            head = owners.head(connection, self.core.owner_key(of))
            row = turns.by_id(connection, head[0], [identity]).get(identity) if head else None
            if head is None or row is None:
                return None
            turn = turns.to_turn(turns.joined(connection, head[0], [row])[row])
            return turn if of.agent_id is None or turn.agent_id in (None, of.agent_id) else None

        turn = await self.core.ledger.read(look)
        if turn is None:
            raise NotFound("no such turn in this scope")
        return turn

    get = waiting(aget)

    @hosted
    async def alist(
        self,
        scope: AnyScope,
        *,
        limit: int = 50,
        cursor: str | None = None,
        filter: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> Page[Turn]:
        """Return turns in the order they were stored, a page at a time.

        Args:
            scope: Whose.
            limit: Turns a page.
            cursor: `cursor` of the page before.
            filter: As of `search`.
            as_of: Only what had been said by then; aware.
            known_at: Only what was believed then; aware.
        """
        of, count, after = as_scope(scope), _limit(limit), _position(cursor)
        conditions = filters.visible(
            filter,
            of.agent_id,
            None if as_of is None else to_us("as_of", as_of),
            None if known_at is None else to_us("known_at", known_at),
        )

        def look(connection: apsw.Connection) -> list[tuple[Any, ...]]:
            head = owners.head(connection, self.core.owner_key(of))
            return turns.page(connection, head[0], conditions, after=after, limit=count + 1) if head else []

        rows = await self.core.ledger.read(look)
        more = len(rows) > count
        return Page(tuple(map(turns.to_turn, rows[:count])), _cursor(rows[count - 1][17]) if more else None)

    list = waiting(alist)

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
        await self.drain.settle(timeout)

    settle = waiting(asettle)

    @hosted
    async def areindex(
        self,
        embedder: Embeddings | str | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Make the vectors and postings that are missing or were made another way. Can be stopped and resumed.

        Args:
            embedder: Change to this one; None to go on with the one in force.
            progress: Called with (done, total) turns.

        Returns:
            How many turns were indexed.

        Raises:
            EmbedderUnavailable: The embedder failed; what was done is kept.
        """
        if embedder is not None:
            await maintenance.change_embedder(self.core, resolve(embedder))
        return await maintenance.reindex(self.core, self.indexing, progress)

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

    # --- the end

    def close(self) -> None:
        """Stop background work (it goes on at the next open) and close the file. Closing again does nothing."""
        if self._closed:
            return
        if self.host.pid == os.getpid():
            self.host.stop(self._wind_up())
        self._closed = True
        if self._folder is not None and self._opener == os.getpid():  # a forked child leaves its parent's files
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _wind_up(self) -> None:
        await self.drain.close()
        self.reads.flush()
        self.core.cache.clear()
        self.core.ledger.close()

    async def aclose(self) -> None:
        """Close without holding up the loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        """Return the memory, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the memory."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return the memory, open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the memory."""
        await self.aclose()

    def __repr__(self) -> str:
        """Return path and state."""
        return f"Memory({self.core.ledger.path!r}{', closed' if self._closed else ''})"


def _open_core(path: str, resolved: Any, key: str | bytes | None, cache_bytes: int) -> Core:
    ledger = Ledger(path, key)
    try:
        core = Core(ledger, IndexCache(cache_bytes))
        if resolved.embeddings is not None:
            core.adopt(Embedder(resolved.embeddings, resolved.name, None))
        else:
            core.go_without()
        return core
    except BaseException:
        ledger.close()
        raise


def _ids(ids: str | Sequence[str]) -> list[str]:
    found = [ids] if isinstance(ids, str) else ids
    if not isinstance(found, Collection) or not all(isinstance(one, str) for one in found):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("ids must be text, one or a list of them")
    return [*found]


def _limit(limit: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"limit must be 1 to {MAX_LIMIT}, not {limit!r}")
    return limit


def _cursor(row: int) -> str:
    return base64.urlsafe_b64encode(f"r{row}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        plain = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, AttributeError, binascii.Error):
        plain = ""
    if not (plain.startswith("r") and plain[1:].isdecimal() and len(plain) < 20):
        raise InvalidInput("the cursor is none that `list` gave out")
    return int(plain[1:])
