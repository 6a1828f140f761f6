"""What one open memory is made of: its host, its file, its embedder, its cache."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memgraph.embedders import Resolved
from memgraph.embedding import Embedder
from memgraph.errors import EmbedderMismatch
from memgraph.ledger import indexes
from memgraph.ledger.handle import Ledger
from memgraph.projections.cache import IndexCache
from memgraph.scope import Scope
from memgraph.writing.identity import digest

if TYPE_CHECKING:
    import apsw

log: Final = logging.getLogger("memgraph")


def now_us() -> int:
    """Return the time, microseconds UTC."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class Core:
    """The parts that reading and writing share. Used on the host's loop thread.

    Attributes:
        recipe: Number of the embedder in force, None without one.
        makes_facts: Whether facts are made of turns.
        lacks_embedder: Whether the file's vectors are made by an embedder that is not here: its jobs wait for it.
    """

    ledger: Ledger
    cache: IndexCache
    embedder: Embedder | None = None
    recipe: int | None = None
    clock: Callable[[], int] = field(default=now_us)
    lacks_embedder: bool = False
    makes_facts: bool = False

    @classmethod
    def opened(cls, path: str, key: str | bytes | None, embedder: Resolved, cache_bytes: int) -> Core:
        """Return the parts of a file, made if absent.

        Raises:
            NotAMemoryFile: The file is something else, or the key is missing or wrong.
            EmbedderMismatch: Its vectors were made by another model.
            StoreError: It can't be opened.
        """
        ledger = Ledger(path, key)
        try:
            core = cls(ledger, IndexCache(cache_bytes))
            core._take(embedder)
            return core
        except BaseException:
            ledger.close()
            raise

    def reopened(self) -> Core:
        """Return a core like this one, inherited by fork, on connections and threads of this process."""
        key, mine = self.ledger.writer.key, self.embedder
        embedder = Resolved(None, None) if mine is None else Resolved(mine.model, mine.name)
        fresh = Core.opened(self.ledger.path, key, embedder, self.cache.held.limit)
        fresh.clock, fresh.makes_facts = self.clock, self.makes_facts
        return fresh

    def _take(self, embedder: Resolved) -> None:
        if embedder.embeddings is None:
            # A file that has one keeps its jobs until it is opened with it.
            self.lacks_embedder = self.ledger.look(indexes.embedder) is not None
        else:
            self.adopt(Embedder(embedder.embeddings, embedder.name or "", None))

    def owner_key(self, scope: Scope) -> bytes:
        """Return the digest of a scope's owner, keyed by the file's secret: it says nothing to who lacks the file."""
        return digest(self.ledger.pepper, "owner", *scope.owner)

    def owner_label(self, scope: Scope) -> str:
        """Return the digest as text: the owner's key in the mark."""
        return self.owner_key(scope).hex()

    def thread_key(self, thread_id: str | None) -> bytes | None:
        """Return the digest by which a thread's owner is known: thread ids may name people."""
        return None if thread_id is None else digest(self.ledger.pepper, "thread", thread_id)

    @property
    def vectors(self) -> tuple[int, int] | None:
        """(recipe, dims) of the vectors in force, None while there are none."""
        if self.embedder is None or self.recipe is None or self.embedder.dims is None:
            return None
        return self.recipe, self.embedder.dims

    def learn_dims(self, connection: apsw.Connection) -> None:
        """Look whether another process has made the first vectors meanwhile, which tell their dimension."""
        if self.embedder is not None and self.embedder.dims is None:
            stored = indexes.embedder(connection)
            if stored is not None and stored[0] == self.recipe:
                self.embedder.dims = stored[2]

    def adopt(self, embedder: Embedder) -> None:
        """Take an embedder, whose name must be the one stored with the data if there is any.

        Raises:
            EmbedderMismatch: The file's vectors were made by another.
        """
        stored = self.ledger.look(indexes.embedder)
        if stored is None:

            def enter(connection: apsw.Connection) -> int:
                found = indexes.embedder(connection)  # again, on the writer: another process may have been faster
                return indexes.use_embedder(connection, embedder.name, None) if found is None else found[0]

            self.ledger.submit(enter).result()
            stored = self.ledger.look(indexes.embedder)
            assert stored is not None
        recipe, name, dims = stored
        if name != embedder.name:
            raise EmbedderMismatch(f"{name} ({dims or 'unknown'} dimensions)", embedder.name)
        embedder.dims = dims
        self.embedder, self.recipe = embedder, recipe
