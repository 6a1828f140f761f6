"""What the tests of stores share: the kinds of store, a clock, and one way to call both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langgraph.store.base import BaseStore, IndexConfig, TTLConfig
from langgraph.store.memory import InMemoryStore

from memgraph import LedgerStore, Memory, MemoryStore
from support.fakes import HashEmbeddings
from support.memories import Clock

OURS = ["alone", "memory"]
REFERENCE = "reference"
"""LangGraph's `InMemoryStore`: where the contract leaves something open, a test says how it differs."""

FACES = ["sync", "async"]


class Faced:
    """A store, called by one of its faces: `put`, `get`, `search`, `delete`, `list_namespaces`, `batch` and more."""

    def __init__(self, store: BaseStore, face: str, kind: str) -> None:
        self.store = store
        self.face = face
        self.kind = kind

    @property
    def is_ours(self) -> bool:
        return self.kind != REFERENCE

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self.face == "sync":
            method: Callable[..., Any] = getattr(self.store, name)
            return method
        waits: Callable[..., Any] = getattr(self.store, f"a{name}")
        return lambda *args, **options: asyncio.run(waits(*args, **options))


def index(**changes: Any) -> IndexConfig:
    """Return an index by a `HashEmbeddings`, with changes."""
    config: Any = {"dims": 64, "embed": HashEmbeddings(), **changes}
    made: IndexConfig = config
    return made


class Stores:
    """Opens stores of a kind; `close` closes them."""

    def __init__(self) -> None:
        self._opened: list[LedgerStore | Memory] = []

    def open(
        self, kind: str, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None, **options: Any
    ) -> BaseStore:
        if kind == REFERENCE:
            return InMemoryStore(index=index)
        if kind == "alone":
            store = LedgerStore.from_conn_string(":memory:", index=index, ttl=ttl, **options)
            self._opened.append(store)
            return store
        memory = Memory.open(":memory:", embedder=None)
        self._opened.append(memory)
        return MemoryStore(memory, index=index, ttl=ttl, **options)

    def close(self) -> None:
        for one in reversed(self._opened):
            one.close()


def clock(store: BaseStore) -> Clock:
    """Stop a store's clock; returns what sets it."""
    assert isinstance(store, LedgerStore)
    stopped = Clock()
    store.home.core.clock = stopped
    return stopped
