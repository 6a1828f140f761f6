"""No store is timed by the benchmark on an answer that is empty or wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import BaseStore, ListNamespacesOp, Op, Result, SearchOp
from langgraph.store.memory import InMemoryStore

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

pytestmark = pytest.mark.checkout


class Empty(BaseStore):
    """Keeps nothing and finds nothing."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        return [[] if isinstance(op, (SearchOp, ListNamespacesOp)) else None for op in ops]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        raise NotImplementedError


class WorstFirst(InMemoryStore):
    """Finds all, in the wrong order."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        return [found[::-1] if isinstance(found, list) else found for found in super().batch(ops)]


@pytest.fixture
def contestant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """InMemoryStore, filled with 12 items of two users."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import _stores

    made = _stores.Contestant(_stores.IN_MEMORY, "", users=2, each=6)
    made.fill()
    return made


@pytest.mark.parametrize(
    "method",
    ["put", "batch", "get", "filter", "search", "search_everywhere", "search_after_put", "list_namespaces", "clients"],
)
def test_no_store_is_timed_on_an_empty_answer(method: str, contestant: Any) -> None:
    getattr(contestant, method)(seed=1, count=16)
    contestant.store = Empty()
    with pytest.raises(AssertionError):
        getattr(contestant, method)(seed=2, count=16)


@pytest.mark.parametrize("method", ["search", "search_everywhere", "search_after_put", "clients"])
def test_no_store_is_timed_on_a_wrong_answer(method: str, contestant: Any) -> None:
    contestant.store = WorstFirst(index=contestant.store.index_config)
    contestant.fill()
    with pytest.raises(AssertionError, match="the best item isn't first"):
        getattr(contestant, method)(seed=1, count=16)
