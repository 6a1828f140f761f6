"""The read path: arms, masks, the join back to the ledger, traces."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apsw
import numpy as np
import pytest

from memgraph import Memory, Scope
from memgraph.errors import NotFound, ScopeDenied, StoreBusy
from memgraph.ledger import traces
from memgraph.projections.cache import OwnerIndex
from memgraph.writing.identity import place_of
from support.fakes import BlockingEmbeddings, HashEmbeddings, NaNEmbeddings
from support.fixtures import OpenMemory
from support.memories import ADA, BOB, Clock, found, in_threads, on_loop, query, unreadable


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:")


def test_every_hit_is_joined_back_to_the_ledger(memory: Memory) -> None:
    """An index that is behind makes a search poorer, never wrong: it returns nothing that was erased or withdrawn."""
    ids = memory.add(["Fig one.", "Fig two.", "Fig three."], ADA).ids
    assert len(memory.search("fig", ADA)) == 3
    core = memory.core

    def behind_its_back(connection: apsw.Connection) -> None:
        connection.execute("delete from turns where text = ?", (b"Fig one.",))
        connection.execute("update turns set superseded_at = 5 where text = ?", (b"Fig two.",))

    core.ledger.submit(behind_its_back).result()
    hits = memory.search("fig", ADA)
    assert [hit.text for hit in hits] == ["Fig three."]
    drops = list(memory.trace(hits.trace_id, ADA).drops)
    assert {drop["reason"] for drop in drops} == {"erased", "no longer believed"}
    assert {"id": ids[1], "reason": "no longer believed"} in drops


def test_a_stale_agent_mask_lets_nothing_through(memory: Memory) -> None:
    memory.add("The planner's fig.", Scope("ada", agent_id="planner"))
    memory.add("Everybody's fig.", ADA)
    critic = Scope("ada", agent_id="critic")
    assert found(memory, "fig", critic) == ["Everybody's fig."]
    held = on_loop(memory, lambda: [*memory.core.cache.held._kept.values()])  # pyright: ignore[reportPrivateUsage]  # an index gone wrong
    for index in held:
        assert isinstance(index, OwnerIndex)
        public = next((number for number, names in index.places.items() if names[2] is None), None)
        if public is not None:
            index.place = np.full_like(index.place, public)
    assert found(memory, "fig", critic) == ["Everybody's fig."]


def test_another_owners_rows_are_never_joined(memory: Memory) -> None:
    memory.add([f"Ada's fig {n}." for n in range(5)], ADA)
    memory.add([f"Bob's fig {n}." for n in range(5)], BOB)
    assert {text[:3] for text in found(memory, "fig")} == {"Ada"}
    assert {text[:3] for text in found(memory, "fig", BOB)} == {"Bob"}


def test_own_and_shared_memory_are_ranked_together(memory: Memory) -> None:
    memory.add([{"role": "user", "name": "Ada", "content": "I grow figs."}], ADA)
    memory.add([{"role": "user", "name": "Bob", "content": "The team's zygomorphic flower."}], Scope.shared())
    hits = memory.search("zygomorphic flower", ADA, include_shared=True)
    assert [hit.text for hit in hits] == ["The team's zygomorphic flower.", "I grow figs."]
    assert memory.trace(hits.trace_id, ADA).arms == {"dense": 2, "lexical": 2}
    filtered = memory.search("flower", ADA, include_shared=True, filter={"speaker": "Ada"})
    assert [hit.text for hit in filtered] == ["I grow figs."]


def test_a_user_without_data_of_their_own_sees_the_teams(memory: Memory) -> None:
    memory.add("The team's figs.", Scope.shared())
    nobody = Scope("nobody")
    hits = memory.search("figs", nobody, include_shared=True)
    assert [hit.text for hit in hits] == ["The team's figs."]
    assert [entry["id"] for entry in memory.trace(hits.trace_id, nobody).hits] == [hits[0].id]


def test_one_owner_with_vectors_and_one_without(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    memory.add("The team's figs.", Scope.shared())
    memory.add("My figs.", ADA)
    memory.core.ledger.submit(
        lambda c: c.execute("delete from vectors where owner = (select max(owner) from owners)")
    ).result()
    memory.core.cache.held.clear()
    hits = memory.search("figs", ADA, include_shared=True)
    assert len(hits) == 2
    assert hits.degraded == {"dense": "pending 1"}


def test_every_turn_pending_is_named(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=NaNEmbeddings(), plant=False)
    memory.core.clock = Clock()
    memory.add(["Fig.", {"role": "user", "content": [{"type": "image", "url": "u"}]}], ADA)
    hits = memory.search("fig", ADA)
    assert hits[0].text == "Fig."
    assert hits.degraded == {"dense": "pending 1"}  # a picture without words has nothing to embed


def test_a_broken_answer_to_a_question_degrades(open_memory: OpenMemory) -> None:
    embedder = NaNEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add("I like figs.", ADA)
    embedder.armed = True
    hits = memory.search("figs", ADA)
    assert (hits[0].text, hits.degraded) == ("I like figs.", {"dense": "not finite"})


def test_what_somebody_waits_for_has_a_deadline(unhurried: dict[str, float]) -> None:
    assert unhurried == {
        "retrieve": 0.5,
        "MemoryMiddleware.__init__": 0.5,
        "memory_tools": 5.0,
        "Memory.asearch": 5.0,
    }


def test_a_file_locked_beyond_the_deadline_is_busy(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    with unreadable(memory, apsw.BusyError("locked")), pytest.raises(StoreBusy, match="try again"):
        memory.search("figs", ADA, deadline=0.01)


def test_a_lock_that_goes_is_waited_for(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    left = [3]

    def fail(_: apsw.Cursor, __: str, ___: Any) -> bool:
        if left[0]:
            left[0] -= 1
            raise apsw.BusyError("locked")
        return True

    reader = memory.core.ledger.reader
    on_loop(memory, lambda: setattr(reader, "exec_trace", fail))
    assert found(memory, "figs") == ["I like figs."]
    on_loop(memory, lambda: setattr(reader, "exec_trace", None))
    assert left == [0]


def test_a_question_of_any_shape(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    for text in ("?", "the of and", "\0", "\ud800 figs", "x" * 100_000, "(((", "'; drop table turns; --", "\u202e"):
        assert len(memory.search(text, ADA)) == 1


def test_as_of_moves_now_for_the_question_too(memory: Memory) -> None:
    clock = Clock()
    memory.core.clock = clock
    memory.add("I ate a fig.", ADA)
    clock.tick(days=400)
    memory.add("I ate an olive.", ADA)
    assert [hit.text for hit in memory.search("what did I eat today", ADA, as_of=clock.at - clock_span(400))] == [
        "I ate a fig."
    ]


def clock_span(days: int) -> Any:
    from datetime import timedelta

    return timedelta(days=days)


# Traces


def test_traces_are_written_off_the_searchs_path_and_kept_in_number(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "KEEP", 5)
    memory.add("I like figs.", ADA)
    ids = [memory.search("figs", ADA).trace_id for _ in range(12)]
    memory.trace(ids[-1], ADA)
    [(count,)] = query(memory, "select count(*) from traces")
    assert count <= 6
    assert memory.trace(ids[-2], ADA).id == ids[-2]
    with pytest.raises(NotFound):
        memory.trace(ids[0], ADA)


def test_traces_that_wait_are_written_at_the_end(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.add("I like figs.", ADA)
    trace_id = memory.search("figs", ADA).trace_id
    memory.close()
    again = open_memory(plant=False)
    assert again.trace(trace_id, ADA).hits[0]["rank"] == 1


def test_traces_are_written_without_anybody_asking(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    memory.search("figs", ADA)

    async def written() -> None:
        while query_here(memory, "select count(*) from traces") == [(0,)]:
            await asyncio.sleep(0.01)

    memory.live().wait(written(), timeout=30)


def query_here(memory: Memory, sql: str) -> list[tuple[Any, ...]]:
    return memory.core.ledger.reader.execute(sql).fetchall()


def test_a_blank_question_has_a_trace_as_well(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    trace = memory.trace(memory.search(" ", ADA).trace_id, ADA)
    assert (trace.hits, trace.drops, trace.arms) == ([], [], {})


# Threads


def check(memory: Memory, thread: str, scope: Scope) -> None:
    memory.live().wait(memory.reads.check_thread(thread, scope, patience=5.0))
    memory.core.ledger.submit(lambda c: None).result()


def test_the_owner_of_a_thread_is_remembered(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memgraph.read_path.search._THREADS", 3)
    for n in range(8):
        check(memory, f"t{n}", ADA)
        check(memory, f"t{n}", ADA)
        check(memory, f"t{n}", ADA)
    for n in range(8):
        with pytest.raises(ScopeDenied):
            check(memory, f"t{n}", BOB)


def test_two_who_claim_a_thread_at_once(memory: Memory) -> None:
    outcomes: list[str] = []

    def claim(number: int) -> None:
        scope = Scope(f"u{number}")
        check(memory, "t", scope)
        try:
            check(memory, "t", scope)
            outcomes.append(scope.user_id or "")
        except ScopeDenied:
            pass

    in_threads(4, lambda n: _quietly(claim, n))
    assert len(outcomes) == 1


def _quietly(work: Any, number: int) -> None:
    try:
        work(number)
    except ScopeDenied:
        pass


def test_the_same_embedder_serves_many_searches(memory: Memory) -> None:
    memory.add("I like figs.", ADA)
    assert in_threads(8, lambda n: found(memory, f"figs {n}")) == [["I like figs."]] * 8
    assert isinstance(memory.core.embedder.model, HashEmbeddings)  # type: ignore[union-attr]  # there is one


def test_a_search_that_waits_is_not_disturbed_by_one_that_goes_on(open_memory: OpenMemory) -> None:
    """The first waits for the embedder while an add and a second search bring the owner's arrays up to date."""
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.add([f"Fig {n}." for n in range(5)], ADA)
    memory.search("a second question", ADA)  # known by now: it needs no embedder
    embedder.armed = True
    with ThreadPoolExecutor() as pool:
        first = pool.submit(memory.search, "fig", ADA, deadline=30.0)
        assert embedder.entered.wait(30)
        memory.add("Fig 5.", ADA, background=True)
        assert len(memory.search("a second question", ADA)) == 6
        embedder.release()
        hits = first.result(30)
    assert 5 <= len(hits) <= 6
    assert len({hit.id for hit in hits}) == len(hits)
    assert all(hit.text.startswith("Fig") for hit in hits)


