"""What `doctor` tells of a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from memgraph.core import Core
from memgraph.ledger import engine, indexes, inspection, jobs

if TYPE_CHECKING:
    import apsw


async def examine(core: Core, *, deep: bool) -> Mapping[str, Any]:
    """Return versions, counts and jobs; `deep` also checks every page."""

    def look(connection: apsw.Connection) -> dict[str, Any]:
        stored = indexes.embedder(connection)
        return {
            "path": core.ledger.path,
            "bytes": sum(os.path.getsize(f) for end in ("", "-wal") if os.path.exists(f := core.ledger.path + end)),
            "schema": engine.schema_version(connection),
            "sqlite": inspection.versions(),
            "encrypted": core.ledger.writer.key is not None,
            "counts": inspection.counts(connection),
            "embedder": None if stored is None else {"name": stored[1], "dims": stored[2]},
            "without_vectors": 0 if stored is None else indexes.count_without_vectors(connection, stored[0]),
            "jobs": [
                {"state": state, "error": error, "count": count} for state, error, count in jobs.states(connection)
            ],
            "integrity": inspection.integrity(connection) if deep else None,
        }

    # Counting and checking read the whole file: on the writer's thread, so that no search waits for it.
    return await core.ledger.write(look, alone=True)
