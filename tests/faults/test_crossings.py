"""Each crossing of the file layer failed once, and each moment at which a kill or a power cut could have come."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory
from memgraph.embedding import Embedder
from memgraph.errors import AgentMemoryError, NotAMemoryFile, StoreFull, StoreUnreadable
from support import vfs
from support.fakes import HashEmbeddings
from support.fixtures import Say
from support.memories import ADA, BOB, RAW_KEY, texts

OTHER_KEY = bytes(reversed(RAW_KEY))
keyed = pytest.mark.parametrize("key", [None, RAW_KEY], ids=["plain", "keyed"])
errors = pytest.mark.parametrize(
    ("error", "ours"), [(apsw.IOError, StoreUnreadable), (apsw.FullError, StoreFull)], ids=["io", "full"]
)


@pytest.fixture
def disk() -> Iterator[vfs.FaultLayer]:
    with vfs.layer() as made:
        yield made


def message(number: int, text: str) -> HumanMessage:
    return HumanMessage(text, id=f"message-with-a-unique-id-{number:06}")


def checkpoint_often(memory: Memory) -> None:
    """Let the log be moved into the file every few pages, so that a small test crosses those writes too."""
    memory.core.ledger.submit(lambda c: c.pragma("wal_autocheckpoint", 6), alone=True).result()


def sound(memory: Memory) -> bool:
    return not memory.doctor(deep=True)["integrity"]


def without_vectors(memory: Memory) -> int:
    return int(memory.doctor()["without_vectors"])


@keyed
@errors
def test_any_crossing_of_an_add_may_fail(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None, error: type[apsw.Error], ours: type[Exception]
) -> None:
    said: list[str] = []
    refused = unnoticed = 0
    reached = True
    crossed: set[str] = set()
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        checkpoint_often(memory)
        for n in range(1, 90):
            text = say(f"word{n} is number {n}")
            disk.arm(n, error)
            try:
                added = memory.add(message(n, text), ADA)
            except AgentMemoryError as failure:
                assert type(failure) is ours
                added = None
                refused += 1
            reached = disk.disarm()
            crossed.update(disk.log)
            unnoticed += reached and added is not None
            # What was acknowledged is there; what was refused is absent or whole. Never two of it, never half.
            assert texts(memory) in ([*said, text], said) if added is None else texts(memory) == [*said, text]
            # The same handle goes on, and the message sent again is stored once.
            memory.add(message(n, text), ADA)
            said.append(text)
            assert texts(memory) == said
            memory.settle(60)
            assert sound(memory)
            assert without_vectors(memory) == 0
        assert not reached, "the last add still had a crossing to fail"
    # It is no test if it failed nothing, if nothing was taken up again, or if it never touched the file itself.
    assert refused > 10
    assert unnoticed > 10
    assert {"write emory.db", "sync emory.db", "write y.db-wal", "sync y.db-wal"} <= crossed
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        assert texts(memory) == said
        assert sound(memory)


@keyed
@errors
def test_any_crossing_of_an_erasure_may_fail(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None, error: type[apsw.Error], ours: type[Exception]
) -> None:
    words = {bytes(f"vanishing{n}", "ascii") for n in range(1, 200)}
    kept = say("what stays")
    refused = 0
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        memory.add(kept, BOB)
        for n in itertools.count(1):
            [id] = memory.add(message(n, f"vanishing{n} {say('word')}"), ADA).ids
            disk.arm(n, error)
            try:
                memory.erase(id, ADA)
            except AgentMemoryError as failure:
                assert type(failure) is ours
                refused += 1
            reached = disk.disarm()
            # Called again it goes through, with the same handle.
            memory.erase(id, ADA)
            assert texts(memory) == []
            assert texts(memory, BOB) == [kept]
            assert memory.add(message(n, f"vanishing{n} {say('word')}"), ADA).skipped[0].reason == "erased"
            if not reached:
                break
        assert sound(memory)
    assert refused > 20
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(word in files for word in words)


@pytest.mark.parametrize(
    ("old", "new"), [(RAW_KEY, OTHER_KEY), (None, RAW_KEY), (RAW_KEY, None)], ids=["change", "set", "remove"]
)
def test_any_crossing_of_a_change_of_key_may_fail(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, old: bytes | None, new: bytes | None
) -> None:
    template, told = tmp_path / "template.db", say("what the keys keep")
    with vfs.open_through(disk, template, key=old) as memory:
        memory.add(told, ADA)
    refused = 0
    for n in itertools.count(1):
        path = tmp_path / f"{n}.db"
        shutil.copy(template, path)
        with vfs.open_through(disk, path, key=old) as memory:
            disk.arm(n, apsw.IOError)
            try:
                memory.rekey(new)
                changed = True
            except AgentMemoryError as failure:
                assert type(failure) is StoreUnreadable
                changed = False
            reached = disk.disarm()
            # The handle goes on: under the key as it was, or under the new one where that came to hold.
            assert texts(memory) == [told]
            memory.add(say("afterwards"), BOB)
            assert sound(memory)
        refused += not changed
        with pytest.raises(NotAMemoryFile):
            vfs.open_through(disk, path, key=old if changed else new)
        with vfs.open_through(disk, path, key=new if changed else old) as memory:
            assert texts(memory) == [told]
            assert texts(memory, BOB) == [say("afterwards")]
        if not reached:
            break
    assert refused > 20


@keyed
def test_a_full_disk_refuses_and_comes_back(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    before, after = say("there is room"), say("there is room again")
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        memory.add(before, ADA)
        disk.broken = apsw.FullError
        for n in range(3):
            with pytest.raises(StoreFull):
                memory.add(say(f"no room {n}"), ADA)
            assert [hit.text for hit in memory.search("is there room", ADA)] == [before]
        disk.broken = None
        memory.add(after, ADA)
        memory.settle(60)
        assert texts(memory) == [before, after]
        assert sound(memory)
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_a_disk_that_fails_after_commit_1_leaves_the_turn_to_be_indexed_later(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    class Breaking(HashEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            disk.broken = apsw.FullError
            return super().embed_documents(texts)

    text = say("acknowledged all the same")
    with vfs.open_through(disk, tmp_path / "memory.db", embedder=Breaking()) as memory:
        added = memory.add(text, ADA)  # no error: it would say that nothing was stored
        assert len(added.ids) == 1
        assert added.pending == 1
        assert [hit.text for hit in memory.search("acknowledged", ADA)] == [text]
        disk.broken = None
        memory.core.embedder = Embedder(HashEmbeddings(), "hash", None)
        memory.settle(60)
        assert without_vectors(memory) == 0
        assert texts(memory) == [text]
    assert "indexing was put off" in caplog.text


def test_reading_goes_on_where_nothing_can_be_written(disk: vfs.FaultLayer, tmp_path: Path, say: Say) -> None:
    path, text = tmp_path / "memory.db", say("still readable")
    with vfs.open_through(disk, path) as memory:
        added = memory.add(text, ADA)
        disk.broken = apsw.ReadOnlyError
        for change in (
            lambda: memory.add(say("new"), ADA),
            lambda: memory.forget(added.ids[0], ADA),
            lambda: memory.erase(added.ids[0], ADA),
        ):
            with pytest.raises(StoreUnreadable):
                change()
        assert texts(memory) == [text]
        assert [hit.text for hit in memory.search("readable", ADA)] == [text]
        assert memory.get(added.ids[0], ADA).text == text
        disk.broken = None


def crash_states(disk: vfs.FaultLayer) -> Iterator[tuple[str, int, dict[str, bytes]]]:
    """Yield every state that a kill, a torn write or a power cut could have left, each once."""
    seen: set[int] = set()
    for events in range(len(disk.events) + 1):
        for name, options in (
            ("kill", {"power_cut": False}),
            ("torn write", {"power_cut": False, "torn": True}),
            ("power cut", {"power_cut": True}),
        ):
            state = disk.state(events, **options)
            if (known := hash(frozenset(state.items()))) not in seen:
                seen.add(known)
                yield f"{name} after {events}", events, state


@keyed
def test_a_kill_or_a_power_cut_at_any_moment_loses_nothing_acknowledged(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None
) -> None:
    said = [say(f"word{n}") for n in range(3)]
    disk.recording = True
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        checkpoint_often(memory)
        for n, text in enumerate(said):
            memory.add(message(n, text), ADA, background=n == 1)
            disk.acknowledge(text)
    disk.recording = False
    assert len(disk.events) > 100
    states = 0
    for states, (name, events, state) in enumerate(crash_states(disk), 1):
        folder = tmp_path / str(states)
        folder.mkdir()
        vfs.put(state, folder)
        acknowledged = [text for count, text in disk.acknowledged if count <= events]
        # A first open that was interrupted is done again: the schema is there whole or not at all.
        with Memory.open(folder / "memory.db", key=key, embedder=None) as memory:
            there = texts(memory)
            assert there in (acknowledged, said[: len(acknowledged) + 1]), name
            assert sound(memory), name
            memory.add(message(99, say("afterwards")), ADA)
            assert texts(memory) == [*there, say("afterwards")], name
            assert memory.list(ADA).items[-1].seq > len(there), name
        shutil.rmtree(folder)
    assert states > 100


@keyed
def test_a_kill_or_a_power_cut_at_any_moment_of_a_change_of_key(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None
) -> None:
    told = say("told")
    disk.recording = True
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        memory.add(told, ADA)
        begun = len(disk.events)
        memory.rekey(OTHER_KEY)
        disk.acknowledge("changed")
    disk.recording = False
    ends: set[bool] = set()
    for number, (name, events, state) in enumerate(crash_states(disk)):
        if events < begun:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        vfs.put(state, folder)
        try:
            memory = Memory.open(folder / "memory.db", key=OTHER_KEY, embedder=None)
            changed = True
        except NotAMemoryFile:
            memory = Memory.open(folder / "memory.db", key=key, embedder=None)
            changed = False
        with memory:
            assert texts(memory) == [told], name
            assert sound(memory), name
        assert changed or events < disk.acknowledged[0][0], name
        ends.add(changed)
    assert ends == {False, True}


def test_an_acknowledged_add_costs_one_sync(disk: vfs.FaultLayer, tmp_path: Path, say: Say) -> None:
    with vfs.open_through(disk, tmp_path / "memory.db") as memory:
        memory.add(say("first"), ADA)
        disk.arm(1_000_000, apsw.IOError)
        memory.add(say("second"), ADA)
        disk.disarm()
        assert [crossing for crossing in disk.log if crossing.startswith("sync")] == ["sync y.db-wal"]
