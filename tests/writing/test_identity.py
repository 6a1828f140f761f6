"""Which messages are new: each sentence of the rule is a test, and sequences are compared with a plain model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]  # its context is of no type
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from memgraph import Memory, MemoryContext, Scope, Turn
from memgraph.messages import BLOCK_MARK
from memgraph.nodes import remember
from memgraph.records import Added, Draft
from memgraph.writing.identity import UNIQUE_ID, digest, turn_keys
from support.fakes import ScriptedChatModel
from support.fixtures import OpenMemory
from support.memories import ADA, BOB, chain, matching, texts

LONG = "0193f2c4-7b1e-7c3a-9d52-0b6f2f0a1b2c"


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:", embedder=None, facts=False)  # turns alone are looked at here


def reasons(added: Added) -> list[str]:
    return [skip.reason for skip in added.skipped]


def turn_of(memory: Memory, id: str) -> Turn:
    found = memory.get(id, ADA)
    assert isinstance(found, Turn)
    return found


def user(text: str, id: str | None = None) -> HumanMessage:
    return HumanMessage(text, id=id)


def test_resending_a_message_changes_nothing(memory: Memory) -> None:
    messages = [user("I live in Lisbon.", LONG), AIMessage("Noted.", id=LONG + "2")]
    first = memory.add(messages, ADA, thread_id="t")
    again = memory.add(messages, ADA, thread_id="t")
    assert len(first.ids) == 2
    assert (again.ids, reasons(again), again.seq) == ((), ["known", "known"], first.seq)


def test_a_copied_or_forked_thread_brings_nothing_new(memory: Memory) -> None:
    messages = [user("I live in Lisbon.", LONG), user("And I like it.", LONG + "2")]
    memory.add(messages, ADA, thread_id="t")
    copied = memory.add([*messages, user("Not any more.", LONG + "3")], ADA, thread_id="fork")
    assert reasons(copied) == ["known", "known"]
    assert texts(memory) == ["I live in Lisbon.", "And I like it.", "Not any more."]


def test_the_thread_of_a_message_with_an_id_is_an_attribute(memory: Memory) -> None:
    [id] = memory.add(user("I live in Lisbon.", LONG), ADA, thread_id="t").ids
    assert turn_of(memory, id).thread_id == "t"
    assert memory.add(user("I live in Lisbon.", LONG), ADA).ids == ()


def test_an_edited_message_replaces_the_old_turn(memory: Memory) -> None:
    [old] = memory.add(user("I live in Oslo.", LONG), ADA, thread_id="t").ids
    [new] = memory.add(user("I live in Lisbon.", LONG), ADA, thread_id="t").ids
    assert turn_of(memory, new).replaces == old
    assert turn_of(memory, old).superseded_at == turn_of(memory, new).recorded_at
    assert turn_of(memory, old).text == "I live in Oslo."  # never rewritten
    assert texts(memory) == ["I live in Lisbon."]
    assert [hit.text for hit in memory.search("I live in Oslo", ADA)] == ["I live in Lisbon."]


def test_an_edit_in_another_thread_replaces_nothing(memory: Memory) -> None:
    memory.add(user("I live in Oslo.", LONG), ADA, thread_id="t")
    [new] = memory.add(user("I live in Lisbon.", LONG), ADA, thread_id="fork").ids
    assert turn_of(memory, new).replaces is None
    assert len(texts(memory)) == 2


def test_the_latest_edit_is_the_one_that_is_replaced(memory: Memory) -> None:
    ids = [memory.add(user(f"Version {n}.", LONG), ADA, thread_id="t").ids[0] for n in range(3)]
    assert [turn_of(memory, id).replaces for id in ids] == [None, ids[0], ids[1]]
    assert texts(memory) == ["Version 2."]


@pytest.mark.parametrize("id", ["1", "m2", "x" * (UNIQUE_ID - 1)])
def test_a_short_id_is_unique_in_its_thread_only(memory: Memory, id: str) -> None:
    memory.add(user("Hello.", id), ADA, thread_id="t")
    assert memory.add(user("Hello.", id), ADA, thread_id="t").ids == ()
    assert len(memory.add(user("Hello.", id), ADA, thread_id="other").ids) == 1


def test_an_id_of_sixteen_characters_is_unique_everywhere(memory: Memory) -> None:
    memory.add(user("Hello.", "x" * UNIQUE_ID), ADA, thread_id="t")
    assert memory.add(user("Hello.", "x" * UNIQUE_ID), ADA, thread_id="other").ids == ()
    assert len(memory.add(user("Hello.", "x" * UNIQUE_ID), BOB).ids) == 1  # of one owner, that is


def test_without_an_id_thread_role_text_and_count_are_the_key(memory: Memory) -> None:
    memory.add([("user", "yes"), ("ai", "yes"), ("user", "yes")], ADA, thread_id="t")
    assert texts(memory) == ["yes", "yes", "yes"]  # said twice is two turns
    again = memory.add([("user", "yes"), ("ai", "yes"), ("user", "yes"), ("user", "yes")], ADA, thread_id="t")
    assert reasons(again) == ["known"] * 3
    assert len(again.ids) == 1
    assert len(memory.add(("user", "yes"), ADA, thread_id="other").ids) == 1


def test_the_count_starts_anew_with_each_list(memory: Memory) -> None:
    memory.add(("user", "yes"), ADA, thread_id="t")
    assert reasons(memory.add(("user", "yes"), ADA, thread_id="t")) == ["known"]  # no watermark


def test_add_without_thread_and_id_always_appends(memory: Memory) -> None:
    for _ in range(3):
        assert len(memory.add("I like figs.", ADA).ids) == 1
    assert texts(memory) == ["I like figs."] * 3


def test_an_idempotency_key_names_the_call(memory: Memory) -> None:
    first = memory.add(["one", "two"], ADA, idempotency_key="import-7")
    again = memory.add(["one", "two"], ADA, idempotency_key="import-7")
    assert (len(first.ids), again.ids, reasons(again)) == (2, (), ["known", "known"])
    assert len(memory.add(["one", "two"], ADA, idempotency_key="import-8").ids) == 2
    assert len(memory.add(["one", "two"], BOB, idempotency_key="import-7").ids) == 2


def test_a_message_with_an_id_keeps_it_under_an_idempotency_key(memory: Memory) -> None:
    memory.add(user("one", LONG), ADA, idempotency_key="a")
    assert memory.add(user("one", LONG), ADA, idempotency_key="b").ids == ()


def test_parts_tell_messages_apart(memory: Memory) -> None:
    def picture(name: str) -> dict[str, object]:
        return {"role": "user", "content": ["look", {"type": "image", "url": f"https://example.org/{name}"}]}

    memory.add(picture("a.png"), ADA, thread_id="t")
    assert memory.add(picture("a.png"), ADA, thread_id="t").ids == ()
    assert len(memory.add(picture("b.png"), ADA, thread_id="t").ids) == 1


def test_what_is_never_a_turn_is_skipped_with_reasons(memory: Memory) -> None:
    added = memory.add(
        [
            SystemMessage("Be kind."),
            RemoveMessage(id=REMOVE_ALL_MESSAGES),
            HumanMessage("What was recalled.", additional_kwargs={BLOCK_MARK: "recalled"}),
            HumanMessage("What was said before.", additional_kwargs={"lc_source": "summarization"}),
            HumanMessage(""),
            user("I live in Lisbon.", LONG),
            user("I live in Lisbon.", LONG),
        ],
        ADA,
        thread_id="t",
    )
    assert reasons(added) == ["system", "removal", "memory block", "summary", "empty", "known"]
    assert [skip.index for skip in added.skipped] == [0, 1, 2, 3, 4, 6]
    assert texts(memory) == ["I live in Lisbon."]


def test_a_list_of_nothing_new_writes_nothing(memory: Memory) -> None:
    added = memory.add(SystemMessage("Be kind."), ADA)
    assert (added.ids, added.seq, added.job) == ((), 0, None)
    seq = memory.add("One.", ADA).seq
    assert memory.add([], ADA).seq == seq


def test_a_forgotten_turn_resent_is_known(memory: Memory) -> None:
    [id] = memory.add(user("I live in Oslo.", LONG), ADA, thread_id="t").ids
    memory.forget(id, ADA)
    assert reasons(memory.add(user("I live in Oslo.", LONG), ADA, thread_id="t")) == ["known"]
    assert texts(memory) == []


def test_an_erased_turn_resent_is_not_stored_again(memory: Memory) -> None:
    said = [user("I live in Oslo.", LONG), ("user", "At the harbour.")]
    added = memory.add(said, ADA, thread_id="t")
    memory.erase(list(added.ids), ADA)
    again = memory.add(said, ADA, thread_id="t")
    assert (again.ids, reasons(again)) == ((), ["erased", "erased"])
    assert texts(memory) == []


def test_an_erased_message_with_a_new_text_is_a_new_turn(memory: Memory) -> None:
    [id] = memory.add(user("I live in Oslo.", LONG), ADA, thread_id="t").ids
    memory.erase(id, ADA)
    [new] = memory.add(user("I live in Lisbon.", LONG), ADA, thread_id="t").ids
    assert turn_of(memory, new).replaces is None


def test_the_same_statement_said_again_is_a_turn_of_its_own(memory: Memory) -> None:
    memory.add(user("I live in Lisbon.", LONG), ADA, thread_id="t")
    assert len(memory.add(user("I live in Lisbon.", LONG + "2"), ADA, thread_id="t").ids) == 1


def test_summaries_of_a_long_talk_are_not_stored(memory: Memory) -> None:
    """An agent with LangChain's summarisation middleware: 30 turns of the user are stored, and no summary."""
    summariser = ScriptedChatModel.of(otherwise="zqsummary of what was said before")
    agent: Any = create_agent(
        ScriptedChatModel.of(otherwise="Noted."),
        middleware=[SummarizationMiddleware(summariser, trigger=("messages", 8), keep=("messages", 4))],
        context_schema=MemoryContext,
    )
    graph = chain(("agent", agent), ("remember", remember()), store=memory.store, checkpointer=memory.checkpointer)
    state: dict[str, Any] = {}
    asked = [f"This is number {n} of what I tell." for n in range(30)]
    for text in asked:
        state = graph.invoke(
            {"messages": [("user", text)]}, {"configurable": {"thread_id": "t"}}, context=MemoryContext("ada")
        )
    assert len(summariser.calls) > 3
    assert any(message.additional_kwargs.get("lc_source") for message in state["messages"])
    assert texts(memory, filter={"role": "user"}) == asked
    assert texts(memory, filter={"role": "assistant"}) == ["Noted."] * 30
    assert matching(memory, "zqsummary") == []


