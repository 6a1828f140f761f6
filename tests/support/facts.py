"""What the tests of facts share: a memory that makes them by rules, and telling it something."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from memgraph import Fact, Memory, MemoryOperation, Scope
from memgraph.records import from_us
from support.fakes import HashEmbeddings
from support.memories import ADA, NOW, Clock

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


def tell(memory: Memory, *texts: str, scope: Scope = ADA, **options: Any) -> list[str]:
    """Add what Ada says, a day apart. Returns the ids of the turns."""
    ids: list[str] = []
    for text in texts:
        tick(memory, days=1)
        ids += memory.add({"role": "user", "content": text, "name": "Ada"}, scope, **options).ids
    return ids


def known(memory: Memory, scope: Scope = ADA, **options: Any) -> list[Fact]:
    """Return the facts that are listed."""
    return list(memory.list(scope, kind="fact", limit=100, **options).items)


def history(memory: Memory, scope: Scope = ADA) -> list[MemoryOperation]:
    """Return what was done to facts, the first first."""
    return [*reversed(memory.operations(scope, limit=1_000).items)]


def only(memory: Memory, scope: Scope = ADA, **options: Any) -> Fact:
    """Return the one fact that is listed."""
    [fact] = memory.list(scope, kind="fact", **options).items
    return fact


def undo(memory: Memory, operation: MemoryOperation, scope: Scope = ADA) -> MemoryOperation:
    """Take an operation back."""
    return memory.undo(operation.id, scope)


def day(number: int) -> datetime:
    """Return a time on a day that `tell` speaks on, an hour after it spoke: 1 for the first."""
    return NOW + timedelta(days=number, hours=1)


def now(memory: Memory) -> datetime:
    """Return what time it is by the clock of `opened`."""
    return from_us(memory.core.clock())
