"""What becomes of facts when the turns that say them are withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memgraph.ledger import commits, facts, operations, owners, turns
from memgraph.ledger.operations import Effects, Entry

if TYPE_CHECKING:
    import apsw


def is_said(connection: apsw.Connection, owner: int, row: int) -> bool:
    """Whether a turn that is believed says a fact."""
    return any(turns.is_believed(connection, owner, turn) for turn in facts.cites(connection, owner, row))


def let_go(connection: apsw.Connection, owner: owners.Owner, gone: Iterable[int], now: int, reason: str) -> int:
    """End belief in the facts that no believed turn says any more. Returns the owner's commit number.

    Args:
        connection: The writer's, inside the transaction that withdrew the turns.
        owner: The owner, as it is in this transaction.
        gone: Rows of the turns that were withdrawn.
        now: Microseconds UTC.
        reason: Kept with the operations.
    """
    withdrawn: list[int] = []
    for row, head in facts.heads(connection, owner.owner, facts.citing(connection, owner.owner, gone)).items():
        if is_said(connection, owner.owner, row):
            continue
        cited = facts.cites(connection, owner.owner, row)
        number = operations.next_number(connection, owner.owner)
        facts.withdraw(connection, owner.owner, row, seq=owner.seq + 1, now=now)
        operations.record(
            connection,
            owner.owner,
            Entry(number, "DELETE", "retracted", None, row, turns=cited, reason=reason),
            Effects(facts=[(row, head.version, 0)]),
            seq=owner.seq + 1,
            now=now,
        )
        withdrawn.append(row)
    if not withdrawn:
        return owner.seq
    return commits.record(connection, owner.owner, at=now, kind="facts", touched=withdrawn)