def test_summaries_are_passed_over_by_add_too(memory: Memory) -> None:
    agent: Any = create_agent(
        ScriptedChatModel.of(otherwise="Noted."),
        middleware=[
            SummarizationMiddleware(
                ScriptedChatModel.of(otherwise="a summary"), trigger=("messages", 8), keep=("messages", 4)
            )
        ],
        checkpointer=memory.checkpointer,
    )
    for n in range(30):
        state = agent.invoke({"messages": [("user", f"Number {n}.")]}, {"configurable": {"thread_id": "t"}})
        memory.add(state["messages"], ADA, thread_id="t")
    assert texts(memory, filter={"role": "user"}) == [f"Number {n}." for n in range(30)]


# Keys


def draft(text: str, id: str | None = None) -> Draft:
    return Draft(text=text, role="user", speaker="user", origin="user", index=0, message_id=id)


PART = st.none() | st.text(st.characters(exclude_categories=()), max_size=3)


@given(st.lists(PART, max_size=4), st.lists(PART, max_size=4))
def test_a_digest_tells_all_lists_of_parts_apart(one: list[str | None], other: list[str | None]) -> None:
    assert (digest(b"k", *one) == digest(b"k", *other)) is (one == other)
    assert digest(b"k", *one) != digest(b"other", *one)
    assert len(digest(b"k", *one)) == 16


