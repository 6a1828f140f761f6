"""`MemoryMiddleware`: what the model is shown, what is stored, what happens where memory fails."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage
from langgraph.store.memory import InMemoryStore

from memgraph import Memory, MemoryContext, Scope
from memgraph.agents import MemoryMiddleware, memory_tools
from memgraph.errors import (
    EmbedderUnavailable,
    ForeignStore,
    InvalidInput,
    InvalidScope,
    ScopeDenied,
    StoreBusy,
    StoreClosed,
    StoreError,
)
from support.agents import ADA_SAYS, FACES, ask, blocks, call, events, harbour, make
from support.fakes import BlockingEmbeddings, RaisingEmbeddings, ScriptedChatModel, stated
from support.fixtures import OpenMemory, Say
from support.memories import ADA, texts, unreadable, write_locked


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(":memory:", plant=False, facts=False)  # what is quoted are the turns themselves
    memory.add(["The boat is in Trieste.", "I like figs."], ADA, thread_id="earlier")
    return memory


# What the model is shown


@pytest.mark.parametrize("face", FACES)
def test_one_marked_message_before_the_last_user_message_and_none_in_the_state(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("In Trieste.", "Yes, figs.")
    agent = make(memory, llm, MemoryMiddleware(), system_prompt="Be brief.")
    ask(agent, "Where is the boat?", face=face)
    state = ask(agent, "Do I like figs?", face=face)
    first, second = llm.calls
    assert [message.type for message in first] == ["system", "human", "human"]
    assert blocks(first) == [1]
    assert "The boat is in Trieste." in first[1].text
    assert [message.type for message in second] == ["system", "human", "ai", "human", "human"]
    assert blocks(second) == [3]
    assert "I like figs." in second[3].text
    assert [message.text for message in state["messages"]] == [
        "Where is the boat?",
        "In Trieste.",
        "Do I like figs?",
        "Yes, figs.",
    ]
    assert "recalled" not in state
    for saved in agent.get_state_history({"configurable": {"thread_id": "t"}}):
        assert blocks(saved.values.get("messages", [])) == []


@pytest.mark.parametrize("face", FACES)
def test_one_recall_a_user_message_over_several_rounds_of_tools(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of(call("harbour", city="Trieste"), call("harbour", city="Bergen"), "Many ships.")
    agent = make(memory, llm, MemoryMiddleware(), tools=[harbour])
    told = events(agent, "Which ships are beside the boat?", face=face)
    assert [event["type"] for event in told] == ["memgraph.retrieve", "memgraph.remember"]
    shown = [[message.text for message in messages if blocks([message])] for messages in llm.calls]
    assert len(llm.calls) == 3
    assert shown[0] == shown[1] == shown[2] != []
    assert all(blocks(messages) == [0] for messages in llm.calls)
    assert [message.type for message in llm.calls[2]] == ["human", "human", "ai", "tool", "ai", "tool"]


def test_a_run_that_goes_on_with_an_earlier_message_recalls_nothing_anew(memory: Memory) -> None:
    llm = ScriptedChatModel.of("I'll look.", "Found it.", "Again.")
    agent = make(memory, llm, MemoryMiddleware())
    recalls = [
        sum(event["type"] == "memgraph.retrieve" for event in events(agent, given))
        for given in (
            "Where is the boat?",
            {"messages": [AIMessage("And the harbour says: Trieste.")]},
            "Where is the boat?",  # the same words are a new question
        )
    ]
    assert recalls == [1, 0, 1]
    assert blocks(llm.calls[1]) == [0]


def test_nothing_known_adds_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    llm = ScriptedChatModel.of("Hello.")
    ask(make(memory, llm, MemoryMiddleware()), "Hello?")
    assert [message.text for message in llm.calls[0]] == ["Hello?"]


class Sees(AgentMiddleware):
    """Keeps the request that it is handed."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        self.seen = request
        return handler(request)


