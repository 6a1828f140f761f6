"""Keys: what they hide, which errors they give, how they are changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from memgraph import Memory, Scope
from memgraph.errors import AgentMemoryError, InvalidInput, NotAMemoryFile, StoreBusy, StoreCorrupt
from support import crash, vfs
from support.fixtures import OpenMemory, Say
from support.memories import ADA, RAW_KEY, found, texts
from support.scan import forms, holding

PASSPHRASE = "correct horse battery staple"
RAW_TEXT = f"raw:{RAW_KEY.hex()}"


@pytest.fixture
def disk() -> Iterator[vfs.FaultLayer]:
    with vfs.layer() as made:
        yield made


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which SQLite's temporary files would lie."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(folder))
    return folder


def without_a_trace(path: Path, key: Any) -> AgentMemoryError:
    """Return the error of opening a file, which must change nothing in its folder and name no key."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(AgentMemoryError) as caught:
        Memory.open(path, embedder=None, key=key)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    said = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert not key or (str(key) not in said and PASSPHRASE not in said and RAW_KEY.hex() not in said)
    return caught.value


@pytest.mark.parametrize("key", [PASSPHRASE, RAW_KEY], ids=["passphrase", "raw"])
def test_no_byte_of_a_memory_reaches_a_file_in_the_clear(
    disk: vfs.FaultLayer, tmp_path: Path, temporary: Path, canary: str, say: Say, key: str | bytes
) -> None:
    ada = Scope("ada-lovelace")
    disk.forbidden = forms([canary, "Adelaide", "ada-lovelace", "number-nine", PASSPHRASE])
    path = tmp_path / "memory.db"
    look = [tmp_path]
    with vfs.open_through(disk, path, key=key) as memory:
        for n in range(40):
            memory.add(say(f"Adelaide {n} " + "filler " * 300), ada, thread_id="number-nine", metadata={"m": canary})
        assert len(found(memory, "Adelaide", ada)) == 10
        assert holding(look, [canary, "Adelaide"]) == []
        memory.erase(memory.list(ada, limit=5).items[0].id, ada)
        memory.rekey("another")
        memory.rekey(key)
        memory.forget(memory.list(ada, limit=5).items[1].id, ada)
        assert len(found(memory, "Adelaide", ada)) == 10
        assert holding(look, [canary, "Adelaide"]) == []
    assert holding(look, [canary, "Adelaide"]) == []
    # Every byte written on the way: database, log, index, journal, copies, temporary files.
    assert disk.found == []
    assert disk.watched > 500_000


def test_the_watch_sees_a_file_without_a_key(disk: vfs.FaultLayer, tmp_path: Path, canary: str, say: Say) -> None:
    disk.forbidden = forms([canary])
    with vfs.open_through(disk, tmp_path / "memory.db") as memory:
        memory.add(say("in the clear"), ADA)
        assert holding([tmp_path], [canary]) != []
    assert disk.found != []


@pytest.mark.parametrize(
    ("made", "opened"),
    [
        (PASSPHRASE, None),
        (PASSPHRASE, "another"),
        (PASSPHRASE, PASSPHRASE.upper()),
        (PASSPHRASE, RAW_KEY),
        (RAW_KEY, None),
        (RAW_KEY, bytes(32)),
        (RAW_KEY, RAW_TEXT),
        (RAW_TEXT, RAW_KEY),
        (RAW_TEXT, f"\0{RAW_TEXT}"),
        (RAW_KEY, RAW_KEY.decode("latin-1")),
        (None, PASSPHRASE),
        (None, RAW_KEY),
    ],
)
def test_a_missing_or_wrong_key_opens_nothing(
    open_memory: OpenMemory, tmp_path: Path, say: Say, made: str | bytes | None, opened: str | bytes | None
) -> None:
    path, text = tmp_path / "memory.db", say("what the key keeps")
    with Memory.open(path, embedder=None, key=made) as memory:
        memory.add(text, ADA)
    assert type(without_a_trace(path, opened)) is NotAMemoryFile
    with Memory.open(path, embedder=None, key=made) as memory:
        assert texts(memory) == [text]


