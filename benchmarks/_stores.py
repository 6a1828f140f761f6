"""Stores as contestants: ours, LangGraph's InMemoryStore and its SqliteStore, filled and asked alike.

Each answer is looked at while it is timed, which takes a microsecond: no store is timed on an empty or a wrong one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count as numbers
from typing import Any, Final

from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore, PutOp
from langgraph.store.memory import InMemoryStore

import _items
import _rounds
import _world

OURS: Final = "ours"
IN_MEMORY: Final = "InMemoryStore"
SQLITE: Final = "SqliteStore"

LIMIT: Final = 10
BATCH: Final = 100
_FILL: Final = 500


def _ours(path: str, embedder: Embeddings) -> AbstractContextManager[BaseStore]:
    from memgraph import LedgerStore  # here: the Python that runs the official store has none

    return LedgerStore.from_conn_string(path, index={"dims": _world.DIMS, "embed": embedder, "fields": ["text"]})


def _in_memory(path: str, embedder: Embeddings) -> AbstractContextManager[BaseStore]:
    return nullcontext(InMemoryStore(index={"dims": _world.DIMS, "embed": embedder, "fields": ["text"]}))


@contextmanager
def _sqlite(path: str, embedder: Embeddings) -> Generator[BaseStore]:
    module: Any = importlib.import_module("langgraph.store.sqlite")
    # `fields`, as LangGraph documents it, is not read: the whole value would be embedded.
    index = {"dims": _world.DIMS, "embed": embedder, "text_fields": ["text"]}
    with module.SqliteStore.from_conn_string(path, index=index) as store:
        store.conn.execute("pragma journal_mode = wal")  # faster than the rollback journal that it has by itself
        assert store.conn.execute("pragma synchronous").fetchone() == (2,), "its commits don't wait for the disk"
        store.setup()
        yield store


_OPEN: Final[dict[str, Callable[[str, Embeddings], AbstractContextManager[BaseStore]]]] = {
    OURS: _ours,
    IN_MEMORY: _in_memory,
    SQLITE: _sqlite,
}


class Contestant:
    """An open store. `--serve` gives it to the other scripts.

    Args:
        kind: Which.
        path: Of its file; InMemoryStore has none.
        users: In how many namespaces its items are.
        each: How many are in each of them.
    """

    def __init__(self, kind: str, path: str, users: int, each: int) -> None:
        self._known = _items.Known()
        self._opened = _OPEN[kind](path, self._known)
        self.store = self._opened.__enter__()
        self._users = users
        self._each = each
        self._next = numbers(each)

    # --- writing

    def fill(self) -> int:
        """Put all items. Returns bytes of their values and vectors."""
        nbytes = 0
        for user in range(self._users):
            for first in range(0, self._each, _FILL):
                items = [_items.item(user, i) for i in range(first, min(first + _FILL, self._each))]
                self._known.know(items)
                self._batch(items)
                nbytes += sum(item.nbytes for item in items)
        return nbytes

    def _batch(self, items: Sequence[_items.Item]) -> None:
        self.store.batch([PutOp(item.namespace, item.key, item.value) for item in items])

    def _put(self, item: _items.Item) -> None:
        self.store.put(item.namespace, item.key, item.value)

    def put(self, seed: int, count: int) -> list[float]:
        """Return ms of each put of a new item."""
        items = [_items.item(one.user, next(self._next)) for one in _world.questions(seed, self._users, count)]
        self._known.know(items)
        spans = _rounds.timed(self._put, items)
        self._look_up(items)
        return spans

    def batch(self, seed: int, count: int) -> list[float]:
        """Return ms of each batch of 100 new items of one namespace."""
        batches = [
            [_items.item(one.user, next(self._next)) for _ in range(BATCH)]
            for one in _world.questions(seed, self._users, count)
        ]
        self._known.know(item for items in batches for item in items)
        spans = _rounds.timed(self._batch, batches)
        self._look_up(items[-1] for items in batches)
        return spans

    def _look_up(self, items: Iterable[_items.Item]) -> None:
        for item in items:
            self._get(item)

    # --- reading

    def _questions(self, seed: int, count: int) -> list[_items.Asked]:
        made = _items.questions(seed, self._users, self._each, count)
        self._known.know(made)
        return made

    def _get(self, item: _items.Item) -> None:
        found = self.store.get(item.namespace, item.key)
        assert found is not None, "an item is not there"
        assert found.value["text"] == item.text, "an item is another one"

    def get(self, seed: int, count: int) -> list[float]:
        """Return ms of each get."""
        return _rounds.timed(self._get, [asked.of for asked in self._questions(seed, count)])

    def _filter(self, asked: _items.Asked) -> None:
        speaker = _world.SPEAKERS[0]
        hits = self.store.search(asked.of.namespace, filter={"speaker": speaker}, limit=LIMIT)
        assert len(hits) >= min(LIMIT, (self._each + 1) // 2), "too few items"
        assert all(hit.value["speaker"] == speaker for hit in hits), "an item that doesn't match"

    def filter(self, seed: int, count: int) -> list[float]:
        """Return ms of each search by a filter alone, within a namespace."""
        return _rounds.timed(self._filter, self._questions(seed, count))

    def _search(self, asked: _items.Asked) -> None:
        self._found(asked, asked.of.namespace, self._each)

    def _search_everywhere(self, asked: _items.Asked) -> None:
        self._found(asked, (), self._each * self._users)

    def _found(self, asked: _items.Asked, prefix: tuple[str, ...], among: int) -> None:
        hits = self.store.search(prefix, query=asked.text, limit=LIMIT)
        assert len(hits) >= min(LIMIT, among), "too few items"
        assert (hits[0].namespace, hits[0].key) == (asked.of.namespace, asked.of.key), "the best item isn't first"

    def search(self, seed: int, count: int) -> list[float]:
        """Return ms of each search with a query, within a namespace."""
        return _rounds.timed(self._search, self._questions(seed, count))

    def search_everywhere(self, seed: int, count: int) -> list[float]:
        """Return ms of each search with a query, over everything."""
        return _rounds.timed(self._search_everywhere, self._questions(seed, count))

    def search_after_put(self, seed: int, count: int) -> list[float]:
        """Return ms of each search for what was put right before it; the put is not counted."""
        spans: list[float] = []
        for question in _world.questions(seed, self._users, count):
            item = _items.item(question.user, next(self._next))
            asked = _items.about(item, question)
            self._known.know([item, asked])
            self._put(item)
            spans += _rounds.timed(self._search, [asked])
        return spans

    def _list(self, _: object) -> None:
        found = self.store.list_namespaces(prefix=(_items.ROOT,), limit=self._users)
        assert len(set(found)) == self._users, "namespaces are missing"

    def list_namespaces(self, seed: int, count: int) -> list[float]:
        """Return ms of each listing of all namespaces."""
        return _rounds.timed(self._list, range(count))

    def clients(self, seed: int, count: int) -> float:
        """Return searches a second, within namespaces, of 16 threads."""
        return _rounds.per_second(self._search, self._questions(seed, count))

    # --- the process

    def memory(self) -> float:
        """Return resident memory, MB."""
        return _rounds.rss_mb()

    def close(self) -> None:
        """Close the store."""
        self._opened.__exit__(None, None, None)


if __name__ == "__main__":
    _rounds.serve(Contestant)
