"""The write path: acceptance is the promise, the job goes on with it, and a failure loses nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from memgraph import Memory, Scope
from memgraph.errors import StoreBusy, StoreClosed
from memgraph.ledger import faults, jobs
from memgraph.records import Added
from memgraph.write_path import acceptance
from memgraph.write_path.acceptance import Request
from memgraph.writing.features import features
from support.fakes import BlockingEmbeddings, HashEmbeddings, NaNEmbeddings, RaisingEmbeddings, WrongDimension
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, Clock, found, query, texts, write_locked
from support.vfs import layer, open_through


def states(memory: Memory) -> list[tuple[str, str | None]]:
    return [(job["state"], job["error"]) for job in memory.doctor()["jobs"]]


def test_an_add_says_what_became_of_it(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    added = memory.add(["One.", "", "Two."], ADA)
    assert len(added.ids) == 2
    assert [(skip.index, skip.reason) for skip in added.skipped] == [(1, "empty")]
    assert (added.job, added.pending) == (None, 0)  # the job is done
    waiting = memory.add("Three.", ADA, background=True)
    assert (waiting.pending, isinstance(waiting.job, int)) == (1, True)
    memory.settle()


def test_without_an_embedder_the_job_waits_for_one(open_memory: OpenMemory) -> None:
    memory = open_memory(embedder=None)
    added = memory.add("One.", ADA)
    assert len(added.ids) == 1
    memory.settle()
    memory.close()
    again = open_memory(plant=False)
    again.settle()
    again.reindex()
    assert again.search("one", ADA).degraded == {}


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (RaisingEmbeddings, "ConnectionError"),
        (NaNEmbeddings, "not finite"),
        (WrongDimension, "dimension 65, expected 64"),
    ],
)
def test_a_failing_embedder_is_tried_again_later(
    kind: Any, why: str, open_memory: OpenMemory, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = kind(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.core.clock = clock = Clock()
    embedder.armed = True
    with caplog.at_level(logging.WARNING, "memgraph"):
        added = memory.add("One.", ADA)
    assert added.pending == 1
    assert any(why in record.getMessage() for record in caplog.records)
    assert states(memory) == [("retry", f"EmbedderUnavailable: {why}")]
    assert found(memory, "one") == ["One."]
    embedder.armed = False
    clock.tick(minutes=5)
    memory.settle(30)
    assert states(memory) == []
    assert memory.search("one", ADA).degraded == {}


def test_after_the_last_attempt_a_job_is_kept_as_failed(open_memory: OpenMemory) -> None:
    embedder = RaisingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.core.clock = clock = Clock()
    embedder.armed = True
    memory.add("One.", ADA)
    attempts = 1
    while states(memory)[0][0] != "failed":
        clock.tick(hours=1)
        attempts += run_next(memory)
    assert attempts <= jobs.MAX_ATTEMPTS
    assert states(memory) == [("failed", "EmbedderUnavailable: ConnectionError")]
    memory.settle(30)  # a failed job holds up nobody
    embedder.armed = False
    assert memory.add("Two.", ADA).pending == 0
    assert memory.reindex() == 1
    assert memory.search("one", ADA).degraded == {}


def run_next(memory: Memory) -> bool:
    return memory.live().wait(memory.indexing.run_next())


def test_a_job_that_was_put_off_holds_up_nobody_else(open_memory: OpenMemory) -> None:
    embedder = RaisingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    memory.core.clock = Clock()
    embedder.armed = True
    memory.add("One.", ADA)
    embedder.armed = False
    assert memory.add("Bob's.", BOB).pending == 0
    second = memory.add("Two.", ADA)  # behind its owner's first one, in order
    assert second.pending == 1
    assert sorted(found(memory, "one two")) == ["One.", "Two."]


def test_an_owners_jobs_run_in_order(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    before = len(embedder.documents)
    embedder.armed = True
    for n in range(4):
        memory.add(f"Number {n}.", ADA, background=True)
    assert embedder.entered.wait(30)
    embedder.release()
    memory.settle(30)
    assert [text for batch in embedder.documents[before:] for text in batch] == [f"Number {n}." for n in range(4)] or (
        [batch[-1].splitlines()[-1] for batch in embedder.documents[before:]] == [f"Number {n}." for n in range(4)]
    )


def test_a_turn_erased_while_it_is_embedded_stays_erased(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    embedder.armed = True
    [id] = memory.add("One.", ADA, background=True).ids
    assert embedder.entered.wait(30)
    memory.erase(id, ADA)
    embedder.release()
    memory.settle(30)
    assert query(
        memory, "select count(*) from vectors v join owners o using (owner) where o.key = ?", memory.core.owner_key(ADA)
    ) == [(0,)]
    assert memory.search("one", ADA) == []


def test_a_turn_whose_context_is_erased_meanwhile_is_embedded_without_it(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    [first] = memory.add("A zygomorphic flower.", ADA, thread_id="t").ids
    embedder.armed = True
    memory.add("Yes, twice!", ADA, thread_id="t", background=True)
    assert embedder.entered.wait(30)
    memory.erase(first, ADA)
    embedder.release()
    memory.settle(30)
    assert query(
        memory, "select before from vectors v join owners o using (owner) where o.key = ?", memory.core.owner_key(ADA)
    ) == [(None,)]
    assert embedder.documents[-1] == ["Yes, twice!"]


def test_a_lease_that_was_lost_writes_nothing(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", embedder=embedder)
    embedder.armed = True
    memory.add("One.", ADA, background=True)
    assert embedder.entered.wait(30)
    memory.core.ledger.submit(lambda c: c.execute("update outbox set fence = fence + 1")).result()
    embedder.release()
    memory.core.ledger.submit(lambda c: c.execute("update outbox set state = 'ready'")).result()
    memory.settle(30)
    assert memory.search("one", ADA).degraded == {}


def test_a_job_that_somebody_else_took_over_stores_no_vector(open_memory: OpenMemory) -> None:
    memory = open_memory(plant=False)
    memory.add("One.", ADA)
    now = memory.core.clock()

    def taken_over(connection: apsw.Connection) -> jobs.Job | None:
        connection.execute("delete from vectors")
        jobs.enqueue(connection, 1, 1, rows=[1], now=now)
        job = jobs.lease(connection, now)
        connection.execute("update outbox set fence = fence + 1")
        return job

    job = memory.core.ledger.submit(taken_over).result()
    assert job is not None
    assert memory.host.wait(memory.indexing.embed(job.owner, job.rows, job)) is False
    assert memory.core.ledger.submit(lambda c: c.execute("select count(*) from vectors").get).result() == 0


def test_a_write_to_a_locked_file_is_busy_and_nothing_is_stored(open_memory: OpenMemory, say: Say) -> None:
    memory = open_memory()
    with write_locked(memory), pytest.raises(StoreBusy, match="locked by another process or handle"):
        memory.add(say("One."), ADA)
    assert texts(memory) == []
    memory.add("Two.", ADA)
    assert texts(memory) == ["Two."]


def test_the_background_waits_for_a_locked_file(open_memory: OpenMemory, caplog: pytest.LogCaptureFixture) -> None:
    memory = open_memory()
    memory.add("One.", ADA)
    memory.live().wait(memory.core.ledger.write(enqueue))
    with write_locked(memory):

        async def wake() -> None:
            memory.drain.wake()
            while not any("background work waits" in record.getMessage() for record in caplog.records):
                await asyncio.sleep(0.001)

        memory.live().wait(wake(), timeout=30)
    memory.settle(30)
    assert states(memory) == []


def enqueue(connection: apsw.Connection) -> int:
    return jobs.enqueue(connection, 1, 1, rows=[1], now=0)


def test_closing_gives_an_unfinished_job_back_untried(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(embedder=embedder)
    embedder.armed = True
    memory.add("One.", ADA, background=True)
    assert embedder.entered.wait(30)
    memory.close()
    embedder.release()
    again = open_memory(embedder=None, plant=False)
    assert query(again, "select state, attempt from outbox where kind = 'index'") == [("ready", 0)]
    again.close()
    finished = open_memory(plant=False)
    finished.settle(30)
    assert finished.search("one", ADA).degraded == {}


def test_closing_while_somebody_settles(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(embedder=embedder)
    embedder.armed = True
    memory.add("One.", ADA, background=True)

    async def settle_and_close() -> None:
        task = asyncio.create_task(memory.asettle())
        while not embedder.entered.is_set():
            await asyncio.sleep(0.001)
        await memory.aclose()
        with pytest.raises((StoreClosed, asyncio.CancelledError)):
            await task

    asyncio.run(settle_and_close())


def _given_up(memory: Memory, text: str) -> None:
    """Hand a turn in, and give up waiting while it is on its way to the file."""
    request = Request([{"role": "user", "content": text}], ADA, append=True, background=True)

    async def give_up() -> None:
        task = asyncio.create_task(memory.writes.accept(request))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    memory.live().wait(give_up())


def test_what_its_caller_gave_up_is_stored_and_settle_waits_for_it(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    go_on = threading.Event()
    memory.core.ledger.submit(lambda _: go_on.wait(30))
    _given_up(memory, "The boat is sold.")
    with ThreadPoolExecutor(1) as pool:
        settled = pool.submit(memory.settle)
        with pytest.raises(TimeoutError):
            memory.settle(timeout=0.01)
        go_on.set()
        settled.result()
    assert texts(memory) == ["The boat is sold."]
    assert memory.search("boat", ADA).degraded == {}  # its job was done, too


def test_what_its_caller_gave_up_and_cannot_be_stored_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with layer() as made, open_through(made, tmp_path / "memory.db") as memory:
        go_on = threading.Event()
        memory.core.ledger.submit(lambda _: go_on.wait(30))
        _given_up(memory, "The boat is sold.")
        made.broken = apsw.FullError
        go_on.set()
        memory.settle()
        made.broken = None
        assert "what was handed in could not be stored: StoreFull" in caplog.messages
        assert texts(memory) == []


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """What acceptance waits for, in a thread, before it comes to the file."""
    event = threading.Event()

    def slow(*given: Any) -> Any:
        assert event.wait(60)
        return features(*given)

    monkeypatch.setattr(acceptance, "_INLINE", 0)
    monkeypatch.setattr(acceptance, "features", slow)
    return event


def test_what_was_given_up_is_stored_before_the_memory_closes(
    open_memory: OpenMemory, tmp_path: Path, go_on: threading.Event
) -> None:
    memory = open_memory(tmp_path / "memory.db", plant=False)
    _given_up(memory, "The boat is sold.")
    with ThreadPoolExecutor(1) as pool:
        closed = pool.submit(memory.close)
        with pytest.raises(TimeoutError):
            closed.result(timeout=0.1)
        go_on.set()
        closed.result()
    assert texts(open_memory(tmp_path / "memory.db", plant=False)) == ["The boat is sold."]


def test_what_closing_cuts_short_is_logged(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, go_on: threading.Event
) -> None:
    monkeypatch.setattr(acceptance, "_LAST_S", 0.01)
    memory = open_memory(":memory:", plant=False)
    _given_up(memory, "The boat is sold.")
    memory.close()
    go_on.set()
    assert "what was handed in could not be stored: CancelledError" in caplog.messages


def test_what_was_given_up_does_not_come_back_behind_an_erasure(
    open_memory: OpenMemory, go_on: threading.Event
) -> None:
    memory = open_memory(":memory:", plant=False)
    _given_up(memory, "The boat is sold.")
    with ThreadPoolExecutor(1) as pool:
        erased = pool.submit(memory.erase, "everything", ADA)
        with pytest.raises(TimeoutError):
            erased.result(timeout=0.1)
        go_on.set()
        assert erased.result().turns == 1
    memory.settle()
    assert texts(memory) == []


def test_a_second_close_of_background_work_does_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")

    async def wake_after_close() -> None:
        await memory.drain.close()
        memory.drain.wake()

    memory.live().wait(wake_after_close())


def test_a_large_batch_is_committed_in_steps(open_memory: OpenMemory) -> None:
    embedder = HashEmbeddings()
    memory = open_memory(":memory:", embedder=embedder)
    before = len(embedder.documents)
    memory.add([f"Number {n}." for n in range(150)], ADA)
    assert [len(batch) for batch in embedder.documents[before:]] == [64, 64, 22]
    assert memory.search("number", ADA).degraded == {}


def test_points_of_the_write_path_are_passed_in_order(open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory(":memory:")
    seen: list[str] = []
    monkeypatch.setattr(faults, "reached", seen.append)
    added = memory.add("One.", ADA)
    memory.erase(added.ids[0], ADA)
    order = ["accept.begin", "accept.written", "accept.committed", "job.leased", "job.embedded", "job.committed"]
    assert [point for point in seen if point in order] == order
    assert [point for point in seen if point.startswith("erase")] == [
        "erase.deleted",
        "erase.committed",
        "erase.truncated",
    ]


def test_an_error_of_ours_in_a_job_raises(open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory(":memory:")

    def fail(point: str) -> None:
        if point == "job.embedded":
            raise TypeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(faults, "reached", fail)
        with pytest.raises(TypeError, match="a mistake of ours"):
            memory.add("One.", ADA)
    assert texts(memory) == ["One."]  # what was acknowledged is there


def test_a_request_shows_no_message(canary: str) -> None:
    assert canary not in repr(Request(canary, ADA, thread_id="t"))


def test_finish_of_a_job_that_is_gone(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    added = memory.add("One.", Scope("ada"))
    gone = Added(added.ids, (), added.owner, added.seq, job=999, pending=1)
    assert memory.live().wait(memory.indexing.finish(gone)).pending == 0
