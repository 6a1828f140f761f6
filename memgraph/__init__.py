"""Long-term memory for LangGraph agents. Not related to the Memgraph database.

The names below load on first use: `import memgraph` alone loads nothing of LangGraph or LangChain.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.records import (
        Added,
        Entity,
        Fact,
        Graph,
        Hit,
        Hits,
        MemoryOperation,
        Page,
        Receipt,
        Relation,
        Trace,
        Turn,
        Why,
    )
    from memgraph.scope import MemoryContext, Scope
    from memgraph.state import MemoryState, with_memory
    from memgraph.store import LedgerStore, MemoryStore

_HOME = {
    "Added": "records",
    "Entity": "records",
    "Fact": "records",
    "Graph": "records",
    "Hit": "records",
    "Hits": "records",
    "LedgerStore": "store",
    "Memory": "memory",
    "MemoryContext": "scope",
    "MemoryOperation": "records",
    "MemoryState": "state",
    "MemoryStore": "store",
    "Page": "records",
    "Receipt": "records",
    "Relation": "records",
    "Scope": "scope",
    "Trace": "records",
    "Turn": "records",
    "Why": "records",
    "with_memory": "state",
}

__all__ = [
    "Added",
    "Entity",
    "Fact",
    "Graph",
    "Hit",
    "Hits",
    "LedgerStore",
    "Memory",
    "MemoryContext",
    "MemoryOperation",
    "MemoryState",
    "MemoryStore",
    "Page",
    "Receipt",
    "Relation",
    "Scope",
    "Trace",
    "Turn",
    "Why",
    "with_memory",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module `memgraph` has no attribute `{name}`")
    value = getattr(import_module(f"memgraph.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
