"""The outbox: leased in order within an owner, fenced, put off after a failure, kept after the last."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from memgraph.ledger import jobs, owners
from memgraph.ledger.handle import Ledger


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    ledger = Ledger(str(tmp_path / "m.db"), None)
    ledger.close()
    opened = apsw.Connection(str(tmp_path / "m.db"))
    for name in (b"ada", b"bob"):
        owners.ensure(opened, name)
    yield opened
    opened.close()


def lease(connection: apsw.Connection, now: int, owner: int | None = None) -> jobs.Job:
    job = jobs.lease(connection, now, owner)
    assert job is not None
    return job


def test_in_order_within_an_owner_and_one_at_a_time(connection: apsw.Connection) -> None:
    first = jobs.enqueue(connection, 1, 1, rows=[1, 2], now=0)
    jobs.enqueue(connection, 1, 2, rows=[3], now=0)
    other = jobs.enqueue(connection, 2, 1, rows=[1], now=0)
    leased = lease(connection, 1)
    assert (leased.job, leased.rows, leased.attempt, leased.fence) == (first, [1, 2], 1, 1)
    assert lease(connection, 1).job == other
    assert jobs.lease(connection, 1, None) is None
    jobs.finish(connection, leased)
    assert lease(connection, 2, 1).rows == [3]


def test_a_lease_ends(connection: apsw.Connection) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    first = lease(connection, 0)
    assert jobs.lease(connection, jobs.LEASE_US - 1, None) is None
    second = lease(connection, jobs.LEASE_US)
    assert second.fence == first.fence + 1
    assert not jobs.is_ours(connection, first, jobs.LEASE_US)
    assert jobs.is_ours(connection, second, jobs.LEASE_US)
    jobs.finish(connection, first)  # too late: it changes nothing
    assert jobs.outlook(connection, second.job, jobs.LEASE_US) == (1, "goes on")


def test_renewing_keeps_a_lease(connection: apsw.Connection) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    job = lease(connection, 0)
    assert jobs.is_ours(connection, job, jobs.LEASE_US - 1)
    assert jobs.lease(connection, jobs.LEASE_US + 1, None) is None


@pytest.mark.parametrize(
    ("holder", "taken"),
    [
        (f"{socket.gethostname()}:{2**22 + 7}:abc", True),  # a process that is not there
        (f"{socket.gethostname()}:{os.getpid()}:another", True),  # our number, an earlier life
        ("another-machine:1:abc", False),
        (f"{socket.gethostname()}:{os.getppid()}:abc", False),  # alive
        (f"{socket.gethostname()}:1:abc", False),  # alive, and not ours to signal
    ],
    ids=["dead", "an earlier life", "another machine", "alive", "not ours to signal"],
)
def test_a_holder_that_died_is_noticed_on_its_own_machine(
    connection: apsw.Connection, holder: str, taken: bool
) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    lease(connection, 0)
    connection.execute("update outbox set lease_owner = ?", (holder,))
    assert (jobs.lease(connection, 1, None) is not None) is taken


def test_a_process_that_may_not_be_signalled_is_alive(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(pid: int, signal: int) -> None:
        raise PermissionError

    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    lease(connection, 0)
    connection.execute("update outbox set lease_owner = ?", (f"{socket.gethostname()}:1:abc",))
    monkeypatch.setattr(os, "kill", kill)
    assert jobs.lease(connection, 1, None) is None


def test_failures_are_put_off_twice_as_long_each_time_and_kept_at_last(connection: apsw.Connection) -> None:
    number = jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    now = 0
    waits: list[int] = []
    for _ in range(jobs.MAX_ATTEMPTS):
        job = lease(connection, now)
        jobs.fail(connection, job, now, "EmbedderUnavailable: deadline")
        due = jobs.next_due(connection)
        if due is not None:
            assert jobs.lease(connection, due - 1, None) is None
            assert jobs.outlook(connection, number, now) == (1, "put off")
            waits.append(due - now)
            now = due
    assert [wait // waits[0] for wait in waits] == [1, 2, 4, 8]
    assert jobs.states(connection) == [("failed", "EmbedderUnavailable: deadline", 1)]
    assert jobs.next_due(connection) is None
    assert jobs.outlook(connection, number, now) == (1, "put off")
    assert jobs.retry_failed(connection, now) == 1
    assert lease(connection, now).attempt == 1


def test_a_job_behind_one_that_was_put_off_is_put_off(connection: apsw.Connection) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    second = jobs.enqueue(connection, 1, 2, rows=[2], now=0)
    jobs.fail(connection, lease(connection, 0), 0, "x")
    assert jobs.outlook(connection, second, 0) == (1, "put off")
    assert jobs.lease(connection, 0, 1) is None


def test_a_job_that_kills_its_holders_is_given_up(connection: apsw.Connection) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    for n in range(jobs.MAX_ATTEMPTS):
        lease(connection, n * jobs.LEASE_US)
    assert jobs.lease(connection, 100 * jobs.LEASE_US, None) is None
    assert jobs.states(connection) == [("failed", "Crashed", 1)]


def test_jobs_are_given_back_untried(connection: apsw.Connection) -> None:
    jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    mine = lease(connection, 0)
    jobs.release_all(connection, [mine])
    again = lease(connection, 0)
    assert (again.attempt, again.fence) == (1, 2)
    jobs.release_all(connection, [mine])  # somebody else's by now
    assert jobs.is_ours(connection, again, 0)


def test_a_job_that_is_done_is_gone(connection: apsw.Connection) -> None:
    number = jobs.enqueue(connection, 1, 1, rows=[1], now=0)
    jobs.finish(connection, lease(connection, 0))
    assert jobs.outlook(connection, number, 0) is None
    assert jobs.states(connection) == []
