"""Counts, not times: what a search and an add cost."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from memgraph import Memory, MemoryContext, Scope
from memgraph.nodes import retrieve
from support.fakes import HashEmbeddings
from support.fixtures import OpenMemory
from support.memories import ADA, NOW, chain, statements, written

MOST = 6
"""SQL statements a search."""


@pytest.fixture
def embedder() -> HashEmbeddings:
    return HashEmbeddings()


@pytest.fixture
def memory(open_memory: OpenMemory, embedder: HashEmbeddings) -> Memory:
    memory = open_memory(embedder=embedder)
    memory.add([f"Turn {n} about figs." for n in range(60)], ADA, thread_id="t")
    memory.search("warm", ADA)
    return memory


def test_sql_statements_of_a_warm_search(memory: Memory) -> None:
    with statements(memory) as seen:
        assert len(memory.search("figs", ADA)) == 10
    assert 1 <= len(seen) <= MOST, seen


def test_sql_statements_of_a_search_right_after_an_add(memory: Memory) -> None:
    memory.add("And about olives.", ADA, thread_id="t")
    with statements(memory) as seen:
        assert memory.search("olives", ADA)[0].text == "And about olives."
    assert len(seen) <= MOST, seen


def test_sql_statements_of_a_search_after_several_adds_in_new_places(memory: Memory) -> None:
    for n in range(20):
        memory.add(f"Olive {n}.", Scope("ada", session_id=f"s{n}"), thread_id=f"t{n}")
    with statements(memory) as seen:
        memory.search("olives", ADA)
    assert len(seen) <= MOST, seen


def test_sql_statements_of_a_filtered_and_a_shared_search(memory: Memory) -> None:
    memory.add("The team's figs.", Scope.shared())
    memory.search("figs", ADA, include_shared=True)
    with statements(memory) as seen:
        memory.search("figs", ADA, filter={"role": "user"})
    assert len(seen) <= MOST, seen
    with statements(memory) as seen:
        assert any(hit.text == "The team's figs." for hit in memory.search("team figs", ADA, include_shared=True))
    assert len(seen) <= MOST, seen  # two owners


@pytest.mark.parametrize(
    "filter",
    [
        {"said_after": NOW, "said_before": NOW},
        {"said_at": {"$gte": NOW}},
        {"speaker": {"$ne": "Ada"}, "thread_id": {"$nin": ["t", None]}},
        {"$or": [{"origin": "user"}, {"$not": {"session_id": {"$exists": True}}}]},
        {"metadata.n": {"$gt": 1}},
    ],
    ids=str,
)
def test_a_filter_on_columns_calls_python_for_no_row(memory: Memory, filter: dict[str, Any]) -> None:
    with statements(memory) as seen:
        memory.search("figs", ADA, filter=filter)
        memory.list(ADA, filter=filter)
    assert len(seen) > 1
    assert not any("matches(" in sql for sql in seen)


def test_a_filter_on_what_is_nested_calls_it_with_that_column_only(memory: Memory) -> None:
    with statements(memory) as seen:
        memory.list(ADA, filter={"metadata.a.b": 1, "speaker": "Ada"})
    assert [sql.count("matches(?, ifnull(t.metadata, '{}'))") for sql in seen if "matches(" in sql] == [1]


def test_a_search_writes_nothing_before_it_answers(memory: Memory) -> None:
    with written(memory) as seen:
        memory.search("figs", ADA)
    assert seen == []


def test_sql_statements_of_a_node(memory: Memory) -> None:
    graph = chain(("retrieve", retrieve()), store=memory.store, checkpointer=memory.checkpointer)
    run = {"configurable": {"thread_id": "t"}}
    graph.invoke({"messages": [("user", "figs")]}, run, context=MemoryContext("ada"))
    with statements(memory) as seen:
        graph.invoke({"messages": [("user", "figs again")]}, run, context=MemoryContext("ada"))
    assert len(seen) <= MOST, seen


def test_a_search_embeds_its_question_once(memory: Memory, embedder: HashEmbeddings) -> None:
    before = embedder.calls
    memory.search("who eats figs", ADA)
    memory.search("who eats figs", ADA)
    assert embedder.calls == before + 1


def test_an_add_embeds_its_turns_in_one_call(memory: Memory, embedder: HashEmbeddings) -> None:
    before = len(embedder.documents)
    memory.add([f"New turn {n}." for n in range(10)], ADA)
    assert len(embedder.documents) == before + 1
    assert len(embedder.queries) == 1  # the fixture's


def test_the_same_text_is_embedded_once(memory: Memory, embedder: HashEmbeddings) -> None:
    memory.add("Said twice.", ADA)
    before = embedder.calls
    memory.add("Said twice.", Scope("somebody else"))
    assert embedder.calls == before


def full_commits(seen: list[str]) -> int:
    """Count the commits that reach the disk, from the statements of a writer."""
    full = False
    count = 0
    for sql in seen:
        lowered = sql.lower()
        if "synchronous" in lowered:
            full = "full" in lowered
        elif lowered == "commit" and full:
            count += 1
    return count


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("turns", [1, 40])
def test_full_commits_of_an_add(memory: Memory, background: bool, turns: int) -> None:
    with written(memory) as seen:
        memory.add([f"Number {n}." for n in range(turns)], ADA, background=background)
        memory.settle()
    assert full_commits(seen) == 1


def test_commits_of_an_add_that_makes_facts(open_memory: OpenMemory) -> None:
    """The turns; a lease, their vectors; a lease each, draft, decision, facts; a lease, the vectors of those."""
    memory = open_memory(embedder=HashEmbeddings(), facts=True)
    with written(memory) as seen:
        memory.add({"role": "user", "content": "I live in Oslo.", "name": "Ada"}, ADA)
    assert len(memory.list(ADA, kind="fact").items) == 1
    assert [sql.lower() for sql in seen].count("commit") <= 11


def test_an_add_of_nothing_new_commits_nothing_durably(memory: Memory) -> None:
    with written(memory) as seen:
        memory.add("", ADA)
    assert seen == []


def test_waiting_adds_share_a_commit(memory: Memory) -> None:
    """The writer groups what waits: 16 users who add at once cost far less than 16 commits that reach the disk."""
    gate = threading.Event()
    memory.core.ledger.submit(lambda c: gate.wait(30))
    with_threads = [
        threading.Thread(target=memory.add, args=(f"Number {n}.", Scope(f"u{n}")), kwargs={"background": True})
        for n in range(16)
    ]
    seen: list[str] = []

    def note(_: object, sql: str, __: object) -> bool:
        seen.append(sql)
        return True

    for thread in with_threads:
        thread.start()
    writer = memory.core.ledger.writer
    while writer._queue.qsize() < 16:  # pyright: ignore[reportPrivateUsage]  # that all wait is the point
        gate.wait(0.001)
    connection = writer._connection  # pyright: ignore[reportPrivateUsage]  # its thread waits at the gate
    assert connection is not None
    connection.exec_trace = note
    gate.set()
    for thread in with_threads:
        thread.join(30)
    memory.settle()
    memory.core.ledger.submit(lambda c: setattr(c, "exec_trace", None), alone=True).result()
    assert 1 <= full_commits(seen) <= 2
