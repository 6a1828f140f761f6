"""What was done to facts: which operations, and who may know of them."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from memgraph.ledger import commits, operations
from memgraph.ledger.turns import carray


def on_fact(connection: apsw.Connection, owner: int, row: int) -> list[int]:
    """Return the numbers of the operations that brought, changed, confirmed or contradict a fact, or undid one."""
    return [
        number
        for (number,) in connection.execute(
            "with recursive done(number) as ("
            "select operation from fact_versions where owner = ?1 and row = ?2"
            " union select operation from evidence where owner = ?1 and fact = ?2"
            " union select operation from fact_links where owner = ?1 and (source = ?2 or target = ?2)"
            " union select operation from operations where owner = ?1 and (fact = ?2 or target = ?2)"
            " union select o.undone_by from done join operations o on o.owner = ?1 and o.operation = done.number"
            " where o.undone_by is not null) select number from done order by number",
            (owner, row),
        )
    ]


def newest(connection: apsw.Connection, owner: int, agent_id: str | None, *, before: int, limit: int) -> list[int]:
    """Return the numbers of the newest operations below a number, the newest first, of those that an agent sees."""
    found: list[int] = []
    while len(found) < limit:
        batch = [
            number
            for (number,) in connection.execute(
                "select operation from operations where owner = ? and operation < ? order by operation desc limit ?",
                (owner, before, limit),
            )
        ]
        if not batch:
            break
        before = batch[-1]
        found += batch if agent_id is None else _seen(connection, owner, batch, agent_id)
    return found[:limit]


def _seen(connection: apsw.Connection, owner: int, numbers: Sequence[int], agent_id: str) -> list[int]:
    """Return those operations of which everything is the agent's or nobody's: facts, entities and turns."""
    touched: dict[int, set[int]] = {}
    for number, fact, target, turns, effects in connection.execute(
        "select operation, fact, target, turns, effects from operations where owner = ? and operation in carray(?)",
        (owner, carray(numbers)),
    ):
        changed = operations.Effects.load(effects or "{}")
        rows = changed.rows() | changed.entities() | {row for row in (fact, target) if row is not None}
        touched[number] = rows | set(commits.unpack(turns))
    bound = carray({row for rows in touched.values() for row in rows})
    private = {
        row
        for (row,) in connection.execute(
            "select row from facts where owner = ?1 and row in carray(?2) and agent_id <> ?3"
            " union all select row from entities where owner = ?1 and row in carray(?2) and agent_id <> ?3"
            " union all select t.row from turns t join places p on p.owner = t.owner and p.place = t.place"
            " where t.owner = ?1 and t.row in carray(?2) and p.agent_id <> ?3",
            (owner, bound, agent_id),
        )
    }
    return [number for number in numbers if number in touched and private.isdisjoint(touched[number])]
