"""What searches by a question hold in memory: the same answers as without it, and never an old one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.base import Op, PutOp, SearchItem, SearchOp

from memgraph import LedgerStore, Memory, MemoryStore
from memgraph.projections.items import ItemArrays
from memgraph.store import arrays
from support.fakes import HashEmbeddings
from support.memories import Clock, in_threads, on_loop
from support.stores import index

WORDS = ["milk", "night", "sea", "cat", "the", "of"]
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
space = st.sampled_from([("a",), ("a", "b"), ("ab",)])
key = st.sampled_from(["1", "2", "3", "4"])
value = st.fixed_dictionaries({"text": texts}, optional={"more": st.lists(texts, max_size=2)})
change: st.SearchStrategy[Op] = st.one_of(
    st.builds(PutOp, space, key, value, st.sampled_from([None, False, ["more[*]"]]), st.sampled_from([None, 1])),
    st.builds(PutOp, space, key, st.none(), st.none(), st.none()),
)
steps = st.lists(st.lists(change, max_size=3) | st.just("sweep"), min_size=1, max_size=8)
FIELDS = ["text", "more[*]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def opened(path: Path | str, **options: Any) -> LedgerStore:
    return LedgerStore.from_conn_string(path, index=index(fields=FIELDS), **options)


def told(store: LedgerStore, query: str, prefix: tuple[str, ...], **options: Any) -> list[Any]:
    found = store.search(prefix, query=query, limit=20, **options)
    return [(item.namespace, item.key, item.value, item.score and round(item.score, 5)) for item in found]


@given(steps, st.sampled_from([(), ("a",), ("a", "b")]), texts, st.booleans(), st.sampled_from([1, 1_000]))
@settings(max_examples=60)
def test_a_store_that_searched_before_answers_as_one_that_did_not(
    script: list[Any], prefix: tuple[str, ...], query: str, omits: bool, seconds: int
) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/store.db"
        with opened(file, ttl={"omit_expired": omits}) as store:
            store.home.core.clock = clock
            for changes in script:
                clock.tick(seconds=seconds)
                if changes == "sweep":
                    store.sweep_ttl()
                else:
                    store.batch(changes)
                warm = told(store, query or "milk", prefix)
                with opened(file, ttl={"omit_expired": omits}) as other:
                    other.home.core.clock = clock
                    assert told(other, query or "milk", prefix) == warm


def test_what_another_handle_writes_is_seen(path: Path) -> None:
    with opened(path) as store, opened(path) as other:
        other.put(("a",), "1", {"text": "milk"})
        assert [key for _, key, *_ in told(store, "milk", ())] == ["1"]
        other.put(("a",), "1", {"text": "the sea"})
        other.put(("b",), "2", {"text": "milk"})
        assert [key for _, key, *_ in told(store, "milk", ())] == ["2", "1"]
        other.delete(("b",), "2")
        assert [key for _, key, *_ in told(store, "milk", ())] == ["1"]


def test_one_that_goes_while_another_comes_is_missed(path: Path) -> None:
    """As many as before, and not the same."""
    with opened(path) as store:
        store.put(("a",), "1", {"text": "milk"})
        told(store, "milk", ())
        store.batch([PutOp(("a",), "1", None), PutOp(("a",), "2", {"text": "milk"})])
        assert [key for _, key, *_ in told(store, "milk", ())] == ["2"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many items each step took from the file."""
    counts: list[int] = []
    put = ItemArrays.put

    def counting(self: ItemArrays, items: Any, vectors: Any) -> None:
        counts.append(len(items))
        put(self, items, vectors)

    monkeypatch.setattr(ItemArrays, "put", counting)
    yield counts


def test_only_what_has_changed_is_read_again(path: Path, taken: list[int]) -> None:
    with opened(path) as store:
        store.batch([PutOp(("a",), str(n), {"text": f"milk {n}"}) for n in range(50)])
        told(store, "milk", ("a",))
        assert taken == [50]
        told(store, "milk 7", ("a",))
        store.put(("b",), "elsewhere", {"text": "milk"})
        told(store, "milk 7", ("a",))
        assert taken == [50]
        store.put(("a",), "7", {"text": "the sea"})
        told(store, "milk", ("a",))
        store.delete(("a",), "8")
        told(store, "milk", ("a",))
        assert taken == [50, 1]


