"""What a server's `langgraph.json` names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.base import BaseStore

import checkout
from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import InvalidInput, NotAMemoryFile
from memgraph.nodes import remember
from memgraph.server import checkpointer, store
from support.docs import blocks
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


@asynccontextmanager
async def served(path: str) -> AsyncGenerator[Any]:
    """Open what a path of a `langgraph.json` names, as LangGraph's server does in each of its event loops."""
    module, name = path.rsplit(".", 1)
    factory = import_module(module).__dict__[name]
    assert callable(factory) and not isinstance(factory, AbstractAsyncContextManager)
    made: Any = factory()
    assert isinstance(made, AbstractAsyncContextManager)
    async with made as opened:  # pyright: ignore[reportUnknownVariableType]  # what it is, is the test's question
        yield opened


@asynccontextmanager
async def graph() -> AsyncGenerator[Any]:
    async with served("memgraph.server.store") as found, served("memgraph.server.checkpointer") as saver:
        builder: Any = StateGraph(MessagesState, context_schema=MemoryContext)
        builder.add_node("remember", remember()).add_edge(START, "remember")
        yield builder.compile(store=found, checkpointer=saver)


HERE: Any = {"configurable": {"thread_id": "t"}}


async def test_a_graph_on_both(file: Path) -> None:
    async with graph() as compiled:
        await compiled.ainvoke({"messages": [("user", "My boat is blue.")]}, HERE, context={"user_id": "ada"})
        assert len((await compiled.aget_state(HERE)).values["messages"]) == 1
    with Memory.open(file, embedder=None) as memory:
        assert texts(memory, Scope("ada")) == ["My boat is blue."]


async def test_a_server_with_several_loops_has_the_same_memory_and_threads_in_each(file: Path) -> None:
    async def say(text: str) -> list[str]:
        async with graph() as compiled:
            state = await compiled.ainvoke({"messages": [("user", text)]}, HERE, context={"user_id": "ada"})
            return [message.text for message in state["messages"]]

    async with graph() as compiled:
        assert await asyncio.to_thread(lambda: asyncio.run(say("My boat is blue."))) == ["My boat is blue."]
        assert await asyncio.to_thread(lambda: asyncio.run(say("And old."))) == ["My boat is blue.", "And old."]
        assert len((await compiled.aget_state(HERE)).values["messages"]) == 2
        assert texts(compiled.store.memory, Scope("ada")) == ["My boat is blue.", "And old."]


async def test_two_files_have_no_thread_in_common(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with graph() as compiled:
        await compiled.ainvoke({"messages": [("user", "My boat is blue.")]}, HERE, context={"user_id": "ada"})
        monkeypatch.setenv("MEMGRAPH_DB", str(file.with_name("other.db")))
        async with graph() as other:
            assert (await other.aget_state(HERE)).values == {}


@pytest.mark.checkout
async def test_the_docs_name_them_as_the_server_finds_them(file: Path) -> None:
    page = (checkout.ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    [settings] = [json.loads(block.source) for block in blocks(page) if block.language == "json"]
    async with served(settings["store"]["path"]) as found, served(settings["checkpointer"]["path"]) as saver:
        assert isinstance(found, BaseStore)
        assert isinstance(saver, BaseCheckpointSaver)


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
