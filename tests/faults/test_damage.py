"""Files that are locked, full, damaged, newer: a typed error, and never an empty memory in place of what was there."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from memgraph import Memory
from memgraph.errors import NotAMemoryFile, StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreTooNew
from support import crash
from support.fakes import HashEmbeddings
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, RAW_KEY, found, texts

_LOCK = """
    import apsw
    connection = apsw.Connection(sys.argv[1])
    connection.set_busy_timeout(5000)
    for statement in sys.argv[2:]:
        connection.execute(statement).fetchall()
    print("READY")
    sys.stdin.readline()
    if connection.in_transaction:
        connection.execute("rollback")
    connection.close()
"""
WRITE_LOCK = ["begin exclusive"]
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "a page and a bit": lambda content: content[:5000],
    "100 bytes": lambda content: content[:100],
    "header zeroed": lambda content: bytes(100) + content[100:],
    "zeros": lambda content: bytes(len(content)),
    "shifted": lambda content: content[1:],
}
WHOLE_LOCK = ["pragma locking_mode = exclusive", "begin exclusive", "select count(*) from turns"]


@contextmanager
def locked(path: Path, statements: list[str]) -> Generator[Callable[[], None]]:
    """Let another process hold a lock; the function lets it go."""
    with crash.start(_LOCK, path, *statements) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        done: list[bool] = []

        def release() -> None:
            if not done:
                done.append(True)
                _, stderr = process.communicate("GO\n", timeout=120)
                assert process.returncode == 0, stderr

        try:
            yield release
        finally:
            release()


def have_patience(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> None:
    """Let the writers that are opened from now on wait so long for somebody else's lock."""
    monkeypatch.setattr("memgraph.ledger.engine.WRITER_PATIENCE_MS", milliseconds)


