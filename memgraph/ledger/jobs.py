"""The outbox: jobs that go on with what a commit brought. At-least-once, in order within an owner."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import apsw

from memgraph.ledger import commits

LEASE_US: Final = 60_000_000
"""How long a job is somebody's. A live holder renews it; one that died is noticed at once on its own machine."""

MAX_ATTEMPTS: Final = 5
"""Failed so often, a job is kept as `failed`, with the class of its error."""

Kind = Literal["index", "facts"]
"""What a job does: give turns and facts their vectors; make facts of turns. An owner's jobs of a kind run in order."""

EVERY: Final[tuple[Kind, ...]] = ("index", "facts")

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
        draft: What extraction stored with it. `decision`: what consolidation did.
    """

    job: int
    owner: int
    rows: list[int]
    attempt: int
    fence: int
    kind: Kind = "index"
    draft: bytes | None = None
    decision: bytes | None = None

    @property
    def stage(self) -> Literal["index", "extract", "consolidate", "merge_graph"]:
        """What is to be done next."""
        if self.kind == "index":
            return "index"
        return "extract" if self.draft is None else "consolidate" if self.decision is None else "merge_graph"


def enqueue(
    connection: apsw.Connection, owner: int, seq: int, *, rows: Iterable[int], now: int, kind: Kind = "index"
) -> int:
    """Write a job about rows of a commit. In that commit's own transaction."""
    connection.execute(
        "insert into outbox(owner, seq, kind, state, rows, available_at, created_at)"
        " values (?, ?, ?, 'ready', ?, ?, ?)",
        (owner, seq, kind, commits.pack(rows), now, now),
    )
    return connection.last_insert_rowid()


def lease(connection: apsw.Connection, now: int, owner: int | None = None, kinds: Sequence[Kind] = EVERY) -> Job | None:
    """Lease the oldest open job that may run, of one owner or of all. An owner's jobs of a kind run in order."""
    for job, attempt in _due(connection, now, owner, kinds):
        if attempt >= MAX_ATTEMPTS:  # its holders died, each time: it may be what kills them
            connection.execute(
                "update outbox set state = 'failed', error_class = 'Crashed', lease_owner = null where job = ?", (job,)
            )
            continue
        connection.execute(
            "update outbox set state = 'leased', lease_owner = ?, lease_until = ?, fence = fence + 1,"
            " attempt = attempt + 1 where job = ?",
            (holder(), now + LEASE_US, job),
        )
        row = connection.execute(
            "select job, owner, rows, attempt, fence, kind, draft, decision from outbox where job = ?", (job,)
        ).fetchall()[0]
        return Job(row[0], row[1], commits.unpack(row[2]), *row[3:])
    return None


def due(
    connection: apsw.Connection, now: int, kinds: Sequence[Kind] = EVERY, but: Collection[int] = ()
) -> tuple[int, Kind] | None:
    """Return (job, kind) of the oldest open job that may run now, `but` for some; None if none may."""
    for job, _ in _due(connection, now, None, kinds):
        if job in but:
            continue
        kind: Kind = connection.execute("select kind from outbox where job = ?", (job,)).get
        return job, kind
    return None


def _due(connection: apsw.Connection, now: int, owner: int | None, kinds: Sequence[Kind]) -> Iterator[tuple[int, int]]:
    """Yield (job, attempts so far) of the jobs that may run: the first of each owner and kind, if it is nobody's."""
    rows = connection.execute(
        "select job, attempt, kind, state, available_at, lease_owner, lease_until"
        f" from outbox o where state in {_OPEN_STATES} and (? is null or owner = ?) and job = (select min(job)"
        f" from outbox i where i.owner = o.owner and i.kind = o.kind and i.state in {_OPEN_STATES}) order by job",
        (owner, owner),
    ).fetchall()
    for job, attempt, kind, state, available_at, lease_owner, lease_until in rows:
        held = state == "leased" and lease_until > now and _is_alive(lease_owner)
        waits = state != "leased" and available_at > now
        if kind in kinds and not held and not waits:
            yield job, attempt


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


