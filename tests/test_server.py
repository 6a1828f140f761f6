"""What a server's `langgraph.json` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph

from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import InvalidInput, NotAMemoryFile
from memgraph.nodes import remember
from memgraph.server import checkpointer, store
from support.memories import texts

_NAMES = ["DB", "KEY", "KEY_HEX", "EMBEDDER", "MODEL", "CONSOLIDATION_MODEL"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _NAMES:
        monkeypatch.delenv(f"MEMGRAPH_{name}", raising=False)
    path = tmp_path / "memory.db"
    monkeypatch.setenv("MEMGRAPH_DB", str(path))
    monkeypatch.setenv("MEMGRAPH_EMBEDDER", "none")
    return path


async def test_a_graph_on_both(file: Path) -> None:
    async with store() as found, checkpointer() as saver:
        builder: Any = StateGraph(MessagesState, context_schema=MemoryContext)
        graph = (
            builder.add_node("remember", remember())
            .add_edge(START, "remember")
            .compile(store=found, checkpointer=saver)
        )
        here: Any = {"configurable": {"thread_id": "t"}}
        await graph.ainvoke({"messages": [("user", "My boat is blue.")]}, here, context=MemoryContext("ada"))
        assert len((await graph.aget_state(here)).values["messages"]) == 1
    with Memory.open(file, embedder=None) as memory:
        assert texts(memory, Scope("ada")) == ["My boat is blue."]


async def test_two_handles_on_one_file_share_one_writer(file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    async with store() as first:
        (tmp_path / "link.db").symlink_to(file)
        monkeypatch.setenv("MEMGRAPH_DB", str(tmp_path / "link.db"))
        async with store() as second, checkpointer():
            writer = first.memory.core.ledger.writer
            assert second.memory.core.ledger.writer is writer
            assert writer.handles == 3
            await first.memory.aadd("My boat is blue.", Scope("ada"))
            assert [hit.text for hit in await second.memory.asearch("boat", Scope("ada"))] == ["My boat is blue."]
        assert writer.handles == 1


async def test_the_key_comes_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGRAPH_KEY_HEX", "ab" * 32)
    async with store():
        pass
    assert b"SQLite" not in file.read_bytes()[:16]
    async with checkpointer():
        pass
    monkeypatch.delenv("MEMGRAPH_KEY_HEX")
    with pytest.raises(NotAMemoryFile):
        async with checkpointer():
            pass
    monkeypatch.setenv("MEMGRAPH_KEY_HEX", "xy")
    with pytest.raises(InvalidInput, match="64 hexadecimal digits"):
        async with store():
            pass


@pytest.mark.parametrize("make", [store, checkpointer])
async def test_without_a_path_nothing_is_made(make: Any, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.delenv("MEMGRAPH_DB")
    with pytest.raises(InvalidInput, match="MEMGRAPH_DB is not set"):
        async with make():
            pass
    assert list(file.parent.iterdir()) == []
