"""Erasure: what was erased is nowhere, and stays so; what was not is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory, Scope
from memgraph.errors import InvalidInput, NotFound, StoreBusy
from memgraph.ledger import faults, indexes
from support import crash
from support.fakes import HashEmbeddings, hash_vector
from support.fixtures import OpenMemory
from support.memories import ADA, BOB, found, query, texts
from support.scan import holding

SAID = [
    "The heron stood in the reeds.",
    "Zymurgy is what he studies \u2014 caf\u00e9.",
    "It flew off at noon.",
    "Then it rained.",
]
WORDS = ["Zymurgy", "caf\u00e9", "studies \u2014"]
OTHER = "An otter lives there, too."


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What to call at points of the write path, by the point's name."""
    calls: dict[str, Any] = {}

    def call(point: str) -> None:
        if (work := calls.pop(point, None)) is not None:
            work()

    monkeypatch.setattr(faults, "reached", call)
    yield calls


def fill(memory: Memory) -> list[str]:
    """Store the conversation in session "s" of Ada's, and the same text of Bob's."""
    memory.add([SAID[1], OTHER], BOB, thread_id="bob")
    in_session = Scope("ada", session_id="s")
    messages = [HumanMessage(text, id=f"message-with-a-unique-id-{n}") for n, text in enumerate(SAID)]
    return list(memory.add(messages, in_session, thread_id="t").ids)


def vector(memory: Memory, id: str) -> list[tuple[bytes, int | None]]:
    """Return the stored (vector, turn before) of a turn's parts."""
    return query(
        memory,
        "select vector, before from vectors v join turns t on t.owner = v.owner and t.row = v.row"
        " where lower(hex(t.id)) = ? order by part",
        id.replace("-", ""),
    )


def alone(text: str) -> bytes:
    """Return the vector of a text alone, as it is stored."""
    own = np.array(hash_vector(text, 64), np.float32)
    own /= np.linalg.norm(own)
    return indexes.pack(own)


