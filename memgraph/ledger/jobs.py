"""The outbox: jobs that go on with what a commit brought. At-least-once, in order within an owner."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import apsw

from memgraph.ledger import commits

LEASE_US: Final = 60_000_000
"""How long a job is somebody's. A live holder renews it; one that died is noticed at once on its own machine."""

MAX_ATTEMPTS: Final = 5
"""Failed so often, a job is kept as `failed`, with the class of its error."""

_BACKOFF_US: Final = 1_000_000
_OPEN_STATES: Final = "('ready', 'retry', 'leased')"

_incarnation = uuid.uuid4().hex[:12]


def holder() -> str:
    """Return this process's name as a lease holder: machine, pid, incarnation."""
    return f"{socket.gethostname()}:{os.getpid()}:{_incarnation}"


def _is_alive(name: str) -> bool:
    """Whether a lease's holder may still run; another machine's is believed to until its lease ends."""
    host, pid, incarnation = name.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    if int(pid) == os.getpid():
        return incarnation == _incarnation
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job.

    Attributes:
        fence: Grows with every lease; a write with an older one is refused.
    """

    job: int
    owner: int
    rows: list[int]
    attempt: int
    fence: int


def enqueue(connection: apsw.Connection, owner: int, seq: int, *, rows: Iterable[int], now: int) -> int:
    """Write a job about rows of a commit. In that commit's own transaction."""
    connection.execute(
        "insert into outbox(owner, seq, kind, state, rows, available_at, created_at)"
        " values (?, ?, 'index', 'ready', ?, ?, ?)",
        (owner, seq, commits.pack(rows), now, now),
    )
    return connection.last_insert_rowid()


def lease(connection: apsw.Connection, now: int, owner: int | None = None) -> Job | None:
    """Lease the oldest open job that may run, of one owner or of all. An owner's jobs run in order, one at a time."""
    rows = connection.execute(
        "select job, owner, rows, attempt, fence, state, available_at, lease_owner, lease_until from outbox o"
        f" where state in {_OPEN_STATES} and (? is null or owner = ?) and job ="
        f" (select min(job) from outbox i where i.owner = o.owner and i.state in {_OPEN_STATES}) order by job",
        (owner, owner),
    ).fetchall()
    for job, of, packed, attempt, fence, state, available_at, lease_owner, lease_until in rows:
        if state == "leased" and lease_until > now and _is_alive(lease_owner):
            continue
        if state != "leased" and available_at > now:
            continue
        if attempt >= MAX_ATTEMPTS:  # its holders died, each time: it may be what kills them
            connection.execute(
                "update outbox set state = 'failed', error_class = 'Crashed', lease_owner = null where job = ?", (job,)
            )
            continue
        connection.execute(
            "update outbox set state = 'leased', lease_owner = ?, lease_until = ?, fence = ?, attempt = ?"
            " where job = ?",
            (holder(), now + LEASE_US, fence + 1, attempt + 1, job),
        )
        return Job(job, of, commits.unpack(packed), attempt + 1, fence + 1)
    return None


def is_ours(connection: apsw.Connection, job: Job, now: int) -> bool:
    """Whether the lease still holds; renews it. A write for a job happens only then."""
    connection.execute(
        "update outbox set lease_until = ? where job = ? and fence = ? and state = 'leased'",
        (now + LEASE_US, job.job, job.fence),
    )
    return connection.changes() == 1


def finish(connection: apsw.Connection, job: Job) -> None:
    """Mark a job as done and drop it: its commits say what it did."""
    connection.execute("delete from outbox where job = ? and fence = ?", (job.job, job.fence))


def fail(connection: apsw.Connection, job: Job, now: int, error_class: str) -> None:
    """Give a job back to be tried again later, twice as late each time; after the last attempt keep it as failed."""
    state = "retry" if job.attempt < MAX_ATTEMPTS else "failed"
    connection.execute(
        "update outbox set state = ?, available_at = ?, error_class = ?, lease_owner = null"
        " where job = ? and fence = ?",
        (state, now + (_BACKOFF_US << (job.attempt - 1)), error_class, job.job, job.fence),
    )


def release_all(connection: apsw.Connection, leased: Iterable[Job]) -> None:
    """Give jobs back untried, as when the memory closes; those that are somebody else's by now stay so."""
    connection.executemany(
        "update outbox set state = 'ready', attempt = attempt - 1, lease_owner = null"
        " where job = ? and fence = ? and state = 'leased'",
        [(job.job, job.fence) for job in leased],
    )


def retry_failed(connection: apsw.Connection, now: int) -> int:
    """Open all failed jobs again. Returns how many."""
    connection.execute(
        "update outbox set state = 'ready', attempt = 0, available_at = ? where state = 'failed'", (now,)
    )
    return connection.changes()


def outlook(connection: apsw.Connection, job: int, now: int) -> tuple[int, str] | None:
    """Return (owner, outlook) of a job, None once it is done.

    The outlook is "put off" where the job, or one of its owner's before it, failed and is not due yet; else "goes on".
    """
    row = connection.execute("select owner, state from outbox where job = ?", (job,)).fetchone()
    if row is None:
        return None
    head = connection.execute(
        f"select state, available_at from outbox where owner = ? and state in {_OPEN_STATES} order by job limit 1",
        (row[0],),
    ).fetchone()
    waits = row[1] == "failed" or head is None or (head[0] == "retry" and head[1] > now)
    return row[0], "put off" if waits else "goes on"


def next_due(connection: apsw.Connection) -> int | None:
    """Return when the next open job may run (microseconds UTC), None if none is open."""
    due: int | None = connection.execute(
        f"select min(case state when 'leased' then lease_until else available_at end) from outbox"
        f" where state in {_OPEN_STATES}"
    ).get
    return due


def states(connection: apsw.Connection) -> list[tuple[str, str | None, int]]:
    """Return (state, error class, count) of all jobs there are."""
    return connection.execute(
        "select state, error_class, count(*) from outbox group by state, error_class order by state"
    ).fetchall()
