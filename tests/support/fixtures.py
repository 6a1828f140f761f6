"""The types of conftest's fixtures, for tests to annotate with."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from memgraph import Memory

Say = Callable[[str], str]
"""`say`: makes a memory's text of words, by adding the canary."""


class OpenMemory(Protocol):
    """`open_memory`: opens a memory that is closed after the test.

    Args:
        path: The file; by default `tmp_path/memory.db`.
        plant: Whether a turn with the canary is added, of a user of its own.
        options: Keyword arguments of `Memory.open`; the embedder is a `HashEmbeddings` unless one is given.
    """

    def __call__(self, path: str | os.PathLike[str] | None = None, *, plant: bool = True, **options: Any) -> Memory: ...
