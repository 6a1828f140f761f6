"""The second of the two examples that are the contract, in both faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]  # its context is of no type

from memgraph import Memory, MemoryContext
from memgraph.agents import MemoryMiddleware, memory_tools
from support.agents import blocks
from support.fakes import HashEmbeddings, ScriptedChatModel


def _agent(memory: Memory, llm: ScriptedChatModel) -> Any:
    return create_agent(
        llm,
        tools=memory_tools(),
        middleware=[MemoryMiddleware(budget_tokens=1_000)],
        context_schema=MemoryContext,
        store=memory.store,
        checkpointer=memory.checkpointer,
    )


def _check(llm: ScriptedChatModel) -> None:
    first, second = llm.calls
    assert [message.text for message in first] == ["I'm allergic to nuts."]
    assert blocks(second) == [0]
    assert "allergic to nuts" in second[0].text
    assert second[1].text == "What must I not eat?"
    assert [tool["function"]["name"] for tool in llm.options[0]["tools"]] == [
        "search_memory",
        "save_memory",
        "forget_memory",
    ]


def test_the_agent(tmp_path: Path) -> None:
    llm = ScriptedChatModel.of("Noted.", "Nuts.")
    with Memory.open(tmp_path / "memory.db", embedder=HashEmbeddings()) as memory:
        agent = _agent(memory, llm)
        agent.invoke(
            {"messages": [("user", "I'm allergic to nuts.")]},
            {"configurable": {"thread_id": "1"}},
            context=MemoryContext(user_id="ada"),
        )
        memory.settle()
        found = memory.search("what is she allergic to", MemoryContext(user_id="ada"))
        assert (found[0].kind, found[0].text) == ("fact", "The user is allergic to nuts.")
        agent.invoke(
            {"messages": [("user", "What must I not eat?")]},
            {"configurable": {"thread_id": "2"}},
            context=MemoryContext(user_id="ada"),
        )
    _check(llm)


async def test_the_async_agent(tmp_path: Path) -> None:
    llm = ScriptedChatModel.of("Noted.", "Nuts.")
    async with Memory.open(tmp_path / "memory.db", embedder=HashEmbeddings()) as memory:
        agent = _agent(memory, llm)
        for thread, text in (("1", "I'm allergic to nuts."), ("2", "What must I not eat?")):
            await agent.ainvoke(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": thread}},
                context=MemoryContext(user_id="ada"),
            )
            await memory.asettle()
        assert await memory.asearch("allergic", MemoryContext(user_id="ada"))
    _check(llm)