def store(
    connection: apsw.Connection,
    job: Job,
    *,
    draft: bytes | None,
    decision: bytes | None,
    rows: Iterable[int] | None = None,
) -> None:
    """Keep what a stage made and give the job back for the next one.

    Args:
        connection: The writer's.
        job: The job.
        draft: What extraction made.
        decision: What consolidation made of it.
        rows: Turns that the job is about from now on; None for those that it was about.
    """
    connection.execute(
        "update outbox set draft = ?, decision = ?, rows = ifnull(?, rows), state = 'ready', attempt = 0,"
        " error_class = null, lease_owner = null where job = ? and fence = ?",
        (draft, decision, None if rows is None else commits.pack(rows), job.job, job.fence),
    )


def fail(connection: apsw.Connection, job: Job, now: int, error_class: str, final: bool = False) -> None:
    """Give a job back to be tried again later, twice as late each time; after the last attempt keep it as failed.

    Args:
        connection: The writer's.
        job: The job.
        now: Microseconds UTC.
        error_class: What it failed with.
        final: Whether trying again is of no use.
    """
    state = "retry" if job.attempt < MAX_ATTEMPTS and not final else "failed"
    connection.execute(
        "update outbox set state = ?, available_at = ?, error_class = ?, lease_owner = null"
        " where job = ? and fence = ?",
        (state, now + (_BACKOFF_US << (job.attempt - 1)), error_class, job.job, job.fence),
    )


def carried(connection: apsw.Connection, job: Job, error_class: str) -> dict[int, list[int]]:
    """Return the rows, by job, of the owner's earlier jobs that failed for good this way and were not tried again."""
    return {
        failed: commits.unpack(rows)
        for failed, rows in connection.execute(
            "select job, rows from outbox where owner = ? and kind = ? and state = 'failed' and error_class = ?"
            " and carried = 0 and job < ? order by job",
            (job.owner, job.kind, error_class, job.job),
        )
    }


def settle_carried(connection: apsw.Connection, failed: Iterable[int], *, done: bool) -> None:
    """Drop failed jobs whose rows a later one took along with success; else note that they were tried again."""
    sql = "delete from outbox where job = ?" if done else "update outbox set carried = 1 where job = ?"
    connection.executemany(sql, [(job,) for job in failed])


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
        "update outbox set state = 'ready', attempt = 0, carried = 0, available_at = ? where state = 'failed'", (now,)
    )
    return connection.changes()


def outlook(connection: apsw.Connection, job: int, now: int) -> tuple[int, str] | None:
    """Return (owner, outlook) of a job, None once it is done.

    The outlook is "put off" where the job failed, or the owner's first one is not due yet; else "goes on".
    """
    row = connection.execute("select owner, state, kind from outbox where job = ?", (job,)).fetchone()
    if row is None:
        return None
    head = connection.execute(
        f"select state, available_at from outbox where owner = ? and kind = ? and state in {_OPEN_STATES}"
        " order by job limit 1",
        (row[0], row[2]),
    ).fetchone()
    waits = row[1] == "failed" or head is None or (head[0] != "leased" and head[1] > now)
    return row[0], "put off" if waits else "goes on"


def next_due(connection: apsw.Connection, kinds: Sequence[Kind] = EVERY) -> int | None:
    """Return when the next open job may run (microseconds UTC), None if none is open."""
    due: int | None = connection.execute(
        f"select min(case state when 'leased' then lease_until else available_at end) from outbox"
        f" where state in {_OPEN_STATES} and kind in (?, ?)",
        (*kinds, None, None)[:2],
    ).get
    return due


def hindrance(connection: apsw.Connection, job: int) -> str:
    """Return the class of the error with which a job that was put off last failed, "Waiting" behind one that did."""
    found: str | None = connection.execute("select error_class from outbox where job = ?", (job,)).get
    return found or "Waiting"


def states(connection: apsw.Connection) -> list[tuple[str, str | None, int]]:
    """Return (state, error class, count) of all jobs there are."""
    return connection.execute(
        "select state, error_class, count(*) from outbox group by state, error_class order by state"
    ).fetchall()
