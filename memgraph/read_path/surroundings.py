"""Who stands to whom around a name: a part of the graph, as a scope sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgraph.core import Core
from memgraph.ledger import owners
from memgraph.ledger.around import View
from memgraph.ledger.around import around as _around
from memgraph.records import Graph
from memgraph.scope import Scope
from memgraph.writing.resolution import alias_key

if TYPE_CHECKING:
    import apsw


async def around(
    core: Core,
    scope: Scope,
    name: str | None,
    *,
    hops: int = 2,
    limit: int = 50,
    as_of: int | None = None,
    known_at: int | None = None,
) -> Graph:
    """Return entities and relations around a name, nearest first; an unknown name has none.

    Args:
        core: The memory.
        scope: Whose. One that names an agent sees that agent's and nobody's.
        name: Any name of an entity, however it is written; None for the entities with the most relations.
        hops: Relations between the name and an entity, at most; 0 for the entity alone.
        limit: Entities, and relations, at most.
        as_of: When it is to be true, microseconds UTC; None for now.
        known_at: When it is to be believed, microseconds UTC; None for now.
    """
    owner_key, now = core.owner_key(scope), core.clock()

    def look(connection: apsw.Connection) -> Graph:
        with connection:  # one snapshot
            owner = owners.find(connection, owner_key)
            if owner is None:
                return Graph((), ())
            key = None if name is None else alias_key(owner.secret, name)
            view = View(scope.agent_id, as_of, known_at, now)
            return _around(connection, owner.owner, key, view, hops=hops, limit=limit)

    return await core.ledger.read(look)
