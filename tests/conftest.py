"""What every test gets: a guard against leaks of memories' texts, no network, and a memory to open."""

from __future__ import annotations

import asyncio
import inspect
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from support import fakes
from support.fixtures import OpenMemory, Say
from support.guards import LeakGuard, NetworkGuard, SkipGuard

if TYPE_CHECKING:
    from memgraph import Memory

# Before anything imports LangChain: tracing would send runs, with their texts, to a server.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

# A busy machine makes no test fail, and a run that failed in CI fails again.
hypothesis.settings.register_profile(
    "memgraph", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("memgraph")

_network = NetworkGuard()


def pytest_configure(config: pytest.Config) -> None:
    _network.install()
    config.pluginmanager.register(SkipGuard(Path(__file__).with_name("allowed_skips.txt")))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}))
    return True


@pytest.fixture
def canary() -> str:
    """A word that stands nowhere else, another one for each test."""
    return f"zqcanary{secrets.token_hex(6)}"


@pytest.fixture(autouse=True)
def leak_guard(canary: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LeakGuard]:
    """Fail the test if a memory's text stands in a log record, a warning or an exception."""
    fakes.SEEN.clear()
    guard = LeakGuard(canary)
    guard.watch(monkeypatch)
    with guard.listening():
        yield guard
    if leaks := guard.leaks():
        pytest.fail("a memory's text stands in\n  " + "\n  ".join(leaks), pytrace=False)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail the test if anything wanted to leave this machine, even where the refusal was caught."""
    before = len(_network.attempts)
    yield
    assert _network.attempts[before:] == []


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Give memory the time that a busy machine needs: its deadlines are for somebody who waits for an answer.

    A deadline that a test gives holds for what it is about, an embedder or a locked file, and not for the rest.

    Returns:
        The deadlines by default, in seconds, that hold outside the tests.
    """
    from memgraph import Memory
    from memgraph.agents import MemoryMiddleware, memory_tools
    from memgraph.ledger import engine
    from memgraph.nodes import retrieve
    from memgraph.write_path import indexing

    deadlines: dict[str, float] = {}
    for hurried in (retrieve, MemoryMiddleware.__init__, memory_tools, inspect.unwrap(Memory.asearch)):
        assert hurried.__kwdefaults__ is not None
        deadlines[hurried.__qualname__] = hurried.__kwdefaults__["deadline"]
        monkeypatch.setitem(hurried.__kwdefaults__, "deadline", 60.0)
    monkeypatch.setattr(sys.modules[retrieve.__module__], "_GRACE", 60.0)
    monkeypatch.setattr(indexing, "_PATIENCE_S", 60.0)
    monkeypatch.setattr(engine, "WRITER_PATIENCE_MS", 60_000)
    return deadlines


@pytest.fixture
def say(canary: str) -> Say:
    """Make a memory's text: the words, then the canary."""
    return lambda text: f"{text} {canary}"


@pytest.fixture
def open_memory(tmp_path: Path, canary: str) -> Iterator[OpenMemory]:
    """Open memories (by default `tmp_path/memory.db` with a `HashEmbeddings`); they are closed after the test.

    Each gets a turn with the canary, of a user of its own, unless `plant=False`.
    """
    from memgraph import Memory, Scope

    opened: list[Memory] = []

    def open_one(path: str | os.PathLike[str] | None = None, *, plant: bool = True, **options: Any) -> Memory:
        embedder = options.setdefault("embedder", fakes.HashEmbeddings())
        memory = Memory.open(path or tmp_path / "memory.db", **options)
        opened.append(memory)
        if plant:
            with embedder.disarmed() if isinstance(embedder, fakes.FaultyEmbeddings) else nullcontext():
                memory.add(f"my secret word is {canary}", Scope("canary"))
        return memory

    yield open_one
    fakes.release_all()
    for memory in reversed(opened):
        memory.close()
