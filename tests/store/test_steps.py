"""Reads of any size: the same answers in steps as at once, and others are served between the steps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, Op, PutOp, SearchItem, SearchOp

from memgraph import LedgerStore
from memgraph.ledger import handle
from memgraph.store import reads
from memgraph.store.operations import Listing, checked
from support.stores import index

MANY = 2_000
GET = GetOp(("b",), "1")
FEW = {"n": {"$gt": MANY - 2}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    """A store of more items and namespaces than are looked at in a short read, indexed but for the many."""
    with LedgerStore.from_conn_string(tmp_path / "store.db", index=index(fields=["text"])) as opened:
        opened.batch([PutOp(("a", str(n)), "k", {"n": n}, index=False) for n in range(MANY)])
        opened.batch([PutOp(("b",), str(n), {"n": n, "text": f"milk {n}"}) for n in range(3)])
        yield opened


def listing(kind: Any, *path: str, **options: Any) -> Op:
    return ListNamespacesOp((MatchCondition(kind, path),), **options)


LONG: dict[str, list[Op]] = {
    "a filter that few match": [SearchOp((), filter=FEW)],
    "a filter that none match": [SearchOp(("a",), filter={"n": -1})],
    "a large page": [SearchOp(("a",), limit=MANY)],
    "a late page": [SearchOp((), limit=5, offset=MANY)],
    "a listing with a rare end": [listing("suffix", "7")],
    "a listing of all": [listing("prefix", "*", limit=2 * MANY)],
    "a listing cut short": [listing("prefix", "a", max_depth=1)],
    "many gets": [GetOp(("a", str(n)), "k") for n in range(MANY)],
    "some of all": [
        GET,
        SearchOp((), filter=FEW),
        listing("suffix", "7"),
        SearchOp(("b",), query="milk 2", filter=FEW),
    ],
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_read_holds_up_nobody(store: LedgerStore, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def beside() -> tuple[Any, ...]:
        long = asyncio.create_task(store.abatch(LONG[name]))
        short = asyncio.create_task(store.abatch([GET]))
        await short
        return long.done(), await long

    ended, found = store.live().wait(beside())
    assert not ended
    monkeypatch.setattr(handle, "SHORT", 1 << 60)
    assert store.batch(LONG[name]) == found  # at once


SHORT: dict[str, Op] = {
    "a get": GET,
    "a filter in a small namespace": SearchOp(("b",), filter={"n": 1}),
    "a question in a small namespace": SearchOp(("b",), query="milk 2"),
    "a page of all namespaces": ListNamespacesOp(limit=10),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_read_is_one_step(store: LedgerStore, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(handle.Ledger, "_read_long", fail)
    [found] = store.batch([SHORT[name]])
    assert found


def test_a_search_ranks_what_its_snapshot_holds(store: LedgerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What searches hold in memory goes on to the next state while a long one reads its own."""
    monkeypatch.setattr(handle, "SHORT", 0)
    monkeypatch.setattr(handle, "TURN", 1)
    ops: list[Op] = [
        SearchOp((), filter={"n": -1}),  # the long one
        SearchOp(("b",), query="milk", filter={"text": {"$exists": True}}),
    ]

    async def amid() -> tuple[Any, ...]:
        ledger = store.home.core.ledger
        long = asyncio.create_task(store.abatch(ops))
        while ledger._long_reader is None or not ledger._long_reader.in_transaction:  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)
        monkeypatch.setattr(handle, "SHORT", 1 << 60)
        await store.abatch([PutOp(("b",), "0", None), PutOp(("b",), "new", {"text": "milk"})])
        later: list[SearchItem] = await store.asearch(("b",), query="milk")
        ended = long.done()
        monkeypatch.setattr(handle, "TURN", 1_000)
        return ended, later, *await long

    ended, later, none, found = store.live().wait(amid())
    assert not ended
    assert sorted(item.key for item in later) == ["1", "2", "new"]
    assert none == []
    assert sorted(item.key for item in found) == ["0", "1", "2"]
    assert sorted(item.key for item in store.search(("b",), query="milk")) == ["1", "2", "new"]


def test_a_listing_reads_no_more_than_its_page(store: LedgerStore) -> None:
    def cost(limit: int, **options: Any) -> int:
        op = checked(listing("prefix", "a", limit=limit, **options))
        assert isinstance(op, Listing)
        return sum(reads.listing(store.home.core.ledger.reader, op, None))

    assert cost(10) < cost(MANY) / 2
    assert cost(10, max_depth=1) == cost(MANY)  # it takes them all to know that there is but one
