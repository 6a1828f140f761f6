"""How long items live: given, by default, refreshed, hidden, swept."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchOp, TTLConfig

from memgraph import LedgerStore, Memory
from memgraph.errors import InvalidInput, StoreBusy
from support.memories import Clock, write_locked
from support.stores import FACES, Faced, Stores, clock, index


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def opened(stores: Stores, face: str, ttl: TTLConfig | None = None) -> tuple[Faced, Clock]:
    store = stores.open("alone", ttl=ttl, index=index())
    return Faced(store, face, "alone"), clock(store)


def test_an_item_is_swept_when_its_time_has_passed(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    store.put(("a",), "short", {}, ttl=1)
    store.put(("a",), "long", {}, ttl=2.5)
    store.put(("a",), "ever", {})
    assert store.sweep_ttl() == 0
    now.tick(seconds=59)
    assert store.sweep_ttl() == 0
    now.tick(seconds=1)
    assert store.sweep_ttl() == 1
    now.tick(seconds=90)
    assert store.sweep_ttl() == 1
    assert [item.key for item in store.search(())] == ["ever"]


def test_the_default_holds_where_a_put_says_nothing(stores: Stores, face: str) -> None:
    store, now = opened(stores, face, {"default_ttl": 1})
    store.put(("a",), "default", {})
    store.put(("a",), "own", {}, ttl=3)
    store.put(("a",), "ever", {}, ttl=None)
    store.batch([PutOp(("a",), "raw", {})])
    now.tick(minutes=2)
    assert store.sweep_ttl() == 1
    now.tick(minutes=2)
    assert store.sweep_ttl() == 1
    assert {item.key for item in store.search(())} == {"ever", "raw"}


def test_a_read_begins_it_anew(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    for key in ("got", "found", "asked", "unread"):
        store.put(("a", key), key, {"text": key}, ttl=1)
    now.tick(seconds=50)
    store.get(("a", "got"), "got")
    store.search(("a", "found"))
    store.search(("a", "asked"), query="asked")
    store.list_namespaces()
    now.tick(seconds=50)
    assert store.sweep_ttl() == 1
    assert store.get(("a", "unread"), "unread") is None
    now.tick(seconds=60)
    assert store.sweep_ttl() == 3


def test_only_what_a_search_returns_is_refreshed(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    for key in "abc":
        store.put(("a",), key, {"n": key}, ttl=1)
        now.tick()
    now.tick(seconds=40)
    assert [item.key for item in store.search((), limit=1)] == ["c"]
    assert [item.key for item in store.search((), filter={"n": "b"})] == ["b"]
    now.tick(seconds=50)
    assert store.sweep_ttl() == 1


@pytest.mark.parametrize(
    ("config", "call", "lives"),
    [
        (None, {}, True),
        (None, {"refresh_ttl": False}, False),
        ({"refresh_on_read": False}, {}, False),
        ({"refresh_on_read": False}, {"refresh_ttl": True}, True),
        ({"refresh_on_read": True}, {"refresh_ttl": False}, False),
    ],
)
def test_whether_a_read_refreshes(
    config: TTLConfig | None, call: dict[str, Any], lives: bool, stores: Stores, face: str
) -> None:
    store, now = opened(stores, face, config)
    store.put(("a",), "got", {}, ttl=1)
    store.put(("b",), "found", {}, ttl=1)
    now.tick(seconds=50)
    store.get(("a",), "got", **call)
    store.search(("b",), **call)
    now.tick(seconds=50)
    assert store.sweep_ttl() == (0 if lives else 2)


def test_a_put_of_the_same_batch_has_the_last_word(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    store.put(("a",), "k", {}, ttl=5)
    store.batch([GetOp(("a",), "k"), SearchOp(()), PutOp(("a",), "k", {"x": 1}, ttl=1)])
    now.tick(minutes=1)
    assert store.sweep_ttl() == 1


def test_a_put_without_a_time_makes_it_live_for_ever(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    store.put(("a",), "k", {}, ttl=1)
    store.put(("a",), "k", {"x": 1})
    now.tick(days=9)
    assert store.sweep_ttl() == 0


def test_what_has_expired_is_there_until_it_is_swept_unless_the_store_omits_it(stores: Stores, face: str) -> None:
    for omits in (False, True):
        store, now = opened(stores, face, {"omit_expired": omits, "refresh_on_read": False})
        for n in range(4):
            store.put(("a", str(n)), "k", {"n": n, "text": "whales"}, ttl=1 if n % 2 else None)
        now.tick(minutes=1)
        count = 2 if omits else 4
        assert (store.get(("a", "1"), "k") is None) is omits
        for options in ({}, {"filter": {"n": {"$gte": 0}}}, {"query": "whales"}):
            assert len(store.search(("a",), **options)) == count
            assert len(store.search(("a",), **options, limit=2)) == 2  # hidden before the limit
        assert len(store.list_namespaces()) == count
        assert len(store.list_namespaces(max_depth=1)) == 1
        assert store.sweep_ttl() == 2


def test_what_is_omitted_is_not_refreshed_and_comes_back_as_new(stores: Stores, face: str) -> None:
    store, now = opened(stores, face, {"omit_expired": True})
    store.put(("a",), "k", {}, ttl=1)
    born = now.at
    now.tick(minutes=2)
    assert store.get(("a",), "k") is None
    assert store.get(("a",), "k") is None
    store.put(("a",), "k", {}, ttl=1)
    assert store.get(("a",), "k").created_at == now.at > born


def test_one_that_is_still_shown_is_refreshed(stores: Stores, face: str) -> None:
    store, now = opened(stores, face)
    store.put(("a",), "k", {}, ttl=1)
    now.tick(minutes=2)
    assert store.get(("a",), "k") is not None
    assert store.sweep_ttl() == 0


# --- the sweeper


class Signals(Clock):
    """A clock that says when it is asked by the sweeper."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = 0
        self.asked = threading.Semaphore(0)

    def __call__(self) -> int:
        self.asked.release()
        return super().__call__()


