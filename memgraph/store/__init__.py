"""The store: LangGraph's `BaseStore` in a memory's file."""

from memgraph.store.ledger_store import LedgerStore
from memgraph.store.memory_store import MemoryStore

__all__ = ["LedgerStore", "MemoryStore"]
