"""Erasure: turns removed physically, their neighbours' index parts rebuilt, and what remains asked for again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import apsw

from memgraph.errors import StoreBusy, StoreError
from memgraph.ledger import codec, commits, faults, jobs, owners, traces, unmaking
from memgraph.ledger.turns import batches, carray, detach, ids, said
from memgraph.ledger.unmaking import Unmade


def erase(
    connection: apsw.Connection, owner: int, rows: Iterable[int], now: int
) -> tuple[dict[str, int], int, int, Unmade]:
    """Remove turns and everything that was made of them, in one transaction.

    The turns' keys stay, without a row: the same messages sent again from a thread's history are known as erased. They
    are keyed digests and say nothing of the words.

    Returns:
        (rows removed by table, neighbours to be indexed again, the erasing commit's number, what was made of them).
    """
    gone = set(rows)
    bound = carray(gone)
    identities = ids(connection, owner, gone)
    unmade = unmaking.unmake(connection, owner, gone, seq=owners.numbered(connection, owner).seq + 1, now=now)
    places = [
        place
        for (place,) in connection.execute(
            "select distinct place from turns where owner = ? and row in carray(?)", (owner, bound)
        )
    ]
    removed = dict(unmade.removed)
    # The turns go first: what looks for a neighbour's new context must not find them.
    connection.execute("delete from turns where owner = ? and row in carray(?)", (owner, bound))
    removed["turns"] = connection.changes()
    rebuilt = detach(connection, owner, gone)
    for table, sql in (
        ("postings", "delete from postings where owner = ? and row in carray(?)"),
        ("vectors", "delete from vectors where owner = ? and row in carray(?)"),
    ):
        connection.execute(sql, (owner, bound))
        removed[table] = removed.get(table, 0) + connection.changes()
    connection.execute("update turn_keys set row = null where owner = ? and row in carray(?)", (owner, bound))
    connection.execute("update turns set replaces = null where owner = ? and replaces in carray(?)", (owner, bound))
    removed["traces"] = traces.drop_naming(connection, owner, identities | unmade.ids)
    removed["outbox"] = _shrink_jobs(connection, owner, gone, {*unmade.facts})
    removed["places"] = _drop_empty_places(connection, owner, places)
    _forget_causes(connection, owner, gone)
    touched = [*gone, *rebuilt, *unmade.facts, *unmade.entities, *unmade.changed]
    seq = commits.record(connection, owner, at=now, kind="erase", touched=touched)
    connection.executemany(
        "insert or replace into tombstones values (?, ?, ?, ?)", [(owner, row, seq, now) for row in sorted(gone)]
    )
    if rebuilt:
        jobs.enqueue(connection, owner, seq, rows=rebuilt, now=now)
    _make_again(connection, owner, seq, unmade.again, now)
    faults.point("erase.deleted")
    return removed, len(rebuilt), seq, unmade


def _shrink_jobs(connection: apsw.Connection, owner: int, gone: set[int], facts: set[int]) -> int:
    """Take the rows out of the jobs, with what was made of them; a job left without any goes.

    Who makes facts loses a job that is changed, and any that runs now: what a model answers to words that are gone,
    also of a turn's neighbours or of what an earlier job left, is never stored.
    """
    dropped = 0
    for job, kind, state, packed, draft, decision in connection.execute(
        "select job, kind, state, rows, draft, decision from outbox where owner = ?", (owner,)
    ).fetchall():
        rows = commits.unpack(packed)
        left = [row for row in rows if row not in gone]
        if not left:
            connection.execute("delete from outbox where job = ?", (job,))
            dropped += 1
            continue
        connection.execute("update outbox set rows = ? where job = ?", (commits.pack(left), job))
        stale = len(left) < len(rows) or _is_stale(draft, gone)
        undecided = stale or _has_weighed(decision, facts)
        if kind == "facts" and (undecided or state == "leased"):
            connection.execute(
                "update outbox set draft = ?, decision = ?, fence = fence + 1, attempt = 0,"
                " state = iif(state = 'failed', state, 'ready'), lease_owner = null where job = ?",
                (None if stale else draft, None if undecided else decision, job),
            )
    return dropped


def _is_stale(draft: bytes | None, gone: set[int]) -> bool:
    """Whether what extraction stored was made of any of some turns, or beside them."""
    if draft is None:
        return False
    made = json.loads(codec.decode(draft))
    return not gone.isdisjoint([*made["rows"], *made.get("context_rows", ())])


def _has_weighed(decision: bytes | None, facts: set[int]) -> bool:
    """Whether what consolidation stored was decided beside any of some facts."""
    if decision is None:
        return False
    return not facts.isdisjoint(row for row, _ in json.loads(codec.decode(decision))["known"].values())


def _make_again(connection: apsw.Connection, owner: int, seq: int, rows: Sequence[int], now: int) -> None:
    """Ask for facts of turns that are believed, of each agent's apart: no turn tells of another agent's facts."""
    agents: defaultdict[str | None, dict[int, int]] = defaultdict(dict)
    for turn in said(connection, owner, rows):
        agents[turn.agent_id][turn.row] = len(codec.decode(turn.text))
    for lengths in agents.values():
        for batch in batches([*lengths], [*lengths.values()]):
            jobs.enqueue(connection, owner, seq, rows=batch, now=now, kind="facts")


def _drop_empty_places(connection: apsw.Connection, owner: int, places: Iterable[int]) -> int:
    """Remove the names of threads and sessions in which nothing is left."""
    dropped = 0
    for place in places:
        connection.execute(
            "delete from places where owner = ? and place = ? and not exists"
            " (select 1 from turns where owner = ? and place = ?)",
            (owner, place, owner, place),
        )
        dropped += connection.changes()
    return dropped


def _forget_causes(connection: apsw.Connection, owner: int, gone: set[int]) -> None:
    """Clear cause and reason of the commits that brought what is gone: they name threads, a reason may quote."""
    seqs = [
        seq
        for seq, touched in connection.execute(
            "select seq, touched from commits where owner = ? and (cause is not null or reason is not null)", (owner,)
        )
        if not gone.isdisjoint(commits.unpack(touched))
    ]
    connection.execute(
        "update commits set cause = null, reason = null where owner = ? and seq in carray(?)", (owner, carray(seqs))
    )


def truncate(connection: apsw.Connection, path: str) -> None:
    """Empty the write-ahead log into the file: until then it still holds what was deleted.

    Raises:
        StoreBusy: A reader holds an old snapshot.
    """
    busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchall()[0]
    if busy:
        raise StoreBusy(
            f"`{path}`: the rows are erased from every query, but another connection still reads an old snapshot, so "
            "their bytes are in the log; end it and call erase again with the same argument"
        )


def compact(connection: apsw.Connection, path: str) -> None:
    """Rewrite the file without what was deleted. secure_delete alone leaves fragments in page gaps; VACUUM none."""
    truncate(connection, path)
    faults.point("erase.truncated")
    connection.execute("vacuum")
    truncate(connection, path)


def verify(connection: apsw.Connection, owner: int, rows: Iterable[int], gone: set[str], unmade: Unmade) -> None:
    """Drop the traces of searches that were under way, and ask every table again.

    Args:
        connection: The writer's.
        owner: The owner.
        rows: Rows of the turns.
        gone: Their ids.
        unmade: What was made of them.

    Raises:
        StoreError: Something of what was erased is still there.
    """
    traces.drop_naming(connection, owner, gone)
    rows = set(rows)
    bound = carray(rows)
    left = {
        "turns": connection.execute(
            "select count(*) from turns where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "postings": connection.execute(
            "select count(*) from postings where owner = ? and (row in carray(?) or before in carray(?))",
            (owner, bound, bound),
        ).get,
        "vectors": connection.execute(
            "select count(*) from vectors where owner = ? and (row in carray(?) or before in carray(?))",
            (owner, bound, bound),
        ).get,
        "turn_keys": connection.execute(
            "select count(*) from turn_keys where owner = ? and row in carray(?)", (owner, bound)
        ).get,
        "ids": sum(
            connection.execute("select count(*) from turns where owner = ? and id = ?", (owner, UUID(one).bytes)).get
            for one in gone
        ),
    }
    made = unmaking.left(connection, owner, rows, unmade.facts, unmade.entities)
    left["jobs"] = sum(
        not rows.isdisjoint(commits.unpack(packed)) or _is_stale(draft, rows) or _has_weighed(decision, {*unmade.facts})
        for packed, draft, decision in connection.execute(
            "select rows, draft, decision from outbox where owner = ?", (owner,)
        )
    )
    left |= {f"facts: {table}": count for table, count in made.items()}
    found = {table: count for table, count in left.items() if count}
    if found:
        raise StoreError(f"erasure could not be verified, rows are left: {found}")