async def test_a_locked_file_delays_a_write_and_stalls_nobody(
    open_memory: OpenMemory, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_patience(monkeypatch, 60_000)
    memory = open_memory(tmp_path / "memory.db")
    await memory.aadd(say("before"), ADA)
    with locked(tmp_path / "memory.db", WRITE_LOCK) as release:
        waiting = asyncio.ensure_future(memory.aadd(say("patient"), ADA))
        # While it waits, reads are answered and the loop turns.
        for _ in range(5):
            assert [turn.text for turn in (await memory.alist(ADA)).items] == [say("before")]
            assert [hit.text for hit in await memory.asearch("before", ADA)] == [say("before")]
        assert not waiting.done()
        await asyncio.to_thread(release)
        await waiting
    assert texts(memory) == [say("before"), say("patient")]


def test_a_file_that_stays_locked_refuses_a_write(
    open_memory: OpenMemory, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = open_memory(tmp_path / "memory.db")
    memory.add(say("before"), ADA)
    memory.close()
    have_patience(monkeypatch, 100)
    memory = open_memory(tmp_path / "memory.db", plant=False)
    with locked(tmp_path / "memory.db", WRITE_LOCK):
        with pytest.raises(StoreBusy):
            memory.add(say("refused"), ADA)
        assert texts(memory) == [say("before")]
    memory.add(say("refused"), ADA)
    assert texts(memory) == [say("before"), say("refused")]


async def test_a_file_that_is_locked_whole_stalls_no_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_patience(monkeypatch, 1_500)
    path = tmp_path / "memory.db"
    Memory.open(path, embedder=None).close()
    with locked(path, WHOLE_LOCK):
        opening = asyncio.ensure_future(asyncio.to_thread(Memory.open, path, embedder=None))
        turns = 0
        while not opening.done():
            await asyncio.sleep(0.005)
            turns += 1
        with pytest.raises(StoreBusy):
            await opening
    assert turns > 10  # where the opening held up the loop, it would turn once
    with Memory.open(path, embedder=None) as memory:
        assert texts(memory) == []


def test_no_room_in_the_file_refuses_a_write_and_nothing_else(open_memory: OpenMemory, say: Say) -> None:
    memory = open_memory()
    memory.add(say("before"), ADA)
    submit = memory.core.ledger.submit
    pages = submit(lambda c: c.pragma("page_count"), alone=True).result()
    submit(lambda c: c.pragma("max_page_count", pages + 2), alone=True).result()
    with pytest.raises(StoreFull, match="no space left"):
        memory.add(say("x" * 100_000), ADA)
    assert texts(memory) == [say("before")]
    assert found(memory, "before") == [say("before")]
    submit(lambda c: c.pragma("max_page_count", 1_000_000), alone=True).result()
    memory.add(say("after"), ADA)
    memory.settle(60)
    assert texts(memory) == [say("before"), say("after")]
    assert memory.doctor(deep=True)["integrity"] == []
    assert memory.doctor()["without_vectors"] == 0


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of some pages, plain and keyed."""
    files: dict[str, Path] = {}
    for name, key in (("plain", None), ("keyed", RAW_KEY)):
        files[name] = tmp_path_factory.mktemp("healthy") / "memory.db"
        with Memory.open(files[name], embedder=HashEmbeddings(), key=key) as memory:
            for n in range(40):
                memory.add(
                    f"turn {n} " + "many words of it " * 20, ADA if n % 2 else BOB, thread_id="t" if n % 2 else None
                )
            memory.search("words", ADA)
    return files


def use(path: Path, key: bytes | None) -> list[str]:
    """Do everything with a file; return the texts of Ada's."""
    with Memory.open(path, embedder=HashEmbeddings(), key=key) as memory:
        said = texts(memory)
        memory.search("many words", ADA, filter={"role": "user"})
        memory.get(memory.list(ADA, limit=1).items[0].id, ADA)
        memory.add("one more", ADA, thread_id="t")
        memory.settle(60)
        memory.erase(memory.list(BOB, limit=1).items[0].id, BOB)
        memory.doctor(deep=True)
    return said


@pytest.mark.parametrize("kind", ["plain", "keyed"])
def test_a_page_of_garbage_is_never_taken_for_an_empty_memory(
    healthy: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """Each page in turn; without a key the engine has no checksum, so that a page's inside may change unnoticed."""
    rng = random.Random(7)
    size = healthy[kind].stat().st_size
    noticed = 0
    for page in range(size // 4096):
        path = tmp_path / f"{page}.db"
        content = bytearray(healthy[kind].read_bytes())
        content[page * 4096 : (page + 1) * 4096] = rng.randbytes(4096)
        path.write_bytes(content)
        try:
            said = use(path, RAW_KEY if kind == "keyed" else None)
        except StoreError as error:  # one of ours, whatever it is
            assert type(error) in (StoreCorrupt, NotAMemoryFile)
            noticed += 1
        else:
            assert len(said) == 20
        assert path.stat().st_size >= size // 2
        path.unlink()
    assert noticed > size // 4096 * (0.9 if kind == "keyed" else 0.5)


@pytest.mark.parametrize("kind", ["plain", "keyed"])
@pytest.mark.parametrize(
    "damage",
    list(DAMAGE),
)
def test_a_damaged_file_is_an_error_and_stays_as_it_is(
    healthy: dict[str, Path], tmp_path: Path, kind: str, damage: str
) -> None:
    path = tmp_path / "memory.db"
    content = DAMAGE[damage](healthy[kind].read_bytes())
    path.write_bytes(content)
    with pytest.raises((StoreCorrupt, NotAMemoryFile)):
        use(path, RAW_KEY if kind == "keyed" else None)
    assert path.read_bytes() == content


def test_garbage_in_place_of_the_log_costs_only_what_was_in_it(healthy: dict[str, Path], tmp_path: Path) -> None:
    for number, log in enumerate((b"", b"garbage", random.Random(7).randbytes(50_000))):
        path = tmp_path / f"{number}.db"
        shutil.copy(healthy["plain"], path)
        Path(f"{path}-wal").write_bytes(log)
        assert len(use(path, None)) == 20


@pytest.mark.parametrize("key", [None, RAW_KEY], ids=["plain", "keyed"])
def test_a_newer_schema_is_an_error_and_left_alone(tmp_path: Path, say: Say, key: bytes | None) -> None:
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder=None, key=key) as memory:
        memory.add(say("from the future"), ADA)
        version = memory.doctor()["schema"]
        memory.core.ledger.submit(lambda c: c.pragma("user_version", version + 1)).result()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=f"{version + 1}.*upgrade"):
        Memory.open(path, embedder=None, key=key)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["memory.db"]


def test_an_error_of_the_engine_never_comes_as_its_own(healthy: dict[str, Path], tmp_path: Path) -> None:
    """A table that is not there: what nobody foresaw is a StoreError, too, also at open."""
    for table in ("meta", "embedders", "turns", "outbox"):
        path = tmp_path / f"{table}.db"
        shutil.copy(healthy["plain"], path)
        file = apsw.Connection(str(path))
        file.execute(f"drop table {table}")
        file.close()
        with pytest.raises(StoreError):
            use(path, None)


@pytest.mark.parametrize("where", ["no/such/folder/memory.db", "."])
def test_a_place_where_no_file_can_be(tmp_path: Path, where: str) -> None:
    with pytest.raises(StoreError):
        Memory.open(tmp_path / where, embedder=None)
    assert list(tmp_path.iterdir()) == []
