"""Runs of an agent with memory that are many at once, gone back to, cancelled, or on a file that can't be written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult

from memgraph import Memory, MemoryContext, Scope
from memgraph.agents import MemoryMiddleware, memory_tools
from memgraph.errors import StoreBusy, StoreFull
from support.agents import ADA_SAYS, FACES, ask, blocks, call, make
from support.fakes import ScriptedChatModel
from support.fixtures import OpenMemory, Say
from support.memories import ADA, in_threads, texts
from support.vfs import layer, open_through

T: dict[str, Any] = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(plant=False, facts=False)  # what is quoted are the turns themselves
    memory.add("My boat lies in Trieste.", ADA, thread_id="earlier")
    return memory


# Many at once


@pytest.mark.parametrize("face", FACES)
def test_a_batch(memory: Memory, face: str) -> None:
    agent = make(memory, ScriptedChatModel.of(otherwise="Yes."), MemoryMiddleware())
    given = [{"messages": [("user", f"Is boat {n} mine?")]} for n in range(6)]
    here: Any = [{"configurable": {"thread_id": f"t{n}"}} for n in range(6)]
    if face == "invoke":
        states = agent.batch(given, here, context=ADA_SAYS)
    else:
        states = asyncio.run(agent.abatch(given, here, context=ADA_SAYS))
    assert [state["messages"][-1].text for state in states] == ["Yes."] * 6
    said = [(turn.thread_id, turn.text) for turn in memory.list(ADA).items[1:]]
    assert sorted(said) == sorted((f"t{n}", text) for n in range(6) for text in (f"Is boat {n} mine?", "Yes."))


def test_threads_of_several_users_in_both_faces(memory: Memory) -> None:
    def answers(messages: list[BaseMessage]) -> Any:
        tool = messages[-1].type == "tool"
        return "Noted." if tool else call("save_memory", text=f"Noted: {messages[-1].text}")

    llm = ScriptedChatModel.of(*[answers] * 16)
    agent = make(memory, llm, MemoryMiddleware(), tools=memory_tools())

    def one(number: int) -> None:
        who = MemoryContext(f"u{number % 4}")
        ask(agent, f"Word {number}.", f"t{number}", FACES[number // 4], who)

    in_threads(8, one)
    for user in range(4):
        turns = memory.list(Scope(f"u{user}")).items
        expected = [
            (f"t{number}", text)
            for number in (user, user + 4)
            for text in (f"Word {number}.", f"Noted: Word {number}.", "Noted.")
        ]
        assert sorted((turn.thread_id, turn.text) for turn in turns) == sorted(expected)


# Going back


def _before_the_last_question(agent: Any) -> Any:
    """Return the checkpoint from which the second question's recall is still to come."""
    return next(saved for saved in agent.get_state_history(T) if saved.next == ("memgraph.before_model",))


@pytest.mark.parametrize("face", FACES)
def test_a_fork_with_an_edited_question_recalls_for_it_and_replaces_it(memory: Memory, face: str) -> None:
    memory.add("The mast is made of spruce.", ADA, thread_id="earlier")
    llm = ScriptedChatModel.of("Yes.", "In Trieste.", "Of spruce.")
    agent = make(memory, llm, MemoryMiddleware(limit=1))
    ask(agent, "Is it Monday?", face=face)
    ask(agent, "Where is my boat?", face=face)
    saved = _before_the_last_question(agent)
    edited = HumanMessage("Of what is the mast made?", id=saved.values["messages"][-1].id)
    fork = agent.update_state(saved.config, {"messages": [edited]})
    if face == "invoke":
        state = agent.invoke(None, fork, context=ADA_SAYS)
    else:
        state = asyncio.run(agent.ainvoke(None, fork, context=ADA_SAYS))
    assert [message.text for message in state["messages"]][2:] == ["Of what is the mast made?", "Of spruce."]
    assert "Trieste" in llm.calls[1][blocks(llm.calls[1])[0]].text
    assert "spruce" in llm.calls[2][blocks(llm.calls[2])[0]].text
    said = texts(memory)[2:]
    assert "Where is my boat?" not in said  # an edit replaces
    assert said.count("Of what is the mast made?") == 1


@pytest.mark.parametrize("face", FACES)
def test_a_replay_stores_what_was_said_no_second_time(memory: Memory, face: str) -> None:
    llm = ScriptedChatModel.of("Yes.", "In Trieste.", "In Trieste, still.")
    agent = make(memory, llm, MemoryMiddleware())
    ask(agent, "Is it Monday?", face=face)
    ask(agent, "Where is my boat?", face=face)
    here = _before_the_last_question(agent).config
    if face == "invoke":
        agent.invoke(None, here, context=ADA_SAYS)
    else:
        asyncio.run(agent.ainvoke(None, here, context=ADA_SAYS))
    assert blocks(llm.calls[1]) == blocks(llm.calls[2]) == [2]
    assert texts(memory)[1:] == ["Is it Monday?", "Yes.", "Where is my boat?", "In Trieste.", "In Trieste, still."]