def test_remember_knows_a_message_without_id_and_thread_by_its_text() -> None:
    [(key, *_)] = turn_keys(b"s", [draft("a")], thread_id=None, idempotency_key=None, append=False)
    assert key is not None
    assert turn_keys(b"s", [draft("a")], thread_id=None, idempotency_key=None, append=True) == [(None, None, None)]


# A model of the whole rule


@dataclass
class Modelled:
    text: str
    believed: bool = True
    replaces: int | None = None


@dataclass
class Model:
    """What the rule says, in plain Python, for one owner."""

    turns: list[Modelled | None] = field(default_factory=list["Modelled | None"])
    known: dict[tuple[object, ...], int] = field(default_factory=dict[tuple[object, ...], int])
    latest: dict[tuple[str | None, str], int] = field(default_factory=dict[tuple[str | None, str], int])

    def add(
        self, messages: list[tuple[str, str | None]], thread: str | None, call: str | None
    ) -> tuple[list[str], list[str]]:
        new: list[str] = []
        skipped: list[str] = []
        said: Counter[str] = Counter()
        for index, (text, id) in enumerate(messages):
            key: tuple[object, ...] | None
            if id is not None:
                key = ("id", None if len(id) >= 16 else thread, id, text)
            else:
                n = said[text]
                said[text] += 1
                if call is not None:
                    key = ("call", call, index)
                else:
                    key = None if thread is None else ("said", thread, text, n)
            if key is not None and key in self.known:
                skipped.append("erased" if self.turns[self.known[key]] is None else "known")
                continue
            at, replaces = len(self.turns), None
            if id is not None:
                before = self.latest.get((thread, id))
                if before is not None and (old := self.turns[before]) is not None and old.believed:
                    old.believed, replaces = False, before
                self.latest[thread, id] = at
            if key is not None:
                self.known[key] = at
            self.turns.append(Modelled(text, replaces=replaces))
            new.append(text)
        return new, skipped

    def erase(self, at: int) -> int:
        """Remove a turn with the earlier versions of its message. Returns how many went."""
        gone: list[int] = []
        following: int | None = at
        while following is not None and (turn := self.turns[following]) is not None:
            gone.append(following)
            following = turn.replaces
        for one in gone:
            self.turns[one] = None
        for left in self.turns:
            if left is not None and left.replaces in gone:
                left.replaces = None
        return len(gone)

    @property
    def believed(self) -> list[str]:
        return [turn.text for turn in self.turns if turn is not None and turn.believed]


