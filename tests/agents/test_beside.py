"""The middleware beside others of LangChain's, and memory in graphs of several agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
)
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command

from memgraph import Memory, MemoryContext, Scope
from memgraph.agents import MemoryMiddleware, memory_tools
from memgraph.nodes import remember
from support.agents import FACES, ask, blocks, call, make
from support.fakes import ScriptedChatModel
from support.fixtures import OpenMemory
from support.memories import ADA, texts


@tool
def harbour(city: str) -> str:
    """Tell what is in a harbour."""
    return f"Ships of {city}."


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(":memory:", plant=False, facts=False)  # what is quoted are the turns themselves
    memory.add("My boat lies in Trieste.", ADA, thread_id="earlier")
    return memory


# Others of the name


def test_another_middleware_may_have_a_class_of_the_same_name(memory: Memory) -> None:
    # deepagents has one. Of two by one name it drops its own, and create_agent refuses the second.
    theirs: Any = type("MemoryMiddleware", (AgentMiddleware,), {})
    llm = ScriptedChatModel.of("Fine.")
    ask(make(memory, llm, theirs(), MemoryMiddleware()), "Where is my boat?")
    assert blocks(llm.calls[0]) == [0]


# Summaries


def _order(first: str, summary: Any) -> list[Any]:
    both = [MemoryMiddleware(), summary]
    return both if first == "memory" else both[::-1]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("first", ["memory", "summary"])
def test_a_summary_is_not_remembered_and_the_block_stands_before_the_users_words(
    memory: Memory, face: str, first: str
) -> None:
    writes = ScriptedChatModel.of(otherwise="They spoke of boats.")
    llm = ScriptedChatModel.of(otherwise="Yes.")
    summary = SummarizationMiddleware(writes, trigger=("messages", 5), keep=("messages", 2))
    agent = make(memory, llm, *_order(first, summary))
    for text in ("Is the boat old?", "Is the boat blue?", "Where is my boat?"):
        ask(agent, text, face=face)
    last = llm.calls[-1]
    assert [message.additional_kwargs.get("lc_source") for message in last] == ["summarization", None, None, None]
    assert blocks(last) == [2]
    assert last[3].text == "Where is my boat?"
    assert "Trieste" in last[2].text
    assert all(blocks(messages) == [] for messages in writes.calls)
    assert texts(memory)[1:] == [
        "Is the boat old?", "Yes.", "Is the boat blue?", "Yes.", "Where is my boat?", "Yes.",
    ]  # fmt: skip


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("first", ["memory", "summary"])
def test_what_a_summary_takes_away_within_a_run_is_remembered(memory: Memory, face: str, first: str) -> None:
    rounds = [call("harbour", city=city) for city in ("Trieste", "Bergen", "Ghent")]
    llm = ScriptedChatModel.of(*rounds, "Many ships.")
    summary = SummarizationMiddleware(
        ScriptedChatModel.of(otherwise="Ships."), trigger=("messages", 5), keep=("messages", 2)
    )
    agent = make(memory, llm, *_order(first, summary), tools=[harbour])
    ask(agent, "Which ships are beside my boat?", face=face)
    last = llm.calls[-1]
    assert "Which ships are beside my boat?" not in [message.text for message in last]
    assert blocks(last) == [0]  # before the summary that has taken its place
    assert [message.type for message in last][1:3] == ["human", "ai"]
    assert "Which ships are beside my boat?" in texts(memory)


@pytest.mark.parametrize("face", FACES)
def test_what_is_redacted_is_remembered_redacted(memory: Memory, face: str) -> None:
    agent = make(memory, ScriptedChatModel.of("Noted."), MemoryMiddleware(), PIIMiddleware("email", strategy="redact"))
    ask(agent, "My address is ada@example.com.", face=face)
    assert texts(memory)[1:] == ["My address is [REDACTED_EMAIL].", "Noted."]


# A human in the loop


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_run_that_waits_for_a_human(memory: Memory, face: str, decision: str) -> None:
    saves = call("save_memory", text="Ada's boat is called Tern.")
    llm = ScriptedChatModel.of(saves, "As you like.")
    agent = make(
        memory,
        llm,
        MemoryMiddleware(),
        HumanInTheLoopMiddleware(interrupt_on={"save_memory": True}),
        tools=memory_tools(),
    )
    waiting = ask(agent, "Is Tern a good name for my boat?", face=face)
    assert waiting["__interrupt__"]
    assert texts(memory)[1:] == ["Is Tern a good name for my boat?"]  # said, whatever becomes of the run
    state = ask(agent, Command(resume={"decisions": [{"type": decision}]}), face=face)
    assert state["messages"][-1].text == "As you like."
    assert blocks(llm.calls[1]) == [0]
    assert llm.calls[1][0].text == llm.calls[0][0].text
    remembered = texts(memory)[2:]
    assert ("Ada's boat is called Tern." in remembered) == (decision == "approve")
    assert remembered[-1] == "As you like."


# Subagents


def _delegate(subagent: Any) -> BaseTool:
    """Return a tool that hands a task to an agent, which gets the run's memory and user from the one around it."""

    def task(description: str, runtime: ToolRuntime[Any, Any]) -> str:
        state = subagent.invoke({"messages": [("user", description)]})
        return str(state["messages"][-1].text)

    async def atask(description: str, runtime: ToolRuntime[Any, Any]) -> str:
        state = await subagent.ainvoke({"messages": [("user", description)]})
        return str(state["messages"][-1].text)

    return StructuredTool.from_function(task, atask, name="task", description="Hand a task to an expert.")


