"""What a `langgraph.json` names: `memgraph.server.store` and `memgraph.server.checkpointer`.

Configured by the environment, like the command line:

    MEMGRAPH_DB                   the file; needed
    MEMGRAPH_KEY                  its passphrase, or MEMGRAPH_KEY_HEX, a raw key
    MEMGRAPH_EMBEDDER             "local" (the default), "none" or "provider:model"
    MEMGRAPH_MODEL                "provider:model" that makes facts; else rules do
    MEMGRAPH_CONSOLIDATION_MODEL  another one that decides about them
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from memgraph import environment
from memgraph.errors import InvalidInput
from memgraph.memory import Memory
from memgraph.store import MemoryStore

_savers: dict[str, BaseCheckpointSaver[Any]] = {}
"""By file: an `InMemorySaver` holds the threads itself, and a server calls `checkpointer` in each of its loops."""


@asynccontextmanager
async def store() -> AsyncGenerator[MemoryStore]:
    """Yield the store, on an open memory that does what there is to do in the background.

    Raises:
        InvalidInput: `MEMGRAPH_DB` is not set.
    """
    memory = await Memory.aopen(
        _path(),
        key=environment.key(),
        embedder=environment.embedder(os.environ.get("MEMGRAPH_EMBEDDER") or "local"),
        model=os.environ.get("MEMGRAPH_MODEL") or None,
        consolidation_model=os.environ.get("MEMGRAPH_CONSOLIDATION_MODEL") or None,
    )
    async with memory:
        yield memory.store


@asynccontextmanager
async def checkpointer() -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    """Yield the checkpointer, one for all calls; its handle shares the file's one writer.

    Raises:
        InvalidInput: `MEMGRAPH_DB` is not set.
    """
    # Vectors and facts are the store's work: this handle loads no model.
    async with await Memory.aopen(_path(), key=environment.key(), embedder=None, facts=False) as memory:
        yield _savers.setdefault(os.path.realpath(_path()), memory.checkpointer)


def _path() -> str:
    path = os.environ.get("MEMGRAPH_DB")
    if not path:
        raise InvalidInput("MEMGRAPH_DB is not set: name the memory file, on a disk that outlives the server")
    return path
