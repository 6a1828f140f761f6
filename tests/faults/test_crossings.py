"""Each crossing of the file layer failed once, and each moment at which a kill or a power cut could have come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory
from memgraph.errors import AgentMemoryError, StoreBusy, StoreFull, StoreUnreadable
from support import vfs
from support.fakes import HashEmbeddings
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, RAW_KEY, query, texts

keyed = pytest.mark.parametrize("key", [None, RAW_KEY], ids=["plain", "keyed"])
errors = pytest.mark.parametrize(
    ("error", "ours"), [(apsw.IOError, StoreUnreadable), (apsw.FullError, StoreFull)], ids=["io", "full"]
)


@pytest.fixture
def disk() -> Iterator[vfs.FaultLayer]:
    with vfs.layer() as made:
        yield made


def message(number: int, text: str) -> HumanMessage:
    return HumanMessage(text, id=f"message-with-a-unique-id-{number:06}")


def checkpoint_often(memory: Memory) -> None:
    """Let the log be moved into the file every few pages, so that a small test crosses those writes too."""
    memory.core.ledger.submit(lambda c: c.pragma("wal_autocheckpoint", 6), alone=True).result()


def sound(memory: Memory) -> bool:
    return memory.doctor(deep=True)["integrity"] == []


def without_vectors(memory: Memory) -> int:
    return int(memory.doctor()["without_vectors"])


@keyed
@errors
def test_any_crossing_of_an_add_may_fail(
    disk: vfs.FaultLayer, tmp_path: Path, say: Say, key: bytes | None, error: type[apsw.Error], ours: type[Exception]
) -> None:
    said: list[str] = []
    refused = unnoticed = 0
    crossed: set[str] = set()
    with vfs.open_through(disk, tmp_path / "memory.db", key=key) as memory:
        checkpoint_often(memory)
        for n in range(1, 90):
            text = say(f"word{n} is number {n}")
            disk.arm(n, error)
            try:
                added = memory.add(message(n, text), ADA)
            except AgentMemoryError as failure:
                assert type(failure) is ours
                added = None
                refused += 1
            reached = disk.disarm()
            crossed.update(disk.log)
            unnoticed += reached and added is not None
            # What was acknowledged is there; what was refused is absent or whole. Never two of it, never half.
            assert texts(memory) in ([*said, text], said) if added is None else texts(memory) == [*said, text]
            # The same handle goes on, and the message sent again is stored once.
            memory.add(message(n, text), ADA)
            said.append(text)
            assert texts(memory) == said
            memory.settle(10)
            assert sound(memory)
            assert without_vectors(memory) == 0
        assert not reached, "the last add still had a crossing to fail"
    # It is no test if it failed nothing, if nothing was taken up again, or if it never touched the file itself.
    assert refused > 10
    assert unnoticed > 10
    assert {"write emory.db", "sync emory.db", "write y.db-wal", "sync y.db-wal"} <= crossed
    with Memory.open(tmp_path / "memory.db", key=key, embedder=HashEmbeddings(model="other"), cache_bytes=0) if False else vfs.open_through(
        disk, tmp_path / "memory.db", key=key
    ) as memory:
        assert texts(memory) == said
        assert sound(memory)
