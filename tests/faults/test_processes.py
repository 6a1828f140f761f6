"""Several processes on one file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import apsw
import pytest

from memgraph import Memory, Scope
from support import crash
from support.fixtures import OpenMemory, Say
from support.memories import ADA, RAW_KEY, on_loop, query, texts

_HEAD = """
    from memgraph import Memory, Scope
    from memgraph.ledger import engine
    from support.fakes import HashEmbeddings

    engine.WRITER_PATIENCE_MS = 60_000  # a slow disk keeps who waits for the other longer than the default
    key = bytes.fromhex(sys.argv[2]) or None
    ada = Scope("ada")
    print("READY")
    sys.stdin.readline()
"""

_WRITER = (
    _HEAD
    + """
    name = sys.argv[3]
    with Memory.open(sys.argv[1], embedder=HashEmbeddings(), key=key) as memory:
        for n in range(50):
            added = memory.add(f"{sys.argv[4]} {name} {n}", ada if n % 2 else Scope(name))
            print(added.ids[0], added.seq if n % 2 else 0)
        memory.settle(60)
"""
)

_READER = (
    _HEAD
    + """
    seen = 0
    with Memory.open(sys.argv[1], embedder=HashEmbeddings(), key=key) as memory:
        while seen < 50:
            listed = memory.list(ada, limit=1000).items
            hits = memory.search("left right", ada, limit=1000)
            assert seen <= len(listed) <= len(hits) <= 50, (seen, len(listed), len(hits))
            assert [turn.seq for turn in listed] == sorted(turn.seq for turn in listed)
            seen = len(listed)
        memory.settle(60)
        degraded = memory.search("left right", ada).degraded
        assert degraded == {}, degraded
    print("SAW", seen)
"""
)


def go(*processes: subprocess.Popen[str]) -> list[list[str]]:
    """Let processes go at once when all have imported what they need; return the lines that each printed after."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("GO\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=240) for process in processes]
    for process, (_, stderr) in zip(processes, ended, strict=True):
        assert process.returncode == 0, stderr
    return [stdout.splitlines() for stdout, _ in ended]


@pytest.mark.parametrize("key", [None, RAW_KEY], ids=["plain", "keyed"])
def test_two_processes_write_while_a_third_reads(
    open_memory: OpenMemory, tmp_path: Path, say: Say, key: bytes | None
) -> None:
    path, hexed = tmp_path / "memory.db", (key or b"").hex()
    with (
        crash.start(_WRITER, path, hexed, "left", say("says")) as left,
        crash.start(_WRITER, path, hexed, "right", say("says")) as right,
        crash.start(_READER, path, hexed) as reader,
    ):
        lines = go(left, right, reader)
    assert lines[2] == ["SAW 50"]
    acknowledged = [line.split() for line in lines[0] + lines[1]]
    ids = [id for id, _ in acknowledged]
    assert len(set(ids)) == len(ids) == 100

    memory = open_memory(path, key=key)
    memory.settle(60)
    for name in ("left", "right"):
        assert texts(memory, Scope(name)) == [f"{say('says')} {name} {n}" for n in range(0, 50, 2)]
    said = texts(memory)
    assert len(said) == 50
    for name in ("left", "right"):  # each one's own order is kept
        assert [text for text in said if name in text] == [f"{say('says')} {name} {n}" for n in range(1, 50, 2)]
    there = {id for (id,) in query(memory, "select lower(hex(id)) from turns")}
    assert {id.replace("-", "") for id in ids} <= there
    # Numbers without a gap, each once, and as they were told.
    for owner, seq in query(memory, "select owner, seq from owners"):
        assert [n for (n,) in query(memory, "select seq from commits where owner = ? order by seq", owner)] == list(
            range(1, seq + 1)
        )
    told = [int(seq) for _, seq in acknowledged if seq != "0"]
    assert len(set(told)) == 50
    assert {turn.seq for turn in memory.list(ADA, limit=1000).items} == set(told)
    assert memory.doctor()["without_vectors"] == 0
    assert memory.doctor(deep=True)["integrity"] == []


def test_three_processes_make_the_file_at_once(tmp_path: Path, say: Say) -> None:
    script = (
        _HEAD
        + """
    for n in range(4):
        with Memory.open(f"{sys.argv[1]}-{n}", embedder=HashEmbeddings(), key=key) as memory:
            memory.add(f"{sys.argv[4]} {sys.argv[3]}", ada)
    """
    )
    path = tmp_path / "memory.db"
    started = [crash.start(script, path, RAW_KEY.hex(), number, say("says")) for number in range(3)]
    go(*started)
    for n in range(4):
        with Memory.open(f"{path}-{n}", embedder=None, key=RAW_KEY) as memory:
            assert sorted(texts(memory)) == [f"{say('says')} {number}" for number in range(3)]
            assert memory.doctor(deep=True)["integrity"] == []


def test_another_process_opening_and_closing_takes_no_log_away(
    open_memory: OpenMemory, tmp_path: Path, say: Say
) -> None:
    """The last connection removes the log. With a lock dropped, another process would believe that it is the last."""
    lock = """
    import fcntl
    with open(sys.argv[1], "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # SQLite's range of shared locks
            print("FREE")
        except OSError:
            print("HELD")
    """
    path = tmp_path / "memory.db"
    memory = open_memory(path, key=RAW_KEY)
    assert crash.run(lock, path).lines == ["HELD"]
    memory.rekey("another")
    memory.add(say("in the log"), ADA)
    assert crash.run(lock, path).lines == ["HELD"]
    with crash.start(
        _HEAD + "    Memory.open(sys.argv[1], embedder=None, key=sys.argv[3]).close()", path, "", "another"
    ) as other:
        go(other)
    memory.add(say("also"), ADA)
    memory.close()
    assert crash.run(lock, path).lines == ["FREE"]
    assert texts(open_memory(path, key="another", plant=False)) == [say("in the log"), say("also")]


def test_what_is_committed_while_an_index_is_read_belongs_to_none_of_it(open_memory: OpenMemory, say: Say) -> None:
    """All statements of a load see one state of the file, whatever others commit between them."""
    memory, other = open_memory(), open_memory(plant=False)
    other.add(say("before"), ADA)
    amid: list[str] = []

    def add(_: apsw.Cursor, sql: str, __: object) -> bool:
        if not amid and "from turns t join postings" in sql:  # the commit's number was read, its turns are next
            amid.extend(other.add(say("amid"), ADA).ids)
        return True

    reader = memory.core.ledger.reader
    on_loop(memory, lambda: setattr(reader, "exec_trace", add))
    hits = memory.search("before amid", ADA)
    on_loop(memory, lambda: setattr(reader, "exec_trace", None))
    assert amid
    assert [hit.text for hit in hits] == [say("before")]
    assert hits.degraded == {}
    assert {hit.text for hit in memory.search("before amid", ADA)} == {say("before"), say("amid")}


def test_vectors_that_another_made_first_are_seen(open_memory: OpenMemory, say: Say) -> None:
    """Their dimension is known from the first of them, which a handle that was opened before has not made."""
    memory, other = open_memory(plant=False), open_memory(plant=False)
    other.add(say("a heron in the reeds"), ADA)
    [hit] = hits = memory.search("herons", ADA)
    assert hits.degraded == {}
    assert "dense" in hit.arms
