"""`retrieve`: what bears on the last user message; whatever of the outside fails is named, and the agent runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import apsw
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run

from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import EmbedderUnavailable, InvalidInput, StoreBusy, StoreClosed, StoreUnreadable
from memgraph.messages import BLOCK_MARK
from memgraph.nodes import remember, retrieve
from memgraph.ranking.budget import count_tokens
from support.fakes import (
    BlockingEmbeddings,
    FaultyEmbeddings,
    HashEmbeddings,
    NaNEmbeddings,
    RaisingEmbeddings,
    WrongDimension,
)
from support.fixtures import OpenMemory
from support.memories import ADA, NOW, Clock, chain, on_loop, texts, unreadable, write_locked

ADA_SAYS = MemoryContext("ada")


class Tracer(BaseTracer):
    """Keeps every run."""

    def __init__(self) -> None:
        super().__init__(_schema_format="original+chat")
        self.runs: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        """Keep nothing twice."""

    def _on_run_create(self, run: Run) -> None:
        self.runs.append(run)


def build(memory: Memory, **options: Any) -> Any:
    return chain(("retrieve", retrieve(**options)), store=memory.store)


def ask(memory: Memory, text: str, **options: Any) -> dict[str, Any]:
    state = build(memory, **options).invoke({"messages": [("user", text)]}, context=ADA_SAYS)
    recalled: dict[str, Any] = state["recalled"]
    return recalled


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(":memory:")
    memory.core.clock = Clock()
    memory.add(
        [
            {"role": "user", "content": "I moved to Lisbon.", "said_at": NOW - timedelta(days=20)},
            {"role": "user", "content": "The boat is in Trieste.", "said_at": NOW - timedelta(days=3)},
            {"role": "user", "content": "I like figs.", "said_at": NOW - timedelta(days=1)},
        ],
        ADA,
    )
    return memory


# What it writes


def test_what_recalled_is(memory: Memory) -> None:
    recalled = ask(memory, "Where is the boat?")
    assert list(recalled) == ["text", "ids", "degraded", "trace_id"]
    assert recalled["degraded"] == {}
    by_id = {turn.id: turn.text for turn in memory.list(ADA).items}
    assert by_id[recalled["ids"][0]] == "The boat is in Trieste."  # best first
    assert json.loads(json.dumps(recalled)) == recalled  # plain
    trace = memory.trace(recalled["trace_id"], ADA)
    assert [entry["id"] for entry in trace.hits][: len(recalled["ids"])] == recalled["ids"]


def test_the_block_is_chronological_with_dates(memory: Memory) -> None:
    text = ask(memory, "Where is the boat?")["text"]
    order = [text.index(said) for said in ("I moved to Lisbon.", "The boat is in Trieste.", "I like figs.")]
    assert order == sorted(order)
    assert "2026" in text


def test_nothing_known_is_an_empty_recall(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    recalled = ask(memory, "Where is the boat?")
    assert (recalled["text"], recalled["ids"], recalled["degraded"]) == ("", [], {})


@pytest.mark.parametrize("messages", [[], [AIMessage("I ask.")], [HumanMessage("")]])
def test_without_a_question_nothing_is_recalled(memory: Memory, messages: list[Any]) -> None:
    state = build(memory).invoke({"messages": messages}, context=ADA_SAYS)
    assert (state["recalled"]["text"], state["recalled"]["ids"]) == ("", [])


def test_the_last_user_message_is_the_question(memory: Memory) -> None:
    messages = [
        HumanMessage("Where is the boat?"),
        AIMessage("figs figs"),
        HumanMessage("Who likes figs?"),
        AIMessage("x"),
    ]
    state = build(memory, limit=1).invoke({"messages": messages}, context=ADA_SAYS)
    [id] = state["recalled"]["ids"]
    assert memory.get(id, ADA).text == "I like figs."


def test_a_summary_and_our_own_block_are_no_questions(memory: Memory) -> None:
    messages = [
        HumanMessage("Who likes figs?"),
        HumanMessage("Where is the boat?", additional_kwargs={"lc_source": "summarization"}),
        HumanMessage("Where is the boat?", additional_kwargs={BLOCK_MARK: "recalled"}),
    ]
    state = build(memory, limit=1).invoke({"messages": messages}, context=ADA_SAYS)
    [id] = state["recalled"]["ids"]
    assert memory.get(id, ADA).text == "I like figs."


def test_the_limit_and_the_budget(memory: Memory) -> None:
    assert len(ask(memory, "Where is the boat?", limit=2)["ids"]) == 2
    small = ask(memory, "Where is the boat?", budget_tokens=1)
    assert (small["text"], small["ids"]) == ("", [])
    reasons = {drop["reason"] for drop in memory.trace(small["trace_id"], ADA).drops}
    assert reasons == {"budget"}
    middle = ask(memory, "Where is the boat?", budget_tokens=120)
    assert 0 < count_tokens(middle["text"]) <= 120


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"limit": True}, {"limit": 2.5}, {"budget_tokens": 0}, {"deadline": 0}]
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        retrieve(**options)


def test_shared_memory_only_when_asked_for(memory: Memory) -> None:
    memory.add("The team meets on Mondays.", Scope.shared())
    assert "Mondays" not in ask(memory, "When does the team meet?")["text"]
    assert "Mondays" in ask(memory, "When does the team meet?", include_shared=True)["text"]


def test_what_the_model_sees_anyway_is_not_recalled(memory: Memory) -> None:
    graph = chain(
        ("retrieve", retrieve()), ("remember", remember()), store=memory.store, checkpointer=memory.checkpointer
    )
    here = {"configurable": {"thread_id": "t"}}
    graph.invoke({"messages": [("user", "I like olives.")]}, here, context=ADA_SAYS)
    state = graph.invoke({"messages": [("user", "What do I like?")]}, here, context=ADA_SAYS)
    assert "olives" not in state["recalled"]["text"]
    assert "figs" in state["recalled"]["text"]
    drops = memory.trace(state["recalled"]["trace_id"], ADA).drops
    assert {drop["reason"] for drop in drops} == {"in the conversation"}
    other = graph.invoke(
        {"messages": [("user", "What do I like?")]}, {"configurable": {"thread_id": "u"}}, context=ADA_SAYS
    )
    assert "olives" in other["recalled"]["text"]


def test_a_short_id_of_another_thread_is_another_message(memory: Memory) -> None:
    memory.add({"role": "user", "content": "I like olives.", "id": "1"}, ADA, thread_id="t")
    graph = chain(("retrieve", retrieve()), store=memory.store, checkpointer=memory.checkpointer)
    messages = [HumanMessage("Do I like olives?", id="1")]
    state = graph.invoke({"messages": messages}, {"configurable": {"thread_id": "u"}}, context=ADA_SAYS)
    assert "I like olives." in state["recalled"]["text"]


def test_dropped_as_present_is_made_up_for(memory: Memory) -> None:
    known = [HumanMessage(f"Olives, number {n}.", id=f"0193f2c4-7b1e-7c3a-{n:04}") for n in range(30)]
    memory.add(known, ADA, thread_id="t")
    state = build(memory, limit=2).invoke({"messages": [*known, HumanMessage("olives and figs")]}, context=ADA_SAYS)
    assert len(state["recalled"]["ids"]) == 2


# What it tells


async def test_a_named_run_and_an_event_with_decisions_by_id(memory: Memory, canary: str) -> None:
    memory.add(f"The password is {canary}.", ADA)
    tracer = Tracer()
    graph = build(memory, deadline=30)
    events = [
        event
        async for event in graph.astream(
            {"messages": [("user", "What is the password?")]},
            {"callbacks": [tracer]},
            context=ADA_SAYS,
            stream_mode="custom",
        )
    ]
    [run] = [cast(Any, run) for run in tracer.runs if run.name == "memgraph.retrieve"]
    assert run.inputs == {"limit": 20, "budget_tokens": 1_000, "deadline": 30}
    assert run.outputs is not None
    decided: dict[str, Any] = run.outputs
    assert set(decided) == {"trace_id", "degraded", "hits", "shown", "excerpted", "drops", "tokens"}
    assert [entry["rank"] for entry in decided["hits"]] == [1, 2, 3, 4]
    assert set(decided["hits"][0]) == {"id", "rank", "score", "arms", "boosts"}
    assert set(decided["hits"][0]["arms"]) >= {"dense", "lexical"}
    assert sorted(decided["shown"]) == sorted(entry["id"] for entry in decided["hits"])
    assert decided["tokens"] <= 1_000
    assert events == [{"type": "memgraph.retrieve", **decided}]
    for text in (canary, "password", "Lisbon", "figs"):
        assert text not in json.dumps([run.inputs, decided, events, run.extra, run.serialized], default=str)


def test_the_run_of_remember_shows_no_text_beyond_the_state(memory: Memory, canary: str) -> None:
    tracer = Tracer()
    chain(("r", remember()), store=memory.store).invoke(
        {"messages": [("user", f"My secret is {canary}.")]}, {"callbacks": [tracer]}, context=ADA_SAYS
    )
    ours = [cast(Any, run) for run in tracer.runs if run.name in {"memgraph.remember", "accept", "index"}]
    assert {run.name for run in ours} == {"memgraph.remember", "accept", "index"}
    for run in ours:
        assert canary not in repr((run.inputs, run.outputs, run.extra))


# What of the outside fails


@pytest.mark.parametrize(
    ("kind", "deadline", "why"),
    [
        (BlockingEmbeddings, 0.05, "deadline"),
        (RaisingEmbeddings, 30, "ConnectionError"),
        (NaNEmbeddings, 30, "not finite"),
        (WrongDimension, 30, "dimension 65, expected 64"),
    ],
)
@pytest.mark.parametrize("face", ["invoke", "ainvoke"])
def test_a_failing_embedder_is_named_and_words_are_found(
    kind: Callable[..., FaultyEmbeddings], deadline: float, why: str, face: str, open_memory: OpenMemory
) -> None:
    embedder = kind(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add(["I moved to Lisbon.", "The boat is in Trieste.", "I like figs."], ADA)
    embedder.armed = True
    graph = build(memory, deadline=deadline)
    given = {"messages": [("user", "Where is the boat?")]}
    if face == "invoke":
        state = graph.invoke(given, context=ADA_SAYS)
    else:
        state = asyncio.run(graph.ainvoke(given, context=ADA_SAYS))
    recalled = state["recalled"]
    assert recalled["degraded"] == {"dense": why}
    assert memory.get(recalled["ids"][0], ADA).text == "The boat is in Trieste."
    assert "The boat is in Trieste." in recalled["text"]
    trace = memory.trace(recalled["trace_id"], ADA)
    assert (trace.degraded, trace.arms) == ({"dense": why}, {"lexical": 3})
    embedder.armed = False
    if isinstance(embedder, BlockingEmbeddings):
        embedder.release()
    assert ask(memory, "Where is the boat now?", deadline=30)["degraded"] == {}


@pytest.mark.parametrize(
    ("kind", "deadline", "why"), [(BlockingEmbeddings, 0.05, "deadline"), (RaisingEmbeddings, 30, "ConnectionError")]
)
def test_strict_raises_where_an_embedder_fails(kind: Any, deadline: float, why: str, open_memory: OpenMemory) -> None:
    embedder = kind(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add("I like figs.", ADA)
    embedder.armed = True
    with pytest.raises(EmbedderUnavailable, match=f"took no part in the recall: {why}"):
        ask(memory, "Who likes olives?", deadline=deadline, strict=True)


@pytest.mark.parametrize(
    ("error", "raised"), [(apsw.IOError("disk I/O error"), StoreUnreadable), (apsw.BusyError("locked"), StoreBusy)]
)
def test_strict_raises_where_the_file_fails(memory: Memory, error: Exception, raised: type[Exception]) -> None:
    with unreadable(memory, error), pytest.raises(raised):
        ask(memory, "Who likes figs?", deadline=0.05, strict=True)


def test_strict_takes_what_waits_for_its_vector(open_memory: OpenMemory) -> None:
    embedder = RaisingEmbeddings()
    memory = open_memory(":memory:", embedder=embedder, plant=False)
    memory.add("I like figs.", ADA)
    with embedder.disarmed():
        assert ask(memory, "Who likes figs?", strict=True)["degraded"] == {"dense": "pending 1"}


async def test_a_blocked_embedder_stalls_nobody(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    await memory.aadd(["The boat is in Trieste."], ADA)
    embedder.armed = True
    ticks = 0

    async def ticker() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(ticker())
    asked = asyncio.create_task(build(memory).ainvoke({"messages": [("user", "Where is the boat?")]}, context=ADA_SAYS))
    while not embedder.entered.is_set():
        await asyncio.sleep(0)
    during = ticks
    assert texts(memory, Scope("nobody")) == []  # the memory's own loop is free, too
    assert [turn.text for turn in (await memory.alist(ADA)).items] == ["The boat is in Trieste."]
    while ticks <= during + 10:
        await asyncio.sleep(0)
    assert not asked.done()
    embedder.release()
    assert (await asked)["recalled"]["degraded"] == {}
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


def test_turns_that_wait_for_their_vectors_are_named(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add("I like figs.", ADA)
    embedder.armed = True
    memory.add("The boat is in Trieste.", ADA, background=True)
    assert embedder.entered.wait(30)
    embedder.armed = False
    recalled = ask(memory, "Where is the boat?", deadline=30)
    assert recalled["degraded"] == {"dense": "pending 1"}
    assert memory.get(recalled["ids"][0], ADA).text == "The boat is in Trieste."


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (apsw.BusyError("locked"), "StoreBusy"),
        (apsw.IOError("the disk"), "StoreUnreadable"),
        (apsw.CorruptError("damaged"), "StoreCorrupt"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_by_every_arm(memory: Memory, error: Exception, why: str) -> None:
    with unreadable(memory, error):
        state = await build(memory, deadline=0.05).ainvoke({"messages": [("user", "Where?")]}, context=ADA_SAYS)
    recalled = state["recalled"]
    assert recalled["degraded"] == {"dense": why, "lexical": why, "time": why}
    assert (recalled["text"], recalled["ids"], recalled["trace_id"]) == ("", [], "")
    assert state["memory_seq"] == {}  # nothing was read, so the mark says nothing
    assert (await build(memory).ainvoke({"messages": [("user", "Where?")]}, context=ADA_SAYS))["recalled"][
        "degraded"
    ] == {}


async def test_a_locked_file_stalls_nobody(memory: Memory) -> None:
    tries = 0

    def locked(_: apsw.Cursor, __: str, ___: Any) -> bool:
        nonlocal tries
        tries += 1
        raise apsw.BusyError("locked")

    reader = memory.core.ledger.reader
    on_loop(memory, lambda: setattr(reader, "exec_trace", locked))
    asked = asyncio.create_task(build(memory).ainvoke({"messages": [("user", "Where?")]}, context=ADA_SAYS))
    while tries <= 10:
        await asyncio.sleep(0)  # this loop turns, and memory's own
    assert not asked.done()
    on_loop(memory, lambda: setattr(reader, "exec_trace", None))
    assert (await asked)["recalled"]["degraded"] == {}


def test_a_file_locked_for_writing_is_read_all_the_same(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.add("The boat is in Trieste.", ADA)
    with write_locked(memory):
        recalled = ask(memory, "Where is the boat?")
    assert recalled["degraded"] == {}
    assert "Trieste" in recalled["text"]


def test_a_search_that_takes_too_long_is_given_up(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(*_: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(memory.reads, "search", forever)
    monkeypatch.setattr(sys.modules[retrieve.__module__], "_GRACE", 0.01)
    recalled = ask(memory, "Where is the boat?", deadline=0.01)
    assert recalled["degraded"] == dict.fromkeys(("dense", "lexical", "time"), "deadline")


def test_without_an_embedder_nothing_is_degraded(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None)
    memory.add("The boat is in Trieste.", ADA)
    assert ask(memory, "Where is the boat?")["degraded"] == {}


# A programming error still raises


def test_a_type_error_of_ours_raises(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.core.clock = lambda: "noon"  # type: ignore[assignment, return-value]  # the error
    with pytest.raises(TypeError):
        ask(memory, "Where is the boat?")
    memory.core.clock = Clock()
    monkeypatch.setattr(memory.core.ledger, "pepper", None)
    with pytest.raises(TypeError):
        ask(memory, "Where is the boat?")


def test_an_index_error_of_ours_raises(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(AttributeError):
        patch.setattr(memory.core, "cache", None)
        ask(memory, "Where is the boat?")


# Talk with an assistant


def test_a_long_reply_never_crowds_out_the_users_own_words(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    memory.add([("user", "My boat is in Trieste."), ("user", "The boat has a red sail.")], ADA)
    reply = " ".join(f"A boat in a harbour needs care of kind number {n}." for n in range(60))
    for n in range(4):
        memory.add([("assistant", f"About your boat, part {n}. {reply}")], ADA)
    recalled = ask(memory, "What do you know about my boat?", budget_tokens=500)
    assert "My boat is in Trieste." in recalled["text"]
    assert "The boat has a red sail." in recalled["text"]
    replies = ask(memory, "What did you tell me about kind number 41?")
    assert any(memory.get(id, ADA, kind="turn").role == "assistant" for id in replies["ids"])


def test_an_embedder_is_asked_once_a_question(open_memory: OpenMemory) -> None:
    embedder = HashEmbeddings()
    memory = open_memory(":memory:", embedder=embedder)
    memory.add("The boat is in Trieste.", ADA)
    ask(memory, "Where is the boat?")
    assert len(embedder.queries) == 1


async def test_use_after_close_raises_in_the_async_face_too(open_memory: OpenMemory) -> None:
    memory = open_memory()
    graph: Any = build(memory)
    memory.close()
    with pytest.raises(StoreClosed):
        await graph.ainvoke({"messages": [("user", "Where?")]}, context=MemoryContext("ada"))