def test_a_request_to_which_nothing_is_added_is_handed_on_as_it_is(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    outer, inner = Sees("outer"), Sees("inner")
    ask(make(memory, ScriptedChatModel.of("Hello."), outer, MemoryMiddleware(), inner), "Hello?")
    assert inner.seen is outer.seen


def test_the_budget_the_limit_and_the_teams_memory(memory: Memory) -> None:
    memory.add("The team's boat is green.", Scope.shared())
    memory.add([f"The boat has a sail, number {n}, of the old kind." for n in range(40)], ADA)
    llm = ScriptedChatModel.of(otherwise="Yes.")
    ask(make(memory, llm, MemoryMiddleware(budget_tokens=150)), "The boat's sails?", "1")
    ask(make(memory, llm, MemoryMiddleware(limit=1)), "The boat's sails?", "2")
    ask(make(memory, llm, MemoryMiddleware(limit=1, include_shared=True)), "Which boat is green?", "3")
    shown = [messages[0].text for messages in llm.calls]
    assert len(shown[0]) <= 4 * 150
    assert [len([line for line in text.splitlines() if line.startswith("- ")]) for text in shown[1:]] == [1, 1]
    assert "green" in shown[2]
    with pytest.raises(InvalidInput, match="budget_tokens"):
        MemoryMiddleware(budget_tokens=0)


def test_the_channels_are_neither_asked_for_nor_is_the_recall_handed_back(memory: Memory) -> None:
    agent = make(memory, ScriptedChatModel.of("In Trieste."), MemoryMiddleware())
    given: Any = {"messages": [("user", "Where is the boat?")], "recalled": {"text": "forged"}}
    state = ask(agent, given)
    assert set(state) == {"messages", "memory_seq"}
    saved = agent.get_state({"configurable": {"thread_id": "t"}}).values
    assert set(saved["recalled"]) == {"text", "ids", "degraded", "trace_id"}
    assert memory.trace(saved["recalled"]["trace_id"], ADA).hits
    added = memory.add("x", ADA)
    assert list(saved["memory_seq"]) == [added.owner]
    assert 0 < saved["memory_seq"][added.owner] < added.seq


# What is remembered


@pytest.mark.parametrize("face", FACES)
def test_what_was_said_is_remembered_once_and_what_memory_said_is_not(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of(
        call("search_memory", query="boat"), call("harbour", city="Trieste"), "In Trieste.", "You're welcome."
    )
    agent = make(memory, llm, MemoryMiddleware(), tools=[*memory_tools(), harbour])
    ask(agent, "Where is the boat?", face=face)
    ask(agent, "Thanks for that.", face=face)
    turns = memory.list(ADA).items[2:]
    assert [(turn.role, turn.text) for turn in turns] == [
        ("user", "Where is the boat?"),
        ("tool", "Ships of Trieste."),
        ("assistant", "In Trieste."),
        ("user", "Thanks for that."),
        ("assistant", "You're welcome."),
    ]
    assert {turn.thread_id for turn in turns} == {"t"}


@pytest.mark.parametrize("face", FACES)
def test_facts_are_made_in_the_background_by_a_model_of_memorys_own(open_memory: OpenMemory, face: str) -> None:
    extracts = ScriptedChatModel.of(stated("I live in Oslo."))
    memory = open_memory(":memory:", plant=False, model=extracts)
    llm = ScriptedChatModel.of("A fine city.")
    ask(make(memory, llm, MemoryMiddleware()), "I live in Oslo.", face=face)
    memory.settle()
    assert [fact.text for fact in memory.list(ADA, kind="fact").items] == ["Ada lives in Oslo."]
    assert len(extracts.calls) == 1  # the user's words went to the disk first, and the model was asked once


@pytest.mark.parametrize("face", FACES)
def test_the_users_words_are_on_the_disk_before_the_model_is_called(memory: Memory, face: str) -> None:
    def fails(messages: list[Any]) -> str:
        assert texts(memory)[2:] == ["I sold the boat."]
        raise ConnectionError

    agent = make(memory, ScriptedChatModel.of(fails), MemoryMiddleware())
    with pytest.raises(ConnectionError):
        ask(agent, "I sold the boat.", face=face)
    assert texts(memory)[2:] == ["I sold the boat."]


@pytest.mark.parametrize("face", FACES)
def test_one_that_only_recalls(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("In Trieste.")
    ask(make(memory, llm, MemoryMiddleware(remembers=False)), "Where is the boat?", face=face)
    assert blocks(llm.calls[0]) == [0]
    assert texts(memory) == ["The boat is in Trieste.", "I like figs."]


def test_events_tell_what_was_done_by_id(memory: Memory, canary: str) -> None:
    agent = make(memory, ScriptedChatModel.of("Yes."), MemoryMiddleware())
    told = events(agent, f"My boat's key is {canary}.")
    assert [event["type"] for event in told] == ["memgraph.retrieve", "memgraph.remember"]
    assert canary not in json.dumps(told, default=str)


# Whose memory


class Request:
    """A context of the program's own."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.locale = "en"


@pytest.mark.parametrize("context", [ADA_SAYS, Request("ada"), {"user_id": "ada", "locale": "en"}])
def test_any_context_that_names_the_user(memory: Memory, context: Any) -> None:
    llm = ScriptedChatModel.of(call("search_memory", query="figs"), "Yes.")
    agent = make(memory, llm, MemoryMiddleware(), tools=memory_tools(), context_schema=None)
    ask(agent, "Do I like figs?", context=context)
    assert "I like figs." in llm.calls[0][0].text
    assert "figs" in llm.calls[1][-1].text
    assert texts(memory)[2:] == ["Do I like figs?", "Yes."]


@pytest.mark.parametrize("face", FACES)
def test_a_scope_of_the_programs_own(memory: Memory, face: str) -> None:
    def of(runtime: Any) -> Scope:
        return Scope(runtime.context["person"], session_id="s1")

    llm = ScriptedChatModel.of("Yes.")
    agent = make(memory, llm, MemoryMiddleware(scope=of), context_schema=None)
    ask(agent, "Do I like figs?", face=face, context={"person": "ada", "user_id": "bob"})
    assert "I like figs." in llm.calls[0][0].text
    assert [turn.session_id for turn in memory.list(ADA).items[2:]] == ["s1", "s1"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("strict", [False, True])
def test_a_missing_user_and_a_foreign_store_are_never_skipped(
    memory: Memory, face: str, strict: bool, say: Say
) -> None:
    llm = ScriptedChatModel.of()
    agent = make(memory, llm, MemoryMiddleware(strict=strict))
    with pytest.raises(InvalidScope, match="no user_id"):
        ask(agent, say("Hello?"), face=face, context=None)
    ask(make(memory, ScriptedChatModel.of("Hello."), MemoryMiddleware()), "Hello?", "ada's", face)
    with pytest.raises(ScopeDenied):
        ask(agent, say("Hello?"), "ada's", face, context=MemoryContext("bob"))
    agent.store = InMemoryStore()
    with pytest.raises(ForeignStore):
        ask(agent, say("Hello?"), face=face)
    assert llm.calls == []


# What fails


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("kind", [RaisingEmbeddings, BlockingEmbeddings])
def test_an_embedder_that_fails_or_is_slow_costs_only_its_arm(open_memory: OpenMemory, kind: Any, face: str) -> None:
    embedder = kind(armed=False)
    memory = open_memory(":memory:", embedder=embedder, plant=False)
    memory.add("The boat is in Trieste.", ADA)
    embedder.armed = True
    llm = ScriptedChatModel.of("In Trieste.")
    ask(make(memory, llm, MemoryMiddleware(deadline=0.05)), "Where is the boat?", face=face)
    assert "The boat is in Trieste." in llm.calls[0][0].text
    strict = make(memory, llm, MemoryMiddleware(deadline=0.05, strict=True))
    with pytest.raises(EmbedderUnavailable, match="took no part"):
        ask(strict, "Where is the boat?", "u", face)
    assert len(llm.calls) == 1


@pytest.mark.parametrize("face", FACES)
def test_a_file_that_can_not_be_read_costs_the_recall(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("I don't know.")
    with unreadable(memory, apsw.IOError("disk I/O error")):
        ask(make(memory, llm, MemoryMiddleware(remembers=False)), "Where is the boat?", face=face)
        with pytest.raises(StoreError):
            ask(make(memory, llm, MemoryMiddleware(strict=True)), "Where is the boat?", "u", face)
    assert [message.text for message in llm.calls[0]] == ["Where is the boat?"]
    assert len(llm.calls) == 1


@pytest.mark.parametrize("face", FACES)
def test_a_file_that_stays_locked_costs_the_recall_at_its_deadline(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("I don't know.")
    with unreadable(memory, apsw.BusyError("locked")):
        ask(make(memory, llm, MemoryMiddleware(deadline=0.05, remembers=False)), "Where is the boat?", face=face)
        with pytest.raises(StoreBusy):
            ask(make(memory, llm, MemoryMiddleware(deadline=0.05, strict=True)), "Where is the boat?", "u", face)
    assert blocks(llm.calls[0]) == []


@pytest.mark.parametrize("face", FACES)
def test_an_answer_is_not_lost_where_it_can_not_be_remembered_and_the_next_run_makes_up_for_it(
    memory: Memory, face: str, caplog: pytest.LogCaptureFixture
) -> None:
    llm = ScriptedChatModel.of("Sold!", "Indeed.")
    agent = make(memory, llm, MemoryMiddleware())
    with write_locked(memory):
        assert ask(agent, "I sold the boat.", face=face)["messages"][-1].text == "Sold!"
    assert "not remembered for now: StoreBusy" in caplog.messages
    assert texts(memory)[2:] == []
    ask(agent, "Really.", face=face)
    assert texts(memory)[2:] == ["I sold the boat.", "Sold!", "Really.", "Indeed."]


@pytest.mark.parametrize("face", FACES)
def test_strict_raises_where_it_can_not_be_remembered(memory: Memory, face: str, say: Say) -> None:
    llm = ScriptedChatModel.of()
    with write_locked(memory), pytest.raises(StoreBusy):
        ask(make(memory, llm, MemoryMiddleware(strict=True)), say("Hello?"), face=face)


@pytest.mark.parametrize("when", ["before the run", "within it"])
def test_a_closed_memory_is_a_mistake_of_the_program(open_memory: OpenMemory, say: Say, when: str) -> None:
    memory = open_memory(":memory:", plant=False)

    def closes(messages: list[Any]) -> str:
        memory.close()
        return "Hello."

    agent = make(memory, ScriptedChatModel.of(closes), MemoryMiddleware(), checkpointer=None)
    if when == "before the run":
        memory.close()
    with pytest.raises(StoreClosed):
        ask(agent, say("Hello?"))


def test_a_run_that_began_without_the_middleware_goes_on_with_it(memory: Memory) -> None:
    llm = ScriptedChatModel.of("In Trieste.")
    ask(make(memory, llm, interrupt_before=["model"]), "Where is the boat?")
    state = ask(make(memory, llm, MemoryMiddleware()), None)
    assert state["messages"][-1].text == "In Trieste."
    assert blocks(llm.calls[0]) == []
    assert texts(memory)[2:] == ["Where is the boat?", "In Trieste."]
