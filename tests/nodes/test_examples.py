"""The first of the two examples that are the contract, and the sync face of the handle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langgraph.graph import START, StateGraph

from memgraph import Memory, MemoryContext, MemoryState, with_memory
from memgraph.nodes import remember, retrieve
from support.fakes import HashEmbeddings, ScriptedChatModel, stated


async def test_the_graph(tmp_path: Path) -> None:
    moved = stated("moved from Oslo to Lisbon", subject="user", object="Lisbon", text="The user lives in Lisbon.")
    llm = ScriptedChatModel.of("Lisbon is lovely.", moved, "You live in Lisbon.", otherwise='{"facts": []}')

    async def agent(state: MemoryState) -> dict[str, object]:
        return {"messages": [await llm.ainvoke(with_memory(state))]}

    async with Memory.open(tmp_path / "memory.db", model=llm, embedder=HashEmbeddings()) as memory:
        builder: Any = StateGraph(MemoryState, context_schema=MemoryContext)
        graph = (
            builder.add_sequence([("retrieve", retrieve()), ("agent", agent), ("remember", remember())])
            .add_edge(START, "retrieve")
            .compile(store=memory.store, checkpointer=memory.checkpointer)
        )
        await graph.ainvoke(
            {"messages": [("user", "I moved from Oslo to Lisbon last week.")]},
            {"configurable": {"thread_id": "monday"}},
            context=MemoryContext(user_id="ada"),
        )
        hits = await memory.asearch("where does Ada live", MemoryContext(user_id="ada"))
        home = hits[0]
        assert (home.kind, home.text) == ("fact", "The user lives in Lisbon.")
        assert [(await memory.aget(turn, MemoryContext("ada"))).text for turn in home.evidence] == [
            "I moved from Oslo to Lisbon last week."
        ]
        assert {hit.text for hit in hits[1:]} == {"Lisbon is lovely."}
        for hit in hits:
            assert hit.valid_from.utcoffset() is not None
            assert isinstance(hit.score, float)

        await graph.ainvoke(
            {"messages": [("user", "Where did I move to?")]},
            {"configurable": {"thread_id": "tuesday"}},
            context=MemoryContext(user_id="ada"),
        )
    block, question = llm.calls[2]  # another thread: what it knows of the first one it was told by memory
    assert "moved from Oslo to Lisbon" in block.text
    assert question.text == "Where did I move to?"


def test_the_sync_face(tmp_path: Path) -> None:
    """Of the second example the handle in a `with`, and its plain methods; its agent: tests/agents/test_examples.py."""
    ada = MemoryContext(user_id="ada")
    llm = ScriptedChatModel.of(otherwise='{"facts": []}')
    with Memory.open(tmp_path / "memory.db", model=llm, embedder=HashEmbeddings()) as memory:
        memory.add([("user", "I'm allergic to nuts.")], ada, thread_id="1", background=True)
        memory.settle()
        [hit] = memory.search("what is she allergic to", ada)
        assert hit.text == "I'm allergic to nuts."
        assert memory.store.memory is memory
        assert memory.checkpointer is memory.checkpointer
