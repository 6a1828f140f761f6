"""The second of the two examples that are the contract, in both faces, with a model for the facts and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]  # its context is of no type

from memgraph import Memory, MemoryContext
from memgraph.agents import MemoryMiddleware, memory_tools
from support.agents import blocks
from support.fakes import HashEmbeddings, ScriptedChatModel, stated


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


def _extractor() -> ScriptedChatModel:
    return ScriptedChatModel.of(
        stated(
            "I'm allergic to nuts.",
            subject="user",
            attribute="allergy",
            object="nuts",
            text="The user may eat no nuts.",
        )
    )


def _check_facts(extracts: ScriptedChatModel, llm: ScriptedChatModel, facts: list[str]) -> None:
    assert facts == ["The user may eat no nuts."]
    [messages] = extracts.calls  # the answers and the question state nothing, and cost no call
    assert "I'm allergic to nuts." in messages[1].text
    assert "allergic to nuts" in llm.calls[1][0].text


def test_the_agent_with_a_model_of_memorys_own(tmp_path: Path) -> None:
    llm, extracts = ScriptedChatModel.of("Noted.", "Nuts."), _extractor()
    with Memory.open(tmp_path / "memory.db", embedder=HashEmbeddings(), model=extracts) as memory:
        agent = _agent(memory, llm)
        for thread, text in (("1", "I'm allergic to nuts."), ("2", "What must I not eat?")):
            agent.invoke(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": thread}},
                context=MemoryContext(user_id="ada"),
            )
            memory.settle()
        facts = [fact.text for fact in memory.list(MemoryContext(user_id="ada"), kind="fact").items]
    _check(llm)
    _check_facts(extracts, llm, facts)


async def test_the_async_agent_with_a_model_of_memorys_own(tmp_path: Path) -> None:
    llm, extracts = ScriptedChatModel.of("Noted.", "Nuts."), _extractor()
    async with Memory.open(tmp_path / "memory.db", embedder=HashEmbeddings(), model=extracts) as memory:
        agent = _agent(memory, llm)
        for thread, text in (("1", "I'm allergic to nuts."), ("2", "What must I not eat?")):
            await agent.ainvoke(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": thread}},
                context=MemoryContext(user_id="ada"),
            )
            await memory.asettle()
        facts = [fact.text for fact in (await memory.alist(MemoryContext(user_id="ada"), kind="fact")).items]
    _check(llm)
    _check_facts(extracts, llm, facts)
