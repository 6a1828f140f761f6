"""`remember`: what is new among the state's messages becomes turns, and the mark follows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage

from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import InvalidScope
from memgraph.nodes import remember, retrieve
from memgraph.nodes.remember import write_graph
from memgraph.state import MemoryState
from memgraph.write_path.acceptance import Request
from support import crash
from support.fakes import BlockingEmbeddings, RaisingEmbeddings
from support.fixtures import OpenMemory, Say
from support.memories import ADA, Clock, chain, found, query, texts

ADA_SAYS = MemoryContext("ada")


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:")


def build(memory: Memory, **options: Any) -> Any:
    def agent(state: MemoryState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"I heard {len(state['messages'])}.")]}

    return chain(
        ("retrieve", retrieve()),
        ("agent", agent),
        ("remember", remember(**options)),
        store=memory.store,
        checkpointer=memory.checkpointer,
    )


def run(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def said(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def test_each_message_becomes_one_turn(memory: Memory) -> None:
    graph = build(memory)
    for text in ("One.", "Two.", "Three."):
        graph.invoke(said(text), run("t"), context=ADA_SAYS)
    assert texts(memory) == ["One.", "I heard 1.", "Two.", "I heard 3.", "Three.", "I heard 5."]
    assert {turn.thread_id for turn in memory.list(ADA).items} == {"t"}


def test_our_own_block_and_the_system_prompt_are_no_turns(memory: Memory) -> None:
    graph = build(memory)
    graph.invoke({"messages": [SystemMessage("Be kind."), HumanMessage("One.")]}, run("t"), context=ADA_SAYS)
    assert texts(memory) == ["One.", "I heard 2."]


def test_the_cause_is_kept_with_the_commit(memory: Memory) -> None:
    build(memory).invoke(said("One."), run("t"), context=ADA_SAYS)
    [(cause,)] = query(memory, "select cause from commits where kind = 'turns' and cause is not null")
    kept = json.loads(cause)
    assert kept["thread_id"] == "t"
    assert kept["checkpoint_id"]
    assert kept["task_id"]


# The mark


def test_both_nodes_write_the_mark(memory: Memory) -> None:
    label = memory.core.owner_label(ADA)
    only_read = chain(("retrieve", retrieve()), store=memory.store, checkpointer=memory.checkpointer)
    seq = memory.add("Before.", ADA).seq
    state = only_read.invoke(said("Hello?"), run("r"), context=ADA_SAYS)
    assert state["memory_seq"][label] >= seq
    written = build(memory).invoke(said("One."), run("t"), context=ADA_SAYS)
    [(last,)] = query(
        memory,
        "select max(c.seq) from commits c join owners o using (owner) where o.key = ? and kind = 'turns'",
        memory.core.owner_key(ADA),
    )
    assert written["memory_seq"] == {label: last}


def test_the_mark_is_exact_through_history_fork_and_replay(memory: Memory) -> None:
    graph = build(memory)
    label = memory.core.owner_label(ADA)
    for n in range(3):
        graph.invoke(said(f"Turn {n}."), run("t"), context=ADA_SAYS)
    ends = [state for state in graph.get_state_history(run("t")) if not state.next]
    marks = [state.values["memory_seq"][label] for state in ends]
    assert marks == sorted(marks, reverse=True)
    assert len(set(marks)) == 3
    for state, mark in zip(ends, marks, strict=True):  # what was remembered by then, and nothing later
        heard = [message.content for message in state.values["messages"]]
        rows = query(
            memory,
            "select text from turns t join owners o using (owner) where o.key = ? and t.seq <= ? order by row",
            memory.core.owner_key(ADA),
            mark,
        )
        assert [text.decode() for (text,) in rows] == heard

    middle = ends[1]
    forked = graph.update_state(middle.config, {"messages": [HumanMessage("Said in the fork.")]})
    assert graph.get_state(forked).values["memory_seq"] == middle.values["memory_seq"]
    graph.invoke(said("Another end."), forked, context=ADA_SAYS)
    after = graph.get_state(run("t")).values["memory_seq"][label]
    assert after > marks[0]
    assert texts(memory)[-3:] == ["Said in the fork.", "Another end.", "I heard 6."]

    replayed = graph.invoke(None, middle.config, context=ADA_SAYS)  # nothing is left to do there
    assert replayed["memory_seq"] == middle.values["memory_seq"]


def test_a_copied_thread_takes_the_mark_along_and_brings_nothing_new(memory: Memory) -> None:
    graph = build(memory)
    graph.invoke(said("One."), run("t"), context=ADA_SAYS)
    values = graph.get_state(run("t")).values
    graph.update_state(run("copy"), {"messages": values["messages"], "memory_seq": values["memory_seq"]})
    assert graph.get_state(run("copy")).values["memory_seq"] == values["memory_seq"]
    graph.invoke(said("Two."), run("copy"), context=ADA_SAYS)
    assert texts(memory) == ["One.", "I heard 1.", "Two.", "I heard 3."]


def test_replaying_from_before_remember_stores_nothing_twice(memory: Memory) -> None:
    graph = build(memory)
    graph.invoke(said("One."), run("t"), context=ADA_SAYS)
    before = next(state for state in graph.get_state_history(run("t")) if state.next == ("remember",))
    graph.invoke(None, before.config, context=ADA_SAYS)
    assert texts(memory) == ["One.", "I heard 1."]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_the_mark_in_every_durability_mode(memory: Memory, durability: str) -> None:
    graph = build(memory)
    state = graph.invoke(said("One."), run("t"), context=ADA_SAYS, durability=durability)
    assert graph.get_state(run("t")).values["memory_seq"] == state["memory_seq"]


# In the background


def test_in_the_background_words_are_found_at_once_and_settle_waits(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add("First of all.", ADA)
    embedder.armed = True
    graph = chain(("remember", remember(background=True)), store=memory.store)
    graph.invoke(said("I live in Lisbon."), context=ADA_SAYS)
    assert embedder.entered.wait(30)
    embedder.armed = False  # questions are answered, the batch of documents still blocks
    hits = memory.search("who lives in Lisbon", ADA)
    assert hits[0].text == "I live in Lisbon."
    assert hits.degraded == {"dense": "pending 1"}
    with pytest.raises(TimeoutError):
        memory.settle(0.01)
    embedder.release()
    memory.settle(30)
    assert memory.search("who lives in Lisbon", ADA).degraded == {}


def test_the_foreground_waits_for_the_vectors(memory: Memory) -> None:
    build(memory).invoke(said("I live in Lisbon."), run("t"), context=ADA_SAYS)
    assert query(memory, "select count(*) from outbox") == [(0,)]
    assert memory.search("Lisbon", ADA).degraded == {}


def test_a_failing_embedder_fails_no_agent(open_memory: OpenMemory) -> None:
    embedder = RaisingEmbeddings()
    memory = open_memory(":memory:", embedder=embedder)
    memory.core.clock = clock = Clock()
    state = build(memory).invoke(said("I live in Lisbon."), run("t"), context=ADA_SAYS)
    assert state["messages"][-1].content == "I heard 1."
    assert found(memory, "who lives in Lisbon")[0] == "The user lives in Lisbon."
    assert {job["state"] for job in memory.doctor()["jobs"]} == {"retry", "ready"}  # its fact's waits behind the turn's
    embedder.armed = False
    clock.tick(hours=1)
    memory.settle(30)
    assert memory.search("Lisbon", ADA).degraded == {}


# A caller without a checkpointer, who hands in the whole talk each time


TALK = ["I sold the boat.", "What did you get?", "A bicycle.", "Fair.", "I sold the boat."]


def _turn_by_turn(memory: Memory, config: Any, talk: list[str]) -> None:
    """Say every second message, each time with all that came before, as a server without threads does."""
    replies = iter(talk[1::2] + ["..."])

    def agent(state: MemoryState) -> dict[str, Any]:
        return {"messages": [AIMessage(next(replies))]}

    chat = chain(("recall", retrieve()), ("agent", agent), ("r", remember()), store=memory.store)
    roles = ["user", "assistant"] * len(talk)
    for count in range(1, len(talk) + 1, 2):
        history = [*zip(roles, talk[:count], strict=False)]
        state = chat.invoke({"messages": history}, config, context=ADA_SAYS)
        assert not any(f'"{text}"' in state["recalled"]["text"] for text in talk[:count]), "what is before the model"


@pytest.mark.parametrize("config", [{}, run("t")], ids=["no thread", "a thread"])
def test_history_that_comes_again_is_known(memory: Memory, config: Any) -> None:
    _turn_by_turn(memory, config, TALK)
    assert texts(memory) == [*TALK, "..."]


def test_the_same_words_in_another_talk_are_said_anew(memory: Memory) -> None:
    _turn_by_turn(memory, {}, ["I ran 5 km.", "Well done.", "Thanks."])
    _turn_by_turn(memory, {}, ["I ran 5 km."])
    assert texts(memory) == ["I ran 5 km.", "Well done.", "Thanks.", "...", "I ran 5 km.", "..."]


def test_erased_history_that_comes_again_stays_erased(memory: Memory) -> None:
    _turn_by_turn(memory, run("t"), TALK[:1])
    assert memory.erase("everything", ADA).turns == 2
    compiled = chain(("r", remember()), store=memory.store)
    history = [("user", "I sold the boat."), ("assistant", "..."), ("user", "Good night.")]
    compiled.invoke({"messages": history}, run("t"), context=ADA_SAYS)
    assert texts(memory) == ["Good night."]


# Errors and events


def test_a_malformed_thread_reaches_the_caller(memory: Memory, say: Say) -> None:
    compiled = chain(("r", remember()), store=memory.store)
    with pytest.raises(InvalidScope, match="thread_id"):
        compiled.invoke(said(say("x")), {"configurable": {"thread_id": " t"}}, context=ADA_SAYS)
    assert texts(memory) == []


NAIVE = {"said_at": "2026-01-01T00:00:00"}


@pytest.mark.parametrize(
    "odd",
    [
        AIMessage("Paid for.", name=""),
        AIMessage("Paid for.", name="n" * 257),
        AIMessage("Paid for.", additional_kwargs=NAIVE),
        AIMessage("Paid for.", additional_kwargs={"said_at": "tomorrow"}),
        AIMessage("Paid for.", additional_kwargs={"said_at": "2999-01-01T00:00:00Z"}),
        AIMessage("Paid for.", additional_kwargs={"said_at": 7}),
    ],
    ids=str,
)
def test_a_name_or_a_time_that_can_not_be_taken_costs_no_words(memory: Memory, odd: AIMessage) -> None:
    """A run must not end for them, and its thread would never be remembered again."""
    compiled = chain(("r", remember()), store=memory.store)
    compiled.invoke({"messages": [("user", "Well?"), odd]}, context=ADA_SAYS)
    turns = memory.list(ADA).items
    assert [(turn.text, turn.speaker) for turn in turns] == [("Well?", "user"), ("Paid for.", "assistant")]
    assert turns[1].said_at == turns[0].said_at


async def test_what_can_not_be_taken_at_all_is_passed_over_and_told(memory: Memory) -> None:
    compiled = chain(("r", remember()), store=memory.store)
    messages: list[BaseMessage] = [ChatMessage(content="Nobody's.", role=""), HumanMessage("Mine.")]
    told = [one async for one in compiled.astream({"messages": messages}, context=ADA_SAYS, stream_mode="custom")]
    assert [one["skipped"] for one in told if one["type"] == "memgraph.remember"] == [[[0, "malformed"]]]
    assert texts(memory) == ["Mine."]


async def test_a_custom_event_with_ids_only(memory: Memory) -> None:
    graph = build(memory)
    events = [
        event
        async for event in graph.astream(
            {"messages": [("user", "I live in Lisbon."), ("system", "s")]},
            run("t"),
            context=ADA_SAYS,
            stream_mode="custom",
        )
    ]
    [event] = [event for event in events if event["type"] == "memgraph.remember"]
    assert len(event["ids"]) == 2
    assert event["skipped"] == [[1, "system"]]
    assert event["pending"] == 0
    assert "Lisbon" not in json.dumps(event)


def test_the_write_path_is_a_graph_of_its_stages() -> None:
    assert {*write_graph().nodes} == {"accept", "index", "extract", "consolidate", "merge_graph"}


def test_a_state_without_messages_is_nothing_to_remember(memory: Memory) -> None:
    state = chain(("r", remember()), store=memory.store).invoke(cast(Any, {"recalled": {"text": ""}}), context=ADA_SAYS)
    assert list(state["memory_seq"].values()) == [0]


STRICT = """
import logging, warnings
warnings.simplefilter("error")
from memgraph import Memory, MemoryContext
from memgraph.nodes import remember, retrieve
from support.fakes import HashEmbeddings
from support.memories import chain
records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage())
logging.getLogger().addHandler(Keep(logging.WARNING))
with Memory.open(":memory:", embedder=HashEmbeddings()) as memory:
    nodes = ("retrieve", retrieve()), ("remember", remember())
    graph = chain(*nodes, store=memory.store, checkpointer=memory.checkpointer)
    run = {"configurable": {"thread_id": "t"}}
    for text in ("I live in Lisbon.", "Where do I live?"):
        graph.invoke({"messages": [("user", text)]}, run, context=MemoryContext("ada"))
    values = graph.get_state(run).values
    print(type(values["recalled"]).__name__, type(values["memory_seq"]).__name__, sorted(values["recalled"]))
    print(records)
