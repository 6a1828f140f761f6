"""Vectors of items made anew by another embedder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import PutOp

from memgraph import LedgerStore, Memory
from memgraph.errors import EmbedderUnavailable
from support.fakes import HashEmbeddings, RaisingEmbeddings
from support.memories import ADA
from support.stores import index

OTHER = HashEmbeddings(32, "other")
SAID = {"cat": "the cat drinks milk", "dog": "a dog barks at night"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


def fill(store: Any) -> None:
    store.batch([PutOp(("a",), key, {"text": text, "note": "the sea"}, ["text"]) for key, text in SAID.items()])
    store.put(("a",), "unindexed", {"text": SAID["cat"]}, index=False)


def similarity(store: Any) -> float:
    """Return what the best item gets for what it says, word for word: 1 where its vector counts."""
    return float(store.search(("a",), query=SAID["cat"])[0].score)


def test_items_get_the_vectors_of_the_new_embedder(path: Path) -> None:
    with LedgerStore.from_conn_string(path, index=index()) as store:
        fill(store)
        assert similarity(store) == pytest.approx(1, abs=0.01)
        assert store.reindex() == 0
    with LedgerStore.from_conn_string(path, index=index(embed=OTHER, dims=32)) as store:
        assert similarity(store) == pytest.approx(0.3, abs=0.01)  # its words alone
        seen: list[tuple[int, int]] = []
        created = store.get(("a",), "cat").created_at  # type: ignore[union-attr]  # it is there
        assert store.reindex(progress=lambda done, total: seen.append((done, total))) == 2
        assert seen == [(2, 2)]
        # By the fields that it was put with: "the sea" is not among them.
        assert similarity(store) == pytest.approx(1, abs=0.01)
        found = store.search(("a",), query="the sea")
        assert max(item.score or 0 for item in found) < 0.5
        assert [item.key for item in found if item.score is None] == ["unindexed"]
        item = store.get(("a",), "cat")
        assert item is not None and item.updated_at == item.created_at == created
        assert store.reindex() == 0


def test_a_memory_reindexes_the_items_of_its_store(path: Path) -> None:
    with Memory.open(path, embedder=None) as memory:
        fill(memory.store)
        memory.add("Two cats.", ADA)
        memory.settle()
        assert similarity(memory.store) == pytest.approx(1, abs=0.01)
        seen: list[tuple[int, int]] = []
        turns = memory.reindex(OTHER, progress=lambda done, total: seen.append((done, total))) - 2
        assert seen[-1] == (turns + 2, turns + 2)
        assert similarity(memory.store) == pytest.approx(1, abs=0.01)
        assert memory.store.search(("a",), query="cats that drink")[0].score > 0.1  # type: ignore[operator]  # it has one


def test_it_goes_on_where_it_was_stopped(path: Path) -> None:
    with LedgerStore.from_conn_string(path) as store:
        pass
    with LedgerStore.from_conn_string(path, index=index()) as store:
        store.batch([PutOp(("a",), str(n), {"text": f"cat {n}"}) for n in range(100)])

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stop

    with LedgerStore.from_conn_string(path, index=index(embed=OTHER, dims=32)) as store:
        with pytest.raises(Stop):
            store.reindex(progress=stop)
        assert store.reindex() == 36


def test_an_embedder_that_fails_is_told_and_nothing_is_lost(path: Path) -> None:
    with LedgerStore.from_conn_string(path, index=index()) as store:
        fill(store)
    broken = RaisingEmbeddings(model="broken")
    with LedgerStore.from_conn_string(path, index={"embed": broken, "dims": 64}) as store:
        with pytest.raises(EmbedderUnavailable):
            store.reindex()
    with LedgerStore.from_conn_string(path, index=index()) as store:
        assert similarity(store) == pytest.approx(1, abs=0.01)


def test_what_changed_meanwhile_keeps_its_own_vectors(path: Path) -> None:
    with LedgerStore.from_conn_string(path, index=index()) as store:
        fill(store)

    class Slow(HashEmbeddings):
        """Somebody puts an item while its old words are embedded."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if SAID["dog"] in texts:
                late.put(("a",), "dog", {"text": "milk for all"}, ["text"])
            return super().embed_documents(texts)

    with (
        LedgerStore.from_conn_string(path, index=index(embed=OTHER, dims=32)) as late,
        LedgerStore.from_conn_string(path, index=index(embed=Slow(32, "other"), dims=32)) as store,
    ):
        store.reindex()
        [best] = store.search(("a",), query="milk for all", limit=1)
        assert best.key == "dog"
        assert best.score == pytest.approx(1, abs=0.01)


def test_without_an_embedder_there_is_nothing_to_do(path: Path) -> None:
    with LedgerStore.from_conn_string(path) as store:
        fill(store)
        assert store.reindex() == 0


def test_items_put_where_there_was_no_index_get_one(path: Path) -> None:
    with LedgerStore.from_conn_string(path) as store:
        fill(store)
        store.put(("a",), "silent", {})
    with LedgerStore.from_conn_string(path, index=index(fields=["text"])) as store:
        assert [item.score for item in store.search(("a",), query=SAID["cat"])] == [None] * 4
        assert store.reindex() == 2
        assert similarity(store) == pytest.approx(1, abs=0.01)
        assert {item.key for item in store.search(("a",), query="cat") if item.score is None} == {"silent", "unindexed"}


def test_the_same_model_with_other_dimensions_is_another(path: Path) -> None:
    with LedgerStore.from_conn_string(path, index=index()) as store:
        fill(store)
    with LedgerStore.from_conn_string(path, index=index(embed=HashEmbeddings(32), dims=32)) as store:
        assert store.reindex() == 2
        assert similarity(store) == pytest.approx(1, abs=0.01)


def test_a_function_may_be_given_a_name(path: Path) -> None:
    def made(dims: int) -> Any:
        embeddings = HashEmbeddings(dims)

        def embed(texts: list[str]) -> list[list[float]]:
            return embeddings.embed_documents(texts)

        return embed

    with LedgerStore.from_conn_string(path, index=index(embed=made(64), name="one")) as store:
        fill(store)
    with LedgerStore.from_conn_string(path, index=index(embed=made(64), name="two")) as store:
        assert similarity(store) == pytest.approx(0.3, abs=0.01)
        assert store.reindex() == 2
        assert similarity(store) == pytest.approx(1, abs=0.01)