# Cancelled


class Endless(ScriptedChatModel):
    """Says that it was called, and answers never."""

    called: Any = None

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.called.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_cancelled_run_has_stored_the_users_words_and_the_thread_goes_on(memory: Memory) -> None:
    endless = Endless(called=asyncio.Event())
    stuck = make(memory, endless, MemoryMiddleware())
    run = asyncio.create_task(stuck.ainvoke({"messages": [("user", "I sold the boat.")]}, T, context=ADA_SAYS))
    await endless.called.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [turn.text for turn in (await memory.alist(ADA)).items[1:]] == ["I sold the boat."]
    again = make(memory, ScriptedChatModel.of("Sold!"), MemoryMiddleware())
    await again.ainvoke({"messages": [("user", "Did you hear?")]}, T, context=ADA_SAYS)
    said = [turn.text for turn in (await memory.alist(ADA)).items[1:]]
    assert said == ["I sold the boat.", "Did you hear?", "Sold!"]


# A file that can't be written


@pytest.mark.parametrize("face", FACES)
def test_a_full_disk_costs_nothing_but_memory_and_the_next_run_makes_up_for_it(
    tmp_path: Path, face: str, say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    with layer() as made, open_through(made, tmp_path / "memory.db") as memory:
        memory.add("My boat lies in Trieste.", ADA, thread_id="earlier")
        memory.settle()
        llm = ScriptedChatModel.of(call("save_memory", text="A note."), "In Trieste.", "Yes.")
        agent = make(memory, llm, MemoryMiddleware(), tools=memory_tools())
        made.broken = apsw.FullError
        state = ask(agent, "Where is my boat?", face=face)
        assert "not remembered for now: StoreFull" in caplog.messages
        assert [message.text for message in state["messages"][2:]] == [
            "Memory can't be reached now (StoreFull).", "In Trieste.",
        ]  # fmt: skip
        assert [blocks(messages) for messages in llm.calls] == [[0], [0]]  # reading works
        with pytest.raises(StoreFull):
            ask(make(memory, llm, MemoryMiddleware(strict=True)), say("Where?"), "strict", face)
        made.broken = None
        ask(agent, "Is it old?", face=face)
        memory.settle()
        assert texts(memory)[1:] == ["Where is my boat?", "In Trieste.", "Is it old?", "Yes."]


@pytest.mark.parametrize("face", FACES)
def test_what_has_not_come_to_the_writer_by_the_deadline_is_stored_all_the_same(
    memory: Memory, face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(_: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(memory.writes, "accept", stuck)
    agent = make(memory, ScriptedChatModel.of("In Trieste."), MemoryMiddleware(deadline=0.05))
    ask(agent, "Where is my boat?", face=face)
    memory.settle()
    assert texts(memory)[1:] == ["Where is my boat?", "In Trieste."]


@pytest.mark.parametrize("face", FACES)
def test_somebody_who_holds_the_write_lock_is_waited_for_no_longer_than_the_deadline(
    memory: Memory, face: str, say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    memory.core.ledger.submit(lambda c: c.set_busy_timeout(60_000), alone=True).result()
    memory.search(say("Hm?"), ADA)  # known by now: it needs no embedder
    agent = make(memory, ScriptedChatModel.of("In Trieste."), MemoryMiddleware(deadline=0.05))
    other = apsw.Connection(memory.core.ledger.path)
    other.set_busy_timeout(60_000)  # the background may be writing
    try:
        other.execute("begin immediate")
        ask(agent, "Where is my boat?", face=face)
        # The writer is more patient than the middleware.
        late = [message for message in caplog.messages if "not on the disk after 0.05 s" in message]
        assert len(late) == 2
        with pytest.raises(StoreBusy, match="within 0.05 s"):
            ask(
                make(memory, ScriptedChatModel.of(), MemoryMiddleware(deadline=0.05, strict=True)),
                say("Hm?"),
                "u",
                face,
            )
    finally:
        other.close()
    memory.settle()  # what was late is stored without a next run
    assert texts(memory)[1:3] == ["Where is my boat?", "In Trieste."]
    ask(make(memory, ScriptedChatModel.of("Yes."), MemoryMiddleware(deadline=30)), "Is it old?", face=face)
    said = [turn.text for turn in memory.list(ADA).items if turn.thread_id == "t"]
    assert said == ["Where is my boat?", "In Trieste.", "Is it old?", "Yes."]
