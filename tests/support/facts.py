"""What the tests of facts share: a memory that makes them by rules, and telling it something."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memgraph import Fact, Memory, Scope
from support.fakes import HashEmbeddings
from support.memories import ADA, Clock

HOMES = ("I live in Oslo.", "I moved from Oslo to Lisbon.")


@contextmanager
def opened(path: Path | str = ":memory:", **options: Any) -> Generator[Memory]:
    """Open a memory that makes facts, with a clock that stands still."""
    options.setdefault("embedder", HashEmbeddings())
    options.setdefault("facts", True)
    with Memory.open(path, **options) as memory:
        memory.core.clock = Clock()
        yield memory


def tick(memory: Memory, **span: float) -> None:
    """Let the clock of `opened` go on."""
    clock = memory.core.clock
    assert isinstance(clock, Clock)
    clock.tick(**span)


def tell(memory: Memory, *texts: str, scope: Scope = ADA) -> list[str]:
    """Add what Ada says, a day apart. Returns the ids of the turns."""
    ids: list[str] = []
    for text in texts:
        tick(memory, days=1)
        ids += memory.add({"role": "user", "content": text, "name": "Ada"}, scope).ids
    return ids


def only(memory: Memory, scope: Scope = ADA, **options: Any) -> Fact:
    """Return the one fact that is listed."""
    [fact] = memory.list(scope, kind="fact", **options).items
    return fact