def test_the_sweeper_sweeps_until_it_is_stopped(stores: Stores, face: str) -> None:
    store, now = opened(stores, face, {"sweep_interval_minutes": 60})
    store.put(("a",), "k", {}, ttl=1)
    now.tick(minutes=2)
    ours = store.store
    assert isinstance(ours, LedgerStore)
    ours.home.core.clock = ticking = Signals()
    ticking.at = now.at
    sweeper = store.start_ttl_sweeper(1e-5)
    assert store.start_ttl_sweeper() is sweeper  # again: does nothing
    for _ in range(2):  # the second round begins after the first has ended
        assert ticking.asked.acquire(timeout=60)
    assert store.sweep_ttl() == 0
    assert not sweeper.done()
    assert store.stop_ttl_sweeper(timeout=60) is True
    assert sweeper.done()
    assert store.stop_ttl_sweeper() is True
    again = store.start_ttl_sweeper()
    assert again is not sweeper
    ours.close()
    assert again.done()


def test_a_sweep_that_fails_is_tried_again(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from memgraph.ledger import items

    store, now = opened(stores, "sync")
    store.put(("a",), "k", {}, ttl=1)
    now.tick(minutes=2)
    # Twice: what fails amid a group of writes is run once more alone.
    tried_again, failures = threading.Event(), iter([StoreBusy("locked")] * 2)
    sweep = items.sweep

    def fails_first(connection: Any, at: int) -> int:
        if error := next(failures, None):
            raise error
        tried_again.set()
        return sweep(connection, at)

    monkeypatch.setattr(items, "sweep", fails_first)
    store.start_ttl_sweeper(1e-5)
    assert tried_again.wait(60)
    assert store.stop_ttl_sweeper()
    assert store.sweep_ttl() == 0  # waits its turn behind the other, which may not have committed yet
    assert "StoreBusy" in caplog.text
    assert store.search(()) == []


@pytest.mark.parametrize(
    "config",
    [
        {"default_ttl": "1"},
        {"default_ttl": -1},
        {"sweep_interval_minutes": True},
        {"refresh_on_read": 1},
        {"default_tll": 1},
        [("default_ttl", 1)],
    ],
)
def test_a_configuration_that_is_malformed_is_refused(config: Any, stores: Stores) -> None:
    with pytest.raises(InvalidInput, match="ttl"):
        stores.open("alone", ttl=config)


def test_a_read_does_not_fail_where_its_items_can_not_be_given_more_time() -> None:
    with Memory.open(":memory:", embedder=None) as memory:
        memory.store.put(("a",), "k", {"x": 1}, ttl=5)
        with write_locked(memory):
            item = memory.store.get(("a",), "k")
        assert item is not None and item.value == {"x": 1}
