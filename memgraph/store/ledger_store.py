"""`LedgerStore`: LangGraph's `BaseStore` in one SQLite file."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from langgraph.store.base import BaseStore, IndexConfig, Op, Result, TTLConfig

from memgraph.core import Core, log
from memgraph.embedders import Resolved
from memgraph.errors import InvalidInput, ReadOnlyNamespace, StoreBusy, StoreClosed
from memgraph.faces import Closing, Host, hosted, waiting
from memgraph.ledger import items
from memgraph.ledger.steps import Steps
from memgraph.open_file import OpenFile
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.items import Floats
from memgraph.store import reads, reindexing
from memgraph.store.arrays import PrefixArrays, catch_up
from memgraph.store.facts import ROOT
from memgraph.store.index import ConfiguredIndex, ItemIndex, Said, item_terms, texts
from memgraph.store.operations import Get, Listing, Put, Search, checked, count, minutes
from memgraph.store.reads import Answer, Question
from memgraph.store.sweeper import Sweeper

if TYPE_CHECKING:
    import apsw

_REFRESH_S: Final = 0.25
"""Seconds that a read waits until its items have more time to live."""

_SWEEP_MINUTES: Final = 5.0
_QUESTION_S: Final = 60.0
"""Seconds for the embedding of a question: a store's caller can't say how long it would wait."""


class _Draft(NamedTuple):
    """A put, but for its vectors.

    Attributes:
        put: As it will be written.
        texts: What its vectors are made of.
    """

    put: items.Put
    texts: Sequence[Said]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A batch, ready to be done.

    Attributes:
        ops: All of it, in order.
        words: By query: its packed terms; none without an index, where queries are ignored.
        drafts: The puts and deletes, one a key.
        forgotten: The deletes of facts.
    """

    ops: Sequence[Get | Search | Listing | Put]
    words: Mapping[str, bytes]
    drafts: Sequence[_Draft]
    forgotten: Sequence[Put]