@pytest.mark.parametrize("face", FACES)
def test_a_subagent_recalls_for_the_same_user_and_leaves_remembering_to_the_agent(memory: Memory, face: str) -> None:
    expert = ScriptedChatModel.of(call("search_memory", query="boat"), "It lies in Trieste.")
    subagent = make(memory, expert, MemoryMiddleware(remembers=False), tools=memory_tools(), checkpointer=None)
    llm = ScriptedChatModel.of(call("task", description="Find out where the boat lies."), "In Trieste.")
    state = ask(make(memory, llm, MemoryMiddleware(), tools=[_delegate(subagent)]), "Where is it?", face=face)
    assert state["messages"][-1].text == "In Trieste."
    assert blocks(expert.calls[0]) == [0]
    assert "My boat lies in Trieste." in expert.calls[0][0].text
    assert "My boat lies in Trieste." in expert.calls[1][-1].text
    assert texts(memory)[1:] == ["Where is it?", "It lies in Trieste.", "In Trieste."]


# Several agents


def _as_agent(name: str) -> Callable[[Any], Scope]:
    def scope(runtime: Any) -> Scope:
        return Scope(runtime.context.user_id, agent_id=name)

    return scope


@pytest.mark.parametrize("face", FACES)
def test_agents_share_the_users_memory_and_keep_their_own(memory: Memory, face: str) -> None:
    models = {
        "planner": ScriptedChatModel.of(call("save_memory", text="Sail in May."), "Planned.", "I planned for May."),
        "critic": ScriptedChatModel.of("Too early.", "I thought it too early."),
    }
    builder: Any = StateGraph(MessagesState, context_schema=MemoryContext)
    builder.add_node("listen", remember()).add_edge(START, "listen")  # the user's words, for every agent
    before = "listen"
    for name, llm in models.items():
        scope = _as_agent(name)
        agent = make(
            memory, llm, MemoryMiddleware(scope=scope), tools=memory_tools(scope=scope), checkpointer=None, name=name
        )
        builder.add_node(name, agent).add_edge(before, name)
        before = name
    graph = builder.compile(store=memory.store, checkpointer=memory.checkpointer)

    ask(graph, "When shall I sail my boat?", "monday", face)
    memory.settle()
    mine = {turn.text: turn.agent_id for turn in memory.list(ADA).items[1:]}
    assert mine == {
        "When shall I sail my boat?": None,
        "Sail in May.": "planner",
        "Planned.": "planner",
        "Too early.": "critic",
    }
    ask(graph, "When is my boat to sail, and what was said of it?", "tuesday", face)
    shown = {name: llm.calls[-1][0].text for name, llm in models.items()}
    assert all("My boat lies in Trieste." in text for text in shown.values())
    assert all("When shall I sail my boat?" in text for text in shown.values())
    assert ["Sail in May." in text for text in shown.values()] == [True, False]
    assert ["Too early." in text for text in shown.values()] == [False, True]