@pytest.mark.parametrize("key", ["", b"", b"too short", bytes(33), 5, bytearray(32), ["list"]], ids=repr)
def test_what_is_no_key_is_refused_before_a_file_is_made(tmp_path: Path, key: Any) -> None:
    assert type(without_a_trace(tmp_path / "memory.db", key)) is InvalidInput


@pytest.mark.parametrize(
    "key", ["\0nul", "sn\u00f6w\u2603", "quote' \" ; --", "x" * 2000, "\ud800", RAW_TEXT, f"\0{RAW_TEXT}"], ids=ascii
)
def test_any_text_is_a_passphrase(tmp_path: Path, say: Say, key: str) -> None:
    path = tmp_path / "memory.db"
    for _ in range(2):
        with Memory.open(path, embedder=None, key=key) as memory:
            memory.add(say("said"), ADA)
    with Memory.open(path, embedder=None, key=key) as memory:
        assert len(texts(memory)) == 2
    assert type(without_a_trace(path, key + "x")) is NotAMemoryFile


def foreign(path: Path) -> None:
    file = apsw.Connection(str(path))
    file.execute("create table theirs(x); insert into theirs values (1)")
    file.close()


def claimed(path: Path) -> None:
    file = apsw.Connection(str(path))
    file.pragma("application_id", 42)
    file.close()


@pytest.mark.parametrize("key", [None, PASSPHRASE], ids=["plain", "keyed"])
@pytest.mark.parametrize(
    "make",
    [
        foreign,
        claimed,
        b"Dear diary,",
        b"Dear diary, " * 5_000,
        bytes(8192),
        b"SQLite format 3\0" + bytes(4080),
    ],
    ids=["foreign", "foreign without a table", "short text", "long text", "zeros", "only a header"],
)
def test_a_file_that_is_something_else_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None] | bytes, key: str | None
) -> None:
    path = tmp_path / "memory.db"
    if isinstance(make, bytes):
        path.write_bytes(make)
    else:
        make(path)
    assert type(without_a_trace(path, key)) is NotAMemoryFile


def test_an_empty_file_becomes_a_memory_unless_a_log_says_that_it_was_one(tmp_path: Path, say: Say) -> None:
    path = tmp_path / "memory.db"
    path.touch()
    with Memory.open(path, embedder=None) as memory:
        memory.add(say("said"), ADA)
        emptied = tmp_path / "emptied.db"
        crash.run(
            "import shutil; shutil.copy(sys.argv[1] + '-wal', sys.argv[2] + '-wal'); open(sys.argv[2], 'w')",
            path,
            emptied,
        )
    folder = tmp_path / "apart"
    folder.mkdir()
    for ending in ("", "-wal"):
        shutil.move(f"{emptied}{ending}", folder / f"memory.db{ending}")
    assert type(without_a_trace(folder / "memory.db", None)) is StoreCorrupt


def test_an_engine_without_ciphers_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    script = """
    import apsw
    del apsw.mc_version
    from memgraph import Memory, Scope
    from memgraph.errors import EncryptionUnavailable
    try:
        Memory.open(sys.argv[1], embedder=None, key=sys.argv[2])
    except EncryptionUnavailable as error:
        assert sys.argv[2] not in str(error)
        print(error)
    with Memory.open(sys.argv[1] + "-plain", embedder=None) as memory:
        try:
            memory.rekey(sys.argv[2])
        except EncryptionUnavailable:
            print("REFUSED")
        assert memory.doctor()["encrypted"] is False
    """
    done = crash.run(script, tmp_path / "memory.db", PASSPHRASE, check=True)
    assert "apsw-sqlite3mc" in done.stdout
    assert done.lines[-1] == "REFUSED"
    assert [file.name for file in tmp_path.iterdir()] == ["memory.db-plain"]


