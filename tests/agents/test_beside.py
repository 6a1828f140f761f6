"""The middleware beside others of LangChain's, and memory in graphs of several agents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    PIIDetectionError,
    PIIMiddleware,
    SummarizationMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command
from pydantic import BaseModel

from memgraph import Memory, MemoryContext, Scope
from memgraph.agents import MemoryMiddleware, memory_tools
from memgraph.nodes import remember, retrieve
from support.agents import FACES, ask, blocks, call, events, harbour, make
from support.fakes import HashEmbeddings, ScriptedChatModel
from support.fixtures import OpenMemory
from support.memories import ADA, chain, texts


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


# Redaction


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("first", ["memory", "redaction"])
def test_what_is_redacted_is_remembered_redacted_and_asked_so_if_the_redaction_comes_first(
    open_memory: OpenMemory, face: str, first: str
) -> None:
    embedder = HashEmbeddings()
    memory = open_memory(":memory:", plant=False, facts=False, embedder=embedder)
    memory.add("My boat lies in Trieste.", ADA)
    redaction = PIIMiddleware("email", strategy="redact")
    both = [redaction, MemoryMiddleware()] if first == "redaction" else [MemoryMiddleware(), redaction]
    ask(make(memory, ScriptedChatModel.of("Noted."), *both), "My boat's address is ada@example.com.", face=face)
    memory.settle()
    assert texts(memory)[1:] == ["My boat's address is [REDACTED_EMAIL].", "Noted."]
    assert not any("ada@example.com" in text for batch in embedder.documents for text in batch)
    assert ["ada@example.com" in text for text in embedder.queries] == [first == "memory"]


@pytest.mark.parametrize("face", FACES)
def test_a_message_that_was_blocked_stays_in_the_thread_and_is_remembered_with_its_next_run(
    memory: Memory, face: str
) -> None:
    llm = ScriptedChatModel.of("Hello.")
    agent = make(memory, llm, PIIMiddleware("email", strategy="block"), MemoryMiddleware())
    with pytest.raises(PIIDetectionError):
        ask(agent, "My address is ada@example.com.", face=face)
    assert texts(memory)[1:] == []
    ask(agent, "Hello?", face=face)
    assert texts(memory)[1:] == ["My address is ada@example.com.", "Hello?", "Hello."]


# Trying again, and ending early


def _retry(llm: ScriptedChatModel) -> Any:
    return ModelRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False)


def _fallback(llm: ScriptedChatModel) -> Any:
    return ModelFallbackMiddleware(llm)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("other", [_retry, _fallback])
@pytest.mark.parametrize("first", ["memory", "other"])
def test_a_model_that_is_asked_again_sees_the_same_recall_and_each_turn_is_stored_once(
    memory: Memory, face: str, other: Callable[[ScriptedChatModel], Any], first: str
) -> None:
    llm = ScriptedChatModel.of(ConnectionError("gone"), "In Trieste.")
    both = [MemoryMiddleware(), other(llm)]
    agent = make(memory, llm, *(both if first == "memory" else both[::-1]))
    told = events(agent, "Where is my boat?", face=face)
    assert [event["type"] for event in told] == ["memgraph.retrieve", "memgraph.remember"]
    assert [blocks(messages) for messages in llm.calls] == [[0], [0]]
    assert llm.calls[0] == llm.calls[1]
    assert texts(memory)[1:] == ["Where is my boat?", "In Trieste."]


@pytest.mark.parametrize("face", FACES)
def test_a_tool_that_is_tried_again_is_remembered_once(memory: Memory, face: str) -> None:
    tries: list[str] = []

    @tool
    def shaky(city: str) -> str:
        """Fail once."""
        tries.append(city)
        if len(tries) == 1:
            raise ConnectionError
        return f"Ships of {city}."

    llm = ScriptedChatModel.of(call("shaky", city="Ghent"), "Ships.")
    retry = ToolRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False)
    ask(make(memory, llm, MemoryMiddleware(), retry, tools=[shaky]), "What is in Ghent?", face=face)
    assert tries == ["Ghent", "Ghent"]
    assert texts(memory)[1:] == ["What is in Ghent?", "Ships of Ghent.", "Ships."]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("first", ["memory", "limit"])
def test_a_run_that_is_ended_by_a_limit_is_remembered(memory: Memory, face: str, first: str) -> None:
    llm = ScriptedChatModel.of(call("harbour", city="Ghent"))
    both: list[Any] = [MemoryMiddleware(), ModelCallLimitMiddleware(run_limit=1, exit_behavior="end")]
    agent = make(memory, llm, *(both if first == "memory" else both[::-1]), tools=[harbour])
    state = ask(agent, "What is in Ghent?", face=face)
    said = state["messages"][-1].text
    assert "limit" in said
    assert texts(memory)[1:] == ["What is in Ghent?", "Ships of Ghent.", said]


# Answers in a form, and pictures


class Berth(BaseModel):
    """Where a boat lies."""

    city: str


@pytest.mark.parametrize("face", FACES)
def test_an_answer_in_a_form(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of(call("Berth", city="Trieste"))
    agent = make(memory, llm, MemoryMiddleware(), response_format=ToolStrategy(Berth))
    state = ask(agent, "Where is my boat?", face=face)
    assert state["structured_response"] == Berth(city="Trieste")
    assert blocks(llm.calls[0]) == [0]
    assert texts(memory)[1] == "Where is my boat?"


@pytest.mark.parametrize("face", FACES)
def test_a_picture_beside_the_question(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("Yes.")
    picture = {"type": "image", "base64": "QUJDRA==", "mime_type": "image/png"}
    asked = HumanMessage([{"type": "text", "text": "Is this my boat?"}, picture])
    ask(make(memory, llm, MemoryMiddleware()), {"messages": [asked]}, face=face)
    assert blocks(llm.calls[0]) == [0]
    assert llm.calls[0][1].content == asked.content
    question, answer = texts(memory)[1:]
    assert question.startswith("Is this my boat?")
    assert "QUJDRA" not in question
    assert answer == "Yes."


# Twice


def test_one_of_them_an_agent(memory: Memory) -> None:
    with pytest.raises(AssertionError, match="duplicate middleware"):
        make(memory, ScriptedChatModel.of(), MemoryMiddleware(), MemoryMiddleware(remembers=False))


@pytest.mark.parametrize("face", FACES)
def test_nodes_around_an_agent_that_has_the_middleware(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("In Trieste.", "Old.")
    inner = make(memory, llm, MemoryMiddleware(), checkpointer=None)
    graph = chain(
        ("retrieve", retrieve()), ("agent", inner), ("remember", remember()),
        store=memory.store, checkpointer=memory.checkpointer,
    )  # fmt: skip
    ask(graph, "Where is my boat?", face=face)
    ask(graph, "How old is it?", face=face)
    assert [blocks(messages) for messages in llm.calls] == [[0], [2]]
    assert texts(memory)[1:] == ["Where is my boat?", "In Trieste.", "How old is it?", "Old."]


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


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("how", ["erase", "forget"])
def test_what_is_erased_while_a_run_waits_is_not_shown_when_it_goes_on(memory: Memory, face: str, how: str) -> None:
    memory.add("My boat is called Tern.", ADA, thread_id="earlier")
    llm = ScriptedChatModel.of(call("harbour", city="Ghent"), "Fine.", "Fine.")
    asks = HumanInTheLoopMiddleware(interrupt_on={"harbour": True})
    agent = make(memory, llm, MemoryMiddleware(), asks, tools=[harbour])
    ask(agent, "Where is my boat?", face=face)
    assert "Trieste" in llm.calls[0][0].text
    first = memory.list(ADA).items[0].id
    if how == "erase":
        memory.erase(first, ADA)
    else:
        memory.forget(first, ADA)
    ask(agent, Command(resume={"decisions": [{"type": "approve"}]}), face=face)
    ask(agent, {"messages": [AIMessage("The harbour says hello.")]}, face=face)
    assert len(llm.calls) == 3
    for messages in llm.calls[1:]:
        assert not any("Trieste" in message.text for message in messages)
        assert "Tern" in messages[0].text  # the rest of it is there


@pytest.mark.parametrize("face", FACES)
def test_what_a_tool_forgets_is_not_shown_in_the_next_round(memory: Memory, face: str) -> None:
    [turn] = memory.list(ADA).items
    llm = ScriptedChatModel.of(call("forget_memory", memory_id=turn.id), "Forgotten.")
    ask(make(memory, llm, MemoryMiddleware(), tools=memory_tools()), "Forget where my boat is.", face=face)
    assert "Trieste" in llm.calls[0][0].text
    assert not any("Trieste" in message.text for message in llm.calls[1])


@pytest.mark.parametrize("face", FACES)
def test_a_fact_that_a_tool_forgets_is_not_shown_in_the_next_round(open_memory: OpenMemory, face: str) -> None:
    memory = open_memory(":memory:", plant=False)
    memory.add(["I moved from Oslo to Lisbon last week.", "The sea is near."], ADA, thread_id="earlier")
    memory.settle()
    [fact] = memory.list(ADA, kind="fact").items
    llm = ScriptedChatModel.of(call("harbour", city="Ghent"), call("forget_memory", memory_id=fact.id), "Forgotten.")
    agent = make(memory, llm, MemoryMiddleware(), tools=[*memory_tools(), harbour])
    ask(agent, "Where do I live?", face=face)
    assert [fact.text in messages[0].text for messages in llm.calls] == [True, True, False]


@pytest.mark.parametrize("face", FACES)
def test_a_recall_of_which_all_is_there_still_is_not_made_anew(memory: Memory, face: str) -> None:
    memory.add("The team's boat lies in Bergen.", Scope.shared())
    llm = ScriptedChatModel.of(call("harbour", city="Ghent"), "Fine.")
    agent = make(memory, llm, MemoryMiddleware(include_shared=True), tools=[harbour])
    told = events(agent, "Where are the boats?", face=face)
    assert [event["type"] for event in told].count("memgraph.retrieve") == 1
    assert all("Bergen" in messages[0].text and "Trieste" in messages[0].text for messages in llm.calls)


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


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol:langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("face", FACES)
def test_writing_is_no_subagent_of_an_agent_that_has_a_name(memory: Memory, face: str) -> None:
    expert = make(memory, ScriptedChatModel.of("In Trieste."), checkpointer=None, name="expert")
    llm = ScriptedChatModel.of(
        call("save_memory", text="Tern is old."), call("task", description="Where is it?"), "There."
    )
    agent = make(memory, llm, MemoryMiddleware(), tools=[*memory_tools(), _delegate(expert)], name="helper")
    given: Any = {"messages": [("user", "Where is my boat?")]}
    options: Any = {"config": {"configurable": {"thread_id": "t"}}, "context": MemoryContext("ada"), "version": "v3"}

    async def names() -> list[str]:
        run = await agent.astream_events(given, **options)
        return [subagent.name async for subagent in run.subagents]

    if face == "invoke":
        found = [subagent.name for subagent in agent.stream_events(given, **options).subagents]
    else:
        found = asyncio.run(names())
    assert found == ["expert"]
    assert texts(memory)[1:] == ["Where is my boat?", "Tern is old.", "In Trieste.", "There."]


@pytest.mark.parametrize("face", FACES)
def test_a_subagent_may_read_the_teams_memory_in_a_users_thread(memory: Memory, face: str) -> None:
    def teams(runtime: Any) -> Scope:
        return Scope.shared()

    memory.add("The team's boat lies in Bergen.", Scope.shared())
    expert = ScriptedChatModel.of("In Bergen.")
    subagent = make(memory, expert, MemoryMiddleware(remembers=False, scope=teams), checkpointer=None)
    llm = ScriptedChatModel.of(call("task", description="Where is the team's boat?"), "In Bergen.")
    ask(make(memory, llm, MemoryMiddleware(), tools=[_delegate(subagent)]), "Where is the boat?", face=face)
    assert "Bergen" in expert.calls[0][0].text
    assert not any("Trieste" in message.text for message in expert.calls[0])
    assert "Trieste" in llm.calls[0][0].text
    assert "Where is the boat?" in texts(memory)
    assert texts(memory, Scope.shared()) == ["The team's boat lies in Bergen."]


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