"""


@pytest.mark.parametrize("strict", ["true", "false"])
def test_strict_msgpack_on_and_off(strict: str) -> None:
    done = crash.run(STRICT, env={"LANGGRAPH_STRICT_MSGPACK": strict}, check=True)
    assert done.lines == ["dict dict ['degraded', 'ids', 'text', 'trace_id']", "[]"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_add_inside_a_node_of_another_memorys_graph(
    memory: Memory, open_memory: OpenMemory, tmp_path: Path, durability: str
) -> None:
    """What a call is about is said by its arguments, not by the graph that happens to be around it."""
    other = open_memory(tmp_path / "other.db")

    def agent(state: MemoryState) -> dict[str, Any]:
        other.add("Kept elsewhere.", Scope("bob"))
        return {"messages": [AIMessage(str(len(other.search("kept elsewhere", Scope("bob")))))]}

    async def aagent(state: MemoryState) -> dict[str, Any]:
        await other.aadd("Kept elsewhere.", Scope("bob"))
        return {}

    graph = chain(("agent", agent), ("remember", remember()), store=memory.store, checkpointer=memory.checkpointer)
    graph.invoke(said("One."), run("t"), context=ADA_SAYS, durability=durability)
    assert texts(other, Scope("bob")) == ["Kept elsewhere."]
    assert texts(memory, Scope("bob")) == texts(other) == []
    assert texts(memory) == ["One.", "1"]
    again = chain(("agent", aagent), store=memory.store, checkpointer=memory.checkpointer)
    asyncio.run(again.ainvoke(said("One."), run("u"), context=ADA_SAYS, durability=durability))
    assert texts(other, Scope("bob")) == ["Kept elsewhere."] * 2


def test_the_write_path_in_its_sync_face(memory: Memory) -> None:
    """Whoever runs the graph by `invoke`, outside any node, gets the same."""
    graph: Any = write_graph().compile(checkpointer=False, store=memory.store)
    added = graph.invoke({"request": Request("One.", ADA, append=True)})["added"]
    assert (len(added.ids), added.pending) == (1, 0)
    assert texts(memory) == ["One."]
