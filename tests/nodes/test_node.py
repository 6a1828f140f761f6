"""What both nodes share: whose memory, which memory, and a body that runs in both faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import ForeignStore, InvalidScope, ScopeDenied
from memgraph.nodes import consolidate, extract, merge_graph, remember, retrieve
from memgraph.nodes.node import MemoryNode
from memgraph.state import MemoryState
from support.fixtures import OpenMemory, Say
from support.memories import chain, texts

NODES = [remember, retrieve]


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:")


def alone(node: MemoryNode, store: Any, saver: Any = None, schema: Any = MemoryContext) -> Any:
    return chain(("node", node), store=store, checkpointer=saver, context=schema)


@dataclass
class ServerUser:
    """As LangGraph's server puts it into the configuration."""

    identity: str
    is_authenticated: bool = True
    display_name: str = "Ada"


def asked(text: str = "Hello.", thread: str | None = None, **configurable: Any) -> tuple[Any, Any]:
    run = {"configurable": configurable | ({} if thread is None else {"thread_id": thread})}
    return {"messages": [("user", text)]}, run


@pytest.mark.parametrize("make", NODES)
@pytest.mark.parametrize("store", [None, InMemoryStore()], ids=["no store", "another store"])
def test_a_foreign_store_says_what_to_write_instead(make: Any, store: Any, say: Say) -> None:
    found = "no store" if store is None else "a InMemoryStore"
    with pytest.raises(ForeignStore, match=rf"compiled with {found}.*builder\.compile\(store=memory\.store\)"):
        alone(make(), store).invoke(*asked(say("hello")), context=MemoryContext("ada"))


@pytest.mark.parametrize("make", NODES)
@pytest.mark.parametrize(("context", "configurable"), [(None, {}), ({}, {"user_id": "", "langgraph_auth_user": None})])
def test_a_missing_user_is_an_error_at_the_first_call(
    make: Any, memory: Memory, say: Say, context: Any, configurable: Any
) -> None:
    with pytest.raises(InvalidScope, match=r"no user_id.*MemoryContext"):
        alone(make(), memory.store).invoke(*asked(say("hello"), **configurable), context=context)


@pytest.mark.parametrize("make", NODES)
async def test_and_in_the_async_face(make: Any, memory: Memory, say: Say) -> None:
    with pytest.raises(InvalidScope, match="no user_id"):
        await alone(make(), memory.store).ainvoke(*asked(say("hello")))


@pytest.mark.parametrize(
    ("context", "configurable"),
    [
        (MemoryContext("ada"), {}),
        (None, {"user_id": "ada"}),
        (None, {"langgraph_auth_user": ServerUser("ada")}),
        ({}, {"langgraph_auth_user": ServerUser("ada")}),  # what a server hands in for a client that gave no context
        ({}, {"user_id": "ada"}),
        ({"user_id": "ada"}, {"langgraph_auth_user": ServerUser("ada")}),
        (MemoryContext("ada"), {"user_id": "ada", "langgraph_auth_user": ServerUser("ada")}),
    ],
)
def test_the_server_then_the_context_then_the_configuration(memory: Memory, context: Any, configurable: Any) -> None:
    alone(remember(), memory.store).invoke(*asked("Hello.", **configurable), context=context)
    assert texts(memory, Scope("ada")) == ["Hello."]


@pytest.mark.parametrize("make", NODES)
@pytest.mark.parametrize(
    ("context", "configurable"),
    [
        (MemoryContext("ada"), {"user_id": "bob"}),
        (MemoryContext("bob"), {"langgraph_auth_user": ServerUser("ada")}),
        ({"user_id": "bob"}, {"langgraph_auth_user": ServerUser("ada")}),
        (None, {"user_id": "bob", "langgraph_auth_user": ServerUser("ada")}),
    ],
)
def test_a_second_different_claim_is_denied(
    make: Any, memory: Memory, context: Any, configurable: Any, say: Say
) -> None:
    with pytest.raises(ScopeDenied):
        alone(make(), memory.store).invoke(*asked(say("hello"), **configurable), context=context)
    assert texts(memory, Scope("ada")) == texts(memory, Scope("bob")) == []


@pytest.mark.parametrize("first", NODES)
@pytest.mark.parametrize("second", NODES)
def test_a_thread_belongs_to_the_owner_whose_node_first_ran_in_it(
    first: Any, second: Any, memory: Memory, say: Say
) -> None:
    saver = InMemorySaver()
    alone(first(), memory.store, saver).invoke(*asked("Hello.", "t"), context=MemoryContext("ada"))
    memory.core.ledger.submit(lambda c: None).result()  # retrieve's claim is written off the search's path
    with pytest.raises(ScopeDenied, match="thread belongs to another user"):
        alone(second(), memory.store, saver).invoke(*asked(say("mine"), "t"), context=MemoryContext("bob"))
    alone(second(), memory.store, saver).invoke(*asked("Again.", "t"), context=MemoryContext("ada"))
    assert texts(memory, Scope("bob")) == []


def test_a_team_may_be_the_context(memory: Memory) -> None:
    alone(remember(), memory.store, schema=None).invoke(*asked("The team's."), context=Scope.shared("acme"))
    assert texts(memory, Scope.shared("acme")) == ["The team's."]


@pytest.mark.parametrize("make", [remember, retrieve, extract, consolidate, merge_graph])
def test_a_scope_of_the_programs_own(make: Any, memory: Memory) -> None:
    seen: list[Any] = []

    def of(runtime: Any) -> MemoryContext:
        seen.append(runtime.context)
        return MemoryContext(runtime.context["person"], agent_id="bot")

    context = {"person": "ada", "user_id": "bob"}
    alone(make(scope=of), memory.store, schema=None).invoke(*asked("Hello."), context=context)
    assert seen == [context]
    assert texts(memory, Scope("bob")) == []
    assert [turn.agent_id for turn in memory.list(Scope("ada")).items] == ["bot"] * (make in (remember, extract))


def test_one_that_gives_no_scope_is_an_error(memory: Memory, say: Say) -> None:
    def wrong(runtime: Any) -> Any:
        return "ada"

    with pytest.raises(InvalidScope, match="must be a Scope or a MemoryContext, not str"):
        alone(remember(scope=wrong), memory.store).invoke(*asked(say("hello")), context=MemoryContext("ada"))


def test_agent_and_session_come_with_the_context(memory: Memory) -> None:
    context = MemoryContext("ada", agent_id="bot", session_id="s1")
    alone(remember(), memory.store).invoke(*asked("Hello.", "t"), context=context)
    [turn] = memory.list(Scope("ada")).items
    assert (turn.agent_id, turn.session_id, turn.thread_id) == ("bot", "s1", "t")


def test_a_node_that_is_called_as_a_function(memory: Memory) -> None:
    node = remember()

    def mine(state: MemoryState) -> Any:
        return node(state)

    chain(("mine", mine), store=memory.store).invoke(*asked("Hello."), context=MemoryContext("ada"))
    assert texts(memory, Scope("ada")) == ["Hello."]
