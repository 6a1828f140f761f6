"""`memory.store`: a store that carries its memory into a graph, and shows its facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from langgraph.store.base import IndexConfig, TTLConfig

from memgraph.embedding import Embedder
from memgraph.errors import InvalidInput
from memgraph.open_file import OpenFile
from memgraph.scope import MemoryContext, Scope, as_scope
from memgraph.store import facts
from memgraph.store.index import WHOLE
from memgraph.store.ledger_store import LedgerStore
from memgraph.store.operations import Get, Listing, Put, Search
from memgraph.store.reads import Answer

if TYPE_CHECKING:
    from memgraph.memory import Memory


class MemoryStore(LedgerStore):
    """The store to compile a graph with: `builder.compile(store=memory.store)`. Nodes find their memory through it.

    Args:
        memory: The open memory.
        index: As of `LedgerStore`; default: the memory's embedder, over the whole value.
        ttl: As of `LedgerStore`.
        min_prefix: As of `LedgerStore`.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        min_prefix: int = 0,
    ) -> None:
        super().__init__(memory, index=index, ttl=ttl, min_prefix=min_prefix)
        self.memory = memory
        if index is None:
            self._index = _MemoryIndex(memory)

    @classmethod
    def from_conn_string(cls, conn: object, **options: object) -> NoReturn:
        """Refuse: there is no memory in a store that is opened alone.

        Raises:
            InvalidInput: Always; it says what to call.
        """
        raise InvalidInput("open a Memory and take its store, or open a store alone by LedgerStore.from_conn_string")

    def facts_namespace(self, scope: Scope | MemoryContext) -> tuple[str, ...]:
        """Return the namespace in which the facts of a scope's owner are listed, searched, read and forgotten."""
        return facts.namespace(as_scope(scope))

    async def _read_facts(self, op: Get | Search | Listing) -> Answer | None:
        return await facts.read(self.memory, op)

    async def _forget_facts(self, puts: Sequence[Put]) -> None:
        await facts.forget(self.memory, puts)


class _MemoryIndex:
    """The memory's own embedder, whichever is in force."""

    fields = WHOLE

    def __init__(self, home: OpenFile) -> None:
        self.home = home

    def embedder(self) -> Embedder | None:
        return self.home.core.embedder
