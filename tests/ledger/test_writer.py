"""One writer a file: it groups what waits, and the failure of one operation takes nothing else with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import apsw
import pytest

from memgraph.errors import NotAMemoryFile, NotFound, StoreBusy, StoreError, StoreFull
from memgraph.ledger import writer as writers
from memgraph.ledger.handle import Ledger
from memgraph.ledger.writer import Writer
from support.memories import RAW_KEY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(str(tmp_path / "m.db"), None)
    yield opened
    opened.close()


def put(name: str) -> Any:
    def run(connection: apsw.Connection) -> None:
        connection.execute("insert into meta values (?, 1)", (name,))

    return run


def fail(error: BaseException) -> Any:
    def run(_: apsw.Connection) -> None:
        raise error

    return run


def names(ledger: Ledger) -> set[str]:
    rows = ledger.reader.execute("select name from meta where name like 'x%'").fetchall()
    return {name for (name,) in rows}


def held(ledger: Ledger) -> tuple[threading.Event, Future[Any]]:
    """Keep the writer busy, so that what is submitted next waits and forms one group."""
    gate = threading.Event()
    started = threading.Event()

    def hold(_: apsw.Connection) -> None:
        started.set()
        gate.wait(30)

    future = ledger.submit(hold, alone=True)
    assert started.wait(30)
    return gate, future


def test_what_waits_is_one_transaction(ledger: Ledger) -> None:
    gate, _ = held(ledger)
    seen: list[str] = []

    def note(_: apsw.Cursor, sql: str, __: object) -> bool:
        seen.append(sql)
        return True

    connection = ledger.writer._connection  # pyright: ignore[reportPrivateUsage]  # its thread waits
    assert connection is not None
    connection.exec_trace = note
    futures = [ledger.submit(put(f"x{n}"), durable=n == 3) for n in range(6)]
    gate.set()
    for future in futures:
        future.result(30)
    assert names(ledger) == {f"x{n}" for n in range(6)}
    assert [sql for sql in seen if sql in {"begin immediate", "commit"}] == ["begin immediate", "commit"]
    assert any("synchronous" in sql and "full" in sql for sql in seen)


def test_one_failure_takes_nothing_else_with_it(ledger: Ledger) -> None:
    gate, _ = held(ledger)
    good = [ledger.submit(put("x1")), ledger.submit(put("x2"))]
    bad = ledger.submit(fail(NotFound("no such turn")))
    doubled = ledger.submit(put("x1"))
    after = ledger.submit(put("x3"))
    gate.set()
    for future in (*good, after):
        future.result(30)
    with pytest.raises(NotFound):
        bad.result(30)
    with pytest.raises(StoreError, match="ConstraintError"):
        doubled.result(30)
    assert names(ledger) == {"x1", "x2", "x3"}


@pytest.mark.parametrize(("error", "ours"), [(apsw.FullError("full"), StoreFull), (apsw.CorruptError("x"), StoreError)])
def test_where_the_engine_may_have_rolled_back_the_whole_group_fails(
    ledger: Ledger, error: Exception, ours: type[Exception]
) -> None:
    gate, _ = held(ledger)
    first, second, third = ledger.submit(put("x1")), ledger.submit(fail(error)), ledger.submit(put("x2"))
    gate.set()
    for future in (first, second, third):
        with pytest.raises(ours):
            future.result(30)
    assert names(ledger) == set()
    ledger.submit(put("x4")).result(30)
    assert names(ledger) == {"x4"}


def test_an_operation_that_ends_the_transaction_fails_the_group(ledger: Ledger) -> None:
    def end(connection: apsw.Connection) -> None:
        connection.execute("rollback")
        raise ValueError("and then this")

    gate, _ = held(ledger)
    futures = [ledger.submit(put("x1")), ledger.submit(end)]
    gate.set()
    for future in futures:
        with pytest.raises((ValueError, StoreError)):
            future.result(30)
    ledger.submit(put("x2")).result(30)
    assert names(ledger) == {"x2"}


def test_a_cancelled_operation_that_has_not_begun_is_not_run(ledger: Ledger) -> None:
    gate, _ = held(ledger)
    group, alone = ledger.submit(put("x1")), ledger.submit(put("x2"), alone=True)
    assert group.cancel()
    assert alone.cancel()
    gate.set()
    ledger.submit(put("x3")).result(30)
    with pytest.raises(CancelledError):
        group.result(30)
    assert names(ledger) == {"x3"}


def test_an_operation_that_runs_alone_is_in_no_transaction(ledger: Ledger) -> None:
    assert ledger.submit(lambda c: c.in_transaction, alone=True).result(30) is False
    assert ledger.submit(lambda c: c.in_transaction).result(30) is True
    with pytest.raises(NotFound):
        ledger.submit(fail(NotFound("x")), alone=True).result(30)


def test_order_is_kept_around_an_operation_that_runs_alone(ledger: Ledger) -> None:
    gate, _ = held(ledger)
    seen: list[int] = []
    futures = [ledger.submit(lambda _, number: seen.append(number), n, alone=n == 2) for n in range(5)]
    gate.set()
    for future in futures:
        future.result(30)
    assert seen == [0, 1, 2, 3, 4]


def test_stopping_finishes_what_is_queued(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "m.db"), None)
    gate, _ = held(ledger)
    futures = [ledger.submit(put(f"x{n}")) for n in range(400)]
    gate.set()
    ledger.close()
    assert all(future.done() and future.exception() is None for future in futures)
    again = Ledger(str(tmp_path / "m.db"), None)
    assert len(names(again)) == 400
    again.close()


def test_handles_share_a_writer_and_the_last_one_stops_it(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")
    one, other = Ledger(path, None), Ledger(path, None)
    assert one.writer is other.writer
    one.close()
    other.submit(put("x1")).result(30)
    other.close()
    assert path not in writers._writers  # pyright: ignore[reportPrivateUsage]  # that it is gone is the point


def test_a_handle_with_another_key(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")
    one = Ledger(path, RAW_KEY)
    for key in (None, b"x" * 32, "text"):
        with pytest.raises((NotAMemoryFile, StoreBusy)):
            Ledger(path, key)
    assert one.writer.handles == 1
    one.close()


def test_a_file_that_cannot_be_opened_leaves_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(NotAMemoryFile):
        Writer(str(path), None, None)
    with pytest.raises(NotAMemoryFile):
        Ledger(str(path), None)
    assert str(path) not in writers._writers  # pyright: ignore[reportPrivateUsage]  # that none is left is the point