def test_an_item_that_is_only_read_is_not_read_again_by_searches(path: Path, taken: list[int]) -> None:
    """A read puts off when it expires: nothing that a search holds."""
    with opened(path, ttl={"default_ttl": 5, "refresh_on_read": True}) as store:
        store.put(("a",), "1", {"text": "milk"})
        told(store, "milk", ("a",))
        told(store, "milk", ("a",))
        assert taken == [1]


def test_who_comes_while_they_are_loaded_waits_for_them(
    path: Path, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_STEP", 3)
    with opened(path) as store:
        store.batch([PutOp(("a",), str(n), {"text": f"milk {n}"}) for n in range(12)])
        in_threads(8, lambda _: told(store, "milk", ()))
        assert taken == [3, 3, 3, 3]


def test_what_changes_while_they_are_loaded_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_STEP", 1)
    with opened(path) as store, opened(path) as other:
        store.batch([PutOp(("a",), str(n), {"text": f"milk {n}"}) for n in range(6)])
        first = arrays._take  # pyright: ignore[reportPrivateUsage]  # a step of loading
        steps: list[int] = []

        def amid(*args: Any) -> None:
            first(*args)
            steps.append(1)
            if len(steps) == 3:
                other.batch(
                    [
                        PutOp(("a",), "0", {"text": "the sea"}),
                        PutOp(("a",), "1", None),
                        PutOp(("a",), "5", None),
                        PutOp(("a",), "6", {"text": "milk 6"}),
                    ]
                )

        monkeypatch.setattr(arrays, "_take", amid)
        found = told(store, "milk", ())
        assert sorted(key for _, key, *_ in found) == ["0", "2", "3", "4", "6"]
        assert next(value for _, key, value, _ in found if key == "0") == {"text": "the sea"}


def test_they_share_the_limit_of_the_memory(path: Path) -> None:
    with Memory.open(path, embedder=HashEmbeddings(), cache_bytes=100_000) as memory:
        store = memory.store
        for n in range(30):
            store.put(("user", str(n)), "k", {"text": f"milk {n} " * 300})
        for n in range(30):
            [found] = store.search(("user", str(n)), query="milk")
            assert found.value["text"].startswith(f"milk {n} ")
        held = on_loop(memory, lambda: memory.core.cache.held.nbytes)
        assert 0 < held <= 100_000
        with LedgerStore.from_conn_string(path, index=index(), cache_bytes=0) as other:
            assert len(other.search((), query="milk", limit=100)) == 30


def test_two_stores_on_one_file_go_each_by_their_own_vectors(path: Path) -> None:
    with Memory.open(path, embedder=None) as memory:
        one = MemoryStore(memory, index=index(fields=FIELDS))
        other = MemoryStore(memory, index=index(embed=HashEmbeddings(dims=32), dims=32, fields=FIELDS))
        one.put(("a",), "1", {"text": "milk"})
        other.put(("a",), "2", {"text": "milk"})
        for store, mine in ((one, "1"), (other, "2"), (one, "1")):
            best: SearchItem = store.search(("a",), query="milk")[0]
            assert best.key == mine


def test_a_batch_reads_one_state(path: Path) -> None:
    with opened(path) as store:
        found = store.batch(
            [
                PutOp(("a",), "1", {"text": "milk"}),
                SearchOp(("a",), query="milk"),
                SearchOp(("a",)),
            ]
        )
        assert found == [None, [], []]


def test_a_child_does_not_wait_for_who_loaded_in_its_parent(path: Path) -> None:
    """A fork amid a load: whoever held the lock there is not in the child."""
    with opened(path) as store:
        store.put(("a",), "1", {"text": "milk"})
        held = store._arrays  # pyright: ignore[reportPrivateUsage]  # as a child inherits them

        async def lock() -> None:
            model = ("hash", 64)
            one = held._loading[(("a",), model)] = asyncio.Lock()  # pyright: ignore[reportPrivateUsage]
            await one.acquire()
            locks.append(one)

        locks: list[asyncio.Lock] = []
        store.live().wait(lock())
        held._pid = -1  # pyright: ignore[reportPrivateUsage]  # another process's
        assert [key for _, key, *_ in told(store, "milk", ("a",))] == ["1"]
