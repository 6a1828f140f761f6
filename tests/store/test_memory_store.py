"""`memory.store` carries the memory and is a store. Its contract is tested in `tests/store`."""

from __future__ import annotations

import pytest
from langgraph.store.base import BaseStore

from memgraph import LedgerStore, MemoryStore
from memgraph.errors import InvalidInput
from support.fixtures import OpenMemory


def test_it_is_one_store_and_carries_the_memory(open_memory: OpenMemory) -> None:
    memory = open_memory()
    assert memory.store is memory.store
    assert isinstance(memory.store, BaseStore)
    assert isinstance(memory.store, LedgerStore)
    assert isinstance(memory.store, MemoryStore)
    assert memory.store.memory is memory


async def test_it_puts_and_gets(open_memory: OpenMemory) -> None:
    store = open_memory().store
    await store.aput(("ada",), "k", {"x": 1})
    assert store.get(("ada",), "k") == await store.aget(("ada",), "k")


def test_a_store_of_ones_own_class_is_opened_as_such() -> None:
    class Own(LedgerStore):
        pass

    with Own.from_conn_string(":memory:") as store:
        assert type(store) is Own
    with pytest.raises(InvalidInput, match="Memory"):
        MemoryStore.from_conn_string(":memory:")
