"""One implementation, two faces."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator

import pytest

from memgraph import Memory
from memgraph.errors import LoopBlocked, StoreClosed
from memgraph.faces import Host, hosted, waiting
from support.fixtures import OpenMemory
from support.memories import ADA

TWINS = [
    "add",
    "search",
    "get",
    "list",
    "forget",
    "erase",
    "trace",
    "settle",
    "reindex",
    "rekey",
    "doctor",
    "update",
    "undo",
    "why",
    "operations",
    "graph",
    "retry_failed",
]


class Counter:
    """Something with a host."""

    def __init__(self) -> None:
        self.host = Host()
        self.threads: set[str] = set()

    def live(self) -> Host:
        return self.host

    @hosted
    async def aplus(self, one: int, *, other: int = 1) -> int:
        """Add."""
        self.threads.add(threading.current_thread().name)
        await asyncio.sleep(0)
        if one < 0:
            raise ValueError("below zero")
        return one + other

    plus = waiting(aplus)

    @hosted
    async def anested(self) -> int:
        """Call the async face from the loop itself."""
        return await self.aplus(1)

    nested = waiting(anested)

    @hosted
    async def ablocked(self) -> int:
        """Call the sync face where it can't work."""
        return self.plus(1)

    blocked = waiting(ablocked)

    @hosted
    async def aforever(self) -> None:
        """Wait for what never comes."""
        await asyncio.Event().wait()

    forever = waiting(aforever)


async def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.host.stop(nothing(), nothing())


def test_both_faces_run_one_body_on_the_hosts_thread(counter: Counter) -> None:
    assert counter.plus(1, other=2) == 3
    assert asyncio.run(counter.aplus(1, other=2)) == 3
    assert counter.threads == {"memgraph-loop"}


def test_an_error_reaches_the_caller_of_either_face(counter: Counter) -> None:
    with pytest.raises(ValueError, match="below zero"):
        counter.plus(-1)
    with pytest.raises(ValueError, match="below zero"):
        asyncio.run(counter.aplus(-1))


def test_the_async_face_works_on_the_hosts_loop(counter: Counter) -> None:
    assert counter.nested() == 2


def test_the_sync_face_raises_on_the_hosts_loop_and_nowhere_else(counter: Counter) -> None:
    with pytest.raises(LoopBlocked, match="use the async method"):
        counter.blocked()

    async def inside_another_loop() -> int:
        return counter.plus(1)

    assert asyncio.run(inside_another_loop()) == 2


def test_a_wait_may_end(counter: Counter) -> None:
    with pytest.raises(TimeoutError):
        counter.host.wait(counter.aforever(), timeout=0.01)


async def test_a_cancelled_caller_cancels_the_work(counter: Counter) -> None:
    task = asyncio.create_task(counter.aforever())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_twins_names_and_docs(counter: Counter) -> None:
    assert (Counter.plus.__name__, Counter.plus.__qualname__, Counter.plus.__doc__) == ("plus", "Counter.plus", "Add.")


@pytest.mark.parametrize("name", TWINS)
def test_each_method_of_a_memory_has_its_twin(name: str) -> None:
    sync, twin = getattr(Memory, name), getattr(Memory, f"a{name}")
    assert inspect.signature(sync) == inspect.signature(twin)
    assert inspect.iscoroutinefunction(twin)
    assert not inspect.iscoroutinefunction(sync)
    assert sync.__doc__ == twin.__doc__
    assert (sync.__name__, sync.__qualname__) == (name, f"Memory.{name}")


@pytest.mark.parametrize("name", ["add", "search", "get", "list", "forget", "erase", "trace"])
def test_the_scope_is_the_second_argument_and_then_come_keywords(name: str) -> None:
    parameters = list(inspect.signature(getattr(Memory, name)).parameters.values())
    at = 1 if name == "list" else 2
    assert parameters[at].name == "scope"
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters[at + 1 :])


def test_a_closed_memory_says_so(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.close()
    memory.close()
    assert repr(memory).endswith("closed)")
    with pytest.raises(StoreClosed, match="open it again"):
        memory.search("x", ADA)
    with pytest.raises(StoreClosed):
        asyncio.run(memory.asearch("x", ADA))
