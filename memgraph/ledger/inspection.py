"""Looking at a file as a whole: versions, counts, integrity."""

from __future__ import annotations

from typing import Final

import apsw

_COUNTED: Final = {
    "owners": "select count(*) from owners",
    "turns": "select count(*) from turns",
    "believed": "select count(*) from turns where superseded_at = 9223372036854775807",
    "facts": "select count(*) from facts",
    "facts_believed": "select count(*) from facts where superseded_at = 9223372036854775807",
    "fact_versions": "select count(*) from fact_versions",
    "operations": "select count(*) from operations",
    "entities": "select count(*) from entities",
    "relations": "select count(*) from relations",
    "namespaces": "select count(*) from namespaces",
    "items": "select count(*) from items",
    "commits": "select count(*) from commits",
    "tombstones": "select count(*) from tombstones",
    "traces": "select count(*) from traces",
}


def versions() -> dict[str, str | None]:
    """Return the versions of SQLite and of its ciphers."""
    return {"sqlite": apsw.sqlite_lib_version(), "ciphers": getattr(apsw, "mc_version", None)}


def counts(connection: apsw.Connection) -> dict[str, int]:
    """Return how many rows there are of what."""
    return {name: connection.execute(sql).get for name, sql in _COUNTED.items()}


def integrity(connection: apsw.Connection) -> list[str]:
    """Return what is wrong with the file's pages, empty if nothing."""
    found = [text for (text,) in connection.execute("pragma integrity_check(20)")]
    return [] if found == ["ok"] else found
