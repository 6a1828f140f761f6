"""`memory.store` carries the memory and refuses what it does not do yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langgraph.store.base import BaseStore

from memgraph import MemoryStore
from memgraph.errors import UnsupportedOperation
from support.fixtures import OpenMemory, Say


def test_it_is_one_store_and_carries_the_memory(open_memory: OpenMemory) -> None:
    memory = open_memory()
    assert memory.store is memory.store
    assert isinstance(memory.store, BaseStore)
    assert isinstance(memory.store, MemoryStore)
    assert memory.store.memory is memory


CALLS: list[tuple[Callable[[Any, str], object], str]] = [
    (lambda store, text: store.put(("ada",), "k", {"text": text}), "PutOp"),
    (lambda store, text: store.get(("ada",), "k"), "GetOp"),
    (lambda store, text: store.search(("ada",), query=text), "SearchOp"),
    (lambda store, text: store.list_namespaces(), "ListNamespacesOp"),
    (lambda store, text: store.delete(("ada",), "k"), "PutOp"),
    (lambda store, text: store.batch([]), "no operation"),
]


@pytest.mark.parametrize(("call", "name"), CALLS)
def test_every_operation_is_refused_with_what_to_use(
    call: Callable[[Any, str], Any], name: str, open_memory: OpenMemory, say: Say
) -> None:
    with pytest.raises(UnsupportedOperation, match=rf"{name} yet: use memory\.add, memory\.search"):
        call(open_memory().store, say("a text"))


async def test_the_async_face_too(open_memory: OpenMemory) -> None:
    with pytest.raises(UnsupportedOperation, match="GetOp"):
        await open_memory().store.aget(("ada",), "k")
