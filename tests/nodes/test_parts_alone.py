"""The parts also work alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState
from langgraph.graph.message import add_messages
from pydantic import BaseModel

from memgraph import Memory, MemoryContext, MemoryState, Scope, with_memory
from memgraph.errors import NoRecall
from memgraph.nodes import remember, retrieve
from support.fixtures import OpenMemory, Say
from support.memories import ADA, chain, found, texts

ADA_SAYS = MemoryContext("ada")


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(":memory:")
    memory.add("I moved to Lisbon.", ADA)
    return memory


def said(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def test_only_retrieve(memory: Memory) -> None:
    graph = chain(("retrieve", retrieve()), store=memory.store)
    state = graph.invoke(said("Who moved to Lisbon?"), context=ADA_SAYS)
    assert "Lisbon" in state["recalled"]["text"]
    assert texts(memory) == ["I moved to Lisbon."]


def test_only_remember(memory: Memory) -> None:
    graph = chain(("remember", remember()), store=memory.store)
    state = graph.invoke(said("I like figs."), context=ADA_SAYS)
    assert "recalled" not in state
    assert texts(memory) == ["I moved to Lisbon.", "I like figs."]


def test_one_write_node_in_a_graph_of_somebody_elses(memory: Memory) -> None:
    class Theirs(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]
        count: int

    def work(state: Theirs) -> dict[str, Any]:
        return {"count": state.get("count", 0) + 1, "messages": [AIMessage("Done.")]}

    graph = chain(("work", work), ("remember", remember()), store=memory.store, state=Theirs)
    state = graph.invoke({"messages": [("user", "Do it.")], "count": 4}, context=ADA_SAYS)
    assert state["count"] == 5
    assert texts(memory)[1:] == ["Do it.", "Done."]


def test_a_state_that_has_only_messages(memory: Memory) -> None:
    def agent(state: MemoryState) -> dict[str, Any]:
        return {"messages": [AIMessage(with_memory(state)[-2].text)]}

    graph = chain(
        ("retrieve", retrieve()), ("agent", agent), ("remember", remember()), store=memory.store, state=MessagesState
    )
    state = graph.invoke(said("Who moved to Lisbon?"), context=ADA_SAYS)
    assert "Lisbon" in state["messages"][-1].content
    assert len(state["messages"]) == 2  # the reducer of the user's own state stays in force


def test_a_node_that_does_not_declare_the_recall_is_told_so(memory: Memory, say: Say) -> None:
    def agent(state: MessagesState) -> dict[str, Any]:
        return {"messages": with_memory(state)}

    graph = chain(("retrieve", retrieve()), ("agent", agent), store=memory.store, state=MessagesState)
    with pytest.raises(NoRecall, match="annotate its state with MemoryState"):
        graph.invoke(said(say("hello")), context=ADA_SAYS)


def test_a_state_without_a_reducer(memory: Memory) -> None:
    class Raw(TypedDict):
        messages: list[Any]

    graph = chain(("retrieve", retrieve()), ("remember", remember()), store=memory.store, state=Raw)
    for messages in (
        [("user", "Who moved to Lisbon?")],
        [{"role": "user", "content": "Who moved to Lisbon?"}],
        ["Who moved to Lisbon?"],
    ):
        # The channels that the nodes bring are no part of the user's own output.
        updates = list(graph.stream({"messages": messages}, context=ADA_SAYS, stream_mode="updates"))
        assert "Lisbon" in updates[0]["retrieve"]["recalled"]["text"]
    assert texts(memory) == ["I moved to Lisbon.", "Who moved to Lisbon?"]  # without ids, known by their text


def test_a_pydantic_state(memory: Memory) -> None:
    class Model(BaseModel):
        messages: Annotated[list[AnyMessage], add_messages]
        recalled: dict[str, Any] | None = None

    def agent(state: Model) -> dict[str, Any]:
        return {"messages": with_memory(state)[:1]}

    graph = chain(
        ("retrieve", retrieve()),
        ("agent", agent),
        ("remember", remember()),
        store=memory.store,
        state=Model,
    )
    state = graph.invoke(said("Who moved to Lisbon?"), context=ADA_SAYS)
    assert "Lisbon" in state["recalled"]["text"]
    assert texts(memory) == ["I moved to Lisbon.", "Who moved to Lisbon?"]


def test_the_users_own_context_class(memory: Memory) -> None:
    @dataclass
    class Mine:
        tenant: str
        user_id: str
        org_id: str = "default"

    graph = chain(("retrieve", retrieve()), ("remember", remember()), store=memory.store, context=Mine)
    state = graph.invoke(said("Who moved to Lisbon?"), context=Mine("acme", "ada"))
    assert "Lisbon" in state["recalled"]["text"]
    graph.invoke(said("In another organisation."), context=Mine("acme", "ada", "acme"))
    assert texts(memory, Scope("ada", "acme")) == ["In another organisation."]


async def test_only_the_store_with_somebody_elses_saver(memory: Memory) -> None:
    graph = chain(("retrieve", retrieve()), ("remember", remember()), store=memory.store, checkpointer=InMemorySaver())
    state = await graph.ainvoke(said("Who moved to Lisbon?"), {"configurable": {"thread_id": "t"}}, context=ADA_SAYS)
    assert "Lisbon" in state["recalled"]["text"]


def test_without_any_saver_or_thread(memory: Memory) -> None:
    graph = chain(("remember", remember()), store=memory.store)
    graph.invoke(said("I like figs."), context=ADA_SAYS)
    assert memory.list(ADA, filter={"role": "user"}).items[-1].thread_id is None


def test_add_alone(memory: Memory) -> None:
    memory.add([("user", "I like figs."), ("assistant", "Noted.")], ADA)
    assert found(memory, "who likes figs")[0] == "The user likes figs."


def test_in_a_subgraph(memory: Memory) -> None:
    inner = chain(("retrieve", retrieve()), ("remember", remember()))
    graph = chain(("inner", inner), store=memory.store, checkpointer=memory.checkpointer)
    state = graph.invoke(said("Who moved to Lisbon?"), {"configurable": {"thread_id": "t"}}, context=ADA_SAYS)
    assert "Lisbon" in state["recalled"]["text"]
    assert memory.list(ADA).items[-1].thread_id == "t"
