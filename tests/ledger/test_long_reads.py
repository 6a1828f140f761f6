"""A read of any length: a short one at once, a long one in steps, in one snapshot, in nobody's way."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from memgraph import LedgerStore, Memory
from memgraph.errors import StoreBusy, StoreClosed, StoreFull
from memgraph.ledger import rekeying
from memgraph.ledger.handle import Ledger
from memgraph.ledger.steps import SHORT, TURN, Steps, advance
from support import forks
from support.memories import ADA, RAW_KEY

COUNT = "select count(*) from items"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    with LedgerStore.from_conn_string(tmp_path / "store.db") as opened:
        opened.put(("a",), "first", {})
        yield opened


def ledger_of(store: LedgerStore) -> Ledger:
    return store.home.core.ledger


def counted(connection: apsw.Connection) -> int:
    number: int = connection.execute(COUNT).get
    return number


class Waiting:
    """A read that counts the items, goes on until it is let go, amid a query, and counts them again.

    Attributes:
        begun: How often it began, on whose connection.
        waits: Set once it is long.
    """

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.begun: list[apsw.Connection] = []
        self.waits = threading.Event()
        self.go = threading.Event()
        self._then = then

    def __call__(self, connection: apsw.Connection) -> Steps[tuple[int, int]]:
        self.begun.append(connection)
        first = counted(connection)
        rows = iter(connection.execute("select item from items, sqlite_schema"))
        next(rows)
        yield SHORT
        self.waits.set()
        while not self.go.is_set():
            yield TURN
        self._then()
        assert [*rows]
        return first, counted(connection)


def test_a_read_goes_on_for_so_long_and_tells_its_end() -> None:
    def three() -> Steps[str]:
        for _ in range(3):
            yield 10
        return "end"

    steps = three()
    assert advance(steps, 15) is None  # two steps
    assert advance(steps, 10) is None  # the third
    assert advance(steps, 10) == ("end",)
    assert advance(three(), 31) == ("end",)


def test_a_short_read_shares_the_connection_of_all(store: LedgerStore) -> None:
    ledger = ledger_of(store)
    seen: list[apsw.Connection] = []

    def short(connection: apsw.Connection) -> Steps[None]:
        seen.append(connection)
        yield SHORT - 1

    assert store.live().wait(ledger.read_in_steps(short)) is None
    assert seen == [ledger.reader]
    assert not ledger.reader.in_transaction


def test_others_are_served_amid_a_long_read_which_sees_one_state(store: LedgerStore) -> None:
    ledger, read = ledger_of(store), Waiting()
    future = store.live().submit(ledger.read_in_steps(read))
    assert read.waits.wait(60)
    item = store.get(("a",), "first")
    assert item is not None
    store.put(("a",), "second", {})
    assert len(store.search(())) == 2
    assert not future.done()
    read.go.set()
    assert future.result(60) == (1, 1)
    assert [one is ledger.reader for one in read.begun] == [True, False]  # begun anew on a connection of its own
    assert store.live().wait(ledger.read_in_steps(read)) == (2, 2)  # whose snapshot was given back


def test_long_reads_follow_one_another(store: LedgerStore) -> None:
    ledger, first, second = ledger_of(store), Waiting(), Waiting()
    futures = [store.live().submit(ledger.read_in_steps(read)) for read in (first, second)]
    assert first.waits.wait(60)
    second.go.set()
    store.get(("a",), "first")
    assert len(second.begun) == 1  # it waits for the other's connection
    first.go.set()
    assert futures[1].result(60) == (1, 1)
    assert futures[0].done()


def test_a_cancelled_one_gives_its_snapshot_back(store: LedgerStore) -> None:
    ledger, read = ledger_of(store), Waiting()
    future = store.live().submit(ledger.read_in_steps(read))
    assert read.waits.wait(60)
    future.cancel()
    store.put(("a",), "second", {})
    again = Waiting()
    again.go.set()
    assert store.live().wait(ledger.read_in_steps(again)) == (2, 2)
    assert again.begun[1] is read.begun[1]
    assert not again.begun[1].in_transaction


def test_a_failing_one_gives_its_snapshot_back(store: LedgerStore) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    ledger, read = ledger_of(store), Waiting(fail)
    read.go.set()
    with pytest.raises(ZeroDivisionError):
        store.live().wait(ledger.read_in_steps(read))
    assert not read.begun[1].in_transaction


@pytest.mark.parametrize("at", ["the beginning", "a later step"])
def test_a_locked_file_is_busy(store: LedgerStore, at: str) -> None:
    begun: list[apsw.Connection] = []

    def locked(connection: apsw.Connection) -> Steps[None]:
        begun.append(connection)
        if at == "a later step":
            yield SHORT
        raise apsw.BusyError

    with pytest.raises(StoreBusy):
        store.live().wait(ledger_of(store).read_in_steps(locked, patience=0))
    assert len(begun) == (2 if at == "a later step" else 1)


def test_one_that_finds_the_file_locked_tries_again(store: LedgerStore) -> None:
    begun: list[apsw.Connection] = []

    def locked(connection: apsw.Connection) -> Steps[int]:
        begun.append(connection)
        yield SHORT
        if len(begun) < 4:
            raise apsw.BusyError
        return counted(connection)

    assert store.live().wait(ledger_of(store).read_in_steps(locked)) == 1


def test_closing_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = LedgerStore.from_conn_string(path)
    store.put(("a",), "first", {})
    read = Waiting()
    future = store.live().submit(ledger_of(store).read_in_steps(read))
    assert read.waits.wait(60)
    store.close()
    with pytest.raises(CancelledError):
        future.result(60)
    assert not os.path.exists(f"{path}-wal")  # no connection is left: the last one out removes the log
    with pytest.raises(StoreClosed):
        store.search(())


def test_an_error_that_is_kept_keeps_no_state(store: LedgerStore) -> None:
    ledger, host = ledger_of(store), store.live()

    def stops(connection: apsw.Connection, cost: int) -> Steps[None]:
        rows = connection.execute("select item from items, sqlite_schema")
        next(rows)
        yield cost
        raise ValueError(f"stopped with {type(rows).__name__} at work")

    kept: list[BaseException] = []
    for cost in (1, SHORT):  # on the connection of all, and on that of long reads
        with pytest.raises(ValueError, match="stopped") as caught:
            host.wait(ledger.read_in_steps(partial(stops, cost=cost)))
        kept.append(caught.value)
    store.put(("a",), "second", {})
    assert store.get(("a",), "second") is not None
    assert len(store.search((), filter={"no": {"$exists": False}})) == 2


def test_an_erasure_waits_for_it_and_holds_no_writer_up(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory.db", embedder=None) as memory, ThreadPoolExecutor(1) as pool:
        memory.store.put(("a",), "first", {})
        memory.add("The boat is sold.", ADA)
        read = Waiting()
        reading = memory.live().submit(memory.core.ledger.read_in_steps(read))
        assert read.waits.wait(60)
        erased = pool.submit(memory.erase, "everything", ADA)
        while memory.list(ADA).items:
            pass
        memory.store.put(("a",), "second", {})
        assert not erased.done()
        read.go.set()
        assert erased.result(60).turns == 1
        assert reading.result(60) == (1, 1)


def test_where_another_key_fails_writing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(rekeying, "_copy", full)
    with Memory.open(tmp_path / "memory.db", embedder=None) as memory:
        memory.store.put(("a",), "first", {})
        read = Waiting()
        reading = memory.live().submit(memory.core.ledger.read_in_steps(read))
        assert read.waits.wait(60)
        read.waits.clear()
        with pytest.raises(StoreFull):
            memory.rekey("a key")
        assert read.waits.wait(60)  # it began anew
        memory.store.put(("a",), "second", {})
        read.go.set()
        assert reading.result(60) == (1, 1)


def test_another_key_amid_it_begins_it_anew(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m.db", embedder=None) as memory:
        memory.store.put(("a",), "first", {})
        ledger, read = memory.core.ledger, Waiting()
        future = memory.live().submit(ledger.read_in_steps(read))
        assert read.waits.wait(60)
        memory.rekey(RAW_KEY)
        memory.store.put(("a",), "second", {})  # which no reader holds up
        read.go.set()
        assert future.result(60) in ((1, 1), (2, 2))
        assert len(read.begun) == 3
        assert len(memory.store.search(())) == 2


def test_a_fork_amid_it_begins_it_anew_and_leaves_the_child_its_own(tmp_path: Path) -> None:
    [parent] = forks.run_each(
        """
        from memgraph import LedgerStore
        from memgraph.ledger.steps import SHORT, TURN
        def case(path):
            store = LedgerStore.from_conn_string(path)
            store.put(("a",), "parent", {"n": 1})
            begun, waits, go = [], threading.Event(), threading.Event()
            def read(connection):
                begun.append(connection)
                first = connection.execute("select count(*) from items").get
                rows = iter(connection.execute("select item from items, sqlite_schema"))
                next(rows)
                yield SHORT
                waits.set()
                while not go.is_set():
                    yield TURN
                next(rows)
                return first, connection.execute("select count(*) from items").get
            future = store.live().submit(store.home.core.ledger.read_in_steps(read))
            assert waits.wait(60)
            child = os.fork()
            if not child:
                try:
                    store.put(("a",), "child", {"n": 2})
                    go.set()
                    assert store.live().wait(store.home.core.ledger.read_in_steps(read)) == (2, 2)
                    store.close()
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            go.set()
            assert future.result(60) in ((1, 1), (2, 2))
            assert len(begun) == 3
            store.close()
            assert not os.path.exists(path + "-wal")
        """,
        [(tmp_path / "store.db",)],
    )
    assert parent.rc == 0, parent.stderr


def test_a_loop_of_ones_own_is_served_as_well(store: LedgerStore) -> None:
    """The async face, as the sync one."""
    read = Waiting()

    async def both() -> tuple[Any, Any]:
        host = store.live()
        long = asyncio.ensure_future(host.call(ledger_of(store).read_in_steps(read)))
        while not read.waits.is_set():
            await store.aget(("a",), "first")
        item = await store.aget(("a",), "first")
        assert not long.done()
        read.go.set()
        return item, await long

    item, counts = asyncio.run(both())
    assert item.key == "first"
    assert counts == (1, 1)
