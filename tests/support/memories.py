"""What the tests of memories share: the kinds of file, a clock that stands still, looking behind a handle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw
from langgraph.graph import START, StateGraph

from memgraph import Memory
from memgraph.scope import MemoryContext, Scope
from memgraph.state import MemoryState

T = TypeVar("T")

ADA = Scope("ada")
BOB = Scope("bob")
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
RAW_KEY = bytes(range(32))
KINDS = ["file", "keyed", "memory"]
"""The kinds of file that the contract of a memory holds for."""


def place(kind: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return path and options of a kind of file."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "file": (str(folder / "plain.db"), {}),
        "keyed": (str(folder / "keyed.db"), {"key": RAW_KEY}),
        "memory": (":memory:", {}),
    }
    return kinds[kind]


class Clock:
    """A clock that stands still until it is told otherwise; put it into `memory.core.clock`."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> int:
        return int(self.at.timestamp()) * 1_000_000 + self.at.microsecond

    def tick(self, **span: float) -> datetime:
        """Go on by a `timedelta`'s arguments (a second without any); returns the time after."""
        self.at += timedelta(**span) if span else timedelta(seconds=1)
        return self.at


def texts(memory: Memory, scope: Scope | MemoryContext = ADA, **options: Any) -> list[str]:
    """Return the texts of all turns that a scope lists, in order."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = memory.list(scope, kind="turn", cursor=cursor, limit=1_000, **options)
        found += [turn.text for turn in page.items]
        if (cursor := page.cursor) is None:
            return found


def found(memory: Memory, query: str, scope: Scope | MemoryContext = ADA, **options: Any) -> list[str]:
    """Return the texts that a search finds, best first."""
    return [hit.text for hit in memory.search(query, scope, **options)]


def matching(memory: Memory, query: str, scope: Scope | MemoryContext = ADA, **options: Any) -> list[str]:
    """Return the texts that a search finds by their words; the dense arm ranks everything there is."""
    return [
        hit.text
        for hit in memory.search(query, scope, **options)
        if "lexical" in hit.arms and hit.arms["lexical"].score > 0
    ]


def on_loop(memory: Memory, work: Callable[[], T]) -> T:
    """Run a function on the memory's own loop thread, where its reader may be used."""

    async def run() -> T:
        return work()

    return memory.live().wait(run())


def query(memory: Memory, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement on the memory's reader."""
    return on_loop(memory, lambda: memory.core.ledger.reader.execute(sql, values).fetchall())


@contextmanager
def statements(memory: Memory) -> Generator[list[str]]:
    """Note every statement that the reader runs inside the block."""
    seen: list[str] = []

    def note(_: apsw.Cursor, sql: str, __: Any) -> bool:
        seen.append(sql)
        return True

    reader = memory.core.ledger.reader
    on_loop(memory, lambda: setattr(reader, "exec_trace", note))
    try:
        yield seen
    finally:
        on_loop(memory, lambda: setattr(reader, "exec_trace", None))


@contextmanager
def written(memory: Memory) -> Generator[list[str]]:
    """Note every statement that the writer runs inside the block."""
    seen: list[str] = []

    def note(_: apsw.Cursor, sql: str, __: Any) -> bool:
        seen.append(sql)
        return True

    def trace(value: Any) -> None:
        memory.core.ledger.submit(lambda c: setattr(c, "exec_trace", value), alone=True).result()

    trace(note)
    try:
        yield seen
    finally:
        trace(None)


@contextmanager
def unreadable(memory: Memory, error: Exception) -> Generator[None]:
    """Let every read of a handle fail inside the block, as where another program holds the file."""

    def fail(_: apsw.Cursor, __: str, ___: Any) -> bool:
        raise error

    reader = memory.core.ledger.reader
    on_loop(memory, lambda: setattr(reader, "exec_trace", fail))
    try:
        yield
    finally:
        on_loop(memory, lambda: setattr(reader, "exec_trace", None))


@contextmanager
def write_locked(memory: Memory) -> Generator[None]:
    """Hold the file's write lock by a connection of somebody else's, and let the writer be impatient."""
    ledger = memory.core.ledger
    ledger.submit(lambda c: c.set_busy_timeout(1), alone=True).result()
    connection = apsw.Connection(ledger.path)
    connection.set_busy_timeout(60_000)  # the background may be writing
    try:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")
    finally:
        connection.close()
        ledger.submit(lambda c: c.set_busy_timeout(5_000), alone=True).result()


def chain(
    *nodes: tuple[str, Any],
    store: Any = None,
    state: Any = MemoryState,
    context: Any = MemoryContext,
    checkpointer: Any = None,
) -> Any:
    """Return a compiled graph that runs nodes one after another."""
    builder: Any = StateGraph(state, context_schema=context)
    return builder.add_sequence([*nodes]).add_edge(START, nodes[0][0]).compile(store=store, checkpointer=checkpointer)


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """Run `work(0)` to `work(count - 1)`, each in a thread, all let go at once; raise the first error."""
    results: dict[int, T] = {}
    errors: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait(30)
        try:
            results[number] = work(number)
        except BaseException as error:  # handed to whoever waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return [results[number] for number in range(count)]