def test_an_engine_that_takes_a_key_and_writes_plaintext_is_noticed(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As plain apsw does where something pretends to be `mc_version`."""

    def ignore(*_: object, **__: object) -> None:
        """Take a key and do nothing with it."""

    monkeypatch.setattr("memgraph.ledger.engine.apply_key", ignore)
    with pytest.raises(NotAMemoryFile):
        Memory.open(tmp_path / "memory.db", embedder=None, key=PASSPHRASE)


@pytest.mark.parametrize("steps", [[PASSPHRASE, RAW_KEY, "another", None, RAW_TEXT, None]])
def test_a_key_is_set_changed_and_removed(
    open_memory: OpenMemory, tmp_path: Path, say: Say, steps: list[str | bytes | None]
) -> None:
    path, said = tmp_path / "memory.db", [say("before any key")]
    memory = open_memory(path)
    memory.add(said[0], ADA)
    for number, key in enumerate(steps):
        memory.rekey(key)
        said.append(say(f"after change {number}"))
        memory.add(said[-1], ADA)
        assert texts(memory) == said
        assert memory.doctor(deep=True)["integrity"] == []
        assert memory.doctor()["encrypted"] is (key is not None)
        memory.close()
        assert bool(holding([tmp_path], ["after change"])) is (key is None)
        assert type(without_a_trace(path, "other" if key is None else None)) is NotAMemoryFile
        assert sorted(file.name for file in tmp_path.iterdir()) == ["memory.db"]
        memory = open_memory(path, key=key, plant=False)
        assert texts(memory) == said
        assert said[-1] in found(memory, f"change {number}")


def test_a_change_of_key_needs_the_file_to_itself(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    path, text = tmp_path / "memory.db", say("said")
    memory = open_memory(path, key=PASSPHRASE)
    memory.core.ledger.submit(lambda c: c.set_busy_timeout(50), alone=True).result()
    memory.add(text, ADA)
    other = open_memory(path, key=PASSPHRASE, plant=False)
    for handle in (memory, other):
        with pytest.raises(StoreBusy):
            handle.rekey("another")
    other.close()

    hold = """
    from memgraph import Memory, Scope
    memory = Memory.open(sys.argv[1], embedder=None, key=sys.argv[2])
    print("READY")
    sys.stdin.readline()
    print(memory.add(sys.argv[3], Scope("ada")).seq)
    memory.close()
    """
    with crash.start(hold, path, PASSPHRASE, say("from elsewhere")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        with pytest.raises(StoreBusy):
            memory.rekey("another")
        # Both go on as before, under the key as before.
        memory.add(say("meanwhile"), ADA)
        _, stderr = process.communicate("GO\n", timeout=120)
        assert process.returncode == 0, stderr
    assert texts(memory) == [text, say("meanwhile"), say("from elsewhere")]
    memory.rekey("another")
    assert len(texts(memory)) == 3
    memory.close()
    assert type(without_a_trace(path, PASSPHRASE)) is NotAMemoryFile
    assert len(texts(open_memory(path, key="another", plant=False))) == 3


def test_a_second_handle_needs_the_same_key(open_memory: OpenMemory, tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    open_memory(path, key=PASSPHRASE)
    for key in ("another", None, RAW_KEY):
        with pytest.raises(NotAMemoryFile):
            Memory.open(path, embedder=None, key=key)
    open_memory(path, key=PASSPHRASE)


def test_a_file_and_its_log_are_for_their_user_alone(open_memory: OpenMemory, tmp_path: Path, say: Say) -> None:
    path = tmp_path / "memory.db"
    before = os.umask(0)
    try:
        memory = open_memory(path)
        memory.rekey(PASSPHRASE)
        memory.add(say("mine"), ADA)
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"memory.db": 0o600, "memory.db-wal": 0o600, "memory.db-shm": 0o600}