def test_a_search_that_waits_returns_nothing_erased_meanwhile(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    ids = memory.add([f"Fig {n}." for n in range(5)], ADA).ids
    memory.search("a second question", ADA)
    embedder.armed = True
    with ThreadPoolExecutor() as pool:
        first = pool.submit(memory.search, "fig", ADA, deadline=30.0)
        assert embedder.entered.wait(30)
        memory.erase(list(ids[:3]), ADA)
        memory.forget(ids[3], ADA)
        memory.search("a second question", ADA, deadline=0.01)
        embedder.release()
        hits = first.result(30)
    assert [hit.text for hit in hits] == ["Fig 4."]


def test_without_an_embedder_what_no_word_meets_is_no_hit(open_memory: OpenMemory) -> None:
    memory = open_memory(plant=False, embedder=None)
    memory.add("I keep bees.", ADA, thread_id="one")
    memory.add("My sister sings.", ADA, thread_id="another")
    assert [hit.text for hit in memory.search("bees", ADA)] == ["I keep bees."]
    assert memory.search("zither", ADA) == []


def test_without_an_embedder_a_long_reply_that_meets_every_word_is_found(open_memory: OpenMemory) -> None:
    memory = open_memory(plant=False, embedder=None)
    filler = " ".join(f"word{i}" for i in range(350))
    turns = [{"role": "user", "content": f"I said number {i} about gardens and weather."} for i in range(30)]
    memory.add([*turns, {"role": "assistant", "content": f"Quinces ripen late in October. {filler}"}], ADA)
    assert memory.search("when do quinces ripen", ADA, limit=5)[0].role == "assistant"


def test_a_long_thread_costs_two_statements_to_read_back(open_memory: OpenMemory) -> None:
    memory = open_memory(plant=False)
    messages = [{"role": "user", "content": f"Figs, day {i}.", "id": f"message-number-{i:04}"} for i in range(120)]
    memory.add(messages, ADA, thread_id="t")
    memory.search("figs", ADA)
    seen: list[str] = []
    reader = memory.core.ledger.reader

    def note(_: object, sql: str, __: object) -> bool:
        seen.append(sql)
        return True

    reader.exec_trace = note
    present = frozenset(place_of(message["id"], "t") for message in messages[1:])
    try:
        hits, _ = memory.host.wait(memory.find("figs", ADA, 20, None, None, None, False, 5.0, present))
    finally:
        reader.exec_trace = None
    assert [hit.text for hit in hits] == ["Figs, day 0."]
    assert len(seen) <= 6
