"""Opening, closing, threads, loops, forks: one store serves them all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore, PutOp
from typing_extensions import TypedDict

from memgraph import LedgerStore, Memory, Scope
from memgraph.errors import InvalidInput, LoopBlocked, NotAMemoryFile, StoreBusy, StoreClosed
from support import forks
from support.fakes import hash_vector
from support.fixtures import OpenMemory
from support.memories import RAW_KEY, in_threads


def test_what_is_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with LedgerStore.from_conn_string(str(path)) as store:
        store.put(("a",), "k", {"x": 1})
        first = store.get(("a",), "k")
    with LedgerStore.from_conn_string(path) as store:
        assert store.get(("a",), "k") == first


async def test_it_is_an_async_context_manager_too(tmp_path: Path) -> None:
    async with LedgerStore.from_conn_string(str(tmp_path / "store.db")) as store:
        await store.setup()
        await store.aput(("a",), "k", {"x": 1})
        await store.setup()  # again changes nothing
        item = await store.aget(("a",), "k")
        assert item is not None
        assert item.value == {"x": 1}
    with pytest.raises(StoreClosed):
        await store.aget(("a",), "k")


def test_setup_may_be_called_without_awaiting() -> None:
    with LedgerStore.from_conn_string(":memory:") as store:
        store.setup()
        store.put(("a",), "k", {})
        store.setup()
        assert store.get(("a",), "k") is not None
    with pytest.raises(StoreClosed):
        store.setup()


def test_closing_again_does_nothing() -> None:
    store = LedgerStore.from_conn_string(":memory:")
    store.start_ttl_sweeper()
    folder = os.path.dirname(store.home.core.ledger.path)
    assert os.path.isdir(folder)
    for _ in range(2):
        store.close()
        assert not os.path.exists(folder)
    for call in (lambda: store.get(("a",), "k"), store.sweep_ttl, store.start_ttl_sweeper):
        with pytest.raises(StoreClosed):
            call()


def test_closing_a_memorys_store_leaves_the_memory_open(open_memory: OpenMemory) -> None:
    memory = open_memory()
    sweeper = memory.store.start_ttl_sweeper()
    with memory.store as store:
        store.put(("a",), "k", {})
    assert sweeper.done()
    assert memory.store.get(("a",), "k") is not None


def test_two_in_memory_stores_are_two() -> None:
    with LedgerStore.from_conn_string(":memory:") as one, LedgerStore.from_conn_string(":memory:") as other:
        one.put(("a",), "k", {})
        assert other.search(()) == []


def test_a_server_is_refused() -> None:
    with pytest.raises(InvalidInput, match="postgresql:") as raised:
        LedgerStore.from_conn_string("postgresql://me:secret@host/db")
    assert "secret" not in str(raised.value)


def test_a_file_can_be_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with LedgerStore.from_conn_string(path, key=RAW_KEY) as store:
        store.put(("a",), "k", {"text": "a word that is not to be read"})
    assert b"not to be read" not in path.read_bytes()
    with pytest.raises(NotAMemoryFile):
        LedgerStore.from_conn_string(path)


def test_a_wrong_configuration_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    bad: Any = {"embed": 7}
    with pytest.raises(InvalidInput):
        LedgerStore.from_conn_string(path, index=bad)
    with LedgerStore.from_conn_string(path) as store:
        store.put(("a",), "k", {})


def test_a_store_and_a_memory_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder=None) as memory, LedgerStore.from_conn_string(path) as store:
        assert store.home.core.ledger.writer is memory.core.ledger.writer
        store.put(("a",), "k", {"x": 1})
        item = memory.store.get(("a",), "k")
        assert item is not None
        assert item.value == {"x": 1}


# --- loops and threads


async def test_a_sync_call_works_where_the_callers_own_loop_runs() -> None:
    with LedgerStore.from_conn_string(":memory:") as store:
        store.put(("a",), "k", {"x": 1})
        assert store.get(("a",), "k") == await store.aget(("a",), "k")


def test_a_sync_call_on_our_own_loop_raises() -> None:
    raised: list[Exception] = []

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        for call in (lambda: store.get(("a",), "k"), lambda: store.put(("a",), "k", {}), store.sweep_ttl):
            try:
                call()
            except LoopBlocked as error:
                raised.append(error)
        assert await store.aget(("a",), "k") is None  # the async face is what to use there
        return [hash_vector(text, 8) for text in texts]

    with LedgerStore.from_conn_string(":memory:", index={"embed": embed, "dims": 8}) as store:
        store.put(("a",), "other", {"text": "x"})
    assert len(raised) == 3


def test_one_handle_serves_loop_after_loop() -> None:
    with LedgerStore.from_conn_string(":memory:") as store:
        for n in range(3):
            asyncio.run(store.aput(("a",), str(n), {}))
        assert len(asyncio.run(store.asearch(("a",)))) == 3


def test_sixteen_threads_write_and_read() -> None:
    with LedgerStore.from_conn_string(":memory:") as store:

        def work(number: int) -> int:
            for n in range(5):
                store.put(("t", str(number)), str(n), {"n": n})
            return len(store.search(("t", str(number))))

        assert in_threads(16, work) == [5] * 16
        assert len(store.search(("t",), limit=1_000)) == 80
        assert len(store.list_namespaces()) == 16


async def test_many_calls_at_once_on_one_loop() -> None:
    async with LedgerStore.from_conn_string(":memory:") as store:
        await asyncio.gather(*(store.aput(("a",), str(n), {"n": n}) for n in range(50)))
        found = await asyncio.gather(*(store.aget(("a",), str(n)) for n in range(50)))
        assert [item and item.value["n"] for item in found] == [*range(50)]


async def test_a_cancelled_call_breaks_nothing() -> None:
    entered = asyncio.Event()
    here = asyncio.get_running_loop()

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        here.call_soon_threadsafe(entered.set)
        if "slow" in texts:
            await asyncio.Event().wait()
        return [hash_vector(text, 8) for text in texts]

    async with LedgerStore.from_conn_string(":memory:", index={"embed": embed, "fields": ["text"]}) as store:
        call = asyncio.create_task(store.aput(("a",), "slow", {"text": "slow"}))
        await entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await store.aget(("a",), "slow") is None
        await store.aput(("a",), "k", {"text": "not embedded"}, index=False)
        assert [item.key for item in await store.asearch(())] == ["k"]


def test_a_child_of_a_fork_has_its_own_connections(tmp_path: Path) -> None:
    [parent] = forks.run_each(
        """
        from memgraph import LedgerStore
        from support.fakes import HashEmbeddings
        def case(path):
            store = LedgerStore.from_conn_string(path, index={"embed": HashEmbeddings(), "dims": 64})
            store.put(("a",), "parent", {"text": "whales"})
            store.start_ttl_sweeper()
            child = os.fork()
            if not child:
                try:
                    store.put(("a",), "child", {"text": "spoons"})
                    assert not store.start_ttl_sweeper().done()
                    assert [item.key for item in store.search((), query="spoons")] == ["child", "parent"]
                    store.close()
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert len(store.search(())) == 2
            store.close()
            store.close()
        """,
        [(tmp_path / "store.db",)],
    )
    assert parent.rc == 0, parent.stderr


def test_a_file_that_is_locked_is_busy(tmp_path: Path) -> None:
    from support.memories import write_locked

    with LedgerStore.from_conn_string(tmp_path / "store.db") as store:
        store.put(("a",), "k", {"x": 1})
        with write_locked(store.home):  # type: ignore[arg-type]
            with pytest.raises(StoreBusy):
                store.put(("a",), "k", {"x": 2})
            item = store.get(("a",), "k")
            assert item is not None
            assert item.value == {"x": 1}


# --- in a graph


class State(TypedDict):
    count: int


@pytest.mark.parametrize("face", ["sync", "async"])
def test_the_nodes_of_a_graph_use_it(face: str, open_memory: OpenMemory) -> None:
    async def anode(state: State, runtime: Runtime[None]) -> State:
        assert isinstance(runtime.store, BaseStore)
        await runtime.store.aput(("graph",), "count", {"n": state["count"]})
        item = await runtime.store.aget(("graph",), "count")
        return {"count": 0 if item is None else item.value["n"] + 1}

    def node(state: State, *, store: BaseStore) -> State:
        store.put(("graph",), "count", {"n": state["count"]})
        item = store.get(("graph",), "count")
        return {"count": 0 if item is None else item.value["n"] + 1}

    memory = open_memory()
    builder: Any = StateGraph(State)
    builder.add_node("node", node if face == "sync" else anode)
    graph = builder.add_edge(START, "node").compile(store=memory.store)
    result = graph.invoke({"count": 6}) if face == "sync" else asyncio.run(graph.ainvoke({"count": 6}))
    assert result == {"count": 7}
    assert not memory.list(Scope("ada"), kind="turn").items


def test_writes_of_a_batch_are_one_transaction(open_memory: OpenMemory) -> None:
    from support.memories import written

    memory = open_memory(plant=False, embedder=None)
    with written(memory) as seen:
        memory.store.batch([PutOp(("a",), str(n), {}) for n in range(10)])
    assert [sql for sql in seen if sql.split()[0] in ("begin", "commit")] == ["begin immediate", "commit"]