IDS = st.sampled_from([None, None, "1", "2", LONG, LONG + "-b"])
MESSAGES = st.lists(st.tuples(st.sampled_from(["yes", "no", "perhaps"]), IDS), min_size=1, max_size=4)
ADDS = st.tuples(
    st.just("add"), MESSAGES, st.sampled_from([None, "t", "u"]), st.sampled_from([None, None, None, "call"])
)
CHANGES = st.tuples(st.sampled_from(["forget", "erase"]), st.integers(0, 30))
_users = count()


@pytest.fixture(scope="module")
def one_memory() -> Iterator[Memory]:
    with Memory.open(":memory:", embedder=None) as memory:
        yield memory


@given(st.lists(ADDS | ADDS | ADDS | CHANGES, max_size=8))
def test_any_sequence_does_what_the_model_says(one_memory: Memory, steps: list[tuple[object, ...]]) -> None:
    scope = Scope(f"user{next(_users)}")
    model = Model()
    ids: list[str] = []
    for step in steps:
        match step:
            case ("add", handed, thread, call):
                assert call is None or isinstance(call, str)
                messages = cast("list[tuple[str, str | None]]", handed)
                prefix = f"{scope.user_id}-"  # a thread belongs to one owner
                added = one_memory.add(
                    [{"role": "user", "content": text, "id": id} for text, id in messages],
                    scope,
                    thread_id=None if thread is None else f"{prefix}{thread}",
                    idempotency_key=call,
                )
                new, skipped = model.add(messages, thread if thread is None else str(thread), call)
                assert [one_memory.get(id, scope).text for id in added.ids] == new
                assert reasons(added) == skipped
                ids += added.ids
            case (str() as verb, int() as number) if model.turns:
                at = number % len(model.turns)
                turn = model.turns[at]
                if verb == "erase":
                    assert one_memory.erase(ids[at], scope).turns == model.erase(at)
                elif turn is not None and turn.believed:
                    one_memory.forget(ids[at], scope)
                    turn.believed = False
            case _:
                pass
        assert texts(one_memory, scope) == model.believed