@pytest.mark.parametrize("way", ["id", "ids", "session", "message", "everything"])
def test_what_is_erased_is_in_no_byte(
    open_memory: OpenMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    memory = open_memory()
    memory.add(OTHER, BOB)
    messages = [HumanMessage(text, id=f"message-with-a-unique-id-{n}") for n, text in enumerate(SAID)]
    ids = memory.add(messages, Scope("ada", session_id="s"), thread_id="t").ids
    memory.search("what does he study", ADA)
    assert holding([tmp_path], WORDS) != []
    what: Any = {
        "id": ids[1],
        "ids": [ids[1], ids[3]],
        "session": {"session_id": "s"},
        "message": {"message_id": "message-with-a-unique-id-1"},
        "everything": "everything",
    }[way]
    receipt = memory.erase(what, ADA)
    left = {"id": [0, 2, 3], "ids": [0, 2], "session": [], "message": [0, 2, 3], "everything": []}[way]
    assert receipt.turns == 4 - len(left)
    assert texts(memory) == [SAID[n] for n in left]
    assert holding([tmp_path], WORDS) == []
    memory.settle(60)
    assert holding([tmp_path], WORDS) == []
    # Asked for again, in every way.
    assert SAID[1] not in found(memory, "Zymurgy", limit=50)
    with pytest.raises(NotFound):
        memory.get(ids[1], ADA)
    # Another owner's are as they were.
    assert texts(memory, BOB) == [OTHER]
    assert found(memory, "otter", BOB) == [OTHER]
    # The same messages from the thread's history bring nothing back.
    again = memory.add(messages, Scope("ada", session_id="s"), thread_id="t")
    assert [skip.reason for skip in again.skipped] == ["known" if n in left else "erased" for n in range(4)]
    assert texts(memory) == [SAID[n] for n in left]
    memory.close()
    assert holding([tmp_path], WORDS) == []
    memory = open_memory(plant=False)
    assert texts(memory) == [SAID[n] for n in left]
    assert memory.add(messages, Scope("ada", session_id="s"), thread_id="t").ids == ()
    assert memory.doctor(deep=True)["integrity"] == []


def test_the_neighbour_is_embedded_again_alone(open_memory: OpenMemory) -> None:
    memory = open_memory()
    ids = fill(memory)
    [(before, context)] = vector(memory, ids[2])
    assert context is not None
    assert before != alone(SAID[2])
    untouched = [vector(memory, ids[0]), vector(memory, ids[3])]
    bobs = [vector(memory, turn.id) for turn in memory.list(BOB).items]
    receipt = memory.erase(ids[1], ADA)
    assert receipt.rebuilt == 1
    # At once, before the job: the old vector, made of the erased words, is gone.
    memory.settle(60)
    [(after, context)] = vector(memory, ids[2])
    # Its context is now the turn before the one that went.
    assert context == query(memory, "select row from turns where lower(hex(id)) = ?", ids[0].replace("-", ""))[0][0]
    assert after == alone(f"{SAID[0]}\n{SAID[2]}")
    assert [vector(memory, ids[0]), vector(memory, ids[3])] == untouched
    assert [vector(memory, turn.id) for turn in memory.list(BOB).items] == bobs
    memory.erase(ids[0], ADA)
    memory.settle(60)
    assert vector(memory, ids[2]) == [(alone(SAID[2]), None)]


def test_a_session_whose_word_stands_in_the_next_ones_part_is_found_nowhere(
    open_memory: OpenMemory, tmp_path: Path
) -> None:
    """Issue 3, section 2: the unique word sits in the pair of the next turn, which stays."""
    memory = open_memory()
    memory.add("My PIN is xerophyte.", Scope("ada", session_id="s"), thread_id="t")
    [kept] = memory.add("Yes, since May.", Scope("ada", session_id="s"), thread_id="t").ids
    [first] = [turn.id for turn in memory.list(ADA).items if turn.id != kept]
    memory.erase(first, ADA)
    memory.settle(60)
    hits = memory.search("xerophyte", ADA)
    assert [hit.text for hit in hits] == ["Yes, since May."]
    assert "lexical" not in hits[0].arms or hits[0].arms["lexical"].score == 0
    assert vector(memory, kept) == [(alone("Yes, since May."), None)]
    assert holding([tmp_path], ["xerophyte"]) == []


def test_the_receipt_tells_what_went(open_memory: OpenMemory) -> None:
    memory = open_memory()
    ids = fill(memory)
    trace = memory.search("heron", ADA).trace_id
    memory.trace(trace, ADA)
    tables = ("turns", "postings", "vectors", "traces", "places", "outbox")
    before = {table: query(memory, f"select count(*) from {table}")[0][0] for table in tables}
    seq = query(memory, "select seq from owners order by owner desc limit 1")[0][0]
    receipt = memory.erase(ids[:2], ADA)
    after = {table: query(memory, f"select count(*) from {table}")[0][0] for table in tables}
    assert receipt.turns == 2
    assert receipt.seq == seq + 1
    assert receipt.rebuilt == 1
    assert receipt.verified == "queries"
    assert dict(receipt.rows) == {"turns": 2, "postings": 2, "vectors": 2, "traces": 1, "places": 0, "outbox": 0}
    assert before["turns"] - after["turns"] == 2
    assert before["postings"] - after["postings"] == 2
    # A second time there is nothing left, and that is no error.
    again = memory.erase(ids[:2], ADA)
    assert (again.turns, again.rebuilt) == (0, 0)
    rest = memory.erase("everything", ADA)
    assert (rest.turns, rest.rows["places"]) == (2, 1)
    assert memory.list(ADA).items == ()
    assert len(memory.list(BOB).items) == 2


def test_traces_that_name_it_are_gone_also_those_not_yet_written(open_memory: OpenMemory) -> None:
    memory = open_memory()
    ids = fill(memory)
    written = memory.search("heron", ADA).trace_id
    memory.trace(written, ADA)
    bobs = memory.search("otter", BOB).trace_id
    unwritten = memory.search("reeds", ADA).trace_id
    memory.erase(ids[0], ADA)
    for trace in (written, unwritten):
        with pytest.raises(NotFound):
            memory.trace(trace, ADA)
    assert memory.trace(bobs, BOB).hits
    assert b"".join(body for (body,) in query(memory, "select body from traces")).decode().count(ids[0]) == 0


def test_traces_of_facts_that_it_says_are_gone(open_memory: OpenMemory) -> None:
    memory = open_memory()
    [said] = memory.add("I live in Lisbon.", ADA).ids
    hits = memory.search("Lisbon", ADA, kind="fact")
    assert [hit.evidence for hit in hits] == [(said,)]
    memory.erase(said, ADA)
    with pytest.raises(NotFound):
        memory.trace(hits.trace_id, ADA)


def test_a_search_that_is_under_way_leaves_no_trace_of_it(open_memory: OpenMemory, reached: dict[str, Any]) -> None:
    """It ranked and joined before the erasure, and its trace is handed over when the rows are gone."""
    memory = open_memory()
    ids = fill(memory)
    hits: list[Any] = []

    def search() -> None:
        # On the writer's thread, inside the erasing transaction: readers still see the turn.
        hits.append(memory.search("heron", ADA))
        memory.host.wait(_flush(memory))

    reached["erase.deleted"] = search
    memory.erase(ids[0], ADA)
    assert ids[0] in [hit.id for hit in hits[0]]
    with pytest.raises(NotFound):
        memory.trace(hits[0].trace_id, ADA)
    assert query(memory, "select count(*) from traces where instr(body, ?) > 0", ids[0]) == [(0,)]


async def _flush(memory: Memory) -> None:
    memory.reads.flush()


def test_an_old_snapshot_of_another_process_delays_it_and_calling_again_ends_it(
    open_memory: OpenMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = """
    import apsw
    connection = apsw.Connection(sys.argv[1])
    connection.execute("begin; select count(*) from turns").fetchall()
    print("READY")
    sys.stdin.readline()
    print(connection.execute("select count(*) from turns").get)
    connection.execute("commit")
    connection.close()
    """
    path = tmp_path / "memory.db"
    memory = open_memory(path)
    ids = fill(memory)
    memory.core.ledger.submit(lambda c: c.set_busy_timeout(50), alone=True).result()
    with crash.start(hold, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        with monkeypatch.context() as patch, pytest.raises(StoreBusy, match="call erase again"):
            patch.setattr("memgraph.write_path.maintenance._PATIENCE_S", 0.1)
            memory.erase(ids[1], ADA)
        # Erased from every query all the same; the neighbour is looked after; writing goes on.
        assert SAID[1] not in texts(memory)
        memory.settle(60)
        assert vector(memory, ids[2])[0][0] == alone(f"{SAID[0]}\n{SAID[2]}")
        memory.add("meanwhile", ADA)
        stdout, stderr = process.communicate("GO\n", timeout=120)
        assert process.returncode == 0, stderr
        assert int(stdout) == 7  # it saw what it began with, to the end
    receipt = memory.erase(ids[1], ADA)
    assert receipt.turns == 0
    memory.erase("everything", BOB)
    assert holding([tmp_path], WORDS) == []


@pytest.mark.parametrize("which", [0, 1, 2], ids=["before", "itself", "after"])
def test_an_erasure_amid_a_job_is_not_undone_by_it(
    open_memory: OpenMemory, tmp_path: Path, reached: dict[str, Any], which: int
) -> None:
    """The job has embedded the text and has yet to write; neither the row's vector nor its neighbour's pair comes."""
    memory = open_memory()
    said = ["The capercaillie drums.", "Indeed it does.", "Every spring."]
    memory = open_memory()
    other = open_memory(plant=False)
    ids: list[str] = []

    def erase() -> None:
        handle = other if memory.host.is_here else memory  # either may have taken the job
        ids.extend(turn.id for turn in handle.list(ADA).items)
        assert handle.erase(ids[which], ADA).turns == 1
        # What rebuilds the neighbour comes later, so that one sees what this job itself stores.
        postpone(handle, 3_600_000_000)

    reached["job.embedded"] = erase
    memory.add(said, ADA, thread_id="t")
    left = [n for n in range(3) if n != which]
    assert texts(memory) == [said[n] for n in left]
    count = "select count(*) from vectors where owner = (select max(owner) from owners)"
    if which < 2:
        assert vector(memory, ids[which + 1]) == []
    assert query(memory, count) == [(1 if which < 2 else 2,)]
    postpone(memory, -3_600_000_000)
    memory.settle(60)
    assert [vector(memory, ids[n])[0][0] for n in left] == [
        alone(said[left[0]]),
        alone(f"{said[left[0]]}\n{said[left[1]]}"),
    ]
    assert query(memory, count) == [(2,)]
    assert said[which] not in found(memory, said[which])
    assert holding([tmp_path], [said[which]]) == []


def postpone(memory: Memory, microseconds: int) -> None:
    sql = "update outbox set available_at = available_at + ? where state = 'ready'"
    memory.core.ledger.submit(lambda c: c.execute(sql, (microseconds,)).fetchall()).result()


def test_of_a_large_part_of_the_file_no_fragment_stays(open_memory: OpenMemory, tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    memory = open_memory(path, embedder=HashEmbeddings(dims=384))
    words = [f"wombat{n:04}x" for n in range(240)]
    for n in range(0, 240, 4):
        memory.add([f"{word} " + "filler words " * (40 + m) for m, word in enumerate(words[n : n + 4])], ADA)
        memory.add([f"kept {n}"], BOB)
    memory.close()
    before = path.stat().st_size
    memory = open_memory(path, embedder=HashEmbeddings(dims=384), plant=False)
    assert memory.erase("everything", ADA).turns == 240
    assert holding([tmp_path], words) == []
    memory.close()
    assert path.stat().st_size < before / 2  # the file was written anew, without the gaps
    assert len(texts(open_memory(path, embedder=HashEmbeddings(dims=384), plant=False), BOB)) == 60


def test_an_empty_filter_erases_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    fill(memory)
    with pytest.raises(InvalidInput, match="everything"):
        memory.erase({}, ADA)
    assert len(texts(memory)) == 4


def test_two_erasures_at_once(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    ids = fill(memory)

    async def both() -> list[int]:
        receipts = await asyncio.gather(*(memory.aerase([ids[1], ids[n]], ADA) for n in (0, 2)))
        return [receipt.turns for receipt in receipts]

    assert sorted(memory.host.wait(both())) == [1, 2]
    assert texts(memory) == [SAID[3]]