class LedgerStore(Closing, BaseStore):
    """A LangGraph store in one SQLite file: durable puts, hybrid search, typed filters, time to live.

    One object has both faces, in any thread and on any loop; `memory.store` is one, and `from_conn_string` opens one
    alone. A sync call on memgraph's own loop raises `LoopBlocked`.

    Args:
        home: An open `Memory`.
        index: What search with a query goes by: `embed` (LangChain embeddings, a function of a list of texts, plain
            or async, "local", or "provider:model"), `dims` to check them against, `fields` (or `text_fields`): paths in
            a value, by default the whole of it. None: queries are ignored.
        ttl: Defaults of times to live, in minutes, as LangGraph's `TTLConfig`.
        min_prefix: Labels that a search or a listing has to name at least.

    Attributes:
        index_config: The index as it was given.
        ttl_config: The times to live as they were given.

    Raises:
        InvalidInput: A configuration is malformed.
        MissingExtra: The embedder's package is not installed.
    """

    supports_ttl = True

    def __init__(
        self,
        home: OpenFile,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        min_prefix: int = 0,
    ) -> None:
        self.home = home
        self.index_config = index
        self._index: ItemIndex | None = None if index is None else ConfiguredIndex(index, home.live)
        self.ttl_config = _checked_ttl(ttl)
        self._min_prefix = count("min_prefix", min_prefix)
        self._sweeper = Sweeper(home)
        self._arrays = PrefixArrays()
        self._owns_home = False

    @classmethod
    def from_conn_string(
        cls,
        conn: str | os.PathLike[str],
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        min_prefix: int = 0,
        key: str | bytes | None = None,
        cache_bytes: int = 256 << 20,
    ) -> Self:
        """Open a store alone. Use it in a `with` or `async with` block, or call `close`.

        Args:
            conn: The file, made if absent, or ":memory:" for one that is gone after `close`.
            index: As of the class.
            ttl: As of the class.
            min_prefix: As of the class.
            key: A passphrase, or 32 raw bytes: the whole file is encrypted.
            cache_bytes: Most bytes of indexes kept in memory.

        Raises:
            InvalidInput: `conn` names a server, or a configuration is malformed.
            NotAMemoryFile: The file is something else, or the key is missing or wrong.
            StoreError: It can't be opened.
        """
        path = os.fspath(conn)
        if "://" in path:
            raise InvalidInput(
                f'a store opens a file, or ":memory:": no server is spoken to by `{path.split(":")[0]}:`'
            )
        home = OpenFile(path, lambda file: Core.opened(file, key, Resolved(None, None), cache_bytes))
        try:
            store = cls(home, index=index, ttl=ttl, min_prefix=min_prefix)
        except BaseException:
            home.close()
            raise
        store._owns_home = True
        return store

    def live(self) -> Host:
        """Return the host that the store works on.

        Raises:
            StoreClosed: It was closed.
        """
        return self.home.live()

    # --- operations

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several operations: the reads see the state before the puts, of one key the last put counts.

        All are checked before the first is done, and the puts are written together or not at all. Facts are forgotten
        after them, an owner's together.

        Returns:
            Their results, in order; None for a put.

        Raises:
            InvalidNamespaceError: A label is empty, no text, or has a dot or NUL.
            InvalidFilter: A filter is malformed.
            InvalidInput: Another argument is, or a value is no JSON.
            ReadOnlyNamespace: A put below the facts' root.
            EmbedderUnavailable: The embedder failed; nothing was written.
            StoreError: The file could not be read or written.
        """
        return await self.live().call(self._run(self._planned(ops)))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several operations, as `abatch` does, and wait for them."""
        return self.live().wait(self._run(self._planned(ops)))

    def _planned(self, ops: Iterable[Op]) -> _Plan:
        """Check operations, and do all that needs neither file nor embedder.

        In the caller's thread: a put takes a tenth of a millisecond, and a thousand of them would hold up everybody
        else on the host's loop.
        """
        planned = [checked(op, min_prefix=self._min_prefix) for op in ops]
        puts = {(one.namespace, one.key): one for one in planned if isinstance(one, Put)}
        below_facts = [put for put in puts.values() if put.namespace[:1] == (ROOT,)]
        if any(put.value is not None for put in below_facts):
            raise ReadOnlyNamespace(
                f"nothing can be put below {ROOT!r}, where facts are shown: say it with memory.add, or "
                "correct a fact with memory.update"
            )
        drafts = [self._draft(put) for put in puts.values() if put.namespace[:1] != (ROOT,)]
        words: dict[str, bytes] = {}
        if self._index is not None:
            queries = {one.query for one in planned if isinstance(one, Search) and one.query}
            words = {query: pack_terms(self.home.core.ledger.pepper, tokenize(query)) for query in queries}
        return _Plan(planned, words, drafts, below_facts)

    def _draft(self, put: Put) -> _Draft:
        fields = put.fields if put.fields is not None or self._index is None else self._index.fields
        said: Sequence[Said] = ()
        if put.value is not None and self._index is not None and fields is not None:
            # Of what is stored, not of the caller's object: the two may differ (tuples, keys that are numbers).
            said = texts(json.loads(put.value), fields)
        terms = item_terms(self.home.core.ledger.pepper, said) if said else None
        return _Draft(items.Put(put.namespace, put.key, put.value, put.ttl, terms, fields, ()), said)

    async def _run(self, plan: _Plan) -> list[Result]:
        answers = await self._read([one for one in plan.ops if not isinstance(one, Put)], plan.words)
        await self._write(plan.drafts, [item for answer in answers for item in answer.used])
        await self._forget_facts(plan.forgotten)
        results = iter(answers)
        return [None if isinstance(one, Put) else next(results).result for one in plan.ops]

    async def _read_facts(self, op: Get | Search | Listing) -> Answer | None:
        """Do a read of facts; None for any other. A store without a memory has none."""
        return None

    async def _forget_facts(self, puts: Sequence[Put]) -> None:
        """Do the deletes of facts."""

    async def _read(self, ops: Sequence[Get | Search | Listing], words: Mapping[str, bytes]) -> list[Answer]:
        of_facts = [await self._read_facts(op) for op in ops]
        ops = [op for op, answer in zip(ops, of_facts, strict=True) if answer is None]
        core = self.home.core
        asked = {op.query for op in ops if isinstance(op, Search) and op.query}
        questions = await self._questions({query: words[query] for query in asked & words.keys()})
        arrays = {
            (op.prefix, question.model): await self._arrays.loaded(core, op.prefix, question.model)
            for op in ops
            if isinstance(op, Search) and (question := questions.get(op.query or "")) is not None
        }
        alive_at = core.clock() if self._omits_expired else None

        def read(connection: apsw.Connection) -> Steps[list[Answer]]:
            # At once, before the first step: another search may bring what is held to a later snapshot.
            for (prefix, model), one in arrays.items():
                catch_up(connection, core, one, prefix, model)
            scores = [ranked(connection, op) for op in ops]
            answers: list[Answer] = []
            for op, score in zip(ops, scores, strict=True):
                answers.append((yield from answer(connection, op, score)))
            return answers

        def ranked(connection: apsw.Connection, op: Get | Search | Listing) -> Mapping[int, float] | None:
            if not isinstance(op, Search) or (question := questions.get(op.query or "")) is None:
                return None
            return reads.ranked(connection, op, question, arrays[op.prefix, question.model], alive_at)

        def answer(
            connection: apsw.Connection, op: Get | Search | Listing, score: Mapping[int, float] | None
        ) -> Steps[Answer]:
            if isinstance(op, Get):
                return reads.get(connection, op, alive_at)
            if isinstance(op, Listing):
                return reads.listing(connection, op, alive_at)
            return reads.search(connection, op, alive_at) if score is None else reads.hits(connection, op, score)

        of_items = iter(await core.ledger.read_in_steps(read) if ops else [])
        return [next(of_items) if answer is None else answer for answer in of_facts]

    async def _questions(self, words: Mapping[str, bytes]) -> dict[str, Question]:
        """Return what the index makes of queries, whose packed terms are given."""
        embedder = None if self._index is None else self._index.embedder()
        if embedder is None:
            return {query: Question(terms, None, None) for query, terms in words.items()}
        asked = {query: embedder.ask(query.encode("utf-8", "replace").decode()) for query in words}
        vectors = {query: await embedder.answer(one, timeout=_QUESTION_S) for query, one in asked.items()}
        return {
            query: Question(words[query], vector, (embedder.name, len(vector))) for query, vector in vectors.items()
        }

    async def _write(self, drafts: Sequence[_Draft], used: Sequence[int]) -> None:
        if not drafts and not used:
            return
        embedder = None if self._index is None else self._index.embedder()
        vectors: Iterator[Floats] = iter(())
        model = None
        if embedder is not None and (said := [text for draft in drafts for _, _, text in draft.texts]):
            made = await embedder.documents(said)
            vectors, model = iter(made), (embedder.name, len(made[0]))
        entries = [put for put, _ in drafts]
        if model is not None:
            entries = [
                put._replace(vectors=[(path, number, next(vectors)) for path, number, _ in said])
                for put, said in drafts
            ]
        core = self.home.core
        written = core.ledger.write(
            lambda connection: items.write(
                connection, used, entries, model=model, now=core.clock(), omit_expired=self._omits_expired
            ),
            durable=bool(drafts),
        )
        if drafts:
            await written
            return
        try:
            # A read that only puts off when its items expire does not fail where somebody else holds the file.
            async with asyncio.timeout(_REFRESH_S):
                await written
        except (StoreBusy, TimeoutError):
            log.info("items that were read could not be given more time to live: the file is locked")

    @property
    def _omits_expired(self) -> bool:
        return (self.ttl_config or {}).get("omit_expired", False)

    # --- upkeep

    @hosted
    async def areindex(self, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Make the vectors of items that were indexed by another embedder, or by none. Can be stopped and resumed.

        `Memory.reindex` does it for the items of `memory.store`.

        Args:
            progress: Called with (done, total) items.

        Returns:
            How many items got vectors; 0 where the store has no embedder.

        Raises:
            EmbedderUnavailable: The embedder failed; what was done is kept.
        """
        embedder = None if self._index is None else self._index.embedder()
        if self._index is None or embedder is None:
            return 0
        return await reindexing.reindex(self.home.core, embedder, self._index.fields, progress)

    reindex = waiting(areindex)

    # --- time to live

    @hosted
    async def asweep_ttl(self) -> int:
        """Remove the items whose time has passed. Returns how many there were."""
        return await self._sweeper.sweep()

    sweep_ttl = waiting(asweep_ttl)

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep again and again in the background, until it is stopped or the store closed. Once more: do nothing.

        Args:
            sweep_interval_minutes: Default: as the store's `ttl` says, else 5.

        Returns:
            What ends when the sweeper is stopped.
        """
        configured = (self.ttl_config or {}).get("sweep_interval_minutes")
        given = configured if sweep_interval_minutes is None else sweep_interval_minutes
        return self._sweeper.start(60 * (_SWEEP_MINUTES if given is None else minutes("sweep_interval_minutes", given)))

    async def astart_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Start the sweeper, as `start_ttl_sweeper` does."""
        return self.start_ttl_sweeper(sweep_interval_minutes)

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop the sweeper. Returns whether it has ended, within `timeout` seconds."""
        return self._sweeper.stop(timeout)

    async def astop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop the sweeper, as `stop_ttl_sweeper` does."""
        return await asyncio.to_thread(self._sweeper.stop, timeout)

    # --- beginning and end

    def setup(self) -> Awaitable[None]:
        """See that the tables are there: they are since the store was opened. May be awaited, and called again."""
        self.live()
        return _Done()

    def close(self) -> None:
        """Stop the sweeper, and close the file if the store was opened alone. Closing again does nothing."""
        with suppress(StoreClosed):
            self.stop_ttl_sweeper()
        if self._owns_home:
            self.home.close()


class _Done:
    """What is done already and may be awaited all the same."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


def _checked_ttl(config: TTLConfig | None) -> TTLConfig | None:
    """Return a configuration of times to live.

    Raises:
        InvalidInput: It is malformed.
    """
    if config is None:
        return None
    if not isinstance(config, Mapping) or not config.keys() <= TTLConfig.__annotations__.keys():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"ttl is a dict of {', '.join(sorted(TTLConfig.__annotations__))}")
    for name, value in config.items():
        if name in ("refresh_on_read", "omit_expired"):
            if not isinstance(value, bool):
                raise InvalidInput(f"ttl[{name!r}] must be True or False, not {value!r}")
        elif value is not None:
            minutes(f"ttl[{name!r}]", value)
    return config
